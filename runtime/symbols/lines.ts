/**
 * Source lines and addresses, both ways, over the line tables of all units. Tables are run when first needed. Addresses are
 * image offsets here.
 */
import { AT, TAG } from './dwarf/constants';
import type { DwarfInfo } from './dwarf/info';
import { type LineHeader, parseLineHeader } from './dwarf/line-header';
import { isStatementAt, type LineTable, rangeAround, ROW, rowAt, runLineProgram } from './dwarf/line-table';
import type { OffsetRange } from './dwarf/ranges';
import type { Unit } from './dwarf/unit';
import { baseName, pathScore, tidyPath } from './paths';
import type { UnitIndex } from './unit-index';

/** What the line table says about an address. `start` and `end` bound the neighbouring rows of the same line. */
export interface LineEntry extends OffsetRange {
  readonly file: string;
  /** One-based; 0 for code that belongs to no line. */
  readonly line: number;
  readonly column: number;
  readonly isStatement: boolean;
}

/** A place where a statement begins. */
export interface StatementStart {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** How many rows of tables are kept over all units. */
const CACHED_ROW_COUNT_MAX = 4_000_000;

/** For how many files it is known which units name them. */
const CACHED_USE_COUNT_MAX = 256;

interface FileUse {
  readonly unit: Unit;
  readonly fileNumbers: readonly number[];
}

/** Line tables of one image. */
export class LineIndex {
  private readonly info: DwarfInfo;
  private readonly units: UnitIndex;
  private readonly headers = new Map<Unit, LineHeader | undefined>();
  private readonly tables = new Map<Unit, LineTable>();
  private cachedRowCount = 0;
  private files: ReadonlySet<string> | undefined;
  private readonly uses = new Map<string, readonly FileUse[]>();
  private byBaseName: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(info: DwarfInfo, units: UnitIndex) {
    this.info = info;
    this.units = units;
  }

  /** The header of a unit's line program. */
  header(unit: Unit): LineHeader | undefined {
    if (this.headers.has(unit)) return this.headers.get(unit);
    const value = unit.rootAttribute(AT.stmt_list);
    const offset = value?.kind === 'section-offset' ? value.value : value?.kind === 'constant' ? Number(value.value) : undefined;
    const header = offset === undefined ? undefined : parseLineHeader(unit, offset, unit.rootText(AT.comp_dir));
    if (offset !== undefined && header === undefined) {
      this.info.problem('dwarf-lines', `The line table of ${unit.rootText(AT.name)} cannot be read; its code has no source lines. Rebuild the image.`);
    }
    this.headers.set(unit, header);
    return header;
  }

  /** The path of a file by its number in a unit. */
  fileOf(unit: Unit, fileNumber: number | undefined): string | undefined {
    const path = fileNumber === undefined ? undefined : (this.tables.get(unit)?.files ?? this.header(unit)?.files)?.[fileNumber];
    return path === '' ? undefined : path;
  }

  /** The table of a unit. */
  tableOf(unit: Unit): LineTable | undefined {
    const known = this.tables.get(unit);
    if (known !== undefined) return known;
    const header = this.header(unit);
    if (header === undefined) return undefined;
    const table = runLineProgram(unit, header, unit.rootText(AT.comp_dir));
    this.cachedRowCount += table.lines.length;
    for (const [old, rows] of this.tables) {
      if (this.cachedRowCount <= CACHED_ROW_COUNT_MAX) break;
      this.tables.delete(old);
      this.cachedRowCount -= rows.lines.length;
    }
    this.tables.set(unit, table);
    return table;
  }

  /** The line of an address. */
  at(offset: number): LineEntry | undefined {
    const unit = this.units.at(offset);
    const table = unit === undefined ? undefined : this.tableOf(unit);
    const row = table === undefined ? -1 : rowAt(table, offset);
    return table === undefined || row < 0 ? undefined : entryOf(table, row);
  }

  /** Every path that some code comes from or that a line table names. */
  sourceFiles(): readonly string[] {
    return [...this.fileNames()].sort();
  }

  private fileNames(): ReadonlySet<string> {
    if (this.files !== undefined) return this.files;
    const files = new Set<string>();
    for (const unit of this.info.units) {
      if (unit.rootTag !== TAG.compile_unit) continue;
      for (const path of this.header(unit)?.files ?? []) files.add(path);
    }
    files.delete('');
    this.files = files;
    return files;
  }

  /** Who names a file: headers are named by nearly every unit, so this is looked up for one path at a time. */
  private usesOf(path: string): readonly FileUse[] {
    const known = this.uses.get(path);
    if (known !== undefined) return known;
    const found: FileUse[] = [];
    for (const unit of this.info.units) {
      const files = unit.rootTag === TAG.compile_unit ? this.header(unit)?.files ?? [] : [];
      const fileNumbers: number[] = [];
      for (let number = files.indexOf(path); number >= 0; number = files.indexOf(path, number + 1)) fileNumbers.push(number);
      if (fileNumbers.length > 0) found.push({ unit, fileNumbers });
    }
    if (this.uses.size >= CACHED_USE_COUNT_MAX) this.uses.clear();
    this.uses.set(path, found);
    return found;
  }

  /** The recorded paths that best answer a requested one; see `pathScore`. */
  matchingFiles(requested: string): readonly string[] {
    const path = tidyPath(requested);
    if (this.byBaseName === undefined) {
      const names = new Map<string, string[]>();
      for (const recorded of this.fileNames()) {
        const list = names.get(baseName(recorded));
        if (list === undefined) names.set(baseName(recorded), [recorded]);
        else list.push(recorded);
      }
      this.byBaseName = names;
    }
    const scored = (this.byBaseName.get(baseName(path)) ?? []).map((recorded) => ({ recorded, score: pathScore(recorded, path) }));
    const best = Math.max(0, ...scored.map((one) => one.score));
    return best === 0 ? [] : scored.filter((one) => one.score === best).map((one) => one.recorded);
  }

  /** The starts of statements in a file whose line lies in `[fromLine, toLine]`, by line and address. */
  statementsIn(path: string, fromLine: number, toLine: number): readonly StatementStart[] {
    const found: StatementStart[] = [];
    for (const recorded of this.matchingFiles(path)) {
      for (const use of this.usesOf(recorded)) {
        const table = this.tableOf(use.unit);
        if (table !== undefined) collectStatements(table, use.fileNumbers, { fromLine, toLine }, found);
      }
    }
    return found.sort((a, b) => a.line - b.line || a.offset - b.offset || a.column - b.column);
  }

  /** The starts of statements on the first line with code from `line` on. */
  firstStatementsFrom(path: string, line: number): readonly StatementStart[] {
    let found: StatementStart[] = [];
    for (const recorded of this.matchingFiles(path)) {
      for (const use of this.usesOf(recorded)) {
        const table = this.tableOf(use.unit);
        const toLine = found[0]?.line ?? Number.MAX_SAFE_INTEGER;
        const here = table === undefined ? undefined : nextLine(table, use.fileNumbers, { fromLine: line, toLine });
        if (table === undefined || here === undefined) continue;
        if (here < toLine) found = [];
        collectStatements(table, use.fileNumbers, { fromLine: here, toLine: here }, found);
      }
    }
    return found.sort((a, b) => a.offset - b.offset || a.column - b.column);
  }

  /** True if a statement begins exactly at the offset. */
  isStatementStart(offset: number): boolean {
    const unit = this.units.at(offset);
    const table = unit === undefined ? undefined : this.tableOf(unit);
    return table !== undefined && isStatementAt(table, offset);
  }

  /** All rows whose addresses lie in the ranges, in order. */
  *rowsIn(unit: Unit, ranges: readonly OffsetRange[]): IterableIterator<StatementStart & { readonly flags: number; readonly fileNumber: number }> {
    const table = this.tableOf(unit);
    if (table === undefined) return;
    for (const range of ranges) {
      for (const sequence of table.sequences) {
        if (sequence.end <= range.start || sequence.start >= range.end) continue;
        for (let row = sequence.first; row < sequence.last; row++) {
          const offset = table.offsets[row] ?? 0;
          if (offset >= range.end) break;
          if (offset >= range.start) yield rowOf(table, row);
        }
      }
    }
  }
}

function rowOf(table: LineTable, row: number): StatementStart & { readonly flags: number; readonly fileNumber: number } {
  return {
    offset: table.offsets[row] ?? 0, line: table.lines[row] ?? 0, column: table.columns[row] ?? 0, flags: table.flags[row] ?? 0,
    fileNumber: table.fileNumbers[row] ?? 0,
  };
}

interface LineSpan { readonly fromLine: number; readonly toLine: number }

function collectStatements(table: LineTable, fileNumbers: readonly number[], lines: LineSpan, found: StatementStart[]): void {
  for (const row of statementRows(table, fileNumbers, lines)) {
    found.push({ offset: table.offsets[row] ?? 0, line: table.lines[row] ?? 0, column: table.columns[row] ?? 0 });
  }
}

/** The smallest line within the span that has a statement. */
function nextLine(table: LineTable, fileNumbers: readonly number[], lines: LineSpan): number | undefined {
  let best: number | undefined;
  for (const row of statementRows(table, fileNumbers, lines)) best = Math.min(best ?? Number.MAX_SAFE_INTEGER, table.lines[row] ?? 0);
  return best;
}

function* statementRows(table: LineTable, fileNumbers: readonly number[], lines: LineSpan): IterableIterator<number> {
  for (const sequence of table.sequences) {
    for (let row = sequence.first; row < sequence.last; row++) {
      const line = table.lines[row] ?? 0;
      if (line < lines.fromLine || line > lines.toLine || line === 0) continue;
      if (((table.flags[row] ?? 0) & ROW.isStatement) !== 0 && fileNumbers.includes(table.fileNumbers[row] ?? 0)) yield row;
    }
  }
}

function entryOf(table: LineTable, row: number): LineEntry {
  const line = table.lines[row] ?? 0;
  const fileNumber = table.fileNumbers[row] ?? 0;
  const range = rangeAround(table, row);
  const isStatement = ((table.flags[row] ?? 0) & ROW.isStatement) !== 0;
  return { file: table.files[fileNumber] ?? '', line, column: table.columns[row] ?? 0, isStatement, ...range };
}
