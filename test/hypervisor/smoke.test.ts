import { test } from 'node:test';
import assert from 'node:assert/strict';
import { errorOf, Fixture } from './fixture';

test('a second VM is built by hypercalls, runs machine code, calls the hypervisor and waits', () => {
  const fixture = new Fixture();
  const vm = fixture.makeVm();
  // hvc #0x6000 ; mov x20, x0 ; wfi ; b -4
  fixture.load(vm, [0xd40c0002, 0xaa0003f4, 0xd503207f, 0x17ffffff]);
  fixture.powerOn(vm);
  fixture.run();
  assert.equal(fixture.vcpu(vm.thread).x(20), 0x5100_0000_0000_8001n);
  assert.deepEqual(vm.thread.blockReasons, ['VCPU_WFI']);
  fixture.hypervisor.checkInvariants();
});

test('identify answers the same on every path', () => {
  const fixture = new Fixture();
  const vm = fixture.makeVm();
  fixture.powerOn(vm);
  const native = fixture.native(vm.thread, 'hypervisor_identify');
  assert.deepEqual(native.slice(0, 4), [0x5100_0000_0000_8001n, 0x1000_0effn, 0n, 0n]);
  assert.deepEqual(fixture.smccc(vm.thread, 0xc600_8000).slice(0, 4), native.slice(0, 4));
  assert.equal(errorOf(fixture.native(vm.thread, 'doorbell_send', 0n, 1n)), 50);
});
