/**
 * A device tree as bindings see it: per node an object whose members are typed values and child nodes. Values are read from bytes
 * by `decode.ts`; what could not be read stays bytes and satisfies no type.
 */

import type { DtNode } from '../tree';

/** An integer that is not 32 bits wide; plain numbers are. The width matters to the keyword `typeSize`. */
export class SizedInteger {
  readonly value: bigint;
  readonly bits: 8 | 16 | 64;

  constructor(value: bigint, bits: 8 | 16 | 64) {
    this.value = value;
    this.bits = bits;
  }
}

/** An integer of any width. */
export type Integer = number | SizedInteger;

/** A decoded value: `true` for a property without value; numbers and strings; rows of a matrix; bytes that fit no type. */
export type Value = true | string | Integer | readonly Value[] | Uint8Array | NodeInstance;

/** A node with its decoded properties and children, in tree order. */
export class NodeInstance {
  readonly node: DtNode;
  readonly members = new Map<string, Value>();

  constructor(node: DtNode) {
    this.node = node;
  }

  /** The child nodes. */
  *children(): Generator<NodeInstance> {
    for (const member of this.members.values()) if (member instanceof NodeInstance) yield member;
  }

  /** The first cell of a property. */
  cell(name: string): number | undefined {
    const value = this.members.get(name);
    return firstCell(value);
  }

  /** True if `status` is `disabled`. */
  get disabled(): boolean {
    const status = this.members.get('status');
    return isValueList(status) && status.includes('disabled');
  }
}

/** True for a list of values. */
export function isValueList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

/** True for an integer of any width. */
export function isInteger(value: Value | undefined): value is Integer {
  return typeof value === 'number' || value instanceof SizedInteger;
}

/** The integer as a number; inexact beyond 53 bits. */
export function toNumber(value: Integer): number {
  return typeof value === 'number' ? value : Number(value.value);
}

function firstCell(value: Value | undefined): number | undefined {
  if (isInteger(value)) return toNumber(value);
  return isValueList(value) ? firstCell(value[0]) : undefined;
}

/** Cuts a list into rows of `stride`; the last one may be shorter. */
export function rows<T>(values: readonly T[], stride: number): readonly (readonly T[])[] {
  const cut: (readonly T[])[] = [];
  for (let at = 0; at < values.length; at += Math.max(1, stride)) cut.push(values.slice(at, at + Math.max(1, stride)));
  return cut;
}

/** The integers of a value that is one flat row. */
export function flatRow(value: Value | undefined): readonly Integer[] | undefined {
  const [row] = isValueList(value) ? value : [];
  if (!isValueList(value) || !isValueList(row)) return undefined;
  return row.every(isInteger) ? row : undefined;
}

/** The first row as plain numbers. */
export function flatNumbers(value: Value | undefined): readonly number[] | undefined {
  return flatRow(value)?.map(toNumber);
}
