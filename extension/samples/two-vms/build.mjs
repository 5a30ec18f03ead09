// Builds guest programs: node build.mjs [--programs FILE] [--only NAME]… [--output DIR] [--print-compiler]
//
// FILE (default: programs.json beside this script) lists programs: {"sdk": folder, "output": folder, "programs": [{"name",
// "base": load address, "sources": [...], "flags": [...], "floatingPoint": true, "embeds": [...] }]}; paths are relative to FILE. Every source of the SDK
// is compiled with the program's; the linker drops what is not used. "embeds" names programs that stand earlier in the list and whose
// ELF files the program takes in by .incbin "NAME.elf".
//
// Needs one AArch64 C compiler: $GUNYAH_CC, aarch64-none-elf-gcc, aarch64-linux-gnu-gcc, or clang with ld.lld.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));

const COMMON_FLAGS = [
  '-std=gnu11', '-g', '-O1', '-Wall', '-Wextra',
  '-ffreestanding', '-fno-builtin', '-fno-pic', '-fno-pie', '-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-fno-unwind-tables',
  '-fno-omit-frame-pointer', '-ffunction-sections', '-fdata-sections', '-fno-common', '-mgeneral-regs-only', '-mstrict-align',
];
const GCC_FLAGS = ['-fno-tree-loop-distribute-patterns', '-mno-outline-atomics'];
// Keeps the call stack as written: gcc would fold every function with one caller into it. Not for programs that choose their own -O.
const GCC_STACK_FLAGS = ['-fno-inline-functions-called-once'];
const CLANG_FLAGS = ['--target=aarch64-none-elf', '-fdebug-compilation-dir=.'];

const run = (command, args, cwd) => {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (result.error) return { ok: false, text: result.error.message };
  return { ok: result.status === 0, text: `${result.stdout}${result.stderr}` };
};

/** The compiler to use: {command, args, clang, version}, or undefined if there is none. */
export function findCompiler(environment = process.env) {
  const candidates = environment.GUNYAH_CC
    ? [environment.GUNYAH_CC.split(' ').filter((part) => part !== '')]
    : [['aarch64-none-elf-gcc'], ['aarch64-linux-gnu-gcc'], ['clang']];
  for (const [command, ...args] of candidates) {
    const version = run(command, [...args, '--version']);
    if (!version.ok) continue;
    const clang = /clang/.test(version.text);
    if (clang && !run('ld.lld', ['--version']).ok) continue;
    return { command, args, clang, version: version.text.split('\n')[0] };
  }
  return undefined;
}

export const NO_COMPILER =
  'No AArch64 C compiler found. Install one (Debian: apt-get install gcc-aarch64-linux-gnu, or clang and lld), ' +
  'or set GUNYAH_CC to the command of yours.';

/** Compiler flags; paths in the debug information become relative to `root`, so that results do not depend on the machine. */
function compileFlags(compiler, root) {
  return [
    ...compiler.args,
    ...(compiler.clang ? CLANG_FLAGS : GCC_FLAGS),
    ...COMMON_FLAGS,
    `-ffile-prefix-map=${root}=.`,
  ];
}

function compile(compiler, flags, source, object, root) {
  const result = run(compiler.command, [...flags, '-c', source, '-o', object], root);
  if (!result.ok) throw new Error(`${source} does not compile:\n${result.text}`);
  if (result.text.trim() !== '') console.error(result.text.trim());
}

function link(compiler, program, objects, script, elf) {
  const linkerFlags = ['-T', script, `--defsym=GUEST_BASE=${program.base}`, '--gc-sections', '-z', 'max-page-size=4096', '-z', 'noexecstack', '--build-id=none'];
  const command = compiler.clang ? 'ld.lld' : compiler.command;
  const args = compiler.clang
    ? ['-static', ...linkerFlags, ...objects, '-o', elf]
    : [...compiler.args, '-nostdlib', '-static', '-no-pie', ...linkerFlags.map((flag) => `-Wl,${flag}`), ...objects, '-o', elf];
  const result = run(command, args);
  if (!result.ok) throw new Error(`${program.name} does not link:\n${result.text}`);
}

const isNewer = (file, than) => statSync(file).mtimeMs > than;

/** True if the ELF file is older than any source, header, script or the list of programs. */
function isStale(elf, folders, files) {
  if (!existsSync(elf)) return true;
  const built = statSync(elf).mtimeMs;
  const inputs = folders.flatMap((folder) =>
    readdirSync(folder).filter((name) => /\.(c|h|S|ld)$/.test(name)).map((name) => join(folder, name)));
  return [...inputs, ...files].some((file) => isNewer(file, built));
}

/**
 * Builds the programs of a list and returns their ELF files by name.
 * @param {{programsFile?: string, only?: string[], output?: string, force?: boolean}} options
 */
export function buildPrograms(options = {}) {
  const programsFile = resolve(options.programsFile ?? join(HERE, 'programs.json'));
  const list = JSON.parse(readFileSync(programsFile, 'utf8'));
  const folder = dirname(programsFile);
  const sdk = resolve(folder, list.sdk);
  const output = resolve(options.output ?? resolve(folder, list.output));
  const wanted = withEmbedded(list.programs, options.only);
  const elfs = new Map(wanted.map((program) => [program.name, join(output, `${program.name}.elf`)]));
  const stale = [];
  for (const program of wanted) {
    const folders = [...new Set([sdk, ...program.sources.map((source) => dirname(resolve(folder, source)))])];
    const embedded = (program.embeds ?? []).map((name) => elfs.get(name));
    const follows = stale.some(({ name }) => program.embeds?.includes(name) === true);
    const files = [programsFile, fileURLToPath(import.meta.url), ...embedded];
    if (options.force === true || follows || isStale(elfs.get(program.name), folders, files)) stale.push(program);
  }
  if (stale.length === 0) return elfs;
  const compiler = findCompiler();
  if (compiler === undefined) throw new Error(NO_COMPILER);
  for (const program of stale) buildProgram(compiler, program, { folder, sdk, output, root: list.root === undefined ? folder : resolve(folder, list.root) });
  return elfs;
}

/** The programs to build: those asked for and what they embed, in the order of the list. */
function withEmbedded(programs, only) {
  if (only === undefined) return programs;
  const names = new Set(only);
  for (const program of [...programs].reverse()) if (names.has(program.name)) for (const name of program.embeds ?? []) names.add(name);
  return programs.filter((program) => names.has(program.name));
}

function buildProgram(compiler, program, places) {
  const { folder, sdk, output, root } = places;
  const objects = join(output, 'objects', program.name);
  rmSync(objects, { recursive: true, force: true });
  mkdirSync(objects, { recursive: true });
  const sdkSources = readdirSync(sdk).filter((name) => /\.[cS]$/.test(name)).sort().map((name) => join(sdk, name));
  const sources = [...program.sources.map((source) => resolve(folder, source)), ...sdkSources];
  const ownLevel = (program.flags ?? []).some((flag) => flag.startsWith('-O'));
  const stackFlags = compiler.clang || ownLevel ? [] : GCC_STACK_FLAGS;
  const common = compileFlags(compiler, root).filter((flag) => program.floatingPoint !== true || flag !== '-mgeneral-regs-only');
  const flags = [...common, ...stackFlags, `-I${relative(root, dirname(sdk)) || '.'}`, `-Wa,-I,${output}`, ...(program.flags ?? [])];
  const built = sources.map((source) => {
    const object = join(objects, `${basename(dirname(source))}-${basename(source)}.o`);
    compile(compiler, flags, relative(root, source), object, root);
    return object;
  });
  link(compiler, program, built, join(sdk, 'guest.ld'), join(output, `${program.name}.elf`));
}

function parseArguments(args) {
  const options = { only: undefined };
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--programs') options.programsFile = args[++i];
    else if (args[i] === '--output') options.output = args[++i];
    else if (args[i] === '--only') options.only = [...(options.only ?? []), args[++i]];
    else if (args[i] === '--force') options.force = true;
    else if (args[i] === '--print-compiler') options.printCompiler = true;
    else throw new Error(`unknown argument ${args[i]}`);
  }
  return options;
}

/** The command: builds the programs of a list as the arguments say. */
export function runBuild(programsFile, args) {
  try {
    const options = { programsFile, ...parseArguments(args) };
    if (options.printCompiler) return console.log(findCompiler()?.version ?? NO_COMPILER);
    for (const [name, elf] of buildPrograms(options)) console.log(`${name}: ${relative(process.cwd(), elf)}`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) runBuild(undefined, process.argv.slice(2));
