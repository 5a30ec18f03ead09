/**
 * The trace of a run as lines of JSON: one line per event, and one per call. A call is told when it returns, with its arguments and results;
 * one that does not return (CPU_OFF, SYSTEM_OFF) is told when something else happens, or at the end.
 */

import { traceRow, type TraceJson } from '../trace-row';
import type { TraceEvent } from '../../runtime/index';

/** A call returns after other events only where it gives time to another vCPU. */
const RETURNS_LATER = new Set(['vcpu_run']);

type CallEvent = Extract<TraceEvent, { readonly event: 'hypercall' | 'psci' | 'smccc' }>;

/** Turns events into lines, in order. */
export class TraceLines {
  private readonly nameOf: (vmid: number) => string;
  private readonly pending = new Map<string, CallEvent>();

  constructor(nameOf: (vmid: number) => string) {
    this.nameOf = nameOf;
  }

  /** The lines that are known once `event` has happened. */
  add(event: TraceEvent): string {
    const late = this.flush((call) => call.tick < event.tick && !RETURNS_LATER.has(call.name));
    if (!('phase' in event)) return late + this.line(event);
    const key = `${event.vmid}/${event.vcpu ?? 0}/${event.event}`;
    const entered = this.pending.get(key);
    this.pending.delete(key);
    if (event.phase === 'enter') {
      this.pending.set(key, event);
      return late;
    }
    const args = Object.keys(event.args).length === 0 && entered?.name === event.name ? entered.args : event.args;
    return late + this.line({ ...event, args });
  }

  /** What is left at the end. */
  finish(): string {
    return this.flush(() => true);
  }

  private flush(isDue: (call: CallEvent) => boolean): string {
    let text = '';
    for (const [key, call] of this.pending) {
      if (!isDue(call)) continue;
      text += this.line(call);
      this.pending.delete(key);
    }
    return text;
  }

  private line(event: TraceEvent): string {
    return `${JSON.stringify(shown(traceRow(event, this.nameOf(event.vmid)), event))}\n`;
  }
}

/** Of a call, the phase is plain from whether there is a result, and the error is a part of that. */
function shown(row: TraceJson, event: TraceEvent): object {
  if (!('phase' in event)) return row;
  const { phase: _phase, ...call } = row;
  if (event.event !== 'hypercall' || event.phase !== 'leave') return call;
  const { error: _error, ...rest } = call;
  return rest;
}
