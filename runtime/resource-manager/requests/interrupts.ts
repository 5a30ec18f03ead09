/** Interrupt lending requests. Only hardware interrupts that RM forwards to the caller can be lent. */

import { vmid as asVmid } from '../../base/brands';
import { ByteReader } from '../../base/byte-reader';
import type { Rm } from '../context';
import { bindToBorrower, endLending, lentByHandle, unbindFromBorrower } from '../lent-interrupts';
import { rmErrorFromHypervisor } from '../rm-errors';
import type { LentInterrupt, VmRecord } from '../state';
import type { RmHandler, RmHandlers } from './handler';

const CHOOSE = 0xffff_ffff;
const NOTIFY = { LENT: 1, RELEASED: 2, ACCEPTED: 4 } as const;
/** VM_IRQ_NOTIFY without a list: handle and flags. */
const NOTIFY_BYTES = 8;
const HANDLE_MASK = 0xffff_ffff;

const lend: RmHandler<'VM_IRQ_LEND'> = (rm, caller, { borrower, virq, label }) => {
  const interrupt = caller.hardwareInterrupts.find((candidate) => candidate.virq === virq);
  if (interrupt === undefined) return 'IRQ_INVALID';
  if (rm.state.lentInterrupts.some((lent) => lent.interrupt.intid === interrupt.intid)) return 'IRQ_INUSE';
  rm.call('hwirq_unbind_virq', { hwirq: interrupt.cap });
  const handle = (rm.state.interruptHandleBase + interrupt.intid) & HANDLE_MASK;
  rm.state.lentInterrupts.push({ handle, owner: caller.vmid, borrower, label, interrupt, borrowerVirq: null });
  return { handle };
};

/** The lent interrupt if the caller is its borrower. */
function borrowed(rm: Rm, caller: VmRecord, handle: number): LentInterrupt | undefined {
  const lent = lentByHandle(rm, handle);
  return lent?.borrower === caller.vmid ? lent : undefined;
}

const accept: RmHandler<'VM_IRQ_ACCEPT'> = (rm, caller, { handle, virq }) => {
  const lent = borrowed(rm, caller, handle);
  if (lent === undefined) return 'HANDLE_INVALID';
  if (lent.borrowerVirq !== null) return 'IN_USE';
  const wanted = rm.claimVirq(caller.vmid, virq === CHOOSE ? lent.interrupt.intid : virq);
  if (wanted === undefined) return 'IRQ_INUSE';
  const error = bindToBorrower(rm, caller, lent, wanted);
  return error === 0 ? { virq: wanted } : rmErrorFromHypervisor(error);
};

const release: RmHandler<'VM_IRQ_RELEASE'> = (rm, caller, { handle }) => {
  const lent = borrowed(rm, caller, handle);
  if (lent === undefined) return 'HANDLE_INVALID';
  if (lent.borrowerVirq === null) return 'IN_USE';
  unbindFromBorrower(rm, lent);
  return 'OK';
};

const reclaim: RmHandler<'VM_IRQ_RECLAIM'> = (rm, caller, { handle }) => {
  const lent = lentByHandle(rm, handle);
  if (lent === undefined) return 'HANDLE_INVALID';
  if (lent.borrowerVirq !== null) return 'IN_USE';
  if (lent.owner !== caller.vmid) return 'IRQ_INVALID';
  endLending(rm, lent);
  return 'OK';
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
    if (lent.borrowerVirq !== null) return 'IRQ_INUSE';
    if (vmids.length > 1 || vmids.some(({ vmid }) => vmid !== lent.borrower)) return 'ARGUMENT_INVALID';
    rm.notify(asVmid(lent.borrower), 'VM_IRQ_LENT', { owner: lent.owner, handle, label: lent.label });
    return 'OK';
  }
  if (flags !== NOTIFY.RELEASED && flags !== NOTIFY.ACCEPTED) return 'ARGUMENT_INVALID';
  if (lent.borrower !== caller.vmid) return 'HANDLE_INVALID';
  const isAccepted = lent.borrowerVirq !== null;
  if (flags === NOTIFY.RELEASED && isAccepted) return 'IRQ_INUSE';
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
