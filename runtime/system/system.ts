/**
 * A running system: engine, machine, hypervisor and Resource Manager put together, with the loop that runs them and the borders
 * through which things come in (journal) and go out (transcripts, trace).
 *
 * The system knows time, state and stops. Breakpoints, history and symbols are above it.
 */

import { assert } from '../base/assert';
import { hex } from '../base/bits';
import { ipa, pa, ticks, va, vmid, type Pa, type Ticks, type Va, type Vmid } from '../base/brands';
import type { TraceEvent } from '../base/trace-event';
import { FAULT_LOOP_COUNT, PAGE_SIZE, type Engine, type Exit, type Translation, type Watchpoint } from '../engine/interface';
import { FORWARDED_CALL } from '../hypervisor/service-registers';
import { systemRegisters } from '../isa/system-registers';
import type { TimelineSubject } from './subject';
import { START_SECONDS } from './board-devices';
import type { SystemDescription } from './description';
import { Journal, type JournalEntry, type ServiceChoice } from './journal';
import type { MemoryLayout } from './layout';
import { FAULT_LOOP, UNSUPPORTED } from './reports';
import { RunLoop, type Interception } from './run-loop';
import { Semihosting } from './semihosting';
import { StateHash } from './state-hash';
import type { RunRequest, Stop, StopFilters } from './stop';
import { TraceLog } from './trace-log';
import type { Parts, SystemThread, VcpuName, VmConsole, VmSummary } from './parts';

/** Stops that one step can bring about; more are not told. */
const PENDING_MAX = 4096;
const SEMIHOSTING_IMMEDIATE = 0xf000;
const ALL_CLASSES = 0xffff_ffff_ffff_ffffn;
export type { Watchpoint };

/** What the system is to look out for; see `control/breakpoints.ts`. */
export interface LookOut extends StopFilters {
  readonly addresses: readonly Va[];
  readonly watchpoints: readonly Watchpoint[];
  readonly exceptionClasses: bigint;
}

/** Registers that the engine stores, by Arm ARM name. */
const STORED_REGISTERS = new Set(systemRegisters.filter(({ handling, state }) => state === 'ready' && (handling === 'storage' || handling === 'engine')).map(({ name }) => name));
/** Of those, what EL1 can read: the register view. */
const SHOWN_REGISTERS = systemRegisters.filter(({ name, read }) => STORED_REGISTERS.has(name) && (read === 'EL0' || read === 'EL1')).map(({ name }) => name);

interface SavedSystem {
  readonly kind: 'system';
  readonly version: 1;
  readonly loop: ReturnType<RunLoop<SystemThread>['save']>;
  readonly lastRetired: readonly number[];
  readonly focus: number | undefined;
  readonly journal: number;
  readonly trace: number;
  readonly consoles: readonly number[];
  readonly parts: unknown;
  readonly semihosting: ReturnType<Semihosting['save']>;
  readonly vcpus: readonly { readonly index: number; readonly state: Uint8Array }[];
}

/** One system from power-on to power-off. */
export class System implements TimelineSubject {
  readonly description: SystemDescription;
  readonly layout: MemoryLayout;
  readonly parts: Parts;
  readonly trace = new TraceLog();
  readonly journal = new Journal();
  private readonly loop: RunLoop<SystemThread>;
  private readonly semihost: Semihosting;
  private filters: StopFilters = {};
  /** What happened since the last stop and is still to be told: one step of RM can bring about many events. */
  private readonly pending: Stop[] = [];
  private lastRetiredTicks: number[] = [];
  private focus: number | undefined;
  private beginning: Ticks = ticks(0);
  /** Pages that ever held something but zeros, as far as known. */
  private readonly touched = new Set<number>();
  /** Pages written since `collectDirtyPages` was last called, beside those that the engine knows. */
  private readonly dirty = new Set<number>();
  private traceExceptions = false;
  private stopClasses = 0n;
  /** Called before an input from outside changes anything: history may have to branch. */
  onInput: (() => void) | undefined;

  /** Use `createSystem`. */
  constructor(description: SystemDescription, layout: MemoryLayout, makeParts: (system: System) => Parts) {
    this.description = description;
    this.layout = layout;
    this.parts = makeParts(this);
    this.semihost = new Semihosting(this.engine, START_SECONDS);
    this.loop = new RunLoop<SystemThread>(this.parts.engine, this.parts.hypervisor, {
      cpuCount: description.platform.cpuCount,
      advance: (to) => { this.parts.events.advance(to); },
      elapse: (to) => { this.parts.events.elapse(to); },
      nextDeadline: () => this.parts.events.nextDeadline(),
      applyInputs: () => { this.applyInputs(); },
      nextInput: () => this.journal.nextTick(),
      takeStop: () => this.takeStop(),
      intercept: (thread, exit, resuming) => this.intercept(thread, exit, resuming),
      ran: (thread, now) => { this.noteRun(thread, now); },
      handled: (thread) => { this.noteHostHit(thread); },
    });
  }

  get engine(): Engine {
    return this.parts.engine;
  }

  /** Virtual time now. */
  get now(): Ticks {
    return this.loop.now;
  }

  get effort(): number {
    return this.loop.effort;
  }

  /** Instructions that guests have retired. */
  get retired(): number {
    return this.loop.retired;
  }

  /** The vCPU that the system stopped in or ran last. */
  get focusVcpu(): number | undefined {
    return this.focus;
  }

  /** Where history begins. */
  get historyStart(): Ticks {
    return this.beginning;
  }

  /** Consoles by VM, in the order of the description. */
  get consoles(): readonly VmConsole[] {
    return this.parts.consoles;
  }

  /** Runs until something says stop. */
  run(request: RunRequest): Stop {
    const stop = this.loop.run(request);
    if ('vcpu' in stop && stop.vcpu !== null) this.focus = stop.vcpu;
    return stop;
  }

  /** Chooses what `run` stops at from now on. */
  lookOutFor(lookOut: LookOut): void {
    this.engine.setBreakpoints(lookOut.addresses);
    this.engine.setWatchpoints(lookOut.watchpoints);
    this.stopClasses = lookOut.exceptionClasses;
    this.reportExceptions();
    if (lookOut.event === undefined && lookOut.forwarded !== true) this.pending.length = 0;
    this.filters = { call: lookOut.call, event: lookOut.event, forwarded: lookOut.forwarded };
  }

  /** Records exceptions that the engine takes as trace events too. They cost time; results are the same. */
  setExceptionTrace(isOn: boolean): void {
    this.traceExceptions = isOn;
    this.reportExceptions();
  }

  /** How the platform ended, if it did. */
  get end(): Stop | undefined {
    return this.loop.endedWith;
  }

  /** The platform was powered off or reset: from now on every run answers that. */
  endWith(stop: Stop): void {
    this.loop.end(stop);
  }

  /** Instructions that the vCPUs of a VM have retired since power-on. */
  retiredByVm(vmid: number): number {
    return this.loop.retiredByVm(vmid);
  }

  /** Time just after the last instruction that a vCPU retired; undefined if it never ran. */
  lastRetired(vcpu: number): Ticks | undefined {
    const tick = this.lastRetiredTicks[vcpu];
    return tick === undefined ? undefined : ticks(tick);
  }

  /** The time one tick before. */
  tickBefore(tick: Ticks): Ticks {
    return ticks(tick - 1);
  }

  /** The hypervisor's objects, for views. */
  get inspection(): Parts['inspection'] {
    return this.parts.inspection;
  }

  /** RM's tables, for views. */
  rmView(): ReturnType<Parts['rmView']> {
    return this.parts.rmView();
  }

  /** Where the primary VM begins. */
  get primaryEntry(): Va {
    return this.parts.primaryEntry;
  }

  /** vCPUs of guests: engine index, VM name, number inside the VM. In order of VM and number. */
  vcpus(): readonly VcpuName[] {
    return this.parts.vcpus();
  }

  /** Engine indexes of the vCPUs. */
  vcpuIndexes(): readonly number[] {
    return this.vcpus().map(({ index }) => index);
  }

  /** Name of a VM by VMID. */
  vmName(vmid: number): string {
    return this.parts.vmName(vmid);
  }

  /** How each VM fared, for summaries. */
  vmSummaries(): readonly VmSummary[] {
    return this.parts.vmSummaries();
  }

  /** Instructions that one vCPU has retired. */
  retiredBy(vcpu: number): number {
    return this.loop.retiredBy(vcpu);
  }

  /** The device tree of a VM as it lies in its memory now; undefined if the VM has none. */
  deviceTreeOf(vmid: Vmid): Uint8Array | undefined {
    const place = this.parts.deviceTreeOf(vmid);
    const vcpu = this.vcpus().find((one) => one.vmid === vmid);
    if (place === undefined || vcpu === undefined) return undefined;
    const bytes = this.readIntermediate(vcpu.index, place.base, Number(place.sizeBytes));
    const size = bytes.length < 8 ? 0 : new DataView(bytes.buffer, bytes.byteOffset, 8).getUint32(4);
    return bytes.slice(0, Math.min(size, bytes.length));
  }

  /** Which tier executes; results are the same. */
  setTier(tier: 'exact' | 'fast'): void {
    this.engine.setTier(tier);
  }

  // What comes in.

  /** Types into a VM's console. Returns how many bytes were taken. */
  writeConsole(vm: number, bytes: Uint8Array): number {
    if (this.parts.consoles[vm]?.acceptInput === undefined || bytes.length === 0) return 0;
    this.input({ tick: this.now, kind: 'console-input', vm, bytes: bytes.slice() });
    return bytes.length;
  }

  /** Writes physical memory on behalf of the debugger. */
  writePhysical(address: Pa, bytes: Uint8Array): void {
    assert(this.engine.memory.contains(address, bytes.length), 'a debugger write was checked against RAM');
    this.input({ tick: this.now, kind: 'write-memory', address, bytes: bytes.slice() });
  }

  /** Sets a register on behalf of the debugger: `x0`…`x30`, `sp`, `pc`, `pstate` or a stored system register. */
  writeRegister(vcpu: number, register: string, value: bigint): void {
    this.input({ tick: this.now, kind: 'write-register', vcpu, register, value });
  }

  /** Chooses hypercall services of a VM on behalf of the debugger. The caller has seen that it can be done. */
  chooseService(choice: ServiceChoice): void {
    this.input({ tick: this.now, ...choice });
  }

  // What can be seen.

  /** Bytes of physical memory; shorter where RAM ends. */
  readPhysical(address: Pa, sizeBytes: number): Uint8Array {
    const [piece] = this.clipToRam(address, sizeBytes);
    return piece === undefined ? new Uint8Array(0) : this.engine.memory.read(piece.address, piece.sizeBytes);
  }

  /** The part of a physical range, from its start, that is RAM: no piece or one. */
  clipToRam(address: bigint, sizeBytes: number): { address: Pa; sizeBytes: number }[] {
    for (const { base, sizeBytes: size } of this.engine.memory.ram) {
      const left = BigInt(base) + BigInt(size) - address;
      if (address >= base && left > 0n) return [{ address: pa(address), sizeBytes: left < BigInt(sizeBytes) ? Number(left) : sizeBytes }];
    }
    return [];
  }

  /** A system register of a vCPU as its guest would read it, without side effects; undefined if there is none of that name. */
  systemRegister(vcpu: number, name: string): bigint | undefined {
    return STORED_REGISTERS.has(name) ? this.engine.vcpu(vcpu).systemRegister(name) : undefined;
  }

  /** Names of system registers that can be shown. */
  systemRegisterNames(): readonly string[] {
    return SHOWN_REGISTERS;
  }

  /** Whether the debugger may write a register. */
  canWriteRegister(register: string): boolean {
    return /^([xv]\d{1,2}|sp|pc|pstate)$/.test(register) || STORED_REGISTERS.has(register);
  }

  /** Bytes at a virtual address as the vCPU would load them; shorter where the address space ends or is not RAM. */
  readVirtual(vcpu: number, address: Va, sizeBytes: number): Uint8Array {
    return this.readPages(BigInt(address), sizeBytes, (at) => this.engine.translate(vcpu, ipa(at), 'both'));
  }

  /** Bytes at an intermediate physical address of the VM that the vCPU belongs to. */
  readIntermediate(vcpu: number, address: bigint, sizeBytes: number): Uint8Array {
    return this.readPages(address, sizeBytes, (at) => this.engine.translate(vcpu, ipa(at), 2));
  }

  /** Physical pieces behind a virtual range: what a data breakpoint watches or a write changes. Ends where the range is not RAM. */
  physicalPieces(vcpu: number, address: bigint, sizeBytes: number, stage: 'both' | 2 = 'both'): { address: Pa; sizeBytes: number }[] {
    const pieces: { address: Pa; sizeBytes: number }[] = [];
    for (let done = 0; done < sizeBytes;) {
      const at = BigInt.asUintN(64, address + BigInt(done));
      const translation = this.engine.translate(vcpu, stage === 2 ? ipa(at) : va(at), stage);
      if (!translation.ok || !translation.isRam) break;
      const chunk = Math.min(sizeBytes - done, PAGE_SIZE - Number(at & 0xfffn));
      pieces.push({ address: translation.pa, sizeBytes: chunk });
      done += chunk;
    }
    return pieces;
  }

  /** Watchpoints over pieces of physical memory, numbered from 0. */
  watchpointsOn(pieces: readonly { readonly address: bigint; readonly sizeBytes: number }[], access: Watchpoint['access']): Watchpoint[] {
    return pieces.map(({ address, sizeBytes }, id) => ({ id, address: pa(address), sizeBytes, access }));
  }

  vmNameOf(vcpu: number): string | undefined {
    return this.parts.vmNameOf(vcpu);
  }

  pcOf(vcpu: number): bigint {
    return this.engine.vcpu(vcpu).pc;
  }

  /** Records an event and lets the event filter see it. */
  emit(event: TraceEvent, vcpu: number | null): void {
    this.trace.put(event);
    const isForwarded = this.filters.forwarded === true && event.event === 'report' && event.code === FORWARDED_CALL;
    if (isForwarded || this.filters.event?.(event, vcpu) === true) this.tell({ kind: 'event', vcpu, event, number: this.trace.position - 1 });
  }

  /** Whether `emit` wants to know the vCPU: looking it up costs more than recording the event. */
  get hasEventFilter(): boolean {
    return this.filters.event !== undefined;
  }

  /** The state in one number: equal input, equal hash, whatever the host, the tier and the stops in between. */
  stateHash(): string {
    const hash = new StateHash();
    const { loop, parts, semihosting, vcpus } = this.save();
    hash.value({ loop, parts, semihosting, vcpus });
    for (const page of this.touchedPages()) {
      const bytes = this.engine.memory.readPage(page);
      if (bytes.every((byte) => byte === 0)) continue;
      hash.word(page);
      hash.bytes(bytes);
    }
    return hash.digest();
  }

  // TimelineSubject.

  save(): SavedSystem {
    return {
      kind: 'system',
      version: 1,
      loop: this.loop.save(),
      lastRetired: [...this.lastRetiredTicks],
      focus: this.focus,
      journal: this.journal.position,
      trace: this.trace.position,
      consoles: this.consoles.map(({ transcript }) => transcript.position),
      parts: this.parts.save(),
      semihosting: this.semihost.save(),
      vcpus: this.vcpuIndexes().map((index) => ({ index, state: this.engine.vcpu(index).save() })),
    };
  }

  restore(saved: unknown): void {
    assert(isSavedSystem(saved), 'a checkpoint holds a saved system of this version');
    this.pending.length = 0;
    this.loop.restore(saved.loop);
    this.parts.setTime(this.loop.now);
    this.lastRetiredTicks = [...saved.lastRetired];
    this.focus = saved.focus;
    this.journal.seek(saved.journal);
    this.trace.position = saved.trace;
    for (const [index, position] of saved.consoles.entries()) this.consoles[index]?.transcript.seek(position);
    for (const { index, state } of saved.vcpus) this.engine.vcpu(index).restore(state);
    this.parts.restore(saved.parts);
    this.semihost.restore(saved.semihosting);
  }

  /** Pages that may hold something but zeros. */
  touchedPages(): number[] {
    this.noteDirty();
    return [...this.touched].sort((left, right) => left - right);
  }

  /** Takes over a state that another instance saved, whose pages are in memory already: history begins here. */
  adopt(saved: unknown, pages: readonly number[]): void {
    assert(isSavedSystem(saved), 'an adopted state is a saved system of this version');
    for (const page of pages) {
      this.touched.add(page);
      this.dirty.add(page);
    }
    this.trace.adopt(saved.trace);
    this.restore(saved);
    this.memoryRestored();
    this.beginning = this.now;
  }

  collectDirtyPages(): Uint32Array {
    this.noteDirty();
    const pages = Uint32Array.from(this.dirty).sort();
    this.dirty.clear();
    return pages;
  }

  readPage(index: number): Uint8Array {
    return this.engine.memory.readPage(index);
  }

  restorePage(index: number, bytes: Uint8Array): void {
    this.engine.memory.restorePage(index, bytes);
  }

  memoryRestored(): void {
    this.engine.flushCaches();
    this.engine.takeHostHit();
    this.applyInputs();
  }

  truncateFuture(): void {
    this.journal.truncate();
    this.trace.truncate();
    for (const { transcript } of this.consoles) transcript.truncate();
  }

  private noteDirty(): void {
    for (const page of this.engine.memory.collectDirtyPages()) {
      this.touched.add(page);
      this.dirty.add(page);
    }
  }

  private reportExceptions(): void {
    const all = this.traceExceptions;
    this.engine.reportExceptions({ exceptionClasses: all ? ALL_CLASSES : this.stopClasses, irq: all, fiq: all, serror: all });
  }

  private input(entry: JournalEntry): void {
    this.onInput?.();
    this.journal.append(entry);
    this.apply(entry);
  }

  private applyInputs(): void {
    for (let entry = this.journal.take(this.now); entry !== undefined; entry = this.journal.take(this.now)) this.apply(entry);
  }

  private apply(entry: JournalEntry): void {
    switch (entry.kind) {
      case 'console-input': this.parts.consoles[entry.vm]?.acceptInput?.(entry.bytes); break;
      case 'write-memory':
        this.engine.memory.write(pa(entry.address), entry.bytes);
        // The debugger's own writes are no news to it.
        this.engine.takeHostHit();
        break;
      case 'set-service': this.parts.hypervisor.services.of(entry.vmid).set(entry.register, entry.value); break;
      case 'add-filter': this.parts.hypervisor.services.of(entry.vmid).addFilter(entry.range); break;
      case 'write-register': this.setRegister(entry.vcpu, entry.register, entry.value); break;
    }
  }

  private setRegister(vcpu: number, register: string, value: bigint): void {
    const state = this.engine.vcpu(vcpu);
    const general = /^x(\d{1,2})$/.exec(register);
    const vector = /^v(\d{1,2})$/.exec(register);
    if (general !== null) state.setX(Number(general[1]), value);
    else if (vector !== null) state.setV(Number(vector[1]), BigInt.asUintN(64, value), value >> 64n);
    else if (register === 'pc') state.pc = value;
    else if (register === 'sp') state.sp = value;
    else if (register === 'pstate') state.pstate = value;
    else state.setSystemRegister(register, value);
  }

  private tell(stop: Stop): void {
    if (this.pending.length < PENDING_MAX) this.pending.push(stop);
  }

  /** What happened during the last run beside its end, if anything was looked out for. */
  takeStop(): Stop | undefined {
    return this.pending.shift();
  }

  private noteRun(thread: SystemThread, now: Ticks): void {
    if (thread.engineVcpu === undefined) return;
    this.lastRetiredTicks[thread.engineVcpu] = now;
    this.focus = thread.engineVcpu;
  }

  /** Exits that end at the system: debugger stops, calls that a filter wants to see first, semihosting. */
  private intercept(thread: SystemThread, exit: Exit, resuming: boolean): Interception | undefined {
    const vcpu = thread.engineVcpu ?? 0;
    switch (exit.reason) {
      case 'breakpoint': return { stop: { kind: 'breakpoint', vcpu, pc: va(this.engine.vcpu(vcpu).pc) } };
      case 'watchpoint': return { stop: { kind: 'watchpoint', vcpu, id: exit.id, pc: exit.pc, address: exit.address, isWrite: exit.isWrite } };
      case 'exception': return this.exception(thread, vcpu, exit);
      case 'fault-loop': return this.faultLoop(thread, exit);
      case 'unsupported': return this.unsupported(thread, vcpu, exit.what);
      case 'hvc':
      case 'smc': return resuming ? undefined : this.interceptCall(thread, vcpu, exit);
      case 'hlt': return this.semihosting(vcpu, exit.immediate);
      default: return undefined;
    }
  }

  private exception(thread: SystemThread, vcpu: number, { kind, esr, far, elr }: Exit & { readonly reason: 'exception' }): Interception {
    if (this.traceExceptions) this.trace.put({ event: 'exception', tick: this.now, vmid: vmid(thread.vmid), vcpu: thread.vcpuIndex, kind, esr, far, elr, injected: false });
    const stops = kind === 'synchronous' && ((this.stopClasses >> (esr >> 26n)) & 1n) === 1n;
    return stops ? { stop: { kind: 'exception', vcpu, exception: kind, esr, far, elr } } : {};
  }

  /** A guest that only faults goes on faulting: the user is told, and decides. */
  private faultLoop({ vmid: id, vcpuIndex, engineVcpu }: SystemThread, { esr, elr }: Exit & { readonly reason: 'fault-loop' }): Interception {
    const message = `The vCPU took the same exception (ESR_EL1 ${hex(esr)}) at ${hex(elr)} ${FAULT_LOOP_COUNT} times without returning from it. Check the vectors at VBAR_EL1 and what they touch.`;
    this.emit({ event: 'report', tick: this.now, vmid: vmid(id), vcpu: vcpuIndex, code: FAULT_LOOP, message }, engineVcpu ?? null);
    return {};
  }

  /** The guest goes where this machine cannot follow: it stops there, again whenever it is told to go on. */
  private unsupported({ vmid: id, vcpuIndex }: SystemThread, vcpu: number, what: keyof typeof UNSUPPORTED): Interception {
    const { code, text } = UNSUPPORTED[what];
    const state = this.engine.vcpu(vcpu);
    const message = `${text} (EL${state.el}, PC ${hex(state.pc)}, SCTLR_EL1 ${hex(state.systemRegister('SCTLR_EL1'))}, SPSR_EL1 ${hex(state.systemRegister('SPSR_EL1'))}). The vCPU stopped before the instruction.`;
    const event: TraceEvent = { event: 'report', tick: this.now, vmid: vmid(id), vcpu: vcpuIndex, code, message };
    this.emit(event, vcpu);
    return { stop: { kind: 'event', vcpu, event } };
  }

  /** Hypervisor and Resource Manager write guests' memory too. */
  private noteHostHit({ engineVcpu }: SystemThread): void {
    const hit = this.engine.takeHostHit();
    if (hit === undefined) return;
    const pc = va(engineVcpu === undefined ? 0n : this.pcOf(engineVcpu));
    this.tell({ kind: 'watchpoint', vcpu: engineVcpu ?? null, id: hit.id, pc, address: hit.address, isWrite: hit.isWrite });
  }

  /** HVC has retired and is taken back; SMC has not. */
  private interceptCall(thread: SystemThread, vcpu: number, exit: Exit & { readonly reason: 'hvc' | 'smc' }): Interception | undefined {
    if (this.filters.call === undefined) return undefined;
    const described = this.parts.hypervisor.describeCall(thread, exit);
    if (described === undefined) return undefined;
    // The time at which the call is about to be made: HVC has retired by now and is taken back.
    const event = { ...described, tick: exit.reason === 'hvc' ? this.tickBefore(this.now) : this.now };
    if (!this.filters.call(event, vcpu)) return undefined;
    const stop: Stop = { kind: 'call', vcpu, event };
    if (exit.reason === 'smc') return { stop };
    this.engine.vcpu(vcpu).takeBack();
    return { stop, takenBack: true };
  }

  private semihosting(vcpu: number, immediate: number): Interception {
    if (!this.description.semihosting || immediate !== SEMIHOSTING_IMMEDIATE) {
      this.engine.injectException(vcpu, 0x0200_0000n, 0n);
      return { completed: true };
    }
    const result = this.semihost.call(vcpu, this.parts.semihostingVm(vcpu), this.now);
    if (result.kind === 'wait') return { elapsed: result.ticks };
    if (result.kind === 'exit') {
      this.endWith({ kind: 'exit', vcpu, code: result.code });
      return {};
    }
    this.engine.vcpu(vcpu).setX(0, result.value);
    this.engine.skipInstruction(vcpu);
    return { completed: true };
  }

  private readPages(address: bigint, sizeBytes: number, translate: (at: bigint) => Translation): Uint8Array {
    const out = new Uint8Array(sizeBytes);
    let done = 0;
    while (done < sizeBytes) {
      const at = BigInt.asUintN(64, address + BigInt(done));
      const translation = translate(at);
      if (!translation.ok || !translation.isRam) break;
      const chunk = Math.min(sizeBytes - done, PAGE_SIZE - Number(at & 0xfffn));
      out.set(this.engine.memory.read(translation.pa, chunk), done);
      done += chunk;
    }
    return done === sizeBytes ? out : out.slice(0, done);
  }
}

function isSavedSystem(value: unknown): value is SavedSystem {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'system' && 'version' in value && value.version === 1;
}
