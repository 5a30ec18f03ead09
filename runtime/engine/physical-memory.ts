/**
 * Platform RAM as everything outside the guests sees it. Reads and writes go straight to the linear memory; a write also
 * marks the page dirty, drops decoded code and is shown to the watchpoints, exactly as a guest's store is.
 */

import { assert } from '../base/assert';
import type { Pa } from '../base/brands';
import type { Core } from './core-module';
import { PAGE_SIZE, type PageAccess, type PhysicalMemory, type RamRange } from './interface';
import * as layout from './layout';
import type { TranslationCache } from './translation-cache';
import type { Views } from './views';

const ACCESS_FLAGS: Readonly<Record<PageAccess, number>> = { ram: 0, rom: layout.PAGE_STORES_OUT, device: layout.PAGE_STORES_OUT | layout.PAGE_LOADS_OUT };

interface Placed { readonly base: number; readonly sizeBytes: number; readonly firstPage: number }

/** Observes host writes to pages with watchpoints. */
export type HostWriteObserver = (host: number, sizeBytes: number) => void;

/** The RAM of one engine. */
export class EngineMemory implements PhysicalMemory {
  readonly ram: readonly RamRange[];
  readonly pageCount: number;
  private readonly ranges: readonly Placed[];
  private readonly views: Views;
  private readonly core: Pick<Core, 'dropGranules'>;
  private readonly translations: TranslationCache;
  private readonly observe: HostWriteObserver;

  constructor(ram: readonly RamRange[], parts: { readonly views: Views; readonly core: Pick<Core, 'dropGranules'>; readonly translations: TranslationCache; readonly observe: HostWriteObserver }) {
    this.ram = ram;
    this.views = parts.views;
    this.core = parts.core;
    this.translations = parts.translations;
    this.observe = parts.observe;
    let pages = 0;
    this.ranges = ram.map((range) => {
      const placed = { base: Number(range.base), sizeBytes: range.sizeBytes, firstPage: pages };
      pages += range.sizeBytes / PAGE_SIZE;
      return placed;
    });
    this.pageCount = pages;
    this.writeRangeTable();
  }

  contains(address: Pa, sizeBytes: number): boolean {
    return this.locate(Number(address), sizeBytes) >= 0;
  }

  /** Address in linear memory of a range, or -1 if it is not all RAM in one range. */
  locate(address: number, sizeBytes: number): number {
    for (const { base, sizeBytes: size, firstPage } of this.ranges) {
      if (address >= base && address + sizeBytes <= base + size) return layout.RAM + firstPage * PAGE_SIZE + (address - base);
    }
    return -1;
  }

  /** The physical address of an address in linear memory. */
  physicalOf(host: number): number {
    const page = Math.floor((host - layout.RAM) / PAGE_SIZE);
    const range = this.ranges.find((candidate) => page >= candidate.firstPage && page < candidate.firstPage + candidate.sizeBytes / PAGE_SIZE);
    assert(range !== undefined, 'host address in RAM');
    return range.base + (host - layout.RAM) - range.firstPage * PAGE_SIZE;
  }

  read(address: Pa, sizeBytes: number): Uint8Array {
    const host = this.host(address, sizeBytes);
    return this.views.bytes.slice(host, host + sizeBytes);
  }

  readU32(address: Pa): number {
    const host = this.host(address, 4);
    return (this.views.half(host) | (this.views.half(host + 2) << 16)) >>> 0;
  }

  readU64(address: Pa): bigint {
    const host = this.host(address, 8);
    if (host % 8 === 0) return this.views.long(host);
    return this.read(address, 8).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  write(address: Pa, bytes: Uint8Array): void {
    const host = this.host(address, bytes.length);
    this.beforeWrite(host, bytes.length);
    this.views.bytes.set(bytes, host);
  }

  writeU32(address: Pa, value: number): void {
    const host = this.host(address, 4);
    this.beforeWrite(host, 4);
    this.views.setHalf(host, value & 0xffff);
    this.views.setHalf(host + 2, value >>> 16);
  }

  writeU64(address: Pa, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
    this.write(address, bytes);
  }

  fill(address: Pa, sizeBytes: number, byte: number): void {
    const host = this.host(address, sizeBytes);
    this.beforeWrite(host, sizeBytes);
    this.views.bytes.fill(byte, host, host + sizeBytes);
  }

  collectDirtyPages(): Uint32Array {
    const count = this.views.word(layout.STATE_DIRTY_COUNT);
    const pages = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      const page = this.views.word(layout.DIRTY_LIST + i * 4);
      pages[i] = page;
      this.setFlags(page, this.flags(page) & ~layout.PAGE_DIRTY);
    }
    this.views.setWord(layout.STATE_DIRTY_COUNT, 0);
    if (count > 0) this.translations.flushAll();
    return pages.sort();
  }

  readPage(index: number): Uint8Array {
    const host = this.pageHost(index);
    return this.views.bytes.slice(host, host + PAGE_SIZE);
  }

  restorePage(index: number, bytes: Uint8Array): void {
    assert(bytes.length === PAGE_SIZE, 'a whole page');
    const host = this.pageHost(index);
    if ((this.flags(index) & layout.PAGE_CODE) !== 0) this.core.dropGranules(index, 0, PAGE_SIZE);
    if ((this.flags(index) & layout.PAGE_TABLE) !== 0) this.translations.tableWrite(index, host, PAGE_SIZE);
    this.views.bytes.set(bytes, host);
  }

  pageIndexOf(address: Pa): number {
    return (this.host(address, 1) - layout.RAM) >>> 12;
  }

  setAccess(address: Pa, sizeBytes: number, access: PageAccess): void {
    const first = this.pageIndexOf(address);
    const count = sizeBytes / PAGE_SIZE;
    assert(Number.isSafeInteger(count) && this.contains(address, sizeBytes), 'access is chosen for whole pages of RAM');
    const flags = this.views.bytes.subarray(layout.PAGE_FLAGS + first, layout.PAGE_FLAGS + first + count);
    const chosen = ACCESS_FLAGS[access];
    // Flash of 16384 pages changes often while it is programmed: no calls in here.
    for (let page = 0; page < count; page++) flags[page] = ((flags[page] ?? 0) & ~(layout.PAGE_LOADS_OUT | layout.PAGE_STORES_OUT)) | chosen;
    this.translations.flushAll();
  }

  /** Sets which watch flags a page has; other flags stay. */
  setWatchFlags(page: number, watch: number): void {
    this.setFlags(page, (this.flags(page) & ~(layout.PAGE_WATCH_READ | layout.PAGE_WATCH_WRITE)) | watch);
  }

  private host(address: Pa, sizeBytes: number): number {
    const host = this.locate(Number(address), sizeBytes);
    assert(host >= 0, 'range is RAM');
    return host;
  }

  private pageHost(index: number): number {
    assert(index >= 0 && index < this.pageCount, 'page index');
    return layout.RAM + index * PAGE_SIZE;
  }

  private flags(page: number): number {
    return this.views.byte(layout.PAGE_FLAGS + page);
  }

  private setFlags(page: number, flags: number): void {
    this.views.setByte(layout.PAGE_FLAGS + page, flags);
  }

  private beforeWrite(host: number, sizeBytes: number): void {
    const end = host + sizeBytes;
    for (let at = host; at < end; at = layout.RAM + ((((at - layout.RAM) >>> 12) + 1) * PAGE_SIZE)) {
      const page = (at - layout.RAM) >>> 12;
      const flags = this.flags(page);
      const size = Math.min(end, layout.RAM + (page + 1) * PAGE_SIZE) - at;
      if ((flags & layout.PAGE_DIRTY) === 0) this.markDirty(page, flags);
      if ((flags & layout.PAGE_CODE) !== 0) this.core.dropGranules(page, (at - layout.RAM) & 0xfff, size);
      if ((flags & layout.PAGE_TABLE) !== 0) this.translations.tableWrite(page, at, size);
      if ((flags & layout.PAGE_WATCH_WRITE) !== 0) this.observe(at, size);
    }
  }

  private markDirty(page: number, flags: number): void {
    const count = this.views.word(layout.STATE_DIRTY_COUNT);
    this.views.setWord(layout.DIRTY_LIST + count * 4, page);
    this.views.setWord(layout.STATE_DIRTY_COUNT, count + 1);
    this.setFlags(page, flags | layout.PAGE_DIRTY);
  }

  private writeRangeTable(): void {
    assert(this.ranges.length <= layout.RAM_RANGE_COUNT_MAX && this.pageCount <= layout.RAM_PAGE_COUNT_MAX, 'RAM fits');
    this.views.setWord(layout.STATE_RAM_COUNT, this.ranges.length);
    this.ranges.forEach(({ base, sizeBytes, firstPage }, index) => {
      const entry = layout.STATE_RAM_TABLE + index * 16;
      assert(base % PAGE_SIZE === 0 && sizeBytes % PAGE_SIZE === 0, 'RAM ranges are whole pages');
      this.views.setWord(entry, base / PAGE_SIZE);
      this.views.setWord(entry + 4, sizeBytes / PAGE_SIZE);
      this.views.setWord(entry + 8, firstPage);
    });
  }
}
