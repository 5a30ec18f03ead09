/**
 * Lays out source in the style of Linux's device trees (Documentation/devicetree/bindings/dts-coding-style.rst): tabs, one space
 * around `=`, values that go on under where they began. Only blanks between tokens change, so no tree can.
 */

import { isTrivia, parseSyntax, type SyntaxNode, type SyntaxTree } from './tree';
import type { SyntaxToken } from './tokens';

/** A replacement of `[start, end)` of the text. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Columns between tab stops, as Linux has them. */
const TAB = 8;
/** An author's choices are kept if at most one line in so many is laid out in another way than ours. */
const KEPT_SHARE = 8;
/** Longer lines are no rows of a table. */
const LINE_MAX = 400;

/** The formatted text. */
export function formatDts(text: string): string {
  let out = '';
  let from = 0;
  for (const edit of formatEdits(text)) {
    out += text.slice(from, edit.start) + edit.text;
    from = edit.end;
  }
  return out + text.slice(from);
}

/** What formatting changes, in order; with a range, only what touches it. */
export function formatEdits(text: string, range: { readonly start: number; readonly end: number } = { start: 0, end: text.length }): readonly TextEdit[] {
  const tree = parseSyntax(text);
  const gaps = gapsOf(tree);
  const edits: TextEdit[] = [];
  let from = 0;
  tree.tokens.forEach((token, index) => {
    const gap = gaps[index] ?? '';
    if (text.slice(from, token.start) !== gap && from <= range.end && token.start >= range.start) edits.push({ start: from, end: token.start, text: gap });
    from = token.end - trailingBlanks(token);
  });
  // Blank lines are the author's, at the end of the file too, but one is enough.
  const end = tree.tokens.length === 0 ? '' : /\n[ \t\r]*\n/.test(text.slice(from)) ? '\n\n' : '\n';
  if (text.slice(from) !== end && from <= range.end) edits.push({ start: from, end: text.length, text: end });
  return edits;
}

/**
 * The blanks before each token. In a file that is in Linux's style but for a few lines, what its author does in another way, and does throughout, is a
 * choice and stays: lists without blanks, padded brackets, tables, values under the property's name. Any other file gets one style for all.
 */
function gapsOf(tree: SyntaxTree): readonly string[] {
  const strict = new Layout(tree, 'strict').gaps();
  let changed = 0;
  let from = 0;
  tree.tokens.forEach((token, index) => {
    if (tree.text.slice(from, token.start) !== strict[index]) changed++;
    from = token.end - trailingBlanks(token);
  });
  const lines = tree.text.split('\n').length;
  return changed === 0 || changed * KEPT_SHARE > lines ? strict : new Layout(tree, 'kept').gaps();
}

/** A comment or directive may end in blanks, which belong to no style. */
function trailingBlanks(token: SyntaxToken): number {
  return isTrivia(token) ? token.text.length - token.text.trimEnd().length : 0;
}

/** How a token stands: how deep, and what it is to the statement it belongs to. */
interface Place {
  depth: number;
  /** `start` begins a statement; `close` is the brace that ends a body; `inside` anything else. */
  role: 'start' | 'close' | 'inside';
  /** The whole body stands on one line and shall stay there. */
  inline: boolean;
  /** Its text is a macro's business. */
  free: boolean;
}

class Layout {
  private readonly isKept: boolean;
  private readonly text: string;
  private readonly tokens: readonly SyntaxToken[];
  private readonly places: Place[];
  private readonly out: string[] = [];
  /** Column behind what has been written. */
  private column = 0;
  /** Columns at which the open brackets of the current value go on; the last one counts. */
  private anchors: number[] = [];
  private areLabelsTight: boolean | undefined;

  constructor(tree: SyntaxTree, style: 'strict' | 'kept') {
    this.isKept = style === 'kept';
    this.text = tree.text;
    this.tokens = tree.tokens;
    this.places = tree.tokens.map(() => ({ depth: 0, role: 'inside', inline: false, free: false }));
    this.body(tree.root, { depth: 0, inline: false, from: 0, to: tree.tokens.length });
  }

  /** Blanks that shall stand before each token. */
  gaps(): readonly string[] {
    this.tokens.forEach((token, index) => {
      const gap = index === 0 ? '\t'.repeat(this.places[0]?.depth ?? 0) : this.gap(token, index);
      this.out.push(gap);
      this.advance(gap);
      this.anchor(token, index);
      this.advance(token.text.trimEnd());
    });
    return this.out;
  }

  /** Gives every token between the children of a body its depth: comments there stand like statements. */
  private body(node: SyntaxNode, context: { readonly depth: number; readonly inline: boolean; readonly from: number; readonly to: number }): void {
    const { depth, inline, from, to } = context;
    for (let index = from; index < to; index++) this.places[index] = { depth, role: 'start', inline, free: false };
    for (const child of node.children) this.statement(child, node.kind === 'file' ? this.depthInFile(child) : depth, inline);
  }

  private statement(node: SyntaxNode, depth: number, inline: boolean): void {
    const free = node.kind === 'macro' || node.kind === 'stray' || (node.kind === 'property' && node.semicolon === undefined);
    const start = this.skipTrivia(node.from);
    let isHead = true;
    for (let index = start; index < node.to; index++) {
      this.places[index] = { depth, role: index === start || (isHead && this.tokens[index]?.firstOnLine === true) ? 'start' : 'inside', inline, free };
      isHead &&= this.tokens[index]?.kind === 'label' || this.tokens[index]?.text === '/omit-if-no-ref/' || isTrivia(this.tokens[index]);
    }
    if (node.open === undefined) return;
    const end = node.close ?? node.to;
    const isOneLine = node.close !== undefined && !this.text.slice(this.tokens[node.open]?.end ?? 0, this.tokens[node.close]?.start ?? 0).includes('\n');
    this.body(node, { depth: depth + 1, inline: isOneLine, from: node.open + 1, to: end });
    if (node.close !== undefined) this.places[node.close] = { depth, role: 'close', inline: isOneLine, free: false };
  }

  /** A file that is included inside a node is indented as if it stood there. */
  private depthInFile(child: SyntaxNode): number {
    const first = this.tokens[this.skipTrivia(child.from)];
    if (first === undefined || child.name === undefined || child.name.kind === 'ref' || child.name.kind === 'keyword' || child.name.text === '/') return 0;
    const line = this.text.lastIndexOf('\n', first.start - 1) + 1;
    const blanks = this.text.slice(line, first.start);
    return blanks.trim() === '' ? Math.floor(widthOf(blanks) / TAB) : 0;
  }

  private skipTrivia(from: number): number {
    let at = from;
    while (isTrivia(this.tokens[at])) at++;
    return at;
  }

  private gap(token: SyntaxToken, index: number): string {
    const before = this.tokens[index - 1];
    const place = this.places[index];
    if (before === undefined || place === undefined) return '';
    const original = this.text.slice(before.end - trailingBlanks(before), token.start);
    // A line that goes on behind a backslash is part of what the author meant, wherever it stands.
    if (original.includes('\\')) return original;
    const lines = original.split('\n').length - 1;
    if (before.kind === 'preprocessor') return this.newLine(token, { place, lines: Math.max(1, lines), original });
    if (before.kind === 'comment' && before.text.startsWith('//')) return this.newLine(token, { place, lines: Math.max(1, lines), original });
    if (/^[;,]$/.test(token.text) && token.kind === 'punctuation' && !isTrivia(before)) return '';
    if (lines > 0) {
      if (token.text === '{' && place.role === 'inside' && !isTrivia(before) && !place.free) return ' ';
      return this.newLine(token, { place, lines, original });
    }
    if (place.role !== 'inside' && !place.inline && token.kind !== 'comment' && !isTrivia(before) && !isLikeDirective(token)) return this.newLine(token, { place, lines: 1, original: '' });
    if (token.kind === 'comment') return original === '' && !this.isKept ? ' ' : original;
    if (before.kind === 'comment') return original;
    if (place.free) return original;
    if (this.isKept && this.isAuthors(index, original)) return original;
    return this.between(before, token, original);
  }

  /** True if the blanks before a token follow a style of their own that is kept: lists without blanks throughout, padded brackets, columns over several lines. */
  private isAuthors(index: number, original: string): boolean {
    const before = this.tokens[index - 1];
    const token = this.tokens[index];
    if (before === undefined || token === undefined) return false;
    if (before.text === ',' && original === '') return this.isTight(index);
    if (before.kind === 'keyword') return original === '' ? before.text.startsWith('/delete-') : before.text === '/memreserve/';
    if (before.kind === 'label' && original === '') return this.tightLabels();
    if (before.text === '<' || token.text === '>') return original === ' ' && this.isPadded(index);
    const isAtColumn = before.text === '=' || token.text === '=' || before.kind === 'label';
    return isAtColumn && (original.length > 1 || original === '\t') && this.isColumn(token);
  }

  /** True if no comma of the statement is followed by a blank on its line. */
  private isTight(index: number): boolean {
    const isEnd = (token: SyntaxToken | undefined): boolean => token === undefined || (token.kind === 'punctuation' && /^[;{}]$/.test(token.text));
    let from = index - 1;
    while (!isEnd(this.tokens[from])) from--;
    for (let at = from + 1; !isEnd(this.tokens[at]); at++) {
      const comma = this.tokens[at];
      const next = this.tokens[at + 1];
      if (comma?.text !== ',' || next === undefined || next.firstOnLine || isTrivia(next)) continue;
      if (next.start !== comma.end) return false;
    }
    return true;
  }

  /** True if no label of the file is followed by a blank, of those that are followed by a name. */
  private tightLabels(): boolean {
    this.areLabelsTight ??= this.tokens.every((token, index) => {
      const next = this.tokens[index + 1];
      return token.kind !== 'label' || next === undefined || next.firstOnLine || isTrivia(next) || next.start === token.end;
    });
    return this.areLabelsTight;
  }

  /** True if both brackets around the token have one blank inside. */
  private isPadded(index: number): boolean {
    let open = index - 1;
    while (open >= 0 && this.tokens[open]?.text !== '<' && this.tokens[open]?.text !== ';') open--;
    let close = index;
    while (close < this.tokens.length && this.tokens[close]?.text !== '>' && this.tokens[close]?.text !== ';') close++;
    const blank = (left: number, right: number): string => this.text.slice(this.tokens[left]?.end ?? 0, this.tokens[right]?.start ?? 0);
    return this.tokens[open]?.text === '<' && this.tokens[close]?.text === '>' && blank(open, open + 1) === ' ' && blank(close - 1, close) === ' ';
  }

  /** True if a neighbouring line has something that begins at the same column behind a wide gap, so that both are a table. */
  private isColumn(token: SyntaxToken): boolean {
    const start = this.text.lastIndexOf('\n', token.start - 1) + 1;
    const column = widthOf(this.text.slice(start, token.start));
    const beforeStart = this.text.lastIndexOf('\n', start - 2) + 1;
    const end = this.text.indexOf('\n', token.start);
    const afterEnd = end < 0 ? -1 : this.text.indexOf('\n', end + 1);
    const lines = [start === 0 ? '' : this.text.slice(beforeStart, start - 1), end < 0 ? '' : this.text.slice(end + 1, afterEnd < 0 ? this.text.length : afterEnd)];
    return lines.some((line) => line.length <= LINE_MAX && [...line.matchAll(/(?:^[ \t]+|[^\s](?:\t[ \t]*| {2,}| (?=[=&])))(?=[^\s])/g)].some((match) => widthOf(line.slice(0, match.index + match[0].length)) === column));
  }

  private newLine(token: SyntaxToken, { place, lines, original }: { readonly place: Place; readonly lines: number; readonly original: string }): string {
    if (token.kind === 'preprocessor') return '\n'.repeat(Math.min(lines, 2)) + (/[^\n]*$/.exec(original)?.[0] ?? '');
    const breaks = '\n'.repeat(Math.min(lines, 3));
    if (place.free && place.role === 'inside') return breaks + (/[^\n]*$/.exec(original)?.[0] ?? '');
    if (this.isKept && token.kind === 'comment' && this.isCommentInPlace(token)) return breaks + (/[^\n]*$/.exec(original)?.[0] ?? '');
    if (place.role !== 'inside') return breaks + '\t'.repeat(place.depth);
    const anchor = this.anchors.at(-1);
    const own = widthOf(/[^\n]*$/.exec(original)?.[0] ?? '');
    // Authors align tables and long values with care; what stands under the property's name or further right is theirs.
    if (this.isKept && own >= place.depth * TAB && (own > 0 || isBracketClosing(token))) return breaks + (/[^\n]*$/.exec(original)?.[0] ?? '');
    if (own > place.depth * TAB || (isBracketClosing(token) && own === place.depth * TAB)) return breaks + indentation(own);
    return breaks + (anchor === undefined ? '\t'.repeat(place.depth + 1) : indentation(anchor));
  }

  /** True for a comment that takes code out at the beginning of a line, or goes on with the comment at the end of the line before. */
  private isCommentInPlace(token: SyntaxToken): boolean {
    const start = this.text.lastIndexOf('\n', token.start - 1) + 1;
    if (start === token.start) return token.text.startsWith('//');
    const column = widthOf(this.text.slice(start, token.start));
    const before = this.text.slice(this.text.lastIndexOf('\n', start - 2) + 1, Math.max(0, start - 1));
    const at = /[^\s].*?(\/\*|\/\/)/.exec(before.slice(0, LINE_MAX));
    return at !== null && widthOf(before.slice(0, at.index + at[0].length - 2)) === column;
  }

  /** Blanks between two tokens on one line. */
  private between(before: SyntaxToken, token: SyntaxToken, original: string): string {
    const left = before.kind === 'punctuation' ? before.text : '';
    const right = token.kind === 'punctuation' ? token.text : '';
    if (right === ';' || right === ',' || right === '>' || right === ')') return '';
    if (right === ']') return original === '' ? '' : ' ';
    if (left === '<' || left === '(') return '';
    if (left === '[') return original === '' ? '' : ' ';
    if (left === '{' && right === '}') return original === '' ? '' : ' ';
    if (left === ',') return original === '' || !/^ +$/.test(original) ? ' ' : original;
    if (left === '=' || right === '=' || right === '{' || left === '{' || right === '}') return ' ';
    if (before.kind === 'label' || before.kind === 'keyword' || token.kind === 'keyword') return before.kind === 'keyword' && token.kind === 'string' && original === '' ? '' : ' ';
    return original;
  }

  /** Notes where the value goes on if it continues on another line. */
  private anchor(token: SyntaxToken, index: number): void {
    const place = this.places[index];
    if (place === undefined || isTrivia(token)) return;
    if (place.role !== 'inside') this.anchors = [];
    if (place.free || token.kind !== 'punctuation') return;
    const next = this.tokens[index + 1];
    const goesOn = next !== undefined && !next.firstOnLine;
    if (token.text === '=' && this.anchors.length === 0) {
      if (goesOn) this.anchors.push(this.column + 2);
    } else if (/^[<([]$/.test(token.text) && this.anchors.length > 0) this.anchors.push(goesOn ? this.column + 1 : (this.anchors.at(-1) ?? 0) + TAB);
    else if (/^[>)\]]$/.test(token.text) && this.anchors.length > 1) this.anchors.pop();
    else if (token.text === ';') this.anchors = [];
  }

  private advance(text: string): void {
    const line = text.lastIndexOf('\n');
    if (line >= 0) this.column = 0;
    for (const character of text.slice(line + 1)) this.column = character === '\t' ? (Math.floor(this.column / TAB) + 1) * TAB : this.column + 1;
  }
}

function isBracketClosing(token: SyntaxToken): boolean {
  return token.kind === 'punctuation' && /^[>)\]]$/.test(token.text);
}

/** A property such as `#line` would become a directive at the beginning of a line. */
function isLikeDirective(token: SyntaxToken): boolean {
  return token.text.startsWith('#') && !token.text.includes('-');
}

function widthOf(blanks: string): number {
  let column = 0;
  for (const character of blanks) column = character === '\t' ? (Math.floor(column / TAB) + 1) * TAB : column + 1;
  return column;
}

function indentation(column: number): string {
  return '\t'.repeat(Math.floor(column / TAB)) + ' '.repeat(column % TAB);
}
