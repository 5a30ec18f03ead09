/** A list of 32-bit numbers that grows without boxing them: passes over a kernel's debug information push millions. */

const FIRST_CAPACITY = 64;

/** Numbers in order of pushing. */
export class GrowingNumbers {
  private numbers: Uint32Array;
  private used = 0;

  constructor(capacity = FIRST_CAPACITY) {
    this.numbers = new Uint32Array(capacity);
  }

  /** How many there are. */
  get count(): number {
    return this.used;
  }

  /** Adds a number from 0 to 2^32 - 1. */
  push(value: number): void {
    if (this.used === this.numbers.length) {
      const larger = new Uint32Array(Math.max(FIRST_CAPACITY, this.used * 2));
      larger.set(this.numbers);
      this.numbers = larger;
    }
    this.numbers[this.used++] = value;
  }

  /** Changes a number that is there. */
  set(index: number, value: number): void {
    this.numbers[index] = value;
  }

  at(index: number): number {
    return this.numbers[index] ?? 0;
  }

  /** The numbers alone, in an array of their own size. */
  toArray(): Uint32Array {
    return this.numbers.slice(0, this.used);
  }

  /** The numbers as a view, to be read before the next push. */
  view(): Uint32Array {
    return this.numbers.subarray(0, this.used);
  }
}
