/** The form of a rule: what a call does to the state, and what it answers. */

import type { ArgumentName } from './signatures';
import type { Cspace } from './things';
import type { Verdict, WorldState } from './world-state';

/** Arguments by name; those that a call does not have are 0. */
export type Arguments = Readonly<Record<ArgumentName, bigint>>;

/** The caller's own memory, where messages come from and go to. `undefined` and false: the address cannot be used. */
export interface CallerMemory {
  readonly read: (address: bigint, size: number) => Uint8Array | undefined;
  readonly deliver: (address: bigint, bytes: Uint8Array) => boolean;
}

/** One rule. */
export type Rule = (world: WorldState, caller: Cspace, args: Arguments, memory: CallerMemory) => Verdict;
