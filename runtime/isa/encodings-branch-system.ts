/** Branches, exception generation and system instructions: Arm ARM (DDI 0487) C4.1, "Branches, Exception Generating and System instructions". */

import { group } from './encoding-rows';
import type { Encoding } from './interface';

const branches: readonly Encoding[] = [
  ...group({ class: 'branch_immediate' }, [
    ['B', 'b', 'op=0 00101 imm26:26'],
    ['BL', 'bl', 'op=1 00101 imm26:26'],
  ]),
  ...group({ class: 'branch_conditional' }, [
    ['B.cond', 'b', '0101010 0 imm19:19 0 cond:4'],
  ]),
  ...group({ class: 'compare_and_branch' }, [
    ['CBZ', 'cbz', 'sf 011010 op=0 imm19:19 Rt:5'],
    ['CBNZ', 'cbnz', 'sf 011010 op=1 imm19:19 Rt:5'],
  ]),
  ...group({ class: 'test_and_branch' }, [
    ['TBZ', 'tbz', 'b5 011011 op=0 b40:5 imm14:14 Rt:5'],
    ['TBNZ', 'tbnz', 'b5 011011 op=1 b40:5 imm14:14 Rt:5'],
  ]),
  ...group({ class: 'branch_register' }, [
    ['BR', 'br', '1101011 opc=0000 11111 000000 Rn:5 00000'],
    ['BLR', 'blr', '1101011 opc=0001 11111 000000 Rn:5 00000'],
    ['RET', 'ret', '1101011 opc=0010 11111 000000 Rn:5 00000'],
  ]),
  ...group({ class: 'exception_return' }, [
    ['ERET', 'eret', '1101011 opc=0100 11111 000000 Rn=11111 00000'],
  ]),
  ...group({ class: 'debug_restore' }, [
    ['DRPS', 'drps', '1101011 opc=0101 11111 000000 Rn=11111 00000'],
  ]),
  ...group({ class: 'branch_register_authenticated', feature: 'PAUTH' }, [
    ['BRAA, BRAAZ, BRAB, BRABZ', 'braaz', '1101011 opc=0000 11111 00001 M=0 Rn:5 Rm=11111'],
    ['BRAA, BRAAZ, BRAB, BRABZ', 'brabz', '1101011 opc=0000 11111 00001 M=1 Rn:5 Rm=11111'],
    ['BLRAA, BLRAAZ, BLRAB, BLRABZ', 'blraaz', '1101011 opc=0001 11111 00001 M=0 Rn:5 Rm=11111'],
    ['BLRAA, BLRAAZ, BLRAB, BLRABZ', 'blrabz', '1101011 opc=0001 11111 00001 M=1 Rn:5 Rm=11111'],
    ['RETAA, RETAB', 'retaa', '1101011 opc=0010 11111 00001 M=0 Rn=11111 Rm=11111'],
    ['RETAA, RETAB', 'retab', '1101011 opc=0010 11111 00001 M=1 Rn=11111 Rm=11111'],
    ['ERETAA, ERETAB', 'eretaa', '1101011 opc=0100 11111 00001 M=0 Rn=11111 Rm=11111'],
    ['ERETAA, ERETAB', 'eretab', '1101011 opc=0100 11111 00001 M=1 Rn=11111 Rm=11111'],
    ['BRAA, BRAAZ, BRAB, BRABZ', 'braa', '1101011 opc=1000 11111 00001 M=0 Rn:5 Rm:5'],
    ['BRAA, BRAAZ, BRAB, BRABZ', 'brab', '1101011 opc=1000 11111 00001 M=1 Rn:5 Rm:5'],
    ['BLRAA, BLRAAZ, BLRAB, BLRABZ', 'blraa', '1101011 opc=1001 11111 00001 M=0 Rn:5 Rm:5'],
    ['BLRAA, BLRAAZ, BLRAB, BLRABZ', 'blrab', '1101011 opc=1001 11111 00001 M=1 Rn:5 Rm:5'],
  ]),
];

const exceptions: readonly Encoding[] = [
  ...group({ class: 'exception_generation' }, [
    ['SVC', 'svc', '11010100 opc=000 imm16:16 op2=000 LL=01'],
    ['HVC', 'hvc', '11010100 opc=000 imm16:16 op2=000 LL=10'],
    ['SMC', 'smc', '11010100 opc=000 imm16:16 op2=000 LL=11'],
    ['BRK', 'brk', '11010100 opc=001 imm16:16 op2=000 LL=00'],
    ['HLT', 'hlt', '11010100 opc=010 imm16:16 op2=000 LL=00'],
    ['DCPS1', 'dcps1', '11010100 opc=101 imm16:16 op2=000 LL=01'],
    ['DCPS2', 'dcps2', '11010100 opc=101 imm16:16 op2=000 LL=10'],
    ['DCPS3', 'dcps3', '11010100 opc=101 imm16:16 op2=000 LL=11'],
  ]),
  ...group({ class: 'permanently_undefined' }, [
    ['UDF', 'udf', '0000000000000000 imm16:16'],
  ]),
];

/** Every hint is one row: NOP, YIELD, WFE, WFI, SEV, SEVL, and the hint space that older cores execute as NOP (PACIASP, BTI, ESB …). */
const hints: readonly Encoding[] = [
  ...group({ class: 'hint' }, [
    ['HINT', 'hint', '1101010100 0 00 011 0010 CRm:4 op2:3 11111'],
  ]),
  ...group({ class: 'wait_with_timeout', feature: 'WFXT' }, [
    ['WFET', 'wfet', '11010101000000110001 0000 op2=000 Rd:5'],
    ['WFIT', 'wfit', '11010101000000110001 0000 op2=001 Rd:5'],
  ]),
];

const barriers: readonly Encoding[] = [
  ...group({ class: 'barrier' }, [
    ['CLREX', 'clrex', '1101010100 0 00 011 0011 CRm:4 op2=010 11111'],
    ['DSB', 'dsb', '1101010100 0 00 011 0011 CRm:4 op2=100 11111'],
    ['DMB', 'dmb', '1101010100 0 00 011 0011 CRm:4 op2=101 11111'],
    ['ISB', 'isb', '1101010100 0 00 011 0011 CRm:4 op2=110 11111'],
  ]),
  ...group({ class: 'speculation_barrier', feature: 'SB' }, [
    ['SB', 'sb', '1101010100 0 00 011 0011 CRm=0000 op2=111 11111'],
  ]),
];

const processState: readonly Encoding[] = [
  ...group({ class: 'msr_immediate' }, [
    ['MSR (immediate)', 'msr', '1101010100 0 00 op1=000 0100 CRm:4 op2=101 11111'],
    ['MSR (immediate)', 'msr', '1101010100 0 00 op1=011 0100 CRm:4 op2=110 11111'],
    ['MSR (immediate)', 'msr', '1101010100 0 00 op1=011 0100 CRm:4 op2=111 11111'],
  ]),
  ...group({ class: 'msr_immediate', feature: 'UAO' }, [
    ['MSR (immediate)', 'msr', '1101010100 0 00 op1=000 0100 CRm:4 op2=011 11111'],
  ]),
  ...group({ class: 'msr_immediate', feature: 'PAN' }, [
    ['MSR (immediate)', 'msr', '1101010100 0 00 op1=000 0100 CRm:4 op2=100 11111'],
  ]),
  ...group({ class: 'msr_immediate', feature: 'SSBS' }, [
    ['MSR (immediate)', 'msr', '1101010100 0 00 op1=011 0100 CRm:4 op2=001 11111'],
  ]),
  ...group({ class: 'msr_immediate', feature: 'DIT' }, [
    ['MSR (immediate)', 'msr', '1101010100 0 00 op1=011 0100 CRm:4 op2=010 11111'],
  ]),
  ...group({ class: 'msr_immediate', feature: 'MTE' }, [
    ['MSR (immediate)', 'msr', '1101010100 0 00 op1=011 0100 CRm:4 op2=100 11111'],
  ]),
  ...group({ class: 'invert_carry', feature: 'FLAGM' }, [
    ['CFINV', 'cfinv', '1101010100 0 00 op1=000 0100 (0000) op2=000 11111'],
  ]),
  ...group({ class: 'convert_flags', feature: 'FLAGM2' }, [
    ['XAFLAG', 'xaflag', '1101010100 0 00 op1=000 0100 (0000) op2=001 11111'],
    ['AXFLAG', 'axflag', '1101010100 0 00 op1=000 0100 (0000) op2=010 11111'],
  ]),
];

const system: readonly Encoding[] = [
  ...group({ class: 'system_instruction' }, [
    ['SYS', 'sys', '1101010100 L=0 op0=01 op1:3 CRn:4 CRm:4 op2:3 Rt:5'],
    ['SYSL', 'sysl', '1101010100 L=1 op0=01 op1:3 CRn:4 CRm:4 op2:3 Rt:5'],
  ]),
  ...group({ class: 'system_register_move' }, [
    ['MSR (register)', 'msr', '1101010100 L=0 op0=1x op1:3 CRn:4 CRm:4 op2:3 Rt:5'],
    ['MRS', 'mrs', '1101010100 L=1 op0=1x op1:3 CRn:4 CRm:4 op2:3 Rt:5'],
  ]),
];

/** All rows of this group. */
export const branchSystemEncodings: readonly Encoding[] = [...branches, ...exceptions, ...hints, ...barriers, ...processState, ...system];
