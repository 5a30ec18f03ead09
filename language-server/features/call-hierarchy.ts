/** The call hierarchy of nodes: who refers to a node, and to whom it refers, as interrupt parents, clocks and supplies do. */

import { SymbolKind, type CallHierarchyIncomingCall, type CallHierarchyItem, type CallHierarchyOutgoingCall, type Range } from 'vscode-languageserver';
import { syntaxPathAt } from '../../runtime/devicetree/syntax/tree';
import type { DtNode } from '../../runtime/devicetree/tree';
import { nodeOfReference, type Analysis } from '../analysis';
import type { Meaning } from '../answering';
import { uriOfPath } from '../files';
import { documentOf, rangeOf, rangeOfPlace } from '../positions';
import { labelOf, mergedNode, tokenAt } from '../symbols';
import { nodeReferences, type NodeReference } from './referrers';

/** What an item carries from one request to the next. */
export interface NodeKey { readonly root: string; readonly node: string }

/** The node at an offset: the one that a reference or label names, else the one around it. */
export function prepareCallHierarchy({ source, analysis, offset }: Meaning): CallHierarchyItem[] | null {
  const token = tokenAt(source.syntax, offset);
  const named = token?.kind === 'ref' ? nodeOfReference(analysis.tree, token.text)[0] : token?.kind === 'label' ? nodeOfReference(analysis.tree, labelOf(token.text) ?? '')[0] : undefined;
  const node = named ?? mergedNode(analysis, source.path, syntaxPathAt(source.syntax, offset));
  const item = node === undefined ? undefined : itemOf(analysis, node);
  return item === undefined ? null : [item];
}

/** Nodes that refer to a node. */
export function incomingCalls(analysis: Analysis, nodePath: string): CallHierarchyIncomingCall[] {
  const references = nodeReferences(analysis).filter(({ to }) => to.path === nodePath);
  return grouped(references, ({ from }) => from).flatMap(([node, all]) => {
    const item = itemOf(analysis, node);
    return item === undefined ? [] : [{ from: item, fromRanges: rangesIn(analysis, all, item.uri) }];
  });
}

/** Nodes that a node refers to. */
export function outgoingCalls(analysis: Analysis, nodePath: string): CallHierarchyOutgoingCall[] {
  const references = nodeReferences(analysis).filter(({ from }) => from.path === nodePath);
  const own = analysis.tree.root.at(nodePath)?.origin?.file;
  return grouped(references, ({ to }) => to).flatMap(([node, all]) => {
    const item = itemOf(analysis, node);
    return item === undefined ? [] : [{ to: item, fromRanges: rangesIn(analysis, all, own === undefined ? '' : uriOfPath(own)) }];
  });
}

function grouped(references: readonly NodeReference[], nodeOf: (reference: NodeReference) => DtNode): readonly (readonly [DtNode, readonly NodeReference[]])[] {
  const groups = new Map<DtNode, NodeReference[]>();
  for (const reference of references) groups.set(nodeOf(reference), [...(groups.get(nodeOf(reference)) ?? []), reference]);
  return [...groups];
}

/** The protocol counts ranges in the item's own file; references from other files have no range there. */
function rangesIn(analysis: Analysis, references: readonly NodeReference[], uri: string): Range[] {
  return references.filter(({ path }) => uriOfPath(path) === uri).map(({ path, start, end }) => rangeOf(documentOf(uri, analysis.textOf(path) ?? ''), start, end));
}

function itemOf(analysis: Analysis, node: DtNode): CallHierarchyItem | undefined {
  const { origin } = node;
  const text = origin === undefined ? undefined : analysis.textOf(origin.file);
  if (origin === undefined || text === undefined) return undefined;
  const uri = uriOfPath(origin.file);
  const range = rangeOfPlace(documentOf(uri, text), origin);
  const data: NodeKey = { root: analysis.root, node: node.path };
  return { name: node.labels[0] ?? (node.name || '/'), detail: node.path, kind: SymbolKind.Object, uri, range, selectionRange: range, data };
}
