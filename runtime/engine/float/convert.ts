/**
 * Conversions: to and from integers and fixed point, to an integral value, between formats.
 * Arm ARM (DDI 0487) pseudocode: FPToFixed, FixedToFP, FPRoundInt, FPConvert.
 */

import type { Code } from '../wasm/code';
import { giveBack, i32, i64, set, when, type I32, type I64, type Local32, type Local64 } from '../wasm/expressions';
import type { Definition, Library } from '../wasm/library';
import type { FunctionLocals } from '../wasm/module';
import {
  c32, c64, exponentField, Flag, FORMATS, isInfinite, isNan, isZero, raise, Rounding, roundingMode, signBit, signOf,
  usesAlternativeHalf, usesDefaultNan, type Format,
} from './format';
import { LEADING } from './rounding';

type Definitions = (readonly [name: string, definition: Definition])[];

/** A significand cut into an integer and what is behind the point. */
interface Cut { readonly value: Local64; readonly rest: Local64; readonly half: Local64; readonly sign: Local32; readonly exponent: Local32; readonly mode: I32 }

/** Cuts `value` (leading one at bit 62, `exponent` below 64) at the point, and rounds; `rest` stays nonzero if inexact. */
function cutAndRound(library: Library, { value, rest, half, sign, exponent, mode }: Cut): Code {
  const shift = i64.extendU(i32.sub(c32(LEADING), exponent));
  const isUp = i32.or(i32.and(i32.eq(mode, c32(Rounding.up)), i32.eqz(sign)), i32.and(i32.eq(mode, c32(Rounding.down)), sign));
  const isTieUp = i32.and(i64.eq(rest, half), i32.or(i32.eq(mode, c32(Rounding.away)), i32.and(i32.eqz(mode), i32.wrap(value))));
  const isNearest = i32.or(i32.eqz(mode), i32.eq(mode, c32(Rounding.away)));
  const isInexact = i64.ne(rest, c64(0n));
  const up = i32.or(i32.and(isUp, isInexact), i32.or(i32.and(isNearest, i64.gtU(rest, half)), isTieUp));
  return when(i32.geS(exponent, c32(LEADING)), set(value, i64.shl(value, i64.extendU(i32.sub(exponent, c32(LEADING))))), [
    when(i32.ltS(exponent, c32(-1)), [set(value, library.call64('jam', value, i32.sub(c32(-1), exponent))), set(exponent, c32(-1))]),
    set(half, i64.shl(c64(1n), i64.sub(shift, c64(1n)))),
    set(rest, i64.and(value, i64.sub(i64.shl(half, c64(1n)), c64(1n)))),
    set(value, i64.shrU(value, shift)),
    set(value, i64.add(value, i64.extendU(i32.and(up, isInexact)))),
  ]);
}

/** Kind of integer: bit 0 unsigned, bit 1 64 bits wide, bit 2 16 bits wide; 32 otherwise. */
const KIND_UNSIGNED = 1;
const KIND_LONG = 2;
const KIND_SHORT = 4;

/** (value, fraction bits, mode, kind): a fixed-point number, saturated; zero-extended from its width. */
function toFixedBody(format: Format) {
  return (f: FunctionLocals, library: Library): Code => {
    const [value, fractionBits, mode, kind] = [f.parameter64(0), f.parameter32(1), f.parameter32(2), f.parameter32(3)];
    const [rest, half, limit] = [f.local64(), f.local64(), f.local64()];
    const [sign, exponent] = [f.local32(), f.local32()];
    const isUnsigned = i32.and(kind, c32(KIND_UNSIGNED));
    const isLong = i32.and(kind, c32(KIND_LONG));
    const top = i64.select(isLong, c64(1n << 63n), i64.select(i32.and(kind, c32(KIND_SHORT)), c64(1n << 15n), c64(1n << 31n)));
    const negatedIf = i64.select(sign, i64.sub(c64(0n), value), value);
    const shortened = (result: I64): I64 => i64.select(isLong, result, i64.and(result, c64(0xffff_ffffn)));
    const saturate = [raise(Flag.IOC), giveBack(i64.select(i32.and(sign, isUnsigned), c64(0n), limit))];
    return [
      set(value, library.call64(`flush${format.bits}`, value)),
      when(isNan(format, value), [raise(Flag.IOC), giveBack(c64(0n))]),
      when(isZero(format, value), giveBack(c64(0n))),
      set(sign, signOf(format, value)),
      // The greatest magnitude of this sign.
      set(limit, i64.select(isUnsigned, i64.select(sign, c64(0n), i64.sub(i64.shl(top, c64(1n)), c64(1n))), i64.sub(top, i64.extendU(i32.eqz(sign))))),
      when(i32.and(isUnsigned, i32.and(i32.eqz(sign), i32.eqz(i32.eqz(isLong)))), set(limit, c64(-1n))),
      when(isInfinite(format, value), saturate),
      set(exponent, i32.add(library.call32(`exponent${format.bits}`, value), fractionBits)),
      when(i32.geS(exponent, c32(64)), saturate),
      set(value, library.call64(`significand${format.bits}`, value)),
      cutAndRound(library, { value, rest, half, sign, exponent, mode }),
      when(i64.gtU(value, limit), saturate),
      when(i64.ne(rest, c64(0n)), raise(Flag.IXC)),
      shortened(negatedIf).code,
    ];
  };
}

/** (magnitude, sign, fraction bits, mode): the number, rounded. */
function fromFixedBody(format: Format) {
  return (f: FunctionLocals, library: Library): Code => {
    const [value, sign, fractionBits, mode] = [f.parameter64(0), f.parameter32(1), f.parameter32(2), f.parameter32(3)];
    const exponent = f.local32();
    return [
      when(i64.eqz(value), giveBack(c64(0n))),
      when(i64.ltS(value, c64(0n)), [set(value, library.call64('jam', value, c32(1))), set(exponent, c32(63))], [
        set(exponent, i32.sub(c32(63), i32.wrap(i64.clz(value)))),
        set(value, i64.shl(value, i64.sub(i64.clz(value), c64(1n)))),
      ]),
      library.call64(`round${format.bits}`, sign, i32.sub(exponent, fractionBits), value, mode).code,
    ];
  };
}

/** (value, mode, exact): the nearest integral value; `exact` notes inexactness. */
function roundIntegralBody(format: Format) {
  return (f: FunctionLocals, library: Library): Code => {
    const [value, mode, exact] = [f.parameter64(0), f.parameter32(1), f.parameter32(2)];
    const [rest, half] = [f.local64(), f.local64()];
    const [sign, exponent] = [f.local32(), f.local32()];
    return [
      set(value, library.call64(`flush${format.bits}`, value)),
      when(isNan(format, value), giveBack(library.call64(`quiet${format.bits}`, value))),
      when(i32.or(isInfinite(format, value), isZero(format, value)), giveBack(value)),
      set(exponent, library.call32(`exponent${format.bits}`, value)),
      when(i32.geS(exponent, c32(format.fraction)), giveBack(value)),
      set(sign, signOf(format, value)),
      set(value, library.call64(`significand${format.bits}`, value)),
      cutAndRound(library, { value, rest, half, sign, exponent, mode }),
      when(i32.and(exact, i64.ne(rest, c64(0n))), raise(Flag.IXC)),
      when(i64.eqz(value), giveBack(signBit(format, sign))),
      library.call64(`fromFixed${format.bits}`, value, sign, c32(0), mode).code,
    ];
  };
}

/** (value, mode, bits): the integral value if it fits a signed integer of so many bits, else the least such integer. Arm ARM: FPRoundIntN. */
function roundWithinBody(format: Format) {
  return (f: FunctionLocals, library: Library): Code => {
    const [value, mode, width] = [f.parameter64(0), f.parameter32(1), f.parameter32(2)];
    const result = f.local64();
    const fraction = c64(BigInt(format.fraction));
    /** The bits of two to the power of `width` - 1, the magnitude of the least integer. */
    const limit = i64.shl(i64.extendU(i32.add(width, c32(format.bias - 1))), fraction);
    const magnitudeOf = i64.and(result, c64(format.signMask - 1n));
    const isLeast = i64.eq(result, i64.or(limit, c64(format.signMask)));
    return [
      set(value, library.call64(`flush${format.bits}`, value)), set(result, value),
      when(i32.and(i32.eqz(isNan(format, value)), i32.eqz(isInfinite(format, value))), [
        set(result, library.call64(`integral${format.bits}`, value, mode, c32(0))),
        when(i32.or(i64.ltU(magnitudeOf, limit), isLeast), [when(i64.ne(result, value), raise(Flag.IXC)), giveBack(result)]),
      ]),
      raise(Flag.IOC), i64.or(limit, c64(format.signMask)).code,
    ];
  };
}

/** The exponent and significand of a half that FPCR.AHP makes a number though its exponent field is all ones. */
const ALTERNATIVE_EXPONENT = 16;

/** Gives back the NaN of another format: payload from the top. */
export function convertNan(from: Format, to: Format, value: Local64): Code {
  const up = BigInt(63 - (from.bits - 1));
  const sign = i64.shl(i64.shrU(value, c64(BigInt(from.bits - 1))), c64(BigInt(to.bits - 1)));
  const fraction = i64.shrU(i64.shl(value, c64(up + BigInt(from.bits - from.fraction))), c64(BigInt(64 - to.fraction)));
  return [
    when(i64.eqz(i64.and(value, c64(from.quiet))), raise(Flag.IOC)),
    giveBack(i64.select(usesDefaultNan, c64(to.defaultNan), i64.or(i64.or(sign, fraction), c64(to.infinity | to.quiet)))),
  ];
}

/** A half in the alternative format: no infinities, no NaNs. */
function toAlternativeHalf(to: Format, library: Library, value: Local64, sign: Local32): (from: Format) => Code {
  return (from) => {
    const signed = (bits: bigint): I64 => i64.or(signBit(to, sign), c64(bits));
    const exponent = library.call32(`exponent${from.bits}`, value);
    return when(usesAlternativeHalf, [
      when(isNan(from, value), [raise(Flag.IOC), giveBack(signed(0n))]),
      when(isInfinite(from, value), [raise(Flag.IOC), giveBack(signed(0x7fffn))]),
      when(isZero(from, value), giveBack(signed(0n))),
      giveBack(library.call64('roundAlternative', sign, exponent, library.call64(`significand${from.bits}`, value), roundingMode)),
    ]);
  };
}

function convertBody(from: Format, to: Format, mode: I32) {
  return (f: FunctionLocals, library: Library): Code => {
    const value = f.parameter64(0);
    const sign = f.local32();
    const isAlternative = i32.and(usesAlternativeHalf, i32.eq(exponentField(from, value), c32(from.exponentMax)));
    const alternative = library.call64(`round${to.bits}`, sign, c32(ALTERNATIVE_EXPONENT),
      i64.shl(i64.or(i64.and(value, c64(from.fractionMask)), c64(from.fractionMask + 1n)), c64(BigInt(LEADING - from.fraction))), mode);
    return [
      from.bits === 16 ? [] : set(value, library.call64(`flush${from.bits}`, value)),
      set(sign, signOf(from, value)),
      to.bits === 16 ? toAlternativeHalf(to, library, value, sign)(from) : [],
      from.bits === 16 ? when(isAlternative, giveBack(alternative)) : [],
      when(isNan(from, value), convertNan(from, to, value)),
      when(isInfinite(from, value), giveBack(i64.or(signBit(to, sign), c64(to.infinity)))),
      when(isZero(from, value), giveBack(signBit(to, sign))),
      library.call64(to.bits === 16 ? 'roundToHalf' : `round${to.bits}`, sign, library.call32(`exponent${from.bits}`, value), library.call64(`significand${from.bits}`, value), mode).code,
    ];
  };
}

const UNARY = { parameters: ['i64'], result: 'i64' } as const;
const pairs = FORMATS.flatMap((from) => FORMATS.filter((to) => to !== from).map((to) => [from, to] as const));

/** toFixed, fromFixed, integral, convert‹from›to‹to›, and the conversion that rounds to odd. */
export const convertDefinitions: Definitions = [
  ...FORMATS.flatMap((format): Definitions => [
    [`toFixed${format.bits}`, { signature: { parameters: ['i64', 'i32', 'i32', 'i32'], result: 'i64' }, build: toFixedBody(format) }],
    [`fromFixed${format.bits}`, { signature: { parameters: ['i64', 'i32', 'i32', 'i32'], result: 'i64' }, build: fromFixedBody(format) }],
    [`integral${format.bits}`, { signature: { parameters: ['i64', 'i32', 'i32'], result: 'i64' }, build: roundIntegralBody(format) }],
    [`within${format.bits}`, { signature: { parameters: ['i64', 'i32', 'i32'], result: 'i64' }, build: roundWithinBody(format) }],
  ]),
  ...pairs.map(([from, to]): Definitions[number] => [`convert${from.bits}to${to.bits}`, { signature: UNARY, build: convertBody(from, to, roundingMode) }]),
  ...FORMATS.filter(({ bits }) => bits === 64).flatMap((from) => FORMATS.filter(({ bits }) => bits === 32).map((to): Definitions[number] =>
    ['convertToOdd', { signature: UNARY, build: convertBody(from, to, c32(Rounding.odd)) }])),
];
