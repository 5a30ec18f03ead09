/** Virtual power-management groups: the vCPUs that share PSCI, and the state of them all together. */

import { ObjectHeader } from './object';
import type { Thread } from './thread';
import { VirqSource } from './virq-source';

/** vCPUs per group. */
export const VPM_VCPUS_MAX = 8;

/** vpm_group_get_state: 0 none, 1 running, 2 all CPUs off or suspended. */
export type VpmState = 0 | 1 | 2;

/** A power-management group (Gunyah API: vpm_group). */
export class VpmGroup {
  readonly header: ObjectHeader<'vpm_group'>;
  readonly source: VirqSource;
  /** PSCI without aggregation of states: any vCPU may go off, the last one too. */
  noAggregation = false;
  private readonly members = new Map<number, Thread>();
  private lastState: VpmState = 0;

  constructor(id: number) {
    this.header = new ObjectHeader('vpm_group', id);
    this.source = new VirqSource('vpm-group', () => false);
  }

  /** Activated vCPUs in order of index. */
  get threads(): readonly Thread[] {
    return [...this.members.entries()].sort(([a], [b]) => a - b).map(([, thread]) => thread);
  }

  threadAt(index: number): Thread | undefined {
    return this.members.get(index);
  }

  /** Adds a vCPU at its activation; the index is free. */
  add(index: number, thread: Thread): void {
    this.members.set(index, thread);
    this.update();
  }

  remove(index: number): void {
    this.members.delete(index);
    this.update();
  }

  /** vCPUs that are not powered off. */
  get onlineCount(): number {
    return this.threads.filter((thread) => isAlive(thread) && !thread.isBlockedBy('VCPU_OFF')).length;
  }

  /** Gunyah API: vpm_group_get_state. */
  get state(): VpmState {
    if (this.members.size === 0 || this.noAggregation) return 0;
    return this.threads.some((thread) => isAlive(thread) && (thread.blocks & IDLE_BLOCKS) === 0) ? 1 : 2;
  }

  /** Re-evaluates after a vCPU changed; a change of the group's state pulses its interrupt. */
  update(): void {
    const state = this.state;
    if (state === this.lastState) return;
    this.lastState = state;
    this.source.assertEdge();
  }

  save(): SavedVpmGroup {
    return { noAggregation: this.noAggregation, lastState: this.lastState, members: [...this.members].map(([index, thread]) => [index, thread.header.id]) };
  }

  restore(saved: SavedVpmGroup, thread: (id: number) => Thread): void {
    this.noAggregation = saved.noAggregation;
    this.lastState = saved.lastState;
    this.members.clear();
    for (const [index, id] of saved.members) this.members.set(index, thread(id));
  }
}

/** Off, suspended or waiting for an interrupt. */
const IDLE_BLOCKS = 1 | 2 | 4;

function isAlive(thread: Thread): boolean {
  return thread.state === 'ready';
}

/** Saved form of a group. */
export interface SavedVpmGroup { readonly noAggregation: boolean; readonly lastState: VpmState; readonly members: readonly (readonly [number, number])[] }
