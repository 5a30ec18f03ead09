/** Disassembly of loads and stores, general-purpose and SIMD. */

import { field } from './encoding-rows';
import { extendName, gpr, gprOrSp, memory, signedOffset, text, withTarget } from './disassembly-operands';
import type { Formatter, FormatterTable } from './disassembly-operands';
import type { Fields } from './interface';

const prefetchTypes = ['pld', 'pli', 'pst'];

function prefetchOperation(rt: number): string {
  const [type, target, policy] = [rt >> 3, (rt >> 1) & 3, rt & 1];
  const name = prefetchTypes[type];
  return name === undefined || target === 3 ? `#0x${rt.toString(16).padStart(2, '0')}` : `${name}l${target + 1}${policy === 1 ? 'strm' : 'keep'}`;
}

/** log2 of the access size of a SIMD load or store. */
const simdScale = (f: Fields): number => (field(f, 'opc') & 2 ? 4 : field(f, 'size'));
const simdLetters = ['b', 'h', 's', 'd', 'q'];
const simdRegister = (f: Fields): string => `${simdLetters[simdScale(f)] ?? ''}${field(f, 'Rt')}`;

function transferRegister(f: Fields, mnemonic: string): string {
  if (mnemonic.startsWith('prf')) return prefetchOperation(field(f, 'Rt'));
  if (f['V'] === 1) return simdRegister(f);
  const [size, opc] = [field(f, 'size'), field(f, 'opc')];
  return gpr(opc === 2 || (opc < 2 && size === 3), field(f, 'Rt'));
}

const scaleOf = (f: Fields): number => (f['V'] === 1 ? simdScale(f) : field(f, 'size'));
const base = (f: Fields): string => gprOrSp(true, field(f, 'Rn'));
const offset9 = (f: Fields): number => signedOffset(f, 'imm9', 9);

const unsignedOffset: Formatter = (f, mnemonic) => text(mnemonic, transferRegister(f, mnemonic), memory(field(f, 'Rn'), field(f, 'imm12') * 2 ** scaleOf(f)));
const unscaledOffset: Formatter = (f, mnemonic) => text(mnemonic, transferRegister(f, mnemonic), memory(field(f, 'Rn'), offset9(f)));
const postIndexed: Formatter = (f, mnemonic) => text(mnemonic, transferRegister(f, mnemonic), `[${base(f)}]`, `#${offset9(f)}`);
const preIndexed: Formatter = (f, mnemonic) => text(mnemonic, transferRegister(f, mnemonic), `[${base(f)}, #${offset9(f)}]!`);

const registerOffset: Formatter = (f, mnemonic) => {
  const option = field(f, 'option');
  const index = gpr((option & 1) === 1, field(f, 'Rm'));
  const name = option === 3 ? 'lsl' : extendName(option);
  const extension = f['S'] === 1 ? `, ${name} #${scaleOf(f)}` : option === 3 ? '' : `, ${name}`;
  return text(mnemonic, transferRegister(f, mnemonic), `[${base(f)}, ${index}${extension}]`);
};

const literal: Formatter = (f, mnemonic, address) => {
  const opc = field(f, 'opc');
  const register = mnemonic === 'prfm' ? prefetchOperation(field(f, 'Rt'))
    : f['V'] === 1 ? `${simdLetters[opc + 2] ?? ''}${field(f, 'Rt')}` : gpr(opc !== 0, field(f, 'Rt'));
  return withTarget(address, BigInt(signedOffset(f, 'imm19', 19, 4)), (target) => text(mnemonic, register, target));
};

/** Register of a pair and log2 of its size. */
function pairRegister(f: Fields, name: string): string {
  const opc = field(f, 'opc');
  return f['V'] === 1 ? `${simdLetters[opc + 2] ?? ''}${field(f, name)}` : gpr(opc !== 0, field(f, name));
}
const pairOffset = (f: Fields): number => signedOffset(f, 'imm7', 7, 4 << (f['V'] === 1 ? field(f, 'opc') : field(f, 'opc') >> 1));
const pair = (address: (f: Fields) => readonly string[]): Formatter => (f, mnemonic) =>
  text(mnemonic, pairRegister(f, 'Rt'), pairRegister(f, 'Rt2'), ...address(f));
const pairPlain = pair((f) => [memory(field(f, 'Rn'), pairOffset(f))]);
const pairPost = pair((f) => [`[${base(f)}]`, `#${pairOffset(f)}`]);
const pairPre = pair((f) => [`[${base(f)}, #${pairOffset(f)}]!`]);

const wide = (f: Fields): boolean => f['size'] === 3;
const status = (f: Fields): string | undefined => (f['L'] === 0 ? gpr(false, field(f, 'Rs')) : undefined);

const atomicMemory: Formatter = (f, mnemonic) => {
  const source = gpr(wide(f), field(f, 'Rs'));
  if (f['o3'] === 0 && f['A'] === 0 && f['Rt'] === 31) return text(mnemonic.replace(/^ld/, 'st'), source, `[${base(f)}]`);
  return text(mnemonic, source, gpr(wide(f), field(f, 'Rt')), `[${base(f)}]`);
};

const compareAndSwapPair: Formatter = (f, mnemonic) => {
  const registers = ['Rs', 'Rt'].flatMap((name) => [field(f, name), field(f, name) + 1]).map((n) => gpr(f['sz'] === 1, n));
  return text(mnemonic, ...registers, `[${base(f)}]`);
};

const authenticated: Formatter = (f, mnemonic) => {
  const offset = signedOffset({ imm: (field(f, 'S') << 9) | field(f, 'imm9') }, 'imm', 10, 8);
  return text(mnemonic, gpr(true, field(f, 'Rt')), f['W'] === 1 ? `[${base(f)}, #${offset}]!` : memory(field(f, 'Rn'), offset));
};

const arrangements = ['8b', '16b', '4h', '8h', '2s', '4s', '1d', '2d'];
function registerList(first: number, count: number, suffix: string): string {
  const names = Array.from({ length: count }, (_, n) => `v${(first + n) % 32}.${suffix}`);
  const [head = '', last = ''] = [names[0], names[names.length - 1]];
  if (count <= 2) return `{${names.join(', ')}}`;
  return first + count <= 32 ? `{${head}-${last}}` : `{${names.join(', ')}}`;
}

/** The post-index operand: nothing, a register, or the number of bytes transferred. */
function postIndex(f: Fields, bytes: number): string | undefined {
  const rm = f['Rm'];
  if (rm === undefined) return undefined;
  return rm === 31 ? `#${bytes}` : gpr(true, rm);
}

const registerCounts: Readonly<Record<number, number>> = { 0: 4, 2: 4, 4: 3, 6: 3, 7: 1, 8: 2, 10: 2 };
const multipleStructures: Formatter = (f, mnemonic) => {
  const count = registerCounts[field(f, 'opcode')] ?? 1;
  const q = field(f, 'Q');
  const list = registerList(field(f, 'Rt'), count, arrangements[field(f, 'size') * 2 + q] ?? '');
  return text(mnemonic, list, `[${base(f)}]`, postIndex(f, count * 8 * (q + 1)));
};

const structureCount = (f: Fields): number => ((field(f, 'opcode') & 1) << 1) + field(f, 'R') + 1;
const singleStructure: Formatter = (f, mnemonic) => {
  const count = structureCount(f);
  const [q, s, size] = [field(f, 'Q'), field(f, 'S'), field(f, 'size')];
  const scale = field(f, 'opcode') >> 1;
  const isDouble = scale === 2 && size === 1;
  const lane = isDouble ? q : ((q << 3) | (s << 2) | size) >> scale;
  const letter = isDouble ? 'd' : ['b', 'h', 's'][scale] ?? '';
  const bytes = count * (isDouble ? 8 : 1 << scale);
  return text(mnemonic, `${registerList(field(f, 'Rt'), count, letter)}[${lane}]`, `[${base(f)}]`, postIndex(f, bytes));
};

const replicate: Formatter = (f, mnemonic) => {
  const count = structureCount(f);
  const size = field(f, 'size');
  const list = registerList(field(f, 'Rt'), count, arrangements[size * 2 + field(f, 'Q')] ?? '');
  return text(mnemonic, list, `[${base(f)}]`, postIndex(f, count << size));
};

const common = {
  load_literal: literal,
  load_store_unsigned_immediate: unsignedOffset,
  load_store_unscaled: unscaledOffset,
  load_store_post_indexed: postIndexed,
  load_store_pre_indexed: preIndexed,
  load_store_register_offset: registerOffset,
  load_store_no_allocate_pair: pairPlain,
  load_store_pair_post_indexed: pairPost,
  load_store_pair_offset: pairPlain,
  load_store_pair_pre_indexed: pairPre,
} as const satisfies FormatterTable;

/** Formatters of the load and store classes. */
export const loadStoreFormatters: FormatterTable = {
  ...common,
  ...Object.fromEntries(Object.entries(common).map(([name, formatter]) => [`simd_${name}`, formatter])),
  load_store_unprivileged: unscaledOffset,
  load_store_exclusive: (f, mnemonic) => text(mnemonic, status(f), gpr(wide(f), field(f, 'Rt')), `[${base(f)}]`),
  load_store_exclusive_pair: (f, mnemonic) => text(mnemonic, status(f), gpr(wide(f), field(f, 'Rt')), gpr(wide(f), field(f, 'Rt2')), `[${base(f)}]`),
  load_store_ordered: (f, mnemonic) => text(mnemonic, gpr(wide(f), field(f, 'Rt')), `[${base(f)}]`),
  load_acquire_rcpc: (f, mnemonic) => text(mnemonic, gpr(wide(f), field(f, 'Rt')), `[${base(f)}]`),
  load_store_rcpc_unscaled: unscaledOffset,
  load_authenticated: authenticated,
  compare_and_swap: (f, mnemonic) => text(mnemonic, gpr(wide(f), field(f, 'Rs')), gpr(wide(f), field(f, 'Rt')), `[${base(f)}]`),
  compare_and_swap_pair: compareAndSwapPair,
  atomic_memory: atomicMemory,
  simd_load_store_multiple: multipleStructures,
  simd_load_store_multiple_post_indexed: multipleStructures,
  simd_load_store_single: singleStructure,
  simd_load_store_single_post_indexed: singleStructure,
  simd_load_replicate: replicate,
  simd_load_replicate_post_indexed: replicate,
};
