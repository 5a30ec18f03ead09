/**
 * Debug that the guest does to itself: software step, hardware breakpoints, hardware watchpoints, OS lock. Independent of our own
 * debugger, whose breakpoints and watchpoints the guest never sees.
 *
 * What is turned on stands in flags in the vCPU's block, so that code that runs undebugged pays one look at a word per entry.
 * Not here: external debug and the communication channel, to which nothing is connected.
 * Arm ARM (DDI 0487) D2 (self-hosted debug), D19.3 (registers).
 */

import type { SystemRegister } from '../isa/interface';
import { ExceptionClass, syndrome } from './exceptions';
import * as layout from './layout';
import { ACCESS_WRITE, GUEST_WATCH_HIT, GUEST_WATCH_NONE, GUEST_WATCH_PAGE, SIZE_MASK } from './mmu';
import type { ProcessorState } from './processor-state';
import type { TranslationCache } from './translation-cache';

/** Flags of `SLOT_DEBUG`. */
export const DebugFlag = {
  /** MDSCR_EL1.SS, unlocked. */
  step: 1,
  /** Some breakpoint is enabled, unlocked. */
  breakpoints: 2,
  /** Some watchpoint is enabled, unlocked. */
  watchpoints: 4,
  /** An instruction was stepped, and the exception for it is to come. */
  stepped: 8,
  /** That instruction was a load-exclusive. */
  steppedExclusive: 16,
} as const;

const BREAKPOINT_COUNT = 6;
const WATCHPOINT_COUNT = 4;
const MDSCR_SS = 1;
const MDSCR_KDE = 1 << 13;
const MDSCR_MDE = 1 << 15;
/** ERR, TDA, INTdis, TXU, RXO, TXfull, RXfull: for restoring an external debugger's state under the OS lock. */
const MDSCR_UNDER_LOCK = 0x6ce0_0040n;
/** Registers that QEMU keeps as they are written. */
const KEPT_WHOLE = /^(DBG[BW][CV]R\d+|MDSCR)_EL1$/;
const KEPT_WHOLE_BITS = 0xffff_ffff_ffff_ffffn;
const OSLSR_MODEL = 8n;
const OSLSR_LOCKED = 2n;
const PSTATE_SS = 1 << 21;
const PSTATE_D = 0x200;
/** IFSC and DFSC of every debug exception. */
const DEBUG_EVENT = 0x22;
const ISS_STEP_VALID = 1 << 24;
const ISS_STEP_EXCLUSIVE = 1 << 6;
const ISS_WRITE = 1 << 6;
/** Bits of an address that breakpoints and watchpoints compare. */
const ADDRESS_BITS = 49;
const LEVEL_BITS = { el1: 1, el0: 2 } as const;

const controlField = (control: bigint, high: number, low: number): number => Number((control >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n));

/** What the guest does on one vCPU that is the current one. */
export class SelfHostedDebug {
  private readonly state: ProcessorState;
  private readonly translations: TranslationCache;
  private readonly breakpointsChanged: () => void;
  private readonly keepsAll: boolean;
  /** Where the last watchpoint was hit. */
  hitAddress = 0n;

  /** `keepsAll`: registers hold what is written, reserved bits included. */
  constructor(state: ProcessorState, translations: TranslationCache, breakpointsChanged: () => void, keepsAll = false) {
    this.keepsAll = keepsAll;
    this.state = state;
    this.translations = translations;
    this.breakpointsChanged = breakpointsChanged;
  }

  /** MSR of a debug register. */
  write(row: SystemRegister, value: bigint): void {
    const { state } = this;
    switch (row.name) {
      case 'OSLAR_EL1': state.setSystem('OSLSR_EL1', OSLSR_MODEL | ((value & 1n) << 1n)); break;
      case 'DBGCLAIMSET_EL1': state.setSystem('DBGCLAIMCLR_EL1', state.system('DBGCLAIMCLR_EL1') | (value & row.writeMask)); break;
      case 'DBGCLAIMCLR_EL1': state.setSystem('DBGCLAIMCLR_EL1', state.system('DBGCLAIMCLR_EL1') & ~value); break;
      default: state.setSystem(row.name, this.settled(row, value));
    }
    this.refresh();
  }

  /** What a write leaves in a plain register. */
  private settled(row: SystemRegister, value: bigint): bigint {
    const { state } = this;
        const locked = (state.system('OSLSR_EL1') & OSLSR_LOCKED) !== 0n;
    const mask = this.keepsAll && KEPT_WHOLE.test(row.name) ? KEPT_WHOLE_BITS : row.name === 'MDSCR_EL1' && locked ? row.writeMask | MDSCR_UNDER_LOCK : row.writeMask;
    const changed = (state.system(row.name) & ~mask) | (value & mask);
    if (row.name.startsWith('DBGBCR')) {
      // Addresses are compared by halfwords: the odd bits of BAS follow the even ones.
      const bas = changed & 0xa0n;
      return (changed & ~0x1e0n) | bas | (bas << 1n);
    }
    if (this.keepsAll) return row.name.startsWith('DBGWVR') ? changed & ~3n : changed;
    // The top bits follow the highest bit of the address that is compared.
    return /^DBG[BW]VR/.test(row.name) && !this.comparesContext(row.name) ? BigInt.asUintN(64, BigInt.asIntN(ADDRESS_BITS, changed)) : changed;
  }

  /** True for the value register of a breakpoint that compares CONTEXTIDR_EL1. */
  private comparesContext(name: string): boolean {
    return name.startsWith('DBGBVR') && (this.state.system(name.replace('BVR', 'BCR')) & (1n << 21n)) !== 0n;
  }

  /** Works out the flags anew, after anything here has changed. */
  refresh(): void {
    const { state } = this;
    const before = state.word(layout.SLOT_DEBUG);
    const flags = this.isLocked() ? 0 : this.enabledFlags();
    state.setWord(layout.SLOT_DEBUG, flags | (before & (DebugFlag.stepped | DebugFlag.steppedExclusive)));
    if (((flags | before) & DebugFlag.breakpoints) !== 0) this.breakpointsChanged();
    if (((flags | before) & DebugFlag.watchpoints) !== 0) this.watchpointsChanged();
  }

  /** Translations that know nothing of the watched bytes are for vCPUs that watch others, or none. */
  private watchpointsChanged(): void {
    const { state } = this;
    let digest = 0;
    if ((state.word(layout.SLOT_DEBUG) & DebugFlag.watchpoints) !== 0) {
      const values = Array.from({ length: WATCHPOINT_COUNT }, (_, n) => [state.system(`DBGWCR${n}_EL1`), state.system(`DBGWVR${n}_EL1`)]).flat();
      for (const value of values) digest = Math.imul(digest ^ Number(value & 0xffff_ffffn) ^ Math.imul(Number(value >> 32n), 0x9e37), 0x0100_0193) + 1;
      digest |= 1;
    }
    state.setWord(layout.SLOT_WATCH_SET, digest);
    this.translations.select();
  }

  private isLocked(): boolean {
    const { state } = this;
    const isDoubleLocked = (state.system('OSDLR_EL1') & 1n) !== 0n && (state.system('DBGPRCR_EL1') & 1n) === 0n;
    return isDoubleLocked || (state.system('OSLSR_EL1') & OSLSR_LOCKED) !== 0n;
  }

  private enabledFlags(): number {
    const { state } = this;
    const control = Number(state.system('MDSCR_EL1') & 0xffff_ffffn);
    const step = (control & MDSCR_SS) === 0 ? 0 : DebugFlag.step;
    if ((control & MDSCR_MDE) === 0) return step;
    const isAnyOn = (prefix: string, count: number): boolean => Array.from({ length: count }, (_, n) => state.system(`${prefix}${n}_EL1`)).some((value) => (value & 1n) !== 0n);
    return step | (isAnyOn('DBGBCR', BREAKPOINT_COUNT) ? DebugFlag.breakpoints : 0) | (isAnyOn('DBGWCR', WATCHPOINT_COUNT) ? DebugFlag.watchpoints : 0);
  }

  /** Arm ARM: AArch64.GenerateDebugExceptionsFrom, locks apart. From EL1 the guest must want it. */
  private isEnabledFrom(el: number, daif: number): boolean {
    if (el === 0) return true;
    return (Number(this.state.system('MDSCR_EL1') & 0xffff_ffffn) & MDSCR_KDE) !== 0 && (daif & PSTATE_D) === 0;
  }

  /** Offsets in a page at which enabled address breakpoints stand. */
  breakpointOffsets(): readonly number[] {
    if ((this.state.word(layout.SLOT_DEBUG) & DebugFlag.breakpoints) === 0) return [];
    return Array.from({ length: BREAKPOINT_COUNT }, (_, n) => n)
      .filter((n) => (this.state.system(`DBGBCR${n}_EL1`) & 1n) !== 0n)
      .map((n) => Number(this.state.system(`DBGBVR${n}_EL1`) & 0xffcn));
  }

  /** The software step exception that is due before the next instruction, as ESR. */
  pendingStep(): bigint | undefined {
    const { state } = this;
    const flags = state.word(layout.SLOT_DEBUG);
    if ((flags & DebugFlag.step) === 0 || this.isStepping() || !this.isEnabledFrom(state.el, state.daif)) return undefined;
    state.setWord(layout.SLOT_DEBUG, flags & ~(DebugFlag.stepped | DebugFlag.steppedExclusive));
    const valid = (flags & DebugFlag.stepped) === 0 ? 0 : ISS_STEP_VALID | ((flags & DebugFlag.steppedExclusive) === 0 ? 0 : ISS_STEP_EXCLUSIVE);
    return syndrome(state.el === 0 ? ExceptionClass.softwareStepLower : ExceptionClass.softwareStepSame, valid | DEBUG_EVENT);
  }

  /** True if the next instruction is the one to step (PSTATE.SS). */
  isStepping(): boolean {
    return (this.state.word(layout.SLOT_PSTATE_REST) & PSTATE_SS) !== 0;
  }

  /** An exception is taken or returned from: what was stepped before is history. */
  forgetStep(): void {
    const { state } = this;
    state.setWord(layout.SLOT_DEBUG, state.word(layout.SLOT_DEBUG) & ~(DebugFlag.stepped | DebugFlag.steppedExclusive));
  }

  /** An instruction has retired (Arm ARM: SSAdvance). */
  advance(isLoadExclusive: boolean): void {
    const { state } = this;
    const flags = state.word(layout.SLOT_DEBUG);
    if ((flags & DebugFlag.step) === 0 || !this.isStepping()) return;
    state.setWord(layout.SLOT_PSTATE_REST, state.word(layout.SLOT_PSTATE_REST) & ~PSTATE_SS);
    state.setWord(layout.SLOT_DEBUG, flags | DebugFlag.stepped | (isLoadExclusive ? DebugFlag.steppedExclusive : 0));
  }

  /** PSTATE.SS after an exception return (Arm ARM: DebugExceptionReturnSS). Called before PSTATE changes. */
  steps(saved: bigint, destination: number): boolean {
    const { state } = this;
    if ((state.word(layout.SLOT_DEBUG) & DebugFlag.step) === 0 || (saved & BigInt(PSTATE_SS)) === 0n) return false;
    return !this.isEnabledFrom(state.el, state.daif) && this.isEnabledFrom(destination, Number(saved & 0x3c0n));
  }

  /** The breakpoint exception that is due at the PC, as ESR. */
  breakpointAt(pc: bigint): bigint | undefined {
    const { state } = this;
    if ((state.word(layout.SLOT_DEBUG) & DebugFlag.breakpoints) === 0 || !this.isEnabledFrom(state.el, state.daif)) return undefined;
    for (let n = 0; n < BREAKPOINT_COUNT; n++) {
      if (this.breakpointMatches(n, pc)) return syndrome(state.el === 0 ? ExceptionClass.breakpointLower : ExceptionClass.breakpointSame, DEBUG_EVENT);
    }
    return undefined;
  }

  private breakpointMatches(n: number, pc: bigint): boolean {
    const { state } = this;
    const control = state.system(`DBGBCR${n}_EL1`);
    if ((control & 1n) === 0n || !this.levelMatches(control, state.el)) return false;
    const value = state.system(`DBGBVR${n}_EL1`);
    switch (controlField(control, 23, 20)) {
      case 0: return this.addressMatches(control, value, pc);
      case 1: return this.addressMatches(control, value, pc) && this.linkMatches(control);
      case 2: case 6: return this.contextMatches(value);
      default: return false;
    }
  }

  private addressMatches(control: bigint, value: bigint, pc: bigint): boolean {
    return (controlField(control, 8, 5) & 3) === 3 && BigInt.asIntN(ADDRESS_BITS, value & ~3n) === BigInt.asIntN(ADDRESS_BITS, pc);
  }

  private contextMatches(value: bigint): boolean {
    return (value & 0xffff_ffffn) === (this.state.system('CONTEXTIDR_EL1') & 0xffff_ffffn);
  }

  /** True if the breakpoint that another is linked to compares the context, is enabled, and matches. */
  private linkMatches(control: bigint): boolean {
    const n = controlField(control, 19, 16);
    // Only the last two compare contexts.
    if (n < BREAKPOINT_COUNT - 2 || n >= BREAKPOINT_COUNT) return false;
    const linked = this.state.system(`DBGBCR${n}_EL1`);
    const type = controlField(linked, 23, 20);
    return (linked & 1n) !== 0n && (type === 3 || type === 7) && this.contextMatches(this.state.system(`DBGBVR${n}_EL1`));
  }

  /** PMC or PAC, HMC and SSC, on a core without the Secure state. */
  private levelMatches(control: bigint, el: number): boolean {
    const isForSecureOnly = controlField(control, 15, 14) === 2;
    return !isForSecureOnly && (controlField(control, 2, 1) & (el === 0 ? LEVEL_BITS.el0 : LEVEL_BITS.el1)) !== 0;
  }

  /** What generated code is told about an access; `info` as in mmu.ts. */
  watchAnswer(address: bigint, info: number, el: number): number {
    const outcome = this.watch({ address, sizeBytes: info & SIZE_MASK, isWrite: (info & ACCESS_WRITE) !== 0, el });
    return outcome === 'hit' ? GUEST_WATCH_HIT : outcome === 'page' ? GUEST_WATCH_PAGE : GUEST_WATCH_NONE;
  }

  /** Whether an access hits a watchpoint, or is at least on a page with a watched byte. */
  private watch(access: { readonly address: bigint; readonly sizeBytes: number; readonly isWrite: boolean; readonly el: number }): 'none' | 'page' | 'hit' {
    const { state } = this;
    let found: 'none' | 'page' = 'none';
    for (let n = 0; n < WATCHPOINT_COUNT; n++) {
      const control = state.system(`DBGWCR${n}_EL1`);
      if ((control & 1n) === 0n) continue;
      const [first, last] = watchedRange(control, state.system(`DBGWVR${n}_EL1`));
      const address = BigInt.asUintN(64, BigInt.asIntN(ADDRESS_BITS, access.address));
      if (first >> 12n <= address >> 12n && address >> 12n <= last >> 12n) found = 'page';
      const isAccess = (controlField(control, 4, 3) & (access.isWrite ? 2 : 1)) !== 0;
      if (!isAccess || !this.levelMatches(control, access.el) || !this.isEnabledFrom(state.el, state.daif)) continue;
      const hit = firstWatchedByte(control, first, { from: address, to: address + BigInt(access.sizeBytes) });
      if (hit === undefined || hit > last || (controlField(control, 20, 20) === 1 && !this.linkMatches(control))) continue;
      this.hitAddress = access.address + (hit - address);
      return 'hit';
    }
    return found;
  }

  /** ESR of the watchpoint exception. */
  watchpointSyndrome(isWrite: boolean): bigint {
    const { el } = this.state;
    return syndrome(el === 0 ? ExceptionClass.watchpointLower : ExceptionClass.watchpointSame, (isWrite ? ISS_WRITE : 0) | DEBUG_EVENT);
  }
}

/** The addresses among which a watchpoint's bytes lie, first and last. */
function watchedRange(control: bigint, register: bigint): readonly [bigint, bigint] {
  const value = BigInt.asUintN(64, BigInt.asIntN(ADDRESS_BITS, register)) & ~3n;
  const mask = controlField(control, 28, 24);
  // With bit 2 of the address set, only the upper word's four bytes can be selected, by BAS[3:0].
  if (mask < 3) return [value & ~3n, value | ((value & 4n) === 0n ? 7n : 3n)];
  const size = 1n << BigInt(mask);
  return [value & ~(size - 1n), value | (size - 1n)];
}

/** The first watched byte that an access touches. */
function firstWatchedByte(control: bigint, first: bigint, { from, to }: { readonly from: bigint; readonly to: bigint }): bigint | undefined {
  const start = from > first ? from : first;
  if (controlField(control, 28, 24) >= 3) return start < to ? start : undefined;
  const select = controlField(control, 12, 5);
  for (let at = start; at < to && at < first + 8n; at++) if (((select >> Number(at - first)) & 1) === 1) return at;
  return undefined;
}
