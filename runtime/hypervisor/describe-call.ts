/** Says what an HVC or SMC would do, without doing it: for breakpoints on calls. */

import { vmid } from '../base/brands';
import type { TraceEvent } from '../base/trace-event';
import type { Exit, Vcpu } from '../engine/interface';
import { describeHypercall, NATIVE_BASE, NATIVE_COUNT } from './hypercalls';
import type { Kernel } from './kernel';
import { describeKvmCall } from './kvm-services';
import { namePlainCall } from './plain-calls';
import { hypercallNumberOf, nameService } from './smccc';
import type { Thread } from './thread';

const SVE_HINT = 0x1_0000;

/** The event that the call is about to cause. */
export function describeCall(kernel: Kernel, thread: Thread, exit: Exit & { readonly reason: 'hvc' | 'smc' }): TraceEvent | undefined {
  if (thread.engineVcpu === undefined) return undefined;
  const vcpu = kernel.engine.vcpu(thread.engineVcpu);
  const registers = (first: number): bigint[] => Array.from({ length: 8 }, (_, n) => vcpu.x(first + n));
  const origin = { tick: kernel.now, vmid: vmid(thread.vmid), vcpu: thread.vcpuIndex };
  if (kernel.options.identity === 'none') return describePlain(vcpu, exit.reason, origin);
  const services = kernel.services.peek(thread.vmid);
  if (services.personality === 'kvm') return describeKvmCall({ kernel, thread, vcpu, immediate: exit.immediate, isSmc: exit.reason === 'smc' });
  const native = exit.immediate - NATIVE_BASE;
  if (exit.reason === 'hvc' && native >= 0 && native < NATIVE_COUNT) {
    const call = describeHypercall(kernel, native, registers(0));
    return call === undefined ? { ...origin, event: 'hypercall-unknown', number: native, path: 'native' } : { ...origin, event: 'hypercall', phase: 'enter', ...call };
  }
  if (exit.immediate !== 0) return { ...origin, event: 'hypercall-unknown', number: exit.immediate, path: 'native' };
  const id = Number(vcpu.x(0) & 0xffff_ffffn);
  const number = hypercallNumberOf(id & ~SVE_HINT);
  const call = number === undefined ? undefined : describeHypercall(kernel, number, registers(1));
  if (call !== undefined) return { ...origin, event: 'hypercall', phase: 'enter', ...call };
  const service = number === undefined ? nameService(id & ~SVE_HINT, services) : undefined;
  if (service === undefined) return { ...origin, event: 'hypercall-unknown', number: number ?? id, path: 'smccc' };
  return { ...origin, event: service.event, phase: 'enter', name: service.name, id, args: { x1: vcpu.x(1), x2: vcpu.x(2), x3: vcpu.x(3) } };
}

/** Without a hypervisor every HVC is a call to firmware, and SMC is none. */
function describePlain(vcpu: Vcpu, reason: 'hvc' | 'smc', origin: Pick<TraceEvent, 'tick' | 'vmid'> & { readonly vcpu: number }): TraceEvent | undefined {
  if (reason === 'smc') return undefined;
  const id = Number(vcpu.x(0) & 0xffff_ffffn);
  const name = namePlainCall(id);
  if (name === undefined) return { ...origin, event: 'hypercall-unknown', number: id, path: 'smccc' };
  return { ...origin, event: 'psci', phase: 'enter', name, id, args: { x1: vcpu.x(1), x2: vcpu.x(2), x3: vcpu.x(3) } };
}
