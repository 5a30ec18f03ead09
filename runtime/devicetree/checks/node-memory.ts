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
}

/** What is known of the nodes of trees that follow each other. */
export class NodeMemory {
  private readonly isRead: (name: string) => boolean;
  private readonly known = new WeakMap<DtNode, Known>();
  private guilty: ReadonlySet<DtNode> = new Set();
  private before: { readonly signals: readonly Signal[]; readonly plugin: boolean } | undefined;

  /** `isRead` tells the names of properties by which other nodes may be judged. */
  constructor(isRead: (name: string) => boolean) {
    this.isRead = isRead;
  }

  /** Looks through a tree. What is the same as before, with all below it, is passed over. */
  see({ root, plugin }: DeviceTree): Seen {
    const walk = new Walk(this.known, this.isRead, this.guilty);
    const signals: Signal[] = [];
    collect(walk.visit(root, undefined), signals);
    const { before } = this;
    this.before = { signals, plugin };
    return { fresh: walk.fresh, signals, isSame: before?.plugin === plugin && areSame(before.signals, signals) };
  }

  /** Takes nodes for ones that were never seen, when the next tree is looked through. */
  forget(nodes: ReadonlySet<DtNode>): void {
    this.guilty = nodes;
  }
}

class Walk {
  readonly fresh: DtNode[] = [];
  private readonly known: WeakMap<DtNode, Known>;
  private readonly isRead: (name: string) => boolean;
  /** Nodes that are to be taken for new, and those above them. */
  private readonly leading = new Set<DtNode>();

  constructor(known: WeakMap<DtNode, Known>, isRead: (name: string) => boolean, guilty: ReadonlySet<DtNode>) {
    this.known = known;
    this.isRead = isRead;
    for (const node of guilty) {
      known.delete(node);
      for (let walk: DtNode | undefined = node; walk !== undefined && !this.leading.has(walk); walk = walk.parent) this.leading.add(walk);
    }
  }

  visit(node: DtNode, parent: { readonly node: DtNode; readonly kinds: number } | undefined): Signals | undefined {
    const around = parent?.node.properties;
    const parentKinds = parent?.kinds ?? 0;
    const known = this.known.get(node);
    const isSame = known?.around === around && known?.parentKinds === parentKinds;
    if (isSame && !this.leading.has(node)) return known.signals;
    if (!isSame) this.fresh.push(node);
    const kinds = known?.kinds ?? kindsOf(node);
    const below: Signals[] = [];
    for (let index = 0, child = node.children[0]; child !== undefined; child = node.children[++index]) {
      // What linking adds (__symbols__, __fixups__, …) repeats names of nodes, and is nobody's to mend.
      const signals = parent === undefined && child.name.startsWith('__') ? undefined : this.visit(child, { node, kinds });
      if (signals !== undefined) below.push(signals);
    }
    const own = this.signalOf(node, kinds);
    const signals = own === undefined && below.length <= 1 ? below[0] : { own, below: below.length === 0 ? NONE : below };
    this.known.set(node, { around, parentKinds, kinds, signals });
    return signals;
  }

  private signalOf(node: DtNode, kinds: number): Signal | undefined {
    const phandle = phandleOf(node);
    const said = node.properties.filter(({ name }) => this.isRead(name));
    if (phandle === undefined && kinds === 0 && said.length === 0 && !NAMED.has(node.name)) return undefined;
    return { node, phandle, kinds, said: said.length === 0 ? UNSAID : said };
  }
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
