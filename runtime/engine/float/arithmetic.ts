/**
 * Addition, subtraction, multiplication, division and square root, each rounded once with exact flags. The host's own
 * arithmetic takes over where it is certain to give the same: default modes, inexactness already noted, and operands and
 * result normal numbers. Arm ARM (DDI 0487) pseudocode: FPAdd, FPSub, FPMul, FPMulX, FPDiv, FPSqrt.
 */

import { label, type Code } from '../wasm/code';
import { branchIf, giveBack, i32, i64, loop, set, when, type Local32, type Local64 } from '../wasm/expressions';
import type { Definition, Library } from '../wasm/library';
import type { FunctionLocals } from '../wasm/module';
import { isSafeResult, onHost, type HostOperation } from './host';
import {
  c32, c64, Flag, FORMATS, hostIsExact, isInfinite, isNan, isNormal, isZero, negated, raise, Rounding, roundingMode,
  signBit, signOf, type Format,
} from './format';
import { LEADING } from './rounding';

type Definitions = (readonly [name: string, definition: Definition])[];
const UNARY = { parameters: ['i64'], result: 'i64' } as const;
const BINARY = { parameters: ['i64', 'i64'], result: 'i64' } as const;

/** Gives back the host's result if it is certain to be right. */
function tryHost(format: Format, operation: HostOperation, values: readonly Local64[], result: Local64): Code {
  if (format.bits === 16) return [];
  const areNormal = values.map((value) => isNormal(format, value)).reduce((a, b) => i32.and(a, b));
  return when(i32.and(hostIsExact, areNormal), [set(result, onHost(format, operation, values)), when(isSafeResult(format, result), giveBack(result))]);
}

/** Flushes both operands, and deals with NaNs. */
function prepare(format: Format, library: Library, a: Local64, b: Local64): Code {
  return [
    set(a, library.call64(`flush${format.bits}`, a)), set(b, library.call64(`flush${format.bits}`, b)),
    when(i32.or(isNan(format, a), isNan(format, b)), giveBack(library.call64(`nan2_${format.bits}`, a, b))),
  ];
}

const invalid = (format: Format): Code => [raise(Flag.IOC), giveBack(c64(format.defaultNan))];

/** Locals of an operation on two numbers. */
interface Parts { readonly a: Local64; readonly b: Local64; readonly result: Local64; readonly sign: Local32; readonly exponent: Local32; readonly other: Local32 }

function parts(f: FunctionLocals): Parts {
  return { a: f.parameter64(0), b: f.parameter64(1), result: f.local64(), sign: f.local32(), exponent: f.local32(), other: f.local32() };
}

/** Sum of two finite numbers that are not zero. */
function addFinite(format: Format, library: Library, p: Parts): Code {
  const { bits } = format;
  const { a, b, result, sign, exponent, other } = p;
  const difference = i32.sub(exponent, other);
  const swap = [set(result, a), set(a, b), set(b, result)];
  const zeros = i32.sub(i32.wrap(i64.clz(result)), c32(63 - LEADING));
  return [
    // The operand of greater magnitude comes first, so that a difference is never negative.
    when(i64.ltU(i64.and(a, c64(format.signMask - 1n)), i64.and(b, c64(format.signMask - 1n))), swap),
    set(sign, signOf(format, a)),
    set(exponent, library.call32(`exponent${bits}`, a)), set(other, library.call32(`exponent${bits}`, b)),
    set(result, i64.xor(a, b)),
    set(a, library.call64(`significand${bits}`, a)),
    set(b, library.call64('jam', library.call64(`significand${bits}`, b), difference)),
    when(signOf(format, result), [
      set(result, i64.sub(a, b)),
      when(i64.eqz(result), giveBack(signBit(format, i32.eq(roundingMode, c32(Rounding.down))))),
    ], set(result, i64.add(a, b))),
    when(i64.ltS(result, c64(0n)), [set(result, library.call64('jam', result, c32(1))), set(exponent, i32.add(exponent, c32(1)))], [
      set(other, zeros), set(result, i64.shl(result, i64.extendU(other))), set(exponent, i32.sub(exponent, other)),
    ]),
    library.call64(`round${bits}`, sign, exponent, result, roundingMode).code,
  ];
}

function addBody(format: Format, operation: 'add' | 'sub') {
  return (f: FunctionLocals, library: Library): Code => {
    const p = parts(f);
    const { a, b, result } = p;
    const signsDiffer = signOf(format, i64.xor(a, b));
    return [
      tryHost(format, operation, [a, b], result),
      prepare(format, library, a, b),
      operation === 'sub' ? set(b, negated(format, b)) : [],
      when(isInfinite(format, a), [when(i32.and(isInfinite(format, b), signsDiffer), invalid(format)), giveBack(a)]),
      when(isInfinite(format, b), giveBack(b)),
      when(isZero(format, b), [
        when(i32.and(isZero(format, a), signsDiffer), giveBack(signBit(format, i32.eq(roundingMode, c32(Rounding.down))))),
        giveBack(a),
      ]),
      when(isZero(format, a), giveBack(b)),
      addFinite(format, library, p),
    ];
  };
}

/** `mulx` gives two where a product of zero and infinity is invalid. */
function multiplyBody(format: Format, operation: 'mul' | 'mulx') {
  return (f: FunctionLocals, library: Library): Code => {
    const { bits } = format;
    const { a, b, result, sign, exponent } = parts(f);
    const signOnly = (value: bigint): Code => giveBack(i64.or(signBit(format, sign), c64(value)));
    const two = BigInt(format.bias + 1) << BigInt(format.fraction);
    const top = i64.shl(library.call64(`significand${bits}`, a), c64(1n));
    const bottom = i64.shl(library.call64(`significand${bits}`, b), c64(1n));
    return [
      tryHost(format, 'mul', [a, b], result),
      prepare(format, library, a, b),
      set(sign, signOf(format, i64.xor(a, b))),
      when(i32.or(isInfinite(format, a), isInfinite(format, b)), [
        when(i32.or(isZero(format, a), isZero(format, b)), operation === 'mul' ? invalid(format) : signOnly(two)),
        signOnly(format.infinity),
      ]),
      when(i32.or(isZero(format, a), isZero(format, b)), signOnly(0n)),
      set(exponent, i32.add(library.call32(`exponent${bits}`, a), library.call32(`exponent${bits}`, b))),
      set(a, top), set(b, bottom),
      set(result, i64.or(library.call64('mulHigh', a, b), i64.extendU(i64.ne(i64.mul(a, b), c64(0n))))),
      when(i64.ltS(result, c64(0n)), [set(result, library.call64('jam', result, c32(1))), set(exponent, i32.add(exponent, c32(1)))]),
      library.call64(`round${bits}`, sign, exponent, result, roundingMode).code,
    ];
  };
}

const DIGIT = 11n;
const DIGITS = 5;
const UNIT = 53n;

/** Quotient of significands by long division in digits of eleven bits: 56 bits and a sticky one. */
function divideFinite(library: Library, bits: number, p: Parts): Code {
  const { a, b, result, sign, exponent, other } = p;
  const again = label('digit');
  const shift = c64(BigInt(LEADING) - UNIT + 1n);
  return [
    set(exponent, i32.sub(library.call32(`exponent${bits}`, a), library.call32(`exponent${bits}`, b))),
    set(a, i64.shrU(library.call64(`significand${bits}`, a), shift)), set(b, i64.shrU(library.call64(`significand${bits}`, b), shift)),
    when(i64.ltU(a, b), [set(a, i64.shl(a, c64(1n))), set(exponent, i32.sub(exponent, c32(1)))]),
    set(result, c64(1n)), set(a, i64.sub(a, b)), set(other, c32(DIGITS)),
    loop(again, [
      set(a, i64.shl(a, c64(DIGIT))),
      set(result, i64.add(i64.shl(result, c64(DIGIT)), i64.divU(a, b))),
      set(a, i64.sub(a, i64.mul(i64.divU(a, b), b))),
      set(other, i32.sub(other, c32(1))), branchIf(other, again),
    ]),
    set(result, i64.shl(result, c64(BigInt(LEADING) - DIGIT * BigInt(DIGITS)))),
    set(result, i64.or(result, i64.extendU(i64.ne(a, c64(0n))))),
    library.call64(`round${bits}`, sign, exponent, result, roundingMode).code,
  ];
}

function divideBody(format: Format) {
  return (f: FunctionLocals, library: Library): Code => {
    const p = parts(f);
    const { a, b, result, sign } = p;
    const signOnly = (value: bigint): Code => giveBack(i64.or(signBit(format, sign), c64(value)));
    return [
      tryHost(format, 'div', [a, b], result),
      prepare(format, library, a, b),
      set(sign, signOf(format, i64.xor(a, b))),
      when(isInfinite(format, a), [when(isInfinite(format, b), invalid(format)), signOnly(format.infinity)]),
      when(isInfinite(format, b), signOnly(0n)),
      when(isZero(format, b), [when(isZero(format, a), invalid(format)), raise(Flag.DZC), signOnly(format.infinity)]),
      when(isZero(format, a), signOnly(0n)),
      divideFinite(library, format.bits, p),
    ];
  };
}

const ROOT_SCALE = 57n;

/** Root by one bit at a time: 58 bits and a sticky one. */
function squareRootFinite(format: Format, library: Library, f: FunctionLocals): Code {
  const [value, root, step, trial, rest] = [f.parameter64(0), f.local64(), f.local64(), f.local64(), f.local64()];
  const exponent = f.local32();
  const again = label('bit');
  return [
    set(exponent, library.call32(`exponent${format.bits}`, value)),
    set(rest, i64.shrU(library.call64(`significand${format.bits}`, value), c64(BigInt(LEADING) - ROOT_SCALE))),
    when(i32.and(exponent, c32(1)), set(rest, i64.shl(rest, c64(1n)))),
    set(step, c64(1n << ROOT_SCALE)), set(value, c64(0n)),
    loop(again, [
      set(trial, i64.add(value, step)),
      when(i64.geU(rest, trial), [set(value, i64.add(trial, step)), set(rest, i64.sub(rest, trial)), set(root, i64.add(root, step))]),
      set(rest, i64.shl(rest, c64(1n))), set(step, i64.shrU(step, c64(1n))),
      branchIf(i64.ne(step, c64(0n)), again),
    ]),
    set(root, i64.or(i64.shl(root, c64(BigInt(LEADING) - ROOT_SCALE)), i64.extendU(i64.ne(rest, c64(0n))))),
    library.call64(`round${format.bits}`, c32(0), i32.shrS(exponent, c32(1)), root, roundingMode).code,
  ];
}

function squareRootBody(format: Format) {
  return (f: FunctionLocals, library: Library): Code => {
    const value = f.parameter64(0);
    const result = f.local64();
    return [
      when(i32.eqz(signOf(format, value)), tryHost(format, 'sqrt', [value], result)),
      set(value, library.call64(`flush${format.bits}`, value)),
      when(isNan(format, value), giveBack(library.call64(`quiet${format.bits}`, value))),
      when(isZero(format, value), giveBack(value)),
      when(signOf(format, value), invalid(format)),
      when(isInfinite(format, value), giveBack(value)),
      squareRootFinite(format, library, f),
    ];
  };
}

/** add, sub, mul, mulx, div, sqrt with the width as suffix. */
export const arithmeticDefinitions: Definitions = FORMATS.flatMap((format): Definitions => [
  [`add${format.bits}`, { signature: BINARY, build: addBody(format, 'add') }],
  [`sub${format.bits}`, { signature: BINARY, build: addBody(format, 'sub') }],
  [`mul${format.bits}`, { signature: BINARY, build: multiplyBody(format, 'mul') }],
  [`mulx${format.bits}`, { signature: BINARY, build: multiplyBody(format, 'mulx') }],
  [`div${format.bits}`, { signature: BINARY, build: divideBody(format) }],
  [`sqrt${format.bits}`, { signature: UNARY, build: squareRootBody(format) }],
]);
