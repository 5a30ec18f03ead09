/** "Export Hypercall Trace…": writes the events, those of the filter or all, to a file. */

import * as vscode from 'vscode';
import { registerCommand } from '../command';
import type { FeatureContext } from '../feature';
import { plural } from '../model/format';
import type { Sessions } from '../sessions';

/** Events that are asked for at a time, so that the adapter is never busy for long. */
const PAGE_EVENTS = 2000;

/** What the user may take: everything, or what the view shows. */
export interface TraceExportSource { readonly filter: string }

/** Registers the command; `current` tells the filter of the view. */
export function registerTraceExport(context: FeatureContext, current: () => TraceExportSource): void {
  registerCommand(context, 'gunyah.exportTrace', () => exportTrace(context.sessions, current().filter));
}

async function exportTrace(sessions: Sessions, filter: string): Promise<void> {
  const chosen = await chooseFilter(filter);
  if (chosen === undefined) return;
  const target = await vscode.window.showSaveDialog({ title: 'Export Hypercall Trace', filters: { 'JSON lines': ['jsonl'] }, ...suggestedFile() });
  if (target === undefined) return;
  const written = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: 'Exporting the trace', cancellable: true }, (progress, token) =>
    collect(sessions, { filter: chosen, isCancelled: () => token.isCancellationRequested, report: (message, increment) => { progress.report({ message, increment }); } }));
  if (written === undefined) return;
  await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(written.text));
  void vscode.window.showInformationMessage(`Wrote ${plural(written.count, 'event')} to ${vscode.workspace.asRelativePath(target)}.`);
}

function suggestedFile(): { defaultUri?: vscode.Uri } {
  const folder = vscode.workspace.workspaceFolders?.[0];
  return folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder.uri, 'trace.jsonl') };
}

/** The filter to export with; with none set there is nothing to ask. */
async function chooseFilter(filter: string): Promise<string | undefined> {
  if (filter === '') return '';
  const picked = await vscode.window.showQuickPick([{ label: 'Events of the filter', description: filter, filter }, { label: 'All events', description: '', filter: '' }], { title: 'Which events?' });
  return picked?.filter;
}

interface Collecting { readonly filter: string; isCancelled(): boolean; report(message: string, increment: number): void }

/** All events as JSON lines, a page at a time. Undefined if cancelled. */
async function collect(sessions: Sessions, { filter, isCancelled, report }: Collecting): Promise<{ readonly text: string; readonly count: number } | undefined> {
  const pages: string[] = [];
  let count = 0;
  for (let from = 0; ;) {
    if (isCancelled()) return undefined;
    const page = await sessions.request('gunyah/trace', { from, limit: PAGE_EVENTS, filter, future: true });
    if (page === undefined) return undefined;
    pages.push(page.events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    count += page.events.length;
    report(plural(count, 'event'), ((page.next - from) / Math.max(1, page.end)) * 100);
    if (page.complete || page.next <= from) return { text: pages.join(''), count };
    from = page.next;
  }
}
