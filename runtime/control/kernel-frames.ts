/**
 * From a Linux kernel's exception entry to what was interrupted. The entry code has no call frame information; it keeps the
 * registers in a `struct pt_regs`, with a frame record inside it that x29 points to. Before it has done so, ELR_EL1 and SPSR_EL1 say
 * where the exception came from.
 */

import { findMember, fromBytes, REGISTER, registersFrom, type MemoryReader, type RegisterReader, type StackFrame, type SymbolFile, type Unwound } from '../symbols/index';
import type { System } from '../system/system';
import type { KernelImage } from './kernel-image';
import { structure } from './kernel-task';

const WORD = 8n;
const GENERAL_COUNT = 31;
/** SPSR_EL1.M[3:0] of EL0, and M[4] of AArch32. */
const MODE_MASK = 0x1fn;
const LEVEL_1 = 0x4n;
const VECTORS_SIZE = 0x800n;
const STACK_REGISTER_BIT = 1n;

interface Layout {
  readonly registers: bigint;
  readonly sp: bigint;
  readonly pc: bigint;
  readonly pstate: bigint;
  readonly record: bigint;
  readonly size: bigint;
}

/** Exceptions on the stacks of one kernel. */
export class KernelFrames {
  private readonly system: System;
  private readonly kernel: KernelImage;
  private known: { readonly layout: Layout | undefined } | undefined;

  constructor(system: System, kernel: KernelImage) {
    this.system = system;
    this.kernel = kernel;
  }

  /** What an exception interrupted, if `frame` is in the code that an exception enters; undefined if it is not. */
  interrupted(vcpu: number, frame: StackFrame, memory: MemoryReader): Unwound | undefined {
    const view = this.kernel.virtual;
    if (view === undefined || !this.isEntryCode(vcpu, view, frame)) return undefined;
    return this.bySavedRegisters(frame.context.registers, memory) ?? (isInnermost(this.system, vcpu, frame) ? this.byExceptionRegisters(vcpu, frame, view) : undefined);
  }

  private isEntryCode(vcpu: number, view: SymbolFile, frame: StackFrame): boolean {
    const { pc } = frame.context;
    const [start, end] = ['__entry_text_start', '__entry_text_end'].map((name) => view.addressOfSymbol(name));
    if (start !== undefined && end !== undefined && pc >= start && pc < end) return true;
    return isInnermost(this.system, vcpu, frame) && this.isVector(vcpu, pc);
  }

  private isVector(vcpu: number, pc: bigint): boolean {
    const offset = pc - (this.system.systemRegister(vcpu, 'VBAR_EL1') ?? 0n);
    return offset >= 0n && offset < VECTORS_SIZE;
  }

  /** By the saved registers around the frame record: it repeats the interrupted x29 and pc, or is zero after EL0. */
  private bySavedRegisters(registers: RegisterReader, memory: MemoryReader): Unwound | undefined {
    const layout = this.layout();
    const framePointer = registers.register(REGISTER.x29);
    if (layout === undefined || framePointer === undefined) return undefined;
    const saved = framePointer - layout.record;
    const word = (at: bigint): bigint | undefined => wordAt(memory, saved + at);
    const [fp, link, pc, pstate] = [word(layout.record), word(layout.record + WORD), word(layout.pc), word(layout.pstate)];
    if (fp === undefined || link === undefined || pc === undefined || pstate === undefined) return undefined;
    const values = Array.from({ length: GENERAL_COUNT }, (_, n) => word(layout.registers + BigInt(n) * WORD));
    const isMarked = (fp === 0n && link === 0n) || (fp === values[REGISTER.x29] && link === pc);
    const isState = (pstate & MODE_MASK) === 0n || (pstate & 0x1en) === LEVEL_1 || (pstate & 0x10n) !== 0n;
    if (!isMarked || !isState || pc === 0n) return undefined;
    return { cfa: saved + layout.size, pc, registers: registersFrom([...values, word(layout.sp), pc]), isExact: true };
  }

  /** Before the registers are saved, most still hold what they held. The stack pointer may have moved by the size of `pt_regs`. */
  private byExceptionRegisters(vcpu: number, frame: StackFrame, view: SymbolFile): Unwound | undefined {
    const state = this.system.engine.vcpu(vcpu);
    const [pc, from] = [this.system.systemRegister(vcpu, 'ELR_EL1'), this.system.systemRegister(vcpu, 'SPSR_EL1')];
    const layout = this.layout();
    if (pc === undefined || from === undefined || layout === undefined || state.el !== 1) return undefined;
    const isFirst = (frame.context.pc & 0x7fn) === 0n && this.isVector(vcpu, frame.context.pc);
    const isKernel = (from & 0xfn & ~STACK_REGISTER_BIT) === LEVEL_1 && view.symbolize(pc) !== undefined;
    const sp = isKernel ? state.sp + (isFirst ? 0n : layout.size) : state.spEl0;
    const values = Array.from({ length: GENERAL_COUNT }, (_, n) => state.x(n));
    return { cfa: state.sp + layout.size, pc, registers: registersFrom([...values, sp, pc]), isExact: true };
  }

  private layout(): Layout | undefined {
    this.known ??= { layout: layoutOf(this.kernel.file) };
    return this.known.layout;
  }
}

function isInnermost(system: System, vcpu: number, frame: StackFrame): boolean {
  return frame.pc === system.pcOf(vcpu) && frame.context.registers.register(REGISTER.sp) === system.engine.vcpu(vcpu).sp;
}

function wordAt(memory: MemoryReader, address: bigint): bigint | undefined {
  const bytes = memory.read(BigInt.asUintN(64, address), Number(WORD));
  return bytes === undefined ? undefined : fromBytes(bytes);
}

function layoutOf(file: SymbolFile): Layout | undefined {
  const type = structure(file, 'pt_regs');
  if (type === undefined) return undefined;
  const [registers, sp, pc, pstate, record] = ['regs', 'sp', 'pc', 'pstate', 'stackframe'].map((name) => findMember(type, name));
  if (registers === undefined || sp === undefined || pc === undefined || pstate === undefined || record === undefined) return undefined;
  const at = (member: { readonly offsetBytes: number }): bigint => BigInt(member.offsetBytes);
  return { registers: at(registers), sp: at(sp), pc: at(pc), pstate: at(pstate), record: at(record), size: BigInt(type.sizeBytes) };
}
