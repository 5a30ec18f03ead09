/** Memory that VMs lend and share, as the memory and translation requests show it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { sampleSystemFile } from '../support/guest-build';
import { debugging } from './debugging';

test('memory that one VM gives to another is shown from both sides, with its parcel and who else sees it', async (context) => {
  const session = debugging(context);
  await session.start({ launch: { system: sampleSystemFile('vm-manager') }, functionBreakpoints: [{ name: 'vm:start', condition: 'vm != "manager"' }] });
  const { client } = session;
  const { vms } = await client.request('gunyah/vms', {});
  const made = vms.find(({ name, vmid }) => name !== 'manager' && vmid !== 255);
  assert.ok(made !== undefined, vms.map(({ name }) => name).join());
  const { memparcels, map, extents, cut } = await client.request('gunyah/memory', { vmid: made.vmid });
  assert.ok(memparcels.length > 0 && !cut);
  const parcel = memparcels[0];
  assert.ok(parcel?.owner === 'manager' && (parcel.state === 'lent' || parcel.state === 'shared'));
  assert.deepEqual(parcel.acceptedBy.map(({ vmid }) => vmid), [made.vmid]);
  const row = map.find(({ memparcel }) => memparcel === parcel.handle);
  assert.deepEqual([row?.owner, row?.state], ['manager', parcel.state === 'lent' ? 'borrowed' : 'shared']);
  assert.ok(extents.some(({ objectId }) => objectId === row?.extentId));
  assert.equal(row?.others.some(({ vm }) => vm === 'manager'), parcel.state === 'shared');
  const walk = await client.request('gunyah/translate', { vm: made.name, address: `${made.name}:ipa:${row.ipa}` });
  assert.deepEqual([walk.ok, walk.owner, walk.state, walk.memparcel], [true, 'manager', row.state, parcel.handle]);
  assert.ok(walk.levels.length > 0 && ['block', 'page'].includes(walk.levels[walk.levels.length - 1]?.kind ?? ''));
  const owner = await client.request('gunyah/memory', { vmid: 3 });
  assert.ok(owner.memparcels.some(({ handle }) => handle === parcel.handle));
  const all = await client.request('gunyah/memory', { vmid: 255 });
  assert.ok(all.extents.length >= extents.length);
  const { threads } = await client.request('gunyah/scheduler', {});
  const proxy = threads.find(({ vmid }) => vmid === made.vmid);
  assert.ok(proxy !== undefined && (proxy.isProxy ? proxy.blocks.some(({ reason, by }) => reason === 'VCPU_RUN' && by.startsWith('manager')) : true));
  const { history } = await client.request('gunyah/rm', { historyLimit: 50 });
  assert.ok(history.length > 0 && history.length <= 50 && history.every(({ number }) => number !== null));
});
