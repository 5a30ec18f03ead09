/** One measurement of a ring, as a program of its own: `ring-run COUNT light|full SLICES` prints `{messages, calls, instructions, seconds}`. */

import { createSystem, ticks, type System } from '../../runtime/index';
import { ringSystem } from './ring-system';

const SLICE_TICKS = 3_000_000;
const WARM_SLICES_MAX = 40;
const WARM_MESSAGES = 8000;
/** A VM alone makes calls and sends nothing. */
const WARM_CALLS = 8000;

/** What went by while measuring; `seconds` of processor time. */
export interface RingMeasure { readonly messages: number; readonly calls: number; readonly instructions: number; readonly seconds: number }

class Counter {
  messages = 0;
  calls = 0;

  constructor(system: System) {
    system.trace.onEvent = (event) => {
      if (event.event === 'message' && event.action === 'sent') this.messages++;
      else if (event.event === 'hypercall' && event.phase === 'leave') this.calls++;
    };
  }
}

function slice(system: System): void {
  const until = system.now + SLICE_TICKS;
  while (system.now < until) if (system.run({ until: ticks(until) }).kind !== 'limit') throw new Error('the ring stands still');
}

function measure(system: System, slices: number): RingMeasure {
  const counter = new Counter(system);
  for (let n = 0; ; n++) {
    if (n === WARM_SLICES_MAX) throw new Error('the ring never gets going');
    const { messages, calls } = counter;
    slice(system);
    if (counter.messages - messages > WARM_MESSAGES || (counter.messages === 0 && counter.calls - calls > WARM_CALLS)) break;
  }
  slice(system);
  const { messages, calls } = counter;
  const { retired } = system;
  const start = process.cpuUsage();
  for (let n = 0; n < slices; n++) slice(system);
  const used = process.cpuUsage(start);
  return { messages: counter.messages - messages, calls: counter.calls - calls, instructions: system.retired - retired, seconds: (used.user + used.system) / 1e6 };
}

async function main(): Promise<void> {
  const [count = '2', load = 'light', slices = '3'] = process.argv.slice(2);
  const system = createSystem(await ringSystem({ count: Number(count), load: load === 'full' ? 'full' : 'light' }));
  if (!system.ok) throw new Error(system.error.map(({ message }) => message).join('\n'));
  process.stdout.write(JSON.stringify(measure(system.value, Number(slices))));
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
