/**
 * Instruction words decoded once. Instructions that leave generated code (device accesses, traps) are few and come again and
 * again; finding their row and fields anew each time would cost more than carrying them out.
 */

import { decode } from '../isa/encodings';
import type { Decoded } from '../isa/interface';

/** Words remembered at most; then all are forgotten. */
const WORD_COUNT_MAX = 4096;

const known = new Map<number, Decoded | null>();

/** As `decode`, remembered. The result is shared: nobody changes it. */
export function decodeOnce(word: number): Decoded | undefined {
  const found = known.get(word);
  if (found !== undefined) return found ?? undefined;
  const decoded = decode(word);
  if (known.size >= WORD_COUNT_MAX) known.clear();
  known.set(word, decoded ?? null);
  return decoded;
}
