/** Paths of nodes as they are written, in `&{/…}` and in strings: their segments, and the nodes that these mean. Not of the protocol. */

import { syntaxPathAt, type SyntaxTree } from '../runtime/devicetree/syntax/tree';
import type { SyntaxToken } from '../runtime/devicetree/syntax/tokens';
import type { DtNode } from '../runtime/devicetree/tree';
import { nodeOfReference, type Analysis } from './analysis';

/** One name of a path, with where it stands in the file. */
export interface PathSegment {
  /** The path up to this name: from the root, or from a label. */
  readonly path: string;
  readonly name: string;
  /** True for a label that a path begins with. */
  readonly isLabel: boolean;
  /** True for the last of its path. */
  readonly isLast: boolean;
  readonly start: number;
  readonly end: number;
}

/** Properties whose strings may begin with an alias instead of a path. */
export const CONSOLE_PROPERTY = /^(?:linux,)?std(?:out|in)-path$/;

/** The names of the path that a token holds, in order; none if it holds no path. Options of a console may follow behind a colon. */
export function segmentsOf({ kind, text, start }: SyntaxToken): readonly PathSegment[] {
  const path = kind === 'ref' ? /^&\{([^}\s]*)/.exec(text)?.[1] : kind === 'string' ? /^"(\/[^":\\\s]*)/.exec(text)?.[1] : undefined;
  if (path === undefined) return [];
  const from = start + (kind === 'ref' ? 2 : 1);
  if (path === '/') return [{ path, name: '', isLabel: false, isLast: true, start: from, end: from + 1 }];
  const names = [...path.matchAll(/[^/]+/g)];
  return names.map(({ 0: name, index }, count) => ({
    path: path.slice(0, index + name.length), name, isLabel: index === 0, isLast: count === names.length - 1, start: from + index, end: from + index + name.length,
  }));
}

/** The name of a path at an offset; a slash belongs to the name behind it. */
export function segmentAt(token: SyntaxToken, offset: number): PathSegment | undefined {
  const segments = segmentsOf(token);
  return segments.find(({ start, end }) => start - 1 <= offset && offset <= end) ?? (segments.length === 0 || offset < token.end ? undefined : segments.at(-1));
}

/** A node and the tree that has it. */
export interface FoundNode {
  readonly node: DtNode;
  readonly analysis: Analysis;
}

/** The node that a path means; what an overlay says of paths from the root is about its base. */
export function nodeOfPath(path: string, analysis: Analysis, base: Analysis | undefined): FoundNode | undefined {
  const isOfBase = analysis.tree.plugin && path.startsWith('/');
  const trees = base === undefined ? [analysis] : isOfBase ? [base, analysis] : [analysis, base];
  for (const one of trees) {
    const [node] = nodeOfReference(one.tree, `&{${path}}`);
    if (node !== undefined) return { node, analysis: one };
  }
  return undefined;
}

/** The node that the alias at an offset stands for, where a console is chosen by its alias. */
export function nodeOfAlias(syntax: SyntaxTree, offset: number, analysis: Analysis): FoundNode | undefined {
  const part = syntaxPathAt(syntax, offset).at(-1);
  if (part?.kind !== 'property' || !CONSOLE_PROPERTY.test(part.name?.text ?? '')) return undefined;
  const token = syntax.tokens.find(({ kind, start, end }) => kind === 'string' && start < offset && offset < end);
  const alias = /^"([^"/:]+)/.exec(token?.text ?? '')?.[1];
  if (token === undefined || alias === undefined || offset > token.start + 1 + alias.length) return undefined;
  const path = aliasPaths(analysis).get(alias);
  return path === undefined ? undefined : nodeOfPath(path, analysis, undefined);
}

/** The paths that aliases stand for. */
export function aliasPaths(analysis: Analysis): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { name } of analysis.linked.root.at('/aliases')?.properties ?? []) {
    const path = analysis.linked.root.at('/aliases')?.string(name);
    if (path?.startsWith('/') === true) found.set(name, path);
  }
  return found;
}

/** True if a path leads to a node; labels are those of the node's tree. */
export function means({ path }: PathSegment, { node, analysis }: FoundNode): boolean {
  if (path.startsWith('/')) return path === node.path;
  const names = path.split('/');
  // Most paths end in another name, and need no search for their label.
  return names.at(-1) === node.name && nodeOfReference(analysis.tree, `&{${path}}`)[0] === node;
}
