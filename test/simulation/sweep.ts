/**
 * Sweeps: one kind of fault at each point where it can happen. A run without a fault counts the points and leaves checkpoints; each fault is reached from
 * the checkpoint before it and followed until the primary VM has ended the VM that was hurt and another one, or to the end of the run.
 *
 * What must hold: the hypervisor's invariants, the other VMs go on as ever, the primary VM gets on, and objects, page owners, VMIDs,
 * parcels and the heap are then what they are at the same place without the fault.
 */

import { ticks, type System } from '../../runtime/index';
import { Timeline } from '../../runtime/timeline/timeline';
import { powerOn, type Subject } from '../support/system';
import { type Counts, type Fault, Points, type Sweep, SWEEPS, type SweepName } from './fault-points';
import { resourcesOf, workersOf } from './faults';

const MARK_EVERY = 1_500_000;
const SLICE = 400_000;
/** Lines of the primary VM after the fault at which resources are looked at: the VM that was hurt, and one more. */
const LINES_AFTER = 2;
/** Every so many points of a sweep the run goes on to its end. */
const TO_END_EVERY = 12;
/** A primary VM that says nothing for so long says nothing any more: its longest silence without a fault is a tenth of it. */
const SILENCE_MAX = 60_000_000;
const END = 200_000_000;

/** How a fault went. */
export interface Outcome { readonly fault: Fault; readonly hasFired: boolean; readonly isWaiting: boolean; readonly complaint: string | undefined }

interface Mark { readonly tick: number; readonly counts: Counts; readonly lines: number }

/** A system that is run once without a fault and then again and again with one. Faults are to be run from the last to the first. */
export class Sweeper {
  private readonly system: System;
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

  constructor(subject: Subject) {
    this.system = powerOn(subject);
    this.timeline = new Timeline(this.system, { intervalEffort: Number.MAX_SAFE_INTEGER, budgetBytes: 2 ** 30, checkpointCountMax: 10_000 });
    this.points = new Points(this.system, () => {
      this.lines++;
      this.lastLine = this.system.now;
      this.atLine = resourcesOf(this.system);
      if (this.points.fault === undefined) this.whole[this.lines] = this.atLine;
    });
    this.mark();
    while (this.step() === 'limit') if (this.system.now - (this.marks.at(-1)?.tick ?? 0) >= MARK_EVERY) this.mark();
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
    for (const { fault, n, mark } of ordered) {
      let complaint: string | undefined;
      try {
        this.goTo(mark);
        complaint = this.follow(fault, n % TO_END_EVERY === 0);
      } catch (error) {
        complaint = error instanceof Error ? error.stack ?? error.message : String(error);
      }
      const isWaiting = complaint === 'the primary VM does not get on';
      yield { fault, hasFired: this.points.hasFired, isWaiting, complaint: isWaiting && SWEEPS[fault.sweep].mayWait ? undefined : complaint };
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
    this.points.counts = { ...mark.counts };
    this.points.hasFired = false;
    this.lines = mark.lines;
    this.lastLine = mark.tick;
  }

  private step(): string {
    const { kind } = this.system.run({ until: ticks(this.system.now + SLICE), effortMax: 100_000_000 });
    this.system.parts.hypervisor.checkInvariants();
    return kind;
  }

  /** Runs on with a fault; answers what is wrong. */
  private follow(fault: Fault, isToEnd: boolean): string | undefined {
    this.points.fault = fault;
    let isLate = isToEnd;
    let goal = Number.POSITIVE_INFINITY;
    for (;;) {
      const kind = this.step();
      const worker = workersOf(this.system);
      if (worker !== undefined) return worker;
      if (kind !== 'limit') return kind === 'power' ? compare(resourcesOf(this.system), this.end, SWEEPS[fault.sweep]) : `the run ends with ${kind}`;
      if (this.points.hasFired && goal === Number.POSITIVE_INFINITY && !isToEnd) goal = this.lines + LINES_AFTER;
      // What differs now may still come back.
      if (!isLate && this.lines >= goal && (this.whole[this.lines] === undefined || this.atLine === this.whole[this.lines])) return undefined;
      if (this.lines >= goal) isLate = true;
      if (this.system.now - this.lastLine > SILENCE_MAX || this.system.now > END) return 'the primary VM does not get on';
    }
  }
}

function compare(now: string, wanted: string, { mayKeep }: Sweep): string | undefined {
  const isKept = mayKeep === true && ['VMs', 'parcels'].some((what) => part(now, what) !== part(wanted, what));
  return now === wanted || isKept ? undefined : `left are ${differences(now, wanted)}`;
}

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
