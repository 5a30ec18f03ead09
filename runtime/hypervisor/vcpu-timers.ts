/** The EL1 timers of one vCPU, wired to the private interrupts of its VIC (virtual timer 27, physical timer 30). */

import type { EventQueue } from '../machine/interface';
import { GenericTimer, isTimerRegister, type SavedGenericTimer } from '../machine/generic-timer';
import { type Vic, VIRQ_PHYSICAL_TIMER, VIRQ_VIRTUAL_TIMER } from './vic';
import { VirqSource } from './virq-source';

/** log2 of ticks per count: 62.5 MHz at one tick per nanosecond. */
const COUNTER_SHIFT = 4;

/** Timers and their interrupt sources. */
export interface VcpuTimers {
  /** A timer register's value, or `undefined` if it is not one. */
  read(name: string): bigint | undefined;
  /** False if it is not a timer register. */
  write(name: string, value: bigint): boolean;
  /** Stops the timers and unbinds their interrupts. */
  release(): void;
  save(): SavedGenericTimer;
  restore(saved: SavedGenericTimer): void;
}

/** Makes the timers of the vCPU at an index of a VIC; `threadId` makes their deadlines' names unique. */
export function makeVcpuTimers(queue: EventQueue, vic: Vic, index: number, threadId: number): VcpuTimers {
  const virtual: VirqSource = new VirqSource('virtual-timer', () => timer.output('virtual'));
  const physical: VirqSource = new VirqSource('physical-timer', () => timer.output('physical'));
  const wire = (source: VirqSource) => ({ setLevel: (level: boolean) => { if (level) source.assertLevel(); else source.lowerLevel(); } });
  const timer = new GenericTimer({ queue, key: `timer/${threadId}`, counterShift: COUNTER_SHIFT, lines: { virtual: wire(virtual), physical: wire(physical) } });
  virtual.bindPrivate(vic, index, VIRQ_VIRTUAL_TIMER);
  physical.bindPrivate(vic, index, VIRQ_PHYSICAL_TIMER);
  return {
    read: (name) => (isTimerRegister(name) ? timer.read(name) : undefined),
    write: (name, value) => {
      if (!isTimerRegister(name)) return false;
      timer.write(name, value);
      return true;
    },
    release: () => {
      virtual.unbind();
      physical.unbind();
      timer.reset();
    },
    save: () => timer.save(),
    restore: (saved) => { timer.restore(saved); },
  };
}
