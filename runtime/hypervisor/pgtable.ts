/**
 * Stage-2 translation tables of one address space, in real VMSAv8-64 format in simulated RAM (Arm ARM D8.3).
 *
 * 4 KiB granule, 36-bit IPA, translation starts at level 1 with 64 entries; 1 GiB and 2 MiB blocks where both sides are
 * aligned. The engine walks the same bytes live. Table pages come from the partition heap. Nothing here knows who owns a page.
 *
 *     leaf  63..59 0 | 58..55 software | 54:53 XN | 47:12 output address | 10 AF | 9:8 SH | 7:6 S2AP | 5:2 MemAttr | 1:0 type
 */

import { assert, present } from '../base/assert';
import { pa } from '../base/brands';
import type { PhysicalMemory } from '../engine/interface';
import type { Heap } from './partition';

/** Access bits of the API (Gunyah API: pgtable_access). */
export const ACCESS_X = 1;
export const ACCESS_W = 2;
export const ACCESS_R = 4;

/** Size of the intermediate physical address space in pages: 36 bits. */
export const IPA_PAGE_COUNT = 1 << 24;

/** Pages below RAM, where devices are. */
export const DEVICE_PAGES = 1 << 18;

/** VTCR_EL2: T0SZ 28 (36 bits), SL0 1 (start at level 1), inner and outer write-back, inner shareable, 4 KiB, PS 36 bits, RES1 bit 31. */
export const VTCR_EL2 = (1n << 31n) | (1n << 16n) | (3n << 12n) | (1n << 10n) | (1n << 8n) | (1n << 6n) | 28n;

/** What a leaf allows. Read and write are equal for EL0 and EL1; execution may differ. */
export interface PageAttributes {
  /** Access of EL1, three bits R W X. */
  readonly kernel: number;
  /** Access of EL0. */
  readonly user: number;
  /** Memory type, which is the stage-2 MemAttr field (Gunyah API: pgtable_vm_memtype). */
  readonly memoryType: number;
}

/** A run of pages from one place to another. */
export interface PageMapping { readonly ipaPage: number; readonly paPage: number; readonly pageCount: number }

/** A leaf that a look-up found; `pageCount` pages from here on are translated by the same leaf. */
export interface Leaf { readonly paPage: number; readonly pageCount: number; readonly attributes: PageAttributes }

const DESCRIPTOR_VALID = 1n;
const DESCRIPTOR_TABLE = 2n;
const ADDRESS_MASK = 0x0000_ffff_ffff_f000n;

type Level = 1 | 2 | 3;
const SPAN: Readonly<Record<Level, number>> = { 1: 1 << 18, 2: 1 << 9, 3: 1 };
const ENTRIES: Readonly<Record<Level, number>> = { 1: 64, 2: 512, 3: 512 };

function next(level: Level): Level {
  assert(level !== 3, 'there is no level below 3');
  return level === 1 ? 2 : 3;
}

/** The attribute bits of a leaf descriptor, type bits left out. */
export function leafBits(attributes: PageAttributes): bigint {
  const kernelX = (attributes.kernel & ACCESS_X) !== 0;
  const userX = (attributes.user & ACCESS_X) !== 0;
  const xn = kernelX ? (userX ? 0n : 3n) : userX ? 1n : 2n;
  const s2ap = ((attributes.kernel & ACCESS_R) !== 0 ? 1n : 0n) | ((attributes.kernel & ACCESS_W) !== 0 ? 2n : 0n);
  const shareable = attributes.memoryType > 3 ? 3n : 0n;
  return (xn << 53n) | (1n << 10n) | (shareable << 8n) | (s2ap << 6n) | (BigInt(attributes.memoryType & 15) << 2n);
}

function attributesOf(descriptor: bigint): PageAttributes {
  const xn = Number((descriptor >> 53n) & 3n);
  const s2ap = Number((descriptor >> 6n) & 3n);
  const readWrite = (s2ap & 1 ? ACCESS_R : 0) | (s2ap & 2 ? ACCESS_W : 0);
  return {
    kernel: readWrite | (xn === 0 || xn === 3 ? ACCESS_X : 0),
    user: readWrite | (xn === 0 || xn === 1 ? ACCESS_X : 0),
    memoryType: Number((descriptor >> 2n) & 15n),
  };
}

/** The tables of one address space. */
export class Pgtable {
  private readonly memory: PhysicalMemory;
  private readonly heap: Heap;
  private readonly onChange: () => void;
  private root: number;
  private changes = 0;
  /** Valid entries per table page, root included. */
  private entryCounts = new Map<number, number>();
  private left: readonly PageMapping[] = [];
  /** Pages of device space that were mapped at some time: runs in ascending order that do not touch. */
  private taken: [first: number, end: number][] = [];

  constructor(memory: PhysicalMemory, heap: Heap, onChange: () => void) {
    this.memory = memory;
    this.heap = heap;
    this.onChange = onChange;
    this.root = -1;
  }

  /** Takes the root table; false if the heap is empty. */
  create(): boolean {
    assert(this.root < 0, 'stage-2 tables are created twice');
    const page = this.heap.canAllocate(1) ? this.heap.allocatePage() : undefined;
    if (page === undefined) return false;
    this.clearTable(page);
    this.root = page;
    return true;
  }

  /** Gives every table back. */
  destroy(): void {
    for (const page of this.entryCounts.keys()) this.heap.freePage(page);
    this.entryCounts.clear();
    this.left = [];
    this.taken = [];
    this.root = -1;
    this.onChange();
  }

  /** Whether something was ever mapped at a page of device space, be it there or not now: what lay there at first is gone for good. */
  wasMapped(ipaPage: number): boolean {
    return this.taken.some(([first, end]) => ipaPage >= first && ipaPage < end);
  }

  /** Every range of device space that `wasMapped` is true of, in order. */
  get everMapped(): readonly (readonly [first: number, end: number])[] {
    return this.taken;
  }

  /** Changes with the tables' contents; not saved. */
  get generation(): number {
    return this.changes;
  }

  /** Table pages in use. */
  get tableCount(): number {
    return this.entryCounts.size;
  }

  /** VTTBR_EL2 for this table and a VMID. */
  vttbr(vmid: number): bigint {
    return (BigInt(vmid) << 48n) | (BigInt(Math.max(this.root, 0)) << 12n);
  }

  /** Table pages that mapping these pages would take. */
  cost(mapping: PageMapping): number {
    return this.tablesNeeded(mapping, this.root, 1);
  }

  /** Maps, replacing what was there. The caller has checked `cost` against the heap. */
  map(mapping: PageMapping, attributes: PageAttributes): void {
    assert(mapping.ipaPage >= 0 && mapping.ipaPage + mapping.pageCount <= IPA_PAGE_COUNT, 'a mapping leaves the address space');
    this.mapIn(this.root, 1, mapping, leafBits(attributes));
    this.left = without(this.left, mapping);
    this.take(mapping.ipaPage, Math.min(mapping.ipaPage + mapping.pageCount, DEVICE_PAGES));
    this.changes++;
    this.onChange();
  }

  /**
   * Removes leaves, but only where they still point to the given physical pages. A block goes only together with its first page: if that is
   * not among the pages, the block stays whole, and what should have gone is still seen (as with the reference hypervisor; see `leftBehind`).
   * False if a block could not be split for lack of memory.
   */
  unmap(mapping: PageMapping): boolean {
    this.left = without(this.left, mapping);
    const done = this.unmapIn(this.root, 1, mapping, mapping);
    this.changes++;
    this.onChange();
    return done;
  }

  /** Pages that were to be unmapped and are still seen through a block. */
  get leftBehind(): readonly PageMapping[] {
    return this.left;
  }

  /** The leaf that translates a page. */
  lookup(ipaPage: number): Leaf | undefined {
    if (ipaPage < 0 || ipaPage >= IPA_PAGE_COUNT || this.root < 0) return undefined;
    let table = this.root;
    for (let level: Level = 1; ; level = next(level)) {
      const descriptor = this.entry(table, this.indexOf(ipaPage, level));
      if ((descriptor & DESCRIPTOR_VALID) === 0n) return undefined;
      if (level === 3 || (descriptor & DESCRIPTOR_TABLE) === 0n) {
        const offset = ipaPage % SPAN[level];
        return { paPage: this.pageOf(descriptor) + offset, pageCount: SPAN[level] - offset, attributes: attributesOf(descriptor) };
      }
      table = this.pageOf(descriptor);
    }
  }

  /** All leaves in ascending order, joined where neighbours continue each other; at most `limit` runs. */
  runs(limit: number): (PageMapping & { readonly attributes: PageAttributes })[] {
    const found: { ipaPage: number; paPage: number; pageCount: number; bits: bigint }[] = [];
    if (this.root >= 0) this.collect(this.root, 1, 0, (ipaPage, descriptor, pageCount) => {
      const bits = descriptor & ~(ADDRESS_MASK | 3n);
      const last = found[found.length - 1];
      const paPage = this.pageOf(descriptor);
      if (last !== undefined && last.bits === bits && last.ipaPage + last.pageCount === ipaPage && last.paPage + last.pageCount === paPage) last.pageCount += pageCount;
      else if (found.length < limit) found.push({ ipaPage, paPage, pageCount, bits });
    });
    return found.map(({ ipaPage, paPage, pageCount, bits }) => ({ ipaPage, paPage, pageCount, attributes: attributesOf(bits) }));
  }

  save(): SavedPgtable {
    return { root: this.root, tables: [...this.entryCounts], left: this.left, taken: this.taken.map(([first, end]) => [first, end] as const) };
  }

  /** Takes tables back whose bytes are in restored RAM. */
  restore(saved: SavedPgtable): void {
    this.changes++;
    this.root = saved.root;
    this.entryCounts = new Map(saved.tables);
    this.left = saved.left;
    this.taken = saved.taken.map(([first, end]) => [first, end]);
  }

  private take(first: number, end: number): void {
    if (first >= end) return;
    const from = this.taken.findIndex((run) => run[1] >= first);
    const at = from < 0 ? this.taken.length : from;
    let count = 0;
    let [low, high] = [first, end];
    for (let run = this.taken[at]; run !== undefined && run[0] <= end; run = this.taken[at + ++count]) [low, high] = [Math.min(low, run[0]), Math.max(high, run[1])];
    this.taken.splice(at, count, [low, high]);
  }

  private collect(table: number, level: Level, base: number, visit: (ipaPage: number, descriptor: bigint, pageCount: number) => void): void {
    let left = this.entryCounts.get(table) ?? 0;
    for (let index = 0; left > 0 && index < ENTRIES[level]; index++) {
      const descriptor = this.entry(table, index);
      if ((descriptor & DESCRIPTOR_VALID) === 0n) continue;
      left--;
      const ipaPage = base + index * SPAN[level];
      if (level !== 3 && (descriptor & DESCRIPTOR_TABLE) !== 0n) this.collect(this.pageOf(descriptor), next(level), ipaPage, visit);
      else visit(ipaPage, descriptor, SPAN[level]);
    }
  }

  private tablesNeeded(mapping: PageMapping, table: number | undefined, level: Level): number {
    if (level === 3) return 0;
    let needed = 0;
    for (const part of this.parts(mapping, level)) {
      const descriptor = table === undefined ? 0n : this.entry(table, part.index);
      const isTable = (descriptor & 3n) === 3n;
      if (!isTable && this.isBlock(part, level)) continue;
      needed += (isTable ? 0 : 1) + this.tablesNeeded(part, isTable ? this.pageOf(descriptor) : undefined, next(level));
    }
    return needed;
  }

  /** A table is never made a block again; a leaf that already says what is wanted stays, whatever its size. */
  private mapIn(table: number, level: Level, mapping: PageMapping, bits: bigint): void {
    for (const part of this.parts(mapping, level)) {
      const descriptor = this.entry(table, part.index);
      const isTable = level !== 3 && (descriptor & 3n) === 3n;
      if (!isTable && this.says(descriptor, level, part, bits)) continue;
      if (!isTable && (level === 3 || this.isBlock(part, level))) {
        this.setEntry(table, part.index, (BigInt(part.paPage) << 12n) | bits | (level === 3 ? 3n : 1n));
      } else {
        const child = present(this.subtable(table, part.index, level), 'the heap ran out after it was checked');
        this.mapIn(child, next(level), part, bits);
      }
    }
  }

  private says(descriptor: bigint, level: Level, part: PageMapping, bits: bigint): boolean {
    return (descriptor & DESCRIPTOR_VALID) !== 0n && (descriptor & ~(ADDRESS_MASK | 3n)) === bits && this.pageOf(descriptor) + part.ipaPage % SPAN[level] === part.paPage;
  }

  /** `target` is all physical pages that shall go: a leaf goes, or is split, only if its first page is one of them. */
  private unmapIn(table: number, level: Level, mapping: PageMapping, target: PageMapping): boolean {
    let complete = true;
    for (const part of this.parts(mapping, level)) {
      const descriptor = this.entry(table, part.index);
      if ((descriptor & DESCRIPTOR_VALID) === 0n) continue;
      const isTable = level !== 3 && (descriptor & DESCRIPTOR_TABLE) !== 0n;
      if (!isTable) {
        const first = this.pageOf(descriptor);
        if (first < target.paPage || first >= target.paPage + target.pageCount) {
          if (first + part.ipaPage % SPAN[level] === part.paPage) this.left = [...this.left, { ipaPage: part.ipaPage, paPage: part.paPage, pageCount: part.pageCount }];
          continue;
        }
        if (part.pageCount === SPAN[level]) {
          this.setEntry(table, part.index, 0n);
          continue;
        }
      }
      const child = level === 3 ? undefined : this.subtable(table, part.index, level);
      if (child === undefined) complete = false;
      else if (level !== 3) {
        complete = this.unmapIn(child, next(level), part, target) && complete;
        if (this.entryCounts.get(child) === 0) {
          this.freeTable(child);
          this.setEntry(table, part.index, 0n);
        }
      }
    }
    return complete;
  }

  /** The pieces of a mapping by entry of one table. */
  private *parts(mapping: PageMapping, level: Level): IterableIterator<PageMapping & { readonly index: number }> {
    const span = SPAN[level];
    let done = 0;
    while (done < mapping.pageCount) {
      const ipaPage = mapping.ipaPage + done;
      const pageCount = Math.min(span - (ipaPage % span), mapping.pageCount - done);
      yield { ipaPage, paPage: mapping.paPage + done, pageCount, index: this.indexOf(ipaPage, level) };
      done += pageCount;
    }
  }

  private isBlock(part: PageMapping, level: Level): boolean {
    return part.pageCount === SPAN[level] && part.paPage % SPAN[level] === 0;
  }

  /** The table below an entry, made or split out of a block if need be. */
  private subtable(table: number, index: number, level: Level): number | undefined {
    const descriptor = this.entry(table, index);
    if ((descriptor & 3n) === 3n) return this.pageOf(descriptor);
    const page = this.heap.allocatePage();
    if (page === undefined) return undefined;
    this.clearTable(page);
    if ((descriptor & DESCRIPTOR_VALID) !== 0n) {
      const below = next(level);
      const step = BigInt(SPAN[below]) << 12n;
      const typeBit = below === 3 ? DESCRIPTOR_TABLE : 0n;
      for (let i = 0; i < 512; i++) this.setEntry(page, i, (descriptor + BigInt(i) * step) | typeBit);
    }
    this.setEntry(table, index, (BigInt(page) << 12n) | 3n);
    return page;
  }

  private freeTable(page: number): void {
    this.entryCounts.delete(page);
    this.heap.freePage(page);
  }

  private clearTable(page: number): void {
    this.memory.fill(pa(BigInt(page) << 12n), 4096, 0);
    this.entryCounts.set(page, 0);
  }

  private indexOf(ipaPage: number, level: Level): number {
    return Math.floor(ipaPage / SPAN[level]) % (level === 1 ? 64 : 512);
  }

  private pageOf(descriptor: bigint): number {
    return Number((descriptor & ADDRESS_MASK) >> 12n);
  }

  private entry(table: number, index: number): bigint {
    return this.memory.readU64(pa((BigInt(table) << 12n) + BigInt(index * 8)));
  }

  private setEntry(table: number, index: number, value: bigint): void {
    const before = this.entry(table, index) & DESCRIPTOR_VALID;
    const after = value & DESCRIPTOR_VALID;
    this.entryCounts.set(table, (this.entryCounts.get(table) ?? 0) + Number(after - before));
    this.memory.writeU64(pa((BigInt(table) << 12n) + BigInt(index * 8)), value);
  }
}

/** Saved form: which pages are tables, whose bytes are part of RAM, what unmapping left and which pages of device space were mapped. */
export interface SavedPgtable { readonly root: number; readonly tables: readonly (readonly [number, number])[]; readonly left: readonly PageMapping[]; readonly taken: readonly (readonly [first: number, end: number])[] }

/** Ranges less what lies at the addresses of one. */
export function without(ranges: readonly PageMapping[], { ipaPage, pageCount }: PageMapping): readonly PageMapping[] {
  const end = ipaPage + pageCount;
  if (!ranges.some((range) => range.ipaPage < end && ipaPage < range.ipaPage + range.pageCount)) return ranges;
  return ranges.flatMap((range) => {
    const rangeEnd = range.ipaPage + range.pageCount;
    if (range.ipaPage >= end || ipaPage >= rangeEnd) return [range];
    const before = ipaPage > range.ipaPage ? [{ ...range, pageCount: ipaPage - range.ipaPage }] : [];
    const after = rangeEnd > end ? [{ ipaPage: end, paPage: range.paPage + (end - range.ipaPage), pageCount: rangeEnd - end }] : [];
    return [...before, ...after];
  });
}
