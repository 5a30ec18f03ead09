/**
 * Scalable vectors of 128 bits, whose Z registers are the V registers: vector length, element counts, predicates, FFR, contiguous loads and
 * stores. With one length most of it is known from the word: what depends on a pattern is a constant. All of it is for tier 0.
 * A predicate has a bit for every byte of a vector; an element's is that of its lowest byte. Arm ARM (DDI 0487) C8.2.
 */

import { assert } from '../../base/assert';
import type { Fields } from '../../isa/interface';
import { SLOT_C, SLOT_FFR, SLOT_N, SLOT_P0, SLOT_V, SLOT_Z, STRUCTURE_BUFFER } from '../layout';
import type { Operands } from '../operands';
import { label, type Code } from '../wasm/code';
import { block, branch, branchIf, branchTable, i32, i64, loop, set, when, type I32, type I64 } from '../wasm/expressions';
import { destination, field, orStack, source, type Emit, type InstructionClass, type Lowered } from './lowering';
import { vector } from './vector-memory';

const VECTOR_BYTES = 16;
const PREDICATE_BYTES = 2;
/** The bits of a predicate that stand for elements of 1, 2, 4 and 8 bytes. */
const ELEMENT_BITS = [0xffff, 0x5555, 0x1111, 0x0101] as const;
const PREDICATE = i64.const(0xffffn);

const c32 = i32.const;
const c64 = i64.const;
const signed = (value: number, width: number): number => (value << (32 - width)) >> (32 - width);
const predicate = (register: number): number => SLOT_P0 + register * 8;

/** How many of `count` elements a pattern names; 0 for a pattern that the vector is too short for, or that has no meaning. */
function namedElements(pattern: number, count: number): number {
  switch (pattern) {
    case 0: case 31: return count;
    case 29: return count - count % 4;
    case 30: return count - count % 3;
    default: {
      const wanted = pattern <= 8 ? pattern : pattern <= 13 ? 16 << (pattern - 9) : Infinity;
      return wanted <= count ? wanted : 0;
    }
  }
}

/** The elements that the fields of a pattern and a size name. */
function elementsOf(f: Fields): number {
  return namedElements(field(f, 'pattern'), VECTOR_BYTES >> field(f, 'size'));
}

/** NZCV for a predicate whose first `active` elements are set; C says that the last one tested is not. */
function flagsOfFirst(active: I64, lastIsClear: I32): Code {
  return [
    i64.store(c32(0), i64.sub(c64(0n), active), SLOT_N), i64.store(c32(0), active, SLOT_Z),
    i32.store(c32(0), lastIsClear, SLOT_C), i64.store(c32(0), c64(0n), SLOT_V),
  ];
}

/** PredTest: NZCV of `result` among the elements of `mask`. C is set too if there are none. */
function testPredicate(mask: I32, result: I32): Code {
  const lowest = i32.and(mask, i32.sub(c32(0), mask));
  const highest = i32.shrU(c32(-0x8000_0000), i32.clz(mask));
  return [
    i64.store(c32(0), i64.sub(c64(0n), i64.extendU(i32.and(result, lowest))), SLOT_N),
    i64.store(c32(0), i64.extendU(i32.and(result, mask)), SLOT_Z),
    i32.store(c32(0), i32.eqz(i32.and(result, highest)), SLOT_C), i64.store(c32(0), c64(0n), SLOT_V),
  ];
}

/**
 * What instructions do, by name. All of them are one micro-op, which tells them apart by a number in the upper half of `high`: tier 1, which
 * has none of them, is slower for every micro-op more.
 */
const forms = new Map<string, Emit>();
const FORM_SHIFT = 16;

/** Behind the checks for access to scalable vectors, the form that the micro-op names. */
function execute(o: Operands): Code {
  const done = label('done');
  const labels = [...forms.keys()].map((name) => label(name));
  const head = branchTable(i32.shrU(o.immediateHigh, c32(FORM_SHIFT)), labels, done);
  const body = [...forms.values()].reduce<Code>((inside, emit, index) => [block(labels[index] ?? done, inside), emit(o), branch(done)], head);
  return o.needsCalls(() => [o.checkScalable(), block(done, body)]);
}

/** A form with its operands; `high` has 16 bits. */
function lowered(form: string, { d, n, m, low = 0, high = 0 }: Omit<Lowered, 'op' | 'imm'>): Lowered {
  const number = [...forms.keys()].indexOf(form);
  assert(number >= 0, `form ${form}`);
  return { op: 'scalable', ...(d === undefined ? {} : { d }), ...(n === undefined ? {} : { n }), ...(m === undefined ? {} : { m }), low, high: high | (number << FORM_SHIFT) };
}

/** The number in `low`. */
const constant = (o: Operands): I64 => i64.extendS(o.immediateLow);
/** The 16 bits of `high`. */
const small = (o: Operands): I32 => i32.and(o.immediateHigh, c32(0xffff));

for (const [name, emit] of new Map<string, Emit>([
  ['scalable.set', (o) => o.setX('d', constant(o))],
  ['scalable.add', (o) => o.setX('d', i64.add(o.x('n'), constant(o)))],
  ['scalable.and', (o) => o.setX('d', i64.and(o.x('n'), o.x('m')))],
  ['scalable.and.flags', (o) => {
    const [mask, result] = o.temporaries32;
    return [set(mask, o.w('m')), set(result, i32.and(mask, o.w('n'))), o.setX('d', i64.extendU(result)), testPredicate(mask, result)];
  }],
  ['scalable.test', (o) => {
    const [mask, result] = o.temporaries32;
    return [set(mask, o.w('m')), set(result, o.w('n')), testPredicate(mask, result)];
  }],
  // The bits that are set, and how many elements these are. The last of them is set, if there is one.
  ['scalable.set.flags', (o) => [o.setX('d', i64.extendU(o.immediateLow)), flagsOfFirst(i64.extendU(small(o)), i32.eqz(small(o)))]],
])) forms.set(name, emit);

/** The part of the rows that only sets and adds what is known from the word. */
export const scalableCounts: InstructionClass = {
  keys: ['scalable_length', 'scalable_add_length', 'scalable_count', 'scalable_add_count'],
  ops: new Map<string, Emit>([['scalable', execute]]),
  lower(f, _place, key): Lowered {
    const [d, length] = [field(f, 'Rd'), signed(field(f, 'imm6'), 6)];
    if (key === 'scalable_length') return lowered('scalable.set', { d: destination(d), low: length * VECTOR_BYTES });
    if (key === 'scalable_add_length') {
      return lowered('scalable.add', { d: orStack(d), n: orStack(field(f, 'Rn')), low: length * (field(f, 'predicates') === 1 ? PREDICATE_BYTES : VECTOR_BYTES) });
    }
    const count = elementsOf(f) * (field(f, 'imm4') + 1);
    if (key === 'scalable_count') return lowered('scalable.set', { d: destination(d), low: count });
    return lowered('scalable.add', { d: destination(d), n: source(d), low: field(f, 'D') === 1 ? -count : count });
  },
};

const NONE: ReadonlyMap<string, Emit> = new Map();

/** PTRUE, PFALSE, PTEST, and what moves predicates to and from FFR. */
export const predicateMoves: InstructionClass = {
  keys: ['predicate_pattern', 'predicate_false', 'predicate_test', 'read_first_fault', 'read_first_fault_predicated', 'write_first_fault', 'set_first_fault'],
  ops: NONE,
  lower(f, _place, key): Lowered {
    const [d, n, m] = [predicate(field(f, 'Pd')), predicate(field(f, 'Pn')), predicate(field(f, 'Pg'))];
    switch (key) {
      case 'predicate_false': return lowered('scalable.set', { d, low: 0 });
      case 'predicate_test': return lowered('scalable.test', { n, m });
      case 'read_first_fault': return lowered('scalable.add', { d, n: SLOT_FFR, low: 0 });
      case 'read_first_fault_predicated': return lowered(field(f, 'S') === 1 ? 'scalable.and.flags' : 'scalable.and', { d, n: SLOT_FFR, m });
      case 'write_first_fault': return lowered('scalable.add', { d: SLOT_FFR, n, low: 0 });
      case 'set_first_fault': return lowered('scalable.set', { d: SLOT_FFR, low: 0xffff });
      default: {
        const size = field(f, 'size');
        const active = elementsOf(f);
        const bits = (ELEMENT_BITS[size] ?? 0) & ((1 << (active << size)) - 1);
        return field(f, 'S') === 1 ? lowered('scalable.set.flags', { d, low: bits, high: active }) : lowered('scalable.set', { d, low: bits });
      }
    }
  },
};

for (const isUnsigned of [true, false]) {
  for (const bits of [32, 64] as const) {
    for (const orEqual of [true, false]) {
      forms.set(whileName(isUnsigned, bits, orEqual), (o) => countUp(o, isUnsigned, bits, orEqual));
    }
  }
}

function whileName(isUnsigned: boolean, bits: 32 | 64, orEqual: boolean): string {
  return `while.${isUnsigned ? 'u' : 's'}${bits}.${orEqual ? 'le' : 'lt'}`;
}

/** How many numbers from n on are below m (or not above it), at most the elements of the vector; a counter that wraps never ends. */
function countUp(o: Operands, isUnsigned: boolean, bits: 32 | 64, orEqual: boolean): Code {
  const [from, to, count] = o.temporaries64;
  const [all] = o.temporaries32;
  const read = (register: 'n' | 'm'): I64 => (bits === 64 ? o.x(register) : isUnsigned ? i64.extendU(o.w(register)) : i64.extendS(o.w(register)));
  const last = (1n << BigInt(isUnsigned ? bits : bits - 1)) - 1n;
  const compare = isUnsigned ? (orEqual ? i64.leU : i64.ltU) : orEqual ? i64.leS : i64.ltS;
  return [
    set(from, read('n')), set(to, read('m')), set(count, c64(0n)), set(all, i32.shrU(c32(VECTOR_BYTES), o.immediateLow)),
    when(compare(from, to), [
      set(count, i64.sub(to, from)),
      orEqual ? when(i64.eq(to, c64(BigInt.asIntN(64, last))), set(count, c64(BigInt(VECTOR_BYTES))), when(i64.ltU(count, c64(BigInt(VECTOR_BYTES))), set(count, i64.add(count, c64(1n))))) : [],
      when(i64.gtU(count, i64.extendU(all)), set(count, i64.extendU(all))),
    ]),
    o.setX('d', i64.and(i64.extendU(small(o)), i64.sub(i64.shl(c64(1n), i64.shl(count, i64.extendU(o.immediateLow))), c64(1n)))),
    flagsOfFirst(count, i64.ltU(count, i64.extendU(all))),
  ];
}

/** WHILELT, WHILELE, WHILELO, WHILELS. */
export const predicateWhile: InstructionClass = {
  keys: ['predicate_while'],
  ops: NONE,
  lower(f): Lowered {
    const size = field(f, 'size');
    const op = whileName(field(f, 'U') === 1, field(f, 'sf') === 1 ? 64 : 32, field(f, 'eq') === 1);
    return lowered(op, { d: predicate(field(f, 'Pd')), n: source(field(f, 'Rn')), m: source(field(f, 'Rm')), low: size, high: ELEMENT_BITS[size] ?? 0 });
  },
};

for (const [name, isStore, isPredicate] of [['ldr.z', false, false], ['str.z', true, false], ['ldr.p', false, true], ['str.p', true, true]] as const) {
  forms.set(name, (o) => {
    const [address, low, high] = o.temporaries64;
    const start = [o.checkStack(), set(address, i64.add(o.x('n'), constant(o)))];
    if (isPredicate) {
      return [start, isStore ? o.store(address, o.x('d'), { sizeBytes: 2 }) : [o.load(low, address, { sizeBytes: 2 }), o.setX('d', i64.and(low, PREDICATE))]];
    }
    if (isStore) return [start, o.storePair(address, [o.x('d'), o.xNext('d')], { sizeBytes: 8 })];
    return [start, o.loadPair([low, high], address, { sizeBytes: 8 }), o.setX('d', low), o.setXNext('d', high)];
  });
}

/** LDR and STR of whole vectors and predicates. */
export const scalableSpills: InstructionClass = {
  keys: ['scalable_load_store', 'predicate_load_store'],
  ops: NONE,
  lower(f, _place, key): Lowered {
    const isVector = key === 'scalable_load_store';
    const offset = signed((field(f, 'imm6') << 3) | field(f, 'imm3'), 9) * (isVector ? VECTOR_BYTES : PREDICATE_BYTES);
    const op = `${field(f, 'store') === 1 ? 'str' : 'ldr'}.${isVector ? 'z' : 'p'}`;
    return lowered(op, { d: isVector ? vector(field(f, 'Zt')) : predicate(field(f, 'Pt')), n: orStack(field(f, 'Rn')), low: offset });
  },
};

/** What an element is in memory. */
interface Stored { readonly scale: 0 | 1 | 2 | 3; readonly isSigned: boolean }
const SCALES = [0, 1, 2, 3] as const;
/** By `dtype` of a load: what an element is in memory, and log2 of its bytes in the register. */
const LOADS: readonly (Stored & { readonly element: number })[] = ([
  [0, 0], [0, 1], [0, 2], [0, 3], [2, 3, 's'], [1, 1], [1, 2], [1, 3], [1, 3, 's'], [1, 2, 's'], [2, 2], [2, 3], [0, 3, 's'], [0, 2, 's'], [0, 1, 's'], [3, 3],
] as const).map(([scale, element, sign]) => ({ scale, element, isSigned: sign === 's' }));

const contiguousName = (isLoad: boolean, { scale, isSigned }: Stored): string => `${isLoad ? 'ld1' : 'st1'}${isSigned ? 's' : ''}.${1 << scale}`;
/** The offset in bytes stands above log2 of an element's bytes. */
const OFFSET_SHIFT = 8;

/**
 * One element after the other, the predicate in the last slot. Registers change when all is read; what a store has written before a fault
 * stays written.
 */
function contiguous(o: Operands, isLoad: boolean, { scale, isSigned }: Stored): Code {
  const [address, value] = o.temporaries64;
  const [done, step] = o.temporaries32;
  const again = label('element');
  const sizeBytes = ([1, 2, 4, 8] as const)[scale];
  const isActive = i32.and(i32.shrU(o.w('a'), done), c32(1));
  const access = isLoad ? o.load(value, address, { sizeBytes, signed: isSigned }) : [set(value, i64.load(done, STRUCTURE_BUFFER)), o.store(address, value, { sizeBytes })];
  return [
    o.checkStack(),
    isLoad ? [] : [i64.store(c32(0), o.x('d'), STRUCTURE_BUFFER), i64.store(c32(0), o.xNext('d'), STRUCTURE_BUFFER + 8)],
    set(address, i64.add(i64.add(o.x('n'), i64.shl(o.x('m'), c64(BigInt(scale)))), i64.extendS(i32.shrS(o.immediateLow, c32(OFFSET_SHIFT))))),
    set(done, c32(0)), set(step, i32.shl(c32(1), i32.and(o.immediateLow, c32(3)))),
    loop(again, [
      isLoad ? set(value, c64(0n)) : [],
      when(isActive, access),
      // Upwards: what a store of eight bytes leaves above the element is the next one's, or behind the vector.
      isLoad ? i64.store(done, value, STRUCTURE_BUFFER) : [],
      set(address, i64.add(address, c64(BigInt(sizeBytes)))), set(done, i32.add(done, step)),
      branchIf(i32.ltU(done, c32(VECTOR_BYTES)), again),
    ]),
    isLoad ? [o.setX('d', i64.load(c32(0), STRUCTURE_BUFFER)), o.setXNext('d', i64.load(c32(0), STRUCTURE_BUFFER + 8))] : [],
  ];
}

for (const scale of SCALES) {
  for (const [isLoad, isSigned] of [[true, false], [true, true], [false, false]] as const) {
    if (scale === 3 && isSigned) continue;
    const stored = { scale, isSigned };
    forms.set(contiguousName(isLoad, stored), (o) => contiguous(o, isLoad, stored));
  }
}

/** LD1B to LD1D and ST1B to ST1D with a scalar base and an immediate or scalar offset. */
export const scalableContiguous: InstructionClass = {
  keys: ['load', 'store'].flatMap((verb) => [`scalable_${verb}_contiguous`, `scalable_${verb}_contiguous_register`]),
  ops: NONE,
  lower(f, _place, key): Lowered {
    const isLoad = key.startsWith('scalable_load');
    const stored = isLoad ? LOADS[field(f, 'dtype')] : { scale: SCALES[field(f, 'msz')] ?? 0, isSigned: false, element: field(f, 'size') };
    const { scale = 0, isSigned = false, element = 0 } = stored ?? {};
    // Without Rm the slot of XZR is added.
    const m = key.endsWith('register') ? source(field(f, 'Rm')) : source(31);
    const offset = signed(field(f, 'imm4'), 4) * (VECTOR_BYTES >> element << scale);
    return lowered(contiguousName(isLoad, { scale, isSigned }), {
      d: vector(field(f, 'Zt')), n: orStack(field(f, 'Rn')), m,
      low: (offset << OFFSET_SHIFT) | element, high: predicate(field(f, 'Pg')),
    });
  },
};

/** All classes of this file. */
export const scalableClasses: readonly InstructionClass[] = [scalableCounts, predicateMoves, predicateWhile, scalableSpills, scalableContiguous];
