/** Going to definitions of labels, paths, macros and included files, and finding what refers to a label. */

import type { Location } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { SyntaxToken } from '../../runtime/devicetree/syntax/tokens';
import { syntaxPathAt } from '../../runtime/devicetree/syntax/tree';
import { nodeOfReference, type Analysis } from '../analysis';
import type { Meaning } from '../answering';
import type { SourceDocument } from '../documents';
import { uriOfPath } from '../files';
import { documentOf, offsetsOf, rangeOf } from '../positions';
import { includedPath, includesOf, labelDefinitions, labelOf, labelReferences, macroDefinitions, mergedNode, tokenAt, tokensOf, type FileRange } from '../symbols';
import { means, nodeOfAlias, nodeOfPath, segmentAt, segmentsOf, type FoundNode } from '../written-paths';
import { landingPath } from './landing';

/** Where what stands at the offset is defined. */
export function definitions({ source, analysis, offset }: Meaning, includePaths: readonly string[], base?: Analysis): Location[] {
  const include = includesOf(source.syntax).find(({ start, end }) => start <= offset && offset <= end);
  if (include !== undefined) {
    const path = includedPath(analysis, source.path, include, includePaths);
    return path === undefined ? [] : locations(analysis, [{ path, start: 0, end: 0 }]);
  }
  const token = tokenAt(source.syntax, offset);
  if (token?.kind === 'label') return locations(analysis, labelDefinitions(analysis, labelOf(token.text) ?? ''));
  const segment = token === undefined ? undefined : segmentAt(token, offset);
  const written = segment === undefined || segment.isLabel ? nodeOfAlias(source.syntax, offset, analysis) : nodeOfPath(segment.path, analysis, base);
  if (written !== undefined) return locations(written.analysis, placesOf(written));
  if (token?.kind === 'ref') {
    const own = locations(analysis, referenceTargets(analysis, token.text));
    // What an overlay refers to is most often its base's.
    return own.length > 0 || base === undefined ? own : locations(base, referenceTargets(base, token.text));
  }
  if (token?.kind === 'string') return [];
  const word = token?.kind === 'preprocessor' ? wordAt(source.syntax.text, offset) : token?.text;
  if (word === undefined || token?.kind === 'comment') return [];
  // The macros of a tree hold for what is appended to it.
  const { appendedTo } = analysis;
  return [...locations(analysis, macroDefinitions(analysis, word)), ...(appendedTo === undefined ? [] : locations(appendedTo, macroDefinitions(appendedTo, word)))];
}

function referenceTargets(analysis: Analysis, reference: string): readonly FileRange[] {
  const label = labelOf(reference);
  if (label !== undefined && !reference.includes('/')) return labelDefinitions(analysis, label);
  return nodeOfReference(analysis.tree, reference).flatMap((node) => placesOf({ node, analysis }));
}

function placesOf({ node: { origin }, analysis }: FoundNode): readonly FileRange[] {
  const text = origin === undefined ? undefined : analysis.textOf(origin.file);
  return origin === undefined || text === undefined ? [] : [{ path: origin.file, ...offsetsOf(text, origin) }];
}

function wordAt(text: string, offset: number): string | undefined {
  const before = /\w*$/.exec(text.slice(Math.max(0, offset - 200), offset))?.[0] ?? '';
  const word = before + (/^\w*/.exec(text.slice(offset, offset + 200))?.[0] ?? '');
  return word === '' ? undefined : word;
}

/** All places that refer to what stands at the offset, by label or by path: a label, or the node that is named there, by its name, a path or an alias; in a family of trees. */
export function references(source: SourceDocument, offset: number, family: readonly Analysis[], wanted: 'uses' | 'uses and declarations'): Location[] {
  const token = tokenAt(source.syntax, offset);
  const own = family.find(({ files }) => files.includes(source.path));
  const trunk = family.find(({ tree }) => !tree.plugin);
  const target = token === undefined || own === undefined ? undefined : meantAt({ source, analysis: own, offset }, token, trunk);
  const label = token?.kind === 'label' || (token?.kind === 'ref' && (target === undefined || !token.text.includes('/'))) ? labelOf(token.text) : undefined;
  const labels = label === undefined ? target?.node.labels ?? [] : [label];
  const found = labels.flatMap((name) => family.flatMap((analysis) => {
    const declared = wanted === 'uses' ? [] : labelDefinitions(analysis, name);
    return locations(analysis, [...declared, ...labelReferences(analysis, name)]);
  }));
  const declared = target === undefined || wanted === 'uses' || labels.length > 0 ? [] : locations(target.analysis, placesOf(target));
  const byPath = target === undefined ? [] : family.flatMap((analysis) => locations(analysis, pathsTo(target, analysis)));
  return [...new Map([...declared, ...found, ...byPath].map((location) => [JSON.stringify(location), location])).values()];
}

/** The node that a label, a name, a path or an alias means; of an overlay's base, if it is there. */
function meantAt({ source, analysis, offset }: Meaning, token: SyntaxToken, trunk: Analysis | undefined): FoundNode | undefined {
  const segment = segmentAt(token, offset);
  if (segment !== undefined) return nodeOfPath(segment.path, analysis, trunk === analysis ? undefined : trunk);
  const label = token.kind === 'label' || token.kind === 'ref' ? labelOf(token.text) : undefined;
  if (label !== undefined) return nodeOfPath(label, trunk ?? analysis, trunk === undefined ? undefined : analysis);
  const parts = syntaxPathAt(source.syntax, offset);
  if (token.kind === 'string') return nodeOfAlias(source.syntax, offset, analysis);
  const node = parts.at(-1)?.kind === 'node' && parts.at(-1)?.name === token ? mergedNode(analysis, source.path, parts) : undefined;
  const landing = node === undefined || trunk === undefined || trunk === analysis ? undefined : landingPath(node, trunk);
  return node === undefined ? undefined : nodeOfLanding(landing, trunk) ?? { node, analysis };
}

function nodeOfLanding(path: string | undefined, trunk: Analysis | undefined): FoundNode | undefined {
  const node = path === undefined ? undefined : trunk?.tree.root.at(path);
  return node === undefined || trunk === undefined ? undefined : { node, analysis: trunk };
}

/** Where a node's whole path is written. */
function pathsTo(target: FoundNode, analysis: Analysis): readonly FileRange[] {
  return tokensOf(analysis, target.node.name, ({ kind }) => kind === 'ref' || kind === 'string').flatMap(({ path, token }) => (
    segmentsOf(token).filter((segment) => segment.isLast && !segment.isLabel && means(segment, target)).map(({ start, end }) => ({ path, start, end }))));
}

function locations(analysis: Analysis, ranges: readonly FileRange[]): Location[] {
  const documents = new Map<string, TextDocument>();
  return ranges.map(({ path, start, end }) => {
    const document = documents.get(path) ?? documentOf(uriOfPath(path), analysis.textOf(path) ?? '');
    documents.set(path, document);
    return { uri: document.uri, range: rangeOf(document, start, end) };
  });
}
