/** Operands at the edges: integers, floating-point numbers of three widths, and the records that programs draw from. */

import { Prng } from '../../runtime/base/prng';
import { AT, RECORD_BYTES } from './layout';

const HALVES = [0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x8400, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00, 0x7d01, 0xfe55, 0xfd55, 0x3c00, 0xbc00, 0x3bff, 0x3c01, 0x3800, 0x3e00, 0x4000, 0x4200, 0x5bff, 0x77ff, 0x7800, 0xf800];
const SINGLES = [
  0x0000_0000, 0x8000_0000, 0x0000_0001, 0x8000_0001, 0x007f_ffff, 0x0080_0000, 0x8080_0000, 0x7f7f_ffff, 0xff7f_ffff, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x7f80_0001, 0xffc1_2345, 0xffa0_0001,
  0x3f80_0000, 0xbf80_0000, 0x3f7f_ffff, 0x3f80_0001, 0x3f00_0000, 0x3fc0_0000, 0x4000_0000, 0x4040_0000, 0x4f00_0000, 0xcf00_0000, 0x4f80_0000, 0x5f00_0000, 0xdf00_0000, 0x5f80_0000, 0x4b7f_ffff, 0x4b00_0001,
  0x3380_0000, 0x477f_e000, 0x477f_f000, 0x3880_0000, 0x3300_0000, 0x337f_ffff,
];
const DOUBLES = [
  0n, 1n << 63n, 1n, 0x8000_0000_0000_0001n, 0x000f_ffff_ffff_ffffn, 0x0010_0000_0000_0000n, 0x8010_0000_0000_0000n, 0x7fef_ffff_ffff_ffffn, 0x7ff0_0000_0000_0000n, 0xfff0_0000_0000_0000n,
  0x7ff8_0000_0000_0000n, 0x7ff0_0000_0000_0001n, 0xfff8_1234_5678_9abcn, 0xfff4_0000_0000_0001n, 0x3ff0_0000_0000_0000n, 0xbff0_0000_0000_0000n, 0x3fef_ffff_ffff_ffffn, 0x3ff0_0000_0000_0001n, 0x3fe0_0000_0000_0000n,
  0x3ff8_0000_0000_0000n, 0x4000_0000_0000_0000n, 0x4008_0000_0000_0000n, 0x41df_ffff_ffc0_0000n, 0x41e0_0000_0000_0000n, 0xc1e0_0000_0000_0000n, 0xc1e0_0000_0020_0000n, 0x41ef_ffff_ffe0_0000n, 0x43e0_0000_0000_0000n, 0xc3e0_0000_0000_0000n,
  0x43f0_0000_0000_0000n, 0x432f_ffff_ffff_ffffn, 0x4330_0000_0000_0001n, 0x47ef_ffff_e000_0000n, 0x47ef_ffff_f000_0000n, 0x3810_0000_0000_0000n, 0x380f_ffff_e000_0000n, 0x36a0_0000_0000_0000n, 0x3690_0000_0000_0000n,
];
const INTEGERS = [
  0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n, 0x7fff_ffff_ffff_ffffn, 1n << 63n, 0xffff_ffff_ffff_ffffn, 0xffff_ffff_8000_0000n, 0xffff_ffff_7fff_ffffn,
  0x7fff_ffff_ffff_fc00n, 0x20_0000_0000_0001n, 0x0100_0001n, 0x8080_8080_8080_8080n, 0x7fff_8000_7fff_8000n, 0x0101_0101_0101_0101n,
];

const pick = <T>(prng: Prng, values: readonly T[], otherwise: T): T => values[prng.below(values.length)] ?? otherwise;

/** The special patterns of a width. */
export function specialPatterns(bits: 16 | 32 | 64): readonly bigint[] {
  return bits === 16 ? HALVES.map(BigInt) : bits === 32 ? SINGLES.map(BigInt) : DOUBLES;
}

/** Exponent bias and fraction bits by width. */
const FORMATS = { 16: [15, 10], 32: [127, 23], 64: [1023, 52] } as const;

/** A floating-point pattern of the width: special, near a special one, of moderate exponent, or anything. */
export function floatPattern(prng: Prng, bits: 16 | 32 | 64): bigint {
  const all = (1n << BigInt(bits)) - 1n;
  const special = bits === 16 ? BigInt(pick(prng, HALVES, 0)) : bits === 32 ? BigInt(pick(prng, SINGLES, 0)) : pick(prng, DOUBLES, 0n);
  const [bias, fraction] = FORMATS[bits];
  switch (prng.below(8)) {
    case 0: case 1: case 2: return special;
    case 3: return (special + BigInt(prng.below(5) - 2)) & all;
    case 4: return prng.nextU64() & all;
    default: {
      const exponent = Math.min(Math.max(bias - 20 + prng.below(40), 1), 2 * bias);
      const number = (BigInt(prng.below(2)) << BigInt(bits - 1)) | (BigInt(exponent) << BigInt(fraction)) | (prng.nextU64() & ((1n << BigInt(fraction)) - 1n));
      return prng.below(3) === 0 ? number & ~((1n << BigInt(fraction - 4)) - 1n) : number;
    }
  }
}

/** A general register's value: at an edge, small, of any length, or a float's pattern. */
export function integer(prng: Prng): bigint {
  switch (prng.below(8)) {
    case 0: case 1: return pick(prng, INTEGERS, 0n);
    case 2: return BigInt.asUintN(64, BigInt(prng.below(512) - 256));
    case 3: return floatPattern(prng, 64);
    case 4: return prng.nextU64();
    default: return prng.nextU64() >> BigInt(prng.below(64));
  }
}

/** Half of a vector: lanes of floats, of integers at edges, or ordinary floats of like size. */
function vectorHalf(prng: Prng): bigint {
  const kind = prng.below(8);
  if (kind === 0) return integer(prng);
  if (kind === 1) return prng.nextU64();
  if (kind === 2) return [0n, 8n, 16n, 24n, 32n, 40n, 48n, 56n].reduce((sum, at) => sum | (BigInt(pick(prng, [0, 1, 0x7f, 0x80, 0xff, 3, 0xfd, 8], 0)) << at), 0n);
  const bits = pick(prng, [16, 32, 32, 64, 64] as const, 64);
  let value = 0n;
  for (let at = 0; at < 64; at += bits) value |= floatPattern(prng, bits) << BigInt(at);
  return value;
}

/** FPCR: a third of the time zero, else any rounding mode with or without FZ, DN, AHP, FZ16. */
export function floatControl(prng: Prng): bigint {
  if (prng.below(3) === 0) return 0n;
  return BigInt((prng.below(4) << 22) | (prng.below(2) << 24) | (prng.below(2) << 25) | (prng.below(4) === 0 ? 1 << 26 : 0) | (prng.below(2) << 19));
}

/** FPSR: often IXC alone, which lets the engine use the host's arithmetic. */
function floatStatus(prng: Prng): bigint {
  return pick(prng, [0n, 0x10n, 0x10n, 0x9fn, 0x0800_0000n, 0x0800_0010n], 0n);
}

/** Fills a pool of records with values. */
export function makePool(seed: number, recordCount: number): Uint8Array {
  const prng = new Prng(seed);
  const bytes = new Uint8Array(recordCount * RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  for (let record = 0; record < bytes.length; record += RECORD_BYTES) {
    for (let at = 0; at < RECORD_BYTES; at += 8) view.setBigUint64(record + at, at >= AT.v && at < AT.nzcv ? vectorHalf(prng) : integer(prng), true);
    view.setBigUint64(record + AT.nzcv, BigInt(prng.below(16)) << 28n, true);
    view.setBigUint64(record + AT.fpcr, floatControl(prng), true);
    view.setBigUint64(record + AT.fpsr, floatStatus(prng), true);
  }
  return bytes;
}
