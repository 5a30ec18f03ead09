/**
 * Arm PrimeCell PL031 real-time clock. Seconds come from virtual time: the time of day at start is an input of the system (part
 * of the journal), after which the clock advances with ticks alone. Source: PL031 TRM (DDI 0224) chapter 3.
 */

import { ticks } from '../../base/brands';
import type { EventQueue, IrqLine, RegisterDevice } from '../interface';
import { PRIMECELL_ID_ROWS, primeCellIdHandlers, registerMap } from '../register-map';
import type { RegisterHandlers, RegisterMap, RegisterRow, RegisterView } from '../register-map';

/** The register file. */
export const PL031_REGISTERS = {
  RTCDR: { offset: 0x00, access: 'RO', description: 'Seconds now' },
  RTCMR: { offset: 0x04, access: 'RW', description: 'Seconds at which to interrupt' },
  RTCLR: { offset: 0x08, access: 'RW', description: 'Sets the seconds; reads the last value set' },
  RTCCR: { offset: 0x0c, access: 'RW', description: 'Control; always started' },
  RTCIMSC: { offset: 0x10, access: 'RW', description: 'Interrupt mask; set is enabled' },
  RTCRIS: { offset: 0x14, access: 'RO', description: 'Interrupt status before the mask' },
  RTCMIS: { offset: 0x18, access: 'RO', description: 'Interrupt status after the mask' },
  RTCICR: { offset: 0x1c, access: 'WO', description: 'Interrupt clear' },
  ...PRIMECELL_ID_ROWS,
} as const satisfies Record<string, RegisterRow>;

/** What a clock is connected to. */
export interface Pl031Options {
  readonly line: IrqLine;
  readonly queue: EventQueue;
  /** Unique key in the event queue. */
  readonly key: string;
  readonly ticksPerSecond: number;
  /** Seconds since 1970 at tick 0. */
  readonly startSeconds: number;
}

/** Plain-data form. */
export interface SavedPl031 {
  readonly kind: 'pl031'; readonly version: 1;
  readonly offset: number; readonly match: number; readonly load: number; readonly mask: number; readonly raw: number; readonly level: boolean; readonly armed: boolean;
}

/** The chip. Accesses of 8, 16 and 32 bits. */
export class Pl031 implements RegisterDevice {
  readonly kind = 'pl031';
  private readonly options: Pl031Options;
  private readonly map: RegisterMap;
  /** Added to the seconds of virtual time, modulo 2^32. */
  private offset: number;
  private match = 0;
  private load = 0;
  private mask = 0;
  private raw = 0;
  private level = false;
  /** A match value or a time was written, and the match has not come yet. */
  private armed = false;

  constructor(options: Pl031Options) {
    this.options = options;
    this.offset = options.startSeconds >>> 0;
    this.map = registerMap(PL031_REGISTERS, this.handlers(), 'first-byte');
  }

  /** Seconds now, modulo 2^32. */
  get seconds(): number {
    return (this.elapsedSeconds + this.offset) % 2 ** 32;
  }

  read(offset: number, sizeBytes: number): bigint | undefined {
    return this.map.read(offset, sizeBytes);
  }

  write(offset: number, sizeBytes: number, value: bigint): boolean {
    return this.map.write(offset, sizeBytes, value);
  }

  /** Register values for the debugger. */
  registers(): RegisterView[] {
    return this.map.registers();
  }

  /** Registers as after power-on; the clock itself goes on, as a battery-backed one does. */
  reset(): void {
    this.match = 0;
    this.load = 0;
    this.mask = 0;
    this.raw = 0;
    this.armed = false;
    this.schedule();
    this.drive();
  }

  save(): SavedPl031 {
    return { kind: 'pl031', version: 1, offset: this.offset, match: this.match, load: this.load, mask: this.mask, raw: this.raw, level: this.level, armed: this.armed };
  }

  restore(saved: SavedPl031): void {
    this.offset = saved.offset;
    this.match = saved.match;
    this.load = saved.load;
    this.mask = saved.mask;
    this.raw = saved.raw;
    this.level = saved.level;
    this.armed = saved.armed;
    this.schedule();
  }

  private get elapsedSeconds(): number {
    return Math.floor(this.options.queue.now / this.options.ticksPerSecond);
  }

  private handlers(): RegisterHandlers<typeof PL031_REGISTERS> {
    return {
      RTCDR: { read: () => this.seconds },
      RTCMR: { read: () => this.match, write: (value) => { this.match = value; this.arm(); } },
      RTCLR: { read: () => this.load, write: (value) => { this.setSeconds(value); } },
      RTCCR: { read: () => 1, write: () => undefined },
      RTCIMSC: { read: () => this.mask, write: (value) => { this.mask = value & 1; this.drive(); } },
      RTCRIS: { read: () => this.raw },
      RTCMIS: { read: () => this.raw & this.mask },
      RTCICR: { write: (value) => { this.raw &= ~value; this.drive(); } },
      ...primeCellIdHandlers(0x031, 1),
    };
  }

  private setSeconds(value: number): void {
    this.load = value;
    this.offset = (value - (this.elapsedSeconds % 2 ** 32)) >>> 0;
    this.arm();
  }

  private arm(): void {
    this.armed = true;
    this.schedule();
  }

  /** Waits for the tick at which the seconds become equal to the match value; equal already counts at once. */
  private schedule(): void {
    const { queue, key, ticksPerSecond } = this.options;
    const ahead = (this.match - this.seconds) >>> 0;
    const at = Math.max((this.elapsedSeconds + ahead) * ticksPerSecond, queue.now);
    if (this.armed && Number.isSafeInteger(at)) queue.schedule(key, ticks(at), () => { this.fire(); });
    else queue.cancel(key);
  }

  private fire(): void {
    this.armed = false;
    this.raw = 1;
    this.drive();
  }

  private drive(): void {
    const level = (this.raw & this.mask) !== 0;
    if (level === this.level) return;
    this.level = level;
    this.options.line.setLevel(level);
  }
}
