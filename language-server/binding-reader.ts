/**
 * The threads that read large collections of bindings, one program in two roles. A keeper writes the file of the collection and sees to it that readers
 * get on; readers take files in turn, read the YAML and hand over entries and texts. Not the server: `binding-pool.ts` starts it and hears how it went.
 */

import { parentPort, Worker, workerData } from 'node:worker_threads';
import { CollectionWriter, readForKeeping } from './kept-bindings';
import type { IndexEntry } from '../runtime/devicetree/bindings/binding-index';
import type { Keeping, KeeperMessage } from './binding-pool';

/** Files that a reader takes at a time. */
const BATCH = 32;
/** In what readers share: the number of the file that is next. Behind it, for each reader, one more than the number of the file that it is at. */
const NEXT = 0;
/** Readers that may be replaced since a file was too much for them. */
const REPLACED_MAX = 8;
const WATCH_MS = 250;
/** Most memory of a reader, so that a file that takes more costs that reader alone. */
const READER_LIMITS = { maxOldGenerationSizeMb: 512 };

interface Reading {
  readonly role: 'reader';
  readonly files: readonly string[];
  readonly shared: SharedArrayBuffer;
  readonly number: number;
  /** What a reader before left unfinished: a batch, without files that were too much. */
  readonly again: { readonly from: number; readonly without: readonly number[] } | undefined;
}

/** What a reader hands over. */
interface Batch {
  readonly from: number;
  /** JSON of an entry and the length of its text for each binding that can be used. */
  readonly entries: string;
  /** The texts one after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

function readBatches({ files, shared, number, again }: Reading): void {
  const state = new Int32Array(shared);
  const read = (from: number, without: readonly number[]): void => {
    const batch = readBatch(files, from, (index) => {
      Atomics.store(state, number, index + 1);
      return !without.includes(index);
    });
    parentPort?.postMessage(batch, [batch.bytes.buffer]);
  };
  if (again !== undefined) read(again.from, again.without);
  for (let from = Atomics.add(state, NEXT, BATCH); from < files.length; from = Atomics.add(state, NEXT, BATCH)) read(from, []);
  Atomics.store(state, number, 0);
  parentPort?.postMessage(undefined);
}

function readBatch(files: readonly string[], from: number, isWanted: (index: number) => boolean): Batch {
  const entries: (readonly [IndexEntry, number])[] = [];
  const texts: Uint8Array[] = [];
  for (const [index, path] of files.slice(from, from + BATCH).entries()) {
    const made = isWanted(from + index) ? readForKeeping(path) : undefined;
    if (made === undefined) continue;
    entries.push([made.entry, made.bytes.length]);
    texts.push(made.bytes);
  }
  const bytes = new Uint8Array(texts.reduce((size, { length }) => size + length, 0));
  texts.reduce((at, text) => { bytes.set(text, at); return at + text.length; }, 0);
  return { from, entries: JSON.stringify(entries), bytes };
}

/** Collects what readers hand over, in the order of the files. */
class Keeper {
  private readonly plan: Keeping;
  private readonly writer: CollectionWriter;
  private readonly shared: SharedArrayBuffer;
  private readonly state: Int32Array;
  private readonly waiting = new Map<number, Batch>();
  private readonly watched = new Map<number, { readonly worker: Worker; at: number; since: number }>();
  /** Numbers of files that were too much for a reader. */
  private readonly left: number[] = [];
  private next = 0;

  constructor(plan: Keeping) {
    this.plan = plan;
    this.writer = new CollectionWriter(plan.path, plan.temporary);
    this.shared = new SharedArrayBuffer(4 * (1 + plan.readers));
    this.state = new Int32Array(this.shared);
    for (let number = 1; number <= plan.readers; number++) this.start(number, undefined);
    setInterval(() => { this.watch(); }, WATCH_MS);
  }

  private start(number: number, again: Reading['again']): void {
    const reading: Reading = { role: 'reader', files: this.plan.files, shared: this.shared, number, again };
    const worker = new Worker(__filename, { workerData: reading, resourceLimits: READER_LIMITS });
    this.watched.set(number, { worker, at: 0, since: performance.now() });
    worker.on('message', (batch: Batch | undefined) => {
      if (batch !== undefined) this.take(batch);
      else this.watched.delete(number);
    });
    // What a reader dies of is told by 'error'; that it is gone, by 'exit'.
    worker.on('error', () => undefined);
    worker.on('exit', () => { if (this.watched.get(number)?.worker === worker) this.replace(number); });
  }

  /** Ends readers that do not get on with a file. */
  private watch(): void {
    for (const [number, reader] of this.watched) {
      const at = Atomics.load(this.state, number);
      if (at !== reader.at) [reader.at, reader.since] = [at, performance.now()];
      else if (performance.now() - reader.since > this.plan.patienceMs) void reader.worker.terminate();
    }
  }

  private replace(number: number): void {
    const index = Atomics.load(this.state, number) - 1;
    Atomics.store(this.state, number, 0);
    this.watched.delete(number);
    if (index < 0 || this.left.length >= REPLACED_MAX) {
      this.end({ kind: 'failed', left: this.leftPaths });
      return;
    }
    this.left.push(index);
    this.start(number, { from: index - (index % BATCH), without: [...this.left] });
  }

  private get leftPaths(): readonly string[] {
    return this.left.map((index) => this.plan.files[index] ?? '');
  }

  private take(batch: Batch): void {
    try {
      this.put(batch);
    } catch {
      this.end({ kind: 'unwritable' });
    }
  }

  private put(batch: Batch): void {
    this.waiting.set(batch.from, batch);
    for (let ready = this.waiting.get(this.next); ready !== undefined; ready = this.waiting.get(this.next)) {
      this.waiting.delete(this.next);
      this.next += BATCH;
      const entries: readonly (readonly [IndexEntry, number])[] = JSON.parse(ready.entries);
      let at = 0;
      for (const [entry, length] of entries) this.writer.add({ entry, bytes: ready.bytes.subarray(at, at += length) });
    }
    if (this.next < this.plan.files.length) tell({ kind: 'progress', done: this.next });
    else {
      this.writer.finish();
      this.end({ kind: 'kept', left: this.leftPaths });
    }
  }

  private end(message: KeeperMessage): void {
    this.writer.abandon();
    tell(message);
    process.exit();
  }
}

function tell(message: KeeperMessage): void {
  parentPort?.postMessage(message);
}

const plan: Reading | Keeping = workerData;
if (plan.role === 'reader') readBatches(plan);
else {
  try {
    new Keeper(plan);
  } catch {
    tell({ kind: 'unwritable' });
  }
}
