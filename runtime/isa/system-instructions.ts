/** Cache, TLB, address translation and prediction instructions: SYS encodings with names. Arm ARM (DDI 0487) C5.3 to C5.6. */

import type { SystemInstruction } from './interface';
import { register } from './system-register-rows';
import type { RowExtras } from './system-register-rows';

/** Name, `op1 CRn CRm op2`, lowest level, description, extras. */
type InstructionRow = readonly [name: string, operands: string, level: string, description: string, extras?: RowExtras];

const fromEl0 = (sctlrBit: number): RowExtras => ({ el0Enable: { register: 'SCTLR_EL1', mask: 1n << BigInt(sctlrBit) } });
const UCI = fromEl0(26);
const MTE: RowExtras = { feature: 'MTE', state: 'not-yet' };
const EL2_OR_EL3: RowExtras = { state: 'not-yet' };

const caches: readonly InstructionRow[] = [
  ['IC IALLUIS', '0 7 1 0', 'EL1', 'Invalidate all instruction caches, Inner Shareable.'],
  ['IC IALLU', '0 7 5 0', 'EL1', 'Invalidate all instruction caches.'],
  ['IC IVAU', '3 7 5 1', 'EL0', 'Invalidate instruction cache by address.', UCI],
  ['DC IVAC', '0 7 6 1', 'EL1', 'Invalidate data cache by address.'],
  ['DC ISW', '0 7 6 2', 'EL1', 'Invalidate data cache by set and way.'],
  ['DC CSW', '0 7 10 2', 'EL1', 'Clean data cache by set and way.'],
  ['DC CISW', '0 7 14 2', 'EL1', 'Clean and invalidate data cache by set and way.'],
  ['DC ZVA', '3 7 4 1', 'EL0', 'Zero a block by address.', fromEl0(14)],
  ['DC CVAC', '3 7 10 1', 'EL0', 'Clean data cache by address to coherency.', UCI],
  ['DC CVAU', '3 7 11 1', 'EL0', 'Clean data cache by address to unification.', UCI],
  ['DC CVAP', '3 7 12 1', 'EL0', 'Clean data cache by address to persistence.', { ...UCI, feature: 'DPB' }],
  ['DC CVADP', '3 7 13 1', 'EL0', 'Clean data cache by address to deep persistence.', { ...UCI, feature: 'DPB2' }],
  ['DC CIVAC', '3 7 14 1', 'EL0', 'Clean and invalidate data cache by address.', UCI],
  ['DC IGVAC', '0 7 6 3', 'EL1', 'Invalidate tags by address.', MTE],
  ['DC IGSW', '0 7 6 4', 'EL1', 'Invalidate tags by set and way.', MTE],
  ['DC IGDVAC', '0 7 6 5', 'EL1', 'Invalidate data and tags by address.', MTE],
  ['DC IGDSW', '0 7 6 6', 'EL1', 'Invalidate data and tags by set and way.', MTE],
  ['DC CGSW', '0 7 10 4', 'EL1', 'Clean tags by set and way.', MTE],
  ['DC CGDSW', '0 7 10 6', 'EL1', 'Clean data and tags by set and way.', MTE],
  ['DC CIGSW', '0 7 14 4', 'EL1', 'Clean and invalidate tags by set and way.', MTE],
  ['DC CIGDSW', '0 7 14 6', 'EL1', 'Clean and invalidate data and tags by set and way.', MTE],
  ['DC GVA', '3 7 4 3', 'EL0', 'Set the tags of a block.', MTE],
  ['DC GZVA', '3 7 4 4', 'EL0', 'Zero a block and set its tags.', MTE],
  ['DC CGVAC', '3 7 10 3', 'EL0', 'Clean tags by address to coherency.', MTE],
  ['DC CGDVAC', '3 7 10 5', 'EL0', 'Clean data and tags by address to coherency.', MTE],
  ['DC CGVAP', '3 7 12 3', 'EL0', 'Clean tags by address to persistence.', MTE],
  ['DC CGDVAP', '3 7 12 5', 'EL0', 'Clean data and tags by address to persistence.', MTE],
  ['DC CGVADP', '3 7 13 3', 'EL0', 'Clean tags by address to deep persistence.', MTE],
  ['DC CGDVADP', '3 7 13 5', 'EL0', 'Clean data and tags by address to deep persistence.', MTE],
  ['DC CIGVAC', '3 7 14 3', 'EL0', 'Clean and invalidate tags by address.', MTE],
  ['DC CIGDVAC', '3 7 14 5', 'EL0', 'Clean and invalidate data and tags by address.', MTE],
];

const translations: readonly InstructionRow[] = [
  ['AT S1E1R', '0 7 8 0', 'EL1', 'Translate as a read from EL1.'],
  ['AT S1E1W', '0 7 8 1', 'EL1', 'Translate as a write from EL1.'],
  ['AT S1E0R', '0 7 8 2', 'EL1', 'Translate as a read from EL0.'],
  ['AT S1E0W', '0 7 8 3', 'EL1', 'Translate as a write from EL0.'],
  ['AT S1E1RP', '0 7 9 0', 'EL1', 'Translate as a read from EL1 that respects PAN.', { feature: 'PAN' }],
  ['AT S1E1WP', '0 7 9 1', 'EL1', 'Translate as a write from EL1 that respects PAN.', { feature: 'PAN' }],
  ['AT S1E2R', '4 7 8 0', 'EL2', 'Translate as a read from EL2.', EL2_OR_EL3],
  ['AT S1E2W', '4 7 8 1', 'EL2', 'Translate as a write from EL2.', EL2_OR_EL3],
  ['AT S12E1R', '4 7 8 4', 'EL2', 'Translate through both stages as a read from EL1.', EL2_OR_EL3],
  ['AT S12E1W', '4 7 8 5', 'EL2', 'Translate through both stages as a write from EL1.', EL2_OR_EL3],
  ['AT S12E0R', '4 7 8 6', 'EL2', 'Translate through both stages as a read from EL0.', EL2_OR_EL3],
  ['AT S12E0W', '4 7 8 7', 'EL2', 'Translate through both stages as a write from EL0.', EL2_OR_EL3],
  ['AT S1E3R', '6 7 8 0', 'EL3', 'Translate as a read from EL3.', EL2_OR_EL3],
  ['AT S1E3W', '6 7 8 1', 'EL3', 'Translate as a write from EL3.', EL2_OR_EL3],
];

/** Suffix, CRm of the plain operations, extras: this core, the Inner Shareable domain, the Outer Shareable domain. */
const domains = [
  ['', 7, {}], ['IS', 3, {}], ['OS', 1, { feature: 'TLBIOS' }],
] as const satisfies readonly (readonly [string, number, RowExtras])[];
const el1Operations = [['VMALLE1', 0], ['VAE1', 1], ['ASIDE1', 2], ['VAAE1', 3], ['VALE1', 5], ['VAALE1', 7]] as const;
const el2Operations = [['ALLE2', 0], ['VAE2', 1], ['ALLE1', 4], ['VALE2', 5], ['VMALLS12E1', 6]] as const;
const el3Operations = [['ALLE3', 0], ['VAE3', 1], ['VALE3', 5]] as const;
const rangeOperations = [['RVAE1', 1], ['RVAAE1', 3], ['RVALE1', 5], ['RVAALE1', 7]] as const;
const rangeDomains = [['', 6], ['IS', 2], ['OS', 5]] as const;

const stage2Operations = [
  ['IPAS2E1IS', 0, 1], ['RIPAS2E1IS', 0, 2], ['IPAS2LE1IS', 0, 5], ['RIPAS2LE1IS', 0, 6], ['IPAS2E1OS', 4, 0], ['IPAS2E1', 4, 1], ['RIPAS2E1', 4, 2],
  ['RIPAS2E1OS', 4, 3], ['IPAS2LE1OS', 4, 4], ['IPAS2LE1', 4, 5], ['RIPAS2LE1', 4, 6], ['RIPAS2LE1OS', 4, 7],
] as const;

const translationLookasideBuffers: readonly InstructionRow[] = [
  ...domains.flatMap(([suffix, crm, extras]): InstructionRow[] => [
    ...el1Operations.map(([name, op2]): InstructionRow => [`TLBI ${name}${suffix}`, `0 8 ${crm} ${op2}`, 'EL1', 'Invalidate TLB entries of EL1 and EL0.', extras]),
    ...el2Operations.map(([name, op2]): InstructionRow => [`TLBI ${name}${suffix}`, `4 8 ${crm} ${op2}`, 'EL2', 'Invalidate TLB entries from EL2.', { ...extras, state: 'not-yet' }]),
    ...el3Operations.map(([name, op2]): InstructionRow => [`TLBI ${name}${suffix}`, `6 8 ${crm} ${op2}`, 'EL3', 'Invalidate TLB entries of EL3.', { ...extras, state: 'not-yet' }]),
  ]),
  ...rangeDomains.flatMap(([suffix, crm]) => rangeOperations.map(([name, op2]): InstructionRow =>
    [`TLBI ${name}${suffix}`, `0 8 ${crm} ${op2}`, 'EL1', 'Invalidate a range of TLB entries of EL1 and EL0.', { feature: 'TLBIRANGE' }])),
  ...rangeDomains.flatMap(([suffix, crm]) => (['2', '3'] as const).flatMap((level) => ([['RVAE', 1], ['RVALE', 5]] as const).map(([name, op2]): InstructionRow =>
    [`TLBI ${name}${level}${suffix}`, `${level === '2' ? 4 : 6} 8 ${crm} ${op2}`, `EL${level}`, `Invalidate a range of TLB entries of EL${level}.`,
      { feature: 'TLBIRANGE', state: 'not-yet' }]))),
  ...stage2Operations.map(([name, crm, op2]): InstructionRow =>
    [`TLBI ${name}`, `4 8 ${crm} ${op2}`, 'EL2', 'Invalidate stage 2 entries by address.', EL2_OR_EL3]),
];

const predictions: readonly InstructionRow[] = ([['CFP', 4], ['DVP', 5], ['CPP', 7]] as const).map(([name, op2]): InstructionRow =>
  [`${name} RCTX`, `3 7 3 ${op2}`, 'EL0', 'Restrict predictions by context.', { ...fromEl0(10), feature: 'SPECRES' }]);

/** True for operations on everything, which take no address or identifier. */
function takesRegister(name: string): boolean {
  return !/^(IC IALLU|TLBI (VMALL|ALL))/.test(name);
}

/** Every named SYS instruction; the engine carries them out itself. */
export const systemInstructions: readonly SystemInstruction[] = [...caches, ...translations, ...translationLookasideBuffers, ...predictions]
  .map(([name, operands, level, description, extras]) => ({
    ...register([name, `1 ${operands}`, `-/${level}`, 'engine', description, extras ?? {}]),
    takesRegister: takesRegister(name),
  }));
