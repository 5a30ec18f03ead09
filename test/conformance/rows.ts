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

/** A test that has a row, and what in its text names the row. */
export interface NamedTest { readonly file: string; readonly says: string }

const UNDEFINED_TEST = 'test/conformance/undefined.test.ts';

/** Rows that a user-mode program cannot show: the tests that do. */
function namedTest({ class: key, mnemonic, feature }: Encoding): NamedTest | undefined {
  switch (key) {
    case 'exception_generation':
      if (mnemonic === 'svc') return { file: 'test/engine/exceptions.test.ts', says: 'svc #' };
      if (mnemonic === 'brk') return { file: UNDEFINED_TEST, says: 'BRK' };
      return mnemonic.startsWith('dcps') ? { file: UNDEFINED_TEST, says: mnemonic } : { file: 'test/engine/exits.test.ts', says: `${mnemonic} #` };
    case 'exception_return': return { file: 'test/engine/exceptions.test.ts', says: 'eret' };
    case 'debug_restore': case 'permanently_undefined': return { file: UNDEFINED_TEST, says: key };
    case 'msr_immediate': return isEl0StateBit(feature) ? undefined : { file: 'test/conformance/system', says: 'msr' };
    case 'wait_with_timeout': return { file: 'test/engine', says: mnemonic };
    default:
      if (feature === 'SVE') return { file: 'test/conformance/scalable.test.ts', says: key };
      if (mnemonic === 'sysl') return { file: UNDEFINED_TEST, says: mnemonic };
      if (feature === 'MTE' || needsKeys(feature, mnemonic)) return { file: feature === 'MTE' ? 'test/engine' : 'test/conformance/system', says: mnemonic };
      return REFERENCE_DEFECTS.some(({ applies }) => applies({ class: key, mnemonic, feature })) ? { file: 'test/engine/float/vector-differential.ts', says: key } : undefined;
  }
}

/** PSTATE bits that EL0 may set. */
const isEl0StateBit = (feature: Encoding['feature']): boolean => feature === 'SSBS' || feature === 'DIT';
/** Keys of user mode are unknown, so what they sign cannot be compared there. */
const needsKeys = (feature: Encoding['feature'], mnemonic: string): boolean => feature === 'PAUTH' && !mnemonic.startsWith('xpac');

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

/** Defects of the reference (QEMU 7.2) that programs must not run into, because a wrong result would spread. */
export const REFERENCE_DEFECTS: readonly { readonly what: string; readonly why: string; applies(encoding: Pick<Encoding, 'class' | 'mnemonic' | 'feature'>): boolean }[] = [
  {
    what: 'FCVTZS (scalar, fixed-point) of half precision', why: 'leaves the sign above the result, where the architecture has zeros; test/engine/float compares the rest',
    applies: ({ class: key, mnemonic, feature }) => key === 'simd_scalar_convert_fixed' && mnemonic === 'fcvtzs' && feature === 'FP16',
  },
];

/** The kind of a row, or the test that has it instead. */
export function kindOf(encoding: Encoding): Kind | NamedTest {
  return namedTest(encoding) ?? KINDS.find(([pattern]) => pattern.test(encoding.class))?.[1] ?? 'plain';
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
