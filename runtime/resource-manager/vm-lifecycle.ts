/**
 * From configuration to start: what VM_CONFIG_IMAGE, VM_INIT and VM_START do once the request has been checked, for VMs that another VM
 * creates and for those that come with the platform.
 *
 * A platform VM's image is RM's own, so nobody can name it in VM_CONFIG_IMAGE: RM configures such a VM itself, at boot and, after a
 * reset, when VM_INIT finds it in state RESET. Everything from there on is the same path for both kinds.
 */

import { assert } from '../base/assert';
import { hex } from '../base/bits';
import { ByteReader } from '../base/byte-reader';
import { decodeDtb } from '../devicetree';
import { DEFAULT_BASE_ADDRESS } from '../devicetree/rm-rules';
import type { PlatformVm } from '../hypervisor/interface';
import type { Rm } from './context';
import { acceptParcel, mayRunFrom, parcelByHandle, parcelSize, readParcel } from './parcels';
import { suitsLinux } from './profile';
import type { RmErrorName } from './rm-errors';
import type { Parcel, VmRecord } from './state';
import { buildPaging } from './demand-paging';
import { buildClock, chooseFrames, makeInfoArea, showInfoArea } from './virtual-devices';
import type { InfoArea } from './virtual-devices';
import { buildCore, buildLink, PRIORITY_DEFAULT, VCPU_OPTION, VmBuild } from './vm-builder';
import type { VmPlan } from './vm-builder';
import { acceptFirmware } from './vm-firmware';
import { parseVmConfig } from './vm-config';
import type { VmConfig } from './vm-config';
import { buildVdevices } from './vdevices';
import { acceptLabelled, acceptPrivate, acceptRest, hasSharedMemory } from './vm-start-memory';
import { copyPlatform, giveConfigured, giveDevices, giveRam, PAGE, readGuest, takeFreeMemory, writeGuest } from './vm-memory';
import { overlayErrorText, overlaySecondary } from './vm-overlay';

/** Authentication types of VM_CONFIG_IMAGE. */
export const AUTH = { NONE: 0, PLATFORM: 1, ANDROID: 2 } as const;
/** Device trees above this are refused whatever their owner says. */
const DTB_BYTES_MAX = 0x20_0000;
const FDT_HEADER_BYTES = 40;
const GICD_DEFAULT = 0x0800_0000n;
const GICR_DEFAULT = 0x080a_0000n;
const GICR_STRIDE_DEFAULT = 0x2_0000n;
const LARGE_PAGE = 0x20_0000n;
/** Unauthenticated VMs find the devices that their owner emulates below this address. */
const EMULATED_END = 0x4000_0000n;
/** General registers in vcpu_register_write (Gunyah API: vcpu_register_set). */
const REGISTER_SET_X = 0;

/** The platform's description of a VM that came with it, unless its owner has configured an image of its own. */
export function platformVm(rm: Rm, vm: VmRecord): PlatformVm | undefined {
  return vm.platformIndex === null || vm.image !== null ? undefined : rm.environment.vms[vm.platformIndex];
}

/** Reads the configuration and creates the VM's objects; READY, or INIT_FAILED and the error to answer. */
export function initVm(rm: Rm, vm: VmRecord): RmErrorName {
  const error = initSteps(rm, vm);
  rm.setVmState(vm, error === undefined ? 'READY' : 'INIT_FAILED');
  return error ?? 'OK';
}

function initSteps(rm: Rm, vm: VmRecord): RmErrorName | undefined {
  const blob = readConfiguredDtb(rm, vm);
  const tree = blob === undefined ? undefined : decodeDtb(blob);
  if (tree?.ok !== true) {
    rm.report(vm.vmid, 'rm-device-tree', 'VM_INIT: the device tree is missing, damaged or larger than configured.');
    return 'MEM_INVALID';
  }
  const outcome = parseVmConfig(tree.value.tree.root, platformVm(rm, vm) === undefined ? 'untrusted' : 'trusted');
  for (const diagnostic of outcome.diagnostics) rm.report(vm.vmid, diagnostic.code, diagnostic.message);
  const config = outcome.config;
  if (config === undefined) {
    // Observed: what a VM may not have had holds all the same. One that asked for crash-fatal in vain is never reset.
    if (outcome.error === 'ARGUMENT_INVALID') vm.refusedAttributes = outcome.attributes;
    return outcome.error ?? 'MEM_INVALID';
  }
  takeConfig(rm, vm, config);
  const missing = config.affinity === 'proxy' ? undefined : config.affinityMap.find((cpu) => cpu >= rm.environment.cpuCount);
  if (missing !== undefined) {
    rm.report(vm.vmid, 'rm-affinity', `affinity-map names CPU ${missing}, but the platform has ${rm.environment.cpuCount} CPUs, numbered from 0.`);
    return 'ARGUMENT_INVALID';
  }
  return buildVm(rm, vm, config) ?? givePlatformMemory(rm, vm);
}

/** Creates all that a configuration asks for but memory. */
export function buildVm(rm: Rm, vm: VmRecord, config: VmConfig): RmErrorName | undefined {
  const build = new VmBuild(rm, vm);
  const infoArea = makeInfoArea(build);
  return buildCore(rm, vm, { ...planFor(vm, config), ...placeFrames(rm, vm, config, infoArea), infoArea }) ?? showInfoArea(build, infoArea) ?? giveConfigured(rm, vm, config) ?? buildClock(new VmBuild(rm, vm), config) ?? buildChannel(rm, vm, config) ?? buildVdevices(rm, vm, config) ?? buildPaging(rm, vm);
}

/** Identity is known from here on. */
export function takeConfig(rm: Rm, vm: VmRecord, config: VmConfig): void {
  vm.config = config;
  vm.name = config.name;
  vm.uri = config.uri;
  vm.guid = config.guid.slice();
  const ram = platformVm(rm, vm);
  if (ram !== undefined && config.baseAddress !== null && config.baseAddress !== ram.ramBase) {
    rm.report(vm.vmid, 'rm-base-address', `The configuration wants memory at ${hex(config.baseAddress)}, the system description places it at ${hex(ram.ramBase)}; the latter counts.`);
  }
}

/** Where the interrupt controller is: where the tree says, else where RM chooses. For VMs of the platform that is where boards often have it. */
function placeFrames(rm: Rm, vm: VmRecord, { gic, cpus }: VmConfig, infoArea: InfoArea | null): Pick<VmPlan, 'gicd' | 'gicr' | 'gicrStride'> {
  const gicrStride = gic?.stride ?? GICR_STRIDE_DEFAULT;
  const isChosen = vm.platformIndex === null && (gic?.gicd ?? null) === null;
  const chosen = isChosen ? chooseFrames(rm, vm, { infoArea, redistributorBytes: gicrStride * BigInt(cpus.length) }) : undefined;
  return { gicd: gic?.gicd ?? GICD_DEFAULT, gicr: gic?.gicr ?? GICR_DEFAULT, gicrStride, ...chosen };
}

function planFor(vm: VmRecord, config: VmConfig): Omit<VmPlan, 'infoArea' | 'gicd' | 'gicr' | 'gicrStride'> {
  const proxy = config.affinity === 'proxy';
  const ofPlatform = vm.image === null || vm.image.auth === AUTH.PLATFORM;
  let vcpuOptions = proxy ? VCPU_OPTION.VCPU_RUN_SCHEDULED : 0n;
  if (config.affinity === 'pinned') vcpuOptions |= VCPU_OPTION.PINNED;
  if (config.attributes.includes('crash-fatal')) vcpuOptions |= VCPU_OPTION.CRITICAL;
  return {
    cpus: config.cpus.map((_, index) => (proxy ? null : config.affinityMap[index] ?? 0)),
    vcpuOptions,
    priority: PRIORITY_DEFAULT + config.priorityOffset,
    timesliceNanoseconds: BigInt(config.timesliceMicroseconds) * 1000n,
    powerManagement: !config.psci ? 'none' : proxy && !ofPlatform ? 'not-aggregated' : 'aggregated',
    halts: 'to-rm',
    watchdog: ofPlatform ? { isCritical: config.attributes.includes('crash-fatal'), isManagedByOwner: proxy } : null,
    demandPaging: vm.demandPaging,
    isLinear: !ofPlatform,
    emulatedSizeBytes: ofPlatform ? 0n : EMULATED_END,
  };
}

function buildChannel(rm: Rm, vm: VmRecord, config: VmConfig): RmErrorName | undefined {
  const rpc = config.vdevices.find((vdevice) => vdevice.type === 'rm-rpc');
  if (rpc === undefined) return undefined;
  if (rpc.console) vm.console = { selfOpen: false, ownerOpen: false };
  return buildLink(rm, vm, { depth: rpc.queueDepth, messageSizeBytes: rpc.messageSizeBytes, interrupts: rpc.interrupts }) === undefined ? undefined : 'NORESOURCE';
}

/** The device tree where VM_CONFIG_IMAGE (or the platform) says it is. */
function readConfiguredDtb(rm: Rm, vm: VmRecord): Uint8Array | undefined {
  const platform = platformVm(rm, vm);
  if (platform !== undefined) {
    const { source, sizeBytes } = platform.deviceTree;
    return sizeBytes > BigInt(DTB_BYTES_MAX) ? undefined : rm.readPlatform(source - rm.environment.memoryBase, Number(sizeBytes));
  }
  const parcel = vm.image === null ? undefined : parcelByHandle(rm, vm.image.handle);
  if (vm.image === null || parcel === undefined || !isMappable(rm, vm.image, parcel)) return undefined;
  const { dtbOffset, dtbSize } = vm.image;
  const size = dtbTotalSize(readParcel(rm, parcel, dtbOffset, FDT_HEADER_BYTES));
  return size === undefined || BigInt(size) > dtbSize ? undefined : readParcel(rm, parcel, dtbOffset, size);
}

/** RM maps the range to read it. Drivers that give the size of a file are served under their profile. */
function isMappable(rm: Rm, { dtbOffset, dtbSize }: { readonly dtbOffset: bigint; readonly dtbSize: bigint }, { typeNumber }: Parcel): boolean {
  return typeNumber === 0 && (suitsLinux(rm.options) || (dtbOffset % PAGE === 0n && dtbSize % PAGE === 0n));
}

function dtbTotalSize(header: Uint8Array | undefined): number | undefined {
  const size = header === undefined ? undefined : new ByteReader(header, 'big').u32(4);
  return size === undefined || size < FDT_HEADER_BYTES || size > DTB_BYTES_MAX ? undefined : size;
}

/** Fills a platform VM's RAM with its image and maps RAM and devices. */
function givePlatformMemory(rm: Rm, vm: VmRecord): RmErrorName | undefined {
  const platform = platformVm(rm, vm);
  if (platform === undefined) return undefined;
  if (!placeImage(rm, vm, platform)) return 'MEM_INVALID';
  return giveRam(rm, vm, platform.ramBase) ?? giveDevices(rm, vm, platform.devices);
}

function placeImage(rm: Rm, vm: VmRecord, platform: PlatformVm): boolean {
  const offset = vm.ram?.offset ?? takeFreeMemory(rm, platform.ramSizeBytes, LARGE_PAGE);
  if (offset === undefined) {
    rm.report(vm.vmid, 'rm-no-memory', `There is no free range of ${hex(platform.ramSizeBytes)} bytes for ${platform.name}.`);
    return false;
  }
  vm.ram = { offset, sizeBytes: platform.ramSizeBytes };
  const place = (address: bigint): bigint => rm.environment.memoryBase + offset + (address - platform.ramBase);
  const parts = [...platform.segments, { ...platform.deviceTree }];
  const fits = parts.every((part) => part.ipa >= platform.ramBase && part.ipa + part.sizeBytes <= platform.ramBase + platform.ramSizeBytes);
  if (!fits) rm.report(vm.vmid, 'rm-image-outside-memory', `A segment or the device tree of ${platform.name} lies outside its memory.`);
  return fits && parts.every((part) => copyPlatform(rm, part.source, place(part.ipa), part.sizeBytes));
}

/** Where a VM starts, where its device tree is, and what X1 and X2 of its boot vCPU hold. */
interface StartPlace { readonly entry: bigint; readonly dtb: bigint; readonly dtbRoom: bigint; readonly arguments: readonly bigint[]; readonly hasMorePrivate: boolean }

/** Accepts memory, writes the device tree and starts the boot vCPU; RUNNING, or INIT_FAILED and nearly always NORESOURCE. */
export function startVm(rm: Rm, vm: VmRecord): RmErrorName {
  const platform = platformVm(rm, vm);
  const place = platform === undefined ? acceptMemory(rm, vm) : platformStart(rm, vm, platform);
  const ready = place !== undefined && writeDeviceTree(rm, vm, place);
  // The real one cleans the caches of as much of the image's parcel as the VM has private memory, which fails beyond its end.
  const refused = ready && place.hasMorePrivate && !suitsLinux(rm.options);
  if (refused) rm.report(vm.vmid, 'rm-more-private', 'VM_START: a VM cannot have private memory beside its image’s parcel; lend all of it in one parcel, or give the rest a label.');
  const error = !ready ? 'NORESOURCE' : firmwareRefusal(rm, vm) ?? (refused ? 'DENIED' : powerOn(rm, vm, place) ? undefined : 'NORESOURCE');
  if (error !== undefined) {
    rm.setVmState(vm, 'INIT_FAILED');
    return error;
  }
  rm.setVmState(vm, 'RUNNING');
  return 'OK';
}

/** Why RM has no firmware for a VM that must have one. Under the drivers' profile the owner's own bytes serve. */
function firmwareRefusal(rm: Rm, { image, firmware }: VmRecord): RmErrorName | undefined {
  if (image?.auth !== AUTH.ANDROID || suitsLinux(rm.options)) return undefined;
  if (!rm.state.firmwareIsFinal) return 'DENIED';
  if (rm.state.firmware === null) return 'NORESOURCE';
  return rm.state.firmware.sizeBytes > (firmware?.sizeBytes ?? 0n) ? 'MEM_INVALID' : undefined;
}

function platformStart(rm: Rm, vm: VmRecord, platform: PlatformVm): StartPlace | undefined {
  if (!acceptLabelled(rm, vm, 'possible')) return undefined;
  acceptRest(rm, vm);
  return { entry: platform.entry, dtb: platform.deviceTree.ipa, dtbRoom: platform.deviceTree.roomBytes, arguments: [], hasMorePrivate: false };
}

function acceptMemory(rm: Rm, vm: VmRecord): StartPlace | undefined {
  const { image, config } = vm;
  const parcel = image === null ? undefined : parcelByHandle(rm, image.handle);
  if (image === null || config === null || parcel === undefined) return undefined;
  const base = vm.layout.image ?? config.baseAddress ?? DEFAULT_BASE_ADDRESS;
  if (!mayRunFrom(vm, parcel) || typeof acceptParcel(rm, vm, parcel, base) === 'string') {
    rm.report(vm.vmid, 'rm-image-parcel', 'VM_START: the image parcel must be lent or shared with full rights and fit at base-address.');
    return undefined;
  }
  // Observed: nobody finds what an authenticated VM leaves in its memory.
  if (image.auth === AUTH.PLATFORM) parcel.sanitiseAtReclaim = true;
  const willFail = firmwareRefusal(rm, vm) !== undefined;
  if (willFail) rm.report(vm.vmid, 'rm-firmware', 'VM_START: a VM of authentication type 2 needs a firmware that RM was given (FW_SET_VM_FIRMWARE, then FW_MILESTONE) and firmware memory for all of it (VM_SET_FIRMWARE_MEM).');
  const firmware = image.auth === AUTH.ANDROID && !willFail ? acceptFirmware(rm, vm, config) : null;
  if (firmware === undefined || !acceptLabelled(rm, vm, 'required')) return undefined;
  const hasMorePrivate = acceptPrivate(rm, vm, base + parcelSize(parcel)) && image.auth !== AUTH.PLATFORM;
  acceptRest(rm, vm);
  if (!hasSharedMemory(rm, vm)) return undefined;
  const dtb = { dtb: base + image.dtbOffset, dtbRoom: image.dtbSize, hasMorePrivate };
  return firmware === null ? { ...dtb, entry: base + image.imageOffset, arguments: [] } : { ...dtb, entry: firmware, arguments: [base + image.imageOffset, image.imageSize] };
}

function writeDeviceTree(rm: Rm, vm: VmRecord, place: StartPlace): boolean {
  const size = dtbTotalSize(readGuest(rm, vm, place.dtb, FDT_HEADER_BYTES));
  const blob = size === undefined ? undefined : readGuest(rm, vm, place.dtb, size);
  const room = place.dtbRoom > BigInt(DTB_BYTES_MAX) ? DTB_BYTES_MAX : Number(place.dtbRoom);
  const merged = blob === undefined ? 'unreadable' : overlaySecondary(rm, vm, blob, room);
  if (typeof merged !== 'string') return writeGuest(rm, vm, place.dtb, merged);
  rm.report(vm.vmid, merged === 'beyond-region' ? 'rm-would-die' : 'rm-device-tree', `VM_START: ${overlayErrorText(merged, room)}`);
  return false;
}

function powerOn(rm: Rm, vm: VmRecord, place: StartPlace): boolean {
  const index = vm.config?.cpus.findIndex((cpu) => cpu.boots) ?? -1;
  const vcpu = vm.vcpus[index];
  assert(vcpu !== undefined, 'a configuration has a booting CPU');
  for (const [index, value] of place.arguments.entries()) {
    if (rm.call('vcpu_register_write', { vcpu: vcpu.cap, register_set: REGISTER_SET_X, register_index: index + 1, value }).error !== 0) return false;
  }
  const { entry, x0 } = vm.bootContext;
  vm.entry = entry ?? place.entry;
  return rm.call('vcpu_poweron', { vcpu: vcpu.cap, entry_point: vm.entry, context: x0 ?? place.dtb, flags: 0n }).error === 0;
}
