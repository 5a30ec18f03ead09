/**
 * BFloat16: conversion from single, and the arithmetic of its dot products, which rounds to odd, flushes denormals, knows one NaN and
 * ignores FPCR and FPSR. Also the exact widening of halves that the long multiplications use.
 * Arm ARM (DDI 0487) pseudocode: FPConvertBF, BFAdd, BFMul, FPMulAddH.
 */

import { present } from '../../base/assert';
import type { Code } from '../wasm/code';
import { giveBack, i32, i64, set, when, type F64, type I32, type I64 } from '../wasm/expressions';
import type { Definition, Library } from '../wasm/library';
import type { FunctionLocals } from '../wasm/module';
import { convertNan } from './convert';
import { asBits, multiply, twoSum } from './fused-on-host';
import { BRAIN, c32, c64, exponentField, flushes, FORMATS, isInfinite, isNan, isZero, roundingMode, signBit, signOf, type Format } from './format';

type Definitions = (readonly [name: string, definition: Definition])[];

const formatOf = (bits: number): Format => present(FORMATS.find((format) => format.bits === bits), 'a format');
const HALF = formatOf(16);
const SINGLE = formatOf(32);
const DOUBLE = formatOf(64);

/** (single): the BFloat16, rounded as FPCR says. */
function convert(f: FunctionLocals, library: Library): Code {
  const value = f.parameter64(0);
  const sign = f.local32();
  return [
    set(value, library.call64('flush32', value)), set(sign, signOf(SINGLE, value)),
    when(isNan(SINGLE, value), convertNan(SINGLE, BRAIN, value)),
    when(isInfinite(SINGLE, value), giveBack(i64.or(signBit(BRAIN, sign), c64(BRAIN.infinity)))),
    when(isZero(SINGLE, value), giveBack(signBit(BRAIN, sign))),
    library.call64('roundToBrain', sign, library.call32('exponent32', value), library.call64('significand32', value), roundingMode).code,
  ];
}

/** A single as a double, denormals as zeros. */
function widened(value: I64): F64 {
  const kept = i64.select(exponentField(SINGLE, value), value, i64.and(value, c64(SINGLE.signMask)));
  return { type: 'f64', code: [i32.wrap(kept).code, 0xbe, 0xbb] };
}

const CUT = BigInt(DOUBLE.fraction - SINGLE.fraction);

/** (bits of a double that was itself rounded to odd): the single, rounded to odd; below the normal numbers a zero, above infinity. */
function narrow(f: FunctionLocals): Code {
  const value = f.parameter64(0);
  const sign = i64.shrU(i64.and(value, c64(DOUBLE.signMask)), c64(32n));
  const exponent = f.local32();
  const sticky = i64.extendU(i64.ne(i64.and(value, c64((1n << CUT) - 1n)), c64(0n)));
  const fraction = i64.or(i64.shrU(i64.and(value, c64(DOUBLE.fractionMask)), c64(CUT)), sticky);
  return [
    when(isNan(DOUBLE, value), giveBack(c64(SINGLE.defaultNan))),
    set(exponent, i32.sub(exponentField(DOUBLE, value), c32(DOUBLE.bias - SINGLE.bias))),
    when(i32.leS(exponent, c32(0)), giveBack(sign)),
    when(i32.geS(exponent, c32(SINGLE.exponentMax)), giveBack(i64.or(sign, c64(SINGLE.infinity)))),
    i64.or(i64.or(sign, i64.shl(i64.extendU(exponent), c64(BigInt(SINGLE.fraction)))), fraction).code,
  ];
}

/** (a, b): singles with the precision of BFloat16; the product of two such is exact in double. */
function product(f: FunctionLocals, library: Library): Code {
  return library.call64('narrowToOdd', asBits(multiply(widened(f.parameter64(0)), widened(f.parameter64(1))))).code;
}

/** (a, b): singles. What the double sum leaves out is found exactly, and makes the sum odd. */
function sum(f: FunctionLocals, library: Library): Code {
  const [a, b, total, error] = [f.localF64(), f.localF64(), f.localF64(), f.localF64()];
  const bits = f.local64();
  const isFinite = i32.ltU(exponentField(DOUBLE, bits), c32(DOUBLE.exponentMax));
  const isInexact = i64.ne(i64.and(asBits(error), c64(DOUBLE.signMask - 1n)), c64(0n));
  const isEven = i64.eqz(i64.and(bits, c64(1n)));
  const towardsError = i64.select(i64.ltS(i64.xor(bits, asBits(error)), c64(0n)), i64.sub(bits, c64(1n)), i64.add(bits, c64(1n)));
  return [
    set(a, widened(f.parameter64(0))), set(b, widened(f.parameter64(1))), twoSum([total, error], a, b), set(bits, asBits(total)),
    when(i32.and(i32.and(isFinite, isInexact), isEven), set(bits, towardsError)),
    library.call64('narrowToOdd', bits).code,
  ];
}

const LEAST_HALF = 2 ** -24;

/** (half): the single of the same value. A signalling NaN stays one; FPCR.AHP does not matter, FZ16 does. */
function widenHalf(f: FunctionLocals): Code {
  const value = f.parameter64(0);
  const sign = f.local64();
  const fraction = i64.and(value, c64(HALF.fractionMask));
  const step = BigInt(SINGLE.fraction - HALF.fraction);
  const exponent = i32.add(exponentField(HALF, value), c32(SINGLE.bias - HALF.bias));
  const denormal: I32 = { type: 'i32', code: [i32.wrap(fraction).code, 0xb3, 0x43, ...singleBytes(LEAST_HALF), 0x94, 0xbc] };
  const rest = i64.shl(fraction, c64(step));
  return [
    set(sign, i64.shl(i64.and(value, c64(HALF.signMask)), c64(16n))),
    when(i32.eqz(exponentField(HALF, value)), giveBack(i64.or(sign, i64.select(flushes(HALF), c64(0n), i64.extendU(denormal))))),
    when(i32.eq(exponentField(HALF, value), c32(HALF.exponentMax)), giveBack(i64.or(sign, i64.or(c64(SINGLE.infinity), rest)))),
    i64.or(sign, i64.or(i64.shl(i64.extendU(exponent), c64(BigInt(SINGLE.fraction))), rest)).code,
  ];
}

/** A single as a constant of the host's code. */
function singleBytes(value: number): readonly number[] {
  return [...new Uint8Array(Float32Array.of(value).buffer)];
}

const UNARY = { parameters: ['i64'], result: 'i64' } as const;
const BINARY = { parameters: ['i64', 'i64'], result: 'i64' } as const;

/** convertToBrain; brainMul and brainAdd on singles; halfToSingle. */
export const brainDefinitions: Definitions = [
  ['convertToBrain', { signature: UNARY, build: convert }],
  ['narrowToOdd', { signature: UNARY, build: narrow }],
  ['brainMul', { signature: BINARY, build: product }],
  ['brainAdd', { signature: BINARY, build: sum }],
  ['halfToSingle', { signature: UNARY, build: widenHalf }],
];
