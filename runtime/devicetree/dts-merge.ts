/**
 * The tree while it is being parsed. dtc never forgets a deleted node or property: it keeps its place and may come
 * back, and only what is alive is written. Bodies are parsed on their own and then merged, so that order of nodes and
 * properties, and what deletion means, are exactly dtc's.
 */

import type { DiagnosticList, SourceOrigin } from './source';
import { DtNode, DtProperty, isNamed } from './tree';
import type { DtValue } from './value';

/** A label and where it was written. */
export interface WorkLabel {
  readonly name: string;
  readonly origin: SourceOrigin;
}

/** A property, or a mark that deletes one. */
export interface WorkProperty {
  readonly name: string;
  value: DtValue;
  labels: readonly WorkLabel[];
  deleted: boolean;
  origin: SourceOrigin;
}

/** Where a body stands. */
export interface BodyPlace {
  /** Its brace, or what stands in its place; counted from that of the body it is in. */
  at: number;
  /** To the end of its statement. */
  readonly length: number;
  /** As far as was looked at for it; -1 if there was something to report, so that it must be read each time. */
  readonly seen: number;
  /** How deep nodes are nested in it. */
  readonly height: number;
}

/** A node, or a mark that deletes one. */
export class WorkNode {
  name: string;
  /** Labels behind those that were put in front later. */
  labels: readonly WorkLabel[] = [];
  /** Labels put in front; the last one is the first of all. */
  private front: WorkLabel[] = [];
  private labelNames: Set<string> | undefined;
  deleted = false;
  omitIfNoRef = false;
  /** Where its body was read, if somebody may want to know. */
  body: BodyPlace | undefined;
  parent: WorkNode | undefined;
  readonly properties: WorkProperty[] = [];
  readonly children: WorkNode[] = [];
  origin: SourceOrigin;
  /** What it became when it was finished last, while neither it nor anything below has changed. */
  finished: DtNode | undefined;
  /** What of it and below has labels, once it is finished. */
  labelled: Labelled | undefined;
  /** Made when there is more than a short list to look through. */
  private firstByName: Map<string, WorkNode> | undefined;
  private propertyByName: Map<string, WorkProperty> | undefined;

  constructor(name: string, origin: SourceOrigin) {
    this.name = name;
    this.origin = origin;
  }

  /** Says that it, or something below, is not what it was. Those above are told as well: none of them is finished as long as one below is not. */
  touch(): void {
    if (this.finished === undefined) return;
    this.finished = undefined;
    this.parent?.touch();
  }

  /** Says where it is written. */
  place(origin: SourceOrigin): void {
    this.origin = origin;
    if (this.finished !== undefined) this.finished.origin = origin;
  }

  /** Gives a body that was read before the head in front of it now. */
  head(name: string, labels: readonly WorkLabel[], origin: SourceOrigin): void {
    if (name !== this.name || !areNamedAlike(labels, this.labels)) this.touch();
    this.name = name;
    this.labels = labels;
    this.place(origin);
  }

  addProperty(property: WorkProperty): void {
    this.properties.push(property);
    const index = this.propertyByName;
    if (index !== undefined && !index.has(property.name)) index.set(property.name, property);
  }

  addChild(child: WorkNode): void {
    child.parent = this;
    this.children.push(child);
    const index = this.firstByName;
    if (index !== undefined && !index.has(child.name)) index.set(child.name, child);
  }

  /** All labels, the one that was put in front last first. */
  get allLabels(): readonly WorkLabel[] {
    return this.front.length === 0 ? this.labels : [...[...this.front].reverse(), ...this.labels];
  }

  /** True if one of the labels has this name. */
  hasLabel(name: string): boolean {
    if (this.front.length + this.labels.length <= INDEX_FROM) return firstNamed(this.front, name) !== undefined || firstNamed(this.labels, name) !== undefined;
    this.labelNames ??= new Set(this.allLabels.map((label) => label.name));
    return this.labelNames.has(name);
  }

  /** Puts a label in front. */
  pushLabel(label: WorkLabel): void {
    this.front.push(label);
    this.labelNames?.add(label.name);
  }

  /** Takes the label in front away again. */
  popLabel(): void {
    this.front.pop();
    this.labelNames = undefined;
  }

  /** Takes all labels away; calling what it returns brings them back as they were. */
  dropLabels(): () => void {
    const { labels, front } = this;
    this.labels = [];
    this.front = [];
    this.labelNames = undefined;
    return () => {
      this.labels = labels;
      this.front = front;
      this.labelNames = undefined;
    };
  }

  /** Takes the last property away again. */
  removeLastProperty(): void {
    this.properties.pop();
    this.propertyByName = undefined;
  }

  /** Takes the last child away again. */
  removeLastChild(): void {
    this.children.pop();
    this.firstByName = undefined;
  }

  /** The first child with this name, alive or not. */
  firstChild(name: string): WorkNode | undefined {
    if (this.children.length <= INDEX_FROM) return firstNamed(this.children, name);
    this.firstByName ??= indexByName(this.children);
    return this.firstByName.get(name);
  }

  /** The first property with this name, alive or not. */
  firstProperty(name: string): WorkProperty | undefined {
    if (this.properties.length <= INDEX_FROM) return firstNamed(this.properties, name);
    this.propertyByName ??= indexByName(this.properties);
    return this.propertyByName.get(name);
  }

  /** The child with this name that is alive. */
  child(name: string): WorkNode | undefined {
    const first = this.firstChild(name);
    return first === undefined || !first.deleted ? first : this.children.find((child) => child.name === name && !child.deleted);
  }
}

/** Nodes with labels, or with labels in their properties, in tree order. */
interface Labelled {
  readonly own: WorkNode | undefined;
  readonly below: readonly Labelled[];
}

function areNamedAlike(a: readonly WorkLabel[], b: readonly WorkLabel[]): boolean {
  return a.length === b.length && a.every(({ name }, index) => name === b[index]?.name);
}

/** Shorter lists are searched faster than indexed. */
const INDEX_FROM = 12;

function firstNamed<T extends { readonly name: string }>(items: readonly T[], name: string): T | undefined {
  // Loops over lists that every tree goes through count: until V8 has optimised a `for…of`, it makes an object for each element.
  for (let index = 0, item = items[0]; item !== undefined; item = items[++index]) if (item.name === name) return item;
  return undefined;
}

function indexByName<T extends { readonly name: string }>(items: readonly T[]): Map<string, T> {
  const index = new Map<string, T>();
  for (let at = 0, item = items[0]; item !== undefined; item = items[++at]) if (!index.has(item.name)) index.set(item.name, item);
  return index;
}

/** Whether something is read once, or again and again as it changes. */
export type TreeUse = 'once' | 'again';

/** The whole tree so far, with its labels. If it is used again it can go back: every change says how it is undone. */
export class WorkTree {
  root: WorkNode | undefined;
  private readonly byLabel = new Map<string, WorkNode>();
  private readonly undos: (() => void)[] = [];
  private readonly use: TreeUse;

  constructor(use: TreeUse) {
    this.use = use;
  }

  /** How many changes there were. */
  get changeCount(): number {
    return this.undos.length;
  }

  private changed(undo: () => void): void {
    if (this.use === 'again') this.undos.push(undo);
  }

  /** Undoes all but the first `count` changes. */
  goBack(count: number): void {
    while (this.undos.length > count) this.undos.pop()?.();
  }

  /** Makes a node the root. */
  setRoot(root: WorkNode): void {
    const before = this.root;
    this.changed(() => { this.root = before; });
    this.root = root;
  }

  /** Says where a node was written last. */
  setOrigin(node: WorkNode, origin: SourceOrigin): void {
    const before = node.origin;
    this.changed(() => { node.place(before); });
    node.place(origin);
  }

  /** Leaves a node out unless something refers to it. */
  omitIfNoRef(node: WorkNode): void {
    const before = node.omitIfNoRef;
    this.touch(node);
    this.changed(() => { node.omitIfNoRef = before; });
    node.omitIfNoRef = true;
  }

  /** A node changes, and will change again when that is undone. */
  private touch(node: WorkNode): void {
    node.touch();
    this.changed(() => { node.touch(); });
  }

  private setLabel(name: string, node: WorkNode | undefined): void {
    const before = this.byLabel.get(name);
    this.changed(() => { this.putLabel(name, before); });
    this.putLabel(name, node);
  }

  private putLabel(name: string, node: WorkNode | undefined): void {
    if (node === undefined) this.byLabel.delete(name);
    else this.byLabel.set(name, node);
  }

  private setDeleted(what: { deleted: boolean }, deleted: boolean): void {
    if (what.deleted === deleted) return;
    this.changed(() => { what.deleted = !deleted; });
    what.deleted = deleted;
  }

  /** Brings a node back. What is above may be finished without it. */
  private revive(node: WorkNode): void {
    if (node.parent !== undefined) this.touch(node.parent);
    this.setDeleted(node, false);
  }

  private setLabels(what: WorkProperty, labels: readonly WorkLabel[]): void {
    const before = what.labels;
    this.changed(() => { what.labels = before; });
    what.labels = labels;
  }

  /** The node that a reference of the source names, as the tree is now. */
  find(reference: string): WorkNode | undefined {
    const slash = reference.indexOf('/');
    let found = slash === 0 ? this.root : this.byLabel.get(slash < 0 ? reference : reference.slice(0, slash));
    if (slash >= 0) for (const name of reference.slice(slash).split('/')) if (name !== '') found = found?.child(name);
    return found;
  }

  /** Takes a body for `/`: it becomes the root or is merged into it. */
  mergeRoot(body: WorkNode): void {
    if (this.root !== undefined) this.merge(this.root, body);
    else {
      this.setRoot(body);
      this.index(body);
    }
  }

  /** Adds a child with all that is below it. */
  attach(parent: WorkNode, child: WorkNode): void {
    this.touch(parent);
    this.attachTo(parent, child);
  }

  private attachTo(parent: WorkNode, child: WorkNode): void {
    parent.addChild(child);
    this.changed(() => { parent.removeLastChild(); });
    this.index(child);
  }

  /** Merges a body into a node of the tree. */
  merge(old: WorkNode, body: WorkNode): void {
    this.touch(old);
    if (old.deleted) this.revive(old);
    for (const label of body.labels) this.addLabel(old, label);
    for (const property of body.properties) this.mergeProperty(old, property);
    for (const child of body.children) {
      const known = old.firstChild(child.name);
      if (child.deleted) {
        if (known !== undefined) this.delete(known);
      } else if (known !== undefined) this.merge(known, child);
      else this.attachTo(old, child);
    }
  }

  private mergeProperty(old: WorkNode, property: WorkProperty): void {
    const known = old.firstProperty(property.name);
    if (property.deleted) {
      if (known !== undefined) this.deleteProperty(known);
    } else if (known === undefined) {
      old.addProperty(property);
      this.changed(() => { old.removeLastProperty(); });
    } else this.replaceProperty(known, property);
  }

  private replaceProperty(known: WorkProperty, property: WorkProperty): void {
    const fresh = property.labels.filter((label) => !known.labels.some(({ name }) => name === label.name));
    if (fresh.length > 0) this.setLabels(known, [...fresh.reverse(), ...known.labels]);
    const { value, origin } = known;
    this.changed(() => {
      known.value = value;
      known.origin = origin;
    });
    known.value = property.value;
    known.origin = property.origin;
    this.setDeleted(known, false);
  }

  /** Deletes a node with all that is below it. */
  delete(node: WorkNode): void {
    this.touch(node);
    // Once what is above is finished without it, what undoes this must be told to those.
    if (node.parent !== undefined) this.touch(node.parent);
    this.setDeleted(node, true);
    for (const child of node.children) this.delete(child);
    for (const property of node.properties) this.deleteProperty(property);
    for (const { name } of node.allLabels) if (this.byLabel.get(name) === node) this.setLabel(name, undefined);
    this.changed(node.dropLabels());
  }

  private deleteProperty(property: WorkProperty): void {
    this.setDeleted(property, true);
    this.setLabels(property, []);
  }

  /** Puts a label in front of the others of a node. */
  addLabel(node: WorkNode, label: WorkLabel): void {
    if (node.hasLabel(label.name)) return;
    this.changed(() => { node.popLabel(); });
    node.pushLabel(label);
    if (!this.byLabel.has(label.name)) this.setLabel(label.name, node);
  }

  private index(node: WorkNode): void {
    node.labels.forEach(({ name }) => { if (!this.byLabel.has(name)) this.setLabel(name, node); });
    node.children.forEach((child) => {
      // It may have been merged into another node before that was undone.
      child.parent = node;
      this.index(child);
    });
  }

  /** dtc's guess: `reg` of the first node in /cpus, if it is one cell. */
  bootCpu(): number {
    const reg = this.root?.child('cpus')?.children[0]?.properties.find(({ name, deleted }) => name === 'reg' && !deleted);
    const made = reg === undefined ? undefined : new DtProperty('reg', reg.value);
    return made?.bytes.length === 4 ? (made.u32s[0] ?? 0) : 0;
  }

  /** What is alive, as a tree; names that occur twice are reported. Shares with the tree `before` what says the same in both. */
  finish(problems: DiagnosticList, before?: DtNode): DtNode {
    return this.root === undefined ? new DtNode('') : new Finisher(problems).tree(this.root, before);
  }
}

const NO_LABELS: readonly string[] = [];

function isAlive({ deleted }: { readonly deleted: boolean }): boolean {
  return !deleted;
}

/** Those that are alive; the list itself if all are. */
function aliveOf<T extends { readonly deleted: boolean }>(items: readonly T[]): readonly T[] {
  return items.every(isAlive) ? items : items.filter(isAlive);
}

/** True if no two of these have one name. */
function areDistinct(items: readonly { readonly name: string; readonly deleted: boolean }[], first: (name: string) => unknown): boolean {
  let isPlain = true;
  for (let index = 0, item = items[0]; item !== undefined && isPlain; item = items[++index]) isPlain = first(item.name) === item;
  if (isPlain) return true;
  const alive = items.filter(isAlive);
  return new Set(alive.map(({ name }) => name)).size === alive.length;
}

function pathOf(work: WorkNode): string {
  return work.parent === undefined ? '' : `${pathOf(work.parent)}/${work.name}`;
}

class Finisher {
  private readonly problems: DiagnosticList;
  /** Labels with what they belong to. */
  private readonly labels = new Map<string, { readonly node: WorkNode; readonly property?: string }>();
  /** Problems that were found, for which nodes must be finished again each time. */
  private problemCount = 0;

  constructor(problems: DiagnosticList) {
    this.problems = problems;
  }

  tree(root: WorkNode, before: DtNode | undefined): DtNode {
    const tree = this.node(root, before);
    if (root.labelled !== undefined) this.claimAll(root.labelled);
    return tree;
  }

  /** The node as trees have it: that of the tree before if it says the same with all below it. */
  private node(work: WorkNode, before: DtNode | undefined): DtNode {
    if (work.finished !== undefined && work.finished === before) return before;
    const { problemCount } = this;
    const made = this.made(work, before);
    work.labelled = labelledIn(work);
    work.finished = this.problemCount > problemCount ? undefined : made;
    return made;
  }

  private made(work: WorkNode, before: DtNode | undefined): DtNode {
    if (!areDistinct(work.properties, (name) => work.firstProperty(name)) || !areDistinct(work.children, (name) => work.firstChild(name))) return this.doubled(work);
    const old = before?.name === work.name ? before : undefined;
    const properties = this.properties(work, old);
    const children = this.children(work, old);
    if (old === undefined || properties !== undefined) return this.headed(new DtNode(work.name, properties, children ?? [...(old?.children ?? [])]), work);
    const isSame = children === undefined && old.omitIfNoRef === work.omitIfNoRef && isNamed(old.labels, work.allLabels);
    return this.headed(isSame ? old : old.withChildren(children ?? [...old.children]), work);
  }

  /** The properties; `undefined` if they are those of the node before. */
  private properties(work: WorkNode, old: DtNode | undefined): DtProperty[] | undefined {
    if (old === undefined) return aliveOf(work.properties).map((property) => finishedProperty(property, undefined));
    let made: DtProperty[] | undefined;
    let count = 0;
    for (let index = 0, property = work.properties[0]; property !== undefined; property = work.properties[++index]) {
      if (property.deleted) continue;
      const there = old.properties[count];
      const one = finishedProperty(property, there?.name === property.name ? there : old.property(property.name));
      if (made === undefined && one !== there) made = old.properties.slice(0, count);
      made?.push(one);
      count++;
    }
    return made ?? (old.properties.length > count ? old.properties.slice(0, count) : undefined);
  }

  /** The children; `undefined` if they are those of the node before. */
  private children(work: WorkNode, old: DtNode | undefined): DtNode[] | undefined {
    if (old === undefined) return aliveOf(work.children).map((child) => this.node(child, undefined));
    let made: DtNode[] | undefined;
    let count = 0;
    for (let index = 0, child = work.children[0]; child !== undefined; child = work.children[++index]) {
      if (child.deleted) continue;
      const there = old.children[count];
      const one = this.node(child, there?.name === child.name ? there : old.child(child.name));
      if (made === undefined && one !== there) made = old.children.slice(0, count);
      made?.push(one);
      count++;
    }
    return made ?? (old.children.length > count ? old.children.slice(0, count) : undefined);
  }

  private headed(made: DtNode, work: WorkNode): DtNode {
    made.origin = work.origin;
    made.omitIfNoRef = work.omitIfNoRef;
    const { allLabels } = work;
    if (!isNamed(made.labels, allLabels)) made.labels = allLabels.map(({ name }) => name);
    return made;
  }

  /** A node with two properties or children of one name. It shares nothing with other trees, nor does what is below it. */
  private doubled(work: WorkNode): DtNode {
    this.problemCount++;
    const made = this.headed(new DtNode(work.name), work);
    for (const property of work.properties) {
      if (property.deleted) continue;
      if (made.has(property.name)) this.problems.add('dts-duplicate-property', property.origin, { name: property.name });
      made.put(finishedProperty(property, undefined));
    }
    for (const child of work.children) {
      if (child.deleted) continue;
      const known = made.child(child.name);
      if (known !== undefined) this.problems.add('dts-duplicate-node', child.origin, { name: child.name });
      const other = this.node(child, undefined);
      if (known === undefined) made.add(other);
      else this.absorb(known, other);
    }
    return made;
  }

  /** Two nodes of one name in one body are a mistake; the best guess at what was meant is their union. */
  private absorb(known: DtNode, other: DtNode): void {
    for (const label of [...other.labels].reverse()) known.label(label);
    for (const property of other.properties) known.put(property);
    for (const child of [...other.children]) {
      const same = known.child(child.name);
      if (same === undefined) known.add(child);
      else this.absorb(same, child);
    }
  }

  private claimAll(labelled: Labelled): void {
    if (labelled.own !== undefined) this.claimLabels(labelled.own);
    for (let index = 0, one = labelled.below[0]; one !== undefined; one = labelled.below[++index]) this.claimAll(one);
  }

  private claimLabels(node: WorkNode): void {
    node.allLabels.forEach((label) => { this.claim(label, { node }); });
    for (let index = 0, property = node.properties[0]; property !== undefined; property = node.properties[++index]) if (!property.deleted) this.claimLabelsOf(property, node);
  }

  private claimLabelsOf({ name, value, labels, origin }: WorkProperty, node: WorkNode): void {
    if (labels.length > 0) for (const label of labels) this.claim(label, { node, property: name });
    for (let index = 0, part = value[0]; part !== undefined; part = value[++index]) {
      if (part.labels.length > 0) for (const mark of part.labels) this.claim({ name: mark.name, origin: mark.origin ?? origin }, { node, property: name });
    }
  }

  private claim(label: WorkLabel, owner: { readonly node: WorkNode; readonly property?: string }): void {
    const other = this.labels.get(label.name);
    if (other === undefined) {
      this.labels.set(label.name, owner);
      return;
    }
    const path = pathOf(other.node);
    this.problems.add('dts-duplicate-label', label.origin, { name: label.name, other: other.property === undefined ? (path === '' ? '/' : path) : `${path === '' ? '/' : path} property ${other.property}` });
  }
}

const NONE_LABELLED: readonly Labelled[] = [];

/** What has labels in a node and below, once what is below is finished. */
function labelledIn(node: WorkNode): Labelled | undefined {
  let below: Labelled[] | undefined;
  for (let index = 0, child = node.children[0]; child !== undefined; child = node.children[++index]) {
    if (child.deleted || child.labelled === undefined) continue;
    if (below === undefined) below = [child.labelled];
    else below.push(child.labelled);
  }
  if (hasLabels(node)) return { own: node, below: below ?? NONE_LABELLED };
  return below === undefined || below.length === 1 ? below?.[0] : { own: undefined, below };
}

/** True if the node, or something in its properties, has a label. */
function hasLabels(node: WorkNode): boolean {
  if (node.allLabels.length > 0) return true;
  for (let index = 0, property = node.properties[0]; property !== undefined; property = node.properties[++index]) {
    if (!property.deleted && (property.labels.length > 0 || property.value.some(({ labels }) => labels.length > 0))) return true;
  }
  return false;
}

/** The property as trees have it: that of the tree before, if it says the same. */
function finishedProperty({ name, value, labels, origin }: WorkProperty, before: DtProperty | undefined): DtProperty {
  if (before?.moveTo(value, labels, origin) === true) return before;
  return new DtProperty(name, value, { labels: labels.length === 0 ? NO_LABELS : labels.map((label) => label.name), origin });
}
