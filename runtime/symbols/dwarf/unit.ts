/**
 * One unit of `.debug_info`: its header, the attributes of its root entry and, once somebody asks, its tree of entries.
 * Opening a large image reads only headers; everything else happens on first use.
 */
import { type Abbreviation, type AbbreviationTable, findAbbreviation } from './abbreviations';
import { AT, FORM, UT } from './constants';
import { DwarfCursor } from './cursor';
import { type AttributeValue, type FormContext, readForm, skipForm } from './forms';
import type { DwarfSections, ImageBase } from './sections';

/** The fields of a unit header (DWARF 5 7.5.1). */
export interface UnitHeader {
  /** Where the unit begins in `.debug_info`. */
  readonly offset: number;
  /** Where it ends. */
  readonly end: number;
  readonly version: number;
  readonly unitType: number;
  readonly addressSize: number;
  readonly offsetSize: 4 | 8;
  readonly abbreviationsOffset: number;
  /** Where the root entry begins. */
  readonly rootOffset: number;
  /** Signature and type entry of a type unit. */
  readonly typeSignature?: bigint;
  readonly typeOffset?: number;
}

/** What units share. */
export interface UnitEnvironment {
  readonly sections: DwarfSections;
  readonly base: ImageBase;
  abbreviations(offset: number): AbbreviationTable;
  /** The text at an offset of `.debug_line_str`: the same string for the same offset. */
  lineText(offset: number): string;
  /** The path of `name` in `directory`, seen from where the compiler ran: the same string for the same path. */
  fullPath(compileDirectory: string, directory: string, name: string): string;
}

/** Reads the header at the cursor and moves to the next unit; `undefined` if it is not one that we can read. */
export function parseUnitHeader(cursor: DwarfCursor): UnitHeader | undefined {
  const offset = cursor.position;
  const { length, offsetSize } = cursor.initialLength();
  const end = cursor.position + length;
  if (cursor.overrun || end > cursor.end || length === 0) return failed(cursor);
  const version = cursor.u16();
  const unitType = version >= 5 ? cursor.u8() : UT.compile;
  let addressSize = version >= 5 ? cursor.u8() : 0;
  const abbreviationsOffset = cursor.offset(offsetSize);
  if (version < 5) addressSize = cursor.u8();
  const extra = unitType === UT.type || unitType === UT.split_type
    ? { typeSignature: cursor.u64(), typeOffset: offset + cursor.offset(offsetSize) } : {};
  if (unitType === UT.skeleton || unitType === UT.split_compile) cursor.skip(8);
  const rootOffset = cursor.position;
  cursor.position = end;
  if (version < 2 || version > 5 || (addressSize !== 8 && addressSize !== 4) || rootOffset > end) return undefined;
  return { offset, end, version, unitType, addressSize, offsetSize, abbreviationsOffset, rootOffset, ...extra };
}

function failed(cursor: DwarfCursor): undefined {
  cursor.fail();
  return undefined;
}

/** A unit and the context its attribute values are decoded in. */
export class Unit implements FormContext {
  readonly header: UnitHeader;
  readonly environment: UnitEnvironment;
  private roots: ReadonlyMap<number, AttributeValue> | undefined;
  private bases = { strOffsets: 0, addr: 0, rnglists: 0, loclists: 0, known: false };

  constructor(header: UnitHeader, environment: UnitEnvironment) {
    this.header = header;
    this.environment = environment;
  }

  get offset(): number { return this.header.offset; }
  get version(): number { return this.header.version; }
  get addressSize(): number { return this.header.addressSize; }
  get offsetSize(): 4 | 8 { return this.header.offsetSize; }

  /** The unit's abbreviations. */
  get abbreviations(): AbbreviationTable {
    return this.environment.abbreviations(this.header.abbreviationsOffset);
  }

  string(offset: number): string {
    return this.environment.sections.str.text(offset);
  }

  lineString(offset: number): string {
    return this.environment.lineText(offset);
  }

  indexedString(index: number): string {
    return this.string(this.stringOffset(index));
  }

  /** Where in `.debug_str` the text with that index is; beyond the end if there is none. */
  stringOffset(index: number): number {
    const at = this.sectionBases().strOffsets + index * this.offsetSize;
    const cursor = new DwarfCursor(this.environment.sections.strOffsets, at);
    const offset = cursor.offset(this.offsetSize);
    return cursor.overrun ? Number.MAX_SAFE_INTEGER : offset;
  }

  /** True if the sizes that abbreviations assume hold: 8-byte addresses, 4-byte offsets. */
  get hasUsualSizes(): boolean {
    return this.addressSize === 8 && this.offsetSize === 4 && this.version >= 3;
  }

  indexedAddress(index: number): bigint {
    const at = this.sectionBases().addr + index * this.addressSize;
    return new DwarfCursor(this.environment.sections.addr, at).unsigned(this.addressSize);
  }

  /** Where the unit's contributions to the sections with indexed contents begin (DWARF 5 7.26 to 7.29). */
  sectionBases(): { readonly strOffsets: number; readonly addr: number; readonly rnglists: number; readonly loclists: number } {
    if (this.bases.known) return this.bases;
    // Without an attribute the contribution is taken to follow the first table header of its section.
    this.bases = { strOffsets: 8, addr: 8, rnglists: 12, loclists: 12, known: true };
    this.eachRootAttribute((name, form, cursor) => {
      const isOffset = form === FORM.sec_offset || form === FORM.data4 || form === FORM.data8;
      const value = isOffset ? cursor.offset(form === FORM.data8 ? 8 : form === FORM.data4 ? 4 : this.offsetSize) : 0;
      if (!isOffset) skipForm(cursor, form, this);
      else if (name === AT.str_offsets_base) this.bases.strOffsets = value;
      else if (name === AT.addr_base) this.bases.addr = value;
      else if (name === AT.rnglists_base) this.bases.rnglists = value;
      else if (name === AT.loclists_base) this.bases.loclists = value;
    });
    return this.bases;
  }

  /** An attribute of the root entry. */
  rootAttribute(name: number): AttributeValue | undefined {
    if (this.roots === undefined) {
      const roots = new Map<number, AttributeValue>();
      this.eachRootAttribute((attribute, form, cursor, implicit) => {
        roots.set(attribute, readForm(cursor, form, this, implicit));
      });
      this.roots = roots;
    }
    return this.roots.get(name);
  }

  /** A text attribute of the root entry, or the empty text. */
  rootText(name: number): string {
    const value = this.rootAttribute(name);
    return value?.kind === 'string' ? value.value : '';
  }

  /** The address that range and location lists of this unit are relative to unless they say otherwise. */
  get lowPc(): bigint {
    const value = this.rootAttribute(AT.low_pc);
    return value?.kind === 'address' ? value.value : 0n;
  }

  /** The tag of the root entry, or 0 if it is unreadable. */
  get rootTag(): number {
    return this.rootShape()?.tag ?? 0;
  }

  private rootShape(): Abbreviation | undefined {
    const cursor = new DwarfCursor(this.environment.sections.info, this.header.rootOffset, this.header.end);
    return this.abbreviation(cursor.uleb());
  }

  private abbreviation(code: number): Abbreviation | undefined {
    return findAbbreviation(this.environment.sections.abbrev, this.header.abbreviationsOffset, code);
  }

  private eachRootAttribute(visit: (name: number, form: number, cursor: DwarfCursor, implicit?: bigint) => void): void {
    const cursor = new DwarfCursor(this.environment.sections.info, this.header.rootOffset, this.header.end);
    const shape = this.abbreviation(cursor.uleb());
    if (shape === undefined) return;
    shape.names.forEach((name, i) => {
      if (!cursor.overrun) visit(name, shape.forms[i] ?? 0, cursor, shape.implicit[i]);
    });
  }
}
