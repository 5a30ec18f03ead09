/**
 * Keeps cached translations equal to what a walk would find now, as generated code.
 *
 * Each 64-byte granule of RAM that holds a descriptor on which a cached translation depends has a bit, and its page no write tags, so
 * that every store to it comes by the slow path. A store over a valid descriptor makes the translations that came from it go away at
 * once: one page's where the descriptor maps a 4 KiB page (its place in its table is the place in the cache), all of them otherwise.
 * Stores over invalid descriptors cost nothing, since faults are not cached. The architecture lets a TLB forget at any time; that
 * ours never remembers too much makes a run the same whatever the cache holds (docs/determinism.md).
 */

import * as layout from './layout';
import { state32, put32 } from './walker';
import { label, type Code } from './wasm/code';
import { block, branch, branchIf, callVoid, i32, i64, loop, memoryFill, set, when, type I32, type I64, type Local32 } from './wasm/expressions';
import type { FunctionLocals, ModuleBuilder } from './wasm/module';

const ZERO = i32.const(0);
const ONE = i32.const(1);
const NO_TAG = i64.const(-1n);
const RETURN: Code = [0x0f];
/** AP[2], which the walker clears. */
const DIRTY_BIT = 1n << 7n;

/** Indexes of the functions that this file defines. */
export interface TrackingFunctions {
  /** (host, is leaf): a cached translation is about to depend on the descriptor. */
  readonly noteTable: number;
  /** (host, value): the walker changes flags in a descriptor. */
  readonly updateDescriptor: number;
  /** (page, host, size): bytes of a page with `PAGE_TABLE` are about to be written. */
  readonly tableWrite: number;
  /** (page): no cached translation of the page keeps a write tag. */
  readonly dropWrites: number;
  /** Forgets all translations. */
  readonly forgetAll: number;
  readonly dropLeaf: number;
}

/** Functions outside this file that tracking calls. */
export interface TrackingImports { readonly watch: number; readonly dropGranules: number }

/** Declares the functions. */
export function declareTracking(module: ModuleBuilder): TrackingFunctions {
  return {
    noteTable: module.declare({ parameters: ['i32', 'i32'] }),
    updateDescriptor: module.declare({ parameters: ['i32', 'i64'] }),
    tableWrite: module.declare({ parameters: ['i32', 'i32', 'i32'] }),
    dropWrites: module.declare({ parameters: ['i32'] }),
    forgetAll: module.declare({ parameters: [] }),
    dropLeaf: module.declare({ parameters: ['i32'] }),
  };
}

/** Index of the RAM page that a host address lies in. */
export const pageOf = (host: I32): I32 => i32.shrU(i32.sub(host, i32.const(layout.RAM)), i32.const(12));
const granuleBit = (host: I32): I64 => i64.shl(i64.const(1n), i64.extendU(i32.and(i32.shrU(host, i32.const(6)), i32.const(63))));
const flagsOf = (page: I32): I32 => i32.load8U(page, layout.PAGE_FLAGS);
const isIn = (value: I64, bit: I64): I32 => i32.eqz(i64.eqz(i64.and(value, bit)));

function noteTable(f: FunctionLocals, functions: TrackingFunctions): Code {
  const [host, isLeaf] = [f.parameter32(0), f.parameter32(1)];
  const [page, flags, map, count] = [f.local32(), f.local32(), f.local32(), f.local32()];
  const bit = f.local64();
  return [
    set(page, pageOf(host)),
    set(bit, granuleBit(host)),
    set(map, i32.add(i32.shl(page, i32.const(3)), i32.select(isLeaf, i32.const(layout.TABLE_LEAVES), i32.const(layout.TABLE_USES)))),
    set(flags, flagsOf(page)),
    when(i32.eqz(i32.and(flags, i32.const(layout.PAGE_TABLE))), [
      set(count, state32(layout.STATE_TABLE_COUNT)),
      i32.store8(page, i32.or(flags, i32.const(layout.PAGE_TABLE)), layout.PAGE_FLAGS),
      i32.store(i32.shl(count, i32.const(2)), page, layout.TABLE_LIST),
      put32(layout.STATE_TABLE_COUNT, i32.add(count, ONE)),
      callVoid(functions.dropWrites, page),
    ]),
    i64.store(map, i64.or(i64.load(map), bit)),
  ];
}

/**
 * As a store by the guest would be. Nothing was cached while the access flag was clear; but a page that becomes dirty may lose execute permission by
 * becoming writable. The walk has to be made again, since what it noted may be forgotten.
 */
function updateDescriptor(f: FunctionLocals, functions: TrackingFunctions, imports: TrackingImports): Code {
  const host = f.parameter32(0);
  const value = f.parameter64(1);
  const [page, flags, count] = [f.local32(), f.local32(), f.local32()];
  const offset = i32.and(host, i32.const(0xfff));
  return [
    set(page, pageOf(host)),
    set(flags, flagsOf(page)),
    when(i32.eqz(i32.and(flags, i32.const(layout.PAGE_DIRTY))), [
      set(count, state32(layout.STATE_DIRTY_COUNT)),
      i32.store(i32.shl(count, i32.const(2)), page, layout.DIRTY_LIST),
      put32(layout.STATE_DIRTY_COUNT, i32.add(count, ONE)),
      i32.store8(page, i32.or(flags, i32.const(layout.PAGE_DIRTY)), layout.PAGE_FLAGS),
    ]),
    when(i32.and(flags, i32.const(layout.PAGE_CODE)), callVoid(imports.dropGranules, page, offset, i32.const(8))),
    when(i32.wrap(i64.and(i64.xor(i64.load(host), value), i64.const(DIRTY_BIT))), callVoid(functions.tableWrite, page, host, i32.const(8))),
    i64.store(host, value),
    when(i32.and(flags, i32.const(layout.PAGE_WATCH_WRITE)), callVoid(imports.watch, host, i32.const(8), ONE)),
  ];
}

/** A page whose descriptors nobody uses any more gets its write tags back. */
function releasePage(page: Local32, uses: I64, leaves: I64): Code {
  return when(i64.eqz(i64.or(uses, leaves)), [
    i32.store8(page, i32.and(flagsOf(page), i32.const(~layout.PAGE_TABLE)), layout.PAGE_FLAGS), RETURN,
  ]);
}

function tableWrite(f: FunctionLocals, functions: TrackingFunctions): Code {
  const [page, host, size] = [f.parameter32(0), f.parameter32(1), f.parameter32(2)];
  const [at, end] = [f.local32(), f.local32()];
  const [uses, leaves, bit] = [f.local64(), f.local64(), f.local64()];
  const [again, invalid] = [label('again'), label('invalid')];
  const map = i32.shl(page, i32.const(3));
  return [
    set(uses, i64.load(map, layout.TABLE_USES)),
    set(leaves, i64.load(map, layout.TABLE_LEAVES)),
    releasePage(page, uses, leaves),
    set(at, i32.and(host, i32.const(-8))),
    set(end, i32.add(host, size)),
    loop(again, [
      block(invalid, [
        branchIf(i32.eqz(i32.and(i32.load8U(at), ONE)), invalid),
        set(bit, granuleBit(at)),
        when(isIn(uses, bit), [
          callVoid(functions.forgetAll),
          put32(layout.COUNT_FLUSHES, i32.add(state32(layout.COUNT_FLUSHES), ONE)), RETURN,
        ]),
        when(isIn(leaves, bit), callVoid(functions.dropLeaf, at)),
      ]),
      set(at, i32.add(at, i32.const(8))),
      branchIf(i32.ltU(at, end), again),
    ]),
  ];
}

/** A loop over the banks of all contexts. */
function eachBank(bank: Local32, end: Local32, body: Code): Code {
  const again = label('bank');
  return [
    set(bank, i32.const(layout.TLB_BANKS)),
    set(end, i32.add(bank, i32.mul(state32(layout.STATE_CONTEXT_COUNT), i32.const(layout.TLB_CONTEXT_SIZE)))),
    loop(again, when(i32.ltU(bank, end), [body, set(bank, i32.add(bank, i32.const(layout.TLB_BANK_SIZE))), branch(again)])),
  ];
}

/** (host): forgets the translations of the 4 KiB page that a descriptor maps. */
function dropLeaf(f: FunctionLocals): Code {
  const host = f.parameter32(0);
  const [data, code, bank, end] = [f.local32(), f.local32(), f.local32(), f.local32()];
  const number = i32.shrU(host, i32.const(3));
  const entry = i32.add(bank, data);
  const codeEntry = i32.add(bank, code);
  const isFrom = (word: I32): I32 => i32.eq(i32.and(word, i32.const(-8)), host);
  return [
    put32(layout.COUNT_DROPS, i32.add(state32(layout.COUNT_DROPS), ONE)),
    set(data, i32.mul(i32.and(number, i32.const(layout.TLB_ENTRY_COUNT - 1)), i32.const(layout.TLB_ENTRY_SIZE))),
    set(code, i32.mul(i32.and(number, i32.const(layout.TLB_CODE_COUNT - 1)), i32.const(layout.TLB_CODE_SIZE))),
    eachBank(bank, end, [
      when(isFrom(i32.load(entry, 24)), [i64.store(entry, NO_TAG, 0), i64.store(entry, NO_TAG, 8), i32.store(entry, ZERO, 24)]),
      when(isFrom(i32.load(codeEntry, layout.TLB_CODE_OFFSET + 12)), [
        // It may be the page that executes: what follows in it must be looked up again.
        i64.store(codeEntry, NO_TAG, layout.TLB_CODE_OFFSET), i32.store(codeEntry, ZERO, layout.TLB_CODE_OFFSET + 12), put32(layout.STATE_STOP, ONE),
      ]),
    ]),
  ];
}

const PLACE_BITS = 9;
const PLACE_VALID = 1 << PLACE_BITS;
const SECOND_SHIFT = 10;
const MANY = 1 << 20;

/** Remembers that data entry `place` (an index) of some bank may hold a write tag for the page: two places, or many. */
export function noteWriteTag(page: I32, place: I32, known: Local32): Code {
  const marked = i32.or(place, i32.const(PLACE_VALID));
  const first = i32.and(known, i32.const(PLACE_VALID * 2 - 1));
  const second = i32.shrU(known, i32.const(SECOND_SHIFT));
  const slot = i32.shl(page, i32.const(2));
  const store = (value: I32): Code => i32.store(slot, value, layout.WRITE_PLACES);
  return [
    set(known, i32.load(slot, layout.WRITE_PLACES)),
    when(i32.and(i32.ne(first, marked), i32.ne(second, marked)), when(i32.eqz(known), store(marked),
      when(i32.eqz(second), store(i32.or(known, i32.shl(marked, i32.const(SECOND_SHIFT)))), store(i32.const(MANY | PLACE_VALID))))),
  ];
}

/** Takes the write tag of the data entry away if it is for `page`. */
function dropWrite(entry: Local32, page: I32): Code {
  const host = i32.add(i32.wrap(i64.load(entry, 8)), i32.load(entry, 16));
  return when(i64.ne(i64.load(entry, 8), NO_TAG), when(i32.eq(pageOf(host), page), i64.store(entry, NO_TAG, 8)));
}

function dropWrites(f: FunctionLocals): Code {
  const page = f.parameter32(0);
  const [known, bank, end, entry, last] = [f.local32(), f.local32(), f.local32(), f.local32(), f.local32()];
  const again = label('entry');
  const slot = i32.shl(page, i32.const(2));
  const size = i32.const(layout.TLB_ENTRY_SIZE);
  const placeOf = (word: I32): I32 => i32.mul(i32.and(word, i32.const(PLACE_VALID - 1)), size);
  return [
    set(known, i32.load(slot, layout.WRITE_PLACES)),
    when(i32.eqz(known), RETURN),
    i32.store(slot, ZERO, layout.WRITE_PLACES),
    eachBank(bank, end, when(i32.and(known, i32.const(MANY)), [
      set(entry, bank), set(last, i32.add(bank, i32.const(layout.TLB_CODE_OFFSET))),
      loop(again, [dropWrite(entry, page), set(entry, i32.add(entry, size)), branchIf(i32.ltU(entry, last), again)]),
    ], [
      set(entry, i32.add(bank, placeOf(known))), dropWrite(entry, page),
      when(i32.shrU(known, i32.const(SECOND_SHIFT)), [set(entry, i32.add(bank, placeOf(i32.shrU(known, i32.const(SECOND_SHIFT))))), dropWrite(entry, page)]),
    ])),
  ];
}

/** Empties a bank that is not empty. */
function clearBank(bank: I32): Code {
  return when(i32.load(bank, layout.TLB_USED_OFFSET), [
    memoryFill(bank, i32.const(0xff), i32.const(layout.TLB_USED_OFFSET)), i32.store(bank, ZERO, layout.TLB_USED_OFFSET),
  ]);
}

/** Also ends the run of generated code, in which nothing may execute whose translation is forgotten. */
function forgetAll(f: FunctionLocals): Code {
  const [bank, at, end, page] = [f.local32(), f.local32(), f.local32(), f.local32()];
  const again = label('again');
  return [
    put32(layout.STATE_STOP, ONE),
    put32(layout.STATE_TLB_GENERATION, i32.add(state32(layout.STATE_TLB_GENERATION), ONE)),
    memoryFill(i32.const(layout.STAGE2_CACHE), ZERO, i32.const(layout.STAGE2_COUNT * layout.STAGE2_ENTRY_SIZE)),
    set(bank, state32(layout.STATE_TLB)),
    Array.from({ length: layout.TLB_BANK_COUNT }, (_, index) => clearBank(i32.add(bank, i32.const(index * layout.TLB_BANK_SIZE)))),
    set(at, i32.const(layout.TABLE_LIST)),
    set(end, i32.add(at, i32.shl(state32(layout.STATE_TABLE_COUNT), i32.const(2)))),
    loop(again, when(i32.ltU(at, end), [
      set(page, i32.load(at)),
      i64.store(i32.shl(page, i32.const(3)), i64.const(0n), layout.TABLE_USES),
      i64.store(i32.shl(page, i32.const(3)), i64.const(0n), layout.TABLE_LEAVES),
      i32.store8(page, i32.and(flagsOf(page), i32.const(~layout.PAGE_TABLE)), layout.PAGE_FLAGS),
      set(at, i32.add(at, i32.const(4))),
      branch(again),
    ])),
    put32(layout.STATE_TABLE_COUNT, ZERO),
  ];
}

/** Gives the declared functions their bodies. */
export function defineTracking(module: ModuleBuilder, functions: TrackingFunctions, imports: TrackingImports): void {
  module.define(functions.noteTable, (f) => noteTable(f, functions));
  module.define(functions.updateDescriptor, (f) => updateDescriptor(f, functions, imports));
  module.define(functions.tableWrite, (f) => tableWrite(f, functions));
  module.define(functions.dropWrites, dropWrites);
  module.define(functions.forgetAll, forgetAll);
  module.define(functions.dropLeaf, dropLeaf);
}
