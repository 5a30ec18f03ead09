/** VMs with watchdogs, on a platform that has them. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ticks } from '../../runtime/base/brands';
import { SystemFixture } from './system-fixture';
import { SENSOR_DTS } from './trees';

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
