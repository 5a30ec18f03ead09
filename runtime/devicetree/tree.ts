/**
 * The device tree: ordered nodes and properties, with labels and origins where they are known. Trees come from source
 * (`parseDts`), from blobs (`decodeDtb`) or from code (`node`), and all readers see the same thing.
 * A tree has one owner that changes it; readers take what they are given. Source: DTSpec chapter 2.
 */

import type { SourceOrigin } from './source';
import { equalBytes, utf8Decode } from './text';
import { toValue, valueBytes, type DtMark, type DtValue, type DtValueInput } from './value';

/** Deepest nesting of nodes that parsers and decoders build. */
export const NODE_DEPTH_MAX = 128;

/** Shorter lists are searched faster than indexed. */
const INDEX_FROM = 12;

// Loops over lists that every tree goes through count: until V8 has optimised a `for…of`, it makes an object for each element.

/** A property: a name and a value that is replaced as a whole. What it says never changes; where it is written may. */
export class DtProperty {
  readonly name: string;
  labels: readonly string[];
  private parts: DtValue;
  private place: SourceOrigin | undefined;
  private joined: Uint8Array | undefined;
  private linked: DtProperty | undefined;
  private kinds: number | undefined;

  constructor(name: string, value: DtValue, extra: { readonly labels?: readonly string[]; readonly origin?: SourceOrigin | undefined } = {}) {
    this.name = name;
    this.parts = value;
    this.labels = extra.labels ?? NO_LABELS;
    this.place = extra.origin;
  }

  get value(): DtValue {
    return this.parts;
  }

  get origin(): SourceOrigin | undefined {
    return this.place;
  }

  /** Takes the places of the same value as it is written now; false, and nothing changed, if it is not the same. What it became when linked follows. */
  moveTo(value: DtValue, labels: readonly { readonly name: string }[], origin: SourceOrigin): boolean {
    if (this.parts === value && this.place === origin && isNamed(this.labels, labels)) return true;
    if (!isNamed(this.labels, labels) || !isSameValue(this.parts, value)) return false;
    this.relocate(value, origin);
    return true;
  }

  private relocate(value: DtValue, origin: SourceOrigin): void {
    const { linked } = this;
    linked?.relocate(value.map((part, index) => ({ ...part, bytes: linked.parts[index]?.bytes ?? part.bytes })), origin);
    this.parts = value;
    this.place = origin;
  }

  /** The whole value. */
  get bytes(): Uint8Array {
    this.joined ??= valueBytes(this.value);
    return this.joined;
  }

  /** The value as 32-bit cells; bytes that do not fill a cell are left out. */
  get u32s(): readonly number[] {
    const count = this.bytes.length >> 2;
    const words: number[] = [];
    for (let index = 0; index < count; index++) words.push(wordAt(this.bytes, index));
    return words;
  }

  /** The 64-bit number in the two cells from cell `index` on. */
  u64At(index: number): bigint | undefined {
    return this.numberAt(index, 2);
  }

  /** The number in `count` cells from cell `index` on; as bindings use it, only the low 64 bits of larger ones. */
  numberAt(index: number, count: number): bigint | undefined {
    if (index < 0 || (index + count) * 4 > this.bytes.length) return undefined;
    let value = 0n;
    for (let at = index; at < index + count; at++) value = BigInt.asUintN(64, (value << 32n) | BigInt(wordAt(this.bytes, at)));
    return value;
  }

  /** The value as NUL-terminated strings; `undefined` if it is empty or does not end with NUL. */
  get strings(): readonly string[] | undefined {
    const { bytes } = this;
    if (bytes.length === 0 || bytes[bytes.length - 1] !== 0) return undefined;
    return utf8Decode(bytes.subarray(0, -1)).split('\0');
  }

  /** True if it refers to nodes: in cells (`u32`), or by path. */
  refersBy(type: 'u32' | 'path'): boolean {
    this.kinds ??= referenceKinds(this.value);
    return (this.kinds & (type === 'u32' ? IN_CELLS : BY_PATH)) !== 0;
  }

  /** What the property became when it was linked last. */
  get linkedLast(): DtProperty {
    const inCells = this.withLinkedCells;
    return inCells.refersBy('path') ? (inCells.linked ?? inCells) : inCells;
  }

  /** The same as far as cells are concerned: paths are linked after all cells. */
  get withLinkedCells(): DtProperty {
    return this.refersBy('u32') ? (this.linked ?? this) : this;
  }

  /** The same, if the cells that refer to nodes hold the same numbers again. */
  linkedBefore(phandleOf: (mark: DtMark) => number): DtProperty | undefined {
    const { linked } = this;
    // All references are asked for, in their order: that is the order in which nodes get their numbers.
    let isSame = linked !== undefined;
    for (let index = 0, part = this.value[0]; part !== undefined; part = this.value[++index]) {
      if (part.type !== 'u32') continue;
      const bytes = linked?.value[index]?.bytes;
      for (let which = 0, mark = part.references[0]; mark !== undefined; mark = part.references[++which]) {
        const phandle = phandleOf(mark);
        isSame &&= bytes !== undefined && bytes.length >= mark.offset + 4 && numberIn(bytes, mark.offset) === phandle;
      }
    }
    return isSame ? linked : undefined;
  }

  /** The same property with the value that linking gives it. Linking again to the same bytes gives the same object, so that readers see what has not changed. */
  linkedAs(value: DtValue): DtProperty {
    const made = this.withValue(value);
    if (this.linked === undefined || !equalBytes(this.linked.bytes, made.bytes)) this.linked = made;
    return this.linked;
  }

  /** The same property with another value. */
  withValue(value: DtValue): DtProperty {
    return new DtProperty(this.name, value, { labels: this.labels, origin: this.origin });
  }
}

const NO_LABELS: readonly string[] = [];

/** True if these are the names, in this order. */
export function isNamed(names: readonly string[], items: readonly { readonly name: string }[]): boolean {
  if (names.length !== items.length) return false;
  for (let index = 0; index < names.length; index++) if (names[index] !== items[index]?.name) return false;
  return true;
}

/** True if two values say the same, wherever they are written. */
function isSameValue(a: DtValue, b: DtValue): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) {
    const one = a[index];
    const other = b[index];
    if (one === other) continue;
    if (one === undefined || other === undefined || one.type !== other.type || !equalBytes(one.bytes, other.bytes)) return false;
    if (!areSameMarks(one.references, other.references) || !areSameMarks(one.labels, other.labels)) return false;
  }
  return true;
}

function areSameMarks(a: readonly DtMark[], b: readonly DtMark[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index]?.name !== b[index]?.name || a[index]?.offset !== b[index]?.offset) return false;
  return true;
}

const AT_SIGN = 0x40;
const IN_CELLS = 1;
const BY_PATH = 2;

function referenceKinds(value: DtValue): number {
  let kinds = 0;
  for (let index = 0, part = value[0]; part !== undefined; part = value[++index]) if (part.references.length > 0) kinds |= part.type === 'u32' ? IN_CELLS : part.type === 'path' ? BY_PATH : 0;
  return kinds;
}

/** The big-endian word `index` of whole words. Bytes are put together by hand: a view would cost more than all the rest. */
function wordAt(bytes: Uint8Array, index: number): number {
  return numberIn(bytes, index * 4);
}

function numberIn(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}

/**
 * A node. Lists are in tree order and change only through the methods. Whoever makes trees that follow each other (`DtsReader`, `TreeLinker`) lets them share what
 * stays the same: a node that is in both says, with all below it, the same in both. Parents are those in the newer tree.
 */
export class DtNode {
  readonly name: string;
  /** Newest first, as dtc keeps them. */
  labels: readonly string[] = [];
  private place: SourceOrigin | undefined;
  /** The node that this one was made of, which knows where both are written. */
  private model: DtNode | undefined;
  /** Written with /omit-if-no-ref/: left out unless something refers to it. */
  omitIfNoRef = false;
  private parentNode: DtNode | undefined;
  private readonly propertyList: DtProperty[];
  private readonly childList: DtNode[];
  // Names are unique among the living except in erroneous sources; the first one counts.
  private childIndex: Map<string, DtNode> | undefined;
  /** The first child of each name without its unit address. */
  private baseNameIndex: Map<string, DtNode> | undefined;
  private propertyIndex: Map<string, DtProperty> | undefined;

  /** A node with these lists, which are its own from now on. Children that belong to another node stay in its list, but this is their parent now. */
  constructor(name: string, properties: DtProperty[] = [], children: DtNode[] = []) {
    this.name = name;
    this.propertyList = properties;
    this.childList = children;
    for (let index = 0, child = children[0]; child !== undefined; child = children[++index]) child.parentNode = this;
  }

  /** A node with the properties of this one, which goes out of use, and these children. */
  withChildren(children: DtNode[]): DtNode {
    return new DtNode(this.name, this.propertyList, children);
  }

  /** Where its name was last written. */
  get origin(): SourceOrigin | undefined {
    return this.model === undefined ? this.place : this.model.origin;
  }

  set origin(origin: SourceOrigin | undefined) {
    this.place = origin;
    this.model = undefined;
  }

  /** Lets the node be written where another is, which it was made of, wherever that will be. */
  writtenAs(model: DtNode): void {
    this.model = model;
  }

  get parent(): DtNode | undefined {
    return this.parentNode;
  }

  get properties(): readonly DtProperty[] {
    return this.propertyList;
  }

  get children(): readonly DtNode[] {
    return this.childList;
  }

  /** The full path, `/` for a root. */
  get path(): string {
    return this.parentNode === undefined ? '/' : `${this.parentNode.parent === undefined ? '' : this.parentNode.path}/${this.name}`;
  }

  /** The name without unit address. */
  get baseName(): string {
    const at = this.name.indexOf('@');
    return at < 0 ? this.name : this.name.slice(0, at);
  }

  /** True if this is its name without unit address. */
  hasBaseName(base: string): boolean {
    return this.name.startsWith(base) && (this.name.length === base.length || this.name.charCodeAt(base.length) === AT_SIGN);
  }

  /** What follows `@` in the name. */
  get unitAddress(): string | undefined {
    const at = this.name.indexOf('@');
    return at < 0 ? undefined : this.name.slice(at + 1);
  }

  /** The property with this name. */
  property(name: string): DtProperty | undefined {
    if (this.propertyList.length <= INDEX_FROM) {
      for (let index = 0, candidate = this.propertyList[0]; candidate !== undefined; candidate = this.propertyList[++index]) if (candidate.name === name) return candidate;
      return undefined;
    }
    this.propertyIndex ??= indexByName(this.propertyList);
    return this.propertyIndex.get(name);
  }

  /** True if the property exists, whatever its value. */
  has(name: string): boolean {
    return this.property(name) !== undefined;
  }

  /** First cell of a property. */
  u32(name: string): number | undefined {
    const bytes = this.property(name)?.bytes;
    return bytes === undefined || bytes.length < 4 ? undefined : wordAt(bytes, 0);
  }

  /** A property of exactly one or two cells as a number. */
  u64(name: string): bigint | undefined {
    const found = this.property(name);
    return found?.bytes.length === 4 || found?.bytes.length === 8 ? found.numberAt(0, found.bytes.length / 4) : undefined;
  }

  /** First string of a property. */
  string(name: string): string | undefined {
    return this.property(name)?.strings?.[0];
  }

  /** All strings of a property; none if it is absent or not text. */
  stringList(name: string): readonly string[] {
    return this.property(name)?.strings ?? [];
  }

  /** True if one of its compatible strings is this one. */
  isCompatible(compatible: string): boolean {
    return this.stringList('compatible').includes(compatible);
  }

  /** The child with this full name. */
  child(name: string): DtNode | undefined {
    if (this.childList.length <= INDEX_FROM) return this.childList.find((candidate) => candidate.name === name);
    this.childIndex ??= indexByName(this.childList);
    return this.childIndex.get(name);
  }

  /** The first child whose name without unit address is this one. */
  childByBaseName(name: string): DtNode | undefined {
    if (this.childList.length <= INDEX_FROM) return this.childList.find((candidate) => candidate.baseName === name);
    if (this.baseNameIndex === undefined) {
      this.baseNameIndex = new Map();
      for (const child of this.childList) if (!this.baseNameIndex.has(child.baseName)) this.baseNameIndex.set(child.baseName, child);
    }
    return this.baseNameIndex.get(name);
  }

  /** Sets a property: replaces the value in place, or appends. */
  set(name: string, value: DtValueInput): DtProperty {
    return this.put(new DtProperty(name, toValue(value)));
  }

  /** Puts a property in place of the one with its name, or last. */
  put(property: DtProperty): DtProperty {
    const before = this.property(property.name);
    if (before === undefined) this.insertProperty(property);
    else this.replaceProperty(this.propertyList.indexOf(before), property);
    return property;
  }

  /** Puts a property last, or first with `at` 0, without looking for its name. */
  insertProperty(property: DtProperty, at = this.propertyList.length): void {
    if (at === this.propertyList.length) this.propertyList.push(property);
    else this.propertyList.splice(at, 0, property);
    if (this.propertyIndex !== undefined && (at === 0 || !this.propertyIndex.has(property.name))) this.propertyIndex.set(property.name, property);
  }

  /** Puts a property in place of the one at `index`. */
  replaceProperty(index: number, property: DtProperty): void {
    const before = this.propertyList[index];
    this.propertyList[index] = property;
    if (before?.name !== property.name) this.propertyIndex = undefined;
    else if (this.propertyIndex?.get(property.name) === before) this.propertyIndex.set(property.name, property);
  }

  /** Removes the property; false if there was none. */
  remove(name: string): boolean {
    const at = this.propertyList.findIndex((candidate) => candidate.name === name);
    if (at >= 0) this.propertyList.splice(at, 1);
    this.propertyIndex = undefined;
    return at >= 0;
  }

  /** Adds a child, last unless `at` says otherwise; it leaves its former parent. Returns the child. */
  add(child: DtNode, at = this.childList.length): DtNode {
    child.parentNode?.removeChild(child);
    child.parentNode = this;
    if (at === this.childList.length) this.childList.push(child);
    else this.childList.splice(at, 0, child);
    if (this.childIndex !== undefined && (at === 0 || !this.childIndex.has(child.name))) this.childIndex.set(child.name, child);
    if (this.baseNameIndex !== undefined && (at === 0 || !this.baseNameIndex.has(child.baseName))) this.baseNameIndex.set(child.baseName, child);
    return child;
  }

  /** Removes a child; false if it was none. */
  removeChild(child: DtNode): boolean {
    const at = this.childList.indexOf(child);
    if (at < 0) return false;
    this.childList.splice(at, 1);
    child.parentNode = undefined;
    this.childIndex = this.baseNameIndex = undefined;
    return true;
  }

  /** Keeps only the properties and children that the tests accept. */
  prune(keepProperty: (property: DtProperty) => boolean, keepChild: (child: DtNode) => boolean): void {
    for (const property of this.propertyList.splice(0)) if (keepProperty(property)) this.propertyList.push(property);
    const children = this.childList.splice(0);
    for (const child of children) {
      if (keepChild(child)) this.childList.push(child);
      else child.parentNode = undefined;
    }
    this.childIndex = this.baseNameIndex = undefined;
    this.propertyIndex = undefined;
  }

  /** Puts a label in front of the others, unless it is there. Returns the node. */
  label(name: string): this {
    if (!this.labels.includes(name)) this.labels = [name, ...this.labels];
    return this;
  }

  /** A deep copy without parent. */
  clone(): DtNode {
    const copy = new DtNode(this.name, [...this.propertyList], this.childList.map((child) => child.clone()));
    copy.labels = this.labels;
    copy.origin = this.origin;
    copy.omitIfNoRef = this.omitIfNoRef;
    return copy;
  }

  /** This node and all below, parents before children, in tree order. */
  *walk(): Generator<DtNode> {
    const waiting: DtNode[] = [this];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      yield next;
      for (let index = next.childList.length - 1; index >= 0; index--) {
        const child = next.childList[index];
        if (child !== undefined) waiting.push(child);
      }
    }
  }

  /** The node at a path relative to this one; an empty path or `/` is this node. Names must match fully. */
  at(path: string): DtNode | undefined {
    return path.split('/').reduce<DtNode | undefined>((found, name) => (name === '' ? found : found?.child(name)), this);
  }

  /** The node at the path, made with all missing ancestors. */
  ensure(path: string): DtNode {
    return path.split('/').reduce<DtNode>((found, name) => (name === '' ? found : (found.child(name) ?? found.add(new DtNode(name)))), this);
  }
}

function indexByName<T extends { readonly name: string }>(items: readonly T[]): Map<string, T> {
  const index = new Map<string, T>();
  for (let at = 0, item = items[0]; item !== undefined; item = items[++at]) if (!index.has(item.name)) index.set(item.name, item);
  return index;
}

/** One entry of the memory reservation block (DTSpec 5.3), in bytes. */
export interface MemoryReservation {
  readonly address: bigint;
  readonly size: bigint;
}

/** A whole tree with what a blob stores beside it. */
export interface DeviceTree {
  readonly root: DtNode;
  readonly reservations: readonly MemoryReservation[];
  /** boot_cpuid_phys of the blob header. */
  readonly bootCpu: number;
  /** True for overlay source (`/plugin/`): unresolved labels become fixups. */
  readonly plugin: boolean;
}

/** Makes a tree of a root node. */
export function deviceTree(root: DtNode, extra: Partial<Omit<DeviceTree, 'root'>> = {}): DeviceTree {
  return { root, reservations: extra.reservations ?? [], bootCpu: extra.bootCpu ?? 0, plugin: extra.plugin ?? false };
}

/** A deep copy. */
export function cloneTree(tree: DeviceTree): DeviceTree {
  return { ...tree, root: tree.root.clone() };
}

/** Makes a node in code: `node('memory@40000000', { device_type: 'memory', reg: cells64(…) }, [children])`. */
export function node(name: string, properties: Readonly<Record<string, DtValueInput>> = {}, children: readonly DtNode[] = []): DtNode {
  const made = new DtNode(name);
  for (const [key, value] of Object.entries(properties)) made.insertProperty(new DtProperty(key, toValue(value)));
  for (const child of children) made.add(child);
  return made;
}

/** Makes a root node in code. */
export function rootNode(properties: Readonly<Record<string, DtValueInput>> = {}, children: readonly DtNode[] = []): DtNode {
  return node('', properties, children);
}
