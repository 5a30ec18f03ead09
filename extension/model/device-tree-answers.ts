/** Checks and reads what people type into the "Add …" commands. A check returns what is wrong, or an empty string. No editor in here. */

const NUMBER = /^(?:0x[0-9a-f]{1,16}|\d{1,19})$/i;
const SIZE = /^(0x[0-9a-f]{1,16}|\d{1,19})([KMG]?)$/i;
const UNITS: Readonly<Record<string, bigint>> = { '': 1n, K: 1024n, M: 1024n ** 2n, G: 1024n ** 3n };
const PAGE = 4096n;
/** RM refuses longer names. */
const NAME_LENGTH_MAX = 79;

/** A number in C notation. */
export function checkNumber(text: string): string {
  return NUMBER.test(text) ? '' : 'A number, such as 0x10 or 16.';
}

/** A number in a range. */
export function checkCount(min: number, max: number): (text: string) => string {
  return (text) => {
    if (!NUMBER.test(text)) return checkNumber(text);
    return Number(text) >= min && Number(text) <= max ? '' : `From ${min} to ${max}.`;
  };
}

/** An address on a border of `alignment` bytes. */
export function checkAddress(alignment: bigint): (text: string) => string {
  return (text) => {
    if (!NUMBER.test(text)) return 'An address, such as 0x80000000.';
    return BigInt(text) % alignment === 0n ? '' : `The address must be a multiple of 0x${alignment.toString(16)}.`;
  };
}

/** A size in whole pages, with or without a unit. */
export function checkSize(text: string): string {
  if (!SIZE.test(text)) return 'A size, such as 128M or 0x8000000.';
  const size = parseSize(text);
  return size > 0n && size % PAGE === 0n ? '' : 'Whole pages of 4 KiB.';
}

/** Letters, digits and what a node's name may hold besides. */
export function checkName(text: string): string {
  if (text.length > NAME_LENGTH_MAX) return `At most ${NAME_LENGTH_MAX} characters.`;
  return /^[A-Za-z0-9][A-Za-z0-9,._+-]*$/.test(text) ? '' : 'Letters, digits and , . _ + - only.';
}

/** Name of another VM; none is fine. */
export function checkPeer(text: string): string {
  return /["\\]/.test(text) ? 'No quotes or backslashes.' : '';
}

/** The number that `checkNumber` or `checkAddress` passed. */
export function parseAddress(text: string): bigint {
  return BigInt(text);
}

/** The size in bytes that `checkSize` passed. */
export function parseSize(text: string): bigint {
  const [, number = '0', unit = ''] = SIZE.exec(text) ?? [];
  return BigInt(number) * (UNITS[unit.toUpperCase()] ?? 1n);
}
