/** The memory map of a tree as a client draws it. */

import { memoryMap, type MappedRange } from '../../runtime/devicetree/memory-map';
import type { MemoryMap, MemoryMapRange, TreeInput } from '../protocol';
import { placeOf, type NamedTree, type TreeSource } from '../tree-source';

/** The memory map of a document, file or blob. */
export function memoryMapOf(sources: TreeSource, input: TreeInput): MemoryMap | null {
  const named = sources.tree(input);
  if (named === undefined) return null;
  const { ranges, overlaps } = memoryMap(named.tree);
  const indexes = new Map(ranges.map((range, index) => [range, index]));
  return {
    ranges: ranges.map((range) => described(range, named)),
    overlaps: overlaps.map(({ first, second, base, size }) => ({ first: indexes.get(first) ?? 0, second: indexes.get(second) ?? 0, base: hex(base), size: hex(size) })),
  };
}

function described({ node, kind, base, size, busAddress, isEnabled }: MappedRange, named: NamedTree): MemoryMapRange {
  const origin = node?.property('reg')?.origin ?? node?.origin;
  return { path: node?.path ?? '', labels: node?.labels ?? [], kind, base: hex(base), size: hex(size), last: hex(base + size - 1n), busAddress: hex(busAddress), isEnabled, place: placeOf(named.analysis, origin) };
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
