/**
 * One client of the GDB remote serial protocol (GDB manual, appendix E) on a system under the debugger. A thread is a vCPU; a packet is a row of the
 * table below. All vCPUs run and stop together, time can be travelled back (`bs`, `bc`), and breakpoints are never in guest memory.
 */

import { va, type DebugTarget, type Job, type StopReport } from '../../runtime/index';
import { runMonitorCommand } from './monitor';
import { BODY_SIZE_MAX, framed, fromHex, hexNumber, PacketReader, toHex, type GdbInput } from './packets';
import { GdbRegisters } from './registers';

/** What a session is connected to. */
export interface GdbConnection {
  send(text: string): void;
  /** Runs `action` when pending input has been looked at, or after some milliseconds. */
  defer(action: () => void, milliseconds?: number): void;
  /** Called after each slice: consoles may have something to say. */
  onSlice(): void;
  /** The client has gone: it killed the system, or left it to itself. */
  onEnd(how: 'killed' | 'detached'): void;
}

/** Largest packet that a client should send. */
const PACKET_SIZE = BODY_SIZE_MAX / 2;
const MEMORY_SIZE_MAX = PACKET_SIZE / 2 - 16;
const IDLE_PAUSE_MS = 20;
const SIGNAL_INTERRUPT = '02';
const SIGNAL_TRAP = '05';
const BAD_ARGUMENT = 'E16';
const BAD_ADDRESS = 'E0e';
const BREAKPOINT_KINDS = ['code', 'code', 'write', 'read', 'readWrite'] as const;
/** Ids of breakpoints that `monitor break` sets begin here. */
const EVENT_ID_FIRST = 1 << 16;

type Answer = string | undefined;

/** The session of one client. */
export class GdbSession {
  /** The system under the debugger. */
  readonly target: DebugTarget;
  private readonly vm: string | null;
  private readonly connection: GdbConnection;
  private readonly reader = new PacketReader();
  private readonly registers: GdbRegisters;
  private acknowledges = true;
  private lastSent = '';
  /** The thread that registers and memory are asked of, as an engine vCPU. */
  private chosen: number | undefined;
  private lastStop: StopReport | undefined;
  private job: Job | undefined;
  private pauseAsked = false;
  private readonly watched = new Map<number, { readonly kind: 'watch' | 'rwatch' | 'awatch'; readonly address: bigint }>();
  private readonly placed = new Map<string, number>();
  private nextId = 1;
  private nextEventId = EVENT_ID_FIRST;

  /** `vm` limits threads and breakpoints to one VM; null means all. */
  constructor(target: DebugTarget, vm: string | null, connection: GdbConnection) {
    this.target = target;
    this.vm = vm;
    this.connection = connection;
    this.registers = new GdbRegisters(target.system);
  }

  /** Takes bytes from the client. */
  receive(bytes: Uint8Array): void {
    for (const input of this.reader.push(bytes)) this.take(input);
  }

  /** With what the guest ended; undefined while it has not. */
  get exitCode(): number | undefined {
    return this.lastStop?.reason === 'terminated' ? this.lastStop.exitCode ?? 0 : undefined;
  }

  /** The client is gone without a word: what it had set goes with it, and the system stands still. */
  close(): void {
    this.clearBreakpoints();
    this.pauseAsked = true;
  }

  /** Adds a breakpoint of `monitor break`. */
  addEventBreakpoint(place: Parameters<DebugTarget['breakpoints']['set']>[0]['place']): number {
    const id = this.nextEventId++;
    this.target.breakpoints.set({ id, place, reason: 'function breakpoint' });
    this.target.refresh();
    return id - EVENT_ID_FIRST + 1;
  }

  /** Removes one; false if there is none. */
  removeEventBreakpoint(number: number): boolean {
    const id = number + EVENT_ID_FIRST - 1;
    if (number < 1 || id >= this.nextEventId) return false;
    this.target.breakpoints.remove(id);
    this.target.refresh();
    return true;
  }

  private take(input: GdbInput): void {
    switch (input.kind) {
      case 'acknowledgement':
        if (!input.isGood && this.lastSent !== '') this.connection.send(this.lastSent);
        break;
      case 'damaged':
        if (this.acknowledges) this.connection.send('-');
        break;
      case 'interrupt':
        this.pauseAsked = true;
        break;
      case 'packet':
        if (this.acknowledges) this.connection.send('+');
        this.handle(input.body);
    }
  }

  private handle(body: string): void {
    // While the system runs a client only interrupts.
    if (this.job !== undefined) return;
    const answer = this.answer(body);
    if (answer !== undefined) this.send(answer);
  }

  private send(body: string): void {
    this.lastSent = framed(body);
    this.connection.send(this.lastSent);
  }

  /** The answer to a packet; undefined if it comes later. An empty one says that we do not know the packet. */
  private answer(body: string): Answer {
    const [name] = /^(?:v[A-Za-z]+\??|[qQ][A-Za-z]+|[^])/.exec(body) ?? [''];
    const rest = body.slice(name.length);
    const long = Object.hasOwn(LONG_PACKETS, name) ? LONG_PACKETS[name] : undefined;
    if (long !== undefined) return long(this, rest);
    if (name.length > 1) return '';
    switch (name) {
      case '?': return this.stopText();
      case 'g': return this.withVcpu((vcpu) => this.registers.readAll(vcpu));
      case 'G': return this.withVcpu((vcpu) => (this.registers.writeAll(vcpu, rest) ? 'OK' : BAD_ARGUMENT));
      case 'p': return this.withVcpu((vcpu) => this.registers.read(vcpu, Number(hexNumber(rest) ?? -1n)) ?? BAD_ARGUMENT);
      case 'P': return this.writeRegister(rest);
      case 'm': return this.readMemory(rest);
      case 'M': return this.writeMemory(rest, (data) => fromHex(data));
      case 'X': return this.writeMemory(rest, (data) => new Uint8Array(Buffer.from(data, 'latin1')));
      case 'Z': return this.breakpoint(rest, 'insert');
      case 'z': return this.breakpoint(rest, 'remove');
      case 'H': return this.chooseThread(rest);
      case 'T': return this.vcpuOf(rest) === undefined ? BAD_ARGUMENT : 'OK';
      case 'c': return this.resumeAt(rest, () => this.target.continue());
      case 'C': return this.resumeAt(rest.split(';')[1] ?? '', () => this.target.continue());
      case 's': return this.resumeAt(rest, (vcpu) => this.target.stepInstruction(vcpu, 'into'));
      case 'S': return this.resumeAt(rest.split(';')[1] ?? '', (vcpu) => this.target.stepInstruction(vcpu, 'into'));
      case 'b': return this.reverse(rest);
      case 'D': return this.leave('detached');
      case 'k': return this.leave('killed');
      default: return '';
    }
  }

  // Threads.

  /** Engine vCPUs that are threads. */
  threads(): readonly { readonly index: number; readonly vm: string; readonly vcpu: number }[] {
    return this.target.system.vcpus().filter(({ vm }) => this.vm === null || vm === this.vm);
  }

  private vcpuOf(text: string): number | undefined {
    const id = hexNumber(text);
    return id === undefined ? undefined : this.threads().find(({ index }) => BigInt(index + 1) === id)?.index;
  }

  /** The vCPU that packets without a thread are about. */
  get current(): number | undefined {
    const threads = this.threads();
    const isThread = (vcpu: number | null | undefined): vcpu is number => threads.some(({ index }) => index === vcpu);
    const candidates = [this.chosen, this.lastStop?.vcpu, this.target.system.focusVcpu];
    return candidates.find(isThread) ?? threads[0]?.index;
  }

  private withVcpu(answer: (vcpu: number) => string): string {
    const vcpu = this.current;
    return vcpu === undefined ? BAD_ARGUMENT : answer(vcpu);
  }

  private chooseThread(rest: string): string {
    const [operation, id] = [rest.charAt(0), rest.slice(1)];
    if (id === '0' || id === '-1') {
      if (operation === 'g') this.chosen = undefined;
      return 'OK';
    }
    const vcpu = this.vcpuOf(id);
    if (vcpu === undefined) return BAD_ARGUMENT;
    this.chosen = vcpu;
    return 'OK';
  }

  // State.

  private writeRegister(rest: string): string {
    const [number, digits = ''] = rest.split('=');
    return this.withVcpu((vcpu) => (this.registers.write(vcpu, Number(hexNumber(number) ?? -1n), digits) ? 'OK' : BAD_ARGUMENT));
  }

  private readMemory(rest: string): string {
    const [address, size] = rest.split(',').map(hexNumber);
    if (address === undefined || size === undefined) return BAD_ARGUMENT;
    const count = Number(size < BigInt(MEMORY_SIZE_MAX) ? size : BigInt(MEMORY_SIZE_MAX));
    return this.withVcpu((vcpu) => {
      const bytes = this.target.system.readVirtual(vcpu, va(address), count);
      return bytes.length === 0 && count > 0 ? BAD_ADDRESS : toHex(bytes);
    });
  }

  private writeMemory(rest: string, decode: (data: string) => Uint8Array | undefined): string {
    const colon = rest.indexOf(':');
    const [address, size] = rest.slice(0, Math.max(0, colon)).split(',').map(hexNumber);
    const bytes = decode(rest.slice(colon + 1));
    if (address === undefined || bytes === undefined || size !== BigInt(bytes.length)) return BAD_ARGUMENT;
    return this.withVcpu((vcpu) => {
      const { system } = this.target;
      const pieces = system.physicalPieces(vcpu, address, bytes.length);
      if (pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) < bytes.length) return BAD_ADDRESS;
      let done = 0;
      for (const { address: at, sizeBytes } of pieces) {
        system.writePhysical(at, bytes.slice(done, done + sizeBytes));
        done += sizeBytes;
      }
      return 'OK';
    });
  }

  // Breakpoints.

  private breakpoint(rest: string, action: 'insert' | 'remove'): Answer {
    const [type, place, size] = rest.split(';')[0]?.split(',') ?? [];
    const kind = BREAKPOINT_KINDS[Number(type)];
    const [address, sizeBytes] = [hexNumber(place), hexNumber(size)];
    if (kind === undefined) return '';
    if (address === undefined || sizeBytes === undefined || sizeBytes > 4096n) return BAD_ARGUMENT;
    const key = `${kind} ${address} ${sizeBytes}`;
    const known = this.placed.get(key);
    if (action === 'remove') {
      if (known !== undefined) this.remove(key, known);
      return 'OK';
    }
    if (known !== undefined) return 'OK';
    return kind === 'code' ? this.insert(key, { kind: 'code', vm: this.vm, addresses: [va(address)] }) : this.watch(key, { kind, address, sizeBytes: Number(sizeBytes) });
  }

  private watch(key: string, { kind, address, sizeBytes }: { kind: 'write' | 'read' | 'readWrite'; address: bigint; sizeBytes: number }): string {
    const vcpu = this.current;
    const pieces = vcpu === undefined ? [] : this.target.system.physicalPieces(vcpu, address, sizeBytes);
    if (pieces.length === 0) return BAD_ADDRESS;
    this.watched.set(this.nextId, { kind: kind === 'write' ? 'watch' : kind === 'read' ? 'rwatch' : 'awatch', address });
    return this.insert(key, { kind: 'data', pieces, access: kind });
  }

  private insert(key: string, place: Parameters<DebugTarget['breakpoints']['set']>[0]['place']): string {
    const id = this.nextId++;
    this.target.breakpoints.set({ id, place, reason: place.kind === 'data' ? 'data breakpoint' : 'breakpoint' });
    this.target.refresh();
    this.placed.set(key, id);
    return 'OK';
  }

  private remove(key: string, id: number): void {
    this.target.breakpoints.remove(id);
    this.target.refresh();
    this.placed.delete(key);
    this.watched.delete(id);
  }

  private clearBreakpoints(): void {
    for (const [key, id] of [...this.placed]) this.remove(key, id);
    for (let number = 1; this.removeEventBreakpoint(number); number++);
  }

  // Running.

  private resumeAt(place: string, start: (vcpu: number) => Job): Answer {
    const vcpu = this.current;
    if (vcpu === undefined) return BAD_ARGUMENT;
    const address = hexNumber(place);
    if (address !== undefined && address !== this.target.system.pcOf(vcpu)) this.target.system.writeRegister(vcpu, 'pc', address);
    return this.start(start(vcpu));
  }

  /** vCont: the first action counts that names a thread of ours, or all; vCPUs without one run on, as they share one time. */
  resumeWith(actions: string): Answer {
    for (const action of actions.split(';').filter((one) => one !== '')) {
      const [what = '', thread] = action.split(':');
      const vcpu = thread === undefined || thread === '-1' || thread === '0' ? this.current : this.vcpuOf(thread);
      if (vcpu === undefined) return BAD_ARGUMENT;
      if (/^[sS]/.test(what)) return this.start(this.target.stepInstruction(vcpu, 'into'));
      if (/^[cC]/.test(what)) return this.start(this.target.continue());
    }
    return BAD_ARGUMENT;
  }

  private reverse(rest: string): Answer {
    const vcpu = this.current;
    if (vcpu === undefined || !this.target.canTravel) return '';
    if (rest === 's') return this.start(this.target.stepBack(vcpu, undefined));
    return rest === 'c' ? this.start(this.target.reverseContinue()) : '';
  }

  private start(job: Job): undefined {
    this.job = job;
    this.pauseAsked = false;
    this.chosen = undefined;
    this.connection.defer(() => { this.pump(); });
    return undefined;
  }

  private pump(): void {
    if (this.job === undefined) return;
    const step = this.job.next(this.pauseAsked);
    this.connection.onSlice();
    if (step.done === true) {
      this.job = undefined;
      this.lastStop = step.value;
      this.send(this.stopText());
      return;
    }
    this.connection.defer(() => { this.pump(); }, step.value.idle === true && !this.pauseAsked ? IDLE_PAUSE_MS : 0);
  }

  /** A stop reply. */
  private stopText(): string {
    const stop = this.lastStop;
    if (stop?.reason === 'terminated') return `W${((stop.exitCode ?? 0) & 0xff).toString(16).padStart(2, '0')}`;
    const signal = stop?.reason === 'pause' || stop?.reason === 'idle' ? SIGNAL_INTERRUPT : SIGNAL_TRAP;
    const vcpu = this.current;
    const watched = stop?.reason === 'data breakpoint' ? stop.breakpointIds.map((id) => this.watched.get(id)).find((one) => one !== undefined) : undefined;
    return [
      `T${signal}`,
      vcpu === undefined ? '' : `thread:${(vcpu + 1).toString(16)};`,
      watched === undefined ? '' : `${watched.kind}:${watched.address.toString(16)};`,
      stop?.reason === 'history start' ? 'replaylog:begin;' : '',
    ].join('');
  }

  private leave(how: 'killed' | 'detached'): Answer {
    this.clearBreakpoints();
    if (how === 'detached') this.send('OK');
    this.connection.onEnd(how);
    return undefined;
  }

  /** vKill: like `k`, but answered. */
  kill(): string {
    this.connection.defer(() => { this.leave('killed'); });
    return 'OK';
  }

  /** What we can, in the words of the protocol. */
  features(): string {
    const travel = this.target.canTravel ? ';ReverseStep+;ReverseContinue+' : '';
    return `PacketSize=${PACKET_SIZE.toString(16)};qXfer:features:read+;QStartNoAckMode+;vContSupported+${travel}`;
  }

  /** Answers without acknowledgements from now on. */
  stopAcknowledging(): string {
    this.acknowledges = false;
    return 'OK';
  }

  /** A part of the target description. */
  descriptionPart(rest: string): string {
    const found = /^:features:read:target\.xml:([0-9a-f]{1,8}),([0-9a-f]{1,8})$/i.exec(rest);
    if (found === null) return 'E00';
    const [offset, count] = [parseInt(found[1] ?? '', 16), Math.min(parseInt(found[2] ?? '', 16), PACKET_SIZE / 2)];
    const text = this.registers.description();
    return `${offset + count >= text.length ? 'l' : 'm'}${text.slice(offset, offset + count)}`;
  }

  /** What a thread is and does. */
  threadText(rest: string): string {
    const vcpu = this.vcpuOf(rest.slice(1));
    const thread = this.threads().find(({ index }) => index === vcpu);
    if (thread === undefined) return BAD_ARGUMENT;
    const level = this.target.system.engine.vcpu(thread.index).el;
    return toHex(`${thread.vm}/cpu${thread.vcpu} EL${level}`);
  }

  /** A command of the user to us. */
  command(rest: string): string {
    const bytes = fromHex(rest.slice(1));
    return bytes === undefined ? BAD_ARGUMENT : toHex(runMonitorCommand(this, Buffer.from(bytes).toString('utf8')));
  }
}

/** Packets with names of more than a letter. */
const LONG_PACKETS: Readonly<Record<string, (session: GdbSession, rest: string) => Answer>> = {
  qSupported: (session) => session.features(),
  QStartNoAckMode: (session) => session.stopAcknowledging(),
  qXfer: (session, rest) => session.descriptionPart(rest),
  qAttached: () => '1',
  qC: (session) => (session.current === undefined ? BAD_ARGUMENT : `QC${(session.current + 1).toString(16)}`),
  qfThreadInfo: (session) => `m${session.threads().map(({ index }) => (index + 1).toString(16)).join(',')}`,
  qsThreadInfo: () => 'l',
  qThreadExtraInfo: (session, rest) => session.threadText(rest),
  qRcmd: (session, rest) => session.command(rest),
  qHostInfo: () => `triple:${toHex('aarch64-unknown-none')};endian:little;ptrsize:8;`,
  qSymbol: () => 'OK',
  'vCont?': () => 'vCont;c;C;s;S',
  vCont: (session, rest) => session.resumeWith(rest),
  vKill: (session) => session.kill(),
};
