/** What the table knows and the engine does not execute yet: the coverage ledger, computed from the rows themselves. */

import { encodings } from './encodings';
import type { Encoding, Feature, SystemRegister } from './interface';
import { systemInstructions, systemRegisters } from './system-registers';

/** Every row in state `not-yet`. */
export function notYet(): { readonly instructions: readonly Encoding[]; readonly systemRegisters: readonly SystemRegister[] } {
  return {
    instructions: encodings.filter((row) => row.state === 'not-yet'),
    systemRegisters: [...systemRegisters, ...systemInstructions].filter((row) => row.state === 'not-yet'),
  };
}

/** True for a register or instruction that only EL2 or EL3 may use, which no guest meets. */
const aboveGuests = (row: Encoding | SystemRegister): boolean => 'read' in row && [row.read, row.write].every((level) => level === 'EL2' || level === 'EL3' || level === 'never');

/** Features of which every instruction, and every register that EL1 may use, is `ready`; features without a row are not among them. */
export function readyFeatures(): ReadonlySet<Feature> {
  const rows = [...encodings, ...systemRegisters, ...systemInstructions].filter((row) => !aboveGuests(row));
  const missing = new Set(rows.filter((row) => row.state === 'not-yet').map((row) => row.feature));
  const ready = new Set<Feature>();
  for (const { feature } of rows) if (feature !== undefined && !missing.has(feature)) ready.add(feature);
  return ready;
}
