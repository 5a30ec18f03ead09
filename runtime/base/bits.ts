/** Bit fields and alignment over numbers (up to 32 bits) and bigints (up to 64 bits). */

/** Bits `high` down to `low` (inclusive) of a 32-bit value, as an unsigned number. */
export function bits(value: number, high: number, low: number): number {
  const width = high - low + 1;
  return width >= 32 ? value >>> low : (value >>> low) & ((1 << width) - 1);
}

/** Bits `high` down to `low` (inclusive) of a 64-bit value. */
export function bits64(value: bigint, high: number, low: number): bigint {
  return (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
}

/** Sign-extends the low `width` bits (1..32) of a number. */
export function signExtend(value: number, width: number): number {
  const shift = 32 - width;
  return (value << shift) >> shift;
}

/** Rounds down to a multiple of a power of two. */
export function alignDown(value: bigint, alignment: bigint): bigint {
  return value & ~(alignment - 1n);
}

/** Rounds up to a multiple of a power of two. */
export function alignUp(value: bigint, alignment: bigint): bigint {
  return (value + alignment - 1n) & ~(alignment - 1n);
}

/** `0x…` in lower case, padded to `digits`. */
export function hex(value: bigint | number, digits = 0): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}
