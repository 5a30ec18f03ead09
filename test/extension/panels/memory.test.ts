import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ExtentRow, MemoryRow } from '../../../debug-adapter/protocol';
import { memoryRows, type VmMemory } from '../../../extension/panels/memory/model';
import { checkIds, checkRows, rowOf, rowsText } from './rows-as-text';

const RAM: MemoryRow = {
  ipa: '0x40000000', sizeBytes: 1 << 20, pa: '0x50000000', access: 'RWX', userAccess: 'RWX', memoryType: 'normal-wb', extentId: 4, owner: 'primary', state: 'owned', memparcel: null, others: [], othersCut: false,
};
const EXTENT: ExtentRow = {
  objectId: 4, label: 'RAM', kind: 'basic', base: '0x50000000', sizeBytes: 1 << 20, memoryType: 'any', access: 'RWX', parent: 1, owned: [{ pa: '0x50000000', sizeBytes: 1 << 20 }], ownedBytes: 1 << 20,
  mappings: [{ vmid: 3, vm: 'primary', ipa: '0x40000000', offset: '0x0', sizeBytes: 1 << 20, access: 'RWX', memoryType: 'normal-wb' }], holders: ['primary'],
};
const VM: VmMemory = { vmid: 3, vm: 'primary', map: [RAM], windows: [], extents: [EXTENT], memparcels: [], cut: false };

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

const manyRanges = (count: number): MemoryRow[] => Array.from({ length: count }, (_, index): MemoryRow => ({ ...RAM, ipa: `0x${(0x40000000 + index * 0x2000).toString(16)}`, sizeBytes: 4096 }));

test('thousands of ranges are in pages of a hundred, each called by its addresses, and none is left out', () => {
  const rows = memoryRows([{ ...VM, map: manyRanges(1050) }], undefined);
  const pages = rows[0]?.children ?? [];
  assert.equal(pages.length, 11);
  checkRows(pages.slice(-1), 1, '0x407d0000 – 0x40832fff: 1001 to 1050 of 1050');
  assert.equal(pages.flatMap(({ children }) => children).length, 1050);
  checkIds(rows);
});

test('a page says that one of its ranges changed', () => {
  const before = manyRanges(500);
  const now = before.map((range, index): MemoryRow => (index === 250 ? { ...range, state: 'shared' } : range));
  assert.deepEqual((memoryRows([{ ...VM, map: now }], [{ ...VM, map: before }])[0]?.children ?? []).map(({ tone }) => tone), ['plain', 'plain', 'changed', 'plain', 'plain']);
});

test('eight thousand ranges are compared with the last stop in a fraction of the time that comparing all with all takes', () => {
  const before = manyRanges(8000);
  const now = before.map((range): MemoryRow => ({ ...range }));
  const timed = (count: number): number => {
    const started = process.cpuUsage();
    memoryRows([{ ...VM, map: now.slice(0, count) }], [{ ...VM, map: before.slice(0, count) }]);
    const { user, system } = process.cpuUsage(started);
    return user + system;
  };
  timed(1000);
  const ratios = [1, 2, 3].map(() => timed(8000) / Math.max(1, timed(1000)));
  assert.ok(Math.min(...ratios) < 30, `eight times as many take ${ratios.map((ratio) => ratio.toFixed(1)).join(', ')} times as long`);
});

test('what answers without a map is told by what stands behind it', () => {
  const windows: VmMemory['windows'] = [
    { ipa: '0x8000000', sizeBytes: 0x10000, kind: 'emulated', name: 'the distributor (GICD)' }, { ipa: '0xa000000', sizeBytes: 0x4000, kind: 'board', name: '32 empty virtio slots' },
    { ipa: '0xa004000', sizeBytes: 0x1000, kind: 'empty', name: 'nothing' },
  ];
  const space = rowOf(memoryRows([{ ...VM, windows }], undefined), /^Device space$/);
  assert.equal(rowsText([space]), [
    'Device space: 3 ranges', '  0x8000000 – 0x800ffff: 64 KiB · the distributor (GICD) · emulated by the hypervisor', '  0xa000000 – 0xa003fff: 16 KiB · 32 empty virtio slots · device of the board',
    '  0xa004000 – 0xa004fff: 4 KiB · nothing · the bus refuses accesses [dim]',
  ].join('\n'));
  const guest = memoryRows([{ ...VM, windows: [{ ipa: '0x0', sizeBytes: 0x1000, kind: 'vmm', name: 'VMMIO range' }] }], undefined);
  assert.match(rowsText([rowOf(guest, /^Emulated devices$/)]), /0x0 – 0xfff: 4 KiB · VMMIO range · emulated by whoever runs the vCPU/);
});

test('a VM without a stage-2 map has no row, and without VMs there is nothing', () => {
  assert.deepEqual(memoryRows([{ ...VM, map: [] }], undefined).map(({ label }) => label), ['Memory parcels', 'Memory extents']);
  assert.deepEqual(memoryRows([], undefined), []);
});
