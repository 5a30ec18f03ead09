/** Folding ranges: bodies of nodes, values over several lines, comments, runs of includes and branches of conditions. */

import { FoldingRangeKind, type FoldingRange } from 'vscode-languageserver';
import type { SyntaxNode } from '../../runtime/devicetree/syntax/tree';
import type { SyntaxToken } from '../../runtime/devicetree/syntax/tokens';
import type { SourceDocument } from '../documents';

/** All ranges of a document that fold, by their first line. */
export function foldingRanges({ document, syntax }: SourceDocument): FoldingRange[] {
  const ranges: FoldingRange[] = [];
  const add = (start: number, end: number, kind?: FoldingRangeKind): void => {
    const [startLine, endLine] = [document.positionAt(start).line, document.positionAt(end).line];
    if (endLine > startLine) ranges.push({ startLine, endLine, ...(kind === undefined ? {} : { kind }) });
  };
  const visit = (node: SyntaxNode): void => {
    const open = node.open === undefined ? undefined : syntax.tokens[node.open];
    const close = syntax.tokens[node.close ?? node.to - 1];
    const first = syntax.tokens[node.from];
    // The line of a closing brace stays visible.
    if (open !== undefined && close !== undefined) add(open.start, node.close === undefined ? close.end : lineBefore(syntax.text, close.start));
    else if (node.kind === 'property' && first !== undefined && close !== undefined) add(first.start, close.end);
    node.children.forEach(visit);
  };
  visit(syntax.root);
  comments(syntax.tokens, add);
  conditions(syntax.tokens, (start, end) => { add(start, lineBefore(syntax.text, end)); });
  return ranges.sort((a, b) => a.startLine - b.startLine || b.endLine - a.endLine);
}

function lineBefore(text: string, offset: number): number {
  const line = text.lastIndexOf('\n', Math.max(0, offset - 1));
  return line < 0 || offset === 0 ? 0 : line;
}

/** Block comments, and line comments that follow each other; the same for includes. */
function comments(tokens: readonly SyntaxToken[], add: (start: number, end: number, kind: FoldingRangeKind) => void): void {
  const kindOf = (token: SyntaxToken | undefined): FoldingRangeKind | undefined => {
    if (token?.firstOnLine === true && token.kind === 'comment' && token.text.startsWith('//')) return FoldingRangeKind.Comment;
    return token?.kind === 'preprocessor' && /^#[ \t]*include/.test(token.text) ? FoldingRangeKind.Imports : undefined;
  };
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (token === undefined) break;
    if (token.kind === 'comment' && token.text.startsWith('/*')) add(token.start, token.end, FoldingRangeKind.Comment);
    const kind = kindOf(token);
    if (kind === undefined) continue;
    let last = token;
    for (let next = tokens[index + 1]; next !== undefined && kindOf(next) === kind; next = tokens[++index + 1]) last = next;
    add(token.start, last.start, kind);
  }
}

function conditions(tokens: readonly SyntaxToken[], add: (start: number, end: number) => void): void {
  const open: SyntaxToken[] = [];
  for (const token of tokens) {
    const name = token.kind === 'preprocessor' ? /^#[ \t]*(if|el|endif)/.exec(token.text)?.[1] : undefined;
    if (name === undefined) continue;
    const before = name === 'if' ? undefined : open.pop();
    if (before !== undefined) add(before.start, token.start);
    if (name !== 'endif') open.push(token);
  }
}
