/** SIMD functions of the SM4 block cipher. Arm ARM (DDI 0487) C7.2: SM4E, SM4EKEY; GB/T 32907 for the substitution box. */

import { SM4_TABLE } from '../layout';
import type { Code } from '../wasm/code';
import { i32, i64, set, type I32, type Local32 } from '../wasm/expressions';
import type { Lanes, SimdBody } from './lanes';

const c32 = i32.const;
const BYTE_COUNT = 256;
const POLYNOMIAL = 0x1f5;
/** First row of the circulant matrix, and the constant added before and after the inversion. */
const MATRIX = 0xa7;
const ADDED = 0xd3;

/** Product in the field of SM4. */
function multiply(a: number, b: number): number {
  let [product, term] = [0, a];
  for (let rest = b; rest !== 0; rest >>= 1) {
    if ((rest & 1) !== 0) product ^= term;
    term <<= 1;
    if (term >= BYTE_COUNT) term ^= POLYNOMIAL;
  }
  return product;
}

/** The inverse is the power 254. */
function inverse(value: number): number {
  let result = 1;
  for (let count = 0; count < BYTE_COUNT - 2; count++) result = multiply(result, value);
  return result;
}

/** The matrix times a vector of bits, and the constant. */
function affine(value: number): number {
  let result = ADDED;
  for (let row = 0; row < 8; row++) {
    let bits = ((MATRIX << row) | (MATRIX >> (8 - row))) & value & 0xff;
    for (; bits !== 0; bits &= bits - 1) result ^= 1 << row;
  }
  return result;
}

/** The substitution box. */
export function sm4Table(): Uint8Array {
  return Uint8Array.from({ length: BYTE_COUNT }, (_, byte) => affine(inverse(affine(byte))));
}

const left = (value: I32, by: number): I32 => i32.rotr(value, c32(32 - by));
const xorAll = (first: I32, ...rest: readonly I32[]): I32 => rest.reduce((sum, value) => i32.xor(sum, value), first);

/** Each byte through the box. */
function substituted(word: Local32): I32 {
  const byte = (index: number): I32 => i32.shl(i32.load8U(i32.and(i32.shrU(word, c32(index * 8)), c32(0xff)), SM4_TABLE), c32(index * 8));
  return xorAll(byte(0), byte(1), byte(2), byte(3));
}

/** Four rounds on the words at `state` with those at `keys`; `mix` spreads a substituted word. */
function rounds(v: Lanes, state: I32, keys: I32, mix: (word: Local32) => I32): Code {
  const word = v.f.local32();
  let names = [0, 1, 2, 3].map(() => v.f.local32());
  const load = names.map((local, index) => set(local, i32.load(state, index * 4)));
  const steps: Code[] = [];
  for (let round = 0; round < 4; round++) {
    const [a, b, c, d] = names;
    if (a === undefined || b === undefined || c === undefined || d === undefined) break;
    steps.push(set(word, xorAll(b, c, d, i32.load(keys, round * 4))), set(word, substituted(word)), set(a, i32.xor(a, mix(word))));
    names = [b, c, d, a];
  }
  return [v.begin(), load, steps, names.map((local, index) => v.put(4, i64.extendU(local), c32(index * 4))), v.finish()];
}

/** All functions of this file by name. */
export const sm4Functions: ReadonlyMap<string, SimdBody> = new Map<string, SimdBody>([
  ['sm4e', (v) => rounds(v, v.d, v.n, (word) => xorAll(word, left(word, 2), left(word, 10), left(word, 18), left(word, 24)))],
  ['sm4ekey', (v) => rounds(v, v.n, v.m, (word) => xorAll(word, left(word, 13), left(word, 23)))],
]);
