/** Document symbols: the nodes and properties of a file as they are written. */

import { SymbolKind, type DocumentSymbol } from 'vscode-languageserver';
import type { SyntaxNode } from '../../runtime/devicetree/syntax/tree';
import type { SourceDocument } from '../documents';
import { rangeOf } from '../positions';

/** The outline of a document. */
export function documentSymbols(source: SourceDocument): DocumentSymbol[] {
  return source.syntax.root.children.flatMap((child) => symbolOf(source, child, 0));
}

/** Deeper than trees may nest, nothing is outlined: the answer could not be written. */
const DEPTH_MAX = 200;

function symbolOf(source: SourceDocument, node: SyntaxNode, depth: number): DocumentSymbol[] {
  if (depth > DEPTH_MAX) return [];
  const { syntax, document } = source;
  const first = syntax.tokens[node.from];
  const last = syntax.tokens[node.to - 1];
  if (first === undefined || last === undefined) return [];
  const children = node.children.flatMap((child) => symbolOf(source, child, depth + 1));
  if ((node.kind !== 'node' && node.kind !== 'property' && node.kind !== 'macro') || (node.kind === 'macro' && node.open === undefined)) return children;
  const head = node.name ?? syntax.tokens[node.open ?? node.from] ?? first;
  const isNode = node.open !== undefined;
  const labels = node.labels.map(({ text }) => text).join(' ');
  return [{
    name: node.name?.text ?? '/',
    ...(labels === '' ? {} : { detail: labels }),
    kind: isNode ? SymbolKind.Object : SymbolKind.Property,
    range: rangeOf(document, Math.min(first.start, node.labels[0]?.start ?? first.start), last.end),
    selectionRange: rangeOf(document, head.start, head.end),
    ...(isNode ? { children } : {}),
  }];
}
