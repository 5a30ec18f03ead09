/**
 * Inflates a DEFLATE stream (RFC 1951), such as a compressed kernel holds. Reads foreign bytes: damaged input gives a reason and nothing
 * else, output is bounded. It does not compress, and knows nothing of the wrapping (gzip.ts).
 */

import { err, ok, type Result } from '../base/result';

/** Why a stream cannot be inflated. */
export type InflateFault = 'it ends too early' | 'its data are damaged' | 'it is too large';

/** What a stream held, and how many bytes of input it took. */
export interface Inflated { readonly bytes: Uint8Array; readonly consumed: number }

const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const DISTANCE_EXTRA = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
/** Order in which the lengths of the code length code are given (RFC 1951, 3.2.7). */
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const END_OF_BLOCK = 256;
const FIRST_OUTPUT_SIZE = 1 << 16;

/** A Huffman code as a table over the next `width` bits: symbol and length of the code that they begin with; 0 if none does. */
interface Decoder { readonly table: Uint16Array; readonly width: number }

/** Inflates what begins at `start`; at most `sizeMax` bytes. `sizeHint` is a guess at the size. */
export function inflate(bytes: Uint8Array, start: number, { sizeMax, sizeHint }: { readonly sizeMax: number; readonly sizeHint: number }): Result<Inflated, InflateFault> {
  return new Inflater(bytes, start, { sizeMax, sizeHint }).run();
}

/** The decoder of a set of code lengths; undefined if they are more than fit. */
function decoderOf(lengths: Uint8Array): Decoder | undefined {
  const width = lengths.reduce((most, length) => Math.max(most, length), 1);
  const counts = new Uint16Array(17);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  const next = new Uint32Array(17);
  let code = 0;
  for (let length = 1; length <= width; length++) {
    code = (code + (length === 1 ? 0 : counts[length - 1] ?? 0)) << 1;
    next[length] = code;
    if (code + (counts[length] ?? 0) > 1 << length) return undefined;
  }
  const table = new Uint16Array(1 << width);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    const first = reversed(next[length] ?? 0, length);
    next[length] = (next[length] ?? 0) + 1;
    for (let index = first; index < table.length; index += 1 << length) table[index] = (symbol << 4) | length;
  }
  return { table, width };
}

function reversed(code: number, length: number): number {
  let result = 0;
  for (let bit = 0; bit < length; bit++) result |= ((code >> bit) & 1) << (length - 1 - bit);
  return result;
}

class Inflater {
  private readonly input: Uint8Array;
  private readonly sizeMax: number;
  private output: Uint8Array;
  private size = 0;
  private at: number;
  private bits = 0;
  private bitCount = 0;
  private isFull = false;

  constructor(input: Uint8Array, start: number, { sizeMax, sizeHint }: { readonly sizeMax: number; readonly sizeHint: number }) {
    this.input = input;
    this.at = start;
    this.sizeMax = sizeMax;
    this.output = new Uint8Array(Math.min(sizeMax, Math.max(FIRST_OUTPUT_SIZE, sizeHint)));
  }

  run(): Result<Inflated, InflateFault> {
    for (let isLast = false; !isLast;) {
      isLast = this.take(1) === 1;
      const isGood = this.block(this.take(2));
      if (this.isFull) return err('it is too large');
      if (this.consumed > this.input.length) return err('it ends too early');
      if (!isGood) return err('its data are damaged');
    }
    return ok({ bytes: this.output.subarray(0, this.size), consumed: this.consumed });
  }

  /** Position behind the last byte of which a bit was used. */
  private get consumed(): number {
    return this.at - (this.bitCount >> 3);
  }

  private block(type: number): boolean {
    if (type === 0) return this.stored();
    const codes = type === 1 ? fixedCodes() : type === 2 ? this.dynamicCodes() : undefined;
    return codes !== undefined && this.compressed(codes.symbols, codes.distances);
  }

  /** Makes at least `count` bits ready (at most 16). Behind the end there are zeros; `consumed` tells. */
  private fill(count: number): void {
    while (this.bitCount < count) {
      this.bits |= (this.input[this.at] ?? 0) << this.bitCount;
      this.at++;
      this.bitCount += 8;
    }
  }

  private take(count: number): number {
    this.fill(count);
    const value = this.bits & ((1 << count) - 1);
    this.bits >>>= count;
    this.bitCount -= count;
    return value;
  }

  /** The next symbol, or -1 if the bits begin no code. */
  private symbol({ table, width }: Decoder): number {
    this.fill(width);
    const entry = table[this.bits & ((1 << width) - 1)] ?? 0;
    const length = entry & 15;
    this.bits >>>= length;
    this.bitCount -= length;
    return length === 0 ? -1 : entry >> 4;
  }

  private stored(): boolean {
    this.take(this.bitCount & 7);
    const length = this.take(16);
    if (this.take(16) !== (length ^ 0xffff)) return false;
    this.at = this.consumed;
    this.bits = 0;
    this.bitCount = 0;
    if (this.at + length > this.input.length) {
      this.at = this.input.length + 1;
      return false;
    }
    if (!this.reserve(length)) return false;
    this.output.set(this.input.subarray(this.at, this.at + length), this.size);
    this.size += length;
    this.at += length;
    return true;
  }

  private dynamicCodes(): { symbols: Decoder; distances: Decoder } | undefined {
    const [symbolCount, distanceCount, lengthCount] = [this.take(5) + 257, this.take(5) + 1, this.take(4) + 4];
    const ofLengths = new Uint8Array(19);
    for (const place of CODE_LENGTH_ORDER.slice(0, lengthCount)) ofLengths[place] = this.take(3);
    const decoder = decoderOf(ofLengths);
    const lengths = decoder === undefined ? undefined : this.codeLengths(decoder, symbolCount + distanceCount);
    if (lengths === undefined) return undefined;
    const symbols = decoderOf(lengths.subarray(0, symbolCount));
    const distances = decoderOf(lengths.subarray(symbolCount));
    return symbols === undefined || distances === undefined ? undefined : { symbols, distances };
  }

  private codeLengths(decoder: Decoder, count: number): Uint8Array | undefined {
    const lengths = new Uint8Array(count);
    for (let index = 0; index < count;) {
      const symbol = this.symbol(decoder);
      if (symbol < 0 || (symbol === 16 && index === 0)) return undefined;
      if (symbol < 16) {
        lengths[index++] = symbol;
        continue;
      }
      const repeats = symbol === 16 ? 3 + this.take(2) : symbol === 17 ? 3 + this.take(3) : 11 + this.take(7);
      if (index + repeats > count) return undefined;
      lengths.fill(symbol === 16 ? lengths[index - 1] ?? 0 : 0, index, index + repeats);
      index += repeats;
    }
    return lengths;
  }

  private compressed(symbols: Decoder, distances: Decoder): boolean {
    while (this.at <= this.input.length + 2) {
      const symbol = this.symbol(symbols);
      if (symbol === END_OF_BLOCK) return true;
      if (symbol < 0) return false;
      if (symbol < END_OF_BLOCK) {
        if (this.size === this.output.length && !this.reserve(1)) return false;
        this.output[this.size++] = symbol;
      } else if (!this.copy(symbol - END_OF_BLOCK - 1, distances)) {
        return false;
      }
    }
    return false;
  }

  /** Repeats bytes that lie some distance back. */
  private copy(lengthIndex: number, distances: Decoder): boolean {
    const lengthBase = LENGTH_BASE[lengthIndex];
    if (lengthBase === undefined) return false;
    const length = lengthBase + this.take(LENGTH_EXTRA[lengthIndex] ?? 0);
    const symbol = this.symbol(distances);
    const base = DISTANCE_BASE[symbol];
    if (base === undefined) return false;
    const distance = base + this.take(DISTANCE_EXTRA[symbol] ?? 0);
    if (distance > this.size || !this.reserve(length)) return false;
    const { output } = this;
    let to = this.size;
    for (let from = to - distance, end = to + length; to < end; to++, from++) output[to] = output[from] ?? 0;
    this.size = to;
    return true;
  }

  /** Room for more output; false if that is more than is allowed. */
  private reserve(count: number): boolean {
    if (this.size + count <= this.output.length) return true;
    if (this.size + count > this.sizeMax) {
      this.isFull = true;
      return false;
    }
    const larger = new Uint8Array(Math.min(this.sizeMax, Math.max(this.output.length * 2, this.size + count)));
    larger.set(this.output.subarray(0, this.size));
    this.output = larger;
    return true;
  }
}

let fixed: { symbols: Decoder; distances: Decoder } | undefined;

/** The codes that need not be sent (RFC 1951, 3.2.6). */
function fixedCodes(): { symbols: Decoder; distances: Decoder } | undefined {
  if (fixed !== undefined) return fixed;
  const symbols = decoderOf(Uint8Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)));
  const distances = decoderOf(new Uint8Array(30).fill(5));
  fixed = symbols === undefined || distances === undefined ? undefined : { symbols, distances };
  return fixed;
}
