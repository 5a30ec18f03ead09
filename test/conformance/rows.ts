/** Which rows of the instruction table programs are made of, how each kind is placed, and which rows are tested elsewhere. */

import { compiledEncodings } from '../../runtime/isa/encodings';
import type { Encoding, Fields } from '../../runtime/isa/interface';
import type { CompiledEncoding } from '../../runtime/isa/pattern';

/** How a row's instructions are made safe in a program. */
export type Kind =
  /** Nothing to arrange. */
  | 'plain'
  /** An address in a register; `aligned` ones need it aligned to the access. */
  | 'memory' | 'aligned'
  /** A load of a word near the PC. */
  | 'literal'
  /** Direct branch to a known place; indirect branch by a register. */
  | 'direct' | 'indirect'
  /** MRS and MSR, SYS, hints: operands from a list. */
  | 'move' | 'system' | 'hint';

/** Rows that a user-mode program cannot show, by class, with the test that does. */
export const TESTED_ELSEWHERE: Readonly<Record<string, string>> = {
  exception_generation: 'test/engine/exits.test.ts',
  exception_return: 'test/engine/exceptions.test.ts',
  debug_restore: 'test/conformance/undefined.test.ts',
  permanently_undefined: 'test/conformance/undefined.test.ts',
};

const KINDS: readonly (readonly [pattern: RegExp, kind: Kind])[] = [
  [/^(branch_immediate|branch_conditional|compare_and_branch|test_and_branch)$/, 'direct'],
  [/^branch_register$/, 'indirect'],
  [/^(load_literal|simd_load_literal)$/, 'literal'],
  [/^(load_store_exclusive|load_store_exclusive_pair|load_store_ordered|compare_and_swap|compare_and_swap_pair|atomic_memory|load_acquire_rcpc|load_store_rcpc_unscaled)$/, 'aligned'],
  [/load/, 'memory'],
  [/^system_register_move$/, 'move'],
  [/^system_instruction$/, 'system'],
  [/^hint$/, 'hint'],
];

/** Rows of plain classes that are not plain: SYSL has no operand that EL0 may use; MSR (immediate) of PAN, UAO, SPSel and DAIF is EL1's. */
const isPrivileged = (encoding: Encoding): boolean =>
  encoding.mnemonic === 'sysl' || (encoding.class === 'msr_immediate' && !['SSBS', 'DIT'].includes(encoding.feature));

/** Keys of user mode are unknown, so what they sign cannot be compared there. */
const needsKeys = (encoding: Encoding): boolean =>
  encoding.feature === 'PAUTH' && !encoding.name.startsWith('XPAC');

/** Defects of the reference (QEMU 7.2) that programs must not run into, because a wrong result would spread. */
export const REFERENCE_DEFECTS: readonly { readonly what: string; readonly why: string; applies(encoding: Encoding): boolean }[] = [
  {
    what: 'FCVTZS (scalar, fixed-point) of half precision', why: 'leaves the sign above the result, where the architecture has zeros; test/engine/float compares the rest',
    applies: ({ class: key, mnemonic, feature }) => key === 'simd_scalar_convert_fixed' && mnemonic === 'fcvtzs' && feature === 'FP16',
  },
];

/** The kind of a row, or why programs do not have it. */
export function kindOf(encoding: Encoding): Kind | { readonly elsewhere: string } {
  const elsewhere = TESTED_ELSEWHERE[encoding.class];
  if (elsewhere !== undefined) return { elsewhere };
  if (isPrivileged(encoding)) return { elsewhere: 'test/conformance/system' };
  if (needsKeys(encoding)) return { elsewhere: 'test/engine' };
  if (encoding.feature === 'MTE' || encoding.class === 'wait_with_timeout') return { elsewhere: 'test/engine' };
  const defect = REFERENCE_DEFECTS.find(({ applies }) => applies(encoding));
  if (defect !== undefined) return { elsewhere: 'test/engine/float/vector-instructions.test.ts' };
  return KINDS.find(([pattern]) => pattern.test(encoding.class))?.[1] ?? 'plain';
}

/** A row that programs are made of. */
export interface ProgramRow { readonly row: CompiledEncoding; readonly encoding: Encoding; readonly kind: Kind }

/** Every row that the engine executes and programs can have. */
export const programRows: readonly ProgramRow[] = compiledEncodings.filter(({ encoding }) => encoding.state === 'ready').flatMap((row) => {
  const kind = kindOf(row.encoding);
  return typeof kind === 'string' ? [{ row, encoding: row.encoding, kind }] : [];
});

const signed = (value: number, bits: number): number => (value << (32 - bits)) >> (32 - bits);
const of = (f: Fields, name: string): number => f[name] ?? 0;

/** log2 of the bytes that an offset counts in. */
export function offsetScale(key: string, f: Fields): number {
  if (key.includes('pair')) return key.startsWith('simd') ? 2 + of(f, 'opc') : 2 + (of(f, 'opc') >> 1);
  return key.startsWith('simd') && of(f, 'opc') >= 2 ? 4 : of(f, 'size');
}

/** What an instruction adds to its base register before the access, apart from an index register. */
export function immediateOffset(key: string, f: Fields): number {
  if (key.includes('post_indexed') || key.includes('register_offset')) return 0;
  if ('imm12' in f) return of(f, 'imm12') << offsetScale(key, f);
  if ('imm7' in f) return signed(of(f, 'imm7'), 7) << offsetScale(key, f);
  return 'imm9' in f ? signed(of(f, 'imm9'), 9) : 0;
}

/** True if the base register is written. */
export const writesBack = (key: string): boolean => /_(pre|post)_indexed$/.test(key);

/** Bytes that an access must be aligned to. */
export function alignmentOf(key: string, f: Fields): number {
  if (key === 'compare_and_swap_pair') return of(f, 'sz') === 1 ? 16 : 8;
  return (1 << of(f, 'size')) * (key === 'load_store_exclusive_pair' ? 2 : 1);
}
