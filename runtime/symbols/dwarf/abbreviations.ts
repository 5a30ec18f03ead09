/** Abbreviation tables: the shapes of debug information entries (DWARF 5 7.5.3). */
import { FORM } from './constants';
import { type DebugBytes, DwarfCursor } from './cursor';

/** The shape of an entry: its tag and its attributes' names and forms, in parallel lists. */
export interface Abbreviation {
  readonly tag: number;
  readonly hasChildren: boolean;
  readonly names: readonly number[];
  readonly forms: readonly number[];
  /** The values of `DW_FORM_implicit_const` attributes, in the same positions. */
  readonly implicit: readonly (bigint | undefined)[];
  /** Size of all attributes together with 8-byte addresses and 4-byte offsets, or -1 if it varies. */
  readonly fixedSize: number;
}

/** Abbreviations by code. Compilers number them densely from 1. */
export type AbbreviationTable = ReadonlyMap<number, Abbreviation>;

/** More attributes in one entry than any producer writes; guards against corrupt tables. */
const ATTRIBUTE_COUNT_MAX = 256;

const FIXED_SIZES: ReadonlyMap<number, number> = new Map([
  [FORM.addr, 8], [FORM.data1, 1], [FORM.data2, 2], [FORM.data4, 4], [FORM.data8, 8], [FORM.data16, 16], [FORM.flag, 1],
  [FORM.flag_present, 0], [FORM.implicit_const, 0], [FORM.ref1, 1], [FORM.ref2, 2], [FORM.ref4, 4], [FORM.ref8, 8],
  [FORM.ref_addr, 4], [FORM.ref_sig8, 8], [FORM.sec_offset, 4], [FORM.strp, 4], [FORM.line_strp, 4], [FORM.strx1, 1],
  [FORM.strx2, 2], [FORM.strx3, 3], [FORM.strx4, 4], [FORM.addrx1, 1], [FORM.addrx2, 2], [FORM.addrx3, 3], [FORM.addrx4, 4],
  [FORM.ref_sup4, 4], [FORM.ref_sup8, 8], [FORM.strp_sup, 4], [FORM.GNU_ref_alt, 4], [FORM.GNU_strp_alt, 4],
]);

/** Reads the table at `offset` of `.debug_abbrev`; stops quietly where it is malformed. */
export function parseAbbreviations(section: DebugBytes, offset: number): AbbreviationTable {
  const table = new Map<number, Abbreviation>();
  const cursor = new DwarfCursor(section, offset);
  while (cursor.more) {
    const code = cursor.uleb();
    if (code === 0) break;
    const abbreviation = parseOne(cursor);
    if (cursor.overrun || abbreviation === undefined) break;
    table.set(code, abbreviation);
  }
  return table;
}

/** Reads one abbreviation without keeping the table: root entries nearly always use the first one. */
export function findAbbreviation(section: DebugBytes, offset: number, wanted: number): Abbreviation | undefined {
  const cursor = new DwarfCursor(section, offset);
  while (cursor.more) {
    const code = cursor.uleb();
    if (code === 0) return undefined;
    const abbreviation = parseOne(cursor);
    if (cursor.overrun || abbreviation === undefined || code === wanted) return cursor.overrun ? undefined : abbreviation;
  }
  return undefined;
}

function parseOne(cursor: DwarfCursor): Abbreviation | undefined {
  const tag = cursor.uleb();
  const hasChildren = cursor.u8() !== 0;
  const names: number[] = [];
  const forms: number[] = [];
  const implicit: (bigint | undefined)[] = [];
  let fixedSize = 0;
  while (names.length <= ATTRIBUTE_COUNT_MAX && !cursor.overrun) {
    const name = cursor.uleb();
    const form = cursor.uleb();
    const constant = form === FORM.implicit_const ? cursor.slebBig() : undefined;
    if (name === 0 && form === 0) return { tag, hasChildren, names, forms, implicit, fixedSize };
    names.push(name);
    forms.push(form);
    implicit.push(constant);
    const size = FIXED_SIZES.get(form) ?? -1;
    fixedSize = size < 0 || fixedSize < 0 ? -1 : fixedSize + size;
  }
  return undefined;
}
