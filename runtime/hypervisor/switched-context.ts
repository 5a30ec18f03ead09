/**
 * What a vCPU keeps over power-off: the registers as they were when it last gave its physical CPU to another thread or to nobody.
 *
 * The hypervisor saves a thread's registers when it switches away from it, but not those of a vCPU that is powered off; so one that is powered on
 * again finds what it had at its last wait or preemption, or at its very first start if there was none. General registers, debug
 * registers and performance monitors are kept as they are; timers stop. Seen on the real hypervisor. What power-on itself sets is in `vcpu.ts`.
 */

import type { Vcpu } from '../engine/interface';
import type { SavedGenericTimer } from '../machine/generic-timer';
import type { Kernel } from './kernel';
import type { Thread } from './thread';

/** Registers of the context by name; SIMD registers besides. */
const SWITCHED = [
  'SP_EL0', 'SP_EL1', 'CPACR_EL1', 'CSSELR_EL1', 'CONTEXTIDR_EL1', 'ELR_EL1', 'ESR_EL1', 'FAR_EL1', 'PAR_EL1', 'MAIR_EL1', 'SPSR_EL1', 'TCR_EL1', 'TPIDR_EL0', 'TPIDR_EL1',
  'TPIDRRO_EL0', 'TTBR0_EL1', 'TTBR1_EL1', 'VBAR_EL1', 'CNTKCTL_EL1', 'FPCR', 'FPSR', 'TPIDR2_EL0',
] as const;
const SIMD_COUNT = 32;

/** A vCPU's registers and timers as of its last switch. */
export interface SwitchedContext { readonly registers: Uint8Array; readonly timers: SavedGenericTimer | undefined }

/** Notes the registers of a thread that no longer runs on its CPU. Only for vCPUs that others of their VM can power on again. */
export function keepContext(kernel: Kernel, thread: Thread): void {
  const { engineVcpu, vpm } = thread;
  if (engineVcpu === undefined || vpm === undefined || vpm.group.size < 2 || thread.isBlockedBy('VCPU_OFF')) return;
  // This happens at every switch: the bytes are used again unless a snapshot has them.
  const old = thread.isContextKept ? undefined : thread.context?.registers;
  thread.context = { registers: kernel.engine.vcpu(engineVcpu).save(old), timers: kernel.timers.get(thread.header.id)?.save() };
  thread.isContextKept = false;
}

/** At a vCPU's power-off: its registers are those of its last switch again, its timers stop. */
export function dropToContext(kernel: Kernel, thread: Thread): void {
  const { engineVcpu, context } = thread;
  const timers = kernel.timers.get(thread.header.id);
  timers?.write('CNTV_CTL_EL0', 0n);
  timers?.write('CNTP_CTL_EL0', 0n);
  if (engineVcpu === undefined || context === undefined) return;
  const vcpu = kernel.engine.vcpu(engineVcpu);
  const now = vcpu.save();
  vcpu.restore(context.registers);
  const registers = SWITCHED.map((name) => vcpu.systemRegister(name));
  const simd = Array.from({ length: SIMD_COUNT }, (_, n) => vcpu.v(n));
  vcpu.restore(now);
  writeContext(vcpu, registers, simd);
}

function writeContext(vcpu: Vcpu, registers: readonly bigint[], simd: readonly (readonly [bigint, bigint])[]): void {
  SWITCHED.forEach((name, index) => { vcpu.setSystemRegister(name, registers[index] ?? 0n); });
  simd.forEach(([low, high], n) => { vcpu.setV(n, low, high); });
}

/** At a vCPU's power-on: its timers are as its context has them. The first start's registers become the context. */
export function startFromContext(kernel: Kernel, thread: Thread): void {
  const { engineVcpu, context, vpm } = thread;
  const timers = kernel.timers.get(thread.header.id);
  if (engineVcpu === undefined || vpm === undefined || vpm.group.size < 2) return;
  if (context === undefined) {
    thread.context = { registers: kernel.engine.vcpu(engineVcpu).save(), timers: timers?.save() };
    return;
  }
  if (timers === undefined || context.timers === undefined) return;
  const { virtual, physical } = context.timers;
  timers.write('CNTV_CVAL_EL0', virtual.cval);
  timers.write('CNTP_CVAL_EL0', physical.cval);
  timers.write('CNTV_CTL_EL0', control(virtual));
  timers.write('CNTP_CTL_EL0', control(physical));
}

function control({ enable, mask }: { readonly enable: boolean; readonly mask: boolean }): bigint {
  return (enable ? 1n : 0n) | (mask ? 2n : 0n);
}
