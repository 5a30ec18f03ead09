/** Requests about the hypercall services of a VM: list, get and set registers as a VMM does, and the filter. */

import { addServiceFilter, FILTER_ACTIONS, getServiceRegister, hex, listServiceRegisters, SERVICE_ERRNO, servicesOf, setServiceRegister, type FilterAction, type ServiceError, type System } from '../../runtime/index';
import { AdapterError } from '../errors';
import type { CustomRequestBody, ServiceFilterRow, ServiceRegisterRow } from '../protocol/index';
import type { Session } from '../session';
import { readRegister, readValue, valuesText } from '../services-text';
import { numberOf, numberOr, textOf, textOr, type Arguments } from './arguments';

const REASONS: Readonly<Record<ServiceError, string>> = {
  ENOENT: 'the VM has no such register', EINVAL: 'the range is empty or leaves 32 bits, or there is no room for more ranges', EBUSY: 'the VM has run, and this can be chosen before its first vCPU runs only',
  EEXIST: 'the range overlaps another, or functions that cannot be filtered', ENXIO: 'this flavour has no filter',
};

/** The VMID that a request names by number or by name. */
export function vmidOfArguments(session: Session, args: Arguments, command: string): number {
  const { system } = session.debuggee.target;
  const name = textOr(args, 'vm');
  const vmid = name === undefined ? numberOf(args, 'vmid', command) : vmidOfName(system, name);
  if (vmid === undefined || !system.rmView().vms.some((vm) => vm.vmid === vmid)) throw new AdapterError('unknownVm', { vm: name ?? String(vmid) });
  return vmid;
}

/** The VMID of a name. */
export function vmidOfName(system: System, name: string): number | undefined {
  return system.rmView().vms.find(({ vmid }) => system.vmName(vmid) === name)?.vmid;
}

/** Everything that is chosen for a VM. */
export function serviceRegisters(system: System, vmid: number): CustomRequestBody<'gunyah/serviceRegisters'> {
  const services = servicesOf(system, vmid);
  const { personality, flavour, stolenTime } = services.settings;
  return {
    vmid, personality, flavour, hasRun: services.hasStarted, stolenTime: stolenTime === undefined ? null : hex(stolenTime), filter: filterRows(system, vmid),
    registers: listServiceRegisters(system, vmid).map((register): ServiceRegisterRow => ({ ...register, id: hex(register.id), value: hex(register.value), supported: hex(register.supported) })),
  };
}

function filterRows(system: System, vmid: number): ServiceFilterRow[] {
  return servicesOf(system, vmid).filter.map(({ base, count, action }) => ({ base: hex(base), count, action }));
}

function getRegister(session: Session, args: Arguments): CustomRequestBody<'gunyah/getServiceRegister'> {
  const { system } = session.debuggee.target;
  const vmid = vmidOfArguments(session, args, 'gunyah/getServiceRegister');
  const services = servicesOf(system, vmid);
  const id = readRegister(services, textOf(args, 'register', 'gunyah/getServiceRegister'));
  const value = id === undefined ? undefined : getServiceRegister(system, vmid, id);
  if (id === undefined || value?.ok !== true) throw refusal('ENOENT');
  return { id: hex(id), name: services.nameOf(id) ?? '', value: hex(value.value) };
}

function setRegister(session: Session, args: Arguments): CustomRequestBody<'gunyah/setServiceRegister'> {
  const { system } = session.debuggee.target;
  const vmid = vmidOfArguments(session, args, 'gunyah/setServiceRegister');
  const services = servicesOf(system, vmid);
  const id = readRegister(services, textOf(args, 'register', 'gunyah/setServiceRegister'));
  if (id === undefined) throw refusal('ENOENT');
  const given = args['value'];
  const value = readValue(services, id, typeof given === 'number' ? String(given) : textOf(args, 'value', 'gunyah/setServiceRegister'));
  if (value === undefined) throw new AdapterError('badArguments', { command: 'gunyah/setServiceRegister', problem: `"value" must be a number, names of services or a PSCI version: ${valuesText(services, id)}.` });
  chooseRegister(system, vmid, { id, value });
  session.wake();
  return { id: hex(id), name: services.nameOf(id) ?? '', value: hex(value) };
}

/** Sets a register, or throws what a VMM would see. */
export function chooseRegister(system: System, vmid: number, choice: { readonly id: bigint; readonly value: bigint }): void {
  const result = setServiceRegister(system, vmid, choice);
  if (result.ok) return;
  throw result.error === 'EINVAL' ? refusal('EINVAL', `${hex(choice.value)} cannot be: ${valuesText(servicesOf(system, vmid), choice.id)}`) : refusal(result.error);
}

/** Adds a range to the filter, or throws what a VMM would see. */
export function chooseFilter(system: System, vmid: number, range: { readonly base: number; readonly count: number; readonly action: string }): void {
  const action = FILTER_ACTIONS.find((one): one is FilterAction => one === range.action);
  if (action === undefined) throw refusal('EINVAL', `there is no action "${range.action}"; there are ${FILTER_ACTIONS.join(', ')}`);
  const result = addServiceFilter(system, vmid, { ...range, action });
  if (!result.ok) throw refusal(result.error);
}

function addFilter(session: Session, args: Arguments): CustomRequestBody<'gunyah/addServiceFilter'> {
  const { system } = session.debuggee.target;
  const command = 'gunyah/addServiceFilter';
  const vmid = vmidOfArguments(session, args, command);
  const given = args['base'];
  const base = typeof given === 'string' ? Number(given) : numberOf(args, 'base', command);
  chooseFilter(system, vmid, { base, count: numberOr(args, 'count', 1), action: textOf(args, 'action', command) });
  session.wake();
  return { filter: filterRows(system, vmid) };
}

/** The answer that a VMM would get, by name, number and in words. */
export function refusal(errno: ServiceError, problem = REASONS[errno]): AdapterError {
  return new AdapterError('serviceRefused', { errno, number: String(SERVICE_ERRNO[errno]), problem });
}

/** By name. */
export const SERVICE_REQUESTS = {
  'gunyah/serviceRegisters': (session: Session, args: Arguments): CustomRequestBody<'gunyah/serviceRegisters'> =>
    serviceRegisters(session.debuggee.target.system, vmidOfArguments(session, args, 'gunyah/serviceRegisters')),
  'gunyah/getServiceRegister': getRegister,
  'gunyah/setServiceRegister': setRegister,
  'gunyah/addServiceFilter': addFilter,
} as const;
