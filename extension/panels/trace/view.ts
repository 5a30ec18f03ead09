/**
 * The Hypercall Trace view: serves its page with rows, and carries out what the page asks for.
 *
 * Asks the adapter only while the view is visible: at each stop, after travel in time, and now and then while the system runs.
 */

import * as vscode from 'vscode';
import type { FeatureContext } from '../../feature';
import { formatTime, plural } from '../../model/format';
import type { Sessions } from '../../sessions';
import { showPage } from '../../webview-html';
import { parseTraceMessage, type FromTracePage, type ToTracePage } from './messages';
import { copyText } from './model';
import { TraceSource } from './source';
import { messageOf } from '../../model/messages';

/** Id of the view. */
export const TRACE_VIEW = 'gunyah.trace';
/** Time between looks at the trace while the system runs. */
const LIVE_REFRESH_MS = 300;
/** Stops and journeys that come in one burst are one look. */
const BURST_MS = 15;
/** Rows that one copy takes at most. */
const COPY_MAX = 10_000;

/** The view at work. */
export class TraceView implements vscode.WebviewViewProvider, vscode.Disposable {
  private readonly extensionUri: vscode.Uri;
  private readonly sessions: Sessions;
  private readonly source: TraceSource;
  private readonly disposables: vscode.Disposable[] = [];
  private view: vscode.WebviewView | undefined;
  private session: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private round = 0;
  private search = 0;
  private nowText = '';
  private wantedFocus: 'filter' | 'search' | undefined;

  constructor({ extension, sessions }: FeatureContext) {
    this.extensionUri = extension.extensionUri;
    this.sessions = sessions;
    this.source = new TraceSource((query) => sessions.request('gunyah/trace', query));
    this.disposables.push(sessions.onDidChange(() => { this.schedule(); }));
  }

  /** What the view shows: all events if empty. */
  get filter(): string {
    return this.source.filter;
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    view.webview.onDidReceiveMessage((message: unknown) => {
      const parsed = parseTraceMessage(message);
      if (parsed !== undefined) void this.serve(parsed);
    }, undefined, this.disposables);
    view.onDidChangeVisibility(() => { this.schedule(); }, undefined, this.disposables);
    view.onDidDispose(() => { this.view = undefined; }, undefined, this.disposables);
    showPage(view.webview, this.extensionUri, { script: 'trace', title: 'Hypercall Trace' });
  }

  /** Looks at the trace again soon. */
  schedule(): void {
    clearTimeout(this.timer);
    if (this.view?.visible !== true) return;
    this.timer = setTimeout(() => void this.refresh(), this.sessions.state === 'running' ? LIVE_REFRESH_MS : BURST_MS);
  }

  /** Puts the cursor into the filter or the search box. */
  async focus(where: 'filter' | 'search'): Promise<void> {
    this.wantedFocus = where;
    await vscode.commands.executeCommand(`${TRACE_VIEW}.focus`);
    this.post({ kind: 'focus', where });
  }

  /** Copies the selected events. */
  copySelection(): void {
    this.post({ kind: 'copySelection' });
  }

  /** Shows only what a filter matches. */
  setFilter(text: string): void {
    this.source.setFilter(text.trim());
    this.postState();
    this.schedule();
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const disposable of this.disposables) disposable.dispose();
  }

  private async refresh(): Promise<void> {
    const round = ++this.round;
    const isCurrent = (): boolean => round === this.round && this.view?.visible === true;
    this.noteSession();
    try {
      if (!await this.source.refresh()) {
        this.source.clear();
        this.nowText = '';
      } else {
        const timeline = await this.sessions.request('gunyah/timeline', {});
        this.nowText = timeline === undefined ? '' : formatTime(timeline.now);
      }
      this.postState();
      while (isCurrent() && await this.source.scan()) this.postState();
    } catch {
      // The session is still starting or already ending; the next change of state asks again.
    }
    if (!isCurrent()) return;
    this.postState();
    if (this.sessions.state === 'running') this.schedule();
  }

  private noteSession(): void {
    const id = this.sessions.current?.id;
    if (id === this.session) return;
    this.session = id;
    this.source.clear();
  }

  private postState(): void {
    const { version, rowCount, nowIndex, progress, dropped, filter, problem } = this.source;
    this.post({ kind: 'state', state: { session: this.sessions.state, version, rowCount, nowIndex, nowText: this.nowText, progress, dropped, filter, problem } });
  }

  private post(message: ToTracePage): void {
    void this.view?.webview.postMessage(message);
  }

  private async serve(message: FromTracePage): Promise<void> {
    try {
      await this.carryOut(message);
    } catch (problem) {
      void vscode.window.showErrorMessage(messageOf(problem));
    }
  }

  private async carryOut(message: FromTracePage): Promise<void> {
    switch (message.kind) {
      case 'ready': this.greet(); break;
      case 'rows': await this.sendRows(message); break;
      case 'filter': this.setFilter(message.text); break;
      case 'find': await this.find(message); break;
      case 'stopFinding': this.search++; break;
      case 'seek': await this.seek(message.number); break;
      case 'copy': await this.copy(message.from, message.to); break;
    }
  }

  private greet(): void {
    this.postState();
    if (this.wantedFocus !== undefined) this.post({ kind: 'focus', where: this.wantedFocus });
    this.wantedFocus = undefined;
    this.schedule();
  }

  private async sendRows({ version, from, count }: FromTracePage & { readonly kind: 'rows' }): Promise<void> {
    if (version !== this.source.version) return;
    const lines = await this.source.lines(from, count);
    if (version === this.source.version) this.post({ kind: 'rows', version, from, lines });
  }

  private async find({ text, from, direction }: FromTracePage & { readonly kind: 'find' }): Promise<void> {
    const search = ++this.search;
    const index = await this.source.find({ text, from, direction, isWanted: () => search === this.search });
    if (search === this.search) this.post({ kind: 'found', index });
  }

  private async seek(event: number): Promise<void> {
    if (this.sessions.state === 'stopped') await this.sessions.request('gunyah/seek', { event });
  }

  private async copy(from: number, to: number): Promise<void> {
    const lines = await this.source.lines(from, Math.min(COPY_MAX, to - from + 1));
    await vscode.env.clipboard.writeText(copyText(lines));
    vscode.window.setStatusBarMessage(`Copied ${plural(lines.length, 'event')}`, 3000);
  }
}
