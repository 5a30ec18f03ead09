/**
 * Writes the trace to a file while the system runs, one JSON line an event, as `gunyah run --trace` does. What is seen again after
 * travelling back is not written again.
 */

import type { Session } from './session';
import { traceRow, vmNameAt } from './trace-row';

/** The trace file of one run. */
export class TraceFile {
  private readonly session: Session;
  private readonly path: string;
  private nextEvent = 0;
  private written: Promise<unknown>;
  private hasFailed = false;

  /** Creates the file; later lines are added to it. */
  constructor(session: Session, path: string) {
    this.session = session;
    this.path = path;
    this.written = session.host.writeFile(path, '').then((result) => { this.check(result); });
  }

  /** Writes what has happened since the last call. */
  flush(): void {
    const debuggee = this.session.debuggeeIfAny;
    if (debuggee === undefined || this.hasFailed) return;
    const { system } = debuggee.target;
    const lines: string[] = [];
    for (this.nextEvent = Math.max(this.nextEvent, system.trace.start); this.nextEvent < system.trace.position; this.nextEvent++) {
      const event = system.trace.at(this.nextEvent);
      if (event !== undefined) lines.push(`${JSON.stringify(traceRow(event, vmNameAt(system, event.vmid, this.nextEvent)))}\n`);
    }
    if (lines.length === 0) return;
    this.written = this.written.then(() => this.session.host.appendFile(this.path, lines.join(''))).then((result) => { this.check(result); });
  }

  /** Resolves when everything so far is in the file. */
  async finished(): Promise<void> {
    await this.written;
  }

  private check(result: { readonly ok: true } | { readonly ok: false; readonly error: string }): void {
    if (result.ok || this.hasFailed) return;
    this.hasFailed = true;
    this.session.output(`Cannot write the trace to ${this.path}: ${result.error}. The run goes on without it.\n`, 'important');
  }
}
