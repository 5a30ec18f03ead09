/** Values of properties in words: what the cells of `reg`, `ranges` and `interrupts` come to, what capability ids are for, and which nodes a list refers to. */

import { addressCells, interruptParent, nodeByPhandle, regEntries, sizeCells } from '../../runtime/devicetree/lookup';
import { translateAddress } from '../../runtime/devicetree/memory-map';
import type { DtNode, DtProperty } from '../../runtime/devicetree/tree';

type Decoder = (node: DtNode, property: DtProperty, root: DtNode) => readonly string[];

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

const DECODERS: Readonly<Record<string, Decoder>> = { 'reg': regWords, 'ranges': rangesWords, 'dma-ranges': rangesWords, 'interrupts': interruptWords };

/** Properties that a bus or an interrupt controller gives a form. */
export const DECODED: ReadonlySet<string> = new Set(Object.keys(DECODERS));

/** What the bus or interrupt controller makes of a value, entry by entry; nothing for other properties. `node` and `root` are of a linked tree. */
export function decodedEntries(node: DtNode, property: DtProperty, root: DtNode): readonly string[] {
  const decoder = Object.hasOwn(DECODERS, property.name) ? DECODERS[property.name] : undefined;
  const names = namesOfEntries(node, property.name);
  return (decoder?.(node, property, root) ?? []).map((words, index) => (names[index] === undefined ? words : `${names[index]}: ${words}`));
}

/** The names that a node gives the entries of one of its lists: `reg-names`, `clock-names`, `interrupt-names`. */
export function namesOfEntries(node: DtNode, list: string): readonly string[] {
  return node.property(`${list.replace(/s$/, '').replace(/^interrupts-extended$/, 'interrupt')}-names`)?.strings ?? [];
}

/** The same, and for other properties the nodes that they refer to, or what a number is in the other notation. */
export function decodedValue(node: DtNode, property: DtProperty, root: DtNode): readonly string[] {
  const entries = decodedEntries(node, property, root);
  if (entries.length > 0) return entries;
  const references = referenceWords(property, root);
  if (references.length > 0) return references;
  return property.value.every(({ type }) => type === 'u32' || type === 'u64' || type === 'unknown') ? numberWords(property) : [];
}

/** Each reference with the arguments behind it. */
function referenceWords({ value, u32s }: DtProperty, root: DtNode): readonly string[] {
  const starts: number[] = [];
  let base = 0;
  for (const { references, bytes, type } of value) {
    if (type === 'u32') starts.push(...references.map(({ offset }) => (base + offset) / 4));
    base += bytes.length;
  }
  return starts.map((start, index) => {
    const target = nodeByPhandle(root, u32s[start] ?? 0);
    const rest = u32s.slice(start + 1, starts[index + 1] ?? u32s.length);
    return `${target?.path ?? 'a node that is not here'}${rest.length === 0 ? '' : ` with ${rest.map((cell) => String(cell)).join(', ')}`}`;
  });
}

/** One cell, or two as one number. */
function numberWords(property: DtProperty): readonly string[] {
  const { length } = property.bytes;
  const number = length === 4 || length === 8 ? property.numberAt(0, length / 4) : undefined;
  if (number === undefined) return [];
  const negative = BigInt.asIntN(length * 8, number);
  return [`${hex(number)} = ${String(number)}${negative < 0n ? ` = ${String(negative)}` : ''}${number >= 1024n && number % 1024n === 0n ? `, as a size ${sizeText(number)}` : ''}`];
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
  return unit === 0 && size >= 0x10000n ? `${hex(size)} B` : `${String(value)} ${UNITS[unit] ?? ''}`;
}
