import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
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

/** An EFI boot image that holds a compressed kernel. */
function zboot(compression: string, payload: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(4096 + payload.length);
  bytes.write('MZ\0\0zimg', 0, 'latin1');
  bytes.writeUInt32LE(4096, 8);
  bytes.writeUInt32LE(payload.length, 12);
  bytes.write(compression, 24, 'latin1');
  bytes.set(payload, 4096);
  return bytes;
}

/** Bytes with some of them set: a file of another format, by its magic numbers. */
function stranger(...marks: readonly (readonly [offset: number, text: string])[]): Uint8Array {
  const bytes = Buffer.alloc(1024);
  for (const [offset, mark] of marks) bytes.write(mark, offset, 'latin1');
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
    checkRefused(Uint8Array.of(0x1f, 0x8b, 8, 0), 'image-gzip-damaged', /header/);
    checkRefused(gzipSync(kernel()).subarray(0, 40), 'image-gzip-damaged', /too early/);
    checkRefused(gzipSync(Uint8Array.of(1, 2, 3, 4)), 'image-unknown-format', /01 02 03 04/);
    checkRefused(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd), 'image-compressed', /zstd/);
    checkRefused(Uint8Array.of(1, 2, 3, 4), 'image-unknown-format', /01 02 03 04/);
    checkRefused(zboot('zstd', kernel()), 'image-efi-zboot', /zstd/);
    checkRefused(zboot('gzip', kernel()), 'image-gzip-damaged', /no gzip data/);
    checkRefused(kernel({ imageSize: 0n }), 'arm64-image-old');
    checkRefused(kernel({ flags: 1n }), 'arm64-image-big-endian');
    checkRefused(kernel({ imageSize: 1n << 60n }), 'arm64-image-bad-header');
    checkRefused(kernel({ textOffset: 5n }), 'arm64-image-bad-header');
    checkRefused(kernel({ size: 60 }), 'arm64-image-truncated');
    checkRefused(buildElf({ entry: 0n, segments: [] }), 'elf-no-segments');
    checkRefused(buildElf({ entry: 0n, segments: [text, { ...text, type: 3, bytes: Uint8Array.of(0x2f, 0x6c, 0) }] }), 'elf-dynamic', /\/l/);
  });

  it('unpacks what gzip packed, by itself and in an EFI boot image', () => {
    const plain = loadImage(kernel(), 'Image');
    assert.ok(plain.ok);
    for (const bytes of [gzipSync(kernel()), zboot('gzip', gzipSync(kernel()))]) {
      const image = loadImage(bytes, 'Image');
      assert.ok(image.ok);
      assert.deepEqual({ ...image.value, segments: image.value.segments.map((segment) => ({ ...segment, bytes: Uint8Array.from(segment.bytes) })) }, plain.value);
    }
    const elf = buildElf({ entry: 0x4000_0000n, segments: [{ ...text, address: 0x4000_0000n }] });
    const packed = loadImage(gzipSync(elf), 'vmlinux.gz');
    assert.ok(packed.ok);
    assert.deepEqual(Buffer.from(packed.value.elfBytes ?? []), Buffer.from(elf));
  });

  it('places a kernel that is linked at virtual addresses like its Image', () => {
    const head = { type: 1, flags: 5, address: 0xffff_8000_0800_0000n, bytes: kernel({ textOffset: 0n, imageSize: 0x4000n }), memorySize: 256n };
    const rest = { type: 1, flags: 6, address: 0xffff_8000_0800_1000n, bytes: Uint8Array.of(7), memorySize: 0x1000n };
    const image = loadImage(buildElf({ entry: head.address, segments: [head, rest] }), 'vmlinux');
    assert.ok(image.ok);
    assert.deepEqual(image.value.placement, { kind: 'anywhere', alignment: 0x20_0000n });
    assert.deepEqual(image.value.segments.map(({ address, sizeInMemory }) => [address, sizeInMemory]), [[0n, 256], [0x1000n, 0x3000]]);
    assert.deepEqual([image.value.entry, imageExtent(placeImage(image.value, 0x4020_0000n)).end], [0n, 0x4020_4000n]);
    checkRefused(buildElf({ entry: head.address, segments: [{ ...head, bytes: kernel({ flags: 9n }) }] }), 'arm64-image-big-endian');
  });

  it('names the formats of other machines and boot loaders', () => {
    checkRefused(stranger([0x1fe, '\x55\xaa'], [0x202, 'HdrS']), 'image-x86-kernel', /x86/);
    checkRefused(stranger([0, 'MZ'], [0x1fe, '\x55\xaa'], [0x202, 'HdrS']), 'image-x86-kernel', /x86/);
    checkRefused(stranger([0x24, '\x18\x28\x6f\x01']), 'image-32-bit-zimage', /32-bit/);
    checkRefused(stranger([0x38, 'RSC\x05']), 'image-riscv-kernel', /RISC-V/);
    checkRefused(stranger([0, '\x27\x05\x19\x56']), 'image-u-boot', /dumpimage/);
    checkRefused(stranger([0, '\xd0\x0d\xfe\xed']), 'image-device-tree', /"deviceTree"/);
    checkRefused(stranger([0, 'ANDROID!']), 'image-android', /kernel/);
    checkRefused(stranger([0, 'MZ']), 'image-efi-program', /EFI/);
  });

  it('refuses a kernel of which the end is missing', () => {
    const bytes = Buffer.from(kernel({ size: 1024 }));
    bytes.write('MZ', 0, 'latin1');
    bytes.writeUInt32LE(0x80, 0x3c);
    bytes.write('PE', 0x80, 'latin1');
    bytes.writeUInt16LE(1, 0x86);
    bytes.writeUInt16LE(0x20, 0x94);
    bytes.writeUInt32LE(0x200, 0xb8 + 16);
    bytes.writeUInt32LE(0x200, 0xb8 + 20);
    assert.ok(loadImage(bytes, 'Image').ok);
    checkRefused(bytes.subarray(0, 1023), 'arm64-image-cut', /1023 bytes, less than the 1024/);
  });

  it('accepts kernels with pages of 16 and 64 KiB', () => {
    for (const [flags, size] of [[0xcn, 16_384], [0xen, 65_536]] as const) {
      const header = parseArm64Image(kernel({ flags }));
      assert.equal(header.ok && header.value.pageSize, size);
      assert.ok(loadImage(kernel({ flags }), 'Image').ok);
    }
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
