/** What a debugger sees of the hypervisor: plain rows about objects, threads, capabilities, queues, doorbells and memory. */

import { type CapId, pa } from '../base/brands';
import { type InterruptControllerView, viewInterrupts } from './inspect-interrupts';
import type { ObjectType } from './hypercall-table';
import type { Kernel } from './kernel';
import type { ObjectState } from './object';
import type { Addrspace } from './addrspace';
import { DEVICE_PAGES, type PageAttributes } from './pgtable';
import { rightNames } from './rights';
import type { Thread } from './thread';
import type { VirqSource } from './virq-source';

/** Most stage-2 runs that one listing gives. */
const MAPPING_ROWS_MAX = 65_536;
const ROOT_VMID = 255;

/** One object. */
export interface ObjectRow { readonly id: number; readonly type: ObjectType; readonly state: ObjectState; readonly references: number }
/** One thread. */
export interface ThreadRow {
  readonly id: number; readonly kind: 'vcpu' | 'native'; readonly vmid: number; readonly index: number; readonly priority: number; readonly timesliceTicks: number;
  readonly sliceTicks: number; readonly affinity: number | undefined; readonly state: Thread['state']; readonly blockReasons: readonly string[]; readonly isProxy: boolean;
  readonly runsOnCpu: number | undefined; readonly engineVcpu: number | undefined; readonly cspace: number | undefined; readonly yieldTarget: number | undefined;
  readonly yieldDonor: number | undefined;
}
/** One physical CPU: the thread whose slice is used, the one that executes (another if it donates), and those that wait in their order. By object id. */
export interface CpuRow { readonly cpu: number; readonly payer: number | undefined; readonly current: number | undefined; readonly queued: readonly number[] }
/** A place in some address space at which physical memory can be seen. */
export interface AliasRow { readonly vmid: number; readonly ipa: bigint; readonly pa: bigint; readonly sizeBytes: bigint; readonly attributes: PageAttributes }
/** One occupied slot of a cspace. */
export interface CapabilityRow {
  readonly capId: CapId; readonly objectType: ObjectType; readonly objectId: number; readonly state: 'valid' | 'revoked'; readonly rightsMask: number;
  readonly rights: readonly string[]; readonly master: boolean;
}
/** Where a source is bound. */
export interface BindingRow { readonly vicObjectId: number; readonly vmid: number; readonly virq: number }
/** One message queue with what waits in it, oldest first. */
export interface QueueRow {
  readonly objectId: number; readonly depth: number; readonly maxMessageSize: number; readonly notFullThreshold: number; readonly notEmptyThreshold: number;
  readonly messages: readonly { readonly bytes: Uint8Array; readonly tick: number; readonly senderVmid: number; readonly senderVcpu: number }[];
  readonly sendVirq: BindingRow | undefined; readonly receiveVirq: BindingRow | undefined;
}
/** One doorbell. */
export interface DoorbellRow { readonly objectId: number; readonly flags: bigint; readonly enableMask: bigint; readonly ackMask: bigint; readonly virq: BindingRow | undefined }
/** A run of stage-2 leaves, in bytes. */
export interface MappingRow { readonly ipa: bigint; readonly pa: bigint; readonly sizeBytes: bigint; readonly owner: number | undefined; readonly attributes: PageAttributes }
/**
 * A range of a VM's addresses where nothing is mapped and accesses are answered all the same: by its interrupt controller (`index` counts redistributors), by its clock,
 * by whoever runs its vCPUs (`vmmio`), or by the board (`device-space`).
 */
export interface WindowRow { readonly ipa: bigint; readonly sizeBytes: bigint; readonly kind: 'distributor' | 'redistributor' | 'clock' | 'vmmio' | 'device-space'; readonly index: number }
/** The information area of an address space. */
export interface InfoAreaRow { readonly vmid: number; readonly ipa: bigint; readonly extentId: number; readonly sizeBytes: bigint; readonly isMapped: boolean }
/** One extent. */
export interface ExtentRow {
  readonly objectId: number; readonly base: bigint; readonly sizeBytes: bigint; readonly kind: 'basic' | 'sparse'; readonly memoryType: string; readonly access: number; readonly parent: number | undefined;
  readonly owned: readonly { readonly base: bigint; readonly sizeBytes: bigint }[];
  readonly mappings: readonly { readonly addrspace: number; readonly vmid: number; readonly ipa: bigint; readonly offset: bigint; readonly sizeBytes: bigint; readonly attributes: PageAttributes }[];
}

const bytes = (pages: number) => BigInt(pages) << 12n;

/** What is left of device space where something was mapped over parts of it. */
function deviceSpacePieces(taken: readonly (readonly [first: number, end: number])[]): WindowRow[] {
  const borders = [0, ...taken.flatMap(([first, end]) => [Math.min(first, DEVICE_PAGES), Math.min(end, DEVICE_PAGES)]), DEVICE_PAGES];
  return Array.from({ length: borders.length / 2 }, (_, index) => [borders[index * 2] ?? 0, borders[index * 2 + 1] ?? 0] as const)
    .filter(([first, end]) => first < end)
    .map(([first, end], index) => ({ ipa: bytes(first), sizeBytes: bytes(end - first), kind: 'device-space', index }));
}

/** Reads the hypervisor's state; changes nothing. */
export class Inspection {
  private readonly kernel: Kernel;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  objects(): ObjectRow[] {
    return [...this.kernel.objects.values()].map(({ header }) => ({ id: header.id, type: header.type, state: header.state, references: header.references }));
  }

  threads(): ThreadRow[] {
    return [...this.kernel.ofType('thread')].map((thread) => this.threadRow(thread));
  }

  /** Capabilities in one cspace, by its object id. */
  capabilities(cspaceId: number): CapabilityRow[] {
    return [...this.kernel.object('cspace', cspaceId).entries()].map(([capId, { object: { header }, rights, master, state }]) => ({
      capId, objectType: header.type, objectId: header.id, state, rightsMask: rights, rights: rightNames(header.type, rights), master,
    }));
  }

  /** Object ids by capability. */
  objectsIn(cspaceId: number): ReadonlyMap<bigint, number> {
    return new Map([...this.kernel.object('cspace', cspaceId).entries()].map(([capId, { object }]): [bigint, number] => [capId, object.header.id]));
  }

  /** The cspace of the first thread of a VM. */
  cspaceOf(vmid: number): number | undefined {
    for (const thread of this.kernel.ofType('thread')) if (thread.vmid === vmid && thread.cspace !== undefined) return thread.cspace.header.id;
    return undefined;
  }

  queues(): QueueRow[] {
    return [...this.kernel.ofType('msgqueue')].map((queue) => ({
      objectId: queue.header.id, depth: queue.depth, maxMessageSize: queue.messageSizeMax, notFullThreshold: queue.notFullThreshold, notEmptyThreshold: queue.notEmptyThreshold,
      messages: queue.messages, sendVirq: this.bindingRow(queue.sendSource), receiveVirq: this.bindingRow(queue.receiveSource),
    }));
  }

  doorbells(): DoorbellRow[] {
    return [...this.kernel.ofType('doorbell')].map((doorbell) => ({
      objectId: doorbell.header.id, flags: doorbell.flags, enableMask: doorbell.enableMask, ackMask: doorbell.ackMask, virq: this.bindingRow(doorbell.source),
    }));
  }

  /** Stage-2 map of a VM's address space, joined runs. */
  mappings(vmid: number): MappingRow[] {
    const addrspace = [...this.addrspaces()].find((one) => one.vmid === vmid);
    return (addrspace?.pgtable.runs(MAPPING_ROWS_MAX) ?? []).map(({ ipaPage, paPage, pageCount, attributes }) => ({
      ipa: bytes(ipaPage), pa: bytes(paPage), sizeBytes: bytes(pageCount), owner: this.kernel.memdb.ownerOf(paPage), attributes,
    }));
  }

  /** All stage-2 maps, the Resource Manager's own left out: who sees which physical memory. */
  aliases(): AliasRow[] {
    return [...this.addrspaces()].flatMap(({ vmid, pgtable }) => pgtable.runs(MAPPING_ROWS_MAX).map(({ ipaPage, paPage, pageCount, attributes }) => ({
      vmid, ipa: bytes(ipaPage), pa: bytes(paPage), sizeBytes: bytes(pageCount), attributes,
    })));
  }

  /** Where a VM's accesses are answered without a map, by address. Device space comes in as many pieces as maps leave of it; other windows may lie in it and come first. */
  windows(vmid: number): WindowRow[] {
    const addrspace = [...this.addrspaces()].find((one) => one.vmid === vmid);
    if (addrspace === undefined) return [];
    const threads = [...this.kernel.ofType('thread')].filter((thread) => thread.vmid === vmid);
    const vics = new Set([...addrspace.vdeviceFrames.map(({ vic }) => vic), ...threads.flatMap(({ vic }) => (vic === undefined ? [] : [vic.object]))]);
    const clocks = [...this.kernel.ofType('vrtc')].filter(({ header, addrspaceId, ipa }) => header.state === 'active' && addrspaceId === addrspace.header.id && ipa !== undefined);
    const found: WindowRow[] = [
      ...[...vics].flatMap((object) => object.vic.frameRanges().map(({ index, base, sizeBytes }): WindowRow => (
        { ipa: base, sizeBytes: BigInt(sizeBytes), kind: index === 0 ? 'distributor' : 'redistributor', index: Math.max(0, index - 1) }))),
      ...clocks.map(({ ipa }, index): WindowRow => ({ ipa: ipa ?? 0n, sizeBytes: 4096n, kind: 'clock', index })),
      ...addrspace.vmmioRanges.map(({ base, sizeBytes }, index): WindowRow => ({ ipa: base, sizeBytes, kind: 'vmmio', index })),
      ...(threads.some((thread) => thread.has('hlos_vm')) ? deviceSpacePieces(addrspace.pgtable.everMapped) : []),
    ];
    return found.sort((a, b) => (a.ipa < b.ipa ? -1 : a.ipa > b.ipa ? 1 : 0));
  }

  /** Pages that address spaces have for what the hypervisor tells their VMs (Gunyah API: addrspace_configure_info_area). A VM need not see its own. */
  infoAreas(): InfoAreaRow[] {
    return [...this.addrspaces()].flatMap(({ vmid, infoArea, pgtable }) => {
      if (infoArea?.isAttached !== true) return [];
      const { ipa, extent } = infoArea;
      return [{ vmid, ipa, extentId: extent.header.id, sizeBytes: bytes(extent.pageCount), isMapped: pgtable.lookup(Number(ipa >> 12n)) !== undefined }];
    });
  }

  extents(): ExtentRow[] {
    return [...this.kernel.ofType('memextent')].map((extent) => ({
      objectId: extent.header.id, base: bytes(extent.firstPage), sizeBytes: bytes(extent.pageCount), kind: extent.kind, memoryType: extent.memoryType, access: extent.access,
      parent: extent.parent?.header.id, owned: extent.ownedRuns().map((run) => ({ base: bytes(run.first), sizeBytes: bytes(run.end - run.first) })),
      mappings: extent.mappings.map((mapping) => ({
        addrspace: mapping.addrspace.header.id, vmid: mapping.addrspace.vmid, ipa: bytes(mapping.ipaPage), offset: bytes(mapping.first), sizeBytes: bytes(mapping.pageCount), attributes: mapping.attributes,
      })),
    }));
  }

  /** The interrupt controller of a VM with all its vCPUs; undefined if it has none. */
  interrupts(vmid: number): InterruptControllerView | undefined {
    return viewInterrupts(this.kernel, vmid);
  }

  /** Physical CPUs as the scheduler has them. */
  cpus(): CpuRow[] {
    const { scheduler } = this.kernel;
    return Array.from({ length: scheduler.cpuCount }, (_, cpu) => {
      const payer = scheduler.currentOn(cpu);
      let current = payer;
      while (current?.yieldTarget !== undefined) current = current.yieldTarget;
      return { cpu, payer: payer?.header.id, current: current?.header.id, queued: scheduler.queuedOn(cpu).map(({ header }) => header.id) };
    });
  }

  /** Physical pages by owner, as byte ranges. Owner 0 is the hypervisor. */
  ownership(): { readonly base: bigint; readonly sizeBytes: bigint; readonly owner: number }[] {
    return this.kernel.memdb.runs.map(({ first, end, owner }) => ({ base: bytes(first), sizeBytes: bytes(end - first), owner }));
  }

  /** The hypervisor's own trace as it lies in memory, buffers and strings, as the open hypervisor's tool reads it. `undefined` without a hypervisor. */
  traceMemory(): Uint8Array | undefined {
    const buffer = this.kernel.traceLog?.buffer;
    return buffer === undefined ? undefined : this.kernel.engine.memory.read(pa(buffer.base), buffer.sizeBytes);
  }

  private *addrspaces(): IterableIterator<Addrspace> {
    for (const addrspace of this.kernel.ofType('addrspace')) if (addrspace.vmid !== ROOT_VMID && addrspace.header.state === 'active') yield addrspace;
  }

  private threadRow(thread: Thread): ThreadRow {
    const { scheduler } = this.kernel;
    return {
      id: thread.header.id, kind: thread.kind, vmid: thread.vmid, index: thread.vcpuIndex, priority: thread.priority, timesliceTicks: thread.timesliceTicks,
      sliceTicks: thread.sliceTicks, affinity: thread.affinity, state: thread.state, blockReasons: thread.blockReasons, isProxy: thread.isProxy,
      runsOnCpu: scheduler.isRunning(thread) ? scheduler.cpuOf(thread) : undefined, engineVcpu: thread.engineVcpu, cspace: thread.cspace?.header.id,
      yieldTarget: thread.yieldTarget?.header.id, yieldDonor: thread.yieldDonor?.header.id,
    };
  }

  private bindingRow(source: VirqSource): BindingRow | undefined {
    const { bound } = source;
    if (bound === undefined) return undefined;
    const vic = [...this.kernel.ofType('vic')].find((object) => object.vic === bound.vic);
    const thread = [...this.kernel.ofType('thread')].find((candidate) => candidate.vic?.object === vic);
    return { vicObjectId: vic?.header.id ?? 0, vmid: thread?.vmid ?? 0, virq: bound.virq };
  }
}
