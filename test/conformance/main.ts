/**
 * `npm run conformance`: random programs on QEMU's user mode and on the engine, for as long as one likes.
 *
 *     npm run conformance -- --instructions 1e9 --seed 7
 *     npm run conformance -- --rows FCVT --instructions 1e7      rows whose name or class contains the text
 *     npm run conformance -- --tier exact                         one tier only
 *     npm run conformance -- --seed 7 --program 1234              one program; what differs is traced to its instruction
 */

import { Comparison, randomPrograms, type Difference, type TierName } from './compare';
import { diagnose } from './diagnose';
import { defaultOptions, type Program, type ProgramOptions } from './programs';
import { programRows } from './rows';

const DIFFERENCES_MAX = 12;
const PROGRESS_SECONDS = 30;

interface Request { readonly options: ProgramOptions; readonly instructions: number; readonly tiers: readonly TierName[]; readonly program: number | undefined; readonly filter: string | undefined }

function readRequest(args: readonly string[]): Request {
  const of = (name: string): string | undefined => {
    const at = args.indexOf(`--${name}`);
    return at < 0 ? undefined : args[at + 1];
  };
  const number = (name: string, otherwise: number): number => {
    const value = Number(of(name) ?? otherwise);
    if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} needs a number`);
    return value;
  };
  const filter = of('rows');
  const rows = filter === undefined ? programRows : programRows.filter(({ encoding }) => `${encoding.name} ${encoding.class} ${encoding.feature}`.toLowerCase().includes(filter.toLowerCase()));
  if (rows.length === 0) throw new Error(`no row has ${String(filter)} in its name, class or feature`);
  const tier = of('tier') ?? 'both';
  if (tier !== 'exact' && tier !== 'fast' && tier !== 'both') throw new Error('--tier is exact, fast or both');
  return {
    options: { ...defaultOptions(number('seed', 1)), rows }, instructions: number('instructions', 2e7),
    tiers: tier === 'both' ? ['fast', 'exact'] : [tier], program: of('program') === undefined ? undefined : number('program', 0), filter,
  };
}

/** The command that runs a program of a seed again. */
export function commandFor({ seed, number }: Program, filter?: string): string {
  return `npm run conformance -- --seed ${String(seed)} --program ${String(number)}${filter === undefined ? '' : ` --rows '${filter}'`}`;
}

/** One difference as people read it, with the command that shows it again. */
export function describeDifference(comparison: Comparison, { program, tier, what }: Difference, command: string): string {
  return `program ${String(program.number)} of seed ${String(program.seed)}, tier ${tier}: ${what}\n${diagnose(comparison, program, tier)}\n  again: ${command}`;
}

const millions = (count: number): string => `${(count / 1e6).toFixed(1)} M`;

async function main(): Promise<number> {
  const request = readRequest(process.argv.slice(2));
  const comparison = new Comparison(randomPrograms(request.options), request.tiers);
  const { report } = comparison;
  const started = Date.now();
  let said = started;
  let shown = 0;
  const isEnough = (): boolean => {
    const seconds = (Date.now() - said) / 1000;
    if (seconds >= PROGRESS_SECONDS) {
      said = Date.now();
      process.stdout.write(`${millions(report.instructions)} instructions, ${String(report.programs)} programs, ${String(report.differences.length)} differ\n`);
    }
    for (; shown < report.differences.length; shown++) {
      const difference = report.differences[shown];
      if (difference !== undefined) process.stdout.write(`${describeDifference(comparison, difference, commandFor(difference.program, request.filter))}\n`);
    }
    if (report.differences.length >= DIFFERENCES_MAX) return true;
    return request.program === undefined ? report.instructions >= request.instructions : report.programs + report.differences.length > 0;
  };
  await comparison.run(request.program ?? 0, isEnough);
  const counts = [...report.executed].sort(([, a], [, b]) => a - b);
  const [least] = counts;
  const children = process.resourceUsage();
  process.stdout.write([
    `seed ${String(request.options.seed)}: ${millions(report.instructions)} instructions in ${String(report.programs)} programs, tiers ${request.tiers.join(' and ')}: ${String(report.differences.length)} differ`,
    `rows: ${String(counts.length)} of ${String(request.options.rows.length)}; the rarest, ${least?.[0].name ?? 'none'}, ${String(least?.[1] ?? 0)} times`,
    `${((Date.now() - started) / 1000).toFixed(0)} s, of which this process computed ${((children.userCPUTime + children.systemCPUTime) / 1e6).toFixed(0)} s`,
  ].join('\n') + '\n');
  comparison.close();
  return report.differences.length === 0 ? 0 : 1;
}

if (require.main === module) {
  main().then((code) => { process.exitCode = code; }, (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  });
}
