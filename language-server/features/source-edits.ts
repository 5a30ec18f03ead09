/** Edits of one source file in terms of its structure: putting a property into a node, taking a statement out, in the style around it. */

import type { SyntaxNode, SyntaxTree } from '../../runtime/devicetree/syntax/tree';

/** Text that replaces `[start, end)` of a file. */
export interface SourceEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The blanks before the first thing on the line of an offset. */
export function indentAt(text: string, offset: number): string {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  return /^[\t ]*/.exec(text.slice(lineStart, offset))?.[0] ?? '';
}

/** Where a part begins and ends. */
export function spanOf({ tokens }: SyntaxTree, { from, to }: SyntaxNode): { readonly start: number; readonly end: number } {
  return { start: tokens[from]?.start ?? 0, end: tokens[to - 1]?.end ?? tokens[from]?.end ?? 0 };
}

/** Puts statements behind the last property of a node, before its child nodes; `undefined` if the node has no body. */
export function insertStatements(syntax: SyntaxTree, node: SyntaxNode, statements: readonly string[]): SourceEdit | undefined {
  const open = node.open === undefined ? undefined : syntax.tokens[node.open];
  if (open === undefined) return undefined;
  const last = [...node.children].reverse().find(({ kind, semicolon }) => kind === 'property' && semicolon !== undefined);
  const outer = indentAt(syntax.text, spanOf(syntax, node).start);
  const after = last === undefined ? open.end : spanOf(syntax, last).end;
  const inner = last === undefined ? `${outer}\t` : indentAt(syntax.text, spanOf(syntax, last).start);
  const isOneLine = last === undefined ? false : !syntax.text.slice(open.end, spanOf(syntax, last).start).includes('\n');
  if (isOneLine) return { start: after, end: after, text: statements.map((statement) => ` ${statement}`).join('') };
  const next = syntax.text.slice(after);
  const closesHere = /^[\t ]*\}/.test(next) ? `\n${outer}` : '';
  return { start: after, end: closesHere === '' ? after : after + (/^[\t ]*/.exec(next)?.[0].length ?? 0), text: statements.map((statement) => `\n${inner}${statement}`).join('') + closesHere };
}

/** Takes a statement out, with its line if it has one to itself, and with one of the empty lines if it stands between two. */
export function removeStatement(syntax: SyntaxTree, node: SyntaxNode): SourceEdit {
  const { start, end } = spanOf(syntax, node);
  const { text } = syntax;
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const lineEnd = text.indexOf('\n', end) < 0 ? text.length : text.indexOf('\n', end) + 1;
  const isAlone = text.slice(lineStart, start).trim() === '' && text.slice(end, lineEnd).trim() === '';
  const isBetweenEmpty = /\n[\t ]*\n$/.test(text.slice(0, lineStart));
  const emptyLine = isBetweenEmpty ? /^[\t ]*\n/.exec(text.slice(lineEnd))?.[0].length ?? 0 : 0;
  if (isAlone) return { start: lineStart, end: lineEnd + emptyLine, text: '' };
  return { start: start - (/[\t ]*$/.exec(text.slice(lineStart, start))?.[0].length ?? 0), end, text: '' };
}

/** Puts a child node, given as lines, behind everything else in a node, set off by an empty line; `undefined` if the node has no whole body. */
export function insertNode(syntax: SyntaxTree, node: SyntaxNode, lines: readonly string[]): SourceEdit | undefined {
  const [open, close] = [node.open, node.close].map((index) => (index === undefined ? undefined : syntax.tokens[index]));
  if (open === undefined || close === undefined) return undefined;
  const { text } = syntax;
  const outer = indentAt(text, spanOf(syntax, node).start);
  const before = text.slice(0, close.start).trimEnd().length;
  const block = lines.map((line) => (line === '' ? '\n' : `\n${outer}\t${line}`)).join('');
  return { start: before, end: close.start, text: `${before === open.end ? '' : '\n'}${block}\n${outer}` };
}
