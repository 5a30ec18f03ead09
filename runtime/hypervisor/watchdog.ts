/**
 * Watchdogs of virtual machines: a counter that the guest sets back ("pets"), a warning when it gets old (bark) and an end (bite).
 *
 * The reference build has none; a platform setting turns them on. Objects and their calls are the API document's; what a guest does with
 * its watchdog (control, status, pet, times) are the SMC calls of Linux's drivers. While a manager has frozen it the counter stands still.
 */

import { ticks } from '../base/brands';
import type { EventQueue } from '../machine/interface';
import type { ErrorName } from './errors';
import { ObjectHeader } from './object';
import { VirqSource } from './virq-source';

/** Freezes that nest. */
const FREEZE_MAX = 0xffff;
const TICKS_PER_MS = 1_000_000;
/** Times of a new watchdog, in milliseconds. */
const BARK_DEFAULT = 20_000;
const BITE_DEFAULT = 30_000;
/** In a set-time call: keeps the time as it is. */
const NO_CHANGE = 0xffff;
const OPTION_CRITICAL_BITE = 1n;

/** A watchdog (Gunyah API: watchdog). */
export class Watchdog {
  readonly header: ObjectHeader<'watchdog'>;
  readonly barkSource: VirqSource;
  readonly biteSource: VirqSource;
  /** Told when it bites; set by the owner. */
  onBite: (() => void) | undefined;
  /** A bite is the platform's, not only the VM's. */
  isCritical = false;
  private readonly queue: EventQueue;
  private barkMs = BARK_DEFAULT;
  private biteMs = BITE_DEFAULT;
  private enabled = false;
  private freezes = 0;
  /** Counter value when it was last looked at, and when that was. */
  private elapsed = 0;
  private since = 0;
  private barked = false;
  private bitten = false;

  constructor(id: number, queue: EventQueue) {
    this.header = new ObjectHeader('watchdog', id);
    this.queue = queue;
    this.barkSource = new VirqSource('watchdog-bark', () => this.barked);
    this.biteSource = new VirqSource('watchdog-bite', () => this.bitten);
  }

  /** Gunyah API: watchdog_configure. */
  configure(options: bigint): ErrorName {
    if ((options & ~OPTION_CRITICAL_BITE) !== 0n) return 'ARGUMENT_INVALID';
    this.isCritical = (options & OPTION_CRITICAL_BITE) !== 0n;
    return 'OK';
  }

  /** Gunyah API: watchdog_manage: 0 freeze, 1 freeze and reset, 2 unfreeze. */
  manage(operation: number): ErrorName {
    if (operation > 2) return 'ARGUMENT_INVALID';
    const change = operation === 2 ? -1 : 1;
    if (this.freezes + change < 0 || this.freezes + change > FREEZE_MAX) return 'BUSY';
    this.settle();
    this.freezes += change;
    if (operation === 1) this.elapsed = 0;
    this.schedule();
    return 'OK';
  }

  /** Starts or stops it; BUSY and IDLE if it is so already. Starting sets the counter back. */
  control(isEnabled: boolean): ErrorName {
    if (isEnabled === this.enabled) return isEnabled ? 'BUSY' : 'IDLE';
    this.settle();
    this.enabled = isEnabled;
    this.pet();
    return 'OK';
  }

  /** Sets the counter back; a bark that was not heard is over. */
  pet(): void {
    this.settle();
    this.elapsed = 0;
    this.barked = false;
    this.schedule();
  }

  /** Milliseconds to bark and bite; ARGUMENT_INVALID for none at all. */
  setTimes(barkMs: number, biteMs: number): ErrorName {
    if (barkMs === 0 || biteMs === 0) return 'ARGUMENT_INVALID';
    this.settle();
    if (barkMs !== NO_CHANGE) this.barkMs = barkMs;
    if (biteMs !== NO_CHANGE) this.biteMs = biteMs;
    this.schedule();
    return 'OK';
  }

  /** What a status call answers. */
  status(): { readonly isEnabled: boolean; readonly isExpired: boolean; readonly elapsedMs: number } {
    const running = this.isCounting ? this.queue.now - this.since : 0;
    return { isEnabled: this.enabled, isExpired: this.bitten, elapsedMs: Math.floor((this.elapsed + running) / TICKS_PER_MS) };
  }

  /** Object destruction. */
  destroy(): void {
    this.queue.cancel(this.key);
    this.barkSource.unbind();
    this.biteSource.unbind();
  }

  save(): SavedWatchdog {
    const { isCritical, barkMs, biteMs, enabled, freezes, elapsed, since, barked, bitten } = this;
    return { isCritical, barkMs, biteMs, enabled, freezes, elapsed, since, barked, bitten };
  }

  /** Takes a saved state back; the queue's time has been restored. */
  restore(saved: SavedWatchdog): void {
    this.isCritical = saved.isCritical;
    this.barkMs = saved.barkMs;
    this.biteMs = saved.biteMs;
    this.enabled = saved.enabled;
    this.freezes = saved.freezes;
    this.elapsed = saved.elapsed;
    this.since = saved.since;
    this.barked = saved.barked;
    this.bitten = saved.bitten;
    this.schedule();
  }

  private get key(): string {
    return `watchdog/${this.header.id}`;
  }

  private get isCounting(): boolean {
    return this.enabled && this.freezes === 0 && !this.bitten;
  }

  /** Brings the counter up to now. */
  private settle(): void {
    if (this.isCounting) this.elapsed += this.queue.now - this.since;
    this.since = this.queue.now;
  }

  /** Sets the deadline of what comes next. */
  private schedule(): void {
    if (!this.isCounting) return this.queue.cancel(this.key);
    const next = (this.barked ? this.biteMs : Math.min(this.barkMs, this.biteMs)) * TICKS_PER_MS;
    this.queue.schedule(this.key, ticks(this.since + Math.max(0, next - this.elapsed)), () => { this.expire(); });
  }

  private expire(): void {
    this.settle();
    if (this.elapsed >= this.biteMs * TICKS_PER_MS) {
      this.bitten = true;
      this.biteSource.assertLevel();
      this.onBite?.();
    } else if (!this.barked && this.elapsed >= this.barkMs * TICKS_PER_MS) {
      this.barked = true;
      this.barkSource.assertLevel();
    }
    this.schedule();
  }
}

/** Saved form; sources are saved with the VIC. */
export interface SavedWatchdog {
  readonly isCritical: boolean;
  readonly barkMs: number;
  readonly biteMs: number;
  readonly enabled: boolean;
  readonly freezes: number;
  readonly elapsed: number;
  readonly since: number;
  readonly barked: boolean;
  readonly bitten: boolean;
}
