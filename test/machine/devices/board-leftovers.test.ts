import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pa } from '../../../runtime/base/brands';
import type { Bus } from '../../../runtime/machine/bus';
import { makeDeviceSpace } from '../../../runtime/system/device-space';

const space = (): Bus => makeDeviceSpace(8, { read: () => undefined, write: () => false });

function read(bus: Bus, address: number, sizeBytes: number): bigint | string {
  const result = bus.read(pa(BigInt(address)), sizeBytes);
  return result.outcome === 'done' ? result.value : result.outcome;
}

function write(bus: Bus, address: number, sizeBytes: number, value: bigint): void {
  assert.equal(bus.write(pa(BigInt(address)), sizeBytes, value).outcome, 'done');
}

test('where no PCI device answers all ones are read, and the bridge is the only function', () => {
  const bus = space();
  for (const address of [0x1000_0000, 0x3eff_0000, 0x3f00_0100, 0x3f00_8000, 0x3fff_fff8]) assert.equal(read(bus, address, 4), 0xffff_ffffn);
  assert.equal(read(bus, 0x1000_0000, 8), 0xffff_ffff_ffff_ffffn);
  assert.deepEqual([read(bus, 0x3f00_0000, 4), read(bus, 0x3f00_0002, 2), read(bus, 0x3f00_0008, 8)], [0x0008_1b36n, 8n, 0x0600_0000n]);
  write(bus, 0x3f00_0000, 8, 0xffff_ffff_ffff_ffffn);
  assert.deepEqual([read(bus, 0x3f00_0000, 4), read(bus, 0x3f00_0004, 4)], [0x0008_1b36n, 0x507n]);
});

test('flash is blank and takes commands; what is programmed and erased is saved', () => {
  const [bus, other] = [space(), space()];
  assert.equal(read(bus, 0, 8), 0n);
  write(bus, 0x100, 4, 0x0040_0040n);
  write(bus, 0x100, 4, 0x1234_5678n);
  write(bus, 0, 4, 0x00ff_00ffn);
  assert.equal(read(bus, 0x100, 4), 0x1234_5678n);
  write(bus, 0x0404_0000, 4, 0x0020_0020n);
  write(bus, 0x0404_0000, 4, 0x00d0_00d0n);
  write(bus, 0x0400_0000, 4, 0x00ff_00ffn);
  other.restore(bus.save());
  for (const each of [bus, other]) {
    assert.deepEqual([read(each, 0x0403_fffc, 4), read(each, 0x0404_0000, 4), read(each, 0x0407_fffc, 4), read(each, 0x0408_0000, 4)], [0n, 0xffff_ffffn, 0xffff_ffffn, 0n]);
    assert.equal(read(each, 0x100, 4), 0x1234_5678n);
  }
});

test('general-purpose lines keep their direction, and show what outputs are set to', () => {
  const bus = space();
  write(bus, 0x0903_03fc, 4, 0xffn);
  assert.equal(read(bus, 0x0903_03fc, 4), 0n);
  write(bus, 0x0903_0400, 4, 0x0fn);
  write(bus, 0x0903_0014, 4, 0xffn);
  assert.deepEqual([read(bus, 0x0903_03fc, 4), read(bus, 0x0903_0004, 4)], [5n, 1n]);
  write(bus, 0x0903_0404, 4, 0xffn);
  assert.equal(read(bus, 0x0903_0414, 4), 0xfan);
  assert.equal(read(bus, 0x0903_0fe0, 1), 0x61n);
});

test('the ITS can be set up and does nothing', () => {
  const bus = space();
  assert.deepEqual([read(bus, 0x0808_0000, 4), read(bus, 0x0808_0008, 8), read(bus, 0x0808_0100, 8), read(bus, 0x0808_0000, 2)], [0x8000_0000n, 0x1f_0001_efb1n, 0x0107_0000_0000_0200n, 'refused']);
  write(bus, 0x0808_0100, 8, 0xffff_ffff_ffff_ffffn);
  write(bus, 0x0808_0084, 4, 0x1234n);
  assert.deepEqual([read(bus, 0x0808_0104, 4), read(bus, 0x0808_0080, 8)], [0xf9e7_ffffn, 0x1234_0000_0000n]);
});

test('virtio slots are empty ones of the old interface, and nothing is between devices', () => {
  const bus = space();
  assert.deepEqual([read(bus, 0x0a00_3e00, 4), read(bus, 0x0a00_3e04, 4), read(bus, 0x0a00_3e08, 4)], [0x7472_6976n, 1n, 0n]);
  for (const address of [0x0810_0000, 0x0904_0000, 0x0a00_4000, 0x0c00_0000]) assert.equal(read(bus, address, 4), 'unmapped');
});
