/**
 * Bindings from folders, read once: our own, which come along, and others such as Linux's. Large collections are kept on disk in a form that is read in
 * little time; the kept form counts only while every file is as it was. Making it takes seconds and happens in other threads, or between two messages, where the
 * surroundings allow that. Not a checker: that is `runtime/devicetree/bindings`.
 */

import { lstatSync, readdirSync, type Dirent } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readBindings, type BindingSet } from '../runtime/devicetree/bindings/binding-set';
import { keepInThreads, type PoolOptions } from './binding-pool';
import { readBindingFile } from './binding-yaml';
import { keepBindings, keepNow, keptPath, readKept } from './kept-bindings';

/** Limits for what a folder may hold. */
const FILE_COUNT_MAX = 50_000;
const FOLDER_DEPTH_MAX = 40;
const BINDING_SIZE_MAX = 4 * 1024 * 1024;
/** Collections of fewer files are read anew each time: they are not kept on disk. */
export const KEPT_FROM = 200;
/** One of dt-schema's own bindings that Linux's build on; without these, ours take their place. */
const LINUX_NEEDS_FILE = '/schemas/clock/clock.yaml';
/** How long bindings are read at a time while others wait, in milliseconds. */
const SLICE = 10;

/** Where large collections are kept unless something else is said. */
export const CACHE_FOLDER = join(homedir(), '.cache', 'gunyah-debug', 'bindings');

/** Which of our own bindings for the hypervisor node to use. */
export type HypervisorForm = 'documented' | 'as-rm-generates';

/** What reading in the background takes. */
export interface Background {
  /** Runs something once all messages that wait have been handled. */
  readonly soon: (run: () => void) => void;
  /** Bindings that were asked for before are at hand now. */
  readonly ready: () => void;
  /** How many files of a collection have been read; `total` at the end. `giveUp` ends it: then what is at hand has to do. */
  readonly progress: (done: number, total: number, giveUp: () => void) => void;
  /** Something that the user should know, in words. */
  readonly notice: (text: string) => void;
  /** Threads other than the usual ones. Where there are none, files are read between messages. */
  readonly threads?: PoolOptions;
}

interface FileStamp {
  readonly path: string;
  readonly stamp: string;
}

/** Reads and remembers sets of bindings. */
export class BindingStore {
  private readonly cacheFolder: string;
  private readonly sets = new Map<string, BindingSet>();
  /** As they were before they were forgotten. */
  private readonly before = new Map<string, BindingSet>();
  /** What stops the reading of collections. */
  private readonly underway = new Map<string, () => void>();
  /** Without, whoever asks waits. */
  background: Background | undefined;

  /** `cacheFolder` is where large collections are kept. */
  constructor(cacheFolder: string = CACHE_FOLDER) {
    this.cacheFolder = cacheFolder;
  }

  /**
   * Our own bindings, and those of the given folders where they can be used; asked again, folders are read again only after `forget`. While a large
   * collection is being read in the background, what is at hand: the set as it was, or our own bindings alone.
   */
  setFor(form: HypervisorForm, folders: readonly string[]): BindingSet {
    const key = JSON.stringify([form, folders]);
    const known = this.sets.get(key);
    if (known !== undefined) return known;
    if (!this.underway.has(key)) {
      const set = this.load(key, form, folders);
      if (set !== undefined) {
        this.sets.set(key, set);
        return set;
      }
    }
    return this.before.get(key) ?? this.setFor(form, []);
  }

  /** Reads folders again when they are asked for next. */
  forget(): void {
    for (const [key, set] of this.sets) this.before.set(key, set);
    this.sets.clear();
    for (const stop of this.underway.values()) stop();
    this.underway.clear();
  }

  private load(key: string, form: HypervisorForm, folders: readonly string[]): BindingSet | undefined {
    // Of two bindings with one `$id` the first counts, so those of the user go before ours.
    const stated = stampsOf(folders);
    if (folders.length > 0 && stated.length === 0) return this.setFor(form, []);
    const files = [...stated, ...stampsOf(ownFolders(form))];
    if (files.length < KEPT_FROM) return readAll(files);
    const isComplete = files.some(({ path }) => path.endsWith(LINUX_NEEDS_FILE));
    const all = isComplete ? files : [...files, ...stampsOf([join(__dirname, 'bindings', 'core-linux')])];
    const kept = keptPath(this.cacheFolder, all.map(({ path, stamp }) => `${path} ${stamp}\n`).join(''));
    const known = readKept(kept);
    if (known !== undefined) return known;
    if (this.background === undefined) return keepNow(kept, pathsOf(all)) ?? readAll(all);
    this.underway.set(key, this.readAside({ key, form, kept, all, background: this.background }));
    return undefined;
  }

  /** Begins to read a collection while others have their turn; calling what it returns ends that. */
  private readAside(job: Job): () => void {
    const { key, form, kept, all, background } = job;
    const total = all.length;
    let stop: () => void;
    const giveUp = (): void => {
      if (this.underway.get(key) !== whole) return;
      whole();
      this.underway.delete(key);
      this.sets.set(key, this.before.get(key) ?? this.setFor(form, []));
    };
    const progress = (done: number): void => { background.progress(done, total, giveUp); };
    const whole = (): void => {
      stop();
      progress(total);
    };
    stop = keepInThreads(kept, pathsOf(all), {
      progress,
      ended: (how, left) => {
        if (left.length > 0) background.notice(noticeOf(left));
        if (how !== 'failed') this.arrived(job, readKept(kept));
        else if (left.length > 0) giveUp();
        else stop = this.readInSlices(job, progress);
      },
    }, background.threads) ?? this.readInSlices(job, progress);
    progress(0);
    return whole;
  }

  /** Reads for a while, and again after others had their turn. */
  private readInSlices(job: Job, progress: (done: number) => void): () => void {
    const steps = keepBindings(job.kept, pathsOf(job.all));
    let done = 0;
    let isStopped = false;
    const goOn = (): void => {
      if (isStopped) return;
      const begin = performance.now();
      let step = steps.next();
      for (; step.done !== true && performance.now() - begin < SLICE; step = steps.next()) done++;
      if (step.done === true) {
        this.arrived(job, step.value);
        return;
      }
      progress(done);
      job.background.soon(goOn);
    };
    job.background.soon(goOn);
    return () => {
      isStopped = true;
      steps.return(undefined);
    };
  }

  private arrived({ key, all, background }: Job, set: BindingSet | undefined): void {
    this.underway.delete(key);
    this.sets.set(key, set ?? readAll(all));
    this.before.delete(key);
    background.progress(all.length, all.length, () => undefined);
    background.ready();
  }
}

/** A collection that is being read. */
interface Job {
  readonly key: string;
  readonly form: HypervisorForm;
  readonly kept: string;
  readonly all: readonly FileStamp[];
  readonly background: Background;
}

function pathsOf(files: readonly FileStamp[]): readonly string[] {
  return files.map(({ path }) => path);
}

function noticeOf(left: readonly string[]): string {
  return `Bindings that take too long or too much memory to read are left out: ${left.join(', ')}.`;
}

/** Folders of our own bindings, beside this file or beside the bundle that holds it. */
function ownFolders(form: HypervisorForm): readonly string[] {
  const root = join(__dirname, 'bindings');
  return [join(root, 'core'), join(root, 'gunyah', 'vm-config'), join(root, 'gunyah', form === 'documented' ? 'binding' : 'as-rm-generates')];
}

function stampsOf(folders: readonly string[]): readonly FileStamp[] {
  const found: FileStamp[] = [];
  for (const folder of folders) collect(folder, 0, found);
  return found;
}

/**
 * Adds the bindings below a folder, in the order of their names. Links are not followed, so what lies below the folder is all that is read; a folder that cannot be read
 * counts as empty.
 */
function collect(folder: string, depth: number, found: FileStamp[]): void {
  if (depth > FOLDER_DEPTH_MAX) return;
  for (const entry of entriesOf(folder)) {
    if (found.length >= FILE_COUNT_MAX) return;
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) collect(path, depth + 1, found);
    else if (entry.isFile() && entry.name.endsWith('.yaml')) {
      // A link that took the file's place meanwhile is no file here.
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (stats?.isFile() === true && stats.size <= BINDING_SIZE_MAX) found.push({ path, stamp: `${String(stats.size)} ${String(stats.mtimeMs)}` });
    }
  }
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

function readAll(files: readonly FileStamp[]): BindingSet {
  return readBindings(files.flatMap(({ path }) => readBindingFile(path) ?? [])).bindings;
}
