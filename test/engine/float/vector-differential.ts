/** Compares the engine with the reference, one SIMD or FP instruction at a time, on special and random values in every mode. */

import assert from 'node:assert/strict';

import { Prng } from '../../../runtime/base/prng';
import { createEngine, type Engine } from '../../../runtime/engine';
import { encodings, decode } from '../../../runtime/isa/encodings';
import type { Encoding } from '../../../runtime/isa/interface';
import { randomInstruction } from '../../../runtime/isa/random-instruction';
import { toPa } from '../support';
import { DATA, SLOT } from '../reference-program';
import { AT, DATA_BYTES, RECORD_BYTES, runVectors } from './vector-harness';

const NOP = 0xd503201f;
const BASE = DATA + 256n;

/** Ready rows of classes. */
export function rowsOf(...classes: readonly string[]): readonly Encoding[] {
  const rows = encodings.filter((row) => row.state === 'ready' && classes.includes(row.class));
  assert.ok(rows.length > 0, `rows of ${classes.join(', ')}`);
  return rows;
}

const HALVES = [0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x7d01, 0xfe55, 0xfd55, 0x3c00, 0xbc00, 0x3800, 0x3e00, 0x4000, 0x4200, 0x5bff, 0x77ff];
const SINGLES = [
  0x0000_0000, 0x8000_0000, 0x0000_0001, 0x8000_0001, 0x007f_ffff, 0x0080_0000, 0x7f7f_ffff, 0xff7f_ffff, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x7f80_0001, 0xffc1_2345, 0xffa0_0001,
  0x3f80_0000, 0xbf80_0000, 0x3f00_0000, 0x3fc0_0000, 0x4000_0000, 0x4040_0000, 0x4f00_0000, 0xcf00_0000, 0x4f80_0000, 0x5f00_0000, 0x5f80_0000, 0x4b7f_ffff, 0x3380_0000, 0x477f_e000, 0x3880_0000, 0x3300_0000,
];
const DOUBLES = [
  0n, 1n << 63n, 1n, 0x8000_0000_0000_0001n, 0x000f_ffff_ffff_ffffn, 0x0010_0000_0000_0000n, 0x7fef_ffff_ffff_ffffn, 0x7ff0_0000_0000_0000n, 0xfff0_0000_0000_0000n,
  0x7ff8_0000_0000_0000n, 0x7ff0_0000_0000_0001n, 0xfff8_1234_5678_9abcn, 0xfff4_0000_0000_0001n, 0x3ff0_0000_0000_0000n, 0xbff0_0000_0000_0000n, 0x3fe0_0000_0000_0000n,
  0x3ff8_0000_0000_0000n, 0x4000_0000_0000_0000n, 0x4008_0000_0000_0000n, 0x41e0_0000_0000_0000n, 0xc1e0_0000_0000_0000n, 0x43e0_0000_0000_0000n, 0xc3e0_0000_0000_0000n,
  0x43f0_0000_0000_0000n, 0x432f_ffff_ffff_ffffn, 0x47ef_ffff_e000_0000n, 0x47ef_ffff_f000_0000n, 0x3810_0000_0000_0000n, 0x380f_ffff_e000_0000n, 0x36a0_0000_0000_0000n, 0x3690_0000_0000_0000n,
];

const pick = <T>(prng: Prng, values: readonly T[]): T => {
  const value = values[prng.below(values.length)];
  assert.ok(value !== undefined);
  return value;
};

/** A pattern of the width: special, near another of its like, near one in exponent, or anything. */
function lane(prng: Prng, bits: 16 | 32 | 64): bigint {
  const all = (1n << BigInt(bits)) - 1n;
  const special = bits === 16 ? BigInt(pick(prng, HALVES)) : bits === 32 ? BigInt(pick(prng, SINGLES)) : pick(prng, DOUBLES);
  const [fraction, bias] = bits === 16 ? [10, 15] : bits === 32 ? [23, 127] : [52, 1023];
  const moderate = ((BigInt(prng.below(2)) << BigInt(bits - 1)) | (BigInt(bias - 40 + prng.below(80) > 0 ? Math.min(bias - 20 + prng.below(40), 2 * bias) : 1) << BigInt(fraction))
    | (prng.nextU64() & ((1n << BigInt(fraction)) - 1n))) & all;
  switch (prng.below(6)) {
    case 0: case 1: return special;
    case 2: return (special + BigInt(prng.below(5) - 2)) & all;
    case 3: return prng.nextU64() & all;
    default: return prng.below(3) === 0 ? moderate & ~((1n << BigInt(fraction - 3)) - 1n) : moderate;
  }
}

function vectorHalf(prng: Prng): bigint {
  const bits = pick(prng, [16, 32, 32, 64, 64, 64] as const);
  let value = 0n;
  for (let at = 0; at < 64; at += bits) value |= lane(prng, bits) << BigInt(at);
  return value;
}

/** Normal numbers of like size only, as most programs have them. */
function ordinaryHalf(prng: Prng, bits: 32 | 64): bigint {
  const [fraction, bias] = bits === 32 ? [23, 127] : [52, 1023];
  let value = 0n;
  for (let at = 0; at < 64; at += bits) {
    const number = (BigInt(prng.below(2)) << BigInt(bits - 1)) | (BigInt(bias - 4 + prng.below(8)) << BigInt(fraction)) | (prng.nextU64() & ((1n << BigInt(fraction)) - 1n));
    value |= (prng.below(2) === 0 ? number : number & ~((1n << BigInt(fraction - 6)) - 1n)) << BigInt(at);
  }
  return value;
}

function general(prng: Prng): bigint {
  switch (prng.below(4)) {
    case 0: return BigInt.asUintN(64, BigInt(prng.below(512) - 256));
    case 1: return pick(prng, [0n, 1n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x7fff_ffff_ffff_ffffn, 1n << 63n, 0xffff_ffff_ffff_ffffn, 0x7fff_ffff_ffff_fc00n, 0x20_0000_0000_0001n, 0x0100_0001n]);
    default: return prng.nextU64() >> BigInt(prng.below(64));
  }
}

/** FPCR values: every rounding mode, with and without FZ, DN, FZ16 and AHP. */
function control(prng: Prng): bigint {
  if (prng.below(3) === 0) return 0n;
  return (BigInt(prng.below(4)) << 22n) | (BigInt(prng.below(2)) << 24n) | (BigInt(prng.below(2)) << 25n) | (prng.below(4) === 0 ? 1n << 26n : 0n) | (hasHalf && prng.below(2) === 0 ? 1n << 19n : 0n);
}
const hasHalf = encodings.some((row) => row.feature === 'FP16' && row.state === 'ready');

/** Makes the addend of a fused multiply-add in double precision almost the product's opposite. */
function cancelProduct(prng: Prng, view: DataView, word: number): void {
  if (decode(word)?.encoding.class !== 'fp_3_source' || ((word >>> 22) & 3) !== 1) return;
  const at = (shift: number): number => AT.vectors + ((word >>> shift) & 31) * 16;
  const value = (): number => (prng.below(2) === 0 ? 1 : -1) * (1 + prng.below(1 << 30) / (1 << 30) + prng.below(1 << 22) / 2 ** 52) * 2 ** (prng.below(300) - 150);
  view.setFloat64(at(5), value(), true);
  view.setFloat64(at(16), value(), true);
  view.setFloat64(at(10), view.getFloat64(at(5), true) * view.getFloat64(at(16), true) * (prng.below(2) === 0 ? 1 : -1) * 2 ** (prng.below(4) === 0 ? prng.below(240) - 120 : 0), true);
  view.setBigUint64(at(10), view.getBigUint64(at(10), true) + BigInt(prng.below(3)), true);
}

function makeRecord(prng: Prng, word: number): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < 31; n++) view.setBigUint64(n * 8, general(prng), true);
  view.setBigUint64(20 * 8, BASE, true);
  view.setBigUint64(21 * 8, BigInt(prng.below(9)), true);
  view.setBigUint64(AT.sp, BASE, true);
  view.setBigUint64(AT.nzcv, BigInt(prng.below(16)) << 28n, true);
  view.setBigUint64(AT.fpcr, control(prng), true);
  view.setBigUint64(AT.fpsr, prng.below(2) === 0 ? 0n : 0x10n, true);
  const ordinary = ([undefined, undefined, 32, 64] as const)[prng.below(4)];
  for (let i = 0; i < 64; i++) view.setBigUint64(AT.vectors + i * 8, ordinary === undefined ? vectorHalf(prng) : ordinaryHalf(prng, ordinary), true);
  if (prng.below(2) === 0) cancelProduct(prng, view, word);
  [word, NOP, NOP, NOP].forEach((each, i) => { view.setUint32(AT.words + i * 4, each, true); });
  for (let i = 0; i < DATA_BYTES; i += 4) view.setUint32(AT.data + i, prng.nextU32(), true);
  return bytes;
}

function machine(): Engine {
  const engine = createEngine({ ram: [{ base: toPa(SLOT), sizeBytes: 8192 }, { base: toPa(DATA), sizeBytes: 8192 }], vcpuCountMax: 1, counterShift: 0 });
  engine.vcpu(0).setSystemRegister('HCR_EL2', 1n << 12n);
  engine.vcpu(0).setSystemRegister('CPACR_EL1', 3n << 20n);
  return engine;
}

const textOf = (record: Uint8Array): string => {
  const word = new DataView(record.buffer, record.byteOffset).getUint32(AT.words, true);
  return `${word.toString(16)} (${decode(word)?.encoding.name ?? '?'})`;
};

function runHere(engine: Engine, record: Uint8Array): Uint8Array {
  const out = record.slice();
  const view = new DataView(out.buffer);
  const vcpu = engine.vcpu(0);
  for (let n = 0; n < 31; n++) vcpu.setX(n, view.getBigUint64(n * 8, true));
  for (let n = 0; n < 32; n++) vcpu.setV(n, view.getBigUint64(AT.vectors + n * 16, true), view.getBigUint64(AT.vectors + n * 16 + 8, true));
  vcpu.sp = view.getBigUint64(AT.sp, true);
  vcpu.pstate = view.getBigUint64(AT.nzcv, true) | 0x3c5n;
  vcpu.setSystemRegister('FPCR', view.getBigUint64(AT.fpcr, true));
  vcpu.setSystemRegister('FPSR', view.getBigUint64(AT.fpsr, true));
  vcpu.pc = SLOT;
  engine.memory.write(toPa(SLOT), record.slice(AT.words, AT.words + 16));
  engine.memory.write(toPa(DATA), record.subarray(AT.data));
  const { retired, exit } = engine.run(0, { budget: 4, tickNow: 0 });
  assert.ok(retired === 4 && exit.reason === 'budget' && vcpu.pc === SLOT + 16n, `${textOf(record)} left with ${exit.reason}, ESR ${vcpu.systemRegister('ESR_EL1').toString(16)}`);
  for (let n = 0; n < 31; n++) view.setBigUint64(n * 8, vcpu.x(n), true);
  for (let n = 0; n < 32; n++) vcpu.v(n).forEach((half, i) => { view.setBigUint64(AT.vectors + n * 16 + i * 8, half, true); });
  view.setBigUint64(AT.sp, vcpu.sp, true);
  view.setBigUint64(AT.nzcv, vcpu.pstate & 0xf000_0000n, true);
  view.setBigUint64(AT.fpsr, vcpu.systemRegister('FPSR'), true);
  out.set(engine.memory.read(toPa(DATA), DATA_BYTES), AT.data);
  return out;
}

function placeName(offset: number): string {
  if (offset >= AT.data) return `data ${offset - AT.data}`;
  if (offset >= AT.vectors) return `V${(offset - AT.vectors) >> 4} ${((offset - AT.vectors) & 8) === 8 ? 'high' : 'low'}`;
  return offset === AT.fpsr ? 'FPSR' : offset === AT.nzcv ? 'NZCV' : `X${offset / 8}`;
}

function difference(before: Uint8Array, here: Uint8Array, there: Uint8Array): string {
  const views = [before, here, there].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, RECORD_BYTES));
  const at = (index: number, offset: number): bigint => views[index]?.getBigUint64(offset, true) ?? 0n;
  const found: string[] = [];
  for (let offset = 0; offset < RECORD_BYTES; offset += 8) {
    if (at(1, offset) !== at(2, offset)) found.push(`${placeName(offset)}: here ${at(1, offset).toString(16)}, reference ${at(2, offset).toString(16)}`);
  }
  if (found.length === 0) return '';
  const word = views[0]?.getUint32(AT.words, true) ?? 0;
  const operands = [5, 16, 10, 0].map((shift) => (word >>> shift) & 31).map((n) => `v${n}=${at(0, AT.vectors + n * 16 + 8).toString(16)}:${at(0, AT.vectors + n * 16).toString(16)} x${n}=${at(0, n * 8).toString(16)}`);
  return `${found.join('; ')} | FPCR ${at(0, AT.fpcr).toString(16)} FPSR ${at(0, AT.fpsr).toString(16)} | ${operands.join(' ')}`;
}

/** A word of a row whose base register, if it has one, points into the data area. */
export function wordOf(prng: Prng, row: Encoding): number {
  for (;;) {
    let word = randomInstruction(prng, row);
    if (row.class.includes('load')) {
      const isBase = row.class !== 'simd_load_literal';
      if (!isBase) word &= ~(0x7ffff << 5);
      else word = (word & ~(31 << 5)) | ((prng.below(4) === 0 ? 31 : 20) << 5);
      if (row.class.endsWith('unsigned_immediate')) word &= ~(0x7f0 << 10 | 1 << 21);
      if (row.class.includes('pair')) word &= ~(0x78 << 15);
      if (row.class.endsWith('register_offset')) word = (word & ~(31 << 16)) | (21 << 16);
      if (row.class.includes('_post_indexed') && !row.pattern.includes('imm') && ((word >>> 16) & 31) === 20) continue;
    } else if (row.pattern.includes('Rd:5') && ((word & 31) === 31)) {
      word &= ~8;
    }
    word >>>= 0;
    const decoded = decode(word);
    if (decoded?.encoding === row) return word;
  }
}

/** QEMU 7.2 leaves the sign of FCVTZS (scalar, fixed-point) above a half-precision result, where the architecture has zeros. */
function amendReference(word: number, there: Uint8Array): Uint8Array {
  const decoded = decode(word);
  const isWrong = decoded?.encoding.class === 'simd_scalar_convert_fixed' && decoded.encoding.mnemonic === 'fcvtzs' && decoded.encoding.feature === 'FP16';
  if (isWrong) there.fill(0, AT.vectors + (word & 31) * 16 + 2, AT.vectors + (word & 31) * 16 + 8);
  return there;
}

/** Compares `count` instructions of each row; gives how many were compared. Reports at most a few differences per row. */
export function checkRows(rows: readonly Encoding[], count: number, seed: number): number {
  const prng = new Prng(seed);
  const records = rows.flatMap((row) => Array.from({ length: count }, () => makeRecord(prng, wordOf(prng, row))));
  const input = new Uint8Array(records.length * RECORD_BYTES);
  records.forEach((record, index) => { input.set(record, index * RECORD_BYTES); });
  const reference = runVectors(input);
  const engine = machine();
  const failures = new Map<string, { first: string; count: number }>();
  records.forEach((record, index) => {
    const word = new DataView(record.buffer).getUint32(AT.words, true);
    const there = amendReference(word, reference.slice(index * RECORD_BYTES, (index + 1) * RECORD_BYTES));
    const found = difference(record, runHere(engine, record), there);
    if (found === '') return;
    const name = decode(word)?.encoding.name ?? '';
    const known = failures.get(name);
    failures.set(name, { first: known?.first ?? `record ${index} ${textOf(record)} ${found}`, count: (known?.count ?? 0) + 1 });
  });
  const text = [...failures].map(([name, failure]) => `${name} (${failure.count}): ${failure.first}`);
  assert.equal(text.slice(0, 12).join('\n'), '', `seed ${seed}, ${failures.size} rows differ`);
  return records.length;
}
