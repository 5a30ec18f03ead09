/**
 * A device tree as bindings see it: per node an object whose members are typed values and child nodes. Values are read from bytes
 * by `decode.ts`; what could not be read stays bytes and satisfies no type.
 */

import { DtProperty, type DtNode } from '../tree';

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

/** Reads the values of nodes, as types and the rest of the tree say. */
export interface ValueReader {
  /** The value of a property of a node. */
  read(instance: NodeInstance, property: DtProperty): Value;
  /** The first cell of a property, which does not depend on the rest of the tree. */
  firstCell(instance: NodeInstance, property: DtProperty): number | undefined;
}

/**
 * The members of a node by name, in tree order: its properties, and its children but for metadata. A property is read when it is first asked
 * for, since most are asked for by name alone or not at all.
 */
export class Members {
  private readonly instance: NodeInstance;
  private readonly reader: ValueReader;
  private readonly known = new Map<string, Value | DtProperty>();

  constructor(instance: NodeInstance, reader: ValueReader) {
    this.instance = instance;
    this.reader = reader;
  }

  get size(): number {
    return this.known.size;
  }

  has(name: string): boolean {
    return this.known.has(name);
  }

  keys(): Iterable<string> {
    return this.known.keys();
  }

  /** True if every name passes. */
  every(passes: (name: string) => boolean): boolean {
    let isSo = true;
    this.known.forEach((_, name) => { isSo &&= passes(name); });
    return isSo;
  }

  get(name: string): Value | undefined {
    const found = this.known.get(name);
    if (!(found instanceof DtProperty)) return found;
    const value = this.reader.read(this.instance, found);
    this.known.set(name, value);
    return value;
  }

  set(name: string, value: Value | DtProperty): void {
    this.known.set(name, value);
  }

  delete(name: string): void {
    this.known.delete(name);
  }

  clear(): void {
    this.known.clear();
  }

  /** The first cell of a property. */
  cell(name: string): number | undefined {
    const found = this.known.get(name);
    return found instanceof DtProperty ? this.reader.firstCell(this.instance, found) : firstCellOf(found);
  }
}

/** A question about another node, or about what surrounds the node, that the reading of a value depended on. */
export interface Asked {
  /** Of the node that was asked about; `AROUND` for the surroundings. */
  readonly phandle: number;
  readonly what: string;
  readonly answer: number | undefined;
}

/** In place of a phandle: the question is about what surrounds the node. */
export const AROUND = -1;

/** What the nodes above say about reading a node. */
export interface Surroundings {
  /** Cells of addresses and sizes in `reg`. */
  readonly address: number;
  readonly size: number;
  /** Cells of an interrupt. */
  readonly interrupt: number;
  /** True in a node that takes a GPIO for itself, and below. */
  readonly isHog: boolean;
}

/** What surrounds a root. */
export const AROUND_ROOT: Surroundings = { address: 2, size: 1, interrupt: 1, isHog: false };

/** What others ask of a node with a phandle. */
export interface Answers {
  readonly instance: NodeInstance;
  readonly phandle: number;
  /** The properties that count cells; absent if they do not say all. */
  readonly counts: readonly DtProperty[] | undefined;
}

/** The same of a node and all below it, in tree order. */
export interface Told {
  readonly own: Answers | undefined;
  readonly below: readonly Told[];
}

/** A node with its decoded properties and children, in tree order. */
export class NodeInstance {
  node: DtNode;
  readonly members: Members;
  parent: NodeInstance | undefined;
  /** The child nodes, one of each name. */
  children: readonly NodeInstance[] = [];
  surroundings: Surroundings = AROUND_ROOT;
  /** What the values that have been read depend on besides the node. */
  readonly asked: Asked[] = [];
  /** True if this node and all below are as they were in the tree that was read before, and are read alike. */
  isAsBefore = false;
  /** True if the node is the same object as before, so that all below it are, too; they have not been told. */
  isKept = false;
  /** True if nothing that is asked when nodes are read has another answer, so that all below are as this node is; they have not been told. */
  isWhole = false;
  /** What of this node and those below it other nodes ask about. */
  told: Told | undefined;

  constructor(node: DtNode, reader: ValueReader) {
    this.node = node;
    this.members = new Members(this, reader);
  }

  /** The first cell of a property. */
  cell(name: string): number | undefined {
    return this.members.cell(name);
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

/** The first cell of a value. */
export function firstCellOf(value: Value | undefined): number | undefined {
  if (isInteger(value)) return toNumber(value);
  return isValueList(value) ? firstCellOf(value[0]) : undefined;
}

/** Cuts a list into rows of `stride`; the last one may be shorter. */
export function rows<T>(values: readonly T[], stride: number): readonly (readonly T[])[] {
  if (values.length > 0 && values.length <= stride) return [values];
  const cut: (readonly T[])[] = [];
  for (let at = 0; at < values.length; at += Math.max(1, stride)) cut.push(values.slice(at, at + Math.max(1, stride)));
  return cut;
}

/** The integers of a value that is one flat row. */
export function flatRow(value: Value | undefined): readonly Integer[] | undefined {
  const row = isValueList(value) ? value[0] : undefined;
  if (!isValueList(row)) return undefined;
  return row.every(isInteger) ? row : undefined;
}

/** The first row as plain numbers. */
export function flatNumbers(value: Value | undefined): readonly number[] | undefined {
  return flatRow(value)?.map(toNumber);
}
