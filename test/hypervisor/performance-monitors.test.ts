import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ticks } from '../../runtime/base/brands';
import { PerformanceMonitors } from '../../runtime/hypervisor/performance-monitors';
import { TickEventQueue } from '../../runtime/machine/event-queue';

const ALL_ON = 0x8000_003fn;

/** Monitors with a vCPU whose retired instructions the test sets. */
class Bench {
  readonly queue = new TickEventQueue();
  readonly retired = [0, 0];
  level = false;
  readonly monitors: PerformanceMonitors;

  constructor(version = 6, hasEl3 = false) {
    this.monitors = new PerformanceMonitors({
      control: 0x4101_3000n, version, hasEl3, queue: this.queue, key: 'monitors', el: () => 1,
      retiredAt: (el) => this.retired[el] ?? 0, setLevel: (level) => { this.level = level; },
    });
  }

  /** Retires instructions at a level, one a tick. */
  work(el: 0 | 1, count: number): void {
    this.retired[el] = (this.retired[el] ?? 0) + count;
    this.queue.advance(ticks(this.queue.now + count));
  }

  write(values: Readonly<Record<string, bigint>>): void {
    for (const [name, value] of Object.entries(values)) assert.ok(this.monitors.write(name, value), name);
  }

  read(name: string): bigint {
    return this.monitors.read(name) ?? assert.fail(`${name} does not exist`);
  }
}

test('instructions and cycles count while enabled, by exception level', () => {
  const bench = new Bench();
  bench.write({ PMEVTYPER0_EL0: 0x08n, PMEVTYPER1_EL0: 0x8000_0008n, PMEVTYPER2_EL0: 0x4000_0011n, PMCNTENSET_EL0: ALL_ON });
  bench.work(0, 10);
  assert.equal(bench.read('PMCCNTR_EL0'), 0n);
  bench.write({ PMCR_EL0: 1n });
  bench.work(0, 100);
  bench.work(1, 1000);
  assert.deepEqual(['PMEVCNTR0_EL0', 'PMEVCNTR1_EL0', 'PMEVCNTR2_EL0', 'PMCCNTR_EL0'].map((name) => bench.read(name)), [1100n, 100n, 1000n, 1100n]);
  bench.write({ PMCNTENCLR_EL0: 1n });
  bench.work(1, 5);
  assert.deepEqual([bench.read('PMEVCNTR0_EL0'), bench.read('PMCCNTR_EL0')], [1100n, 1105n]);
});

test('with EL3, a filter of the Non-secure state is taken relative to the general one', () => {
  const bench = new Bench(4, true);
  bench.write({ PMEVTYPER0_EL0: 0xa000_0008n, PMEVTYPER1_EL0: 0x2000_0008n, PMCNTENSET_EL0: ALL_ON, PMCR_EL0: 1n });
  bench.work(1, 7);
  assert.deepEqual([bench.read('PMEVCNTR0_EL0'), bench.read('PMEVCNTR1_EL0')], [7n, 0n]);
});

test('an odd counter counts the overflows of the one before', () => {
  const bench = new Bench(4);
  bench.write({ PMEVTYPER2_EL0: 0x08n, PMEVTYPER3_EL0: 0x1en, PMEVCNTR2_EL0: 0xffff_fffen, PMCNTENSET_EL0: ALL_ON, PMCR_EL0: 1n });
  bench.work(1, 5);
  assert.deepEqual([bench.read('PMEVCNTR2_EL0'), bench.read('PMEVCNTR3_EL0'), bench.read('PMOVSSET_EL0')], [3n, 1n, 4n]);
});

test('the cycle counter divides by 64 when asked, and remembers the rest', () => {
  const bench = new Bench();
  bench.write({ PMCNTENSET_EL0: ALL_ON, PMCR_EL0: 9n });
  bench.work(1, 100);
  assert.equal(bench.read('PMCCNTR_EL0'), 1n);
  bench.work(1, 28);
  assert.equal(bench.read('PMCCNTR_EL0'), 2n);
});

test('an overflow raises the interrupt without anybody looking, and clearing the flag lowers it', () => {
  const bench = new Bench();
  bench.write({ PMEVTYPER0_EL0: 0x08n, PMEVCNTR0_EL0: 0xffff_0000n, PMCNTENSET_EL0: 1n, PMINTENSET_EL1: 1n, PMCR_EL0: 1n });
  bench.work(1, 0xffff);
  assert.equal(bench.level, false);
  bench.work(1, 300);
  assert.equal(bench.level, true);
  bench.write({ PMOVSCLR_EL0: 1n });
  assert.equal(bench.level, false);
});

test('a vCPU that stands still sets no deadline for ever, and is looked at again when it is back', () => {
  const bench = new Bench();
  bench.write({ PMEVTYPER0_EL0: 0x08n, PMEVCNTR0_EL0: 0xffff_ff00n, PMCNTENSET_EL0: 1n, PMINTENSET_EL1: 1n, PMCR_EL0: 1n });
  for (let n = 0; n < 4; n++) bench.queue.advance(ticks(bench.queue.now + 100_000));
  assert.equal(bench.queue.nextDeadline(), undefined);
  bench.monitors.wake();
  bench.work(1, 1000);
  assert.equal(bench.level, true);
});

test('what is saved goes on as if nothing had happened', () => {
  const first = new Bench();
  first.write({ PMEVTYPER0_EL0: 0x08n, PMEVCNTR0_EL0: 0xffff_f000n, PMCNTENSET_EL0: ALL_ON, PMINTENSET_EL1: 1n, PMCR_EL0: 1n });
  first.work(0, 1000);
  const saved = first.monitors.save();
  const second = new Bench();
  second.retired[0] = 1000;
  second.queue.restart(first.queue.now);
  second.monitors.restore(saved);
  assert.deepEqual(second.monitors.save(), saved);
  for (const bench of [first, second]) bench.work(1, 4000);
  assert.deepEqual(second.monitors.save(), first.monitors.save());
  assert.ok(second.level);
});
