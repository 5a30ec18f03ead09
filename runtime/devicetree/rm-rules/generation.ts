/**
 * The generations of the Resource Manager (RM) that rules speak for. Which one reads a tree is a setting; our own RM is `OUR_GENERATION`.
 */

/** Generations by name, oldest first, with what they are. */
export const RM_GENERATIONS = {
  'open-2023': 'the Resource Manager whose source was published in December 2023',
  'newer': 'Resource Managers of later devices, as far as they are known',
} as const;

/** One of them. */
export type RmGeneration = keyof typeof RM_GENERATIONS;

/** The generation that our own RM is. */
export const OUR_GENERATION: RmGeneration = 'open-2023';

/** The generation that a name stands for. */
export function generationNamed(name: string): RmGeneration | undefined {
  return name === 'open-2023' || name === 'newer' ? name : undefined;
}

/** What RM knows of a VM when it judges its configuration: `trusted` VMs come with the platform. Editors do not know. */
export type VmTrust = 'trusted' | 'untrusted' | 'unknown';
