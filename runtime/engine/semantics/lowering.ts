/** What an instruction class consists of: named micro-ops with their code, and the choice of one for a decoded word. */

import type { Feature, Fields } from '../../isa/interface';
import { SLOT_SINK, SLOT_SP, SLOT_X0, SLOT_ZERO } from '../layout';
import type { Operands } from '../operands';
import type { Code } from '../wasm/code';

/** Code of one micro-op. Ends by falling through (next instruction) or by leaving. */
export type Emit = (o: Operands) => Code;

/** A micro-op chosen for a word: operands are slot addresses, immediates as the micro-op wants them. */
export interface Lowered {
  readonly op: string;
  readonly d?: number;
  readonly n?: number;
  readonly m?: number;
  /** 64-bit immediate; or `low` and `high`, its halves. */
  readonly imm?: bigint;
  readonly low?: number;
  readonly high?: number;
}

/** Where the word stands: all that a micro-op may depend on besides the word itself. */
export interface Place {
  /** Offset in its 4 KiB page. */
  readonly pageOffset: number;
  /** What the core has. */
  readonly has: (feature: Feature) => boolean;
}

/** One class of the instruction table. */
export interface InstructionClass {
  /** Keys of the table's `class` column. */
  readonly keys: readonly string[];
  readonly ops: ReadonlyMap<string, Emit>;
  /** The micro-op of a word; `undefined` hands the word to TypeScript when it executes. */
  lower(fields: Fields, place: Place, key: string): Lowered | undefined;
}

/** Slot of a register read as a source where 31 means XZR. */
export function source(register: number): number {
  return register === 31 ? SLOT_ZERO : SLOT_X0 + register * 8;
}

/** Slot of a destination where 31 means XZR. */
export function destination(register: number): number {
  return register === 31 ? SLOT_SINK : SLOT_X0 + register * 8;
}

/** Slot of a register where 31 means SP. */
export function orStack(register: number): number {
  return register === 31 ? SLOT_SP : SLOT_X0 + register * 8;
}

/** A field that the row is known to have. */
export function field(fields: Fields, name: string): number {
  return fields[name] ?? 0;
}

/** The two operand sizes with the suffix used in micro-op names. */
export const SIZES = [32, 64] as const;

/** Operand size of a row with an `sf` bit. */
export function sizeOf(fields: Fields): 32 | 64 {
  return field(fields, 'sf') === 1 ? 64 : 32;
}
