/** Source paths as compilers record them: joining, tidying and matching against what an editor asks for. */

/** True for `/x`, `C:\x`, `C:/x` and `\\server\x`. */
export function isAbsolutePath(path: string): boolean {
  return /^(?:[/\\]|[A-Za-z]:[/\\])/.test(path);
}

/** `name` seen from `directory`, tidied; an absolute name stands for itself. */
export function joinPath(directory: string, name: string): string {
  return tidyPath(isAbsolutePath(name) || directory === '' ? name : `${directory}/${name}`);
}

/** How many joined paths are remembered. */
const JOINED_COUNT_MAX = 200_000;

/** Joins paths and remembers them: the units of a program name the same headers over and over. */
export class PathCache {
  private folders = new Map<string, Map<string, Map<string, string>>>();
  private count = 0;

  /** `name` in `directory`, both seen from `compileDirectory`, tidied. */
  join(compileDirectory: string, directory: string, name: string): string {
    const folder = nested(nested(this.folders, compileDirectory, () => new Map<string, Map<string, string>>()), directory, () => new Map<string, string>());
    const known = folder.get(name);
    if (known !== undefined) return known;
    const path = joinPath(joinPath(compileDirectory, directory), name);
    folder.set(name, path);
    if (++this.count > JOINED_COUNT_MAX) this.forget();
    return path;
  }

  private forget(): void {
    this.folders = new Map();
    this.count = 0;
  }
}

function nested<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

/** Removes `.`, `..`, doubled slashes and backslashes. */
export function tidyPath(path: string): string {
  const slashed = path.includes('\\') ? path.replace(/\\/g, '/') : path;
  if (!/\/\/|(?:^|\/)\.{1,2}(?:\/|$)/.test(slashed)) return slashed;
  const root = /^(?:[A-Za-z]:)?\/{0,1}/.exec(slashed)?.[0] ?? '';
  const parts: string[] = [];
  for (const part of slashed.slice(root.length).split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts[parts.length - 1] !== '..') parts.pop();
    else if (part !== '..' || root === '') parts.push(part);
  }
  return root + parts.join('/');
}

/** The last component. */
export function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

/**
 * How well a recorded path answers a request: 0 not at all; equal paths score highest; else one of them is relative and the
 * other ends in it, and the score counts the equal components. Two absolute paths match only if equal: images of several VMs
 * often have a `main.c` each, and sources that moved are the business of a source map.
 */
export function pathScore(recorded: string, requested: string): number {
  if (recorded === requested) return Number.MAX_SAFE_INTEGER;
  if (isAbsolutePath(recorded) && isAbsolutePath(requested)) return 0;
  const [long, short] = recorded.length > requested.length ? [recorded, requested] : [requested, recorded];
  if (isAbsolutePath(short) || !long.endsWith(`/${short}`)) return 0;
  return short.split('/').length;
}
