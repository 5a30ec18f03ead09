/** What history needs of a system: its state in pieces that can be kept, compared and put back. */

import type { Ticks } from '../base/brands';

export { PAGE_SIZE } from '../engine/interface';

/** What the timeline needs of a system. */
export interface TimelineSubject {
  readonly now: Ticks;
  /** How much work running has been, in instructions' worth; grows with every run, repeated or not. Waiting is no work. */
  readonly effort: number;
  /** All state but RAM, as plain data that nobody changes afterwards. */
  save(): unknown;
  restore(saved: unknown): void;
  /** Pages written since the last call; clears the marks. */
  collectDirtyPages(): Uint32Array;
  readPage(index: number): Uint8Array;
  restorePage(index: number, bytes: Uint8Array): void;
  /** Called after pages were restored. */
  memoryRestored(): void;
  /** Forget outputs and inputs after now: history branches. */
  truncateFuture(): void;
}
