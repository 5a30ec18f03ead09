/** Who refers to whom among nodes, by references in the values of properties and in names. For the call hierarchy and for lenses. */

import type { SyntaxToken } from '../../runtime/devicetree/syntax/tokens';
import type { SyntaxNode, SyntaxTree } from '../../runtime/devicetree/syntax/tree';
import type { DtNode } from '../../runtime/devicetree/tree';
import { nodeOfReference, type Analysis } from '../analysis';
import { mergedNode } from '../symbols';

/** One reference in the value of a property. */
export interface NodeReference {
  readonly from: DtNode;
  readonly to: DtNode;
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

const known = new WeakMap<Analysis, readonly NodeReference[]>();

/** All references between nodes of a tree, in the order of files and text. */
export function nodeReferences(analysis: Analysis): readonly NodeReference[] {
  let found = known.get(analysis);
  if (found === undefined) {
    const targets = new Map<string, DtNode | undefined>();
    const targetOf = (text: string): DtNode | undefined => {
      if (!targets.has(text)) targets.set(text, nodeOfReference(analysis.tree, text)[0]);
      return targets.get(text);
    };
    found = analysis.files.flatMap((path) => {
      const syntax = analysis.syntaxOf(path);
      return syntax === undefined ? [] : referencesIn({ analysis, path, syntax, targetOf }, syntax.root, []);
    });
    known.set(analysis, found);
  }
  return found;
}

interface Search {
  readonly analysis: Analysis;
  readonly path: string;
  readonly syntax: SyntaxTree;
  readonly targetOf: (text: string) => DtNode | undefined;
}

function referencesIn(search: Search, node: SyntaxNode, above: readonly SyntaxNode[]): readonly NodeReference[] {
  const { analysis, path, syntax, targetOf } = search;
  const parts = [...above, node];
  const values = node.children.filter(({ kind }) => kind === 'property').flatMap((property) => valueReferences(syntax, property));
  const inner = node.children.flatMap((child) => (child.kind === 'property' ? [] : referencesIn(search, child, parts)));
  const from = values.length === 0 ? undefined : mergedNode(analysis, path, parts);
  if (from === undefined) return inner;
  const own = values.flatMap(({ text, start, end }) => {
    const to = targetOf(text);
    return to === undefined ? [] : [{ from, to, path, start, end }];
  });
  return [...own, ...inner];
}

function valueReferences(syntax: SyntaxTree, { from, to, name }: SyntaxNode): readonly SyntaxToken[] {
  return syntax.tokens.slice(from, to).filter((token) => token.kind === 'ref' && token !== name);
}
