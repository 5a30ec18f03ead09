/** Disassembly of scalar floating point. */

import { field } from './encoding-rows';
import { condition, decimal, gpr, hexImmediate, text } from './disassembly-operands';
import type { Formatter, FormatterTable } from './disassembly-operands';
import type { Fields } from './interface';

const typeLetters = ['s', 'd', 'q', 'h'];
const scalar = (f: Fields, name: string): string => `${typeLetters[field(f, 'ftype')] ?? ''}${field(f, name)}`;
const general = (f: Fields, name: string): string => gpr(field(f, 'sf'), field(f, name));

/** The number that an eight-bit floating-point immediate stands for (Arm ARM: VFPExpandImm), as text. */
export function floatImmediate(imm8: number): string {
  const sign = imm8 & 0x80 ? -1 : 1;
  const exponent = ((imm8 >> 4) & 7) ^ 4;
  const value = sign * (1 + (imm8 & 15) / 16) * 2 ** (exponent - 3);
  const [digits = '', power = '0'] = value.toExponential(18).split('e');
  const magnitude = power.replace(/^[+-]/, '').padStart(2, '0');
  return `#${digits}e${power.startsWith('-') ? '-' : '+'}${magnitude}`;
}

const compareZero: Formatter = (f, mnemonic) => text(mnemonic, scalar(f, 'Rn'), '#0.0');

/** Float to integer writes a general register; SCVTF and UCVTF (opcode 01x) read one. */
const convertInteger: Formatter = (f, mnemonic) => (field(f, 'opcode') & 6) === 2
  ? text(mnemonic, scalar(f, 'Rd'), general(f, 'Rn'))
  : text(mnemonic, general(f, 'Rd'), scalar(f, 'Rn'));

const convertFixed: Formatter = (f, mnemonic) => {
  const fractionBits = decimal(64 - field(f, 'scale'));
  return field(f, 'opcode') >= 2 ? text(mnemonic, scalar(f, 'Rd'), general(f, 'Rn'), fractionBits) : text(mnemonic, general(f, 'Rd'), scalar(f, 'Rn'), fractionBits);
};

const moveGeneral: Formatter = (f, mnemonic) => {
  const vector = (name: string): string => (f['rmode'] === 1 ? `v${field(f, name)}.d[1]` : scalar(f, name));
  return f['opcode'] === 7 ? text(mnemonic, vector('Rd'), general(f, 'Rn')) : text(mnemonic, general(f, 'Rd'), vector('Rn'));
};

/** Formatters of the scalar floating-point classes. */
export const floatingPointFormatters: FormatterTable = {
  fp_compare: (f, mnemonic) => text(mnemonic, scalar(f, 'Rn'), scalar(f, 'Rm')),
  fp_compare_zero: compareZero,
  fp_conditional_compare: (f, mnemonic) => text(mnemonic, scalar(f, 'Rn'), scalar(f, 'Rm'), hexImmediate(field(f, 'nzcv')), condition(field(f, 'cond'))),
  fp_conditional_select: (f, mnemonic) => text(mnemonic, scalar(f, 'Rd'), scalar(f, 'Rn'), scalar(f, 'Rm'), condition(field(f, 'cond'))),
  fp_1_source: (f, mnemonic) => text(mnemonic, scalar(f, 'Rd'), scalar(f, 'Rn')),
  fp_convert_precision: (f, mnemonic) => text(mnemonic, `${typeLetters[field(f, 'opc')] ?? ''}${field(f, 'Rd')}`, scalar(f, 'Rn')),
  fp_convert_bfloat: (f, mnemonic) => text(mnemonic, `h${field(f, 'Rd')}`, `s${field(f, 'Rn')}`),
  fp_2_source: (f, mnemonic) => text(mnemonic, scalar(f, 'Rd'), scalar(f, 'Rn'), scalar(f, 'Rm')),
  fp_3_source: (f, mnemonic) => text(mnemonic, scalar(f, 'Rd'), scalar(f, 'Rn'), scalar(f, 'Rm'), scalar(f, 'Ra')),
  fp_immediate: (f, mnemonic) => text(mnemonic, scalar(f, 'Rd'), floatImmediate(field(f, 'imm8'))),
  fp_convert_integer: convertInteger,
  fp_convert_fixed: convertFixed,
  fp_move_general: moveGeneral,
  fp_convert_javascript: (f, mnemonic) => text(mnemonic, general(f, 'Rd'), scalar(f, 'Rn')),
};
