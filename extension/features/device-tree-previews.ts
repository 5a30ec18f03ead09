/** Previews beside the source that follow it as it is typed: the merged tree, and what RM will add for the VM. Ctrl+click leads back to the source. */

import * as vscode from 'vscode';
import { registerCommand } from '../command';
import { DEVICE_TREE_LANGUAGE, type DeviceTrees } from '../device-trees';
import type { FeatureContext } from '../feature';
import { comparisonText, liveOverlayText, overlayText } from '../model/device-tree-preview-text';
import { configuredName } from '../model/system-file-edit';
import { TreeMaps } from '../panels/tree-map/view';
import type { Sessions } from '../sessions';
import type { PrintedTree } from '../../language-server/protocol';
import { fileNameOf } from '../model/format';
import { messageOf } from '../model/messages';

const MERGED = 'gunyah-merged-tree';
const OVERLAY = 'gunyah-rm-overlay';
const COMPARISON = 'gunyah-tree-comparison';
/** A pause in typing after which previews are made again. */
const PAUSE_MS = 150;

type Printed = Pick<PrintedTree, 'text' | 'files' | 'origins'>;

/** Registers the commands and the documents behind them. */
export function register(context: FeatureContext): void {
  const previews = new Previews(context.deviceTrees, context.sessions);
  const maps = new TreeMaps(context);
  const { subscriptions } = context.extension;
  const schemes = [MERGED, OVERLAY, COMPARISON];
  subscriptions.push(previews, maps, ...schemes.map((scheme) => vscode.workspace.registerTextDocumentContentProvider(scheme, previews)));
  subscriptions.push(vscode.languages.registerDefinitionProvider([{ scheme: MERGED }, { scheme: OVERLAY }], previews));
  registerCommand(context, 'gunyah.previewMergedTree', async (argument) => { await openBeside(MERGED, 'merged', treeUri(argument)); });
  registerCommand(context, 'gunyah.previewRmOverlay', async (argument) => { await openBeside(OVERLAY, 'overlay', treeUri(argument)); });
  registerCommand(context, 'gunyah.showTreeMap', (argument) => {
    maps.open(treeUri(argument));
    return Promise.resolve();
  });
  registerCommand(context, 'gunyah.compareDeviceTrees', async (argument) => { await compare(treeUri(argument)); });
}

/** The file of the explorer's row or of the active editor. */
function treeUri(argument: unknown): vscode.Uri {
  const uri = argument instanceof vscode.Uri ? argument : vscode.window.activeTextEditor?.document.uri;
  if (uri === undefined) throw new Error('Open a device tree first.');
  return uri;
}

async function openBeside(scheme: string, word: string, source: vscode.Uri): Promise<void> {
  const name = source.path.slice(source.path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
  const uri = vscode.Uri.from({ scheme, path: `/${name}.${word}.dts`, query: source.toString() });
  await vscode.window.showTextDocument(uri, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true, preview: false });
}

const TREE_FILES = { 'Device trees': ['dts', 'dtsi', 'dtso', 'overlay', 'dtb', 'dtbo'] };

async function compare(left: vscode.Uri): Promise<void> {
  const [right] = await vscode.window.showOpenDialog({ title: `Compare ${vscode.workspace.asRelativePath(left)} with`, filters: TREE_FILES, openLabel: 'Compare' }) ?? [];
  if (right === undefined) return;
  const nameOf = ({ path }: vscode.Uri): string => path.slice(path.lastIndexOf('/') + 1);
  const query = new URLSearchParams({ left: left.toString(), right: right.toString() }).toString();
  await vscode.window.showTextDocument(vscode.Uri.from({ scheme: COMPARISON, path: `/${nameOf(left)} ↔ ${nameOf(right)}.diff`, query }), { preview: true });
}

class Previews implements vscode.TextDocumentContentProvider, vscode.DefinitionProvider, vscode.Disposable {
  private readonly trees: DeviceTrees;
  private readonly sessions: Sessions;
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly shown = new Map<string, Printed>();
  private readonly disposables: vscode.Disposable[];
  private timer: NodeJS.Timeout | undefined;

  readonly onDidChange = this.changed.event;

  constructor(trees: DeviceTrees, sessions: Sessions) {
    this.trees = trees;
    this.sessions = sessions;
    this.disposables = [
      this.changed,
      vscode.workspace.onDidChangeTextDocument(({ document }) => { if (document.uri.scheme === 'file' && document.languageId === DEVICE_TREE_LANGUAGE) this.schedule(); }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => { this.shown.delete(uri.toString()); }),
      sessions.onDidChange((state) => { if (state !== 'running') this.schedule(); }),
    ];
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    try {
      if (uri.scheme === COMPARISON) return await this.comparison(new URLSearchParams(uri.query));
      const printed = uri.scheme === MERGED ? await this.merged(uri.query) : await this.overlay(uri.query);
      this.shown.set(uri.toString(), printed);
      return printed.text;
    } catch (problem) {
      return `// ${messageOf(problem)}\n`;
    }
  }

  /** Every word of a line leads to where the line comes from. */
  provideDefinition(document: vscode.TextDocument, position: vscode.Position): vscode.Location | undefined {
    const printed = this.shown.get(document.uri.toString());
    const origin = printed?.origins[position.line];
    const file = origin === undefined || origin === null ? undefined : printed?.files[origin[0]];
    if (origin === undefined || origin === null || file === undefined) return undefined;
    return new vscode.Location(vscode.Uri.parse(file), new vscode.Position(origin[1], origin[2]));
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const disposable of this.disposables) disposable.dispose();
  }

  private schedule(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      for (const { uri } of vscode.workspace.textDocuments) if (uri.scheme === MERGED || uri.scheme === OVERLAY) this.changed.fire(uri);
    }, PAUSE_MS);
  }

  private async merged(uri: string): Promise<Printed> {
    const tree = await this.trees.request('gunyah/dt/mergedTree', { uri, form: 'applied' });
    return tree ?? nothing('This tree cannot be read.');
  }

  private async overlay(uri: string): Promise<Printed> {
    const overlay = await this.trees.request('gunyah/dt/rmOverlay', { uri });
    if (overlay === undefined) return nothing('This tree cannot be read.');
    const live = await this.liveOverlay(overlay.base ?? uri);
    if (live !== undefined) return { text: live, files: [], origins: [] };
    const text = overlayText(overlay);
    const heading = text.split('\n').length - overlay.text.split('\n').length;
    return { text, files: overlay.files, origins: [...new Array<null>(heading).fill(null), ...overlay.origins] };
  }

  /** During a debug session with the VM that a tree (of an overlay, its base) configures: what the VM really was given. */
  private async liveOverlay(uri: string): Promise<string | undefined> {
    if (this.sessions.current === undefined) return undefined;
    const name = configuredName((await vscode.workspace.openTextDocument(vscode.Uri.parse(uri))).getText());
    // A session that ends while it is asked is none any more.
    const given = await this.treeOf(name).catch(() => undefined);
    if (given === undefined || given.blob === '') return undefined;
    const compared = await this.trees.request('gunyah/dt/compare', { left: { uri }, right: { bytes: given.blob } });
    return compared === undefined || compared.differences.length === 0 ? undefined : liveOverlayText(given.vm, fileNameOf(uri), compared.differences);
  }

  /** The device tree of a VM of the debug session, as a blob. */
  private async treeOf(name: string | undefined): Promise<{ readonly vm: string; readonly blob: string } | undefined> {
    const vm = (await this.sessions.request('gunyah/vms', {}))?.vms.find((one) => one.name === name);
    const tree = vm === undefined ? undefined : await this.sessions.request('gunyah/deviceTree', { vmid: vm.vmid });
    return vm === undefined || tree === undefined ? undefined : { vm: vm.name, blob: tree.blob };
  }

  private async comparison(query: URLSearchParams): Promise<string> {
    const [left, right] = [query.get('left') ?? '', query.get('right') ?? ''];
    const compared = await this.trees.request('gunyah/dt/compare', { left: { uri: left }, right: { uri: right } });
    if (compared === undefined) return '// One of the trees cannot be read.\n';
    const name = (uri: string): string => vscode.workspace.asRelativePath(vscode.Uri.parse(uri));
    return comparisonText(name(left), name(right), compared.differences);
  }
}

function nothing(why: string): Printed {
  return { text: `// ${why}\n`, files: [], origins: [] };
}
