/** Where each system register that the engine stores lives in a vCPU's block, and which accesses need no more than that. */

import { assert, present } from '../base/assert';
import { systemRegisterKey, type AccessLevel, type SystemRegister } from '../isa/interface';
import { systemRegisterByKey, systemRegisterByName, systemRegisters } from '../isa/system-registers';
import { mayTrapToEl2 } from './hypervisor-traps';
import { SLOT_SYSTEM, SYSTEM_SLOT_COUNT_MAX } from './layout';

/** Registers with a slot, in slot order. */
export const storedSystemRegisters: readonly SystemRegister[] = systemRegisters.filter((row) => row.handling !== 'exit');
assert(storedSystemRegisters.length <= SYSTEM_SLOT_COUNT_MAX, 'system registers fit the block');

const slots = new Map(storedSystemRegisters.map((row, index) => [row.name, SLOT_SYSTEM + index * 8]));

/** Address of a register's slot in the current vCPU's block. */
export function systemSlot(name: string): number {
  return present(slots.get(name), `stored system register ${name}`);
}

/** True if the register has a slot. */
export function isStoredSystemRegister(name: string): boolean {
  return slots.has(name);
}

const LEVELS: Readonly<Record<AccessLevel, number>> = { EL0: 0, EL1: 1, EL2: 2, EL3: 3, highest: 3, never: 4 };

/** The number of an access level; 4 for `never`. */
export function levelNumber(level: AccessLevel): number {
  return LEVELS[level];
}

/** A register whose MRS is a plain load. */
export interface StoredRegister {
  readonly slot: number;
  /** Bits of another register's slot that let EL0 read; present only if EL0 may read at all. */
  readonly enable: { readonly slot: number; readonly mask: bigint } | undefined;
  /** Lowest EL that may access it without a look at an enable bit. */
  readonly readEl: number;
  readonly writeEl: number;
  /** Bits that MSR stores, if it does no more than that. */
  readonly plainWriteMask: bigint | undefined;
  /** More such bits, by what the core has. */
  readonly optionalBits: SystemRegister['optionalBits'];
}

/** The plain register of an encoding, if it is one. */
export function storedRegister(key: number): StoredRegister | undefined {
  const row = systemRegisterByKey(key);
  if (row === undefined || row.state !== 'ready' || mayTrapToEl2(row.name)) return undefined;
  const isPlainEngine = PLAIN_TO_READ.has(row.name);
  if (row.handling !== 'storage' && row.handling !== 'constant' && !isPlainEngine) return undefined;
  const lowest = row.el0Enable === undefined ? 0 : 1;
  return {
    slot: systemSlot(row.name),
    enable: row.el0Enable !== undefined && row.read === 'EL0' ? { slot: systemSlot(row.el0Enable.register), mask: row.el0Enable.mask } : undefined,
    readEl: Math.max(lowest, levelNumber(row.read)), writeEl: Math.max(lowest, levelNumber(row.write)),
    plainWriteMask: row.handling === 'storage' ? row.writeMask : undefined, optionalBits: row.optionalBits,
  };
}

/** Registers whose writes have effects but whose reads have none. */
const PLAIN_TO_READ = new Set(['SCTLR_EL1', 'CPACR_EL1', 'TTBR0_EL1', 'TTBR1_EL1', 'TCR_EL1', 'MAIR_EL1', 'CONTEXTIDR_EL1']);

const keyOfName = (name: string): number => systemRegisterKey(present(systemRegisterByName(name), name));
const COUNTERS = new Map((['CNTPCT_EL0', 'CNTVCT_EL0'] as const).map((name) => [keyOfName(name), name]));

/** The counter that MRS of the encoding reads, if it is one. */
export function counterOf(key: number): 'CNTPCT_EL0' | 'CNTVCT_EL0' | undefined {
  return COUNTERS.get(key);
}
