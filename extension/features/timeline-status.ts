/** The status bar's clock: virtual time and position in history; a click seeks. */

import * as vscode from 'vscode';
import type { FeatureContext } from '../feature';
import { timelineText, timelineTooltip } from '../model/timeline-text';
import type { Sessions } from '../sessions';

const LIVE_REFRESH_MS = 500;
const BURST_MS = 15;

/** Registers the status bar item. */
export function register({ extension, sessions }: FeatureContext): void {
  const clock = new Clock(sessions);
  extension.subscriptions.push(clock, sessions.onDidChange(() => { clock.schedule(); }));
}

class Clock implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('gunyah.timeline', vscode.StatusBarAlignment.Left, 0);
  private readonly sessions: Sessions;
  private timer: NodeJS.Timeout | undefined;

  constructor(sessions: Sessions) {
    this.sessions = sessions;
    this.item.name = 'Gunyah Virtual Time';
    this.item.command = 'gunyah.seek';
  }

  schedule(): void {
    clearTimeout(this.timer);
    if (this.sessions.current === undefined) this.item.hide();
    else this.timer = setTimeout(() => void this.refresh(), this.sessions.state === 'running' ? LIVE_REFRESH_MS : BURST_MS);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.item.dispose();
  }

  private async refresh(): Promise<void> {
    try {
      const timeline = await this.sessions.request('gunyah/timeline', {});
      if (timeline === undefined) return;
      const running = this.sessions.state === 'running';
      this.item.text = timelineText(timeline, running);
      this.item.tooltip = new vscode.MarkdownString(timelineTooltip(timeline));
      this.item.accessibilityInformation = { label: `Gunyah virtual time ${this.item.text.replace(/\$\([^)]*\)\s*/g, '')}`, role: 'button' };
      this.item.show();
    } catch {
      // Not launched yet, or ending.
    }
    if (this.sessions.state === 'running') this.schedule();
  }
}
