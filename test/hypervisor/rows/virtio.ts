/** Rows of virtio-MMIO devices. */

import assert from 'node:assert/strict';
import type { CapId } from '../../../runtime/base/brands';
import { fails, failsWith, type RowTests } from './cases';
import { bindRows } from './ipc';
import { type Arguments, smallWorld, type World } from './world';

const PAGE = 0x1000n;
const RAM = 0x8000_0000n;
/** Where the manager sees a device's register page, as a frontend does. */
const REGISTERS = 0xa000_0000n;
const NOWHERE = 0x1_0000_0000n;
const VALID_TYPE = 1n << 6n;
const INPUT = 18;
const STATUS = 0x70n;
const NEEDS_RESET = 0x40;
/** A feature bank 1 that a backend may offer. */
const BANK_1 = 3;

/** An active device that the manager also sees as a frontend; its register page is mapped read-only. */
function device(world: World, { type = INPUT, queues = 2 }: { readonly type?: number; readonly queues?: number } = {}): CapId {
  const cap = world.create('virtio_mmio');
  const page = world.basic(1n);
  world.do('virtio_mmio_configure', { virtio_mmio: cap, memextent: page, vqs_num: queues, flags: type === 0 ? 0n : VALID_TYPE, device_type: type });
  world.do('object_activate', { cap });
  world.do('addrspace_map', { addrspace: world.ownAddrspace, memextent: page, vbase: REGISTERS, map_attrs: 0xf_0044, map_flags: 0, offset: 0n, size: 0n });
  return cap;
}

/** STR W1, [X2]. */
const STORE = Uint8Array.of(0x41, 0x00, 0x00, 0xb9);

/** A store by the frontend: the manager executes one instruction. Answers whether it was emulated, and did not abort. */
function tryStore(world: World, offset: bigint, value: number): boolean {
  const { engine, hypervisor, events } = world.fixture;
  const vcpu = world.fixture.vcpu(world.manager);
  vcpu.pc = world.put(RAM + 0x8000n, STORE);
  vcpu.setX(1, BigInt(value));
  vcpu.setX(2, REGISTERS + offset);
  const { exit } = engine.run(world.manager.engineVcpu ?? 0, { budget: 1, tickNow: events.now });
  hypervisor.handleExit(world.manager, exit);
  return vcpu.pc === RAM + 0x8004n;
}
function store(world: World, offset: bigint, value: number): void {
  assert.ok(tryStore(world, offset, value), 'the store is emulated');
}
const load = (world: World, offset: bigint): number => world.get(REGISTERS + offset, 4).reduceRight((value, byte) => value * 256 + byte, 0);

const backend = (more: Arguments = {}) => (world: World): Arguments => ({ virtio_mmio: device(world), ...more });
const item = (world: World, sel: number, bytes: readonly number[], subsel = 0): Arguments => ({ sel, subsel, size: bytes.length, data: world.put(RAM + 0x1000n, Uint8Array.from(bytes)) });

const CONFIGURE_ROWS: readonly RowTests[] = [
  {
    row: 'virtio_mmio_configure', sample: (world) => ({ virtio_mmio: world.create('virtio_mmio'), memextent: world.basic(1n), vqs_num: 16, flags: VALID_TYPE, device_type: INPUT }), success: 'names the register page and the queues; the last call counts',
    check: (world, args) => {
      world.do('virtio_mmio_configure', { ...args, memextent: world.basic(1n), vqs_num: 0, flags: 0n, device_type: 77 });
      world.do('object_activate', { cap: args['virtio_mmio'] ?? 0n });
      assert.equal(world.call('virtio_mmio_backend_set_queue_num_max', { virtio_mmio: args['virtio_mmio'] ?? 0n, sel: 0, queue_num_max: 1 }, 'native').error, 'ARGUMENT_INVALID');
    },
    failures: [
      fails('ARGUMENT_INVALID', 'the page is sparse', (world, sample) => ({ ...sample, memextent: world.sparse(1n) })),
      fails('ARGUMENT_INVALID', 'the extent is larger than a page', (world, sample) => ({ ...sample, memextent: world.basic(2n) })),
      failsWith('ARGUMENT_INVALID', 'there are too many queues', { vqs_num: 17 }),
      failsWith('ARGUMENT_INVALID', 'the type is unknown', { device_type: 1 }),
      failsWith('ARGUMENT_INVALID', 'a type is given that is none', { device_type: 0 }),
      fails('OBJECT_STATE', 'the device is active, which comes before its queues', (world, sample) => ({ ...sample, virtio_mmio: device(world), vqs_num: 17 })),
    ],
  },
  ...bindRows({ bind: 'virtio_mmio_backend_bind_virq', unbind: 'virtio_mmio_backend_unbind_virq', argument: 'virtio_mmio', type: 'virtio_mmio' }),
  ...bindRows({ bind: 'virtio_mmio_frontend_bind_virq', unbind: 'virtio_mmio_frontend_unbind_virq', argument: 'virtio_mmio', type: 'virtio_mmio' }),
];

const BACKEND_ROWS: readonly RowTests[] = [
  {
    row: 'virtio_mmio_backend_assert_virq', sample: backend({ interrupt_status: 2 }), success: 'adds to the interrupt status that the frontend acknowledges',
    check: (world, args) => {
      world.do('virtio_mmio_backend_assert_virq', { ...args, interrupt_status: 1 });
      assert.equal(load(world, 0x60n), 3);
      store(world, 0x64n, 2);
      assert.equal(load(world, 0x60n), 1);
    },
    failures: [
      fails('DENIED', 'the device needs a reset', (world, sample) => {
        world.do('virtio_mmio_backend_update_status', { virtio_mmio: sample['virtio_mmio'] ?? 0n, val: NEEDS_RESET });
        return sample;
      }),
    ],
  },
  {
    row: 'virtio_mmio_backend_set_dev_features', sample: backend({ sel: 1, dev_feat: BANK_1 | 0x100 }), success: 'offers features that the frontend selects by bank',
    check: (world, args) => {
      world.do('virtio_mmio_backend_set_dev_features', { ...args, sel: 0, dev_feat: 0xffff_ffff });
      const read = [0, 1].map((bank) => {
        store(world, 0x14n, bank);
        return load(world, 0x10n);
      });
      assert.deepEqual(read, [0xffff_ffff, BANK_1 | 0x100]);
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'there are two banks', { sel: 2 }),
      failsWith('DENIED', 'the version is not offered', { dev_feat: 2 }),
      failsWith('DENIED', 'access through the platform is not offered', { dev_feat: 1 }),
      failsWith('DENIED', 'notification data is offered', { dev_feat: BANK_1 | 0x40 }),
    ],
  },
  {
    row: 'virtio_mmio_backend_set_queue_num_max', sample: backend({ sel: 1, queue_num_max: 256 }), success: 'limits a queue that the frontend selects',
    check: (world) => {
      store(world, 0x30n, 1);
      assert.equal(load(world, 0x34n), 256);
    },
    failures: [failsWith('ARGUMENT_INVALID', 'there is no such queue', { sel: 2 })],
  },
  {
    row: 'virtio_mmio_backend_get_drv_features', success: 'answers what the frontend accepted',
    sample: (world) => {
      const virtio_mmio = device(world);
      store(world, 0x24n, 1);
      store(world, 0x20n, 0x1234_5678);
      return { virtio_mmio, sel: 1 };
    },
    check: (world, args, { values }) => {
      assert.equal(values['drv_feat'], 0x1234_5678n);
      assert.equal(world.do('virtio_mmio_backend_get_drv_features', { ...args, sel: 0 })['drv_feat'], 0n);
    },
    failures: [failsWith('ARGUMENT_INVALID', 'there are two banks', { sel: 2 })],
  },
  {
    row: 'virtio_mmio_backend_get_queue_info', success: 'answers the registers of one queue',
    sample: (world) => {
      const virtio_mmio = device(world);
      const words = [[0x30, 1], [0x38, 64], [0x80, 0x1000], [0x84, 1], [0x90, 0x2000], [0x94, 2], [0xa0, 0x3000], [0xa4, 3], [0x44, 1]] as const;
      for (const [offset, value] of words) store(world, BigInt(offset), value);
      return { virtio_mmio, sel: 1 };
    },
    check: (world, args, { values }) => {
      const read = (from: Readonly<Record<string, bigint>>) => ['queue_num', 'queue_ready', 'queue_desc', 'queue_drv', 'queue_dev'].map((name) => from[name]);
      assert.deepEqual(read(values), [64n, 1n, 0x1_0000_1000n, 0x2_0000_2000n, 0x3_0000_3000n]);
      assert.deepEqual(read(world.do('virtio_mmio_backend_get_queue_info', { ...args, sel: 0 })), [0n, 0n, 0n, 0n, 0n]);
    },
    failures: [failsWith('ARGUMENT_INVALID', 'there is no such queue', { sel: 2 })],
  },
  {
    row: 'virtio_mmio_backend_get_notification', success: 'answers and forgets which queues were kicked, and why',
    sample: (world) => {
      const virtio_mmio = device(world);
      for (const [offset, value] of [[0x50n, 1], [0x50n, 5], [STATUS, 4]] as const) store(world, offset, value);
      return { virtio_mmio };
    },
    check: (world, args, { values }) => {
      assert.deepEqual([values['vqs_bitmap'], values['reason']], [0x22n, 9n]);
      const again = world.do('virtio_mmio_backend_get_notification', args);
      assert.deepEqual([again['vqs_bitmap'], again['reason']], [0n, 0n]);
    },
  },
  {
    row: 'virtio_mmio_backend_acknowledge_reset', success: 'clears the status after the frontend asked for a reset',
    sample: (world) => {
      const virtio_mmio = device(world);
      store(world, STATUS, 0xf);
      assert.equal(tryStore(world, STATUS, 0), false, 'a backend that has no edge to be told by makes the store abort');
      assert.equal(load(world, STATUS), 0xf | NEEDS_RESET);
      return { virtio_mmio };
    },
    check: (world, args) => {
      assert.equal(load(world, STATUS), 0);
      assert.equal(world.do('virtio_mmio_backend_get_notification', args)['reason'], 0xan);
    },
  },
  {
    row: 'virtio_mmio_backend_update_status', sample: backend({ val: 0x80 }), success: 'adds bits to the status',
    check: (world, args) => {
      world.do('virtio_mmio_backend_update_status', { ...args, val: 1 });
      assert.equal(load(world, STATUS), 0x81);
    },
  },
];

/** What the frontend reads after it selected an item: its size and first bytes. */
const selected = (world: World, sel: number, subsel: number, count: number): readonly number[] => {
  store(world, 0x100n, sel | (subsel << 8));
  return [...world.get(REGISTERS + 0x102n, 1), ...world.get(REGISTERS + 0x108n, count)];
};
const withTables = (world: World, events = 1, axes = 1): Arguments => {
  const virtio_mmio = device(world);
  world.do('virtio_input_configure', { virtio_mmio, devids: 0n, prop_bits: 0, num_evtypes: events, num_absaxes: axes });
  return { virtio_mmio };
};

const INPUT_ROWS: readonly RowTests[] = [
  {
    row: 'virtio_input_configure', sample: backend({ devids: 0x0001_0002_0003_0004n, prop_bits: 5, num_evtypes: 32, num_absaxes: 64 }), success: 'sets identifiers and makes tables once',
    check: (world, args) => {
      assert.deepEqual(selected(world, 3, 0, 8), [8, 4, 0, 3, 0, 2, 0, 1, 0]);
      world.do('virtio_input_configure', { ...args, num_evtypes: 0, num_absaxes: 0, prop_bits: 6 });
      assert.deepEqual(selected(world, 0x10, 0, 4), [4, 6, 0, 0, 0]);
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'there are too many event types', { num_evtypes: 33 }),
      failsWith('ARGUMENT_INVALID', 'there are too many axes', { num_absaxes: 65 }),
      fails('OBJECT_CONFIG', 'the device is no input device, which comes before the limits', (world, sample) => ({ ...sample, virtio_mmio: device(world, { type: 0 }), num_evtypes: 99 })),
      fails('BUSY', 'there is a table of event types', (world, sample) => ({ ...sample, ...withTables(world, 1, 0) })),
      fails('BUSY', 'there is a table of axes', (world, sample) => ({ ...sample, ...withTables(world, 0, 1) })),
      fails('NOMEM', 'there is no memory for the tables', (world, sample) => {
        world.drain();
        return sample;
      }, { world: smallWorld }),
    ],
  },
  {
    row: 'virtio_input_set_data', sample: (world) => ({ ...withTables(world), ...item(world, 1, [71, 117, 110]) }), success: 'stores an item that the frontend selects',
    check: (world, args) => {
      assert.deepEqual(selected(world, 1, 0, 3), [3, 71, 117, 110]);
      world.do('virtio_input_set_data', { ...args, ...item(world, 0x11, [6, 7], 31) });
      assert.deepEqual(selected(world, 0x11, 31, 2), [2, 6, 7]);
      world.do('virtio_input_set_data', { ...args, ...item(world, 0x12, Array.from({ length: 20 }, (_, n) => n), 63) });
      assert.deepEqual(selected(world, 0x12, 63, 4), [20, 0, 1, 2, 3]);
      assert.equal(world.call('virtio_input_set_data', { ...args, data: NOWHERE }, 'native').error, 'ADDR_INVALID');
      assert.deepEqual(selected(world, 1, 0, 1), [0, 0], 'a name whose copy failed is empty');
    },
    failures: [
      fails('CSPACE_WRONG_OBJECT_TYPE', 'the device is no input device', (world, sample) => ({ ...sample, virtio_mmio: device(world, { type: 0 }) })),
      failsWith('ARGUMENT_INVALID', 'the item is unset', { sel: 0 }),
      failsWith('ARGUMENT_INVALID', 'a name has no second selector, which comes before its size', { subsel: 1, size: 0 }),
      failsWith('ARGUMENT_INVALID', 'there are 32 event types', { sel: 0x11, subsel: 32 }),
      failsWith('ARGUMENT_INVALID', 'there are 64 axes', { sel: 0x12, subsel: 64 }),
      fails('ARGUMENT_INVALID', 'there is no table of event types', (world, sample) => ({ ...sample, virtio_mmio: device(world), sel: 0x11 })),
      failsWith('ARGUMENT_SIZE', 'the size is 0', { size: 0 }),
      failsWith('ARGUMENT_SIZE', 'the name is too long', { size: 129 }),
      failsWith('ARGUMENT_SIZE', 'identifiers are 8 bytes', { sel: 3, size: 9 }),
      fails('NORESOURCES', 'the table is full, which comes before the size', (world, sample) => {
        world.do('virtio_input_set_data', { ...sample, ...item(world, 0x11, [1]) });
        return { ...sample, sel: 0x11, size: 0 };
      }),
      failsWith('ADDR_OVERFLOW', 'the data wraps', { data: (1n << 64n) - 2n }),
      failsWith('ADDR_INVALID', 'there is no memory', { data: NOWHERE }),
      fails('DENIED', 'the memory may not be read', (world, sample) => {
        world.do('addrspace_map', { addrspace: world.ownAddrspace, memextent: world.basic(1n), vbase: NOWHERE + PAGE, map_attrs: 0xf_0000, map_flags: 0, offset: 0n, size: 0n });
        return { ...sample, data: NOWHERE + PAGE };
      }),
    ],
  },
];

/** Rows of this file. */
export const VIRTIO_ROWS: readonly RowTests[] = [...CONFIGURE_ROWS, ...BACKEND_ROWS, ...INPUT_ROWS];
