/** Advanced SIMD on vectors: Arm ARM (DDI 0487) C4.1, "Data Processing -- Scalar Floating-Point and Advanced SIMD", bit 28 = 0. */

import { field, group } from './encoding-rows';
import type { Row } from './encoding-rows';
import type { Encoding, Feature, Fields } from './interface';

/** Element sizes that an operation has: `bhs` all but doubleword, `bhsd` doubleword needs Q, and so on. */
const sizes = {
  any: () => true,
  b: (f: Fields) => f['size'] === 0,
  bh: (f: Fields) => field(f, 'size') < 2,
  hs: (f: Fields) => f['size'] === 1 || f['size'] === 2,
  s: (f: Fields) => f['size'] === 2,
  bhs: (f: Fields) => f['size'] !== 3,
  bhsd: (f: Fields) => f['size'] !== 3 || f['Q'] === 1,
} as const;
/** Single precision, or double with Q. */
const floatSizes = (f: Fields): boolean => f['sz'] === 0 || f['Q'] === 1;

type Operation = readonly [u: string, opcode: string, name: string, size: keyof typeof sizes];

const integerRows = (header: { readonly class: string; readonly feature?: Feature }, form: string, operations: readonly Operation[], pattern: string): readonly Encoding[] =>
  operations.flatMap(([u, opcode, name, size]) => group({ feature: 'ADVSIMD', ...header, valid: sizes[size] },
    [[`${name} (${form})`, name.toLowerCase(), pattern.replace('U', `U=${u}`).replace('OPCODE', `opcode=${opcode}`)]]));

const threeSame: readonly Operation[] = [
  ['0', '00000', 'SHADD', 'bhs'], ['0', '00001', 'SQADD', 'bhsd'], ['0', '00010', 'SRHADD', 'bhs'], ['0', '00100', 'SHSUB', 'bhs'], ['0', '00101', 'SQSUB', 'bhsd'],
  ['0', '00110', 'CMGT', 'bhsd'], ['0', '00111', 'CMGE', 'bhsd'], ['0', '01000', 'SSHL', 'bhsd'], ['0', '01001', 'SQSHL', 'bhsd'], ['0', '01010', 'SRSHL', 'bhsd'],
  ['0', '01011', 'SQRSHL', 'bhsd'], ['0', '01100', 'SMAX', 'bhs'], ['0', '01101', 'SMIN', 'bhs'], ['0', '01110', 'SABD', 'bhs'], ['0', '01111', 'SABA', 'bhs'],
  ['0', '10000', 'ADD', 'bhsd'], ['0', '10001', 'CMTST', 'bhsd'], ['0', '10010', 'MLA', 'bhs'], ['0', '10011', 'MUL', 'bhs'], ['0', '10100', 'SMAXP', 'bhs'],
  ['0', '10101', 'SMINP', 'bhs'], ['0', '10110', 'SQDMULH', 'hs'], ['0', '10111', 'ADDP', 'bhsd'],
  ['1', '00000', 'UHADD', 'bhs'], ['1', '00001', 'UQADD', 'bhsd'], ['1', '00010', 'URHADD', 'bhs'], ['1', '00100', 'UHSUB', 'bhs'], ['1', '00101', 'UQSUB', 'bhsd'],
  ['1', '00110', 'CMHI', 'bhsd'], ['1', '00111', 'CMHS', 'bhsd'], ['1', '01000', 'USHL', 'bhsd'], ['1', '01001', 'UQSHL', 'bhsd'], ['1', '01010', 'URSHL', 'bhsd'],
  ['1', '01011', 'UQRSHL', 'bhsd'], ['1', '01100', 'UMAX', 'bhs'], ['1', '01101', 'UMIN', 'bhs'], ['1', '01110', 'UABD', 'bhs'], ['1', '01111', 'UABA', 'bhs'],
  ['1', '10000', 'SUB', 'bhsd'], ['1', '10001', 'CMEQ', 'bhsd'], ['1', '10010', 'MLS', 'bhs'], ['1', '10011', 'PMUL', 'b'], ['1', '10100', 'UMAXP', 'bhs'],
  ['1', '10101', 'UMINP', 'bhs'], ['1', '10110', 'SQRDMULH', 'hs'],
];

/** U, a, low three opcode bits (single and double: 11xxx, half: 00xxx), name. */
const floatThreeSame = [
  ['0', '0', '000', 'FMAXNM'], ['0', '0', '001', 'FMLA'], ['0', '0', '010', 'FADD'], ['0', '0', '011', 'FMULX'], ['0', '0', '100', 'FCMEQ'], ['0', '0', '110', 'FMAX'],
  ['0', '0', '111', 'FRECPS'], ['0', '1', '000', 'FMINNM'], ['0', '1', '001', 'FMLS'], ['0', '1', '010', 'FSUB'], ['0', '1', '110', 'FMIN'], ['0', '1', '111', 'FRSQRTS'],
  ['1', '0', '000', 'FMAXNMP'], ['1', '0', '010', 'FADDP'], ['1', '0', '011', 'FMUL'], ['1', '0', '100', 'FCMGE'], ['1', '0', '101', 'FACGE'], ['1', '0', '110', 'FMAXP'],
  ['1', '0', '111', 'FDIV'], ['1', '1', '000', 'FMINNMP'], ['1', '1', '010', 'FABD'], ['1', '1', '100', 'FCMGT'], ['1', '1', '101', 'FACGT'], ['1', '1', '110', 'FMINP'],
] as const;
const logical = [['0', '00', 'AND'], ['0', '01', 'BIC'], ['0', '10', 'ORR'], ['0', '11', 'ORN'], ['1', '00', 'EOR'], ['1', '01', 'BSL'], ['1', '10', 'BIT'], ['1', '11', 'BIF']] as const;
const longMultiply = [['0', '0', '11101', 'FMLAL'], ['0', '1', '11101', 'FMLSL'], ['1', '0', '11001', 'FMLAL2'], ['1', '1', '11001', 'FMLSL2']] as const;

const threeSameRows: readonly Encoding[] = [
  ...integerRows({ class: 'simd_three_same' }, 'vector', threeSame, '0 Q U 01110 size:2 1 Rm:5 OPCODE 1 Rn:5 Rd:5'),
  ...group({ class: 'simd_three_same_logical', feature: 'ADVSIMD' }, logical.map(([u, size, name]): Row =>
    [`${name} (vector)`, name.toLowerCase(), `0 Q U=${u} 01110 size=${size} 1 Rm:5 opcode=00011 1 Rn:5 Rd:5`])),
  ...group({ class: 'simd_three_same_float', feature: 'ADVSIMD', valid: floatSizes }, floatThreeSame.map(([u, a, opcode, name]): Row =>
    [`${name} (vector)`, name.toLowerCase(), `0 Q U=${u} 01110 a=${a} sz 1 Rm:5 11 opcode=${opcode} 1 Rn:5 Rd:5`])),
  ...group({ class: 'simd_three_same_half', feature: 'FP16' }, floatThreeSame.map(([u, a, opcode, name]): Row =>
    [`${name} (vector)`, name.toLowerCase(), `0 Q U=${u} 01110 a=${a} 10 Rm:5 00 opcode=${opcode} 1 Rn:5 Rd:5`])),
  ...group({ class: 'simd_multiply_long_half', feature: 'FHM' }, longMultiply.map(([u, a, opcode, name]): Row =>
    [`${name} (vector)`, name.toLowerCase(), `0 Q U=${u} 01110 a=${a} 0 1 Rm:5 opcode=${opcode} 1 Rn:5 Rd:5`])),
];

const dotProducts: readonly (readonly [Feature, Operation])[] = [
  ['DOTPROD', ['0', '0010', 'SDOT', 's']], ['DOTPROD', ['1', '0010', 'UDOT', 's']], ['I8MM', ['0', '0011', 'USDOT', 's']],
  ['RDM', ['1', '0000', 'SQRDMLAH', 'hs']], ['RDM', ['1', '0001', 'SQRDMLSH', 'hs']],
];
const matrix = [
  ['I8MM', '1', '0', '10', '0100', 'SMMLA'], ['I8MM', '1', '1', '10', '0100', 'UMMLA'], ['I8MM', '1', '0', '10', '0101', 'USMMLA'], ['BF16', '1', '1', '01', '1101', 'BFMMLA'],
  ['BF16', 'x', '1', '01', '1111', 'BFDOT'], ['BF16', 'x', '1', '11', '1111', 'BFMLAL'],
] as const;
const complexSizes = (f: Fields): boolean => f['size'] !== 0 && (f['size'] !== 3 || f['Q'] === 1);

const extraRows: readonly Encoding[] = [
  ...dotProducts.flatMap(([feature, operation]) => integerRows({ class: 'simd_three_same_extra', feature }, 'vector', [operation], '0 Q U 01110 size:2 0 Rm:5 1 OPCODE 1 Rn:5 Rd:5')),
  ...matrix.flatMap(([feature, q, u, size, opcode, name]) => group({ class: 'simd_matrix', feature },
    [[`${name} (vector)`, name.toLowerCase(), `0 Q=${q} U=${u} 01110 size=${size} 0 Rm:5 1 opcode=${opcode} 1 Rn:5 Rd:5`]])),
  ...group({ class: 'simd_complex', feature: 'FCMA', valid: complexSizes }, [
    ['FCMLA (vector)', 'fcmla', '0 Q U=1 01110 size:2 0 Rm:5 1 10 rot:2 1 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'simd_complex_add', feature: 'FCMA', valid: complexSizes }, [
    ['FCADD', 'fcadd', '0 Q U=1 01110 size:2 0 Rm:5 1 11 rot 0 1 Rn:5 Rd:5'],
  ]),
];

const threeDifferent: readonly Operation[] = [
  ['0', '0000', 'SADDL', 'bhs'], ['0', '0001', 'SADDW', 'bhs'], ['0', '0010', 'SSUBL', 'bhs'], ['0', '0011', 'SSUBW', 'bhs'], ['0', '0100', 'ADDHN', 'bhs'],
  ['0', '0101', 'SABAL', 'bhs'], ['0', '0110', 'SUBHN', 'bhs'], ['0', '0111', 'SABDL', 'bhs'], ['0', '1000', 'SMLAL', 'bhs'], ['0', '1001', 'SQDMLAL', 'hs'],
  ['0', '1010', 'SMLSL', 'bhs'], ['0', '1011', 'SQDMLSL', 'hs'], ['0', '1100', 'SMULL', 'bhs'], ['0', '1101', 'SQDMULL', 'hs'], ['0', '1110', 'PMULL', 'b'],
  ['1', '0000', 'UADDL', 'bhs'], ['1', '0001', 'UADDW', 'bhs'], ['1', '0010', 'USUBL', 'bhs'], ['1', '0011', 'USUBW', 'bhs'], ['1', '0100', 'RADDHN', 'bhs'],
  ['1', '0101', 'UABAL', 'bhs'], ['1', '0110', 'RSUBHN', 'bhs'], ['1', '0111', 'UABDL', 'bhs'], ['1', '1000', 'UMLAL', 'bhs'], ['1', '1010', 'UMLSL', 'bhs'], ['1', '1100', 'UMULL', 'bhs'],
];

const twoRegister: readonly Operation[] = [
  ['0', '00000', 'REV64', 'bhs'], ['0', '00001', 'REV16', 'b'], ['0', '00010', 'SADDLP', 'bhs'], ['0', '00011', 'SUQADD', 'bhsd'], ['0', '00100', 'CLS', 'bhs'],
  ['0', '00101', 'CNT', 'b'], ['0', '00110', 'SADALP', 'bhs'], ['0', '00111', 'SQABS', 'bhsd'], ['0', '01011', 'ABS', 'bhsd'], ['0', '10010', 'XTN', 'bhs'], ['0', '10100', 'SQXTN', 'bhs'],
  ['1', '00000', 'REV32', 'bh'], ['1', '00010', 'UADDLP', 'bhs'], ['1', '00011', 'USQADD', 'bhsd'], ['1', '00100', 'CLZ', 'bhs'], ['1', '00110', 'UADALP', 'bhs'],
  ['1', '00111', 'SQNEG', 'bhsd'], ['1', '01011', 'NEG', 'bhsd'], ['1', '10010', 'SQXTUN', 'bhs'], ['1', '10011', 'SHLL', 'bhs'], ['1', '10100', 'UQXTN', 'bhs'],
];
const compareZero: readonly Operation[] = [
  ['0', '01000', 'CMGT', 'bhsd'], ['0', '01001', 'CMEQ', 'bhsd'], ['0', '01010', 'CMLT', 'bhsd'], ['1', '01000', 'CMGE', 'bhsd'], ['1', '01001', 'CMLE', 'bhsd'],
];
/** U, a, opcode, name; the same in single, double and half precision. */
const floatTwoRegister = [
  ['0', '0', '11000', 'FRINTN'], ['0', '0', '11001', 'FRINTM'], ['0', '0', '11010', 'FCVTNS'], ['0', '0', '11011', 'FCVTMS'], ['0', '0', '11100', 'FCVTAS'], ['0', '0', '11101', 'SCVTF'],
  ['0', '1', '01111', 'FABS'], ['0', '1', '11000', 'FRINTP'], ['0', '1', '11001', 'FRINTZ'], ['0', '1', '11010', 'FCVTPS'], ['0', '1', '11011', 'FCVTZS'], ['0', '1', '11101', 'FRECPE'],
  ['1', '0', '11000', 'FRINTA'], ['1', '0', '11001', 'FRINTX'], ['1', '0', '11010', 'FCVTNU'], ['1', '0', '11011', 'FCVTMU'], ['1', '0', '11100', 'FCVTAU'], ['1', '0', '11101', 'UCVTF'],
  ['1', '1', '01111', 'FNEG'], ['1', '1', '11001', 'FRINTI'], ['1', '1', '11010', 'FCVTPU'], ['1', '1', '11011', 'FCVTZU'], ['1', '1', '11101', 'FRSQRTE'], ['1', '1', '11111', 'FSQRT'],
] as const;
const floatCompareZero = [['0', '01100', 'FCMGT'], ['0', '01101', 'FCMEQ'], ['0', '01110', 'FCMLT'], ['1', '01100', 'FCMGE'], ['1', '01101', 'FCMLE']] as const;
const roundToSize = [['0', '11110', 'FRINT32Z'], ['1', '11110', 'FRINT32X'], ['0', '11111', 'FRINT64Z'], ['1', '11111', 'FRINT64X']] as const;

const twoRegisterRows: readonly Encoding[] = [
  ...integerRows({ class: 'simd_three_different' }, 'vector', threeDifferent, '0 Q U 01110 size:2 1 Rm:5 OPCODE 00 Rn:5 Rd:5'),
  ...group({ class: 'simd_three_different', feature: 'PMULL' }, [['PMULL (vector)', 'pmull', '0 Q U=0 01110 size=11 1 Rm:5 opcode=1110 00 Rn:5 Rd:5']]),
  ...integerRows({ class: 'simd_two_register' }, 'vector', twoRegister, '0 Q U 01110 size:2 10000 OPCODE 10 Rn:5 Rd:5'),
  ...integerRows({ class: 'simd_compare_zero' }, 'zero', compareZero, '0 Q U 01110 size:2 10000 OPCODE 10 Rn:5 Rd:5'),
  ...group({ class: 'simd_two_register_bits', feature: 'ADVSIMD' }, [
    ['NOT (vector)', 'not', '0 Q U=1 01110 size=00 10000 opcode=00101 10 Rn:5 Rd:5'],
    ['RBIT (vector)', 'rbit', '0 Q U=1 01110 size=01 10000 opcode=00101 10 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'simd_two_register_float', feature: 'ADVSIMD', valid: floatSizes }, floatTwoRegister.map(([u, a, opcode, name]): Row =>
    [`${name} (vector)`, name.toLowerCase(), `0 Q U=${u} 01110 a=${a} sz 10000 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group({ class: 'simd_two_register_half', feature: 'FP16' }, floatTwoRegister.map(([u, a, opcode, name]): Row =>
    [`${name} (vector)`, name.toLowerCase(), `0 Q U=${u} 01110 a=${a} 111100 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group({ class: 'simd_compare_zero_float', feature: 'ADVSIMD', valid: floatSizes }, floatCompareZero.map(([u, opcode, name]): Row =>
    [`${name} (zero)`, name.toLowerCase(), `0 Q U=${u} 01110 a=1 sz 10000 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group({ class: 'simd_compare_zero_half', feature: 'FP16' }, floatCompareZero.map(([u, opcode, name]): Row =>
    [`${name} (zero)`, name.toLowerCase(), `0 Q U=${u} 01110 a=1 111100 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group({ class: 'simd_two_register_float', feature: 'FRINTTS', valid: floatSizes }, roundToSize.map(([u, opcode, name]): Row =>
    [`${name} (vector)`, name.toLowerCase(), `0 Q U=${u} 01110 a=0 sz 10000 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group({ class: 'simd_convert_precision', feature: 'ADVSIMD' }, [
    ['FCVTN, FCVTN2', 'fcvtn', '0 Q U=0 01110 a=0 sz 10000 opcode=10110 10 Rn:5 Rd:5'],
    ['FCVTL, FCVTL2', 'fcvtl', '0 Q U=0 01110 a=0 sz 10000 opcode=10111 10 Rn:5 Rd:5'],
    ['FCVTXN, FCVTXN2', 'fcvtxn', '0 Q U=1 01110 a=0 sz=1 10000 opcode=10110 10 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'simd_convert_precision', feature: 'BF16' }, [['BFCVTN, BFCVTN2', 'bfcvtn', '0 Q U=0 01110 a=1 sz=0 10000 opcode=10110 10 Rn:5 Rd:5']]),
  ...group({ class: 'simd_reciprocal_integer', feature: 'ADVSIMD' }, [
    ['URECPE', 'urecpe', '0 Q U=0 01110 a=1 sz=0 10000 opcode=11100 10 Rn:5 Rd:5'],
    ['URSQRTE', 'ursqrte', '0 Q U=1 01110 a=1 sz=0 10000 opcode=11100 10 Rn:5 Rd:5'],
  ]),
];

const acrossSizes = (f: Fields): boolean => f['size'] !== 3 && (f['size'] !== 2 || f['Q'] === 1);
const across = [
  ['0', '00011', 'SADDLV'], ['0', '01010', 'SMAXV'], ['0', '11010', 'SMINV'], ['0', '11011', 'ADDV'], ['1', '00011', 'UADDLV'], ['1', '01010', 'UMAXV'], ['1', '11010', 'UMINV'],
] as const;
const floatAcross = [['0', '01100', 'FMAXNMV'], ['1', '01100', 'FMINNMV'], ['0', '01111', 'FMAXV'], ['1', '01111', 'FMINV']] as const;
const permutes = [['UZP1', '001'], ['TRN1', '010'], ['ZIP1', '011'], ['UZP2', '101'], ['TRN2', '110'], ['ZIP2', '111']] as const;

/** True if the lowest set bit of imm5 selects an element of at most 1 << `log2Max` bytes. */
const elementUpTo = (f: Fields, log2Max: number): boolean => (field(f, 'imm5') & ((2 << log2Max) - 1)) !== 0;
const copy = (valid: (f: Fields) => boolean, row: Row): readonly Encoding[] => group({ class: 'simd_copy', feature: 'ADVSIMD', valid }, [row]);

const lanesRows: readonly Encoding[] = [
  ...group({ class: 'simd_across_lanes', feature: 'ADVSIMD', valid: acrossSizes }, across.map(([u, opcode, name]): Row =>
    [name, name.toLowerCase(), `0 Q U=${u} 01110 size:2 11000 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group({ class: 'simd_across_lanes_float', feature: 'ADVSIMD' }, floatAcross.map(([a, opcode, name]): Row =>
    [name, name.toLowerCase(), `0 Q=1 U=1 01110 a=${a} sz=0 11000 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group({ class: 'simd_across_lanes_float', feature: 'FP16' }, floatAcross.map(([a, opcode, name]): Row =>
    [name, name.toLowerCase(), `0 Q U=0 01110 a=${a} sz=0 11000 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group({ class: 'simd_permute', feature: 'ADVSIMD', valid: sizes.bhsd }, permutes.map(([name, opcode]): Row =>
    [name, name.toLowerCase(), `0 Q 001110 size:2 0 Rm:5 0 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...group({ class: 'simd_extract', feature: 'ADVSIMD', valid: (f) => f['Q'] === 1 || field(f, 'imm4') < 8 }, [
    ['EXT', 'ext', '0 Q 101110 000 Rm:5 0 imm4:4 0 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'simd_table', feature: 'ADVSIMD' }, [
    ['TBL', 'tbl', '0 Q 001110 000 Rm:5 0 len:2 op=0 00 Rn:5 Rd:5'],
    ['TBX', 'tbx', '0 Q 001110 000 Rm:5 0 len:2 op=1 00 Rn:5 Rd:5'],
  ]),
  ...copy((f) => elementUpTo(f, f['Q'] === 1 ? 3 : 2), ['DUP (element)', 'dup', '0 Q op=0 01110000 imm5:5 0 imm4=0000 1 Rn:5 Rd:5']),
  ...copy((f) => elementUpTo(f, f['Q'] === 1 ? 3 : 2), ['DUP (general)', 'dup', '0 Q op=0 01110000 imm5:5 0 imm4=0001 1 Rn:5 Rd:5']),
  ...copy((f) => elementUpTo(f, f['Q'] === 1 ? 2 : 1), ['SMOV', 'smov', '0 Q op=0 01110000 imm5:5 0 imm4=0101 1 Rn:5 Rd:5']),
  ...copy((f) => f['Q'] === 1 ? (field(f, 'imm5') & 15) === 8 : elementUpTo(f, 2), ['UMOV', 'umov', '0 Q op=0 01110000 imm5:5 0 imm4=0111 1 Rn:5 Rd:5']),
  ...copy((f) => elementUpTo(f, 3), ['INS (general)', 'ins', '0 Q=1 op=0 01110000 imm5:5 0 imm4=0011 1 Rn:5 Rd:5']),
  ...copy((f) => elementUpTo(f, 3), ['INS (element)', 'ins', '0 Q=1 op=1 01110000 imm5:5 0 imm4:4 1 Rn:5 Rd:5']),
];

const modifiedImmediates = [
  ['MOVI', 'x', '0', '0xx0'], ['ORR (vector, immediate)', 'x', '0', '0xx1'], ['MOVI', 'x', '0', '10x0'], ['ORR (vector, immediate)', 'x', '0', '10x1'],
  ['MOVI', 'x', '0', '110x'], ['MOVI', 'x', '0', '1110'], ['FMOV (vector, immediate)', 'x', '0', '1111'],
  ['MVNI', 'x', '1', '0xx0'], ['BIC (vector, immediate)', 'x', '1', '0xx1'], ['MVNI', 'x', '1', '10x0'], ['BIC (vector, immediate)', 'x', '1', '10x1'],
  ['MVNI', 'x', '1', '110x'], ['MOVI', 'x', '1', '1110'], ['FMOV (vector, immediate)', '1', '1', '1111'],
] as const;

type Shift = readonly [u: string, opcode: string, name: string];
const shifts: readonly Shift[] = [
  ['0', '00000', 'SSHR'], ['0', '00010', 'SSRA'], ['0', '00100', 'SRSHR'], ['0', '00110', 'SRSRA'], ['0', '01010', 'SHL'], ['0', '01110', 'SQSHL'],
  ['1', '00000', 'USHR'], ['1', '00010', 'USRA'], ['1', '00100', 'URSHR'], ['1', '00110', 'URSRA'], ['1', '01000', 'SRI'], ['1', '01010', 'SLI'], ['1', '01100', 'SQSHLU'], ['1', '01110', 'UQSHL'],
];
const shiftsThatChangeWidth: readonly Shift[] = [
  ['0', '10000', 'SHRN'], ['0', '10001', 'RSHRN'], ['0', '10010', 'SQSHRN'], ['0', '10011', 'SQRSHRN'], ['0', '10100', 'SSHLL'],
  ['1', '10000', 'SQSHRUN'], ['1', '10001', 'SQRSHRUN'], ['1', '10010', 'UQSHRN'], ['1', '10011', 'UQRSHRN'], ['1', '10100', 'USHLL'],
];
const fixedPoint: readonly Shift[] = [['0', '11100', 'SCVTF'], ['0', '11111', 'FCVTZS'], ['1', '11100', 'UCVTF'], ['1', '11111', 'FCVTZU']];
const shiftRow = ([u, opcode, name]: Shift, immh = 'immh:4'): Row =>
  [`${name} (vector, shift)`, name.toLowerCase(), `0 Q U=${u} 011110 ${immh} immb:3 opcode=${opcode} 1 Rn:5 Rd:5`];
const doublewordNeedsQ = (f: Fields): boolean => field(f, 'immh') !== 0 && (field(f, 'immh') < 8 || f['Q'] === 1);

const immediateRows: readonly Encoding[] = [
  ...group({ class: 'simd_modified_immediate', feature: 'ADVSIMD' }, modifiedImmediates.map(([name, q, op, cmode]): Row =>
    [name, name.split(' ')[0]?.toLowerCase() ?? '', `0 Q=${q} op=${op} 0111100000 abc:3 cmode=${cmode} o2=0 1 defgh:5 Rd:5`])),
  ...group({ class: 'simd_modified_immediate', feature: 'FP16' }, [
    ['FMOV (vector, immediate)', 'fmov', '0 Q op=0 0111100000 abc:3 cmode=1111 o2=1 1 defgh:5 Rd:5'],
  ]),
  ...group({ class: 'simd_shift_immediate', feature: 'ADVSIMD', valid: doublewordNeedsQ }, shifts.map((shift) => shiftRow(shift))),
  ...group({ class: 'simd_shift_immediate_width', feature: 'ADVSIMD', valid: (f) => field(f, 'immh') !== 0 && field(f, 'immh') < 8 }, shiftsThatChangeWidth.map((shift) => shiftRow(shift))),
  ...group({ class: 'simd_convert_fixed', feature: 'ADVSIMD', valid: (f) => field(f, 'immh') >= 4 && doublewordNeedsQ(f) }, fixedPoint.map((shift) => shiftRow(shift))),
  ...group({ class: 'simd_convert_fixed', feature: 'FP16' }, fixedPoint.map((shift) => shiftRow(shift, 'immh=001x'))),
];

const byElement: readonly (readonly [Feature, Operation])[] = [
  ['ADVSIMD', ['0', '0010', 'SMLAL', 'hs']], ['ADVSIMD', ['0', '0011', 'SQDMLAL', 'hs']], ['ADVSIMD', ['0', '0110', 'SMLSL', 'hs']], ['ADVSIMD', ['0', '0111', 'SQDMLSL', 'hs']],
  ['ADVSIMD', ['0', '1000', 'MUL', 'hs']], ['ADVSIMD', ['0', '1010', 'SMULL', 'hs']], ['ADVSIMD', ['0', '1011', 'SQDMULL', 'hs']], ['ADVSIMD', ['0', '1100', 'SQDMULH', 'hs']],
  ['ADVSIMD', ['0', '1101', 'SQRDMULH', 'hs']], ['DOTPROD', ['0', '1110', 'SDOT', 's']], ['ADVSIMD', ['1', '0000', 'MLA', 'hs']], ['ADVSIMD', ['1', '0010', 'UMLAL', 'hs']],
  ['ADVSIMD', ['1', '0100', 'MLS', 'hs']], ['ADVSIMD', ['1', '0110', 'UMLSL', 'hs']], ['ADVSIMD', ['1', '1010', 'UMULL', 'hs']], ['RDM', ['1', '1101', 'SQRDMLAH', 'hs']],
  ['RDM', ['1', '1111', 'SQRDMLSH', 'hs']], ['DOTPROD', ['1', '1110', 'UDOT', 's']],
];
const floatByElement = [['0', '0001', 'FMLA'], ['0', '0101', 'FMLS'], ['0', '1001', 'FMUL'], ['1', '1001', 'FMULX']] as const;
const longByElement = [['0', '0000', 'FMLAL'], ['0', '0100', 'FMLSL'], ['1', '1000', 'FMLAL2'], ['1', '1100', 'FMLSL2']] as const;
const dotByElement = [['I8MM', '10', 'USDOT'], ['I8MM', '00', 'SUDOT'], ['BF16', '01', 'BFDOT'], ['BF16', '11', 'BFMLAL']] as const;
const elementSizes = (f: Fields): boolean => f['sz'] === 0 || (f['Q'] === 1 && f['L'] === 0);

const byElementRows: readonly Encoding[] = [
  ...byElement.flatMap(([feature, operation]) => integerRows({ class: 'simd_by_element', feature }, 'by element', [operation], '0 Q U 01111 size:2 L M Rm:4 OPCODE H 0 Rn:5 Rd:5')),
  ...group({ class: 'simd_by_element_float', feature: 'ADVSIMD', valid: elementSizes }, floatByElement.map(([u, opcode, name]): Row =>
    [`${name} (by element)`, name.toLowerCase(), `0 Q U=${u} 01111 1 sz L M Rm:4 opcode=${opcode} H 0 Rn:5 Rd:5`])),
  ...group({ class: 'simd_by_element_half', feature: 'FP16' }, floatByElement.map(([u, opcode, name]): Row =>
    [`${name} (by element)`, name.toLowerCase(), `0 Q U=${u} 01111 00 L M Rm:4 opcode=${opcode} H 0 Rn:5 Rd:5`])),
  ...group({ class: 'simd_multiply_long_half_by_element', feature: 'FHM' }, longByElement.map(([u, opcode, name]): Row =>
    [`${name} (by element)`, name.toLowerCase(), `0 Q U=${u} 01111 10 L M Rm:4 opcode=${opcode} H 0 Rn:5 Rd:5`])),
  ...dotByElement.flatMap(([feature, size, name]) => group({ class: 'simd_matrix_by_element', feature },
    [[`${name} (by element)`, name.toLowerCase(), `0 Q U=0 01111 size=${size} L M Rm:4 opcode=1111 H 0 Rn:5 Rd:5`]])),
  ...group({ class: 'simd_complex_by_element', feature: 'FCMA',
    valid: (f) => f['size'] === 1 ? f['Q'] === 1 || f['H'] === 0 : f['size'] === 2 && f['L'] === 0 && f['Q'] === 1 }, [
    ['FCMLA (by element)', 'fcmla', '0 Q U=1 01111 size:2 L M Rm:4 0 rot:2 1 H 0 Rn:5 Rd:5'],
  ]),
];

/** All rows of this group. */
export const simdVectorEncodings: readonly Encoding[] = [...threeSameRows, ...extraRows, ...twoRegisterRows, ...lanesRows, ...immediateRows, ...byElementRows];
