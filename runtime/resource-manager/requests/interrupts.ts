/** Interrupt lending requests. Only hardware interrupts that RM forwards to the caller can be lent. */

import { vmid as asVmid } from '../../base/brands';
import { ByteReader } from '../../base/byte-reader';
import { ERRORS } from '../../hypervisor/interface';
import type { Rm } from '../context';
import { beginLending, endLending, forwardTo, lentByHandle, lineOf, ownInterrupt, unbindFromBorrower } from '../lent-interrupts';
import type { LentInterrupt, VmRecord } from '../state';
import type { RmHandler, RmHandlers } from './handler';

const CHOOSE = 0xffff_ffff;
const NOTIFY = { LENT: 1, RELEASED: 2, ACCEPTED: 4 } as const;
/** VM_IRQ_NOTIFY without a list: handle and flags. */
const NOTIFY_BYTES = 8;

const lend: RmHandler<'VM_IRQ_LEND'> = (rm, caller, { borrower, virq, label }) => {
  const interrupt = ownInterrupt(rm, caller, virq);
  if (interrupt === undefined) return 'IRQ_INVALID';
  if (rm.state.lentInterrupts.some((lent) => lent.interrupt.intid === interrupt.intid)) return 'IRQ_INUSE';
  return { handle: beginLending(rm, caller, { borrower, label, interrupt }).handle };
};

/** The lent interrupt if the caller is its borrower. */
function borrowed(rm: Rm, caller: VmRecord, handle: number): LentInterrupt | undefined {
  const lent = lentByHandle(rm, handle);
  return lent?.borrower === caller.vmid ? lent : undefined;
}

const accept: RmHandler<'VM_IRQ_ACCEPT'> = (rm, caller, { handle, virq }) => {
  const lent = borrowed(rm, caller, handle);
  if (lent === undefined) return 'HANDLE_INVALID';
  if (lent.accepted !== null) return 'IN_USE';
  // Observed: what the borrower gets is the hardware interrupt of the number that it names.
  const wanted = virq === CHOOSE ? lent.interrupt.intid : virq;
  const line = lineOf(rm, wanted);
  if (line === undefined) return 'ARGUMENT_INVALID';
  const number = rm.claimVirq(caller.vmid, wanted);
  if (number === undefined) return 'DENIED';
  const error = forwardTo(rm, caller, line, number);
  if (error !== ERRORS.OK) return error === ERRORS.NOMEM ? 'NOMEM' : error === ERRORS.DENIED ? 'DENIED' : 'ARGUMENT_INVALID';
  lent.accepted = { virq: number, line, isStatic: false };
  return { virq: number };
};

const release: RmHandler<'VM_IRQ_RELEASE'> = (rm, caller, { handle }) => {
  const lent = borrowed(rm, caller, handle);
  if (lent === undefined) return 'HANDLE_INVALID';
  if (lent.accepted?.isStatic !== false) return 'IN_USE';
  unbindFromBorrower(rm, lent);
  return 'OK';
};

const reclaim: RmHandler<'VM_IRQ_RECLAIM'> = (rm, caller, { handle }) => {
  const lent = lentByHandle(rm, handle);
  if (lent === undefined || lent.borrower === caller.vmid) return 'HANDLE_INVALID';
  if (lent.accepted !== null) return 'IN_USE';
  if (lent.owner !== caller.vmid) return 'IRQ_INVALID';
  if (endLending(rm, lent) === 0) return 'OK';
  rm.report(caller.vmid, 'rm-would-die', `VM_IRQ_RECLAIM of interrupt ${lent.interrupt.intid}, which was accepted in place of another one, ends the real Resource Manager; it answers nothing any more.`);
  return 'IN_USE';
};

/** Observed: whatever is not about lending has no list behind it, and a handle that nobody has is refused before the list's form. */
export function refusesNotify(rm: Rm, payload: Uint8Array): 'MSG_INVALID' | 'HANDLE_INVALID' | undefined {
  const reader = new ByteReader(payload);
  const flags = reader.u32(4);
  if (flags === undefined || (flags !== NOTIFY.LENT && payload.length !== NOTIFY_BYTES)) return 'MSG_INVALID';
  return lentByHandle(rm, reader.u32(0) ?? 0) === undefined ? 'HANDLE_INVALID' : undefined;
}

const notify: RmHandler<'VM_IRQ_NOTIFY'> = (rm, caller, { handle, flags, vmids }) => {
  const lent = lentByHandle(rm, handle);
  if (lent === undefined) return 'HANDLE_INVALID';
  if (flags === NOTIFY.LENT) {
    if (lent.owner !== caller.vmid) return 'HANDLE_INVALID';
    if (lent.accepted !== null) return 'IRQ_INUSE';
    if (vmids.length > 1 || vmids.some(({ vmid }) => vmid !== lent.borrower)) return 'ARGUMENT_INVALID';
    if (rm.vm(lent.borrower)?.link == null) {
      rm.report(caller.vmid, 'rm-would-die', `VM_IRQ_NOTIFY to VM ${lent.borrower}, which has no channel to be told through, ends the real Resource Manager; it answers nothing any more.`);
      return 'VMID_INVALID';
    }
    rm.notify(asVmid(lent.borrower), 'VM_IRQ_LENT', { owner: lent.owner, handle, label: lent.label });
    return 'OK';
  }
  if (flags !== NOTIFY.RELEASED && flags !== NOTIFY.ACCEPTED) return 'ARGUMENT_INVALID';
  if (lent.borrower !== caller.vmid) return 'HANDLE_INVALID';
  const isAccepted = lent.accepted?.isStatic === false;
  if (flags === NOTIFY.RELEASED && lent.accepted !== null) return 'IRQ_INUSE';
  if (flags === NOTIFY.ACCEPTED && !isAccepted) return 'IRQ_RELEASED';
  rm.notify(lent.owner, flags === NOTIFY.RELEASED ? 'VM_IRQ_RELEASED' : 'VM_IRQ_ACCEPTED', { handle });
  return 'OK';
};

/** Handlers of interrupt requests. */
export const interruptHandlers = {
  VM_IRQ_LEND: lend,
  VM_IRQ_ACCEPT: accept,
  VM_IRQ_RELEASE: release,
  VM_IRQ_RECLAIM: reclaim,
  VM_IRQ_NOTIFY: notify,
} as const satisfies RmHandlers;
