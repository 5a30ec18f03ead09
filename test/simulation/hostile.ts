/**
 * Three VMs that attack hypervisor and Resource Manager from inside (`guests/hostile.c`), one system after the other: when an attack ends its own
 * system, the next seed begins. What must not happen: an assertion of ours, a broken invariant, a run that does not end.
 */

import assert from 'node:assert/strict';
import { resolveSystem } from '../../debug-adapter/configuration/resolve';
import { nodeHost } from '../../debug-adapter/node-host';
import { ticks, type System } from '../../runtime/index';
import { guestElfs } from '../support/guest-build';
import { powerOn, type Subject } from '../support/system';

/** Effort between two looks at the invariants. */
const SLICE_EFFORT = 8_000_000;
const SLICE_TICKS = 20_000_000;
/** Instructions of one system: it has become barren by then, memory given away and VMs dead. */
const SYSTEM_INSTRUCTIONS = 20_000_000;

/** What a run did. */
export interface Attack { instructions: number; systems: number; hypercalls: number; requests: number; readonly answers: Map<string, number> }

/** The hostile guest thrice, with seeds of their own. */
async function hostileSubject(seed: number): Promise<Subject> {
  const image = guestElfs('simulation', ['hostile']).get('hostile') ?? '';
  const vm = (name: string, n: number) => ({ name, image, vcpus: 1, memory: { base: '0x40000000', size: '64M' }, commandLine: String(seed * 8 + n), ...(n === 0 ? {} : { autostart: true }) });
  const system = { platform: { cpus: 3, seed }, vms: [vm('primary', 0), vm('vm1', 1), vm('vm2', 2)] };
  const resolved = await resolveSystem(nodeHost, system, { semihosting: false, folder: '/' });
  assert.ok(resolved.ok, resolved.ok ? '' : resolved.error.map(({ message }) => message).join('\n'));
  return { name: 'hostile', ...resolved.value };
}

/** Attacks until enough instructions have retired; seeds go on from the first. */
export async function attack(firstSeed: number, instructions: number, onSystem: (attack: Attack, seed: number) => void = () => undefined): Promise<Attack> {
  const total: Attack = { instructions: 0, systems: 0, hypercalls: 0, requests: 0, answers: new Map() };
  for (let seed = firstSeed; total.instructions < instructions; seed++) {
    attackOnce(await hostileSubject(seed), seed, Math.min(SYSTEM_INSTRUCTIONS, instructions - total.instructions), total);
    onSystem(total, seed);
  }
  return total;
}

function attackOnce(subject: Subject, seed: number, instructions: number, total: Attack): void {
  const system = powerOn(subject);
  watch(system, total);
  try {
    run(system, instructions);
  } catch (error) {
    const what = error instanceof Error ? error.stack ?? error.message : String(error);
    throw new Error(`seed ${String(seed)}, after ${String(system.retired)} instructions at time ${String(system.now)}: ${what}\n  again: npm run simulate -- hostile --seed ${String(seed)} --instructions ${String(system.retired + SLICE_TICKS)}`, { cause: error });
  }
  total.instructions += system.retired;
  total.systems++;
}

function run(system: System, instructions: number): void {
  let idle = 0;
  for (;;) {
    const before = system.retired;
    const stop = system.run({ until: ticks(system.now + SLICE_TICKS), retiredMax: instructions, effortMax: SLICE_EFFORT });
    system.parts.hypervisor.checkInvariants();
    idle = system.retired === before ? idle + 1 : 0;
    if (stop.kind !== 'limit' || system.retired >= instructions || idle > 3) return;
  }
}

function watch(system: System, total: Attack): void {
  system.trace.onEvent = (event) => {
    if (event.event === 'hypercall' && event.phase === 'leave') {
      total.hypercalls++;
      const key = `${event.name} ${String(event.error)}`;
      total.answers.set(key, (total.answers.get(key) ?? 0) + 1);
    } else if (event.event === 'rm-request') {
      total.requests++;
    }
  };
}
