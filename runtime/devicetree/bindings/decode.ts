/**
 * Reads property values with the types of `property-types.ts`, and cuts lists of cells where the whole tree says so: by the cells of
 * providers, parents and interrupt controllers. The rules are those of dt-schema 2025.08, but where references stand is known
 * from the source (or from `__fixups__`), not guessed.
 */

import { equalBytes } from '../text';
import type { DtNode, DtProperty } from '../tree';
import { answersOf, CutNames, Cutter, UNRESOLVED } from './decode-cells';
import { AROUND_ROOT, firstCellOf, flatNumbers, NodeInstance, rows, SizedInteger, type Integer, type Surroundings, type Told, type Value, type ValueReader } from './instance';
import type { Dimensions } from './property-mentions';
import { dimensionsOf, typesOf, type PropertyTypes } from './property-types';

/** A linked tree as an instance. Metadata nodes (`__symbols__`, …) are left out. */
export function decodeTree(root: DtNode, types: PropertyTypes): NodeInstance {
  return new TreeDecoder(types).decode(root);
}

/** What is known of a property by its name. */
interface Name {
  readonly types: ReadonlySet<string>;
  /** The only type that a value can have, if there is one. */
  readonly only: string | undefined;
  readonly dimensions: Dimensions | undefined;
}

/**
 * Decodes trees one after the other. Nodes that are the same as in the tree before, with all that the values read so far depended on, stay the
 * same instances. Only the tree decoded last can be read.
 */
export class TreeDecoder implements ValueReader {
  private readonly types: PropertyTypes;
  private readonly names = new Map<string, Name>();
  private readonly cuts: CutNames;
  private cutter: Cutter | undefined;
  /** True if whatever one node asks of another has the answer that it had in the tree before. */
  private areAnswersSame = false;
  private before: NodeInstance | undefined;

  constructor(types: PropertyTypes) {
    this.types = types;
    this.cuts = new CutNames(types);
  }

  /** A linked tree as an instance. */
  decode(root: DtNode): NodeInstance {
    const instance = this.node(root, this.before);
    const cutter = new Cutter(instance, root, this.cuts);
    this.areAnswersSame = cutter.answersAs(this.cutter);
    this.cutter = cutter;
    this.settle(instance, AROUND_ROOT, cutter);
    this.before = instance;
    return instance;
  }

  read(instance: NodeInstance, property: DtProperty): Value {
    const value = this.value(property, instance.node.name === 'aliases');
    return this.cutter === undefined || !this.cuts.mayBeCut(property.name) ? value : this.cutter.cut(instance, property.name, value);
  }

  firstCell(instance: NodeInstance, property: DtProperty): number | undefined {
    // Cutting a list changes what its first cell is in no case.
    return firstCellOf(this.cuts.mayBeCut(property.name) ? this.value(property, instance.node.name === 'aliases') : instance.members.get(property.name));
  }

  /** The instance of a node: that of the node that was in its place, if both say the same with all that is below. */
  private node(node: DtNode, before: NodeInstance | undefined): NodeInstance {
    if (before?.node === node) {
      before.isKept = true;
      return before;
    }
    const children: NodeInstance[] = [];
    let areSame = before?.node.children.length === node.children.length;
    for (let index = 0, child = node.children[0]; child !== undefined; child = node.children[++index]) {
      areSame &&= before?.node.children[index]?.name === child.name;
      if (isMetadata(child)) continue;
      const there = before?.children[children.length];
      const known = there?.node.name === child.name ? there : before?.children.find((other) => other.node.name === child.name);
      const made = this.node(child, known);
      children.push(made);
      areSame &&= made === known;
    }
    if (areSame && before !== undefined && before.children.length === children.length && haveSameProperties(node, before.node)) {
      before.node = node;
      before.isAsBefore = true;
      before.isKept = false;
      return before;
    }
    const made = new NodeInstance(node, this);
    this.fill(made, children);
    this.tell(made);
    return made;
  }

  /** Tells nodes what surrounds them; where that, or another node, has another answer than when values were read, they are read again. */
  private settle(instance: NodeInstance, surroundings: Surroundings, cutter: Cutter): boolean {
    if (instance.isKept) {
      instance.isAsBefore = true;
      instance.isWhole = this.areAnswersSame && areSameAround(instance.surroundings, surroundings);
      if (instance.isWhole) return true;
      for (const child of instance.children) child.isKept = true;
    }
    instance.isWhole = false;
    instance.surroundings = surroundings;
    let isSame = instance.isAsBefore;
    if (isSame && !instance.asked.every(({ phandle, what, answer }) => cutter.answer(instance, phandle, what) === answer)) {
      isSame = false;
      instance.asked.length = 0;
      this.fill(instance, instance.children);
    }
    const inside = cutter.inside(instance);
    instance.children.forEach((child) => {
      const isChildSame = this.settle(child, inside, cutter);
      isSame &&= isChildSame;
    });
    instance.isAsBefore = isSame;
    return isSame;
  }

  /** Notes what others ask of a node and those below it. */
  private tell(instance: NodeInstance): void {
    const own = answersOf(instance);
    let below: Told[] | undefined;
    for (let index = 0, child = instance.children[0]; child !== undefined; child = instance.children[++index]) {
      if (child.told === undefined) continue;
      if (below === undefined) below = [child.told];
      else below.push(child.told);
    }
    instance.told = own === undefined && (below === undefined || below.length === 1) ? below?.[0] : { own, below: below ?? NOBODY };
  }

  private value(property: DtProperty, isAlias: boolean): Value {
    const { bytes, name } = property;
    if (bytes.length === 0) return true;
    if (isAlias) return stringsOf(bytes.subarray(0, -1));
    const known = this.named(name);
    const format = known.only ?? chooseFormat(name, { possible: possibleTypes(known.types, bytes.length), bytes, dimensions: known.dimensions });
    if (typeof format !== 'string') return format;
    if (format.startsWith('string')) return bytes[bytes.length - 1] === 0 ? stringsOf(bytes.subarray(0, -1)) : bytes;
    if (format === 'flag') return bytes;
    return shape(integersOf(format, bytes), { format, dimensions: known.dimensions }) ?? bytes;
  }

  private named(name: string): Name {
    let known = this.names.get(name);
    if (known === undefined) {
      const types = typesOf(this.types, name);
      const [first, second] = [...types].filter((type) => type !== 'node');
      this.names.set(name, known = { types, only: second === undefined ? first : undefined, dimensions: dimensionsOf(this.types, name) });
    }
    return known;
  }

  /** Gives an instance its members, none of them read. */
  private fill(instance: NodeInstance, children: readonly NodeInstance[]): void {
    const { members, node } = instance;
    if (members.size > 0) members.clear();
    node.properties.forEach((property) => { members.set(property.name, property); });
    children.forEach((child) => {
      child.parent = instance;
      members.set(child.node.name, child);
    });
    // Of two with one name, which only damaged blobs have, the last counts.
    instance.children = children.every((child) => members.get(child.node.name) === child) ? children : children.filter((child) => members.get(child.node.name) === child);
    const parent = members.has('interrupt-parent') ? node.property('interrupt-parent') : undefined;
    // In an overlay, what is not known takes the place of nothing.
    if (parent !== undefined && flatNumbers(this.value(parent, false))?.[0] === UNRESOLVED) members.delete('interrupt-parent');
  }
}

function isMetadata({ name }: DtNode): boolean {
  return name.startsWith('__');
}

const NOBODY: readonly Told[] = [];

function areSameAround(a: Surroundings, b: Surroundings): boolean {
  return a === b || (a.address === b.address && a.size === b.size && a.interrupt === b.interrupt && a.isHog === b.isHog);
}

function haveSameProperties(a: DtNode, b: DtNode): boolean {
  return a.name === b.name && a.properties.length === b.properties.length && a.properties.every((property, index) => isSameProperty(property, b.properties[index]));
}

/** True if two properties say the same, wherever they are written. */
function isSameProperty(a: DtProperty, b: DtProperty | undefined): boolean {
  if (a === b) return true;
  if (a.name !== b?.name || a.value.length !== b.value.length || !equalBytes(a.bytes, b.bytes)) return false;
  return a.value.every((part, index) => part.type === b.value[index]?.type && part.references.length === b.value[index].references.length);
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
  let width = WIDTHS.get(type);
  if (width === undefined) WIDTHS.set(type, width = type.startsWith('phandle') || type.startsWith('address') ? 4 : Number(/\d+/.exec(type)?.[0] ?? 32) / 8);
  return width;
}

const WIDTHS = new Map<string, number>();

function latin(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length; index++) text += String.fromCharCode(bytes[index] ?? 0);
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
  const values: Integer[] = [];
  if (width === 4) {
    // Most are cells, and one; a view would cost more than reading them.
    if (bytes.length === 4) return [cellAt(bytes, 0, signed)];
    for (let at = 0; at < bytes.length; at += 4) values.push(cellAt(bytes, at, signed));
    return values;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += width) {
    if (width === 8) values.push(new SizedInteger(signed ? view.getBigInt64(at) : view.getBigUint64(at), 64));
    else if (width === 2) values.push(new SizedInteger(BigInt(signed ? view.getInt16(at) : view.getUint16(at)), 16));
    else values.push(new SizedInteger(BigInt(signed ? view.getInt8(at) : view.getUint8(at)), 8));
  }
  return values;
}

function cellAt(bytes: Uint8Array, at: number, signed: boolean): number {
  const cell = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  return signed ? cell : cell >>> 0;
}

function shape(read: ReturnType<typeof integersOf>, { format, dimensions }: { readonly format: string; readonly dimensions: Dimensions | undefined }): Value | undefined {
  if (read === undefined) return undefined;
  const { values } = read;
  if (format.includes('matrix') || format.startsWith('phandle') || format === 'address') {
    return dimensions === undefined ? [values] : rows(values, strideOf(values.length, dimensions));
  }
  const only = values[0];
  return !format.includes('array') && values.length === 1 && only !== undefined ? only : values;
}

/** The width of a row that the dimensions allow for a list of this length. */
function strideOf(length: number, [outer, inner]: Dimensions): number {
  // More rows than numbers cannot be.
  for (let row = outer[0]; row <= Math.min(outer[1], Math.max(outer[0], length)); row++) {
    for (let column = inner[0]; column <= Math.min(inner[1], length); column++) if (row * column === length) return column;
  }
  if (inner[0] > 0 && inner[0] === inner[1]) return inner[0];
  if (outer[0] > 0 && outer[0] === outer[1]) return Math.trunc(length / outer[0]);
  return length;
}
