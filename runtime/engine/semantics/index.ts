/** All instruction classes and their micro-ops, numbered. */

import { assert } from '../../base/assert';
import { addSubCarry, addSubExtended, addSubImmediate, addSubShifted, pcRelative } from './arithmetic';
import { branchConditional, branchImmediate, branchRegister, compareAndBranch, testAndBranch } from './branches';
import { atomics, compareAndSwap, exclusives } from './exclusive';
import { bitfield, extract, logicalImmediate, logicalShifted, moveWide } from './logical';
import type { Emit, InstructionClass } from './lowering';
import { pairTransfers, singleTransfers } from './memory';
import { conditionalCompare, conditionalSelect, crc32, multiplyAdd, multiplyHigh, oneSource, twoSource } from './multiply';
import { barriers, hints, processState, systemInstructions, systemMoves } from './system';

const CLASSES: readonly InstructionClass[] = [
  addSubImmediate, addSubShifted, addSubExtended, addSubCarry, pcRelative,
  logicalImmediate, logicalShifted, moveWide, bitfield, extract,
  multiplyAdd, multiplyHigh, twoSource, oneSource, conditionalSelect, conditionalCompare, crc32,
  branchImmediate, branchConditional, compareAndBranch, testAndBranch, branchRegister,
  singleTransfers, pairTransfers, exclusives, compareAndSwap, atomics,
  hints, barriers, processState, systemMoves, systemInstructions,
];

const byKey = new Map(CLASSES.flatMap((entry) => entry.keys.map((key) => [key, entry] as const)));

/** The class of a key of the table's `class` column, if generated code executes it. */
export function instructionClass(key: string): InstructionClass | undefined {
  return byKey.get(key);
}

/** Micro-op 0: not decoded yet. */
export const OP_DECODE = 0;
/** Micro-op 1: TypeScript's business. */
export const OP_TRAP = 1;
/** Micro-op 2: the end of a page. */
export const OP_PAGE_END = 2;
/** Number of the first micro-op of an instruction class. */
export const OP_FIRST = 3;

/** Code of the micro-ops from `OP_FIRST` on. */
export const microOps: readonly (readonly [name: string, emit: Emit])[] = CLASSES.flatMap((entry) => [...entry.ops]);

const numbers = new Map(microOps.map(([name], index) => [name, index + OP_FIRST]));
assert(numbers.size === microOps.length, 'micro-op names are unique');

/** The number of a micro-op. */
export function microOpNumber(name: string): number {
  const number = numbers.get(name);
  assert(number !== undefined, `micro-op ${name}`);
  return number;
}
