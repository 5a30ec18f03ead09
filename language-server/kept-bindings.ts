/**
 * Large collections of bindings on disk: the text of each binding as it is checked against, and behind them an index. Of a file little more than the index
 * is read, and a binding when a node asks for it. A damaged file harms nobody: its index does not count, and a damaged binding is read from its source again.
 */

import { createHash } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { load } from 'js-yaml';
import { IndexBuilder, INDEX_VERSION, setOfIndex, type BindingIndex } from '../runtime/devicetree/bindings/binding-index';
import type { BindingFile, BindingSet } from '../runtime/devicetree/bindings/binding-set';
import { readQuickly } from './quick-yaml';

const NESTING_MAX = 100;
const META_SCHEMAS = 'http://devicetree.org/meta-schemas/';
/** At the end of a file: where the index begins (20 digits), and its digest (40). */
const TRAILER_SIZE = 60;
const HEAD_SIZE_MAX = 64 * 1024 * 1024;
/** Texts are written in pieces of about this size. */
const PIECE_SIZE = 1 << 20;
/** Collections that are kept; others were asked for longer ago. */
const COLLECTIONS_KEPT = 6;
const EXTENSION = '.bindings';

interface KeptHead {
  readonly index: BindingIndex;
  /** Where each binding begins, and where the last one ends. */
  readonly offsets: readonly number[];
  /** Of the text of each binding. */
  readonly digests: readonly string[];
}

/** A binding as a file says it, or nothing: what is wrong with bindings is not for who edits trees. */
export function readBindingFile(path: string): BindingFile | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    const content = readQuickly(text) ?? load(text, { maxDepth: NESTING_MAX });
    return isMetaSchema(content) ? undefined : { path, content };
  } catch {
    return undefined;
  }
}

function isMetaSchema(content: unknown): boolean {
  return typeof content === 'object' && content !== null && '$id' in content && String(content.$id).startsWith(META_SCHEMAS);
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}

/** Reads bindings and writes the file as it goes; a step a binding, so that others can have their turn in between. Ends with the set, or with nothing if the file cannot be written. */
export function* keepBindings(path: string, files: readonly string[]): Generator<undefined, BindingSet | undefined> {
  const temporary = `${path}.${String(process.pid)}`;
  const builder = new IndexBuilder();
  const [offsets, digests]: [number[], string[]] = [[0], []];
  let descriptor: number | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    descriptor = openSync(temporary, 'w');
    let [pieces, size]: [Buffer[], number] = [[], 0];
    for (const file of files) {
      const content = readBindingFile(file);
      const text = content === undefined ? undefined : builder.add(content);
      if (text !== undefined) {
        const bytes = Buffer.from(text);
        offsets.push((offsets.at(-1) ?? 0) + bytes.length);
        digests.push(digestOf(bytes).slice(0, 8));
        pieces.push(bytes);
        size += bytes.length;
        if (size > PIECE_SIZE) {
          writeSync(descriptor, Buffer.concat(pieces));
          [pieces, size] = [[], 0];
        }
      }
      yield;
    }
    const head: KeptHead = { index: builder.finish(), offsets, digests };
    const bytes = Buffer.from(JSON.stringify(head));
    writeSync(descriptor, Buffer.concat([...pieces, bytes, Buffer.from(String(offsets.at(-1) ?? 0).padStart(20, '0') + digestOf(bytes))]));
    closeSync(descriptor);
    descriptor = undefined;
    renameSync(temporary, path);
  } catch {
    // A place that cannot be written to costs time, nothing else.
    return undefined;
  } finally {
    if (descriptor !== undefined) {
      closeSync(descriptor);
      rmSync(temporary, { force: true });
    }
  }
  dropOthers(path);
  return readKept(path);
}

/** Removes the collections that were made longest ago. */
function dropOthers(path: string): void {
  try {
    const folder = dirname(path);
    const found = readdirSync(folder).filter((name) => name.endsWith(EXTENSION)).map((name) => ({ name, time: statSync(join(folder, name)).mtimeMs })).sort((a, b) => b.time - a.time);
    for (const { name } of found.slice(COLLECTIONS_KEPT)) rmSync(join(folder, name), { force: true });
  } catch {
    // Another server may have removed them meanwhile.
  }
}

/** The path for a collection, by what tells it from others. */
export function keptPath(folder: string, identity: string): string {
  return join(folder, createHash('sha256').update(`${String(INDEX_VERSION)}\n${identity}`).digest('hex').slice(0, 32) + EXTENSION);
}

/** The set that a file holds; `undefined` if there is none or it is damaged. */
export function readKept(path: string): BindingSet | undefined {
  try {
    const head = readHead(path);
    return head === undefined ? undefined : setOfIndex(head.index, (schema) => bindingText(path, head, schema));
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

/** The text of a binding; of one that is damaged, from its source, and then the file is gone when it is wanted next. */
function bindingText(path: string, { index, offsets, digests }: KeptHead, schema: number): string {
  try {
    const [begin = 0, end = 0] = [offsets[schema], offsets[schema + 1]];
    const bytes = withFile(path, (descriptor) => bytesAt(descriptor, begin, end - begin));
    if (digestOf(bytes).startsWith(digests[schema] ?? '-')) return bytes.toString('utf8');
    rmSync(path, { force: true });
  } catch {
    // The file may have been removed since.
  }
  const file = readBindingFile(index.schemas[schema]?.[1] ?? '');
  return (file === undefined ? undefined : new IndexBuilder().add(file)) ?? '{}';
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
