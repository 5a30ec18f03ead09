/**
 * The performance monitors of one vCPU: six event counters and the cycle counter, with their overflow interrupt.
 *
 * Nothing counts while the guest runs. The engine says how many instructions the vCPU has retired at each exception level, and a cycle is an
 * instruction here, so a counter's value is worked out when somebody looks: at a register access, and at the time at which the next
 * overflow with an interrupt can happen at the earliest. Cycles stop while the vCPU waits or others run.
 * Registers of the debug architecture that EL2 catches read as zero. Source: Arm ARM (DDI 0487) D13, D19.5.
 */

import { ticks } from '../base/brands';
import type { EventQueue } from '../machine/interface';

const COUNTER_COUNT = 6;
/** Index of the cycle counter in PMCNTENSET and friends. */
const CYCLES = 31;
const COUNTER_INDEXES: readonly number[] = [0, 1, 2, 3, 4, 5, CYCLES];
const COUNTER_BITS = (1n << BigInt(CYCLES)) | ((1n << BigInt(COUNTER_COUNT)) - 1n);
/** PMCR_EL0: N, then E, P, C, D, X, DP, LC, LP. */
const CONTROL = { enable: 1n, resetEvents: 2n, resetCycles: 4n, divide: 8n, longCycles: 1n << 6n, longEvents: 1n << 7n };
const CONTROL_KEPT = 0x79n;
/** ID_AA64DFR0_EL1.PMUVer of PMUv3 for Armv8.1, 8.4 and 8.5. */
const VERSION = { armv81: 4, armv84: 5, armv85: 6 } as const;
const EVENT = { softwareIncrement: 0x00n, instructionsRetired: 0x08n, cycles: 0x11n, chain: 0x1en } as const;
const EVENTS_PRESENT = [EVENT.softwareIncrement, EVENT.instructionsRetired, EVENT.cycles, EVENT.chain].reduce<bigint>((bits, event) => bits | (1n << event), 0n);
/** STALL_FRONTEND and STALL_BACKEND, which never happen here but have to exist; then STALL. */
const STALLS_OF_ARMV81 = 0x18n;
const STALL_OF_ARMV84 = 1n << 28n;
/** P, U, NSK, NSU, NSH, M of a filter. */
const FILTER = { el1: 1n << 31n, el0: 1n << 30n, nonSecureEl1: 1n << 29n, nonSecureEl0: 1n << 28n };
const FILTER_BITS = 0xfc00_0000n;
const TYPE_FILTER_BITS = 0xfe00_0000n;
const LOW_32 = 0xffff_ffffn;
const CYCLES_DIVIDER = 64n;
/** Looking for an overflow more often than this would slow the machine; the interrupt may come this late. */
const LOOK_TICKS_MIN = 256;

/** Debug registers that EL2 catches. */
const CAUGHT: ReadonlySet<string> = new Set([
  'OSLAR_EL1', 'OSLSR_EL1', 'OSDLR_EL1', 'DBGPRCR_EL1', 'MDRAR_EL1', 'MDCCINT_EL1', 'MDCCSR_EL0', 'DBGDTR_EL0', 'DBGDTRRX_EL0', 'OSDTRRX_EL1', 'OSDTRTX_EL1', 'OSECCR_EL1',
]);

type Pair = 'enabled' | 'interrupts' | 'overflows';

/** Set and clear registers over one value. */
const PAIRS: Readonly<Record<string, { readonly value: Pair; readonly sets: boolean }>> = {
  PMCNTENSET_EL0: { value: 'enabled', sets: true }, PMCNTENCLR_EL0: { value: 'enabled', sets: false },
  PMINTENSET_EL1: { value: 'interrupts', sets: true }, PMINTENCLR_EL1: { value: 'interrupts', sets: false },
  PMOVSSET_EL0: { value: 'overflows', sets: true }, PMOVSCLR_EL0: { value: 'overflows', sets: false },
};

/** The vCPU around the monitors. */
export interface MonitoredVcpu {
  /** PMCR_EL0 without its writable bits. */
  readonly control: bigint;
  /** ID_AA64DFR0_EL1.PMUVer. */
  readonly version: number;
  /** Whether EL3 exists, so that filters speak of the Non-secure state. */
  readonly hasEl3: boolean;
  readonly queue: EventQueue;
  /** Name of the deadline, unique among all vCPUs. */
  readonly key: string;
  /** The current exception level. */
  el(): number;
  /** Instructions retired at an exception level. */
  retiredAt(el: 0 | 1): number;
  /** The overflow interrupt's level. */
  setLevel(level: boolean): void;
}

/** Plain-data form. */
export interface SavedMonitors {
  readonly control: bigint;
  readonly selected: bigint;
  readonly enabled: bigint;
  readonly interrupts: bigint;
  readonly overflows: bigint;
  /** By counter: value, type (a filter for the cycle counter), part of a cycle that is not counted yet. */
  readonly counters: readonly (readonly [value: bigint, type: bigint, rest: bigint])[];
  readonly seen: readonly [number, number];
  readonly level: boolean;
  readonly deadline: number | null;
}

interface Counter { readonly index: number; value: bigint; type: bigint; rest: bigint }

/** The monitors of one vCPU. */
export class PerformanceMonitors {
  private readonly vcpu: MonitoredVcpu;
  private readonly counters: readonly Counter[] = COUNTER_INDEXES.map((index) => ({ index, value: 0n, type: 0n, rest: 0n }));
  private control = 0n;
  private selected = 0n;
  private enabled = 0n;
  private interrupts = 0n;
  private overflows = 0n;
  /** What the vCPU had retired at EL0 and EL1 when the counters were brought up to date. */
  private seen: [number, number];
  private level = false;
  private deadline: number | undefined;

  constructor(vcpu: MonitoredVcpu) {
    this.vcpu = vcpu;
    this.seen = [vcpu.retiredAt(0), vcpu.retiredAt(1)];
  }

  /** The overflow interrupt's level. */
  get output(): boolean {
    return (this.control & CONTROL.enable) !== 0n && (this.overflows & this.interrupts) !== 0n;
  }

  /** Reads a register; `undefined` if it does not exist. */
  read(name: string): bigint | undefined {
    if (CAUGHT.has(name)) return 0n;
    this.catchUp();
    const pair = PAIRS[name];
    if (pair !== undefined) return this[pair.value];
    const counter = this.counterOf(name);
    if (counter !== undefined) return /CNTR/.test(name) ? counter.value : counter.type;
    switch (name) {
      case 'PMCR_EL0': return this.vcpu.control | this.control;
      case 'PMSELR_EL0': return this.selected;
      case 'PMCEID0_EL0': return EVENTS_PRESENT;
      case 'PMCEID1_EL0': return (this.vcpu.version >= VERSION.armv81 ? STALLS_OF_ARMV81 : 0n) | (this.vcpu.version >= VERSION.armv84 ? STALL_OF_ARMV84 : 0n);
      case 'PMMIR_EL1': case 'PMXEVTYPER_EL0': case 'PMXEVCNTR_EL0': return 0n;
      default: return undefined;
    }
  }

  /** Writes a register; false if it does not exist. */
  write(name: string, value: bigint): boolean {
    if (CAUGHT.has(name)) return true;
    this.catchUp();
    const isDone = this.store(name, value);
    this.update();
    return isDone;
  }

  private store(name: string, value: bigint): boolean {
    const pair = PAIRS[name];
    if (pair !== undefined) {
      this[pair.value] = pair.sets ? this[pair.value] | (value & COUNTER_BITS) : this[pair.value] & ~value;
      return true;
    }
    const counter = this.counterOf(name);
    if (counter !== undefined) {
      if (/CNTR/.test(name)) this.setCounter(counter, value);
      else counter.type = value & this.typeBits(counter);
      return true;
    }
    switch (name) {
      case 'PMCR_EL0': this.writeControl(value); return true;
      case 'PMSELR_EL0': this.selected = value & 0x1fn; return true;
      case 'PMSWINC_EL0': this.softwareIncrement(value); return true;
      case 'PMXEVTYPER_EL0': case 'PMXEVCNTR_EL0': return true;
      default: return false;
    }
  }

  /** Something happened on the vCPU after it stood still: overflows are looked for again. */
  wake(): void {
    if (this.deadline !== undefined) return;
    this.catchUp();
    this.update();
  }

  /** Gives up deadline and interrupt. */
  release(): void {
    this.vcpu.queue.cancel(this.vcpu.key);
  }

  save(): SavedMonitors {
    const { control, selected, enabled, interrupts, overflows, seen, level, deadline } = this;
    return {
      control, selected, enabled, interrupts, overflows, level, seen: [seen[0], seen[1]], deadline: deadline ?? null,
      counters: this.counters.map(({ value, type, rest }) => [value, type, rest]),
    };
  }

  restore(saved: SavedMonitors): void {
    this.control = saved.control;
    this.selected = saved.selected;
    this.enabled = saved.enabled;
    this.interrupts = saved.interrupts;
    this.overflows = saved.overflows;
    this.seen = [saved.seen[0], saved.seen[1]];
    this.level = saved.level;
    saved.counters.forEach(([value, type, rest], n) => { Object.assign(this.counters[n] ?? {}, { value, type, rest }); });
    this.scheduleAt(saved.deadline ?? undefined);
  }

  /** The counter that a counter or type register belongs to. */
  private counterOf(name: string): Counter | undefined {
    if (name === 'PMCCNTR_EL0' || name === 'PMCCFILTR_EL0') return this.counterAt(CYCLES);
    if (name === 'PMXEVTYPER_EL0') return this.counterAt(Number(this.selected));
    if (name === 'PMXEVCNTR_EL0') return this.selected === BigInt(CYCLES) ? undefined : this.counterAt(Number(this.selected));
    const match = /^PMEV(?:CNTR|TYPER)(\d+)_EL0$/.exec(name);
    return match === null ? undefined : this.counterAt(Number(match[1]));
  }

  private counterAt(index: number): Counter | undefined {
    return this.counters.find((counter) => counter.index === index);
  }

  private typeBits({ index }: Counter): bigint {
    if (index === CYCLES) return FILTER_BITS;
    return TYPE_FILTER_BITS | (this.vcpu.version >= VERSION.armv81 ? 0xffffn : 0x3ffn);
  }

  /** Event counters are of 32 bits, and of 64 from Armv8.5 on. */
  private setCounter(counter: Counter, value: bigint): void {
    const isLong = counter.index === CYCLES || this.vcpu.version >= VERSION.armv85;
    counter.value = isLong ? BigInt.asUintN(64, value) : value & LOW_32;
    counter.rest = 0n;
  }

  private writeControl(value: bigint): void {
    for (const counter of this.counters) if ((value & (counter.index === CYCLES ? CONTROL.resetCycles : CONTROL.resetEvents)) !== 0n) this.setCounter(counter, 0n);
    this.control = value & (this.vcpu.version >= VERSION.armv85 ? CONTROL_KEPT | CONTROL.longEvents : CONTROL_KEPT);
  }

  private isCounting({ index }: Counter): boolean {
    return (this.control & CONTROL.enable) !== 0n && ((this.enabled >> BigInt(index)) & 1n) === 1n;
  }

  /** Whether a filter lets events of an exception level through. */
  private counts({ type }: Counter, el: number): boolean {
    const excludes = (type & (el === 0 ? FILTER.el0 : FILTER.el1)) !== 0n;
    const inverts = this.vcpu.hasEl3 && (type & (el === 0 ? FILTER.nonSecureEl0 : FILTER.nonSecureEl1)) !== 0n;
    return excludes === inverts;
  }

  private eventOf({ index, type }: Counter): bigint {
    return index === CYCLES ? EVENT.cycles : type & 0xffffn;
  }

  /** Ends of the range in which a counter runs. */
  private limitOf({ index }: Counter): bigint {
    const isLong = (this.control & (index === CYCLES ? CONTROL.longCycles : CONTROL.longEvents)) !== 0n;
    return isLong ? 1n << 64n : 1n << 32n;
  }

  private dividerOf({ index }: Counter): bigint {
    return index === CYCLES && (this.control & (CONTROL.divide | CONTROL.longCycles)) === CONTROL.divide ? CYCLES_DIVIDER : 1n;
  }

  /** True for events that are instructions: here cycles are, too. */
  private countsInstructions(counter: Counter): boolean {
    const event = this.eventOf(counter);
    return this.isCounting(counter) && (event === EVENT.cycles || event === EVENT.instructionsRetired);
  }

  /** Brings the counters up to date. */
  private catchUp(): void {
    const now: [number, number] = [this.vcpu.retiredAt(0), this.vcpu.retiredAt(1)];
    const [el0, el1] = [BigInt(now[0] - this.seen[0]), BigInt(now[1] - this.seen[1])];
    this.seen = now;
    for (const counter of this.counters) {
      if (!this.countsInstructions(counter)) continue;
      const total = counter.rest + (this.counts(counter, 0) ? el0 : 0n) + (this.counts(counter, 1) ? el1 : 0n);
      const divider = this.dividerOf(counter);
      counter.rest = total % divider;
      this.add(counter, total / divider);
    }
  }

  /** Adds events; an overflow sets its flag, and an odd neighbour that counts overflows goes on. */
  private add(counter: Counter, amount: bigint): void {
    const limit = this.limitOf(counter);
    const overflowCount = (counter.value % limit + amount) / limit;
    const isLong = counter.index === CYCLES || this.vcpu.version >= VERSION.armv85;
    counter.value = BigInt.asUintN(isLong ? 64 : 32, counter.value + amount);
    if (overflowCount === 0n) return;
    this.overflows |= 1n << BigInt(counter.index);
    const next = (counter.index & 1) === 0 ? this.counterAt(counter.index + 1) : undefined;
    if (next !== undefined && this.eventOf(next) === EVENT.chain && this.isCounting(next)) this.add(next, overflowCount);
  }

  private softwareIncrement(value: bigint): void {
    for (const counter of this.counters) {
      const isAsked = counter.index !== CYCLES && ((value >> BigInt(counter.index)) & 1n) === 1n;
      if (isAsked && this.isCounting(counter) && this.eventOf(counter) === EVENT.softwareIncrement && this.counts(counter, this.vcpu.el())) this.add(counter, 1n);
    }
  }

  /** Drives the interrupt and sets the next look. */
  private update(): void {
    const level = this.output;
    if (level !== this.level) {
      this.level = level;
      this.vcpu.setLevel(level);
    }
    const left = this.counters.filter((counter) => this.countsInstructions(counter) && this.mayInterrupt(counter)).map((counter) =>
      Number((this.limitOf(counter) - (counter.value % this.limitOf(counter))) * this.dividerOf(counter)));
    const soonest = Math.min(...left);
    const at = this.vcpu.queue.now + Math.max(LOOK_TICKS_MIN, soonest);
    this.scheduleAt(Number.isSafeInteger(at) ? at : undefined);
  }

  /** True if an overflow would raise the interrupt, directly or through the counter chained to it, and it is not raised yet. */
  private mayInterrupt({ index }: Counter): boolean {
    const awaited = this.interrupts & ~this.overflows;
    const next = (index & 1) === 0 ? this.counterAt(index + 1) : undefined;
    const isChained = next !== undefined && this.eventOf(next) === EVENT.chain && ((awaited >> BigInt(index + 1)) & 1n) === 1n;
    return isChained || ((awaited >> BigInt(index)) & 1n) === 1n;
  }

  private scheduleAt(deadline: number | undefined): void {
    const { queue, key } = this.vcpu;
    this.deadline = deadline;
    if (deadline === undefined) queue.cancel(key);
    else queue.schedule(key, ticks(deadline), () => { this.look(); });
  }

  /** The time at which an overflow was possible. A vCPU that has stood still since then is looked at again when it is back. */
  private look(): void {
    const before = this.seen;
    this.catchUp();
    this.update();
    if (before[0] === this.seen[0] && before[1] === this.seen[1]) this.scheduleAt(undefined);
  }
}
