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
export type StepEnd = { readonly kind: 'done' } | { readonly kind: 'stopped'; readonly stop: Stop } | { readonly kind: 'paused' } | { readonly kind: 'history start' };

const DONE: StepEnd = { kind: 'done' };
const PAUSED: StepEnd = { kind: 'paused' };
const STEPS_PER_SLICE = 4096;
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

  /** One instruction, but calls run to their return. */
  *overInstruction(vcpu: number): Search<StepEnd> {
    const pc = this.pc(vcpu);
    if (this.flowAt(vcpu, pc) !== 'call') return yield* this.instruction(vcpu);
    return yield* this.runTo(vcpu, va(pc + 4n), this.sp(vcpu));
  }

  /** To the next source line: into calls that have source, or over all calls. */
  *line(vcpu: number, lines: LineView, kind: 'into' | 'over'): Search<StepEnd> {
    let start = lines.lineAt(this.pc(vcpu));
    if (start === undefined) return yield* this.outOfUnknown(vcpu, lines, kind);
    for (let steps = 1; ; steps++) {
      const pc = this.pc(vcpu);
      const flow = this.flowAt(vcpu, pc);
      const sp = this.sp(vcpu);
      const end = yield* this.instruction(vcpu);
      if (end.kind !== 'done') return end;
      let now = this.pc(vcpu);
      if (flow === 'call' && now !== pc + 4n) {
        if (kind === 'into' && lines.hasSource(now)) return yield* this.runTo(vcpu, lines.afterPrologue(now), undefined);
        const back = yield* this.runTo(vcpu, va(pc + 4n), sp);
        if (back.kind !== 'done') return back;
        now = this.pc(vcpu);
      } else if (this.isInVectors(vcpu, now) && !this.isInVectors(vcpu, pc)) {
        const back = yield* this.runTo(vcpu, this.exceptionReturn(vcpu), undefined);
        if (back.kind !== 'done') return back;
        now = this.pc(vcpu);
      }
      const line = lines.lineAt(now);
      if (line === undefined) {
        if (!lines.hasSource(now)) return flow === 'return' || flow === 'exception-return' ? DONE : yield* this.outOfUnknown(vcpu, lines, kind);
      } else if (flow === 'return' && !line.isStatementStart) {
        start = line;
      } else if (line.key !== start?.key && line.isStatementStart) {
        return DONE;
      }
      if (steps % STEPS_PER_SLICE === 0 && (yield {}) === true) return PAUSED;
    }
  }

  /** Runs until the current function has returned to its caller. */
  *out(vcpu: number, lines: LineView): Search<StepEnd> {
    const frame = lines.frame(vcpu);
    if (frame === undefined) return yield* this.instruction(vcpu);
    return yield* this.runTo(vcpu, frame.returnAddress, frame.cfa);
  }

  /** Into one particular call of the present line; stops too where the line is left without making it. */
  *intoCall(vcpu: number, lines: LineView, call: Va): Search<StepEnd> {
    const pc = this.pc(vcpu);
    const here = lines.lineAt(pc)?.key;
    const leaving = lines.statementStarts(pc).filter((address) => lines.lineAt(address)?.key !== here);
    const frame = lines.frame(vcpu);
    const end = yield* this.runToAny(vcpu, [call, ...leaving, ...(frame === undefined ? [] : [frame.returnAddress])], this.sp(vcpu));
    if (end.kind !== 'done' || this.pc(vcpu) !== call) return end;
    const entered = yield* this.instruction(vcpu);
    if (entered.kind !== 'done') return entered;
    const entry = this.pc(vcpu);
    return lines.hasSource(entry) ? yield* this.runTo(vcpu, lines.afterPrologue(entry), undefined) : DONE;
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
    if (frame === undefined || !lines.hasSource(frame.returnAddress)) return yield* kind === 'over' ? this.overInstruction(vcpu) : this.instruction(vcpu);
    return yield* this.runTo(vcpu, frame.returnAddress, frame.cfa);
  }

  /** Runs until `vcpu` is at `address`, with that stack pointer if one is given. */
  private *runTo(vcpu: number, address: Va, sp: bigint | undefined): Search<StepEnd> {
    return yield* this.runToAny(vcpu, [address], sp);
  }

  /** Runs until `vcpu` is at one of `addresses`, no deeper in the stack than `sp` if one is given. */
  private *runToAny(vcpu: number, addresses: readonly Va[], sp: bigint | undefined): Search<StepEnd> {
    const reached = (): boolean => addresses.includes(this.pc(vcpu)) && (sp === undefined || this.sp(vcpu) >= sp);
    if (reached()) return DONE;
    this.runner.setTemporary({ id: TEMPORARY_ID, place: { kind: 'code', vm: null, addresses }, reason: 'step' });
    try {
      let resume: number | undefined = vcpu;
      for (;;) {
        const stop: Stop | undefined = yield* this.runner.runUntilStop(resume);
        if (stop === undefined) return PAUSED;
        if (stop.kind === 'breakpoint' && stop.vcpu === vcpu && reached()) return DONE;
        if (this.runner.isUserStop(stop)) return { kind: 'stopped', stop };
        resume = 'vcpu' in stop && stop.vcpu !== null ? stop.vcpu : undefined;
      }
    } finally {
      this.runner.setTemporary(undefined);
    }
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
