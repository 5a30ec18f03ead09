/** Registers as variables: the general ones, and the system registers in groups by what they are for, some of them in words. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { explainEsr, hex, va } from '../../runtime/index';
import { frameEvaluation } from '../evaluation';
import type { EvaluationContext } from '../expressions/index';
import type { Session } from '../session';
import type { FrameHandle, VariableContainer } from './references';
import { setNamed } from './values';

/** Groups of system registers; a register belongs to the first that fits. Names as in the Arm ARM (DDI 0487) D24. */
const GROUPS: readonly { readonly name: string; readonly pattern: RegExp }[] = [
  { name: 'State', pattern: /^(SCTLR|ACTLR|CPACR|CurrentEL|SPSel|PAN|UAO|DIT|SSBS|TCO|NZCV|DAIF|FPCR|FPSR|SP_EL|TPIDR|CONTEXTIDR)/ },
  { name: 'Exceptions', pattern: /^(ESR|FAR|ELR|SPSR|VBAR|AFSR|ISR|PAR|RMR|RVBAR|DISR)/ },
  { name: 'Translation', pattern: /^(TTBR|TCR|MAIR|AMAIR)/ },
  { name: 'Timers', pattern: /^CNT/ },
  { name: 'Interrupts', pattern: /^ICC_/ },
  { name: 'Pointer authentication', pattern: /^AP(I|D|G)/ },
  { name: 'Performance monitors', pattern: /^PM/ },
  { name: 'Debug', pattern: /^(DBG|MDSCR|MDCCINT|OS(LAR|LSR|DLR|DTR|ECCR)|MDR)/ },
  { name: 'Identification', pattern: /^(ID_|MIDR|MPIDR|REVIDR|AIDR|CTR|DCZID|CLIDR|CCSIDR|CSSELR|MVFR)/ },
  { name: 'Others', pattern: /./ },
];

/** SCTLR_EL1 bits worth naming, Arm ARM D24.2 SCTLR_EL1. */
const SCTLR_BITS: readonly (readonly [number, string])[] = [
  [0, 'M (MMU on)'], [1, 'A (alignment checks)'], [2, 'C (data cache)'], [3, 'SA'], [4, 'SA0'], [12, 'I (instruction cache)'], [19, 'WXN'], [24, 'E0E'], [25, 'EE (big-endian)'], [30, 'EnIB'], [31, 'EnIA'],
];

const WIDTH_DIGITS = 2;

/** Names of the general registers in order. */
function generalNames(): string[] {
  return [...Array.from({ length: 31 }, (_, n) => `x${n}`), 'sp', 'pc', 'pstate'];
}

/** The general registers of a frame. */
export function generalRegisters(session: Session, handle: FrameHandle): VariableContainer {
  return registerContainer(session, handle, generalNames());
}

/** The system registers, one level of groups above them. */
export function systemRegisters(session: Session, handle: FrameHandle): VariableContainer {
  const left = new Set([...session.debuggee.target.system.systemRegisterNames()].sort());
  const groups = GROUPS.map(({ name, pattern }) => {
    const names = [...left].filter((register) => pattern.test(register));
    for (const register of names) left.delete(register);
    return { name, names };
  }).filter(({ names }) => names.length > 0);
  return {
    children: (start, count) => groups.slice(start, start + count).map(({ name, names }): DebugProtocol.Variable => ({
      name, value: `${names.length} registers`, variablesReference: session.references.add(registerContainer(session, handle, names)), namedVariables: names.length, presentationHint: { kind: 'virtual', attributes: ['readOnly'] },
    })),
    set: (name, value) => setNamed(session, handle, { target: `$${name}`, value }),
  };
}

function registerContainer(session: Session, handle: FrameHandle, names: readonly string[]): VariableContainer {
  return {
    children(start, count) {
      const context = frameEvaluation(session, handle);
      return names.slice(start, start + count).map((name) => registerVariable(session, { handle, context }, name));
    },
    set: (name, value) => setNamed(session, handle, { target: `$${name}`, value }),
  };
}

function registerVariable(session: Session, { handle, context }: { handle: FrameHandle; context: EvaluationContext }, name: string): DebugProtocol.Variable {
  const register = context.readRegister(name);
  if (register === undefined) return { name, value: '<not known in this frame>', type: 'register', variablesReference: 0, presentationHint: { attributes: ['readOnly'] } };
  const symbol = symbolWords(session, handle, name, register.value);
  const words = registerWords(context, name, register.value) ?? symbol;
  const digits = `0x${register.value.toString(16).padStart(register.sizeBytes * WIDTH_DIGITS, '0')}`;
  const hasAddress = !(name in WORDS);
  return {
    name, value: words === undefined ? digits : `${digits} ${words}`, type: 'register', evaluateName: `$${name}`, variablesReference: 0,
    ...(symbol === undefined ? {} : { valueLocationReference: session.references.addTarget({ vm: handle.vm, address: va(register.value) }) }),
    ...(hasAddress ? { memoryReference: `${handle.vm}:va:${hex(register.value)}` } : {}),
  };
}

/** How some registers read. */
const WORDS: Readonly<Record<string, (value: bigint, context: EvaluationContext) => string>> = {
  pstate: describePstate,
  SPSR_EL1: describePstate,
  ESR_EL1: (value, context) => `(${explainEsr(value, context.readRegister('FAR_EL1')?.value).join(', ')})`,
  SCTLR_EL1: (value) => `(${SCTLR_BITS.filter(([bit]) => ((value >> BigInt(bit)) & 1n) === 1n).map(([, text]) => text).join(', ') || 'MMU and caches off'})`,
  CurrentEL: (value) => `(EL${(value >> 2n) & 3n})`,
};

function registerWords(context: EvaluationContext, name: string, value: bigint): string | undefined {
  return Object.hasOwn(WORDS, name) ? WORDS[name]?.(value, context) : undefined;
}

/** Where an address in code points: `<function+8>`. */
function symbolWords(session: Session, { vm }: FrameHandle, name: string, value: bigint): string | undefined {
  if (!/^(pc|x30|ELR_EL1|VBAR_EL1)$/.test(name)) return undefined;
  const symbol = session.debuggee.symbols.get(vm)?.at(value)?.symbolize(value);
  return symbol === undefined ? undefined : `<${symbol.name}${symbol.offset === 0n ? '' : `+${symbol.offset}`}>`;
}

/** PSTATE in words: flags, masks, exception level. Arm ARM: SPSR_EL1 layout. */
function describePstate(value: bigint): string {
  const bit = (position: number): boolean => ((value >> BigInt(position)) & 1n) === 1n;
  const letters = (names: string, top: number): string => [...names].map((letter, index) => (bit(top - index) ? letter : '-')).join('');
  return `${letters('NZCV', 31)} ${letters('DAIF', 9)} EL${(value >> 2n) & 3n}${bit(0) ? 'h' : 't'}`;
}
