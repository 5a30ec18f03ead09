/** Instructions that CPACR_EL1 turns off: floating point and SIMD, and the scalable extensions on a core that has them. Arm ARM (DDI 0487) D1.3. */

import type { FeatureTest } from './decode-cache';
import { ExceptionClass, syndrome } from './exceptions';
import { CPACR_FPEN_SHIFT, CPACR_ZEN_SHIFT } from './layout';
import type { ProcessorState } from './processor-state';
import { isEnabled } from './system-access';

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
  return isFloatingPoint(word) && !isEnabled(state, CPACR_FPEN_SHIFT) ? syndrome(ExceptionClass.floatingPoint, ISS_ALWAYS) : undefined;
}

/** RDSVL, ADDSVL, ADDSPL: lengths of the scalable matrix extension among the vector encodings. */
function isStreamingLength(word: number): boolean {
  return ((word & 0xff20_f800) >>> 0) === 0x0420_5800 && ((word >>> 22) & 3) !== 3;
}

/**
 * ESR of the trap that a word of the scalable vector encodings takes here, if it does. ZEN is looked at before FPEN, and before it is known
 * whether the word is an instruction at all.
 */
export function scalableTrap(state: ProcessorState, word: number, has: FeatureTest): bigint | undefined {
  if (((word >>> 25) & 15) !== 2 || !has('SVE')) return undefined;
  if (isStreamingLength(word) && has('SME')) return isEnabled(state, SMEN_SHIFT) ? undefined : syndrome(ExceptionClass.scalableMatrix, 0);
  if (!isEnabled(state, CPACR_ZEN_SHIFT)) return syndrome(ExceptionClass.scalableVector, 0);
  return isEnabled(state, CPACR_FPEN_SHIFT) ? undefined : syndrome(ExceptionClass.floatingPoint, ISS_ALWAYS);
}

/** SMSTART and SMSTOP: MSR (immediate) of SVCR. */
function switchesStreaming(word: number): boolean {
  const crm = (word >>> 8) & 15;
  return ((word & 0xffff_f0ff) >>> 0) === 0xd503_407f && crm >= 2 && crm < 8;
}

/** ESR for a word that is no instruction here: of the scalable extensions if the core has them and they are off, else Undefined. */
export function undecodedTrap(state: ProcessorState, word: number, has: FeatureTest): bigint {
  const trapped = scalableTrap(state, word, has);
  if (trapped !== undefined) return trapped;
  const isMatrix = (((word >>> 25) & 15) === 0 && word >>> 31 === 1) || switchesStreaming(word);
  if (isMatrix && has('SME') && !isEnabled(state, SMEN_SHIFT)) return syndrome(ExceptionClass.scalableMatrix, 0);
  return syndrome(ExceptionClass.unknown, 0);
}
