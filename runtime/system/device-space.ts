/**
 * What else the primary VM finds in device space. The Resource Manager gives it all of that, and so it reaches what QEMU's board has besides the
 * devices of the system's description: blank flash, the configuration device, the ITS, GPIO, empty virtio slots, PCI without devices. None of it
 * does anything, none is in the device tree. Where the description puts a device of its own, that is mapped and comes first.
 */

import { BOARD_FLASH, BOARD_FW_CFG, BOARD_GPIO, BOARD_ITS, BOARD_PCI_CONFIGURATION, BOARD_PCI_WINDOW, BOARD_VIRTIO_SLOTS, boardVirtioSlot } from '../machine/board';
import { Bus } from '../machine/bus';
import { CfiFlash, type FlashArray } from '../machine/devices/cfi-flash';
import { EmptyVirtio } from '../machine/devices/empty-virtio';
import { FwCfg, fwCfgItems } from '../machine/devices/fw-cfg';
import { ItsRegisters } from '../machine/devices/its-registers';
import { PciHost, PciWindow } from '../machine/devices/pci-host';
import { Pl061 } from '../machine/devices/pl061';
import type { GuestMemory, RegisterDevice } from '../machine/interface';

const CHUNK = 4096;

/** Contents of a bank in which hardly anything is ever written: zeros until then. */
class SparseArray implements FlashArray {
  private chunks = new Map<number, Uint8Array>();

  read(offset: number, sizeBytes: number): Uint8Array {
    return Uint8Array.from({ length: sizeBytes }, (_, n) => this.chunks.get(Math.floor((offset + n) / CHUNK))?.[(offset + n) % CHUNK] ?? 0);
  }

  write(offset: number, bytes: Uint8Array): void {
    for (const [n, byte] of bytes.entries()) this.chunkAt(offset + n)[(offset + n) % CHUNK] = byte;
  }

  fill(offset: number, sizeBytes: number, byte: number): void {
    for (let at = offset; at < offset + sizeBytes; at += CHUNK) this.chunkAt(at).fill(byte);
  }

  setPlainLoads(): void {
    // Every load comes to the device.
  }

  save(): readonly (readonly [number, Uint8Array])[] {
    return [...this.chunks].sort(([a], [b]) => a - b).map(([index, bytes]) => [index, bytes.slice()]);
  }

  restore(saved: readonly (readonly [number, Uint8Array])[]): void {
    this.chunks = new Map(saved.map(([index, bytes]) => [index, bytes.slice()]));
  }

  private chunkAt(offset: number): Uint8Array {
    const index = Math.floor(offset / CHUNK);
    const chunk = this.chunks.get(index) ?? new Uint8Array(CHUNK);
    this.chunks.set(index, chunk);
    return chunk;
  }
}

/** Plain-data form. */
interface SavedBlankFlash { readonly chip: ReturnType<CfiFlash['save']>; readonly contents: ReturnType<SparseArray['save']> }

/** A bank with contents of its own. Blocks are erased whole chunks at a time. */
class BlankFlash implements RegisterDevice {
  readonly kind = 'blank-flash';
  private readonly contents = new SparseArray();
  private readonly chip = new CfiFlash(this.contents, 'stores');

  read(offset: number, sizeBytes: number): bigint {
    return this.chip.read(offset, sizeBytes);
  }

  write(offset: number, sizeBytes: number, value: bigint): boolean {
    return this.chip.write(offset, sizeBytes, value);
  }

  reset(): void {
    this.chip.reset();
  }

  save(): SavedBlankFlash {
    return { chip: this.chip.save(), contents: this.contents.save() };
  }

  restore({ chip, contents }: SavedBlankFlash): void {
    this.chip.restore(chip);
    this.contents.restore(contents);
  }
}

/** The rest of the board, for a primary VM with this many vCPUs whose memory devices reach so. */
export function makeDeviceSpace(vcpuCount: number, memory: GuestMemory): Bus {
  const bus = new Bus();
  for (const bank of [0, 1]) bus.add({ name: `flash${bank}`, base: BOARD_FLASH.base + bank * BOARD_FLASH.bankBytes, sizeBytes: BOARD_FLASH.bankBytes, device: new BlankFlash() });
  bus.add({ ...BOARD_ITS, device: new ItsRegisters() });
  bus.add({ ...BOARD_FW_CFG, device: new FwCfg(fwCfgItems({ cpuCount: vcpuCount, kernel: undefined, ramdisk: undefined, commandLine: '', files: [] }), memory) });
  bus.add({ ...BOARD_GPIO, device: new Pl061() });
  for (let slot = 0; slot < BOARD_VIRTIO_SLOTS; slot++) {
    const { name, base, sizeBytes } = boardVirtioSlot(slot);
    bus.add({ name, base, sizeBytes, device: new EmptyVirtio() });
  }
  bus.add({ ...BOARD_PCI_WINDOW, device: new PciWindow() });
  bus.add({ ...BOARD_PCI_CONFIGURATION, device: new PciHost() });
  return bus;
}
