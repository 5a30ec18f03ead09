/** Requests that only ask: identity, look-up, owner, peers, and the resources that connect two VMs. */

import type { CapId } from '../../base/brands';
import type { Rm } from '../context';
import type { RmRequestName, RmResults } from '../message-table';
import { suitsLinux } from '../profile';
import type { VdeviceEnd, VmRecord } from '../state';
import { VMID } from '../vm-states';
import type { RmHandler, RmHandlers } from './handler';

const LOOKUP_BYTES_MAX = 79;
const ID_TYPE = { GUID: 0, URI: 1, NAME: 2, SIGNING_AUTHORITY: 3 } as const;
const SIGNING_AUTHORITY = 'N/A';
/** AArch64 in byte 0, Gunyah with this RM in byte 2, version 1. */
const HOST_TYPE = 0x0100_0164;
const RESOURCE_TYPE: Readonly<Record<Exclude<VdeviceEnd['type'], 'virtio-frontend'>, number>> = { 'doorbell-send': 0, 'doorbell-receive': 1, 'queue-send': 2, 'queue-receive': 3, 'virtio-backend': 6 };
const RESOURCE_VCPU = 4;
const RESOURCE_WATCHDOG = 8;
const RESOURCE_EXTENT = 9;
const RESOURCE_ADDRSPACE = 10;
/** What the open RM reports for a vCPU that has no wake-up interrupt. Linux from series v14 on refuses to start a VM with such a number. */
const NO_VIRQ = 0xffff_ffff;

type Resource = RmResults<'VM_GET_HYP_RESOURCES'>['resources'][number];

function textBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}

const getId: RmHandler<'VM_GET_ID'> = (rm, caller, { vmid }) => {
  if (vmid === VMID.RM) return 'VM_STATE';
  const vm = vmid === 0 ? caller : rm.vm(vmid);
  if (vm === undefined) return 'NORESOURCE';
  if (vm.state !== 'READY' && vm.state !== 'RUNNING' && vm.state !== 'PAUSED') return 'VM_STATE';
  if (!rm.mayQuery(caller.vmid, vm)) return 'NORESOURCE';
  return {
    ids: [
      { type: ID_TYPE.GUID, data: vm.guid.slice() },
      ...(vm.name === '' ? [] : [{ type: ID_TYPE.NAME, data: textBytes(vm.name) }]),
      ...(vm.uri === '' ? [] : [{ type: ID_TYPE.URI, data: textBytes(vm.uri) }]),
      { type: ID_TYPE.SIGNING_AUTHORITY, data: textBytes(SIGNING_AUTHORITY) },
    ],
  };
};

function matching(rm: Rm, caller: VmRecord, matches: (vm: VmRecord) => boolean): RmResults<'VM_LOOKUP_NAME'> {
  return { vmids: rm.state.vms.filter((vm) => rm.mayQuery(caller.vmid, vm) && matches(vm)).map((vm) => ({ vmid: vm.vmid })) };
}

/** Observed: an empty look-up, and a text that says it is too long whatever is there of it, are wrong arguments and not wrong messages. */
export function refusesLookup(name: RmRequestName, payload: Uint8Array): 'ARGUMENT_INVALID' | undefined {
  const [low = 0, high = 0] = payload;
  const isTooLong = name !== 'VM_LOOKUP_GUID' && payload.length >= 4 && (low | (high << 8)) > LOOKUP_BYTES_MAX;
  return payload.length === 0 || isTooLong ? 'ARGUMENT_INVALID' : undefined;
}

const lookupName: RmHandler<'VM_LOOKUP_NAME'> = (rm, caller, { name }) => matching(rm, caller, (vm) => vm.name !== '' && vm.name === name);

const lookupUri: RmHandler<'VM_LOOKUP_URI'> = (rm, caller, { uri }) => matching(rm, caller, (vm) => vm.uri === uri);

const lookupGuid: RmHandler<'VM_LOOKUP_GUID'> = (rm, caller, { guid }) => matching(rm, caller, (vm) => vm.guid.every((byte, i) => byte === guid[i]));

const getResources: RmHandler<'VM_GET_HYP_RESOURCES'> = (rm, caller, { vmid }) => {
  const noVirq = suitsLinux(rm.options) ? 0 : NO_VIRQ;
  if (vmid === VMID.RM) return { resources: caller.vmid === VMID.HLOS ? [vcpuResource(rm.state.rmVcpuCap, 0, 0)] : [] };
  const target = rm.vm(vmid);
  if (target === undefined) return 'ARGUMENT_INVALID';
  // A VM that has an image has nothing before it is made, or when that failed; without one it is an error.
  if (target.objects === null && !((target.state === 'AUTH' || target.state === 'INIT' || target.state === 'INIT_FAILED') && target.image !== null)) return 'NORESOURCE';
  const vcpus = target.owner === caller.vmid ? target.vcpus.map((vcpu) => (vcpu.ownerCap === null ? [] : [vcpuResource(vcpu.ownerCap, target.config?.affinityMap[vcpu.index] ?? vcpu.index, vcpu.wakeupVirq ?? noVirq)])) : [];
  return { resources: [...vcpus.flat(), ...connections(caller, target.vmid, caller), ...connections(target, caller.vmid, caller), ...watchdogResource(target, caller), ...pagingResources(target, caller)] };
};

/** What the owner holds the watchdog of a VM with that it schedules. */
function watchdogResource({ vmid, owner, objects }: VmRecord, caller: VmRecord): Resource[] {
  const cap = objects?.watchdog?.ownerCap ?? null;
  return cap === null || owner !== caller.vmid ? [] : [{ type: RESOURCE_WATCHDOG, partnerVmid: vmid, handle: 0, label: 0, capId: cap, virqHandle: 0, virq: 0, base: 0n, size: 0n }];
}

/** Later drivers find here what they need to give pages: extents by label, and the address space. */
function pagingResources({ vmid, owner, paging }: VmRecord, caller: VmRecord): Resource[] {
  if (paging === null || owner !== caller.vmid) return [];
  const resource = (type: number, label: number, capId: CapId): Resource => ({ type, partnerVmid: vmid, handle: 0, label, capId, virqHandle: 0, virq: 0, base: 0n, size: 0n });
  const { guestPrivate, hostShared, hostPrivate, guestShared, addrspace } = paging;
  return [...[guestPrivate, hostShared, hostPrivate, guestShared].map((cap, label) => resource(RESOURCE_EXTENT, label, cap)), resource(RESOURCE_ADDRSPACE, 0, addrspace)];
}

function vcpuResource(cap: CapId, label: number, virq: number): Resource {
  return { type: RESOURCE_VCPU, partnerVmid: 0, handle: 0, label, capId: cap, virqHandle: 0, virq, base: 0n, size: 0n };
}

/** The caller's ends of `of`'s vdevices whose peer is `peer`. */
function connections(of: VmRecord, peer: number, caller: VmRecord): Resource[] {
  const target = of === caller ? peer : of.vmid;
  return of.vdevices.filter((vdevice) => vdevice.peer === peer).flatMap((vdevice) => vdevice.ends.flatMap((end) => (end.vmid !== caller.vmid || end.type === 'virtio-frontend' ? [] : [{
    type: RESOURCE_TYPE[end.type], partnerVmid: target, handle: 0, label: vdevice.config.label, capId: end.cap, virqHandle: 0, virq: end.virq ?? 0, base: end.range?.base ?? 0n, size: end.range?.sizeBytes ?? 0n,
  }])));
}

/** Observed: a doorbell's or queue's sender shows its interrupt, a doorbell's sender has none and shows 0. */
export const queryHandlers = {
  VM_GET_ID: getId,
  VM_LOOKUP_NAME: lookupName,
  VM_LOOKUP_URI: lookupUri,
  VM_LOOKUP_GUID: lookupGuid,
  VM_GET_HYP_RESOURCES: getResources,
  VM_GET_OWNER: (_rm, caller) => ({ vmid: caller.owner }),
  VM_GET_VMID: (_rm, caller) => ({ vmid: caller.vmid }),
  VM_GET_PEERS: (_rm, caller) => ({ vmids: caller.peers.map((vmid) => ({ vmid })) }),
  HOST_GET_TYPE: () => ({ type: HOST_TYPE }),
} as const satisfies RmHandlers;
