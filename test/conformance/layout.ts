/**
 * Where conformance programs and their data lie, in both implementations. All of it fits one 2 MiB block, so that the
 * engine needs a single table of pages; what lies between the areas is not mapped.
 *
 *     EXIT   one page: the loader's way back on the reference, an SVC here
 *     CODE   the program
 *     DATA   what loads and stores reach; programs keep its middle in a register
 *     LOG    one record per iteration: special values before it, the whole state after it
 */

/** The loader's first page on the reference; on the engine it holds the instruction that ends a run. */
export const EXIT = 0x1000_0000;
/** Programs start here. */
export const CODE = 0x1002_0000;
export const CODE_BYTES = 0x1_0000;
/** Data area; `DATA_MIDDLE` is what programs keep in a register. */
export const DATA = 0x1010_0000;
export const DATA_BYTES = 0x4000;
export const DATA_MIDDLE = DATA + DATA_BYTES / 2;
/** Records; its end is where bit 16 of the address changes, which is how loops end without touching flags. */
export const LOG = 0x1012_0000;
export const LOG_BYTES = 0x1_0000;
export const LOG_END_BIT = 16;
/** One record. */
export const RECORD_BYTES = 1024;
export const RECORD_COUNT = LOG_BYTES / RECORD_BYTES;

/** Offsets in a record: X0..X30, SP, V0..V31, NZCV, FPCR, FPSR, then values that nothing overwrites. */
export const AT = { x: 0, sp: 248, v: 256, nzcv: 768, fpcr: 776, fpsr: 784, spare: 792 } as const;

/** The two areas that a program changes, as they are sent and compared: the log, then the data. */
export const RESULT_BYTES = LOG_BYTES + DATA_BYTES;

/** Name of a place in a record. */
export function placeInRecord(offset: number): string {
  if (offset < AT.sp) return `X${String(offset >> 3)}`;
  if (offset < AT.v) return 'SP';
  if (offset < AT.nzcv) return `V${String((offset - AT.v) >> 4)}.${((offset - AT.v) & 8) === 0 ? 'low' : 'high'}`;
  return offset < AT.fpcr ? 'NZCV' : offset < AT.fpsr ? 'FPCR' : offset < AT.spare ? 'FPSR' : `spare ${String(offset)}`;
}
