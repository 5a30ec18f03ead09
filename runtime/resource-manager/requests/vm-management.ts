/** Life cycle requests: allocate, configure, initialise, start, stop, reset, and what a VM says about itself. */

import { vmid as asVmid } from '../../base/brands';
import type { Rm } from '../context';
import { parcelByHandle, parcelSize } from '../parcels';
import { suitsLinux } from '../profile';
import type { RmErrorName } from '../rm-errors';
import { newVm } from '../state';
import type { VmRecord } from '../state';
import { AUTH, initVm, platformVm, startVm } from '../vm-lifecycle';
import { releaseFreeMemory } from '../vm-memory';
import { VM_STATES, VMID } from '../vm-states';
import { exitVm, killVcpus, withoutPeer } from '../vm-teardown';
import type { RmHandler, RmHandlers } from './handler';

const STOP_FORCE = 1;
const EXIT_CODES: readonly number[] = [0, 1, 3, 4];
const OS_STATE_MAX = 7;
const CRASH_MESSAGE_MAX = 192;

/** The target if the caller owns it. */
function owned(rm: Rm, caller: VmRecord, vmid: number): VmRecord | undefined {
  const vm = rm.vm(vmid);
  return vm !== undefined && vm.owner === caller.vmid ? vm : undefined;
}

function hasAttribute(vm: VmRecord, attribute: 'no-shutdown' | 'no-reset'): boolean {
  const attributes = vm.config?.attributes ?? vm.refusedAttributes;
  return attributes.includes(attribute) || attributes.includes('crash-fatal');
}

const allocate: RmHandler<'VM_ALLOCATE'> = (rm, caller, { vmid }) => {
  const chosen = vmid === 0 ? freeDynamicVmid(rm) : vmid;
  if (chosen === undefined || rm.vm(chosen) !== undefined) return 'NORESOURCE';
  if (vmid !== 0 && (vmid < VMID.PLATFORM_FIRST || vmid > VMID.PLATFORM_LAST)) return 'NORESOURCE';
  const vm = newVm(asVmid(chosen), caller.vmid, null);
  rm.addVm(vm);
  if (!caller.peers.includes(vm.vmid)) caller.peers.push(vm.vmid);
  rm.setVmState(vm, 'LOAD');
  return vmid === 0 ? { vmid: chosen } : 'OK';
};

/** The lowest dynamic VMID that is not taken. */
export function freeDynamicVmid(rm: Rm): number | undefined {
  for (let vmid: number = VMID.DYNAMIC_FIRST; vmid <= VMID.DYNAMIC_LAST; vmid++) if (rm.vm(vmid) === undefined) return vmid;
  return undefined;
}

const deallocate: RmHandler<'VM_DEALLOCATE'> = (rm, caller, { vmid }) => {
  const vm = rm.vm(vmid);
  if (vm === undefined && vmid === VMID.RM) return 'DENIED';
  if (vm === undefined) {
    rm.report(caller.vmid, 'rm-would-die', `VM_DEALLOCATE of VMID ${vmid}, which is not allocated, ends the real Resource Manager; it answers nothing any more.`);
    return 'VMID_INVALID';
  }
  if (vm.owner !== caller.vmid) return 'DENIED';
  if (vm.state !== 'LOAD' && vm.state !== 'RESET') return 'VM_STATE';
  rm.setVmState(vm, 'NONE');
  if (vm.ram !== null) releaseFreeMemory(rm, vm.ram.offset, vm.ram.sizeBytes);
  rm.state.vms = rm.state.vms.filter((other) => other !== vm);
  caller.peers = withoutPeer(caller.peers, vm.vmid);
  return 'OK';
};

const configImage: RmHandler<'VM_CONFIG_IMAGE'> = (rm, caller, args) => {
  const vm = rm.vm(args.vmid);
  if (vm === undefined) return unknown(args.vmid);
  if (vm.owner !== caller.vmid) return 'DENIED';
  if (vm.state !== 'LOAD' && vm.state !== 'RESET') return 'VM_STATE';
  const error = checkImage(rm, vm, args);
  if (error !== undefined) {
    rm.setVmState(vm, 'INIT_FAILED');
    return error;
  }
  const { auth, imageOffset, imageSize, dtbOffset, dtbSize } = args;
  const handle = parcelByHandle(rm, args.handle)?.handle;
  if (handle !== undefined) vm.image = { auth, handle, imageOffset, imageSize, dtbOffset, dtbSize };
  rm.setVmState(vm, auth === AUTH.PLATFORM ? 'AUTH' : 'INIT');
  return 'OK';
};

function checkImage(rm: Rm, vm: VmRecord, args: Parameters<typeof configImage>[2]): RmErrorName | undefined {
  const parcel = parcelByHandle(rm, args.handle);
  if (parcel === undefined) return 'MEM_INVALID';
  if (!parcel.acl.some((entry) => entry.vmid === vm.vmid)) return 'MEM_INVALID';
  const size = parcelSize(parcel);
  if (args.imageOffset + args.imageSize > size || args.dtbOffset + args.dtbSize > size) return 'ARGUMENT_INVALID';
  return args.auth > AUTH.ANDROID ? 'ARGUMENT_INVALID' : undefined;
}

/** RM itself is a VM that nobody here owns. */
function unknown(vmid: number): RmErrorName {
  return vmid === VMID.RM ? 'DENIED' : 'VMID_INVALID';
}

/** The platform has nothing to authenticate with and takes every image as it is. */
const authImage: RmHandler<'VM_AUTH_IMAGE'> = (rm, caller, { vmid }) => {
  const vm = rm.vm(vmid);
  if (vm === undefined) return unknown(vmid);
  if (vm.owner !== caller.vmid) return 'DENIED';
  if (vm.state !== 'AUTH') return 'VM_STATE';
  rm.setVmState(vm, 'INIT');
  return 'OK';
};

const init: RmHandler<'VM_INIT'> = (rm, caller, { vmid }) => {
  const vm = rm.vm(vmid);
  if (vm === undefined) return unknown(vmid);
  if (vm.owner !== caller.vmid) return 'DENIED';
  // The image of a platform VM is RM's, which configures it again by itself.
  if (vm.state === 'RESET' && platformVm(rm, vm) !== undefined) rm.setVmState(vm, 'INIT');
  return vm.state === 'INIT' ? initVm(rm, vm) : 'VM_STATE';
};

const start: RmHandler<'VM_START'> = (rm, caller, { vmid }) => {
  const vm = rm.vm(vmid);
  if (vm === undefined) return unknown(vmid);
  if (vm.owner !== caller.vmid) return 'DENIED';
  return vm.state === 'READY' ? startVm(rm, vm) : 'VM_STATE';
};

const stop: RmHandler<'VM_STOP'> = (rm, caller, { vmid, flags, reason }) => {
  const vm = owned(rm, caller, vmid);
  if (vm === undefined) return 'VMID_INVALID';
  if (!rm.canEnter(vm, 'EXITED') || hasAttribute(vm, 'no-shutdown')) return 'VM_STATE';
  if ((flags & STOP_FORCE) !== 0) exitVm(rm, vm, { type: 'VM_STOP_FORCED' });
  else rm.notify(vm.vmid, 'VM_SHUTDOWN', { reason });
  return 'OK';
};

/** There is nothing that a reset could take apart: no VM_CONFIG_IMAGE has succeeded since the VM got its VMID or was reset. */
function wasNeverConfigured(vm: VmRecord): boolean {
  return vm.platformIndex === null && vm.image === null && (vm.state === 'LOAD' || vm.state === 'INIT_FAILED');
}

const reset: RmHandler<'VM_RESET'> = (rm, caller, { vmid }) => {
  const vm = owned(rm, caller, vmid);
  if (vm === undefined) return 'VMID_INVALID';
  if (hasAttribute(vm, 'no-reset')) return 'DENIED';
  if (wasNeverConfigured(vm)) {
    rm.report(caller.vmid, 'rm-would-die', 'VM_RESET of a VM that was never configured, or whose VM_CONFIG_IMAGE failed, ends the real Resource Manager; it answers nothing any more.');
    // Linux's driver resets after a failed VM_CONFIG_IMAGE and waits for the end of it.
    if (vm.state !== 'INIT_FAILED' || !suitsLinux(rm.options)) return 'VM_STATE';
  }
  if (!rm.canEnter(vm, 'RESETTING')) return 'VM_STATE';
  if (vm.state !== 'EXITED') killVcpus(rm, vm);
  rm.setVmState(vm, 'RESETTING');
  return 'OK';
};

const setStatus: RmHandler<'VM_SET_STATUS'> = (rm, caller, { osState, appStatus }) => {
  // Of secondary VMs only those that come with the platform; RM's own number for such a VM may be any.
  if (caller.vmid === VMID.HLOS || caller.platformIndex === null) return 'DENIED';
  if (osState > OS_STATE_MAX) return 'ARGUMENT_INVALID';
  if (osState !== 0) caller.osState = osState;
  caller.appStatus = appStatus;
  rm.notifyStatus(caller);
  return 'OK';
};

const exit: RmHandler<'VM_EXIT'> = (rm, caller, { flags, code }) => {
  if (!EXIT_CODES.includes(code)) return 'MSG_INVALID';
  if (caller.vmid === VMID.HLOS || caller.config?.attributes.includes('crash-fatal') === true) return 'ARGUMENT_INVALID';
  if (!rm.canEnter(caller, 'EXITED')) return 'VM_STATE';
  exitVm(rm, caller, { type: 'VM_EXIT', flags, code });
  return 'OK';
};

const setCrashMessage: RmHandler<'VM_SET_CRASH_MSG'> = (_rm, caller, { message }) => {
  caller.crashMessage = message.slice(0, CRASH_MESSAGE_MAX);
  return 'OK';
};

const getCrashMessage: RmHandler<'VM_GET_CRASH_MSG'> = (rm, caller, { vmid }) => {
  const vm = owned(rm, caller, vmid);
  return vm === undefined ? 'VMID_INVALID' : { message: vm.crashMessage };
};

const getState: RmHandler<'VM_GET_STATE'> = (rm, caller, { vmid }) => {
  const vm = vmid === 0 ? caller : rm.vm(vmid);
  if (vm === undefined) return vmid === VMID.RM ? 'DENIED' : 'NORESOURCE';
  if (!rm.mayQuery(caller.vmid, vm)) return 'DENIED';
  return { vmState: VM_STATES[vm.state], osState: vm.osState, appStatus: vm.appStatus };
};


/** Handlers of life cycle requests. */
export const vmManagementHandlers = {
  VM_ALLOCATE: allocate,
  VM_DEALLOCATE: deallocate,
  VM_CONFIG_IMAGE: configImage,
  VM_AUTH_IMAGE: authImage,
  VM_INIT: init,
  VM_START: start,
  VM_STOP: stop,
  VM_RESET: reset,
  VM_SET_STATUS: setStatus,
  VM_EXIT: exit,
  VM_SET_CRASH_MSG: setCrashMessage,
  VM_GET_CRASH_MSG: getCrashMessage,
  VM_GET_STATE: getState,
} as const satisfies RmHandlers;
