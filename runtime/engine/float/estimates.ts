/**
 * Reciprocal estimates, to the bit as the Arm ARM's pseudocode computes them: FPRecipEstimate, FPRSqrtEstimate, FPRecpX,
 * UnsignedRecipEstimate, UnsignedRSqrtEstimate (Arm ARM, DDI 0487).
 */

import { label, type Code } from '../wasm/code';
import { branchIf, giveBack, i32, i64, loop, set, when, type I32, type Local32, type Local64 } from '../wasm/expressions';
import type { Definition, Library } from '../wasm/library';
import type { FunctionLocals } from '../wasm/module';
import {
  c32, c64, exponentField, Flag, flushes, FORMATS, isInfinite, isNan, isZero, raise, Rounding, roundingMode, signBit, signOf, type Format,
} from './format';

type Definitions = (readonly [name: string, definition: Definition])[];
const UNARY = { parameters: ['i64'], result: 'i64' } as const;
const UNARY32 = { parameters: ['i32'], result: 'i32' } as const;

/** (scaled 256..511): 256..511, the rounded reciprocal of (scaled + 1/2) / 512. */
function reciprocalEstimate(f: FunctionLocals): Code {
  const scaled = f.parameter32(0);
  const reciprocal = i32.divU(c32(1 << 19), i32.add(i32.shl(scaled, c32(1)), c32(1)));
  return i32.shrU(i32.add(reciprocal, c32(1)), c32(1)).code;
}

/** (scaled 128..511): 256..511, the rounded reciprocal root. */
function rootEstimate(f: FunctionLocals): Code {
  const [scaled, root] = [f.parameter32(0), f.local32()];
  const again = label('try');
  const square = i64.mul(i64.extendU(i32.add(root, c32(1))), i64.extendU(i32.add(root, c32(1))));
  return [
    set(scaled, i32.select(i32.ltU(scaled, c32(256)), i32.add(i32.shl(scaled, c32(1)), c32(1)), i32.shl(i32.add(i32.and(scaled, c32(-2)), c32(1)), c32(1)))),
    set(root, c32(511)),
    loop(again, [
      set(root, i32.add(root, c32(1))),
      branchIf(i64.ltU(i64.mul(i64.extendU(scaled), square), c64(1n << 28n)), again),
    ]),
    i32.shrU(i32.add(root, c32(1)), c32(1)).code,
  ];
}

/** A fraction as 52 bits. */
const wideFraction = (format: Format, value: Local64) => i64.shl(i64.and(value, c64(format.fractionMask)), c64(BigInt(52 - format.fraction)));

/** An overflowing estimate, by rounding mode. */
function overflow(format: Format, sign: Local32): Code {
  const toInfinity = i32.or(i32.eqz(roundingMode), i32.or(
    i32.and(i32.eq(roundingMode, c32(Rounding.up)), i32.eqz(sign)), i32.and(i32.eq(roundingMode, c32(Rounding.down)), sign)));
  return [
    raise(Flag.OFC | Flag.IXC),
    giveBack(i64.or(signBit(format, sign), i64.sub(c64(format.infinity), i64.extendU(i32.eqz(toInfinity))))),
  ];
}

/** Moves the first one of a denormal's fraction out of it; two places at most. */
function normalizeTwice(fraction: Local64, exponent: Local32): Code {
  const top = i64.and(fraction, c64(1n << 51n));
  const mask = c64((1n << 52n) - 1n);
  return when(i32.eqz(exponent), [
    when(i64.eqz(top), [set(exponent, c32(-1)), set(fraction, i64.and(i64.shl(fraction, c64(2n)), mask))], set(fraction, i64.and(i64.shl(fraction, c64(1n)), mask))),
  ]);
}

function recpeBody(format: Format) {
  return (f: FunctionLocals, library: Library): Code => {
    const [value, fraction] = [f.parameter64(0), f.local64()];
    const [sign, exponent] = [f.local32(), f.local32()];
    // Below a quarter of the least normal number the reciprocal overflows; from this exponent on it is denormal.
    const isTooSmall = i32.and(i32.eqz(exponentField(format, value)), i64.ltU(i64.and(value, c64(format.fractionMask)), c64(format.quiet >> 1n)));
    const isLarge = i32.geU(exponentField(format, value), c32(2 * format.bias - 1));
    const estimate = library.call32('recipEstimate', i32.or(c32(256), i32.wrap(i64.shrU(fraction, c64(44n)))));
    const half = i64.or(i64.shrU(fraction, c64(1n)), c64(1n << 51n));
    const quarter = i64.or(i64.shrU(fraction, c64(2n)), c64(1n << 50n));
    return [
      set(value, library.call64(`flush${format.bits}`, value)),
      when(isNan(format, value), giveBack(library.call64(`quiet${format.bits}`, value))),
      set(sign, signOf(format, value)),
      when(isInfinite(format, value), giveBack(signBit(format, sign))),
      when(isZero(format, value), [raise(Flag.DZC), giveBack(i64.or(signBit(format, sign), c64(format.infinity)))]),
      when(isTooSmall, overflow(format, sign)),
      when(i32.and(i32.eqz(i32.eqz(flushes(format))), isLarge), [raise(Flag.UFC), giveBack(signBit(format, sign))]),
      set(exponent, exponentField(format, value)), set(fraction, wideFraction(format, value)),
      normalizeTwice(fraction, exponent),
      set(fraction, i64.shl(i64.and(i64.extendU(estimate), c64(255n)), c64(44n))),
      set(exponent, i32.sub(c32(2 * format.bias - 1), exponent)),
      when(i32.eqz(exponent), set(fraction, half)),
      when(i32.eq(exponent, c32(-1)), [set(fraction, quarter), set(exponent, c32(0))]),
      i64.or(signBit(format, sign), i64.or(i64.shl(i64.extendU(exponent), c64(BigInt(format.fraction))), i64.shrU(fraction, c64(BigInt(52 - format.fraction))))).code,
    ];
  };
}

/** Shifts a denormal's fraction until its first one is out. */
function normalizeFully(fraction: Local64, exponent: Local32): Code {
  const zeros: I32 = i32.sub(i32.wrap(i64.clz(fraction)), c32(12));
  const mask = c64((1n << 52n) - 1n);
  return when(i32.eqz(exponent), [
    set(exponent, i32.sub(c32(0), zeros)),
    set(fraction, i64.and(i64.shl(fraction, i64.extendU(i32.sub(c32(1), exponent))), mask)),
  ]);
}

function rsqrteBody(format: Format) {
  return (f: FunctionLocals, library: Library): Code => {
    const [value, fraction] = [f.parameter64(0), f.local64()];
    const [sign, exponent, scaled] = [f.local32(), f.local32(), f.local32()];
    return [
      set(value, library.call64(`flush${format.bits}`, value)),
      when(isNan(format, value), giveBack(library.call64(`quiet${format.bits}`, value))),
      set(sign, signOf(format, value)),
      when(isZero(format, value), [raise(Flag.DZC), giveBack(i64.or(signBit(format, sign), c64(format.infinity)))]),
      when(sign, [raise(Flag.IOC), giveBack(c64(format.defaultNan))]),
      when(isInfinite(format, value), giveBack(c64(0n))),
      set(exponent, exponentField(format, value)), set(fraction, wideFraction(format, value)),
      normalizeFully(fraction, exponent),
      set(scaled, i32.or(c32(256), i32.wrap(i64.shrU(fraction, c64(44n))))),
      when(i32.and(exponent, c32(1)), set(scaled, i32.shrU(scaled, c32(1)))),
      set(exponent, i32.shrS(i32.sub(c32(3 * format.bias - 1), exponent), c32(1))),
      i64.or(
        i64.shl(i64.extendU(exponent), c64(BigInt(format.fraction))),
        i64.shl(i64.and(i64.extendU(library.call32('rsqrtEstimate', scaled)), c64(255n)), c64(BigInt(format.fraction - 8))),
      ).code,
    ];
  };
}

/** The exponent inverted, the fraction dropped. */
function recpxBody(format: Format) {
  return (f: FunctionLocals, library: Library): Code => {
    const value = f.parameter64(0);
    const exponent = exponentField(format, value);
    const inverted = i32.select(exponent, i32.xor(exponent, c32(format.exponentMax)), c32(format.exponentMax - 1));
    return [
      set(value, library.call64(`flush${format.bits}`, value)),
      when(isNan(format, value), giveBack(library.call64(`quiet${format.bits}`, value))),
      i64.or(i64.and(value, c64(format.signMask)), i64.shl(i64.extendU(inverted), c64(BigInt(format.fraction)))).code,
    ];
  };
}

/** (word): the integer estimates. */
function urecpe(f: FunctionLocals, library: Library): Code {
  const value = f.parameter64(0);
  return [
    when(i64.ltU(value, c64(1n << 31n)), giveBack(c64(0xffff_ffffn))),
    i64.shl(i64.extendU(library.call32('recipEstimate', i32.wrap(i64.shrU(value, c64(23n))))), c64(23n)).code,
  ];
}

function ursqrte(f: FunctionLocals, library: Library): Code {
  const value = f.parameter64(0);
  return [
    when(i64.ltU(value, c64(1n << 30n)), giveBack(c64(0xffff_ffffn))),
    i64.shl(i64.extendU(library.call32('rsqrtEstimate', i32.wrap(i64.shrU(value, c64(23n))))), c64(23n)).code,
  ];
}

/** recpe, rsqrte, recpx with the width as suffix; urecpe and ursqrte. */
export const estimateDefinitions: Definitions = [
  ['recipEstimate', { signature: UNARY32, build: reciprocalEstimate }],
  ['rsqrtEstimate', { signature: UNARY32, build: rootEstimate }],
  ['urecpe', { signature: UNARY, build: urecpe }],
  ['ursqrte', { signature: UNARY, build: ursqrte }],
  ...FORMATS.flatMap((format): Definitions => [
    [`recpe${format.bits}`, { signature: UNARY, build: recpeBody(format) }],
    [`rsqrte${format.bits}`, { signature: UNARY, build: rsqrteBody(format) }],
    [`recpx${format.bits}`, { signature: UNARY, build: recpxBody(format) }],
  ]),
];
