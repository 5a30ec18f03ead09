/** Which node of the merged tree a part of a file is about, and where labels, macros and included files stand. Pure; not of the protocol. */

import { searchPath } from '../runtime/devicetree/include-path';
import type { SyntaxToken } from '../runtime/devicetree/syntax/tokens';
import type { SyntaxNode, SyntaxTree } from '../runtime/devicetree/syntax/tree';
import type { DtNode } from '../runtime/devicetree/tree';
import { nodeOfReference, type Analysis } from './analysis';

/** A stretch of a file. */
export interface FileRange {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** The token that holds the offset, or that ends there and is no punctuation. */
export function tokenAt(syntax: SyntaxTree, offset: number): SyntaxToken | undefined {
  const touching = syntax.tokens.filter(({ start, end }) => start <= offset && offset <= end);
  return touching.find(({ kind }) => kind !== 'punctuation' && kind !== 'operator') ?? touching[0];
}

const lineFeedsKnown = new WeakMap<SyntaxTree, readonly number[]>();

/** Offsets of the line feeds of a file. */
function lineFeedsOf(syntax: SyntaxTree): readonly number[] {
  const found = lineFeedsKnown.get(syntax) ?? [...syntax.text.matchAll(/\n/g)].map(({ index }) => index);
  lineFeedsKnown.set(syntax, found);
  return found;
}

/** One-based line of an offset, counted at line feeds, and column. */
function placeOf(syntax: SyntaxTree, offset: number): string {
  const feeds = lineFeedsOf(syntax);
  let [low, high] = [0, feeds.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((feeds[middle] ?? 0) < offset) low = middle + 1; else high = middle;
  }
  return `${String(low + 1)}:${String(offset - (feeds[low - 1] ?? -1))}`;
}

/** The node of the merged tree that the innermost of these nested parts of a file belongs to. */
export function mergedNode(analysis: Analysis, path: string, parts: readonly SyntaxNode[]): DtNode | undefined {
  const syntax = analysis.syntaxOf(path);
  let found: DtNode | undefined;
  for (const part of parts) {
    if (part.kind !== 'node' || part.name === undefined || syntax === undefined) continue;
    found = nodeFromHere(analysis, `${path}:${placeOf(syntax, part.name.start)}`) ?? nodeByName(analysis, part.name, found);
  }
  return found;
}

function nodeByName(analysis: Analysis, name: SyntaxToken, parent: DtNode | undefined): DtNode | undefined {
  if (name.kind === 'ref') return nodeOfReference(analysis.tree, name.text)[0];
  if (name.text === '/') return analysis.tree.root;
  return parent?.child(name.text);
}

const nodesByPlace = new WeakMap<Analysis, ReadonlyMap<string, DtNode>>();

/** The node whose last body begins at a place. */
function nodeFromHere(analysis: Analysis, place: string): DtNode | undefined {
  let index = nodesByPlace.get(analysis);
  if (index === undefined) {
    index = new Map([...analysis.tree.root.walk()].flatMap((node) => (node.origin === undefined ? [] : [[`${node.origin.file}:${String(node.origin.line)}:${String(node.origin.column)}`, node] as const])));
    nodesByPlace.set(analysis, index);
  }
  return index.get(place);
}

/** Every token of the files of an analysis that passes; files without `hint` in their text are left out unread. */
export function tokensOf(analysis: Analysis, hint: string, wanted: (token: SyntaxToken) => boolean): readonly (FileRange & { readonly token: SyntaxToken })[] {
  return analysis.files.flatMap((path) => {
    if (analysis.textOf(path)?.includes(hint) !== true) return [];
    return (analysis.syntaxOf(path)?.tokens ?? []).filter(wanted).map((token) => ({ path, start: token.start, end: token.end, token }));
  });
}

/** Where a label is written in front of something. */
export function labelDefinitions(analysis: Analysis, label: string): readonly FileRange[] {
  return tokensOf(analysis, `${label}:`, ({ kind, text }) => (kind === 'label' && text === `${label}:`) || (kind === 'preprocessor' && DEFINE.test(text))).flatMap(({ path, start, end, token }) => {
    if (token.kind === 'label') return [{ path, start, end: end - 1 }];
    return inDefinition(token.text, new RegExp(`(?<![\\w&])${label}(?=:)`, 'g')).map(({ index }) => ({ path, start: start + index, end: start + index + label.length }));
  });
}

/** Where a label is referred to, also as the beginning of a path and in definitions of macros. */
export function labelReferences(analysis: Analysis, label: string): readonly FileRange[] {
  return referringFiles(analysis).flatMap(({ path, starts }) => (starts.get(label) ?? []).map((start) => ({ path, start, end: start + label.length })));
}

interface ReferringFile { readonly path: string; readonly starts: ReadonlyMap<string, readonly number[]> }

const referringFilesKnown = new WeakMap<Analysis, readonly ReferringFile[]>();

function referringFiles(analysis: Analysis): readonly ReferringFile[] {
  const found = referringFilesKnown.get(analysis) ?? analysis.files.flatMap((path) => {
    // Headers of numbers refer to nothing, and need not be read for it.
    const syntax = analysis.textOf(path)?.includes('&') === true ? analysis.syntaxOf(path) : undefined;
    return syntax === undefined ? [] : [{ path, starts: referencesOf(syntax) }];
  });
  referringFilesKnown.set(analysis, found);
  return found;
}

const referencesByFile = new WeakMap<SyntaxTree, ReadonlyMap<string, readonly number[]>>();

/** Where labels are referred to in a file, by label. */
function referencesOf(syntax: SyntaxTree): ReadonlyMap<string, readonly number[]> {
  const known = referencesByFile.get(syntax);
  if (known !== undefined) return known;
  const found = new Map<string, number[]>();
  const add = (label: string, start: number): void => {
    const starts = found.get(label);
    if (starts === undefined) found.set(label, [start]);
    else starts.push(start);
  };
  for (const { kind, text, start } of syntax.tokens) {
    if (kind === 'ref') {
      const label = labelOf(text);
      if (label !== undefined) add(label, start + (text.startsWith('&{') ? 2 : 1));
    } else if (kind === 'preprocessor' && DEFINE.test(text)) {
      for (const { index, 0: label } of inDefinition(text, /(?<=&\{?)[A-Za-z_]\w*/g)) add(label, start + index);
    }
  }
  referencesByFile.set(syntax, found);
  return found;
}

const DEFINE = /^#[ \t]*define[ \t]/;

/** Where a pattern is found in a directive, outside comments and strings. */
function inDefinition(text: string, pattern: RegExp): readonly RegExpExecArray[] {
  const blank = text.replace(/\/\*[^]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"/g, (match) => ' '.repeat(match.length));
  return [...blank.matchAll(pattern)];
}

/** The label that a label or reference token holds; `undefined` for a path from the root. */
export function labelOf(text: string): string | undefined {
  return /^&?\{?([A-Za-z_]\w*)/.exec(text)?.[1];
}

/** Where a macro is defined. */
export function macroDefinitions(analysis: Analysis, name: string): readonly FileRange[] {
  if (!/^[A-Za-z_]\w*$/.test(name)) return [];
  const define = new RegExp(`^#[ \\t]*define[ \\t]+(?=${name}(?!\\w))`);
  return tokensOf(analysis, name, ({ kind, text }) => kind === 'preprocessor' && define.test(text)).map(({ path, start, token }) => {
    const from = start + (define.exec(token.text)?.[0].length ?? 0);
    return { path, start: from, end: from + name.length };
  });
}

/** A name of a file in an include directive. */
export interface IncludedName {
  readonly name: string;
  readonly isQuoted: boolean;
  readonly start: number;
  readonly end: number;
}

/** All includes of a file, the preprocessor's and dtc's. */
export function includesOf(syntax: SyntaxTree): readonly IncludedName[] {
  return syntax.tokens.flatMap((token, index): IncludedName[] => {
    const next = syntax.tokens[index + 1];
    if (token.text === '/include/' && next?.kind === 'string') return [{ name: next.text.replace(/^"|"$/g, ''), isQuoted: true, start: next.start, end: next.end }];
    const match = token.kind === 'preprocessor' ? /^(#[ \t]*include[ \t]*)(?:"([^"\n]*)"|<([^>\n]*)>)/.exec(token.text) : null;
    const name = match?.[2] ?? match?.[3];
    return match === null || name === undefined ? [] : [{ name, isQuoted: match[2] !== undefined, start: token.start + (match[1]?.length ?? 0), end: token.start + match[0].length }];
  });
}

/** The path of an included file, among the files that the analysis read. */
export function includedPath(analysis: Analysis, from: string, include: IncludedName, includePaths: readonly string[]): string | undefined {
  return searchPath(include.name, include.isQuoted ? from : undefined, includePaths, (path) => (analysis.files.includes(path) ? path : undefined))?.found;
}
