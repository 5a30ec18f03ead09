/**
 * Hardware interrupts: one object per line of the platform's interrupt controller that may be forwarded to a VM.
 * Shared lines (SPIs) go to any SPI of a VIC; private ones exist per CPU and are forwarded to the same number.
 */

import type { ErrorName } from './errors';
import { ObjectHeader } from './object';
import { VIC_VCPUS_MAX } from './vic';
import type { VicObject } from './vic-object';
import { VirqSource } from './virq-source';

/** A forwarded line (Gunyah API: hwirq). */
export class Hwirq {
  readonly header: ObjectHeader<'hwirq'>;
  /** Number on the platform's interrupt controller. */
  readonly intid: number;
  /** One source for a shared line; for a private one, one per vCPU index of the VIC. */
  readonly sources: readonly VirqSource[];
  level = false;

  constructor(id: number, intid: number) {
    this.header = new ObjectHeader('hwirq', id);
    this.header.state = 'active';
    this.intid = intid;
    this.sources = Array.from({ length: this.isPrivate ? VIC_VCPUS_MAX : 1 }, () => new VirqSource('hwirq', () => this.level));
  }

  /** True for a line that each CPU has its own of (PPI). */
  get isPrivate(): boolean {
    return this.intid < 32;
  }

  /** Gunyah API: hwirq_bind_virq. */
  bind({ vic }: VicObject, virq: number): ErrorName {
    const [first] = this.sources;
    if (!this.isPrivate) return first?.bind(vic, virq) ?? 'FAILURE';
    if (virq < 16 || virq >= 32) return 'ARGUMENT_INVALID';
    if (first?.bound !== undefined) return 'DENIED';
    for (let index = 0; index < vic.maxVcpus; index++) {
      const error = this.sources[index]?.bindPrivate(vic, index, virq) ?? 'FAILURE';
      if (error !== 'OK') {
        this.unbindAll();
        return error;
      }
    }
    return 'OK';
  }

  /** Gunyah API: hwirq_unbind_virq. */
  unbind(): ErrorName {
    if (this.sources.every((source) => source.bound === undefined)) return this.isPrivate ? 'OK' : 'VIRQ_NOT_BOUND';
    this.unbindAll();
    return 'OK';
  }

  /** The device drives its wire. */
  setLevel(level: boolean): void {
    if (level === this.level) return;
    this.level = level;
    if (level) this.assertBound();
    else for (const source of this.sources) source.lowerLevel();
  }

  /** Asserts again if the line is high: for a binding that has just been made. */
  replay(): void {
    if (this.level) this.assertBound();
  }

  private assertBound(): void {
    for (const source of this.sources) source.assertLevel();
  }

  private unbindAll(): void {
    for (const source of this.sources) source.unbind();
  }
}
