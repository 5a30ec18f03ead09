/**
 * Geometry of the memory map's picture: which part of an address space is in sight, and where in it things lie.
 *
 * Addresses are numbers here: stage 2 has at most 48 bits. Lengths on the screen are pixels. Nothing is drawn here.
 */

/** A part of an address space: from `from` to before `to`. */
export interface Span { readonly from: number; readonly to: number }

/** A range of memory as it lies in one lane; or several small ones that lie so close that they are one shape, from `index` to `last`. */
export interface Placed { readonly index: number; readonly last: number; readonly x: number; readonly width: number }

/** Least width of anything, so that a page among gigabytes can still be seen and hit. */
export const WIDTH_MIN = 3;
/** The smallest part that is ever in sight: a page. */
const SPAN_MIN = 4096;
/** Room on both sides of what is zoomed to, as a part of it. */
const MARGIN = 0.15;
/** Space that a tick's label needs. */
const TICK_WIDTH = 110;

/** The least part of an address space that holds all ranges, with a little room. */
export function hullOf(ranges: readonly Span[]): Span {
  if (ranges.length === 0) return { from: 0, to: SPAN_MIN };
  const from = Math.min(...ranges.map((range) => range.from));
  const to = Math.max(...ranges.map((range) => range.to));
  const room = Math.max(SPAN_MIN, (to - from) * 0.02);
  return { from: Math.max(0, from - room), to: to + room };
}

/** `span` inside `hull`, with its length kept if that is possible. */
export function clamp(span: Span, hull: Span): Span {
  const length = Math.min(Math.max(SPAN_MIN, span.to - span.from), hull.to - hull.from);
  const from = Math.min(Math.max(span.from, hull.from), hull.to - length);
  return { from, to: from + length };
}

/** Shows `factor` times as much, with the address `at` staying where it is. */
export function zoom(span: Span, factor: number, at: number, hull: Span): Span {
  return clamp({ from: at - (at - span.from) * factor, to: at + (span.to - at) * factor }, hull);
}

/** Moves by a part of what is in sight; 1 is a whole screen towards higher addresses. */
export function pan(span: Span, part: number, hull: Span): Span {
  const distance = (span.to - span.from) * part;
  return clamp({ from: span.from + distance, to: span.to + distance }, hull);
}

/** The part that shows one range with some room around it. */
export function around(range: Span, hull: Span): Span {
  const room = Math.max(SPAN_MIN, range.to - range.from) * MARGIN;
  return clamp({ from: range.from - room, to: range.to + room }, hull);
}

/** True if a range is in sight, at least in part. */
export function overlaps(range: Span, span: Span): boolean {
  return range.from < span.to && range.to > span.from;
}

/** Where an address lies. */
export function toPixel(address: number, span: Span, width: number): number {
  return ((address - span.from) / (span.to - span.from)) * width;
}

/** Which address lies there. */
export function toAddress(x: number, span: Span, width: number): number {
  return span.from + (x / width) * (span.to - span.from);
}

/**
 * Where the ranges in sight lie, to scale, each at least `WIDTH_MIN` wide. A range too small for that which touches an equal one
 * (`kindOf`) before it becomes part of its shape: thousands of small pages cost no more than there are pixels, and look like what they are.
 */
export function place(ranges: readonly Span[], span: Span, width: number, kindOf: (index: number) => string): readonly Placed[] {
  const placed: Placed[] = [];
  const newest = new Map<string, number>();
  for (const [index, range] of ranges.entries()) {
    if (!overlaps(range, span)) continue;
    const left = toPixel(Math.max(range.from, span.from), span, width);
    const end = toPixel(Math.min(range.to, span.to), span, width);
    const isSmall = end - left < WIDTH_MIN;
    const right = isSmall ? left + WIDTH_MIN : end;
    const kind = kindOf(index);
    const at = newest.get(kind);
    const before = at === undefined ? undefined : placed[at];
    if (at !== undefined && before !== undefined && isSmall && left < before.x + before.width) {
      placed[at] = { ...before, last: index, width: Math.max(before.width, right - before.x) };
      continue;
    }
    newest.set(kind, placed.length);
    placed.push({ index, last: index, x: Math.min(left, width - WIDTH_MIN), width: right - left });
  }
  return placed;
}

/** Round addresses to write below a lane: as many as have room for their labels. */
export function ticksOf(span: Span, width: number): readonly number[] {
  const most = Math.max(2, Math.floor(width / TICK_WIDTH));
  const step = 2 ** Math.ceil(Math.log2(Math.max(1, (span.to - span.from) / most)));
  const ticks: number[] = [];
  for (let at = Math.ceil(span.from / step) * step; at <= span.to; at += step) ticks.push(at);
  return ticks;
}

/** The index of the next range in a direction, by address; from nowhere the first in sight. */
export function nextRange(ranges: readonly Span[], selected: number, direction: 1 | -1, span: Span): number {
  if (ranges.length === 0) return -1;
  if (selected < 0) {
    const first = ranges.findIndex((range) => overlaps(range, span));
    return first < 0 ? 0 : first;
  }
  return Math.min(ranges.length - 1, Math.max(0, selected + direction));
}
