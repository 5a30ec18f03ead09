/** How the `dt` commands read and write: files with limits, trees as source or blob by their content, and where included files are searched. */

import { closeSync, existsSync, fstatSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { compileDts, decodeDtb, deviceTree, isDtb, rootNode, type DeviceTree, type DtDiagnostic, type DtsFiles, type LinkOptions } from '../runtime/devicetree/index';
import type { Result } from '../runtime/base/result';
import { ZEPHYR_INCLUDE_FOLDERS, ZEPHYR_MARK } from '../language-server/contexts';
import { leadsInto } from '../language-server/files';
import { Output } from './output';

/** Exit status: the input has errors. */
export const EXIT_ERRORS = 1;
/** Exit status: bad usage, or a file that cannot be read or written. */
export const EXIT_USAGE = 2;

/** Largest file that is read, in bytes: as large as a blob may be. */
const FILE_SIZE_MAX = 64 * 1024 * 1024;
const CHUNK = 256 * 1024;
/** The name that stands for standard input or output. */
export const STANDARD_STREAM = '-';
const STANDARD_INPUT = 0;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file', EACCES: 'access is denied', EISDIR: 'it is a folder', ENOTDIR: 'a part of the path is no folder', ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long', ENOSPC: 'there is no room', EROFS: 'it is on a medium that cannot be written',
};

/** Tells a user's mistake on standard error; the exit status. */
export function complain(text: string): number {
  process.stderr.write(`${text}\n`);
  return EXIT_USAGE;
}

/** The bytes of a file, or a sentence that says why there are none. */
export function readFileBytes(path: string, limit = FILE_SIZE_MAX): Result<Uint8Array, string> {
  let descriptor: number | undefined;
  try {
    descriptor = path === STANDARD_STREAM ? STANDARD_INPUT : openSync(path, 'r');
    const found = fstatSync(descriptor);
    if (found.isDirectory()) return { ok: false, error: `Cannot read ${path}: it is a folder. Give its files, such as '${path}/**/*.dts'.` };
    if (found.size > limit) return { ok: false, error: `Cannot read ${path}: it has ${found.size} bytes, and at most ${limit} are read.` };
    const bytes = readAll(descriptor, limit);
    return bytes === undefined ? { ok: false, error: `Cannot read ${path}: it has more than ${limit} bytes.` } : { ok: true, value: bytes };
  } catch (problem) {
    return { ok: false, error: `Cannot read ${path}: ${reasonOf(problem)}.` };
  } finally {
    if (descriptor !== undefined && descriptor !== STANDARD_INPUT) closeSync(descriptor);
  }
}

/** Reads to the end; `undefined` if that is beyond the limit. The size that the system states says nothing of pipes and devices. */
function readAll(descriptor: number, limit: number): Uint8Array | undefined {
  const parts: Buffer[] = [];
  for (let total = 0; total <= limit;) {
    const part = Buffer.allocUnsafe(CHUNK);
    const count = readSome(descriptor, part);
    if (count === 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, count));
    total += count;
  }
  return undefined;
}

function readSome(descriptor: number, part: Buffer): number {
  for (;;) {
    try {
      return readSync(descriptor, part);
    } catch (problem) {
      const code = codeOf(problem);
      // The end of standard input on Windows.
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw problem;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Writes a file or standard output; a sentence if it cannot be written. */
export function writeResult(path: string | undefined, content: Uint8Array | string): string | undefined {
  if (path === undefined || path === STANDARD_STREAM) {
    Output.standard().write(content);
    return undefined;
  }
  try {
    writeFileSync(path, content);
    return undefined;
  } catch (problem) {
    return `Cannot write ${path}: ${reasonOf(problem)}.`;
  }
}

/** Why the operating system refused, in words. */
export function reasonOf(problem: unknown): string {
  const code = codeOf(problem);
  return REASONS[code] ?? code;
}

function codeOf(problem: unknown): string {
  return typeof problem === 'object' && problem !== null && 'code' in problem ? String(problem.code) : String(problem);
}

/** The text of bytes; what is no UTF-8 becomes the replacement character. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: false }).decode(bytes);
}

/** The folders searched for files that `path` includes: the given ones, and those of the Linux or Zephyr tree that it lies in or beside. */
export function includePathsOf(path: string, given: readonly string[]): readonly string[] {
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    const zephyr = [folder, join(folder, 'zephyr')].find((one) => existsSync(join(one, ZEPHYR_MARK)));
    if (zephyr !== undefined) return [...given, ...ZEPHYR_INCLUDE_FOLDERS.map((name) => join(zephyr, name)).filter((one) => existsSync(one))];
    if (existsSync(join(folder, 'include', 'dt-bindings'))) return [...given, join(folder, 'include'), join(folder, 'scripts', 'dtc', 'include-prefixes')];
    if (dirname(folder) === folder) return given;
  }
}

/** Included files from the disk; each is read once. With `within`, only what lies below one of these folders, symbolic links resolved. */
export function hostFiles(within: readonly string[] | undefined): Required<DtsFiles> {
  const texts = new Map<string, string | undefined>();
  const bytesOf = (path: string): Uint8Array | undefined => {
    // A source that includes a device or a pipe would wait for ever.
    if (within !== undefined && !leadsInto(path, within)) return undefined;
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
    const read = readFileBytes(path);
    return read.ok ? read.value : undefined;
  };
  return {
    readText: (path) => {
      if (!texts.has(path)) {
        const bytes = bytesOf(path);
        texts.set(path, bytes === undefined ? undefined : textOf(bytes));
      }
      return texts.get(path);
    },
    readBytes: bytesOf,
  };
}

/** A linked tree with what was found wrong with it. */
export interface LoadedTree {
  readonly tree: DeviceTree;
  /** The blob: compiled, or as it was read. */
  readonly bytes: Uint8Array;
  readonly isBlob: boolean;
  /** The files that source is read from, besides the main one. */
  readonly files: readonly string[];
  readonly diagnostics: readonly DtDiagnostic[];
  /** The text of a file of the source as it was read. */
  textOf(file: string): string | undefined;
}

/** How source is compiled. */
export interface LoadOptions extends LinkOptions {
  readonly includes: readonly string[];
  /** If given, included files must lie below one of these folders or of the `includes`. */
  readonly within?: readonly string[] | undefined;
  readonly bootCpu?: number;
  /** Files that are read behind the source, as one with it. */
  readonly appended?: readonly string[];
}

/** Reads a tree from source or blob, whichever the file holds; a sentence if the file cannot be read. */
export function loadTree(path: string, { includes, within, appended = [], ...options }: LoadOptions): Result<LoadedTree, string> {
  const read = readFileBytes(path);
  if (!read.ok) return read;
  const file = path === STANDARD_STREAM ? 'stdin' : path;
  if (isDtb(read.value)) {
    const decoded = decodeDtb(read.value);
    const inFile = (diagnostic: DtDiagnostic): DtDiagnostic => ({ ...diagnostic, file });
    if (!decoded.ok) return { ok: true, value: { tree: deviceTree(rootNode()), bytes: read.value, isBlob: true, files: [], textOf: () => undefined, diagnostics: [inFile(decoded.error)] } };
    return { ok: true, value: { tree: decoded.value.tree, bytes: read.value, isBlob: true, files: [], textOf: () => undefined, diagnostics: decoded.value.diagnostics.map(inFile) } };
  }
  if (read.value.includes(0)) return { ok: false, error: `${file}: error: This is neither a device tree blob nor source: it holds zero bytes.` };
  const behind = appended.map((one) => `\n#include "${resolve(one).split(sep).join('/')}"\n`).join('');
  const text = textOf(read.value);
  const others = hostFiles(within === undefined ? undefined : [...within, ...includes, ...appended.map((one) => dirname(resolve(one)))]);
  const compiled = compileDts(text + behind, { ...options, file, files: others, includePaths: includePathsOf(path, includes) });
  return { ok: true, value: { ...compiled, isBlob: false, textOf: (name) => (name === file ? text : others.readText(name)) } };
}
