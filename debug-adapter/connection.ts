/**
 * Base protocol of DAP: `Content-Length` framing over a byte stream, and the bookkeeping of requests and responses.
 *
 * Malformed input never ends the connection: a bad header or body is reported once and skipped. Source: DAP: base protocol.
 */

import type { DebugProtocol } from '@vscode/debugprotocol';

/** Longest message accepted, in bytes. */
export const MESSAGE_SIZE_MAX = 64 * 1024 * 1024;
const HEADER_SIZE_MAX = 4096;
const SEPARATOR = [13, 10, 13, 10] as const;

/** Cuts a byte stream into message bodies. */
export class FrameReader {
  private buffer = new Uint8Array(0);
  private bodySize: number | undefined;
  private readonly onBody: (body: string) => void;
  private readonly onProblem: (message: string) => void;
  private readonly decoder = new TextDecoder();

  constructor(onBody: (body: string) => void, onProblem: (message: string) => void) {
    this.onBody = onBody;
    this.onProblem = onProblem;
  }

  /** Takes the next bytes of the stream. */
  push(chunk: Uint8Array): void {
    const joined = new Uint8Array(this.buffer.length + chunk.length);
    joined.set(this.buffer);
    joined.set(chunk, this.buffer.length);
    this.buffer = joined;
    while (this.bodySize === undefined ? this.takeHeader() : this.takeBody(this.bodySize));
  }

  private takeHeader(): boolean {
    const end = indexOf(this.buffer, SEPARATOR);
    if (end < 0) {
      if (this.buffer.length > HEADER_SIZE_MAX) this.drop(this.buffer.length, 'a header without an end');
      return false;
    }
    const header = this.decoder.decode(this.buffer.subarray(0, end));
    // After garbage the header need not begin its line; what counts is the last length before the empty line.
    const length = [...header.matchAll(/content-length:[ \t]*(\d{1,10})[ \t]*(?=\r|$)/gi)].pop();
    this.buffer = this.buffer.slice(end + SEPARATOR.length);
    const size = length === undefined ? Number.NaN : Number(length[1]);
    if (!(size <= MESSAGE_SIZE_MAX)) {
      this.onProblem(`ignored a message with the header ${JSON.stringify(header.slice(0, 100))}`);
      return true;
    }
    this.bodySize = size;
    return true;
  }

  private takeBody(size: number): boolean {
    if (this.buffer.length < size) return false;
    const body = this.decoder.decode(this.buffer.subarray(0, size));
    this.buffer = this.buffer.slice(size);
    this.bodySize = undefined;
    this.onBody(body);
    return true;
  }

  private drop(size: number, what: string): void {
    this.buffer = this.buffer.slice(size);
    this.onProblem(`ignored ${what}`);
  }
}

function indexOf(bytes: Uint8Array, pattern: readonly number[]): number {
  const [first = 0] = pattern;
  for (let at = bytes.indexOf(first); at >= 0 && at + pattern.length <= bytes.length; at = bytes.indexOf(first, at + 1)) {
    if (pattern.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

/** One message with its header, as bytes. */
export function frame(message: DebugProtocol.ProtocolMessage): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify(message));
  const header = new TextEncoder().encode(`Content-Length: ${body.length}\r\n\r\n`);
  const framed = new Uint8Array(header.length + body.length);
  framed.set(header);
  framed.set(body, header.length);
  return framed;
}
