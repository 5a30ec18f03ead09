/** How V8 is set for a language server: for a first tree that opens quickly and edits that are followed, in little memory. */

import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 optimise later: what runs while a first file opens runs a few times only, and optimising it took as much processor time as running it. Lets one thread
 * alone collect young garbage: there is little at a time, and helpers spend more on waiting for work than they do of it. And lets it collect garbage before the
 * memory in use has doubled, for edits leave much of it. A flag that some V8 does not know changes nothing.
 */
export function setEngineFlags(): void {
  setFlagsFromString('--interrupt-budget=1000000');
  setFlagsFromString('--no-parallel-scavenge');
  setFlagsFromString('--heap-growing-percent=70');
}
