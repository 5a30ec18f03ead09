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

/** All terminals of the window, by VM name: the next session of the same system takes them over. */
class Consoles implements vscode.Disposable {
  private readonly terminals = new Map<string, ConsoleTerminal>();
  private readonly sessions: Sessions;
  private readonly closed: vscode.Disposable;

  constructor(sessions: Sessions) {
    this.sessions = sessions;
    this.closed = vscode.window.onDidCloseTerminal((terminal) => {
      for (const [vm, { terminal: ours }] of this.terminals) if (ours === terminal) this.terminals.delete(vm);
    });
  }

  receive(event: SessionEvent): void {
    if (event.event === 'gunyah/console') this.of(event.body.vm, event.session).print(event.body.text);
    if (event.event === 'gunyah/timeTravel') {
      for (const console of this.owned(event.session)) console.note(`travelled to ${formatTime(event.body.tick)}`);
    }
  }

  restart(session: vscode.DebugSession): void {
    for (const console of this.owned(session)) console.clear();
  }

  end(session: vscode.DebugSession): void {
    for (const console of this.owned(session)) console.end();
  }

  async pick(): Promise<void> {
    const names = [...this.terminals.keys()];
    const vm = names.length === 1 ? names[0] : await vscode.window.showQuickPick(names, { title: 'Show the console of which virtual machine?' });
    if (vm !== undefined) this.terminals.get(vm)?.terminal.show();
    else if (names.length === 0) void vscode.window.showInformationMessage('No virtual machine has printed anything yet.');
  }

  dispose(): void {
    this.closed.dispose();
    for (const { terminal } of this.terminals.values()) terminal.dispose();
  }

  private owned(session: vscode.DebugSession): ConsoleTerminal[] {
    return [...this.terminals.values()].filter((console) => console.session?.id === session.id);
  }

  private of(vm: string, session: vscode.DebugSession): ConsoleTerminal {
    const known = this.terminals.get(vm);
    if (known !== undefined) {
      known.take(session);
      return known;
    }
    const first = [...this.terminals.values()][0];
    const created = new ConsoleTerminal(vm, session, first?.terminal, (text) => this.write(vm, text));
    this.terminals.set(vm, created);
    if (first === undefined && vscode.workspace.getConfiguration('gunyah').get<boolean>('revealConsoles', true)) created.terminal.show(true);
    return created;
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

/** One VM's terminal. */
class ConsoleTerminal {
  readonly terminal: vscode.Terminal;
  session: vscode.DebugSession | undefined;
  private readonly written = new vscode.EventEmitter<string>();
  private readonly text = new ConsoleText();
  private waiting: string | undefined = '';

  constructor(vm: string, session: vscode.DebugSession, beside: vscode.Terminal | undefined, send: (text: string) => Promise<void>) {
    this.session = session;
    const options: vscode.ExtensionTerminalOptions = {
      name: `${vm} console`,
      iconPath: new vscode.ThemeIcon('vm'),
      // Side by side: the conversation of two VMs is read together.
      ...(beside === undefined ? {} : { location: { parentTerminal: beside } }),
      pty: {
        onDidWrite: this.written.event,
        open: () => { this.open(); },
        close: () => { this.session = undefined; },
        handleInput: (data) => { if (this.session !== undefined) void send(typedText(data)); },
      },
    };
    this.terminal = vscode.window.createTerminal(options);
  }

  print(text: string): void {
    this.write(this.text.convert(text));
  }

  note(text: string): void {
    this.text.reset();
    this.write(noteLine(text));
  }

  clear(): void {
    this.text.reset();
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
    this.note('the session has ended');
  }

  private write(text: string): void {
    if (this.waiting === undefined) this.written.fire(text);
    else this.waiting = (this.waiting + text).slice(-WAITING_TEXT_MAX);
  }

  private open(): void {
    const waiting = this.waiting ?? '';
    this.waiting = undefined;
    if (waiting !== '') this.written.fire(waiting);
  }
}
