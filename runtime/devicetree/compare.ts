/**
 * What differs in meaning between two trees: nodes and properties by path. Order, labels and the numbers of phandles mean nothing; a cell
 * that refers to the same node on both sides is equal. Not a textual comparison. Both trees must be linked.
 */

import { phandleOf } from './lookup';
import { equalBytes } from './text';
import type { DeviceTree, DtNode, DtProperty } from './tree';

/** One difference. Of a node that only one side has, only the node is told, not what is in it. */
export interface TreeDifference {
  readonly kind: 'added' | 'removed' | 'changed';
  /** Path of the node. */
  readonly path: string;
  /** Name of the property; absent if the node itself was added or removed. */
  readonly property: string | undefined;
  readonly left: DtNode | DtProperty | undefined;
  readonly right: DtNode | DtProperty | undefined;
}

/** Most differences that are told. */
export const DIFFERENCES_MAX = 10_000;

/** What `right` has otherwise than `left`, in the order of the trees. */
export function compareTrees(left: DeviceTree, right: DeviceTree): readonly TreeDifference[] {
  const comparison = new Comparison(pathsByPhandle(left.root), pathsByPhandle(right.root));
  comparison.nodes(left.root, right.root);
  return comparison.found;
}

function pathsByPhandle(root: DtNode): ReadonlyMap<number, string> {
  const paths = new Map<number, string>();
  for (const node of root.walk()) {
    const phandle = phandleOf(node);
    if (phandle !== undefined) paths.set(phandle, node.path);
  }
  return paths;
}

class Comparison {
  readonly found: TreeDifference[] = [];
  private readonly leftPaths: ReadonlyMap<number, string>;
  private readonly rightPaths: ReadonlyMap<number, string>;

  constructor(leftPaths: ReadonlyMap<number, string>, rightPaths: ReadonlyMap<number, string>) {
    this.leftPaths = leftPaths;
    this.rightPaths = rightPaths;
  }

  nodes(left: DtNode, right: DtNode): void {
    const { path } = left;
    for (const property of left.properties) {
      const other = right.property(property.name);
      if (other === undefined) this.add({ kind: 'removed', path, property: property.name, left: property, right: undefined });
      else if (!this.isSame(property, other)) this.add({ kind: 'changed', path, property: property.name, left: property, right: other });
    }
    for (const property of right.properties) if (!left.has(property.name)) this.add({ kind: 'added', path, property: property.name, left: undefined, right: property });
    for (const child of left.children) {
      const other = right.child(child.name);
      if (other === undefined) this.add({ kind: 'removed', path: child.path, property: undefined, left: child, right: undefined });
      else this.nodes(child, other);
    }
    for (const child of right.children) if (left.child(child.name) === undefined) this.add({ kind: 'added', path: child.path, property: undefined, left: undefined, right: child });
  }

  private add(difference: TreeDifference): void {
    const isNumbering = difference.property === 'phandle' || difference.property === 'linux,phandle';
    if (!isNumbering && this.found.length < DIFFERENCES_MAX) this.found.push(difference);
  }

  private isSame(left: DtProperty, right: DtProperty): boolean {
    if (equalBytes(left.bytes, right.bytes)) return true;
    if (left.bytes.length !== right.bytes.length || left.bytes.length % 4 !== 0) return false;
    const others = right.u32s;
    return left.u32s.every((cell, index) => {
      const other = others[index] ?? 0;
      const path = this.leftPaths.get(cell);
      return cell === other || (path !== undefined && path === this.rightPaths.get(other));
    });
  }
}
