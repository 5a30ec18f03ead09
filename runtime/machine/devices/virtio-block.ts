/**
 * A virtio disk (device type 2): one request queue over the contents of a disk. The host's image is never written; see `disk-contents.ts`.
 * Source: VIRTIO 1.2, 5.2.
 */

import type { DiskBlock, DiskContents } from './disk-contents';
import type { Chain } from './virtqueue';
import type { ChainResult, VirtioFunction } from './virtio-mmio';

/** Sectors are 512 bytes whatever the block size. */
export const SECTOR_SIZE = 512;
/** Length of the identifier that a driver can ask for. */
export const DISK_IDENTIFIER_SIZE = 20;

const REQUEST = { read: 0, write: 1, flush: 4, identifier: 8, discard: 11, writeZeroes: 13 } as const;
const ANSWER = { ok: 0, ioError: 1, unsupported: 2 } as const;
const FEATURE = { segmentMax: 1n << 2n, readOnly: 1n << 5n, blockSize: 1n << 6n, flush: 1n << 9n, discard: 1n << 13n, writeZeroes: 1n << 14n } as const;
const HEADER_SIZE = 16;
const RANGE_SIZE = 16;
/** Few and short enough that no request keeps the host for long. */
const RANGES_MAX = 4;
const RANGE_SECTORS_MAX = 0x8000;
const UNMAP = 1;
const CONFIGURATION_SIZE = 60;
const QUEUE_SIZE = 256;
const SEGMENTS_MAX = 254;
const LATENCY_TICKS = 20_000;

/** Options of a disk. */
export interface VirtioBlockOptions { readonly contents: DiskContents; readonly isReadOnly: boolean; /** ASCII, at most 20 characters. */ readonly identifier: string }

interface SavedVirtioBlock { readonly blocks: readonly DiskBlock[] }

/** The function. */
export class VirtioBlock implements VirtioFunction {
  readonly deviceId = 2;
  readonly features: bigint;
  readonly queueSizes = [QUEUE_SIZE];
  readonly latencyTicks = LATENCY_TICKS;
  private readonly options: VirtioBlockOptions;
  private readonly sectorCount: number;

  constructor(options: VirtioBlockOptions) {
    this.options = options;
    this.sectorCount = Math.floor(options.contents.sizeBytes / SECTOR_SIZE);
    this.features = FEATURE.segmentMax | FEATURE.blockSize | FEATURE.flush | (options.isReadOnly ? FEATURE.readOnly : FEATURE.discard | FEATURE.writeZeroes);
  }

  configuration(): Uint8Array {
    const bytes = new Uint8Array(CONFIGURATION_SIZE);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt(this.sectorCount), true);
    view.setUint32(12, SEGMENTS_MAX, true);
    view.setUint32(20, SECTOR_SIZE, true);
    view.setUint16(34, 1, true);
    // Discard: most sectors of a range, most ranges, alignment; then the same for zeroes, which may be discarded.
    if (!this.options.isReadOnly) {
      for (const at of [36, 48]) {
        view.setUint32(at, RANGE_SECTORS_MAX, true);
        view.setUint32(at + 4, RANGES_MAX, true);
      }
      view.setUint32(44, 1, true);
      view.setUint8(56, 1);
    }
    return bytes;
  }

  configure(): void {
    // Nothing in it can be written.
  }

  wants(): boolean {
    return true;
  }

  use(_queue: number, chain: Chain): ChainResult {
    const header = chain.read(0, HEADER_SIZE);
    if (header?.length !== HEADER_SIZE || chain.writableSize < 1) return 'broken';
    const view = new DataView(header.buffer);
    const request = { type: view.getUint32(0, true), sector: Number(view.getBigUint64(8, true)), chain };
    const outcome = this.carryOut(request);
    if (outcome === 'broken' || !chain.write(chain.writableSize - 1, Uint8Array.of(outcome))) return 'broken';
    return outcome === ANSWER.ok ? chain.writableSize : 1;
  }

  start(): void {
    // Requests come with notifications.
  }

  reset(): void {
    // Contents outlive a reset, as on a disk.
  }

  save(): SavedVirtioBlock {
    return { blocks: this.options.contents.save() };
  }

  restore(saved: SavedVirtioBlock): void {
    this.options.contents.restore(saved.blocks);
  }

  private carryOut({ type, sector, chain }: { readonly type: number; readonly sector: number; readonly chain: Chain }): number | 'broken' {
    switch (type) {
      case REQUEST.read: return this.readSectors(sector, chain);
      case REQUEST.write: return this.options.isReadOnly ? ANSWER.ioError : this.writeSectors(sector, chain);
      case REQUEST.flush: return ANSWER.ok;
      case REQUEST.identifier: return this.identify(chain);
      case REQUEST.discard:
      case REQUEST.writeZeroes: return this.options.isReadOnly ? ANSWER.ioError : this.clearRanges(type, chain);
      default: return ANSWER.unsupported;
    }
  }

  private readSectors(sector: number, chain: Chain): number | 'broken' {
    const sizeBytes = chain.writableSize - 1;
    if (!this.holds(sector, sizeBytes)) return ANSWER.ioError;
    return chain.write(0, this.options.contents.read(sector * SECTOR_SIZE, sizeBytes)) ? ANSWER.ok : 'broken';
  }

  private writeSectors(sector: number, chain: Chain): number | 'broken' {
    const sizeBytes = chain.readableSize - HEADER_SIZE;
    if (!this.holds(sector, sizeBytes)) return ANSWER.ioError;
    const bytes = chain.read(HEADER_SIZE, sizeBytes);
    if (bytes === undefined) return 'broken';
    this.options.contents.write(sector * SECTOR_SIZE, bytes);
    return ANSWER.ok;
  }

  private identify(chain: Chain): number | 'broken' {
    const text = Uint8Array.from({ length: DISK_IDENTIFIER_SIZE }, (_, n) => this.options.identifier.charCodeAt(n) || 0);
    return chain.write(0, text.subarray(0, chain.writableSize - 1)) ? ANSWER.ok : 'broken';
  }

  /** Discards read as zeros here. */
  private clearRanges(type: number, chain: Chain): number | 'broken' {
    const sizeBytes = chain.readableSize - HEADER_SIZE;
    if (sizeBytes === 0 || sizeBytes % RANGE_SIZE !== 0 || sizeBytes > RANGES_MAX * RANGE_SIZE) return ANSWER.ioError;
    const bytes = chain.read(HEADER_SIZE, sizeBytes);
    if (bytes === undefined) return 'broken';
    const view = new DataView(bytes.buffer);
    const ranges = Array.from({ length: sizeBytes / RANGE_SIZE }, (_, n) => ({
      sector: Number(view.getBigUint64(n * RANGE_SIZE, true)), count: view.getUint32(n * RANGE_SIZE + 8, true), flags: view.getUint32(n * RANGE_SIZE + 12, true),
    }));
    const knownFlags = type === REQUEST.writeZeroes ? UNMAP : 0;
    if (ranges.some(({ flags }) => (flags & ~knownFlags) !== 0)) return ANSWER.unsupported;
    if (!ranges.every(({ sector, count }) => count <= RANGE_SECTORS_MAX && this.holds(sector, count * SECTOR_SIZE))) return ANSWER.ioError;
    for (const { sector, count } of ranges) this.options.contents.clear(sector * SECTOR_SIZE, count * SECTOR_SIZE);
    return ANSWER.ok;
  }

  /** True if whole sectors of the disk are meant. */
  private holds(sector: number, sizeBytes: number): boolean {
    return sizeBytes % SECTOR_SIZE === 0 && sector + sizeBytes / SECTOR_SIZE <= this.sectorCount;
  }
}
