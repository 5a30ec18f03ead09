/**
 * A PCI Express host bridge with nothing behind it: the configuration space of its one bus and the windows in which devices would be. What no
 * device answers reads all ones and takes stores without effect, as on QEMU's `virt` board. Not a way to add devices.
 * Sources: PCI Express Base Specification 7.2.2 (ECAM), 7.5.1; QEMU's generic PCI Express host bridge.
 */

import type { RegisterDevice } from '../interface';

/** Bytes of configuration space that a conventional function has. */
const HEADER_SIZE = 0x100;
/** First byte that a function may use as it likes; here it is plain memory. */
const DEVICE_SPECIFIC = 0x40;
/** Vendor and device, class, subsystem: Red Hat's host bridge. */
const IDENTITY: readonly (readonly [offset: number, value: number])[] = [[0x00, 0x0008_1b36], [0x08, 0x0600_0000], [0x2c, 0x1100_1af4]];
/** Bits of the header that stores change: command, cache line size, interrupt line. */
const WRITABLE: readonly (readonly [offset: number, mask: number])[] = [[0x04, 0x07], [0x05, 0x05], [0x0c, 0xff], [0x3c, 0xff]];

const allOnes = (sizeBytes: number): bigint => (1n << BigInt(8 * sizeBytes)) - 1n;

/** A window behind which nothing is. */
export class PciWindow implements RegisterDevice {
  readonly kind = 'pci-window';

  read(_offset: number, sizeBytes: number): bigint {
    return allOnes(sizeBytes);
  }

  write(): boolean {
    return true;
  }

  reset(): void {
    // Nothing is kept.
  }

  save(): null {
    return null;
  }

  restore(): void {
    // Nothing is kept.
  }
}

/** Plain-data form. */
export interface SavedPciHost { readonly kind: 'pci-host'; readonly version: 1; readonly header: Uint8Array }

/** The configuration space: 4 KiB for each function, of which the bridge is the first. */
export class PciHost implements RegisterDevice {
  readonly kind = 'pci-host';
  private readonly header = new Uint8Array(HEADER_SIZE);

  constructor() {
    this.reset();
  }

  /** Accesses of 1, 2 and 4 bytes; others are not for it. */
  read(offset: number, sizeBytes: number): bigint | undefined {
    if (sizeBytes > 4) return undefined;
    if (offset >= HEADER_SIZE) return allOnes(sizeBytes);
    return this.header.subarray(offset, offset + sizeBytes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  write(offset: number, sizeBytes: number, value: bigint): boolean {
    if (sizeBytes > 4) return false;
    for (let n = 0; n < sizeBytes && offset + n < HEADER_SIZE; n++) this.store(offset + n, Number((value >> BigInt(8 * n)) & 0xffn));
    return true;
  }

  reset(): void {
    this.header.fill(0);
    const view = new DataView(this.header.buffer);
    for (const [offset, value] of IDENTITY) view.setUint32(offset, value, true);
  }

  save(): SavedPciHost {
    return { kind: 'pci-host', version: 1, header: this.header.slice() };
  }

  restore(saved: SavedPciHost): void {
    this.header.set(saved.header);
  }

  private store(offset: number, byte: number): void {
    const mask = offset >= DEVICE_SPECIFIC ? 0xff : WRITABLE.find(([at]) => at === offset)?.[1] ?? 0;
    this.header[offset] = ((this.header[offset] ?? 0) & ~mask) | (byte & mask);
  }
}
