/** Saving and restoring: what comes back is what was, and the future is the same. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pa } from '../../runtime/base/brands';
import type { SavedHypervisor } from '../../runtime/hypervisor/hypervisor';
import { Fixture, RAM_BASE, RAM_SIZE } from './fixture';

interface Checkpoint { readonly hypervisor: SavedHypervisor; readonly ram: Uint8Array; readonly vcpus: readonly Uint8Array[]; readonly now: Fixture['events']['now'] }

function save(fixture: Fixture): Checkpoint {
  return {
    hypervisor: structuredClone(fixture.hypervisor.save()), ram: fixture.engine.memory.read(pa(RAM_BASE), RAM_SIZE),
    vcpus: Array.from({ length: 16 }, (_, n) => fixture.engine.vcpu(n).save().slice()), now: fixture.events.now,
  };
}

function restore(fixture: Fixture, from: Checkpoint): void {
  fixture.engine.memory.write(pa(RAM_BASE), from.ram);
  from.vcpus.forEach((vcpu, n) => { fixture.engine.vcpu(n).restore(vcpu); });
  fixture.engine.flushCaches();
  fixture.events.restart(from.now);
  fixture.hypervisor.restore(from.hypervisor);
}

/** A system with two VMs that talk: one is woken by its timer and sends, the other is in WFI. */
function makeBusy(): { readonly fixture: Fixture; readonly act: () => void } {
  const fixture = new Fixture();
  const sender = fixture.makeVm({ vmid: 1, cpu: 0 });
  const proxy = fixture.makeVm({ vmid: 2, cpu: 'none', proxy: true });
  const queue = fixture.create('msgqueue');
  fixture.rootCall('msgqueue_configure', { msgqueue: queue, create_info: 0x10_0004n });
  fixture.activate(queue);
  fixture.rootCall('msgqueue_bind_receive_virq', { msgqueue: queue, vic: sender.vic, virq: 40 });
  fixture.rootCall('vcpu_bind_virq', { vcpu: proxy.vcpu, vic: sender.vic, virq: 41, virq_type: 1 });
  const [own, run] = [fixture.give(sender, queue, 0xf), fixture.give(sender, proxy.vcpu, 0x12)];
  // add x9, x9, #1 ; b -4
  fixture.load(sender, [0x91000529, 0x17ffffff]);
  fixture.load(proxy, [0x91000529, 0x17ffffff]);
  fixture.powerOn(sender);
  fixture.powerOn(proxy);
  const act = () => {
    fixture.native(sender.thread, 'msgqueue_send', own, 4n, 0x8000_0000n, 0n);
    fixture.smccc(sender.thread, 0xc600_8065, run);
    fixture.run(10, 1000);
    fixture.rootCall('memextent_modify', { memextent: sender.memory, flags: 0x8000_0001, offset: 0x8000n, size: 0x1000n });
  };
  act();
  return { fixture, act };
}

describe('a saved hypervisor', () => {
  it('is plain data, and saving again after restoring gives the same', () => {
    const { fixture } = makeBusy();
    const first = save(fixture);
    restore(fixture, first);
    assert.deepEqual(fixture.hypervisor.save(), first.hypervisor);
    fixture.hypervisor.checkInvariants();
  });

  it('goes the same way again', () => {
    const { fixture, act } = makeBusy();
    const start = save(fixture);
    act();
    const one = save(fixture);
    restore(fixture, start);
    act();
    const two = save(fixture);
    assert.deepEqual(two.hypervisor, one.hypervisor);
    assert.deepEqual(two.now, one.now);
    assert.deepEqual(two.vcpus, one.vcpus);
    assert.ok(Buffer.from(two.ram).equals(Buffer.from(one.ram)));
  });

  it('forgets objects made since, and brings back objects that died', () => {
    const { fixture } = makeBusy();
    const { cspace } = fixture.root.environment;
    const doorbell = fixture.create('doorbell');
    const start = save(fixture);
    fixture.rootCall('cspace_delete_cap_from', { cspace, cap: doorbell });
    const extra = fixture.makeVm({ vmid: 9 });
    fixture.powerOn(extra);
    restore(fixture, start);
    fixture.hypervisor.checkInvariants();
    assert.deepEqual(fixture.hypervisor.save(), start.hypervisor);
    fixture.activate(doorbell);
    fixture.makeVm({ vmid: 9 });
    fixture.hypervisor.checkInvariants();
  });
});
