/**
 * The configuration device that firmware for QEMU's `virt` board reads: numbered items (processor count, kernel, command line, ramdisk) and
 * a directory of named ones. By selector and data registers, or by DMA. Read-only: no item accepts writes.
 * Source: QEMU Firmware Configuration (fw_cfg) Device, memory-mapped form; multi-byte registers are big-endian, the data register keeps the
 * order of bytes.
 */

import type { GuestMemory, RegisterDevice } from '../interface';

/** Keys of the items with fixed numbers. */
export const FW_CFG_KEY = {
  signature: 0x00, id: 0x01, cpuCount: 0x05, kernelSize: 0x08, initrdSize: 0x0b, cpuCountMax: 0x0f, kernelData: 0x11, initrdData: 0x12,
  commandLineSize: 0x14, commandLineData: 0x15, fileDirectory: 0x19, fileFirst: 0x20,
} as const;
/** Largest DMA transfer, in bytes. */
export const FW_CFG_TRANSFER_MAX = 256 * 1024 * 1024;
/** Longest name of a file, in characters. */
export const FW_CFG_NAME_MAX = 55;

const REGISTER = { data: 0x0, selector: 0x8, dma: 0x10 } as const;
const SIZE = 0x18;
/** What the address register reads: "QEMU CFG". */
const DMA_SIGNATURE = 0x5145_4d55_2043_4647n;
/** Traditional interface and DMA. */
const ID = 3;
const CONTROL = { error: 1, read: 2, skip: 4, select: 8, write: 16 } as const;
const CONTROL_BLOCK_SIZE = 16;
const CHUNK = 64 * 1024;
const FILE_ENTRY_SIZE = 64;

/** Items by key. */
export type FwCfgItems = ReadonlyMap<number, Uint8Array>;
/** A named item. */
export interface FwCfgFile { readonly name: string; readonly bytes: Uint8Array }

/** Plain-data form; the items belong to the system's description. */
export interface SavedFwCfg { readonly kind: 'fw-cfg'; readonly version: 1; readonly selected: number; readonly offset: number; readonly dmaHigh: number }

/** The device. */
export class FwCfg implements RegisterDevice {
  readonly kind = 'fw-cfg';
  private readonly items: FwCfgItems;
  private readonly memory: GuestMemory;
  private selected = 0;
  private offset = 0;
  /** High half of a DMA address, written first. */
  private dmaHigh = 0;

  constructor(items: FwCfgItems, memory: GuestMemory) {
    this.items = items;
    this.memory = memory;
  }

  read(offset: number, sizeBytes: number): bigint | undefined {
    if (offset + sizeBytes > SIZE) return undefined;
    if (offset === REGISTER.data) return this.take(sizeBytes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
    if (offset < REGISTER.dma) return undefined;
    return (swap(DMA_SIGNATURE, 8) >> BigInt(8 * (offset - REGISTER.dma))) & ((1n << BigInt(8 * sizeBytes)) - 1n);
  }

  write(offset: number, sizeBytes: number, value: bigint): boolean {
    if (offset + sizeBytes > SIZE) return false;
    if (offset === REGISTER.data) return true;
    if (offset === REGISTER.selector && sizeBytes === 2) this.select(Number(swap(value, 2)));
    else if (offset === REGISTER.dma && sizeBytes === 4) this.dmaHigh = Number(swap(value, 4));
    else if (offset === REGISTER.dma && sizeBytes === 8) this.transfer(swap(value, 8));
    else if (offset === REGISTER.dma + 4 && sizeBytes === 4) this.transfer((BigInt(this.dmaHigh) << 32n) | swap(value, 4));
    else return false;
    return true;
  }

  reset(): void {
    this.select(0);
    this.dmaHigh = 0;
  }

  save(): SavedFwCfg {
    return { kind: 'fw-cfg', version: 1, selected: this.selected, offset: this.offset, dmaHigh: this.dmaHigh };
  }

  restore(saved: SavedFwCfg): void {
    this.selected = saved.selected;
    this.offset = saved.offset;
    this.dmaHigh = saved.dmaHigh;
  }

  private select(key: number): void {
    this.selected = key;
    this.offset = 0;
  }

  /** The next bytes of the selected item; zeros after its end. */
  private take(sizeBytes: number): Uint8Array {
    const bytes = new Uint8Array(sizeBytes);
    const item = this.items.get(this.selected);
    if (item !== undefined) bytes.set(item.subarray(this.offset, this.offset + sizeBytes));
    this.skip(sizeBytes);
    return bytes;
  }

  private skip(sizeBytes: number): void {
    this.offset = Math.min(this.offset + sizeBytes, this.items.get(this.selected)?.length ?? 0);
  }

  /** Carries out the transfer that a control block describes, and writes the outcome into it. */
  private transfer(address: bigint): void {
    this.dmaHigh = 0;
    const at = Number(address);
    const block = this.memory.read(at, CONTROL_BLOCK_SIZE);
    if (block === undefined) return;
    const view = new DataView(block.buffer, block.byteOffset, block.length);
    const control = view.getUint32(0);
    if ((control & CONTROL.select) !== 0) this.select(control >>> 16);
    const isDone = this.move(control, Number(view.getBigUint64(8)), view.getUint32(4));
    this.memory.write(at, Uint8Array.of(0, 0, 0, isDone ? 0 : CONTROL.error));
  }

  private move(control: number, address: number, sizeBytes: number): boolean {
    if ((control & CONTROL.read) !== 0) return sizeBytes <= FW_CFG_TRANSFER_MAX && this.copyOut(address, sizeBytes);
    if ((control & CONTROL.write) !== 0) return false;
    if ((control & CONTROL.skip) !== 0) this.skip(sizeBytes);
    return true;
  }

  private copyOut(address: number, sizeBytes: number): boolean {
    for (let done = 0; done < sizeBytes; done += CHUNK) {
      if (!this.memory.write(address + done, this.take(Math.min(CHUNK, sizeBytes - done)))) return false;
    }
    return true;
  }
}

/** What firmware is told. Sizes in bytes are those of the arrays. */
export interface FwCfgContents {
  readonly cpuCount: number;
  readonly kernel: Uint8Array | undefined;
  readonly ramdisk: Uint8Array | undefined;
  readonly commandLine: string;
  readonly files: readonly FwCfgFile[];
}

/** The items for these contents. */
export function fwCfgItems({ cpuCount, kernel, ramdisk, commandLine, files }: FwCfgContents): FwCfgItems {
  const text = Uint8Array.from([...commandLine, '\0'], (character) => character.charCodeAt(0));
  const items = new Map<number, Uint8Array>([
    [FW_CFG_KEY.signature, Uint8Array.of(0x51, 0x45, 0x4d, 0x55)], [FW_CFG_KEY.id, word(ID)],
    [FW_CFG_KEY.cpuCount, Uint8Array.of(cpuCount, 0)],
    [FW_CFG_KEY.fileDirectory, directory(files)],
  ]);
  if (kernel !== undefined) {
    items.set(FW_CFG_KEY.kernelSize, word(kernel.length)).set(FW_CFG_KEY.kernelData, kernel);
    items.set(FW_CFG_KEY.commandLineSize, word(text.length)).set(FW_CFG_KEY.commandLineData, text);
  }
  if (ramdisk !== undefined) items.set(FW_CFG_KEY.initrdSize, word(ramdisk.length)).set(FW_CFG_KEY.initrdData, ramdisk);
  for (const [index, { bytes }] of sorted(files).entries()) items.set(FW_CFG_KEY.fileFirst + index, bytes);
  return items;
}

function sorted(files: readonly FwCfgFile[]): readonly FwCfgFile[] {
  return [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function directory(files: readonly FwCfgFile[]): Uint8Array {
  const bytes = new Uint8Array(4 + files.length * FILE_ENTRY_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, files.length);
  for (const [index, { name, bytes: content }] of sorted(files).entries()) {
    const at = 4 + index * FILE_ENTRY_SIZE;
    view.setUint32(at, content.length);
    view.setUint16(at + 4, FW_CFG_KEY.fileFirst + index);
    bytes.set(Uint8Array.from(name.slice(0, FW_CFG_NAME_MAX), (character) => character.charCodeAt(0)), at + 8);
  }
  return bytes;
}

/** A little-endian 32-bit number, as items hold them. */
function word(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
}

function swap(value: bigint, sizeBytes: number): bigint {
  let out = 0n;
  for (let n = 0; n < sizeBytes; n++) out = (out << 8n) | ((value >> BigInt(8 * n)) & 0xffn);
  return out;
}
