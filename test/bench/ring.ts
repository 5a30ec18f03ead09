/**
 * Messages between VMs: rings of 2, 4, 8 and 16 VMs with eight CPUs each. With one message in each lane every hop is send, take, find nothing more,
 * wait, interrupt; with sixteen for each VM nearly every hop is send and take. Both are the same work however many VMs there are, so that neither
 * messages per instruction nor messages per second may depend on it. (A load between the two is not: with one message for each VM they bunch up, a
 * large ring waits less often than a small one, and a message costs 2.5 calls in a ring of 2 and 2.1 in one of 16.) Sizes take turns, and the least
 * of several runs counts, as noise only ever adds.
 */

import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { type Figure, type Unmeasured } from './figure';
import type { RingMeasure } from './ring-run';

const REPOSITORY = resolve(__dirname, '..', '..');
/** Two folders down, from where the compiled program finds the repository. */
const PROGRAM = resolve(REPOSITORY, 'test-output', 'bench', 'ring-run.js');
const COUNTS = [2, 4, 8, 16];
const SLICES = '4';
const NANOSECONDS = 1e9;
/** A ring of any size does at least this much of what the smallest one does, and at most so much more. */
const FLATNESS = '0.8 to 1.2';

type Load = 'light' | 'full';

function runRing(count: number, load: Load): RingMeasure {
  const result = spawnSync(process.execPath, [PROGRAM, String(count), load, SLICES], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(result.stderr.trim());
  return JSON.parse(result.stdout) as RingMeasure;
}

/** The best run of each size; they take turns, so that a busy minute of the host hurts all of them. */
function runRings(counts: readonly number[], load: Load, rounds: number): RingMeasure[] {
  const runs = Array.from({ length: rounds }, () => counts.map((count) => runRing(count, load)));
  return counts.map((_, at) => {
    const best = runs.flatMap((round) => round[at] ?? []).sort((a, b) => a.seconds - b.seconds)[0];
    if (best === undefined) throw new Error('nothing was measured');
    return best;
  });
}

const perSecond = ({ messages, seconds }: RingMeasure): number => messages / seconds;
const perInstruction = ({ messages, instructions }: RingMeasure): number => messages / instructions;
const callsPerMessage = ({ messages, calls }: RingMeasure): number => calls / messages;

/** Figures of all rings, or why there are none. */
export function measureRing(rounds: number): (Figure | Unmeasured)[] {
  const build = spawnSync('npx', ['esbuild', 'test/bench/ring-run.ts', '--bundle', '--platform=node', '--main-fields=module,main', '--log-level=error', `--outfile=${PROGRAM}`], { cwd: REPOSITORY, encoding: 'utf8' });
  if (build.status !== 0) return [{ name: 'ring', reason: build.stderr.trim() }];
  try {
    return [...ringFigures('light', rounds), ...ringFigures('full', rounds), callFigure(rounds)];
  } catch (error) {
    return [{ name: 'ring', reason: error instanceof Error ? error.message : String(error) }];
  }
}

/** Throughput of each size beside the smallest. */
function ringFigures(load: Load, rounds: number): Figure[] {
  const measured = runRings(COUNTS, load, rounds);
  const [smallest] = measured;
  if (smallest === undefined) return [];
  const beside = (name: string, unit: string, [value, against]: readonly [number, number], goal: string): Figure => ({ name, value, unit, against, rival: `2 VMs${goal}`, ratio: value / against });
  return measured.flatMap((ring, at): Figure[] => {
    const name = `ring/${load}-${String(COUNTS[at])}`;
    return [
      beside(name, 'messages/s', [perSecond(ring), perSecond(smallest)], `, wanted ${FLATNESS}`),
      beside(`${name}/instruction`, 'per 1000', [perInstruction(ring) * 1000, perInstruction(smallest) * 1000], `, wanted ${FLATNESS}`),
      beside(`${name}/calls`, 'per message', [callsPerMessage(ring), callsPerMessage(smallest)], ''),
    ];
  });
}

/** What one hypercall costs, guest's loop and all: a receive from an empty queue, beside the send and receive of a message in a full ring. */
function callFigure(rounds: number): Figure {
  const [[alone], [full]] = [runRings([1], 'light', rounds), runRings([2], 'full', rounds)];
  if (alone === undefined || full === undefined) throw new Error('nothing was measured');
  const [call, message] = [alone.seconds / alone.calls * NANOSECONDS, full.seconds / full.messages * NANOSECONDS];
  return { name: 'cost/hypercall', value: call, unit: 'ns', against: message, rival: 'a message sent and received', ratio: call / message };
}
