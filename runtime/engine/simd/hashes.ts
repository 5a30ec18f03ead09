/** SIMD functions of SHA-512, SHA-3 and SM3. Arm ARM (DDI 0487) C7.2, the pages of the instructions. */

import type { Code } from '../wasm/code';
import { i32, i64, set, type I32, type I64, type Local32 } from '../wasm/expressions';
import { SLOT_V0, VECTOR_RESULT } from '../layout';
import type { Lanes, SimdBody } from './lanes';

const c32 = i32.const;
const c64 = i64.const;
const ZERO = c32(0);

/** The address of the third source, register number `extra`. */
const third = (v: Lanes): I32 => i32.add(i32.shl(v.extra, c32(4)), c32(SLOT_V0));
const low = (address: I32): I64 => i64.load(address);
const high = (address: I32): I64 => i64.load(address, 8);

/** Writes both halves of the destination at once. */
function finishHalves(v: Lanes, lower: I64, upper: I64): Code {
  return [i64.store(ZERO, lower, VECTOR_RESULT), i64.store(ZERO, upper, VECTOR_RESULT + 8), v.finish()];
}

const right = (value: I64, by: number): I64 => i64.rotr(value, c64(BigInt(by)));
const xor3 = (a: I64, b: I64, c: I64): I64 => i64.xor(i64.xor(a, b), c);
const sum3 = (a: I64, b: I64, c: I64): I64 => i64.add(i64.add(a, b), c);
const choose = (x: I64, y: I64, z: I64): I64 => i64.xor(i64.and(i64.xor(y, z), x), z);
const majority = (x: I64, y: I64, z: I64): I64 => i64.or(i64.and(x, y), i64.and(i64.or(x, y), z));
const largeSigma0 = (value: I64): I64 => xor3(right(value, 28), right(value, 34), right(value, 39));
const largeSigma1 = (value: I64): I64 => xor3(right(value, 14), right(value, 18), right(value, 41));
const smallSigma0 = (value: I64): I64 => xor3(right(value, 1), right(value, 8), i64.shrU(value, c64(7n)));
const smallSigma1 = (value: I64): I64 => xor3(right(value, 19), right(value, 61), i64.shrU(value, c64(6n)));

/** Two rounds: the half of the state that is changed by the choice. */
const sha512First: SimdBody = (v) => [
  set(v.a, sum3(choose(high(v.m), low(v.n), high(v.n)), largeSigma1(high(v.m)), high(v.d))),
  set(v.b, i64.add(v.a, low(v.m))),
  finishHalves(v, sum3(choose(v.b, high(v.m), low(v.n)), largeSigma1(v.b), low(v.d)), v.a),
];

/** Two rounds: the half of the state that is changed by the majority. */
const sha512Second: SimdBody = (v) => [
  set(v.a, sum3(majority(low(v.n), high(v.m), low(v.m)), largeSigma0(low(v.m)), high(v.d))),
  finishHalves(v, sum3(majority(v.a, low(v.m), high(v.m)), largeSigma0(v.a), low(v.d)), v.a),
];

const sha512Schedule0: SimdBody = (v) => finishHalves(v, i64.add(low(v.d), smallSigma0(high(v.d))), i64.add(high(v.d), smallSigma0(low(v.n))));
const sha512Schedule1: SimdBody = (v) => finishHalves(v, sum3(low(v.d), smallSigma1(low(v.n)), low(v.m)), sum3(high(v.d), smallSigma1(high(v.n)), high(v.m)));

/** The same for both halves. */
const bothHalves = (value: (half: (address: I32) => I64, v: Lanes) => I64): SimdBody => (v) => finishHalves(v, value(low, v), value(high, v));

const left32 = (value: I32, by: number): I32 => i32.rotr(value, c32(32 - by));
const xor32 = (a: I32, b: I32, c: I32): I32 => i32.xor(i32.xor(a, b), c);
const majority32 = (x: I32, y: I32, z: I32): I32 => i32.or(i32.and(x, y), i32.and(i32.or(x, y), z));
const choose32 = (x: I32, y: I32, z: I32): I32 => i32.xor(i32.and(i32.xor(y, z), x), z);
/** Word `index` of a register. */
const word = (address: I32, index: number): I32 => i32.load(address, index * 4);
const put = (v: Lanes, index: number, value: I32): Code => v.put(4, i64.extendU(value), c32(index * 4));

/** Half of a round of SM3: words of the state move down, the top one is new; `amount` is the offset of the message word. */
function sm3Half(mix: (x: I32, y: I32, z: I32) => I32, half: 1 | 2): SimdBody {
  return (v) => {
    const top: Local32 = v.f.local32();
    const [a, b, c] = [word(v.d, 3), word(v.d, 2), word(v.d, 1)];
    const added = half === 1 ? i32.xor(word(v.n, 3), left32(a, 12)) : word(v.n, 3);
    const sum = i32.add(i32.add(mix(a, b, c), word(v.d, 0)), i32.add(added, i32.load(i32.add(v.m, v.amount))));
    return [
      v.begin(), set(top, sum),
      put(v, 0, c), put(v, 1, left32(b, half === 1 ? 9 : 19)), put(v, 2, a),
      put(v, 3, half === 1 ? top : xor32(top, left32(top, 9), left32(top, 17))), v.finish(),
    ];
  };
}

const permuted = (value: I32): I32 => xor32(value, left32(value, 15), left32(value, 23));

const sm3PartW1: SimdBody = (v) => {
  const words = [v.f.local32(), v.f.local32(), v.f.local32(), v.f.local32()];
  const own = (index: number): I32 => i32.xor(word(v.d, index), word(v.n, index));
  return [
    v.begin(),
    words.map((local, index) => [
      set(local, i32.xor(own(index), left32(index === 3 ? words[0] ?? ZERO : word(v.m, index + 1), 15))), set(local, permuted(local)),
    ]),
    words.map((local, index) => put(v, index, local)), v.finish(),
  ];
};

const sm3PartW2: SimdBody = (v) => {
  const first = v.f.local32();
  const mixed = (index: number): I32 => i32.xor(word(v.n, index), left32(word(v.m, index), 7));
  const result = (index: number): I32 => i32.xor(word(v.d, index), mixed(index));
  return [
    v.begin(), set(first, left32(mixed(0), 15)),
    [0, 1, 2].map((index) => put(v, index, result(index))), put(v, 3, i32.xor(result(3), permuted(first))), v.finish(),
  ];
};

const sm3Sum: SimdBody = (v) => [
  v.begin(), put(v, 3, left32(i32.add(i32.add(left32(word(v.n, 3), 12), word(v.m, 3)), word(third(v), 3)), 7)), v.finish(),
];

/** All functions of this file by name. */
export const hashFunctions: ReadonlyMap<string, SimdBody> = new Map<string, SimdBody>([
  ['sha512h', sha512First], ['sha512h2', sha512Second], ['sha512su0', sha512Schedule0], ['sha512su1', sha512Schedule1],
  ['rax1', bothHalves((half, v) => i64.xor(half(v.n), right(half(v.m), 63)))],
  ['eor3', bothHalves((half, v) => xor3(half(v.n), half(v.m), half(third(v))))],
  ['bcax', bothHalves((half, v) => i64.xor(half(v.n), i64.and(half(v.m), i64.xor(half(third(v)), c64(-1n)))))],
  ['xar', bothHalves((half, v): I64 => i64.rotr(i64.xor(half(v.n), half(v.m)), i64.extendU(v.amount)))],
  ['sm3ss1', sm3Sum], ['sm3partw1', sm3PartW1], ['sm3partw2', sm3PartW2],
  ['sm3tt1a', sm3Half(xor32, 1)], ['sm3tt1b', sm3Half(majority32, 1)], ['sm3tt2a', sm3Half(xor32, 2)], ['sm3tt2b', sm3Half(choose32, 2)],
]);

