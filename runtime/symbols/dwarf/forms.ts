/** Attribute values: reading and skipping the forms of DWARF 5 7.5.6. */
import { FORM } from './constants';
import type { DwarfCursor } from './cursor';

/** What a form needs to know about the unit it stands in. */
export interface FormContext {
  readonly version: number;
  readonly addressSize: number;
  readonly offsetSize: 4 | 8;
  /** Where the unit begins in `.debug_info`: unit-relative references count from here. */
  readonly offset: number;
  /** The text at an offset of `.debug_str`. */
  string(offset: number): string;
  /** The text at an offset of `.debug_line_str`. */
  lineString(offset: number): string;
  /** The text with that index in the unit's part of `.debug_str_offsets`. */
  indexedString(index: number): string;
  /** The address with that index in the unit's part of `.debug_addr`. */
  indexedAddress(index: number): bigint;
}

/** A decoded attribute value. References and section offsets are offsets within the whole section. */
export type AttributeValue =
  | { readonly kind: 'address'; readonly value: bigint }
  | { readonly kind: 'constant'; readonly value: bigint; readonly signed: boolean; readonly sizeBytes: number }
  | { readonly kind: 'block'; readonly bytes: Uint8Array }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'flag'; readonly value: boolean }
  | { readonly kind: 'reference'; readonly offset: number }
  | { readonly kind: 'signature'; readonly value: bigint }
  | { readonly kind: 'section-offset'; readonly value: number }
  | { readonly kind: 'list-index'; readonly value: number }
  | { readonly kind: 'unsupported' };

const UNSUPPORTED: AttributeValue = { kind: 'unsupported' };

/** Moves the cursor past one value. */
export function skipForm(cursor: DwarfCursor, form: number, unit: FormContext): void {
  switch (form) {
    case FORM.flag_present: case FORM.implicit_const: return;
    case FORM.data1: case FORM.flag: case FORM.ref1: case FORM.strx1: case FORM.addrx1: return cursor.skip(1);
    case FORM.data2: case FORM.ref2: case FORM.strx2: case FORM.addrx2: return cursor.skip(2);
    case FORM.strx3: case FORM.addrx3: return cursor.skip(3);
    case FORM.data4: case FORM.ref4: case FORM.strx4: case FORM.addrx4: case FORM.ref_sup4: return cursor.skip(4);
    case FORM.data8: case FORM.ref8: case FORM.ref_sig8: case FORM.ref_sup8: return cursor.skip(8);
    case FORM.data16: return cursor.skip(16);
    case FORM.addr: return cursor.skip(unit.addressSize);
    case FORM.ref_addr: return cursor.skip(unit.version <= 2 ? unit.addressSize : unit.offsetSize);
    case FORM.strp: case FORM.line_strp: case FORM.sec_offset: case FORM.strp_sup: case FORM.GNU_ref_alt: case FORM.GNU_strp_alt:
      return cursor.skip(unit.offsetSize);
    case FORM.sdata: case FORM.udata: case FORM.strx: case FORM.addrx: case FORM.ref_udata: case FORM.loclistx:
    case FORM.rnglistx: case FORM.GNU_addr_index: case FORM.GNU_str_index:
      return cursor.skipLeb();
    case FORM.string: return cursor.skipText();
    case FORM.block1: return cursor.skip(cursor.u8());
    case FORM.block2: return cursor.skip(cursor.u16());
    case FORM.block4: return cursor.skip(cursor.u32());
    case FORM.block: case FORM.exprloc: return cursor.skip(cursor.uleb());
    case FORM.indirect: {
      const actual = cursor.uleb();
      return actual === FORM.indirect ? cursor.fail() : skipForm(cursor, actual, unit);
    }
    default: return cursor.fail();
  }
}

/** Reads one value. `implicit` is the abbreviation's constant for `DW_FORM_implicit_const`. */
export function readForm(cursor: DwarfCursor, form: number, unit: FormContext, implicit?: bigint): AttributeValue {
  switch (form) {
    case FORM.addr: return { kind: 'address', value: cursor.unsigned(unit.addressSize) };
    case FORM.data1: return constant(cursor.unsigned(1), 1);
    case FORM.data2: return constant(cursor.unsigned(2), 2);
    case FORM.data4: return constant(cursor.unsigned(4), 4);
    case FORM.data8: return constant(cursor.unsigned(8), 8);
    case FORM.udata: return constant(cursor.ulebBig(), 8);
    case FORM.sdata: return { kind: 'constant', value: cursor.slebBig(), signed: true, sizeBytes: 8 };
    case FORM.implicit_const: return { kind: 'constant', value: implicit ?? 0n, signed: true, sizeBytes: 8 };
    case FORM.data16: return { kind: 'block', bytes: cursor.block(16) };
    case FORM.block1: return { kind: 'block', bytes: cursor.block(cursor.u8()) };
    case FORM.block2: return { kind: 'block', bytes: cursor.block(cursor.u16()) };
    case FORM.block4: return { kind: 'block', bytes: cursor.block(cursor.u32()) };
    case FORM.block: case FORM.exprloc: return { kind: 'block', bytes: cursor.block(cursor.uleb()) };
    case FORM.flag: return { kind: 'flag', value: cursor.u8() !== 0 };
    case FORM.flag_present: return { kind: 'flag', value: true };
    case FORM.sec_offset: return { kind: 'section-offset', value: cursor.offset(unit.offsetSize) };
    case FORM.loclistx: case FORM.rnglistx: return { kind: 'list-index', value: cursor.uleb() };
    case FORM.ref_sig8: return { kind: 'signature', value: cursor.u64() };
    case FORM.indirect: {
      const actual = cursor.uleb();
      return actual === FORM.indirect ? UNSUPPORTED : readForm(cursor, actual, unit, implicit);
    }
    default: return readIndirection(cursor, form, unit);
  }
}

function constant(value: bigint, sizeBytes: number): AttributeValue {
  return { kind: 'constant', value, signed: false, sizeBytes };
}

function readIndirection(cursor: DwarfCursor, form: number, unit: FormContext): AttributeValue {
  const local = (offset: number): AttributeValue => ({ kind: 'reference', offset: unit.offset + offset });
  const text = (value: string): AttributeValue => ({ kind: 'string', value });
  const address = (index: number): AttributeValue => ({ kind: 'address', value: unit.indexedAddress(index) });
  switch (form) {
    case FORM.string: return text(cursor.text());
    case FORM.strp: return text(unit.string(cursor.offset(unit.offsetSize)));
    case FORM.line_strp: return text(unit.lineString(cursor.offset(unit.offsetSize)));
    case FORM.strx: case FORM.GNU_str_index: return text(unit.indexedString(cursor.uleb()));
    case FORM.strx1: return text(unit.indexedString(cursor.u8()));
    case FORM.strx2: return text(unit.indexedString(cursor.u16()));
    case FORM.strx3: return text(unit.indexedString(cursor.u24()));
    case FORM.strx4: return text(unit.indexedString(cursor.u32()));
    case FORM.addrx: case FORM.GNU_addr_index: return address(cursor.uleb());
    case FORM.addrx1: return address(cursor.u8());
    case FORM.addrx2: return address(cursor.u16());
    case FORM.addrx3: return address(cursor.u24());
    case FORM.addrx4: return address(cursor.u32());
    case FORM.ref1: return local(cursor.u8());
    case FORM.ref2: return local(cursor.u16());
    case FORM.ref4: return local(cursor.u32());
    case FORM.ref8: return local(cursor.u64Number());
    case FORM.ref_udata: return local(cursor.uleb());
    case FORM.ref_addr: return { kind: 'reference', offset: cursor.offset(unit.version <= 2 && unit.addressSize === 8 ? 8 : unit.offsetSize) };
    default:
      skipForm(cursor, form, unit);
      return UNSUPPORTED;
  }
}
