/** Reads large collections of bindings in threads of their own, while the server answers. What the threads do is in `binding-reader.ts`. */

import { existsSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { temporaryPath } from './kept-bindings';

/** Most threads that read at a time. */
const READERS_MAX = 4;
/** How long one file may take, in milliseconds. Bindings take one or two; a machine may be busy with other things. */
const PATIENCE_MS = 30_000;

/** What the threads are to do. */
export interface Keeping {
  readonly role: 'keeper';
  /** Where the collection is kept. */
  readonly path: string;
  /** Where its file grows until it is whole. */
  readonly temporary: string;
  readonly files: readonly string[];
  readonly readers: number;
  readonly patienceMs: number;
}

/** How it went: `left` are files that were too much for a thread, in time or memory. */
export type KeeperMessage =
  | { readonly kind: 'progress'; readonly done: number }
  | { readonly kind: 'kept' | 'failed'; readonly left: readonly string[] }
  | { readonly kind: 'unwritable' };

/** Who is told. `ended` comes once, unless reading is stopped. */
export interface PoolEvents {
  readonly progress: (done: number) => void;
  readonly ended: (how: 'kept' | 'failed' | 'unwritable', left: readonly string[]) => void;
}

/** What may differ from the usual. */
export interface PoolOptions {
  /** The program of the threads; by default the one beside this module's bundle. */
  readonly program?: string;
  /** How long one file may take, in milliseconds. */
  readonly patienceMs?: number;
}

/** Starts reading; calling what it returns stops it. `undefined` where there is no program for threads. */
export function keepInThreads(path: string, files: readonly string[], events: PoolEvents, options: PoolOptions = {}): (() => void) | undefined {
  const { program = join(__dirname, 'binding-reader.js'), patienceMs = PATIENCE_MS } = options;
  if (!existsSync(program)) return undefined;
  const temporary = temporaryPath(path);
  const plan: Keeping = { role: 'keeper', path, temporary, files, readers: Math.min(availableParallelism(), READERS_MAX), patienceMs };
  const worker = new Worker(program, { workerData: plan });
  let isOver = false;
  const end = (how: Parameters<PoolEvents['ended']>[0], left: readonly string[]): void => {
    if (isOver) return;
    isOver = true;
    events.ended(how, left);
  };
  worker.on('message', (message: KeeperMessage) => {
    if (isOver) return;
    if (message.kind === 'progress') events.progress(message.done);
    else end(message.kind, message.kind === 'unwritable' ? [] : message.left);
  });
  // What the thread dies of is told by 'error'; that it is gone, by 'exit'.
  worker.on('error', () => undefined);
  worker.on('exit', () => {
    remove(temporary);
    end('failed', []);
  });
  worker.unref();
  return () => {
    isOver = true;
    void worker.terminate();
  };
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Where nothing can be written there is nothing to remove.
  }
}
