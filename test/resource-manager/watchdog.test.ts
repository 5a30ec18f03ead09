/** VMs with watchdogs, on a platform that has them. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ticks } from '../../runtime/base/brands';
import { SystemFixture } from './system-fixture';
import { configure } from './made-vm';
import { SENSOR_DTS, vmTree } from './trees';

const CONTROL = 0x8600_0005;
const SET_TIME = 0x8600_0008;
const MS = 1_000_000;

function boot(watchdog: boolean): { readonly system: SystemFixture; readonly call: (id: number, ...args: readonly bigint[]) => bigint; readonly states: () => string[] } {
  const system = new SystemFixture([{ dts: SENSOR_DTS, autostart: true }], { watchdog });
  const thread = system.hypervisor.threads.find(({ vmid }) => vmid !== 3 && vmid !== 255);
  assert.ok(thread?.engineVcpu !== undefined);
  const vcpu = system.engine.vcpu(thread.engineVcpu);
  return {
    system,
    call: (id, ...args) => {
      [BigInt(id), ...args].forEach((value, n) => { vcpu.setX(n, value); });
      system.hypervisor.handleExit(thread, { reason: 'hvc', immediate: 0 });
      return vcpu.x(0);
    },
    states: () => system.trace.flatMap((event) => (event.event === 'vm-state' && event.vmid === thread.vmid ? [event.to] : [])),
  };
}

it('a VM whose watchdog bites ends', () => {
  const { system, call, states } = boot(true);
  assert.equal(call(SET_TIME, 10n, 20n), 0n);
  assert.equal(call(CONTROL, 3n), 0n);
  system.events.advance(ticks(system.events.now + 19 * MS));
  system.settle();
  assert.equal(states().includes('EXITED'), false);
  system.events.advance(ticks(system.events.now + 2 * MS));
  system.settle();
  assert.equal(states()[states().length - 1], 'EXITED');
  system.hypervisor.checkInvariants();
});

it('a VM has no watchdog unless the platform has watchdogs', () => {
  assert.equal(boot(false).call(CONTROL, 3n), 0xffff_ffff_ffff_ffffn);
});

/** VMID of the first VM of the system file, and where its tree lies. */
const LISTED = 128;
const LISTED_DTB = 0x8010_0000n;

it('the tree of a VM of the system file names the bark of its watchdog, the lowest free interrupt', () => {
  const { system, call } = boot(true);
  const node = system.readTree(system.translate(LISTED, LISTED_DTB)).root.at('/hypervisor/qcom,gh-watchdog');
  assert.deepEqual([node?.property('compatible')?.strings, node?.property('interrupts')?.u32s], [['qcom,gh-watchdog'], [0, 928, 1]]);
  const vic = system.thread(LISTED).vic?.object.vic;
  assert.equal(vic?.inspect(960)?.source, 'watchdog-bark');
  assert.equal(call(SET_TIME, 10n, 20n), 0n);
  assert.equal(call(CONTROL, 3n), 0n);
  system.events.advance(ticks(system.events.now + 11 * MS));
  assert.equal(vic.inspect(960)?.pending, true);
});

it('who schedules a VM of the system file may hold its watchdog', () => {
  for (const [affinity, resources] of [['static', 0], ['proxy', 1]] as const) {
    const system = new SystemFixture([{ dts: vmTree({ vcpus: `affinity = "${affinity}"; ${affinity === 'static' ? 'affinity-map = <1>;' : ''}` }), autostart: true }], { watchdog: true });
    const found = (system.request('VM_GET_HYP_RESOURCES', { vmid: LISTED }).values?.resources ?? []).filter(({ type }) => type === 8);
    assert.deepEqual(found.map((entry) => ({ ...entry, capId: 0n })), Array.from({ length: resources }, () => ({ type: 8, partnerVmid: LISTED, handle: 0, label: 0, capId: 0n, virqHandle: 0, virq: 0, base: 0n, size: 0n })));
    for (const { capId } of found) assert.equal(system.hypercall(3, 'watchdog_manage', capId, 0n)[0], 0n);
    system.hypervisor.checkInvariants();
  }
});

it('neither the primary VM nor one that it makes has a watchdog', () => {
  const system = new SystemFixture([], { watchdog: true });
  assert.equal(system.smccc(3, BigInt(CONTROL), 3n)[0], 0xffff_ffff_ffff_ffffn);
  const { vmid } = configure(system, vmTree({}));
  system.request('VM_INIT', { vmid });
  assert.equal(system.smccc(vmid, BigInt(CONTROL), 3n)[0], 0xffff_ffff_ffff_ffffn);
  assert.ok(system.trace.every((event) => event.event !== 'report'));
});
