/**
 * Register combinations that the Arm ARM makes CONSTRAINED UNPREDICTABLE. They decode, and the engine does something definite
 * with them, but other implementations may differ, so generated programs avoid them.
 */

import { field } from './encoding-rows';
import type { Decoded, Fields } from './interface';

const writesBack = (f: Fields, ...transferred: readonly string[]): boolean =>
  f['Rn'] !== 31 && transferred.some((name) => f[name] === f['Rn']);
const samePair = (f: Fields): boolean => f['L'] === 1 && f['Rt'] === f['Rt2'];
const statusOverlaps = (f: Fields): boolean =>
  f['L'] === 0 && (f['Rs'] === f['Rt'] || f['Rs'] === f['Rt2'] || (f['Rs'] === f['Rn'] && f['Rn'] !== 31));

const rules: Readonly<Record<string, (f: Fields) => boolean>> = {
  load_store_post_indexed: (f) => writesBack(f, 'Rt'),
  load_store_pre_indexed: (f) => writesBack(f, 'Rt'),
  load_store_no_allocate_pair: samePair,
  load_store_pair_offset: samePair,
  load_store_pair_post_indexed: (f) => samePair(f) || writesBack(f, 'Rt', 'Rt2'),
  load_store_pair_pre_indexed: (f) => samePair(f) || writesBack(f, 'Rt', 'Rt2'),
  simd_load_store_no_allocate_pair: samePair,
  simd_load_store_pair_offset: samePair,
  simd_load_store_pair_post_indexed: samePair,
  simd_load_store_pair_pre_indexed: samePair,
  load_store_exclusive: statusOverlaps,
  load_store_exclusive_pair: (f) => samePair(f) || statusOverlaps(f),
  load_authenticated: (f) => f['W'] === 1 && writesBack(f, 'Rt'),
  compare_and_swap_pair: (f) => field(f, 'Rs') > 29 || field(f, 'Rt') > 29,
};

/** True if the architecture leaves the outcome of this instruction to the implementation. */
export function isUnpredictable({ encoding, fields }: Decoded): boolean {
  return rules[encoding.class]?.(fields) ?? false;
}
