/**
 * RM's boot: creates the primary VM around the image that lies in memory, makes the platform's other VMs ready, and starts what shall start.
 */

import { vmid as asVmid } from '../base/brands';
import { assert } from '../base/assert';
import { RIGHTS } from '../hypervisor/interface';
import type { PlatformVm } from '../hypervisor/interface';
import type { Rm } from './context';
import { RM_VMID } from './context';
import { suitsLegacyLinux, suitsLinux } from './profile';
import type { RmErrorName } from './rm-errors';
import { freeDynamicVmid } from './requests/vm-management';
import { newVm } from './state';
import type { VmRecord } from './state';
import { buildCore, buildLink, DEFAULT_LINK, PRIORITY_DEFAULT, VCPU_OPTION, VmBuild } from './vm-builder';
import { initVm, startVm } from './vm-lifecycle';
import { makeInfoArea, showInfoArea } from './virtual-devices';
import { giveDevices, giveFlash, giveInterrupts, giveRam, reserveFreeMemory } from './vm-memory';
import { overlayErrorText, overlayPrimary } from './vm-overlay';
import { VMID } from './vm-states';

const GICD = 0x0800_0000n;
const GICR = 0x080a_0000n;
const GICR_STRIDE = 0x2_0000n;
const TIMESLICE_NANOSECONDS = 5_000_000n;
const NAME = 'HLOS';
/** Largest message that a queue of the hypervisor can have (Gunyah API: msgqueue_configure). */
const MESSAGE_BYTES_MAX = 1023;

/** Everything that RM does before it waits for the first message. */
export function boot(rm: Rm): void {
  const [primary, ...others] = rm.environment.vms;
  assert(primary?.primary === true, 'the first VM of the hand-over is the primary one');
  const hlos = createPrimary(rm, primary);
  const secondaries = others.map((platform, index) => createSecondary(rm, platform, index + 1));
  if (hlos !== undefined) startPrimary(rm, hlos, primary);
  for (const vm of secondaries) if (vm?.state === 'READY' && platformOf(rm, vm).autostart) startVm(rm, vm);
}

function platformOf(rm: Rm, vm: VmRecord): PlatformVm {
  const platform = vm.platformIndex === null ? undefined : rm.environment.vms[vm.platformIndex];
  assert(platform !== undefined, 'the VM came with the platform');
  return platform;
}

function createPrimary(rm: Rm, platform: PlatformVm): VmRecord | undefined {
  const vm = newVm(asVmid(VMID.HLOS), RM_VMID, 0);
  vm.name = NAME;
  vm.peers = [];
  vm.ram = { offset: platform.ramBase - rm.environment.memoryBase, sizeBytes: platform.ramSizeBytes };
  reserveFreeMemory(rm, vm.ram.offset, vm.ram.sizeBytes);
  rm.addVm(vm);
  rm.setVmState(vm, 'LOAD');
  rm.setVmState(vm, 'INIT');
  const error = buildPrimary(rm, vm, platform);
  rm.setVmState(vm, error === undefined ? 'READY' : 'INIT_FAILED');
  if (error === undefined) return vm;
  rm.report(vm.vmid, 'rm-primary-failed', `The primary VM cannot be created: ${error}.`);
  return undefined;
}

function buildPrimary(rm: Rm, vm: VmRecord, platform: PlatformVm): RmErrorName | undefined {
  const vcpuCount = Math.min(platform.vcpuCount, rm.environment.cpuCount);
  const build = new VmBuild(rm, vm);
  const infoArea = platform.isPlain === true ? null : makeInfoArea(build);
  return buildCore(rm, vm, {
    cpus: Array.from({ length: vcpuCount }, (_, cpu) => (rm.environment.bootCpu + cpu) % rm.environment.cpuCount),
    vcpuOptions: VCPU_OPTION.PINNED | VCPU_OPTION.CRITICAL | VCPU_OPTION.HLOS_VM,
    priority: PRIORITY_DEFAULT, timesliceNanoseconds: TIMESLICE_NANOSECONDS, powerManagement: 'aggregated', gicd: GICD, gicr: GICR, gicrStride: GICR_STRIDE, halts: 'to-platform', watchdog: null, demandPaging: [], emulatedSizeBytes: 0n, isLinear: false, infoArea,
  }) ?? showInfoArea(build, infoArea) ?? (platform.isPlain === true ? undefined : connectPrimary(rm, vm)) ?? writePrimaryTree(rm, vm, platform) ?? giveRam(rm, vm, platform.ramBase) ?? giveFlash(rm, vm, platform.flash) ?? giveDevices(rm, vm, platform.devices) ?? (platform.isPlain === true ? undefined : giveInterrupts(rm, vm));
}

/** The channel to RM. Linux's first drivers have packets of up to 1024 bytes and a console that loops back to its VM. */
function connectPrimary(rm: Rm, vm: VmRecord): RmErrorName | undefined {
  if (suitsLinux(rm.options)) vm.console = { selfOpen: false, ownerOpen: false };
  return buildLink(rm, vm, suitsLegacyLinux(rm.options) ? { ...DEFAULT_LINK, messageSizeBytes: MESSAGE_BYTES_MAX } : DEFAULT_LINK) ?? shareRmVcpu(rm, vm);
}

/** The primary VM may move RM between CPUs. */
function shareRmVcpu(rm: Rm, vm: VmRecord): RmErrorName | undefined {
  const build = new VmBuild(rm, vm);
  rm.state.rmVcpuCap = build.give(vm, { cap: rm.environment.vcpu, type: 'thread' }, RIGHTS.thread.affinity);
  return build.error;
}

function writePrimaryTree(rm: Rm, vm: VmRecord, platform: PlatformVm): RmErrorName | undefined {
  const { source, sizeBytes, ipa, roomBytes } = platform.deviceTree;
  const blob = rm.readPlatform(source - rm.environment.memoryBase, Number(sizeBytes));
  const merged = blob === undefined ? 'unreadable' : platform.isPlain === true ? blob : overlayPrimary(rm, vm, blob);
  const problem = typeof merged === 'string' ? merged : BigInt(merged.length) > roomBytes ? 'no-room' : undefined;
  if (problem !== undefined || typeof merged === 'string') {
    rm.report(vm.vmid, 'rm-device-tree', overlayErrorText(problem ?? 'unreadable', Number(roomBytes)));
    return 'MEM_INVALID';
  }
  return rm.writePlatform(ipa - rm.environment.memoryBase, merged) ? undefined : 'MEM_INVALID';
}

function startPrimary(rm: Rm, vm: VmRecord, platform: PlatformVm): void {
  const [vcpu] = vm.vcpus;
  assert(vcpu !== undefined, 'the primary VM has a vCPU');
  vm.entry = platform.entry;
  const { error } = rm.call('vcpu_poweron', { vcpu: vcpu.cap, entry_point: platform.entry, context: platform.context ?? platform.deviceTree.ipa, flags: 0n });
  rm.setVmState(vm, error === 0 ? 'RUNNING' : 'INIT_FAILED');
}

/** Brings a listed VM to READY by the steps of VM_CONFIG_IMAGE and VM_INIT; it gets the lowest dynamic VMID. */
function createSecondary(rm: Rm, platform: PlatformVm, index: number): VmRecord | undefined {
  const id = freeDynamicVmid(rm);
  if (id === undefined) {
    rm.report(RM_VMID, 'rm-no-vmid', `There is no free VMID for ${platform.name}.`);
    return undefined;
  }
  const vm = newVm(asVmid(id), asVmid(VMID.HLOS), index);
  rm.addVm(vm);
  rm.setVmState(vm, 'LOAD');
  rm.setVmState(vm, 'INIT');
  const error = initVm(rm, vm);
  if (error !== 'OK') rm.report(vm.vmid, 'rm-secondary-failed', `${platform.name} cannot be initialised: ${error}.`);
  return vm;
}
