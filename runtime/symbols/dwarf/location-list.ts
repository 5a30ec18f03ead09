/** Which location expression holds at a pc: single expressions, `.debug_loc` (DWARF 4 2.6.2) and `.debug_loclists` (DWARF 5 2.6.2). */
import { LLE } from './constants';
import { DwarfCursor } from './cursor';
import type { AttributeValue } from './forms';
import type { Unit } from './unit';

/** More entries than a variable's list can sensibly have. */
const ENTRY_COUNT_MAX = 65536;
/** GNU extension in `.debug_loclists`: view numbers of the entry that follows. */
const VIEW_PAIR = 9;

/** The expression in force at a link address; `undefined` where the list has a gap: optimised out. */
export function expressionAt(unit: Unit, value: AttributeValue, pc: bigint): Uint8Array | undefined {
  switch (value.kind) {
    case 'block': return value.bytes;
    case 'section-offset': return unit.version >= 5 ? newList(unit, value.value, pc) : oldList(unit, value.value, pc);
    case 'list-index': return newList(unit, indexedList(unit, value.value), pc);
    default: return undefined;
  }
}

function indexedList(unit: Unit, index: number): number {
  const base = unit.sectionBases().loclists;
  const cursor = new DwarfCursor(unit.environment.sections.loclists, base + index * unit.offsetSize);
  const offset = cursor.offset(unit.offsetSize);
  return cursor.overrun ? -1 : base + offset;
}

function oldList(unit: Unit, offset: number, pc: bigint): Uint8Array | undefined {
  const cursor = new DwarfCursor(unit.environment.sections.loc, offset);
  const highest = unit.addressSize === 8 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  let base = unit.lowPc;
  for (let count = 0; count < ENTRY_COUNT_MAX && cursor.more; count++) {
    const low = cursor.unsigned(unit.addressSize);
    const high = cursor.unsigned(unit.addressSize);
    if (cursor.overrun || (low === 0n && high === 0n)) return undefined;
    if (low === highest) {
      base = high;
      continue;
    }
    const expression = cursor.block(cursor.u16());
    if (pc >= base + low && pc < base + high) return expression;
  }
  return undefined;
}

function newList(unit: Unit, offset: number, pc: bigint): Uint8Array | undefined {
  const cursor = new DwarfCursor(unit.environment.sections.loclists, offset);
  const address = (): bigint => cursor.unsigned(unit.addressSize);
  const indexed = (): bigint => unit.indexedAddress(cursor.uleb());
  let fallback: Uint8Array | undefined;
  let base = unit.lowPc;
  for (let count = 0; count < ENTRY_COUNT_MAX && cursor.more; count++) {
    const kind = cursor.u8();
    if (kind === LLE.end_of_list || kind > VIEW_PAIR) break;
    if (kind === LLE.base_addressx) base = indexed();
    else if (kind === LLE.base_address) base = address();
    else if (kind === VIEW_PAIR) { cursor.skipLeb(); cursor.skipLeb(); }
    else if (kind === LLE.default_location) fallback = cursor.block(cursor.uleb());
    else {
      const isRelative = kind === LLE.offset_pair;
      const low = isRelative ? base + cursor.ulebBig() : kind === LLE.startx_endx || kind === LLE.startx_length ? indexed() : address();
      const high = isRelative ? base + cursor.ulebBig()
        : kind === LLE.startx_endx ? indexed() : kind === LLE.start_end ? address() : low + cursor.ulebBig();
      const expression = cursor.block(cursor.uleb());
      if (!cursor.overrun && pc >= low && pc < high) return expression;
    }
  }
  return fallback;
}
