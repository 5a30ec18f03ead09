/** Faults in whole systems: the other VMs live on, everything that a VM took comes back, and the run can be gone back in. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../runtime/base/prng';
import { complaint, faultySubject, randomFault, runWith } from './faults';

const FIRST_SEED = 1;
const RUNS = 6;
const BACK_EVERY = 4;

test('a fault in the life of one VM leaves the others and all resources as they were', async () => {
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
  assert.ok(fired > RUNS / 2, `${String(fired)} of ${String(RUNS)} faults happened`);
});
