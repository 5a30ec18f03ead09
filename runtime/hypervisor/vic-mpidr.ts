/**
 * How the bits of a vCPU index appear in MPIDR_EL1 (vgic_set_mpidr_mapping). Each affinity field holds those index bits that its
 * mask selects, found `shift` bits up in the index.
 */

/** The mapping. `mask` has the layout of MPIDR_EL1 (Aff3 in 39:32, Aff2..Aff0 in 23:0). Shifts are in bits of the index. */
export interface MpidrMapping {
  readonly mask: bigint;
  /** Shifts of Aff0, Aff1, Aff2, Aff3. */
  readonly shifts: readonly [number, number, number, number];
  /** MPIDR_EL1.MT. */
  readonly mt: boolean;
}

/** The platform's own mapping: eight CPUs in one cluster, Aff0 is the index. */
export const DEFAULT_MPIDR_MAPPING: MpidrMapping = { mask: 7n, shifts: [0, 0, 0, 0], mt: false };

const FIELD_POSITIONS = [0n, 8n, 16n, 32n] as const;
const AFFINITY_BITS = 0xff_00ff_ffffn;
const RES1 = 0x8000_0000n;
const MT = 0x100_0000n;

/** True if every index has one MPIDR: shifts below 32, fields that do not overlap, index bits without a gap from bit 0. */
export function checkMpidrMapping({ mask, shifts }: MpidrMapping): boolean {
  let used = 0n;
  for (const [field, shift] of shifts.entries()) {
    if (shift < 0 || shift >= 32) return false;
    const bits = fieldOf(mask, field) << BigInt(shift);
    if ((used & bits) !== 0n) return false;
    used |= bits;
  }
  return (used & (used + 1n)) === 0n;
}

/** MPIDR_EL1 of a vCPU index. */
export function mpidrOfIndex(mapping: MpidrMapping, index: number): bigint {
  let value = RES1 | (mapping.mt ? MT : 0n);
  for (const [field, shift] of mapping.shifts.entries()) {
    value |= ((BigInt(index) >> BigInt(shift)) & fieldOf(mapping.mask, field)) << (FIELD_POSITIONS[field] ?? 0n);
  }
  return value;
}

/** Aff3.Aff2.Aff1.Aff0 of an index packed into 32 bits, as GICR_TYPER and routing want it. */
export function affinityOfIndex(mapping: MpidrMapping, index: number): number {
  const mpidr = mpidrOfIndex(mapping, index);
  return Number(((mpidr >> 32n) & 0xffn) << 24n | (mpidr & 0xff_ffffn));
}

/** The index that the affinity fields of `mpidr` name, or `undefined` if a bit outside the mask is set. */
export function indexOfMpidr(mapping: MpidrMapping, mpidr: bigint): number | undefined {
  const affinity = mpidr & ~(RES1 | MT | (1n << 30n));
  if ((affinity & ~(mapping.mask & AFFINITY_BITS)) !== 0n) return undefined;
  let index = 0n;
  for (const [field, shift] of mapping.shifts.entries()) index |= (fieldOf(affinity, field) & fieldOf(mapping.mask, field)) << BigInt(shift);
  return Number(index);
}

function fieldOf(value: bigint, field: number): bigint {
  return (value >> (FIELD_POSITIONS[field] ?? 0n)) & 0xffn;
}
