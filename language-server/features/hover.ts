/** Hover on nodes, labels and properties: the path, and what the properties finally are, each with the file and line that set it. */

import { MarkupKind, type Hover } from 'vscode-languageserver';
import { printDtsNode } from '../../runtime/devicetree/print';
import type { SourceOrigin } from '../../runtime/devicetree/source';
import { syntaxPathAt } from '../../runtime/devicetree/syntax/tree';
import { DtNode, type DtProperty } from '../../runtime/devicetree/tree';
import { nodeOfReference, type Analysis } from '../analysis';
import type { Meaning } from '../answering';
import { rangeOf } from '../positions';
import { bindingText } from './completion';
import { decodedValue } from './decoded-values';
import { inBase, landed, merged } from './landing';
import { labelOf, macroDefinitions, mergedNode, tokenAt } from '../symbols';
import { nodeOfAlias, nodeOfPath, segmentAt } from '../written-paths';

/** Most properties of a node that are shown, and most characters of each. */
const PROPERTIES_SHOWN = 40;
const VALUE_SHOWN = 400;
/** Most entries of a value that are decoded. */
const ENTRIES_SHOWN = 16;

/** What there is to say about the offset; `base` is what an overlay is for. */
export function hover({ source, analysis, offset }: Meaning, base?: Analysis): Hover | null {
  const token = tokenAt(source.syntax, offset);
  if (token === undefined) return null;
  const parts = syntaxPathAt(source.syntax, offset);
  const inner = parts.at(-1);
  const say = (value: string): Hover => ({ contents: { kind: MarkupKind.Markdown, value }, range: rangeOf(source.document, token.start, token.end) });
  const sayNode = (node: DtNode): Hover => say(nodeText(node) + told(bindingText(analysis, node, undefined)));
  const sayAny = (node: DtNode | undefined): Hover | null => (node === undefined ? null : sayNode(node));
  const segment = segmentAt(token, offset);
  const written = segment === undefined || segment.isLabel ? nodeOfAlias(source.syntax, offset, analysis) : nodeOfPath(segment.path, analysis, base);
  if (written !== undefined) return { ...sayNode(written.analysis === analysis ? landed(written.node, analysis, base) : merged(written.node, analysis)), ...(segment === undefined ? {} : { range: rangeOf(source.document, segment.end - segment.path.length, segment.end) }) };
  if (token.kind === 'label' || token.kind === 'ref') {
    const reference = token.kind === 'label' ? (labelOf(token.text) ?? '') : token.text;
    const [own] = nodeOfReference(analysis.tree, reference);
    return sayAny(own === undefined ? inBase(reference, analysis, base) : landed(own, analysis, base));
  }
  if (inner !== undefined && inner.name === token) {
    const node = mergedNode(analysis, source.path, parts);
    if (inner.kind === 'node') return sayAny(node === undefined ? undefined : landed(node, analysis, base));
    const property = inner.kind === 'property' ? node?.property(token.text) : undefined;
    if (node !== undefined && property !== undefined) return say(propertyText(landed(node, analysis, base), property, analysis) + told(bindingText(analysis, landed(node, analysis, base), property.name)));
  }
  const macro = token.kind === 'identifier' || token.kind === 'name' ? macroText(analysis, token.text) : undefined;
  return macro === undefined ? null : say(macro);
}

function told(text: string): string {
  return text === '' ? '' : `\n\n${text}`;
}

/** A macro's definitions as they are written. */
function macroText(analysis: Analysis, name: string): string | undefined {
  const found = [...macroDefinitions(analysis, name), ...(analysis.appendedTo === undefined ? [] : macroDefinitions(analysis.appendedTo, name))].map(({ path, start }) => {
    const text = analysis.textOf(path) ?? analysis.appendedTo?.textOf(path) ?? '';
    const line = text.slice(text.lastIndexOf('\n', start) + 1, start) + (/^(?:[^\n]*\\\r?\n)*[^\n]*/.exec(text.slice(start))?.[0] ?? '');
    return `${line.trim().slice(0, VALUE_SHOWN)}  // ${path.slice(path.lastIndexOf('/') + 1)}:${String(text.slice(0, start).split('\n').length)}`;
  });
  return found.length === 0 ? undefined : fenced(found.join('\n'));
}

function nodeText(node: DtNode): string {
  const labels = node.labels.length === 0 ? '' : ` (${node.labels.map((label) => code(`&${label}`)).join(', ')})`;
  const shown = inOrder(node.properties).slice(0, PROPERTIES_SHOWN);
  const more = node.properties.length - shown.length;
  const lines = [...shown.map((property) => `${written(property)}${setBy(property.origin)}`), ...(more > 0 ? [`/* ${String(more)} more */`] : [])];
  return `${code(node.path)}${labels}${lines.length === 0 ? '' : `\n\n${fenced(lines.join('\n'))}`}`;
}

/** Applying an overlay turns the order of what it adds around; here the lines of one file come in their order. */
function inOrder(properties: readonly DtProperty[]): readonly DtProperty[] {
  const byFile = new Map<string, DtProperty[]>();
  for (const property of properties) byFile.set(property.origin?.file ?? '', [...(byFile.get(property.origin?.file ?? '') ?? []), property]);
  return [...byFile.values()].flatMap((group) => [...group].sort((a, b) => (a.origin?.line ?? 0) - (b.origin?.line ?? 0)));
}

function propertyText(node: DtNode, typed: DtProperty, analysis: Analysis): string {
  const property = node.property(typed.name) ?? typed;
  const resolved = analysis.judged.root.at(node.path);
  const value = resolved?.property(property.name);
  const words = resolved === undefined || value === undefined ? [] : decodedValue(resolved, value, analysis.judged.root);
  const decoded = words.length === 0 ? '' : `\n\n${words.slice(0, ENTRIES_SHOWN).map((word) => `- ${word}`).join('\n')}${words.length > ENTRIES_SHOWN ? `\n- … ${String(words.length - ENTRIES_SHOWN)} more` : ''}`;
  return `${code(node.path)}\n\n${fenced(written(property) + setBy(property.origin))}${decoded}\n\n${String(property.bytes.length)} ${property.bytes.length === 1 ? 'byte' : 'bytes'}`;
}

/** The property as source, without its node. */
function written(property: DtProperty): string {
  const around = new DtNode('node');
  around.insertProperty(property);
  const text = printDtsNode(around).split('\n').map((line) => line.trim()).filter((line) => line !== '').slice(1, -1).join(' ');
  return text.length > VALUE_SHOWN ? `${text.slice(0, VALUE_SHOWN)} …` : text;
}

function setBy(origin: SourceOrigin | undefined): string {
  return origin === undefined ? '' : `  // ${origin.file.slice(origin.file.lastIndexOf('/') + 1)}:${String(origin.line)}`;
}

function code(text: string): string {
  const marks = '`'.repeat(Math.max(0, ...[...text.matchAll(/`+/g)].map(([found]) => found.length)) + 1);
  return `${marks}${marks.length > 1 ? ' ' : ''}${text}${marks.length > 1 ? ' ' : ''}${marks}`;
}

function fenced(text: string): string {
  const fence = '`'.repeat(Math.max(2, ...[...text.matchAll(/`+/g)].map(([found]) => found.length)) + 1);
  return `${fence}dts\n${text}\n${fence}`;
}
