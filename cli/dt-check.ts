/** `gunyah dt check`: what the compiler, dtc's checks and bindings object to in device trees. */

import { resolve } from 'node:path';
import { isRootFile } from '../language-server/analysis';
import type { CheckLevel } from '../runtime/devicetree/checks/check-table';
import { hasErrors } from '../runtime/devicetree/index';
import { generationNamed, OUR_GENERATION, RM_GENERATIONS, type RmReading } from '../runtime/devicetree/rm-rules';
import { parseArguments, type ParsedArguments } from './arguments';
import { CACHE_FOLDER } from '../language-server/binding-store';
import { loadBindings, missingTypes } from './dt-bindings';
import { ContextChecker } from './dt-context';
import { complain, EXIT_ERRORS, EXIT_USAGE, loadTree, readFileBytes, STANDARD_STREAM, writeResult } from './dt-files';
import { expandFiles } from './dt-glob';
import { treeReports, undocumentedReports } from './dt-judgement';
import { levelsOf } from './dt-levels';
import { formatReports, lineOf, type DtReport, type ReportForm } from './dt-report';
import { readBindings, type BindingSet } from '../runtime/devicetree/bindings/binding-set';

const OPTIONS = {
  bindings: { takesValue: true, repeats: true },
  include: { takesValue: true, repeats: true, letter: 'i' },
  within: { takesValue: true, repeats: true },
  base: { takesValue: true },
  'fail-on': { takesValue: true },
  warning: { takesValue: true, repeats: true, letter: 'W' },
  error: { takesValue: true, repeats: true, letter: 'E' },
  no: { takesValue: true, repeats: true },
  undocumented: { takesValue: false },
  rm: { takesValue: true },
  trust: { takesValue: true },
  'no-cache': { takesValue: false },
  verbose: { takesValue: false, letter: 'v' },
  json: { takesValue: false },
  sarif: { takesValue: false },
} as const;

const NO_BINDINGS = readBindings([]).bindings;

/** How to check. */
interface CheckPlan {
  readonly base: string | undefined;
  readonly files: readonly string[];
  readonly includes: readonly string[];
  readonly within: readonly string[] | undefined;
  readonly failsOn: 'error' | 'warning';
  readonly levels: Readonly<Record<string, CheckLevel>>;
  readonly bindings: BindingSet | undefined;
  readonly isUndocumentedTold: boolean;
  /** Which RM the configurations of VMs are for; none: RM's rules are left out. */
  readonly reading: RmReading | undefined;
  readonly form: ReportForm;
}

/** `dt check`; the exit status: 1 if there is an error. */
export function checkCommand(words: readonly string[]): number {
  const parsed = parseArguments(words, OPTIONS);
  const plan = typeof parsed === 'string' ? parsed : planOf(parsed);
  if (typeof plan === 'string') return complain(plan);
  const reports = new Map<string, DtReport>();
  const unread: string[] = [];
  const context = new ContextChecker({ ...plan, bindings: plan.bindings ?? NO_BINDINGS });
  const read = new Set<string>();
  // Included files come last: most of them are read by one of the trees.
  for (const path of [...plan.files.filter(isRootFile), ...plan.files.filter((file) => !isRootFile(file))]) {
    if (read.has(resolve(path))) continue;
    const found = checkInContext(path, plan, context) ?? checkFile(path, plan, read);
    if (typeof found === 'string') unread.push(found);
    // A file that several trees include says the same thing for each.
    else for (const report of found) reports.set(JSON.stringify([report.file, report.line, report.column, report.code, report.message]), report);
  }
  const all = [...reports.values()];
  for (const problem of unread) complain(problem);
  writeResult(undefined, formatReports(all, plan.form, unread));
  const isFailure = hasErrors(all) || (plan.failsOn === 'warning' && all.some(({ severity }) => severity === 'warning'));
  return unread.length > 0 ? EXIT_USAGE : isFailure ? EXIT_ERRORS : 0;
}

function planOf(parsed: ParsedArguments): CheckPlan | string {
  const { positional, options } = parsed;
  if (positional.length === 0) return 'Give the device trees to check.';
  const files = expandFiles(positional);
  if (!files.ok) return files.error;
  const failsOn = options.get('fail-on')?.[0] ?? 'error';
  if (failsOn !== 'error' && failsOn !== 'warning') return '--fail-on: Give error or warning.';
  if (options.has('json') && options.has('sarif')) return 'Give either --json or --sarif.';
  const [base] = options.get('base') ?? [];
  const readable = base === undefined ? undefined : readFileBytes(base);
  if (readable?.ok === false) return `--base: ${readable.error}`;
  const levels = levelsOf({ warning: options.get('warning') ?? [], error: options.get('error') ?? [], no: options.get('no') ?? [] });
  if (typeof levels === 'string') return levels;
  const reading = readingOf(options.get('rm')?.[0], options.get('trust')?.[0]);
  if (typeof reading === 'string') return reading;
  const folders = options.get('bindings') ?? [];
  // What cannot be used of bindings is only known where they are read anew.
  const cacheFolder = options.has('no-cache') || options.has('verbose') ? undefined : CACHE_FOLDER;
  const loaded = folders.length === 0 ? undefined : loadBindings(folders, cacheFolder);
  if (loaded?.ok === false) return loaded.error;
  const bindings = loaded?.value.bindings;
  if (options.has('verbose')) for (const diagnostic of loaded?.value.diagnostics ?? []) process.stderr.write(`${lineOf(diagnostic)}\n`);
  const warning = bindings === undefined ? undefined : missingTypes(bindings);
  if (warning !== undefined) process.stderr.write(`${warning}\n`);
  return {
    base, files: files.value, failsOn, levels, bindings, includes: options.get('include') ?? [], within: options.get('within'), isUndocumentedTold: options.has('undocumented'), reading,
    form: options.has('json') ? 'json' : options.has('sarif') ? 'sarif' : 'text',
  };
}

/** For whom VM configurations are checked; a sentence if the words mean nothing. */
function readingOf(rm: string = OUR_GENERATION, trust = 'unknown'): RmReading | string | undefined {
  const generation = generationNamed(rm);
  if (generation === undefined && rm !== 'none') return `--rm: There is no generation "${rm}" of RM. Give ${Object.keys(RM_GENERATIONS).join(' or ')}, or none.`;
  if (trust !== 'unknown' && trust !== 'trusted' && trust !== 'untrusted') return '--trust: Give trusted, untrusted or unknown.';
  return generation === undefined ? undefined : { generation, trust };
}

/** What is wrong with a file that is no whole tree, where it belongs; `undefined` for others. */
function checkInContext(path: string, plan: CheckPlan, context: ContextChecker): readonly DtReport[] | undefined {
  const found = context.check(path);
  if (found === undefined || !plan.isUndocumentedTold || plan.bindings === undefined) return found?.reports;
  const { judged, files } = found.analysis;
  return [...found.reports, ...undocumentedReports(plan.bindings, judged.root).filter(({ file }) => files.includes(file ?? ''))];
}

/** What is wrong with one tree; a sentence if it cannot be read. Checks need a tree that compiles. The files that it reads are added to `read`. */
function checkFile(path: string, plan: CheckPlan, read: Set<string>): readonly DtReport[] | string {
  const loaded = loadTree(path, plan);
  if (!loaded.ok) return loaded.error;
  const { tree, diagnostics, files, textOf } = loaded.value;
  for (const file of files) read.add(resolve(file));
  if (hasErrors(diagnostics)) return diagnostics;
  const bindings = plan.bindings ?? NO_BINDINGS;
  const found = treeReports(tree, { bindings, levels: plan.levels, reading: plan.reading }, textOf);
  const undocumented = plan.isUndocumentedTold && plan.bindings !== undefined ? undocumentedReports(bindings, tree.root) : [];
  const file = path === STANDARD_STREAM ? 'stdin' : path;
  return [...diagnostics, ...found, ...undocumented].map((report) => ({ file, ...report }));
}
