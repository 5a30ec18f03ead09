/** Console requests. A console has two sides: the VM itself, and its owner. */

import type { Vmid } from '../../base/brands';
import type { Rm } from '../context';
import { suitsLinux } from '../profile';
import type { RmErrorName } from '../rm-errors';
import type { VmRecord } from '../state';
import { VMID } from '../vm-states';
import type { RmHandlers } from './handler';

interface Side { readonly vm: VmRecord; readonly console: NonNullable<VmRecord['console']>; readonly own: 'selfOpen' | 'ownerOpen'; readonly other: 'selfOpen' | 'ownerOpen' }

/** Who has the other side: the owner. The primary VM's console, which only profile `linux` gives it, is a loop. */
function consoleOwner(rm: Rm, vm: VmRecord): Vmid {
  return vm.vmid === VMID.HLOS && suitsLinux(rm.options) ? vm.vmid : vm.owner;
}

/** Which console and side a request is about. */
function sideOf(rm: Rm, caller: VmRecord, vmid: number): Side | RmErrorName {
  const vm = vmid === 0 ? caller : rm.vm(vmid);
  // Observed: whether there is a console comes before who may use it.
  if (vm?.console == null) return 'ARGUMENT_INVALID';
  if (vmid !== 0 && consoleOwner(rm, vm) !== caller.vmid) return 'DENIED';
  return vmid === 0 ? { vm, console: vm.console, own: 'selfOpen', other: 'ownerOpen' } : { vm, console: vm.console, own: 'ownerOpen', other: 'selfOpen' };
}

function setOpen(rm: Rm, caller: VmRecord, vmid: number, state: 'open' | 'closed'): RmErrorName {
  const side = sideOf(rm, caller, vmid);
  if (typeof side === 'string') return side;
  side.console[side.own] = state === 'open';
  return 'OK';
}

/** Handlers of console requests. */
export const consoleHandlers = {
  CONSOLE_OPEN: (rm, caller, { vmid }) => setOpen(rm, caller, vmid, 'open'),
  CONSOLE_CLOSE: (rm, caller, { vmid }) => setOpen(rm, caller, vmid, 'closed'),
  CONSOLE_WRITE: (rm, caller, { vmid, data }) => {
    const side = sideOf(rm, caller, vmid);
    if (typeof side === 'string') return side;
    if (!side.console[side.own]) return 'DENIED';
    if (!side.console[side.other]) return 'OK';
    // The owner appears as 0, the VM by its identifier.
    if (side.own === 'ownerOpen') rm.notify(side.vm.vmid, 'CONSOLE_CHARS', { from: 0, data });
    else rm.notify(consoleOwner(rm, side.vm), 'CONSOLE_CHARS', { from: side.vm.vmid, data });
    return 'OK';
  },
  CONSOLE_FLUSH: (rm, caller, { vmid }) => {
    const side = sideOf(rm, caller, vmid);
    if (typeof side === 'string') return side;
    return side.console[side.own] ? 'OK' : 'DENIED';
  },
} as const satisfies RmHandlers;
