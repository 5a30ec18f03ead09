/** VMs that attack the hypervisor and the Resource Manager from inside: nothing of ours fails. The long version: `npm run simulate -- hostile`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attack } from './hostile';

const INSTRUCTIONS = 60_000_000;
const FIRST_SEED = 1;

test('three hostile guests find no assertion of ours and no broken invariant', async () => {
  const { hypercalls, requests, answers } = await attack(FIRST_SEED, INSTRUCTIONS);
  assert.ok(hypercalls > 40_000 && requests > 4_000, `${String(hypercalls)} hypercalls, ${String(requests)} requests`);
  assert.ok(answers.size > 300, `${String(answers.size)} different answers`);
});
