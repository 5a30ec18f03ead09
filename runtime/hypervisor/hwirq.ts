/**
 * Hardware interrupts: one object per line of the platform's interrupt controller that may be forwarded to a VM.
 * Shared lines (SPIs) go to any SPI of a VIC; private ones exist per CPU and are forwarded to the same number.
 */

import type { ErrorName } from './errors';
import { ObjectHeader } from './object';
import type { VicObject } from './vic-object';
import { VirqSource } from './virq-source';

/** A forwarded line (Gunyah API: hwirq). */
export class Hwirq {
  readonly header: ObjectHeader<'hwirq'>;
  /** Number on the platform's interrupt controller. */
  readonly intid: number;
  readonly source: VirqSource;
  level = false;

  constructor(id: number, intid: number) {
    this.header = new ObjectHeader('hwirq', id);
    this.header.state = 'active';
    this.intid = intid;
    this.source = new VirqSource('hwirq', () => this.level);
  }

  /** Gunyah API: hwirq_bind_virq, for shared lines. */
  bind(vic: VicObject, virq: number): ErrorName {
    if (this.intid < 32) return 'ARGUMENT_INVALID';
    const error = this.source.bind(vic.vic, virq);
    if (error === 'OK' && this.level) this.source.assertLevel();
    return error;
  }

  /** Gunyah API: hwirq_unbind_virq. */
  unbind(): ErrorName {
    if (this.source.bound === undefined) return 'VIRQ_NOT_BOUND';
    this.source.unbind();
    return 'OK';
  }

  /** The device drives its wire. Falling levels are noticed lazily, as with any source. */
  setLevel(level: boolean): void {
    const rises = level && !this.level;
    this.level = level;
    if (rises) this.source.assertLevel();
  }
}
