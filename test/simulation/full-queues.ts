/**
 * Queues between VMs that are full at a bad moment. Three VMs with eight CPUs each hand messages round (`guests/ring.c`); just before one of their
 * sends somebody else fills that queue. What must hold: nothing is lost and nothing comes twice, the sender gets on when there is room
 * again, and so do all others.
 */

import { createSystem, ticks, type System, type TraceEvent } from '../../runtime/index';
import { Timeline } from '../../runtime/timeline/timeline';
import { RING_CPUS, ringSystem } from '../bench/ring-system';
import { FaultInjection } from './fault-injection';

const VMS = 3;
const MESSAGE = new Uint8Array(32).fill(0xa5);
const SLICE = 50_000;
const BOOT_END = 400_000_000;
/** Messages that each CPU has handed on when the ring goes round. */
const WARM = 4;
/** Messages that each CPU hands on after the fault: all that were put in, and more. */
const FOLLOWED = 40;
const FOLLOW_END = 40_000_000;

interface Queue { sent: number; received: number; readonly before: number; stuffed: number }

/** A ring that goes round. Every fault begins from the same checkpoint. */
export class FullQueues {
  private readonly system: System;
  private readonly faults: FaultInjection;
  private readonly timeline: Timeline;
  private readonly start: number;
  private queues = new Map<number, Queue>();
  /** The queue of the call in progress. */
  private called: number | undefined;
  private sends = 0;
  private point: number | undefined;

  private constructor(system: System) {
    this.system = system;
    this.faults = new FaultInjection(system);
    system.trace.onEvent = (event) => { this.note(event); };
    while (!this.hasHandedOn(WARM)) {
      this.run();
      if (system.now > BOOT_END) throw new Error('the ring never gets going');
    }
    this.timeline = new Timeline(system, { intervalEffort: Number.MAX_SAFE_INTEGER, budgetBytes: 2 ** 30, checkpointCountMax: 2 });
    this.timeline.mark();
    this.start = system.now;
  }

  static async make(): Promise<FullQueues> {
    const system = createSystem(await ringSystem({ count: VMS, load: 'full' }));
    if (!system.ok) throw new Error(system.error.map(({ message }) => message).join('\n'));
    return new FullQueues(system.value);
  }

  /** Fills a queue before a send, counted from the checkpoint; answers what is wrong. */
  fault(point: number): string | undefined {
    const { system } = this;
    this.timeline.approach(ticks(this.start));
    this.timeline.branch();
    this.queues = new Map([...this.queues.keys()].map((id) => [id, { sent: 0, received: 0, before: this.lengthOf(id), stuffed: 0 }]));
    this.sends = 0;
    this.point = point;
    while (this.point !== undefined || !this.hasHandedOn(FOLLOWED)) {
      this.run();
      if (system.now - this.start > FOLLOW_END) return `after ${String(FOLLOW_END)} ticks some have not handed ${String(FOLLOWED)} messages on`;
    }
    const wrong = [...this.queues].find(([id, { sent, received, before, stuffed }]) => this.lengthOf(id) !== before + stuffed + sent - received);
    return wrong === undefined ? undefined : `queue ${String(wrong[0])} holds ${String(this.lengthOf(wrong[0]))} messages, with ${JSON.stringify(wrong[1])}`;
  }

  private run(): void {
    const { kind } = this.system.run({ until: ticks(this.system.now + SLICE), effortMax: 100_000_000 });
    if (kind !== 'limit') throw new Error(`the run ends with ${kind}`);
    this.system.parts.hypervisor.checkInvariants();
  }

  private hasHandedOn(count: number): boolean {
    const moving = [...this.queues.values()].filter(({ sent }) => sent >= count);
    return moving.length >= VMS * RING_CPUS;
  }

  private note(event: TraceEvent): void {
    if (event.event !== 'hypercall' || (event.name !== 'msgqueue_send' && event.name !== 'msgqueue_receive')) return;
    if (event.phase === 'enter') {
      const id = this.faults.queueOf(event.vmid, BigInt(event.args['msgqueue']?.toString() ?? 0));
      this.called = id !== undefined && this.queue(id)?.messageSizeMax === MESSAGE.length ? id : undefined;
      if (this.called !== undefined && event.name === 'msgqueue_send' && this.sends++ === this.point) this.fill(this.called);
    } else if (this.called !== undefined && event.error === 'OK') {
      const queue = this.countsOf(this.called);
      if (event.name === 'msgqueue_send') queue.sent++;
      else queue.received++;
    }
  }

  private fill(id: number): void {
    this.point = undefined;
    this.countsOf(id).stuffed += this.faults.stuff(id, MESSAGE);
  }

  private countsOf(id: number): Queue {
    const known = this.queues.get(id) ?? { sent: 0, received: 0, before: 0, stuffed: 0 };
    this.queues.set(id, known);
    return known;
  }

  private lengthOf(id: number): number {
    return this.queue(id)?.messages.length ?? -1;
  }

  private queue(id: number): { readonly messages: readonly unknown[]; readonly messageSizeMax: number } | undefined {
    for (const queue of this.system.parts.hypervisor.kernel.ofType('msgqueue')) if (queue.header.id === id) return queue;
    return undefined;
  }
}
