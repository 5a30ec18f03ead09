/**
 * One number for the whole state of a system, equal on every host and in every tier for equal input.
 * A multiply-and-mix hash in two 32-bit lanes; not cryptographic.
 */

/** Feeds bytes, numbers, bigints, strings and plain structures into one hash. */
export class StateHash {
  private a = 0x9e3779b9;
  private b = 0x7f4a7c15;

  /** Mixes one 32-bit word in. */
  word(value: number): void {
    this.a = Math.imul(this.a ^ value, 0x85ebca6b);
    this.a ^= this.a >>> 15;
    this.b = Math.imul(this.b + value, 0xc2b2ae35) ^ this.a;
    this.b ^= this.b >>> 13;
  }

  /** Mixes bytes in, with their length. */
  bytes(data: Uint8Array): void {
    this.word(data.length);
    const aligned = data.byteOffset % 4 === 0 ? data : data.slice();
    const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2);
    for (const value of words) this.word(value);
    for (let i = words.length * 4; i < data.length; i++) this.word(data[i] ?? 0);
  }

  /** Mixes a plain value in: structures by sorted keys, so the order of writing does not matter. */
  value(value: unknown): void {
    if (value instanceof Uint8Array) this.bytes(value);
    else if (typeof value === 'string') this.text(value);
    else if (typeof value === 'number') this.number(value);
    else if (typeof value === 'bigint') this.text(`${value}n`);
    else if (typeof value === 'boolean') this.word(value ? 1 : 2);
    else if (value === null || value === undefined) this.word(3);
    else if (Array.isArray(value)) this.list(value);
    else if (typeof value === 'object') this.record(value);
  }

  /** The hash as 16 lower-case hex digits. */
  digest(): string {
    return [this.a, this.b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }

  private text(text: string): void {
    this.word(text.length ^ 0x5a5a);
    for (let i = 0; i < text.length; i++) this.word(text.charCodeAt(i));
  }

  private number(value: number): void {
    if (Number.isSafeInteger(value)) {
      this.word(value | 0);
      this.word(Math.floor(value / 0x1_0000_0000) | 0);
    } else {
      this.text(String(value));
    }
  }

  private list(items: readonly unknown[]): void {
    this.word(items.length ^ 0x1157);
    for (const item of items) this.value(item);
  }

  private record(record: object): void {
    const entries = Object.entries(record).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
    this.word(entries.length ^ 0x0b1ec7);
    for (const [key, value] of entries) {
      this.text(key);
      this.value(value);
    }
  }
}
