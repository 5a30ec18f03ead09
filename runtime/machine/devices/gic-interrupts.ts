/**
 * The rules by which the interrupts of a GICv3 change: of every line of one VM, by registers, sources and CPUs. Registers are elsewhere (`gic-frames.ts`, `gic-cpu-interface.ts`); this
 * file knows no offset. What there is to change is in `gic-interrupt-state.ts`.
 *
 * With lazy levels de-assertion is late, as with a hypervisor that fills list registers: what a list register holds is offered to its CPU until that acknowledges it or the
 * hypervisor looks at the register again, which it does where a change of configuration, an assertion or an end needs it; only then is a source's level examined again. Marks say which
 * registers are to be looked at. With live levels nothing is ever listed. Source: Arm GIC architecture (IHI 0069) chapter 4; Gunyah API: VIC; traces of the real hypervisor
 * (`test/conformance/gunyah/tracer.test.ts`).
 */

import { assert } from '../../base/assert';
import type { InterruptField, SyncOutcome } from './gic-interrupt-types';
import { InterruptState, NO_ROUTE, PRIVATE_COUNT, SGI_COUNT } from './gic-interrupt-state';
import { cpuOfPlace, LIST_REGISTER_COUNT, type ListedState, type ListRegisters, MARK } from './gic-list-registers';
import { ACTIVE, EDGE, EDGE_TRIGGERED, ENABLED, GROUP1, LEVEL_MESSAGE, LEVEL_SOFTWARE, LEVEL_SOURCE, LEVELS, LISTED, listState, WAITING } from './gic-status';

/** The interrupts of one GIC. */
export class GicInterrupts extends InterruptState {
  /** What list registers ask about what they hold. */
  private readonly stateOf = (slot: number): ListedState => this.listedState(slot);

  /**
   * A state bit as a register shows it to a CPU. Of what is listed, the list register tells whether it is pending or active; that of
   * another CPU that runs cannot be read.
   */
  shows(slot: number, field: InterruptField, accessor: number): boolean {
    const place = field === 'pending' || field === 'active' ? this.lists?.placeOf(slot) : undefined;
    if (place === undefined) return this.test(slot, field);
    const status = this.status[slot] ?? 0;
    const isActive = (status & ACTIVE) !== 0;
    if (!this.canReach(place, accessor)) return field === 'pending' && (this.configured(slot, EDGE_TRIGGERED) ? (status & EDGE) !== 0 || (isActive && (status & LISTED) !== 0) : (status & LEVELS) !== 0);
    return this.test(slot, field);
  }

  setPriority(slot: number, priority: number): void {
    const before = this.priorityOf(slot);
    this.priorities[slot] = priority & this.priorityMask;
    this.touchOwners(slot);
    if (this.priorityOf(slot) >= before || this.lists === undefined) return;
    this.setStatus(slot, (this.status[slot] ?? 0) & ~WAITING);
    if (this.lists.placeOf(slot) !== undefined) this.lookAgain(slot, this.lists);
    else if (this.cpuOf(slot) !== undefined) this.retry(slot);
  }

  /** Enables or disables. `accessor` is the CPU that does it. */
  setEnabled(slot: number, enabled: boolean, accessor: number): void {
    if (enabled) return this.deliver(slot, 0, ENABLED);
    const before = this.log.before(slot);
    this.setConfig(slot, ENABLED, false);
    if (this.lists === undefined) return this.reconsider(slot);
    this.setStatus(slot, (this.status[slot] ?? 0) & ~WAITING);
    this.undeliver(slot, 0, { before, accessor });
    if (this.lists.placeOf(slot) !== undefined) this.syncAll(this.lists);
  }

  setGroup1(slot: number, group1: boolean): void {
    const { lists } = this;
    const place = lists?.placeOf(slot);
    this.setConfig(slot, GROUP1, group1);
    if (lists === undefined) return this.reconsider(slot);
    if (place === undefined) {
      this.setStatus(slot, (this.status[slot] ?? 0) & ~WAITING);
      if (this.cpuOf(slot) !== undefined) this.log.assertion(slot);
      return;
    }
    // What is listed is looked at again if it is of group 1 now; else the look is put off.
    lists.setMarks(place, group1 ? lists.marksAt(place) | MARK.sync : lists.marksAt(place) & ~MARK.sync);
    this.syncAll(lists);
  }

  /** SGIs stay edge-triggered whatever is asked. */
  setEdgeTriggered(slot: number, edge: boolean): void {
    if (!this.isLive) return this.setListedTrigger(slot, edge || this.hooks.isAlwaysEdge(slot));
    if (edge === this.configured(slot, EDGE_TRIGGERED) || this.intidOf(slot) < SGI_COUNT) return;
    this.reconsider(slot);
    this.setConfig(slot, EDGE_TRIGGERED, edge);
    this.reconsider(slot);
  }

  /** With list registers nothing is looked at again, nor listed because it is pending now; a level has no software behind it from now on. */
  private setListedTrigger(slot: number, edge: boolean): void {
    if (this.intidOf(slot) < SGI_COUNT) return;
    const had = this.hasReason(slot);
    this.setConfig(slot, EDGE_TRIGGERED, edge);
    if (!edge) this.setStatus(slot, (this.status[slot] ?? 0) & ~(LEVEL_SOFTWARE | LEVEL_MESSAGE));
    if (!had && this.lists?.placeOf(slot) === undefined && this.hasReason(slot)) this.setStatus(slot, (this.status[slot] ?? 0) | WAITING);
  }

  /** Routes an SPI; `undefined` means an affinity that no CPU has. */
  setRoute(slot: number, cpu: number | undefined): void {
    assert(!this.isPrivate(slot), 'only SPIs have a route');
    this.routes[slot - this.cpuCount * PRIVATE_COUNT] = cpu ?? NO_ROUTE;
    this.touched.addAll();
    if (this.lists === undefined) return;
    this.setStatus(slot, (this.status[slot] ?? 0) & ~WAITING);
    if (this.lists.placeOf(slot) !== undefined) this.lookAgain(slot, this.lists);
    else this.retry(slot);
  }

  /** Makes pending by software (ISPENDR, or an SGI). */
  setPending(slot: number): void {
    this.deliver(slot, EDGE | LEVEL_SOFTWARE);
  }

  /** An interrupt that software generates: an edge. */
  pulse(slot: number): void {
    this.deliver(slot, EDGE);
  }

  /**
   * Ends what software or an edge made pending (ICPENDR); a level that still holds stays. What is listed is delivered once more, unless it is a
   * private interrupt whose list register can be reached.
   */
  clearPending(slot: number, accessor: number): void {
    if (this.lists !== undefined) return this.undeliver(slot, EDGE | LEVEL_SOFTWARE, { before: this.log.before(slot), accessor });
    this.setStatus(slot, (this.status[slot] ?? 0) & ~(EDGE | LEVEL_SOFTWARE));
    this.reconsider(slot);
  }

  /** A message-based interrupt was set (SETSPI). */
  setMessage(slot: number): void {
    this.deliver(slot, EDGE | LEVEL_MESSAGE);
  }

  /** A message-based interrupt was cleared (CLRSPI). One that is listed is delivered once more. */
  clearMessage(slot: number, accessor: number): void {
    if (this.lists !== undefined) this.undeliver(slot, EDGE | LEVEL_MESSAGE, { before: this.log.before(slot), accessor });
    else this.setStatus(slot, (this.status[slot] ?? 0) & ~LEVEL_MESSAGE);
  }

  /** A source asserts its level. */
  assertLevel(slot: number): void {
    if (this.isLive && ((this.status[slot] ?? 0) & LEVEL_SOURCE) !== 0) return;
    const latched = !this.isLive ? EDGE : this.configured(slot, EDGE_TRIGGERED) ? EDGE | LEVEL_SOFTWARE : 0;
    this.deliver(slot, latched | LEVEL_SOURCE);
    this.hooks.event('asserted', slot, this.cpuOf(slot));
  }

  /** A source pulses; nothing happens unless the interrupt is edge-triggered, but that with list registers the pulse is latched. */
  assertEdge(slot: number): void {
    if (!this.configured(slot, EDGE_TRIGGERED)) return this.isLive ? undefined : this.deliver(slot, EDGE);
    this.deliver(slot, this.isLive ? EDGE | LEVEL_SOFTWARE : EDGE);
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
    if (this.lists === undefined) this.setStatus(slot, status & ~LEVEL_SOURCE);
    else this.undeliver(slot, LEVEL_SOURCE, { before: this.log.before(slot), accessor: undefined });
    if ((status & LEVEL_SOURCE) !== 0) this.hooks.event('cleared', slot, this.cpuOf(slot));
  }

  /** The CPU acknowledges: pending becomes active. With lazy levels one that software set stays until software clears it. */
  acknowledge(slot: number, cpu: number): void {
    this.setStatus(slot, ((this.status[slot] ?? 0) & ~(this.isLive ? EDGE | LEVEL_SOFTWARE | LISTED : LISTED)) | ACTIVE);
    this.hooks.event('taken', slot, cpu);
  }

  /** Sets the active bit by register; of what is listed it cannot be set. */
  setActive(slot: number): void {
    if (this.lists?.placeOf(slot) === undefined) this.setStatus(slot, (this.status[slot] ?? 0) | ACTIVE);
  }

  /** Clears the active bit by register; of what is listed it cannot be cleared. */
  clearActive(slot: number): void {
    if (this.lists?.placeOf(slot) === undefined) this.deactivate(slot, undefined);
  }

  /** Ends the active state and examines the source's level again. `cpu` is there if a CPU ended it, rather than a register of the distributor. What stands in a list register ends there. */
  deactivate(slot: number, cpu: number | undefined): void {
    const status = this.status[slot] ?? 0;
    const place = this.lists?.placeOf(slot);
    if (this.lists !== undefined && place !== undefined && cpu !== undefined) return this.endListed(slot, place, this.lists);
    const before = this.log.before(slot);
    if ((status & ACTIVE) === 0) return this.log.step('inactive', slot, before);
    this.setStatus(slot, status & ~(ACTIVE | WAITING));
    this.hooks.event('ended', slot, cpu);
    this.reconsider(slot, this.isReasserted(status));
    this.log.step('deactivate', slot, before, cpu);
    if (this.lists !== undefined && this.cpuOf(slot) !== undefined) this.retry(slot);
  }

  /** True if an interrupt is active in a list register of this CPU. */
  isActiveInList(slot: number, cpu: number): boolean {
    const place = this.lists?.placeOf(slot);
    return place !== undefined && cpuOfPlace(place) === cpu && ((this.status[slot] ?? 0) & ACTIVE) !== 0;
  }

  /** An end that names none in a list register ends the one that left its register last, whichever was named. */
  endDisplaced(cpu: number): void {
    if (this.lists === undefined) return;
    this.maintain(cpu);
    const slot = this.slotOf(cpu, this.lists.recall(cpu));
    if (slot !== undefined && this.lists.placeOf(slot) === undefined) this.deactivate(slot, cpu);
    this.fill(cpu, this.lists);
  }

  /** Ends the active state on its own (ICC_DIR_EL1): the interrupt leaves its list register. */
  deactivateAlone(slot: number, cpu: number): void {
    const { lists } = this;
    const status = this.status[slot] ?? 0;
    const place = lists?.placeOf(slot);
    if (lists === undefined || place === undefined) {
      if ((status & ACTIVE) !== 0 || lists !== undefined) this.deactivate(slot, cpu);
      return;
    }
    if ((status & ACTIVE) === 0 || cpuOfPlace(place) !== cpu) return;
    const before = this.log.before(slot);
    this.leave(slot, lists);
    this.setStatus(slot, this.latched(status) & ~ACTIVE);
    this.hooks.event('ended', slot, cpu);
    this.reconsider(slot, this.isReasserted(status));
    this.log.step('deactivate', slot, before, cpu);
    if (this.cpuOf(slot) !== undefined) this.retry(slot);
  }

  /** Groups that a CPU takes interrupts of: bits 0 and 1. */
  takes(cpu: number): number {
    return (this.hooks.accepts(cpu, 0) ? 1 : 0) | (this.hooks.accepts(cpu, 1) ? 2 : 0);
  }

  /** A CPU takes fewer groups than before: all its list registers are looked at. */
  closeCpu(cpu: number): void {
    for (let index = 0; this.lists !== undefined && index < LIST_REGISTER_COUNT; index++) this.sync(cpu * LIST_REGISTER_COUNT + index, this.lists);
    this.touched.add(cpu);
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

  private canReach(place: number, accessor: number | undefined): boolean {
    return accessor === undefined || cpuOfPlace(place) === accessor || !this.hooks.isRunning(cpuOfPlace(place));
  }

  /** Adds reasons to be pending, or enables. The list register that has it takes it again; what has none gets one at the next offer. */
  private deliver(slot: number, reasons: number, config = 0): void {
    const { lists } = this;
    const place = lists?.placeOf(slot);
    if (place === undefined) this.log.assertion(slot);
    const before = place === undefined ? 0 : this.log.before(slot);
    if (config !== 0) this.setConfig(slot, config, true);
    this.setStatus(slot, ((this.status[slot] ?? 0) & ~WAITING) | reasons);
    if (lists === undefined) return config === 0 ? undefined : this.reconsider(slot);
    if (place === undefined) return ((this.status[slot] ?? 0) & ACTIVE) === 0 ? undefined : this.watchActive(slot, lists);
    if (this.configured(slot, ENABLED) && this.hasReason(slot) && this.cpuOf(slot) === cpuOfPlace(place)) return this.redeliver(slot, place, before);
    lists.setMarks(place, lists.marksAt(place) | MARK.sync);
    this.log.step('deliver', slot, before);
    if (!this.hasReason(slot)) return;
    if (this.isPrivate(slot)) this.sync(place, lists);
    else this.syncAll(lists);
  }

  /** Once more while it is active, without a list register: it waits for one. */
  private watchActive(slot: number, lists: ListRegisters): void {
    const cpu = this.cpuOf(slot);
    if (cpu !== undefined && this.configured(slot, ENABLED) && this.hasReason(slot) && this.hooks.accepts(cpu, this.configured(slot, GROUP1) ? 1 : 0)) lists.watch(cpu);
  }

  private redeliver(slot: number, place: number, before: number): void {
    const { lists } = this;
    const was = this.status[slot] ?? 0;
    this.setStatus(slot, (was & ~(EDGE | WAITING)) | LISTED);
    lists?.setMarks(place, (lists.marksAt(place) & ~MARK.end) | this.endMark(slot));
    if (this.log.isWanted) this.log.tell({ kind: 'redeliver', slot, before, after: this.deliveryWord(slot), list: [listState(was), listState(was | LISTED)] });
  }

  /** What could not be listed before may be now: it is delivered anew. */
  private retry(slot: number): void {
    if (this.configured(slot, ENABLED) && this.hasReason(slot)) this.log.assertion(slot);
  }

  /** Takes reasons to be pending away. What is listed is looked at where it can be reached, else left there with a mark. Without an accessor shared interrupts can be reached too. */
  private undeliver(slot: number, cleared: number, { before, accessor }: { readonly before: number; readonly accessor: number | undefined }): void {
    const { lists } = this;
    const place = lists?.placeOf(slot);
    if (lists === undefined || place === undefined) {
      const was = this.status[slot] ?? 0;
      this.setStatus(slot, was & ~cleared);
      this.reconsider(slot, this.isReasserted(was));
      return this.log.step('undeliver', slot, before, accessor === undefined ? this.cpuOf(slot) : undefined);
    }
    if ((this.isPrivate(slot) || accessor === undefined) && this.canReach(place, accessor)) return this.sync(place, lists, cleared, before);
    const status = (this.status[slot] ?? 0) & ~cleared;
    const isOver = !this.configured(slot, ENABLED) || (!this.configured(slot, EDGE_TRIGGERED) && (status & LEVELS) === 0);
    this.setStatus(slot, status);
    lists.setMarks(place, lists.marksAt(place) | (isOver ? MARK.sync : 0) | (cleared === 0 ? 0 : MARK.detached));
    this.log.step('undeliver-listed', slot, before);
  }

  /** Marks what is listed and looks at all that is marked. */
  private lookAgain(slot: number, lists: ListRegisters): void {
    const place = lists.placeOf(slot);
    if (place !== undefined) lists.setMarks(place, lists.marksAt(place) | MARK.sync);
    this.syncAll(lists);
  }

  /** Looks at all list registers that are marked, but for those of CPUs that take nothing. */
  private syncAll(lists: ListRegisters): void {
    for (let cpu = 0; cpu < this.cpuCount; cpu++) {
      for (let place = cpu * LIST_REGISTER_COUNT; place < (cpu + 1) * LIST_REGISTER_COUNT; place++) {
        if ((lists.marksAt(place) & (MARK.sync | MARK.detached)) !== 0 && (this.hooks.isRunning(cpu) || this.takes(cpu) !== 0)) this.sync(place, lists);
      }
    }
  }

  /**
   * Looks at a list register: by how its interrupt is configured now, and what is asserted, it stays pending or active, or leaves. `cleared` are reasons that
   * are taken away, `before` its state before that.
   */
  private sync(place: number, lists: ListRegisters, cleared = 0, before?: number): void {
    const slot = lists.slotAt(place);
    if (slot === undefined) return;
    const { isWanted: isTold } = this.log;
    const word = before ?? (isTold ? this.deliveryWord(slot) : 0);
    const was = this.status[slot] ?? 0;
    const isActive = (was & ACTIVE) !== 0;
    this.setStatus(slot, (was & ~(LISTED | cleared | WAITING)) | ((was & LISTED) !== 0 && (cleared & EDGE) === 0 ? EDGE : 0));
    if ((cleared & LEVEL_SOURCE) === 0) this.reconsider(slot, this.isReasserted(was));
    const isWanted = this.configured(slot, ENABLED) && this.hasReason(slot);
    const isAllowed = this.configured(slot, ENABLED) && this.cpuOf(slot) === cpuOfPlace(place) && this.hooks.accepts(cpuOfPlace(place), this.configured(slot, GROUP1) ? 1 : 0);
    const now = this.status[slot] ?? 0;
    let outcome: SyncOutcome = 'unchanged';
    let marks = lists.marksAt(place) & MARK.end;
    if (!isActive && !(isWanted && isAllowed)) {
      outcome = 'free';
      this.leave(slot, lists);
    } else if (!isAllowed) {
      outcome = 'active';
      if (isWanted) marks = MARK.end;
    } else if (isWanted) {
      outcome = 'pending';
      this.setStatus(slot, (now & ~EDGE) | LISTED);
      marks = this.configured(slot, EDGE_TRIGGERED) ? 0 : MARK.end;
    } else this.setStatus(slot, now | (was & LISTED));
    if (outcome !== 'free') lists.setMarks(place, marks);
    if (isTold) this.log.tell({ kind: 'sync', slot, before: word, after: this.deliveryWord(slot), at: cpuOfPlace(place), outcome, isPending: isWanted, list: [listState(was), listState(this.status[slot] ?? 0)] });
  }

  /** The end of what stands in a list register: pending once more, or over, which is looked at where it matters. */
  private endListed(slot: number, place: number, lists: ListRegisters): void {
    const cpu = cpuOfPlace(place);
    const status = (this.status[slot] ?? 0) & ~ACTIVE;
    this.setStatus(slot, status);
    this.hooks.event('ended', slot, cpu);
    if ((status & LISTED) !== 0 || (lists.marksAt(place) & MARK.end) === 0) return;
    this.maintain(cpu);
    this.sync(place, lists);
    this.fill(cpu, lists);
  }

  private maintain(cpu: number): void {
    if (!this.log.isWanted) this.hooks.maintenance?.(cpu);
    else if (this.hooks.maintenance !== undefined) this.log.after(() => this.hooks.maintenance?.(cpu));
  }

  /** Whether the end of what a list register takes matters: that of a level that is asserted. */
  private endMark(slot: number): number {
    return !this.configured(slot, EDGE_TRIGGERED) && ((this.status[slot] ?? 0) & LEVELS) !== 0 ? MARK.end : 0;
  }

  /** Takes an interrupt out of its list register. */
  private leave(slot: number, lists: ListRegisters): void {
    this.touchOwners(slot);
    lists.remove(slot);
  }

  private isReasserted(status: number): boolean {
    return !this.isLive && (status & (EDGE | LISTED)) !== 0;
  }

  /** A status without a list register: what was pending there is latched again. */
  private latched(status: number): number {
    return (status & LISTED) === 0 ? status : (status & ~LISTED) | EDGE;
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
    let isAnyListed = false;
    this.eachPending(cpu, (slot) => {
      const status = this.status[slot] ?? 0;
      const place = lists.placeOf(slot);
      if (place !== undefined) isAnyListed ||= cpuOfPlace(place) === cpu && this.listedState(slot) === 'pending';
      else if ((status & WAITING) === 0 && this.isDeliverable(slot, cpu) && this.list(slot, cpu, lists)) isAnyListed = true;
    });
    if (!isAnyListed && lists.isWatched(cpu)) {
      this.maintain(cpu);
      this.fill(cpu, lists);
    }
    return this.bestListed(cpu, lists);
  }

  /** Fills list registers with what waits for one. If they are more, nothing waits any longer. */
  private fill(cpu: number, lists: ListRegisters): void {
    if (!lists.isWatched(cpu)) return;
    const waiting: number[] = [];
    this.eachPending(cpu, (slot) => { if (lists.placeOf(slot) === undefined && this.isDeliverable(slot, cpu)) waiting.push(slot); });
    waiting.sort((a, b) => this.priorityOf(a) - this.priorityOf(b) || a - b);
    const places = lists.placesToFill(cpu, this.stateOf);
    places.forEach((place, index) => {
      const slot = waiting[index];
      if (slot !== undefined) this.listAt(slot, place, lists);
    });
    if (places.length > waiting.length) lists.watch(cpu, false);
  }

  /** Puts an interrupt into a list register; false if there is none for it. */
  private list(slot: number, cpu: number, lists: ListRegisters): boolean {
    const place = lists.choose(cpu, this.priorityOf(slot), this.stateOf);
    if (place === undefined) this.wait(slot, cpu, lists);
    else this.listAt(slot, place, lists);
    return place !== undefined;
  }

  private wait(slot: number, cpu: number, lists: ListRegisters): void {
    this.setStatus(slot, (this.status[slot] ?? 0) | WAITING);
    lists.watch(cpu);
  }

  private listAt(slot: number, place: number, lists: ListRegisters): void {
    const { isWanted } = this.log;
    const before = isWanted ? this.deliveryWord(slot) : 0;
    this.setStatus(slot, ((this.status[slot] ?? 0) | LISTED) & ~(WAITING | EDGE));
    if (isWanted) this.log.beginList(slot, cpuOfPlace(place), before, this.deliveryWord(slot) | 1);
    this.reclaim(place, lists);
    if (isWanted) this.log.endList();
    lists.put(place, slot, this.priorityOf(slot), this.configured(slot, GROUP1));
    lists.setMarks(place, this.endMark(slot));
  }

  /** Takes a list register from its interrupt for another. */
  private reclaim(place: number, lists: ListRegisters): void {
    const slot = lists.slotAt(place);
    if (slot === undefined) return;
    const cpu = cpuOfPlace(place);
    const before = this.log.before(slot);
    const state = this.listedState(slot);
    const isMarked = (lists.marksAt(place) & MARK.sync) !== 0;
    if (state === 'active') lists.displace(cpu, this.intidOf(slot));
    this.leave(slot, lists);
    const status = this.latched(this.status[slot] ?? 0);
    this.setStatus(slot, status);
    this.reconsider(slot, this.isReasserted(status));
    if (this.log.isWanted) this.log.tell({ kind: 'reclaim', slot, before, after: this.deliveryWord(slot), at: cpu });
    if (state !== 'active' && !isMarked && this.configured(slot, ENABLED) && this.hasReason(slot)) this.wait(slot, cpu, lists);
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

  /** Examines a source's level again. `isReasserted`: it was asserted since it was taken last. */
  private reconsider(slot: number, isReasserted = false): void {
    const status = this.status[slot] ?? 0;
    if ((status & LEVEL_SOURCE) === 0 || this.hooks.checkPending(slot, isReasserted)) return;
    this.setStatus(slot, status & ~LEVEL_SOURCE);
    this.hooks.event('cleared', slot, this.cpuOf(slot));
  }
}
