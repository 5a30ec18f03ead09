/** A virtio source of random bytes (device type 4): the bytes follow from a seed. Source: VIRTIO 1.2, 5.4. */

import { Prng } from '../../base/prng';
import type { Chain } from './virtqueue';
import type { ChainResult, VirtioFunction } from './virtio-mmio';

/** Most bytes that one request gets. */
export const ENTROPY_REQUEST_MAX = 16 * 1024;

const QUEUE_SIZE = 64;
const LATENCY_TICKS = 5_000;

/** The function. */
export class VirtioEntropy implements VirtioFunction {
  readonly deviceId = 4;
  readonly features = 0n;
  readonly queueSizes = [QUEUE_SIZE];
  readonly latencyTicks = LATENCY_TICKS;
  private readonly generator: Prng;

  constructor(seed: number) {
    this.generator = new Prng(seed);
  }

  configuration(): Uint8Array {
    return new Uint8Array(0);
  }

  configure(): void {
    // There is no configuration.
  }

  wants(): boolean {
    return true;
  }

  use(_queue: number, chain: Chain): ChainResult {
    if (chain.writableSize === 0) return 'broken';
    const bytes = Uint8Array.from({ length: Math.min(chain.writableSize, ENTROPY_REQUEST_MAX) }, () => this.generator.nextU32() & 0xff);
    return chain.write(0, bytes) ? bytes.length : 'broken';
  }

  start(): void {
    // Requests come with notifications.
  }

  reset(): void {
    // The generator goes on.
  }

  save(): unknown {
    return this.generator.save();
  }

  restore(saved: ReturnType<Prng['save']>): void {
    this.generator.restore(saved);
  }
}
