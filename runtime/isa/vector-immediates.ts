/** Immediates of floating point and SIMD, expanded: Arm ARM (DDI 0487) pseudocode VFPExpandImm and AdvSIMDExpandImm. */

import { field } from './encoding-rows';
import type { Fields } from './interface';

/** What the immediate of a modified-immediate instruction does to the destination. */
export interface VectorImmediate {
  readonly operation: 'set' | 'or' | 'and';
  /** 64 bits, the same for both halves. */
  readonly value: bigint;
}

const FRACTIONS: Readonly<Record<number, readonly [exponent: number, fraction: number]>> = { 0: [8, 23], 1: [11, 52], 3: [5, 10] };

/** FMOV's eight bits as single (`ftype` 0), double (1) or half (3) precision. */
export function expandFloatImmediate(imm8: number, ftype: number): bigint {
  const [exponent, fraction] = FRACTIONS[ftype] ?? [8, 23];
  const sign = BigInt(imm8 >> 7);
  const top = (imm8 >> 6) & 1;
  const repeated = top === 1 ? (1n << BigInt(exponent - 3)) - 1n : 0n;
  const exponentBits = (BigInt(top ^ 1) << BigInt(exponent - 1)) | (repeated << 2n) | BigInt((imm8 >> 4) & 3);
  return (sign << BigInt(exponent + fraction)) | (exponentBits << BigInt(fraction)) | (BigInt(imm8 & 15) << BigInt(fraction - 4));
}

const repeat = (value: bigint, bits: number): bigint => {
  let result = 0n;
  for (let at = 0; at < 64; at += bits) result |= value << BigInt(at);
  return result;
};

/** One byte of ones for each set bit. */
function byteMask(imm8: number): bigint {
  let result = 0n;
  for (let bit = 0; bit < 8; bit++) if (((imm8 >> bit) & 1) === 1) result |= 0xffn << BigInt(bit * 8);
  return result;
}

/** The 64 bits that `op`, `cmode`, `o2` and the eight bits stand for, before any inversion. */
function pattern(f: Fields, imm8: number): bigint {
  const cmode = field(f, 'cmode');
  const byte = BigInt(imm8);
  if (cmode < 8) return repeat(byte << BigInt((cmode >> 1) * 8), 32);
  if (cmode < 12) return repeat(byte << BigInt(((cmode >> 1) & 1) * 8), 16);
  if (cmode === 12) return repeat((byte << 8n) | 0xffn, 32);
  if (cmode === 13) return repeat((byte << 16n) | 0xffffn, 32);
  if (cmode === 14) return field(f, 'op') === 0 ? repeat(byte, 8) : byteMask(imm8);
  if (field(f, 'o2') === 1) return repeat(expandFloatImmediate(imm8, 3), 16);
  return field(f, 'op') === 0 ? repeat(expandFloatImmediate(imm8, 0), 32) : expandFloatImmediate(imm8, 1);
}

const ALL = (1n << 64n) - 1n;

/** The immediate of a row of the modified-immediate class. */
export function expandVectorImmediate(f: Fields): VectorImmediate {
  const cmode = field(f, 'cmode');
  const value = pattern(f, (field(f, 'abc') << 5) | field(f, 'defgh'));
  const combines = cmode < 12 && (cmode & 1) === 1;
  const inverts = field(f, 'op') === 1 && cmode < 14;
  return { operation: !combines ? 'set' : inverts ? 'and' : 'or', value: inverts ? ALL ^ value : value };
}
