/** Exception entry to EL1, exception return, and the syndromes of synchronous exceptions. Arm ARM (DDI 0487) D1.3, D19.2.40. */

import type { ExceptionKind } from './interface';
import { FaultType } from './layout';
import type { ProcessorState } from './processor-state';

/** Exception classes of ESR_EL1 that the engine raises. */
export const ExceptionClass = {
  unknown: 0x00, trappedWfx: 0x01, floatingPoint: 0x07, illegalState: 0x0e, svc: 0x15, systemRegister: 0x18,
  instructionAbortLower: 0x20, instructionAbortSame: 0x21, pcAlignment: 0x22, dataAbortLower: 0x24, dataAbortSame: 0x25, spAlignment: 0x26,
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

/** SCTLR_EL1.SPAN clear sets PSTATE.PAN on entry, on a core that has PAN. */
function setsPan(state: ProcessorState): boolean {
  const hasPan = ((state.system('ID_AA64MMFR1_EL1') >> 20n) & 0xfn) !== 0n;
  return hasPan && (state.system('SCTLR_EL1') & (1n << 23n)) === 0n;
}

/** Takes an exception to EL1: SPSR, ELR, PSTATE and PC. ESR and FAR are the caller's. */
export function enterEl1(state: ProcessorState, kind: ExceptionKind): void {
  const base = state.el === 0 ? 0x400n : state.usesSpEl0 ? 0n : 0x200n;
  const saved = state.pstate;
  state.setSystem('SPSR_EL1', saved);
  state.setSystem('ELR_EL1', state.pc);
  state.isIllegal = false;
  if (setsPan(state)) state.isPan = true;
  state.daif = 0x3c0;
  state.setMode(1, 1);
  state.pc = BigInt.asUintN(64, state.system('VBAR_EL1') + base + VECTOR[kind]);
}

const LEGAL_MODES = new Set([0n, 4n, 5n]);
const FLAGS_AND_MASKS = 0xf000_03c0n;

/** ERET at EL1. An illegal return keeps the mode and sets PSTATE.IL. */
export function exceptionReturn(state: ProcessorState): void {
  const saved = state.system('SPSR_EL1');
  const isLegal = LEGAL_MODES.has(saved & 0x1fn);
  const current = state.pstate;
  state.pstate = isLegal ? saved : (current & ~FLAGS_AND_MASKS) | (saved & FLAGS_AND_MASKS) | (1n << 20n);
  state.pc = state.system('ELR_EL1');
  state.closeMonitor();
}
