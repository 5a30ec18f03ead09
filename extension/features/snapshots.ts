/** "Save Snapshot…" and "Restore Snapshot…": the whole state of a session in a file. A key binding or task may give the file as an argument. */

import * as vscode from 'vscode';
import { registerCommand } from '../command';
import type { FeatureContext } from '../feature';
import { formatCount, formatSize } from '../model/format';
import type { Sessions } from '../sessions';

const FILES = { 'Snapshot of a session': ['snapshot'] };

/** Registers the commands. */
export function register(context: FeatureContext): void {
  const { sessions } = context;
  registerCommand(context, 'gunyah.saveSnapshot', (argument) => save(sessions, argument));
  registerCommand(context, 'gunyah.restoreSnapshot', (argument) => restore(sessions, argument));
}

async function save(sessions: Sessions, argument: unknown): Promise<void> {
  requireOurFiles(sessions);
  const target = fileOf(argument) ?? await vscode.window.showSaveDialog({ title: 'Save Snapshot', filters: FILES, ...(await suggestion(sessions)) });
  if (target === undefined) return;
  const saved = await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: 'Saving the session' }, () => sessions.request('gunyah/snapshot', { action: 'save', path: target.fsPath }));
  if (saved !== undefined) vscode.window.setStatusBarMessage(`Saved tick ${formatCount(saved.tick)}, ${formatSize(saved.sizeBytes)}, to ${vscode.workspace.asRelativePath(target)}`, 8000);
}

async function restore(sessions: Sessions, argument: unknown): Promise<void> {
  requireOurFiles(sessions);
  const source = fileOf(argument) ?? (await vscode.window.showOpenDialog({ title: 'Restore Snapshot', filters: FILES, openLabel: 'Restore' }))?.[0];
  if (source === undefined) return;
  if (sessions.state === 'running') throw new Error('The system is running. Pause it first: restoring a snapshot leaves where it is now.');
  const restored = await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: 'Restoring the session' }, () => sessions.request('gunyah/snapshot', { action: 'restore', path: source.fsPath }));
  if (restored !== undefined) vscode.window.setStatusBarMessage(`Restored tick ${formatCount(restored.tick)} from ${vscode.workspace.asRelativePath(source)}; history begins here`, 8000);
}

/** Snapshots are written by the adapter, where it runs. */
function requireOurFiles(sessions: Sessions): void {
  if (sessions.current === undefined) throw new Error('Nothing is being debugged. Start a session with F5 first.');
}

function fileOf(argument: unknown): vscode.Uri | undefined {
  if (argument instanceof vscode.Uri) return argument;
  return typeof argument === 'string' && argument !== '' ? vscode.Uri.file(argument) : undefined;
}

async function suggestion(sessions: Sessions): Promise<{ defaultUri?: vscode.Uri }> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  const timeline = await sessions.request('gunyah/timeline', {});
  return folder === undefined || timeline === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder.uri, `tick-${timeline.now}.snapshot`) };
}
