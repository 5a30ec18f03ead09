/**
 * Deadlines in virtual time: what a timer chip has instead of a clock.
 *
 * Deterministic by construction: what is due fires in the order (tick, key), never in the order of registration. The
 * queue holds callbacks, which cannot be saved, so **it saves nothing**: a snapshot holds the deadlines in the state of their owners,
 * and every owner schedules again in its own `restore`, after the queue was emptied with `restart`. Keys are unique per owner
 * (`timer/primary/0/virtual`). Not a scheduler of vCPUs; see docs/determinism.md.
 */

import { assert } from '../base/assert';
import { ticks } from '../base/brands';
import type { Ticks } from '../base/brands';
import type { EventQueue } from './interface';

/** Most deadlines that may fire in one `advance`; more means an owner that schedules itself for ever. */
export const FIRED_PER_ADVANCE_MAX = 1_000_000;

interface Deadline { readonly key: string; readonly at: Ticks; readonly fire: () => void }

/** The machine's event queue. Few owners are expected (tens), so that a scan beats a heap. */
export class TickEventQueue implements EventQueue {
  private time: Ticks;
  private readonly deadlines = new Map<string, Deadline>();
  private earliest: Deadline | undefined;

  constructor(now: Ticks = ticks(0)) {
    this.time = now;
  }

  get now(): Ticks {
    return this.time;
  }

  schedule(key: string, at: Ticks, fire: () => void): void {
    assert(Number.isSafeInteger(at), 'a deadline is a whole number of ticks');
    this.deadlines.set(key, { key, at, fire });
    this.findEarliest();
  }

  cancel(key: string): void {
    if (this.deadlines.delete(key)) this.findEarliest();
  }

  nextDeadline(): Ticks | undefined {
    return this.earliest?.at;
  }

  advance(to: Ticks): void {
    assert(to >= this.time, 'virtual time does not run backwards');
    for (let fired = 0; this.earliest !== undefined && this.earliest.at <= to; fired++) {
      assert(fired < FIRED_PER_ADVANCE_MAX, `deadline ${this.earliest.key} is rescheduled without end`);
      const { key, at, fire } = this.earliest;
      this.deadlines.delete(key);
      this.findEarliest();
      if (at > this.time) this.time = at;
      fire();
    }
    this.time = to;
  }

  /**
   * Moves time forward without firing: what became due fires at the next `advance`. For a run loop that must handle a guest's exit at
   * the time of the exit, before anything else happens.
   */
  elapse(to: Ticks): void {
    assert(to >= this.time, 'virtual time does not run backwards');
    this.time = to;
  }

  /** Forgets every deadline and sets the time: the first step of restoring a snapshot. */
  restart(now: Ticks): void {
    this.deadlines.clear();
    this.earliest = undefined;
    this.time = now;
  }

  /** Deadlines in firing order, for the debugger. */
  pending(): readonly { readonly key: string; readonly at: Ticks }[] {
    return [...this.deadlines.values()].sort((a, b) => (precedes(a, b) ? -1 : 1)).map(({ key, at }) => ({ key, at }));
  }

  private findEarliest(): void {
    this.earliest = undefined;
    for (const deadline of this.deadlines.values()) {
      if (this.earliest === undefined || precedes(deadline, this.earliest)) this.earliest = deadline;
    }
  }
}

function precedes(a: Deadline, b: Deadline): boolean {
  return a.at !== b.at ? a.at < b.at : a.key < b.key;
}
