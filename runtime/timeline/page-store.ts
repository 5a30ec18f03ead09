/**
 * Versions of memory pages by time: what each page held at each checkpoint that saw it change. A page without a version
 * at or before a time held zeros then. Identical contents are shared.
 */

import { PAGE_SIZE } from '../system/subject';

interface PageVersion { readonly tick: number; readonly bytes: Uint8Array }

const ZERO_PAGE = new Uint8Array(PAGE_SIZE);

function isZero(bytes: Uint8Array): boolean {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, PAGE_SIZE / 4);
  return words.every((word) => word === 0);
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  const a = new Uint32Array(left.buffer, left.byteOffset, PAGE_SIZE / 4);
  const b = new Uint32Array(right.buffer, right.byteOffset, PAGE_SIZE / 4);
  return a.every((word, index) => word === b[index]);
}

/** Page contents over time. */
export class PageStore {
  private readonly versions = new Map<number, PageVersion[]>();
  /** Bytes held. */
  sizeBytes = 0;

  /** What `page` held at `tick`. Do not change the result. */
  at(page: number, tick: number): Uint8Array {
    const list = this.versions.get(page);
    for (let i = (list?.length ?? 0) - 1; i >= 0; i--) {
      const version = list?.[i];
      if (version !== undefined && version.tick <= tick) return version.bytes;
    }
    return ZERO_PAGE;
  }

  /** Records `bytes` (taken over) for `page` at `tick`, the newest time so far. False if nothing changed. */
  add(page: number, tick: number, bytes: Uint8Array): boolean {
    const before = this.at(page, tick);
    if (before === ZERO_PAGE ? isZero(bytes) : isEqual(before, bytes)) return false;
    const list = this.versions.get(page);
    if (list === undefined) this.versions.set(page, [{ tick, bytes }]);
    else list.push({ tick, bytes });
    this.sizeBytes += PAGE_SIZE;
    return true;
  }

  /** Forgets versions of `page` in the time `(after, upTo]`. */
  drop(page: number, after: number, upTo: number): void {
    const list = this.versions.get(page);
    if (list === undefined) return;
    const kept = list.filter((version) => version.tick <= after || version.tick > upTo);
    this.sizeBytes -= (list.length - kept.length) * PAGE_SIZE;
    if (kept.length === 0) this.versions.delete(page);
    else this.versions.set(page, kept);
  }

  /** Every page that ever held something, ascending. */
  pages(): number[] {
    return [...this.versions.keys()].sort((left, right) => left - right);
  }
}
