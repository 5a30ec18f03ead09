/** Checks of phandles: providers with their cells, GPIOs, interrupts, and connections of graphs. */

import { addressCells, sizeCells } from '../lookup';
import { cellCount, isPhandle, statedAddressCells, unitOf, type CheckContext } from './context';
import type { DtNode, DtProperty } from '../tree';

/** A kind of list: its property, and what counts the cells at the provider. */
export interface ProviderList {
  readonly property: string;
  readonly cells: string;
  /** A provider without the count has no cells. */
  readonly isOptional?: boolean;
}

/** Names of properties, besides those that count cells of lists, that checks here read in other nodes than the one they are asked about. */
export const READ_ELSEWHERE: readonly string[] = ['#gpio-cells', '#interrupt-cells', 'interrupt-parent', 'interrupt-controller', 'interrupt-map', 'remote-endpoint'];

/** A check of one kind of list. */
export function providerList(list: ProviderList): (context: CheckContext, node: DtNode) => void {
  return (context, node) => {
    const property = node.property(list.property);
    if (property !== undefined) checkList(context, node, { property, list });
  };
}

function checkList(context: CheckContext, node: DtNode, { property, list }: { readonly property: DtProperty; readonly list: ProviderList }): void {
  const { u32s, bytes } = property;
  if (bytes.length % 4 !== 0) {
    context.report(node, `${property.name} is a list of cells, but has ${String(bytes.length)} bytes.`, property);
    return;
  }
  const references = referencesIn(property);
  let next = 0;
  for (let at = 0; at < u32s.length;) {
    const phandle = u32s[at] ?? 0;
    if (!isPhandle(phandle)) {
      // Entries may be left out with 0 or -1; in an overlay it may be somebody else's node.
      if (context.isOverlay) return;
      at++;
      continue;
    }
    while (references !== undefined && (references[next] ?? Infinity) < at * 4) next++;
    if (references !== undefined && references[next] !== at * 4) context.report(node, `Cell ${String(at)} of ${property.name} should be a reference to a node.`, property, at);
    const provider = context.provider(phandle);
    if (provider === undefined) {
      context.report(node, `Cell ${String(at)} of ${property.name} refers to no node of the tree.`, property, at);
      return;
    }
    const count = provider.property(list.cells);
    if (count === undefined && list.isOptional !== true) {
      context.report(node, `${provider.path} has no ${list.cells}, which ${property.name} needs (cell ${String(at)}).`, property, at);
      return;
    }
    const cells = count?.u32s[0] ?? 0;
    if (bytes.length < (at + cells + 1) * 4) context.report(node, `${property.name} ends too early: ${provider.path} takes ${String(cells)} ${cells === 1 ? 'cell' : 'cells'} behind the reference, but ${String(bytes.length / 4 - at - 1)} ${bytes.length / 4 - at - 1 === 1 ? 'is' : 'are'} there.`, property, at);
    at += cells + 1;
  }
}

/** Byte offsets of references, in order; `undefined` for a value that comes from a blob, where they cannot be told. */
function referencesIn(property: DtProperty): readonly number[] | undefined {
  if (property.value.every(({ type }) => type === 'unknown')) return undefined;
  const offsets: number[] = [];
  let base = 0;
  property.value.forEach(({ references, bytes }) => {
    for (let index = 0, mark = references[0]; mark !== undefined; mark = references[++index]) offsets.push(base + mark.offset);
    base += bytes.length;
  });
  return offsets;
}

/** True for the names of properties that list GPIOs. */
export function isGpioList(name: string): boolean {
  return name.includes('gpio') && /(-gpios?|^gpios?)$/.test(name) && !name.endsWith(',nr-gpios');
}

/** Lists of GPIOs, whatever their names begin with. */
export function gpioLists(context: CheckContext, node: DtNode): void {
  if (node.has('gpio-hog')) return;
  for (const property of node.properties) if (isGpioList(property.name)) checkList(context, node, { property, list: { property: property.name, cells: '#gpio-cells' } });
}

/** Lists of GPIOs end in s by now. */
export function deprecatedGpioList(context: CheckContext, node: DtNode): void {
  if (node.has('gpio-hog')) return;
  for (const property of node.properties) if (isGpioList(property.name) && property.name.endsWith('gpio')) context.report(node, `Name it ${property.name}s; the form without s is deprecated.`, property);
}

function isInterruptProvider(node: DtNode): boolean {
  return node.has('interrupt-controller') || node.has('interrupt-map');
}

/** Whoever takes interrupts says how they are written. */
export function interruptProvider(context: CheckContext, node: DtNode): void {
  if (!isInterruptProvider(node)) return;
  for (const name of ['#interrupt-cells', '#address-cells']) if (!node.has(name)) context.report(node, `A node that takes interrupts needs ${name}, and this one has none.`);
}

/** Interrupts have a parent, and whole entries in its form. */
export function interruptsList(context: CheckContext, node: DtNode): void {
  const interrupts = node.property('interrupts');
  if (interrupts === undefined) return;
  if (interrupts.bytes.length % 4 !== 0) context.report(node, `interrupts is a list of cells, but has ${String(interrupts.bytes.length)} bytes.`, interrupts);
  const found = interruptParentOf(context, node);
  if (found === 'unknown') return;
  if (found === undefined) {
    context.report(node, 'No interrupt parent is known: neither this node nor one above has interrupt-parent.', interrupts);
    return;
  }
  const cells = found.u32('#interrupt-cells');
  if (cells !== undefined && (cells === 0 || interrupts.bytes.length % (cells * 4) !== 0)) {
    context.report(node, `interrupts has ${cellCount(interrupts)}, but ${found.path} takes ${String(cells)} for each.`, interrupts);
  }
}

function interruptParentOf(context: CheckContext, node: DtNode): DtNode | 'unknown' | undefined {
  for (let walk: DtNode | undefined = node; walk !== undefined; walk = walk.parent) {
    if (walk !== node && isInterruptProvider(walk)) return walk;
    const property = walk.property('interrupt-parent');
    if (property === undefined) continue;
    const phandle = property.u32s[0] ?? 0;
    if (!isPhandle(phandle)) {
      if (context.isOverlay) return 'unknown';
      context.report(walk, 'interrupt-parent names no node.', property);
      continue;
    }
    const parent = context.provider(phandle);
    if (parent === undefined) {
      context.report(walk, 'interrupt-parent refers to no node of the tree.', property);
      return 'unknown';
    }
    if (!isInterruptProvider(parent)) context.report(parent, `The node is the interrupt parent of ${node.path}, but has neither interrupt-controller nor interrupt-map.`);
    return parent;
  }
  return undefined;
}

/** A single port or endpoint needs no number. */
export function graphChildAddress(context: CheckContext, node: DtNode): void {
  const bus = context.buses.get(node);
  if (bus !== 'graph-port' && bus !== 'graph-ports') return;
  if (node.children.some((child) => (child.u32('reg') ?? 0) !== 0)) return;
  const [only] = node.children;
  if (node.children.length === 1 && only !== undefined && statedAddressCells(node) !== undefined) context.report(node, `${only.name} is the only child, so #address-cells and #size-cells are not needed.`);
}

function graphReg(context: CheckContext, node: DtNode): void {
  const reg = node.property('reg');
  if (reg === undefined || node.parent === undefined) return;
  if (reg.bytes.length !== 4) {
    context.report(node, 'reg of a port or endpoint is one cell.');
    return;
  }
  const unit = (reg.u32s[0] ?? 0).toString(16);
  if (unitOf(node) !== unit) context.report(node, `The unit address of this node is ${unit}, as reg says.`);
  if (addressCells(node.parent) !== 1 || statedAddressCells(node.parent) === undefined) context.report(node, '#address-cells of what holds ports or endpoints is 1.', node.parent.property('#address-cells'));
  if (sizeCells(node.parent) !== 0) context.report(node, '#size-cells of what holds ports or endpoints is 0.', node.parent.property('#size-cells'));
}

/** Ports are named and numbered as such. */
export function graphPort(context: CheckContext, node: DtNode): void {
  if (context.buses.get(node) !== 'graph-port') return;
  graphReg(context, node);
  if (node.baseName !== 'port') context.report(node, 'What holds endpoints is named port.');
}

/** Endpoints are named and numbered as such, and their connection goes both ways. */
export function graphEndpoint(context: CheckContext, node: DtNode): void {
  if (node.parent === undefined || context.buses.get(node.parent) !== 'graph-port') return;
  graphReg(context, node);
  if (node.baseName !== 'endpoint') context.report(node, 'What a port holds is named endpoint.');
  const remote = remoteOf(context, node);
  if (remote !== undefined && remoteOf(context, remote) !== node) context.report(node, `The endpoint ${remote.path} does not point back here.`);
}

function remoteOf(context: CheckContext, node: DtNode): DtNode | undefined {
  const property = node.property('remote-endpoint');
  const phandle = property?.u32s[0] ?? 0;
  // Endpoints may be left open, and in overlays lead elsewhere.
  if (property === undefined || !isPhandle(phandle)) return undefined;
  const remote = context.provider(phandle);
  if (remote === undefined) context.report(node, 'remote-endpoint refers to no node of the tree.', property);
  return remote;
}
