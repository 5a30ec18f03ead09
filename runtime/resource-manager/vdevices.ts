/**
 * Connects a VM with its peers: doorbells, message queues and pairs of queues. Each end gets a capability with exactly the rights of
 * its direction and, where it waits for something, an interrupt.
 *
 * The peer of `peer-default` is the owner. A peer named otherwise may not exist yet: then the VM's own end is made, and the peer's
 * end when a VM appears whose configuration has the counterpart with the same label.
 */

import { CAP_ID_INVALID } from '../base/brands';
import type { CapId } from '../base/brands';
import { RIGHTS } from '../hypervisor/interface';
import { parseGuid } from './vm-config';
import type { VdeviceConfig, VmConfig } from './vm-config';
import type { Rm } from './context';
import type { RmErrorName } from './rm-errors';
import type { VdeviceEnd, VdeviceRecord, VmRecord } from './state';
import { createVirtio } from './virtual-devices';
import { createQueue, VmBuild } from './vm-builder';

/** Order of creation, which fixes capability identifiers. RM reads the vdevice of a system MMU and makes nothing of it. */
const CREATION_ORDER = [['doorbell', 'doorbell-source'], ['message-queue'], ['message-queue-pair'], ['shm', 'shm-doorbell'], ['virtio-mmio'], ['iomem']] as const;
/** Types that are parcels and nothing else. */
const ONLY_MEMORY: readonly string[] = ['shm', 'iomem'];

/** Creates all vdevices of a VM. Any failure is NORESOURCE, as RM answers. */
export function buildVdevices(rm: Rm, vm: VmRecord, config: VmConfig): RmErrorName | undefined {
  for (const types of CREATION_ORDER) {
    const names: readonly string[] = types;
    for (const vdevice of config.vdevices.filter((candidate) => names.includes(candidate.type))) {
      const build = new VmBuild(rm, vm);
      const made = createVdevice(build, vdevice);
      if (build.error !== undefined) return 'NORESOURCE';
      vm.vdevices.push(made);
    }
  }
  return undefined;
}

function createVdevice(build: VmBuild, config: VdeviceConfig): VdeviceRecord {
  const { rm, vm } = build;
  if (ONLY_MEMORY.includes(config.type)) return { config, peer: vm.owner, objects: [], handle: 0, ends: [] };
  if (config.type === 'virtio-mmio') return createVirtio(build, config);
  const peer = peerOf(rm, vm, config);
  const toOwner = peer !== undefined && peer.vmid === vm.owner;
  const counterpart = peer === undefined || toOwner ? undefined : findCounterpart(rm, peer, vm, config);
  // Seen from the other side, the queues of a pair change places.
  const objects = counterpart?.objects.slice().reverse() ?? createObjects(build, config);
  const handle = counterpart?.handle ?? takeHandles(rm, config);
  const ends = endsFor(build, config, { vm, objects, side: 'own' });
  if (toOwner && peer.objects !== null) ends.push(...endsFor(build, config, { vm: peer, objects, side: 'peer' }));
  if (peer !== undefined && counterpart !== undefined) {
    counterpart.peer = vm.vmid;
    if (!peer.peers.includes(vm.vmid)) peer.peers.push(vm.vmid);
    if (!vm.peers.includes(peer.vmid)) vm.peers.push(peer.vmid);
  }
  return { config, peer: toOwner || counterpart !== undefined ? peer?.vmid ?? null : null, objects, handle, ends };
}

/** The number of a new vdevice. Shared memory with doorbells counts as the two. */
function takeHandles(rm: Rm, { type }: VdeviceConfig): number {
  const handle = rm.state.nextVdevice;
  rm.state.nextVdevice = (handle + (type === 'shm-doorbell' ? 2 : 1)) >>> 0;
  return handle;
}

function createObjects(build: VmBuild, config: VdeviceConfig): readonly CapId[] {
  const queue = (): CapId => createQueue(build, { depth: config.queueDepth, messageSizeBytes: config.messageSizeBytes });
  if (config.type === 'message-queue') return [queue()];
  if (config.type === 'message-queue-pair') return [queue(), queue()];
  return config.type === 'shm-doorbell' ? [createDoorbell(build), createDoorbell(build)] : [createDoorbell(build)];
}

function createDoorbell(build: VmBuild): CapId {
  const doorbell = build.create('doorbell', 'vdevice');
  build.activate(doorbell);
  return doorbell;
}

interface Side { readonly vm: VmRecord; readonly objects: readonly CapId[]; readonly side: 'own' | 'peer' }

/** The ends that one VM has of a vdevice: what it sends with, then what it receives with. */
function endsFor(build: VmBuild, config: VdeviceConfig, at: Side): VdeviceEnd[] {
  const [first = CAP_ID_INVALID, second = CAP_ID_INVALID] = at.objects;
  const own = at.side === 'own';
  const wanted = own ? config.interrupts : [];
  switch (config.type) {
    case 'doorbell': return [own ? doorbellReceive(build, at, first, wanted[0]) : doorbellSend(build, at, first, config.sourceCanClear)];
    case 'doorbell-source': return [own ? doorbellSend(build, at, first, config.sourceCanClear) : doorbellReceive(build, at, first, wanted[0])];
    case 'shm-doorbell': return own
      ? [doorbellSend(build, at, first, config.sourceCanClear), doorbellReceive(build, at, second)]
      : [doorbellSend(build, at, second, config.sourceCanClear), doorbellReceive(build, at, first)];
    case 'message-queue': return [config.sends === own ? queueSend(build, at, first, wanted[0]) : queueReceive(build, at, first, wanted[0])];
    default: return own
      ? [queueSend(build, at, first, wanted[0]), queueReceive(build, at, second, wanted[1])]
      : [queueSend(build, at, second, wanted[0]), queueReceive(build, at, first, wanted[1])];
  }
}

function doorbellSend(build: VmBuild, at: Side, doorbell: CapId, canClear: boolean): VdeviceEnd {
  const cap = build.give(at.vm, { cap: doorbell, type: 'doorbell' }, RIGHTS.doorbell.send | (canClear ? RIGHTS.doorbell.receive : 0));
  return { type: 'doorbell-send', vmid: at.vm.vmid, cap, virq: null };
}

function doorbellReceive(build: VmBuild, at: Side, doorbell: CapId, wanted?: number): VdeviceEnd {
  const cap = build.give(at.vm, { cap: doorbell, type: 'doorbell' }, RIGHTS.doorbell.receive);
  const virq = build.takeVirq(at.vm.vmid, wanted) ?? null;
  if (virq !== null) build.call('doorbell_bind_virq', { doorbell, vic: vicOf(at.vm), virq });
  return { type: 'doorbell-receive', vmid: at.vm.vmid, cap, virq };
}

function queueSend(build: VmBuild, at: Side, queue: CapId, wanted?: number): VdeviceEnd {
  const cap = build.give(at.vm, { cap: queue, type: 'msgqueue' }, RIGHTS.msgqueue.send);
  const virq = build.takeVirq(at.vm.vmid, wanted) ?? null;
  if (virq !== null) build.call('msgqueue_bind_send_virq', { msgqueue: queue, vic: vicOf(at.vm), virq });
  return { type: 'queue-send', vmid: at.vm.vmid, cap, virq };
}

function queueReceive(build: VmBuild, at: Side, queue: CapId, wanted?: number): VdeviceEnd {
  const cap = build.give(at.vm, { cap: queue, type: 'msgqueue' }, RIGHTS.msgqueue.receive);
  const virq = build.takeVirq(at.vm.vmid, wanted) ?? null;
  if (virq !== null) build.call('msgqueue_bind_receive_virq', { msgqueue: queue, vic: vicOf(at.vm), virq });
  return { type: 'queue-receive', vmid: at.vm.vmid, cap, virq };
}

function vicOf(vm: VmRecord): CapId {
  return vm.objects?.vic ?? CAP_ID_INVALID;
}

/** The VM that a vdevice names as its peer, if it exists. */
function peerOf(rm: Rm, vm: VmRecord, config: VdeviceConfig): VmRecord | undefined {
  const spec = config.peer;
  if (spec === null) return undefined;
  if (spec.kind === 'default') return rm.vm(vm.owner);
  return rm.state.vms.find((other) => other !== vm && matchesIdentity(other, spec.kind, spec.value));
}

/** Whether a VM is the one that `vm-name:`, `vm-uri:` or `vm-guid:` names. */
function matchesIdentity(vm: VmRecord, kind: 'name' | 'uri' | 'guid', value: string): boolean {
  if (kind === 'name') return vm.name === value;
  if (kind === 'uri') return vm.uri !== '' && vm.uri === value;
  const guid = parseGuid(value);
  return guid !== undefined && guid.some((byte) => byte !== 0) && vm.guid.every((byte, i) => byte === guid[i]);
}

/** The vdevice of `peer` that waits for `vm` to bring this one. */
function findCounterpart(rm: Rm, peer: VmRecord, vm: VmRecord, config: VdeviceConfig): VdeviceRecord | undefined {
  const type = config.type === 'doorbell' ? 'doorbell-source' : config.type === 'doorbell-source' ? 'doorbell' : config.type;
  return peer.vdevices.find((other) => other.peer === null && other.config.type === type && other.config.label === config.label && peerOf(rm, peer, other.config) === vm);
}
