/**
 * A system under a debugger: run control, breakpoints, stepping, travel in time and changes to state, in the debugger's terms.
 *
 * Everything that takes time is a `Job`: a generator to be driven slice by slice. One job runs at a time. Between jobs the
 * system stands still at a consistent point.
 */

import { assert } from '../base/assert';
import { pa, ticks, vmid, type Ticks, type Va } from '../base/brands';
import type { EventOrigin } from '../base/trace-event';
import type { LookOut, System } from '../system/system';
import type { Stop } from '../system/stop';
import { Timeline, TIMELINE_DEFAULTS, type TimelineOptions } from '../timeline/timeline';
import { BreakpointSet, type Breakpoint, type ExceptionFilter, type Hit } from './breakpoints';
import { History, SLICE_EFFORT, SLICE_TICKS, type Search } from './history';
import type { Job, JobProgress, StopReport } from './job';
import type { MovingCode } from './moving-code';
import { Stepper, type LineView, type Runner, type StepEnd } from './step';

/** How a target is set up. */
export interface DebugTargetOptions {
  /** History kept, or `off`: then nothing can be stepped back. */
  readonly history: Partial<TimelineOptions> | 'off';
}

/** The exception filter that asks for a stop when everything waits. */
const WFI_DEADLOCK = 'wfi-deadlock';
const ENTRY_ID = -2;
/** Watchpoints with this number and above are the target's own; those of users have small numbers. */
const SENTINEL_ID_FIRST = 1 << 20;

/** Every kind of step. */
export type StepKind = 'into' | 'over' | 'out';

/** A debugged system. */
export class DebugTarget implements Runner {
  readonly system: System;
  readonly timeline: Timeline;
  readonly history: History;
  readonly breakpoints: BreakpointSet;
  private readonly stepper: Stepper;
  private readonly hasHistory: boolean;
  private temporary: Breakpoint | undefined;
  /** Asked when nothing can run any more: whether that stops the session; else it waits for input. Absent: it waits. */
  stopsWhenIdle: ((hit: Hit) => boolean) | undefined;
  /** Code whose addresses change while it runs. */
  moving: readonly MovingCode[] = [];
  /** Called when such code has moved, so that breakpoints follow it. */
  onMoved: () => void = () => undefined;
  private busy = false;
  /** While history is searched or a time is sought, what to look out for is not the user's choice. */
  private travels = false;
  private lastReport: StopReport | undefined;
  /** What the breakpoints said of the latest stop: conditions and hit counts must be asked once. */
  private judged: { readonly stop: Stop; readonly hit: ReturnType<BreakpointSet['resolve']> } | undefined;

  constructor(system: System, options: DebugTargetOptions) {
    this.system = system;
    this.hasHistory = options.history !== 'off';
    const history = options.history === 'off' ? { intervalEffort: Number.MAX_SAFE_INTEGER } : options.history;
    this.timeline = new Timeline(system, { ...TIMELINE_DEFAULTS, ...history });
    this.history = new History(system, this.timeline);
    this.breakpoints = new BreakpointSet({
      vmNameOf: (vcpu) => system.vmNameOf(vcpu), vmName: (vmid) => system.vmName(vmid), pcOf: (vcpu) => system.pcOf(vcpu), levelOf: (vcpu) => system.engine.vcpu(vcpu).el,
      readPhysical: (address, sizeBytes) => system.readPhysical(pa(address), sizeBytes),
      originOf: (vcpu) => originOf(system, vcpu),
    });
    this.stepper = new Stepper(system, this, this.history);
    system.onInput = () => { this.branch(); };
  }

  /** True if time can be travelled. */
  get canTravel(): boolean {
    return this.hasHistory;
  }

  /** True while a job is under way. */
  get isBusy(): boolean {
    return this.busy;
  }

  /** Runs until a breakpoint, the end, or a pause. */
  continue(): Job {
    return this.job(this.continueJob());
  }

  /** Runs to the first instruction of the primary VM. */
  runToEntry(): Job {
    return this.job(this.entryJob());
  }

  /** Steps one vCPU by source line, or by instruction if there are no lines. */
  stepLine(vcpu: number, kind: StepKind, lines: LineView): Job {
    return this.job(this.stepJob(vcpu, kind === 'out' ? this.stepper.out(vcpu, lines) : this.stepper.line(vcpu, lines, kind)));
  }

  /** Steps one vCPU by one instruction; `over` runs calls to their return, and handlers of interrupts that come first. */
  stepInstruction(vcpu: number, kind: 'into' | 'over', lines?: LineView): Job {
    return this.job(this.stepJob(vcpu, kind === 'into' ? this.stepper.instruction(vcpu) : this.stepper.overInstruction(vcpu, lines)));
  }

  /** Steps into the call at the address `call` of the present line. */
  stepIntoCall(vcpu: number, lines: LineView, call: Va): Job {
    return this.job(this.stepJob(vcpu, this.stepper.intoCall(vcpu, lines, call)));
  }

  /** Goes back to where a frame began: at the function entry `entry` with the canonical frame address `cfa`. */
  restartFrame(vcpu: number, entry: Va, cfa: bigint): Job {
    return this.job(this.stepJob(vcpu, this.stepper.backToEntry(vcpu, entry, cfa)));
  }

  /** Goes back by one statement, or by one instruction if `lines` is absent. */
  stepBack(vcpu: number, lines: LineView | undefined): Job {
    return this.job(this.journey(this.stepJob(vcpu, lines === undefined ? this.stepper.backInstruction(vcpu) : this.stepper.backLine(vcpu, lines))));
  }

  /** Goes back to the last time a breakpoint was hit. */
  reverseContinue(): Job {
    return this.job(this.journey(this.reverseJob()));
  }

  /** Goes to another time. */
  seek(tick: Ticks): Job {
    return this.job(this.journey(this.seekJob(tick)));
  }

  /** Goes back to just after the last write to `pieces` of physical memory. */
  lastWrite(pieces: readonly { readonly address: bigint; readonly sizeBytes: number }[]): Job {
    return this.job(this.journey(this.lastWriteJob(pieces)));
  }

  /** Breakpoints, filters or watchpoints changed: takes effect with the next slice. */
  refresh(): void {
    if (!this.travels) this.system.lookOutFor(this.lookout());
  }

  /** An input from outside is about to change state: history branches if this is the past. The system calls this itself. */
  branch(): void {
    if (this.timeline.replaying) this.timeline.branch();
  }

  setFilters(filters: readonly ExceptionFilter[], exceptionClasses: bigint): void {
    this.breakpoints.setFilters(filters, exceptionClasses);
    this.refresh();
  }

  // Runner, for the stepper.

  *runUntilStop(resumeVcpu: number | undefined): Search<Stop | undefined> {
    this.refresh();
    let resume = resumeVcpu;
    for (;;) {
      const before = this.lastRetired(resume);
      const stop = this.slice(resume === undefined ? {} : { resumeVcpu: resume });
      if (stop.kind === 'idle' && !this.isIdleStop()) {
        if ((yield { idle: true }) === true) return undefined;
      } else if (stop.kind !== 'limit') {
        return stop;
      } else if ((yield {}) === true) {
        return undefined;
      }
      if (this.lastRetired(resume) !== before) resume = undefined;
    }
  }

  *stepOnce(vcpu: number): Search<Stop | undefined> {
    this.refresh();
    const before = this.lastRetired(vcpu);
    let resume: number | undefined = vcpu;
    for (;;) {
      const resumedBefore = this.lastRetired(resume);
      const stop = this.slice({ stepVcpu: vcpu, ...(resume === undefined ? {} : { resumeVcpu: resume }) });
      const told = stop.kind === 'step' ? this.system.takeStop() ?? stop : stop;
      if (told.kind === 'limit' || (told.kind === 'idle' && !this.isIdleStop())) {
        if ((yield told.kind === 'idle' ? { idle: true } : {}) === true) return undefined;
        if (this.lastRetired(resume) !== resumedBefore) resume = undefined;
      } else if (told.kind === 'step' || this.isUserStop(told)) {
        return told;
      } else if (this.lastRetired(vcpu) !== before) {
        return { kind: 'step', vcpu };
      } else {
        resume = vcpuOf(told) ?? undefined;
      }
    }
  }

  setTemporary(breakpoint: Breakpoint | undefined): void {
    this.temporary = breakpoint;
    this.refresh();
  }

  isUserStop(stop: Stop): boolean {
    return isFinal(stop) || this.hitOf(stop) !== undefined;
  }

  private isIdleStop(): boolean {
    return this.stopsWhenIdle?.({ vcpu: this.system.focusVcpu ?? null }) === true;
  }

  private hitOf(stop: Stop): ReturnType<BreakpointSet['resolve']> {
    if (this.judged?.stop !== stop) this.judged = { stop, hit: this.breakpoints.resolve(stop) };
    return this.judged.hit;
  }

  private lastRetired(vcpu: number | undefined): Ticks | undefined {
    return vcpu === undefined ? undefined : this.system.lastRetired(vcpu);
  }

  private slice(request: { readonly stepVcpu?: number; readonly resumeVcpu?: number }): Stop {
    const stop = this.system.run({ until: ticks(this.system.now + SLICE_TICKS), effortMax: SLICE_EFFORT, ...request });
    this.timeline.observe();
    if (stop.kind === 'limit' || (stop.kind === 'watchpoint' && stop.id >= SENTINEL_ID_FIRST)) this.settle();
    return stop;
  }

  /** Looks whether code has moved since, and has breakpoints follow it. */
  private settle(): void {
    let hasMoved = false;
    for (const code of this.moving) hasMoved = code.settle() || hasMoved;
    if (!hasMoved) return;
    this.onMoved();
    this.refresh();
  }

  private lookout(): LookOut {
    const lookout = this.breakpoints.lookout();
    const temporary = this.temporary?.place;
    const sentinels = this.moving.flatMap((code) => code.sentinel()).map((piece, i) => ({ ...piece, id: SENTINEL_ID_FIRST + i, access: 'write' as const }));
    return {
      ...lookout,
      addresses: temporary?.kind === 'code' ? [...lookout.addresses, ...temporary.addresses] : lookout.addresses,
      watchpoints: sentinels.length === 0 ? lookout.watchpoints : [...lookout.watchpoints, ...sentinels],
    };
  }

  /** A job that moves through history; breakpoints that change meanwhile count when it has ended. */
  private *journey(body: Job): Job {
    this.travels = true;
    this.breakpoints.forgetValues();
    return yield* body;
  }

  /** Wraps a job so that only one runs and the look-out is restored after it. */
  private *job(body: Job): Job {
    assert(!this.busy, 'one job runs at a time');
    this.busy = true;
    this.settle();
    this.breakpoints.noteValues();
    try {
      return yield* body;
    } finally {
      this.busy = false;
      this.travels = false;
      this.temporary = undefined;
      this.settle();
      this.refresh();
    }
  }

  private *continueJob(): Job {
    let resume = this.lastReport?.vcpu ?? this.system.focusVcpu;
    for (;;) {
      const stop: Stop | undefined = yield* this.runUntilStop(resume);
      if (stop === undefined) return this.report({ reason: 'pause' });
      const report = this.reportStop(stop);
      if (report !== undefined) return report;
      resume = 'vcpu' in stop && stop.vcpu !== null ? stop.vcpu : undefined;
    }
  }

  private *entryJob(): Job {
    this.setTemporary({ id: ENTRY_ID, place: { kind: 'code', vm: null, addresses: [this.system.primaryEntry] }, reason: 'entry' });
    const stop = yield* this.runUntilStop(undefined);
    if (stop === undefined) return this.report({ reason: 'pause' });
    const isEntry = stop.kind === 'breakpoint' && stop.pc === this.system.primaryEntry;
    return (isEntry ? undefined : this.reportStop(stop)) ?? this.report({ reason: 'entry', vcpu: vcpuOf(stop) });
  }

  private *stepJob(vcpu: number, step: Generator<JobProgress, StepEnd, boolean | undefined>): Job {
    const end = yield* step;
    if (end.kind === 'paused') return this.report({ reason: 'pause' });
    if (end.kind === 'history start') return this.report({ reason: 'history start', vcpu, text: 'This is the beginning of history.' });
    const report = end.kind === 'stopped' ? this.reportStop(end.stop) : undefined;
    return report ?? this.report({ reason: 'step', vcpu: end.kind === 'done' ? end.vcpu ?? vcpu : vcpu });
  }

  private *reverseJob(): Job {
    const origin = this.system.now;
    let last: ReturnType<BreakpointSet['resolve']>;
    const found = yield* this.history.findLast({
      end: origin,
      lookout: () => this.breakpoints.lookout(),
      accept: (stop) => {
        const resolved = this.breakpoints.resolve(stop);
        if (resolved !== undefined) last = resolved;
        return resolved !== undefined;
      },
    });
    if (found === 'abandoned') {
      yield* this.history.seek(origin);
      return this.report({ reason: 'pause' });
    }
    if (found !== undefined && last !== undefined) return this.report({ ...last, vcpu: vcpuOf(found) });
    yield* this.seekShown(this.timeline.start);
    return this.report({ reason: 'history start', text: 'Nothing was hit: this is the beginning of history.' });
  }

  private *seekJob(tick: Ticks): Job {
    const arrived = yield* this.seekShown(tick);
    return this.report(arrived ? { reason: 'goto', text: 'Moved to another time' } : { reason: 'pause' });
  }

  /** Goes to a tick at which there is something to see: the first of all has no vCPUs yet, as RM makes them in it. */
  private *seekShown(tick: Ticks): Generator<JobProgress, boolean, boolean | undefined> {
    const arrived = yield* this.history.seek(tick);
    return arrived && this.system.vcpuIndexes().length === 0 ? yield* this.history.seek(ticks(this.system.now + 1)) : arrived;
  }

  private *lastWriteJob(pieces: readonly { readonly address: bigint; readonly sizeBytes: number }[]): Job {
    const origin = this.system.now;
    const watchpoints = this.system.watchpointsOn(pieces, 'write');
    // Asked again at the answer, it goes on to the write before.
    const isAnswer = this.lastReport?.reason === 'data breakpoint' && this.lastReport.tick === origin;
    const found = yield* this.history.findLast({
      end: origin, includesEnd: !isAnswer, lookout: () => ({ addresses: [], watchpoints, exceptionClasses: 0n }), accept: (stop) => stop.kind === 'watchpoint',
    });
    if (found !== undefined && found !== 'abandoned') return this.report({ reason: 'data breakpoint', vcpu: vcpuOf(found) });
    yield* this.history.seek(origin);
    return this.report({ reason: 'pause', text: found === undefined ? 'Nothing wrote there since history began.' : 'The search was given up.' });
  }

  /** What a stop means to the user; undefined if it is none of theirs (a condition said no). */
  private reportStop(stop: Stop): StopReport | undefined {
    const hit = this.hitOf(stop);
    if (hit !== undefined) return this.report({ ...hit, vcpu: vcpuOf(stop) });
    switch (stop.kind) {
      case 'pause': return this.report({ reason: 'pause' });
      case 'power': return this.report({ reason: 'terminated', exitCode: stop.action === 'off' ? 0 : 3, text: `The platform was powered ${stop.action === 'off' ? 'off' : 'down for a reset'}.` });
      case 'exit': return this.report({ reason: 'terminated', exitCode: stop.code, text: `A guest ended the run with code ${stop.code}.` });
      case 'idle': return this.report({ reason: 'exception', exception: { filter: WFI_DEADLOCK }, text: 'Every vCPU waits for an interrupt that nothing will raise.' });
      default: return undefined;
    }
  }

  private report(report: Partial<StopReport> & Pick<StopReport, 'reason'>): StopReport {
    this.lastReport = { vcpu: this.system.focusVcpu ?? null, breakpointIds: [], tick: this.system.now, ...report };
    return this.lastReport;
  }
}

/** Time, VM and number of a vCPU, as events have them. */
function originOf(system: System, vcpu: number): EventOrigin {
  const name = system.vcpus().find(({ index }) => index === vcpu);
  return { tick: system.now, vmid: vmid(name?.vmid ?? 0), vcpu: name?.vcpu ?? 0 };
}

function isFinal(stop: Stop): boolean {
  return stop.kind === 'power' || stop.kind === 'exit' || stop.kind === 'idle' || stop.kind === 'pause';
}

function vcpuOf(stop: Stop): number | null {
  return 'vcpu' in stop ? stop.vcpu : null;
}
