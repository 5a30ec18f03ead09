/**
 * Source files: from paths that a compiler recorded to paths the client can open. Relative paths are looked for where the image
 * lies and in the folders above it; `sourceMap` of the launch configuration goes first.
 */

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Host } from './host';

const FOLDERS_UP_MAX = 4;

/** Resolves recorded paths of one image. */
export class SourceResolver {
  private readonly host: Host;
  private readonly imagePath: string;
  private readonly sourceMap: Readonly<Record<string, string>>;
  private readonly known = new Map<string, string>();
  private readonly recorded = new Map<string, string>();

  constructor(host: Host, imagePath: string, sourceMap: Readonly<Record<string, string>>) {
    this.host = host;
    this.imagePath = imagePath;
    this.sourceMap = sourceMap;
  }

  /** Looks for every file once, so that later look-ups need not wait. */
  async prepare(recorded: readonly string[]): Promise<void> {
    const folders = new Map<string, readonly string[]>();
    for (const path of recorded) {
      const [first = ''] = path.split('/');
      let above = folders.get(first);
      if (above === undefined) folders.set(first, (above = isRelative(path) ? await this.foldersWith(first) : []));
      const found = await this.find(path, above);
      this.known.set(path, found);
      if (!this.recorded.has(found)) this.recorded.set(found, path);
    }
  }

  /** The folders above the image that have an entry of that name: a kernel's thousands of files are not looked for in vain. */
  private async foldersWith(name: string): Promise<readonly string[]> {
    const found: string[] = [];
    let folder = this.host.folderOf(this.imagePath);
    for (let up = 0; up <= FOLDERS_UP_MAX; up++) {
      if (await this.host.exists(this.host.resolvePath(folder, name))) found.push(folder);
      const parent = this.host.folderOf(folder);
      if (parent === folder) break;
      folder = parent;
    }
    return found;
  }

  /** Where a recorded path lies on this machine; the recorded path itself if it was not found. */
  resolve(recorded: string): string {
    return this.known.get(recorded) ?? recorded;
  }

  /** The recorded path of a local one. */
  recordedOf(local: string): string {
    return this.recorded.get(local) ?? local;
  }

  /** As DAP describes a source. */
  source(recorded: string): DebugProtocol.Source {
    const path = this.resolve(recorded);
    return { name: path.split('/').pop() ?? path, path };
  }

  private async find(recorded: string, folders: readonly string[]): Promise<string> {
    for (const [from, to] of Object.entries(this.sourceMap)) {
      if (recorded === from || recorded.startsWith(from.endsWith('/') ? from : `${from}/`)) return this.host.resolvePath(to, recorded.slice(from.length).replace(/^\/+/, ''));
    }
    for (const folder of folders) {
      const candidate = this.host.resolvePath(folder, recorded);
      if (await this.host.exists(candidate)) return candidate;
    }
    return recorded;
  }
}

function isRelative(path: string): boolean {
  return !path.startsWith('/');
}
