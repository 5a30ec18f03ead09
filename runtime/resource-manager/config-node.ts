/**
 * How RM reads properties of a device tree: strictly by length, so that a value of the wrong form counts as absent, and with cell counts
 * inherited from any ancestor. That differs from how operating systems read trees, for which `runtime/devicetree` has its own look-ups.
 */

import { ByteReader, latin1 } from '../base/byte-reader';
import type { DtNode } from '../devicetree';

/** Every node at and below `node`, parents first, in tree order, as deep as RM looks. */
export function* walk(node: DtNode, depthMax = 16): Generator<DtNode> {
  yield node;
  if (depthMax > 1) for (const child of node.children) yield* walk(child, depthMax - 1);
}

/** The node at a full path. */
export function nodeAt(root: DtNode, path: string): DtNode | undefined {
  let node: DtNode | undefined = root;
  for (const part of path.split('/').filter((name) => name !== '')) {
    node = node?.children.find((child) => child.name === part) ?? node?.children.find((child) => child.name.split('@')[0] === part);
    if (node === undefined) return undefined;
  }
  return node;
}

/** The node whose phandle this is. */
export function nodeByPhandle(root: DtNode, phandle: number): DtNode | undefined {
  for (const node of walk(root)) if (cells(node, 'phandle')?.[0] === phandle) return node;
  return undefined;
}

/** The strings of a property; `undefined` if it is absent or not a list of NUL-terminated strings. */
export function strings(node: DtNode, name: string): readonly string[] | undefined {
  const value = node.property(name)?.bytes;
  if (value === undefined || value.length === 0 || value[value.length - 1] !== 0) return undefined;
  return latin1(value.subarray(0, value.length - 1)).split('\0');
}

/** The big-endian 32-bit cells of a property; `undefined` if it is absent or not a multiple of 4 bytes. */
export function cells(node: DtNode, name: string): readonly number[] | undefined {
  const value = node.property(name)?.bytes;
  if (value === undefined || value.length % 4 !== 0) return undefined;
  const reader = new ByteReader(value, 'big');
  return Array.from({ length: value.length / 4 }, (_, i) => reader.u32(4 * i) ?? 0);
}

/** Cells as one big-endian number. */
export function joinCells(values: readonly number[]): bigint {
  return values.reduce((whole, cell) => (whole << 32n) | BigInt(cell), 0n);
}

/** Most cells of an address or a size; a larger count is no count. */
const CELLS_MAX = 4;

/** How many cells addresses and sizes of a node's children have: its own properties, else those of its nearest ancestor, else 2 and 1. */
export function cellCounts(node: DtNode | undefined): { readonly address: number; readonly size: number } {
  return { address: inheritedCells(node, '#address-cells') ?? 2, size: inheritedCells(node, '#size-cells') ?? 1 };
}

function inheritedCells(node: DtNode | undefined, name: string): number | undefined {
  for (let at = node; at !== undefined; at = at.parent) {
    const value = cells(at, name);
    const [count] = value ?? [];
    if (value?.length === 1 && count !== undefined && count <= CELLS_MAX) return count;
  }
  return undefined;
}
