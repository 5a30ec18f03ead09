/**
 * Ends VMs: exits and forced stops, and the reset that takes a stopped VM apart one step at a time between other work, so that
 * notifications and requests interleave as with the real RM.
 */

import { CAP_ID_INVALID, type Vmid } from '../base/brands';
import { ERRORS } from '../hypervisor/interface';
import type { Rm } from './context';
import { RM_VMID } from './context';
import { returnInterrupts } from './lent-interrupts';
import { abandonParcel, reclaimParcel, releaseParcel } from './parcels';
import { suitsLinux } from './profile';
import type { HeldCap, VdeviceRecord, VmRecord } from './state';
import { returnPages } from './demand-paging';
import { dropInfoArea, dropPages } from './virtual-devices';
import { EXIT_TYPES } from './vm-states';
import { donateToRm, zeroRange } from './vm-memory';

const EXIT_CODE_SOFTWARE_ERROR = 1;
const EXIT_CODE_UNKNOWN = 2;
const FLAG_RESET2_64BIT = 0x8000;
const STATE_POWERED_OFF = 2;
const STATE_FAULT = 6;
const STATE_SYSTEM_RESET = 0x100;
const VIRQ_TYPES = [0, 1] as const;

/** Why a VM ended, as VM_EXITED carries it. */
export interface Exit { readonly type: keyof typeof EXIT_TYPES; readonly flags?: number; readonly code?: number; readonly extra?: readonly number[] }

/** Marks a running VM as ended and tells its owner: VM_STATUS first, then VM_EXITED. */
export function exitVm(rm: Rm, vm: VmRecord, exit: Exit): void {
  killVcpus(rm, vm);
  rm.setVmState(vm, 'EXITED');
  const code = exit.code ?? (vm.crashMessage === '' ? 0 : EXIT_CODE_SOFTWARE_ERROR);
  const reason = [(exit.flags ?? 0) | (code << 16), ...(exit.extra ?? [])];
  vm.exit = { type: exit.type, code, flags: exit.flags ?? 0 };
  rm.notify(vm.owner, 'VM_EXITED', { vmid: vm.vmid, exitType: EXIT_TYPES[exit.type], reason });
}

/** Stops a VM's vCPUs for good. */
export function killVcpus(rm: Rm, vm: VmRecord): void {
  for (const vcpu of vm.vcpus) rm.call('vcpu_kill', { vcpu: vcpu.cap });
}

/** A vCPU's halt interrupt: finds out why, and ends the VM. A second halt is ignored. */
export function vcpuHalted(rm: Rm, vm: VmRecord, index: number): void {
  const vcpu = vm.vcpus[index];
  if (vcpu === undefined || !rm.canEnter(vm, 'EXITED')) return;
  const check = rm.call('vcpu_run_check', { vcpu: vcpu.cap });
  const exit = check.error === ERRORS.OK ? exitFor(check.vcpu_state, check.state_data_0, check.state_data_1) : undefined;
  exitVm(rm, vm, exit ?? { type: 'SOFTWARE_ERROR', code: EXIT_CODE_UNKNOWN });
}

/** A VM's watchdog has bitten: the VM ends. */
export function watchdogBitten(rm: Rm, vm: VmRecord): void {
  if (rm.canEnter(vm, 'EXITED')) exitVm(rm, vm, { type: 'WATCHDOG_BITE' });
}

function exitFor(state: number, data0: bigint, data1: bigint): Exit | undefined {
  if (state === STATE_POWERED_OFF) return { type: 'PLATFORM_OFF' };
  if (state === STATE_FAULT) return { type: 'SOFTWARE_ERROR' };
  if (state !== STATE_SYSTEM_RESET) return undefined;
  if ((data0 >> 63n) !== 0n) return { type: 'PLATFORM_RESET' };
  const wide = ((data0 >> 62n) & 1n) !== 0n;
  const cookie = wide ? data1 : data1 & 0xffff_ffffn;
  const extra = [Number(data0 & 0xffff_ffffn), Number(cookie & 0xffff_ffffn), Number(cookie >> 32n)];
  return { type: 'PSCI_SYSTEM_RESET2', flags: wide ? FLAG_RESET2_64BIT : 0, extra };
}

/** Does the next step of a reset; false when no VM is being reset. */
export function resetStep(rm: Rm): boolean {
  const vm = rm.state.vms.find((candidate) => candidate.state === 'RESETTING');
  if (vm === undefined) return false;
  if (!dropVdevice(rm, vm) && !releaseMemory(rm, vm)) finishReset(rm, vm);
  return true;
}

function dropVdevice(rm: Rm, vm: VmRecord): boolean {
  if (vm.vdevices.length === 0 && vm.link === null && vm.heldPages.length === 0 && !vm.heldCaps.some((held) => held.stage === 'vdevice')) return false;
  for (const vdevice of vm.vdevices) leaveToPeer(rm, vm, vdevice);
  vm.vdevices = [];
  vm.link = null;
  vm.console = null;
  dropCaps(rm, vm, 'vdevice');
  dropPages(rm, vm);
  return true;
}

/** A connection with a VM other than the owner stays with that VM, whose device tree names it; its other end waits for a new VM. */
function leaveToPeer(rm: Rm, vm: VmRecord, vdevice: VdeviceRecord): void {
  const peer = vdevice.peer === null || vdevice.peer === vm.owner ? undefined : rm.vm(vdevice.peer);
  const other = peer?.vdevices.find((candidate) => candidate.objects.some((object) => vdevice.objects.includes(object)));
  if (peer === undefined || other === undefined) return;
  unbindEnds(rm, vm, vdevice);
  other.peer = null;
  const isShared = (held: HeldCap): boolean => held.vmid === RM_VMID && vdevice.objects.includes(held.cap);
  peer.heldCaps.push(...vm.heldCaps.filter(isShared));
  vm.heldCaps = vm.heldCaps.filter((held) => !isShared(held));
}

/** Takes the VM's interrupts off objects that live on. Of a pair, the first queue is the one that the VM sends to. */
function unbindEnds(rm: Rm, vm: VmRecord, { objects, ends }: VdeviceRecord): void {
  const first = objects[0] ?? CAP_ID_INVALID;
  for (const end of ends.filter((candidate) => candidate.vmid === vm.vmid)) {
    if (end.type === 'doorbell-receive') rm.call('doorbell_unbind_virq', { doorbell: first });
    if (end.type === 'queue-send') rm.call('msgqueue_unbind_send_virq', { msgqueue: first });
    if (end.type === 'queue-receive') rm.call('msgqueue_unbind_receive_virq', { msgqueue: objects[objects.length - 1] ?? first });
  }
}

/** Deletes capabilities of a stage, newest first; the copies of others before the object itself goes. */
function dropCaps(rm: Rm, vm: VmRecord, stage: HeldCap['stage']): void {
  for (const held of vm.heldCaps.filter((candidate) => candidate.stage === stage).reverse()) {
    if (held.vmid === RM_VMID) unbind(rm, held);
    const cspace = held.vmid === RM_VMID ? rm.environment.cspace : rm.vm(held.vmid)?.objects?.cspace ?? CAP_ID_INVALID;
    rm.call('cspace_delete_cap_from', { cspace, cap: held.cap });
  }
  vm.heldCaps = vm.heldCaps.filter((candidate) => candidate.stage !== stage);
}

/** Interrupts stop before their object goes; unbinding what is not bound does no harm. */
function unbind(rm: Rm, held: HeldCap): void {
  if (held.type === 'doorbell') rm.call('doorbell_unbind_virq', { doorbell: held.cap });
  if (held.type === 'thread') for (const type of VIRQ_TYPES) rm.call('vcpu_unbind_virq', { vcpu: held.cap, virq_type: type });
  if (held.type === 'virtio_mmio') {
    rm.call('virtio_mmio_backend_unbind_virq', { virtio_mmio: held.cap });
    rm.call('virtio_mmio_frontend_unbind_virq', { virtio_mmio: held.cap });
  }
  if (held.type === 'watchdog') for (const flags of [0n, 1n]) rm.call('watchdog_unbind_virq', { watchdog: held.cap, flags });
  if (held.type !== 'msgqueue') return;
  rm.call('msgqueue_unbind_send_virq', { msgqueue: held.cap });
  rm.call('msgqueue_unbind_receive_virq', { msgqueue: held.cap });
}

/** Releases the parcel that was accepted last, telling its owner. */
function releaseMemory(rm: Rm, vm: VmRecord): boolean {
  const handle = vm.mappings.filter((mapping) => mapping.handle !== null).at(-1)?.handle;
  const parcel = rm.state.parcels.find((candidate) => candidate.handle === handle) ?? rm.state.parcels.find((candidate) => candidate.users.some((user) => user.vmid === vm.vmid));
  if (parcel === undefined) return false;
  releaseParcel(rm, vm, parcel);
  rm.notify(parcel.owner, 'MEM_RELEASED', { handle: parcel.handle, vmid: vm.vmid, tag: parcel.tag ?? 0 });
  return true;
}

function finishReset(rm: Rm, vm: VmRecord): void {
  returnPages(rm, vm);
  takeBackParcels(rm, vm);
  returnInterrupts(rm, vm);
  for (const { cap } of vm.hardwareInterrupts) if (cap !== null) rm.call('hwirq_unbind_virq', { hwirq: cap });
  if (vm.memoryExtent !== null && vm.ram !== null) {
    // The next image must find memory as after power-on, not what the last one left.
    zeroRange(rm, vm.memoryExtent, vm.ram);
    donateToRm(rm, vm.memoryExtent, vm.ram);
  }
  dropCaps(rm, vm, 'memory');
  dropOwnVcpus(rm, vm);
  dropCaps(rm, vm, 'core');
  dropInfoArea(rm, vm);
  Object.assign(vm, cleanRecord());
  rm.setVmState(vm, 'RESET');
  // The real one leaves a VM that is made again without peers, so that nobody hears of it.
  vm.peers = vm.platformIndex === null && !suitsLinux(rm.options) ? [] : [vm.owner];
  // Nobody is a peer of what has to be made again.
  for (const other of rm.state.vms) other.peers = withoutPeer(other.peers, vm.vmid);
}

/**
 * A VM without PSCI has its own vCPUs in its capability space, and they have that space: neither would ever go, nor the address space
 * and what else the vCPUs use.
 */
function dropOwnVcpus(rm: Rm, { objects, vcpus }: VmRecord): void {
  if (objects === null) return;
  for (const { selfCap } of vcpus) if (selfCap !== null) rm.call('cspace_delete_cap_from', { cspace: objects.cspace, cap: selfCap });
}

/** Who is left of a list of peers: the last one takes the place of the one that goes. */
export function withoutPeer(peers: readonly Vmid[], gone: Vmid): Vmid[] {
  const at = peers.indexOf(gone);
  const last = peers.at(-1);
  if (at < 0 || last === undefined) return [...peers];
  const left = peers.slice(0, -1);
  if (at < left.length) left[at] = last;
  return left;
}

/** Memory that the VM gave away comes back, whoever has it: its owner is gone. */
function takeBackParcels(rm: Rm, vm: VmRecord): void {
  for (const parcel of rm.state.parcels.filter((candidate) => candidate.owner === vm.vmid)) {
    for (const user of parcel.users) {
      const other = rm.vm(user.vmid);
      if (other !== undefined) releaseParcel(rm, other, parcel);
    }
    if (reclaimParcel(rm, parcel) !== undefined) abandonParcel(rm, parcel);
  }
}

function cleanRecord(): Partial<VmRecord> {
  return {
    osState: 0, appStatus: 0, name: '', uri: '', guid: new Uint8Array(16), crashMessage: '', image: null, firmware: null, reservations: [], demandPaging: [], paging: null, bootContext: { entry: null, x0: null }, layout: { image: null, firmware: null }, config: null, objects: null, memoryExtent: null, mappings: [], deviceWindows: [],
    vcpus: [], heldVirqs: [], hardwareInterrupts: [], entry: 0n, exit: null,
  };
}
