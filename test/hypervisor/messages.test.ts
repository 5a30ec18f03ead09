/** Doorbells and message queues by hypercalls: state, results, interrupts. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CapId, ipa, pa } from '../../runtime/base/brands';
import { errorOf, Fixture, type TestVm } from './fixture';

const UNCHANGED = 0xffff_ffffn;
const BUFFER = 0x8000_1000n;

interface Queue { readonly fixture: Fixture; readonly vm: TestVm; readonly queue: CapId; readonly own: CapId }

function makeQueue(depth = 2, size = 16): Queue {
  const fixture = new Fixture();
  const vm = fixture.makeVm({ cpu: 1 });
  fixture.powerOn(vm);
  const queue = fixture.create('msgqueue');
  fixture.rootCall('msgqueue_configure', { msgqueue: queue, create_info: BigInt(depth | (size << 16)) });
  fixture.activate(queue);
  return { fixture, vm, queue, own: fixture.give(vm, queue, 0xf) };
}

/** Binds both ends to the VM's VIC: TX 40, RX 41, as seen by the pending bits. */
function bindBoth({ fixture, vm, queue }: Queue): { readonly pending: (virq: number) => boolean } {
  fixture.rootCall('msgqueue_bind_send_virq', { msgqueue: queue, vic: vm.vic, virq: 40 });
  fixture.rootCall('msgqueue_bind_receive_virq', { msgqueue: queue, vic: vm.vic, virq: 41 });
  return { pending: (virq) => vm.thread.vic?.object.vic.inspect(virq)?.pending === true };
}

describe('a message queue', () => {
  it('refuses depths and sizes out of range', () => {
    const fixture = new Fixture();
    const queue = fixture.create('msgqueue');
    for (const info of [0n, 1n, 0x10000n, 0x1_0100n, 0x400_0001n, 0xffff_ffffn]) fixture.rootCall('msgqueue_configure', { msgqueue: queue, create_info: info }, 'ARGUMENT_INVALID');
    fixture.rootCall('msgqueue_configure', { msgqueue: queue, create_info: 0xffff_ffff_03ff_00ffn });
  });

  it('carries messages in order between a vCPU and the root VM', () => {
    const { fixture, vm, queue, own } = makeQueue();
    fixture.engine.memory.write(pa(vm.memoryBase + 0x1000n), Uint8Array.of(1, 2, 3, 4, 5));
    assert.deepEqual(fixture.native(vm.thread, 'msgqueue_send', own, 3n, BUFFER, 0n).slice(0, 3), [0n, 1n, 0n]);
    assert.deepEqual(fixture.native(vm.thread, 'msgqueue_send', own, 2n, BUFFER + 3n, 0n).slice(0, 2), [0n, 0n]);
    assert.deepEqual(fixture.native(vm.thread, 'msgqueue_send', own, 0n, BUFFER, 0n).slice(0, 2), [61n, 0n]);
    const buffer = fixture.root.environment.privateBase;
    const receive = () => fixture.root.hypercall('msgqueue_receive', { msgqueue: queue, buffer, buf_size: 16n });
    assert.deepEqual(receive(), { error: 0, size: 3n, not_empty: 1 });
    assert.deepEqual(fixture.root.read(ipa(buffer), 3), { ok: true, value: Uint8Array.of(1, 2, 3) });
    assert.deepEqual(receive(), { error: 0, size: 2n, not_empty: 0 });
    assert.deepEqual(receive(), { error: 60, size: 0n, not_empty: 0 });
  });

  it('loses a message whose copy fails, answering OK and not full', () => {
    const { fixture, vm, own } = makeQueue();
    for (const [size, address] of [[0n, BUFFER], [17n, BUFFER], [4n, 0x10_0000n], [4n, 0xffff_ffff_ffff_fffen], [1n << 40n, BUFFER]] as const) {
      assert.deepEqual(fixture.native(vm.thread, 'msgqueue_send', own, size, address, 0n).slice(0, 2), [0n, 1n]);
    }
    assert.equal(fixture.hypervisor.inspect.queues()[0]?.messages.length, 0);
  });

  it('keeps a message whose delivery fails, answering OK, size 0 and not empty', () => {
    const { fixture, vm, own } = makeQueue();
    fixture.native(vm.thread, 'msgqueue_send', own, 8n, BUFFER, 0n);
    assert.deepEqual(fixture.native(vm.thread, 'msgqueue_receive', own, BUFFER, 7n).slice(0, 3), [0n, 0n, 1n]);
    assert.deepEqual(fixture.native(vm.thread, 'msgqueue_receive', own, 0x10_0000n, 8n).slice(0, 3), [0n, 0n, 1n]);
    assert.deepEqual(fixture.native(vm.thread, 'msgqueue_receive', own, BUFFER, 8n).slice(0, 3), [0n, 8n, 0n]);
  });

  it('asserts its interrupts on exact equality with the thresholds, or by push', () => {
    const made = makeQueue(4);
    const { fixture, vm, own } = made;
    const { pending } = bindBoth(made);
    const send = (flags = 0n) => fixture.native(vm.thread, 'msgqueue_send', own, 4n, BUFFER, flags);
    assert.equal(errorOf(fixture.native(vm.thread, 'msgqueue_configure_receive', own, 2n, UNCHANGED)), 0);
    send();
    assert.equal(pending(41), false);
    send();
    assert.equal(pending(41), true);
    assert.equal(pending(40), false);
    send();
    send();
    assert.equal(pending(40), false);
    fixture.native(vm.thread, 'msgqueue_receive', own, BUFFER, 16n);
    assert.equal(pending(40), true);
    fixture.native(vm.thread, 'msgqueue_flush', own);
    assert.equal(pending(41), false);
    send(1n);
    assert.equal(pending(41), true);
  });

  it('checks thresholds and holdoffs', () => {
    const { fixture, vm, own } = makeQueue(4);
    const configureSend = (threshold: bigint, holdoff = UNCHANGED) => errorOf(fixture.native(vm.thread, 'msgqueue_configure_send', own, threshold, holdoff));
    const configureReceive = (threshold: bigint, holdoff = UNCHANGED) => errorOf(fixture.native(vm.thread, 'msgqueue_configure_receive', own, threshold, holdoff));
    assert.deepEqual([configureSend(3n), configureSend(4n), configureSend(UNCHANGED), configureSend(1n, 0n)], [0, 1, 0, -1]);
    assert.deepEqual([configureReceive(4n), configureReceive(5n), configureReceive(0n), configureReceive(0xffff_fffen), configureReceive(1n, 0n)], [0, 1, 1, 0, -1]);
  });
});

describe('binding', () => {
  it('refuses bound sources, numbers that are no SPI, and taken numbers, in that order', () => {
    const { fixture, vm, queue } = makeQueue();
    const bind = (virq: number, error: 'OK' | 'ARGUMENT_INVALID' | 'BUSY' | 'VIRQ_BOUND') =>
      fixture.rootCall('msgqueue_bind_send_virq', { msgqueue: queue, vic: vm.vic, virq }, error);
    bind(31, 'ARGUMENT_INVALID');
    bind(96, 'ARGUMENT_INVALID');
    bind(0xffff_ffff, 'ARGUMENT_INVALID');
    bind(40, 'OK');
    bind(31, 'VIRQ_BOUND');
    fixture.rootCall('msgqueue_bind_receive_virq', { msgqueue: queue, vic: vm.vic, virq: 40 }, 'BUSY');
    fixture.rootCall('msgqueue_unbind_send_virq', { msgqueue: queue });
    fixture.rootCall('msgqueue_unbind_send_virq', { msgqueue: queue });
    fixture.rootCall('msgqueue_bind_receive_virq', { msgqueue: queue, vic: vm.vic, virq: 40 });
    const { hardwareInterrupts } = fixture.root.environment;
    const hwirq = hardwareInterrupts.get(33) ?? 0n;
    fixture.rootCall('hwirq_unbind_virq', { hwirq }, 'VIRQ_NOT_BOUND');
    fixture.rootCall('hwirq_bind_virq', { hwirq, vic: vm.vic, virq: 40 }, 'BUSY');
    fixture.rootCall('hwirq_bind_virq', { hwirq, vic: vm.vic, virq: 33 });
    fixture.hypervisor.hardwareLine(33)?.setLevel(true);
    assert.equal(vm.thread.vic?.object.vic.inspect(33)?.pending, false);
    const vic = vm.thread.vic?.object.vic;
    vic?.attachFrame(0, 0x0800_0000n, 0x1_0000n, 0n);
    vic?.access({ ipa: 0x0800_0104n, sizeBytes: 4, isWrite: true, value: 2n, vcpuIndex: 0 });
    assert.equal(vm.thread.vic?.object.vic.inspect(33)?.pending, true);
  });

  it('wakes the root VM', () => {
    const { fixture, vm, queue, own } = makeQueue();
    fixture.run(20);
    fixture.rootCall('msgqueue_bind_receive_virq', { msgqueue: queue, vic: fixture.root.environment.vic, virq: 45 });
    fixture.native(vm.thread, 'msgqueue_send', own, 4n, BUFFER, 0n);
    fixture.run(20);
    assert.deepEqual(fixture.interrupts, [45]);
  });
});

describe('a doorbell', () => {
  it('collects flags, returns the old ones, and clears what is asked', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    const doorbell = fixture.create('doorbell');
    const own = fixture.give(vm, doorbell, 7);
    assert.equal(errorOf(fixture.native(vm.thread, 'doorbell_send', own, 1n)), 33);
    fixture.activate(doorbell);
    const call = (name: 'doorbell_send' | 'doorbell_receive', flags: bigint) => fixture.native(vm.thread, name, own, flags).slice(0, 2);
    assert.deepEqual([call('doorbell_send', 5n), call('doorbell_send', 0n), call('doorbell_receive', 1n)], [[0n, 0n], [0n, 5n], [0n, 5n]]);
    assert.deepEqual(call('doorbell_receive', 0n), [1n, 0n]);
    fixture.rootCall('doorbell_mask', { doorbell, enable_mask: 4n, ack_mask: 0xcn });
    assert.deepEqual(call('doorbell_send', 8n), [0n, 0n]);
    fixture.rootCall('doorbell_mask', { doorbell, enable_mask: 0n, ack_mask: 0n });
    assert.deepEqual(call('doorbell_send', 0n), [0n, 8n]);
    fixture.rootCall('doorbell_reset', { doorbell });
    assert.deepEqual(fixture.hypervisor.inspect.doorbells()[0], { objectId: fixture.hypervisor.inspect.doorbells()[0]?.objectId, flags: 0n, enableMask: 0xffff_ffff_ffff_ffffn, ackMask: 0n, virq: undefined });
  });
});
