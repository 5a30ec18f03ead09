/**
 * Which of Gunyah's own SMCCC services a VM with the `gunyah` personality is offered, by the selection made for it. Without a selection that is
 * all that the reference build has, and nothing else.
 */

import { PSCI_VERSIONS, type VmServices } from './service-registers';

/** First and last of the range of TRNG, as 32-bit identifiers. */
const [TRNG_FIRST, TRNG_LAST] = [0x8400_0050, 0x8400_005f];
const VENDOR_IDS: readonly number[] = [0x8600_ff01, 0x8600_ff03];
/** Paravirtual time: the reference build has none, so a place for the structure must have been chosen. */
const PV_TIME_IDS: readonly number[] = [0xc500_0020, 0xc500_0021];
/** PSCI functions that came after 0.2, by number. */
const PSCI_SINCE: Readonly<Record<number, bigint>> = { 0x0a: PSCI_VERSIONS['1.0'], 0x0c: PSCI_VERSIONS['1.0'], 0x0f: PSCI_VERSIONS['1.0'], 0x12: PSCI_VERSIONS['1.1'] };
const PSCI_COUNT = 0x20;

/** Whether a function is there for the VM, as far as its selection goes. */
export function isOffered(services: VmServices, id: number): boolean {
  if (services.filterOf(id) === 'deny') return false;
  const narrow = (id & 0xbfff_ffff) >>> 0;
  if (narrow >= TRNG_FIRST && narrow <= TRNG_LAST) return services.has('KVM_REG_ARM_STD_BMAP', 0);
  if (VENDOR_IDS.includes(id)) return services.has('KVM_REG_ARM_VENDOR_HYP_BMAP', 0);
  if (PV_TIME_IDS.includes(id)) return hasPvTime(services);
  if (narrow >>> 8 === 0x84_0000 && (narrow & 0xff) < PSCI_COUNT) return services.psciVersion >= (PSCI_SINCE[narrow & 0xff] ?? PSCI_VERSIONS['0.2']);
  return true;
}

/** Whether paravirtual time is offered. */
export function hasPvTime(services: VmServices): boolean {
  return services.settings.stolenTime !== undefined && services.has('KVM_REG_ARM_STD_HYP_BMAP', 0);
}

/** The PSCI function whose features are asked, if the version has it. */
export function isPsciFeatureOffered(services: VmServices, id: number): boolean {
  return ((id & 0xbf00_0000) >>> 0) !== 0x8400_0000 || isOffered(services, id);
}
