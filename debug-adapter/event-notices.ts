/**
 * Tells the client what it should know between stops: VMs that begin and end, vCPUs that come and go, and jumps in time.
 * Reads the trace; has no tap of its own.
 */

import { threadIdOf } from './debuggee';
import type { Session } from './session';

/** Notices of one session. */
export class EventNotices {
  private readonly session: Session;
  private nextEvent = 0;
  private latest = 0;
  private readonly knownThreads = new Set<number>();

  constructor(session: Session) {
    this.session = session;
  }

  /** Sends what happened since the last call. */
  flush(): void {
    const debuggee = this.session.debuggeeIfAny;
    if (debuggee === undefined) return;
    const { system } = debuggee.target;
    const log = system.trace;
    this.nextEvent = Math.max(log.start, Math.min(this.nextEvent, log.position));
    let hasNews = false;
    for (; this.nextEvent < log.position; this.nextEvent++) {
      const event = log.at(this.nextEvent);
      if (event?.event !== 'vm-state') continue;
      hasNews = true;
      this.session.customEvent('gunyah/vmState', { vm: system.vmName(event.vmid), vmid: event.vmid, from: event.from, to: event.to });
    }
    if (!hasNews) return;
    this.announceThreads();
    this.session.breakpoints.retry();
  }

  /** To be called when a job has ended: says so if it went back in time. */
  jobEnded(): void {
    const debuggee = this.session.debuggeeIfAny;
    if (debuggee === undefined) return;
    const { now } = debuggee.target.system;
    if (now < this.latest) this.session.customEvent('gunyah/timeTravel', { tick: now });
    this.latest = now;
  }

  /** A new system: nothing of the old one counts. */
  reset(): void {
    this.nextEvent = 0;
    this.latest = 0;
    this.knownThreads.clear();
  }

  private announceThreads(): void {
    const present = new Set(this.session.debuggee.target.system.vcpuIndexes().map(threadIdOf));
    for (const threadId of present) if (!this.knownThreads.has(threadId)) this.session.event('thread', { reason: 'started', threadId });
    for (const threadId of this.knownThreads) if (!present.has(threadId)) this.session.event('thread', { reason: 'exited', threadId });
    this.knownThreads.clear();
    for (const threadId of present) this.knownThreads.add(threadId);
  }
}
