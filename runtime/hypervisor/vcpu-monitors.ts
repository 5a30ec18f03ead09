/** The performance monitors of one vCPU, wired to the private interrupt 23 of its VIC. */

import type { EventQueue } from '../machine/interface';
import type { Vcpu } from '../engine/interface';
import { PerformanceMonitors } from './performance-monitors';
import type { Vic } from './vic';
import { VirqSource } from './virq-source';

/** INTID of the overflow interrupt. */
const VIRQ_PERFORMANCE_MONITORS = 23;

/** What the monitors hang on. */
export interface MonitorWiring {
  readonly queue: EventQueue;
  readonly vcpu: Vcpu;
  /** PMCR_EL0 without its writable bits. */
  readonly control: bigint;
  readonly hasEl3: boolean;
  readonly vic: { readonly vic: Vic; readonly index: number } | undefined;
  readonly threadId: number;
}

/** Monitors and the end of their wire. */
export interface VcpuMonitors { readonly monitors: PerformanceMonitors; release(): void }

/** Makes the monitors of a vCPU. */
export function makeVcpuMonitors({ queue, vcpu, control, hasEl3, vic, threadId }: MonitorWiring): VcpuMonitors {
  const source: VirqSource = new VirqSource('performance-monitors', () => monitors.output);
  const monitors = new PerformanceMonitors({
    queue, control, hasEl3, key: `monitors/${threadId}`,
    version: Number((vcpu.systemRegister('ID_AA64DFR0_EL1') >> 8n) & 0xfn),
    el: () => vcpu.el,
    retiredAt: (el) => vcpu.retiredAt(el),
    setLevel: (level) => { if (level) source.assertLevel(); else source.lowerLevel(); },
  });
  if (vic !== undefined) source.bindPrivate(vic.vic, vic.index, VIRQ_PERFORMANCE_MONITORS);
  return {
    monitors,
    release: () => {
      source.unbind();
      monitors.release();
    },
  };
}
