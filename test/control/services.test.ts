/** Get and set register of hypercall services, as the control API has them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addServiceFilter, getServiceRegister, listServiceRegisters, setServiceRegister, ticks, type System } from '../../runtime/index';
import { debug, finish, guestSubject } from '../support/system';

const STD_BMAP = 0x6030_0000_0016_0000n;
const PRIMARY = 3;

/** A system whose Resource Manager has made the VM, which has not run. */
async function atEntry(): Promise<{ readonly system: System; readonly run: () => void }> {
  const target = debug(await guestSubject('service-calls'));
  finish(target.runToEntry());
  return { system: target.system, run: () => { target.system.run({ until: ticks(target.system.now + 1000) }); } };
}

test('registers are listed in order, read by number, and written until the VM runs', async () => {
  const { system, run } = await atEntry();
  assert.deepEqual(listServiceRegisters(system, PRIMARY).map(({ value }) => value), [0x1_0001n, 2n, 3n, 2n, 1n, 1n, 3n, 0n]);
  assert.deepEqual(setServiceRegister(system, PRIMARY, { id: STD_BMAP, value: 0n }), { ok: true, value: undefined });
  assert.deepEqual(getServiceRegister(system, PRIMARY, STD_BMAP), { ok: true, value: 0n });
  assert.deepEqual(setServiceRegister(system, PRIMARY, { id: STD_BMAP, value: 2n }), { ok: false, error: 'EINVAL' });
  assert.deepEqual(setServiceRegister(system, PRIMARY, { id: STD_BMAP + 9n, value: 0n }), { ok: false, error: 'ENOENT' });
  run();
  assert.deepEqual(setServiceRegister(system, PRIMARY, { id: STD_BMAP, value: 1n }), { ok: false, error: 'EBUSY' });
  assert.deepEqual(setServiceRegister(system, PRIMARY, { id: STD_BMAP, value: 0n }), { ok: true, value: undefined });
  assert.deepEqual(addServiceFilter(system, PRIMARY, { base: 0x8400_0000, count: 1, action: 'deny' }), { ok: false, error: 'EBUSY' });
});

test('a change is in the journal and in the state, a look or a refusal in neither', async () => {
  const { system } = await atEntry();
  const before = system.stateHash();
  listServiceRegisters(system, PRIMARY);
  getServiceRegister(system, 77, STD_BMAP);
  setServiceRegister(system, PRIMARY, { id: STD_BMAP, value: 1n });
  setServiceRegister(system, PRIMARY, { id: STD_BMAP, value: 4n });
  assert.equal(system.stateHash(), before);
  assert.deepEqual(system.journal.all(), []);
  setServiceRegister(system, PRIMARY, { id: STD_BMAP, value: 0n });
  addServiceFilter(system, PRIMARY, { base: 0x8600_0001, count: 2, action: 'deny' });
  assert.notEqual(system.stateHash(), before);
  assert.deepEqual(system.journal.all().map(({ kind }) => kind), ['set-service', 'add-filter']);
});
