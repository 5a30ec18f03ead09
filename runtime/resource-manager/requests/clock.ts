/**
 * The time of a VM's real-time clock. The clock is an object that VM_INIT makes; before that RM remembers the time for it. It can be set
 * once. A refusal carries the hypervisor's error as a second word.
 */

import { ERRORS } from '../../hypervisor/interface';
import { rmErrorFromHypervisor, RmFailure } from '../rm-errors';
import { hasClock, setClock } from '../virtual-devices';
import type { RmHandler, RmHandlers } from './handler';

const setTimeBase: RmHandler<'VM_SET_TIME_BASE'> = (rm, caller, { vmid, timeBase, systemTimerReference }) => {
  const vm = vmid === 0 ? caller : rm.vm(vmid);
  if (vm === undefined) return 'VMID_INVALID';
  if (!rm.mayQuery(caller.vmid, vm)) return 'DENIED';
  if (vm.state !== 'INIT' && vm.state !== 'READY') return 'VM_STATE';
  const time = { nanoseconds: timeBase, counter: systemTimerReference };
  if (vm.state === 'READY' && !hasClock(vm)) return new RmFailure('NORESOURCE', ERRORS.NORESOURCES);
  const error = vm.state === 'READY' ? setClock(rm, vm, time) : vm.timeBase === null ? ERRORS.OK : ERRORS.BUSY;
  if (error !== ERRORS.OK) return new RmFailure(rmErrorFromHypervisor(error), error);
  vm.timeBase = time;
  return 'OK';
};

/** Handlers of clock requests. */
export const clockHandlers = { VM_SET_TIME_BASE: setTimeBase } as const satisfies RmHandlers;
