/** Three VMs that share a page, with queues full and half full, masked doorbells and requests in flight, as the views' requests show them. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { guestElf } from '../support/guest-build';
import { debugging, sampleSource, type Debugging } from './debugging';

/** The system: `primary` gives pages to `first` and `second`. Stopped when all is in place. */
async function threeVms(context: TestContext): Promise<Debugging> {
  const folder = mkdtempSync(join(tmpdir(), 'gunyah-three-vms-'));
  context.after(() => { rmSync(folder, { recursive: true, force: true }); });
  const tree = readFileSync(sampleSource('sensor.dts'), 'utf8');
  const taker = (name: string): { name: string; image: string; config: string; autostart: boolean; uart: boolean } => {
    const config = join(folder, `${name}.dts`);
    writeFileSync(config, tree.replaceAll('"sensor"', `"${name}"`));
    return { name, image: guestElf('page-taker'), config, autostart: false, uart: true };
  };
  const session = debugging(context);
  await session.start({
    launch: { system: { platform: { cpus: 2, memory: '768M' }, vms: [{ name: 'primary', image: guestElf('page-owner'), memory: { size: '128M' }, uart: true }, taker('first'), taker('second')] } },
    functionBreakpoints: [{ name: 'all_done' }],
  });
  return session;
}

test('a page that three VMs share is told from each side, with the two others and what they may', async (context) => {
  const { client } = await threeVms(context);
  const { memparcels } = await client.request('gunyah/memory', { vmid: 255 });
  assert.deepEqual(memparcels.map(({ transaction, state, sanitised, owner, acl, acceptedBy }) => [transaction, state, sanitised, owner, acl.map(({ vm, access }) => `${vm} ${access}`).join(), acceptedBy.map(({ vm }) => vm).join()]), [
    ['share', 'shared', false, 'primary', 'primary RW-,first RW-,second R--', 'first,second'],
    ['lend', 'lent', true, 'primary', 'first RWX', 'first'],
    ['lend', 'offered', false, 'primary', 'first R--,second RW-', ''],
  ]);
  const seen = new Map<string, string>();
  for (const [vmid, vm] of [[3, 'primary'], [128, 'first'], [129, 'second']] as const) {
    const { map } = await client.request('gunyah/memory', { vmid });
    const shared = map.find(({ state }) => state === 'shared');
    assert.ok(shared !== undefined && shared.owner === 'primary' && shared.memparcel === memparcels[0]?.handle, vm);
    seen.set(vm, `${shared.access}; ${shared.others.map((other) => `${other.vm} ${other.access}`).join(', ')}`);
    const walk = await client.request('gunyah/translate', { vm, address: `${vm}:va:${shared.ipa}` });
    assert.deepEqual([walk.ok, walk.owner, walk.state, walk.memparcel, walk.others], [true, 'primary', 'shared', shared.memparcel, shared.others], vm);
    const physical = await client.request('gunyah/translate', { vm, address: `pa:${shared.pa}` });
    assert.deepEqual(physical.others.map((other) => other.vm), ['primary', 'first', 'second']);
  }
  assert.deepEqual([...seen.values()], ['RW-; first RW-, second R--', 'RW-; primary RW-, second R--', 'R--; primary RW-, first RW-']);
});

test('a page that was donated and accepted is the memory of its new owner', async (context) => {
  const { client } = await threeVms(context);
  const { map } = await client.request('gunyah/memory', { vmid: 129 });
  const given = map.filter(({ ipa, state }) => BigInt(ipa) > 0x4000_0000n && BigInt(ipa) < 0x8000_0000n && state !== 'shared');
  assert.deepEqual(given.map(({ owner, state, access, memparcel }) => [owner, state, access, memparcel]), [['second', 'owned', 'RWX', null]]);
  const walk = await client.request('gunyah/translate', { vm: 'second', address: `second:ipa:${given[0]?.ipa ?? ''}` });
  assert.deepEqual([walk.owner, walk.state, walk.others], ['second', 'owned', []]);
});

test('the memory of a VM is its RAM, without the pages that others gave it', async (context) => {
  const { client } = await threeVms(context);
  const { vms } = await client.request('gunyah/vms', {});
  assert.deepEqual(vms.filter(({ vmid }) => vmid !== 255).map(({ name, memoryBase, memorySizeBytes }) => [name, memoryBase, memorySizeBytes >> 20]), [
    ['primary', '0x40000000', 128], ['first', '0x80000000', 128], ['second', '0x80000000', 128],
  ]);
});

test('queues, doorbells and requests in flight say what holds them up, by name', async (context) => {
  const { client } = await threeVms(context);
  const { messageQueues } = await client.request('gunyah/messageQueues', {});
  const queue = (from: string, to: string): string => messageQueues.filter((one) => one.from === from && one.to === to).map(({ queued, depth, notEmptyThreshold }) => `${queued}/${depth} from ${notEmptyThreshold}`).join();
  assert.deepEqual([queue('primary', 'first'), queue('primary', 'second'), queue('primary', 'resource-manager')], ['4/4 from 3', '2/4 from 3', '8/8 from 1']);
  assert.equal(messageQueues.find(({ to, queued }) => to === 'resource-manager' && queued > 0)?.messages[0]?.decoded, 'request VM_GET_STATE #256 vmid=129 (second)');
  const { doorbells } = await client.request('gunyah/doorbells', {});
  assert.deepEqual(doorbells.map(({ label, flags, enableMask, ackMask }) => [label, flags, enableMask, ackMask]), [
    ['doorbell label 0x20 of first', '0x6', '0x1', '0x2'], ['doorbell label 0x20 of second', '0x6', '0x1', '0x2'],
  ]);
  const { pending } = await client.request('gunyah/rm', {});
  assert.deepEqual([...new Set(pending.map(({ place, vm, name, fields }) => `${place}: ${vm} ${name} ${fields['vmid'] ?? ''}`))], ['to RM: primary VM_GET_STATE 129 (second)']);
  const { threads } = await client.request('gunyah/scheduler', {});
  const thread = (name: string): string => threads.filter((one) => one.thread === name).map(({ state, waitsFor, sinceTick, instructions }) => `${state}, ${waitsFor ?? 'nobody'}, ${sinceTick === null ? 'unknown' : 'known'}, ${instructions === null ? 'none' : 'some'}`).join();
  assert.equal(thread('resource-manager/cpu0'), 'ready, primary/cpu0, unknown, none');
  assert.equal(thread('first/cpu0'), 'wfi, nobody, known, some');
});
