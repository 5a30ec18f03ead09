/** What a check of `check-table.ts` sees of a tree, and where it says what is wrong. */

import { isEnabled } from '../lookup';
import type { DeviceTree, DtNode, DtProperty } from '../tree';
import { bitOf, isNumberedPort, type BusKind } from './buses';
import { addTo, type NameUse, type NodeMemory, type Seen } from './node-memory';

/** Something a check found. */
export interface Finding {
  readonly node: DtNode;
  /** The property concerned, if it is about one. */
  readonly property?: DtProperty;
  /** The cell of the property at fault, if one can be named. */
  readonly cell?: number;
  readonly message: string;
}

/** A linked tree while it is being checked. Bus checks note what they recognise; later checks rely on it. */
export class CheckContext {
  readonly tree: DeviceTree;
  readonly root: DtNode;
  /** What is new since the tree before. */
  readonly seen: Seen;
  readonly buses = new Map<DtNode, BusKind>();
  private readonly useOf: (name: string) => NameUse;
  private recognised = 0;
  private all: readonly DtNode[] | undefined;
  private byPhandle: Map<number, DtNode> | undefined;
  private byProperty: Map<string, DtNode[]> | undefined;
  private findings: Finding[] = [];

  constructor(tree: DeviceTree, memory: NodeMemory, useOf: (name: string) => NameUse) {
    this.tree = tree;
    this.root = tree.root;
    this.seen = memory.see(tree);
    this.useOf = useOf;
  }

  /** All nodes in tree order, but for what linking adds (__symbols__, __fixups__, …): that repeats names of nodes, and is nobody's to mend. */
  get nodes(): readonly DtNode[] {
    if (this.all !== undefined) return this.all;
    if (this.seen.index !== undefined) return this.all = this.seen.fresh;
    const nodes = [this.root];
    for (const child of this.root.children) if (!child.name.startsWith('__')) addWithAllBelow(child, nodes);
    return this.all = nodes;
  }

  private get nodesByProperty(): ReadonlyMap<string, readonly DtNode[]> {
    const known = this.seen.index ?? this.byProperty;
    if (known !== undefined) return known;
    const index = this.byProperty = new Map<string, DtNode[]>();
    this.nodes.forEach((node) => { node.properties.forEach(({ name }) => { if (this.useOf(name).isIndexed) addTo(index, name, node); }); });
    return index;
  }

  /** The nodes that have a property, in tree order. */
  nodesWith(property: string): readonly DtNode[] {
    return this.nodesByProperty.get(property) ?? [];
  }

  /** The nodes that have a property with such a name, in tree order. */
  nodesWithNames(wanted: (property: string) => boolean): readonly DtNode[] {
    const found = new Set([...this.nodesByProperty].flatMap(([name, nodes]) => (wanted(name) ? nodes : [])));
    return found.size === 0 ? [] : this.nodes.filter((node) => found.has(node));
  }

  /** The nodes with this full name, `aliases` or `chosen`, in tree order. */
  nodesNamed(name: string): readonly DtNode[] {
    return this.seen.signals.filter(({ node }) => node.name === name).map(({ node }) => node);
  }

  /** The nodes that are recognised as such buses by now, in tree order. */
  busesOf(kinds: readonly BusKind[]): readonly DtNode[] {
    return this.nodes.filter((node) => { const kind = this.buses.get(node); return kind !== undefined && kinds.includes(kind); });
  }

  /** The nodes on such a bus, as far as it is recognised by now, in tree order. */
  nodesOn(kind: BusKind): readonly DtNode[] {
    return this.nodes.filter(({ parent }) => parent !== undefined && this.buses.get(parent) === kind);
  }

  /** Takes all nodes that look like it for buses of a kind; ports make what holds them a bus as well, unless it is another. */
  recognise(kind: BusKind): void {
    const bit = bitOf(kind);
    this.recognised |= bit;
    this.seen.signals.forEach(({ node, kinds }) => {
      if ((kinds & bit) === 0) return;
      this.buses.set(node, kind);
      const { parent } = node;
      if (kind === 'graph-port' && parent !== undefined && !this.buses.has(parent) && isNumberedPort(node, parent)) this.buses.set(parent, 'graph-ports');
    });
  }

  /** Which kinds of buses have been looked for by now, as one number. */
  get recognisedKinds(): number {
    return this.recognised;
  }

  /** Records a failure of the check that is running. */
  report(node: DtNode, message: string, property?: DtProperty, cell?: number): void {
    this.findings.push({ node, message, ...(property === undefined ? {} : { property }), ...(cell === undefined ? {} : { cell }) });
  }

  /** How much the check that is running has found. */
  get findingCount(): number {
    return this.findings.length;
  }

  /** Runs one check and returns what it found. */
  collect(run: () => void): readonly Finding[] {
    this.findings = [];
    run();
    return this.findings;
  }

  /** The node with a phandle. */
  provider(phandle: number): DtNode | undefined {
    if (this.byPhandle === undefined) {
      const index = this.byPhandle = new Map<number, DtNode>();
      for (const signal of this.seen.signals) if (signal.phandle !== undefined && !index.has(signal.phandle)) index.set(signal.phandle, signal.node);
    }
    return this.byPhandle.get(phandle);
  }

  /** True if there is a node with exactly this path. */
  hasPath(path: string): boolean {
    return path.startsWith('/') && !path.includes('//') && this.root.at(path) !== undefined;
  }

  /** True below the contents of an overlay, whose targets are not known. */
  get isOverlay(): boolean {
    return this.tree.plugin;
  }
}

function addWithAllBelow(node: DtNode, nodes: DtNode[]): void {
  nodes.push(node);
  node.children.forEach((child) => { addWithAllBelow(child, nodes); });
}

/** `#address-cells` as stated on the node itself. */
export function statedAddressCells(node: DtNode): number | undefined {
  return node.u32('#address-cells');
}

/** `#size-cells` as stated on the node itself. */
export function statedSizeCells(node: DtNode): number | undefined {
  return node.u32('#size-cells');
}

/** `1 cell`, `3 cells`, or `5 bytes` where the value is no whole cells. */
export function cellCount({ bytes }: DtProperty): string {
  const [count, unit] = bytes.length % 4 === 0 ? [bytes.length / 4, 'cell'] : [bytes.length, 'byte'];
  return `${String(count)} ${unit}${count === 1 ? '' : 's'}`;
}

/** The unit address in the name, or nothing. */
export function unitOf(node: DtNode): string {
  return node.unitAddress ?? '';
}

/** True for a phandle that can name a node. */
export function isPhandle(value: number): boolean {
  return value !== 0 && value !== 0xffff_ffff;
}

/** True if `status` is `disabled`. */
export function isDisabled(node: DtNode): boolean {
  return !isEnabled(node) && node.string('status') === 'disabled';
}

/** True if the value is one NUL-terminated string. */
export function isString(property: DtProperty): boolean {
  return property.bytes.length > 0 && property.bytes.indexOf(0) === property.bytes.length - 1;
}

/** True if the value is a list of NUL-terminated strings. */
export function isStringList(property: DtProperty): boolean {
  return property.bytes.length === 0 || property.bytes[property.bytes.length - 1] === 0;
}
