/**
 * What a disk holds: an image that never changes, and over it the blocks that were written since power-on. A written block is replaced, never
 * changed in place, so that a snapshot is a list of references and costs nothing while nobody writes.
 */

import { assert } from '../../base/assert';

/** Unit of copying, in bytes. */
export const DISK_BLOCK_SIZE = 4096;

/** Bytes that a disk starts with. */
export interface DiskImage {
  readonly sizeBytes: number;
  /** Bytes of the image; the range is inside it. The result is not changed by anyone. */
  read(offset: number, sizeBytes: number): Uint8Array;
}

/** A written block. */
export interface DiskBlock { readonly index: number; readonly bytes: Uint8Array }

/** An image that is all in memory. */
export function imageOf(bytes: Uint8Array): DiskImage {
  return { sizeBytes: bytes.length, read: (offset, sizeBytes) => bytes.subarray(offset, offset + sizeBytes) };
}

/** A disk's contents. Ranges that callers give lie inside the disk. */
export class DiskContents {
  readonly sizeBytes: number;
  private readonly image: DiskImage;
  private written = new Map<number, Uint8Array>();
  private saved: readonly DiskBlock[] | undefined;

  /** The disk is the image, zeros added up to `sizeBytes`. */
  constructor(image: DiskImage, sizeBytes: number = image.sizeBytes) {
    assert(sizeBytes >= image.sizeBytes, 'a disk holds its whole image');
    this.image = image;
    this.sizeBytes = sizeBytes;
  }

  read(offset: number, sizeBytes: number): Uint8Array {
    const out = this.original(offset, sizeBytes);
    if (this.written.size === 0) return out;
    this.eachBlock(offset, sizeBytes, (index, inside, at, count) => {
      const block = this.written.get(index);
      if (block !== undefined) out.set(block.subarray(inside, inside + count), at);
    });
    return out;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.saved = undefined;
    this.eachBlock(offset, bytes.length, (index, inside, at, count) => {
      const block = count === DISK_BLOCK_SIZE ? new Uint8Array(DISK_BLOCK_SIZE) : this.block(index);
      block.set(bytes.subarray(at, at + count), inside);
      this.written.set(index, block);
    });
  }

  /** Sets a range to zero. */
  clear(offset: number, sizeBytes: number): void {
    this.saved = undefined;
    this.eachBlock(offset, sizeBytes, (index, inside, _, count) => {
      const block = count === DISK_BLOCK_SIZE ? ZERO_BLOCK : this.block(index);
      if (block !== ZERO_BLOCK) block.fill(0, inside, inside + count);
      this.written.set(index, block);
    });
  }

  /** The written blocks, by index. Shares the blocks, which do not change any more. */
  save(): readonly DiskBlock[] {
    this.saved ??= [...this.written].sort(([left], [right]) => left - right).map(([index, bytes]) => ({ index, bytes }));
    return this.saved;
  }

  restore(saved: readonly DiskBlock[]): void {
    this.written = new Map(saved.map(({ index, bytes }) => [index, bytes]));
    this.saved = saved;
  }

  /** A copy of a block as it is now. */
  private block(index: number): Uint8Array {
    const known = this.written.get(index);
    if (known !== undefined) return known.slice();
    const block = new Uint8Array(DISK_BLOCK_SIZE);
    const offset = index * DISK_BLOCK_SIZE;
    block.set(this.original(offset, Math.min(DISK_BLOCK_SIZE, this.sizeBytes - offset)));
    return block;
  }

  private original(offset: number, sizeBytes: number): Uint8Array {
    const out = new Uint8Array(sizeBytes);
    const count = Math.min(sizeBytes, this.image.sizeBytes - offset);
    if (count > 0) out.set(this.image.read(offset, count));
    return out;
  }

  private eachBlock(offset: number, sizeBytes: number, visit: (index: number, inside: number, at: number, count: number) => void): void {
    assert(offset >= 0 && offset + sizeBytes <= this.sizeBytes, 'a disk access lies inside the disk');
    for (let at = 0; at < sizeBytes;) {
      const inside = (offset + at) % DISK_BLOCK_SIZE;
      const count = Math.min(DISK_BLOCK_SIZE - inside, sizeBytes - at);
      visit(Math.floor((offset + at) / DISK_BLOCK_SIZE), inside, at, count);
      at += count;
    }
  }
}

/** Shared by every cleared block; nobody writes into it because writes replace. */
const ZERO_BLOCK = new Uint8Array(DISK_BLOCK_SIZE);
