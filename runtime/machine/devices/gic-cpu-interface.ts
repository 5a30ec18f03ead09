/**
 * The CPU interface of a GICv3 as one VM's CPU sees it through the ICC_* system registers: priorities, preemption,
 * acknowledge, end of interrupt, software-generated interrupts. One security state; group 0 is signalled as FIQ, group 1 as
 * IRQ. 5 priority bits, A3V. Source: Arm GIC architecture (IHI 0069) 4.6–4.8, 12.2; that registers of a disabled group are UNDEFINED
 * under Gunyah was observed on the real hypervisor.
 */

import type { GicInterrupts } from './gic-interrupts';
import type { GicProfile } from './gic-profile';

/** Names of the system registers that the CPU interface answers. */
export type CpuInterfaceRegister = keyof typeof HANDLERS;

/** Interrupt number that says "nothing to acknowledge". */
const SPURIOUS = 1023;
const IDLE_PRIORITY = 0xff;
const BPR0_MIN = 2;
const BPR1_MIN = 3;
/** PRIbits 4 (five bits), IDbits 1 (24 bits), A3V. */
const CTLR_FIXED = 0x8c00;

/** What a CPU interface needs from the rest of the GIC. */
export interface CpuInterfacePort {
  readonly interrupts: GicInterrupts;
  readonly profile: GicProfile;
  readonly cpu: number;
  /** GICD_CTLR's enable bit of the group. */
  readonly distributorEnabled: (group: 0 | 1) => boolean;
  /** Told when the guest writes the enable of a group that is not open, or closes one that is. */
  readonly groupWritten?: (group: 0 | 1, enabled: boolean) => void;
  readonly groupsClosed?: (groups: readonly (0 | 1)[]) => void;
  /** CPUs with these affinities: Aff3.Aff2.Aff1 and a 16-bit list of Aff0 starting at `rangeBase`. */
  readonly cpusByList: (affinity321: number, rangeBase: number, list: number) => readonly number[];
}

/** Plain-data form. */
export interface SavedCpuInterface {
  readonly pmr: number; readonly bpr: readonly number[]; readonly apr: readonly number[];
  readonly enabled: readonly boolean[]; readonly cbpr: boolean; readonly eoiMode: number; readonly isClosedUnnoticed: boolean;
}

/** Registers of one CPU's interface. */
export class GicCpuInterface {
  readonly port: CpuInterfacePort;
  private pmr = 0;
  private bpr: [number, number] = [BPR0_MIN, BPR1_MIN];
  private apr: [number, number] = [0, 0];
  private enabled: [boolean, boolean] = [false, false];
  private cbpr = false;
  private eoiMode = 0;
  /** Group 0 was closed while group 1 is open: on QEMU no hypervisor is told of that before group 1 is closed too. */
  private isClosedUnnoticed = false;

  constructor(port: CpuInterfacePort) {
    this.port = port;
  }

  /** As after power-on of the CPU: groups disabled, everything masked. */
  reset(): void {
    this.restore({ pmr: 0, bpr: [BPR0_MIN, BPR1_MIN], apr: [0, 0], enabled: [false, false], cbpr: false, eoiMode: 0, isClosedUnnoticed: false });
  }

  /** Resets all but active priorities if a group is enabled; whether it was. */
  stop(): boolean {
    if (!this.accepts(0) && !this.accepts(1)) return false;
    this.restore({ pmr: 0, bpr: [BPR0_MIN, BPR1_MIN], apr: this.apr, enabled: [false, false], cbpr: false, eoiMode: 0, isClosedUnnoticed: false });
    return true;
  }

  /** True if the group is enabled here and in the distributor. */
  accepts(group: 0 | 1): boolean {
    return this.enabled[group] && this.port.distributorEnabled(group);
  }

  /** Priority of the highest active interrupt, 0xFF if none. */
  get runningPriority(): number {
    const active = this.apr[0] | this.apr[1];
    return active === 0 ? IDLE_PRIORITY : lowestBit(active) << 3;
  }

  /** True if interrupts of the group reach this interface: with a hypervisor only while they are enabled here too. */
  reaches(group: 0 | 1): boolean {
    return this.port.distributorEnabled(group) && (this.enabled[group] || !this.port.profile.disabledGroupIsUndefined);
  }

  /** True if an interrupt of this slot is of an enabled group, passes the priority mask and preempts what is active. */
  preempts(slot: number): boolean {
    const { interrupts } = this.port;
    if (!this.enabled[groupOf(interrupts, slot)]) return false;
    const priority = interrupts.offeredPriorityOf(slot);
    if (priority >= this.pmr) return false;
    const running = this.runningPriority;
    const mask = this.groupMask(groupOf(interrupts, slot));
    return running === IDLE_PRIORITY || (priority & mask) < (running & mask);
  }

  /** Reads an ICC register; `undefined` if the access is UNDEFINED. */
  read(name: string): number | undefined {
    const handler = handlerOf(name);
    if (handler?.read === undefined) return undefined;
    if (handler.group !== undefined && this.port.profile.disabledGroupIsUndefined && !this.accepts(handler.group)) return undefined;
    return handler.read(this);
  }

  /** Writes an ICC register; false if the access is UNDEFINED. */
  write(name: string, value: bigint): boolean {
    const handler = handlerOf(name);
    if (handler?.write === undefined) return false;
    handler.write(this, Number(BigInt.asUintN(32, value)), value);
    return true;
  }

  /** ICC_IARn: takes the highest pending interrupt if it is of this group and may be taken now. */
  acknowledge(group: 0 | 1): number {
    const { interrupts, cpu } = this.port;
    const slot = interrupts.offer(cpu);
    if (slot === undefined || groupOf(interrupts, slot) !== group || !this.preempts(slot)) return SPURIOUS;
    this.apr[group] = (this.apr[group] | (1 << ((interrupts.offeredPriorityOf(slot) & this.groupMask(group)) >>> 3))) >>> 0;
    interrupts.acknowledge(slot, cpu);
    return interrupts.intidOf(slot);
  }

  /** ICC_HPPIRn: what would be acknowledged if priorities allowed. */
  highestPending(group: 0 | 1): number {
    const { interrupts, cpu } = this.port;
    const slot = interrupts.offer(cpu);
    return slot === undefined || groupOf(interrupts, slot) !== group || !this.enabled[group] ? SPURIOUS : interrupts.intidOf(slot);
  }

  /** ICC_EOIRn: priority drop, and deactivation unless EOImode is 1. Ignored if the highest active priority is the other group's. */
  endOfInterrupt(group: 0 | 1, value: number): void {
    const intid = value & 0xffffff;
    if (intid >= 1020) return;
    if (this.port.profile.levels === 'lazy') return this.endListed(group, intid);
    const active = this.apr[0] | this.apr[1];
    if (this.port.profile.checksEnd && (active === 0 || this.port.interrupts.slotOf(this.port.cpu, intid) === undefined)) return;
    if (active !== 0) {
      const highest = active & -active;
      if ((this.apr[group] & highest) === 0) return;
      this.apr[group] = (this.apr[group] & ~highest) >>> 0;
    }
    if (this.eoiMode === 0) this.deactivate(intid);
  }

  /** With list registers: the highest active priority is dropped whatever is named; what is named ends if it is of that priority and group. */
  private endListed(group: 0 | 1, intid: number): void {
    const active = this.apr[0] | this.apr[1];
    if (active === 0) return;
    const highest = active & -active;
    const dropped: 0 | 1 = (this.apr[0] & highest) !== 0 ? 0 : 1;
    this.apr[dropped] = (this.apr[dropped] & ~highest) >>> 0;
    const { interrupts, cpu } = this.port;
    const slot = interrupts.slotOf(cpu, intid);
    if (slot === undefined || !interrupts.isActiveInList(slot, cpu)) return interrupts.endDisplaced(cpu);
    if (this.eoiMode !== 0 || groupOf(interrupts, slot) !== group) return;
    if ((interrupts.offeredPriorityOf(slot) & this.groupMask(group)) === lowestBit(highest) << 3) this.deactivate(intid);
  }

  /** ICC_DIR: has an effect only with EOImode 1, under Gunyah always. */
  writeDir(value: number): void {
    const slot = this.port.interrupts.slotOf(this.port.cpu, value & 0xffffff);
    if (slot !== undefined && (this.eoiMode === 1 || this.port.profile.levels === 'lazy')) this.port.interrupts.deactivateAlone(slot, this.port.cpu);
  }

  /** ICC_SGIxR: makes an SGI pending on the CPUs of the list, or on all others. Only those where it has this group; under Gunyah ICC_SGI1R reaches both. */
  sendSgi(group: 0 | 1, value: bigint): void {
    const { interrupts } = this.port;
    const intid = Number((value >> 24n) & 0xfn);
    for (const target of this.sgiTargets(value)) {
      const slot = interrupts.slotOf(target, intid);
      if (slot !== undefined && (interrupts.test(slot, 'group1') === (group === 1) || (group === 1 && this.port.profile.group1SgiReachesGroup0))) interrupts.pulse(slot);
    }
  }

  get controlValue(): number {
    return CTLR_FIXED | (this.eoiMode << 1) | (this.cbpr ? 1 : 0);
  }

  set controlValue(value: number) {
    this.cbpr = (value & 1) !== 0;
    this.eoiMode = (value >>> 1) & 1;
  }

  get priorityMask(): number {
    return this.pmr;
  }

  set priorityMask(value: number) {
    this.pmr = value & 0xf8;
  }

  /** ICC_BPRn as read; with CBPR, BPR1 shows BPR0 + 1. */
  binaryPoint(group: 0 | 1): number {
    return group === 1 && this.cbpr ? Math.min(this.bpr[0] + 1, 7) : this.bpr[group];
  }

  /** Sets ICC_BPRn, not below its minimum; with CBPR a write to BPR1 is ignored. */
  setBinaryPoint(group: 0 | 1, value: number): void {
    if (group === 1 && this.cbpr) return;
    this.bpr[group] = Math.max(value & 7, group === 0 ? BPR0_MIN : BPR1_MIN);
  }

  /** ICC_APnR0: one bit per active preemption level. */
  activePriorities(group: 0 | 1): number {
    return this.apr[group];
  }

  setActivePriorities(group: 0 | 1, value: number): void {
    this.apr[group] = value >>> 0;
  }

  /** ICC_IGRPENn as read: under Gunyah also 0 while the distributor's bit is off. */
  groupEnable(group: 0 | 1): number {
    return (this.port.profile.disabledGroupIsUndefined ? this.accepts(group) : this.enabled[group]) ? 1 : 0;
  }

  setGroupEnable(group: 0 | 1, value: number): void {
    const enable = (value & 1) !== 0;
    const wasOpen = this.accepts(group) || (group === 0 && this.isClosedUnnoticed);
    const isUnnoticed = wasOpen && this.port.profile.levels === 'lazy' && this.accepts(1);
    this.enabled[group] = enable;
    if (!wasOpen) this.port.groupWritten?.(group, enable);
    if (group === 0) this.isClosedUnnoticed = isUnnoticed && !enable;
    if (!wasOpen || enable || (group === 0 && isUnnoticed)) return;
    this.port.groupsClosed?.(this.isClosedUnnoticed ? [0, 1] : [group]);
    this.isClosedUnnoticed = false;
    this.port.interrupts.closeCpu(this.port.cpu);
  }

  save(): SavedCpuInterface {
    return { pmr: this.pmr, bpr: [...this.bpr], apr: [...this.apr], enabled: [...this.enabled], cbpr: this.cbpr, eoiMode: this.eoiMode, isClosedUnnoticed: this.isClosedUnnoticed };
  }

  restore(saved: SavedCpuInterface): void {
    this.pmr = saved.pmr;
    this.bpr = [saved.bpr[0] ?? BPR0_MIN, saved.bpr[1] ?? BPR1_MIN];
    this.apr = [saved.apr[0] ?? 0, saved.apr[1] ?? 0];
    this.enabled = [saved.enabled[0] ?? false, saved.enabled[1] ?? false];
    this.cbpr = saved.cbpr;
    this.eoiMode = saved.eoiMode;
    this.isClosedUnnoticed = saved.isClosedUnnoticed;
  }

  private deactivate(intid: number): void {
    const slot = this.port.interrupts.slotOf(this.port.cpu, intid);
    if (slot !== undefined) this.port.interrupts.deactivate(slot, this.port.cpu);
  }

  /** Bits of a priority that decide preemption. BPR0 counts from bit 0, BPR1 (no CBPR) is one less. */
  private groupMask(group: 0 | 1): number {
    const ignoredBits = group === 0 || this.cbpr ? this.bpr[0] + 1 : this.bpr[1];
    return (0xff << ignoredBits) & 0xff;
  }

  private sgiTargets(value: bigint): readonly number[] {
    const { cpu, interrupts, cpusByList } = this.port;
    if (((value >> 40n) & 1n) !== 0n) return Array.from({ length: interrupts.cpuCount }, (_, index) => index).filter((index) => index !== cpu);
    const affinity321 = Number(((value >> 48n) & 0xffn) << 16n | ((value >> 32n) & 0xffn) << 8n | ((value >> 16n) & 0xffn));
    return cpusByList(affinity321, Number((value >> 44n) & 0xfn) * 16, Number(value & 0xffffn));
  }
}

interface Handler {
  /** Reads are UNDEFINED while this group is disabled. */
  readonly group?: 0 | 1;
  readonly read?: (gic: GicCpuInterface) => number;
  readonly write?: (gic: GicCpuInterface, low: number, value: bigint) => void;
}

const HANDLERS = {
  ICC_IAR0_EL1: { group: 0, read: (gic) => gic.acknowledge(0) },
  ICC_IAR1_EL1: { group: 1, read: (gic) => gic.acknowledge(1) },
  ICC_HPPIR0_EL1: { group: 0, read: (gic) => gic.highestPending(0) },
  ICC_HPPIR1_EL1: { group: 1, read: (gic) => gic.highestPending(1) },
  ICC_EOIR0_EL1: { write: (gic, low) => { gic.endOfInterrupt(0, low); } },
  ICC_EOIR1_EL1: { write: (gic, low) => { gic.endOfInterrupt(1, low); } },
  ICC_DIR_EL1: { write: (gic, low) => { gic.writeDir(low); } },
  ICC_BPR0_EL1: { group: 0, read: (gic) => gic.binaryPoint(0), write: (gic, low) => { gic.setBinaryPoint(0, low); } },
  ICC_BPR1_EL1: { group: 1, read: (gic) => gic.binaryPoint(1), write: (gic, low) => { gic.setBinaryPoint(1, low); } },
  ICC_AP0R0_EL1: { group: 0, read: (gic) => gic.activePriorities(0), write: (gic, low) => { gic.setActivePriorities(0, low); } },
  ICC_AP1R0_EL1: { group: 1, read: (gic) => gic.activePriorities(1), write: (gic, low) => { gic.setActivePriorities(1, low); } },
  ICC_PMR_EL1: { read: (gic) => gic.priorityMask, write: (gic, low) => { gic.priorityMask = low; } },
  ICC_RPR_EL1: { read: (gic) => gic.runningPriority },
  ICC_CTLR_EL1: { read: (gic) => gic.controlValue, write: (gic, low) => { gic.controlValue = low; } },
  ICC_SRE_EL1: { read: () => 7, write: () => undefined },
  ICC_IGRPEN0_EL1: { read: (gic) => gic.groupEnable(0), write: (gic, low) => { gic.setGroupEnable(0, low); } },
  ICC_IGRPEN1_EL1: { read: (gic) => gic.groupEnable(1), write: (gic, low) => { gic.setGroupEnable(1, low); } },
  ICC_SGI0R_EL1: { write: (gic, _low, value) => { gic.sendSgi(0, value); } },
  ICC_SGI1R_EL1: { write: (gic, _low, value) => { gic.sendSgi(1, value); } },
  // The alias of the other security state; with one security state it stands for group 0 (IHI 0069 12.2).
  ICC_ASGI1R_EL1: { write: (gic, _low, value) => { gic.sendSgi(0, value); } },
} as const satisfies Record<string, Handler>;

/** All CPU-interface registers, by name, in a fixed order. */
export const CPU_INTERFACE_REGISTERS: readonly string[] = Object.keys(HANDLERS);

const HANDLER_BY_NAME: ReadonlyMap<string, Handler> = new Map<string, Handler>(Object.entries(HANDLERS));

function handlerOf(name: string): Handler | undefined {
  return HANDLER_BY_NAME.get(name);
}

function groupOf(interrupts: GicInterrupts, slot: number): 0 | 1 {
  return interrupts.isOfferedInGroup1(slot) ? 1 : 0;
}

function lowestBit(value: number): number {
  return 31 - Math.clz32(value & -value);
}
