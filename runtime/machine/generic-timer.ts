/**
 * The EL1 timers of one vCPU (virtual and physical) on the event queue. Both count CNTPCT = ticks >> counterShift, with
 * no offset. Deadlines are exact: an output rises at the first tick whose count reaches the compare value.
 *
 * The counters themselves (CNTPCT, CNTVCT, CNTFRQ) belong to the engine. Source: Arm ARM (DDI 0487) D12.
 */

import { ticks } from '../base/brands';
import type { EventQueue, IrqLine } from './interface';

/** Which of the two timers. */
export type TimerName = 'virtual' | 'physical';

/** System registers that the timers answer. */
export const TIMER_REGISTERS = {
  CNTV_CTL_EL0: { timer: 'virtual', register: 'ctl' },
  CNTV_CVAL_EL0: { timer: 'virtual', register: 'cval' },
  CNTV_TVAL_EL0: { timer: 'virtual', register: 'tval' },
  CNTP_CTL_EL0: { timer: 'physical', register: 'ctl' },
  CNTP_CVAL_EL0: { timer: 'physical', register: 'cval' },
  CNTP_TVAL_EL0: { timer: 'physical', register: 'tval' },
} as const satisfies Record<string, { timer: TimerName; register: 'ctl' | 'cval' | 'tval' }>;

/** Name of a timer register. */
export type TimerRegister = keyof typeof TIMER_REGISTERS;

/** True if a system register is one of the timers'. */
export function isTimerRegister(name: string): name is TimerRegister {
  return Object.hasOwn(TIMER_REGISTERS, name);
}

/** What the timers are connected to. */
export interface GenericTimerOptions {
  readonly queue: EventQueue;
  /** Unique prefix of this vCPU's keys in the event queue. */
  readonly key: string;
  /** CNTPCT = ticks >> counterShift. */
  readonly counterShift: number;
  /** Outputs; INTID 27 (virtual) and 30 (physical) on common boards. */
  readonly lines: Readonly<Record<TimerName, IrqLine>>;
}

interface SavedTimer { readonly enable: boolean; readonly mask: boolean; readonly cval: bigint; readonly level: boolean }
/** Plain-data form. */
export interface SavedGenericTimer { readonly kind: 'generic-timer'; readonly version: 1; readonly virtual: SavedTimer; readonly physical: SavedTimer }

/** Both EL1 timers of one vCPU. Bring the queue's time up to date before each call. */
export class GenericTimer {
  private readonly timers: Readonly<Record<TimerName, CompareTimer>>;

  constructor(options: GenericTimerOptions) {
    this.timers = { virtual: new CompareTimer(options, 'virtual'), physical: new CompareTimer(options, 'physical') };
  }

  /** The present count, CNTPCT. */
  get count(): bigint {
    return this.timers.physical.count;
  }

  /** Output of a timer: enabled, condition met, not masked. */
  output(timer: TimerName): boolean {
    return this.timers[timer].output;
  }

  /** Reads a timer register, zero-extended. */
  read(name: TimerRegister): bigint {
    const { timer, register } = TIMER_REGISTERS[name];
    return this.timers[timer].read(register);
  }

  /** Writes a timer register. */
  write(name: TimerRegister, value: bigint): void {
    const { timer, register } = TIMER_REGISTERS[name];
    this.timers[timer].write(register, value);
  }

  /** Both timers off, compare values 0. */
  reset(): void {
    this.timers.virtual.reset();
    this.timers.physical.reset();
  }

  save(): SavedGenericTimer {
    return { kind: 'generic-timer', version: 1, virtual: this.timers.virtual.save(), physical: this.timers.physical.save() };
  }

  /** Takes a saved state back and schedules its deadlines; lines are not driven, they are part of their receiver's state. */
  restore(saved: SavedGenericTimer): void {
    this.timers.virtual.restore(saved.virtual);
    this.timers.physical.restore(saved.physical);
  }
}

const ENABLE = 1n;
const IMASK = 2n;
const ISTATUS = 4n;

/** One compare timer. */
class CompareTimer {
  private readonly options: GenericTimerOptions;
  private readonly key: string;
  private readonly line: IrqLine;
  private enable = false;
  private mask = false;
  private cval = 0n;
  private level = false;

  constructor(options: GenericTimerOptions, name: TimerName) {
    this.options = options;
    this.key = `${options.key}/${name}`;
    this.line = options.lines[name];
  }

  get count(): bigint {
    return BigInt(this.options.queue.now) >> BigInt(this.options.counterShift);
  }

  get output(): boolean {
    return this.status && !this.mask;
  }

  read(register: 'ctl' | 'cval' | 'tval'): bigint {
    switch (register) {
      case 'ctl': return (this.enable ? ENABLE : 0n) | (this.mask ? IMASK : 0n) | (this.status ? ISTATUS : 0n);
      case 'cval': return this.cval;
      case 'tval': return BigInt.asUintN(32, this.cval - this.count);
    }
  }

  write(register: 'ctl' | 'cval' | 'tval', value: bigint): void {
    switch (register) {
      case 'ctl':
        this.enable = (value & ENABLE) !== 0n;
        this.mask = (value & IMASK) !== 0n;
        break;
      case 'cval':
        this.cval = BigInt.asUintN(64, value);
        break;
      case 'tval':
        this.cval = BigInt.asUintN(64, this.count + BigInt.asIntN(32, value));
        break;
    }
    this.update();
  }

  reset(): void {
    this.enable = false;
    this.mask = false;
    this.cval = 0n;
    this.update();
  }

  save(): SavedTimer {
    return { enable: this.enable, mask: this.mask, cval: this.cval, level: this.level };
  }

  restore(saved: SavedTimer): void {
    this.enable = saved.enable;
    this.mask = saved.mask;
    this.cval = saved.cval;
    this.level = saved.level;
    this.schedule();
  }

  private get status(): boolean {
    return this.enable && this.count >= this.cval;
  }

  private update(): void {
    this.schedule();
    const level = this.output;
    if (level === this.level) return;
    this.level = level;
    this.line.setLevel(level);
  }

  /** A deadline is needed only while the output is still to rise. Beyond 2^53 ticks it never does. */
  private schedule(): void {
    const { queue, counterShift } = this.options;
    const at = Number(this.cval << BigInt(counterShift));
    if (this.enable && !this.mask && !this.status && Number.isSafeInteger(at)) queue.schedule(this.key, ticks(at), () => { this.update(); });
    else queue.cancel(this.key);
  }
}
