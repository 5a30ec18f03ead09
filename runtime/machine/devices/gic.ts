/**
 * A GICv3 for one virtual machine: distributor, one redistributor and one CPU interface per CPU. A pure chip model; where the
 * frames lie, which objects drive the lines and who the CPUs are is the caller's business (`hypervisor/vic.ts`).
 *
 * One security state: group 0 drives FIQ, group 1 drives IRQ. No LPIs, no ITS, no legacy mode, no 1-of-N routing. Whether it is Gunyah's
 * virtual one or a physical one says its profile (`gic-profile.ts`).
 */

import { assert, present } from '../../base/assert';
import { CPU_INTERFACE_REGISTERS, GicCpuInterface } from './gic-cpu-interface';
import type { SavedCpuInterface } from './gic-cpu-interface';
import { distributorRegisters, readDistributor, readRedistributor, redistributorRegisters, writeDistributor, writeRedistributor } from './gic-frames';
import type { GicFrameContext, GicFrameState, RegisterValue } from './gic-frames';
import { GicInterrupts } from './gic-interrupts';
import type { GicObserver, InterruptEvent, InterruptHooks, SavedInterrupts } from './gic-interrupt-types';
import { GUNYAH_GIC, type GicProfile } from './gic-profile';

/** Reasons of a maintenance interrupt (ICH_MISR_EL2): group 0, group 1 was closed. */
const CLOSED_GROUP0 = 0x20;
const CLOSED_GROUP1 = 0x80;

/** Fixed properties of one GIC. */
export interface GicOptions {
  readonly cpuCount: number;
  /** SPIs, 0..988; interrupt numbers 32.. */
  readonly spiCount: number;
  /** Aff3.Aff2.Aff1.Aff0 of each CPU as 32 bits. Unless given, Aff0 is the index. */
  readonly affinityOf?: (cpu: number) => number;
  /** GICR_TYPER.Last; unless given, true for the highest index. */
  readonly isLast?: (cpu: number) => boolean;
  /** Gunyah's virtual one unless given. */
  readonly profile?: GicProfile;
}

/** What the GIC drives and asks. */
export interface GicPort {
  /** New levels of a CPU's IRQ and FIQ inputs. Called only when one of them changes. */
  readonly setSignals: (cpu: number, irq: boolean, fiq: boolean) => void;
  /** Whether the level source of this interrupt still holds. `cpu` is defined for private interrupts; `isReasserted`: it was asserted once more than the guest has taken it. */
  readonly checkPending: (intid: number, cpu: number | undefined, isReasserted: boolean) => boolean;
  /** Whether this interrupt has a source that makes it edge-triggered, however it is configured; unless given, none has. */
  readonly isAlwaysEdge?: (intid: number, cpu: number | undefined) => boolean;
  /** Follows what happens inside, for a trace; must not call back into the GIC. */
  readonly inside?: GicObserver;
  /** Whether a CPU runs just now, so that what is listed there cannot be seen from elsewhere; unless given, none does. */
  readonly isRunning?: (cpu: number) => boolean;
  /** For trace; must not call back into the GIC. */
  readonly event?: (event: InterruptEvent, intid: number, cpu: number | undefined) => void;
}

/** State of one interrupt for the debugger. */
export interface InterruptView {
  readonly intid: number; readonly pending: boolean; readonly active: boolean; readonly enabled: boolean;
  readonly group: 0 | 1; readonly priority: number; readonly trigger: 'edge' | 'level'; readonly cpu: number | undefined;
}

/** Plain-data form of a GIC. */
export interface SavedGic {
  readonly kind: 'gic'; readonly version: 1;
  readonly interrupts: SavedInterrupts;
  readonly control: number; readonly distributorStatus: number;
  readonly redistributorStatus: readonly number[]; readonly asleep: readonly boolean[];
  readonly cpus: readonly SavedCpuInterface[];
  readonly signals: readonly number[];
}

/** One memory access to a frame. `value` only for writes. */
export interface FrameAccess { readonly offset: number; readonly sizeBytes: number; readonly value: bigint }

/** The chip. */
export class Gic {
  readonly cpuCount: number;
  readonly interrupts: GicInterrupts;
  private readonly port: GicPort;
  private readonly profile: GicProfile;
  private readonly frame: GicFrameContext;
  private readonly state: GicFrameState;
  private readonly cpus: readonly GicCpuInterface[];
  /** Bit 0 IRQ, bit 1 FIQ, per CPU, as last driven. */
  private readonly signals: number[];
  private readonly offers: (number | undefined)[] = [];
  /** Which CPUs `update` has just offered something. */
  private readonly isOffered: boolean[] = [];

  constructor(options: GicOptions, port: GicPort) {
    const { cpuCount, profile = GUNYAH_GIC } = options;
    const spiCount = Math.min(options.spiCount, profile.spiCountMax);
    this.profile = profile;
    const affinityOf = options.affinityOf ?? ((cpu): number => cpu);
    this.cpuCount = cpuCount;
    this.port = port;
    this.state = { control: 0, distributorStatus: 0, redistributorStatus: filled(cpuCount, 0), asleep: filled(cpuCount, profile.sleepsAtReset) };
    this.signals = filled(cpuCount, 0);
    this.interrupts = new GicInterrupts({ cpuCount, spiCount }, {
      ...(port.inside === undefined ? {} : { deliveries: this.deliveriesTo(port.inside), maintenance: port.inside.maintenance }),
      checkPending: (slot, isReasserted) => port.checkPending(this.interrupts.intidOf(slot), this.privateCpu(slot), isReasserted),
      isAlwaysEdge: (slot) => port.isAlwaysEdge?.(this.interrupts.intidOf(slot), this.privateCpu(slot)) ?? false,
      isRunning: (cpu) => port.isRunning?.(cpu) ?? false,
      event: (event, slot, cpu) => port.event?.(event, this.interrupts.intidOf(slot), cpu),
      accepts: (cpu, group) => this.cpuInterface(cpu).reaches(group),
    }, profile);
    const cpuOfAffinity = (affinity: number): number | undefined => {
      for (let cpu = 0; cpu < cpuCount; cpu++) if (affinityOf(cpu) === affinity) return cpu;
      return undefined;
    };
    this.frame = {
      ...(port.inside === undefined ? {} : { observer: port.inside }), profile, interrupts: this.interrupts, state: this.state, affinityOf, cpuOfAffinity, isLast: options.isLast ?? ((cpu): boolean => cpu === cpuCount - 1),
      isOpen: (cpu) => this.cpuInterface(cpu).accepts(0) || this.cpuInterface(cpu).accepts(1),
    };
    this.cpus = filled(cpuCount, 0).map((_, cpu) => new GicCpuInterface({
      interrupts: this.interrupts, profile, cpu,
      ...(port.inside === undefined ? {} : { groupWritten: (group: 0 | 1, enabled: boolean) => { port.inside?.group(cpu, group, enabled); }, groupsClosed: (groups: readonly (0 | 1)[]) => { port.inside?.closed(cpu, groups.reduce<number>((reasons, group) => reasons | (group === 0 ? CLOSED_GROUP0 : CLOSED_GROUP1), 0)); } }),
      distributorEnabled: (group) => ((this.state.control >>> group) & 1) !== 0,
      cpusByList: (affinity321, rangeBase, list) => cpusInList(list, (aff0) => cpuOfAffinity(((affinity321 << 8) | (rangeBase + aff0)) >>> 0)),
    }));
  }

  /** Everything as after power-on, signals low. */
  reset(): void {
    this.interrupts.reset();
    this.state.control = 0;
    this.state.distributorStatus = 0;
    this.state.redistributorStatus.fill(0);
    this.state.asleep.fill(this.profile.sleepsAtReset);
    for (const cpu of this.cpus) cpu.reset();
    this.update();
  }

  /** The CPU interface of one CPU as after that CPU's power-on. */
  resetCpu(cpu: number): void {
    this.cpuInterface(cpu).reset();
    this.interrupts.touched.add(cpu);
    this.interrupts.closeCpu(cpu);
    this.update();
  }

  /** What a hypervisor does with the CPU interface of a CPU that it powers off: registers as after reset if a group is enabled there, active priorities apart. */
  stopCpu(cpu: number): void {
    if (!this.cpuInterface(cpu).stop()) return;
    this.interrupts.touched.add(cpu);
    this.interrupts.closeCpu(cpu);
    this.update();
  }

  /** A distributor read by CPU `cpu`; `undefined` is an abort. */
  readDistributor(cpu: number, offset: number, sizeBytes: number): bigint | undefined {
    return readDistributor(this.frame, cpu, offset, sizeBytes);
  }

  /** A distributor write by CPU `cpu`; false is an abort. */
  writeDistributor(cpu: number, access: FrameAccess): boolean {
    const accepted = writeDistributor(this.frame, cpu, access);
    // GICD_CTLR decides for all.
    this.interrupts.touched.addAll();
    this.update();
    return accepted;
  }

  /** A read of CPU `cpu`'s redistributor by `accessor`; `undefined` is an abort. */
  readRedistributor(cpu: number, offset: number, sizeBytes: number, accessor = cpu): bigint | undefined {
    return readRedistributor(this.frame, { cpu, accessor }, offset, sizeBytes);
  }

  /** A write to CPU `cpu`'s redistributor by `accessor`; false is an abort. */
  writeRedistributor(cpu: number, access: FrameAccess, accessor = cpu): boolean {
    const accepted = writeRedistributor(this.frame, { cpu, accessor }, access);
    this.interrupts.touched.add(cpu);
    this.update();
    return accepted;
  }

  /** Reads an ICC_* register as `cpu`. `undefined` as text means the instruction is UNDEFINED. */
  readSystemRegister(cpu: number, name: string): bigint | 'undefined' {
    const value = this.cpuInterface(cpu).read(name);
    this.interrupts.touched.add(cpu);
    this.update();
    return value === undefined ? 'undefined' : BigInt(value);
  }

  /** Writes an ICC_* register as `cpu`. */
  writeSystemRegister(cpu: number, name: string, value: bigint): 'ok' | 'undefined' {
    const accepted = this.cpuInterface(cpu).write(name, value);
    this.interrupts.touched.add(cpu);
    this.update();
    return accepted ? 'ok' : 'undefined';
  }

  /** A source asserts an interrupt, as a level or as a pulse. False if there is no such interrupt. */
  assert(intid: number, cpu: number, as: 'level' | 'edge'): boolean {
    const slot = this.interrupts.slotOf(cpu, intid);
    if (slot === undefined) return false;
    if (as === 'level') this.interrupts.assertLevel(slot);
    else this.interrupts.assertEdge(slot);
    this.update();
    return true;
  }

  /** A source's level has fallen: at once where levels are live, else at the next look. */
  lower(intid: number, cpu: number): void {
    const slot = this.interrupts.slotOf(cpu, intid);
    if (slot === undefined) return;
    this.interrupts.lowerLevel(slot);
    this.update();
  }

  /** A source takes its assertion back at once. */
  clear(intid: number, cpu: number): void {
    const slot = this.interrupts.slotOf(cpu, intid);
    if (slot !== undefined) this.interrupts.clearSource(slot);
    this.update();
  }

  /** State of one interrupt as `cpu` sees it; `undefined` if there is none of that number. */
  inspect(intid: number, cpu: number): InterruptView | undefined {
    const slot = this.interrupts.slotOf(cpu, intid);
    if (slot === undefined) return undefined;
    const { interrupts } = this;
    return {
      intid, pending: interrupts.test(slot, 'pending'), active: interrupts.test(slot, 'active'), enabled: interrupts.test(slot, 'enabled'),
      group: interrupts.test(slot, 'group1') ? 1 : 0, priority: interrupts.priorityOf(slot),
      trigger: interrupts.test(slot, 'edgeTriggered') ? 'edge' : 'level', cpu: interrupts.cpuOf(slot),
    };
  }

  /** Levels last driven to a CPU. */
  signalsOf(cpu: number): { readonly irq: boolean; readonly fiq: boolean } {
    const signals = this.signals[cpu] ?? 0;
    return { irq: (signals & 1) !== 0, fiq: (signals & 2) !== 0 };
  }

  /** Register view of the distributor as `cpu` sees it; no side effects. */
  distributorRegisters(cpu = 0): RegisterValue[] {
    return distributorRegisters(this.frame, cpu);
  }

  /** Register view of one redistributor; no side effects. */
  redistributorRegisters(cpu: number): RegisterValue[] {
    return redistributorRegisters(this.frame, cpu);
  }

  /** ICC_* registers of one CPU that can be read without effect. */
  cpuRegisters(cpu: number): { readonly name: string; readonly value: bigint }[] {
    const values: { name: string; value: bigint }[] = [];
    for (const name of CPU_INTERFACE_REGISTERS) {
      const value = name.startsWith('ICC_IAR') || name.startsWith('ICC_HPPIR') ? undefined : this.cpuInterface(cpu).read(name);
      if (value !== undefined) values.push({ name, value: BigInt(value) });
    }
    return values;
  }

  save(): SavedGic {
    const { control, distributorStatus, redistributorStatus, asleep } = this.state;
    return {
      kind: 'gic', version: 1, interrupts: this.interrupts.save(), control, distributorStatus,
      redistributorStatus: [...redistributorStatus], asleep: [...asleep], cpus: this.cpus.map((cpu) => cpu.save()), signals: [...this.signals],
    };
  }

  /** Takes a saved state back. The CPU inputs are part of the CPUs' own state and are not driven again. */
  restore(saved: SavedGic): void {
    assert(saved.cpus.length === this.cpuCount, 'saved GIC has another number of CPUs');
    this.interrupts.restore(saved.interrupts);
    this.state.control = saved.control;
    this.state.distributorStatus = saved.distributorStatus;
    for (let cpu = 0; cpu < this.cpuCount; cpu++) {
      this.state.redistributorStatus[cpu] = saved.redistributorStatus[cpu] ?? 0;
      this.state.asleep[cpu] = saved.asleep[cpu] ?? false;
      this.signals[cpu] = saved.signals[cpu] ?? 0;
      this.cpuInterface(cpu).restore(present(saved.cpus[cpu], 'saved CPU interface'));
    }
  }

  /**
   * Offers what is deliverable and drives the CPU inputs that changed. Only CPUs with a change since they were last offered something: for the
   * others the same would come out, as `gic.test.ts` checks.
   */
  private update(): void {
    const { offers, interrupts, isOffered } = this;
    for (let cpu = 0; cpu < this.cpuCount; cpu++) {
      const isTouched = interrupts.touched.take(cpu);
      isOffered[cpu] = isTouched;
      if (isTouched) offers[cpu] = interrupts.offer(cpu);
    }
    interrupts.log.settle();
    for (let cpu = 0; cpu < this.cpuCount; cpu++) {
      if (isOffered[cpu] !== true && !interrupts.touched.has(cpu)) continue;
      const slot = offers[cpu];
      const signal = slot === undefined || !this.cpuInterface(cpu).preempts(slot) ? 0 : this.interrupts.isOfferedInGroup1(slot) ? 1 : 2;
      if (signal === this.signals[cpu]) continue;
      this.signals[cpu] = signal;
      this.port.setSignals(cpu, signal === 1, signal === 2);
    }
  }

  private deliveriesTo(observer: GicObserver): NonNullable<InterruptHooks['deliveries']> {
    return { wanted: observer.wanted, tell: ({ slot, ...delivery }) => { observer.delivery({ ...delivery, intid: this.interrupts.intidOf(slot), cpu: delivery.at ?? this.interrupts.cpuOf(slot) }); } };
  }

  private cpuInterface(cpu: number): GicCpuInterface {
    return present(this.cpus[cpu], 'no such CPU in this GIC');
  }

  private privateCpu(slot: number): number | undefined {
    return slot < this.cpuCount * 32 ? slot >>> 5 : undefined;
  }
}

function filled<T>(count: number, value: T): T[] {
  return new Array<T>(count).fill(value);
}

/** The CPUs that the set bits of a 16-bit target list name. */
function cpusInList(list: number, cpuOf: (aff0: number) => number | undefined): number[] {
  const cpus: number[] = [];
  for (let bit = 0; bit < 16; bit++) {
    const cpu = ((list >>> bit) & 1) !== 0 ? cpuOf(bit) : undefined;
    if (cpu !== undefined) cpus.push(cpu);
  }
  return cpus;
}
