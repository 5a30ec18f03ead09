/** Runs systems of guests to their end and says what came of it, for tests that compare consoles and states. */
import type { Stop, System } from '../../runtime/index';
import { ticks } from '../../runtime/index';
import { powerOn, type Subject } from '../support/system';

const END = 2_000_000_000;

/** How a run ended. */
export interface Outcome {
  readonly end: Stop['kind'];
  /** What each VM printed, by its name, without carriage returns. */
  readonly consoles: Readonly<Record<string, string>>;
  /** VMs and memory parcels that are left. */
  readonly vmids: readonly number[];
  readonly parcels: number;
  readonly hash: string;
}

/** Runs until the platform is off or nothing can go on. */
export function runToEnd(system: System): Stop['kind'] {
  while (system.now < END) {
    const stop = system.run({ until: ticks(END) });
    if (stop.kind === 'power' || stop.kind === 'idle' || stop.kind === 'exit') return stop.kind;
  }
  return 'limit';
}

/** Powers on, runs to the end. */
export function outcomeOf(subject: Subject): Outcome {
  const system = powerOn(subject);
  const end = runToEnd(system);
  const consoles = Object.fromEntries(system.consoles.map(({ vm, transcript }) => [vm, Buffer.from(transcript.text()).toString('latin1').replaceAll('\r', '')]));
  const { vms, parcels } = system.rmView();
  return { end, consoles, vmids: vms.map(({ vmid }) => vmid), parcels: parcels.length, hash: system.stateHash() };
}
