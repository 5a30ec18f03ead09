/**
 * The points at which a whole system can be hurt, counted in the order in which a run passes them, and what is done there. Counting
 * does not disturb the run: a run without a fault is the same with and without it.
 */

import type { System } from '../../runtime/index';
import { FaultInjection } from './fault-injection';

/** VMID of the VM that makes others. */
export const PRIMARY_VMID = 3;
/** VMIDs of VMs that it makes; the workers come before. */
export const MADE_VMIDS = { first: 0x82, end: 0xbf } as const;
const RM_VMID = 255;
const SEND = 0x601b;
const SEND_SMCCC = 0xc600_801bn;
const [SYSTEM_OFF, SYSTEM_RESET, SYSTEM_RESET2] = [0x8400_0008n, 0x8400_0009n, 0x8400_0012n];
const VM_STOP = 0x5600_0005;
/** Asked twice, RM gives two VMIDs, and the owner knows of one. */
const VM_ALLOCATE = 0x5600_0001;
/** Sequence number of a request that the primary VM does not know of. */
const FOREIGN_SEQUENCE = 0xfff1;
/** A packet that both sides of RM's queues drop. */
const NOISE = Uint8Array.of(0, 0, 0, 0);

/** What is counted: calls of made VMs, calls of them and of their owner, runs of their vCPUs, the owner's packets to RM, packets to and from RM, requests to the heap. */
export const STREAMS = ['own-call', 'call', 'run', 'packet', 'send', 'allocation'] as const;
/** Name of a stream. */
export type Stream = (typeof STREAMS)[number];

/** Ways in which a made VM can end at a call of its own. */
const ENDS = ['off', 'reset', 'reset2', 'fault', 'kill', 'kill all'] as const;
/** Objects and capabilities that a made VM has at most. */
const OBJECTS_MAX = 12;
/** Damage of a header is by every bit pattern that matters: version, type and fragments, sequence, identity. */
const HEADER_BYTES = 8;
const MASKS = [0x01, 0x02, 0x04, 0xfc, 0xff];

/** A kind of fault: the points where it can happen, and how many ways there are at a point (with the packet's size). */
export interface Sweep { readonly stream: Stream; readonly ways: (size: number) => number; /** The owner may wait for ever for an answer that never comes, as with the real Resource Manager. */ readonly mayWait: boolean; /** The owner may have asked for the wrong VM or parcel, and keep one. */ readonly mayKeep?: true }
/** Every kind. */
export const SWEEPS = {
  'kill': { stream: 'own-call', ways: () => ENDS.length, mayWait: false },
  'vcpu-kill': { stream: 'call', ways: () => 1, mayWait: false },
  'stop': { stream: 'run', ways: () => 1, mayWait: false },
  'delete': { stream: 'call', ways: () => OBJECTS_MAX, mayWait: false },
  'revoke': { stream: 'call', ways: () => OBJECTS_MAX, mayWait: false },
  'truncate': { stream: 'packet', ways: (size) => size, mayWait: true },
  'damage': { stream: 'packet', ways: (size) => Math.min(size, HEADER_BYTES) * MASKS.length, mayWait: true },
  'payload': { stream: 'packet', ways: (size) => Math.max(0, size - HEADER_BYTES), mayWait: true, mayKeep: true },
  'repeat': { stream: 'packet', ways: () => 1, mayWait: true, mayKeep: true },
  'queue-full': { stream: 'send', ways: () => 1, mayWait: false },
  'allocation': { stream: 'allocation', ways: () => 1, mayWait: false },
} as const satisfies Record<string, Sweep>;
/** Name of a kind. */
export type SweepName = keyof typeof SWEEPS;
/** Every name. */
export const SWEEP_NAMES = Object.keys(SWEEPS) as SweepName[];

/** One fault: at the point `at` of its stream, in one way. */
export interface Fault { readonly sweep: SweepName; readonly at: number; readonly way: number }
/** How many points of each stream have been passed. */
export type Counts = Record<Stream, number>;
/** None. */
export const noCounts = (): Counts => ({ 'own-call': 0, 'call': 0, 'run': 0, 'packet': 0, 'send': 0, 'allocation': 0 });

/** Counts the points of a system and hurts it at one of them. */
export class Points {
  /** Points passed since power-on; set it when the system goes elsewhere. */
  counts = noCounts();
  /** What is to happen. */
  fault: Fault | undefined;
  /** True once it has happened. */
  hasFired = false;
  /** Sizes of the owner's packets in the order in which they were sent, filled while no fault is to happen. */
  readonly sizes: number[] = [];
  private readonly system: System;
  private readonly faults: FaultInjection;
  /** The queue by which the owner sends to RM. */
  private toRm: number | undefined;
  private readonly onLine: () => void;

  constructor(system: System, onLine: () => void) {
    this.system = system;
    this.onLine = onLine;
    const { hypervisor } = system.parts;
    this.faults = new FaultInjection(system);
    // Memory that the platform needs to come up is there or there is no system: the count begins with the owner's first packet.
    this.faults.injectShortage(() => this.counts.packet > 0 && this.isPoint('allocation', 'allocation'));
    const handle = hypervisor.handleExit.bind(hypervisor);
    hypervisor.handleExit = (thread, exit) => {
      if (exit.reason !== 'hvc' || thread.engineVcpu === undefined) return handle(thread, exit);
      const vcpu = system.parts.engine.vcpu(thread.engineVcpu);
      if (isMade(thread.vmid)) {
        const end = this.endAt();
        if (end === 'fault') this.faults.halt(thread.vmid, thread.vcpuIndex);
        // A vCPU that is dead or has faulted does not come to make its call.
        if (end === 'fault' || end === 'killed') return 0;
        if (end === undefined) return handle(thread, exit);
        vcpu.setX(0, end === 'off' ? SYSTEM_OFF : end === 'reset' ? SYSTEM_RESET : SYSTEM_RESET2);
        return handle(thread, { reason: 'hvc', immediate: 0 });
      }
      const isNative = exit.immediate === SEND;
      if (thread.vmid !== PRIMARY_VMID || (!isNative && (exit.immediate !== 0 || vcpu.x(0) !== SEND_SMCCC))) return handle(thread, exit);
      const first = isNative ? 0 : 1;
      return this.sendOfOwner({ cap: vcpu.x(first), size: Number(vcpu.x(first + 1)), setSize: (size) => { vcpu.setX(first + 1, BigInt(size)); }, send: () => handle(thread, exit) });
    };
    system.trace.onEvent = (event) => {
      if (event.event === 'console' && event.vmid === PRIMARY_VMID) this.onLine();
      if (event.event !== 'hypercall' || event.phase !== 'enter') return;
      if (event.name === 'msgqueue_send' && this.isPoint('send', 'queue-full')) this.stuff(event.vmid, BigInt(event.args['msgqueue']?.toString() ?? 0));
      if (event.vmid !== PRIMARY_VMID && !isMade(event.vmid)) return;
      if (event.name === 'vcpu_run' && this.isPoint('run', 'stop')) this.stop();
      if (this.victim() !== undefined) this.hurt();
    };
  }

  /** Passes a point of a stream; true if the fault is to happen there. */
  private isPoint(stream: Stream, sweep: SweepName): boolean {
    const at = this.counts[stream]++;
    return this.isAt(sweep, at);
  }

  private isAt(sweep: SweepName, at: number): boolean {
    const isNow = this.fault?.sweep === sweep && this.fault.at === at;
    if (isNow) this.hasFired = true;
    return isNow;
  }

  /** How a made VM ends at this call of its own, if it does. */
  private endAt(): 'off' | 'reset' | 'reset2' | 'fault' | 'killed' | undefined {
    if (!this.isPoint('own-call', 'kill')) return undefined;
    const end = ENDS[this.fault?.way ?? 0];
    const victim = this.victim() ?? 0;
    if (end !== 'kill' && end !== 'kill all') return end;
    this.kill(victim, end === 'kill' ? 0 : undefined);
    return 'killed';
  }

  /** A call of a made VM or of its owner while there is one. */
  private hurt(): void {
    const at = this.counts.call++;
    const { faults } = this;
    const victim = this.victim() ?? 0;
    const way = this.fault?.way ?? 0;
    if (this.isAt('vcpu-kill', at)) this.kill(victim, at % 3 === 0 ? 0 : undefined);
    if (this.isAt('delete', at)) this.hasFired = faults.deleteCapability(victim, way);
    if (this.isAt('revoke', at)) this.hasFired = faults.revokeCopies(victim, way);
  }

  /** vcpu_kill tells nobody: the owner has to end what is left, which it cannot know. */
  private kill(victim: number, index: number | undefined): void {
    this.faults.kill(victim, index);
    this.stop();
    this.hasFired = true;
  }

  private victim(): number | undefined {
    return this.system.vcpus().find(({ vmid }) => isMade(vmid))?.vmid;
  }

  /** VM_STOP by force in the owner's name. */
  private stop(): void {
    const packet = new Uint8Array(16);
    const view = new DataView(packet.buffer);
    view.setUint32(0, 0x0121 | (FOREIGN_SEQUENCE << 16), true);
    view.setUint32(4, VM_STOP, true);
    view.setUint16(8, this.victim() ?? 0, true);
    view.setUint8(10, 1);
    this.hasFired = this.toRm !== undefined && this.faults.stuff(this.toRm, packet, 1) === 1;
  }

  private stuff(vmid: number, cap: bigint): void {
    const { faults } = this;
    const queue = faults.queueOf(vmid === RM_VMID ? RM_VMID : vmid, cap);
    this.hasFired = queue !== undefined && faults.stuff(queue, NOISE) > 0;
  }

  private sendOfOwner(packet: { readonly cap: bigint; readonly size: number; readonly setSize: (size: number) => void; readonly send: () => number }): number {
    const at = this.counts.packet++;
    const { faults } = this;
    this.toRm ??= faults.queueOf(PRIMARY_VMID, packet.cap);
    if (this.fault === undefined) this.sizes[at] = packet.size;
    const way = this.fault?.way ?? 0;
    if (this.isAt('truncate', at)) packet.setSize(way);
    const retired = packet.send();
    const queue = this.toRm ?? 0;
    if (this.isAt('damage', at)) this.hasFired = faults.damage(queue, Math.floor(way / MASKS.length), MASKS[way % MASKS.length] ?? 1);
    if (this.isAt('payload', at)) this.hasFired = faults.damage(queue, HEADER_BYTES + way, 0xff);
    if (this.isAt('repeat', at)) this.hasFired = faults.repeat(queue, VM_ALLOCATE);
    return retired;
  }
}

const isMade = (vmid: number): boolean => vmid >= MADE_VMIDS.first && vmid < MADE_VMIDS.end;
