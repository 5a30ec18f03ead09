/** Capability spaces by hypercalls: identifiers, copying, deleting, revoking, object life. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { capId } from '../../runtime/base/brands';
import { errorOf, Fixture } from './fixture';

describe('capability identifiers', () => {
  it('are table << 8 | slot in the plain encoding, lowest free first', () => {
    const fixture = new Fixture();
    const { cspace, partition } = fixture.root.environment;
    const made = Array.from({ length: 70 }, () => fixture.create('doorbell'));
    const [first] = made;
    assert.ok(first !== undefined);
    assert.ok(made.some((id) => id === 0x100n));
    assert.ok(made.every((id) => (id & 0xffn) < 62n));
    fixture.rootCall('cspace_delete_cap_from', { cspace, cap: first });
    assert.equal(fixture.rootCall('partition_create_doorbell', { src_partition: partition, cspace })['new_cap'], first);
  });

  it('that do not decode are invalid, empty slots are null', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    const send = (id: bigint) => errorOf(fixture.native(vm.thread, 'doorbell_send', id, 1n));
    assert.deepEqual([0n, 61n, 0x100n].map(send), [50, 50, 50]);
    assert.deepEqual([62n, 0xffn, 0xe800n, 0x10000n, 1n << 32n, 0xffff_ffff_ffff_ffffn].map(send), [1, 1, 1, 1, 1, 1]);
  });

  it('are scrambled per cspace in the random encoding, and still work', () => {
    const fixture = new Fixture({ capabilityEncoding: 'random' });
    const vm = fixture.makeVm();
    const doorbell = fixture.create('doorbell');
    fixture.activate(doorbell);
    const [one, two] = [fixture.give(vm, doorbell, 1), fixture.give(vm, doorbell, 1)];
    assert.notEqual(one, two);
    assert.ok(one > 0xffffn);
    assert.equal(errorOf(fixture.native(vm.thread, 'doorbell_send', one, 1n)), 0);
    assert.equal(errorOf(fixture.native(vm.thread, 'doorbell_send', 0n, 1n)), 1);
  });
});

describe('copying', () => {
  it('reduces rights, refuses none, and tests the destination before the source', () => {
    const fixture = new Fixture();
    const { cspace } = fixture.root.environment;
    const small = fixture.create('cspace');
    fixture.rootCall('cspace_configure', { cspace: small, max_caps: 1 });
    fixture.activate(small);
    const doorbell = fixture.create('doorbell');
    const copy = (src_cap: bigint, rights_mask: number, error: 'OK' | 'CSPACE_INSUFFICIENT_RIGHTS' | 'CSPACE_FULL' | 'CSPACE_CAP_NULL') =>
      fixture.rootCall('cspace_copy_cap_from', { src_cspace: cspace, src_cap, dest_cspace: small, rights_mask }, error);
    assert.equal(copy(doorbell, 0x10, 'CSPACE_INSUFFICIENT_RIGHTS')['new_cap'], 0n);
    copy(60n, 1, 'CSPACE_CAP_NULL');
    assert.equal(copy(doorbell, 3, 'OK')['new_cap'], 0n);
    copy(60n, 1, 'CSPACE_FULL');
    fixture.hypervisor.checkInvariants();
  });
});

describe('revoking', () => {
  it('needs the master, reaches every other copy, and leaves slots to delete', () => {
    const fixture = new Fixture();
    const { cspace } = fixture.root.environment;
    const vm = fixture.makeVm();
    const doorbell = fixture.create('doorbell');
    fixture.activate(doorbell);
    const own = fixture.give(vm, doorbell, 1);
    const copy = capId(BigInt(fixture.rootCall('cspace_copy_cap_from', { src_cspace: cspace, src_cap: doorbell, dest_cspace: cspace, rights_mask: 3 })['new_cap'] ?? 0));
    fixture.rootCall('cspace_revoke_caps_from', { src_cspace: cspace, master_cap: copy }, 'CSPACE_INSUFFICIENT_RIGHTS');
    fixture.rootCall('cspace_revoke_caps_from', { src_cspace: cspace, master_cap: doorbell });
    assert.equal(errorOf(fixture.native(vm.thread, 'doorbell_send', own, 1n)), 51);
    fixture.rootCall('doorbell_send', { doorbell: copy, new_flags: 1n }, 'CSPACE_CAP_REVOKED');
    fixture.rootCall('doorbell_send', { doorbell, new_flags: 1n });
    fixture.rootCall('cspace_delete_cap_from', { cspace, cap: copy });
    fixture.rootCall('cspace_delete_cap_from', { cspace, cap: copy }, 'CSPACE_CAP_NULL');
    fixture.hypervisor.checkInvariants();
  });
});

describe('an object', () => {
  it('dies with its last capability, unless something uses it', () => {
    const fixture = new Fixture();
    const { cspace } = fixture.root.environment;
    const count = () => fixture.hypervisor.inspect.objects().length;
    const before = count();
    const doorbell = fixture.create('doorbell');
    fixture.rootCall('cspace_delete_cap_from', { cspace, cap: doorbell });
    assert.equal(count(), before);
    const vm = fixture.makeVm();
    const used = count();
    fixture.rootCall('cspace_delete_cap_from', { cspace, cap: vm.addrspace });
    assert.equal(count(), used);
    fixture.rootCall('cspace_delete_cap_from', { cspace, cap: vm.vcpu });
    assert.equal(count(), used - 2);
    fixture.hypervisor.checkInvariants();
  });

  it('fails for good when its activation fails', () => {
    const fixture = new Fixture();
    const cspace = fixture.create('cspace');
    fixture.activate(cspace, 'OBJECT_CONFIG');
    fixture.activate(cspace, 'OBJECT_STATE');
    fixture.rootCall('cspace_configure', { cspace, max_caps: 1 }, 'OBJECT_STATE');
    const queue = fixture.create('msgqueue');
    fixture.activate(queue, 'OBJECT_CONFIG');
    const thread = fixture.create('thread');
    fixture.activate(thread, 'OBJECT_CONFIG');
    fixture.makeVm({ vmid: 9 });
    const addrspace = fixture.create('addrspace');
    fixture.rootCall('addrspace_configure', { addrspace, vmid: 256 }, 'ARGUMENT_INVALID');
    fixture.rootCall('addrspace_configure', { addrspace, vmid: 9 });
    fixture.activate(addrspace, 'BUSY');
  });

  it('costs heap: creating without end gives NOMEM or a full cspace, and deleting pays back', () => {
    const fixture = new Fixture({ heapSize: 2 * 1024 * 1024 });
    const { cspace, partition } = fixture.root.environment;
    const made: bigint[] = [];
    for (;;) {
      const result = fixture.root.hypercall('partition_create_vic', { src_partition: partition, cspace });
      if (result.error !== 0) {
        assert.equal(result.error, 10);
        break;
      }
      made.push(result.new_cap);
    }
    for (const cap of made) fixture.rootCall('cspace_delete_cap_from', { cspace, cap });
    assert.equal(fixture.root.hypercall('partition_create_vic', { src_partition: partition, cspace }).error, 0);
    fixture.hypervisor.checkInvariants();
  });

  it('pays for capability tables too: copies without end give NOMEM', () => {
    const fixture = new Fixture({ heapSize: 1024 * 1024 });
    const { cspace } = fixture.root.environment;
    const doorbell = fixture.create('doorbell');
    const spaces: bigint[] = [];
    let error = 0;
    while (error === 0) {
      const made = fixture.root.hypercall('partition_create_cspace', { src_partition: fixture.root.environment.partition, cspace });
      if (made.error !== 0) break;
      spaces.push(made.new_cap);
      fixture.rootCall('cspace_configure', { cspace: made.new_cap, max_caps: 14384 });
      fixture.activate(made.new_cap);
      for (let n = 0; n < 14384 && error === 0; n++) error = fixture.root.hypercall('cspace_copy_cap_from', { src_cspace: cspace, src_cap: doorbell, dest_cspace: made.new_cap, rights_mask: 1 }).error;
      if (error === 54) error = 0;
    }
    assert.equal(error, 10);
    for (const cap of spaces) fixture.rootCall('cspace_delete_cap_from', { cspace, cap: capId(cap) });
    fixture.hypervisor.checkInvariants();
    fixture.makeVm();
  });

  it('takes a long chain of others with it', () => {
    const fixture = new Fixture();
    const { cspace, partition } = fixture.root.environment;
    const before = fixture.hypervisor.inspect.objects().length;
    const parents: bigint[] = [fixture.makeMemory(0x20_0000n).cap];
    for (let n = 0; n < 1500; n++) {
      const made = fixture.root.hypercall('partition_create_memextent', { src_partition: partition, cspace });
      assert.equal(made.error, 0);
      fixture.rootCall('memextent_configure_derive', { memextent: made.new_cap, parent_memextent: parents[n] ?? 0n, offset: 0n, size: 0x20_0000n, attributes: 0x1_0007 });
      fixture.activate(made.new_cap);
      fixture.rootCall('memextent_modify', { memextent: made.new_cap, flags: 0, offset: 0n, size: 0n });
      parents.push(made.new_cap);
    }
    for (const cap of parents) fixture.rootCall('cspace_delete_cap_from', { cspace, cap });
    assert.equal(fixture.hypervisor.inspect.objects().length, before);
    fixture.hypervisor.checkInvariants();
  });
});
