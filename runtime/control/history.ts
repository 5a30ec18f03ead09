/**
 * Travel in time: to any tick, and back to the last time something happened.
 *
 * Searching back runs forward over windows that grow tenfold, newest first, so that what happened recently is found at once and
 * no stretch of time is searched twice.
 */

import { ticks, type Ticks } from '../base/brands';
import type { LookOut, System } from '../system/system';
import type { Stop } from '../system/stop';
import type { Timeline } from '../timeline/timeline';
import type { JobProgress } from './job';

/** Virtual time that one slice of a job runs at most. */
export const SLICE_TICKS = 2_000_000;
/** Work that one slice of a job does at most, about. */
export const SLICE_EFFORT = 16_000_000;
const FIRST_WINDOW_TICKS = 20_000;
const WINDOW_GROWTH = 10;
const ALIGNED_WINDOW_TICKS = 2_000_000;
const STOPS_PER_TICK_MAX = 64;

/** Nothing to stop at. */
export const NO_LOOKOUT: LookOut = { addresses: [], watchpoints: [], exceptionClasses: 0n };

/** A generator that can be asked to give up by `next(true)`. */
export type Search<T> = Generator<JobProgress, T, boolean | undefined>;

/** Moves a system through its history. */
export class History {
  private readonly system: System;
  private readonly timeline: Timeline;

  constructor(system: System, timeline: Timeline) {
    this.system = system;
    this.timeline = timeline;
  }

  /** Goes to `tick`, or as near after it as a state exists. Breakpoints are off on the way. False if asked to give up. */
  *seek(tick: Ticks, title = 'Travelling in time'): Search<boolean> {
    this.system.lookOutFor(NO_LOOKOUT);
    this.timeline.approach(tick);
    const from = this.system.now;
    while (this.system.now < tick) {
      const stop = this.system.run({ until: ticks(Math.min(tick, this.system.now + SLICE_TICKS)), effortMax: SLICE_EFFORT });
      this.timeline.observe();
      if (stop.kind !== 'limit') return true;
      const abandoned = yield { title, fraction: (this.system.now - from) / Math.max(1, tick - from) };
      if (abandoned === true) return false;
    }
    return true;
  }

  /**
   * Finds the last time before `search.end` at which `accept` says yes to a stop that `lookout` brings about, and goes there.
   * Returns the stop, undefined if there was none since history began, or `abandoned`.
   */
  *findLast(search: BackSearch & { readonly accept: (stop: Stop) => boolean }): Search<Stop | undefined | 'abandoned'> {
    if (isNothing(search.lookout())) return undefined;
    for (const window of this.windows(search.end)) {
      let last: Place | undefined;
      const isDone = yield* this.scan(window, search, (stop) => {
        if (search.accept(stop)) last = { tick: this.system.now, stop };
      });
      if (!isDone) return 'abandoned';
      if (last !== undefined) return (yield* this.goTo(last, search.lookout)) ? last.stop : 'abandoned';
    }
    return undefined;
  }

  /** Stretches of time from `end` back to the beginning of history, newest first, each ten times longer than the one before. */
  *windows(end: Ticks): IterableIterator<Window> {
    let windowEnd = end;
    for (let size = FIRST_WINDOW_TICKS; windowEnd > this.timeline.start; size *= WINDOW_GROWTH) {
      const wanted = ticks(Math.max(this.timeline.start, windowEnd - size));
      // Long windows begin at a checkpoint: getting to their start then costs nothing.
      const start = size < ALIGNED_WINDOW_TICKS ? wanted : this.timeline.checkpointBefore(wanted);
      yield { start, end: windowEnd };
      windowEnd = start;
    }
  }

  /** Runs over a window and shows `visit` every stop in it, in order. False if asked to give up. */
  *scan({ start, end }: Window, search: BackSearch, visit: (stop: Stop) => void): Search<boolean> {
    if (!(yield* this.seek(start))) return false;
    this.system.lookOutFor(search.lookout());
    let resumeVcpu: number | undefined;
    let sliceEnd = this.system.now + SLICE_TICKS;
    for (;;) {
      const stop = this.system.run({ until: ticks(Math.min(end, sliceEnd)), effortMax: SLICE_EFFORT, ...(resumeVcpu === undefined ? {} : { resumeVcpu }) });
      resumeVcpu = 'vcpu' in stop && stop.vcpu !== null ? stop.vcpu : undefined;
      if (stop.kind === 'idle' || stop.kind === 'power' || stop.kind === 'exit') return true;
      const isInside = this.system.now < search.end || search.includesEnd === true;
      if (stop.kind !== 'limit' && isInside) visit(stop);
      if (stop.kind === 'limit' && this.system.now >= end) return true;
      if (this.system.now < sliceEnd && stop.kind !== 'limit') continue;
      sliceEnd = this.system.now + SLICE_TICKS;
      const abandoned = yield { title: 'Searching backwards', fraction: (this.system.now - start) / Math.max(1, end - start) };
      if (abandoned === true) return false;
    }
  }

  /**
   * Goes to a stop that a scan showed. Several things can happen at one time (a deadline, an interrupt taken, a breakpoint in its
   * vector), so after reaching the time it looks whether the stop is still to come at that time.
   */
  *goTo({ tick, stop }: Place, lookout: () => LookOut): Search<boolean> {
    if (!(yield* this.seek(tick))) return false;
    this.system.lookOutFor(lookout());
    let resumeVcpu: number | undefined;
    for (let tries = 0; tries < STOPS_PER_TICK_MAX; tries++) {
      const found = this.system.run({ until: ticks(tick + 1), ...(resumeVcpu === undefined ? {} : { resumeVcpu }) });
      if (this.system.now !== tick || found.kind === 'limit' || found.kind === 'power' || found.kind === 'idle') break;
      if (isSame(found, stop)) return true;
      resumeVcpu = 'vcpu' in found && found.vcpu !== null ? found.vcpu : undefined;
    }
    return yield* this.seek(tick);
  }
}

/** A stop and when it happened. */
export interface Place { readonly tick: Ticks; readonly stop: Stop }

/** A stretch of time: what is still to happen at `start`, and what has happened at `end`, belong to it. */
export interface Window { readonly start: Ticks; readonly end: Ticks }

/** What a search backwards looks for. */
export interface BackSearch {
  readonly end: Ticks;
  readonly lookout: () => LookOut;
  /** Whether what happened at `end` itself counts. */
  readonly includesEnd?: boolean;
}

function isNothing({ addresses, watchpoints, exceptionClasses, call, event }: LookOut): boolean {
  return addresses.length === 0 && watchpoints.length === 0 && exceptionClasses === 0n && call === undefined && event === undefined;
}

function isSame(left: Stop, right: Stop): boolean {
  if (left.kind !== right.kind) return false;
  if (left.kind === 'breakpoint' && right.kind === 'breakpoint') return left.vcpu === right.vcpu && left.pc === right.pc;
  if (left.kind === 'event' && right.kind === 'event') return left.vcpu === right.vcpu && left.event.event === right.event.event && left.number === right.number;
  return 'vcpu' in left && 'vcpu' in right && left.vcpu === right.vcpu;
}
