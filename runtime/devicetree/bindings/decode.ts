/**
 * Reads property values with the types of `property-types.ts`, and cuts lists of cells where the whole tree says so: by the cells of
 * providers, parents and interrupt controllers. The rules are those of dt-schema 2025.08, but where references stand is known
 * from the source (or from `__fixups__`), not guessed.
 */

import type { DtNode, DtProperty } from '../tree';
import { NodeInstance, rows, SizedInteger, type Integer, type Value } from './instance';
import { dimensionsOf, typesOf, type Dimensions, type PropertyTypes } from './property-types';
import { cutByTree } from './decode-cells';

/** Most rows a list is cut into. */
const SIZE_LIMIT = 1 << 20;

/** A linked tree as an instance. Metadata nodes (`__symbols__`, …) are left out. */
export function decodeTree(root: DtNode, types: PropertyTypes): NodeInstance {
  return new TreeDecoder(types).decode(root, () => undefined);
}

/** Decodes trees one after the other; what it knows of the types of names stays. */
export class TreeDecoder {
  private readonly types: PropertyTypes;
  private readonly reader: Reader;

  constructor(types: PropertyTypes) {
    this.types = types;
    this.reader = new Reader(types);
  }

  /** A linked tree as an instance. Nodes that `known` gives are taken as they are: with all that they depend on they must be the same as before. */
  decode(root: DtNode, known: (node: DtNode) => NodeInstance | undefined): NodeInstance {
    const done = new Set<NodeInstance>();
    const instance = this.reader.node(root, (node) => {
      const before = known(node);
      if (before !== undefined) done.add(before);
      return before;
    });
    cutByTree(instance, root, { types: this.types, done });
    return instance;
  }
}

class Reader {
  private readonly types: PropertyTypes;
  private readonly byName = new Map<string, { readonly types: ReadonlySet<string>; readonly dimensions: Dimensions | undefined }>();

  constructor(types: PropertyTypes) {
    this.types = types;
  }

  node(node: DtNode, known: (node: DtNode) => NodeInstance | undefined): NodeInstance {
    const before = known(node);
    if (before !== undefined) return before;
    const instance = new NodeInstance(node);
    for (const property of node.properties) instance.members.set(property.name, this.value(property, node.name === 'aliases'));
    for (const child of node.children) if (!child.name.startsWith('__')) instance.members.set(child.name, this.node(child, known));
    return instance;
  }

  private value(property: DtProperty, isAlias: boolean): Value {
    const { bytes, name } = property;
    if (bytes.length === 0) return true;
    if (isAlias) return stringsOf(bytes.subarray(0, -1));
    const known = this.typesFor(name);
    const possible = possibleTypes(known.types, bytes.length);
    const format = chooseFormat(name, { possible, bytes, dimensions: known.dimensions });
    if (typeof format !== 'string') return format;
    if (format.startsWith('string')) return bytes.at(-1) === 0 ? stringsOf(bytes.subarray(0, -1)) : bytes;
    if (format === 'flag') return bytes;
    return shape(integersOf(format, bytes), { format, dimensions: known.dimensions }) ?? bytes;
  }

  private typesFor(name: string): { readonly types: ReadonlySet<string>; readonly dimensions: Dimensions | undefined } {
    let known = this.byName.get(name);
    if (known === undefined) this.byName.set(name, known = { types: typesOf(this.types, name), dimensions: dimensionsOf(this.types, name) });
    return known;
  }
}

/** Without those that cannot have this length. Of several that remain, signed goes before unsigned. */
function possibleTypes(all: ReadonlySet<string>, length: number): Set<string> {
  const types = new Set(all);
  types.delete('node');
  if (types.size <= 1) return types;
  const drop = (...names: readonly string[]): void => { for (const name of names) types.delete(name); };
  if (length % 8 !== 0) drop('int64', 'uint64', 'int64-array', 'uint64-array');
  if (length % 4 !== 0) drop('int32', 'uint32', 'int32-array', 'uint32-array', 'phandle', 'phandle-array');
  if (length % 2 !== 0) drop('int16', 'uint16', 'int16-array', 'uint16-array');
  if (length > 4) drop('int32', 'uint32', 'phandle');
  else drop('int64', 'uint64', 'int64-array', 'uint64-array');
  if (length > 2) drop('int16', 'uint16');
  else drop('int32', 'uint32', 'int32-array', 'uint32-array', 'phandle', 'phandle-array');
  if (length > 1) drop('int8', 'uint8');
  else drop('int16', 'uint16', 'int16-array', 'uint16-array');
  drop('flag');
  if (types.has('phandle-array')) drop('phandle');
  for (const bits of [64, 32, 16, 8]) if (types.has(`int${String(bits)}`)) drop(`uint${String(bits)}`);
  return types;
}

/** The type to read with, or the value itself where that is clear already. */
function chooseFormat(name: string, { possible, bytes, dimensions }: { readonly possible: ReadonlySet<string>; readonly bytes: Uint8Array; readonly dimensions: Dimensions | undefined }): string | readonly string[] | Uint8Array {
  const [only] = possible;
  if (possible.size === 1 && only !== undefined) return only;
  if (possible.size > 1) {
    if (possible.has('string') || possible.has('string-array')) {
      const strings = printableStrings(bytes);
      if (strings !== undefined) return strings;
      return [...possible].find((type) => !type.startsWith('string')) ?? bytes;
    }
    const matrix = [...possible].find((type) => type.includes('matrix'));
    const scalars = [...possible].filter((type) => !type.includes('matrix'));
    const [scalar] = scalars;
    if (matrix !== undefined && scalar !== undefined && scalars.length === 1) {
      const least = dimensions === undefined ? 1 : dimensions[0][0] * dimensions[1][0];
      return bytes.length / widthOf(scalar) >= least ? matrix : scalar;
    }
    // Two names by hand: both are what the name says, although a pattern of another binding claims them too.
    if (matrix === undefined && (name === 'dma-masters' || name === 'mode-gpios')) return 'phandle-array';
  }
  const text = bytes.at(-1) === 0 ? [latin(bytes.subarray(0, -1))] : undefined;
  if (text?.[0] !== undefined && isPrintable(text[0])) return text;
  return bytes.length % 4 === 0 ? 'uint32-array' : bytes;
}

function widthOf(type: string): number {
  if (type.startsWith('phandle') || type.startsWith('address')) return 4;
  return Number(/\d+/.exec(type)?.[0] ?? 32) / 8;
}

function latin(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function isPrintable(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

function stringsOf(bytes: Uint8Array): readonly string[] {
  return latin(bytes).split('\0');
}

function printableStrings(bytes: Uint8Array): readonly string[] | undefined {
  if (bytes.at(-1) !== 0) return undefined;
  const strings = stringsOf(bytes.subarray(0, -1));
  return strings.every((text) => text !== '' && isPrintable(text)) ? strings : undefined;
}

/** All integers of the value; with a width that fits the length if the type's own does not. */
function integersOf(type: string, bytes: Uint8Array): { readonly values: readonly Integer[]; readonly fits: boolean } | undefined {
  const width = widthOf(type);
  if (bytes.length % width === 0) return { values: readIntegers(bytes, width, type.startsWith('int')), fits: true };
  return [1, 2, 4].includes(bytes.length) ? { values: readIntegers(bytes, bytes.length, false), fits: false } : undefined;
}

function readIntegers(bytes: Uint8Array, width: number, signed: boolean): readonly Integer[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values: Integer[] = [];
  for (let at = 0; at < bytes.length; at += width) {
    if (width === 4) values.push(signed ? view.getInt32(at) : view.getUint32(at));
    else if (width === 8) values.push(new SizedInteger(signed ? view.getBigInt64(at) : view.getBigUint64(at), 64));
    else if (width === 2) values.push(new SizedInteger(BigInt(signed ? view.getInt16(at) : view.getUint16(at)), 16));
    else values.push(new SizedInteger(BigInt(signed ? view.getInt8(at) : view.getUint8(at)), 8));
  }
  return values;
}

function shape(read: ReturnType<typeof integersOf>, { format, dimensions }: { readonly format: string; readonly dimensions: Dimensions | undefined }): Value | undefined {
  if (read === undefined) return undefined;
  const { values } = read;
  if (format.includes('matrix') || format.startsWith('phandle') || format === 'address') {
    return dimensions === undefined ? [values] : rows(values, strideOf(values.length, dimensions));
  }
  const [only] = values;
  return !format.includes('array') && values.length === 1 && only !== undefined ? only : values;
}

/** The width of a row that the dimensions allow for a list of this length. */
function strideOf(length: number, [outer, inner]: Dimensions): number {
  for (let row = outer[0]; row <= Math.min(outer[1], SIZE_LIMIT); row++) {
    for (let column = inner[0]; column <= Math.min(inner[1], length); column++) if (row * column === length) return column;
  }
  if (inner[0] > 0 && inner[0] === inner[1]) return inner[0];
  if (outer[0] > 0 && outer[0] === outer[1]) return Math.trunc(length / outer[0]);
  return length;
}
