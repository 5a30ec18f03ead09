/**
 * The system registers and system instructions of AArch64, joined from their tables, with lookups by encoding and name.
 * Who may use a register, what it holds at reset and who answers for it stand in the rows; what an access does beyond
 * storage is the engine's or the machine's business. A register without a row is Undefined.
 */

import type { SystemInstruction, SystemRegister } from './interface';
import { systemRegisterKey } from './interface';
import { systemInstructions } from './system-instructions';
import { register } from './system-register-rows';
import { deviceRows } from './system-registers-devices';
import { el1Rows } from './system-registers-el1';
import { el2Rows } from './system-registers-el2';
import { identificationRows } from './system-registers-identification';

export { systemInstructions };

/** Every register with a row. */
export const systemRegisters: readonly SystemRegister[] = [...identificationRows, ...el1Rows, ...deviceRows, ...el2Rows].map(register);

const registersByKey = new Map(systemRegisters.map((row) => [systemRegisterKey(row), row]));
const registersByName = new Map(systemRegisters.map((row) => [row.name, row]));
const instructionsByKey = new Map(systemInstructions.map((row) => [systemRegisterKey(row), row]));

/** The register that an MRS or MSR names (op0 2 or 3), by `systemRegisterKey`. */
export function systemRegisterByKey(key: number): SystemRegister | undefined {
  return registersByKey.get(key);
}

/** The register of that Arm ARM name, such as `SCTLR_EL1`. */
export function systemRegisterByName(name: string): SystemRegister | undefined {
  return registersByName.get(name);
}

/** The named instruction of a SYS encoding (op0 1), by `systemRegisterKey`. */
export function systemInstructionByKey(key: number): SystemInstruction | undefined {
  return instructionsByKey.get(key);
}
