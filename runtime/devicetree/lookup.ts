/** Finding nodes and reading the properties that the Devicetree Specification gives a meaning to (DTSpec 2.3). */

import type { DtNode } from './tree';

/** The first node with this label, in tree order. */
export function nodeByLabel(root: DtNode, label: string): DtNode | undefined {
  for (const candidate of root.walk()) if (candidate.labels.includes(label)) return candidate;
  return undefined;
}

/** The first node with this phandle, in tree order. */
export function nodeByPhandle(root: DtNode, phandle: number): DtNode | undefined {
  for (const candidate of root.walk()) if (phandleOf(candidate) === phandle) return candidate;
  return undefined;
}

/** The nodes with this compatible string, in tree order. */
export function nodesByCompatible(root: DtNode, compatible: string): readonly DtNode[] {
  return [...root.walk()].filter((candidate) => candidate.isCompatible(compatible));
}

/** The node that a reference names: `label`, `/path` or `label/path`. */
export function nodeByReference(root: DtNode, reference: string): DtNode | undefined {
  if (reference.startsWith('/')) return root.at(reference);
  const slash = reference.indexOf('/');
  const start = nodeByLabel(root, slash < 0 ? reference : reference.slice(0, slash));
  return slash < 0 ? start : start?.at(reference.slice(slash));
}

/** The node at a path as libfdt reads it: an alias may come first, and a name without unit address finds one with. */
export function nodeByPath(root: DtNode, path: string): DtNode | undefined {
  if (path === '') return undefined;
  const [first = '', ...rest] = path.split('/');
  const alias = first === '' ? undefined : root.child('aliases')?.string(first);
  if (first !== '' && (alias === undefined || !alias.startsWith('/'))) return undefined;
  let found: DtNode | undefined = root;
  for (const name of [...(alias ?? '').split('/'), ...rest]) if (name !== '') found = found === undefined ? undefined : looseChild(found, name);
  return found;
}

/** The first child with this name; a name without `@` also matches the part before a child's `@`. */
export function looseChild(parent: DtNode, name: string): DtNode | undefined {
  return name.includes('@') ? parent.child(name) : parent.childByBaseName(name);
}

/** The phandle of a node, from `phandle` or the old `linux,phandle`; `undefined` if it has none that is valid. */
export function phandleOf(node: DtNode): number | undefined {
  const property = node.property('phandle') ?? node.property('linux,phandle');
  const value = property?.bytes.length === 4 ? property.u32s[0] : undefined;
  return value === 0 || value === 0xffff_ffff ? undefined : value;
}

/** `#address-cells` that apply to the children of `node`; 2 if not stated (DTSpec 2.3.5). */
export function addressCells(node: DtNode): number {
  return node.u32('#address-cells') ?? 2;
}

/** `#size-cells` that apply to the children of `node`; 1 if not stated (DTSpec 2.3.5). */
export function sizeCells(node: DtNode): number {
  return node.u32('#size-cells') ?? 1;
}

/** A pair of `reg`. */
export interface RegEntry {
  readonly address: bigint;
  readonly size: bigint;
}

/** The entries of `reg`, cut by the parent's cells; an incomplete last entry is left out. */
export function regEntries(node: DtNode): readonly RegEntry[] {
  const reg = node.property('reg');
  const [addresses, sizes] = node.parent === undefined ? [2, 1] : [addressCells(node.parent), sizeCells(node.parent)];
  const step = addresses + sizes;
  if (reg === undefined || step === 0) return [];
  const entries: RegEntry[] = [];
  for (let at = 0; (at + step) * 4 <= reg.bytes.length; at += step) {
    entries.push({ address: reg.numberAt(at, addresses) ?? 0n, size: reg.numberAt(at + addresses, sizes) ?? 0n });
  }
  return entries;
}

/** True unless `status` says otherwise (DTSpec 2.3.4). */
export function isEnabled(node: DtNode): boolean {
  const status = node.string('status');
  return status === undefined || status === 'okay' || status === 'ok';
}

/** The interrupt parent of a node: its own or the nearest ancestor's `interrupt-parent` (DTSpec 2.4.1). */
export function interruptParent(root: DtNode, node: DtNode): DtNode | undefined {
  for (let walk: DtNode | undefined = node; walk !== undefined; walk = walk.parent) {
    const phandle = walk.u32('interrupt-parent');
    if (phandle !== undefined) return nodeByPhandle(root, phandle);
  }
  return undefined;
}
