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
const FIRST_WINDOW_TICKS = 20_000;
const WINDOW_GROWTH = 10;

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
      const stop = this.system.run({ until: ticks(Math.min(tick, this.system.now + SLICE_TICKS)) });
      this.timeline.observe();
      if (stop.kind !== 'limit') return true;
      const abandoned = yield { title, fraction: (this.system.now - from) / Math.max(1, tick - from) };
      if (abandoned === true) return false;
    }
    return true;
  }

  /**
   * Finds the last time before `end` at which `accept` says yes to a stop that `lookout` brings about, and goes there.
   * Returns the stop, undefined if there was none since history began, or `abandoned`.
   */
  *findLast(end: Ticks, lookout: () => LookOut, accept: (stop: Stop) => boolean): Search<Stop | undefined | 'abandoned'> {
    let windowEnd = end;
    for (let size = FIRST_WINDOW_TICKS; windowEnd > this.timeline.start; size *= WINDOW_GROWTH) {
      const windowStart = ticks(Math.max(this.timeline.start, windowEnd - size));
      const found = yield* this.searchWindow(windowStart, windowEnd, { lookout, accept, end });
      if (found === 'abandoned') return found;
      if (found !== undefined) {
        if (!(yield* this.seek(found.tick))) return 'abandoned';
        return found.stop;
      }
      windowEnd = windowStart;
    }
    return undefined;
  }

  private *searchWindow(start: Ticks, end: Ticks, what: { lookout: () => LookOut; accept: (stop: Stop) => boolean; end: Ticks }): Search<{ tick: Ticks; stop: Stop } | undefined | 'abandoned'> {
    if (!(yield* this.seek(start))) return 'abandoned';
    this.system.lookOutFor(what.lookout());
    let last: { tick: Ticks; stop: Stop } | undefined;
    let resumeVcpu: number | undefined;
    let sliceEnd = this.system.now + SLICE_TICKS;
    while (this.system.now < end) {
      const stop = this.system.run({ until: ticks(Math.min(end, sliceEnd)), ...(resumeVcpu === undefined ? {} : { resumeVcpu }) });
      resumeVcpu = 'vcpu' in stop && stop.vcpu !== null ? stop.vcpu : undefined;
      if (stop.kind === 'idle' || stop.kind === 'power' || stop.kind === 'exit') break;
      if (stop.kind !== 'limit' && this.system.now < what.end && what.accept(stop)) last = { tick: this.system.now, stop };
      if (this.system.now < sliceEnd) continue;
      sliceEnd = this.system.now + SLICE_TICKS;
      const abandoned = yield { title: 'Searching backwards', fraction: (this.system.now - start) / Math.max(1, end - start) };
      if (abandoned === true) return 'abandoned';
    }
    return last;
  }
}
