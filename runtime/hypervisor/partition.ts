/**
 * The root partition and its heap: the memory that pays for objects, capability tables and stage-2 tables.
 *
 * Stage-2 tables take whole pages of simulated RAM, because the engine walks them there. Other objects live in the host; they are
 * charged against the same heap, so that a guest that creates without end gets NOMEM as on the real system.
 */

import { assert } from '../base/assert';
import { ObjectHeader } from './object';

/** Pages kept back for splitting a block while unmapping, which must not fail for lack of memory. */
const RESERVE_PAGE_COUNT = 64;

/** A limit beside the size of a heap: who refuses makes memory short. */
export interface HeapRule { readonly allows: () => boolean }

/** Page allocator and byte budget over one range of RAM. */
export class Heap {
  /** First page number (physical address / 4096). */
  readonly firstPage: number;
  readonly pageCount: number;
  private used: Uint8Array;
  private usedCount = 0;
  private lowestFree = 0;
  private bytes = 0;
  /** Asked before each request beside what is left. No part of the state, so what it answers must follow from the state alone. */
  rule: HeapRule | undefined;

  constructor(firstPage: number, pageCount: number) {
    this.firstPage = firstPage;
    this.pageCount = pageCount;
    this.used = new Uint8Array(pageCount);
  }

  /** Pages that are still free after the byte budget's share. */
  get freePageCount(): number {
    return this.pageCount - this.usedCount - Math.ceil(this.bytes / 4096);
  }

  /** True if `count` pages may be taken by an ordinary request. */
  canAllocate(count: number): boolean {
    return this.rule?.allows() !== false && this.freePageCount - RESERVE_PAGE_COUNT >= count;
  }

  /** Takes the lowest free page, reserve included; `undefined` if there is none. */
  allocatePage(): number | undefined {
    if (this.freePageCount <= 0) return undefined;
    while (this.lowestFree < this.pageCount && this.used[this.lowestFree] !== 0) this.lowestFree++;
    if (this.lowestFree >= this.pageCount) return undefined;
    this.used[this.lowestFree] = 1;
    this.usedCount++;
    return this.firstPage + this.lowestFree++;
  }

  /** Gives a page back. */
  freePage(page: number): void {
    const index = page - this.firstPage;
    assert(this.used[index] === 1, 'a heap page is freed twice');
    this.used[index] = 0;
    this.usedCount--;
    this.lowestFree = Math.min(this.lowestFree, index);
  }

  /** True if `count` bytes may be charged. */
  canReserve(count: number): boolean {
    return this.rule?.allows() !== false && this.pageCount - this.usedCount - RESERVE_PAGE_COUNT >= Math.ceil((this.bytes + count) / 4096);
  }

  /** Charges `count` bytes; false (NOMEM) if they do not fit. */
  reserveBytes(count: number): boolean {
    if (!this.canReserve(count)) return false;
    this.bytes += count;
    return true;
  }

  /** Charges bytes that must not fail: bookkeeping of something that shrinks. */
  chargeBytes(count: number): void {
    this.bytes += count;
  }

  /** Gives charged bytes back. */
  releaseBytes(count: number): void {
    this.bytes -= count;
    assert(this.bytes >= 0, 'the heap gets more bytes back than it gave');
  }

  save(): SavedHeap {
    return { used: this.used.slice(), bytes: this.bytes };
  }

  restore(saved: SavedHeap): void {
    this.used = saved.used.slice();
    this.usedCount = this.used.reduce((sum, value) => sum + value, 0);
    this.lowestFree = 0;
    this.bytes = saved.bytes;
  }
}

/** Saved form of a heap. */
export interface SavedHeap { readonly used: Uint8Array; readonly bytes: number }

/** The root partition: owner of all memory that no extent owns (Gunyah API: partition). */
export class Partition {
  readonly header: ObjectHeader<'partition'>;
  readonly heap: Heap;

  constructor(id: number, heap: Heap) {
    this.header = new ObjectHeader('partition', id);
    this.heap = heap;
  }
}
