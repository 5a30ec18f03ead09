/** Where a run's output goes: standard output and files, written at once and in order, so that nothing is lost however it ends. */

import { closeSync, openSync, writeSync } from 'node:fs';

const STANDARD_OUTPUT = 1;

/** One destination. `write` answers false once nobody reads any more. */
export class Output {
  private readonly descriptor: number;
  private isOpen = true;

  private constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  /** The process's standard output. */
  static standard(): Output {
    return new Output(STANDARD_OUTPUT);
  }

  /** A new file, or a sentence that says why there is none. */
  static file(path: string): Output | string {
    try {
      return new Output(openSync(path, 'w'));
    } catch (problem) {
      return `Cannot write ${path}: ${codeOf(problem)}.`;
    }
  }

  write(bytes: Uint8Array | string): boolean {
    const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    for (let done = 0; this.isOpen && done < data.length;) {
      try {
        done += writeSync(this.descriptor, data, done);
      } catch (problem) {
        // A pipe without room: its reader is slow, and waiting for it is right.
        if (codeOf(problem) === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
        else this.isOpen = false;
      }
    }
    return this.isOpen;
  }

  close(): void {
    if (this.descriptor !== STANDARD_OUTPUT) closeSync(this.descriptor);
  }
}

function codeOf(problem: unknown): string {
  return typeof problem === 'object' && problem !== null && 'code' in problem ? String(problem.code) : String(problem);
}

/** Puts the name of its VM before every line when several VMs print to one place. */
export class Prefixer {
  private current: string | undefined;
  private isAtStart = true;

  /** The text to print for more output of a VM. A line of another VM that is not complete is ended first. */
  prefix(vm: string, text: string): string {
    const broken = this.current !== undefined && this.current !== vm && !this.isAtStart ? '\n' : '';
    const continues = this.current === vm && !this.isAtStart;
    const unified = text.replaceAll('\r\n', '\n');
    const body = unified.endsWith('\n') ? unified.slice(0, -1) : unified;
    const lines = body.split('\n').map((line, index) => (index === 0 && continues ? line : `[${vm}] ${line}`));
    this.current = vm;
    this.isAtStart = unified.endsWith('\n');
    return `${broken}${lines.join('\n')}${this.isAtStart ? '\n' : ''}`;
  }

  /** What ends the last line, if it is not complete. */
  finish(): string {
    return this.isAtStart ? '' : '\n';
  }
}
