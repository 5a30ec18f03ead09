/** All instruction classes and their micro-ops, numbered. */

import { assert, present } from '../../base/assert';
import { addSubCarry, addSubExtended, addSubImmediate, addSubShifted, pcRelative } from './arithmetic';
import { authentication } from './authentication';
import { branchConditional, branchImmediate, branchRegister, compareAndBranch, testAndBranch } from './branches';
import { atomics, compareAndSwap, exclusives } from './exclusive';
import { bitfield, extract, logicalImmediate, logicalShifted, moveWide } from './logical';
import { flagManipulation } from './flag-manipulation';
import { fusions } from './fusion';
import { floatClasses } from './floating-point';
import type { Emit, InstructionClass } from './lowering';
import { pairTransfers, singleTransfers } from './memory';
import { conditionalCompare, conditionalSelect, crc32, multiplyAdd, multiplyHigh, oneSource, twoSource } from './multiply';
import { scalableClasses } from './scalable';
import { barriers, hints, processState, systemInstructions, systemMoves } from './system';
import { vectorClasses } from './vector-data';
import { laterVectorClasses } from './vector-later';
import { vectorPairTransfers, vectorStructures, vectorTransfers } from './vector-memory';
import { moveGeneral, vectorCopies, vectorImmediates, vectorLogical } from './vector-moves';

const CLASSES: readonly InstructionClass[] = [
  addSubImmediate, addSubShifted, addSubExtended, addSubCarry, pcRelative,
  logicalImmediate, logicalShifted, moveWide, bitfield, extract,
  multiplyAdd, multiplyHigh, twoSource, oneSource, conditionalSelect, conditionalCompare, crc32,
  branchImmediate, branchConditional, compareAndBranch, testAndBranch, branchRegister,
  singleTransfers, pairTransfers, exclusives, compareAndSwap, atomics,
  hints, barriers, processState, systemMoves, systemInstructions,
  vectorTransfers, vectorPairTransfers, vectorStructures, vectorImmediates, vectorLogical, vectorCopies, moveGeneral,
  flagManipulation, authentication,
  ...floatClasses, ...vectorClasses, ...laterVectorClasses, ...scalableClasses,
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

/** Code of one numbered micro-op; `emitSecond` is there if it is a fused one. */
export interface MicroOp { readonly name: string; readonly emit: Emit; readonly emitSecond?: Emit }

const emits = new Map(CLASSES.flatMap((entry) => [...entry.ops]));
assert(emits.size === CLASSES.reduce((sum, entry) => sum + entry.ops.size, 0), 'micro-op names are unique');

const plain: readonly MicroOp[] = [...emits].map(([name, emit]) => ({ name, emit }));
const numbers = new Map(plain.map(({ name }, index) => [name, index + OP_FIRST]));

/** The number of a micro-op that is not fused. */
export function microOpNumber(name: string): number {
  return present(numbers.get(name), `micro-op ${name}`);
}

const fused = fusions(emits);

/** Micro-ops from `OP_FIRST` on. */
export const microOps: readonly MicroOp[] = [
  ...plain,
  ...fused.map(({ first, second, emitSecond }) => ({ name: `${first}+${second}`, emit: present(emits.get(first), first), emitSecond })),
];

const FUSED_FIRST = OP_FIRST + plain.length;
const fusedNumbers = new Map(fused.map(({ first, second }, index) => [microOpNumber(first) * 65536 + microOpNumber(second), FUSED_FIRST + index]));
const firstHalves = fused.map(({ first }) => microOpNumber(first));

/** What a micro-op does before fusion: the first half of a fused one, itself otherwise. */
export function unfused(op: number): number {
  return firstHalves[op - FUSED_FIRST] ?? op;
}

/** The fusion of two micro-ops that are not fused, if there is one. */
export function fusionOf(first: number, second: number): number | undefined {
  return fusedNumbers.get(first * 65536 + second);
}
