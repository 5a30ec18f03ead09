/**
 * Long operations of the debugger as generators: each step of the generator is one slice of work of at most a few
 * milliseconds, so that whoever drives it can look at its inputs, show progress or abandon it in between.
 */

import type { TraceEvent } from '../base/trace-event';
import type { Ticks, Va } from '../base/brands';

/** What a job says about itself between slices. */
export interface JobProgress {
  /** What it is doing, if it is worth a progress bar. */
  readonly title?: string;
  /** 0..1, if known. */
  readonly fraction?: number;
  /** Every vCPU waits and nothing is due: go on only after input came. */
  readonly idle?: boolean;
}

/** How a job ended, in the debugger's terms. */
export interface StopReport {
  readonly reason: 'entry' | 'step' | 'breakpoint' | 'function breakpoint' | 'instruction breakpoint' | 'data breakpoint' | 'exception' | 'pause' | 'goto' | 'idle' | 'terminated' | 'history start';
  /** Which vCPU stopped, by engine index; null if none in particular. */
  readonly vcpu: number | null;
  /** Ids of the breakpoints that were hit. */
  readonly breakpointIds: readonly number[];
  /** A sentence for the user. */
  readonly text?: string;
  /** The event that made it stop, if one did. */
  readonly event?: TraceEvent;
  /** Which exception filter, and what happened at the architecture level. */
  readonly exception?: { readonly filter: string; readonly esr?: bigint; readonly far?: bigint; readonly elr?: Va };
  /** With `terminated`: exit code of the run as `gunyah run` gives it. */
  readonly exitCode?: number;
  readonly tick: Ticks;
}

/** A running operation. `next(true)` asks it to pause: it ends with a report soon. */
export type Job = Generator<JobProgress, StopReport, boolean | undefined>;
