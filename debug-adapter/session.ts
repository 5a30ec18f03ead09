/**
 * One debug session: drives the target slice by slice and reports what happens. Requests reach it through `dispatch.ts`.
 *
 * The only timer is the pump: it runs one slice of the current job, lets pending
 * requests in, and goes on. Everything here is free of Node and of the editor.
 */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { va, type ExceptionFilter, type Hit, type Job, type StopReport, type TraceEvent } from '../runtime/index';
import { BreakpointTable } from './breakpoint-table';
import { ConsoleOutput } from './console-output';
import { threadIdOf, type Debuggee } from './debuggee';
import { AdapterError, asAdapterError } from './errors';
import { EventNotices } from './event-notices';
import { describeEvent, eventTitle } from './event-text';
import { EXCEPTION_FILTERS } from './exception-filters';
import type { Host } from './host';
import { LongWork } from './long-work';
import type { CustomEventName, CustomEvents } from './protocol/index';
import type { TraceFile } from './trace-file';
import { References } from './variables/references';
import { EventWords } from './views/event-words';

/** Sends a message to the client. `seq` is filled in by the session. */
export type Send = (message: DebugProtocol.ProtocolMessage) => void;

/** Milliseconds that a guest that mostly waits sleeps between slices. */
const IDLE_PAUSE_SLICES = 1;

/** A journey through time that takes longer than this shows its progress. */
const PROGRESS_AFTER_MS = 500;

/** A client's session. */
export class Session {
  readonly host: Host;
  readonly references = new References();
  readonly breakpoints = new BreakpointTable(this);
  readonly consoles = new ConsoleOutput(this);
  readonly notices = new EventNotices(this);
  /** What requests do in pieces. */
  readonly longWork: LongWork;
  private readonly sendMessage: Send;
  private sequence = 1;
  private current: Debuggee | undefined;
  private job: Job | undefined;
  private jobStarted = 0;
  private pauseAsked = false;
  private sleeping = false;
  private afterStop: (() => void)[] = [];
  private progressId: string | undefined;
  private ended = false;
  /** Called once when the current job ends, before its stop is reported. */
  afterJob: () => void = () => undefined;
  /** What the client said about itself. */
  client: DebugProtocol.InitializeRequestArguments = { adapterID: 'gunyah' };
  /** How the session came to its last stop. */
  lastStop: StopReport | undefined;
  /** The vCPU that the last stop is about: the one that stopped, or one of the VM that the event is about. */
  get stopVcpu(): number | undefined {
    const stop = this.lastStop;
    const system = this.current?.target.system;
    if (stop === undefined || system === undefined || stop.vcpu !== null) return stop?.vcpu ?? undefined;
    const { event } = stop;
    const ofVm = event === undefined ? [] : system.vcpus().filter(({ index }) => system.vmNameOf(index) === system.vmName(event.vmid));
    return (ofVm.find(({ vcpu }) => vcpu === event?.vcpu) ?? ofVm[0])?.index ?? system.focusVcpu ?? system.vcpuIndexes()[0];
  }

  /** Whether the client believes that time can be travelled. */
  announcesTravel = true;
  /** Where the trace goes, if the launch configuration names a file. */
  traceFile: TraceFile | undefined;
  /** True once the client has sent its breakpoints. */
  configured = false;
  /** The exception filters in force; they outlive a restart. */
  filtersChosen: { readonly filters: readonly ExceptionFilter[]; readonly classes: bigint; readonly stopsWhenIdle: ((hit: Hit) => boolean) | undefined } = { filters: [], classes: 0n, stopsWhenIdle: undefined };
  /** Called when the session is over, so that the process can end. */
  onEnd: () => void = () => undefined;

  constructor(host: Host, send: Send) {
    this.host = host;
    this.sendMessage = send;
    this.longWork = new LongWork(host, {
      begin: (title) => this.beginProgress(title, 0),
      update: (id, fraction) => { this.updateProgress(id, fraction); },
      end: (progressId) => { if (this.showsProgress) this.event('progressEnd', { progressId }); },
    });
  }

  /** The id of the progress shown now. */
  get progressInForce(): string | undefined {
    return this.progressId;
  }

  /** The debuggee, or the error that there is none. */
  get debuggee(): Debuggee {
    if (this.current === undefined) throw new AdapterError('notLaunched');
    return this.current;
  }

  /** What numbers of events stand for, now. */
  get words(): EventWords {
    const { target: { system }, symbols } = this.debuggee;
    return new EventWords(system, ({ vmid, vcpu }, address) => {
      const index = system.vcpus().find((one) => one.vmid === vmid && one.vcpu === (vcpu ?? 0))?.index;
      return symbols.get(system.vmName(vmid))?.at(va(address), index)?.symbolize(va(address))?.name;
    });
  }

  /** The debuggee if there is one. */
  get debuggeeIfAny(): Debuggee | undefined {
    return this.current;
  }

  set debuggeeIfAny(debuggee: Debuggee | undefined) {
    this.current = debuggee;
  }

  /** True while a job runs. */
  get isRunning(): boolean {
    return this.job !== undefined;
  }

  /** True while history is searched: what happens then has been told before. */
  get isSearchingBack(): boolean {
    return this.current?.target.timeline.replaying === true;
  }

  /** Throws unless the system stands still. */
  requireStopped(): Debuggee {
    const { debuggee } = this;
    if (this.job !== undefined) throw new AdapterError('running');
    return debuggee;
  }

  /** Starts a job; its end is reported as a `stopped` event. */
  start(job: Job): void {
    if (this.job !== undefined) throw new AdapterError('running');
    this.references.clear();
    this.job = job;
    this.jobStarted = this.host.now();
    this.pauseAsked = false;
    this.host.defer(() => { this.pump(); });
  }

  /** Asks the current job to pause. */
  pause(): void {
    this.pauseAsked = true;
    this.wake();
  }

  /** Runs `action` when the system stands still: at once, or after pausing. */
  whenStopped(action: () => void): void {
    if (this.job === undefined) {
      action();
      return;
    }
    this.afterStop.push(action);
    this.pause();
  }

  /** Input came for a system that waits. */
  wake(): void {
    if (!this.sleeping) return;
    this.sleeping = false;
    this.host.defer(() => { this.pump(); });
  }

  /** Puts the chosen exception filters into the target, if there is one. */
  applyFilters(): void {
    const target = this.current?.target;
    if (target === undefined) return;
    target.stopsWhenIdle = this.filtersChosen.stopsWhenIdle;
    target.setFilters(this.filtersChosen.filters, this.filtersChosen.classes);
  }

  /** Sends an event of DAP. */
  event(event: string, body?: unknown): void {
    const message: DebugProtocol.Event = { seq: this.sequence++, type: 'event', event, ...(body === undefined ? {} : { body }) };
    this.sendMessage(message);
  }

  /** Sends one of our own events. */
  customEvent<N extends CustomEventName>(name: N, body: CustomEvents[N]): void {
    this.event(name, body);
  }

  /** Prints to the debug console. */
  output(text: string, category: 'console' | 'important' | 'stdout' | 'stderr' = 'console'): void {
    if (text !== '') this.event('output', { category, output: text });
  }

  /** Ends the session from our side. */
  terminate(exitCode: number): void {
    if (this.ended) return;
    this.ended = true;
    this.event('exited', { exitCode });
    this.event('terminated');
  }

  /** Drops the debuggee: nothing runs any more. */
  release(): void {
    this.job = undefined;
    this.sleeping = false;
    this.current = undefined;
    this.notices.reset();
  }

  /** Answers a request. `message` says why it failed, in words or as one of DAP's short forms such as `cancelled`. */
  respond(request: DebugProtocol.Request, success: boolean, rest: { body?: unknown; message?: string }): void {
    const response: DebugProtocol.Response = {
      seq: this.sequence++, type: 'response', request_seq: request.seq, success, command: request.command,
      ...(rest.message === undefined ? {} : { message: rest.message }),
      ...(rest.body === undefined ? {} : { body: rest.body }),
    };
    this.sendMessage(response);
  }

  /** Runs what was put off until the current response was sent. */
  runFollowUps(): void {
    const following = this.followUps;
    this.followUps = [];
    try {
      for (const action of following) action();
    } catch (problem) {
      this.output(`${asAdapterError(problem).message}\n`, 'important');
    }
  }

  /** Actions to run right after the current response was sent, such as events that must follow it. */
  followUps: (() => void)[] = [];

  /** The client has asked for the end, and got its answer. */
  async leave(command: 'disconnect' | 'terminate'): Promise<void> {
    if (command === 'terminate') {
      this.terminate(0);
      return;
    }
    this.release();
    await this.traceFile?.finished();
    this.onEnd();
  }

  private pump(): void {
    const { job, current } = this;
    if (job === undefined || current === undefined) return;
    const before = { now: current.target.system.now, retired: current.target.system.retired };
    let step: IteratorResult<unknown, StopReport>;
    try {
      step = job.next(this.pauseAsked);
    } catch (problem) {
      this.fail(problem);
      return;
    }
    this.consoles.flush();
    this.notices.flush();
    this.traceFile?.flush();
    if (step.done === true) {
      this.finish(step.value);
      return;
    }
    this.progress(step.value);
    if (isIdle(step.value) && !this.pauseAsked) {
      this.sleeping = true;
      return;
    }
    const { system } = current.target;
    const mostlyWaits = system.now - before.now > 8 * (system.retired - before.retired);
    this.host.defer(() => { this.pump(); }, mostlyWaits ? IDLE_PAUSE_SLICES : 0);
  }

  private finish(report: StopReport): void {
    this.job = undefined;
    this.endProgress();
    this.lastStop = report;
    const actions = this.afterStop;
    this.afterStop = [];
    this.notices.jobEnded();
    this.afterJob();
    this.afterJob = () => undefined;
    if (report.reason === 'terminated' && !this.ended) {
      if (report.text !== undefined) this.output(`${report.text}\n`);
      this.terminate(report.exitCode ?? 0);
    } else if (actions.length === 0) {
      this.event('stopped', stoppedBody(report, this.stopVcpu, report.event === undefined ? undefined : this.words));
    }
    for (const action of actions) action();
  }

  /** Reports that the system stands still at another place without having run; `text` says how it came there. */
  stoppedHere(text: string, vcpu: number): void {
    this.lastStop = { reason: 'goto', text, vcpu, breakpointIds: [], tick: this.debuggee.target.system.now };
    this.event('stopped', stoppedBody(this.lastStop, vcpu, undefined));
  }

  /** A mistake of ours inside the runtime: say so, keep the session usable for looking around. */
  private fail(problem: unknown): void {
    this.job = undefined;
    this.endProgress();
    const error = asAdapterError(problem);
    this.output(`${error.message}\n`, 'important');
    this.event('stopped', { reason: 'exception', description: 'Internal error', text: error.message, allThreadsStopped: true });
  }

  private progress(value: unknown): void {
    if (!this.showsProgress || this.host.now() - this.jobStarted < PROGRESS_AFTER_MS || typeof value !== 'object' || value === null || !('title' in value)) return;
    const fraction = 'fraction' in value && typeof value.fraction === 'number' ? value.fraction : undefined;
    if (this.progressId === undefined) this.progressId = this.beginProgress(String(value.title), fraction);
    else this.updateProgress(this.progressId, fraction);
  }

  private get showsProgress(): boolean {
    return this.client.supportsProgressReporting === true;
  }

  private beginProgress(title: string, fraction: number | undefined): string {
    const progressId = `p${this.sequence}`;
    if (this.showsProgress) this.event('progressStart', { progressId, title, cancellable: true, ...percentageOf(fraction) });
    return progressId;
  }

  private updateProgress(progressId: string, fraction: number | undefined): void {
    if (this.showsProgress) this.event('progressUpdate', { progressId, ...percentageOf(fraction) });
  }

  private endProgress(): void {
    if (this.progressId === undefined) return;
    this.event('progressEnd', { progressId: this.progressId });
    this.progressId = undefined;
  }
}

function percentageOf(fraction: number | undefined): { percentage?: number } {
  return fraction === undefined ? {} : { percentage: Math.min(100, Math.max(0, fraction * 100)) };
}

function isIdle(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'idle' in value && value.idle === true;
}

function stoppedBody(report: StopReport, vcpu: number | undefined, words: EventWords | undefined): DebugProtocol.StoppedEvent['body'] {
  const reason = report.reason === 'idle' || report.reason === 'history start' || report.reason === 'terminated' ? 'pause' : report.reason;
  return {
    reason,
    allThreadsStopped: true,
    ...(vcpu === undefined ? {} : { threadId: threadIdOf(vcpu) }),
    ...(report.breakpointIds.length === 0 ? {} : { hitBreakpointIds: [...report.breakpointIds] }),
    ...(report.text === undefined ? {} : { description: report.text, text: report.text }),
    ...describeStop(report.event, report.exception?.filter, words),
  };
}

/** What an event stop says: the kind in the call stack view, the particulars where there is room. */
function describeStop(event: TraceEvent | undefined, filter: string | undefined, words: EventWords | undefined): { description?: string; text?: string } {
  if (event === undefined) return {};
  const label = EXCEPTION_FILTERS.find((row) => row.filter === filter)?.stopText;
  return { description: label ?? `Paused on ${eventTitle(event, words)}`, text: describeEvent(event, words) };
}
