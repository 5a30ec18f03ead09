/**
 * Values of the identification registers per core. A profile is what software reads; it does not change what the engine can
 * execute, so a profile that promises more than the table has `ready` must go through `limitToFeatures` first.
 * Sources: technical reference manuals of the cores; `gunyah-unpinned` is what Gunyah shows an unpinned vCPU.
 */

/** Cores whose identification registers are known. */
export type CoreProfile = 'cortex-a53' | 'cortex-a57' | 'cortex-a76' | 'max' | 'gunyah-unpinned';

/** Register values by Arm ARM name; what is absent reads as zero. */
export type IdentificationValues = Readonly<Record<string, bigint>>;

/** AArch32 identification, in the order of the encodings: PFR0 PFR1 DFR0 AFR0 MMFR0-3, ISAR0-5 MMFR4 ISAR6, MVFR0-2, PFR2 DFR1 MMFR5. */
const AARCH32_NAMES = [
  'ID_PFR0_EL1', 'ID_PFR1_EL1', 'ID_DFR0_EL1', 'ID_AFR0_EL1', 'ID_MMFR0_EL1', 'ID_MMFR1_EL1', 'ID_MMFR2_EL1', 'ID_MMFR3_EL1',
  'ID_ISAR0_EL1', 'ID_ISAR1_EL1', 'ID_ISAR2_EL1', 'ID_ISAR3_EL1', 'ID_ISAR4_EL1', 'ID_ISAR5_EL1', 'ID_MMFR4_EL1', 'ID_ISAR6_EL1',
  'MVFR0_EL1', 'MVFR1_EL1', 'MVFR2_EL1', 'ID_PFR2_EL1', 'ID_DFR1_EL1', 'ID_MMFR5_EL1',
] as const;

function aarch32(values: string): IdentificationValues {
  const parts = values.split(' ');
  return Object.fromEntries(AARCH32_NAMES.map((name, index) => [name, BigInt(`0x${parts[index] ?? '0'}`)]));
}

const common: IdentificationValues = { MPIDR_EL1: 0x8000_0000n, DCZID_EL0: 4n };

const cortexA53: IdentificationValues = {
  ...common,
  ...aarch32('00000131 10011011 03010066 0 10101105 40000000 01260000 02102211 02101110 13112111 21232042 01112131 00011142 00011121 0 0 10110222 12111111 00000043'),
  MIDR_EL1: 0x410f_d034n, REVIDR_EL1: 0x100n, CTR_EL0: 0x8444_8004n, CLIDR_EL1: 0x0a20_0023n,
  ID_AA64PFR0_EL1: 0x0100_2222n, ID_AA64DFR0_EL1: 0x1030_5106n, ID_AA64ISAR0_EL1: 0x0001_1120n, ID_AA64MMFR0_EL1: 0x0000_1122n,
};

const cortexA57: IdentificationValues = {
  ...common,
  ...aarch32('00000131 10011011 03010066 0 10101105 40000000 01260000 02102211 02101110 13112111 21232042 01112131 00011142 00011121 0 0 10110222 12111111 00000043'),
  MIDR_EL1: 0x411f_d070n, CTR_EL0: 0x8444_c004n, CLIDR_EL1: 0x0a20_0023n,
  ID_AA64PFR0_EL1: 0x0100_2222n, ID_AA64DFR0_EL1: 0x1030_5106n, ID_AA64ISAR0_EL1: 0x0001_1120n, ID_AA64MMFR0_EL1: 0x0000_1124n,
};

const cortexA76: IdentificationValues = {
  ...common,
  ...aarch32('10010131 10010000 04010088 0 10201105 40000000 01260000 02122211 02101110 13112111 21232042 01112131 00010142 01011121 00021110 00000010 10110222 13211111 00000043 00000011'),
  MIDR_EL1: 0x414f_d0b1n, CTR_EL0: 0x8444_c004n, CLIDR_EL1: 0x8200_0023n,
  ID_AA64PFR0_EL1: 0x1100_0000_1111_1112n, ID_AA64PFR1_EL1: 0x10n, ID_AA64DFR0_EL1: 0x1030_5408n,
  ID_AA64ISAR0_EL1: 0x0000_1000_1021_1120n, ID_AA64ISAR1_EL1: 0x10_0001n,
  ID_AA64MMFR0_EL1: 0x0010_1122n, ID_AA64MMFR1_EL1: 0x1021_2122n, ID_AA64MMFR2_EL1: 0x1011n,
};

/** A core with everything, as a Gunyah primary VM sees it: pointer authentication, tagging, RAS and streaming vectors hidden. */
const maximal: IdentificationValues = {
  ...common,
  ...aarch32('01010131 10011001 06000009 0 10101105 40000000 01260000 02122211 02101110 13112111 21232042 01112131 00011142 11011121 00011110 01111111 10110222 13211111 00000043 0 1 0'),
  MIDR_EL1: 0x000f_0510n, CTR_EL0: 0x8444_c004n, CLIDR_EL1: 0x0a20_0023n,
  ID_AA64PFR0_EL1: 0x1101_0001_0111_1112n, ID_AA64PFR1_EL1: 0x21n, ID_AA64ZFR0_EL1: 0x0110_1101_0011_0021n, ID_AA64DFR0_EL1: 0x1030_5609n,
  ID_AA64ISAR0_EL1: 0x1221_1111_1021_2120n, ID_AA64ISAR1_EL1: 0x0011_0111_0021_1002n,
  ID_AA64MMFR0_EL1: 0x0000_0323_1020_1126n, ID_AA64MMFR1_EL1: 0x0000_0110_1021_1122n, ID_AA64MMFR2_EL1: 0x1021_0110_1001_1011n,
};

const gunyahUnpinned: IdentificationValues = {
  ...common,
  ...aarch32('00010131 10010000 00010000 0 10201105 40000000 01260000 02122211 02001110 13112110 21232042 01112131 00010142 01011121 00021110 00000010 10110222 13211111 00000043 0 1 0'),
  MIDR_EL1: 0x000f_0480n, CTR_EL0: 0x8444_c004n, CLIDR_EL1: 0x0a20_0023n,
  ID_AA64PFR0_EL1: 0x1100_0000_0100_1112n, ID_AA64DFR0_EL1: 0x1030_5609n,
  ID_AA64ISAR0_EL1: 0x2000_1000_1021_0120n, ID_AA64ISAR1_EL1: 1n,
  ID_AA64MMFR0_EL1: 0x0f00_1121n, ID_AA64MMFR1_EL1: 0x1021_2120n, ID_AA64MMFR2_EL1: 0x1011n,
};

const profiles: Readonly<Record<CoreProfile, IdentificationValues>> = {
  'cortex-a53': cortexA53, 'cortex-a57': cortexA57, 'cortex-a76': cortexA76, 'max': maximal, 'gunyah-unpinned': gunyahUnpinned,
};

/** Values of the identification registers of a core, by Arm ARM name. Registers not named read as zero. */
export function identificationRegisters(profile: CoreProfile): IdentificationValues {
  return profiles[profile];
}

/** What Gunyah hides from its primary VM although the core has it: generic and address authentication (QARMA5), and BFloat16. */
const hiddenIsar1: Partial<Readonly<Record<CoreProfile, bigint>>> = { max: 0x0000_1000_0100_0010n };

/** The same with the fields that Gunyah hides: what the core itself has. */
export function hardwareIdentification(profile: CoreProfile): IdentificationValues {
  const values = profiles[profile];
  return { ...values, ID_AA64ISAR1_EL1: (values['ID_AA64ISAR1_EL1'] ?? 0n) | (hiddenIsar1[profile] ?? 0n) };
}

/** CCSIDR_EL1 by CSSELR_EL1[3:0]: 0 data level 1, 1 instruction level 1, 2 unified level 2. */
export function cacheSizeRegister(profile: CoreProfile, selector: number): bigint {
  const sizes: Readonly<Record<CoreProfile, readonly bigint[]>> = {
    'cortex-a53': [0x700f_e01an, 0x201f_e00an, 0x707f_e07an],
    'cortex-a57': [0x701f_e00an, 0x201f_e012n, 0x70ff_e07an],
    'cortex-a76': [0x701f_e01an, 0x201f_e01an, 0x707f_e03an],
    'max': [0x701f_e00an, 0x201f_e012n, 0x70ff_e07an],
    'gunyah-unpinned': [0x701f_e00an, 0x201f_e012n, 0x70ff_e07an],
  };
  return sizes[profile][selector] ?? 0n;
}
