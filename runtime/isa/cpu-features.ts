/**
 * Which instructions a core has. The identification registers say it, so that what software reads and what executes cannot
 * disagree; what a hypervisor hides from its guests is still in the core. An instruction of a feature that the core lacks is
 * Undefined; those in the hint space do nothing.
 */

import { announcedFeatures, limitToFeatures } from './feature-fields';
import { hardwareIdentification, unpinnedIdentification, type CoreProfile, type IdentificationValues } from './identification-profiles';
import type { Feature } from './interface';

/** Features of every Armv8.0 core here, which no field announces. */
const ALWAYS: readonly Feature[] = ['A64', 'FP', 'ADVSIMD'];

/**
 * What the core has beside what its instructions need: registers of scalable extensions, which a hypervisor may show although few of their instructions
 * are offered, and the cluster's IMPLEMENTATION DEFINED registers, which Gunyah does not hide (observed).
 */
const BESIDE: Partial<Readonly<Record<CoreProfile, readonly Feature[]>>> = { max: ['SVE', 'SME', 'CLUSTER_REGISTERS'] };

/** The features of a core under Gunyah, whose primary VM is shown scalable vectors and finds them turned off. */
export function gunyahFeatures(profile: CoreProfile): ReadonlySet<Feature> {
  return new Set([...coreFeatures(profile), ...(BESIDE[profile] ?? [])]);
}

/** The features of a core where EL1 is the highest level. */
export function coreFeatures(profile: CoreProfile): ReadonlySet<Feature> {
  return new Set([...ALWAYS, ...(profile === 'max' ? ['QEMU' as const] : []), ...announcedFeatures(hardwareIdentification(profile))]);
}

/** Gunyah: what a vCPU that may run on any core is shown, less what this core has not. Gunyah is built for cores that have it all. */
export function secondaryIdentification(profile: CoreProfile): IdentificationValues {
  const features = coreFeatures(profile);
  return limitToFeatures(unpinnedIdentification(profile), (feature) => features.has(feature));
}
