/** Virtual power-management groups: the vCPUs that share PSCI, and the state of them all together. */

import { ObjectHeader } from './object';
import type { Thread } from './thread';
import { VirqSource } from './virq-source';

/** vCPUs per group. */
export const VPM_VCPUS_MAX = 8;

/** vpm_group_get_state: 1 running, 2 all CPUs off or suspended. The API has 0 (none) and 3 (system suspended) too, which the reference build never answers. */
export type VpmState = 1 | 2;

/** A power-management group (Gunyah API: vpm_group). */
export class VpmGroup {
  readonly header: ObjectHeader<'vpm_group'>;
  /** Bound and unbound, and never asserted: that is a matter of system suspend, which the reference build's PSCI does not have. */
  readonly source: VirqSource;
  /** PSCI without aggregation of states: any vCPU may go off, the last one too. */
  noAggregation = false;
  private readonly members = new Map<number, Thread>();

  constructor(id: number) {
    this.header = new ObjectHeader('vpm_group', id);
    this.source = new VirqSource('vpm-group', () => false);
  }

  /** Activated vCPUs in order of index. */
  get threads(): readonly Thread[] {
    return [...this.members.entries()].sort(([a], [b]) => a - b).map(([, thread]) => thread);
  }

  /** How many activated vCPUs it has. */
  get size(): number {
    return this.members.size;
  }

  threadAt(index: number): Thread | undefined {
    return this.members.get(index);
  }

  /** Adds a vCPU at its activation; the index is free. */
  add(index: number, thread: Thread): void {
    this.members.set(index, thread);
  }

  remove(index: number): void {
    this.members.delete(index);
  }

  /** vCPUs that are not powered off. */
  get onlineCount(): number {
    return this.threads.filter((thread) => isAlive(thread) && !thread.isBlockedBy('VCPU_OFF')).length;
  }

  /**
   * Gunyah API: vpm_group_get_state. Members that never ran count as suspended, and so do all of a group without aggregation; waiting for an
   * interrupt does not.
   */
  get state(): VpmState {
    if (this.noAggregation) return 2;
    // Asked at every wait of every member, so without a list of them.
    for (const thread of this.members.values()) if (isAlive(thread) && !isIdle(thread)) return 1;
    return 2;
  }

  save(): SavedVpmGroup {
    return { noAggregation: this.noAggregation, members: [...this.members].map(([index, thread]) => [index, thread.header.id]) };
  }

  restore(saved: SavedVpmGroup, thread: (id: number) => Thread): void {
    this.noAggregation = saved.noAggregation;
    this.members.clear();
    for (const [index, id] of saved.members) this.members.set(index, thread(id));
  }
}

/** Bits of a power state that name the state of the CPU itself; 0 is running. */
const CPU_STATE = 0xf;

/** Off, or suspended into a state in which the CPU does not run. */
function isIdle(thread: Thread): boolean {
  if (thread.isBlockedBy('VCPU_OFF')) return true;
  return thread.isBlockedBy('VCPU_SUSPEND') && ((thread.suspend?.powerState ?? 0) & CPU_STATE) !== 0;
}

function isAlive(thread: Thread): boolean {
  return thread.state === 'ready';
}

/** Saved form of a group. */
export interface SavedVpmGroup { readonly noAggregation: boolean; readonly members: readonly (readonly [number, number])[] }
