/**
 * What a GIC keeps of its interrupts: configuration, reasons to be pending, active bits, routes and list registers. By which rules they change says `gic-interrupts.ts`, which
 * extends this; nothing here decides anything.
 *
 * Private interrupts (SGI 0..15, PPI 16..31) exist once per CPU, shared ones (SPI 32..1019) once. A *slot* numbers all
 * of them: CPU n's private ones are slots 32n..32n+31, SPI 32+k is slot 32·cpuCount+k.
 */

import { assert } from '../../base/assert';
import { DeliveryLog } from './gic-delivery-log';
import type { InterruptField, InterruptHooks, SavedInterrupts } from './gic-interrupt-types';
import { cpuOfPlace, ListRegisters, type ListedState, MARK } from './gic-list-registers';
import type { GicProfile } from './gic-profile';
import { ACTIVE, ANY_PENDING, EDGE, EDGE_TRIGGERED, ENABLED, GROUP1, LEVEL_MESSAGE, LEVEL_SOFTWARE, LEVEL_SOURCE, LEVELS, LISTED } from './gic-status';
import { TouchedCpus } from './gic-touched';

/** Number of private interrupts per CPU. */
export const PRIVATE_COUNT = 32;
/** First number that is not an interrupt; 1020..1023 are special. */
export const INTID_LIMIT = 1020;
/** Most SPIs a GIC can have. */
export const SPI_COUNT_MAX = INTID_LIMIT - PRIVATE_COUNT;
/** Software-generated interrupts are the first ones. */
export const SGI_COUNT = 16;
/** A route to no CPU. */
export const NO_ROUTE = 0xff;
/** How a delivery word says that. */
const NO_ROUTE_WORD = 8;

/** State of all interrupts of one GIC. */
export class InterruptState {
  readonly cpuCount: number;
  readonly spiCount: number;
  protected readonly hooks: InterruptHooks;
  protected readonly isLive: boolean;
  /** Absent where levels are live. */
  protected readonly lists: ListRegisters | undefined;
  protected readonly priorityMask: number;
  protected readonly status: Uint8Array;
  private readonly config: Uint8Array;
  protected readonly priorities: Uint8Array;
  protected readonly routes: Uint8Array;
  private readonly routeWords: Uint32Array;
  /** One bit per slot that has any pending reason; derived from `status`. */
  private readonly pendingWords: Uint32Array;
  /** One bit per word of shared interrupts with a pending reason: there are at most 31 such words, mostly all zero. */
  private sharedSummary = 0;
  /** CPUs for which something changed since it was last worked out what to offer them. */
  readonly touched: TouchedCpus;
  /** Tells what becomes of interrupts. */
  readonly log: DeliveryLog;

  constructor({ cpuCount, spiCount }: { readonly cpuCount: number; readonly spiCount: number }, hooks: InterruptHooks, profile: GicProfile) {
    assert(cpuCount >= 1 && cpuCount < NO_ROUTE, 'a GIC has 1..254 CPUs');
    assert(spiCount >= 0 && spiCount <= SPI_COUNT_MAX, 'a GIC has 0..988 SPIs');
    this.cpuCount = cpuCount;
    this.spiCount = spiCount;
    this.hooks = hooks;
    this.isLive = profile.levels === 'live';
    this.priorityMask = profile.priorityMask;
    const slotCount = cpuCount * PRIVATE_COUNT + spiCount;
    this.lists = this.isLive ? undefined : new ListRegisters(cpuCount, slotCount);
    this.status = new Uint8Array(slotCount);
    this.config = new Uint8Array(slotCount);
    this.priorities = new Uint8Array(slotCount);
    this.routes = new Uint8Array(spiCount);
    this.routeWords = new Uint32Array(spiCount * 2);
    this.pendingWords = new Uint32Array((slotCount + 31) >>> 5);
    this.touched = new TouchedCpus(cpuCount);
    this.log = new DeliveryLog(hooks, (slot) => this.deliveryWord(slot));
    this.reset();
  }

  /** Everything disabled, group 0, priority 0, level-triggered (SGIs edge), routed to CPU 0. */
  reset(): void {
    this.status.fill(0);
    this.config.fill(0);
    this.priorities.fill(0);
    this.routes.fill(0);
    this.routeWords.fill(0);
    this.pendingWords.fill(0);
    this.sharedSummary = 0;
    this.touched.addAll();
    this.lists?.reset();
    for (let slot = 0; slot < this.cpuCount * PRIVATE_COUNT; slot++) if (slot % PRIVATE_COUNT < SGI_COUNT) this.config[slot] = EDGE_TRIGGERED;
  }

  /** The slot of an interrupt number as `cpu` sees it; `undefined` if there is no such interrupt. */
  slotOf(cpu: number, intid: number): number | undefined {
    if (intid < PRIVATE_COUNT) return cpu * PRIVATE_COUNT + intid;
    return intid < PRIVATE_COUNT + this.spiCount ? (this.cpuCount - 1) * PRIVATE_COUNT + intid : undefined;
  }

  /** The interrupt number of a slot. */
  intidOf(slot: number): number {
    return this.isPrivate(slot) ? slot % PRIVATE_COUNT : slot - (this.cpuCount - 1) * PRIVATE_COUNT;
  }

  /** The CPU a slot is delivered to: its owner if private, its route if shared; `undefined` if routed nowhere. */
  cpuOf(slot: number): number | undefined {
    if (this.isPrivate(slot)) return slot >>> 5;
    const route = this.routes[slot - this.cpuCount * PRIVATE_COUNT] ?? NO_ROUTE;
    return route === NO_ROUTE ? undefined : route;
  }

  /** The priority as kept, 0 (highest) .. 0xFF. */
  priorityOf(slot: number): number {
    return this.priorities[slot] ?? 0;
  }

  /** The priority with which the interrupt is offered: as listed, if it is. */
  offeredPriorityOf(slot: number): number {
    const place = this.lists?.placeOf(slot);
    return this.lists === undefined || place === undefined ? this.priorityOf(slot) : this.lists.priorityAt(place);
  }

  /** The group in which the interrupt is offered: as listed, if it is. */
  isOfferedInGroup1(slot: number): boolean {
    const place = this.lists?.placeOf(slot);
    return this.lists === undefined || place === undefined ? this.configured(slot, GROUP1) : this.lists.isGroup1At(place);
  }

  /** One state bit. */
  test(slot: number, field: InterruptField): boolean {
    switch (field) {
      case 'enabled': return this.configured(slot, ENABLED);
      case 'group1': return this.configured(slot, GROUP1);
      case 'edgeTriggered': return this.configured(slot, EDGE_TRIGGERED);
      case 'active': return ((this.status[slot] ?? 0) & ACTIVE) !== 0;
      case 'pending': return this.lists?.placeOf(slot) === undefined ? this.hasReason(slot) : ((this.status[slot] ?? 0) & LISTED) !== 0;
    }
  }

  /** What was last written to an SPI's route register, low or high word. */
  routeWord(slot: number, half: 0 | 1): number {
    return this.routeWords[(slot - this.cpuCount * PRIVATE_COUNT) * 2 + half] ?? 0;
  }

  /** Keeps what was written to an SPI's route register. */
  setRouteWord(slot: number, half: 0 | 1, value: number): void {
    this.routeWords[(slot - this.cpuCount * PRIVATE_COUNT) * 2 + half] = value;
  }

  /**
   * The state of an interrupt as Gunyah's hypervisor packs it: listed, marks of the list register, enabled, active, edge, level by software, message and source, edge pending, group,
   * priority, route. Of what stands in a list register it does not say whether it is active.
   */
  deliveryWord(slot: number, status = this.status[slot] ?? 0, place = this.lists?.placeOf(slot)): number {
    const bit = (mask: number, to: number): number => ((status & mask) === 0 ? 0 : 1 << to);
    const config = this.config[slot] ?? 0;
    const set = (mask: number, to: number): number => ((config & mask) === 0 ? 0 : 1 << to);
    const route = (this.cpuOf(slot) ?? NO_ROUTE_WORD) << 24;
    const listed = place === undefined ? bit(ACTIVE, 4) : 1 | ((this.lists?.marksAt(place) ?? 0) & (MARK.sync | MARK.detached));
    return (listed | bit(LEVEL_SOFTWARE, 6) | bit(LEVEL_MESSAGE, 7) | bit(LEVEL_SOURCE, 8) | bit(EDGE, 9)
      | set(ENABLED, 3) | set(EDGE_TRIGGERED, 5) | set(GROUP1, 10) | ((this.priorityOf(slot) >>> 3) << 16) | route) >>> 0;
  }

  save(): SavedInterrupts {
    return { status: this.status.slice(), config: this.config.slice(), priority: this.priorities.slice(), route: this.routes.slice(), routeWords: this.routeWords.slice(), lists: this.lists?.save() };
  }

  restore(saved: SavedInterrupts): void {
    assert(saved.status.length === this.status.length && saved.route.length === this.routes.length, 'saved interrupts are of another GIC');
    this.config.set(saved.config);
    this.priorities.set(saved.priority);
    this.routes.set(saved.route);
    this.routeWords.set(saved.routeWords);
    saved.status.forEach((status, slot) => this.setStatus(slot, status));
    if (saved.lists !== undefined) this.lists?.restore(saved.lists);
    this.touched.addAll();
  }

  protected isPrivate(slot: number): boolean {
    return slot < this.cpuCount * PRIVATE_COUNT;
  }

  protected configured(slot: number, bit: number): boolean {
    return ((this.config[slot] ?? 0) & bit) !== 0;
  }

  protected setConfig(slot: number, bit: number, on: boolean): void {
    const config = this.config[slot] ?? 0;
    this.config[slot] = on ? config | bit : config & ~bit;
    this.touchOwners(slot);
  }

  /** The CPU that an interrupt goes to, and the one in whose list register it stands. */
  protected touchOwners(slot: number): void {
    const cpu = this.cpuOf(slot);
    const place = this.lists?.placeOf(slot);
    if (cpu !== undefined) this.touched.add(cpu);
    if (place !== undefined) this.touched.add(cpuOfPlace(place));
  }

  protected setStatus(slot: number, status: number): void {
    if (this.status[slot] === status) return;
    this.touchOwners(slot);
    this.status[slot] = status;
    const word = slot >>> 5;
    const bit = 1 << (slot & 31);
    const words = this.pendingWords[word] ?? 0;
    const now = (status & ANY_PENDING) !== 0 ? words | bit : words & ~bit;
    this.pendingWords[word] = now;
    if (word < this.cpuCount) return;
    const summaryBit = 1 << (word - this.cpuCount);
    this.sharedSummary = now !== 0 ? this.sharedSummary | summaryBit : this.sharedSummary & ~summaryBit;
  }

  protected isPending(slot: number): boolean {
    return ((this.status[slot] ?? 0) & LISTED) !== 0 || this.hasReason(slot);
  }

  /** Whether it is to be pending, whatever its list register says. */
  protected hasReason(slot: number): boolean {
    return ((this.status[slot] ?? 0) & (this.configured(slot, EDGE_TRIGGERED) ? EDGE : LEVELS)) !== 0;
  }

  protected listedState(slot: number): ListedState {
    if (((this.status[slot] ?? 0) & ACTIVE) !== 0) return 'active';
    return ((this.status[slot] ?? 0) & LISTED) !== 0 ? 'pending' : 'idle';
  }

  /** Visits the slots with a pending reason that could concern `cpu`, in ascending order of interrupt number. */
  protected eachPending(cpu: number, visit: (slot: number) => void): void {
    if (this.pendingWords[cpu] !== 0) this.eachOfWord(cpu, visit);
    for (let rest = this.sharedSummary; rest !== 0; rest &= rest - 1) this.eachOfWord(this.cpuCount + 31 - Math.clz32(rest & -rest), visit);
  }

  private eachOfWord(word: number, visit: (slot: number) => void): void {
    for (let rest = this.pendingWords[word] ?? 0; rest !== 0; rest &= rest - 1) visit(word * 32 + 31 - Math.clz32(rest & -rest));
  }
}
