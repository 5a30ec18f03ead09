/**
 * `npm run simulate`: the long versions of the tests in this folder.
 *
 *     npm run simulate -- model --calls 5e6 --seed 1      random hypercalls of three VMs against the specification
 *     npm run simulate -- model --seed 17 --runs 1        one run again; a failing one is cut down to what is needed
 */

import { describeFailure, emptyTally, runSeed, shrink, type Tally } from './model/runs';

const PROGRESS_SECONDS = 30;

/** Options of a command: `--name value`. */
class Options {
  private readonly args: readonly string[];

  constructor(args: readonly string[]) {
    this.args = args;
  }

  number(name: string, otherwise: number): number {
    const at = this.args.indexOf(`--${name}`);
    const value = at < 0 ? otherwise : Number(this.args[at + 1]);
    if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} needs a number`);
    return value;
  }

  has(name: string): boolean {
    return this.args.includes(`--${name}`);
  }
}

const say = (text: string): void => { process.stdout.write(`${text}\n`); };
const cpuSeconds = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;

function model(options: Options): number {
  const first = options.number('seed', 1);
  const runs = options.number('runs', 1e9);
  const calls = options.number('calls', 1e6);
  const tally = emptyTally();
  let said = cpuSeconds();
  for (let seed = first; seed < first + runs && tally.calls < calls; seed++) {
    const failure = runSeed(seed, tally);
    if (failure !== undefined) {
      say(`seed ${String(seed)} fails: ${failure.message}; cutting it down`);
      say(describeFailure(shrink(failure)));
      return 1;
    }
    if (cpuSeconds() - said < PROGRESS_SECONDS) continue;
    said = cpuSeconds();
    say(`${String(tally.calls)} calls in ${String(tally.runs)} runs`);
  }
  say(`seeds ${String(first)} to ${String(first + tally.runs - 1)}: ${String(tally.calls)} calls in ${String(tally.runs)} runs, ${cpuSeconds().toFixed(0)} s of CPU: no difference`);
  if (options.has('answers')) sayAnswers(tally);
  return 0;
}

function sayAnswers(tally: Tally): void {
  for (const [key, count] of [...tally.answers].sort(([a], [b]) => (a < b ? -1 : 1))) say(`${key}: ${String(count)}`);
}

const COMMANDS: Readonly<Record<string, (options: Options) => number>> = { model };

function main(): number {
  const [name = '', ...args] = process.argv.slice(2);
  const command = COMMANDS[name];
  if (command === undefined) throw new Error(`say which: ${Object.keys(COMMANDS).join(', ')}`);
  return command(new Options(args));
}

if (require.main === module) {
  try {
    process.exitCode = main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}
