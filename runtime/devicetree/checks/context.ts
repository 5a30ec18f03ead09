/** What a check of `check-table.ts` sees of a tree, and where it says what is wrong. */

import { isEnabled, phandleOf } from '../lookup';
import type { DeviceTree, DtNode, DtProperty } from '../tree';

/** What a bus asks of the nodes on it. */
export type BusKind = 'pci' | 'simple' | 'i2c' | 'spi' | 'graph-port' | 'graph-ports';

/** Something a check found. */
export interface Finding {
  readonly node: DtNode;
  /** The property concerned, if it is about one. */
  readonly property?: DtProperty;
  /** The cell of the property at fault, if one can be named. */
  readonly cell?: number;
  readonly message: string;
}

/** What is known of a node, as long as it and the properties of its parent stay the same. */
interface Known {
  readonly around: readonly DtProperty[] | undefined;
  /** Names of its properties by which checks look for nodes, each once. */
  readonly names: readonly string[];
  readonly phandle: number | undefined;
}

/** What is known of the nodes of trees that follow each other. */
export class NodeMemory {
  private readonly isIndexed: (name: string) => boolean;
  private readonly indexed = new Map<string, boolean>();
  private readonly known = new WeakMap<DtNode, Known>();

  /** `isIndexed` tells the names of properties by which checks look for nodes. */
  constructor(isIndexed: (name: string) => boolean) {
    this.isIndexed = isIndexed;
  }

  /** What is known of a node, if it is as it was. */
  get(node: DtNode): Known | undefined {
    const known = this.known.get(node);
    return known?.around === node.parent?.properties ? known : undefined;
  }

  /** Learns to know a node. */
  learn(node: DtNode): Known {
    const names: string[] = [];
    node.properties.forEach(({ name }) => { if (this.asks(name) && !names.includes(name)) names.push(name); });
    const known = { around: node.parent?.properties, names: names.slice(), phandle: phandleOf(node) };
    this.known.set(node, known);
    return known;
  }

  /** Takes a node for one that was never seen. */
  forget(node: DtNode): void {
    this.known.delete(node);
  }

  private asks(name: string): boolean {
    let isIndexed = this.indexed.get(name);
    if (isIndexed === undefined) {
      isIndexed = this.isIndexed(name);
      if (this.indexed.size < NAMES_MAX) this.indexed.set(name, isIndexed);
    }
    return isIndexed;
  }
}

/** Most names of properties that are remembered. */
const NAMES_MAX = 20_000;

/** A linked tree while it is being checked. Bus checks note what they recognise; later checks rely on it. */
export class CheckContext {
  readonly tree: DeviceTree;
  readonly root: DtNode;
  readonly nodes: readonly DtNode[];
  /** Those that are not as they were in the tree before, or had something wrong there. */
  readonly freshNodes: readonly DtNode[];
  readonly buses = new Map<DtNode, BusKind>();
  private readonly byPhandle = new Map<number, DtNode>();
  private readonly byProperty = new Map<string, DtNode[]>();
  private findings: Finding[] = [];

  constructor(tree: DeviceTree, memory: NodeMemory) {
    this.tree = tree;
    this.root = tree.root;
    // What linking adds (__symbols__, __fixups__, …) repeats names of nodes, and is nobody's to mend.
    const nodes = [tree.root];
    for (const child of tree.root.children) if (!child.name.startsWith('__')) addWithAllBelow(child, nodes);
    this.nodes = nodes;
    const fresh: DtNode[] = [];
    nodes.forEach((node) => {
      let known = memory.get(node);
      if (known === undefined) {
        fresh.push(node);
        known = memory.learn(node);
      }
      const { names, phandle } = known;
      if (phandle !== undefined && !this.byPhandle.has(phandle)) this.byPhandle.set(phandle, node);
      names.forEach((name) => {
        const others = this.byProperty.get(name);
        if (others === undefined) this.byProperty.set(name, [node]);
        else others.push(node);
      });
    });
    this.freshNodes = fresh;
  }

  /** The nodes that have a property, in tree order. */
  nodesWith(property: string): readonly DtNode[] {
    return this.byProperty.get(property) ?? [];
  }

  /** The nodes that have a property with such a name, in tree order. */
  nodesWithNames(wanted: (property: string) => boolean): readonly DtNode[] {
    const found = new Set([...this.byProperty].flatMap(([name, nodes]) => (wanted(name) ? nodes : [])));
    return found.size === 0 ? [] : this.nodes.filter((node) => found.has(node));
  }

  /** The nodes with this full name, in tree order. */
  nodesNamed(name: string): readonly DtNode[] {
    return this.nodes.filter((node) => node.name === name);
  }

  /** The nodes that are recognised as such buses by now, in tree order. */
  busesOf(kinds: readonly BusKind[]): readonly DtNode[] {
    return this.nodes.filter((node) => { const kind = this.buses.get(node); return kind !== undefined && kinds.includes(kind); });
  }

  /** The nodes on such a bus, as far as it is recognised by now, in tree order. */
  nodesOn(kind: BusKind): readonly DtNode[] {
    return this.nodes.filter(({ parent }) => parent !== undefined && this.buses.get(parent) === kind);
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
