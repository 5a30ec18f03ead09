/**
 * Renaming of labels, macros and nodes in all files of all open trees that they belong to. A new name that would change what a tree means is
 * refused with the reason.
 */

import { ErrorCodes, ResponseError, type Range, type TextEdit, type WorkspaceEdit } from 'vscode-languageserver';
import type { SyntaxToken } from '../../runtime/devicetree/syntax/tokens';
import { syntaxPathAt, type SyntaxNode } from '../../runtime/devicetree/syntax/tree';
import type { DtNode } from '../../runtime/devicetree/tree';
import type { Analysis } from '../analysis';
import type { Meaning } from '../answering';
import { uriOfPath } from '../files';
import { documentOf, rangeOf } from '../positions';
import { landingPath } from './landing';
import { labelDefinitions, labelOf, labelReferences, macroDefinitions, mergedNode, tokensOf, type FileRange } from '../symbols';
import { means, nodeOfPath, segmentAt, segmentsOf, type FoundNode } from '../written-paths';

/** What stands at an offset and can be renamed. */
type Target =
  | { readonly kind: 'label' | 'macro'; readonly name: string; readonly start: number; readonly end: number }
  | { readonly kind: 'node'; readonly name: string; readonly start: number; readonly end: number; readonly node: DtNode; readonly analysis: Analysis };

const LABEL = /^[A-Za-z_]\w*$/;
const NODE_NAME = /^[A-Za-z0-9,._+-]{1,31}(?:@[0-9a-fA-F,]+)?$/;

/** The range that a rename at the offset replaces, and what is in it; null if there is nothing to rename. */
export function prepareRename(at: Meaning, base?: Analysis): { readonly range: Range; readonly placeholder: string } | null {
  const target = targetAt(at, base);
  return target === undefined ? null : { range: rangeOf(at.source.document, target.start, target.end), placeholder: target.name };
}

/** The edits in all files. `family` are the trees that the document belongs to, with bases and overlays. */
export function rename(at: Meaning, newName: string, family: readonly Analysis[]): WorkspaceEdit | null {
  const target = targetAt(at, family.find(({ tree }) => !tree.plugin));
  if (target === undefined) return null;
  const concerned = target.kind === 'label' ? family : family.filter(({ files }) => files.includes(at.source.path));
  const ranges = target.kind === 'node' ? renamedNode(target, newName, inTrunk(target.node, target.analysis, family)) : renamedWord(target, newName, concerned);
  const changes: Record<string, TextEdit[]> = {};
  const seen = new Set<string>();
  for (const { analysis, path, start, end } of ranges) {
    const key = `${path} ${String(start)}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const uri = uriOfPath(path);
    (changes[uri] ??= []).push({ range: rangeOf(documentOf(uri, analysis.textOf(path) ?? ''), start, end), newText: newName });
  }
  return { changes };
}

type Found = FileRange & { readonly analysis: Analysis };

function targetAt({ source, analysis, offset }: Meaning, base: Analysis | undefined): Target | undefined {
  const token = source.syntax.tokens.find(({ kind, start, end }) => start <= offset && offset <= end && kind !== 'punctuation' && kind !== 'operator');
  if (token === undefined) return undefined;
  const segment = segmentAt(token, offset);
  const found = segment === undefined || segment.isLabel || segment.name === '' ? undefined : nodeOfPath(segment.path, analysis, base === analysis ? undefined : base);
  if (segment !== undefined && found !== undefined) return { kind: 'node', name: segment.name, start: segment.start, end: segment.end, ...found };
  if (segment?.isLabel === false) return undefined;
  const label = token.kind === 'label' || token.kind === 'ref' ? labelOf(token.text) : undefined;
  if (label !== undefined) {
    const start = token.start + token.text.indexOf(label);
    return { kind: 'label', name: label, start, end: start + label.length };
  }
  const parts = syntaxPathAt(source.syntax, offset);
  const node = parts.at(-1);
  if (node?.kind === 'node' && node.name === token && token.kind === 'name') {
    const merged = mergedNode(analysis, source.path, parts);
    return merged === undefined ? undefined : { kind: 'node', name: token.text, start: token.start, end: token.end, node: merged, analysis };
  }
  return macroAt(token, analysis, offset);
}

function macroAt(token: SyntaxToken, analysis: Analysis, offset: number): Target | undefined {
  if (token.kind === 'string' || token.kind === 'comment') return undefined;
  for (const { 0: name, index } of token.text.matchAll(/[A-Za-z_]\w*/g)) {
    const start = token.start + index;
    if (start <= offset && offset <= start + name.length && macroDefinitions(analysis, name).length > 0) return { kind: 'macro', name, start, end: start + name.length };
  }
  return undefined;
}

function refuse(why: string): never {
  throw new ResponseError(ErrorCodes.InvalidRequest, why);
}

function renamedWord({ kind, name }: Target, newName: string, analyses: readonly Analysis[]): readonly Found[] {
  if (!LABEL.test(newName)) refuse(`"${newName}" is no ${kind} name: letters, digits and _ only, not beginning with a digit.`);
  return analyses.flatMap((analysis) => {
    const taken = kind === 'label' ? labelDefinitions(analysis, newName) : macroDefinitions(analysis, newName);
    if (newName !== name && taken.length > 0) refuse(`There is a ${kind} ${newName} already.`);
    const ranges = kind === 'label' ? [...labelDefinitions(analysis, name), ...labelReferences(analysis, name)] : macroUses(analysis, name);
    return ranges.map((range) => ({ ...range, analysis }));
  });
}

/** Every place where a word is a macro: in directives, in values, and where statements are made of macros. */
function macroUses(analysis: Analysis, name: string): readonly FileRange[] {
  const word = new RegExp(`(?<![\\w])${name}(?!\\w)`, 'g');
  return tokensOf(analysis, name, ({ kind, text }) => kind === 'preprocessor' || ((kind === 'identifier' || kind === 'name') && text === name)).flatMap(({ path, start, token }) => {
    // An include names files, which are no macros.
    if (/^#[ \t]*include[ \t]*["<]/.test(token.text)) return [];
    return [...token.text.matchAll(word)].map(({ index }) => ({ path, start: start + index, end: start + index + name.length }));
  });
}

/** A node with the tree that it belongs to, and all trees around that. */
interface Rooted { readonly node: DtNode; readonly analysis: Analysis; readonly family: readonly Analysis[] }

/** What an overlay says of a node of its base is about the base's node. */
function inTrunk(node: DtNode, analysis: Analysis, family: readonly Analysis[]): Rooted {
  const trunk = analysis.tree.plugin ? family.find(({ tree }) => !tree.plugin) : undefined;
  const path = trunk === undefined ? undefined : landingPath(node, trunk);
  const landed = path === undefined ? undefined : trunk?.tree.root.at(path);
  return trunk === undefined || landed === undefined ? { node, analysis, family } : { node: landed, analysis: trunk, family };
}

/** Every place where a node's name is written: its bodies, in overlays too, paths in references, and strings that are paths. */
function renamedNode({ name }: Target & { readonly kind: 'node' }, newName: string, { node, analysis, family }: Rooted): readonly Found[] {
  if (!NODE_NAME.test(newName)) refuse(`"${newName}" is no node name: at most 31 letters, digits and , . _ + - with an address behind @.`);
  if (newName !== name && node.parent?.child(newName) !== undefined) refuse(`${node.parent.path} has a node ${newName} already.`);
  // An overlay's own node is another one even if it has the same path in another overlay; only what overlays say of their base is meant.
  const others = analysis.tree.plugin ? [] : family.filter((one) => one !== analysis && one.tree.plugin);
  return [
    ...bodiesNamed(name, analysis, (found) => found === node),
    ...others.flatMap((one) => bodiesNamed(name, one, (found) => landingPath(found, analysis) === node.path)),
    ...[analysis, ...others].flatMap((one) => pathsThrough({ node, analysis }, one)),
  ];
}

/** The names at the head of bodies of nodes that are meant. */
function bodiesNamed(name: string, analysis: Analysis, isMeant: (node: DtNode) => boolean): readonly Found[] {
  const found: Found[] = [];
  for (const path of analysis.files) {
    const syntax = analysis.syntaxOf(path);
    if (syntax?.text.includes(name) !== true) continue;
    for (const parts of bodies(syntax.root, [])) {
      const own = parts.at(-1)?.name;
      const node = own?.text === name ? mergedNode(analysis, path, parts) : undefined;
      if (own !== undefined && node !== undefined && isMeant(node)) found.push({ analysis, path, start: own.start, end: own.end });
    }
  }
  return found;
}

/** The node's name in references by path and in strings that are paths; also in definitions of macros. */
function pathsThrough(target: FoundNode, analysis: Analysis): readonly Found[] {
  const { node } = target;
  const depth = node.path.split('/').length - 1;
  const plain = node.path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`(?<=&\\{|")${plain}(?=[/"}:])`, 'g');
  return tokensOf(analysis, node.name, ({ kind }) => kind === 'ref' || kind === 'string' || kind === 'preprocessor').flatMap(({ path, start, token }) => {
    if (token.kind !== 'preprocessor') return segmentsOf(token).filter((segment) => !segment.isLabel && means(segment, target)).map((segment) => ({ analysis, path, start: segment.start, end: segment.end }));
    if (!/^#[ \t]*define[ \t]/.test(token.text)) return [];
    return [...token.text.matchAll(pattern)].map(({ 0: full, index }) => {
      const segment = start + index + segmentOffset(full, depth);
      return { analysis, path, start: segment, end: segment + node.name.length };
    });
  });
}

/** Where the segment number `depth` of a path begins, counted from 1. */
function segmentOffset(path: string, depth: number): number {
  let offset = 0;
  for (let count = 0; count < depth; count++) offset = path.indexOf('/', offset) + 1;
  return offset;
}

function bodies(node: SyntaxNode, above: readonly SyntaxNode[]): readonly (readonly SyntaxNode[])[] {
  const parts = [...above, node];
  return [...(node.kind === 'node' ? [parts] : []), ...node.children.flatMap((child) => bodies(child, parts))];
}
