/** Hardware interrupts that VMs lend to each other: while lent, the owner does not get them; while accepted, the borrower does. */

import { CAP_ID_INVALID } from '../base/brands';
import type { VirqNumber } from '../base/brands';
import type { Rm } from './context';
import type { LentInterrupt, VmRecord } from './state';

/** The lent interrupt with this handle. */
export function lentByHandle(rm: Rm, handle: number): LentInterrupt | undefined {
  return rm.state.lentInterrupts.find((lent) => lent.handle === handle);
}

/** Forwards a lent interrupt to its borrower. The hypervisor's error, 0 for none. */
export function bindToBorrower(rm: Rm, borrower: VmRecord, lent: LentInterrupt, virq: VirqNumber): number {
  const { error } = rm.call('hwirq_bind_virq', { hwirq: lent.interrupt.cap, vic: borrower.objects?.vic ?? CAP_ID_INVALID, virq });
  if (error !== 0) return error;
  lent.borrowerVirq = virq;
  borrower.heldVirqs.push({ vmid: borrower.vmid, virq });
  return 0;
}

/** Takes a lent interrupt from its borrower. */
export function unbindFromBorrower(rm: Rm, lent: LentInterrupt): void {
  rm.call('hwirq_unbind_virq', { hwirq: lent.interrupt.cap });
  const borrower = rm.vm(lent.borrower);
  if (borrower !== undefined) borrower.heldVirqs = borrower.heldVirqs.filter((held) => held.vmid !== borrower.vmid || held.virq !== lent.borrowerVirq);
  lent.borrowerVirq = null;
}

/** Ends the lending; the owner gets its interrupt again. */
export function endLending(rm: Rm, lent: LentInterrupt): void {
  const owner = rm.vm(lent.owner);
  rm.call('hwirq_bind_virq', { hwirq: lent.interrupt.cap, vic: owner?.objects?.vic ?? CAP_ID_INVALID, virq: lent.interrupt.virq });
  rm.state.lentInterrupts = rm.state.lentInterrupts.filter((other) => other !== lent);
}

/** A VM is taken apart: what it borrowed goes back, telling the owners; what it lent is its own again. */
export function returnInterrupts(rm: Rm, vm: VmRecord): void {
  for (const lent of rm.state.lentInterrupts) {
    if (lent.borrower === vm.vmid && lent.borrowerVirq !== null) {
      unbindFromBorrower(rm, lent);
      rm.notify(lent.owner, 'VM_IRQ_RELEASED', { handle: lent.handle });
    }
    if (lent.owner !== vm.vmid) continue;
    if (lent.borrowerVirq !== null) unbindFromBorrower(rm, lent);
    endLending(rm, lent);
  }
}
