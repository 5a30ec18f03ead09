/** Going to definitions of labels, paths, macros and included files, and finding what refers to a label. */

import type { Location } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { syntaxPathAt } from '../../runtime/devicetree/syntax/tree';
import { nodeOfReference, type Analysis } from '../analysis';
import type { Meaning } from '../answering';
import type { SourceDocument } from '../documents';
import { uriOfPath } from '../files';
import { documentOf, offsetsOf, rangeOf } from '../positions';
import { includedPath, includesOf, labelDefinitions, labelOf, labelReferences, macroDefinitions, tokenAt, type FileRange } from '../symbols';

/** Where what stands at the offset is defined. */
export function definitions({ source, analysis, offset }: Meaning, includePaths: readonly string[], base?: Analysis): Location[] {
  const include = includesOf(source.syntax).find(({ start, end }) => start <= offset && offset <= end);
  if (include !== undefined) {
    const path = includedPath(analysis, source.path, include, includePaths);
    return path === undefined ? [] : locations(analysis, [{ path, start: 0, end: 0 }]);
  }
  const token = tokenAt(source.syntax, offset);
  if (token?.kind === 'label') return locations(analysis, labelDefinitions(analysis, labelOf(token.text) ?? ''));
  if (token?.kind === 'ref') {
    const own = locations(analysis, referenceTargets(analysis, token.text));
    // What an overlay refers to is most often its base's.
    return own.length > 0 || base === undefined ? own : locations(base, referenceTargets(base, token.text));
  }
  if (token?.kind === 'string') return pathTargets([analysis, ...(base === undefined ? [] : [base])], token.text);
  const word = token?.kind === 'preprocessor' ? wordAt(source.syntax.text, offset) : token?.text;
  if (word === undefined || token?.kind === 'comment') return [];
  // The macros of a tree hold for what is appended to it.
  const { appendedTo } = analysis;
  return [...locations(analysis, macroDefinitions(analysis, word)), ...(appendedTo === undefined ? [] : locations(appendedTo, macroDefinitions(appendedTo, word)))];
}

/** The node that a string is the path of; options of a console may follow behind a colon. */
function pathTargets(analyses: readonly Analysis[], literal: string): Location[] {
  const [, path] = /^"(\/[^":]*)(?::[^"]*)?"$/.exec(literal) ?? [];
  if (path === undefined) return [];
  return analyses.map((one) => locations(one, referenceTargets(one, `&{${path}}`))).find((found) => found.length > 0) ?? [];
}

function referenceTargets(analysis: Analysis, reference: string): readonly FileRange[] {
  const label = labelOf(reference);
  if (label !== undefined && !reference.includes('/')) return labelDefinitions(analysis, label);
  return nodeOfReference(analysis.tree, reference).flatMap(({ origin }) => {
    const text = origin === undefined ? undefined : analysis.textOf(origin.file);
    return origin === undefined || text === undefined ? [] : [{ path: origin.file, ...offsetsOf(text, origin) }];
  });
}

function wordAt(text: string, offset: number): string | undefined {
  const before = /\w*$/.exec(text.slice(Math.max(0, offset - 200), offset))?.[0] ?? '';
  const word = before + (/^\w*/.exec(text.slice(offset, offset + 200))?.[0] ?? '');
  return word === '' ? undefined : word;
}

/** All places that refer to the label at the offset, or to a label of the node whose name stands there, in a family of trees. */
export function references(source: SourceDocument, offset: number, family: readonly Analysis[], wanted: 'uses' | 'uses and declarations'): Location[] {
  const token = tokenAt(source.syntax, offset);
  const node = syntaxPathAt(source.syntax, offset).at(-1);
  const named = node?.kind === 'node' && node.name === token ? node.labels.map(({ text }) => labelOf(text)) : [];
  const labels = token?.kind === 'label' || token?.kind === 'ref' ? [labelOf(token.text)] : named;
  const found = labels.flatMap((label) => (label === undefined ? [] : family.flatMap((analysis) => {
    const declared = wanted === 'uses' ? [] : labelDefinitions(analysis, label);
    return locations(analysis, [...declared, ...labelReferences(analysis, label)]);
  })));
  return [...new Map(found.map((location) => [JSON.stringify(location), location])).values()];
}

function locations(analysis: Analysis, ranges: readonly FileRange[]): Location[] {
  const documents = new Map<string, TextDocument>();
  return ranges.map(({ path, start, end }) => {
    const document = documents.get(path) ?? documentOf(uriOfPath(path), analysis.textOf(path) ?? '');
    documents.set(path, document);
    return { uri: document.uri, range: rangeOf(document, start, end) };
  });
}
