/**
 * Names declared at the top level of units: functions, variables, types and enumerators. Made in one pass over all units the
 * first time that a name is asked for which the unit at hand does not know.
 */
import { AT, TAG } from './dwarf/constants';
import type { DwarfInfo } from './dwarf/info';
import type { Die, UnitTree } from './dwarf/tree';

/** What a name can stand for. Tags of structures, unions and enumerations have name spaces of their own here. */
export type NameKind = 'function' | 'variable' | 'typedef' | 'struct' | 'union' | 'enum' | 'base' | 'enumerator';

/** Offsets kept per name: static functions in headers repeat in every unit. */
const OFFSETS_PER_NAME_MAX = 64;

const KIND_OF_TAG: ReadonlyMap<number, NameKind> = new Map([
  [TAG.subprogram, 'function'], [TAG.variable, 'variable'], [TAG.typedef, 'typedef'], [TAG.structure_type, 'struct'],
  [TAG.class_type, 'struct'], [TAG.union_type, 'union'], [TAG.enumeration_type, 'enum'], [TAG.base_type, 'base'],
]);

type Names = ReadonlyMap<NameKind, ReadonlyMap<string, readonly number[]>>;

/** Top-level names of one image. */
export class NameIndex {
  private readonly info: DwarfInfo;
  private all: Names | undefined;
  private readonly perTree = new WeakMap<UnitTree, Names>();

  constructor(info: DwarfInfo) {
    this.info = info;
  }

  /** The definitions of a name in the unit of `near` first, and only if it has none, in all units. */
  find(kind: NameKind, name: string, near?: UnitTree): readonly Die[] {
    const own = this.findIn(kind, name, near);
    return own.length > 0 ? own : this.dies(this.everywhere().get(kind)?.get(name) ?? []);
  }

  /** The definitions of a name in one unit. */
  findIn(kind: NameKind, name: string, tree: UnitTree | undefined): readonly Die[] {
    return tree === undefined ? [] : this.dies(this.inTree(tree).get(kind)?.get(name) ?? []);
  }

  private dies(offsets: readonly number[]): readonly Die[] {
    return offsets.map((offset) => this.info.dieAt(offset)).filter((die) => die !== undefined);
  }

  /** All names of a kind. */
  namesOf(kind: NameKind): Iterable<string> {
    return this.everywhere().get(kind)?.keys() ?? [];
  }

  /** The names of a kind in one unit. */
  namesIn(kind: NameKind, tree: UnitTree): Iterable<string> {
    return this.inTree(tree).get(kind)?.keys() ?? [];
  }

  private inTree(tree: UnitTree): Names {
    const known = this.perTree.get(tree);
    if (known !== undefined) return known;
    const names = emptyNames();
    collect(tree, names);
    this.perTree.set(tree, names);
    return names;
  }

  private everywhere(): Names {
    if (this.all !== undefined) return this.all;
    const names = emptyNames();
    for (const unit of this.info.units) collect(this.info.freshTree(unit), names);
    this.all = names;
    return names;
  }
}

type MutableNames = Map<NameKind, Map<string, number[]>>;

function emptyNames(): MutableNames {
  return new Map<NameKind, Map<string, number[]>>();
}

function collect(tree: UnitTree, names: MutableNames): void {
  for (const die of tree.root?.children() ?? []) {
    const kind = KIND_OF_TAG.get(die.tag);
    if (kind === undefined) continue;
    if (kind === 'enum') collectEnumerators(die, names);
    const name = die.name;
    if (name === undefined || isOnlyDeclared(die)) continue;
    add(names, kind, name, die.offset);
  }
}

function isOnlyDeclared(die: Die): boolean {
  const value = die.attribute(AT.declaration);
  return value?.kind === 'flag' && value.value;
}

function collectEnumerators(die: Die, names: MutableNames): void {
  for (const child of die.children()) {
    const name = child.tag === TAG.enumerator ? child.name : undefined;
    if (name !== undefined) add(names, 'enumerator', name, die.offset);
  }
}

function add(names: MutableNames, kind: NameKind, name: string, offset: number): void {
  let ofKind = names.get(kind);
  if (ofKind === undefined) names.set(kind, (ofKind = new Map()));
  const list = ofKind.get(name);
  if (list === undefined) ofKind.set(name, [offset]);
  else if (list.length < OFFSETS_PER_NAME_MAX) list.push(offset);
}
