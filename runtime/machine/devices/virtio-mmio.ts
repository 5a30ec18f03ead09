/**
 * The virtio transport over MMIO, modern interface: a page of registers in front of a *function* (disk, console, …), which knows nothing of
 * registers and rings. The transport negotiates features, walks the queues, raises the interrupt, and takes a device out of service whose
 * driver breaks the rules. A slot without a function has a magic number and no device behind it.
 *
 * A notification is answered after the function's latency in virtual time, by the event queue, and what was moved takes time too. Sources: VIRTIO 1.2, 2.1 and 4.2.
 */

import { assert } from '../../base/assert';
import { ticks } from '../../base/brands';
import type { EventQueue, GuestMemory, IrqLine, RegisterDevice } from '../interface';
import { registerMap, type RegisterHandler, type RegisterHandlers, type RegisterMap, type RegisterRow, type RegisterView } from '../register-map';
import { type Chain, type RingFeatures, type SavedVirtqueue, Virtqueue } from './virtqueue';

/** The register file; what follows at 0x100 is the function's configuration. */
export const VIRTIO_MMIO_REGISTERS = {
  MagicValue: { offset: 0x00, access: 'RO', description: '"virt"' },
  Version: { offset: 0x04, access: 'RO', description: 'Version of the interface: 2' },
  DeviceID: { offset: 0x08, access: 'RO', description: 'Type of the function; 0 is an empty slot' },
  VendorID: { offset: 0x0c, access: 'RO', description: 'Vendor' },
  DeviceFeatures: { offset: 0x10, access: 'RO', description: 'Offered features, 32 bits of them' },
  DeviceFeaturesSel: { offset: 0x14, access: 'WO', description: 'Which 32 bits' },
  DriverFeatures: { offset: 0x20, access: 'WO', description: 'Accepted features, 32 bits of them' },
  DriverFeaturesSel: { offset: 0x24, access: 'WO', description: 'Which 32 bits' },
  QueueSel: { offset: 0x30, access: 'WO', description: 'Queue that the next registers are about' },
  QueueNumMax: { offset: 0x34, access: 'RO', description: 'Largest size; 0 if there is no such queue' },
  QueueNum: { offset: 0x38, access: 'WO', description: 'Size' },
  QueueReady: { offset: 0x44, access: 'RW', description: 'Whether the device may use the queue' },
  QueueNotify: { offset: 0x50, access: 'WO', description: 'Number of a queue with new buffers' },
  InterruptStatus: { offset: 0x60, access: 'RO', description: 'Bit 0: used buffers; bit 1: configuration changed' },
  InterruptACK: { offset: 0x64, access: 'WO', description: 'Clears bits of the status' },
  Status: { offset: 0x70, access: 'RW', description: 'Device status; 0 resets' },
  QueueDescLow: { offset: 0x80, access: 'WO', description: 'Descriptor table, low word' },
  QueueDescHigh: { offset: 0x84, access: 'WO', description: 'Descriptor table, high word' },
  QueueDriverLow: { offset: 0x90, access: 'WO', description: 'Available ring, low word' },
  QueueDriverHigh: { offset: 0x94, access: 'WO', description: 'Available ring, high word' },
  QueueDeviceLow: { offset: 0xa0, access: 'WO', description: 'Used ring, low word' },
  QueueDeviceHigh: { offset: 0xa4, access: 'WO', description: 'Used ring, high word' },
  SHMSel: { offset: 0xac, access: 'WO', description: 'Shared memory region; there are none' },
  SHMLenLow: { offset: 0xb0, access: 'RO', description: 'Its length; all ones' },
  SHMLenHigh: { offset: 0xb4, access: 'RO', description: 'Its length; all ones' },
  SHMBaseLow: { offset: 0xb8, access: 'RO', description: 'Its address; all ones' },
  SHMBaseHigh: { offset: 0xbc, access: 'RO', description: 'Its address; all ones' },
  ConfigGeneration: { offset: 0xfc, access: 'RO', description: 'Changes with the configuration' },
} as const satisfies Record<string, RegisterRow>;

/** Bits of the device status (VIRTIO 2.1). */
export const VIRTIO_STATUS = { acknowledge: 1, driver: 2, driverOk: 4, featuresOk: 8, needsReset: 0x40, failed: 0x80 } as const;
/** Features of the transport and its rings (VIRTIO 6). */
export const VIRTIO_FEATURE = { indirect: 1n << 28n, eventIndex: 1n << 29n, version1: 1n << 32n } as const;

const MAGIC = 0x7472_6976;
const VERSION = 2;
const VENDOR = 0x554d_4551;
const CONFIGURATION = 0x100;
const SLOT_SIZE = 0x200;
const INTERRUPT_USED = 1;
const INTERRUPT_CONFIGURATION = 2;
/** Bytes that one pass over a queue moves before it lets time go on. */
const PASS_BYTES_MAX = 32 * 1024 * 1024;
/** What using a chain takes: virtual time for each piece, and bytes moved in a tick. Keeps a guest from asking for more than the host can do. */
const TICKS_PER_BUFFER = 64;
const BYTES_PER_TICK = 8;
const LOW_32 = 0xffff_ffffn;

/** What became of a chain: bytes written into it, or that the driver broke the rules. */
export type ChainResult = number | 'broken';

/** What a function asks of its transport. */
export interface VirtioHost {
  /** There is work for a queue that waits for the device (input arrived). */
  wake(queue: number): void;
}

/** A device type behind the transport. All of it is synchronous; it keeps no chain. */
export interface VirtioFunction {
  /** Device type (VIRTIO 5). */
  readonly deviceId: number;
  /** Its own feature bits, 0 to 23 and 50 up. */
  readonly features: bigint;
  /** Largest size of each queue, powers of two. */
  readonly queueSizes: readonly number[];
  /** Virtual time between a notification and its answer. */
  readonly latencyTicks: number;
  /** The configuration space. */
  configuration(): Uint8Array;
  /** A store into the configuration space. */
  configure(offset: number, bytes: Uint8Array): void;
  /** Whether a chain of this queue can be used now: for queues that wait for input, whether there is some. */
  wants(queue: number): boolean;
  /** Uses one chain. */
  use(queue: number, chain: Chain): ChainResult;
  /** The driver has negotiated these features and is ready. */
  start(features: bigint, host: VirtioHost): void;
  reset(): void;
  save(): unknown;
  restore(saved: unknown, host: VirtioHost): void;
}

/** What a slot is connected to. */
export interface VirtioMmioOptions {
  readonly line: IrqLine;
  readonly queue: EventQueue;
  /** Unique prefix of its keys in the event queue. */
  readonly key: string;
  readonly memory: GuestMemory;
  /** Absent: an empty slot. */
  readonly function?: VirtioFunction;
}

/** Plain-data form. */
export interface SavedVirtioMmio {
  readonly kind: 'virtio-mmio';
  readonly version: 1;
  readonly status: number;
  readonly interrupt: number;
  readonly deviceFeaturesSel: number;
  readonly driverFeaturesSel: number;
  readonly driverFeatures: bigint;
  readonly queueSel: number;
  readonly generation: number;
  readonly level: boolean;
  readonly queues: readonly SavedVirtqueue[];
  /** Per queue: when it is looked at next, or -1. */
  readonly due: readonly number[];
  readonly busyUntil: number;
  readonly function: unknown;
}

/** One slot. Registers are 32 bits wide; the configuration space takes 1, 2 and 4 bytes. */
export class VirtioMmio implements RegisterDevice, VirtioHost {
  readonly kind = 'virtio-mmio';
  private readonly options: VirtioMmioOptions;
  private readonly map: RegisterMap;
  private readonly queues: readonly Virtqueue[];
  private readonly offered: bigint;
  private status = 0;
  private interrupt = 0;
  private deviceFeaturesSel = 0;
  private driverFeaturesSel = 0;
  private driverFeatures = 0n;
  private queueSel = 0;
  private generation = 0;
  private level = false;
  private due: number[];
  /** When the device has done what it was last asked for. */
  private busyUntil = 0;

  constructor(options: VirtioMmioOptions) {
    this.options = options;
    const sizes = options.function?.queueSizes ?? [];
    this.queues = sizes.map((size) => new Virtqueue(size));
    this.due = sizes.map(() => -1);
    this.offered = options.function === undefined ? 0n : options.function.features | VIRTIO_FEATURE.version1 | VIRTIO_FEATURE.indirect | VIRTIO_FEATURE.eventIndex;
    this.map = registerMap(VIRTIO_MMIO_REGISTERS, this.handlers(), 'first-byte');
  }

  read(offset: number, sizeBytes: number): bigint | undefined {
    if (sizeBytes > 4) return undefined;
    if (offset >= CONFIGURATION) return this.readConfiguration(offset - CONFIGURATION, sizeBytes);
    return sizeBytes === 4 ? this.map.read(offset, sizeBytes) : 0n;
  }

  write(offset: number, sizeBytes: number, value: bigint): boolean {
    if (sizeBytes > 4) return false;
    if (offset >= CONFIGURATION) this.writeConfiguration(offset - CONFIGURATION, sizeBytes, value);
    else if (sizeBytes === 4 && this.options.function !== undefined) this.map.write(offset, sizeBytes, value);
    return true;
  }

  /** Register values for the debugger. */
  registers(): RegisterView[] {
    return this.map.registers();
  }

  reset(): void {
    this.status = 0;
    this.interrupt = 0;
    this.driverFeatures = 0n;
    this.deviceFeaturesSel = 0;
    this.driverFeaturesSel = 0;
    this.queueSel = 0;
    for (const [index, queue] of this.queues.entries()) {
      queue.reset();
      this.forget(index);
    }
    this.options.function?.reset();
    this.drive();
  }

  wake(queue: number): void {
    this.look(queue);
  }

  /** The configuration changed by itself. */
  configurationChanged(): void {
    this.generation = (this.generation + 1) >>> 0;
    if ((this.status & VIRTIO_STATUS.driverOk) !== 0) this.raise(INTERRUPT_CONFIGURATION);
  }

  save(): SavedVirtioMmio {
    const { status, interrupt, deviceFeaturesSel, driverFeaturesSel, driverFeatures, queueSel, generation, level } = this;
    return {
      kind: 'virtio-mmio', version: 1, status, interrupt, deviceFeaturesSel, driverFeaturesSel, driverFeatures, queueSel, generation, level,
      queues: this.queues.map((queue) => queue.save()), due: [...this.due], busyUntil: this.busyUntil, function: this.options.function?.save() ?? null,
    };
  }

  restore(saved: SavedVirtioMmio): void {
    assert(saved.queues.length === this.queues.length, 'a saved slot has the function that it was saved with');
    this.status = saved.status;
    this.interrupt = saved.interrupt;
    this.deviceFeaturesSel = saved.deviceFeaturesSel;
    this.driverFeaturesSel = saved.driverFeaturesSel;
    this.driverFeatures = saved.driverFeatures;
    this.queueSel = saved.queueSel;
    this.generation = saved.generation;
    this.level = saved.level;
    for (const [index, queue] of saved.queues.entries()) this.queues[index]?.restore(queue);
    this.due = [...saved.due];
    this.busyUntil = saved.busyUntil;
    for (const [index, at] of this.due.entries()) this.schedule(index, at);
    this.options.function?.restore(saved.function, this);
  }

  private get ringFeatures(): RingFeatures {
    return { indirect: (this.driverFeatures & VIRTIO_FEATURE.indirect) !== 0n, eventIndex: (this.driverFeatures & VIRTIO_FEATURE.eventIndex) !== 0n };
  }

  private handlers(): RegisterHandlers<typeof VIRTIO_MMIO_REGISTERS> {
    const ones: RegisterHandler = { read: () => (this.options.function === undefined ? 0 : 0xffff_ffff) };
    return {
      MagicValue: { read: () => MAGIC },
      Version: { read: () => VERSION },
      DeviceID: { read: () => this.options.function?.deviceId ?? 0 },
      VendorID: { read: () => VENDOR },
      DeviceFeatures: { read: () => wordOf(this.offered, this.deviceFeaturesSel) },
      DeviceFeaturesSel: { write: (value) => { this.deviceFeaturesSel = value; } },
      DriverFeatures: { write: (value) => { this.acceptFeatures(value); } },
      DriverFeaturesSel: { write: (value) => { this.driverFeaturesSel = value; } },
      QueueSel: { write: (value) => { this.queueSel = value; } },
      QueueNumMax: { read: () => this.selected?.sizeMax ?? 0 },
      QueueNum: { write: (value) => { this.changeQueue((queue) => { queue.size = value; }); } },
      QueueReady: { read: () => (this.selected?.isReady === true ? 1 : 0), write: (value) => { this.setReady((value & 1) !== 0); } },
      QueueNotify: { write: (value) => { this.look(value); } },
      InterruptStatus: { read: () => this.interrupt },
      InterruptACK: { write: (value) => { this.acknowledge(value); } },
      Status: { read: () => this.status, write: (value) => { this.setStatus(value & 0xff); } },
      QueueDescLow: { write: (value) => { this.changeQueue((queue) => { queue.descriptors = withLow(queue.descriptors, value); }); } },
      QueueDescHigh: { write: (value) => { this.changeQueue((queue) => { queue.descriptors = withHigh(queue.descriptors, value); }); } },
      QueueDriverLow: { write: (value) => { this.changeQueue((queue) => { queue.driver = withLow(queue.driver, value); }); } },
      QueueDriverHigh: { write: (value) => { this.changeQueue((queue) => { queue.driver = withHigh(queue.driver, value); }); } },
      QueueDeviceLow: { write: (value) => { this.changeQueue((queue) => { queue.device = withLow(queue.device, value); }); } },
      QueueDeviceHigh: { write: (value) => { this.changeQueue((queue) => { queue.device = withHigh(queue.device, value); }); } },
      SHMSel: { write: () => undefined },
      SHMLenLow: ones, SHMLenHigh: ones, SHMBaseLow: ones, SHMBaseHigh: ones,
      ConfigGeneration: { read: () => this.generation },
    };
  }

  private get selected(): Virtqueue | undefined {
    return this.queues[this.queueSel];
  }

  private acceptFeatures(value: number): void {
    if (this.driverFeaturesSel > 1 || (this.status & VIRTIO_STATUS.featuresOk) !== 0) return;
    const shift = BigInt(32 * this.driverFeaturesSel);
    this.driverFeatures = (this.driverFeatures & ~(LOW_32 << shift)) | (BigInt(value >>> 0) << shift);
  }

  private changeQueue(change: (queue: Virtqueue) => void): void {
    const queue = this.selected;
    if (queue !== undefined && !queue.isReady) change(queue);
  }

  private setReady(isReady: boolean): void {
    const queue = this.selected;
    if (queue === undefined) return;
    if (!isReady) {
      queue.reset();
      this.forget(this.queueSel);
    }
    queue.isReady = isReady;
  }

  private setStatus(value: number): void {
    if (value === 0) return this.reset();
    const isAcceptable = (this.driverFeatures & ~this.offered) === 0n && (this.driverFeatures & VIRTIO_FEATURE.version1) !== 0n;
    const kept = (this.status & VIRTIO_STATUS.needsReset) | (isAcceptable ? value : value & ~VIRTIO_STATUS.featuresOk);
    const isStarting = (kept & ~this.status & VIRTIO_STATUS.driverOk) !== 0;
    this.status = kept;
    if (isStarting) this.options.function?.start(this.driverFeatures, this);
  }

  private acknowledge(bits: number): void {
    this.interrupt &= ~bits;
    this.drive();
  }

  private raise(bits: number): void {
    this.interrupt |= bits;
    this.drive();
  }

  private drive(): void {
    const level = this.interrupt !== 0;
    if (level === this.level) return;
    this.level = level;
    this.options.line.setLevel(level);
  }

  /** Looks at a queue after the function's latency, when the device is free, unless that is about to happen anyway. */
  private look(index: number): void {
    const work = this.options.function;
    const isAlive = (this.status & (VIRTIO_STATUS.driverOk | VIRTIO_STATUS.needsReset)) === VIRTIO_STATUS.driverOk;
    if (work === undefined || !isAlive || (this.due[index] ?? 0) >= 0) return;
    this.schedule(index, Math.max(this.options.queue.now, this.busyUntil) + work.latencyTicks);
  }

  private schedule(index: number, at: number): void {
    this.due[index] = at;
    if (at >= 0) this.options.queue.schedule(this.keyOf(index), ticks(at), () => { this.pass(index); });
    else this.options.queue.cancel(this.keyOf(index));
  }

  private forget(index: number): void {
    if ((this.due[index] ?? -1) >= 0) this.schedule(index, -1);
  }

  private keyOf(index: number): string {
    return `${this.options.key}/${index}`;
  }

  /** Uses what the driver offers in one queue. */
  private pass(index: number): void {
    const queue = this.queues[index];
    const work = this.options.function;
    this.due[index] = -1;
    if (queue === undefined || work === undefined) return;
    const { memory } = this.options;
    const state = this.useChains(index, queue, work);
    if (state === 'broken' || !queue.requestNotification(memory, this.ringFeatures)) return this.takeOutOfService();
    if (queue.wantsInterrupt(memory, this.ringFeatures)) this.raise(INTERRUPT_USED);
    if (state === 'more') this.look(index);
  }

  private useChains(index: number, queue: Virtqueue, work: VirtioFunction): 'done' | 'more' | 'broken' {
    const { memory } = this.options;
    let moved = 0;
    for (let count = 0; work.wants(index); count++) {
      if (count >= queue.sizeMax || moved >= PASS_BYTES_MAX) return 'more';
      const chain = queue.take(memory, this.ringFeatures);
      if (chain === 'empty') return 'done';
      const written = chain === 'broken' ? 'broken' : work.use(index, chain);
      if (chain === 'broken' || written === 'broken' || !queue.give(memory, chain.head, written)) return 'broken';
      moved += chain.readableSize + written;
      this.busyUntil = Math.max(this.busyUntil, this.options.queue.now) + chain.bufferCount * TICKS_PER_BUFFER + Math.floor((chain.readableSize + written) / BYTES_PER_TICK);
    }
    return 'done';
  }

  /** The driver broke the rules: nothing works until it resets the device (VIRTIO 2.1.2). */
  private takeOutOfService(): void {
    this.status |= VIRTIO_STATUS.needsReset;
    for (const index of this.queues.keys()) this.forget(index);
    this.raise(INTERRUPT_CONFIGURATION);
  }

  private readConfiguration(offset: number, sizeBytes: number): bigint {
    const bytes = this.options.function?.configuration().subarray(offset, offset + sizeBytes) ?? new Uint8Array(0);
    return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  private writeConfiguration(offset: number, sizeBytes: number, value: bigint): void {
    assert(offset + sizeBytes <= SLOT_SIZE - CONFIGURATION, 'the bus keeps accesses inside a slot');
    this.options.function?.configure(offset, Uint8Array.from({ length: sizeBytes }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn)));
  }
}

function wordOf(value: bigint, select: number): number {
  return select > 1 ? 0 : Number((value >> BigInt(32 * select)) & LOW_32);
}

function withLow(value: bigint, word: number): bigint {
  return (value & ~LOW_32) | BigInt(word >>> 0);
}

function withHigh(value: bigint, word: number): bigint {
  return (value & LOW_32) | (BigInt(word >>> 0) << 32n);
}
