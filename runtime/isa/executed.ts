/**
 * What the engine executes, said in one place: a row of the instruction table is `ready` exactly if this module says so.
 * Whoever gives the engine a semantic function adds its class here (or its feature, once every row of the feature executes);
 * the ledger of missing instructions and the features that may be announced to guests follow from it.
 */

import type { Feature } from './interface';

/** Features of which every row executes. */
const executedFeatures: ReadonlySet<Feature> = new Set<Feature>(['A64', 'CRC32', 'LSE', 'LRCPC', 'PAN', 'UAO']);

/** Classes whose rows of the base features `FP` and `ADVSIMD` execute, while other rows of those features do not yet. */
const executedClasses: ReadonlySet<string> = new Set<string>([]);

/** True if the engine executes the rows of a class that belong to a feature. */
export function isExecuted(feature: Feature, instructionClass: string): boolean {
  return executedFeatures.has(feature) || ((feature === 'FP' || feature === 'ADVSIMD') && executedClasses.has(instructionClass));
}
