/** How the state of one interrupt of a GIC is kept: bits of its status and of its configuration byte. The rules by which they change are in `gic-interrupts.ts`. */

/** An edge is latched, or with list registers any assertion, until one takes it. */
export const EDGE = 1;
/** Made pending by a register. */
export const LEVEL_SOFTWARE = 2;
/** Made pending by a message. */
export const LEVEL_MESSAGE = 4;
/** Its source's level is high. */
export const LEVEL_SOURCE = 8;
/** Was offered to a CPU and not taken yet; beside ACTIVE, once more since it was taken. */
export const LISTED = 16;
/** Taken and not ended. */
export const ACTIVE = 32;
/** Pending, but all list registers were taken, or it became so by a change of its trigger: it waits for one until it is delivered anew. */
export const WAITING = 128;
/** Reasons to be pending that a level-triggered interrupt has. */
export const LEVELS = LEVEL_SOFTWARE | LEVEL_MESSAGE | LEVEL_SOURCE;
/** Any reason to be pending. */
export const ANY_PENDING = EDGE | LEVEL_SOFTWARE | LEVEL_MESSAGE | LEVEL_SOURCE | LISTED;

/** Forwarded to CPUs. */
export const ENABLED = 1;
/** Of group 1, else of group 0. */
export const GROUP1 = 2;
/** Else level-triggered. */
export const EDGE_TRIGGERED = 4;

/** What a list register says of an interrupt: 0 empty, 1 pending, 2 active, 3 both. */
export function listState(status: number): number {
  return ((status & LISTED) !== 0 ? 1 : 0) | ((status & ACTIVE) !== 0 ? 2 : 0);
}
