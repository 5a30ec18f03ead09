/**
 * Property values: immutable runs of bytes that remember how they were written (cells, strings, bytes, references),
 * so that a tree can be printed, checked and renumbered. Numbers are big-endian (DTSpec 2.2.4).
 */

import { utf8Encode } from '../base/byte-reader';
import type { SourceOrigin } from './source';
import { concatBytes } from './text';

/** How a chunk was written. `unknown` comes from a blob; `path` is a reference outside `< >`, a path string once linked. */
export type DtChunkType = 'u8' | 'u16' | 'u32' | 'u64' | 'string' | 'bytes' | 'path' | 'unknown';

/** Something within a chunk: at a byte offset, with where it was written if known. */
export interface DtMark {
  /** In bytes from the chunk's start. */
  readonly offset: number;
  /** A label, a path, or a label with a path below it (`label/child`). */
  readonly name: string;
  readonly origin?: SourceOrigin;
}

/** A uniformly written part of a value. */
export interface DtChunk {
  readonly type: DtChunkType;
  /** Phandle cells that are not linked yet hold 0xffffffff; a `path` that is not linked yet is empty. */
  readonly bytes: Uint8Array;
  /** Phandle cells (type `u32`) or the one reference of a `path`. */
  readonly references: readonly DtMark[];
  /** Labels inside the value. */
  readonly labels: readonly DtMark[];
  readonly origin?: SourceOrigin;
}

/** A value: the concatenation of its chunks. */
export type DtValue = readonly DtChunk[];

/** A reference to a node by label or path, as a phandle cell. */
export interface DtReference {
  readonly reference: string;
}

const NONE: readonly DtMark[] = [];

/** Size in bytes of an element of an array type. */
export const ELEMENT_SIZE = { u8: 1, u16: 2, u32: 4, u64: 8 } as const;

/** A chunk of plain bytes. */
export function chunk(type: DtChunkType, bytes: Uint8Array): DtChunk {
  return { type, bytes, references: NONE, labels: NONE };
}

/** `<…>`: 32-bit cells; a reference becomes a phandle when the tree is linked. */
export function cells(...items: readonly (number | DtReference)[]): DtValue {
  const references: DtMark[] = [];
  const bytes = new Uint8Array(items.length * 4);
  const view = new DataView(bytes.buffer);
  items.forEach((item, index) => {
    if (typeof item !== 'number') references.push({ offset: index * 4, name: item.reference });
    view.setUint32(index * 4, typeof item === 'number' ? item >>> 0 : 0xffff_ffff);
  });
  return [{ type: 'u32', bytes, references, labels: NONE }];
}

/** 64-bit numbers, each as two cells, high word first. */
export function cells64(...items: readonly (bigint | number)[]): DtValue {
  return cells(...items.flatMap((item) => {
    const value = BigInt.asUintN(64, BigInt(item));
    return [Number(value >> 32n), Number(value & 0xffff_ffffn)];
  }));
}

/** NUL-terminated strings, one after the other. */
export function stringList(...items: readonly string[]): DtValue {
  return items.map((item) => chunk('string', concatBytes([utf8Encode(item), Uint8Array.of(0)])));
}

/** `[…]`: bytes as they are. */
export function byteString(bytes: Uint8Array): DtValue {
  return [chunk('bytes', bytes)];
}

/** A reference for `cells`: the phandle of the node with this label or path. */
export function ref(labelOrPath: string): DtReference {
  return { reference: labelOrPath };
}

/** `&label` outside `< >`: the path of the node as a string. */
export function pathOf(labelOrPath: string): DtValue {
  return [{ type: 'path', bytes: new Uint8Array(0), references: [{ offset: 0, name: labelOrPath }], labels: NONE }];
}

/** The bytes of a value. */
export function valueBytes(value: DtValue): Uint8Array {
  const first = value[0];
  return value.length === 1 && first !== undefined ? first.bytes : concatBytes(value.map((part) => part.bytes));
}

/** What `property` and `node` accept: a number is one cell, a bigint two, `true` no value, text one or more strings. */
export type DtValueInput = DtValue | string | readonly string[] | number | bigint | true | Uint8Array | DtReference;

/** Turns a short form into a value. */
export function toValue(input: DtValueInput): DtValue {
  if (input === true) return [];
  if (typeof input === 'number') return cells(input);
  if (typeof input === 'bigint') return cells64(input);
  if (typeof input === 'string') return stringList(input);
  if (input instanceof Uint8Array) return byteString(input);
  if ('reference' in input) return cells(input);
  return isStrings(input) ? stringList(...input) : input;
}

function isStrings(list: DtValue | readonly string[]): list is readonly string[] {
  return typeof list[0] === 'string';
}
