/**
 * Moves data from the debug session into a tree view: asks at each stop, after travel in time, and now and then while running.
 * A view that nobody sees asks nothing, so that stepping costs what is on the screen.
 *
 * What is asked and how it becomes rows is in each panel's own folder; drawing is in `tree-view.ts`.
 */

import * as vscode from 'vscode';
import { PositionHistory } from '../model/position-history';
import type { Row } from '../model/row';
import type { Sessions } from '../sessions';
import { RowTree } from './tree-view';

/** One panel: its view's id, what to ask, and how the answer becomes rows. */
export interface PanelDefinition<T> {
  readonly view: string;
  /** Asks the current session. Undefined if there is none. */
  fetch(sessions: Sessions): Promise<T | undefined>;
  /** Pure: `before` is what the view showed at the previous stop. */
  rows(now: T, before: T | undefined): readonly Row[];
  /** Shown instead of rows if the session has none, such as "No message queues yet." */
  readonly empty: string;
}

/** Time between refreshes while the system runs. */
const LIVE_REFRESH_MS = 500;
/** Stops and journeys that come in one burst are one refresh. */
const BURST_MS = 15;

/** A panel at work. */
export class Panel<T> implements vscode.Disposable {
  readonly tree: RowTree;
  private readonly definition: PanelDefinition<T>;
  private readonly sessions: Sessions;
  private readonly history = new PositionHistory<T>();
  private readonly disposables: vscode.Disposable[] = [];
  private timer: NodeJS.Timeout | undefined;
  private session: string | undefined;
  private round = 0;

  constructor(definition: PanelDefinition<T>, sessions: Sessions) {
    this.definition = definition;
    this.sessions = sessions;
    this.tree = new RowTree(definition.view);
    this.disposables.push(
      this.tree,
      sessions.onDidChange(() => { this.schedule(); }),
      this.tree.view.onDidChangeVisibility(() => { this.schedule(); }),
    );
  }

  /** Asks again soon. */
  schedule(): void {
    clearTimeout(this.timer);
    if (this.sessions.current === undefined) {
      this.clear();
      return;
    }
    if (!this.tree.view.visible) {
      this.history.miss();
      return;
    }
    this.timer = setTimeout(() => void this.refresh(), this.sessions.state === 'running' ? LIVE_REFRESH_MS : BURST_MS);
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const disposable of this.disposables) disposable.dispose();
  }

  private clear(): void {
    this.round++;
    this.session = undefined;
    this.history.clear();
    this.tree.view.message = '';
    this.tree.show([]);
  }

  private async refresh(): Promise<void> {
    const round = ++this.round;
    const { state } = this.sessions;
    this.noteSession();
    try {
      const [now, timeline] = await Promise.all([this.definition.fetch(this.sessions), this.sessions.request('gunyah/timeline', {})]);
      if (round !== this.round || now === undefined || timeline === undefined) return;
      this.draw(now, state === 'stopped' ? this.history.stoppedAt(timeline.now, now) : this.history.whileRunning);
    } catch {
      // The session is still starting or already ending; the next change of state asks again.
    }
    if (round === this.round && this.sessions.state === 'running') this.schedule();
  }

  private noteSession(): void {
    const id = this.sessions.current?.id;
    if (id === this.session) return;
    this.session = id;
    this.history.clear();
  }

  private draw(now: T, before: T | undefined): void {
    const rows = this.definition.rows(now, before);
    this.tree.view.message = rows.length === 0 ? this.definition.empty : '';
    this.tree.show(rows);
  }
}
