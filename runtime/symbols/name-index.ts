/**
 * Names declared at the top level of units: functions, variables, types and enumerators. The unit at hand is asked first; the
 * others are passed over once, the first time that a name is wanted which it does not know. That pass keeps hashes only: a
 * kernel has millions of names.
 */
import { utf8Encode } from '../base/byte-reader';
import { AT, TAG } from './dwarf/constants';
import type { DwarfInfo } from './dwarf/info';
import { GrowingNumbers } from './dwarf/growing';
import { hashOf, NameHasher, scanNames } from './dwarf/name-scan';
import type { Die, UnitTree } from './dwarf/tree';

/** What a name can stand for. Tags of structures, unions and enumerations have name spaces of their own here. */
export type NameKind = 'function' | 'variable' | 'typedef' | 'struct' | 'union' | 'enum' | 'base' | 'enumerator';

/** Entries returned per name: static functions in headers repeat in every unit. */
const FOUND_COUNT_MAX = 256;
/** Entries kept over all units; 8 bytes each. */
const ENTRY_COUNT_MAX = 50_000_000;
/** About one name in 64 bytes of debug information is at the top level. */
const SCANNED_BYTES_PER_NAME_LOG2 = 6;
/** How many bits of a hash choose its bucket. */
const BUCKET_BITS = 16;

const KIND_OF_TAG: ReadonlyMap<number, NameKind> = new Map([
  [TAG.subprogram, 'function'], [TAG.variable, 'variable'], [TAG.typedef, 'typedef'], [TAG.structure_type, 'struct'],
  [TAG.class_type, 'struct'], [TAG.union_type, 'union'], [TAG.enumeration_type, 'enum'], [TAG.base_type, 'base'],
]);
const TAGS: ReadonlySet<number> = new Set(KIND_OF_TAG.keys());

type UnitNames = ReadonlyMap<NameKind, ReadonlyMap<string, readonly number[]>>;

/** Hashes and offsets of all units' names, grouped by the upper bits of the hash. */
interface AllNames {
  readonly hashes: Uint32Array;
  readonly offsets: Uint32Array;
  /** Where each bucket begins; one more than there are buckets. */
  readonly bucketStarts: Uint32Array;
}

/** Top-level names of one image. */
export class NameIndex {
  private readonly info: DwarfInfo;
  private all: AllNames | undefined;
  private readonly perTree = new WeakMap<UnitTree, UnitNames>();

  constructor(info: DwarfInfo) {
    this.info = info;
  }

  /** The definitions of a name in the unit of `near` first, and only if it has none, in all units. */
  find(kind: NameKind, name: string, near?: UnitTree): readonly Die[] {
    const own = this.findIn(kind, name, near);
    return own.length > 0 ? own : [...this.everywhere(kind, name)];
  }

  /** The first of them: enough for types, which are the same wherever they are defined. */
  first(kind: NameKind, name: string, near?: UnitTree): Die | undefined {
    const [own] = this.findIn(kind, name, near);
    if (own !== undefined) return own;
    for (const die of this.everywhere(kind, name)) return die;
    return undefined;
  }

  /** The definitions of a name in one unit. */
  findIn(kind: NameKind, name: string, tree: UnitTree | undefined): readonly Die[] {
    const offsets = tree === undefined ? [] : this.inTree(tree).get(kind)?.get(name) ?? [];
    return offsets.map((offset) => this.info.dieAt(offset)).filter((die) => die !== undefined);
  }

  private inTree(tree: UnitTree): UnitNames {
    const known = this.perTree.get(tree);
    if (known !== undefined) return known;
    const names = unitNames(tree);
    this.perTree.set(tree, names);
    return names;
  }

  private *everywhere(kind: NameKind, name: string): IterableIterator<Die> {
    this.all ??= collectAll(this.info);
    const { hashes, offsets, bucketStarts } = this.all;
    const hash = hashOf(utf8Encode(name));
    const bucket = hash >>> (32 - BUCKET_BITS);
    let found = 0;
    for (let i = bucketStarts[bucket] ?? 0; i < (bucketStarts[bucket + 1] ?? 0) && found < FOUND_COUNT_MAX; i++) {
      const die = hashes[i] === hash ? this.info.dieAt(offsets[i] ?? 0) : undefined;
      if (die === undefined || !isNamed(die, kind, name)) continue;
      found++;
      yield die;
    }
  }

  /** All names of a kind that begin with a prefix, at most `limit`: a walk over everything, for images without symbols. */
  startingWith(kind: NameKind, prefix: string, limit: number): readonly string[] {
    const found = new Set<string>();
    for (const unit of this.info.units) {
      for (const die of this.info.freshTree(unit).root?.children() ?? []) {
        const name = KIND_OF_TAG.get(die.tag) === kind ? die.name : undefined;
        if (name?.startsWith(prefix) === true) found.add(name);
        if (found.size >= limit) return [...found];
      }
    }
    return [...found];
  }
}

function isNamed(die: Die, kind: NameKind, name: string): boolean {
  if (kind !== 'enumerator') return KIND_OF_TAG.get(die.tag) === kind && die.name === name;
  if (die.tag !== TAG.enumeration_type) return false;
  for (const child of die.children()) if (child.tag === TAG.enumerator && child.name === name) return true;
  return false;
}

function collectAll(info: DwarfInfo): AllNames {
  const hashes = new GrowingNumbers(info.sections.info.sizeBytes >> SCANNED_BYTES_PER_NAME_LOG2);
  const offsets = new GrowingNumbers(info.sections.info.sizeBytes >> SCANNED_BYTES_PER_NAME_LOG2);
  const counts = new Uint32Array((1 << BUCKET_BITS) + 1);
  const hasher = new NameHasher();
  for (const unit of [...info.units, ...info.typeUnitList]) {
    scanNames(unit, { tags: TAGS, hasher }, (_tag, hash, offset) => {
      if (hashes.count >= ENTRY_COUNT_MAX) return;
      hashes.push(hash);
      offsets.push(offset);
      const bucket = (hash >>> (32 - BUCKET_BITS)) + 1;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    });
  }
  for (let i = 1; i < counts.length; i++) counts[i] = (counts[i] ?? 0) + (counts[i - 1] ?? 0);
  return grouped(hashes.view(), offsets.view(), counts);
}

/** A counting sort by bucket; within a bucket the order of the file stays. */
function grouped(hashes: Uint32Array, offsets: Uint32Array, bucketStarts: Uint32Array): AllNames {
  const next = bucketStarts.slice();
  const sorted = { hashes: new Uint32Array(hashes.length), offsets: new Uint32Array(hashes.length), bucketStarts };
  for (let i = 0; i < hashes.length; i++) {
    const hash = hashes[i] ?? 0;
    const bucket = hash >>> (32 - BUCKET_BITS);
    const at = next[bucket] ?? 0;
    next[bucket] = at + 1;
    sorted.hashes[at] = hash;
    sorted.offsets[at] = offsets[i] ?? 0;
  }
  return sorted;
}

function unitNames(tree: UnitTree): UnitNames {
  const names = new Map<NameKind, Map<string, number[]>>();
  for (const die of tree.root?.children() ?? []) {
    const kind = KIND_OF_TAG.get(die.tag);
    if (kind === undefined) continue;
    if (kind === 'enum') {
      for (const child of die.children()) add(names, { kind: 'enumerator', name: child.name, offset: die.offset });
    }
    if (!isOnlyDeclared(die)) add(names, { kind, name: die.name, offset: die.offset });
  }
  return names;
}

/** The entry's own word: a definition refers to its declaration, and is none. */
function isOnlyDeclared(die: Die): boolean {
  const value = die.attribute(AT.declaration);
  return value?.kind === 'flag' && value.value;
}

interface Named { readonly kind: NameKind; readonly name: string | undefined; readonly offset: number }

function add(names: Map<NameKind, Map<string, number[]>>, { kind, name, offset }: Named): void {
  if (name === undefined) return;
  let ofKind = names.get(kind);
  if (ofKind === undefined) names.set(kind, (ofKind = new Map()));
  const list = ofKind.get(name);
  if (list === undefined) ofKind.set(name, [offset]);
  else if (list.length < FOUND_COUNT_MAX) list.push(offset);
}
