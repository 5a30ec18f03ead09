/** `gunyah gdb`: a system under the GDB remote serial protocol, on a loopback port. */

import { createServer, type Socket } from 'node:net';
import { createSystem, DebugTarget } from '../runtime/index';
import { numberOption, parseArguments } from './arguments';
import { GdbSession, type GdbConnection } from './gdb/session';
import { Output, Prefixer } from './output';
import { describe, resolveTarget } from './target';

/** How to call it. */
export const GDB_USAGE = `  gunyah gdb TARGET --port N [--vm VM]
                                  debug with gdb or lldb: "target remote :N"; --vm shows one virtual machine only`;

const EXIT_USAGE = 2;

/** Waits for clients until one kills the system or it ends; the exit status, at once if it cannot begin. */
export async function gdbCommand(words: readonly string[]): Promise<number | undefined> {
  const parsed = parseArguments(words, { port: { takesValue: true }, vm: { takesValue: true } });
  if (typeof parsed === 'string') return complain(parsed);
  const port = numberOption(parsed, 'port', { min: 0, max: 65535, isWhole: true });
  const [path, ...more] = parsed.positional;
  if (typeof port === 'string') return complain(port);
  if (path === undefined || more.length > 0 || port === undefined) return complain('Give exactly one target and --port.');
  const resolved = await resolveTarget(path);
  if (!resolved.ok) return complain(resolved.error.map(describe).join('\n'));
  const system = createSystem(resolved.value.description);
  if (!system.ok) return complain(system.error.map(describe).join('\n'));
  const vm = parsed.options.get('vm')?.[0] ?? null;
  const names = resolved.value.description.vms.map(({ name }) => name);
  if (vm !== null && !names.includes(vm)) return complain(`--vm: there is no VM "${vm}"; there is ${names.map((name) => `"${name}"`).join(', ')}.`);
  new Server(new DebugTarget(system.value, { history: {} }), vm).listen(port);
  return undefined;
}

function complain(text: string): number {
  process.stderr.write(`${text}\n`);
  return EXIT_USAGE;
}

/** One system, and one client at a time. */
class Server {
  private readonly target: DebugTarget;
  private readonly vm: string | null;
  private readonly output = Output.standard();
  private readonly prefixer = new Prefixer();
  private client: Socket | undefined;

  constructor(target: DebugTarget, vm: string | null) {
    this.target = target;
    this.vm = vm;
  }

  listen(port: number): void {
    // A client finds the primary VM about to execute its first instruction.
    this.finish(this.target.runToEntry(), () => {
      const server = createServer((socket) => { this.serve(socket); });
      server.on('error', (problem) => { process.exit(complain(`Cannot listen on port ${port}: ${problem.message}`)); });
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        process.stderr.write(`Listening on 127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}\n`);
      });
    });
  }

  private serve(socket: Socket): void {
    if (this.client !== undefined) {
      socket.destroy();
      return;
    }
    this.client = socket;
    socket.setNoDelay(true);
    const session = new GdbSession(this.target, this.vm, this.connection(socket));
    socket.on('data', (chunk: Uint8Array) => { session.receive(chunk); });
    socket.on('error', () => { socket.destroy(); });
    socket.on('close', () => {
      session.close();
      this.client = undefined;
      if (session.exitCode !== undefined) process.exit(session.exitCode);
    });
  }

  private connection(socket: Socket): GdbConnection {
    return {
      send: (text) => { if (socket.writable) socket.write(Buffer.from(text, 'latin1')); },
      defer: (action, milliseconds = 0) => { if (milliseconds === 0) setImmediate(action); else setTimeout(action, milliseconds); },
      onSlice: () => { this.show(); },
      onEnd: (how) => {
        socket.end();
        if (how === 'killed') process.exit(0);
        else this.finish(this.target.continue(), (code) => { process.exit(code); });
      },
    };
  }

  /** Drives a job without a client. */
  private finish(job: ReturnType<DebugTarget['continue']>, done: (exitCode: number) => void): void {
    const step = job.next(false);
    this.show();
    if (step.done === true) done(step.value.exitCode ?? 0);
    else setImmediate(() => { this.finish(job, done); });
  }

  private show(): void {
    const { consoles } = this.target.system;
    for (const { vm, transcript } of consoles) {
      const bytes = transcript.drain();
      if (bytes.length > 0) this.output.write(consoles.length > 1 ? this.prefixer.prefix(vm, Buffer.from(bytes).toString('latin1')) : bytes);
    }
  }
}
