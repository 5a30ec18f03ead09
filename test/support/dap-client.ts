/**
 * A small Debug Adapter Protocol client for tests and benchmarks: frames messages with Content-Length, matches responses to
 * requests, keeps events until somebody waits for them. Works on any pair of streams, such as the stdio of `gunyah dap` or an
 * in-process pair. Not a debugger: it has no idea what the answers mean.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';

import type { DebugProtocol } from '@vscode/debugprotocol';

import type { CustomRequests } from '../../debug-adapter/protocol/requests';
import type { LaunchArguments } from '../../debug-adapter/protocol/launch';

interface StandardRequests {
  initialize: { arguments: DebugProtocol.InitializeRequestArguments; body: DebugProtocol.Capabilities };
  launch: { arguments: LaunchArguments; body: undefined };
  attach: { arguments: Record<string, unknown>; body: undefined };
  configurationDone: { arguments: Record<string, never>; body: undefined };
  disconnect: { arguments: DebugProtocol.DisconnectArguments; body: undefined };
  terminate: { arguments: DebugProtocol.TerminateArguments; body: undefined };
  restart: { arguments: Record<string, unknown>; body: undefined };
  setBreakpoints: { arguments: DebugProtocol.SetBreakpointsArguments; body: DebugProtocol.SetBreakpointsResponse['body'] };
  setFunctionBreakpoints: { arguments: DebugProtocol.SetFunctionBreakpointsArguments; body: DebugProtocol.SetFunctionBreakpointsResponse['body'] };
  setExceptionBreakpoints: { arguments: DebugProtocol.SetExceptionBreakpointsArguments; body: unknown };
  setInstructionBreakpoints: { arguments: DebugProtocol.SetInstructionBreakpointsArguments; body: DebugProtocol.SetInstructionBreakpointsResponse['body'] };
  dataBreakpointInfo: { arguments: DebugProtocol.DataBreakpointInfoArguments; body: DebugProtocol.DataBreakpointInfoResponse['body'] };
  setDataBreakpoints: { arguments: DebugProtocol.SetDataBreakpointsArguments; body: DebugProtocol.SetDataBreakpointsResponse['body'] };
  threads: { arguments: Record<string, never>; body: DebugProtocol.ThreadsResponse['body'] };
  stackTrace: { arguments: DebugProtocol.StackTraceArguments; body: DebugProtocol.StackTraceResponse['body'] };
  scopes: { arguments: DebugProtocol.ScopesArguments; body: DebugProtocol.ScopesResponse['body'] };
  variables: { arguments: DebugProtocol.VariablesArguments; body: DebugProtocol.VariablesResponse['body'] };
  setVariable: { arguments: DebugProtocol.SetVariableArguments; body: DebugProtocol.SetVariableResponse['body'] };
  evaluate: { arguments: DebugProtocol.EvaluateArguments; body: DebugProtocol.EvaluateResponse['body'] };
  exceptionInfo: { arguments: DebugProtocol.ExceptionInfoArguments; body: DebugProtocol.ExceptionInfoResponse['body'] };
  continue: { arguments: DebugProtocol.ContinueArguments; body: DebugProtocol.ContinueResponse['body'] };
  reverseContinue: { arguments: DebugProtocol.ReverseContinueArguments; body: undefined };
  next: { arguments: DebugProtocol.NextArguments; body: undefined };
  stepIn: { arguments: DebugProtocol.StepInArguments; body: undefined };
  stepOut: { arguments: DebugProtocol.StepOutArguments; body: undefined };
  stepBack: { arguments: DebugProtocol.StepBackArguments; body: undefined };
  pause: { arguments: DebugProtocol.PauseArguments; body: undefined };
  readMemory: { arguments: DebugProtocol.ReadMemoryArguments; body: DebugProtocol.ReadMemoryResponse['body'] };
  writeMemory: { arguments: DebugProtocol.WriteMemoryArguments; body: DebugProtocol.WriteMemoryResponse['body'] };
  disassemble: { arguments: DebugProtocol.DisassembleArguments; body: DebugProtocol.DisassembleResponse['body'] };
}

type Requests = StandardRequests & CustomRequests;

/** Name of a request that the client can send: the standard ones our adapter serves, and `gunyah/…`. */
export type DapCommand = keyof Requests;

/** An event as it arrived. */
export interface DapEvent { readonly event: string; readonly body: Readonly<Record<string, unknown>> }

/** A `stopped` event's body. */
export type StoppedBody = DebugProtocol.StoppedEvent['body'];

/** The adapter refused a request; `message` is what it said. */
export class DapError extends Error {}

interface PendingRequest { readonly command: string; accept(body: unknown): void; reject(error: Error): void }
interface EventWaiter { matches(event: DapEvent): boolean; accept(event: DapEvent): void; reject(error: Error): void }

const DEFAULT_TIMEOUT_MS = 20_000;
const HEADER_END = '\r\n\r\n';

/** One connection to a debug adapter. */
export class DapClient {
  /** Every event so far, in order, also those already waited for. */
  readonly log: DapEvent[] = [];
  private readonly pending = new Map<number, PendingRequest>();
  private readonly waiters: EventWaiter[] = [];
  private unseen: DapEvent[] = [];
  private received: Buffer = Buffer.alloc(0);
  private nextSequence = 1;
  private closed: Error | undefined;

  constructor(private readonly input: Writable, output: Readable) {
    output.on('data', (chunk: Buffer) => { this.receive(chunk); });
    output.on('close', () => { this.close(new Error('The debug adapter closed the connection.')); });
    input.on('error', (error: Error) => { this.close(error); });
  }

  /** Sends a request and resolves with the body of its answer. Rejects with `DapError` when refused, or after the time-out. */
  request<C extends DapCommand>(command: C, args: Requests[C]['arguments'], timeoutMs = DEFAULT_TIMEOUT_MS): Promise<Requests[C]['body']> {
    const sequence = this.nextSequence++;
    const answer = new Promise<Requests[C]['body']>((accept, reject) => {
      // The adapter's answer is foreign data; its shape is the protocol's promise.
      this.pending.set(sequence, { command, accept: (body) => { accept(body as Requests[C]['body']); }, reject });
      if (this.closed !== undefined) this.close(this.closed);
    });
    this.send({ seq: sequence, type: 'request', command, arguments: args });
    return withTimeout(answer, timeoutMs, `no answer to ${command}`);
  }

  /** The first event of this name that nobody has waited for yet, whether it has arrived or not. */
  async waitForEvent(name: string, matches: (event: DapEvent) => boolean = () => true, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<DapEvent> {
    const wanted = (event: DapEvent): boolean => event.event === name && matches(event);
    const seen = this.unseen.find(wanted);
    if (seen !== undefined) {
      this.unseen = this.unseen.filter((event) => event !== seen);
      return seen;
    }
    const arrival = new Promise<DapEvent>((accept, reject) => {
      this.waiters.push({ matches: wanted, accept, reject });
      if (this.closed !== undefined) this.close(this.closed);
    });
    return withTimeout(arrival, timeoutMs, `no event "${name}"; seen: ${this.log.map((event) => event.event).join(' ')}`);
  }

  /** Waits for the next `stopped` event. */
  async waitForStop(timeoutMs = DEFAULT_TIMEOUT_MS): Promise<StoppedBody> {
    const event = await this.waitForEvent('stopped', () => true, timeoutMs);
    return { reason: String(event.body['reason']), ...event.body };
  }

  /** What a VM (or all of them) has printed so far. */
  consoleText(vm?: string): string {
    const chunks = this.log.filter((event) => event.event === 'gunyah/console' && (vm === undefined || event.body['vm'] === vm));
    return chunks.map((event) => String(event.body['text'])).join('');
  }

  private send(message: unknown): void {
    if (this.closed !== undefined) return;
    const text = Buffer.from(JSON.stringify(message), 'utf8');
    this.input.write(`Content-Length: ${String(text.length)}${HEADER_END}`);
    this.input.write(text);
  }

  private receive(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    for (;;) {
      const headerEnd = this.received.indexOf(HEADER_END);
      if (headerEnd < 0) return;
      const length = /content-length: *(\d+)/i.exec(this.received.toString('latin1', 0, headerEnd))?.[1];
      if (length === undefined) { this.close(new Error('The debug adapter sent a message without Content-Length.')); return; }
      const start = headerEnd + HEADER_END.length;
      const end = start + Number(length);
      if (this.received.length < end) return;
      const text = this.received.toString('utf8', start, end);
      this.received = this.received.subarray(end);
      this.dispatch(JSON.parse(text) as DebugProtocol.ProtocolMessage);
    }
  }

  private dispatch(message: DebugProtocol.ProtocolMessage): void {
    if (isResponse(message)) this.answer(message);
    else if (isEvent(message)) this.arrive({ event: message.event, body: (message.body ?? {}) as Record<string, unknown> });
  }

  private answer(response: DebugProtocol.Response): void {
    const request = this.pending.get(response.request_seq);
    if (request === undefined) return;
    this.pending.delete(response.request_seq);
    if (response.success) request.accept(response.body);
    else request.reject(new DapError(`${request.command}: ${refusal(response)}`));
  }

  private arrive(event: DapEvent): void {
    this.log.push(event);
    const index = this.waiters.findIndex((waiter) => waiter.matches(event));
    if (index < 0) this.unseen.push(event);
    else this.waiters.splice(index, 1)[0]?.accept(event);
  }

  private close(reason: Error): void {
    this.closed ??= reason;
    for (const request of this.pending.values()) request.reject(this.closed);
    for (const waiter of this.waiters) waiter.reject(this.closed);
    this.pending.clear();
    this.waiters.length = 0;
  }
}

function isResponse(message: DebugProtocol.ProtocolMessage): message is DebugProtocol.Response {
  return message.type === 'response';
}

function isEvent(message: DebugProtocol.ProtocolMessage): message is DebugProtocol.Event {
  return message.type === 'event';
}

/** The human text of a refused request: the error's format with its variables filled in, or the short message. */
function refusal(response: DebugProtocol.Response): string {
  const error = (response as DebugProtocol.ErrorResponse).body?.error;
  if (error === undefined) return response.message ?? 'refused';
  return error.format.replace(/\{(\w+)\}/g, (whole, name: string) => error.variables?.[name] ?? whole);
}

async function withTimeout<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_accept, reject) => {
    timer = setTimeout(() => { reject(new Error(`Waited ${String(timeoutMs)} ms: ${what}`)); }, timeoutMs);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a session sets before the guests run. */
export interface SessionSetup {
  readonly launch: LaunchArguments;
  readonly functionBreakpoints?: readonly DebugProtocol.FunctionBreakpoint[];
  readonly sourceBreakpoints?: readonly { readonly path: string; readonly breakpoints: readonly DebugProtocol.SourceBreakpoint[] }[];
  readonly exceptionFilters?: readonly string[];
}

/** Does what VS Code does on F5: initialize, launch, breakpoints, configurationDone. Resolves when the launch is answered. */
export async function startSession(client: DapClient, setup: SessionSetup): Promise<DebugProtocol.Capabilities> {
  const capabilities = await client.request('initialize', {
    adapterID: 'gunyah', clientID: 'test', linesStartAt1: true, columnsStartAt1: true, pathFormat: 'path',
    supportsVariableType: true, supportsMemoryReferences: true,
  });
  const launched = client.request('launch', setup.launch);
  await Promise.race([client.waitForEvent('initialized'), launched]);
  for (const { path, breakpoints } of setup.sourceBreakpoints ?? []) {
    await client.request('setBreakpoints', { source: { path }, breakpoints: [...breakpoints] });
  }
  await client.request('setFunctionBreakpoints', { breakpoints: [...(setup.functionBreakpoints ?? [])] });
  await client.request('setExceptionBreakpoints', { filters: [...(setup.exceptionFilters ?? [])] });
  await client.request('configurationDone', {});
  await launched;
  return capabilities;
}

/** A debug adapter that runs as a process of its own. */
export interface AdapterProcess {
  readonly client: DapClient;
  readonly process: ChildProcess;
  /** What the process wrote to stderr. */
  stderr(): string;
  /** Ends the session and the process. */
  stop(): Promise<void>;
}

/** Starts `gunyah dap` on stdio. */
export function startAdapter(commandFile = resolve(__dirname, '..', '..', 'dist', 'cli.js')): AdapterProcess {
  const child = spawn(process.execPath, [commandFile, 'dap'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const client = new DapClient(child.stdin, child.stdout);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => { errors += chunk.toString('utf8'); });
  return { client, process: child, stderr: () => errors, stop: () => stopAdapter(client, child) };
}

async function stopAdapter(client: DapClient, child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((done) => { child.once('exit', () => { done(); }); });
  await client.request('disconnect', { terminateDebuggee: true }, 2000).catch(() => undefined);
  const timer = setTimeout(() => { child.kill('SIGKILL'); }, 2000);
  child.stdin?.end();
  await exited;
  clearTimeout(timer);
}
