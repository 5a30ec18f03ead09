/** Semantic tokens of a whole file: what each token is to its statement, which no pattern of a grammar can tell for sure. */

import { SemanticTokensBuilder, SemanticTokenModifiers, SemanticTokenTypes, type SemanticTokens, type SemanticTokensLegend } from 'vscode-languageserver';
import type { SyntaxNode } from '../../runtime/devicetree/syntax/tree';
import type { SyntaxToken, SyntaxTokenKind } from '../../runtime/devicetree/syntax/tokens';
import type { SourceDocument } from '../documents';

const TYPES = [
  SemanticTokenTypes.namespace, SemanticTokenTypes.property, SemanticTokenTypes.variable, SemanticTokenTypes.keyword, SemanticTokenTypes.macro,
  SemanticTokenTypes.string, SemanticTokenTypes.number, SemanticTokenTypes.comment, SemanticTokenTypes.operator,
] as const;

type Type = (typeof TYPES)[number];

/** Types and modifiers in the order of their numbers. */
export const SEMANTIC_TOKENS_LEGEND: SemanticTokensLegend = { tokenTypes: [...TYPES], tokenModifiers: [SemanticTokenModifiers.declaration] };

const TYPE_BY_KIND: Readonly<Partial<Record<SyntaxTokenKind, Type>>> = {
  label: SemanticTokenTypes.variable, ref: SemanticTokenTypes.variable, keyword: SemanticTokenTypes.keyword, identifier: SemanticTokenTypes.macro,
  preprocessor: SemanticTokenTypes.macro, number: SemanticTokenTypes.number, bytes: SemanticTokenTypes.number, string: SemanticTokenTypes.string,
  char: SemanticTokenTypes.string, comment: SemanticTokenTypes.comment, operator: SemanticTokenTypes.operator,
};

/** The tokens of a document, line by line. */
export function semanticTokens({ document, syntax }: SourceDocument): SemanticTokens {
  const builder = new SemanticTokensBuilder();
  const names = new Map<SyntaxToken, Type>();
  nameTypes(syntax.root, names);
  for (const token of syntax.tokens) {
    const type = names.get(token) ?? TYPE_BY_KIND[token.kind];
    if (type === undefined) continue;
    // The protocol's tokens do not cross lines.
    let start = token.start;
    for (const line of token.text.split(/(?<=\n)/)) {
      const { line: row, character } = document.positionAt(start);
      const length = line.trimEnd().length;
      if (length > 0) builder.push(row, character, length, TYPES.indexOf(type), token.kind === 'label' ? 1 : 0);
      start += line.length;
    }
  }
  return { data: builder.build().data };
}

function nameTypes(node: SyntaxNode, names: Map<SyntaxToken, Type>): void {
  if (node.name?.kind === 'name' || node.name?.kind === 'identifier') {
    if (node.kind === 'node') names.set(node.name, SemanticTokenTypes.namespace);
    else if (node.kind === 'property') names.set(node.name, SemanticTokenTypes.property);
    else if (node.kind === 'macro') names.set(node.name, SemanticTokenTypes.macro);
  }
  for (const child of node.children) nameTypes(child, names);
}
