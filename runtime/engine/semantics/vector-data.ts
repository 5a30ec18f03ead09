/**
 * SIMD data processing, vector and scalar: tables from the fields of an instruction to the function that carries it out.
 * Arm ARM (DDI 0487) C4.1, "Data Processing -- Scalar Floating-Point and Advanced SIMD".
 */

import { Rounding } from '../float/format';
import type { Fields } from '../../isa/interface';
import { CURRENT_MODE, IntegerKind } from '../simd/float-lanes';
import { roundToSize } from './floating-point';
import { field, type Emit, type InstructionClass, type Lowered } from './lowering';
import { vector } from './vector-memory';
import { simdCall, simdOps, vectorBytes } from './vector-moves';

/** Names by number, `-` where there is none. */
const names = (text: string): readonly string[] => text.split(' ');
const NO_OPS: ReadonlyMap<string, Emit> = new Map();
const registers = (f: Fields): { readonly d: number; readonly n: number; readonly m: number } =>
  ({ d: vector(field(f, 'Rd')), n: vector(field(f, 'Rn')), m: vector(field(f, 'Rm')) });
const isScalar = (key: string): boolean => key.startsWith('simd_scalar');
/** Bytes of the result of an operation that keeps the lanes' width. */
const sameBytes = (f: Fields, key: string, size: number): number => (isScalar(key) ? size : vectorBytes(f));
/** Reading or writing the half of a vector: which one, and how many bytes there are. */
const half = (f: Fields, key: string): number => (isScalar(key) ? 0 : field(f, 'Q') * 8);
const floatSize = (f: Fields, key: string): number => (key.endsWith('_half') ? 2 : field(f, 'sz') === 1 ? 8 : 4);
/** The pairs of a scalar and a vector key. */
const both = (...keys: readonly string[]): readonly string[] => keys.flatMap((key) => [`simd_${key}`, `simd_scalar_${key}`]);

const THREE_SAME = [
  names('shadd sqadd srhadd - shsub sqsub cmgt cmge sshl sqshl srshl sqrshl smax smin sabd saba add cmtst mla mul smaxp sminp sqdmulh addp'),
  names('uhadd uqadd urhadd - uhsub uqsub cmhi cmhs ushl uqshl urshl uqrshl umax umin uabd uaba sub cmeq mls pmul umaxp uminp sqrdmulh -'),
];
/** By U and opcode: SQRDMLAH, SQRDMLSH, SDOT, UDOT, USDOT. */
const THREE_EXTRA = [names('- - sdot usdot'), names('sqrdmlah sqrdmlsh udot')];

/** Three registers of the same width. */
const threeSame: InstructionClass = {
  keys: both('three_same', 'three_same_extra'),
  ops: simdOps,
  lower(f, _place, key): Lowered {
    const size = 1 << field(f, 'size');
    const name = (key.endsWith('extra') ? THREE_EXTRA : THREE_SAME)[field(f, 'U')]?.[field(f, 'opcode')] ?? '';
    return simdCall(`${name}.${size}`, registers(f), { bytes: sameBytes(f, key, size) });
  },
};

/** By U and a. */
const FLOAT_THREE_SAME = [
  names('fmaxnm fmla fadd fmulx fcmeq - fmax frecps'), names('fminnm fmls fsub - - - fmin frsqrts'),
  names('fmaxnmp - faddp fmul fcmge facge fmaxp fdiv'), names('fminnmp - fabd - fcmgt facgt fminp -'),
];

const floatThreeSame: InstructionClass = {
  keys: both('three_same_float', 'three_same_half'),
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const size = floatSize(f, key);
    const name = FLOAT_THREE_SAME[field(f, 'U') * 2 + field(f, 'a')]?.[field(f, 'opcode')] ?? '';
    return simdCall(`${name}.${size}`, registers(f), { bytes: sameBytes(f, key, size) });
  },
};

const THREE_DIFFERENT = [
  names('saddl saddw ssubl ssubw addhn sabal subhn sabdl smlal sqdmlal smlsl sqdmlsl smull sqdmull pmull'),
  names('uaddl uaddw usubl usubw raddhn uabal rsubhn uabdl umlal - umlsl - umull'),
];

const threeDifferent: InstructionClass = {
  keys: both('three_different'),
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const size = 1 << field(f, 'size');
    const name = THREE_DIFFERENT[field(f, 'U')]?.[field(f, 'opcode')] ?? '';
    const bytes = name.endsWith('hn') ? 8 : isScalar(key) ? size * 2 : 16;
    return simdCall(`${name}.${size}`, registers(f), { bytes, part: half(f, key) });
  },
};

const TWO_REGISTER: readonly Readonly<Record<number, string>>[] = [
  { 0: 'rev64', 1: 'rev16', 2: 'saddlp', 3: 'suqadd', 4: 'cls', 5: 'cnt', 6: 'sadalp', 7: 'sqabs', 8: 'cmgt0', 9: 'cmeq0', 10: 'cmlt0', 11: 'abs', 18: 'xtn', 20: 'sqxtn' },
  { 0: 'rev32', 2: 'uaddlp', 3: 'usqadd', 4: 'clz', 6: 'uadalp', 7: 'sqneg', 8: 'cmge0', 9: 'cmle0', 11: 'neg', 18: 'sqxtun', 19: 'shll', 20: 'uqxtn' },
];
const SHLL = 19;
const FIRST_NARROWING = 18;

const twoRegister: InstructionClass = {
  keys: [...both('two_register', 'compare_zero'), 'simd_two_register_bits', 'simd_reciprocal_integer'],
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const { d, n } = registers(f);
    if (key === 'simd_two_register_bits') return simdCall(field(f, 'size') === 0 ? 'not.1' : 'rbit.1', { d, n }, { bytes: vectorBytes(f) });
    if (key === 'simd_reciprocal_integer') return simdCall(field(f, 'U') === 0 ? 'urecpe.4' : 'ursqrte.4', { d, n }, { bytes: vectorBytes(f) });
    const [size, opcode] = [1 << field(f, 'size'), field(f, 'opcode')];
    const name = TWO_REGISTER[field(f, 'U')]?.[opcode] ?? '';
    const changes = opcode >= FIRST_NARROWING;
    const bytes = !changes ? sameBytes(f, key, size) : opcode === SHLL ? 16 : isScalar(key) ? size : 8;
    return simdCall(`${name}.${size}`, { d, n }, { bytes, part: changes ? half(f, key) : 0 });
  },
};

/** What a conversion to integers or to an integral value is called, and its rounding. */
type FloatUnary = readonly [name: string, mode?: number, isUnsigned?: 1];
const { nearest, up, down, zero, away } = Rounding;
/** By U and a, then opcode. */
const FLOAT_TWO_REGISTER: readonly Readonly<Record<number, FloatUnary>>[] = [
  { 24: ['frint', nearest], 25: ['frint', down], 26: ['fcvti', nearest], 27: ['fcvti', down], 28: ['fcvti', away], 29: ['fcvtf'] },
  { 15: ['fabs'], 24: ['frint', up], 25: ['frint', zero], 26: ['fcvti', up], 27: ['fcvti', zero], 29: ['frecpe'], 31: ['frecpx'] },
  { 24: ['frint', away], 25: ['frintx', CURRENT_MODE], 26: ['fcvti', nearest, 1], 27: ['fcvti', down, 1], 28: ['fcvti', away, 1], 29: ['fcvtf', nearest, 1] },
  { 15: ['fneg'], 25: ['frint', CURRENT_MODE], 26: ['fcvti', up, 1], 27: ['fcvti', zero, 1], 29: ['frsqrte'], 31: ['fsqrt'] },
];

/** The kind of integer that lanes of a size hold. */
function integerKind(size: number, isUnsigned: number): number {
  return isUnsigned | (size === 8 ? IntegerKind.long : size === 2 ? IntegerKind.short : 0);
}

const FIRST_TO_SIZE = 30;
/** FRINT32 and FRINT64. */
const isToSize = (f: Fields): boolean => field(f, 'opcode') >= FIRST_TO_SIZE && field(f, 'a') === 0;

const floatTwoRegister: InstructionClass = {
  keys: both('two_register_float', 'two_register_half'),
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const size = floatSize(f, key);
    if (isToSize(f)) return roundToSize({ d: vector(field(f, 'Rd')), n: vector(field(f, 'Rn')) }, { lane: size, bytes: sameBytes(f, key, size) }, field(f, 'U') + field(f, 'opcode') % 2 * 2);
    const [name, mode = 0, isUnsigned = 0] = FLOAT_TWO_REGISTER[field(f, 'U') * 2 + field(f, 'a')]?.[field(f, 'opcode')] ?? [''];
    const part = name === 'frintx' ? 1 : name === 'frint' ? 0 : integerKind(size, isUnsigned);
    const { d, n } = registers(f);
    return simdCall(`${name === 'frintx' ? 'frint' : name}.${size}`, { d, n }, { bytes: sameBytes(f, key, size), amount: mode, part });
  },
};

const FLOAT_COMPARE_ZERO = [names('fcmgt0 fcmeq0 fcmlt0'), names('fcmge0 fcmle0 -')];

const floatCompareZero: InstructionClass = {
  keys: both('compare_zero_float', 'compare_zero_half'),
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const size = floatSize(f, key);
    const name = FLOAT_COMPARE_ZERO[field(f, 'U')]?.[field(f, 'opcode') - 12] ?? '';
    return simdCall(`${name}.${size}`, { d: vector(field(f, 'Rd')), n: vector(field(f, 'Rn')) }, { bytes: sameBytes(f, key, size) });
  },
};

const FCVTL = 23;

/** FCVTN, FCVTL, FCVTXN, BFCVTN. */
const convertPrecision: InstructionClass = {
  keys: both('convert_precision'),
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const { d, n } = registers(f);
    const part = half(f, key);
    const sz = field(f, 'sz');
    if (field(f, 'a') === 1) return simdCall('bfcvtn', { d, n }, { bytes: 8, part });
    if (field(f, 'U') === 1) return simdCall('fcvtxn.8', { d, n }, { bytes: isScalar(key) ? 4 : 8, part });
    return field(f, 'opcode') === FCVTL ? simdCall(`fcvtl.${2 << sz}`, { d, n }, { bytes: 16, part }) : simdCall(`fcvtn.${4 << sz}`, { d, n }, { bytes: 8, part });
  },
};

const ACROSS: Readonly<Record<number, string>> = { 3: 'addlv', 10: 'maxv', 26: 'minv', 27: 'addv' };
const FLOAT_ACROSS: Readonly<Record<number, string>> = { 12: 'fmaxnmv', 15: 'fmaxv' };

const acrossLanes: InstructionClass = {
  keys: ['simd_across_lanes', 'simd_across_lanes_float'],
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const { d, n } = registers(f);
    const [opcode, u] = [field(f, 'opcode'), field(f, 'U')];
    const options = { bytes: 8, extra: vectorBytes(f) };
    if (key === 'simd_across_lanes_float') {
      const name = (FLOAT_ACROSS[opcode] ?? '').replace('max', field(f, 'a') === 1 ? 'min' : 'max');
      return simdCall(`${name}.${u === 1 ? 4 : 2}`, { d, n }, options);
    }
    const name = ACROSS[opcode] ?? '';
    return simdCall(`${name === 'addv' ? '' : u === 1 ? 'u' : 's'}${name}.${1 << field(f, 'size')}`, { d, n }, options);
  },
};

const FLOAT_PAIRWISE: Readonly<Record<number, string>> = { 12: 'fmaxnmp', 13: 'faddp', 15: 'fmaxp' };

const scalarPairwise: InstructionClass = {
  keys: ['simd_scalar_pairwise', 'simd_scalar_pairwise_float', 'simd_scalar_pairwise_half'],
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const { d, n } = registers(f);
    if (key === 'simd_scalar_pairwise') return simdCall('addp.8', { d, n }, { bytes: 8 });
    const size = floatSize(f, key);
    const name = (FLOAT_PAIRWISE[field(f, 'opcode')] ?? '').replace('max', field(f, 'a') === 1 ? 'min' : 'max');
    return simdCall(`${name}.${size}`, { d, n }, { bytes: size });
  },
};

const PERMUTES = names('- uzp1 trn1 zip1 - uzp2 trn2 zip2');

const permutes: InstructionClass = {
  keys: ['simd_permute', 'simd_extract', 'simd_table'],
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const bytes = vectorBytes(f);
    if (key === 'simd_extract') return simdCall('ext', registers(f), { bytes, amount: field(f, 'imm4') });
    if (key === 'simd_table') return simdCall(field(f, 'op') === 1 ? 'tbx' : 'tbl', registers(f), { bytes, amount: (field(f, 'len') + 1) * 16, extra: field(f, 'Rn') });
    return simdCall(`${PERMUTES[field(f, 'opcode')] ?? ''}.${1 << field(f, 'size')}`, registers(f), { bytes });
  },
};

/** Lane size by the highest bit of immh, and the two readings of immh:immb. */
function shiftOf(f: Fields): { readonly size: number; readonly left: number; readonly right: number } {
  const value = field(f, 'immh') * 8 + field(f, 'immb');
  const bits = value >= 64 ? 64 : value >= 32 ? 32 : value >= 16 ? 16 : 8;
  return { size: bits / 8, left: value - bits, right: bits * 2 - value };
}

const SHIFTS: readonly Readonly<Record<number, string>>[] = [
  { 0: 'sshr', 2: 'ssra', 4: 'srshr', 6: 'srsra', 10: 'shl', 14: 'sqshli', 16: 'shrn', 17: 'rshrn', 18: 'sqshrn', 19: 'sqrshrn', 20: 'sshll', 28: 'fcvtf', 31: 'fcvti' },
  {
    0: 'ushr', 2: 'usra', 4: 'urshr', 6: 'ursra', 8: 'sri', 10: 'sli', 12: 'sqshlui', 14: 'uqshli', 16: 'sqshrun', 17: 'sqrshrun', 18: 'uqshrn', 19: 'uqrshrn',
    20: 'ushll', 28: 'fcvtf', 31: 'fcvti',
  },
];
const LEFT = new Set(['shl', 'sqshli', 'sli', 'sqshlui', 'uqshli', 'sshll', 'ushll']);

const shifts: InstructionClass = {
  keys: both('shift_immediate', 'shift_immediate_width', 'convert_fixed'),
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const { d, n } = registers(f);
    const { size, left, right } = shiftOf(f);
    const u = field(f, 'U');
    const name = SHIFTS[u]?.[field(f, 'opcode')] ?? '';
    if (key.endsWith('convert_fixed')) return simdCall(`${name}.${size}`, { d, n }, { bytes: sameBytes(f, key, size), amount: zero, part: integerKind(size, u), extra: right });
    const amount = LEFT.has(name) ? left : right;
    if (!key.endsWith('_width')) return simdCall(`${name}.${size}`, { d, n }, { bytes: sameBytes(f, key, size), amount });
    const bytes = name.endsWith('ll') ? 16 : isScalar(key) ? size : 8;
    return simdCall(`${name}.${size}`, { d, n }, { bytes, amount, part: half(f, key) });
  },
};

const BY_ELEMENT: readonly Readonly<Record<number, string>>[] = [
  { 2: 'smlal', 3: 'sqdmlal', 6: 'smlsl', 7: 'sqdmlsl', 8: 'mul', 10: 'smull', 11: 'sqdmull', 12: 'sqdmulh', 13: 'sqrdmulh', 14: 'sdot' },
  { 0: 'mla', 2: 'umlal', 4: 'mls', 6: 'umlsl', 10: 'umull', 13: 'sqrdmlah', 14: 'udot', 15: 'sqrdmlsh' },
];
const FLOAT_BY_ELEMENT: readonly Readonly<Record<number, string>>[] = [{ 1: 'fmla', 5: 'fmls', 9: 'fmul' }, { 9: 'fmulx' }];

/** Register and byte offset of the element that L, M, H and Rm name. */
export function elementOf(f: Fields, size: number): { readonly m: number; readonly amount: number } {
  const [l, m, h, rm] = [field(f, 'L'), field(f, 'M'), field(f, 'H'), field(f, 'Rm')];
  if (size === 2) return { m: vector(rm), amount: (h * 4 + l * 2 + m) * 2 };
  return { m: vector(m * 16 + rm), amount: size === 4 ? (h * 2 + l) * 4 : h * 8 };
}

const byElement: InstructionClass = {
  keys: both('by_element', 'by_element_float', 'by_element_half'),
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const isInteger = key.endsWith('by_element');
    const size = isInteger ? 1 << field(f, 'size') : floatSize(f, key);
    const name = (isInteger ? BY_ELEMENT : FLOAT_BY_ELEMENT)[field(f, 'U')]?.[field(f, 'opcode')] ?? '';
    const isLong = isInteger && name.length > 3 && /l$/.test(name);
    const { m, amount } = elementOf(f, size);
    const bytes = !isLong ? sameBytes(f, key, size) : isScalar(key) ? size * 2 : 16;
    return simdCall(`${name}.e.${size}`, { d: vector(field(f, 'Rd')), n: vector(field(f, 'Rn')), m }, { bytes, amount, part: isLong ? half(f, key) : 0 });
  },
};

const AES = names('aese aesd aesmc aesimc');
const SHA_THREE = names('sha1c sha1p sha1m sha1su0 sha256h sha256h2 sha256su1');
const SHA_TWO = names('sha1h sha1su1 sha256su0');
const FIRST_AES = 4;

const cryptography: InstructionClass = {
  keys: ['crypto_aes', 'crypto_sha_three', 'crypto_sha_two'],
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const opcode = field(f, 'opcode');
    const name = key === 'crypto_aes' ? AES[opcode - FIRST_AES] : (key === 'crypto_sha_three' ? SHA_THREE : SHA_TWO)[opcode];
    return simdCall(name ?? '', registers(f), { bytes: 16 });
  },
};

/** All classes of this file. */
export const vectorClasses: readonly InstructionClass[] = [
  threeSame, floatThreeSame, threeDifferent, twoRegister, floatTwoRegister, floatCompareZero, convertPrecision, acrossLanes, scalarPairwise,
  permutes, shifts, byElement, cryptography,
];
