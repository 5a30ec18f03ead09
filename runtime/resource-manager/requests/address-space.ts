/** Reservation of guest address space: what a VM reserves, RM does not choose for anything. */

import { alignUp } from '../../base/bits';
import type { RmErrorName } from '../rm-errors';
import type { AddressRange, VmRecord } from '../state';
import { ADDRESS_SPACE_END, occupant, PAGE } from '../vm-memory';
import type { RmHandler, RmHandlers } from './handler';

const FIXED = 0;
const CHOSEN = 1;
/** Constraints that have a meaning: ECC, tagged, normal, IO, owner-visible, external bus, compatible with base memory. */
const CONSTRAINTS = 0x7f;

type Entry = { readonly base: bigint; readonly size: bigint };

const reserve: RmHandler<'IPA_RESERVE'> = (_rm, caller, { allocationType, genericConstraints, ranges }) => {
  if (allocationType !== FIXED && allocationType !== CHOSEN) return 'ARGUMENT_INVALID';
  if ((genericConstraints & CONSTRAINTS) === 0 || ranges.length === 0) return 'ARGUMENT_INVALID';
  const taken: AddressRange[] = [];
  for (const wanted of allocationType === FIXED ? ranges.map(fixed) : choices(ranges)) {
    const found = wanted === undefined ? 'ARGUMENT_INVALID' : place(caller, wanted, taken);
    if (typeof found === 'string') return found;
    taken.push(found);
  }
  caller.reservations.push(...taken);
  return allocationType === FIXED ? 'OK' : { bases: taken.map(({ base }) => ({ base })) };
};

/** Where a range may go: in `region`, at a multiple of `alignment`. */
interface Wanted { readonly region: AddressRange; readonly sizeBytes: bigint; readonly alignment: bigint }

function fixed({ base, size }: Entry): Wanted | undefined {
  return wantedOf({ base, size }, { base: size, size: PAGE });
}

/** Each choice is two entries: the region, then size and alignment. */
function choices(entries: readonly Entry[]): (Wanted | undefined)[] {
  return entries.flatMap((region, i) => {
    const what = entries[i + 1];
    return i % 2 === 0 && what !== undefined ? [wantedOf(region, what)] : [];
  });
}

/** `what.base` is the size, `what.size` the alignment, as the message has them. */
function wantedOf({ base, size }: Entry, what: Entry): Wanted | undefined {
  const alignment = what.size;
  const isPower = alignment >= PAGE && (alignment & (alignment - 1n)) === 0n;
  if (!isPower || what.base === 0n || what.base % PAGE !== 0n || base % PAGE !== 0n || size % PAGE !== 0n || base + size > 1n << 64n) return undefined;
  return { region: { base, sizeBytes: size }, sizeBytes: what.base, alignment };
}

/** The lowest place that nothing occupies. */
function place(vm: VmRecord, { region, sizeBytes, alignment }: Wanted, taken: readonly AddressRange[]): AddressRange | RmErrorName {
  const end = region.base + region.sizeBytes < ADDRESS_SPACE_END ? region.base + region.sizeBytes : ADDRESS_SPACE_END;
  let base = alignUp(region.base, alignment);
  while (base + sizeBytes <= end) {
    const obstacle = occupant(vm, { base, sizeBytes }, [...vm.reservations, ...taken]);
    if (obstacle === undefined) return { base, sizeBytes };
    base = alignUp(obstacle.base + obstacle.sizeBytes, alignment);
  }
  return 'NORESOURCE';
}

/** Handlers of address space requests. */
export const addressHandlers = { IPA_RESERVE: reserve } as const satisfies RmHandlers;
