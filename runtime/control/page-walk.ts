/**
 * The descriptors that a translation reads, for showing: stage 1 of a vCPU's regime as it is now, then stage 2 of the address that results.
 *
 * It changes nothing and is not the engine's walker: whether an access is allowed is `Engine.translate`'s to say. What a guest sets up wrongly
 * (tables outside memory, an address outside the range) ends the list where the hardware would stop. Source: Arm ARM (DDI 0487) D8.2 and D8.3.
 */

import { ipa, pa, type Pa } from '../base/brands';
import type { System } from '../system/system';
import { stage1Fields, stage2Fields, type DescriptorField, type DescriptorKind } from './descriptor-words';

/** One descriptor. */
export interface WalkLevel {
  readonly stage: 1 | 2;
  readonly level: number;
  /** Place of the descriptor in the VM's address space; undefined for stage 2, whose tables are the hypervisor's. */
  readonly descriptorIpa: bigint | undefined;
  /** Physical place; undefined if stage 2 does not translate it. */
  readonly descriptorPa: bigint | undefined;
  readonly index: number;
  readonly descriptor: bigint;
  readonly kind: DescriptorKind;
  readonly fields: readonly DescriptorField[];
  /** Where it points to: the next table, or memory. */
  readonly output: bigint;
  readonly spanBytes: number;
}

/** Geometry of one stage. */
interface Regime {
  readonly stage: 1 | 2;
  /** log2 of the granule. */
  readonly granule: number;
  readonly inputBits: number;
  readonly startLevel: number;
  readonly table: bigint;
  /** 52-bit output addresses: high bits are in the low bits of a descriptor of 4 and 16 KiB, or of 64 KiB. */
  readonly wide: 'no' | 'small granule' | 'large granule';
  /** Whether outputs have more than 48 bits at all. */
  readonly isLong: boolean;
  readonly blockLevelMin: number;
}

const LAST_LEVEL = 3;
const ones = (count: number): bigint => (1n << BigInt(count)) - 1n;
const bits = (value: bigint, high: number, low: number): number => Number((value >> BigInt(low)) & ones(high - low + 1));
const GRANULES_0 = [12, 16, 14, 0] as const;
const GRANULES_1 = [0, 14, 12, 16] as const;
const FIVE_BIT_PHYSICAL_RANGE = 6;

/** Descriptors from a virtual address (`both`) or an intermediate one (`2`) on. */
export function walkTables(system: System, vcpu: number, address: bigint, stage: 'both' | 2): WalkLevel[] {
  const walk = new Walk(system, vcpu);
  if (stage === 2) return walk.stage2(address);
  const first = walk.stage1(address);
  return first.output === undefined ? first.levels : [...first.levels, ...walk.stage2(first.output)];
}

class Walk {
  private readonly system: System;
  private readonly vcpu: number;

  constructor(system: System, vcpu: number) {
    this.system = system;
    this.vcpu = vcpu;
  }

  stage1(address: bigint): { readonly levels: WalkLevel[]; readonly output: bigint | undefined } {
    if ((this.register('SCTLR_EL1') & 1n) === 0n) return { levels: [], output: address };
    const regime = this.stage1Regime(address);
    if (regime === undefined) return { levels: [], output: undefined };
    return this.descend(regime, address & ones(regime.inputBits));
  }

  stage2(address: bigint): WalkLevel[] {
    if ((this.register('HCR_EL2') & 1n) === 0n) return [];
    const regime = this.stage2Regime();
    return address >> BigInt(regime.inputBits) === 0n ? this.descend(regime, address).levels : [];
  }

  private register(name: string): bigint {
    return this.system.engine.vcpu(this.vcpu).systemRegister(name);
  }

  /** Undefined if the address is outside the half that bit 55 selects, or walks of that half are off. */
  private stage1Regime(address: bigint): Regime | undefined {
    const tcr = this.register('TCR_EL1');
    const isUpper = ((address >> 55n) & 1n) === 1n;
    const granule = this.supported(isUpper ? GRANULES_1[bits(tcr, 31, 30)] ?? 0 : GRANULES_0[bits(tcr, 15, 14)] ?? 0);
    const inputBits = 64 - (isUpper ? bits(tcr, 21, 16) : bits(tcr, 5, 0));
    const ignoresTop = bits(tcr, isUpper ? 38 : 37, isUpper ? 38 : 37) === 1;
    const above = BigInt.asUintN(ignoresTop ? 56 : 64, address) >> BigInt(Math.min(inputBits, 64));
    const expected = isUpper ? ones((ignoresTop ? 56 : 64) - inputBits) : 0n;
    const isOff = bits(tcr, isUpper ? 23 : 7, isUpper ? 23 : 7) === 1;
    const wide = this.wideness(tcr, granule);
    if (isOff || !this.isInputSize(inputBits, { granule, wide }) || above !== expected) return undefined;
    const stride = granule - 3;
    const ttbr = this.register(isUpper ? 'TTBR1_EL1' : 'TTBR0_EL1');
    const isLong = wide !== 'no' && Math.min(bits(tcr, 34, 32), bits(this.register('ID_AA64MMFR0_EL1'), 3, 0)) >= FIVE_BIT_PHYSICAL_RANGE;
    const base = (ttbr & ones(48)) | (isLong ? BigInt(bits(ttbr, 5, 2)) << 48n : 0n);
    const startLevel = 4 - Math.floor((inputBits - 4) / stride);
    const blockLevelMin = this.blockLevelMin(granule, wide);
    return { stage: 1, granule, inputBits, startLevel, table: alignTable(base, { granule, inputBits, startLevel }), wide, isLong, blockLevelMin };
  }

  /** A granule that the core lacks behaves as the smallest that it has (Arm ARM: IMPLEMENTATION DEFINED). */
  private supported(granule: number): number {
    const mmfr0 = this.register('ID_AA64MMFR0_EL1');
    const present = [...(bits(mmfr0, 31, 28) === 0xf ? [] : [12]), ...(bits(mmfr0, 23, 20) === 0 ? [] : [14]), ...(bits(mmfr0, 27, 24) === 0xf ? [] : [16])];
    return present.includes(granule) ? granule : present[0] ?? granule;
  }

  /** Whether 64 - TnSZ is within the limits of the core (Arm ARM D8.2.6). */
  private isInputSize(inputBits: number, { granule, wide }: Pick<Regime, 'granule' | 'wide'>): boolean {
    const mmfr2 = this.register('ID_AA64MMFR2_EL1');
    const hasSmallTables = bits(mmfr2, 31, 28) !== 0;
    const hasLarge = wide === 'small granule' || (granule === 16 && bits(mmfr2, 19, 16) !== 0);
    const least = hasSmallTables ? 16 + Number(granule === 16) : 25;
    return inputBits >= least && inputBits <= (hasLarge ? 52 : 48);
  }

  private blockLevelMin(granule: number, wide: Regime['wide']): number {
    if (granule === 16) return 2 - Number(bits(this.register('ID_AA64MMFR0_EL1'), 3, 0) >= FIVE_BIT_PHYSICAL_RANGE);
    return (granule === 12 ? 1 : 2) - Number(wide !== 'no');
  }

  private wideness(tcr: bigint, granule: number): Regime['wide'] {
    const mmfr0 = this.register('ID_AA64MMFR0_EL1');
    if (granule === 16) return bits(tcr, 34, 32) >= FIVE_BIT_PHYSICAL_RANGE && bits(mmfr0, 3, 0) >= FIVE_BIT_PHYSICAL_RANGE ? 'large granule' : 'no';
    const isThere = granule === 12 ? bits(mmfr0, 31, 28) === 1 : bits(mmfr0, 23, 20) === 2;
    return isThere && bits(tcr, 59, 59) === 1 ? 'small granule' : 'no';
  }

  private stage2Regime(): Regime {
    const vtcr = this.register('VTCR_EL2');
    const granule = this.supported(GRANULES_0[bits(vtcr, 15, 14)] ?? 0);
    const inputBits = 64 - bits(vtcr, 5, 0);
    const startLevel = (granule === 12 ? 2 : LAST_LEVEL) - bits(vtcr, 7, 6);
    const table = alignTable(this.register('VTTBR_EL2') & ones(48), { granule, inputBits, startLevel });
    return { stage: 2, granule, inputBits, startLevel, table, wide: 'no', isLong: false, blockLevelMin: granule === 12 ? 1 : 2 };
  }

  private descend(regime: Regime, address: bigint): { readonly levels: WalkLevel[]; readonly output: bigint | undefined } {
    const levels: WalkLevel[] = [];
    let { table } = regime;
    let input = address;
    for (let level = regime.startLevel; level <= LAST_LEVEL; level++) {
      const shift = shiftOf(regime, level);
      const step = this.read(regime, { level, table, index: Number(input >> BigInt(shift)) });
      levels.push(step);
      input &= ones(shift);
      if (step.kind === 'block' || step.kind === 'page') return { levels, output: (step.output & ~ones(shift)) | input };
      if (step.kind !== 'table') break;
      table = step.output;
    }
    return { levels, output: undefined };
  }

  private read(regime: Regime, { level, table, index }: { readonly level: number; readonly table: bigint; readonly index: number }): WalkLevel {
    const { stage } = regime;
    const place = table + BigInt(index * 8);
    const physical = stage === 2 ? pa(place) : this.physicalOf(place);
    const bytes = physical === undefined ? new Uint8Array(0) : this.system.readPhysical(physical, 8);
    const isReadable = bytes.length === 8;
    const descriptor = isReadable ? new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true) : 0n;
    const kind = isReadable ? kindOf(regime, level, descriptor) : 'unreadable';
    return {
      stage, level, index, descriptor, kind, descriptorIpa: stage === 1 ? place : undefined, descriptorPa: physical, output: outputOf(regime, descriptor),
      fields: stage === 1 ? stage1Fields(descriptor, kind, this.register('MAIR_EL1')) : stage2Fields(descriptor, kind), spanBytes: 2 ** shiftOf(regime, level),
    };
  }

  private physicalOf(address: bigint): Pa | undefined {
    const found = this.system.engine.translate(this.vcpu, ipa(address), 2);
    return found.ok ? found.pa : undefined;
  }
}

function shiftOf({ granule }: Pick<Regime, 'granule'>, level: number): number {
  return granule + (granule - 3) * (LAST_LEVEL - level);
}

/** The first table is aligned to its size. */
function alignTable(base: bigint, regime: Pick<Regime, 'granule' | 'inputBits' | 'startLevel'>): bigint {
  const entryBits = Math.max(0, regime.inputBits - shiftOf(regime, regime.startLevel));
  return base & ~ones(entryBits + 3);
}

function kindOf({ blockLevelMin }: Regime, level: number, descriptor: bigint): DescriptorKind {
  if ((descriptor & 1n) === 0n) return 'invalid';
  const isTableBit = (descriptor & 2n) !== 0n;
  if (level === LAST_LEVEL) return isTableBit ? 'page' : 'invalid';
  if (isTableBit) return 'table';
  return level >= blockLevelMin ? 'block' : 'invalid';
}

function outputOf({ granule, wide, isLong }: Regime, descriptor: bigint): bigint {
  const low = ~ones(granule);
  if (wide === 'small granule') return (descriptor & ones(50) & low) | (isLong ? BigInt(bits(descriptor, 9, 8)) << 50n : 0n);
  return (descriptor & ones(48) & low) | (isLong ? BigInt(bits(descriptor, 15, 12)) << 48n : 0n);
}
