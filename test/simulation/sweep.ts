/**
 * Sweeps: one kind of fault at each point where it can happen. A run without a fault counts the points and leaves checkpoints; each fault is reached from
 * the checkpoint before it and followed until the primary VM has ended the VM that was hurt and another one, or to the end of the run. What follows
 * from a state is always the same: a run that comes into the state of an earlier one at the same time ends as that one did.
 *
 * What must hold: the hypervisor's invariants, the other VMs go on as ever, the primary VM gets on, and objects, page owners, VMIDs,
 * parcels and the heap are then what they are at the same place without the fault.
 */

import { pa } from '../../runtime/base/brands';
import { ticks, type System } from '../../runtime/index';
import type { TimelineSubject } from '../../runtime/system/subject';
import { StateHash } from '../../runtime/system/state-hash';
import { Timeline } from '../../runtime/timeline/timeline';
import { powerOn, type Subject } from '../support/system';
import { type Counts, type Fault, Points, STREAMS, type Sweep, SWEEPS, type SweepName } from './fault-points';
import { resourcesOf, workersOf } from './faults';

/** The run without a fault stops so often. There is a checkpoint where points lie close together, and else now and then. */
const GRID = 10_000;
const MARK_EVERY = 100_000;
const CLOSE: Partial<Counts> = { 'packet': 1, 'send': 2, 'own-call': 1, 'call': 4, 'allocation': 20 };
/** Times after a checkpoint at which invariants and state are looked at; later at multiples of the last one. */
const LOOKS = [3, 8, 24, 40].map((n) => n * GRID);
const LOOK_EVERY = 400_000;
/** Lines of the primary VM after the fault at which resources are looked at: the VM that was hurt, and one more. */
const LINES_AFTER = 2;
/** Every so many runs of a sweep that come into no known state go on to their end. */
const TO_END_EVERY = 12;
/** A primary VM that says nothing for so long says nothing any more: its longest silence without a fault is a tenth of it. Where it may wait for ever, a third is enough. */
const SILENCE_MAX = { still: 60_000_000, mayWait: 20_000_000 };
const END = 200_000_000;
const WAITS = 'the primary VM does not get on';

/** How a fault went. */
export interface Outcome { readonly fault: Fault; readonly hasFired: boolean; readonly isWaiting: boolean; /** It came into the state of an earlier run. */ readonly isKnown: boolean; readonly complaint: string | undefined }

interface Mark { readonly tick: number; readonly counts: Counts; readonly lines: number }

/** A system as its timeline sees it, with a look at what has changed since the last checkpoint. */
class Changes implements TimelineSubject {
  private readonly system: System;
  private readonly dirty = new Set<number>();

  constructor(system: System) {
    this.system = system;
  }

  get now(): System['now'] {
    return this.system.now;
  }

  get effort(): number {
    return this.system.effort;
  }

  save(): unknown {
    return this.system.save();
  }

  restore(saved: unknown): void {
    this.system.restore(saved);
  }

  collectDirtyPages(): Uint32Array {
    const pages = this.dirtyPages();
    this.dirty.clear();
    return pages;
  }

  readPage(index: number): Uint8Array {
    return this.system.readPage(index);
  }

  restorePage(index: number, bytes: Uint8Array): void {
    this.system.restorePage(index, bytes);
  }

  memoryRestored(): void {
    this.system.memoryRestored();
  }

  truncateFuture(): void {
    this.system.truncateFuture();
  }

  /** One number for the state, among all that follow from the same checkpoint. The hypervisor's trace, which nothing reads, is left out. */
  hash(): string {
    const hash = new StateHash();
    const { loop, parts, vcpus } = this.system.save();
    hash.value({ loop, parts, vcpus });
    const trace = this.system.parts.hypervisor.kernel.traceLog?.buffer;
    const first = trace === undefined ? 0 : this.system.parts.engine.memory.pageIndexOf(pa(trace.base));
    const end = trace === undefined ? 0 : first + Math.ceil(trace.sizeBytes / 4096);
    for (const page of this.dirtyPages()) {
      if (page >= first && page < end) continue;
      hash.word(page);
      hash.bytes(this.readPage(page));
    }
    return hash.digest();
  }

  private dirtyPages(): Uint32Array {
    for (const page of this.system.collectDirtyPages()) this.dirty.add(page);
    return Uint32Array.from(this.dirty).sort();
  }
}

/** A system that is run once without a fault and then again and again with one. Faults are to be run from the last to the first. */
export class Sweeper {
  private readonly system: System;
  private readonly changes: Changes;
  private readonly timeline: Timeline;
  private readonly points: Points;
  private readonly marks: Mark[] = [];
  /** Resources at each line of the primary VM, and at the end of the run. */
  private readonly whole: string[] = [];
  private readonly total: Counts;
  private readonly end: string;
  private lines = 0;
  private atLine = '';
  private lastLine = 0;
  /** How runs from the same checkpoint ended, by states that they came through. */
  private readonly known = new Map<string, { readonly complaint: string | undefined }>();
  private knownFrom = -1;
  private followed = 0;

  constructor(subject: Subject) {
    this.system = powerOn(subject);
    this.changes = new Changes(this.system);
    this.timeline = new Timeline(this.changes, { intervalEffort: Number.MAX_SAFE_INTEGER, budgetBytes: 2 ** 30, checkpointCountMax: 10_000 });
    this.points = new Points(this.system, () => {
      this.lines++;
      this.lastLine = this.system.now;
      this.atLine = resourcesOf(this.system);
      if (this.points.fault === undefined) this.whole[this.lines] = this.atLine;
    });
    this.mark();
    while (this.runTo(this.system.now + GRID) === 'limit') if (this.isMarkDue()) this.mark();
    this.total = { ...this.points.counts };
    this.end = resourcesOf(this.system);
  }

  /** Every fault of a kind, in order. */
  faultsOf(sweep: SweepName): Fault[] {
    const { stream, ways } = SWEEPS[sweep];
    return Array.from({ length: this.total[stream] }, (_, at) => at).flatMap((at) => Array.from({ length: ways(this.points.sizes[at] ?? 0) }, (_, way) => ({ sweep, at, way })));
  }

  /** Runs faults, from the last to the first. */
  *run(faults: readonly Fault[]): IterableIterator<Outcome> {
    const markOf = (fault: Fault): number => this.marks.filter(({ counts }) => counts[SWEEPS[fault.sweep].stream] <= fault.at).length - 1;
    const ordered = faults.map((fault, n) => ({ fault, n, mark: markOf(fault) })).sort((a, b) => b.mark - a.mark || a.n - b.n);
    for (const { fault, mark } of ordered) {
      this.goTo(mark);
      const { isKnown, complaint } = this.follow(fault);
      const isWaiting = complaint === WAITS;
      yield { fault, hasFired: this.points.hasFired, isWaiting, isKnown, complaint: isWaiting && SWEEPS[fault.sweep].mayWait ? undefined : complaint };
    }
  }

  private mark(): void {
    this.timeline.mark();
    this.marks.push({ tick: this.system.now, counts: { ...this.points.counts }, lines: this.lines });
  }

  private goTo(index: number): void {
    const mark = this.marks[index];
    if (mark === undefined) throw new Error('there is a mark before every point');
    this.timeline.approach(ticks(mark.tick));
    this.timeline.branch();
    if (mark.tick !== this.knownFrom) this.known.clear();
    this.knownFrom = mark.tick;
    this.points.counts = { ...mark.counts };
    this.points.hasFired = false;
    this.lines = mark.lines;
    this.lastLine = mark.tick;
  }

  private isMarkDue(): boolean {
    const last = this.marks[this.marks.length - 1];
    const { counts } = this.points;
    return last === undefined || this.system.now - last.tick >= MARK_EVERY || STREAMS.some((stream) => counts[stream] - last.counts[stream] >= (CLOSE[stream] ?? Number.POSITIVE_INFINITY));
  }

  private runTo(tick: number): string {
    for (;;) {
      const { kind } = this.system.run({ until: ticks(tick), effortMax: 100_000_000 });
      if (kind !== 'limit' || this.system.now >= tick) return kind;
    }
  }

  /** Runs on with a fault until it ends or comes into a state from which it is known how it ends. */
  private follow(fault: Fault): { readonly isKnown: boolean; readonly complaint: string | undefined } {
    const passed: string[] = [];
    const run = new Run(fault, this.followed % TO_END_EVERY === 0);
    this.points.fault = fault;
    for (let look = 0; ; look++) {
      const result = this.advance(run, this.knownFrom + (LOOKS[look] ?? (look - LOOKS.length + 2) * LOOK_EVERY));
      if (result === undefined && this.points.hasFired) {
        const state = `${String(this.system.now)} ${String(this.lines)} ${String(run.goal)} ${this.changes.hash()}`;
        const known = this.known.get(state);
        if (known !== undefined) return { ...known, isKnown: true };
        passed.push(state);
      }
      if (result === undefined) continue;
      for (const state of passed) this.known.set(state, result);
      this.followed++;
      return { ...result, isKnown: false };
    }
  }

  /** Runs on for a bit; answers what is wrong once it is known whether anything is. */
  private advance(run: Run, until: number): { readonly complaint: string | undefined } | undefined {
    const { fault } = run;
    try {
      const kind = this.runTo(until);
      this.system.parts.hypervisor.checkInvariants();
      const worker = workersOf(this.system);
      if (worker !== undefined) return { complaint: worker };
      if (kind !== 'limit') return { complaint: kind === 'power' ? compare(resourcesOf(this.system), this.end, SWEEPS[fault.sweep]) : `the run ends with ${kind}` };
    } catch (error) {
      return { complaint: error instanceof Error ? error.stack ?? error.message : String(error) };
    }
    // Some find nothing to hurt.
    if (!this.points.hasFired) return this.points.counts[SWEEPS[fault.sweep].stream] > fault.at ? { complaint: undefined } : undefined;
    run.goal ??= this.lines + LINES_AFTER;
    // What differs now may still come back.
    if (!run.isToEnd && this.lines >= run.goal && (this.whole[this.lines] === undefined || this.atLine === this.whole[this.lines])) return { complaint: undefined };
    if (this.lines >= run.goal) run.isToEnd = true;
    return this.system.now - this.lastLine > SILENCE_MAX[SWEEPS[fault.sweep].mayWait ? 'mayWait' : 'still'] || this.system.now > END ? { complaint: WAITS } : undefined;
  }
}

/** One run with a fault: the number of the primary VM's lines at which resources are looked at, once that is known, or its end. */
class Run {
  readonly fault: Fault;
  isToEnd: boolean;
  goal: number | undefined;

  constructor(fault: Fault, isToEnd: boolean) {
    this.fault = fault;
    this.isToEnd = isToEnd;
  }
}

function compare(now: string, wanted: string, { mayKeep }: Sweep): string | undefined {
  const isKept = mayKeep === true && ['VMs', 'parcels'].some((what) => part(now, what) !== part(wanted, what));
  return now === wanted || isKept || hasFewerVms(now, wanted) ? undefined : `left are ${differences(now, wanted)}`;
}

/** A VM that can never be given back, because its configuration was refused, is not left where its making failed before. */
function hasFewerVms(now: string, wanted: string): boolean {
  const [left, right] = [vmsOf(now), vmsOf(wanted)];
  return left.every((vmid) => right.includes(vmid)) && now.replace(part(now, 'VMs') ?? '', part(wanted, 'VMs') ?? '') === wanted;
}

const vmsOf = (resources: string): string[] => (part(resources, 'VMs') ?? '').replace('VMs ', '').split(',');

const part = (resources: string, what: string): string | undefined => resources.split('; ').find((one) => one.startsWith(what));

/** Only what differs of two lists of resources. */
function differences(now: string, wanted: string): string {
  const [left, right] = [now.split('; '), wanted.split('; ')];
  return `${left.filter((one) => !right.includes(one)).join('; ')}, without the fault ${right.filter((one) => !left.includes(one)).join('; ')}`;
}

/** An evenly spread sample of a list. */
export function sample<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, n) => items[Math.floor(((n + 0.5) * items.length) / count)]).filter((item) => item !== undefined);
}

/** A fault as people read it, with the command that shows it again. */
export const describeFault = ({ sweep, at, way }: Fault): string => `npm run simulate -- faults --sweep ${sweep} --at ${String(at)} --way ${String(way)}`;
