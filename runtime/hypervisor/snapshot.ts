/**
 * Saving and restoring the hypervisor: every object by id, with references as ids. Engine memory (stage-2 tables live there) and vCPU
 * registers are saved by their owners, and the event queue is restarted before `restoreKernel` puts deadlines back.
 */

import { assert } from '../base/assert';
import { Addrspace, type SavedAddrspace } from './addrspace';
import { Cspace, type SavedCspace } from './cspace';
import { Doorbell, type SavedDoorbell } from './doorbell';
import { Hwirq } from './hwirq';
import type { AnyObject, CreatableType, Kernel } from './kernel';
import type { OwnedRun } from './memdb';
import { Memextent, type SavedMemextent } from './memextent';
import { Msgqueue, type SavedMsgqueue } from './msgqueue';
import { restoreHeader, saveHeader, type SavedHeader } from './object';
import { Partition, type SavedHeap } from './partition';
import type { SavedMonitors } from './performance-monitors';
import type { SavedScheduler } from './scheduler';
import type { SavedServiceRegistry } from './service-registry';
import type { SavedStolenTime } from './stolen-time';
import { type SavedThread, Thread } from './thread';
import { vicPort } from './vcpu';
import { makeVcpuTimers, type VcpuTimers } from './vcpu-timers';
import type { SavedVic, Vic } from './vic';
import { VicObject } from './vic-object';
import type { SavedVirqBinding, VirqSource } from './virq-source';
import { type SavedVirtioMmio, VirtioMmio } from './virtio-mmio';
import { type SavedVpmGroup, VpmGroup } from './vpm';
import { type SavedVrtc, Vrtc } from './vrtc';
import type { SavedTraceLog } from './trace-log';
import { type SavedWatchdog, Watchdog } from './watchdog';

type SavedBody =
  | { readonly type: 'partition'; readonly body: SavedHeap }
  | { readonly type: 'cspace'; readonly body: SavedCspace }
  | { readonly type: 'addrspace'; readonly body: SavedAddrspace }
  | { readonly type: 'memextent'; readonly body: SavedMemextent }
  | { readonly type: 'thread'; readonly body: SavedThread }
  | { readonly type: 'doorbell'; readonly body: SavedDoorbell }
  | { readonly type: 'msgqueue'; readonly body: SavedMsgqueue }
  | { readonly type: 'vic'; readonly body: SavedVic }
  | { readonly type: 'hwirq'; readonly body: { readonly intid: number; readonly level: boolean; readonly isLatched?: boolean; readonly isUnrouted: boolean; readonly forward: { readonly vic: number; readonly virq: number } | undefined } }
  | { readonly type: 'virtio_mmio'; readonly body: SavedVirtioMmio }
  | { readonly type: 'vrtc'; readonly body: SavedVrtc }
  | { readonly type: 'watchdog'; readonly body: SavedWatchdog }
  | { readonly type: 'vpm_group'; readonly body: SavedVpmGroup };
type SavedSource = (SavedVirqBinding & { readonly vic: number }) | undefined;
/** One object. */
export type SavedObject = SavedBody & { readonly header: SavedHeader; readonly sources: readonly SavedSource[] };

/** The whole state. */
export interface SavedKernel {
  readonly kind: 'hypervisor';
  readonly version: 1;
  readonly objects: readonly SavedObject[];
  readonly memdb: readonly OwnedRun[];
  readonly scheduler: SavedScheduler;
  readonly running: readonly (number | undefined)[];
  readonly timers: readonly (readonly [number, ReturnType<VcpuTimers['save']>])[];
  readonly monitors: readonly (readonly [number, SavedMonitors])[];
  readonly prng: readonly number[];
  readonly traceClasses: bigint;
  readonly traceLog?: SavedTraceLog | undefined;
  readonly nextObjectId: number;
  readonly retired: number;
  readonly services: SavedServiceRegistry;
  readonly stolenTime: SavedStolenTime;
}

/** Interrupt sources that an object holds, in a fixed order. */
export function sourcesOf(object: AnyObject): readonly VirqSource[] {
  if (object instanceof Doorbell || object instanceof VpmGroup) return [object.source];
  if (object instanceof Hwirq) return object.sources;
  if (object instanceof Watchdog) return [object.barkSource, object.biteSource];
  if (object instanceof Msgqueue) return [object.sendSource, object.receiveSource];
  if (object instanceof VirtioMmio) return [object.backendSource, object.frontendSource];
  return object instanceof Thread ? [object.haltSource, object.wakeupSource] : [];
}

/** Saves everything. */
export function saveKernel(kernel: Kernel): SavedKernel {
  const vicIds = new Map<Vic, number>([...kernel.ofType('vic')].map((object) => [object.vic, object.header.id]));
  return {
    kind: 'hypervisor', version: 1,
    objects: [...kernel.objects.values()].map((object) => ({
      ...saveBody(object), header: saveHeader(object.header), sources: sourcesOf(object).map((source) => saveSource(source, vicIds)),
    })),
    memdb: kernel.memdb.save(), scheduler: kernel.scheduler.save(), running: Array.from({ length: kernel.options.cpuCount }, (_, cpu) => kernel.running[cpu]?.header.id),
    timers: [...kernel.timers].map(([id, timers]) => [id, timers.save()]),
    monitors: [...kernel.monitors].map(([id, { monitors }]) => [id, monitors.save()]),
    prng: kernel.prng.save(), traceClasses: kernel.traceClasses, traceLog: kernel.traceLog?.save(), nextObjectId: kernel.nextObjectId, retired: kernel.retired, services: kernel.services.save(), stolenTime: kernel.stolenTime.save(),
  };
}

function saveSource(source: VirqSource, vicIds: ReadonlyMap<Vic, number>): SavedSource {
  const { bound } = source;
  const vic = bound === undefined ? undefined : vicIds.get(bound.vic);
  return bound === undefined || vic === undefined ? undefined : { vic, virq: bound.virq, vcpuIndex: bound.vcpuIndex };
}

function saveBody(object: AnyObject): SavedBody {
  if (object instanceof Partition) return { type: 'partition', body: object.heap.save() };
  if (object instanceof Cspace) return { type: 'cspace', body: object.save() };
  if (object instanceof Addrspace) return { type: 'addrspace', body: object.save() };
  if (object instanceof Memextent) return { type: 'memextent', body: object.save() };
  if (object instanceof Thread) return { type: 'thread', body: object.save() };
  if (object instanceof Doorbell) return { type: 'doorbell', body: object.save() };
  if (object instanceof Msgqueue) return { type: 'msgqueue', body: object.save() };
  if (object instanceof VicObject) return { type: 'vic', body: object.vic.save() };
  if (object instanceof Hwirq) return { type: 'hwirq', body: { intid: object.intid, level: object.level, isLatched: object.isLatched, isUnrouted: object.isUnrouted, forward: object.forward && { vic: object.forward.vic.header.id, virq: object.forward.virq } } };
  if (object instanceof VirtioMmio) return { type: 'virtio_mmio', body: object.save() };
  if (object instanceof Vrtc) return { type: 'vrtc', body: object.save() };
  if (object instanceof Watchdog) return { type: 'watchdog', body: object.save() };
  return { type: 'vpm_group', body: object.save() };
}

/** Takes a saved state back, made by a kernel with equal options. */
export function restoreKernel(kernel: Kernel, saved: SavedKernel): void {
  kernel.traceLog?.pause();
  for (const timers of kernel.timers.values()) timers.release();
  kernel.timers.clear();
  for (const monitors of kernel.monitors.values()) monitors.release();
  kernel.monitors.clear();
  reviveObjects(kernel, saved);
  for (const entry of saved.objects) if (entry.type === 'vic') kernel.object('vic', entry.header.id).vic.restore(entry.body);
  for (const entry of saved.objects) restoreBody(kernel, entry);
  for (const entry of saved.objects) restoreLinks(kernel, entry);
  kernel.memdb.restore(saved.memdb);
  kernel.scheduler.restore(saved.scheduler, (id) => kernel.object('thread', id));
  saved.running.forEach((id, cpu) => { kernel.running[cpu] = id === undefined ? undefined : kernel.object('thread', id); });
  restoreVcpus(kernel, saved);
  kernel.prng.restore(saved.prng);
  kernel.traceClasses = saved.traceClasses;
  kernel.traceLog?.restore(saved.traceLog, saved.traceClasses, (id) => kernel.object('thread', id));
  kernel.nextObjectId = saved.nextObjectId;
  kernel.retired = saved.retired;
  kernel.services.restore(saved.services);
  kernel.stolenTime.restore(saved.stolenTime);
}

/** Keeps objects that live in both states, makes those that are missing, drops the others. */
function reviveObjects(kernel: Kernel, saved: SavedKernel): void {
  const old = new Map(kernel.objects);
  kernel.objects.clear();
  for (const { header, type } of saved.objects) {
    const kept = old.get(header.id);
    if (kept !== undefined && kept.header.type === type) {
      kernel.objects.set(header.id, kept);
      continue;
    }
    assert(type !== 'partition' && type !== 'hwirq', 'boot-time objects exist in every state');
    const creatable: CreatableType = type;
    kernel.objects.set(header.id, kernel.construct(creatable, header.id));
  }
  for (const { header } of saved.objects) {
    const object = kernel.objects.get(header.id);
    if (object !== undefined) restoreHeader(object.header, header);
  }
}

function restoreBody(kernel: Kernel, entry: SavedObject): void {
  const { id } = entry.header;
  switch (entry.type) {
    case 'partition': return kernel.partition.heap.restore(entry.body);
    case 'cspace': return restoreCspace(kernel, id, entry.body);
    case 'addrspace': return kernel.object('addrspace', id).restore(entry.body, (vic) => kernel.object('vic', vic), (extent) => kernel.object('memextent', extent));
    case 'memextent': return kernel.object('memextent', id).restore(entry.body, (other) => kernel.object('addrspace', other), (extent) => kernel.object('memextent', extent));
    case 'thread': return kernel.object('thread', id).restore(entry.body);
    case 'doorbell': return kernel.object('doorbell', id).restore(entry.body);
    case 'msgqueue': return kernel.object('msgqueue', id).restore(entry.body);
    case 'hwirq':
      restoreHwirq(kernel, id, entry.body);
      return;
    case 'vpm_group': return kernel.object('vpm_group', id).restore(entry.body, (thread) => kernel.object('thread', thread));
    case 'virtio_mmio': return kernel.object('virtio_mmio', id).restore(entry.body, (extent) => kernel.object('memextent', extent));
    case 'vrtc': return kernel.object('vrtc', id).restore(entry.body);
    case 'watchdog': return kernel.object('watchdog', id).restore(entry.body);
    case 'vic': return;
  }
}

function restoreHwirq(kernel: Kernel, id: number, { level, isLatched = false, isUnrouted, forward }: (SavedObject & { readonly type: 'hwirq' })['body']): void {
  const hwirq = kernel.object('hwirq', id);
  hwirq.level = level;
  hwirq.isLatched = isLatched;
  hwirq.isUnrouted = isUnrouted;
  hwirq.forward = forward && { vic: kernel.object('vic', forward.vic), virq: forward.virq };
}

function restoreCspace(kernel: Kernel, id: number, saved: SavedCspace): void {
  const cspace = kernel.object('cspace', id);
  cspace.restore(saved, (object) => {
    const found = kernel.objects.get(object);
    assert(found !== undefined, 'a saved capability names an object');
    return found;
  });
}

function restoreLinks(kernel: Kernel, entry: SavedObject): void {
  const object = kernel.objects.get(entry.header.id);
  assert(object !== undefined, 'a saved object was made');
  sourcesOf(object).forEach((source, n) => {
    const binding = entry.sources[n];
    source.restoreBinding(binding === undefined ? undefined : kernel.object('vic', binding.vic).vic, binding);
  });
  if (entry.type !== 'thread' || !(object instanceof Thread)) return;
  const { cspace, addrspace, vic, vpm, watchdog, yieldTarget, yieldKind } = entry.body;
  const runTarget = entry.body.runTarget ?? (yieldKind === 'directed' ? undefined : yieldTarget);
  object.watchdog = watchdog === undefined ? undefined : kernel.object('watchdog', watchdog);
  object.cspace = cspace === undefined ? undefined : kernel.object('cspace', cspace);
  object.addrspace = addrspace === undefined ? undefined : kernel.object('addrspace', addrspace);
  object.vic = vic && { object: kernel.object('vic', vic.object), index: vic.index };
  object.vpm = vpm && { group: kernel.object('vpm_group', vpm.group), index: vpm.index };
  object.yieldTarget = yieldTarget === undefined ? undefined : kernel.object('thread', yieldTarget);
  object.runTarget = runTarget === undefined ? undefined : kernel.object('thread', runTarget);
}

function restoreVcpus(kernel: Kernel, saved: SavedKernel): void {
  kernel.engineVcpuOwners.fill(undefined);
  for (const thread of kernel.ofType('thread')) thread.yieldDonor = thread.runner = undefined;
  for (const thread of kernel.ofType('thread')) {
    if (thread.yieldTarget !== undefined) thread.yieldTarget.yieldDonor = thread;
    if (thread.runTarget !== undefined) thread.runTarget.runner = thread;
    if (thread.engineVcpu !== undefined) kernel.engineVcpuOwners[thread.engineVcpu] = thread;
    if (thread.wasActivated && thread.vic !== undefined) thread.vic.object.vic.restoreVcpu(thread.vic.index, vicPort(kernel, thread));
  }
  for (const [id, timer] of saved.timers) {
    const thread = kernel.object('thread', id);
    if (thread.vic === undefined) continue;
    const timers = makeVcpuTimers(kernel.options.events, thread.vic.object.vic, thread.vic.index, id);
    timers.restore(timer);
    kernel.timers.set(id, timers);
  }
  for (const [id, monitors] of saved.monitors) kernel.monitorsOf(kernel.object('thread', id)).restore(monitors);
}
