import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createResourceManager } from '../../runtime/resource-manager';
import type { RootVm } from '../../runtime/hypervisor/interface';
import { SystemFixture } from './system-fixture';
import { SENSOR_DTS } from './trees';

test('a saved RM goes on where it was, in a new program too', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS }]);
  system.request('VM_START', { vmid: 0x80 });
  const saved = system.rm.save();
  const view = system.rm.inspect();
  system.request('VM_STOP', { vmid: 0x80, flags: 1, reason: 0 });
  assert.notDeepEqual(system.rm.inspect(), view);
  const other = createResourceManager();
  other.restore(saved, unusedRootVm());
  const told = other.inspect();
  assert.deepEqual([told.vms, told.parcels], [view.vms, view.parcels]);
  assert.deepEqual(other.save(), saved);
});

test('what was saved does not change with the system, and saving before the start gives nothing', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS }]);
  const saved = system.rm.save();
  const copy = structuredClone(saved);
  system.request('VM_START', { vmid: 0x80 });
  system.request('MEM_LEND', { memoryType: 0, flags: 0, label: 0, acl: [{ vmid: 0x80, rights: 7 }], sgl: [{ address: 0x4040_0000n, size: 0x1000n }], attributes: [] });
  assert.deepEqual(saved, copy);
  assert.equal(createResourceManager().save(), null);
});

test('a whole system restored mid-conversation answers the same', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS }]);
  const hypervisor = system.hypervisor.save();
  const first = system.request('VM_START', { vmid: 0x80 }).log;
  system.hypervisor.restore(hypervisor);
  assert.equal(system.rm.inspect().vms[1]?.state, 'READY');
  assert.deepEqual(first, ['VM_STATUS vmid=128 vmState=3 osState=0 appStatus=0', 'reply']);
});

/** Restoring needs the root VM only for later work; of the platform's objects and devices it knows none. */
function unusedRootVm(): RootVm {
  const never = (): never => { throw new Error('not used'); };
  return {
    environment: { memoryBase: 0n, deviceBase: 0n, vms: [] } as never, now: 0 as never, hypercall: never, read: never, write: never, random: never, trace: never, platformPower: never,
  };
}
