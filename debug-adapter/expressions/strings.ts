/** C strings in guest memory, and how texts and characters are shown. */
import type { EvaluationContext } from './values';

/** Reads are aligned to this, so that a string that ends just before an unreadable page can be read quickly. */
const CHUNK_SIZE_BYTES = 64;

/** A string as far as it was read. */
export interface CString {
  /** One character per byte. */
  readonly text: string;
  /** True if the terminating NUL was seen. */
  readonly isComplete: boolean;
  /** True if not even the first byte could be read. */
  readonly isUnreadable: boolean;
}

/** Whose memory a string is in. */
export interface StringSource { readonly context: EvaluationContext; readonly space: string | undefined }

/** Reads up to `sizeMax` characters of a NUL-terminated string. */
export function cStringAt(address: bigint, sizeMax: number, { context, space }: StringSource): CString {
  let text = '';
  let at = BigInt.asUintN(64, address);
  while (text.length < sizeMax) {
    const toBoundary = CHUNK_SIZE_BYTES - Number(at % BigInt(CHUNK_SIZE_BYTES));
    const size = Math.min(toBoundary, sizeMax - text.length);
    const bytes = context.readMemory(at, size, space) ?? readableStart(at, size, { context, space });
    if (bytes === undefined) return { text, isComplete: false, isUnreadable: text === '' };
    const end = bytes.indexOf(0);
    for (const byte of end < 0 ? bytes : bytes.subarray(0, end)) text += String.fromCharCode(byte);
    if (end >= 0) return { text, isComplete: true, isUnreadable: false };
    at = BigInt.asUintN(64, at + BigInt(bytes.length));
  }
  return { text, isComplete: false, isUnreadable: false };
}

/** As much as can be read where not all can. */
function readableStart(address: bigint, size: number, { context, space }: StringSource): Uint8Array | undefined {
  for (let part = size - 1; part > 0; part--) {
    const bytes = context.readMemory(address, part, space);
    if (bytes !== undefined) return bytes;
  }
  return undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\n': '\\n', '\t': '\\t', '\r': '\\r', '\x07': '\\a', '\b': '\\b', '\f': '\\f', '\v': '\\v', '\\': '\\\\', '\0': '\\0',
};

/** A text in quotes with escapes, as C writes it. */
export function quoted(text: string, quote: '"' | "'"): string {
  let shown = quote;
  for (const character of text) {
    const code = character.charCodeAt(0);
    if (character === quote) shown += `\\${quote}`;
    else if (ESCAPES[character] !== undefined) shown += ESCAPES[character];
    else if (code < 0x20 || (code >= 0x7f && code < 0x100)) shown += `\\${code.toString(8).padStart(3, '0')}`;
    else shown += character;
  }
  return shown + quote;
}
