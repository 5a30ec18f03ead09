/**
 * What a virtual machine sees of the hypervisor: hypercalls, its own memory and its interrupts. The Resource Manager
 * is a VM and gets exactly this, nothing of our process. A guest's machine code has the same three things through
 * HVC, loads and stores, and the virtual GIC.
 */

import type { CapId, Ipa, Ticks, VirqNumber, Vmid } from '../base/brands';
import type { Result } from '../base/result';
import type { TraceEvent } from '../base/trace-event';
import type { HypercallArguments, HypercallName, HypercallOutputs } from './hypercall-table';

/** The hand-over to the root VM (what the real one finds in its environment page and CBOR map). */
export interface RootVmEnvironment {
  readonly vmid: Vmid;
  readonly cspace: CapId;
  readonly partition: CapId;
  readonly vcpu: CapId;
  readonly addrspace: CapId;
  readonly vic: CapId;
  /** Sparse extent with all of the platform's free RAM (everything but hypervisor memory); IPA = PA inside the root VM, mapped RW. */
  readonly memoryExtent: CapId;
  readonly memoryBase: bigint;
  readonly memorySizeBytes: bigint;
  /** The root VM's own working memory inside that range; never handed out. */
  readonly privateBase: bigint;
  readonly privateSizeBytes: bigint;
  /** Ranges of RAM that the platform lets RM give to VMs, ascending. */
  readonly freeRanges: readonly { readonly base: bigint; readonly sizeBytes: bigint }[];
  /** Device extent over all of device space, and its range. */
  readonly deviceExtent: CapId;
  readonly deviceBase: bigint;
  readonly deviceSizeBytes: bigint;
  /** Capability of each hardware interrupt that may be bound to a VIC, by INTID. */
  readonly hardwareInterrupts: ReadonlyMap<number, CapId>;
  /** INTIDs that the platform has and no device drives: there are no objects for them, so that they cost nothing; RM keeps the books. */
  readonly unwiredInterrupts?: readonly number[];
  readonly cpuCount: number;
  /** The hypervisor has watchdogs. */
  readonly hasWatchdog: boolean;
  readonly bootCpu: number;
  readonly timerFrequencyHz: number;
  /** The VMs of the system file, first one the primary; their images already lie in RAM at the given places. */
  readonly vms: readonly PlatformVm[];
}

/** A line of the platform that becomes an interrupt of a VM. */
export interface PlatformInterrupt { readonly interrupt: VirqNumber; readonly hardwareInterrupt: number }

/** A VM that the system description lists; what a boot loader would hand RM about an image it loaded. */
export interface PlatformVm {
  readonly name: string;
  /** True for the primary VM (HLOS, VMID 3). */
  readonly primary: boolean;
  readonly vcpuCount: number;
  /** Guest physical RAM of the VM. For the primary IPA = PA. */
  readonly ramBase: bigint;
  readonly ramSizeBytes: bigint;
  /** Segments to place in the VM's RAM, by IPA; `source` is where the bytes lie in RM's address space now. For the primary they are in place and the list is empty. */
  readonly segments: readonly { readonly ipa: bigint; readonly source: bigint; readonly sizeBytes: bigint }[];
  /** Entry point (IPA). */
  readonly entry: bigint;
  /** Device tree blob: where it lies now (RM's address space), its size, where it goes (IPA) and how much room there is. */
  readonly deviceTree: { readonly source: bigint; readonly sizeBytes: bigint; readonly ipa: bigint; readonly roomBytes: bigint };
  /** Device windows to map through, by IPA and platform address, with the hardware interrupt to bind. */
  readonly devices: readonly { readonly name: string; readonly ipa: bigint; readonly pa: bigint; readonly sizeBytes: bigint; readonly interrupt?: VirqNumber; readonly hardwareInterrupt?: number; readonly moreInterrupts?: readonly PlatformInterrupt[] }[];
  /** True for the one VM of a machine without a hypervisor: RM adds nothing to its device tree and opens no channel to it. */
  readonly isPlain?: boolean;
  /** X0 of the first vCPU at power-on; unless given, where the device tree goes. */
  readonly context?: bigint;
  /** Memory that holds the VM's flash: where it lies (RM's address space) and where the VM sees it (IPA). Primary VM only. */
  readonly flash?: { readonly source: bigint; readonly sizeBytes: bigint; readonly ipa: bigint };
  /** Started by RM at boot; the primary always is. */
  readonly autostart: boolean;
}

/** The root VM's view of itself; handed to its program. */
export interface RootVm {
  readonly environment: RootVmEnvironment;
  /** Virtual time, as CNTVCT would say. */
  readonly now: Ticks;
  /** Calls the hypervisor as this VM: same decoding, rights and errors as an HVC. Reserved arguments are filled in. */
  hypercall<N extends HypercallName>(name: N, args: HypercallArguments<N>): HypercallOutputs<N>;
  /** Loads from this VM's address space; fails where a CPU would take an abort. */
  read(address: Ipa, sizeBytes: number): Result<Uint8Array, 'abort'>;
  /** Stores to this VM's address space. */
  write(address: Ipa, bytes: Uint8Array): Result<void, 'abort'>;
  /** Seeded random bits (as from PRNG hypercalls), for handles and seeds. */
  random(): number;
  /** Reports an event about the VMs that this program manages. `tick` is filled in. */
  trace(event: UntimedTraceEvent): void;
  /** Ends the simulated platform (firmware SYSTEM_OFF or RESET). */
  platformPower(action: 'off' | 'reset'): void;
}

type WithoutTick<E> = E extends unknown ? Omit<E, 'tick'> : never;
/** A trace event before it has its time stamp. */
export type UntimedTraceEvent = WithoutTick<TraceEvent>;

/**
 * A program that runs as the root VM's only vCPU. It is driven by interrupts: `interrupt` is called with the VIRQ when
 * the root VM's vCPU is scheduled and the interrupt is deliverable; between calls the vCPU is in WFI.
 */
export interface RootVmProgram {
  start(vm: RootVm): void;
  interrupt(virq: VirqNumber): void;
  /** One unit of deferred work if there is any; true means call again before waiting. */
  work(): boolean;
  /** The program's state; also before `start`. */
  save(): unknown;
  /** Takes a saved state back, in this or in a new program: `vm` is the root VM, as `start` would have given it. */
  restore(saved: unknown, vm: RootVm): void;
}

export { ERRORS, errorName } from './errors';
export { allRights, RIGHTS } from './rights';
export type { HypercallArguments, HypercallName, HypercallOutputs, ObjectType } from './hypercall-table';
