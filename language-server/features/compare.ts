/** Two trees compared by meaning, with both sides as source and their places. */

import { compareTrees, type TreeDifference as Difference } from '../../runtime/devicetree/compare';
import { printDtsNode } from '../../runtime/devicetree/print';
import { DtNode, type DtProperty } from '../../runtime/devicetree/tree';
import type { TreeComparison, TreeDifference, TreeInput } from '../protocol';
import { placeOf, type NamedTree, type TreeSource } from '../tree-source';

/** What differs between two inputs. */
export function compareInputs(sources: TreeSource, leftInput: TreeInput, rightInput: TreeInput): TreeComparison | null {
  const [left, right] = [sources.tree(leftInput), sources.tree(rightInput)];
  if (left === undefined || right === undefined) return null;
  return { differences: compareTrees(left.tree, right.tree).map((difference) => described(difference, left, right)), problems: [...left.problems, ...right.problems] };
}

function described({ kind, path, property, left, right }: Difference, leftTree: NamedTree, rightTree: NamedTree): TreeDifference {
  return {
    kind, path, property: property ?? null, left: sourceOf(left, leftTree), right: sourceOf(right, rightTree),
    leftPlace: placeOf(leftTree.analysis, left?.origin), rightPlace: placeOf(rightTree.analysis, right?.origin),
  };
}

function sourceOf(what: DtNode | DtProperty | undefined, { tree }: NamedTree): string | null {
  if (what === undefined) return null;
  return what instanceof DtNode ? printDtsNode(what, tree.root) : propertySource(what, tree.root);
}

/** A property as source, without its node. */
export function propertySource(property: DtProperty, root?: DtNode): string {
  const around = new DtNode('node');
  around.insertProperty(property);
  return printDtsNode(around, root ?? around).split('\n').map((line) => line.trim()).filter((line) => line !== '').slice(1, -1).join(' ');
}
