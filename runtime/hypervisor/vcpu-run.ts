/**
 * Lending CPU time to a proxy-scheduled vCPU (Gunyah API: vcpu_run, vcpu_run_check).
 *
 * A proxy-scheduled vCPU carries the VCPU_RUN block except while its scheduler's call runs it: by directed yield first, and as any other thread of its CPU once the caller's slice is
 * over. When the caller is on its CPU again, for whatever reason, the state is described in its result registers and the block returns.
 */

import type { ErrorName } from './errors';
import type { Kernel } from './kernel';
import type { Thread } from './thread';
import { exitThread, hasDeliverable } from './vcpu';

/** vcpu_run states (Gunyah API: vcpu_run_state). */
export const RUN_STATE = {
  READY: 0, EXPECTS_WAKEUP: 1, POWERED_OFF: 2, BLOCKED: 3, ADDRSPACE_VMMIO_READ: 4, ADDRSPACE_VMMIO_WRITE: 5, FAULT: 6, PAGE_FAULT: 7, PSCI_SYSTEM_RESET: 0x100,
} as const;

/** Results of vcpu_run beside the error. */
export interface RunReport { readonly state: number; readonly data: readonly [bigint, bigint, bigint] }

/** Second resume word: inject a fault. */
const RESUME_FAULT = 2n;
const WAKEUP_FROM_WFI = 1n;
const WAKEUP_FROM_CPU_SUSPEND = 2n;
/** A vCPU without a power-management group waits for an interrupt by suspending itself, into this power state. */
const IDLE_POWER_STATE = 0x1_0001n;

function report(state: number, ...data: readonly bigint[]): RunReport {
  return { state, data: [data[0] ?? 0n, data[1] ?? 0n, data[2] ?? 0n] };
}

/** Why a vCPU does not run, or READY; the VCPU_RUN block itself is not a reason. */
export function describeRunState(thread: Thread): RunReport {
  if (thread.state === 'exited') return report(RUN_STATE.POWERED_OFF, 1n);
  if (thread.state === 'killed') return report(RUN_STATE.BLOCKED);
  if (thread.vmmio !== undefined) {
    const { ipa, sizeBytes, isWrite, value } = thread.vmmio;
    return isWrite ? report(RUN_STATE.ADDRSPACE_VMMIO_WRITE, ipa, BigInt(sizeBytes), value) : report(RUN_STATE.ADDRSPACE_VMMIO_READ, ipa, BigInt(sizeBytes));
  }
  if (thread.pageFault?.state === 'asked') return report(RUN_STATE.PAGE_FAULT, thread.pageFault.ipa, thread.pageFault.isWrite ? 1n : 0n);
  if (thread.isBlockedBy('VCPU_WFI')) return thread.vpm === undefined ? report(RUN_STATE.EXPECTS_WAKEUP, IDLE_POWER_STATE, WAKEUP_FROM_CPU_SUSPEND) : report(RUN_STATE.EXPECTS_WAKEUP, 0n, WAKEUP_FROM_WFI);
  if (thread.isBlockedBy('VCPU_SUSPEND')) return report(RUN_STATE.EXPECTS_WAKEUP, BigInt(thread.suspend?.powerState ?? 0), WAKEUP_FROM_CPU_SUSPEND);
  if (thread.reset !== undefined) return report(RUN_STATE.PSCI_SYSTEM_RESET, thread.reset.data0, thread.reset.cookie);
  if (thread.isBlockedBy('VCPU_FAULT')) return report(RUN_STATE.FAULT);
  if (thread.isBlockedBy('VCPU_OFF')) return report(RUN_STATE.POWERED_OFF);
  return isRunnableBesideProxy(thread) ? report(RUN_STATE.READY) : report(RUN_STATE.BLOCKED);
}

function isRunnableBesideProxy(thread: Thread): boolean {
  return (thread.blocks & ~16) === 0 && thread.state === 'ready' && thread.header.state === 'active';
}

/** Answer of vcpu_run: an error, a report at once, or `started`: the report follows when the caller is on its CPU again. */
export type RunAnswer = ErrorName | RunReport | 'started';

/** Gunyah API: vcpu_run. */
export function runVcpu(kernel: Kernel, caller: Thread, target: Thread, run: { readonly data0: bigint; readonly data1: bigint; readonly kind: 'run-native' | 'run-smccc' }): RunAnswer {
  if (!target.isBlockedBy('VCPU_RUN')) return 'BUSY';
  applyResumeData(kernel, target, run.data0);
  resumePageFault(kernel, target, run.data1);
  kernel.scheduler.unblock(target, 'VCPU_RUN');
  if (target.state === 'killed') exitThread(kernel, target);
  if (!target.isRunnable) return stop(kernel, target);
  const cpu = kernel.scheduler.cpuOf(caller);
  if (target.affinity !== cpu) {
    // The block is gone already, so that later calls answer BUSY: the real one does the same.
    if (target.isPinned) return 'DENIED';
    kernel.scheduler.setAffinity(target, cpu);
  }
  if (caller.kind === 'native' || hasDeliverable(caller) || !kernel.scheduler.canYieldTo(caller, target)) return stop(kernel, target);
  kernel.scheduler.yieldTo(caller, target, run.kind);
  return 'started';
}

/** Describes the vCPU and takes its time away again. */
export function stop(kernel: Kernel, target: Thread): RunReport {
  const described = describeRunState(target);
  if (target.isProxy) kernel.scheduler.block(target, 'VCPU_RUN');
  return described;
}

/** The instruction runs again, with the page or to its fault (resume action 2). */
function resumePageFault(kernel: Kernel, target: Thread, action: bigint): void {
  if (target.pageFault?.state !== 'asked') return;
  target.pageFault = action === RESUME_FAULT ? { ...target.pageFault, state: 'refused' } : undefined;
  kernel.scheduler.unblock(target, 'ADDRSPACE_VMMIO_ACCESS');
}

function applyResumeData(kernel: Kernel, target: Thread, data0: bigint): void {
  if (target.vmmio !== undefined && target.engineVcpu !== undefined) {
    if (target.state === 'ready') {
      kernel.engine.completeAccessUncut(target.engineVcpu, target.vmmio.isWrite ? 0n : data0, target.vmmio.instruction);
      kernel.retired++;
    }
    target.vmmio = undefined;
    kernel.scheduler.unblock(target, 'ADDRSPACE_VMMIO_ACCESS');
  }
}
