/**
 * Creates the objects that make a VM: capability space, address space, interrupt controller, vCPUs, power management group, and the
 * channel to RM. What connects a VM with other VMs is in `vdevices.ts`; memory is in `vm-memory.ts`.
 *
 * Everything created is written down in the VM's record at once, so that a VM whose building failed half-way can be taken apart by the
 * same reset as any other.
 */

import { CAP_ID_INVALID } from '../base/brands';
import type { CapId, VirqNumber, Vmid } from '../base/brands';
import { RIGHTS } from '../hypervisor/interface';
import type { ObjectType } from '../hypervisor/interface';
import { HypercallSequence, RM_VMID } from './context';
import type { Rm } from './context';
import type { RmErrorName } from './rm-errors';
import { newSender } from './rpc';
import type { AddressRange, HeldCap, RmLink, VmObjects, VmRecord } from './state';

/** What a VM's core shall look like. */
export interface VmPlan {
  /** CPU of each vCPU; null for proxy scheduling. */
  readonly cpus: readonly (number | null)[];
  /** Options of every vCPU (Gunyah API: vcpu_configure). */
  readonly vcpuOptions: bigint;
  readonly priority: number;
  readonly timesliceNanoseconds: bigint;
  /** Without PSCI there is no power management group, and the VM powers its vCPUs by hypercall. */
  readonly powerManagement: 'none' | 'aggregated' | 'not-aggregated';
  readonly gicd: bigint;
  readonly gicr: bigint;
  readonly gicrStride: bigint;
  /** Whether RM hears about halts; the primary VM's end the platform instead. */
  readonly halts: 'to-rm' | 'to-platform';
  /** What kind of watchdog the VM gets where the hypervisor has them; null for none. The primary VM has the platform's own. */
  readonly watchdog: WatchdogPlan | null;
  /** Ranges whose missing pages the owner provides. */
  readonly demandPaging: readonly AddressRange[];
  /** Guest physical range from 0 whose accesses the scheduler of proxy vCPUs emulates; 0 for none. */
  readonly emulatedSizeBytes: bigint;
  /** Whether vCPUs count through all of Aff0, as software expects that knows no platform; else as the platform's CPUs do. */
  readonly isLinear: boolean;
  /** The page that the hypervisor shares with the VM, and where. */
  readonly infoArea: { readonly extent: CapId; readonly ipa: bigint } | null;
}

/** A watchdog of a VM: whether its bite is the platform's end, and whether the owner, who schedules the VM, may hold it. */
export interface WatchdogPlan { readonly isCritical: boolean; readonly isManagedByOwner: boolean }

/** vCPU option bits. */
export const VCPU_OPTION = { PINNED: 1n, CRITICAL: 1n << 8n, VCPU_RUN_SCHEDULED: 1n << 9n, HLOS_VM: 1n << 63n } as const;
/** Default priority of vCPUs. */
export const PRIORITY_DEFAULT = 32;

const VIC_VCPUS_MAX = 8;
const VIC_VIRQS_MAX = 988;
const VIC_OPTION_DISABLE_DEFAULT_ADDR = 2n;
/** Aff0 and seven bits of Aff1, one after the other. */
const LINEAR_MASK = 0x7fffn;
const CSPACE_CAPS_MAX = 1024;
/** Size of the distributor's frame. */
export const GICD_SIZE = 0x1_0000n;
const GICR_SIZE = 0x2_0000n;
const GICR_FLAG_LAST_VALID = 1n;
const GICR_FLAG_LAST = 2n;
const VIRQ_TYPE_HALT = 0;
const VIRQ_TYPE_WAKEUP = 1;
const VPM_NO_AGGREGATION = 1n;
const VMMIO_ADD = 0;
/** How the root VM names a range of demand paging. */
const DEMAND_PAGED = 2;

/** watchdog_bind_virq: the bite, not the bark. */
const WATCHDOG_BITE = 1n;
/** watchdog_configure: a bite is the platform's end. */
const WATCHDOG_CRITICAL = 1n;

type Creatable = 'cspace' | 'addrspace' | 'memextent' | 'thread' | 'doorbell' | 'msgqueue' | 'vic' | 'vpm_group' | 'virtio_mmio' | 'vrtc' | 'watchdog';

/** A hypercall sequence that builds one VM and keeps its record. */
export class VmBuild extends HypercallSequence {
  readonly vm: VmRecord;

  constructor(rm: Rm, vm: VmRecord) {
    super(rm);
    this.vm = vm;
  }

  /** Creates an object in RM's capability space. */
  create(type: Creatable, stage: HeldCap['stage']): CapId {
    const { partition, cspace } = this.rm.environment;
    const outputs = this.call(`partition_create_${type}`, { src_partition: partition, cspace });
    if (outputs === undefined) return CAP_ID_INVALID;
    this.vm.heldCaps.push({ vmid: RM_VMID, cap: outputs.new_cap, type, stage });
    return outputs.new_cap;
  }

  activate(cap: CapId): void {
    this.call('object_activate', { cap });
  }

  /** Copies a capability of RM into a VM's capability space with fewer rights. */
  give(to: VmRecord, source: { readonly cap: CapId; readonly type: ObjectType }, rights: number): CapId {
    const dest = to.objects?.cspace ?? CAP_ID_INVALID;
    const outputs = this.call('cspace_copy_cap_from', { src_cspace: this.rm.environment.cspace, src_cap: source.cap, dest_cspace: dest, rights_mask: rights });
    if (outputs === undefined) return CAP_ID_INVALID;
    // A VM's own capability space goes with the VM; only what others hold must be taken back one by one.
    if (to !== this.vm) this.vm.heldCaps.push({ vmid: to.vmid, cap: outputs.new_cap, type: source.type, stage: source.type === 'thread' ? 'core' : 'vdevice' });
    return outputs.new_cap;
  }

  /** Takes the given interrupt number of a VM, or the lowest free one. */
  takeVirq(vmid: Vmid, wanted?: number): VirqNumber | undefined {
    const virq = wanted === undefined ? this.rm.freeVirq(vmid) : this.rm.claimVirq(vmid, wanted);
    if (virq === undefined) this.fail('NORESOURCE');
    else this.vm.heldVirqs.push({ vmid, virq });
    return virq;
  }

  /** Takes an interrupt number of RM's own. */
  takeRmVirq(): VirqNumber | undefined {
    const virq = this.rm.freeRmVirq();
    if (virq === undefined) this.fail('NORESOURCE');
    else this.vm.heldVirqs.push({ vmid: RM_VMID, virq });
    return virq;
  }
}

/** Creates everything but vdevices and memory. The outcome is the error that VM_INIT answers, if any. */
export function buildCore(rm: Rm, vm: VmRecord, plan: VmPlan): RmErrorName | undefined {
  const build = new VmBuild(rm, vm);
  const objects = createSpaces(build, plan);
  if (build.error !== undefined) return build.error;
  vm.objects = objects;
  build.call('addrspace_attach_vdevice', { addrspace: objects.addrspace, vdevice: objects.vic, index: 0, vbase: plan.gicd, size: GICD_SIZE, flags: 0n });
  for (const index of plan.cpus.keys()) createVcpu(build, objects, plan, index);
  return build.error;
}

function createSpaces(build: VmBuild, plan: VmPlan): VmObjects {
  const vic = build.create('vic', 'core');
  build.call('vic_configure', { vic, max_vcpus: VIC_VCPUS_MAX, max_virqs: VIC_VIRQS_MAX, vic_options: VIC_OPTION_DISABLE_DEFAULT_ADDR, max_msis: 0 });
  if (plan.isLinear) build.call('vgic_set_mpidr_mapping', { vic, mask: LINEAR_MASK, aff0_shift: 0, aff1_shift: 8, aff2_shift: 16, aff3_shift: 24, mt: 0 });
  build.activate(vic);
  const cspace = build.create('cspace', 'core');
  build.call('cspace_configure', { cspace, max_caps: CSPACE_CAPS_MAX });
  build.activate(cspace);
  const addrspace = build.create('addrspace', 'core');
  build.call('addrspace_configure', { addrspace, vmid: build.vm.vmid });
  if (plan.infoArea !== null) build.call('addrspace_configure_info_area', { addrspace, info_area_me: plan.infoArea.extent, ipa: plan.infoArea.ipa });
  if (plan.emulatedSizeBytes > 0n) build.call('addrspace_configure_vmmio', { addrspace, vbase: 0n, size: plan.emulatedSizeBytes, op: VMMIO_ADD });
  build.activate(addrspace);
  for (const { base, sizeBytes } of plan.demandPaging) build.call('addrspace_configure_vmmio', { addrspace, vbase: base, size: sizeBytes, op: DEMAND_PAGED });
  const vpmGroup = plan.powerManagement === 'none' ? null : build.create('vpm_group', 'core');
  if (vpmGroup !== null) {
    if (plan.powerManagement === 'not-aggregated') build.call('vpm_group_configure', { vpm_group: vpmGroup, flags: VPM_NO_AGGREGATION });
    build.activate(vpmGroup);
  }
  return { cspace, addrspace, vic, vpmGroup, watchdog: createWatchdog(build, vic, plan.watchdog), gicd: plan.gicd, gicr: plan.gicr, gicrStride: plan.gicrStride };
}

/** Where the hypervisor has watchdogs: the VM hears the bark, RM the bite, and the owner may hold it while it does not run the VM. */
function createWatchdog(build: VmBuild, vic: CapId, plan: WatchdogPlan | null): VmObjects['watchdog'] {
  if (!build.rm.environment.hasWatchdog || plan === null) return null;
  const { isCritical, isManagedByOwner } = plan;
  const cap = build.create('watchdog', 'core');
  build.call('watchdog_configure', { watchdog: cap, options: isCritical ? WATCHDOG_CRITICAL : 0n });
  build.activate(cap);
  const barkVirq = build.takeVirq(build.vm.vmid) ?? null;
  if (barkVirq !== null) build.call('watchdog_bind_virq', { watchdog: cap, vic, virq: barkVirq, flags: 0n });
  const biteVirq = build.takeRmVirq() ?? null;
  if (biteVirq !== null) build.call('watchdog_bind_virq', { watchdog: cap, vic: build.rm.environment.vic, virq: biteVirq, flags: WATCHDOG_BITE });
  const owner = isManagedByOwner ? build.rm.vm(build.vm.owner) : undefined;
  return { cap, barkVirq, biteVirq, ownerCap: owner?.objects == null ? null : build.give(owner, { cap, type: 'watchdog' }, RIGHTS.watchdog.manage) };
}

function createVcpu(build: VmBuild, objects: VmObjects, plan: VmPlan, index: number): void {
  const vcpu = build.create('thread', 'core');
  const cpu = plan.cpus[index] ?? null;
  if (cpu !== null) build.call('vcpu_set_affinity', { vcpu, affinity: cpu });
  build.call('vcpu_set_priority', { vcpu, priority: plan.priority });
  build.call('vcpu_set_timeslice', { vcpu, timeslice: plan.timesliceNanoseconds });
  if (plan.vcpuOptions !== 0n) build.call('vcpu_configure', { vcpu, vcpu_options: plan.vcpuOptions });
  build.call('cspace_attach_thread', { cspace: objects.cspace, thread: vcpu });
  build.call('addrspace_attach_thread', { addrspace: objects.addrspace, thread: vcpu });
  build.call('vic_attach_vcpu', { vic: objects.vic, vcpu, index });
  if (objects.vpmGroup !== null) build.call('vpm_group_attach_vcpu', { vpm_group: objects.vpmGroup, vcpu, index });
  if (objects.watchdog !== null) build.call('watchdog_attach_vcpu', { watchdog: objects.watchdog.cap, vcpu });
  build.activate(vcpu);
  const flags = GICR_FLAG_LAST_VALID | (index === plan.cpus.length - 1 ? GICR_FLAG_LAST : 0n);
  const vbase = plan.gicr + BigInt(index) * plan.gicrStride;
  build.call('addrspace_attach_vdevice', { addrspace: objects.addrspace, vdevice: objects.vic, index: index + 1, vbase, size: GICR_SIZE, flags });
  connectVcpu(build, vcpu, plan, index);
}

/** The interrupts and capabilities of a vCPU outside its VM. */
function connectVcpu(build: VmBuild, vcpu: CapId, plan: VmPlan, index: number): void {
  const owner = build.rm.vm(build.vm.owner);
  const haltVirq = plan.halts === 'to-rm' ? build.takeRmVirq() ?? null : null;
  if (haltVirq !== null) build.call('vcpu_bind_virq', { vcpu, vic: build.rm.environment.vic, virq: haltVirq, virq_type: VIRQ_TYPE_HALT });
  let wakeupVirq: VirqNumber | null = null;
  let ownerCap: CapId | null = null;
  if (owner?.objects != null) {
    if (plan.cpus[index] === null) {
      wakeupVirq = build.takeVirq(owner.vmid) ?? null;
      if (wakeupVirq !== null) build.call('vcpu_bind_virq', { vcpu, vic: owner.objects.vic, virq: wakeupVirq, virq_type: VIRQ_TYPE_WAKEUP });
    }
    ownerCap = build.give(owner, { cap: vcpu, type: 'thread' }, RIGHTS.thread.affinity | RIGHTS.thread.yield_to);
  }
  const selfCap = plan.powerManagement === 'none' ? build.give(build.vm, { cap: vcpu, type: 'thread' }, RIGHTS.thread.power) : null;
  build.vm.vcpus.push({ cap: vcpu, index, haltVirq, ownerCap, wakeupVirq, selfCap });
}

/** What the channel to RM shall look like. */
export interface LinkPlan { readonly depth: number; readonly messageSizeBytes: number; readonly interrupts: readonly number[] }

/** The channel of a VM whose configuration does not say otherwise. */
export const DEFAULT_LINK: LinkPlan = { depth: 8, messageSizeBytes: 240, interrupts: [] };

/** Creates the two queues between a VM and RM; in the VM, the queue it sends to comes first. */
export function buildLink(rm: Rm, vm: VmRecord, plan: LinkPlan): RmErrorName | undefined {
  const build = new VmBuild(rm, vm);
  const vic = vm.objects?.vic ?? CAP_ID_INVALID;
  const fromVm = createQueue(build, plan);
  const toVm = createQueue(build, plan);
  const vmSendCap = build.give(vm, { cap: fromVm, type: 'msgqueue' }, RIGHTS.msgqueue.send);
  const vmReceiveCap = build.give(vm, { cap: toVm, type: 'msgqueue' }, RIGHTS.msgqueue.receive);
  const vmTxVirq = build.takeVirq(vm.vmid, plan.interrupts[0]);
  const vmRxVirq = build.takeVirq(vm.vmid, plan.interrupts[1]);
  const rmTxVirq = build.takeRmVirq();
  const rmRxVirq = build.takeRmVirq();
  if (vmTxVirq === undefined || vmRxVirq === undefined || rmTxVirq === undefined || rmRxVirq === undefined) return build.error;
  build.call('msgqueue_bind_send_virq', { msgqueue: fromVm, vic, virq: vmTxVirq });
  build.call('msgqueue_bind_receive_virq', { msgqueue: toVm, vic, virq: vmRxVirq });
  build.call('msgqueue_bind_send_virq', { msgqueue: toVm, vic: rm.environment.vic, virq: rmTxVirq });
  build.call('msgqueue_bind_receive_virq', { msgqueue: fromVm, vic: rm.environment.vic, virq: rmRxVirq });
  if (build.error !== undefined) return build.error;
  const link: RmLink = {
    toVm, fromVm, rmTxVirq, rmRxVirq, vmSendCap, vmReceiveCap, vmTxVirq, vmRxVirq, depth: plan.depth, messageSizeBytes: plan.messageSizeBytes,
    receiver: { partial: null }, sender: newSender(),
  };
  vm.link = link;
  return undefined;
}

/** Creates a queue of the given geometry. */
export function createQueue(build: VmBuild, plan: { readonly depth: number; readonly messageSizeBytes: number }): CapId {
  // The call has 16 bits for each; larger numbers must not appear as smaller ones.
  if (plan.depth > 0xffff || plan.messageSizeBytes > 0xffff) build.fail('ARGUMENT_INVALID');
  const queue = build.create('msgqueue', 'vdevice');
  const info = BigInt(plan.depth) | (BigInt(plan.messageSizeBytes) << 16n);
  build.call('msgqueue_configure', { msgqueue: queue, create_info: info });
  build.activate(queue);
  return queue;
}
