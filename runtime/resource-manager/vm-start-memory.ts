/** The memory parcels that RM accepts for a VM when it starts, beside its image: for vdevices, behind the image, and the rest. */

import { hex } from '../base/bits';
import type { Rm } from './context';
import { acceptParcel, parcelSize } from './parcels';
import type { Parcel, VdeviceRecord, VmRecord } from './state';
import type { VdeviceConfig } from './vm-config';
import { ACCESS } from './vm-memory';

function offered(rm: Rm, vm: VmRecord): Parcel[] {
  return rm.state.parcels.filter((parcel) => parcel.owner !== vm.vmid
    && parcel.acl.some((entry) => entry.vmid === vm.vmid) && !parcel.users.some((user) => user.vmid === vm.vmid));
}

/**
 * Parcels that vdevices ask for by label. False fails the start: one cannot be mapped or, if they are `required`, device memory is missing.
 * Shared memory whose address RM chooses comes later, with the rest, and so does that of virtio devices: RM does not look at its `base`.
 */
export function acceptLabelled(rm: Rm, vm: VmRecord, presence: 'required' | 'possible'): boolean {
  return vm.vdevices.every((vdevice) => acceptFor(rm, vm, { vdevice, presence }));
}

function acceptFor(rm: Rm, vm: VmRecord, { vdevice: { config }, presence }: { readonly vdevice: VdeviceRecord; readonly presence: 'required' | 'possible' }): boolean {
  if (config.memory === null || config.type === 'virtio-mmio' || (config.memory.base === null && config.type !== 'iomem')) return true;
  const { label, base, optional } = config.memory;
  const parcel = offered(rm, vm).find((candidate) => candidate.label === label);
  if (parcel === undefined && (optional || presence === 'possible' || config.type !== 'iomem')) return true;
  if (parcel !== undefined && isAsSaid(vm, parcel, config) && typeof acceptParcel(rm, vm, parcel, base ?? 'chosen') !== 'string') return true;
  rm.report(vm.vmid, 'rm-vdevice-memory', `VM_START: ${config.path} needs a memory parcel with label ${label} that can be mapped${base === null ? '' : ` at ${hex(base)}`}.`);
  return false;
}

/** Whether the VM has the shared memory of all its vdevices. RM finds out when it writes the device tree, with all other memory accepted. */
export function hasSharedMemory(rm: Rm, vm: VmRecord): boolean {
  const missing = vm.vdevices.find(({ config: { type, memory } }) => type !== 'iomem' && memory !== null && !(memory.optional && type !== 'virtio-mmio')
    && !rm.state.parcels.some((parcel) => parcel.label === memory.label && parcel.users.some((user) => user.vmid === vm.vmid)));
  if (missing !== undefined) rm.report(vm.vmid, 'rm-vdevice-memory', `VM_START: ${missing.config.path} needs a memory parcel with label ${missing.config.memory?.label ?? 0}.`);
  return missing === undefined;
}

/** Whether device memory is what the configuration says of it. */
function isAsSaid(vm: VmRecord, parcel: Parcel, { iomem }: VdeviceConfig): boolean {
  if (iomem === null) return true;
  const ids = [vm.vmid, vm.owner];
  const rights = ids.map((id) => parcel.acl.find((entry) => entry.vmid === id)?.rights ?? 0);
  const attributes = ids.map((id) => parcel.attributes.find((entry) => entry.vmid === id)?.attribute ?? 0);
  const rangesMatch = iomem.ranges.length === 0 || (iomem.ranges.length === parcel.regions.length
    && iomem.ranges.every(({ address, sizeBytes }, i) => parcel.regions[i]?.address === address && parcel.regions[i].sizeBytes === sizeBytes));
  return rangesMatch && iomem.acl.every((right, i) => right === rights[i]) && iomem.attributes.every((attribute, i) => attribute === attributes[i]);
}

/** Whether a parcel is private normal memory of a VM. */
function isPrivateFor(vm: VmRecord, parcel: Parcel): boolean {
  const plain = parcel.label === 0 && parcel.typeNumber === 0 && parcel.attributes.every((entry) => entry.attribute === 0);
  return plain && parcel.acl.some((entry) => entry.vmid === vm.vmid && entry.rights === ACCESS.RWX);
}

/** Private normal memory goes directly behind the image; failures do not matter. Whether there was any. */
export function acceptPrivate(rm: Rm, vm: VmRecord, end: bigint): boolean {
  let at = end;
  for (const parcel of offered(rm, vm)) {
    if (!isPrivateFor(vm, parcel)) continue;
    if (typeof acceptParcel(rm, vm, parcel, at) !== 'string') at += parcelSize(parcel);
  }
  return at !== end;
}

/** Everything else that was given to the VM. */
export function acceptRest(rm: Rm, vm: VmRecord): void {
  for (const parcel of offered(rm, vm)) acceptParcel(rm, vm, parcel, 'chosen');
}
