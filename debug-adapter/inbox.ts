/**
 * Messages from the client, in order: a request waits until those before it were answered. Only what interrupts goes ahead: `cancel`
 * always, and pausing or ending while a request waits for a job. Whatever comes, nothing is thrown back at the transport.
 */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { argumentsOf, dispatch } from './dispatch';
import type { Session } from './session';

const INTERRUPTING: ReadonlySet<string> = new Set(['pause', 'terminate', 'disconnect']);

/** The messages of one client. */
export class Inbox {
  private readonly session: Session;
  private waiting: DebugProtocol.Request[] = [];
  private current: DebugProtocol.Request | undefined;

  constructor(session: Session) {
    this.session = session;
  }

  /** Takes the text of one message. */
  receiveText(body: string): void {
    let message: unknown;
    try {
      message = JSON.parse(body);
    } catch {
      this.problem('got a message that is not JSON; it was ignored');
      return;
    }
    this.receive(message);
  }

  /** Takes one message. */
  receive(message: unknown): void {
    const request = requestOf(message);
    if (request === undefined) {
      if (!isResponse(message)) this.problem('got a message that is no request; it was ignored');
    } else if (request.command === 'cancel') {
      this.cancel(request);
    } else if (this.current !== undefined && this.session.isRunning && INTERRUPTING.has(request.command)) {
      void dispatch(this.session, request);
    } else {
      this.waiting.push(request);
      if (this.current === undefined) void this.work();
    }
  }

  /** Says that the transport had to skip something. */
  problem(what: string): void {
    this.session.output(`The adapter ${what}.\n`, 'important');
  }

  private async work(): Promise<void> {
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      this.current = next;
      await dispatch(this.session, next);
    }
    this.current = undefined;
  }

  /** DAP: cancel. A request that still waits is answered as cancelled; work in pieces is given up; a long journey through time ends as a pause. */
  private cancel(request: DebugProtocol.Request): void {
    const { requestId, progressId } = argumentsOf(request.arguments);
    const waiting = this.waiting.find(({ seq }) => seq === requestId);
    if (waiting !== undefined) {
      this.waiting = this.waiting.filter((one) => one !== waiting);
      this.session.respond(waiting, false, { message: 'cancelled', body: {} });
    }
    const isUnderWay = this.current !== undefined && this.current.seq === requestId;
    const isOfWork = isUnderWay ? this.session.longWork.cancel(undefined) : typeof progressId === 'string' && this.session.longWork.cancel(progressId);
    if (!isOfWork && (isUnderWay || (progressId !== undefined && progressId === this.session.progressInForce))) this.session.pause();
    void dispatch(this.session, request);
  }
}

function isResponse(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'response';
}

/** Anything that can be answered: a request with a sequence number. A command that is no text is answered as an unknown one. */
function requestOf(value: unknown): DebugProtocol.Request | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== 'request' || !('seq' in value) || typeof value.seq !== 'number') return undefined;
  const command = 'command' in value ? value.command : undefined;
  return { type: 'request', seq: value.seq, command: typeof command === 'string' ? command : JSON.stringify(command) ?? '', ...('arguments' in value ? { arguments: value.arguments } : {}) };
}
