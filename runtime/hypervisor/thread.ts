/**
 * Threads: one vCPU each, or the native vCPU of the root VM. This file holds what a thread is; how it is scheduled is in
 * `scheduler.ts`, its life in `vcpu.ts`, lending CPU time to it in `vcpu-run.ts`, its power calls in `psci.ts`.
 */

import type { Addrspace } from './addrspace';
import type { Cspace } from './cspace';
import { ObjectHeader } from './object';
import type { SwitchedContext } from './switched-context';
import type { VicObject } from './vic-object';
import { VirqSource } from './virq-source';
import type { VpmGroup } from './vpm';
import type { Watchdog } from './watchdog';

/** Reasons why a thread does not run (Gunyah: scheduler block reasons), as bits. */
export const BLOCK = { VCPU_OFF: 1, VCPU_SUSPEND: 2, VCPU_WFI: 4, VCPU_FAULT: 8, VCPU_RUN: 16, ADDRSPACE_VMMIO_ACCESS: 32, LIFECYCLE: 64, AFFINITY_CHANGED: 128 } as const;
/** Name of a block reason. */
export type BlockReason = keyof typeof BLOCK;

/** Option bits of vcpu_configure. */
export const VCPU_OPTION = {
  pinned: 1n << 0n, ras_error_handler: 1n << 1n, amu_counting_disabled: 1n << 2n, sve_allowed: 1n << 3n, debug_allowed: 1n << 4n,
  trace_allowed: 1n << 5n, critical: 1n << 8n, vcpu_run_scheduled: 1n << 9n, hlos_vm: 1n << 63n,
} as const;
/** Every option bit there is. */
export const VCPU_OPTIONS_ALL = Object.values(VCPU_OPTION).reduce((mask, bit) => mask | bit, 0n);

/** Default and range of scheduling parameters (Gunyah: scheduler_fprr). */
export const SCHEDULING = { priorityDefault: 32, priorityMax: 62, timesliceDefault: 5_000_000, timesliceMin: 100_000, timesliceMax: 100_000_000 } as const;

/** A missing page that the scheduler of a proxy vCPU must provide; `refused`: it will not, and the instruction shall fault. */
export interface PendingPageFault { readonly ipa: bigint; readonly isWrite: boolean; readonly state: 'asked' | 'refused' }
/** An access that a proxy scheduler emulates. */
export interface PendingVmmio { readonly ipa: bigint; readonly sizeBytes: number; readonly isWrite: boolean; readonly value: bigint; readonly instruction: number }
/** How a suspended vCPU goes on: where it restarts, if the state loses context. */
export interface PendingSuspend { readonly powerState: number; readonly restart: { readonly entry: bigint; readonly context: bigint } | undefined; readonly is64: boolean; readonly isSmc: boolean }
/** A system reset that the vCPU asked for. */
export interface PendingReset { readonly data0: bigint; readonly cookie: bigint }

/** Which registers take the answer of a vcpu_run. */
export type RunKind = 'run-native' | 'run-smccc';
/** Named arguments of a call. */
export type RunArguments = Readonly<Record<string, bigint | number>>;

/** Registers written before the vCPU exists in the engine. */
export interface InitialRegisters { x: bigint[]; pc: bigint; spEl0: bigint; spEl1: bigint }

/** A thread (Gunyah API: thread, vcpu_*). */
export class Thread {
  readonly header: ObjectHeader<'thread'>;
  kind: 'vcpu' | 'native' = 'vcpu';
  cspace: Cspace | undefined;
  addrspace: Addrspace | undefined;
  vic: { readonly object: VicObject; readonly index: number } | undefined;
  vpm: { readonly group: VpmGroup; readonly index: number } | undefined;
  watchdog: Watchdog | undefined;
  options = 0n;
  priority: number = SCHEDULING.priorityDefault;
  timesliceTicks: number = SCHEDULING.timesliceDefault;
  /** Physical CPU, or `undefined`: runs by directed yield only. */
  affinity: number | undefined;
  state: 'init' | 'ready' | 'killed' | 'exited' = 'init';
  /** OR of `BLOCK` bits. */
  blocks: number = BLOCK.VCPU_OFF;
  /** Rest of the time slice. */
  sliceTicks: number = SCHEDULING.timesliceDefault;
  /** Scheduled by vcpu_run only. */
  isProxy = false;
  /** Index in the engine, from activation on; native threads have none. */
  engineVcpu: number | undefined;
  /** The thread that runs in this one's time. */
  yieldTarget: Thread | undefined;
  /** The thread whose time this one uses. */
  yieldDonor: Thread | undefined;
  /** How the donation came about, and which registers take the answer of vcpu_run. */
  yieldKind: 'directed' | RunKind | undefined;
  /** The vCPU that its vcpu_run runs, from the start of the call to its answer. */
  runTarget: Thread | undefined;
  /** The thread whose vcpu_run runs this one. */
  runner: Thread | undefined;
  /** Arguments of a vcpu_run that has not answered yet, for the trace of its answer. */
  runArguments: RunArguments | undefined;
  vmmio: PendingVmmio | undefined;
  pageFault: PendingPageFault | undefined;
  suspend: PendingSuspend | undefined;
  /** Why it starts to run next, if that is for the trace. */
  wokenBy: 'start' | 'resume' | undefined;
  reset: PendingReset | undefined;
  /** Registers as of its last switch, which power-off falls back to. */
  context: SwitchedContext | undefined;
  /** A snapshot has the context too, so that it must not change. No part of the state. */
  isContextKept = false;
  /** MPIDR_EL1 as the vCPU sees it. */
  mpidr = 0n;
  /** Set once by activation; its VIC and vPM slots are taken from then on. */
  wasActivated = false;
  initial: InitialRegisters | undefined = { x: [], pc: 0n, spEl0: 0n, spEl1: 0n };
  entropy = { windowStart: 0, reads: 0 };
  readonly haltSource = new VirqSource('vcpu-halt', () => false, { isAlwaysEdge: true });
  readonly wakeupSource = new VirqSource('vcpu-run-wakeup', () => false);

  constructor(id: number) {
    this.header = new ObjectHeader('thread', id);
  }

  /** VMID of its address space; 0 without one. */
  get vmid(): number {
    return this.addrspace?.vmid ?? 0;
  }

  /** Index inside its VM: the VIC index, else the vPM index, else 0. */
  get vcpuIndex(): number {
    return this.vic?.index ?? this.vpm?.index ?? 0;
  }

  has(option: keyof typeof VCPU_OPTION): boolean {
    return (this.options & VCPU_OPTION[option]) !== 0n;
  }

  isBlockedBy(reason: BlockReason): boolean {
    return (this.blocks & BLOCK[reason]) !== 0;
  }

  /** Active, alive and not blocked. */
  get isRunnable(): boolean {
    return this.blocks === 0 && this.state === 'ready' && this.header.state === 'active';
  }

  /** Pinned by option or by being a vCPU of the primary VM. */
  get isPinned(): boolean {
    return this.has('pinned') || this.has('hlos_vm');
  }

  /** Names of the block reasons, for the debugger. */
  get blockReasons(): BlockReason[] {
    const names: readonly BlockReason[] = ['VCPU_OFF', 'VCPU_SUSPEND', 'VCPU_WFI', 'VCPU_FAULT', 'VCPU_RUN', 'ADDRSPACE_VMMIO_ACCESS', 'LIFECYCLE'];
    return names.filter((name) => this.isBlockedBy(name));
  }

  /** Gives the engine's vCPU back; false if it had none because it was never activated. */
  engineVcpuReleased(owners: (Thread | undefined)[]): boolean {
    if (this.engineVcpu !== undefined) owners[this.engineVcpu] = undefined;
    return this.header.state === 'destroying' && this.wasActivated;
  }

  save(): SavedThread {
    this.isContextKept = true;
    return {
      kind: this.kind, cspace: this.cspace?.header.id, addrspace: this.addrspace?.header.id,
      vic: this.vic && { object: this.vic.object.header.id, index: this.vic.index },
      vpm: this.vpm && { group: this.vpm.group.header.id, index: this.vpm.index }, watchdog: this.watchdog?.header.id,
      options: this.options, priority: this.priority, timesliceTicks: this.timesliceTicks, affinity: this.affinity, state: this.state,
      blocks: this.blocks, sliceTicks: this.sliceTicks, isProxy: this.isProxy, engineVcpu: this.engineVcpu,
      yieldTarget: this.yieldTarget?.header.id, yieldKind: this.yieldKind, runTarget: this.runTarget?.header.id, runArguments: this.runArguments && { ...this.runArguments }, vmmio: this.vmmio, pageFault: this.pageFault && { ...this.pageFault }, suspend: this.suspend, wokenBy: this.wokenBy, reset: this.reset, context: this.context,
      mpidr: this.mpidr, wasActivated: this.wasActivated, initial: this.initial && { ...this.initial, x: [...this.initial.x] }, entropy: { ...this.entropy },
    };
  }

  /** Takes everything back but references to other objects, which `restoreLinks` does. */
  restore(saved: SavedThread): void {
    this.kind = saved.kind;
    this.options = saved.options;
    this.priority = saved.priority;
    this.timesliceTicks = saved.timesliceTicks;
    this.affinity = saved.affinity;
    this.state = saved.state;
    this.blocks = saved.blocks;
    this.sliceTicks = saved.sliceTicks;
    this.isProxy = saved.isProxy;
    this.engineVcpu = saved.engineVcpu;
    this.yieldKind = saved.yieldKind;
    this.runArguments = saved.runArguments && { ...saved.runArguments };
    this.vmmio = saved.vmmio;
    this.pageFault = saved.pageFault && { ...saved.pageFault };
    this.suspend = saved.suspend;
    this.wokenBy = saved.wokenBy;
    this.reset = saved.reset;
    this.context = saved.context;
    this.isContextKept = true;
    this.mpidr = saved.mpidr;
    this.wasActivated = saved.wasActivated;
    this.initial = saved.initial && { ...saved.initial, x: [...saved.initial.x] };
    this.entropy = { ...saved.entropy };
  }
}

/** Saved form of a thread; other objects by id. */
export interface SavedThread {
  readonly kind: 'vcpu' | 'native';
  readonly cspace: number | undefined;
  readonly addrspace: number | undefined;
  readonly vic: { readonly object: number; readonly index: number } | undefined;
  readonly vpm: { readonly group: number; readonly index: number } | undefined;
  readonly watchdog: number | undefined;
  readonly options: bigint;
  readonly priority: number;
  readonly timesliceTicks: number;
  readonly affinity: number | undefined;
  readonly state: Thread['state'];
  readonly blocks: number;
  readonly sliceTicks: number;
  readonly isProxy: boolean;
  readonly engineVcpu: number | undefined;
  readonly yieldTarget: number | undefined;
  readonly yieldKind: Thread['yieldKind'];
  readonly runTarget?: number | undefined;
  readonly runArguments: RunArguments | undefined;
  readonly vmmio: PendingVmmio | undefined;
  readonly pageFault: PendingPageFault | undefined;
  readonly suspend: PendingSuspend | undefined;
  readonly wokenBy?: 'start' | 'resume' | undefined;
  readonly reset: PendingReset | undefined;
  readonly context: SwitchedContext | undefined;
  readonly mpidr: bigint;
  readonly wasActivated: boolean;
  readonly initial: Readonly<InitialRegisters> | undefined;
  readonly entropy: { readonly windowStart: number; readonly reads: number };
}
