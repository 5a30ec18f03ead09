/**
 * Bindings from folders, read once: our own, which come along, and others such as Linux's. Large collections are kept on disk in a form that is read in
 * little time; the kept form counts only while every file is as it was. Not a checker: that is `runtime/devicetree/bindings`.
 */

import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync, type Dirent } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { indexOfSet, INDEX_VERSION, setOfIndex, type BindingIndex } from '../runtime/devicetree/bindings/binding-index';
import { readBindings, type BindingFile, type BindingSet } from '../runtime/devicetree/bindings/binding-set';

/** Limits for what a folder may hold. */
const FILE_COUNT_MAX = 50_000;
const FOLDER_DEPTH_MAX = 40;
const BINDING_SIZE_MAX = 4 * 1024 * 1024;
const NESTING_MAX = 100;
/** Collections of fewer files are read anew each time. */
const KEPT_FROM = 200;
const META_SCHEMAS = 'http://devicetree.org/meta-schemas/';
/** One of dt-schema's own bindings that Linux's build on; without these, ours take their place. */
const LINUX_NEEDS_FILE = '/schemas/clock/clock.yaml';

/** Which of our own bindings for the hypervisor node to use. */
export type HypervisorForm = 'documented' | 'as-rm-generates';

interface FileStamp {
  readonly path: string;
  readonly stamp: string;
}

/** Reads and remembers sets of bindings. */
export class BindingStore {
  private readonly cacheFolder: string;
  private readonly sets = new Map<string, BindingSet>();

  /** `cacheFolder` is where large collections are kept. */
  constructor(cacheFolder: string = join(homedir(), '.cache', 'gunyah-debug', 'bindings')) {
    this.cacheFolder = cacheFolder;
  }

  /** Our own bindings, and those of the given folders where they can be used; asked again, folders are read again only after `forget`. */
  setFor(form: HypervisorForm, folders: readonly string[]): BindingSet {
    const key = JSON.stringify([form, folders]);
    const known = this.sets.get(key);
    if (known !== undefined) return known;
    const set = this.load(form, folders);
    this.sets.set(key, set);
    return set;
  }

  /** Reads folders again when they are asked for next. */
  forget(): void {
    this.sets.clear();
  }

  private load(form: HypervisorForm, folders: readonly string[]): BindingSet {
    // Of two bindings with one `$id` the first counts, so those of the user go before ours.
    const files = stampsOf([...folders, ...ownFolders(form)]);
    if (files.length < KEPT_FROM) return readAll(files);
    const isComplete = files.some(({ path }) => path.endsWith(LINUX_NEEDS_FILE));
    return this.loadKept(isComplete ? files : [...files, ...stampsOf([join(__dirname, 'bindings', 'core-linux')])]);
  }

  private loadKept(files: readonly FileStamp[]): BindingSet {
    const hash = createHash('sha256').update(`${String(INDEX_VERSION)}\n`);
    for (const { path, stamp } of files) hash.update(`${path} ${stamp}\n`);
    const kept = join(this.cacheFolder, `${hash.digest('hex').slice(0, 32)}.bindings`);
    const known = readKept(kept);
    if (known !== undefined) return known;
    const set = readAll(files);
    writeKept(kept, set);
    return set;
  }
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
  return readBindings(files.flatMap(({ path }) => readBinding(path) ?? [])).bindings;
}

/** A binding, or nothing: what is wrong with bindings is not for who edits trees. */
function readBinding(path: string): BindingFile | undefined {
  try {
    const content = load(readFileSync(path, 'utf8'), { maxDepth: NESTING_MAX });
    return isMetaSchema(content) ? undefined : { path, content };
  } catch {
    return undefined;
  }
}

function isMetaSchema(content: unknown): boolean {
  return typeof content === 'object' && content !== null && '$id' in content && String(content.$id).startsWith(META_SCHEMAS);
}

interface KeptHead {
  readonly index: BindingIndex;
  /** Where each binding begins in the rest, and where the last one ends. */
  readonly offsets: readonly number[];
}

/** A file of one line about all bindings, and then each binding. */
function writeKept(path: string, set: BindingSet): void {
  const texts = [...set.schemas.values()].map((schema) => Buffer.from(JSON.stringify(schema)));
  const offsets = [0];
  for (const text of texts) offsets.push((offsets.at(-1) ?? 0) + text.length);
  const head: KeptHead = { index: indexOfSet(set), offsets };
  const temporary = `${path}.${String(process.pid)}`;
  try {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(temporary, Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...texts]));
    renameSync(temporary, path);
  } catch {
    // A place that cannot be written to costs time, nothing else.
  }
}

function readKept(path: string): BindingSet | undefined {
  try {
    const bytes = readFileSync(path);
    const end = bytes.indexOf('\n');
    const head: KeptHead = JSON.parse(bytes.toString('utf8', 0, end));
    if (head.index.version !== INDEX_VERSION || end + 1 + (head.offsets.at(-1) ?? -1) !== bytes.length) return undefined;
    return setOfIndex(head.index, (schema) => bytes.toString('utf8', end + 1 + (head.offsets[schema] ?? 0), end + 1 + (head.offsets[schema + 1] ?? 0)));
  } catch {
    return undefined;
  }
}
