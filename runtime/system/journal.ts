/**
 * Everything that came from outside, stamped with the time it took effect. A description, a seed and a journal
 * determine a run completely.
 */

import type { Ticks } from '../base/brands';
import type { FilterRange } from '../hypervisor/service-registers';

/** One input. */
export type JournalEntry = { readonly tick: Ticks } & (
  | { readonly kind: 'console-input'; readonly vm: number; readonly bytes: Uint8Array }
  | { readonly kind: 'write-memory'; readonly address: bigint; readonly bytes: Uint8Array }
  | { readonly kind: 'set-service'; readonly vmid: number; readonly register: bigint; readonly value: bigint }
  | { readonly kind: 'add-filter'; readonly vmid: number; readonly range: FilterRange }
  | { readonly kind: 'write-register'; readonly vcpu: number; readonly register: string; readonly value: bigint }
);

/** Inputs in order of time. Entries at the same tick keep their order. */
export class Journal {
  private entries: JournalEntry[] = [];
  /** Index of the first entry not yet applied at the current position. */
  private cursor = 0;

  /** Adds an input that takes effect now; everything later is forgotten (a new branch). */
  append(entry: JournalEntry): void {
    this.entries.length = this.cursor;
    this.entries.push(entry);
    this.cursor++;
  }

  /** Tick of the next entry still to apply, or `undefined`. */
  nextTick(): Ticks | undefined {
    return this.entries[this.cursor]?.tick;
  }

  /** Takes the next entry if it is due at or before `tick`. */
  take(tick: Ticks): JournalEntry | undefined {
    const entry = this.entries[this.cursor];
    if (entry === undefined || entry.tick > tick) return undefined;
    this.cursor++;
    return entry;
  }

  /** Forgets everything ahead. */
  truncate(): void {
    this.entries.length = this.cursor;
  }

  /** How many entries were applied up to now; goes into checkpoints. */
  get position(): number {
    return this.cursor;
  }

  /** Moves to a position saved in a checkpoint. */
  seek(position: number): void {
    this.cursor = position;
  }

  /** All entries, for export. */
  all(): readonly JournalEntry[] {
    return this.entries;
  }
}

type WithoutTick<E> = E extends unknown ? Omit<E, 'tick'> : never;
/** A choice of hypercall services. */
export type ServiceChoice = WithoutTick<Extract<JournalEntry, { readonly kind: 'set-service' | 'add-filter' }>>;
