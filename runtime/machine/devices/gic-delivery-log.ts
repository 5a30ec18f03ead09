/**
 * Tells what becomes of interrupts, in the order in which a hypervisor that emulates the GIC would: an assertion is told once it is known whether a list
 * register took it, with what that pushed out after it. Nothing is kept beyond one access, and nothing computed while nobody wants to know.
 */

import type { Delivery, InterruptHooks } from './gic-interrupt-types';

/** An assertion whose outcome is not known yet. */
interface Open { readonly before: number; after: number | undefined; readonly then: (() => void)[] }

/** The entries of one GIC. `word` is the state of an interrupt now. */
export class DeliveryLog {
  private readonly hooks: InterruptHooks;
  private readonly word: (slot: number) => number;
  private queue: (() => void)[] = [];
  private readonly open = new Map<number, Open>();
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
    if (this.isWanted) this.after(() => { this.hooks.deliveries?.tell(delivery); });
  }

  /** The same for a step that begins with `before` and ends now. */
  step(kind: Delivery['kind'], slot: number, before: number, at?: number): void {
    if (this.isWanted) this.tell({ kind, slot, before, after: this.word(slot), ...(at === undefined ? {} : { at }) });
  }

  /** Does something once all that came before has been told. */
  after(action: () => void): void {
    if (this.listing !== undefined) this.listing.then.push(action);
    else if (this.queue.length > 0) this.queue.push(action);
    else action();
  }

  /** An interrupt was asserted: what became of it shows once CPUs have been offered what they can take. */
  assertion(slot: number): void {
    if (!this.isWanted) return;
    const open: Open = { before: this.word(slot), after: undefined, then: [] };
    this.open.set(slot, open);
    this.queue.push(() => {
      this.hooks.deliveries?.tell({ kind: 'deliver', slot, before: open.before, after: open.after ?? this.word(slot) });
      for (const action of open.then) action();
    });
  }

  /** A list register takes an interrupt; its state is `before` and `after` that. What `action` tells comes after it. */
  list(slot: number, cpu: number, [before, after]: readonly [number, number], action: () => void): void {
    const open = this.open.get(slot);
    if (open === undefined) {
      this.tell({ kind: 'list', slot, before, after, at: cpu });
      return action();
    }
    open.after = after;
    this.listing = open;
    action();
    this.listing = undefined;
  }

  /** Tells what waits to be told. */
  settle(): void {
    if (this.queue.length === 0) return;
    const actions = this.queue;
    this.queue = [];
    this.open.clear();
    for (const action of actions) action();
  }
}
