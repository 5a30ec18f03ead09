/**
 * Programs that put one floating-point instruction through lists of operands in one mode: every pair of special values, triples of
 * the most special ones, and numbers near borders. A list has one entry per 32 bytes of the log, which the result replaces.
 */

import { Prng } from '../../runtime/base/prng';
import { compiledEncodings, decode } from '../../runtime/isa/encodings';
import type { Encoding, Fields } from '../../runtime/isa/interface';
import type { CompiledEncoding } from '../../runtime/isa/pattern';
import type { ProgramSource } from './compare';
import { CODE, EXIT, LOG, LOG_BYTES, LOG_END_BIT } from './layout';
import type { Program } from './programs';
import { POOL_BYTES } from './reference';
import { REFERENCE_DEFECTS } from './rows';
import { floatPattern, integer, specialPatterns } from './values';
import * as w from './words';

/** Bytes of an entry: operands a, b and c before; the vector result, the general one, and FPSR with NZCV after. */
export const ENTRY_BYTES = 32;
export const ENTRIES = LOG_BYTES / ENTRY_BYTES;

/** Width of the operands, which says from which values lists are made. */
export type Width = 16 | 32 | 64 | 'integer';
/** Every width, in the order in which jobs come. */
export const WIDTHS: readonly Width[] = [16, 32, 64, 'integer'];
/** Lists that exist for each width, in the order of the pool. */
export const LISTS = ['pairs', 'numbers', 'triples', 'random'] as const;
/** The name of a list. */
export type ListName = (typeof LISTS)[number];

/** One program: an instruction, a list, a mode. */
export interface Job { readonly encoding: Encoding; readonly word: number; readonly width: Width; readonly list: ListName; readonly fpcr: number }

/** FPCR bits. */
export const FZ = 1 << 24;
export const DN = 1 << 25;
const AHP = 1 << 26;
const FZ16 = 1 << 19;
const MODES = [0, 1, 2, 3].map((mode) => mode << 22);

/** Rows whose result depends on modes or that raise flags. */
const isArithmetic = (encoding: Encoding): boolean => encoding.state === 'ready' && !REFERENCE_DEFECTS.some(({ applies }) => applies(encoding))
  && (/^fp_(?!immediate|move|conditional_select)/.test(encoding.class) || /^simd_.*(float|half|convert|reciprocal|complex)/.test(encoding.class) || encoding.feature === 'BF16');

/** The rows that lists are run on. */
export const floatRows: readonly CompiledEncoding[] = compiledEncodings.filter(({ encoding }) => isArithmetic(encoding));

/** Width of what an instruction reads. */
function widthOf({ class: key, mnemonic, feature }: Encoding, f: Fields): Width {
  if (mnemonic === 'scvtf' || mnemonic === 'ucvtf' || key.includes('reciprocal')) return 'integer';
  if (feature === 'BF16' && mnemonic !== 'bfcvt' && mnemonic !== 'bfcvtn') return 32;
  if (mnemonic === 'fcvtl') return f['sz'] === 1 ? 32 : 16;
  if (mnemonic === 'fcvtn') return f['sz'] === 1 ? 64 : 32;
  if (mnemonic === 'fcvtxn') return 64;
  if (mnemonic.startsWith('bfcvt')) return 32;
  if ('ftype' in f) return f['ftype'] === 3 ? 16 : f['ftype'] === 1 ? 64 : 32;
  if (key.includes('half') || feature === 'FP16' || feature === 'FHM') return 16;
  if ('immh' in f) return (f['immh'] ?? 0) >= 8 ? 64 : (f['immh'] ?? 0) >= 4 ? 32 : 16;
  if (key.includes('complex')) return f['size'] === 3 ? 64 : f['size'] === 2 ? 32 : 16;
  return f['sz'] === 1 ? 64 : 32;
}

/** Fields that make an instruction another one for our purpose, and how many of the rest are tried. */
const VARIANTS = ['ftype', 'sz', 'sf', 'opc', 'rot', 'size'] as const;
const ATTEMPTS = 400;

/** A word for each variant of a row: V0 := V1, V2, V3 (or X0 := V1, V0 := X1). */
function variantsOf(prng: Prng, row: CompiledEncoding): readonly (readonly [word: number, width: Width])[] {
  const registers: Readonly<Record<string, number>> = { Rd: 0, Rn: 1, Rm: 2, Ra: 3 };
  const found = new Map<string, readonly [number, Width]>();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    let word = (prng.nextU32() & ~(row.mask | row.shouldBeMask)) | row.value | row.shouldBeValue;
    for (const { name, shift, width, fixedMask } of row.fields) {
      const value = registers[name];
      if (value !== undefined && fixedMask === 0) word = (word & ~(((1 << width) - 1) << shift)) | (value << shift);
      // By element: register 2 in any case, so that M stays clear.
      if (name === 'M') word &= ~(1 << shift);
    }
    word >>>= 0;
    const decoded = decode(word);
    if (decoded?.encoding !== row.encoding) continue;
    const width = widthOf(row.encoding, decoded.fields);
    const key = [width, ...VARIANTS.map((name) => decoded.fields[name] ?? '')].join(' ');
    if (!found.has(key)) found.set(key, [word, width]);
  }
  return [...found.values()];
}

/** The modes that an instruction is run in: every rounding with every combination of flushing and default NaN, and alternative half where it matters. */
function modesOf({ class: key }: Encoding, width: Width): readonly number[] {
  const flush = width === 16 ? FZ16 : FZ;
  const conversion = key.includes('convert_precision') ? [0, AHP] : [0];
  return MODES.flatMap((mode) => [0, flush, DN, flush | DN].flatMap((more) => conversion.map((half) => mode | more | half)));
}

const ACCUMULATING = /^(fmla|fmls|fmlal2?|fmlsl2?|fcmla|bf.*|fmadd|fmsub|fnmadd|fnmsub)$/;

/** Lists for an instruction, by how many operands it has. */
function listsOf({ mnemonic, pattern }: Encoding, width: Width): readonly ListName[] {
  if (width === 'integer' || !pattern.includes('Rm')) return ['numbers'];
  return ACCUMULATING.test(mnemonic) ? ['pairs', 'triples'] : ['pairs'];
}

/** Everything that is run, those of a width together. */
export function floatJobs(seed: number): readonly Job[] {
  const prng = new Prng(seed);
  const jobs: Job[] = [];
  for (const row of floatRows) {
    const { encoding } = row;
    for (const [word, width] of variantsOf(prng, row)) {
      for (const list of listsOf(encoding, width)) for (const fpcr of modesOf(encoding, width)) jobs.push({ encoding, word, width, list, fpcr });
      if (width !== 'integer' && encoding.pattern.includes('Rm')) for (const fpcr of MODES) jobs.push({ encoding, word, width, list: 'random', fpcr });
    }
  }
  return WIDTHS.flatMap((width) => jobs.filter((job) => job.width === width));
}

/** A pattern in every lane of 64 bits. */
function replicate(value: bigint, width: Width): bigint {
  if (width === 16) return value * 0x0001_0001_0001_0001n;
  return width === 32 ? value * 0x0000_0001_0000_0001n : value;
}

/** The pool of a width: its four lists. */
export function listsPool(width: Width, seed: number): Uint8Array {
  const prng = new Prng(seed);
  const bytes = new Uint8Array(POOL_BYTES);
  const view = new DataView(bytes.buffer);
  const special = width === 'integer' ? Array.from({ length: 45 }, () => integer(prng)) : specialPatterns(width);
  const any = (): bigint => (width === 'integer' ? integer(prng) : floatPattern(prng, width));
  const at = (values: readonly bigint[], index: number): bigint => values[index % values.length] ?? 0n;
  // The most special twelve: zero, the least and greatest of every kind, infinities, NaNs, one.
  const few = special.filter((_, index) => index % Math.ceil(special.length / 12) === 0);
  const operands: Readonly<Record<ListName, (index: number) => readonly bigint[]>> = {
    pairs: (n) => (n < special.length ** 2 ? [at(special, Math.floor(n / special.length)), at(special, n), at(special, n * 7 + 3)] : [any(), at(special, n), any()]),
    numbers: (n) => (n < special.length ? [at(special, n), 0n, at(special, n)] : [any(), any(), any()]),
    triples: (n) => (n < few.length ** 3 ? [at(few, Math.floor(n / few.length ** 2)), at(few, Math.floor(n / few.length)), at(few, n)] : [any(), any(), any()]),
    random: () => [any(), any(), any()],
  };
  LISTS.forEach((list, index) => {
    for (let n = 0; n < ENTRIES; n++) operands[list](n).forEach((value, place) => { view.setBigUint64(index * LOG_BYTES + n * ENTRY_BYTES + place * 8, replicate(value, width), true); });
  });
  return bytes;
}

/** Code: loads an entry, executes the word, stores what came of it. Pairwise operations see a and b side by side. */
export function codeOf({ encoding, word, fpcr }: Job): Uint8Array {
  const isPairwise = /pairwise|across/.test(encoding.class) || /p$/.test(encoding.mnemonic);
  const setUp = [...w.loadAddress(9, LOG), ...w.loadAddress(6, fpcr), w.writeSystem(6, w.SYSTEM.fpcr)];
  const body = [
    0x3dc00124, 0xfd400923, // ldr q4, [x9]; ldr d3, [x9, #16]
    isPairwise ? 0x4ea41c81 : 0x4e080481, 0x4e180482, 0x4e080463, 0x4ea31c60, // v1 := a, v2 := b, v3 := c, v0 := c
    w.loadX(1, 9, 0), w.moveSmall(0, 0), w.writeSystem(31, w.SYSTEM.nzcv), w.writeSystem(31, w.SYSTEM.fpsr),
    word,
    w.readSystem(2, w.SYSTEM.fpsr), w.readSystem(3, w.SYSTEM.nzcv), 0xaa030042, // orr x2, x2, x3
    0x3d800120, w.storeX(0, 9, 16), w.storeX(2, 9, 24), w.addImmediate(9, 9, ENTRY_BYTES), // str q0, [x9]
  ];
  const words = [...setUp, ...body, w.testBitZero(9, LOG_END_BIT, -body.length * 4)];
  words.push(w.branch(EXIT - CODE - words.length * 4));
  return new Uint8Array(Uint32Array.from(words).buffer);
}

/** The jobs as programs to compare. */
export function floatPrograms(jobs: readonly Job[], seed: number): ProgramSource {
  const pools = new Map(WIDTHS.map((width) => [width, listsPool(width, seed)]));
  return {
    make(number): Program {
      const job = jobs[number];
      if (job === undefined) throw new Error(`there is no program ${String(number)}`);
      return { seed, number, code: codeOf(job), logFrom: LISTS.indexOf(job.list) * LOG_BYTES, dataFrom: 0, firstRecord: 0, modifiesCode: false, executed: new Map([[job.encoding, ENTRIES]]), overhead: 0 };
    },
    poolOf(number) {
      const width = jobs[number]?.width ?? 64;
      return { pool: pools.get(width) ?? new Uint8Array(POOL_BYTES), end: jobs.filter((job) => WIDTHS.indexOf(job.width) <= WIDTHS.indexOf(width)).length };
    },
  };
}
