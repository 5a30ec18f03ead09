/** Disassembly of Advanced SIMD, vector and scalar, and of the cryptographic extension. */

import { field } from './encoding-rows';
import { floatImmediate } from './disassembly-floating-point';
import { decimal, gpr, hexImmediate, text } from './disassembly-operands';
import type { Formatter, FormatterTable, InstructionText } from './disassembly-operands';
import type { Fields } from './interface';

const arrangements = ['8b', '16b', '4h', '8h', '2s', '4s', '1d', '2d', '1q', '1q'];
const letters = ['b', 'h', 's', 'd', 'q'];
/** Arrangement of elements of 1 << log2Size bytes in 64 (q = 0) or 128 (q = 1) bits. */
const arrangement = (log2Size: number, q: number): string => arrangements[log2Size * 2 + q] ?? '';
const vector = (n: number, suffix: string): string => `v${n}.${suffix}`;
const registers = (f: Fields, suffix: string, ...names: readonly string[]): readonly string[] => names.map((name) => vector(field(f, name), suffix));
const scalars = (f: Fields, letter: string, ...names: readonly string[]): readonly string[] => names.map((name) => `${letter}${field(f, name)}`);
const letter = (log2Size: number): string => letters[log2Size] ?? '';

const q = (f: Fields): number => field(f, 'Q');
const size = (f: Fields): number => field(f, 'size');
const upperHalf = (f: Fields, mnemonic: string): string => (q(f) === 1 ? `${mnemonic}2` : mnemonic);
const floatSize = (f: Fields): number => 2 + field(f, 'sz');

/** All registers in one arrangement, with a trailing operand if any. */
const uniform = (suffix: (f: Fields) => string, names: readonly string[], tail?: string): Formatter => (f, mnemonic) =>
  text(mnemonic, ...registers(f, suffix(f), ...names), tail);
const uniformScalar = (log2Size: (f: Fields) => number, names: readonly string[], tail?: string): Formatter => (f, mnemonic) =>
  text(mnemonic, ...scalars(f, letter(log2Size(f)), ...names), tail);

const bySize = (f: Fields): string => arrangement(size(f), q(f));
const byFloatSize = (f: Fields): string => arrangement(floatSize(f), q(f));
const half = (f: Fields): string => arrangement(1, q(f));
const bytes = (f: Fields): string => arrangement(0, q(f));
const three = ['Rd', 'Rn', 'Rm'];
const two = ['Rd', 'Rn'];

const threeSameLogical: Formatter = (f, mnemonic) => mnemonic === 'orr' && f['Rn'] === f['Rm']
  ? text('mov', ...registers(f, bytes(f), 'Rd', 'Rn'))
  : text(mnemonic, ...registers(f, bytes(f), ...three));

const threeDifferent: Formatter = (f, mnemonic) => {
  const [wide, narrow] = [arrangement(size(f) + 1, 1), bySize(f)];
  const opcode = field(f, 'opcode');
  const name = upperHalf(f, mnemonic);
  if (opcode === 1 || opcode === 3) return text(name, ...registers(f, wide, 'Rd', 'Rn'), ...registers(f, narrow, 'Rm'));
  if (opcode === 4 || opcode === 6) return text(name, ...registers(f, narrow, 'Rd'), ...registers(f, wide, 'Rn', 'Rm'));
  return text(name, ...registers(f, wide, 'Rd'), ...registers(f, narrow, 'Rn', 'Rm'));
};

const twoRegister: Formatter = (f, mnemonic) => {
  const opcode = field(f, 'opcode');
  const narrow = bySize(f);
  if (opcode === 2 || opcode === 6) return text(mnemonic, ...registers(f, arrangement(size(f) + 1, q(f)), 'Rd'), ...registers(f, narrow, 'Rn'));
  if (opcode === 0b10010 || opcode === 0b10100) return text(upperHalf(f, mnemonic), ...registers(f, narrow, 'Rd'), ...registers(f, arrangement(size(f) + 1, 1), 'Rn'));
  if (opcode === 0b10011) return text(upperHalf(f, mnemonic), ...registers(f, arrangement(size(f) + 1, 1), 'Rd'), ...registers(f, narrow, 'Rn'), decimal(8 << size(f)));
  return text(mnemonic, ...registers(f, narrow, ...two));
};

const convertPrecision: Formatter = (f, mnemonic) => {
  const sz = field(f, 'sz');
  const [narrow, wide] = [arrangement(1 + sz, q(f)), arrangement(2 + sz, 1)];
  const name = upperHalf(f, mnemonic);
  return mnemonic === 'fcvtl' ? text(name, ...registers(f, wide, 'Rd'), ...registers(f, narrow, 'Rn')) : text(name, ...registers(f, narrow, 'Rd'), ...registers(f, wide, 'Rn'));
};

const acrossLanes: Formatter = (f, mnemonic) =>
  text(mnemonic, ...scalars(f, letter(size(f) + (mnemonic.endsWith('addlv') ? 1 : 0)), 'Rd'), ...registers(f, bySize(f), 'Rn'));
const acrossLanesFloat: Formatter = (f, mnemonic) => f['U'] === 1
  ? text(mnemonic, ...scalars(f, 's', 'Rd'), ...registers(f, '4s', 'Rn'))
  : text(mnemonic, ...scalars(f, 'h', 'Rd'), ...registers(f, half(f), 'Rn'));

const table: Formatter = (f, mnemonic) => {
  const count = field(f, 'len') + 1;
  const names = Array.from({ length: count }, (_, n) => vector((field(f, 'Rn') + n) % 32, '16b'));
  const isRange = count > 2 && field(f, 'Rn') + count <= 32;
  const list = isRange ? `{${names[0] ?? ''}-${names[count - 1] ?? ''}}` : `{${names.join(', ')}}`;
  return text(mnemonic, vector(field(f, 'Rd'), bytes(f)), list, vector(field(f, 'Rm'), bytes(f)));
};

/** log2 of the element size that imm5 selects, and the index above it. */
function element(imm5: number): { readonly log2Size: number; readonly index: number } {
  const log2Size = 31 - Math.clz32(imm5 & -imm5);
  return { log2Size, index: imm5 >> (log2Size + 1) };
}

const copy: Formatter = (f, mnemonic) => {
  const { log2Size, index } = element(field(f, 'imm5'));
  const lane = (name: string, at: number): string => `v${field(f, name)}.${letter(log2Size)}[${at}]`;
  if (mnemonic === 'ins') {
    const source = f['op'] === 1 ? lane('Rn', field(f, 'imm4') >> log2Size) : gpr(log2Size === 3, field(f, 'Rn'));
    return text('mov', lane('Rd', index), source);
  }
  if (mnemonic === 'dup') {
    return text(mnemonic, vector(field(f, 'Rd'), arrangement(log2Size, q(f))), f['imm4'] === 0 ? lane('Rn', index) : gpr(log2Size === 3, field(f, 'Rn')));
  }
  return text(mnemonic === 'umov' && log2Size >= 2 ? 'mov' : mnemonic, gpr(q(f), field(f, 'Rd')), lane('Rn', index));
};

/** Each bit of an eight-bit immediate as a byte of a 64-bit one. */
function byteMask(imm8: number): bigint {
  let value = 0n;
  for (let bit = 0; bit < 8; bit++) if ((imm8 >> bit) & 1) value |= 0xffn << BigInt(bit * 8);
  return value;
}

const modifiedImmediate: Formatter = (f, mnemonic) => {
  const imm8 = (field(f, 'abc') << 5) | field(f, 'defgh');
  const cmode = field(f, 'cmode');
  const to = (log2Size: number): string => vector(field(f, 'Rd'), arrangement(log2Size, q(f)));
  if (cmode === 15) return text(mnemonic, f['o2'] === 1 ? to(1) : to(2 + field(f, 'op')), floatImmediate(imm8));
  if (cmode === 14) {
    if (f['op'] === 0) return text(mnemonic, to(0), hexImmediate(imm8));
    return text(mnemonic, q(f) === 1 ? to(3) : `d${field(f, 'Rd')}`, hexImmediate(byteMask(imm8)));
  }
  if (cmode >= 12) return text(mnemonic, to(2), hexImmediate(imm8), `msl #${cmode === 12 ? 8 : 16}`);
  const amount = cmode < 8 ? (cmode >> 1) * 8 : ((cmode >> 1) & 1) * 8;
  return text(mnemonic, to(cmode < 8 ? 2 : 1), hexImmediate(imm8), amount === 0 ? undefined : `lsl #${amount}`);
};

/** log2 of the element size that immh selects, and the shift amount for either direction. */
function shiftOf(f: Fields): { readonly log2Size: number; readonly left: number; readonly right: number } {
  const immh = field(f, 'immh');
  const log2Size = 31 - Math.clz32(immh);
  const value = (immh << 3) | field(f, 'immb');
  return { log2Size, left: value - (8 << log2Size), right: (16 << log2Size) - value };
}
const isLeftShift = (mnemonic: string): boolean => /^(shl|sli|sqshlu?|uqshl)$/.test(mnemonic);

const shiftImmediate: Formatter = (f, mnemonic) => {
  const { log2Size, left, right } = shiftOf(f);
  return text(mnemonic, ...registers(f, arrangement(log2Size, q(f)), ...two), decimal(isLeftShift(mnemonic) ? left : right));
};

const shiftWidth: Formatter = (f, mnemonic) => {
  const { log2Size, left, right } = shiftOf(f);
  const [narrow, wide] = [arrangement(log2Size, q(f)), arrangement(log2Size + 1, 1)];
  if (!mnemonic.endsWith('shll')) return text(upperHalf(f, mnemonic), ...registers(f, narrow, 'Rd'), ...registers(f, wide, 'Rn'), decimal(right));
  const operands = [...registers(f, wide, 'Rd'), ...registers(f, narrow, 'Rn')];
  return left === 0 ? text(upperHalf(f, mnemonic.replace('shll', 'xtl')), ...operands) : text(upperHalf(f, mnemonic), ...operands, decimal(left));
};

const convertFixed: Formatter = (f, mnemonic) => {
  const { log2Size, right } = shiftOf(f);
  return text(mnemonic, ...registers(f, arrangement(log2Size, q(f)), ...two), decimal(right));
};

/** The indexed element of a by-element form: halfwords use H:L:M and V0..V15, words H:L, doublewords H. */
function indexed(f: Fields, log2Size: number): string {
  const [h, l, m, rm] = [field(f, 'H'), field(f, 'L'), field(f, 'M'), field(f, 'Rm')];
  if (log2Size === 1) return `v${rm}.h[${(h << 2) | (l << 1) | m}]`;
  const n = (m << 4) | rm;
  return log2Size === 2 ? `v${n}.s[${(h << 1) | l}]` : `v${n}.d[${h}]`;
}
const indexedGroup = (f: Fields, group: string): string => indexed(f, 2).replace('.s', `.${group}`);

const byElement: Formatter = (f, mnemonic) => {
  if (mnemonic.endsWith('dot')) return text(mnemonic, ...registers(f, arrangement(2, q(f)), 'Rd'), ...registers(f, bytes(f), 'Rn'), indexedGroup(f, '4b'));
  const narrow = bySize(f);
  const last = indexed(f, size(f));
  if (!/l$/.test(mnemonic) || mnemonic === 'mul') return text(mnemonic, ...registers(f, narrow, ...two), last);
  return text(upperHalf(f, mnemonic), ...registers(f, arrangement(size(f) + 1, 1), 'Rd'), ...registers(f, narrow, 'Rn'), last);
};

const matrix: Formatter = (f, mnemonic) => {
  if (mnemonic === 'bfmlal') return text(`bfmlal${q(f) === 1 ? 't' : 'b'}`, vector(field(f, 'Rd'), '4s'), ...registers(f, '8h', 'Rn', 'Rm'));
  return text(mnemonic, ...registers(f, arrangement(2, q(f)), 'Rd'), ...registers(f, mnemonic.startsWith('bf') ? half(f) : bytes(f), 'Rn', 'Rm'));
};

const matrixByElement: Formatter = (f, mnemonic) => {
  if (mnemonic === 'bfmlal') return text(`bfmlal${q(f) === 1 ? 't' : 'b'}`, vector(field(f, 'Rd'), '4s'), ...registers(f, '8h', 'Rn'), indexed(f, 1));
  const isFloat = mnemonic.startsWith('bf');
  return text(mnemonic, ...registers(f, arrangement(2, q(f)), 'Rd'), ...registers(f, isFloat ? half(f) : bytes(f), 'Rn'), indexedGroup(f, isFloat ? '2h' : '4b'));
};

const threeSameExtra: Formatter = (f, mnemonic) => mnemonic.endsWith('dot')
  ? text(mnemonic, ...registers(f, arrangement(2, q(f)), 'Rd'), ...registers(f, bytes(f), 'Rn', 'Rm'))
  : text(mnemonic, ...registers(f, bySize(f), ...three));

const longHalf = (last: (f: Fields) => string): Formatter => (f, mnemonic) =>
  text(mnemonic, vector(field(f, 'Rd'), arrangement(2, q(f))), vector(field(f, 'Rn'), q(f) === 1 ? '4h' : '2h'), last(f));

const complexByElement: Formatter = (f, mnemonic) => {
  const [h, l, m, rm] = [field(f, 'H'), field(f, 'L'), field(f, 'M'), field(f, 'Rm')];
  const last = size(f) === 1 ? `v${(m << 4) | rm}.h[${(h << 1) | l}]` : `v${(m << 4) | rm}.s[${h}]`;
  return text(mnemonic, ...registers(f, bySize(f), ...two), last, decimal(field(f, 'rot') * 90));
};

const scalarThreeDifferent: Formatter = (f, mnemonic) => text(mnemonic, ...scalars(f, letter(size(f) + 1), 'Rd'), ...scalars(f, letter(size(f)), 'Rn', 'Rm'));
const scalarTwoRegister: Formatter = (f, mnemonic) => /xtu?n$/.test(mnemonic)
  ? text(mnemonic, ...scalars(f, letter(size(f)), 'Rd'), ...scalars(f, letter(size(f) + 1), 'Rn'))
  : text(mnemonic, ...scalars(f, letter(size(f)), ...two));
const pairwise = (to: (f: Fields) => string, from: (f: Fields) => string): Formatter => (f, mnemonic) =>
  text(mnemonic, ...scalars(f, to(f), 'Rd'), ...registers(f, from(f), 'Rn'));

const scalarShift: Formatter = (f, mnemonic) => {
  const { log2Size, left, right } = shiftOf(f);
  return text(mnemonic, ...scalars(f, letter(log2Size), ...two), decimal(isLeftShift(mnemonic) ? left : right));
};
const scalarShiftWidth: Formatter = (f, mnemonic) => {
  const { log2Size, right } = shiftOf(f);
  return text(mnemonic, ...scalars(f, letter(log2Size), 'Rd'), ...scalars(f, letter(log2Size + 1), 'Rn'), decimal(right));
};
const scalarByElement: Formatter = (f, mnemonic) => {
  const isLong = /l$/.test(mnemonic);
  return text(mnemonic, ...scalars(f, letter(size(f) + (isLong ? 1 : 0)), 'Rd'), ...scalars(f, letter(size(f)), 'Rn'), indexed(f, size(f)));
};
const scalarCopy: Formatter = (f): InstructionText => {
  const { log2Size, index } = element(field(f, 'imm5'));
  return text('mov', ...scalars(f, letter(log2Size), 'Rd'), `v${field(f, 'Rn')}.${letter(log2Size)}[${index}]`);
};

const shaThree: Formatter = (f, mnemonic) => {
  if (mnemonic.includes('su')) return text(mnemonic, ...registers(f, '4s', ...three));
  const second = mnemonic.startsWith('sha1') ? 's' : 'q';
  return text(mnemonic, ...scalars(f, 'q', 'Rd'), ...scalars(f, second, 'Rn'), ...registers(f, '4s', 'Rm'));
};
const sha512Three: Formatter = (f, mnemonic) => mnemonic.startsWith('sha512h')
  ? text(mnemonic, ...scalars(f, 'q', 'Rd', 'Rn'), ...registers(f, '2d', 'Rm'))
  : text(mnemonic, ...registers(f, '2d', ...three));

const vectorFormatters: FormatterTable = {
  simd_three_same: uniform(bySize, three),
  simd_three_same_logical: threeSameLogical,
  simd_three_same_float: uniform(byFloatSize, three),
  simd_three_same_half: uniform(half, three),
  simd_multiply_long_half: longHalf((f) => vector(field(f, 'Rm'), q(f) === 1 ? '4h' : '2h')),
  simd_three_same_extra: threeSameExtra,
  simd_matrix: matrix,
  simd_complex: (f, mnemonic) => text(mnemonic, ...registers(f, bySize(f), ...three), decimal(field(f, 'rot') * 90)),
  simd_complex_add: (f, mnemonic) => text(mnemonic, ...registers(f, bySize(f), ...three), decimal(f['rot'] === 1 ? 270 : 90)),
  simd_three_different: threeDifferent,
  simd_two_register: twoRegister,
  simd_compare_zero: uniform(bySize, two, '#0'),
  simd_two_register_bits: (f, mnemonic) => text(mnemonic === 'not' ? 'mvn' : mnemonic, ...registers(f, bytes(f), ...two)),
  simd_two_register_float: uniform(byFloatSize, two),
  simd_two_register_half: uniform(half, two),
  simd_compare_zero_float: uniform(byFloatSize, two, '#0.0'),
  simd_compare_zero_half: uniform(half, two, '#0.0'),
  simd_convert_precision: convertPrecision,
  simd_reciprocal_integer: uniform((f) => arrangement(2, q(f)), two),
  simd_across_lanes: acrossLanes,
  simd_across_lanes_float: acrossLanesFloat,
  simd_permute: uniform(bySize, three),
  simd_extract: (f, mnemonic) => text(mnemonic, ...registers(f, bytes(f), ...three), decimal(field(f, 'imm4'))),
  simd_table: table,
  simd_copy: copy,
  simd_modified_immediate: modifiedImmediate,
  simd_shift_immediate: shiftImmediate,
  simd_shift_immediate_width: shiftWidth,
  simd_convert_fixed: convertFixed,
  simd_by_element: byElement,
  simd_by_element_float: (f, mnemonic) => text(mnemonic, ...registers(f, byFloatSize(f), ...two), indexed(f, floatSize(f))),
  simd_by_element_half: (f, mnemonic) => text(mnemonic, ...registers(f, half(f), ...two), indexed(f, 1)),
  simd_multiply_long_half_by_element: longHalf((f) => indexed(f, 1)),
  simd_matrix_by_element: matrixByElement,
  simd_complex_by_element: complexByElement,
};

const scalarFormatters: FormatterTable = {
  simd_scalar_three_same: uniformScalar(size, three),
  simd_scalar_three_same_float: uniformScalar(floatSize, three),
  simd_scalar_three_same_half: uniformScalar(() => 1, three),
  simd_scalar_three_same_extra: uniformScalar(size, three),
  simd_scalar_three_different: scalarThreeDifferent,
  simd_scalar_two_register: scalarTwoRegister,
  simd_scalar_compare_zero: uniformScalar(size, two, '#0'),
  simd_scalar_two_register_float: uniformScalar(floatSize, two),
  simd_scalar_two_register_half: uniformScalar(() => 1, two),
  simd_scalar_compare_zero_float: uniformScalar(floatSize, two, '#0.0'),
  simd_scalar_compare_zero_half: uniformScalar(() => 1, two, '#0.0'),
  simd_scalar_convert_precision: (f, mnemonic) => text(mnemonic, ...scalars(f, 's', 'Rd'), ...scalars(f, 'd', 'Rn')),
  simd_scalar_pairwise: pairwise(() => 'd', () => '2d'),
  simd_scalar_pairwise_float: pairwise((f) => letter(floatSize(f)), (f) => (f['sz'] === 1 ? '2d' : '2s')),
  simd_scalar_pairwise_half: pairwise(() => 'h', () => '2h'),
  simd_scalar_copy: scalarCopy,
  simd_scalar_shift_immediate: scalarShift,
  simd_scalar_shift_immediate_width: scalarShiftWidth,
  simd_scalar_convert_fixed: scalarShift,
  simd_scalar_by_element: scalarByElement,
  simd_scalar_by_element_float: (f, mnemonic) => text(mnemonic, ...scalars(f, letter(floatSize(f)), ...two), indexed(f, floatSize(f))),
  simd_scalar_by_element_half: (f, mnemonic) => text(mnemonic, ...scalars(f, 'h', ...two), indexed(f, 1)),
  crypto_aes: uniform(() => '16b', two),
  crypto_sha_three: shaThree,
  crypto_sha_two: (f, mnemonic) => mnemonic === 'sha1h' ? text(mnemonic, ...scalars(f, 's', ...two)) : text(mnemonic, ...registers(f, '4s', ...two)),
  crypto_sha512_three: sha512Three,
  crypto_sha512_two: uniform(() => '2d', two),
  crypto_sha3_four: uniform(() => '16b', ['Rd', 'Rn', 'Rm', 'Ra']),
  crypto_sm3_four: uniform(() => '4s', ['Rd', 'Rn', 'Rm', 'Ra']),
  crypto_sm3_element: (f, mnemonic) => text(mnemonic, ...registers(f, '4s', ...two), `v${field(f, 'Rm')}.s[${field(f, 'imm2')}]`),
  crypto_sm_three: uniform(() => '4s', three),
  crypto_sm_two: uniform(() => '4s', two),
  crypto_sha3_rotate: (f, mnemonic) => text(mnemonic, ...registers(f, '2d', ...three), decimal(field(f, 'imm6'))),
};

/** Formatters of the Advanced SIMD and cryptographic classes. */
export const simdFormatters: FormatterTable = { ...vectorFormatters, ...scalarFormatters };
