/**
 * Who owns each physical page: the hypervisor, the root partition or one memory extent. Exactly one owner at any time.
 *
 * Pages are numbers (physical address / 4096, at most 52 bits, so exact). Runs of equal owners are kept sorted, so that every operation
 * costs by the number of runs and never by the size of a range that a guest chose.
 */

import { assert } from '../base/assert';
import type { ErrorName } from './errors';

/** A half-open range of page numbers. */
export interface PageRange { readonly first: number; readonly end: number }
/** A range with one owner (an object id, or `HYPERVISOR_OWNER`). */
export interface OwnedRun extends PageRange { readonly owner: number }

/** Entries of one level of the reference build's tree; a page is one of the smallest blocks. */
const ENTRIES_PER_LEVEL = 16;

/** Owner id of memory that belongs to the hypervisor itself. */
export const HYPERVISOR_OWNER = 0;

/** Pages of the smallest aligned block of the tree that has at least `sizeMin` pages and holds a range. */
function blockOf(first: number, end: number, sizeMin: number): number {
  let size = 1;
  while (size < sizeMin || Math.floor(first / size) !== Math.floor((end - 1) / size)) size *= ENTRIES_PER_LEVEL;
  return size;
}

/** The ownership map (Gunyah: memdb). */
export class Memdb {
  /** Told about each part of a range that changes hands. */
  onTransfer: ((part: PageRange, to: number) => void) | undefined;
  private list: OwnedRun[] = [];
  private changes = 0;

  /** Changes with any owner; not saved. */
  get generation(): number {
    return this.changes;
  }

  /** Every run in ascending order. */
  get runs(): readonly OwnedRun[] {
    return this.list;
  }

  /** Adds a range that nobody owned so far. For platform set-up. */
  populate(range: PageRange, owner: number): void {
    assert(this.overlapping(range).length === 0, 'physical memory is populated twice');
    this.replace(range, owner);
  }

  /** Owner of one page, or `undefined` if there is no memory. */
  ownerOf(page: number): number | undefined {
    const run = this.list[this.indexFrom(page)];
    return run !== undefined && run.first <= page ? run.owner : undefined;
  }

  /** The parts of `range` that `owner` owns, ascending. */
  ownedRuns(range: PageRange, owner: number): PageRange[] {
    return this.overlapping(range)
      .filter((run) => run.owner === owner)
      .map((run) => ({ first: Math.max(run.first, range.first), end: Math.min(run.end, range.end) }));
  }

  /** Every part of `range` with its owner, ascending; pages without memory are left out. */
  partsOf(range: PageRange): OwnedRun[] {
    return this.overlapping(range).map((run) => ({ first: Math.max(run.first, range.first), end: Math.min(run.end, range.end), owner: run.owner }));
  }

  /** True if `owner` owns all of a non-empty range. */
  owns(range: PageRange, owner: number): boolean {
    let next = range.first;
    for (const run of this.overlapping(range)) {
      if (run.first > next || run.owner !== owner) return false;
      next = run.end;
    }
    return next >= range.end;
  }

  /**
   * Why a range could not be taken from an owner who has not all of it. ADDR_INVALID if the search in the reference build's tree of owners ends early: beyond
   * what the tree reaches, or where the smallest block of the tree that the range is a part of has no memory at all.
   */
  refusal({ first, end }: PageRange): ErrorName {
    const last = this.list[this.list.length - 1]?.end ?? 0;
    if (end > blockOf(0, last, last)) return 'ADDR_INVALID';
    const size = blockOf(first, end, end - first + 1);
    const base = first - (first % size);
    return this.overlapping({ first: base, end: base + size }).length === 0 ? 'ADDR_INVALID' : 'MEMDB_NOT_OWNER';
  }

  /** Gives all parts of `range` that `from` owns to `to`. */
  transfer(range: PageRange, from: number, to: number): void {
    for (const part of this.ownedRuns(range, from)) {
      this.replace(part, to);
      this.onTransfer?.(part, to);
    }
  }

  save(): readonly OwnedRun[] {
    return this.list.map((run) => ({ ...run }));
  }

  restore(saved: readonly OwnedRun[]): void {
    this.changes++;
    this.list = saved.map((run) => ({ ...run }));
  }

  /** Index of the first run that ends after `page`. */
  private indexFrom(page: number): number {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const run = this.list[middle];
      if (run !== undefined && run.end <= page) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private overlapping(range: PageRange): OwnedRun[] {
    const found: OwnedRun[] = [];
    for (let index = this.indexFrom(range.first); index < this.list.length; index++) {
      const run = this.list[index];
      if (run === undefined || run.first >= range.end) break;
      found.push(run);
    }
    return found;
  }

  private replace(range: PageRange, owner: number): void {
    this.changes++;
    const start = this.indexFrom(range.first);
    const old = this.overlapping(range);
    const fresh: OwnedRun[] = [];
    const head = old[0];
    const tail = old[old.length - 1];
    if (head !== undefined && head.first < range.first) fresh.push({ ...head, end: range.first });
    fresh.push({ ...range, owner });
    if (tail !== undefined && tail.end > range.end) fresh.push({ ...tail, first: range.end });
    this.list.splice(start, old.length, ...fresh);
    this.join(Math.max(0, start - 1), start + fresh.length);
  }

  /** Joins neighbours of equal owner between two indexes. */
  private join(from: number, to: number): void {
    for (let index = Math.min(to, this.list.length - 1); index > from; index--) {
      const left = this.list[index - 1];
      const right = this.list[index];
      if (left === undefined || right === undefined || left.owner !== right.owner || left.end !== right.first) continue;
      this.list.splice(index - 1, 2, { first: left.first, end: right.end, owner: left.owner });
    }
  }
}
