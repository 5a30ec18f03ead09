/**
 * Registers behind which stands something outside the core's own execution: generic timer, interrupt controller CPU
 * interface, performance monitors, debug. Arm ARM (DDI 0487) D19.3 to D19.12, GIC architecture (IHI 0069) 12.2.
 * Most leave the engine with a `system-register` exit.
 */

import { ABSENT, KEEPS_ALL, mask, numbered } from './system-register-rows';
import type { RegisterRow, RowExtras } from './system-register-rows';

const kernelTimerControl = (bits: bigint) => ({ register: 'CNTKCTL_EL1', mask: bits });

const timer: readonly RegisterRow[] = [
  ['CNTKCTL_EL1', '3 0 14 1 0', 'EL1/EL1', 'storage', 'What EL0 may read and write of the timers.', { writeMask: mask(9, 0), optionalBits: [KEEPS_ALL] }],
  ['CNTFRQ_EL0', '3 3 14 0 0', 'EL0/highest', 'constant', 'Counter frequency in hertz.', { reset: 62_500_000n, writeMask: mask(31, 0), el0Enable: kernelTimerControl(3n) }],
  ['CNTPCT_EL0', '3 3 14 0 1', 'EL0/-', 'engine', 'Physical count.', { el0Enable: kernelTimerControl(1n) }],
  ['CNTVCT_EL0', '3 3 14 0 2', 'EL0/-', 'engine', 'Virtual count.', { el0Enable: kernelTimerControl(2n) }],
  ['CNTPCTSS_EL0', '3 3 14 0 5', 'EL0/-', 'engine', 'Physical count, self-synchronised.', { el0Enable: kernelTimerControl(1n), feature: 'ECV' }],
  ['CNTVCTSS_EL0', '3 3 14 0 6', 'EL0/-', 'engine', 'Virtual count, self-synchronised.', { el0Enable: kernelTimerControl(2n), feature: 'ECV' }],
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
  ['ICC_NMIAR1_EL1', '3 0 12 9 5', 'EL1/-', 'exit', 'Acknowledge a non-maskable interrupt.', ABSENT],
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

/** PMUSERENR_EL0: EN opens everything to EL0, SW, CR and ER a part each. */
const forUsers = (mask: bigint, writeMask = mask): RowExtras => ({ el0Enable: { register: 'PMUSERENR_EL0', mask, writeMask } });
const EN = forUsers(1n);
const SOFTWARE_INCREMENT = forUsers(3n);
const CYCLE_COUNTER = forUsers(5n, 1n);
const EVENT_COUNTERS = forUsers(9n, 1n);
const SELECTION = forUsers(9n);
/** Event counters, hardware breakpoints and watchpoints of every core here. */
const EVENT_COUNTER_COUNT = 6;
const BREAKPOINT_COUNT = 6;
const WATCHPOINT_COUNT = 4;
/** The architecture's most; encodings beyond what a core has are Undefined. */
const present = (index: number, count: number, extras: RowExtras): RowExtras => (index < count ? extras : ABSENT);

const performanceMonitors: readonly RegisterRow[] = [
  ['PMINTENSET_EL1', '3 0 9 14 1', 'EL1/EL1', 'exit', 'Enables overflow interrupts.'],
  ['PMINTENCLR_EL1', '3 0 9 14 2', 'EL1/EL1', 'exit', 'Disables overflow interrupts.'],
  ['PMMIR_EL1', '3 0 9 14 6', 'EL1/-', 'exit', 'Performance monitors implementation details.', { feature: 'PMUV3P4' }],
  ['PMCR_EL0', '3 3 9 12 0', 'EL0/EL0', 'exit', 'Performance monitors control.', { reset: 0x4101_3000n, ...EN }],
  ['PMCNTENSET_EL0', '3 3 9 12 1', 'EL0/EL0', 'exit', 'Enables counters.', EN],
  ['PMCNTENCLR_EL0', '3 3 9 12 2', 'EL0/EL0', 'exit', 'Disables counters.', EN],
  ['PMOVSCLR_EL0', '3 3 9 12 3', 'EL0/EL0', 'exit', 'Clears overflow flags.', EN],
  ['PMSWINC_EL0', '3 3 9 12 4', '-/EL0', 'exit', 'Increments counters by software.', SOFTWARE_INCREMENT],
  ['PMSELR_EL0', '3 3 9 12 5', 'EL0/EL0', 'exit', 'Selects an event counter.', SELECTION],
  ['PMCEID0_EL0', '3 3 9 12 6', 'EL0/-', 'exit', 'Common events that exist, first half.', EN],
  ['PMCEID1_EL0', '3 3 9 12 7', 'EL0/-', 'exit', 'Common events that exist, second half.', EN],
  ['PMCCNTR_EL0', '3 3 9 13 0', 'EL0/EL0', 'exit', 'Cycle counter.', CYCLE_COUNTER],
  ['PMXEVTYPER_EL0', '3 3 9 13 1', 'EL0/EL0', 'exit', 'Event type of the selected counter.', EN],
  ['PMXEVCNTR_EL0', '3 3 9 13 2', 'EL0/EL0', 'exit', 'The selected event counter.', EVENT_COUNTERS],
  ['PMUSERENR_EL0', '3 3 9 14 0', 'EL0/EL1', 'storage', 'What EL0 may do with the performance monitors.', { writeMask: mask(3, 0) }],
  ['PMOVSSET_EL0', '3 3 9 14 3', 'EL0/EL0', 'exit', 'Sets overflow flags.', EN],
  ...numbered(31, (n): RegisterRow => [`PMEVCNTR${n}_EL0`, `3 3 14 ${8 + (n >> 3)} ${n & 7}`, 'EL0/EL0', 'exit', `Event counter ${n}.`, present(n, EVENT_COUNTER_COUNT, EVENT_COUNTERS)]),
  ...numbered(31, (n): RegisterRow => [`PMEVTYPER${n}_EL0`, `3 3 14 ${12 + (n >> 3)} ${n & 7}`, 'EL0/EL0', 'exit', `Event type of counter ${n}.`, present(n, EVENT_COUNTER_COUNT, EN)]),
  ['PMCCFILTR_EL0', '3 3 14 15 7', 'EL0/EL0', 'exit', 'Filter of the cycle counter.', EN],
];

/** E PMC BAS HMC SSC LBN BT. */
const BREAKPOINT_CONTROL = mask(23, 13) | mask(8, 5) | mask(2, 0);
/** E PAC LSC BAS HMC SSC LBN WT MASK. */
const WATCHPOINT_CONTROL = mask(28, 24) | mask(20, 0);
/** SS TDCC KDE HDE MDE; the rest is for a save and restore of an external debugger's state. */
const DEBUG_CONTROL = mask(15, 12) | 1n;

const CLUSTER: RowExtras = { feature: 'CLUSTER_REGISTERS' };

/** IMPLEMENTATION DEFINED registers of Cortex-A cores, as a maximal core under Gunyah has them. */
const cluster: readonly RegisterRow[] = [
  ['S3_1_C11_C0_2', '3 1 11 0 2', 'EL1/EL1', 'exit', 'Control of the cluster: number of CPUs.', CLUSTER],
  ['S3_1_C11_C0_3', '3 1 11 0 3', 'EL1/EL1', 'exit', 'Extended control of the cluster.', CLUSTER],
  ['S3_1_C15_C0_0', '3 1 15 0 0', 'EL1/EL1', 'exit', 'Auxiliary control of the cluster.', CLUSTER],
  ['S3_1_C15_C2_0', '3 1 15 2 0', 'EL1/EL1', 'exit', 'Auxiliary control of the CPU.', CLUSTER],
  ['S3_1_C15_C2_1', '3 1 15 2 1', 'EL1/EL1', 'exit', 'Extended control of the CPU.', CLUSTER],
  ['S3_1_C15_C2_2', '3 1 15 2 2', 'EL1/EL1', 'exit', 'Memory errors of the CPU.', CLUSTER],
  ['S3_1_C15_C2_3', '3 1 15 2 3', 'EL1/EL1', 'exit', 'Memory errors of the cluster.', CLUSTER],
  ['S3_1_C15_C3_0', '3 1 15 3 0', 'EL1/-', 'exit', 'Base address of the interrupt controller.', CLUSTER],
];

const debug: readonly RegisterRow[] = [
  ['OSDTRRX_EL1', '2 0 0 0 2', 'EL1/EL1', 'engine', 'Debug data received, for the OS to save.', { writeMask: mask(31, 0) }],
  ...numbered(16, (n): RegisterRow => [`DBGBVR${n}_EL1`, `2 0 0 ${n} 4`, 'EL1/EL1', 'engine', `Address of hardware breakpoint ${n}.`, present(n, BREAKPOINT_COUNT, { writeMask: mask(63, 2) })]),
  ...numbered(16, (n): RegisterRow => [`DBGBCR${n}_EL1`, `2 0 0 ${n} 5`, 'EL1/EL1', 'engine', `Control of hardware breakpoint ${n}.`, present(n, BREAKPOINT_COUNT, { writeMask: BREAKPOINT_CONTROL })]),
  ...numbered(16, (n): RegisterRow => [`DBGWVR${n}_EL1`, `2 0 0 ${n} 6`, 'EL1/EL1', 'engine', `Address of hardware watchpoint ${n}.`, present(n, WATCHPOINT_COUNT, { writeMask: mask(63, 2) })]),
  ...numbered(16, (n): RegisterRow => [`DBGWCR${n}_EL1`, `2 0 0 ${n} 7`, 'EL1/EL1', 'engine', `Control of hardware watchpoint ${n}.`, present(n, WATCHPOINT_COUNT, { writeMask: WATCHPOINT_CONTROL })]),
  ['MDCCINT_EL1', '2 0 0 2 0', 'EL1/EL1', 'engine', 'Debug communication interrupt enable.', { writeMask: mask(30, 29) }],
  ['MDSCR_EL1', '2 0 0 2 2', 'EL1/EL1', 'engine', 'Self-hosted debug control.', { writeMask: DEBUG_CONTROL, optionalBits: [KEEPS_ALL] }],
  ['OSDTRTX_EL1', '2 0 0 3 2', 'EL1/EL1', 'engine', 'Debug data sent, for the OS to save.', { writeMask: mask(31, 0) }],
  ['OSECCR_EL1', '2 0 0 6 2', 'EL1/EL1', 'engine', 'External debug exception catch, for the OS to save.', { writeMask: 0n }],
  ['MDRAR_EL1', '2 0 1 0 0', 'EL1/-', 'engine', 'Address of the debug ROM; there is none.'],
  ['OSLAR_EL1', '2 0 1 0 4', '-/EL1', 'engine', 'Sets or clears the OS lock.'],
  ['OSLSR_EL1', '2 0 1 1 4', 'EL1/-', 'engine', 'State of the OS lock.', { reset: 0xan }],
  ['OSDLR_EL1', '2 0 1 3 4', 'EL1/EL1', 'engine', 'OS double lock.', { writeMask: 1n }],
  ['DBGPRCR_EL1', '2 0 1 4 4', 'EL1/EL1', 'engine', 'Debug power control.', { writeMask: 1n }],
  ['DBGCLAIMSET_EL1', '2 0 7 8 6', 'EL1/EL1', 'engine', 'Sets debug claim tags.', { writeMask: 0xffn }],
  ['DBGCLAIMCLR_EL1', '2 0 7 9 6', 'EL1/EL1', 'engine', 'Clears debug claim tags.', { writeMask: 0xffn }],
  ['DBGAUTHSTATUS_EL1', '2 0 7 14 6', 'EL1/-', 'engine', 'Debug authentication status: non-secure debug is allowed.', { reset: 0xfn }],
  ['MDCCSR_EL0', '2 3 0 1 0', 'EL0/-', 'engine', 'Debug communication status.'],
  ['DBGDTR_EL0', '2 3 0 4 0', 'EL0/EL0', 'engine', 'Debug communication data, 64 bits.', { writeMask: 0n }],
  ['DBGDTRRX_EL0', '2 3 0 5 0', 'EL0/EL0', 'engine', 'Debug communication data; a write is DBGDTRTX_EL0.', { writeMask: 0n }],
];

/** All rows of this group. */
export const deviceRows: readonly RegisterRow[] = [...timer, ...interruptController, ...performanceMonitors, ...cluster, ...debug];
