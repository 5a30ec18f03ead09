/**
 * Fused multiply-add and the two reciprocal steps: the exact product and addend in 128 bits, rounded once.
 * Arm ARM (DDI 0487) pseudocode: FPMulAdd, FPRecipStepFused, FPRSqrtStepFused.
 */

import type { Code } from '../wasm/code';
import { giveBack, i32, i64, set, when, type I32, type I64, type Local32, type Local64 } from '../wasm/expressions';
import type { Definition, Library } from '../wasm/library';
import type { FunctionLocals } from '../wasm/module';
import {
  c32, c64, Flag, FORMATS, hostIsExact, isInfinite, isNan, isNormal, isZero, negated, raise, Rounding, roundingMode, signBit, signOf,
  type Format,
} from './format';
import { fuseOnHost, isModerate } from './fused-on-host';
import { isSafeResult } from './host';
import { LEADING } from './rounding';

type Definitions = (readonly [name: string, definition: Definition])[];

/** A number of 128 bits; leading ones of aligned numbers stand at bit 124 or 125. */
interface Wide { readonly high: Local64; readonly low: Local64 }

/** Shifts right by `count` (0 or more), keeping what falls out as a one in bit 0. */
function jamWide(library: Library, { high, low }: Wide, count: I32): Code {
  const upToHigh = [
    set(low, i64.or(i64.shl(high, i64.extendU(i32.sub(c32(64), count))), library.call64('jam', low, count))),
    set(high, i64.shrU(high, i64.extendU(count))),
  ];
  const beyond = [
    set(low, i64.or(library.call64('jam', high, i32.sub(count, c32(64))), i64.extendU(i64.ne(low, c64(0n))))),
    set(high, c64(0n)),
  ];
  return when(count, when(i32.ltU(count, c32(64)), upToHigh, beyond));
}

const addWide = (a: Wide, b: Wide): Code => [
  set(a.low, i64.add(a.low, b.low)),
  set(a.high, i64.add(i64.add(a.high, b.high), i64.extendU(i64.ltU(a.low, b.low)))),
];

/** a - b into a. */
function subtractWide(a: Wide, b: Wide): Code {
  return [
    set(a.high, i64.sub(i64.sub(a.high, b.high), i64.extendU(i64.ltU(a.low, b.low)))),
    set(a.low, i64.sub(a.low, b.low)),
  ];
}

const isLessWide = (a: Wide, b: Wide): I32 => i32.or(i64.ltU(a.high, b.high), i32.and(i64.eq(a.high, b.high), i64.ltU(a.low, b.low)));
const swapWide = (a: Wide, b: Wide, spare: Local64): Code => (['high', 'low'] as const).map((half) => [set(spare, a[half]), set(a[half], b[half]), set(b[half], spare)]);

interface Work {
  readonly addend: Local64; readonly a: Local64; readonly b: Local64; readonly product: Wide; readonly third: Wide;
  readonly spare: Local64; readonly sign: Local32; readonly addendSign: Local32; readonly exponent: Local32; readonly other: Local32;
}

/** Loads the product and the addend, and aligns them to the greater exponent. */
function align(format: Format, library: Library, w: Work): Code {
  const { bits } = format;
  return [
    set(w.exponent, i32.add(library.call32(`exponent${bits}`, w.a), library.call32(`exponent${bits}`, w.b))),
    set(w.a, library.call64(`significand${bits}`, w.a)), set(w.b, library.call64(`significand${bits}`, w.b)),
    set(w.product.high, library.call64('mulHigh', w.a, w.b)), set(w.product.low, i64.mul(w.a, w.b)),
    when(i32.eqz(isZero(format, w.addend)), [
      set(w.other, library.call32(`exponent${bits}`, w.addend)),
      // Low bits of a significand are zero in every format, so that none is lost here.
      set(w.third.high, i64.shrU(library.call64(`significand${bits}`, w.addend), c64(2n))),
      when(i32.geS(w.exponent, w.other), jamWide(library, w.third, i32.sub(w.exponent, w.other)), [
        jamWide(library, w.product, i32.sub(w.other, w.exponent)), set(w.exponent, w.other),
      ]),
    ]),
  ];
}

/** Adds what is aligned, and brings the leading one to where rounding wants it; `scale` is added to the exponent. */
function sumAndRound(format: Format, library: Library, w: Work, scale: number): Code {
  const { high, low } = w.product;
  const zeros = i32.sub(i32.wrap(i64.clz(high)), c32(63 - LEADING));
  return [
    when(i32.eq(w.sign, w.addendSign), addWide(w.product, w.third), [
      when(isLessWide(w.product, w.third), [swapWide(w.product, w.third, w.spare), set(w.sign, w.addendSign)]),
      subtractWide(w.product, w.third),
    ]),
    when(i64.eqz(i64.or(high, low)), giveBack(signBit(format, i32.eq(roundingMode, c32(Rounding.down))))),
    // A leading one at bit 124 belongs to the exponent as it is.
    set(w.exponent, i32.add(w.exponent, c32(LEADING + 64 - 124 + scale))),
    when(i64.eqz(high), [set(high, low), set(low, c64(0n)), set(w.exponent, i32.sub(w.exponent, c32(64)))]),
    when(i64.ltS(high, c64(0n)), [
      set(low, i64.or(i64.shrU(low, c64(1n)), i64.and(low, c64(1n)))), set(high, library.call64('jam', high, c32(1))), set(w.exponent, i32.add(w.exponent, c32(1))),
    ], [
      set(w.other, zeros), set(w.exponent, i32.sub(w.exponent, w.other)),
      when(w.other, [
        set(high, i64.or(i64.shl(high, i64.extendU(w.other)), i64.shrU(low, i64.extendU(i32.sub(c32(64), w.other))))),
        set(low, i64.shl(low, i64.extendU(w.other))),
      ]),
    ]),
    library.call64(`round${format.bits}`, w.sign, w.exponent, i64.or(high, i64.extendU(i64.ne(low, c64(0n)))), roundingMode).code,
  ];
}

function work(f: FunctionLocals): Work {
  return {
    addend: f.parameter64(0), a: f.parameter64(1), b: f.parameter64(2), product: { high: f.local64(), low: f.local64() },
    third: { high: f.local64(), low: f.local64() }, spare: f.local64(), sign: f.local32(), addendSign: f.local32(), exponent: f.local32(), other: f.local32(),
  };
}

const invalid = (format: Format): Code => [raise(Flag.IOC), giveBack(c64(format.defaultNan))];

/**
 * Double precision: see fused-on-host.ts. Single precision in the host's double precision: the product is exact there, and rounding twice is rounding once unless
 * the sum ends up half-way between two singles.
 */
function tryHost(format: Format, w: Work, f: FunctionLocals): Code {
  if (format.bits === 16) return [];
  if (format.bits === 64) {
    const areModerate = i32.and(i32.and(isModerate(format, w.a), isModerate(format, w.b)), isModerate(format, w.addend));
    return when(i32.and(hostIsExact, areModerate), [fuseOnHost(f, w.spare, [w.addend, w.a, w.b]), giveBack(w.spare)]);
  }
  const double = (value: I64): Code => [i32.wrap(value).code, 0xbe, 0xbb];
  const sum: I64 = { type: 'i64', code: [double(w.a), double(w.b), 0xa2, double(w.addend), 0xa0, 0xbd] };
  const single = i64.extendU({ type: 'i32', code: [w.spare.code, 0xbf, 0xb6, 0xbc] });
  const areNormal = i32.and(i32.and(isNormal(format, w.a), isNormal(format, w.b)), isNormal(format, w.addend));
  const isHalfWay = i64.eq(i64.and(w.spare, c64(0x1fff_ffffn)), c64(0x1000_0000n));
  return when(i32.and(hostIsExact, areNormal), [
    set(w.spare, sum),
    when(i32.eqz(isHalfWay), [set(w.spare, single), when(isSafeResult(format, w.spare), giveBack(w.spare))]),
  ]);
}

/** (addend, a, b): addend + a * b. */
function multiplyAddBody(format: Format) {
  return (f: FunctionLocals, library: Library): Code => {
    const w = work(f);
    const zeroTimesInfinity = i32.or(i32.and(isInfinite(format, w.a), isZero(format, w.b)), i32.and(isZero(format, w.a), isInfinite(format, w.b)));
    const anyNan = i32.or(i32.or(isNan(format, w.a), isNan(format, w.b)), isNan(format, w.addend));
    const isQuiet = i32.and(isNan(format, w.addend), i64.ne(i64.and(w.addend, c64(format.quiet)), c64(0n)));
    return [
      tryHost(format, w, f),
      [w.addend, w.a, w.b].map((value) => set(value, library.call64(`flush${format.bits}`, value))),
      when(i32.and(zeroTimesInfinity, i32.or(isQuiet, i32.eqz(isNan(format, w.addend)))), invalid(format)),
      when(anyNan, giveBack(library.call64(`nan3_${format.bits}`, w.addend, w.a, w.b))),
      set(w.sign, signOf(format, i64.xor(w.a, w.b))), set(w.addendSign, signOf(format, w.addend)),
      when(i32.or(isInfinite(format, w.a), isInfinite(format, w.b)), [
        when(i32.and(isInfinite(format, w.addend), i32.ne(w.sign, w.addendSign)), invalid(format)),
        giveBack(i64.or(signBit(format, w.sign), c64(format.infinity))),
      ]),
      when(isInfinite(format, w.addend), giveBack(w.addend)),
      when(i32.or(isZero(format, w.a), isZero(format, w.b)), [
        when(i32.eqz(isZero(format, w.addend)), giveBack(w.addend)),
        when(i32.eq(w.sign, w.addendSign), giveBack(w.addend)),
        giveBack(signBit(format, i32.eq(roundingMode, c32(Rounding.down)))),
      ]),
      align(format, library, w),
      sumAndRound(format, library, w, 0),
    ];
  };
}

/** (a, b): 2 - a * b, or (3 - a * b) / 2. */
function stepBody(format: Format, constant: 2 | 3) {
  return (f: FunctionLocals, library: Library): Code => {
    const one = BigInt(format.bias) << BigInt(format.fraction);
    const two = one + format.fractionMask + 1n;
    const three = two + format.quiet;
    const w: Work = {
      addend: f.local64(), a: f.parameter64(0), b: f.parameter64(1), product: { high: f.local64(), low: f.local64() },
      third: { high: f.local64(), low: f.local64() }, spare: f.local64(), sign: f.local32(), addendSign: f.local32(), exponent: f.local32(), other: f.local32(),
    };
    const atZero = constant === 2 ? two : one + format.quiet;
    const zeroTimesInfinity = i32.or(i32.and(isInfinite(format, w.a), isZero(format, w.b)), i32.and(isZero(format, w.a), isInfinite(format, w.b)));
    return [
      set(w.a, negated(format, w.a)),
      [w.a, w.b].map((value) => set(value, library.call64(`flush${format.bits}`, value))),
      when(i32.or(isNan(format, w.a), isNan(format, w.b)), giveBack(library.call64(`nan2_${format.bits}`, w.a, w.b))),
      when(zeroTimesInfinity, giveBack(c64(atZero))),
      set(w.sign, signOf(format, i64.xor(w.a, w.b))),
      when(i32.or(isInfinite(format, w.a), isInfinite(format, w.b)), giveBack(i64.or(signBit(format, w.sign), c64(format.infinity)))),
      when(i32.or(isZero(format, w.a), isZero(format, w.b)), giveBack(c64(atZero))),
      set(w.addend, c64(constant === 2 ? two : three)),
      align(format, library, w),
      sumAndRound(format, library, w, constant === 2 ? 0 : -1),
    ];
  };
}

/** fma (addend, a, b), recps and rsqrts with the width as suffix. */
export const fusedDefinitions: Definitions = FORMATS.flatMap((format): Definitions => [
  [`fma${format.bits}`, { signature: { parameters: ['i64', 'i64', 'i64'], result: 'i64' }, build: multiplyAddBody(format) }],
  [`recps${format.bits}`, { signature: { parameters: ['i64', 'i64'], result: 'i64' }, build: stepBody(format, 2) }],
  [`rsqrts${format.bits}`, { signature: { parameters: ['i64', 'i64'], result: 'i64' }, build: stepBody(format, 3) }],
]);
