/**
 * The A64 instruction table and its decoder. The rows live in the `encodings-*` files, one per group of the Arm ARM;
 * this file joins them and finds the row of a word. What a row does is the engine's business, how it reads is the
 * disassembler's.
 */

import { branchSystemEncodings } from './encodings-branch-system';
import { dataProcessingEncodings } from './encodings-data-processing';
import { floatingPointEncodings } from './encodings-floating-point';
import { loadStoreEncodings } from './encodings-load-store';
import { memoryTaggingEncodings } from './encodings-memory-tagging';
import { scalableEncodings } from './encodings-scalable';
import { simdScalarEncodings } from './encodings-simd-scalar';
import { simdVectorEncodings } from './encodings-simd-vector';
import type { Decoded, Encoding } from './interface';
import { compileEncoding, extractFields } from './pattern';
import type { CompiledEncoding } from './pattern';

/** Every row, in the order of the Arm ARM's groups. */
export const encodings: readonly Encoding[] = [
  ...dataProcessingEncodings, ...branchSystemEncodings, ...loadStoreEncodings, ...floatingPointEncodings, ...simdVectorEncodings,
  ...simdScalarEncodings, ...memoryTaggingEncodings, ...scalableEncodings,
];

/** Every row with its masks and field positions, in the same order as `encodings`. */
export const compiledEncodings: readonly CompiledEncoding[] = encodings.map(compileEncoding);

/** Bits 31:21 pick the candidates; the eleven bits that tell most groups apart. */
const INDEX_SHIFT = 21;

/** Each row goes under every index that agrees with its fixed bits: all subsets of the free ones, so that no index is tried in vain. */
function buildIndex(): readonly (readonly CompiledEncoding[])[] {
  const index = Array.from({ length: 1 << (32 - INDEX_SHIFT) }, (): CompiledEncoding[] => []);
  for (const row of [...compiledEncodings].sort((a, b) => b.fixedBitCount - a.fixedBitCount)) {
    const fixed = row.value >>> INDEX_SHIFT;
    const free = ~(row.mask >>> INDEX_SHIFT) & (index.length - 1);
    for (let subset = free; ; subset = (subset - 1) & free) {
      index[(fixed & ~free) | subset]?.push(row);
      if (subset === 0) break;
    }
  }
  return index;
}

const candidates = buildIndex();

/** The row of a word and its fields, or undefined for an unallocated word (which takes an Undefined exception). */
export function decode(word: number): Decoded | undefined {
  for (const row of candidates[word >>> INDEX_SHIFT] ?? []) {
    if (((word ^ row.value) & row.mask) !== 0) continue;
    const fields = extractFields(row, word);
    if (row.encoding.valid?.(fields) ?? true) return { encoding: row.encoding, fields };
  }
  return undefined;
}

/** Every row that a word matches, most specific first; `decode` takes the first. For tests of the table itself. */
export function decodeAll(word: number): readonly CompiledEncoding[] {
  return (candidates[word >>> INDEX_SHIFT] ?? []).filter((row) =>
    ((word ^ row.value) & row.mask) === 0 && (row.encoding.valid?.(extractFields(row, word)) ?? true));
}
