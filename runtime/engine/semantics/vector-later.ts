/** SIMD instructions of Armv8.2 and later: complex numbers, long and mixed products, matrices, BFloat16, SHA-512, SHA-3, SM3, SM4, FJCVTZS. */

import type { Fields } from '../../isa/interface';
import { destination, field, type Emit, type InstructionClass, type Lowered } from './lowering';
import { elementOf } from './vector-data';
import { vector } from './vector-memory';
import { simdCall, vectorBytes } from './vector-moves';

const NO_OPS: ReadonlyMap<string, Emit> = new Map();
const registers = (f: Fields): { readonly d: number; readonly n: number; readonly m: number } =>
  ({ d: vector(field(f, 'Rd')), n: vector(field(f, 'Rn')), m: vector(field(f, 'Rm')) });

const complex: InstructionClass = {
  keys: ['simd_complex', 'simd_complex_add', 'simd_complex_by_element'],
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const size = 1 << field(f, 'size');
    const options = { bytes: vectorBytes(f), extra: field(f, 'rot') };
    if (key === 'simd_complex_add') return simdCall(`fcadd.${size}`, registers(f), options);
    if (key === 'simd_complex') return simdCall(`fcmla.${size}`, registers(f), options);
    // The element is a pair of numbers.
    const { m, amount } = elementOf(f, size * 2);
    return simdCall(`fcmla.e.${size}`, { ...registers(f), m }, { ...options, amount });
  },
};

const SUBTRACTS = 4;

/** FMLAL, FMLSL and their second halves. */
const longHalves: InstructionClass = {
  keys: ['simd_multiply_long_half', 'simd_multiply_long_half_by_element'],
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const bytes = vectorBytes(f);
    const options = { bytes, part: field(f, 'U') * (bytes / 2) };
    if (key === 'simd_multiply_long_half') return simdCall(field(f, 'a') === 1 ? 'fmlsl.2' : 'fmlal.2', registers(f), options);
    const { m, amount } = elementOf(f, 2);
    return simdCall((field(f, 'opcode') & SUBTRACTS) !== 0 ? 'fmlsl.e.2' : 'fmlal.e.2', { ...registers(f), m }, { ...options, amount });
  },
};

/** By opcode, then U and size. */
const MATRIX: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  4: { 2: 'smmla.4', 6: 'ummla.4' }, 5: { 2: 'usmmla.4' }, 13: { 5: 'bfmmla.2' }, 15: { 5: 'bfdot.2', 7: 'bfmlal.2' },
};
/** By size. */
const MATRIX_BY_ELEMENT = ['sudot.e.4', 'bfdot.e.2', 'usdot.e.4', 'bfmlal.e.2'] as const;

/** The matrices, the mixed dot products by element, BFDOT and BFMLAL; the last works on whole vectors, and Q chooses the lanes. */
const matrices: InstructionClass = {
  keys: ['simd_matrix', 'simd_matrix_by_element'],
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const size = field(f, 'size');
    const isLong = size === 3;
    const options = isLong ? { bytes: 16, part: field(f, 'Q') * 8 } : { bytes: vectorBytes(f) };
    if (key === 'simd_matrix') return simdCall(MATRIX[field(f, 'opcode')]?.[field(f, 'U') * 4 + size] ?? '', registers(f), options);
    const { m, amount } = elementOf(f, isLong ? 2 : 4);
    return simdCall(MATRIX_BY_ELEMENT[size] ?? '', { ...registers(f), m }, { ...options, amount });
  },
};

const SHA512 = ['sha512h', 'sha512h2', 'sha512su1', 'rax1'] as const;
const SM3_HALVES = ['sm3tt1a', 'sm3tt1b', 'sm3tt2a', 'sm3tt2b'] as const;
const SM_THREE = ['sm3partw1', 'sm3partw2', 'sm4ekey'] as const;

const hashes: InstructionClass = {
  keys: ['crypto_sha512_three', 'crypto_sha512_two', 'crypto_sha3_four', 'crypto_sha3_rotate', 'crypto_sm3_four', 'crypto_sm3_element', 'crypto_sm_three', 'crypto_sm_two'],
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const opcode = field(f, 'opcode');
    const slots = registers(f);
    const bytes = 16;
    switch (key) {
      case 'crypto_sha512_three': return simdCall(SHA512[opcode] ?? '', slots, { bytes });
      case 'crypto_sha512_two': return simdCall('sha512su0', slots, { bytes });
      case 'crypto_sha3_four': return simdCall(field(f, 'Op0') === 1 ? 'bcax' : 'eor3', slots, { bytes, extra: field(f, 'Ra') });
      case 'crypto_sha3_rotate': return simdCall('xar', slots, { bytes, amount: field(f, 'imm6') });
      case 'crypto_sm3_four': return simdCall('sm3ss1', slots, { bytes, extra: field(f, 'Ra') });
      case 'crypto_sm3_element': return simdCall(SM3_HALVES[opcode] ?? '', slots, { bytes, amount: field(f, 'imm2') * 4 });
      case 'crypto_sm_three': return simdCall(SM_THREE[opcode] ?? '', slots, { bytes });
      default: return simdCall('sm4e', slots, { bytes });
    }
  },
};

const conversions: InstructionClass = {
  keys: ['fp_convert_javascript', 'fp_convert_bfloat'],
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const { n } = registers(f);
    if (key === 'fp_convert_bfloat') return simdCall('bfcvt', { d: vector(field(f, 'Rd')), n }, { bytes: 2 });
    return simdCall('fjcvtzs', { d: destination(field(f, 'Rd')), n }, { bytes: 8 });
  },
};

/** All classes of this file. */
export const laterVectorClasses: readonly InstructionClass[] = [complex, longHalves, matrices, hashes, conversions];
