/** How interrupts of queues and doorbells reach a guest through its GIC, edge- and level-triggered, as observed on the real hypervisor. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CapId, pa } from '../../runtime/base/brands';
import type { Vic } from '../../runtime/hypervisor/vic';
import { Fixture, type TestVm } from './fixture';

const RX = 40;
const TX = 41;
const SPURIOUS = 1023n;

interface Setup { readonly fixture: Fixture; readonly vm: TestVm; readonly vic: Vic; readonly queue: CapId; readonly own: CapId }

/** A VM on CPU 1 with both ends of a queue of 8 bound, its GIC on, the interrupts enabled and of the given kind. */
function setUp(trigger: 'edge' | 'level'): Setup {
  const fixture = new Fixture();
  const vm = fixture.makeVm({ cpu: 1 });
  fixture.powerOn(vm);
  const vic = vm.thread.vic?.object.vic;
  assert.ok(vic);
  const queue = fixture.create('msgqueue');
  fixture.rootCall('msgqueue_configure', { msgqueue: queue, create_info: 0xf0_0008n });
  fixture.activate(queue);
  const write = (offset: number, value: bigint) => vic.model?.writeDistributor(0, { offset, sizeBytes: 4, value });
  write(0, 2n);
  write(0x84, 0xffff_ffffn);
  write(0xc08, trigger === 'edge' ? 0xaaaa_aaaan : 0n);
  write(0x104, 0xffff_ffffn);
  vic.writeSystemRegister(0, 'ICC_PMR_EL1', 0xf8n);
  vic.writeSystemRegister(0, 'ICC_IGRPEN1_EL1', 1n);
  fixture.rootCall('msgqueue_bind_receive_virq', { msgqueue: queue, vic: vm.vic, virq: RX });
  fixture.rootCall('msgqueue_bind_send_virq', { msgqueue: queue, vic: vm.vic, virq: TX });
  return { fixture, vm, vic, queue, own: fixture.give(vm, queue, 0xf) };
}

const send = ({ fixture, queue }: Setup) => fixture.rootCall('msgqueue_send', { msgqueue: queue, size: 4n, data: fixture.root.environment.privateBase, send_flags: 0 });
const receive = ({ fixture, vm, own }: Setup) => fixture.native(vm.thread, 'msgqueue_receive', own, 0x8000_1000n, 240n);

/** Acknowledges and ends one interrupt; its number. */
function take({ vic }: Setup): bigint {
  const intid = vic.readSystemRegister(0, 'ICC_IAR1_EL1');
  assert.ok(intid !== 'undefined');
  if (intid !== SPURIOUS) vic.writeSystemRegister(0, 'ICC_EOIR1_EL1', intid);
  return intid;
}

describe('a queue’s receive interrupt', () => {
  it('comes once per crossing when edge-triggered', () => {
    const setup = setUp('edge');
    send(setup);
    send(setup);
    assert.equal(setup.fixture.vcpu(setup.vm.thread).irq, true);
    assert.deepEqual([take(setup), take(setup)], [BigInt(RX), SPURIOUS]);
    receive(setup);
    receive(setup);
    send(setup);
    assert.deepEqual([take(setup), take(setup)], [BigInt(RX), SPURIOUS]);
  });

  it('comes again while a message waits, and once more after the last, when level-triggered', () => {
    const setup = setUp('level');
    send(setup);
    assert.deepEqual([take(setup), take(setup)], [BigInt(RX), BigInt(RX)]);
    receive(setup);
    assert.equal(take(setup), BigInt(RX));
    assert.equal(take(setup), SPURIOUS);
  });
});

describe('a queue’s send interrupt', () => {
  it('comes when a full queue is drained by one', () => {
    const setup = setUp('edge');
    for (let n = 0; n < 8; n++) send(setup);
    take(setup);
    assert.equal(take(setup), SPURIOUS);
    receive(setup);
    assert.deepEqual([take(setup), take(setup)], [BigInt(TX), SPURIOUS]);
    receive(setup);
    assert.equal(take(setup), SPURIOUS);
  });
});

describe('an edge-only source', () => {
  it('is not seen by a level-triggered interrupt', () => {
    for (const [trigger, expected] of [['level', SPURIOUS], ['edge', 50n]] as const) {
      const setup = setUp(trigger);
      const { fixture, vm } = setup;
      setup.vic.model?.writeDistributor(0, { offset: 0xc0c, sizeBytes: 4, value: trigger === 'edge' ? 0xaaaa_aaaan : 0n });
      const other = fixture.makeVm({ vmid: 11, cpu: 1 });
      fixture.rootCall('vcpu_bind_virq', { vcpu: other.vcpu, vic: vm.vic, virq: 50, virq_type: 0 });
      fixture.powerOn(other);
      fixture.smccc(other.thread, 0x8400_0008);
      assert.equal(take(setup), expected);
    }
  });
});

describe('a forwarded line', () => {
  const BIT = 2n;
  /** Line 33 as interrupt 33, disabled; stores to the distributor, the line, and whether the interrupt is pending. */
  function forwarded(trigger: 'edge' | 'level') {
    const setup = setUp(trigger);
    assert.equal(setup.vic.attachFrame(0, 0x0800_0000n, 0x1_0000n, 0n), 'OK');
    const store = (offset: bigint, value: bigint) => { setup.vic.access({ ipa: 0x0800_0000n + offset, sizeBytes: 4, isWrite: true, value, vcpuIndex: 0 }); };
    store(0x184n, BIT);
    const line = setup.fixture.hypervisor.hardwareLine(33);
    assert.ok(line);
    setup.fixture.rootCall('hwirq_bind_virq', { hwirq: setup.fixture.root.environment.hardwareInterrupts.get(33) ?? 0n, vic: setup.vm.vic, virq: 33 });
    return { setup, line, store, enable: () => { store(0x104n, BIT); }, isPending: () => setup.vic.inspect(33)?.pending };
  }

  it('is not seen while the interrupt is disabled, and comes with its enabling if it is still high', () => {
    const { setup, line, enable, isPending } = forwarded('level');
    line.setLevel(true);
    assert.equal(isPending(), false);
    line.setLevel(false);
    enable();
    assert.equal(take(setup), SPURIOUS);
    line.setLevel(true);
    assert.deepEqual([isPending(), take(setup)], [true, 33n]);
  });

  it('comes with the enabling once when it is high already', () => {
    const { setup, line, enable } = forwarded('level');
    line.setLevel(true);
    enable();
    assert.equal(setup.fixture.vcpu(setup.vm.thread).irq, true);
    const intid = setup.vic.readSystemRegister(0, 'ICC_IAR1_EL1');
    line.setLevel(false);
    setup.vic.writeSystemRegister(0, 'ICC_EOIR1_EL1', intid === 'undefined' ? 0n : intid);
    assert.deepEqual([intid, take(setup)], [33n, SPURIOUS]);
  });

  it('keeps an edge that came meanwhile, unless it is cleared, in a saved state too', () => {
    for (const [clears, expected] of [[false, 33n], [true, SPURIOUS]] as const) {
      const { setup, line, store, enable, isPending } = forwarded('edge');
      line.setLevel(true);
      line.setLevel(false);
      assert.equal(isPending(), false);
      setup.fixture.hypervisor.restore(structuredClone(setup.fixture.hypervisor.save()));
      assert.equal(isPending(), false);
      if (clears) store(0x284n, BIT);
      enable();
      assert.deepEqual([take(setup), take(setup)], [expected, SPURIOUS]);
    }
  });
});

describe('execution rights of stage 2', () => {
  it('stop a fetch from memory that is mapped without them', () => {
    const setup = setUp('edge');
    const { fixture, vm } = setup;
    const { cap, base } = fixture.makeMemory(0x20_0000n);
    fixture.rootCall('addrspace_map', { addrspace: vm.addrspace, memextent: cap, vbase: 0x9000_0000n, map_attrs: 0x0f_0066, map_flags: 0, offset: 0n, size: 0n });
    fixture.engine.memory.writeU32(pa(base), 0xd503201f);
    // vector: b .
    fixture.load(vm, [0x14000000], 0x1200);
    const vcpu = fixture.vcpu(vm.thread);
    vcpu.setSystemRegister('VBAR_EL1', 0x8000_1000n);
    vcpu.pc = 0x9000_0000n;
    fixture.run(4, 10);
    assert.deepEqual([vcpu.pc, vcpu.systemRegister('ESR_EL1'), vcpu.systemRegister('FAR_EL1')], [0x8000_1200n, 0x8600_0010n, 0x9000_0000n]);
  });
});
