/** The second half of decoding: rows whose width depends on other nodes. Follows `decode.ts`, which has read the cells. */

import type { DtNode } from '../tree';
import { flatNumbers, flatRow, isValueList, NodeInstance, rows, type Integer, type Value } from './instance';
import { dimensionsOf, typesOf, type PropertyTypes } from './property-types';

/** An unresolved reference in an overlay. */
const UNRESOLVED = 0xffff_ffff;

/** Phandle lists whose cells are not counted by the property that their name suggests; a number is a fixed row. */
const CELLS_PROPERTY: Readonly<Record<string, string | number | undefined>> = {
  'assigned-clocks': '#clock-cells', 'assigned-clock-parents': '#clock-cells', 'cooling-device': '#cooling-cells',
  'interrupts-extended': '#interrupt-cells', 'interconnects': '#interconnect-cells', 'mboxes': '#mbox-cells', 'sound-dai': '#sound-dai-cells',
  'msi-parent': '#msi-cells', 'msi-ranges': '#interrupt-cells', 'dma-masters': '#dma-cells', 'gpio-ranges': 3, 'memory-region': undefined,
};

/** Cuts all lists of the tree but those in nodes that are `done`; `root` is where it came from, for its fixups. */
export function cutByTree(instance: NodeInstance, root: DtNode, { types, done }: { readonly types: PropertyTypes; readonly done: ReadonlySet<NodeInstance> }): void {
  const cutter = new Cutter(instance, root, { types, done });
  cutter.gpios(instance);
  cutter.interrupts(instance, 1);
  cutter.addresses(instance, { address: 2, size: 1 });
  cutter.phandles(instance, '');
}

class Cutter {
  private readonly types: PropertyTypes;
  private readonly byPhandle = new Map<number, NodeInstance>();
  private readonly done: ReadonlySet<NodeInstance>;
  private readonly instance: NodeInstance;
  private readonly root: DtNode;
  /** `path:property:offset` of every reference; only overlays need them. */
  private found: Set<string> | undefined;
  private readonly kinds = new Map<string, { readonly isAddress: boolean; readonly isPhandles: boolean; readonly isFixed: boolean }>();

  constructor(instance: NodeInstance, root: DtNode, { types, done }: { readonly types: PropertyTypes; readonly done: ReadonlySet<NodeInstance> }) {
    this.types = types;
    this.done = done;
    this.instance = instance;
    this.root = root;
    this.index(instance);
  }

  private index(instance: NodeInstance): void {
    const phandle = instance.cell('phandle');
    if (phandle !== undefined) this.byPhandle.set(phandle, instance);
    for (const child of instance.children()) this.index(child);
  }

  private get references(): ReadonlySet<string> {
    if (this.found !== undefined) return this.found;
    const found = new Set<string>();
    this.found = found;
    this.addReferences(this.instance, '', found);
    for (const property of this.root.child('__fixups__')?.properties ?? []) for (const place of property.strings ?? []) found.add(place);
    const local = this.root.child('__local_fixups__');
    if (local !== undefined) this.addLocalFixups(local, '', found);
    return found;
  }

  private addReferences(instance: NodeInstance, path: string, found: Set<string>): void {
    for (const property of instance.node.properties) {
      let base = 0;
      for (const part of property.value) {
        for (const { offset } of part.references) found.add(`${path}:${property.name}:${String(base + offset)}`);
        base += part.bytes.length;
      }
    }
    for (const child of instance.children()) this.addReferences(child, `${path}/${child.node.name}`, found);
  }

  private addLocalFixups(node: DtNode, path: string, found: Set<string>): void {
    for (const property of node.properties) for (const offset of property.u32s) found.add(`${path}:${property.name}:${String(offset)}`);
    for (const child of node.children) this.addLocalFixups(child, `${path}/${child.name}`, found);
  }

  private kind(name: string): { readonly isAddress: boolean; readonly isPhandles: boolean; readonly isFixed: boolean } {
    let kind = this.kinds.get(name);
    if (kind === undefined) {
      const types = typesOf(this.types, name);
      const dimensions = dimensionsOf(this.types, name);
      const isFixed = dimensions?.some(([least, greatest]) => least > 0 && least === greatest) ?? false;
      this.kinds.set(name, kind = { isAddress: types.has('address'), isPhandles: types.has('phandle-array'), isFixed });
    }
    return kind;
  }

  private cells(phandle: number | undefined, property: string): number | undefined {
    const node = phandle === undefined ? undefined : this.byPhandle.get(phandle);
    return node === undefined ? undefined : (node.cell(property) ?? 0);
  }

  gpios(instance: NodeInstance): void {
    if (this.done.has(instance) || instance.members.has('gpio-hog')) return;
    for (const [name, value] of instance.members) {
      if (value instanceof NodeInstance) this.gpios(value);
      else if (name.includes('gpio') && /(-gpios?|^gpios?)$/.test(name) && !name.endsWith(',nr-gpios')) {
        const row = flatRow(value);
        if (row !== undefined) instance.members.set(name, cut(row, (at, numbers) => 1 + this.gpioCells(at, numbers)));
      }
    }
  }

  private gpioCells(at: number, numbers: readonly number[]): number {
    const phandle = numbers[at];
    if (phandle === 0) return 0;
    if (phandle !== UNRESOLVED) return this.cells(phandle, '#gpio-cells') ?? numbers.length;
    const next = numbers.indexOf(UNRESOLVED, at + 1);
    return (next < 0 ? numbers.length : next) - at - 1;
  }

  interrupts(instance: NodeInstance, inherited: number): void {
    if (this.done.has(instance)) return;
    let count = inherited;
    const parent = flatNumbers(instance.members.get('interrupt-parent'))?.[0];
    if (parent === UNRESOLVED) instance.members.delete('interrupt-parent');
    else if (parent !== undefined) count = this.cells(parent, '#interrupt-cells') ?? count;
    for (const [name, value] of instance.members) {
      if (value instanceof NodeInstance) this.interrupts(value, instance.cell('#interrupt-cells') ?? count);
      else if (name === 'interrupts') this.recut(instance, name, () => count);
      else if (name === 'interrupt-map') this.interruptMap(instance, value);
    }
  }

  private interruptMap(instance: NodeInstance, value: Value): void {
    const own = (instance.cell('#address-cells') ?? 0) + (instance.cell('#interrupt-cells') ?? 0);
    const row = flatRow(value);
    const numbers = flatNumbers(value);
    if (row === undefined || numbers === undefined) return;
    if (numbers[own] === UNRESOLVED) {
      const next = numbers.indexOf(UNRESOLVED, own + 1);
      instance.members.set('interrupt-map', rows(row, next < 0 ? row.length : next - own));
      return;
    }
    instance.members.set('interrupt-map', cut(row, (at) => {
      const provider = numbers[at + own];
      const interrupts = this.cells(provider, '#interrupt-cells');
      return interrupts === undefined ? row.length : own + 1 + (this.cells(provider, '#address-cells') ?? 0) + interrupts;
    }));
  }

  addresses(instance: NodeInstance, parent: { readonly address: number; readonly size: number }): void {
    if (this.done.has(instance)) return;
    const own = { address: instance.cell('#address-cells') ?? parent.address, size: instance.cell('#size-cells') ?? parent.size };
    for (const [name, value] of instance.members) {
      if (value instanceof NodeInstance) this.addresses(value, own);
      else if (this.kind(name).isAddress) this.recut(instance, name, () => parent.address + parent.size);
      else if ((name === 'ranges' || name === 'dma-ranges') && value !== true) {
        this.recut(instance, name, () => parent.address + (instance.cell('#address-cells') ?? 0) + (instance.cell('#size-cells') ?? 0));
      }
    }
  }

  private recut(instance: NodeInstance, name: string, width: () => number): void {
    const row = flatRow(instance.members.get(name));
    if (row !== undefined) instance.members.set(name, rows(row, width()));
  }

  phandles(instance: NodeInstance, path: string): void {
    if (this.done.has(instance)) return;
    for (const [name, value] of instance.members) {
      if (value instanceof NodeInstance) this.phandles(value, `${path}/${name}`);
      else if (this.kind(name).isPhandles && (name === 'dma-masters' || !this.kind(name).isFixed)) this.phandleList(instance, name, `${path}:${name}`);
    }
  }

  private phandleList(instance: NodeInstance, name: string, place: string): void {
    const value = instance.members.get(name);
    const row = flatRow(value);
    const numbers = flatNumbers(value);
    if (row === undefined || numbers === undefined || !isValueList(value) || value.length > 1) return;
    const listed = Object.hasOwn(CELLS_PROPERTY, name);
    if (!listed && (!name.endsWith('s') || name.includes('gpio'))) return;
    const count = listed ? CELLS_PROPERTY[name] : `#${name.slice(0, -1)}-cells`;
    const width = (at: number): number => this.argumentCells(at, { numbers, count, place });
    if (!listed && width(0) === 0) return;
    const [first = 0] = numbers;
    if (name === 'dma-masters' && first >= 1 && first <= 4 && this.byPhandle.get(first)?.members.has('#dma-cells') !== true) {
      instance.members.set(name, first);
      return;
    }
    instance.members.set(name, cut(row, (at) => {
      const one = width(at);
      if (one === 0) return 0;
      if (name === 'msi-ranges') return one + 1;
      return name === 'interconnects' ? one + width(at + one) : one;
    }));
  }

  /** Length of the entry at `at`, its phandle included; 0 if it cannot be known. */
  private argumentCells(at: number, { numbers, count, place }: { readonly numbers: readonly number[]; readonly count: string | number | undefined; readonly place: string }): number {
    const phandle = numbers[at];
    if (phandle === undefined) return 0;
    if (phandle === 0 || count === undefined) return 1;
    if (phandle === UNRESOLVED) {
      const isReference = (index: number): boolean => this.references.has(`${place}:${String(index * 4)}`);
      if (!isReference(at)) return 0;
      let length = 1;
      while (at + length < numbers.length && !isReference(at + length)) length++;
      return length;
    }
    const provider = this.byPhandle.get(phandle);
    if (provider === undefined) return 0;
    return 1 + (typeof count === 'number' ? count : (provider.cell(count) ?? 0));
  }
}

/** Cuts a row into entries whose length is asked for at each; it ends at an entry of length 0. */
function cut(row: readonly Integer[], lengthAt: (at: number, numbers: readonly number[]) => number): readonly (readonly Integer[])[] {
  const numbers = row.map((cell) => (typeof cell === 'number' ? cell : Number(cell.value)));
  const entries: (readonly Integer[])[] = [];
  for (let at = 0; at < row.length;) {
    const length = lengthAt(at, numbers);
    if (length <= 0) break;
    entries.push(row.slice(at, at + length));
    at += length;
  }
  return entries;
}
