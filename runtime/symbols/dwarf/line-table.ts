/**
 * Line number programs run to tables (DWARF 5 6.2). A table keeps its rows in flat arrays, sequence after sequence, the
 * sequences sorted by address; addresses are image offsets.
 */
import { LINE } from './constants';
import { DwarfCursor } from './cursor';
import type { LineHeader } from './line-header';
import { type ImageBase, OUTSIDE } from './sections';
import type { Unit } from './unit';

/** Bits of a row's flags. */
export const ROW = { isStatement: 1, endSequence: 2, prologueEnd: 4, epilogueBegin: 8, basicBlock: 16 } as const;

/** A run of rows with rising addresses: usually the code of one section. Rows `[first, last]`; the last one only marks the end. */
export interface LineSequence {
  readonly start: number;
  readonly end: number;
  readonly first: number;
  readonly last: number;
}

/** The rows of one unit's code. */
export interface LineTable {
  readonly header: LineHeader;
  /** Full paths by file number. */
  readonly files: readonly string[];
  readonly sequences: readonly LineSequence[];
  readonly offsets: Float64Array;
  readonly fileNumbers: Uint32Array;
  readonly lines: Uint32Array;
  readonly columns: Uint16Array;
  readonly flags: Uint8Array;
}

/** Rows that one program may produce; a kernel's largest unit has some ten thousand. */
const ROW_COUNT_MAX = 4_000_000;
const ROW_CAPACITY_FIRST = 2048;

/** Rows as they are made. */
class Rows {
  offsets = new Float64Array(ROW_CAPACITY_FIRST);
  files = new Uint32Array(ROW_CAPACITY_FIRST);
  lines = new Uint32Array(ROW_CAPACITY_FIRST);
  columns = new Uint16Array(ROW_CAPACITY_FIRST);
  flags = new Uint8Array(ROW_CAPACITY_FIRST);
  count = 0;

  grow(): void {
    const capacity = this.offsets.length * 2;
    const larger = { offsets: new Float64Array(capacity), files: new Uint32Array(capacity), lines: new Uint32Array(capacity), columns: new Uint16Array(capacity), flags: new Uint8Array(capacity) };
    larger.offsets.set(this.offsets);
    larger.files.set(this.files);
    larger.lines.set(this.lines);
    larger.columns.set(this.columns);
    larger.flags.set(this.flags);
    Object.assign(this, larger);
  }
}

/** Runs the program of a unit whose header is known. Malformed instructions end it; what was produced stays. */
export function runLineProgram(unit: Unit, header: LineHeader, compileDirectory: string): LineTable {
  const machine = new LineMachine(unit, header, compileDirectory);
  machine.run();
  const sequences = machine.sequences.sort((a, b) => a.start - b.start || a.end - b.end);
  const { rows } = machine;
  return {
    header, files: machine.files, sequences, offsets: rows.offsets.slice(0, rows.count), fileNumbers: rows.files.slice(0, rows.count),
    lines: rows.lines.slice(0, rows.count), columns: rows.columns.slice(0, rows.count), flags: rows.flags.slice(0, rows.count),
  };
}

/** The state machine of DWARF 5 6.2.2. Addresses are image offsets; a sequence outside the image is dropped. */
class LineMachine {
  readonly rows = new Rows();
  readonly sequences: LineSequence[] = [];
  readonly files: string[];
  private readonly header: LineHeader;
  private readonly unit: Unit;
  private readonly base: ImageBase;
  private readonly cursor: DwarfCursor;
  private readonly compileDirectory: string;
  private address = OUTSIDE;
  private file = 1;
  private line = 1;
  private column = 0;
  private isStatement = true;
  private marks = 0;
  private sequenceFirst = 0;
  private isOutside = true;
  private isSorted = true;

  constructor(unit: Unit, header: LineHeader, compileDirectory: string) {
    this.header = header;
    this.files = [...header.files];
    this.unit = unit;
    this.base = unit.environment.base;
    this.compileDirectory = compileDirectory;
    this.cursor = new DwarfCursor(unit.environment.sections.line, header.programStart, header.programEnd);
    this.reset();
  }

  private reset(): void {
    this.address = OUTSIDE;
    this.isOutside = true;
    this.isSorted = true;
    this.file = 1;
    this.line = 1;
    this.column = 0;
    this.isStatement = this.header.defaultIsStatement;
    this.marks = 0;
    this.sequenceFirst = this.rows.count;
  }

  run(): void {
    const { cursor, header } = this;
    while (cursor.more && this.rows.count < ROW_COUNT_MAX) {
      const opcode = cursor.u8();
      if (opcode >= header.opcodeBase) this.special(opcode);
      else if (opcode === 0) this.extended();
      else this.standard(opcode);
    }
    this.discard();
  }

  private advance(operations: number): void {
    this.address += operations * this.header.minimumInstructionLength;
  }

  private special(opcode: number): void {
    const adjusted = opcode - this.header.opcodeBase;
    this.advance(Math.floor(adjusted / this.header.lineRange));
    this.line += this.header.lineBase + (adjusted % this.header.lineRange);
    this.append(0);
  }

  private append(extra: number): void {
    if (!this.isOutside) {
      const { rows } = this;
      const at = rows.count++;
      if (at > this.sequenceFirst && this.address < (rows.offsets[at - 1] ?? 0)) this.isSorted = false;
      if (at === rows.offsets.length) rows.grow();
      rows.offsets[at] = this.address;
      rows.files[at] = this.file;
      rows.lines[at] = Math.max(0, this.line);
      rows.columns[at] = Math.min(0xffff, this.column);
      rows.flags[at] = (this.isStatement ? ROW.isStatement : 0) | this.marks | extra;
    }
    this.marks = 0;
  }

  private standard(opcode: number): void {
    const { cursor } = this;
    switch (opcode) {
      case LINE.copy: return this.append(0);
      case LINE.advance_pc: return this.advance(cursor.uleb());
      case LINE.advance_line: this.line += cursor.sleb(); return;
      case LINE.set_file: this.file = cursor.uleb(); return;
      case LINE.set_column: this.column = cursor.uleb(); return;
      case LINE.negate_stmt: this.isStatement = !this.isStatement; return;
      case LINE.set_basic_block: this.marks |= ROW.basicBlock; return;
      case LINE.const_add_pc: return this.advance(Math.floor((255 - this.header.opcodeBase) / this.header.lineRange));
      case LINE.fixed_advance_pc: this.address += cursor.u16(); return;
      case LINE.set_prologue_end: this.marks |= ROW.prologueEnd; return;
      case LINE.set_epilogue_begin: this.marks |= ROW.epilogueBegin; return;
      default:
        for (let i = this.header.opcodeLengths[opcode - 1] ?? 0; i > 0; i--) cursor.skipLeb();
    }
  }

  private extended(): void {
    const { cursor } = this;
    const size = cursor.uleb();
    const end = cursor.position + size;
    if (size === 0 || end > cursor.end) return cursor.fail();
    const operation = cursor.u8();
    if (operation === LINE.end_sequence) this.endSequence();
    else if (operation === LINE.set_address) this.setAddress(size - 1);
    else if (operation === LINE.define_file) this.defineFile();
    if (!cursor.overrun) cursor.position = end;
  }

  private setAddress(size: number): void {
    if (size !== 8 && size !== 4) return;
    this.address = this.base.offsetOf(this.cursor.unsigned(size));
    this.isOutside = this.address === OUTSIDE;
  }

  private defineFile(): void {
    const name = this.cursor.text();
    const directory = this.header.directories[this.cursor.uleb()] ?? '';
    this.files.push(this.unit.environment.fullPath(this.compileDirectory, directory, name));
  }

  private endSequence(): void {
    this.append(ROW.endSequence);
    const { rows, sequenceFirst: first } = this;
    const last = rows.count - 1;
    const start = rows.offsets[first] ?? 0;
    const end = rows.offsets[last] ?? 0;
    if (last > first && end > start && this.isSorted) this.sequences.push({ start, end, first, last });
    else this.discard();
    this.reset();
  }

  /** Forgets the rows of a sequence that is empty, unsorted or unfinished. */
  private discard(): void {
    const { rows, sequenceFirst } = this;
    rows.count = sequenceFirst;
  }
}

/** The row in force at an image offset, or -1. */
export function rowAt(table: LineTable, offset: number): number {
  const sequence = sequenceAt(table, offset);
  return sequence === undefined ? -1 : rowIn(table, sequence, offset);
}

/** Sequences may overlap where linkers left several at one place; a few steps back find the one that contains the offset. */
const OVERLAP_COUNT_MAX = 4;

/** The sequence that contains an image offset. */
export function sequenceAt(table: LineTable, offset: number): LineSequence | undefined {
  const last = lastSequenceFrom(table, offset);
  for (let i = last; i >= 0 && i > last - OVERLAP_COUNT_MAX; i--) {
    const sequence = table.sequences[i];
    if (sequence !== undefined && offset < sequence.end) return sequence;
  }
  return undefined;
}

/** True if a statement begins exactly at an image offset. */
export function isStatementAt(table: LineTable, offset: number): boolean {
  const sequence = sequenceAt(table, offset);
  if (sequence === undefined) return false;
  for (let row = lastRowFrom(table, sequence, offset); row >= sequence.first && table.offsets[row] === offset; row--) {
    if (((table.flags[row] ?? 0) & ROW.isStatement) !== 0 && table.lines[row] !== 0) return true;
  }
  return false;
}

function lastSequenceFrom(table: LineTable, offset: number): number {
  let low = 0;
  let high = table.sequences.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((table.sequences[middle]?.start ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function rowIn(table: LineTable, sequence: LineSequence, offset: number): number {
  return effectiveRow(table, sequence, lastRowFrom(table, sequence, offset));
}

/** The last row at or before an offset of the sequence. */
function lastRowFrom(table: LineTable, sequence: LineSequence, offset: number): number {
  let low = sequence.first;
  let high = sequence.last;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((table.offsets[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Of several rows for one address the last one counts, but one that begins a statement goes before one that does not. Code
 * of no line (0), which compilers insert within statements, counts to the line before it.
 */
function effectiveRow(table: LineTable, sequence: LineSequence, last: number): number {
  let group = last;
  while (group > sequence.first && table.lines[group] === 0) group--;
  if (table.lines[group] === 0) return last;
  for (let row = group; row >= sequence.first && table.offsets[row] === table.offsets[group] && table.lines[row] !== 0; row--) {
    if (((table.flags[row] ?? 0) & ROW.isStatement) !== 0) return row;
  }
  return group;
}

/** The addresses around a row, as far as the neighbouring effective rows have the same file and line. */
export function rangeAround(table: LineTable, row: number): { readonly start: number; readonly end: number } {
  const at = (index: number): number => table.offsets[index] ?? 0;
  const sequence = sequenceAt(table, at(row));
  if (sequence === undefined) return { start: at(row), end: at(row) };
  const lastOfGroup = (index: number): number => {
    let last = index;
    while (last + 1 < sequence.last && at(last + 1) === at(index)) last++;
    return last;
  };
  const firstOfGroup = (index: number): number => {
    let first = index;
    while (first > sequence.first && at(first - 1) === at(index)) first--;
    return first;
  };
  const isSame = (last: number): boolean => {
    const other = effectiveRow(table, sequence, last);
    return table.lines[other] === table.lines[row] && table.fileNumbers[other] === table.fileNumbers[row];
  };
  let next = lastOfGroup(row) + 1;
  while (next < sequence.last && isSame(lastOfGroup(next))) next = lastOfGroup(next) + 1;
  let first = firstOfGroup(row);
  while (first > sequence.first && isSame(first - 1)) first = firstOfGroup(first - 1);
  return { start: at(first), end: at(next) };
}
