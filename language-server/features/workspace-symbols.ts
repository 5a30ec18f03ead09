/** Symbols of all open trees: nodes by name, label or path. */

import { SymbolKind, type SymbolInformation } from 'vscode-languageserver';
import type { DtNode } from '../../runtime/devicetree/tree';
import type { Analysis } from '../analysis';
import { uriOfPath } from '../files';
import { documentOf, rangeOfPlace } from '../positions';

/** Most symbols of one answer. */
export const SYMBOLS_MAX = 500;

/** Nodes that hold the letters of a query in their order, the best matches first. */
export function workspaceSymbols(analyses: readonly Analysis[], query: string): SymbolInformation[] {
  const wanted = query.toLowerCase().replace(/\s+/g, '');
  const found = new Map<string, { readonly symbol: () => SymbolInformation; readonly rank: number; readonly path: string }>();
  for (const analysis of analyses) {
    const documents = new Map<string, ReturnType<typeof documentOf>>();
    for (const node of analysis.tree.root.walk()) {
      const { origin } = node;
      const rank = origin === undefined ? undefined : rankOf(node, wanted);
      if (origin === undefined || rank === undefined) continue;
      const key = `${origin.file}:${String(origin.line)}:${String(origin.column)}`;
      const text = analysis.textOf(origin.file);
      if (found.has(key) || text === undefined) continue;
      const symbol = (): SymbolInformation => {
        const uri = uriOfPath(origin.file);
        const document = documents.get(uri) ?? documentOf(uri, text);
        documents.set(uri, document);
        const labels = node.labels.map((label) => `${label}: `).join('');
        return { name: `${labels}${node.name || '/'}`, kind: SymbolKind.Object, containerName: node.parent?.path ?? '', location: { uri, range: rangeOfPlace(document, origin) } };
      };
      found.set(key, { symbol, rank, path: node.path });
    }
  }
  return [...found.values()].sort((a, b) => a.rank - b.rank || (a.path < b.path ? -1 : 1)).slice(0, SYMBOLS_MAX).map(({ symbol }) => symbol());
}

/** 0 for the whole label or name, 1 for its beginning, 2 for a part, 3 for letters in order; `undefined` for no match. */
function rankOf(node: DtNode, wanted: string): number | undefined {
  const words = [...node.labels, node.name].map((word) => word.toLowerCase());
  if (wanted === '' || words.includes(wanted)) return 0;
  if (words.some((word) => word.startsWith(wanted))) return 1;
  if (words.some((word) => word.includes(wanted)) || node.path.toLowerCase().includes(wanted)) return 2;
  return words.some((word) => hasInOrder(word, wanted)) ? 3 : undefined;
}

function hasInOrder(word: string, letters: string): boolean {
  let at = 0;
  for (const letter of word) if (letter === letters[at]) at++;
  return at === letters.length;
}
