import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ticks } from '../../runtime/base/brands';
import { TickEventQueue } from '../../runtime/machine/event-queue';
import { GenericTimer, TIMER_REGISTERS, isTimerRegister } from '../../runtime/machine/generic-timer';
import type { TimerRegister } from '../../runtime/machine/generic-timer';

interface Bench { readonly queue: TickEventQueue; readonly timer: GenericTimer; readonly log: string[] }

function bench(counterShift = 4): Bench {
  const queue = new TickEventQueue();
  const log: string[] = [];
  const line = (name: string): { setLevel(level: boolean): void } => ({ setLevel: (level) => { log.push(`${name}=${level ? 1 : 0}@${queue.now}`); } });
  const timer = new GenericTimer({ queue, key: 'cpu0', counterShift, lines: { virtual: line('v'), physical: line('p') } });
  return { queue, timer, log };
}

/** Runs `at TICK`, `REG = VALUE` and `REG ? VALUE` steps and returns the log of the outputs. */
function check(script: string): string[] {
  const { queue, timer, log } = bench();
  for (const line of script.split('\n').map((text) => text.trim()).filter((text) => text !== '')) {
    const [name = '', verb = '', value = ''] = line.split(/\s+/);
    if (name === 'at') queue.advance(ticks(Number(verb)));
    else if (!isTimerRegister(name)) assert.fail(line);
    else if (verb === '=') timer.write(name, BigInt(value));
    else assert.equal(timer.read(name), BigInt(value), line);
  }
  return log;
}

describe('the generic timer', () => {
  it('raises its output at the exact tick of the compare value', () => {
    assert.deepEqual(check(`
      CNTV_CVAL_EL0 = 10
      CNTV_CTL_EL0 = 1
      at 159
      CNTV_CTL_EL0 ? 1
      at 160
      CNTV_CTL_EL0 ? 5
      at 500`), ['v=1@160']);
  });

  it('lowers its output when the compare value moves on, and raises it again', () => {
    assert.deepEqual(check(`
      CNTP_TVAL_EL0 = 4
      CNTP_CTL_EL0 = 1
      at 100
      CNTP_TVAL_EL0 = 10
      at 1000`), ['p=1@64', 'p=0@100', 'p=1@256']);
  });

  it('keeps the condition visible while masked', () => {
    assert.deepEqual(check(`
      CNTV_CTL_EL0 = 3
      CNTV_CVAL_EL0 = 2
      at 40
      CNTV_CTL_EL0 ? 7
      CNTV_CTL_EL0 = 1
      CNTV_CTL_EL0 = 3
      CNTV_CTL_EL0 = 0
      CNTV_CTL_EL0 ? 0`), ['v=1@40', 'v=0@40']);
  });

  it('treats TVAL as a signed 32-bit distance', () => {
    assert.deepEqual(check(`
      at 1600
      CNTV_TVAL_EL0 = 0xffffffff
      CNTV_CVAL_EL0 ? 99
      CNTV_TVAL_EL0 ? 0xffffffff
      CNTV_TVAL_EL0 = 0x7fffffff
      CNTV_CVAL_EL0 ? 0x80000063
      CNTV_CTL_EL0 = 1
      CNTV_TVAL_EL0 = 0xffffffff`), ['v=1@1600']);
  });

  it('compares unsigned: a negative distance at time zero lies in the far future', () => {
    assert.deepEqual(check(`
      CNTV_TVAL_EL0 = 0xffffffff
      CNTV_CVAL_EL0 ? 0xffffffffffffffff
      CNTV_CTL_EL0 = 1
      at 1000000`), []);
  });

  it('never needs a deadline beyond exact numbers', () => {
    const { queue, timer } = bench();
    timer.write('CNTV_CVAL_EL0', (1n << 62n));
    timer.write('CNTV_CTL_EL0', 1n);
    assert.equal(queue.nextDeadline(), undefined);
  });

  it('behaves the same from a restored state on, whatever was done before', () => {
    const names = Object.keys(TIMER_REGISTERS).filter(isTimerRegister);
    const step = fc.record({ name: fc.constantFrom(...names), value: fc.oneof(fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })), wait: fc.integer({ min: 0, max: 900 }) });
    const run = (all: Bench, steps: readonly { name: TimerRegister; value: bigint; wait: number }[]): bigint[] => steps.map(({ name, value, wait }) => {
      all.timer.write(name, value);
      all.queue.advance(ticks(all.queue.now + wait));
      return all.timer.read(name);
    });
    fc.assert(fc.property(fc.array(step, { maxLength: 12 }), fc.array(step, { maxLength: 12 }), (before, after) => {
      const original = bench();
      run(original, before);
      const saved = original.timer.save();
      const copy = bench();
      copy.queue.restart(original.queue.now);
      copy.timer.restore(saved);
      assert.deepEqual(copy.timer.save(), saved);
      assert.equal(copy.queue.nextDeadline(), original.queue.nextDeadline());
      original.log.length = 0;
      assert.deepEqual(run(copy, after), run(original, after));
      assert.deepEqual(copy.log, original.log);
    }), { numRuns: 300 });
  });
});
