/**
 * How large RM's overlay is as a blob of its own. The real RM writes it piece by piece, each a fragment, and by its size decides where it merges a VM's
 * tree and whether there is room for that. Not what is merged: see `vm-overlay.ts`.
 */

import { encodeDtb, linkTree, rootNode } from '../devicetree';
import type { DtNode } from '../devicetree';
import { nodeAt } from '../devicetree/rm-rules';

/** What goes into one fragment: the properties and children of `content`, for the node at `path`. */
interface Piece { readonly path: string; readonly content: DtNode }

const HYPERVISOR = '/hypervisor';
const IDENTITY = 'qcom,gunyah-vm';
const MEMORY = '/memory';
const RESERVED = '/reserved-memory';
/** Between the header and the memory reservations. */
const UNUSED_BYTES = 8;
/** RM does not look whether it is there. */
const CHOSEN = '/chosen';

/** The size in bytes of the blob in which RM writes `additions` for the tree `base`; it finds the node at `gicPath` by its number. */
export function overlayBlobBytes(additions: DtNode, base: DtNode, gicPath: string | undefined): number {
  const overlay = rootNode();
  piecesOf(additions, base).forEach(({ path, content }, index) => {
    const fragment = overlay.ensure(`/fragment@${String(index)}`);
    if (path === gicPath) fragment.set('target', 0);
    else fragment.set('target-path', path);
    copyInto(fragment.ensure('__overlay__'), content);
  });
  // Always there, with or without references.
  for (const name of ['__fixups__', '__local_fixups__']) overlay.ensure(name);
  return UNUSED_BYTES + encodeDtb(linkTree({ root: overlay, reservations: [], bootCpu: 0, plugin: true }).tree).length;
}

function piecesOf(additions: DtNode, base: DtNode): readonly Piece[] {
  const isThere = (node: DtNode): boolean => node.path === CHOSEN || nodeAt(base, node.path) !== undefined;
  const isOfMemory = (node: DtNode): boolean => node.path === MEMORY || (node.path === RESERVED && !isThere(node));
  const inNew = (node: DtNode): Piece[] => {
    if (node.path !== HYPERVISOR) return [chain(node)];
    const rest = node.children.filter((child) => child.name !== IDENTITY);
    return [chain(node, (child) => !rest.includes(child)), ...rest.map((child) => chain(child))];
  };
  const inOld = (node: DtNode): Piece[] => {
    const isWritten = node.properties.length > 0 || node.path === RESERVED;
    const [old, added] = [node.children.filter(isThere), node.children.filter((child) => !isThere(child))];
    const own: Piece[] = isWritten ? [{ path: node.path, content: rootNode({}, added.map((child) => child.clone())) }] : added.flatMap(inNew);
    for (const { content } of isWritten ? own : []) for (const property of node.properties) content.insertProperty(property);
    return [...old.flatMap(inOld), ...own];
  };
  const memory: Piece = { path: '/', content: rootNode({}, additions.children.filter(isOfMemory).map((child) => child.clone())) };
  return [memory, ...additions.children.filter((node) => !isOfMemory(node)).flatMap((node) => (isThere(node) ? inOld(node) : inNew(node)))];
}

/** A new node below the root, with those of its children that are wanted. */
function chain(node: DtNode, isWanted: (child: DtNode) => boolean = () => true): Piece {
  const content = rootNode();
  copyInto(content.ensure(node.path), node, isWanted);
  return { path: '/', content };
}

function copyInto(to: DtNode, from: DtNode, isWanted: (child: DtNode) => boolean = () => true): void {
  for (const property of from.properties) to.insertProperty(property);
  for (const child of from.children) if (isWanted(child)) to.add(child.clone());
  to.labels = from.labels;
}
