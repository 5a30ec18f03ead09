/**
 * Stolen time (Arm DEN0057A): for each vCPU with a stolen-time structure, how long it could have run while another thread had its physical
 * CPU. The structure in the VM's memory is brought up to date just before the vCPU runs again.
 *
 *     0 revision u32 = 0 | 4 attributes u32 = 0 | 8 stolen time u64, nanoseconds | 16..63 padding
 */

import type { Kernel } from './kernel';
import type { Thread } from './thread';
import { translateIpa } from './user-memory';

/** Distance of the structures of two vCPUs. */
export const STOLEN_TIME_STRIDE = 64n;
const STRUCTURE_BYTES = 16;
const STOLEN_OFFSET = 8n;

interface Entry { readonly thread: Thread; readonly address: bigint; stolenTicks: number; writtenTicks: number }

/** Saved form, by object id of the thread. */
export type SavedStolenTime = readonly (readonly [thread: number, address: bigint, stolenTicks: number, writtenTicks: number])[];

/** The stolen time of all vCPUs that have a structure. */
export class StolenTime {
  private readonly kernel: Kernel;
  private readonly entries = new Map<number, Entry>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** The place of a vCPU's structure; undefined if its VM has none. */
  addressOf(thread: Thread): bigint | undefined {
    const base = this.kernel.services.of(thread.vmid).settings.stolenTime;
    return base === undefined ? undefined : base + BigInt(thread.vcpuIndex) * STOLEN_TIME_STRIDE;
  }

  /** A vCPU runs for the first time: its time counts from here. */
  begin(thread: Thread): void {
    const address = this.addressOf(thread);
    if (address !== undefined && !this.entries.has(thread.header.id)) this.entries.set(thread.header.id, { thread, address, stolenTicks: 0, writtenTicks: 0 });
  }

  /** PV_TIME_ST: clears the structure and answers where it is; undefined if there is none, or no memory for it. */
  clear(thread: Thread): bigint | undefined {
    const address = this.addressOf(thread);
    if (address === undefined || !this.write(thread, address, new Uint8Array(STRUCTURE_BYTES))) return undefined;
    this.entries.set(thread.header.id, { thread, address, stolenTicks: 0, writtenTicks: 0 });
    return address;
  }

  /** A thread has used a physical CPU: whoever else could have run there has lost that time. */
  charge(running: Thread, elapsed: number): void {
    if (this.entries.size === 0 || elapsed <= 0) return;
    const cpu = this.kernel.scheduler.cpuOf(running);
    for (const entry of this.entries.values()) {
      const { thread } = entry;
      if (thread !== running && thread.isRunnable && !thread.isProxy && thread.yieldTarget === undefined && thread.affinity === cpu) entry.stolenTicks += elapsed;
    }
  }

  /** A thread is about to run: its structure must say what it has lost. */
  publish(thread: Thread): void {
    const entry = this.entries.size === 0 ? undefined : this.entries.get(thread.header.id);
    if (entry === undefined || entry.stolenTicks === entry.writtenTicks) return;
    entry.writtenTicks = entry.stolenTicks;
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(entry.stolenTicks), true);
    this.write(thread, entry.address + STOLEN_OFFSET, bytes);
  }

  /** The thread is gone. */
  forget(thread: Thread): void {
    this.entries.delete(thread.header.id);
  }

  save(): SavedStolenTime {
    return [...this.entries].map(([id, { address, stolenTicks, writtenTicks }]) => [id, address, stolenTicks, writtenTicks]);
  }

  restore(saved: SavedStolenTime): void {
    this.entries.clear();
    for (const [id, address, stolenTicks, writtenTicks] of saved) this.entries.set(id, { thread: this.kernel.object('thread', id), address, stolenTicks, writtenTicks });
  }

  private write(thread: Thread, address: bigint, bytes: Uint8Array): boolean {
    const place = translateIpa(this.kernel, thread, address, 'write');
    if (typeof place === 'string') return false;
    this.kernel.engine.memory.write(place, bytes);
    return true;
  }
}
