/** Unpacking of gzip files: what zlib packs comes back; damaged files end in a reason. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { gunzip, isGzip } from '../../runtime/images/gzip';
import { inflate } from '../../runtime/images/inflate';

const LIMIT = 1 << 24;

function checkRoundTrip(content: Uint8Array, options: Parameters<typeof gzipSync>[1] = {}): void {
  const packed = gzipSync(content, options);
  assert.ok(isGzip(packed));
  const unpacked = gunzip(packed, LIMIT);
  assert.ok(unpacked.ok, unpacked.ok ? '' : unpacked.error);
  assert.ok(Buffer.from(unpacked.value).equals(content));
}

function checkRefused(bytes: Uint8Array, reason: string, sizeMax = LIMIT): void {
  const unpacked = gunzip(bytes, sizeMax);
  assert.ok(!unpacked.ok);
  assert.equal(unpacked.error, reason);
}

/** Bytes with repetitions near and far, and without. */
function mixture(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = i > 40_000 && state % 7 !== 0 ? bytes[i - 32_768] ?? 0 : state >>> 24;
  }
  return bytes;
}

test('what zlib packs comes back, at every level and by every strategy', () => {
  for (const content of [Buffer.alloc(0), Buffer.from('a'), Buffer.alloc(1_000_000, 'ab'), mixture(300_000)]) {
    for (const level of [0, 1, 6, 9]) checkRoundTrip(content, { level });
    for (const strategy of [constants.Z_FIXED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE]) checkRoundTrip(content, { strategy });
  }
});

test('random contents come back', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 0, max: 9 }), (content, level) => { checkRoundTrip(content, { level }); }), { numRuns: 300 });
});

test('optional header fields are skipped, and what follows the member is ignored', () => {
  const packed = gzipSync('content');
  const head = Uint8Array.of(0x1f, 0x8b, 8, 4 | 8 | 16 | 2, 0, 0, 0, 0, 0, 3, 2, 0, 9, 9, 0x61, 0, 0x62, 0, 0, 0);
  const unpacked = gunzip(Buffer.concat([head, packed.subarray(10), Buffer.from('more')]), LIMIT);
  assert.ok(unpacked.ok);
  assert.equal(Buffer.from(unpacked.value).toString(), 'content');
});

test('damage is told by its kind', () => {
  const packed = gzipSync(mixture(5000));
  checkRefused(packed.subarray(0, 9), 'its header is malformed');
  checkRefused(packed.subarray(0, 2000), 'it ends too early');
  checkRefused(packed.subarray(0, -3), 'it ends too early');
  checkRefused(packed, 'it is too large', 4000);
  const changed = Buffer.from(packed);
  changed[changed.length - 6] = (changed[changed.length - 6] ?? 0) ^ 1;
  checkRefused(changed, 'its checksum is wrong');
  const reserved = Buffer.from(packed);
  reserved[10] = 7;
  checkRefused(reserved, 'its data are damaged');
});

test('any bytes end, within the limit', () => {
  const valid = [...deflateRawSync(mixture(600))];
  const changes = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), changes.map((list) => {
    const bytes = Uint8Array.from(valid);
    for (const [at, value] of list) bytes[at] = value;
    return bytes;
  })), (bytes) => {
    const inflated = inflate(bytes, 0, { sizeMax: 100_000, sizeHint: 0 });
    assert.ok(!inflated.ok || (inflated.value.bytes.length <= 100_000 && inflated.value.consumed <= bytes.length));
  }), { numRuns: 3000 });
});
