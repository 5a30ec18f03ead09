/**
 * Interrupt state of a GICv3: configuration, pending reasons, active bits and routes of every line of one VM, and the
 * rules by which they change. Registers are elsewhere (`gic-frames.ts`, `gic-cpu-interface.ts`); this file knows no offset.
 *
 * Private interrupts (SGI 0..15, PPI 16..31) exist once per CPU, shared ones (SPI 32..1019) once. A *slot* numbers all
 * of them: CPU n's private ones are slots 32n..32n+31, SPI 32+k is slot 32·cpuCount+k.
 *
 * With lazy levels de-assertion is late, as with a hypervisor that fills list registers: an interrupt that was offered to a CPU
 * (*listed*) stays pending until the CPU acknowledges it or it is withdrawn by a register write, and a source's level is examined again
 * only at deactivation and when the interrupt is offered anew. With live levels nothing is ever listed. Source: Arm GIC architecture (IHI 0069) chapter 4; Gunyah API: VIC.
 */

import { assert } from '../../base/assert';
import type { DeliveryKind, InterruptField, InterruptHooks, SavedInterrupts } from './gic-interrupt-types';
import { cpuOfPlace, LIST_REGISTER_COUNT, ListRegisters, type ListedState } from './gic-list-registers';
import type { GicProfile } from './gic-profile';
import { ACTIVE, ANY_PENDING, EDGE, EDGE_TRIGGERED, ENABLED, GROUP1, HELD, LEVEL_MESSAGE, LEVEL_SOFTWARE, LEVEL_SOURCE, LISTED, listState, WAITING } from './gic-status';
import { TouchedCpus } from './gic-touched';

/** Number of private interrupts per CPU. */
export const PRIVATE_COUNT = 32;
/** First number that is not an interrupt; 1020..1023 are special. */
export const INTID_LIMIT = 1020;
/** Most SPIs a GIC can have. */
export const SPI_COUNT_MAX = INTID_LIMIT - PRIVATE_COUNT;

const SGI_COUNT = 16;
const NO_ROUTE = 0xff;
/** How a delivery word says that. */
const NO_ROUTE_WORD = 8;

/** State of all interrupts of one GIC. */
export class GicInterrupts {
  readonly cpuCount: number;
  readonly spiCount: number;
  private readonly hooks: InterruptHooks;
  private readonly isLive: boolean;
  /** Absent where levels are live. */
  private readonly lists: ListRegisters | undefined;
  private readonly priorityMask: number;
  private readonly status: Uint8Array;
  private readonly config: Uint8Array;
  private readonly priorities: Uint8Array;
  private readonly routes: Uint8Array;
  private readonly routeWords: Uint32Array;
  /** One bit per slot that has any pending reason; derived from `status`. */
  private readonly pendingWords: Uint32Array;
  /** One bit per word of shared interrupts with a pending reason: there are at most 31 such words, mostly all zero. */
  private sharedSummary = 0;
  /** CPUs for which something changed since it was last worked out what to offer them. */
  readonly touched: TouchedCpus;
  /** Assertions whose outcome the next offer shows. */
  private asserted: { readonly slot: number; readonly before: number; readonly status: number }[] = [];

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
      case 'pending': return this.isPending(slot) && !this.isTakenLevel(slot);
    }
  }

  /**
   * A state bit as a register shows it to a CPU. Of what is listed, the list register tells whether it is pending or active; that of
   * another CPU that runs cannot be read.
   */
  shows(slot: number, field: InterruptField, accessor: number): boolean {
    const place = field === 'pending' || field === 'active' ? this.lists?.placeOf(slot) : undefined;
    if (place === undefined) return this.test(slot, field);
    const status = this.status[slot] ?? 0;
    const isActive = (status & ACTIVE) !== 0;
    if (!this.canReach(place, accessor)) return field === 'pending' && (this.configured(slot, EDGE_TRIGGERED) ? isActive && (status & EDGE) !== 0 : (status & (LEVEL_SOFTWARE | LEVEL_MESSAGE | LEVEL_SOURCE)) !== 0);
    if (field === 'active') return isActive;
    return this.test(slot, field) && !(isActive && this.cpuOf(slot) !== cpuOfPlace(place));
  }

  setPriority(slot: number, priority: number): void {
    const before = this.priorityOf(slot);
    this.priorities[slot] = priority & this.priorityMask;
    this.touchOwners(slot);
    if (this.priorityOf(slot) >= before) return;
    this.setStatus(slot, (this.status[slot] ?? 0) & ~WAITING);
    if (this.listedState(slot) === 'idle') this.leave(slot);
  }

  setEnabled(slot: number, enabled: boolean): void {
    if (enabled) this.noteAssertion(slot);
    this.follow(enabled ? undefined : 'undeliver', slot, () => {
      if (enabled === this.configured(slot, ENABLED)) return;
      this.setConfig(slot, ENABLED, enabled);
      if (!enabled) this.delist(slot);
      if (!enabled) this.reconsider(slot);
    });
  }

  setGroup1(slot: number, group1: boolean): void {
    // Group 1 looks at what is listed again even if nothing changes, which takes out what has ended; else what is listed stays.
    if (group1 && this.listedState(slot) === 'idle') this.leave(slot);
    if (group1 !== this.configured(slot, GROUP1)) {
      this.setConfig(slot, GROUP1, group1);
      if (this.lists?.placeOf(slot) === undefined) this.reconsider(slot);
    }
    this.noteAssertion(slot);
  }

  /** SGIs stay edge-triggered whatever is asked. */
  setEdgeTriggered(slot: number, edge: boolean): void {
    if (!this.isLive) return this.setListedTrigger(slot, edge);
    if (edge === this.configured(slot, EDGE_TRIGGERED) || this.intidOf(slot) < SGI_COUNT) return;
    this.reconsider(slot);
    this.setConfig(slot, EDGE_TRIGGERED, edge);
    this.reconsider(slot);
  }

  /** With list registers nothing is looked at again; a level has no software behind it from now on. */
  private setListedTrigger(slot: number, edge: boolean): void {
    if (this.intidOf(slot) < SGI_COUNT) return;
    this.setConfig(slot, EDGE_TRIGGERED, edge);
    if (!edge) this.setStatus(slot, (this.status[slot] ?? 0) & ~(LEVEL_SOFTWARE | LEVEL_MESSAGE));
  }

  /** Routes an SPI; `undefined` means an affinity that no CPU has. */
  setRoute(slot: number, cpu: number | undefined): void {
    assert(!this.isPrivate(slot), 'only SPIs have a route');
    this.delist(slot);
    this.routes[slot - this.cpuCount * PRIVATE_COUNT] = cpu ?? NO_ROUTE;
    this.touched.addAll();
  }

  /** Makes pending by software (ISPENDR, or an SGI). */
  setPending(slot: number): void {
    this.noteAssertion(slot);
    this.setStatus(slot, (this.status[slot] ?? 0) | EDGE | LEVEL_SOFTWARE);
  }

  /** An interrupt that software generates: an edge. */
  pulse(slot: number): void {
    this.noteAssertion(slot);
    this.setStatus(slot, (this.status[slot] ?? 0) | EDGE);
  }

  /**
   * Ends what software or an edge made pending (ICPENDR); a level that still holds stays. What is listed is delivered once more, unless it is a
   * private interrupt whose list register can be reached.
   */
  clearPending(slot: number, accessor: number): void {
    this.follow('undeliver', slot, () => {
      this.setStatus(slot, (this.status[slot] ?? 0) & ~(EDGE | LEVEL_SOFTWARE));
      const place = this.lists?.placeOf(slot);
      if (place !== undefined && this.isPrivate(slot) && this.canReach(place, accessor)) {
        this.setStatus(slot, (this.status[slot] ?? 0) & ~LISTED);
        if (this.listedState(slot) === 'idle' && !this.isPending(slot)) this.leave(slot);
      }
      if (((this.status[slot] ?? 0) & LISTED) === 0) this.reconsider(slot);
    });
  }

  /** A message-based interrupt was set (SETSPI). */
  setMessage(slot: number): void {
    this.noteAssertion(slot);
    this.setStatus(slot, (this.status[slot] ?? 0) | EDGE | LEVEL_MESSAGE);
  }

  /** A message-based interrupt was cleared (CLRSPI). One that is listed is delivered once more. */
  clearMessage(slot: number): void {
    this.follow('undeliver', slot, () => { this.setStatus(slot, (this.status[slot] ?? 0) & ~LEVEL_MESSAGE); });
  }

  /** What was last written to an SPI's route register, low or high word. */
  routeWord(slot: number, half: 0 | 1): number {
    return this.routeWords[(slot - this.cpuCount * PRIVATE_COUNT) * 2 + half] ?? 0;
  }

  /** Keeps what was written to an SPI's route register. */
  setRouteWord(slot: number, half: 0 | 1, value: number): void {
    this.routeWords[(slot - this.cpuCount * PRIVATE_COUNT) * 2 + half] = value;
  }

  /** A source asserts its level. */
  assertLevel(slot: number): void {
    const status = this.status[slot] ?? 0;
    if (this.isLive && (status & LEVEL_SOURCE) !== 0) return;
    this.noteAssertion(slot);
    const latched = !this.isLive ? EDGE : this.configured(slot, EDGE_TRIGGERED) ? EDGE | LEVEL_SOFTWARE : 0;
    this.setStatus(slot, status | latched | LEVEL_SOURCE);
    this.hooks.event('asserted', slot, this.cpuOf(slot));
  }

  /** A source pulses; nothing happens unless the interrupt is edge-triggered. */
  assertEdge(slot: number): void {
    if (!this.configured(slot, EDGE_TRIGGERED)) return;
    this.noteAssertion(slot);
    this.setStatus(slot, (this.status[slot] ?? 0) | (this.isLive ? EDGE | LEVEL_SOFTWARE : EDGE));
    this.hooks.event('asserted', slot, this.cpuOf(slot));
  }

  /** A source's level has fallen. Noticed at once only where levels are live; an edge that was latched stays. */
  lowerLevel(slot: number): void {
    const status = this.status[slot] ?? 0;
    if (!this.isLive || (status & LEVEL_SOURCE) === 0) return;
    this.setStatus(slot, status & ~LEVEL_SOURCE);
    this.hooks.event('cleared', slot, this.cpuOf(slot));
  }

  /** A source takes its assertion back at once. */
  clearSource(slot: number): void {
    const status = this.status[slot] ?? 0;
    const rest = status & ~(this.isLive ? LEVEL_SOURCE : EDGE | LEVEL_SOURCE | LISTED);
    this.setStatus(slot, rest);
    this.delist(slot);
    if (status !== rest) this.hooks.event('cleared', slot, this.cpuOf(slot));
  }

  /** The CPU acknowledges: pending becomes active. With lazy levels one that software set stays until software clears it. */
  acknowledge(slot: number, cpu: number): void {
    this.setStatus(slot, ((this.status[slot] ?? 0) & ~(this.isLive ? EDGE | LEVEL_SOFTWARE | LISTED : EDGE | LISTED)) | ACTIVE);
    this.hooks.event('taken', slot, cpu);
  }

  /** Sets the active bit by register; of what is listed it cannot be set. */
  setActive(slot: number): void {
    if (this.lists?.placeOf(slot) !== undefined) return;
    this.withdraw(slot);
    this.setStatus(slot, (this.status[slot] ?? 0) | ACTIVE);
  }

  /** Clears the active bit by register; of what is listed it cannot be cleared. */
  clearActive(slot: number): void {
    if (this.lists?.placeOf(slot) === undefined) this.deactivate(slot, undefined);
  }

  /**
   * Ends the active state and examines the source's level again. A level that has fallen and what is pending for another CPU leave their list register,
   * other edges stay there. `cpu` is there if a CPU ended it, rather than a register of the distributor.
   */
  deactivate(slot: number, cpu: number | undefined): void {
    const status = this.status[slot] ?? 0;
    if ((status & ACTIVE) === 0) {
      if (cpu === undefined) this.follow('inactive', slot, () => undefined);
      return;
    }
    // The end of an edge needs no look at its list register; a level's does.
    const kind = cpu === undefined ? 'deactivate' : this.configured(slot, EDGE_TRIGGERED) ? undefined : 'sync';
    this.follow(kind, slot, () => {
      this.setStatus(slot, status & ~ACTIVE);
      this.hooks.event('ended', slot, cpu);
      this.reconsider(slot);
      const place = this.lists?.placeOf(slot);
      const isElsewhere = place !== undefined && this.cpuOf(slot) !== cpuOfPlace(place);
      if (this.isPending(slot) ? isElsewhere : !this.configured(slot, EDGE_TRIGGERED)) this.leave(slot);
    });
  }

  /** True if an interrupt is active in a list register of this CPU. */
  isActiveInList(slot: number, cpu: number): boolean {
    const place = this.lists?.placeOf(slot);
    return place !== undefined && cpuOfPlace(place) === cpu && ((this.status[slot] ?? 0) & ACTIVE) !== 0;
  }

  /** An end that names none in a list register ends the one that left its register last, whichever was named. */
  endDisplaced(cpu: number): void {
    const slot = this.lists === undefined ? undefined : this.slotOf(cpu, this.lists.recall(cpu));
    if (slot !== undefined && this.lists?.placeOf(slot) === undefined) this.deactivate(slot, cpu);
  }

  /** Ends the active state on its own (ICC_DIR_EL1): the interrupt leaves its list register. */
  deactivateAlone(slot: number, cpu: number): void {
    if (((this.status[slot] ?? 0) & ACTIVE) === 0) return;
    this.leave(slot);
    this.deactivate(slot, cpu);
  }

  /** Takes back what was offered to `cpu`, after a group closed or opened there while the other is open; levels that were offered are examined again, no others. */
  reconsiderPending(cpu: number): void {
    this.eachPending(cpu, (slot) => { if (((this.status[slot] ?? 0) & LISTED) !== 0) this.reconsider(slot); });
  }

  /** The same after any other change of its enables: nothing stays listed but what is active. */
  reconsiderAll(cpu: number): void {
    for (const slot of this.lists?.slotsOf(cpu) ?? []) {
      const isOffered = ((this.status[slot] ?? 0) & LISTED) !== 0;
      this.delist(slot);
      if (isOffered) this.reconsider(slot);
    }
  }

  /**
   * Offers everything deliverable to `cpu` and returns the slot with the highest priority (ties: lowest number), or
   * `undefined`. What is offered stays pending until acknowledged or withdrawn.
   */
  offer(cpu: number): number | undefined {
    if (this.lists !== undefined) return this.offerListed(cpu, this.lists);
    let best: number | undefined;
    this.eachPending(cpu, (slot) => {
      if (!this.isDeliverable(slot, cpu)) return;
      if (best === undefined || this.priorityOf(slot) < this.priorityOf(best)) best = slot;
    });
    return best;
  }

  /** Tells what became of assertions, after all CPUs have been offered what they can take. */
  settle(): void {
    if (this.asserted.length === 0) return;
    for (const { slot, before, status } of this.asserted.splice(0)) {
      const wasHeld = (status & HELD) !== 0;
      const listBefore = listState(status);
      const now = this.status[slot] ?? 0;
      this.hooks.deliveries?.tell({ kind: wasHeld ? 'redeliver' : 'deliver', slot, before, after: this.deliveryWord(slot, now), listBefore, listAfter: listState(now) });
    }
  }

  /**
   * The state of an interrupt as Gunyah's hypervisor packs it: listed, enabled, active, edge, level by software, message and source, edge pending, group,
   * priority, route. What stands in a list register is active and latched there.
   */
  deliveryWord(slot: number, status = this.status[slot] ?? 0): number {
    const bit = (mask: number, to: number): number => ((status & mask) === 0 ? 0 : 1 << to);
    const config = this.config[slot] ?? 0;
    const set = (mask: number, to: number): number => ((config & mask) === 0 ? 0 : 1 << to);
    const isHeld = (status & HELD) !== 0;
    const route = (this.cpuOf(slot) ?? NO_ROUTE_WORD) << 24;
    return (bit(HELD, 0) | (isHeld ? 0 : bit(ACTIVE, 4)) | bit(LEVEL_SOFTWARE, 6) | bit(LEVEL_MESSAGE, 7) | bit(LEVEL_SOURCE, 8) | (isHeld ? 0 : bit(EDGE, 9))
      | set(ENABLED, 3) | set(EDGE_TRIGGERED, 5) | set(GROUP1, 10) | (this.priorityOf(slot) << 16) | route) >>> 0;
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

  private canReach(place: number, accessor: number): boolean {
    return cpuOfPlace(place) === accessor || !this.hooks.isRunning(cpuOfPlace(place));
  }

  /** Takes an interrupt out of its list register. */
  private leave(slot: number): void {
    if (this.lists?.placeOf(slot) === undefined) return;
    this.touchOwners(slot);
    this.lists.remove(slot);
    this.setStatus(slot, (this.status[slot] ?? 0) & ~HELD);
  }

  /** Remembers an assertion until it is known whether it could be listed. */
  private noteAssertion(slot: number): void {
    if (this.hooks.deliveries?.wanted() !== true) return;
    const status = this.status[slot] ?? 0;
    this.asserted.push({ slot, before: this.deliveryWord(slot, status), status });
  }

  /** Does something to an interrupt and tells what became of it; what was in a list register leaves it. */
  private follow(kind: DeliveryKind | undefined, slot: number, change: () => void): void {
    const status = this.status[slot] ?? 0;
    if (kind === undefined || this.hooks.deliveries?.wanted() !== true) return change();
    const before = this.deliveryWord(slot, status);
    change();
    const isHeld = (status & HELD) !== 0;
    const leaves = isHeld && ((this.status[slot] ?? 0) & HELD) === 0;
    this.hooks.deliveries.tell({ kind: kind === 'undeliver' && isHeld ? 'sync' : kind, slot, before, after: this.deliveryWord(slot), listBefore: listState(status), listAfter: leaves ? 0 : listState(this.status[slot] ?? 0) });
  }

  private isPrivate(slot: number): boolean {
    return slot < this.cpuCount * PRIVATE_COUNT;
  }

  private configured(slot: number, bit: number): boolean {
    return ((this.config[slot] ?? 0) & bit) !== 0;
  }

  private setConfig(slot: number, bit: number, on: boolean): void {
    const config = this.config[slot] ?? 0;
    this.config[slot] = on ? config | bit : config & ~bit;
    this.touchOwners(slot);
  }

  /** The CPU that an interrupt goes to, and the one in whose list register it stands. */
  private touchOwners(slot: number): void {
    const cpu = this.cpuOf(slot);
    const place = this.lists?.placeOf(slot);
    if (cpu !== undefined) this.touched.add(cpu);
    if (place !== undefined) this.touched.add(cpuOfPlace(place));
  }

  private setStatus(slot: number, status: number): void {
    if (this.status[slot] !== status) this.touchOwners(slot);
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

  private isPending(slot: number): boolean {
    const reasons = this.configured(slot, EDGE_TRIGGERED) ? EDGE | LISTED : LEVEL_SOFTWARE | LEVEL_MESSAGE | LEVEL_SOURCE | LISTED;
    return ((this.status[slot] ?? 0) & reasons) !== 0;
  }

  /** A level that a CPU has taken: with list registers it does not show as pending before it ends. */
  private isTakenLevel(slot: number): boolean {
    return !this.isLive && !this.configured(slot, EDGE_TRIGGERED) && ((this.status[slot] ?? 0) & ACTIVE) !== 0;
  }

  private isDeliverable(slot: number, cpu: number): boolean {
    return this.configured(slot, ENABLED) && !this.test(slot, 'active') && this.cpuOf(slot) === cpu && this.isPending(slot)
      && this.hooks.accepts(cpu, this.isOfferedInGroup1(slot) ? 1 : 0);
  }

  /**
   * As a hypervisor lists: what is newly deliverable at once, if need be in the place of something lesser; what found no place
   * once nothing that is pending is listed any more.
   */
  private offerListed(cpu: number, lists: ListRegisters): number | undefined {
    const waiting: number[] = [];
    let isAnyListed = false;
    this.eachPending(cpu, (slot) => {
      const status = this.status[slot] ?? 0;
      const place = lists.placeOf(slot);
      const isHere = place !== undefined && cpuOfPlace(place) === cpu;
      if ((status & LISTED) !== 0) isAnyListed ||= isHere;
      else if (this.isDeliverable(slot, cpu)) {
        if (isHere) this.markListed(slot);
        else if ((status & WAITING) !== 0) waiting.push(slot);
        if (isHere || ((status & WAITING) === 0 && this.list(slot, cpu, lists))) isAnyListed = true;
      }
    });
    if (!isAnyListed && waiting.length > 0) this.listWaiting(waiting, cpu, lists);
    return this.bestListed(cpu, lists);
  }

  private listWaiting(waiting: readonly number[], cpu: number, lists: ListRegisters): void {
    const ordered = [...waiting].sort((a, b) => this.priorityOf(a) - this.priorityOf(b) || a - b);
    lists.placesToFill(cpu, (slot) => this.listedState(slot)).forEach((place, index) => {
      const slot = ordered[index];
      if (slot !== undefined) this.listAt(slot, place, lists);
    });
  }

  /** Puts an interrupt into a list register; false if there is none for it. */
  private list(slot: number, cpu: number, lists: ListRegisters): boolean {
    const place = lists.choose(cpu, this.priorityOf(slot), (other) => this.listedState(other));
    if (place === undefined) this.setStatus(slot, (this.status[slot] ?? 0) | WAITING);
    else this.listAt(slot, place, lists);
    return place !== undefined;
  }

  private listAt(slot: number, place: number, lists: ListRegisters): void {
    this.evict(lists.slotAt(place), lists);
    this.touchOwners(slot);
    lists.put(place, slot, this.priorityOf(slot), this.configured(slot, GROUP1));
    this.markListed(slot);
  }

  private markListed(slot: number, status = this.status[slot] ?? 0): void {
    const isNoted = this.hooks.deliveries?.wanted() !== true || this.asserted.some((assertion) => assertion.slot === slot);
    const before = isNoted ? 0 : this.deliveryWord(slot, status);
    this.setStatus(slot, (status | LISTED | HELD) & ~WAITING);
    if (!isNoted) this.hooks.deliveries?.tell({ kind: 'list', slot, before, after: this.deliveryWord(slot), listBefore: 0, listAfter: 1 });
  }

  private evict(slot: number | undefined, lists: ListRegisters): void {
    if (slot === undefined) return;
    const state = this.listedState(slot);
    if (state === 'active') lists.displace(cpuOfPlace(lists.placeOf(slot) ?? 0), this.intidOf(slot));
    this.withdraw(slot);
    if (state === 'pending') this.setStatus(slot, (this.status[slot] ?? 0) | WAITING);
    this.leave(slot);
  }

  private bestListed(cpu: number, lists: ListRegisters): number | undefined {
    let best: number | undefined;
    for (let place = cpu * LIST_REGISTER_COUNT; place < (cpu + 1) * LIST_REGISTER_COUNT; place++) {
      const slot = lists.slotAt(place);
      if (slot === undefined || this.listedState(slot) !== 'pending' || !this.hooks.accepts(cpu, lists.isGroup1At(place) ? 1 : 0)) continue;
      if (best === undefined || lists.priorityAt(place) < this.offeredPriorityOf(best)) best = slot;
    }
    return best;
  }

  private listedState(slot: number): ListedState {
    if (((this.status[slot] ?? 0) & ACTIVE) !== 0) return 'active';
    return ((this.status[slot] ?? 0) & LISTED) !== 0 ? 'pending' : 'idle';
  }

  /** Takes an interrupt out of its list register unless it is active there. */
  private delist(slot: number): void {
    this.withdraw(slot);
    this.setStatus(slot, (this.status[slot] ?? 0) & ~WAITING);
    if (this.listedState(slot) !== 'active') this.leave(slot);
  }

  /** No longer offered. An edge goes back to its latch; a level stands on its own reasons again. */
  private withdraw(slot: number): void {
    const status = this.status[slot] ?? 0;
    if ((status & LISTED) === 0) return;
    this.setStatus(slot, (status & ~LISTED) | (this.configured(slot, EDGE_TRIGGERED) ? EDGE : 0));
  }

  private reconsider(slot: number): void {
    this.withdraw(slot);
    const status = this.status[slot] ?? 0;
    if ((status & LEVEL_SOURCE) === 0 || this.hooks.checkPending(slot)) return;
    this.setStatus(slot, status & ~(this.isLive || this.configured(slot, EDGE_TRIGGERED) ? LEVEL_SOURCE : LEVEL_SOURCE | EDGE));
    this.hooks.event('cleared', slot, this.cpuOf(slot));
  }

  /** Visits the slots with a pending reason that could concern `cpu`, in ascending order of interrupt number. */
  private eachPending(cpu: number, visit: (slot: number) => void): void {
    if (this.pendingWords[cpu] !== 0) this.eachOfWord(cpu, visit);
    for (let rest = this.sharedSummary; rest !== 0; rest &= rest - 1) this.eachOfWord(this.cpuCount + 31 - Math.clz32(rest & -rest), visit);
  }

  private eachOfWord(word: number, visit: (slot: number) => void): void {
    for (let rest = this.pendingWords[word] ?? 0; rest !== 0; rest &= rest - 1) visit(word * 32 + 31 - Math.clz32(rest & -rest));
  }
}
