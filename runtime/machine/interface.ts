/**
 * What devices are made of. A device is a pure chip model (registers, queues, no surroundings); a thin placement wrapper gives
 * it an address and an interrupt line. Devices have no clock: time comes from the event queue.
 */

import type { Ticks } from '../base/brands';

/** A memory-mapped register file. Offsets and sizes in bytes; values zero-extended. */
export interface RegisterDevice {
  readonly kind: string;
  /** Reads `sizeBytes` (1, 2, 4, 8) at `offset`; `undefined` means the device refuses the access (external abort). */
  read(offset: number, sizeBytes: number): bigint | undefined;
  /** Writes; false means refused. */
  write(offset: number, sizeBytes: number, value: bigint): boolean;
  reset(): void;
  save(): unknown;
  restore(saved: unknown): void;
}

/** One wire to an interrupt controller; level semantics, the owner remembers nothing. */
export interface IrqLine {
  setLevel(level: boolean): void;
}

/** Deadlines in virtual time. Events at the same tick fire in order of their key, so order never depends on insertion. */
export interface EventQueue {
  readonly now: Ticks;
  /** Sets or moves the deadline of `key`. A past deadline fires at the next `runDue`. */
  schedule(key: string, at: Ticks, fire: () => void): void;
  cancel(key: string): void;
  /** Earliest deadline, or `undefined`. */
  nextDeadline(): Ticks | undefined;
  /** Moves time forward and fires what is due, in order. */
  advance(to: Ticks): void;
}

/**
 * Memory of the VM that a device belongs to, as the device reaches it: by guest physical address (IPA), through the VM's second translation
 * stage, RAM only. Addresses and sizes come from guests; what is not all there is refused as a whole.
 */
export interface GuestMemory {
  /** A copy of the bytes; `undefined` if the device may not read all of them. */
  read(address: number, sizeBytes: number): Uint8Array | undefined;
  /** False, with nothing written, if the device may not write all of it. */
  write(address: number, bytes: Uint8Array): boolean;
}
