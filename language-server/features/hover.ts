/** Hover on nodes, labels and properties: the path, and what the properties finally are, each with the file and line that set it. */

import { MarkupKind, type Hover } from 'vscode-languageserver';
import { printDtsNode } from '../../runtime/devicetree/print';
import type { SourceOrigin } from '../../runtime/devicetree/source';
import { syntaxPathAt } from '../../runtime/devicetree/syntax/tree';
import { DtNode, type DtProperty } from '../../runtime/devicetree/tree';
import { nodeOfReference, type Analysis } from '../analysis';
import type { SourceDocument } from '../documents';
import { rangeOf } from '../positions';
import { bindingText } from './completion';
import { labelOf, mergedNode, tokenAt } from '../symbols';

/** Most properties of a node that are shown, and most characters of each. */
const PROPERTIES_SHOWN = 40;
const VALUE_SHOWN = 400;

/** What there is to say about the offset. */
export function hover(source: SourceDocument, analysis: Analysis, offset: number): Hover | null {
  const token = tokenAt(source.syntax, offset);
  if (token === undefined) return null;
  const parts = syntaxPathAt(source.syntax, offset);
  const inner = parts.at(-1);
  const say = (value: string): Hover => ({ contents: { kind: MarkupKind.Markdown, value }, range: rangeOf(source.document, token.start, token.end) });
  if (token.kind === 'label' || (token.kind === 'ref' && inner?.name !== token)) {
    const node = nodeOfReference(analysis.tree, token.kind === 'label' ? (labelOf(token.text) ?? '') : token.text)[0];
    return node === undefined ? null : say(nodeText(node));
  }
  if (inner === undefined || inner.name !== token) return null;
  const node = mergedNode(analysis, source.path, parts);
  const told = (text: string): string => (text === '' ? '' : `\n\n${text}`);
  if (inner.kind === 'node') return node === undefined ? null : say(nodeText(node) + told(bindingText(analysis, node, undefined)));
  const property = inner.kind === 'property' ? node?.property(token.text) : undefined;
  return node === undefined || property === undefined ? null : say(propertyText(node, property) + told(bindingText(analysis, node, property.name)));
}

function nodeText(node: DtNode): string {
  const labels = node.labels.length === 0 ? '' : ` (${node.labels.map((label) => code(`&${label}`)).join(', ')})`;
  const shown = node.properties.slice(0, PROPERTIES_SHOWN);
  const more = node.properties.length - shown.length;
  const lines = [...shown.map((property) => `${written(property)}${setBy(property.origin)}`), ...(more > 0 ? [`/* ${String(more)} more */`] : [])];
  return `${code(node.path)}${labels}${lines.length === 0 ? '' : `\n\n${fenced(lines.join('\n'))}`}`;
}

function propertyText(node: DtNode, property: DtProperty): string {
  return `${code(node.path)}\n\n${fenced(written(property) + setBy(property.origin))}\n\n${String(property.bytes.length)} ${property.bytes.length === 1 ? 'byte' : 'bytes'}`;
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
