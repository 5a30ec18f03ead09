/**
 * Finds a tree that includes a file which was opened alone: first in its folder, then in the rest of its workspace folder, the nearest first. Looks at names in include
 * directives only, without the preprocessor; who asks makes sure that the tree it gets really reads the file.
 */

import { posix } from 'node:path';

/** The disk as this search needs it. */
export interface FoundFiles {
  readonly namesIn: (folder: string) => readonly string[];
  readonly hasFolder: (path: string) => boolean;
  /** Bytes of a file; `undefined` if there is none that may be read. */
  readonly readBytes: (path: string) => Uint8Array | undefined;
}

/** Files that are read in one search, at most, and their bytes together. */
const FILES_MAX = 2000;
const BYTES_MAX = 64 * 1024 * 1024;
/** Folders that are looked into beyond the file's own, at most, and how deep below the workspace folder. */
const FOLDERS_MAX = 500;
const DEPTH_MAX = 12;
/** Includes within includes that are followed. */
const CHAIN_MAX = 16;
/** Trees that are offered. */
const CANDIDATES_MAX = 3;

const SOURCE = /\.(?:dts|dtsi|dtso|overlay)$/;
const INCLUDE = /^[ \t]*(?:#[ \t]*include[ \t]*["<]|\/include\/[ \t]*")([^">\n]+)[">]/gm;
const PASSED_OVER = /^(?:\.|node_modules$|build$|out$|dist$)/;

/** What the files of some folders include: for each base name, who names it and how. */
type Namers = Map<string, { readonly from: string; readonly name: string }[]>;

/** What the files of one folder include, and what reading them cost. */
interface FolderIncludes {
  readonly includes: readonly { readonly from: string; readonly name: string }[];
  readonly files: number;
  readonly bytes: number;
}

/** Searches and remembers what it read until `forget`. */
export class Includers {
  private readonly files: FoundFiles;
  private readonly found = new Map<string, readonly string[]>();
  private readonly read = new Map<string, FolderIncludes>();

  constructor(files: FoundFiles) {
    this.files = files;
  }

  /** To be called when files may have come, gone or changed. */
  forget(): void {
    this.found.clear();
    this.read.clear();
  }

  /** Trees (`.dts` before others) that seem to include a file, the likeliest first. `top` is the workspace folder that the file lies in. */
  rootsOf(path: string, top: string | undefined): readonly string[] {
    const known = this.found.get(path);
    if (known !== undefined) return known;
    const found = this.search(path, top);
    this.found.set(path, found);
    return found;
  }

  private search(path: string, top: string | undefined): readonly string[] {
    const namers: Namers = new Map();
    const spent = { files: 0, bytes: 0 };
    const own = posix.dirname(path);
    this.readFolder(own, namers, spent);
    const near = rootsAmong(path, namers);
    if (near.length > 0 || top === undefined) return near;
    for (const folder of this.foldersAround(own, top)) this.readFolder(folder, namers, spent);
    return rootsAmong(path, namers);
  }

  /** Folders of the workspace besides one, those nearest to it first. */
  private foldersAround(own: string, top: string): readonly string[] {
    const folders: string[] = [];
    const seen = new Set([own]);
    const below = (folder: string, depth: number): void => {
      if (folders.length >= FOLDERS_MAX || depth > DEPTH_MAX) return;
      if (!seen.has(folder)) {
        seen.add(folder);
        folders.push(folder);
      }
      for (const name of this.files.namesIn(folder)) {
        const inner = `${folder}/${name}`;
        if (!PASSED_OVER.test(name) && !/\.\w+$/.test(name) && !seen.has(inner) && this.files.hasFolder(inner)) below(inner, depth + 1);
      }
    };
    for (let folder = own; ; folder = posix.dirname(folder)) {
      below(folder, 0);
      if (folder === top || folder.length <= top.length) return folders;
    }
  }

  private readFolder(folder: string, namers: Namers, spent: { files: number; bytes: number }): void {
    const known = this.read.get(folder) ?? this.includesIn(folder, spent);
    this.read.set(folder, known);
    spent.files += known.files;
    spent.bytes += known.bytes;
    for (const { from, name } of known.includes) {
      const base = posix.basename(name);
      const list = namers.get(base) ?? [];
      list.push({ from, name });
      namers.set(base, list);
    }
  }

  private includesIn(folder: string, spent: { readonly files: number; readonly bytes: number }): FolderIncludes {
    const includes: { from: string; name: string }[] = [];
    let [files, size] = [0, 0];
    for (const name of this.files.namesIn(folder)) {
      if (!SOURCE.test(name) || spent.files + files >= FILES_MAX || spent.bytes + size >= BYTES_MAX) continue;
      const from = `${folder}/${name}`;
      const bytes = this.files.readBytes(from);
      files++;
      size += bytes?.length ?? 0;
      for (const [, included = ''] of Buffer.from(bytes ?? []).toString('latin1').matchAll(INCLUDE)) includes.push({ from, name: included });
    }
    return { includes, files, bytes: size };
  }
}

/** Trees that lead to a file through the fewest includes. */
function rootsAmong(path: string, namers: Namers): readonly string[] {
  const seen = new Set([path]);
  let level: readonly string[] = [path];
  for (let chain = 0; chain < CHAIN_MAX && level.length > 0; chain++) {
    const next = new Set(level.flatMap((file) => (namers.get(posix.basename(file)) ?? []).filter(({ from, name }) => mayMean(from, name, file)).map(({ from }) => from)));
    const roots = [...next].filter((file) => !file.endsWith('.dtsi'));
    if (roots.length > 0) return roots.sort((a, b) => rank(a, path) - rank(b, path) || (a < b ? -1 : 1)).slice(0, CANDIDATES_MAX);
    level = [...next].filter((file) => !seen.has(file));
    for (const file of level) seen.add(file);
  }
  return [];
}

/** True if the name in an include directive can lead to the file, beside the including one or below some include path. */
function mayMean(from: string, name: string, file: string): boolean {
  return posix.join(posix.dirname(from), name) === file || file.endsWith(`/${name.replace(/^(?:\.\.?\/)+/, '')}`);
}

/** Whole trees come before overlays, those of the same family of names before others. */
function rank(root: string, path: string): number {
  const stem = posix.basename(path).replace(/\.[^.]*$/, '');
  return (root.endsWith('.dts') ? 0 : 4) + (posix.dirname(root) === posix.dirname(path) ? 0 : 2) + (posix.basename(root).startsWith(stem) ? 0 : 1);
}
