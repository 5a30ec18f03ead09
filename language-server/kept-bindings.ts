/**
 * Large collections of bindings on disk: the text of each binding as it is checked against, and behind them an index. Of a file little more than the index
 * is read, and a binding when a node asks for it. A damaged file harms nobody: its index does not count, and a damaged binding is read from its source again.
 */

import { createHash } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { indexEntry, IndexBuilder, INDEX_VERSION, setOfIndex, type BindingIndex, type IndexEntry } from '../runtime/devicetree/bindings/binding-index';
import type { BindingSet } from '../runtime/devicetree/bindings/binding-set';
import { readBindingFile } from './binding-yaml';

/** At the end of a file: where the index begins (20 digits), and its digest (40). */
const TRAILER_SIZE = 60;
const HEAD_SIZE_MAX = 64 * 1024 * 1024;
/** Texts are written in pieces of about this size. */
const PIECE_SIZE = 1 << 20;
/** Collections that are kept; others were asked for longer ago. */
const COLLECTIONS_KEPT = 6;
const EXTENSION = '.bindings';
/** A file that has grown for so long, in milliseconds, is nobody's any more. */
const UNFINISHED_MS = 3_600_000;

interface KeptHead {
  readonly index: BindingIndex;
  /** Where each binding begins, and where the last one ends. */
  readonly offsets: readonly number[];
  /** Of the text of each binding. */
  readonly digests: readonly string[];
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}

/** A binding that was read: its entry in the index, and the text to keep as UTF-8. */
export interface ReadBinding {
  readonly entry: IndexEntry;
  readonly bytes: Uint8Array;
}

/** Reads a binding; nothing if it cannot be used. */
export function readForKeeping(path: string): ReadBinding | undefined {
  const file = readBindingFile(path);
  const made = file === undefined ? undefined : indexEntry(file);
  return made === undefined ? undefined : { entry: made.entry, bytes: Buffer.from(made.text) };
}

/** Writes the file of a collection, whose bindings come one after the other. Nothing is at the path before `finish`. */
export class CollectionWriter {
  private readonly path: string;
  private readonly temporary: string;
  private readonly builder = new IndexBuilder();
  private readonly offsets: number[] = [0];
  private readonly digests: string[] = [];
  private descriptor: number | undefined;
  private pieces: Uint8Array[] = [];
  private size = 0;

  /** `temporary` is where the file grows. Throws if the place cannot be written to. */
  constructor(path: string, temporary: string) {
    this.path = path;
    this.temporary = temporary;
    mkdirSync(dirname(path), { recursive: true });
    this.descriptor = openSync(temporary, 'w');
  }

  /** Adds a binding; of several with one `$id` the first counts. */
  add({ entry, bytes }: ReadBinding): void {
    if (!this.builder.add(entry)) return;
    this.offsets.push((this.offsets.at(-1) ?? 0) + bytes.length);
    this.digests.push(digestOf(bytes).slice(0, 8));
    this.pieces.push(bytes);
    this.size += bytes.length;
    if (this.size > PIECE_SIZE) this.write([]);
  }

  /** Puts the file in its place. */
  finish(): void {
    const head: KeptHead = { index: this.builder.finish(), offsets: this.offsets, digests: this.digests };
    const bytes = Buffer.from(JSON.stringify(head));
    this.write([bytes, Buffer.from(String(this.offsets.at(-1) ?? 0).padStart(20, '0') + digestOf(bytes))]);
    this.close();
    renameSync(this.temporary, this.path);
    dropOthers(this.path);
  }

  /** Leaves nothing behind; does nothing after `finish`. */
  abandon(): void {
    if (this.descriptor === undefined) return;
    this.close();
    rmSync(this.temporary, { force: true });
  }

  private write(more: readonly Uint8Array[]): void {
    if (this.descriptor === undefined) return;
    const bytes = Buffer.concat([...this.pieces, ...more]);
    for (let at = 0; at < bytes.length;) at += writeSync(this.descriptor, bytes, at);
    [this.pieces, this.size] = [[], 0];
  }

  private close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}

/** Reads bindings and writes the file as it goes; a step a binding, so that others can have their turn in between. Ends with the set, or with nothing if the file cannot be written. */
export function* keepBindings(path: string, files: readonly string[]): Generator<undefined, BindingSet | undefined> {
  let writer: CollectionWriter | undefined;
  try {
    writer = new CollectionWriter(path, temporaryPath(path));
    for (const file of files) {
      const read = readForKeeping(file);
      if (read !== undefined) writer.add(read);
      yield;
    }
    writer.finish();
  } catch {
    // A place that cannot be written to costs time, nothing else.
    return undefined;
  } finally {
    writer?.abandon();
  }
  return readKept(path);
}

/** The same in one go. */
export function keepNow(path: string, files: readonly string[]): BindingSet | undefined {
  const steps = keepBindings(path, files);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Removes the collections that were made longest ago, and what a process left unfinished that was killed. */
function dropOthers(path: string): void {
  try {
    const folder = dirname(path);
    const found = readdirSync(folder).map((name) => ({ name, time: statSync(join(folder, name)).mtimeMs })).sort((a, b) => b.time - a.time);
    const whole = found.filter(({ name }) => name.endsWith(EXTENSION));
    const newest = whole[0]?.time ?? 0;
    const stale = found.filter(({ name, time }) => name.includes(`${EXTENSION}.`) && newest - time > UNFINISHED_MS);
    for (const { name } of [...whole.slice(COLLECTIONS_KEPT), ...stale]) rmSync(join(folder, name), { force: true });
  } catch {
    // Another server may have removed them meanwhile.
  }
}

let temporaryCount = 0;

/** A place beside a collection's that nobody else uses. */
export function temporaryPath(path: string): string {
  return `${path}.${String(process.pid)}-${String(temporaryCount++)}`;
}

/** The path for a collection, by what tells it from others. */
export function keptPath(folder: string, identity: string): string {
  return join(folder, createHash('sha256').update(`${String(INDEX_VERSION)}\n${identity}`).digest('hex').slice(0, 32) + EXTENSION);
}

/** The set that a file holds; `undefined` if there is none or it is damaged. */
export function readKept(path: string): BindingSet | undefined {
  try {
    const head = readHead(path);
    if (head === undefined) return undefined;
    // What a set makes of the index is all that it needs of it; the index itself must not stay in memory.
    const { index, offsets, digests } = head;
    const { schemas } = index;
    return setOfIndex(index, textsOf(path, { schemas, offsets, digests }));
  } catch {
    return undefined;
  }
}

function readHead(path: string): KeptHead | undefined {
  return withFile(path, (descriptor) => {
    const { size } = fstatSync(descriptor);
    const trailer = bytesAt(descriptor, size - TRAILER_SIZE, TRAILER_SIZE).toString('latin1');
    const begin = Number(trailer.slice(0, 20));
    const length = size - TRAILER_SIZE - begin;
    if (!(begin >= 0 && length > 0 && length <= HEAD_SIZE_MAX)) return undefined;
    const bytes = bytesAt(descriptor, begin, length);
    if (digestOf(bytes) !== trailer.slice(20)) return undefined;
    const head: KeptHead = JSON.parse(bytes.toString('utf8'));
    return head.index.version === INDEX_VERSION ? head : undefined;
  });
}

/** Where the texts of a file are, and where they come from. */
type TextPlaces = Pick<KeptHead, 'offsets' | 'digests'> & Pick<BindingIndex, 'schemas'>;

function textsOf(path: string, places: TextPlaces): (schema: number) => string {
  return (schema) => bindingText(path, places, schema);
}

/** The text of a binding; of one that is damaged, from its source, and then the file is gone when it is wanted next. */
function bindingText(path: string, { schemas, offsets, digests }: TextPlaces, schema: number): string {
  try {
    const [begin = 0, end = 0] = [offsets[schema], offsets[schema + 1]];
    const bytes = withFile(path, (descriptor) => bytesAt(descriptor, begin, end - begin));
    if (digestOf(bytes).startsWith(digests[schema] ?? '-')) return bytes.toString('utf8');
    rmSync(path, { force: true });
  } catch {
    // The file may have been removed since.
  }
  const file = readBindingFile(schemas[schema]?.[1] ?? '');
  return (file === undefined ? undefined : indexEntry(file))?.text ?? '{}';
}

function withFile<T>(path: string, use: (descriptor: number) => T): T {
  const descriptor = openSync(path, 'r');
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function bytesAt(descriptor: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, length, position));
}
