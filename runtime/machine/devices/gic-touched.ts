/**
 * CPUs of a GIC for which something changed: a state bit, a route, a register of their interface. What can be offered to the others is what
 * could be offered before, so nobody need work it out again. No part of the state: all CPUs are touched after a restore.
 */

/** A set of CPUs, at first all of them. */
export class TouchedCpus {
  private readonly marks: Uint8Array;

  constructor(cpuCount: number) {
    this.marks = new Uint8Array(cpuCount).fill(1);
  }

  /** Something changed that decides what this CPU can be offered, or takes. */
  add(cpu: number): void {
    this.marks[cpu] = 1;
  }

  /** The same for every CPU. */
  addAll(): void {
    this.marks.fill(1);
  }

  has(cpu: number): boolean {
    return this.marks[cpu] === 1;
  }

  /** Whether the CPU was in the set, in which it is no more. */
  take(cpu: number): boolean {
    const isTouched = this.marks[cpu] === 1;
    this.marks[cpu] = 0;
    return isTouched;
  }
}
