/** SIMD functions of the cryptographic extension. Arm ARM (DDI 0487) pseudocode: AESSubBytes …, SHAhashupdate, SHA256hash. */

import { present } from '../../base/assert';
import { AES_TABLES } from '../layout';
import type { Code } from '../wasm/code';
import { i32, i64, set, type I32, type Local32 } from '../wasm/expressions';
import type { Lanes, SimdBody } from './lanes';

const c32 = i32.const;
const BYTE_COUNT = 256;
const REDUCTION = 0x1b;

/** The AES substitution box, then its inverse. */
export function aesTables(): Uint8Array {
  const tables = new Uint8Array(BYTE_COUNT * 2);
  let [power, inverse] = [1, 1];
  do {
    // Times three, and divided by three, in the field of AES.
    power = (power ^ (power << 1) ^ ((power & 0x80) !== 0 ? REDUCTION : 0)) & 0xff;
    inverse ^= inverse << 1;
    inverse ^= inverse << 2;
    inverse = (inverse ^ (inverse << 4)) & 0xff;
    if ((inverse & 0x80) !== 0) inverse ^= 0x09;
    const rotated = [1, 2, 3, 4].reduce((sum, by) => sum ^ ((inverse << by) | (inverse >>> (8 - by))), inverse);
    tables[power] = (rotated ^ 0x63) & 0xff;
  } while (power !== 1);
  tables[0] = 0x63;
  for (let byte = 0; byte < BYTE_COUNT; byte++) tables[BYTE_COUNT + (tables[byte] ?? 0)] = byte;
  return tables;
}

/** Rows shifted, bytes substituted, after the key was added. */
function aesRound(isInverse: boolean): SimdBody {
  return (v) => {
    const turn = i32.shl(i32.and(v.index, c32(3)), c32(2));
    const at = i32.and(isInverse ? i32.sub(v.index, turn) : i32.add(v.index, turn), c32(15));
    const byte = i32.xor(i32.load8U(i32.add(v.d, at)), i32.load8U(i32.add(v.n, at)));
    return [v.begin(), v.each(1, v.put(1, i64.extendU(i32.load8U(byte, AES_TABLES + (isInverse ? BYTE_COUNT : 0))))), v.finish()];
  };
}

/** Four bytes doubled in the field of AES. */
const doubled = (word: I32): I32 => i32.xor(
  i32.shl(i32.and(word, c32(0x7f7f_7f7f)), c32(1)), i32.mul(i32.and(i32.shrU(word, c32(7)), c32(0x0101_0101)), c32(REDUCTION)));

/** Columns mixed; the inverse is the same after a step that doubles twice. */
function aesMix(isInverse: boolean): SimdBody {
  return (v) => {
    const [word, twice] = [v.f.local32(), v.f.local32()];
    const prepare = [set(twice, doubled(i32.xor(word, i32.rotr(word, c32(16))))), set(word, i32.xor(word, doubled(twice)))];
    const mixed = i32.xor(i32.xor(twice, i32.rotr(i32.xor(word, twice), c32(8))), i32.xor(i32.rotr(word, c32(16)), i32.rotr(word, c32(24))));
    return [
      v.begin(),
      v.each(4, [set(word, i32.load(i32.add(v.n, v.index))), isInverse ? prepare : [], set(twice, doubled(word)), v.put(4, i64.extendU(mixed))]),
      v.finish(),
    ];
  };
}

/** A register's four words in locals. */
interface Words { readonly locals: readonly Local32[]; readonly load: Code }

function words(v: Lanes, address: I32): Words {
  const locals = [0, 1, 2, 3].map(() => v.f.local32());
  return { locals, load: locals.map((local, index) => set(local, i32.load(address, index * 4))) };
}

const putWords = (v: Lanes, values: readonly I32[]): Code =>
  [values.map((value, index) => v.put(4, i64.extendU(value), c32(index * 4))), v.finish()];

const rotateLeft = (value: I32, by: number): I32 => i32.rotr(value, c32(32 - by));
const rotateRight = (value: I32, by: number): I32 => i32.rotr(value, c32(by));
const xor3 = (a: I32, b: I32, c: I32): I32 => i32.xor(i32.xor(a, b), c);
const choose = (x: I32, y: I32, z: I32): I32 => i32.xor(i32.and(i32.xor(y, z), x), z);
const majority = (x: I32, y: I32, z: I32): I32 => i32.or(i32.and(x, y), i32.and(i32.or(x, y), z));
const at = (values: readonly Local32[], index: number): Local32 => present(values[index], 'one of four words');

/** Four rounds of SHA-1: the registers keep their places, their names move on. */
function sha1Rounds(mix: (x: I32, y: I32, z: I32) => I32): SimdBody {
  return (v) => {
    const [x, w] = [words(v, v.d), words(v, v.m)];
    const y = v.f.local32();
    let names = [y, ...x.locals];
    const rounds: Code[] = [];
    for (const word of w.locals) {
      const [e, a, b, c, d] = names;
      if (e === undefined || a === undefined || b === undefined || c === undefined || d === undefined) break;
      rounds.push(set(e, i32.add(i32.add(e, rotateLeft(a, 5)), i32.add(mix(b, c, d), word))), set(b, rotateLeft(b, 30)));
      names = [d, e, a, b, c];
    }
    return [v.begin(), x.load, w.load, set(y, i32.load(v.n)), rounds, putWords(v, names.slice(1))];
  };
}

/** Four rounds of SHA-256; gives the half of the state that is asked for. */
function sha256Rounds(half: 'first' | 'second'): SimdBody {
  return (v) => {
    const [x, y, w] = [words(v, half === 'first' ? v.d : v.n), words(v, half === 'first' ? v.n : v.d), words(v, v.m)];
    const t = v.f.local32();
    let [upper, lower] = [x.locals, y.locals];
    const rounds = w.locals.map((word): Code => {
      const [x0, x3, y0, y3] = [at(upper, 0), at(upper, 3), at(lower, 0), at(lower, 3)];
      const sigma1 = xor3(rotateRight(y0, 6), rotateRight(y0, 11), rotateRight(y0, 25));
      const sigma0 = xor3(rotateRight(x0, 2), rotateRight(x0, 13), rotateRight(x0, 22));
      const code = [
        set(t, i32.add(i32.add(y3, sigma1), i32.add(choose(y0, at(lower, 1), at(lower, 2)), word))),
        set(x3, i32.add(t, x3)),
        set(y3, i32.add(t, i32.add(sigma0, majority(x0, at(upper, 1), at(upper, 2))))),
      ];
      [upper, lower] = [[y3, ...upper.slice(0, 3)], [x3, ...lower.slice(0, 3)]];
      return code;
    });
    return [v.begin(), x.load, y.load, w.load, rounds, putWords(v, half === 'first' ? upper : lower)];
  };
}

/** The message schedule of SHA-256. */
const sha256Schedule0: SimdBody = (v) => {
  const [own, next] = [words(v, v.d), v.f.local32()];
  const from = [at(own.locals, 1), at(own.locals, 2), at(own.locals, 3), next];
  const sigma = (value: I32): I32 => xor3(rotateRight(value, 7), rotateRight(value, 18), i32.shrU(value, c32(3)));
  return [v.begin(), own.load, set(next, i32.load(v.n)), putWords(v, from.map((value, index) => i32.add(sigma(value), at(own.locals, index))))];
};
const sha256Schedule1: SimdBody = (v) => {
  const [own, n, m] = [words(v, v.d), words(v, v.n), words(v, v.m)];
  const added = [at(n.locals, 1), at(n.locals, 2), at(n.locals, 3), at(m.locals, 0)];
  const sources = [at(m.locals, 2), at(m.locals, 3), at(own.locals, 0), at(own.locals, 1)];
  const sigma = (value: I32): I32 => xor3(rotateRight(value, 17), rotateRight(value, 19), i32.shrU(value, c32(10)));
  // The first two results are sources of the last two: they replace the destination's words on the way.
  const steps = sources.map((value, index) => set(at(own.locals, index), i32.add(sigma(value), i32.add(at(own.locals, index), added[index] ?? value))));
  return [v.begin(), own.load, n.load, m.load, steps, putWords(v, own.locals)];
};

const sha1Schedule0: SimdBody = (v) => {
  const [own, n, m] = [words(v, v.d), words(v, v.n), words(v, v.m)];
  const shifted = [at(own.locals, 2), at(own.locals, 3), at(n.locals, 0), at(n.locals, 1)];
  return [v.begin(), own.load, n.load, m.load, putWords(v, shifted.map((value, index) => xor3(value, at(own.locals, index), at(m.locals, index))))];
};
const sha1Schedule1: SimdBody = (v) => {
  const [own, n] = [words(v, v.d), words(v, v.n)];
  const mixed = own.locals.map((local, index) => set(local, index === 3 ? local : i32.xor(local, at(n.locals, index + 1))));
  const results = own.locals.map((local, index) => (index === 3 ? i32.xor(rotateLeft(local, 1), rotateLeft(at(own.locals, 0), 2)) : rotateLeft(local, 1)));
  return [v.begin(), own.load, n.load, mixed, putWords(v, results)];
};
const sha1Fixed: SimdBody = (v) => [v.begin(), v.put(4, i64.extendU(rotateLeft(i32.load(v.n), 30)), c32(0)), v.finish()];

/** All functions of this file by name. */
export const cryptographyFunctions: ReadonlyMap<string, SimdBody> = new Map<string, SimdBody>([
  ['aese', aesRound(false)], ['aesd', aesRound(true)], ['aesmc', aesMix(false)], ['aesimc', aesMix(true)],
  ['sha1c', sha1Rounds(choose)], ['sha1p', sha1Rounds(xor3)], ['sha1m', sha1Rounds(majority)],
  ['sha1h', sha1Fixed], ['sha1su0', sha1Schedule0], ['sha1su1', sha1Schedule1],
  ['sha256h', sha256Rounds('first')], ['sha256h2', sha256Rounds('second')], ['sha256su0', sha256Schedule0], ['sha256su1', sha256Schedule1],
]);
