/**
 * Folding an address space: long gaps between ranges become short, so that what is used fills the picture.
 *
 * A scale turns addresses into positions and back. Both ways keep order, and between two gaps lengths keep their proportions: all
 * ranges are drawn to one scale, only emptiness is cut.
 */

import type { Span } from './layout';

/** A stretch of addresses with where it lies. */
export interface Piece { readonly addresses: Span; readonly positions: Span; readonly isFolded: boolean; readonly isUsed: boolean }

/** Addresses to positions and back. */
export interface Scale {
  readonly pieces: readonly Piece[];
  toPosition(address: number): number;
  toAddress(position: number): number;
}

/** A gap is folded if it is longer than this part of all that is used … */
const GAP_PART = 1 / 8;
/** … and becomes as long as this part of it. */
const FOLDED_PART = 1 / 24;
/** Room before the first and after the last range, as a part of what is used. */
const ROOM_PART = 1 / 50;
const PAGE = 4096;

/** A scale on which every address is its own position. */
export const PLAIN_SCALE: Scale = { pieces: [], toPosition: (address) => address, toAddress: (position) => position };

/** The scale that cuts the long gaps between ranges. */
export function foldGaps(ranges: readonly Span[]): Scale {
  const used = merged(ranges);
  const total = used.reduce((sum, { from, to }) => sum + (to - from), 0);
  if (total === 0) return PLAIN_SCALE;
  const room = wholePages(total * ROOM_PART);
  const folded = wholePages(total * FOLDED_PART);
  const pieces: Piece[] = [];
  let position = 0;
  const add = (addresses: Span, { length, isUsed }: { readonly length: number; readonly isUsed: boolean }): void => {
    pieces.push({ addresses, positions: { from: position, to: position + length }, isFolded: length < addresses.to - addresses.from, isUsed });
    position += length;
  };
  for (const [index, range] of used.entries()) {
    const before = used[index - 1]?.to ?? Math.max(0, range.from - room);
    const gap = range.from - before;
    if (gap > 0) add({ from: before, to: range.from }, { length: gap > total * GAP_PART ? folded : gap, isUsed: false });
    add(range, { length: range.to - range.from, isUsed: true });
  }
  const end = used.at(-1)?.to ?? 0;
  add({ from: end, to: end + room }, { length: room, isUsed: false });
  return scaleOf(pieces);
}

function wholePages(length: number): number {
  return Math.max(1, Math.ceil(length / PAGE)) * PAGE;
}

/** Ranges in order, with those that touch or overlap made one. */
function merged(ranges: readonly Span[]): readonly Span[] {
  const result: Span[] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last !== undefined && range.from <= last.to) result[result.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    else result.push(range);
  }
  return result;
}

function scaleOf(pieces: readonly Piece[]): Scale {
  return {
    pieces,
    toPosition: (address) => convert(pieces, address, (piece) => [piece.addresses, piece.positions]),
    toAddress: (position) => convert(pieces, position, (piece) => [piece.positions, piece.addresses]),
  };
}

/** Through the piece that holds a value; beyond the ends, one to one. */
function convert(pieces: readonly Piece[], value: number, sides: (piece: Piece) => readonly [Span, Span]): number {
  const piece = pieces.find((one) => value < sides(one)[0].to) ?? pieces.at(-1);
  if (piece === undefined) return value;
  const [from, to] = sides(piece);
  if (value < from.from) return to.from - (from.from - value);
  if (value > from.to) return to.to + (value - from.to);
  return to.from + ((value - from.from) / (from.to - from.from)) * (to.to - to.from);
}
