/** Makes random instruction words from the rows of the table, for tests: every field takes any value that the row allows. */

import { assert } from '../base/assert';
import type { Prng } from '../base/prng';
import { compiledEncodings, decode } from './encodings';
import type { Encoding } from './interface';
import type { CompiledEncoding } from './pattern';
import { isUnpredictable } from './unpredictable';

const compiledByEncoding: ReadonlyMap<Encoding, CompiledEncoding> = new Map(compiledEncodings.map((row) => [row.encoding, row]));

/** Draws before a row counts as impossible to satisfy, which is a defect of the row. */
const ATTEMPTS_MAX = 10_000;

/** A random word that decodes to `encoding` and whose outcome the architecture defines. */
export function randomInstruction(prng: Prng, encoding: Encoding): number {
  const row = compiledByEncoding.get(encoding);
  assert(row !== undefined, `${encoding.name} is not a row of the table`);
  const determined = row.mask | row.shouldBeMask;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const word = ((prng.nextU32() & ~determined) | row.value | row.shouldBeValue) >>> 0;
    const decoded = decode(word);
    if (decoded?.encoding === encoding && !isUnpredictable(decoded)) return word;
  }
  assert(false, `no word found for ${encoding.name} ${encoding.pattern}`);
}
