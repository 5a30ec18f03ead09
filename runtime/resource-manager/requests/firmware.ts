/**
 * Firmware of protected VMs: RM keeps one image, which the primary VM's boot loader hands over, and copies it into the memory that a VM's
 * owner sets aside for it. Loading ends for good with FW_MILESTONE.
 */

import type { Rm } from '../context';
import { parcelByHandle, parcelSize, takeByRm } from '../parcels';
import { suitsLinux } from '../profile';
import type { RmErrorName } from '../rm-errors';
import type { VmRecord } from '../state';
import { AUTH } from '../vm-lifecycle';
import { VMID } from '../vm-states';
import type { RmHandler, RmHandlers } from './handler';

const milestone: RmHandler<'FW_MILESTONE'> = (rm) => {
  if (rm.state.firmwareIsFinal) return 'DENIED';
  rm.state.firmwareIsFinal = true;
  return 'OK';
};

const setVmFirmware: RmHandler<'FW_SET_VM_FIRMWARE'> = (rm, _caller, { auth, more, handle, offset, size }) => {
  if (rm.state.firmwareIsFinal) return 'DENIED';
  if (more !== 0) return 'UNIMPLEMENTED';
  if (auth !== AUTH.ANDROID) return 'ARGUMENT_INVALID';
  if (rm.state.firmware !== null) return 'BUSY';
  const parcel = parcelByHandle(rm, handle);
  if (parcel?.acl.some((entry) => entry.vmid === VMID.RM) !== true) return 'HANDLE_INVALID';
  if (offset !== 0n || size === 0n || size > parcelSize(parcel)) return 'ARGUMENT_INVALID';
  if (parcel.typeNumber !== 0 || parcel.transaction !== 'donate' || !parcel.complete) return 'ARGUMENT_INVALID';
  if (parcel.attributes.length > 0) return 'VALIDATE_FAILED';
  rm.state.firmware = { regions: parcel.regions, sizeBytes: size };
  takeByRm(rm, parcel);
  return 'OK';
};

const setFirmwareMemory: RmHandler<'VM_SET_FIRMWARE_MEM'> = (rm, caller, { vmid, handle, offset, size }) => {
  const vm = rm.vm(vmid);
  if (vm === undefined) return vmid === VMID.RM ? 'DENIED' : 'NORESOURCE';
  if (!rm.mayQuery(caller.vmid, vm)) return 'DENIED';
  if (vm.state !== 'INIT') return 'VM_STATE';
  if (vm.image?.auth !== AUTH.ANDROID) return 'ARGUMENT_INVALID';
  // Drivers expect that there is a firmware; without RM's own the owner's bytes serve.
  if (rm.state.firmware === null && !suitsLinux(rm.options)) return 'DENIED';
  const error = checkPlace(rm, vm, { handle, offset, size });
  if (error !== undefined) return error;
  const parcel = parcelByHandle(rm, handle);
  if (parcel !== undefined) vm.firmware = { handle: parcel.handle, offset, sizeBytes: size };
  return 'OK';
};

/** The range must lie in a parcel that is offered to the VM. */
function checkPlace(rm: Rm, vm: VmRecord, place: { readonly handle: number; readonly offset: bigint; readonly size: bigint }): RmErrorName | undefined {
  const parcel = parcelByHandle(rm, place.handle);
  if (parcel?.acl.some((entry) => entry.vmid === vm.vmid) !== true) return 'MEM_INVALID';
  return place.offset + place.size <= parcelSize(parcel) ? undefined : 'ARGUMENT_INVALID';
}

/** Handlers of firmware requests. */
export const firmwareHandlers = {
  FW_MILESTONE: milestone,
  FW_SET_VM_FIRMWARE: setVmFirmware,
  VM_SET_FIRMWARE_MEM: setFirmwareMemory,
} as const satisfies RmHandlers;
