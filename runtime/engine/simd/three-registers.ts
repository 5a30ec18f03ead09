/** SIMD functions of two source registers: arithmetic on integers, same width, widening and narrowing, vector or by element. */

import type { Code } from '../wasm/code';
import { i32, i64, set, when, type I32, type I64 } from '../wasm/expressions';
import { laneFunction, SIZES, type LaneOperation, type Lanes, type SimdBody, type Size } from './lanes';
import { shiftCall } from './shift-functions';

type Compute = LaneOperation['compute'];
type Options = Pick<LaneOperation, 'shape' | 'signed' | 'accumulates' | 'element'>;

const c64 = i64.const;
const functions = new Map<string, SimdBody>();

/** Names are `mnemonic.size`, and `mnemonic.e.size` for the form by element. */
function define(names: string, sizes: readonly Size[], options: Options, compute: Compute): void {
  for (const name of names.split(' ')) {
    for (const size of sizes) functions.set(`${name}.${size}`, laneFunction({ ...options, size, compute }));
  }
}

/** The same by vector and by element. */
function defineBoth(name: string, sizes: readonly Size[], options: Options, compute: Compute): void {
  define(name, sizes, options, compute);
  define(`${name}.e`, sizes, { ...options, element: true }, compute);
}

const NARROW: readonly Size[] = [1, 2, 4];
const MIDDLE: readonly Size[] = [2, 4];

const plain = (operation: (a: I64, b: I64, v: Lanes) => I64): Compute => (v) => ({ value: operation(v.a, v.b, v) });
const mask = (condition: I32): I64 => i64.sub(c64(0n), i64.extendU(condition));
const distance = (v: Lanes, signed: boolean): I64 =>
  i64.select(signed ? i64.gtS(v.a, v.b) : i64.gtU(v.a, v.b), i64.sub(v.a, v.b), i64.sub(v.b, v.a));

define('add', SIZES, {}, plain(i64.add));
define('sub', SIZES, {}, plain(i64.sub));
defineBoth('mul', NARROW, {}, plain(i64.mul));
defineBoth('mla', NARROW, { accumulates: true }, plain((a, b, v) => i64.add(v.c, i64.mul(a, b))));
defineBoth('mls', NARROW, { accumulates: true }, plain((a, b, v) => i64.sub(v.c, i64.mul(a, b))));
define('cmeq', SIZES, {}, plain((a, b) => mask(i64.eq(a, b))));
define('cmtst', SIZES, {}, plain((a, b) => mask(i64.ne(i64.and(a, b), c64(0n)))));

for (const [prefix, signed] of [['s', true], ['u', false]] as const) {
  const shift = (value: I64): I64 => (signed ? i64.shrS(value, c64(1n)) : i64.shrU(value, c64(1n)));
  const [greater, greaterEqual] = signed ? [i64.gtS, i64.geS] : [i64.gtU, i64.geU];
  define(signed ? 'cmgt' : 'cmhi', SIZES, { signed }, plain((a, b) => mask(greater(a, b))));
  define(signed ? 'cmge' : 'cmhs', SIZES, { signed }, plain((a, b) => mask(greaterEqual(a, b))));
  define(`${prefix}max`, NARROW, { signed }, plain((a, b) => i64.select(greater(a, b), a, b)));
  define(`${prefix}min`, NARROW, { signed }, plain((a, b) => i64.select(greater(a, b), b, a)));
  define(`${prefix}hadd`, NARROW, { signed }, plain((a, b) => shift(i64.add(a, b))));
  define(`${prefix}hsub`, NARROW, { signed }, plain((a, b) => shift(i64.sub(a, b))));
  define(`${prefix}rhadd`, NARROW, { signed }, plain((a, b) => shift(i64.add(i64.add(a, b), c64(1n)))));
  define(`${prefix}abd`, NARROW, { signed }, (v) => ({ value: distance(v, signed) }));
  define(`${prefix}aba`, NARROW, { signed, accumulates: true }, (v) => ({ value: i64.add(v.c, distance(v, signed)) }));
  for (const kind of ['', 'r', 'q', 'qr'] as const) {
    define(`${prefix}${kind}shl`, SIZES, { signed }, (v, size) => ({ value: shiftCall(v, `${prefix}${kind}`, size, i32.extend8S(i32.wrap(v.b))) }));
  }
  define(`${prefix}qadd`, SIZES, { signed }, saturatingSum(signed, 'add'));
  define(`${prefix}qsub`, SIZES, { signed }, saturatingSum(signed, 'sub'));
  // Widening.
  define(`${prefix}addl`, NARROW, { signed, shape: 'long' }, plain(i64.add));
  define(`${prefix}subl`, NARROW, { signed, shape: 'long' }, plain(i64.sub));
  define(`${prefix}addw`, NARROW, { signed, shape: 'wide' }, plain(i64.add));
  define(`${prefix}subw`, NARROW, { signed, shape: 'wide' }, plain(i64.sub));
  define(`${prefix}abdl`, NARROW, { signed, shape: 'long' }, (v) => ({ value: distance(v, signed) }));
  define(`${prefix}abal`, NARROW, { signed, shape: 'long', accumulates: true }, (v) => ({ value: i64.add(v.c, distance(v, signed)) }));
  defineBoth(`${prefix}mull`, NARROW, { signed, shape: 'long' }, plain(i64.mul));
  defineBoth(`${prefix}mlal`, NARROW, { signed, shape: 'long', accumulates: true }, plain((a, b, v) => i64.add(v.c, i64.mul(a, b))));
  defineBoth(`${prefix}mlsl`, NARROW, { signed, shape: 'long', accumulates: true }, plain((a, b, v) => i64.sub(v.c, i64.mul(a, b))));
}

/** Sum or difference, saturated; doublewords have no room to spare and look at the signs. */
function saturatingSum(signed: boolean, verb: 'add' | 'sub'): Compute {
  return (v, size) => {
    const operate = verb === 'add' ? i64.add : i64.sub;
    if (size < 8) return { before: [set(v.r, operate(v.a, v.b)), v.saturate(size, signed)], value: v.r };
    return { before: [set(v.r, operate(v.a, v.b)), saturateLong(v, signed, verb)], value: v.r };
  };
}

/** Saturates the sum or difference of doublewords in `r`. */
function saturateLong(v: Lanes, signed: boolean, verb: 'add' | 'sub'): Code {
  if (!signed) {
    return verb === 'add' ? when(i64.ltU(v.r, v.a), [set(v.r, c64(-1n)), v.saturated()]) : when(i64.ltU(v.a, v.b), [set(v.r, c64(0n)), v.saturated()]);
  }
  const other = verb === 'add' ? i64.xor(v.b, v.r) : i64.xor(v.a, v.b);
  const overflows = i64.ltS(i64.and(i64.xor(v.a, v.r), other), c64(0n));
  const limit = i64.xor(i64.shrS(v.a, c64(63n)), c64((1n << 63n) - 1n));
  return when(overflows, [set(v.r, limit), v.saturated()]);
}

/** The high half of a doubled product, rounded or not; `accumulate` adds it to or takes it from the destination first. */
function doublingHigh(rounds: boolean, accumulate: 'none' | 'add' | 'sub'): Compute {
  return (v, size) => {
    const bits = BigInt(size * 8);
    const shifted = i64.shl(v.c, c64(bits - 1n));
    const product = i64.mul(v.a, v.b);
    const sum = accumulate === 'none' ? product : accumulate === 'add' ? i64.add(shifted, product) : i64.sub(shifted, product);
    const rounded = rounds ? i64.add(sum, c64(1n << (bits - 2n))) : sum;
    return { before: [set(v.r, i64.shrS(rounded, c64(bits - 1n))), v.saturate(size, true)], value: v.r };
  };
}
defineBoth('sqdmulh', MIDDLE, { signed: true }, doublingHigh(false, 'none'));
defineBoth('sqrdmulh', MIDDLE, { signed: true }, doublingHigh(true, 'none'));
defineBoth('sqrdmlah', MIDDLE, { signed: true, accumulates: true }, doublingHigh(true, 'add'));
defineBoth('sqrdmlsh', MIDDLE, { signed: true, accumulates: true }, doublingHigh(true, 'sub'));

/** A doubled product of twice the width, saturated, then added to or taken from the destination, saturated again. */
function doublingLong(accumulate: 'none' | 'add' | 'sub'): Compute {
  return (v, size) => {
    const product = [
      set(v.r, i64.mul(v.a, v.b)),
      // Only the product of two most negative numbers does not fit doubled.
      when(i64.eq(v.r, c64(1n << BigInt(size * 16 - 2))), [set(v.r, c64((1n << BigInt(size * 16 - 1)) - 1n)), v.saturated()], set(v.r, i64.shl(v.r, c64(1n)))),
    ];
    if (accumulate === 'none') return { before: product, value: v.r };
    const sum = accumulate === 'add' ? i64.add(v.c, v.r) : i64.sub(v.c, v.r);
    if (size === 2) return { before: [product, set(v.r, sum), v.saturate(4, true)], value: v.r };
    const [x, y] = [v.f.local64(), v.f.local64()];
    const overflow = i64.ltS(i64.and(i64.xor(x, v.r), accumulate === 'add' ? i64.xor(y, v.r) : i64.xor(x, y)), c64(0n));
    const limit = i64.xor(i64.shrS(x, c64(63n)), c64((1n << 63n) - 1n));
    return { before: [product, set(x, v.c), set(y, v.r), set(v.r, sum), when(overflow, [set(v.r, limit), v.saturated()])], value: v.r };
  };
}
defineBoth('sqdmull', MIDDLE, { signed: true, shape: 'long' }, doublingLong('none'));
defineBoth('sqdmlal', MIDDLE, { signed: true, shape: 'long', accumulates: true }, doublingLong('add'));
defineBoth('sqdmlsl', MIDDLE, { signed: true, shape: 'long', accumulates: true }, doublingLong('sub'));

for (const [prefix, rounds] of [['', false], ['r', true]] as const) {
  for (const [name, operate] of [['addhn', i64.add], ['subhn', i64.sub]] as const) {
    define(`${prefix}${name}`, NARROW, { shape: 'narrow' }, (v, size) => {
      const bits = BigInt(size * 8);
      const sum = operate(v.a, v.b);
      return { value: i64.shrU(rounds ? i64.add(sum, c64(1n << (bits - 1n))) : sum, c64(bits)) };
    });
  }
}

/** Polynomial product of bytes. */
const polynomial: Compute = (v) => ({
  before: [
    set(v.r, c64(0n)),
    Array.from({ length: 8 }, (_, bit) => set(v.r, i64.xor(v.r, i64.and(i64.shl(v.a, c64(BigInt(bit))), mask(i32.wrap(i64.and(i64.shrU(v.b, c64(BigInt(bit))), c64(1n)))))))),
  ],
  value: v.r,
});
define('pmul', [1], {}, polynomial);
define('pmull', [1], { shape: 'long' }, polynomial);

/** Pairs of neighbours, first those of n, then those of m. */
function pairwise(size: Size, signed: boolean, operate: (a: I64, b: I64) => I64): SimdBody {
  return (v) => {
    const at = i32.shl(v.index, i32.const(1));
    const address = i32.select(i32.ltU(at, v.bytes), i32.add(v.n, at), i32.add(v.m, i32.sub(at, v.bytes)));
    const base = v.f.local32();
    const read = (offset: number): I64 => (signed ? v.loadSigned(size, base, offset) : v.load(size, base, offset));
    return [v.begin(), v.each(size, [set(base, address), set(v.a, read(0)), set(v.b, read(size)), v.put(size, operate(v.a, v.b))]), v.finish()];
  };
}
for (const size of SIZES) {
  functions.set(`addp.${size}`, pairwise(size, false, i64.add));
  for (const [prefix, signed, greater] of [['s', true, i64.gtS], ['u', false, i64.gtU]] as const) {
    functions.set(`${prefix}maxp.${size}`, pairwise(size, signed, (a, b) => i64.select(greater(a, b), a, b)));
    functions.set(`${prefix}minp.${size}`, pairwise(size, signed, (a, b) => i64.select(greater(a, b), b, a)));
  }
}

/** Sums of four products of bytes per word; by element, `m` holds the same four bytes for all. */
function dotProduct(signed: boolean, element: boolean): SimdBody {
  return (v) => {
    const read = (address: I32, offset: number): I64 => (signed ? v.loadSigned(1, address, offset) : v.load(1, address, offset));
    const [n, m] = [v.f.local32(), v.f.local32()];
    return [
      v.begin(),
      v.each(4, [
        set(n, i32.add(v.n, v.index)), set(m, element ? i32.add(v.m, v.amount) : i32.add(v.m, v.index)),
        set(v.r, v.load(4, i32.add(v.d, v.index))),
        [0, 1, 2, 3].map((lane) => set(v.r, i64.add(v.r, i64.mul(read(n, lane), read(m, lane))))),
        v.put(4, v.r),
      ]),
      v.finish(),
    ];
  };
}
for (const [name, signed] of [['sdot', true], ['udot', false]] as const) {
  functions.set(`${name}.4`, dotProduct(signed, false));
  functions.set(`${name}.e.4`, dotProduct(signed, true));
}

/** All functions of this file by name. */
export const threeRegisterFunctions: ReadonlyMap<string, SimdBody> = functions;

