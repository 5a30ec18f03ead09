/** AT S1E… with PAR_EL1, and the faults of cache maintenance by address. Arm ARM (DDI 0487) C5.4, D7.5.8, D19.2.111. */

import type { Core } from './core-module';
import type { FeatureTest } from './decode-cache';
import { dataAbort, faultStatus } from './exceptions';
import * as layout from './layout';
import { WalkMode } from './layout';
import type { ProcessorState } from './processor-state';
import type { Views } from './views';

/** What the instructions work on. */
export interface TranslationContext { readonly state: ProcessorState; readonly views: Views; readonly core: Pick<Core, 'walk'>; readonly has: FeatureTest }

const FAILED = 1n;
const RESERVED = 1n << 11n;
/** PAR_EL1.NS: Non-secure. */
const NON_SECURE = 1n << 9n;
const OUTPUT_ADDRESS = 0x000f_ffff_ffff_f000n;
const PAN = 1 << 22;

/** ISS.CM: the fault is one of cache maintenance or address translation; WnR is set with it. */
const MAINTENANCE = 1n << 8n;

/** What became of an instruction: done, a data abort, or something for the hypervisor, which `FAULT_…` describes. */
export type TranslationOutcome = { readonly kind: 'done' } | { readonly kind: 'exception'; readonly esr: bigint; readonly far: bigint } | { readonly kind: 'stage2'; readonly isMaintenance: boolean };

const DONE: TranslationOutcome = { kind: 'done' };

function maintenanceAbort({ state }: TranslationContext, status: number, far: bigint): TranslationOutcome {
  return { kind: 'exception', esr: dataAbort(state.el, true, status) | MAINTENANCE, far };
}

function stage2Fault({ views }: TranslationContext, address: bigint, isMaintenance: boolean): TranslationOutcome {
  views.setLong(layout.FAULT_VA, address);
  views.setWord(layout.FAULT_SIZE, 1);
  views.setWord(layout.FAULT_WRITE, 0);
  return { kind: 'stage2', isMaintenance };
}

/**
 * Carries out the instruction named (`AT S1E1R`): PAR_EL1 gets the intermediate address or the fault of stage 1. Tables that cannot be read
 * are an external abort, or the hypervisor's business.
 */
export function translateAddress(context: TranslationContext, name: string, address: bigint): TranslationOutcome {
  const { state, views } = context;
  const operation = name.slice('AT S1E'.length);
  const needed = operation.includes('W') ? WalkMode.write : WalkMode.read;
  const failed = walkWithoutPan(context, address, { el: operation.startsWith('0') ? 0 : 1, mode: needed | WalkMode.probe, keepsPan: operation.endsWith('P') });
  const inStage2 = failed && views.word(layout.WALK_STAGE) === 2;
  if (inStage2 && views.word(layout.WALK_S1PTW) !== 0) {
    return stage2Fault(context, address, true);
  }
  const failedStage1 = failed && !inStage2;
  if (failedStage1 || (views.word(layout.WALK_PERMISSION1) & needed) === 0) {
    const type = failedStage1 ? views.word(layout.FAULT_TYPE) : layout.FaultType.permission;
    const level = views.word(failedStage1 ? layout.FAULT_LEVEL : layout.WALK_LEVEL1);
    if (type === layout.FaultType.external) return maintenanceAbort(context, faultStatus(type, level), address);
    state.setSystem('PAR_EL1', RESERVED | (BigInt(faultStatus(type, level)) << 1n) | FAILED);
  } else {
    state.setSystem('PAR_EL1', success(views));
  }
  return DONE;
}

/**
 * DC and IC by virtual address (`DC CVAC`): there is no cache, but stage 1 has to translate, EL0 needs to be able to read, and DC IVAC to
 * write. Stage 2 is not looked at, as on the reference machine, whose own core looks at nothing at all.
 */
export function maintainCache(context: TranslationContext, name: string, address: bigint): TranslationOutcome {
  const { state, views } = context;
  const el = state.el === 0 ? 0 : 1;
  if (context.has('QEMU')) return name.startsWith('DC CVA') && name.endsWith('P') ? readByte(context, address) : DONE;
  const needed = name === 'DC IVAC' ? WalkMode.write : el === 0 ? WalkMode.read : 0;
  const failed = walkWithoutPan(context, address, { el, mode: needed | WalkMode.probe, keepsPan: false });
  if (failed && views.word(layout.WALK_STAGE) === 2) return DONE;
  if (failed) return maintenanceAbort(context, faultStatus(views.word(layout.FAULT_TYPE), views.word(layout.FAULT_LEVEL)), address);
  if ((views.word(layout.WALK_PERMISSION1) & needed) === needed) return DONE;
  return maintenanceAbort(context, faultStatus(layout.FaultType.permission, views.word(layout.WALK_LEVEL1)), address);
}

/** Fails as a load of the byte would. */
function readByte(context: TranslationContext, address: bigint): TranslationOutcome {
  const { state, views, core } = context;
  const failed = core.walk(address, state.el === 0 ? 0 : 1, WalkMode.read) !== 0;
  const isTranslated = !failed || (views.word(layout.WALK_STAGE) === 2 && views.word(layout.WALK_S1PTW) === 0);
  const forbids = (permission: number): boolean => (views.word(permission) & WalkMode.read) === 0;
  if (isTranslated && forbids(layout.WALK_PERMISSION1)) return readAbort(context, faultStatus(layout.FaultType.permission, views.word(layout.WALK_LEVEL1)), address);
  if (failed && views.word(layout.WALK_STAGE) === 1) return readAbort(context, faultStatus(views.word(layout.FAULT_TYPE), views.word(layout.FAULT_LEVEL)), address);
  if (!failed && forbids(layout.WALK_PERMISSION2)) views.setWord(layout.FAULT_TYPE, layout.FaultType.permission);
  return failed || forbids(layout.WALK_PERMISSION2) ? stage2Fault(context, address, false) : DONE;
}

function readAbort({ state }: TranslationContext, status: number, far: bigint): TranslationOutcome {
  return { kind: 'exception', esr: dataAbort(state.el, false, status), far };
}

function success(views: Views): bigint {
  const [attributes, shareability] = [views.word(layout.WALK_ATTRIBUTES), views.word(layout.WALK_SHAREABILITY)];
  return (views.long(layout.WALK_IPA) & OUTPUT_ADDRESS) | RESERVED | NON_SECURE | (BigInt(shareability) << 7n) | (BigInt(attributes) << 56n);
}

/** Only the forms that end in P look at PSTATE.PAN. */
function walkWithoutPan({ state, core }: TranslationContext, address: bigint, how: { readonly el: 0 | 1; readonly mode: number; readonly keepsPan: boolean }): boolean {
  const rest = state.word(layout.SLOT_PSTATE_REST);
  if (!how.keepsPan) state.setWord(layout.SLOT_PSTATE_REST, rest & ~PAN);
  const failed = core.walk(address, how.el, how.mode) !== 0;
  state.setWord(layout.SLOT_PSTATE_REST, rest);
  return failed;
}
