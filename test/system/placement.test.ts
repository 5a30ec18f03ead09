/** Where kernel, ramdisk and device tree of a VM go, and what is said if they do not fit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadImage } from '../../runtime/images/image';
import type { VmDescription } from '../../runtime/system/description';
import { placeVm, type VmPlacement } from '../../runtime/system/placement';

const MIB = 1 << 20;
const BASE = 0x4000_0000n;

/** A kernel Image of one page that asks for more memory. */
function kernel({ imageSize = 4 * MIB, textOffset = 0n }: { readonly imageSize?: number; readonly textOffset?: bigint } = {}): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(8, textOffset, true);
  view.setBigUint64(16, BigInt(imageSize), true);
  view.setBigUint64(24, 0xan, true);
  view.setUint32(56, 0x644d_5241, true);
  return bytes;
}

function place(bytes: Uint8Array, memorySizeBytes: number, ramdiskSize?: number): ReturnType<typeof placeVm> {
  const image = loadImage(bytes, 'Image');
  assert.ok(image.ok);
  const vm: VmDescription = {
    name: 'linux', image: image.value, imageName: 'Image', vcpuCount: 1, commandLine: '', hasUart: true, autostart: true,
    ...(ramdiskSize === undefined ? {} : { ramdisk: new Uint8Array(ramdiskSize) }),
  };
  return placeVm(vm, { base: BASE, sizeBytes: BigInt(memorySizeBytes) });
}

function placed(...words: Parameters<typeof place>): VmPlacement {
  const placement = place(...words);
  assert.ok(placement.ok, placement.ok ? '' : placement.error.message);
  return placement.value;
}

function checkRefused(placement: ReturnType<typeof placeVm>, code: string, message: RegExp): void {
  assert.ok(!placement.ok);
  assert.equal(placement.error.code, code);
  assert.match(placement.error.message, message);
}

test('a kernel lies its text offset above a multiple of 2 MiB, with its device tree below and its ramdisk behind all it asks for', () => {
  const { entry, context, deviceTree, ramdisk } = placed(kernel({ imageSize: 5 * MIB, textOffset: 0x8_0000n }), 64 * MIB, 100);
  assert.equal(entry, BASE + 0x28_0000n);
  assert.equal(context, deviceTree.base);
  assert.ok(deviceTree.base >= BASE && deviceTree.base + deviceTree.sizeBytes <= entry && deviceTree.base % 8n === 0n);
  // 2.5 MiB and 5 MiB, up to the next multiple of 2 MiB.
  assert.deepEqual(ramdisk, { base: BASE + BigInt(8 * MIB), sizeBytes: 100n });
});

test('a kernel whose zeroed data reach past the end of memory is refused, though its file would fit', () => {
  placed(kernel({ imageSize: 6 * MIB }), 8 * MIB);
  checkRefused(place(kernel({ imageSize: 6 * MIB + 1 }), 8 * MIB), 'image-outside-memory', /0x40200000\.\.0x40800001.*more memory/);
});

test('a ramdisk that does not fit behind the kernel is refused, to the byte', () => {
  placed(kernel(), 8 * MIB, 2 * MIB);
  checkRefused(place(kernel(), 8 * MIB, 2 * MIB + 1), 'ramdisk-does-not-fit', /2097153 bytes.*more memory/);
});

test('memory in which not even a device tree has room is refused', () => {
  checkRefused(place(kernel({ imageSize: MIB }), MIB), 'image-outside-memory', /more memory/);
});
