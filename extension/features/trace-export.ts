/** "Export Hypercall Trace…": has the adapter write the events, those of the filter or all, in a format that other tools read. */

import * as vscode from 'vscode';
import { registerCommand } from '../command';
import type { FeatureContext } from '../feature';
import { formatSize, plural } from '../model/format';
import type { Sessions } from '../sessions';

/** What the user may take: everything, or what the view shows. */
export interface TraceExportSource { readonly filter: string }

type Format = 'jsonl' | 'perfetto' | 'pcapng';
interface FormatChoice extends vscode.QuickPickItem { readonly format: Format; readonly extension: string }

const FORMATS: readonly FormatChoice[] = [
  { label: 'JSON lines', description: 'one object a line, for scripts', format: 'jsonl', extension: 'jsonl' },
  { label: 'Perfetto', description: 'tracks of VMs and vCPUs over time, for ui.perfetto.dev', format: 'perfetto', extension: 'json' },
  { label: 'pcapng', description: 'messages of the queues as packets, for Wireshark', format: 'pcapng', extension: 'pcapng' },
];

/** Registers the command; `current` tells the filter of the view. */
export function registerTraceExport(context: FeatureContext, current: () => TraceExportSource): void {
  registerCommand(context, 'gunyah.exportTrace', (argument) => exportTrace(context.sessions, current().filter, argument));
}

/** What a key binding or task may say instead of being asked. */
interface Wanted { readonly format?: unknown; readonly file?: unknown }

async function exportTrace(sessions: Sessions, viewFilter: string, argument: unknown): Promise<void> {
  const wanted: Wanted = typeof argument === 'object' && argument !== null ? argument : {};
  const format = FORMATS.find((one) => one.format === wanted.format) ?? await vscode.window.showQuickPick(FORMATS, { title: 'Export the trace as', placeHolder: 'Format' });
  const filter = format === undefined ? undefined : await chooseFilter(viewFilter);
  if (format === undefined || filter === undefined) return;
  const target = typeof wanted.file === 'string' ? vscode.Uri.file(wanted.file)
    : await vscode.window.showSaveDialog({ title: 'Export Hypercall Trace', filters: { [format.label]: [format.extension] }, ...suggestedFile(format.extension) });
  if (target === undefined) return;
  const written = await write(sessions, target, { format: format.format, filter }).catch((problem: unknown) => {
    if (isCancelled(problem)) return undefined;
    throw problem;
  });
  if (written === undefined) return;
  void tell(`Wrote ${plural(written.events, 'event')}, ${formatSize(written.sizeBytes)}, to ${vscode.workspace.asRelativePath(target)}.`, format.format === 'pcapng' ? undefined : target);
}

/** Says what was written, and offers to open it if that is text. */
async function tell(message: string, text: vscode.Uri | undefined): Promise<void> {
  const open = await vscode.window.showInformationMessage(message, ...(text === undefined ? [] : ['Open']));
  if (open !== undefined && text !== undefined) await vscode.window.showTextDocument(text);
}

/** The filter to export with; with none set there is nothing to ask. */
async function chooseFilter(filter: string): Promise<string | undefined> {
  if (filter === '') return '';
  const picked = await vscode.window.showQuickPick([{ label: 'Events of the filter', description: filter, filter }, { label: 'All events', description: '', filter: '' }], { title: 'Which events?' });
  return picked?.filter;
}

function suggestedFile(extension: string): { defaultUri?: vscode.Uri } {
  const folder = vscode.workspace.workspaceFolders?.[0];
  return folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder.uri, `trace.${extension}`) };
}

/** The adapter shows its progress and can be told there to stop. */
function isCancelled(problem: unknown): boolean {
  return problem instanceof Error && problem.message === 'cancelled';
}

/** An adapter of ours writes the file itself; one that we are attached to may be elsewhere and answers with the trace. */
async function write(sessions: Sessions, target: vscode.Uri, query: { readonly format: Format; readonly filter: string }): Promise<{ readonly events: number; readonly sizeBytes: number } | undefined> {
  const isHere = target.scheme === 'file' && sessions.current?.configuration.request === 'launch';
  const answer = await sessions.request('gunyah/exportTrace', { ...query, ...(isHere ? { path: target.fsPath } : {}) });
  if (answer === undefined || isHere) return answer;
  await vscode.workspace.fs.writeFile(target, answer.base64 === undefined ? new TextEncoder().encode(answer.text ?? '') : Buffer.from(answer.base64, 'base64'));
  return answer;
}
