/** How files of device trees belong together beyond what includes say: which base an overlay is for. Reads no files itself. */

import { posix } from 'node:path';

/** Most of a file's beginning that is searched for a comment that states its base. */
const HEAD_SIZE = 4096;
const STATED = /^[ \t]*(?:\/\/|\/\*|\*)[ \t]*dts-context:[ \t]*([^\s*]+)/m;

/** The path that a comment `// dts-context: base.dts` near the beginning of a file names, relative to the file. */
export function statedBase(path: string, text: string): string | undefined {
  const name = STATED.exec(text.slice(0, HEAD_SIZE))?.[1];
  return name === undefined ? undefined : posix.join(name.startsWith('/') ? '/' : posix.dirname(path), name);
}
