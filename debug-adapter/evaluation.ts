/**
 * Evaluation contexts for this debugger: a frame of a vCPU, or a vCPU at an event, with its VM's symbols, registers, memory and the
 * extra names that conditions may use.
 */

import { va, type FrameContext, type StackFrame, type System, type TraceEvent, type VmSymbols } from '../runtime/index';
import { AdapterError } from './errors';
import { symbolContext, type EvaluationContext, type ExtraValue, type NamedThing } from './expressions/index';
import { readBytes, writeBytes } from './memory-access';
import type { Session } from './session';
import type { FrameHandle } from './variables/references';

const WIDTH_64 = 8;
const WIDTH_32 = 4;
const LOW_32 = 0xffff_ffffn;

/** The frame behind a handle; throws if the stack is not as deep any more. */
export function frameOf(session: Session, handle: FrameHandle): StackFrame {
  const known = session.debuggee.symbols.get(handle.vm);
  const frame = known?.stack(handle.vcpu, handle.index + 1)[handle.index];
  if (frame === undefined) throw new AdapterError('unknownFrame');
  return frame;
}

/** What an expression sees from a frame. */
export function frameEvaluation(session: Session, handle: FrameHandle): EvaluationContext {
  const frame = frameOf(session, handle);
  return contextOf(session, handle.vcpu, { frame, inlineIndex: handle.inlineIndex, overrides: new Map() });
}

/** What an expression sees at a vCPU that has just hit something; the innermost frame is found only when a name asks for it. */
export function vcpuEvaluation(session: Session, vcpu: number, event: TraceEvent | undefined): EvaluationContext {
  const vm = session.debuggee.target.system.vmNameOf(vcpu) ?? '';
  const [frame] = session.debuggee.symbols.get(vm)?.stack(vcpu, 1) ?? [];
  return contextOf(session, vcpu, { frame, inlineIndex: 0, overrides: eventNames(session, event) });
}

/** What an expression sees of an event of the past: its own names only, since registers and memory have moved on. */
export function eventEvaluation(session: Session, event: TraceEvent): EvaluationContext {
  const names = eventNames(session, event);
  names.set('tick', BigInt(event.tick));
  const tick = { value: BigInt(event.tick), sizeBytes: WIDTH_64 };
  return symbolContext({ files: [], readRegister: (name) => (name.toLowerCase() === 'tick' ? tick : undefined), readMemory: () => undefined, overrides: names });
}

/** Names that an event adds: its arguments, `vm` and `vcpu` of its origin. */
export function eventNames(session: Session, event: TraceEvent | undefined): Map<string, ExtraValue> {
  const names = new Map<string, ExtraValue>();
  if (event === undefined) return names;
  for (const [name, value] of Object.entries({ ...('args' in event ? event.args : {}), ...('result' in event && typeof event.result === 'object' ? event.result : {}) })) {
    const extra = extraValue(value);
    if (extra !== undefined) names.set(name, extra);
  }
  for (const [name, value] of Object.entries(event)) {
    const extra = name === 'args' || name === 'result' || names.has(name) ? undefined : extraValue(value);
    if (extra !== undefined) names.set(name, extra);
  }
  names.set('vm', session.debuggee.target.system.vmName(event.vmid));
  return names;
}

function extraValue(value: unknown): ExtraValue | undefined {
  if (typeof value === 'string' || typeof value === 'bigint') return value;
  if (typeof value === 'number') return BigInt(Math.trunc(value));
  return typeof value === 'boolean' ? BigInt(value) : undefined;
}

interface ContextPlan { readonly frame: StackFrame | undefined; readonly inlineIndex: number; readonly overrides: ReadonlyMap<string, ExtraValue> }

function contextOf(session: Session, vcpu: number, { frame, inlineIndex, overrides }: ContextPlan): EvaluationContext {
  const { target, symbols } = session.debuggee;
  const { system } = target;
  const vm = system.vmNameOf(vcpu) ?? '';
  const registers = new RegisterNames(session, vcpu, frame?.context);
  return symbolContext({
    ...(frame === undefined ? {} : { frame: { context: frame.context, symbols: frame.symbols, inlineIndex } }),
    files: symbols.get(vm)?.filesFor(vcpu) ?? [],
    filesOf: (image) => symbols.get(image)?.files ?? [],
    readRegister: (name) => registers.read(name),
    writeRegister: (name, value) => registers.write(name, value),
    writeFrameRegister: (number, value) => registers.writeNumber(number, value),
    readMemory: (address, sizeBytes, space) => (space === undefined ? symbols.get(vm)?.memoryFor(vcpu).read(address, sizeBytes)
      : undefined) ?? wholeOrNothing(readBytes(session, { vm: space ?? vm, space: 'va', address }, sizeBytes), sizeBytes),
    writeMemory: (address, bytes, space) => writeBytes(session, { vm: space ?? vm, space: 'va', address }, bytes) === bytes.length,
    overrides,
    things: (name) => (name === 'current' ? currentTask(symbols.get(vm), vcpu) : undefined),
    fallbacks: new Map<string, ExtraValue>([['vm', vm], ['vcpu', BigInt(system.vcpus().find(({ index }) => index === vcpu)?.vcpu ?? 0)]]),
  });
}

/** `current`, which is a macro of the kernel, so that debug information does not have it. */
function currentTask(symbols: VmSymbols | undefined, vcpu: number): NamedThing | undefined {
  const task = symbols?.currentTask(vcpu);
  return task === undefined ? undefined : { kind: 'constant', type: { kind: 'pointer', target: task.type, sizeBytes: WIDTH_64 }, value: task.address };
}

function wholeOrNothing(bytes: Uint8Array, sizeBytes: number): Uint8Array | undefined {
  return bytes.length === sizeBytes ? bytes : undefined;
}

/** Registers by the names users write after `$`. In a caller's frame the general registers are those of the frame. */
class RegisterNames {
  private readonly session: Session;
  private readonly vcpu: number;
  private readonly frame: FrameContext | undefined;

  constructor(session: Session, vcpu: number, frame: FrameContext | undefined) {
    this.session = session;
    this.vcpu = vcpu;
    this.frame = frame;
  }

  read(name: string): { value: bigint; sizeBytes: number } | undefined {
    const { system } = this.session.debuggee.target;
    const lower = name.toLowerCase();
    if (lower === 'tick') return { value: BigInt(system.now), sizeBytes: WIDTH_64 };
    const general = generalRegister(lower);
    if (general !== undefined) {
      const value = this.frame?.registers.register(general.number);
      return value === undefined ? undefined : { value: general.sizeBytes === WIDTH_32 ? value & LOW_32 : value, sizeBytes: general.sizeBytes };
    }
    if (lower === 'pstate' || lower === 'cpsr') return { value: system.engine.vcpu(this.vcpu).pstate, sizeBytes: WIDTH_32 };
    const value = system.systemRegister(this.vcpu, systemRegisterName(system, name));
    return value === undefined ? undefined : { value, sizeBytes: WIDTH_64 };
  }

  write(name: string, value: bigint): boolean {
    const lower = name.toLowerCase();
    const general = generalRegister(lower);
    if (general !== undefined) return this.writeNumber(general.number, general.sizeBytes === WIDTH_32 ? value & LOW_32 : value);
    return this.change(lower === 'pstate' || lower === 'cpsr' ? 'pstate' : systemRegisterName(this.session.debuggee.target.system, name), value);
  }

  writeNumber(number: number, value: bigint): boolean {
    if (this.frame !== undefined && this.frame.pc !== this.session.debuggee.target.system.pcOf(this.vcpu)) return false;
    if (number <= 30) return this.change(`x${number}`, value);
    if (number === 31) return this.change('sp', value);
    return number === 32 ? this.change('pc', BigInt(va(value))) : false;
  }

  private change(register: string, value: bigint): boolean {
    const { target } = this.session.requireStopped();
    if (!target.system.canWriteRegister(register)) return false;
    target.branch();
    target.system.writeRegister(this.vcpu, register, BigInt.asUintN(64, value));
    return true;
  }
}

/** DWARF number and width of `x0`, `w0`, `sp`, `lr`, `fp`, `pc`. */
function generalRegister(name: string): { readonly number: number; readonly sizeBytes: number } | undefined {
  const named = { sp: 31, pc: 32, lr: 30, fp: 29, wsp: 31 }[name];
  if (named !== undefined) return { number: named, sizeBytes: name === 'wsp' ? WIDTH_32 : WIDTH_64 };
  const match = /^([xw])(\d{1,2})$/.exec(name);
  const number = Number(match?.[2] ?? 31);
  return match === null || number > 30 ? undefined : { number, sizeBytes: match[1] === 'w' ? WIDTH_32 : WIDTH_64 };
}

/** The Arm ARM's spelling of a system register, however the user wrote it. */
function systemRegisterName(system: System, name: string): string {
  const lower = name.toLowerCase();
  return system.systemRegisterNames().find((known) => known.toLowerCase() === lower) ?? name;
}

/** Names of registers, for completions. */
export function registerNames(system: System): string[] {
  return [...Array.from({ length: 31 }, (_, n) => `x${n}`), 'sp', 'pc', 'pstate', 'tick', ...system.systemRegisterNames()];
}
