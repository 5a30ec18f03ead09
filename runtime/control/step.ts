/**
 * Stepping: by instruction, by source line into and over calls, out of functions; forwards and backwards.
 *
 * Lines come from a `LineView` of the VM's symbols. A call is recognised by its instruction, an exception by a program counter that
 * enters the vector table: handlers that run in between are stepped over, whatever the direction.
 */

import { va, type Va } from '../base/brands';
import type { System } from '../system/system';
import type { Stop } from '../system/stop';
import type { Breakpoint } from './breakpoints';
import { BackStep } from './back-step';
import type { History, Search } from './history';

/** What stepping by line needs to know about code, for one VM. */
export interface LineView {
  /** Source line at an address: identity of file and line, and whether a statement begins exactly here. */
  lineAt(pc: Va): { readonly key: string; readonly isStatementStart: boolean } | undefined;
  /** Addresses at which statements of the function around `pc` begin, callees not included. */
  statementStarts(pc: Va): readonly Va[];
  /** True if the function at `pc` has line information worth stopping in. */
  hasSource(pc: Va): boolean;
  /** Where a step into the function at `entry` stops: after its prologue. */
  afterPrologue(entry: Va): Va;
  /** Canonical frame address and return address of the frame at the vCPU's present state. */
  frame(vcpu: number): { readonly cfa: bigint; readonly returnAddress: Va } | undefined;
  /** Code of the function at `pc`, inlined calls included. */
  ranges?(pc: Va): readonly { readonly start: bigint; readonly end: bigint }[];
  /** Whom the vCPU works for, where an operating system has it work for many: a step belongs to one of them. */
  owner?(vcpu: number): bigint | undefined;
}

/** What an A64 instruction word does to the flow of control, as far as stepping cares. */
export type Flow = 'call' | 'return' | 'branch' | 'exception-return' | 'plain';

/** Classifies a word. BL, BLR (and its PAuth forms) are calls; RET forms are returns. Arm ARM C4.1.86. */
export function flowOf(word: number): Flow {
  const w = word >>> 0;
  if (w >>> 26 === 0b100101) return 'call';
  if (w >>> 25 === 0b1101011) return branchRegisterFlow(w);
  if ((w >>> 26) === 0b000101) return 'branch';
  if (((w >>> 24) & 0xff) === 0b01010100) return 'branch';
  if (((w >>> 25) & 0x3f) === 0b011010 || ((w >>> 25) & 0x3f) === 0b011011) return 'branch';
  return 'plain';
}

function branchRegisterFlow(word: number): Flow {
  switch ((word >>> 21) & 0xf) {
    case 0b0001:
    case 0b1001: return 'call';
    case 0b0010: return 'return';
    case 0b0100: return 'exception-return';
    default: return 'branch';
  }
}

/** How a stepping operation ended. */
export type StepEnd = { readonly kind: 'done'; /** Where, if what was stepped moved to another vCPU. */ readonly vcpu?: number } | { readonly kind: 'stopped'; readonly stop: Stop } | { readonly kind: 'paused' } | { readonly kind: 'history start' };

const DONE: StepEnd = { kind: 'done' };
const PAUSED: StepEnd = { kind: 'paused' };
const STEPS_PER_SLICE = 4096;
/** A line that takes more single steps than this is run to its end instead: it loops. */
const SINGLE_STEPS_MAX = 256;
/** Code of one function that is searched for calls; larger functions are stepped through one by one. */
const SCANNED_SIZE_MAX_BYTES = 1 << 18;
const TEMPORARY_ID = -1;

/** Runs the system until something happens; given by the debug target, which also knows the user's breakpoints. */
export interface Runner {
  /** Runs on until a stop that is not a slice's end. Temporary breakpoints count; undefined means asked to pause. */
  runUntilStop(resumeVcpu: number | undefined): Search<Stop | undefined>;
  /** One instruction of `vcpu`; other vCPUs run as they would. */
  stepOnce(vcpu: number): Search<Stop | undefined>;
  /** Adds or removes the temporary breakpoint. */
  setTemporary(breakpoint: Breakpoint | undefined): void;
  /** True if the user's breakpoints stop here. */
  isUserStop(stop: Stop): boolean;
}

/** A thread of an operating system, by something that identifies it and stays with it from vCPU to vCPU. */
interface Owner { readonly id: bigint; readonly lines: LineView }

/** Where a step runs to. */
interface RunTarget { readonly vcpu: number; readonly addresses: readonly Va[]; readonly accept: (vcpu: number) => boolean; readonly owner: Owner | undefined }

interface LineRun { readonly vcpu: number; readonly lines: LineView; readonly kind: 'into' | 'over'; readonly owner: Owner | undefined }

/** Stepping over one system. */
export class Stepper {
  private readonly system: System;
  private readonly runner: Runner;
  private readonly history: History;

  constructor(system: System, runner: Runner, history: History) {
    this.system = system;
    this.runner = runner;
    this.history = history;
  }

  /** One instruction. */
  *instruction(vcpu: number): Search<StepEnd> {
    const stop = yield* this.runner.stepOnce(vcpu);
    if (stop === undefined) return PAUSED;
    return stop.kind === 'step' ? DONE : { kind: 'stopped', stop };
  }

  /** One instruction, but calls run to their return, and so do handlers of exceptions that come first. */
  *overInstruction(vcpu: number, lines?: LineView): Search<StepEnd> {
    const owner = this.ownerOf(vcpu, lines);
    for (;;) {
      const pc = this.pc(vcpu);
      if (this.flowAt(vcpu, pc) === 'call') return yield* this.runTo({ vcpu, address: va(pc + 4n), sp: this.sp(vcpu), owner });
      const end = yield* this.instruction(vcpu);
      if (end.kind !== 'done' || !this.isEntered(vcpu, pc)) return end;
      const back = yield* this.outOfException({ vcpu, others: [], owner });
      if (back.kind !== 'done' || this.pc(back.vcpu ?? vcpu) !== pc) return back;
    }
  }

  /** To the next source line: into calls that have source, or over all calls. */
  *line(first: number, lines: LineView, kind: 'into' | 'over'): Search<StepEnd> {
    let vcpu = first;
    let start = lines.lineAt(this.pc(vcpu));
    if (start === undefined) return yield* this.outOfUnknown(vcpu, lines, kind);
    const owner = this.ownerOf(vcpu, lines);
    for (let steps = 1; ; steps++) {
      const pc = this.pc(vcpu);
      const sp = this.sp(vcpu);
      let end = steps % SINGLE_STEPS_MAX === 0 ? yield* this.runOffLine({ vcpu, lines, kind, owner }) : undefined;
      // The run may have ended after a return; where it did not, a return makes no difference.
      const flow = end === undefined ? this.flowAt(vcpu, pc) : 'return';
      end ??= yield* this.instruction(vcpu);
      if (end.kind !== 'done') return end;
      vcpu = end.vcpu ?? vcpu;
      let now = this.pc(vcpu);
      if (flow === 'call' && now !== pc + 4n && !this.isEntered(vcpu, pc)) {
        if (kind === 'into' && lines.hasSource(now)) return yield* this.runTo({ vcpu, address: lines.afterPrologue(now), sp: undefined, owner });
        end = yield* this.runTo({ vcpu, address: va(pc + 4n), sp, owner });
      } else if (this.isEntered(vcpu, pc)) {
        end = yield* this.outOfException({ vcpu, others: lines.statementStarts(pc), owner });
      }
      if (end.kind !== 'done') return end;
      vcpu = end.vcpu ?? vcpu;
      now = this.pc(vcpu);
      const line = lines.lineAt(now);
      if (line === undefined) {
        if (!lines.hasSource(now)) return flow === 'return' || flow === 'exception-return' ? { kind: 'done', vcpu } : yield* this.outOfUnknown(vcpu, lines, kind);
      } else if (flow === 'return' && !line.isStatementStart) {
        start = line;
      } else if (line.key !== start?.key && line.isStatementStart) {
        return { kind: 'done', vcpu };
      }
      if (steps % STEPS_PER_SLICE === 0 && (yield {}) === true) return PAUSED;
    }
  }

  /** Runs until the current function has returned to its caller. */
  *out(vcpu: number, lines: LineView): Search<StepEnd> {
    const frame = lines.frame(vcpu);
    if (frame === undefined) return yield* this.instruction(vcpu);
    return yield* this.runTo({ vcpu, address: frame.returnAddress, sp: frame.cfa, owner: this.ownerOf(vcpu, lines) });
  }

  /** Into one particular call of the present line; stops too where the line is left without making it. */
  *intoCall(vcpu: number, lines: LineView, call: Va): Search<StepEnd> {
    const pc = this.pc(vcpu);
    const here = lines.lineAt(pc)?.key;
    const leaving = lines.statementStarts(pc).filter((address) => lines.lineAt(address)?.key !== here);
    const frame = lines.frame(vcpu);
    const owner = this.ownerOf(vcpu, lines);
    const sp = this.sp(vcpu);
    const end = yield* this.runToAny({ vcpu, addresses: [call, ...leaving, ...(frame === undefined ? [] : [frame.returnAddress])], accept: (at) => this.sp(at) >= sp, owner });
    if (end.kind !== 'done' || this.pc(vcpu) !== call) return end;
    const entered = yield* this.instruction(vcpu);
    if (entered.kind !== 'done') return entered;
    const entry = this.pc(vcpu);
    return lines.hasSource(entry) ? yield* this.runTo({ vcpu, address: lines.afterPrologue(entry), sp: undefined, owner }) : DONE;
  }

  /** Back to the last time `vcpu` was at the function entry `entry` with the stack pointer `cfa`: where that frame began. */
  *backToEntry(vcpu: number, entry: Va, cfa: bigint): Search<StepEnd> {
    if (this.pc(vcpu) === entry && this.sp(vcpu) === cfa) return DONE;
    const accept = (stop: Stop): boolean => stop.kind === 'breakpoint' && stop.vcpu === vcpu && stop.pc === entry && this.sp(vcpu) === cfa;
    const origin = this.system.now;
    const found = yield* this.history.findLast({ end: origin, lookout: () => ({ addresses: [entry], watchpoints: [], exceptionClasses: 0n }), accept });
    if (found === 'abandoned') return PAUSED;
    if (found !== undefined) return DONE;
    yield* this.history.seek(this.system.historyStart);
    return { kind: 'history start' };
  }

  /** Back to where `vcpu` stood before the instruction that it executed last. */
  *backInstruction(vcpu: number): Search<StepEnd> {
    const last = this.system.lastRetired(vcpu);
    if (last === undefined || last <= this.system.historyStart) return { kind: 'history start' };
    if (!(yield* this.history.seek(this.system.tickBefore(last), 'Stepping back'))) return PAUSED;
    // Others ran or everything waited between the instruction before and that one: a step forward stops before all that.
    const before = this.system.lastRetired(vcpu);
    if (before === undefined || before === this.system.now) return DONE;
    return (yield* this.history.seek(before, 'Stepping back')) ? DONE : PAUSED;
  }

  /** Back to where the line before this one began, in the same function or at the line of its call; calls in between are crossed. */
  *backLine(vcpu: number, lines: LineView): Search<StepEnd> {
    const found = yield* new BackStep({ system: this.system, history: this.history, lines, vcpu }).run();
    switch (found) {
      case 'no lines': return yield* this.backInstruction(vcpu);
      case 'abandoned': return PAUSED;
      case 'none':
        yield* this.history.seek(this.system.historyStart);
        return { kind: 'history start' };
      case 'found': return DONE;
    }
  }

  /** Code without lines: over and into both leave it by running to its return. */
  private *outOfUnknown(vcpu: number, lines: LineView, kind: 'into' | 'over'): Search<StepEnd> {
    const frame = lines.frame(vcpu);
    if (frame === undefined || !lines.hasSource(frame.returnAddress)) return yield* kind === 'over' ? this.overInstruction(vcpu, lines) : this.instruction(vcpu);
    return yield* this.runTo({ vcpu, address: frame.returnAddress, sp: frame.cfa, owner: this.ownerOf(vcpu, lines) });
  }

  /**
   * Runs to where another line of this activation begins, or it returns, or (stepping into) its line makes a call. Undefined if that
   * cannot be told beforehand.
   */
  private *runOffLine({ vcpu, lines, kind, owner }: LineRun): Search<StepEnd | undefined> {
    const pc = this.pc(vcpu);
    const key = lines.lineAt(pc)?.key;
    const frame = lines.frame(vcpu);
    const leaving = key === undefined ? [] : lines.statementStarts(pc).filter((address) => lines.lineAt(address)?.key !== key);
    const calls = kind === 'over' || key === undefined ? [] : this.callsOnLine(vcpu, lines, key);
    if (frame === undefined || leaving.length === 0 || calls === undefined || calls.includes(pc)) return undefined;
    const { cfa, returnAddress } = frame;
    const accept = (at: number): boolean => (this.pc(at) === returnAddress ? this.sp(at) >= cfa : lines.frame(at)?.cfa === cfa);
    return yield* this.runToAny({ vcpu, addresses: [...leaving, ...calls, returnAddress], accept, owner });
  }

  /** Addresses of the calls that the line of `key` makes; undefined if the function is too large to look. */
  private callsOnLine(vcpu: number, lines: LineView, key: string): Va[] | undefined {
    const ranges = lines.ranges?.(this.pc(vcpu)) ?? [];
    const size = ranges.reduce((sum, { start, end }) => sum + Number(end - start), 0);
    if (size === 0 || size > SCANNED_SIZE_MAX_BYTES) return undefined;
    const found: Va[] = [];
    for (const { start, end } of ranges) {
      for (let at = start; at < end; at += 4n) {
        if (this.flowAt(vcpu, va(at)) === 'call' && lines.lineAt(va(at))?.key === key) found.push(va(at));
      }
    }
    return found;
  }

  /**
   * From an exception's vector to where its handler returns, on the stack that was interrupted. A handler may also send the code on
   * to one of the `others`, as Linux does where an access to a process's memory fails.
   */
  private *outOfException({ vcpu, others, owner }: { readonly vcpu: number; readonly others: readonly Va[]; readonly owner: Owner | undefined }): Search<StepEnd> {
    const state = this.system.engine.vcpu(vcpu);
    const isFromEl0 = (state.systemRegister('SPSR_EL1') & 0xfn) === 0n;
    const sp = isFromEl0 ? state.spEl0 : state.sp;
    return yield* this.runToAny({ vcpu, addresses: [this.exceptionReturn(vcpu), ...others], accept: (at) => this.sp(at) >= sp, owner });
  }

  /** Runs until what is stepped is at `address`, with that stack pointer if one is given. */
  private *runTo({ vcpu, address, sp, owner }: { readonly vcpu: number; readonly address: Va; readonly sp: bigint | undefined; readonly owner: Owner | undefined }): Search<StepEnd> {
    return yield* this.runToAny({ vcpu, addresses: [address], accept: (at) => sp === undefined || this.sp(at) >= sp, owner });
  }

  /** Runs until what is stepped is at one of `addresses` and `accept` agrees. */
  private *runToAny({ vcpu, addresses, accept, owner }: RunTarget): Search<StepEnd> {
    const isOurs = (at: number): boolean => (owner === undefined ? at === vcpu : owner.lines.owner?.(at) === owner.id);
    const reached = (at: number): boolean => addresses.includes(this.pc(at)) && isOurs(at) && accept(at);
    if (reached(vcpu)) return DONE;
    this.runner.setTemporary({ id: TEMPORARY_ID, place: { kind: 'code', vm: null, addresses }, reason: 'step' });
    try {
      let resume: number | undefined = vcpu;
      for (;;) {
        const stop: Stop | undefined = yield* this.runner.runUntilStop(resume);
        if (stop === undefined) return PAUSED;
        if (stop.kind === 'breakpoint' && reached(stop.vcpu)) return { kind: 'done', vcpu: stop.vcpu };
        if (this.runner.isUserStop(stop)) return { kind: 'stopped', stop };
        resume = 'vcpu' in stop && stop.vcpu !== null ? stop.vcpu : undefined;
      }
    } finally {
      this.runner.setTemporary(undefined);
    }
  }

  /** Whom a step is about, if an operating system shares its vCPUs among many. */
  private ownerOf(vcpu: number, lines: LineView | undefined): Owner | undefined {
    const id = lines?.owner?.(vcpu);
    return lines === undefined || id === undefined ? undefined : { id, lines };
  }

  /** True if an exception was taken after the instruction at `pc`, or instead of it. */
  private isEntered(vcpu: number, pc: Va): boolean {
    return this.isInVectors(vcpu, this.pc(vcpu)) && !this.isInVectors(vcpu, pc);
  }

  /** True in the exception vector table: an exception was taken instead of the next instruction. */
  private isInVectors(vcpu: number, pc: Va): boolean {
    const offset = pc - this.system.engine.vcpu(vcpu).systemRegister('VBAR_EL1');
    return offset >= 0n && offset < 0x800n;
  }

  private exceptionReturn(vcpu: number): Va {
    return va(this.system.engine.vcpu(vcpu).systemRegister('ELR_EL1'));
  }

  private pc(vcpu: number): Va {
    return va(this.system.engine.vcpu(vcpu).pc);
  }

  private sp(vcpu: number): bigint {
    return this.system.engine.vcpu(vcpu).sp;
  }

  private flowAt(vcpu: number, address: Va): Flow {
    const bytes = this.system.readVirtual(vcpu, address, 4);
    if (bytes.length < 4) return 'plain';
    return flowOf(new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true));
  }
}
