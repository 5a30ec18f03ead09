/** Address ranges of entries, from low/high pairs, `.debug_ranges` (DWARF 4 2.17.3) and `.debug_rnglists` (DWARF 5 2.17.3). */
import { AT, RLE } from './constants';
import { DwarfCursor } from './cursor';
import type { AttributeValue } from './forms';
import { OUTSIDE } from './sections';
import type { Die } from './tree';
import type { Unit } from './unit';

/** Image offsets `[start, end)`. */
export interface OffsetRange {
  readonly start: number;
  readonly end: number;
}

/** More pieces of code than one function or unit can sensibly have. */
const RANGE_COUNT_MAX = 65536;

/** The ranges of an entry, in the order of the file; ranges outside the image and empty ones are left out. */
export function rangesOf(die: Die): readonly OffsetRange[] {
  return ranges(die.unit, (name) => die.attribute(name));
}

/** The ranges of a unit as its root entry gives them; empty if it gives none. */
export function rangesOfUnit(unit: Unit): readonly OffsetRange[] {
  return ranges(unit, (name) => unit.rootAttribute(name));
}

function ranges(unit: Unit, attribute: (name: number) => AttributeValue | undefined): readonly OffsetRange[] {
  const list = attribute(AT.ranges);
  if (list !== undefined) return rangeList(unit, list);
  const low = attribute(AT.low_pc);
  const high = attribute(AT.high_pc);
  if (low?.kind !== 'address' || high === undefined) return [];
  const end = high.kind === 'address' ? high.value : high.kind === 'constant' ? low.value + high.value : low.value;
  const found: OffsetRange[] = [];
  push(found, unit, low.value, end);
  return found;
}

function push(found: OffsetRange[], unit: Unit, low: bigint, high: bigint): void {
  const start = unit.environment.base.offsetOf(low);
  const end = unit.environment.base.offsetOf(high);
  if (start !== OUTSIDE && end > start) found.push({ start, end });
}

function rangeList(unit: Unit, value: AttributeValue): readonly OffsetRange[] {
  if (unit.version < 5) {
    return value.kind === 'section-offset' ? oldList(unit, value.value) : [];
  }
  if (value.kind === 'section-offset') return newList(unit, value.value);
  if (value.kind !== 'list-index') return [];
  const base = unit.sectionBases().rnglists;
  const cursor = new DwarfCursor(unit.environment.sections.rnglists, base + value.value * unit.offsetSize);
  const offset = cursor.offset(unit.offsetSize);
  return cursor.overrun ? [] : newList(unit, base + offset);
}

function oldList(unit: Unit, offset: number): readonly OffsetRange[] {
  const found: OffsetRange[] = [];
  const cursor = new DwarfCursor(unit.environment.sections.ranges, offset);
  const highest = unit.addressSize === 8 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  let base = unit.lowPc;
  for (let count = 0; count < RANGE_COUNT_MAX && cursor.more; count++) {
    const low = cursor.unsigned(unit.addressSize);
    const high = cursor.unsigned(unit.addressSize);
    if (cursor.overrun || (low === 0n && high === 0n)) break;
    if (low === highest) base = high;
    else push(found, unit, base + low, base + high);
  }
  return found;
}

function newList(unit: Unit, offset: number): readonly OffsetRange[] {
  const found: OffsetRange[] = [];
  const cursor = new DwarfCursor(unit.environment.sections.rnglists, offset);
  const address = (): bigint => cursor.unsigned(unit.addressSize);
  const indexed = (): bigint => unit.indexedAddress(cursor.uleb());
  let base = unit.lowPc;
  for (let count = 0; count < RANGE_COUNT_MAX && cursor.more; count++) {
    const kind = cursor.u8();
    if (kind === RLE.end_of_list || kind > RLE.start_length) break;
    if (kind === RLE.base_addressx) base = indexed();
    else if (kind === RLE.base_address) base = address();
    else {
      const isRelative = kind === RLE.offset_pair;
      const isIndexed = kind === RLE.startx_endx || kind === RLE.startx_length;
      const low = isRelative ? base + cursor.ulebBig() : isIndexed ? indexed() : address();
      const high = isRelative ? base + cursor.ulebBig()
        : kind === RLE.startx_endx ? indexed() : kind === RLE.start_end ? address() : low + cursor.ulebBig();
      if (!cursor.overrun) push(found, unit, low, high);
    }
  }
  return found;
}

/** True if one of the ranges contains the offset. */
export function covers(list: readonly OffsetRange[], offset: number): boolean {
  return list.some((range) => offset >= range.start && offset < range.end);
}
