/**
 * Which field of which identification register announces a feature, so that a profile can be cut down to what executes.
 * Arm ARM (DDI 0487) D19.2. Fields that announce nothing an instruction or register needs are not here and pass unchanged.
 */

import type { IdentificationValues } from './identification-profiles';
import type { Feature } from './interface';

/** A four-bit field: `levels[n]` is what value n + 1 adds; `undefined` is a reserved value, never an end result. */
interface FeatureField { readonly register: string; readonly shift: number; readonly levels: readonly (Feature | 'unsupported' | undefined)[] }

const fieldsOf = (register: string, fields: readonly (readonly [shift: number, ...levels: FeatureField['levels']])[]): readonly FeatureField[] =>
  fields.map(([shift, ...levels]) => ({ register, shift, levels }));

const featureFields: readonly FeatureField[] = [
  ...fieldsOf('ID_AA64ISAR0_EL1', [
    [4, 'AES', 'PMULL'], [8, 'SHA1'], [12, 'SHA256', 'SHA512'], [16, 'CRC32'], [20, undefined, 'LSE'], [28, 'RDM'], [32, 'SHA3'], [36, 'SM3'],
    [40, 'SM4'], [44, 'DOTPROD'], [48, 'FHM'], [52, 'FLAGM', 'FLAGM2'], [56, 'TLBIOS', 'TLBIRANGE'], [60, 'RNG'],
  ]),
  ...fieldsOf('ID_AA64ISAR1_EL1', [
    [0, 'DPB', 'DPB2'], [4, 'PAUTH'], [8, 'PAUTH'], [12, 'JSCVT'], [16, 'FCMA'], [20, 'LRCPC', 'LRCPC2'], [24, 'PAUTH'], [28, 'PAUTH'],
    [32, 'FRINTTS'], [36, 'SB'], [40, 'SPECRES'], [44, 'BF16'], [52, 'I8MM'], [56, 'unsupported'], [60, 'unsupported'],
  ]),
  ...fieldsOf('ID_AA64ISAR2_EL1', [[0, undefined, 'WFXT'], [8, 'PAUTH'], [12, 'PAUTH'], [16, 'unsupported'], [20, 'unsupported']]),
  ...fieldsOf('ID_AA64PFR0_EL1', [[16, 'FP16'], [20, 'FP16'], [28, 'RAS'], [32, 'SVE'], [40, 'MPAM'], [44, 'AMU'], [48, 'DIT'], [56, 'A64', 'CSV2']]),
  ...fieldsOf('ID_AA64PFR1_EL1', [[0, 'BTI'], [4, 'SSBS_STATE', 'SSBS'], [8, 'MTE'], [24, 'SME'], [36, 'unsupported']]),
  ...fieldsOf('ID_AA64MMFR1_EL1', [[16, 'LOR'], [20, 'PAN', 'PAN', 'unsupported']]),
  ...fieldsOf('ID_AA64MMFR2_EL1', [[4, 'UAO'], [32, 'LSE2'], [36, 'IDST']]),
  ...fieldsOf('ID_AA64DFR0_EL1', [[8, 'A64', 'A64', 'A64', 'A64', 'PMUV3P4', 'PMUV3P5']]),
];

/** The features that the values announce. */
export function announcedFeatures(values: IdentificationValues): readonly Feature[] {
  return featureFields.flatMap(({ register, shift, levels }) => {
    const level = Number(((values[register] ?? 0n) >> BigInt(shift)) & 0xfn);
    return level === 0xf ? [] : levels.slice(0, level).filter((feature): feature is Feature => feature !== undefined && feature !== 'unsupported');
  });
}

/** The values with every announced feature lowered to what `has` grants. "Not implemented" (0xf) in FP and AdvSIMD stays. */
export function limitToFeatures(values: IdentificationValues, has: (feature: Feature) => boolean): IdentificationValues {
  const limited: Record<string, bigint> = { ...values };
  for (const { register, shift, levels } of featureFields) {
    const whole = limited[register] ?? 0n;
    const announced = Number((whole >> BigInt(shift)) & 0xfn);
    if (announced === 0 || announced === 0xf) continue;
    let granted = 0;
    while (granted < announced && granted < levels.length) {
      const needed = levels[granted];
      if (needed === 'unsupported' || (needed !== undefined && !has(needed))) break;
      granted++;
    }
    while (granted > 0 && levels[granted - 1] === undefined) granted--;
    const known = announced > levels.length && granted === levels.length ? announced : granted;
    limited[register] = whole ^ (BigInt(announced ^ known) << BigInt(shift));
  }
  return limited;
}
