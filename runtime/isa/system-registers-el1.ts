/** Special-purpose and control registers of EL0 and EL1: Arm ARM (DDI 0487) C5.2 and D19.2. Write masks are an Armv8.0 core's with PAN and UAO. */

import { ABSENT, KEEPS_ALL, mask, numbered } from './system-register-rows';
import type { RegisterRow } from './system-register-rows';

const bit = (n: number): bigint => 1n << BigInt(n);
/** M A C SA SA0 CP15BEN ITD SED UMA I DZE UCT nTWI nTWE WXN E0E EE UCI; the rest is fixed. */
const SCTLR_EL1_WRITABLE = mask(9, 0) - bit(6) | bit(12) | bit(14) | bit(15) | bit(16) | bit(18) | bit(19) | mask(26, 24);
/** SPAN; EnDB, EnDA, EnIB, EnIA; BT0, BT1; DSSBS; IESB; TSCXT; EnTP2; EnRCTX. */
const SCTLR_EL1_OPTIONAL = [
  ['PAN', bit(23)], ['PAUTH', bit(13) | bit(27) | bit(30) | bit(31)], ['BTI', bit(35) | bit(36)], ['SSBS', bit(44)], ['RAS', bit(21)], ['CSV2', bit(20)], ['SME', bit(60)], ['SPECRES', bit(10)],
] as const;
/** T0SZ EPD0 IRGN0 ORGN0 SH0 TG0 and their TTBR1 twins, A1, IPS, AS, TBI, HA, HD, HPD, HWU, TBID, NFD, E0PD, TCMA, DS. */
const TCR_EL1_WRITABLE = mask(5, 0) | mask(34, 7) | mask(59, 36);

const state: readonly RegisterRow[] = [
  ['SPSR_EL1', '3 0 4 0 0', 'EL1/EL1', 'storage', 'PSTATE saved by an exception to EL1.', { writeMask: mask(31, 0), optionalBits: [KEEPS_ALL] }],
  ['ELR_EL1', '3 0 4 0 1', 'EL1/EL1', 'storage', 'Return address of an exception to EL1.'],
  ['SP_EL0', '3 0 4 1 0', 'EL1/EL1', 'engine', 'Stack pointer of EL0; Undefined while it is the current one.'],
  ['SPSel', '3 0 4 2 0', 'EL1/EL1', 'engine', 'Which stack pointer is current.', { reset: 1n, writeMask: 1n }],
  ['CurrentEL', '3 0 4 2 2', 'EL1/-', 'engine', 'Current exception level, in bits 3:2.', { reset: 4n }],
  ['PAN', '3 0 4 2 3', 'EL1/EL1', 'engine', 'Privileged access never.', { writeMask: bit(22), feature: 'PAN' }],
  ['UAO', '3 0 4 2 4', 'EL1/EL1', 'engine', 'User access override.', { writeMask: bit(23), feature: 'UAO' }],
  ['ALLINT', '3 0 4 3 0', 'EL1/EL1', 'engine', 'Masks all interrupts (FEAT_NMI).', ABSENT],
  ['NZCV', '3 3 4 2 0', 'EL0/EL0', 'engine', 'Condition flags, in bits 31:28.', { writeMask: mask(31, 28) }],
  ['DAIF', '3 3 4 2 1', 'EL0/EL0', 'engine', 'Interrupt masks, in bits 9:6.', { reset: 0x3c0n, writeMask: mask(9, 6), el0Enable: { register: 'SCTLR_EL1', mask: bit(9) } }],
  ['SVCR', '3 3 4 2 2', 'EL0/EL0', 'engine', 'Streaming mode control.', { feature: 'SME', writeMask: 3n }],
  ['DIT', '3 3 4 2 5', 'EL0/EL0', 'engine', 'Data-independent timing.', { writeMask: bit(24), feature: 'DIT' }],
  ['SSBS', '3 3 4 2 6', 'EL0/EL0', 'engine', 'Speculative store bypass safe.', { writeMask: bit(12), feature: 'SSBS' }],
  ['TCO', '3 3 4 2 7', 'EL0/EL0', 'engine', 'Tag check override.', { writeMask: bit(25), feature: 'MTE', state: 'not-yet' }],
  ['FPCR', '3 3 4 4 0', 'EL0/EL0', 'engine', 'Floating-point control.', { writeMask: mask(26, 22), optionalBits: [['QEMU', mask(21, 20) | mask(18, 16)], ['FP16', bit(19)]] }],
  ['FPSR', '3 3 4 4 1', 'EL0/EL0', 'engine', 'Floating-point status.', { writeMask: mask(31, 27) | bit(7) | mask(4, 0) }],
  ['DSPSR_EL0', '3 3 4 5 0', '-/-', 'storage', 'PSTATE on entry to Debug state; Undefined outside it.'],
  ['DLR_EL0', '3 3 4 5 1', '-/-', 'storage', 'Address to restart from Debug state; Undefined outside it.'],
];

const control: readonly RegisterRow[] = [
  ['SCTLR_EL1', '3 0 1 0 0', 'EL1/EL1', 'engine', 'System control: MMU, caches, alignment checks, EL0 traps.', { reset: 0x30d0_0800n, writeMask: SCTLR_EL1_WRITABLE, optionalBits: SCTLR_EL1_OPTIONAL }],
  ['ACTLR_EL1', '3 0 1 0 1', 'EL1/EL1', 'storage', 'Auxiliary control; reads as zero, ignores writes.', { writeMask: 0n }],
  ['CPACR_EL1', '3 0 1 0 2', 'EL1/EL1', 'engine', 'Floating-point and SIMD access from EL0 and EL1 (FPEN).', { writeMask: mask(21, 20), optionalBits: [KEEPS_ALL, ['SVE', mask(17, 16)], ['SME', mask(25, 24)]] }],
  ['RGSR_EL1', '3 0 1 0 5', 'EL1/EL1', 'storage', 'Random allocation tag seed.', { feature: 'MTE', state: 'not-yet' }],
  ['GCR_EL1', '3 0 1 0 6', 'EL1/EL1', 'storage', 'Tag control.', { feature: 'MTE', state: 'not-yet' }],
  ['ZCR_EL1', '3 0 1 2 0', 'EL1/EL1', 'engine', 'Scalable vector length.', { feature: 'SVE', writeMask: mask(3, 0) }],
  ['TRFCR_EL1', '3 0 1 2 1', 'EL1/EL1', 'storage', 'Trace filter control.', ABSENT],
  ['SMPRI_EL1', '3 0 1 2 4', 'EL1/EL1', 'storage', 'Streaming priority; reads as zero.', { feature: 'SME', writeMask: 0n }],
  ['SMCR_EL1', '3 0 1 2 6', 'EL1/EL1', 'engine', 'Streaming vector length.', { feature: 'SME', writeMask: mask(3, 0) | bit(31) }],
  ['TTBR0_EL1', '3 0 2 0 0', 'EL1/EL1', 'engine', 'Stage 1 table of the lower address range, and ASID.'],
  ['TTBR1_EL1', '3 0 2 0 1', 'EL1/EL1', 'engine', 'Stage 1 table of the upper address range, and ASID.'],
  ['TCR_EL1', '3 0 2 0 2', 'EL1/EL1', 'engine', 'Stage 1 translation control.', { writeMask: TCR_EL1_WRITABLE, optionalBits: [KEEPS_ALL, ['PAUTH', mask(52, 51)]] }],
  ['AFSR0_EL1', '3 0 5 1 0', 'EL1/EL1', 'storage', 'Auxiliary fault status; reads as zero, ignores writes.', { writeMask: 0n }],
  ['AFSR1_EL1', '3 0 5 1 1', 'EL1/EL1', 'storage', 'Auxiliary fault status; reads as zero, ignores writes.', { writeMask: 0n }],
  ['ESR_EL1', '3 0 5 2 0', 'EL1/EL1', 'storage', 'Syndrome of an exception to EL1.', { writeMask: mask(31, 0), optionalBits: [KEEPS_ALL] }],
  ['TFSR_EL1', '3 0 5 6 0', 'EL1/EL1', 'storage', 'Tag fault status.', { feature: 'MTE', state: 'not-yet' }],
  ['TFSRE0_EL1', '3 0 5 6 1', 'EL1/EL1', 'storage', 'Tag fault status of EL0.', { feature: 'MTE', state: 'not-yet' }],
  ['FAR_EL1', '3 0 6 0 0', 'EL1/EL1', 'storage', 'Faulting virtual address.'],
  ['PAR_EL1', '3 0 7 4 0', 'EL1/EL1', 'storage', 'Result of an address translation instruction.'],
  ['MAIR_EL1', '3 0 10 2 0', 'EL1/EL1', 'engine', 'Memory attribute encodings.'],
  ['AMAIR_EL1', '3 0 10 3 0', 'EL1/EL1', 'storage', 'Auxiliary memory attributes; reads as zero, ignores writes.', { writeMask: 0n }],
  ['VBAR_EL1', '3 0 12 0 0', 'EL1/EL1', 'storage', 'Base of the EL1 exception vectors.', { writeMask: mask(63, 11), optionalBits: [['QEMU', mask(10, 5)]] }],
  ['RVBAR_EL1', '3 0 12 0 1', 'EL1/-', 'engine', 'Reset address; Undefined unless EL1 is the highest level.'],
  ['RMR_EL1', '3 0 12 0 2', '-/-', 'storage', 'Reset management, which no offered core has at EL1.'],
  ['ISR_EL1', '3 0 12 1 0', 'EL1/-', 'engine', 'Which interrupts are pending.'],
  ['DISR_EL1', '3 0 12 1 1', 'EL1/EL1', 'storage', 'Deferred SError.', { feature: 'RAS', writeMask: bit(31) | mask(24, 0) }],
  ['CONTEXTIDR_EL1', '3 0 13 0 1', 'EL1/EL1', 'engine', 'Process identifier for debug and trace.', { writeMask: mask(31, 0), optionalBits: [KEEPS_ALL] }],
  ['TPIDR_EL1', '3 0 13 0 4', 'EL1/EL1', 'storage', 'Software thread pointer of EL1.'],
  ['ACCDATA_EL1', '3 0 13 0 5', 'EL1/EL1', 'storage', 'Data of a 64-byte store.', ABSENT],
  ['SCXTNUM_EL1', '3 0 13 0 7', 'EL1/EL1', 'storage', 'Software context number.', { feature: 'CSV2' }],
  ['TPIDR_EL0', '3 3 13 0 2', 'EL0/EL0', 'storage', 'Software thread pointer of EL0.'],
  ['TPIDRRO_EL0', '3 3 13 0 3', 'EL0/EL1', 'storage', 'Software thread pointer that EL0 may only read.'],
  ['TPIDR2_EL0', '3 3 13 0 5', 'EL0/EL0', 'storage', 'Second software thread pointer of EL0.', { feature: 'SME', el0Enable: { register: 'SCTLR_EL1', mask: bit(60) } }],
  ['SCXTNUM_EL0', '3 3 13 0 7', 'EL0/EL0', 'engine', 'Software context number of EL0, unless SCTLR_EL1.TSCXT traps it.', { feature: 'CSV2' }],
];

const keys = ['APIA', 'APIB', 'APDA', 'APDB', 'APGA'];

/** Registers of extensions that an Armv8.0 core lacks: Undefined until their instructions execute. */
const extensions: readonly RegisterRow[] = [
  ...numbered(10, (n): RegisterRow => [`${keys[n >> 1] ?? ''}Key${n & 1 ? 'Hi' : 'Lo'}_EL1`, `3 0 2 ${1 + (n >> 2)} ${n & 3}`, 'EL1/EL1', 'storage',
    'Pointer authentication key.', { feature: 'PAUTH' }]),
  ['RNDR', '3 3 2 4 0', 'EL0/-', 'exit', 'Random number.', { feature: 'RNG' }],
  ['RNDRRS', '3 3 2 4 1', 'EL0/-', 'exit', 'Random number after reseeding.', { feature: 'RNG' }],
  ['LORSA_EL1', '3 0 10 4 0', 'EL1/EL1', 'storage', 'Limited ordering region start.', { feature: 'LOR', writeMask: mask(47, 16) | 1n }],
  ['LOREA_EL1', '3 0 10 4 1', 'EL1/EL1', 'storage', 'Limited ordering region end.', { feature: 'LOR', writeMask: mask(47, 16) }],
  ['LORN_EL1', '3 0 10 4 2', 'EL1/EL1', 'storage', 'Limited ordering region number.', { feature: 'LOR', writeMask: mask(7, 0) }],
  ['LORC_EL1', '3 0 10 4 3', 'EL1/EL1', 'storage', 'Limited ordering region control.', { feature: 'LOR', writeMask: mask(9, 2) | 1n }],
  ['LORID_EL1', '3 0 10 4 7', 'EL1/-', 'constant', 'Limited ordering region identification.', { feature: 'LOR' }],
  ['MPAMIDR_EL1', '3 0 10 4 4', 'EL1/-', 'constant', 'Memory partitioning identification.', ABSENT],
  ['MPAM1_EL1', '3 0 10 5 0', 'EL1/EL1', 'storage', 'Memory partition of EL1.', ABSENT],
  ['MPAM0_EL1', '3 0 10 5 1', 'EL1/EL1', 'storage', 'Memory partition of EL0.', ABSENT],
];

/** All rows of this group. */
export const el1Rows: readonly RegisterRow[] = [...state, ...control, ...extensions];
