/** Decompression, against Node's own zlib. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { inflateZlib } from '../../runtime/symbols/inflate';

test('what zlib compressed at any level comes back', () => {
  const words = fc.constantFrom('struct ', 'int ', 'unsigned long ', ';\n', '\0', 'x', 'yz');
  const data = fc.oneof(fc.uint8Array({ maxLength: 3000 }), fc.array(words, { maxLength: 2000 }).map((parts) => Uint8Array.from(Buffer.from(parts.join('')))));
  fc.assert(fc.property(data, fc.integer({ min: 0, max: 9 }), (bytes, level) => {
    assert.deepEqual(inflateZlib(Uint8Array.from(deflateSync(bytes, { level })), bytes.length), Uint8Array.from(bytes));
  }), { numRuns: 300 });
});

test('a large text comes back', () => {
  const bytes = Uint8Array.from(Buffer.from(Array.from({ length: 60_000 }, (_, i) => `line ${String(i * 7919)} of the table\n`).join('')));
  assert.deepEqual(inflateZlib(Uint8Array.from(deflateSync(bytes)), bytes.length), bytes);
});

test('damaged or mismeasured streams give nothing and end', () => {
  const bytes = Uint8Array.from(deflateSync(Buffer.from('some text that repeats, some text that repeats')));
  assert.equal(inflateZlib(bytes, 5), undefined);
  assert.equal(inflateZlib(bytes, 500), undefined);
  assert.equal(inflateZlib(new Uint8Array(0), 0), undefined);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(5000), (noise, size) => {
    const stream = Uint8Array.of(0x78, 0x9c, ...noise);
    const result = inflateZlib(stream, size);
    assert.ok(result === undefined || result.length === size);
  }), { numRuns: 3000 });
});
