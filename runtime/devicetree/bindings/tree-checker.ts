/**
 * Checks a tree again and again as it changes. The verdict on a node depends on the node with all below it, on whether it is switched off from
 * above, and on how the whole tree, which says widths and phandles, lets values be read; where all of that is as before, so is the verdict.
 */

import { equalBytes } from '../text';
import type { DtNode, DtProperty } from '../tree';
import type { BindingFailure, BindingSet } from './binding-set';
import { TreeDecoder } from './decode';
import { isValueList, NodeInstance, SizedInteger, type Value } from './instance';

/** Properties that say how others are read, anywhere in the tree. */
const WIDE_REACH = /^(?:#.*-cells|phandle|interrupt-parent|gpio-hog)$/;

interface Verdict {
  readonly disabled: boolean;
  readonly failures: readonly BindingFailure[];
}

interface Kept {
  readonly root: DtNode;
  readonly reach: readonly (number | string | undefined)[];
  readonly instances: ReadonlyMap<DtNode, NodeInstance>;
  readonly verdicts: ReadonlyMap<DtNode, Verdict>;
}

/** Checks linked trees that follow each other. */
export class TreeChecker {
  private readonly bindings: BindingSet;
  private readonly decoder: TreeDecoder;
  private kept: Kept | undefined;

  constructor(bindings: BindingSet) {
    this.bindings = bindings;
    this.decoder = new TreeDecoder(bindings.types);
  }

  /** All failures, as `BindingSet.checkTree` finds them. */
  check(root: DtNode): readonly BindingFailure[] {
    const reach = reachOf(root);
    const before = this.kept;
    const same = new Map<DtNode, DtNode>();
    if (before !== undefined) match(root, before.root, same);
    const isReadAlike = before !== undefined && isSameList(before.reach, reach);
    const instance = this.decoder.decode(root, (node) => (isReadAlike ? before.instances.get(same.get(node) ?? node) : undefined));
    if (before !== undefined && !isReadAlike) keepReadAlike(instance, before.instances, same);
    const run = new Run(this.bindings, same, before?.verdicts);
    run.visit(root, instance, false);
    this.kept = { root, reach, instances: run.instances, verdicts: run.verdicts };
    return run.failures;
  }
}

/** What reaches far: such properties in tree order, each with the path of its node and its first cell. Names alone would not tell two nodes of one name apart. */
function reachOf(root: DtNode): Kept['reach'] {
  const found: (number | string | undefined)[] = [];
  const visit = (node: DtNode, path: string): void => {
    for (const { name } of node.properties) {
      const isCandidate = name.charCodeAt(0) === HASH || name === 'phandle' || name === 'interrupt-parent' || name === 'gpio-hog';
      if (isCandidate && WIDE_REACH.test(name)) found.push(path, name, node.u32(name));
    }
    for (const child of node.children) visit(child, `${path}/${child.name}`);
  };
  visit(root, '');
  return found;
}

const HASH = 0x23;

function isSameList(a: Kept['reach'], b: Kept['reach']): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** True if two properties say the same, wherever they are written. */
function isSameProperty(a: DtProperty, b: DtProperty | undefined): boolean {
  if (a === b) return true;
  if (a.name !== b?.name || a.value.length !== b.value.length || !equalBytes(a.bytes, b.bytes)) return false;
  return a.value.every((part, index) => part.type === b.value[index]?.type && part.references.length === b.value[index].references.length);
}

/** Notes for each node of the new tree that is the same, with all below it, which node it was. */
function match(node: DtNode, before: DtNode, same: Map<DtNode, DtNode>): boolean {
  let isSame = node.name === before.name && node.properties.length === before.properties.length && node.children.length === before.children.length;
  if (isSame) isSame = node.properties.every((property, index) => isSameProperty(property, before.properties[index]));
  for (const [index, child] of node.children.entries()) {
    const other = before.children[index]?.name === child.name ? before.children[index] : before.child(child.name);
    const isChildSame = other !== undefined && match(child, other, same);
    isSame &&= isChildSame && other === before.children[index];
  }
  if (isSame) same.set(node, before);
  return isSame;
}

/** Of nodes with the same bytes, keeps those whose values are still read alike, with all below them; the rest of the tree may say otherwise. */
function keepReadAlike(instance: NodeInstance, before: Kept['instances'], same: Map<DtNode, DtNode>): boolean {
  const { node, members } = instance;
  const old = before.get(same.get(node) ?? node)?.members;
  let isSame = old?.size === members.size;
  for (const [name, value] of members) {
    const isAlike: boolean = value instanceof NodeInstance ? keepReadAlike(value, before, same) : isSame && isSameValue(value, old?.get(name));
    isSame &&= isAlike;
  }
  if (!isSame) same.delete(node);
  return isSame;
}

/** True if two values that were read from the same bytes are the same. */
function isSameValue(a: Value, b: Value | undefined): boolean {
  if (a === b) return true;
  if (isValueList(a)) return isValueList(b) && a.length === b.length && a.every((item, index) => isSameValue(item, b[index]));
  if (a instanceof SizedInteger) return b instanceof SizedInteger && a.value === b.value && a.bits === b.bits;
  return a instanceof Uint8Array && b instanceof Uint8Array && equalBytes(a, b);
}

class Run {
  readonly failures: BindingFailure[] = [];
  readonly instances = new Map<DtNode, NodeInstance>();
  readonly verdicts = new Map<DtNode, Verdict>();
  private readonly bindings: BindingSet;
  private readonly same: ReadonlyMap<DtNode, DtNode>;
  private readonly before: ReadonlyMap<DtNode, Verdict> | undefined;

  constructor(bindings: BindingSet, same: ReadonlyMap<DtNode, DtNode>, before: ReadonlyMap<DtNode, Verdict> | undefined) {
    this.bindings = bindings;
    this.same = same;
    this.before = before;
  }

  visit(node: DtNode, instance: NodeInstance, inherited: boolean): void {
    const disabled = instance.members.has('status') ? instance.disabled : inherited;
    const old = this.same.get(node);
    const known = old === undefined ? undefined : this.before?.get(old);
    const found = known?.disabled === disabled ? known.failures : this.bindings.checkNode(instance, disabled);
    // An instance that was kept knows the node as it was; the failures are about the node as it is.
    const failures = found.map((failure) => (failure.node === node ? failure : { ...failure, node }));
    this.instances.set(node, instance);
    this.verdicts.set(node, { disabled, failures });
    for (const failure of failures) this.failures.push(failure);
    for (const child of node.children) {
      const inner = instance.members.get(child.name);
      if (inner !== undefined && typeof inner === 'object' && 'members' in inner) this.visit(child, inner, disabled);
    }
  }
}
