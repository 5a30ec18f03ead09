/**
 * Reservation of guest address space: what a VM reserves, RM does not choose for anything. The primary VM has no address space that RM
 * looks after, so it may reserve nothing; an empty list is granted to everybody.
 */

import { ByteReader } from '../../base/byte-reader';
import { alignUp } from '../../base/bits';
import type { RmErrorName } from '../rm-errors';
import type { AddressRange, VmRecord } from '../state';
import { ADDRESS_SPACE_END, CHOSEN_FIRST, occupant, PAGE } from '../vm-memory';
import { VMID } from '../vm-states';
import type { RmHandler, RmHandlers } from './handler';

const FIXED = 0;
const CHOSEN = 1;
const HEADER_BYTES = 16;
const ECC = 1;
const TAGGED = 2;
const NORMAL = 4;
/** Compatible with the VM's own memory; stands alone. */
const LIKE_BASE_MEMORY = 0x40;
/** The platform's devices, in every VM but the primary. */
const DEVICES: AddressRange = { base: 0n, sizeBytes: CHOSEN_FIRST };

type Entry = { readonly base: bigint; readonly size: bigint };

/** What is looked at before the list. */
export function refusesReserve(caller: VmRecord, payload: Uint8Array): RmErrorName | undefined {
  const reader = new ByteReader(payload);
  const [kind, generic, platform] = [reader.u8(0), reader.u32(4), reader.u32(8)];
  if (payload.length < HEADER_BYTES || generic === undefined || (kind !== FIXED && kind !== CHOSEN)) return 'MSG_INVALID';
  return platform === 0 && isConstraint(caller, generic) ? undefined : 'ARGUMENT_INVALID';
}

function isConstraint(caller: VmRecord, generic: number): boolean {
  if (generic === 0) return true;
  if (generic === LIKE_BASE_MEMORY) return caller.vmid !== VMID.HLOS;
  return (generic & NORMAL) !== 0 && (generic & ~(ECC | TAGGED | NORMAL)) === 0;
}

const reserve: RmHandler<'IPA_RESERVE'> = (_rm, caller, { allocationType, ranges }) => {
  const taken: AddressRange[] = [];
  for (const wanted of allocationType === FIXED ? ranges.map(fixed) : choices(ranges)) {
    const found = wanted === undefined || caller.vmid === VMID.HLOS ? undefined : place(caller, wanted, taken);
    if (found === undefined) return 'DENIED';
    taken.push(found);
  }
  caller.reservations.push(...taken);
  return allocationType === FIXED ? 'OK' : { bases: taken.map(({ base }) => ({ base })) };
};

/** Where a range may begin: in `region`, at a multiple of `alignment`. It may end behind the region. */
interface Wanted { readonly region: AddressRange; readonly sizeBytes: bigint; readonly alignment: bigint }

function fixed({ base, size }: Entry): Wanted | undefined {
  return wantedOf({ base, size: PAGE }, { base: size, size: PAGE });
}

/** Each choice is two entries: the region, then size and alignment. */
function choices(entries: readonly Entry[]): (Wanted | undefined)[] {
  return entries.flatMap((region, i) => {
    const what = entries[i + 1];
    return i % 2 === 0 && what !== undefined ? [wantedOf(region, what)] : [];
  });
}

/** A region that begins here is the whole address space. */
const ANYWHERE = (1n << 64n) - 1n;

/** `what.base` is the size, `what.size` the alignment, as the message has them. */
function wantedOf({ base, size }: Entry, what: Entry): Wanted | undefined {
  const alignment = what.size;
  const isPower = alignment >= PAGE && (alignment & (alignment - 1n)) === 0n;
  if (!isPower || what.base < PAGE || what.base % PAGE !== 0n) return undefined;
  if (base === ANYWHERE) return { region: { base: 0n, sizeBytes: ADDRESS_SPACE_END }, sizeBytes: what.base, alignment };
  if (base % PAGE !== 0n || size % PAGE !== 0n || size < PAGE || base + size > ADDRESS_SPACE_END) return undefined;
  return { region: { base, sizeBytes: size }, sizeBytes: what.base, alignment };
}

/** The lowest place that nothing occupies. */
function place(vm: VmRecord, { region, sizeBytes, alignment }: Wanted, taken: readonly AddressRange[]): AddressRange | undefined {
  const end = region.base + region.sizeBytes;
  let base = alignUp(region.base, alignment);
  while (base < end && base + sizeBytes <= ADDRESS_SPACE_END) {
    const obstacle = occupant(vm, { base, sizeBytes }, [DEVICES, ...vm.reservations, ...taken]);
    if (obstacle === undefined) return { base, sizeBytes };
    base = alignUp(obstacle.base + obstacle.sizeBytes, alignment);
  }
  return undefined;
}

/** Handlers of address space requests. */
export const addressHandlers = { IPA_RESERVE: reserve } as const satisfies RmHandlers;
