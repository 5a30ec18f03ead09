/**
 * The record of trace events. Like console output it lies outside the system's state, which only counts events: running
 * again over known time produces the same events at the same numbers, and they are not recorded twice.
 */

import type { TraceEvent, TraceSink } from '../base/trace-event';
import { NameHistory } from './name-history';
import { PackedCalls } from './packed-calls';

/** Events kept by default; older ones are dropped and counted. */
export const TRACE_CAPACITY = 200_000;

/** A numbered, bounded log of events. */
export class TraceLog {
  /** What VMs and objects were called at each event. */
  readonly names = new NameHistory();
  /** Hypercalls by their place among the packed ones. */
  private events: (TraceEvent | number)[] = [];
  private calls = new PackedCalls();
  /** Number of the oldest event kept. */
  private first = 0;
  private readonly capacity: number;
  /** Number of the next event of the running system. */
  position = 0;
  /** How often known events of the future were given up. */
  branch = 0;
  /** Told of every new event. Must not change the system. */
  onEvent: TraceSink | undefined;

  constructor(capacity = TRACE_CAPACITY) {
    this.capacity = capacity;
  }

  /** Number of the oldest event kept. */
  get start(): number {
    return this.first;
  }

  /** Number after the newest event known on this branch. */
  get end(): number {
    return this.first + this.events.length;
  }

  /** Takes the next event of the running system. True if it is new. */
  put(event: TraceEvent): boolean {
    const fresh = this.position >= this.end;
    if (fresh) {
      this.append(event);
      this.noteNames(event);
      this.onEvent?.(event);
    }
    this.position++;
    return fresh;
  }

  /** The system goes on from another instance's state: events before this number are not known here. */
  adopt(position: number): void {
    this.forgetAll();
    this.names.clear();
    this.first = position;
    this.position = position;
  }

  /** The event with this number, if kept. */
  at(number: number): TraceEvent | undefined {
    const event = this.events[number - this.first];
    return typeof event === 'number' ? this.calls.at(event) : event;
  }

  /** History branches here: later events never happened. */
  truncate(): void {
    if (this.position < this.end) this.branch++;
    this.names.truncate(this.position);
    if (this.position < this.first) {
      this.forgetAll();
      this.first = this.position;
    } else {
      const kept = Math.min(this.events.length, this.position - this.first);
      const call = firstCall(this.events, kept);
      if (call !== undefined) this.calls.truncate(call);
      this.events.length = kept;
    }
  }

  private forgetAll(): void {
    this.events = [];
    this.calls = new PackedCalls();
  }

  /** RM names VMs while it answers, and objects while it brings VMs up. */
  private noteNames({ event }: TraceEvent): void {
    if (event !== 'vm-state' && event !== 'rm-reply') return;
    this.names.noteVms(this.position);
    if (event === 'vm-state') this.names.noteObjects(this.position);
  }

  private append(event: TraceEvent): void {
    this.events.push((event.event === 'hypercall' ? this.calls.add(event) : undefined) ?? event);
    if (this.events.length < this.capacity * 2) return;
    const drop = this.events.length - this.capacity;
    this.events = this.events.slice(drop);
    this.first += drop;
    const call = firstCall(this.events, 0);
    if (call !== undefined) this.calls.dropBefore(call);
  }
}

/** Place of the first packed call from an index on. */
function firstCall(events: readonly (TraceEvent | number)[], from: number): number | undefined {
  for (let n = from; n < events.length; n++) {
    const event = events[n];
    if (typeof event === 'number') return event;
  }
  return undefined;
}
