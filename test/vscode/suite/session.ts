/** Helpers of the suites: start the sample, wait for stops, read answers. */

import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { CustomRequestArguments, CustomRequestBody, CustomRequestName } from '../../../debug-adapter/protocol';

/** The workspace folder: a copy of the sample. */
export function folder(): vscode.WorkspaceFolder {
  const [first] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(first, 'a folder is open');
  return first;
}

/** A message of the protocol, as a tracker sees it. */
interface Message { readonly type?: string; readonly event?: string; readonly command?: string; readonly body?: Readonly<Record<string, unknown>> }

/** Waits until `attempt` gives something. */
export async function eventually<T>(what: string, attempt: () => T | undefined | Promise<T | undefined>, timeoutMs = 90_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

/** A debug session under test, watched from its first message. */
export class TestSession {
  /** Every message the adapter sent. */
  readonly received: Message[] = [];
  private readonly disposables: vscode.Disposable[] = [];
  private seenStops = 0;
  private started: vscode.DebugSession | undefined;
  private ended = false;

  /** Starts a configuration on the sample. */
  static async start(config: Readonly<Record<string, unknown>> = {}): Promise<TestSession> {
    const created = new TestSession();
    created.watch();
    const launch: vscode.DebugConfiguration = { type: 'gunyah', request: 'launch', name: 'test', system: vscode.Uri.joinPath(folder().uri, 'two-vms.gunyah.json').fsPath, ...config };
    assert.equal(await vscode.debug.startDebugging(folder(), launch), true, 'the session starts');
    return created;
  }

  /** The editor's session. */
  get session(): vscode.DebugSession {
    assert.ok(this.started, 'a session was started');
    return this.started;
  }

  /** The next `stopped` event that was not asked for yet. */
  async stop(): Promise<Readonly<Record<string, unknown>>> {
    const index = this.seenStops++;
    return await eventually(`stop ${index + 1}`, () => this.events('stopped')[index]);
  }

  /** Bodies of all events of a name so far. */
  events(name: string): Readonly<Record<string, unknown>>[] {
    return this.received.filter(({ type, event }) => type === 'event' && event === name).map(({ body }) => body ?? {});
  }

  /** Answers that the adapter gave so far to requests of a name, the editor's own among them. */
  answers(command: string): Readonly<Record<string, unknown>>[] {
    return this.received.filter(({ type, command: name }) => type === 'response' && name === command).map(({ body }) => body ?? {});
  }

  /** Sends a request of the protocol. */
  async request(command: string, args: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const body: Readonly<Record<string, unknown>> | undefined = await this.session.customRequest(command, args);
    return body ?? {};
  }

  /** Sends one of our requests. */
  async gunyah<N extends CustomRequestName>(name: N, args: CustomRequestArguments<N>): Promise<CustomRequestBody<N>> {
    const body: CustomRequestBody<N> = await this.session.customRequest(name, args);
    return body;
  }

  /** Waits for the end of the session. */
  async end(): Promise<void> {
    await eventually('the session ends', () => (this.ended ? true : undefined));
  }

  /** Ends the session if it still runs, and stops watching. */
  async dispose(): Promise<void> {
    if (!this.ended && this.started !== undefined) {
      await vscode.debug.stopDebugging(this.started);
      await this.end();
    }
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    for (const disposable of this.disposables) disposable.dispose();
  }

  private watch(): void {
    this.disposables.push(
      vscode.debug.registerDebugAdapterTrackerFactory('gunyah', { createDebugAdapterTracker: (session) => {
        this.started ??= session;
        return { onDidSendMessage: (message: Message) => { this.received.push(message); } };
      } }),
      vscode.debug.onDidTerminateDebugSession((session) => { if (session.id === this.started?.id) this.ended = true; }),
    );
  }
}
