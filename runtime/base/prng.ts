/** Seeded random numbers: the runtime's only source of chance, saved and restored with the system. */

/** xorshift128+ over 32-bit halves; same seed, same sequence, on every host. */
export class Prng {
  private state: Uint32Array;

  constructor(seed: number) {
    this.state = new Uint32Array(4);
    let z = (seed >>> 0) + 0x9e3779b9;
    for (let i = 0; i < 4; i++) {
      z = (z + 0x9e3779b9) >>> 0;
      let t = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      t = Math.imul(t ^ (t >>> 13), 0xc2b2ae35);
      this.state[i] = (t ^ (t >>> 16)) >>> 0;
    }
  }

  /** The next 32 bits. */
  nextU32(): number {
    const s = this.state;
    const [a = 0, b = 0, c = 0, d = 0] = s;
    const result = Math.imul(b, 5);
    s[2] = c ^ a;
    s[3] = d ^ b;
    s[1] = b ^ (s[2] ?? 0);
    s[0] = a ^ (s[3] ?? 0);
    s[2] = (s[2] ?? 0) ^ (b << 9);
    const high = s[3] ?? 0;
    s[3] = (high << 11) | (high >>> 21);
    return ((result << 7) | (result >>> 25)) >>> 0;
  }

  /** The next 64 bits. */
  nextU64(): bigint {
    return (BigInt(this.nextU32()) << 32n) | BigInt(this.nextU32());
  }

  /** A number in `[0, limit)`. */
  below(limit: number): number {
    return this.nextU32() % limit;
  }

  /** The state, for a snapshot. */
  save(): readonly number[] {
    return [...this.state];
  }

  /** Takes a saved state back. */
  restore(saved: readonly number[]): void {
    this.state = Uint32Array.from(saved);
  }
}
