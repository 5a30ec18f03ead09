/** Integer data processing, immediate and register: Arm ARM (DDI 0487) C4.1, "Data Processing -- Immediate" and "-- Register". */

import { field, group } from './encoding-rows';
import type { Encoding, Fields } from './interface';

const shiftFitsWidth = (f: Fields): boolean => f['sf'] === 1 || field(f, 'imm6') < 32;

/** True if N:immr:imms encodes a bitmask at the operand size (Arm ARM: DecodeBitMasks). */
export function isBitmaskImmediate(f: Fields): boolean {
  if (f['sf'] === 0 && f['N'] === 1) return false;
  const sizeBits = (field(f, 'N') << 6) | (~field(f, 'imms') & 0x3f);
  if (sizeBits < 2) return false;
  const levels = (1 << (31 - Math.clz32(sizeBits))) - 1;
  return (field(f, 'imms') & levels) !== levels;
}

const bitfieldPositionsFit = (f: Fields): boolean =>
  f['N'] === f['sf'] && (f['sf'] === 1 || (field(f, 'immr') < 32 && field(f, 'imms') < 32));

const immediate: readonly Encoding[] = [
  ...group({ class: 'pc_relative_address' }, [
    ['ADR', 'adr', 'op=0 immlo:2 10000 immhi:19 Rd:5'],
    ['ADRP', 'adrp', 'op=1 immlo:2 10000 immhi:19 Rd:5'],
  ]),
  ...group({ class: 'add_sub_immediate' }, [
    ['ADD (immediate)', 'add', 'sf op=0 S=0 100010 sh imm12:12 Rn:5 Rd:5'],
    ['ADDS (immediate)', 'adds', 'sf op=0 S=1 100010 sh imm12:12 Rn:5 Rd:5'],
    ['SUB (immediate)', 'sub', 'sf op=1 S=0 100010 sh imm12:12 Rn:5 Rd:5'],
    ['SUBS (immediate)', 'subs', 'sf op=1 S=1 100010 sh imm12:12 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'logical_immediate', valid: isBitmaskImmediate }, [
    ['AND (immediate)', 'and', 'sf opc=00 100100 N immr:6 imms:6 Rn:5 Rd:5'],
    ['ORR (immediate)', 'orr', 'sf opc=01 100100 N immr:6 imms:6 Rn:5 Rd:5'],
    ['EOR (immediate)', 'eor', 'sf opc=10 100100 N immr:6 imms:6 Rn:5 Rd:5'],
    ['ANDS (immediate)', 'ands', 'sf opc=11 100100 N immr:6 imms:6 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'move_wide', valid: (f) => f['sf'] === 1 || field(f, 'hw') < 2 }, [
    ['MOVN', 'movn', 'sf opc=00 100101 hw:2 imm16:16 Rd:5'],
    ['MOVZ', 'movz', 'sf opc=10 100101 hw:2 imm16:16 Rd:5'],
    ['MOVK', 'movk', 'sf opc=11 100101 hw:2 imm16:16 Rd:5'],
  ]),
  ...group({ class: 'bitfield', valid: bitfieldPositionsFit }, [
    ['SBFM', 'sbfm', 'sf opc=00 100110 N immr:6 imms:6 Rn:5 Rd:5'],
    ['BFM', 'bfm', 'sf opc=01 100110 N immr:6 imms:6 Rn:5 Rd:5'],
    ['UBFM', 'ubfm', 'sf opc=10 100110 N immr:6 imms:6 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'extract', valid: (f) => f['N'] === f['sf'] && (f['sf'] === 1 || field(f, 'imms') < 32) }, [
    ['EXTR', 'extr', 'sf 00 100111 N 0 Rm:5 imms:6 Rn:5 Rd:5'],
  ]),
];

const logicalAndArithmetic: readonly Encoding[] = [
  ...group({ class: 'logical_shifted_register', valid: shiftFitsWidth }, [
    ['AND (shifted register)', 'and', 'sf opc=00 01010 shift:2 N=0 Rm:5 imm6:6 Rn:5 Rd:5'],
    ['BIC (shifted register)', 'bic', 'sf opc=00 01010 shift:2 N=1 Rm:5 imm6:6 Rn:5 Rd:5'],
    ['ORR (shifted register)', 'orr', 'sf opc=01 01010 shift:2 N=0 Rm:5 imm6:6 Rn:5 Rd:5'],
    ['ORN (shifted register)', 'orn', 'sf opc=01 01010 shift:2 N=1 Rm:5 imm6:6 Rn:5 Rd:5'],
    ['EOR (shifted register)', 'eor', 'sf opc=10 01010 shift:2 N=0 Rm:5 imm6:6 Rn:5 Rd:5'],
    ['EON (shifted register)', 'eon', 'sf opc=10 01010 shift:2 N=1 Rm:5 imm6:6 Rn:5 Rd:5'],
    ['ANDS (shifted register)', 'ands', 'sf opc=11 01010 shift:2 N=0 Rm:5 imm6:6 Rn:5 Rd:5'],
    ['BICS (shifted register)', 'bics', 'sf opc=11 01010 shift:2 N=1 Rm:5 imm6:6 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'add_sub_shifted_register', valid: (f) => f['shift'] !== 3 && shiftFitsWidth(f) }, [
    ['ADD (shifted register)', 'add', 'sf op=0 S=0 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5'],
    ['ADDS (shifted register)', 'adds', 'sf op=0 S=1 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5'],
    ['SUB (shifted register)', 'sub', 'sf op=1 S=0 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5'],
    ['SUBS (shifted register)', 'subs', 'sf op=1 S=1 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'add_sub_extended_register', valid: (f) => field(f, 'imm3') <= 4 }, [
    ['ADD (extended register)', 'add', 'sf op=0 S=0 01011 opt=00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5'],
    ['ADDS (extended register)', 'adds', 'sf op=0 S=1 01011 opt=00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5'],
    ['SUB (extended register)', 'sub', 'sf op=1 S=0 01011 opt=00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5'],
    ['SUBS (extended register)', 'subs', 'sf op=1 S=1 01011 opt=00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'add_sub_carry' }, [
    ['ADC', 'adc', 'sf op=0 S=0 11010000 Rm:5 000000 Rn:5 Rd:5'],
    ['ADCS', 'adcs', 'sf op=0 S=1 11010000 Rm:5 000000 Rn:5 Rd:5'],
    ['SBC', 'sbc', 'sf op=1 S=0 11010000 Rm:5 000000 Rn:5 Rd:5'],
    ['SBCS', 'sbcs', 'sf op=1 S=1 11010000 Rm:5 000000 Rn:5 Rd:5'],
  ]),
];

const conditional: readonly Encoding[] = [
  ...group({ class: 'conditional_compare_register' }, [
    ['CCMN (register)', 'ccmn', 'sf op=0 S=1 11010010 Rm:5 cond:4 0 o2=0 Rn:5 o3=0 nzcv:4'],
    ['CCMP (register)', 'ccmp', 'sf op=1 S=1 11010010 Rm:5 cond:4 0 o2=0 Rn:5 o3=0 nzcv:4'],
  ]),
  ...group({ class: 'conditional_compare_immediate' }, [
    ['CCMN (immediate)', 'ccmn', 'sf op=0 S=1 11010010 imm5:5 cond:4 1 o2=0 Rn:5 o3=0 nzcv:4'],
    ['CCMP (immediate)', 'ccmp', 'sf op=1 S=1 11010010 imm5:5 cond:4 1 o2=0 Rn:5 o3=0 nzcv:4'],
  ]),
  ...group({ class: 'conditional_select' }, [
    ['CSEL', 'csel', 'sf op=0 S=0 11010100 Rm:5 cond:4 op2=00 Rn:5 Rd:5'],
    ['CSINC', 'csinc', 'sf op=0 S=0 11010100 Rm:5 cond:4 op2=01 Rn:5 Rd:5'],
    ['CSINV', 'csinv', 'sf op=1 S=0 11010100 Rm:5 cond:4 op2=00 Rn:5 Rd:5'],
    ['CSNEG', 'csneg', 'sf op=1 S=0 11010100 Rm:5 cond:4 op2=01 Rn:5 Rd:5'],
  ]),
];

const sources: readonly Encoding[] = [
  ...group({ class: 'data_processing_3_source' }, [
    ['MADD', 'madd', 'sf 00 11011 op31=000 Rm:5 o0=0 Ra:5 Rn:5 Rd:5'],
    ['MSUB', 'msub', 'sf 00 11011 op31=000 Rm:5 o0=1 Ra:5 Rn:5 Rd:5'],
    ['SMADDL', 'smaddl', 'sf=1 00 11011 op31=001 Rm:5 o0=0 Ra:5 Rn:5 Rd:5'],
    ['SMSUBL', 'smsubl', 'sf=1 00 11011 op31=001 Rm:5 o0=1 Ra:5 Rn:5 Rd:5'],
    ['UMADDL', 'umaddl', 'sf=1 00 11011 op31=101 Rm:5 o0=0 Ra:5 Rn:5 Rd:5'],
    ['UMSUBL', 'umsubl', 'sf=1 00 11011 op31=101 Rm:5 o0=1 Ra:5 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'multiply_high' }, [
    ['SMULH', 'smulh', 'sf=1 00 11011 op31=010 Rm:5 o0=0 (11111) Rn:5 Rd:5'],
    ['UMULH', 'umulh', 'sf=1 00 11011 op31=110 Rm:5 o0=0 (11111) Rn:5 Rd:5'],
  ]),
  ...group({ class: 'data_processing_2_source' }, [
    ['UDIV', 'udiv', 'sf 0 S=0 11010110 Rm:5 opcode=000010 Rn:5 Rd:5'],
    ['SDIV', 'sdiv', 'sf 0 S=0 11010110 Rm:5 opcode=000011 Rn:5 Rd:5'],
    ['LSLV', 'lslv', 'sf 0 S=0 11010110 Rm:5 opcode=001000 Rn:5 Rd:5'],
    ['LSRV', 'lsrv', 'sf 0 S=0 11010110 Rm:5 opcode=001001 Rn:5 Rd:5'],
    ['ASRV', 'asrv', 'sf 0 S=0 11010110 Rm:5 opcode=001010 Rn:5 Rd:5'],
    ['RORV', 'rorv', 'sf 0 S=0 11010110 Rm:5 opcode=001011 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'crc32', feature: 'CRC32' }, [
    ['CRC32B', 'crc32b', 'sf=0 0 S=0 11010110 Rm:5 010 C=0 sz=00 Rn:5 Rd:5'],
    ['CRC32H', 'crc32h', 'sf=0 0 S=0 11010110 Rm:5 010 C=0 sz=01 Rn:5 Rd:5'],
    ['CRC32W', 'crc32w', 'sf=0 0 S=0 11010110 Rm:5 010 C=0 sz=10 Rn:5 Rd:5'],
    ['CRC32X', 'crc32x', 'sf=1 0 S=0 11010110 Rm:5 010 C=0 sz=11 Rn:5 Rd:5'],
    ['CRC32CB', 'crc32cb', 'sf=0 0 S=0 11010110 Rm:5 010 C=1 sz=00 Rn:5 Rd:5'],
    ['CRC32CH', 'crc32ch', 'sf=0 0 S=0 11010110 Rm:5 010 C=1 sz=01 Rn:5 Rd:5'],
    ['CRC32CW', 'crc32cw', 'sf=0 0 S=0 11010110 Rm:5 010 C=1 sz=10 Rn:5 Rd:5'],
    ['CRC32CX', 'crc32cx', 'sf=1 0 S=0 11010110 Rm:5 010 C=1 sz=11 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'data_processing_1_source' }, [
    ['RBIT', 'rbit', 'sf 1 S=0 11010110 00000 opcode=000000 Rn:5 Rd:5'],
    ['REV16', 'rev16', 'sf 1 S=0 11010110 00000 opcode=000001 Rn:5 Rd:5'],
    ['REV', 'rev', 'sf=0 1 S=0 11010110 00000 opcode=000010 Rn:5 Rd:5'],
    ['REV32', 'rev32', 'sf=1 1 S=0 11010110 00000 opcode=000010 Rn:5 Rd:5'],
    ['REV', 'rev', 'sf=1 1 S=0 11010110 00000 opcode=000011 Rn:5 Rd:5'],
    ['CLZ', 'clz', 'sf 1 S=0 11010110 00000 opcode=000100 Rn:5 Rd:5'],
    ['CLS', 'cls', 'sf 1 S=0 11010110 00000 opcode=000101 Rn:5 Rd:5'],
  ]),
];

/** Flag manipulation (FEAT_FlagM) and pointer authentication in the register group: not on an Armv8.0 core. */
const later: readonly Encoding[] = [
  ...group({ class: 'rotate_into_flags', feature: 'FLAGM' }, [
    ['RMIF', 'rmif', 'sf=1 op=0 S=1 11010000 imm6:6 00001 Rn:5 o2=0 mask:4'],
  ]),
  ...group({ class: 'evaluate_into_flags', feature: 'FLAGM' }, [
    ['SETF8, SETF16', 'setf8', 'sf=0 op=0 S=1 11010000 000000 sz=0 0010 Rn:5 0 1101'],
    ['SETF8, SETF16', 'setf16', 'sf=0 op=0 S=1 11010000 000000 sz=1 0010 Rn:5 0 1101'],
  ]),
  ...group({ class: 'pointer_authentication_generic', feature: 'PAUTH' }, [
    ['PACGA', 'pacga', 'sf=1 0 S=0 11010110 Rm:5 opcode=001100 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'pointer_authentication', feature: 'PAUTH' }, [
    ['PACIA', 'pacia', 'sf=1 1 S=0 11010110 00001 opcode=000000 Rn:5 Rd:5'],
    ['PACIB', 'pacib', 'sf=1 1 S=0 11010110 00001 opcode=000001 Rn:5 Rd:5'],
    ['PACDA', 'pacda', 'sf=1 1 S=0 11010110 00001 opcode=000010 Rn:5 Rd:5'],
    ['PACDB', 'pacdb', 'sf=1 1 S=0 11010110 00001 opcode=000011 Rn:5 Rd:5'],
    ['AUTIA', 'autia', 'sf=1 1 S=0 11010110 00001 opcode=000100 Rn:5 Rd:5'],
    ['AUTIB', 'autib', 'sf=1 1 S=0 11010110 00001 opcode=000101 Rn:5 Rd:5'],
    ['AUTDA', 'autda', 'sf=1 1 S=0 11010110 00001 opcode=000110 Rn:5 Rd:5'],
    ['AUTDB', 'autdb', 'sf=1 1 S=0 11010110 00001 opcode=000111 Rn:5 Rd:5'],
    ['PACIA', 'paciza', 'sf=1 1 S=0 11010110 00001 opcode=001000 Rn=11111 Rd:5'],
    ['PACIB', 'pacizb', 'sf=1 1 S=0 11010110 00001 opcode=001001 Rn=11111 Rd:5'],
    ['PACDA', 'pacdza', 'sf=1 1 S=0 11010110 00001 opcode=001010 Rn=11111 Rd:5'],
    ['PACDB', 'pacdzb', 'sf=1 1 S=0 11010110 00001 opcode=001011 Rn=11111 Rd:5'],
    ['AUTIA', 'autiza', 'sf=1 1 S=0 11010110 00001 opcode=001100 Rn=11111 Rd:5'],
    ['AUTIB', 'autizb', 'sf=1 1 S=0 11010110 00001 opcode=001101 Rn=11111 Rd:5'],
    ['AUTDA', 'autdza', 'sf=1 1 S=0 11010110 00001 opcode=001110 Rn=11111 Rd:5'],
    ['AUTDB', 'autdzb', 'sf=1 1 S=0 11010110 00001 opcode=001111 Rn=11111 Rd:5'],
    ['XPACD, XPACI, XPACLRI', 'xpaci', 'sf=1 1 S=0 11010110 00001 opcode=010000 Rn=11111 Rd:5'],
    ['XPACD, XPACI, XPACLRI', 'xpacd', 'sf=1 1 S=0 11010110 00001 opcode=010001 Rn=11111 Rd:5'],
  ]),
];

/** All rows of this group. */
export const dataProcessingEncodings: readonly Encoding[] = [...immediate, ...logicalAndArithmetic, ...conditional, ...sources, ...later];
