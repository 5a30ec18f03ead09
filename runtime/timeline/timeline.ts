/**
 * History of a running system: checkpoints with page-level copy-on-write, so that any earlier time can be reached by restoring
 * the nearest checkpoint before it and running forward. It decides when to take checkpoints and which to thin out; it does not run
 * the system. Described in docs/determinism.md.
 *
 * Memory now = memory at `checkpoints[base]` + pages that are dirty. That invariant lets a restore touch only pages that differ.
 */

import { assert, present } from '../base/assert';
import type { Ticks } from '../base/brands';
import type { TimelineSubject } from '../system/subject';
import { PageStore } from './page-store';

/** How much history to keep. */
export interface TimelineOptions {
  /** Effort between checkpoints at the front of history: what running from one to a place before the next costs at most. */
  readonly intervalEffort: number;
  /** Bytes of page versions after which old checkpoints are thinned out. */
  readonly budgetBytes: number;
  /** Most checkpoints at any time. */
  readonly checkpointCountMax: number;
}

/** Defaults: a checkpoint about every 20 ms of running, 96 MiB of changed pages at most. */
export const TIMELINE_DEFAULTS: TimelineOptions = { intervalEffort: 16_000_000, budgetBytes: 96 * 1024 * 1024, checkpointCountMax: 400 };

interface Checkpoint {
  readonly tick: Ticks;
  readonly saved: unknown;
  /** Pages that changed since the checkpoint before. */
  readonly pages: Set<number>;
}

/** Checkpoints of one system on one branch of history. */
export class Timeline {
  private readonly subject: TimelineSubject;
  private readonly options: TimelineOptions;
  private readonly store = new PageStore();
  private checkpoints: Checkpoint[] = [];
  private base = 0;
  private front: Ticks;
  private effortAtLast = 0;

  /** Takes the first checkpoint at once: history begins here. */
  constructor(subject: TimelineSubject, options: TimelineOptions = TIMELINE_DEFAULTS) {
    this.subject = subject;
    this.options = options;
    this.front = subject.now;
    this.take();
  }

  /** Earliest time that can be reached. */
  get start(): Ticks {
    return present(this.checkpoints[0], 'a timeline has a first checkpoint').tick;
  }

  /** Latest time known on this branch. */
  get end(): Ticks {
    return this.front > this.subject.now ? this.front : this.subject.now;
  }

  /** True while the system is before the end: what runs now has been run before. */
  get replaying(): boolean {
    return this.subject.now < this.front;
  }

  /** Bytes of memory that history takes. */
  get sizeBytes(): number {
    return this.store.sizeBytes;
  }

  /** Times of all checkpoints, with the bytes of pages that each added. */
  list(): { tick: Ticks; sizeBytes: number }[] {
    return this.checkpoints.map(({ tick, pages }) => ({ tick, sizeBytes: pages.size * 4096 }));
  }

  /** To be called between slices: notes how far history goes and takes a checkpoint when one is due. */
  observe(): void {
    const { now, effort } = this.subject;
    if (now > this.front) this.front = now;
    if (now > this.last().tick && effort - this.effortAtLast >= this.options.intervalEffort) this.take();
  }

  /** Takes a checkpoint now, wherever that is; at a time that has one already, does nothing. */
  mark(): void {
    const { now } = this.subject;
    if (now > this.last().tick) this.take();
  }

  /** Time of the last checkpoint at or before `tick`, or the first one. */
  checkpointBefore(tick: Ticks): Ticks {
    return present(this.checkpoints[this.indexBefore(tick)], 'index in range').tick;
  }

  /** Goes to a state at or before `tick` from which running forward is quickest: now, or a checkpoint. */
  approach(tick: Ticks): void {
    const index = this.indexBefore(tick);
    const { now } = this.subject;
    if (tick < now || present(this.checkpoints[index], 'index in range').tick > now) this.restoreCheckpoint(index);
  }

  /** History branches here: whatever was known after now is forgotten. */
  branch(): void {
    const { now } = this.subject;
    const kept = this.checkpoints.filter((checkpoint) => checkpoint.tick <= now);
    const lastKept = present(kept[kept.length - 1], 'the first checkpoint is never in the future').tick;
    for (const dropped of this.checkpoints.slice(kept.length)) {
      for (const page of dropped.pages) this.store.drop(page, lastKept, Number.MAX_SAFE_INTEGER);
    }
    assert(this.base < kept.length, 'memory derives from a checkpoint at or before now');
    this.checkpoints = kept;
    this.front = now;
    this.subject.truncateFuture();
  }

  /** Every page that ever held something. */
  touchedPages(): number[] {
    return this.store.pages();
  }

  private indexBefore(tick: Ticks): number {
    let index = this.checkpoints.length - 1;
    while (index > 0 && present(this.checkpoints[index], 'index in range').tick > tick) index--;
    return index;
  }

  private last(): Checkpoint {
    return present(this.checkpoints[this.checkpoints.length - 1], 'a timeline has a first checkpoint');
  }

  private take(): void {
    const tick = this.subject.now;
    const pages = new Set<number>();
    for (const page of this.subject.collectDirtyPages()) {
      if (this.store.add(page, tick, this.subject.readPage(page))) pages.add(page);
    }
    this.checkpoints.push({ tick, saved: this.subject.save(), pages });
    this.base = this.checkpoints.length - 1;
    this.effortAtLast = this.subject.effort;
    if (tick > this.front) this.front = tick;
    this.thin();
  }

  private restoreCheckpoint(index: number): void {
    const checkpoint = present(this.checkpoints[index], 'index in range');
    const differing = new Set<number>(this.subject.collectDirtyPages());
    const [low, high] = index < this.base ? [index, this.base] : [this.base, index];
    for (const { pages } of this.checkpoints.slice(low + 1, high + 1)) {
      for (const page of pages) differing.add(page);
    }
    for (const page of differing) this.subject.restorePage(page, this.store.at(page, checkpoint.tick));
    this.base = index;
    this.subject.restore(checkpoint.saved);
    this.subject.memoryRestored();
  }

  /** Removes checkpoints while there are too many, where the loss in density is smallest for its age. */
  private thin(): void {
    while (this.checkpoints.length > 3 && (this.checkpoints.length > this.options.checkpointCountMax || this.store.sizeBytes > this.options.budgetBytes)) {
      this.remove(this.leastUseful());
    }
  }

  private leastUseful(): number {
    const now = this.last().tick;
    let best = 1;
    let bestCost = Number.POSITIVE_INFINITY;
    for (let i = 1; i < this.checkpoints.length - 1; i++) {
      const [before, here, after] = [this.checkpoints[i - 1], this.checkpoints[i], this.checkpoints[i + 1]].map((c) => c?.tick ?? 0);
      const cost = ((after ?? 0) - (before ?? 0)) / (now - (here ?? 0) + 1);
      if (cost < bestCost && i !== this.base) {
        best = i;
        bestCost = cost;
      }
    }
    return best;
  }

  private remove(index: number): void {
    const removed = present(this.checkpoints[index], 'index in range');
    const before = present(this.checkpoints[index - 1], 'the first checkpoint is never removed');
    const after = present(this.checkpoints[index + 1], 'the last checkpoint is never removed');
    for (const page of removed.pages) {
      if (after.pages.has(page)) this.store.drop(page, before.tick, removed.tick);
      else after.pages.add(page);
    }
    this.checkpoints.splice(index, 1);
    if (this.base > index) this.base--;
  }
}
