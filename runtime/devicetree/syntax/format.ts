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
  const gaps = new Layout(tree).gaps();
  const edits: TextEdit[] = [];
  let from = 0;
  tree.tokens.forEach((token, index) => {
    const gap = gaps[index] ?? '';
    if (text.slice(from, token.start) !== gap && from <= range.end && token.start >= range.start) edits.push({ start: from, end: token.start, text: gap });
    from = token.end - trailingBlanks(token);
  });
  const end = tree.tokens.length === 0 ? '' : '\n';
  if (text.slice(from) !== end && from <= range.end) edits.push({ start: from, end: text.length, text: end });
  return edits;
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
  private readonly text: string;
  private readonly tokens: readonly SyntaxToken[];
  private readonly places: Place[];
  private readonly out: string[] = [];
  /** Column behind what has been written. */
  private column = 0;
  /** Columns at which the open brackets of the current value go on; the last one counts. */
  private anchors: number[] = [];

  constructor(tree: SyntaxTree) {
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
    if (token.kind === 'comment') return original === '' ? ' ' : original;
    if (before.kind === 'comment') return original;
    if (place.free) return original;
    return this.between(before, token, original);
  }

  private newLine(token: SyntaxToken, { place, lines, original }: { readonly place: Place; readonly lines: number; readonly original: string }): string {
    if (token.kind === 'preprocessor') return '\n'.repeat(Math.min(lines, 2)) + (/[^\n]*$/.exec(original)?.[0] ?? '');
    const breaks = '\n'.repeat(Math.min(lines, 3));
    if (place.free && place.role === 'inside') return breaks + (/[^\n]*$/.exec(original)?.[0] ?? '');
    if (place.role !== 'inside') return breaks + '\t'.repeat(place.depth);
    const anchor = this.anchors.at(-1);
    const own = widthOf(/[^\n]*$/.exec(original)?.[0] ?? '');
    // Authors align tables and long values with care; what is indented at all is theirs.
    const closes = token.kind === 'punctuation' && /^[>)\]]$/.test(token.text);
    if (own > place.depth * TAB || (closes && own === place.depth * TAB)) return breaks + indentation(own);
    return breaks + (anchor === undefined ? '\t'.repeat(place.depth + 1) : indentation(anchor));
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
