/**
 * The control API's get and set register for hypercall services: what a VMM does with `KVM_GET_ONE_REG`, `KVM_SET_ONE_REG`, `KVM_GET_REG_LIST` and
 * the SMCCC filter, for a VM by its VMID. A change is an input like any other: it is journalled, and it branches history when made in the past.
 */

import type { FilterRange, ServiceBit, ServiceError, ServiceRegisterName, VmServices } from '../hypervisor/service-registers';
import { SERVICE_REGISTERS } from '../hypervisor/service-registers';
import { err, ok, type Result } from '../base/result';
import type { System } from '../system/system';

/** One register with its value. */
export interface ServiceRegisterView {
  readonly id: bigint;
  readonly name: ServiceRegisterName;
  readonly kind: 'version' | 'level' | 'bitmap';
  readonly value: bigint;
  /** Bitmaps: bits that can be set. */
  readonly supported: bigint;
  readonly bits: readonly (ServiceBit & { readonly isSet: boolean })[];
}

/** The registers of a VM in the order of KVM_GET_REG_LIST. */
export function listServiceRegisters(system: System, vmid: number): ServiceRegisterView[] {
  const services = servicesOf(system, vmid);
  return services.list().map(({ name, id }) => viewOf(services, { name, id }));
}

/** KVM_GET_ONE_REG: ENOENT for an id that the VM does not have. */
export function getServiceRegister(system: System, vmid: number, id: bigint): Result<bigint, ServiceError> {
  const value = servicesOf(system, vmid).get(id);
  return typeof value === 'string' ? err(value) : ok(value);
}

/** KVM_SET_ONE_REG: ENOENT for an unknown id, EINVAL for a value that cannot be, EBUSY for a change after the VM has run. */
export function setServiceRegister(system: System, vmid: number, { id, value }: { readonly id: bigint; readonly value: bigint }): Result<void, ServiceError> {
  const services = servicesOf(system, vmid);
  const answer = services.check(id, value);
  // With the RFC a write that fails clears the bitmaps all the same; and a write that changes nothing needs no branch of history.
  const isSilent = answer === 'OK' ? services.get(id) === value && !services.isRfc : !services.isRfc || services.hasStarted || answer === 'ENOENT';
  if (!isSilent) system.chooseService({ kind: 'set-service', vmid, register: id, value });
  return answer === 'OK' ? ok(undefined) : err(answer);
}

/** KVM_ARM_VM_SMCCC_FILTER: EINVAL for an empty or wrapping range, EBUSY after the VM has run, EEXIST for one that overlaps. */
export function addServiceFilter(system: System, vmid: number, range: FilterRange): Result<void, ServiceError> {
  const answer = servicesOf(system, vmid).checkFilter(range);
  if (answer !== 'OK') return err(answer);
  system.chooseService({ kind: 'add-filter', vmid, range });
  return ok(undefined);
}

/** The selection of a VM, for looking at. */
export function servicesOf(system: System, vmid: number): VmServices {
  return system.parts.hypervisor.services.peek(vmid);
}

function viewOf(services: VmServices, { name, id }: { readonly name: ServiceRegisterName; readonly id: bigint }): ServiceRegisterView {
  const value = services.get(id);
  const number = typeof value === 'bigint' ? value : 0n;
  const bits = services.bitsOf(name).map((bit) => ({ ...bit, isSet: ((number >> BigInt(bit.bit)) & 1n) === 1n }));
  return { id, name, kind: SERVICE_REGISTERS[name].kind, value: number, supported: services.supportedBits(name), bits };
}
