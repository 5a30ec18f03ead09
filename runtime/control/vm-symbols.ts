/**
 * The symbol files of one VM, and what stepping and stack walking ask of them together with a vCPU's registers and memory.
 */

import { va, type Va } from '../base/brands';
import { REGISTER, walkStack, type FrameContext, type MemoryReader, type RegisterReader, type StackFrame, type SymbolFile } from '../symbols/index';
import type { System } from '../system/system';
import type { LineView } from './step';

const VECTOR_FIRST = 64;
const VECTOR_LAST = 95;
const ADDRESS_MASK = 0xffff_ffff_ffff_ffffn;

/** Registers of a vCPU by DWARF number, live. */
export function registersOf(system: System, vcpu: number): RegisterReader {
  const state = system.engine.vcpu(vcpu);
  return {
    register(number: number): bigint | undefined {
      if (number <= REGISTER.x30) return state.x(number);
      if (number === REGISTER.sp) return state.sp;
      if (number === REGISTER.pc) return state.pc;
      if (number < VECTOR_FIRST || number > VECTOR_LAST) return undefined;
      const [low, high] = state.v(number - VECTOR_FIRST);
      return (high << 64n) | low;
    },
  };
}

/** Memory as a vCPU sees it. */
export function memoryOf(system: System, vcpu: number): MemoryReader {
  return {
    read(address: bigint, sizeBytes: number): Uint8Array | undefined {
      const bytes = system.readVirtual(vcpu, va(address & ADDRESS_MASK), sizeBytes);
      return bytes.length === sizeBytes ? bytes : undefined;
    },
  };
}

/** All symbols of one VM. */
export class VmSymbols implements LineView {
  private readonly system: System;
  private readonly list: SymbolFile[] = [];

  constructor(system: System) {
    this.system = system;
  }

  add(file: SymbolFile): void {
    this.list.push(file);
  }

  /** Files in order of adding. */
  get files(): readonly SymbolFile[] {
    return this.list;
  }

  /** The file whose image contains an address. */
  at(address: bigint): SymbolFile | undefined {
    return this.list.find((file) => file.functionAt(address) !== undefined) ?? this.list.find((file) => file.symbolize(address) !== undefined);
  }

  /** Real frames of a vCPU, innermost first. */
  stack(vcpu: number, frameCountMax: number): StackFrame[] {
    return [...walkStack({
      registers: registersOf(this.system, vcpu),
      memory: memoryOf(this.system, vcpu),
      symbolsAt: (address) => this.at(address),
      frameCountMax,
    })];
  }

  lineAt(pc: Va): ReturnType<LineView['lineAt']> {
    const file = this.at(pc);
    const line = file?.lineAt(pc);
    if (file === undefined || line === undefined || line.line === 0) return undefined;
    return { key: `${line.file}:${line.line}`, isStatementStart: file.isStatementStart(pc) };
  }

  statementStarts(pc: Va): readonly Va[] {
    return (this.at(pc)?.statementStarts(pc) ?? []).map(({ address }) => va(address));
  }

  hasSource(pc: Va): boolean {
    const line = this.at(pc)?.lineAt(pc);
    return line !== undefined && line.line !== 0;
  }

  afterPrologue(entry: Va): Va {
    return va(this.at(entry)?.prologueEnd(entry) ?? entry);
  }

  frame(vcpu: number): ReturnType<LineView['frame']> {
    const [innermost, caller] = this.stack(vcpu, 2);
    if (innermost === undefined || caller === undefined) return undefined;
    const cfa = frameAddress(innermost.context, caller);
    return cfa === undefined ? undefined : { cfa, returnAddress: va(caller.pc) };
  }
}

/** The CFA of a frame: by call frame information, or the caller's stack pointer, which is the same thing on AArch64. */
function frameAddress(context: FrameContext, caller: StackFrame): bigint | undefined {
  return context.cfa() ?? caller.context.registers.register(REGISTER.sp);
}
