/** Vdevices in RM's overlay: a node for each, at the path that its configuration names, with the capabilities and interrupts of the VM. */

import { cells, cells64, ref } from '../devicetree';
import type { DtNode } from '../devicetree';
import { VDEVICES, vdeviceRow } from '../devicetree/rm-rules';
import { put, spi } from './overlay-values';
import type { VdeviceEnd, VdeviceRecord } from './state';
import { bufferReference, deviceParcel } from './vm-overlay-memory';
import type { OverlaySubject } from './vm-overlay-memory';
import type { VdeviceConfig } from './vm-config';

const DOORBELL = '/hypervisor/qcom,doorbell';
const DOORBELL_SOURCE = '/hypervisor/qcom,doorbell-source';
const CLOCK_BYTES = 0x1000n;
const DEVICE_ATTRIBUTE = 1;

/** Adds the node of a vdevice; `undefined` if the type has none, or no end in this VM. */
export function addVdevice(subject: OverlaySubject, root: DtNode, vdevice: VdeviceRecord): DtNode | undefined {
  switch (vdevice.config.type) {
    case 'shm':
    case 'shm-doorbell': return addShared(subject, root, vdevice);
    case 'virtio-mmio': return addVirtio(subject, root, vdevice);
    case 'iomem': return addIomem(subject, root, vdevice.config);
    case 'vrtc-pl031': return addClock(root, vdevice.config);
    default: return addConnection(subject, root, vdevice);
  }
}

/** The compatible strings of the node of a vdevice: what its configuration pushes, then what RM does, then those of its type. */
export function compatibleOf({ type, pushCompatible }: VdeviceConfig): readonly string[] {
  const { pushedByRm = [], compatible } = vdeviceRow(type);
  return [...pushCompatible, ...pushedByRm, ...compatible];
}

function ownEnds({ vm }: OverlaySubject, vdevice: VdeviceRecord): readonly VdeviceEnd[] {
  return vdevice.ends.filter((end) => end.vmid === vm.vmid);
}

function addConnection(subject: OverlaySubject, root: DtNode, vdevice: VdeviceRecord): DtNode | undefined {
  const { config } = vdevice;
  const own = ownEnds(subject, vdevice);
  const [first] = own;
  const last = own[own.length - 1];
  if (first === undefined || last === undefined) return undefined;
  const interrupts = own.flatMap((end) => (end.virq === null ? [] : spi(end.virq)));
  const node = root.ensure(`${config.generate}@${last.cap.toString(16)}`);
  put(node, { 'compatible': compatibleOf(config), 'reg': cells64(...own.map((end) => end.cap)) });
  if (config.type === 'message-queue') put(node, { [config.sends ? 'is-sender' : 'is-receiver']: true, 'tx_message_size': config.messageSizeBytes, 'tx_queue_depth': config.queueDepth });
  if (interrupts.length > 0) node.set('interrupts', cells(...interrupts));
  if (config.type === 'message-queue-pair') addPair(node, vdevice);
  return put(node, { 'qcom,label': config.label, 'label': config.label });
}

function addPair(node: DtNode, { config, peer, handle }: VdeviceRecord): void {
  const name = peerName(config);
  if (name !== undefined && peer !== null) node.set('qcom,peer-vmid', peer);
  put(node, {
    'qcom,free-irq-start': 0, 'qcom,is-full-duplex': true, 'qcom,tx-message-size': config.messageSizeBytes, 'qcom,rx-message-size': config.messageSizeBytes,
    'qcom,tx-queue-depth': config.queueDepth, 'qcom,rx-queue-depth': config.queueDepth, 'qcom,vdevice-handle': handle,
  });
  if (name !== undefined) node.set('peer', name);
}

/** The VM at the other end as the configuration names it; `undefined` for the owner by `peer-default`, whom no tree names. */
export function peerName({ peer }: VdeviceConfig): string | undefined {
  return peer === null || peer.kind === 'default' ? undefined : `vm-${peer.kind}:${peer.value}`;
}

/** Shared memory, alone or with a doorbell in each direction. Without its parcel, which may be optional, the node names no memory. */
function addShared(subject: OverlaySubject, root: DtNode, vdevice: VdeviceRecord): DtNode {
  const { config } = vdevice;
  const buffer = bufferReference(subject, config);
  const node = put(root.ensure(config.generate), {
    'compatible': compatibleOf(config), ...(buffer === undefined ? {} : { 'buffer': buffer, 'memory-region': buffer }), 'peer': subject.vm.owner, 'qcom,label': config.label, 'label': config.label,
  });
  if (config.dmaBase !== null) node.set('dma_base', config.dmaBase);
  if (config.type === 'shm-doorbell') for (const end of ownEnds(subject, vdevice)) addBell(root, node, { end, label: config.label });
  return node;
}

function addBell(root: DtNode, node: DtNode, { end, label }: { readonly end: VdeviceEnd; readonly label: number }): void {
  const isSource = end.type === 'doorbell-send';
  const cap = end.cap.toString(16);
  const name = `rm_bell_${cap}`;
  const bell = put(root.ensure(`${isSource ? DOORBELL_SOURCE : DOORBELL}@${cap}`).label(name), {
    'compatible': VDEVICES[isSource ? 'doorbell-source' : 'doorbell'].compatible, 'reg': cells64(end.cap), 'qcom,label': label, 'label': label,
  });
  if (end.virq !== null) bell.set('interrupts', cells(...spi(end.virq)));
  node.set(isSource ? 'tx-doorbell' : 'rx-doorbell', ref(name));
}

function addVirtio(subject: OverlaySubject, root: DtNode, vdevice: VdeviceRecord): DtNode | undefined {
  const { config } = vdevice;
  const [end] = ownEnds(subject, vdevice);
  if (end?.range === undefined) return undefined;
  const buffer = bufferReference(subject, config);
  const node = put(root.ensure(`${config.generate}@${end.range.base.toString(16)}`), {
    'compatible': compatibleOf(config), 'reg': cells64(end.range.base, end.range.sizeBytes), ...(buffer === undefined ? {} : { 'buffer': buffer, 'memory-region': buffer }),
    'interrupts': cells(...(end.virq === null ? [] : spi(end.virq))), 'qcom,label': config.label, 'label': config.label, 'dma_base': config.dmaBase ?? 0n, 'peer': subject.vm.owner,
  });
  return config.virtio?.isCoherent === true ? put(node, { 'dma-coherent': true }) : node;
}

/** Properties of a node that is there already, or of one of its own. */
function addIomem(subject: OverlaySubject, root: DtNode, config: VdeviceConfig): DtNode | undefined {
  const parcel = deviceParcel(subject, config);
  if (parcel === undefined) return undefined;
  const { vm } = subject;
  const rightsOf = (vmid: number): number => parcel.acl.find((entry) => entry.vmid === vmid)?.rights ?? 0;
  const attributeOf = (vmid: number): number => parcel.attributes.find((entry) => entry.vmid === vmid)?.attribute ?? DEVICE_ATTRIBUTE;
  const node = put(root.ensure(config.iomem?.patch ?? config.generate), {
    '#address-cells': 2, '#size-cells': 2, 'reg': cells64(...parcel.regions.flatMap(({ address, sizeBytes }) => [address, sizeBytes])), 'peer': vm.owner,
    'qcom,rm-mem-handle': cells64(parcel.handle), 'qcom,rm-acl': cells(rightsOf(vm.vmid), rightsOf(vm.owner)),
    'qcom,rm-attributes': cells(attributeOf(vm.vmid), attributeOf(vm.owner)), 'qcom,label': config.label,
  });
  return config.pushCompatible.length === 0 ? node : put(node, { 'compatible': config.pushCompatible });
}

function addClock(root: DtNode, config: VdeviceConfig): DtNode {
  put(root.ensure(`${config.generate}/vrtc-pclk`).label('rm_clock'), { 'compatible': 'fixed-clock', 'clock-frequency': 1, '#clock-cells': 0 });
  return put(root.ensure(`${config.generate}/vrtc`), {
    'compatible': compatibleOf(config), 'reg': cells64(config.clock?.base ?? 0n, CLOCK_BYTES), 'clocks': ref('rm_clock'), 'clock-names': 'apb_pclk',
  });
}
