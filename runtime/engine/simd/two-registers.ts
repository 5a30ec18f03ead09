/** SIMD functions of one source register: bits, signs, comparisons with zero, widths, sums across lanes, shifts by a constant. */

import { label, type Code } from '../wasm/code';
import { branchIf, i32, i64, loop, set, when, type I32, type I64 } from '../wasm/expressions';
import { laneFunction, laneMask, SIZES, type LaneOperation, type Lanes, type SimdBody, type Size } from './lanes';
import { shiftCall, type ShiftKind } from './shift-functions';

type Compute = LaneOperation['compute'];
type Options = Pick<LaneOperation, 'shape' | 'signed' | 'accumulates'>;

const c32 = i32.const;
const c64 = i64.const;
const functions = new Map<string, SimdBody>();
const NARROW: readonly Size[] = [1, 2, 4];

function define(name: string, sizes: readonly Size[], options: Options, compute: Compute): void {
  for (const size of sizes) functions.set(`${name}.${size}`, laneFunction({ ...options, size, compute }));
}
const plain = (operation: (a: I64, v: Lanes, size: Size) => I64): Compute => (v, size) => ({ value: operation(v.a, v, size) });
const mask = (condition: I32): I64 => i64.sub(c64(0n), i64.extendU(condition));
const absolute = (value: I64): I64 => i64.select(i64.ltS(value, c64(0n)), i64.sub(c64(0n), value), value);
const invert = (value: I64): I64 => i64.xor(value, c64(-1n));
const popcount = (value: I64): I64 => ({ type: 'i64', code: [value.code, 0x7b] });

define('not', [1], {}, plain((a) => invert(a)));
define('abs', SIZES, { signed: true }, plain((a) => absolute(a)));
define('neg', SIZES, { signed: true }, plain((a) => i64.sub(c64(0n), a)));
define('cnt', [1], {}, plain((a) => popcount(a)));
define('clz', NARROW, {}, plain((a, _v, size) => i64.sub(i64.clz(a), c64(BigInt(64 - size * 8)))));
define('cls', NARROW, { signed: true }, plain((a, _v, size) => i64.sub(i64.clz(i64.xor(a, i64.shrS(a, c64(63n)))), c64(BigInt(65 - size * 8)))));
for (const [name, compare] of [['cmgt0', i64.gtS], ['cmge0', i64.geS], ['cmeq0', i64.eq], ['cmle0', i64.leS], ['cmlt0', i64.ltS]] as const) {
  define(name, SIZES, { signed: true }, plain((a) => mask(compare(a, c64(0n)))));
}
for (const [name, operate] of [['sqabs', absolute], ['sqneg', (a: I64): I64 => i64.sub(c64(0n), a)]] as const) {
  define(name, SIZES, { signed: true }, (v, size) => {
    const most = c64(-(1n << BigInt(size * 8 - 1)));
    return { before: [set(v.r, operate(v.a)), when(i64.eq(v.a, most), [set(v.r, invert(most)), v.saturated()])], value: v.r };
  });
}

/** Reverses the bits of a byte: rows of a multiplication spread them. */
define('rbit', [1], {}, (v) => ({
  before: [set(v.r, c64(0n)), Array.from({ length: 8 }, (_, bit) => set(v.r, i64.or(v.r, i64.shl(i64.and(i64.shrU(v.a, c64(BigInt(bit))), c64(1n)), c64(BigInt(7 - bit))))))],
  value: v.r,
}));

/** Reverses lanes inside containers: the byte offset of the mirrored lane comes by flipping bits of the index. */
function reverse(container: number, size: Size): SimdBody {
  return (v) => [v.begin(), v.each(size, v.put(size, v.load(size, i32.add(v.n, i32.xor(v.index, c32(container - size)))))), v.finish()];
}
for (const container of [2, 4, 8]) {
  for (const size of SIZES) if (size < container) functions.set(`rev${container * 8}.${size}`, reverse(container, size));
}

/** Sums of neighbours at twice the width; the name's size is that of the source. */
function addPairsLong(size: Size, signed: boolean, accumulates: boolean): SimdBody {
  return (v) => {
    const at = i32.add(v.n, v.index);
    const read = (offset: number): I64 => (signed ? v.loadSigned(size, at, offset) : v.load(size, at, offset));
    const result: Size = size === 1 ? 2 : size === 2 ? 4 : 8;
    const sum = i64.add(read(0), read(size));
    return [v.begin(), v.each(result, v.put(result, accumulates ? i64.add(sum, v.load(result, i32.add(v.d, v.index))) : sum)), v.finish()];
  };
}
for (const size of NARROW) {
  for (const [prefix, signed] of [['s', true], ['u', false]] as const) {
    functions.set(`${prefix}addlp.${size}`, addPairsLong(size, signed, false));
    functions.set(`${prefix}adalp.${size}`, addPairsLong(size, signed, true));
  }
}

/** Unsigned plus signed, saturated as the destination is; `d` is one operand. */
function mixedSum(signed: boolean): SimdBody[] {
  return SIZES.map((size): SimdBody => (v) => {
    const [own, other] = [i32.add(v.d, v.index), i32.add(v.n, v.index)];
    const narrow = [set(v.r, i64.add(v.a, v.b)), v.saturate(size, signed)];
    return [
      v.begin(),
      v.each(size, [
        set(v.a, signed ? v.loadSigned(size, own) : v.load(size, own)), set(v.b, signed ? v.load(size, other) : v.loadSigned(size, other)),
        size < 8 ? narrow : signed ? mixedSigned64(v) : mixedUnsigned64(v),
        v.put(size, v.r),
      ]),
      v.finish(),
    ];
  });
}

/** Signed `a` plus unsigned `b` in doublewords: only the upper bound can be passed. */
function mixedSigned64(v: Lanes): Code {
  const fits = i64.leU(v.b, i64.sub(c64((1n << 63n) - 1n), v.a));
  return [set(v.r, i64.add(v.a, v.b)), when(i32.eqz(fits), [set(v.r, c64((1n << 63n) - 1n)), v.saturated()])];
}

/** Unsigned `a` plus signed `b` in doublewords. */
function mixedUnsigned64(v: Lanes): Code {
  return [
    set(v.r, i64.add(v.a, v.b)),
    when(i64.ltS(v.b, c64(0n)),
      when(i64.gtU(v.r, v.a), [set(v.r, c64(0n)), v.saturated()]),
      when(i64.ltU(v.r, v.a), [set(v.r, c64(-1n)), v.saturated()])),
  ];
}
mixedSum(true).forEach((body, index) => functions.set(`suqadd.${SIZES[index] ?? 8}`, body));
mixedSum(false).forEach((body, index) => functions.set(`usqadd.${SIZES[index] ?? 8}`, body));

define('xtn', NARROW, { shape: 'narrow' }, plain((a) => a));
const narrowed = (signedSource: boolean, signedResult: boolean): Compute => (v, size) => {
  const beyond = i64.gtU(v.a, c64(laneMask(size)));
  const fromUnsigned = when(beyond, [set(v.r, c64(laneMask(size))), v.saturated()]);
  return { before: [set(v.r, v.a), signedSource ? v.saturate(size, signedResult) : fromUnsigned], value: v.r };
};
define('sqxtn', NARROW, { shape: 'narrow', signed: true }, narrowed(true, true));
define('sqxtun', NARROW, { shape: 'narrow', signed: true }, narrowed(true, false));
define('uqxtn', NARROW, { shape: 'narrow' }, narrowed(false, false));
define('shll', NARROW, { shape: 'long' }, plain((a, _v, size) => i64.shl(a, c64(BigInt(size * 8)))));

/** One number from all lanes; the name's size is that of the source, `extra` is how many bytes it has. */
function across(size: Size, signed: boolean, result: Size, operate: (sum: I64, lane: I64) => I64): SimdBody {
  return (v) => {
    const read = (address: I32): I64 => (signed ? v.loadSigned(size, address) : v.load(size, address));
    const again = label('lane');
    return [
      v.begin(), set(v.r, read(v.n)), set(v.index, c32(size)),
      loop(again, [
        set(v.a, read(i32.add(v.n, v.index))), set(v.r, operate(v.r, v.a)),
        set(v.index, i32.add(v.index, c32(size))), branchIf(i32.ltU(v.index, v.extra), again),
      ]),
      v.put(result, v.r, c32(0)), v.finish(),
    ];
  };
}
for (const size of NARROW) {
  const doubled: Size = size === 1 ? 2 : size === 2 ? 4 : 8;
  functions.set(`addv.${size}`, across(size, false, size, i64.add));
  for (const [prefix, signed, greater] of [['s', true, i64.gtS], ['u', false, i64.gtU]] as const) {
    functions.set(`${prefix}addlv.${size}`, across(size, signed, doubled, i64.add));
    functions.set(`${prefix}maxv.${size}`, across(size, signed, size, (a, b) => i64.select(greater(a, b), a, b)));
    functions.set(`${prefix}minv.${size}`, across(size, signed, size, (a, b) => i64.select(greater(a, b), b, a)));
  }
}

// Shifts by a constant: `amount` is the count.
const shifted = (kind: ShiftKind, direction: 'left' | 'right'): Compute => (v, size) =>
  ({ value: shiftCall(v, kind, size, direction === 'left' ? v.amount : i32.sub(c32(0), v.amount)) });
define('shl', SIZES, {}, shifted('u', 'left'));
define('sqshli', SIZES, { signed: true }, shifted('sq', 'left'));
define('uqshli', SIZES, {}, shifted('uq', 'left'));
define('sqshlui', SIZES, { signed: true }, (v, size) => ({
  before: when(i64.ltS(v.a, c64(0n)), [set(v.r, c64(0n)), v.saturated()], set(v.r, shiftCall(v, 'uq', size, v.amount))),
  value: v.r,
}));
for (const [prefix, signed] of [['s', true], ['u', false]] as const) {
  for (const [infix, kind] of [['', prefix], ['r', `${prefix}r`]] as const) {
    define(`${prefix}${infix}shr`, SIZES, { signed }, shifted(kind, 'right'));
    define(`${prefix}${infix}sra`, SIZES, { signed, accumulates: true }, (v, size) => ({ value: i64.add(v.c, shifted(kind, 'right')(v, size).value) }));
  }
  define(`${prefix}shll`, NARROW, { signed, shape: 'long' }, plain((a, v) => i64.shl(a, i64.extendU(v.amount))));
}
define('sli', SIZES, { accumulates: true }, (v) => {
  const kept = i64.sub(i64.shl(c64(1n), i64.extendU(v.amount)), c64(1n));
  return { value: i64.or(i64.and(v.c, kept), i64.shl(v.a, i64.extendU(v.amount))) };
});
define('sri', SIZES, { accumulates: true }, (v, size) => {
  const ones = i64.select(i32.eq(v.amount, c32(64)), c64(0n), i64.shrU(c64(laneMask(size)), i64.extendU(v.amount)));
  const moved = i64.select(i32.eq(v.amount, c32(64)), c64(0n), i64.shrU(v.a, i64.extendU(v.amount)));
  return { value: i64.or(i64.and(v.c, invert(ones)), moved) };
});

/** Narrowing shifts: of the doubled width, rounded or not, then cut or saturated. */
function narrowingShift(rounds: boolean, finish: 'cut' | 'signed' | 'unsigned' | 'toUnsigned'): Compute {
  return (v, size) => {
    const wide: Size = size === 1 ? 2 : size === 2 ? 4 : 8;
    const signed = finish === 'signed' || finish === 'toUnsigned';
    const kind: ShiftKind = `${signed ? 's' : 'u'}${rounds ? 'r' : ''}`;
    const before = [set(v.a, shiftCall(v, kind, wide, i32.sub(c32(0), v.amount))), set(v.r, v.a)];
    const beyond = i64.gtU(v.r, c64(laneMask(size)));
    const unsigned = when(beyond, [set(v.r, c64(laneMask(size))), v.saturated()]);
    return { before: [before, finish === 'cut' ? [] : signed ? v.saturate(size, finish === 'signed') : unsigned], value: v.r };
  };
}
for (const [infix, rounds] of [['', false], ['r', true]] as const) {
  define(`${infix}shrn`, NARROW, { shape: 'narrow' }, narrowingShift(rounds, 'cut'));
  define(`sq${infix}shrn`, NARROW, { shape: 'narrow', signed: true }, narrowingShift(rounds, 'signed'));
  define(`uq${infix}shrn`, NARROW, { shape: 'narrow' }, narrowingShift(rounds, 'unsigned'));
  define(`sq${infix}shrun`, NARROW, { shape: 'narrow', signed: true }, narrowingShift(rounds, 'toUnsigned'));
}

/** The integer estimates. */
for (const name of ['urecpe', 'ursqrte']) {
  functions.set(`${name}.4`, laneFunction({ size: 4, compute: (v) => ({ value: v.library.call64(name, v.a) }) }));
}

/** All functions of this file by name. */
export const twoRegisterFunctions: ReadonlyMap<string, SimdBody> = functions;
