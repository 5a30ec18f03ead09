/** Records of general registers for the reference program: what four words do to X0..X30, SP, NZCV and memory, and whether they branch. */

import { type ReferenceRecord, recordBytes, runOnReference, WAY_BACK } from './reference-program';

/** The size of the data area in bytes. */
export const DATA_BYTES = 1024;

/** X0..X30, SP, NZCV, branch taken, words (4 x u32), data; in the slot `+24` is the way back of taken branches. */
const RECORD: ReferenceRecord = {
  architecture: 'armv8.5-a+lse+crc',
  wordsAt: 34 * 8,
  dataBytes: DATA_BYTES,
  afterSlot: `  mov w0, w0
  b taken`,
  load: '  clrex',
  waysBack: `taken:${WAY_BACK}
  mov x1, #1
  b save
back:${WAY_BACK}
  mov x1, #0`,
  save: `  str x1, [x0, #${33 * 8}]`,
  saveLate: '',
};

/** The size of a record in bytes. */
export const RECORD_BYTES = recordBytes(RECORD);

/** Runs records through the reference; gives them back as they are afterwards. */
export function runOnUserMode(records: Uint8Array): Uint8Array {
  return runOnReference(RECORD, records);
}
