/**
 * Branch target identification (FEAT_BTI). PSTATE.BTYPE says how the last branch came; it matters to the one instruction at the target, if
 * that is in a guarded page. So a branch looks ahead: where the target is known to allow it, nothing is left to check and BTYPE stays zero;
 * everything else is TypeScript's, which sets BTYPE and checks before the target executes. Arm ARM (DDI 0487) D8.4.
 */

/** How an indirect branch comes, and with it which instructions it may land on. */
export type Landing = 'jump' | 'veneer' | 'call';

/** Suffixes of the micro-ops of indirect branches. */
export const LANDING: Readonly<Record<string, Landing>> = { '.jump': 'jump', '.veneer': 'veneer', '.call': 'call' };

/** Micro-ops on which each kind may land whatever SCTLR_EL1 says and wherever the branch stands. */
export const LANDING_PADS: Readonly<Record<Landing, readonly string[]>> = {
  jump: ['bti.j', 'bti.jc'], veneer: ['bti.c', 'bti.j', 'bti.jc', 'authenticate.sp'], call: ['bti.c', 'bti.jc', 'authenticate.sp'],
};

/** The suffix of the micro-op for a branch: by the lowest bits of `opc` (BR, BLR) and the register that holds the target. */
export function landingSuffix(opc: number, rn: number): string {
  if ((opc & 7) === 1) return '.call';
  return rn === 16 || rn === 17 ? '.veneer' : '.jump';
}

/** Numbers of the BTI hints with their micro-ops. */
export const TARGET_HINTS: Readonly<Record<number, string>> = { 32: 'bti', 34: 'bti.c', 36: 'bti.j', 38: 'bti.jc' };

const PACIASP = 0xd503_233f;
const PACIBSP = 0xd503_237f;
const BTI = 0xd503_241f;
const BRK_OR_HLT_MASK = 0xffe0_001f;
const BRK = 0xd420_0000;
const HLT = 0xd440_0000;

/** BTYPE of a call through BLR, and of a jump from a guarded page through another register than X16 and X17. */
const CALLED = 2;
const JUMPED = 3;

/** True for BRK and HLT, whose exception comes first and finds BTYPE as it was. */
export function isBreakpoint(word: number): boolean {
  return [BRK, HLT].includes((word & BRK_OR_HLT_MASK) >>> 0);
}

/** True if a branch of a kind may land on a word in a guarded page; `isStrict` is SCTLR_EL1.BTn. */
export function mayLand(word: number, btype: number, isStrict: boolean): boolean {
  switch (word) {
    case PACIASP: case PACIBSP: return !isStrict || btype !== JUMPED;
    case BTI + (2 << 5): return btype !== JUMPED;
    case BTI + (4 << 5): return btype !== CALLED;
    case BTI + (6 << 5): return true;
    default: return isBreakpoint(word);
  }
}
