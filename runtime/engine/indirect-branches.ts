/**
 * Indirect branches as far as generated code does not do them: those whose target is not known to allow them (FEAT_BTI), those with a key
 * that a hypervisor traps or that return from exceptions, and the check of PSTATE.BTYPE before the target executes. What PSTATE holds
 * follows from registers and memory alone, never from what happened to be cached.
 */

import type { Decoded } from '../isa/interface';
import { authenticationOptions, Key } from './authentication/functions';
import type { Core } from './core-module';
import type { FeatureTest } from './decode-cache';
import { syndrome } from './exceptions';
import type { Exit } from './interface';
import * as layout from './layout';
import { WalkMode } from './layout';
import type { EngineMemory } from './physical-memory';
import type { ProcessorState } from './processor-state';
import { isBreakpoint, mayLand } from './semantics/branch-targets';
import { field } from './semantics/lowering';
import { simdFunction } from './simd/functions';
import { packOptions } from './simd/lanes';
import { systemSlot } from './system-slots';
import type { Views } from './views';

const BRANCH_TARGET = 0x0d;
const LINK = 30;
const HCR_API = 1n << 41n;
/** SCTLR_EL1.EnIA and EnIB. */
const ENABLES = [1n << 31n, 1n << 30n] as const;
const CALL = 1;
const RETURN = 2;
const EXCEPTION_RETURN = 4;
const WITH_MODIFIER = 8;
const JUMPED = 1;
const CALLED = 2;
const JUMPED_FROM_GUARDED = 3;

/** What the branches work on. */
export interface BranchContext {
  readonly state: ProcessorState;
  readonly views: Views;
  readonly core: Core;
  readonly memory: Pick<EngineMemory, 'locate'>;
  readonly has: FeatureTest;
  /** What may come of an instruction. */
  retired(): void;
  undefinedInstruction(): Exit | undefined;
  returnFromException(): Exit | undefined;
}

/** The instruction at an address, and whether its page is guarded; `undefined` if fetching it would fault. */
function probe({ state, views, core, memory }: BranchContext, address: bigint): { readonly word: number; readonly isGuarded: boolean } | undefined {
  if ((address & 3n) !== 0n || core.walk(address, state.el, WalkMode.execute | WalkMode.probe) !== 0) return undefined;
  if ((views.word(layout.WALK_PERMISSION1) & views.word(layout.WALK_PERMISSION2) & 4) === 0) return undefined;
  const host = memory.locate(Number(views.long(layout.WALK_PA)), 4);
  return host < 0 ? undefined : { word: views.word(host) >>> 0, isGuarded: views.word(layout.WALK_GUARDED) !== 0 };
}

/** ESR of the Branch Target exception that the instruction at the PC takes, if it takes one; otherwise BTYPE is done with, unless the fetch will fault. */
export function branchTargetFault(context: BranchContext): bigint | undefined {
  const { state } = context;
  const found = probe(context, branchAddress(state, state.pc));
  if (found === undefined) return undefined;
  const { btype } = state;
  const isStrict = (state.system('SCTLR_EL1') & (state.el === 0 ? 1n << 35n : 1n << 36n)) !== 0n;
  if (found.isGuarded && !mayLand(found.word, btype, isStrict)) return syndrome(BRANCH_TARGET, btype);
  if (!found.isGuarded || !isBreakpoint(found.word)) state.btype = 0;
  return undefined;
}

/** Where a branch to an address arrives: with the top byte ignored, it follows bit 55 (Arm ARM: AArch64.BranchAddr). */
export function branchAddress(state: ProcessorState, address: bigint): bigint {
  const tcr = state.system('TCR_EL1');
  const half = (address >> 55n) & 1n;
  const ignoresTop = ((tcr >> (37n + half)) & 1n) === 1n && ((tcr >> (51n + half)) & 1n) === 0n;
  const isOn = (state.system('SCTLR_EL1') & 1n) === 1n;
  return isOn && ignoresTop ? BigInt.asUintN(64, BigInt.asIntN(56, address)) : address;
}

/** The authenticated value of a general register or of ELR_EL1; `undefined` if the hypervisor traps the key. */
function authenticated({ state, core, views }: BranchContext, slots: { readonly n: number; readonly m: number }, key: 0 | 1, isZero: boolean): bigint | undefined {
  const isEnabled = (state.system('SCTLR_EL1') & ENABLES[key]) !== 0n;
  if (isEnabled && (state.system('HCR_EL2') & HCR_API) === 0n) return undefined;
  core.callFunction(simdFunction('aut'), { d: layout.SLOT_SINK, ...slots }, packOptions({ bytes: 0, ...authenticationOptions({ key: key === 0 ? Key.instructionA : Key.instructionB, isZero }) }));
  return views.long(layout.SLOT_SINK);
}

const sourceSlot = (register: number): number => (register === 31 ? layout.SLOT_ZERO : layout.SLOT_X0 + register * 8);
const stackSlot = (register: number): number => (register === 31 ? layout.SLOT_SP : layout.SLOT_X0 + register * 8);

/** The target of a branch; `undefined` if the instruction is Undefined here. */
function branchTarget(context: BranchContext, { encoding, fields }: Decoded): bigint | undefined {
  const [opc, rn] = [field(fields, 'opc'), field(fields, 'Rn')];
  if (encoding.class === 'branch_register') return context.state.x(rn);
  const key = field(fields, 'M') === 0 ? 0 : 1;
  if (opc === EXCEPTION_RETURN) return authenticated(context, { n: systemSlot('ELR_EL1'), m: layout.SLOT_SP }, key, false);
  if (opc === RETURN) return authenticated(context, { n: sourceSlot(LINK), m: layout.SLOT_SP }, key, false);
  return authenticated(context, { n: sourceSlot(rn), m: stackSlot(field(fields, 'Rm')) }, key, opc < WITH_MODIFIER);
}

/** BTYPE after a branch that stands at the PC. */
function branchType(context: BranchContext, opc: number, rn: number): number {
  const { state } = context;
  if (opc === CALL) return CALLED;
  if (opc === RETURN) return 0;
  const isGuarded = probe(context, state.pc)?.isGuarded ?? false;
  return isGuarded && rn !== 16 && rn !== 17 ? JUMPED_FROM_GUARDED : JUMPED;
}

/** Branches, and looks ahead as generated code does: BTYPE stays only where the target will fault or must be fetched first. */
function branchIndirectly(context: BranchContext, { fields }: Decoded, target: bigint): void {
  const { state } = context;
  const opc = field(fields, 'opc') & 7;
  if (context.has('BTI')) state.btype = branchType(context, opc, field(fields, 'Rn'));
  if (opc === CALL) state.setX(LINK, state.pc + 4n);
  state.pc = target;
  if (state.btype !== 0) branchTargetFault(context);
}

/** BR, BLR, RET, their authenticating forms, and ERETAA, at the PC. */
export function takeBranch(context: BranchContext, decoded: Decoded): Exit | undefined {
  const { state } = context;
  const isExceptionReturn = field(decoded.fields, 'opc') === EXCEPTION_RETURN;
  const target = isExceptionReturn && state.el === 0 ? undefined : branchTarget(context, decoded);
  if (target === undefined) return context.undefinedInstruction();
  if (isExceptionReturn) {
    const exit = context.returnFromException();
    if (exit === undefined) state.pc = target;
    return exit;
  }
  branchIndirectly(context, decoded, target);
  context.retired();
  return undefined;
}
