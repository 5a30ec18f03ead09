/** Exception entry to EL1, exception return, and the syndromes of synchronous exceptions. Arm ARM (DDI 0487) D1.3, D19.2.40. */

import type { Feature } from '../isa/interface';
import type { FeatureTest } from './decode-cache';
import type { ExceptionKind } from './interface';
import * as layout from './layout';
import { FaultType } from './layout';
import type { ProcessorState } from './processor-state';
import { systemSlot } from './system-slots';

/** Exception classes of ESR_EL1 that the engine raises. */
export const ExceptionClass = {
  unknown: 0x00, trappedWfx: 0x01, floatingPoint: 0x07, branchTarget: 0x0d, illegalState: 0x0e, svc: 0x15, systemRegister: 0x18,
  scalableVector: 0x19, scalableMatrix: 0x1d,
  instructionAbortLower: 0x20, instructionAbortSame: 0x21, pcAlignment: 0x22, dataAbortLower: 0x24, dataAbortSame: 0x25, spAlignment: 0x26,
  serror: 0x2f, breakpointLower: 0x30, breakpointSame: 0x31, softwareStepLower: 0x32, softwareStepSame: 0x33, watchpointLower: 0x34, watchpointSame: 0x35,
  breakpointInstruction: 0x3c,
} as const;

const INSTRUCTION_LENGTH_32 = 1 << 25;
const ALIGNMENT_FAULT = 0x21;
const WALK_EXTERNAL = 0x14;

/** ESR with the class and syndrome, IL set. */
export function syndrome(exceptionClass: number, iss: number): bigint {
  return BigInt.asUintN(32, BigInt((exceptionClass << 26) | INSTRUCTION_LENGTH_32 | iss));
}

/** Fault status code of a fault type and level (Arm ARM: DFSC, IFSC). */
export function faultStatus(type: number, level: number): number {
  if (level < 0) return type === FaultType.addressSize ? 0x29 : type === FaultType.translation ? 0x2b : 0x13;
  switch (type) {
    case FaultType.addressSize: return level;
    case FaultType.translation: return 0x04 | level;
    case FaultType.accessFlag: return 0x08 | level;
    case FaultType.permission: return 0x0c | level;
    default: return WALK_EXTERNAL | level;
  }
}

/** ESR of a stage-1 data abort, or of an alignment fault when `status` is `undefined`. */
export function dataAbort(el: number, isWrite: boolean, status: number | undefined): bigint {
  const exceptionClass = el === 0 ? ExceptionClass.dataAbortLower : ExceptionClass.dataAbortSame;
  return syndrome(exceptionClass, (isWrite ? 1 << 6 : 0) | (status ?? ALIGNMENT_FAULT));
}

/** ESR of a stage-1 instruction abort. */
export function instructionAbort(el: number, status: number): bigint {
  return syndrome(el === 0 ? ExceptionClass.instructionAbortLower : ExceptionClass.instructionAbortSame, status);
}

const VECTOR: Readonly<Record<ExceptionKind, bigint>> = { synchronous: 0n, irq: 0x80n, fiq: 0x100n, serror: 0x180n };

const PSTATE_SSBS = 1 << 12;
const PSTATE_IL = 1 << 20;
const PSTATE_SS = 1 << 21;
const PSTATE_PAN = 1 << 22;
const PSTATE_UAO = 1 << 23;
const PSTATE_DIT = 1 << 24;
const PSTATE_BTYPE = 3 << 10;
const SCTLR_SPAN = 1 << 23;
/** DSSBS, in the upper half of SCTLR_EL1. */
const SCTLR_HIGH_DSSBS = 1 << 12;

/** What of PSTATE exists on a core: bits beside flags, masks and mode, in SPSR layout. */
export interface StateFeatures { readonly bits: number; readonly hasPan: boolean; readonly hasSsbs: boolean }

/** The PSTATE bits that features bring. */
export function stateFeatures(has: FeatureTest): StateFeatures {
  const optional = (feature: Feature, bit: number): number => (has(feature) ? bit : 0);
  const bits = PSTATE_IL | optional('PAN', PSTATE_PAN) | optional('UAO', PSTATE_UAO) | optional('DIT', PSTATE_DIT) | optional('SSBS_STATE', PSTATE_SSBS) | optional('BTI', PSTATE_BTYPE);
  return { bits, hasPan: has('PAN'), hasSsbs: has('SSBS_STATE') };
}

/** PSTATE beside flags, masks and mode, as an exception to EL1 leaves it: PAN as SPAN says, SSBS as DSSBS says, DIT as it was. */
function restInHandler(state: ProcessorState, { hasPan, hasSsbs }: StateFeatures): number {
  const rest = state.word(layout.SLOT_PSTATE_REST);
  const sctlr = systemSlot('SCTLR_EL1');
  let kept = rest & (PSTATE_DIT | PSTATE_PAN);
  if (hasPan && (state.word(sctlr) & SCTLR_SPAN) === 0) kept |= PSTATE_PAN;
  if (hasSsbs && (state.word(sctlr + 4) & SCTLR_HIGH_DSSBS) !== 0) kept |= PSTATE_SSBS;
  return kept;
}

/** Takes an exception to EL1: SPSR, ELR, PSTATE and PC. ESR and FAR are the caller's. */
export function enterEl1(state: ProcessorState, kind: ExceptionKind, features: StateFeatures): void {
  const base = state.el === 0 ? 0x400n : state.usesSpEl0 ? 0n : 0x200n;
  state.setSystem('SPSR_EL1', state.pstate);
  state.setSystem('ELR_EL1', state.pc);
  state.setWord(layout.SLOT_PSTATE_REST, restInHandler(state, features));
  state.daif = 0x3c0;
  state.setMode(1, 1);
  state.pc = BigInt.asUintN(64, state.system('VBAR_EL1') + base + VECTOR[kind]);
}

/** M[4:0] of SPSR_EL1 that ERET at EL1 can return to: EL0t, EL1t, EL1h. */
const LEGAL_MODES = new Set([0n, 4n, 5n]);

/** True if a saved state returns to AArch32 at EL0, which the cores here have and the engine has not. */
export function returnsToAarch32(saved: bigint): boolean {
  return (saved & 0x1fn) === 0x10n;
}

/** ERET at EL1; `steps` gives PSTATE.SS. An illegal return keeps the mode and sets PSTATE.IL. */
export function exceptionReturn(state: ProcessorState, features: StateFeatures, steps: (saved: bigint, el: number) => boolean): void {
  const saved = state.system('SPSR_EL1');
  const isLegal = LEGAL_MODES.has(saved & 0x1fn);
  const ss = steps(saved, isLegal ? Number((saved >> 2n) & 3n) : state.el) ? PSTATE_SS : 0;
  if (isLegal) {
    state.pstate = saved;
    state.setWord(layout.SLOT_PSTATE_REST, (state.word(layout.SLOT_PSTATE_REST) & features.bits) | ss);
  } else {
    state.nzcv = saved;
    state.daif = Number(saved & 0x3c0n);
    state.setWord(layout.SLOT_PSTATE_REST, (state.word(layout.SLOT_PSTATE_REST) & ~PSTATE_SS) | PSTATE_IL | ss);
  }
  state.pc = state.system('ELR_EL1');
  state.closeMonitor();
}
