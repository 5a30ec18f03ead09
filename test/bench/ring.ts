/**
 * Messages between VMs: rings of 2, 4, 8 and 16 VMs with eight CPUs each. With one message in each lane every hop is the same work (send, take,
 * find nothing more, wait, interrupt), so that the price of a hop must not depend on how many VMs there are; with as many messages as VMs the rings
 * show throughput. The least of several runs counts, as noise only ever adds.
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
/** A ring may cost this much more or less per message than the smallest one. */
const FLATNESS = 0.8;

function runRing(count: number, load: 'light' | 'full', rounds: number): RingMeasure {
  let best: RingMeasure | undefined;
  for (let round = 0; round < rounds; round++) {
    const result = spawnSync(process.execPath, [PROGRAM, String(count), load, SLICES], { encoding: 'utf8' });
    if (result.status !== 0) throw new Error(result.stderr.trim());
    const measured = JSON.parse(result.stdout) as RingMeasure;
    if (best === undefined || measured.seconds < best.seconds) best = measured;
  }
  if (best === undefined) throw new Error('nothing was measured');
  return best;
}

const perSecond = ({ messages, seconds }: RingMeasure): number => messages / seconds;
const perInstruction = ({ messages, instructions }: RingMeasure): number => messages / instructions;

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

/** Throughput of each size beside the smallest; only the light rings do equal work per message, so only they must be flat. */
function ringFigures(load: 'light' | 'full', rounds: number): Figure[] {
  const measured = COUNTS.map((count) => ({ count, ring: runRing(count, load, rounds) }));
  const smallest = measured[0]?.ring;
  if (smallest === undefined) return [];
  const goal = load === 'light' ? `, wanted ${String(FLATNESS)}` : '';
  return measured.flatMap(({ count, ring }): Figure[] => {
    const name = `ring/${load}-${String(count)}`;
    return [
      { name, value: perSecond(ring), unit: 'messages/s', against: perSecond(smallest), rival: `2 VMs${goal}`, ratio: perSecond(ring) / perSecond(smallest) },
      { name: `${name}/instruction`, value: perInstruction(ring) * 1000, unit: 'per 1000', against: perInstruction(smallest) * 1000, rival: '2 VMs', ratio: perInstruction(ring) / perInstruction(smallest) },
    ];
  });
}

/** What one hypercall costs, guest's loop and all: a receive from an empty queue, beside the send and receive of a message in a full ring. */
function callFigure(rounds: number): Figure {
  const alone = runRing(1, 'light', rounds);
  const full = runRing(2, 'full', rounds);
  const [call, message] = [alone.seconds / alone.calls * NANOSECONDS, full.seconds / full.messages * NANOSECONDS];
  return { name: 'cost/hypercall', value: call, unit: 'ns', against: message, rival: 'a message sent and received', ratio: call / message };
}
