/** A bounded first-in first-out buffer that drops its oldest element when full. */
export class Ring<T> {
  private items: (T | undefined)[] = [];
  private first = 0;
  private length = 0;
  readonly capacity: number;
  /** How many elements were dropped since creation or clear. */
  dropped = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** How many elements are held. */
  get count(): number {
    return this.length;
  }

  /** Appends, dropping the oldest when full. */
  push(item: T): void {
    if (this.length === this.capacity) {
      this.first = (this.first + 1) % this.capacity;
      this.length--;
      this.dropped++;
    }
    this.items[(this.first + this.length) % this.capacity] = item;
    this.length++;
  }

  /** The element at `index` from the oldest, or `undefined`. */
  at(index: number): T | undefined {
    return index >= 0 && index < this.length ? this.items[(this.first + index) % this.capacity] : undefined;
  }

  /** Oldest to newest. */
  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.length; i++) yield this.items[(this.first + i) % this.capacity] as T;
  }

  /** Forgets everything. */
  clear(): void {
    this.items = [];
    this.first = 0;
    this.length = 0;
    this.dropped = 0;
  }

  /** Keeps only the oldest `count` elements. */
  truncate(count: number): void {
    this.length = Math.min(this.length, Math.max(0, count));
  }
}
