/** Disassembly of the rows of the Scalable Vector Extension. */

import { field } from './encoding-rows';
import { decimal, gpr, gprOrSp, signedOffset, text } from './disassembly-operands';
import type { Formatter, FormatterTable } from './disassembly-operands';
import type { Fields } from './interface';

const ALL = 31;
const PATTERNS: Readonly<Record<number, string>> = {
  0: 'pow2', 1: 'vl1', 2: 'vl2', 3: 'vl3', 4: 'vl4', 5: 'vl5', 6: 'vl6', 7: 'vl7', 8: 'vl8', 9: 'vl16', 10: 'vl32', 11: 'vl64', 12: 'vl128', 13: 'vl256',
  29: 'mul4', 30: 'mul3', 31: 'all',
};
const LETTERS = ['b', 'h', 's', 'd'];
/** log2 of the bytes of an element by `dtype` of a load, and of what it takes from memory. */
const ELEMENTS = [0, 1, 2, 3, 3, 1, 2, 3, 3, 2, 2, 3, 3, 2, 1, 3];
const IN_MEMORY = [0, 0, 0, 0, 2, 1, 1, 1, 1, 1, 2, 2, 0, 0, 0, 3];

const x = (f: Fields, name: string): string => gpr(true, field(f, name));
const xOrSp = (f: Fields, name: string): string => gprOrSp(true, field(f, name));
const predicate = (f: Fields, name: string, suffix = '.b'): string => `p${field(f, name)}${suffix}`;
const sized = (f: Fields, name: string): string => predicate(f, name, `.${LETTERS[field(f, 'size')] ?? ''}`);
const patternName = (f: Fields): string => PATTERNS[field(f, 'pattern')] ?? decimal(field(f, 'pattern'));

/** The pattern, left out if it is all elements, once. */
function counted(f: Fields, mnemonic: string, register: string): ReturnType<Formatter> {
  const times = (f['imm4'] ?? 0) + 1;
  const pattern = times === 1 && field(f, 'pattern') === ALL ? undefined : patternName(f);
  return text(mnemonic, register, pattern, times === 1 ? undefined : `mul #${times}`);
}

const times = (n: string, count: number): string => (count === 0 ? `[${n}]` : `[${n}, #${count}, mul vl]`);
const spill = (register: string, f: Fields, mnemonic: string): ReturnType<Formatter> =>
  text(mnemonic, register, times(xOrSp(f, 'Rn'), signedOffset({ imm: (field(f, 'imm6') << 3) | field(f, 'imm3') }, 'imm', 9)));

const scalar = (f: Fields, scale: number): string => `[${xOrSp(f, 'Rn')}, ${x(f, 'Rm')}${scale === 0 ? '' : `, lsl #${scale}`}]`;
const list = (f: Fields, element: number): string => `{z${field(f, 'Zt')}.${LETTERS[element] ?? ''}}`;
const immediate = (f: Fields): string => times(xOrSp(f, 'Rn'), signedOffset(f, 'imm4', 4));
const loaded = (f: Fields): string => list(f, ELEMENTS[field(f, 'dtype')] ?? 0);

/** Formatters of the scalable vector classes. */
export const scalableFormatters: FormatterTable = {
  scalable_length: (f, mnemonic) => text(mnemonic, x(f, 'Rd'), decimal(signedOffset(f, 'imm6', 6))),
  scalable_add_length: (f, mnemonic) => text(mnemonic, xOrSp(f, 'Rd'), xOrSp(f, 'Rn'), decimal(signedOffset(f, 'imm6', 6))),
  scalable_count: (f, mnemonic) => counted(f, mnemonic, x(f, 'Rd')),
  scalable_add_count: (f, mnemonic) => counted(f, mnemonic, x(f, 'Rd')),
  predicate_pattern: (f, mnemonic) => counted(f, mnemonic, sized(f, 'Pd')),
  predicate_false: (f, mnemonic) => text(mnemonic, predicate(f, 'Pd')),
  predicate_test: (f, mnemonic) => text(mnemonic, predicate(f, 'Pg', ''), predicate(f, 'Pn')),
  read_first_fault: (f, mnemonic) => text(mnemonic, predicate(f, 'Pd')),
  read_first_fault_predicated: (f, mnemonic) => text(mnemonic, predicate(f, 'Pd'), predicate(f, 'Pg', '/z')),
  write_first_fault: (f, mnemonic) => text(mnemonic, predicate(f, 'Pn')),
  set_first_fault: (_f, mnemonic) => text(mnemonic),
  predicate_while: (f, mnemonic) => text(mnemonic, sized(f, 'Pd'), gpr(field(f, 'sf'), field(f, 'Rn')), gpr(field(f, 'sf'), field(f, 'Rm'))),
  predicate_load_store: (f, mnemonic) => spill(predicate(f, 'Pt', ''), f, mnemonic),
  scalable_load_store: (f, mnemonic) => spill(`z${field(f, 'Zt')}`, f, mnemonic),
  scalable_load_contiguous: (f, mnemonic) => text(mnemonic, loaded(f), predicate(f, 'Pg', '/z'), immediate(f)),
  scalable_load_contiguous_register: (f, mnemonic) => text(mnemonic, loaded(f), predicate(f, 'Pg', '/z'), scalar(f, IN_MEMORY[field(f, 'dtype')] ?? 0)),
  scalable_store_contiguous: (f, mnemonic) => text(mnemonic, list(f, field(f, 'size')), predicate(f, 'Pg', ''), immediate(f)),
  scalable_store_contiguous_register: (f, mnemonic) => text(mnemonic, list(f, field(f, 'size')), predicate(f, 'Pg', ''), scalar(f, field(f, 'msz'))),
};
