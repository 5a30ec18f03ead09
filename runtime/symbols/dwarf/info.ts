/**
 * `.debug_info` as a whole: the index of units, made when the image is opened, and the trees of entries, made on demand and
 * kept within a budget.
 */
import type { Diagnostic } from '../../base/result';
import { type AbbreviationTable, parseAbbreviations } from './abbreviations';
import { UT } from './constants';
import { DwarfCursor } from './cursor';
import { PathCache } from '../paths';
import type { DwarfSections, ImageBase } from './sections';
import { Die, type DieResolver, UnitTree } from './tree';
import { parseUnitHeader, Unit, type UnitEnvironment } from './unit';

/** How many indexed entries are kept over all units; 16 bytes each. A kernel has about 15 million, a bare-metal guest thousands. */
const CACHED_ENTRY_COUNT_MAX = 3_000_000;
/** How many abbreviation tables are kept. */
const CACHED_TABLE_COUNT_MAX = 256;
/** How many texts of line tables are kept: names of files and folders, which the units of a program share. */
const CACHED_TEXT_COUNT_MAX = 200_000;
/** How many problems are reported for one file. */
const PROBLEM_COUNT_MAX = 20;

/** All units of an image. */
export class DwarfInfo implements DieResolver, UnitEnvironment {
  readonly sections: DwarfSections;
  readonly base: ImageBase;
  /** Units of code and partial units, ordered by offset; type units are apart. */
  readonly units: readonly Unit[];
  /** Units that describe one type each (DWARF 5 3.1.4). */
  readonly typeUnitList: readonly Unit[];
  readonly problems: Diagnostic[] = [];
  private readonly tables = new Map<number, AbbreviationTable>();
  private readonly trees = new Map<Unit, UnitTree>();
  private readonly typeUnits = new Map<bigint, Unit>();
  private readonly allUnits: Unit[] = [];
  private readonly lineTexts = new Map<number, string>();
  private readonly paths = new PathCache();
  private cachedEntryCount = 0;

  constructor(sections: DwarfSections, base: ImageBase) {
    this.sections = sections;
    this.base = base;
    this.indexUnits();
    this.units = this.allUnits.filter((unit) => unit.header.typeSignature === undefined);
    this.typeUnitList = this.allUnits.filter((unit) => unit.header.typeSignature !== undefined);
  }

  private indexUnits(): void {
    const cursor = new DwarfCursor(this.sections.info);
    while (cursor.more) {
      const at = cursor.position;
      const header = parseUnitHeader(cursor);
      if (header === undefined) {
        this.problem('dwarf-unit', `The debug information has a unit at 0x${at.toString(16)} that cannot be read; it is left out. Rebuild with -gdwarf-4 or -gdwarf-5.`);
        continue;
      }
      const unit = new Unit(header, this);
      this.allUnits.push(unit);
      if (header.typeSignature !== undefined && header.unitType === UT.type) this.typeUnits.set(header.typeSignature, unit);
    }
  }

  /** Notes a problem for the user, up to a limit. */
  problem(code: string, message: string): void {
    if (this.problems.length < PROBLEM_COUNT_MAX) this.problems.push({ severity: 'warning', code, message });
  }

  abbreviations(offset: number): AbbreviationTable {
    const known = this.tables.get(offset);
    if (known !== undefined) return known;
    const table = parseAbbreviations(this.sections.abbrev, offset);
    if (this.tables.size >= CACHED_TABLE_COUNT_MAX) this.tables.clear();
    this.tables.set(offset, table);
    return table;
  }

  lineText(offset: number): string {
    const known = this.lineTexts.get(offset);
    if (known !== undefined) return known;
    const text = this.sections.lineStr.text(offset);
    if (this.lineTexts.size >= CACHED_TEXT_COUNT_MAX) this.lineTexts.clear();
    this.lineTexts.set(offset, text);
    return text;
  }

  fullPath(compileDirectory: string, directory: string, name: string): string {
    return this.paths.join(compileDirectory, directory, name);
  }

  /** The tree of a unit, from the cache or freshly indexed. */
  tree(unit: Unit): UnitTree {
    const known = this.trees.get(unit);
    if (known !== undefined) {
      // Moving it to the end of the map keeps the map in order of last use.
      this.trees.delete(unit);
      this.trees.set(unit, known);
      return known;
    }
    const tree = this.freshTree(unit);
    if (!tree.complete) {
      this.problem('dwarf-entries', `The debug information of ${unitName(unit)} is damaged; what comes after the damage is missing. Rebuild the image.`);
    }
    this.trees.set(unit, tree);
    this.cachedEntryCount += tree.count;
    this.evict();
    return tree;
  }

  /** A tree that is not kept: for passes over all units. */
  freshTree(unit: Unit): UnitTree {
    return this.trees.get(unit) ?? new UnitTree(unit, this);
  }

  private evict(): void {
    for (const [unit, tree] of this.trees) {
      if (this.cachedEntryCount <= CACHED_ENTRY_COUNT_MAX || this.trees.size <= 1) return;
      this.trees.delete(unit);
      this.cachedEntryCount -= tree.count;
    }
  }

  /** The unit that contains an offset of `.debug_info`. */
  unitContaining(offset: number): Unit | undefined {
    let low = 0;
    let high = this.allUnits.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.allUnits[middle]?.header.end ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    const unit = this.allUnits[low];
    return unit !== undefined && offset >= unit.offset ? unit : undefined;
  }

  dieAt(offset: number): Die | undefined {
    const unit = this.unitContaining(offset);
    return unit === undefined ? undefined : this.tree(unit).at(offset);
  }

  typeBySignature(signature: bigint): Die | undefined {
    const unit = this.typeUnits.get(signature);
    return unit?.header.typeOffset === undefined ? undefined : this.tree(unit).at(unit.header.typeOffset);
  }
}

/** What to call a unit in a message. */
export function unitName(unit: Unit): string {
  const name = unit.rootText(0x03);
  return name === '' ? `the unit at 0x${unit.offset.toString(16)}` : name;
}
