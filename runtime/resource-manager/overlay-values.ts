/** Small things that all writers of RM's overlay use: properties, interrupt specifiers, numbers as cells. */

import type { DtNode, DtValueInput } from '../devicetree';

const SPI_FIRST = 32;
const PPI_FIRST = 16;
const EDGE_RISING = 1;

/** Sets properties of a node. */
export function put(node: DtNode, properties: Readonly<Record<string, DtValueInput>>): DtNode {
  for (const [name, value] of Object.entries(properties)) node.set(name, value);
  return node;
}

/** Interrupt specifier of an INTID that RM allocated. */
export function spi(intid: number): number[] {
  return intid >= SPI_FIRST ? [0, intid - SPI_FIRST, EDGE_RISING] : [1, intid - PPI_FIRST, EDGE_RISING];
}

/** A number as big-endian cells. */
export function split(value: bigint, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Number((value >> BigInt(32 * (count - 1 - i))) & 0xffff_ffffn));
}
