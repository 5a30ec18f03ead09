/** AT S1E…: address translation instructions and PAR_EL1. Arm ARM (DDI 0487) C5.4, D19.2.111. */

import type { Core } from './core-module';
import { faultStatus } from './exceptions';
import * as layout from './layout';
import { WalkMode } from './layout';
import type { ProcessorState } from './processor-state';
import type { Views } from './views';

/** What the instructions work on. */
export interface TranslationContext { readonly state: ProcessorState; readonly views: Views; readonly core: Pick<Core, 'walk'> }

const FAILED = 1n;
const RESERVED = 1n << 11n;
/** PAR_EL1.NS: Non-secure. */
const NON_SECURE = 1n << 9n;
const OUTPUT_ADDRESS = 0x000f_ffff_ffff_f000n;
const PAN = 1 << 22;

/**
 * Carries out the instruction named (`AT S1E1R`): PAR_EL1 gets the intermediate address or the fault of stage 1, and the result is
 * true. False if stage 2 does not let the tables be read: that is the hypervisor's business, and `FAULT_…` describes it.
 */
export function translateAddress(context: TranslationContext, name: string, address: bigint): boolean {
  const { state, views } = context;
  const operation = name.slice('AT S1E'.length);
  const needed = operation.includes('W') ? WalkMode.write : WalkMode.read;
  const failed = walkWithoutPan(context, address, { el: operation.startsWith('0') ? 0 : 1, mode: needed | WalkMode.probe, keepsPan: operation.endsWith('P') });
  const inStage2 = failed && views.word(layout.WALK_STAGE) === 2;
  if (inStage2 && views.word(layout.WALK_S1PTW) !== 0) {
    views.setLong(layout.FAULT_VA, address);
    views.setWord(layout.FAULT_SIZE, 1);
    views.setWord(layout.FAULT_WRITE, 0);
    return false;
  }
  const failedStage1 = failed && !inStage2;
  if (failedStage1 || (views.word(layout.WALK_PERMISSION1) & needed) === 0) {
    const type = failedStage1 ? views.word(layout.FAULT_TYPE) : layout.FaultType.permission;
    const level = views.word(failedStage1 ? layout.FAULT_LEVEL : layout.WALK_LEVEL1);
    state.setSystem('PAR_EL1', RESERVED | (BigInt(faultStatus(type, level)) << 1n) | FAILED);
  } else {
    state.setSystem('PAR_EL1', success(views));
  }
  return true;
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
