/** Sizes and addresses as users write them. */

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Bytes of `"128M"`, `"1GiB"`, `"0x1000"` or a plain number; undefined if it is none or not a positive safe integer. */
export function parseSize(text: string | number): number | undefined {
  if (typeof text === 'number') return Number.isSafeInteger(text) && text > 0 ? text : undefined;
  const match = /^(0x[0-9a-f]+|\d+)\s*([kmg]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const size = Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? Number.NaN);
  return Number.isSafeInteger(size) && size > 0 ? size : undefined;
}

/** A 64-bit address of `"0x40000000"` or decimal text; undefined if it is none. */
export function parseAddress(text: string): bigint | undefined {
  const trimmed = text.trim();
  if (!/^(0x[0-9a-f]{1,16}|\d{1,20})$/i.test(trimmed)) return undefined;
  const value = BigInt(trimmed);
  return value < 1n << 64n ? value : undefined;
}
