/** Random instructions that stay inside a small machine: bases point into a data area, branches go to known places. */

import { compiledEncodings, decode } from '../../runtime/isa/encodings';
import type { Encoding, Fields } from '../../runtime/isa/interface';
import { assemble, extractFields, type CompiledEncoding } from '../../runtime/isa/pattern';
import { randomInstruction } from '../../runtime/isa/random-instruction';
import type { Prng } from '../../runtime/base/prng';

/** Register that holds the data area's middle, and one that holds a small offset. */
export const BASE_REGISTER = 20;
export const OFFSET_REGISTER = 21;

const compiledOf = new Map<Encoding, CompiledEncoding>(compiledEncodings.map((row) => [row.encoding, row]));

/** Classes that generated code executes without leaving, and that a user-mode program may use. */
const PLAIN = new Set([
  'pc_relative_address', 'add_sub_immediate', 'logical_immediate', 'move_wide', 'bitfield', 'extract', 'logical_shifted_register',
  'add_sub_shifted_register', 'add_sub_extended_register', 'add_sub_carry', 'conditional_compare_register', 'conditional_compare_immediate',
  'conditional_select', 'data_processing_3_source', 'multiply_high', 'data_processing_2_source', 'crc32', 'data_processing_1_source',
  'rotate_into_flags', 'evaluate_into_flags', 'invert_carry', 'convert_flags', 'speculation_barrier',
]);
const MEMORY = new Set([
  'load_store_unsigned_immediate', 'load_store_unscaled', 'load_store_post_indexed', 'load_store_unprivileged', 'load_store_pre_indexed',
  'load_store_register_offset', 'load_store_no_allocate_pair', 'load_store_pair_post_indexed', 'load_store_pair_offset', 'load_store_pair_pre_indexed',
]);
const ALIGNED_MEMORY = new Set(['load_store_exclusive', 'load_store_exclusive_pair', 'load_store_ordered', 'compare_and_swap', 'compare_and_swap_pair', 'atomic_memory', 'load_acquire_rcpc', 'load_store_rcpc_unscaled']);
const BRANCHES = new Set(['branch_immediate', 'branch_conditional', 'compare_and_branch', 'test_and_branch', 'load_literal']);

const FEATURES = new Set(['A64', 'CRC32', 'LSE', 'LRCPC', 'LRCPC2', 'LOR', 'FLAGM', 'FLAGM2', 'SB']);
const usable = compiledEncodings.filter(({ encoding }) => encoding.state === 'ready' && FEATURES.has(encoding.feature));
const inClasses = (classes: ReadonlySet<string>): readonly Encoding[] => usable.map((row) => row.encoding).filter((encoding) => classes.has(encoding.class));

/** Rows by what their instructions need. */
export const plainRows = inClasses(PLAIN);
export const memoryRows = inClasses(MEMORY);
export const alignedRows = inClasses(ALIGNED_MEMORY);
export const branchRows = inClasses(BRANCHES);

/** A word of a row with some fields fixed; `undefined` if the row does not allow them. */
function withFields(prng: Prng, encoding: Encoding, fixed: Fields): number | undefined {
  const row = compiledOf.get(encoding);
  if (row === undefined) return undefined;
  const fields = { ...extractFields(row, randomInstruction(prng, encoding)) };
  for (const [name, value] of Object.entries(fixed)) if (name in fields) fields[name] = value;
  const word = assemble(row, fields);
  return decode(word)?.encoding === encoding ? word : undefined;
}

/** X0..X18 or XZR; the others are the program's own. */
function dataRegister(prng: Prng): number {
  const n = prng.below(20);
  return n === 19 ? 31 : n;
}

/** A data-processing instruction that leaves the reserved registers and SP alone. */
export function plainWord(prng: Prng): number {
  for (;;) {
    const encoding = plainRows[prng.below(plainRows.length)];
    if (encoding === undefined) continue;
    const rd = prng.below(19);
    const word = withFields(prng, encoding, { Rd: rd });
    if (word !== undefined) return word;
  }
}

/** A load or store around the base register. Overlaps that are CONSTRAINED UNPREDICTABLE are avoided. */
export function memoryWord(prng: Prng, rows: readonly Encoding[]): number {
  for (;;) {
    const encoding = rows[prng.below(rows.length)];
    if (encoding === undefined) continue;
    const isPair = encoding.class === 'compare_and_swap_pair';
    const rt = isPair ? prng.below(8) * 2 : dataRegister(prng);
    const rs = isPair ? 8 + prng.below(4) * 2 : (rt + 1 + prng.below(3)) % 19;
    const word = withFields(prng, encoding, {
      Rn: BASE_REGISTER, Rm: OFFSET_REGISTER, Rt: rt, Rs: rs, Rt2: (rt + 5) % 19, imm12: prng.below(16), imm9: (prng.below(128) - 64) & (encoding.class === 'load_store_rcpc_unscaled' ? 0x1f8 : 0x1ff),
    });
    if (word !== undefined && rs !== (rt + 5) % 19) return word;
  }
}

/** A branch whose taken target is `distance` instructions on, or a load of the literal two words on. */
export function branchWord(prng: Prng, distance: number): number {
  for (;;) {
    const encoding = branchRows[prng.below(branchRows.length)];
    if (encoding === undefined) continue;
    const word = withFields(prng, encoding, { imm26: distance, imm19: encoding.class === 'load_literal' ? 2 : distance, imm14: distance, Rt: prng.below(19) });
    if (word !== undefined) return word;
  }
}
