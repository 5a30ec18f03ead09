/**
 * Writes a tree as device tree source that compiles to the same blob. Values keep the form they were written in;
 * those from a blob are guessed as dtc guesses them: text, else cells, else bytes. Comments and layout are not kept.
 */

import { nodeByReference } from './lookup';
import type { SourceOrigin } from './source';
import { utf8Decode } from './text';
import type { DeviceTree, DtNode, DtProperty } from './tree';
import type { DtChunk, DtMark } from './value';
import { ELEMENT_SIZE } from './value';

/** A line of printed source, without its line feed. */
export interface PrintedLine {
  readonly text: string;
  /** Where what stands on it was written, if it stands on one. */
  readonly origin: SourceOrigin | undefined;
}

/** The source of a whole tree. */
export function printDts(tree: DeviceTree): string {
  return textOf(printDtsLines(tree));
}

/** The source of a whole tree, line by line. */
export function printDtsLines(tree: DeviceTree): readonly PrintedLine[] {
  const lines = new Lines();
  const known = new Labels(tree.root, tree.plugin ? [tree.root.child('__fixups__'), tree.root.child('__local_fixups__')] : []);
  lines.add('/dts-v1/;');
  if (tree.plugin) lines.add('/plugin/;');
  if (tree.reservations.length > 0) lines.add('');
  for (const { address, size } of tree.reservations) lines.add(`/memreserve/\t0x${address.toString(16)} 0x${size.toString(16)};`);
  lines.add('');
  printNode(tree.root, known, { lines, indent: '' });
  return lines.list;
}

/** The source of one node with all below it; references to labels outside it stay numbers unless `root` holds them. */
export function printDtsNode(node: DtNode, root: DtNode = node): string {
  const lines = new Lines();
  printNode(node, new Labels(root), { lines, indent: '' });
  return textOf(lines.list);
}

class Lines {
  readonly list: PrintedLine[] = [];

  add(text: string, origin?: SourceOrigin): void {
    for (const line of text.split('\n')) this.list.push({ text: line, origin });
  }
}

function textOf(lines: readonly PrintedLine[]): string {
  return lines.map(({ text }) => `${text}\n`).join('');
}

/** Which references of the tree can be written by name and give the same bytes. */
class Labels {
  private readonly root: DtNode;
  private readonly nodes = new Map<string, DtNode>();
  /** Nodes that compiling makes again out of the references, so they must not be written. */
  readonly implied: ReadonlySet<DtNode | undefined>;

  constructor(root: DtNode, implied: readonly (DtNode | undefined)[] = []) {
    this.root = root;
    this.implied = new Set(implied);
    for (const node of root.walk()) for (const label of node.labels) if (!this.nodes.has(label)) this.nodes.set(label, node);
  }

  /** The reference as written in source; `undefined` if its target is gone or has another phandle than the value. */
  phandle(mark: DtMark, value: number): string | undefined {
    const target = this.target(mark.name);
    const unlinked = value === 0xffff_ffff;
    return unlinked || (target !== undefined && target.u32('phandle') === value) ? spell(mark.name) : undefined;
  }

  path(mark: DtMark, bytes: Uint8Array): string | undefined {
    const target = this.target(mark.name);
    return bytes.length === 0 || (target !== undefined && `${target.path}\0` === utf8Decode(bytes)) ? spell(mark.name) : undefined;
  }

  private target(name: string): DtNode | undefined {
    return name.includes('/') ? nodeByReference(this.root, name) : this.nodes.get(name);
  }
}

function spell(reference: string): string {
  return reference.includes('/') ? `&{${reference}}` : `&${reference}`;
}

function printNode(node: DtNode, known: Labels, to: { readonly lines: Lines; readonly indent: string }): void {
  const { lines, indent } = to;
  const inner = `${indent}\t`;
  const labels = node.labels.map((label) => `${label}: `).join('');
  const name = node.parent === undefined ? (node.name === '' ? '/' : node.name) : node.name;
  lines.add(`${indent}${node.omitIfNoRef ? '/omit-if-no-ref/ ' : ''}${labels}${name} {`, node.origin);
  for (const property of node.properties) lines.add(printProperty(property, known, inner), property.origin);
  node.children.filter((child) => !known.implied.has(child)).forEach((child, index) => {
    if (index > 0 || node.properties.length > 0) lines.add('');
    printNode(child, known, { lines, indent: inner });
  });
  lines.add(`${indent}};`, node.origin);
}

function printProperty(property: DtProperty, known: Labels, indent: string): string {
  const labels = property.labels.map((label) => `${label}: `).join('');
  const parts = property.value.flatMap((part) => printChunk(part, known));
  const value = parts.length === 0 ? '' : ` = ${joinParts(parts, indent)}`;
  return `${indent}${labels}${property.name}${value};`;
}

const LINE_LENGTH_MAX = 100;

function joinParts(parts: readonly string[], indent: string): string {
  const line = parts.join(', ');
  return line.length <= LINE_LENGTH_MAX ? line : parts.join(`,\n${indent}\t`);
}

function printChunk(part: DtChunk, known: Labels): readonly string[] {
  if (part.bytes.length === 0 && part.type !== 'path' && part.labels.length === 0) return part.type === 'unknown' || part.type === 'bytes' ? ['[]'] : part.type === 'string' ? [] : ['<>'];
  switch (part.type) {
    case 'string': return withLabels(part, printStrings(part.bytes, TYPED_TEXT)) ?? [printBytes(part)];
    case 'bytes': return [printBytes(part)];
    case 'path': {
      const [mark] = part.references;
      return (mark === undefined ? undefined : wrap(known.path(mark, part.bytes))) ?? printStrings(part.bytes, TYPED_TEXT) ?? [printBytes(part)];
    }
    case 'unknown': return printStrings(part.bytes, GUESSED_TEXT) ?? [part.bytes.length % 4 === 0 ? printCells(part, 'u32', known) : printBytes(part)];
    case 'u8': case 'u16': case 'u32': case 'u64': return [printCells(part, part.type, known)];
  }
}

function wrap(text: string | undefined): readonly string[] | undefined {
  return text === undefined ? undefined : [text];
}

/** NUL-terminated text of printable characters, each string on its own; `undefined` if the bytes are something else. */
function printStrings(bytes: Uint8Array, form: RegExp): readonly string[] | undefined {
  const text = utf8Decode(bytes);
  if (!form.test(text)) return undefined;
  return text.slice(0, -1).split('\0').map((item) => `"${item.replace(/[\\"\n\t\r\v\f]/g, (character) => ESCAPES[character] ?? character)}"`);
}

/* eslint-disable no-control-regex -- strings end with NUL here */
/** What was written as text may be empty; bytes of unknown origin are taken for text only if all strings have some. */
const TYPED_TEXT = /^(?:[^\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]*\x00)+$/;
const GUESSED_TEXT = /^(?:[^\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]+\x00)+$/;
/* eslint-enable no-control-regex */

function withLabels(part: DtChunk, strings: readonly string[] | undefined): readonly string[] | undefined {
  return strings === undefined || part.labels.length === 0 ? strings : [`${labelsAt(part, 0)}${strings.join(', ')}${labelsAt(part, part.bytes.length).trimEnd()}`];
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t', '\r': '\\r', '\v': '\\v', '\f': '\\f' };

function labelsAt(part: DtChunk, offset: number): string {
  return part.labels.filter((mark) => mark.offset === offset).map(({ name }) => `${name}: `).join('');
}

function printBytes(part: DtChunk): string {
  const items = Array.from(part.bytes, (byte, offset) => `${labelsAt(part, offset)}${byte.toString(16).padStart(2, '0')}`);
  return `[${items.join(' ')}${labelsAt(part, part.bytes.length).trimEnd()}]`;
}

function printCells(part: DtChunk, type: 'u8' | 'u16' | 'u32' | 'u64', known: Labels): string {
  const { bytes } = part;
  const size = ELEMENT_SIZE[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const items: string[] = [];
  for (let offset = 0; offset + size <= bytes.length; offset += size) {
    const mark = part.references.find((reference) => reference.offset === offset);
    const value = size === 8 ? view.getBigUint64(offset) : size === 4 ? view.getUint32(offset) : size === 2 ? view.getUint16(offset) : view.getUint8(offset);
    const named = mark === undefined ? undefined : known.phandle(mark, Number(value));
    items.push(`${labelsAt(part, offset)}${named ?? `0x${value.toString(16)}`}`);
  }
  const end = labelsAt(part, bytes.length).trimEnd();
  return `${type === 'u32' ? '' : `/bits/ ${String(size * 8)} `}<${[...items, ...(end === '' ? [] : [end])].join(' ')}>`;
}
