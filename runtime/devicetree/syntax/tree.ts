/**
 * The structure of one source file as it was typed: nodes, properties and directives with the tokens they are made of. Total: any text
 * has a tree, and damage stays where it is. Not the device tree: nothing is included, expanded or merged.
 */

import { tokenize, type SyntaxToken } from './tokens';

/** What a part of a file is. `macro` is a macro that stands where a statement would; `stray` what fits nowhere. */
export type SyntaxKind = 'file' | 'node' | 'property' | 'directive' | 'macro' | 'stray';

/** A part of a file: the tokens `[from, to)`. */
export interface SyntaxNode {
  readonly kind: SyntaxKind;
  readonly from: number;
  to: number;
  /** Labels before it. */
  readonly labels: readonly SyntaxToken[];
  /** The name, reference, `/` or keyword it begins with. */
  readonly name: SyntaxToken | undefined;
  /** Parts inside the braces of a node, or of the file. */
  readonly children: SyntaxNode[];
  /** Index of the `{`, and of the `}` if there is one. */
  open?: number;
  close?: number;
  /** Index of the `=` of a property. */
  equals?: number;
  /** Index of the final `;` if there is one. */
  semicolon?: number;
}

/** A file's text with its structure. */
export interface SyntaxTree {
  readonly text: string;
  readonly tokens: readonly SyntaxToken[];
  readonly root: SyntaxNode;
}

/** Deepest nesting that is followed; what is deeper is flat. */
const DEPTH_MAX = 200;

/** Reads the structure of a file. */
export function parseSyntax(text: string): SyntaxTree {
  const tokens = tokenize(text);
  return { text, tokens, root: new SyntaxParser(tokens).file() };
}

class SyntaxParser {
  private readonly tokens: readonly SyntaxToken[];
  private at = 0;

  constructor(tokens: readonly SyntaxToken[]) {
    this.tokens = tokens;
  }

  file(): SyntaxNode {
    const root: SyntaxNode = { kind: 'file', from: 0, to: this.tokens.length, labels: [], name: undefined, children: [] };
    while (this.at < this.tokens.length) {
      this.statements(root, 0);
      // A `}` too many closes nothing; what follows still belongs to the file.
      if (this.at < this.tokens.length) root.children.push(this.leaf('stray', this.at, this.at + 1));
    }
    return root;
  }

  private statements(parent: SyntaxNode, depth: number): void {
    for (let token = this.peek(); token !== undefined && token.text !== '}'; token = this.peek()) {
      const before = this.at;
      parent.children.push(this.statement(depth));
      // Below the greatest depth braces open nothing; each is then a part of its own.
      if (this.at === before) this.at++;
    }
  }

  private statement(depth: number, from = this.at): SyntaxNode {
    const labels: SyntaxToken[] = [];
    let keyword: SyntaxToken | undefined;
    for (let token = this.peek(); token !== undefined; token = this.peek()) {
      if (token.kind === 'label') labels.push(this.take(token));
      else if (token.text === '/omit-if-no-ref/') keyword = this.take(token);
      else break;
    }
    const head = this.peek();
    if (head === undefined) return this.leaf('stray', from, this.at, labels);
    if (head.kind === 'keyword') return this.simple('directive', from, { labels, name: this.take(head) });
    const isSlash = head.kind === 'punctuation' && head.text === '/';
    if (head.kind !== 'name' && head.kind !== 'ref' && head.kind !== 'identifier' && !isSlash && head.text !== '{') {
      this.take(head);
      return head.text === ';' ? this.leaf('stray', from, this.at, labels) : this.simple('stray', from, { labels, name: head });
    }
    const name = head.text === '{' ? undefined : this.take(head);
    return this.named(from, { labels, name, keyword }, depth);
  }

  private named(from: number, parts: { readonly labels: readonly SyntaxToken[]; readonly name: SyntaxToken | undefined; readonly keyword: SyntaxToken | undefined }, depth: number): SyntaxNode {
    const { labels, name, keyword } = parts;
    const next = this.peek();
    if (next?.text === '{' && depth < DEPTH_MAX) return this.body({ kind: 'node', from, to: this.at, labels, name, children: [] }, depth);
    if (next?.text === '(') return this.macro(from, { labels, name }, depth);
    if (keyword !== undefined) return this.simple('directive', from, { labels, name: keyword });
    const property = this.simple('property', from, { labels, name });
    return property;
  }

  /** `NAME(…)`, with a body if it is one of those that begin a node. */
  private macro(from: number, parts: { readonly labels: readonly SyntaxToken[]; readonly name: SyntaxToken | undefined }, depth: number): SyntaxNode {
    let open = 0;
    for (let token = this.peek(); token !== undefined; token = this.peek()) {
      if (token.text === '{' || token.text === '}' || token.text === ';') break;
      if (open === 0 && token.text !== '(') break;
      this.take(token);
      if (token.text === '(') open++;
      else if (token.text === ')') open--;
    }
    const macro: SyntaxNode = { kind: 'macro', from, to: this.at, ...parts, children: [] };
    if (this.peek()?.text === '{' && depth < DEPTH_MAX) return this.body(macro, depth);
    if (this.peek()?.text === ':') {
      // The macro made a label; what it labels follows.
      this.at++;
      return this.statement(depth, from);
    }
    if (this.peek()?.text === ';') this.finish(macro);
    return macro;
  }

  private body(node: SyntaxNode, depth: number): SyntaxNode {
    node.open = this.at;
    this.at++;
    this.statements(node, depth + 1);
    if (this.peek()?.text === '}') node.close = this.at++;
    node.to = this.at;
    if (this.peek()?.text === ';') this.finish(node);
    return node;
  }

  private finish(node: SyntaxNode): void {
    node.semicolon = this.at++;
    node.to = this.at;
  }

  /** Everything up to a semicolon, or to where the next statement seems to begin. */
  private simple(kind: SyntaxKind, from: number, parts: { readonly labels: readonly SyntaxToken[]; readonly name: SyntaxToken | undefined }): SyntaxNode {
    const node: SyntaxNode = { kind, from, to: this.at, ...parts, children: [] };
    for (let token = this.peek(); token !== undefined; token = this.peek()) {
      if (token.text === ';') {
        this.finish(node);
        return node;
      }
      if (token.kind === 'punctuation' && (token.text === '{' || token.text === '}')) break;
      if (token.firstOnLine && this.beginsStatement(token, kind)) break;
      if (token.text === '=' && node.equals === undefined) node.equals = this.at;
      this.take(token);
    }
    node.to = this.at;
    return node;
  }

  /** The tokenizer reads names only where a statement begins, so a name after a value is the next statement. */
  private beginsStatement(token: SyntaxToken, kind: SyntaxKind): boolean {
    return token.kind === 'name' || (token.kind === 'label' && this.tokenAfter()?.kind === 'name') || (kind === 'directive' && token.kind === 'ref')
      || (token.kind === 'keyword' && token.text !== '/bits/' && token.text !== '/incbin/') || (kind === 'directive' && token.text === '/');
  }

  private tokenAfter(): SyntaxToken | undefined {
    for (let index = this.at + 1; index < this.tokens.length; index++) if (!isTrivia(this.tokens[index])) return this.tokens[index];
    return undefined;
  }

  private leaf(kind: SyntaxKind, from: number, to: number, labels: readonly SyntaxToken[] = []): SyntaxNode {
    this.at = Math.max(this.at, to);
    return { kind, from, to, labels, name: undefined, children: [] };
  }

  private peek(): SyntaxToken | undefined {
    while (isTrivia(this.tokens[this.at])) this.at++;
    return this.tokens[this.at];
  }

  private take(token: SyntaxToken): SyntaxToken {
    this.at++;
    return token;
  }
}

/** True for what carries no structure: comments and directives of the preprocessor. */
export function isTrivia(token: SyntaxToken | undefined): boolean {
  return token?.kind === 'comment' || token?.kind === 'preprocessor';
}

/** The innermost part that holds the offset, and those around it, outermost first. */
export function syntaxPathAt(tree: SyntaxTree, offset: number): readonly SyntaxNode[] {
  const path: SyntaxNode[] = [tree.root];
  for (let node: SyntaxNode | undefined = tree.root; node !== undefined;) {
    node = node.children.find((child) => {
      const first = tree.tokens[child.from];
      const last = tree.tokens[child.to - 1];
      return first !== undefined && last !== undefined && first.start <= offset && offset <= last.end;
    });
    if (node !== undefined) path.push(node);
  }
  return path;
}
