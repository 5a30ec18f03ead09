/** Packets of the GDB remote serial protocol: framing, checksums and escapes (GDB manual, appendix E.1). Bodies are strings of one character a byte. */

/** What a client sent. */
export type GdbInput =
  | { readonly kind: 'packet'; readonly body: string }
  /** A packet whose checksum is wrong, or that is too long. */
  | { readonly kind: 'damaged' }
  | { readonly kind: 'acknowledgement'; readonly isGood: boolean }
  /** Ctrl+C. */
  | { readonly kind: 'interrupt' };

/** Longest body taken; what we announce as PacketSize is half of it, as binary data is escaped. */
export const BODY_SIZE_MAX = 0x2_0000;
const INTERRUPT = '\x03';
const STARTS: ReadonlySet<string> = new Set(['$', '+', '-', INTERRUPT]);
const ESCAPE_MASK = 0x20;

/** Takes a stream apart. Whatever comes, nothing is thrown and memory is bounded. */
export class PacketReader {
  private pending = '';

  /** The inputs that are complete with these bytes, in order. */
  push(bytes: Uint8Array): GdbInput[] {
    this.pending += Buffer.from(bytes).toString('latin1');
    const inputs: GdbInput[] = [];
    for (let next = this.next(); next !== undefined; next = this.next()) inputs.push(next);
    return inputs;
  }

  private next(): GdbInput | undefined {
    const start = firstStart(this.pending);
    if (start < 0) {
      this.pending = '';
      return undefined;
    }
    const first = this.pending.charAt(start);
    this.pending = this.pending.slice(start);
    if (first === '$') return this.packet();
    this.pending = this.pending.slice(1);
    return first === INTERRUPT ? { kind: 'interrupt' } : { kind: 'acknowledgement', isGood: first === '+' };
  }

  private packet(): GdbInput | undefined {
    const end = this.pending.indexOf('#');
    if (end < 0 && this.pending.length > BODY_SIZE_MAX) {
      this.pending = '';
      return { kind: 'damaged' };
    }
    if (end < 0 || this.pending.length < end + 3) return undefined;
    const escaped = this.pending.slice(1, end);
    const sum = this.pending.slice(end + 1, end + 3);
    this.pending = this.pending.slice(end + 3);
    return escaped.length <= BODY_SIZE_MAX && sum.toLowerCase() === checksum(escaped) ? { kind: 'packet', body: unescaped(escaped) } : { kind: 'damaged' };
  }
}

/** Where something begins; what lies before is noise. */
function firstStart(text: string): number {
  for (let i = 0; i < text.length; i++) if (STARTS.has(text.charAt(i))) return i;
  return -1;
}

/** A packet as it is sent. */
export function framed(body: string): string {
  const escaped = body.replace(/[#$}*]/g, (character) => `}${String.fromCharCode(character.charCodeAt(0) ^ ESCAPE_MASK)}`);
  return `$${escaped}#${checksum(escaped)}`;
}

function unescaped(text: string): string {
  return text.replace(/\}([^])/g, (_, character: string) => String.fromCharCode(character.charCodeAt(0) ^ ESCAPE_MASK));
}

function checksum(text: string): string {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum = (sum + text.charCodeAt(i)) & 0xff;
  return sum.toString(16).padStart(2, '0');
}

/** Bytes as hex digits, and back; undefined if the text is no such thing. */
export function toHex(bytes: Uint8Array | string): string {
  return Buffer.from(typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes).toString('hex');
}

/** Bytes that hex digits stand for; undefined if the text is something else. */
export function fromHex(text: string): Uint8Array | undefined {
  return text.length % 2 === 0 && /^[0-9a-f]*$/i.test(text) ? new Uint8Array(Buffer.from(text, 'hex')) : undefined;
}

/** A number in hex digits; undefined if the text is none of up to 64 bits. */
export function hexNumber(text: string | undefined): bigint | undefined {
  return text !== undefined && /^[0-9a-f]{1,16}$/i.test(text) ? BigInt(`0x${text}`) : undefined;
}
