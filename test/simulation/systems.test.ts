/** Random systems from a seed, walked through at random: the hypervisor's invariants hold, and a time met twice is the same state. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../runtime/base/prng';
import { ticks, type DebugTarget } from '../../runtime/index';
import { debug, finish, programsSubject } from '../support/system';

const GUESTS = ['hello', 'exception-zoo', 'timer-irq', 'queue-overflow', 'hypercall-fuzz', 'jump-to-zero', 'spin-masked', 'self-modifying', 'nested-structs', 'sdk-self-test'];
const SEEDS = 8;
const STEPS = 14;

function pick<T>(random: Prng, items: readonly T[]): T {
  const item = items[random.below(items.length)];
  assert.ok(item !== undefined);
  return item;
}

/** One random action; true if it changed history. */
function act(random: Prng, target: DebugTarget): boolean {
  const { system, timeline } = target;
  switch (random.below(6)) {
    case 0: finish(target.seek(ticks(random.below(Math.max(1, timeline.end))))); break;
    case 1: {
      const vcpu = random.below(Math.max(1, system.vcpus().length));
      for (let i = 0; i < 5; i++) if (system.now > 0) finish(target.stepBack(vcpu, undefined));
      break;
    }
    case 2:
      system.writeConsole(random.below(system.consoles.length), Uint8Array.of(97 + random.below(26), 13));
      return true;
    default: {
      const until = system.now + 1 + random.below(pick(random, [50, 20_000, 3_000_000]));
      while (system.now < until && system.run({ until: ticks(until) }).kind === 'limit') timeline.observe();
      timeline.observe();
    }
  }
  return false;
}

async function checkSeed(seed: number): Promise<void> {
  const random = new Prng(seed);
  const names = Array.from({ length: 1 + random.below(4) }, () => pick(random, GUESTS));
  const target = debug(await programsSubject(names, 1 + random.below(3)), { history: { intervalEffort: pick(random, [3000, 100_000, 5_000_000]), checkpointCountMax: 20 } });
  const label = `seed ${seed}: ${names.join(', ')}`;
  let known = new Map<number, string>();
  for (let step = 0; step < STEPS; step++) {
    if (act(random, target)) known = new Map();
    target.system.parts.hypervisor.checkInvariants();
    const { now } = target.system;
    const hash = target.system.stateHash();
    assert.equal(hash, known.get(now) ?? hash, `${label}: time ${now} differs at step ${step}`);
    known.set(now, hash);
  }
  for (const [time, hash] of known) {
    finish(target.seek(ticks(time)));
    if (target.system.now === time) assert.equal(target.system.stateHash(), hash, `${label}: time ${time} differs afterwards`);
  }
}

for (let seed = 1; seed <= SEEDS; seed++) test(`a random system keeps its invariants and its history, seed ${seed}`, async () => checkSeed(seed));
