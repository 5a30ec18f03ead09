/**
 * A virtio console (device type 3) with one port: what the driver transmits goes to a sink, what the host types waits in a bounded queue until
 * the driver offers buffers. Source: VIRTIO 1.2, 5.3. No control queues, so no further ports.
 */

import type { Chain } from './virtqueue';
import type { ChainResult, VirtioFunction, VirtioHost } from './virtio-mmio';

/** Most bytes from the host that wait. */
export const VIRTIO_CONSOLE_INPUT_MAX = 65536;

/** Most bytes that one chain prints; what lies behind is dropped. */
export const VIRTIO_CONSOLE_CHAIN_MAX = 65536;

const RECEIVE = 0;
const TRANSMIT = 1;
const QUEUE_SIZE = 64;
const LATENCY_TICKS = 2_000;
const FEATURE = { size: 1n << 0n, emergencyWrite: 1n << 2n } as const;
const COLUMNS = 80;
const ROWS = 25;
const PORTS = 1;
const CONFIGURATION_SIZE = 12;
const EMERGENCY = 8;
/** Bytes taken from the driver at a time. */
const PIECE = 4096;

interface SavedVirtioConsole { readonly input: Uint8Array; readonly isStarted: boolean }

/** The function. */
export class VirtioConsole implements VirtioFunction {
  readonly deviceId = 3;
  readonly features = FEATURE.size | FEATURE.emergencyWrite;
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE];
  readonly latencyTicks = LATENCY_TICKS;
  private readonly transmit: (byte: number) => void;
  private host: VirtioHost | undefined;
  private input: Uint8Array = new Uint8Array(0);
  private isStarted = false;

  constructor(transmit: (byte: number) => void) {
    this.transmit = transmit;
  }

  /** Bytes typed that the driver has not taken. */
  get waitingInputCount(): number {
    return this.input.length;
  }

  /** Bytes typed by the host. Returns how many were taken; the rest did not fit the queue. */
  receive(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, VIRTIO_CONSOLE_INPUT_MAX - this.input.length);
    this.input = Uint8Array.from([...this.input, ...taken]);
    this.host?.wake(RECEIVE);
    return taken.length;
  }

  /** Takes typed bytes past the driver. */
  takeInput(countMax: number): Uint8Array {
    const taken = this.input.slice(0, countMax);
    this.input = this.input.slice(taken.length);
    return taken;
  }

  configuration(): Uint8Array {
    const bytes = new Uint8Array(CONFIGURATION_SIZE);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, COLUMNS, true);
    view.setUint16(2, ROWS, true);
    view.setUint32(4, PORTS, true);
    return bytes;
  }

  /** A character written before there are queues. */
  configure(offset: number, bytes: Uint8Array): void {
    if (offset === EMERGENCY) this.transmit(bytes[0] ?? 0);
  }

  wants(queue: number): boolean {
    return queue === TRANSMIT || this.input.length > 0;
  }

  use(queue: number, chain: Chain): ChainResult {
    return queue === TRANSMIT ? this.print(chain) : this.deliver(chain);
  }

  start(_features: bigint, host: VirtioHost): void {
    this.host = host;
    this.isStarted = true;
    if (this.input.length > 0) host.wake(RECEIVE);
  }

  reset(): void {
    this.isStarted = false;
    this.host = undefined;
  }

  save(): SavedVirtioConsole {
    return { input: this.input.slice(), isStarted: this.isStarted };
  }

  restore(saved: SavedVirtioConsole, host: VirtioHost): void {
    this.input = saved.input.slice();
    this.isStarted = saved.isStarted;
    this.host = saved.isStarted ? host : undefined;
  }

  private print(chain: Chain): ChainResult {
    for (let offset = 0; offset < Math.min(chain.readableSize, VIRTIO_CONSOLE_CHAIN_MAX); offset += PIECE) {
      const bytes = chain.read(offset, PIECE);
      if (bytes === undefined) return 'broken';
      for (const byte of bytes) this.transmit(byte);
    }
    return 0;
  }

  private deliver(chain: Chain): ChainResult {
    const bytes = this.input.subarray(0, chain.writableSize);
    if (bytes.length === 0 || !chain.write(0, bytes)) return 'broken';
    this.input = this.input.slice(bytes.length);
    return bytes.length;
  }
}
