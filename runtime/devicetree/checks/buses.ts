/** Which nodes are buses, and of what kinds, by what they and their children say. What such nodes must look like is said by the checks. */

import { addressCells, sizeCells } from '../lookup';
import type { DtNode } from '../tree';

/** What a bus asks of the nodes on it. */
export type BusKind = 'pci' | 'simple' | 'i2c' | 'spi' | 'graph-port' | 'graph-ports';

const BITS: Readonly<Record<BusKind, number>> = { pci: 1, simple: 2, i2c: 4, spi: 8, 'graph-port': 16, 'graph-ports': 32 };

/** Kinds as one number, for a node may look like several. */
export function bitOf(kind: BusKind): number {
  return BITS[kind];
}

/** All kinds that a node looks like. It depends on no more than the node and its children. */
export function kindsOf(node: DtNode): number {
  const others = (isPciBridge(node) ? BITS.pci : 0) | (node.isCompatible('simple-bus') ? BITS.simple : 0) | (isI2cBus(node) ? BITS.i2c : 0) | (isSpiBus(node) ? BITS.spi : 0);
  if (node.children.length === 0) return others;
  return others | (isGraphPort(node) ? BITS['graph-port'] : 0) | (node.children.some((child) => isNumberedPort(child, node)) ? BITS['graph-ports'] : 0);
}

/** Nodes with `device_type` "pci" are bridges. */
export function isPciBridge(node: DtNode): boolean {
  return node.property('device_type')?.strings?.[0] === 'pci';
}

/** Nodes named as I2C buses are buses, but for those that only hold one. */
export function isI2cBus(node: DtNode): boolean {
  if (node.hasBaseName('i2c')) return !node.children.some((child) => child.hasBaseName('i2c-bus'));
  return node.hasBaseName('i2c-bus') || node.hasBaseName('i2c-arb');
}

/** Nodes named spi, or whose children have spi- properties, are buses. */
export function isSpiBus(node: DtNode): boolean {
  if (node.hasBaseName('spi')) return true;
  if (node.children.length === 0 || addressCells(node) !== 1 || sizeCells(node) !== 0) return false;
  return node.children.some((child) => child.properties.some(({ name }) => name.startsWith('spi-')));
}

/** Ports of graphs hold endpoints. */
export function isGraphPort(node: DtNode): boolean {
  return node.children.some((child) => child.hasBaseName('endpoint') || child.has('remote-endpoint'));
}

/** True for a port whose parent holds nothing but ports. */
export function isNumberedPort(node: DtNode, parent: DtNode): boolean {
  return node.children.length > 0 && (parent.name === 'ports' || node.has('reg')) && isGraphPort(node);
}
