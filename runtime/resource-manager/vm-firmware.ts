/**
 * Firmware of a protected VM (authentication type 2): accepted at the address that the configuration names, filled with RM's own image if RM
 * was given one, and what the boot vCPU executes first. Without an image of RM's the owner's bytes stay.
 */

import { hex } from '../base/bits';
import type { Rm } from './context';
import { acceptParcel, mayRunFrom, parcelByHandle, parcelSize } from './parcels';
import type { VmRecord } from './state';
import type { VmConfig } from './vm-config';
import { readGuest, writeGuest } from './vm-memory';

const CHUNK = 0x1_0000;

/** Maps and fills the firmware; its address, or `undefined` (and a report) if the VM cannot start from it. */
export function acceptFirmware(rm: Rm, vm: VmRecord, config: VmConfig): bigint | undefined {
  const problem = placeFirmware(rm, vm, config);
  if (problem === undefined) return vm.layout.firmware ?? config.firmwareAddress ?? undefined;
  rm.report(vm.vmid, 'rm-firmware', `VM_START: ${problem}`);
  return undefined;
}

function placeFirmware(rm: Rm, vm: VmRecord, config: VmConfig): string | undefined {
  const { firmware, image } = vm;
  const { firmwareSizeMax, entryOffset } = config;
  const firmwareAddress = vm.layout.firmware ?? config.firmwareAddress;
  const parcel = firmware === null ? undefined : parcelByHandle(rm, firmware.handle);
  if (firmware === null || parcel === undefined) return 'a VM of authentication type 2 needs firmware memory (VM_SET_FIRMWARE_MEM).';
  if (firmwareAddress === null) return 'the configuration has no firmware-address.';
  if (firmwareAddress < firmware.offset) return 'firmware-address is too low for the offset of the firmware in its parcel.';
  if (firmware.sizeBytes > firmwareSizeMax) return `the firmware memory has ${hex(firmware.sizeBytes)} bytes, firmware-size-max allows ${hex(firmwareSizeMax)}.`;
  if (image?.imageOffset !== entryOffset) return 'kernel-entry-offset must be the offset of the image in its parcel.';
  if (!mayRunFrom(vm, parcel)) return 'the firmware parcel must be lent with full rights.';
  const isMapped = parcel.users.some((user) => user.vmid === vm.vmid);
  if (!isMapped && typeof acceptParcel(rm, vm, parcel, firmwareAddress - firmware.offset) === 'string') {
    return `the firmware parcel of ${hex(parcelSize(parcel))} bytes cannot be mapped so that its firmware lies at ${hex(firmwareAddress)}.`;
  }
  if (readGuest(rm, vm, firmwareAddress, 1) === undefined) return `the firmware memory is not at ${hex(firmwareAddress)}.`;
  return fillFirmware(rm, vm, firmwareAddress, firmware.sizeBytes) ? undefined : 'RM’s firmware does not fit the firmware memory.';
}

/** Copies RM's firmware, if there is one, region by region. */
function fillFirmware(rm: Rm, vm: VmRecord, address: bigint, roomBytes: bigint): boolean {
  const source = rm.state.firmware;
  if (source === null) return true;
  if (source.sizeBytes > roomBytes) return false;
  let done = 0n;
  for (const region of source.regions) {
    const end = region.sizeBytes < source.sizeBytes - done ? region.sizeBytes : source.sizeBytes - done;
    for (let at = 0n; at < end; at += BigInt(CHUNK)) {
      const size = end - at < BigInt(CHUNK) ? Number(end - at) : CHUNK;
      const bytes = rm.readPlatform(region.offset + at, size);
      if (bytes === undefined || !writeGuest(rm, vm, address + done + at, bytes)) return false;
    }
    done += end;
  }
  return true;
}
