/**
 * Interleaves vCPUs over physical CPUs in fixed quanta, in one thread, so that virtual time orders everything.
 *
 * Each pass is: apply due inputs, fire due events, choose a thread, run it, handle why it stopped. Every pass that changes anything
 * moves time by at least one tick, so a time names exactly one state. A stop from outside (limit, breakpoint) never changes
 * which thread runs next or when a quantum ends: running with and without stops gives the same states.
 */

import { assert } from '../base/assert';
import { ticks, type Ticks } from '../base/brands';
import type { Engine, Exit } from '../engine/interface';
import type { RunRequest, Stop, VcpuIndex } from './stop';

/** Ticks a physical CPU keeps while others have work too. */
export const QUANTUM_TICKS = 20_000;
/** What leaving the engine and coming back costs, in instructions. */
const PASS_EFFORT = 1000;
/** What a run that ended early because of its many traps costs, in instructions. */
const TRAPPING_EFFORT = 8_000_000;
/** Most entries of generated code in one engine run: a guest that traps all the time must not keep the host for long. */
const ENTRIES_PER_RUN_MAX = 4_000;
/** Longest single engine run; bounds how long a pause request waits. */
export const RUN_TICKS_MAX = 2_000_000;

/**
 * Exits whose instruction has retired, or where none was due. Handling any other exit takes at least one tick, so that the state
 * before and after it do not share a time.
 */
const HAS_RETIRED: Readonly<Record<Exit['reason'], boolean>> = {
  budget: true, wfi: true, hvc: true, breakpoint: true, watchpoint: true, exception: true, 'fault-loop': true,
  smc: false, hlt: false, unsupported: false, 'system-register': false, mmio: false, 'stage2-data-abort': false, 'stage2-instruction-abort': false,
};

const LIMIT: Stop = { kind: 'limit' };

/** A thread as the loop needs it. */
export interface LoopThread {
  readonly kind: 'vcpu' | 'native';
  /** Absent for native threads. */
  readonly engineVcpu: VcpuIndex | undefined;
  readonly vmid: number;
  /** Index inside its VM. */
  readonly vcpuIndex: number;
}

/** What the loop asks of the hypervisor. */
export interface LoopHypervisor<T extends LoopThread> {
  /** Who should run on this CPU now. Idempotent while nothing changes. */
  pick(cpu: number): T | undefined;
  /** Charges time to a thread's slice. */
  account(thread: T, elapsed: number): void;
  /** When the current slice of the CPU ends, if anybody waits for it. */
  nextSliceDeadline(cpu: number): Ticks | undefined;
  /** Handles an exit that is the hypervisor's; returns the instructions that this retired beyond the run's own. */
  handleExit(thread: T, exit: Exit): number;
  /** One step of the root VM's program; returns the ticks it took. */
  runNative(thread: T): number;
}

/** What the loop asks of the rest of the system. */
export interface LoopSurroundings<T extends LoopThread> {
  readonly cpuCount: number;
  /** Moves time to `to`: fires what is due. */
  advance(to: Ticks): void;
  /** Moves time to `to` and fires nothing yet: an exit is handled first. */
  elapse(to: Ticks): void;
  nextDeadline(): Ticks | undefined;
  /** Applies journalled inputs due now. */
  applyInputs(): void;
  nextInput(): Ticks | undefined;
  /** A stop that something asked for since the last call, if any. */
  takeStop(): Stop | undefined;
  /** Told after a thread's exit was handled: what the host did on its behalf may have touched watched bytes. */
  handled(thread: T): void;
  /** Exits that are not the hypervisor's: HLT, stops of debuggers. Undefined if it is. */
  intercept(thread: T, exit: Exit, resuming: boolean): Interception | undefined;
  /** Told after a vCPU retired instructions. */
  ran(thread: T, now: Ticks): void;
}

/** What became of an exit that was not the hypervisor's. */
export interface Interception {
  readonly stop?: Stop;
  /** Ticks that passed although nothing was completed. */
  readonly elapsed?: number;
  /** The exit completed an instruction that had not retired. */
  readonly completed?: boolean;
  /** The exit's instruction was taken back: the vCPU is again about to execute it. */
  readonly takenBack?: boolean;
}

/** The part of the loop's state that decides what runs next; goes into snapshots. */
export interface LoopState {
  readonly now: number;
  readonly retired: number;
  readonly cpu: number;
  readonly turnStart: number;
  readonly retiredByVcpu: readonly number[];
  /** Instructions by VMID, in order of first running. */
  readonly retiredByVm: readonly (readonly [number, number])[];
  /** How the platform ended, if it did: nothing runs any more. */
  readonly ended: Stop | undefined;
}

/** The loop. One instance per system. */
export class RunLoop<T extends LoopThread> {
  private readonly engine: Engine;
  private readonly hypervisor: LoopHypervisor<T>;
  private readonly outside: LoopSurroundings<T>;
  private cpu = 0;
  /** When the current CPU's turn began. Never changes at a stop from outside. */
  private turnStart: Ticks = ticks(0);
  private retiredByVcpu: number[] = [];
  /** Virtual time. */
  now: Ticks = ticks(0);
  /** Instructions retired by guests; unlike `now` it does not count waiting. */
  retired = 0;
  /** Work done by this instance, in instructions' worth; no part of the state. */
  effort = 0;
  private ended: Stop | undefined;
  private retiredOfVms = new Map<number, number>();

  constructor(engine: Engine, hypervisor: LoopHypervisor<T>, outside: LoopSurroundings<T>) {
    this.engine = engine;
    this.hypervisor = hypervisor;
    this.outside = outside;
  }

  /** Runs until something in `request` or in the system says stop. */
  run(request: RunRequest): Stop {
    let resume = request.resumeVcpu;
    const effortEnd = this.effort + (request.effortMax ?? Number.POSITIVE_INFINITY);
    for (;;) {
      this.outside.applyInputs();
      const early = this.outside.takeStop() ?? this.ended ?? (this.effort >= effortEnd ? LIMIT : this.limit(request));
      if (early !== undefined) return early;
      this.outside.advance(this.now);
      const due = this.outside.takeStop();
      if (due !== undefined) return due;
      const thread = this.choose();
      const stop = thread === undefined ? this.skipIdle(request.until) : this.runThread(thread, request, thread.engineVcpu === resume);
      if (stop !== undefined) return stop;
      if (thread?.engineVcpu === resume) resume = undefined;
    }
  }

  /** Nothing runs from now on: `run` answers this. */
  end(stop: Stop): void {
    this.ended ??= stop;
  }

  /** What `end` was told first. */
  get endedWith(): Stop | undefined {
    return this.ended;
  }

  /** Instructions that the vCPUs of a VM have retired since power-on. */
  retiredByVm(vmid: number): number {
    return this.retiredOfVms.get(vmid) ?? 0;
  }

  save(): LoopState {
    return { now: this.now, retired: this.retired, cpu: this.cpu, turnStart: this.turnStart, retiredByVcpu: this.retiredByVcpu.map((count) => count), retiredByVm: [...this.retiredOfVms], ended: this.ended };
  }

  restore(saved: LoopState): void {
    this.now = ticks(saved.now);
    this.retired = saved.retired;
    this.cpu = saved.cpu;
    this.turnStart = ticks(saved.turnStart);
    this.retiredByVcpu = [...saved.retiredByVcpu];
    this.retiredOfVms = new Map(saved.retiredByVm);
    this.ended = saved.ended;
  }

  /** Instructions that one vCPU retired. */
  retiredBy(vcpu: VcpuIndex): number {
    return this.retiredByVcpu[vcpu] ?? 0;
  }

  /** The physical CPU whose turn it is. */
  get currentCpu(): number {
    return this.cpu;
  }

  /** The current CPU keeps its turn unless it has nothing to run, or its quantum is over and another CPU has work. */
  private choose(): T | undefined {
    const { cpuCount } = this.outside;
    const isOver = this.now - this.turnStart >= QUANTUM_TICKS;
    const current = this.hypervisor.pick(this.cpu);
    if (current !== undefined && !isOver) return current;
    for (let i = 1; i < cpuCount; i++) {
      const cpu = (this.cpu + i) % cpuCount;
      const thread = this.hypervisor.pick(cpu);
      if (thread === undefined) continue;
      this.cpu = cpu;
      this.turnStart = this.now;
      return thread;
    }
    return current;
  }

  private othersReady(): boolean {
    for (let i = 1; i < this.outside.cpuCount; i++) {
      if (this.hypervisor.pick((this.cpu + i) % this.outside.cpuCount) !== undefined) return true;
    }
    return false;
  }

  private skipIdle(until: Ticks): Stop | undefined {
    const due = [this.outside.nextDeadline(), this.outside.nextInput()].filter((tick) => tick !== undefined);
    if (due.length === 0) return { kind: 'idle' };
    const next = Math.max(this.now + 1, Math.min(...due));
    if (next > until) {
      this.now = until;
      return { kind: 'limit' };
    }
    this.now = ticks(next);
    return undefined;
  }

  private limit({ until, retiredMax }: RunRequest): Stop | undefined {
    return this.now >= until || this.retired >= (retiredMax ?? Number.POSITIVE_INFINITY) ? LIMIT : undefined;
  }

  private runThread(thread: T, request: RunRequest, resume: boolean): Stop | undefined {
    const { engineVcpu } = thread;
    if (engineVcpu === undefined) {
      const elapsed = Math.max(1, this.hypervisor.runNative(thread));
      this.pass(elapsed);
      this.hypervisor.account(thread, elapsed);
      this.outside.handled(thread);
      return undefined;
    }
    this.effort += PASS_EFFORT;
    const stepping = request.stepVcpu === engineVcpu;
    const before = this.retired;
    const budget = stepping ? 1 : this.budget(request);
    const { retired, exit } = this.engine.run(engineVcpu, { budget, tickNow: this.now, resume, entriesMax: ENTRIES_PER_RUN_MAX });
    this.retired += retired;
    this.effort += exit.reason === 'budget' && retired < budget ? TRAPPING_EFFORT : retired;
    this.pass(retired);
    const stop = this.handle(thread, exit, { retired, resuming: resume && retired === (exit.reason === 'hvc' ? 1 : 0) });
    const ran = this.retired - before;
    if (ran > 0) this.noteRetired(thread, ran);
    if (stop !== undefined) return stop;
    return stepping && ran > 0 ? { kind: 'step', vcpu: engineVcpu } : undefined;
  }

  private noteRetired(thread: T, count: number): void {
    const { vmid, engineVcpu } = thread;
    this.retiredOfVms.set(vmid, this.retiredByVm(vmid) + count);
    if (engineVcpu !== undefined) this.retiredByVcpu[engineVcpu] = this.retiredBy(engineVcpu) + count;
    this.outside.ran(thread, this.now);
  }

  private handle(thread: T, exit: Exit, { retired, resuming }: { retired: number; resuming: boolean }): Stop | undefined {
    const intercepted = exit.reason === 'budget' ? undefined : this.outside.intercept(thread, exit, resuming);
    if (intercepted?.takenBack === true) {
      this.retired--;
      this.pass(-1);
      this.hypervisor.account(thread, retired - 1);
      return intercepted.stop;
    }
    this.hypervisor.account(thread, retired);
    if (exit.reason === 'budget') return undefined;
    this.outside.elapse(this.now);
    const completed = intercepted === undefined ? this.hypervisor.handleExit(thread, exit) : intercepted.completed === true ? 1 : 0;
    this.retired += completed;
    this.pass(intercepted === undefined && !HAS_RETIRED[exit.reason] ? Math.max(1, completed) : completed + (intercepted?.elapsed ?? 0));
    this.outside.handled(thread);
    return intercepted?.stop;
  }

  private pass(elapsed: number): void {
    this.now = ticks(this.now + elapsed);
  }

  private budget({ until, retiredMax }: RunRequest): number {
    let budget = Math.min(until - this.now, RUN_TICKS_MAX, (retiredMax ?? Number.POSITIVE_INFINITY) - this.retired);
    budget = Math.min(budget, this.until(this.outside.nextDeadline()), this.until(this.outside.nextInput()), this.until(this.hypervisor.nextSliceDeadline(this.cpu)));
    if (this.outside.cpuCount > 1 && this.othersReady()) budget = Math.min(budget, this.turnStart + QUANTUM_TICKS - this.now);
    assert(Number.isSafeInteger(budget), 'a budget is a whole number of ticks');
    return Math.max(1, budget);
  }

  private until(tick: Ticks | undefined): number {
    return tick === undefined ? RUN_TICKS_MAX : tick - this.now;
  }
}
