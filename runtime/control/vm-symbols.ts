/**
 * The symbol files of one VM, and what stepping and stack walking ask of them together with a vCPU's registers and memory.
 */

import { va, type Va } from '../base/brands';
import { REGISTER, walkStack, type FrameContext, type MemoryReader, type RegisterReader, type StackFrame, type SymbolFile, type Type } from '../symbols/index';
import type { System } from '../system/system';
import { KernelFrames } from './kernel-frames';
import { isUpperHalf, kernelImage, type KernelImage } from './kernel-image';
import { KernelTasks, type TaskName } from './kernel-task';
import type { MovingCode } from './moving-code';
import type { LineView } from './step';
import { VmMemory } from './vm-memory';

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

/** One symbol file at a place where its code runs. */
export interface SymbolView {
  readonly file: SymbolFile;
  /** Physical addresses of a kernel: they count at EL1 only, for processes may use the same numbers for code of their own. */
  readonly isIdentity: boolean;
}

const COMPARED_SIZE_BYTES = 16;

/** All symbols of one VM. */
export class VmSymbols implements MovingCode {
  private readonly system: System;
  private readonly memory: VmMemory;
  private readonly list: SymbolFile[] = [];
  private kernel: { readonly image: KernelImage; readonly tasks: KernelTasks; readonly frames: KernelFrames } | undefined;

  /** Symbols of the VM of that name; the primary one if none is given. */
  constructor(system: System, vm?: string) {
    this.system = system;
    this.memory = new VmMemory(system, vm ?? system.description.vms[0]?.name ?? '');
  }

  add(file: SymbolFile): void {
    const image = this.kernel === undefined ? kernelImage(this.system, this.memory, file) : undefined;
    if (image === undefined) {
      this.list.push(file);
      return;
    }
    this.kernel = { image, tasks: new KernelTasks(this.system, image), frames: new KernelFrames(this.system, image) };
    image.settle();
  }

  /** Files in order of adding, where their code is now; a kernel's first. */
  get files(): readonly SymbolFile[] {
    const image = this.kernel?.image;
    return image === undefined ? this.list : [image.virtual ?? image.identity ?? image.file, ...this.list];
  }

  /** Files as one vCPU sees them: while it runs without translation, a kernel's at their physical addresses. */
  filesFor(vcpu: number): readonly SymbolFile[] {
    const image = this.kernel?.image;
    const identity = image === undefined || !this.isUntranslated(vcpu) ? undefined : image.identity;
    return identity === undefined ? this.files : [identity, ...this.list];
  }

  /** Every place where code of a file runs or will run. */
  get views(): readonly SymbolView[] {
    const image = this.kernel?.image;
    const plain = this.list.map((file) => ({ file, isIdentity: false }));
    if (image === undefined) return plain;
    const { virtual, identity } = image;
    const own = [...(virtual === undefined ? [] : [{ file: virtual, isIdentity: false }]), ...(identity === undefined ? [] : [{ file: identity, isIdentity: true }])];
    return [...(own.length === 0 ? [{ file: image.file, isIdentity: false }] : own), ...plain];
  }

  /** Whether a kernel is there that has not moved to its final place yet. */
  get isUnsettled(): boolean {
    return this.kernel !== undefined && this.kernel.image.virtual === undefined;
  }

  /** True if the VM's memory holds another kernel than the symbols are of. */
  get isMismatch(): boolean {
    return this.kernel?.image.isMismatch === true;
  }

  sentinel(): ReturnType<MovingCode['sentinel']> {
    return this.kernel?.image.sentinel() ?? [];
  }

  settle(): boolean {
    return this.kernel?.image.settle() ?? false;
  }

  /** The file whose image contains an address, as `vcpu` sees it if one is given. */
  at(address: bigint, vcpu?: number): SymbolFile | undefined {
    if (this.kernel === undefined) return fileAt(this.list, address);
    return isUpperHalf(address) ? this.upperAt(address, vcpu) : this.lowerAt(address, vcpu);
  }

  private upperAt(address: bigint, vcpu: number | undefined): SymbolFile | undefined {
    const image = this.kernel?.image;
    const found = fileAt([...(image?.virtual === undefined ? [] : [image.virtual]), ...this.list], address);
    const alias = found === undefined && vcpu !== undefined ? image?.aliasAt(vcpu, address) : undefined;
    return found ?? (alias?.symbolize(address) === undefined ? undefined : alias);
  }

  /** In the lower half are a kernel that has no tables yet, and processes. Which program a process runs, its code tells. */
  private lowerAt(address: bigint, vcpu: number | undefined): SymbolFile | undefined {
    const image = this.kernel?.image;
    const identity = image?.identity;
    const isKernel = vcpu === undefined || this.isUntranslated(vcpu);
    const kernel = isKernel && identity !== undefined && image?.covers(address) === true ? fileAt([identity], address) : undefined;
    if (kernel !== undefined) return kernel;
    const [some] = vcpu === undefined ? this.memory.vcpus() : [vcpu];
    return some === undefined ? undefined : fileAt(this.list.filter((file) => this.isLoaded(file, some, address)), address);
  }

  private isLoaded(file: SymbolFile, vcpu: number, address: bigint): boolean {
    const start = address & ~BigInt(COMPARED_SIZE_BYTES - 1);
    const expected = file.contentsAt(start, COMPARED_SIZE_BYTES);
    const found = expected === undefined ? undefined : this.memoryFor(vcpu).read(start, COMPARED_SIZE_BYTES);
    return expected !== undefined && found !== undefined && expected.every((byte, i) => byte === found[i]);
  }

  /** True while a kernel's vCPU runs at the addresses where the image was loaded. */
  private isUntranslated(vcpu: number): boolean {
    return this.system.engine.vcpu(vcpu).el === 1 && !isUpperHalf(this.system.pcOf(vcpu));
  }

  /** Memory as a vCPU sees it, and a kernel's own where a process runs whose tables hide it. */
  memoryFor(vcpu: number): MemoryReader {
    const plain = memoryOf(this.system, vcpu);
    const image = this.kernel?.image;
    if (image === undefined) return plain;
    return { read: (address, sizeBytes) => plain.read(address, sizeBytes) ?? (isUpperHalf(address) ? image.read(vcpu, address, sizeBytes) : undefined) };
  }

  /** Real frames of a vCPU, innermost first. */
  stack(vcpu: number, frameCountMax: number): StackFrame[] {
    const memory = this.memoryFor(vcpu);
    const frames = this.kernel?.frames;
    return [...walkStack({
      registers: registersOf(this.system, vcpu),
      memory,
      symbolsAt: (address) => this.at(address, vcpu),
      ...(frames === undefined ? {} : { interrupted: (frame: StackFrame) => frames.interrupted(vcpu, frame, memory), isOutermost: (frame: StackFrame) => this.isForeign(frame) }),
      frameCountMax,
    })];
  }

  /**
   * Nothing tells where the caller of a process's code is if its program is not known, nor that of the trampoline through which a
   * kernel with page table isolation enters and leaves.
   */
  private isForeign({ symbols, pc }: StackFrame): boolean {
    if (symbols === undefined) return !isUpperHalf(pc);
    const image = this.kernel?.image;
    return symbols.original === image?.file && symbols !== image.virtual && symbols !== image.identity;
  }

  /** What a vCPU of a Linux kernel works on; undefined if that cannot be told. */
  task(vcpu: number): TaskName | undefined {
    return this.kernel?.tasks.describe(vcpu);
  }

  /** `current` of a Linux kernel with its type; undefined if it has none now. */
  currentTask(vcpu: number): { readonly address: bigint; readonly type: Type } | undefined {
    const address = this.kernel?.tasks.current(vcpu);
    const type = address === undefined ? undefined : this.kernel?.tasks.taskType();
    return address === undefined || type === undefined ? undefined : { address, type };
  }

  /** True for a frame of a process of a Linux kernel. */
  isProcessFrame(vcpu: number, frame: StackFrame): boolean {
    return this.kernel !== undefined && !isUpperHalf(frame.pc) && !this.isUntranslated(vcpu);
  }

  /** Lines as stepping of one vCPU needs them. */
  linesOf(vcpu: number): LineView {
    return new VcpuLines(this, vcpu);
  }
}

function fileAt(files: readonly SymbolFile[], address: bigint): SymbolFile | undefined {
  return files.find((file) => file.functionAt(address) !== undefined) ?? files.find((file) => file.symbolize(address) !== undefined);
}

/** The lines of a VM as one vCPU sees them. */
class VcpuLines implements LineView {
  private readonly symbols: VmSymbols;
  private readonly vcpu: number;

  constructor(symbols: VmSymbols, vcpu: number) {
    this.symbols = symbols;
    this.vcpu = vcpu;
  }

  private at(pc: Va): SymbolFile | undefined {
    return this.symbols.at(pc, this.vcpu);
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
    const [innermost, caller] = this.symbols.stack(vcpu, 2);
    if (innermost === undefined || caller === undefined) return undefined;
    const cfa = frameAddress(innermost.context, caller);
    return cfa === undefined ? undefined : { cfa, returnAddress: va(caller.pc) };
  }

  ranges(pc: Va): ReturnType<NonNullable<LineView['ranges']>> {
    return this.at(pc)?.functionAt(pc)?.ranges ?? [];
  }

  owner(vcpu: number): bigint | undefined {
    return this.symbols.task(vcpu)?.address;
  }
}

/** The CFA of a frame: by call frame information, or the caller's stack pointer, which is the same thing on AArch64. */
function frameAddress(context: FrameContext, caller: StackFrame): bigint | undefined {
  return context.cfa() ?? caller.context.registers.register(REGISTER.sp);
}
