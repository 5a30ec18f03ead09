/** Headers of line number programs: parameters, directories and files (DWARF 5 6.2.4). */
import { FORM, LINE } from './constants';
import { DwarfCursor } from './cursor';
import { readForm } from './forms';
import type { Unit } from './unit';

/** What the line program of a unit says before its instructions begin. */
export interface LineHeader {
  readonly version: number;
  readonly addressSize: number;
  readonly minimumInstructionLength: number;
  readonly defaultIsStatement: boolean;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** Operand counts of standard opcodes; index 0 is opcode 1. */
  readonly opcodeLengths: readonly number[];
  /** Full tidied paths by file number; position 0 is unused before DWARF 5. */
  readonly files: readonly string[];
  readonly directories: readonly string[];
  readonly programStart: number;
  readonly programEnd: number;
}

/** More directories or files than any unit has. */
const ENTRY_COUNT_MAX = 65536;
/** More content descriptions than DWARF defines. */
const FORMAT_COUNT_MAX = 32;

/** Reads the header of the line program at `offset`; `undefined` if it makes no sense. */
export function parseLineHeader(unit: Unit, offset: number, compileDirectory: string): LineHeader | undefined {
  const cursor = new DwarfCursor(unit.environment.sections.line, offset);
  const { length, offsetSize } = cursor.initialLength();
  const programEnd = Math.min(cursor.position + length, cursor.end);
  const version = cursor.u16();
  if (cursor.overrun || version < 2 || version > 5) return undefined;
  const addressSize = version >= 5 ? cursor.u8() : unit.addressSize;
  if (version >= 5) cursor.u8();
  const headerLength = cursor.offset(offsetSize);
  const programStart = cursor.position + headerLength;
  const minimumInstructionLength = cursor.u8();
  if (version >= 4) cursor.u8();
  const defaultIsStatement = cursor.u8() !== 0;
  const lineBase = cursor.i8();
  const lineRange = cursor.u8();
  const opcodeBase = cursor.u8();
  const opcodeLengths: number[] = [];
  for (let i = 1; i < opcodeBase; i++) opcodeLengths.push(cursor.u8());
  if (cursor.overrun || lineRange === 0 || programStart > programEnd) return undefined;
  const tables = version >= 5 ? newTables(cursor, unit, offsetSize) : oldTables(cursor, compileDirectory);
  const files = tables.files.map(({ name, directory }) => (name === '' ? '' : unit.environment.fullPath(compileDirectory, tables.directories[directory] ?? '', name)));
  return {
    version, addressSize, minimumInstructionLength, defaultIsStatement, lineBase, lineRange, opcodeBase, opcodeLengths,
    files, directories: tables.directories, programStart, programEnd,
  };
}

interface FileEntry { readonly name: string; readonly directory: number }
interface Tables { readonly directories: readonly string[]; readonly files: readonly FileEntry[] }

function oldTables(cursor: DwarfCursor, compileDirectory: string): Tables {
  const directories = [compileDirectory];
  while (cursor.more && directories.length < ENTRY_COUNT_MAX) {
    const name = cursor.text();
    if (name === '') break;
    directories.push(name);
  }
  const files: FileEntry[] = [{ name: '', directory: 0 }];
  while (cursor.more && files.length < ENTRY_COUNT_MAX) {
    const name = cursor.text();
    if (name === '') break;
    const directory = cursor.uleb();
    cursor.skipLeb();
    cursor.skipLeb();
    files.push({ name, directory });
  }
  return { directories, files };
}

function newTables(cursor: DwarfCursor, unit: Unit, offsetSize: 4 | 8): Tables {
  const directories = entryList(cursor, unit, offsetSize).map((entry) => entry.name);
  return { directories, files: entryList(cursor, unit, offsetSize) };
}

function entryList(cursor: DwarfCursor, unit: Unit, offsetSize: 4 | 8): readonly FileEntry[] {
  const formats: { content: number; form: number }[] = [];
  const formatCount = cursor.u8();
  if (formatCount > FORMAT_COUNT_MAX) cursor.fail();
  for (let i = 0; i < formatCount; i++) formats.push({ content: cursor.uleb(), form: cursor.uleb() });
  const count = cursor.uleb();
  const entries: FileEntry[] = [];
  for (let i = 0; i < Math.min(count, ENTRY_COUNT_MAX) && cursor.more; i++) {
    entries.push(oneEntry(cursor, unit, offsetSize, formats));
  }
  return entries;
}

function oneEntry(cursor: DwarfCursor, unit: Unit, offsetSize: 4 | 8, formats: readonly { content: number; form: number }[]): FileEntry {
  let name = '';
  let directory = 0;
  for (const { content, form } of formats) {
    if (form === FORM.line_strp) {
      const text = unit.lineString(cursor.offset(offsetSize));
      if (content === LINE.path) name = text;
      continue;
    }
    const value = readForm(cursor, form, unit);
    if (content === LINE.path && value.kind === 'string') name = value.value;
    if (content === LINE.directory_index && value.kind === 'constant') directory = Number(value.value);
  }
  return { name, directory };
}
