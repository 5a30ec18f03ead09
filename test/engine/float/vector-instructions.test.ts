import assert from 'node:assert/strict';
import { test } from 'node:test';

import { encodings } from '../../../runtime/isa/encodings';
import { checkRows, rowsOf } from './vector-differential';

/** What is tested together, and how many words of each row. */
const GROUPS: readonly (readonly [name: string, count: number, ...prefixes: string[]])[] = [
  ['scalar arithmetic, comparisons and conversions', 60, 'fp_'],
  ['loads and stores of vector registers and structures', 20, 'simd_load'],
  ['scalar SIMD', 25, 'simd_scalar_'],
  ['vector SIMD', 25, 'simd_'],
  ['cryptography', 30, 'crypto_'],
];

const readyClasses = [...new Set(encodings.filter((row) => row.state === 'ready').map((row) => row.class))];
const taken = new Set<string>();
for (const [name, count, ...prefixes] of GROUPS) {
  const classes = readyClasses.filter((key) => !taken.has(key) && prefixes.some((prefix) => key.startsWith(prefix)));
  classes.forEach((key) => taken.add(key));
  if (classes.length === 0) continue;
  test(`${name}: registers, memory, flags and FPSR agree with the reference in every mode`, () => {
    assert.ok(checkRows(rowsOf(...classes), count, 20) > 0);
  });
}
