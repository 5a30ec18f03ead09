/** How files of device trees belong together beyond what includes say: which base an overlay is for. Reads no files itself. */

import { posix } from 'node:path';
import { parse } from 'jsonc-parser';
import { field } from './settings';

/** Most of a file's beginning that is searched for a comment that states its base. */
const HEAD_SIZE = 4096;
const STATED = /^[ \t]*(?:\/\/|\/\*|\*)[ \t]*dts-context:[ \t]*([^\s*]+)/m;

/** The path that a comment `// dts-context: base.dts` near the beginning of a file names, relative to the file. */
export function statedBase(path: string, text: string): string | undefined {
  return statedBaseRange(path, text)?.path;
}

/** The same with the offsets of the name in the text. */
export function statedBaseRange(path: string, text: string): { readonly path: string; readonly start: number; readonly end: number } | undefined {
  const found = STATED.exec(text.slice(0, HEAD_SIZE));
  const name = found?.[1];
  if (found === null || name === undefined) return undefined;
  const start = found.index + found[0].length - name.length;
  return { path: posix.join(name.startsWith('/') ? '/' : posix.dirname(path), name), start, end: start + name.length };
}

/** What a system file is called. */
export const SYSTEM_FILE = /\.gunyah\.json$/;

/** The tree that a system file gives an overlay to be applied to: `config` or `deviceTree` of the first VM that lists it. */
export function baseInSystemFile(path: string, text: string, overlay: string): string | undefined {
  const vms = field(parse(text, [], { allowTrailingComma: true }), 'vms');
  const folder = posix.dirname(path);
  for (const vm of Array.isArray(vms) ? vms : []) {
    const overlays = field(vm, 'overlays');
    const isListed = Array.isArray(overlays) && overlays.some((name) => typeof name === 'string' && posix.join(folder, name) === overlay);
    const base = field(vm, 'config') ?? field(vm, 'deviceTree');
    if (isListed && typeof base === 'string') return posix.join(folder, base);
  }
  return undefined;
}
