/**
 * A virtio network card (device type 1) with one pair of queues and no offloads, connected to a wire. Source: VIRTIO 1.2, 5.1.
 */

import type { Chain } from './virtqueue';
import type { ChainResult, VirtioFunction, VirtioHost } from './virtio-mmio';

/** Largest frame without its check sequence: 1500 bytes, the header and a VLAN tag. */
export const NET_FRAME_MAX = 1518;
/** Received frames that wait for buffers; more are dropped. */
export const NET_BACKLOG_MAX = 256;

const RECEIVE = 0;
const TRANSMIT = 1;
const QUEUE_SIZE = 256;
const LATENCY_TICKS = 5_000;
const FEATURE = { mac: 1n << 5n, status: 1n << 16n } as const;
const HEADER_SIZE = 12;
const FRAME_MIN = 14;
const BUFFER_COUNT = 10;
const LINK_UP = 1;

/** What a card is connected to. */
export interface VirtioNetOptions {
  /** Six bytes. */
  readonly address: Uint8Array;
  readonly send: (frame: Uint8Array) => void;
}

interface SavedVirtioNet { readonly backlog: readonly Uint8Array[]; readonly isStarted: boolean }

/** The function. */
export class VirtioNet implements VirtioFunction {
  readonly deviceId = 1;
  readonly features = FEATURE.mac | FEATURE.status;
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE];
  readonly latencyTicks = LATENCY_TICKS;
  private readonly options: VirtioNetOptions;
  private host: VirtioHost | undefined;
  private backlog: Uint8Array[] = [];

  constructor(options: VirtioNetOptions) {
    this.options = options;
  }

  /** A frame arrives from the wire. */
  receive(frame: Uint8Array): void {
    if (this.host === undefined || this.backlog.length >= NET_BACKLOG_MAX) return;
    this.backlog.push(frame);
    this.host.wake(RECEIVE);
  }

  configuration(): Uint8Array {
    return Uint8Array.of(...this.options.address, LINK_UP, 0);
  }

  configure(): void {
    // Nothing in it can be written.
  }

  wants(queue: number): boolean {
    return queue === TRANSMIT || this.backlog.length > 0;
  }

  use(queue: number, chain: Chain): ChainResult {
    return queue === TRANSMIT ? this.transmit(chain) : this.deliver(chain);
  }

  start(_features: bigint, host: VirtioHost): void {
    this.host = host;
  }

  reset(): void {
    this.host = undefined;
    this.backlog = [];
  }

  save(): SavedVirtioNet {
    return { backlog: [...this.backlog], isStarted: this.host !== undefined };
  }

  restore(saved: SavedVirtioNet, host: VirtioHost): void {
    this.backlog = [...saved.backlog];
    this.host = saved.isStarted ? host : undefined;
  }

  /** Frames of impossible length are dropped, as on a wire. */
  private transmit(chain: Chain): ChainResult {
    const size = chain.readableSize - HEADER_SIZE;
    if (size < FRAME_MIN || size > NET_FRAME_MAX) return 0;
    const frame = chain.read(HEADER_SIZE, size);
    if (frame === undefined) return 'broken';
    this.options.send(frame);
    return 0;
  }

  /** A frame that the driver's buffer does not hold is dropped; the buffer goes back empty. */
  private deliver(chain: Chain): ChainResult {
    const frame = this.backlog.shift();
    if (frame === undefined || chain.writableSize < HEADER_SIZE + frame.length) return 0;
    const bytes = new Uint8Array(HEADER_SIZE + frame.length);
    bytes[BUFFER_COUNT] = 1;
    bytes.set(frame, HEADER_SIZE);
    return chain.write(0, bytes) ? bytes.length : 'broken';
  }
}
