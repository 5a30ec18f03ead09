/**
 * ESR_ELx in words: exception classes, fault status codes and the syndrome bits of each class. For a debugger's exception
 * view; nothing here decides what the engine does. Arm ARM (DDI 0487) D19.2, ESR_ELx.
 */

import { hex } from '../base/bits';
import { decimal, gpr } from './disassembly-operands';
import { systemRegisterText } from './disassembly-system';

/** How the low 25 bits (ISS) of a class read. */
type SyndromeKind = 'none' | 'wait' | 'system-register' | 'call' | 'breakpoint-instruction' | 'instruction-abort' | 'data-abort' | 'watchpoint' | 'serror' | 'floating-point' | 'branch-target';

/** One exception class: the value of ESR_ELx.EC. */
export interface ExceptionClass {
  readonly code: number;
  /** Short name, unique. */
  readonly name: string;
  /** What happened, as a sentence without a full stop. */
  readonly description: string;
  readonly syndrome: SyndromeKind;
}

/** Exception classes that AArch64 code or its AArch32 applications can cause. */
export const exceptionClasses: readonly ExceptionClass[] = [
  { code: 0x00, name: 'unknown', description: 'Undefined instruction, or another cause without a syndrome', syndrome: 'none' },
  { code: 0x01, name: 'wfx', description: 'WFI or WFE trapped', syndrome: 'wait' },
  { code: 0x03, name: 'cp15-32', description: 'AArch32 MCR or MRC (coprocessor 15) trapped', syndrome: 'none' },
  { code: 0x04, name: 'cp15-64', description: 'AArch32 MCRR or MRRC (coprocessor 15) trapped', syndrome: 'none' },
  { code: 0x05, name: 'cp14-32', description: 'AArch32 MCR or MRC (coprocessor 14) trapped', syndrome: 'none' },
  { code: 0x06, name: 'cp14-ldc-stc', description: 'AArch32 LDC or STC trapped', syndrome: 'none' },
  { code: 0x07, name: 'fp-access', description: 'Floating-point or SIMD access trapped (CPACR_EL1.FPEN)', syndrome: 'none' },
  { code: 0x08, name: 'vmrs', description: 'AArch32 VMRS trapped', syndrome: 'none' },
  { code: 0x09, name: 'pauth', description: 'Pointer authentication instruction trapped', syndrome: 'none' },
  { code: 0x0a, name: 'ls64', description: '64-byte load or store trapped', syndrome: 'none' },
  { code: 0x0c, name: 'cp14-64', description: 'AArch32 MRRC (coprocessor 14) trapped', syndrome: 'none' },
  { code: 0x0d, name: 'branch-target', description: 'Branch to an instruction that is no branch target (BTI)', syndrome: 'branch-target' },
  { code: 0x0e, name: 'illegal-state', description: 'Illegal execution state (PSTATE.IL)', syndrome: 'none' },
  { code: 0x11, name: 'svc32', description: 'SVC from AArch32', syndrome: 'call' },
  { code: 0x12, name: 'hvc32', description: 'HVC from AArch32', syndrome: 'call' },
  { code: 0x13, name: 'smc32', description: 'SMC from AArch32', syndrome: 'none' },
  { code: 0x15, name: 'svc64', description: 'SVC', syndrome: 'call' },
  { code: 0x16, name: 'hvc64', description: 'HVC', syndrome: 'call' },
  { code: 0x17, name: 'smc64', description: 'SMC', syndrome: 'call' },
  { code: 0x18, name: 'system-register', description: 'MSR, MRS or system instruction trapped', syndrome: 'system-register' },
  { code: 0x19, name: 'sve-access', description: 'SVE access trapped (CPACR_EL1.ZEN)', syndrome: 'none' },
  { code: 0x1a, name: 'eret', description: 'ERET trapped', syndrome: 'none' },
  { code: 0x1c, name: 'pauth-failure', description: 'Pointer authentication failed', syndrome: 'none' },
  { code: 0x1d, name: 'sme-access', description: 'SME access trapped', syndrome: 'none' },
  { code: 0x20, name: 'instruction-abort-lower', description: 'Instruction abort from a lower exception level', syndrome: 'instruction-abort' },
  { code: 0x21, name: 'instruction-abort', description: 'Instruction abort at the same exception level', syndrome: 'instruction-abort' },
  { code: 0x22, name: 'pc-alignment', description: 'Misaligned PC', syndrome: 'none' },
  { code: 0x24, name: 'data-abort-lower', description: 'Data abort from a lower exception level', syndrome: 'data-abort' },
  { code: 0x25, name: 'data-abort', description: 'Data abort at the same exception level', syndrome: 'data-abort' },
  { code: 0x26, name: 'sp-alignment', description: 'Misaligned stack pointer', syndrome: 'none' },
  { code: 0x27, name: 'memory-operation', description: 'Memory copy or set exception', syndrome: 'none' },
  { code: 0x28, name: 'fp-exception-32', description: 'Trapped floating-point exception from AArch32', syndrome: 'floating-point' },
  { code: 0x2c, name: 'fp-exception-64', description: 'Trapped floating-point exception', syndrome: 'floating-point' },
  { code: 0x2f, name: 'serror', description: 'SError interrupt', syndrome: 'serror' },
  { code: 0x30, name: 'breakpoint-lower', description: 'Hardware breakpoint from a lower exception level', syndrome: 'none' },
  { code: 0x31, name: 'breakpoint', description: 'Hardware breakpoint at the same exception level', syndrome: 'none' },
  { code: 0x32, name: 'software-step-lower', description: 'Software step from a lower exception level', syndrome: 'none' },
  { code: 0x33, name: 'software-step', description: 'Software step at the same exception level', syndrome: 'none' },
  { code: 0x34, name: 'watchpoint-lower', description: 'Watchpoint from a lower exception level', syndrome: 'watchpoint' },
  { code: 0x35, name: 'watchpoint', description: 'Watchpoint at the same exception level', syndrome: 'watchpoint' },
  { code: 0x38, name: 'bkpt32', description: 'BKPT from AArch32', syndrome: 'breakpoint-instruction' },
  { code: 0x3a, name: 'vector-catch', description: 'AArch32 vector catch', syndrome: 'none' },
  { code: 0x3c, name: 'brk64', description: 'BRK', syndrome: 'breakpoint-instruction' },
];

const classesByCode = new Map(exceptionClasses.map((row) => [row.code, row]));

/** The row of an ESR_ELx.EC value, or undefined for a reserved one. */
export function exceptionClass(code: number): ExceptionClass | undefined {
  return classesByCode.get(code);
}

/** Names of the fault status codes that have no level in their low bits. */
const plainFaults: Readonly<Record<number, string>> = {
  0x10: 'synchronous external abort', 0x11: 'synchronous tag check fault', 0x13: 'synchronous external abort on a translation table walk, level -1',
  0x18: 'synchronous parity or ECC error', 0x21: 'alignment fault', 0x23: 'granule protection fault on a translation table walk, level -1',
  0x28: 'granule protection fault', 0x29: 'address size fault, level -1', 0x2b: 'translation fault, level -1', 0x30: 'TLB conflict abort',
  0x31: 'unsupported atomic hardware update', 0x34: 'implementation defined fault (lockdown)', 0x35: 'implementation defined fault (unsupported exclusive or atomic access)',
};

/** Faults whose low two bits are the level of the walk. */
const levelFaults: Readonly<Record<number, string>> = {
  0x00: 'address size fault', 0x04: 'translation fault', 0x08: 'access flag fault', 0x0c: 'permission fault',
  0x14: 'synchronous external abort on a translation table walk', 0x1c: 'synchronous parity or ECC error on a translation table walk',
  0x24: 'granule protection fault on a translation table walk',
};

/** A six-bit fault status code (DFSC or IFSC) in words. */
export function faultStatus(code: number): string {
  const levelled = levelFaults[code & 0x3c];
  return plainFaults[code] ?? (levelled === undefined ? `reserved fault status ${hex(code)}` : `${levelled}, level ${code & 3}`);
}

const bit = (iss: number, position: number): boolean => ((iss >>> position) & 1) === 1;

function abortLines(iss: number, far: bigint | undefined): string[] {
  const lines = [faultStatus(iss & 0x3f)];
  if (far !== undefined && !bit(iss, 10)) lines.push(`at address ${hex(far)}`);
  if (bit(iss, 10)) lines.push('the fault address register is not valid');
  if (bit(iss, 9)) lines.push('external abort type bit set');
  if (bit(iss, 7)) lines.push('while walking the stage 1 tables (fault in stage 2)');
  return lines;
}

function dataAbortLines(iss: number, far: bigint | undefined): string[] {
  const lines = [...abortLines(iss, far), bit(iss, 8) ? 'caused by a cache maintenance instruction' : bit(iss, 6) ? 'on a write' : 'on a read'];
  if (!bit(iss, 24)) return lines;
  const sizeBytes = 1 << ((iss >>> 22) & 3);
  lines.push(`${sizeBytes}-byte access, register ${gpr(bit(iss, 15), (iss >>> 16) & 31)}${bit(iss, 21) ? ', sign-extended' : ''}`);
  if (bit(iss, 14)) lines.push('with acquire or release');
  return lines;
}

function systemRegisterLines(iss: number): string[] {
  const operands = { op0: (iss >>> 20) & 3, op2: (iss >>> 17) & 7, op1: (iss >>> 14) & 7, crn: (iss >>> 10) & 15, crm: (iss >>> 1) & 15 };
  const register = gpr(true, (iss >>> 5) & 31);
  const name = systemRegisterText(operands);
  return [bit(iss, 0) ? `mrs ${register}, ${name}` : `msr ${name}, ${register}`];
}

const floatingPointFlags = [[0, 'invalid operation'], [1, 'divide by zero'], [2, 'overflow'], [3, 'underflow'], [4, 'inexact'], [7, 'input denormal']] as const;

function floatingPointLines(iss: number): string[] {
  if (!bit(iss, 23)) return ['which exceptions is not recorded'];
  return floatingPointFlags.filter(([position]) => bit(iss, position)).map(([, name]) => name);
}

function syndromeLines(kind: SyndromeKind, iss: number, far: bigint | undefined): string[] {
  switch (kind) {
    case 'none': return [];
    case 'wait': return [['WFI', 'WFE', 'WFIT', 'WFET'][iss & 3] ?? ''];
    case 'call': return [`immediate ${decimal(iss & 0xffff)} (${hex(iss & 0xffff)})`];
    case 'breakpoint-instruction': return [`immediate ${decimal(iss & 0xffff)} (${hex(iss & 0xffff)})`];
    case 'system-register': return systemRegisterLines(iss);
    case 'instruction-abort': return abortLines(iss, far);
    case 'data-abort': return dataAbortLines(iss, far);
    case 'watchpoint': return [...(far === undefined ? [] : [`at address ${hex(far)}`]), bit(iss, 6) ? 'on a write' : 'on a read'];
    case 'serror': return [bit(iss, 24) ? 'implementation defined syndrome' : (iss & 0x3f) === 0x11 ? 'asynchronous SError' : 'uncategorised'];
    case 'floating-point': return floatingPointLines(iss);
    case 'branch-target': return [`branch type ${iss & 3}`];
  }
}

/**
 * An exception syndrome in words: the first line says what happened, the others the details that ISS holds. `far` is the
 * fault address register, shown where the class makes it valid. The alignment classes put it in as well.
 */
export function explainEsr(esr: bigint, far?: bigint): string[] {
  const code = Number((esr >> 26n) & 0x3fn);
  const iss = Number(esr & 0x1ff_ffffn);
  const row = exceptionClass(code);
  if (row === undefined) return [`Reserved exception class ${hex(code)}`];
  const lines = [row.description, ...syndromeLines(row.syndrome, iss, far)];
  if (row.name === 'pc-alignment' && far !== undefined) lines.push(`at address ${hex(far)}`);
  return lines;
}
