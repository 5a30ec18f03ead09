/** The memory map of a device tree: a tab beside the source that follows it as it is typed. Serves its page with data. */

import * as vscode from 'vscode';
import { DEVICE_TREE_LANGUAGE } from '../../device-trees';
import type { FeatureContext } from '../../feature';
import { fileNameOf } from '../../model/format';
import { showPage } from '../../webview-html';
import type { MemoryMap } from '../../../language-server/protocol';
import { parseTreeMapMessage, type FromTreeMapPage, type ToTreeMapPage } from './messages';
import { messageOf } from '../../model/messages';

const VIEW_TYPE = 'gunyah.treeMap';
const PAUSE_MS = 150;

/** The tabs, one for each tree. */
export class TreeMaps implements vscode.Disposable {
  private readonly context: FeatureContext;
  private readonly tabs = new Map<string, TreeMapTab>();
  private readonly changes: vscode.Disposable;
  private timer: NodeJS.Timeout | undefined;

  constructor(context: FeatureContext) {
    this.context = context;
    this.changes = vscode.workspace.onDidChangeTextDocument(({ document }) => { if (document.languageId === DEVICE_TREE_LANGUAGE) this.schedule(); });
  }

  /** Opens the map of a tree beside its source. */
  open(tree: vscode.Uri): void {
    const known = this.tabs.get(tree.toString());
    if (known !== undefined) {
      known.reveal();
      return;
    }
    const tab = new TreeMapTab(this.context, tree);
    this.tabs.set(tree.toString(), tab);
    tab.onDidDispose(() => { this.tabs.delete(tree.toString()); });
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.changes.dispose();
    for (const tab of [...this.tabs.values()]) tab.dispose();
  }

  private schedule(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { for (const tab of this.tabs.values()) void tab.refresh(); }, PAUSE_MS);
  }
}

class TreeMapTab {
  private readonly context: FeatureContext;
  private readonly tree: vscode.Uri;
  private readonly panel: vscode.WebviewPanel;
  private map: MemoryMap | undefined;
  private isReady = false;

  constructor(context: FeatureContext, tree: vscode.Uri) {
    this.context = context;
    this.tree = tree;
    this.panel = vscode.window.createWebviewPanel(VIEW_TYPE, `Memory Map: ${fileNameOf(tree.path)}`, { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true });
    this.panel.webview.onDidReceiveMessage((message: unknown) => {
      const parsed = parseTreeMapMessage(message);
      if (parsed !== undefined) void this.serve(parsed);
    });
    this.panel.onDidChangeViewState(() => void this.refresh());
    showPage(this.panel.webview, context.extension.extensionUri, { script: 'tree-map', title: 'Memory Map' });
  }

  onDidDispose(run: () => void): void {
    this.panel.onDidDispose(run);
  }

  reveal(): void {
    this.panel.reveal();
  }

  dispose(): void {
    this.panel.dispose();
  }

  /** Asks again, if the tab can be seen. */
  async refresh(): Promise<void> {
    if (!this.isReady || !this.panel.visible) return;
    try {
      this.map = await this.context.deviceTrees.request('gunyah/dt/memoryMap', { uri: this.tree.toString() });
      if (this.map === undefined) this.post({ kind: 'problem', text: 'This tree cannot be read.' });
      else this.post({ kind: 'map', name: fileNameOf(this.tree.path), map: this.map });
    } catch (problem) {
      this.post({ kind: 'problem', text: messageOf(problem) });
    }
  }

  private post(message: ToTreeMapPage): void {
    void this.panel.webview.postMessage(message);
  }

  private async serve(message: FromTreeMapPage): Promise<void> {
    if (message.kind === 'ready') {
      this.isReady = true;
      await this.refresh();
      return;
    }
    const place = this.map?.ranges[message.index]?.place;
    if (place === undefined || place === null) return;
    const { start, end } = place.range;
    await vscode.window.showTextDocument(vscode.Uri.parse(place.uri), { viewColumn: vscode.ViewColumn.One, selection: new vscode.Range(start.line, start.character, end.line, end.character) });
  }
}
