/** The second half of decoding: rows whose width depends on other nodes. `decode.ts` has read the cells. */

import type { DtNode } from '../tree';
import { AROUND, flatNumbers, flatRow, isValueList, rows, type Answers, type Integer, type NodeInstance, type Surroundings, type Told, type Value } from './instance';
import { dimensionsOf, typesOf, type PropertyTypes } from './property-types';

/** An unresolved reference in an overlay, as a cell. */
export const UNRESOLVED = 0xffff_ffff;

/** Phandle lists whose cells are not counted by the property that their name suggests; a number is a fixed row. */
const CELLS_PROPERTY: Readonly<Record<string, string | number | undefined>> = {
  'assigned-clocks': '#clock-cells', 'assigned-clock-parents': '#clock-cells', 'cooling-device': '#cooling-cells',
  'interrupts-extended': '#interrupt-cells', 'interconnects': '#interconnect-cells', 'mboxes': '#mbox-cells', 'sound-dai': '#sound-dai-cells',
  'msi-parent': '#msi-cells', 'msi-ranges': '#interrupt-cells', 'dma-masters': '#dma-cells', 'gpio-ranges': 3, 'memory-region': undefined,
};

/** The property of a provider that counts the cells behind a reference to it in a list with this name, as far as the name tells. */
export function cellsPropertyOf(name: string): string | undefined {
  if (/(?:^|-)gpios?$/.test(name)) return '#gpio-cells';
  if (Object.hasOwn(CELLS_PROPERTY, name)) return typeof CELLS_PROPERTY[name] === 'string' ? CELLS_PROPERTY[name] : undefined;
  return name.endsWith('s') ? `#${name.slice(0, -1)}-cells` : undefined;
}

/** What the name of a property says about cutting its value. */
interface Kind {
  readonly isGpios: boolean;
  readonly isAddress: boolean;
  readonly isPhandles: boolean;
}

const UNCUT: Kind = { isGpios: false, isAddress: false, isPhandles: false };
const NAMED: ReadonlySet<string> = new Set(['interrupts', 'interrupt-map', 'ranges', 'dma-ranges']);

/** Which names of properties have values that other nodes cut. */
export class CutNames {
  private readonly types: PropertyTypes;
  private readonly kinds = new Map<string, Kind>();

  constructor(types: PropertyTypes) {
    this.types = types;
  }

  kind(name: string): Kind {
    let kind = this.kinds.get(name);
    if (kind === undefined) {
      const types = typesOf(this.types, name);
      const isFixed = dimensionsOf(this.types, name)?.some(([least, greatest]) => least > 0 && least === greatest) ?? false;
      const isGpios = name.includes('gpio') && /(-gpios?|^gpios?)$/.test(name) && !name.endsWith(',nr-gpios');
      const isAddress = types.has('address');
      const isPhandles = types.has('phandle-array') && (name === 'dma-masters' || !isFixed);
      this.kinds.set(name, kind = isGpios || isAddress || isPhandles || NAMED.has(name) ? { isGpios, isAddress, isPhandles } : UNCUT);
    }
    return kind;
  }

  /** True if other nodes may have a say in how the value is cut. */
  mayBeCut(name: string): boolean {
    return this.kind(name) !== UNCUT;
  }
}

/** Cuts lists of one tree as its nodes say; each answer of another node is noted with the node that asked. */
export class Cutter {
  /** What nodes with phandles say, in tree order. */
  readonly answers: readonly Answers[];
  private index: Map<number, NodeInstance> | undefined;
  private readonly instance: NodeInstance;
  private readonly root: DtNode;
  private readonly names: CutNames;
  /** `path:property:offset` of every reference; only overlays need them. */
  private found: Set<string> | undefined;

  /** `root` is where the instance came from, for its fixups. */
  constructor(instance: NodeInstance, root: DtNode, names: CutNames) {
    this.instance = instance;
    this.root = root;
    this.names = names;
    const answers: Answers[] = [];
    collect(instance.told, answers);
    this.answers = answers;
  }

  private get byPhandle(): ReadonlyMap<number, NodeInstance> {
    return this.index ??= new Map(this.answers.map(({ phandle, instance }) => [phandle, instance]));
  }

  /** True if nodes say the same as those of another tree. */
  answersAs(other: Cutter | undefined): boolean {
    return other?.answers.length === this.answers.length && this.answers.every((one, index) => areSame(one, other.answers[index]));
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
    for (const child of instance.children) this.addReferences(child, `${path}/${child.node.name}`, found);
  }

  private addLocalFixups(node: DtNode, path: string, found: Set<string>): void {
    for (const property of node.properties) for (const offset of property.u32s) found.add(`${path}:${property.name}:${String(offset)}`);
    for (const child of node.children) this.addLocalFixups(child, `${path}/${child.name}`, found);
  }

  /** What the children of a node have around them. */
  inside({ members, surroundings }: NodeInstance): Surroundings {
    const address = members.cell('#address-cells') ?? surroundings.address;
    const size = members.cell('#size-cells') ?? surroundings.size;
    const parent = members.has('interrupt-parent') ? flatNumbers(members.get('interrupt-parent'))?.[0] : undefined;
    const interrupt = members.cell('#interrupt-cells') ?? this.cells(parent, '#interrupt-cells') ?? surroundings.interrupt;
    const isHog = surroundings.isHog || members.has('gpio-hog');
    const isSame = address === surroundings.address && size === surroundings.size && interrupt === surroundings.interrupt && isHog === surroundings.isHog;
    return isSame ? surroundings : { address, size, interrupt, isHog };
  }

  /** What is asked of the node with a phandle (cells by the name of what counts them; `has` of a name; nothing but whether it is there), or of the surroundings. */
  answer({ surroundings }: NodeInstance, phandle: number, what: string): number | undefined {
    if (phandle === AROUND) {
      switch (what) {
        case 'address': return surroundings.address;
        case 'size': return surroundings.size;
        case 'interrupt': return surroundings.interrupt;
        default: return Number(surroundings.isHog);
      }
    }
    const node = this.byPhandle.get(phandle);
    if (node === undefined || what === '') return node === undefined ? undefined : 0;
    return what.startsWith(HAS) ? Number(node.members.has(what.slice(HAS.length))) : (node.cell(what) ?? 0);
  }

  private ask(instance: NodeInstance, phandle: number, what: string): number | undefined {
    const answer = this.answer(instance, phandle, what);
    instance.asked.push({ phandle, what, answer });
    return answer;
  }

  private askAround(instance: NodeInstance, what: keyof Surroundings): number {
    return this.ask(instance, AROUND, what) ?? 0;
  }

  private cells(phandle: number | undefined, property: string): number | undefined {
    const node = phandle === undefined ? undefined : this.byPhandle.get(phandle);
    return node === undefined ? undefined : (node.cell(property) ?? 0);
  }

  /** A value of a node as the tree says it is cut. */
  cut(instance: NodeInstance, name: string, uncut: Value): Value {
    const kind = this.names.kind(name);
    let value = uncut;
    if (kind.isGpios && !instance.members.has('gpio-hog') && this.askAround(instance, 'isHog') === 0) {
      const row = flatRow(value);
      if (row !== undefined) value = cut(row, (at, numbers) => 1 + this.gpioCells(instance, at, numbers));
    }
    if (name === 'interrupts') value = recut(value, () => this.interruptCells(instance));
    else if (name === 'interrupt-map') value = this.interruptMap(instance, value);
    if (kind.isAddress) value = recut(value, () => this.askAround(instance, 'address') + this.askAround(instance, 'size'));
    else if ((name === 'ranges' || name === 'dma-ranges') && value !== true) {
      value = recut(value, () => this.askAround(instance, 'address') + (instance.cell('#address-cells') ?? 0) + (instance.cell('#size-cells') ?? 0));
    }
    return kind.isPhandles ? this.phandleList(instance, name, value) : value;
  }

  private gpioCells(instance: NodeInstance, at: number, numbers: readonly number[]): number {
    const phandle = numbers[at];
    if (phandle === undefined || phandle === 0) return 0;
    if (phandle !== UNRESOLVED) return this.ask(instance, phandle, '#gpio-cells') ?? numbers.length;
    const next = numbers.indexOf(UNRESOLVED, at + 1);
    return (next < 0 ? numbers.length : next) - at - 1;
  }

  private interruptCells(instance: NodeInstance): number {
    const { members } = instance;
    const parent = members.has('interrupt-parent') ? flatNumbers(members.get('interrupt-parent'))?.[0] : undefined;
    return (parent === undefined ? undefined : this.ask(instance, parent, '#interrupt-cells')) ?? this.askAround(instance, 'interrupt');
  }

  private interruptMap(instance: NodeInstance, value: Value): Value {
    const own = (instance.cell('#address-cells') ?? 0) + (instance.cell('#interrupt-cells') ?? 0);
    const row = flatRow(value);
    const numbers = flatNumbers(value);
    if (row === undefined || numbers === undefined) return value;
    if (numbers[own] === UNRESOLVED) {
      const next = numbers.indexOf(UNRESOLVED, own + 1);
      return rows(row, next < 0 ? row.length : next - own);
    }
    return cut(row, (at) => {
      const provider = numbers[at + own];
      const interrupts = provider === undefined ? undefined : this.ask(instance, provider, '#interrupt-cells');
      return provider === undefined || interrupts === undefined ? row.length : own + 1 + (this.ask(instance, provider, '#address-cells') ?? 0) + interrupts;
    });
  }

  private phandleList(instance: NodeInstance, name: string, value: Value): Value {
    const row = flatRow(value);
    const numbers = flatNumbers(value);
    if (row === undefined || numbers === undefined || !isValueList(value) || value.length > 1) return value;
    const listed = Object.hasOwn(CELLS_PROPERTY, name);
    if (!listed && (!name.endsWith('s') || name.includes('gpio'))) return value;
    const count = listed ? CELLS_PROPERTY[name] : `#${name.slice(0, -1)}-cells`;
    const width = (at: number): number => this.argumentCells(at, { instance, numbers, count, name });
    if (!listed && width(0) === 0) return value;
    const [first = 0] = numbers;
    if (name === 'dma-masters' && first >= 1 && first <= 4 && this.ask(instance, first, `${HAS}#dma-cells`) !== 1) return first;
    return cut(row, (at) => {
      const one = width(at);
      if (one === 0) return 0;
      if (name === 'msi-ranges') return one + 1;
      return name === 'interconnects' ? one + width(at + one) : one;
    });
  }

  /** Length of the entry at `at`, its phandle included; 0 if it cannot be known. */
  private argumentCells(at: number, { instance, numbers, count, name }: { readonly instance: NodeInstance; readonly numbers: readonly number[]; readonly count: string | number | undefined; readonly name: string }): number {
    const phandle = numbers[at];
    if (phandle === undefined) return 0;
    if (phandle === 0 || count === undefined) return 1;
    if (phandle === UNRESOLVED) {
      const place = `${pathOf(instance)}:${name}`;
      const isReference = (index: number): boolean => this.references.has(`${place}:${String(index * 4)}`);
      if (!isReference(at)) return 0;
      let length = 1;
      while (at + length < numbers.length && !isReference(at + length)) length++;
      return length;
    }
    const cells = this.ask(instance, phandle, typeof count === 'number' ? '' : count);
    if (cells === undefined) return 0;
    return 1 + (typeof count === 'number' ? count : cells);
  }
}

/** What a node says that others may ask for; nothing but what `Cutter` reads by a phandle. */
export function answersOf(instance: NodeInstance): Answers | undefined {
  const phandle = instance.members.has('phandle') ? instance.cell('phandle') : undefined;
  if (phandle === undefined) return undefined;
  // A child that is named like a property would answer in its place; no answer is believed then.
  const isOdd = instance.children.some(({ node }) => node.name.startsWith('#'));
  return { instance, phandle, counts: isOdd ? undefined : instance.node.properties.filter(({ name }) => name.startsWith('#')) };
}

function areSame(one: Answers, other: Answers | undefined): boolean {
  if (one.counts === undefined || other?.counts === undefined) return false;
  const { counts } = other;
  return one === other || (one.phandle === other.phandle && one.counts.length === counts.length && one.counts.every((property, index) => property === counts[index]));
}

function collect(told: Told | undefined, list: Answers[]): void {
  if (told === undefined) return;
  if (told.own !== undefined) list.push(told.own);
  for (let index = 0, one = told.below[0]; one !== undefined; one = told.below[++index]) collect(one, list);
}

/** Before a name: asks whether a node has it. */
const HAS = 'has ';

/** As fixups name nodes: that of the root is empty. */
function pathOf({ node, parent }: NodeInstance): string {
  return parent === undefined ? '' : `${pathOf(parent)}/${node.name}`;
}

function recut(value: Value, width: () => number): Value {
  const row = flatRow(value);
  return row === undefined ? value : rows(row, width());
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
