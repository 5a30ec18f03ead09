/**
 * The list registers of a GIC whose interrupts a hypervisor lists: four for each CPU, each of which holds one interrupt with the priority and group
 * that it had when it was put there.
 *
 * An interrupt stays in its register after it has ended until the register is wanted for another, or until the hypervisor takes it out
 * because its configuration changed; while it stays it is offered as it was listed. Which of several equals comes first is a matter of the registers'
 * order. Source: Arm GIC architecture (IHI 0069) 6.3; what evicts what was read off the real hypervisor. The interrupts' own state is in
 * `gic-interrupts.ts`.
 */

/** List registers of a CPU, as QEMU's have them. */
export const LIST_REGISTER_COUNT = 4;

const EMPTY = -1;
/** Active interrupts without a register that are remembered for each CPU; the oldest are forgotten. */
const DISPLACED_MAX = 32;
/** Lower than every priority. */
const LOWEST = 0x100;

/** Marks of a list register: to be looked at; what it holds was taken back; the end of what it holds matters. The first two are bits of a delivery's state. */
export const MARK = { sync: 2, detached: 4, end: 8 } as const;

/** What an interrupt in a list register is doing. */
export type ListedState = 'idle' | 'pending' | 'active';

/** Plain-data form. */
export interface SavedListRegisters { readonly slots: Int32Array; readonly priorities: Uint8Array; readonly groups: Uint8Array; readonly displaced: Int32Array; readonly displacedCounts: Uint8Array; readonly marks: Uint8Array; readonly watches: Uint8Array }

/** All list registers of one GIC. A *place* is the number of one: CPU times four plus its index. */
export class ListRegisters {
  private readonly slots: Int32Array;
  private readonly priorities: Uint8Array;
  private readonly groups: Uint8Array;
  /** Place of each slot; derived from `slots`. */
  private readonly places: Int16Array;

  /** Numbers of active interrupts that had to leave their register, and how many, modulo 256. */
  private readonly displaced: Int32Array;
  private readonly displacedCounts: Uint8Array;

  private readonly marks: Uint8Array;
  /** By CPU: whether it is told when nothing is pending in its registers. */
  private readonly watches: Uint8Array;

  constructor(cpuCount: number, slotCount: number) {
    this.marks = new Uint8Array(cpuCount * LIST_REGISTER_COUNT);
    this.watches = new Uint8Array(cpuCount);
    this.displaced = new Int32Array(cpuCount * DISPLACED_MAX);
    this.displacedCounts = new Uint8Array(cpuCount);
    const count = cpuCount * LIST_REGISTER_COUNT;
    this.slots = new Int32Array(count).fill(EMPTY);
    this.priorities = new Uint8Array(count);
    this.groups = new Uint8Array(count);
    this.places = new Int16Array(slotCount).fill(EMPTY);
  }

  /** All empty. */
  reset(): void {
    this.slots.fill(EMPTY);
    this.places.fill(EMPTY);
    this.displaced.fill(0);
    this.displacedCounts.fill(0);
    this.marks.fill(0);
    this.watches.fill(0);
  }

  /** Marks of a place. */
  marksAt(place: number): number {
    return this.marks[place] ?? 0;
  }

  setMarks(place: number, marks: number): void {
    this.marks[place] = marks;
  }

  /** Whether something waits for a CPU until nothing is pending in its registers. */
  isWatched(cpu: number): boolean {
    return this.watches[cpu] === 1;
  }

  watch(cpu: number, isWatched = true): void {
    this.watches[cpu] = isWatched ? 1 : 0;
  }

  /** Notes an active interrupt of a CPU that leaves its register. */
  displace(cpu: number, intid: number): void {
    const count = this.displacedCounts[cpu] ?? 0;
    this.displaced[cpu * DISPLACED_MAX + (count % DISPLACED_MAX)] = intid;
    this.displacedCounts[cpu] = count + 1;
  }

  /** The interrupt that an end of none in a register is taken for: the one that left last. With none left it is whatever was noted there before, 0 at first. */
  recall(cpu: number): number {
    const count = (this.displacedCounts[cpu] ?? 0) - 1;
    this.displacedCounts[cpu] = count;
    return this.displaced[cpu * DISPLACED_MAX + ((count + DISPLACED_MAX) % DISPLACED_MAX)] ?? 0;
  }

  /** Where an interrupt is listed, if it is. */
  placeOf(slot: number): number | undefined {
    const place = this.places[slot] ?? EMPTY;
    return place === EMPTY ? undefined : place;
  }

  /** The interrupt at a place. */
  slotAt(place: number): number | undefined {
    const slot = this.slots[place] ?? EMPTY;
    return slot === EMPTY ? undefined : slot;
  }

  priorityAt(place: number): number {
    return this.priorities[place] ?? 0;
  }

  isGroup1At(place: number): boolean {
    return this.groups[place] === 1;
  }

  /** Lists an interrupt at a place, which is empty or has been emptied. */
  put(place: number, slot: number, priority: number, group1: boolean): void {
    this.remove(slot);
    this.slots[place] = slot;
    this.priorities[place] = priority;
    this.groups[place] = group1 ? 1 : 0;
    this.places[slot] = place;
    this.marks[place] = 0;
  }

  /** Takes an interrupt out, if it is listed. */
  remove(slot: number): void {
    const place = this.placeOf(slot);
    if (place === undefined) return;
    this.slots[place] = EMPTY;
    this.places[slot] = EMPTY;
    this.marks[place] = 0;
  }

  /**
   * The place for a new interrupt of a priority: an empty one, one whose interrupt has ended, that of the active one of lowest priority (but for
   * priority 0), that of the pending one of lowest priority if it is lower than the new one's; `undefined` if there is none.
   */
  choose(cpu: number, priority: number, stateOf: (slot: number) => ListedState): number | undefined {
    const first = cpu * LIST_REGISTER_COUNT;
    let active: number | undefined;
    let activePriority = 0;
    let pending: number | undefined;
    let pendingPriority = 0;
    for (let place = first; place < first + LIST_REGISTER_COUNT; place++) if (this.slotAt(place) === undefined) return place;
    for (let place = first; place < first + LIST_REGISTER_COUNT; place++) {
      const state = stateOf(this.slots[place] ?? EMPTY);
      const held = this.priorityAt(place);
      if (state === 'idle') return place;
      if (state === 'active' && held >= activePriority) [active, activePriority] = [place, held];
      if (state === 'pending' && held >= pendingPriority && held > priority) [pending, pendingPriority] = [place, held];
    }
    return activePriority === 0 ? pending : active;
  }

  /** Where interrupts that waited go once nothing is pending in the registers: all that are empty or have ended, else the active one of lowest priority. */
  placesToFill(cpu: number, stateOf: (slot: number) => ListedState): readonly number[] {
    const first = cpu * LIST_REGISTER_COUNT;
    const free = Array.from({ length: LIST_REGISTER_COUNT }, (_, index) => first + index).filter((place) => {
      const slot = this.slotAt(place);
      return slot === undefined || stateOf(slot) === 'idle';
    });
    const active = free.length > 0 ? undefined : this.choose(cpu, LOWEST, stateOf);
    return active === undefined ? free : [active];
  }

  save(): SavedListRegisters {
    return { slots: this.slots.slice(), priorities: this.priorities.slice(), groups: this.groups.slice(), displaced: this.displaced.slice(), displacedCounts: this.displacedCounts.slice(), marks: this.marks.slice(), watches: this.watches.slice() };
  }

  restore(saved: SavedListRegisters): void {
    this.slots.set(saved.slots);
    this.priorities.set(saved.priorities);
    this.groups.set(saved.groups);
    this.displaced.set(saved.displaced);
    this.displacedCounts.set(saved.displacedCounts);
    this.marks.set(saved.marks);
    this.watches.set(saved.watches);
    this.places.fill(EMPTY);
    saved.slots.forEach((slot, place) => { if (slot !== EMPTY) this.places[slot] = place; });
  }
}

/** The CPU whose list register a place is. */
export function cpuOfPlace(place: number): number {
  return Math.trunc(place / LIST_REGISTER_COUNT);
}
