import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { PRIMARY_DTB, SystemFixture } from './system-fixture';
import { SENSOR_DTS } from './trees';

test('the primary VM gets its channel to RM at capabilities 0 and 1, and RM’s vCPU at 2', () => {
  const system = new SystemFixture();
  assert.deepEqual(system.rm.inspect().vms.map((vm) => [vm.vmid, vm.name, vm.state]), [[3, 'HLOS', 'RUNNING']]);
  assert.equal(system.hypercall(3, 'msgqueue_receive', 1n, 0x4010_0000n, 240n)[0], 60n);
  assert.equal(system.hypercall(3, 'msgqueue_receive', 0n, 0x4010_0000n, 240n)[0], 53n);
  assert.equal(system.hypercall(3, 'vcpu_set_affinity', 2n, 0n)[0], 0n);
  assert.equal(system.hypercall(3, 'doorbell_send', 3n, 1n)[0], 50n);
  system.hypervisor.checkInvariants();
});

test('the primary VM’s device tree gets the hypervisor node that the real RM writes', () => {
  const system = new SystemFixture();
  const root = system.readTree(PRIMARY_DTB).root;
  const hypervisor = root.child('hypervisor');
  assert.deepEqual(hypervisor?.stringList('compatible'), ['qcom,gunyah-hypervisor-1.0', 'qcom,gunyah-hypervisor', 'simple-bus']);
  const rpc = hypervisor.child('qcom,resource-manager-rpc@0000000000000000');
  assert.deepEqual(rpc?.stringList('compatible'), ['gunyah-resource-manager', 'qcom,resource-manager-1-0', 'qcom,resource-manager']);
  assert.deepEqual(rpc.property('reg')?.u32s, [0, 0, 0, 1]);
  assert.deepEqual(rpc.property('interrupts')?.u32s, [0, 0x3a0, 1, 0, 0x3a1, 1]);
  assert.equal(rpc.u32('qcom,free-irq-start'), 0x3c0);
  assert.equal(rpc.u32('qcom,tx-message-size'), 240);
  assert.equal(rpc.u32('qcom,rx-queue-depth'), 8);
  assert.ok(rpc.has('qcom,is-full-duplex'));
  assert.deepEqual(hypervisor.child('qcom,gunyah-vm')?.u32('qcom,vmid'), 3);
});

test('the primary VM starts at its entry with the device tree in x0', () => {
  const system = new SystemFixture();
  const vcpu = system.engine.vcpu(system.thread(3).engineVcpu ?? 0);
  assert.equal(vcpu.pc, 0x4000_0000n);
});

test('a listed VM is ready after boot, with its memory filled and mapped', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS }]);
  assert.deepEqual(system.trace.filter((event) => event.event === 'report'), []);
  const sensor = system.rm.inspect().vms.find((vm) => vm.vmid === 0x80);
  assert.deepEqual([sensor?.name, sensor?.state, sensor?.owner, sensor?.vcpuCount], ['sensor', 'READY', 3, 1]);
  assert.deepEqual([...system.engine.memory.read(system.translate(0x80, 0x8001_0000n) as never, 5)], [1, 2, 3, 4, 5]);
  system.hypervisor.checkInvariants();
});

test('a listed VM with autostart runs after boot with RM’s additions in its device tree', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS, autostart: true }]);
  assert.equal(system.rm.inspect().vms[1]?.state, 'RUNNING');
  const root = system.readTree(system.translate(0x80, 0x8010_0000n)).root;
  const hypervisor = root.child('hypervisor');
  assert.equal(hypervisor?.stringList('compatible')[0], 'gunyah-hypervisor');
  assert.deepEqual(hypervisor.children.map((child) => child.name).sort(), ['bell@2', 'qcom,gunyah-vm', 'requests@4', 'rm-rpc@1']);
  assert.deepEqual(hypervisor.child('rm-rpc@1')?.property('interrupts')?.u32s, [0, 0x3a0, 1, 0, 0x3a1, 1]);
  assert.deepEqual(root.at('/memory')?.property('reg')?.u32s, [0, 0x8000_0000, 0, 0x20_0000]);
});

test('the sample’s sensor VM is built as its configuration says', () => {
  const dts = readFileSync(join(__dirname, '../../extension/samples/two-vms/sensor.dts'), 'utf8');
  const system = new SystemFixture([{ dts, autostart: true }]);
  assert.deepEqual(system.trace.filter((event) => event.event === 'report'), []);
  assert.equal(system.rm.inspect().vms[1]?.state, 'RUNNING');
  const hypervisor = system.readTree(system.translate(0x80, 0x8010_0000n)).root.child('hypervisor');
  assert.deepEqual(hypervisor?.children.map((child) => child.name).sort(), ['bell@2', 'qcom,gunyah-vm', 'requests@4', 'rm-rpc@1']);
  assert.deepEqual(hypervisor.child('requests@4')?.property('reg')?.u32s, [0, 3, 0, 4]);
});
