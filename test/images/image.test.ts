import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseArm64Image } from '../../runtime/images/arm64-image';
import { imageExtent, loadImage, placeImage } from '../../runtime/images/image';
import { buildElf } from './elf-builder';

function checkRefused(bytes: Uint8Array, code: string, message: RegExp = /./): void {
  const result = loadImage(bytes, 'Image');
  assert.equal(result.ok, false);
  if (result.ok) return;
  assert.equal(result.error.code, code);
  assert.match(result.error.message, message);
}

function kernel(change: Partial<{ textOffset: bigint; imageSize: bigint; flags: bigint; size: number }> = {}): Uint8Array {
  const { textOffset, imageSize, flags, size } = { textOffset: 0x8_0000n, imageSize: 0x1000n, flags: 0xan, size: 256, ...change };
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x1400_0000, true);
  view.setBigUint64(8, textOffset, true);
  view.setBigUint64(16, imageSize, true);
  view.setBigUint64(24, flags, true);
  view.setUint32(56, 0x644d_5241, true);
  return bytes;
}

const text = { type: 1, flags: 5, address: 0xffff_0000_4000_0000n, bytes: Uint8Array.of(1, 2, 3, 4), memorySize: 4n };
const data = { type: 1, flags: 6, address: 0xffff_0000_4000_1000n, bytes: Uint8Array.of(5), memorySize: 64n };

describe('loadImage', () => {
  it('loads an ELF file at its physical addresses and translates its entry', () => {
    const image = loadImage(buildElf({ entry: text.address + 4n - 4n, segments: [data, text], physicalOffset: 0xffff_0000_0000_0000n }), 'a.elf');
    assert.ok(image.ok);
    assert.equal(image.value.kind, 'elf');
    assert.equal(image.value.entry, 0x4000_0000n);
    assert.deepEqual(image.value.placement, { kind: 'fixed' });
    assert.deepEqual(image.value.segments.map(({ address, sizeInMemory, executable, writable }) => ({ address, sizeInMemory, executable, writable })), [
      { address: 0x4000_0000n, sizeInMemory: 4, executable: true, writable: false },
      { address: 0x4000_1000n, sizeInMemory: 64, executable: false, writable: true },
    ]);
    assert.deepEqual(imageExtent(image.value), { start: 0x4000_0000n, end: 0x4000_1040n });
  });

  it('lets a position-independent program be placed at a base', () => {
    const image = loadImage(buildElf({ type: 3, entry: 0x10n, segments: [{ ...text, address: 0n, memorySize: 0x20n }] }), 'pie.elf');
    assert.ok(image.ok);
    assert.deepEqual(image.value.placement, { kind: 'anywhere', alignment: 4096n });
    const placed = placeImage(image.value, 0x8000_0000n);
    assert.equal(placed.entry, 0x8000_0010n);
    assert.equal(placed.segments[0]?.address, 0x8000_0000n);
    assert.equal(placeImage(placed, 0x1000n), placed);
  });

  it('loads an arm64 Image above a 2 MiB boundary with the memory it asks for', () => {
    const image = loadImage(kernel(), 'Image');
    assert.ok(image.ok);
    assert.equal(image.value.kind, 'arm64-image');
    assert.deepEqual(image.value.placement, { kind: 'anywhere', alignment: 0x20_0000n });
    assert.equal(image.value.entry, 0x8_0000n);
    assert.equal(image.value.segments[0]?.sizeInMemory, 0x1000);
    assert.equal(placeImage(image.value, 0x4000_0000n).entry, 0x4008_0000n);
  });

  it('reads page size and placement from the flags of an arm64 Image', () => {
    const header = parseArm64Image(kernel({ flags: 0xan }));
    assert.ok(header.ok);
    assert.equal(header.value.pageSize, 4096);
    assert.equal(header.value.placedAnywhere, true);
  });

  it('gives memory to the whole file if the header asks for less', () => {
    const image = loadImage(kernel({ imageSize: 16n }), 'Image');
    assert.equal(image.ok && image.value.segments[0]?.sizeInMemory, 256);
  });

  it('refuses what it cannot load and says what to give instead', () => {
    checkRefused(new Uint8Array(0), 'image-empty');
    checkRefused(Uint8Array.of(0x1f, 0x8b, 8, 0), 'image-gzip', /gunzip/);
    checkRefused(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd), 'image-compressed', /zstd/);
    checkRefused(Uint8Array.of(1, 2, 3, 4), 'image-unknown-format', /01 02 03 04/);
    const zboot = kernel();
    zboot.set([0x4d, 0x5a, 0, 0, 0x7a, 0x69, 0x6d, 0x67]);
    zboot.set([...'gzip\0'].map((character) => character.charCodeAt(0)), 24);
    checkRefused(zboot, 'image-efi-zboot', /gzip/);
    checkRefused(kernel({ imageSize: 0n }), 'arm64-image-old');
    checkRefused(kernel({ flags: 1n }), 'arm64-image-big-endian');
    checkRefused(kernel({ imageSize: 1n << 60n }), 'arm64-image-bad-header');
    checkRefused(kernel({ textOffset: 5n }), 'arm64-image-bad-header');
    checkRefused(kernel({ size: 60 }), 'arm64-image-truncated');
    checkRefused(buildElf({ entry: 0n, segments: [] }), 'elf-no-segments');
    checkRefused(buildElf({ entry: 0n, segments: [text, { ...text, type: 3, bytes: Uint8Array.of(0x2f, 0x6c, 0) }] }), 'elf-dynamic', /\/l/);
  });

  it('survives any bytes', () => {
    const begun = fc.tuple(fc.constantFrom([], [0x7f, 0x45, 0x4c, 0x46, 2, 1], [0x4d, 0x5a, 0, 0, 0x7a, 0x69, 0x6d, 0x67]), fc.uint8Array({ maxLength: 200 }));
    fc.assert(fc.property(begun, ([start, rest]) => { loadImage(Uint8Array.of(...start, ...rest), 'x'); }), { numRuns: 1000 });
    fc.assert(fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (bytes) => {
      new DataView(bytes.buffer).setUint32(56, 0x644d_5241, true);
      loadImage(bytes, 'x');
    }), { numRuns: 1000 });
  });
});
