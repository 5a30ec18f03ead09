// The Debian tools that tests compare with, and which test files need which: found by reading the tests, so that nobody keeps a list.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A tool: the commands it gives, the Debian packages that hold it. A file needs it if it quotes one of the commands. */
export const TOOLS = [
  { commands: ['aarch64-linux-gnu-gcc', 'aarch64-linux-gnu-as', 'aarch64-linux-gnu-ld', 'aarch64-linux-gnu-objcopy', 'aarch64-linux-gnu-objdump', 'aarch64-linux-gnu-readelf'], packages: ['gcc-aarch64-linux-gnu', 'libc6-dev-arm64-cross'] },
  { commands: ['clang', 'ld.lld'], packages: ['clang', 'lld'] },
  { commands: ['cpp'], packages: ['cpp'] },
  { commands: ['llvm-mc', 'llvm-dwarfdump', 'llvm-objdump'], packages: ['llvm'] },
  { commands: ['qemu-aarch64'], packages: ['qemu-user'] },
  { commands: ['qemu-system-aarch64'], packages: ['qemu-system-arm'] },
  { commands: ['gdb-multiarch'], packages: ['gdb-multiarch'] },
  { commands: ['dtc', 'fdtoverlay'], packages: ['device-tree-compiler'] },
  { commands: ['dt-validate', 'dt-mk-schema'], packages: ['dt-schema'] },
  { commands: ['chromium'], packages: ['chromium'] },
  { commands: ['nvim'], packages: ['neovim'] },
  { commands: ['apt-get', 'apt-cache', 'dpkg-deb'], packages: ['apt', 'dpkg'] },
];

/** Modules that run tools through a script of the product, which no quoted command shows. */
const INDIRECT = {
  'test/support/guest-build.ts': ['aarch64-linux-gnu-gcc'],
  'test/support/debian-guests.ts': ['apt-get', 'apt-cache', 'dpkg-deb'],
};

const found = new Map();

/** True if the command can be run. */
export function isInstalled(command) {
  if (!found.has(command)) found.set(command, spawnSync('sh', ['-c', 'command -v "$0" >/dev/null', command], { stdio: 'ignore' }).status === 0);
  return found.get(command);
}

/** Looks again at what is installed, after an installation. */
export function lookAgain() {
  found.clear();
}

/** The tools of the table that are not here. */
export function missingTools() {
  return TOOLS.filter(({ commands }) => !commands.every(isInstalled));
}

/** The commands that a test file needs, through everything it imports from `test/`. */
export function commandsNeededBy(file, seen = new Set()) {
  if (seen.has(file)) return [];
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  const own = TOOLS.flatMap(({ commands }) => commands).filter((command) => text.includes(`'${command}'`));
  const imports = [...text.matchAll(/from '(\.{1,2}\/[^']+)'/g)].map(([, path]) => `${join(dirname(file), path)}.ts`);
  const inherited = imports.filter((path) => path.startsWith('test') && existsSync(path)).flatMap((path) => commandsNeededBy(path, seen));
  return [...new Set([...(INDIRECT[file] ?? []), ...own, ...inherited])];
}

/** The one line that says what to install. */
export function installLine(tools) {
  return `sudo apt-get install ${packagesOf(tools).join(' ')}`;
}

/** Debian packages of some tools. */
export function packagesOf(tools) {
  return [...new Set(tools.flatMap(({ packages }) => packages))];
}
