/**
 * Tells what becomes of interrupts, in the order in which a hypervisor that emulates the GIC would: an assertion is told once it is known whether a list
 * register took it, with what that pushed out after it. Nothing is kept beyond one access, and nothing computed while nobody wants to know.
 */

import type { Delivery, InterruptHooks } from './gic-interrupt-types';

/** An assertion whose outcome is not known yet, and what comes after it. */
interface Open { readonly slot: number; readonly before: number; after: number | undefined; then: (() => void)[] | undefined }

/** The entries of one GIC. `word` is the state of an interrupt now. */
export class DeliveryLog {
  private readonly hooks: InterruptHooks;
  private readonly word: (slot: number) => number;
  private queue: (Open | (() => void))[] = [];
  private listing: Open | undefined;

  constructor(hooks: InterruptHooks, word: (slot: number) => number) {
    this.hooks = hooks;
    this.word = word;
  }

  /** Whether anybody wants to know. */
  get isWanted(): boolean {
    return this.hooks.deliveries?.wanted() === true;
  }

  /** The state before something, 0 if nobody wants to know. */
  before(slot: number): number {
    return this.isWanted ? this.word(slot) : 0;
  }

  /** Tells of something that has happened. */
  tell(delivery: Delivery): void {
    if (!this.isWanted) return;
    if (this.listing === undefined && this.queue.length === 0) this.hooks.deliveries?.tell(delivery);
    else this.after(() => { this.hooks.deliveries?.tell(delivery); });
  }

  /** The same for a step that begins with `before` and ends now. */
  step(kind: Delivery['kind'], slot: number, before: number, at?: number): void {
    if (this.isWanted) this.tell({ kind, slot, before, after: this.word(slot), ...(at === undefined ? {} : { at }) });
  }

  /** Does something once all that came before has been told. */
  after(action: () => void): void {
    if (this.listing !== undefined) (this.listing.then ??= []).push(action);
    else if (this.queue.length > 0) this.queue.push(action);
    else action();
  }

  /** An interrupt was asserted: what became of it shows once CPUs have been offered what they can take. */
  assertion(slot: number): void {
    if (this.isWanted) this.queue.push({ slot, before: this.word(slot), after: undefined, then: undefined });
  }

  /** A list register takes an interrupt; its state is `before` and `after` that. What is told until `endList` comes after it. */
  beginList(slot: number, cpu: number, before: number, after: number): void {
    for (const entry of this.queue) if (typeof entry !== 'function' && entry.slot === slot) this.listing = entry;
    if (this.listing === undefined) this.tell({ kind: 'list', slot, before, after, at: cpu });
    else this.listing.after = after;
  }

  /** See `beginList`. */
  endList(): void {
    this.listing = undefined;
  }

  /** Tells what waits to be told. */
  settle(): void {
    if (this.queue.length === 0) return;
    const entries = this.queue;
    this.queue = [];
    for (const entry of entries) {
      if (typeof entry === 'function') entry();
      else this.tellOpen(entry);
    }
  }

  private tellOpen({ slot, before, after, then }: Open): void {
    this.hooks.deliveries?.tell({ kind: 'deliver', slot, before, after: after ?? this.word(slot) });
    if (then !== undefined) for (const action of then) action();
  }
}
