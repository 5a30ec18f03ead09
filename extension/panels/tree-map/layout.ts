/**
 * Geometry of a tree's memory map: one column of addresses from low to high, where empty stretches are short and a range is taller the
 * larger it is, though not in proportion, so that a page beside gigabytes can still be read. Nothing is drawn here.
 */

import type { MemoryMapRange } from '../../../language-server/protocol';

/** Where a range lies; lengths are pixels. */
export interface PlacedRange {
  readonly index: number;
  readonly top: number;
  readonly height: number;
  /** Column, from 0, of how many the stretch of addresses around it has; ranges of one column do not overlap. */
  readonly column: number;
  readonly columns: number;
}

/** A stretch of addresses without any range. */
export interface Gap {
  readonly top: number;
  readonly height: number;
  readonly sizeBytes: bigint;
}

/** The whole picture. */
export interface TreeMapLayout {
  readonly ranges: readonly PlacedRange[];
  readonly gaps: readonly Gap[];
  readonly columns: number;
  readonly height: number;
}

/** Room for one line of text. */
export const ROW_HEIGHT = 22;
const GAP_HEIGHT = 18;
const PAGE_SHIFT = 12;
/** Pixels that a doubling of the size adds. */
const DOUBLING = 3;
/** Kinds have their columns in this order; more columns follow where ranges of one kind overlap. */
const KINDS: readonly MemoryMapRange['kind'][] = ['memory', 'reserved', 'device'];

type Extent = Pick<MemoryMapRange, 'base' | 'last' | 'kind'>;

/** Lays ranges out. Empty ranges count as one byte. */
export function layOut(ranges: readonly Extent[]): TreeMapLayout {
  const spans = ranges.map(({ base, last }) => ({ from: BigInt(base), to: (BigInt(last) < BigInt(base) ? BigInt(base) : BigInt(last)) + 1n }));
  const borders = [...new Set(spans.flatMap(({ from, to }) => [from, to]))].sort((a, b) => (a < b ? -1 : 1));
  const tops = new Map<bigint, number>();
  const gaps: Gap[] = [];
  let top = 0;
  // Borders ascend, so that the number of ranges open at a border follows from those that began and ended.
  const changes = countChanges(spans);
  let open = 0;
  for (const [index, border] of borders.entries()) {
    tops.set(border, top);
    open += changes.get(border) ?? 0;
    const next = borders[index + 1];
    if (next === undefined) break;
    if (open === 0) gaps.push({ top, height: GAP_HEIGHT, sizeBytes: next - border });
    top += open === 0 ? GAP_HEIGHT : segmentHeight(next - border);
  }
  const columns = chooseColumns(spans, ranges);
  const placed = spans.map(({ from, to }, index) => ({ index, top: tops.get(from) ?? 0, height: (tops.get(to) ?? 0) - (tops.get(from) ?? 0), ...(columns[index] ?? { column: 0, columns: 1 }) }));
  return { ranges: placed, gaps, columns: columns.reduce((most, one) => Math.max(most, one.columns), 1), height: top };
}

interface Span { readonly from: bigint; readonly to: bigint }

function countChanges(spans: readonly Span[]): Map<bigint, number> {
  const changes = new Map<bigint, number>();
  for (const { from, to } of spans) {
    changes.set(from, (changes.get(from) ?? 0) + 1);
    changes.set(to, (changes.get(to) ?? 0) - 1);
  }
  return changes;
}

function segmentHeight(size: bigint): number {
  return ROW_HEIGHT + DOUBLING * Math.max(0, size.toString(2).length - 1 - PAGE_SHIFT);
}

interface Place { readonly column: number; readonly columns: number }

/**
 * Columns stretch by stretch of addresses without a gap: what lies far from the memory of a board need not leave room for it. In a stretch each range has the first free
 * column at or behind that of its kind; columns that no range is in are left out.
 */
function chooseColumns(spans: readonly Span[], ranges: readonly Extent[]): readonly Place[] {
  const places: Place[] = spans.map(() => ({ column: 0, columns: 1 }));
  const order = [...spans.keys()].sort((a, b) => compare(spans[a]?.from ?? 0n, spans[b]?.from ?? 0n) || compare(spans[b]?.to ?? 0n, spans[a]?.to ?? 0n));
  let stretch: { readonly indexes: number[]; end: bigint } = { indexes: [], end: -1n };
  const finish = (): void => { for (const [index, place] of placeStretch(stretch.indexes, spans, ranges)) places[index] = place; };
  for (const index of order) {
    const { from, to } = spans[index] ?? { from: 0n, to: 0n };
    if (from > stretch.end) {
      finish();
      stretch = { indexes: [], end: to };
    }
    stretch.indexes.push(index);
    if (to > stretch.end) stretch.end = to;
  }
  finish();
  return places;
}

function placeStretch(indexes: readonly number[], spans: readonly Span[], ranges: readonly Extent[]): readonly (readonly [number, Place])[] {
  const ends: bigint[] = [];
  const chosen = indexes.map((index) => {
    const { from, to } = spans[index] ?? { from: 0n, to: 0n };
    let column = KINDS.indexOf(ranges[index]?.kind ?? 'device');
    while ((ends[column] ?? 0n) > from) column++;
    ends[column] = to;
    return column;
  });
  const used = [...new Set(chosen)].sort((a, b) => a - b);
  return indexes.map((index, at) => [index, { column: used.indexOf(chosen[at] ?? 0), columns: used.length }] as const);
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
