/** Records of the whole SIMD and FP state for the reference program: what four words do to it, to general registers and to memory. */

import { type ReferenceRecord, recordBytes, runOnReference, WAY_BACK } from '../reference-program';

/** The size of the data area in bytes. */
export const DATA_BYTES = 512;
/** Offsets in a record: X0..X30, SP, NZCV, unused, FPCR, FPSR, V0..V31, four words, data. */
export const AT = { sp: 31 * 8, nzcv: 32 * 8, fpcr: 34 * 8, fpsr: 35 * 8, vectors: 36 * 8, words: 36 * 8 + 512, data: 36 * 8 + 512 + 16 } as const;

const vectors = (instruction: string): string => Array.from({ length: 32 }, (_, n) => `  ${instruction} q${n}, [x2, #${n * 16}]`).join('\n');

const RECORD: ReferenceRecord = {
  architecture: 'armv8.5-a',
  wordsAt: AT.words,
  dataBytes: DATA_BYTES,
  afterSlot: '',
  load: `  add x2, x28, #${AT.vectors}
${vectors('ldr')}
  ldr x0, [x28, #${AT.fpcr}]
  msr fpcr, x0
  ldr x0, [x28, #${AT.fpsr}]
  msr fpsr, x0`,
  waysBack: `back:${WAY_BACK}`,
  save: '',
  saveLate: `  mrs x1, fpcr
  str x1, [x28, #${AT.fpcr}]
  mrs x1, fpsr
  str x1, [x28, #${AT.fpsr}]
  add x2, x28, #${AT.vectors}
${vectors('str')}`,
};

/** The size of a record in bytes. */
export const RECORD_BYTES = recordBytes(RECORD);

/** Runs records through the reference; gives them back as they are afterwards. */
export function runVectors(records: Uint8Array): Uint8Array {
  return runOnReference(RECORD, records);
}
