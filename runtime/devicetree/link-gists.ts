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
    const below: Gists[] = [];
    for (let index = 0, child = node.children[0]; child !== undefined; child = node.children[++index]) {
      const gists = this.find(child);
      if (gists !== NOTHING) below.push(gists);
    }
    const own = gistOf(node);
    const [only] = below;
    const found = own !== undefined || below.length > 1 ? { own, below: only === undefined ? NONE : below } : (only ?? NOTHING);
    this.known.set(node, found);
    return found;
  }
}

const NONE: readonly Gists[] = [];
const NOTHING: Gists = { own: undefined, below: NONE };
const NO_PROPERTIES: readonly DtProperty[] = [];

function gistOf(node: DtNode): NodeGist | undefined {
  let [inCells, byPath, phandles] = [NO_PROPERTIES, NO_PROPERTIES, NO_PROPERTIES];
  let hasName = false;
  for (let index = 0, property = node.properties[0]; property !== undefined; property = node.properties[++index]) {
    const { name } = property;
    if (property.refersBy('u32')) inCells = [...inCells, property];
    if (property.refersBy('path')) byPath = [...byPath, property];
    if (name === 'phandle' || name === 'linux,phandle') phandles = [...phandles, property];
    hasName ||= name === 'name';
  }
  const isPlain = inCells === NO_PROPERTIES && byPath === NO_PROPERTIES && phandles === NO_PROPERTIES && !hasName && !node.omitIfNoRef && node.labels.length === 0;
  return isPlain ? undefined : { node, inCells, byPath, phandles, hasName, isOptional: node.omitIfNoRef, number: undefined };
}

function collect({ own, below }: Gists, list: NodeGist[]): void {
  if (own !== undefined) list.push(own);
  for (let index = 0, one = below[0]; one !== undefined; one = below[++index]) collect(one, list);
}
