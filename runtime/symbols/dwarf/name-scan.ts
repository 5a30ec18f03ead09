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

const MEMO_BITS = 16;

/** Hashes names in `.debug_str`, where the same name serves many units; remembers the latest ones by place. */
export class NameHasher {
  private readonly places = new Float64Array(1 << MEMO_BITS).fill(-1);
  private readonly hashes = new Uint32Array(1 << MEMO_BITS);

  /** The hash of the name at `offset` of the section, always the same one. */
  at(data: DebugBytes, offset: number): number {
    const slot = Math.imul(offset, 0x9e3779b1) >>> (32 - MEMO_BITS);
    if (this.places[slot] === offset) return this.hashes[slot] ?? 0;
    const hash = hashAt(data, offset);
    this.places[slot] = offset;
    this.hashes[slot] = hash;
    return hash;
  }
}

/** What to look for, and with what. */
export interface NameScan { readonly tags: ReadonlySet<number>; readonly hasher: NameHasher }

/** What one entry's attributes say, as far as the pass cares; reused for every entry. */
interface Entry {
  hash: number | undefined;
  sibling: number;
  isDeclaration: boolean;
  /** The entry that has the name: that of a definition is with its declaration. */
  origin: number;
}

/** Visits the named entries of a unit's top level and the enumerators in it. Ends quietly at damage. */
export function scanNames(unit: Unit, scan: NameScan, visit: NameVisitor): void {
  const cursor = new DwarfCursor(unit.environment.sections.info, unit.header.rootOffset, unit.header.end);
  const table = unit.abbreviations;
  const entry: Entry = { hash: undefined, sibling: 0, isDeclaration: false, origin: 0 };
  const declared = new Map<number, number>();
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
    const isWanted = (depth === 1 && scan.tags.has(shape.tag)) || isEnumerator;
    if (depth === 1) enumeration = shape.tag === TAG.enumeration_type ? offset : 0;
    entry.sibling = 0;
    if (isWanted || (depth === 1 && shape.hasChildren)) readEntry(cursor, shape, { unit, hasher: scan.hasher }, entry);
    else skipEntry(cursor, shape, unit);
    if (isWanted) {
      const hash = entry.hash ?? (entry.origin === 0 ? undefined : declared.get(entry.origin));
      if (hash !== undefined && !entry.isDeclaration) visit(shape.tag, hash, isEnumerator ? enumeration : offset);
      else if (hash !== undefined && isDefinable(shape.tag)) declared.set(offset, hash);
    }
    if (!shape.hasChildren) continue;
    if (depth === 1 && enumeration === 0 && entry.sibling > cursor.position && entry.sibling < cursor.end) cursor.position = entry.sibling;
    else depth++;
  }
}

/** What may be declared in one place and defined, with reference to that, in another. */
function isDefinable(tag: number): boolean {
  return tag === TAG.variable || tag === TAG.subprogram;
}

function skipEntry(cursor: DwarfCursor, shape: Abbreviation, unit: Unit): void {
  if (shape.fixedSize >= 0 && unit.hasUsualSizes) cursor.skip(shape.fixedSize);
  else for (const form of shape.forms) skipForm(cursor, form, unit);
}

interface Reading { readonly unit: Unit; readonly hasher: NameHasher }

function readEntry(cursor: DwarfCursor, shape: Abbreviation, reading: Reading, entry: Entry): void {
  const { unit } = reading;
  entry.hash = undefined;
  entry.isDeclaration = false;
  entry.origin = 0;
  for (let i = 0; i < shape.forms.length; i++) {
    const form = shape.forms[i] ?? 0;
    switch (shape.names[i]) {
      case AT.name: entry.hash = nameHash(cursor, form, reading); break;
      case AT.declaration: entry.isDeclaration = true; skipForm(cursor, form, unit); break;
      case AT.sibling: entry.sibling = form === FORM.ref4 ? unit.offset + cursor.u32() : skipped(cursor, form, unit); break;
      case AT.specification: entry.origin = form === FORM.ref4 ? unit.offset + cursor.u32() : skipped(cursor, form, unit); break;
      default: skipForm(cursor, form, unit);
    }
  }
}

function skipped(cursor: DwarfCursor, form: number, unit: Unit): number {
  skipForm(cursor, form, unit);
  return 0;
}

function nameHash(cursor: DwarfCursor, form: number, { unit, hasher }: Reading): number | undefined {
  const { sections } = unit.environment;
  switch (form) {
    case FORM.strp: return hasher.at(sections.str, cursor.offset(unit.offsetSize));
    case FORM.line_strp: return hashAt(sections.lineStr, cursor.offset(unit.offsetSize));
    case FORM.strx: return hasher.at(sections.str, unit.stringOffset(cursor.uleb()));
    case FORM.strx1: return hasher.at(sections.str, unit.stringOffset(cursor.u8()));
    case FORM.strx2: return hasher.at(sections.str, unit.stringOffset(cursor.u16()));
    case FORM.strx3: return hasher.at(sections.str, unit.stringOffset(cursor.u24()));
    case FORM.strx4: return hasher.at(sections.str, unit.stringOffset(cursor.u32()));
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
