/**
 * Serial consoles as terminals, one per VM: fed by `gunyah/console`, keys go back by `gunyah/writeConsole`.
 *
 * Terminals stay after their session, so that the last words of a guest can be read, and are cleared when a session starts anew.
 */

import * as vscode from 'vscode';
import type { FeatureContext } from '../feature';
import { CLEAR_TERMINAL, ConsoleText, noteLine, typedText } from '../model/console-text';
import { formatTime } from '../model/format';
import { DEBUG_TYPE, type SessionEvent, type Sessions } from '../sessions';

/** Registers the consoles and "Show Console". */
export function register({ extension, sessions }: FeatureContext): void {
  const consoles = new Consoles(sessions);
  extension.subscriptions.push(
    consoles,
    sessions.onEvent((event) => { consoles.receive(event); }),
    vscode.debug.onDidTerminateDebugSession((session) => { if (session.type === DEBUG_TYPE) consoles.end(session); }),
    vscode.debug.registerDebugAdapterTrackerFactory(DEBUG_TYPE, { createDebugAdapterTracker: (session) => ({
      onWillReceiveMessage: (message: unknown) => { if (isRestart(message)) consoles.restart(session); },
    }) }),
    vscode.commands.registerCommand('gunyah.showConsole', () => consoles.pick()),
  );
}

function isRestart(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'command' in message && message.command === 'restart';
}

/** Time for the other VMs to make themselves known before terminals open. */
const OPEN_AFTER_MS = 100;

/** All consoles of the window, by VM name: the next session of the same system takes them over. */
class Consoles implements vscode.Disposable {
  private readonly consoles = new Map<string, ConsoleTerminal>();
  /** VMs that the sessions told of, in the order they came to be. */
  private readonly vms = new Set<string>();
  private readonly sessions: Sessions;
  private readonly closed: vscode.Disposable;
  private opening: NodeJS.Timeout | undefined;
  private lastSession: string | undefined;

  constructor(sessions: Sessions) {
    this.sessions = sessions;
    this.closed = vscode.window.onDidCloseTerminal((terminal) => {
      for (const [vm, { terminal: ours }] of this.consoles) if (ours === terminal) this.consoles.delete(vm);
    });
  }

  receive(event: SessionEvent): void {
    this.noteSession(event.session);
    if (event.event === 'gunyah/vmState') this.vms.add(event.body.vm);
    if (event.event === 'gunyah/console') this.of(event.body.vm, event.session).print(event.body.text);
    if (event.event === 'gunyah/timeTravel') {
      for (const console of this.owned(event.session)) console.travelled(event.body.tick);
    }
  }

  /** The first event of a session: what ended sessions have printed goes, so that no console shows the past of another run. */
  private noteSession(session: vscode.DebugSession): void {
    if (session.id === this.lastSession) return;
    this.lastSession = session.id;
    for (const console of this.consoles.values()) if (console.session === undefined) console.take(session);
  }

  restart(session: vscode.DebugSession): void {
    for (const console of this.owned(session)) console.clear();
  }

  end(session: vscode.DebugSession): void {
    for (const console of this.owned(session)) console.end();
    this.vms.clear();
  }

  async pick(): Promise<void> {
    const names = [...this.consoles.keys()];
    const vm = names.length === 1 ? names[0] : await vscode.window.showQuickPick(names, { title: 'Show the console of which virtual machine?' });
    if (vm !== undefined) this.consoles.get(vm)?.terminal?.show();
    else if (names.length === 0) void vscode.window.showInformationMessage('No virtual machine has printed anything yet.');
  }

  dispose(): void {
    this.closed.dispose();
    clearTimeout(this.opening);
    for (const { terminal } of this.consoles.values()) terminal?.dispose();
  }

  private owned(session: vscode.DebugSession): ConsoleTerminal[] {
    return [...this.consoles.values()].filter((console) => console.session?.id === session.id);
  }

  private of(vm: string, session: vscode.DebugSession): ConsoleTerminal {
    const known = this.consoles.get(vm);
    if (known !== undefined) {
      known.take(session);
      return known;
    }
    const created = new ConsoleTerminal(vm, session, (text) => this.write(vm, text));
    this.consoles.set(vm, created);
    clearTimeout(this.opening);
    this.opening = setTimeout(() => { this.openAll(session); }, OPEN_AFTER_MS);
    return created;
  }

  /**
   * Opens what is not open yet, side by side: the conversation of two VMs is read together. All at once and with the VMs that have
   * not printed yet, because the editor splits a terminal for us only while that terminal is being made.
   */
  private openAll(session: vscode.DebugSession): void {
    const isFirst = ![...this.consoles.values()].some(({ terminal }) => terminal !== undefined);
    if (isFirst) for (const vm of this.vms) this.of(vm, session);
    clearTimeout(this.opening);
    let beside: vscode.Terminal | undefined;
    for (const console of this.consoles.values()) if (console.terminal === undefined) beside = console.open(beside);
    if (isFirst && vscode.workspace.getConfiguration('gunyah').get<boolean>('revealConsoles', true)) [...this.consoles.values()][0]?.terminal?.show(true);
  }

  private async write(vm: string, text: string): Promise<void> {
    try {
      await this.sessions.request('gunyah/writeConsole', { vm, text });
    } catch {
      // The session is ending; its terminal says so.
    }
  }
}

/** Text printed before the terminal is open; more than this is cut at the front. */
const WAITING_TEXT_MAX = 256 * 1024;

/** One VM's console: collects text until its terminal is open. */
class ConsoleTerminal {
  terminal: vscode.Terminal | undefined;
  session: vscode.DebugSession | undefined;
  private readonly vm: string;
  private readonly send: (text: string) => Promise<void>;
  private readonly written = new vscode.EventEmitter<string>();
  private readonly text = new ConsoleText();
  private waiting: string | undefined = '';
  private travelledTo: number | undefined;
  private hasPrinted = false;

  constructor(vm: string, session: vscode.DebugSession, send: (text: string) => Promise<void>) {
    this.vm = vm;
    this.session = session;
    this.send = send;
  }

  /** Makes the terminal, in a group with another one if given. */
  open(beside: vscode.Terminal | undefined): vscode.Terminal {
    const options: vscode.ExtensionTerminalOptions = {
      name: `${this.vm} console`,
      iconPath: new vscode.ThemeIcon('vm'),
      ...(beside === undefined ? {} : { location: { parentTerminal: beside } }),
      pty: {
        onDidWrite: this.written.event,
        open: () => { this.flush(); },
        close: () => { this.session = undefined; },
        handleInput: (data) => { if (this.session !== undefined) void this.send(typedText(data)); },
      },
    };
    this.terminal = vscode.window.createTerminal(options);
    return this.terminal;
  }

  print(text: string): void {
    if (this.travelledTo !== undefined && this.hasPrinted) this.note(`again from ${formatTime(this.travelledTo)}`);
    this.travelledTo = undefined;
    this.hasPrinted = true;
    this.write(this.text.convert(text));
  }

  /** What the guest prints from now on may have been printed before; a line says so, once it prints. */
  travelled(tick: number): void {
    this.travelledTo = tick;
  }

  note(text: string): void {
    this.text.reset();
    this.write(noteLine(text));
  }

  clear(): void {
    this.text.reset();
    this.hasPrinted = false;
    this.travelledTo = undefined;
    if (this.waiting !== undefined) this.waiting = '';
    else this.write(CLEAR_TERMINAL);
  }

  /** The first output of another session: what the earlier one printed goes. */
  take(session: vscode.DebugSession): void {
    if (this.session?.id === session.id) return;
    this.session = session;
    this.clear();
  }

  end(): void {
    this.session = undefined;
    this.travelledTo = undefined;
    this.note('the session has ended');
  }

  private write(text: string): void {
    if (this.waiting === undefined) this.written.fire(text);
    else this.waiting = (this.waiting + text).slice(-WAITING_TEXT_MAX);
  }

  private flush(): void {
    const waiting = this.waiting ?? '';
    this.waiting = undefined;
    if (waiting !== '') this.written.fire(waiting);
  }
}
