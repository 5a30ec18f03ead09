/**
 * Requests that only later Resource Managers know, and that Linux's drivers from series v15 on send: served in profile `linux`, refused
 * before anything else is looked at in the other. They shape a VM between its configuration and its start.
 */

import { ERRORS } from '../../hypervisor/interface';
import type { Rm } from '../context';
import { rmErrorFromHypervisor } from '../rm-errors';
import type { RmErrorName } from '../rm-errors';
import type { VmRecord } from '../state';
import { ADDRESS_SPACE_END, PAGE } from '../vm-memory';
import type { VmStateName } from '../vm-states';
import type { RmHandler, RmHandlers } from './handler';

const SET = { X: 0, PC: 1 } as const;
const RANGE = { IMAGE: 0, FIRMWARE: 1 } as const;

/** The target if the caller owns it and it is in this state. */
function shaped(rm: Rm, caller: VmRecord, { vmid, state }: { readonly vmid: number; readonly state: VmStateName }): VmRecord | RmErrorName {
  const vm = rm.vm(vmid);
  if (vm === undefined) return 'VMID_INVALID';
  if (vm.owner !== caller.vmid) return 'DENIED';
  return vm.state === state ? vm : 'VM_STATE';
}

const setBootContext: RmHandler<'VM_SET_BOOT_CONTEXT'> = (rm, caller, { vmid, registerSet, registerIndex, value }) => {
  const vm = shaped(rm, caller, { vmid, state: 'READY' });
  if (typeof vm === 'string') return vm;
  const boots = vm.config?.cpus.findIndex((cpu) => cpu.boots) ?? -1;
  const vcpu = vm.vcpus[boots];
  if (vcpu === undefined) return 'VM_STATE';
  const { error } = rm.call('vcpu_register_write', { vcpu: vcpu.cap, register_set: registerSet, register_index: registerIndex, value });
  if (error !== ERRORS.OK) return rmErrorFromHypervisor(error);
  if (registerSet === SET.PC) vm.bootContext = { ...vm.bootContext, entry: value };
  if (registerSet === SET.X && registerIndex === 0) vm.bootContext = { ...vm.bootContext, x0: value };
  return 'OK';
};

const setAddressLayout: RmHandler<'VM_SET_ADDRESS_LAYOUT'> = (rm, caller, { vmid, rangeId, base, size }) => {
  const vm = shaped(rm, caller, { vmid, state: 'INIT' });
  if (typeof vm === 'string') return vm;
  const isRange = base % PAGE === 0n && size % PAGE === 0n && size > 0n && base + size <= ADDRESS_SPACE_END;
  if (!isRange || (rangeId !== RANGE.IMAGE && rangeId !== RANGE.FIRMWARE)) return 'ARGUMENT_INVALID';
  vm.layout = rangeId === RANGE.IMAGE ? { ...vm.layout, image: base } : { ...vm.layout, firmware: base };
  return 'OK';
};

const setDemandPaging: RmHandler<'VM_SET_DEMAND_PAGING'> = (rm, caller, { vmid, ranges }) => {
  const vm = shaped(rm, caller, { vmid, state: 'INIT' });
  if (typeof vm === 'string') return vm;
  const isRange = ({ base, size }: { readonly base: bigint; readonly size: bigint }): boolean => base % PAGE === 0n && size % PAGE === 0n && size > 0n && base + size <= ADDRESS_SPACE_END;
  if (!ranges.every(isRange)) return 'ARGUMENT_INVALID';
  vm.demandPaging = ranges.map(({ base, size: sizeBytes }) => ({ base, sizeBytes }));
  return 'OK';
};

/** Handlers of newer requests. */
export const newerHandlers = { VM_SET_DEMAND_PAGING: setDemandPaging, VM_SET_BOOT_CONTEXT: setBootContext, VM_SET_ADDRESS_LAYOUT: setAddressLayout } as const satisfies RmHandlers;
