/**
 * Debian's arm64 packages for tests: where a package is unpacked, the kernel inside one, busybox. The fetching is done by
 * `debian-guests.mjs`, which keeps what it unpacked in the user's cache folder.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const SCRIPT = resolve(__dirname, 'debian-guests.mjs');

const known = new Map<string, string>();

/** The folder with an unpacked package. Throws what went wrong if it cannot be had. */
export function debianPackage(name: string): string {
  return ask(name, [name]);
}

/** One folder with packages and everything that they depend on: a small root file system. */
export function debianClosure(names: readonly string[]): string {
  return ask('closure', ['--closure', ...names]);
}

function ask(label: string, words: readonly string[]): string {
  const key = words.join(' ');
  const found = known.get(key);
  if (found !== undefined) return found;
  const result = spawnSync(process.execPath, [SCRIPT, ...words], { encoding: 'utf8' });
  const line = result.stdout.split('\n').find((one) => one.startsWith(`${label}: `));
  if (result.status !== 0 || line === undefined) throw new Error(result.stderr.trim());
  const folder = line.slice(label.length + 2);
  known.set(key, folder);
  return folder;
}

/** A kernel package: its Image and the folder of its modules. */
export interface KernelFiles {
  /** Such as `6.1.0-56-arm64`. */
  readonly release: string;
  /** The Image, uncompressed. */
  readonly image: string;
  readonly modules: string;
}

/** The current kernel: the standard one, or the one for virtual machines, which has fewer drivers. */
export function debianKernel(flavour: 'standard' | 'cloud'): KernelFiles {
  const folder = debianPackage(flavour === 'standard' ? 'linux-image-arm64' : 'linux-image-cloud-arm64');
  const file = readdirSync(join(folder, 'boot')).find((name) => name.startsWith('vmlinuz-'));
  if (file === undefined) throw new Error(`${folder} holds no kernel`);
  const release = file.slice('vmlinuz-'.length);
  const modules = [join(folder, 'usr', 'lib', 'modules', release), join(folder, 'lib', 'modules', release)].find((path) => existsSync(path));
  return { release, image: join(folder, 'boot', file), modules: modules ?? '' };
}

/** The cloud kernel's vmlinux with its debug information, of the same build as `debianKernel('cloud')`. */
export function debianKernelSymbols(): string {
  const { release } = debianKernel('cloud');
  const file = join(debianPackage(`linux-image-${release}-dbg`), 'usr', 'lib', 'debug', 'boot', `vmlinux-${release}`);
  if (!existsSync(file)) throw new Error(`${file} is not in its package`);
  return file;
}

/** The static busybox. */
export function debianBusybox(): string {
  const folder = debianPackage('busybox-static');
  const path = [join(folder, 'bin', 'busybox'), join(folder, 'usr', 'bin', 'busybox')].find((one) => existsSync(one));
  if (path === undefined) throw new Error(`${folder} holds no busybox`);
  return path;
}
