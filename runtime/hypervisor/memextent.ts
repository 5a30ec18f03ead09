/**
 * Memory extents: windows of physical memory that a virtual machine holds, derives, maps and donates.
 *
 * A basic extent takes its whole range at activation and is mapped whole, at most four times. A sparse extent starts empty, gets memory by
 * donation and may be mapped in parts. Recorded mappings take effect exactly where the extent owns the page at the moment; a child that
 * takes pages makes a hole in its parent's mappings, and its end closes the hole. Encodings of attributes are in `memory-attributes.ts`.
 */

import { assert } from '../base/assert';
import { pa } from '../base/brands';
import type { PhysicalMemory } from '../engine/interface';
import { type Addrspace } from './addrspace';
import type { ErrorName } from './errors';
import type { Memdb, PageRange } from './memdb';
import { type ExtentAttributes, type ExtentMemoryType, memoryTypeFits } from './memory-attributes';
import { ObjectHeader } from './object';
import { IPA_PAGE_COUNT, type PageAttributes, type PageMapping } from './pgtable';
import type { Partition } from './partition';

/** Mappings of a basic extent, and mapping groups of a sparse one. */
export const MAPPINGS_MAX = 4;
/** Heap bytes that one recorded mapping of a sparse extent costs. */
const MAPPING_BYTES = 64;

/** Pages that the record of a mapping has room for: 48 bits of address in a sparse extent, 64 in a basic one. */
const RECORDABLE_PAGE_COUNT = { sparse: 2 ** 36, basic: 2 ** 52 } as const;

/** A recorded mapping. `first` and `pageCount` are relative to the extent; `ipaPage` is where `first` appears. */
export interface ExtentMapping {
  readonly addrspace: Addrspace;
  readonly slot: number;
  readonly ipaPage: number;
  readonly first: number;
  readonly pageCount: number;
  readonly attributes: PageAttributes;
}

/** What extents need of the system. */
export interface MemoryWorld {
  readonly memory: PhysicalMemory;
  readonly memdb: Memdb;
  readonly partition: Partition;
  /** Reports a change of owner or map. */
  readonly report: (action: 'map' | 'unmap' | 'update' | 'donate' | 'derive', range: PageRange, detail: string) => void;
}

/** A window into an extent, in pages. */
export interface Window { readonly first: number; readonly pageCount: number }

/** A memory extent (Gunyah API: memextent). */
export class Memextent {
  readonly header: ObjectHeader<'memextent'>;
  /** First page and length; length 0 means not configured. */
  firstPage = 0;
  pageCount = 0;
  access = 0;
  memoryType: ExtentMemoryType = 'any';
  kind: 'basic' | 'sparse' = 'basic';
  parent: Memextent | undefined;
  /** Uses as info or register page. */
  attachmentCount = 0;
  private readonly world: MemoryWorld;
  private list: ExtentMapping[] = [];

  constructor(id: number, world: MemoryWorld) {
    this.header = new ObjectHeader('memextent', id);
    this.world = world;
  }

  /** Recorded mappings. */
  get mappings(): readonly ExtentMapping[] {
    return this.list;
  }

  /** The extent's window of physical pages. */
  get range(): PageRange {
    return { first: this.firstPage, end: this.firstPage + this.pageCount };
  }

  /** The pages it owns now. */
  ownedRuns(): PageRange[] {
    return this.world.memdb.ownedRuns(this.range, this.header.id);
  }

  /** Takes checked configuration (memextent_configure and _derive). */
  define(window: Window, attributes: ExtentAttributes, parent: Memextent | undefined): void {
    this.firstPage = window.first;
    this.pageCount = window.pageCount;
    this.access = attributes.access;
    this.memoryType = attributes.memoryType;
    this.kind = attributes.kind;
    this.parent = parent;
  }

  /** Gunyah API: object_activate. Order of errors: unconfigured, parent attached, ownership, partly mapped parent, heap. */
  activate(): ErrorName {
    if (this.pageCount === 0) return 'OBJECT_CONFIG';
    const parent = this.parent;
    if (parent === undefined) return this.activateRoot();
    if (parent.attachmentCount > 0) return 'BUSY';
    const takesRange = this.kind === 'basic' || parent.kind === 'basic';
    if (takesRange && !this.world.memdb.owns(this.range, parent.header.id)) return 'MEMDB_NOT_OWNER';
    const inherited = this.inheritedMappings(parent);
    if (inherited === undefined) return 'NOMEM';
    if (this.kind === 'basic' && inherited.some((mapping) => mapping.pageCount !== this.pageCount)) return 'DENIED';
    this.list = inherited;
    if (takesRange) {
      if (!this.canMap(this.list, this.range)) {
        this.forgetMappings();
        return 'NOMEM';
      }
      this.moveFrom(parent, this.range);
    }
    this.world.report('derive', this.range, `object ${parent.header.id} to object ${this.header.id}`);
    return 'OK';
  }

  /** Maps the whole extent, or a window of a sparse one. Addresses and attributes have been checked against the extent. */
  map(addrspace: Addrspace, ipaPage: number, attributes: PageAttributes, window: Window): ErrorName {
    if (ipaPage + window.pageCount > RECORDABLE_PAGE_COUNT[this.kind]) return this.kind === 'sparse' ? 'ADDR_INVALID' : 'ADDR_OVERFLOW';
    const slot = this.findSlot(addrspace, window);
    if (slot === undefined) return 'MEMEXTENT_MAPPINGS_FULL';
    const bounds = checkIpaRange(ipaPage, window.pageCount);
    if (bounds !== 'OK') return bounds;
    const mapping: ExtentMapping = { addrspace, slot, ipaPage, ...window, attributes };
    if (!this.canMap([mapping], this.range) || !this.payFor(mapping)) return 'NOMEM';
    this.apply(mapping, this.range);
    this.world.report('map', this.absolute(window), `object ${this.header.id} at page ${ipaPage} of address space ${addrspace.header.id}`);
    return 'OK';
  }

  /** Removes a recorded mapping; ADDR_INVALID if there is none like this. */
  unmap(addrspace: Addrspace, ipaPage: number, window: Window): ErrorName {
    const found = this.findMapped(addrspace, ipaPage, window);
    if (found === undefined) return 'ADDR_INVALID';
    for (const mapping of found) this.withdraw(mapping, this.absolute(window));
    this.cut(found, window);
    this.world.report('unmap', this.absolute(window), `object ${this.header.id} at page ${ipaPage} of address space ${addrspace.header.id}`);
    return 'OK';
  }

  /** Changes the access of a mapping, keeping its memory type. Always ADDR_INVALID on sparse extents, as in the source. */
  updateAccess(addrspace: Addrspace, ipaPage: number, access: { readonly kernel: number; readonly user: number }): ErrorName {
    const index = this.list.findIndex((mapping) => mapping.addrspace === addrspace && mapping.ipaPage === ipaPage);
    const old = this.list[index];
    if (old === undefined || this.kind === 'sparse') return 'ADDR_INVALID';
    const mapping: ExtentMapping = { ...old, attributes: { ...access, memoryType: old.attributes.memoryType } };
    if (!this.canMap([mapping], this.range)) return 'NOMEM';
    this.list[index] = mapping;
    this.apply(mapping, this.range);
    this.world.report('update', this.range, `object ${this.header.id} in address space ${addrspace.header.id}`);
    return 'OK';
  }

  /** memextent_modify operation 0. */
  unmapAll(): void {
    for (const mapping of this.list) this.withdraw(mapping, this.range);
    this.forgetMappings();
    this.world.report('unmap', this.range, `object ${this.header.id} everywhere`);
  }

  /** Zeroes the pages of a window that the extent owns. */
  zero(window: Window): void {
    for (const run of this.world.memdb.ownedRuns(this.absolute(window), this.header.id)) {
      const sizeBytes = (run.end - run.first) * 4096;
      const base = pa(BigInt(run.first) << 12n);
      if (this.world.memory.contains(base, sizeBytes)) this.world.memory.fill(base, sizeBytes, 0);
    }
  }

  /** True if moving `range` (physical pages) here can be paid for. */
  canReceive(range: PageRange): boolean {
    return this.canMap(this.list, range);
  }

  /** Takes physical pages from another owner, with the effect on both sides' mappings. Checked before: ownership, `canReceive`. */
  moveFrom(donor: Memextent | Partition, range: PageRange): void {
    const runs = this.world.memdb.ownedRuns(range, donor.header.id);
    for (const run of runs) {
      if (donor instanceof Memextent) for (const part of this.partsByMapping(donor, run)) this.transferFrom(donor, part);
      this.world.memdb.transfer(run, donor.header.id, this.header.id);
      for (const mapping of this.list) this.apply(mapping, run);
    }
  }

  /** Takes the donor's view of a range away, but not where this extent shows the same pages at the same address: that is overwritten, or right already. */
  private transferFrom(donor: Memextent, range: PageRange): void {
    for (const mapping of donor.list) {
      const at = mapping.ipaPage - donor.absolute(mapping).first;
      const isSeenHere = this.list.some((own) => own.addrspace === mapping.addrspace && own.ipaPage - this.absolute(own).first === at && covers(this.absolute(own), range));
      if (!isSeenHere) donor.withdraw(mapping, range);
    }
  }

  /** Cuts a range where a mapping of either side begins or ends. */
  private partsByMapping(donor: Memextent, range: PageRange): PageRange[] {
    const windows = [...donor.list.map((mapping) => donor.absolute(mapping)), ...this.list.map((mapping) => this.absolute(mapping))];
    const inside = windows.flatMap(({ first, end }) => [first, end]).filter((page) => page > range.first && page < range.end);
    const cuts = [range.first, ...[...new Set(inside)].sort((a, b) => a - b), range.end];
    return cuts.slice(1).map((end, i) => ({ first: cuts[i] ?? end, end }));
  }

  /** Gives physical pages back to the partition. */
  moveToPartition(range: PageRange): void {
    this.withdrawAll(range);
    this.world.memdb.transfer(range, this.header.id, this.world.partition.header.id);
  }

  /** Ends the extent: unmaps and returns what it owns to its parent or partition. */
  destroy(): void {
    this.unmapAll();
    const owned = this.ownedRuns();
    for (const run of owned) {
      if (this.parent !== undefined) this.parent.moveFrom(this, run);
      else this.moveToPartition(run);
    }
  }

  /** Drops mappings into an address space that is destroyed; its table is gone already. */
  forgetAddrspace(addrspace: Addrspace): void {
    const kept = this.list.filter((mapping) => mapping.addrspace !== addrspace);
    if (this.kind === 'sparse') this.world.partition.heap.releaseBytes(MAPPING_BYTES * (this.list.length - kept.length));
    this.list = kept;
  }

  save(): SavedMemextent {
    return {
      firstPage: this.firstPage, pageCount: this.pageCount, access: this.access, memoryType: this.memoryType, kind: this.kind,
      parent: this.parent?.header.id, attachmentCount: this.attachmentCount,
      mappings: this.list.map((mapping) => ({ ...mapping, addrspace: mapping.addrspace.header.id, attributes: { ...mapping.attributes } })),
    };
  }

  restore(saved: SavedMemextent, addrspace: (id: number) => Addrspace, extent: (id: number) => Memextent): void {
    this.define({ first: saved.firstPage, pageCount: saved.pageCount }, saved, saved.parent === undefined ? undefined : extent(saved.parent));
    this.attachmentCount = saved.attachmentCount;
    this.list = saved.mappings.map((mapping) => ({ ...mapping, addrspace: addrspace(mapping.addrspace) }));
  }

  private forgetMappings(): void {
    if (this.kind === 'sparse') this.world.partition.heap.releaseBytes(MAPPING_BYTES * this.list.length);
    this.list = [];
  }

  private activateRoot(): ErrorName {
    const { memdb, partition } = this.world;
    const takesRange = this.kind === 'basic' || this.memoryType === 'device';
    if (!takesRange) return 'OK';
    if (!memdb.owns(this.range, partition.header.id)) return memdb.refusal(this.range);
    memdb.transfer(this.range, partition.header.id, this.header.id);
    return 'OK';
  }

  /** The parent's mappings seen through this window, with access reduced to this extent's. */
  private inheritedMappings(parent: Memextent): ExtentMapping[] | undefined {
    const offset = this.firstPage - parent.firstPage;
    const inherited: ExtentMapping[] = [];
    for (const mapping of parent.list) {
      const first = Math.max(mapping.first, offset);
      const end = Math.min(mapping.first + mapping.pageCount, offset + this.pageCount);
      if (first >= end) continue;
      const { kernel, user, memoryType } = mapping.attributes;
      inherited.push({
        addrspace: mapping.addrspace, slot: mapping.slot, ipaPage: mapping.ipaPage + (first - mapping.first), first: first - offset, pageCount: end - first,
        attributes: { kernel: kernel & this.access, user: user & this.access, memoryType },
      });
    }
    if (this.kind === 'basic') return joined(inherited);
    return this.world.partition.heap.reserveBytes(MAPPING_BYTES * inherited.length) ? inherited : undefined;
  }

  private absolute(window: Window): PageRange {
    return { first: this.firstPage + window.first, end: this.firstPage + window.first + window.pageCount };
  }

  /** The pieces of a mapping inside a physical range, as page moves. */
  private moves(mapping: ExtentMapping, range: PageRange, owner: number): PageMapping[] {
    const window = this.absolute(mapping);
    const part = { first: Math.max(window.first, range.first), end: Math.min(window.end, range.end) };
    if (part.first >= part.end) return [];
    return this.world.memdb.ownedRuns(part, owner).map((run) => ({
      ipaPage: mapping.ipaPage + (run.first - window.first), paPage: run.first, pageCount: run.end - run.first,
    }));
  }

  private apply(mapping: ExtentMapping, range: PageRange): void {
    for (const move of this.moves(mapping, range, this.header.id)) mapping.addrspace.pgtable.map(move, mapping.attributes);
  }

  private withdraw(mapping: ExtentMapping, range: PageRange): void {
    for (const move of this.moves(mapping, range, this.header.id)) mapping.addrspace.pgtable.unmap(move);
  }

  private withdrawAll(range: PageRange): void {
    for (const mapping of this.list) this.withdraw(mapping, range);
  }

  /** True if the heap can pay for these mappings over every page of `range`, whoever owns it now. */
  private canMap(mappings: readonly ExtentMapping[], range: PageRange): boolean {
    let needed = 8;
    for (const mapping of mappings) {
      const window = this.absolute(mapping);
      const first = Math.max(window.first, range.first);
      const end = Math.min(window.end, range.end);
      if (first < end) needed += mapping.addrspace.pgtable.cost({ ipaPage: mapping.ipaPage + (first - window.first), paPage: first, pageCount: end - first });
    }
    return this.world.partition.heap.canAllocate(needed);
  }

  /** The group that may hold a mapping: one of this address space without a mapping of the same pages, else an unused one. */
  private findSlot(addrspace: Addrspace, window: Window): number | undefined {
    let unused: number | undefined;
    for (let slot = 0; slot < MAPPINGS_MAX; slot++) {
      const members = this.list.filter((mapping) => mapping.slot === slot);
      if (members.length === 0) unused ??= slot;
      else if (this.kind === 'sparse' && members[0]?.addrspace === addrspace && !members.some((mapping) => overlaps(mapping, window))) return slot;
    }
    return unused;
  }

  /** Records a mapping if the heap can pay for it. */
  private payFor(mapping: ExtentMapping): boolean {
    if (this.kind === 'sparse' && !this.world.partition.heap.reserveBytes(MAPPING_BYTES)) return false;
    this.list.push(mapping);
    return true;
  }

  /** The recorded mappings that together are exactly this view of a window. */
  private findMapped(addrspace: Addrspace, ipaPage: number, window: Window): ExtentMapping[] | undefined {
    for (let slot = 0; slot < MAPPINGS_MAX; slot++) {
      const members = this.list.filter((mapping) => mapping.slot === slot && mapping.addrspace === addrspace && overlaps(mapping, window)
        && mapping.ipaPage - mapping.first === ipaPage - window.first);
      let covered = 0;
      for (const mapping of members) {
        covered += Math.min(mapping.first + mapping.pageCount, window.first + window.pageCount) - Math.max(mapping.first, window.first);
      }
      if (covered === window.pageCount) return members;
    }
    return undefined;
  }

  /** Takes a window out of recorded mappings, keeping what lies beside it. */
  private cut(mappings: readonly ExtentMapping[], window: Window): void {
    const heap = this.world.partition.heap;
    for (const mapping of mappings) {
      const at = this.list.indexOf(mapping);
      assert(at >= 0, 'a mapping is cut that is not recorded');
      const rest: ExtentMapping[] = [];
      const before = window.first - mapping.first;
      const after = mapping.first + mapping.pageCount - (window.first + window.pageCount);
      if (before > 0) rest.push({ ...mapping, pageCount: before });
      if (after > 0) rest.push({ ...mapping, first: window.first + window.pageCount, ipaPage: mapping.ipaPage + mapping.pageCount - after, pageCount: after });
      this.list.splice(at, 1, ...rest);
      if (this.kind === 'sparse') {
        heap.releaseBytes(MAPPING_BYTES);
        for (const _ of rest) heap.chargeBytes(MAPPING_BYTES);
      }
    }
  }
}

/** Mappings of one group that continue each other count as one: the real table of mappings does not know that they were made in parts. */
function joined(mappings: readonly ExtentMapping[]): ExtentMapping[] {
  const slots = [...new Set(mappings.map(({ slot }) => slot))];
  return slots.flatMap((slot) => {
    const pieces: ExtentMapping[] = [];
    for (const mapping of mappings.filter((one) => one.slot === slot).sort((a, b) => a.first - b.first)) {
      const last = pieces[pieces.length - 1];
      if (last === undefined || !continues(last, mapping)) pieces.push(mapping);
      else pieces[pieces.length - 1] = { ...last, pageCount: last.pageCount + mapping.pageCount };
    }
    return pieces;
  });
}

function continues(before: ExtentMapping, after: ExtentMapping): boolean {
  const [a, b] = [before.attributes, after.attributes];
  return before.addrspace === after.addrspace && before.first + before.pageCount === after.first && before.ipaPage + before.pageCount === after.ipaPage
    && a.kernel === b.kernel && a.user === b.user && a.memoryType === b.memoryType;
}

function overlaps(a: Window, b: Window): boolean {
  return a.first < b.first + b.pageCount && b.first < a.first + a.pageCount;
}

function covers(outer: PageRange, inner: PageRange): boolean {
  return outer.first <= inner.first && inner.end <= outer.end;
}

function checkIpaRange(ipaPage: number, pageCount: number): ErrorName {
  if (ipaPage >= IPA_PAGE_COUNT) return 'ADDR_INVALID';
  return ipaPage + pageCount > IPA_PAGE_COUNT ? 'ADDR_OVERFLOW' : 'OK';
}

/** True if an extent's type admits a mapping type. */
export function fits(extent: Memextent, memoryType: number): boolean {
  return memoryTypeFits(extent.memoryType, memoryType);
}

/** Saved form of an extent. */
export interface SavedMemextent {
  readonly firstPage: number;
  readonly pageCount: number;
  readonly access: number;
  readonly memoryType: ExtentMemoryType;
  readonly kind: 'basic' | 'sparse';
  readonly parent: number | undefined;
  readonly attachmentCount: number;
  readonly mappings: readonly (Omit<ExtentMapping, 'addrspace'> & { readonly addrspace: number })[];
}
