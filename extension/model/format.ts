/** How values are written in views: sizes, times, addresses, bytes. Pure text functions. */

const SIZE_UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `134217728` → `128 MiB`; exact if it divides evenly, else one decimal place. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < SIZE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  if (bytes === 1) return '1 byte';
  return `${Number.isInteger(value) ? String(value) : value.toFixed(1)} ${SIZE_UNITS[unit] ?? 'bytes'}`;
}

/** A number with thin groups of three digits: `1234567` → `1,234,567`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Virtual time of a tick (one tick is one nanosecond) in the unit that reads best: `12.345 ms`. */
export function formatTime(ticks: number): string {
  const sign = ticks < 0 ? '-' : '';
  const size = Math.abs(ticks);
  if (size < 1_000) return `${sign}${size} ns`;
  if (size < 1_000_000) return `${sign}${trimZeros((size / 1_000).toFixed(3))} µs`;
  if (size < 1_000_000_000) return `${sign}${trimZeros((size / 1_000_000).toFixed(3))} ms`;
  return `${sign}${trimZeros((size / 1_000_000_000).toFixed(6))} s`;
}

function trimZeros(decimal: string): string {
  return decimal.replace(/\.?0+$/, '');
}

/** Lower-case hex text of a size or offset. */
export function formatHex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** Last address of a range, from its hex base and its size. */
export function rangeEnd(base: string, sizeBytes: number): string {
  return `0x${(BigInt(base) + BigInt(Math.max(sizeBytes, 1)) - 1n).toString(16)}`;
}

/** File name of a path of either kind of slash. */
export function fileNameOf(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

/** Hex digits without spaces, as pairs: at most `limit` bytes, then an ellipsis. */
export function formatBytes(hex: string, limit: number): string {
  const pairs = hex.match(/../g) ?? [];
  return pairs.slice(0, limit).join(' ') + (pairs.length > limit ? ' …' : '');
}

/** Bytes per line of a hex dump. */
const DUMP_WIDTH = 16;

/** A classic hex dump: offset or address, sixteen bytes, their ASCII. `bytes[i] === undefined` is shown as `??`. */
export function hexDump(bytes: readonly (number | undefined)[], base = 0n): string {
  const digits = (base + BigInt(bytes.length)) > 0xffff_ffffn ? 16 : base === 0n ? 4 : 8;
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += DUMP_WIDTH) {
    const part = bytes.slice(at, at + DUMP_WIDTH);
    const hex = part.map((byte) => (byte === undefined ? '??' : byte.toString(16).padStart(2, '0'))).join(' ');
    const text = part.map((byte) => (byte !== undefined && byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${(base + BigInt(at)).toString(16).padStart(digits, '0')}  ${hex.padEnd(DUMP_WIDTH * 3 - 1)}  ${text}`);
  }
  return lines.join('\n');
}

/** Numbers of a hex string of two digits a byte; anything else ends the list. */
export function parseBytes(hex: string): number[] {
  const bytes: number[] = [];
  for (const pair of hex.match(/../g) ?? []) {
    const byte = Number.parseInt(pair, 16);
    if (Number.isNaN(byte)) break;
    bytes.push(byte);
  }
  return bytes;
}

/** `1 message`, `2 messages`. */
export function plural(count: number, noun: string): string {
  const many = noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${formatCount(count)} ${count === 1 ? noun : many}`;
}

/** Text made safe for Markdown tooltips. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~]/g, '\\$&');
}
