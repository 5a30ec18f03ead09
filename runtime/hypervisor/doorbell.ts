/** Doorbells: 64 flags that one VM sets and another takes, with an interrupt when an enabled flag is set. */

import { ObjectHeader } from './object';
import { VirqSource } from './virq-source';

const ALL_FLAGS = 0xffff_ffff_ffff_ffffn;

/** A doorbell (Gunyah API: doorbell). */
export class Doorbell {
  readonly header: ObjectHeader<'doorbell'>;
  readonly source: VirqSource;
  flags = 0n;
  enableMask = ALL_FLAGS;
  ackMask = 0n;

  constructor(id: number) {
    this.header = new ObjectHeader('doorbell', id);
    this.source = new VirqSource('doorbell', (isReasserted) => isReasserted || this.isPending);
  }

  /** True while an enabled flag is set. */
  get isPending(): boolean {
    return (this.flags & this.enableMask) !== 0n;
  }

  /** Gunyah API: doorbell_send. Returns the flags from before. */
  send(newFlags: bigint): bigint {
    const old = this.flags;
    this.flags |= newFlags;
    if (this.isPending) {
      this.source.assertLevel();
      this.flags &= ~this.ackMask;
    } else {
      this.source.assertEdge();
    }
    return old;
  }

  /** Gunyah API: doorbell_receive. Returns all flags from before; the interrupt drops lazily. */
  receive(clearFlags: bigint): bigint {
    const old = this.flags;
    this.flags &= ~clearFlags;
    return old;
  }

  /** Gunyah API: doorbell_reset. */
  reset(): void {
    this.source.clear();
    this.flags = 0n;
    this.enableMask = ALL_FLAGS;
    this.ackMask = 0n;
  }

  /** Gunyah API: doorbell_mask. */
  mask(enableMask: bigint, ackMask: bigint): void {
    const wasPending = this.isPending;
    this.enableMask = enableMask;
    this.ackMask = ackMask;
    if (!this.isPending) {
      if (wasPending) this.source.clear();
      return;
    }
    if (!wasPending) this.source.assertLevel();
    this.flags &= ~ackMask;
  }

  save(): SavedDoorbell {
    return { flags: this.flags, enableMask: this.enableMask, ackMask: this.ackMask };
  }

  restore(saved: SavedDoorbell): void {
    this.flags = saved.flags;
    this.enableMask = saved.enableMask;
    this.ackMask = saved.ackMask;
  }
}

/** Saved form of a doorbell; its binding is saved with the VIC. */
export interface SavedDoorbell { readonly flags: bigint; readonly enableMask: bigint; readonly ackMask: bigint }
