/** Watchpoints on physical bytes: which pages need the slow path, and the first hit since last asked. */

import { pa, type Pa } from '../base/brands';
import type { Watchpoint } from './interface';

/** A watched byte that was accessed. */
export interface WatchpointHit { readonly id: number; readonly address: Pa; readonly isWrite: boolean }

/** The list of watchpoints and the latest hit. */
export class Watchpoints {
  private list: readonly Watchpoint[] = [];
  private hit: WatchpointHit | undefined;

  get isEmpty(): boolean {
    return this.list.length === 0;
  }

  /** Replaces the list; a pending hit is forgotten. */
  set(list: readonly Watchpoint[]): void {
    this.list = list;
    this.hit = undefined;
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
