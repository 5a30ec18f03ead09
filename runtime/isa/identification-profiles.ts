/**
 * Values of the identification registers per core, and what Gunyah makes of them for its guests. What a core is decides what the
 * engine executes (cpu-features.ts); what a guest is shown may be less.
 * Sources: technical reference manuals of the cores, and the same cores where EL1 is the highest level, as QEMU's `virt` machine has
 * them; what Gunyah shows was observed on a CPU `max` and follows its rules elsewhere.
 */

/** Cores whose identification registers are known. */
export type CoreProfile = 'cortex-a53' | 'cortex-a57' | 'cortex-a76' | 'max';

/** Register values by Arm ARM name; what is absent reads as zero. */
export type IdentificationValues = Readonly<Record<string, bigint>>;

/** AArch32 identification, in the order of the encodings CRm 1 to 3; `-` is a reserved one, which reads as zero. */
const AARCH32_NAMES = [
  'ID_PFR0_EL1', 'ID_PFR1_EL1', 'ID_DFR0_EL1', 'ID_AFR0_EL1', 'ID_MMFR0_EL1', 'ID_MMFR1_EL1', 'ID_MMFR2_EL1', 'ID_MMFR3_EL1',
  'ID_ISAR0_EL1', 'ID_ISAR1_EL1', 'ID_ISAR2_EL1', 'ID_ISAR3_EL1', 'ID_ISAR4_EL1', 'ID_ISAR5_EL1', 'ID_MMFR4_EL1', 'ID_ISAR6_EL1',
  'MVFR0_EL1', 'MVFR1_EL1', 'MVFR2_EL1', '-', 'ID_PFR2_EL1', 'ID_DFR1_EL1', 'ID_MMFR5_EL1',
] as const;

function aarch32(values: string): IdentificationValues {
  const parts = values.split(' ');
  return Object.fromEntries(AARCH32_NAMES.map((name, index) => [name, BigInt(`0x${parts[index] ?? '0'}`)] as const).filter(([name]) => name !== '-'));
}

const common: IdentificationValues = { MPIDR_EL1: 0x8000_0000n, DCZID_EL0: 4n };

const cortexA53: IdentificationValues = {
  ...common,
  ...aarch32('131 10010001 3010006 0 10101105 40000000 1260000 2102211 2101110 13112111 21232042 1112131 11142 11121 0 0 10110222 12111111 43'),
  MIDR_EL1: 0x410f_d034n, CTR_EL0: 0x8444_8004n, CLIDR_EL1: 0x0a20_0023n,
  ID_AA64PFR0_EL1: 0x0100_0022n, ID_AA64DFR0_EL1: 0x1030_5106n, ID_AA64ISAR0_EL1: 0x0001_1120n, ID_AA64MMFR0_EL1: 0x0000_1122n,
};

const cortexA57: IdentificationValues = {
  ...cortexA53,
  MIDR_EL1: 0x411f_d070n, CTR_EL0: 0x8444_c004n, ID_AA64MMFR0_EL1: 0x0000_1124n,
};

const cortexA76: IdentificationValues = {
  ...common,
  ...aarch32('10010131 10010000 4010008 0 10201105 40000000 1260000 2122211 2101110 13112111 21232042 1112131 10142 1011121 21110 10 10110222 13211111 43 0 11'),
  MIDR_EL1: 0x414f_d0b1n, CTR_EL0: 0x8444_c004n, CLIDR_EL1: 0x8200_0023n,
  ID_AA64PFR0_EL1: 0x1100_0000_1111_0012n, ID_AA64PFR1_EL1: 0x10n, ID_AA64DFR0_EL1: 0x1030_5408n,
  ID_AA64ISAR0_EL1: 0x0000_1000_1021_1120n, ID_AA64ISAR1_EL1: 0x10_0001n,
  ID_AA64MMFR0_EL1: 0x0010_1122n, ID_AA64MMFR1_EL1: 0x1021_2122n, ID_AA64MMFR2_EL1: 0x1011n,
};

/** A core with everything but the scalable extensions, which guests cannot be offered without the instructions. */
const maximal: IdentificationValues = {
  ...common,
  ...aarch32('11020131 10010001 6010009 0 10101105 40000000 1260000 2122211 2101110 13112111 21232042 1112131 11142 11011121 11110 1111111 10110222 13211111 43 0 11 0 1'),
  MIDR_EL1: 0x000f_0510n, CTR_EL0: 0x8444_c004n, CLIDR_EL1: 0x0200_0023n,
  ID_AA64PFR0_EL1: 0x1201_0010_2111_0022n, ID_AA64PFR1_EL1: 0x21n, ID_AA64DFR0_EL1: 0x1030_5609n,
  ID_AA64ISAR0_EL1: 0x1221_1111_1021_2120n, ID_AA64ISAR1_EL1: 0x0011_1111_0121_1012n,
  ID_AA64MMFR0_EL1: 0x0000_0323_1020_1126n, ID_AA64MMFR1_EL1: 0x0000_0110_1021_1122n, ID_AA64MMFR2_EL1: 0x1021_0110_1001_1011n,
};

const profiles: Readonly<Record<CoreProfile, IdentificationValues>> = {
  'cortex-a53': cortexA53, 'cortex-a57': cortexA57, 'cortex-a76': cortexA76, 'max': maximal,
};

/** What a core shows where EL1 is the highest exception level: a machine without a hypervisor. */
export function hardwareIdentification(profile: CoreProfile): IdentificationValues {
  return profiles[profile];
}

/** Puts `value` into a field of four bits. */
const withField = (whole: bigint, shift: bigint, value: bigint): bigint => (whole & ~(0xfn << shift)) | (value << shift);
const fieldOf = (whole: bigint, shift: bigint): bigint => (whole >> shift) & 0xfn;
const least = (left: bigint, right: bigint): bigint => (left < right ? left : right);

interface Change { readonly register: string; readonly shift: bigint; readonly to: (value: bigint) => bigint }

const set = (register: string, shift: number, value: bigint): Change => ({ register, shift: BigInt(shift), to: () => value });
const atMost = (register: string, shift: number, limit: bigint): Change => ({ register, shift: BigInt(shift), to: (value) => least(value, limit) });

/** What Gunyah changes for a pinned vCPU: exception levels of its own, and features hidden. */
const PINNED_CHANGES: readonly Change[] = [
  set('ID_AA64PFR0_EL1', 4, 1n), set('ID_AA64PFR0_EL1', 8, 1n), set('ID_AA64PFR0_EL1', 12, 1n),
  ...[28, 36, 40, 52].map((shift) => set('ID_AA64PFR0_EL1', shift, 0n)), atMost('ID_AA64PFR0_EL1', 56, 1n),
  ...[8, 24, 36].map((shift) => set('ID_AA64PFR1_EL1', shift, 0n)),
  ...[4, 8, 24, 28, 44].map((shift) => set('ID_AA64ISAR1_EL1', shift, 0n)),
  ...[8, 12].map((shift) => set('ID_AA64ISAR2_EL1', shift, 0n)),
  atMost('ID_AA64MMFR1_EL1', 20, 2n),
  ...[4, 16, 24, 32, 40, 44, 48, 52, 56, 60].map((shift) => set('ID_AA64DFR0_EL1', shift, 0n)),
  // The same hidden things as AArch32 names them.
  set('ID_PFR0_EL1', 28, 0n), atMost('ID_PFR0_EL1', 16, 1n), set('ID_PFR1_EL1', 12, 1n), set('ID_PFR2_EL1', 4, 0n),
  set('ID_DFR0_EL1', 12, 0n), set('ID_DFR0_EL1', 16, 0n), set('ID_MMFR5_EL1', 0, 0n),
];

/** The primary VM of a core with scalable vectors is shown them, as Gunyah does, although most of their instructions do not execute here. */
const SCALABLE_VECTORS: Partial<Readonly<Record<CoreProfile, IdentificationValues>>> = {
  max: { ID_AA64ZFR0_EL1: 0x0110_1101_0011_0021n, ID_AA64PFR0_EL1: 1n << 32n },
};

/** Gunyah: what the vCPU of a primary VM, pinned to its core, is shown. */
export function pinnedIdentification(profile: CoreProfile): IdentificationValues {
  const values: Record<string, bigint> = { ...profiles[profile] };
  for (const { register, shift, to } of PINNED_CHANGES) {
    const whole = values[register] ?? 0n;
    values[register] = withField(whole, shift, to(fieldOf(whole, shift)));
  }
  for (const [name, bits] of Object.entries(SCALABLE_VECTORS[profile] ?? {})) values[name] = (values[name] ?? 0n) | bits;
  return values;
}

/** Fixed values of a vCPU that is not pinned, whatever the core. */
const unpinned: IdentificationValues = {
  ...common,
  ...aarch32('10131 10010000 10000 0 10201105 40000000 1260000 2122211 2001110 13112110 21232042 1112131 10142 1011121 21110 10 10110222 13211111 43 0 1'),
  MIDR_EL1: 0x000f_0480n,
  ID_AA64PFR0_EL1: 0x1100_0000_0100_1112n,
  ID_AA64ISAR0_EL1: 0x2000_1000_1021_0120n, ID_AA64ISAR1_EL1: 1n,
  ID_AA64MMFR0_EL1: 0x0f00_1121n, ID_AA64MMFR1_EL1: 0x1021_2120n, ID_AA64MMFR2_EL1: 0x1011n,
};

/** Registers that show the core even to a vCPU that is not pinned. */
const OF_THE_CORE = ['MVFR0_EL1', 'MVFR1_EL1', 'MVFR2_EL1', 'CTR_EL0', 'CLIDR_EL1', 'DCZID_EL0'] as const;

/** Gunyah: what a vCPU that may run on any core is shown. */
export function unpinnedIdentification(profile: CoreProfile): IdentificationValues {
  const pinned = pinnedIdentification(profile);
  return { ...unpinned, ...Object.fromEntries([...OF_THE_CORE, 'ID_AA64DFR0_EL1'].map((name) => [name, pinned[name] ?? 0n])) };
}

/** CCSIDR_EL1 by CSSELR_EL1[3:0]: 0 data level 1, 1 instruction level 1, 2 unified level 2. */
const CACHE_SIZES: Readonly<Record<CoreProfile, readonly bigint[]>> = {
  'cortex-a53': [0x700f_e01an, 0x201f_e00an, 0x707f_e07an],
  'cortex-a57': [0x701f_e00an, 0x201f_e012n, 0x70ff_e07an],
  'cortex-a76': [0x701f_e01an, 0x201f_e01an, 0x707f_e03an],
  'max': [0x701f_e00an, 0x201f_e012n, 0x70ff_e07an],
};

/** Values of CCSIDR_EL1 for the values of CSSELR_EL1 from 0: the geometry of the cache it selects. There are no others. */
export function cacheSizes(profile: CoreProfile): readonly bigint[] {
  return CACHE_SIZES[profile];
}

/** PMCR_EL0 without its writable bits: implementer, core, and six event counters. */
export function performanceMonitorControl(profile: CoreProfile): bigint {
  const identification: Readonly<Record<CoreProfile, bigint>> = { 'cortex-a53': 0x4103_3000n, 'cortex-a57': 0x4101_3000n, 'cortex-a76': 0x410b_3000n, 'max': 0x4101_3000n };
  return identification[profile];
}
