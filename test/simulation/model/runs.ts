/** Runs of random operations from seeds, and cutting a failing run down to what is needed. */

import { Prng } from '../../../runtime/base/prng';
import { Generator, type Operation } from './operations';
import { Pair } from './pair';

/** Operations of one run: a world is made anew for each. */
export const OPERATIONS_PER_RUN = 4000;
const COMPARE_EVERY = 100;
const COMPARE_ALL_EVERY = 1000;
/** Operations that shrinking may repeat: it ends in bounded time. */
const SHRINK_OPERATIONS_MAX = 400_000;

/** What making a world costs, in operations. */
const RUN_EFFORT = 500;

/** A run that failed. */
export interface Failure { readonly seed: number; readonly message: string; readonly operations: readonly Operation[] }

/** What many runs add up to. */
export interface Tally { calls: number; runs: number; readonly answers: Map<string, number> }

/** An empty tally. */
export const emptyTally = (): Tally => ({ calls: 0, runs: 0, answers: new Map() });

/** One run; answers how it failed, if it did. */
export function runSeed(seed: number, tally: Tally, count = OPERATIONS_PER_RUN): Failure | undefined {
  const operations: Operation[] = [];
  const pair = new Pair(tally.answers);
  try {
    const generator = new Generator(new Prng(seed), pair.world, pair.land);
    for (let n = 0; n < count; n++) {
      const operation = generator.next();
      operations.push(operation);
      pair.perform(operation);
      if (n % COMPARE_ALL_EVERY === 0) pair.compare();
      else if (n % COMPARE_EVERY === 0) pair.compareObjects();
    }
    pair.finish();
    return undefined;
  } catch (error) {
    return { seed, message: messageOf(error), operations };
  } finally {
    tally.calls += pair.calls;
    tally.runs++;
  }
}

/** What goes wrong when operations are repeated with a comparison after each. */
function messageFrom(operations: readonly Operation[]): string | undefined {
  const pair = new Pair();
  try {
    operations.forEach((operation, n) => {
      pair.perform(operation);
      if (n % COMPARE_EVERY === 0) pair.compareObjects();
    });
    pair.finish();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** The same kind of failure: numbers may differ. */
const kindOf = (message: string): string => message.replace(/\d[0-9a-fx]*/g, '#').slice(0, 60);

/** Leaves operations out, first many and then few, while the run still fails in the same way. */
export function shrink(failure: Failure): Failure {
  let { operations } = failure;
  let message = messageFrom(operations);
  if (message === undefined) return failure;
  let effort = 0;
  for (let size = Math.ceil(operations.length / 2); size >= 1 && effort < SHRINK_OPERATIONS_MAX; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < operations.length && effort < SHRINK_OPERATIONS_MAX;) {
      const rest = [...operations.slice(0, at), ...operations.slice(at + size)];
      effort += rest.length + RUN_EFFORT;
      const now = messageFrom(rest);
      if (now !== undefined && kindOf(now) === kindOf(message)) [operations, message] = [rest, now];
      else at += size;
    }
  }
  return { ...failure, operations, message };
}

/** A failure as people read it, with the command that shows it again. */
export function describeFailure({ seed, message, operations }: Failure): string {
  const lines = operations.map((operation) => (operation.kind === 'quiet' ? `VM ${String(operation.vm)} clears interrupt ${String(operation.virq)}`
    : operation.kind === 'trigger' ? `VM ${String(operation.vm)} makes interrupt ${String(operation.virq)} ${operation.isEdge ? 'edge' : 'level'}-triggered`
    : `VM ${String(operation.vm)} ${operation.path} ${operation.name} ${operation.args.map((value) => `0x${value.toString(16)}`).join(' ')}`));
  return [`seed ${String(seed)}: ${message}`, `after ${String(lines.length)} operations:`, ...lines.slice(-60).map((line) => `  ${line}`), `  again: npm run simulate -- model --seed ${String(seed)} --runs 1`].join('\n');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.split('\n').slice(0, 4).join(' ') : String(error);
}
