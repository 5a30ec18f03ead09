/** What a system is composed of, as the run loop and the debugger need it. `boot.ts` builds it. */

import type { Ticks, Va, Vmid } from '../base/brands';
import type { TraceEvent } from '../base/trace-event';
import type { Engine, Exit } from '../engine/interface';
import type { TickEventQueue } from '../machine/event-queue';
import type { Hypervisor } from '../hypervisor/hypervisor';
import type { Inspection } from '../hypervisor/inspection';
import type { ServiceRegistry } from '../hypervisor/service-registry';
import type { BoardWindow } from '../machine/board';
import type { RmView } from '../resource-manager/index';
import type { LoopHypervisor, LoopThread } from './run-loop';
import type { SemihostingVm } from './semihosting';
import type { Transcript } from './transcript';

/** A thread of the hypervisor. */
export type SystemThread = LoopThread;

/** The hypervisor as the system needs it. */
export interface SystemHypervisor extends LoopHypervisor<SystemThread> {
  /** What a call would be, without making it; undefined if it is none. */
  describeCall(thread: SystemThread, exit: Exit & { readonly reason: 'hvc' | 'smc' }): TraceEvent | undefined;
  /** The hypercall services of VMs. */
  readonly services: ServiceRegistry;
  /** For tests: the objects behind the calls, and the thread that RM runs in. */
  readonly kernel: Hypervisor['kernel'];
  readonly rootThread: Hypervisor['rootThread'];
  /** Throws if the hypervisor's state contradicts itself; for tests. */
  checkInvariants(): void;
}

/** A VM's console. */
export interface VmConsole {
  readonly vm: string;
  readonly transcript: Transcript;
  /** Absent if the VM has no UART. */
  readonly acceptInput?: (bytes: Uint8Array) => void;
  /** Takes typed bytes past the device; absent if the VM has no console to type at. */
  readonly takeInput?: (countMax: number) => Uint8Array;
  /** Bytes typed that the guest has not taken; absent if the VM has no UART. */
  readonly waitingInput?: () => number;
}

/** One vCPU and where it belongs. */
export interface VcpuName { readonly index: number; readonly vm: string; readonly vmid: number; readonly vcpu: number }

/** How one VM fared. */
export interface VmSummary {
  readonly name: string;
  readonly vmid: number;
  readonly state: string;
  readonly exit: { readonly reason: string; readonly code: number } | null;
  readonly instructions: number;
}

/** The parts. */
export interface Parts {
  readonly engine: Engine;
  readonly events: TickEventQueue;
  readonly hypervisor: SystemHypervisor;
  readonly consoles: readonly VmConsole[];
  readonly primaryEntry: Va;
  /** The hypervisor's objects, for views. */
  readonly inspection: Inspection;
  /** RM's tables, for views. */
  rmView(): RmView;
  vcpus(): readonly VcpuName[];
  /** Where a VM's device tree lies (IPA) and how much room it has. */
  deviceTreeOf(vmid: Vmid): { readonly base: bigint; readonly sizeBytes: bigint } | undefined;
  /** What the primary VM finds in device space without a map, by address. */
  spaceDevices(): readonly BoardWindow[];
  vmName(vmid: number): string;
  vmSummaries(): readonly VmSummary[];
  vmNameOf(vcpu: number): string | undefined;
  /** The VM that a vCPU belongs to, as its semihosting calls see it. */
  semihostingVm(vcpu: number): SemihostingVm;
  /** Sets the time of the event queue without firing anything, before a restore. */
  setTime(now: Ticks): void;
  save(): unknown;
  restore(saved: unknown): void;
}
