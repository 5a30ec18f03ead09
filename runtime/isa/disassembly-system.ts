/** Disassembly of branches, exceptions and system instructions, with the names of hints, barriers and system registers. */

import { field } from './encoding-rows';
import { condition, decimal, gpr, gprOrSp, hexImmediate, reg, signedOffset, text, withTarget } from './disassembly-operands';
import type { Formatter, FormatterTable } from './disassembly-operands';
import { systemRegisterKey } from './interface';
import type { Fields, SystemRegisterOperands } from './interface';
import { systemInstructionByKey, systemRegisterByKey } from './system-registers';

const hintNames: Readonly<Record<number, string>> = {
  0: 'nop', 1: 'yield', 2: 'wfe', 3: 'wfi', 4: 'sev', 5: 'sevl', 6: 'dgh', 7: 'xpaclri', 8: 'pacia1716', 10: 'pacib1716', 12: 'autia1716', 14: 'autib1716',
  16: 'esb', 17: 'psb csync', 18: 'tsb csync', 20: 'csdb', 22: 'clearbhb', 24: 'paciaz', 25: 'paciasp', 26: 'pacibz', 27: 'pacibsp', 28: 'autiaz', 29: 'autiasp',
  30: 'autibz', 31: 'autibsp', 32: 'bti', 34: 'bti c', 36: 'bti j', 38: 'bti jc',
};

const hint: Formatter = (f) => {
  const number = (field(f, 'CRm') << 3) | field(f, 'op2');
  const [mnemonic, operand] = hintNames[number]?.split(' ') ?? ['hint', hexImmediate(number)];
  return text(mnemonic ?? 'hint', operand);
};

const barrierScopes: Readonly<Record<number, string>> = {
  1: 'oshld', 2: 'oshst', 3: 'osh', 5: 'nshld', 6: 'nshst', 7: 'nsh', 9: 'ishld', 10: 'ishst', 11: 'ish', 13: 'ld', 14: 'st', 15: 'sy',
};

const barrier: Formatter = (f, mnemonic) => {
  const scope = field(f, 'CRm');
  if (mnemonic === 'clrex' || mnemonic === 'isb') return text(mnemonic, scope === 15 ? undefined : hexImmediate(scope));
  if (mnemonic === 'dsb' && scope === 0) return text('ssbb');
  if (mnemonic === 'dsb' && scope === 4) return text('pssbb');
  return text(mnemonic, barrierScopes[scope] ?? `#0x${scope.toString(16).padStart(2, '0')}`);
};

const operandsOf = (f: Fields): SystemRegisterOperands =>
  ({ op0: field(f, 'op0'), op1: field(f, 'op1'), crn: field(f, 'CRn'), crm: field(f, 'CRm'), op2: field(f, 'op2') });

/** The name in lower case, or `s3_0_c15_c2_0` for a register without a row. */
export function systemRegisterText(operands: SystemRegisterOperands): string {
  const { op0, op1, crn, crm, op2 } = operands;
  return systemRegisterByKey(systemRegisterKey(operands))?.name.toLowerCase() ?? `s${op0}_${op1}_c${crn}_c${crm}_${op2}`;
}

const systemRegisterMove: Formatter = (f, mnemonic) => {
  const value = gpr(true, field(f, 'Rt'));
  const name = systemRegisterText(operandsOf(f));
  if (f['L'] === 1) return text(mnemonic, value, name);
  return text(mnemonic, name === 'dbgdtrrx_el0' ? 'dbgdtrtx_el0' : name, value);
};

const systemInstruction: Formatter = (f, mnemonic) => {
  const named = f['L'] === 0 ? systemInstructionByKey(systemRegisterKey(operandsOf(f))) : undefined;
  const rt = field(f, 'Rt');
  if (named !== undefined) {
    const [operation = '', operand] = named.name.toLowerCase().split(' ');
    return text(operation, operand, named.takesRegister ? gpr(true, rt) : undefined);
  }
  const numbers = [decimal(field(f, 'op1')), `C${field(f, 'CRn')}`, `C${field(f, 'CRm')}`, decimal(field(f, 'op2'))];
  if (f['L'] === 1) return text(mnemonic, gpr(true, rt), ...numbers);
  return text(mnemonic, ...numbers, rt === 31 ? undefined : gpr(true, rt));
};

const processStateNames: Readonly<Record<number, string>> = { 3: 'uao', 4: 'pan', 5: 'spsel', 25: 'ssbs', 26: 'dit', 28: 'tco', 30: 'daifset', 31: 'daifclr' };

const branchAuthenticated: Formatter = (f, mnemonic) => {
  if (/^(ret|eret)/.test(mnemonic)) return text(mnemonic);
  return text(mnemonic, gpr(true, field(f, 'Rn')), mnemonic.endsWith('z') ? undefined : gprOrSp(true, field(f, 'Rm')));
};

/** Formatters of the branch, exception and system classes. */
export const systemFormatters: FormatterTable = {
  branch_immediate: (f, mnemonic, address) => withTarget(address, BigInt(signedOffset(f, 'imm26', 26, 4)), (target) => text(mnemonic, target)),
  branch_conditional: (f, _, address) =>
    withTarget(address, BigInt(signedOffset(f, 'imm19', 19, 4)), (target) => text(`b.${condition(field(f, 'cond'))}`, target)),
  compare_and_branch: (f, mnemonic, address) =>
    withTarget(address, BigInt(signedOffset(f, 'imm19', 19, 4)), (target) => text(mnemonic, reg(f, 'Rt'), target)),
  test_and_branch: (f, mnemonic, address) => withTarget(address, BigInt(signedOffset(f, 'imm14', 14, 4)), (target) =>
    text(mnemonic, gpr(field(f, 'b5'), field(f, 'Rt')), decimal((field(f, 'b5') << 5) | field(f, 'b40')), target)),
  branch_register: (f, mnemonic) => text(mnemonic, mnemonic === 'ret' && f['Rn'] === 30 ? undefined : gpr(true, field(f, 'Rn'))),
  branch_register_authenticated: branchAuthenticated,
  exception_return: (_, mnemonic) => text(mnemonic),
  debug_restore: (_, mnemonic) => text(mnemonic),
  exception_generation: (f, mnemonic) => text(mnemonic, mnemonic.startsWith('dcps') && f['imm16'] === 0 ? undefined : hexImmediate(field(f, 'imm16'))),
  permanently_undefined: (f, mnemonic) => text(mnemonic, decimal(field(f, 'imm16'))),
  hint,
  wait_with_timeout: (f, mnemonic) => text(mnemonic, gpr(true, field(f, 'Rd'))),
  barrier,
  speculation_barrier: (_, mnemonic) => text(mnemonic),
  msr_immediate: (f, mnemonic) => text(mnemonic, processStateNames[(field(f, 'op1') << 3) | field(f, 'op2')], hexImmediate(field(f, 'CRm'))),
  invert_carry: (_, mnemonic) => text(mnemonic),
  convert_flags: (_, mnemonic) => text(mnemonic),
  system_instruction: systemInstruction,
  system_register_move: systemRegisterMove,
};
