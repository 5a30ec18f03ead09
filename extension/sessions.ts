/**
 * The debug sessions of type `gunyah`: which is current, whether it runs, and typed access to our protocol additions.
 *
 * Every feature learns of stops and of the adapter's own events from here; none keeps a tracker of its own.
 */

import * as vscode from 'vscode';
import type { CustomEventName, CustomEvents, CustomRequestArguments, CustomRequestBody, CustomRequestName } from '../debug-adapter/protocol';
import { changeByAdapter, changeByRequest, type RunChange } from './model/messages';

/** Our debug type. */
export const DEBUG_TYPE = 'gunyah';

/** What the current session does. */
export type RunState = 'none' | 'running' | 'stopped';

interface Tracked { readonly session: vscode.DebugSession; state: RunState; threadId: number | undefined }

/** A custom event with the session it came from. */
export type SessionEvent = { readonly [N in CustomEventName]: { readonly session: vscode.DebugSession; readonly event: N; readonly body: CustomEvents[N] } }[CustomEventName];

const EVENT_NAMES: Readonly<Record<CustomEventName, true>> = { 'gunyah/console': true, 'gunyah/vmState': true, 'gunyah/timeTravel': true };

function isOurs(event: { readonly session: vscode.DebugSession; readonly event: string; readonly body?: unknown }): event is SessionEvent {
  return event.event in EVENT_NAMES;
}

/** Watches all sessions of our type. */
export class Sessions implements vscode.Disposable {
  private readonly tracked = new Map<string, Tracked>();
  private readonly changed = new vscode.EventEmitter<RunState>();
  private readonly custom = new vscode.EventEmitter<SessionEvent>();
  private readonly disposables: vscode.Disposable[];
  private lastActive: string | undefined;

  /** The current session changed, began to run, stopped, or moved in time while stopped. */
  readonly onDidChange = this.changed.event;
  /** The adapter sent one of our events. */
  readonly onEvent = this.custom.event;

  constructor() {
    this.disposables = [
      this.changed, this.custom,
      vscode.debug.registerDebugAdapterTrackerFactory(DEBUG_TYPE, { createDebugAdapterTracker: (session) => this.track(session) }),
      vscode.debug.onDidChangeActiveDebugSession((session) => { this.activate(session); }),
      vscode.debug.onDidTerminateDebugSession((session) => { this.end(session.id); }),
      vscode.debug.onDidReceiveDebugSessionCustomEvent((event) => { this.receive(event); }),
    ];
  }

  /** The session that views and commands act on: the active one if it is ours, else the last of ours. */
  get current(): vscode.DebugSession | undefined {
    return this.currentTracked?.session;
  }

  /** What the current session does. */
  get state(): RunState {
    return this.currentTracked?.state ?? 'none';
  }

  /** The thread that execution commands of ours act on: the one the user looks at, else the one that stopped last. */
  get threadId(): number | undefined {
    const item = vscode.debug.activeStackItem;
    if (item !== undefined && item.session.id === this.current?.id) return item.threadId;
    return this.currentTracked?.threadId;
  }

  /** Sends one of our requests to the current session. Undefined without a session; rejects with the adapter's words. */
  async request<N extends CustomRequestName>(name: N, args: CustomRequestArguments<N>): Promise<CustomRequestBody<N> | undefined> {
    const session = this.current;
    if (session === undefined) return undefined;
    const body: CustomRequestBody<N> = await session.customRequest(name, args);
    return body;
  }

  dispose(): void {
    for (const disposable of this.disposables) disposable.dispose();
  }

  private get currentTracked(): Tracked | undefined {
    return this.tracked.get(this.lastActive ?? '') ?? [...this.tracked.values()].at(-1);
  }

  private track(session: vscode.DebugSession): vscode.DebugAdapterTracker {
    this.tracked.set(session.id, { session, state: 'running', threadId: undefined });
    this.lastActive = session.id;
    return {
      onWillStartSession: () => { this.changed.fire(this.state); },
      onWillReceiveMessage: (message: unknown) => { this.apply(session.id, changeByRequest(message)); },
      onDidSendMessage: (message: unknown) => { this.apply(session.id, changeByAdapter(message)); },
      onExit: () => { this.end(session.id); },
    };
  }

  private apply(id: string, change: RunChange | undefined): void {
    const tracked = this.tracked.get(id);
    if (tracked === undefined || change === undefined) return;
    if (change.kind === 'ended') {
      this.end(id);
      return;
    }
    tracked.state = change.kind;
    if (change.kind === 'stopped') tracked.threadId = change.threadId ?? tracked.threadId;
    if (tracked === this.currentTracked) this.changed.fire(tracked.state);
  }

  private activate(session: vscode.DebugSession | undefined): void {
    if (session === undefined || !this.tracked.has(session.id)) return;
    this.lastActive = session.id;
    this.changed.fire(this.state);
  }

  private end(id: string): void {
    if (!this.tracked.delete(id)) return;
    if (this.lastActive === id) this.lastActive = undefined;
    this.changed.fire(this.state);
  }

  private receive(event: vscode.DebugSessionCustomEvent): void {
    if (event.session.type !== DEBUG_TYPE) return;
    const { session } = event;
    const ours: { readonly session: vscode.DebugSession; readonly event: string; readonly body?: unknown } = event;
    if (!isOurs(ours)) return;
    this.custom.fire(ours);
    if (ours.event === 'gunyah/timeTravel' && session.id === this.current?.id) this.changed.fire(this.state);
  }
}
