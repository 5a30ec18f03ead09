/**
 * Compiles the C guests that tests and benchmarks run: the sample programs, the fixtures and the benchmark kernels. The work is
 * done by the sample's own build script, which compiles only what is older than its sources. Not a build system: a program
 * exists if it stands in one of the lists (`programs.json`).
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const REPOSITORY = resolve(__dirname, '..', '..');
const SAMPLES = join(REPOSITORY, 'extension', 'samples');
const SAMPLE = join(SAMPLES, 'two-vms');
const LOCK_STALE_MS = 60_000;

const LISTS = {
  'fixtures': join(REPOSITORY, 'test', 'fixtures', 'guests', 'programs.json'),
  'guests': join(REPOSITORY, 'test', 'guests', 'programs.json'),
  'machine': join(REPOSITORY, 'test', 'machine', 'programs', 'programs.json'),
  'kernels': join(REPOSITORY, 'test', 'bench', 'kernels', 'programs.json'),
  'benchmarks': join(REPOSITORY, 'test', 'bench', 'programs', 'programs.json'),
  'simulation': join(REPOSITORY, 'test', 'simulation', 'guests', 'programs.json'),
  'samples': join(SAMPLE, 'programs.json'),
  'vm-manager': join(SAMPLES, 'vm-manager', 'programs.json'),
  'rtos': join(SAMPLES, 'rtos', 'programs.json'),
  'console-loopback': join(SAMPLES, 'console-loopback', 'programs.json'),
} as const;

/** A group of guest programs, by the list that names them. */
export type GuestGroup = keyof typeof LISTS;

const built = new Map<string, string>();

/** The ELF file of a fixture guest such as `hello`, compiled if need be. Throws the compiler's words, or what to install. */
export function guestElf(name: string): string {
  return guestElfs('fixtures', [name]).get(name) ?? missing(name);
}

/** The ELF files of the sample `two-vms`: `primary` and `sensor`. */
export function sampleElf(name: 'primary' | 'sensor'): string {
  return guestElfs('samples', [name]).get(name) ?? missing(name);
}

/** The folder of the sample workspace `two-vms`, whose system file is `two-vms.gunyah.json`. */
export function sampleFolder(): string {
  return SAMPLE;
}

/** The system file of a sample, whose programs are compiled if need be. */
export function sampleSystemFile(name: 'two-vms' | 'vm-manager' | 'console-loopback' | 'rtos'): string {
  const group = name === 'two-vms' ? 'samples' : name;
  guestElfs(group, guestNames(group));
  return join(SAMPLES, name, `${name}.gunyah.json`);
}

/** Names of all programs of a group, in the order of the list. */
export function guestNames(group: GuestGroup): readonly string[] {
  const list: unknown = JSON.parse(readFileSync(LISTS[group], 'utf8'));
  if (typeof list !== 'object' || list === null || !('programs' in list) || !Array.isArray(list.programs)) throw new Error(`${LISTS[group]} is not a list of programs`);
  return list.programs.map((program: unknown) => (typeof program === 'object' && program !== null && 'name' in program ? String(program.name) : ''));
}

/** Compiles programs of a group and returns their ELF files by name. */
export function guestElfs(group: GuestGroup, names: readonly string[]): ReadonlyMap<string, string> {
  const wanted = names.filter((name) => !built.has(`${group}/${name}`));
  if (wanted.length > 0) buildUnderLock(group, wanted);
  return new Map(names.map((name) => [name, built.get(`${group}/${name}`) ?? missing(name)]));
}

/** Test files run as parallel processes; one of them compiles while the others wait. */
function buildUnderLock(group: GuestGroup, names: readonly string[]): void {
  const lock = join(dirname(LISTS[group]), 'build', '.lock');
  mkdirSync(dirname(lock), { recursive: true });
  while (!tryLock(lock)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  try {
    build(group, names);
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function tryLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > LOCK_STALE_MS) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

function build(group: GuestGroup, names: readonly string[]): void {
  const only = names.flatMap((name) => ['--only', name]);
  const result = spawnSync(process.execPath, [join(SAMPLE, 'build.mjs'), '--programs', LISTS[group], ...only], { cwd: REPOSITORY, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(result.stderr.trim());
  for (const line of result.stdout.split('\n')) {
    const [name, path] = line.split(': ');
    if (name !== undefined && path !== undefined) built.set(`${group}/${name}`, resolve(REPOSITORY, path));
  }
}

function missing(name: string): never {
  throw new Error(`No guest program is called ${name}.`);
}
