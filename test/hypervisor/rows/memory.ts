/** Rows of memory extents and address spaces. */

import assert from 'node:assert/strict';
import { type CapId, capId } from '../../../runtime/base/brands';
import { type Failure, fails, failsWith, type RowTests } from './cases';
import { type Arguments, EMPTY_SLOT, smallWorld, UNDECODABLE, type World } from './world';

const PAGE = 0x1000n;
/** Attributes: RWX for EL0 and EL1, write-back. */
const RWX = 0xf_0077;
const WRITE_BACK = 0xf << 16;
const PARTIAL = 1;
const NO_SYNC = 0x8000_0000;
const SPARSE = 0x1_0007;
/** The end of the address space: 36 bits. */
const IPA_END = 1n << 36n;
const DEVICE = 0x100;
const UNCACHED = 0x200;
const NOWHERE = 0x1_0000_0000n;

const lookup = (world: World, addrspace: bigint | number, memextent: bigint | number, vbase: bigint) => world.call('addrspace_lookup', { addrspace, memextent, vbase, size: PAGE }, 'native');
/** Offset in the extent that an address shows, or the error that a look-up answers. */
const shows = (world: World, args: Arguments, vbase = BigInt(args['vbase'] ?? 0)): bigint | string => {
  const { error, values } = lookup(world, args['addrspace'] ?? 0, args['memextent'] ?? 0, vbase);
  return error === 'OK' ? values['offset'] ?? 0n : error;
};
/** Maps an extent, by default whole into a new address space; answers the arguments that unmap takes. */
const mapped = (world: World, memextent: CapId, { map_attrs = RWX, ...more }: Arguments = {}): Arguments => {
  const args = { addrspace: more['addrspace'] ?? world.active('addrspace'), memextent, vbase: NOWHERE, map_flags: 0, offset: 0n, size: 0n, ...more };
  world.do('addrspace_map', { map_attrs, ...args });
  return args;
};

/** What map, unmap and update refuse of the window that they are given. */
const WINDOW_FAILURES: readonly Failure[] = [
  failsWith('ARGUMENT_ALIGNMENT', 'the address is not at a page', { vbase: NOWHERE + 1n }),
  failsWith('ARGUMENT_ALIGNMENT', 'the offset is not at a page, which comes before an empty size', { map_flags: PARTIAL, offset: 1n, size: 0n }),
  failsWith('ARGUMENT_ALIGNMENT', 'the size is not whole pages', { map_flags: PARTIAL, offset: 0n, size: 12n }),
  failsWith('ARGUMENT_SIZE', 'the size is 0', { map_flags: PARTIAL, offset: 0n, size: 0n }),
  failsWith('ARGUMENT_SIZE', 'the window leaves the extent', { map_flags: PARTIAL, offset: 3n * PAGE, size: 2n * PAGE }),
  failsWith('ARGUMENT_SIZE', 'the offset wraps', { map_flags: PARTIAL, offset: (1n << 64n) - PAGE, size: 2n * PAGE }),
  failsWith('ARGUMENT_SIZE', 'the address wraps', { map_flags: PARTIAL, vbase: (1n << 64n) - PAGE, offset: 0n, size: 2n * PAGE }),
  failsWith('ARGUMENT_INVALID', 'a flag is unknown, which comes before a bad capability', { map_flags: 2, addrspace: UNDECODABLE }),
  fails('ARGUMENT_INVALID', 'a flag is unknown, which comes before an empty slot', (_world, sample) => ({ ...sample, map_flags: 0x4000_0000, addrspace: EMPTY_SLOT })),
];

const MAP_ROWS: readonly RowTests[] = [
  {
    row: 'addrspace_map', sample: (world) => ({ addrspace: world.active('addrspace'), memextent: world.sparse(4n), vbase: NOWHERE, map_attrs: RWX, map_flags: PARTIAL, offset: PAGE, size: 2n * PAGE }),
    success: 'shows a window of an extent, all of it without the flag, and what the extent does not own not',
    check: (world, args) => {
      assert.deepEqual([0n, PAGE, 2n * PAGE].map((by) => shows(world, args, NOWHERE + by)), [PAGE, 2n * PAGE, 'ADDR_INVALID']);
      const whole = { ...args, vbase: 2n * NOWHERE, map_flags: NO_SYNC, offset: 77n, size: 99n };
      world.do('addrspace_map', whole);
      assert.equal(shows(world, whole, 2n * NOWHERE + 3n * PAGE), 3n * PAGE);
      world.do('memextent_donate', { options: 1, from: args['memextent'] ?? 0n, to: world.memory, offset: 0n, size: PAGE });
      assert.equal(shows(world, whole), 'ADDR_INVALID');
      for (const type of [0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15]) mapped(world, world.basic(1n), { map_attrs: 0x66 | (type << 16) });
      for (const access of [0, 1, 4, 5, 6, 7]) mapped(world, world.basic(1n), { map_attrs: WRITE_BACK | (access << 4) | access });
    },
    failures: [
      ...WINDOW_FAILURES,
      failsWith('ARGUMENT_INVALID', 'reserved attribute bits are set, which comes before a bad capability', { map_attrs: RWX | 0x8, addrspace: EMPTY_SLOT }),
      failsWith('ARGUMENT_INVALID', 'the access is undefined', { map_attrs: WRITE_BACK | 0x33 }),
      failsWith('ARGUMENT_INVALID', 'the memory type is undefined', { map_attrs: 0x4_0077 }),
      fails('ARGUMENT_INVALID', 'the extent has not so much access', (world, sample) => ({ ...sample, memextent: world.sparse(4n, 0x1_0004) })),
      fails('ARGUMENT_INVALID', 'an uncached extent is mapped write-back', (world, sample) => ({ ...sample, memextent: world.sparse(4n, SPARSE | UNCACHED) })),
      fails('ARGUMENT_INVALID', 'a device extent is mapped non-cacheable', (world, sample) => ({ ...sample, memextent: world.sparse(4n, SPARSE | DEVICE), map_attrs: 0x5_0077 })),
      fails('MEMEXTENT_TYPE', 'a basic extent has no parts', (world, sample) => ({ ...sample, memextent: world.basic(4n) })),
      fails('ARGUMENT_INVALID', 'the access is too much, which comes before a basic extent having no parts', (world, sample) => ({ ...sample, memextent: world.basic(4n, 4) })),
      fails('MEMEXTENT_MAPPINGS_FULL', 'a basic extent is mapped four times already', (world, sample) => {
        const memextent = world.basic(1n);
        for (let n = 1n; n <= 4n; n++) mapped(world, memextent, { addrspace: sample['addrspace'] ?? 0n, vbase: n * NOWHERE });
        return { ...sample, memextent, map_flags: 0 };
      }),
      fails('MEMEXTENT_MAPPINGS_FULL', 'a page of a sparse extent is mapped four times already', (world, sample) => {
        for (let n = 1n; n <= 4n; n++) world.do('addrspace_map', { ...sample, vbase: n * NOWHERE });
        return { ...sample, offset: 2n * PAGE, size: PAGE };
      }),
      failsWith('ADDR_INVALID', 'the address is beyond the address space', { vbase: IPA_END }),
      failsWith('ADDR_INVALID', 'the address is beyond what a sparse extent can record', { vbase: 1n << 48n }),
      failsWith('ADDR_OVERFLOW', 'the end is beyond the address space', { vbase: IPA_END - PAGE }),
      fails('ADDR_OVERFLOW', 'the end of a basic extent’s mapping wraps', (world, sample) => ({ ...sample, memextent: world.basic(2n), map_flags: 0, vbase: (1n << 64n) - PAGE })),
      fails('NOMEM', 'there is no memory for tables', (world, sample) => {
        world.drain();
        return sample;
      }, { world: smallWorld }),
    ],
  },
  {
    row: 'addrspace_unmap', sample: (world) => mapped(world, world.sparse(4n), { map_flags: PARTIAL, offset: PAGE, size: 2n * PAGE }), success: 'takes a mapping away where it still shows that extent',
    check: (world, args) => {
      assert.equal(shows(world, args), 'ADDR_INVALID');
      const [lower, upper] = [world.basic(1n), world.basic(1n)];
      const first = mapped(world, lower);
      const second = mapped(world, upper, { addrspace: first['addrspace'] ?? 0n });
      world.do('addrspace_unmap', first);
      assert.equal(shows(world, second), 0n, 'a mapping that was put over it stays');
      const part = mapped(world, world.sparse(4n));
      world.do('addrspace_unmap', { ...part, map_flags: PARTIAL, vbase: NOWHERE + PAGE, offset: PAGE, size: PAGE });
      assert.deepEqual([0n, 1n, 2n].map((page) => shows(world, part, NOWHERE + page * PAGE)), [0n, 'ADDR_INVALID', 2n * PAGE]);
    },
    failures: [
      ...WINDOW_FAILURES,
      fails('MEMEXTENT_TYPE', 'a basic extent has no parts', (world) => ({ ...mapped(world, world.basic(4n)), map_flags: PARTIAL, offset: 0n, size: PAGE })),
      failsWith('ADDR_INVALID', 'the address is another', { vbase: 2n * NOWHERE }),
      fails('ADDR_INVALID', 'the address space is another', (world, sample) => ({ ...sample, addrspace: world.active('addrspace') })),
      fails('ADDR_INVALID', 'the mapping is gone already', (world, sample) => {
        world.do('addrspace_unmap', sample);
        return sample;
      }),
    ],
  },
  {
    row: 'addrspace_update_access', success: 'changes access and keeps the memory type',
    sample: (world) => ({ ...mapped(world, world.basic(4n), { map_attrs: 0x5_0077 }), access_attrs: 0x44 }),
    check: (world, args) => {
      const { values } = lookup(world, args['addrspace'] ?? 0, args['memextent'] ?? 0, NOWHERE);
      assert.equal(values['map_attrs'], 0x5_0044n);
      world.do('addrspace_update_access', { ...args, access_attrs: 0x55, map_flags: NO_SYNC });
      assert.equal(lookup(world, args['addrspace'] ?? 0, args['memextent'] ?? 0, NOWHERE).values['map_attrs'], 0x5_0055n);
    },
    failures: [
      ...WINDOW_FAILURES,
      failsWith('ARGUMENT_INVALID', 'reserved access bits are set, which comes before a bad capability', { access_attrs: 0x80, addrspace: EMPTY_SLOT }),
      failsWith('ARGUMENT_INVALID', 'the access is undefined, which comes before the alignment', { access_attrs: 0x33, vbase: 1n }),
      fails('ARGUMENT_INVALID', 'the extent has not so much access', (world) => ({ ...mapped(world, world.basic(1n, 4), { map_attrs: 0xf_0044 }), access_attrs: 0x66 })),
      failsWith('MEMEXTENT_TYPE', 'a basic extent has no parts', { map_flags: PARTIAL, offset: 0n, size: PAGE }),
      failsWith('ADDR_INVALID', 'there is no such mapping', { vbase: 2n * NOWHERE }),
      fails('ADDR_INVALID', 'the extent is sparse: the reference build never finds its mappings', (world) => ({ ...mapped(world, world.sparse(4n)), access_attrs: 0x44 })),
    ],
  },
  {
    row: 'addrspace_lookup', sample: (world) => {
      const { addrspace = 0, memextent = 0 } = mapped(world, world.sparse(4n), { map_attrs: 0x5_0046 | 0x20 });
      return { addrspace, memextent, vbase: NOWHERE + PAGE, size: 16n * PAGE };
    },
    success: 'answers offset, length and attributes of the run that starts there',
    check: (world, args, { values }) => {
      assert.deepEqual([values['offset'], values['size'], values['map_attrs']], [PAGE, 3n * PAGE, 0x5_0066n]);
      assert.equal(world.do('addrspace_lookup', { ...args, size: PAGE })['size'], PAGE);
    },
    failures: [
      failsWith('ARGUMENT_SIZE', 'the size is 0, which comes before the alignment', { size: 0n, vbase: 1n }),
      failsWith('ADDR_OVERFLOW', 'the range wraps, which comes before the alignment', { vbase: (1n << 64n) - 1n, size: 2n }),
      failsWith('ARGUMENT_ALIGNMENT', 'the address is not at a page', { vbase: NOWHERE + 1n }),
      failsWith('ARGUMENT_ALIGNMENT', 'the size is not whole pages', { size: 1n }),
      failsWith('ADDR_INVALID', 'nothing is mapped there', { vbase: 2n * NOWHERE }),
      fails('MEMDB_NOT_OWNER', 'another extent owns the memory', (world, sample) => ({ ...sample, memextent: world.basic(1n) })),
      fails('MEMDB_NOT_OWNER', 'another extent owns part of the run', (world, sample) => {
        const memextent = world.sparse(2n);
        const addrspace = sample['addrspace'] ?? 0n;
        const next = world.sparse(2n);
        mapped(world, memextent, { addrspace, vbase: 2n * NOWHERE });
        mapped(world, next, { addrspace, vbase: 2n * NOWHERE + 2n * PAGE });
        return { ...sample, memextent, vbase: 2n * NOWHERE, size: 4n * PAGE };
      }),
    ],
  },
];

const SPACE_ROWS: readonly RowTests[] = [
  {
    row: 'addrspace_configure', sample: (world) => ({ addrspace: world.create('addrspace'), vmid: 201 }), success: 'sets the identifier; the last call counts', check: (world, { addrspace = 0 }) => {
      world.do('addrspace_configure', { addrspace, vmid: 202 });
      world.do('object_activate', { cap: addrspace });
      world.do('cspace_delete_cap_from', { cspace: world.cspace, cap: addrspace });
      world.do('addrspace_configure', { addrspace: world.create('addrspace'), vmid: 0x1_0000 + 202 });
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'the identifier is 0', { vmid: 0 }),
      failsWith('ARGUMENT_INVALID', 'the identifier has more than 8 bits', { vmid: 256 }),
      fails('OBJECT_STATE', 'the address space is active, which comes before its identifier', (world) => ({ addrspace: world.active('addrspace'), vmid: 0 })),
    ],
  },
  {
    row: 'addrspace_attach_thread', sample: (world) => ({ addrspace: world.active('addrspace'), thread: world.create('thread') }), success: 'gives a thread its address space, and may give another before activation',
    check: (world, args) => { for (const addrspace of [args['addrspace'] ?? 0n, world.active('addrspace')]) world.do('addrspace_attach_thread', { ...args, addrspace }); },
    failures: [
      fails('NOMEM', 'eight threads are attached', (world, sample) => {
        for (let n = 0; n < 8; n++) world.do('addrspace_attach_thread', { ...sample, thread: world.create('thread') });
        return sample;
      }),
      fails('NOMEM', 'eight threads are attached, this one among them', (world, sample) => {
        for (let n = 0; n < 7; n++) world.do('addrspace_attach_thread', { ...sample, thread: world.create('thread') });
        world.do('addrspace_attach_thread', sample);
        return sample;
      }),
    ],
  },
  {
    row: 'addrspace_attach_vdma', sample: (world) => ({ addrspace: world.active('addrspace'), dma_device: EMPTY_SLOT, index: 0 }), success: 'finds no device in the reference build', answers: 'CSPACE_WRONG_OBJECT_TYPE', check: () => undefined,
  },
  {
    row: 'addrspace_configure_info_area', sample: (world) => ({ addrspace: world.prepared('addrspace'), info_area_me: world.basic(1n), ipa: IPA_END - PAGE }), success: 'names a page that activation zeroes and takes into use',
    check: (world, { addrspace = 0, info_area_me = 0 }) => {
      world.do('object_activate', { cap: addrspace });
      const child = world.create('memextent');
      world.derive(child, capId(BigInt(info_area_me)), [0n, PAGE], 4);
      assert.equal(world.call('object_activate', { cap: child }, 'native').error, 'BUSY');
    },
    failures: [
      fails('ARGUMENT_INVALID', 'the extent is larger than a page, which comes before the address', (world, sample) => ({ ...sample, info_area_me: world.basic(2n), ipa: 1n })),
      failsWith('ADDR_INVALID', 'the address is not at a page', { ipa: 1n }),
      failsWith('ADDR_INVALID', 'the address is outside the address space', { ipa: IPA_END }),
      fails('ADDR_INVALID', 'the address is bad, which comes before the kind of extent', (world, sample) => ({ ...sample, info_area_me: world.sparse(1n), ipa: 1n })),
      fails('ARGUMENT_INVALID', 'the extent is sparse', (world, sample) => ({ ...sample, info_area_me: world.sparse(1n) })),
      fails('ARGUMENT_INVALID', 'the extent is read-only', (world, sample) => ({ ...sample, info_area_me: world.basic(1n, 5) })),
      fails('ARGUMENT_INVALID', 'the extent has a memory type', (world, sample) => ({ ...sample, info_area_me: world.basic(1n, 7 | UNCACHED) })),
      fails('OBJECT_STATE', 'the address space is active, which comes before the address', (world, sample) => ({ ...sample, addrspace: world.active('addrspace'), ipa: 1n })),
    ],
  },
  {
    row: 'addrspace_configure_vmmio', sample: (world) => ({ addrspace: world.prepared('addrspace'), vbase: 5n, size: 3n, op: 0 }), success: 'adds and removes ranges, of any size, before and after activation',
    check: (world, args) => {
      world.do('object_activate', { cap: args['addrspace'] ?? 0n });
      world.do('addrspace_configure_vmmio', { ...args, vbase: 8n });
      world.do('addrspace_configure_vmmio', { ...args, op: 1 });
      world.do('addrspace_configure_vmmio', { ...args, vbase: 4n, size: 4n });
    },
    failures: [
      failsWith('UNIMPLEMENTED', 'the operation is another, which comes before the size', { op: 2, size: 0n }),
      failsWith('ARGUMENT_SIZE', 'the size is 0', { size: 0n }),
      failsWith('ADDR_OVERFLOW', 'the range wraps', { vbase: (1n << 64n) - 1n, size: 1n }),
      fails('BUSY', 'the range overlaps another', (world, sample) => {
        world.do('addrspace_configure_vmmio', sample);
        return { ...sample, vbase: 7n, size: 99n };
      }),
      fails('BUSY', 'the range to remove is none', (world, sample) => {
        world.do('addrspace_configure_vmmio', sample);
        return { ...sample, vbase: 6n, size: 2n, op: 1 };
      }),
      fails('NORESOURCES', 'there are 128 ranges, which comes before an overlap', (world, sample) => {
        for (let n = 0n; n < 128n; n++) world.do('addrspace_configure_vmmio', { ...sample, vbase: n * PAGE });
        return { ...sample, vbase: 0n };
      }),
      fails('NOMEM', 'there is no memory for the range', (world, sample) => {
        world.drain();
        return sample;
      }, { world: smallWorld }),
    ],
  },
  {
    row: 'addrspace_attach_vdevice', sample: (world) => ({ addrspace: world.active('addrspace'), vdevice: world.active('vic'), index: 0, vbase: 0x800_0000n, size: 0x1_0000n, flags: 0n }),
    success: 'places the distributor, and the redistributor of a vCPU',
    check: (world, args) => {
      const vic = world.active('vic');
      const vcpu = world.create('thread');
      world.attachThread(vcpu, vic);
      world.do('object_activate', { cap: vcpu });
      world.do('addrspace_attach_vdevice', { ...args, vdevice: vic, index: 1, vbase: 0x80a_0000n, size: 0x2_0000n, flags: 3n });
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'the controller has no such frame', { index: 3 }),
      failsWith('ARGUMENT_INVALID', 'a distributor has no flags', { flags: 1n }),
      failsWith('ARGUMENT_INVALID', 'a flag of a redistributor is unknown, which comes before its vCPU', { index: 1, flags: 4n }),
      failsWith('ARGUMENT_INVALID', 'the range is empty', { size: 0n }),
      failsWith('ARGUMENT_SIZE', 'the frame ends beyond 44 address bits', { vbase: (1n << 44n) - 0x8000n }),
      failsWith('IDLE', 'there is no vCPU with that redistributor', { index: 1, size: 0x2_0000n }),
      fails('BUSY', 'the frame is placed already', (world, sample) => {
        world.do('addrspace_attach_vdevice', sample);
        return { ...sample, vbase: 0x900_0000n };
      }),
      fails('BUSY', 'another frame is there', (world, sample) => {
        world.do('addrspace_attach_vdevice', sample);
        return { ...sample, vdevice: world.active('vic') };
      }),
    ],
  },
];

/** What memextent_configure and _derive refuse of attributes. */
const ATTRIBUTE_FAILURES: readonly Failure[] = ([[0, 'no access'], [3, 'an undefined access'], [7 | 0x300, 'forced caching'], [7 | 0x2_0000, 'an undefined type'], [7 | 0x8, 'a reserved bit'], [7 | 0x8000_0000, 'appending']] as const)
  .map(([attributes, words]) => failsWith('ARGUMENT_INVALID', `attributes ask for ${words}`, { attributes }));

const EXTENT_ROWS: readonly RowTests[] = [
  {
    row: 'memextent_configure', sample: (world) => ({ memextent: world.create('memextent'), phys_base: world.takeOwnerless(), size: PAGE, attributes: 7 }), success: 'defines an extent over memory of the partition',
    check: (world, { memextent = 0 }) => {
      world.do('object_activate', { cap: memextent });
      mapped(world, capId(BigInt(memextent)), { map_attrs: 0x66 });
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'the size is 0, which comes before the alignment', { size: 0n, phys_base: 1n }),
      failsWith('ARGUMENT_INVALID', 'the range wraps', { phys_base: (1n << 64n) - PAGE, size: 2n * PAGE }),
      failsWith('ARGUMENT_ALIGNMENT', 'the base is not at a page, which comes before attributes', { phys_base: 1n, attributes: 0 }),
      failsWith('ARGUMENT_ALIGNMENT', 'the size is not whole pages', { size: 1n }),
      ...ATTRIBUTE_FAILURES,
      fails('OBJECT_STATE', 'the extent is active, which comes before a bad size', (world, sample) => ({ ...sample, memextent: world.active('memextent'), size: 0n })),
    ],
  },
  {
    row: 'memextent_configure_derive', sample: (world) => ({ memextent: world.create('memextent'), parent_memextent: world.sparse(4n), offset: PAGE, size: 2n * PAGE, attributes: 5 }), success: 'defines a window of the parent; the last call counts',
    check: (world, args) => {
      world.do('memextent_configure_derive', { ...args, offset: 0n, size: PAGE });
      world.do('object_activate', { cap: args['memextent'] ?? 0n });
      assert.equal(world.call('addrspace_map', { addrspace: world.active('addrspace'), memextent: args['memextent'] ?? 0n, vbase: 0n, map_attrs: RWX, map_flags: 0, offset: 0n, size: 0n }, 'native').error, 'ARGUMENT_INVALID');
      mapped(world, capId(BigInt(args['memextent'] ?? 0)), { map_attrs: WRITE_BACK | 0x55 });
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'the size is 0, which comes before the window', { size: 0n, offset: 1n << 40n }),
      failsWith('ARGUMENT_INVALID', 'the window wraps', { offset: (1n << 64n) - PAGE, size: 2n * PAGE }),
      failsWith('ADDR_INVALID', 'the window leaves the parent, which comes before the alignment', { offset: 4n * PAGE - 1n, size: 2n }),
      failsWith('ARGUMENT_ALIGNMENT', 'the offset is not at a page', { offset: 1n, size: PAGE }),
      ...ATTRIBUTE_FAILURES,
      fails('ARGUMENT_INVALID', 'the access is more than the parent’s', (world, sample) => ({ ...sample, parent_memextent: world.sparse(4n, 0x1_0004) })),
      fails('ARGUMENT_INVALID', 'the memory type is not the parent’s', (world, sample) => ({ ...sample, parent_memextent: world.sparse(4n, SPARSE | UNCACHED) })),
    ],
  },
  {
    row: 'memextent_modify', sample: (world) => ({ memextent: world.sparse(4n), flags: NO_SYNC | 1, offset: PAGE, size: PAGE }), success: 'zeroes, cleans and flushes ranges, waits for others, and unmaps everywhere',
    check: (world, args) => {
      const { memextent = 0 } = args;
      for (const flags of [NO_SYNC | 2, NO_SYNC | 3, 0xff]) world.do('memextent_modify', { ...args, flags });
      const at = mapped(world, capId(BigInt(memextent)));
      assert.equal(shows(world, at), 0n);
      world.do('memextent_modify', { memextent, flags: 0 });
      assert.equal(shows(world, at), 'ADDR_INVALID');
      world.do('memextent_modify', { memextent, flags: NO_SYNC });
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'a flag is unknown, which comes before a bad capability', { flags: 0x100, memextent: EMPTY_SLOT }),
      failsWith('ARGUMENT_INVALID', 'the operation is unknown', { flags: NO_SYNC | 4 }),
      failsWith('ARGUMENT_INVALID', 'a range operation must not wait', { flags: 1 }),
      failsWith('ARGUMENT_INVALID', 'waiting must wait', { flags: NO_SYNC | 0xff }),
      fails('DENIED', 'a device is not zeroed, which comes before the alignment', (world, sample) => ({ ...sample, memextent: world.sparse(1n, SPARSE | DEVICE), offset: 1n })),
      fails('DENIED', 'read-only memory is not zeroed', (world, sample) => ({ ...sample, memextent: world.sparse(4n, 0x1_0005) })),
      failsWith('ARGUMENT_ALIGNMENT', 'the offset is not at a page, which comes before an empty size', { offset: 1n, size: 0n }),
      failsWith('ARGUMENT_SIZE', 'the size is 0', { size: 0n }),
      failsWith('ARGUMENT_SIZE', 'the range wraps', { size: (1n << 64n) - PAGE }),
      failsWith('ARGUMENT_INVALID', 'the offset wraps', { offset: (1n << 64n) - PAGE }),
      failsWith('ARGUMENT_INVALID', 'the range leaves the extent', { offset: 3n * PAGE, size: 2n * PAGE }),
    ],
  },
];

/** A parent extent with all its memory, two sparse children over the same window, a basic child. */
interface Family { readonly parent: CapId; readonly child: CapId; readonly sibling: CapId }
const family = (world: World): Family => {
  const parent = world.sparse(8n);
  const child = world.create('memextent');
  world.derive(child, parent, [0n, 4n * PAGE], SPARSE);
  world.do('object_activate', { cap: child });
  const sibling = world.create('memextent');
  world.derive(sibling, parent, [2n * PAGE, 4n * PAGE], SPARSE);
  world.do('object_activate', { cap: sibling });
  return { parent, child, sibling };
};
const familyDo = (world: World, options: number, [from, to]: readonly [CapId, CapId], [offset, size]: readonly [bigint, bigint]): string => world.call('memextent_donate', { options, from, to, offset, size }, 'native').error;

const DONATE_FAILURES: readonly Failure[] = [
  failsWith('ARGUMENT_INVALID', 'an option is unknown, which comes before a bad capability', { options: 0x100, from: EMPTY_SLOT }),
  failsWith('ARGUMENT_INVALID', 'the type is unknown, which comes before a bad capability', { options: 3, to: EMPTY_SLOT }),
  failsWith('ARGUMENT_INVALID', 'the child’s capability does not decode, which comes before an empty parent’s', { to: UNDECODABLE, from: EMPTY_SLOT }),
  failsWith('CSPACE_CAP_NULL', 'the parent’s capability is an empty slot', { from: EMPTY_SLOT }),
  failsWith('CSPACE_CAP_NULL', 'the child’s capability is an empty slot, which comes before a parent’s that does not decode', { to: EMPTY_SLOT, from: UNDECODABLE }),
  fails('CSPACE_CAP_REVOKED', 'the child’s capability is revoked', (world, sample) => ({ ...sample, to: world.revoked() })),
  fails('CSPACE_CAP_REVOKED', 'the parent’s capability is revoked', (world, sample) => ({ ...sample, from: world.revoked() })),
  fails('CSPACE_WRONG_OBJECT_TYPE', 'the child is no extent', (world, sample) => ({ ...sample, to: world.create('doorbell') })),
  fails('CSPACE_WRONG_OBJECT_TYPE', 'a derived child gets nothing from the partition', (world, sample) => ({ ...sample, from: world.partition })),
  fails('CSPACE_WRONG_OBJECT_TYPE', 'a root extent gets nothing from an extent', (world, sample) => ({ ...sample, to: rootExtent(world) })),
  fails('CSPACE_INSUFFICIENT_RIGHTS', 'the child lacks the right', (world, sample) => ({ ...sample, to: world.copy(capId(BigInt(sample['to'] ?? 0)), 0xf) })),
  fails('CSPACE_INSUFFICIENT_RIGHTS', 'the parent lacks the right', (world, sample) => ({ ...sample, from: world.copy(capId(BigInt(sample['from'] ?? 0)), 0xf) })),
  fails('CSPACE_INSUFFICIENT_RIGHTS', 'the partition lacks the right', (world, sample) => ({ ...sample, from: world.copy(world.partition, 1), to: rootExtent(world) })),
  fails('OBJECT_STATE', 'the child is not active', (world, sample) => ({ ...sample, to: world.prepared('memextent') })),
  failsWith('ARGUMENT_ALIGNMENT', 'the offset is not at a page, which comes before an empty size', { offset: 1n, size: 0n }),
  failsWith('ARGUMENT_SIZE', 'the size is 0', { size: 0n }),
  failsWith('ARGUMENT_SIZE', 'the range wraps', { size: (1n << 64n) - PAGE }),
  failsWith('ARGUMENT_INVALID', 'the offset wraps', { offset: (1n << 64n) - PAGE }),
  failsWith('ARGUMENT_INVALID', 'the range leaves the child', { offset: 3n * PAGE, size: 2n * PAGE }),
  fails('ARGUMENT_INVALID', 'the parent is another', (world, sample) => ({ ...sample, from: world.sparse(1n) })),
  fails('MEMDB_NOT_OWNER', 'the donor owns only part of it', (world, sample) => {
    world.do('memextent_donate', { ...sample, offset: 0n, size: PAGE });
    return { ...sample, offset: 0n, size: 2n * PAGE };
  }),
  fails('ADDR_INVALID', 'the partition has no such memory', (world, sample) => {
    const to = world.create('memextent');
    world.do('memextent_configure', { memextent: to, phys_base: 0x40_0000_0000n, size: PAGE, attributes: SPARSE });
    world.do('object_activate', { cap: to });
    return { ...sample, from: world.partition, to, offset: 0n, size: PAGE };
  }),
  fails('MEMEXTENT_TYPE', 'a basic child neither gives nor takes', (world, sample) => {
    const to = world.create('memextent');
    world.derive(to, capId(BigInt(sample['from'] ?? 0)), [6n * PAGE, PAGE], 7);
    world.do('object_activate', { cap: to });
    return { ...sample, to, offset: 0n, size: PAGE };
  }),
  fails('ARGUMENT_INVALID', 'a basic parent neither gives nor takes', (world, sample) => {
    const from = world.basic(2n);
    const to = world.create('memextent');
    world.derive(to, from, [0n, PAGE], SPARSE);
    world.do('object_activate', { cap: to });
    return { ...sample, from, to, offset: 0n, size: PAGE };
  }),
  fails('ARGUMENT_INVALID', 'an extent is no sibling of itself', (_world, sample) => ({ ...sample, options: 2, from: sample['to'] ?? 0n })),
  fails('ARGUMENT_INVALID', 'extents without a parent are no siblings', (world, sample) => ({ ...sample, options: 2, from: rootExtent(world), to: rootExtent(world), offset: 0n, size: PAGE })),
  fails('ARGUMENT_INVALID', 'the sibling does not reach so far', (world, sample) => {
    const { child, sibling } = family(world);
    return { ...sample, options: 2, from: child, to: sibling, offset: 0n, size: PAGE };
  }),
];

/** A sparse extent over a page that nobody owns, without a parent. */
function rootExtent(world: World): CapId {
  const cap = world.create('memextent');
  world.do('memextent_configure', { memextent: cap, phys_base: world.takeOwnerless(), size: PAGE, attributes: SPARSE });
  world.do('object_activate', { cap });
  return cap;
}

const DONATE_ROW: RowTests = {
  row: 'memextent_donate', success: 'moves pages down, up, aside, and between root extents and their partition, and what is mapped with them',
  sample: (world) => {
    const { parent, child, sibling } = family(world);
    world.stock = { sibling };
    return { options: NO_SYNC, from: parent, to: child, offset: PAGE, size: 3n * PAGE };
  },
  check: (world, { from = 0, to = 0 }) => {
    const [parent, child] = [capId(BigInt(from)), capId(BigInt(to))];
    const sibling = capId(world.stock['sibling'] ?? 0n);
    const [ofChild, ofSibling] = [mapped(world, child), mapped(world, sibling)];
    const visible = () => [shows(world, ofChild, NOWHERE + 2n * PAGE), shows(world, ofSibling)];
    assert.deepEqual(visible(), [2n * PAGE, 'ADDR_INVALID']);
    assert.equal(familyDo(world, 2, [child, sibling], [2n * PAGE, 2n * PAGE]), 'OK');
    assert.deepEqual(visible(), ['ADDR_INVALID', 0n]);
    assert.equal(familyDo(world, 1, [sibling, parent], [0n, 2n * PAGE]), 'OK');
    assert.deepEqual(visible(), ['ADDR_INVALID', 'ADDR_INVALID']);
    const root = rootExtent(world);
    assert.equal(familyDo(world, 0, [world.partition, root], [0n, PAGE]), 'OK');
    assert.equal(familyDo(world, 0, [world.partition, root], [0n, PAGE]), 'MEMDB_NOT_OWNER');
    assert.equal(familyDo(world, 1, [root, world.partition], [0n, PAGE]), 'OK');
  },
  failures: DONATE_FAILURES,
};

/** Rows of this file. */
export const MEMORY_ROWS: readonly RowTests[] = [...MAP_ROWS, ...SPACE_ROWS, ...EXTENT_ROWS, DONATE_ROW];
