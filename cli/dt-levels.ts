/** Which of dtc's checks are told, and how: `-W` and `-E` as dtc understands them, which raises and lowers related checks together. */

import { CHECK_NAMES, CHECK_PREREQUISITES, defaultLevel, type CheckLevel } from '../runtime/devicetree/checks/check-table';

/** Checks of dtc that parsing and linking make, as errors that stop everything else. */
const ALWAYS_CHECKED = new Set([
  'duplicate_node_names', 'duplicate_property_names', 'explicit_phandles', 'name_properties', 'duplicate_label', 'phandle_references', 'path_references', 'omit_unused_nodes',
]);

/** What the options of a command line name, in order. */
export interface LevelOptions {
  readonly warning: readonly string[];
  readonly error: readonly string[];
  /** Checks to leave out whatever the others say. */
  readonly no: readonly string[];
}

/** As dtc keeps it: a check may be a warning and an error at once, and the error counts. */
type Aspect = 'warning' | 'error';

/** The levels of the checks that are named, and of those that go with them; or a sentence about a name that is none. */
export function levelsOf({ warning, error, no }: LevelOptions): Readonly<Record<string, CheckLevel>> | string {
  const levels = new Levels();
  const given = [...warning.map((word) => ['-W', word, 'warning'] as const), ...error.map((word) => ['-E', word, 'error'] as const)];
  for (const [option, word, aspect] of given) {
    const isOff = word.startsWith('no-');
    const name = isOff ? word.slice(3) : word;
    if (!isOff && ALWAYS_CHECKED.has(name)) continue;
    const problem = problemOf(option, name);
    if (problem !== undefined) return problem;
    levels.mention(name);
    if (isOff) levels.lower(name, aspect);
    else levels.raise(name, aspect);
  }
  for (const name of no) {
    const problem = problemOf('--no', name);
    if (problem !== undefined) return problem;
    levels.lower(name, 'warning');
    levels.lower(name, 'error');
  }
  return levels.result();
}

function problemOf(option: string, name: string): string | undefined {
  if (ALWAYS_CHECKED.has(name)) return `${option}: The check ${name} is part of compiling and cannot be switched off.`;
  return CHECK_NAMES.includes(name) ? undefined : `${option}: dtc has no check "${name}". There are: ${CHECK_NAMES.join(', ')}.`;
}

class Levels {
  private readonly named = new Set<string>();
  private readonly on: Readonly<Record<Aspect, Set<string>>> = {
    warning: new Set(CHECK_NAMES.filter((name) => defaultLevel(name) === 'warning')),
    error: new Set(CHECK_NAMES.filter((name) => defaultLevel(name) === 'error')),
  };

  /** Notes that somebody asked for a check by name, even if that changes nothing. */
  mention(name: string): void {
    this.named.add(name);
  }

  /** A check makes no sense unless those before it hold, so they are told as well. */
  raise(name: string, aspect: Aspect): void {
    if (this.on[aspect].has(name)) return;
    this.on[aspect].add(name);
    for (const before of CHECK_PREREQUISITES.get(name) ?? []) this.raise(before, aspect);
  }

  /** Those that rely on the check go with it. */
  lower(name: string, aspect: Aspect): void {
    if (!this.on[aspect].delete(name)) return;
    for (const [other, before] of CHECK_PREREQUISITES) if (before.includes(name)) this.lower(other, aspect);
  }

  result(): Readonly<Record<string, CheckLevel>> {
    const levels = CHECK_NAMES.map((name) => [name, this.on.error.has(name) ? 'error' : this.on.warning.has(name) ? 'warning' : 'off'] as const);
    return Object.fromEntries(levels.filter(([name, level]) => this.named.has(name) || level !== defaultLevel(name)));
  }
}
