/** How the tables write their rows: what a group shares is said once, each row is a name, a mnemonic and a pattern. */

import type { Encoding, Feature, Fields } from './interface';

/** What all rows of a group have in common. */
export interface GroupHeader {
  readonly class: string;
  readonly feature?: Feature;
  readonly state?: 'ready' | 'not-yet';
  readonly valid?: (fields: Fields) => boolean;
}

/** Page name, mnemonic, pattern. */
export type Row = readonly [name: string, mnemonic: string, pattern: string];

/** The encodings of one instruction class. Feature defaults to `A64`, state to `ready`. */
export function group(header: GroupHeader, rows: readonly Row[]): readonly Encoding[] {
  const shared = {
    class: header.class,
    feature: header.feature ?? 'A64',
    state: header.state ?? 'ready',
    ...(header.valid === undefined ? {} : { valid: header.valid }),
  };
  return rows.map(([name, mnemonic, pattern]) => ({ name, mnemonic, pattern, ...shared }));
}

/** The value of a field that the pattern is known to have. */
export function field(fields: Fields, name: string): number {
  return fields[name] ?? 0;
}
