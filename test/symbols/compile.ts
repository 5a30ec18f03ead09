/** Builds small C programs for AArch64 with the compilers of this machine, and asks their tools what is true. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseElf } from '../../runtime/images/elf';
import { elfSections, loadSymbols, type SymbolFile, type SymbolOptions } from '../../runtime/symbols/index';

/** Which compiler and how. */
export interface Build {
  readonly compiler: 'gcc' | 'clang';
  readonly dwarf: 4 | 5;
  readonly optimise: '-O0' | '-O1' | '-O2';
  readonly flags?: readonly string[];
}

/** Every combination that the tests go through. */
export const BUILDS: readonly Build[] = (['gcc', 'clang'] as const).flatMap((compiler) =>
  ([4, 5] as const).flatMap((dwarf) => (['-O0', '-O2'] as const).map((optimise) => ({ compiler, dwarf, optimise }))));

/** Less usual ways to build that change the shape of debug information. */
export const UNUSUAL_BUILDS: readonly Build[] = [
  { compiler: 'gcc', dwarf: 5, optimise: '-O1', flags: ['-gdwarf64'] },
  { compiler: 'gcc', dwarf: 5, optimise: '-O2', flags: ['-mbranch-protection=standard'] },
  { compiler: 'gcc', dwarf: 4, optimise: '-O2', flags: ['-ffunction-sections', '-Wl,--gc-sections', '-fno-asynchronous-unwind-tables'] },
  { compiler: 'gcc', dwarf: 5, optimise: '-O2', flags: ['-fdebug-types-section', '-fno-omit-frame-pointer'] },
  { compiler: 'clang', dwarf: 5, optimise: '-O1', flags: ['-ffunction-sections', '-Wl,--gc-sections', '-mbranch-protection=standard'] },
  { compiler: 'gcc', dwarf: 4, optimise: '-O1', flags: ['-gz', '-Wl,--compress-debug-sections=zlib'] },
  { compiler: 'clang', dwarf: 5, optimise: '-O2', flags: ['-fno-asynchronous-unwind-tables', '-fno-omit-frame-pointer'] },
];

/** What to call a build in a test's name. */
export function buildName(build: Build): string {
  return [build.compiler, 'DWARF', build.dwarf, build.optimise, ...(build.flags ?? [])].join(' ');
}

/** A built program. */
export interface Program {
  readonly directory: string;
  readonly path: string;
  readonly symbols: SymbolFile;
  readonly bytes: Uint8Array;
}

const directories: string[] = [];
process.on('exit', () => { for (const directory of directories) rmSync(directory, { recursive: true, force: true }); });

const LINK_ADDRESS = '0x40080000';

function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28, timeout: 120_000 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${command} failed. These tests need the Debian packages gcc-aarch64-linux-gnu, clang, lld, gdb-multiarch and llvm.\n${reason}`, { cause: error });
  }
}

/** Compiles and links `sources` (file name to text) in a folder of their own. */
export function buildProgram(sources: Readonly<Record<string, string>>, build: Build, options: Partial<SymbolOptions> = {}): Program {
  const directory = mkdtempSync(join(tmpdir(), 'gunyah-symbols-'));
  directories.push(directory);
  for (const [name, text] of Object.entries(sources)) writeFileSync(join(directory, name), text);
  const names = Object.keys(sources).filter((name) => /\.[cS]$/.test(name));
  const common = [build.optimise, '-g', `-gdwarf-${String(build.dwarf)}`, '-ffreestanding', '-fno-stack-protector', '-nostdlib', '-static', '-mgeneral-regs-only', ...(build.flags ?? [])];
  if (build.compiler === 'gcc') {
    run('aarch64-linux-gnu-gcc', [...common, '-fno-pic', '-no-pie', '-Wl,--build-id=none', `-Wl,-Ttext=${LINK_ADDRESS}`, '-Wl,-e,main', '-o', 'program.elf', ...names], directory);
  } else {
    run('clang', ['--target=aarch64-none-elf', ...common, '-fuse-ld=lld', `-Wl,-Ttext=${LINK_ADDRESS}`, '-Wl,-e,main', '-Wno-unused-command-line-argument', '-o', 'program.elf', ...names], directory);
  }
  const path = join(directory, 'program.elf');
  const bytes = readFileSync(path);
  return { directory, path, bytes, symbols: openSymbols(bytes, options) };
}

/** Opens the symbols of an ELF file's bytes. */
export function openSymbols(bytes: Uint8Array, options: Partial<SymbolOptions> = {}): SymbolFile {
  const elf = parseElf(bytes, 'program.elf');
  assert.ok(elf.ok, elf.ok ? '' : elf.error.message);
  const symbols = loadSymbols(elfSections(elf.value), { name: 'program.elf', ...options });
  assert.ok(symbols.ok, symbols.ok ? '' : symbols.error.message);
  return symbols.value;
}

/** Runs GDB commands on a program and returns what it prints. */
export function gdb(program: Program, commands: readonly string[]): string {
  return run('gdb-multiarch', ['-nx', '-batch', '-q', ...commands.flatMap((command) => ['-ex', command]), program.path], program.directory);
}

/** The one-based line of the first line of `source` that contains `text`. */
export function lineOf(source: string, text: string): number {
  const index = source.split('\n').findIndex((line) => line.includes(text));
  assert.ok(index >= 0, `the source has no line with ${text}`);
  return index + 1;
}
