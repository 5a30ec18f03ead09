/** What a debugger shows of RM: VMs, parcels, messages that wait, and the labels of objects. Plain data, made on demand. */

import type { CapId, Vmid } from '../base/brands';
import type { EventValues } from '../base/trace-event';
import type { RootVmEnvironment } from '../hypervisor/interface';
import { describePayload, rmMessageName } from './message-display';
import type { PartialMessage, RpcMessage } from './rpc';
import type { Parcel, RmState, VmMapping, VmRecord } from './state';

/** What RM was given: where the platform's memory and devices begin (offsets of RM's records count from there), its own objects, and names of devices. */
export type Platform = Pick<RootVmEnvironment, 'memoryBase' | 'deviceBase' | 'cspace' | 'partition' | 'vcpu' | 'addrspace' | 'vic' | 'memoryExtent' | 'deviceExtent' | 'vms'>;
/** A message that is not where it is going yet. */
export interface RmWaitingView {
  readonly kind: RpcMessage['kind'];
  readonly name: string;
  readonly id: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
  readonly fields: EventValues;
}
/** A range of a VM's memory. */
export interface RmMemoryView { readonly ipa: bigint; readonly pa: bigint; readonly sizeBytes: bigint; readonly kind: 'memory' | 'device'; readonly handle: number | null }

/** One VM. */
export interface RmVmView {
  readonly vmid: Vmid;
  readonly name: string;
  readonly state: string;
  readonly osState: number;
  readonly appStatus: number;
  readonly owner: Vmid;
  readonly peers: readonly Vmid[];
  readonly vcpuCount: number;
  readonly entry: bigint;
  readonly memory: readonly RmMemoryView[];
  readonly uri: string;
  readonly uuid: Uint8Array;
  readonly crashMessage: string;
  /** How it ended, while it is EXITED. */
  readonly exit: { readonly type: string; readonly code: number; readonly flags: number } | null;
  /** Messages of RM that wait for room in the VM's queue. */
  readonly waiting: readonly RmWaitingView[];
  /** The request of which RM has some packets. */
  readonly assembling: RmWaitingView | null;
  /** RM's capabilities for the two queues, from the VM and to it. */
  readonly queues: { readonly fromVm: CapId; readonly toVm: CapId } | null;
}

/** One parcel. */
export interface RmParcelView {
  readonly handle: number;
  readonly owner: Vmid;
  readonly transaction: Parcel['transaction'];
  readonly label: number;
  readonly acl: Parcel['acl'];
  readonly memoryType: Parcel['memoryType'];
  readonly sanitised: boolean;
  readonly ownerMapped: boolean;
  readonly attributes: Parcel['attributes'];
  /** Addresses are the owner's. */
  readonly ranges: readonly { readonly address: bigint; readonly pa: bigint; readonly sizeBytes: bigint }[];
  readonly acceptedBy: readonly Vmid[];
  readonly users: readonly { readonly vmid: Vmid; readonly memory: readonly RmMemoryView[] }[];
  readonly complete: boolean;
}

/** A name for an object, found by a capability of RM's (`vmid` 255) or of the VM that holds it. */
export interface RmLabelView { readonly vmid: Vmid; readonly cap: CapId; readonly label: string }

/** All of it. */
export interface RmView {
  readonly vms: readonly RmVmView[];
  readonly parcels: readonly RmParcelView[];
  readonly labels: readonly RmLabelView[];
}

/** Makes the view of a state. */
export function viewOf(state: RmState, rmVmid: Vmid, platform: Platform): RmView {
  return {
    vms: state.vms.map((vm) => viewVm(vm, platform)), parcels: state.parcels.map((parcel) => viewParcel(parcel, platform)),
    labels: [
      ...state.vms.flatMap((vm) => [...labelsOf(vm, rmVmid), ...deviceLabels(vm, rmVmid, platform)]),
      ...state.parcels.map(({ extent, handle, label }) => ({ vmid: rmVmid, cap: extent, label: `memory parcel ${hexOf(handle)} label ${hexOf(label)}` })),
      ...ownLabels(rmVmid, platform),
    ],
  };
}

function viewVm(vm: VmRecord, bases: Platform): RmVmView {
  const { link } = vm;
  return {
    vmid: vm.vmid, name: vm.name, state: vm.state, osState: vm.osState, appStatus: vm.appStatus, owner: vm.owner, peers: [...vm.peers], vcpuCount: vm.vcpus.length,
    entry: vm.entry, memory: vm.mappings.map((mapping) => viewMapping(mapping, bases)), uri: vm.uri, uuid: vm.guid.slice(), crashMessage: vm.crashMessage,
    exit: vm.exit === null ? null : { ...vm.exit }, waiting: (link?.sender.waiting ?? []).map(viewMessage),
    assembling: link?.receiver.partial == null ? null : viewPartial(link.receiver.partial), queues: link === null ? null : { fromVm: link.fromVm, toVm: link.toVm },
  };
}

function viewMapping({ ipa, sizeBytes, kind, handle, offset, isMemory }: VmMapping, { memoryBase, deviceBase }: Platform): RmMemoryView {
  return { ipa, pa: offset + (kind === 'memory' || isMemory === true ? memoryBase : deviceBase), sizeBytes, kind, handle };
}

function viewMessage({ kind, id, sequence, payload }: RpcMessage): RmWaitingView {
  return { kind, name: rmMessageName(id), id, sequence, payload, fields: describePayload(kind, id, payload) };
}

/** What has arrived of a message, as if it were all of it. */
function viewPartial({ parts, ...header }: PartialMessage): RmWaitingView {
  const payload = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  parts.reduce((offset, part) => {
    payload.set(part, offset);
    return offset + part.length;
  }, 0);
  return viewMessage({ ...header, payload });
}

function viewParcel(parcel: Parcel, bases: Platform): RmParcelView {
  return {
    handle: parcel.handle, owner: parcel.owner, transaction: parcel.transaction, label: parcel.label, acl: parcel.acl.map((entry) => ({ ...entry })),
    memoryType: parcel.memoryType, sanitised: parcel.sanitised, ownerMapped: parcel.ownerMapped, attributes: parcel.attributes,
    ranges: parcel.regions.map(({ address, offset, sizeBytes }) => ({ address, pa: offset + (parcel.memoryType === 'io' ? bases.deviceBase : bases.memoryBase), sizeBytes })),
    acceptedBy: parcel.users.map((user) => user.vmid), complete: parcel.complete,
    users: parcel.users.map(({ vmid, mappings }) => ({ vmid, memory: mappings.map((mapping) => viewMapping(mapping, bases)) })),
  };
}

function labelsOf(vm: VmRecord, rmVmid: Vmid): RmLabelView[] {
  const labels: RmLabelView[] = [];
  const add = (holder: Vmid, cap: CapId | null, label: string): void => {
    if (cap !== null) labels.push({ vmid: holder, cap, label });
  };
  if (vm.link !== null) {
    add(rmVmid, vm.link.fromVm, `RM RPC ${vm.name} to RM`);
    add(rmVmid, vm.link.toVm, `RM RPC RM to ${vm.name}`);
    add(vm.vmid, vm.link.vmSendCap, 'RM RPC transmit');
    add(vm.vmid, vm.link.vmReceiveCap, 'RM RPC receive');
  }
  add(rmVmid, vm.memoryExtent, `memory of ${vm.name}`);
  for (const cap of [vm.objects?.cspace, vm.objects?.addrspace, vm.objects?.vic, vm.objects?.vpmGroup, vm.objects?.watchdog?.cap]) add(rmVmid, cap ?? null, vm.name);
  for (const vcpu of vm.vcpus) {
    add(rmVmid, vcpu.cap, `${vm.name} vCPU ${vcpu.index}`);
    add(vm.owner, vcpu.ownerCap, `${vm.name} vCPU ${vcpu.index}`);
  }
  for (const vdevice of vm.vdevices) {
    const text = `${vdevice.config.type} label ${hexOf(vdevice.config.label)}`;
    for (const [index, cap] of vdevice.objects.entries()) add(rmVmid, cap, vdevice.objects.length === 1 ? `${text} of ${vm.name}` : `${text} ${index === 0 ? `from ${vm.name}` : `to ${vm.name}`}`);
    for (const end of vdevice.ends) add(end.vmid, end.cap, text);
  }
  return labels;
}

/** Handles and labels as views and device trees write them. */
function hexOf(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

/** Windows and interrupt lines of devices, by what the platform calls the device. */
function deviceLabels(vm: VmRecord, rmVmid: Vmid, { vms }: Platform): RmLabelView[] {
  const devices = vm.platformIndex === null ? [] : vms[vm.platformIndex]?.devices ?? [];
  return devices.flatMap(({ name, ipa, hardwareInterrupt, moreInterrupts = [] }) => {
    const lines = [hardwareInterrupt, ...moreInterrupts.map((line) => line.hardwareInterrupt)];
    const caps = [
      ...vm.deviceWindows.filter((window) => window.ipa === ipa).map(({ extent }) => extent),
      ...vm.hardwareInterrupts.filter(({ intid }) => lines.includes(intid)).map(({ cap }) => cap),
    ];
    return caps.flatMap((cap) => (cap === null ? [] : [{ vmid: rmVmid, cap, label: `${name} of ${vm.name}` }]));
  });
}

/** RM's own objects, and those that stand for the whole platform. */
function ownLabels(rmVmid: Vmid, { cspace, vcpu, addrspace, vic, partition, memoryExtent, deviceExtent }: Platform): RmLabelView[] {
  const named = (cap: CapId, label: string): RmLabelView => ({ vmid: rmVmid, cap, label });
  return [...[cspace, vcpu, addrspace, vic].map((cap) => named(cap, 'Resource Manager')), named(partition, 'of everything'), named(memoryExtent, 'memory of the platform'), named(deviceExtent, 'devices of the platform')];
}
