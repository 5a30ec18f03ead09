/**
 * Memory of one VM by its own physical addresses, whether or not it has a vCPU yet, and by virtual addresses through translation
 * tables that no vCPU uses at the moment. Reading only, without side effects.
 */

import { pa, type Pa } from '../base/brands';
import { fromBytes } from '../symbols/index';
import type { System } from '../system/system';

const PAGE_SIZE = 4096n;
const ENTRY_SIZE_BYTES = 8;
/** Output address of descriptors with 48-bit addresses. Arm ARM (DDI 0487) D8.3. */
const OUTPUT_MASK = 0x0000_ffff_ffff_f000n;
/** Granule sizes by TCR_EL1.TG1; 0 is reserved. */
const TG1_SHIFTS: readonly (number | undefined)[] = [undefined, 14, 12, 16];

/** Physical memory as one VM sees it. */
export class VmMemory {
  private readonly system: System;
  private readonly vm: string;

  constructor(system: System, vm: string) {
    this.system = system;
    this.vm = vm;
  }

  /** The vCPUs of the VM, by engine index; none before RM has made them. */
  vcpus(): readonly number[] {
    return this.system.vcpus().filter(({ vm }) => vm === this.vm).map(({ index }) => index);
  }

  /** Where the VM's image is entered; undefined before RM has placed it. */
  get entry(): bigint | undefined {
    if (this.isPrimary) return this.system.primaryEntry;
    const entry = this.system.rmView().vms.find(({ vmid }) => this.system.vmName(vmid) === this.vm)?.entry;
    return entry === 0n ? undefined : entry;
  }

  private get isPrimary(): boolean {
    return this.system.description.vms[0]?.name === this.vm;
  }

  /** Bytes at a physical address of the VM; undefined unless all of them are RAM of its own. */
  read(address: bigint, sizeBytes: number): Uint8Array | undefined {
    // The primary VM's addresses are the machine's own, and its memory holds its image before it has a vCPU.
    const [vcpu] = this.vcpus();
    const bytes = this.isPrimary ? this.system.readPhysical(pa(address), sizeBytes)
      : vcpu === undefined ? new Uint8Array(0) : this.system.readIntermediate(vcpu, address, sizeBytes);
    return bytes.length === sizeBytes ? bytes : undefined;
  }

  /** A little-endian word of 8 bytes. */
  word(address: bigint): bigint | undefined {
    const bytes = this.read(address, ENTRY_SIZE_BYTES);
    return bytes === undefined ? undefined : fromBytes(bytes);
  }

  /** The machine's memory behind a range: what a watchpoint watches. */
  pieces(address: bigint, sizeBytes: number): readonly { readonly address: Pa; readonly sizeBytes: number }[] {
    if (this.isPrimary) return this.system.clipToRam(address, sizeBytes);
    const [vcpu] = this.vcpus();
    return vcpu === undefined ? [] : this.system.physicalPieces(vcpu, address, sizeBytes, 2);
  }

  /**
   * The physical address that translation tables at `table` give an address of the upper half, by the granule and size that
   * TCR_EL1 has. Arm ARM (DDI 0487) D8.2.
   */
  walk(table: bigint, tcr: bigint, address: bigint): bigint | undefined {
    const pageShift = TG1_SHIFTS[Number((tcr >> 30n) & 3n)];
    const bits = 64 - Number((tcr >> 16n) & 0x3fn);
    if (pageShift === undefined || bits <= pageShift || bits > 52 || address >> BigInt(bits) !== (1n << BigInt(64 - bits)) - 1n) return undefined;
    const stride = pageShift - 3;
    let base = table;
    for (let level = 3 - (Math.ceil((bits - pageShift) / stride) - 1); level <= 3; level++) {
      const shift = BigInt(pageShift + (3 - level) * stride);
      const top = Math.min(bits, Number(shift) + stride);
      const index = (address & ((1n << BigInt(top)) - 1n)) >> shift;
      const descriptor = this.word(base + index * 8n);
      if (descriptor === undefined || (descriptor & 1n) === 0n) return undefined;
      const isTable = (descriptor & 2n) !== 0n;
      const output = descriptor & OUTPUT_MASK;
      if (level === 3) return isTable ? (output & -(1n << shift)) | (address & ((1n << shift) - 1n)) : undefined;
      if (!isTable) return (output & -(1n << shift)) | (address & ((1n << shift) - 1n));
      base = output & -(1n << BigInt(pageShift));
    }
    return undefined;
  }

  /** Bytes at a virtual address of the upper half through the tables at `table`; undefined unless all of them are mapped. */
  readThrough({ table, tcr }: { readonly table: bigint; readonly tcr: bigint }, address: bigint, sizeBytes: number): Uint8Array | undefined {
    const found = new Uint8Array(sizeBytes);
    for (let done = 0; done < sizeBytes;) {
      const at = address + BigInt(done);
      const size = Math.min(sizeBytes - done, Number(PAGE_SIZE - (at & (PAGE_SIZE - 1n))));
      const physical = this.walk(table, tcr, at);
      const bytes = physical === undefined ? undefined : this.read(physical, size);
      if (bytes === undefined) return undefined;
      found.set(bytes, done);
      done += size;
    }
    return found;
  }
}
