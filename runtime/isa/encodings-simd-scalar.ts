/** Advanced SIMD on one element, and the cryptographic extension: Arm ARM (DDI 0487) C4.1, bit 28 = 1 and bits 31:24 = 0x4E, 0x5E, 0xCE. */

import { field, group } from './encoding-rows';
import type { GroupHeader, Row } from './encoding-rows';
import type { Encoding, Feature, Fields } from './interface';

const anySize = (): boolean => true;
const doubleword = (f: Fields): boolean => f['size'] === 3;
const halfOrSingle = (f: Fields): boolean => f['size'] === 1 || f['size'] === 2;
const narrow = (f: Fields): boolean => f['size'] !== 3;

type Operation = readonly [u: string, opcode: string, name: string, valid: (f: Fields) => boolean];
const header = (name: string, feature: Feature = 'ADVSIMD'): GroupHeader => ({ class: name, feature });
const rows = (shared: GroupHeader, form: string, operations: readonly Operation[], pattern: string): readonly Encoding[] =>
  operations.flatMap(([u, opcode, name, valid]) => group({ ...shared, valid },
    [[`${name} (${form})`, name.toLowerCase(), pattern.replace('U', `U=${u}`).replace('OPCODE', `opcode=${opcode}`)]]));

const threeSame: readonly Operation[] = [
  ['0', '00001', 'SQADD', anySize], ['0', '00101', 'SQSUB', anySize], ['0', '00110', 'CMGT', doubleword], ['0', '00111', 'CMGE', doubleword],
  ['0', '01000', 'SSHL', doubleword], ['0', '01001', 'SQSHL', anySize], ['0', '01010', 'SRSHL', doubleword], ['0', '01011', 'SQRSHL', anySize],
  ['0', '10000', 'ADD', doubleword], ['0', '10001', 'CMTST', doubleword], ['0', '10110', 'SQDMULH', halfOrSingle],
  ['1', '00001', 'UQADD', anySize], ['1', '00101', 'UQSUB', anySize], ['1', '00110', 'CMHI', doubleword], ['1', '00111', 'CMHS', doubleword],
  ['1', '01000', 'USHL', doubleword], ['1', '01001', 'UQSHL', anySize], ['1', '01010', 'URSHL', doubleword], ['1', '01011', 'UQRSHL', anySize],
  ['1', '10000', 'SUB', doubleword], ['1', '10001', 'CMEQ', doubleword], ['1', '10110', 'SQRDMULH', halfOrSingle],
];
const floatThreeSame = [
  ['0', '0', '011', 'FMULX'], ['0', '0', '100', 'FCMEQ'], ['0', '0', '111', 'FRECPS'], ['0', '1', '111', 'FRSQRTS'],
  ['1', '0', '100', 'FCMGE'], ['1', '0', '101', 'FACGE'], ['1', '1', '010', 'FABD'], ['1', '1', '100', 'FCMGT'], ['1', '1', '101', 'FACGT'],
] as const;
const twoRegister: readonly Operation[] = [
  ['0', '00011', 'SUQADD', anySize], ['0', '00111', 'SQABS', anySize], ['0', '01011', 'ABS', doubleword], ['0', '10100', 'SQXTN', narrow],
  ['1', '00011', 'USQADD', anySize], ['1', '00111', 'SQNEG', anySize], ['1', '01011', 'NEG', doubleword], ['1', '10010', 'SQXTUN', narrow], ['1', '10100', 'UQXTN', narrow],
];
const compareZero: readonly Operation[] = [
  ['0', '01000', 'CMGT', doubleword], ['0', '01001', 'CMEQ', doubleword], ['0', '01010', 'CMLT', doubleword], ['1', '01000', 'CMGE', doubleword], ['1', '01001', 'CMLE', doubleword],
];
const floatTwoRegister = [
  ['0', '0', '11010', 'FCVTNS'], ['0', '0', '11011', 'FCVTMS'], ['0', '0', '11100', 'FCVTAS'], ['0', '0', '11101', 'SCVTF'],
  ['0', '1', '11010', 'FCVTPS'], ['0', '1', '11011', 'FCVTZS'], ['0', '1', '11101', 'FRECPE'], ['0', '1', '11111', 'FRECPX'],
  ['1', '0', '11010', 'FCVTNU'], ['1', '0', '11011', 'FCVTMU'], ['1', '0', '11100', 'FCVTAU'], ['1', '0', '11101', 'UCVTF'],
  ['1', '1', '11010', 'FCVTPU'], ['1', '1', '11011', 'FCVTZU'], ['1', '1', '11101', 'FRSQRTE'],
] as const;
const floatCompareZero = [['0', '01100', 'FCMGT'], ['0', '01101', 'FCMEQ'], ['0', '01110', 'FCMLT'], ['1', '01100', 'FCMGE'], ['1', '01101', 'FCMLE']] as const;
const pairwise = [['0', '01100', 'FMAXNMP'], ['0', '01101', 'FADDP'], ['0', '01111', 'FMAXP'], ['1', '01100', 'FMINNMP'], ['1', '01111', 'FMINP']] as const;

const arithmetic: readonly Encoding[] = [
  ...rows(header('simd_scalar_three_same'), 'scalar', threeSame, '01 U 11110 size:2 1 Rm:5 OPCODE 1 Rn:5 Rd:5'),
  ...group(header('simd_scalar_three_same_float'), floatThreeSame.map(([u, a, opcode, name]): Row =>
    [`${name} (scalar)`, name.toLowerCase(), `01 U=${u} 11110 a=${a} sz 1 Rm:5 11 opcode=${opcode} 1 Rn:5 Rd:5`])),
  ...group(header('simd_scalar_three_same_half', 'FP16'), floatThreeSame.map(([u, a, opcode, name]): Row =>
    [`${name} (scalar)`, name.toLowerCase(), `01 U=${u} 11110 a=${a} 10 Rm:5 00 opcode=${opcode} 1 Rn:5 Rd:5`])),
  ...rows(header('simd_scalar_three_same_extra', 'RDM'), 'scalar', [['1', '0000', 'SQRDMLAH', halfOrSingle], ['1', '0001', 'SQRDMLSH', halfOrSingle]],
    '01 U 11110 size:2 0 Rm:5 1 OPCODE 1 Rn:5 Rd:5'),
  ...rows(header('simd_scalar_three_different'), 'scalar', [['0', '1001', 'SQDMLAL', halfOrSingle], ['0', '1011', 'SQDMLSL', halfOrSingle], ['0', '1101', 'SQDMULL', halfOrSingle]],
    '01 U 11110 size:2 1 Rm:5 OPCODE 00 Rn:5 Rd:5'),
  ...rows(header('simd_scalar_two_register'), 'scalar', twoRegister, '01 U 11110 size:2 10000 OPCODE 10 Rn:5 Rd:5'),
  ...rows(header('simd_scalar_compare_zero'), 'scalar, zero', compareZero, '01 U 11110 size:2 10000 OPCODE 10 Rn:5 Rd:5'),
  ...group(header('simd_scalar_two_register_float'), floatTwoRegister.map(([u, a, opcode, name]): Row =>
    [`${name} (scalar)`, name.toLowerCase(), `01 U=${u} 11110 a=${a} sz 10000 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group(header('simd_scalar_two_register_half', 'FP16'), floatTwoRegister.map(([u, a, opcode, name]): Row =>
    [`${name} (scalar)`, name.toLowerCase(), `01 U=${u} 11110 a=${a} 111100 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group(header('simd_scalar_compare_zero_float'), floatCompareZero.map(([u, opcode, name]): Row =>
    [`${name} (scalar, zero)`, name.toLowerCase(), `01 U=${u} 11110 a=1 sz 10000 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group(header('simd_scalar_compare_zero_half', 'FP16'), floatCompareZero.map(([u, opcode, name]): Row =>
    [`${name} (scalar, zero)`, name.toLowerCase(), `01 U=${u} 11110 a=1 111100 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group(header('simd_scalar_convert_precision'), [['FCVTXN (scalar)', 'fcvtxn', '01 U=1 11110 a=0 sz=1 10000 opcode=10110 10 Rn:5 Rd:5']]),
  ...group(header('simd_scalar_pairwise'), [['ADDP (scalar)', 'addp', '01 U=0 11110 size=11 11000 opcode=11011 10 Rn:5 Rd:5']]),
  ...group(header('simd_scalar_pairwise_float'), pairwise.map(([a, opcode, name]): Row =>
    [`${name} (scalar)`, name.toLowerCase(), `01 U=1 11110 a=${a} sz 11000 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group(header('simd_scalar_pairwise_half', 'FP16'), pairwise.map(([a, opcode, name]): Row =>
    [`${name} (scalar)`, name.toLowerCase(), `01 U=0 11110 a=${a} sz=0 11000 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group({ ...header('simd_scalar_copy'), valid: (f) => (field(f, 'imm5') & 15) !== 0 }, [['DUP (scalar)', 'dup', '01 op=0 11110000 imm5:5 0 imm4=0000 1 Rn:5 Rd:5']]),
];

type Shift = readonly [u: string, opcode: string, name: string];
const doublewordShifts: readonly Shift[] = [
  ['0', '00000', 'SSHR'], ['0', '00010', 'SSRA'], ['0', '00100', 'SRSHR'], ['0', '00110', 'SRSRA'], ['0', '01010', 'SHL'],
  ['1', '00000', 'USHR'], ['1', '00010', 'USRA'], ['1', '00100', 'URSHR'], ['1', '00110', 'URSRA'], ['1', '01000', 'SRI'], ['1', '01010', 'SLI'],
];
const saturatingShifts: readonly Shift[] = [['0', '01110', 'SQSHL'], ['1', '01100', 'SQSHLU'], ['1', '01110', 'UQSHL']];
const narrowingShifts: readonly Shift[] = [
  ['0', '10010', 'SQSHRN'], ['0', '10011', 'SQRSHRN'], ['1', '10000', 'SQSHRUN'], ['1', '10001', 'SQRSHRUN'], ['1', '10010', 'UQSHRN'], ['1', '10011', 'UQRSHRN'],
];
const fixedPoint: readonly Shift[] = [['0', '11100', 'SCVTF'], ['0', '11111', 'FCVTZS'], ['1', '11100', 'UCVTF'], ['1', '11111', 'FCVTZU']];
const shiftRow = ([u, opcode, name]: Shift, immh = 'immh:4'): Row =>
  [`${name} (scalar, shift)`, name.toLowerCase(), `01 U=${u} 111110 ${immh} immb:3 opcode=${opcode} 1 Rn:5 Rd:5`];

const shifts: readonly Encoding[] = [
  ...group(header('simd_scalar_shift_immediate'), doublewordShifts.map((shift) => shiftRow(shift, 'immh=1xxx'))),
  ...group({ ...header('simd_scalar_shift_immediate'), valid: (f) => field(f, 'immh') !== 0 }, saturatingShifts.map((shift) => shiftRow(shift))),
  ...group({ ...header('simd_scalar_shift_immediate_width'), valid: (f) => field(f, 'immh') !== 0 && field(f, 'immh') < 8 }, narrowingShifts.map((shift) => shiftRow(shift))),
  ...group({ ...header('simd_scalar_convert_fixed'), valid: (f) => field(f, 'immh') >= 4 }, fixedPoint.map((shift) => shiftRow(shift))),
  ...group(header('simd_scalar_convert_fixed', 'FP16'), fixedPoint.map((shift) => shiftRow(shift, 'immh=001x'))),
];

const byElement: readonly (readonly [Feature, Operation])[] = [
  ['ADVSIMD', ['0', '0011', 'SQDMLAL', halfOrSingle]], ['ADVSIMD', ['0', '0111', 'SQDMLSL', halfOrSingle]], ['ADVSIMD', ['0', '1011', 'SQDMULL', halfOrSingle]],
  ['ADVSIMD', ['0', '1100', 'SQDMULH', halfOrSingle]], ['ADVSIMD', ['0', '1101', 'SQRDMULH', halfOrSingle]],
  ['RDM', ['1', '1101', 'SQRDMLAH', halfOrSingle]], ['RDM', ['1', '1111', 'SQRDMLSH', halfOrSingle]],
];
const floatByElement = [['0', '0001', 'FMLA'], ['0', '0101', 'FMLS'], ['0', '1001', 'FMUL'], ['1', '1001', 'FMULX']] as const;

const elements: readonly Encoding[] = [
  ...byElement.flatMap(([feature, operation]) =>
    rows(header('simd_scalar_by_element', feature), 'scalar, by element', [operation], '01 U 11111 size:2 L M Rm:4 OPCODE H 0 Rn:5 Rd:5')),
  ...group({ ...header('simd_scalar_by_element_float'), valid: (f) => f['sz'] === 0 || f['L'] === 0 }, floatByElement.map(([u, opcode, name]): Row =>
    [`${name} (scalar, by element)`, name.toLowerCase(), `01 U=${u} 11111 1 sz L M Rm:4 opcode=${opcode} H 0 Rn:5 Rd:5`])),
  ...group(header('simd_scalar_by_element_half', 'FP16'), floatByElement.map(([u, opcode, name]): Row =>
    [`${name} (scalar, by element)`, name.toLowerCase(), `01 U=${u} 11111 00 L M Rm:4 opcode=${opcode} H 0 Rn:5 Rd:5`])),
];

const cryptography: readonly Encoding[] = [
  ...group(header('crypto_aes', 'AES'), [['AESE', '00100'], ['AESD', '00101'], ['AESMC', '00110'], ['AESIMC', '00111']].map(([name = '', opcode = '']): Row =>
    [name, name.toLowerCase(), `01001110 00 10100 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group(header('crypto_sha_three', 'SHA1'), [['SHA1C', '000'], ['SHA1P', '001'], ['SHA1M', '010'], ['SHA1SU0', '011']].map(([name = '', opcode = '']): Row =>
    [name, name.toLowerCase(), `01011110 000 Rm:5 0 opcode=${opcode} 00 Rn:5 Rd:5`])),
  ...group(header('crypto_sha_three', 'SHA256'), [['SHA256H', '100'], ['SHA256H2', '101'], ['SHA256SU1', '110']].map(([name = '', opcode = '']): Row =>
    [name, name.toLowerCase(), `01011110 000 Rm:5 0 opcode=${opcode} 00 Rn:5 Rd:5`])),
  ...group(header('crypto_sha_two', 'SHA1'), [
    ['SHA1H', 'sha1h', '01011110 00 10100 opcode=00000 10 Rn:5 Rd:5'],
    ['SHA1SU1', 'sha1su1', '01011110 00 10100 opcode=00001 10 Rn:5 Rd:5'],
  ]),
  ...group(header('crypto_sha_two', 'SHA256'), [['SHA256SU0', 'sha256su0', '01011110 00 10100 opcode=00010 10 Rn:5 Rd:5']]),
  ...group(header('crypto_sha512_three', 'SHA512'), [['SHA512H', '00'], ['SHA512H2', '01'], ['SHA512SU1', '10']].map(([name = '', opcode = '']): Row =>
    [name, name.toLowerCase(), `11001110011 Rm:5 1000 opcode=${opcode} Rn:5 Rd:5`])),
  ...group(header('crypto_sha512_three', 'SHA3'), [['RAX1', 'rax1', '11001110011 Rm:5 1000 opcode=11 Rn:5 Rd:5']]),
  ...group(header('crypto_sha512_two', 'SHA512'), [['SHA512SU0', 'sha512su0', '1100111011000000100000 Rn:5 Rd:5']]),
  ...group(header('crypto_sha3_four', 'SHA3'), [
    ['EOR3', 'eor3', '110011100 Op0=00 Rm:5 0 Ra:5 Rn:5 Rd:5'],
    ['BCAX', 'bcax', '110011100 Op0=01 Rm:5 0 Ra:5 Rn:5 Rd:5'],
  ]),
  ...group(header('crypto_sha3_rotate', 'SHA3'), [['XAR', 'xar', '11001110100 Rm:5 imm6:6 Rn:5 Rd:5']]),
  ...group(header('crypto_sm3_four', 'SM3'), [['SM3SS1', 'sm3ss1', '110011100 Op0=10 Rm:5 0 Ra:5 Rn:5 Rd:5']]),
  ...group(header('crypto_sm3_element', 'SM3'), [['SM3TT1A', '00'], ['SM3TT1B', '01'], ['SM3TT2A', '10'], ['SM3TT2B', '11']].map(([name = '', opcode = '']): Row =>
    [name, name.toLowerCase(), `11001110010 Rm:5 10 imm2:2 opcode=${opcode} Rn:5 Rd:5`])),
  ...group(header('crypto_sm_three', 'SM3'), [
    ['SM3PARTW1', 'sm3partw1', '11001110011 Rm:5 1100 opcode=00 Rn:5 Rd:5'],
    ['SM3PARTW2', 'sm3partw2', '11001110011 Rm:5 1100 opcode=01 Rn:5 Rd:5'],
  ]),
  ...group(header('crypto_sm_three', 'SM4'), [['SM4EKEY', 'sm4ekey', '11001110011 Rm:5 1100 opcode=10 Rn:5 Rd:5']]),
  ...group(header('crypto_sm_two', 'SM4'), [['SM4E', 'sm4e', '1100111011000000100001 Rn:5 Rd:5']]),
];

/** All rows of this group. */
export const simdScalarEncodings: readonly Encoding[] = [...arithmetic, ...shifts, ...elements, ...cryptography];
