/** Notices a guest that takes one exception for ever: the same syndrome at the same PC, without a return between. */

import { va } from '../base/brands';
import { ExceptionClass } from './exceptions';
import { FAULT_LOOP_COUNT, type Exit } from './interface';
import * as layout from './layout';
import type { ProcessorState } from './processor-state';

const FAULT_LOOP_REPORTED = FAULT_LOOP_COUNT + 1;

/** Counts a synchronous exception that is about to be taken. System calls are asked for, so they are none. */
export function countFault(state: ProcessorState, esr: bigint): void {
  const isSame = state.pc === state.long(layout.SLOT_FAULT_PC) && esr === state.long(layout.SLOT_FAULT_ESR) && Number(esr >> 26n) !== ExceptionClass.svc;
  state.setLong(layout.SLOT_FAULT_PC, state.pc);
  state.setLong(layout.SLOT_FAULT_ESR, esr);
  state.setWord(layout.SLOT_FAULT_COUNT, isSame ? Math.min(state.word(layout.SLOT_FAULT_COUNT) + 1, FAULT_LOOP_REPORTED) : 1);
}

/** The report that is due, once per loop. */
export function faultLoopExit(state: ProcessorState): Exit | undefined {
  if (state.word(layout.SLOT_FAULT_COUNT) !== FAULT_LOOP_COUNT) return undefined;
  state.setWord(layout.SLOT_FAULT_COUNT, FAULT_LOOP_REPORTED);
  return { reason: 'fault-loop', esr: state.long(layout.SLOT_FAULT_ESR), far: state.system('FAR_EL1'), elr: va(state.long(layout.SLOT_FAULT_PC)) };
}
