/**
 * Hypercalls of the trace in numbers: they come by the hundred thousand, and as objects they would fill the host's memory and keep its garbage
 * collector busy. What comes out equals what went in, field by field. Events that do not look like the table's rows are refused, and kept as they are.
 *
 * A record is: tick; name, phase, VMID and vCPU; error and which values are bigints; arguments; for a return results; then a word for each capability.
 */

import { ticks, vmid } from '../base/brands';
import type { EventObject, EventObjects, EventValue, EventValues, TraceEvent } from '../base/trace-event';
import { type Hypercall, HYPERCALLS } from '../hypervisor/hypercall-table';

/** A call or its return. */
export type CallEvent = Extract<TraceEvent, { readonly event: 'hypercall' }>;

const HEADER = 3;
/** More than any record has. */
const RECORD_MAX = 64;
const CHUNK_WORDS = 0x8000;
const HIGH = 0x1_0000_0000;
const REVOKED = 0x100;
/** Fields of the second word: name, return, VMID; above them the vCPU and one, or zero without. */
const NAMES_MAX = 256;
const VMID_AT = 512;
const VCPU_AT = VMID_AT * 0x1_0000;

/** What a row of the table says about a record. */
interface Shape { readonly name: string; readonly number: number; readonly inputs: readonly string[]; readonly outputs: readonly string[]; readonly capabilities: readonly string[] }

const SHAPES: readonly Shape[] = Object.entries<Hypercall>(HYPERCALLS).map(([name, { number, inputs, outputs }]) => ({
  name, number: number ?? 0, inputs: inputs.map((one) => one.name), outputs: outputs.map((one) => one.name),
  capabilities: [...inputs, ...outputs].filter(({ type }) => type === 'cap_id_t').map((one) => one.name),
}));
const NUMBER_OF_NAME: ReadonlyMap<string, number> = new Map(SHAPES.map(({ name }, index) => [name, index]));

class Chunk {
  readonly numbers = new Float64Array(CHUNK_WORDS);
  readonly longs = new BigUint64Array(this.numbers.buffer);
}

/** Texts by number, in order of appearance. */
class Texts {
  private readonly texts: string[] = [];
  private readonly numbers = new Map<string, number>();

  numberOf(text: string): number {
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    this.numbers.set(text, this.texts.length);
    return this.texts.push(text) - 1;
  }

  at(number: number): string {
    return this.texts[number] ?? '';
  }
}

/** Records in order. A record is known by its place, which grows with each one. */
export class PackedCalls {
  private readonly chunks = new Map<number, Chunk>();
  private readonly texts = new Texts();
  private end = 0;

  /** Adds a record; its place, or undefined if the event is not of the table's shape. */
  add(event: CallEvent): number | undefined {
    const index = NUMBER_OF_NAME.get(event.name) ?? NAMES_MAX;
    const shape = SHAPES[index];
    if (shape === undefined || index >= NAMES_MAX || shape.number !== event.number) return undefined;
    if (CHUNK_WORDS - (this.end % CHUNK_WORDS) < RECORD_MAX) this.end = (Math.floor(this.end / CHUNK_WORDS) + 1) * CHUNK_WORDS;
    const place = this.end;
    const length = this.write(event, shape, place);
    if (length === undefined) return undefined;
    const at = place % CHUNK_WORDS;
    const { numbers } = this.chunkAt(place);
    numbers[at] = event.tick;
    numbers[at + 1] = index + (event.phase === 'leave' ? NAMES_MAX : 0) + event.vmid * VMID_AT + (event.vcpu === undefined ? 0 : (event.vcpu + 1) * VCPU_AT);
    this.end = place + length;
    return place;
  }

  /** The event at a place that `add` gave. */
  at(place: number): CallEvent {
    const chunk = this.chunkAt(place);
    const at = place % CHUNK_WORDS;
    const word = chunk.numbers[at + 1] ?? 0;
    const vcpu = Math.floor(word / VCPU_AT);
    const shape = SHAPES[word % NAMES_MAX];
    const { name = '', number = 0, inputs = [], outputs = [], capabilities = [] } = shape ?? {};
    const reader = new Reader(chunk, at + HEADER, (chunk.numbers[at + 2] ?? 0) % HIGH);
    const origin = { vmid: vmid(Math.floor(word / VMID_AT) % 0x1_0000), ...(vcpu === 0 ? {} : { vcpu: vcpu - 1 }), name, number };
    const tick = ticks(chunk.numbers[at] ?? 0);
    const args = reader.values(inputs);
    if (Math.floor(word / NAMES_MAX) % 2 === 0) return { event: 'hypercall', phase: 'enter', ...origin, args, objects: this.objects(reader, capabilities), tick };
    const error = this.texts.at(Math.floor((chunk.numbers[at + 2] ?? 0) / HIGH));
    const result = reader.values(outputs, error);
    return { event: 'hypercall', phase: 'leave', ...origin, args, result, error, objects: this.objects(reader, capabilities), tick };
  }

  /** Pieces of memory in use. */
  get chunkCount(): number {
    return this.chunks.size;
  }

  /** Forgets all records before a place. */
  dropBefore(place: number): void {
    for (const number of this.chunks.keys()) if (number < Math.floor(place / CHUNK_WORDS)) this.chunks.delete(number);
  }

  /** Forgets the record at a place and all behind it. */
  truncate(place: number): void {
    for (const number of this.chunks.keys()) if (number > Math.floor(place / CHUNK_WORDS)) this.chunks.delete(number);
    this.end = place;
  }

  /** Words from the third on; how many a record has, or undefined if the event is of another shape. */
  private write(event: CallEvent, { inputs, outputs, capabilities }: Shape, place: number): number | undefined {
    const writer = new Writer(this.chunkAt(place), place % CHUNK_WORDS + HEADER);
    const isReturn = event.phase === 'leave';
    if (!writer.values(event.args, inputs) || (isReturn && !writer.values(event.result, outputs, event.error))) return undefined;
    const { objects } = event;
    if (objects === undefined) return undefined;
    for (const name of capabilities) writer.number(this.numberOf(objects[name]));
    const header = place % CHUNK_WORDS + 2;
    this.chunkAt(place).numbers[header] = writer.bigints + (isReturn ? this.texts.numberOf(event.error) * HIGH : 0);
    return writer.at - (place % CHUNK_WORDS);
  }

  private numberOf(object: EventObject | undefined): number {
    if (object === undefined) return 0;
    return object.id + HIGH * (1 + this.texts.numberOf(object.type) * 2 * REVOKED + (object.revoked === true ? REVOKED : 0));
  }

  private objects(reader: Reader, names: readonly string[]): EventObjects {
    const objects: Record<string, EventObject> = {};
    for (const name of names) {
      const word = reader.number();
      if (word === 0) continue;
      const high = Math.floor(word / HIGH);
      const object = { type: this.texts.at(Math.floor(high / (2 * REVOKED))), id: word % HIGH };
      objects[name] = Math.floor(high / REVOKED) % 2 === 0 ? object : { ...object, revoked: true };
    }
    return objects;
  }

  private chunkAt(place: number): Chunk {
    const number = Math.floor(place / CHUNK_WORDS);
    const known = this.chunks.get(number);
    if (known !== undefined) return known;
    const made = new Chunk();
    this.chunks.set(number, made);
    return made;
  }
}

class Writer {
  at: number;
  /** A bit for each value that is a bigint. */
  bigints = 0;
  private readonly chunk: Chunk;
  private bit = 1;

  constructor(chunk: Chunk, at: number) {
    this.chunk = chunk;
    this.at = at;
  }

  number(value: number): void {
    this.chunk.numbers[this.at++] = value;
  }

  /** Values under exactly these names, in this order; false otherwise. An error is kept elsewhere. */
  values(values: EventValues, names: readonly string[], error?: string): boolean {
    let n = 0;
    for (const name in values) {
      if (name !== names[n++]) return false;
      const value = values[name];
      if (error !== undefined && name === 'error' ? value !== error : !this.value(value)) return false;
    }
    return n === names.length;
  }

  private value(value: EventValue | undefined): boolean {
    if (typeof value === 'bigint') {
      if (value < 0n || value > 0xffff_ffff_ffff_ffffn) return false;
      this.chunk.longs[this.at++] = value;
      this.bigints += this.bit;
    } else if (typeof value === 'number') {
      this.number(value);
    } else {
      return false;
    }
    this.bit *= 2;
    return true;
  }
}

class Reader {
  private readonly chunk: Chunk;
  private place: number;
  private bigints: number;

  constructor(chunk: Chunk, at: number, bigints: number) {
    this.chunk = chunk;
    this.place = at;
    this.bigints = bigints;
  }

  number(): number {
    return this.chunk.numbers[this.place++] ?? 0;
  }

  values(names: readonly string[], error?: string): EventValues {
    const values: Record<string, EventValue> = {};
    for (const name of names) values[name] = error !== undefined && name === 'error' ? error : this.value();
    return values;
  }

  private value(): EventValue {
    const isBigint = this.bigints % 2 === 1;
    this.bigints = Math.floor(this.bigints / 2);
    return isBigint ? this.chunk.longs[this.place++] ?? 0n : this.number();
  }
}
