/**
 * A debug session for tests: the real adapter over an in-process stream pair, every message it sends checked against the protocol's
 * types. What the helpers return is what a client would see.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { TestContext } from 'node:test';

import type { DebugProtocol } from '@vscode/debugprotocol';

import { serveStreams } from '../../debug-adapter/main';
import type { LaunchArguments } from '../../debug-adapter/protocol/launch';
import { DapClient, DapError, startSession, type SessionSetup, type StoppedBody } from '../support/dap-client';
import { shapeProblems } from '../support/dap-shape';
import { guestElf, guestElfs, sampleFolder } from '../support/guest-build';

/** A frame in short: `function:line`, or its name alone if it has no source. */
export type FrameText = string;

/** One session under test. */
export class Debugging {
  readonly client: DapClient;
  /** Every message the adapter sent. */
  readonly messages: unknown[] = [];
  private readonly input = new PassThrough();
  private hasEnded = false;

  constructor() {
    const output = new PassThrough();
    const fromAdapter = new PassThrough();
    output.on('data', (chunk: Buffer) => { this.note(chunk); fromAdapter.write(chunk); });
    serveStreams(this.input, output, () => { this.hasEnded = true; });
    this.client = new DapClient(this.input, fromAdapter);
  }

  /** A request that the client's types do not know or that is wrong on purpose. Rejects if it is refused. */
  async send(command: string, args: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    const ask = this.client.request.bind(this.client) as (command: string, args: unknown) => Promise<unknown>;
    const body = await ask(command, args);
    return typeof body === 'object' && body !== null ? { ...body } : {};
  }

  /** Sends a request whose arguments may be anything; the answer, whether it succeeded or not. */
  async answer(command: string, args: unknown): Promise<{ readonly success: boolean; readonly message: string }> {
    const ask = this.client.request.bind(this.client) as (command: string, args: unknown) => Promise<unknown>;
    return await ask(command, args).then(() => ({ success: true, message: '' }), (error: unknown) => {
      if (!(error instanceof DapError)) throw error;
      return { success: false, message: error.message };
    });
  }

  /** Raw bytes, for input that no client would send. */
  write(bytes: Uint8Array | string): void {
    this.input.write(bytes);
  }

  /** Ends the session. */
  async end(): Promise<void> {
    if (!this.hasEnded) await this.client.request('disconnect', {}).catch(() => undefined);
    this.input.end();
  }

  /** F5 with these breakpoints, up to the first stop. */
  async start(setup: SessionSetup): Promise<StoppedBody> {
    await startSession(this.client, setup);
    return await this.client.waitForStop();
  }

  /** Runs on to the next stop. */
  async continue(): Promise<StoppedBody> {
    await this.client.request('continue', { threadId: 1 });
    return await this.client.waitForStop();
  }

  /** A step of the thread that stopped last. */
  async step(command: 'next' | 'stepIn' | 'stepOut' | 'stepBack', { threadId, byInstruction }: { threadId: number; byInstruction?: true }): Promise<StoppedBody> {
    await this.client.request(command, { threadId, ...(byInstruction === undefined ? {} : { granularity: 'instruction' as const }) });
    return await this.client.waitForStop();
  }

  async frames(threadId: number, levels = 0): Promise<DebugProtocol.StackFrame[]> {
    return (await this.client.request('stackTrace', { threadId, levels })).stackFrames;
  }

  /** `function:line` of the innermost frames. */
  async frameTexts(threadId: number, count = 100): Promise<FrameText[]> {
    return (await this.frames(threadId)).slice(0, count).map(({ name, line }) => (line > 0 ? `${name}:${String(line)}` : name));
  }

  async topFrame(threadId: number): Promise<DebugProtocol.StackFrame> {
    const [frame] = await this.frames(threadId, 1);
    assert.ok(frame !== undefined, `thread ${String(threadId)} has a frame`);
    return frame;
  }

  async scope(frameId: number, name: string): Promise<DebugProtocol.Scope> {
    const { scopes } = await this.client.request('scopes', { frameId });
    const found = scopes.find((scope) => scope.name === name);
    assert.ok(found !== undefined, `a scope ${name} among ${scopes.map((scope) => scope.name).join(', ')}`);
    return found;
  }

  async variables(variablesReference: number, range: { start?: number; count?: number } = {}): Promise<DebugProtocol.Variable[]> {
    return (await this.client.request('variables', { variablesReference, ...range })).variables;
  }

  /** The variables of one scope of a frame. */
  async scopeVariables(frameId: number, name: string): Promise<DebugProtocol.Variable[]> {
    return await this.variables((await this.scope(frameId, name)).variablesReference);
  }

  /** The text of an expression. */
  async evaluate(expression: string, frameId?: number, context = 'watch'): Promise<string> {
    return (await this.client.request('evaluate', { expression, context, ...(frameId === undefined ? {} : { frameId }) })).result;
  }

  /** Text of all output events, of one category if given. */
  output(category?: string): string {
    return this.client.log.filter(({ event, body }) => event === 'output' && (category === undefined || body['category'] === category)).map(({ body }) => String(body['output'])).join('');
  }

  private received: Buffer = Buffer.alloc(0);

  private note(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    for (;;) {
      const end = this.received.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(this.received.toString('latin1', 0, Math.max(0, end)))?.[1] ?? Number.NaN);
      if (end < 0 || !(this.received.length >= end + 4 + length)) return;
      this.messages.push(JSON.parse(this.received.toString('utf8', end + 4, end + 4 + length)));
      this.received = this.received.subarray(end + 4 + length);
    }
  }
}

/** A session that ends with the test; then everything it said is checked against the protocol's types. */
export function debugging(context: TestContext): Debugging {
  const session = new Debugging();
  context.after(async () => {
    await session.end();
    assert.deepEqual(session.messages.flatMap(shapeProblems), []);
  });
  return session;
}

/** Launches the two-VM sample by its system file. */
export function sampleLaunch(more: LaunchArguments = {}): LaunchArguments {
  guestElfs('samples', ['primary', 'sensor']);
  return { system: join(sampleFolder(), 'two-vms.gunyah.json'), ...more };
}

/** Launches one fixture guest by itself. */
export function guestLaunch(name: string, more: LaunchArguments = {}): LaunchArguments {
  return { program: guestElf(name), ...more };
}

/** A source file of the sample, and the number of its first line that contains `text`. */
export function sampleSource(file: string): string {
  return join(sampleFolder(), file);
}
