/** Memory that VMs lend and share, as the memory and translation requests show it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { sampleSystemFile } from '../support/guest-build';
import { debugging, sampleLaunch } from './debugging';

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

test('the primary VM has device space below its memory, each range with what answers there, and no range twice', async (context) => {
  const session = debugging(context);
  await session.start({ launch: { system: sampleSystemFile('vm-manager') }, functionBreakpoints: [{ name: 'vm:start', condition: 'vm != "manager"' }] });
  const { client } = session;
  const { windows, map } = await client.request('gunyah/memory', { vmid: 3 });
  const name = (address: bigint): string => windows.find(({ ipa, sizeBytes }) => address >= BigInt(ipa) && address < BigInt(ipa) + BigInt(sizeBytes))?.name ?? '';
  assert.deepEqual([0x0n, 0x0800_0000n, 0x080a_0000n, 0x0903_0000n, 0x0a00_0000n, 0x1000_0000n, 0x0901_1000n, 0x3000_0000n, 0x3000_1000n].map(name), [
    'blank flash bank 0', 'the distributor (GICD)', 'redistributor 0 (GICR)', 'GPIO (PL061)', '32 empty virtio slots', 'PCI memory and ports', 'nothing',
    'information area of the address space, hidden by PCI memory and ports', 'PCI memory and ports',
  ]);
  const all = [...windows, ...map].map(({ ipa, sizeBytes }) => ({ from: BigInt(ipa), to: BigInt(ipa) + BigInt(sizeBytes) })).sort((a, b) => (a.from < b.from ? -1 : 1));
  for (const [index, { from }] of all.entries()) assert.ok(index === 0 || from >= (all[index - 1]?.to ?? 0n), `nothing lies twice at 0x${from.toString(16)}`);
  assert.equal(all.filter(({ from }) => from < 0x4000_0000n).reduce((sum, { from, to }) => sum + to - from, 0n), 0x4000_0000n, 'all of the first gigabyte is told');
  const { windows: guests } = await client.request('gunyah/memory', { vmid: 128 });
  assert.deepEqual([...new Set(guests.map(({ kind }) => kind))].sort(), ['emulated', 'vmm']);
});

test('the page that the hypervisor writes for a VM is told as such, by the map, by a walk and by its extent', async (context) => {
  const session = debugging(context);
  await session.start({ launch: sampleLaunch(), functionBreakpoints: [{ name: 'sensor!vm:start' }] });
  const { client } = session;
  const { map, extents } = await client.request('gunyah/memory', { vmid: 128 });
  const rows = map.filter(({ state }) => state === 'hypervisor');
  assert.deepEqual(rows.map(({ owner, access, sizeBytes }) => [owner, access, sizeBytes]), [['hypervisor', 'R--', 4096]]);
  assert.equal(extents.find(({ objectId }) => objectId === rows[0]?.extentId)?.label, 'information area of sensor');
  const walk = await client.request('gunyah/translate', { vm: 'sensor', address: `sensor:ipa:${rows[0]?.ipa ?? ''}` });
  assert.deepEqual([walk.ok, walk.owner, walk.state], [true, 'hypervisor', 'hypervisor']);
});

test('an address that no table maps says why, and what answers there all the same', async (context) => {
  const session = debugging(context);
  await session.start({ launch: { system: sampleSystemFile('vm-manager') }, functionBreakpoints: [{ name: 'vm:start', condition: 'vm != "manager"' }] });
  const walk = async (address: string, vm = 'manager'): Promise<string> => {
    const { ok, error, steps } = await session.client.request('gunyah/translate', { vm, address: `${vm}:${address}` });
    return `${ok} ${steps.map(({ space }) => space).join('>')} ${error ?? ''}`;
  };
  assert.match(await walk('ipa:0xa000000'), /^false ipa Stage 2 translation fault at level \d: the hypervisor has mapped nothing .*reaches a device of the board: 32 empty virtio slots\.$/);
  assert.match(await walk('ipa:0x8000000'), /The hypervisor emulates the distributor \(GICD\) there\.$/);
  assert.match(await walk('ipa:0x30000010'), /taken: information area of the address space, hidden by PCI memory and ports\.$/);
  assert.match(await walk('ipa:0x9012000'), /the bus refuses the access\.$/);
  assert.match(await walk('ipa:0x9000000'), /^true ipa>pa $/);
  assert.match(await walk('ipa:0x70000000'), /^false ipa Stage 2 translation fault at level \d: the hypervisor has mapped nothing at that intermediate address\.$/);
  assert.match(await walk('ipa:0xffffffffffffffff'), /^false ipa Stage 2 /);
  assert.match(await walk('ipa:0x1000', 'guest'), /Accesses there go to whoever runs the vCPU/);
  assert.match(await walk('va:0x0010000000000000'), /^false va/);
  const physical = await session.client.request('gunyah/translate', { vm: 'manager', address: 'pa:0xfffffffff000' });
  assert.deepEqual([physical.ok, physical.owner, physical.others], [true, null, []]);
});
