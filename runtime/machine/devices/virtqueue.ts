/**
 * The device's side of a split virtqueue: takes descriptor chains that a driver offers and gives them back used. Everything it reads was
 * written by a guest, so lengths, indexes and addresses are checked and every walk ends; a ring that breaks the rules is `broken`, and what
 * follows from that is the transport's business. Source: VIRTIO 1.2, 2.7.
 */

import type { GuestMemory } from '../interface';

/** Most descriptors of one chain, indirect ones included. */
export const CHAIN_LENGTH_MAX = 1024;
/** Most bytes of one chain in either direction. */
export const CHAIN_SIZE_MAX = 256 * 1024 * 1024;

const DESCRIPTOR_SIZE = 16;
const FLAG = { next: 1, write: 2, indirect: 4 } as const;
const AVAIL_NO_INTERRUPT = 1;
/** Bytes moved at a time. */
const PIECE = 1024 * 1024;

/** A piece of guest memory, in bytes. */
interface GuestBuffer { readonly address: number; readonly sizeBytes: number }
interface Descriptor extends GuestBuffer { readonly flags: number; readonly next: number }
/** A list of descriptors: the ring's own table, or an indirect one. */
interface Table { readonly address: number; readonly count: number; readonly isIndirect: boolean }

/** What the driver wrote about a queue. */
export interface QueueRegisters { readonly size: number; readonly isReady: boolean; readonly descriptors: bigint; readonly driver: bigint; readonly device: bigint }

/** Features that change how rings work. */
export interface RingFeatures { readonly indirect: boolean; readonly eventIndex: boolean }

/** Plain-data form. */
export interface SavedVirtqueue extends QueueRegisters { readonly nextAvailable: number; readonly usedIndex: number; readonly signalled: number }

/** A chain of buffers: what the driver lets the device read, then what it lets the device write. */
export class Chain {
  readonly head: number;
  /** Bytes that the device may read. */
  readonly readableSize: number;
  /** Bytes that the device may write. */
  readonly writableSize: number;
  /** How many pieces it consists of. */
  readonly bufferCount: number;
  private readonly memory: GuestMemory;
  private readonly readable: readonly GuestBuffer[];
  private readonly writable: readonly GuestBuffer[];

  constructor(head: number, memory: GuestMemory, buffers: { readonly readable: readonly GuestBuffer[]; readonly writable: readonly GuestBuffer[] }) {
    this.head = head;
    this.memory = memory;
    this.readable = buffers.readable;
    this.writable = buffers.writable;
    this.readableSize = sizeOf(buffers.readable);
    this.writableSize = sizeOf(buffers.writable);
    this.bufferCount = buffers.readable.length + buffers.writable.length;
  }

  /** Bytes of the readable part, at most what there is; undefined if memory is not there. */
  read(offset: number, sizeBytes: number): Uint8Array | undefined {
    const bytes = new Uint8Array(Math.max(0, Math.min(sizeBytes, this.readableSize - offset)));
    const isDone = eachPiece(this.readable, { offset, sizeBytes: bytes.length }, (address, at, count) => {
      const piece = this.memory.read(address, count);
      if (piece !== undefined) bytes.set(piece, at);
      return piece !== undefined;
    });
    return isDone ? bytes : undefined;
  }

  /** Puts bytes into the writable part, as far as they fit; false if memory is not there. */
  write(offset: number, bytes: Uint8Array): boolean {
    const sizeBytes = Math.max(0, Math.min(bytes.length, this.writableSize - offset));
    return eachPiece(this.writable, { offset, sizeBytes }, (address, at, count) => this.memory.write(address, bytes.subarray(at, at + count)));
  }
}

/** One queue. */
export class Virtqueue {
  /** Largest size that the device offers. */
  readonly sizeMax: number;
  size = 0;
  isReady = false;
  descriptors = 0n;
  driver = 0n;
  device = 0n;
  private nextAvailable = 0;
  private usedIndex = 0;
  /** Used index at the last interrupt decision. */
  private signalled = 0;

  constructor(sizeMax: number) {
    this.sizeMax = sizeMax;
    this.size = sizeMax;
  }

  reset(): void {
    this.restore({ size: this.sizeMax, isReady: false, descriptors: 0n, driver: 0n, device: 0n, nextAvailable: 0, usedIndex: 0, signalled: 0 });
  }

  /** The next chain that the driver offers. */
  take(memory: GuestMemory, features: RingFeatures): Chain | 'empty' | 'broken' {
    if (!this.isReady) return 'empty';
    const { size } = this;
    if (size === 0 || size > this.sizeMax || (size & (size - 1)) !== 0) return 'broken';
    const offered = readU16(memory, Number(this.driver) + 2);
    if (offered === undefined) return 'broken';
    const count = (offered - this.nextAvailable) & 0xffff;
    if (count === 0) return 'empty';
    const head = readU16(memory, Number(this.driver) + 4 + 2 * (this.nextAvailable & (size - 1)));
    if (count > size || head === undefined || head >= size) return 'broken';
    const chain = this.follow(head, memory, features);
    if (chain !== undefined) this.nextAvailable = (this.nextAvailable + 1) & 0xffff;
    return chain ?? 'broken';
  }

  /** Gives a chain back with the number of bytes written; false if the ring cannot be written. */
  give(memory: GuestMemory, head: number, written: number): boolean {
    const entry = new Uint8Array(8);
    const view = new DataView(entry.buffer);
    view.setUint32(0, head, true);
    view.setUint32(4, written, true);
    if (!memory.write(Number(this.device) + 4 + 8 * (this.usedIndex & (this.size - 1)), entry)) return false;
    this.usedIndex = (this.usedIndex + 1) & 0xffff;
    return writeU16(memory, Number(this.device) + 2, this.usedIndex);
  }

  /** Asks to be told when the driver offers more than was taken; matters with the event index only. False if the ring cannot be written. */
  requestNotification(memory: GuestMemory, features: RingFeatures): boolean {
    return !features.eventIndex || !this.isReady || writeU16(memory, Number(this.device) + 4 + 8 * this.size, this.nextAvailable);
  }

  /** Whether the driver wants an interrupt for what was given back since the last call. */
  wantsInterrupt(memory: GuestMemory, features: RingFeatures): boolean {
    const old = this.signalled;
    const { usedIndex } = this;
    this.signalled = usedIndex;
    if (old === usedIndex) return false;
    if (!features.eventIndex) return ((readU16(memory, Number(this.driver)) ?? 0) & AVAIL_NO_INTERRUPT) === 0;
    const event = readU16(memory, Number(this.driver) + 4 + 2 * this.size) ?? 0;
    return ((usedIndex - event - 1) & 0xffff) < ((usedIndex - old) & 0xffff);
  }

  save(): SavedVirtqueue {
    const { size, isReady, descriptors, driver, device, nextAvailable, usedIndex, signalled } = this;
    return { size, isReady, descriptors, driver, device, nextAvailable, usedIndex, signalled };
  }

  restore(saved: SavedVirtqueue): void {
    this.size = saved.size;
    this.isReady = saved.isReady;
    this.descriptors = saved.descriptors;
    this.driver = saved.driver;
    this.device = saved.device;
    this.nextAvailable = saved.nextAvailable;
    this.usedIndex = saved.usedIndex;
    this.signalled = saved.signalled;
  }

  private follow(head: number, memory: GuestMemory, features: RingFeatures): Chain | undefined {
    const own: Table = { address: Number(this.descriptors), count: this.size, isIndirect: false };
    const readable: GuestBuffer[] = [];
    const writable: GuestBuffer[] = [];
    let table = own;
    let index = head;
    for (let length = 0; length < CHAIN_LENGTH_MAX && (table.isIndirect || length <= this.size); length++) {
      const descriptor = readDescriptor(memory, table, index);
      if (descriptor === undefined) return undefined;
      const { address, sizeBytes, flags, next } = descriptor;
      if ((flags & FLAG.indirect) !== 0) {
        const inner = features.indirect && !table.isIndirect && (flags & FLAG.next) === 0 ? indirectTable(descriptor) : undefined;
        if (inner === undefined) return undefined;
        table = inner;
        index = 0;
        continue;
      }
      const isWritable = (flags & FLAG.write) !== 0;
      if (!isWritable && writable.length > 0) return undefined;
      (isWritable ? writable : readable).push({ address, sizeBytes });
      if ((flags & FLAG.next) === 0) return sizeOf(readable) <= CHAIN_SIZE_MAX && sizeOf(writable) <= CHAIN_SIZE_MAX ? new Chain(head, memory, { readable, writable }) : undefined;
      index = next;
    }
    return undefined;
  }
}

function indirectTable({ address, sizeBytes }: GuestBuffer): Table | undefined {
  return sizeBytes === 0 || sizeBytes % DESCRIPTOR_SIZE !== 0 ? undefined : { address, count: sizeBytes / DESCRIPTOR_SIZE, isIndirect: true };
}

function readDescriptor(memory: GuestMemory, table: Table, index: number): Descriptor | undefined {
  const bytes = index < table.count ? memory.read(table.address + index * DESCRIPTOR_SIZE, DESCRIPTOR_SIZE) : undefined;
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, DESCRIPTOR_SIZE);
  return { address: Number(view.getBigUint64(0, true)), sizeBytes: view.getUint32(8, true), flags: view.getUint16(12, true), next: view.getUint16(14, true) };
}

function sizeOf(buffers: readonly GuestBuffer[]): number {
  return buffers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Visits the parts of a range inside a list of buffers in order, until one visit fails. */
function eachPiece(buffers: readonly GuestBuffer[], range: { readonly offset: number; readonly sizeBytes: number }, visit: (address: number, at: number, count: number) => boolean): boolean {
  let skip = range.offset;
  let at = 0;
  for (const { address, sizeBytes } of buffers) {
    for (let inside = Math.min(skip, sizeBytes); inside < sizeBytes && at < range.sizeBytes;) {
      const count = Math.min(sizeBytes - inside, range.sizeBytes - at, PIECE);
      if (!visit(address + inside, at, count)) return false;
      inside += count;
      at += count;
    }
    skip = Math.max(0, skip - sizeBytes);
  }
  return true;
}

function readU16(memory: GuestMemory, address: number): number | undefined {
  const bytes = memory.read(address, 2);
  return bytes === undefined ? undefined : (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
}

function writeU16(memory: GuestMemory, address: number, value: number): boolean {
  return memory.write(address, Uint8Array.of(value & 0xff, value >>> 8));
}
