/**
 * Memory of VMs: extents, mappings, and how RM itself reads and writes what a VM will see. RM has all platform memory mapped one to
 * one, so an offset into the memory extent is also an address of RM's.
 */

import { alignUp, hex } from '../base/bits';
import { CAP_ID_INVALID, ipa, virqNumber } from '../base/brands';
import type { CapId } from '../base/brands';
import type { PlatformInterrupt, PlatformVm } from '../hypervisor/interface';
import type { Rm } from './context';
import { lendStatically } from './lent-interrupts';
import type { RmErrorName } from './rm-errors';
import type { AddressRange, DeviceWindow, VmRecord } from './state';
import { GICD_SIZE, VmBuild } from './vm-builder';
import type { VmConfig } from './vm-config';

/** Pages are 4 KiB. */
export const PAGE = 0x1000n;
/** Access bits of RM and of the hypervisor alike. */
export const ACCESS = { X: 1, W: 2, R: 4, RW: 6, RWX: 7 } as const;
/** Stage-2 memory types that RM uses (Gunyah API: vm memory type). */
export const MEMORY_TYPE = { DEVICE: 1, UNCACHED: 5, WRITE_BACK: 0xf } as const;

const SPARSE_NORMAL = 0x1_0007;
const BASIC_DEVICE = 0x106;
const MAP_PARTIAL = 1;
const DONATE = { TO_CHILD: 0, TO_PARENT: 1, TO_SIBLING: 2 } as const;
const MODIFY_ZERO_NO_SYNC = 0x8000_0001;
const COPY_CHUNK = 0x1_0000n;

/** Mapping attributes with equal access for user and kernel (Gunyah API: memextent_mapping_attrs). */
export function mapAttributes(access: number, memoryType: number): number {
  return access | (access << 4) | (memoryType << 16);
}

/** Creates an empty sparse extent that can hold any of the platform's memory. */
export function createSparseExtent(build: VmBuild): CapId {
  const { memoryExtent, memorySizeBytes } = build.rm.environment;
  const extent = build.create('memextent', 'memory');
  build.call('memextent_configure_derive', { memextent: extent, parent_memextent: memoryExtent, offset: 0n, size: memorySizeBytes, attributes: SPARSE_NORMAL });
  build.activate(extent);
  return extent;
}

/** The extent of the memory that a VM owns, made when first needed. */
export function ownExtent(build: VmBuild): CapId {
  build.vm.memoryExtent ??= createSparseExtent(build);
  return build.vm.memoryExtent;
}

/** Gives a range of RM's memory to an extent made by `createSparseExtent`. */
export function donateFromRm(build: VmBuild, to: CapId, range: { readonly offset: bigint; readonly sizeBytes: bigint }): void {
  build.call('memextent_donate', { options: DONATE.TO_CHILD, from: build.rm.environment.memoryExtent, to, offset: range.offset, size: range.sizeBytes });
}

/** Moves a range between two extents made by `createSparseExtent`. */
export function donateToSibling(rm: Rm, from: CapId, to: CapId, range: { readonly offset: bigint; readonly sizeBytes: bigint }): number {
  return rm.call('memextent_donate', { options: DONATE.TO_SIBLING, from, to, offset: range.offset, size: range.sizeBytes }).error;
}

/** Gives a range back to RM; what the extent does not own any more stays where it is. */
export function donateToRm(rm: Rm, from: CapId, range: { readonly offset: bigint; readonly sizeBytes: bigint }): void {
  rm.call('memextent_donate', { options: DONATE.TO_PARENT, from, to: rm.environment.memoryExtent, offset: range.offset, size: range.sizeBytes });
}

/** Maps part of an extent into a VM. The hypervisor's error, 0 for none. */
export function mapPart(rm: Rm, vm: VmRecord, extent: CapId, part: { readonly ipa: bigint; readonly offset: bigint; readonly sizeBytes: bigint; readonly attributes: number }): number {
  return rm.call('addrspace_map', {
    addrspace: vm.objects?.addrspace ?? CAP_ID_INVALID, memextent: extent, vbase: part.ipa, map_attrs: part.attributes, map_flags: MAP_PARTIAL, offset: part.offset, size: part.sizeBytes,
  }).error;
}

/** Removes what `mapPart` made. */
export function unmapPart(rm: Rm, vm: VmRecord, extent: CapId, part: { readonly ipa: bigint; readonly offset: bigint; readonly sizeBytes: bigint }): number {
  return rm.call('addrspace_unmap', {
    addrspace: vm.objects?.addrspace ?? CAP_ID_INVALID, memextent: extent, vbase: part.ipa, map_flags: MAP_PARTIAL, offset: part.offset, size: part.sizeBytes,
  }).error;
}

/** Maps a whole basic extent into a VM. The hypervisor's error, 0 for none. */
export function mapWhole(rm: Rm, vm: VmRecord, extent: CapId, at: { readonly ipa: bigint; readonly attributes: number }): number {
  return rm.call('addrspace_map', {
    addrspace: vm.objects?.addrspace ?? CAP_ID_INVALID, memextent: extent, vbase: at.ipa, map_attrs: at.attributes, map_flags: 0, offset: 0n, size: 0n,
  }).error;
}

/** Removes what `mapWhole` made, or what the extent inherited. */
export function unmapWhole(rm: Rm, vm: VmRecord, extent: CapId, ipaBase: bigint): number {
  return rm.call('addrspace_unmap', { addrspace: vm.objects?.addrspace ?? CAP_ID_INVALID, memextent: extent, vbase: ipaBase, map_flags: 0, offset: 0n, size: 0n }).error;
}

/** Takes part of a device window out into a basic extent of its own, which keeps the window's mapping. Undefined if that cannot be. */
export function carveDevice(rm: Rm, window: DeviceWindow, range: AddressRange): CapId | undefined {
  const { partition, cspace } = rm.environment;
  const { error, new_cap: extent } = rm.call('partition_create_memextent', { src_partition: partition, cspace });
  if (error !== 0) return undefined;
  const derived = rm.call('memextent_configure_derive', { memextent: extent, parent_memextent: window.extent, offset: range.base - window.ipa, size: range.sizeBytes, attributes: BASIC_DEVICE });
  if (derived.error === 0 && rm.call('object_activate', { cap: extent }).error === 0) return extent;
  rm.call('cspace_delete_cap_from', { cspace, cap: extent });
  return undefined;
}

/** Zeroes a range that the extent owns. */
export function zeroRange(rm: Rm, extent: CapId, range: { readonly offset: bigint; readonly sizeBytes: bigint }): void {
  rm.call('memextent_modify', { memextent: extent, flags: MODIFY_ZERO_NO_SYNC, offset: range.offset, size: range.sizeBytes });
}

/** Gives a VM its RAM: RM's memory at `vm.ram` becomes the VM's own and appears at `ramBase`. */
export function giveRam(rm: Rm, vm: VmRecord, ramBase: bigint): RmErrorName | undefined {
  const build = new VmBuild(rm, vm);
  const extent = ownExtent(build);
  const ram = vm.ram;
  if (ram === null) return 'NOMEM';
  donateFromRm(build, extent, ram);
  if (build.error !== undefined) return build.error;
  const mapping = { ipa: ramBase, offset: ram.offset, sizeBytes: ram.sizeBytes };
  if (mapPart(rm, vm, extent, { ...mapping, attributes: mapAttributes(ACCESS.RWX, MEMORY_TYPE.WRITE_BACK) }) !== 0) return 'MAP_FAILED';
  vm.mappings.push({ ...mapping, handle: null, kind: 'memory' });
  return undefined;
}

/** Gives a VM the memory behind its flash. The platform decides what a store to it does; loads and fetches are plain. */
export function giveFlash(rm: Rm, vm: VmRecord, flash: PlatformVm['flash']): RmErrorName | undefined {
  if (flash === undefined) return undefined;
  const build = new VmBuild(rm, vm);
  const extent = ownExtent(build);
  const range = { offset: flash.source - rm.environment.memoryBase, sizeBytes: flash.sizeBytes };
  donateFromRm(build, extent, range);
  if (build.error !== undefined) return build.error;
  const mapping = { ipa: flash.ipa, ...range };
  if (mapPart(rm, vm, extent, { ...mapping, attributes: mapAttributes(ACCESS.RWX, MEMORY_TYPE.WRITE_BACK) }) !== 0) return 'MAP_FAILED';
  vm.mappings.push({ ...mapping, handle: null, kind: 'device', isMemory: true });
  return undefined;
}

/** Maps a platform VM's device windows and forwards their interrupts. */
export function giveDevices(rm: Rm, vm: VmRecord, devices: PlatformVm['devices']): RmErrorName | undefined {
  const build = new VmBuild(rm, vm);
  for (const device of devices) {
    mapDevice(build, vm, device, ACCESS.RW);
    const { interrupt, hardwareInterrupt, moreInterrupts = [] } = device;
    const first = interrupt === undefined || hardwareInterrupt === undefined ? [] : [{ interrupt, hardwareInterrupt }];
    for (const line of [...first, ...moreInterrupts]) forwardInterrupt(build, vm, line);
  }
  return build.error;
}

/** Maps device memory out of the platform's, or out of what another VM has of it, which then sees it as before. */
function mapDevice(build: VmBuild, vm: VmRecord, device: Pick<PlatformVm['devices'][number], 'pa' | 'ipa' | 'sizeBytes'>, access: number): void {
  const { deviceExtent, deviceBase } = build.rm.environment;
  const offset = device.pa - deviceBase;
  const window = build.rm.state.vms.flatMap(({ deviceWindows }) => deviceWindows).find(({ ipa: base, sizeBytes }) => device.pa >= base && device.pa + device.sizeBytes <= base + sizeBytes);
  const parent = window === undefined ? { extent: deviceExtent, base: deviceBase } : { extent: window.extent, base: window.ipa };
  const extent = build.create('memextent', 'memory');
  build.call('memextent_configure_derive', { memextent: extent, parent_memextent: parent.extent, offset: device.pa - parent.base, size: device.sizeBytes, attributes: BASIC_DEVICE });
  build.activate(extent);
  build.call('addrspace_map', {
    addrspace: vm.objects?.addrspace ?? CAP_ID_INVALID, memextent: extent, vbase: device.ipa, map_attrs: mapAttributes(access, MEMORY_TYPE.DEVICE), map_flags: 0, offset: 0n, size: 0n,
  });
  vm.mappings.push({ ipa: device.ipa, sizeBytes: device.sizeBytes, offset, handle: null, kind: 'device' });
  vm.deviceWindows.push({ ipa: device.ipa, sizeBytes: device.sizeBytes, extent });
}

/** Access of stage 2 by the numbers of `iomemory-ranges`. */
const RANGE_ACCESS = [ACCESS.RW, ACCESS.R, ACCESS.RWX, ACCESS.W, ACCESS.X, ACCESS.R | ACCESS.X, 0] as const;

/** Maps the devices and forwards the interrupts that the configuration of a trusted VM asks for. What the platform gives it anyway is left to the platform. */
export function giveConfigured(rm: Rm, vm: VmRecord, { deviceRanges, deviceInterrupts }: Pick<VmConfig, 'deviceRanges' | 'deviceInterrupts'>): RmErrorName | undefined {
  const build = new VmBuild(rm, vm);
  const { deviceBase, deviceSizeBytes, vms } = rm.environment;
  const given = vm.platformIndex === null ? [] : vms[vm.platformIndex]?.devices ?? [];
  for (const { base, sizeBytes, access } of deviceRanges) {
    if (given.some((device) => base < device.ipa + device.sizeBytes && device.ipa < base + sizeBytes)) continue;
    if (base < deviceBase || base + sizeBytes > deviceBase + deviceSizeBytes) {
      rm.report(vm.vmid, 'rm-device-range', `iomemory-ranges: ${hex(base)} to ${hex(base + sizeBytes - 1n)} is not where this platform has devices.`);
      return 'NORESOURCE';
    }
    mapDevice(build, vm, { pa: base, ipa: base, sizeBytes }, RANGE_ACCESS[access & 0xffff] ?? 0);
  }
  for (const { hardware, virq } of deviceInterrupts) {
    if (given.some(({ hardwareInterrupt, moreInterrupts = [] }) => hardwareInterrupt === hardware || moreInterrupts.some((line) => line.hardwareInterrupt === hardware))) continue;
    if (!lendStatically(rm, vm, { hardware, virq })) {
      rm.report(vm.vmid, 'rm-device-interrupt', `gic-irq-ranges: interrupt ${hardware} cannot be forwarded as ${virq}.`);
      return 'NORESOURCE';
    }
  }
  return build.error === undefined ? undefined : 'NORESOURCE';
}

function forwardInterrupt(build: VmBuild, vm: VmRecord, { interrupt, hardwareInterrupt }: PlatformInterrupt): void {
  const hwirq = build.rm.environment.hardwareInterrupts.get(hardwareInterrupt);
  if (hwirq === undefined) return;
  build.call('hwirq_bind_virq', { hwirq, vic: vm.objects?.vic ?? CAP_ID_INVALID, virq: interrupt });
  vm.hardwareInterrupts.push({ cap: hwirq, intid: hardwareInterrupt, virq: interrupt });
}

/** The primary VM has every interrupt of the platform that no device of another VM drives, under its own number. */
export function giveInterrupts(rm: Rm, vm: VmRecord): RmErrorName | undefined {
  const build = new VmBuild(rm, vm);
  const devices = rm.environment.vms.flatMap((platform) => platform.devices);
  const taken = devices.flatMap(({ hardwareInterrupt, moreInterrupts = [] }) => [hardwareInterrupt, ...moreInterrupts.map((line) => line.hardwareInterrupt)]);
  for (const intid of rm.environment.hardwareInterrupts.keys()) {
    if (!taken.includes(intid)) forwardInterrupt(build, vm, { interrupt: virqNumber(intid), hardwareInterrupt: intid });
  }
  return build.error;
}

/** Copies an image out of RM's memory into a range that lies at `to` in RM's memory. */
export function copyPlatform(rm: Rm, from: bigint, to: bigint, sizeBytes: bigint): boolean {
  for (let done = 0n; done < sizeBytes; done += COPY_CHUNK) {
    const size = sizeBytes - done < COPY_CHUNK ? sizeBytes - done : COPY_CHUNK;
    const bytes = rm.host.read(ipa(from + done), Number(size));
    if (!bytes.ok || !rm.host.write(ipa(to + done), bytes.value).ok) return false;
  }
  return true;
}

/** Reads what a VM sees at an address, through RM's own mapping; `undefined` if part of it is not the VM's memory. */
export function readGuest(rm: Rm, vm: VmRecord, address: bigint, sizeBytes: number): Uint8Array | undefined {
  const out = new Uint8Array(sizeBytes);
  for (const piece of pieces(vm, address, sizeBytes)) {
    const bytes = piece === undefined ? undefined : rm.readPlatform(piece.offset, piece.size);
    if (piece === undefined || bytes === undefined) return undefined;
    out.set(bytes, piece.at);
  }
  return out;
}

/** Writes what a VM sees at an address. */
export function writeGuest(rm: Rm, vm: VmRecord, address: bigint, bytes: Uint8Array): boolean {
  for (const piece of pieces(vm, address, bytes.length)) {
    if (piece === undefined) return false;
    if (!rm.host.write(ipa(rm.environment.memoryBase + piece.offset), bytes.subarray(piece.at, piece.at + piece.size)).ok) return false;
  }
  return true;
}

/** Cuts a guest range along the VM's mappings; `undefined` marks a hole. */
function* pieces(vm: VmRecord, address: bigint, sizeBytes: number): Generator<{ readonly offset: bigint; readonly at: number; readonly size: number } | undefined> {
  let at = 0;
  while (at < sizeBytes) {
    const here = address + BigInt(at);
    const mapping = vm.mappings.find((item) => item.kind === 'memory' && item.isReserved !== true && here >= item.ipa && here < item.ipa + item.sizeBytes);
    if (mapping === undefined) {
      yield undefined;
      return;
    }
    const room = mapping.ipa + mapping.sizeBytes - here;
    const size = room < BigInt(sizeBytes - at) ? Number(room) : sizeBytes - at;
    yield { offset: mapping.offset + (here - mapping.ipa), at, size };
    at += size;
  }
}

/** Takes a range out of the free memory; `undefined` if no free range is large enough. */
export function takeFreeMemory(rm: Rm, sizeBytes: bigint, alignment: bigint): bigint | undefined {
  for (const range of rm.state.freeMemory) {
    const base = (range.base + alignment - 1n) / alignment * alignment;
    if (base + sizeBytes > range.base + range.sizeBytes) continue;
    reserveFreeMemory(rm, base, sizeBytes);
    return base;
  }
  return undefined;
}

/** Takes this range out of the free memory, as far as it is in it. */
export function reserveFreeMemory(rm: Rm, base: bigint, sizeBytes: bigint): void {
  const end = base + sizeBytes;
  rm.state.freeMemory = rm.state.freeMemory.flatMap((range) => {
    const rangeEnd = range.base + range.sizeBytes;
    if (end <= range.base || base >= rangeEnd) return [range];
    return [
      ...(base > range.base ? [{ base: range.base, sizeBytes: base - range.base }] : []),
      ...(end < rangeEnd ? [{ base: end, sizeBytes: rangeEnd - end }] : []),
    ];
  });
}

/** Puts a range back into the free memory. */
export function releaseFreeMemory(rm: Rm, base: bigint, sizeBytes: bigint): void {
  const ranges = [...rm.state.freeMemory, { base, sizeBytes }].sort((a, b) => (a.base < b.base ? -1 : 1));
  const merged: { base: bigint; sizeBytes: bigint }[] = [];
  for (const range of ranges) {
    const last = merged[merged.length - 1];
    if (last !== undefined && last.base + last.sizeBytes === range.base) last.sizeBytes += range.sizeBytes;
    else merged.push({ ...range });
  }
  rm.state.freeMemory = merged;
}

/** What occupies part of a range of a VM's address space: the interrupt controller, memory, a device, or one of `more`. */
export function occupant(vm: VmRecord, range: AddressRange, more: readonly AddressRange[] = []): AddressRange | undefined {
  const overlaps = ({ base, sizeBytes }: AddressRange): boolean => range.base < base + sizeBytes && base < range.base + range.sizeBytes;
  const frames = vm.objects === null ? [] : [
    { base: vm.objects.gicd, sizeBytes: GICD_SIZE }, { base: vm.objects.gicr, sizeBytes: vm.objects.gicrStride * BigInt(vm.vcpus.length) },
  ];
  return [...frames, ...vm.mappings.map(({ ipa: base, sizeBytes }) => ({ base, sizeBytes })), ...more].find(overlaps);
}

/** The lowest address range of a VM that nothing uses: what RM chooses for a parcel. `undefined` if the address space has no such range. */
export function chooseAddress(vm: VmRecord, sizeBytes: bigint, more: readonly AddressRange[] = [], alignment = sizeBytes >= LARGE ? LARGE : PAGE): bigint | undefined {
  for (let address = alignUp(CHOSEN_FIRST, alignment); address + sizeBytes <= ADDRESS_SPACE_END;) {
    const obstacle = occupant(vm, { base: address, sizeBytes }, [...vm.reservations, ...more]);
    if (obstacle === undefined) return address;
    address = alignUp(obstacle.base + obstacle.sizeBytes, alignment);
  }
  return undefined;
}

const LARGE = 0x20_0000n;
/** Below are the devices of the platform (QEMU), which RM keeps free in every VM. */
export const CHOSEN_FIRST = 0x4000_0000n;
/** End of every VM's address space. */
export const ADDRESS_SPACE_END = 1n << 36n;
