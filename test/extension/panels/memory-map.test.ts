import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';
import { foldGaps } from '../../../extension/panels/memory-map/fold';
import { around, clamp, hullOf, nextRange, pan, place, ticksOf, toAddress, toPixel, WIDTH_MIN, zoom, type Span } from '../../../extension/panels/memory-map/layout';
import { parseMapMessage } from '../../../extension/panels/memory-map/messages';
import { rangesWith } from '../../../extension/panels/memory-map/find';
import { mapState } from '../../../extension/panels/memory-map/model';
import { parseWalkAddress } from '../../../extension/panels/memory-map/walk-address';
import type { VmMemory } from '../../../extension/panels/memory/model';

const MIB = 1 << 20;
const GIB = 1 << 30;
const span = (from: number, size: number): Span => ({ from, to: from + size });

test('what lies in the picture is to scale, and nothing is too thin to see', () => {
  const view = span(0, 1000 * MIB);
  const [big, page] = place([span(100 * MIB, 200 * MIB), span(500 * MIB, 4096)], view, 1000, (index) => String(index));
  assert.deepEqual(big, { index: 0, last: 0, x: 100, width: 200 });
  assert.deepEqual(page, { index: 1, last: 1, x: 500, width: WIDTH_MIN });
});

test('what is out of sight is left out, what reaches in is cut', () => {
  assert.deepEqual(place([span(0, 10), span(95, 10), span(300, 5)], span(100, 100), 100, () => ''), [{ index: 1, last: 1, x: 0, width: 5 }]);
});

test('thousands of pages cost no more shapes than there are pixels', () => {
  const pages = Array.from({ length: 50_000 }, (_, index) => span(index * 8192, 4096));
  assert.ok(place(pages, hullOf(pages), 1000, () => 'owned').length <= 1000);
  const [all] = place(pages, hullOf(pages), 1000, () => 'owned');
  assert.deepEqual([all?.index, all?.last], [0, 49_999]);
  assert.equal(place(pages, hullOf(pages), 1000, (index) => String(index % 2)).length, 2);
});

test('zooming keeps the address under the pointer and stays inside', () => {
  const hull = span(0, GIB);
  const view = zoom(span(0, GIB), 0.25, GIB / 2, hull);
  assert.equal(view.to - view.from, GIB / 4);
  assert.equal(toPixel(GIB / 2, view, 800), 400);
  assert.deepEqual(zoom(view, 1000, 0, hull), hull);
});

test('no way of moving leaves the address space or shows less than a page', () => {
  const hull = span(GIB, 3 * GIB);
  const actions = fc.array(fc.oneof(
    fc.record({ kind: fc.constant('zoom'), by: fc.double({ min: 0.01, max: 50, noNaN: true }), at: fc.integer({ min: 0, max: 5 * GIB }) }),
    fc.record({ kind: fc.constant('pan'), by: fc.double({ min: -5, max: 5, noNaN: true }), at: fc.constant(0) }),
    fc.record({ kind: fc.constant('around'), by: fc.integer({ min: 1, max: GIB }), at: fc.integer({ min: 0, max: 5 * GIB }) }),
  ), { maxLength: 30 });
  fc.assert(fc.property(actions, (all) => {
    let view = hull;
    for (const { kind, by, at } of all) {
      view = kind === 'zoom' ? zoom(view, by, at, hull) : kind === 'pan' ? pan(view, by, hull) : around(span(at, by), hull);
      assert.ok(view.from >= hull.from - 1 && view.to <= hull.to + 1 && view.to - view.from >= 4095, JSON.stringify({ kind, by, at, view }));
    }
  }), { seed: 11, numRuns: 500 });
});

test('pixels and addresses convert both ways', () => {
  const view = clamp(span(0x4000_0000, 256 * MIB), span(0, 4 * GIB));
  assert.equal(toAddress(toPixel(0x4800_0000, view, 777), view, 777), 0x4800_0000);
});

test('folding cuts long gaps and keeps ranges in proportion', () => {
  const scale = foldGaps([span(0x900_0000, 4096), span(GIB, 128 * MIB), span(GIB + 128 * MIB, 64 * MIB), span(2 ** 40, 64 * MIB)]);
  const length = (from: number, size: number): number => scale.toPosition(from + size) - scale.toPosition(from);
  assert.equal(Math.round(length(GIB, 128 * MIB)), 2 * Math.round(length(GIB + 128 * MIB, 64 * MIB)));
  assert.equal(Math.round(length(2 ** 40, 64 * MIB)), 64 * MIB);
  assert.ok(length(GIB + 192 * MIB, 2 ** 40 - GIB - 192 * MIB) < 16 * MIB);
  assert.equal(scale.pieces.filter(({ isFolded }) => isFolded).length, 2);
});

test('a folded address space keeps order and leads back to every address', () => {
  const ranges = fc.array(fc.tuple(fc.nat(2 ** 30), fc.integer({ min: 1, max: 2 ** 16 })).map(([page, pages]) => span(page * 4096, pages * 4096)), { minLength: 1, maxLength: 20 });
  fc.assert(fc.property(ranges, fc.array(fc.nat(2 ** 31), { minLength: 2, maxLength: 20 }), (all, pages) => {
    const scale = foldGaps(all);
    const addresses = [...pages.map((page) => page * 4096), ...all.flatMap(({ from, to }) => [from, to])].sort((a, b) => a - b);
    const positions = addresses.map((address) => scale.toPosition(address));
    for (const [index, address] of addresses.entries()) {
      assert.ok(Math.abs(scale.toAddress(positions[index] ?? 0) - address) < 1, String(address));
      assert.ok(index === 0 || (positions[index - 1] ?? 0) <= (positions[index] ?? 0));
    }
  }), { seed: 12, numRuns: 300 });
});

test('ticks are round addresses with room for their labels', () => {
  const ticks = ticksOf(span(0x3fff_0000, 200 * MIB), 900);
  assert.ok(ticks.length >= 3 && ticks.length <= 9, String(ticks.length));
  for (const tick of ticks) assert.equal(tick % (16 * MIB), 0);
});

test('the keyboard goes from range to range and begins at what is in sight', () => {
  const ranges = [span(0, 10), span(100, 10), span(200, 10)];
  assert.equal(nextRange(ranges, -1, 1, span(90, 50)), 1);
  assert.deepEqual([nextRange(ranges, 1, 1, ranges[0] ?? span(0, 1)), nextRange(ranges, 2, 1, span(0, 1)), nextRange(ranges, 0, -1, span(0, 1)), nextRange([], -1, 1, span(0, 1))], [2, 2, 0, -1]);
});

test('addresses are read as users write them, the rest is left to the debugger', () => {
  assert.deepEqual(parseWalkAddress('0x41000000', 'va'), { vm: undefined, space: 'va', address: '0x41000000' });
  assert.deepEqual(parseWalkAddress(' sensor:ipa:0x80 ', 'va'), { vm: 'sensor', space: 'ipa', address: '0x80' });
  assert.deepEqual(parseWalkAddress('IPA:0X80', 'va'), { vm: undefined, space: 'ipa', address: '0x80' });
  assert.deepEqual(parseWalkAddress('4096', 'ipa'), { vm: undefined, space: 'ipa', address: '0x1000' });
  assert.deepEqual(parseWalkAddress('pa:0x40', 'va'), { vm: undefined, space: 'pa', address: '0x40' });
  assert.deepEqual(parseWalkAddress('0x40', 'pa'), { vm: undefined, space: 'pa', address: '0x40' });
  for (const text of ['$sp', '&counter', '', 'xa:0x40', '0x', '99999999999999999999', 'a:b:0x1']) assert.equal(parseWalkAddress(text, 'va'), undefined, text);
});

test('what the page sends is believed only if it is well formed', () => {
  assert.deepEqual(parseMapMessage({ kind: 'walk', text: '$sp', space: 'va' }), { kind: 'walk', text: '$sp', space: 'va' });
  for (const message of [undefined, 5, { kind: 'walk', text: ' ', space: 'va' }, { kind: 'walk', text: 'x', space: 'xa' }, { kind: 'vm', vmid: -1 }, { kind: 'reveal', ipa: 1e300 }, { kind: 'walk', text: 'x'.repeat(2000), space: 'va' }]) {
    assert.equal(parseMapMessage(message), undefined, JSON.stringify(message));
  }
});

const range = (ipa: number, pa: number, sizeBytes: number): VmMemory['map'][number] => ({
  ipa: `0x${ipa.toString(16)}`, pa: `0x${pa.toString(16)}`, sizeBytes, access: 'RWX', userAccess: 'RWX', memoryType: 'normal-wb', extentId: null, owner: 'primary', state: 'owned', memparcel: null, others: [], othersCut: false,
});
const vm = (vmid: number, name: string, map: VmMemory['map']): VmMemory => ({ vmid, vm: name, map, windows: [], extents: [], memparcels: [], cut: false });
const WHERE = { session: 'stopped', nowText: '1 ms' } as const;

test('the map shows the wanted VM, else the first with memory, and what only others see', () => {
  const vms = [vm(255, 'resource-manager', []), vm(3, 'primary', [range(0x4000, 0x4000, 0x1000)]), vm(128, 'sensor', [range(0x8000, 0x9000, 0x1000), range(0x9000, 0x4000, 0x1000)])];
  const first = mapState(vms, undefined, { ...WHERE, vmid: undefined });
  assert.deepEqual([first.vm, first.vms.map(({ name }) => name), first.others], ['primary', ['primary', 'sensor'], [{ pa: 0x9000, sizeBytes: 0x1000, vm: 'sensor' }]]);
  assert.equal(mapState(vms, undefined, { ...WHERE, vmid: 128 }).vm, 'sensor');
  assert.equal(mapState([], undefined, { ...WHERE, vmid: 128 }).vmid, -1);
});

test('ranges say whether they are new or changed since the last stop', () => {
  const before = [vm(3, 'primary', [range(0x4000, 0x4000, 0x1000), range(0x8000, 0x8000, 0x1000)])];
  const now = [vm(3, 'primary', [range(0x4000, 0x4000, 0x1000), range(0x8000, 0x8000, 0x2000), range(0xc000, 0xc000, 0x1000)])];
  assert.deepEqual(mapState(now, before, { ...WHERE, vmid: 3 }).ranges.map(({ change }) => change), ['same', 'changed', 'new']);
});

test('memory that a VM lent away is its own in the picture, not what only others see', () => {
  const lent: VmMemory['memparcels'][number] = {
    handle: 0, label: 0, ownerVmid: 3, owner: 'primary', transaction: 'lend', state: 'lent', memoryType: 'normal', sanitised: false, complete: true, ownerMapped: false, sizeBytes: 0x1000,
    acl: [{ vmid: 128, vm: 'sensor', access: 'RWX' }], ranges: [{ ipa: '0x9000', pa: '0x9000', sizeBytes: 0x1000 }], acceptedBy: [{ vmid: 128, vm: 'sensor', ranges: [{ ipa: '0x80000000', sizeBytes: 0x1000 }] }],
  };
  const { ranges, others } = mapState([{ ...vm(3, 'primary', [range(0x4000, 0x4000, 0x1000)]), memparcels: [lent] }, vm(128, 'sensor', [range(0x8000_0000, 0x9000, 0x1000)])], undefined, { ...WHERE, vmid: 3 });
  assert.deepEqual([ranges.map(({ state }) => state), others], [['owned', 'lent'], []]);
});

test('a range is found by an address in it, by the digits that it begins with, and by words of its row', () => {
  const { ranges } = mapState([vm(3, 'primary', [range(0x4000, 0x14000, 0x1000), { ...range(0x4100_0000, 0x2000, 0x2000), state: 'shared', memparcel: 9, others: [{ vmid: 128, vm: 'sensor', ipa: '0x80000000', access: 'R--' }] }])], undefined, { ...WHERE, vmid: 3 });
  const found = (text: string): readonly number[] => rangesWith(ranges, text);
  assert.deepEqual([found('0x4fff'), found('0x5000'), found('0x41001000'), found('0x14800'), found('0x41'), found('0x9')], [[0], [], [1], [0], [1], [1]]);
  assert.deepEqual([found('shared sensor'), found('SHARED'), found('owned sensor'), found('primary'), found('(a+')], [[1], [1], [], [0, 1], []]);
});
