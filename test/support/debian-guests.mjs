// Fetches Debian's arm64 packages by name and unpacks them, for guests that nobody here wrote: kernels, busybox, programs.
//
//     node test/support/debian-guests.mjs linux-image-cloud-arm64 busybox-static     prints `NAME: FOLDER` for each
//     node test/support/debian-guests.mjs --closure openssl stress-ng                the same with everything they depend on, in one FOLDER
//
// It asks the package sources that this machine is configured with, through a private apt configuration for arm64, so nothing of
// the machine changes. What was unpacked stays in the user's cache folder and is enough when there is no network. The kernel's
// metapackages stand for the newest kernel of the release. Not a package manager: no install scripts run.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gunyah-debug', 'debian-arm64');
const INDEX = join(CACHE, 'index.json');
const LISTS_STALE_MS = 7 * 24 * 3600 * 1000;
const LOCK_STALE_MS = 15 * 60 * 1000;

const APT_FOLDER = join(CACHE, 'apt');
const APT = [
  'APT::Architecture=arm64', 'APT::Architectures=arm64', 'APT::Sandbox::User=root', 'Acquire::Languages=none', 'Acquire::Retries=3',
  `Dir::State=${APT_FOLDER}/state`, `Dir::State::lists=${APT_FOLDER}/state/lists`, `Dir::State::status=/dev/null`, `Dir::Cache=${APT_FOLDER}/cache`,
].flatMap((option) => ['-o', option]);

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, LC_ALL: 'C' }, ...options });
  const output = result.error === undefined ? `${result.stdout}${result.stderr}`.trim() : result.error.message;
  if (result.status !== 0) throw new Error(`${command} ${args.filter((word) => word !== '-o' && !APT.includes(word)).join(' ')}: ${output.split('\n').slice(-5).join('\n')}`);
  return result.stdout;
}

function readIndex() {
  return existsSync(INDEX) ? JSON.parse(readFileSync(INDEX, 'utf8')) : { updated: 0, packages: {} };
}

function writeIndex(index) {
  writeFileSync(`${INDEX}.new`, JSON.stringify(index, undefined, 2));
  renameSync(`${INDEX}.new`, INDEX);
}

/** True if whoever holds the lock is gone: killed, or too old to be true. */
function isAbandoned(lock) {
  const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  if (Date.now() - since > LOCK_STALE_MS) return true;
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** One process fetches while others wait: tests run in parallel. */
function underLock(work) {
  const lock = join(CACHE, '.lock');
  mkdirSync(CACHE, { recursive: true });
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      if (isAbandoned(lock)) rmSync(lock, { recursive: true, force: true });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
  writeFileSync(join(lock, 'pid'), String(process.pid));
  try {
    return work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function updateLists(index) {
  mkdirSync(join(APT_FOLDER, 'state', 'lists', 'partial'), { recursive: true });
  mkdirSync(join(APT_FOLDER, 'cache', 'archives', 'partial'), { recursive: true });
  run('apt-get', [...APT, '-q', 'update']);
  index.updated = Date.now();
}

/** Version and dependencies of the newest package of a name. */
function candidate(name) {
  const text = run('apt-cache', [...APT, 'show', '--no-all-versions', name]);
  const field = (key) => new RegExp(`^${key}: (.*)$`, 'm').exec(text)?.[1] ?? '';
  return { name, version: field('Version'), depends: field('Depends') };
}

/** `linux-image-arm64` holds nothing; it depends on the kernel that is newest now. */
function concrete(name) {
  const found = candidate(name);
  const meta = /^linux-image-[a-z]/.test(name) ? /^([\w.+-]+) \(= /.exec(found.depends)?.[1] : undefined;
  return meta === undefined ? found : candidate(meta);
}

function closure(names) {
  const options = ['--recurse', '--no-recommends', '--no-suggests', '--no-conflicts', '--no-breaks', '--no-replaces', '--no-enhances'];
  const lines = run('apt-cache', [...APT, 'depends', ...options, ...names]).split('\n');
  return [...new Set(lines.filter((line) => /^[a-z0-9]/.test(line)).map((line) => line.replace(/:arm64$/, '')))].sort();
}

/** Downloads packages and unpacks them into one folder of the cache, which then appears at once. */
function unpack(packages, folder) {
  const target = join(CACHE, folder);
  if (existsSync(target)) return target;
  const work = join(CACHE, `.work-${process.pid}`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, 'root'), { recursive: true });
  try {
    console.error(`Fetching Debian arm64 packages: ${packages.map(({ name }) => name).join(' ')} …`);
    run('apt-get', [...APT, '-q', 'download', ...packages.map(({ name, version }) => `${name}=${version}`)], { cwd: work });
    for (const file of readdirSync(work).filter((name) => name.endsWith('.deb'))) unpackOne(join(work, file), join(work, 'root'));
    renameSync(join(work, 'root'), target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return target;
}

/** What of a kernel's sources concerns device trees. */
const DEVICE_TREE_SOURCES = ['arch/*/boot/dts*', 'include/dt-bindings*', 'include/uapi/linux/*.h', 'scripts/dtc/include-prefixes*', 'Documentation/devicetree*'];

/** Packages with a kernel's debug information hold more than a gigabyte of modules'; only the kernel's own is wanted. Of its sources, only device trees are. */
function unpackOne(file, root) {
  if (/^linux-source-[^_]*_/.test(basename(file))) {
    const script = 'dpkg-deb --fsys-tarfile "$1" | tar -xO --wildcards "./usr/src/linux-source-*.tar.xz" | tar -xJ -C "$2" --strip-components=1 --wildcards "${@:3}"';
    return run('bash', ['-o', 'pipefail', '-c', script, 'unpack', file, root, ...DEVICE_TREE_SOURCES.map((pattern) => `*/${pattern}`)]);
  }
  if (!/^linux-image-[^_]*-dbg_/.test(basename(file))) return run('dpkg-deb', ['-x', file, root]);
  return run('bash', ['-o', 'pipefail', '-c', 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --wildcards "./usr/lib/debug/boot/vmlinux-*"', 'unpack', file, root]);
}

/** The cached folder of a request if the package lists are young or there is nothing better. */
function cached(index, key) {
  const folder = index.packages[key];
  return folder !== undefined && existsSync(join(CACHE, folder)) ? join(CACHE, folder) : undefined;
}

function fetchOne(index, key, resolve) {
  const known = cached(index, key);
  if (known !== undefined && Date.now() - index.updated < LISTS_STALE_MS) return known;
  try {
    if (Date.now() - index.updated >= LISTS_STALE_MS || !existsSync(APT_FOLDER)) updateLists(index);
    const { folder, packages } = resolve();
    const target = unpack(packages, folder);
    const old = index.packages[key];
    index.packages[key] = folder;
    if (old !== undefined && !Object.values(index.packages).includes(old)) rmSync(join(CACHE, old), { recursive: true, force: true });
    writeIndex(index);
    return target;
  } catch (error) {
    if (known !== undefined) return known;
    throw new Error(`The Debian arm64 package "${key}" is not in ${CACHE} and could not be fetched. It needs apt-get, dpkg-deb and a package source for arm64; once fetched, no network.\n${error.message}`, { cause: error });
  }
}

/** Folders with the unpacked packages, in the order of the names. Throws what went wrong if a package cannot be had. */
export function debianPackages(names) {
  return underLock(() => {
    const index = readIndex();
    return names.map((name) => fetchOne(index, name, () => {
      const found = concrete(name);
      return { folder: `${found.name}_${found.version.replaceAll(':', '%')}`, packages: [found] };
    }));
  });
}

/** One folder with the packages and all they depend on. */
export function debianClosure(names) {
  return underLock(() => fetchOne(readIndex(), `closure ${[...names].sort().join(' ')}`, () => {
    const packages = closure(names).map(candidate);
    const digest = createHash('sha256').update(packages.map(({ name, version }) => `${name}=${version}`).join(' ')).digest('hex');
    return { folder: `closure_${digest.slice(0, 16)}`, packages };
  }));
}

function main(words) {
  const names = words.filter((word) => !word.startsWith('-'));
  if (words.includes('--closure')) return console.log(`closure: ${debianClosure(names)}`);
  for (const [index, folder] of debianPackages(names).entries()) console.log(`${names[index]}: ${folder}`);
}

if (import.meta.url === new URL(`file://${process.argv[1]}`).href) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
