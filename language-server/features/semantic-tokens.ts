/** Semantic tokens of a file, of a part of it, or what changed in it: what each token is to its statement, which no pattern of a grammar can tell for sure. */

import { SemanticTokensBuilder, SemanticTokenModifiers, SemanticTokenTypes, type Range, type SemanticTokens, type SemanticTokensDelta, type SemanticTokensLegend } from 'vscode-languageserver';
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

/** The tokens of a document, line by line; of a part of it if a range is given. */
export function semanticTokens({ document, syntax }: SourceDocument, range?: Range): SemanticTokens {
  const builder = new SemanticTokensBuilder();
  const names = new Map<SyntaxToken, Type>();
  const [from, to] = range === undefined ? [0, Infinity] : [document.offsetAt(range.start), document.offsetAt(range.end)];
  nameTypes(syntax.root, names);
  for (const token of syntax.tokens) {
    const type = names.get(token) ?? TYPE_BY_KIND[token.kind];
    if (type === undefined || token.end < from || token.start > to) continue;
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

/** Documents whose last answer is kept. */
const HISTORY_MAX = 32;

/** What was answered last for each document, so that the next answer can be what changed. */
export class SemanticTokensHistory {
  private readonly last = new Map<string, { readonly resultId: string; readonly data: readonly number[] }>();
  private count = 0;

  /** All tokens, under a new name. */
  full(source: SourceDocument): SemanticTokens {
    const { data } = semanticTokens(source);
    const resultId = String(++this.count);
    this.last.delete(source.document.uri);
    this.last.set(source.document.uri, { resultId, data });
    for (const uri of [...this.last.keys()].slice(0, Math.max(0, this.last.size - HISTORY_MAX))) this.last.delete(uri);
    return { resultId, data };
  }

  /** One edit from the named answer to the tokens of now; all tokens if that answer is not known any more. */
  delta(source: SourceDocument, previousResultId: string): SemanticTokens | SemanticTokensDelta {
    const before = this.last.get(source.document.uri);
    const now = this.full(source);
    if (before?.resultId !== previousResultId) return now;
    const shorter = Math.min(before.data.length, now.data.length);
    let start = 0;
    while (start < shorter && before.data[start] === now.data[start]) start++;
    let end = 0;
    while (end < shorter - start && before.data.at(-1 - end) === now.data.at(-1 - end)) end++;
    const edits = start === before.data.length && start === now.data.length ? [] : [{ start, deleteCount: before.data.length - start - end, data: now.data.slice(start, now.data.length - end) }];
    return { ...(now.resultId === undefined ? {} : { resultId: now.resultId }), edits };
  }
}

function nameTypes(node: SyntaxNode, names: Map<SyntaxToken, Type>): void {
  if (node.name?.kind === 'name' || node.name?.kind === 'identifier') {
    if (node.kind === 'node') names.set(node.name, SemanticTokenTypes.namespace);
    else if (node.kind === 'property') names.set(node.name, SemanticTokenTypes.property);
    else if (node.kind === 'macro') names.set(node.name, SemanticTokenTypes.macro);
  }
  for (const child of node.children) nameTypes(child, names);
}
