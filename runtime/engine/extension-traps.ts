/** Instructions that CPACR_EL1 turns off: floating point and SIMD, and the scalable extensions on a core that has them. Arm ARM (DDI 0487) D1.3. */

import type { FeatureTest } from './decode-cache';
import { ExceptionClass, syndrome } from './exceptions';
import type { ProcessorState } from './processor-state';
import { isEnabled } from './system-access';

const FPEN_SHIFT = 20;
const ZEN_SHIFT = 16;
const SMEN_SHIFT = 24;
/** COND and CV of an instruction that is always executed. */
const ISS_ALWAYS = 0x1e0_0000;

/** True for words of the floating-point and SIMD encodings, and MRS and MSR of FPCR and FPSR. */
function isFloatingPoint(word: number): boolean {
  const isDataProcessing = ((word >>> 25) & 7) === 7;
  const isTransfer = ((word >>> 25) & 5) === 4 && ((word >>> 26) & 1) === 1;
  const isControl = ((word & 0xffdf_ffc0) >>> 0) === 0xd51b_4400;
  return isDataProcessing || isTransfer || isControl;
}

/** ESR of the trap that a floating-point word takes here, if it does. */
export function floatingPointTrap(state: ProcessorState, word: number): bigint | undefined {
  return isFloatingPoint(word) && !isEnabled(state, FPEN_SHIFT) ? syndrome(ExceptionClass.floatingPoint, ISS_ALWAYS) : undefined;
}

/** Bytes of a scalable vector: the shortest length that there is. */
const VECTOR_LENGTH_BYTES = 16;

/**
 * RDVL, by which an operating system that is shown scalable vectors finds out how long they are: the register and its value. It is the only
 * instruction of that extension that executes, and only where CPACR_EL1 turns it on; the others are Undefined there.
 */
export function vectorLengthRead(state: ProcessorState, word: number, has: FeatureTest): { readonly rd: number; readonly value: bigint } | undefined {
  const isRead = ((word & 0xffff_f800) >>> 0) === 0x04bf_5000;
  if (!isRead || !has('SVE') || !isEnabled(state, ZEN_SHIFT)) return undefined;
  const multiple = ((word >>> 5) & 63) << 26 >> 26;
  return { rd: word & 31, value: BigInt.asUintN(64, BigInt(multiple * VECTOR_LENGTH_BYTES)) };
}

/** SMSTART and SMSTOP: MSR (immediate) of SVCR. */
function switchesStreaming(word: number): boolean {
  const crm = (word >>> 8) & 15;
  return ((word & 0xffff_f0ff) >>> 0) === 0xd503_407f && crm >= 2 && crm < 8;
}

/** ESR for a word that is no instruction here: of the scalable extensions if the core has them and they are off, else Undefined. */
export function undecodedTrap(state: ProcessorState, word: number, has: FeatureTest): bigint {
  const group = (word >>> 25) & 15;
  if (group === 2 && has('SVE') && !isEnabled(state, ZEN_SHIFT)) return syndrome(ExceptionClass.scalableVector, 0);
  const isMatrix = (group === 0 && word >>> 31 === 1) || switchesStreaming(word);
  if (isMatrix && has('SME') && !isEnabled(state, SMEN_SHIFT)) return syndrome(ExceptionClass.scalableMatrix, 0);
  return syndrome(ExceptionClass.unknown, 0);
}
