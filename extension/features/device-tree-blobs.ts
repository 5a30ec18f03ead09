/** Blobs: `.dtb` and `.dtbo` open as source and are compiled when saved; sources compile to a blob beside them. */

import * as vscode from 'vscode';
import { registerCommand } from '../command';
import type { DeviceTrees } from '../device-trees';
import type { FeatureContext } from '../feature';

/** A blob as a file of source text. */
const SCHEME = 'gunyah-dtb';
const VIEW_TYPE = 'gunyah.deviceTreeBlob';

/** Registers the file system, the editor that leads to it, and the commands. */
export function register(context: FeatureContext): void {
  const { extension, deviceTrees } = context;
  const blobs = new BlobFiles(deviceTrees);
  extension.subscriptions.push(
    blobs,
    vscode.workspace.registerFileSystemProvider(SCHEME, blobs, { isCaseSensitive: true }),
    vscode.window.registerCustomEditorProvider(VIEW_TYPE, { openCustomDocument: (uri) => ({ uri, dispose: () => undefined }), resolveCustomEditor: openAsSource }),
  );
  registerCommand(context, 'gunyah.compileDeviceTree', async (argument) => { await compile(deviceTrees, fileUri(argument)); });
  registerCommand(context, 'gunyah.decompileDeviceTree', async (argument) => { await decompile(deviceTrees, fileUri(argument)); });
}

function fileUri(argument: unknown): vscode.Uri {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  const active = input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom ? input.uri : undefined;
  const uri = argument instanceof vscode.Uri ? argument : active;
  if (uri === undefined) throw new Error('Open a device tree first.');
  return uri.scheme === SCHEME ? blobUri(uri) : uri;
}

/** The source of `board.dtb` is the document `board.dtb.dts` of our own scheme. */
function sourceUri(blob: vscode.Uri): vscode.Uri {
  return blob.with({ scheme: SCHEME, path: `${blob.path}.dts`, query: blob.scheme });
}

function blobUri(source: vscode.Uri): vscode.Uri {
  return source.with({ scheme: source.query || 'file', path: source.path.replace(/\.dts$/, ''), query: '' });
}

/** The editor for blobs shows nothing itself: a text editor takes its place. */
async function openAsSource(document: vscode.CustomDocument, panel: vscode.WebviewPanel): Promise<void> {
  const viewColumn = panel.viewColumn ?? vscode.ViewColumn.Active;
  const source = await vscode.workspace.openTextDocument(sourceUri(document.uri));
  panel.dispose();
  await vscode.window.showTextDocument(source, { viewColumn, preview: false });
}

async function compile(trees: DeviceTrees, uri: vscode.Uri): Promise<void> {
  const compiled = await trees.request('gunyah/dt/compile', { uri: uri.toString(), symbols: /\.(?:dtso|overlay)$/.test(uri.path) });
  if (compiled === undefined) throw new Error('This tree cannot be read.');
  if (compiled.bytes === null) {
    await vscode.commands.executeCommand('workbench.actions.view.problems');
    throw new Error(`${compiled.name} was not made: the tree has errors.`);
  }
  const target = vscode.Uri.joinPath(vscode.Uri.parse(compiled.root), '..', compiled.name);
  await vscode.workspace.fs.writeFile(target, Buffer.from(compiled.bytes, 'base64'));
  const open = 'Open';
  if (await vscode.window.showInformationMessage(`${vscode.workspace.asRelativePath(target)} is written.`, open) === open) await vscode.commands.executeCommand('vscode.open', target);
}

async function decompile(trees: DeviceTrees, uri: vscode.Uri): Promise<void> {
  const text = await sourceOf(trees, await vscode.workspace.fs.readFile(uri));
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: 'dts', content: text }));
}

async function sourceOf(trees: DeviceTrees, blob: Uint8Array): Promise<string> {
  const printed = await trees.request('gunyah/dt/decompile', { bytes: Buffer.from(blob).toString('base64') });
  const problem = printed?.problems.flatMap(({ diagnostics }) => diagnostics).find(({ severity }) => severity === 1);
  if (printed === undefined || (printed.text === '' && problem === undefined)) throw new Error('This is no device tree blob.');
  if (problem !== undefined) throw new Error(`This blob cannot be read: ${problem.message}`);
  return printed.text;
}

/** Files of source text whose bytes on disk are blobs. Reading decompiles, writing compiles. */
class BlobFiles implements vscode.FileSystemProvider, vscode.Disposable {
  private readonly trees: DeviceTrees;
  private readonly changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  private readonly watcher = vscode.workspace.createFileSystemWatcher('**/*.{dtb,dtbo}');
  /** Length of the text as last read or written; the editor compares it with what it holds. */
  private readonly sizes = new Map<string, number>();

  readonly onDidChangeFile = this.changed.event;

  constructor(trees: DeviceTrees) {
    this.trees = trees;
    this.watcher.onDidChange((uri) => { this.changed.fire([{ type: vscode.FileChangeType.Changed, uri: sourceUri(uri) }]); });
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const blob = await vscode.workspace.fs.stat(blobUri(uri));
    return { ...blob, size: this.sizes.get(uri.toString()) ?? blob.size };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const text = new TextEncoder().encode(await sourceOf(this.trees, await vscode.workspace.fs.readFile(blobUri(uri))));
    this.sizes.set(uri.toString(), text.length);
    return text;
  }

  async writeFile(uri: vscode.Uri, content: Uint8Array): Promise<void> {
    const compiled = await this.trees.request('gunyah/dt/compile', { uri: uri.toString(), text: new TextDecoder().decode(content) });
    const problem = compiled?.problems.flatMap(({ diagnostics }) => diagnostics).find(({ severity }) => severity === 1);
    if (compiled === undefined || compiled.bytes === null) {
      const where = problem === undefined ? '' : ` Line ${problem.range.start.line + 1}: ${problem.message}`;
      throw new Error(`The blob was not written, since the source has errors.${where}`);
    }
    await vscode.workspace.fs.writeFile(blobUri(uri), Buffer.from(compiled.bytes, 'base64'));
    this.sizes.set(uri.toString(), content.length);
  }

  readDirectory(): [string, vscode.FileType][] {
    return [];
  }

  createDirectory(): void {
    throw vscode.FileSystemError.NoPermissions();
  }

  delete(): void {
    throw vscode.FileSystemError.NoPermissions();
  }

  rename(): void {
    throw vscode.FileSystemError.NoPermissions();
  }

  dispose(): void {
    this.watcher.dispose();
    this.changed.dispose();
  }
}
