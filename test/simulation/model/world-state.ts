/**
 * The state of the specification and what all rules share: looking capabilities up, counting references, the end of objects, wires, page
 * owners and stage-2 entries.
 */

import assert from 'node:assert/strict';
import { E } from './signatures';
import { type Addrspace, type Cspace, type Entry, type Extent, type Kind, type Line, makeThing, type Slot, slotOfId, SLOTS_PER_TABLE, type Thing, type ThingOf, type Vic, type VirtioMmio, type Wire } from './things';

/** Rights, by type, that creation gives. */
export const ALL_RIGHTS: Readonly<Record<Kind, number>> = {
  partition: 0x8000_0003, cspace: 0x8000_001f, addrspace: 0x8000_000f, memextent: 0x8000_001f, thread: 0x8000_03ff, doorbell: 0x8000_0007, msgqueue: 0x8000_000f, vic: 0x8000_0007,
  vpm_group: 0x8000_0007, virtio_mmio: 0x8000_000f, hwirq: 0x8000_0002,
};
/** The right that calls before activation need. */
export const ACTIVATE = 0x8000_0000;

/** What a call may answer: one error, or any of several where more than one applies; results if it succeeds. */
export interface Verdict { readonly errors: readonly number[]; readonly outputs: Readonly<Record<string, bigint>> }
/** A verdict of one error, or of success. */
export const answer = (error: number, outputs: Readonly<Record<string, bigint>> = {}): Verdict => ({ errors: [error], outputs });
/** Success with results. */
export const done = (outputs: Readonly<Record<string, bigint>> = {}): Verdict => answer(E.OK, outputs);

/** How a call looks a capability up. */
export interface Wanted { readonly rights: number; readonly states?: readonly string[]; readonly rightsFirst?: boolean }

/** An edge that the specification expects. */
export interface Edge { readonly vic: number; readonly virq: number }

/** The state of everything modelled. */
export class WorldState {
  readonly things = new Map<number, Thing>();
  readonly owners = new Map<number, number>();
  /** All memory of the platform, of the model or not. */
  memory: readonly { readonly first: number; readonly end: number }[] = [];
  /** What stands in each page: 0 after zeroing. */
  readonly contents = new Map<number, number>();
  /** VMIDs of address spaces outside of the model. */
  readonly foreignVmids: number[] = [];
  /** Classes of events that the hypervisor logs. */
  traceClasses = 0n;
  /** Edges of the call in progress. */
  edges: Edge[] = [];
  /** Entries that one call wrote more than once with different values, or may have taken away: which one stays is not specified. */
  readonly contested = new Map<string, { readonly addrspace: number; readonly ipa: number; readonly values: (Entry | undefined)[] }>();
  private readonly written = new Map<string, Entry>();
  readonly partition: number;
  private nextId = 1;
  private nextOrder = 1;

  constructor() {
    this.partition = this.add('partition', true).id;
    this.get('partition', this.partition).state = 'active';
  }

  add<K extends Kind>(kind: K, isPermanent = false): ThingOf<K> {
    const thing = makeThing(kind, this.nextId++, isPermanent);
    this.things.set(thing.id, thing);
    return thing;
  }

  get<K extends Kind>(kind: K, id: number): ThingOf<K> {
    const thing = this.things.get(id);
    assert.ok(thing?.kind === kind, `the model has ${kind} ${String(id)}`);
    return thing as ThingOf<K>;
  }

  *all<K extends Kind>(kind: K): IterableIterator<ThingOf<K>> {
    for (const thing of this.things.values()) if (thing.kind === kind) yield thing as ThingOf<K>;
  }

  /** Starts a call. */
  begin(): void {
    this.edges = [];
    this.contested.clear();
    this.written.clear();
  }

  order(): number {
    return this.nextOrder++;
  }

  /** The slot that an identifier names, revoked ones included, or the error. */
  slot(cspace: Cspace, id: bigint): Slot | number {
    const at = slotOfId(id);
    if (at === undefined) return E.ARGUMENT_INVALID;
    return cspace.slots.get(at) ?? E.CAP_NULL;
  }

  /** The valid slot that an identifier names, or the error. */
  valid(cspace: Cspace, id: bigint): Slot | number {
    const slot = this.slot(cspace, id);
    return typeof slot !== 'number' && slot.isRevoked ? E.CAP_REVOKED : slot;
  }

  /** The object that a capability names: empty, revoked, type, rights, state. Before activation rights come before the type. */
  find<K extends Kind>(cspace: Cspace, id: bigint, kind: K, wanted: Wanted): ThingOf<K> | number {
    const slot = this.valid(cspace, id);
    if (typeof slot === 'number') return slot;
    const thing = this.things.get(slot.object);
    assert.ok(thing !== undefined, 'a valid capability names a live object');
    const lacksRights = (slot.rights & wanted.rights) >>> 0 !== wanted.rights >>> 0;
    if (wanted.rightsFirst === true && lacksRights) return E.RIGHTS;
    if (thing.kind !== kind) return E.WRONG_TYPE;
    if (lacksRights) return E.RIGHTS;
    return (wanted.states ?? ['active']).includes(thing.state) ? thing as ThingOf<K> : E.OBJECT_STATE;
  }

  /** Puts a capability into the lowest free slot of the lowest table that has one and answers the slot. Tables come with their first capability and go with their last. */
  insert(cspace: Cspace, slot: Slot): number {
    const used = new Set([...cspace.slots.keys()].map((at) => Math.floor(at / SLOTS_PER_TABLE)));
    const free = (table: number) => Array.from({ length: SLOTS_PER_TABLE }, (_, n) => table * SLOTS_PER_TABLE + n).find((at) => !cspace.slots.has(at));
    const roomy = [...used].sort((a, b) => a - b).map(free).find((at) => at !== undefined);
    let fresh = 0;
    while (used.has(fresh)) fresh++;
    const at = roomy ?? fresh * SLOTS_PER_TABLE;
    cspace.slots.set(at, slot);
    return at;
  }

  /** Ends every object that nothing refers to any more. */
  collect(): void {
    for (let dead = this.findDead(); dead !== undefined; dead = this.findDead()) this.end(dead);
  }

  /** Asserts a wire as a level or as a pulse. */
  assertWire(wire: Wire | undefined, as: 'level' | 'pulse'): void {
    const line = this.lineOf(wire);
    if (line === undefined || wire === undefined) return;
    line.latch = true;
    // A pulse is latched by a level-triggered line too, without effect.
    if (as === 'pulse' && !line.isEdge) return;
    if (as === 'level') line.level = true;
    this.edges.push({ vic: wire.vic, virq: wire.virq });
  }

  /** Takes a level back; an edge that was latched stays, as the real hypervisor takes back levels only. */
  clearWire(wire: Wire | undefined): void {
    const line = this.lineOf(wire);
    if (line !== undefined) line.level = false;
  }

  /** Takes a wire off its line. */
  unbindWire(wire: Wire | undefined): void {
    const line = this.lineOf(wire);
    this.clearWire(wire);
    if (line !== undefined) line.source = undefined;
  }

  /** The line of a VIC, made when first touched: level-triggered. */
  line(vic: Vic, virq: number): Line {
    const known = vic.lines.get(virq);
    if (known !== undefined) return known;
    const made: Line = { isEdge: false, latch: false, level: false, source: undefined };
    vic.lines.set(virq, made);
    return made;
  }

  /** Makes an address space show what an extent has recorded for a page that it owns. */
  show(extent: Extent, page: number): void {
    const recorded = extent.groups.flatMap((group) => {
      const at = group.pages.get(page - extent.first);
      return at === undefined ? [] : [{ addrspace: group.addrspace, at }];
    });
    for (const { addrspace, at } of recorded.sort((a, b) => a.at.order - b.at.order)) this.write(addrspace, at.ipa, { page, attributes: at.attributes });
  }

  /** Takes a page that an extent owns out of every address space where it still shows as recorded. */
  hide(extent: Extent, page: number): void {
    for (const group of extent.groups) {
      const at = group.pages.get(page - extent.first);
      if (at !== undefined) this.erase(group.addrspace, at.ipa, page);
    }
  }

  /** Removes an entry if it still shows the page. One that shows another page goes if that page is taken away by the same call, which only the call as a whole could tell: either may be so. */
  erase(addrspace: number, ipa: number, page: number): void {
    const { table } = this.get('addrspace', addrspace);
    const shown = table.get(ipa);
    if (shown?.page === page) table.delete(ipa);
    else if (shown !== undefined) this.contest(addrspace, ipa, [shown, undefined]);
  }

  private contest(addrspace: number, ipa: number, values: readonly (Entry | undefined)[]): void {
    const key = `${String(addrspace)}:${String(ipa)}`;
    const known = this.contested.get(key) ?? { addrspace, ipa, values: [] };
    known.values.push(...values);
    this.contested.set(key, known);
  }

  write(addrspace: number, ipa: number, entry: Entry): void {
    this.get('addrspace', addrspace).table.set(ipa, entry);
    const key = `${String(addrspace)}:${String(ipa)}`;
    const before = this.written.get(key);
    if (before !== undefined && (before.page !== entry.page || before.attributes !== entry.attributes)) this.contest(addrspace, ipa, [before, entry]);
    else if (this.contested.has(key)) this.contest(addrspace, ipa, [entry]);
    this.written.set(key, entry);
  }

  /** Moves a page between owners with the effect on what is seen. */
  move(page: number, to: number): void {
    const from = this.things.get(this.owners.get(page) ?? 0);
    if (from?.kind === 'memextent') this.hide(from, page);
    this.owners.set(page, to);
    const receiver = this.things.get(to);
    if (receiver?.kind === 'memextent') this.show(receiver, page);
  }

  /** Clears a page, and with it the registers of a device that has them there. */
  zero(page: number): void {
    this.contents.set(page, 0);
    for (const device of this.all('virtio_mmio')) if (device.state === 'active' && device.extent !== undefined && this.get('memextent', device.extent).first === page) Object.assign(device, { interrupts: 0, status: 0 });
  }

  owns(owner: number, first: number, count: number): boolean {
    for (let page = first; page < first + count; page++) if (this.owners.get(page) !== owner) return false;
    return true;
  }

  /** ADDR_INVALID if the smallest block of 16, 256, … pages of which the range is a part has no memory at all, or the range leaves the smallest that has all memory. */
  notOwned(first: number, count: number): number {
    const end = first + count;
    let reach = 1;
    for (const range of this.memory) while (reach < range.end) reach *= 16;
    let size = 1;
    while (size <= count || Math.floor(first / size) !== Math.floor((end - 1) / size)) size *= 16;
    const block = Math.floor(first / size);
    return end > reach || !this.memory.some((range) => range.first < (block + 1) * size && range.end > block * size) ? E.ADDR_INVALID : E.NOT_OWNER;
  }

  private lineOf(wire: Wire | undefined): Line | undefined {
    const vic = wire === undefined ? undefined : this.things.get(wire.vic);
    return wire === undefined || vic?.kind !== 'vic' ? undefined : this.line(vic, wire.virq);
  }

  private findDead(): Thing | undefined {
    const alive = new Set<number>();
    for (const thing of this.things.values()) {
      if (thing.isPermanent) alive.add(thing.id);
      if (thing.kind === 'cspace') for (const slot of thing.slots.values()) if (!slot.isRevoked) alive.add(slot.object);
      if (thing.kind === 'memextent' && thing.parent !== undefined) alive.add(thing.parent);
      if (thing.kind === 'thread') for (const link of [thing.cspace, thing.addrspace, thing.vic?.id, thing.vpm?.group]) if (link !== undefined) alive.add(link);
      if (thing.kind === 'addrspace' && thing.info !== undefined) alive.add(thing.info);
      if (thing.kind === 'virtio_mmio' && thing.extent !== undefined) alive.add(thing.extent);
    }
    for (const thing of this.things.values()) if (!alive.has(thing.id)) return thing;
    return undefined;
  }

  private end(thing: Thing): void {
    this.things.delete(thing.id);
    if (thing.kind === 'doorbell') this.unbindWire(thing.wire);
    else if (thing.kind === 'msgqueue') {
      this.unbindWire(thing.sendWire);
      this.unbindWire(thing.receiveWire);
    } else if (thing.kind === 'thread') {
      this.unbindWire(thing.haltWire);
      this.unbindWire(thing.wakeWire);
    } else if (thing.kind === 'vpm_group') this.unbindWire(thing.wire);
    else if (thing.kind === 'virtio_mmio') this.endVirtio(thing);
    else if (thing.kind === 'vic') this.endVic(thing);
    else if (thing.kind === 'addrspace') this.endAddrspace(thing);
    else if (thing.kind === 'memextent') this.endExtent(thing);
  }

  private endVirtio(device: VirtioMmio): void {
    this.unbindWire(device.backendWire);
    this.unbindWire(device.frontendWire);
    if (device.state === 'active' && device.extent !== undefined) this.get('memextent', device.extent).attachments--;
  }

  private endVic(vic: Vic): void {
    for (const space of this.all('addrspace')) space.frames = space.frames.filter((frame) => frame.vic !== vic.id);
    for (const line of vic.lines.values()) {
      const { source } = line;
      const owner = source === undefined ? undefined : this.things.get(source.object);
      if (owner?.kind === 'doorbell') owner.wire = undefined;
      else if (owner?.kind === 'msgqueue' && source?.end === 'send') owner.sendWire = undefined;
      else if (owner?.kind === 'msgqueue') owner.receiveWire = undefined;
      else if (owner?.kind === 'vpm_group' || owner?.kind === 'hwirq') owner.wire = undefined;
      else if (owner?.kind === 'virtio_mmio' && source?.end === 'backend') owner.backendWire = undefined;
      else if (owner?.kind === 'virtio_mmio') owner.frontendWire = undefined;
      else if (owner?.kind === 'thread' && source?.end === 'halt') owner.haltWire = undefined;
      else if (owner?.kind === 'thread') owner.wakeWire = undefined;
    }
  }

  private endAddrspace(addrspace: Addrspace): void {
    if (addrspace.state === 'active' && addrspace.info !== undefined) this.get('memextent', addrspace.info).attachments--;
    for (const extent of this.all('memextent')) for (const group of extent.groups) if (group.addrspace === addrspace.id) group.pages.clear();
  }

  private endExtent(extent: Extent): void {
    const owned = [...this.owners].filter(([, owner]) => owner === extent.id).map(([page]) => page);
    for (const page of owned) {
      this.hide(extent, page);
      this.owners.set(page, extent.parent ?? this.partition);
      const parent = extent.parent === undefined ? undefined : this.things.get(extent.parent);
      if (parent?.kind === 'memextent') this.show(parent, page);
    }
  }
}
