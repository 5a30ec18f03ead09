// A Debug Adapter Protocol client in a few lines: starts the adapter as a child process, sends requests, waits for events.
// For `npm start -- --headless`; the tests have a client of their own with more checks.
import { spawn } from 'node:child_process';

const HEADER_END = '\r\n\r\n';

export class DapClient {
  #child;
  #sequence = 1;
  #pending = new Map();
  #listeners = new Set();
  #received = Buffer.alloc(0);

  constructor(command, args) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout.on('data', (chunk) => this.#take(chunk));
    this.ended = new Promise((resolve) => this.#child.on('exit', resolve));
    this.ended.then((code) => {
      for (const { reject, command: name } of this.#pending.values()) reject(new Error(`the adapter ended with code ${code} before it answered ${name}`));
    });
  }

  /** Sends a request; resolves with the body, rejects with the adapter's words. */
  request(command, args = {}) {
    const seq = this.#sequence++;
    const json = JSON.stringify({ seq, type: 'request', command, arguments: args });
    this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(json)}${HEADER_END}${json}`);
    return new Promise((resolve, reject) => this.#pending.set(seq, { resolve, reject, command }));
  }

  /** Calls back for every event until the returned function is called. */
  onEvent(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The next event with one of these names. */
  next(...names) {
    return new Promise((resolve) => {
      const stop = this.onEvent((event) => {
        if (!names.includes(event.event)) return;
        stop();
        resolve(event);
      });
    });
  }

  #take(chunk) {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const end = this.#received.indexOf(HEADER_END);
      if (end < 0) return;
      const length = Number(/Content-Length: *(\d+)/i.exec(this.#received.toString('latin1', 0, end))?.[1]);
      const start = end + HEADER_END.length;
      if (this.#received.length < start + length) return;
      const message = JSON.parse(this.#received.toString('utf8', start, start + length));
      this.#received = this.#received.subarray(start + length);
      this.#dispatch(message);
    }
  }

  #dispatch(message) {
    if (message.type === 'event') {
      for (const listener of [...this.#listeners]) listener(message);
      return;
    }
    const waiting = this.#pending.get(message.request_seq);
    this.#pending.delete(message.request_seq);
    if (message.success) waiting?.resolve(message.body);
    else waiting?.reject(new Error(`${message.command}: ${message.body?.error?.format ? fill(message.body.error) : message.message}`));
  }
}

const fill = ({ format, variables = {} }) => format.replace(/\{(\w+)\}/g, (whole, name) => variables[name] ?? whole);
