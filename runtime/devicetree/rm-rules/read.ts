/**
 * How RM reads properties of a device tree: strictly by length, so that a value of the wrong form counts as absent, and with the cell counts
 * that the parent itself states, else two and one. That differs from how operating systems read trees, for which `lookup.ts` has look-ups.
 */

import { ByteReader, latin1 } from '../../base/byte-reader';
import type { DtNode } from '../tree';

/** Deepest level of nodes that RM walks, the root being 0. */
export const DEPTH_MAX = 15;
/** Longest path in bytes that RM can hold of a node. */
export const PATH_BYTES_MAX = 255;

/** Every node at and below `node`, parents first, in tree order, as deep as RM looks. */
export function* walk(node: DtNode, levels = DEPTH_MAX + 1): Generator<DtNode> {
  yield node;
  if (levels > 1) for (const child of node.children) yield* walk(child, levels - 1);
}

/** The node at a full path; a name without unit address finds one with. */
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

/** The first string of a property, whatever follows it; `undefined` if it is absent or nothing ends it. */
export function firstString(node: DtNode, name: string): string | undefined {
  const value = node.property(name)?.bytes;
  const end = value?.indexOf(0) ?? -1;
  return value === undefined || end < 0 ? undefined : latin1(value.subarray(0, end));
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

/** The one cell of a property; `undefined` if it has another length. */
export function oneCell(node: DtNode, name: string): number | undefined {
  const value = cells(node, name);
  return value?.length === 1 ? value[0] : undefined;
}

/** Cells as one big-endian number. */
export function joinCells(values: readonly number[]): bigint {
  return values.reduce((whole, cell) => (whole << 32n) | BigInt(cell), 0n);
}

/** How many cells addresses and sizes have. */
export interface CellCounts { readonly address: number; readonly size: number }

/** How many cells addresses and sizes of a node's children have: what the node states itself, else two and one; nothing is inherited. */
export function cellCounts(node: DtNode | undefined): CellCounts {
  if (node === undefined) return { address: 2, size: 1 };
  return { address: oneCell(node, '#address-cells') ?? 2, size: oneCell(node, '#size-cells') ?? 1 };
}

/** A number of exactly one or two cells; any other length counts as absent. */
export function number(node: DtNode, name: string, cellCount: number): bigint | undefined {
  const value = cellCount === 1 || cellCount === 2 ? cells(node, name) : undefined;
  return value?.length === cellCount ? joinCells(value) : undefined;
}
