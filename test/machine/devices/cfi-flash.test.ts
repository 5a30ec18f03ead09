/** The flash, driven by the commands of its command set. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CfiFlash, FLASH_BLOCK_SIZE, type FlashArray } from '../../../runtime/machine/devices/cfi-flash';

const SIZE = 2 * FLASH_BLOCK_SIZE;

interface Bench { readonly flash: CfiFlash; readonly bytes: Uint8Array; readonly plain: boolean }

function bench(): Bench {
  const bytes = new Uint8Array(SIZE);
  let plain = false;
  const array: FlashArray = {
    read: (offset, sizeBytes) => bytes.slice(offset, offset + sizeBytes),
    write: (offset, content) => { bytes.set(content, offset); },
    fill: (offset, sizeBytes, byte) => { bytes.fill(byte, offset, offset + sizeBytes); },
    setPlainLoads: (isPlain) => { plain = isPlain; },
  };
  return { bytes, flash: new CfiFlash(array), get plain() { return plain; } };
}

const both = (value: number): number => value | (value << 16);
const send = ({ flash }: Bench, ...stores: readonly (readonly [offset: number, value: number])[]): void => {
  for (const [offset, value] of stores) assert.ok(flash.write(offset, 4, BigInt(value >>> 0)));
};
const load = ({ flash }: Bench, offset: number): number => Number(flash.read(offset, 4));

describe('the flash', () => {
  it('is plain memory in array mode only', () => {
    const all = bench();
    assert.equal(all.plain, true);
    send(all, [0, both(0x70)]);
    assert.deepEqual([all.plain, load(all, 0)], [false, both(0x80)]);
    send(all, [0, both(0xff)]);
    assert.deepEqual([all.plain, load(all, 0)], [true, 0]);
  });

  it('answers the CFI query as two chips of 16 bits with the Intel command set', () => {
    const all = bench();
    send(all, [0x154, both(0x98)]);
    const table = Array.from({ length: 0x40 }, (_, index) => load(all, index * 4));
    assert.deepEqual(table.map((word) => word >>> 16), table.map((word) => word & 0xffff), 'both chips say the same');
    const byte = (index: number): number => (table[index] ?? 0) & 0xff;
    assert.equal(String.fromCharCode(byte(0x10), byte(0x11), byte(0x12)), 'QRY');
    assert.deepEqual([byte(0x13), 2 ** byte(0x27), 2 ** byte(0x2a), byte(0x2d) + 1, byte(0x30) * 65536], [1, 32 * 1024 * 1024, 2048, 256, 131072]);
    assert.equal(load(all, 0x40 * 4), 0);
  });

  it('identifies itself', () => {
    const all = bench();
    send(all, [0, both(0x90)]);
    assert.deepEqual([load(all, 0), load(all, 4), load(all, 8)], [both(0x89), both(0x18), 0]);
  });

  it('programs by clearing bits, and erases a block', () => {
    const all = bench();
    send(all, [0, both(0x20)], [0, both(0xd0)], [8, both(0x40)], [8, 0x1234_5678], [8, both(0x40)], [8, 0xf0f0_f0f0], [0, both(0xff)]);
    assert.equal(load(all, 8), 0x1234_5678 & 0xf0f0_f0f0);
    assert.deepEqual([all.bytes[0], all.bytes[FLASH_BLOCK_SIZE - 1], all.bytes[FLASH_BLOCK_SIZE]], [0xff, 0xff, 0]);
  });

  it('programs a buffer when it is confirmed', () => {
    const all = bench();
    const stores = Array.from({ length: 4 }, (_, n) => [0x100 + n * 4, 0x1111_1111 * (n + 1)] as const);
    send(all, [0, both(0x20)], [0, both(0xd0)], [0x100, both(0xe8)], [0x100, both(3)], ...stores);
    assert.equal(all.bytes[0x100], 0xff);
    send(all, [0x100, both(0xd0)]);
    assert.deepEqual([load(all, 0x100), all.bytes[0x100], all.bytes[0x10c]], [both(0x80), 0x11, 0x44]);
  });

  it('reports errors of sequence until they are cleared', () => {
    const all = bench();
    send(all, [0, both(0x20)], [0, both(0x33)]);
    assert.equal(load(all, 0), both(0xb0));
    send(all, [0, both(0x50)], [0, both(0x70)]);
    assert.equal(load(all, 0), both(0x80));
    send(all, [0, both(0xe8)], [0, both(1)], [FLASH_BLOCK_SIZE - 4, 0], [FLASH_BLOCK_SIZE, 0], [0, both(0xd0)]);
    assert.equal(load(all, 0), both(0xb0));
  });

  it('takes accesses of 8 bytes as two cycles, and gives narrow ones their lane', () => {
    const all = bench();
    send(all, [0, both(0x90)]);
    assert.equal(all.flash.read(0, 8), BigInt(both(0x18)) << 32n | BigInt(both(0x89)));
    assert.deepEqual([all.flash.read(0, 1), all.flash.read(1, 1), all.flash.read(2, 2)], [0x89n, 0n, 0x89n]);
    all.flash.write(0, 8, 0x0070_0070_00ff_00ffn);
    assert.equal(load(all, 0), both(0x80));
  });

  it('never throws, and goes on alike after save and restore', () => {
    const commands = [0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0x90, 0x98, 0xd0, 0xe8, 0xff, 0xf0, 0x01, 3, 0];
    const step = fc.record({ isWrite: fc.boolean(), offset: fc.nat(SIZE / 4 - 1).map((word) => word * 4), sizeBytes: fc.constantFrom(1, 2, 4, 8), value: fc.oneof(fc.constantFrom(...commands), fc.nat()) });
    type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
    const run = ({ flash }: Bench, { isWrite, offset, sizeBytes, value }: Step): unknown => {
      const at = Math.min(offset - (offset % sizeBytes), SIZE - sizeBytes);
      return isWrite ? flash.write(at, sizeBytes, BigInt(value)) : flash.read(at, sizeBytes);
    };
    fc.assert(fc.property(fc.array(step, { maxLength: 30 }), fc.array(step, { maxLength: 30 }), (before, after) => {
      const original = bench();
      for (const one of before) run(original, one);
      const copy = bench();
      copy.bytes.set(original.bytes);
      const saved = original.flash.save();
      copy.flash.restore(saved);
      assert.deepEqual([copy.flash.save(), copy.plain], [saved, original.plain]);
      for (const one of after) assert.deepEqual(run(copy, one), run(original, one));
      assert.deepEqual(copy.flash.save(), original.flash.save());
    }), { numRuns: 60, seed: 5 });
  });
});
