/**
 * The life of a vCPU: activation, registers, power on and off, waiting, waking, halting and its end.
 * Sources: Gunyah API: vcpu calls; Arm ARM (DDI 0487) D1 for the state after reset.
 */

import { vmid } from '../base/brands';
import { present } from '../base/assert';
import type { Vcpu } from '../engine/interface';
import type { ErrorName } from './errors';
import type { Kernel } from './kernel';
import { VTCR_EL2 } from './pgtable';
import { BLOCK, type BlockReason, type Thread, VCPU_OPTION } from './thread';
import { dropToContext, startFromContext } from './switched-context';
import { makeVcpuTimers } from './vcpu-timers';
import { VIRQ_PHYSICAL_TIMER, VIRQ_PMU, VIRQ_VIRTUAL_TIMER, type VicVcpuPort } from './vic';
import { isPrivateNumber } from './hwirq';

/** PSTATE at power-on: EL1h, D A I F masked. */
const PSTATE_RESET = 0x3c5n;
/** SCTLR_EL1 at power-on: MMU and caches off. */
const SCTLR_RESET = 0x30d0_0800n;
const bits = (...numbers: readonly number[]) => numbers.reduce((value, bit) => value | (1n << BigInt(bit)), 0n);
/** HCR_EL2 of every vCPU: VM, SWIO, FMO, IMO, AMO, TWI, TID3, TSC, TIDCP, TACR, TSW, RW, TLOR, TERR, MIOCNCE. */
const HCR_COMMON = bits(0, 1, 3, 4, 5, 13, 18, 19, 20, 21, 22, 31, 35, 36, 38);
/** CPTR_EL2.TZ: scalable vectors trap, which Gunyah makes Undefined. */
const CPTR_TZ = 1n << 8n;
/** HCR_EL2 of a machine without a hypervisor: its memory is mapped, nothing else traps. VM, RW, APK, API, EnSCXT. */
const HCR_PLAIN = bits(0, 31, 40, 41, 53);
/** MDCR_EL2: HPMN 6, TDA (of registers that Gunyah does not hand on), TDOSA, TDRA, TDCC. */
const MDCR = bits(1, 2, 9, 10, 11, 27);
/** Added for unpinned ones: FB, BSU 1, TID1. */
const HCR_UNPINNED = bits(9, 10, 16);

/** Gunyah API: object_activate on a thread. Power group, interrupt controller, address space and timer object first, options last. Nothing has changed unless the answer is OK. */
export function activateThread(kernel: Kernel, thread: Thread): ErrorName {
  const { vic, vpm } = thread;
  if (vpm?.group.threadAt(vpm.index) !== undefined) return 'DENIED';
  if (vic?.object.vic.hasVcpu(vic.index) === true) return 'BUSY';
  if (thread.addrspace === undefined) return 'OBJECT_CONFIG';
  if (vic === undefined) return 'ARGUMENT_INVALID';
  if (thread.cspace === undefined || !optionsAllowed(kernel, thread) || !forwardsAllowed(kernel, thread)) return 'OBJECT_CONFIG';
  if (thread.kind === 'vcpu') {
    const engineVcpu = kernel.takeEngineVcpu(thread);
    if (engineVcpu === undefined) return 'NOMEM';
    thread.engineVcpu = engineVcpu;
  }
  thread.mpidr = vic.object.vic.mpidrOf(vic.index);
  thread.state = 'ready';
  thread.wasActivated = true;
  thread.sliceTicks = thread.timesliceTicks;
  if (thread.has('vcpu_run_scheduled')) {
    thread.isProxy = true;
    kernel.traceLog?.block(thread, 'VCPU_RUN', thread.blocks | BLOCK.LIFECYCLE);
    thread.blocks |= BLOCK.VCPU_RUN;
  }
  kernel.traceLog?.unblock(thread, 'LIFECYCLE');
  programVcpu(kernel, thread);
  vic.object.vic.attachVcpu(vic.index, vicPort(kernel, thread));
  if (thread.kind === 'vcpu') kernel.timers.set(thread.header.id, makeVcpuTimers(kernel.options.events, vic.object.vic, vic.index, thread.header.id));
  for (const hwirq of kernel.ofType('hwirq')) if (hwirq.forward?.vic === vic.object) hwirq.bindVcpu({ index: vic.index, isPinned: true });
  if (vpm !== undefined) vpm.group.add(vpm.index, thread);
  return 'OK';
}

/** A private line that is forwarded to the vCPU's controller wants vCPUs that stay on their CPU, and an interrupt that is free. */
function forwardsAllowed(kernel: Kernel, thread: Thread): boolean {
  const numbers = [...kernel.ofType('hwirq')].flatMap(({ forward }) => (forward !== undefined && forward.vic === thread.vic?.object ? [forward.virq] : []));
  const isFree = (virq: number) => isPrivateNumber(virq) && ![VIRQ_PMU, VIRQ_VIRTUAL_TIMER, VIRQ_PHYSICAL_TIMER].includes(virq);
  return numbers.length === 0 || (thread.isPinned && numbers.every(isFree) && new Set(numbers).size === numbers.length);
}

/** What the VIC drives and wakes. */
export function vicPort(kernel: Kernel, thread: Thread): VicVcpuPort {
  const { engineVcpu } = thread;
  const vcpu = engineVcpu === undefined ? undefined : kernel.engine.vcpu(engineVcpu);
  return {
    setIrq: (level) => { if (vcpu !== undefined) vcpu.irq = level; },
    setFiq: (level) => { if (vcpu !== undefined) vcpu.fiq = level; },
    wake: () => { wakeThread(kernel, thread); },
    isRunning: () => kernel.running.includes(thread),
  };
}

function optionsAllowed(kernel: Kernel, thread: Thread): boolean {
  if (thread.isPinned && thread.affinity === undefined) return false;
  if (thread.has('sve_allowed') && !thread.has('hlos_vm')) return false;
  if (!thread.has('hlos_vm')) return true;
  for (const other of kernel.ofType('thread')) {
    if (other !== thread && other.header.state === 'active' && other.has('hlos_vm') && other.affinity === thread.affinity) return false;
  }
  return true;
}

/** Puts the vCPU's registers as they are before its first power-on. */
function programVcpu(kernel: Kernel, thread: Thread): void {
  const { initial, addrspace } = thread;
  thread.initial = undefined;
  if (thread.engineVcpu === undefined || addrspace === undefined) return;
  const vcpu = kernel.engine.vcpu(thread.engineVcpu);
  vcpu.reset();
  programIdentity(kernel, thread, vcpu);
  vcpu.setSystemRegister('VTTBR_EL2', addrspace.pgtable.vttbr(addrspace.vmid));
  vcpu.setSystemRegister('VTCR_EL2', VTCR_EL2);
  vcpu.setSystemRegister('HCR_EL2', hypervisorControl(kernel, thread));
  vcpu.setSystemRegister('MDCR_EL2', MDCR);
  // Scalable vectors are for the primary VM.
  if (!thread.isPinned && kernel.options.identity !== 'none') vcpu.setSystemRegister('CPTR_EL2', vcpu.systemRegister('CPTR_EL2') | CPTR_TZ);
  if (initial === undefined) return;
  initial.x.forEach((value, n) => { vcpu.setX(n, value); });
  vcpu.pc = initial.pc;
  vcpu.spEl0 = initial.spEl0;
  vcpu.spEl1 = initial.spEl1;
}

function hypervisorControl(kernel: Kernel, thread: Thread): bigint {
  if (kernel.options.identity === 'none') return HCR_PLAIN;
  return thread.isPinned ? HCR_COMMON : HCR_COMMON | HCR_UNPINNED;
}

function programIdentity(kernel: Kernel, thread: Thread, vcpu: Vcpu): void {
  const { pinned, unpinned } = kernel.options.identification;
  for (const [name, value] of Object.entries(thread.isPinned ? pinned : unpinned)) vcpu.setSystemRegister(name, value);
  vcpu.setSystemRegister('MPIDR_EL1', thread.mpidr);
}

/** Gunyah API: vcpu_register_write. The value and index have been checked. */
export function writeRegister(kernel: Kernel, thread: Thread, register: { readonly set: number; readonly index: number }, value: bigint): void {
  const vcpu = thread.engineVcpu === undefined ? undefined : kernel.engine.vcpu(thread.engineVcpu);
  const target = vcpu ?? thread.initial;
  if (target === undefined) return;
  if (register.set === 1) target.pc = value;
  else if (register.set === 2 && register.index === 0) target.spEl0 = value;
  else if (register.set === 2) target.spEl1 = value;
  else if (vcpu !== undefined) vcpu.setX(register.index, value);
  else if (thread.initial !== undefined) {
    while (thread.initial.x.length < register.index) thread.initial.x.push(0n);
    thread.initial.x[register.index] = value;
  }
}

/** Where a vCPU starts; `undefined` keeps what vcpu_register_write left. */
export interface PowerOn { readonly entry: bigint | undefined; readonly context: bigint | undefined }

/** Starts a powered-off vCPU (vcpu_poweron, PSCI CPU_ON). */
export function powerOn(kernel: Kernel, thread: Thread, start: PowerOn): ErrorName {
  if (!thread.isBlockedBy('VCPU_OFF')) return 'BUSY';
  if (thread.state !== 'ready') return 'FAILURE';
  thread.reset = undefined;
  startFromContext(kernel, thread);
  resetExecution(kernel, thread, start);
  notify(kernel, thread, 'on', 'power on');
  thread.wokenBy = 'start';
  unblock(kernel, thread, 'VCPU_OFF');
  return 'OK';
}

/** PC, X0, PSTATE and SCTLR_EL1 as at reset; other registers stay. */
export function resetExecution(kernel: Kernel, thread: Thread, start: PowerOn): void {
  if (thread.engineVcpu === undefined) return;
  const vcpu = kernel.engine.vcpu(thread.engineVcpu);
  vcpu.pstate = PSTATE_RESET;
  vcpu.setSystemRegister('SCTLR_EL1', SCTLR_RESET);
  if (start.entry !== undefined) vcpu.pc = start.entry;
  if (start.context !== undefined) vcpu.setX(0, start.context);
}

/** Powers a vCPU off at its own wish (vcpu_poweroff, PSCI CPU_OFF): what it had since its last switch is lost, and no group of interrupts reaches it. */
export function powerSelfOff(kernel: Kernel, thread: Thread, reason: string): void {
  powerOff(kernel, thread, reason);
  thread.vic?.object.vic.stopVcpu(thread.vic.index);
  dropToContext(kernel, thread);
}

/** Stops a vCPU as it is. */
export function powerOff(kernel: Kernel, thread: Thread, reason: string): void {
  block(kernel, thread, 'VCPU_OFF');
  notify(kernel, thread, 'off', reason);
}

/** Gunyah API: vcpu_kill. A proxy-scheduled vCPU exits when its scheduler runs it next; others at once. */
export function killThread(kernel: Kernel, thread: Thread): void {
  if (thread.state === 'killed' || thread.state === 'exited') return;
  thread.state = 'killed';
  notify(kernel, thread, 'killed', 'killed');
  if (thread.isBlockedBy('VCPU_RUN')) {
    thread.wakeupSource.assertEdge();
  } else {
    exitThread(kernel, thread);
  }
}

/** The end of a killed thread. */
export function exitThread(kernel: Kernel, thread: Thread): void {
  kernel.traceLog?.exit(thread);
  thread.state = 'exited';
  thread.vmmio = undefined;
  thread.pageFault = undefined;
  thread.suspend = undefined;
  kernel.scheduler.dequeue(thread);
  notify(kernel, thread, 'exited', 'killed');
}

/** Stops a vCPU for good after a fault of its own or a system power call, and tells who watches it. */
export function haltThread(kernel: Kernel, thread: Thread, reason: 'VCPU_OFF' | 'VCPU_FAULT'): void {
  block(kernel, thread, reason);
  notify(kernel, thread, reason === 'VCPU_OFF' ? 'off' : 'fault', reason === 'VCPU_OFF' ? 'system power call' : 'unrecoverable fault');
  thread.haltSource.assertEdge();
}

/** Wait for interrupt: returns at once if one is deliverable. */
export function waitForInterrupt(kernel: Kernel, thread: Thread): void {
  if (hasDeliverable(thread)) return;
  block(kernel, thread, 'VCPU_WFI');
}

/** True if an interrupt is deliverable, masked by PSTATE or not. */
export function hasDeliverable(thread: Thread): boolean {
  return thread.vic?.object.vic.hasDeliverable(thread.vic.index) ?? false;
}

/** An interrupt has become deliverable: ends waiting, suspension and donations. */
export function wakeThread(kernel: Kernel, thread: Thread): void {
  if (thread.state !== 'ready' || thread.isBlockedBy('VCPU_OFF')) return;
  kernel.scheduler.wake(thread);
  if (thread.isBlockedBy('VCPU_RUN')) thread.wakeupSource.assertEdge();
  if (thread.isBlockedBy('VCPU_WFI')) unblock(kernel, thread, 'VCPU_WFI');
  if (thread.isBlockedBy('VCPU_SUSPEND')) resume(kernel, thread);
}

/** Suspends a vCPU (PSCI CPU_SUSPEND); registers are written when it wakes. */
export function suspendThread(kernel: Kernel, thread: Thread, suspend: NonNullable<Thread['suspend']>): void {
  kernel.traceLog?.log(kernel.traceLog.rows.vcpuSuspend, kernel.traceLog.addressOf(thread), thread.vmid);
  thread.suspend = suspend;
  block(kernel, thread, 'VCPU_SUSPEND');
  notify(kernel, thread, 'suspended', `power state ${suspend.powerState}`);
}

function resume(kernel: Kernel, thread: Thread): void {
  const suspend = present(thread.suspend, 'a suspended vCPU knows how it goes on');
  thread.suspend = undefined;
  thread.wokenBy = 'resume';
  if (suspend.restart !== undefined) resetExecution(kernel, thread, suspend.restart);
  unblock(kernel, thread, 'VCPU_SUSPEND');
}

/** Blocks. */
export function block(kernel: Kernel, thread: Thread, reason: BlockReason): void {
  kernel.scheduler.block(thread, reason);
}

/** Unblocks, and lets a proxy scheduler know. */
export function unblock(kernel: Kernel, thread: Thread, reason: BlockReason): void {
  kernel.scheduler.unblock(thread, reason);
  if (reason === 'VCPU_OFF' && thread.isBlockedBy('VCPU_RUN')) thread.wakeupSource.assertEdge();
}

/** True for a vCPU whose end is the platform's. */
export function isCritical(thread: Thread): boolean {
  return (thread.options & (VCPU_OPTION.critical | VCPU_OPTION.hlos_vm)) !== 0n;
}

function notify(kernel: Kernel, thread: Thread, state: string, reason: string): void {
  if (kernel.tracing) kernel.emit({ event: 'vcpu-state', vmid: vmid(thread.vmid), vcpu: thread.vcpuIndex, state, reason });
}
