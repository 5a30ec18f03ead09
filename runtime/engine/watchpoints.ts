/** Watchpoints on physical bytes: which pages need the slow path, and the first hit since last asked. */

import { pa, type Pa } from '../base/brands';
import { PAGE_SIZE, type PhysicalMemory, type Watchpoint } from './interface';
import { PAGE_WATCH_READ, PAGE_WATCH_WRITE } from './layout';

/** A watched byte that was accessed. */
export interface WatchpointHit { readonly id: number; readonly address: Pa; readonly isWrite: boolean }

/** What the marks of pages need of memory. */
type WatchedMemory = Pick<PhysicalMemory, 'contains' | 'pageIndexOf'> & { setWatchFlags(page: number, flags: number): void };

/** The list of watchpoints and the latest hit. */
export class Watchpoints {
  private list: readonly Watchpoint[] = [];
  private hit: WatchpointHit | undefined;
  private readonly pages = new Map<number, number>();

  get isEmpty(): boolean {
    return this.list.length === 0;
  }

  /** Replaces the list, and marks the pages of memory that need the slow path for it; a pending hit is forgotten. */
  set(list: readonly Watchpoint[], memory: WatchedMemory): void {
    for (const page of this.pages.keys()) memory.setWatchFlags(page, 0);
    this.pages.clear();
    this.list = list;
    this.hit = undefined;
    for (const watchpoint of list) this.collectPages(watchpoint, memory);
    for (const [page, flags] of this.pages) memory.setWatchFlags(page, flags);
  }

  private collectPages({ address, sizeBytes, access }: Watchpoint, memory: WatchedMemory): void {
    const flags = (access === 'write' ? 0 : PAGE_WATCH_READ) | (access === 'read' ? 0 : PAGE_WATCH_WRITE);
    for (let at = address & ~0xfffn; at < address + BigInt(sizeBytes); at += BigInt(PAGE_SIZE)) {
      if (!memory.contains(pa(at), 1)) continue;
      const page = memory.pageIndexOf(pa(at));
      this.pages.set(page, (this.pages.get(page) ?? 0) | flags);
    }
  }

  /** Looks at an access; gives whether it is a hit. Only the first hit is kept. */
  note(address: number, sizeBytes: number, isWrite: boolean): boolean {
    const found = this.list.find((entry) =>
      address < Number(entry.address) + entry.sizeBytes && Number(entry.address) < address + sizeBytes
      && (entry.access === 'readWrite' || (entry.access === 'write') === isWrite));
    if (found === undefined) return false;
    this.hit ??= { id: found.id, address: pa(BigInt(Math.max(address, Number(found.address)))), isWrite };
    return true;
  }

  /** The first hit since the last call. */
  take(): WatchpointHit | undefined {
    const { hit } = this;
    this.hit = undefined;
    return hit;
  }
}
