/**
 * A driver for virtio devices under test: memory at 0x40000000, a slot, and the driver's side of its queues. What a guest would do with loads and stores,
 * as functions.
 */
import { ticks } from '../../../runtime/base/brands';
import { VirtioMmio, type VirtioFunction } from '../../../runtime/machine/devices/virtio-mmio';
import { TickEventQueue } from '../../../runtime/machine/event-queue';
import type { GuestMemory } from '../../../runtime/machine/interface';

/** Where the driver's memory begins, and its size. */
export const MEMORY_BASE = 0x4000_0000;
/** Bytes of memory. */
export const MEMORY_SIZE = 0x10_0000;
/** Queues of the driver have this size. */
export const RING_SIZE = 8;

/** Offsets of the registers that tests use. */
export const REGISTER = {
  magic: 0, version: 4, device: 8, vendor: 0xc, deviceFeatures: 0x10, deviceFeaturesSel: 0x14, driverFeatures: 0x20, driverFeaturesSel: 0x24, queueSel: 0x30, queueNumMax: 0x34,
  queueNum: 0x38, queueReady: 0x44, notify: 0x50, interruptStatus: 0x60, interruptAck: 0x64, status: 0x70, descriptors: 0x80, driver: 0x90, deviceRing: 0xa0, configuration: 0x100,
} as const;

const QUEUE_SPACE = 0x1000;
const BUFFERS = 0x2_0000;
const FLAG = { next: 1, write: 2, indirect: 4 } as const;

/** Flat memory that refuses what lies outside. */
export class TestMemory implements GuestMemory {
  readonly bytes = new Uint8Array(MEMORY_SIZE);

  read(address: number, sizeBytes: number): Uint8Array | undefined {
    return this.holds(address, sizeBytes) ? this.bytes.slice(address - MEMORY_BASE, address - MEMORY_BASE + sizeBytes) : undefined;
  }

  write(address: number, bytes: Uint8Array): boolean {
    if (!this.holds(address, bytes.length)) return false;
    this.bytes.set(bytes, address - MEMORY_BASE);
    return true;
  }

  private holds(address: number, sizeBytes: number): boolean {
    return address >= MEMORY_BASE && address + sizeBytes <= MEMORY_BASE + MEMORY_SIZE;
  }
}

/** One part of a request: bytes for the device, or room for its answer. */
export type Part = { readonly out: Uint8Array } | { readonly room: number };
/** A descriptor as the ring holds it. */
export interface RawDescriptor { readonly address: number | bigint; readonly length: number; readonly flags: number; readonly next: number }

/** A slot with its driver. */
export class Driver {
  readonly memory = new TestMemory();
  readonly queue = new TickEventQueue();
  readonly slot: VirtioMmio;
  /** Level of the interrupt line. */
  level = false;
  private readonly view = new DataView(this.memory.bytes.buffer);
  private available: number[] = [];
  private used: number[] = [];
  private nextBuffer = BUFFERS;
  private nextDescriptor = 0;

  constructor(work?: VirtioFunction) {
    this.slot = new VirtioMmio({ line: { setLevel: (level) => { this.level = level; } }, queue: this.queue, key: 'slot', memory: this.memory, ...(work === undefined ? {} : { function: work }) });
  }

  get(offset: number, sizeBytes = 4): number {
    return Number(this.slot.read(offset, sizeBytes) ?? -1n);
  }

  set(offset: number, value: number, sizeBytes = 4): void {
    this.slot.write(offset, sizeBytes, BigInt(value >>> 0));
  }

  /** Negotiates features and sets the queues up. */
  start(queues: number, features: { readonly low?: number; readonly high?: number } = {}): this {
    this.set(REGISTER.status, 0);
    this.set(REGISTER.status, 3);
    this.set(REGISTER.driverFeaturesSel, 0);
    this.set(REGISTER.driverFeatures, features.low ?? 0);
    this.set(REGISTER.driverFeaturesSel, 1);
    this.set(REGISTER.driverFeatures, features.high ?? 1);
    this.set(REGISTER.status, 0xb);
    for (let index = 0; index < queues; index++) this.setUpQueue(index);
    this.available = Array.from({ length: queues }, () => 0);
    this.used = Array.from({ length: queues }, () => 0);
    this.set(REGISTER.status, 0xf);
    return this;
  }

  private setUpQueue(index: number): void {
    const base = MEMORY_BASE + index * QUEUE_SPACE;
    this.memory.bytes.fill(0, index * QUEUE_SPACE, (index + 1) * QUEUE_SPACE);
    this.set(REGISTER.queueSel, index);
    this.set(REGISTER.queueNum, RING_SIZE);
    for (const [register, offset] of [[REGISTER.descriptors, 0], [REGISTER.driver, 0x400], [REGISTER.deviceRing, 0x800]] as const) {
      this.set(register, base + offset);
      this.set(register + 4, 0);
    }
    this.set(REGISTER.queueReady, 1);
  }

  /** Writes a descriptor of a queue's table. */
  putDescriptor(queue: number, index: number, descriptor: RawDescriptor): void {
    this.putDescriptorAt(queue * QUEUE_SPACE + index * 16, descriptor);
  }

  /** Writes a descriptor at an offset of memory. */
  putDescriptorAt(at: number, { address, length, flags, next }: RawDescriptor): void {
    this.view.setBigUint64(at, BigInt(address), true);
    this.view.setUint32(at + 8, length, true);
    this.view.setUint16(at + 12, flags, true);
    this.view.setUint16(at + 14, next, true);
  }

  /** Offers the chain that starts at a descriptor. */
  offer(queue: number, head: number): void {
    const count = this.available[queue] ?? 0;
    this.view.setUint16(queue * QUEUE_SPACE + 0x404 + 2 * (count % RING_SIZE), head, true);
    this.available[queue] = count + 1;
    this.view.setUint16(queue * QUEUE_SPACE + 0x402, (count + 1) & 0xffff, true);
  }

  /** Makes a chain of parts, optionally in an indirect table, and offers it. Offsets of the rooms in memory. */
  request(queue: number, parts: readonly Part[], isIndirect = false): { readonly head: number; readonly rooms: readonly number[] } {
    const first = isIndirect ? 0 : this.nextDescriptor;
    const table = isIndirect ? this.allocate(parts.length * 16) : queue * QUEUE_SPACE;
    const rooms: number[] = [];
    parts.forEach((part, n) => {
      const length = 'out' in part ? part.out.length : part.room;
      const at = this.allocate(length);
      if ('out' in part) this.memory.bytes.set(part.out, at);
      else rooms.push(at);
      const isLast = n === parts.length - 1;
      this.putDescriptorAt(table + ((first + n) % RING_SIZE) * 16, { address: MEMORY_BASE + at, length, flags: ('out' in part ? 0 : FLAG.write) | (isLast ? 0 : FLAG.next), next: isLast ? 0 : (first + n + 1) % RING_SIZE });
    });
    const head = this.nextDescriptor;
    if (isIndirect) this.putDescriptor(queue, head, { address: MEMORY_BASE + table, length: parts.length * 16, flags: FLAG.indirect, next: 0 });
    this.nextDescriptor = (head + (isIndirect ? 1 : parts.length)) % RING_SIZE;
    this.offer(queue, head);
    return { head, rooms };
  }

  /** Notifies the device and lets time pass. */
  notify(queue: number): void {
    this.set(REGISTER.notify, queue);
    this.pass();
  }

  /** Lets enough time pass for everything that is under way. */
  pass(): void {
    this.queue.advance(ticks(this.queue.now + 1_000_000));
  }

  /** The next used element, if there is one. */
  takeUsed(queue: number): { readonly head: number; readonly written: number } | undefined {
    const count = this.used[queue] ?? 0;
    const base = queue * QUEUE_SPACE + 0x800;
    if (this.view.getUint16(base + 2, true) === (count & 0xffff)) return undefined;
    this.used[queue] = count + 1;
    const at = base + 4 + 8 * (count % RING_SIZE);
    return { head: this.view.getUint32(at, true), written: this.view.getUint32(at + 4, true) };
  }

  /** Sends a request and answers what came back in its rooms, one after the other. */
  exchange(queue: number, parts: readonly Part[], isIndirect = false): { readonly written: number; readonly bytes: Uint8Array } | undefined {
    const { rooms } = this.request(queue, parts, isIndirect);
    this.notify(queue);
    const used = this.takeUsed(queue);
    const sizes = parts.flatMap((part) => ('room' in part ? [part.room] : []));
    return used === undefined ? undefined : { written: used.written, bytes: Uint8Array.from(rooms.flatMap((at, n) => [...this.memory.bytes.subarray(at, at + (sizes[n] ?? 0))])) };
  }

  /** Sets a 16-bit field of a queue's rings: the driver's flags (0x400), the used event behind the available ring. */
  put16(offset: number, value: number): void {
    this.view.setUint16(offset, value, true);
  }

  /** Takes over memory and the driver's own state. */
  continueFrom(other: Driver): void {
    this.memory.bytes.set(other.memory.bytes);
    this.available = [...other.available];
    this.used = [...other.used];
    this.nextBuffer = other.nextBuffer;
    this.nextDescriptor = other.nextDescriptor;
  }

  private allocate(sizeBytes: number): number {
    const at = this.nextBuffer;
    this.nextBuffer += (sizeBytes + 15) & ~15;
    if (this.nextBuffer <= MEMORY_SIZE) return at;
    this.nextBuffer = BUFFERS + ((sizeBytes + 15) & ~15);
    return BUFFERS;
  }
}
