/**
 * Inlay hints behind values: what the cells of `reg`, `ranges` and `interrupts` come to, addresses as the CPUs see them, and what the
 * capability ids of Gunyah's nodes are for. Only where the property is the one that counts in the merged tree.
 */

import { InlayHintKind, type InlayHint, type Range } from 'vscode-languageserver';
import { addressCells, interruptParent, regEntries, sizeCells } from '../../runtime/devicetree/lookup';
import { translateAddress } from '../../runtime/devicetree/memory-map';
import type { SyntaxNode } from '../../runtime/devicetree/syntax/tree';
import type { DtNode, DtProperty } from '../../runtime/devicetree/tree';
import type { Analysis } from '../analysis';
import type { SourceDocument } from '../documents';
import { offsetsOf } from '../positions';
import { mergedNode } from '../symbols';

/** Most entries of one property that are written out. */
const ENTRIES_SHOWN = 4;
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

type Decoder = (node: DtNode, property: DtProperty, root: DtNode) => readonly string[];

const DECODERS: Readonly<Record<string, Decoder>> = { 'reg': regWords, 'ranges': rangesWords, 'dma-ranges': rangesWords, 'interrupts': interruptWords };

/** The hints in a range of a document. */
export function inlayHints(source: SourceDocument, analysis: Analysis, range: Range): InlayHint[] {
  const { document, syntax } = source;
  const [from, to] = [document.offsetAt(range.start), document.offsetAt(range.end)];
  const hints: InlayHint[] = [];
  const visit = (node: SyntaxNode, above: readonly SyntaxNode[]): void => {
    const [first, last] = [syntax.tokens[node.from], syntax.tokens[node.to - 1]];
    if (first === undefined || last === undefined || first.start > to || last.end < from) return;
    if (node.kind === 'property') {
      const words = wordsOf(source, analysis, node, above);
      const end = node.semicolon === undefined ? last.end : (syntax.tokens[node.semicolon]?.end ?? last.end);
      if (words !== undefined && node.equals !== undefined) hints.push({ position: document.positionAt(end), label: words, paddingLeft: true, kind: InlayHintKind.Type });
    }
    for (const child of node.children) visit(child, [...above, node]);
  };
  for (const child of syntax.root.children) visit(child, [syntax.root]);
  return hints;
}

function wordsOf({ path, syntax }: SourceDocument, analysis: Analysis, property: SyntaxNode, above: readonly SyntaxNode[]): string | undefined {
  const name = property.name?.text ?? '';
  const decoder = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
  const merged = decoder === undefined ? undefined : mergedNode(analysis, path, above);
  const node = merged === undefined ? undefined : analysis.linked.root.at(merged.path);
  const value = node?.property(name);
  if (decoder === undefined || node === undefined || value?.origin === undefined || value.origin.file !== path) return undefined;
  // Another body may have replaced the value; then this text no longer counts.
  if (offsetsOf(syntax.text, value.origin).start !== property.name?.start) return undefined;
  const entries = decoder(node, value, analysis.linked.root);
  if (entries.length === 0) return undefined;
  return entries.slice(0, ENTRIES_SHOWN).join('; ') + (entries.length > ENTRIES_SHOWN ? `; ${String(entries.length - ENTRIES_SHOWN)} more` : '');
}

function regWords(node: DtNode): readonly string[] {
  const { parent } = node;
  if (parent === undefined) return [];
  const capabilities = capabilityWords(node);
  if (capabilities !== undefined) return capabilities;
  if (sizeCells(parent) === 0) return [];
  return regEntries(node).map(({ address, size }) => {
    const seen = size === 0n ? undefined : translateAddress(node, address);
    const range = `${hex(address)}${size === 0n ? '' : `–${hex(address + size - 1n)}`}, ${sizeText(size)}`;
    return seen === undefined || seen === address ? range : `${range}, CPUs see ${hex(seen)}`;
  });
}

/** What the capability ids in `reg` of a node that RM writes are for. */
function capabilityWords(node: DtNode): readonly string[] | undefined {
  const compatible = node.property('compatible')?.strings ?? [];
  const has = (word: RegExp): boolean => compatible.some((one) => word.test(one));
  const kinds: readonly (readonly [RegExp, readonly string[]])[] = [
    [/gunyah-resource-manager|qcom,resource-manager/, ['capability to send', 'capability to receive']],
    [/qcom,gunyah-doorbell-source/, ['capability to ring']],
    [/qcom,gunyah-doorbell/, ['capability to be rung']],
    [/qcom,gunyah-message-queue/, node.has('is-sender') ? ['capability to send'] : node.has('is-receiver') ? ['capability to receive'] : ['capability to send', 'capability to receive']],
  ];
  const words = kinds.find(([pattern]) => has(pattern))?.[1];
  const reg = node.property('reg');
  if (words === undefined || reg === undefined) return undefined;
  return words.flatMap((word, index) => {
    const id = reg.u64At(index * 2);
    return id === undefined ? [] : [`${word} ${hex(id)}`];
  });
}

function rangesWords(node: DtNode, property: DtProperty): readonly string[] {
  if (node.parent === undefined) return [];
  const [own, outer, sizes] = [addressCells(node), addressCells(node.parent), sizeCells(node)];
  const step = own + outer + sizes;
  const found: string[] = [];
  for (let at = 0; step > 0 && (at + step) * 4 <= property.bytes.length; at += step) {
    const [child, parent, size] = [property.numberAt(at, own) ?? 0n, property.numberAt(at + own, outer) ?? 0n, property.numberAt(at + own + outer, sizes) ?? 0n];
    found.push(`${hex(child)} is ${hex(parent)} outside, ${sizeText(size)}`);
  }
  return found;
}

/** First INTID of each class of a GICv3 specifier (SPI, PPI, extended SPI, extended PPI). */
const GIC_CLASSES: readonly (readonly [string, number])[] = [['SPI', 32], ['PPI', 16], ['ESPI', 4096], ['EPPI', 1056]];
const TRIGGERS: Readonly<Record<number, string>> = { 1: 'rising edge', 2: 'falling edge', 4: 'level high', 8: 'level low' };

function interruptWords(node: DtNode, property: DtProperty, root: DtNode): readonly string[] {
  const controller = interruptParent(root, node);
  const cells = controller?.u32('#interrupt-cells');
  if (controller === undefined || cells === undefined || cells < 3) return [];
  const isGic = (controller.property('compatible')?.strings ?? []).some((one) => /gic/.test(one));
  const words = property.u32s;
  return !isGic ? [] : Array.from({ length: Math.floor(words.length / cells) }, (_, index) => {
    const [kind = 0, number = 0, flags = 0] = words.slice(index * cells);
    const [name, first] = GIC_CLASSES[kind] ?? ['?', 0];
    return `${name} ${String(number)} = INTID ${String(first + number)}, ${TRIGGERS[flags & 0xf] ?? `flags ${String(flags)}`}`;
  });
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

function sizeText(size: bigint): string {
  let unit = 0;
  let value = size;
  while (unit < UNITS.length - 1 && value >= 1024n && value % 1024n === 0n) {
    value /= 1024n;
    unit++;
  }
  return `${String(value)} ${UNITS[unit] ?? ''}`;
}
