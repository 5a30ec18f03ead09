/**
 * Reads Linux's bindings as the language server does, in a process of its own, for `device-trees.ts`: prints the processor time in milliseconds as JSON. Arguments: the
 * folder of bindings, and the folder where the index is kept.
 */
import { BindingStore } from '../../language-server/binding-store';

const [bindings = '', cache = ''] = process.argv.slice(2);
const before = process.cpuUsage();
const set = new BindingStore(cache).setFor('documented', [bindings]);
// What every node is read with is part of it.
const { size } = set.types.named;
const { user, system } = process.cpuUsage(before);
process.stdout.write(JSON.stringify({ cpuMs: (user + system) / 1000, size }));
