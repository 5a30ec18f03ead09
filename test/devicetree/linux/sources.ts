/** Linux's device trees from Debian's source package, and what the C preprocessor, dtc and fdtoverlay make of them. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { compileDts, type CompiledDts, type DtsFiles } from '../../../runtime/devicetree/index';
import { debianPackage } from '../../support/debian-guests';

/** Those whose device trees Linux keeps. */
export const ARCHITECTURES = ['arc', 'arm', 'arm64', 'mips', 'powerpc', 'riscv', 'xtensa'];
/** Where includes are looked for. */
export const INCLUDES = ['include', 'scripts/dtc/include-prefixes'];

/** The folder that holds `arch` and `include`. */
export function linuxSources(): string {
  return debianPackage('linux-source-6.12');
}

/** Files below a folder, links to files among them, whose names end in one of the endings; sorted, relative to the sources. */
export function filesBelow(folder: string, endings: readonly string[]): readonly string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    for (const entry of readdirSync(join(linuxSources(), path), { withFileTypes: true })) {
      const inner = `${path}/${entry.name}`;
      if (entry.isDirectory()) visit(inner);
      else if (endings.some((ending) => inner.endsWith(ending)) && statSync(join(linuxSources(), inner), { throwIfNoEntry: false })?.isFile() === true) found.push(inner);
    }
  };
  visit(folder);
  return found.sort();
}

/** Architectures with a few trees that are built into a kernel. */
export const OTHER_ARCHITECTURES = ['loongarch', 'microblaze', 'nios2', 'openrisc', 'sh'];

/** Every tree and overlay of an architecture. */
export function rootsOf(architecture: string): readonly string[] {
  return filesBelow(`arch/${architecture}/boot/dts`, ['.dts', '.dtso']);
}

const texts = new Map<string, string | undefined>();

/** The sources as our compiler reads them. */
export const linuxFiles: DtsFiles = {
  readText(path) {
    if (!texts.has(path)) texts.set(path, readFile(path)?.toString('utf8'));
    return texts.get(path);
  },
  readBytes: (path) => readFile(path),
};

function readFile(path: string): Buffer | undefined {
  const full = join(linuxSources(), path);
  return existsSync(full) && statSync(full).isFile() ? readFileSync(full) : undefined;
}

/** What we make of a file, read from Linux's sources or elsewhere, with the options of Linux's build. */
export function compileHere(file: string, options: { readonly symbols?: boolean; readonly files?: DtsFiles } = {}): CompiledDts {
  const { files = linuxFiles } = options;
  return compileDts(files.readText(file) ?? '', { file, files, bootCpu: 0, includePaths: INCLUDES, symbols: options.symbols ?? file.endsWith('.dtso') });
}

/** What we make of a source text that includes nothing; `symbols` as dtc's -@. */
export function compileText(text: string, symbols: boolean): CompiledDts {
  return compileDts(text, { file: 'text.dts', bootCpu: 0, symbols });
}

/** What dtc makes of something: the blob, unless it refuses it, its warnings as `check path[:property]`, and all it says. */
export interface DtcResult {
  readonly blob: Buffer | undefined;
  readonly warnings: readonly string[];
  readonly message: string;
}

/** What dtc makes of a file after the C preprocessor. */
export function compileWithDtc(file: string): DtcResult {
  const folder = dirname(file);
  const cpp = preprocess(['-I', folder, file]);
  return cpp.status === 0 ? dtcOf(cpp.stdout, file.endsWith('.dtso'), ['-i', folder, '-i', INCLUDES[1] ?? '']) : { blob: undefined, warnings: [], message: cpp.stderr.toString() };
}

/** What dtc makes of a source text after the C preprocessor. */
export function compileTextWithDtc(text: string): DtcResult {
  const cpp = preprocess(['-'], text);
  return cpp.status === 0 ? dtcOf(cpp.stdout, false) : { blob: undefined, warnings: [], message: cpp.stderr.toString() };
}

function preprocess(words: readonly string[], input = ''): SpawnSyncReturns<Buffer> {
  const options = ['-nostdinc', '-undef', '-D__DTS__', '-x', 'assembler-with-cpp', ...INCLUDES.flatMap((path) => ['-I', path]), ...words];
  return spawnSync('cpp', options, { cwd: linuxSources(), input, maxBuffer: 1 << 28 });
}

/** What dtc makes of a source text without preprocessor; `symbols` is its -@. */
export function dtcOf(input: Buffer | string, symbols: boolean, options: readonly string[] = []): DtcResult {
  const dtc = spawnSync('dtc', ['-I', 'dts', '-O', 'dtb', '-b', '0', ...symbols ? ['-@'] : [], ...options, '-'], { cwd: linuxSources(), input, maxBuffer: 1 << 28 });
  const message = dtc.stderr.toString();
  const warnings = [...message.matchAll(/^(?:[^\n]*: )?Warning \((\w+)\): (\/[^\s:]*(?::[^\s:]+)?): /gm)].map(([, check, place]) => `${check ?? ''} ${place ?? ''}`);
  return { blob: dtc.status === 0 ? dtc.stdout : undefined, warnings, message };
}

/** A base and its overlays, as the Makefiles combine them; a base may itself be such a combination. */
export interface Combination {
  readonly name: string;
  readonly parts: readonly string[];
}

/** All combinations of an architecture's Makefiles. */
export function combinations(architecture: string): readonly Combination[] {
  const root = `arch/${architecture}/boot/dts`;
  return filesBelow(root, ['/Makefile']).flatMap((makefile) => {
    const text = (readFile(makefile)?.toString('utf8') ?? '').replace(/\\\n/g, ' ');
    return [...text.matchAll(/^\s*([\w.,+-]+)-dtbs\s*[:+]?=\s*(.*)$/gm)].map(([, name = '', list = '']) => (
      { name: join(dirname(makefile), name), parts: list.trim().split(/\s+/).map((part) => join(dirname(makefile), part)) }
    ));
  });
}

/** Runs with a folder of its own, which is gone afterwards. */
export function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'linux-trees-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
