/** Rows of doorbells, message queues, interrupt controllers, forwarded interrupts and power groups. */

import assert from 'node:assert/strict';
import { type CapId, capId } from '../../../runtime/base/brands';
import type { HypercallName } from '../../../runtime/hypervisor/hypercall-table';
import { type Failure, fails, failsWith, type RowTests } from './cases';
import { type Arguments, EMPTY_SLOT, type MadeType, smallWorld, type World } from './world';

const UNCHANGED = 0xffff_ffff;
const DEPTH = 0xffff_fffe;
/** Where the manager has RAM, and where it has none. */
const RAM = 0x8000_0000n;
const NOWHERE = 0x1_0000_0000n;

/** What binding a source to a shared interrupt refuses, in the order in which it looks. */
export function bindFailures(row: HypercallName): Failure[] {
  return [
    fails('VIRQ_BOUND', 'the source has a VIRQ, which comes before a number that does not exist', (world, sample) => {
      world.do(row, sample);
      return { ...sample, virq: 5000 };
    }),
    failsWith('ARGUMENT_INVALID', 'the number is private', { virq: 31 }),
    failsWith('ARGUMENT_INVALID', 'the controller has not so many', { virq: 96 }),
    failsWith('ARGUMENT_INVALID', 'the number is none', { virq: 1020 }),
    fails('BUSY', 'another source has the number', (world, sample) => {
      world.do('doorbell_bind_virq', { doorbell: world.active('doorbell'), vic: sample['vic'] ?? 0n, virq: 95 });
      return { ...sample, virq: 95 };
    }),
  ];
}

/** A bind call and its unbind call, of one source of an object. */
export function bindRows(rows: { readonly bind: HypercallName; readonly unbind: HypercallName; readonly argument: string; readonly type: MadeType; readonly more?: Arguments }): RowTests[] {
  const { bind, unbind, argument, type, more = {} } = rows;
  const unbindMore = Object.fromEntries(Object.entries(more).filter(([name]) => name !== 'virq'));
  return [
    {
      row: bind, sample: (world) => ({ [argument]: world.active(type), vic: world.active('vic'), virq: 32, ...more }), success: 'takes a number of the controller',
      check: (world, args) => {
        const other = world.active('doorbell');
        const take = () => world.call('doorbell_bind_virq', { doorbell: other, vic: args['vic'] ?? 0n, virq: 32 }, 'native').error;
        assert.equal(take(), 'BUSY');
        world.do(unbind, { [argument]: args[argument] ?? 0n, ...unbindMore });
        assert.equal(take(), 'OK');
      },
      failures: bindFailures(bind),
    },
    {
      row: unbind, success: 'frees the number, and does nothing when there is none',
      sample: (world) => {
        const object = world.active(type);
        world.do(bind, { [argument]: object, vic: world.active('vic'), virq: 32, ...more });
        return { [argument]: object, ...unbindMore };
      },
      check: (world, args) => {
        world.do(unbind, args);
        world.do(bind, { [argument]: args[argument] ?? 0n, vic: world.active('vic'), virq: 32, ...more });
      },
    },
  ];
}

const flagsOf = (world: World, doorbell: bigint | number = 0) => world.do('doorbell_send', { doorbell, new_flags: 0n })['old_flags'];
const doorbellWith = (flags: bigint) => (world: World): { readonly doorbell: CapId } => {
  const doorbell = world.active('doorbell');
  world.do('doorbell_send', { doorbell, new_flags: flags });
  return { doorbell };
};

const DOORBELL_ROWS: readonly RowTests[] = [
  ...bindRows({ bind: 'doorbell_bind_virq', unbind: 'doorbell_unbind_virq', argument: 'doorbell', type: 'doorbell' }),
  {
    row: 'doorbell_send', sample: (world) => ({ ...doorbellWith(0x6n)(world), new_flags: 0x3n }), success: 'adds flags and answers those from before',
    check: (world, { doorbell }, { values }) => {
      assert.equal(values['old_flags'], 0x6n);
      assert.equal(flagsOf(world, doorbell), 0x7n);
      world.do('doorbell_mask', { doorbell: doorbell ?? 0n, enable_mask: 0xfn, ack_mask: 0x5n });
      world.do('doorbell_send', { doorbell: doorbell ?? 0n, new_flags: 0x8n });
      assert.equal(flagsOf(world, doorbell), 0xan, 'flags of the acknowledgement mask go at once');
    },
  },
  {
    row: 'doorbell_receive', sample: (world) => ({ ...doorbellWith(0xff00n)(world), clear_flags: 0xf000n }), success: 'answers all flags and clears the chosen ones',
    check: (world, { doorbell }, { values }) => {
      assert.equal(values['old_flags'], 0xff00n);
      assert.equal(flagsOf(world, doorbell), 0xf00n);
    },
    failures: [failsWith('ARGUMENT_INVALID', 'nothing is to be cleared', { clear_flags: 0n })],
  },
  {
    row: 'doorbell_reset', sample: (world) => {
      const { doorbell } = doorbellWith(7n)(world);
      world.do('doorbell_mask', { doorbell, enable_mask: 0n, ack_mask: 0xffn });
      return { doorbell };
    },
    success: 'restores flags and masks',
    check: (world, { doorbell }) => {
      assert.equal(flagsOf(world, doorbell), 0n);
      world.do('doorbell_send', { doorbell: doorbell ?? 0n, new_flags: 1n });
      assert.equal(flagsOf(world, doorbell), 1n, 'no flag is acknowledged by itself');
    },
  },
  {
    row: 'doorbell_mask', sample: (world) => ({ ...doorbellWith(0xf0n)(world), enable_mask: 0x10n, ack_mask: 0x30n }), success: 'acknowledges by itself while an enabled flag is set',
    check: (world, { doorbell }) => {
      assert.equal(flagsOf(world, doorbell), 0xc0n);
      world.do('doorbell_mask', { doorbell: doorbell ?? 0n, enable_mask: 0x1n, ack_mask: 0xffn });
      assert.equal(flagsOf(world, doorbell), 0xc0n, 'no enabled flag is set');
    },
  },
];

/** A queue of depth 4 and size 64 with some messages of 8 bytes. */
const queueWith = (count: number) => (world: World): { readonly msgqueue: CapId } => {
  const msgqueue = world.active('msgqueue');
  for (let n = 0; n < count; n++) send(world, msgqueue, n + 1);
  return { msgqueue };
};

function send(world: World, msgqueue: bigint | number, first: number): bigint | undefined {
  world.put(RAM + 0x1000n, Uint8Array.of(first, 2, 3, 4, 5, 6, 7, 8));
  return world.do('msgqueue_send', { msgqueue, size: 8n, data: RAM + 0x1000n, send_flags: 0 })['not_full'];
}

const receiveAll = (world: World, msgqueue: bigint | number = 0): number => {
  let count = 0;
  while (world.call('msgqueue_receive', { msgqueue, buffer: RAM + 0x2000n, buf_size: 64n }, 'native').error === 'OK') count++;
  return count;
};

const QUEUE_ROWS: readonly RowTests[] = [
  ...bindRows({ bind: 'msgqueue_bind_send_virq', unbind: 'msgqueue_unbind_send_virq', argument: 'msgqueue', type: 'msgqueue' }),
  ...bindRows({ bind: 'msgqueue_bind_receive_virq', unbind: 'msgqueue_unbind_receive_virq', argument: 'msgqueue', type: 'msgqueue' }),
  {
    row: 'msgqueue_send', sample: (world) => ({ ...queueWith(0)(world), size: 5n, data: world.put(RAM + 0x1ffen, Uint8Array.of(9, 8, 7, 6, 5)), send_flags: 1 }),
    success: 'queues a message, also over the end of a page, and says whether there is room; a message that cannot be copied is lost',
    check: (world, args, { values }) => {
      const { msgqueue = 0 } = args;
      assert.equal(values['not_full'], 1n);
      for (const lost of [{ size: 0n }, { size: 65n }, { data: NOWHERE }, { data: 0xffff_ffff_ffff_fffcn }]) assert.equal(world.do('msgqueue_send', { ...args, ...lost })['not_full'], 1n);
      const answers = [2, 3, 4].map((n) => send(world, msgqueue, n));
      assert.deepEqual(answers, [1n, 1n, 0n]);
      world.do('msgqueue_receive', { msgqueue, buffer: RAM + 0x2000n, buf_size: 64n });
      assert.deepEqual(world.get(RAM + 0x2000n, 5), [9, 8, 7, 6, 5]);
      assert.equal(receiveAll(world, msgqueue), 3);
    },
    failures: [
      fails('MSGQUEUE_FULL', 'all places are taken, which comes before the size', (world, sample) => ({ ...sample, ...queueWith(4)(world), size: 0n })),
    ],
  },
  {
    row: 'msgqueue_receive', sample: (world) => ({ ...queueWith(2)(world), buffer: RAM + 0x2000n, buf_size: 8n }), success: 'delivers the oldest message and says whether there are more; one that cannot be copied stays',
    check: (world, args, { values }) => {
      assert.deepEqual([values['size'], values['not_empty']], [8n, 1n]);
      assert.deepEqual(world.get(RAM + 0x2000n, 8), [1, 2, 3, 4, 5, 6, 7, 8]);
      for (const change of [{ buf_size: 7n }, { buffer: NOWHERE }, { buf_size: 0n }]) {
        const { size, not_empty } = world.do('msgqueue_receive', { ...args, ...change });
        assert.deepEqual([size, not_empty], [0n, 1n]);
      }
      const { size, not_empty } = world.do('msgqueue_receive', args);
      assert.deepEqual([size, not_empty, world.get(RAM + 0x2000n, 1)], [8n, 0n, [2]]);
    },
    failures: [fails('MSGQUEUE_EMPTY', 'there is no message, which comes before a bad buffer', (world, sample) => ({ ...sample, ...queueWith(0)(world), buffer: NOWHERE }))],
  },
  {
    row: 'msgqueue_flush', sample: queueWith(3), success: 'drops all messages', check: (world, { msgqueue }) => {
      assert.equal(receiveAll(world, msgqueue), 0);
      world.do('msgqueue_flush', { msgqueue: msgqueue ?? 0n });
    },
  },
  {
    row: 'msgqueue_configure_send', sample: (world) => ({ ...queueWith(0)(world), not_full_thres: 3, not_full_holdoff: UNCHANGED }), success: 'takes thresholds below the depth, or leaves the old one',
    check: (world, args) => { world.do('msgqueue_configure_send', { ...args, not_full_thres: UNCHANGED }); },
    failures: [
      failsWith('ARGUMENT_INVALID', 'the threshold is the depth', { not_full_thres: 4 }),
      failsWith('UNIMPLEMENTED', 'there is a holdoff, which comes before the threshold', { not_full_holdoff: 0, not_full_thres: 9 }),
    ],
  },
  {
    row: 'msgqueue_configure_receive', sample: (world) => ({ ...queueWith(0)(world), not_empty_thres: 4, not_empty_holdoff: UNCHANGED }), success: 'takes thresholds up to the depth, the depth itself by name, or leaves the old one',
    check: (world, args) => { for (const not_empty_thres of [UNCHANGED, DEPTH, 1]) world.do('msgqueue_configure_receive', { ...args, not_empty_thres }); },
    failures: [
      failsWith('ARGUMENT_INVALID', 'the threshold is 0', { not_empty_thres: 0 }),
      failsWith('ARGUMENT_INVALID', 'the threshold is beyond the depth', { not_empty_thres: 5 }),
      failsWith('UNIMPLEMENTED', 'there is a holdoff, which comes before the threshold', { not_empty_holdoff: 1, not_empty_thres: 0 }),
    ],
  },
  {
    row: 'msgqueue_configure', sample: (world) => ({ msgqueue: world.create('msgqueue'), create_info: (0xffffn << 32n) | (1023n << 16n) | 255n }), success: 'sets depth and message size; the last call counts',
    check: (world, { msgqueue = 0 }) => {
      world.do('msgqueue_configure', { msgqueue, create_info: (8n << 16n) | 1n });
      world.do('object_activate', { cap: msgqueue });
      assert.equal(send(world, msgqueue, 1), 0n);
    },
    failures: [
      ...[0n, 1n, 1n << 16n, (1n << 16n) | 256n, (1024n << 16n) | 1n].map((create_info) => failsWith('ARGUMENT_INVALID', `the shape is 0x${create_info.toString(16)}`, { create_info })),
      fails('OBJECT_STATE', 'the queue is active, which comes before a bad shape', (world) => ({ msgqueue: world.active('msgqueue'), create_info: 0n })),
    ],
  },
];

const VIC_ROWS: readonly RowTests[] = [
  {
    row: 'vic_configure', sample: (world) => ({ vic: world.create('vic'), max_vcpus: 8, max_virqs: 988, vic_options: 3n, max_msis: 0 }), success: 'sizes the controller; the last call counts',
    check: (world, args) => {
      world.do('vic_configure', { ...args, max_vcpus: 1, max_virqs: 8, vic_options: 2n, max_msis: 77 });
      const { vic = 0 } = args;
      world.do('object_activate', { cap: vic });
      const bind = (virq: number) => world.call('doorbell_bind_virq', { doorbell: world.active('doorbell'), vic, virq }, 'native').error;
      assert.deepEqual([bind(39), bind(40)], ['OK', 'ARGUMENT_INVALID']);
      assert.equal(world.call('vic_attach_vcpu', { vic, vcpu: world.create('thread'), index: 1 }, 'native').error, 'ARGUMENT_INVALID');
    },
    failures: [
      ...([{ max_vcpus: 0 }, { max_vcpus: 9 }, { max_virqs: 989 }, { vic_options: 4n }, { vic_options: 3n, max_msis: 1 }] as const).map((change) => failsWith('ARGUMENT_INVALID', `a limit is passed: ${Object.keys(change).join()} ${Object.values(change).join()}`, change)),
      fails('ARGUMENT_INVALID', 'an option is unknown, which comes before a controller that is active', (world, sample) => ({ ...sample, vic: world.active('vic'), vic_options: 1n << 63n })),
      fails('OBJECT_STATE', 'the controller is active, which comes before limits', (world, sample) => ({ ...sample, vic: world.active('vic'), max_vcpus: 0 })),
    ],
  },
  {
    row: 'vic_attach_vcpu', sample: (world) => ({ vic: world.active('vic'), vcpu: world.create('thread'), index: 1 }), success: 'gives a vCPU its place, which may be given again before activation',
    check: (world, args) => {
      world.do('vic_attach_vcpu', { ...args, index: 0 });
      world.do('vic_attach_vcpu', { ...args, vic: world.active('vic') });
    },
    failures: [failsWith('ARGUMENT_INVALID', 'there is no such place', { index: 2 })],
  },
  {
    row: 'vic_bind_msi_source', sample: (world) => ({ vic: world.active('vic'), msi_source: EMPTY_SLOT }), success: 'finds no source of messages in the reference build', answers: 'CSPACE_WRONG_OBJECT_TYPE',
    check: () => undefined,
  },
  {
    row: 'vgic_set_mpidr_mapping', sample: (world) => ({ vic: world.prepared('vic'), mask: 0x0103n, aff0_shift: 0, aff1_shift: 2, aff2_shift: 0, aff3_shift: 0, mt: 1 }), success: 'says where the bits of an index stand in MPIDR',
    check: (world, { vic = 0 }) => {
      world.do('object_activate', { cap: vic });
      const thread = world.create('thread');
      world.attachThread(thread, capId(BigInt(vic)));
      world.do('vic_attach_vcpu', { vic, vcpu: thread, index: 1 });
      world.do('object_activate', { cap: thread });
      assert.equal(world.newestThread().mpidr, 0x8100_0001n);
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'a shift is too large', { aff3_shift: 32 }),
      failsWith('ARGUMENT_INVALID', 'fields overlap', { aff1_shift: 1 }),
      failsWith('ARGUMENT_INVALID', 'bits of the index have a gap', { aff1_shift: 3 }),
      fails('OBJECT_STATE', 'the controller is active, which comes before the shifts', (world, sample) => ({ ...sample, vic: world.active('vic'), aff0_shift: 99 })),
    ],
  },
];

const pinnedVcpuOn = (world: World, vic: CapId, options: bigint): CapId => {
  const vcpu = world.create('thread');
  world.attachThread(vcpu, vic);
  world.do('vcpu_set_affinity', { vcpu, affinity: 1 });
  world.do('vcpu_configure', { vcpu, vcpu_options: options });
  return vcpu;
};

/** Lines are few: each case frees what the one before has bound. */
const freeLines = (world: World): void => {
  for (const hwirq of [world.hwirq, world.privateHwirq]) world.call('hwirq_unbind_virq', { hwirq }, 'native');
};

/** An interrupt controller with a vCPU for shared interrupts to go to. */
const attendedVic = (world: World): CapId => {
  const vic = world.active('vic');
  world.do('object_activate', { cap: pinnedVcpuOn(world, vic, 1n) });
  return vic;
};

const HWIRQ_ROWS: readonly RowTests[] = [
  {
    row: 'hwirq_bind_virq', success: 'forwards a shared line to any shared number, a private line to every pinned vCPU',
    sample: (world) => {
      freeLines(world);
      return { hwirq: world.hwirq, vic: attendedVic(world), virq: 50 };
    },
    check: (world) => {
      const vic = world.active('vic');
      world.do('hwirq_bind_virq', { hwirq: world.privateHwirq, vic, virq: 20 });
      world.do('object_activate', { cap: pinnedVcpuOn(world, vic, 1n) });
      assert.equal(world.call('object_activate', { cap: pinnedVcpuOn(world, world.bindPrivate(), 0n) }, 'native').error, 'OBJECT_CONFIG', 'a vCPU that may move does not fit');
    },
    failures: [
      fails('VIRQ_BOUND', 'the shared line is forwarded already', (world, sample) => {
        world.do('hwirq_bind_virq', sample);
        return { ...sample, virq: 51 };
      }),
      fails('ARGUMENT_INVALID', 'the number is no shared one, which comes before a line that is forwarded already', (world, sample) => {
        world.do('hwirq_bind_virq', sample);
        return { ...sample, virq: 1020 };
      }),
      fails('ARGUMENT_INVALID', 'the interrupt is routed to a vCPU that is not there; it stays bound', (world, sample) => {
        const vic = world.active('vic');
        assert.equal(world.call('hwirq_bind_virq', { ...sample, vic }, 'native').error, 'ARGUMENT_INVALID');
        world.do('hwirq_unbind_virq', { hwirq: world.hwirq });
        return { ...sample, vic };
      }),
      failsWith('ARGUMENT_INVALID', 'a shared line wants a shared number', { virq: 20 }),
      failsWith('ARGUMENT_INVALID', 'the controller has not so many', { virq: 96 }),
      fails('ARGUMENT_INVALID', 'a private line wants a private number, when there is a vCPU', (world) => {
        const vic = world.active('vic');
        world.do('object_activate', { cap: pinnedVcpuOn(world, vic, 1n) });
        return { hwirq: world.privateHwirq, vic, virq: 50 };
      }),
      fails('BUSY', 'another source has the number', (world, sample) => {
        world.do('doorbell_bind_virq', { doorbell: world.active('doorbell'), vic: sample['vic'] ?? 0n, virq: 50 });
        return sample;
      }),
      fails('BUSY', 'the hypervisor has the private number itself', (world) => {
        const vic = world.active('vic');
        world.do('object_activate', { cap: pinnedVcpuOn(world, vic, 1n) });
        return { hwirq: world.privateHwirq, vic, virq: 27 };
      }),
      fails('DENIED', 'the private line is forwarded already', (world, sample) => {
        world.do('hwirq_bind_virq', { ...sample, hwirq: world.privateHwirq, virq: 20 });
        return { ...sample, hwirq: world.privateHwirq, virq: 21 };
      }),
      fails('DENIED', 'a vCPU of the controller may move, which comes before the number', (world) => {
        const vic = world.active('vic');
        world.do('object_activate', { cap: pinnedVcpuOn(world, vic, 0n) });
        return { hwirq: world.privateHwirq, vic, virq: 50 };
      }),
      fails('NOMEM', 'there is no memory for forwarding a private line', (world, sample) => {
        world.drain();
        return { ...sample, hwirq: world.privateHwirq, virq: 20 };
      }, { world: smallWorld }),
    ],
  },
  {
    row: 'hwirq_unbind_virq', success: 'ends forwarding',
    sample: (world) => {
      freeLines(world);
      world.do('hwirq_bind_virq', { hwirq: world.hwirq, vic: attendedVic(world), virq: 50 });
      return { hwirq: world.hwirq };
    },
    check: (world) => {
      world.do('hwirq_unbind_virq', { hwirq: world.privateHwirq });
      world.do('hwirq_bind_virq', { hwirq: world.hwirq, vic: attendedVic(world), virq: 50 });
    },
    failures: [
      fails('VIRQ_NOT_BOUND', 'the shared line was not forwarded', (world, sample) => {
        freeLines(world);
        return sample;
      }),
    ],
  },
];

const VPM_ROWS: readonly RowTests[] = [
  {
    row: 'vpm_group_configure', sample: (world) => ({ vpm_group: world.create('vpm_group'), flags: 1n }), success: 'ends aggregation: the state is always suspended',
    check: (world, { vpm_group = 0 }) => {
      world.do('object_activate', { cap: vpm_group });
      assert.equal(world.do('vpm_group_get_state', { vpm_group })['vpm_state'], 2n);
    },
    failures: [
      failsWith('UNIMPLEMENTED', 'an option is unknown, which comes before a bad capability', { flags: 2n, vpm_group: EMPTY_SLOT }),
    ],
  },
  {
    row: 'vpm_group_attach_vcpu', sample: (world) => ({ vpm_group: world.active('vpm_group'), vcpu: world.create('thread'), index: 7 }), success: 'gives a vCPU its place in the group',
    check: (world, args) => { for (const index of [0, 0x1_0000, 0x8000_0007]) world.do('vpm_group_attach_vcpu', { ...args, index }); },
    failures: [failsWith('ARGUMENT_INVALID', 'there is no such place', { index: 8 }), failsWith('ARGUMENT_INVALID', 'there is no such place in the low 16 bits', { index: 0x1_0008 })],
  },
  ...bindRows({ bind: 'vpm_group_bind_virq', unbind: 'vpm_group_unbind_virq', argument: 'vpm_group', type: 'vpm_group' }),
  {
    row: 'vpm_group_get_state', sample: (world) => ({ vpm_group: world.active('vpm_group') }), success: 'is suspended without vCPUs and with sleeping ones, running with one that runs',
    check: (world, _args, { values }) => {
      assert.equal(values['vpm_state'], 2n);
      const vpm_group = world.active('vpm_group');
      const vcpu = world.create('thread');
      world.attachThread(vcpu);
      world.do('vpm_group_attach_vcpu', { vpm_group, vcpu, index: 0 });
      world.do('object_activate', { cap: vcpu });
      const state = () => world.do('vpm_group_get_state', { vpm_group })['vpm_state'];
      assert.equal(state(), 2n);
      world.do('vcpu_poweron', { vcpu, entry_point: RAM, context: 0n, flags: 0n });
      assert.equal(state(), 1n);
      world.do('vcpu_kill', { vcpu });
      assert.equal(state(), 2n);
    },
  },
];

/** Rows of this file. */
export const IPC_ROWS: readonly RowTests[] = [...DOORBELL_ROWS, ...QUEUE_ROWS, ...VIC_ROWS, ...HWIRQ_ROWS, ...VPM_ROWS];
