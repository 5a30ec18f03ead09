/**
 * The hypervisor's half of a virtio-MMIO device between two VMs (Gunyah API: virtio_mmio_*; VIRTIO 4.2).
 *
 * The registers are a page of RAM that the frontend sees read-only: its loads are plain loads, its stores fault and come here. The backend
 * learns of them through calls and an interrupt. Names of the two sources say who asserts: the backend's goes to the frontend VM.
 */

import type { ErrorName } from './errors';
import { pa } from '../base/brands';
import type { PhysicalMemory } from '../engine/interface';
import type { Memextent } from './memextent';
import { ObjectHeader } from './object';
import { VirtioInput } from './virtio-input';
import { VirqSource } from './virq-source';

/** Queues per device. */
export const VIRTIO_QUEUES_MAX = 16;
/** Heap bytes that one queue's registers cost. */
const QUEUE_BYTES = 40;
/** Device type of input devices (VIRTIO 5). */
export const VIRTIO_TYPE_INPUT = 18;

const REGISTER = {
  deviceFeatures: 0x10, deviceFeaturesSel: 0x14, driverFeatures: 0x20, driverFeaturesSel: 0x24, queueSel: 0x30, queueNumMax: 0x34, queueNum: 0x38,
  queueReady: 0x44, queueNotify: 0x50, interruptStatus: 0x60, interruptAck: 0x64, status: 0x70,
} as const;
const CONFIG = 0x100;
const INPUT_SIZE = CONFIG + 2;
const INPUT_DATA = CONFIG + 8;
const INPUT_DATA_SIZE = 128;
/** Per-queue address registers: offset of the low word and key of the value. */
const QUEUE_ADDRESSES: Readonly<Record<number, { readonly field: 'descriptors' | 'driver' | 'device'; readonly isHigh: boolean }>> = {
  0x80: { field: 'descriptors', isHigh: false }, 0x84: { field: 'descriptors', isHigh: true }, 0x90: { field: 'driver', isHigh: false },
  0x94: { field: 'driver', isHigh: true }, 0xa0: { field: 'device', isHigh: false }, 0xa4: { field: 'device', isHigh: true },
};
const STATUS_DRIVER_OK = 4;
const STATUS_NEEDS_RESET = 0x40;
const STATUS_FAILED = 0x80;
const REASON = { newBuffer: 1n, resetRequest: 2n, driverOk: 8n, failed: 16n } as const;

interface QueueRegisters { sizeMax: number; size: number; ready: number; descriptors: bigint; driver: bigint; device: bigint }
const NEW_QUEUE: Readonly<QueueRegisters> = { sizeMax: 0, size: 0, ready: 0, descriptors: 0n, driver: 0n, device: 0n };

/** A virtio-MMIO device (Gunyah API: virtio_mmio). */
export class VirtioMmio {
  readonly header: ObjectHeader<'virtio_mmio'>;
  /** Asserted by the backend: bound to the frontend VM's VIC. */
  readonly backendSource: VirqSource;
  /** Asserted by stores of the frontend: bound to the backend VM's VIC. */
  readonly frontendSource: VirqSource;
  readonly input = new VirtioInput();
  extent: Memextent | undefined;
  deviceType = 0;
  /** True from activation on: the page is in use and the memory paid for. */
  isAttached = false;
  private readonly memory: PhysicalMemory;
  private queues: QueueRegisters[] = [];
  private deviceFeatures: readonly [number, number] = [0, 0];
  private driverFeatures: readonly [number, number] = [0, 0];
  private driverFeaturesSel = 0;
  private queueSel = 0;
  private notified = 0n;
  private reason = 0n;

  constructor(id: number, memory: PhysicalMemory) {
    this.header = new ObjectHeader('virtio_mmio', id);
    this.memory = memory;
    this.backendSource = new VirqSource('virtio-backend', () => this.get(REGISTER.interruptStatus) !== 0);
    this.frontendSource = new VirqSource('virtio-frontend', () => this.reason !== 0n);
  }

  get queueCount(): number {
    return this.queues.length;
  }

  /** Takes checked configuration. */
  configure(extent: Memextent, queueCount: number, deviceType: number): void {
    this.extent = extent;
    this.queues = Array.from({ length: queueCount }, () => ({ ...NEW_QUEUE }));
    this.deviceType = deviceType;
  }

  /** Heap bytes of its queues' registers and, for an input device, of its tables. */
  get memorySizeBytes(): number {
    return this.queues.length * QUEUE_BYTES + this.input.memorySizeBytes;
  }

  /** Takes the register page at activation and clears it. */
  attach(): void {
    this.isAttached = true;
    if (this.extent === undefined) return;
    this.extent.attachmentCount++;
    this.extent.zero({ first: 0, pageCount: 1 });
  }

  /** A store by the frontend at an offset; false is an abort. */
  write(offset: number, sizeBytes: number, value: number): boolean {
    if (offset >= CONFIG) return this.writeConfig(offset, sizeBytes, value);
    if (sizeBytes !== 4 || offset % 4 !== 0) return false;
    const address = QUEUE_ADDRESSES[offset];
    if (address !== undefined) return this.writeAddress(offset, address, value);
    switch (offset) {
      case REGISTER.deviceFeaturesSel: return this.selectDeviceFeatures(value);
      case REGISTER.driverFeaturesSel: return this.selectDriverFeatures(value);
      case REGISTER.driverFeatures:
        this.driverFeatures = this.driverFeaturesSel === 0 ? [value, this.driverFeatures[1]] : [this.driverFeatures[0], value];
        return this.put(offset, value);
      case REGISTER.queueSel: return this.selectQueue(value);
      case REGISTER.queueNum: return this.writeQueue(offset, 'size', value);
      case REGISTER.queueReady: return this.writeQueue(offset, 'ready', value);
      case REGISTER.queueNotify:
        this.notified |= 1n << BigInt(value & 63);
        return this.notify(REASON.newBuffer);
      case REGISTER.interruptAck: return this.put(REGISTER.interruptStatus, this.get(REGISTER.interruptStatus) & ~value);
      case REGISTER.status: return value === 0 ? this.requestReset() : this.writeStatus(value);
      default: return false;
    }
  }

  /** Gunyah API: virtio_mmio_backend_assert_virq. */
  assertVirq(interruptStatus: number): ErrorName {
    if ((this.get(REGISTER.status) & STATUS_NEEDS_RESET) !== 0) return 'DENIED';
    this.put(REGISTER.interruptStatus, this.get(REGISTER.interruptStatus) | interruptStatus);
    this.backendSource.assertLevel();
    return 'OK';
  }

  /** Gunyah API: virtio_mmio_backend_set_dev_features. Bank 1 must offer VERSION_1 and ACCESS_PLATFORM and not NOTIFICATION_DATA. */
  setDeviceFeatures(bank: number, features: number): ErrorName {
    if (bank > 1) return 'ARGUMENT_INVALID';
    if (bank === 1 && (features & 0x43) !== 3) return 'DENIED';
    this.deviceFeatures = bank === 0 ? [features, this.deviceFeatures[1]] : [this.deviceFeatures[0], features];
    return 'OK';
  }

  /** Gunyah API: virtio_mmio_backend_set_queue_num_max. */
  setQueueSizeMax(index: number, sizeMax: number): ErrorName {
    const queue = this.queues[index];
    if (queue === undefined) return 'ARGUMENT_INVALID';
    queue.sizeMax = sizeMax;
    return 'OK';
  }

  /** One bank of what the driver accepted; `undefined` for a bank that does not exist. */
  acceptedFeatures(bank: number): number | undefined {
    return this.driverFeatures[bank];
  }

  /** Registers of one queue. */
  queueInfo(index: number): Readonly<QueueRegisters> | undefined {
    return this.queues[index];
  }

  /** Gunyah API: virtio_mmio_backend_get_notification. Reads and clears. */
  takeNotification(): { readonly notified: bigint; readonly reason: bigint } {
    const taken = { notified: this.notified, reason: this.reason };
    this.notified = 0n;
    this.reason = 0n;
    return taken;
  }

  /** Gunyah API: virtio_mmio_backend_acknowledge_reset. */
  acknowledgeReset(): void {
    this.put(REGISTER.status, 0);
  }

  /** Gunyah API: virtio_mmio_backend_update_status. */
  updateStatus(bits: number): void {
    this.put(REGISTER.status, this.get(REGISTER.status) | bits);
  }

  save(): SavedVirtioMmio {
    return {
      extent: this.extent?.header.id, isAttached: this.isAttached, deviceType: this.deviceType, queues: this.queues.map((queue) => ({ ...queue })), deviceFeatures: this.deviceFeatures,
      driverFeatures: this.driverFeatures, driverFeaturesSel: this.driverFeaturesSel, queueSel: this.queueSel, notified: this.notified, reason: this.reason, input: this.input.save(),
    };
  }

  restore(saved: SavedVirtioMmio, extent: (id: number) => Memextent): void {
    this.extent = saved.extent === undefined ? undefined : extent(saved.extent);
    this.isAttached = saved.isAttached;
    this.deviceType = saved.deviceType;
    this.queues = saved.queues.map((queue) => ({ ...queue }));
    this.deviceFeatures = saved.deviceFeatures;
    this.driverFeatures = saved.driverFeatures;
    this.driverFeaturesSel = saved.driverFeaturesSel;
    this.queueSel = saved.queueSel;
    this.notified = saved.notified;
    this.reason = saved.reason;
    this.input.restore(saved.input);
  }

  private selectDeviceFeatures(bank: number): boolean {
    const features = this.deviceFeatures[bank];
    return features !== undefined && this.put(REGISTER.deviceFeaturesSel, bank) && this.put(REGISTER.deviceFeatures, features);
  }

  private selectDriverFeatures(bank: number): boolean {
    if (bank > 1) return false;
    this.driverFeaturesSel = bank;
    return this.put(REGISTER.driverFeaturesSel, bank);
  }

  private selectQueue(index: number): boolean {
    const queue = this.queues[index];
    if (queue === undefined) return false;
    this.queueSel = index;
    return this.put(REGISTER.queueSel, index) && this.put(REGISTER.queueNumMax, queue.sizeMax) && this.put(REGISTER.queueReady, queue.ready);
  }

  private writeQueue(offset: number, field: 'size' | 'ready', value: number): boolean {
    const queue = this.queues[this.queueSel];
    if (queue === undefined) return false;
    queue[field] = value;
    return this.put(offset, value);
  }

  private writeAddress(offset: number, { field, isHigh }: { readonly field: 'descriptors' | 'driver' | 'device'; readonly isHigh: boolean }, value: number): boolean {
    const queue = this.queues[this.queueSel];
    if (queue === undefined) return false;
    const word = BigInt(value >>> 0);
    queue[field] = isHigh ? (queue[field] & 0xffff_ffffn) | (word << 32n) : (queue[field] & ~0xffff_ffffn) | word;
    return this.put(offset, value);
  }

  private writeStatus(value: number): boolean {
    const fresh = value & ~this.get(REGISTER.status);
    this.put(REGISTER.status, value);
    if ((fresh & STATUS_DRIVER_OK) !== 0) this.notify(REASON.driverOk);
    if ((fresh & STATUS_FAILED) !== 0) this.notify(REASON.failed);
    return true;
  }

  /** The store aborts unless the backend can be told by an edge, as in the source. */
  private requestReset(): boolean {
    if (this.get(REGISTER.status) === 0) return true;
    this.put(REGISTER.status, this.get(REGISTER.status) | STATUS_NEEDS_RESET);
    for (const queue of this.queues) queue.ready = 0;
    this.put(REGISTER.queueReady, 0);
    const isTold = this.frontendSource.isEdgeConfigured;
    this.notify(REASON.resetRequest);
    return isTold;
  }

  private writeConfig(offset: number, sizeBytes: number, value: number): boolean {
    if ((sizeBytes !== 1 && sizeBytes !== 4) || offset % sizeBytes !== 0) return false;
    const bytes = Uint8Array.from({ length: sizeBytes }, (_, n) => (value >>> (n * 8)) & 0xff);
    this.putBytes(offset, bytes);
    if (this.deviceType === VIRTIO_TYPE_INPUT) this.showInput();
    return true;
  }

  /** After a write of Select or Subsel: size and data of what is selected. */
  private showInput(): void {
    const selection = this.get(CONFIG);
    const data = this.input.read(selection & 0xff, (selection >>> 8) & 0xff);
    const shown = new Uint8Array(INPUT_DATA_SIZE);
    shown.set(data.subarray(0, INPUT_DATA_SIZE));
    this.putBytes(INPUT_SIZE, Uint8Array.of(Math.min(data.length, INPUT_DATA_SIZE)));
    this.putBytes(INPUT_DATA, shown);
  }

  private notify(reason: bigint): true {
    this.reason |= reason;
    this.frontendSource.assertLevel();
    return true;
  }

  private get base(): bigint | undefined {
    const { extent } = this;
    const isOwner = extent !== undefined && extent.ownedRuns().some((run) => run.first === extent.firstPage);
    return isOwner ? BigInt(extent.firstPage) << 12n : undefined;
  }

  private get(offset: number): number {
    const { base } = this;
    return base === undefined ? 0 : this.memory.readU32(pa(base + BigInt(offset)));
  }

  private put(offset: number, value: number): true {
    const { base } = this;
    if (base !== undefined) this.memory.writeU32(pa(base + BigInt(offset)), value >>> 0);
    return true;
  }

  private putBytes(offset: number, bytes: Uint8Array): void {
    const { base } = this;
    if (base !== undefined) this.memory.write(pa(base + BigInt(offset)), bytes);
  }
}

/** Saved form; the register page is part of RAM. */
export interface SavedVirtioMmio {
  readonly extent: number | undefined;
  readonly isAttached: boolean;
  readonly deviceType: number;
  readonly queues: readonly Readonly<QueueRegisters>[];
  readonly deviceFeatures: readonly [number, number];
  readonly driverFeatures: readonly [number, number];
  readonly driverFeaturesSel: number;
  readonly queueSel: number;
  readonly notified: bigint;
  readonly reason: bigint;
  readonly input: ReturnType<VirtioInput['save']>;
}
