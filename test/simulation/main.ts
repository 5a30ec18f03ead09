/**
 * `npm run simulate`: the long versions of the tests in this folder.
 *
 *     npm run simulate -- model --calls 5e6 --seed 1      random hypercalls of three VMs against the specification
 *     npm run simulate -- model --seed 17 --runs 1        one run again; a failing one is cut down to what is needed
 *     npm run simulate -- hostile --instructions 1e9      VMs that attack hypervisor and Resource Manager from inside
 *     npm run simulate -- faults --runs 100 --seed 1      whole systems with a fault each
 *     npm run simulate -- faults --sweep kill,stop        kinds of fault at every point
 *     npm run simulate -- full-queues --points 200        a ring of VMs whose queues somebody fills
 */

import { Prng } from '../../runtime/base/prng';
import { complaint, faultySubject, randomFault, runWith } from './faults';
import { FullQueues } from './full-queues';
import { type Attack, attack } from './hostile';
import { SWEEP_NAMES } from './fault-points';
import { describeFailure, emptyTally, runSeed, shrink } from './model/runs';
import { describeFault, sample, Sweeper } from './sweep';

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

  text(name: string): string | undefined {
    const at = this.args.indexOf(`--${name}`);
    return at < 0 ? undefined : this.args[at + 1] ?? '';
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
  if (options.has('answers')) sayAnswers(tally.answers);
  return 0;
}

function sayAnswers(answers: ReadonlyMap<string, number>): void {
  for (const [key, count] of [...answers].sort(([a], [b]) => (a < b ? -1 : 1))) say(`${key}: ${String(count)}`);
}

async function hostile(options: Options): Promise<number> {
  const seed = options.number('seed', 1);
  let said = cpuSeconds();
  const total = await attack(seed, options.number('instructions', 1e8), (now, last) => {
    if (cpuSeconds() - said < PROGRESS_SECONDS) return;
    said = cpuSeconds();
    say(`${describeAttack(now)}, last seed ${String(last)}`);
  });
  say(`seeds ${String(seed)} to ${String(seed + total.systems - 1)}: ${describeAttack(total)}, ${cpuSeconds().toFixed(0)} s of CPU: no assertion failed`);
  if (options.has('answers')) sayAnswers(total.answers);
  return 0;
}

const describeAttack = ({ instructions, systems, hypercalls, requests }: Attack): string =>
  `${(instructions / 1e6).toFixed(1)} M instructions in ${String(systems)} systems, ${String(hypercalls)} hypercalls, ${String(requests)} RM requests`;

async function faults(options: Options): Promise<number> {
  const kind = options.text('sweep');
  if (kind !== undefined) return sweep(options, kind);
  const first = options.number('seed', 1);
  const runs = options.number('runs', 20);
  const subject = await faultySubject();
  const whole = runWith(subject, undefined, { goesBack: false });
  let [wrong, fired] = [0, 0];
  for (let seed = first; seed < first + runs; seed++) {
    const fault = randomFault(new Prng(seed), whole.occasions);
    let text: string | undefined;
    try {
      const remains = runWith(subject, fault, { goesBack: seed % 4 === 0 });
      fired += remains.fired > 0 ? 1 : 0;
      text = complaint(whole, remains, fault);
    } catch (error) {
      text = error instanceof Error ? error.stack ?? error.message : String(error);
    }
    if (text === undefined) continue;
    wrong++;
    say(`seed ${String(seed)} ${JSON.stringify(fault)}: ${text}\n  again: npm run simulate -- faults --seed ${String(seed)} --runs 1`);
  }
  say(`seeds ${String(first)} to ${String(first + runs - 1)}: ${String(fired)} of ${String(runs)} faults happened, ${String(wrong)} went wrong, ${cpuSeconds().toFixed(0)} s of CPU`);
  return wrong === 0 ? 0 : 1;
}

/** One kind of fault, or all, at every point or at a sample of them. */
async function sweep(options: Options, name: string): Promise<number> {
  const names = name === 'all' ? SWEEP_NAMES : SWEEP_NAMES.filter((one) => name.split(',').includes(one));
  if (names.length === 0) throw new Error(`--sweep is any of ${SWEEP_NAMES.join(', ')}, or all`);
  let wrong = 0;
  for (const one of names) {
    const sweeper = new Sweeper(await faultySubject());
    const all = sweeper.faultsOf(one).filter(({ at, way }) => at === options.number('at', at) && way === options.number('way', way));
    const chosen = sample(all, options.number('points', all.length));
    let [fired, waiting, known, bad, said] = [0, 0, 0, 0, cpuSeconds()];
    const started = said;
    for (const outcome of sweeper.run(chosen)) {
      fired += outcome.hasFired ? 1 : 0;
      waiting += outcome.isWaiting ? 1 : 0;
      known += outcome.isKnown ? 1 : 0;
      if (outcome.complaint !== undefined && !outcome.isKnown) say(`${outcome.complaint}\n  again: ${describeFault(outcome.fault)}`);
      bad += outcome.complaint === undefined ? 0 : 1;
      if (cpuSeconds() - said < PROGRESS_SECONDS) continue;
      said = cpuSeconds();
      say(`${one}: ${String(fired)} so far, at ${String(outcome.fault.at)}`);
    }
    say(`${one}: ${String(chosen.length)} of ${String(all.length)} points, ${String(fired)} faults happened, ${String(known)} came into a state that was known, ${String(waiting)} left their VM waiting, ${String(bad)} went wrong, ${(cpuSeconds() - started).toFixed(0)} s of CPU`);
    wrong += bad;
  }
  return wrong === 0 ? 0 : 1;
}

/** Queues between VMs that are full, at each of so many sends. */
async function fullQueues(options: Options): Promise<number> {
  const ring = await FullQueues.make();
  const first = options.number('at', 0);
  const points = options.number('points', options.text('at') === undefined ? 200 : 1);
  let bad = 0;
  for (let point = first; point < first + points; point++) {
    const complaint = ring.fault(point);
    if (complaint === undefined) continue;
    say(`${complaint}\n  again: npm run simulate -- full-queues --at ${String(point)}`);
    bad++;
  }
  say(`sends ${String(first)} to ${String(first + points - 1)}: ${String(bad)} went wrong, ${cpuSeconds().toFixed(0)} s of CPU`);
  return bad === 0 ? 0 : 1;
}

const COMMANDS: Readonly<Record<string, (options: Options) => number | Promise<number>>> = { model, hostile, faults, 'full-queues': fullQueues };

async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2);
  const command = COMMANDS[name];
  if (command === undefined) throw new Error(`say which: ${Object.keys(COMMANDS).join(', ')}`);
  return command(new Options(args));
}

if (require.main === module) {
  main().then((code) => { process.exitCode = code; }, (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  });
}
