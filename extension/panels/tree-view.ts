/**
 * Draws rows as one of the editor's tree views: icons, colours, badges, tooltips, spoken labels. Knows nothing of what rows mean.
 */

import * as vscode from 'vscode';
import { accessibleLabel, type Row, type Tone } from '../model/row';

const SCHEME = 'gunyah-row';

const COLOURS: Readonly<Record<Tone, string | undefined>> = {
  plain: undefined,
  new: 'gitDecoration.addedResourceForeground',
  changed: 'gitDecoration.modifiedResourceForeground',
  gone: 'disabledForeground',
  dim: 'disabledForeground',
  bad: 'errorForeground',
};
const BADGES: Readonly<Partial<Record<Tone, { readonly badge: string; readonly tooltip: string }>>> = {
  new: { badge: 'N', tooltip: 'New since the last stop' },
  changed: { badge: 'M', tooltip: 'Changed since the last stop' },
  gone: { badge: 'D', tooltip: 'Gone since the last stop' },
};

function isTone(text: string): text is Tone {
  return text in COLOURS;
}

/** Colours the labels of rows: the editor colours a tree item by its resource. */
export const rowDecorations: vscode.FileDecorationProvider = {
  provideFileDecoration(uri) {
    if (uri.scheme !== SCHEME || !isTone(uri.fragment)) return undefined;
    const colour = COLOURS[uri.fragment];
    const badge = BADGES[uri.fragment];
    if (colour === undefined) return undefined;
    return { ...badge, color: new vscode.ThemeColor(colour), propagate: false };
  },
};

function treeItem(row: Row, view: string): vscode.TreeItem {
  const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(row.label, row.children.length === 0 ? None : row.expanded ? Expanded : Collapsed);
  item.id = row.id;
  item.description = row.description;
  item.contextValue = row.subject.kind;
  item.accessibilityInformation = { label: accessibleLabel(row), role: 'treeitem' };
  const colour = COLOURS[row.tone];
  if (row.icon !== '') item.iconPath = colour === undefined ? new vscode.ThemeIcon(row.icon) : new vscode.ThemeIcon(row.icon, new vscode.ThemeColor(colour));
  if (colour !== undefined) item.resourceUri = vscode.Uri.from({ scheme: SCHEME, path: `/${view}/${encodeURIComponent(row.id)}`, fragment: row.tone });
  item.tooltip = row.tooltip === '' ? `${row.label}: ${row.description}` : new vscode.MarkdownString(row.tooltip);
  return item;
}

/** One tree view over rows. */
export class RowTree implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<undefined>();
  private readonly parents = new Map<string, Row>();
  private rows: readonly Row[] = [];
  readonly onDidChangeTreeData = this.changed.event;
  readonly view: vscode.TreeView<Row>;
  private readonly id: string;

  constructor(id: string) {
    this.id = id;
    this.view = vscode.window.createTreeView(id, { treeDataProvider: this, showCollapseAll: true });
  }

  /** Replaces all rows; the editor keeps selection and expansion by row id. */
  show(rows: readonly Row[]): void {
    this.rows = rows;
    this.parents.clear();
    this.changed.fire(undefined);
  }

  getTreeItem(row: Row): vscode.TreeItem {
    return treeItem(row, this.id);
  }

  getChildren(row?: Row): Row[] {
    if (row === undefined) return [...this.rows];
    for (const child of row.children) this.parents.set(child.id, row);
    return [...row.children];
  }

  getParent(row: Row): Row | undefined {
    return this.parents.get(row.id);
  }

  dispose(): void {
    this.view.dispose();
    this.changed.dispose();
  }
}
