/**
 * A bank of NOR flash with the Intel command set: two 16-bit chips side by side on a 32-bit bus, as on QEMU's `virt` board.
 *
 * In array mode the bank is plain memory that executes; the platform sends only stores here. In every other mode loads come here too:
 * status, identifiers, the CFI table. Both chips get every command and work at once, so that there is one state; programming and erasing
 * take no time. Programming clears bits, erasing sets them. Block locks are accepted and lock nothing.
 * Sources: Common Flash Memory Interface (JESD68), Intel/Sharp Extended Command Set.
 */

import { assert } from '../../base/assert';
import type { RegisterDevice } from '../interface';

/** Bytes of one bank. */
export const FLASH_BANK_SIZE = 64 * 1024 * 1024;
/** Bytes that one erase command erases: a block of each chip. */
export const FLASH_BLOCK_SIZE = 256 * 1024;
/** Bytes that one buffered write programs at most: the buffers of both chips. */
export const FLASH_BUFFER_SIZE = 4096;

const CHIP_LANES = 2;
const BUS_BYTES = 4;
/** First byte of a command cycle, by the command set's names. */
const COMMAND = {
  programAlternate: 0x10, eraseSetup: 0x20, program: 0x40, clearStatus: 0x50, lockSetup: 0x60, readStatus: 0x70,
  readIdentifier: 0x90, readQuery: 0x98, confirm: 0xd0, bufferedProgram: 0xe8, readArray: 0xff, readArrayAlternate: 0xf0, setLock: 0x01,
} as const;
const STATUS_READY = 0x80;
const STATUS_ERASE_ERROR = 0x20;
const STATUS_PROGRAM_ERROR = 0x10;
/** Manufacturer Intel, device 28F128J3 class. */
const IDENTIFIER: readonly number[] = [0x89, 0x18];

/** What a load sees. */
export type FlashMode = 'array' | 'status' | 'identifier' | 'query';
/** What the next store is. */
type Expectation = 'command' | 'program' | 'erase-confirm' | 'lock-confirm' | 'count' | 'data' | 'buffer-confirm';

/** The memory behind a bank, by offset. */
export interface FlashArray {
  read(offset: number, sizeBytes: number): Uint8Array;
  write(offset: number, bytes: Uint8Array): void;
  /** Sets every byte. */
  fill(offset: number, sizeBytes: number, byte: number): void;
  /** Whether loads are plain from now on, or come to the device. */
  setPlainLoads(isPlain: boolean): void;
}

interface BufferedStore { readonly offset: number; readonly bytes: Uint8Array }

/** Plain-data form; the contents are part of the platform's memory. */
export interface SavedCfiFlash {
  readonly kind: 'cfi-flash';
  readonly version: 1;
  readonly mode: FlashMode;
  readonly expected: Expectation;
  readonly status: number;
  readonly remaining: number;
  readonly buffered: readonly BufferedStore[];
}

/** One bank. Accesses of 1, 2 and 4 bytes; one of 8 is two cycles on the bus. */
export class CfiFlash implements RegisterDevice {
  readonly kind = 'cfi-flash';
  private readonly array: FlashArray;
  private readonly programming: 'clears' | 'stores';
  private mode: FlashMode = 'array';
  private expected: Expectation = 'command';
  private status = STATUS_READY;
  /** Stores of a buffered write that are still to come. */
  private remaining = 0;
  private buffered: BufferedStore[] = [];

  /** `programming`: what a cell becomes that is programmed again; chips can only clear bits, QEMU's store whatever they are given. */
  constructor(array: FlashArray, programming: 'clears' | 'stores' = 'clears') {
    this.array = array;
    this.programming = programming;
    array.setPlainLoads(true);
  }

  read(offset: number, sizeBytes: number): bigint {
    const bytes = this.mode === 'array' ? this.array.read(offset, sizeBytes) : this.lanes(offset, sizeBytes);
    return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  write(offset: number, sizeBytes: number, value: bigint): boolean {
    for (let done = 0; done < sizeBytes; done += BUS_BYTES) {
      const count = Math.min(BUS_BYTES, sizeBytes - done);
      this.cycle(offset + done, Uint8Array.from({ length: count }, (_, n) => Number((value >> BigInt(8 * (done + n))) & 0xffn)));
    }
    return true;
  }

  /** Back to array mode; contents stay. */
  reset(): void {
    this.expect('command', 'array');
    this.status = STATUS_READY;
    this.remaining = 0;
    this.buffered = [];
  }

  save(): SavedCfiFlash {
    const { mode, expected, status, remaining } = this;
    return { kind: 'cfi-flash', version: 1, mode, expected, status, remaining, buffered: this.buffered.map(({ offset, bytes }) => ({ offset, bytes: bytes.slice() })) };
  }

  restore(saved: SavedCfiFlash): void {
    this.status = saved.status;
    this.remaining = saved.remaining;
    this.buffered = saved.buffered.map(({ offset, bytes }) => ({ offset, bytes: bytes.slice() }));
    this.expect(saved.expected, saved.mode);
  }

  /** What the bank's chips answer on their lanes, outside array mode. */
  private lanes(offset: number, sizeBytes: number): Uint8Array {
    return Uint8Array.from({ length: sizeBytes }, (_, n) => (((offset + n) % CHIP_LANES) === 0 ? this.answerAt(Math.floor((offset + n) / BUS_BYTES)) : 0));
  }

  private answerAt(index: number): number {
    switch (this.mode) {
      case 'array': return 0;
      case 'status': return this.status;
      case 'identifier': return IDENTIFIER[index & 0xff] ?? 0;
      case 'query': return CFI_TABLE[index] ?? 0;
    }
  }

  private expect(next: Expectation, mode: FlashMode): void {
    this.expected = next;
    if (mode === this.mode) return;
    this.mode = mode;
    this.array.setPlainLoads(mode === 'array');
  }

  private cycle(offset: number, bytes: Uint8Array): void {
    const command = bytes[0] ?? 0;
    switch (this.expected) {
      case 'command': return this.command(command);
      case 'program':
        this.program(offset, bytes);
        return this.expect('command', 'status');
      case 'erase-confirm': return this.confirmErase(offset, command);
      case 'lock-confirm':
        return this.expect('command', command === COMMAND.confirm || command === COMMAND.setLock ? 'status' : 'array');
      case 'count':
        // The count is of stores less one, to each chip; a count that its buffer cannot hold is refused at the end.
        this.remaining = (command | ((bytes[1] ?? 0) << 8)) + 1;
        this.buffered = [];
        return this.expect('data', 'status');
      case 'data': return this.buffer(offset, bytes);
      case 'buffer-confirm': return this.confirmBuffer(command);
    }
  }

  private command(command: number): void {
    switch (command) {
      case COMMAND.program:
      case COMMAND.programAlternate: return this.expect('program', 'status');
      case COMMAND.eraseSetup: return this.expect('erase-confirm', 'status');
      case COMMAND.lockSetup: return this.expect('lock-confirm', 'status');
      case COMMAND.bufferedProgram: return this.expect('count', 'status');
      case COMMAND.readStatus: return this.expect('command', 'status');
      case COMMAND.readIdentifier: return this.expect('command', 'identifier');
      case COMMAND.readQuery: return this.expect('command', 'query');
      case COMMAND.clearStatus:
        this.status = STATUS_READY;
        return this.expect('command', this.mode);
      default: return this.expect('command', 'array');
    }
  }

  private confirmErase(offset: number, command: number): void {
    if (command === COMMAND.confirm) {
      this.array.fill(offset - (offset % FLASH_BLOCK_SIZE), FLASH_BLOCK_SIZE, 0xff);
      return this.expect('command', 'status');
    }
    if (command !== COMMAND.readArray) this.status |= STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR;
    this.expect('command', command === COMMAND.readArray ? 'array' : 'status');
  }

  private buffer(offset: number, bytes: Uint8Array): void {
    if (this.buffered.length < FLASH_BUFFER_SIZE) this.buffered.push({ offset, bytes });
    this.remaining--;
    if (this.remaining === 0) this.expect('buffer-confirm', 'status');
  }

  private confirmBuffer(command: number): void {
    const { buffered } = this;
    this.buffered = [];
    if (command === COMMAND.confirm && isOneBuffer(buffered)) for (const { offset, bytes } of buffered) this.program(offset, bytes);
    else this.status |= STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR;
    this.expect('command', 'status');
  }

  private program(offset: number, bytes: Uint8Array): void {
    if (this.programming === 'stores') return this.array.write(offset, bytes);
    const old = this.array.read(offset, bytes.length);
    this.array.write(offset, old.map((byte, n) => byte & (bytes[n] ?? 0xff)));
  }
}

/** True if the stores are no more than the write buffers hold and lie in one block. */
function isOneBuffer(stores: readonly BufferedStore[]): boolean {
  const block = Math.floor((stores[0]?.offset ?? 0) / FLASH_BLOCK_SIZE);
  const size = stores.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return size <= FLASH_BUFFER_SIZE && stores.every(({ offset }) => Math.floor(offset / FLASH_BLOCK_SIZE) === block);
}

/** The CFI table of one chip, by index. */
const CFI_TABLE = makeCfiTable();

function makeCfiTable(): Uint8Array {
  const chipSize = FLASH_BANK_SIZE / 2;
  const blockSize = FLASH_BLOCK_SIZE / 2;
  const blockCount = chipSize / blockSize;
  const table = new Uint8Array(0x40);
  const put = (index: number, ...bytes: readonly number[]): void => { table.set(bytes, index); };
  const text = (index: number, value: string): void => { put(index, ...[...value].map((character) => character.charCodeAt(0))); };
  text(0x10, 'QRY');
  // Intel/Sharp extended command set; its own table is at 0x31.
  put(0x13, 0x01, 0x00, 0x31, 0x00);
  // 4.5 V to 5.5 V, no programming voltage.
  put(0x1b, 0x45, 0x55, 0x00, 0x00);
  // Typical times as powers of two, in microseconds (word, buffer) and milliseconds (block); then how many times longer they may take.
  put(0x1f, 0x07, 0x07, 0x0a, 0x00, 0x04, 0x04, 0x04, 0x00);
  put(0x27, Math.log2(chipSize), 0x02, 0x00, Math.log2(FLASH_BUFFER_SIZE / 2), 0x00);
  put(0x2c, 1, (blockCount - 1) & 0xff, (blockCount - 1) >> 8, (blockSize >> 8) & 0xff, blockSize >> 16);
  text(0x31, 'PRI10');
  put(0x3f, 0x01);
  assert(Number.isInteger(Math.log2(chipSize)), 'the size of a chip is a power of two');
  return table;
}
