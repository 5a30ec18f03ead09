/**
 * Where in the trace the events lie that views ask for at every stop: those of the Resource Manager, of message queues, and changes of vCPUs. Each event
 * is looked at once, so that a long trace costs no more than a short one.
 */

import type { System, TraceEvent } from '../../runtime/index';

/** What views ask for. */
export type IndexedKind = 'rm' | 'message' | 'vcpu-state';

type Log = System['trace'];

const KINDS: Readonly<Partial<Record<TraceEvent['event'], IndexedKind>>> = { 'rm-request': 'rm', 'rm-reply': 'rm', 'rm-notification': 'rm', 'message': 'message', 'vcpu-state': 'vcpu-state' };
const INDEXES = new WeakMap<Log, EventIndex>();

/** Numbers of events by kind. */
export class EventIndex {
  private readonly log: Log;
  private readonly numbers: Readonly<Record<IndexedKind, number[]>> = { 'rm': [], 'message': [], 'vcpu-state': [] };
  private branch = -1;
  /** Events from `first` to before `end` have been looked at. */
  private first = 0;
  private end = 0;

  constructor(log: Log) {
    this.log = log;
  }

  /** The index of a system's trace. */
  static of({ trace }: System): EventIndex {
    const known = INDEXES.get(trace);
    if (known !== undefined) return known;
    const made = new EventIndex(trace);
    INDEXES.set(trace, made);
    return made;
  }

  /** Numbers of the events of a kind that have happened by now, oldest first. */
  past(kind: IndexedKind): readonly number[] {
    this.update();
    const numbers = this.numbers[kind];
    return this.log.position >= this.end ? numbers : numbers.slice(0, countBelow(numbers, this.log.position));
  }

  private update(): void {
    const { start, end, branch } = this.log;
    if (branch !== this.branch || end < this.end || start < this.first || start > this.end) this.forget();
    if (start > this.first) for (const numbers of Object.values(this.numbers)) numbers.splice(0, countBelow(numbers, start));
    this.first = start;
    for (let number = Math.max(this.end, start); number < end; number++) {
      const event = this.log.at(number);
      const kind = event === undefined ? undefined : KINDS[event.event];
      if (kind !== undefined) this.numbers[kind].push(number);
    }
    this.end = end;
  }

  private forget(): void {
    for (const numbers of Object.values(this.numbers)) numbers.length = 0;
    this.branch = this.log.branch;
    this.end = this.log.start;
  }
}

/** How many numbers of an ascending list are below a bound. */
function countBelow(ascending: readonly number[], bound: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) < bound) low = middle + 1; else high = middle;
  }
  return low;
}
