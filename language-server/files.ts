/**
 * The files that the server may see: open documents before the disk, and of the disk only what lies in a workspace folder or an include
 * path, symbolic links resolved. Not a watcher: every answer is as the disk is now, with texts kept as long as their file does not change.
 */

import { readdirSync, readFileSync, realpathSync, statSync, type Stats } from 'node:fs';
import { dirname, posix, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { DtsFiles } from '../runtime/devicetree/preprocessor';

/** Largest file that is read, in bytes; larger ones count as absent. */
export const FILE_SIZE_MAX = 16 * 1024 * 1024;

/** The path that stands for a URI: that of the file system with `/` between folders, or the URI itself if it names no file. */
export function pathOfUri(uri: string): string {
  if (!uri.startsWith('file:')) return uri;
  try {
    return fileURLToPath(uri).split(sep).join('/');
  } catch {
    return uri;
  }
}

/** The URI of a path made by `pathOfUri`. */
export function uriOfPath(path: string): string {
  return /^[A-Za-z][\w+.-]+:/.test(path) ? path : pathToFileURL(path).href;
}

interface Kept<T> {
  readonly stamp: string;
  readonly value: T;
}

/** Files as the device tree library asks for them. */
export class WorkspaceFiles implements DtsFiles {
  private readonly openText: (path: string) => string | undefined;
  private folders: readonly string[] = [];
  /** Those that lie on another computer, as they were given. */
  private given: readonly string[] = [];
  private readonly texts = new Map<string, Kept<string>>();
  /** Which files and folders may be read, as far as known; a link that leads elsewhere shows as another file. */
  private readonly known = new Map<string, { readonly identity: string; readonly isAllowed: boolean }>();

  /** `openText` gives the text of open documents. */
  constructor(openText: (path: string) => string | undefined) {
    this.openText = openText;
  }

  /** Sets the folders that may be read, with all that is below them. */
  allow(folders: readonly string[]): void {
    this.known.clear();
    this.given = folders.map(slashed).filter(isOnNetwork);
    this.folders = [...new Set(folders.map(realPath).filter((folder) => folder !== undefined))];
  }

  /**
   * The text of a file. A path with `..` in it that can do without has no text: whoever looks for an included file tries the plain path next, by which open documents and
   * everything else are known. (Where a symbolic link is on the way, the two paths may be different files.)
   */
  readText(path: string): string | undefined {
    if (/\/\.\.?\//.test(path) && this.isSameFile(path, posix.normalize(path))) return undefined;
    const open = this.openText(path);
    if (open !== undefined) return open;
    const stats = this.statsOf(path);
    if (stats === undefined) return undefined;
    const stamp = `${String(stats.mtimeMs)} ${String(stats.size)} ${String(stats.ino)}`;
    const known = this.texts.get(path);
    if (known?.stamp === stamp) return known.value;
    const value = this.readBytesOf(path)?.toString('utf8');
    if (value !== undefined) this.texts.set(path, { stamp, value });
    return value;
  }

  private isSameFile(path: string, plain: string): boolean {
    const [one, other] = [this.statsOf(path), this.statsOf(plain)];
    return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;
  }

  readBytes(path: string): Uint8Array | undefined {
    return this.statsOf(path) === undefined ? undefined : this.readBytesOf(path);
  }

  /** Names of the files and folders in a folder; none if it may not be read. */
  namesIn(path: string): readonly string[] {
    try {
      return this.hasFolder(path) ? readdirSync(path).sort() : [];
    } catch {
      return [];
    }
  }

  /** True if there is such a folder and it may be read. */
  hasFolder(path: string): boolean {
    return this.allowedStats(path)?.isDirectory() ?? false;
  }

  private readBytesOf(path: string): Buffer | undefined {
    try {
      return readFileSync(path);
    } catch {
      return undefined;
    }
  }

  private statsOf(path: string): Stats | undefined {
    const stats = this.allowedStats(path);
    return stats?.isFile() === true && stats.size <= FILE_SIZE_MAX ? stats : undefined;
  }

  /** What is at a path now, if it may be read. */
  private allowedStats(path: string): Stats | undefined {
    if (!this.mayAsk(path)) return undefined;
    const stats = statsAt(path);
    if (stats === undefined) return undefined;
    const identity = `${String(stats.dev)} ${String(stats.ino)}`;
    const known = this.known.get(path);
    if (known?.identity === identity) return known.isAllowed ? stats : undefined;
    const real = realPath(path);
    const isAllowed = real !== undefined && this.isAllowed(real);
    this.known.set(path, { identity, isAllowed });
    return isAllowed ? stats : undefined;
  }

  private isAllowed(real: string): boolean {
    return this.folders.some((folder) => isWithin(real, folder, sep));
  }

  /** Already asking whether a path on another computer exists tells that computer who asks. */
  private mayAsk(path: string): boolean {
    return !isOnNetwork(path) || this.given.some((folder) => isWithin(`/${posix.normalize(slashed(path))}`, folder, '/'));
  }
}

/** A path that names another computer or a device by its form: `//server/share`, `\\server\share`, `\\.\pipe`. */
function isOnNetwork(path: string): boolean {
  return /^[\\/]{2}/.test(path);
}

function isWithin(path: string, folder: string, separator: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(separator) ? folder : folder + separator);
}

function slashed(path: string): string {
  return path.replaceAll('\\', '/');
}

function statsAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(resolve(path));
  } catch {
    return undefined;
  }
}

/** True if a path, symbolic links resolved, lies in one of the folders or is one of them. */
export function leadsInto(path: string, folders: readonly string[]): boolean {
  const real = realPath(path);
  return real !== undefined && folders.some((folder) => isWithin(real, realPath(folder) ?? folder, sep));
}

/** The folder of a path, with `/` between folders. */
export function folderOf(path: string): string {
  return dirname(path);
}
