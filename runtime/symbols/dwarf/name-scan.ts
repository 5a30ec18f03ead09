/**
 * A fast pass over the top level of a unit that visits named entries without decoding names or indexing the tree. Names are
 * hashed in place; whoever finds an equal hash compares the name itself.
 */
import type { Abbreviation } from './abbreviations';
import { AT, FORM, TAG } from './constants';
import { type DebugBytes, DwarfCursor } from './cursor';
import { skipForm } from './forms';
import type { Unit } from './unit';

/** Called for each named entry: its tag, the hash of its name, and its offset; for enumerators, that of the enumeration. */
export type NameVisitor = (tag: number, hash: number, offset: number) => void;

/** Longer names are hashed by their beginning: damaged sections may lack NULs. */
const HASHED_SIZE_MAX = 1024;
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The hash of a name given as bytes up to a NUL (FNV-1a, 32 bits). */
export function hashAt(data: DebugBytes, offset: number): number {
  const { bytes } = data;
  let hash = FNV_BASIS;
  const end = Math.min(bytes.length, offset + HASHED_SIZE_MAX);
  for (let i = offset; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === 0) break;
    hash = Math.imul(hash ^ byte, FNV_PRIME);
  }
  return hash >>> 0;
}

/** The hash of a name given as UTF-8 bytes. */
export function hashOf(name: Uint8Array): number {
  let hash = FNV_BASIS;
  for (const byte of name.subarray(0, HASHED_SIZE_MAX)) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash >>> 0;
}

/** What one entry's attributes say, as far as the pass cares; reused for every entry. */
interface Entry {
  hash: number | undefined;
  sibling: number;
  isDeclaration: boolean;
}

/** Visits the named entries of a unit's top level and the enumerators in it. Ends quietly at damage. */
export function scanNames(unit: Unit, tags: ReadonlySet<number>, visit: NameVisitor): void {
  const cursor = new DwarfCursor(unit.environment.sections.info, unit.header.rootOffset, unit.header.end);
  const table = unit.abbreviations;
  const entry: Entry = { hash: undefined, sibling: 0, isDeclaration: false };
  let depth = 0;
  let enumeration = 0;
  while (cursor.more) {
    const offset = cursor.position;
    const code = cursor.uleb();
    if (code === 0) {
      if (--depth <= 0) return;
      continue;
    }
    const shape = table.get(code);
    if (shape === undefined) return;
    const isEnumerator = depth === 2 && shape.tag === TAG.enumerator && enumeration !== 0;
    const isWanted = (depth === 1 && tags.has(shape.tag)) || isEnumerator;
    if (depth === 1) enumeration = shape.tag === TAG.enumeration_type ? offset : 0;
    entry.sibling = 0;
    if (isWanted || (depth === 1 && shape.hasChildren)) readEntry(cursor, shape, unit, entry);
    else skipEntry(cursor, shape, unit);
    if (isWanted && entry.hash !== undefined && !entry.isDeclaration) visit(shape.tag, entry.hash, isEnumerator ? enumeration : offset);
    if (!shape.hasChildren) continue;
    if (depth === 1 && enumeration === 0 && entry.sibling > cursor.position && entry.sibling < cursor.end) cursor.position = entry.sibling;
    else depth++;
  }
}

function skipEntry(cursor: DwarfCursor, shape: Abbreviation, unit: Unit): void {
  if (shape.fixedSize >= 0 && unit.hasUsualSizes) cursor.skip(shape.fixedSize);
  else for (const form of shape.forms) skipForm(cursor, form, unit);
}

function readEntry(cursor: DwarfCursor, shape: Abbreviation, unit: Unit, entry: Entry): void {
  entry.hash = undefined;
  entry.isDeclaration = false;
  for (let i = 0; i < shape.forms.length; i++) {
    const form = shape.forms[i] ?? 0;
    switch (shape.names[i]) {
      case AT.name: entry.hash = nameHash(cursor, form, unit); break;
      case AT.declaration: entry.isDeclaration = true; skipForm(cursor, form, unit); break;
      case AT.sibling: entry.sibling = form === FORM.ref4 ? unit.offset + cursor.u32() : skipped(cursor, form, unit); break;
      default: skipForm(cursor, form, unit);
    }
  }
}

function skipped(cursor: DwarfCursor, form: number, unit: Unit): number {
  skipForm(cursor, form, unit);
  return 0;
}

function nameHash(cursor: DwarfCursor, form: number, unit: Unit): number | undefined {
  const { sections } = unit.environment;
  switch (form) {
    case FORM.strp: return hashAt(sections.str, cursor.offset(unit.offsetSize));
    case FORM.line_strp: return hashAt(sections.lineStr, cursor.offset(unit.offsetSize));
    case FORM.strx: return hashAt(sections.str, unit.stringOffset(cursor.uleb()));
    case FORM.strx1: return hashAt(sections.str, unit.stringOffset(cursor.u8()));
    case FORM.strx2: return hashAt(sections.str, unit.stringOffset(cursor.u16()));
    case FORM.strx3: return hashAt(sections.str, unit.stringOffset(cursor.u24()));
    case FORM.strx4: return hashAt(sections.str, unit.stringOffset(cursor.u32()));
    case FORM.string: {
      const hash = hashAt(sections.info, cursor.position);
      cursor.skipText();
      return hash;
    }
    default:
      skipForm(cursor, form, unit);
      return undefined;
  }
}
