/** Faults in whole systems: the other VMs live on, everything that a VM took comes back, and the run can be gone back in. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../runtime/base/prng';
import { SWEEP_NAMES } from './fault-points';
import { complaint, faultySubject, randomFault, runWith } from './faults';
import { FullQueues } from './full-queues';
import { describeFault, sample, Sweeper } from './sweep';

const FIRST_SEED = 1;
const RUNS = 4;
const BACK_EVERY = 4;
/** Points of each kind: about a minute altogether. `npm run simulate -- faults --sweep all` has every one. */
const POINTS = 11;
/** Faults that find what they hurt: some points have no capability left, no room in the queue, or too short a message. */
const FIRED_MIN = 0.5;

/** Sends of a ring of VMs, counted from where it goes round. */
const FULL_AT = [0, 7, 60];

test('a window of trouble in the life of one VM leaves the others and all resources as they were', async () => {
  const subject = await faultySubject();
  const whole = runWith(subject, undefined, { goesBack: false });
  assert.ok(whole.isEnded);
  let fired = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
    const fault = randomFault(new Prng(seed), whole.occasions);
    const remains = runWith(subject, fault, { goesBack: seed % BACK_EVERY === 0 });
    fired += remains.fired > 0 ? 1 : 0;
    assert.equal(complaint(whole, remains, fault), undefined, `seed ${String(seed)}: ${JSON.stringify(fault)}`);
  }
  assert.ok(fired >= RUNS / 2, `${String(fired)} of ${String(RUNS)} faults happened`);
});

test('a VM killed at any call, a message damaged at any byte, a full queue and short memory at any point leave the others and all resources as they were', async () => {
  const sweeper = new Sweeper(await faultySubject());
  const fired = new Map<string, number>();
  for (const outcome of sweeper.run(SWEEP_NAMES.flatMap((name) => sample(sweeper.faultsOf(name), POINTS)))) {
    assert.equal(outcome.complaint, undefined, `again: ${describeFault(outcome.fault)}`);
    fired.set(outcome.fault.sweep, (fired.get(outcome.fault.sweep) ?? 0) + (outcome.hasFired ? 1 : 0));
  }
  for (const name of SWEEP_NAMES) assert.ok((fired.get(name) ?? 0) >= POINTS * FIRED_MIN, `${name}: ${String(fired.get(name))} of ${String(POINTS)} faults happened`);
});

test('a queue between two VMs that is filled by somebody else loses nothing and holds nobody up', async () => {
  const ring = await FullQueues.make();
  for (const point of FULL_AT) assert.equal(ring.fault(point), undefined, `again: npm run simulate -- full-queues --at ${String(point)}`);
});
