/** Text and bytes of device trees: UTF-8 decoding and concatenation, without the host's TextDecoder. */

import { latin1 } from '../base/byte-reader';

/** Decodes UTF-8; malformed bytes become U+FFFD, one each. */
export function utf8Decode(bytes: Uint8Array): string {
  if (isAscii(bytes)) return latin1(bytes);
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const { point, size } = decodeAt(bytes, at);
    text += String.fromCodePoint(point);
    at += size;
  }
  return text;
}

function isAscii(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) if ((bytes[index] ?? 0) >= 0x80) return false;
  return true;
}

function decodeAt(bytes: Uint8Array, at: number): { point: number; size: number } {
  const first = bytes[at] ?? 0;
  const bad = { point: 0xfffd, size: 1 };
  if (first < 0x80) return { point: first, size: 1 };
  const size = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  if (size === 0) return bad;
  let point = first & (0x7f >> size);
  for (let index = 1; index < size; index++) {
    const next = bytes[at + index] ?? 0;
    if ((next & 0xc0) !== 0x80) return bad;
    point = (point << 6) | (next & 63);
  }
  const minimum = [0, 0, 0x80, 0x800, 0x1_0000][size] ?? 0;
  return point < minimum || point > 0x10_ffff || (point >= 0xd800 && point < 0xe000) ? bad : { point, size };
}

/** All parts in one array. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Bytes of one block of a `ByteRoom`. */
const BLOCK_SIZE = 32 * 1024;
/** Larger arrays have memory of their own. */
const SHARED_SIZE_MAX = 256;

/**
 * Room for many small arrays of bytes: memory of its own costs each of them an object more, and together half of all that they take. A block stays as long
 * as one of its arrays, so this is for those that stay together.
 */
export class ByteRoom {
  private block = new ArrayBuffer(0);
  private used = 0;

  /** An array of zeros. */
  take(size: number): Uint8Array {
    if (size > SHARED_SIZE_MAX) return new Uint8Array(size);
    if (this.used + size > this.block.byteLength) {
      this.block = new ArrayBuffer(BLOCK_SIZE);
      this.used = 0;
    }
    const taken = new Uint8Array(this.block, this.used, size);
    this.used += size;
    return taken;
  }
}

/** True if both hold the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
