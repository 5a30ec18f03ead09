/**
 * Taking values apart and putting them together: exponent and significand with the leading one at bit 62, flushing of
 * denormal inputs, NaN selection, rounding with exact flags. Arm ARM (DDI 0487) pseudocode: FPUnpack, FPProcessNaNs, FPRound.
 */

import type { Code } from '../wasm/code';
import { giveBack, i32, i64, set, when, type I32, type I64 } from '../wasm/expressions';
import type { Definition, Library } from '../wasm/library';
import type { FunctionLocals } from '../wasm/module';
import {
  BRAIN, c32, c64, exponentField, Flag, flushes, FORMATS, isNan, isSignalling, raise, Rounding, signBit, usesDefaultNan, type Format,
} from './format';

/** Where the leading one of a significand stands. */
export const LEADING = 62;

type Definitions = (readonly [name: string, definition: Definition])[];

/** (value, count): shifted right; what falls out is kept as a one in bit 0. */
function jam(f: FunctionLocals): Code {
  const [value, count] = [f.parameter64(0), f.parameter32(1)];
  const lost = i64.ne(i64.shl(value, i64.extendU(i32.sub(c32(64), count))), c64(0n));
  return [
    when(i32.eqz(count), giveBack(value)),
    when(i32.geU(count, c32(64)), giveBack(i64.extendU(i64.ne(value, c64(0n))))),
    i64.or(i64.shrU(value, i64.extendU(count)), i64.extendU(lost)).code,
  ];
}

/** (a, b): the upper half of the 128-bit product. */
function multiplyHigh(f: FunctionLocals): Code {
  const [a, b] = [f.parameter64(0), f.parameter64(1)];
  const [low, middle, other] = [f.local64(), f.local64(), f.local64()];
  const lower = (value: I64): I64 => i64.and(value, c64(0xffff_ffffn));
  const upper = (value: I64): I64 => i64.shrU(value, c64(32n));
  return [
    set(low, i64.mul(lower(a), lower(b))),
    set(middle, i64.add(i64.mul(upper(a), lower(b)), upper(low))),
    set(other, i64.add(i64.mul(lower(a), upper(b)), lower(middle))),
    i64.add(i64.add(i64.mul(upper(a), upper(b)), upper(middle)), upper(other)).code,
  ];
}

/** Leading zeros of a fraction above what a normal number has. */
const extraZeros = (format: Format, fraction: I64): I32 => i32.sub(i32.wrap(i64.clz(fraction)), c32(63 - format.fraction));

/** (value): the unbiased exponent of a finite number that is not zero. */
function exponentBody(format: Format) {
  return (f: FunctionLocals): Code => {
    const value = f.parameter64(0);
    const field = f.local32();
    return [
      set(field, exponentField(format, value)),
      when(field, giveBack(i32.sub(field, c32(format.bias)))),
      i32.sub(c32(1 - format.bias), extraZeros(format, i64.and(value, c64(format.fractionMask)))).code,
    ];
  };
}

/** (value): the significand of a finite number that is not zero. */
function significandBody(format: Format) {
  return (f: FunctionLocals): Code => {
    const value = f.parameter64(0);
    const fraction = f.local64();
    const shift = BigInt(LEADING - format.fraction);
    return [
      set(fraction, i64.and(value, c64(format.fractionMask))),
      when(exponentField(format, value), giveBack(i64.shl(i64.or(fraction, c64(format.fractionMask + 1n)), c64(shift)))),
      i64.shl(fraction, i64.sub(i64.clz(fraction), c64(1n))).code,
    ];
  };
}

/** (value): a denormal becomes a zero if FPCR says so. FZ16 does not note it. */
function flushBody(format: Format) {
  return (f: FunctionLocals): Code => {
    const value = f.parameter64(0);
    const isDenormal = i32.and(i32.eqz(exponentField(format, value)), i64.ne(i64.and(value, c64(format.fractionMask)), c64(0n)));
    return [
      when(i32.eqz(flushes(format)), giveBack(value)),
      when(isDenormal, [format.bits === 16 ? [] : raise(Flag.IDC), giveBack(i64.and(value, c64(format.signMask)))]),
      value.code,
    ];
  };
}

/** (nan): the NaN that an operation gives for it. */
function quietBody(format: Format) {
  return (f: FunctionLocals): Code => {
    const value = f.parameter64(0);
    return [
      when(i64.eqz(i64.and(value, c64(format.quiet))), raise(Flag.IOC)),
      i64.select(usesDefaultNan, c64(format.defaultNan), i64.or(value, c64(format.quiet))).code,
    ];
  };
}

/** (values…): at least one is a NaN; the first signalling one, else the first quiet one. */
function selectNanBody(format: Format, count: 2 | 3) {
  return (f: FunctionLocals, library: Library): Code => {
    const values = Array.from({ length: count }, (_, index) => f.parameter64(index));
    const take = (value: I64): Code => giveBack(library.call64(`quiet${format.bits}`, value));
    return [
      values.map((value) => when(isSignalling(format, value), take(value))),
      values.slice(0, -1).map((value) => when(isNan(format, value), take(value))),
      library.call64(`quiet${format.bits}`, values[count - 1] ?? c64(0n)).code,
    ];
  };
}

/** True if the mode rounds away from zero whatever is cut off. */
function roundsOutward(mode: I32, sign: I32): I32 {
  return i32.or(
    i32.and(i32.eq(mode, c32(Rounding.up)), i32.eqz(sign)),
    i32.and(i32.eq(mode, c32(Rounding.down)), sign),
  );
}
const roundsToNearest = (mode: I32): I32 => i32.or(i32.eqz(mode), i32.eq(mode, c32(Rounding.away)));

/** How a result is rounded: as arithmetic does, as a conversion to half does (FZ16 does not matter), or to alternative half. */
type Variant = 'arithmetic' | 'conversion' | 'alternative';

/** (sign, exponent, significand, mode): the number, rounded once, with the flags that belong to it. */
function roundBody(format: Format, variant: Variant) {
  return (f: FunctionLocals, library: Library): Code => {
    const [sign, exponent, mode, isTiny] = [f.parameter32(0), f.parameter32(1), f.parameter32(3), f.local32()];
    const [significand, rest, bits] = [f.parameter64(2), f.local64(), f.local64()];
    const shift = BigInt(LEADING - format.fraction);
    const [mask, half] = [(1n << shift) - 1n, 1n << (shift - 1n)];
    const addend = i64.select(roundsToNearest(mode), c64(half), i64.select(roundsOutward(mode, sign), c64(mask), c64(0n)));
    const overflowsToInfinity = i32.or(roundsToNearest(mode), roundsOutward(mode, sign));
    return [
      set(exponent, i32.add(exponent, c32(format.bias))),
      when(i32.leS(exponent, c32(0)), [
        variant === 'arithmetic' ? when(flushes(format), [raise(Flag.UFC), giveBack(signBit(format, sign))]) : [],
        set(significand, library.call64('jam', significand, i32.sub(c32(1), exponent))),
        set(exponent, c32(1)), set(isTiny, c32(Flag.UFC)),
      ]),
      set(rest, i64.and(significand, c64(mask))),
      set(bits, i64.shrU(i64.add(significand, addend), c64(shift))),
      when(i32.and(i32.eqz(mode), i64.eq(rest, c64(half))), set(bits, i64.and(bits, c64(-2n)))),
      when(i32.and(i32.eq(mode, c32(Rounding.odd)), i64.ne(rest, c64(0n))), set(bits, i64.or(bits, c64(1n)))),
      set(bits, i64.add(bits, i64.shl(i64.extendU(i32.sub(exponent, c32(1))), c64(BigInt(format.fraction))))),
      variant === 'alternative' ? when(i64.gtU(bits, c64(format.signMask - 1n)), [
        raise(Flag.IOC), giveBack(i64.or(c64(format.signMask - 1n), signBit(format, sign))),
      ]) : [],
      when(i64.ne(rest, c64(0n)), raise(i32.or(c32(Flag.IXC), isTiny))),
      variant === 'alternative' ? [] : when(i64.geU(bits, c64(format.infinity)), [
        raise(Flag.OFC | Flag.IXC), set(bits, i64.sub(c64(format.infinity), i64.extendU(i32.eqz(overflowsToInfinity)))),
      ]),
      i64.or(bits, signBit(format, sign)).code,
    ];
  };
}

const ROUND = { parameters: ['i32', 'i32', 'i64', 'i32'], result: 'i64' } as const;

/** What operations are made of. */
export const roundingDefinitions: Definitions = [
  ['jam', { signature: { parameters: ['i64', 'i32'], result: 'i64' }, build: jam }],
  ['mulHigh', { signature: { parameters: ['i64', 'i64'], result: 'i64' }, build: multiplyHigh }],
  ...FORMATS.flatMap((format): Definitions => {
    const { bits } = format;
    const unary = { parameters: ['i64'], result: 'i64' } as const;
    return [
      [`exponent${bits}`, { signature: { parameters: ['i64'], result: 'i32' }, build: exponentBody(format) }],
      [`significand${bits}`, { signature: unary, build: significandBody(format) }],
      [`flush${bits}`, { signature: unary, build: flushBody(format) }],
      [`quiet${bits}`, { signature: unary, build: quietBody(format) }],
      [`nan2_${bits}`, { signature: { parameters: ['i64', 'i64'], result: 'i64' }, build: selectNanBody(format, 2) }],
      [`nan3_${bits}`, { signature: { parameters: ['i64', 'i64', 'i64'], result: 'i64' }, build: selectNanBody(format, 3) }],
      [`round${bits}`, { signature: ROUND, build: roundBody(format, 'arithmetic') }],
    ];
  }),
  ['roundToBrain', { signature: ROUND, build: roundBody(BRAIN, 'arithmetic') }],
  ...FORMATS.filter(({ bits }) => bits === 16).flatMap((half): Definitions => [
    ['roundToHalf', { signature: ROUND, build: roundBody(half, 'conversion') }],
    ['roundAlternative', { signature: ROUND, build: roundBody(half, 'alternative') }],
  ]),
];
