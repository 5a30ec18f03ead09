/**
 * What the engine executes, said in one place: a row of the instruction table is `ready` exactly if this module says so.
 * Whoever gives the engine a semantic function adds its class here (or its feature, once every row of the feature executes);
 * the ledger of missing instructions and the features that may be announced to guests follow from it.
 */

import type { Feature } from './interface';

/** Features of which every row executes. */
const executedFeatures: ReadonlySet<Feature> = new Set<Feature>([
  'A64', 'CRC32', 'LSE', 'LRCPC', 'PAN', 'UAO', 'RDM', 'DOTPROD', 'FP16', 'AES', 'PMULL', 'SHA1', 'SHA256',
  'SHA512', 'SHA3', 'SM3', 'SM4', 'FRINTTS', 'JSCVT', 'FCMA', 'FHM', 'BF16', 'I8MM',
  'FLAGM', 'FLAGM2', 'SB', 'LOR', 'LRCPC2', 'SSBS', 'DIT', 'PAUTH', 'SVE',
]);

/** Classes whose rows of the base features `FP` and `ADVSIMD` execute, while other rows of those features do not yet. */
const executedClasses: ReadonlySet<string> = new Set<string>([
  'fp_compare', 'fp_compare_zero', 'fp_conditional_compare', 'fp_conditional_select', 'fp_1_source', 'fp_convert_precision', 'fp_2_source',
  'fp_3_source', 'fp_immediate', 'fp_convert_integer', 'fp_convert_fixed', 'fp_move_general',
  'simd_load_literal', 'simd_load_store_unsigned_immediate', 'simd_load_store_unscaled', 'simd_load_store_post_indexed',
  'simd_load_store_pre_indexed', 'simd_load_store_register_offset', 'simd_load_store_no_allocate_pair', 'simd_load_store_pair_post_indexed',
  'simd_load_store_pair_offset', 'simd_load_store_pair_pre_indexed',
  'simd_load_store_multiple', 'simd_load_store_single', 'simd_load_replicate', 'simd_load_store_multiple_post_indexed',
  'simd_load_store_single_post_indexed', 'simd_load_replicate_post_indexed',
  'simd_copy', 'simd_scalar_copy', 'simd_modified_immediate', 'simd_three_same_logical',
  'simd_three_same', 'simd_three_same_float', 'simd_three_different', 'simd_two_register', 'simd_compare_zero', 'simd_two_register_bits',
  'simd_two_register_float', 'simd_compare_zero_float', 'simd_convert_precision', 'simd_reciprocal_integer', 'simd_across_lanes',
  'simd_across_lanes_float', 'simd_permute', 'simd_extract', 'simd_table', 'simd_shift_immediate', 'simd_shift_immediate_width',
  'simd_convert_fixed', 'simd_by_element', 'simd_by_element_float',
  'simd_scalar_three_same', 'simd_scalar_three_same_float', 'simd_scalar_three_different', 'simd_scalar_two_register', 'simd_scalar_compare_zero',
  'simd_scalar_two_register_float', 'simd_scalar_compare_zero_float', 'simd_scalar_convert_precision', 'simd_scalar_pairwise',
  'simd_scalar_pairwise_float', 'simd_scalar_shift_immediate', 'simd_scalar_shift_immediate_width', 'simd_scalar_convert_fixed',
  'simd_scalar_by_element', 'simd_scalar_by_element_float',
]);

/** True if the engine executes the rows of a class that belong to a feature. */
export function isExecuted(feature: Feature, instructionClass: string): boolean {
  return executedFeatures.has(feature) || ((feature === 'FP' || feature === 'ADVSIMD') && executedClasses.has(instructionClass));
}
