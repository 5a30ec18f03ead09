/**
 * Plain data as bytes and back: undefined, null, booleans, numbers, bigints, texts, arrays of bytes and of 32-bit words, lists and records. Little-endian, a tag byte before each value.
 * Reading foreign bytes ends in a sentence, never in an exception or a runaway.
 */

import { err, ok, type Result } from '../../runtime/index';

const TAG = { undefined: 0, null: 1, false: 2, true: 3, number: 4, bigint: 5, text: 6, bytes: 7, list: 8, record: 9, words: 10, signedWords: 11 } as const;
const DEPTH_MAX = 64;

/** Encodes a value. Anything that is not plain data is our own mistake. */
export function encodePlain(value: unknown): Uint8Array {
  const writer = new Writer();
  writer.value(value);
  return writer.done();
}

/** Decodes a value that takes all of the bytes. */
export function decodePlain(bytes: Uint8Array): Result<unknown, string> {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.problem !== undefined) return err(reader.problem);
  return reader.isAtEnd ? ok(value) : err('there is more behind its end');
}

/** Little-endian bytes of words. */
function bytesOf(words: Uint32Array | Int32Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => { view.setUint32(index * 4, word >>> 0, true); });
  return bytes;
}

class Writer {
  private bytes = new Uint8Array(1 << 16);
  private view = new DataView(this.bytes.buffer);
  private length = 0;
  private readonly encoder = new TextEncoder();

  value(value: unknown): void {
    if (value === undefined) this.tag(TAG.undefined);
    else if (value === null) this.tag(TAG.null);
    else if (typeof value === 'boolean') this.tag(value ? TAG.true : TAG.false);
    else if (typeof value === 'number') this.number(value);
    else if (typeof value === 'bigint') this.sized(TAG.bigint, this.encoder.encode(value.toString(16)));
    else if (typeof value === 'string') this.sized(TAG.text, this.encoder.encode(value));
    else if (value instanceof Uint8Array) this.sized(TAG.bytes, value);
    else if (value instanceof Uint32Array) this.sized(TAG.words, bytesOf(value));
    else if (value instanceof Int32Array) this.sized(TAG.signedWords, bytesOf(value));
    else if (Array.isArray(value)) this.list(value);
    else if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) this.record(value);
    else throw new Error(`a state holds ${Object.prototype.toString.call(value)}, which is not plain data`);
  }

  done(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private tag(tag: number): void {
    this.reserve(1);
    this.bytes[this.length++] = tag;
  }

  private number(value: number): void {
    this.tag(TAG.number);
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  private count(count: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, count, true);
    this.length += 4;
  }

  private sized(tag: number, data: Uint8Array): void {
    this.tag(tag);
    this.count(data.length);
    this.reserve(data.length);
    this.bytes.set(data, this.length);
    this.length += data.length;
  }

  private list(items: readonly unknown[]): void {
    this.tag(TAG.list);
    this.count(items.length);
    for (const item of items) this.value(item);
  }

  private record(record: object): void {
    const entries = Object.entries(record);
    this.tag(TAG.record);
    this.count(entries.length);
    for (const [name, value] of entries) {
      this.value(name);
      this.value(value);
    }
  }

  private reserve(size: number): void {
    if (this.length + size <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + size));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}

class Reader {
  problem: string | undefined;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;
  private readonly decoder = new TextDecoder();

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  value(depth: number): unknown {
    if (depth > DEPTH_MAX) return this.fail('it is nested too deeply');
    const tag = this.take(1)?.[0];
    switch (tag) {
      case TAG.undefined: return undefined;
      case TAG.null: return null;
      case TAG.false: return false;
      case TAG.true: return true;
      case TAG.number: return this.take(8) === undefined ? undefined : this.view.getFloat64(this.at - 8, true);
      case TAG.bigint: return this.bigint();
      case TAG.text: return this.text();
      case TAG.bytes: return this.take(this.count())?.slice();
      case TAG.words: return this.words();
      case TAG.signedWords: return this.words((words) => Int32Array.from(words));
      case TAG.list: return this.list(depth);
      case TAG.record: return this.record(depth);
      default: return this.fail('it has a value of an unknown kind');
    }
  }

  private bigint(): bigint | undefined {
    const digits = this.text();
    if (digits === undefined || !/^-?[0-9a-f]+$/.test(digits)) return this.fail('it has a number that is none');
    return digits.startsWith('-') ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`);
  }

  private text(): string | undefined {
    const data = this.take(this.count());
    return data === undefined ? undefined : this.decoder.decode(data);
  }

  private words<T>(convert?: (words: Uint32Array) => T): T | Uint32Array | undefined {
    const data = this.take(this.count());
    if (data === undefined || data.length % 4 !== 0) return this.fail('it has words that are none');
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    const words = Uint32Array.from({ length: data.length / 4 }, (_, index) => view.getUint32(index * 4, true));
    return convert === undefined ? words : convert(words);
  }

  private list(depth: number): unknown[] {
    const items: unknown[] = [];
    for (let left = this.count(); left > 0 && this.problem === undefined; left--) items.push(this.value(depth + 1));
    return items;
  }

  private record(depth: number): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    for (let left = this.count(); left > 0 && this.problem === undefined; left--) {
      const name = this.value(depth + 1);
      entries.push([String(name), this.value(depth + 1)]);
    }
    return Object.fromEntries(entries);
  }

  private count(): number {
    return this.take(4) === undefined ? 0 : this.view.getUint32(this.at - 4, true);
  }

  private take(size: number): Uint8Array | undefined {
    if (this.problem !== undefined) return undefined;
    if (this.at + size > this.bytes.length) return this.fail('it ends too early');
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  private fail(problem: string): undefined {
    this.problem ??= problem;
    return undefined;
  }
}
