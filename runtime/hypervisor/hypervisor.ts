/**
 * The hypervisor's public face for the composition root: make it, boot the root VM, ask who runs, hand it exits, look at it, save it.
 *
 * It does not run vCPUs and has no clock: the caller runs the engine, keeps the event queue at the present tick and accounts time.
 */

import { assert } from '../base/assert';
import type { TraceEvent } from '../base/trace-event';
import { type Ticks, ticks } from '../base/brands';
import type { Exit } from '../engine/interface';
import type { GuestMemory, IrqLine } from '../machine/interface';
import { type DeviceAccess, handleExit, type Outside } from './exits';
import { DeviceMemory, type ReadOnlyRange } from './device-memory';
import { describeCall } from './describe-call';
import { completeLater } from './hypercalls';
import { reportResults } from './hypercalls-vcpu';
import { Inspection } from './inspection';
import type { RootVmProgram } from './interface';
import { checkInvariants } from './invariants';
import { Kernel, type KernelOptions } from './kernel';
import { buildRootVm, type RootVmExtras, RootVmRunner, type SavedRunner } from './root-vm';
import type { ServiceRegistry } from './service-registry';
import { restoreKernel, type SavedKernel, saveKernel } from './snapshot';
import { BLOCK, type RunKind, type Thread } from './thread';
import { keepContext } from './switched-context';
import { stop } from './vcpu-run';

export type { Thread } from './thread';
export type { DeviceAccess } from './exits';
export { notYetHypercalls } from './hypercalls';

/** PMCR_EL0 of a Cortex-A57 with six event counters. */
const MONITOR_CONTROL_DEFAULT = 0x4101_3000n;

/** Options that have defaults. */
type Defaulted = 'watchdog' | 'deviceSpace' | 'vcpuCountMax' | 'hardwareInterrupts' | 'capabilityEncoding' | 'identification' | 'monitorControl' | 'identity' | 'startSeconds' | 'isNewer';

/** What a hypervisor is made of. Defaults: device space below 1 GiB with nothing in it but what is mapped, 32 vCPUs, no hardware interrupts, plain capability identifiers, Gunyah's identity, the engine's own identification registers. */
export type HypervisorOptions = Omit<KernelOptions, Defaulted> & Partial<Pick<KernelOptions, Defaulted>> & { readonly deviceAccess: DeviceAccess; readonly spaceAccess?: DeviceAccess };

/** Saved form of the hypervisor, the root VM's program included. */
export interface SavedHypervisor { readonly kind: 'gunyah'; readonly version: 1; readonly kernel: SavedKernel; readonly root: SavedRunner | undefined }

/** A running hypervisor. */
export class Hypervisor {
  readonly inspect: Inspection;
  /** The objects behind the calls; tests look at them and hurt them. */
  readonly kernel: Kernel;
  private readonly outside: Outside;
  private root: RootVmRunner | undefined;

  constructor(options: HypervisorOptions) {
    this.outside = { device: options.deviceAccess, space: options.spaceAccess ?? (() => undefined) };
    this.kernel = new Kernel({
      deviceSpace: { base: 0n, sizeBytes: 0x4000_0000n }, vcpuCountMax: 32, hardwareInterrupts: [], capabilityEncoding: 'plain', identity: 'gunyah', identification: { pinned: {}, unpinned: {} }, monitorControl: MONITOR_CONTROL_DEFAULT, startSeconds: 0, isNewer: false, watchdog: false, ...options,
    }, { runEnded: (donor, target, kind) => { this.finishRun(donor, target, kind); } });
    this.inspect = new Inspection(this.kernel);
  }

  /** The thread of the root VM's program, once there is one. */
  get rootThread(): Thread | undefined {
    return this.root?.thread;
  }

  /** Builds the root VM around a program and powers it on. Once per system. */
  bootRootVm(program: RootVmProgram, extras: RootVmExtras): Thread {
    assert(this.root === undefined, 'the root VM boots once');
    this.root = new RootVmRunner(this.kernel, buildRootVm(this.kernel, extras), program);
    this.root.powerOn();
    const log = this.kernel.traceLog;
    log?.log(log.rows.cpuStart);
    log?.log(log.rows.enteringIdle);
    return this.root.thread;
  }

  /** The thread that should run on a physical CPU now, or `undefined`: the CPU is idle. */
  pick(cpu: number): Thread | undefined {
    const thread = this.kernel.scheduler.pick(cpu);
    this.kernel.traceLog?.schedule(cpu, thread);
    if (thread !== this.kernel.running[cpu]) this.switchTo(cpu, thread);
    if (thread !== undefined) this.kernel.stolenTime.publish(thread);
    return thread;
  }

  /** Charges time to a thread's slice (or its donor's). */
  account(thread: Thread, elapsed: number): void {
    this.kernel.traceLog?.enter(this.kernel.scheduler.cpuOf(thread) ?? 0, thread);
    this.kernel.scheduler.account(thread, elapsed);
    this.kernel.stolenTime.charge(thread, elapsed);
    if (elapsed > 0) this.noteRun(thread);
  }

  /** When the running thread's slice ends, if that matters to anyone on this CPU. */
  nextSliceDeadline(cpu: number): Ticks | undefined {
    const remaining = this.kernel.scheduler.sliceRemaining(cpu);
    return remaining === undefined ? undefined : ticks(this.kernel.now + remaining);
  }

  /** Handles an exit of a thread's vCPU. Answers how many instructions this retired beyond the run's own. */
  handleExit(thread: Thread, exit: Exit): number {
    this.kernel.traceLog?.enter(this.kernel.scheduler.cpuOf(thread) ?? 0, thread);
    handleExit(this.kernel, thread, exit, this.outside);
    const { retired } = this.kernel;
    this.kernel.retired = 0;
    return retired;
  }

  /** What an HVC or SMC would do, without doing it; undefined for threads that make none. */
  describeCall(thread: Thread, exit: Exit & { readonly reason: 'hvc' | 'smc' }): TraceEvent | undefined {
    return describeCall(this.kernel, thread, exit);
  }

  /** One step of the native root VM; answers the ticks it took. */
  runNative(thread: Thread): number {
    assert(this.root?.thread === thread, 'only the root VM is native');
    this.kernel.traceLog?.enter(this.kernel.scheduler.cpuOf(thread) ?? 0, thread);
    return this.root.step();
  }

  /** The wire of a hardware interrupt; `undefined` if it is not among the forwardable ones. */
  hardwareLine(intid: number): IrqLine | undefined {
    for (const hwirq of this.kernel.ofType('hwirq')) if (hwirq.intid === intid) return hwirq;
    return undefined;
  }

  /** How devices of a VM reach its memory. The VM may not exist yet; `readOnly` is physical memory that they do not write. */
  deviceMemory(vmid: () => number | undefined, readOnly: ReadOnlyRange): GuestMemory {
    return new DeviceMemory(this.kernel, vmid, readOnly);
  }

  /** The hypercall services of VMs. */
  get services(): ServiceRegistry {
    return this.kernel.services;
  }

  /** Every thread, in order of creation. */
  get threads(): readonly Thread[] {
    return [...this.kernel.ofType('thread')];
  }

  /** The thread that an engine vCPU belongs to. */
  threadOfVcpu(engineVcpu: number): Thread | undefined {
    return this.kernel.engineVcpuOwners[engineVcpu];
  }

  /** Throws if the state contradicts itself. */
  checkInvariants(): void {
    checkInvariants(this.kernel);
  }

  save(): SavedHypervisor {
    return { kind: 'gunyah', version: 1, kernel: saveKernel(this.kernel), root: this.root?.save() };
  }

  /** Takes a saved state back. RAM, vCPU registers and the event queue's time have been restored before. Threads of before may be stale. */
  restore(saved: SavedHypervisor): void {
    restoreKernel(this.kernel, saved.kernel);
    if (saved.root !== undefined) this.root?.restore(saved.root);
  }

  private switchTo(cpu: number, thread: Thread | undefined): void {
    const previous = this.kernel.running[cpu];
    // A CPU that has nothing else waits in the name of its vCPU, without a switch.
    if (thread === undefined && previous?.blocks === BLOCK.VCPU_WFI) return;
    if (previous !== undefined) keepContext(this.kernel, previous);
    this.kernel.running[cpu] = thread;
  }

  private noteRun(thread: Thread): void {
    const services = this.kernel.services.of(thread.vmid);
    if (!services.hasStarted) services.hasStarted = true;
    if (services.settings.stolenTime !== undefined) this.kernel.stolenTime.begin(thread);
  }

  private finishRun(donor: Thread, target: Thread, kind: RunKind): void {
    this.kernel.traceLog?.enter(this.kernel.scheduler.cpuOf(donor) ?? 0, donor);
    const report = stop(this.kernel, target);
    completeLater(this.kernel, donor, 'vcpu_run', { path: kind === 'run-smccc' ? 'smccc' : 'native', values: reportResults(report) });
  }
}

/** Makes a hypervisor over an engine. */
export function createHypervisor(options: HypervisorOptions): Hypervisor {
  return new Hypervisor(options);
}
