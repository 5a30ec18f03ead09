/** SIMD functions on floating-point lanes; a scalar instruction is the same function on one lane. */

import { SLOT_V0 } from '../layout';
import { FORMATS, magnitude, negated, roundingMode, type Format } from '../float/format';
import { flagBits, setFlagBits } from '../semantics/flags';
import { i32, i64, set, when, type I32, type I64 } from '../wasm/expressions';
import { laneFunction, type LaneOperation, type Lanes, type SimdBody, type Size } from './lanes';

const c32 = i32.const;
const c64 = i64.const;
const functions = new Map<string, SimdBody>();

const sizeOf = (format: Format): Size => (format.bits === 16 ? 2 : format.bits === 32 ? 4 : 8);
type Value = (v: Lanes, format: Format, call: (name: string, ...values: readonly (I64 | I32)[]) => I64) => I64;

/** A function of a name for each format. */
function define(name: string, options: Partial<LaneOperation>, value: Value): void {
  for (const format of FORMATS) {
    const size = sizeOf(format);
    functions.set(`${name}.${size}`, laneFunction({
      ...options, size, compute: (v) => ({ value: value(v, format, (called, ...values) => v.library.call64(`${called}${format.bits}`, ...values)) }),
    }));
  }
}

/** Pairs of neighbours, those of n before those of m. */
function pairwise(format: Format, name: string): SimdBody {
  const size = sizeOf(format);
  return (v) => {
    const at = i32.shl(v.index, c32(1));
    const base = v.f.local32();
    const address = i32.select(i32.ltU(at, v.bytes), i32.add(v.n, at), i32.add(v.m, i32.sub(at, v.bytes)));
    return [
      v.begin(),
      v.each(size, [set(base, address), v.put(size, v.library.call64(`${name}${format.bits}`, v.load(size, base), v.load(size, base, size)))]),
      v.finish(),
    ];
  };
}

/** All lanes in one, as a balanced tree; `extra` is how many bytes they have. */
function across(format: Format, name: string): SimdBody {
  const size = sizeOf(format);
  return (v) => {
    const tree = (first: number, bytes: number): I64 => (bytes === size ? v.load(size, v.n, first)
      : v.library.call64(`${name}${format.bits}`, tree(first, bytes / 2), tree(first + bytes / 2, bytes / 2)));
    return [v.begin(), when(i32.eq(v.extra, c32(16)), set(v.r, tree(0, 16)), set(v.r, tree(0, 8))), v.put(size, v.r, c32(0)), v.finish()];
  };
}

for (const name of ['add', 'sub', 'mul', 'mulx', 'div', 'max', 'min', 'maxnm', 'minnm', 'recps', 'rsqrts']) {
  define(`f${name}`, {}, (v, _format, call) => call(name, v.a, v.b));
}
for (const name of ['mul', 'mulx']) define(`f${name}.e`, { element: true }, (v, _format, call) => call(name, v.a, v.b));
define('fnmul', {}, (v, format, call) => negated(format, call('mul', v.a, v.b)));
define('fabd', {}, (v, format, call) => magnitude(format, call('sub', v.a, v.b)));
for (const relation of ['eq', 'ge', 'gt']) {
  define(`fcm${relation}`, {}, (v, _format, call) => call(relation, v.a, v.b));
  define(`fac${relation}`, {}, (v, format, call) => call(relation, magnitude(format, v.a), magnitude(format, v.b)));
  define(`fcm${relation}0`, {}, (v, _format, call) => call(relation, v.a, c64(0n)));
}
define('fcmle0', {}, (v, _format, call) => call('ge', c64(0n), v.a));
define('fcmlt0', {}, (v, _format, call) => call('gt', c64(0n), v.a));
for (const suffix of ['', '.e'] as const) {
  const options = { accumulates: true, element: suffix === '.e' } as const;
  define(`fmla${suffix}`, options, (v, _format, call) => call('fma', v.c, v.a, v.b));
  define(`fmls${suffix}`, options, (v, format, call) => call('fma', v.c, negated(format, v.a), v.b));
}
for (const name of ['add', 'max', 'min', 'maxnm', 'minnm']) {
  for (const format of FORMATS) {
    functions.set(`f${name}p.${sizeOf(format)}`, pairwise(format, name));
    if (format.bits < 64) functions.set(`f${name}v.${sizeOf(format)}`, across(format, name));
  }
}

/** The third source of the scalar fused forms: V register number `extra`. */
const third = (v: Lanes, size: Size): I64 => v.load(size, i32.shl(v.extra, c32(4)), SLOT_V0);
const keep = (_format: Format, value: I64): I64 => value;
for (const [name, addend, factor] of [['fmadd', keep, keep], ['fmsub', keep, negated], ['fnmadd', negated, negated], ['fnmsub', negated, keep]] as const) {
  for (const format of FORMATS) {
    const size = sizeOf(format);
    // Scalars only: no lanes to go through.
    functions.set(`${name}.${size}`, (v) => [
      i64.store(v.d, v.library.call64(`fma${format.bits}`, addend(format, third(v, size)), factor(format, v.load(size, v.n)), v.load(size, v.m))),
      i64.store(v.d, c64(0n), 8),
    ]);
  }
}

define('fmov', {}, (v) => v.a);
define('fabs', {}, (v, format) => magnitude(format, v.a));
define('fneg', {}, (v, format) => negated(format, v.a));
for (const name of ['sqrt', 'recpe', 'rsqrte', 'recpx']) define(`f${name}`, {}, (v, _format, call) => call(name, v.a));

/** `amount` is a rounding mode, or this for FPCR's. */
export const CURRENT_MODE = 7;
const modeOf = (v: Lanes): I32 => i32.select(i32.eq(v.amount, c32(CURRENT_MODE)), roundingMode, v.amount);
define('frint', {}, (v, _format, call) => call('integral', v.a, modeOf(v), v.part));

/** Bits of the kind of integer in `part`: unsigned, 64 bits wide, 16 bits wide. */
export const IntegerKind = { unsigned: 1, long: 2, short: 4 } as const;
const isUnsigned = (v: Lanes): I32 => i32.and(v.part, c32(IntegerKind.unsigned));
/** The fraction bits are in `extra`. */
define('fcvti', {}, (v, _format, call) => call('toFixed', v.a, v.extra, modeOf(v), v.part));

/** The magnitude and sign of the integer in `v.a`, converted. */
function fromInteger(v: Lanes, format: Format): I64 {
  const isNegative = i32.and(i32.eqz(isUnsigned(v)), i64.ltS(v.a, c64(0n)));
  const sign = v.f.local32();
  const value: I64 = i64.select(sign, i64.sub(c64(0n), v.a), v.a);
  return { type: 'i64', code: [set(sign, isNegative), v.library.call64(`fromFixed${format.bits}`, value, sign, v.extra, roundingMode).code] };
}

for (const format of FORMATS.filter(({ bits }) => bits > 16)) {
  // FRINT32 and FRINT64: `extra` is how many bits the integer has.
  functions.set(`frintn.${sizeOf(format)}`, laneFunction({
    size: sizeOf(format), compute: (v) => ({ value: v.library.call64(`within${format.bits}`, v.a, modeOf(v), v.extra) }),
  }));
}

for (const format of FORMATS) {
  const size = sizeOf(format);
  const extended = (v: Lanes, of: Size): I64 => i64.select(isUnsigned(v), v.a, of === 8 ? v.a : of === 4 ? i64.extend32S(v.a) : i64.extend16S(v.a));
  functions.set(`fcvtf.${size}`, laneFunction({ size, compute: (v) => ({ before: set(v.a, extended(v, size)), value: fromInteger(v, format) }) }));
  // Between general registers (whole slots of 64 bits) and scalars.
  functions.set(`tofixed.${size}`, (v) => [
    v.begin(), set(v.a, v.load(size, v.n)),
    i64.store(v.d, v.library.call64(`toFixed${format.bits}`, v.a, v.extra, modeOf(v), v.part)),
  ]);
  functions.set(`fromfixed.${size}`, (v) => {
    const isLong = i32.and(v.part, c32(IntegerKind.long));
    const word = i64.select(isUnsigned(v), v.load(4, v.n), v.loadSigned(4, v.n));
    return [v.begin(), set(v.a, i64.select(isLong, i64.load(v.n), word)), v.put(size, fromInteger(v, format), c32(0)), v.finish()];
  });
  for (const [name, compare] of [['fcmp', 'cmp'], ['fcmpe', 'cmpe']] as const) {
    const outcome = (v: Lanes): I32 => v.library.call32(`${compare}${format.bits}`, v.load(size, v.n), v.load(size, v.m));
    functions.set(`${name}.${size}`, (v) => setFlagBits(outcome(v), v.index));
    // The mask of the condition in `amount` and `part`, the other flags in `extra`.
    functions.set(`${name.replace('fcm', 'fccm')}.${size}`, (v) => {
      const mask = i32.or(v.amount, i32.shl(v.part, c32(8)));
      return when(i32.and(i32.shrU(mask, flagBits), c32(1)), setFlagBits(outcome(v), v.index), setFlagBits(v.extra, v.index));
    });
  }
  functions.set(`fcsel.${size}`, (v) => {
    const mask = i32.or(v.amount, i32.shl(v.part, c32(8)));
    return [v.begin(), v.put(size, v.load(size, i32.select(i32.and(i32.shrU(mask, flagBits), c32(1)), v.n, v.m)), c32(0)), v.finish()];
  });
}

for (const from of FORMATS) {
  for (const to of FORMATS.filter((format) => format !== from)) {
    const [source, result] = [sizeOf(from), sizeOf(to)];
    const converted = (v: Lanes, address: I32): I64 => v.library.call64(`convert${from.bits}to${to.bits}`, v.load(source, address));
    functions.set(`fcvt.${source}.${result}`, (v) => [v.begin(), v.put(result, converted(v, v.n), c32(0)), v.finish()]);
    if (result === source * 2) {
      functions.set(`fcvtl.${source}`, (v) => [v.begin(), v.each(result, v.put(result, converted(v, i32.add(i32.add(v.n, i32.shrU(v.index, c32(1))), v.part)))), v.finish()]);
    }
    if (source === result * 2) {
      functions.set(`fcvtn.${source}`, (v) => [v.begin(), v.each(result, v.put(result, converted(v, i32.add(v.n, i32.shl(v.index, c32(1)))))), v.finishPart()]);
    }
  }
}
/** Double to single, rounded to odd. */
functions.set('fcvtxn.8', (v) => [
  v.begin(), v.each(4, v.put(4, v.library.call64('convertToOdd', i64.load(i32.add(v.n, i32.shl(v.index, c32(1))))))), v.finishPart(),
]);

/** All functions of this file by name. */
export const floatFunctions: ReadonlyMap<string, SimdBody> = functions;
