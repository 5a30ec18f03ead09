/**
 * What dtc does between parsing and writing: unreferenced /omit-if-no-ref/ nodes go, phandles are given out in the
 * order of reference, path references become strings, and symbols and fixups are added for overlays. The order of the
 * steps decides phandle numbers and hence bytes.
 */

import { utf8Encode } from '../base/byte-reader';
import { GistMemory, type NodeGist } from './link-gists';
import { phandleOf } from './lookup';
import type { MissingFiles } from './preprocessor-state';
import { DiagnosticList, type DtDiagnostic } from './source';
import { concatBytes, equalBytes } from './text';
import { DtNode, DtProperty, type DeviceTree } from './tree';
import { cells, chunk, type DtChunk, type DtMark } from './value';

/** What to add while linking. */
export interface LinkOptions {
  /** Adds `__symbols__` for all labels (dtc -@). Overlays get their fixups in any case. */
  readonly symbols?: boolean;
  /** Which included files were not found; references may lead into them. */
  readonly missing?: MissingFiles;
}

/** A linked tree: every reference has its value. */
export interface LinkedTree {
  readonly tree: DeviceTree;
  readonly diagnostics: readonly DtDiagnostic[];
}

/** Links a copy of the tree; the given one stays as it is. Linking a linked tree changes nothing. */
export function linkTree(tree: DeviceTree, options: LinkOptions = {}): LinkedTree {
  return new Linker(tree, options, undefined).run();
}

/**
 * Links trees that follow each other. Where nodes are shared and become the same again, so do what is made of them; the tree linked before is of no more use. The outcome
 * is that of `linkTree`.
 */
export class TreeLinker {
  private memory = new LinkMemory();

  /** Links a copy of the tree. */
  link(tree: DeviceTree, options: Pick<LinkOptions, 'missing'> = {}): LinkedTree {
    // What is added to overlays is put into nodes that are there, and numbers of theirs are for nobody else.
    if (tree.plugin) this.memory = new LinkMemory();
    return new Linker(tree, options, tree.plugin ? undefined : this.memory).run();
  }
}

/** What a linker has made of nodes before. */
class LinkMemory {
  readonly gists = new GistMemory();
  readonly nodes = new WeakMap<DtNode, DtNode>();
  /** The same by the properties of nodes, which they hand on when their children change. */
  readonly byProperties = new WeakMap<readonly DtProperty[], DtNode>();
  readonly phandles = new Map<number, DtProperty>();
  /** What was linked before, if numbers can be kept. */
  before: readonly NodeGist[] | undefined;
}

class Linker {
  private readonly tree: DeviceTree;
  private readonly symbols: boolean;
  private readonly memory: LinkMemory | undefined;
  private readonly gists: readonly NodeGist[];
  private readonly problems = new DiagnosticList();
  private readonly byLabel = new Map<string, DtNode>();
  private readonly phandles = new Map<DtNode, number>();
  /** Nodes that get a property for their number. */
  private readonly numbered = new Map<DtNode, number>();
  private readonly nameless = new Set<DtNode>();
  private readonly used = new Map<number, DtNode>();
  private readonly referenced = new Set<DtNode>();
  private nextPhandle = 1;
  /** True if a cell refers to no node, whether that is told or not. */
  private isUnresolved = false;
  /** True if a cell, or a number that is stated, refers to a node by path. */
  private hasPaths = false;
  /** True if nodes that were linked before have become the same again. */
  private areKept = false;

  constructor(tree: DeviceTree, { symbols = false, missing = 'none' }: LinkOptions, memory: LinkMemory | undefined) {
    this.tree = tree;
    this.symbols = symbols;
    this.memory = memory;
    this.gists = (memory?.gists ?? new GistMemory()).of(tree.root);
    if (missing === 'sources' || missing === 'base') this.problems.silence(missing === 'base' ? ['dts-reference-not-found', 'dts-fixup-path'] : ['dts-reference-not-found']);
  }

  run(): LinkedTree {
    const { gists } = this;
    gists.forEach(({ node }) => { for (let index = 0, label = node.labels[0]; label !== undefined; label = node.labels[++index]) if (!this.byLabel.has(label)) this.byLabel.set(label, node); });
    // Whole passes, in this order: a path is only inserted after all phandles are known.
    if (!this.keepNumbers()) {
      gists.forEach((gist) => { if (gist.hasName) this.dropName(gist.node); });
      gists.forEach((gist) => { if (gist.phandles.length > 0) this.readPhandle(gist.node); });
      gists.forEach((gist) => { if (gist.inCells.length > 0) this.linkCellsOf(gist.node, gist.inCells); });
      this.noteNumbers();
    }
    let areSamePaths = true;
    gists.forEach((gist) => { if (gist.byPath.length > 0) areSamePaths = this.linkPathsOf(gist.node, gist.byPath) && areSamePaths; });
    this.areKept &&= areSamePaths;
    const labelled = this.symbols ? this.labelledIn(this.tree.root) : [];
    for (const node of labelled) this.phandleFor(node);
    const root = this.build(this.tree.root);
    if (labelled.length > 0) this.addSymbols(root.child('__symbols__') ?? root.add(new DtNode('__symbols__')), labelled);
    if (this.tree.plugin) this.addFixups(root);
    return { tree: { ...this.tree, root }, diagnostics: this.problems.list() };
  }

  /** Takes over all numbers of the tree before if nothing that they depend on has changed: then the cells that hold them are as they were linked. */
  private keepNumbers(): boolean {
    const before = this.memory?.before;
    if (before?.length !== this.gists.length || !this.gists.every((gist, index) => isNumberedAlike(gist, before[index]))) return false;
    for (const [index, gist] of this.gists.entries()) {
      gist.number = before[index]?.number;
      if (gist.number !== undefined) this.numbered.set(gist.node, gist.number);
    }
    this.areKept = true;
    return true;
  }

  /** Remembers numbers for the tree that follows, if there is nothing that must be said again, and nobody who would have to be looked for by path. */
  private noteNumbers(): void {
    if (this.memory === undefined) return;
    this.gists.forEach((gist) => { gist.number = this.numbered.get(gist.node); });
    const canBeKept = this.problems.count === 0 && !this.isUnresolved && this.nameless.size === 0 && !this.hasPaths && !this.gists.some(({ isOptional }) => isOptional);
    this.memory.before = canBeKept ? this.gists : undefined;
  }

  /** The `name` property of old trees repeats the node's name (DTSpec 2.3.11): dtc leaves it out. */
  private dropName(node: DtNode): void {
    const name = node.property('name');
    if (name === undefined) return;
    if (equalBytes(name.bytes, utf8Encode(`${node.baseName}\0`))) this.nameless.add(node);
    else this.problems.add('dts-bad-name-property', name.origin, { name: node.baseName });
  }

  private readPhandle(node: DtNode): void {
    const property = node.property('phandle') ?? node.property('linux,phandle');
    if (property === undefined) return;
    const reference = property.value.flatMap((part) => part.references)[0];
    if (reference !== undefined && property.bytes.length === 4) {
      // A node may ask for a number by referring to itself.
      if (this.find(reference.name) !== node) this.problems.add('dts-foreign-phandle', property.origin);
      return;
    }
    const phandle = phandleOf(node);
    if (phandle === undefined) {
      this.problems.add('dts-bad-phandle', property.origin);
      return;
    }
    const other = this.used.get(phandle);
    if (other !== undefined) this.problems.add('dts-duplicate-phandle', property.origin, { value: phandle, other: other.path });
    else this.used.set(phandle, node);
    this.phandles.set(node, phandle);
  }

  private find(reference: string): DtNode | undefined {
    const slash = reference.indexOf('/');
    if (slash < 0) return this.byLabel.get(reference);
    this.hasPaths = true;
    return slash === 0 ? this.tree.root.at(reference) : this.byLabel.get(reference.slice(0, slash))?.at(reference.slice(slash));
  }

  private phandleFor(node: DtNode): number {
    const known = this.phandles.get(node);
    if (known !== undefined) return known;
    while (this.used.has(this.nextPhandle)) this.nextPhandle++;
    const phandle = this.nextPhandle;
    this.used.set(phandle, node);
    this.phandles.set(node, phandle);
    if (!node.has('phandle')) this.numbered.set(node, phandle);
    return phandle;
  }

  /** Gives every cell that refers to a node its number; the properties remember what they became. */
  private linkCellsOf(node: DtNode, properties: readonly DtProperty[]): void {
    for (let index = 0, property = properties[0]; property !== undefined; property = properties[++index]) {
      if (this.isDropped(node, property)) continue;
      const numbers: number[] = [];
      const before = property.linkedBefore((mark) => {
        const number = this.numberFor(mark);
        numbers.push(number);
        return number;
      });
      if (before !== undefined) continue;
      let next = 0;
      property.linkedAs(property.value.map((part) => {
        if (part.type !== 'u32' || part.references.length === 0) return part;
        const own = numbers.slice(next, next + part.references.length);
        next += part.references.length;
        return withNumbers(part, own);
      }));
    }
  }

  /** Gives every value that names a node its path; false if one is not what it was linked as before. */
  private linkPathsOf(node: DtNode, properties: readonly DtProperty[]): boolean {
    let areSame = true;
    for (const property of properties) {
      if (this.isDropped(node, property)) continue;
      const before = property.linkedLast;
      const inCells = property.withLinkedCells;
      inCells.linkedAs(inCells.value.map((part) => (part.type === 'path' && part.references.length > 0 ? this.linkPath(part) : part)));
      areSame &&= property.linkedLast === before;
    }
    return areSame;
  }

  private isDropped(node: DtNode, property: DtProperty): boolean {
    return property.name === 'name' && this.nameless.has(node) && property === node.property('name');
  }

  /** The phandle of the node that a mark names; that of no node is all ones. */
  private numberFor(mark: DtMark): number {
    const target = this.find(mark.name);
    if (target === undefined) {
      this.isUnresolved = true;
      this.reportUnresolved(mark);
      return 0xffff_ffff;
    }
    this.referenced.add(target);
    return this.phandleFor(target);
  }

  private reportUnresolved(mark: DtMark): void {
    if (!this.tree.plugin) this.problems.add('dts-reference-not-found', mark.origin, { name: mark.name });
    else if (mark.name.includes('/')) this.problems.add('dts-fixup-path', mark.origin, { name: mark.name });
  }

  private linkPath(part: DtChunk): DtChunk {
    const mark = part.references[0];
    const target = mark === undefined ? undefined : this.find(mark.name);
    if (target === undefined) {
      this.problems.add('dts-reference-not-found', mark?.origin, { name: mark?.name ?? '' });
      return part;
    }
    this.referenced.add(target);
    return { ...part, bytes: concatBytes([utf8Encode(target.path), Uint8Array.of(0)]) };
  }

  private stays(child: DtNode): boolean {
    return !child.omitIfNoRef || this.referenced.has(child) || (this.symbols && child.labels.length > 0);
  }

  private labelledIn(node: DtNode): readonly DtNode[] {
    return [...(node.labels.length > 0 ? [node] : []), ...node.children.flatMap((child) => (this.stays(child) ? this.labelledIn(child) : []))];
  }

  /** The linked node: that made before, if it is the same. Who stays does so for good, even if what referred to it was itself left out. */
  private build(node: DtNode): DtNode {
    const before = this.memory?.nodes.get(node);
    if (before !== undefined && this.areKept) return before;
    // A node with other children has the properties of the one before it.
    const like = before ?? this.memory?.byProperties.get(node.properties);
    const properties = this.propertiesOf(node, like);
    const children = this.childrenOf(node, like);
    if (before !== undefined && properties === undefined && children === undefined) return before;
    const built = like !== undefined && properties === undefined ? like.withChildren(children ?? [...like.children]) : new DtNode(node.name, properties, children ?? [...(like?.children ?? [])]);
    built.labels = node.labels;
    built.writtenAs(node);
    this.memory?.nodes.set(node, built);
    if (built.children.length > 0) this.memory?.byProperties.set(node.properties, built);
    return built;
  }

  /** The linked properties; `undefined` if they are those made before. */
  private propertiesOf(node: DtNode, before: DtNode | undefined): DtProperty[] | undefined {
    const kept = this.nameless.has(node) ? node.properties.filter((property) => !this.isDropped(node, property)) : node.properties;
    const linked = kept.map((property) => property.linkedLast);
    const number = this.numbered.get(node);
    const made = number === undefined ? linked : [...linked, this.phandleProperty(number)];
    return before !== undefined && areSame(made, before.properties) ? undefined : made;
  }

  private phandleProperty(phandle: number): DtProperty {
    const property = this.memory?.phandles.get(phandle) ?? new DtProperty('phandle', cells(phandle));
    this.memory?.phandles.set(phandle, property);
    return property;
  }

  /** The linked children; `undefined` if they are those made before. */
  private childrenOf(node: DtNode, before: DtNode | undefined): DtNode[] | undefined {
    const kept = node.children.every((child) => this.stays(child)) ? node.children : node.children.filter((child) => this.stays(child));
    const made = kept.map((child) => this.build(child));
    return before !== undefined && areSame(made, before.children) ? undefined : made;
  }

  private addSymbols(symbols: DtNode, labelled: readonly DtNode[]): void {
    for (const node of labelled) {
      for (const label of node.labels) {
        if (!symbols.has(label)) symbols.insertProperty(new DtProperty(label, [chunk('string', concatBytes([utf8Encode(node.path), Uint8Array.of(0)]))]));
      }
    }
  }

  private addFixups(root: DtNode): void {
    const marks = [...root.walk()].flatMap((node) => node.properties.flatMap((property) => phandleMarks(property).map((mark) => ({ node, property, ...mark, local: this.find(mark.name) !== undefined }))));
    const external = marks.filter((mark) => !mark.local && !mark.name.includes('/'));
    if (external.length > 0) {
      const fixups = root.child('__fixups__') ?? root.add(new DtNode('__fixups__'));
      const lists = new FixupLists();
      for (const { node, property, offset, name } of external) lists.append(fixups, name, chunk('string', utf8Encode(`${node.path}:${property.name}:${String(offset)}\0`)));
      lists.write();
    }
    const local = marks.filter((mark) => mark.local);
    if (local.length === 0) return;
    const fixups = root.child('__local_fixups__') ?? root.add(new DtNode('__local_fixups__'));
    const lists = new FixupLists();
    for (const { node, property, offset } of local) {
      const [part] = cells(offset);
      if (part !== undefined) lists.append(fixups.ensure(node.path), property.name, part);
    }
    lists.write();
  }
}

function areSame<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** True if numbers come to the same for both, as long as that is so for all. */
function isNumberedAlike(a: NodeGist, b: NodeGist | undefined): boolean {
  if (a === b) return true;
  return b !== undefined && !a.hasName && !b.hasName && !a.isOptional && areSame(a.node.labels, b.node.labels) && areSame(a.inCells, b.inCells) && areSame(a.phandles, b.phandles);
}

/** Cells with numbers in place of their references. */
function withNumbers(part: DtChunk, numbers: readonly number[]): DtChunk {
  const bytes = part.bytes.slice();
  part.references.forEach(({ offset }, which) => {
    const number = numbers[which] ?? 0;
    for (let index = 0; index < 4; index++) bytes[offset + index] = (number >>> (24 - 8 * index)) & 0xff;
  });
  return { ...part, bytes };
}

/** The references of a property that are phandle cells, with their offset in the whole value. */
export function phandleMarks(property: DtProperty): readonly { readonly name: string; readonly offset: number }[] {
  const marks: { name: string; offset: number }[] = [];
  let start = 0;
  for (const part of property.value) {
    if (part.type === 'u32') for (const { name, offset } of part.references) marks.push({ name, offset: start + offset });
    start += part.bytes.length;
  }
  return marks;
}

/** Lists of fixups as they grow; what linking before has put there is not put there again. */
class FixupLists {
  private readonly lists = new Map<DtNode, Map<string, { readonly parts: DtChunk[]; readonly known: Set<string> }>>();

  append(node: DtNode, name: string, part: DtChunk): void {
    const ofNode = this.lists.get(node) ?? new Map<string, { readonly parts: DtChunk[]; readonly known: Set<string> }>();
    this.lists.set(node, ofNode);
    const before = node.property(name)?.value ?? [];
    const list = ofNode.get(name) ?? { parts: [...before], known: new Set(before.map(({ bytes }) => bytes.join())) };
    ofNode.set(name, list);
    const key = part.bytes.join();
    if (list.known.has(key)) return;
    list.known.add(key);
    list.parts.push(part);
  }

  /** Puts the lists into their nodes, in the order in which they began. */
  write(): void {
    for (const [node, ofNode] of this.lists) for (const [name, { parts }] of ofNode) node.put(new DtProperty(name, parts));
  }
}
