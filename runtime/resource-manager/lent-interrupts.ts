/**
 * Hardware interrupts that VMs lend to each other: while lent, the owner does not get them; while accepted, the borrower does. Those that a
 * trusted VM's configuration asks for are lent by RM itself, from its boot to the VM's end.
 *
 * The hypervisor has objects only for the lines that devices drive. The other ones are the primary VM's; who has them RM knows from the list
 * of what is lent, and refuses what the hypervisor would refuse.
 */

import { CAP_ID_INVALID, virqNumber, vmid as asVmid } from '../base/brands';
import type { VirqNumber } from '../base/brands';
import { ERRORS } from '../hypervisor/interface';
import type { Rm } from './context';
import type { HardwareInterrupt, HardwareLine, LentInterrupt, VmRecord } from './state';
import { VMID } from './vm-states';

/** The borrower of what a VM had that was reset. */
const NOBODY = 0xffff;
const STATIC_LABEL = 0xffff_ffff;
/** Lower numbers are lines that each CPU has its own of. */
const SPI_FIRST = 32;

/** The lent interrupt with this handle. */
export function lentByHandle(rm: Rm, handle: number): LentInterrupt | undefined {
  return rm.state.lentInterrupts.find((lent) => lent.handle === handle);
}

/** The interrupt that a VM has as its own under a number. */
export function ownInterrupt(rm: Rm, vm: VmRecord, virq: number): HardwareInterrupt | undefined {
  const isUnwired = vm.vmid === VMID.HLOS && rm.environment.unwiredInterrupts?.includes(virq) === true;
  return vm.hardwareInterrupts.find((own) => own.virq === virq) ?? (isUnwired ? { cap: null, intid: virq, virq: virqNumber(virq) } : undefined);
}

/** The line with this number. */
export function lineOf(rm: Rm, intid: number): HardwareLine | undefined {
  const cap = rm.environment.hardwareInterrupts.get(intid);
  if (cap !== undefined) return { intid, cap };
  return rm.environment.unwiredInterrupts?.includes(intid) === true ? { intid, cap: null } : undefined;
}

/** Forwards a line to a VM. The hypervisor's error, 0 for none. */
export function forwardTo(rm: Rm, vm: VmRecord | undefined, { intid, cap }: HardwareLine, virq: VirqNumber): number {
  if (cap !== null) return rm.call('hwirq_bind_virq', { hwirq: cap, vic: vm?.objects?.vic ?? CAP_ID_INVALID, virq }).error;
  const { lentInterrupts } = rm.state;
  const isFree = lentInterrupts.some((lent) => lent.interrupt.intid === intid) && !lentInterrupts.some(({ accepted }) => accepted?.line.intid === intid);
  if (intid >= SPI_FIRST) return isFree ? ERRORS.OK : ERRORS.VIRQ_BOUND;
  return isFree && (vm?.vmid === VMID.HLOS || vm?.config?.affinity === 'pinned') ? ERRORS.OK : ERRORS.DENIED;
}

function stopForwarding(rm: Rm, { cap }: HardwareLine): void {
  if (cap !== null) rm.call('hwirq_unbind_virq', { hwirq: cap });
}

/** Takes an interrupt from its owner for another VM. */
export function beginLending(rm: Rm, owner: VmRecord, what: Pick<LentInterrupt, 'borrower' | 'label' | 'interrupt'>): LentInterrupt {
  stopForwarding(rm, what.interrupt);
  const lent: LentInterrupt = { ...what, handle: (rm.state.interruptHandleBase + what.interrupt.intid) >>> 0, owner: owner.vmid, accepted: null };
  rm.state.lentInterrupts.push(lent);
  return lent;
}

/** Takes a lent interrupt from its borrower. */
export function unbindFromBorrower(rm: Rm, lent: LentInterrupt): void {
  if (lent.accepted !== null) stopForwarding(rm, lent.accepted.line);
  lent.accepted = null;
}

/** Ends the lending; the owner gets its interrupt again. The hypervisor's error, 0 for none. */
export function endLending(rm: Rm, lent: LentInterrupt): number {
  const error = forwardTo(rm, rm.vm(lent.owner), lent.interrupt, lent.interrupt.virq);
  if (error === 0) rm.state.lentInterrupts = rm.state.lentInterrupts.filter((other) => other !== lent);
  return error;
}

/** RM lends an interrupt of the primary VM's to a VM whose configuration asks for it. False if the primary VM has it no more, or the number is taken. */
export function lendStatically(rm: Rm, vm: VmRecord, { hardware, virq }: { readonly hardware: number; readonly virq: number }): boolean {
  const primary = rm.vm(asVmid(VMID.HLOS));
  const interrupt = primary === undefined ? undefined : ownInterrupt(rm, primary, hardware);
  const number = rm.claimVirq(vm.vmid, virq);
  const isLent = rm.state.lentInterrupts.some((lent) => lent.interrupt.intid === hardware);
  if (primary === undefined || interrupt === undefined || number === undefined || isLent) return false;
  const lent = beginLending(rm, primary, { borrower: vm.vmid, label: STATIC_LABEL, interrupt });
  if (forwardTo(rm, vm, interrupt, number) !== 0) {
    endLending(rm, lent);
    return false;
  }
  lent.accepted = { virq: number, line: interrupt, isStatic: true };
  return true;
}

/** A VM is taken apart: nobody has any more what it borrowed, of which the owners hear nothing; what RM lent it and what it lent itself is the owner's again. */
export function returnInterrupts(rm: Rm, vm: VmRecord): void {
  for (const lent of rm.state.lentInterrupts) {
    const { accepted } = lent;
    const isBorrower = lent.borrower === vm.vmid && accepted !== null;
    if (!isBorrower && lent.owner !== vm.vmid) continue;
    unbindFromBorrower(rm, lent);
    if (isBorrower) lent.borrower = NOBODY;
    if (lent.owner === vm.vmid || accepted?.isStatic === true) endLending(rm, lent);
  }
}
