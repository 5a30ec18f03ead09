import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ExtentRow, MemoryRow } from '../../../debug-adapter/protocol';
import { memoryRows, type VmMemory } from '../../../extension/panels/memory/model';
import { checkIds, checkRows, rowOf } from './rows-as-text';

const RAM: MemoryRow = {
  ipa: '0x40000000', sizeBytes: 1 << 20, pa: '0x50000000', access: 'RWX', userAccess: 'RWX', memoryType: 'normal-wb', extentId: 4, owner: 'primary', state: 'owned', memparcel: null, others: [], othersCut: false,
};
const EXTENT: ExtentRow = {
  objectId: 4, label: 'RAM', kind: 'basic', base: '0x50000000', sizeBytes: 1 << 20, memoryType: 'any', access: 'RWX', parent: 1, owned: [{ pa: '0x50000000', sizeBytes: 1 << 20 }], ownedBytes: 1 << 20,
  mappings: [{ vmid: 3, vm: 'primary', ipa: '0x40000000', offset: '0x0', sizeBytes: 1 << 20, access: 'RWX', memoryType: 'normal-wb' }], holders: ['primary'],
};
const VM: VmMemory = { vmid: 3, vm: 'primary', map: [RAM], extents: [EXTENT], memparcels: [], cut: false };

test('a VM shows what it sees, and extents what they own and where they are mapped', () => {
  checkRows(memoryRows([VM], undefined), 3, `
    primary: 1 MiB owned
      0x40000000 – 0x400fffff: 1 MiB · owned · RWX
        Physical: 0x50000000 – 0x500fffff
        Owner: primary
        Access at EL1: RWX
        Access at EL0: RWX
        Memory type: normal-wb
        Extent: #4 RAM
    Memory parcels: 0
    Memory extents: 1
      #4 RAM: 0x50000000 – 0x500fffff · owns 1 MiB of 1 MiB · RWX
        Kind: basic, any, at most RWX
        Derived from: #1
        Holders: primary
        Owns 0x50000000 – 0x500fffff: 1 MiB
        Mapped in primary at 0x40000000: 1 MiB · RWX · normal-wb`);
});

test('memory that became shared says so, with who sees it', () => {
  const now: VmMemory = { ...VM, map: [{ ...RAM, state: 'shared', memparcel: 9, others: [{ vmid: 128, vm: 'sensor', ipa: '0x90000000', access: 'R--' }], othersCut: true }] };
  const range = rowOf(memoryRows([now], [VM]), /^0x40000000/);
  assert.equal(range.description, '1 MiB · shared (was owned) · RWX · RAM · also seen by sensor');
  assert.equal(range.tone, 'changed');
  checkRows(range.children.slice(-3), 1, `
    Memory parcel: 0x9
    Also seen by sensor: at 0x90000000 · R--
    And by more: `);
});

test('extents and parcels of every VM are listed, each once', () => {
  const other: VmMemory = { ...VM, vmid: 128, vm: 'sensor', extents: [EXTENT, { ...EXTENT, objectId: 9, label: 'memory of sensor' }] };
  assert.deepEqual(rowOf(memoryRows([VM, other], undefined), /^Memory extents/).children.map(({ label }) => label), ['#4 RAM', '#9 memory of sensor']);
});

test('a range that is no longer mapped is gone, a new one is new', () => {
  const rows = memoryRows([{ ...VM, map: [{ ...RAM, ipa: '0x80000000' }] }], [VM]);
  assert.deepEqual([rowOf(rows, /^0x80000000/).tone, rowOf(rows, /^0x40000000/).tone], ['new', 'gone']);
});

test('thousands of ranges end in a row that leads to the map', () => {
  const map = Array.from({ length: 1000 }, (_, index): MemoryRow => ({ ...RAM, ipa: `0x${(0x40000000 + index * 0x2000).toString(16)}`, sizeBytes: 4096 }));
  const rows = memoryRows([{ ...VM, map }], undefined);
  assert.equal(rows[0]?.children.length, 201);
  assert.match(rows[0].children.at(-1)?.label ?? '', /800 more ranges/);
  checkIds(rows);
});

test('a VM without a stage-2 map has no row, and without VMs there is nothing', () => {
  assert.deepEqual(memoryRows([{ ...VM, map: [] }], undefined).map(({ label }) => label), ['Memory parcels', 'Memory extents']);
  assert.deepEqual(memoryRows([], undefined), []);
});
