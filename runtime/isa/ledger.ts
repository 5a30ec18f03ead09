/**
 * What the table knows and the engine does not execute yet: the coverage ledger, computed from the rows themselves. An access to
 * something that the chosen CPU lacks is Undefined, as on that CPU; such rows are counted apart, not as missing.
 */

import { coreFeatures } from './cpu-features';
import { encodings } from './encodings';
import type { CoreProfile } from './identification-profiles';
import type { Encoding, Feature, SystemRegister } from './interface';
import { systemInstructions, systemRegisters } from './system-registers';

const CORES: readonly CoreProfile[] = ['cortex-a53', 'cortex-a57', 'cortex-a76', 'max'];
const offered: ReadonlySet<Feature> = new Set(CORES.flatMap((core) => [...coreFeatures(core)]));

/** True for a register or instruction that only EL2 or EL3 may use, which no guest meets. */
const aboveGuests = (row: Encoding | SystemRegister): boolean => 'read' in row && [row.read, row.write].every((level) => level === 'EL2' || level === 'EL3' || level === 'never');

/** True for what no core has that can be chosen: its being Undefined is right. */
const inNoCore = ({ feature }: Encoding | SystemRegister): boolean => feature !== undefined && !offered.has(feature);

/** Rows in state `not-yet`. */
export interface NotYet {
  /** What a guest of some offered CPU may use. */
  readonly instructions: readonly Encoding[];
  readonly systemRegisters: readonly SystemRegister[];
  /** Registers and operations of EL2 and EL3, Undefined to every guest. */
  readonly aboveGuests: readonly SystemRegister[];
  /** Instructions, registers and operations of extensions that no offered CPU has, Undefined on all of them. */
  readonly inNoOfferedCpu: readonly (Encoding | SystemRegister)[];
}

/** Every row in state `not-yet`, by what that means for a guest. */
export function notYet(): NotYet {
  const instructions = encodings.filter((row) => row.state === 'not-yet');
  const registers = [...systemRegisters, ...systemInstructions].filter((row) => row.state === 'not-yet');
  const forGuests = registers.filter((row) => !aboveGuests(row));
  return {
    instructions: instructions.filter((row) => !inNoCore(row)),
    systemRegisters: forGuests.filter((row) => !inNoCore(row)),
    aboveGuests: registers.filter(aboveGuests),
    inNoOfferedCpu: [...instructions.filter(inNoCore), ...forGuests.filter(inNoCore)],
  };
}

/** Features of which every instruction, and every register that EL1 may use, is `ready`; features without a row are not among them. */
export function readyFeatures(): ReadonlySet<Feature> {
  const rows = [...encodings, ...systemRegisters, ...systemInstructions].filter((row) => !aboveGuests(row));
  const missing = new Set(rows.filter((row) => row.state === 'not-yet').map((row) => row.feature));
  const ready = new Set<Feature>();
  for (const { feature } of rows) if (feature !== undefined && !missing.has(feature)) ready.add(feature);
  return ready;
}
