/**
 * Firmware of protected VMs: RM keeps one image, which the primary VM's boot loader hands over, and copies it into the memory that a VM's
 * owner sets aside for it. Loading ends for good with FW_MILESTONE.
 */

import type { Rm } from '../context';
import { parcelByHandle, parcelSize, takeByRm } from '../parcels';
import type { RmErrorName } from '../rm-errors';
import type { VmRecord } from '../state';
import { AUTH } from '../vm-lifecycle';
import { PAGE } from '../vm-memory';
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
  if (parcel === undefined) return 'HANDLE_INVALID';
  if (!parcel.acl.some((entry) => entry.vmid === VMID.RM)) return 'VMID_INVALID';
  if (parcel.transaction !== 'donate' || !parcel.complete) return 'ARGUMENT_INVALID';
  if (offset !== 0n || size === 0n || size > parcelSize(parcel)) return 'ARGUMENT_INVALID';
  rm.state.firmware = { regions: parcel.regions, sizeBytes: size };
  takeByRm(rm, parcel);
  return 'OK';
};

const setFirmwareMemory: RmHandler<'VM_SET_FIRMWARE_MEM'> = (rm, caller, { vmid, handle, offset, size }) => {
  const vm = rm.vm(vmid);
  if (vm === undefined) return 'NORESOURCE';
  if (!rm.mayQuery(caller.vmid, vm)) return 'DENIED';
  if (vm.state !== 'INIT') return 'VM_STATE';
  const error = checkPlace(rm, vm, { handle, offset, size });
  if (error !== undefined) return error;
  const parcel = parcelByHandle(rm, handle);
  if (parcel !== undefined) vm.firmware = { handle: parcel.handle, offset, sizeBytes: size };
  return 'OK';
};

/** The range must lie in a parcel that is offered to the VM. */
function checkPlace(rm: Rm, vm: VmRecord, place: { readonly handle: number; readonly offset: bigint; readonly size: bigint }): RmErrorName | undefined {
  const parcel = parcelByHandle(rm, place.handle);
  if (parcel?.acl.some((entry) => entry.vmid === vm.vmid) !== true) return 'HANDLE_INVALID';
  const isInside = place.size > 0n && place.offset + place.size <= parcelSize(parcel);
  return isInside && place.offset % PAGE === 0n ? undefined : 'ARGUMENT_INVALID';
}

/** Handlers of firmware requests. */
export const firmwareHandlers = {
  FW_MILESTONE: milestone,
  FW_SET_VM_FIRMWARE: setVmFirmware,
  VM_SET_FIRMWARE_MEM: setFirmwareMemory,
} as const satisfies RmHandlers;
