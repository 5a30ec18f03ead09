/**
 * Address translation as generated code: the stage-1 and stage-2 walkers (Arm ARM D8, VMSAv8-64, 4 KiB granule) and the
 * slow path behind every missing tag of the translation cache.
 *
 * The walker has no side effects but its results in `WALK_…`; it never loops more than four levels. The slow path is the
 * only place that turns a guest address into an address of the linear memory, so no guest can reach anything but RAM.
 */

import * as layout from './layout';
import { ExitCode, FaultType } from './layout';
import { systemSlot } from './system-slots';
import { label, type Code } from './wasm/code';
import { block, branch, branchIf, call32, callVoid, giveBack, i32, i64, loop, set, UNREACHABLE, when, type I32, type I64, type Local32, type Local64 } from './wasm/expressions';
import type { FunctionLocals, ModuleBuilder } from './wasm/module';

const ZERO = i32.const(0);
const ONE = i32.const(1);
const c64 = i64.const;
const register = (name: string): I64 => i64.load(ZERO, systemSlot(name));
const field64 = (value: I64, high: number, low: number): I64 => i64.and(i64.shrU(value, c64(BigInt(low))), c64((1n << BigInt(high - low + 1)) - 1n));
const field32 = (value: I64, high: number, low: number): I32 => i32.wrap(field64(value, high, low));
const bit32 = (value: I64, position: number): I32 => field32(value, position, position);
const state32 = (address: number): I32 => i32.load(ZERO, address);
const put32 = (address: number, value: I32): Code => i32.store(ZERO, value, address);
const put64 = (address: number, value: I64): Code => i64.store(ZERO, value, address);
const TABLE_MASK = c64(0x0000_ffff_ffff_f000n);
/** The base of the first table: small ones are aligned to 64 bytes, so an entry never crosses a page. */
const TABLE_BASE_MASK = c64(0x0000_ffff_ffff_ffc0n);
const PHYSICAL_BITS = 40n;

/** Indexes of the functions that this file defines. */
export interface MmuFunctions {
  readonly ramHost: number;
  readonly stage2: number;
  readonly walk: number;
  readonly hostAddress: number;
  readonly readSlow: number;
  readonly writeSlow: number;
  readonly writePairSlow: number;
}

/** Declares the functions, so that others may call them. */
export function declareMmu(module: ModuleBuilder): MmuFunctions {
  return {
    ramHost: module.declare({ parameters: ['i64'], result: 'i32' }),
    stage2: module.declare({ parameters: ['i64'], result: 'i32' }),
    walk: module.declare({ parameters: ['i64', 'i32'], result: 'i32' }),
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
const SIZE_MASK = 0xff;

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

/** Records a failed walk and gives back 1. */
function fail(stage: 1 | 2, type: number | I32, level: I32): Code {
  return [
    put32(layout.WALK_STAGE, i32.const(stage)), put32(layout.FAULT_TYPE, typeof type === 'number' ? i32.const(type) : type),
    put32(layout.FAULT_LEVEL, level), giveBack(ONE),
  ];
}

/** Output size in bits for a PS or IPS field (Arm ARM: AArch64.PhysicalAddressSize). */
function outputBits(ps: I32): I64 {
  // 32, 36, 40, 42, 44, 48, 52, 52: one byte each.
  const sizes = c64(0x3434_302c_2a28_2420n);
  return i64.and(i64.shrU(sizes, i64.extendU(i32.shl(ps, i32.const(3)))), c64(0xffn));
}

interface WalkLocals { readonly input: Local64; readonly table: Local64; readonly entry: Local64; readonly level: Local32; readonly host: Local32; readonly shift: Local64; readonly outSize: Local64 }

/** Shift of the index at the current level: 39, 30, 21, 12. */
const levelShift = (level: I32): I64 => i64.extendU(i32.sub(i32.const(39), i32.mul(level, i32.const(9))));

/** Checks that are the same in both stages once an entry is read: validity, table or leaf. Falls out at a leaf. */
function descend(w: WalkLocals, stage: 1 | 2, again: { readonly name: string }, onTable: Code): Code {
  const isLast = i32.eq(w.level, i32.const(3));
  const typeBit = bit32(w.entry, 1);
  return [
    when(i32.eqz(bit32(w.entry, 0)), fail(stage, FaultType.translation, w.level)),
    when(i32.eqz(i32.and(typeBit, isLast)), when(i32.or(isLast, i32.and(i32.eqz(typeBit), i32.eqz(w.level))), fail(stage, FaultType.translation, w.level))),
    when(i32.and(typeBit, i32.eqz(isLast)), [
      onTable,
      set(w.table, i64.and(w.entry, TABLE_MASK)),
      when(i32.eqz(i64.eqz(i64.shrU(w.table, w.outSize))), fail(stage, FaultType.addressSize, w.level)),
      set(w.level, i32.add(w.level, ONE)),
      set(w.input, i64.and(w.input, i64.sub(i64.shl(c64(1n), w.shift), c64(1n)))),
      branch(again),
    ]),
    // The output of a leaf: bits 47:shift of the entry, the rest of the input.
    set(w.table, i64.and(i64.and(w.entry, TABLE_MASK), i64.sub(c64(0n), i64.shl(c64(1n), w.shift)))),
    when(i32.eqz(i64.eqz(i64.shrU(w.table, w.outSize))), fail(stage, FaultType.addressSize, w.level)),
    when(i32.eqz(bit32(w.entry, 10)), fail(stage, FaultType.accessFlag, w.level)),
    set(w.table, i64.or(w.table, i64.and(w.input, i64.sub(i64.shl(c64(1n), w.shift), c64(1n))))),
  ];
}

function walkLocals(f: FunctionLocals): WalkLocals {
  return { input: f.local64(), table: f.local64(), entry: f.local64(), level: f.local32(), host: f.local32(), shift: f.local64(), outSize: f.local64() };
}

const EVERYTHING = i32.const(7);

/** Reads the table entry at the current level. `locate` gives the host address of the entry's physical address. */
function readEntry(w: WalkLocals, stage: 1 | 2, host: I32): Code {
  return [
    set(w.shift, levelShift(w.level)),
    set(w.entry, i64.add(w.table, i64.shl(i64.shrU(w.input, w.shift), c64(3n)))),
    set(w.host, host),
    when(i32.eq(w.host, i32.const(-1)), fail(stage, FaultType.external, w.level)),
    set(w.entry, i64.load(w.host)),
  ];
}

/** Stage 2: IPA to PA. Gives 0, or 1 with the fault recorded. Table access is by physical address. */
function stage2(f: FunctionLocals, functions: MmuFunctions): Code {
  const ipa = f.parameter64(0);
  const w = walkLocals(f);
  const again = label('again');
  const vtcr = register('VTCR_EL2');
  return [
    put64(layout.WALK_PA, ipa), put32(layout.WALK_PERMISSION2, EVERYTHING), put32(layout.WALK_DEVICE2, ZERO), put32(layout.WALK_LEVEL2, ZERO),
    when(i32.eqz(bit32(register('HCR_EL2'), 0)), giveBack(ZERO)),
    set(w.level, i32.sub(i32.const(2), field32(vtcr, 7, 6))),
    when(i32.ltS(w.level, ZERO), fail(2, FaultType.translation, ZERO)),
    when(i32.eqz(i64.eqz(i64.shrU(ipa, i64.sub(c64(64n), field64(vtcr, 5, 0))))), fail(2, FaultType.translation, ZERO)),
    set(w.outSize, outputBits(field32(vtcr, 18, 16))),
    set(w.input, ipa),
    set(w.table, i64.and(register('VTTBR_EL2'), TABLE_BASE_MASK)),
    loop(again, [readEntry(w, 2, call32(functions.ramHost, w.entry)), descend(w, 2, again, [])]),
    put64(layout.WALK_PA, w.table), put32(layout.WALK_LEVEL2, w.level),
    // S2AP 7:6 is write, read; XN is bit 54; MemAttr 3:2 of 5:2 zero is Device.
    put32(layout.WALK_PERMISSION2, i32.or(i32.or(bit32(w.entry, 6), i32.shl(bit32(w.entry, 7), ONE)), i32.shl(i32.eqz(bit32(w.entry, 54)), i32.const(2)))),
    put32(layout.WALK_DEVICE2, i64.eqz(field64(w.entry, 5, 4))),
    ZERO.code,
  ];
}

interface Stage1Locals { readonly va: Local64; readonly el: Local32; readonly w: WalkLocals; readonly upper: Local32; readonly sizeBits: Local64; readonly tables: Local32 }

/** Stage 1 off: the address is its own translation; data is Device unless HCR_EL2.DC. */
function flatStage1(functions: MmuFunctions, va: Local64): Code {
  return [
    put64(layout.WALK_IPA, va), put32(layout.WALK_PERMISSION1, EVERYTHING), put32(layout.WALK_LEVEL1, ZERO),
    put32(layout.WALK_DEVICE1, i32.eqz(bit32(register('HCR_EL2'), 12))),
    when(i32.eqz(i64.eqz(i64.shrU(va, c64(PHYSICAL_BITS)))), fail(1, FaultType.addressSize, ZERO)),
    giveBack(call32(functions.stage2, va)),
  ];
}

/** Picks TTBR0 or TTBR1 by bit 55 and checks the bits above the input size. */
function stage1Start({ va, w, upper, sizeBits }: Stage1Locals): Code {
  const tcr = register('TCR_EL1');
  const pick = (one: I64, zero: I64): I64 => i64.select(upper, one, zero);
  const ignoresTop = i32.select(upper, bit32(tcr, 38), bit32(tcr, 37));
  const address = i64.select(ignoresTop, i64.shrS(i64.shl(va, c64(8n)), c64(8n)), va);
  const above = i64.shrS(w.input, sizeBits);
  const walkOff = i32.select(upper, bit32(tcr, 23), bit32(tcr, 7));
  const isGranule4K = i32.select(upper, i32.eq(field32(tcr, 31, 30), i32.const(2)), i32.eqz(field32(tcr, 15, 14)));
  return [
    set(upper, bit32(va, 55)),
    set(sizeBits, i64.sub(c64(64n), pick(field64(tcr, 21, 16), field64(tcr, 5, 0)))),
    // Input sizes beyond 48 and below 25 bits behave as the limit.
    when(i64.gtU(sizeBits, c64(48n)), set(sizeBits, c64(48n))),
    when(i64.ltU(sizeBits, c64(25n)), set(sizeBits, c64(25n))),
    set(w.input, address),
    // With the top byte ignored, bits 63:56 follow bit 55.
    when(i64.ne(above, i64.sub(c64(0n), i64.extendU(upper))), fail(1, FaultType.translation, ZERO)),
    when(i32.or(walkOff, i32.eqz(isGranule4K)), fail(1, FaultType.translation, ZERO)),
    set(w.input, i64.and(w.input, i64.sub(i64.shl(c64(1n), sizeBits), c64(1n)))),
    set(w.table, i64.and(pick(register('TTBR1_EL1'), register('TTBR0_EL1')), TABLE_BASE_MASK)),
    set(w.outSize, outputBits(field32(tcr, 34, 32))),
    set(w.level, i32.sub(i32.const(3), i32.wrap(i64.divU(i64.sub(sizeBits, c64(13n)), c64(9n))))),
  ];
}

/** Permissions of a stage-1 leaf for the exception level (Arm ARM D8.4). */
function stage1Permissions({ el, w, tables }: Stage1Locals): Code {
  const sctlr = register('SCTLR_EL1');
  const userAccess = i32.and(bit32(w.entry, 6), i32.eqz(i32.and(tables, ONE)));
  const writable = i32.eqz(i32.or(bit32(w.entry, 7), i32.and(i32.shrU(tables, ONE), ONE)));
  const wxn = i32.and(bit32(sctlr, 19), writable);
  const userExecute = i32.eqz(i32.or(i32.or(bit32(w.entry, 54), i32.and(i32.shrU(tables, i32.const(3)), ONE)), i32.and(wxn, userAccess)));
  const kernelExecute = i32.eqz(i32.or(
    i32.or(bit32(w.entry, 53), i32.and(i32.shrU(tables, i32.const(2)), ONE)), i32.or(i32.and(userAccess, writable), wxn)));
  const pan = i32.and(i32.shrU(state32(layout.SLOT_PSTATE_REST), i32.const(22)), ONE);
  const readKernel = i32.eqz(i32.and(pan, userAccess));
  const combine = (read: I32, write: I32, execute: I32): I32 => i32.or(i32.or(read, i32.shl(write, ONE)), i32.shl(execute, i32.const(2)));
  return put32(layout.WALK_PERMISSION1, i32.select(
    el, combine(readKernel, i32.and(writable, readKernel), kernelExecute), combine(userAccess, i32.and(userAccess, writable), userExecute)));
}

/** Stage 1 and 2: VA to PA for EL0 or EL1. Gives 0, or 1 with the fault recorded. */
function walk(f: FunctionLocals, functions: MmuFunctions): Code {
  const s: Stage1Locals = { va: f.parameter64(0), el: f.parameter32(1), w: walkLocals(f), upper: f.local32(), sizeBits: f.local64(), tables: f.local32() };
  const { va, w, tables } = s;
  const again = label('again');
  const hcr = register('HCR_EL2');
  // APTable, PXNTable, UXNTable gather in bits: 0 no EL0 access, 1 read-only, 2 PXN, 3 UXN.
  const gather = set(tables, i32.or(tables, i32.or(
    field32(w.entry, 62, 61), i32.or(i32.shl(bit32(w.entry, 59), i32.const(2)), i32.shl(bit32(w.entry, 60), i32.const(3))))));
  const attribute = field64(i64.shrU(register('MAIR_EL1'), i64.shl(field64(w.entry, 4, 2), c64(3n))), 7, 4);
  return [
    put32(layout.WALK_S1PTW, ZERO),
    when(i32.or(i32.eqz(bit32(register('SCTLR_EL1'), 0)), bit32(hcr, 12)), flatStage1(functions, va)),
    put32(layout.WALK_DEVICE1, ZERO),
    stage1Start(s),
    loop(again, [
      set(w.entry, i64.add(w.table, i64.shl(i64.shrU(w.input, levelShift(w.level)), c64(3n)))),
      put64(layout.WALK_IPA, w.entry),
      when(call32(functions.stage2, w.entry), [put32(layout.WALK_S1PTW, ONE), giveBack(ONE)]),
      when(i32.eqz(i32.and(state32(layout.WALK_PERMISSION2), ONE)), [
        put32(layout.WALK_S1PTW, ONE), fail(2, FaultType.permission, state32(layout.WALK_LEVEL2)),
      ]),
      readEntry(w, 1, call32(functions.ramHost, i64.load(ZERO, layout.WALK_PA))),
      descend(w, 1, again, gather),
    ]),
    put64(layout.WALK_IPA, w.table), put32(layout.WALK_LEVEL1, w.level),
    put32(layout.WALK_DEVICE1, i64.eqz(attribute)),
    stage1Permissions(s),
    giveBack(call32(functions.stage2, w.table)),
    UNREACHABLE,
  ];
}

/** Functions outside this file that the slow path calls. */
export interface SlowPathImports { readonly watch: number; readonly dropGranules: number }

interface SlowLocals { readonly va: Local64; readonly info: Local32; readonly el: Local32; readonly entry: Local32; readonly host: Local32; readonly page: Local32; readonly flags: Local32; readonly permission: Local32 }

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
const stageExit = i32.select(i32.eq(state32(layout.WALK_STAGE), ONE), i32.const(ExitCode.stage1), i32.const(ExitCode.stage2));

/** Walks, and refuses what the walk or its permissions do not allow. */
function resolve(s: SlowLocals, functions: MmuFunctions): Code {
  const needed = i32.add(isWrite(s.info), ONE);
  const unalignedDevice = (device: number): Code => when(
    i32.and(i32.eqz(i32.eqz(isMisaligned(s.va, s.info))), state32(device)), refuse(s, i32.const(ExitCode.alignment)));
  const permissionFault = (stage: 1 | 2, exit: number): Code => [
    put32(layout.WALK_STAGE, i32.const(stage)), put32(layout.FAULT_TYPE, i32.const(FaultType.permission)),
    put32(layout.FAULT_LEVEL, state32(stage === 1 ? layout.WALK_LEVEL1 : layout.WALK_LEVEL2)), refuse(s, i32.const(exit)),
  ];
  return [
    put32(layout.WALK_DEVICE2, ZERO),
    when(call32(functions.walk, s.va, s.el), [
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
  const readable = i32.and(i32.and(allowed, ONE), i32.eqz(i32.and(s.flags, i32.const(layout.PAGE_WATCH_READ | layout.PAGE_LOADS_OUT))));
  const writeFlags = i32.const(layout.PAGE_DIRTY | layout.PAGE_CODE | layout.PAGE_WATCH_WRITE | layout.PAGE_STORES_OUT);
  const writable = i32.and(i32.shrU(allowed, ONE), i32.eq(i32.and(s.flags, writeFlags), i32.const(layout.PAGE_DIRTY)));
  return [
    i64.store(s.entry, i64.select(readable, tag, c64(-1n)), 0),
    i64.store(s.entry, i64.select(writable, tag, c64(-1n)), 8),
    i32.store(s.entry, i32.sub(s.host, i32.wrap(s.va)), 16),
    i32.store(s.entry, i32.or(state32(layout.WALK_DEVICE1), state32(layout.WALK_DEVICE2)), 20),
  ];
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
    entry: f.local32(), host: f.local32(), page: f.local32(), flags: f.local32(), permission: f.local32(),
  };
  const mustAlign = i32.eqz(i32.and(s.info, i32.const(ACCESS_UNALIGNED)));
  const tag = i64.select(isWrite(s.info), i64.load(s.entry, 8), i64.load(s.entry, 0));
  return [
    when(i32.and(mustAlign, i32.eqz(i32.eqz(isMisaligned(s.va, s.info)))), refuse(s, i32.const(ExitCode.alignment))),
    set(s.entry, tlbEntry(s.va, i32.add(state32(layout.STATE_TLB), i32.mul(s.el, i32.const(layout.TLB_BANK_SIZE))))),
    when(i64.eq(tag, i64.and(s.va, c64(-4096n))), [
      when(i32.and(i32.load(s.entry, 20), i32.eqz(i32.eqz(isMisaligned(s.va, s.info)))), refuse(s, i32.const(ExitCode.alignment))),
      giveBack(i32.add(i32.wrap(s.va), i32.load(s.entry, 16))),
    ]),
    resolve(s, functions),
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
  module.define(functions.stage2, (f) => stage2(f, functions));
  module.define(functions.walk, (f) => walk(f, functions));
  module.define(functions.hostAddress, (f) => hostAddress(f, functions, imports));
  module.define(functions.readSlow, (f) => readSlow(f, functions));
  module.define(functions.writeSlow, (f) => writeSlow(f, functions));
  module.define(functions.writePairSlow, (f) => writePairSlow(f, functions));
}
