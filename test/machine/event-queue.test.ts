import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ticks } from '../../runtime/base/brands';
import { TickEventQueue } from '../../runtime/machine/event-queue';

/** Schedules in the given order, advances once, and returns what fired when. */
function checkOrder(deadlines: readonly (readonly [key: string, at: number])[], to: number): string[] {
  const queue = new TickEventQueue();
  const fired: string[] = [];
  for (const [key, at] of deadlines) queue.schedule(key, ticks(at), () => { fired.push(`${key}@${queue.now}`); });
  queue.advance(ticks(to));
  assert.equal(queue.now, to);
  return fired;
}

describe('the event queue', () => {
  it('fires by tick and then by key, at the time of the deadline', () => {
    assert.deepEqual(checkOrder([['b', 5], ['a', 5], ['c', 3], ['d', 11]], 10), ['c@3', 'a@5', 'b@5']);
  });

  it('fires in the same order whatever the order of registration', () => {
    const entry = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.integer({ min: 0, max: 4 }));
    fc.assert(fc.property(fc.uniqueArray(entry, { selector: ([key]) => key }).chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
      ([list, shuffled]) => { assert.deepEqual(checkOrder(shuffled, 9), checkOrder(list, 9)); }), { numRuns: 100 });
  });

  it('moves a deadline that is scheduled again, and forgets a cancelled one', () => {
    const queue = new TickEventQueue();
    let fired = 0;
    queue.schedule('a', ticks(5), () => { fired++; });
    queue.schedule('a', ticks(8), () => { fired += 10; });
    queue.schedule('b', ticks(6), () => { fired += 100; });
    queue.cancel('b');
    assert.equal(queue.nextDeadline(), 8);
    queue.advance(ticks(7));
    assert.equal(fired, 0);
    queue.advance(ticks(8));
    assert.equal(fired, 10);
    assert.equal(queue.nextDeadline(), undefined);
  });

  it('fires a past deadline at the next advance without turning time back', () => {
    const queue = new TickEventQueue(ticks(100));
    let at = 0;
    queue.schedule('late', ticks(50), () => { at = queue.now; });
    queue.advance(ticks(100));
    assert.equal(at, 100);
  });

  it('fires what a callback schedules inside the same interval', () => {
    const queue = new TickEventQueue();
    const fired: number[] = [];
    const tick = (): void => { fired.push(queue.now); queue.schedule('tick', ticks(queue.now + 10), tick); };
    queue.schedule('tick', ticks(10), tick);
    queue.advance(ticks(35));
    assert.deepEqual(fired, [10, 20, 30]);
    assert.deepEqual(queue.pending(), [{ key: 'tick', at: 40 }]);
  });

  it('can let time pass and fire what became due later', () => {
    const queue = new TickEventQueue();
    const fired: string[] = [];
    queue.schedule('a', ticks(5), () => { fired.push(`a@${queue.now}`); });
    queue.elapse(ticks(7));
    assert.deepEqual([queue.now, fired.length], [7, 0]);
    queue.advance(ticks(7));
    assert.deepEqual(fired, ['a@7']);
  });

  it('refuses an owner that reschedules itself without end', () => {
    const queue = new TickEventQueue();
    const again = (): void => { queue.schedule('again', queue.now, again); };
    again();
    assert.throws(() => { queue.advance(ticks(1)); }, /again is rescheduled without end/);
  });

  it('is empty after a restart', () => {
    const queue = new TickEventQueue();
    queue.schedule('a', ticks(5), () => { assert.fail('forgotten'); });
    queue.restart(ticks(3));
    queue.advance(ticks(9));
    assert.equal(queue.now, 9);
  });
});
