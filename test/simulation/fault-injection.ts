/**
 * Faults in whole systems: memory that is short, queues that are full, vCPUs and capabilities that end at a bad moment. What is done
 * here could happen on a real system by somebody else's call. Faults are no part of the state: a run can be repeated only if they
 * follow from the state alone.
 */

import type { System } from '../../runtime/index';
import { ByteReader } from '../../runtime/base/byte-reader';
import { type CapId, capId, vmid } from '../../runtime/base/brands';
import type { Capability, Cspace } from '../../runtime/hypervisor/cspace';
import { callNamed } from '../../runtime/hypervisor/hypercalls';
import type { Kernel } from '../../runtime/hypervisor/kernel';
import { Msgqueue } from '../../runtime/hypervisor/msgqueue';
import type { Thread } from '../../runtime/hypervisor/thread';
import { haltThread, killThread } from '../../runtime/hypervisor/vcpu';

/** What the heap has given away: bytes, pages of the stage-2 tables of living address spaces, and other pages. A block that was split once stays so. */
export interface HeapUse { readonly bytes: number; readonly tablePages: number; readonly otherPages: number }

/** Ways to hurt VMs from outside. */
export class FaultInjection {
  private readonly kernel: Kernel;
  private readonly root: () => Thread | undefined;

  constructor({ parts }: System) {
    this.kernel = parts.hypervisor.kernel;
    this.root = () => parts.hypervisor.rootThread;
  }

  /** While `shortage` says so, the heap refuses what it is asked for; it is called once for each request. */
  injectShortage(shortage: (() => boolean) | undefined): void {
    this.kernel.partition.heap.rule = shortage === undefined ? undefined : { allows: () => !shortage() };
  }

  /** What the heap has given away by now. */
  heapUse(): HeapUse {
    const { used, bytes } = this.kernel.partition.heap.save();
    const tablePages = [...this.kernel.ofType('addrspace')].reduce((sum, { pgtable }) => sum + pgtable.tableCount, 0);
    return { bytes, tablePages, otherPages: used.reduce((sum, one) => sum + one, 0) - tablePages };
  }

  /** Kills the vCPUs of a VM as vcpu_kill does, one or all; false if it has none left. */
  kill(vm: number, index?: number): boolean {
    const alive = this.threadsOf(vm).filter(({ state, vcpuIndex }) => state === 'ready' && (index === undefined || index === vcpuIndex));
    for (const thread of alive) killThread(this.kernel, thread);
    return alive.length > 0;
  }

  /** Ends a vCPU as a fault that nobody handles does. */
  halt(vm: number, index: number): void {
    for (const thread of this.threadsOf(vm)) if (thread.vcpuIndex === index && thread.state === 'ready') haltThread(this.kernel, thread, 'VCPU_FAULT');
  }

  /** Deletes one of a VM's own capabilities, counted round; false if it has none. */
  deleteCapability(vm: number, n: number): boolean {
    const root = this.root();
    const [thread] = this.threadsOf(vm);
    const cspace = thread?.cspace;
    const chosen = cspace === undefined ? undefined : nth([...cspace.entries()], n);
    if (root?.cspace === undefined || cspace === undefined || chosen === undefined) return false;
    const handle = handleOf(root.cspace, (capability) => capability.object === cspace && capability.master);
    if (handle === undefined) return false;
    callNamed(this.kernel, root, 'cspace_delete_cap_from', { cspace: handle, cap: chosen[0] });
    return true;
  }

  /** Revokes all copies of capabilities on one of the objects that a VM's vCPUs, memory and queues are made of, counted round. Master capabilities stay. */
  revokeCopies(vm: number, n: number): boolean {
    const root = this.root();
    const chosen = nth(this.objectsOf(vm), n);
    if (root?.cspace === undefined || chosen === undefined) return false;
    const master = handleOf(root.cspace, (capability) => capability.object === chosen && capability.master);
    const own = handleOf(root.cspace, (capability) => capability.object === root.cspace);
    if (master === undefined || own === undefined) return false;
    callNamed(this.kernel, root, 'cspace_revoke_caps_from', { src_cspace: own, master_cap: master });
    return true;
  }

  /** The queue that a capability of a VM names. */
  queueOf(vm: number, cap: bigint): number | undefined {
    const [thread] = vm === this.root()?.vmid ? [this.root()] : this.threadsOf(vm);
    const capability = thread?.cspace?.find(capId(cap));
    return typeof capability === 'object' && capability.object instanceof Msgqueue ? capability.object.header.id : undefined;
  }

  /** Puts a message into a queue, at most `count` times and until it is full; answers how many went in. The interrupt follows as ever. */
  stuff(queue: number, bytes: Uint8Array, count = Number.POSITIVE_INFINITY): number {
    const object = this.queue(queue);
    let done = 0;
    for (; object !== undefined && !object.isFull && bytes.length <= object.messageSizeMax && done < count; done++) {
      object.push({ bytes: bytes.slice(), tick: this.kernel.now, senderVmid: vmid(0), senderVcpu: 0 }, false);
    }
    return done;
  }

  /** Changes a byte of the newest message of a queue; false if there is none there. */
  damage(queue: number, at: number, mask: number): boolean {
    const messages = this.queue(queue)?.messages ?? [];
    const newest = messages[messages.length - 1];
    if (newest === undefined || at >= newest.bytes.length) return false;
    newest.bytes[at] = (newest.bytes[at] ?? 0) ^ mask;
    return true;
  }

  /** Puts the newest message of a queue in once more; false if there is none or no room, or if its second word is `exempt`. */
  repeat(queue: number, exempt: number): boolean {
    const messages = this.queue(queue)?.messages ?? [];
    const newest = messages[messages.length - 1]?.bytes;
    if (newest === undefined || new ByteReader(newest).u32(4) === exempt) return false;
    return this.stuff(queue, newest, 1) === 1;
  }

  private queue(id: number): Msgqueue | undefined {
    for (const queue of this.kernel.ofType('msgqueue')) if (queue.header.id === id && queue.header.state === 'active') return queue;
    return undefined;
  }

  private threadsOf(vm: number): Thread[] {
    return [...this.kernel.ofType('thread')].filter((thread) => thread.vmid === vm && thread.header.state === 'active');
  }

  /** Objects that a VM's vCPUs hold, and those that its capabilities name. */
  private objectsOf(vm: number): Capability['object'][] {
    const threads = this.threadsOf(vm);
    const held = threads.flatMap((thread) => [thread, thread.addrspace, thread.vic?.object, ...(thread.cspace === undefined ? [] : [...thread.cspace.entries()].map(([, { object }]) => object))]);
    return [...new Set(held.filter((object) => object !== undefined))];
  }
}

function nth<T>(items: readonly T[], n: number): T | undefined {
  return items.length === 0 ? undefined : items[n % items.length];
}

function handleOf(cspace: Cspace, matches: (capability: Capability) => boolean): CapId | undefined {
  for (const [id, capability] of cspace.entries()) if (capability.state === 'valid' && matches(capability)) return id;
  return undefined;
}
