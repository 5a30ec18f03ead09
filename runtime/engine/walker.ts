/**
 * The table walkers as generated code: stage 1 of EL1&0 and stage 2 (Arm ARM D8, VMSAv8-64), granules of 4, 16 and 64 KiB.
 *
 * A walk leaves its results in `WALK_…` and never takes more than five steps. Its `mode` says what the access needs; with
 * `WalkMode.probe` it has no effect on the guest or on the engine. Otherwise it may write the descriptor (hardware access flag and dirty
 * state) and tells table-tracking.ts which descriptors it used. What the core's identification registers do not announce is not there.
 */

import * as layout from './layout';
import { FaultType, WalkMode } from './layout';
import { systemSlot } from './system-slots';
import { label, type Code, type Label } from './wasm/code';
import { branch, call32, callVoid, giveBack, i32, i64, loop, set, UNREACHABLE, when, type I32, type I64, type Local32, type Local64 } from './wasm/expressions';
import type { FunctionLocals } from './wasm/module';

const ZERO = i32.const(0);
const ONE = i32.const(1);
const c64 = i64.const;

/** A system register's value. */
export const register = (name: string): I64 => i64.load(ZERO, systemSlot(name));
/** An identification register of the core. */
const core = (address: number): I64 => i64.load(ZERO, address);
const field64 = (value: I64, high: number, low: number): I64 => i64.and(i64.shrU(value, c64(BigInt(low))), c64((1n << BigInt(high - low + 1)) - 1n));
const field32 = (value: I64, high: number, low: number): I32 => i32.wrap(field64(value, high, low));
/** One bit of a value, as 0 or 1. */
export const bit32 = (value: I64, position: number): I32 => field32(value, position, position);
/** A word of the shared state. */
export const state32 = (address: number): I32 => i32.load(ZERO, address);
/** Sets a word of the shared state. */
export const put32 = (address: number, value: I32): Code => i32.store(ZERO, value, address);
/** Sets a double word of the shared state. */
export const put64 = (address: number, value: I64): Code => i64.store(ZERO, value, address);
const not32 = (value: I32): I32 => i32.eqz(value);
const not64 = (value: I64): I64 => i64.xor(value, c64(-1n));
/** 2^n - 1. */
const ones = (n: I64): I64 => i64.sub(i64.shl(c64(1n), n), c64(1n));
const isSet = (value: I64): I32 => i32.eqz(i64.eqz(value));

/** Functions outside this file that the walkers call. */
export interface WalkerFunctions {
  readonly ramHost: number;
  readonly stage2: number;
  readonly walk: number;
  /** See table-tracking.ts. */
  readonly noteTable: number;
  readonly updateDescriptor: number;
  readonly forgetAll: number;
}

/** One walk notes fewer tables than this. */
const TABLES_PER_WALK = 64;

/** A field of PA range or size gives a number of bits: one byte each in a constant. */
function outputBits(ps: I32): I32 {
  // 32, 36, 40, 42, 44, 48, 52, 52.
  return i32.wrap(i64.and(i64.shrU(c64(0x3434_302c_2a28_2420n), i64.extendU(i32.shl(ps, i32.const(3)))), c64(0xffn)));
}

const smaller = (a: I32, b: I32): I32 => i32.select(i32.ltU(a, b), a, b);
const paRange = field32(core(layout.CORE_MMFR0), 3, 0);
/** Bits of a physical address on this core. */
const physicalBits = outputBits(smaller(paRange, i32.const(6)));

interface Walk {
  /** What is left to translate, then the result. */
  readonly input: Local64;
  readonly table: Local64;
  readonly entry: Local64;
  /** The entry as the walker will leave it. */
  readonly updated: Local64;
  readonly level: Local32;
  readonly host: Local32;
  /** Bits that a level's entry leaves to be translated. */
  readonly shift: Local64;
  /** log2 of the granule, and how many bits each level translates. */
  readonly granule: Local32;
  readonly stride: Local32;
  readonly inputBits: Local32;
  readonly outBits: Local32;
  /** TCR_EL1.DS in effect: 52-bit addresses with 4 and 16 KiB. */
  readonly wide: Local32;
}

function walkLocals(f: FunctionLocals): Walk {
  return {
    input: f.local64(), table: f.local64(), entry: f.local64(), updated: f.local64(), level: f.local32(), host: f.local32(), shift: f.local64(),
    granule: f.local32(), stride: f.local32(), inputBits: f.local32(), outBits: f.local32(), wide: f.local32(),
  };
}

/** Records a failed walk and gives back 1. */
function fail(stage: 1 | 2, type: number, level: I32): Code {
  return [put32(layout.WALK_STAGE, i32.const(stage)), put32(layout.FAULT_TYPE, i32.const(type)), put32(layout.FAULT_LEVEL, level), giveBack(ONE)];
}

const failFirst = (stage: 1 | 2): Code => fail(stage, FaultType.translation, ZERO);

/** True if an address has bits beyond the output size. Addresses of more than 48 bits are checked nowhere. */
const isTooLarge = (w: Walk, address: I64): I32 => i32.and(i32.leS(w.outBits, i32.const(48)), isSet(i64.shrU(address, i64.extendU(w.outBits))));

/** TGRANn of ID_AA64MMFR0_EL1: 4 KiB and 64 KiB are there unless 0xf, 16 KiB if not 0. */
const has4K = i32.ne(field32(core(layout.CORE_MMFR0), 31, 28), i32.const(15));
const has16K = i32.ne(field32(core(layout.CORE_MMFR0), 23, 20), ZERO);
const has64K = i32.ne(field32(core(layout.CORE_MMFR0), 27, 24), i32.const(15));

/** A granule that the core lacks behaves as the smallest that it has (Arm ARM: IMPLEMENTATION DEFINED). */
function setGranule(w: Walk, asked: I32): Code {
  const supported = (size: I32): I32 => i32.or(
    i32.or(i32.and(i32.eq(size, i32.const(12)), has4K), i32.and(i32.eq(size, i32.const(14)), has16K)), i32.and(i32.eq(size, i32.const(16)), has64K));
  return [
    set(w.granule, asked),
    when(not32(supported(w.granule)), set(w.granule, i32.select(has4K, i32.const(12), i32.select(has16K, i32.const(14), i32.const(16))))),
    set(w.stride, i32.sub(w.granule, i32.const(3))),
  ];
}

/** TG0 has 4, 64, 16 KiB; TG1 none, 16, 4, 64 KiB; here as bytes of log2, with 0 for none. */
const granule0 = (tg: I32): I32 => i32.and(i32.shrU(i32.const(0x000e_100c), i32.shl(tg, i32.const(3))), i32.const(0xff));
const granule1 = (tg: I32): I32 => i32.and(i32.shrU(i32.const(0x100c_0e00), i32.shl(tg, i32.const(3))), i32.const(0xff));

const setShift = (w: Walk): Code => set(w.shift, i64.extendU(i32.add(i32.mul(w.stride, i32.sub(i32.const(4), w.level)), i32.const(3))));

/** The base of the first table: it is aligned to its size. */
function setFirstTable(w: Walk, base: I64): Code {
  const wide = i32.gtS(w.outBits, i32.const(48));
  return [
    setShift(w),
    set(w.table, i64.and(base, ones(c64(48n)))),
    when(wide, set(w.table, i64.or(w.table, i64.shl(field64(base, 5, 2), c64(48n))))),
    set(w.input, i64.and(w.input, ones(i64.extendU(w.inputBits)))),
  ];
}

const alignFirstTable = (w: Walk): Code =>
  set(w.table, i64.and(w.table, not64(ones(i64.add(i64.sub(i64.extendU(w.inputBits), w.shift), c64(3n))))));

const setEntryAddress = (w: Walk): Code => [setShift(w), set(w.entry, i64.add(w.table, i64.shl(i64.shrU(w.input, w.shift), c64(3n))))];

/** Reads the descriptor, whose physical address `host` locates. */
function readEntry(w: Walk, stage: 1 | 2, host: I32): Code {
  return [
    set(w.host, host),
    when(i32.eq(w.host, i32.const(-1)), fail(stage, FaultType.external, w.level)),
    set(w.entry, i64.load(w.host)),
  ];
}

/** Lowest level at which an entry may be a block. */
function firstBlockLevel(w: Walk): I32 {
  return i32.select(i32.eq(w.granule, i32.const(12)), i32.sub(ONE, w.wide), i32.select(
    i32.eq(w.granule, i32.const(14)), i32.sub(i32.const(2), w.wide), i32.sub(i32.const(2), i32.geU(paRange, i32.const(6)))));
}

/** Sets `table` to the address in an entry. */
function setOutput(w: Walk, stage: 1 | 2): Code {
  const low = i64.sub(c64(0n), i64.shl(c64(1n), i64.extendU(w.granule)));
  return [
    set(w.table, i64.and(i64.and(w.entry, low), i64.select(w.wide, ones(c64(50n)), ones(c64(48n))))),
    when(i32.gtS(w.outBits, i32.const(48)), when(w.wide,
      set(w.table, i64.or(w.table, i64.shl(field64(w.entry, 9, 8), c64(50n)))),
      set(w.table, i64.or(w.table, i64.shl(field64(w.entry, 15, 12), c64(48n)))))),
    when(isTooLarge(w, w.table), fail(stage, FaultType.addressSize, w.level)),
  ];
}

/** What is the same in both stages once an entry is read. Falls out at a leaf, with its output address in `table`. */
function descend(w: Walk, stage: 1 | 2, again: Label, parts: { readonly onValid: Code; readonly onTable: Code }): Code {
  const isLast = i32.eq(w.level, i32.const(3));
  const typeBit = bit32(w.entry, 1);
  const cannotBeBlock = i32.or(isLast, i32.ltS(w.level, firstBlockLevel(w)));
  return [
    when(not32(bit32(w.entry, 0)), fail(stage, FaultType.translation, w.level)),
    when(i32.and(not32(typeBit), cannotBeBlock), fail(stage, FaultType.translation, w.level)),
    parts.onValid,
    setOutput(w, stage),
    when(i32.and(typeBit, not32(isLast)), [
      parts.onTable,
      set(w.input, i64.and(w.input, ones(w.shift))),
      set(w.level, i32.add(w.level, ONE)),
      branch(again),
    ]),
    set(w.table, i64.or(i64.and(w.table, not64(ones(w.shift))), i64.and(w.input, ones(w.shift)))),
  ];
}

const isProbe = (mode: I32): I32 => i32.and(mode, i32.const(WalkMode.probe));

/** Tells the tracking that a cached translation may depend on the descriptor. */
function note(w: Walk, functions: WalkerFunctions, how: { readonly mode: I32; readonly isLeaf: I32 }): Code {
  return when(not32(isProbe(how.mode)), callVoid(functions.noteTable, w.host, how.isLeaf));
}

const EVERYTHING = i32.const(7);

/** Start level and first table of stage 2; inconsistent settings are a translation fault at level 0. */
function stage2Start(w: Walk, ipa: I64): Code {
  const vtcr = register('VTCR_EL2');
  const sl0 = field32(vtcr, 7, 6);
  const tooMany = i32.gtS(i32.sub(w.inputBits, i32.wrap(w.shift)), i32.add(w.stride, i32.const(4)));
  return [
    setGranule(w, granule0(field32(vtcr, 15, 14))),
    set(w.inputBits, i32.sub(i32.const(64), field32(vtcr, 5, 0))),
    set(w.outBits, smaller(outputBits(smaller(field32(vtcr, 18, 16), paRange)), i32.const(48))),
    when(isSet(i64.shrU(ipa, i64.extendU(w.inputBits))), failFirst(2)),
    set(w.level, i32.sub(i32.select(i32.eq(w.granule, i32.const(12)), i32.const(2), i32.const(3)), sl0)),
    when(i32.ltS(w.level, ZERO), set(w.level, i32.const(3))),
    set(w.input, ipa),
    setFirstTable(w, register('VTTBR_EL2')),
    when(i32.or(tooMany, i32.leS(w.inputBits, i32.wrap(w.shift))), failFirst(2)),
    when(isTooLarge(w, w.table), fail(2, FaultType.addressSize, ZERO)),
    alignFirstTable(w),
  ];
}

/** Stage-2 execute permission: XN[1:0] with FEAT_XNX, else XN[1] alone. */
function stage2Execute(w: Walk, el: I32): I32 {
  const hasBoth = i32.ne(field32(core(layout.CORE_MMFR1), 31, 28), ZERO);
  const xn = i32.and(field32(w.entry, 54, 53), i32.select(hasBoth, i32.const(3), i32.const(2)));
  // 0 both levels, 1 EL0 only, 2 none, 3 EL1 only.
  return i32.or(i32.eqz(xn), i32.or(i32.and(i32.eq(xn, ONE), i32.eqz(el)), i32.and(i32.eq(xn, i32.const(3)), el)));
}

const REGIME_SHIFT = 40n;
const DEVICE_SHIFT = 6;
const LEVEL_SHIFT = 8;

/** Sets the results of stage 2 from a cache entry's information. */
function useStage2(entry: Local32, ipa: I64, el: I32): Code {
  const info = i32.load(entry, 16);
  return [
    put64(layout.WALK_PA, i64.or(i64.load(entry, 8), i64.and(ipa, c64(0xfffn)))),
    put32(layout.WALK_PERMISSION2, i32.and(i32.shrU(info, i32.mul(el, i32.const(3))), EVERYTHING)),
    put32(layout.WALK_DEVICE2, i32.and(i32.shrU(info, i32.const(DEVICE_SHIFT)), ONE)),
    put32(layout.WALK_LEVEL2, i32.shrU(info, i32.const(LEVEL_SHIFT))),
  ];
}

/** What a cache entry says of a leaf. */
function stage2Information(w: Walk): I32 {
  // S2AP 7:6 is write, read; MemAttr 3:2 of 5:2 zero is Device.
  const data = i32.or(bit32(w.entry, 6), i32.shl(bit32(w.entry, 7), ONE));
  const all = (el: I32): I32 => i32.or(data, i32.shl(stage2Execute(w, el), i32.const(2)));
  const isDevice = i64.eqz(field64(w.entry, 5, 4));
  return i32.or(i32.or(all(ZERO), i32.shl(all(ONE), i32.const(3))), i32.or(i32.shl(isDevice, i32.const(DEVICE_SHIFT)), i32.shl(w.level, i32.const(LEVEL_SHIFT))));
}

/** (IPA, EL, mode): stage 2. Gives 0, or 1 with the fault recorded. */
export function stage2Body(f: FunctionLocals, functions: WalkerFunctions): Code {
  const [ipa, el, mode] = [f.parameter64(0), f.parameter32(1), f.parameter32(2)];
  const w = walkLocals(f);
  const cached = f.local32();
  const tag = f.local64();
  const again = label('again');
  const place = i32.mul(i32.and(i32.wrap(i64.shrU(ipa, c64(12n))), i32.const(layout.STAGE2_COUNT - 1)), i32.const(layout.STAGE2_ENTRY_SIZE));
  return [
    put64(layout.WALK_PA, ipa), put32(layout.WALK_PERMISSION2, EVERYTHING), put32(layout.WALK_DEVICE2, ZERO), put32(layout.WALK_LEVEL2, ZERO),
    when(not32(bit32(register('HCR_EL2'), 0)), giveBack(ZERO)),
    set(cached, i32.add(place, i32.const(layout.STAGE2_CACHE))),
    set(tag, i64.or(i64.shrU(ipa, c64(12n)), i64.shl(i64.extendU(state32(layout.STATE_STAGE2_REGIME)), c64(REGIME_SHIFT)))),
    when(i64.eq(i64.load(cached), tag), [useStage2(cached, ipa, el), giveBack(ZERO)]),
    stage2Start(w, ipa),
    loop(again, [
      setEntryAddress(w),
      readEntry(w, 2, call32(functions.ramHost, w.entry)),
      descend(w, 2, again, { onValid: note(w, functions, { mode, isLeaf: ZERO }), onTable: [] }),
    ]),
    when(not32(bit32(w.entry, 10)), fail(2, FaultType.accessFlag, w.level)),
    // A probe notes no tables, so what it finds may not stay.
    i64.store(cached, i64.select(isProbe(mode), c64(0n), tag)), i64.store(cached, i64.and(w.table, c64(-4096n)), 8), i32.store(cached, stage2Information(w), 16),
    useStage2(cached, ipa, el),
    ZERO.code,
  ];
}

interface Stage1 {
  readonly va: Local64; readonly el: Local32; readonly mode: Local32; readonly w: Walk;
  readonly upper: Local32; readonly tables: Local32; readonly tsz: Local32; readonly tableWritable: Local32;
}

/** A bit of TCR_EL1 for the half of the address space: position for TTBR0, for TTBR1. */
const tcrBit = (s: Stage1, lower: number, upper: number): I32 => i32.select(s.upper, bit32(register('TCR_EL1'), upper), bit32(register('TCR_EL1'), lower));
const hasFeature = (address: number, high: number, low: number): I32 => i32.ne(field32(core(address), high, low), ZERO);

/** The top byte is ignored: TBI, and for fetches not TBID (which comes with pointer authentication). */
function ignoresTop(s: Stage1): I32 {
  const isFetch = i32.and(i32.shrU(s.mode, i32.const(2)), ONE);
  const hasTbid = i32.or(hasFeature(layout.CORE_ISAR1, 11, 4), hasFeature(layout.CORE_ISAR1, 31, 24));
  return i32.and(tcrBit(s, 37, 38), not32(i32.and(i32.and(isFetch, hasTbid), tcrBit(s, 51, 52))));
}

/** HCR_EL2.TIDCP: set by hypervisors, and clear where there is none. */
const HCR_TIDCP = 20;

/** Stage 1 off: the address is its own translation; data is Device unless HCR_EL2.DC. PAR_EL1.SH is then 0, as on the reference board. */
function flatStage1(s: Stage1, functions: WalkerFunctions): Code {
  const isCacheable = bit32(register('HCR_EL2'), 12);
  const isGuest = bit32(register('HCR_EL2'), HCR_TIDCP);
  const untranslated = i32.select(isGuest, i32.const(layout.DEVICE_UNTRANSLATED_GUEST), i32.const(layout.DEVICE_UNTRANSLATED));
  return [
    put64(layout.WALK_IPA, s.va), put32(layout.WALK_PERMISSION1, EVERYTHING), put32(layout.WALK_LEVEL1, ZERO), put32(layout.WALK_LEAF, ZERO),
    put32(layout.WALK_DEVICE1, i32.select(isCacheable, ZERO, untranslated)), put32(layout.WALK_GUARDED, ZERO),
    put32(layout.WALK_ATTRIBUTES, i32.select(isCacheable, i32.const(0xff), ZERO)), put32(layout.WALK_SHAREABILITY, ZERO),
    set(s.w.input, i64.select(ignoresTop(s), i64.and(s.va, ones(c64(56n))), s.va)),
    when(isSet(i64.shrU(s.w.input, i64.extendU(physicalBits))), fail(1, FaultType.addressSize, ZERO)),
    put64(layout.WALK_IPA, s.w.input),
    giveBack(call32(functions.stage2, s.w.input, s.el, s.mode)),
  ];
}

/** TnSZ against its limits; outside them is a level 0 translation fault. */
function checkSize(s: Stage1): Code {
  const { w, tsz } = s;
  const is64K = i32.eq(w.granule, i32.const(16));
  const largest = i32.select(hasFeature(layout.CORE_MMFR2, 31, 28), i32.sub(i32.const(48), is64K), i32.const(39));
  const canBe52 = i32.or(w.wide, i32.and(is64K, hasFeature(layout.CORE_MMFR2, 19, 16)));
  return when(i32.or(i32.gtU(tsz, largest), i32.ltU(tsz, i32.select(canBe52, i32.const(12), i32.const(16)))), failFirst(1));
}

/** DS counts if the core has 52-bit addresses with the granule (TGRAN4 = 1, TGRAN16 = 2). */
function setWide(w: Walk): Code {
  const mmfr0 = core(layout.CORE_MMFR0);
  const has = i32.select(i32.eq(w.granule, i32.const(12)), i32.eq(field32(mmfr0, 31, 28), ONE),
    i32.and(i32.eq(w.granule, i32.const(14)), i32.eq(field32(mmfr0, 23, 20), i32.const(2))));
  return set(w.wide, i32.and(has, bit32(register('TCR_EL1'), 59)));
}

/** Picks TTBR0 or TTBR1 by bit 55, checks the address and finds the first table. */
function stage1Start(s: Stage1): Code {
  const { va, w, upper, tsz } = s;
  const tcr = register('TCR_EL1');
  const pick = (one: I64, zero: I64): I64 => i64.select(upper, one, zero);
  const blocksEl0 = i32.and(hasFeature(layout.CORE_MMFR2, 63, 60), i32.and(tcrBit(s, 55, 56), i32.eqz(s.el)));
  const only48 = i32.and(not32(w.wide), i32.ne(w.granule, i32.const(16)));
  return [
    setGranule(w, i32.select(upper, granule1(field32(tcr, 31, 30)), granule0(field32(tcr, 15, 14)))),
    setWide(w),
    set(tsz, i32.wrap(pick(field64(tcr, 21, 16), field64(tcr, 5, 0)))),
    checkSize(s),
    set(w.inputBits, i32.sub(i32.const(64), tsz)),
    set(w.input, i64.select(ignoresTop(s), i64.shrS(i64.shl(va, c64(8n)), c64(8n)), va)),
    when(i64.ne(i64.shrS(w.input, i64.extendU(w.inputBits)), i64.sub(c64(0n), i64.extendU(upper))), failFirst(1)),
    when(i32.or(tcrBit(s, 7, 23), blocksEl0), failFirst(1)),
    set(w.outBits, outputBits(smaller(field32(tcr, 34, 32), paRange))),
    when(i32.and(only48, i32.gtU(w.outBits, i32.const(48))), set(w.outBits, i32.const(48))),
    set(w.level, i32.sub(i32.const(4), i32.divU(i32.sub(w.inputBits, i32.const(4)), w.stride))),
    setFirstTable(w, pick(register('TTBR1_EL1'), register('TTBR0_EL1'))),
    when(isTooLarge(w, w.table), fail(1, FaultType.addressSize, ZERO)),
    alignFirstTable(w),
  ];
}

/** Finds the descriptor's place through stage 2; it must be readable there. */
function locateEntry(s: Stage1, functions: WalkerFunctions): Code {
  const { w } = s;
  const hidden = (condition: I32): Code => when(condition, [put32(layout.WALK_S1PTW, ONE), fail(2, FaultType.permission, state32(layout.WALK_LEVEL2))]);
  return [
    setEntryAddress(w),
    put64(layout.WALK_IPA, w.entry), put32(layout.WALK_LEVEL1, w.level),
    when(call32(functions.stage2, w.entry, s.el, s.mode), [put32(layout.WALK_S1PTW, ONE), giveBack(ONE)]),
    hidden(not32(i32.and(state32(layout.WALK_PERMISSION2), ONE))),
    // HCR_EL2.PTW: tables in Device memory are a fault.
    hidden(i32.and(bit32(register('HCR_EL2'), 2), state32(layout.WALK_DEVICE2))),
    set(s.tableWritable, i32.and(state32(layout.WALK_PERMISSION2), i32.const(2))),
    readEntry(w, 1, call32(functions.ramHost, i64.load(ZERO, layout.WALK_PA))),
  ];
}

/** Access flag and dirty state: works out what the walker would make of the leaf. */
function manageLeaf(s: Stage1): Code {
  const { w } = s;
  const tcr = register('TCR_EL1');
  const level = field32(core(layout.CORE_MMFR1), 3, 0);
  const managesAccess = i32.and(bit32(tcr, 39), i32.ne(level, ZERO));
  const managesDirty = i32.and(i32.and(managesAccess, bit32(tcr, 40)), i32.geU(level, i32.const(2)));
  const isWrite = i32.and(i32.shrU(s.mode, ONE), ONE);
  return [
    set(w.updated, w.entry),
    when(not32(bit32(w.entry, 10)), when(managesAccess, set(w.updated, i64.or(w.updated, c64(1n << 10n))), fail(1, FaultType.accessFlag, w.level))),
    when(i32.and(i32.and(managesDirty, isWrite), bit32(w.entry, 51)), set(w.updated, i64.and(w.updated, c64(~(1n << 7n))))),
  ];
}

/** Permissions of a stage-1 leaf for the exception level (Arm ARM D8.4). */
function stage1Permissions({ el, w, tables }: Stage1): Code {
  const sctlr = register('SCTLR_EL1');
  const inTables = (position: number): I32 => i32.and(i32.shrU(tables, i32.const(position)), ONE);
  const userAccess = i32.and(bit32(w.updated, 6), not32(inTables(0)));
  const writable = not32(i32.or(bit32(w.updated, 7), inTables(1)));
  const wxn = i32.and(bit32(sctlr, 19), writable);
  const userExecute = not32(i32.or(i32.or(bit32(w.entry, 54), inTables(3)), i32.and(wxn, userAccess)));
  const kernelExecute = not32(i32.or(i32.or(bit32(w.entry, 53), inTables(2)), i32.or(i32.and(userAccess, writable), wxn)));
  const pan = i32.and(i32.shrU(state32(layout.SLOT_PSTATE_REST), i32.const(22)), ONE);
  // EPAN: pages that EL0 may only execute are out of bounds too. WXN does not count here.
  const hasEpan = i32.and(bit32(sctlr, 57), i32.geU(field32(core(layout.CORE_MMFR1), 23, 20), i32.const(3)));
  const userExecuteOnly = i32.and(hasEpan, not32(i32.or(bit32(w.entry, 54), inTables(3))));
  const kernelData = not32(i32.and(pan, i32.or(userAccess, userExecuteOnly)));
  const combine = (read: I32, write: I32, execute: I32): I32 => i32.or(i32.or(read, i32.shl(write, ONE)), i32.shl(execute, i32.const(2)));
  return put32(layout.WALK_PERMISSION1, i32.select(
    el, combine(kernelData, i32.and(writable, kernelData), kernelExecute), combine(userAccess, i32.and(userAccess, writable), userExecute)));
}

/** Memory type, shareability, guarded page, and whether the leaf maps just one 4 KiB page. */
function stage1Attributes(s: Stage1): Code {
  const { w } = s;
  const attributes = state32(layout.WALK_ATTRIBUTES);
  const tcr = register('TCR_EL1');
  const shareability = i32.select(w.wide, i32.select(s.upper, field32(tcr, 29, 28), field32(tcr, 13, 12)), field32(w.entry, 9, 8));
  // Device and Normal Non-cacheable memory are Outer Shareable whatever the descriptor says.
  const isOuter = i32.or(i32.eqz(i32.and(attributes, i32.const(0xf0))), i32.eq(attributes, i32.const(0x44)));
  const mair = i64.shrU(register('MAIR_EL1'), i64.shl(field64(w.entry, 4, 2), c64(3n)));
  return [
    put32(layout.WALK_ATTRIBUTES, field32(mair, 7, 0)),
    put32(layout.WALK_DEVICE1, i32.eqz(i32.and(attributes, i32.const(0xf0)))),
    put32(layout.WALK_SHAREABILITY, i32.select(i32.and(isOuter, state32(layout.STATE_DEVICE_RULES)), i32.const(2), shareability)),
    put32(layout.WALK_GUARDED, bit32(w.entry, 50)),
    put32(layout.WALK_LEAF, i32.select(i64.eq(w.shift, c64(12n)), w.host, ZERO)),
  ];
}

/** Writes the descriptor if the access is permitted and its flags are to change. */
function updateLeaf(s: Stage1, functions: WalkerFunctions): Code {
  const { w, mode } = s;
  const needed = i32.and(mode, EVERYTHING);
  const isPermitted = i32.eq(i32.and(state32(layout.WALK_PERMISSION1), needed), needed);
  return when(i32.and(i64.ne(w.updated, w.entry), i32.and(isPermitted, not32(isProbe(mode)))), [
    when(not32(s.tableWritable), [
      put32(layout.WALK_S1PTW, ONE), put32(layout.WALK_UPDATE, ONE), fail(2, FaultType.permission, state32(layout.WALK_LEVEL2)),
    ]),
    callVoid(functions.updateDescriptor, w.host, w.updated),
    giveBack(call32(functions.walk, s.va, s.el, mode)),
  ]);
}

/** (VA, EL, mode): stage 1 and 2, VA to PA. Gives 0, or 1 with the fault recorded. */
export function walkBody(f: FunctionLocals, functions: WalkerFunctions): Code {
  const s: Stage1 = {
    va: f.parameter64(0), el: f.parameter32(1), mode: f.parameter32(2), w: walkLocals(f),
    upper: f.local32(), tables: f.local32(), tsz: f.local32(), tableWritable: f.local32(),
  };
  const { va, w, tables } = s;
  const again = label('again');
  // APTable, PXNTable, UXNTable gather in bits: 0 no EL0 access, 1 read-only, 2 PXN, 3 UXN. HPD turns them off.
  const disabled = i32.and(hasFeature(layout.CORE_MMFR1, 15, 12), tcrBit(s, 41, 42));
  const gather = when(not32(disabled), set(tables, i32.or(tables, i32.or(
    field32(w.entry, 62, 61), i32.or(i32.shl(bit32(w.entry, 59), i32.const(2)), i32.shl(bit32(w.entry, 60), i32.const(3)))))));
  const isLeaf = i64.eq(w.shift, c64(12n));
  return [
    put32(layout.WALK_S1PTW, ZERO), put32(layout.WALK_UPDATE, ZERO),
    put32(layout.COUNT_WALKS, i32.add(state32(layout.COUNT_WALKS), ONE)),
    when(i32.geU(state32(layout.STATE_TABLE_COUNT), i32.const(layout.TABLE_COUNT_MAX - TABLES_PER_WALK)), when(not32(isProbe(s.mode)), callVoid(functions.forgetAll))),
    set(s.upper, bit32(va, 55)),
    when(i32.or(not32(bit32(register('SCTLR_EL1'), 0)), bit32(register('HCR_EL2'), 12)), flatStage1(s, functions)),
    stage1Start(s),
    loop(again, [
      locateEntry(s, functions),
      descend(w, 1, again, { onValid: note(w, functions, { mode: s.mode, isLeaf }), onTable: gather }),
    ]),
    put64(layout.WALK_IPA, w.table), put32(layout.WALK_LEVEL1, w.level),
    manageLeaf(s),
    stage1Permissions(s),
    stage1Attributes(s),
    updateLeaf(s, functions),
    giveBack(call32(functions.stage2, w.table, s.el, s.mode)),
    UNREACHABLE,
  ];
}
