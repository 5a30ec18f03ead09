/**
 * What of a node linking goes by: labels, references, numbers that are stated. Nodes that say nothing of that are passed over, and what was found below a node
 * is found at once as long as the node is the same object.
 */

import type { DtNode, DtProperty } from './tree';

/** What linking goes by in one node. */
export interface NodeGist {
  readonly node: DtNode;
  /** Properties that refer to nodes in cells. */
  readonly inCells: readonly DtProperty[];
  /** Properties that refer to nodes by path. */
  readonly byPath: readonly DtProperty[];
  /** Those that state its number. */
  readonly phandles: readonly DtProperty[];
  /** True if it has a property `name`. */
  readonly hasName: boolean;
  /** True if it is left out unless something refers to it. */
  readonly isOptional: boolean;
  /** The number that it was given and does not state. */
  number: number | undefined;
}

/** The gists of a node and all below it, in tree order. */
interface Gists {
  readonly own: NodeGist | undefined;
  readonly below: readonly Gists[];
}

/** Gists of nodes of trees that follow each other. */
export class GistMemory {
  private readonly known = new WeakMap<DtNode, Gists>();

  /** The gists of a node and all below it, in tree order. */
  of(root: DtNode): readonly NodeGist[] {
    const list: NodeGist[] = [];
    collect(this.find(root), list);
    return list;
  }

  private find(node: DtNode): Gists {
    const known = this.known.get(node);
    if (known !== undefined) return known;
    let below: Gists[] | undefined;
    for (let index = 0, child = node.children[0]; child !== undefined; child = node.children[++index]) {
      const gists = this.find(child);
      if (gists === NOTHING) continue;
      if (below === undefined) below = [gists];
      else below.push(gists);
    }
    const own = gistOf(node);
    const found = own === undefined && (below === undefined || below.length === 1) ? (below?.[0] ?? NOTHING) : { own, below: below ?? NONE };
    this.known.set(node, found);
    return found;
  }
}

const NONE: readonly Gists[] = [];
const NOTHING: Gists = { own: undefined, below: NONE };
const NO_PROPERTIES: readonly DtProperty[] = [];

// Every node of a first tree comes here, and most lists have one element or none.
function gistOf(node: DtNode): NodeGist | undefined {
  let inCells: DtProperty[] | undefined;
  let byPath: DtProperty[] | undefined;
  let phandles: DtProperty[] | undefined;
  let hasName = false;
  for (let index = 0, property = node.properties[0]; property !== undefined; property = node.properties[++index]) {
    const { name } = property;
    if (property.refersBy('u32')) inCells = withOneMore(inCells, property);
    if (property.refersBy('path')) byPath = withOneMore(byPath, property);
    if (name === 'phandle' || name === 'linux,phandle') phandles = withOneMore(phandles, property);
    else if (name === 'name') hasName = true;
  }
  const isPlain = inCells === undefined && byPath === undefined && phandles === undefined && !hasName && !node.omitIfNoRef && node.labels.length === 0;
  return isPlain ? undefined : { node, inCells: inCells ?? NO_PROPERTIES, byPath: byPath ?? NO_PROPERTIES, phandles: phandles ?? NO_PROPERTIES, hasName, isOptional: node.omitIfNoRef, number: undefined };
}

function withOneMore(list: DtProperty[] | undefined, property: DtProperty): DtProperty[] {
  if (list === undefined) return [property];
  list.push(property);
  return list;
}

function collect(gists: Gists, list: NodeGist[]): void {
  if (gists.own !== undefined) list.push(gists.own);
  for (let index = 0, one = gists.below[0]; one !== undefined; one = gists.below[++index]) collect(one, list);
}
