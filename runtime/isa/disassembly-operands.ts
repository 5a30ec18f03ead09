/** Words that disassembly text is made of: register names, conditions, immediates, shifts. Lower case, in the style of GNU objdump. */

import { hex, signExtend } from '../base/bits';
import { field } from './encoding-rows';
import type { Fields } from './interface';

/** What a formatter makes of one instruction. */
export interface InstructionText {
  readonly mnemonic: string;
  readonly operands: string;
  readonly target?: bigint;
}

/** Writes the instructions of one class. `mnemonic` is the row's own. */
export type Formatter = (fields: Fields, mnemonic: string, address: bigint) => InstructionText;

/** Formatters by instruction class. */
export type FormatterTable = Readonly<Record<string, Formatter>>;

/** A line from its parts; empty operands are left out. */
export function text(mnemonic: string, ...operands: readonly (string | undefined)[]): InstructionText {
  return { mnemonic, operands: operands.filter((operand) => operand !== undefined && operand !== '').join(', ') };
}

/** X or W register by `sf`; 31 is the zero register. */
export function gpr(is64: number | boolean, n: number): string {
  const letter = is64 === 1 || is64 === true ? 'x' : 'w';
  return n === 31 ? `${letter}zr` : `${letter}${n}`;
}

/** X or W register by `sf`; 31 is the stack pointer. */
export function gprOrSp(is64: number | boolean, n: number): string {
  if (n !== 31) return gpr(is64, n);
  return is64 === 1 || is64 === true ? 'sp' : 'wsp';
}

/** The register in a field, with the width of `sf`. */
export function reg(f: Fields, name: string): string {
  return gpr(field(f, 'sf'), field(f, name));
}

/** The register or stack pointer in a field, with the width of `sf`. */
export function regOrSp(f: Fields, name: string): string {
  return gprOrSp(field(f, 'sf'), field(f, name));
}

const conditions = ['eq', 'ne', 'cs', 'cc', 'mi', 'pl', 'vs', 'vc', 'hi', 'ls', 'ge', 'lt', 'gt', 'le', 'al', 'nv'];

/** The name of a condition code. */
export function condition(code: number): string {
  return conditions[code & 15] ?? '';
}

/** `#0x…`. */
export function hexImmediate(value: number | bigint): string {
  return `#${hex(value)}`;
}

/** `#` and a decimal number. */
export function decimal(value: number): string {
  return `#${value}`;
}

const shiftNames = ['lsl', 'lsr', 'asr', 'ror'];

/** The shift of a register operand; nothing for `lsl #0`. */
export function shift(type: number, amount: number): string | undefined {
  return type === 0 && amount === 0 ? undefined : `${shiftNames[type] ?? ''} #${amount}`;
}

const extendNames = ['uxtb', 'uxth', 'uxtw', 'uxtx', 'sxtb', 'sxth', 'sxtw', 'sxtx'];

/** The name of a register extension. */
export function extendName(option: number): string {
  return extendNames[option] ?? '';
}

/** A line whose last operand is the address `offset` bytes from `base`. */
export function withTarget(base: bigint, offset: bigint, line: (target: string) => InstructionText): InstructionText {
  const target = BigInt.asUintN(64, base + offset);
  return { ...line(hex(target)), target };
}

/** A signed field in units of `scale` bytes. */
export function signedOffset(f: Fields, name: string, width: number, scale = 1): number {
  return signExtend(field(f, name), width) * scale;
}

/** `[base]` or `[base, #offset]`. */
export function memory(n: number, offset: number): string {
  return offset === 0 ? `[${gprOrSp(true, n)}]` : `[${gprOrSp(true, n)}, #${offset}]`;
}
