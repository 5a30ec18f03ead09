import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ticks } from '../../../runtime/base/brands';
import { Pl031 } from '../../../runtime/machine/devices/pl031';
import { TickEventQueue } from '../../../runtime/machine/event-queue';

const SECOND = 1000;

interface Bench { readonly queue: TickEventQueue; readonly rtc: Pl031; readonly log: string[] }

function bench(startSeconds = 1_700_000_000): Bench {
  const queue = new TickEventQueue();
  const log: string[] = [];
  const rtc = new Pl031({ line: { setLevel: (level) => { log.push(`${level ? 1 : 0}@${queue.now}`); } }, queue, key: 'rtc', ticksPerSecond: SECOND, startSeconds });
  return { queue, rtc, log };
}

function checkRead({ rtc }: Bench, offset: number, value: number): void {
  assert.equal(rtc.read(offset, 4), BigInt(value));
}

describe('the PL031', () => {
  it('counts whole seconds of virtual time from the time given at start', () => {
    const all = bench();
    all.queue.advance(ticks(2999));
    checkRead(all, 0, 1_700_000_002);
    all.queue.advance(ticks(3000));
    checkRead(all, 0, 1_700_000_003);
    checkRead(all, 0xc, 1);
    checkRead(all, 0xfe0, 0x31);
  });

  it('can be set, and interrupts when the match comes', () => {
    const all = bench();
    all.queue.advance(ticks(1500));
    all.rtc.write(0x8, 4, 100n);
    checkRead(all, 0, 100);
    all.rtc.write(0x10, 4, 1n);
    all.rtc.write(0x4, 4, 103n);
    all.queue.advance(ticks(9000));
    assert.deepEqual(all.log, ['1@4000']);
    checkRead(all, 0x14, 1);
    all.rtc.write(0x1c, 4, 1n);
    checkRead(all, 0x18, 0);
    all.queue.advance(ticks(20000));
    assert.deepEqual(all.log, ['1@4000', '0@9000']);
  });

  it('wraps at 32 bits', () => {
    const all = bench(0xffff_ffff);
    all.queue.advance(ticks(SECOND));
    checkRead(all, 0, 0);
  });

  it('never throws, and goes on alike after save and restore', () => {
    const step = fc.record({ write: fc.boolean(), offset: fc.oneof(fc.constantFrom(0, 4, 8, 12, 16, 20, 24, 28), fc.integer({ min: 0, max: 0xfff })), sizeBytes: fc.constantFrom(1, 2, 4, 8), value: fc.bigInt({ min: 0n, max: 20n }), wait: fc.integer({ min: 0, max: 3000 }) });
    type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
    const run = ({ rtc, queue }: Bench, { write, offset, sizeBytes, value, wait }: Step): unknown => {
      queue.advance(ticks(queue.now + wait));
      return write ? rtc.write(offset, sizeBytes, value) : rtc.read(offset, sizeBytes);
    };
    fc.assert(fc.property(fc.array(step, { maxLength: 20 }), fc.array(step, { maxLength: 20 }), (before, after) => {
      const original = bench(5);
      for (const one of before) run(original, one);
      const copy = bench(0);
      copy.queue.restart(original.queue.now);
      const saved = original.rtc.save();
      copy.rtc.restore(saved);
      assert.deepEqual(copy.rtc.save(), saved);
      for (const one of after) assert.deepEqual(run(copy, one), run(original, one));
      assert.deepEqual(copy.rtc.save(), original.rtc.save());
    }), { numRuns: 200 });
  });
});
