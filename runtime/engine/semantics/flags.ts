/**
 * Condition flags. They are kept as the values they come from: N is the sign of one slot, Z says another is zero, C is 0
 * or 1, V is the sign of a third. N and Z have slots of their own because CCMP and MSR NZCV can set both.
 */

import { SLOT_C, SLOT_N, SLOT_V, SLOT_Z } from '../layout';
import type { Code } from '../wasm/code';
import { i32, i64, set, type I32, type I64, type Local32, type Local64 } from '../wasm/expressions';

const ZERO = i32.const(0);
const flagN = i64.load(ZERO, SLOT_N);
const flagZ = i64.load(ZERO, SLOT_Z);
const flagV = i64.load(ZERO, SLOT_V);

/** C as 0 or 1. */
export const carry: I32 = i32.load(ZERO, SLOT_C);

/** Sets all four from the values they are kept as. */
export function setFlags(result: I64, carryOut: I32, overflow: I64): Code {
  return [
    i64.store(ZERO, result, SLOT_N), i64.store(ZERO, result, SLOT_Z),
    i32.store(ZERO, carryOut, SLOT_C), i64.store(ZERO, overflow, SLOT_V),
  ];
}

/** N and Z of a result, C and V clear: the logical instructions. */
export function setLogicalFlags(result: I64): Code {
  return setFlags(result, ZERO, i64.const(0n));
}

/** Flags of `result = a + b`, all 64-bit locals. */
export function setAddFlags64(a: Local64, b: Local64, result: Local64): Code {
  return setFlags(result, i64.ltU(result, a), i64.and(i64.xor(a, result), i64.xor(b, result)));
}

/** Flags of `result = a - b`, all 64-bit locals. */
export function setSubFlags64(a: Local64, b: Local64, result: Local64): Code {
  return setFlags(result, i64.geU(a, b), i64.and(i64.xor(a, b), i64.xor(a, result)));
}

/** Flags of a 32-bit addition held in 64-bit locals with zero-extended operands; `result` is the 33-bit sum. */
export function setAddFlags32(a: Local64, b: Local64, result: Local64): Code {
  const overflow = i64.shl(i64.and(i64.xor(a, result), i64.xor(b, result)), i64.const(32n));
  return setFlags(i64.extend32S(result), i32.wrap(i64.shrU(result, i64.const(32n))), overflow);
}

/** Flags of a 32-bit subtraction held in 64-bit locals with zero-extended operands; `result` is the difference. */
export function setSubFlags32(a: Local64, b: Local64, result: Local64): Code {
  const overflow = i64.shl(i64.and(i64.xor(a, b), i64.xor(a, result)), i64.const(32n));
  return setFlags(i64.extend32S(result), i64.geU(a, b), overflow);
}

/** Sets the flags from a 4-bit NZCV value. */
export function setFlagBits(nzcv: I32, scratch: Local32): Code {
  const bit = (position: number): I32 => i32.and(i32.shrU(scratch, i32.const(position)), i32.const(1));
  return [
    set(scratch, nzcv),
    i64.store(ZERO, i64.shl(i64.extendU(bit(3)), i64.const(63n)), SLOT_N),
    i64.store(ZERO, i64.extendU(i32.xor(bit(2), i32.const(1))), SLOT_Z),
    i32.store(ZERO, bit(1), SLOT_C),
    i64.store(ZERO, i64.shl(i64.extendU(bit(0)), i64.const(63n)), SLOT_V),
  ];
}

const negative = i64.ltS(flagN, i64.const(0n));
const zero = i64.eqz(flagZ);
const overflowed = i64.ltS(flagV, i64.const(0n));
const greaterOrEqual = i64.geS(i64.xor(flagN, flagV), i64.const(0n));
const lessThan = i64.ltS(i64.xor(flagN, flagV), i64.const(0n));
const not = (a: I32): I32 => i32.eqz(a);

/** Whether each condition holds, by its 4-bit code; nonzero is true (Arm ARM: ConditionHolds). */
export const CONDITIONS: readonly I32[] = [
  zero, not(zero), carry, not(carry),
  negative, not(negative), overflowed, not(overflowed),
  i32.and(carry, not(zero)), i32.or(not(carry), zero),
  greaterOrEqual, lessThan,
  i32.and(greaterOrEqual, not(zero)), i32.or(lessThan, zero),
  i32.const(1), i32.const(1),
];

/** Whether a condition holds for NZCV (Arm ARM: ConditionHolds). */
function holds(condition: number, nzcv: number): boolean {
  const [n, z, c, v] = [(nzcv & 8) !== 0, (nzcv & 4) !== 0, (nzcv & 2) !== 0, (nzcv & 1) !== 0];
  const base = [z, c, n, v, c && !z, n === v, n === v && !z, true][condition >> 1] === true;
  return (condition & 1) === 1 && condition !== 15 ? !base : base;
}

/** Bit n is set if the condition holds when NZCV is n. */
export function conditionMask(condition: number): number {
  let mask = 0;
  for (let nzcv = 0; nzcv < 16; nzcv++) if (holds(condition, nzcv)) mask |= 1 << nzcv;
  return mask;
}

/** NZCV as a number from 0 to 15. */
export const flagBits: I32 = i32.or(
  i32.or(i32.shl(negative, i32.const(3)), i32.shl(zero, i32.const(2))),
  i32.or(i32.shl(carry, i32.const(1)), overflowed));
