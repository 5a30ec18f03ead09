/** Rows of partitions, capability spaces, objects in general and of the calls without an object. */

import assert from 'node:assert/strict';
import { capId } from '../../../runtime/base/brands';
import { allRights } from '../../../runtime/hypervisor/rights';
import { type Failure, fails, failsWith, type RowTests, type Sample } from './cases';
import { EMPTY_SLOT, INVALID, type MadeType, smallWorld, UNDECODABLE, World } from './world';

const CREATABLE = ['cspace', 'addrspace', 'memextent', 'thread', 'doorbell', 'msgqueue', 'vic', 'vpm_group', 'virtio_mmio'] as const satisfies readonly MadeType[];

/** A cspace whose two places are taken. */
function fullCspace(world: World): bigint {
  const cspace = world.create('cspace');
  world.do('cspace_configure', { cspace, max_caps: 2 });
  world.do('object_activate', { cap: cspace });
  for (let n = 0; n < 2; n++) world.do('cspace_copy_cap_from', { src_cspace: world.cspace, src_cap: cspace, dest_cspace: cspace, rights_mask: 1 });
  return cspace;
}

/** Empties the heap after the sample was made. */
const drained = (error: 'NOMEM', when: string, change: Failure['change'] = (_world, sample) => sample, small = smallWorld): Failure => fails(error, when, (world, sample) => {
  const args = change(world, sample);
  world.drain();
  return args;
}, { world: small });

const create: Sample = (world) => ({ src_partition: world.partition, cspace: world.active('cspace') });

/** The row that creates objects of a type. */
export function creation(type: MadeType, platform: ConstructorParameters<typeof World>[0] = { heapSize: 1 << 20 }): RowTests {
  const small = () => new World(platform);
  return {
    row: `partition_create_${type}`, sample: create, success: 'makes an object in INIT with a master capability that has every right',
    check: (world, { cspace = 0 }, { values }) => {
      assert.equal(values['new_cap'], 0n, 'the first capability of the cspace');
      const mine = world.call('cspace_copy_cap_from', { src_cspace: cspace, src_cap: 0n, dest_cspace: world.cspace, rights_mask: 0xffff_ffff }, 'native');
      assert.equal(mine.error, 'OK');
      assert.equal(world.call('cspace_revoke_caps_from', { src_cspace: world.cspace, master_cap: mine.values['new_cap'] ?? 0n }, 'native').error, 'CSPACE_INSUFFICIENT_RIGHTS', 'a copy is no master');
      assert.equal(world.rightsOf(mine.values['new_cap'] ?? 0n), allRights(type));
      world.do('cspace_revoke_caps_from', { src_cspace: cspace, master_cap: 0n });
      assert.equal(world.stateOf(cspace, 0n), 'init');
    },
    failures: [
      fails('CSPACE_FULL', 'the cspace has no room', (world, sample) => ({ ...sample, cspace: fullCspace(world) })),
      drained('NOMEM', 'the heap is empty', undefined, small),
      drained('NOMEM', 'the heap is empty, which comes before a full cspace', (world, sample) => ({ ...sample, cspace: fullCspace(world) }), small),
    ],
  };
}

/** What object_activate and object_activate_from share: objects that do not activate. */
function activationFailures(place: (world: World, cap: bigint) => Readonly<Record<string, bigint>>): Failure[] {
  const failing = (error: Failure['error'], when: string, make: (world: World) => bigint, more: Pick<Failure, 'world'> = {}): Failure => fails(error, when, (world) => place(world, make(world)), more);
  const thread = (world: World, change: (cap: bigint) => void): bigint => {
    const cap = world.prepared('thread');
    change(cap);
    return cap;
  };
  return [
    failing('OBJECT_STATE', 'the object is active already', (world) => world.active('doorbell')),
    failing('OBJECT_STATE', 'the object has failed', (world) => world.failed('cspace')),
    ...(['cspace', 'memextent', 'thread', 'msgqueue', 'virtio_mmio'] as const).map((type) => failing('OBJECT_CONFIG', `a ${type} is not configured`, (world) => world.create(type))),
    failing('OBJECT_CONFIG', 'a thread has no capability space', (world) => {
      const cap = world.create('thread');
      world.do('addrspace_attach_thread', { addrspace: world.active('addrspace'), thread: cap });
      world.do('vic_attach_vcpu', { vic: world.active('vic'), vcpu: cap, index: 0 });
      return cap;
    }),
    failing('OBJECT_CONFIG', 'a pinned vCPU has no CPU', (world) => thread(world, (vcpu) => { world.do('vcpu_configure', { vcpu, vcpu_options: 1n }); })),
    failing('ARGUMENT_INVALID', 'a thread has no interrupt controller', (world) => {
      const cap = world.create('thread');
      world.do('addrspace_attach_thread', { addrspace: world.active('addrspace'), thread: cap });
      world.do('cspace_attach_thread', { cspace: world.active('cspace'), thread: cap });
      return cap;
    }),
    failing('BUSY', 'an address space has no identifier', (world) => world.create('addrspace')),
    failing('BUSY', 'the identifier of an address space is in use', (world) => {
      const cap = world.create('addrspace');
      world.do('addrspace_configure', { addrspace: cap, vmid: 255 });
      return cap;
    }),
    failing('BUSY', 'a vCPU’s place at the interrupt controller is taken', (world) => {
      const vic = world.active('vic');
      for (const isLast of [false, true]) {
        const cap = world.create('thread');
        world.attachThread(cap, vic);
        if (isLast) return cap;
        world.do('object_activate', { cap });
      }
      return 0n;
    }),
    failing('DENIED', 'a vCPU’s place in its power group is taken, which comes before an interrupt controller’s', (world) => {
      const [vic, group] = [world.active('vic'), world.active('vpm_group')];
      const next = (): bigint => {
        const cap = world.create('thread');
        world.attachThread(cap, vic);
        world.do('vpm_group_attach_vcpu', { vpm_group: group, vcpu: cap, index: 3 });
        return cap;
      };
      world.do('object_activate', { cap: next() });
      return next();
    }),
    failing('BUSY', 'the parent of an extent is a register page', (world) => {
      const parent = world.basic(1n);
      const device = world.create('virtio_mmio');
      world.do('virtio_mmio_configure', { virtio_mmio: device, memextent: parent, vqs_num: 1, flags: 0n, device_type: 0 });
      world.do('object_activate', { cap: device });
      const cap = world.create('memextent');
      world.derive(cap, parent, [0n, 0x1000n], 7);
      return cap;
    }),
    failing('BUSY', 'a register page has children', (world) => {
      const page = world.basic(1n);
      world.basic(1n, 7, page, 0n);
      const device = world.create('virtio_mmio');
      world.do('virtio_mmio_configure', { virtio_mmio: device, memextent: page, vqs_num: 1, flags: 0n, device_type: 0 });
      return device;
    }),
    failing('DENIED', 'the parent of a basic extent is mapped in part', (world) => {
      const parent = world.sparse(4n);
      world.do('addrspace_map', { addrspace: world.active('addrspace'), memextent: parent, vbase: 0n, map_attrs: 0xf_0077, map_flags: 1, offset: 0n, size: 0x1000n });
      const cap = world.create('memextent');
      world.derive(cap, parent, [0n, 0x2000n], 7);
      return cap;
    }),
    failing('MEMDB_NOT_OWNER', 'pages of an extent belong to another', (world) => {
      const cap = world.create('memextent');
      world.do('memextent_configure', { memextent: cap, phys_base: world.memoryBase, size: 0x1000n, attributes: 7 });
      return cap;
    }),
    ...([['there is no memory at all', 0x8_0000_0000n, 0x1000n], ['an extent ends beyond all memory', 0n, 0x10_0000_0000n]] as const).map(([when, phys_base, size]) => failing('ADDR_INVALID', when, (world) => {
      const cap = world.create('memextent');
      world.do('memextent_configure', { memextent: cap, phys_base, size, attributes: 7 });
      return cap;
    })),
    drained('NOMEM', 'the heap cannot pay for a queue’s buffer', (world) => {
      const cap = world.create('msgqueue');
      world.do('msgqueue_configure', { msgqueue: cap, create_info: (1023n << 16n) | 255n });
      return place(world, cap);
    }),
  ];
}

const nothingDone = (): void => undefined;

/** Rows of this file. */
export const OBJECT_ROWS: readonly RowTests[] = [
  {
    row: 'hypervisor_identify', sample: () => ({}), success: 'says version 1, 64-bit, the features of the reference build',
    check: (_world, _args, { values }) => {
      assert.deepEqual(values, { hyp_api_info: 0x5100_0000_0000_8001n, api_flags_0: 0x1000_0effn, api_flags_1: 0n, api_flags_2: 0n });
    },
  },
  {
    row: 'partition_create_partition', sample: () => ({ src_partition: UNDECODABLE, cspace: EMPTY_SLOT }), success: 'is a stub that looks at no capability', answers: 'UNIMPLEMENTED',
    check: (_world, _args, { values }) => { assert.equal(values['new_cap'], INVALID); },
  },
  ...CREATABLE.map((type) => creation(type)),
  {
    row: 'object_activate', sample: (world) => ({ cap: world.prepared('cspace') }), success: 'makes an object usable',
    check: (world, { cap = 0 }) => { assert.equal(world.call('partition_create_doorbell', { src_partition: world.partition, cspace: cap }, 'native').error, 'OK'); },
    failures: [
      failsWith('ARGUMENT_INVALID', 'the capability does not decode', { cap: UNDECODABLE }),
      failsWith('CSPACE_CAP_NULL', 'the capability is an empty slot', { cap: EMPTY_SLOT }),
      fails('CSPACE_CAP_REVOKED', 'the capability is revoked', (world) => ({ cap: world.revoked() })),
      fails('CSPACE_INSUFFICIENT_RIGHTS', 'the capability lacks the right', (world, { cap = 0 }) => ({ cap: world.copy(capId(BigInt(cap)), 0x1f) })),
      ...activationFailures((_world, cap) => ({ cap })),
    ],
  },
  {
    row: 'object_activate_from', sample: (world) => ({ cspace: world.cspace, cap: world.prepared('cspace') }), success: 'makes an object usable that another cspace names',
    check: (world, { cap = 0 }) => { assert.equal(world.call('partition_create_doorbell', { src_partition: world.partition, cspace: cap }, 'native').error, 'OK'); },
    failures: [
      failsWith('ARGUMENT_INVALID', 'the object’s capability does not decode', { cap: UNDECODABLE }),
      failsWith('CSPACE_CAP_NULL', 'the object’s capability is an empty slot', { cap: EMPTY_SLOT }),
      fails('CSPACE_CAP_NULL', 'the capability is not in that cspace', (world, sample) => ({ ...sample, cspace: world.active('cspace') })),
      fails('CSPACE_CAP_REVOKED', 'the object’s capability is revoked', (world, sample) => ({ ...sample, cap: world.revoked() })),
      fails('CSPACE_INSUFFICIENT_RIGHTS', 'the object’s capability lacks the right', (world, sample) => ({ ...sample, cap: world.copy(capId(BigInt(sample['cap'] ?? 0)), 0x1f) })),
      ...activationFailures((world, cap) => ({ cspace: world.cspace, cap })),
    ],
  },
  { row: 'object_reset', sample: () => ({ cap: UNDECODABLE }), success: 'is a stub that looks at no capability', answers: 'UNIMPLEMENTED', check: nothingDone },
  { row: 'object_reset_from', sample: () => ({ cspace: UNDECODABLE, cap: EMPTY_SLOT }), success: 'is a stub that looks at no capability', answers: 'UNIMPLEMENTED', check: nothingDone },
  {
    row: 'cspace_delete_cap_from', sample: (world) => ({ cspace: world.cspace, cap: world.create('doorbell') }), success: 'empties the slot and ends the object with its last capability',
    check: (world, { cap = 0 }) => {
      assert.equal(world.call('cspace_delete_cap_from', { cspace: world.cspace, cap }, 'native').error, 'CSPACE_CAP_NULL');
      const revoked = world.revoked();
      world.do('cspace_delete_cap_from', { cspace: world.cspace, cap: revoked });
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'the deleted capability does not decode', { cap: UNDECODABLE }),
      failsWith('CSPACE_CAP_NULL', 'the slot is empty', { cap: EMPTY_SLOT }),
    ],
  },
  {
    row: 'cspace_copy_cap_from', sample: (world) => ({ src_cspace: world.cspace, src_cap: world.active('doorbell'), dest_cspace: world.cspace, rights_mask: 0xffff_fffd }),
    success: 'makes a copy whose rights are the source’s and the mask’s',
    check: (world, _args, { values }) => {
      const copy = values['new_cap'] ?? 0n;
      assert.equal(world.rightsOf(copy), 0x8000_0005);
      assert.equal(world.call('doorbell_send', { doorbell: copy, new_flags: 1n }, 'native').error, 'OK');
      assert.equal(world.call('doorbell_receive', { doorbell: copy, clear_flags: 1n }, 'native').error, 'CSPACE_INSUFFICIENT_RIGHTS');
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'the source does not decode', { src_cap: UNDECODABLE }),
      failsWith('CSPACE_CAP_NULL', 'the source is an empty slot', { src_cap: EMPTY_SLOT }),
      fails('CSPACE_CAP_REVOKED', 'the source is revoked', (world, sample) => ({ ...sample, src_cap: world.revoked() })),
      failsWith('CSPACE_INSUFFICIENT_RIGHTS', 'no right is left', { rights_mask: 0x40 }),
      fails('CSPACE_FULL', 'the destination is full, which comes before a bad source', (world, sample) => ({ ...sample, dest_cspace: fullCspace(world), src_cap: UNDECODABLE })),
      drained('NOMEM', 'there is no memory for the destination’s first table', (world, sample) => ({ ...sample, dest_cspace: world.active('cspace') })),
    ],
  },
  { row: 'cspace_revoke_cap_from', sample: () => ({ src_cspace: UNDECODABLE, src_cap: EMPTY_SLOT }), success: 'is a stub that looks at no capability', answers: 'UNIMPLEMENTED', check: nothingDone },
  {
    row: 'cspace_configure', sample: (world) => ({ cspace: world.create('cspace'), max_caps: 1 }), success: 'sets how many capabilities fit',
    check: (world, { cspace = 0 }) => {
      world.do('object_activate', { cap: cspace });
      const make = () => world.call('partition_create_doorbell', { src_partition: world.partition, cspace }, 'native').error;
      assert.deepEqual([make(), make()], ['OK', 'CSPACE_FULL']);
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'there are not so many slots', { max_caps: 62 * 232 + 1 }),
      fails('OBJECT_STATE', 'the cspace is active already, which comes before a limit that is too high', (world) => ({ cspace: world.active('cspace'), max_caps: 62 * 232 + 1 })),
    ],
  },
  {
    row: 'cspace_attach_thread', sample: (world) => ({ cspace: world.active('cspace'), thread: world.create('thread') }), success: 'keeps the cspace alive as long as the thread',
    check: (world, { cspace = 0, thread = 0 }) => {
      const before = world.objectCount();
      world.do('cspace_delete_cap_from', { cspace: world.cspace, cap: cspace });
      assert.equal(world.objectCount(), before);
      world.do('cspace_delete_cap_from', { cspace: world.cspace, cap: thread });
      assert.equal(world.objectCount(), before - 2);
    },
  },
  {
    row: 'cspace_revoke_caps_from', sample: (world) => {
      const master_cap = world.active('doorbell');
      world.stock = { copy: world.copy(master_cap, 7), second: world.copy(master_cap, 1) };
      return { src_cspace: world.cspace, master_cap };
    },
    success: 'revokes every other capability of the object and leaves the master',
    check: (world, { master_cap = 0 }) => {
      const send = (doorbell: bigint | number) => world.call('doorbell_send', { doorbell, new_flags: 1n }, 'native').error;
      assert.deepEqual([send(world.stock['copy'] ?? 0n), send(world.stock['second'] ?? 0n), send(master_cap)], ['CSPACE_CAP_REVOKED', 'CSPACE_CAP_REVOKED', 'OK']);
      assert.equal(world.call('cspace_copy_cap_from', { src_cspace: world.cspace, src_cap: world.stock['copy'] ?? 0n, dest_cspace: world.cspace, rights_mask: 1 }, 'native').error, 'CSPACE_CAP_REVOKED');
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'the master does not decode', { master_cap: UNDECODABLE }),
      failsWith('CSPACE_CAP_NULL', 'the master’s slot is empty', { master_cap: EMPTY_SLOT }),
      fails('CSPACE_CAP_REVOKED', 'the capability is revoked itself', (world, sample) => ({ ...sample, master_cap: world.revoked() })),
      fails('CSPACE_INSUFFICIENT_RIGHTS', 'the capability is a copy', (world, sample) => ({ ...sample, master_cap: world.stock['copy'] ?? 0n })),
    ],
  },
  {
    row: 'trace_update_class_flags', sample: () => ({ set_flags: 0x2n | 0x4n, clear_flags: 0x4n | 0x21n }), success: 'clears, then sets, all but the fixed classes',
    check: (world, _args, { values }) => {
      assert.equal(values['flags'], 0x700e7n);
      world.do('trace_update_class_flags', { clear_flags: 0xffff_ffff_ffff_ffffn });
      assert.equal(world.do('trace_update_class_flags')['flags'], 0x21n);
      world.do('trace_update_class_flags', { set_flags: 0x700e5n, clear_flags: 0n });
    },
  },
  {
    row: 'prng_get_entropy', sample: () => ({ num_bytes: 12 }), success: 'fills as many words as were asked for', world: () => new World(),
    check: (world, _args, { values }) => {
      assert.notEqual(values['data0'], values['data1']);
      assert.equal(values['data3'], 0n);
      assert.notEqual(world.do('prng_get_entropy', { num_bytes: 16 })['data3'], 0n);
    },
    failures: [
      failsWith('ARGUMENT_SIZE', 'nothing is asked for', { num_bytes: 0 }),
      failsWith('ARGUMENT_SIZE', 'more than 16 bytes are asked for, which comes before their alignment', { num_bytes: 17 }),
      failsWith('ARGUMENT_ALIGNMENT', 'the size is not whole words', { num_bytes: 6 }),
      fails('BUSY', 'this vCPU has read four times within 33 ms', (world, sample) => {
        for (let n = 0; n < 4; n++) world.do('prng_get_entropy', { num_bytes: 4 });
        return sample;
      }),
    ],
  },
];
