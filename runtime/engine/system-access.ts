/**
 * MRS, MSR, SYS and MSR (immediate) as far as generated code does not do them: checks of exception level and enable bits,
 * registers with effects, cache and TLB maintenance, address translation instructions.
 */

import { systemRegisterKey, type Fields, type SystemRegister } from '../isa/interface';
import { systemInstructionByKey, systemRegisterByKey } from '../isa/system-registers';
import type { Core } from './core-module';
import { translateAddress } from './address-translation';
import { ExceptionClass, syndrome } from './exceptions';
import * as layout from './layout';
import type { ProcessorState } from './processor-state';
import { field } from './semantics/lowering';
import { levelNumber } from './system-slots';
import type { TranslationCache } from './translation-cache';
import type { Views } from './views';

/** What became of an access. */
export type SystemOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'undefined' }
  | { readonly kind: 'exception'; readonly esr: bigint }
  | { readonly kind: 'stage2' }
  | { readonly kind: 'exit'; readonly name: string; readonly encoding: number; readonly isWrite: boolean; readonly value: bigint; readonly rt: number };

const DONE: SystemOutcome = { kind: 'done' };
const UNDEFINED: SystemOutcome = { kind: 'undefined' };

/** What the accesses work on. */
export interface SystemContext { readonly state: ProcessorState; readonly views: Views; readonly core: Core; readonly translations: TranslationCache; readonly tick: () => number }

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
  if (state.el < levelNumber(isRead ? row.read : row.write)) return UNDEFINED;
  if (state.el > 0 || row.el0Enable === undefined) return undefined;
  return (state.system(row.el0Enable.register) & row.el0Enable.mask) === 0n ? trapped(f, row.op0, isRead) : undefined;
}

/** MRS and MSR (register). */
export function moveSystemRegister(context: SystemContext, f: Fields): SystemOutcome {
  const { state } = context;
  const isRead = field(f, 'L') === 1;
  const rt = field(f, 'Rt');
  const key = keyOf(f, field(f, 'op0'));
  const row = systemRegisterByKey(key);
  if (row === undefined || row.state !== 'ready') return UNDEFINED;
  const refused = refusal(context, row, f, isRead);
  if (refused !== undefined) return refused;
  if (row.handling === 'exit') return { kind: 'exit', name: row.name, encoding: key, isWrite: !isRead, value: isRead ? 0n : state.x(rt), rt };
  if (row.name === 'SP_EL0' && state.usesSpEl0) return UNDEFINED;
  if (isRead) state.setX(rt, readRegister(context, row));
  else writeRegister(context, row, state.x(rt));
  return DONE;
}

const CACHE_GEOMETRY: Readonly<Record<number, bigint>> = { 0: 0x701f_e00an, 1: 0x201f_e012n, 2: 0x70ff_e07an };

function readRegister(context: SystemContext, row: SystemRegister): bigint {
  const { state } = context;
  switch (row.name) {
    case 'CNTPCT_EL0': return counter(context);
    case 'CNTVCT_EL0': return BigInt.asUintN(64, counter(context) - state.system('CNTVOFF_EL2'));
    case 'PAN': case 'UAO': return BigInt(state.word(layout.SLOT_PSTATE_REST)) & row.writeMask;
    case 'ISR_EL1': return pendingInterrupts(state);
    case 'CCSIDR_EL1': return CACHE_GEOMETRY[Number(state.system('CSSELR_EL1') & 7n)] ?? 0n;
    default: return state.named(row.name);
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

function writeRegister(context: SystemContext, row: SystemRegister, value: bigint): void {
  const { state } = context;
  const { name, writeMask } = row;
  if (name === 'PAN' || name === 'UAO') {
    const rest = state.word(layout.SLOT_PSTATE_REST);
    state.setWord(layout.SLOT_PSTATE_REST, (rest & ~Number(writeMask)) | Number(value & writeMask));
  } else if (name === 'SP_EL0' || name === 'SPSel' || name === 'NZCV' || name === 'DAIF') {
    state.setNamed(name, value);
  } else {
    const changed = (state.system(name) & ~writeMask) | (value & writeMask);
    if (changed === state.system(name)) return;
    state.setSystem(name, changed);
  }
  if (TRANSLATION_REGISTERS.has(name)) context.translations.select();
}

/** SYS: cache maintenance does nothing (generated code sees every write), TLB maintenance forgets. */
export function systemInstruction(context: SystemContext, f: Fields): SystemOutcome {
  const row = systemInstructionByKey(keyOf(f, 1));
  const isRead = field(f, 'L') === 1;
  if (row === undefined || row.state !== 'ready' || isRead) return UNDEFINED;
  const refused = refusal(context, row, f, false);
  if (refused !== undefined) return refused;
  if (row.name.startsWith('TLBI ')) {
    // No cached translation differs from its descriptors (table-tracking.ts): there is nothing to forget.
    return DONE;
  } else if (row.name.startsWith('AT ')) {
    return translateAddress(context, row.name, context.state.x(field(f, 'Rt'))) ? DONE : { kind: 'stage2' };
  }
  return DONE;
}

/** MSR (immediate): SPSel, PAN, UAO; DAIFSet and DAIFClr at EL0. */
export function moveImmediate(context: SystemContext, f: Fields): SystemOutcome {
  const { state } = context;
  const [op1, op2, crm] = [field(f, 'op1'), field(f, 'op2'), field(f, 'CRm')];
  if (op1 === 3 && (op2 === 6 || op2 === 7)) {
    if (state.el === 0 && (state.system('SCTLR_EL1') & (1n << 9n)) === 0n) return trapped({ ...f, CRn: 4, Rt: 31 }, 0, false);
    state.daif = op2 === 6 ? state.daif | (crm << 6) : state.daif & ~(crm << 6);
    return DONE;
  }
  if (state.el === 0 || op1 !== 0) return UNDEFINED;
  switch (op2) {
    case 5: state.setMode(state.el, crm & 1); return DONE;
    case 4: return setStateBit(context, 1 << 22, crm);
    case 3: return setStateBit(context, 1 << 23, crm);
    default: return UNDEFINED;
  }
}

function setStateBit({ state }: SystemContext, bit: number, crm: number): SystemOutcome {
  const rest = state.word(layout.SLOT_PSTATE_REST);
  state.setWord(layout.SLOT_PSTATE_REST, (crm & 1) === 1 ? rest | bit : rest & ~bit);
  return DONE;
}
