/** Which unit an address belongs to, from the ranges of the units' root entries; built on first use. */
import { AT, TAG } from './dwarf/constants';
import type { DwarfInfo } from './dwarf/info';
import { rangesOf, rangesOfUnit, type OffsetRange } from './dwarf/ranges';
import type { Unit } from './dwarf/unit';

interface Interval extends OffsetRange {
  readonly unit: Unit;
}

/** Units by address. */
export class UnitIndex {
  private readonly info: DwarfInfo;
  private intervals: readonly Interval[] | undefined;

  constructor(info: DwarfInfo) {
    this.info = info;
  }

  /** The unit whose code contains the image offset. */
  at(offset: number): Unit | undefined {
    const intervals = this.sorted();
    let low = 0;
    let high = intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((intervals[middle]?.start ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    for (let i = low - 1; i >= 0 && i > low - 9; i--) {
      const interval = intervals[i];
      if (interval !== undefined && offset < interval.end) return interval.unit;
    }
    return undefined;
  }

  private sorted(): readonly Interval[] {
    if (this.intervals === undefined) {
      const found: Interval[] = [];
      for (const unit of this.info.units) {
        for (const range of this.rangesFor(unit)) found.push({ ...range, unit });
      }
      this.intervals = found.sort((a, b) => a.start - b.start || b.end - a.end);
    }
    return this.intervals;
  }

  /** A unit that does not state its ranges is searched for functions. */
  private rangesFor(unit: Unit): readonly OffsetRange[] {
    const stated = rangesOfUnit(unit);
    if (stated.length > 0 || unit.rootAttribute(AT.stmt_list) === undefined || unit.rootTag !== TAG.compile_unit) return stated;
    if (unit.rootAttribute(AT.low_pc) !== undefined || unit.rootAttribute(AT.ranges) !== undefined) return stated;
    const tree = this.info.freshTree(unit);
    const found: OffsetRange[] = [];
    for (const die of tree.root?.children() ?? []) if (die.tag === TAG.subprogram) found.push(...rangesOf(die));
    return found;
  }
}
