/**
 * Scalar floating point and the loads and stores of SIMD and FP registers: Arm ARM (DDI 0487) C4.1, "Data Processing --
 * Scalar Floating-Point and Advanced SIMD" (M = 0, 28:24 = 1111x) and "Loads and Stores" with V = 1.
 */

import { field, group } from './encoding-rows';
import type { GroupHeader, Row } from './encoding-rows';
import type { Encoding } from './interface';

/** Name, mnemonic and a pattern in which `ftype` is written `FTYPE`: one row for single and double, one for half. */
function eachPrecision(header: GroupHeader, rows: readonly Row[]): readonly Encoding[] {
  const withType = (ftype: string): readonly Row[] => rows.map(([name, mnemonic, pattern]) => [name, mnemonic, pattern.replace('FTYPE', `ftype=${ftype}`)]);
  return [
    ...group({ feature: 'FP', ...header }, withType('0x')),
    ...group({ ...header, feature: 'FP16' }, withType('11')),
  ];
}

const oneSource = [
  ['FMOV (register)', 'fmov', '000000'], ['FABS (scalar)', 'fabs', '000001'], ['FNEG (scalar)', 'fneg', '000010'], ['FSQRT (scalar)', 'fsqrt', '000011'],
  ['FRINTN (scalar)', 'frintn', '001000'], ['FRINTP (scalar)', 'frintp', '001001'], ['FRINTM (scalar)', 'frintm', '001010'], ['FRINTZ (scalar)', 'frintz', '001011'],
  ['FRINTA (scalar)', 'frinta', '001100'], ['FRINTX (scalar)', 'frintx', '001110'], ['FRINTI (scalar)', 'frinti', '001111'],
] as const;
const roundToSize = [['FRINT32Z', '010000'], ['FRINT32X', '010001'], ['FRINT64Z', '010010'], ['FRINT64X', '010011']] as const;
const twoSource = [
  ['FMUL', '0000'], ['FDIV', '0001'], ['FADD', '0010'], ['FSUB', '0011'], ['FMAX', '0100'], ['FMIN', '0101'], ['FMAXNM', '0110'], ['FMINNM', '0111'], ['FNMUL', '1000'],
] as const;

const arithmetic: readonly Encoding[] = [
  ...eachPrecision({ class: 'fp_compare' }, [
    ['FCMP', 'fcmp', '00011110 FTYPE 1 Rm:5 001000 Rn:5 opc=00 000'],
    ['FCMPE', 'fcmpe', '00011110 FTYPE 1 Rm:5 001000 Rn:5 opc=10 000'],
  ]),
  ...eachPrecision({ class: 'fp_compare_zero' }, [
    ['FCMP', 'fcmp', '00011110 FTYPE 1 (00000) 001000 Rn:5 opc=01 000'],
    ['FCMPE', 'fcmpe', '00011110 FTYPE 1 (00000) 001000 Rn:5 opc=11 000'],
  ]),
  ...eachPrecision({ class: 'fp_conditional_compare' }, [
    ['FCCMP', 'fccmp', '00011110 FTYPE 1 Rm:5 cond:4 01 Rn:5 op=0 nzcv:4'],
    ['FCCMPE', 'fccmpe', '00011110 FTYPE 1 Rm:5 cond:4 01 Rn:5 op=1 nzcv:4'],
  ]),
  ...eachPrecision({ class: 'fp_conditional_select' }, [['FCSEL', 'fcsel', '00011110 FTYPE 1 Rm:5 cond:4 11 Rn:5 Rd:5']]),
  ...eachPrecision({ class: 'fp_1_source' }, oneSource.map(([name, mnemonic, opcode]): Row =>
    [name, mnemonic, `00011110 FTYPE 1 opcode=${opcode} 10000 Rn:5 Rd:5`])),
  ...group({ class: 'fp_1_source', feature: 'FRINTTS' }, roundToSize.map(([name, opcode]): Row =>
    [`${name} (scalar)`, name.toLowerCase(), `00011110 ftype=0x 1 opcode=${opcode} 10000 Rn:5 Rd:5`])),
  ...group({ class: 'fp_convert_precision', feature: 'FP', valid: (f) => f['ftype'] !== 2 && f['opc'] !== 2 && f['ftype'] !== f['opc'] }, [
    ['FCVT', 'fcvt', '00011110 ftype:2 1 0001 opc:2 10000 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'fp_convert_bfloat', feature: 'BF16' }, [['BFCVT', 'bfcvt', '00011110 ftype=01 1 000110 10000 Rn:5 Rd:5']]),
  ...eachPrecision({ class: 'fp_2_source' }, twoSource.map(([name, opcode]): Row =>
    [`${name} (scalar)`, name.toLowerCase(), `00011110 FTYPE 1 Rm:5 opcode=${opcode} 10 Rn:5 Rd:5`])),
  ...eachPrecision({ class: 'fp_3_source' }, [
    ['FMADD', 'fmadd', '00011111 FTYPE o1=0 Rm:5 o0=0 Ra:5 Rn:5 Rd:5'],
    ['FMSUB', 'fmsub', '00011111 FTYPE o1=0 Rm:5 o0=1 Ra:5 Rn:5 Rd:5'],
    ['FNMADD', 'fnmadd', '00011111 FTYPE o1=1 Rm:5 o0=0 Ra:5 Rn:5 Rd:5'],
    ['FNMSUB', 'fnmsub', '00011111 FTYPE o1=1 Rm:5 o0=1 Ra:5 Rn:5 Rd:5'],
  ]),
  ...eachPrecision({ class: 'fp_immediate' }, [['FMOV (scalar, immediate)', 'fmov', '00011110 FTYPE 1 imm8:8 10000000 Rd:5']]),
];

const toAndFromInteger = [
  ['FCVTNS', '00', '000'], ['FCVTNU', '00', '001'], ['SCVTF', '00', '010'], ['UCVTF', '00', '011'], ['FCVTAS', '00', '100'], ['FCVTAU', '00', '101'],
  ['FCVTPS', '01', '000'], ['FCVTPU', '01', '001'], ['FCVTMS', '10', '000'], ['FCVTMU', '10', '001'], ['FCVTZS', '11', '000'], ['FCVTZU', '11', '001'],
] as const;
const fixedPoint = [['SCVTF', '00', '010'], ['UCVTF', '00', '011'], ['FCVTZS', '11', '000'], ['FCVTZU', '11', '001']] as const;
const generalMove = (sf: string, ftype: string, rmode: string): readonly Row[] => [
  ['FMOV (general)', 'fmov', `sf=${sf} 0011110 ftype=${ftype} 1 rmode=${rmode} opcode=110 000000 Rn:5 Rd:5`],
  ['FMOV (general)', 'fmov', `sf=${sf} 0011110 ftype=${ftype} 1 rmode=${rmode} opcode=111 000000 Rn:5 Rd:5`],
];

const conversions: readonly Encoding[] = [
  ...eachPrecision({ class: 'fp_convert_integer' }, toAndFromInteger.map(([name, rmode, opcode]): Row =>
    [`${name} (scalar, integer)`, name.toLowerCase(), `sf 0011110 FTYPE 1 rmode=${rmode} opcode=${opcode} 000000 Rn:5 Rd:5`])),
  ...eachPrecision({ class: 'fp_convert_fixed', valid: (f) => f['sf'] === 1 || field(f, 'scale') >= 32 }, fixedPoint.map(([name, rmode, opcode]): Row =>
    [`${name} (scalar, fixed-point)`, name.toLowerCase(), `sf 0011110 FTYPE 0 rmode=${rmode} opcode=${opcode} scale:6 Rn:5 Rd:5`])),
  ...group({ class: 'fp_move_general', feature: 'FP' }, [
    ...generalMove('0', '00', '00'), ...generalMove('1', '01', '00'), ...generalMove('1', '10', '01'),
  ]),
  ...group({ class: 'fp_move_general', feature: 'FP16' }, generalMove('x', '11', '00')),
  ...group({ class: 'fp_convert_javascript', feature: 'JSCVT' }, [
    ['FJCVTZS', 'fjcvtzs', 'sf=0 0011110 ftype=01 1 rmode=11 opcode=110 000000 Rn:5 Rd:5'],
  ]),
];

/** Mnemonic with `size` and `opc`: 8 to 64 bits by `size`, 128 bits as size 00 with opc 1x. */
const single = [['str', 'xx', '00'], ['ldr', 'xx', '01'], ['str', '00', '10'], ['ldr', '00', '11']] as const;
const singleRows = (form: string, rest: (opc: string) => string): Row[] => single.map(([mnemonic, size, opc]) =>
  [`${mnemonic.toUpperCase()} (${form}, SIMD&FP)`, form === 'unscaled' ? mnemonic.replace('r', 'ur') : mnemonic, `size=${size} 111 V=1 ${rest(opc)} Rn:5 Rt:5`]);
const loadStore = (name: string): GroupHeader => ({ class: name, feature: 'FP' });
const pairModes = [
  ['simd_load_store_no_allocate_pair', '000', 'np'], ['simd_load_store_pair_post_indexed', '001', 'p'],
  ['simd_load_store_pair_offset', '010', 'p'], ['simd_load_store_pair_pre_indexed', '011', 'p'],
] as const;

const loadsAndStores: readonly Encoding[] = [
  ...group({ ...loadStore('simd_load_literal'), valid: (f) => f['opc'] !== 3 }, [['LDR (literal, SIMD&FP)', 'ldr', 'opc:2 011 V=1 00 imm19:19 Rt:5']]),
  ...group(loadStore('simd_load_store_unsigned_immediate'), singleRows('immediate', (opc) => `01 opc=${opc} imm12:12`)),
  ...group(loadStore('simd_load_store_unscaled'), singleRows('unscaled', (opc) => `00 opc=${opc} 0 imm9:9 00`)),
  ...group(loadStore('simd_load_store_post_indexed'), singleRows('immediate', (opc) => `00 opc=${opc} 0 imm9:9 01`)),
  ...group(loadStore('simd_load_store_pre_indexed'), singleRows('immediate', (opc) => `00 opc=${opc} 0 imm9:9 11`)),
  ...group(loadStore('simd_load_store_register_offset'), singleRows('register', (opc) => `00 opc=${opc} 1 Rm:5 option=x1x S 10`)),
  ...pairModes.flatMap(([name, mode, suffix]) => group({ ...loadStore(name), valid: (f) => f['opc'] !== 3 }, [
    [`ST${suffix.toUpperCase()} (SIMD&FP)`, `st${suffix}`, `opc:2 101 V=1 ${mode} L=0 imm7:7 Rt2:5 Rn:5 Rt:5`],
    [`LD${suffix.toUpperCase()} (SIMD&FP)`, `ld${suffix}`, `opc:2 101 V=1 ${mode} L=1 imm7:7 Rt2:5 Rn:5 Rt:5`],
  ])),
];

const fullOrLong = (f: Readonly<Record<string, number>>): boolean => f['size'] !== 3 || f['Q'] === 1;
const multiple = [['1', '0111'], ['1', '1010'], ['1', '0110'], ['1', '0010'], ['2', '1000'], ['3', '0100'], ['4', '0000']] as const;
/** Structures: how many registers, `R`, `opcode`, `S` and `size` bits of one lane. */
const lanes = (['1', '2', '3', '4'] as const).flatMap((count) => {
  const r = count === '2' || count === '4' ? '1' : '0';
  const low = count === '3' || count === '4' ? '1' : '0';
  return [[count, r, `00${low}`, 'x', 'xx'], [count, r, `01${low}`, 'x', 'x0'], [count, r, `10${low}`, 'x', '00'], [count, r, `10${low}`, '0', '01']] as const;
});
const replicate = [['1', '0', '110'], ['2', '1', '110'], ['3', '0', '111'], ['4', '1', '111']] as const;
const addressings = [['', '0', '00000'], ['_post_indexed', '1', 'Rm:5']] as const;

const structures: readonly Encoding[] = addressings.flatMap(([suffix, post, rm]) => [
  ...multiple.flatMap(([count, opcode]) => ['0', '1'].flatMap((l) => group(
    { class: `simd_load_store_multiple${suffix}`, feature: 'ADVSIMD', ...(count === '1' ? {} : { valid: fullOrLong }) },
    [[`${l === '1' ? 'LD' : 'ST'}${count} (multiple structures)`, `${l === '1' ? 'ld' : 'st'}${count}`,
      `0 Q 001100 ${post} L=${l} 0 ${rm} opcode=${opcode} size:2 Rn:5 Rt:5`]]))),
  ...group({ class: `simd_load_store_single${suffix}`, feature: 'ADVSIMD' }, lanes.flatMap(([count, r, opcode, s, size]) =>
    ['0', '1'].map((l): Row => [`${l === '1' ? 'LD' : 'ST'}${count} (single structure)`, `${l === '1' ? 'ld' : 'st'}${count}`,
      `0 Q 001101 ${post} L=${l} R=${r} ${rm} opcode=${opcode} S=${s} size=${size} Rn:5 Rt:5`]))),
  ...group({ class: `simd_load_replicate${suffix}`, feature: 'ADVSIMD' }, replicate.map(([count, r, opcode]): Row =>
    [`LD${count}R`, `ld${count}r`, `0 Q 001101 ${post} L=1 R=${r} ${rm} opcode=${opcode} S=0 size:2 Rn:5 Rt:5`])),
]);

/** All rows of this group. */
export const floatingPointEncodings: readonly Encoding[] = [...arithmetic, ...conversions, ...loadsAndStores, ...structures];
