/**
 * Memory in RM's overlay: what the VM has, the buffers that it shares, and firmware that it must leave alone. Vdevices that lie in a
 * buffer find it here by their label.
 */

import { cells, ref } from '../devicetree';
import type { DtNode, DtValueInput } from '../devicetree';
import { cellCounts, nodeAt } from '../devicetree/rm-rules';
import type { Rm } from './context';
import { put, split } from './overlay-values';
import type { Parcel, VmRecord } from './state';
import type { VdeviceConfig } from './vm-config';

/** Whose overlay is written: RM, the VM, and the VM's own tree. */
export interface OverlaySubject { readonly rm: Rm; readonly vm: VmRecord; readonly base: DtNode }

/** Replaces `/memory` by all memory that the VM has now, device memory and firmware left out. */
export function addMemory({ rm, vm, base }: OverlaySubject, additions: DtNode): void {
  const counts = cellCounts(base);
  const ranges = vm.mappings.filter((mapping) => mapping.kind === 'memory' && mapping.isReserved !== true && !isIomem(vm, parcelOf(rm, mapping.handle)) && !isFirmware(vm, mapping.handle));
  const merged: { base: bigint; end: bigint }[] = [];
  const paged = vm.demandPaging.map(({ base: ipa, sizeBytes }) => ({ ipa, sizeBytes }));
  for (const range of [...ranges, ...paged].sort((a, b) => (a.ipa < b.ipa ? -1 : 1))) {
    const last = merged[merged.length - 1];
    const end = range.ipa + range.sizeBytes;
    if (last !== undefined && range.ipa <= last.end) last.end = end > last.end ? end : last.end;
    else merged.push({ base: range.ipa, end });
  }
  const reg = merged.flatMap((range) => [...split(range.base, counts.address), ...split(range.end - range.base, counts.size)]);
  put(additions.ensure('/memory'), { 'device_type': 'memory', 'reg': cells(...reg) });
}

/** Whether a parcel is there for an `iomem` vdevice. */
function isIomem(vm: VmRecord, parcel: Parcel | undefined): boolean {
  return parcel !== undefined && vm.vdevices.some(({ config }) => config.type === 'iomem' && config.memory?.label === parcel.label);
}

/** Whether a parcel holds firmware and nothing else. */
function isFirmware(vm: VmRecord, handle: number | null): boolean {
  return handle !== null && vm.firmware?.handle === handle && vm.image?.handle !== handle;
}

function parcelOf(rm: Rm, handle: number | null): Parcel | undefined {
  return handle === null ? undefined : rm.state.parcels.find((parcel) => parcel.handle === handle);
}

/** Adds a node per parcel that is not the VM's private memory, and tells existing nodes the handle of their parcel. */
export function addReservedMemory(subject: OverlaySubject, additions: DtNode): void {
  const { rm, vm, base } = subject;
  const counts = cellCounts(base);
  const existing = nodeAt(base, '/reserved-memory');
  const reserved = additions.ensure('/reserved-memory');
  if (existing === undefined) put(reserved, { '#address-cells': counts.address, '#size-cells': counts.size, 'ranges': true });
  const named = new Set<Parcel>();
  // Everything that may be referred to has a number, whether or not anything does.
  let phandle = 0;
  for (const node of existing?.children ?? []) {
    const parcel = parcelOfNode(subject, node);
    if (parcel === undefined) continue;
    named.add(parcel);
    const written = put(additions.ensure(node.path), { 'qcom,rm-mem-handle': parcel.handle });
    // A node that others refer to keeps its number.
    if (!node.has('phandle')) put(written.label(bufferName(parcel)), { 'phandle': ++phandle });
  }
  const cellsOf = cellCounts(existing ?? base);
  for (const parcel of rm.state.parcels) if (!named.has(parcel) && !isPrivate(parcel, vm) && rangesOf(vm, parcel).length > 0) addBuffer(reserved, { vm, parcel, cellsOf, phandle: ++phandle });
  addFirmware(reserved, vm, cellsOf);
}

/** The accepted parcel that an existing node names: by its label, else by being exactly where the node says. */
function parcelOfNode({ rm, vm, base }: OverlaySubject, node: DtNode): Parcel | undefined {
  const accepted = rm.state.parcels.filter((candidate) => candidate.users.some((user) => user.vmid === vm.vmid));
  const label = node.u32('qcom,label');
  if (label !== undefined) return accepted.find((candidate) => candidate.label === label);
  const counts = cellCounts(nodeAt(base, '/reserved-memory') ?? base);
  const reg = node.property('reg')?.u32s;
  return reg === undefined ? undefined : accepted.find((parcel) => {
    const own = rangesOf(vm, parcel).flatMap(({ ipa, sizeBytes }) => [...split(ipa, counts.address), ...split(sizeBytes, counts.size)]);
    return own.length > 0 && own.length === reg.length && own.every((cell, i) => cell === reg[i]);
  });
}

/** Where a VM has a parcel. */
function rangesOf(vm: VmRecord, parcel: Parcel): readonly { readonly ipa: bigint; readonly sizeBytes: bigint }[] {
  return parcel.users.find((user) => user.vmid === vm.vmid)?.mappings ?? [];
}

/** What is wrong with the reserved memory of a VM's own tree, if anything: then the VM cannot start. */
export function reservedMemoryError(subject: OverlaySubject): 'no-parcel' | 'reusable-shared' | undefined {
  for (const node of nodeAt(subject.base, '/reserved-memory')?.children ?? []) {
    const parcel = parcelOfNode(subject, node);
    if (node.has('qcom,label') && parcel === undefined) return 'no-parcel';
    if (node.has('reusable') && parcel !== undefined && parcel.acl.length > 1) return 'reusable-shared';
  }
  return undefined;
}

/** Whether the VM's own tree reserves memory that is no parcel of the VM. Nodes without `reg`, whose place the guest chooses, are no affair of RM's. */
export function hasReservedWithoutParcel(subject: OverlaySubject): boolean {
  return nodeAt(subject.base, '/reserved-memory')?.children.some((node) => node.has('reg') && parcelOfNode(subject, node) === undefined) === true;
}

/** Linux must leave the firmware of its protected VM alone. */
function addFirmware(reserved: DtNode, { firmware, config, layout }: VmRecord, cellsOf: Cells): void {
  const address = layout.firmware ?? config?.firmwareAddress;
  if (firmware === null || address == null) return;
  put(reserved.ensure(`firmware@${address.toString(16)}`), {
    'reg': cells(...split(address, cellsOf.address), ...split(firmware.sizeBytes, cellsOf.size)), 'no-map': true, 'compatible': 'qcom,vm-firmware',
  });
}

function isPrivate(parcel: Parcel, vm: VmRecord): boolean {
  return vm.image?.handle === parcel.handle || vm.firmware?.handle === parcel.handle || parcel.label === 0 || isIomem(vm, parcel);
}

interface Cells { readonly address: number; readonly size: number }

function addBuffer(reserved: DtNode, { vm, parcel, cellsOf, phandle }: { readonly vm: VmRecord; readonly parcel: Parcel; readonly cellsOf: Cells; readonly phandle: number }): void {
  const ranges = rangesOf(vm, parcel);
  const [first] = ranges;
  if (first === undefined) return;
  const node = put(reserved.ensure(`buffer@${first.ipa.toString(16)}`).label(bufferName(parcel)), {
    'reg': cells(...ranges.flatMap((range) => [...split(range.ipa, cellsOf.address), ...split(range.sizeBytes, cellsOf.size)])),
    'qcom,shared-memory': true, 'no-map': true, 'peers': cells(...(parcel.transaction === 'share' ? [parcel.owner] : []), ...parcel.acl.map((entry) => entry.vmid)), 'qcom,rm-mem-handle': parcel.handle, 'phandle': phandle, 'qcom,label': parcel.label,
  });
  const pushed = vm.vdevices.find(({ config }) => config.memory?.label === parcel.label)?.config.pushCompatible ?? [];
  if (pushed.length > 0) node.set('compatible', pushed);
}

function bufferName(parcel: Parcel): string {
  return `rm_buffer_${parcel.handle}`;
}

/** What `buffer` and `memory-region` of a vdevice are; `undefined` while its parcel is missing. */
export function bufferReference(subject: OverlaySubject, config: VdeviceConfig): DtValueInput | undefined {
  const { rm, vm, base } = subject;
  const parcel = rm.state.parcels.find((candidate) => candidate.label === config.memory?.label && rangesOf(vm, candidate).length > 0);
  if (parcel === undefined || isPrivate(parcel, vm)) return undefined;
  const existing = nodeAt(base, '/reserved-memory')?.children.find((node) => parcelOfNode(subject, node) === parcel);
  return existing?.u32('phandle') ?? ref(bufferName(parcel));
}

/** The accepted parcel behind an `iomem` vdevice. */
export function deviceParcel({ rm, vm }: OverlaySubject, config: VdeviceConfig): Parcel | undefined {
  return rm.state.parcels.find((candidate) => candidate.label === config.memory?.label && rangesOf(vm, candidate).length > 0);
}
