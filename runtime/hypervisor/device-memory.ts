/**
 * How a device of the platform reaches the memory of the VM that it was given to: by IPA through the VM's stage 2, as a DMA master behind an
 * SMMU that shares the VM's tables would. Stores go the way of every host write: pages become dirty, decoded code is dropped, watchpoints see them.
 */

import { pa, type Pa } from '../base/brands';
import type { GuestMemory } from '../machine/interface';
import type { Kernel } from './kernel';
import { ACCESS_R, ACCESS_W, IPA_PAGE_COUNT, type Pgtable } from './pgtable';

const PAGE = 4096;
const ADDRESS_MAX = IPA_PAGE_COUNT * PAGE;

/** A physical range that DMA does not write, in bytes. */
export interface ReadOnlyRange { readonly base: bigint; readonly sizeBytes: bigint }

interface Piece { readonly at: Pa; readonly offset: number; readonly count: number }

/** Memory of the VM that has a VMID at the time of each access. */
export class DeviceMemory implements GuestMemory {
  private readonly kernel: Kernel;
  private readonly vmid: () => number | undefined;
  private readonly readOnly: ReadOnlyRange;

  constructor(kernel: Kernel, vmid: () => number | undefined, readOnly: ReadOnlyRange) {
    this.kernel = kernel;
    this.vmid = vmid;
    this.readOnly = readOnly;
  }

  read(address: number, sizeBytes: number): Uint8Array | undefined {
    const pieces = this.pieces(address, sizeBytes, ACCESS_R);
    if (pieces === undefined) return undefined;
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined) return this.kernel.engine.memory.read(only.at, sizeBytes);
    const bytes = new Uint8Array(sizeBytes);
    for (const { at, offset, count } of pieces) bytes.set(this.kernel.engine.memory.read(at, count), offset);
    return bytes;
  }

  write(address: number, bytes: Uint8Array): boolean {
    const pieces = this.pieces(address, bytes.length, ACCESS_W);
    if (pieces === undefined) return false;
    for (const { at, offset, count } of pieces) this.kernel.engine.memory.write(at, bytes.subarray(offset, offset + count));
    return true;
  }

  /** Physical pieces behind a range; undefined unless the VM has all of it as RAM with this access. */
  private pieces(address: number, sizeBytes: number, access: number): Piece[] | undefined {
    const pgtable = this.pgtable();
    if (pgtable === undefined || !Number.isSafeInteger(address) || address < 0 || address + sizeBytes > ADDRESS_MAX) return undefined;
    const pieces: Piece[] = [];
    for (let offset = 0; offset < sizeBytes;) {
      const here = address + offset;
      const leaf = pgtable.lookup(Math.floor(here / PAGE));
      if (leaf === undefined || (leaf.attributes.kernel & access) === 0) return undefined;
      const count = Math.min(leaf.pageCount * PAGE - (here % PAGE), sizeBytes - offset);
      const at = pa(BigInt(leaf.paPage) * BigInt(PAGE) + BigInt(here % PAGE));
      if (!this.kernel.engine.memory.contains(at, count) || (access === ACCESS_W && this.isReadOnly(at, count))) return undefined;
      pieces.push({ at, offset, count });
      offset += count;
    }
    return pieces;
  }

  private isReadOnly(at: Pa, count: number): boolean {
    const { base, sizeBytes } = this.readOnly;
    return at < base + sizeBytes && base < at + BigInt(count);
  }

  private pgtable(): Pgtable | undefined {
    const vmid = this.vmid();
    if (vmid === undefined) return undefined;
    for (const addrspace of this.kernel.ofType('addrspace')) if (addrspace.vmid === vmid && addrspace.header.state === 'active') return addrspace.pgtable;
    return undefined;
  }
}
