/**
 * MRS, MSR, SYS and MSR (immediate) as far as generated code does not do them: checks of exception level and enable bits,
 * registers with effects, cache and TLB maintenance, address translation instructions.
 */

import { systemRegisterKey, type AccessLevel, type Fields, type SystemRegister } from '../isa/interface';
import { systemInstructionByKey, systemRegisterByKey } from '../isa/system-registers';
import type { Core } from './core-module';
import { maintainCache, translateAddress } from './address-translation';
import type { FeatureTest } from './decode-cache';
import { ExceptionClass, syndrome } from './exceptions';
import { trapsToEl2 } from './hypervisor-traps';
import * as layout from './layout';
import { CPACR_ZEN_SHIFT, CPTR_TZ } from './layout';
import type { ProcessorState } from './processor-state';
import type { SelfHostedDebug } from './self-hosted-debug';
import { field } from './semantics/lowering';
import { levelNumber, systemSlot } from './system-slots';
import type { TranslationCache } from './translation-cache';
import type { Views } from './views';

/** What became of an access. */
export type SystemOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'undefined' }
  | { readonly kind: 'big-endian' }
  | { readonly kind: 'exception'; readonly esr: bigint; readonly far?: bigint }
  | { readonly kind: 'stage2'; readonly isMaintenance: boolean }
  | { readonly kind: 'exit'; readonly name: string; readonly encoding: number; readonly isWrite: boolean; readonly value: bigint; readonly rt: number };

const DONE: SystemOutcome = { kind: 'done' };
const UNDEFINED: SystemOutcome = { kind: 'undefined' };

/** What the accesses work on. */
export interface SystemContext {
  readonly state: ProcessorState;
  readonly views: Views;
  readonly core: Core;
  readonly translations: TranslationCache;
  readonly debug: SelfHostedDebug;
  readonly has: FeatureTest;
  readonly cacheSizes: readonly bigint[];
  /** 1 if nothing stands above EL1. */
  readonly highestLevel: 1 | 2;
  readonly tick: () => number;
}

const keyOf = (f: Fields, op0: number): number =>
  systemRegisterKey({ op0, op1: field(f, 'op1'), crn: field(f, 'CRn'), crm: field(f, 'CRm'), op2: field(f, 'op2') });

/** EC 0x18 with the operands of the instruction. */
function trapped(f: Fields, op0: number, isRead: boolean): SystemOutcome {
  const iss = (op0 << 20) | (field(f, 'op2') << 17) | (field(f, 'op1') << 14) | (field(f, 'CRn') << 10) | (field(f, 'Rt') << 5) | (field(f, 'CRm') << 1) | (isRead ? 1 : 0);
  return { kind: 'exception', esr: syndrome(ExceptionClass.systemRegister, iss) };
}

/** Whether the current level may use a row; `undefined` if it may. */
function refusal(context: SystemContext, row: SystemRegister, f: Fields, isRead: boolean): SystemOutcome | undefined {
  const { state } = context;
  if (state.el < lowestLevel(context, isRead ? row.read : row.write)) return isRead ? unreadable(context, f) : UNDEFINED;
  const scalable = scalableTrap(state, row.name);
  if (scalable !== undefined) return scalable;
  if (state.el > 0) return undefined;
  // With SCTLR_EL1.TSCXT set, the number is EL1's alone.
  if (row.name === 'SCXTNUM_EL0' && (state.system('SCTLR_EL1') & TSCXT) !== 0n) return trapped(f, row.op0, isRead);
  if (row.op0 === 2 && (state.system('MDSCR_EL1') & TDCC) !== 0n) return trapped(f, row.op0, isRead);
  if (row.el0Enable === undefined) return undefined;
  const { register, mask, writeMask = mask } = row.el0Enable;
  return (state.system(register) & (isRead ? mask : writeMask)) === 0n ? trapped(f, row.op0, isRead) : undefined;
}

/** A register that cannot be read: Undefined, or in the identification space a trap (FEAT_IDST), so that EL1 can emulate the read. */
function unreadable({ has }: SystemContext, f: Fields): SystemOutcome {
  return has('IDST') && isIdentificationSpace(f) ? trapped(f, 3, true) : UNDEFINED;
}

/** What the highest level may do, EL1 may where nothing stands above it: set CNTFRQ_EL0. Registers of EL2 do not exist there. */
function lowestLevel({ highestLevel }: SystemContext, level: AccessLevel): number {
  return highestLevel === 1 && level === 'highest' ? 1 : levelNumber(level);
}

/** SCTLR_EL1.DZE, without which EL0 may not use DC ZVA, and DCZID_EL0.DZP, which says so. */
const DZE = 1n << 14n;
const DZP = 1n << 4n;
const TSCXT = 1n << 20n;
const TDCC = 1n << 12n;
const SCALABLE_VECTORS = new Set(['ZCR_EL1']);
const SCALABLE_MATRICES = new Set(['SMCR_EL1', 'SVCR']);
const SMEN_SHIFT = 24;

/** Registers of the scalable extensions trap while CPACR_EL1 turns those off. */
function scalableTrap(state: ProcessorState, name: string): SystemOutcome | undefined {
  if (SCALABLE_VECTORS.has(name)) {
    if (!isEnabled(state, CPACR_ZEN_SHIFT)) return { kind: 'exception', esr: syndrome(ExceptionClass.scalableVector, 0) };
    // EL2 catches it next; Gunyah makes it Undefined.
    return (state.word(systemSlot('CPTR_EL2')) & CPTR_TZ) === 0 ? undefined : UNDEFINED;
  }
  if (SCALABLE_MATRICES.has(name) && !isEnabled(state, SMEN_SHIFT)) return { kind: 'exception', esr: syndrome(ExceptionClass.scalableMatrix, 0) };
  return undefined;
}

/** A two-bit enable of CPACR_EL1: bit 0 is for EL1, both are for EL0. */
export function isEnabled(state: ProcessorState, shift: number): boolean {
  const enable = (state.word(systemSlot('CPACR_EL1')) >>> shift) & 3;
  return (enable & 1) === 1 && (state.el > 0 || enable === 3);
}

/** The encodings that FEAT_IDST lets trap instead of being Undefined: identification registers to come. */
function isIdentificationSpace(f: Fields): boolean {
  return field(f, 'op0') === 3 && field(f, 'op1') !== 2 && field(f, 'op1') <= 3 && field(f, 'CRn') === 0 && field(f, 'CRm') < 8;
}

/** MRS and MSR (register). */
export function moveSystemRegister(context: SystemContext, f: Fields): SystemOutcome {
  const { state } = context;
  const isRead = field(f, 'L') === 1;
  const rt = field(f, 'Rt');
  const key = keyOf(f, field(f, 'op0'));
  const row = systemRegisterByKey(key);
  if (row === undefined || row.state !== 'ready' || (row.feature !== undefined && !context.has(row.feature))) {
    return isRead ? unreadable(context, f) : UNDEFINED;
  }
  const refused = refusal(context, row, f, isRead);
  if (refused !== undefined) return refused;
  if (row.handling === 'exit' || (context.highestLevel === 2 && trapsToEl2(state, row.name))) {
    return { kind: 'exit', name: row.name, encoding: key, isWrite: !isRead, value: isRead ? 0n : state.x(rt), rt };
  }
  if (row.name === 'SP_EL0' && state.usesSpEl0) return UNDEFINED;
  if (row.name === 'RVBAR_EL1' && context.highestLevel === 2) return UNDEFINED;
  if (!isRead && row.name === 'SCTLR_EL1' && (state.x(rt) & BIG_ENDIAN) !== 0n) return { kind: 'big-endian' };
  if (isRead) state.setX(rt, readRegister(context, row));
  else writeRegister(context, row, state.x(rt));
  return DONE;
}

/** SCTLR_EL1.EE and E0E. */
const BIG_ENDIAN = 3n << 24n;
/** Registers that are single bits of PSTATE, at their place in SPSR. */
const STATE_BITS = new Set(['PAN', 'UAO', 'DIT', 'SSBS', 'TCO']);

function readRegister(context: SystemContext, row: SystemRegister): bigint {
  const { state } = context;
  switch (row.name) {
    case 'CNTPCT_EL0': case 'CNTPCTSS_EL0': return counter(context);
    case 'CNTVCT_EL0': case 'CNTVCTSS_EL0': return BigInt.asUintN(64, counter(context) - state.system('CNTVOFF_EL2'));
    case 'ISR_EL1': return pendingInterrupts(state);
    case 'CCSIDR_EL1': return context.cacheSizes[Number(state.system('CSSELR_EL1') & 0xfn)] ?? 0n;
    case 'DBGCLAIMSET_EL1': return 0xffn;
    case 'DCZID_EL0': return state.named(row.name) | (state.el === 0 && (state.system('SCTLR_EL1') & DZE) === 0n ? DZP : 0n);
    default: return STATE_BITS.has(row.name) ? BigInt(state.word(layout.SLOT_PSTATE_REST)) & row.writeMask : state.named(row.name);
  }
}

function counter(context: SystemContext): bigint {
  return BigInt(context.tick()) >> context.views.long(layout.STATE_COUNTER_SHIFT);
}

/** ISR_EL1: A, I, F in bits 8:6. */
function pendingInterrupts(state: ProcessorState): bigint {
  const lines = state.word(layout.SLOT_LINES);
  return BigInt(((lines & 1) << 7) | ((lines & 2) << 5) | ((lines & 4) << 6));
}

const TRANSLATION_REGISTERS = new Set(['SCTLR_EL1', 'TTBR0_EL1', 'TTBR1_EL1', 'TCR_EL1', 'MAIR_EL1', 'HCR_EL2', 'VTTBR_EL2', 'VTCR_EL2']);

/** The bits of a register that software can change on this core. */
function writableBits({ has }: SystemContext, { writeMask, optionalBits = [] }: SystemRegister): bigint {
  return optionalBits.reduce((bits, [feature, more]) => (has(feature) ? bits | more : bits), writeMask);
}

function writeRegister(context: SystemContext, row: SystemRegister, value: bigint): void {
  const { state } = context;
  const { name } = row;
  const mask = writableBits(context, row);
  if (STATE_BITS.has(name)) {
    const rest = state.word(layout.SLOT_PSTATE_REST);
    state.setWord(layout.SLOT_PSTATE_REST, (rest & ~Number(mask)) | Number(value & mask));
  } else if (name === 'SP_EL0' || name === 'SPSel' || name === 'NZCV' || name === 'DAIF') {
    state.setNamed(name, value);
  } else if (row.op0 === 2) {
    context.debug.write(row, value);
  } else {
    const changed = (state.system(name) & ~mask) | (value & mask);
    if (changed === state.system(name)) return;
    state.setSystem(name, changed);
  }
  if (TRANSLATION_REGISTERS.has(name)) context.translations.select();
}

/** Maintenance by virtual address, other than of tags. */
const BY_ADDRESS = /^(DC (I|C|CI)VA[CUP]|DC CVADP|IC IVAU)$/;

/** SYS: cache maintenance does nothing (generated code sees every write), TLB maintenance forgets. */
export function systemInstruction(context: SystemContext, f: Fields): SystemOutcome {
  const row = systemInstructionByKey(keyOf(f, 1));
  const isRead = field(f, 'L') === 1;
  if (row === undefined || row.state !== 'ready' || isRead || (row.feature !== undefined && !context.has(row.feature))) return UNDEFINED;
  const refused = refusal(context, row, f, false);
  if (refused !== undefined) return refused;
  if (row.name.startsWith('TLBI ')) {
    // No cached translation differs from its descriptors (table-tracking.ts): there is nothing to forget.
    return DONE;
  } else if (row.name.startsWith('AT ')) {
    return translateAddress(context, row.name, context.state.x(field(f, 'Rt')));
  } else if (BY_ADDRESS.test(row.name)) {
    return maintainCache(context, row.name, context.state.x(field(f, 'Rt')));
  }
  return DONE;
}

const UMA = 1n << 9n;

/** MSR (immediate) as far as it needs TypeScript: DAIFSet and DAIFClr at EL0, and everything rarer. */
export function moveImmediate(context: SystemContext, f: Fields): SystemOutcome {
  const { state, has } = context;
  const [op1, op2, crm] = [field(f, 'op1'), field(f, 'op2'), field(f, 'CRm')];
  switch ((op1 << 3) | op2) {
    case 0o36: case 0o37:
      // QEMU puts op1 and op2 in each other's place.
      if (state.el === 0 && (state.system('SCTLR_EL1') & UMA) === 0n) return trapped({ ...f, CRn: 4, Rt: 31, ...(has('QEMU') ? { op1: op2, op2: op1 } : {}) }, 0, false);
      state.daif = op2 === 6 ? state.daif | (crm << 6) : state.daif & ~(crm << 6);
      return DONE;
    case 0o31: return has('SSBS') ? setStateBit(context, 1 << 12, crm) : UNDEFINED;
    case 0o32: return has('DIT') ? setStateBit(context, 1 << 24, crm) : UNDEFINED;
    case 0o03: return has('UAO') && state.el > 0 ? setStateBit(context, 1 << 23, crm) : UNDEFINED;
    case 0o04: return has('PAN') && state.el > 0 ? setStateBit(context, 1 << 22, crm) : UNDEFINED;
    case 0o05:
      if (state.el === 0) return UNDEFINED;
      state.setMode(state.el, crm & 1);
      return DONE;
    default: return UNDEFINED;
  }
}

function setStateBit({ state }: SystemContext, bit: number, crm: number): SystemOutcome {
  const rest = state.word(layout.SLOT_PSTATE_REST);
  state.setWord(layout.SLOT_PSTATE_REST, (crm & 1) === 1 ? rest | bit : rest & ~bit);
  return DONE;
}
