/**
 * Problems that say the same are told once. Two bindings of one node may share a rule, and the Resource Manager's rules and our bindings of VM configurations
 * speak of the same properties: there RM's words say more, and the binding adds its link and what quick fixes need.
 */

import type { Problem } from './problem';

/** Codes of bindings that describe what RM reads. */
const RM_BINDINGS = /^gunyah\/vm-config\//;

/** Names that a rule of RM is about besides the property that it names. */
const NAMES_OF_RULES: Readonly<Record<string, readonly string[]>> = {
  'vm-config-peer': ['peer-default', 'peer'],
  'vm-config-direction': ['is-sender', 'is-receiver'],
  'vm-config-image-name': ['image-name'],
  'vm-config-memory-child': ['memory'],
  'vm-config-memory-label': ['label'],
  'vm-config-memory-base': ['base', 'allocate-base'],
  'vm-config-vrtc-base': ['base', 'allocate-base'],
  'vm-config-iomem-path': ['generate', 'patch'],
  'vm-config-generate-or-patch': ['generate', 'patch'],
  'vm-config-vsmmu': ['smmu-handle', 'patch', 'num-cbs', 'num-smrs'],
  'vm-config-no-vcpus': ['vcpus'],
};

/** The problems without doubles, in their order. */
export function oneForEach(problems: readonly Problem[]): readonly Problem[] {
  const kept: Problem[] = [];
  const byWords = new Set<string>();
  const ofRm = new Set(problems.filter(isOfRm).flatMap((problem) => namesOf(problem).map((name) => keyOf(problem, name))));
  const waiting = new Map<string, Problem>();
  for (const problem of problems) {
    const words = JSON.stringify([problem.message, problem.file, problem.line, problem.column]);
    if (byWords.has(words)) continue;
    byWords.add(words);
    const told = RM_BINDINGS.test(problem.code) ? namesOf(problem).filter((name) => ofRm.has(keyOf(problem, name))) : [];
    if (told.length === 0 || told.length < namesOf(problem).length) kept.push(problem);
    else for (const name of told) if (!waiting.has(keyOf(problem, name))) waiting.set(keyOf(problem, name), problem);
  }
  return kept.map((problem) => (isOfRm(problem) ? joined(problem, namesOf(problem).map((name) => waiting.get(keyOf(problem, name))).find((one) => one !== undefined)) : problem));
}

function isOfRm({ code }: Problem): boolean {
  return code.startsWith('vm-config-');
}

function keyOf({ nodePath = '' }: Problem, name: string): string {
  return `${nodePath} ${name}`;
}

/** The properties and children that a problem is about. */
function namesOf({ code, about, missing = [], choices = [], rivals = [] }: Problem): readonly string[] {
  const stated = [...(about === undefined ? [] : [about]), ...missing, ...choices.flat(), ...rivals];
  return [...new Set([...stated, ...(Object.hasOwn(NAMES_OF_RULES, code) ? NAMES_OF_RULES[code] ?? [] : [])])];
}

/** RM's words at the place that is more exact, and as grave as RM takes it: what it passes over is no error, whatever a binding says. */
function joined(own: Problem, other: Problem | undefined): Problem {
  if (other === undefined) return own;
  const { binding, choices, rivals, allowed, missing } = other;
  return {
    ...own,
    ...(binding === undefined ? {} : { binding }),
    ...(choices === undefined ? {} : { choices }), ...(rivals === undefined ? {} : { rivals }), ...(allowed === undefined ? {} : { allowed }), ...(missing === undefined ? {} : { missing }),
  };
}
