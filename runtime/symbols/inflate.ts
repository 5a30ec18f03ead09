/**
 * Decompression of zlib data (RFC 1950 and 1951), for debug sections that the linker compressed. Total: malformed data give
 * `undefined`, and the output is never larger than announced. Checksums are not verified.
 */

const CODE_LENGTH_MAX = 15;
const LENGTH_BASES = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASES = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const DISTANCE_EXTRA = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
/** In which order the lengths of the code length code come (RFC 1951 3.2.7). */
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const END_OF_BLOCK = 256;

/** A canonical Huffman code as a table indexed by the next 15 bits: symbol in the upper bits, length in the lower four. */
type Code = Uint16Array;

/** Decompresses a zlib stream whose contents have exactly `sizeBytes`. */
export function inflateZlib(bytes: Uint8Array, sizeBytes: number): Uint8Array | undefined {
  const method = bytes[0] ?? 0;
  const flags = bytes[1] ?? 0;
  // The header is a multiple of 31, deflate is method 8, and preset dictionaries are not for us.
  if ((method & 15) !== 8 || ((method << 8) | flags) % 31 !== 0 || (flags & 0x20) !== 0) return undefined;
  const inflater = new Inflater(bytes.subarray(2), sizeBytes);
  return inflater.run() ? inflater.output : undefined;
}

class Inflater {
  readonly output: Uint8Array;
  private readonly input: Uint8Array;
  private position = 0;
  private held = 0;
  private heldCount = 0;
  private written = 0;
  private isOverrun = false;

  constructor(input: Uint8Array, sizeBytes: number) {
    this.input = input;
    this.output = new Uint8Array(sizeBytes);
  }

  run(): boolean {
    for (let isLast = false; !isLast; ) {
      isLast = this.bits(1) === 1;
      const kind = this.bits(2);
      const isFine = kind === 0 ? this.stored() : kind === 1 ? this.coded(FIXED_LENGTHS, FIXED_DISTANCES) : kind === 2 && this.dynamic();
      if (!isFine || this.isOverrun) return false;
    }
    return this.written === this.output.length;
  }

  private fill(count: number): void {
    while (this.heldCount < count) {
      // Past the end there are zeros: the last code may be shorter than the bits looked at.
      this.held |= (this.input[this.position++] ?? 0) << this.heldCount;
      this.heldCount += 8;
    }
  }

  private bits(count: number): number {
    this.fill(count);
    const value = this.held & ((1 << count) - 1);
    this.drop(count);
    return value;
  }

  private drop(count: number): void {
    this.held >>>= count;
    this.heldCount -= count;
    if (this.position - (this.heldCount >> 3) > this.input.length) this.isOverrun = true;
  }

  private symbol(code: Code): number {
    this.fill(CODE_LENGTH_MAX);
    const entry = code[this.held & 0x7fff] ?? 0;
    if (entry === 0) this.isOverrun = true;
    this.drop(entry & 15);
    return entry >> 4;
  }

  private stored(): boolean {
    this.position -= this.heldCount >> 3;
    this.held = 0;
    this.heldCount = 0;
    const { input, position } = this;
    const size = (input[position] ?? 0) | ((input[position + 1] ?? 0) << 8);
    const start = position + 4;
    if (start + size > input.length || this.written + size > this.output.length) return false;
    this.output.set(input.subarray(start, start + size), this.written);
    this.written += size;
    this.position = start + size;
    return true;
  }

  private dynamic(): boolean {
    const lengthCount = this.bits(5) + 257;
    const distanceCount = this.bits(5) + 1;
    const orderCount = this.bits(4) + 4;
    const orderLengths = new Uint8Array(19);
    for (let i = 0; i < orderCount; i++) orderLengths[CODE_LENGTH_ORDER[i] ?? 0] = this.bits(3);
    const orderCode = makeCode(orderLengths);
    const lengths = new Uint8Array(lengthCount + distanceCount);
    for (let i = 0; i < lengths.length && !this.isOverrun; ) {
      const symbol = this.symbol(orderCode);
      const [value, repeat] = this.repeated(symbol, lengths[i - 1] ?? 0);
      lengths.fill(value, i, i + repeat);
      i += repeat;
    }
    return !this.isOverrun && this.coded(makeCode(lengths.subarray(0, lengthCount)), makeCode(lengths.subarray(lengthCount)));
  }

  private repeated(symbol: number, previous: number): readonly [number, number] {
    switch (symbol) {
      case 16: return [previous, 3 + this.bits(2)];
      case 17: return [0, 3 + this.bits(3)];
      case 18: return [0, 11 + this.bits(7)];
      default: return [symbol, 1];
    }
  }

  private coded(lengthCode: Code, distanceCode: Code): boolean {
    const { output } = this;
    while (!this.isOverrun) {
      const symbol = this.symbol(lengthCode);
      if (symbol === END_OF_BLOCK) return true;
      if (symbol > END_OF_BLOCK) {
        if (!this.copy(symbol - END_OF_BLOCK - 1, distanceCode)) return false;
      } else if (this.written < output.length) output[this.written++] = symbol;
      else return false;
    }
    return false;
  }

  private copy(lengthIndex: number, distanceCode: Code): boolean {
    const length = (LENGTH_BASES[lengthIndex] ?? 0) + this.bits(LENGTH_EXTRA[lengthIndex] ?? 0);
    const distanceIndex = this.symbol(distanceCode);
    const distance = (DISTANCE_BASES[distanceIndex] ?? 0) + this.bits(DISTANCE_EXTRA[distanceIndex] ?? 0);
    const from = this.written - distance;
    if (this.isOverrun || distance === 0 || from < 0 || this.written + length > this.output.length) return false;
    // Source and destination may overlap: a run of equal bytes copies from itself.
    for (let i = 0; i < length; i++) this.output[this.written + i] = this.output[from + i] ?? 0;
    this.written += length;
    return true;
  }
}

/** Builds the table of a code from the lengths of its symbols (RFC 1951 3.2.2). Codes are read with their first bit lowest. */
function makeCode(lengths: Uint8Array): Code {
  const table = new Uint16Array(1 << CODE_LENGTH_MAX);
  const counts = new Uint32Array(CODE_LENGTH_MAX + 1);
  for (const length of lengths) if (length > 0) counts[length] = (counts[length] ?? 0) + 1;
  const next = new Uint32Array(CODE_LENGTH_MAX + 1);
  for (let length = 1; length <= CODE_LENGTH_MAX; length++) {
    next[length] = ((next[length - 1] ?? 0) + (length > 1 ? counts[length - 1] ?? 0 : 0)) << 1;
  }
  lengths.forEach((length, symbol) => {
    if (length === 0) return;
    const code = next[length] ?? 0;
    next[length] = code + 1;
    const reversed = reverse(code, length);
    for (let i = reversed; i < table.length; i += 1 << length) table[i] = (symbol << 4) | length;
  });
  return table;
}

function reverse(code: number, length: number): number {
  let reversed = 0;
  for (let i = 0; i < length; i++) if ((code & (1 << i)) !== 0) reversed |= 1 << (length - 1 - i);
  return reversed;
}

const FIXED_LENGTHS = makeCode(Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)));
const FIXED_DISTANCES = makeCode(new Uint8Array(30).fill(5));
