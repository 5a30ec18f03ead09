/** `gunyah dt compile`, `decompile`, `apply` and `merge`: trees from one form into another, as dtc and fdtoverlay do. */

import { applyOverlay, encodeDtb, hasErrors, printDts, type DeviceTree, type DtDiagnostic } from '../runtime/devicetree/index';
import { numberOption, parseArguments, type ParsedArguments } from './arguments';
import { isAppended } from '../language-server/contexts';
import { complain, EXIT_ERRORS, loadTree, readFileBytes, textOf, writeResult, type LoadedTree, type LoadOptions } from './dt-files';
import { lineOf } from './dt-report';

const OUT = { takesValue: true, letter: 'o' } as const;
const INCLUDE = { takesValue: true, repeats: true, letter: 'i' } as const;
const WITHIN = { takesValue: true, repeats: true } as const;
const PHYSICAL_ID_MAX = 0xffff_ffff;

/** `dt compile`: source to blob; the exit status. */
export function compileCommand(words: readonly string[]): number {
  const parsed = parseArguments(words, { out: OUT, include: INCLUDE, within: WITHIN, symbols: { takesValue: false, letter: '@' }, 'boot-cpu': { takesValue: true, letter: 'b' } });
  if (typeof parsed === 'string') return complain(parsed);
  const bootCpu = numberOption(parsed, 'boot-cpu', { min: 0, max: PHYSICAL_ID_MAX, isWhole: true });
  if (typeof bootCpu === 'string') return complain(bootCpu);
  const [path, ...more] = parsed.positional;
  if (path === undefined || more.length > 0) return complain('Give exactly one source file to compile.');
  const options = { ...foldersOf(parsed), symbols: parsed.options.has('symbols'), ...(bootCpu === undefined ? {} : { bootCpu }) };
  const loaded = loadTree(path, options);
  if (!loaded.ok) return complain(loaded.error);
  if (loaded.value.isBlob) return complain(`${path} is a device tree blob already. To get its source, use: gunyah dt decompile`);
  if (!tell(loaded.value.diagnostics)) return EXIT_ERRORS;
  return write(parsed, loaded.value.bytes);
}

/** `dt decompile`: blob (or source, which is merged) to source; the exit status. */
export function decompileCommand(words: readonly string[]): number {
  const parsed = parseArguments(words, { out: OUT, include: INCLUDE, within: WITHIN });
  if (typeof parsed === 'string') return complain(parsed);
  const [path, ...more] = parsed.positional;
  if (path === undefined || more.length > 0) return complain('Give exactly one blob to decompile.');
  const loaded = loadTree(path, foldersOf(parsed));
  if (!loaded.ok) return complain(loaded.error);
  if (!tell(loaded.value.diagnostics)) return EXIT_ERRORS;
  return write(parsed, printDts(loaded.value.tree));
}

/** `dt apply`: overlays into a base, as a blob; the exit status. */
export function applyCommand(words: readonly string[]): number {
  const parsed = parseArguments(words, { out: OUT, include: INCLUDE, within: WITHIN });
  if (typeof parsed === 'string') return complain(parsed);
  if (parsed.positional.length < 2) return complain('Give a base tree and at least one overlay.');
  const merged = applied(parsed, 'with symbols');
  return typeof merged === 'number' ? merged : write(parsed, encodeDtb(merged));
}

/** `dt merge`: a tree with overlays applied, as source; the exit status. */
export function mergeCommand(words: readonly string[]): number {
  const parsed = parseArguments(words, { out: OUT, include: INCLUDE, within: WITHIN });
  if (typeof parsed === 'string') return complain(parsed);
  if (parsed.positional.length === 0) return complain('Give a tree, and overlays to apply to it.');
  const merged = applied(parsed, parsed.positional.length > 1 ? 'with symbols' : 'as it is');
  return typeof merged === 'number' ? merged : write(parsed, printDts(merged));
}

function foldersOf({ options }: ParsedArguments): Pick<LoadOptions, 'includes' | 'within'> {
  return { includes: options.get('include') ?? [], within: options.get('within') };
}

/** The first file with the others applied in order; the exit status if that cannot be. */
function applied(parsed: ParsedArguments, form: 'with symbols' | 'as it is'): DeviceTree | number {
  const loaded: LoadedTree[] = [];
  const [base, ...rest] = parsed.positional;
  const appended = rest.slice(0, countAppended(rest));
  const paths = [...(base === undefined ? [] : [base]), ...rest.slice(appended.length)];
  for (const [index, path] of paths.entries()) {
    // A base in source keeps its labels as symbols, because overlays find their targets by them.
    const one = loadTree(path, { ...foldersOf(parsed), symbols: index === 0 && form === 'with symbols', ...(index === 0 ? { appended } : {}) });
    if (!one.ok) return complain(one.error);
    if (!tell(one.value.diagnostics)) return EXIT_ERRORS;
    loaded.push(one.value);
  }
  const [first, ...others] = loaded;
  if (first === undefined) return 0;
  let merged = first.tree;
  for (const [index, { tree }] of others.entries()) {
    const result = applyOverlay(merged, tree);
    if (!result.ok) {
      tell([{ file: paths[index + 1] ?? '', ...result.error }]);
      return EXIT_ERRORS;
    }
    merged = result.value;
  }
  return merged;
}

/** How many files at the beginning are no overlays but what a build appends to a tree. */
function countAppended(paths: readonly string[]): number {
  const other = paths.findIndex((path) => {
    const read = path.endsWith('.overlay') ? readFileBytes(path) : undefined;
    return read?.ok !== true || !isAppended(path, textOf(read.value));
  });
  return other < 0 ? paths.length : other;
}

/** Prints diagnostics on standard error; false if one of them is an error. */
function tell(diagnostics: readonly DtDiagnostic[]): boolean {
  for (const diagnostic of diagnostics) process.stderr.write(`${lineOf(diagnostic)}\n`);
  return !hasErrors(diagnostics);
}

function write(parsed: ParsedArguments, content: Uint8Array | string): number {
  const problem = writeResult(parsed.options.get('out')?.[0], content);
  return problem === undefined ? 0 : complain(problem);
}
