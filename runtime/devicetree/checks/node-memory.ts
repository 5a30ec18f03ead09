/**
 * What checks know of the nodes of trees that follow each other and share nodes, so that they need not look at all of them again. Knows no check.
 */

import { phandleOf } from '../lookup';
import type { DeviceTree, DtNode, DtProperty } from '../tree';
import { kindsOf } from './buses';

/** What other nodes may be judged by. */
export interface Signal {
  readonly node: DtNode;
  readonly phandle: number | undefined;
  /** Kinds of buses that it looks like. */
  readonly kinds: number;
  /** Its properties that checks of other nodes read. */
  readonly said: readonly DtProperty[];
}

/** Signals of a node and all below it, in tree order. */
interface Signals {
  readonly own: Signal | undefined;
  readonly below: readonly Signals[];
}

/** What is known of a node, as long as it, the properties of its parent and the kinds of bus that this is stay the same. */
interface Known {
  readonly around: readonly DtProperty[] | undefined;
  readonly parentKinds: number;
  readonly kinds: number;
  readonly signals: Signals | undefined;
}

/** What is new in a tree. */
export interface Seen {
  /** Nodes that are not as they were in the tree before, or had something wrong there, in tree order. */
  readonly fresh: readonly DtNode[];
  /** Those of all nodes, in tree order. */
  readonly signals: readonly Signal[];
  /** True if all signals are those of the tree before. */
  readonly isSame: boolean;
  /** In the first tree, which is all new: the nodes with each of the properties by which checks look for nodes, in tree order. */
  readonly index: ReadonlyMap<string, readonly DtNode[]> | undefined;
}

/** What a property says to others, by its name: which nodes a check looks at, or something that checks of other nodes read. */
export interface NameUse {
  readonly isIndexed: boolean;
  readonly isRead: boolean;
}

/** What is known of the nodes of trees that follow each other. */
export class NodeMemory {
  private readonly useOf: (name: string) => NameUse;
  private readonly known = new WeakMap<DtNode, Known>();
  private guilty: ReadonlySet<DtNode> = new Set();
  private before: { readonly signals: readonly Signal[]; readonly plugin: boolean } | undefined;

  constructor(useOf: (name: string) => NameUse) {
    this.useOf = useOf;
  }

  /** Looks through a tree. What is the same as before, with all below it, is passed over. */
  see({ root, plugin }: DeviceTree): Seen {
    const { before } = this;
    const walk = new Walk(this.known, this.useOf, before === undefined ? new Map<string, DtNode[]>() : undefined);
    walk.forget(this.guilty);
    const signals: Signal[] = [];
    collect(walk.visit(root, undefined, 0), signals);
    this.before = { signals, plugin };
    return { fresh: walk.fresh, signals, isSame: before?.plugin === plugin && areSame(before.signals, signals), index: walk.index };
  }

  /** Takes nodes for ones that were never seen, when the next tree is looked through. */
  forget(nodes: ReadonlySet<DtNode>): void {
    this.guilty = nodes;
  }
}

class Walk {
  readonly fresh: DtNode[] = [];
  readonly index: Map<string, DtNode[]> | undefined;
  private readonly known: WeakMap<DtNode, Known>;
  private readonly useOf: (name: string) => NameUse;
  /** Nodes that are to be taken for new, and those above them. */
  private readonly leading = new Set<DtNode>();

  constructor(known: WeakMap<DtNode, Known>, useOf: (name: string) => NameUse, index: Map<string, DtNode[]> | undefined) {
    this.known = known;
    this.useOf = useOf;
    this.index = index;
  }

  /** Takes nodes for new. */
  forget(nodes: ReadonlySet<DtNode>): void {
    for (const node of nodes) {
      this.known.delete(node);
      for (let walk: DtNode | undefined = node; walk !== undefined && !this.leading.has(walk); walk = walk.parent) this.leading.add(walk);
    }
  }

  visit(node: DtNode, parent: DtNode | undefined, parentKinds: number): Signals | undefined {
    const around = parent?.properties;
    const known = this.known.get(node);
    const isSame = known?.around === around && known?.parentKinds === parentKinds;
    if (isSame && !this.leading.has(node)) return known.signals;
    if (!isSame) this.fresh.push(node);
    const kinds = known?.kinds ?? kindsOf(node);
    const own = this.signalOf(node, kinds);
    let below: Signals[] | undefined;
    for (let index = 0, child = node.children[0]; child !== undefined; child = node.children[++index]) {
      // What linking adds (__symbols__, __fixups__, …) repeats names of nodes, and is nobody's to mend.
      const signals = parent === undefined && child.name.startsWith('__') ? undefined : this.visit(child, node, kinds);
      if (signals === undefined) continue;
      if (below === undefined) below = [signals];
      else below.push(signals);
    }
    const signals = own === undefined && (below === undefined || below.length === 1) ? below?.[0] : { own, below: below ?? NONE };
    this.known.set(node, { around, parentKinds, kinds, signals });
    return signals;
  }

  private signalOf(node: DtNode, kinds: number): Signal | undefined {
    let said = UNSAID;
    for (let index = 0, property = node.properties[0]; property !== undefined; property = node.properties[++index]) {
      const use = this.useOf(property.name);
      if (use.isRead) said = said.length === 0 ? [property] : said.concat(property);
      if (use.isIndexed && this.index !== undefined) addTo(this.index, property.name, node);
    }
    const phandle = phandleOf(node);
    return phandle === undefined && kinds === 0 && said.length === 0 && !NAMED.has(node.name) ? undefined : { node, phandle, kinds, said };
  }
}

/** Adds a node to an index of nodes by their properties, once for each name. */
export function addTo(index: Map<string, DtNode[]>, name: string, node: DtNode): void {
  const others = index.get(name);
  if (others === undefined) index.set(name, [node]);
  // Damaged blobs have two properties of one name.
  else if (others[others.length - 1] !== node) others.push(node);
}

const NONE: readonly Signals[] = [];
const UNSAID: readonly DtProperty[] = [];
/** Nodes that checks look for by name. */
const NAMED: ReadonlySet<string> = new Set(['aliases', 'chosen']);

function collect(signals: Signals | undefined, list: Signal[]): void {
  if (signals === undefined) return;
  if (signals.own !== undefined) list.push(signals.own);
  for (let index = 0, one = signals.below[0]; one !== undefined; one = signals.below[++index]) collect(one, list);
}

/** True if both say the same in the same order; that they are said by the same nodes follows, for properties and numbers are not shared among nodes. */
function areSame(a: readonly Signal[], b: readonly Signal[]): boolean {
  return a.length === b.length && a.every((one, index) => isSame(one, b[index]));
}

function isSame(a: Signal, b: Signal | undefined): boolean {
  return a === b || (b !== undefined && a.phandle === b.phandle && a.said.length === b.said.length && a.said.every((property, index) => property === b.said[index]));
}
