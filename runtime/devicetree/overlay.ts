/**
 * Applies an overlay to a base tree as fdtoverlay does: overlay phandles move above the base's, labels resolve through
 * the base's `__symbols__`, each fragment is merged into its target, and the overlay's own symbols join the base's.
 * New properties and nodes come first in their parent, as libfdt puts them. Both trees must be linked.
 * Not a way to combine sources: those merge when they are parsed.
 */

import { utf8Encode } from '../base/byte-reader';
import type { Result } from '../base/result';
import { err, ok } from '../base/result';
import { looseChild, nodeByPath, nodeByPhandle, phandleOf } from './lookup';
import { dtError, type DtDiagnostic } from './source';
import { concatBytes } from './text';
import { cloneTree, DtNode, DtProperty, type DeviceTree } from './tree';
import { chunk, stringList, type DtChunk, type DtValue } from './value';

/** The merged tree; base and overlay stay as they are. On failure, why; nothing is half applied. */
export function applyOverlay(base: DeviceTree, overlay: DeviceTree): Result<DeviceTree, DtDiagnostic> {
  const merged = cloneTree(base);
  const source = overlay.root.clone();
  const fault = renumber(source, highestPhandle(merged.root)) ?? resolveFixups(merged.root, source) ?? mergeFragments(merged.root, source);
  return fault === undefined ? ok(merged) : err(fault);
}

/** The labels that an overlay refers to and the base has no symbol for, in the overlay's order: for each, what `applyOverlay` would say if it were the only one. */
export function unknownSymbols(base: DeviceTree, overlay: DeviceTree): readonly { readonly name: string; readonly entries: readonly string[]; readonly problem: DtDiagnostic }[] {
  const fixups = overlay.root.child('__fixups__')?.properties ?? [];
  return fixups.flatMap(({ name, strings }) => (symbolIn(base.root, name) === undefined ? [{ name, entries: strings ?? [], problem: noSymbol(name) }] : []));
}

function symbolIn(base: DtNode, name: string): DtNode | undefined {
  const path = base.child('__symbols__')?.string(name);
  return path === undefined ? undefined : nodeByPath(base, path);
}

function noSymbol(name: string): DtDiagnostic {
  return dtError('overlay-no-symbol', undefined, { name });
}

function highestPhandle(root: DtNode): number {
  let highest = 0;
  for (const node of root.walk()) highest = Math.max(highest, phandleOf(node) ?? 0);
  return highest;
}

/** Adds `delta` to all phandles of the overlay and, by way of `__local_fixups__`, to all uses of them. */
function renumber(overlay: DtNode, delta: number): DtDiagnostic | undefined {
  for (const node of overlay.walk()) {
    for (const name of ['phandle', 'linux,phandle']) {
      const property = node.property(name);
      if (property === undefined) continue;
      if (property.bytes.length !== 4) return dtError('dts-bad-phandle', property.origin);
      const fault = addAt(node, property, { offsets: [0], delta });
      if (fault !== undefined) return fault;
    }
  }
  const fixups = overlay.child('__local_fixups__');
  return fixups === undefined ? undefined : renumberUses(overlay, fixups, delta);
}

function renumberUses(node: DtNode, fixups: DtNode, delta: number): DtDiagnostic | undefined {
  for (const fixup of fixups.properties) {
    if (fixup.bytes.length % 4 !== 0) return badFixup(fixups, fixup.name);
    const property = node.property(fixup.name);
    if (property === undefined && fixup.bytes.length > 0) return badFixup(fixups, fixup.name);
    const fault = property === undefined ? undefined : addAt(node, property, { offsets: fixup.u32s, delta });
    if (fault !== undefined) return fault;
  }
  for (const inner of fixups.children) {
    const target = looseChild(node, inner.name);
    const fault = target === undefined ? badFixup(fixups, inner.name) : renumberUses(target, inner, delta);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function badFixup(node: DtNode, entry: string): DtDiagnostic {
  return dtError('overlay-bad-fixup', undefined, { node: node.path, entry });
}

function addAt(node: DtNode, property: DtProperty, change: { readonly offsets: readonly number[]; readonly delta: number }): DtDiagnostic | undefined {
  return rewrite(node, property, (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const offset of change.offsets) {
      if (offset + 4 > bytes.length) return badFixup(node, `${property.name}:${String(offset)}`);
      const sum = view.getUint32(offset) + change.delta;
      if (sum >= 0xffff_ffff) return dtError('overlay-phandles');
      view.setUint32(offset, sum);
    }
    return undefined;
  });
}

/** Changes the bytes of a value, all places at once, without losing how its other parts were written. */
function rewrite(node: DtNode, property: DtProperty, change: (bytes: Uint8Array) => DtDiagnostic | undefined): DtDiagnostic | undefined {
  const bytes = property.bytes.slice();
  const fault = change(bytes);
  if (fault !== undefined) return fault;
  let start = 0;
  const value = property.value.map((part): DtChunk => {
    const mine = bytes.subarray(start, start + part.bytes.length);
    start += part.bytes.length;
    return part.bytes.every((byte, index) => byte === mine[index]) ? part : { ...part, bytes: mine.slice() };
  });
  node.put(property.withValue(value));
  return undefined;
}

/** A word that goes to an offset of a value. */
interface Word { readonly offset: number; readonly word: number }

/** Fills in the phandles of the base's nodes at the places that `__fixups__` lists for each label. */
function resolveFixups(base: DtNode, overlay: DtNode): DtDiagnostic | undefined {
  const places = new Map<DtProperty, { readonly node: DtNode; readonly words: Word[] }>();
  for (const fixup of overlay.child('__fixups__')?.properties ?? []) {
    const target = symbolIn(base, fixup.name);
    if (target === undefined) return noSymbol(fixup.name);
    const word = phandleOf(target);
    if (word === undefined) return dtError('overlay-no-phandle', undefined, { name: target.path });
    for (const entry of fixup.strings ?? []) {
      const place = fixupPlace(overlay, entry);
      if (place === undefined) return dtError('overlay-bad-fixup', undefined, { node: '/__fixups__', entry });
      const { node, property, offset } = place;
      const known = places.get(property);
      if (known === undefined) places.set(property, { node, words: [{ offset, word }] });
      else known.words.push({ offset, word });
    }
  }
  for (const [property, { node, words }] of places) rewrite(node, property, (bytes) => writeWords(bytes, words));
  return undefined;
}

function writeWords(bytes: Uint8Array, words: readonly Word[]): undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const { offset, word } of words) view.setUint32(offset, word);
}

/** Reads `path:property:offset`. */
function fixupPlace(overlay: DtNode, entry: string): { readonly node: DtNode; readonly property: DtProperty; readonly offset: number } | undefined {
  const [path = '', name = '', digits = '', extra] = entry.split(':');
  const node = path.startsWith('/') ? nodeByPath(overlay, path) : undefined;
  const property = node?.property(name);
  const offset = /^\d{1,9}$/.test(digits) ? Number(digits) : -1;
  if (node === undefined || property === undefined || extra !== undefined || offset < 0 || offset + 4 > property.bytes.length) return undefined;
  return { node, property, offset };
}

function mergeFragments(base: DtNode, overlay: DtNode): DtDiagnostic | undefined {
  const targets = new Map<string, string>();
  const phandles = new PhandleIndex(base);
  let found = false;
  for (const fragment of overlay.children) {
    const body = fragment.child('__overlay__');
    if (body === undefined) continue;
    found = true;
    const target = targetOf(base, fragment, phandles);
    if (typeof target === 'string') return dtError('overlay-no-target', fragment.origin, { fragment: fragment.name, target });
    targets.set(fragment.name, target.path);
    mergeNode(target, body);
  }
  if (!found && overlay.children.length + overlay.properties.length === 0) return dtError('overlay-not-overlay');
  return mergeSymbols(base, overlay, targets);
}

/** Nodes by phandle in a tree that grows: what it knows is looked at again, what it does not know is searched for. */
class PhandleIndex {
  private readonly root: DtNode;
  private readonly known = new Map<number, DtNode>();

  constructor(root: DtNode) {
    this.root = root;
    for (const node of root.walk()) this.note(node);
  }

  find(phandle: number): DtNode | undefined {
    const known = this.known.get(phandle);
    return known !== undefined && phandleOf(known) === phandle ? known : nodeByPhandle(this.root, phandle);
  }

  private note(node: DtNode): void {
    const phandle = phandleOf(node);
    if (phandle !== undefined && !this.known.has(phandle)) this.known.set(phandle, node);
  }
}

/** The node a fragment applies to, or what it says about one that is not there. */
function targetOf(base: DtNode, fragment: DtNode, phandles: PhandleIndex): DtNode | string {
  const target = fragment.property('target');
  if (target !== undefined) {
    const phandle = target.bytes.length === 4 ? (target.u32s[0] ?? 0) : 0;
    const valid = phandle !== 0 && phandle !== 0xffff_ffff;
    return (valid ? phandles.find(phandle) : undefined) ?? `phandle ${String(phandle)}`;
  }
  const path = fragment.string('target-path');
  return path === undefined ? 'nothing (it has neither target nor target-path)' : (nodeByPath(base, path) ?? path);
}

function mergeNode(target: DtNode, body: DtNode): void {
  for (const label of [...body.labels].reverse()) target.label(label);
  for (const property of body.properties) {
    if (target.has(property.name)) target.put(property);
    else target.insertProperty(property, 0);
  }
  for (const child of body.children) {
    // libfdt finds `serial@1` by the name `serial`, too.
    const known = looseChild(target, child.name);
    mergeNode(known ?? addFirst(target, child), child);
  }
}

function addFirst(target: DtNode, model: DtNode): DtNode {
  const made = new DtNode(model.name);
  made.origin = model.origin;
  return target.add(made, 0);
}

/** Symbols of the overlay point into fragments; in the base they point to where these went. */
function mergeSymbols(base: DtNode, overlay: DtNode, targets: ReadonlyMap<string, string>): DtDiagnostic | undefined {
  const own = overlay.child('__symbols__');
  if (own === undefined) return undefined;
  const symbols = base.child('__symbols__') ?? base.add(new DtNode('__symbols__'), 0);
  for (const { name, strings } of own.properties) {
    const match = /^\/([^/]+)\/__overlay__(\/.*)?$/.exec(strings?.[0] ?? '');
    const target = targets.get(match?.[1] ?? '');
    if (match === null || target === undefined) continue;
    const path = `${target === '/' ? '' : target}${match[2] ?? ''}`;
    const symbol = new DtProperty(name, stringList(path === '' ? '/' : path));
    if (symbols.has(name)) symbols.put(symbol);
    else symbols.insertProperty(symbol, 0);
  }
  return undefined;
}

/** One change for `makeOverlay`: what to merge into the node at a path, or the node with a label of the base. */
export interface OverlayFragment {
  readonly target: { readonly path: string } | { readonly label: string };
  /** Its properties and children are merged; its name does not matter. */
  readonly content: DtNode;
}

/** An overlay made in code, one fragment per entry; link it before use. */
export function makeOverlay(fragments: readonly OverlayFragment[]): DeviceTree {
  const root = new DtNode('');
  fragments.forEach(({ target, content }, index) => {
    const fragment = root.add(new DtNode(`fragment@${String(index)}`));
    fragment.insertProperty('path' in target ? new DtProperty('target-path', pathValue(target.path)) : new DtProperty('target', labelValue(target.label)));
    const body = fragment.add(new DtNode('__overlay__'));
    body.labels = content.labels;
    for (const property of content.properties) body.insertProperty(property);
    for (const child of content.children) body.add(child.clone());
  });
  return { root, reservations: [], bootCpu: 0, plugin: true };
}

function pathValue(path: string): DtValue {
  return [chunk('string', concatBytes([utf8Encode(path), Uint8Array.of(0)]))];
}

function labelValue(label: string): DtValue {
  return [{ type: 'u32', bytes: Uint8Array.of(255, 255, 255, 255), references: [{ offset: 0, name: label }], labels: [] }];
}
