/**
 * The hypervisor's own state: the objects, who owns memory, who runs, and how objects are born and die.
 *
 * Objects know each other through references; everything that must know them all (creation by type, destruction in the right order,
 * waking a vCPU) is here. Calls are in `hypercalls*.ts`, exits in `exits.ts`, the public face in `hypervisor.ts`.
 */

import { assert, present } from '../base/assert';
import { ticks, type Ticks, vmid } from '../base/brands';
import { Prng } from '../base/prng';
import type { TraceEvent, TraceSink } from '../base/trace-event';
import type { Engine } from '../engine/interface';
import { GUNYAH_GIC, PHYSICAL_GIC } from '../machine/devices/gic-profile';
import type { EventQueue } from '../machine/interface';
import { Addrspace, VMMIO_RANGE_BYTES } from './addrspace';
import { type Capability, Cspace, PLAIN_ENCODING } from './cspace';
import { Doorbell } from './doorbell';
import { FORWARD_BYTES, Hwirq } from './hwirq';
import type { UntimedTraceEvent } from './interface';
import { Memdb, HYPERVISOR_OWNER, type PageRange } from './memdb';
import { Memextent, type MemoryWorld } from './memextent';
import { Msgqueue } from './msgqueue';
import { Heap, Partition } from './partition';
import type { PerformanceMonitors } from './performance-monitors';
import { Pgtable } from './pgtable';
import { Scheduler, type SchedulerHooks } from './scheduler';
import { ServiceRegistry } from './service-registry';
import { GUNYAH_SERVICES, type ServiceSettings } from './service-registers';
import type { Identity } from './smccc';
import { StolenTime } from './stolen-time';
import { Thread } from './thread';
import { TRACE_CLASSES_DEFAULT } from './trace-formats';
import { TraceLog } from './trace-log';
import { observeVic } from './trace-vic';
import { makeVcpuMonitors, type VcpuMonitors } from './vcpu-monitors';
import type { VcpuTimers } from './vcpu-timers';
import { VIRQ_PMU } from './vic';
import { VicObject } from './vic-object';
import { VirtioMmio } from './virtio-mmio';
import { VpmGroup } from './vpm';
import { Vrtc } from './vrtc';
import { Watchdog } from './watchdog';

/** Objects by type name; types without a class have no objects. */
export interface ObjectByType {
  readonly partition: Partition;
  readonly cspace: Cspace;
  readonly addrspace: Addrspace;
  readonly memextent: Memextent;
  readonly thread: Thread;
  readonly doorbell: Doorbell;
  readonly msgqueue: Msgqueue;
  readonly vic: VicObject;
  readonly hwirq: Hwirq;
  readonly vpm_group: VpmGroup;
  readonly virtio_mmio: VirtioMmio;
  readonly watchdog: Watchdog;
  readonly vrtc: Vrtc;
}
/** Any object. */
export type AnyObject = Partition | Cspace | Addrspace | Memextent | Thread | Doorbell | Msgqueue | VicObject | Hwirq | VpmGroup | VirtioMmio | Vrtc | Watchdog;
/** Types that partition_create_* makes. */
export type CreatableType = 'cspace' | 'addrspace' | 'memextent' | 'thread' | 'doorbell' | 'msgqueue' | 'vic' | 'vpm_group' | 'virtio_mmio' | 'vrtc' | 'watchdog';

/** Heap bytes of each object: what creation charges. */
const OBJECT_BYTES: Readonly<Record<CreatableType, number>> = {
  cspace: 4096, addrspace: 4096, memextent: 512, thread: 8192, doorbell: 256, msgqueue: 512, vic: 16384, vpm_group: 512, virtio_mmio: 8192, vrtc: 256, watchdog: 256,
};

/** Kinds of owners in the trace (Gunyah: memdb types). */
const MEMDB_TYPE = { partition: 1, allocator: 2, extent: 3 } as const;
/** The allocator of the root partition, as entries of the trace name it. */
const HEAP_ADDRESS = 0xffff_ffd6_0000_a000;

function isCreatable(type: string): type is CreatableType {
  return type in OBJECT_BYTES;
}

/** Identification registers by Arm ARM name. */
export type IdentificationValues = Readonly<Record<string, bigint>>;

/** What the kernel is made of. */
export interface KernelOptions {
  readonly engine: Engine;
  readonly events: EventQueue;
  readonly cpuCount: number;
  /** `undefined` costs nothing. */
  readonly trace: TraceSink | undefined;
  readonly seed: number;
  /** RAM for stage-2 tables and the budget of all objects. */
  readonly heap: { readonly base: bigint; readonly sizeBytes: bigint };
  /** Memory outside RAM that the root VM's device extent covers. */
  readonly deviceSpace: { readonly base: bigint; readonly sizeBytes: bigint };
  /** vCPUs that the engine has. */
  readonly vcpuCountMax: number;
  /** Hardware lines that may be forwarded, by INTID. */
  readonly hardwareInterrupts: readonly number[];
  /** `plain`: small sequential identifiers, as debug builds; `random`: scrambled per cspace, as production builds. */
  readonly capabilityEncoding: 'plain' | 'random';
  readonly identification: { readonly pinned: IdentificationValues; readonly unpinned: IdentificationValues };
  /** PMCR_EL0 of the core without its writable bits (see isa/identification-profiles.ts). */
  readonly monitorControl: bigint;
  /** How the hypervisor answers a guest that asks what it is. */
  readonly identity: Identity;
  /** The hypercall services that a VM begins with; absent: Gunyah's own for all. */
  readonly services?: (vmid: number) => ServiceSettings;
  /** Time of day at power-on, in seconds since 1970. */
  readonly startSeconds: number;
  /** Whether calls take what only hypervisors after the reference build take: donations to protected VMs, kinds of mappings. */
  readonly isNewer: boolean;
  /** The platform has watchdogs, which the reference build leaves out. */
  readonly watchdog: boolean;
  readonly onPlatformPower: (action: 'off' | 'reset') => void;
}

/** The hypervisor's state. */
export class Kernel {
  readonly options: KernelOptions;
  readonly engine: Engine;
  readonly memdb = new Memdb();
  readonly partition: Partition;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly memoryWorld: MemoryWorld;
  /** Every object that lives, by id, in order of creation. */
  readonly objects = new Map<number, AnyObject>();
  /** The thread whose registers each physical CPU holds: it runs, or waits for an interrupt where nothing else runs. */
  readonly running: (Thread | undefined)[] = [];
  readonly timers = new Map<number, VcpuTimers>();
  readonly services: ServiceRegistry;
  readonly stolenTime = new StolenTime(this);
  readonly monitors = new Map<number, VcpuMonitors>();
  /** The trace in memory; a machine without a hypervisor has none. */
  readonly traceLog: TraceLog | undefined;
  /** A thread whose wires are being taken off. */
  private leaving: Thread | undefined;
  /** Trace classes (Gunyah API: trace_update_class_flags), as an untouched debug build has them. */
  traceClasses = TRACE_CLASSES_DEFAULT;
  /** Instructions that the hypervisor retired for guests since the last look. */
  retired = 0;
  nextObjectId = 1;
  engineVcpuOwners: (Thread | undefined)[];
  /** Objects without references, the first of them being destroyed. Empty between calls. */
  private readonly dying: AnyObject[] = [];

  constructor(options: KernelOptions, hooks: { readonly runEnded: SchedulerHooks['runEnded'] }) {
    this.options = options;
    this.engine = options.engine;
    this.prng = new Prng(options.seed);
    this.services = new ServiceRegistry(options.services ?? (() => GUNYAH_SERVICES));
    this.engineVcpuOwners = Array.from({ length: options.vcpuCountMax }, () => undefined);
    const heapFirst = Number(options.heap.base >> 12n);
    const heapEnd = Number((options.heap.base + options.heap.sizeBytes) >> 12n);
    this.partition = new Partition(this.nextObjectId++, new Heap(heapFirst, heapEnd - heapFirst));
    const { memory } = options.engine;
    this.traceLog = options.identity === 'none' ? undefined : new TraceLog({ memory, heap: this.partition.heap, cpuCount: options.cpuCount, classes: this.traceClasses, now: () => this.now });
    this.partition.header.state = 'active';
    // Objects of the boot live for ever, whatever becomes of their capabilities.
    this.partition.header.get();
    this.objects.set(this.partition.header.id, this.partition);
    this.scheduler = new Scheduler(options.cpuCount, { ...hooks, trace: this.traceLog });
    this.populateMemory({ first: heapFirst, end: heapEnd });
    this.logBoot({ first: heapFirst, end: heapEnd });
    this.memoryWorld = {
      memory: options.engine.memory, memdb: this.memdb, partition: this.partition,
      report: (action, range, detail) => {
        if (this.tracing) this.emit({ event: 'memory', vmid: vmid(0), action, base: BigInt(range.first) << 12n, sizeBytes: BigInt(range.end - range.first) << 12n, detail });
      },
    };
    for (const intid of [...options.hardwareInterrupts].sort((a, b) => a - b)) {
      const hwirq = new Hwirq(this.nextObjectId++, intid);
      hwirq.header.get();
      hwirq.onTaken = () => this.traceLog?.log(this.traceLog.rows.hardwareInterrupt, hwirq.intid);
      this.objects.set(hwirq.header.id, hwirq);
    }
  }

  get now(): Ticks {
    return this.options.events.now;
  }

  /** True if somebody listens: build events only then. */
  get tracing(): boolean {
    return this.options.trace !== undefined;
  }

  /** Sends an event that has its time: what happens often is made whole at once. */
  send(event: TraceEvent): void {
    this.options.trace?.(event);
  }

  /** Sends an event with the time. */
  emit(event: UntimedTraceEvent): void {
    this.options.trace?.({ ...event, tick: ticks(this.now) });
  }

  /** True if the heap can pay for an object, its first table included. */
  canCreate(type: CreatableType): boolean {
    return this.partition.heap.canReserve(OBJECT_BYTES[type]) && (type !== 'addrspace' || this.partition.heap.canAllocate(2));
  }

  /** Makes an object in state INIT without a capability; `undefined` (NOMEM) if the heap cannot pay. */
  create(type: CreatableType): AnyObject | undefined {
    const { heap } = this.partition;
    if (!heap.reserveBytes(OBJECT_BYTES[type])) return undefined;
    const object = this.construct(type, this.nextObjectId);
    if (object === undefined || (object instanceof Addrspace && !object.pgtable.create())) {
      heap.releaseBytes(OBJECT_BYTES[type]);
      return undefined;
    }
    this.nextObjectId++;
    this.objects.set(object.header.id, object);
    return object;
  }

  /** An object of a type with a given id, without memory for tables and not registered. */
  construct(type: CreatableType, id: number): AnyObject {
    switch (type) {
      case 'cspace': return new Cspace(id, this.options.capabilityEncoding === 'plain' ? PLAIN_ENCODING : this.randomEncoding(), this.partition.heap);
      case 'addrspace': return new Addrspace(id, new Pgtable(this.engine.memory, this.partition.heap, () => { this.engine.invalidateTlb(); }));
      case 'memextent': return new Memextent(id, this.memoryWorld);
      case 'thread': return new Thread(id);
      case 'doorbell': return new Doorbell(id);
      case 'msgqueue': return new Msgqueue(id);
      case 'vic': return this.listenTo(new VicObject(id, this.options.identity === 'none' ? PHYSICAL_GIC : GUNYAH_GIC));
      case 'vpm_group': return new VpmGroup(id);
      case 'virtio_mmio': return new VirtioMmio(id, this.engine.memory);
      case 'vrtc': return new Vrtc(id);
      case 'watchdog': return this.guard(new Watchdog(id, this.options.events));
    }
  }

  /** Adds a capability to an object and counts it. The cspace has room. */
  grant(cspace: Cspace, capability: Capability): ReturnType<Cspace['insert']> {
    capability.object.header.get();
    return cspace.insert(capability);
  }

  /** Drops one reference and destroys the object with the last one. Chains of objects end one after the other, without recursion. */
  put(object: AnyObject): void {
    if (!object.header.put()) return;
    this.dying.push(object);
    if (this.dying.length > 1) return;
    for (let next = this.dying[0]; next !== undefined; next = this.dying[0]) {
      this.destroy(next);
      this.dying.shift();
    }
  }

  /** Revokes every other capability to an object, everywhere. The references of revoked ones end now; their slots stay. */
  revokeOthers(object: AnyObject, master: Capability): void {
    for (const cspace of this.ofType('cspace')) {
      for (const [, capability] of cspace.entries()) {
        if (capability.object !== object || capability === master || capability.state === 'revoked') continue;
        capability.state = 'revoked';
        object.header.put();
      }
    }
  }

  /** Has the trace in memory show what an interrupt controller does from its activation on. */
  follow(object: VicObject): void {
    if (this.traceLog !== undefined) object.vic.observer = observeVic(this.traceLog, object, (index) => this.threadAt(object, index));
  }

  /** All live objects of a type in order of creation. */
  *ofType<T extends keyof ObjectByType>(type: T): IterableIterator<ObjectByType[T]> {
    for (const object of this.objects.values()) if (isType(object, type)) yield object;
  }

  /** The object with an id, which must exist. */
  object<T extends keyof ObjectByType>(type: T, id: number): ObjectByType[T] {
    const object = present(this.objects.get(id), `object ${id} is referred to but does not exist`);
    assert(isType(object, type), `object ${id} is not of type ${type}`);
    return object;
  }

  /** Performance monitors of a vCPU, made when first touched. */
  monitorsOf(thread: Thread): PerformanceMonitors {
    const known = this.monitors.get(thread.header.id);
    if (known !== undefined) return known.monitors;
    const made = makeVcpuMonitors({
      queue: this.options.events, vcpu: this.engine.vcpu(thread.engineVcpu ?? 0), control: this.options.monitorControl, hasEl3: this.options.identity !== 'none',
      vic: thread.vic === undefined ? undefined : { vic: thread.vic.object.vic, index: thread.vic.index }, threadId: thread.header.id,
    });
    this.monitors.set(thread.header.id, made);
    return made.monitors;
  }

  /** RAM of the platform in pages. */
  ramRanges(): PageRange[] {
    return this.engine.memory.ram.map(({ base, sizeBytes }) => {
      const first = Number(base >> 12n);
      return { first, end: first + Math.floor(sizeBytes / 4096) };
    });
  }

  /** An engine vCPU for a thread, or `undefined` (NOMEM). */
  takeEngineVcpu(thread: Thread): number | undefined {
    const index = this.engineVcpuOwners.indexOf(undefined);
    if (index < 0) return undefined;
    this.engineVcpuOwners[index] = thread;
    return index;
  }

  private destroy(object: AnyObject): void {
    object.header.state = 'destroying';
    this.objects.delete(object.header.id);
    this.releaseLinks(object);
    const { type } = object.header;
    if (isCreatable(type)) this.partition.heap.releaseBytes(OBJECT_BYTES[type]);
  }

  private releaseLinks(object: AnyObject): void {
    if (object instanceof Cspace) this.destroyCspace(object);
    else if (object instanceof Addrspace) this.destroyAddrspace(object);
    else if (object instanceof Memextent) this.destroyMemextent(object);
    else if (object instanceof Thread) this.destroyThread(object);
    else if (object instanceof Doorbell) object.source.unbind();
    else if (object instanceof VpmGroup) object.source.unbind();
    else if (object instanceof Msgqueue) this.destroyMsgqueue(object);
    else if (object instanceof VicObject) this.destroyVic(object);
    else if (object instanceof VirtioMmio) this.destroyVirtio(object);
    else if (object instanceof Watchdog) object.destroy();
  }

  private destroyCspace(cspace: Cspace): void {
    const held = [...cspace.entries()].map(([, capability]) => capability).filter((capability) => capability.state === 'valid');
    cspace.clear();
    for (const capability of held) {
      const object = this.objects.get(capability.object.header.id);
      if (object !== undefined) this.put(object);
    }
  }

  private destroyAddrspace(addrspace: Addrspace): void {
    for (const extent of this.ofType('memextent')) extent.forgetAddrspace(addrspace);
    this.services.forget(addrspace.vmid);
    for (const frame of addrspace.vdeviceFrames) frame.vic.vic.detachFrame(frame.index);
    addrspace.pgtable.destroy();
    this.partition.heap.releaseBytes(VMMIO_RANGE_BYTES * addrspace.vmmioRanges.length);
    const info = addrspace.infoArea;
    if (info === undefined) return;
    if (info.isAttached) info.extent.attachmentCount--;
    this.put(info.extent);
  }

  private destroyMemextent(extent: Memextent): void {
    if (extent.header.type === 'memextent') extent.destroy();
    if (extent.parent !== undefined) this.put(extent.parent);
  }

  private destroyThread(thread: Thread): void {
    this.scheduler.dequeue(thread);
    for (const donor of [thread, thread.runner]) if (donor !== undefined) this.scheduler.endRun(donor);
    this.running.forEach((other, cpu) => { if (other === thread) this.running[cpu] = undefined; });
    this.stolenTime.forget(thread);
    thread.state = 'exited';
    this.leaving = thread;
    thread.haltSource.unbind();
    thread.wakeupSource.unbind();
    this.releaseMonitors(thread);
    this.timers.get(thread.header.id)?.release();
    this.timers.delete(thread.header.id);
    if (thread.vic !== undefined && thread.engineVcpuReleased(this.engineVcpuOwners)) thread.vic.object.vic.detachVcpu(thread.vic.index);
    if (thread.vpm !== undefined && thread.vpm.group.threadAt(thread.vpm.index) === thread) thread.vpm.group.remove(thread.vpm.index);
    if (thread.addrspace !== undefined) thread.addrspace.threadCount--;
    this.leaving = undefined;
    for (const link of [thread.cspace, thread.addrspace, thread.vic?.object, thread.vpm?.group, thread.watchdog]) if (link !== undefined) this.put(link);
  }

  /** Their wire is taken off the interrupt also where nobody has ever asked for the monitors. */
  private releaseMonitors(thread: Thread): void {
    const monitors = this.monitors.get(thread.header.id);
    if (monitors !== undefined) monitors.release();
    else if (thread.vic !== undefined && thread.wasActivated) thread.vic.object.vic.clearSource({ vic: thread.vic.object.vic, virq: VIRQ_PMU, vcpuIndex: thread.vic.index });
    this.monitors.delete(thread.header.id);
  }

  private destroyMsgqueue(queue: Msgqueue): void {
    queue.sendSource.unbind();
    queue.receiveSource.unbind();
    if (queue.isBufferPaid) this.partition.heap.releaseBytes(queue.bufferSizeBytes);
  }

  private destroyVirtio(device: VirtioMmio): void {
    device.backendSource.unbind();
    device.frontendSource.unbind();
    if (device.isAttached) {
      this.partition.heap.releaseBytes(device.memorySizeBytes);
      if (device.extent !== undefined) device.extent.attachmentCount--;
    }
    if (device.extent !== undefined) this.put(device.extent);
  }

  private destroyVic(vic: VicObject): void {
    for (const addrspace of this.ofType('addrspace')) addrspace.detachFrames(vic);
    for (const hwirq of this.ofType('hwirq')) {
      if (hwirq.forward?.vic !== vic) continue;
      hwirq.unbind();
      this.partition.heap.releaseBytes(FORWARD_BYTES);
    }
    vic.vic.destroy();
  }

  /** RAM but for the heap, and device space, belong to the root partition at first. */
  private populateMemory(heap: PageRange): void {
    const owner = this.partition.header.id;
    for (const range of this.ramRanges()) this.memdb.populate(range, owner);
    this.memdb.transfer(heap, owner, HYPERVISOR_OWNER);
    const { base, sizeBytes } = this.options.deviceSpace;
    const first = Number(base >> 12n);
    if (sizeBytes > 0n) this.memdb.populate({ first, end: first + Number(sizeBytes >> 12n) }, owner);
  }

  /** What a hypervisor logs of its own start, and from then on who gets memory. */
  private logBoot(heap: PageRange): void {
    const log = this.traceLog;
    if (log === undefined) return;
    const { rows } = log;
    const range = ({ first, end }: PageRange): readonly [number, number] => [first * 4096, end * 4096 - 1];
    log.log(rows.online, 0);
    log.log(rows.coldBoot, log.word('version'), log.word('date'));
    log.log(rows.warmInit);
    log.log(rows.hypervisorStart);
    for (const ram of this.ramRanges()) log.log(rows.memdbInsert, ...range(ram), log.addressOf(this.partition), MEMDB_TYPE.partition);
    log.log(rows.memdbUpdate, ...range(heap), HEAP_ADDRESS, MEMDB_TYPE.allocator);
    this.memdb.onTransfer = (part, owner) => {
      const { type } = this.objects.get(owner)?.header ?? { type: 'partition' };
      log.log(rows.memdbUpdate, ...range(part), owner === HYPERVISOR_OWNER ? HEAP_ADDRESS : log.addressOf({ header: { id: owner } }), type === 'partition' ? MEMDB_TYPE.partition : MEMDB_TYPE.extent);
    };
  }

  private threadAt(object: VicObject, index: number): Thread | undefined {
    for (const thread of this.ofType('thread')) if (thread.vic?.object === object && thread.vic.index === index) return thread;
    return this.leaving?.vic?.object === object && this.leaving.vic.index === index ? this.leaving : undefined;
  }

  private randomEncoding(): { readonly base: bigint; readonly multiplier: bigint } {
    const high = BigInt(this.prng.nextU32() % 0xffff_ff00);
    return { base: (high << 32n) | BigInt(this.prng.nextU32()), multiplier: BigInt(1 + this.prng.below(0xffff)) };
  }

  /** Reports bites; a critical one is the platform's. */
  private guard(watchdog: Watchdog): Watchdog {
    watchdog.onBite = () => {
      const thread = [...this.ofType('thread')].find((candidate) => candidate.watchdog === watchdog);
      if (this.tracing) this.emit({ event: 'report', vmid: vmid(thread?.vmid ?? 0), code: 'watchdog-bite', message: 'The watchdog of this VM was not petted in time.' });
      if (watchdog.isCritical) this.options.onPlatformPower('reset');
    };
    return watchdog;
  }

  private listenTo(object: VicObject): VicObject {
    this.follow(object);
    let thread: Thread | undefined;
    object.vic.onVirq = (event) => {
      if (!this.tracing) return;
      // All vCPUs of a VIC are of one VM: whichever was found last will do. Searching each time costs more than the interrupt.
      if (thread?.vic?.object !== object) thread = [...this.ofType('thread')].find((candidate) => candidate.vic?.object === object);
      const { vcpuIndex: vcpu, action, virq, source } = event;
      const id = vmid(thread?.vmid ?? 0);
      if (vcpu === undefined) this.send({ event: 'virq', vmid: id, action, virq, source, tick: this.now });
      else this.send({ event: 'virq', vmid: id, vcpu, action, virq, source, tick: this.now });
    };
    return object;
  }
}

/** Narrows an object by its type name. */
export function isType<T extends keyof ObjectByType>(object: AnyObject, type: T): object is AnyObject & ObjectByType[T] {
  return object.header.type === type;
}
