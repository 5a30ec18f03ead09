/**
 * The run loop: enters generated code, and deals with everything that leaves it. Each reason to leave either changes the
 * vCPU and goes on, or becomes an `Exit`.
 */

import { assert, present } from '../base/assert';
import { ipa, pa, va, type Ipa, type Va } from '../base/brands';
import type { Fields } from '../isa/interface';
import { CodeCache } from './code-cache';
import { writeConstantTables } from './constant-tables';
import { storeIdentification } from './core-identification';
import { createCore, type Core } from './core-module';
import { transferByParts } from './device-transfers';
import { decodeOnce, type FeatureTest } from './decode-cache';
import { dataAbort, enterEl1, ExceptionClass, exceptionReturn, faultStatus, instructionAbort, returnsToAarch32, stateFeatures, syndrome, type StateFeatures } from './exceptions';
import { floatingPointTrap, scalableTrap, undecodedTrap } from './extension-traps';
import { countFault, faultLoopExit } from './fault-loop';
import { finishLoad, finishLoadUncut, guestAccess, isLoadExclusive, isReadModifyWrite, simpleAccess } from './guest-access';
import { branchAddress, branchTargetFault, takeBranch, type BranchContext } from './indirect-branches';
import type { Engine, EngineOptions, ExceptionKind, Exit, FaultKind, RunOptions, RunResult, Translation, Vcpu, Watchpoint } from './interface';
import { PAGE_SIZE } from './interface';
import type { Tier } from './interpreter';
import * as layout from './layout';
import { ExitCode, WalkMode } from './layout';
import { EngineMemory } from './physical-memory';
import { ProcessorState } from './processor-state';
import { DebugFlag, SelfHostedDebug } from './self-hosted-debug';
import { field } from './semantics/lowering';
import { moveImmediate, moveSystemRegister, systemInstruction, type SystemContext, type SystemOutcome } from './system-access';
import { TranslationCache } from './translation-cache';
import { EngineVcpu } from './vcpu';
import { Views } from './views';
import { createMemory } from './wasm/host';
import { Watchpoints } from './watchpoints';

/** The host's compiler keeps trying to replace code that never returns; short entries let it succeed. */
const ENTRY_INSTRUCTIONS_MAX = 2_000_000;
/** Below this tier 1 would come back at once. */
const FAST_INSTRUCTIONS_MIN = 2048;
const WASM_PAGE = 65536;
const FAULT_KINDS: readonly FaultKind[] = ['translation', 'access-flag', 'permission', 'address-size', 'external'];
/** Cortex-A57. */
const CACHE_SIZES_DEFAULT = [0x701f_e00an, 0x201f_e012n, 0x70ff_e07an];
const NO_EXCEPTIONS = { exceptionClasses: 0n, irq: false, fiq: false, serror: false };

/** Numbers of hints. */
const WFE = 2;
const WFI = 3;

/** See `Engine`. */
export class WasmEngine implements Engine {
  readonly memory: EngineMemory;
  private readonly views: Views;
  private readonly core: Core;
  private readonly translations: TranslationCache;
  private readonly code: CodeCache;
  private readonly has: FeatureTest;
  private readonly watchpoints = new Watchpoints();
  private readonly vcpus: readonly EngineVcpu[];
  private readonly system: SystemContext;
  private readonly branches: BranchContext;
  private current = 0;
  private tier: Tier = 'fast';
  private readonly debug: SelfHostedDebug;
  private readonly stateFeatures: StateFeatures;
  private breakpoints = new Set<bigint>();
  /** Set when breakpoints of the debugger or of a guest have changed: marks are made anew before the next run. */
  private marksAreStale = false;
  private reported: Parameters<Engine['reportExceptions']>[0] = NO_EXCEPTIONS;
  private tickNow = 0;
  private retired = 0;
  /** How much of `retired` the vCPU's counts hold already. */
  private charged = 0;
  private budget = 0;
  /** The word that the vCPU stopped at: an exit needs it, and completing the exit again. Forgotten whenever anything runs. */
  private knownWord = 0;
  private knownWordPc = 0n;
  private wordIsKnown = false;

  constructor(options: EngineOptions) {
    assert(options.vcpuCountMax >= 1 && options.vcpuCountMax <= layout.VCPU_COUNT_MAX, 'vCPU count');
    const ramBytes = options.ram.reduce((sum, range) => sum + range.sizeBytes, 0);
    const memory = createMemory(Math.ceil((layout.RAM + ramBytes) / WASM_PAGE) * WASM_PAGE);
    this.views = new Views(memory);
    this.core = createCore(memory, {
      decode: (microOp) => { this.code.decodeAt(microOp); },
      watch: (host, sizeBytes, isWrite) => { this.noteGuestAccess(host, sizeBytes, isWrite !== 0); },
      watchGuest: (address, info, el) => this.debug.watchAnswer(address, info, el),
    });
    this.translations = new TranslationCache(this.views, this.core);
    const { features } = options;
    this.has = features === undefined ? (feature): boolean => feature !== 'QEMU' : (feature): boolean => features.has(feature);
    this.views.setWord(layout.STATE_DEVICE_RULES, this.has('QEMU') ? 0 : -1);
    this.code = new CodeCache(this.views, this.translations, this.has);
    this.memory = new EngineMemory(options.ram, {
      views: this.views, core: this.core, translations: this.translations,
      observe: (host, sizeBytes) => { this.watchpoints.note(this.memory.physicalOf(host), sizeBytes, true); },
    });
    this.views.setLong(layout.STATE_COUNTER_SHIFT, BigInt(options.counterShift));
    writeConstantTables(this.views);
    storeIdentification(this.views, options.identification);
    this.vcpus = Array.from({ length: options.vcpuCountMax }, (_, index) => this.createVcpu(index));
    const state = new ProcessorState(this.views, 0);
    this.stateFeatures = stateFeatures(this.has);
    this.debug = new SelfHostedDebug(state, this.translations, () => { this.marksAreStale = true; }, this.has('QEMU'));
    this.system = {
      state, views: this.views, core: this.core, translations: this.translations, debug: this.debug, has: this.has,
      cacheSizes: options.cacheSizes ?? CACHE_SIZES_DEFAULT, highestLevel: options.highestLevel ?? 2,
      tick: () => this.tickNow + this.retired,
    };
    this.branches = {
      state: this.system.state, views: this.views, core: this.core, memory: this.memory, has: this.has, retired: () => { this.countRetired(); },
      undefinedInstruction: () => this.undefinedInstruction(), returnFromException: () => this.returnFromException(),
    };
    this.translations.select();
  }

  vcpu(index: number): Vcpu {
    return present(this.vcpus[index], 'vCPU index');
  }

  run(vcpu: number, options: RunOptions): RunResult {
    this.select(vcpu);
    this.translations.select();
    this.tickNow = options.tickNow;
    this.budget = options.budget;
    this.retired = 0;
    this.charged = 0;
    if (this.marksAreStale) this.renewMarks();
    const result = this.runEntries(options);
    this.charge();
    return result;
  }

  private runEntries(options: RunOptions): RunResult {
    const hostHit = this.watchpointExit(this.state.pc);
    if (hostHit !== undefined) return { retired: 0, exit: hostHit };
    let skipBreakpoint = options.resume === true;
    const entriesMax = options.entriesMax ?? Number.POSITIVE_INFINITY;
    for (let entries = 0; entries < entriesMax; entries++) {
      const exit = this.step(skipBreakpoint);
      if (exit !== undefined) return { retired: this.retired, exit };
      if (this.retired > 0) skipBreakpoint = false;
    }
    return { retired: this.retired, exit: { reason: 'budget' } };
  }

  /** Adds what has retired since the last time to the count of the current exception level. */
  private charge(): void {
    const slot = layout.SLOT_RETIRED + this.state.el * 8;
    this.state.setCount(slot, this.state.count(slot) + this.retired - this.charged);
    this.charged = this.retired;
  }

  /** One entry of generated code with what precedes and follows it. */
  private step(skipBreakpoint: boolean): Exit | undefined {
    if (this.retired >= this.budget) return { reason: 'budget' };
    const loop = faultLoopExit(this.state);
    if (loop !== undefined) return loop;
    const isDebugged = this.state.word(layout.SLOT_DEBUG) !== 0;
    const event = isDebugged ? this.debug.pendingStep() : undefined;
    if (event !== undefined) return this.synchronous(event);
    const interrupt = this.pendingInterrupt();
    if (interrupt !== undefined) return this.takeException(interrupt, this.reported[interrupt]);
    if (this.state.isIllegal) return this.synchronous(syndrome(ExceptionClass.illegalState, 0));
    if (isDebugged) return this.stepDebugged(skipBreakpoint);
    const landing = this.state.btype === 0 ? undefined : branchTargetFault(this.branches);
    if (landing !== undefined) return this.synchronous(landing);
    return this.leave(skipBreakpoint ? this.enterOnce() : this.enter(this.budget - this.retired));
  }

  /** The same where the guest debugs itself: its breakpoint at the PC, and the one instruction that it steps. */
  private stepDebugged(skipBreakpoint: boolean): Exit | undefined {
    const { state, debug } = this;
    // Our own breakpoint at the same place is seen first.
    const event = skipBreakpoint || !this.breakpoints.has(state.pc) ? debug.breakpointAt(state.pc) : undefined;
    if (event !== undefined) return this.synchronous(event);
    const isStepping = (state.word(layout.SLOT_DEBUG) & DebugFlag.step) !== 0 && debug.isStepping();
    if (!isStepping) return this.leave(skipBreakpoint ? this.enterOnce() : this.enter(this.budget - this.retired));
    const before = this.retired;
    const isExclusive = isLoadExclusive(this.wordAtPc());
    const code = skipBreakpoint ? this.enterOnce() : this.enter(1);
    if (this.retired > before) debug.advance(isExclusive);
    return this.leave(code);
  }

  /** Runs generated code for at most `count` instructions; gives its exit code. */
  private enter(count: number): number {
    const { views } = this;
    this.wordIsKnown = false;
    const chunk = Math.min(count, ENTRY_INSTRUCTIONS_MAX);
    const isFast = this.tier === 'fast' && chunk >= FAST_INSTRUCTIONS_MIN && this.watchpoints.isEmpty;
    views.setWord(layout.STATE_LEFT, chunk * layout.MICRO_OP_SIZE);
    views.setLong(layout.STATE_TICK_END, BigInt(this.tickNow + this.retired + chunk));
    views.setWord(layout.STATE_STOP, 0);
    views.setWord(layout.STATE_CUT, 0);
    const code = isFast ? this.core.fast() : this.core.exact();
    const done = chunk - views.word(layout.STATE_LEFT) / layout.MICRO_OP_SIZE;
    this.retired += done;
    if (done > 0) this.state.setWord(layout.SLOT_STALLED, 0);
    return code;
  }

  /** Runs one instruction with the mark on its micro-op taken away. */
  private enterOnce(): number {
    const page = this.fetchPage();
    const microOp = page === undefined ? undefined : this.code.microOpAt(page, Number(this.state.pc & 0xfffn));
    if (microOp === undefined) return this.enter(1);
    // Decoding would set the mark again.
    if (this.views.half(microOp) === 0) this.code.decodeAt(microOp);
    const wasMarked = this.code.unmark(microOp);
    const code = this.enter(1);
    if (wasMarked) this.code.mark(microOp);
    return code;
  }

  /** Deals with an exit code; `undefined` goes on. */
  private leave(code: number): Exit | undefined {
    switch (code) {
      case ExitCode.budget: return this.views.word(layout.STATE_STOP) === 0 ? undefined : this.watchpointExit(BigInt.asUintN(64, this.state.pc - 4n));
      case ExitCode.fetch: return this.fetch();
      case ExitCode.stage1: return this.stage1Fault();
      case ExitCode.stage2: return this.stage2Fault();
      case ExitCode.mmio: return { reason: 'mmio', pa: pa(this.views.long(layout.WALK_PA)), access: this.failedAccess() };
      case ExitCode.alignment:
        return this.synchronous(dataAbort(this.state.el, this.views.word(layout.FAULT_WRITE) !== 0, undefined), this.views.long(layout.FAULT_VA));
      case ExitCode.stackAlignment: return this.synchronous(syndrome(ExceptionClass.spAlignment, 0));
      case ExitCode.interrupts: return undefined;
      case ExitCode.breakpoint: return this.breakpointHit();
      case ExitCode.guestWatchpoint: return this.synchronous(this.debug.watchpointSyndrome(this.views.word(layout.FAULT_WRITE) !== 0), this.debug.hitAddress);
      default: return this.trap();
    }
  }

  private get state(): ProcessorState {
    return this.system.state;
  }

  /** The RAM page that the PC lies in, without any effect; `undefined` if there is none. */
  private fetchPage(): number | undefined {
    const { pc, el } = this.state;
    if (this.core.walk(pc, el, WalkMode.execute | WalkMode.probe) !== 0) return undefined;
    const host = this.memory.locate(Number(this.views.long(layout.WALK_PA)), 1);
    return host < 0 ? undefined : (host - layout.RAM) >>> 12;
  }

  /** The PC has no cached translation: find one, or take the abort. */
  private fetch(): Exit | undefined {
    const { state, views } = this;
    state.pc = branchAddress(state, state.pc);
    const { pc, el } = state;
    if ((pc & 3n) !== 0n) return this.synchronous(syndrome(ExceptionClass.pcAlignment, 0), pc);
    const failed = this.core.walk(pc, el, WalkMode.execute) !== 0;
    const isFinal = failed && (views.word(layout.WALK_STAGE) === 1 || views.word(layout.WALK_S1PTW) !== 0);
    const stage = isFinal ? views.word(layout.WALK_STAGE) : this.executeRefusal(failed);
    if (stage === 1) {
      return this.synchronous(instructionAbort(el, faultStatus(views.word(layout.FAULT_TYPE), views.word(layout.FAULT_LEVEL))), pc);
    }
    if (stage === 2) return this.instructionExit(FAULT_KINDS[views.word(layout.FAULT_TYPE)] ?? 'translation', views.word(layout.FAULT_LEVEL));
    const host = this.memory.locate(Number(views.long(layout.WALK_PA)), 4);
    if (host < 0) return this.instructionExit('external', views.word(layout.WALK_LEVEL2));
    const block = this.code.blockOf((host - layout.RAM) >>> 12);
    this.translations.setCode(pc & ~0xfffn, el === 0 ? 0 : this.state.isPan ? 2 : 1, block);
    return undefined;
  }

  /** Which stage forbids execution, 0 for none; records the fault. Stage 2 may have no translation; stage 1 comes first. */
  private executeRefusal(failedStage2: boolean): 0 | 1 | 2 {
    const { views } = this;
    const stage = (views.word(layout.WALK_PERMISSION1) & 4) === 0 ? 1 : failedStage2 || (views.word(layout.WALK_PERMISSION2) & 4) === 0 ? 2 : 0;
    if (stage === 0 || (stage === 2 && failedStage2)) return stage;
    views.setWord(layout.FAULT_TYPE, layout.FaultType.permission);
    views.setWord(layout.FAULT_LEVEL, views.word(stage === 1 ? layout.WALK_LEVEL1 : layout.WALK_LEVEL2));
    return stage;
  }

  private instructionExit(fault: FaultKind, level: number): Exit {
    return { reason: 'stage2-instruction-abort', fault, level, va: va(this.state.pc), ipa: ipa(this.views.long(layout.WALK_IPA)), ...this.stage1Level() };
  }

  /** The level of the stage-1 walk that stage 2 stopped, if it did. */
  private stage1Level(): { readonly stage1Level?: number } {
    return this.views.word(layout.WALK_S1PTW) === 0 ? {} : { stage1Level: this.views.word(layout.WALK_LEVEL1) };
  }

  private stage1Fault(): Exit | undefined {
    const { views } = this;
    const type = views.word(layout.FAULT_TYPE);
    const status = faultStatus(type, views.word(layout.FAULT_LEVEL));
    const readable = type === layout.FaultType.permission && (views.word(layout.WALK_PERMISSION1) & 1) !== 0;
    const address = this.faultAddress();
    const isWrite = views.word(layout.FAULT_WRITE) !== 0 && (readable || this.has('QEMU') || !isReadModifyWrite(this.wordAtPc()));
    return this.synchronous(dataAbort(this.state.el, isWrite, status), address);
  }

  /** The address that an access which failed has for FAR_EL1: that of DC ZVA is the one given, wherever in its block. Forgets the walk. */
  private faultAddress(): bigint {
    const { views } = this;
    if (views.word(layout.FAULT_SIZE) !== layout.ZVA_BYTES) return views.long(layout.FAULT_VA);
    return this.state.x(field(present(decodeOnce(this.wordAtPc()), 'DC ZVA').fields, 'Rt'));
  }

  private stage2Fault(): Extract<Exit, { readonly reason: 'stage2-data-abort' }> {
    const { views } = this;
    const level = this.stage1Level();
    return {
      reason: 'stage2-data-abort', fault: FAULT_KINDS[views.word(layout.FAULT_TYPE)] ?? 'translation', level: views.word(layout.FAULT_LEVEL),
      duringStage1Walk: views.word(layout.WALK_S1PTW) !== 0, access: this.failedAccess(), ...level,
    };
  }

  private failedAccess(): ReturnType<typeof guestAccess> {
    const shared = {
      ipa: this.views.long(layout.WALK_IPA), sizeBytes: this.views.word(layout.FAULT_SIZE), isWrite: this.views.word(layout.FAULT_WRITE) !== 0,
    };
    return guestAccess(this.state, { ...shared, va: this.faultAddress() }, this.wordAtPc());
  }

  /** The word at the PC, which generated code has just fetched; 0 (UDF) if it is not RAM. */
  private wordAtPc(): number {
    const { pc } = this.state;
    if (this.wordIsKnown && pc === this.knownWordPc) return this.knownWord;
    this.knownWord = this.fetchWord();
    this.knownWordPc = pc;
    this.wordIsKnown = true;
    return this.knownWord;
  }

  private fetchWord(): number {
    const page = this.fetchPage();
    return page === undefined ? 0 : this.views.word(layout.RAM + page * PAGE_SIZE + Number(this.state.pc & 0xfffn)) >>> 0;
  }

  private breakpointHit(): Exit | undefined {
    const { pc } = this.state;
    if (this.breakpoints.has(pc)) return { reason: 'breakpoint' };
    const event = this.debug.breakpointAt(pc);
    return event === undefined ? this.leave(this.enterOnce()) : this.synchronous(event);
  }

  private watchpointExit(accessor: bigint): Exit | undefined {
    const hit = this.watchpoints.take();
    return hit === undefined ? undefined : { reason: 'watchpoint', id: hit.id, pc: va(accessor), address: hit.address, isWrite: hit.isWrite };
  }

  private noteGuestAccess(host: number, sizeBytes: number, isWrite: boolean): void {
    if (this.watchpoints.note(this.memory.physicalOf(host), sizeBytes, isWrite)) this.views.setWord(layout.STATE_STOP, 1);
  }

  /** The instruction at the PC is not generated code's. */
  private trap(): Exit | undefined {
    const word = this.wordAtPc();
    const decoded = decodeOnce(word);
    const isDecoded = decoded !== undefined && this.has(decoded.encoding.feature);
    const trapped = isDecoded ? floatingPointTrap(this.state, word) ?? scalableTrap(this.state, word, this.has) : undefined;
    if (trapped !== undefined) return this.synchronous(trapped);
    if (!isDecoded || decoded.encoding.state !== 'ready') return this.synchronous(undecodedTrap(this.state, word, this.has));
    const { encoding, fields } = decoded;
    switch (encoding.class) {
      case 'exception_generation': return this.generateException(encoding.mnemonic, field(fields, 'imm16'));
      case 'hint': return this.waitFor(fields);
      case 'branch_register': case 'branch_register_authenticated': return takeBranch(this.branches, decoded);
      case 'exception_return': return this.returnFromException();
      case 'system_register_move': return this.finish(moveSystemRegister(this.system, fields));
      case 'system_instruction': return this.finish(systemInstruction(this.system, fields));
      case 'msr_immediate': return this.finish(moveImmediate(this.system, fields));
      default: return this.undefinedInstruction();
    }
  }

  private undefinedInstruction(): Exit | undefined {
    return this.synchronous(syndrome(ExceptionClass.unknown, 0));
  }

  private generateException(mnemonic: string, immediate: number): Exit | undefined {
    const { el } = this.state;
    switch (mnemonic) {
      case 'svc':
        this.retire();
        return this.synchronous(syndrome(ExceptionClass.svc, immediate));
      case 'hvc':
        if (el === 0) return this.undefinedInstruction();
        this.retire();
        return { reason: 'hvc', immediate };
      case 'smc': return el === 0 ? this.undefinedInstruction() : { reason: 'smc', immediate };
      case 'brk': return this.synchronous(syndrome(ExceptionClass.breakpointInstruction, immediate));
      case 'hlt': return { reason: 'hlt', immediate };
      default: return this.undefinedInstruction();
    }
  }

  /** WFI, and WFE at EL0 where it may trap; WFE is over at once. Any other hint that comes here uses a key that the hypervisor traps. */
  private waitFor(f: Fields): Exit | undefined {
    const { state } = this;
    const number = field(f, 'CRm') * 8 + field(f, 'op2');
    if (number !== WFE && number !== WFI) return this.undefinedInstruction();
    const isEvent = number === WFE;
    const allowed = isEvent ? 1n << 18n : 1n << 16n;
    if (state.el === 0 && !(isEvent && this.has('QEMU')) && (state.system('SCTLR_EL1') & allowed) === 0n) return this.synchronous(syndrome(ExceptionClass.trappedWfx, 0x1e0_0000 | (isEvent ? 1 : 0)));
    this.retire();
    return isEvent || state.word(layout.SLOT_LINES) !== 0 ? undefined : { reason: 'wfi' };
  }

  private returnFromException(): Exit | undefined {
    const { state } = this;
    if (state.el === 0) return this.undefinedInstruction();
    if (returnsToAarch32(state.system('SPSR_EL1'))) return { reason: 'unsupported', what: 'aarch32' };
    this.countRetired();
    this.charge();
    exceptionReturn(state, this.stateFeatures, (saved, el) => this.debug.steps(saved, el));
    state.setWord(layout.SLOT_FAULT_COUNT, 0);
    return undefined;
  }

  private finish(outcome: SystemOutcome): Exit | undefined {
    switch (outcome.kind) {
      case 'done': this.retire(); return undefined;
      case 'undefined': return this.undefinedInstruction();
      case 'exception': return this.synchronous(outcome.esr, outcome.far);
      case 'stage2': return outcome.isMaintenance ? { ...this.stage2Fault(), isMaintenance: true } : this.stage2Fault();
      case 'big-endian': return { reason: 'unsupported', what: 'big-endian' };
      case 'exit': {
        const { name, encoding, isWrite, value, rt } = outcome;
        return { reason: 'system-register', name, encoding, isWrite, value, rt };
      }
    }
  }

  private retire(): void {
    if (this.state.btype !== 0) this.state.btype = 0;
    if (this.state.word(layout.SLOT_DEBUG) !== 0) this.debug.advance(false);
    this.state.pc = BigInt.asUintN(64, this.state.pc + 4n);
    this.countRetired();
  }

  private countRetired(): void {
    this.retired++;
    this.state.setWord(layout.SLOT_STALLED, 0);
  }

  /** Takes a synchronous exception; FAR stays as it is unless given. */
  private synchronous(esr: bigint, far?: bigint): Exit | undefined {
    this.state.setSystem('ESR_EL1', esr);
    if (far !== undefined) this.state.setSystem('FAR_EL1', far);
    const isReported = ((this.reported.exceptionClasses >> (esr >> 26n)) & 1n) === 1n;
    countFault(this.state, esr);
    return this.takeException('synchronous', isReported);
  }

  /**
   * Enters EL1. A second exception without an instruction between costs a tick, so that a guest whose vectors fault makes
   * progress in virtual time and every run ends.
   */
  private takeException(kind: ExceptionKind, isReported: boolean): Exit | undefined {
    const { state } = this;
    if (state.word(layout.SLOT_STALLED) !== 0) this.retired++;
    state.setWord(layout.SLOT_STALLED, 1);
    this.charge();
    if (state.word(layout.SLOT_DEBUG) !== 0) this.debug.forgetStep();
    if (kind === 'serror') this.acknowledgeSerror();
    enterEl1(state, kind, this.stateFeatures);
    if (!isReported) return undefined;
    return { reason: 'exception', kind, esr: state.system('ESR_EL1'), far: state.system('FAR_EL1'), elr: va(state.system('ELR_EL1')) };
  }

  /** A virtual SError is over once it is taken (HCR_EL2.VSE); its syndrome is what VSESR_EL2 says. */
  private acknowledgeSerror(): void {
    const { state } = this;
    const iss = this.has('RAS') ? Number(state.system('VSESR_EL2') & 0x1ff_ffffn) : 0;
    state.setSystem('ESR_EL1', syndrome(ExceptionClass.serror, iss));
    state.setWord(layout.SLOT_LINES, state.word(layout.SLOT_LINES) & ~4);
  }

  /** The pending interrupt of highest priority that PSTATE allows. */
  private pendingInterrupt(): 'serror' | 'fiq' | 'irq' | undefined {
    const lines = this.state.word(layout.SLOT_LINES);
    if (lines === 0) return undefined;
    const { daif } = this.state;
    if ((lines & 4) !== 0 && (daif & 0x100) === 0) return 'serror';
    if ((lines & 2) !== 0 && (daif & 0x40) === 0) return 'fiq';
    return (lines & 1) !== 0 && (daif & 0x80) === 0 ? 'irq' : undefined;
  }

  completeAccess(vcpu: number, value: bigint, finish = finishLoad, instruction: number | undefined = undefined): void {
    this.select(vcpu);
    const access = simpleAccess(instruction ?? this.wordAtPc());
    assert(access !== undefined, 'completeAccess only where syndromeValid');
    if (access.isLoad) finish(this.state, access, value);
    this.skipInstruction(vcpu);
  }

  completeAccessUncut(vcpu: number, value: bigint, instruction: number): void {
    this.completeAccess(vcpu, value, finishLoadUncut, instruction);
  }

  transferByParts(vcpu: number, address: Va, device: Parameters<Engine['transferByParts']>[2]): ReturnType<Engine['transferByParts']> {
    this.select(vcpu);
    const outcome = transferByParts(this.state, { word: this.wordAtPc(), address }, device);
    if (outcome === 'done') this.skipInstruction(vcpu);
    return outcome;
  }

  completeSystemRegister(vcpu: number, value: bigint): void {
    this.select(vcpu);
    const fields = present(decodeOnce(this.wordAtPc()), 'a system register move').fields;
    if (field(fields, 'L') === 1) this.state.setX(field(fields, 'Rt'), value);
    this.skipInstruction(vcpu);
  }

  skipInstruction(vcpu: number): void {
    this.select(vcpu);
    this.retire();
    this.charge();
  }

  injectException(vcpu: number, esr: bigint, far: bigint): void {
    this.select(vcpu);
    this.retired = this.charged = 0;
    this.synchronous(esr, far);
  }

  translate(vcpu: number, address: Va | Ipa, stage: 'both' | 2, el?: 0 | 1): Translation {
    this.select(vcpu);
    const { views } = this;
    views.setWord(layout.WALK_PERMISSION1, 7);
    views.setLong(layout.WALK_IPA, address);
    const level = el ?? (this.state.el === 0 ? 0 : 1);
    // As a write, so that pages that a store would make dirty count as writable.
    const failed = stage === 2 ? this.core.stage2(address, level) : this.core.walk(address, level, WalkMode.write | WalkMode.probe);
    if (failed !== 0) {
      const failedStage = stage === 2 || views.word(layout.WALK_STAGE) === 2 ? 2 : 1;
      return { ok: false, stage: failedStage, fault: FAULT_KINDS[views.word(layout.FAULT_TYPE)] ?? 'translation', level: views.word(layout.FAULT_LEVEL) };
    }
    const allowed = views.word(layout.WALK_PERMISSION1) & views.word(layout.WALK_PERMISSION2);
    const physical = pa(views.long(layout.WALK_PA));
    return {
      ok: true, pa: physical, ipa: ipa(views.long(layout.WALK_IPA)), isRam: this.memory.contains(physical, 1),
      readable: (allowed & 1) !== 0, writable: (allowed & 2) !== 0, executable: (allowed & 4) !== 0,
    };
  }

  invalidateTlb(): void {
    this.translations.flushAll();
  }

  setBreakpoints(addresses: readonly Va[]): void {
    this.breakpoints = new Set(addresses);
    this.renewMarks();
  }

  /** Marks where breakpoints of the debugger or of any guest may stand. */
  private renewMarks(): void {
    this.marksAreStale = false;
    const own = [...this.breakpoints].map((address) => Number(address & 0xffcn));
    const guests = this.vcpus.flatMap(({ state }) => new SelfHostedDebug(state, this.translations, () => undefined).breakpointOffsets());
    this.code.setBreakpointOffsets(new Set([...own, ...guests]));
  }

  setWatchpoints(watchpoints: readonly Watchpoint[]): void {
    this.watchpoints.set(watchpoints, this.memory);
    this.translations.flushAll();
  }

  takeHostHit(): ReturnType<Engine['takeHostHit']> {
    return this.watchpoints.take();
  }

  reportExceptions(selection: Parameters<Engine['reportExceptions']>[0]): void {
    this.reported = selection;
  }

  setTier(tier: Tier): void {
    this.tier = tier;
  }

  flushCaches(): void {
    this.wordIsKnown = false;
    this.code.dropAll();
  }

  /** Brings a vCPU's block to where generated code expects it. */
  private select(index: number): void {
    const next = present(this.vcpus[index], 'vCPU index');
    if (index === this.current) return;
    this.wordIsKnown = false;
    const previous = present(this.vcpus[this.current], 'vCPU index');
    this.views.bytes.copyWithin(previous.bank, layout.VCPU_BLOCK, layout.VCPU_BLOCK + layout.VCPU_BLOCK_SIZE);
    this.views.bytes.copyWithin(layout.VCPU_BLOCK, next.bank, next.bank + layout.VCPU_BLOCK_SIZE);
    previous.state.offset = previous.bank - layout.VCPU_BLOCK;
    next.state.offset = 0;
    this.current = index;
  }

  private createVcpu(index: number): EngineVcpu {
    const vcpu = new EngineVcpu(index, this.views, () => { this.marksAreStale = true; });
    vcpu.state.offset = index === 0 ? 0 : vcpu.bank - layout.VCPU_BLOCK;
    vcpu.state.reset();
    return vcpu;
  }
}
