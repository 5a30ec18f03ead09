import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ticks, type Ticks } from '../../runtime/base/brands';
import { Prng } from '../../runtime/base/prng';
import type { TimelineSubject } from '../../runtime/system/subject';
import { Timeline } from '../../runtime/timeline/timeline';

/** A tiny deterministic machine: each tick writes a few bytes derived from its own state. */
class ToySystem implements TimelineSubject {
  now: Ticks = ticks(0);
  private state = 1;
  private readonly pages = Array.from({ length: 32 }, () => new Uint8Array(4096));
  private dirty = new Set<number>();
  private readonly pokes = new Set<number>();

  run(until: number, timeline: Timeline): void {
    while (this.now < until) {
      if (this.pokes.has(this.now)) this.state ^= 0x55aa;
      this.state = (Math.imul(this.state, 1103515245) + 12345) >>> 0;
      const index = (this.state >>> 8) % 32;
      const page = this.pages[index];
      if (page !== undefined) page[(this.state >>> 16) % 4096] = this.state & 255;
      this.dirty.add(index);
      this.now = ticks(this.now + 1);
      timeline.observe();
    }
  }

  /** An input that takes effect with the next tick, kept in a journal as the real system does. */
  poke(): void {
    this.pokes.add(this.now);
  }

  get effort(): number {
    return this.now;
  }

  image(): string {
    return `${this.now} ${this.state} ${createHash('sha1').update(Buffer.concat(this.pages)).digest('hex')}`;
  }

  save(): unknown {
    return { now: this.now, state: this.state };
  }

  restore(saved: unknown): void {
    const { now, state } = saved as { now: Ticks; state: number };
    this.now = now;
    this.state = state;
  }

  collectDirtyPages(): Uint32Array {
    const list = Uint32Array.from([...this.dirty].sort((a, b) => a - b));
    this.dirty = new Set();
    return list;
  }

  readPage(index: number): Uint8Array {
    return (this.pages[index] ?? new Uint8Array()).slice();
  }

  restorePage(index: number, bytes: Uint8Array): void {
    this.pages[index]?.set(bytes);
  }

  memoryRestored(): void {
    return;
  }

  truncateFuture(): void {
    for (const time of [...this.pokes]) if (time >= this.now) this.pokes.delete(time);
  }
}

function checkRandomWalk(seed: number, options: { intervalEffort: number; budgetBytes: number; checkpointCountMax: number }): void {
  const random = new Prng(seed);
  const system = new ToySystem();
  const timeline = new Timeline(system, options);
  const images = new Map<number, string>([[0, system.image()]]);
  for (let step = 0; step < 200; step++) {
    const target = random.below(timeline.end + 120);
    timeline.approach(ticks(target));
    system.run(target, timeline);
    const known = images.get(target);
    if (known === undefined) images.set(target, system.image());
    else assert.equal(system.image(), known, `seed ${seed}: time ${target} differs`);
    if (random.below(20) === 0) {
      timeline.branch();
      system.poke();
      for (const time of [...images.keys()]) if (time >= system.now) images.delete(time);
      timeline.mark();
    }
  }
}

test('every time reached twice holds the same state, with many checkpoints', () => {
  for (let seed = 1; seed <= 10; seed++) checkRandomWalk(seed, { intervalEffort: 7, budgetBytes: 1 << 30, checkpointCountMax: 10_000 });
});

test('thinning out checkpoints loses no time', () => {
  for (let seed = 1; seed <= 10; seed++) checkRandomWalk(seed, { intervalEffort: 5, budgetBytes: 64 * 4096, checkpointCountMax: 12 });
});

test('the number of checkpoints stays under its limit and the newest are the densest', () => {
  const system = new ToySystem();
  const timeline = new Timeline(system, { intervalEffort: 5, budgetBytes: 1 << 30, checkpointCountMax: 20 });
  system.run(5000, timeline);
  const times = timeline.list().map(({ tick }) => tick);
  assert.ok(times.length <= 20);
  assert.equal(times[0], 0);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  assert.ok((gaps[gaps.length - 1] ?? 0) < (gaps[1] ?? 0), `gaps ${gaps.join(' ')}`);
});
