/**
 * Accesses from EL1 and EL0 that trap to EL2: which bit of HCR_EL2 or MDCR_EL2 catches which register. Where nothing stands above EL1
 * nothing traps. A trapped access leaves the engine with a `system-register` exit; whoever plays EL2 decides.
 * Arm ARM (DDI 0487) D1.10, D19.2.48, D19.3.20.
 */

import type { ProcessorState } from './processor-state';

/** A trap: the register that enables it, the bit, and whether it traps while set or while clear. */
interface HypervisorTrap { readonly register: 'HCR_EL2' | 'MDCR_EL2'; readonly bit: bigint; readonly whileSet: boolean }

const setBit = (register: HypervisorTrap['register'], position: number): HypervisorTrap => ({ register, bit: 1n << BigInt(position), whileSet: true });
const clearBit = (register: HypervisorTrap['register'], position: number): HypervisorTrap => ({ register, bit: 1n << BigInt(position), whileSet: false });

const APK = clearBit('HCR_EL2', 40);
const TID1 = setBit('HCR_EL2', 16);
const TLOR = setBit('HCR_EL2', 35);
const TERR = setBit('HCR_EL2', 36);
const EN_SCXT = clearBit('HCR_EL2', 53);
const TDA = setBit('MDCR_EL2', 9);
const TDOSA = setBit('MDCR_EL2', 10);
const TDRA = setBit('MDCR_EL2', 11);
const TDCC = setBit('MDCR_EL2', 27);

const NAMED: Readonly<Record<string, HypervisorTrap>> = {
  // Of this group the others are constants that every hypervisor here hands on.
  SMIDR_EL1: TID1,
  ERRIDR_EL1: TERR, SCXTNUM_EL0: EN_SCXT, SCXTNUM_EL1: EN_SCXT,
  OSLAR_EL1: TDOSA, OSLSR_EL1: TDOSA, OSDLR_EL1: TDOSA, DBGPRCR_EL1: TDOSA, MDRAR_EL1: TDRA,
  MDCCINT_EL1: TDCC, MDCCSR_EL0: TDCC, DBGDTR_EL0: TDCC, DBGDTRRX_EL0: TDCC, OSDTRRX_EL1: TDCC, OSDTRTX_EL1: TDCC, OSECCR_EL1: TDCC,
  DBGCLAIMSET_EL1: TDA, DBGCLAIMCLR_EL1: TDA, DBGAUTHSTATUS_EL1: TDA,
};

function trapOf(name: string): HypervisorTrap | undefined {
  if (/^AP..?Key(Lo|Hi)_EL1$/.test(name)) return APK;
  return name.startsWith('LOR') ? TLOR : NAMED[name];
}

/** True for a register of which EL2 can catch accesses: none of them is plain storage for generated code. */
export function mayTrapToEl2(name: string): boolean {
  return trapOf(name) !== undefined;
}

const known = new Map<string, HypervisorTrap | undefined>();

/** True if EL2 catches an access to the register. */
export function trapsToEl2(state: ProcessorState, name: string): boolean {
  if (!known.has(name)) known.set(name, trapOf(name));
  const trap = known.get(name);
  return trap !== undefined && ((state.system(trap.register) & trap.bit) !== 0n) === trap.whileSet;
}
