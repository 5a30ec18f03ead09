/** Functions with code: by address, with the lexical blocks and inlined calls around an address. Addresses are image offsets. */
import { AT, FORM, TAG } from './dwarf/constants';
import type { DwarfInfo } from './dwarf/info';
import { covers, type OffsetRange, rangesOf } from './dwarf/ranges';
import { OUTSIDE } from './dwarf/sections';
import type { Die, UnitTree } from './dwarf/tree';
import type { Unit } from './dwarf/unit';
import type { UnitIndex } from './unit-index';

/** A function's out-of-line code. */
export interface CodeFunction {
  readonly die: Die;
  readonly name: string;
  /** Where it is entered. */
  readonly entry: number;
  readonly ranges: readonly OffsetRange[];
}

/** A lexical block or inlined call and those inside it. */
interface Block {
  readonly die: Die;
  readonly ranges: readonly OffsetRange[];
  readonly children: readonly Block[];
}

interface FunctionSpan extends OffsetRange {
  readonly func: CodeFunction;
}

/** How deep blocks and inlined calls may nest. */
const BLOCK_DEPTH_MAX = 256;

/** Finds functions in the trees of units. */
export class FunctionIndex {
  private readonly info: DwarfInfo;
  private readonly units: UnitIndex;
  private readonly perTree = new WeakMap<UnitTree, readonly CodeFunction[]>();
  private readonly spans = new WeakMap<readonly CodeFunction[], readonly FunctionSpan[]>();
  private readonly blocks = new WeakMap<CodeFunction, readonly Block[]>();
  private readonly optimised = new WeakMap<UnitTree, boolean>();

  constructor(info: DwarfInfo, units: UnitIndex) {
    this.info = info;
    this.units = units;
  }

  /** All functions of a unit that have code, by entry. */
  inUnit(unit: Unit): readonly CodeFunction[] {
    const tree = this.info.tree(unit);
    const known = this.perTree.get(tree);
    if (known !== undefined) return known;
    const found: CodeFunction[] = [];
    for (let index = 0; index < tree.count; index++) {
      if (tree.tagOf(index) !== TAG.subprogram) continue;
      const die = tree.dieOf(index);
      const one = codeFunction(die);
      if (one !== undefined) found.push(one);
    }
    found.sort((a, b) => a.entry - b.entry);
    this.perTree.set(tree, found);
    return found;
  }

  /** The function whose code contains the offset. */
  at(offset: number): CodeFunction | undefined {
    const unit = offset === OUTSIDE ? undefined : this.units.at(offset);
    if (unit === undefined) return undefined;
    const spans = this.spansIn(unit);
    let low = 0;
    let high = spans.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((spans[middle]?.start ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    const span = spans[low - 1];
    return span !== undefined && offset < span.end ? span.func : undefined;
  }

  /** The first function that begins in `[start, end)`. */
  firstIn(start: number, end: number): CodeFunction | undefined {
    const unit = this.units.at(start) ?? this.units.at(end - 1);
    return unit === undefined ? undefined : this.inUnit(unit).find((func) => func.entry >= start && func.entry < end);
  }

  /** The pieces of code of a unit's functions, by address. */
  private spansIn(unit: Unit): readonly FunctionSpan[] {
    const functions = this.inUnit(unit);
    const known = this.spans.get(functions);
    if (known !== undefined) return known;
    const spans = functions.flatMap((func) => func.ranges.map((range) => ({ ...range, func }))).sort((a, b) => a.start - b.start);
    this.spans.set(functions, spans);
    return spans;
  }

  /** The entries around an offset, from the function itself to the innermost block or inlined call. */
  blocksAt(func: CodeFunction, offset: number): readonly Die[] {
    const chain = [func.die];
    let inner = this.blocksIn(func).find((block) => covers(block.ranges, offset));
    while (inner !== undefined) {
      chain.push(inner.die);
      inner = inner.children.find((block) => covers(block.ranges, offset));
    }
    return chain;
  }

  private blocksIn(func: CodeFunction): readonly Block[] {
    const known = this.blocks.get(func);
    if (known !== undefined) return known;
    const blocks = blocksOf(func.die, 0);
    this.blocks.set(func, blocks);
    return blocks;
  }

  /** True if some variable of the unit is described by a location list: the unit was optimised. */
  hasLocationLists(tree: UnitTree): boolean {
    const known = this.optimised.get(tree);
    if (known !== undefined) return known;
    let found = false;
    for (let index = 0; index < tree.count && !found; index++) {
      const shape = tree.shapeOf(index);
      const form = shape?.forms[shape.names.indexOf(AT.location)];
      found = form === FORM.sec_offset || form === FORM.loclistx;
    }
    this.optimised.set(tree, found);
    return found;
  }

  /** The code of the function that an entry describes: its own, or that of its concrete copies in the same unit. */
  copiesOf(die: Die): readonly CodeFunction[] {
    const own = codeFunction(die);
    return own === undefined ? this.inUnit(die.unit).filter((one) => one.die.abstract.offset === die.offset) : [own];
  }

  /** The inlined copies, in one unit, of the function that `abstract` describes: where each is entered. */
  inlinedCopies(abstract: Die): readonly number[] {
    const { tree } = abstract;
    const found: number[] = [];
    for (let index = 0; index < tree.count; index++) {
      if (tree.tagOf(index) !== TAG.inlined_subroutine) continue;
      const die = tree.dieOf(index);
      if (die.abstract.offset !== abstract.offset) continue;
      const entry = entryOf(die, rangesOf(die));
      if (entry !== OUTSIDE) found.push(entry);
    }
    return found;
  }
}

/** The function that a subprogram entry describes, if it has code in the image. */
function codeFunction(die: Die): CodeFunction | undefined {
  const ranges = rangesOf(die);
  const entry = entryOf(die, ranges);
  return entry === OUTSIDE ? undefined : { die, name: die.name ?? '?', entry, ranges };
}

function entryOf(die: Die, ranges: readonly OffsetRange[]): number {
  const [first] = ranges;
  if (first === undefined) return OUTSIDE;
  const entry = die.attribute(AT.entry_pc);
  const { base } = die.unit.environment;
  if (entry?.kind === 'address') return covering(ranges, base.offsetOf(entry.value), first.start);
  if (entry?.kind === 'constant') return covering(ranges, first.start + Number(entry.value), first.start);
  return first.start;
}

function covering(ranges: readonly OffsetRange[], offset: number, otherwise: number): number {
  return covers(ranges, offset) ? offset : otherwise;
}

/** Lexical blocks and inlined calls directly inside an entry, with theirs. */
function blocksOf(die: Die, depth: number): readonly Block[] {
  const found: Block[] = [];
  for (const child of depth < BLOCK_DEPTH_MAX ? die.children() : []) {
    if (child.tag !== TAG.lexical_block && child.tag !== TAG.inlined_subroutine) continue;
    found.push({ die: child, ranges: rangesOf(child), children: blocksOf(child, depth + 1) });
  }
  return found;
}
