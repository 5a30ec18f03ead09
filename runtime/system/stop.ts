/** Why a running system came to a stop: the vocabulary between the run loop and the debugger. */

import type { Ticks, Va } from '../base/brands';
import type { TraceEvent } from '../base/trace-event';
import type { ExceptionKind } from '../engine/interface';

/** One vCPU of the system, as the run loop names it: the index of its engine vCPU. */
export type VcpuIndex = number;

/** Every reason to stop. The system is at a consistent point in all of them. */
export type Stop =
  /** The requested time is reached. */
  | { readonly kind: 'limit' }
  /** Asked to stop from outside, between slices. */
  | { readonly kind: 'pause' }
  /** The vCPU is about to execute an instruction with a breakpoint. */
  | { readonly kind: 'breakpoint'; readonly vcpu: VcpuIndex; readonly pc: Va }
  | { readonly kind: 'watchpoint'; readonly vcpu: VcpuIndex | null; readonly id: number; readonly pc: Va; readonly address: bigint; readonly isWrite: boolean }
  /** The vCPU is about to make a call that the call filter chose; its PC is at the HVC or SMC. */
  | { readonly kind: 'call'; readonly vcpu: VcpuIndex; readonly event: TraceEvent }
  /** The event filter chose this event, which just happened. `number` is its number in the trace, if it is recorded there. */
  | { readonly kind: 'event'; readonly vcpu: VcpuIndex | null; readonly event: TraceEvent; readonly number?: number }
  /** An exception to EL1 that was asked for. PC at the vector. */
  | { readonly kind: 'exception'; readonly vcpu: VcpuIndex; readonly exception: ExceptionKind; readonly esr: bigint; readonly far: bigint; readonly elr: Va }
  /** The observed vCPU retired the requested number of instructions. */
  | { readonly kind: 'step'; readonly vcpu: VcpuIndex }
  /** Nothing can run and nothing is due: only input from outside could wake a vCPU. */
  | { readonly kind: 'idle' }
  /** The platform was powered off or reset by its primary VM. */
  | { readonly kind: 'power'; readonly action: 'off' | 'reset' }
  /** A guest left through semihosting. */
  | { readonly kind: 'exit'; readonly vcpu: VcpuIndex; readonly code: number };

/** What one call of `run` may do. */
export interface RunRequest {
  /** Stop at this time at the latest. */
  readonly until: Ticks;
  /** Stop when guests have retired this many instructions since power-on, at the latest. */
  readonly retiredMax?: number;
  /** Stop after about this much work, in instructions' worth, at the latest: for whoever wants to look around in between. */
  readonly effortMax?: number;
  /** Stop once this vCPU has retired one instruction. */
  readonly stepVcpu?: VcpuIndex;
  /** Do not stop at a breakpoint or call filter on the first instruction that this vCPU executes. */
  readonly resumeVcpu?: VcpuIndex;
}

/** Chooses calls and events to stop at. Must not change the system. */
export interface StopFilters {
  /** Asked before a hypercall, PSCI or SMCCC call takes effect. */
  call?: ((event: TraceEvent, vcpu: VcpuIndex) => boolean) | undefined;
  /** Asked for every event as it happens; the system stops at the next consistent point. */
  event?: ((event: TraceEvent, vcpu: VcpuIndex | null) => boolean) | undefined;
  /** Stop after calls that a VM's service filter forwards, so that somebody can answer them. */
  forwarded?: boolean | undefined;
}
