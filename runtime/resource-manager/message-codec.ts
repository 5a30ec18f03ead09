/**
 * Reads and writes payloads by their description in the message table. Reading is total: any bytes give values or one of RM's two
 * errors for badly formed messages, MSG_INVALID and NORESOURCE (a count above its limit).
 */

import { assert, present } from '../base/assert';
import { ByteReader, latin1 } from '../base/byte-reader';
import { err, ok } from '../base/result';
import type { Result } from '../base/result';
import { CUT_SHORT, type Field, type PayloadOf } from './message-fields';

/** A decoded value, whatever its field. */
export type RmValue = number | bigint | string | Uint8Array | readonly number[] | readonly RmRecord[];
/** Decoded values by name. */
export interface RmRecord { readonly [name: string]: RmValue }
/** Why a payload could not be read. */
export type FormatError = 'MSG_INVALID' | 'NORESOURCE';

const SCALAR_SIZES = { u8: 1, u16: 2, u32: 4, u64: 8 } as const;

/** Rounds up to a multiple of 4, the padding of strings and blobs. */
export function padded(sizeBytes: number): number {
  return (sizeBytes + 3) & ~3;
}

/** Reads a whole payload; bytes left over make it invalid. */
export function decodePayload<const F extends readonly Field[]>(fields: F, payload: Uint8Array, minimumBytes = 0): Result<PayloadOf<F>, FormatError> {
  if (payload.length < minimumBytes) return err('MSG_INVALID');
  const cursor = new Cursor(payload);
  const failure = cursor.readFields(fields);
  if (failure !== undefined) return err(failure);
  if (cursor.offset !== payload.length) return err('MSG_INVALID');
  return ok(cursor.values as PayloadOf<F>);
}

/** Reads as many fields as there are, for display of messages that are cut short or badly formed. */
export function decodePrefix(fields: readonly Field[], payload: Uint8Array): RmRecord {
  const cursor = new Cursor(payload);
  cursor.readFields(fields);
  return cursor.values;
}

class Cursor {
  offset = 0;
  values: Record<string, RmValue> = {};
  private readonly reader: ByteReader;

  constructor(payload: Uint8Array) {
    this.reader = new ByteReader(payload);
  }

  readFields(fields: readonly Field[]): FormatError | undefined {
    for (const [index, field] of fields.entries()) {
      const absent = field.type === 'list' && field.optional && index >= firstTrailingList(fields) && this.offset === this.reader.sizeBytes;
      const failure = absent ? this.emptyList(field) : this.readField(field);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  private emptyList(field: Field & { type: 'list' }): undefined {
    this.values[field.name] = [];
    if (field.second !== undefined) this.values[field.second] = 0;
    return undefined;
  }

  private readField(field: Field): FormatError | undefined {
    switch (field.type) {
      case 'u8': case 'u16': case 'u32': case 'u64': return this.readScalar(field.name, field.type);
      case 'reserved': return this.readReserved(field.sizeBytes, field.mustBeZero);
      case 'guid': return this.readBytes(field.name, 16, 16);
      case 'text': return this.readText(field.name);
      case 'blob': return this.readSized(field.name, padded);
      case 'bytes': return this.readSized(field.name, (size) => size);
      case 'words': return this.readWords(field.name);
      case 'list': return this.readList(field);
    }
  }

  private take(sizeBytes: number): Uint8Array | undefined {
    const taken = this.reader.slice(this.offset, sizeBytes);
    if (taken !== undefined) this.offset += sizeBytes;
    return taken;
  }

  private takeUnsigned(sizeBytes: 2 | 4): number | undefined {
    const value = sizeBytes === 2 ? this.reader.u16(this.offset) : this.reader.u32(this.offset);
    if (value !== undefined) this.offset += sizeBytes;
    return value;
  }

  private readScalar(name: string, type: keyof typeof SCALAR_SIZES): FormatError | undefined {
    const value = type === 'u64' ? this.reader.u64(this.offset) : type === 'u32' ? this.reader.u32(this.offset) : type === 'u16' ? this.reader.u16(this.offset) : this.reader.u8(this.offset);
    if (value === undefined) return 'MSG_INVALID';
    this.values[name] = value;
    this.offset += SCALAR_SIZES[type];
    return undefined;
  }

  private readReserved(sizeBytes: number, mustBeZero: boolean): FormatError | undefined {
    const taken = this.take(sizeBytes);
    return taken === undefined || (mustBeZero && taken.some((byte) => byte !== 0)) ? 'MSG_INVALID' : undefined;
  }

  /** Takes `paddedBytes`, of which all behind `sizeBytes` must be zero. */
  private readBytes(name: string, sizeBytes: number, paddedBytes: number): FormatError | undefined {
    const taken = this.take(paddedBytes);
    if (taken === undefined || taken.subarray(sizeBytes).some((byte) => byte !== 0)) return 'MSG_INVALID';
    this.values[name] = taken.slice(0, sizeBytes);
    return undefined;
  }

  private readText(name: string): FormatError | undefined {
    const size = this.takeUnsigned(2);
    if (size === undefined || this.takeUnsigned(2) === undefined) return 'MSG_INVALID';
    const failure = this.readBytes(name, size, padded(size));
    const value = this.values[name];
    if (failure === undefined && value instanceof Uint8Array) this.values[name] = latin1(value);
    return failure;
  }

  private readSized(name: string, room: (sizeBytes: number) => number): FormatError | undefined {
    const size = this.takeUnsigned(2);
    return size === undefined ? 'MSG_INVALID' : this.readBytes(name, size, room(size));
  }

  private readWords(name: string): FormatError | undefined {
    const size = this.takeUnsigned(4);
    if (size === undefined || size % 4 !== 0 || !this.reader.has(this.offset, size)) return 'MSG_INVALID';
    const values: number[] = [];
    for (let i = 0; i < size; i += 4) values.push(present(this.takeUnsigned(4), 'the size was checked'));
    this.values[name] = values;
    return undefined;
  }

  private readList(field: Field & { type: 'list' }): FormatError | undefined {
    if (field.loose === true) return this.readLoosely(field);
    const count = this.takeUnsigned(field.header === 'u32' ? 4 : 2);
    const second = field.header === 'u16-pair' ? this.takeUnsigned(2) : 0;
    if (count === undefined || second === undefined) return 'MSG_INVALID';
    if (count > field.limit) return 'NORESOURCE';
    if (field.second !== undefined) this.values[field.second] = second;
    const outer = this.values;
    const elements: RmRecord[] = [];
    let failure: FormatError | undefined;
    const elementCount = count * groupSize(field, outer);
    for (let i = 0; i < elementCount && failure === undefined; i++) {
      this.values = {};
      failure = this.readFields(field.of);
      elements.push(this.values);
    }
    this.values = outer;
    this.values[field.name] = elements;
    return failure;
  }

  /** Reads the elements that are there; one more says that there should be more, or that there is no list. */
  private readLoosely(field: Field & { type: 'list' }): undefined {
    const outer = this.values;
    const elements: RmRecord[] = [];
    const count = this.reader.has(this.offset, 4) ? this.takeUnsigned(2) ?? 0 : 1;
    this.takeUnsigned(2);
    while (elements.length < count) {
      this.values = {};
      if (this.readFields(field.of) !== undefined) {
        elements.push(Object.fromEntries(field.of.flatMap((part) => (part.type === 'reserved' ? [] : [[part.name, CUT_SHORT]]))));
        break;
      }
      elements.push(this.values);
    }
    this.values = { ...outer, [field.name]: elements };
    this.offset = this.reader.sizeBytes;
    return undefined;
  }
}

/** How many elements one counted item of a list has. */
function groupSize({ group }: Field & { type: 'list' }, values: RmRecord): number {
  return group !== undefined && values[group.by] === group.value ? group.elements : 1;
}

/** Only lists with nothing but other lists behind them may be missing. */
function firstTrailingList(fields: readonly Field[]): number {
  let first = fields.length;
  while (first > 0 && fields[first - 1]?.type === 'list') first--;
  return first;
}

/** Writes a payload. Values must fit their fields; that is the caller's duty. */
export function encodePayload<const F extends readonly Field[]>(fields: F, values: PayloadOf<F>): Uint8Array {
  return encodeRecord(fields, values as RmRecord);
}

/** Writes a payload whose fields are only known when running. */
export function encodeRecord(fields: readonly Field[], values: RmRecord): Uint8Array {
  const out: number[] = [];
  writeFields(out, fields, values);
  return Uint8Array.from(out);
}

function writeFields(out: number[], fields: readonly Field[], values: RmRecord): void {
  for (const field of fields) {
    if (field.type === 'reserved') pushZeros(out, field.sizeBytes);
    else writeField(out, field, present(values[field.name], `field ${field.name} has a value`), values);
  }
}

function writeField(out: number[], field: Exclude<Field, { type: 'reserved' }>, value: RmValue, values: RmRecord): void {
  switch (field.type) {
    case 'u8': case 'u16': case 'u32': case 'u64':
      assert(typeof value === 'number' || typeof value === 'bigint', `${field.name} is a number`);
      pushUnsigned(out, BigInt(value), SCALAR_SIZES[field.type]);
      return;
    case 'text':
      assert(typeof value === 'string', `${field.name} is text`);
      pushUnsigned(out, BigInt(value.length), 4);
      pushPadded(out, Uint8Array.from(value, (character) => character.charCodeAt(0) & 0xff));
      return;
    case 'guid': case 'blob': case 'bytes':
      assert(value instanceof Uint8Array, `${field.name} is bytes`);
      if (field.type !== 'guid') pushUnsigned(out, BigInt(value.length), 2);
      if (field.type === 'blob') pushPadded(out, value);
      else for (const byte of value) out.push(byte);
      return;
    case 'words':
      assert(isNumbers(value), `${field.name} is a list of words`);
      pushUnsigned(out, BigInt(4 * value.length), 4);
      for (const word of value) pushUnsigned(out, BigInt(word), 4);
      return;
    case 'list':
      assert(isRecords(value), `${field.name} is a list`);
      writeListHeader(out, field, Math.floor(value.length / groupSize(field, values)), values);
      for (const element of value) writeFields(out, field.of, element);
  }
}

function writeListHeader(out: number[], field: Field & { type: 'list' }, count: number, values: RmRecord): void {
  assert(count <= field.limit, `${field.name} holds at most ${field.limit} elements`);
  pushUnsigned(out, BigInt(count), field.header === 'u32' ? 4 : 2);
  if (field.header !== 'u16-pair') return;
  const second = field.second === undefined ? 0 : values[field.second];
  pushUnsigned(out, typeof second === 'number' ? BigInt(second) : 0n, 2);
}

function isNumbers(value: RmValue): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

function isRecords(value: RmValue): value is readonly RmRecord[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'object');
}

function pushUnsigned(out: number[], value: bigint, sizeBytes: number): void {
  for (let i = 0; i < sizeBytes; i++) out.push(Number((value >> BigInt(8 * i)) & 0xffn));
}

function pushPadded(out: number[], data: Uint8Array): void {
  for (const byte of data) out.push(byte);
  pushZeros(out, padded(data.length) - data.length);
}

function pushZeros(out: number[], count: number): void {
  for (let i = 0; i < count; i++) out.push(0);
}
