/** Where the file that an include names is looked for. Paths are opaque but for `/` between folders. */

/** The first path at which `read` finds something, for a name included from `from`. */
export function searchPath<T>(name: string, from: string | undefined, includePaths: readonly string[], read: (path: string) => T | undefined): { readonly path: string; readonly found: T } | undefined {
  const folders = name.startsWith('/') ? [''] : [...(from === undefined ? [] : [from.slice(0, from.lastIndexOf('/') + 1)]), ...includePaths.map((path) => (path === '' || path.endsWith('/') ? path : `${path}/`))];
  for (const folder of folders) {
    for (const path of new Set([folder + name, normalize(folder + name)])) {
      const found = read(path);
      if (found !== undefined) return { path, found };
    }
  }
  return undefined;
}

function normalize(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..' && out.length > 0 && out[out.length - 1] !== '..' && out[out.length - 1] !== '') out.pop();
    else if (part !== '.') out.push(part);
  }
  return out.join('/');
}
