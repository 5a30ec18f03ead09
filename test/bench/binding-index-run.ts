/**
 * Reads Linux's bindings as the language server does, in a process of its own, for `device-trees.ts`: prints how long it took and the processor time of all threads, in
 * milliseconds, as JSON. Arguments: the folder of bindings, and the folder where the index is kept.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { BindingStore } from '../../language-server/binding-store';
import { tuneEngine } from '../../language-server/main';

const [bindings = '', cache = ''] = process.argv.slice(2);

/** Processor time of each thread so far in milliseconds, those that have ended included as last seen; where the system tells it. */
const threads = new Map<string, number>();

function look(): void {
  try {
    for (const thread of readdirSync('/proc/self/task')) threads.set(thread, Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6);
  } catch {
    // Another system, or a thread that ended meanwhile.
  }
}

tuneEngine();
const before = process.cpuUsage();
const begin = performance.now();
const store = new BindingStore(cache);
const finish = (): void => {
  const set = store.setFor('documented', [bindings]);
  // What every node is read with is part of it.
  const { size } = set.types.named;
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(JSON.stringify({ cpuMs: (user + system) / 1000, wallMs: performance.now() - begin, longestThreadMs: Math.max(0, ...threads.values()), size }));
  process.exit();
};
let isReading = false;
store.background = { soon: (run) => { setImmediate(run); }, progress: () => { isReading = true; }, notice: (text) => { process.stderr.write(text); }, ready: finish };
store.setFor('documented', [bindings]);
if (isReading) setInterval(look, 50);
else finish();
