/**
 * What RM adds to a VM's device tree before the VM starts: the `hypervisor` node with the RM channel, vdevices and identity; memory; and
 * what Linux needs beside them. Capability identifiers and interrupts are those in the VM's own spaces.
 *
 * RM writes an overlay of one fragment that targets the root and merges it into the VM's tree by the usual rules of overlays.
 */

import { hex } from '../base/bits';
import { applyOverlay, cells, cells64, decodeDtb, encodeDtb, linkTree, makeOverlay, ref, rootNode } from '../devicetree';
import type { DeviceTree, DtNode, DtValueInput } from '../devicetree';
import { cellCounts, nodeAt } from '../devicetree/rm-rules';
import type { Rm } from './context';
import { suitsLinux } from './profile';
import type { Parcel, RmLink, VdeviceRecord, VmRecord } from './state';
import type { VdeviceConfig } from './vm-config';

/** Why a VM cannot get its device tree. */
export type OverlayError = 'unreadable' | 'has-hypervisor-node' | 'no-room' | 'no-parcel';

const SPI_FIRST = 32;
const EDGE_RISING = 1;
const PRIVATE_BUFFER_BYTES = 16 * 1024;

/** Interrupt specifier of an INTID that RM allocated. */
function spi(intid: number): number[] {
  return intid >= SPI_FIRST ? [0, intid - SPI_FIRST, EDGE_RISING] : [1, intid - 16, EDGE_RISING];
}

function put(node: DtNode, properties: Readonly<Record<string, DtValueInput>>): DtNode {
  for (const [name, value] of Object.entries(properties)) node.set(name, value);
  return node;
}

/** The primary VM's blob: the `hypervisor` node with the RM channel and the VM's identity. */
export function overlayPrimary(rm: Rm, vm: VmRecord, blob: Uint8Array): Uint8Array | OverlayError {
  const tree = readTree(blob);
  if (typeof tree === 'string') return tree;
  const additions = rootNode();
  const hypervisor = put(additions.ensure('/hypervisor'), {
    'compatible': [...(suitsLinux(rm.options) ? ['gunyah-hypervisor'] : []), 'qcom,gunyah-hypervisor-1.0', 'qcom,gunyah-hypervisor', 'simple-bus'], '#address-cells': 2, '#size-cells': 0,
  });
  if (vm.link !== null) {
    const node = hypervisor.ensure(`qcom,resource-manager-rpc@${vm.link.vmSendCap.toString(16).padStart(16, '0')}`);
    put(node, { 'compatible': ['gunyah-resource-manager', 'qcom,resource-manager-1-0', 'qcom,resource-manager'], ...channel(vm.link), 'qcom,free-irq-start': vm.link.vmTxVirq });
  }
  put(hypervisor.ensure('qcom,gunyah-vm'), { 'compatible': ['qcom,gunyah-vm-id-1.0', 'qcom,gunyah-vm-id'], 'qcom,vendor': 'Qualcomm', 'qcom,vmid': vm.vmid });
  return merge(tree, additions);
}

/** The overlay in which RM writes what it adds. */
export function overlayOf(additions: DtNode): DeviceTree {
  return linkTree(makeOverlay([{ target: { path: '/' }, content: additions }])).tree;
}

/** Applies what RM adds as an overlay. */
function merge(base: DeviceTree, additions: DtNode): Uint8Array | OverlayError {
  const merged = applyOverlay(base, overlayOf(additions));
  return merged.ok ? encodeDtb(merged.value) : 'unreadable';
}

function channel(link: RmLink): Readonly<Record<string, DtValueInput>> {
  return {
    'reg': cells64(link.vmSendCap, link.vmReceiveCap),
    'interrupts': cells(...spi(link.vmTxVirq), ...spi(link.vmRxVirq)),
    'qcom,is-full-duplex': true,
    'qcom,tx-message-size': link.messageSizeBytes, 'qcom,rx-message-size': link.messageSizeBytes,
    'qcom,tx-queue-depth': link.depth, 'qcom,rx-queue-depth': link.depth,
  };
}

function readTree(blob: Uint8Array): DeviceTree | OverlayError {
  const decoded = decodeDtb(blob);
  return decoded.ok && decoded.value.diagnostics.length === 0 ? decoded.value.tree : 'unreadable';
}

/** A secondary VM's blob, which must fit `roomBytes` by RM's rule for merging in place. */
export function overlaySecondary(rm: Rm, vm: VmRecord, blob: Uint8Array, roomBytes: number): Uint8Array | OverlayError {
  const tree = readTree(blob);
  if (typeof tree === 'string') return tree;
  const additions = secondaryAdditions(rm, vm, tree.root);
  if (typeof additions === 'string') return additions;
  const merged = merge(tree, additions);
  if (typeof merged === 'string') return merged;
  // Larger trees are merged behind the base inside the same region, which then must hold everything twice.
  const needed = merged.length <= PRIVATE_BUFFER_BYTES ? merged.length : 2 * merged.length;
  return needed <= roomBytes ? merged : 'no-room';
}

/** What RM adds to a secondary VM's tree, as a tree of its own. Nodes that a node of the base asks for say where that one was written. */
export function secondaryAdditions(rm: Rm, vm: VmRecord, base: DtNode): DtNode | OverlayError {
  if (nodeAt(base, '/hypervisor') !== undefined) return 'has-hypervisor-node';
  if (!parcelsPresent(rm, vm, base)) return 'no-parcel';
  const additions = rootNode();
  addHypervisor(additions);
  addIdentity(rm, additions, vm);
  const asked = (config: VdeviceConfig, node: DtNode | undefined): void => { if (node !== undefined) node.origin = nodeAt(base, config.path)?.origin; };
  for (const config of vm.config?.vdevices ?? []) if (config.type === 'rm-rpc') asked(config, addLink(additions, vm));
  for (const [index, vdevice] of vm.vdevices.entries()) asked(vdevice.config, addVdevice(rm, additions, vm, { vdevice, index }));
  addGic(base, additions, vm);
  addVcpus(base, additions, vm);
  addMemory(base, additions, { rm, vm });
  addReservedMemory(base, additions, { rm, vm });
  addCommon(rm, base, additions);
  return additions;
}

function addHypervisor(root: DtNode): void {
  put(root.ensure('/hypervisor'), {
    '#address-cells': 2, '#size-cells': 0, 'compatible': ['gunyah-hypervisor', 'qcom,gunyah-hypervisor-1.0', 'qcom,gunyah-hypervisor', 'simple-bus'],
  });
}

function addIdentity(rm: Rm, root: DtNode, vm: VmRecord): void {
  const node = put(root.ensure('/hypervisor/qcom,gunyah-vm'), {
    'compatible': ['qcom,gunyah-vm-id-1.0', 'qcom,gunyah-vm-id'], 'qcom,vmid': vm.vmid, 'qcom,owner-vmid': vm.owner, 'qcom,vendor': 'Qualcomm', 'qcom,image-name': vm.name,
  });
  if (vm.uri !== '') node.set('qcom,vm-uri', vm.uri);
  if (vm.guid.some((byte) => byte !== 0)) node.set('qcom,vm-guid', guidText(vm.guid));
  const peers = vm.vdevices.filter((vdevice) => vdevice.config.type === 'message-queue-pair' && vdevice.peer !== null && vdevice.peer !== vm.owner).map((vdevice) => peerName(rm, vdevice));
  if (peers.length > 0) node.set('qcom,peers', [...new Set(peers)]);
}

/** A GUID in its written form. */
export function guidText(guid: Uint8Array): string {
  const digits = [...guid].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join('-');
}

function peerName(rm: Rm, vdevice: VdeviceRecord): string {
  const peer = vdevice.peer === null ? undefined : rm.vm(vdevice.peer);
  return peer === undefined ? '' : `vm-name:${peer.name}`;
}

function addLink(root: DtNode, vm: VmRecord): DtNode | undefined {
  const config = vm.config?.vdevices.find((vdevice) => vdevice.type === 'rm-rpc');
  if (vm.link === null || config === undefined) return undefined;
  return put(root.ensure(`${config.generate}@${vm.link.vmReceiveCap.toString(16)}`), {
    'compatible': [...config.pushCompatible, 'gunyah-resource-manager', 'qcom,resource-manager', 'qcom,resource-manager-1-0', 'qcom,gunyah-message-queue', 'qcom,gunyah-capability'],
    ...channel(vm.link), 'qcom,free-irq-start': 0, 'qcom,vdevice-handle': 0,
  });
}

interface Placed { readonly vdevice: VdeviceRecord; readonly index: number }

function addVdevice(rm: Rm, root: DtNode, vm: VmRecord, { vdevice, index }: Placed): DtNode | undefined {
  const { config } = vdevice;
  const own = vdevice.ends.filter((end) => end.vmid === vm.vmid);
  const [first] = own;
  const last = own[own.length - 1];
  if (first === undefined || last === undefined) return undefined;
  const interrupts = own.flatMap((end) => (end.virq === null ? [] : spi(end.virq)));
  const node = root.ensure(`${config.generate}@${last.cap.toString(16)}`);
  const fixed = config.type === 'doorbell' ? 'qcom,gunyah-doorbell' : config.type === 'doorbell-source' ? 'qcom,gunyah-doorbell-source' : 'qcom,gunyah-message-queue';
  put(node, { 'compatible': [...config.pushCompatible, fixed, 'qcom,gunyah-capability'], 'reg': cells64(...own.map((end) => end.cap)) });
  if (interrupts.length > 0) node.set('interrupts', cells(...interrupts));
  if (config.type === 'message-queue') put(node, { [config.sends ? 'is-sender' : 'is-receiver']: true, 'tx_message_size': config.messageSizeBytes, 'tx_queue_depth': config.queueDepth });
  if (config.type === 'message-queue-pair') addPair(rm, node, vdevice, index);
  return put(node, { 'qcom,label': config.label, 'label': config.label });
}

function addPair(rm: Rm, node: DtNode, vdevice: VdeviceRecord, index: number): void {
  const { config, peer } = vdevice;
  put(node, {
    'qcom,free-irq-start': 0, 'qcom,is-full-duplex': true, 'qcom,tx-message-size': config.messageSizeBytes, 'qcom,rx-message-size': config.messageSizeBytes,
    'qcom,tx-queue-depth': config.queueDepth, 'qcom,rx-queue-depth': config.queueDepth, 'qcom,vdevice-handle': index + 1,
  });
  if (peer !== null) put(node, { 'qcom,peer-vmid': peer, 'peer': peerName(rm, vdevice) });
}

function addGic(base: DtNode, additions: DtNode, vm: VmRecord): void {
  const gic = vm.config?.gic;
  const node = gic == null ? undefined : nodeAt(base, gic.path);
  if (gic == null || node === undefined || vm.objects === null || node.has('reg')) return;
  const counts = cellCounts(node.parent);
  const { gicd, gicr, gicrStride } = vm.objects;
  put(additions.ensure(node.path), {
    'compatible': 'arm,gic-v3', '#redistributor-regions': 1, 'redistributor-stride': gicrStride,
    'reg': cells(...split(gicd, counts.address), ...split(0x1_0000n, counts.size), ...split(gicr, counts.address), ...split(gicrStride * BigInt(vm.vcpus.length), counts.size)),
  });
}

/** A number as big-endian cells. */
function split(value: bigint, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Number((value >> BigInt(32 * (count - 1 - i))) & 0xffff_ffffn));
}

function addVcpus(base: DtNode, additions: DtNode, vm: VmRecord): void {
  for (const vcpu of vm.vcpus) {
    const path = vm.config?.cpus[vcpu.index]?.path;
    const node = path === undefined ? undefined : nodeAt(base, path);
    if (vcpu.selfCap !== null && node !== undefined) additions.ensure(node.path).set('qcom,gunyah-capability', cells64(vcpu.selfCap));
  }
}

interface Subject { readonly rm: Rm; readonly vm: VmRecord }

function addMemory(base: DtNode, additions: DtNode, { rm, vm }: Subject): void {
  const counts = cellCounts(base);
  const shared = new Set(vm.vdevices.filter((vdevice) => vdevice.config.type === 'iomem').map((vdevice) => vdevice.config.memory?.label));
  const ranges = vm.mappings.filter((mapping) => mapping.kind === 'memory' && !shared.has(parcelOf(rm, mapping.handle)?.label ?? -1) && !isFirmware(vm, mapping.handle));
  const merged: { base: bigint; end: bigint }[] = [];
  for (const range of [...ranges].sort((a, b) => (a.ipa < b.ipa ? -1 : 1))) {
    const last = merged[merged.length - 1];
    if (last !== undefined && last.end === range.ipa) last.end += range.sizeBytes;
    else merged.push({ base: range.ipa, end: range.ipa + range.sizeBytes });
  }
  const reg = merged.flatMap((range) => [...split(range.base, counts.address), ...split(range.end - range.base, counts.size)]);
  put(additions.ensure('/memory'), { 'device_type': 'memory', 'reg': cells(...reg) });
}

/** Whether a parcel holds firmware and nothing else. */
function isFirmware(vm: VmRecord, handle: number | null): boolean {
  return handle !== null && vm.firmware?.handle === handle && vm.image?.handle !== handle;
}

function parcelOf(rm: Rm, handle: number | null): Parcel | undefined {
  return handle === null ? undefined : rm.state.parcels.find((parcel) => parcel.handle === handle);
}

/** Adds a node per parcel that is not the VM's private memory, and tells existing nodes the handle of their parcel. */
function addReservedMemory(base: DtNode, additions: DtNode, { rm, vm }: Subject): void {
  const counts = cellCounts(base);
  const existing = nodeAt(base, '/reserved-memory');
  const reserved = additions.ensure('/reserved-memory');
  if (existing === undefined) put(reserved, { '#address-cells': counts.address, '#size-cells': counts.size, 'ranges': true });
  const named = new Set<Parcel>();
  for (const node of existing?.children ?? []) {
    const parcel = parcelByLabel(rm, vm, node);
    if (parcel === undefined) continue;
    named.add(parcel);
    put(additions.ensure(node.path), { 'qcom,rm-mem-handle': parcel.handle });
  }
  const cellsOf = cellCounts(existing ?? base);
  for (const parcel of rm.state.parcels) if (!named.has(parcel) && !isPrivate(parcel, vm)) addBuffer(additions, reserved, { base, vm, parcel, cellsOf });
  addFirmware(reserved, vm, cellsOf);
}

/** The accepted parcel that an existing node names by its label. */
function parcelByLabel(rm: Rm, vm: VmRecord, node: DtNode): Parcel | undefined {
  const label = node.u32('qcom,label');
  return rm.state.parcels.find((candidate) => label !== undefined && candidate.label === label && candidate.users.some((user) => user.vmid === vm.vmid));
}

/** True if every existing node that names a parcel has one; else the VM cannot start. */
function parcelsPresent(rm: Rm, vm: VmRecord, base: DtNode): boolean {
  const children = nodeAt(base, '/reserved-memory')?.children ?? [];
  return children.every((node) => !node.has('qcom,label') || parcelByLabel(rm, vm, node) !== undefined);
}

/** Linux must leave the firmware of its protected VM alone. */
function addFirmware(reserved: DtNode, { firmware, config }: VmRecord, cellsOf: { readonly address: number; readonly size: number }): void {
  const address = config?.firmwareAddress;
  if (firmware === null || address == null) return;
  put(reserved.ensure(`firmware@${address.toString(16)}`), {
    'reg': cells(...split(address, cellsOf.address), ...split(firmware.sizeBytes, cellsOf.size)), 'no-map': true, 'compatible': 'qcom,vm-firmware',
  });
}

function isPrivate(parcel: Parcel, vm: VmRecord): boolean {
  return vm.image?.handle === parcel.handle || vm.firmware?.handle === parcel.handle || parcel.label === 0;
}

interface SharedBuffer { readonly base: DtNode; readonly vm: VmRecord; readonly parcel: Parcel; readonly cellsOf: { readonly address: number; readonly size: number } }

function addBuffer(additions: DtNode, reserved: DtNode, { base, vm, parcel, cellsOf }: SharedBuffer): void {
  const mappings = parcel.users.find((user) => user.vmid === vm.vmid)?.mappings ?? [];
  const [first] = mappings;
  if (first === undefined) return;
  const vdevice = vm.vdevices.find((candidate) => candidate.config.memory?.label === parcel.label);
  const name = `rm_buffer_${parcel.handle}`;
  const node = put(reserved.ensure(`buffer@${first.ipa.toString(16)}`).label(name), {
    'reg': cells(...mappings.flatMap((mapping) => [...split(mapping.ipa, cellsOf.address), ...split(mapping.sizeBytes, cellsOf.size)])),
    'qcom,shared-memory': true, 'no-map': true, 'peers': cells(...parcel.acl.map((entry) => entry.vmid)), 'qcom,rm-mem-handle': parcel.handle, 'qcom,label': parcel.label,
  });
  if (vdevice === undefined) return;
  const { config } = vdevice;
  if (config.pushCompatible.length > 0) node.set('compatible', config.pushCompatible);
  const device = put(additions.ensure(config.generate), {
    'compatible': [...config.pushCompatible, 'qcom,shared-memory'], 'buffer': ref(name), 'memory-region': ref(name), 'peer': vm.owner, 'qcom,label': config.label, 'label': config.label,
  });
  if (config.dmaBase !== null) device.set('dma_base', config.dmaBase);
  device.origin = nodeAt(base, config.path)?.origin;
}

function addCommon(rm: Rm, base: DtNode, additions: DtNode): void {
  additions.ensure('/chosen').set('kaslr-seed', cells(rm.host.random() >>> 0, rm.host.random() >>> 0));
  if (nodeAt(base, '/vsoc') === undefined) put(additions.ensure('/vsoc'), { 'compatible': 'simple-bus', '#address-cells': 2, '#size-cells': 2, 'ranges': true });
}

/** What to tell a user whose VM cannot get its device tree. */
export function overlayErrorText(error: OverlayError, roomBytes: number): string {
  switch (error) {
    case 'unreadable': return 'The device tree cannot be read as a blob.';
    case 'has-hypervisor-node': return 'The device tree already has a node /hypervisor; RM adds that node itself, so remove it.';
    case 'no-room': return `The device tree with RM’s additions does not fit its ${hex(roomBytes)} bytes; give it more room.`;
    case 'no-parcel': return 'A node in /reserved-memory has a qcom,label for which no memory parcel was given.';
  }
}
