/**
 * Text that leaves the system, kept outside its state: what each console printed since power-on.
 *
 * The system's state holds only how many bytes were printed. Running again over a stretch of time that was run before prints the
 * same bytes at the same positions, so they are recognised and not shown twice. A branch of history cuts the transcript.
 */

import { assert } from '../base/assert';

/** Longest transcript kept per console, in bytes; older text is dropped from the front. */
export const TRANSCRIPT_SIZE_MAX = 4 * 1024 * 1024;

/** One console's output with the position of the running system in it. */
export class Transcript {
  private bytes = new Uint8Array(4096);
  /** Absolute position of `bytes[0]`. */
  private start = 0;
  /** Absolute end of what was ever printed on this branch. */
  private end = 0;
  /** Absolute position up to which output was handed out. */
  private drained = 0;
  /** Where the system is now: bytes printed up to its current time. */
  position = 0;

  /** Takes one byte that the guest printed now. True if it is new, false if it repeats known output. */
  put(byte: number): boolean {
    const fresh = this.position >= this.end;
    if (fresh) {
      this.reserve();
      this.bytes[this.end - this.start] = byte;
      this.end++;
    }
    this.position++;
    return fresh;
  }

  /** Bytes printed since the last call. */
  drain(): Uint8Array {
    const from = Math.max(this.drained, this.start);
    this.drained = this.end;
    return this.bytes.slice(from - this.start, this.end - this.start);
  }

  /** Everything kept, up to the current position. */
  text(): Uint8Array {
    return this.bytes.slice(0, Math.max(0, this.position - this.start));
  }

  /** Moves to another position in known output. */
  seek(position: number): void {
    assert(position <= this.end, 'a transcript position lies in its past');
    this.position = position;
  }

  /** The system goes on from another instance's state: what was printed before is taken over, to be shown. */
  adopt(text: Uint8Array, position: number): void {
    assert(text.length <= position, 'a transcript is no longer than what was printed');
    this.bytes = new Uint8Array(Math.max(4096, text.length));
    this.bytes.set(text);
    this.start = position - text.length;
    this.end = position;
    this.drained = this.start;
    this.position = position;
  }

  /** History branches here: what was printed after the current position never happened. */
  truncate(): void {
    this.end = this.position;
    this.drained = Math.min(this.drained, this.end);
  }

  private reserve(): void {
    const used = this.end - this.start;
    if (used < this.bytes.length) return;
    if (used >= TRANSCRIPT_SIZE_MAX) {
      const keep = TRANSCRIPT_SIZE_MAX / 2;
      this.bytes.copyWithin(0, used - keep, used);
      this.start = this.end - keep;
      return;
    }
    const larger = new Uint8Array(this.bytes.length * 2);
    larger.set(this.bytes);
    this.bytes = larger;
  }
}
