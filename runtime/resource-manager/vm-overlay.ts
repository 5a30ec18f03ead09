/**
 * What RM adds to a VM's device tree before the VM starts: the `hypervisor` node with the RM channel, vdevices and identity; memory; and
 * what Linux needs beside them. Capability identifiers and interrupts are those in the VM's own spaces.
 *
 * RM writes an overlay of one fragment that targets the root and merges it into the VM's tree by the usual rules of overlays.
 */

import { hex } from '../base/bits';
import { applyOverlay, cells, cells64, decodeDtb, encodeDtb, linkTree, makeOverlay, rootNode } from '../devicetree';
import type { DeviceTree, DtNode, DtValueInput } from '../devicetree';
import { cellCounts, nodeAt } from '../devicetree/rm-rules';
import type { Rm } from './context';
import { put, spi, split } from './overlay-values';
import { DEFAULT_RM_OPTIONS, suitsLinux } from './profile';
import type { RmOptions } from './profile';
import type { RmLink, VmRecord } from './state';
import type { VdeviceConfig } from './vm-config';
import { addVdevice, compatibleOf, peerName } from './vm-overlay-devices';
import { overlayBlobBytes } from './vm-overlay-size';
import { addMemory, addReservedMemory, hasReservedWithoutParcel, reservedMemoryError } from './vm-overlay-memory';
import type { OverlaySubject } from './vm-overlay-memory';

/** Why a VM cannot get its device tree. */
export type OverlayError = 'unreadable' | 'has-hypervisor-node' | 'no-chosen-node' | 'no-room' | 'odd-size' | 'beyond-region' | 'no-parcel' | 'no-parcel-there' | 'reusable-shared' | 'no-interrupt-controller';

/** Up to here RM merges in memory of its own. */
const PRIVATE_BUFFER_BYTES = 16 * 1024;
/** Where a tree may begin. */
const TREE_ALIGNMENT = 8;

/** The primary VM's blob: the `hypervisor` node with the RM channel and the VM's identity. */
export function overlayPrimary(rm: Rm, vm: VmRecord, blob: Uint8Array): Uint8Array | OverlayError {
  const tree = readTree(blob);
  if (typeof tree === 'string') return tree;
  const additions = rootNode();
  const hypervisor = put(additions.ensure('/hypervisor'), {
    '#address-cells': 2, '#size-cells': 0, 'compatible': [...(suitsLinux(rm.options) ? ['gunyah-hypervisor'] : []), 'qcom,gunyah-hypervisor-1.0', 'qcom,gunyah-hypervisor', 'simple-bus'],
  });
  put(hypervisor.ensure('qcom,gunyah-vm'), { 'compatible': ['qcom,gunyah-vm-id-1.0', 'qcom,gunyah-vm-id'], 'qcom,vmid': vm.vmid, 'qcom,vendor': 'Qualcomm' });
  if (vm.link !== null) {
    const node = hypervisor.ensure(`qcom,resource-manager-rpc@${vm.link.vmSendCap.toString(16).padStart(16, '0')}`);
    put(node, { 'compatible': ['gunyah-resource-manager', 'qcom,resource-manager-1-0', 'qcom,resource-manager'], ...channel(vm.link, vm.link.vmTxVirq) });
  }
  return merge(rm, tree, additions);
}

/** The overlay in which RM writes what it adds. */
export function overlayOf(additions: DtNode, options: RmOptions = DEFAULT_RM_OPTIONS): DeviceTree {
  const { tree } = linkTree(makeOverlay([{ target: { path: '/' }, content: additions }]));
  if (!suitsLinux(options)) forgetBells(tree.root);
  return tree;
}

/**
 * The open RM writes the doorbells of shared memory as plain numbers, not as references: they are wrong as soon as the VM's own tree has
 * phandles, by which the overlay's are moved. Linux's profile does not have this defect.
 */
function forgetBells(root: DtNode): void {
  for (const node of root.child('__local_fixups__')?.walk() ?? []) for (const name of ['tx-doorbell', 'rx-doorbell']) node.remove(name);
}

/** Applies what RM adds as an overlay. */
function merge(rm: Rm, base: DeviceTree, additions: DtNode): Uint8Array | OverlayError {
  const merged = applyOverlay(base, overlayOf(additions, rm.options));
  return merged.ok ? encodeDtb(merged.value) : 'unreadable';
}

function channel(link: RmLink, freeInterrupt: number): Readonly<Record<string, DtValueInput>> {
  return {
    'reg': cells64(link.vmSendCap, link.vmReceiveCap),
    'interrupts': cells(...spi(link.vmTxVirq), ...spi(link.vmRxVirq)),
    'qcom,free-irq-start': freeInterrupt,
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
  // RM's overlay names /chosen as a target, and targets must be there. A preview shows what is added even so.
  if (nodeAt(tree.root, '/chosen') === undefined) return 'no-chosen-node';
  const missing = vm.platformIndex === null ? missingOfMade({ rm, vm, base: tree.root }) : undefined;
  if (missing !== undefined) return missing;
  const additions = secondaryAdditions(rm, vm, tree.root);
  if (typeof additions === 'string') return additions;
  const merged = merge(rm, tree, additions);
  if (typeof merged === 'string') return merged;
  const problem = placeProblem(rm, vm, { sizeBytes: ((blob.length + 3) & ~3) + overlayBlobBytes(additions, tree.root, vm.config?.gic?.path), roomBytes });
  if (problem !== undefined) return problem;
  if (merged.length <= roomBytes) return merged;
  return vm.platformIndex === null ? 'beyond-region' : 'no-room';
}

/** What the tree of a VM that another VM makes must have beside; the platform's own VMs do without. A preview does not know the parcels yet. */
function missingOfMade(subject: OverlaySubject): OverlayError | undefined {
  if (subject.vm.config?.gic === null) return 'no-interrupt-controller';
  return hasReservedWithoutParcel(subject) ? 'no-parcel-there' : undefined;
}

/**
 * What is wrong with the place where RM merges, if anything. Trees that are larger with the overlay's blob than RM's own memory are merged that size behind
 * the base inside the same region, which then must hold everything twice; the open RM takes what it finds there, which is no tree at an odd address.
 */
function placeProblem(rm: Rm, vm: VmRecord, { sizeBytes, roomBytes }: { readonly sizeBytes: number; readonly roomBytes: number }): 'no-room' | 'odd-size' | undefined {
  if (sizeBytes <= PRIVATE_BUFFER_BYTES) return undefined;
  if (2 * sizeBytes > roomBytes) return 'no-room';
  return sizeBytes % TREE_ALIGNMENT !== 0 && vm.platformIndex === null && !suitsLinux(rm.options) ? 'odd-size' : undefined;
}

/** What RM adds to a secondary VM's tree, as a tree of its own. Nodes that a node of the base asks for say where that one was written. */
export function secondaryAdditions(rm: Rm, vm: VmRecord, base: DtNode): DtNode | OverlayError {
  if (nodeAt(base, '/hypervisor') !== undefined) return 'has-hypervisor-node';
  const subject = { rm, vm, base };
  const problem = reservedMemoryError(subject);
  if (problem !== undefined) return problem;
  const additions = rootNode();
  // In the order of the real one: merging puts what comes later before what came earlier.
  addReservedMemory(subject, additions);
  addMemory(subject, additions);
  addCommon(rm, base, additions);
  addHypervisor(additions);
  addIdentity(additions, vm);
  addWatchdog(additions, vm);
  const asked = (config: VdeviceConfig, node: DtNode | undefined): void => { if (node !== undefined) node.origin = nodeAt(base, config.path)?.origin; };
  for (const config of vm.config?.vdevices ?? []) if (config.type === 'rm-rpc') asked(config, addLink(additions, vm));
  for (const vdevice of vm.vdevices) asked(vdevice.config, addVdevice(subject, additions, vdevice));
  addGic(base, additions, vm);
  addVcpus(base, additions, vm);
  return additions;
}

function addHypervisor(root: DtNode): void {
  put(root.ensure('/hypervisor'), {
    '#address-cells': 2, '#size-cells': 0, 'compatible': ['gunyah-hypervisor', 'qcom,gunyah-hypervisor-1.0', 'qcom,gunyah-hypervisor', 'simple-bus'],
  });
}

/** The guest's watchdog: which interrupt is its bark. It is driven by calls. */
function addWatchdog(root: DtNode, { objects }: VmRecord): void {
  const bark = objects?.watchdog?.barkVirq ?? null;
  if (bark !== null) put(root.ensure('/hypervisor/qcom,gh-watchdog'), { 'compatible': ['qcom,gh-watchdog'], 'interrupts': cells(...spi(bark)) });
}

function addIdentity(root: DtNode, vm: VmRecord): void {
  const node = put(root.ensure('/hypervisor/qcom,gunyah-vm'), {
    'compatible': ['qcom,gunyah-vm-id-1.0', 'qcom,gunyah-vm-id'], 'qcom,vmid': vm.vmid, 'qcom,owner-vmid': vm.owner, 'qcom,vendor': 'Qualcomm', 'qcom,image-name': vm.name,
  });
  if (vm.uri !== '') node.set('qcom,vm-uri', vm.uri);
  if (vm.guid.some((byte) => byte !== 0)) node.set('qcom,vm-guid', guidText(vm.guid));
  const peers = vm.vdevices.flatMap(({ config }) => (config.type === 'message-queue-pair' ? peerName(config) ?? [] : []));
  if (peers.length > 0) node.set('qcom,peers', [...new Set(peers)]);
}

/** A GUID in its written form. */
export function guidText(guid: Uint8Array): string {
  const digits = [...guid].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join('-');
}

function addLink(root: DtNode, vm: VmRecord): DtNode | undefined {
  const config = vm.config?.vdevices.find((vdevice) => vdevice.type === 'rm-rpc');
  if (vm.link === null || config === undefined) return undefined;
  return put(root.ensure(`${config.generate}@${vm.link.vmReceiveCap.toString(16)}`), {
    'compatible': compatibleOf(config), ...channel(vm.link, 0), 'qcom,vdevice-handle': 0,
  });
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

function addVcpus(base: DtNode, additions: DtNode, vm: VmRecord): void {
  for (const vcpu of vm.vcpus) {
    const path = vm.config?.cpus[vcpu.index]?.path;
    const node = path === undefined ? undefined : nodeAt(base, path);
    if (vcpu.selfCap !== null && node !== undefined) additions.ensure(node.path).set('qcom,gunyah-capability', cells64(vcpu.selfCap));
  }
}

function addCommon(rm: Rm, base: DtNode, additions: DtNode): void {
  additions.ensure(nodeAt(base, '/chosen')?.path ?? '/chosen').set('kaslr-seed', cells(rm.host.random() >>> 0, rm.host.random() >>> 0));
  if (nodeAt(base, '/vsoc') === undefined) put(additions.ensure('/vsoc'), { '#address-cells': 2, '#size-cells': 2, 'ranges': true, 'compatible': 'simple-bus' });
}

/** What to tell a user whose VM cannot get its device tree. */
export function overlayErrorText(error: OverlayError, roomBytes: number): string {
  switch (error) {
    case 'unreadable': return 'The device tree cannot be read as a blob.';
    case 'has-hypervisor-node': return 'The device tree already has a node /hypervisor; RM adds that node itself, so remove it.';
    case 'no-chosen-node': return 'The device tree has no node /chosen, which RM adds to; give it an empty one.';
    case 'no-room': return `The device tree with RM’s additions does not fit its ${hex(roomBytes)} bytes; give it more room.`;
    case 'beyond-region': return `The device tree with RM’s additions does not fit its ${hex(roomBytes)} bytes. The real Resource Manager does not look, writes beyond them and answers nothing any more; give the tree more room.`;
    case 'odd-size': return 'The device tree is merged behind itself, as it is larger than 16 KiB with RM’s additions, and the open RM does not align that place: make the tree smaller, or let RM behave as Linux expects.';
    case 'reusable-shared': return 'A node in /reserved-memory is reusable, but the memory parcel behind it is shared with others.';
    case 'no-interrupt-controller': return 'The device tree does not name the interrupt controller: give it interrupts with config in the configuration, or interrupt-parent at the root.';
    case 'no-parcel-there': return 'A node in /reserved-memory has a reg that is not exactly where a memory parcel of the VM lies. RM sees only parcels as reserved; leave the node out, or share its memory as a parcel of its own.';
    case 'no-parcel': return 'A node in /reserved-memory has a qcom,label for which no memory parcel was given.';
  }
}
