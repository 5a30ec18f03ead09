/** A virtio-mmio slot without a device, as QEMU's `virt` board has 32: a magic number, the version of the old interface, no function. Nothing in it can be written. */

import type { RegisterDevice } from '../interface';

const REGISTERS: ReadonlyMap<number, number> = new Map([[0x0, 0x7472_6976], [0x4, 1], [0xc, 0x554d_4551]]);

/** The slot. Accesses of 1, 2 and 4 bytes. */
export class EmptyVirtio implements RegisterDevice {
  readonly kind = 'virtio-empty';

  read(offset: number, sizeBytes: number): bigint | undefined {
    return sizeBytes > 4 ? undefined : BigInt.asUintN(8 * sizeBytes, BigInt(REGISTERS.get(offset) ?? 0));
  }

  write(_offset: number, sizeBytes: number): boolean {
    return sizeBytes <= 4;
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
