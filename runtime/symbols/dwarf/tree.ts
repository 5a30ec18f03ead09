/**
 * Debug information entries. A unit's entries are indexed once into flat arrays (offset, shape, parent, end of subtree); a
 * `Die` is a handle on one of them that decodes attributes when asked.
 */
import type { Abbreviation, AbbreviationTable } from './abbreviations';
import { AT } from './constants';
import { DwarfCursor } from './cursor';
import { type AttributeValue, readForm, skipForm } from './forms';
import { GrowingNumbers } from './growing';
import type { Unit } from './unit';

/** Follows references between units. */
export interface DieResolver {
  /** The entry that begins at that offset of `.debug_info`. */
  dieAt(offset: number): Die | undefined;
  /** The type that the type unit with that signature describes. */
  typeBySignature(signature: bigint): Die | undefined;
}

/** All entries of one unit in the order of the file, so that a subtree is a contiguous run. */
export class UnitTree {
  readonly unit: Unit;
  readonly resolver: DieResolver;
  /** False if the unit's contents ended early or made no sense; the entries before that point are there. */
  readonly complete: boolean;
  private readonly table: AbbreviationTable;
  private readonly offsets: Uint32Array;
  private readonly codes: Uint32Array;
  /** Index of the parent plus one; 0 for the root. */
  private readonly parents: Uint32Array;
  private readonly ends: Uint32Array;

  constructor(unit: Unit, resolver: DieResolver) {
    this.unit = unit;
    this.resolver = resolver;
    this.table = unit.abbreviations;
    const built = indexEntries(unit, this.table);
    this.complete = built.complete;
    this.codes = built.codes.toArray();
    this.offsets = built.offsets.toArray();
    this.parents = built.parents.toArray();
    this.ends = built.ends.toArray();
  }

  /** How many entries the unit has. */
  get count(): number {
    return this.codes.length;
  }

  /** The root entry. */
  get root(): Die | undefined {
    return this.count > 0 ? new Die(this, 0) : undefined;
  }

  /** The entry that begins at `offset`. */
  at(offset: number): Die | undefined {
    let low = 0;
    let high = this.offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.offsets[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return this.offsets[low] === offset && low < this.count ? new Die(this, low) : undefined;
  }

  /** A handle on entry `index`. */
  dieOf(index: number): Die {
    return new Die(this, index);
  }

  /** The tag of entry `index`, or 0. */
  tagOf(index: number): number {
    return this.shapeOf(index)?.tag ?? 0;
  }

  shapeOf(index: number): Abbreviation | undefined {
    return this.table.get(this.codes[index] ?? 0);
  }

  offsetOf(index: number): number {
    return this.offsets[index] ?? 0;
  }

  parentOf(index: number): number {
    return (this.parents[index] ?? 0) - 1;
  }

  /** The index after the subtree of entry `index`. */
  endOf(index: number): number {
    return this.ends[index] ?? index + 1;
  }
}

interface Built {
  readonly offsets: GrowingNumbers;
  readonly codes: GrowingNumbers;
  readonly parents: GrowingNumbers;
  readonly ends: GrowingNumbers;
  complete: boolean;
}

/** Entries of compilers have about this many bytes: the arrays seldom have to grow. */
const ENTRY_SIZE_TYPICAL = 10;

function indexEntries(unit: Unit, table: AbbreviationTable): Built {
  const capacity = Math.ceil((unit.header.end - unit.header.rootOffset) / ENTRY_SIZE_TYPICAL);
  const [offsets, codes, parents, ends] = [new GrowingNumbers(capacity), new GrowingNumbers(capacity), new GrowingNumbers(capacity), new GrowingNumbers(capacity)];
  const built: Built = { offsets, codes, parents, ends, complete: true };
  const { info } = unit.environment.sections;
  const cursor = new DwarfCursor(info, unit.header.rootOffset, unit.header.end);
  const fixedSizesHold = unit.hasUsualSizes;
  const open: number[] = [];
  while (cursor.more) {
    const offset = cursor.position;
    const code = cursor.uleb();
    if (code === 0) {
      const closed = open.pop();
      if (closed !== undefined) ends.set(closed, codes.count);
      if (open.length === 0) break;
      continue;
    }
    const shape = table.get(code);
    if (shape === undefined) {
      built.complete = false;
      break;
    }
    const index = codes.count;
    codes.push(code);
    offsets.push(offset);
    parents.push(1 + (open[open.length - 1] ?? -1));
    ends.push(index + 1);
    if (fixedSizesHold && shape.fixedSize >= 0) cursor.skip(shape.fixedSize);
    else for (const form of shape.forms) skipForm(cursor, form, unit);
    if (shape.hasChildren) open.push(index);
    else if (open.length === 0) break;
  }
  if (cursor.overrun || open.length > 0) built.complete = false;
  for (const index of open) ends.set(index, codes.count);
  return built;
}

/** References between entries are followed at most this far when looking for an inherited attribute. */
const ORIGIN_DEPTH_MAX = 8;

/** One debug information entry. Handles are cheap and compare by `offset`. */
export class Die {
  readonly tree: UnitTree;
  readonly index: number;

  constructor(tree: UnitTree, index: number) {
    this.tree = tree;
    this.index = index;
  }

  get unit(): Unit { return this.tree.unit; }
  /** Position in `.debug_info`; identifies the entry. */
  get offset(): number { return this.tree.offsetOf(this.index); }
  get tag(): number { return this.tree.tagOf(this.index); }

  get parent(): Die | undefined {
    const parent = this.tree.parentOf(this.index);
    return parent < 0 ? undefined : new Die(this.tree, parent);
  }

  /** Direct children, in order. */
  *children(): IterableIterator<Die> {
    const end = this.tree.endOf(this.index);
    for (let i = this.index + 1; i < end; i = Math.max(i + 1, this.tree.endOf(i))) yield new Die(this.tree, i);
  }

  /** Decodes one attribute of this very entry. */
  attribute(name: number): AttributeValue | undefined {
    const shape = this.tree.shapeOf(this.index);
    const position = shape?.names.indexOf(name) ?? -1;
    if (shape === undefined || position < 0) return undefined;
    const cursor = new DwarfCursor(this.unit.environment.sections.info, this.offset, this.unit.header.end);
    cursor.skipLeb();
    for (let i = 0; i < position; i++) skipForm(cursor, shape.forms[i] ?? 0, this.unit);
    const value = readForm(cursor, shape.forms[position] ?? 0, this.unit, shape.implicit[position]);
    return cursor.overrun ? undefined : value;
  }

  has(name: number): boolean {
    return this.tree.shapeOf(this.index)?.names.includes(name) ?? false;
  }

  /** Decodes an attribute of this entry or of what it is an instance of (abstract origin, specification). */
  inherited(name: number): AttributeValue | undefined {
    return this.owner(name)?.attribute(name);
  }

  /** The entry on the chain of origins that has the attribute itself. */
  owner(name: number): Die | undefined {
    let die: Die | undefined = this.origin(name, 0);
    if (die !== undefined && !die.has(name)) die = undefined;
    return die;
  }

  private origin(name: number, depth: number): Die | undefined {
    if (this.has(name) || depth >= ORIGIN_DEPTH_MAX) return this;
    const next = this.reference(AT.abstract_origin) ?? this.reference(AT.specification);
    return next?.origin(name, depth + 1);
  }

  /** What the entry is finally an instance of: itself, or the end of its chain of origins. */
  get abstract(): Die {
    return endOfOrigins(this);
  }

  /** The entry that a reference attribute names. */
  reference(name: number): Die | undefined {
    const value = this.attribute(name);
    if (value?.kind === 'reference') return this.tree.at(value.offset) ?? this.tree.resolver.dieAt(value.offset);
    if (value?.kind === 'signature') return this.tree.resolver.typeBySignature(value.value);
    return undefined;
  }

  /** The type entry of this or of what it is an instance of. */
  get type(): Die | undefined {
    return this.owner(AT.type)?.reference(AT.type);
  }

  /** The name, inherited from an origin if need be. */
  get name(): string | undefined {
    return this.text(AT.name);
  }

  text(name: number): string | undefined {
    const value = this.inherited(name);
    return value?.kind === 'string' ? value.value : undefined;
  }

  /** A constant as a number: sizes, lines, encodings. */
  number(name: number): number | undefined {
    const value = this.inherited(name);
    if (value?.kind === 'constant') return Number(value.value);
    return value?.kind === 'section-offset' ? value.value : undefined;
  }

  flag(name: number): boolean {
    const value = this.inherited(name);
    return value?.kind === 'flag' && value.value;
  }
}

function endOfOrigins(start: Die): Die {
  let die = start;
  for (let depth = 0; depth < ORIGIN_DEPTH_MAX; depth++) {
    const next = die.reference(AT.abstract_origin) ?? die.reference(AT.specification);
    if (next === undefined) break;
    die = next;
  }
  return die;
}
