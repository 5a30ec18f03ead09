/**
 * Bounded reading of bytes that came from outside. Every read says whether it fitted; nothing throws.
 * Values of 64 bits are bigints; offsets and counts are numbers.
 */

/** Reads fixed-width integers from a byte array; out-of-range reads give `undefined`. */
export class ByteReader {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly littleEndian: boolean;

  constructor(bytes: Uint8Array, byteOrder: 'little' | 'big' = 'little') {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.littleEndian = byteOrder === 'little';
  }

  /** Size of the underlying bytes. */
  get sizeBytes(): number {
    return this.bytes.length;
  }

  /** True if `[offset, offset + size)` lies inside. */
  has(offset: number, size: number): boolean {
    return Number.isSafeInteger(offset) && offset >= 0 && size >= 0 && offset + size <= this.bytes.length;
  }

  u8(offset: number): number | undefined {
    return this.has(offset, 1) ? this.view.getUint8(offset) : undefined;
  }

  u16(offset: number): number | undefined {
    return this.has(offset, 2) ? this.view.getUint16(offset, this.littleEndian) : undefined;
  }

  u32(offset: number): number | undefined {
    return this.has(offset, 4) ? this.view.getUint32(offset, this.littleEndian) : undefined;
  }

  u64(offset: number): bigint | undefined {
    return this.has(offset, 8) ? this.view.getBigUint64(offset, this.littleEndian) : undefined;
  }

  /** A view of `size` bytes, not a copy. */
  slice(offset: number, size: number): Uint8Array | undefined {
    return this.has(offset, size) ? this.bytes.subarray(offset, offset + size) : undefined;
  }

  /** The NUL-terminated Latin-1 string at `offset`, without its NUL; `undefined` if no NUL follows within `sizeMax`. */
  cString(offset: number, sizeMax = 65536): string | undefined {
    if (!this.has(offset, 0)) return undefined;
    const limit = Math.min(this.bytes.length, offset + sizeMax);
    const end = this.bytes.indexOf(0, offset);
    if (end < 0 || end >= limit) return undefined;
    return latin1(this.bytes.subarray(offset, end));
  }
}

/** Bytes as Latin-1 text: one character per byte, so nothing is lost. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length; index++) text += String.fromCharCode(bytes[index] ?? 0);
  return text;
}

/** Encodes text as UTF-8 without the host's TextEncoder; lone surrogates become U+FFFD. */
export function utf8Encode(text: string): Uint8Array {
  // Nearly all text is ASCII, a byte for each unit.
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x80) return encodedPoints(text);
    bytes[at] = code;
  }
  return bytes;
}

function encodedPoints(text: string): Uint8Array {
  const out: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0xfffd;
    pushUtf8(out, point >= 0xd800 && point <= 0xdfff ? 0xfffd : point);
  }
  return Uint8Array.from(out);
}

function pushUtf8(out: number[], point: number): void {
  if (point < 0x80) out.push(point);
  else if (point < 0x800) out.push(0xc0 | (point >> 6), 0x80 | (point & 63));
  else if (point < 0x10000) out.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
  else out.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
}
