/** How files of device trees belong together beyond what includes say: which base an overlay is for, by a comment, a system file or a Makefile. Reads no files itself. */

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

/** True for a file in Zephyr's manner, which a build appends to the tree of a board: an `.overlay` that neither says that it is a plugin nor begins a tree. */
export function isAppended(path: string, text: string): boolean {
  return path.endsWith('.overlay') && !text.includes('/plugin/') && !text.includes('/dts-v1/');
}

/** The text of a file that reads a base and then what is appended to it. */
export function appendedText(base: string, path: string): string {
  const folder = posix.dirname(path);
  return `#include "${base.startsWith('/') ? base : posix.relative(folder, base)}"\n#include "${posix.basename(path)}"\n`;
}

/** What marks Zephyr's sources, and the folders there that included files are in. */
export const ZEPHYR_MARK = 'dts/bindings';
export const ZEPHYR_INCLUDE_FOLDERS: readonly string[] = ['include', 'include/zephyr', 'dts/common', 'dts/vendor', 'dts', ...['arm', 'arm64', 'riscv', 'x86', 'xtensa', 'arc', 'posix'].map((one) => `dts/${one}`)];

/** Trees beside an overlay that are tried as its base, at most. */
const NEIGHBOURS_TRIED = 3;

/**
 * Trees in the folder of an overlay that it may be for, the likeliest first: those whose name its own begins with (`board.dts` for `board-camera.dtso`), or the only one
 * there is. `names` are those of the folder.
 */
export function likelyBases(overlay: string, names: readonly string[]): readonly string[] {
  const own = posix.basename(overlay).replace(/\.[^.]*$/, '');
  const trees = names.filter((name) => name.endsWith('.dts') && name !== posix.basename(overlay)).map((name) => name.replace(/\.dts$/, ''));
  const named = trees.filter((name) => own.startsWith(name) && /^[-_.+]/.test(own.slice(name.length))).sort((a, b) => b.length - a.length);
  const likely = named.length > 0 ? named : trees.length === 1 ? trees : [];
  return likely.slice(0, NEIGHBOURS_TRIED).map((name) => posix.join(posix.dirname(overlay), `${name}.dts`));
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

/** What a Makefile is called. */
export const MAKEFILE = /^(?:Makefile|makefile|GNUmakefile|Kbuild)$/;

/**
 * The source of the blob that a Makefile of Linux puts an overlay on: from a line `NAME-dtbs := base.dtb … overlay.dtbo`. The base lies in the folder
 * of the Makefile. The first line that lists the overlay counts.
 */
export function baseInMakefile(path: string, text: string, overlay: string): string | undefined {
  const folder = posix.dirname(path);
  const blob = overlay.replace(/\.(?:dtso|overlay|dts)$/, '.dtbo');
  for (const [, list = ''] of text.replace(/\\\r?\n/g, ' ').matchAll(/^[ \t]*[^\s:=#]+-dtbs[ \t]*[:+]?=([^\n#]*)/gm)) {
    const names = list.trim().split(/\s+/);
    const base = names.find((name) => name.endsWith('.dtb'));
    if (base !== undefined && names.some((name) => posix.join(folder, name) === blob)) return posix.join(folder, base.replace(/\.dtb$/, '.dts'));
  }
  return undefined;
}
