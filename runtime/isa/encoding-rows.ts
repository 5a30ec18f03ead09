/** How the tables write their rows: what a group shares is said once, each row is a name, a mnemonic and a pattern. */

import { isExecuted } from './executed';
import type { Encoding, Feature, Fields } from './interface';

/** What all rows of a group have in common. */
export interface GroupHeader {
  readonly class: string;
  readonly feature?: Feature;
  readonly valid?: (fields: Fields) => boolean;
}

/** Page name, mnemonic, pattern. */
export type Row = readonly [name: string, mnemonic: string, pattern: string];

/** The encodings of one instruction class. Feature defaults to `A64`; the state follows from executed.ts. */
export function group(header: GroupHeader, rows: readonly Row[]): readonly Encoding[] {
  const feature = header.feature ?? 'A64';
  const state = isExecuted(feature, header.class) ? 'ready' : 'not-yet';
  const valid = header.valid === undefined ? {} : { valid: header.valid };
  return rows.map(([name, mnemonic, pattern]) => ({ name, mnemonic, pattern, class: header.class, feature, state, ...valid }));
}

/** The value of a field that the pattern is known to have. */
export function field(fields: Fields, name: string): number {
  return fields[name] ?? 0;
}
