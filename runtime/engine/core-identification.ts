/** What the walkers know of the core: the identification registers that say what translation tables can do. */

import * as layout from './layout';
import type { Views } from './views';

const CORE_REGISTERS = [
  [layout.CORE_MMFR0, 'ID_AA64MMFR0_EL1'], [layout.CORE_MMFR1, 'ID_AA64MMFR1_EL1'], [layout.CORE_MMFR2, 'ID_AA64MMFR2_EL1'], [layout.CORE_ISAR1, 'ID_AA64ISAR1_EL1'],
] as const;

/** Addresses of 52 bits, all granules, and all extensions that the walkers know. */
const EVERYTHING: Readonly<Record<string, bigint>> = {
  ID_AA64MMFR0_EL1: 0x1020_1126n, ID_AA64MMFR1_EL1: 0x1030_1022n, ID_AA64MMFR2_EL1: 0x1000_0000_1001_1011n, ID_AA64ISAR1_EL1: 0x10n,
};

/** Puts the registers where generated code reads them; names that are absent read as zero, no registers at all as every extension. */
export function storeIdentification(views: Views, identification: Readonly<Record<string, bigint>> = EVERYTHING): void {
  for (const [slot, name] of CORE_REGISTERS) views.setLong(slot, identification[name] ?? 0n);
}
