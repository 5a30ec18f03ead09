/** What a debugger shows of RM: VMs, parcels, messages that wait, and the labels of objects. Plain data, made on demand. */

import type { CapId, Vmid } from '../base/brands';
import { rmMessageName } from './message-display';
import type { Parcel, RmState, VmRecord } from './state';

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
  readonly memory: readonly { readonly ipa: bigint; readonly sizeBytes: bigint; readonly kind: 'memory' | 'device'; readonly handle: number | null }[];
  readonly crashMessage: string;
  /** How it ended, while it is EXITED. */
  readonly exit: { readonly type: string; readonly code: number; readonly flags: number } | null;
  /** Messages of RM that wait for room in the VM's queue. */
  readonly waiting: readonly { readonly kind: string; readonly name: string; readonly sequence: number }[];
}

/** One parcel. */
export interface RmParcelView {
  readonly handle: number;
  readonly owner: Vmid;
  readonly transaction: Parcel['transaction'];
  readonly label: number;
  readonly acl: Parcel['acl'];
  readonly ranges: readonly { readonly address: bigint; readonly sizeBytes: bigint }[];
  readonly acceptedBy: readonly Vmid[];
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
export function viewOf(state: RmState, rmVmid: Vmid): RmView {
  return { vms: state.vms.map(viewVm), parcels: state.parcels.map(viewParcel), labels: state.vms.flatMap((vm) => labelsOf(vm, rmVmid)) };
}

function viewVm(vm: VmRecord): RmVmView {
  return {
    vmid: vm.vmid, name: vm.name, state: vm.state, osState: vm.osState, appStatus: vm.appStatus, owner: vm.owner, peers: [...vm.peers], vcpuCount: vm.vcpus.length,
    entry: vm.entry, memory: vm.mappings.map(({ ipa, sizeBytes, kind, handle }) => ({ ipa, sizeBytes, kind, handle })), crashMessage: vm.crashMessage, exit: vm.exit === null ? null : { ...vm.exit },
    waiting: (vm.link?.sender.waiting ?? []).map((message) => ({ kind: message.kind, name: rmMessageName(message.id), sequence: message.sequence })),
  };
}

function viewParcel(parcel: Parcel): RmParcelView {
  return {
    handle: parcel.handle, owner: parcel.owner, transaction: parcel.transaction, label: parcel.label, acl: parcel.acl.map((entry) => ({ ...entry })),
    ranges: parcel.regions.map(({ address, sizeBytes }) => ({ address, sizeBytes })), acceptedBy: parcel.users.map((user) => user.vmid), complete: parcel.complete,
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
  for (const vcpu of vm.vcpus) {
    add(rmVmid, vcpu.cap, `${vm.name} vCPU ${vcpu.index}`);
    add(vm.owner, vcpu.ownerCap, `${vm.name} vCPU ${vcpu.index}`);
  }
  for (const vdevice of vm.vdevices) {
    const text = `${vdevice.config.type} label ${vdevice.config.label}`;
    for (const [index, cap] of vdevice.objects.entries()) add(rmVmid, cap, vdevice.objects.length === 1 ? text : `${text} ${index === 0 ? `from ${vm.name}` : `to ${vm.name}`}`);
    for (const end of vdevice.ends) add(end.vmid, end.cap, text);
  }
  return labels;
}
