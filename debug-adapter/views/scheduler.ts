/** Rows of the scheduler: what each physical CPU runs, and for each thread why it does not run. */

import type { System } from '../../runtime/index';
import type { BlockRow, CustomRequestBody, ThreadRow } from '../protocol/index';
import { threadIdOf } from '../debuggee';
import { EventIndex } from './event-index';
import { stateOf } from './machines';

type Thread = ReturnType<System['inspection']['threads']>[number];

/** What a reason to wait means and what ends it; `owner` is the VM that runs the thread by vcpu_run. */
const REASONS: Readonly<Record<string, { readonly description: string; readonly by: (owner: string) => string }>> = {
  VCPU_OFF: { description: 'powered off', by: (owner) => `PSCI CPU_ON of its VM, or vcpu_poweron of ${owner}` },
  VCPU_SUSPEND: { description: 'suspended by PSCI', by: () => 'an interrupt' },
  VCPU_WFI: { description: 'waits for an interrupt (WFI)', by: () => 'an interrupt' },
  VCPU_FAULT: { description: 'stopped after a fault that it could not handle', by: () => 'a reset of its VM' },
  VCPU_RUN: { description: 'runs only while its owner lends it time', by: (owner) => `${owner} (vcpu_run)` },
  ADDRSPACE_VMMIO_ACCESS: { description: 'waits for an access to be emulated', by: (owner) => `${owner} (vcpu_run with the answer)` },
  LIFECYCLE: { description: 'not started or ended', by: (owner) => owner },
};

/** What `gunyah/scheduler` answers. */
export function schedulerBody(system: System): CustomRequestBody<'gunyah/scheduler'> {
  return new SchedulerBook(system).body();
}

class SchedulerBook {
  private readonly system: System;
  private readonly threads: readonly Thread[];
  private readonly cpus: ReturnType<System['inspection']['cpus']>;

  constructor(system: System) {
    this.system = system;
    this.threads = system.inspection.threads();
    this.cpus = system.inspection.cpus();
  }

  body(): CustomRequestBody<'gunyah/scheduler'> {
    const changes = this.lastChanges();
    return {
      cpus: this.cpus.map(({ cpu, payer, current, queued }) => ({
        cpu, current: this.nameOf(current), payer: this.nameOf(payer),
        ready: queued.flatMap((id) => this.threads.filter((thread) => thread.id === id).map((thread) => ({ thread: this.name(thread), priority: thread.priority }))),
      })),
      threads: this.threads.map((thread) => this.row(thread, changes)),
    };
  }

  private row(thread: Thread, changes: ReadonlyMap<string, number>): ThreadRow {
    const { engineVcpu } = thread;
    const isReady = thread.state === 'ready' && thread.blockReasons.length === 0;
    const cpu = this.cpus.find((one) => one.cpu === thread.affinity);
    return {
      thread: this.name(thread), threadId: engineVcpu === undefined ? null : threadIdOf(engineVcpu), objectId: thread.id, vmid: thread.vmid, vcpu: thread.index,
      priority: thread.priority, timesliceTicks: thread.timesliceTicks, sliceLeftTicks: thread.sliceTicks, affinity: thread.affinity ?? null, state: stateOf(thread),
      runsOnCpu: thread.runsOnCpu ?? null, isProxy: thread.isProxy, blocks: thread.blockReasons.map((reason) => this.block(thread, reason)),
      waitsFor: isReady && thread.runsOnCpu === undefined ? this.nameOf(cpu?.current) : null, sinceTick: thread.runsOnCpu === undefined ? this.since(thread, changes) : null,
      donor: this.nameOf(thread.yieldDonor), donee: this.nameOf(thread.yieldTarget), instructions: engineVcpu === undefined ? null : this.system.retiredBy(engineVcpu),
    };
  }

  private block(thread: Thread, reason: string): BlockRow {
    const words = REASONS[reason];
    const owner = this.system.rmView().vms.find(({ vmid }) => vmid === thread.vmid)?.owner;
    const hasEnded = thread.state === 'exited' || thread.state === 'killed';
    return { reason, description: words?.description ?? reason, by: hasEnded ? '' : words?.by(this.system.vmName(owner ?? 0)) ?? '' };
  }

  /** It stopped when it retired its last instruction, or later if somebody changed its state then. Of one that retires none, such as RM's, nobody knows. */
  private since({ engineVcpu, vmid, index }: Thread, changes: ReadonlyMap<string, number>): number | null {
    if (engineVcpu === undefined) return null;
    const retired = this.system.lastRetired(engineVcpu);
    const changed = changes.get(`${vmid}/${index}`);
    return retired === undefined && changed === undefined ? null : Math.max(retired ?? 0, changed ?? 0);
  }

  /** When each vCPU's state was last changed, as far back as the trace goes. */
  private lastChanges(): Map<string, number> {
    const { trace } = this.system;
    const found = new Map<string, number>();
    for (const number of EventIndex.of(this.system).past('vcpu-state')) {
      const event = trace.at(number);
      if (event !== undefined) found.set(`${event.vmid}/${event.vcpu ?? 0}`, event.tick);
    }
    return found;
  }

  private nameOf(id: number | undefined): string | null {
    const thread = id === undefined ? undefined : this.threads.find((one) => one.id === id);
    return thread === undefined ? null : this.name(thread);
  }

  private name({ vmid, index }: Thread): string {
    return `${this.system.vmName(vmid)}/cpu${index}`;
  }
}
