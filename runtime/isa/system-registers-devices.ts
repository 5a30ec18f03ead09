/**
 * Registers behind which stands something outside the core's own execution: generic timer, interrupt controller CPU
 * interface, performance monitors, debug. Arm ARM (DDI 0487) D19.3 to D19.12, GIC architecture (IHI 0069) 12.2.
 * Most leave the engine with a `system-register` exit.
 */

import { mask, numbered } from './system-register-rows';
import type { RegisterRow } from './system-register-rows';

const kernelTimerControl = (bits: bigint) => ({ register: 'CNTKCTL_EL1', mask: bits });

const timer: readonly RegisterRow[] = [
  ['CNTKCTL_EL1', '3 0 14 1 0', 'EL1/EL1', 'storage', 'What EL0 may read and write of the timers.', { writeMask: mask(9, 0) }],
  ['CNTFRQ_EL0', '3 3 14 0 0', 'EL0/EL3', 'constant', 'Counter frequency in hertz.', { reset: 62_500_000n, el0Enable: kernelTimerControl(3n) }],
  ['CNTPCT_EL0', '3 3 14 0 1', 'EL0/-', 'engine', 'Physical count.', { el0Enable: kernelTimerControl(1n) }],
  ['CNTVCT_EL0', '3 3 14 0 2', 'EL0/-', 'engine', 'Virtual count.', { el0Enable: kernelTimerControl(2n) }],
  ['CNTPCTSS_EL0', '3 3 14 0 5', 'EL0/-', 'engine', 'Physical count, self-synchronised.', { el0Enable: kernelTimerControl(1n), feature: 'ECV', state: 'not-yet' }],
  ['CNTVCTSS_EL0', '3 3 14 0 6', 'EL0/-', 'engine', 'Virtual count, self-synchronised.', { el0Enable: kernelTimerControl(2n), feature: 'ECV', state: 'not-yet' }],
  ['CNTP_TVAL_EL0', '3 3 14 2 0', 'EL0/EL0', 'exit', 'Physical timer, time left.', { el0Enable: kernelTimerControl(0x200n), writeMask: mask(31, 0) }],
  ['CNTP_CTL_EL0', '3 3 14 2 1', 'EL0/EL0', 'exit', 'Physical timer control.', { el0Enable: kernelTimerControl(0x200n), writeMask: 3n }],
  ['CNTP_CVAL_EL0', '3 3 14 2 2', 'EL0/EL0', 'exit', 'Physical timer compare value.', { el0Enable: kernelTimerControl(0x200n) }],
  ['CNTV_TVAL_EL0', '3 3 14 3 0', 'EL0/EL0', 'exit', 'Virtual timer, time left.', { el0Enable: kernelTimerControl(0x100n), writeMask: mask(31, 0) }],
  ['CNTV_CTL_EL0', '3 3 14 3 1', 'EL0/EL0', 'exit', 'Virtual timer control.', { el0Enable: kernelTimerControl(0x100n), writeMask: 3n }],
  ['CNTV_CVAL_EL0', '3 3 14 3 2', 'EL0/EL0', 'exit', 'Virtual timer compare value.', { el0Enable: kernelTimerControl(0x100n) }],
];

const interruptController: readonly RegisterRow[] = [
  ['ICC_PMR_EL1', '3 0 4 6 0', 'EL1/EL1', 'exit', 'Interrupt priority mask.', { writeMask: 0xffn }],
  ['ICC_IAR0_EL1', '3 0 12 8 0', 'EL1/-', 'exit', 'Acknowledge a group 0 interrupt.'],
  ['ICC_EOIR0_EL1', '3 0 12 8 1', '-/EL1', 'exit', 'End of a group 0 interrupt.'],
  ['ICC_HPPIR0_EL1', '3 0 12 8 2', 'EL1/-', 'exit', 'Highest pending group 0 interrupt.'],
  ['ICC_BPR0_EL1', '3 0 12 8 3', 'EL1/EL1', 'exit', 'Binary point of group 0.', { writeMask: 7n }],
  ...numbered(4, (n): RegisterRow => [`ICC_AP0R${n}_EL1`, `3 0 12 8 ${4 + n}`, 'EL1/EL1', 'exit', 'Active priorities of group 0.']),
  ...numbered(4, (n): RegisterRow => [`ICC_AP1R${n}_EL1`, `3 0 12 9 ${n}`, 'EL1/EL1', 'exit', 'Active priorities of group 1.']),
  ['ICC_NMIAR1_EL1', '3 0 12 9 5', 'EL1/-', 'exit', 'Acknowledge a non-maskable interrupt.', { state: 'not-yet' }],
  ['ICC_DIR_EL1', '3 0 12 11 1', '-/EL1', 'exit', 'Deactivate an interrupt.'],
  ['ICC_RPR_EL1', '3 0 12 11 3', 'EL1/-', 'exit', 'Running priority.'],
  ['ICC_SGI1R_EL1', '3 0 12 11 5', '-/EL1', 'exit', 'Send a group 1 software interrupt.'],
  ['ICC_ASGI1R_EL1', '3 0 12 11 6', '-/EL1', 'exit', 'Send a software interrupt to the other security state.'],
  ['ICC_SGI0R_EL1', '3 0 12 11 7', '-/EL1', 'exit', 'Send a group 0 software interrupt.'],
  ['ICC_IAR1_EL1', '3 0 12 12 0', 'EL1/-', 'exit', 'Acknowledge a group 1 interrupt.'],
  ['ICC_EOIR1_EL1', '3 0 12 12 1', '-/EL1', 'exit', 'End of a group 1 interrupt.'],
  ['ICC_HPPIR1_EL1', '3 0 12 12 2', 'EL1/-', 'exit', 'Highest pending group 1 interrupt.'],
  ['ICC_BPR1_EL1', '3 0 12 12 3', 'EL1/EL1', 'exit', 'Binary point of group 1.', { writeMask: 7n }],
  ['ICC_CTLR_EL1', '3 0 12 12 4', 'EL1/EL1', 'exit', 'CPU interface control.'],
  ['ICC_SRE_EL1', '3 0 12 12 5', 'EL1/EL1', 'exit', 'Use of the system register interface.', { reset: 7n }],
  ['ICC_IGRPEN0_EL1', '3 0 12 12 6', 'EL1/EL1', 'exit', 'Enables group 0 interrupts.', { writeMask: 1n }],
  ['ICC_IGRPEN1_EL1', '3 0 12 12 7', 'EL1/EL1', 'exit', 'Enables group 1 interrupts.', { writeMask: 1n }],
];

const performanceMonitors: readonly RegisterRow[] = [
  ['PMINTENSET_EL1', '3 0 9 14 1', 'EL1/EL1', 'exit', 'Enables overflow interrupts.'],
  ['PMINTENCLR_EL1', '3 0 9 14 2', 'EL1/EL1', 'exit', 'Disables overflow interrupts.'],
  ['PMMIR_EL1', '3 0 9 14 6', 'EL1/-', 'exit', 'Performance monitors implementation details.', { state: 'not-yet' }],
  ['PMCR_EL0', '3 3 9 12 0', 'EL0/EL0', 'exit', 'Performance monitors control.', { reset: 0x4101_3000n }],
  ['PMCNTENSET_EL0', '3 3 9 12 1', 'EL0/EL0', 'exit', 'Enables counters.'],
  ['PMCNTENCLR_EL0', '3 3 9 12 2', 'EL0/EL0', 'exit', 'Disables counters.'],
  ['PMOVSCLR_EL0', '3 3 9 12 3', 'EL0/EL0', 'exit', 'Clears overflow flags.'],
  ['PMSWINC_EL0', '3 3 9 12 4', '-/EL0', 'exit', 'Increments counters by software.'],
  ['PMSELR_EL0', '3 3 9 12 5', 'EL0/EL0', 'exit', 'Selects an event counter.'],
  ['PMCEID0_EL0', '3 3 9 12 6', 'EL0/-', 'exit', 'Common events that exist, first half.'],
  ['PMCEID1_EL0', '3 3 9 12 7', 'EL0/-', 'exit', 'Common events that exist, second half.'],
  ['PMCCNTR_EL0', '3 3 9 13 0', 'EL0/EL0', 'exit', 'Cycle counter.'],
  ['PMXEVTYPER_EL0', '3 3 9 13 1', 'EL0/EL0', 'exit', 'Event type of the selected counter.'],
  ['PMXEVCNTR_EL0', '3 3 9 13 2', 'EL0/EL0', 'exit', 'The selected event counter.'],
  ['PMUSERENR_EL0', '3 3 9 14 0', 'EL0/EL1', 'exit', 'What EL0 may do with the performance monitors.'],
  ['PMOVSSET_EL0', '3 3 9 14 3', 'EL0/EL0', 'exit', 'Sets overflow flags.'],
  ...numbered(31, (n): RegisterRow => [`PMEVCNTR${n}_EL0`, `3 3 14 ${8 + (n >> 3)} ${n & 7}`, 'EL0/EL0', 'exit', `Event counter ${n}.`]),
  ...numbered(31, (n): RegisterRow => [`PMEVTYPER${n}_EL0`, `3 3 14 ${12 + (n >> 3)} ${n & 7}`, 'EL0/EL0', 'exit', `Event type of counter ${n}.`]),
  ['PMCCFILTR_EL0', '3 3 14 15 7', 'EL0/EL0', 'exit', 'Filter of the cycle counter.'],
];

const debug: readonly RegisterRow[] = [
  ['OSDTRRX_EL1', '2 0 0 0 2', 'EL1/EL1', 'exit', 'Debug data received, for the OS to save.'],
  ...numbered(16, (n): RegisterRow => [`DBGBVR${n}_EL1`, `2 0 0 ${n} 4`, 'EL1/EL1', 'exit', `Address of hardware breakpoint ${n}.`]),
  ...numbered(16, (n): RegisterRow => [`DBGBCR${n}_EL1`, `2 0 0 ${n} 5`, 'EL1/EL1', 'exit', `Control of hardware breakpoint ${n}.`]),
  ...numbered(16, (n): RegisterRow => [`DBGWVR${n}_EL1`, `2 0 0 ${n} 6`, 'EL1/EL1', 'exit', `Address of hardware watchpoint ${n}.`]),
  ...numbered(16, (n): RegisterRow => [`DBGWCR${n}_EL1`, `2 0 0 ${n} 7`, 'EL1/EL1', 'exit', `Control of hardware watchpoint ${n}.`]),
  ['MDCCINT_EL1', '2 0 0 2 0', 'EL1/EL1', 'exit', 'Debug communication interrupt enable.'],
  ['MDSCR_EL1', '2 0 0 2 2', 'EL1/EL1', 'exit', 'Self-hosted debug control.'],
  ['OSDTRTX_EL1', '2 0 0 3 2', 'EL1/EL1', 'exit', 'Debug data sent, for the OS to save.'],
  ['OSECCR_EL1', '2 0 0 6 2', 'EL1/EL1', 'exit', 'External debug exception catch, for the OS to save.'],
  ['MDRAR_EL1', '2 0 1 0 0', 'EL1/-', 'exit', 'Address of the debug ROM.'],
  ['OSLAR_EL1', '2 0 1 0 4', '-/EL1', 'exit', 'Sets or clears the OS lock.'],
  ['OSLSR_EL1', '2 0 1 1 4', 'EL1/-', 'exit', 'State of the OS lock.', { reset: 0xan }],
  ['OSDLR_EL1', '2 0 1 3 4', 'EL1/EL1', 'exit', 'OS double lock.'],
  ['DBGPRCR_EL1', '2 0 1 4 4', 'EL1/EL1', 'exit', 'Debug power control.'],
  ['DBGCLAIMSET_EL1', '2 0 7 8 6', 'EL1/EL1', 'exit', 'Sets debug claim tags.'],
  ['DBGCLAIMCLR_EL1', '2 0 7 9 6', 'EL1/EL1', 'exit', 'Clears debug claim tags.'],
  ['DBGAUTHSTATUS_EL1', '2 0 7 14 6', 'EL1/-', 'exit', 'Debug authentication status.'],
  ['MDCCSR_EL0', '2 3 0 1 0', 'EL0/-', 'exit', 'Debug communication status.'],
  ['DBGDTR_EL0', '2 3 0 4 0', 'EL0/EL0', 'exit', 'Debug communication data, 64 bits.'],
  ['DBGDTRRX_EL0', '2 3 0 5 0', 'EL0/EL0', 'exit', 'Debug communication data; a write is DBGDTRTX_EL0.'],
];

/** All rows of this group. */
export const deviceRows: readonly RegisterRow[] = [...timer, ...interruptController, ...performanceMonitors, ...debug];
