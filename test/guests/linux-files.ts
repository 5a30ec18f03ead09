/** Programs for a Linux guest: compiled here, or taken from Debian's packages with the libraries that they need. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { ArchiveEntry } from '../support/initramfs';

const SOURCES = resolve(__dirname, 'linux-programs');
const BUILD = join(SOURCES, 'build');
const COMPILER = 'aarch64-linux-gnu-gcc';
const READELF = 'aarch64-linux-gnu-readelf';

function run(command: string, words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, words, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${stderr}`);
  return stdout;
}

/** A static program of `linux-programs/`, compiled if its source is newer. */
export function staticProgram(name: string): string {
  const [source, program] = [join(SOURCES, `${name}.c`), join(BUILD, name)];
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return program;
  mkdirSync(BUILD, { recursive: true });
  const fresh = `${program}.${process.pid}`;
  run(COMPILER, ['-static', '-O2', '-Wall', '-Wextra', '-o', fresh, source, '-lm', '-lpthread', '-latomic']);
  renameSync(fresh, program);
  return program;
}

/** A file of this machine as a file of the guest. */
export function guestFile(path: string, from: string): ArchiveEntry {
  return { kind: 'file', path, content: readFileSync(from), isExecutable: true };
}

/** Programs of an unpacked root file system, in `/usr/bin`, and all shared libraries that they need, in `/lib`. */
export function packagedPrograms(root: string, programs: readonly string[]): ArchiveEntry[] {
  const libraries = new Map<string, string>();
  const pending = programs.map((program) => join(root, program));
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    for (const [, name = ''] of run(READELF, ['-d', file]).matchAll(/\(NEEDED\).*\[(.*)\]/g)) {
      if (libraries.has(name)) continue;
      const path = findLibrary(root, name);
      libraries.set(name, path);
      pending.push(path);
    }
  }
  const sorted = [...libraries].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    { kind: 'directory', path: 'lib' },
    ...sorted.map(([name, path]) => guestFile(`lib/${name}`, path)),
    ...programs.map((program) => guestFile(`usr/bin/${basename(program)}`, join(root, program))),
  ];
}

function findLibrary(root: string, name: string): string {
  const folders = ['lib', 'usr/lib', 'lib/aarch64-linux-gnu', 'usr/lib/aarch64-linux-gnu'].map((folder) => join(root, folder));
  const folder = folders.find((one) => existsSync(one) && readdirSync(one).includes(name));
  if (folder === undefined) throw new Error(`${root} has no ${name}`);
  return realpathSync(join(folder, name));
}
