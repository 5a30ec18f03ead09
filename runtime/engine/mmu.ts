/**
 * The slow path behind every missing tag of the translation cache, as generated code: it walks, checks permissions, fills entries, and
 * carries out accesses that are misaligned or cross pages. The walkers are in walker.ts, what makes cached translations go away in table-tracking.ts.
 *
 * This is the only place that turns a guest address into an address of the linear memory, so no guest can reach anything but RAM.
 */

import * as layout from './layout';
import { ExitCode, FaultType, WalkMode } from './layout';
import { noteWriteTag, pageOf, type TrackingFunctions } from './table-tracking';
import { bit32, put32, put64, register, stage2Body, state32, walkBody } from './walker';
import { label, type Code } from './wasm/code';
import { block, branch, branchIf, call32, callVoid, giveBack, i32, i64, loop, set, when, type I32, type I64, type Local32, type Local64 } from './wasm/expressions';
import type { FunctionLocals, ModuleBuilder } from './wasm/module';

const ZERO = i32.const(0);
const ONE = i32.const(1);
const c64 = i64.const;
const PHYSICAL_BITS = 40n;
const PSTATE_PAN_BIT = 22;

/** Indexes of the functions that this file defines. */
export interface MmuFunctions {
  readonly ramHost: number;
  readonly stage2: number;
  readonly walk: number;
  readonly fillCode: number;
  readonly hostAddress: number;
  readonly readSlow: number;
  readonly writeSlow: number;
  readonly writePairSlow: number;
}

/** Declares the functions, so that others may call them. */
export function declareMmu(module: ModuleBuilder): MmuFunctions {
  return {
    ramHost: module.declare({ parameters: ['i64'], result: 'i32' }),
    stage2: module.declare({ parameters: ['i64', 'i32', 'i32'], result: 'i32' }),
    walk: module.declare({ parameters: ['i64', 'i32', 'i32'], result: 'i32' }),
    fillCode: module.declare({ parameters: [], result: 'i32' }),
    hostAddress: module.declare({ parameters: ['i64', 'i32', 'i32'], result: 'i32' }),
    readSlow: module.declare({ parameters: ['i64', 'i32', 'i32'], result: 'i32' }),
    writeSlow: module.declare({ parameters: ['i64', 'i32', 'i32', 'i64'], result: 'i32' }),
    writePairSlow: module.declare({ parameters: ['i64', 'i32', 'i64', 'i64'], result: 'i32' }),
  };
}

/** Bits of the `info` parameter of the slow path, above the size in bytes. */
export const ACCESS_WRITE = 0x100;
/** The access must be aligned whatever SCTLR says. */
export const ACCESS_ALIGNED = 0x200;
/** The address need not be aligned: the caller deals with the crossing. */
export const ACCESS_UNALIGNED = 0x400;
/** Part of a misaligned access that crosses a page: misaligned whatever its own size. */
export const ACCESS_PART = 0x800;
/** The size in bytes. */
export const SIZE_MASK = 0xff;
/** Answers of `watchGuest`: nothing, a watched byte on the page, a watchpoint hit. */
export const GUEST_WATCH_NONE = 0;
/** See `GUEST_WATCH_NONE`. */
export const GUEST_WATCH_PAGE = 1;
/** See `GUEST_WATCH_NONE`. */
export const GUEST_WATCH_HIT = 2;

/** Host address of a physical address, or -1. */
function ramHost(f: FunctionLocals): Code {
  const pa = f.parameter64(0);
  const [page, entry, end, index] = [f.local32(), f.local32(), f.local32(), f.local32()];
  const next = label('next');
  return [
    when(i32.wrap(i64.shrU(pa, c64(PHYSICAL_BITS))), giveBack(i32.const(-1))),
    set(page, i32.wrap(i64.shrU(pa, c64(12n)))),
    set(entry, i32.const(layout.STATE_RAM_TABLE)),
    set(end, i32.add(entry, i32.shl(state32(layout.STATE_RAM_COUNT), i32.const(4)))),
    loop(next, when(i32.ltU(entry, end), [
      set(index, i32.sub(page, i32.load(entry))),
      when(i32.ltU(index, i32.load(entry, 4)), giveBack(
        i32.add(i32.add(i32.const(layout.RAM), i32.shl(i32.add(index, i32.load(entry, 8)), i32.const(12))), i32.and(i32.wrap(pa), i32.const(0xfff))))),
      set(entry, i32.add(entry, i32.const(16))),
      branch(next),
    ])),
    i32.const(-1).code,
  ];
}

/** Functions outside this file that the slow path calls. */
export interface SlowPathImports { readonly watch: number; readonly watchGuest: number; readonly dropGranules: number; readonly tracking: TrackingFunctions }

interface SlowLocals { readonly va: Local64; readonly info: Local32; readonly el: Local32; readonly entry: Local32; readonly host: Local32; readonly page: Local32; readonly flags: Local32; readonly bank: Local32; readonly known: Local32; readonly watched: Local32 }

const sizeOf = (info: I32): I32 => i32.and(info, i32.const(SIZE_MASK));
const isWrite = (info: I32): I32 => i32.and(i32.shrU(info, i32.const(8)), ONE);

/** Records a fault of an access and gives back -1. */
function refuse(s: { readonly va: I64; readonly info: I32 }, exit: I32): Code {
  return [
    put32(layout.FAULT_EXIT, exit), put64(layout.FAULT_VA, s.va), put32(layout.FAULT_SIZE, sizeOf(s.info)),
    put32(layout.FAULT_WRITE, isWrite(s.info)), giveBack(i32.const(-1)),
  ];
}

const isMisaligned = (va: I64, info: I32): I32 => i32.or(i32.and(i32.wrap(va), i32.sub(sizeOf(info), ONE)), i32.and(info, i32.const(ACCESS_PART)));
const isTrue = (value: I32): I32 => i32.eqz(i32.eqz(value));
/** What Device memory refuses: misaligned accesses, and DC ZVA, the only one of 64 bytes, except with stage 1 off, as on the reference machine. */
const isRefused = (va: I64, info: I32, device: I32): I32 => i32.or(
  i32.and(isTrue(isMisaligned(va, info)), device), i32.and(isTrue(i32.and(info, i32.const(layout.ZVA_BYTES))), i32.eq(device, ONE)));
const stageExit = i32.select(i32.eq(state32(layout.WALK_STAGE), ONE), i32.const(ExitCode.stage1), i32.const(ExitCode.stage2));

/** Watchpoints of the guest's own: a hit refuses the access, and no other access to the page may miss them. */
function checkGuestWatch(s: SlowLocals, imports: SlowPathImports): Code {
  return [
    set(s.watched, ZERO),
    when(state32(layout.SLOT_WATCH_SET), [
      set(s.watched, call32(imports.watchGuest, s.va, s.info, s.el)),
      when(i32.eq(s.watched, i32.const(GUEST_WATCH_HIT)), refuse(s, i32.const(ExitCode.guestWatchpoint))),
    ]),
  ];
}

/** Walks, and refuses what the walk or its permissions do not allow. */
function resolve(s: SlowLocals, functions: MmuFunctions, imports: SlowPathImports): Code {
  const needed = i32.add(isWrite(s.info), ONE);
  const rules = state32(layout.STATE_DEVICE_RULES);
  const unalignedDevice = (device: number): Code => when(
    isRefused(s.va, s.info, i32.and(state32(device), rules)), refuse(s, i32.const(ExitCode.alignment)));
  const permissionFault = (stage: 1 | 2, exit: number): Code => [
    put32(layout.WALK_STAGE, i32.const(stage)), put32(layout.FAULT_TYPE, i32.const(FaultType.permission)),
    put32(layout.FAULT_LEVEL, state32(stage === 1 ? layout.WALK_LEVEL1 : layout.WALK_LEVEL2)), refuse(s, i32.const(exit)),
  ];
  return [
    put32(layout.WALK_DEVICE2, ZERO),
    when(call32(functions.walk, s.va, s.el, needed), [
      when(i32.and(i32.eq(state32(layout.WALK_STAGE), i32.const(2)), i32.eqz(state32(layout.WALK_S1PTW))), [
        unalignedDevice(layout.WALK_DEVICE1),
        when(i32.eqz(i32.and(state32(layout.WALK_PERMISSION1), needed)), permissionFault(1, ExitCode.stage1)),
      ]),
      refuse(s, stageExit),
    ]),
    unalignedDevice(layout.WALK_DEVICE1),
    when(i32.eqz(i32.and(state32(layout.WALK_PERMISSION1), needed)), permissionFault(1, ExitCode.stage1)),
    unalignedDevice(layout.WALK_DEVICE2),
    when(i32.eqz(i32.and(state32(layout.WALK_PERMISSION2), needed)), permissionFault(2, ExitCode.stage2)),
    checkGuestWatch(s, imports),
    set(s.host, call32(functions.ramHost, i64.load(ZERO, layout.WALK_PA))),
    when(i32.eq(s.host, i32.const(-1)), refuse(s, i32.const(ExitCode.mmio))),
  ];
}

/** What a write to RAM entails: the page becomes dirty, decoded code under it is dropped. */
function noteWrite(s: SlowLocals, imports: SlowPathImports): Code {
  const count = state32(layout.STATE_DIRTY_COUNT);
  return when(isWrite(s.info), [
    when(i32.eqz(i32.and(s.flags, i32.const(layout.PAGE_DIRTY))), [
      i32.store(i32.shl(count, i32.const(2)), s.page, layout.DIRTY_LIST),
      put32(layout.STATE_DIRTY_COUNT, i32.add(count, ONE)),
      set(s.flags, i32.or(s.flags, i32.const(layout.PAGE_DIRTY))),
      i32.store8(s.page, s.flags, layout.PAGE_FLAGS),
    ]),
    when(i32.and(s.flags, i32.const(layout.PAGE_CODE)), callVoid(imports.dropGranules, s.page, i32.and(s.host, i32.const(0xfff)), sizeOf(s.info))),
    when(i32.and(s.flags, i32.const(layout.PAGE_TABLE)), callVoid(imports.tracking.tableWrite, s.page, s.host, sizeOf(s.info))),
  ]);
}

/** Tells TypeScript about an access to a watched page. */
function noteWatch(s: SlowLocals, imports: SlowPathImports): Code {
  const mask = i32.select(isWrite(s.info), i32.const(layout.PAGE_WATCH_WRITE), i32.const(layout.PAGE_WATCH_READ));
  return when(i32.and(s.flags, mask), callVoid(imports.watch, s.host, sizeOf(s.info), isWrite(s.info)));
}

/** Fills the cache entry with the tags that need no further attention. */
function install(s: SlowLocals): Code {
  const allowed = i32.and(state32(layout.WALK_PERMISSION1), state32(layout.WALK_PERMISSION2));
  const tag = i64.and(s.va, c64(-4096n));
  const unwatched = i32.eqz(s.watched);
  const readable = i32.and(i32.and(allowed, unwatched), i32.eqz(i32.and(s.flags, i32.const(layout.PAGE_WATCH_READ | layout.PAGE_LOADS_OUT))));
  const writeFlags = i32.const(layout.PAGE_DIRTY | layout.PAGE_CODE | layout.PAGE_WATCH_WRITE | layout.PAGE_STORES_OUT | layout.PAGE_TABLE);
  const writable = i32.and(i32.and(i32.shrU(allowed, ONE), unwatched), i32.eq(i32.and(s.flags, writeFlags), i32.const(layout.PAGE_DIRTY)));
  return [
    i64.store(s.entry, i64.select(readable, tag, c64(-1n)), 0),
    i64.store(s.entry, i64.select(writable, tag, c64(-1n)), 8),
    i32.store(s.entry, i32.sub(s.host, i32.wrap(s.va)), 16),
    i32.store(s.entry, i32.and(i32.or(state32(layout.WALK_DEVICE1), state32(layout.WALK_DEVICE2)), state32(layout.STATE_DEVICE_RULES)), 20),
    i32.store(s.entry, state32(layout.WALK_LEAF), 24),
    i32.store(s.bank, ONE, layout.TLB_USED_OFFSET),
    when(writable, noteWriteTag(s.page, i32.and(i32.wrap(i64.shrU(s.va, c64(12n))), i32.const(layout.TLB_ENTRY_COUNT - 1)), s.known)),
  ];
}

/** Address of the bank of an EL in the current context. */
export function tlbBank(el: I32): I32 {
  const pan = i32.and(i32.shrU(state32(layout.SLOT_PSTATE_REST), i32.const(PSTATE_PAN_BIT)), ONE);
  return i32.add(state32(layout.STATE_TLB), i32.mul(i32.mul(el, i32.add(ONE, pan)), i32.const(layout.TLB_BANK_SIZE)));
}

/** Address of the data entry of a VA in the bank of an EL. */
export function tlbEntry(va: I64, bank: I32): I32 {
  const index = i32.and(i32.wrap(i64.shrU(va, c64(7n))), i32.const((layout.TLB_ENTRY_COUNT - 1) * layout.TLB_ENTRY_SIZE));
  return i32.add(bank, index);
}

/** (va, info, el): the host address of an access inside one page, or -1 with the fault recorded. */
function hostAddress(f: FunctionLocals, functions: MmuFunctions, imports: SlowPathImports): Code {
  const s: SlowLocals = {
    va: f.parameter64(0), info: f.parameter32(1), el: f.parameter32(2),
    entry: f.local32(), host: f.local32(), page: f.local32(), flags: f.local32(), bank: f.local32(), known: f.local32(), watched: f.local32(),
  };
  const mustAlign = i32.eqz(i32.and(s.info, i32.const(ACCESS_UNALIGNED)));
  const tag = i64.select(isWrite(s.info), i64.load(s.entry, 8), i64.load(s.entry, 0));
  return [
    when(i32.and(mustAlign, i32.eqz(i32.eqz(isMisaligned(s.va, s.info)))), refuse(s, i32.const(ExitCode.alignment))),
    set(s.bank, tlbBank(s.el)),
    set(s.entry, tlbEntry(s.va, s.bank)),
    when(i64.eq(tag, i64.and(s.va, c64(-4096n))), [
      when(isRefused(s.va, s.info, i32.load(s.entry, 20)), refuse(s, i32.const(ExitCode.alignment))),
      giveBack(i32.add(i32.wrap(s.va), i32.load(s.entry, 16))),
    ]),
    resolve(s, functions, imports),
    set(s.page, i32.shrU(i32.sub(s.host, i32.const(layout.RAM)), i32.const(12))),
    set(s.flags, i32.load8U(s.page, layout.PAGE_FLAGS)),
    when(i32.and(s.flags, i32.select(isWrite(s.info), i32.const(layout.PAGE_STORES_OUT), i32.const(layout.PAGE_LOADS_OUT))), refuse(s, i32.const(ExitCode.mmio))),
    noteWrite(s, imports),
    noteWatch(s, imports),
    set(s.flags, i32.load8U(s.page, layout.PAGE_FLAGS)),
    install(s),
    s.host.code,
  ];
}

/**
 * Fills the execute entry of SLOT_PC if that needs no more than a walk: 1 if it is done, 0 if the rest of the engine has to look.
 */
function fillCode(f: FunctionLocals, functions: MmuFunctions): Code {
  const [el, host, block, entry, bank] = [f.local32(), f.local32(), f.local32(), f.local32(), f.local32()];
  const pc = i64.load(ZERO, layout.SLOT_PC);
  const allowed = i32.and(state32(layout.WALK_PERMISSION1), state32(layout.WALK_PERMISSION2));
  const index = i32.and(i32.wrap(i64.shrU(pc, c64(8n))), i32.const((layout.TLB_CODE_COUNT - 1) * layout.TLB_CODE_SIZE));
  return [
    set(el, state32(layout.SLOT_EL)),
    when(i32.and(i32.wrap(pc), i32.const(3)), giveBack(ZERO)),
    // An address whose top byte is to be cleared is for TypeScript.
    when(i64.ne(i64.shrS(i64.shl(pc, c64(8n)), c64(8n)), pc), giveBack(ZERO)),
    when(call32(functions.walk, pc, el, i32.const(WalkMode.execute)), giveBack(ZERO)),
    when(i32.eqz(i32.and(allowed, i32.const(4))), giveBack(ZERO)),
    set(host, call32(functions.ramHost, i64.load(ZERO, layout.WALK_PA))),
    when(i32.eq(host, i32.const(-1)), giveBack(ZERO)),
    set(block, i32.load(i32.shl(pageOf(host), i32.const(2)), layout.CODE_BLOCK_OF_PAGE)),
    when(i32.eqz(block), giveBack(ZERO)),
    set(bank, tlbBank(el)),
    set(entry, i32.add(bank, index)),
    i64.store(entry, i64.and(pc, c64(-4096n)), layout.TLB_CODE_OFFSET),
    i32.store(entry, block, layout.TLB_CODE_OFFSET + 8),
    i32.store(entry, i32.or(state32(layout.WALK_LEAF), state32(layout.WALK_GUARDED)), layout.TLB_CODE_OFFSET + 12),
    i32.store(bank, ONE, layout.TLB_USED_OFFSET),
    ONE.code,
  ];
}

const loadSized = (host: I32, info: I32, into: Local64): Code => {
  const size = sizeOf(info);
  return [
    when(i32.eq(size, i32.const(8)), set(into, i64.load(host)),
      when(i32.eq(size, i32.const(4)), set(into, i64.load32U(host)), when(i32.eq(size, i32.const(2)), set(into, i64.load16U(host)), set(into, i64.load8U(host))))),
  ];
};
const storeSized = (host: I32, info: I32, value: I64): Code => {
  const size = sizeOf(info);
  return when(i32.eq(size, i32.const(8)), i64.store(host, value),
    when(i32.eq(size, i32.const(4)), i64.store32(host, value), when(i32.eq(size, i32.const(2)), i64.store16(host, value), i64.store8(host, value))));
};

interface Span { readonly va: Local64; readonly info: Local32; readonly el: Local32; readonly first: Local32; readonly second: Local32; readonly split: Local32; readonly index: Local32 }

/**
 * Translates an access of any alignment: `first` is the host address of its first byte, `second` that of the first byte
 * on the next page, `split` how many bytes lie before it (0 if the access does not cross). Gives back `failure` on a fault.
 */
function translateSpan(s: Span, functions: MmuFunctions, write: boolean): Code {
  const inFirst = i32.sub(i32.const(4096), i32.and(i32.wrap(s.va), i32.const(0xfff)));
  const mustAlign = i32.or(bit32(register('SCTLR_EL1'), 1), i32.and(s.info, i32.const(ACCESS_ALIGNED)));
  const flags = ACCESS_UNALIGNED | (write ? ACCESS_WRITE : 0);
  const failIf = (host: Local32): Code => when(i32.eq(host, i32.const(-1)), giveBack(ONE));
  const nextPage = i64.add(i64.and(s.va, c64(-4096n)), c64(4096n));
  return when(isMisaligned(s.va, s.info), [
    when(mustAlign, [
      put32(layout.FAULT_EXIT, i32.const(ExitCode.alignment)), put64(layout.FAULT_VA, s.va), put32(layout.FAULT_SIZE, sizeOf(s.info)),
      put32(layout.FAULT_WRITE, i32.const(write ? 1 : 0)), giveBack(ONE),
    ]),
    set(s.split, i32.select(i32.ltU(inFirst, sizeOf(s.info)), inFirst, ZERO)),
    when(i32.eqz(s.split), [
      set(s.first, call32(functions.hostAddress, s.va, i32.or(sizeOf(s.info), i32.const(flags)), s.el)), failIf(s.first),
    ], [
      // Both pages are checked before any byte moves.
      set(s.first, call32(functions.hostAddress, s.va, i32.or(s.split, i32.const(flags | ACCESS_PART)), s.el)), failIf(s.first),
      set(s.second, call32(functions.hostAddress, nextPage, i32.or(i32.sub(sizeOf(s.info), s.split), i32.const(flags | ACCESS_PART)), s.el)), failIf(s.second),
    ]),
  ], [
    set(s.first, call32(functions.hostAddress, s.va, i32.or(sizeOf(s.info), i32.const(write ? ACCESS_WRITE : 0)), s.el)), failIf(s.first),
  ]);
}

/** Host address of byte `index` of a span that crosses. */
const byteOf = (s: Span): I32 => i32.select(i32.ltU(s.index, s.split), i32.add(s.first, s.index), i32.add(s.second, i32.sub(s.index, s.split)));

function span(f: FunctionLocals): Span {
  return { va: f.parameter64(0), info: f.parameter32(1), el: f.parameter32(2), first: f.local32(), second: f.local32(), split: f.local32(), index: f.local32() };
}

/** (va, info, el): loads into STATE_VALUE, zero-extended; 0, or 1 with the fault recorded. */
function readSlow(f: FunctionLocals, functions: MmuFunctions): Code {
  const s = span(f);
  const value = f.local64();
  const again = label('again');
  return [
    translateSpan(s, functions, false),
    when(s.split, loop(again, [
      set(value, i64.or(value, i64.shl(i64.load8U(byteOf(s)), i64.extendU(i32.shl(s.index, i32.const(3)))))),
      set(s.index, i32.add(s.index, ONE)),
      branchIf(i32.ltU(s.index, sizeOf(s.info)), again),
    ]), loadSized(s.first, s.info, value)),
    put64(layout.STATE_VALUE, value), ZERO.code,
  ];
}

/** (va, info, el, value): stores; 0, or 1 with the fault recorded and nothing stored. */
function writeSlow(f: FunctionLocals, functions: MmuFunctions): Code {
  const s = span(f);
  const value = f.parameter64(3);
  const again = label('again');
  return [
    translateSpan(s, functions, true),
    when(s.split, loop(again, [
      i64.store8(byteOf(s), i64.shrU(value, i64.extendU(i32.shl(s.index, i32.const(3))))),
      set(s.index, i32.add(s.index, ONE)),
      branchIf(i32.ltU(s.index, sizeOf(s.info)), again),
    ]), storeSized(s.first, s.info, value)),
    ZERO.code,
  ];
}

/** (va, info, low, high): stores two neighbours at the current EL; the second is checked before the first is stored. */
function writePairSlow(f: FunctionLocals, functions: MmuFunctions): Code {
  const [va, info, low, high] = [f.parameter64(0), f.parameter32(1), f.parameter64(2), f.parameter64(3)];
  const el = state32(layout.SLOT_EL);
  const second = i64.add(va, i64.extendU(sizeOf(info)));
  const done = label('done');
  const probe = i32.or(i32.const(1), i32.const(ACCESS_UNALIGNED | ACCESS_WRITE));
  const last = i64.sub(i64.add(second, i64.extendU(sizeOf(info))), c64(1n));
  return [
    block(done, [
      // In one page the first store decides for both.
      branchIf(i64.eq(i64.shrU(va, c64(12n)), i64.shrU(last, c64(12n))), done),
      when(i32.eqz(i32.eqz(isMisaligned(va, info))), branch(done)),
      when(i32.eq(call32(functions.hostAddress, va, probe, el), i32.const(-1)), [put32(layout.FAULT_SIZE, sizeOf(info)), giveBack(ONE)]),
      when(i32.eq(call32(functions.hostAddress, last, probe, el), i32.const(-1)), [
        put32(layout.FAULT_SIZE, sizeOf(info)), put64(layout.FAULT_VA, second), giveBack(ONE),
      ]),
    ]),
    when(call32(functions.writeSlow, va, info, el, low), giveBack(ONE)),
    call32(functions.writeSlow, second, info, el, high).code,
  ];
}

/** Gives the declared functions their bodies. */
export function defineMmu(module: ModuleBuilder, functions: MmuFunctions, imports: SlowPathImports): void {
  module.define(functions.ramHost, ramHost);
  const walker = { ...functions, ...imports.tracking };
  module.define(functions.stage2, (f) => stage2Body(f, walker));
  module.define(functions.walk, (f) => walkBody(f, walker));
  module.define(functions.fillCode, (f) => fillCode(f, functions));
  module.define(functions.hostAddress, (f) => hostAddress(f, functions, imports));
  module.define(functions.readSlow, (f) => readSlow(f, functions));
  module.define(functions.writeSlow, (f) => writeSlow(f, functions));
  module.define(functions.writePairSlow, (f) => writePairSlow(f, functions));
}
