/**
 * Address spaces: a VMID, a stage-2 table, the emulated device frames in it and the ranges whose accesses a proxy scheduler
 * emulates. Memory gets in through `memextent.ts`; threads attach in `thread.ts`.
 */

import { assert } from '../base/assert';
import type { ErrorName } from './errors';
import type { Memextent } from './memextent';
import { ObjectHeader } from './object';
import { IPA_PAGE_COUNT, type Pgtable } from './pgtable';
import type { VicObject } from './vic-object';

/** Threads per address space: one hypervisor stack slot each. */
export const THREADS_PER_ADDRSPACE = 8;
/** Limit of addrspace_configure_vmmio. */
export const VMMIO_RANGES_MAX = 128;
/** End of the addresses that the table of proxy ranges can hold: 52 bits. */
const VMMIO_END_MAX = 1n << 52n;
/** Frames of virtual devices lie below. */
const FRAME_SPACE_BYTES = 1n << 44n;
/** Heap bytes of one range. */
export const VMMIO_RANGE_BYTES = 64;
/** Ranges of demand paging per address space: as many as one message to the Resource Manager names. */
const DEMAND_RANGES_MAX = 512;
/** Bytes of intermediate physical address space. */
export const IPA_SIZE_BYTES = BigInt(IPA_PAGE_COUNT) * 4096n;

/** The page that the hypervisor shares with the VM; `isAttached` from activation on. */
export interface InfoArea { readonly extent: Memextent; readonly ipa: bigint; readonly isAttached: boolean }
/** A range for proxy emulation. */
export interface VmmioRange { readonly base: bigint; readonly sizeBytes: bigint }
/** An emulated frame: frame 0 is the distributor, n+1 the redistributor of vCPU index n. */
export interface VdeviceFrame { readonly base: bigint; readonly sizeBytes: bigint; readonly vic: VicObject; readonly index: number }

/** An address space (Gunyah API: addrspace). */
export class Addrspace {
  readonly header: ObjectHeader<'addrspace'>;
  readonly pgtable: Pgtable;
  /** 0 until configured. */
  vmid = 0;
  /** Stack slots in use. */
  threadCount = 0;
  infoArea: InfoArea | undefined;
  private vmmio: VmmioRange[] = [];
  /** Ranges whose missing pages the scheduler of proxy vCPUs provides. */
  private demandPaged: VmmioRange[] = [];
  private frames: VdeviceFrame[] = [];

  constructor(id: number, pgtable: Pgtable) {
    this.header = new ObjectHeader('addrspace', id);
    this.pgtable = pgtable;
  }

  get vmmioRanges(): readonly VmmioRange[] {
    return this.vmmio;
  }

  get vdeviceFrames(): readonly VdeviceFrame[] {
    return this.frames;
  }

  /** Gunyah API: addrspace_configure. */
  configure(vmid: number): ErrorName {
    if (vmid === 0 || vmid > 255) return 'ARGUMENT_INVALID';
    this.vmid = vmid;
    return 'OK';
  }

  /** Gunyah API: addrspace_configure_vmmio with operation add. `pay` takes bytes of the heap. */
  addVmmio(base: bigint, sizeBytes: bigint, pay: (bytes: number) => boolean): ErrorName {
    const error = checkRange(base, sizeBytes);
    if (error !== 'OK') return error;
    if (this.vmmio.length >= VMMIO_RANGES_MAX) return 'NORESOURCES';
    if (base + sizeBytes > VMMIO_END_MAX) return 'ARGUMENT_SIZE';
    if (this.vmmio.some((range) => base < range.base + range.sizeBytes && range.base < base + sizeBytes)) return 'BUSY';
    if (!pay(VMMIO_RANGE_BYTES)) return 'NOMEM';
    this.vmmio.push({ base, sizeBytes });
    return 'OK';
  }

  /** Gunyah API: addrspace_configure_vmmio with operation remove. */
  removeVmmio(base: bigint, sizeBytes: bigint): ErrorName {
    const error = checkRange(base, sizeBytes);
    if (error !== 'OK') return error;
    if (base + sizeBytes > VMMIO_END_MAX) return 'ARGUMENT_SIZE';
    const index = this.vmmio.findIndex((range) => range.base === base && range.sizeBytes === sizeBytes);
    if (index < 0) return 'BUSY';
    this.vmmio.splice(index, 1);
    return 'OK';
  }

  /** Names a range whose missing pages the scheduler provides: how later hypervisors take it is not public, so only the root VM can. */
  addDemandPaged(base: bigint, sizeBytes: bigint): ErrorName {
    const error = checkRange(base, sizeBytes);
    if (error !== 'OK') return error;
    if (this.demandPaged.length >= DEMAND_RANGES_MAX) return 'NORESOURCES';
    this.demandPaged.push({ base, sizeBytes });
    return 'OK';
  }

  /** True if a missing page at an address is for the scheduler to provide. */
  isDemandPaged(ipa: bigint): boolean {
    return this.demandPaged.some((range) => ipa >= range.base && ipa < range.base + range.sizeBytes);
  }

  /** True if a whole access lies in one proxy range. */
  isVmmio(ipa: bigint, sizeBytes: number): boolean {
    return this.vmmio.some((range) => ipa >= range.base && ipa + BigInt(sizeBytes) <= range.base + range.sizeBytes);
  }

  /** Places a frame; the caller has checked index and flags. */
  attachFrame(frame: VdeviceFrame): ErrorName {
    if (this.frames.some((other) => other.vic === frame.vic && other.index === frame.index)) return 'BUSY';
    if (frame.base + frame.sizeBytes > FRAME_SPACE_BYTES) return 'ARGUMENT_SIZE';
    if (this.frames.some((other) => frame.base < other.base + other.sizeBytes && other.base < frame.base + frame.sizeBytes)) return 'BUSY';
    this.frames.push(frame);
    return 'OK';
  }

  /** Removes the frames of a VIC that is destroyed. */
  detachFrames(vic: VicObject): void {
    this.frames = this.frames.filter((frame) => frame.vic !== vic);
  }

  /** The frame at an address. */
  frameAt(ipa: bigint): VdeviceFrame | undefined {
    return this.frames.find((frame) => ipa >= frame.base && ipa < frame.base + frame.sizeBytes);
  }

  save(): SavedAddrspace {
    assert(this.threadCount <= THREADS_PER_ADDRSPACE, 'an address space has too many threads');
    return {
      vmid: this.vmid, threadCount: this.threadCount, pgtable: this.pgtable.save(),
      vmmio: this.vmmio.map((range) => ({ ...range })), demandPaged: this.demandPaged.map((range) => ({ ...range })),
      frames: this.frames.map((frame) => ({ base: frame.base, sizeBytes: frame.sizeBytes, vic: frame.vic.header.id, index: frame.index })),
      infoArea: this.infoArea && { ...this.infoArea, extent: this.infoArea.extent.header.id },
    };
  }

  restore(saved: SavedAddrspace, vic: (id: number) => VicObject, extent: (id: number) => Memextent): void {
    this.vmid = saved.vmid;
    this.threadCount = saved.threadCount;
    this.pgtable.restore(saved.pgtable);
    this.vmmio = saved.vmmio.map((range) => ({ ...range }));
    this.demandPaged = saved.demandPaged.map((range) => ({ ...range }));
    this.frames = saved.frames.map((frame) => ({ ...frame, vic: vic(frame.vic) }));
    this.infoArea = saved.infoArea && { ...saved.infoArea, extent: extent(saved.infoArea.extent) };
  }
}

function checkRange(base: bigint, sizeBytes: bigint): ErrorName {
  if (sizeBytes === 0n) return 'ARGUMENT_SIZE';
  return base + sizeBytes > 0xffff_ffff_ffff_ffffn ? 'ADDR_OVERFLOW' : 'OK';
}

/** Saved form of an address space. */
export interface SavedAddrspace {
  readonly vmid: number;
  readonly threadCount: number;
  readonly pgtable: ReturnType<Pgtable['save']>;
  readonly vmmio: readonly VmmioRange[];
  readonly demandPaged: readonly VmmioRange[];
  readonly frames: readonly { readonly base: bigint; readonly sizeBytes: bigint; readonly vic: number; readonly index: number }[];
  readonly infoArea: (Omit<InfoArea, 'extent'> & { readonly extent: number }) | undefined;
}
