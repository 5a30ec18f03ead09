/**
 * The time of a VM's real-time clock. The clock is an object that VM_INIT makes; its time can be set once. A refusal carries the
 * hypervisor's error as a second word.
 */

import { ERRORS } from '../../hypervisor/interface';
import { RmFailure } from '../rm-errors';
import { hasClock, setClock } from '../virtual-devices';
import { VMID } from '../vm-states';
import type { RmHandler, RmHandlers } from './handler';

const setTimeBase: RmHandler<'VM_SET_TIME_BASE'> = (rm, caller, { vmid, timeBase, systemTimerReference }) => {
  const vm = vmid === 0 ? caller : rm.vm(vmid);
  if (vm === undefined) return unknown(vmid);
  if (!rm.mayQuery(caller.vmid, vm)) return 'DENIED';
  if (vm.state !== 'INIT' && vm.state !== 'READY') return 'VM_STATE';
  const error = hasClock(vm) ? setClock(rm, vm, { nanoseconds: timeBase, counter: systemTimerReference }) : ERRORS.DENIED;
  return error === ERRORS.OK ? 'OK' : new RmFailure('ARGUMENT_INVALID', error);
};

/** RM itself is a VM about which nobody may ask. */
function unknown(vmid: number): 'DENIED' | 'NORESOURCE' {
  return vmid === VMID.RM ? 'DENIED' : 'NORESOURCE';
}

/** Handlers of clock requests. */
export const clockHandlers = { VM_SET_TIME_BASE: setTimeBase } as const satisfies RmHandlers;
