/**
 * QARMA5, the cipher of the architected pointer authentication codes, as functions of the generated module: 64 bits in 16 cells of four,
 * five rounds forward, a reflector, five rounds back, with a tweak that is shuffled along.
 * Arm ARM (DDI 0487) pseudocode: ComputePAC, PACCellShuffle, PACMult, PACSub, TweakShuffle.
 */

import { present } from '../../base/assert';
import { QARMA_RESULT_COUNT, QARMA_RESULTS, QARMA_TABLES } from '../layout';
import type { Code } from '../wasm/code';
import { giveBack, i32, i64, set, when, type I32, type I64, type Local64 } from '../wasm/expressions';
import type { Definition, Library } from '../wasm/library';
import type { FunctionLocals } from '../wasm/module';

type Definitions = (readonly [name: string, definition: Definition])[];

const c64 = i64.const;
const BYTE_COUNT = 256;
const CELLS = 16;
const ROUND_CONSTANTS = [0n, 0x1319_8a2e_0370_7344n, 0xa409_3822_299f_31d0n, 0x082e_fa98_ec4e_6c89n, 0x4528_21e6_38d0_1377n];
const ALPHA = 0xc0ac_29b7_c97c_50ddn;
const ROUNDS = ROUND_CONSTANTS.length;

/** Which cell comes to each place. */
const SHUFFLE = [13, 6, 11, 0, 7, 12, 1, 10, 8, 3, 14, 5, 2, 9, 4, 15];
const TWEAK_SHUFFLE = [4, 5, 6, 7, 11, 2, 3, 8, 12, 13, 14, 15, 0, 1, 10, 9];
/** Places of the tweak whose cell also steps a shift register. */
const TWEAK_STEPS = [2, 4, 7, 11, 12, 14, 15];
const SUBSTITUTION = [0xb, 0x6, 0x8, 0xf, 0xc, 0x0, 0x9, 0xe, 0x3, 0x7, 0x4, 0x5, 0xd, 0x2, 0x1, 0xa];

const inverse = (permutation: readonly number[]): readonly number[] => permutation.map((_, place) => permutation.indexOf(place));

/** The substitution of two cells at a time, then its inverse. */
export function qarmaTables(): Uint8Array {
  const both = [SUBSTITUTION, inverse(SUBSTITUTION)];
  return Uint8Array.from({ length: BYTE_COUNT * 2 }, (_, index) => {
    const box = present(both[index >> 8], 'one of two boxes');
    return (present(box[(index >> 4) & 15], 'a cell') << 4) | present(box[index & 15], 'a cell');
  });
}

const left = (value: I64, by: number): I64 => (by === 0 ? value : i64.rotr(value, c64(BigInt(64 - by))));
const xorAll = (first: I64, ...rest: readonly I64[]): I64 => rest.reduce((sum, value) => i64.xor(sum, value), first);
const cellMask = (cells: readonly number[]): bigint => cells.reduce((mask, cell) => mask | (0xfn << BigInt(cell * 4)), 0n);
/** The same four bits in every cell. */
const everywhere = (bits: bigint): I64 => c64(bits * 0x1111_1111_1111_1111n);

/** Cells moved: those that go equally far move together. */
function permuted(value: Local64, sources: readonly number[]): I64 {
  const byDistance = new Map<number, number[]>();
  sources.forEach((source, place) => {
    const distance = (place - source + CELLS) % CELLS;
    byDistance.set(distance, [...(byDistance.get(distance) ?? []), source]);
  });
  const parts = [...byDistance].map(([distance, cells]) => left(i64.and(value, c64(cellMask(cells))), distance * 4));
  return parts.reduce((sum, part) => i64.or(sum, part));
}

const turnedOnce = (value: I64): I64 => i64.or(i64.and(i64.shl(value, c64(1n)), everywhere(0xen)), i64.and(i64.shrU(value, c64(3n)), everywhere(1n)));
const turnedTwice = (value: I64): I64 => i64.or(i64.and(i64.shl(value, c64(2n)), everywhere(0xcn)), i64.and(i64.shrU(value, c64(2n)), everywhere(3n)));

/** Each row of four cells becomes a sum of the other three, turned. */
function multiplied(value: Local64, spare: Local64): { readonly before: Code; readonly value: I64 } {
  return { before: set(spare, i64.xor(left(value, 16), left(value, 48))), value: i64.xor(turnedOnce(spare), turnedTwice(left(value, 32))) };
}

function substituteBody(table: number) {
  return (f: FunctionLocals): Code => {
    const value = f.parameter64(0);
    const byte = (index: number): I64 => {
      const shift = c64(BigInt(index * 8));
      return i64.shl(i64.load8U(i32.and(i32.wrap(i64.shrU(value, shift)), i32.const(0xff)), QARMA_TABLES + table * BYTE_COUNT), shift);
    };
    return [1, 2, 3, 4, 5, 6, 7].reduce((sum, index) => i64.or(sum, byte(index)), byte(0)).code;
  };
}

/** Cells shuffled, then rows multiplied. */
function spreadBody(f: FunctionLocals): Code {
  const [value, spare] = [f.parameter64(0), f.local64()];
  const product = multiplied(value, spare);
  return [set(value, permuted(value, SHUFFLE)), product.before, product.value.code];
}

/** Rows multiplied, then cells shuffled back. */
function gatherBody(f: FunctionLocals): Code {
  const [value, spare] = [f.parameter64(0), f.local64()];
  const product = multiplied(value, spare);
  return [product.before, set(value, product.value), permuted(value, inverse(SHUFFLE)).code];
}

function unshuffleBody(f: FunctionLocals): Code {
  return permuted(f.parameter64(0), inverse(SHUFFLE)).code;
}

/** The tweak of the next round. */
function tweakBody(f: FunctionLocals): Code {
  const [value, moved] = [f.parameter64(0), f.local64()];
  const steps = cellMask(TWEAK_STEPS);
  const halved = i64.and(i64.shrU(moved, c64(1n)), everywhere(7n));
  const carried = i64.shl(i64.and(i64.xor(moved, i64.shrU(moved, c64(1n))), everywhere(1n)), c64(3n));
  return [
    set(moved, permuted(value, TWEAK_SHUFFLE)),
    i64.or(i64.and(moved, c64(BigInt.asUintN(64, ~steps))), i64.and(i64.or(halved, carried), c64(steps))).code,
  ];
}

/** (data, modifier, address of the key, low half first): the code, 64 bits of it. */
function cipherBody(f: FunctionLocals, library: Library): Code {
  const [data, modifier, key] = [f.parameter64(0), f.parameter64(1), f.parameter32(2)];
  const [outer, inner, reflected, w] = [f.local64(), f.local64(), f.local64(), f.local64()];
  const tweaks = [modifier, ...ROUND_CONSTANTS.map(() => f.local64())];
  const tweak = (round: number): Local64 => present(tweaks[round], 'a tweak');
  const call = (name: string, value: I64 = w): I64 => library.call64(`qarma.${name}`, value);
  const constant = (round: number): I64 => c64(ROUND_CONSTANTS[round] ?? 0n);
  const mix = (...values: readonly I64[]): Code => set(w, xorAll(w, ...values));
  const forward = ROUND_CONSTANTS.map((_, round): Code => [
    mix(inner, tweak(round), constant(round)), set(w, call('substitute', round === 0 ? w : call('spread'))),
    set(tweak(round + 1), call('tweak', tweak(round))),
  ]);
  const back = ROUND_CONSTANTS.map((_, step): Code => {
    const round = ROUNDS - 1 - step;
    return [set(w, call('restore')), round > 0 ? set(w, call('gather')) : [], mix(inner, tweak(round), constant(round), c64(ALPHA))];
  });
  return [
    set(inner, i64.load(key)), set(outer, i64.load(key, 8)),
    set(reflected, i64.or(i64.shl(outer, c64(63n)), i64.xor(i64.shrU(outer, c64(1n)), i64.shrU(outer, c64(63n))))),
    set(w, i64.xor(data, outer)), forward,
    mix(reflected, tweak(ROUNDS)), set(w, call('spread', call('substitute', call('spread')))), mix(inner),
    set(w, call('gather', call('restore', call('unshuffle')))), mix(outer, tweak(ROUNDS)),
    back, i64.xor(w, reflected).code,
  ];
}

const RESULT_BYTES = 64;
const INDEX_SHIFT = BigInt(64 - Math.log2(QARMA_RESULT_COUNT));
const SPREADING = 0x9e37_79b9_7f4a_7c15n;
const AT = { data: 0, modifier: 8, keyLow: 16, keyHigh: 24, code: 32, used: 40 } as const;

/** The same, remembered: a function authenticates on its way out what it signed on its way in, and is called from the same places again. */
function rememberedBody(f: FunctionLocals, library: Library): Code {
  const [data, modifier, key] = [f.parameter64(0), f.parameter64(1), f.parameter32(2)];
  const [entry, code] = [f.local32(), f.local64()];
  const hash = i64.mul(i64.xor(data, left(modifier, 17)), c64(SPREADING));
  const isSame = (value: I64, offset: number): I32 => i64.eq(i64.load(entry, offset), value);
  const parts = [[data, AT.data], [modifier, AT.modifier], [i64.load(key), AT.keyLow], [i64.load(key, 8), AT.keyHigh], [c64(1n), AT.used]] as const;
  const isKnown = parts.map(([value, offset]) => isSame(value, offset)).reduce((a, b) => i32.and(a, b));
  return [
    set(entry, i32.add(i32.const(QARMA_RESULTS), i32.mul(i32.wrap(i64.shrU(hash, c64(INDEX_SHIFT))), i32.const(RESULT_BYTES)))),
    when(isKnown, giveBack(i64.load(entry, AT.code))),
    set(code, library.call64('qarma.cipher', data, modifier, key)),
    parts.map(([value, offset]) => i64.store(entry, value, offset)), i64.store(entry, code, AT.code),
    code.code,
  ];
}

const UNARY = { parameters: ['i64'], result: 'i64' } as const;
const CIPHER = { parameters: ['i64', 'i64', 'i32'], result: 'i64' } as const;

/** `qarma` and what it is made of. */
export const qarmaDefinitions: Definitions = [
  ['qarma', { signature: CIPHER, build: rememberedBody }], ['qarma.cipher', { signature: CIPHER, build: cipherBody }],
  ['qarma.substitute', { signature: UNARY, build: substituteBody(0) }], ['qarma.restore', { signature: UNARY, build: substituteBody(1) }],
  ['qarma.spread', { signature: UNARY, build: spreadBody }], ['qarma.gather', { signature: UNARY, build: gatherBody }],
  ['qarma.unshuffle', { signature: UNARY, build: unshuffleBody }], ['qarma.tweak', { signature: UNARY, build: tweakBody }],
];
