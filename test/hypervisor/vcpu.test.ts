/** vCPU life, scheduling, proxy scheduling and PSCI, with machine code on the real engine where it matters. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ErrorName } from '../../runtime/hypervisor/errors';
import { errorOf, Fixture, type TestVm } from './fixture';

const NOP = 0xd503201f;
const WFI = 0xd503207f;
const LOOP = 0x14000000;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const LOW_ONES = 0xffff_ffffn;

const low32 = (value: number) => BigInt.asUintN(32, BigInt(value));

describe('activation of a vCPU', () => {
  it('checks options, VIC and slots', () => {
    const fixture = new Fixture();
    const vcpu = fixture.create('thread');
    fixture.rootCall('vcpu_configure', { vcpu, vcpu_options: 1n << 7n }, 'ARGUMENT_INVALID');
    fixture.rootCall('vcpu_configure', { vcpu: 60n, vcpu_options: 1n << 7n }, 'ARGUMENT_INVALID');
    fixture.rootCall('vcpu_configure', { vcpu: 60n, vcpu_options: 0n }, 'CSPACE_CAP_NULL');
    fixture.rootCall('vcpu_set_priority', { vcpu, priority: 63 }, 'DENIED');
    fixture.rootCall('vcpu_set_timeslice', { vcpu, timeslice: 99_999n }, 'ARGUMENT_INVALID');
    fixture.rootCall('vcpu_set_timeslice', { vcpu, timeslice: 100_000_000n });
    fixture.rootCall('vcpu_set_affinity', { vcpu, affinity: 2 }, 'ARGUMENT_INVALID');
    assert.throws(() => fixture.makeVm({ options: 1n, cpu: 'none' }), /answers 34/);
    assert.throws(() => fixture.makeVm({ vmid: 11, options: 8n }), /answers 34/);
    const vm = fixture.makeVm({ vmid: 12 });
    fixture.rootCall('vcpu_set_priority', { vcpu: vm.vcpu, priority: 1 }, 'OBJECT_STATE');
    fixture.rootCall('vcpu_poweron', { vcpu, entry_point: 0n, context: 0n, flags: 0n }, 'OBJECT_STATE');
    const attach = (links: Record<string, bigint>): ErrorName | undefined => {
      const thread = fixture.create('thread');
      fixture.rootCall('cspace_attach_thread', { cspace: vm.cspace, thread });
      fixture.rootCall('addrspace_attach_thread', { addrspace: vm.addrspace, thread });
      if (links['vic'] !== undefined) fixture.rootCall('vic_attach_vcpu', { vic: vm.vic, vcpu: thread, index: Number(links['vic']) });
      if (links['vpm'] !== undefined) fixture.rootCall('vpm_group_attach_vcpu', { vpm_group: vm.vpm, vcpu: thread, index: Number(links['vpm']) });
      const { error } = fixture.root.hypercall('object_activate', { cap: thread });
      return error === 0 ? 'OK' : error === 1 ? 'ARGUMENT_INVALID' : error === 31 ? 'BUSY' : error === 30 ? 'DENIED' : undefined;
    };
    assert.deepEqual([attach({}), attach({ vic: 0n }), attach({ vic: 1n, vpm: 0n }), attach({ vic: 1n, vpm: 1n })], ['ARGUMENT_INVALID', 'BUSY', 'DENIED', 'OK']);
    fixture.rootCall('vic_attach_vcpu', { vic: vm.vic, vcpu: fixture.create('thread'), index: 2 }, 'ARGUMENT_INVALID');
    fixture.hypervisor.checkInvariants();
  });

  it('takes at most eight threads per address space', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    for (let n = 0; n < 7; n++) fixture.rootCall('addrspace_attach_thread', { addrspace: vm.addrspace, thread: fixture.create('thread') });
    fixture.rootCall('addrspace_attach_thread', { addrspace: vm.addrspace, thread: fixture.create('thread') }, 'NOMEM');
  });
});

describe('power', () => {
  it('starts a vCPU in the state of a reset, keeping written registers', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    const write = (register_set: number, register_index: number, value: bigint, error: ErrorName = 'OK') =>
      fixture.rootCall('vcpu_register_write', { vcpu: vm.vcpu, register_set, register_index, value }, error);
    write(0, 30, 0x30n);
    write(0, 31, 0n, 'ARGUMENT_INVALID');
    write(1, 0, 0x8000_0002n, 'ARGUMENT_INVALID');
    write(1, 0, 0x8000_0004n);
    write(2, 1, 0x8001_0000n);
    write(2, 0, 8n, 'ARGUMENT_INVALID');
    write(3, 0, 0n, 'ARGUMENT_INVALID');
    fixture.rootCall('vcpu_poweron', { vcpu: vm.vcpu, entry_point: 0n, context: 7n, flags: 4n }, 'ARGUMENT_INVALID');
    fixture.rootCall('vcpu_poweron', { vcpu: vm.vcpu, entry_point: 0n, context: 7n, flags: 1n });
    fixture.rootCall('vcpu_poweron', { vcpu: vm.vcpu, entry_point: 0n, context: 7n, flags: 1n }, 'BUSY');
    write(0, 1, 0n, 'BUSY');
    const vcpu = fixture.vcpu(vm.thread);
    assert.deepEqual([vcpu.pc, vcpu.x(0), vcpu.x(30), vcpu.spEl1, vcpu.pstate & 0x3ffn, vcpu.systemRegister('SCTLR_EL1')], [0x8000_0004n, 7n, 0x30n, 0x8001_0000n, 0x3c5n, 0x30d0_0800n]);
    assert.equal(vcpu.systemRegister('MPIDR_EL1'), 0x8000_0000n);
  });

  it('goes off by its own call only, as the last one only if it says so', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    fixture.powerOn(vm);
    const own = fixture.give(vm, vm.vcpu, 0x3ff);
    const off = (flags: bigint) => errorOf(fixture.native(vm.thread, 'vcpu_poweroff', own, flags));
    fixture.rootCall('vcpu_poweroff', { vcpu: vm.vcpu, flags: 0n }, 'ARGUMENT_INVALID');
    assert.deepEqual([off(2n), off(0n)], [1, 30]);
    off(1n);
    assert.deepEqual(vm.thread.blockReasons, ['VCPU_OFF']);
    fixture.rootCall('vcpu_kill', { vcpu: vm.vcpu });
    fixture.rootCall('vcpu_kill', { vcpu: vm.vcpu });
    fixture.rootCall('vcpu_poweron', { vcpu: vm.vcpu, entry_point: 0n, context: 0n, flags: 0n }, 'FAILURE');
    fixture.rootCall('vcpu_register_write', { vcpu: vm.vcpu, register_set: 0, register_index: 0, value: 0n }, 'OBJECT_STATE');
  });
});

describe('the scheduler', () => {
  it('runs the highest priority, shares equal ones by time slices, and lets a woken higher one in at once', () => {
    const fixture = new Fixture();
    const [a, b, high] = [fixture.makeVm({ vmid: 1, cpu: 1 }), fixture.makeVm({ vmid: 2, cpu: 1 }), fixture.makeVm({ vmid: 3, cpu: 1, priority: 40 })];
    fixture.powerOn(a);
    assert.equal(fixture.hypervisor.pick(1), a.thread);
    assert.equal(fixture.hypervisor.nextSliceDeadline(1), undefined);
    fixture.powerOn(b);
    assert.equal(fixture.hypervisor.pick(1), a.thread);
    assert.equal(fixture.hypervisor.nextSliceDeadline(1), fixture.events.now + 5_000_000);
    fixture.hypervisor.account(a.thread, 4_999_999);
    assert.equal(fixture.hypervisor.pick(1), a.thread);
    fixture.powerOn(high);
    assert.equal(fixture.hypervisor.pick(1), high.thread);
    fixture.rootCall('vcpu_kill', { vcpu: high.vcpu });
    assert.equal(fixture.hypervisor.pick(1), a.thread);
    fixture.hypervisor.account(a.thread, 1);
    assert.equal(fixture.hypervisor.pick(1), b.thread);
    assert.equal(errorOf(fixture.native(b.thread, 'scheduler_yield', 0n)), 0);
    assert.equal(fixture.hypervisor.pick(1), a.thread);
    fixture.rootCall('vcpu_set_affinity', { vcpu: a.vcpu, affinity: 0 });
    assert.equal(fixture.hypervisor.pick(1), b.thread);
    fixture.rootCall('vcpu_set_affinity', { vcpu: b.vcpu, affinity: 0xffff });
    assert.equal(fixture.hypervisor.pick(1), undefined);
    fixture.hypervisor.checkInvariants();
  });

  it('runs a thread without a CPU by directed yield, until the donor is woken', () => {
    const fixture = new Fixture();
    const donor = fixture.makeVm({ vmid: 1, cpu: 1 });
    const target = fixture.makeVm({ vmid: 2, cpu: 'none' });
    fixture.powerOn(donor);
    fixture.powerOn(target);
    const own = fixture.give(donor, target.vcpu, 0x10);
    assert.equal(fixture.hypervisor.pick(1), donor.thread);
    assert.equal(errorOf(fixture.native(donor.thread, 'scheduler_yield', 1n, own)), 0);
    assert.equal(fixture.hypervisor.pick(1), target.thread);
    fixture.hypervisor.checkInvariants();
    fixture.native(target.thread, 'scheduler_yield', 0n);
    assert.equal(fixture.hypervisor.pick(1), donor.thread);
    fixture.native(donor.thread, 'scheduler_yield', 1n, own);
    fixture.hypervisor.account(target.thread, 5_000_000);
    assert.equal(fixture.hypervisor.pick(1), donor.thread);
    assert.deepEqual([[2n, 0n], [1n << 31n, 0n], [3n, 0n]].map((args) => errorOf(fixture.native(donor.thread, 'scheduler_yield', ...args))), [1, 1, 1]);
    assert.equal(errorOf(fixture.native(donor.thread, 'scheduler_yield', 1n, 33n)), 50);
  });

  it('waits for an interrupt and goes on with the timer', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm({ cpu: 1 });
    const vic = vm.thread.vic?.object.vic;
    assert.ok(vic !== undefined);
    fixture.rootCall('addrspace_attach_vdevice', { addrspace: vm.addrspace, vdevice: vm.vic, index: 0, vbase: 0x0800_0000n, size: 0x1_0000n, flags: 0n });
    fixture.rootCall('addrspace_attach_vdevice', { addrspace: vm.addrspace, vdevice: vm.vic, index: 1, vbase: 0x080a_0000n, size: 0x2_0000n, flags: 0n });
    fixture.rootCall('addrspace_attach_vdevice', { addrspace: vm.addrspace, vdevice: vm.vic, index: 2, vbase: 0x080c_0000n, size: 0x2_0000n, flags: 0n }, 'IDLE');
    vic.model?.writeDistributor(0, { offset: 0, sizeBytes: 4, value: 2n });
    vic.model?.writeRedistributor(0, { offset: 0x1_0080, sizeBytes: 4, value: 1n << 27n });
    vic.model?.writeRedistributor(0, { offset: 0x1_0100, sizeBytes: 4, value: 1n << 27n });
    // msr cntv_tval_el0, x0 ; mov x1, #1 ; msr cntv_ctl_el0, x1 ; wfi ; add x9, x9, #1 ; b .
    fixture.load(vm, [0xd51be300, 0xd2800021, 0xd51be321, WFI, 0x91000529, LOOP]);
    fixture.powerOn(vm, 0x8000_0000n, 1000n);
    vic.writeSystemRegister(0, 'ICC_PMR_EL1', 0xf8n);
    vic.writeSystemRegister(0, 'ICC_IGRPEN1_EL1', 1n);
    fixture.run(50, 100);
    assert.deepEqual(vm.thread.blockReasons, ['VCPU_WFI']);
    const deadline = fixture.events.nextDeadline();
    assert.ok(deadline !== undefined);
    fixture.events.advance(deadline);
    assert.deepEqual(vm.thread.blockReasons, []);
    fixture.run(3, 10);
    assert.equal(fixture.vcpu(vm.thread).x(9), 1n);
    assert.equal(fixture.vcpu(vm.thread).irq, true);
  });
});

interface Proxy { readonly fixture: Fixture; readonly owner: TestVm; readonly vm: TestVm; readonly own: bigint }

function makeProxy(words: readonly number[] = [NOP, LOOP]): Proxy {
  const fixture = new Fixture();
  const owner = fixture.makeVm({ vmid: 3, cpu: 1 });
  const vm = fixture.makeVm({ vmid: 0x80, cpu: 'none', proxy: true, noAggregation: true });
  fixture.load(owner, [LOOP]);
  fixture.load(vm, words);
  fixture.powerOn(owner);
  fixture.hypervisor.pick(1);
  return { fixture, owner, vm, own: fixture.give(owner, vm.vcpu, 0x12) };
}

/** Runs the proxy until it comes back to its owner; X0..X4. */
function runProxy({ fixture, owner, own }: Proxy, path: 'native' | 'smccc' = 'native', data = 0n): bigint[] {
  if (path === 'native') fixture.native(owner.thread, 'vcpu_run', own, data);
  else fixture.smccc(owner.thread, 0xc600_8065, own, data);
  for (let step = 0; step < 200 && owner.thread.runTarget !== undefined; step++) {
    const thread = fixture.hypervisor.pick(1);
    assert.ok(thread);
    if (thread === owner.thread) break;
    const { retired, exit } = fixture.engine.run(thread.engineVcpu ?? 0, { budget: 100_000, tickNow: fixture.events.now });
    fixture.advance(retired);
    fixture.hypervisor.account(thread, retired);
    fixture.advance(fixture.hypervisor.handleExit(thread, exit));
  }
  fixture.hypervisor.pick(1);
  fixture.hypervisor.checkInvariants();
  return Array.from({ length: 5 }, (_, n) => fixture.vcpu(owner.thread).x(n));
}

describe('vcpu_run', () => {
  it('reports power-off, slice end, waiting and power-off by the guest', () => {
    // nop x3 ; wfi ; mov x0 = CPU_OFF ; hvc #0
    const proxy = makeProxy([NOP, WFI, 0xd2b08000, 0xf2800040, 0xd4000002]);
    const { fixture, vm } = proxy;
    assert.deepEqual(runProxy(proxy), [0n, 2n, 0n, 0n, 0n]);
    fixture.powerOn(vm);
    assert.deepEqual(runProxy(proxy), [0n, 1n, 0n, 1n, 0n]);
    assert.deepEqual(runProxy(proxy), [0n, 1n, 0n, 1n, 0n]);
    vm.thread.vic?.object.vic.model?.writeDistributor(0, { offset: 0, sizeBytes: 4, value: 2n });
    const vic = vm.thread.vic?.object.vic;
    vic?.model?.writeRedistributor(0, { offset: 0x1_0080, sizeBytes: 4, value: 0xffff_ffffn });
    vic?.model?.writeRedistributor(0, { offset: 0x1_0100, sizeBytes: 4, value: 1n });
    vic?.writeSystemRegister(0, 'ICC_PMR_EL1', 0xf8n);
    vic?.writeSystemRegister(0, 'ICC_IGRPEN1_EL1', 1n);
    vic?.writeSystemRegister(0, 'ICC_SGI1R_EL1', 1n);
    assert.deepEqual(runProxy(proxy), [0n, 2n, 0n, 0n, 0n]);
  });

  it('answers READY at the end of the slice and on SMCCC leaves other registers alone', () => {
    const proxy = makeProxy();
    proxy.fixture.powerOn(proxy.vm);
    assert.deepEqual(runProxy(proxy), [0n, 0n, 0n, 0n, 0n]);
    const answer = proxy.fixture.trace.filter((event) => event.event === 'hypercall' && event.phase === 'leave' && event.name === 'vcpu_run').at(-1);
    assert.ok(answer?.event === 'hypercall' && answer.args['vcpu'] === proxy.own);
    for (let n = 5; n < 18; n++) proxy.fixture.vcpu(proxy.owner.thread).setX(n, 99n);
    assert.deepEqual(runProxy(proxy, 'smccc'), [0n, 0n, 0n, 0n, 0n]);
  });

  it('runs in its owner’s time first and then in a slice of its own, unless its owner has the higher priority', () => {
    const slice = makeProxy().owner.thread.timesliceTicks;
    const slicesOf = (priority: number, ownersRest: number): readonly number[] => {
      const proxy = makeProxy();
      const { fixture, owner, vm } = proxy;
      vm.thread.priority = priority;
      fixture.powerOn(vm);
      owner.thread.sliceTicks = ownersRest;
      return [0, 1].map(() => {
        const start = fixture.events.now;
        assert.deepEqual(runProxy(proxy), [0n, 0n, 0n, 0n, 0n]);
        return Math.round((fixture.events.now - start) / slice);
      });
    };
    assert.deepEqual(slicesOf(32, slice), [2, 2]);
    assert.deepEqual(slicesOf(32, 0), [1, 2], 'the owner has no time left');
    assert.deepEqual(slicesOf(20, slice), [1, 1]);
    assert.deepEqual(slicesOf(20, 0), [0, 1], 'the owner has no time left and goes before');
  });

  it('goes on in its owner’s time after a thread of higher priority', () => {
    const proxy = makeProxy();
    const { fixture, owner, vm, own } = proxy;
    const other = fixture.makeVm({ vmid: 0x81, cpu: 1 });
    other.thread.priority = 40;
    fixture.powerOn(vm);
    fixture.native(owner.thread, 'vcpu_run', own);
    assert.equal(fixture.hypervisor.pick(1), vm.thread);
    fixture.powerOn(other);
    assert.equal(fixture.hypervisor.pick(1), other.thread);
    fixture.hypervisor.checkInvariants();
    fixture.hypervisor.restore(fixture.hypervisor.save());
    fixture.hypervisor.handleExit(other.thread, { reason: 'wfi' });
    assert.equal(fixture.hypervisor.pick(1)?.header.id, vm.thread.header.id);
    fixture.hypervisor.checkInvariants();
  });

  it('passes loads and stores in proxy ranges to the caller', () => {
    // ldr w2, [x0] ; str w2, [x0, #4] ; b .
    const proxy = makeProxy([0xb9400002, 0xb9000402, LOOP]);
    const { fixture, vm } = proxy;
    fixture.rootCall('addrspace_configure_vmmio', { addrspace: vm.addrspace, vbase: 0x1000n, size: 0x100n, op: 0 });
    fixture.powerOn(vm, 0x8000_0000n, 0x1010n);
    assert.deepEqual(runProxy(proxy), [0n, 4n, 0x1010n, 4n, 0n]);
    assert.deepEqual(runProxy(proxy, 'native', 0xffff_ffff_1234_5678n), [0n, 5n, 0x1014n, 4n, 0x1234_5678n]);
    assert.deepEqual(runProxy(proxy), [0n, 0n, 0n, 0n, 0n]);
    assert.equal(fixture.vcpu(vm.thread).x(2), 0x1234_5678n);
  });

  it('reports a kill, and refuses vCPUs that are not its to run', () => {
    const proxy = makeProxy();
    const { fixture, owner, vm } = proxy;
    fixture.powerOn(vm);
    fixture.rootCall('vcpu_kill', { vcpu: vm.vcpu });
    assert.deepEqual(runProxy(proxy), [0n, 2n, 1n, 0n, 0n]);
    const other = fixture.makeVm({ vmid: 0x81, cpu: 'none' });
    const own = fixture.give(owner, other.vcpu, 0x12);
    assert.equal(errorOf(fixture.native(owner.thread, 'vcpu_run', own)), 31);
    assert.equal(errorOf(fixture.native(owner.thread, 'vcpu_run', fixture.give(owner, other.vcpu, 0x10))), 53);
    fixture.rootCall('vcpu_run_check', { vcpu: vm.vcpu });
    fixture.powerOn(other);
    fixture.rootCall('vcpu_run_check', { vcpu: other.vcpu }, 'BUSY');
  });

  it('reports system reset and system off until it is killed, and halts by interrupt', () => {
    for (const [call, expected] of [[0x8400_0009, [0n, 0x100n, 1n << 63n, 0n, 0n]], [0x8400_0008, [0n, 2n, 0n, 0n, 0n]]] as const) {
      // hvc #0
      const proxy = makeProxy([0xd4000002, LOOP]);
      const { fixture, vm } = proxy;
      fixture.rootCall('vcpu_bind_virq', { vcpu: vm.vcpu, vic: fixture.root.environment.vic, virq: 50, virq_type: 0 });
      fixture.powerOn(vm, 0x8000_0000n, BigInt(call));
      assert.deepEqual(runProxy(proxy), expected);
      fixture.rootCall('vcpu_run_check', { vcpu: vm.vcpu });
      assert.deepEqual(runProxy(proxy), expected);
      fixture.rootCall('vcpu_kill', { vcpu: vm.vcpu });
      assert.deepEqual(runProxy(proxy), [0n, 2n, 1n, 0n, 0n]);
    }
  });
});

describe('PSCI', () => {
  const call = (fixture: Fixture, vm: TestVm, id: number, ...args: bigint[]) => fixture.smccc(vm.thread, id, ...args)[0] ?? 0n;

  it('tells version and features', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    fixture.powerOn(vm);
    assert.equal(call(fixture, vm, 0x8400_0000), 0x10001n);
    assert.equal(call(fixture, vm, 0xc400_0000), ALL_ONES);
    const feature = (id: number) => call(fixture, vm, 0x8400_000a, BigInt(id));
    for (const id of [0x84000000, 0x84000002, 0x84000003, 0x84000004, 0x84000008, 0x84000009, 0x8400000a, 0x8400000c, 0x8400000f, 0x84000012, 0xc4000003, 0xc4000004, 0xc400000c, 0xc4000012, 0x80000000]) assert.equal(feature(id), 0n);
    for (const id of [0x84000001, 0xc4000001]) assert.equal(feature(id), 2n);
    for (const id of [0x84000005, 0x84000006, 0x84000007, 0x8400000e, 0xc400000e, 0x80000001, 0x84000050, 0x84000014, 0xc4000000, 0x84020003]) assert.equal(feature(id), LOW_ONES, id.toString(16));
    for (const id of [0x84000005, 0x84000006, 0x8400000b, 0x8400000d, 0x8400000e, 0x84000010, 0x84000013]) assert.equal(call(fixture, vm, id), ALL_ONES);
  });

  it('answers about affinities and powers CPUs on and off', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm({ options: 0n });
    fixture.powerOn(vm);
    const second = fixture.create('thread');
    fixture.rootCall('cspace_attach_thread', { cspace: vm.cspace, thread: second });
    fixture.rootCall('addrspace_attach_thread', { addrspace: vm.addrspace, thread: second });
    fixture.rootCall('vic_attach_vcpu', { vic: vm.vic, vcpu: second, index: 1 });
    fixture.rootCall('vpm_group_attach_vcpu', { vpm_group: vm.vpm, vcpu: second, index: 1 });
    fixture.rootCall('vcpu_set_affinity', { vcpu: second, affinity: 1 });
    fixture.activate(second);
    const state = (affinity: bigint, level = 0n) => BigInt.asIntN(64, call(fixture, vm, 0xc400_0004, affinity, level));
    assert.deepEqual([state(0n), state(1n), state(0x8000_0001n), state(2n), state(0n, 1n), state(1n << 32n), state(1n << 40n)], [0n, 1n, 1n, -2n, -2n, -2n, 0n]);
    assert.equal(call(fixture, vm, 0x8400_0004, 2n), low32(-2));
    const on = (affinity: bigint) => BigInt.asIntN(64, call(fixture, vm, 0xc400_0003, affinity, 0x8000_0010n, 0x77n));
    assert.deepEqual([on(0n), on(2n), on(0x100n), on(1n), on(1n)], [-4n, -6n, -2n, 0n, -4n]);
    const thread = fixture.hypervisor.threads.find((candidate) => candidate.vmid === 10 && candidate.vcpuIndex === 1);
    assert.ok(thread);
    assert.deepEqual([fixture.vcpu(thread).pc, fixture.vcpu(thread).x(0)], [0x8000_0010n, 0x77n]);
    assert.equal(fixture.hypervisor.pick(1), thread);
    fixture.smccc(thread, 0x8400_0002);
    assert.equal(state(1n), 1n);
    assert.equal(call(fixture, vm, 0x8400_0002), low32(-3));
    const { vpm_state: groupState } = fixture.rootCall('vpm_group_get_state', { vpm_group: vm.vpm });
    assert.equal(groupState, 1n);
  });

  it('suspends, resuming at the given address if the state loses context', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    fixture.powerOn(vm);
    const wake = () => {
      const vic = vm.thread.vic?.object.vic;
      vic?.model?.writeDistributor(0, { offset: 0, sizeBytes: 4, value: 2n });
      vic?.model?.writeDistributor(0, { offset: 0x84, sizeBytes: 4, value: 1n });
      vic?.model?.writeDistributor(0, { offset: 0x104, sizeBytes: 4, value: 1n });
      vic?.writeSystemRegister(0, 'ICC_PMR_EL1', 0xf8n);
      vic?.writeSystemRegister(0, 'ICC_IGRPEN1_EL1', 1n);
      vic?.model?.writeDistributor(0, { offset: 0x204, sizeBytes: 4, value: 1n });
    };
    call(fixture, vm, 0xc400_0001, 0x1_0003n, 0x8000_0040n, 0x55n);
    assert.deepEqual(vm.thread.blockReasons, ['VCPU_SUSPEND']);
    wake();
    assert.deepEqual(vm.thread.blockReasons, []);
    assert.deepEqual([fixture.vcpu(vm.thread).pc, fixture.vcpu(vm.thread).x(0)], [0x8000_0040n, 0x55n]);
    assert.equal(call(fixture, vm, 0xc400_0001, 0x1_0003n, 0x8000_0080n, 0x56n), 0n);
    assert.equal(fixture.vcpu(vm.thread).pc, 0x8000_0040n);
    assert.deepEqual([call(fixture, vm, 0x8400_000f, 0n), call(fixture, vm, 0x8400_000f, 1n)], [0n, low32(-2)]);
  });

  it('of the primary VM turns the platform off, and needs a group otherwise', () => {
    const fixture = new Fixture();
    const primary = fixture.makeVm({ vmid: 3, options: 1n << 63n, cpu: 1 });
    fixture.powerOn(primary);
    call(fixture, primary, 0x8400_0008);
    call(fixture, primary, 0x8400_0009);
    assert.deepEqual(fixture.power, ['off', 'reset']);
    assert.equal(call(fixture, primary, 0xc400_0012), LOW_ONES);
    fixture.rootCall('vcpu_set_affinity', { vcpu: primary.vcpu, affinity: 1 });
    fixture.rootCall('vcpu_set_affinity', { vcpu: primary.vcpu, affinity: 0 }, 'DENIED');
    const alone = fixture.makeVm({ vmid: 4, withVpm: false });
    assert.equal(call(fixture, alone, 0x8400_0000), ALL_ONES);
    assert.equal(call(fixture, alone, 0x8400_000a, 0x8000_0000n), 0n);
    assert.equal(call(fixture, alone, 0x8400_000a, 0x8400_0000n), LOW_ONES);
  });
});

describe('an access that nothing emulates', () => {
  it('is a synchronous external abort with the fault address and no details', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm({ cpu: 1 });
    // ldr x1, [x0] ; … vector at +0x200: b .
    fixture.load(vm, [0xf9400001]);
    fixture.load(vm, [LOOP], 0x1200);
    fixture.powerOn(vm, 0x8000_0000n, 0x10_0000n);
    fixture.vcpu(vm.thread).setSystemRegister('VBAR_EL1', 0x8000_1000n);
    fixture.run(3, 100);
    const vcpu = fixture.vcpu(vm.thread);
    assert.deepEqual([vcpu.pc, vcpu.systemRegister('ESR_EL1'), vcpu.systemRegister('FAR_EL1'), vcpu.systemRegister('ELR_EL1')], [0x8000_1200n, 0x9600_0010n, 0x10_0000n, 0x8000_0000n]);
  });
});

describe('scalable vectors', () => {
  it('are Undefined to a vCPU that is not pinned, once it has turned them on', () => {
    for (const [cpacr, expected] of [[0x30_0000n, 0x6600_0000n], [0x33_0000n, 0x0200_0000n]] as const) {
      const fixture = new Fixture();
      const vm = fixture.makeVm({ cpu: 1 });
      // rdvl x1, #1
      fixture.load(vm, [0x04bf_5021]);
      fixture.load(vm, [LOOP], 0x1200);
      fixture.powerOn(vm, 0x8000_0000n, 0n);
      const vcpu = fixture.vcpu(vm.thread);
      vcpu.setSystemRegister('VBAR_EL1', 0x8000_1000n);
      vcpu.setSystemRegister('CPACR_EL1', cpacr);
      fixture.run(3, 100);
      assert.deepEqual([vcpu.pc, vcpu.systemRegister('ESR_EL1'), vcpu.x(1)], [0x8000_1200n, expected, 0n]);
    }
  });
});

describe('a vCPU without usable vectors', () => {
  it('faults once it aborts inside its vector, with the halt interrupt and state 6', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm({ cpu: 1 });
    fixture.rootCall('vcpu_bind_virq', { vcpu: vm.vcpu, vic: fixture.root.environment.vic, virq: 50, virq_type: 0 });
    fixture.run(5);
    // ldr x1, [x0]
    fixture.load(vm, [0xf9400001]);
    fixture.powerOn(vm, 0x8000_0000n, 0x10_0000n);
    fixture.run(10, 100);
    assert.deepEqual(vm.thread.blockReasons, ['VCPU_FAULT']);
    assert.deepEqual(fixture.interrupts, [50]);
    assert.deepEqual(fixture.root.hypercall('vcpu_run_check', { vcpu: vm.vcpu }), { error: 0, vcpu_state: 6, state_data_0: 0n, state_data_1: 0n, state_data_2: 0n });
    assert.deepEqual(fixture.power, []);
  });

  it('takes the platform with it if it is critical', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm({ cpu: 1, options: 1n << 8n });
    fixture.powerOn(vm, 0n);
    fixture.run(10, 100);
    assert.deepEqual(fixture.power, ['reset']);
  });
});
