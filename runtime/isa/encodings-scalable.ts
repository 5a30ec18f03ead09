/**
 * The part of the Scalable Vector Extension that operating systems and C libraries use on their own: Arm ARM (DDI 0487) C4.1, SVE encodings.
 * Vector length, element counts, predicates made from constants and counters, FFR, and contiguous loads and stores. Its arithmetic is not here.
 */

import { field, group } from './encoding-rows';
import type { Row } from './encoding-rows';
import type { Encoding } from './interface';

const SIZES = [['b', '00'], ['h', '01'], ['w', '10'], ['d', '11']] as const;
/** Mnemonic and `dtype` of the contiguous loads. */
const loads = [
  ['ld1b', '0000'], ['ld1b', '0001'], ['ld1b', '0010'], ['ld1b', '0011'], ['ld1sw', '0100'], ['ld1h', '0101'], ['ld1h', '0110'], ['ld1h', '0111'],
  ['ld1sh', '1000'], ['ld1sh', '1001'], ['ld1w', '1010'], ['ld1w', '1011'], ['ld1sb', '1100'], ['ld1sb', '1101'], ['ld1sb', '1110'], ['ld1d', '1111'],
] as const;
const whiles = [['whilelt', 'U=0', '0'], ['whilele', 'U=0', '1'], ['whilelo', 'U=1', '0'], ['whilels', 'U=1', '1']] as const;

const feature = 'SVE' as const;

/** All rows of this group. */
export const scalableEncodings: readonly Encoding[] = [
  ...group({ class: 'scalable_length', feature }, [['RDVL', 'rdvl', '00000100 101 11111 01010 imm6:6 Rd:5']]),
  ...group({ class: 'scalable_add_length', feature }, [
    ['ADDVL', 'addvl', '00000100 0 predicates=0 1 Rn:5 01010 imm6:6 Rd:5'],
    ['ADDPL', 'addpl', '00000100 0 predicates=1 1 Rn:5 01010 imm6:6 Rd:5'],
  ]),
  ...group({ class: 'scalable_count', feature }, SIZES.map(([letter, size]): Row =>
    ['CNTB, CNTD, CNTH, CNTW', `cnt${letter}`, `00000100 size=${size} 10 imm4:4 11100 0 pattern:5 Rd:5`])),
  ...group({ class: 'scalable_add_count', feature }, SIZES.flatMap(([letter, size]): readonly Row[] => [
    ['INCB, INCD, INCH, INCW (scalar)', `inc${letter}`, `00000100 size=${size} 11 imm4:4 11100 D=0 pattern:5 Rd:5`],
    ['DECB, DECD, DECH, DECW (scalar)', `dec${letter}`, `00000100 size=${size} 11 imm4:4 11100 D=1 pattern:5 Rd:5`],
  ])),
  ...group({ class: 'predicate_pattern', feature }, [
    ['PTRUE', 'ptrue', '00100101 size:2 01100 S=0 111000 pattern:5 0 Pd:4'],
    ['PTRUES', 'ptrues', '00100101 size:2 01100 S=1 111000 pattern:5 0 Pd:4'],
  ]),
  ...group({ class: 'predicate_false', feature }, [['PFALSE', 'pfalse', '00100101 00 011000 111001000000 Pd:4']]),
  ...group({ class: 'predicate_test', feature }, [['PTEST', 'ptest', '00100101 01 01000011 Pg:4 0 Pn:4 00000']]),
  ...group({ class: 'read_first_fault', feature }, [['RDFFR (unpredicated)', 'rdffr', '00100101 00 011001 111100000000 Pd:4']]),
  ...group({ class: 'read_first_fault_predicated', feature }, [
    ['RDFFR, RDFFRS (predicated)', 'rdffr', '00100101 0 S=0 011000 1111000 Pg:4 0 Pd:4'],
    ['RDFFR, RDFFRS (predicated)', 'rdffrs', '00100101 0 S=1 011000 1111000 Pg:4 0 Pd:4'],
  ]),
  ...group({ class: 'write_first_fault', feature }, [['WRFFR', 'wrffr', '00100101 00 101000 1001000 Pn:4 00000']]),
  ...group({ class: 'set_first_fault', feature }, [['SETFFR', 'setffr', '00100101 00 101100 1001000000000000']]),
  ...group({ class: 'predicate_while', feature }, whiles.map(([mnemonic, unsigned, equal]): Row =>
    [mnemonic.toUpperCase(), mnemonic, `00100101 size:2 1 Rm:5 000 sf ${unsigned} 1 Rn:5 eq=${equal} Pd:4`])),
  ...group({ class: 'predicate_load_store', feature }, [
    ['LDR (predicate)', 'ldr', '1 store=0 00010110 imm6:6 000 imm3:3 Rn:5 0 Pt:4'],
    ['STR (predicate)', 'str', '1 store=1 10010110 imm6:6 000 imm3:3 Rn:5 0 Pt:4'],
  ]),
  ...group({ class: 'scalable_load_store', feature }, [
    ['LDR (vector)', 'ldr', '1 store=0 00010110 imm6:6 010 imm3:3 Rn:5 Zt:5'],
    ['STR (vector)', 'str', '1 store=1 10010110 imm6:6 010 imm3:3 Rn:5 Zt:5'],
  ]),
  ...group({ class: 'scalable_load_contiguous', feature }, loads.map(([mnemonic, dtype]): Row =>
    [`${mnemonic.toUpperCase()} (scalar plus immediate)`, mnemonic, `1010010 dtype=${dtype} 0 imm4:4 101 Pg:3 Rn:5 Zt:5`])),
  ...group({ class: 'scalable_load_contiguous_register', feature, valid: (f) => field(f, 'Rm') !== 31 }, loads.map(([mnemonic, dtype]): Row =>
    [`${mnemonic.toUpperCase()} (scalar plus scalar)`, mnemonic, `1010010 dtype=${dtype} Rm:5 010 Pg:3 Rn:5 Zt:5`])),
  ...group({ class: 'scalable_store_contiguous', feature, valid: (f) => field(f, 'size') >= field(f, 'msz') }, SIZES.map(([letter, size]): Row =>
    [`ST1${letter.toUpperCase()} (scalar plus immediate)`, `st1${letter}`, `1110010 msz=${size} size:2 0 imm4:4 111 Pg:3 Rn:5 Zt:5`])),
  ...group({ class: 'scalable_store_contiguous_register', feature, valid: (f) => field(f, 'size') >= field(f, 'msz') && field(f, 'Rm') !== 31 }, SIZES.map(([letter, size]): Row =>
    [`ST1${letter.toUpperCase()} (scalar plus scalar)`, `st1${letter}`, `1110010 msz=${size} size:2 Rm:5 010 Pg:3 Rn:5 Zt:5`])),
];
