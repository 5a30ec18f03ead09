/** The memory map of a tree: where ranges lie in the picture, and what its page may say. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { layOut } from '../../../extension/panels/tree-map/layout';
import { parseTreeMapMessage } from '../../../extension/panels/tree-map/messages';

type Kind = 'memory' | 'reserved' | 'device';
const range = (kind: Kind, base: bigint, size: bigint): { kind: Kind; base: string; last: string } => ({ kind, base: `0x${base.toString(16)}`, last: `0x${(base + size - 1n).toString(16)}` });

describe('layout of a memory map', () => {
  it('a page and a gigabyte are both readable, and what is empty is short', () => {
    const { ranges, gaps, columns, height } = layOut([range('device', 0x900_0000n, 0x1000n), range('memory', 0x4000_0000n, 0x4000_0000n)]);
    assert.deepEqual(ranges.map(({ top, height: tall, column, columns: of }) => [top, tall, column, of]), [[0, 22, 0, 1], [40, 76, 0, 1]]);
    assert.deepEqual(gaps, [{ top: 22, height: 18, sizeBytes: 0x4000_0000n - 0x900_1000n }]);
    assert.deepEqual([columns, height], [1, 116]);
  });

  it('what lies in memory has a column of its own, what overlaps in its kind gets another', () => {
    const { ranges } = layOut([range('memory', 0n, 0x10000n), range('reserved', 0x1000n, 0x1000n), range('device', 0x2000n, 0x2000n), range('device', 0x3000n, 0x2000n)]);
    assert.deepEqual(ranges.map(({ column }) => column), [0, 1, 2, 3]);
  });

  it('what lies apart from memory leaves no room for it', () => {
    const { ranges, columns } = layOut([range('memory', 0x8000_0000n, 0x10000n), range('reserved', 0x8000_1000n, 0x1000n), range('device', 0x1000n, 0x1000n), range('device', 0x1800n, 0x1000n), range('device', 0x9000n, 0x1000n)]);
    assert.deepEqual([ranges.map(({ column, columns: of }) => `${column}/${of}`), columns], [['0/2', '1/2', '0/2', '1/2', '0/1'], 2]);
  });

  it('nothing is laid out as nothing, and a wrapped range as one byte', () => {
    assert.deepEqual(layOut([]), { ranges: [], gaps: [], columns: 1, height: 0 });
    assert.equal(layOut([{ kind: 'device', base: '0x10', last: '0xf' }]).ranges[0]?.height, 22);
  });

  it('ranges of one column never overlap, order follows addresses, and everything is inside the picture', () => {
    const some = fc.array(fc.record({ kind: fc.constantFrom<Kind>('memory', 'reserved', 'device'), base: fc.bigInt(0n, 0xffffn), size: fc.bigInt(1n, 0x4000n) }), { maxLength: 40 });
    fc.assert(fc.property(some, (given) => {
      const layout = layOut(given.map(({ kind, base, size }) => range(kind, base, size)));
      for (const one of layout.ranges) {
        assert.ok(one.top >= 0 && one.top + one.height <= layout.height && one.column < one.columns && one.columns <= layout.columns);
        for (const other of layout.ranges) {
          const [a, b] = [given[one.index], given[other.index]];
          if (one === other || a === undefined || b === undefined) continue;
          if (a.base < b.base) assert.ok(one.top < other.top);
          const isShared = a.base < b.base + b.size && b.base < a.base + a.size;
          if (isShared) assert.notEqual(one.column, other.column);
        }
      }
    }));
  });
});

describe('messages of the page', () => {
  it('only what the page may say is believed', () => {
    assert.deepEqual(parseTreeMapMessage({ kind: 'open', index: 3, more: 1 }), { kind: 'open', index: 3 });
    assert.deepEqual(parseTreeMapMessage({ kind: 'ready' }), { kind: 'ready' });
    for (const bad of [undefined, 1, 'ready', {}, { kind: 'open' }, { kind: 'open', index: -1 }, { kind: 'open', index: 1.5 }, { kind: 'else' }]) assert.equal(parseTreeMapMessage(bad), undefined);
  });
});
