/**
 * Sequential reading of DWARF data. A cursor never throws: reading past its end gives zeros, sets `overrun` and moves to the
 * end, so that loops over malformed data finish. Callers look at `overrun` once, where it matters.
 */

/** The bytes of one debug section with a view for wide reads. */
export class DebugBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Size of the section. */
  get sizeBytes(): number {
    return this.bytes.length;
  }

  /** The NUL-terminated text at `offset`; empty if the offset lies outside, cut at the end of the section. */
  text(offset: number): string {
    if (offset < 0 || offset >= this.bytes.length) return '';
    const limit = Math.min(this.bytes.length, offset + TEXT_SIZE_MAX);
    const size = this.bytes.subarray(offset, limit).indexOf(0);
    return utf8Decode(this.bytes, offset, size < 0 ? limit : offset + size);
  }
}

/** Longest name that is decoded; a longer one is cut. Guards against sections without a NUL. */
const TEXT_SIZE_MAX = 65536;

/** Decodes UTF-8; malformed sequences become one Latin-1 character per byte. */
export function utf8Decode(bytes: Uint8Array, start: number, end: number): string {
  const limit = Math.min(end, start + TEXT_SIZE_MAX);
  let text = '';
  // Names are nearly always short and ASCII.
  if (limit - start <= 64) {
    const part = bytes.subarray(start, limit);
    if (part.every((byte) => byte < 0x80)) return String.fromCharCode(...part);
  }
  for (let i = start; i < limit; ) {
    const byte = bytes[i] ?? 0;
    const size = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    const point = size === 1 ? byte : continuation(bytes, i, size);
    text += String.fromCodePoint(point < 0 || point > 0x10ffff ? byte : point);
    i += point < 0 || point > 0x10ffff ? 1 : size;
  }
  return text;
}

function continuation(bytes: Uint8Array, at: number, size: number): number {
  let point = (bytes[at] ?? 0) & (0xff >> (size + 1));
  for (let i = 1; i < size; i++) {
    const byte = bytes[at + i] ?? 0;
    if ((byte & 0xc0) !== 0x80) return -1;
    point = (point << 6) | (byte & 0x3f);
  }
  return point;
}

/** Reads DWARF's primitive encodings in order from `[position, end)` of a section (DWARF 5 7.6, 7.4). */
export class DwarfCursor {
  readonly data: DebugBytes;
  position: number;
  readonly end: number;
  /** True once something was read that is not there. */
  overrun = false;

  constructor(data: DebugBytes, position = 0, end = data.sizeBytes) {
    this.data = data;
    this.end = Math.max(0, Math.min(end, data.sizeBytes));
    this.position = position;
    if (!(position >= 0 && position <= this.end)) this.fail();
  }

  /** True while there is something left to read. */
  get more(): boolean {
    return this.position < this.end;
  }

  /** Marks the data as exhausted. */
  fail(): void {
    this.overrun = true;
    this.position = this.end;
  }

  /** Moves forward by `size` bytes. */
  skip(size: number): void {
    if (size >= 0 && size <= this.end - this.position) this.position += size;
    else this.fail();
  }

  private take(size: number): number {
    const at = this.position;
    if (size > this.end - at) {
      this.fail();
      return -1;
    }
    this.position = at + size;
    return at;
  }

  u8(): number {
    if (this.position >= this.end) {
      this.overrun = true;
      return 0;
    }
    return this.data.bytes[this.position++] ?? 0;
  }

  i8(): number {
    return (this.u8() << 24) >> 24;
  }

  u16(): number {
    const at = this.take(2);
    return at < 0 ? 0 : this.data.view.getUint16(at, true);
  }

  u24(): number {
    const low = this.u16();
    return low | (this.u8() << 16);
  }

  u32(): number {
    const at = this.take(4);
    return at < 0 ? 0 : this.data.view.getUint32(at, true);
  }

  u64(): bigint {
    const at = this.take(8);
    return at < 0 ? 0n : this.data.view.getBigUint64(at, true);
  }

  /** A 64-bit value that is an offset or a count; values beyond 2^53 lose their low bits, and fit nowhere anyhow. */
  u64Number(): number {
    const at = this.take(8);
    if (at < 0) return 0;
    return this.data.view.getUint32(at, true) + this.data.view.getUint32(at + 4, true) * 0x1_0000_0000;
  }

  /** A section offset: 4 bytes in 32-bit DWARF, 8 in 64-bit DWARF. */
  offset(offsetSize: number): number {
    return offsetSize === 8 ? this.u64Number() : this.u32();
  }

  /** An unsigned integer of 1, 2, 4 or 8 bytes. */
  unsigned(size: number): bigint {
    switch (size) {
      case 1: return BigInt(this.u8());
      case 2: return BigInt(this.u16());
      case 4: return BigInt(this.u32());
      case 8: return this.u64();
      default:
        this.fail();
        return 0n;
    }
  }

  /** An unsigned LEB128 value as a number; exact up to 2^53. */
  uleb(): number {
    let byte = this.u8();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let scale = 128;
    while (byte >= 0x80 && !this.overrun) {
      byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 128;
    }
    return value;
  }

  /** An unsigned LEB128 value of up to 64 bits. */
  ulebBig(): bigint {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.u8();
      if (shift < 64n) value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
  }

  /** A signed LEB128 value of up to 64 bits. */
  slebBig(): bigint {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.u8();
      if (shift < 70n) value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return BigInt.asIntN(shift < 64n ? Number(shift) : 64, value);
    }
  }

  /** A signed LEB128 value as a number. */
  sleb(): number {
    const byte = this.data.bytes[this.position] ?? 0;
    if (byte < 0x80 && this.position < this.end) {
      this.position++;
      return (byte << 25) >> 25;
    }
    return Number(this.slebBig());
  }

  /** Skips one LEB128 value. */
  skipLeb(): void {
    while (this.u8() >= 0x80);
  }

  /** The next `size` bytes as a view. */
  block(size: number): Uint8Array {
    const at = this.take(size);
    return at < 0 ? new Uint8Array(0) : this.data.bytes.subarray(at, at + size);
  }

  /** A NUL-terminated text in place. */
  text(): string {
    const start = this.position;
    this.skipText();
    return utf8Decode(this.data.bytes, start, this.overrun ? this.end : this.position - 1);
  }

  /** Skips a NUL-terminated text. */
  skipText(): void {
    const limit = Math.min(this.end, this.position + TEXT_SIZE_MAX);
    const size = this.data.bytes.subarray(this.position, limit).indexOf(0);
    if (size < 0) this.fail();
    else this.position += size + 1;
  }

  /** The length field that begins a contribution: its size and whether the contribution is 64-bit DWARF (DWARF 5 7.4). */
  initialLength(): { readonly length: number; readonly offsetSize: 4 | 8 } {
    const first = this.u32();
    return first === 0xffff_ffff ? { length: this.u64Number(), offsetSize: 8 } : { length: first, offsetSize: 4 };
  }
}
