/** Identification registers: Arm ARM (DDI 0487) D19.2. Reset values are zero here; identification-profiles.ts has values per core. */

import { ABSENT } from './system-register-rows';
import type { RegisterRow } from './system-register-rows';

/** Names of the feature registers at `S3_0_C0_Cm_op2`, m = 1..7, op2 = 0..7; blanks are reserved and read as zero. */
const featureRegisters: Readonly<Record<number, readonly string[]>> = {
  1: ['ID_PFR0_EL1', 'ID_PFR1_EL1', 'ID_DFR0_EL1', 'ID_AFR0_EL1', 'ID_MMFR0_EL1', 'ID_MMFR1_EL1', 'ID_MMFR2_EL1', 'ID_MMFR3_EL1'],
  2: ['ID_ISAR0_EL1', 'ID_ISAR1_EL1', 'ID_ISAR2_EL1', 'ID_ISAR3_EL1', 'ID_ISAR4_EL1', 'ID_ISAR5_EL1', 'ID_MMFR4_EL1', 'ID_ISAR6_EL1'],
  3: ['MVFR0_EL1', 'MVFR1_EL1', 'MVFR2_EL1', '', 'ID_PFR2_EL1', 'ID_DFR1_EL1', 'ID_MMFR5_EL1', ''],
  4: ['ID_AA64PFR0_EL1', 'ID_AA64PFR1_EL1', 'ID_AA64PFR2_EL1', '', 'ID_AA64ZFR0_EL1', 'ID_AA64SMFR0_EL1', '', 'ID_AA64FPFR0_EL1'],
  5: ['ID_AA64DFR0_EL1', 'ID_AA64DFR1_EL1', '', '', 'ID_AA64AFR0_EL1', 'ID_AA64AFR1_EL1', '', ''],
  6: ['ID_AA64ISAR0_EL1', 'ID_AA64ISAR1_EL1', 'ID_AA64ISAR2_EL1', 'ID_AA64ISAR3_EL1', '', '', '', ''],
  7: ['ID_AA64MMFR0_EL1', 'ID_AA64MMFR1_EL1', 'ID_AA64MMFR2_EL1', 'ID_AA64MMFR3_EL1', 'ID_AA64MMFR4_EL1', '', '', ''],
};

const kinds: readonly (readonly [prefix: string, description: string])[] = [
  ['ID_AA64PFR', 'Processor features seen from AArch64'], ['ID_AA64ZFR', 'Scalable vector features'], ['ID_AA64SMFR', 'Scalable matrix features'],
  ['ID_AA64FPFR', 'Floating-point format features'], ['ID_AA64DFR', 'Debug features seen from AArch64'], ['ID_AA64AFR', 'Implementation-defined features'],
  ['ID_AA64ISAR', 'Instruction set features of AArch64'], ['ID_AA64MMFR', 'Memory model features of AArch64'],
  ['ID_PFR', 'Processor features seen from AArch32'], ['ID_DFR', 'Debug features seen from AArch32'], ['ID_AFR', 'Implementation-defined AArch32 features'],
  ['ID_MMFR', 'Memory model features of AArch32'], ['ID_ISAR', 'Instruction set features of AArch32'], ['MVFR', 'Floating-point and SIMD features of AArch32'],
];

function featureRow(crm: number, op2: number, name: string): RegisterRow {
  const operands = `3 0 0 ${crm} ${op2}`;
  if (name === '') return [`S3_0_C0_C${crm}_${op2}`, operands, 'EL1/-', 'constant', 'Reserved identification register, reads as zero.'];
  const [, description = ''] = kinds.find(([prefix]) => name.startsWith(prefix)) ?? [];
  return [name, operands, 'EL1/-', 'constant', `${description}.`];
}

const features: readonly RegisterRow[] = Object.entries(featureRegisters)
  .flatMap(([crm, names]) => names.map((name, op2) => featureRow(Number(crm), op2, name)));

/** All rows of this group. */
export const identificationRows: readonly RegisterRow[] = [
  ['MIDR_EL1', '3 0 0 0 0', 'EL1/-', 'constant', 'Implementer, part and revision of the core.'],
  ['MPIDR_EL1', '3 0 0 0 5', 'EL1/-', 'constant', 'Affinity: which core of which cluster this is.', { reset: 0x8000_0000n }],
  ['REVIDR_EL1', '3 0 0 0 6', 'EL1/-', 'constant', 'Implementation-defined revision details.'],
  ...features,
  ['CCSIDR_EL1', '3 1 0 0 0', 'EL1/-', 'engine', 'Geometry of the cache that CSSELR_EL1 selects.'],
  ['CLIDR_EL1', '3 1 0 0 1', 'EL1/-', 'constant', 'Which cache levels exist.'],
  ['CCSIDR2_EL1', '3 1 0 0 2', 'EL1/-', 'constant', 'More geometry of the selected cache (FEAT_CCIDX).', ABSENT],
  ['GMID_EL1', '3 1 0 0 4', 'EL1/-', 'constant', 'Block size of multiple-tag instructions.', { feature: 'MTE', state: 'not-yet' }],
  ['SMIDR_EL1', '3 1 0 0 6', 'EL1/-', 'constant', 'Streaming mode identification.', { feature: 'SME' }],
  ['AIDR_EL1', '3 1 0 0 7', 'EL1/-', 'constant', 'Auxiliary identification.'],
  ['CSSELR_EL1', '3 2 0 0 0', 'EL1/EL1', 'storage', 'Selects the cache that CCSIDR_EL1 describes.', { writeMask: 0xfn }],
  ['CTR_EL0', '3 3 0 0 1', 'EL0/-', 'constant', 'Cache line sizes and coherency properties.', { el0Enable: { register: 'SCTLR_EL1', mask: 1n << 15n } }],
  ['DCZID_EL0', '3 3 0 0 7', 'EL0/-', 'constant', 'Block size of DC ZVA.', { reset: 4n }],
  ['ERRIDR_EL1', '3 0 5 3 0', 'EL1/-', 'constant', 'Number of error records: none.', { feature: 'RAS' }],
  ['ERRSELR_EL1', '3 0 5 3 1', 'EL1/EL1', 'storage', 'Selects an error record.', ABSENT],
  ['ERXFR_EL1', '3 0 5 4 0', 'EL1/-', 'storage', 'Features of the selected error record.', ABSENT],
  ['ERXCTLR_EL1', '3 0 5 4 1', 'EL1/EL1', 'storage', 'Control of the selected error record.', ABSENT],
];
