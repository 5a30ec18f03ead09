/**
 * Vdevices that look like devices: a virtio device whose registers the hypervisor keeps in a page and whose backend is the owner, and the
 * real-time clock. What connects VMs by messages and doorbells is in `vdevices.ts`.
 */

import { CAP_ID_INVALID } from '../base/brands';
import type { CapId } from '../base/brands';
import { DEFAULT_BASE_ADDRESS } from '../devicetree/rm-rules';
import { RIGHTS } from '../hypervisor/interface';
import type { Rm } from './context';
import { suitsLinux } from './profile';
import type { RmErrorName } from './rm-errors';
import { parcelByHandle, parcelSize } from './parcels';
import type { AddressRange, HeldCap, VdeviceRecord, VmRecord } from './state';
import { GICD_SIZE } from './vm-builder';
import type { VmBuild } from './vm-builder';
import type { VdeviceConfig, VmConfig } from './vm-config';
import { ACCESS, chooseAddress, mapAttributes, MEMORY_TYPE, occupant, PAGE, releaseFreeMemory, takeFreeMemory, zeroRange } from './vm-memory';
import { VMID } from './vm-states';

/** Addresses in the primary VM that are free for the backends of virtio devices (platform QEMU). */
const BACKENDS: AddressRange = { base: 0x3000_0000n, sizeBytes: 0x1000_0000n };
/** A basic extent of normal memory, readable and writable (Gunyah API: memextent_attrs). */
const BASIC_NORMAL = 0x6;
const VALID_DEVICE_TYPE = 1n << 6n;

/** Creates a virtio device: a page of registers that the VM can only read, and that its stores reach through the hypervisor. */
export function createVirtio(build: VmBuild, config: VdeviceConfig): VdeviceRecord {
  const { rm, vm } = build;
  const owner = rm.vm(vm.owner);
  const record: VdeviceRecord = { config, peer: vm.owner, objects: [], handle: rm.state.nextVdevice, ends: [] };
  const place = pageAddress(rm, vm);
  const backendPlace = owner === undefined ? undefined : lowestFree(owner, BACKENDS);
  const offset = takeFreeMemory(rm, PAGE, PAGE);
  if (offset === undefined) build.fail('NOMEM');
  else vm.heldPages.push({ base: offset, sizeBytes: PAGE });
  if (place === undefined || backendPlace === undefined || owner === undefined || offset === undefined) {
    build.fail('NORESOURCE');
    return record;
  }
  const extent = createPage(build, offset, 'vdevice');
  const device = createDevice(build, extent, config);
  showPage(build, vm, { extent, ipa: place, access: ACCESS.R, offset });
  showPage(build, owner, { extent, ipa: backendPlace, access: ACCESS.RW, offset });
  const virq = build.takeVirq(vm.vmid) ?? null;
  const backendVirq = build.takeVirq(owner.vmid) ?? null;
  // The hypervisor names each source by who asserts it, so each goes to the other one's interrupt controller.
  if (virq !== null) build.call('virtio_mmio_backend_bind_virq', { virtio_mmio: device, vic: vm.objects?.vic ?? CAP_ID_INVALID, virq });
  if (backendVirq !== null) build.call('virtio_mmio_frontend_bind_virq', { virtio_mmio: device, vic: owner.objects?.vic ?? CAP_ID_INVALID, virq: backendVirq });
  const cap = build.give(owner, { cap: device, type: 'virtio_mmio' }, RIGHTS.virtio_mmio.assert_virq | RIGHTS.virtio_mmio.config);
  const ends: VdeviceRecord['ends'] = [
    { type: 'virtio-frontend', vmid: vm.vmid, cap: CAP_ID_INVALID, virq, range: { base: place, sizeBytes: PAGE } },
    { type: 'virtio-backend', vmid: owner.vmid, cap, virq: backendVirq, range: { base: backendPlace, sizeBytes: PAGE } },
  ];
  rm.state.nextVdevice = (record.handle + 1) >>> 0;
  return { ...record, objects: [device], ends };
}

function createPage(build: VmBuild, offset: bigint, stage: HeldCap['stage']): CapId {
  const { memoryExtent } = build.rm.environment;
  const extent = build.create('memextent', stage);
  build.call('memextent_configure_derive', { memextent: extent, parent_memextent: memoryExtent, offset, size: PAGE, attributes: BASIC_NORMAL });
  build.activate(extent);
  return extent;
}

function createDevice(build: VmBuild, extent: ReturnType<VmBuild['create']>, config: VdeviceConfig): ReturnType<VmBuild['create']> {
  const { queueCount, deviceType } = config.virtio ?? { queueCount: 1, deviceType: null };
  const device = build.create('virtio_mmio', 'vdevice');
  build.call('virtio_mmio_configure', { virtio_mmio: device, memextent: extent, vqs_num: queueCount, flags: deviceType === null ? 0n : VALID_DEVICE_TYPE, device_type: deviceType ?? 0 });
  build.activate(device);
  return device;
}

interface Shown { readonly extent: ReturnType<VmBuild['create']>; readonly ipa: bigint; readonly access: number; readonly offset: bigint }

function showPage(build: VmBuild, vm: VmRecord, { extent, ipa, access, offset }: Shown): void {
  build.call('addrspace_map', {
    addrspace: vm.objects?.addrspace ?? CAP_ID_INVALID, memextent: extent, vbase: ipa, map_attrs: mapAttributes(access, MEMORY_TYPE.WRITE_BACK), map_flags: 0, offset: 0n, size: 0n,
  });
  vm.mappings.push({ ipa, sizeBytes: PAGE, offset, handle: null, kind: 'device', isMemory: true });
}

/** The page that the hypervisor shares with a VM, before the VM sees it (Gunyah API: addrspace_configure_info_area). */
export interface InfoArea { readonly extent: CapId; readonly ipa: bigint; readonly offset: bigint }

/** Makes that page; null if the VM has no address for it or RM no memory. */
export function makeInfoArea(build: VmBuild): InfoArea | null {
  const { rm, vm } = build;
  const ipa = vm.vmid === VMID.HLOS ? lowestFree(vm, BACKENDS) : pageAddress(rm, vm);
  const offset = ipa === undefined ? undefined : takeFreeMemory(rm, PAGE, PAGE);
  if (ipa === undefined || offset === undefined) return null;
  zeroRange(rm, rm.environment.memoryExtent, { offset, sizeBytes: PAGE });
  vm.infoPage = offset;
  return { extent: createPage(build, offset, 'core'), ipa, offset };
}

/** Lets a VM that has been built see its page, read-only. The primary VM's lies where it sees the devices of the platform instead. */
export function showInfoArea(build: VmBuild, area: InfoArea | null): RmErrorName | undefined {
  if (area !== null && build.vm.vmid === VMID.HLOS) build.vm.mappings.push({ ipa: area.ipa, sizeBytes: PAGE, offset: area.offset, handle: null, kind: 'device', isMemory: true, isReserved: true });
  else if (area !== null) showPage(build, build.vm, { ...area, access: ACCESS.R });
  return build.error;
}

/** Where the frames of a VM's interrupt controller go if its tree does not say: to the lowest free multiples of 64 KiB. */
export function chooseFrames(rm: Rm, vm: VmRecord, { infoArea, redistributorBytes }: { readonly infoArea: InfoArea | null; readonly redistributorBytes: bigint }): { readonly gicd: bigint; readonly gicr: bigint } | undefined {
  const taken = [...imageToAvoid(rm, vm), ...(infoArea === null ? [] : [{ base: infoArea.ipa, sizeBytes: PAGE }])];
  const gicd = chooseAddress(vm, GICD_SIZE, taken, GICD_SIZE);
  const gicr = gicd === undefined ? undefined : chooseAddress(vm, redistributorBytes, [...taken, { base: gicd, sizeBytes: GICD_SIZE }], GICD_SIZE);
  return gicd === undefined || gicr === undefined ? undefined : { gicd, gicr };
}

/** The lowest page that is not in use. */
function pageAddress(rm: Rm, vm: VmRecord): bigint | undefined {
  return chooseAddress(vm, PAGE, imageToAvoid(rm, vm));
}

/** The real RM does not look whether the image of a VM that another one makes will lie at an address that it chooses. */
function imageToAvoid(rm: Rm, vm: VmRecord): readonly AddressRange[] {
  return vm.platformIndex === null && !suitsLinux(rm.options) ? [] : [imageRange(rm, vm)];
}

function imageRange(rm: Rm, { layout, config, image, platformIndex }: VmRecord): AddressRange {
  const platform = platformIndex === null || image !== null ? undefined : rm.environment.vms[platformIndex];
  if (platform !== undefined) return { base: platform.ramBase, sizeBytes: platform.ramSizeBytes };
  const parcel = image === null ? undefined : parcelByHandle(rm, image.handle);
  return { base: layout.image ?? config?.baseAddress ?? DEFAULT_BASE_ADDRESS, sizeBytes: parcel === undefined ? 0n : parcelSize(parcel) };
}

function lowestFree(vm: VmRecord, range: AddressRange): bigint | undefined {
  for (let base = range.base; base < range.base + range.sizeBytes; base += PAGE) {
    if (occupant(vm, { base, sizeBytes: PAGE }, vm.reservations) === undefined) return base;
  }
  return undefined;
}

/** Gives the page of `makeInfoArea` back, when the address space is gone. */
export function dropInfoArea(rm: Rm, vm: VmRecord): void {
  if (vm.infoPage !== null) releaseFreeMemory(rm, vm.infoPage, PAGE);
  vm.infoPage = null;
}

/** Takes the pages of a VM's virtio devices back, here and at the owner's. Their objects are gone. */
export function dropPages(rm: Rm, vm: VmRecord): void {
  const isDropped = (offset: bigint): boolean => vm.heldPages.some((page) => page.base === offset);
  for (const holder of [vm, rm.vm(vm.owner)]) {
    if (holder !== undefined) holder.mappings = holder.mappings.filter((mapping) => mapping.isMemory !== true || !isDropped(mapping.offset));
  }
  for (const page of vm.heldPages) releaseFreeMemory(rm, page.base, page.sizeBytes);
  vm.heldPages = [];
}

/** Creates the real-time clock of a VM, if its configuration asks for one. */
export function buildClock(build: VmBuild, config: VmConfig): RmErrorName | undefined {
  const { rm, vm } = build;
  const wanted = config.vdevices.find((vdevice) => vdevice.type === 'vrtc-pl031');
  if (wanted === undefined) return undefined;
  const base = wanted.clock?.base ?? undefined;
  if (base === undefined) {
    rm.report(vm.vmid, 'rm-clock-address', `${wanted.path}: this platform has no addresses to choose from for a real-time clock; give base.`);
    return 'NORESOURCE';
  }
  const vrtc = build.create('vrtc', 'vdevice');
  build.call('vrtc_configure', { vrtc, ipa: base });
  build.activate(vrtc);
  build.call('vrtc_attach_addrspace', { vrtc, addrspace: vm.objects?.addrspace ?? CAP_ID_INVALID });
  vm.vdevices.push({ config: wanted, peer: null, objects: [vrtc], handle: 0, ends: [] });
  return build.error === undefined ? undefined : 'NORESOURCE';
}

/** Whether a VM has a real-time clock. */
export function hasClock(vm: VmRecord): boolean {
  return vm.vdevices.some(({ config }) => config.type === 'vrtc-pl031');
}

/** Sets a VM's clock. The hypervisor's error, 0 for none. */
export function setClock(rm: Rm, vm: VmRecord, time: { readonly nanoseconds: bigint; readonly counter: bigint }): number {
  const clock = vm.vdevices.find(({ config }) => config.type === 'vrtc-pl031');
  return rm.call('vrtc_set_time_base', { vrtc: clock?.objects[0] ?? CAP_ID_INVALID, time_base: time.nanoseconds, sys_timer_ref: time.counter }).error;
}
