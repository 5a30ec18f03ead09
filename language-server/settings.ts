/** What a client may set, read without trust from initialization options or from its configuration. */

import { CHECK_NAMES, type CheckLevel } from '../runtime/devicetree/checks/check-table';
import { generationNamed, OUR_GENERATION, type RmGeneration } from '../runtime/devicetree/rm-rules';
import type { HypervisorForm } from './binding-store';

/** Settings of the server. */
export interface ServerSettings {
  /** Folders searched for included files; relative ones start from each workspace folder. */
  readonly includePaths: readonly string[];
  /** Macros defined for every root. */
  readonly defines: Readonly<Record<string, string>>;
  /** Levels of dtc's checks, by name. */
  readonly checks: Readonly<Record<string, CheckLevel>>;
  /** Command of the client that lenses call to show places: `(uri, position, locations)`. */
  readonly showPlacesCommand?: string;
  /** Folders of bindings besides our own, such as Linux's; relative ones start from each workspace folder. */
  readonly bindings: readonly string[];
  /** Whether the hypervisor node should be as it is documented or as RM writes it. */
  readonly hypervisorNode: HypervisorForm;
  /** Bases of overlays, each by its path; relative ones start from each workspace folder. */
  readonly bases: Readonly<Record<string, string>>;
  /** The Resource Manager whose rules count. */
  readonly rmGeneration: RmGeneration;
}

/** Nothing set. */
export const NO_SETTINGS: ServerSettings = { includePaths: [], defines: {}, checks: {}, bindings: [], bases: {}, hypervisorNode: 'documented', rmGeneration: OUR_GENERATION };

/** Reads `{ includePaths, defines, checks, bindings, bases, hypervisorNode, rmGeneration, showPlacesCommand }`; what is malformed counts as not set. */
export function readSettings(given: unknown, before: ServerSettings = NO_SETTINGS): ServerSettings {
  const includePaths = field(given, 'includePaths');
  const defines = entries(field(given, 'defines'))?.flatMap(([name, value]) => (/^[A-Za-z_]\w*$/.test(name) && typeof value === 'string' ? [[name, value] as const] : []));
  const checks = entries(field(given, 'checks'))?.flatMap(([name, value]) => (CHECK_NAMES.includes(name) && isLevel(value) ? [[name, value] as const] : []));
  const bases = entries(field(given, 'bases'))?.flatMap(([overlay, base]) => (typeof base === 'string' ? [[overlay, base] as const] : []));
  const showPlacesCommand = field(given, 'showPlacesCommand') ?? before.showPlacesCommand;
  const hypervisorNode = field(given, 'hypervisorNode');
  const generation = field(given, 'rmGeneration');
  return {
    ...(typeof showPlacesCommand === 'string' ? { showPlacesCommand } : {}),
    includePaths: strings(includePaths) ?? before.includePaths,
    bindings: strings(field(given, 'bindings')) ?? before.bindings,
    hypervisorNode: hypervisorNode === 'documented' || hypervisorNode === 'as-rm-generates' ? hypervisorNode : before.hypervisorNode,
    rmGeneration: (typeof generation === 'string' ? generationNamed(generation) : undefined) ?? before.rmGeneration,
    bases: bases === undefined ? before.bases : Object.fromEntries(bases),
    defines: defines === undefined ? before.defines : Object.fromEntries(defines),
    checks: checks === undefined ? before.checks : Object.fromEntries(checks),
  };
}

function strings(given: unknown): readonly string[] | undefined {
  return Array.isArray(given) ? given.filter((one) => typeof one === 'string') : undefined;
}

/** A member of an object that came from outside. */
export function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Object.getOwnPropertyDescriptor(of, name)?.value : undefined;
}

function entries(of: unknown): readonly (readonly [string, unknown])[] | undefined {
  return typeof of === 'object' && of !== null && !Array.isArray(of) ? Object.entries(of) : undefined;
}

function isLevel(value: unknown): value is CheckLevel {
  return value === 'off' || value === 'warning' || value === 'error';
}
