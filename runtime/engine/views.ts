/** Typed access to the engine's linear memory. All addresses are byte addresses; 32- and 64-bit ones are aligned. */

import type { HostMemory } from './wasm/host';

/** Views of one memory, and the accessors that everything outside generated code uses. */
export class Views {
  readonly bytes: Uint8Array;
  private readonly words: Int32Array;
  private readonly longs: BigUint64Array;
  private readonly doubles: Float64Array;

  constructor(memory: HostMemory) {
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.longs = new BigUint64Array(memory.buffer);
    this.doubles = new Float64Array(memory.buffer);
  }

  /** A signed 32-bit value. */
  word(address: number): number {
    return this.words[address / 4] ?? 0;
  }

  setWord(address: number, value: number): void {
    this.words[address / 4] = value;
  }

  /** An unsigned 64-bit value. */
  long(address: number): bigint {
    return this.longs[address / 8] ?? 0n;
  }

  setLong(address: number, value: bigint): void {
    this.longs[address / 8] = value;
  }

  /** A double, for counts. */
  double(address: number): number {
    return this.doubles[address / 8] ?? 0;
  }

  setDouble(address: number, value: number): void {
    this.doubles[address / 8] = value;
  }

  byte(address: number): number {
    return this.bytes[address] ?? 0;
  }

  setByte(address: number, value: number): void {
    this.bytes[address] = value;
  }

  half(address: number): number {
    return this.byte(address) | (this.byte(address + 1) << 8);
  }

  setHalf(address: number, value: number): void {
    this.bytes[address] = value & 0xff;
    this.bytes[address + 1] = value >>> 8;
  }
}
