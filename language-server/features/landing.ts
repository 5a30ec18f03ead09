/** Where nodes of an overlay land: the same nodes in the tree that overlay and base come to. */

import type { DtNode } from '../../runtime/devicetree/tree';
import { nodeOfReference, type Analysis } from '../analysis';

/** The node of the base that an overlay refers to, as it is with the overlay. */
export function inBase(reference: string, analysis: Analysis, base: Analysis | undefined): DtNode | undefined {
  const [node] = base === undefined ? [] : nodeOfReference(base.tree, reference);
  return node === undefined ? undefined : merged(node, analysis);
}

/** A node of a base as it is with what this analysis adds to it. */
export function merged(node: DtNode, analysis: Analysis): DtNode {
  return analysis.judged.root.at(node.path) ?? node;
}

/** A node of an overlay as it is once the overlay is applied; any other as it is. */
export function landed(node: DtNode, analysis: Analysis, base: Analysis | undefined): DtNode {
  const path = base === undefined ? undefined : landingPath(node, base);
  return path === undefined ? node : analysis.judged.root.at(path) ?? node;
}

/** The path that a node of an overlay has once the overlay is applied, whether or not the base has such a node already; `undefined` where its target is not in the base. */
export function landingPath(node: DtNode, base: Analysis): string | undefined {
  const names: string[] = [];
  let body: DtNode | undefined = node;
  for (; body !== undefined && body.name !== '__overlay__'; body = body.parent) names.unshift(body.name);
  const fragment = body?.parent;
  if (fragment === undefined) return undefined;
  const label = fragment.property('target')?.value[0]?.references[0]?.name;
  const path = fragment.string('target-path');
  const target = label === undefined ? (path === undefined ? undefined : base.tree.root.at(path)) : nodeOfReference(base.tree, label.startsWith('/') ? `&{${label}}` : `&${label}`)[0];
  return target === undefined ? undefined : [target.path.replace(/\/$/, ''), ...names].join('/');
}

/** True in an overlay whose base is not known: cells and addresses around its nodes are not known either. */
export function isAdrift({ tree }: Analysis, base: Analysis | undefined): boolean {
  return tree.plugin && base === undefined;
}
