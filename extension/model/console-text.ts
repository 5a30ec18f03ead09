/**
 * What a terminal must be sent so that a serial console's text looks right, and what a serial line must be sent for a typed key.
 */

/** Turns guest output into terminal output: a line feed without carriage return begins a new line, as on a cooked terminal. */
export class ConsoleText {
  private endedWithReturn = false;

  /** Converts one piece; pieces may be cut anywhere, also between `\r` and `\n`. */
  convert(text: string): string {
    if (text === '') return '';
    const first = this.endedWithReturn && text.startsWith('\n') ? '\n' : '';
    this.endedWithReturn = text.endsWith('\r');
    return first + text.slice(first.length).replace(/\r?\n/g, '\r\n');
  }

  /** Begins anew, as after a restart. */
  reset(): void {
    this.endedWithReturn = false;
  }
}

/** Clears a terminal and its scrollback. */
export const CLEAR_TERMINAL = '\x1b[2J\x1b[3J\x1b[H';

/** A line of our own between lines of the guest: dim, on a line by itself. */
export function noteLine(text: string): string {
  return `\x1b[0m\r\n\x1b[2m── ${text} ──\x1b[0m\r\n`;
}

/** What reaches the guest's serial port for what was typed or pasted: pasted line ends become the carriage return that Enter sends. */
export function typedText(data: string): string {
  return data.replace(/\r?\n/g, '\r');
}
