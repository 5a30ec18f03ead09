/**
 * Registers of EL2, and the one of EL3 that software probes. Guests run below and find them Undefined; the hypervisor model
 * reads and writes those that form the stage 2 regime. Arm ARM (DDI 0487) D19.2.
 */

import { mask, numbered } from './system-register-rows';
import type { RegisterRow } from './system-register-rows';

const regime: readonly RegisterRow[] = [
  ['VPIDR_EL2', '3 4 0 0 0', 'EL2/EL2', 'storage', 'What MIDR_EL1 reads as at EL1.'],
  ['VMPIDR_EL2', '3 4 0 0 5', 'EL2/EL2', 'storage', 'What MPIDR_EL1 reads as at EL1.'],
  ['SCTLR_EL2', '3 4 1 0 0', 'EL2/EL2', 'storage', 'System control of EL2.', { reset: 0x30c5_0830n }],
  ['ACTLR_EL2', '3 4 1 0 1', 'EL2/EL2', 'storage', 'Auxiliary control of EL2.', { writeMask: 0n }],
  ['HCR_EL2', '3 4 1 1 0', 'EL2/EL2', 'engine', 'Hypervisor configuration: stage 2, virtual interrupts, traps.', { writeMask: mask(33, 0) }],
  ['MDCR_EL2', '3 4 1 1 1', 'EL2/EL2', 'storage', 'Debug and performance monitor traps.', { reset: 6n }],
  ['CPTR_EL2', '3 4 1 1 2', 'EL2/EL2', 'storage', 'Floating-point traps to EL2.', { reset: 0x32ffn }],
  ['HSTR_EL2', '3 4 1 1 3', 'EL2/EL2', 'storage', 'AArch32 coprocessor traps.'],
  ['HACR_EL2', '3 4 1 1 7', 'EL2/EL2', 'storage', 'Implementation-defined traps.', { writeMask: 0n }],
  ['TTBR0_EL2', '3 4 2 0 0', 'EL2/EL2', 'storage', 'Stage 1 table of EL2.'],
  ['TTBR1_EL2', '3 4 2 0 1', 'EL2/EL2', 'storage', 'Stage 1 table of the upper range of EL2.', { feature: 'VHE', state: 'not-yet' }],
  ['TCR_EL2', '3 4 2 0 2', 'EL2/EL2', 'storage', 'Stage 1 translation control of EL2.', { reset: 0x8080_0000n }],
  ['VTTBR_EL2', '3 4 2 1 0', 'EL2/EL2', 'engine', 'Stage 2 table and VMID.'],
  ['VTCR_EL2', '3 4 2 1 2', 'EL2/EL2', 'engine', 'Stage 2 translation control.', { reset: 0x8000_0000n, writeMask: mask(21, 0) }],
  ['DACR32_EL2', '3 4 3 0 0', 'EL2/EL2', 'storage', 'AArch32 domain access control.'],
  ['SPSR_EL2', '3 4 4 0 0', 'EL2/EL2', 'storage', 'PSTATE saved by an exception to EL2.', { writeMask: mask(31, 0) }],
  ['ELR_EL2', '3 4 4 0 1', 'EL2/EL2', 'storage', 'Return address of an exception to EL2.'],
  ['SP_EL1', '3 4 4 1 0', 'EL2/EL2', 'engine', 'Stack pointer of EL1.'],
  ['SPSR_irq', '3 4 4 3 0', 'EL2/EL2', 'storage', 'Saved state of AArch32 IRQ mode.', { writeMask: mask(31, 0) }],
  ['SPSR_abt', '3 4 4 3 1', 'EL2/EL2', 'storage', 'Saved state of AArch32 Abort mode.', { writeMask: mask(31, 0) }],
  ['SPSR_und', '3 4 4 3 2', 'EL2/EL2', 'storage', 'Saved state of AArch32 Undefined mode.', { writeMask: mask(31, 0) }],
  ['SPSR_fiq', '3 4 4 3 3', 'EL2/EL2', 'storage', 'Saved state of AArch32 FIQ mode.', { writeMask: mask(31, 0) }],
  ['IFSR32_EL2', '3 4 5 0 1', 'EL2/EL2', 'storage', 'AArch32 instruction fault status.'],
  ['AFSR0_EL2', '3 4 5 1 0', 'EL2/EL2', 'storage', 'Auxiliary fault status of EL2.', { writeMask: 0n }],
  ['AFSR1_EL2', '3 4 5 1 1', 'EL2/EL2', 'storage', 'Auxiliary fault status of EL2.', { writeMask: 0n }],
  ['ESR_EL2', '3 4 5 2 0', 'EL2/EL2', 'storage', 'Syndrome of an exception to EL2.', { writeMask: mask(31, 0) }],
  ['VSESR_EL2', '3 4 5 2 3', 'EL2/EL2', 'storage', 'Syndrome of a virtual SError.', { writeMask: mask(24, 0) }],
  ['FPEXC32_EL2', '3 4 5 3 0', 'EL2/EL2', 'storage', 'AArch32 floating-point exception control.', { reset: 0x700n }],
  ['FAR_EL2', '3 4 6 0 0', 'EL2/EL2', 'storage', 'Faulting virtual address of an exception to EL2.'],
  ['HPFAR_EL2', '3 4 6 0 4', 'EL2/EL2', 'storage', 'Faulting intermediate physical address.', { writeMask: mask(39, 4) }],
  ['MAIR_EL2', '3 4 10 2 0', 'EL2/EL2', 'storage', 'Memory attribute encodings of EL2.'],
  ['AMAIR_EL2', '3 4 10 3 0', 'EL2/EL2', 'storage', 'Auxiliary memory attributes of EL2.', { writeMask: 0n }],
  ['VBAR_EL2', '3 4 12 0 0', 'EL2/EL2', 'storage', 'Base of the EL2 exception vectors.', { writeMask: mask(63, 11) }],
  ['RVBAR_EL2', '3 4 12 0 1', '-/-', 'constant', 'Reset address; only where EL2 is the highest level.', { state: 'not-yet' }],
  ['RMR_EL2', '3 4 12 0 2', '-/-', 'storage', 'Reset management; only where EL2 is the highest level.', { state: 'not-yet' }],
  ['CONTEXTIDR_EL2', '3 4 13 0 1', 'EL2/EL2', 'storage', 'Process identifier of EL2.', { feature: 'VHE', state: 'not-yet' }],
  ['TPIDR_EL2', '3 4 13 0 2', 'EL2/EL2', 'storage', 'Software thread pointer of EL2.'],
  ['ZCR_EL2', '3 4 1 2 0', 'EL2/EL2', 'storage', 'Scalable vector length limit.', { feature: 'SVE', state: 'not-yet' }],
  ['SCTLR_EL3', '3 6 1 0 0', 'EL3/EL3', 'storage', 'System control of EL3.', { state: 'not-yet' }],
  ['DBGVCR32_EL2', '2 4 0 7 0', 'EL2/EL2', 'storage', 'AArch32 vector catch.'],
];

const timer: readonly RegisterRow[] = [
  ['CNTVOFF_EL2', '3 4 14 0 3', 'EL2/EL2', 'engine', 'Virtual count = physical count minus this.'],
  ['CNTHCTL_EL2', '3 4 14 1 0', 'EL2/EL2', 'storage', 'What EL1 may use of the physical timer.', { reset: 3n }],
  ['CNTHP_TVAL_EL2', '3 4 14 2 0', 'EL2/EL2', 'exit', 'Hypervisor timer, time left.'],
  ['CNTHP_CTL_EL2', '3 4 14 2 1', 'EL2/EL2', 'exit', 'Hypervisor timer control.'],
  ['CNTHP_CVAL_EL2', '3 4 14 2 2', 'EL2/EL2', 'exit', 'Hypervisor timer compare value.'],
  ['CNTHV_TVAL_EL2', '3 4 14 3 0', 'EL2/EL2', 'exit', 'Hypervisor virtual timer, time left.', { feature: 'VHE', state: 'not-yet' }],
  ['CNTHV_CTL_EL2', '3 4 14 3 1', 'EL2/EL2', 'exit', 'Hypervisor virtual timer control.', { feature: 'VHE', state: 'not-yet' }],
  ['CNTHV_CVAL_EL2', '3 4 14 3 2', 'EL2/EL2', 'exit', 'Hypervisor virtual timer compare value.', { feature: 'VHE', state: 'not-yet' }],
  ['CNTPS_TVAL_EL1', '3 7 14 2 0', 'EL3/EL3', 'exit', 'Secure timer, time left.', { state: 'not-yet' }],
  ['CNTPS_CTL_EL1', '3 7 14 2 1', 'EL3/EL3', 'exit', 'Secure timer control.', { state: 'not-yet' }],
  ['CNTPS_CVAL_EL1', '3 7 14 2 2', 'EL3/EL3', 'exit', 'Secure timer compare value.', { state: 'not-yet' }],
];

const virtualInterruptInterface: readonly RegisterRow[] = [
  ...numbered(4, (n): RegisterRow => [`ICH_AP0R${n}_EL2`, `3 4 12 8 ${n}`, 'EL2/EL2', 'storage', 'Virtual active priorities of group 0.']),
  ...numbered(4, (n): RegisterRow => [`ICH_AP1R${n}_EL2`, `3 4 12 9 ${n}`, 'EL2/EL2', 'storage', 'Virtual active priorities of group 1.']),
  ['ICC_SRE_EL2', '3 4 12 9 5', 'EL2/EL2', 'storage', 'Use of the system register interface at EL2.', { reset: 15n }],
  ['ICH_HCR_EL2', '3 4 12 11 0', 'EL2/EL2', 'storage', 'Virtual CPU interface control.'],
  ['ICH_VTR_EL2', '3 4 12 11 1', 'EL2/-', 'storage', 'Size of the virtual CPU interface.'],
  ['ICH_MISR_EL2', '3 4 12 11 2', 'EL2/-', 'storage', 'Maintenance interrupt state.'],
  ['ICH_EISR_EL2', '3 4 12 11 3', 'EL2/-', 'storage', 'List registers that ended.'],
  ['ICH_ELRSR_EL2', '3 4 12 11 5', 'EL2/-', 'storage', 'List registers that are free.'],
  ['ICH_VMCR_EL2', '3 4 12 11 7', 'EL2/EL2', 'storage', 'Virtual machine view of the CPU interface.'],
  ...numbered(16, (n): RegisterRow => [`ICH_LR${n}_EL2`, `3 4 12 ${12 + (n >> 3)} ${n & 7}`, 'EL2/EL2', 'storage', `Virtual interrupt list register ${n}.`]),
];

/** EL1 registers that EL2 reaches by another name when it hosts an operating system (FEAT_VHE). */
const aliases: readonly RegisterRow[] = ([
  ['SCTLR_EL12', '1 0 0'], ['CPACR_EL12', '1 0 2'], ['ZCR_EL12', '1 2 0'], ['TTBR0_EL12', '2 0 0'], ['TTBR1_EL12', '2 0 1'], ['TCR_EL12', '2 0 2'],
  ['SPSR_EL12', '4 0 0'], ['ELR_EL12', '4 0 1'], ['AFSR0_EL12', '5 1 0'], ['AFSR1_EL12', '5 1 1'], ['ESR_EL12', '5 2 0'], ['FAR_EL12', '6 0 0'],
  ['MAIR_EL12', '10 2 0'], ['AMAIR_EL12', '10 3 0'], ['VBAR_EL12', '12 0 0'], ['CONTEXTIDR_EL12', '13 0 1'], ['CNTKCTL_EL12', '14 1 0'],
  ['CNTP_TVAL_EL02', '14 2 0'], ['CNTP_CTL_EL02', '14 2 1'], ['CNTP_CVAL_EL02', '14 2 2'],
  ['CNTV_TVAL_EL02', '14 3 0'], ['CNTV_CTL_EL02', '14 3 1'], ['CNTV_CVAL_EL02', '14 3 2'],
] as const).map(([name, operands]): RegisterRow =>
  [name, `3 5 ${operands}`, 'EL2/EL2', 'engine', 'The register of EL1, reached from EL2.', { feature: 'VHE', state: 'not-yet' }]);

/** All rows of this group. */
export const el2Rows: readonly RegisterRow[] = [...regime, ...timer, ...virtualInterruptInterface, ...aliases];
