/** Base64 without Node's Buffer. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Map([...ALPHABET].map((character, value) => [character, value]));

/** Encodes bytes, with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const word = (a << 16) | (b << 8) | c;
    const digits = [18, 12, 6, 0].map((shift) => ALPHABET[(word >> shift) & 63] ?? '');
    const left = bytes.length - i;
    parts.push(left >= 3 ? digits.join('') : `${digits.slice(0, left + 1).join('')}${'='.repeat(3 - left)}`);
  }
  return parts.join('');
}

/** Decodes; undefined if it is not base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const digits = text.replace(/[\s=]/g, '');
  if (digits.length % 4 === 1) return undefined;
  const out = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let word = 0;
  let used = 0;
  for (const [index, digit] of [...digits].entries()) {
    const value = VALUES.get(digit);
    if (value === undefined) return undefined;
    word = ((word << 6) | value) & 0xff_ffff;
    if (index % 4 > 0) out[used++] = (word >> (6 - 2 * (index % 4))) & 0xff;
  }
  return out;
}
