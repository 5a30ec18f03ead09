/**
 * The fixed-priority round-robin scheduler: for each physical CPU 64 queues of runnable threads, time slices and directed yields.
 *
 * It decides who should run; somebody else runs it and accounts the time. A vCPU that vcpu_run runs is queued as any other thread while its donor is in
 * that call: it runs in the donor's time first and, where that ends before it stops, in a slice of its own; the donor's call answers when the donor is on a CPU again.
 * Gunyah: scheduler_fprr; the real hypervisor's times (`test/conformance/gunyah/owner/states.c`).
 */

import { assert } from '../base/assert';
import type { ErrorName } from './errors';
import { BLOCK, type BlockReason, type RunKind, type Thread } from './thread';

/** Priority levels; 63 is highest. */
const PRIORITY_COUNT = 64;

/** What the scheduler tells its surroundings. */
export interface SchedulerHooks {
  /** A vcpu_run of `donor` is over, for whatever reason, and answers now. */
  readonly runEnded: (donor: Thread, target: Thread, kind: RunKind) => void;
  /** Takes down what blocks and unblocks. */
  readonly trace?: { block(thread: Thread, reason: BlockReason, blocks: number): void; unblock(thread: Thread, reason: BlockReason): void } | undefined;
}

class CpuQueues {
  current: Thread | undefined;
  /** Threads that run here and have been moved away; they go on elsewhere once this CPU has looked. */
  leaving: Thread[] = [];
  private readonly queues: Thread[][] = Array.from({ length: PRIORITY_COUNT }, () => []);
  private queuedCount = 0;

  push(thread: Thread, where: 'head' | 'tail'): void {
    const queue = this.at(thread.priority);
    if (where === 'head') queue.unshift(thread);
    else queue.push(thread);
    this.queuedCount++;
  }

  remove(thread: Thread): boolean {
    const queue = this.at(thread.priority);
    const index = queue.indexOf(thread);
    if (index < 0) return false;
    queue.splice(index, 1);
    this.queuedCount--;
    return true;
  }

  /** Highest priority that has a queued thread, or -1. */
  get topPriority(): number {
    if (this.queuedCount === 0) return -1;
    let priority = PRIORITY_COUNT - 1;
    while (this.at(priority).length === 0) priority--;
    return priority;
  }

  take(priority: number): Thread | undefined {
    if (priority < 0) return undefined;
    this.queuedCount--;
    return this.at(priority).shift();
  }

  hasQueued(priority: number): boolean {
    return this.at(priority).length > 0;
  }

  has(thread: Thread): boolean {
    return this.at(thread.priority).includes(thread);
  }

  /** All queued threads in the order in which they would run. */
  get threads(): Thread[] {
    return [...this.queues].reverse().flat();
  }

  private at(priority: number): Thread[] {
    const queue = this.queues[priority];
    assert(queue !== undefined, 'a priority is out of range');
    return queue;
  }
}

/** Who runs where. */
export class Scheduler {
  readonly cpuCount: number;
  private readonly hooks: SchedulerHooks;
  private readonly cpus: CpuQueues[];

  constructor(cpuCount: number, hooks: SchedulerHooks) {
    this.cpuCount = cpuCount;
    this.hooks = hooks;
    this.cpus = Array.from({ length: cpuCount }, () => new CpuQueues());
  }

  /** The thread that should run on a CPU now; switches by priority and slice. */
  pick(cpu: number): Thread | undefined {
    const queues = this.at(cpu);
    this.letLeave(queues);
    this.reconsider(queues);
    const current = queues.current;
    if (current === undefined) return undefined;
    if (current.yieldTarget !== undefined && current.sliceTicks <= 0) {
      this.endYield(current);
      current.sliceTicks = current.timesliceTicks;
    }
    const runs = this.follow(current);
    if (runs.runTarget !== undefined) this.endRun(runs);
    return runs;
  }

  /** The thread at the head of a CPU without deciding anew; its donation is not followed. */
  currentOn(cpu: number): Thread | undefined {
    return this.at(cpu).current;
  }

  /** Threads waiting on a CPU in the order in which they would run. */
  queuedOn(cpu: number): readonly Thread[] {
    return this.at(cpu).threads;
  }

  /** Charges time to the slice that pays for it: the donor's, if there is one. */
  account(thread: Thread, ticks: number): void {
    let payer = thread;
    while (payer.yieldDonor !== undefined) payer = payer.yieldDonor;
    payer.sliceTicks = Math.max(0, payer.sliceTicks - ticks);
  }

  /** How many ticks of slice are left where that matters: a competitor of equal priority, or a donation. */
  sliceRemaining(cpu: number): number | undefined {
    const queues = this.at(cpu);
    const current = queues.current;
    if (current === undefined) return undefined;
    return current.yieldTarget !== undefined || queues.hasQueued(current.priority) ? Math.max(1, current.sliceTicks) : undefined;
  }

  /** Adds a reason not to run. */
  block(thread: Thread, reason: BlockReason): void {
    this.hooks.trace?.block(thread, reason, thread.blocks);
    thread.blocks |= BLOCK[reason];
    this.dequeue(thread);
  }

  /** Takes a reason away; the thread queues up when it was the last. */
  unblock(thread: Thread, reason: BlockReason): void {
    if (!thread.isBlockedBy(reason)) return;
    thread.blocks &= ~BLOCK[reason];
    this.hooks.trace?.unblock(thread, reason);
    this.enqueue(thread);
  }

  /** Queues a thread that has become runnable in some way. */
  enqueue(thread: Thread): void {
    if (!thread.isRunnable || thread.affinity === undefined || this.isPlaced(thread)) return;
    thread.sliceTicks = thread.timesliceTicks;
    this.at(thread.affinity).push(thread, 'tail');
  }

  /** Takes a thread off its CPU: it blocks, dies or moves. Donations to and from it end. */
  dequeue(thread: Thread): void {
    if (thread.state === 'exited') for (const queues of this.cpus) queues.leaving = queues.leaving.filter((other) => other !== thread);
    if (thread.yieldTarget !== undefined) this.endYield(thread);
    if (thread.yieldDonor !== undefined) this.endYield(thread.yieldDonor);
    if (thread.state === 'exited') this.endRun(thread);
    if (thread.affinity === undefined) return;
    const queues = this.at(thread.affinity);
    if (queues.current === thread) queues.current = undefined;
    else queues.remove(thread);
  }

  /**
   * Gunyah API: vcpu_set_affinity, asked for on `callingCpu`. DENIED for a thread that is pinned or lends its time; RETRY while an earlier move is
   * under way, which takes until the CPU that runs the thread looks again.
   */
  changeAffinity(thread: Thread, affinity: number | undefined, callingCpu: number | undefined): ErrorName {
    if (affinity === thread.affinity) return 'OK';
    if (thread.yieldTarget !== undefined || thread.runTarget !== undefined || (thread.header.state === 'active' && thread.isPinned)) return 'DENIED';
    if (thread.isBlockedBy('AFFINITY_CHANGED')) return 'RETRY';
    const runsOn = this.isRunning(thread) ? this.cpuOf(thread) : undefined;
    if (runsOn === undefined) this.hooks.trace?.block(thread, 'AFFINITY_CHANGED', thread.blocks);
    this.setAffinity(thread, affinity);
    if (runsOn === undefined) this.hooks.trace?.unblock(thread, 'AFFINITY_CHANGED');
    if (runsOn === undefined || runsOn === callingCpu) return 'OK';
    this.block(thread, 'AFFINITY_CHANGED');
    this.at(runsOn).leaving.push(thread);
    return 'OK';
  }

  /** Moves a thread to another CPU or to none. */
  setAffinity(thread: Thread, affinity: number | undefined): void {
    this.dequeue(thread);
    thread.affinity = affinity;
    this.enqueue(thread);
  }

  /** Gunyah API: scheduler_yield, hint 0. A donation to the caller ends instead. Where nobody of its priority waits the caller goes on with a slice anew. */
  yieldSlice(thread: Thread): void {
    if (thread.yieldDonor !== undefined) return this.endYield(thread.yieldDonor);
    const hasCompetitor = thread.affinity !== undefined && this.at(thread.affinity).topPriority >= thread.priority;
    thread.sliceTicks = hasCompetitor ? 0 : thread.timesliceTicks;
  }

  /** Ends a thread's vcpu_run if it is in one: the donor goes on, or is no more. */
  endRun(donor: Thread): void {
    const { runTarget: target, yieldKind: kind } = donor;
    if (donor.yieldTarget !== undefined || target === undefined || kind === undefined || kind === 'directed') return;
    donor.runTarget = undefined;
    donor.yieldKind = undefined;
    target.runner = undefined;
    this.hooks.runEnded(donor, target, kind);
  }

  /** Lets `target` run in the donor's time. The caller has checked that both can. */
  yieldTo(donor: Thread, target: Thread, kind: NonNullable<Thread['yieldKind']>): void {
    const outer = donor.yieldDonor;
    if (kind === 'directed' && outer !== undefined) {
      const isRedirect = outer.yieldKind === 'directed' && outer !== target;
      this.endYield(outer);
      if (isRedirect) this.link(outer, target, kind);
      return;
    }
    this.link(donor, target, kind);
  }

  /** True if the target may run by directed yield on the donor's CPU now. */
  canYieldTo(donor: Thread, target: Thread): boolean {
    if (donor === target || !target.isRunnable || target.yieldDonor !== undefined || target.yieldTarget !== undefined) return false;
    const cpu = this.cpuOf(donor);
    return cpu !== undefined && (target.affinity === undefined || target.affinity === cpu) && this.at(cpu).current !== target;
  }

  /** The CPU on which a thread runs, directly or in another's time. */
  cpuOf(thread: Thread): number | undefined {
    let payer = thread;
    while (payer.yieldDonor !== undefined) payer = payer.yieldDonor;
    return payer.affinity;
  }

  /** True if the thread is on a CPU now, or donates to what is. */
  isRunning(thread: Thread): boolean {
    let payer = thread;
    while (payer.yieldDonor !== undefined) payer = payer.yieldDonor;
    return payer.affinity !== undefined && this.at(payer.affinity).current === payer;
  }

  /** An interrupt arrived for a thread: a donation of its ends. */
  wake(thread: Thread): void {
    if (thread.yieldTarget !== undefined) this.endYield(thread);
  }

  save(): SavedScheduler {
    return { cpus: this.cpus.map(({ current, threads, leaving }) => ({ current: current?.header.id, queued: threads.map(idOf), leaving: leaving.map(idOf) })) };
  }

  restore(saved: SavedScheduler, thread: (id: number) => Thread): void {
    saved.cpus.forEach((from, cpu) => {
      const queues = new CpuQueues();
      this.cpus[cpu] = queues;
      queues.current = from.current === undefined ? undefined : thread(from.current);
      for (const id of from.queued) queues.push(thread(id), 'tail');
      queues.leaving = from.leaving.map(thread);
    });
  }

  private at(cpu: number): CpuQueues {
    const queues = this.cpus[cpu];
    assert(queues !== undefined, 'a CPU does not exist');
    return queues;
  }

  private isPlaced(thread: Thread): boolean {
    if (thread.affinity === undefined) return false;
    const queues = this.at(thread.affinity);
    return queues.current === thread || queues.has(thread);
  }

  private letLeave(queues: CpuQueues): void {
    if (queues.leaving.length === 0) return;
    for (const thread of queues.leaving.splice(0)) this.unblock(thread, 'AFFINITY_CHANGED');
  }

  private reconsider(queues: CpuQueues): void {
    const top = queues.topPriority;
    const { current } = queues;
    if (current === undefined) {
      this.turnTo(queues, top);
    } else if (current.sliceTicks <= 0 && top >= current.priority) {
      current.sliceTicks = current.timesliceTicks;
      queues.push(current, 'tail');
      this.turnTo(queues, top);
      if (current.yieldTarget !== undefined) this.endYield(current);
    } else if (top > current.priority) {
      // A donation is only interrupted: it goes on when its donor is the first again.
      queues.push(current, 'head');
      this.turnTo(queues, top);
    }
  }

  /** The first of a queue has its turn: in its own time, whoever lent it some. */
  private turnTo(queues: CpuQueues, priority: number): void {
    queues.current = queues.take(priority);
    const donor = queues.current?.yieldDonor;
    if (donor !== undefined) this.endYield(donor);
  }

  private follow(thread: Thread): Thread {
    let runs = thread;
    while (runs.yieldTarget !== undefined) runs = runs.yieldTarget;
    return runs;
  }

  private link(donor: Thread, target: Thread, kind: NonNullable<Thread['yieldKind']>): void {
    assert(donor.yieldTarget === undefined && target.yieldDonor === undefined, 'a donation is made twice');
    donor.yieldTarget = target;
    donor.yieldKind = kind;
    target.yieldDonor = donor;
    if (kind === 'directed') return;
    donor.runTarget = target;
    target.runner = donor;
  }

  private endYield(donor: Thread): void {
    const target = donor.yieldTarget;
    if (target === undefined) return;
    donor.yieldTarget = undefined;
    target.yieldDonor = undefined;
    if (target.yieldTarget !== undefined) this.endYield(target);
    if (donor.runTarget === undefined) donor.yieldKind = undefined;
    else if (this.isRunning(donor)) this.endRun(donor);
  }
}

function idOf(thread: Thread): number {
  return thread.header.id;
}

/** Saved form: object ids. */
export interface SavedScheduler { readonly cpus: readonly { readonly current: number | undefined; readonly queued: readonly number[]; readonly leaving: readonly number[] }[] }
