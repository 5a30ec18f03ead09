/** The `Host` of Node: files, paths, time. The only file of the adapter, with `main.ts`, that touches Node. */

import { access, appendFile, readFile, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { err, ok } from '../runtime/index';
import type { Host } from './host';

/** Largest file read, in bytes. */
const FILE_SIZE_MAX = 2 ** 31;

const REASONS: Readonly<Record<string, string>> = { ENOENT: 'there is no such file', EACCES: 'permission denied', EISDIR: 'it is a folder', ENOTDIR: 'a part of the path is no folder' };

function reasonOf(problem: unknown): string {
  if (typeof problem === 'object' && problem !== null && 'code' in problem && typeof problem.code === 'string') return REASONS[problem.code] ?? problem.code;
  return String(problem);
}

/** The host of the process. */
export const nodeHost: Host = {
  async readFile(path) {
    try {
      const bytes = await readFile(path);
      return bytes.length > FILE_SIZE_MAX ? err('it is larger than 2 GiB') : ok(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
    } catch (problem) {
      return err(reasonOf(problem));
    }
  },
  async exists(path) {
    try {
      await access(path);
      return true;
    } catch {
      return false;
    }
  },
  async writeFile(path, contents) {
    try {
      await writeFile(path, contents);
      return ok(undefined);
    } catch (problem) {
      return err(reasonOf(problem));
    }
  },
  async appendFile(path, text) {
    try {
      await appendFile(path, text);
      return ok(undefined);
    } catch (problem) {
      return err(reasonOf(problem));
    }
  },
  resolvePath: (base, path) => resolve(base, path),
  folderOf: (path) => dirname(path),
  now: () => performance.now(),
  defer(callback, milliseconds = 0) {
    if (milliseconds > 0) setTimeout(callback, milliseconds);
    else setImmediate(callback);
  },
};
