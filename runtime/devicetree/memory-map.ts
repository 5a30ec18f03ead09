/**
 * The memory map of a tree: every address range that its nodes name, translated through `ranges` up to what the CPUs see (DTSpec 2.3.6,
 * 2.3.8), and where ranges meet. Not a check: what overlaps may be meant, as when a driver shares a window with its parts.
 */

import { addressCells, isEnabled, sizeCells } from './lookup';
import { isVmTree, memoryPlan, OUR_GENERATION, VmTree } from './rm-rules';
import type { DeviceTree, DtNode } from './tree';

/** What a range is: RAM, a part of RAM that is set aside, or a device. */
export type MemoryKind = 'memory' | 'reserved' | 'device';

/** One range in the address space of the CPUs. */
export interface MappedRange {
  /** The node that names it; absent for /memreserve/. */
  readonly node: DtNode | undefined;
  /** Which entry of the node's `reg` it is. */
  readonly index: number;
  readonly kind: MemoryKind;
  readonly base: bigint;
  /** In bytes. */
  readonly size: bigint;
  /** As the node's bus counts. */
  readonly busAddress: bigint;
  readonly isEnabled: boolean;
}

/** Two ranges that share addresses. */
export interface MemoryOverlap {
  readonly first: MappedRange;
  readonly second: MappedRange;
  readonly base: bigint;
  readonly size: bigint;
}

/** All ranges, ascending, with what overlaps. */
export interface MemoryMap {
  readonly ranges: readonly MappedRange[];
  readonly overlaps: readonly MemoryOverlap[];
}

/** Most ranges and overlaps that are collected. */
export const MAPPED_RANGES_MAX = 20_000;
const OVERLAPS_MAX = 2000;
const DEPTH_MAX = 128;

/** The map of a linked tree. */
export function memoryMap(tree: DeviceTree): MemoryMap {
  const ranges: MappedRange[] = tree.reservations.map(({ address, size }, index) => ({ node: undefined, index, kind: 'reserved', base: address, size, busAddress: address, isEnabled: true }));
  for (const node of tree.root.walk()) {
    if (ranges.length >= MAPPED_RANGES_MAX) break;
    if (node.parent !== undefined) for (const range of rangesOf(node)) ranges.push(range);
  }
  for (const range of configuredMemory(tree.root)) ranges.push(range);
  ranges.sort((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : a.size > b.size ? -1 : a.size < b.size ? 1 : 0));
  return { ranges, overlaps: overlapsOf(ranges) };
}

function rangesOf(node: DtNode): MappedRange[] {
  const { parent } = node;
  const reg = node.property('reg');
  if (parent === undefined || reg === undefined) return [];
  const [addresses, sizes] = [addressCells(parent), sizeCells(parent)];
  const step = addresses + sizes;
  if (sizes === 0 || addresses === 0 || step > 16) return [];
  const found: MappedRange[] = [];
  for (let at = 0; (at + step) * 4 <= reg.bytes.length && found.length < MAPPED_RANGES_MAX; at += step) {
    const busAddress = reg.numberAt(at, addresses) ?? 0n;
    const size = reg.numberAt(at + addresses, sizes) ?? 0n;
    const base = size === 0n ? undefined : translateAddress(node, busAddress);
    if (base !== undefined) found.push({ node, index: at / step, kind: kindOf(node), base, size, busAddress, isEnabled: isEnabled(node) });
  }
  return found;
}

/** The memory that RM will give to the VM that a tree configures: at most that, from that address on. */
function configuredMemory(root: DtNode): MappedRange[] {
  if (!isVmTree(root)) return [];
  const tree = new VmTree(root, { generation: OUR_GENERATION, trust: 'unknown' });
  const node = tree.part('memory');
  const { base, sizeMax, isSizeGiven } = memoryPlan({ tree });
  if (node === undefined || base === null || !isSizeGiven || sizeMax === 0n) return [];
  return [{ node, index: 0, kind: 'memory', base, size: sizeMax, busAddress: base, isEnabled: true }];
}

function kindOf(node: DtNode): MemoryKind {
  if (node.string('device_type') === 'memory') return 'memory';
  return node.parent?.name === 'reserved-memory' && node.parent.parent?.parent === undefined ? 'reserved' : 'device';
}

/** What the CPUs see at an address of the bus that `node` is on; `undefined` if some bus on the way up does not pass it on. */
export function translateAddress(node: DtNode, address: bigint): bigint | undefined {
  let found = address;
  let depth = 0;
  for (let bus = node.parent; bus?.parent !== undefined; bus = bus.parent) {
    const next: bigint | undefined = depth++ > DEPTH_MAX ? undefined : throughBus(bus, found);
    if (next === undefined) return undefined;
    found = next;
  }
  return found;
}

/** The address one level up. An empty `ranges` changes nothing; without `ranges` nothing passes. */
function throughBus(bus: DtNode, address: bigint): bigint | undefined {
  const ranges = bus.property('ranges');
  if (ranges === undefined || bus.parent === undefined) return undefined;
  if (ranges.bytes.length === 0) return address;
  const [own, outer, sizes] = [addressCells(bus), addressCells(bus.parent), sizeCells(bus)];
  const step = own + outer + sizes;
  if (own === 0 || outer === 0 || sizes === 0 || step > 16) return undefined;
  for (let at = 0; (at + step) * 4 <= ranges.bytes.length; at += step) {
    const child = ranges.numberAt(at, own) ?? 0n;
    const parent = ranges.numberAt(at + own, outer) ?? 0n;
    const size = ranges.numberAt(at + own + outer, sizes) ?? 0n;
    if (address >= child && address - child < size) return parent + (address - child);
  }
  return undefined;
}

/** Overlaps among ranges in ascending order. Parts of a device and memory set aside lie in something else by nature. */
function overlapsOf(ranges: readonly MappedRange[]): MemoryOverlap[] {
  const overlaps: MemoryOverlap[] = [];
  let open: MappedRange[] = [];
  for (const second of ranges) {
    open = open.filter(({ base, size }) => base + size > second.base);
    for (const first of open) {
      if (overlaps.length >= OVERLAPS_MAX) return overlaps;
      if (isNatural(first, second)) continue;
      const end = first.base + first.size < second.base + second.size ? first.base + first.size : second.base + second.size;
      overlaps.push({ first, second, base: second.base, size: end - second.base });
    }
    if (open.length < OVERLAPS_MAX) open.push(second);
  }
  return overlaps;
}

function isNatural(a: MappedRange, b: MappedRange): boolean {
  if (!a.isEnabled || !b.isEnabled || a.node === b.node) return true;
  if ((a.kind === 'memory' && b.kind === 'reserved') || (a.kind === 'reserved' && b.kind === 'memory')) return true;
  return isAbove(a.node, b.node) || isAbove(b.node, a.node);
}

function isAbove(upper: DtNode | undefined, lower: DtNode | undefined): boolean {
  for (let node = lower?.parent; node !== undefined; node = node.parent) if (node === upper) return true;
  return false;
}
