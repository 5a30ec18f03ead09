/**
 * Where a Linux kernel is. An arm64 kernel is linked at one address, loaded at another, runs there until it has made translation
 * tables, and then moves to a third one, which it chooses by chance (KASLR). All that is read from the VM's memory and registers as
 * they are now, so it holds at any time, the past included.
 *
 * Kernels are recognised by their symbols, not by version. Documentation/arch/arm64/booting.rst; `kimage_voffset` is the distance from
 * the image's physical to its virtual address, kept by the kernel since 4.6.
 */

import type { Pa } from '../base/brands';
import { fromBytes, type SymbolFile } from '../symbols/index';
import type { System } from '../system/system';
import type { VmMemory } from './vm-memory';

const BANNER_SIZE_BYTES = 64;
const WORD_SIZE_BYTES = 8;
/** Table address in TTBR1_EL1, without ASID and CnP. */
const TABLE_MASK = 0x0000_ffff_ffff_fffen;
const UPPER_HALF = 0xfff0_0000_0000_0000n;

/** True in the upper half of the address space, of up to 52 bits, which TTBR1_EL1 translates: the kernel's. */
export function isUpperHalf(address: bigint): boolean {
  return address >= UPPER_HALF;
}

/** The image of one kernel in one VM. */
export class KernelImage {
  readonly file: SymbolFile;
  private readonly system: System;
  private readonly memory: VmMemory;
  private readonly start: bigint;
  private readonly offset: bigint | undefined;
  private readonly size: bigint;
  /** Where the image lies in the VM's physical memory, if it is known and the image is this one. */
  private physicalStart: bigint | undefined;
  private virtualSlide: bigint | undefined;
  /** True if the VM's memory holds something else where this kernel should be. */
  private isOther = false;

  /** Use `kernelImage`. */
  constructor(system: System, memory: VmMemory, file: SymbolFile) {
    this.system = system;
    this.memory = memory;
    this.file = file;
    this.start = file.addressOfSymbol('_text') ?? 0n;
    this.offset = file.addressOfSymbol('kimage_voffset');
    this.size = (file.addressOfSymbol('_end') ?? this.start) - this.start;
  }

  /** The symbols where the kernel runs with its tables; undefined before it does. */
  get virtual(): SymbolFile | undefined {
    return this.virtualSlide === undefined ? undefined : this.file.moved(this.virtualSlide);
  }

  /** The symbols where the image was loaded: there it runs before it has tables, and while a CPU comes up. */
  get identity(): SymbolFile | undefined {
    return this.physicalStart === undefined ? undefined : this.file.moved(this.physicalStart - this.start);
  }

  /** True for the addresses that the image has where it was loaded. */
  covers(address: bigint): boolean {
    return this.physicalStart !== undefined && address >= this.physicalStart && address < this.physicalStart + this.size;
  }

  /** The symbols for an address at which a piece of the image is mapped a second time, as trampolines into the kernel are. */
  aliasAt(vcpu: number, address: bigint): SymbolFile | undefined {
    const at = this.physicalStart === undefined ? undefined : this.translate(vcpu, address);
    if (at === undefined || this.physicalStart === undefined || !this.covers(at)) return undefined;
    return this.file.moved(address - (at - this.physicalStart) - this.start);
  }

  /** True if what was loaded is not the kernel that the symbols are of. */
  get isMismatch(): boolean {
    return this.isOther;
  }

  /** The physical address of a symbol. */
  physicalOf(symbol: string): bigint | undefined {
    return this.identity?.addressOfSymbol(symbol);
  }

  /** What to watch to learn at once that the kernel moves; nothing if it has, or if that cannot be watched. */
  sentinel(): readonly { readonly address: Pa; readonly sizeBytes: number }[] {
    const at = this.virtualSlide === undefined ? this.physicalOf('kimage_voffset') : undefined;
    return at === undefined ? [] : this.memory.pieces(at, WORD_SIZE_BYTES);
  }

  /** Looks where the image is now; true if that is not where it was. */
  settle(): boolean {
    const before = [this.physicalStart, this.virtualSlide];
    this.physicalStart = this.findPhysical();
    this.virtualSlide = this.physicalStart === undefined ? undefined : this.slideByOffset(this.physicalStart) ?? this.slideByPc(this.physicalStart);
    return before[0] !== this.physicalStart || before[1] !== this.virtualSlide;
  }

  /** At the VM's entry, if its boot loader is ours; else where the vectors that a vCPU uses tell. */
  private findPhysical(): bigint | undefined {
    const { entry } = this.memory;
    const isThere = entry === undefined ? undefined : this.isImageAt(entry);
    this.isOther = isThere === false;
    if (entry !== undefined && isThere === true) return entry;
    const found = this.memory.vcpus().map((vcpu) => this.physicalByVectors(vcpu)).find((start) => start !== undefined);
    if (found !== undefined) this.isOther = false;
    return found;
  }

  private physicalByVectors(vcpu: number): bigint | undefined {
    const vectors = this.file.addressOfSymbol('vectors');
    const base = this.register(vcpu, 'VBAR_EL1');
    if (vectors === undefined || !isUpperHalf(base)) return undefined;
    const start = this.translate(vcpu, this.start + base - vectors);
    return start !== undefined && this.isImageAt(start) === true ? start : undefined;
  }

  /** Compares the kernel's banner in memory with the file's; a file without contents is believed. */
  private isImageAt(start: bigint): boolean | undefined {
    const banner = this.file.addressOfSymbol('linux_banner');
    const expected = banner === undefined ? undefined : this.file.contentsAt(banner, BANNER_SIZE_BYTES);
    if (banner === undefined || expected === undefined) return true;
    const found = this.memory.read(start + banner - this.start, BANNER_SIZE_BYTES);
    return found?.every((byte, i) => byte === expected[i]);
  }

  private slideByOffset(start: bigint): bigint | undefined {
    const value = this.offset === undefined ? undefined : this.memory.read(start + this.offset - this.start, WORD_SIZE_BYTES);
    const distance = value === undefined ? 0n : fromBytes(value);
    return isUpperHalf(BigInt.asUintN(64, start + distance)) && distance !== 0n ? BigInt.asUintN(64, start + distance) - this.start : undefined;
  }

  /** Between the jump to the new place and the note of it: from where the code that runs lies. */
  private slideByPc(start: bigint): bigint | undefined {
    for (const vcpu of this.memory.vcpus()) {
      const pc = this.system.pcOf(vcpu);
      const at = isUpperHalf(pc) ? this.translate(vcpu, pc) : undefined;
      if (at !== undefined && at >= start && at < start + this.size) return pc - (at - start) - this.start;
    }
    return undefined;
  }

  private translate(vcpu: number, address: bigint): bigint | undefined {
    const isOn = (this.register(vcpu, 'SCTLR_EL1') & 1n) !== 0n;
    return isOn ? this.memory.walk(this.register(vcpu, 'TTBR1_EL1') & TABLE_MASK, this.register(vcpu, 'TCR_EL1'), address) : undefined;
  }

  private register(vcpu: number, name: string): bigint {
    return this.system.systemRegister(vcpu, name) ?? 0n;
  }

  /** Bytes at an address of the kernel, through the vCPU's tables or, where a process runs whose tables hide the kernel, its own. */
  read(vcpu: number, address: bigint, sizeBytes: number): Uint8Array | undefined {
    if (this.virtualSlide === undefined) return undefined;
    const tcr = this.register(vcpu, 'TCR_EL1');
    const found = this.memory.readThrough({ table: this.register(vcpu, 'TTBR1_EL1') & TABLE_MASK, tcr }, address, sizeBytes);
    const table = found === undefined ? this.physicalOf('swapper_pg_dir') : undefined;
    return table === undefined ? found : this.memory.readThrough({ table, tcr }, address, sizeBytes);
  }
}

/** The kernel that a symbol file is of; undefined if it is of something else, or if the user said where it runs. */
export function kernelImage(system: System, memory: VmMemory, file: SymbolFile): KernelImage | undefined {
  const start = file.addressOfSymbol('_text');
  const isKernel = start !== undefined && isUpperHalf(start) && file.slide === 0n
    && (file.addressOfSymbol('kimage_voffset') !== undefined || (file.addressOfSymbol('vectors') !== undefined && file.addressOfSymbol('swapper_pg_dir') !== undefined));
  return isKernel ? new KernelImage(system, memory, file) : undefined;
}
