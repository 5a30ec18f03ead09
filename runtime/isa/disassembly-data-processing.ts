/** Disassembly of integer data processing, with the aliases that the Arm ARM prefers. */

import { field } from './encoding-rows';
import { decodeBitMask } from './bit-mask';
import { condition, decimal, extendName, gpr, gprOrSp, hexImmediate, reg, regOrSp, shift, signedOffset, text, withTarget } from './disassembly-operands';
import type { Formatter, FormatterTable, InstructionText } from './disassembly-operands';
import type { Fields } from './interface';

const topBit = (f: Fields): number => (f['sf'] === 1 ? 63 : 31);

const pcRelative: Formatter = (f, mnemonic, address) => {
  const offset = BigInt(signedOffset(f, 'immhi', 19)) * 4n + BigInt(field(f, 'immlo'));
  const line = (target: string): InstructionText => text(mnemonic, gpr(true, field(f, 'Rd')), target);
  return f['op'] === 1 ? withTarget(address & ~0xfffn, offset << 12n, line) : withTarget(address, offset, line);
};

const addSubImmediate: Formatter = (f, mnemonic) => {
  const immediate = hexImmediate(field(f, 'imm12'));
  const shifted = f['sh'] === 1 ? 'lsl #12' : undefined;
  if (f['S'] === 1 && f['Rd'] === 31) return text(f['op'] === 1 ? 'cmp' : 'cmn', regOrSp(f, 'Rn'), immediate, shifted);
  const touchesSp = f['Rd'] === 31 || f['Rn'] === 31;
  if (mnemonic === 'add' && touchesSp && f['imm12'] === 0 && f['sh'] === 0) return text('mov', regOrSp(f, 'Rd'), regOrSp(f, 'Rn'));
  return text(mnemonic, f['S'] === 1 ? reg(f, 'Rd') : regOrSp(f, 'Rd'), regOrSp(f, 'Rn'), immediate, shifted);
};

/** True if MOVZ or MOVN can make the value, so that ORR is not written as MOV. */
function isMoveWide(value: bigint, width: number): boolean {
  const fits = (candidate: bigint): boolean => {
    for (let position = 0n; position < BigInt(width); position += 16n) if ((candidate & ~(0xffffn << position)) === 0n) return true;
    return false;
  };
  return fits(value) || fits(BigInt.asUintN(width, ~value));
}

const logicalImmediate: Formatter = (f, mnemonic) => {
  const value = decodeBitMask(f);
  const immediate = hexImmediate(value);
  if (mnemonic === 'ands') return f['Rd'] === 31 ? text('tst', reg(f, 'Rn'), immediate) : text(mnemonic, reg(f, 'Rd'), reg(f, 'Rn'), immediate);
  if (mnemonic === 'orr' && f['Rn'] === 31 && (f['Rd'] === 31 || !isMoveWide(value, topBit(f) + 1))) return text('mov', regOrSp(f, 'Rd'), immediate);
  return text(mnemonic, regOrSp(f, 'Rd'), reg(f, 'Rn'), immediate);
};

const moveWide: Formatter = (f, mnemonic) => {
  const [imm16, hw] = [field(f, 'imm16'), field(f, 'hw')];
  const plain = text(mnemonic, reg(f, 'Rd'), hexImmediate(imm16), hw === 0 ? undefined : `lsl #${hw * 16}`);
  if (mnemonic === 'movk' || (imm16 === 0 && hw !== 0)) return plain;
  const value = BigInt(imm16) << BigInt(hw * 16);
  if (mnemonic === 'movz') return text('mov', reg(f, 'Rd'), hexImmediate(value));
  if (f['sf'] === 0 && imm16 === 0xffff) return plain;
  return text('mov', reg(f, 'Rd'), hexImmediate(BigInt.asUintN(topBit(f) + 1, ~value)));
};

const narrowNames: Readonly<Record<number, string>> = { 7: 'b', 15: 'h', 31: 'w' };

function bitfieldExtension(f: Fields, prefix: string): InstructionText | undefined {
  const suffix = narrowNames[field(f, 'imms')];
  if (f['immr'] !== 0 || suffix === undefined || (suffix === 'w' && f['sf'] === 0)) return undefined;
  return text(`${prefix}xt${suffix}`, reg(f, 'Rd'), gpr(false, field(f, 'Rn')));
}

function bitfieldPosition(f: Fields, insert: string, extract: string): InstructionText {
  const [immr, imms] = [field(f, 'immr'), field(f, 'imms')];
  if (imms < immr) return text(insert, reg(f, 'Rd'), reg(f, 'Rn'), decimal(topBit(f) + 1 - immr), decimal(imms + 1));
  return text(extract, reg(f, 'Rd'), reg(f, 'Rn'), decimal(immr), decimal(imms - immr + 1));
}

const signedBitfield = (f: Fields): InstructionText => {
  if (f['imms'] === topBit(f)) return text('asr', reg(f, 'Rd'), reg(f, 'Rn'), decimal(field(f, 'immr')));
  return bitfieldExtension(f, 's') ?? bitfieldPosition(f, 'sbfiz', 'sbfx');
};

const unsignedBitfield = (f: Fields): InstructionText => {
  const [immr, imms] = [field(f, 'immr'), field(f, 'imms')];
  if (imms === topBit(f)) return text('lsr', reg(f, 'Rd'), reg(f, 'Rn'), decimal(immr));
  if (imms + 1 === immr) return text('lsl', reg(f, 'Rd'), reg(f, 'Rn'), decimal(topBit(f) - imms));
  const extension = f['sf'] === 0 ? bitfieldExtension(f, 'u') : undefined;
  return extension ?? bitfieldPosition(f, 'ubfiz', 'ubfx');
};

const bitfieldMove = (f: Fields): InstructionText => {
  const [immr, imms] = [field(f, 'immr'), field(f, 'imms')];
  if (f['Rn'] === 31 && imms < immr) return text('bfc', reg(f, 'Rd'), decimal(topBit(f) + 1 - immr), decimal(imms + 1));
  return bitfieldPosition(f, 'bfi', 'bfxil');
};

const bitfield: Formatter = (f, mnemonic) => {
  if (mnemonic === 'bfm') return bitfieldMove(f);
  return mnemonic === 'sbfm' ? signedBitfield(f) : unsignedBitfield(f);
};

const extract: Formatter = (f, mnemonic) => f['Rn'] === f['Rm']
  ? text('ror', reg(f, 'Rd'), reg(f, 'Rn'), decimal(field(f, 'imms')))
  : text(mnemonic, reg(f, 'Rd'), reg(f, 'Rn'), reg(f, 'Rm'), decimal(field(f, 'imms')));

const logicalShifted: Formatter = (f, mnemonic) => {
  const shifted = shift(field(f, 'shift'), field(f, 'imm6'));
  if (mnemonic === 'ands' && f['Rd'] === 31) return text('tst', reg(f, 'Rn'), reg(f, 'Rm'), shifted);
  if (mnemonic === 'orr' && f['Rn'] === 31 && shifted === undefined) return text('mov', reg(f, 'Rd'), reg(f, 'Rm'));
  if (mnemonic === 'orn' && f['Rn'] === 31) return text('mvn', reg(f, 'Rd'), reg(f, 'Rm'), shifted);
  return text(mnemonic, reg(f, 'Rd'), reg(f, 'Rn'), reg(f, 'Rm'), shifted);
};

const addSubShifted: Formatter = (f, mnemonic) => {
  const shifted = shift(field(f, 'shift'), field(f, 'imm6'));
  if (f['S'] === 1 && f['Rd'] === 31) return text(f['op'] === 1 ? 'cmp' : 'cmn', reg(f, 'Rn'), reg(f, 'Rm'), shifted);
  if (f['op'] === 1 && f['Rn'] === 31) return text(f['S'] === 1 ? 'negs' : 'neg', reg(f, 'Rd'), reg(f, 'Rm'), shifted);
  return text(mnemonic, reg(f, 'Rd'), reg(f, 'Rn'), reg(f, 'Rm'), shifted);
};

const addSubExtended: Formatter = (f, mnemonic) => {
  const [option, amount] = [field(f, 'option'), field(f, 'imm3')];
  const usesSp = f['Rn'] === 31 || (f['S'] === 0 && f['Rd'] === 31);
  const asShift = usesSp && option === (f['sf'] === 1 ? 3 : 2);
  const source = gpr(f['sf'] === 1 && (option & 3) === 3, field(f, 'Rm'));
  const name = asShift ? 'lsl' : extendName(option);
  const extension = amount !== 0 ? `${name} #${amount}` : asShift ? undefined : name;
  if (f['S'] === 1 && f['Rd'] === 31) return text(f['op'] === 1 ? 'cmp' : 'cmn', regOrSp(f, 'Rn'), source, extension);
  return text(mnemonic, f['S'] === 1 ? reg(f, 'Rd') : regOrSp(f, 'Rd'), regOrSp(f, 'Rn'), source, extension);
};

const addSubCarry: Formatter = (f, mnemonic) => f['op'] === 1 && f['Rn'] === 31
  ? text(mnemonic.replace('sbc', 'ngc'), reg(f, 'Rd'), reg(f, 'Rm'))
  : text(mnemonic, reg(f, 'Rd'), reg(f, 'Rn'), reg(f, 'Rm'));

const conditionalCompare = (second: (f: Fields) => string): Formatter => (f, mnemonic) =>
  text(mnemonic, reg(f, 'Rn'), second(f), hexImmediate(field(f, 'nzcv')), condition(field(f, 'cond')));

const conditionalSelect: Formatter = (f, mnemonic) => {
  const code = field(f, 'cond');
  const inverted = condition(code ^ 1);
  const aliased = f['Rn'] === f['Rm'] && code < 14;
  if (aliased && f['Rn'] === 31 && mnemonic === 'csinc') return text('cset', reg(f, 'Rd'), inverted);
  if (aliased && f['Rn'] === 31 && mnemonic === 'csinv') return text('csetm', reg(f, 'Rd'), inverted);
  const alias = { csinc: 'cinc', csinv: 'cinv', csneg: 'cneg' }[mnemonic];
  if (aliased && alias !== undefined) return text(alias, reg(f, 'Rd'), reg(f, 'Rn'), inverted);
  return text(mnemonic, reg(f, 'Rd'), reg(f, 'Rn'), reg(f, 'Rm'), condition(code));
};

const withoutAddend: Readonly<Record<string, string>> = {
  madd: 'mul', msub: 'mneg', smaddl: 'smull', smsubl: 'smnegl', umaddl: 'umull', umsubl: 'umnegl',
};

const threeSource: Formatter = (f, mnemonic) => {
  const wide = f['op31'] !== 0;
  const source = (name: string): string => (wide ? gpr(false, field(f, name)) : reg(f, name));
  if (f['Ra'] === 31) return text(withoutAddend[mnemonic] ?? mnemonic, reg(f, 'Rd'), source('Rn'), source('Rm'));
  return text(mnemonic, reg(f, 'Rd'), source('Rn'), source('Rm'), reg(f, 'Ra'));
};

const flagsFromRegister: Formatter = (f, mnemonic) => text(mnemonic, gpr(true, field(f, 'Rn')), decimal(field(f, 'imm6')), decimal(field(f, 'mask')));

const authentication: Formatter = (f, mnemonic) => field(f, 'opcode') >= 8
  ? text(mnemonic, gpr(true, field(f, 'Rd')))
  : text(mnemonic, gpr(true, field(f, 'Rd')), gprOrSp(true, field(f, 'Rn')));

/** Formatters of the integer data processing classes. */
export const dataProcessingFormatters: FormatterTable = {
  pc_relative_address: pcRelative,
  add_sub_immediate: addSubImmediate,
  logical_immediate: logicalImmediate,
  move_wide: moveWide,
  bitfield,
  extract,
  logical_shifted_register: logicalShifted,
  add_sub_shifted_register: addSubShifted,
  add_sub_extended_register: addSubExtended,
  add_sub_carry: addSubCarry,
  conditional_compare_register: conditionalCompare((f) => reg(f, 'Rm')),
  conditional_compare_immediate: conditionalCompare((f) => hexImmediate(field(f, 'imm5'))),
  conditional_select: conditionalSelect,
  data_processing_3_source: threeSource,
  multiply_high: (f, mnemonic) => text(mnemonic, reg(f, 'Rd'), reg(f, 'Rn'), reg(f, 'Rm')),
  data_processing_2_source: (f, mnemonic) => text(mnemonic.replace(/^(lsl|lsr|asr|ror)v$/, '$1'), reg(f, 'Rd'), reg(f, 'Rn'), reg(f, 'Rm')),
  crc32: (f, mnemonic) => text(mnemonic, gpr(false, field(f, 'Rd')), gpr(false, field(f, 'Rn')), reg(f, 'Rm')),
  data_processing_1_source: (f, mnemonic) => text(mnemonic, reg(f, 'Rd'), reg(f, 'Rn')),
  rotate_into_flags: flagsFromRegister,
  evaluate_into_flags: (f, mnemonic) => text(mnemonic, gpr(false, field(f, 'Rn'))),
  pointer_authentication_generic: (f, mnemonic) => text(mnemonic, reg(f, 'Rd'), reg(f, 'Rn'), gprOrSp(true, field(f, 'Rm'))),
  pointer_authentication: authentication,
};
