/**
 * The three floating-point formats and what all operations on them share: constants, fields, classes of values, FPCR and
 * FPSR. Values are bit patterns, zero-extended in an i64. Arm ARM (DDI 0487) A1.4.
 */

import { systemSlot } from '../system-slots';
import type { Code } from '../wasm/code';
import { i32, i64, type I32, type I64, type Local64 } from '../wasm/expressions';

/** Width in bits. */
export type Bits = 16 | 32 | 64;

/** One IEEE 754 format. */
export interface Format {
  readonly bits: Bits;
  /** Bits of the fraction. */
  readonly fraction: number;
  readonly bias: number;
  /** The exponent field of infinities and NaNs. */
  readonly exponentMax: number;
  /** Bit patterns. */
  readonly signMask: bigint;
  readonly infinity: bigint;
  readonly fractionMask: bigint;
  readonly quiet: bigint;
  readonly defaultNan: bigint;
}

function makeFormat(bits: Bits, fraction: number): Format {
  const exponentMax = 2 ** (bits - fraction - 1) - 1;
  const infinity = BigInt(exponentMax) << BigInt(fraction);
  const quiet = 1n << BigInt(fraction - 1);
  return {
    bits, fraction, bias: (exponentMax - 1) / 2, exponentMax, infinity, quiet, defaultNan: infinity | quiet,
    signMask: 1n << BigInt(bits - 1), fractionMask: (1n << BigInt(fraction)) - 1n,
  };
}

/** Half, single and double precision. */
export const FORMATS: readonly Format[] = [makeFormat(16, 10), makeFormat(32, 23), makeFormat(64, 52)];

/** BFloat16: a single without its lower half. It has conversions and products of its own, and is not one of `FORMATS`. */
export const BRAIN: Format = makeFormat(16, 7);

/** Cumulative exception bits of FPSR. */
export const Flag = { IOC: 1, DZC: 2, OFC: 4, UFC: 8, IXC: 16, IDC: 128, QC: 1 << 27 } as const;

/** Rounding modes: those of FPCR.RMode, then ties away from zero, then to odd. */
export const Rounding = { nearest: 0, up: 1, down: 2, zero: 3, away: 4, odd: 5 } as const;

const FPCR_FZ16 = 1 << 19;
const FPCR_FZ = 1 << 24;
const FPCR_DN = 1 << 25;
const FPCR_AHP_SHIFT = 26;
const FPCR_MODES = FPCR_FZ16 | FPCR_FZ | FPCR_DN | (1 << FPCR_AHP_SHIFT) | (3 << 22);

const ZERO = i32.const(0);
/** FPCR and FPSR; their upper halves are RES0. */
export const fpcr = i32.load(ZERO, systemSlot('FPCR'));
const fpsr = i32.load(ZERO, systemSlot('FPSR'));

/** Shorthands for constants. */
export const c32 = i32.const;
export const c64 = i64.const;

/** Sets FPSR bits. */
export function raise(flags: number | I32): Code {
  return i32.store(ZERO, i32.or(fpsr, typeof flags === 'number' ? c32(flags) : flags), systemSlot('FPSR'));
}

/** FPCR.RMode. */
export const roundingMode: I32 = i32.and(i32.shrU(fpcr, c32(22)), c32(3));
/** FPCR.DN. */
export const usesDefaultNan: I32 = i32.and(fpcr, c32(FPCR_DN));
/** FPCR.AHP. */
export const usesAlternativeHalf: I32 = i32.and(i32.shrU(fpcr, c32(FPCR_AHP_SHIFT)), c32(1));

/** FPCR.FZ, or FZ16 for half precision. */
export function flushes(format: Format): I32 {
  return i32.and(fpcr, c32(format.bits === 16 && format !== BRAIN ? FPCR_FZ16 : FPCR_FZ));
}

/** Bit 0 is set while every mode is the default and inexact results need no note: the host's arithmetic then says all there is to say. */
export const hostIsExact: I32 = i32.and(i32.eqz(i32.and(fpcr, c32(FPCR_MODES))), i32.shrU(fpsr, c32(4)));

/** 1 while no mode of FPCR is on. */
export const modesAreDefault: I32 = i32.eqz(i32.and(fpcr, c32(FPCR_MODES)));

/** Sign as 0 or 1. */
export function signOf(format: Format, value: I64): I32 {
  return i32.wrap(i64.shrU(value, c64(BigInt(format.bits - 1))));
}

/** A sign of 0 or 1 as the sign bit. */
export function signBit(format: Format, sign: I32): I64 {
  return i64.shl(i64.extendU(sign), c64(BigInt(format.bits - 1)));
}

/** The exponent field. */
export function exponentField(format: Format, value: I64): I32 {
  return i32.and(i32.wrap(i64.shrU(value, c64(BigInt(format.fraction)))), c32(format.exponentMax));
}

/** The value without its sign. */
export function magnitude(format: Format, value: I64): I64 {
  return i64.and(value, c64(format.signMask - 1n));
}

/** The value with the other sign. */
export function negated(format: Format, value: I64): I64 {
  return i64.xor(value, c64(format.signMask));
}

/** True for +0 and -0. */
export function isZero(format: Format, value: I64): I32 {
  return i64.eqz(magnitude(format, value));
}

/** True for infinities. */
export function isInfinite(format: Format, value: I64): I32 {
  return i64.eq(magnitude(format, value), c64(format.infinity));
}

/** True for NaNs. */
export function isNan(format: Format, value: I64): I32 {
  return i64.gtU(magnitude(format, value), c64(format.infinity));
}

/** True for signalling NaNs. */
export function isSignalling(format: Format, value: I64): I32 {
  return i32.and(isNan(format, value), i64.eqz(i64.and(value, c64(format.quiet))));
}

/** True for values that are neither zero, denormal, infinite nor NaN. */
export function isNormal(format: Format, value: Local64): I32 {
  return i32.ltU(i32.sub(exponentField(format, value), c32(1)), c32(format.exponentMax - 1));
}
