/** `smccc` of a system file: which hypercall services a VM is offered, from names and numbers to what the runtime takes. */

import {
  BITMAP_NAMES, err, FILTER_RANGES_MAX, ok, VmServices, type BitmapName, type Diagnostic, type FilterRange, type Result, type ServiceSettings,
} from '../../runtime/index';
import type { ServicesConfiguration } from '../protocol/launch';

/** The key of each bitmap. */
const BITMAP_KEYS = {
  KVM_REG_ARM_STD_BMAP: 'standardSecure', KVM_REG_ARM_STD_HYP_BMAP: 'standardHypervisor', KVM_REG_ARM_VENDOR_HYP_BMAP: 'vendorHypervisor', KVM_REG_ARM_VENDOR_HYP_BMAP_2: 'vendorHypervisor2',
} as const satisfies Readonly<Record<BitmapName, keyof ServicesConfiguration>>;
const HOST_WORKAROUNDS: ServiceSettings['workarounds'] = { 1: 2, 2: 3, 3: 2 };
const STOLEN_TIME_ALIGNMENT = 64n;

/** The selection that a VM begins with: its own keys, then those for all VMs. `where` names the place in the file. */
export function resolveServices(own: ServicesConfiguration | undefined, common: ServicesConfiguration | undefined, where: string): Result<ServiceSettings | undefined, readonly Diagnostic[]> {
  if (own === undefined && common === undefined) return ok(undefined);
  const chosen: ServicesConfiguration = { ...common, ...own };
  const problems: string[] = [];
  const { personality = 'gunyah', flavour = 'merged', psciVersion, workarounds = {} } = chosen;
  const bare = new VmServices({ personality, flavour, bitmaps: {}, workarounds: HOST_WORKAROUNDS, filter: [], ...(psciVersion === undefined ? {} : { psciVersion }) });
  const bitmaps: Partial<Record<BitmapName, bigint>> = {};
  for (const name of BITMAP_NAMES) {
    const value = bitmapOf(bare, name, chosen[BITMAP_KEYS[name]]);
    if (!value.ok) problems.push(`"${where}.${BITMAP_KEYS[name]}": ${value.error}`);
    else if (value.value !== undefined) bitmaps[name] = value.value;
  }
  if (personality === 'gunyah' && (psciVersion === '1.2' || psciVersion === '1.3')) problems.push(`"${where}.psciVersion": Gunyah has PSCI 1.1 at most; a VM with "personality": "kvm" can have ${psciVersion}.`);
  const stolenTime = chosen.stolenTime === undefined ? undefined : BigInt(chosen.stolenTime);
  if (stolenTime !== undefined && stolenTime % STOLEN_TIME_ALIGNMENT !== 0n) problems.push(`"${where}.stolenTime": the structures lie at multiples of 64 bytes, and ${chosen.stolenTime ?? ''} is none.`);
  const filter = filterOf(bare, chosen, where);
  if (!filter.ok) problems.push(...filter.error);
  if (problems.length > 0 || !filter.ok) return err(problems.map((message) => ({ severity: 'error', code: 'smccc-invalid', message })));
  return ok({
    personality, flavour, bitmaps, workarounds: { ...HOST_WORKAROUNDS, ...workarounds }, filter: filter.value,
    ...(psciVersion === undefined ? {} : { psciVersion }), ...(stolenTime === undefined ? {} : { stolenTime }),
  });
}

/** A number, or names of bits. */
function bitmapOf(bare: VmServices, name: BitmapName, given: string | number | readonly string[] | undefined): Result<bigint | undefined, string> {
  if (given === undefined) return ok(undefined);
  const supported = bare.supportedBits(name);
  if (typeof given === 'string' || typeof given === 'number') {
    const value = BigInt(given);
    return (value & ~supported) === 0n ? ok(value) : err(`0x${value.toString(16)} has bits that do not exist; 0x${supported.toString(16)} are all.`);
  }
  let value = 0n;
  for (const word of given) {
    const bit = bare.bitsOf(name).find((one) => one.name === word);
    if (bit === undefined) return err(`there is no service "${word}" here. There ${bare.bitsOf(name).length === 1 ? 'is' : 'are'} ${bare.bitsOf(name).map((one) => `"${one.name}"`).join(', ') || 'none'}.`);
    value |= 1n << BigInt(bit.bit);
  }
  return ok(value);
}

function filterOf(bare: VmServices, { filter = [] }: ServicesConfiguration, where: string): Result<readonly FilterRange[], readonly string[]> {
  const problems: string[] = [];
  const ranges = filter.map(({ base, count = 1, action }): FilterRange => ({ base: Number(base), count, action }));
  for (const [index, range] of ranges.entries()) {
    const answer = bare.addFilter(range);
    const why = { OK: undefined, EINVAL: `the range is empty, leaves 32 bits, or is one of more than ${FILTER_RANGES_MAX}`, EEXIST: 'the range overlaps another, or functions of the architecture (0x80000000 and 0xc0000000) that cannot be filtered', ENXIO: 'the RFC has no filter', EBUSY: undefined, ENOENT: undefined }[answer];
    if (why !== undefined) problems.push(`"${where}.filter.${index}": ${why}.`);
  }
  return problems.length === 0 ? ok(ranges) : err(problems);
}
