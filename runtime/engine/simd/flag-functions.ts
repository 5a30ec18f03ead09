/**
 * Functions of the flag manipulation extensions. They stand in the table of SIMD functions because they are as rare, and are called the
 * same way; they touch general registers and flags only. Arm ARM (DDI 0487) C6.2: RMIF, SETF8, CFINV, AXFLAG, XAFLAG.
 */

import { flagBits, setFlagBits } from '../semantics/flags';
import { i32, i64, type I32 } from '../wasm/expressions';
import type { SimdBody } from './lanes';

const c32 = i32.const;

/** A function from flags to flags: the new NZCV for each old one. */
function flagMap(map: (n: number, z: number, c: number, v: number) => number): SimdBody {
  let table = 0n;
  for (let nzcv = 0; nzcv < 16; nzcv++) table |= BigInt(map(nzcv >> 3, (nzcv >> 2) & 1, (nzcv >> 1) & 1, nzcv & 1)) << BigInt(nzcv * 4);
  const entry = i64.shrU(i64.const(table), i64.extendU(i32.shl(flagBits, c32(2))));
  return (v) => setFlagBits(i32.and(i32.wrap(entry), c32(15)), v.index);
}
const packed = (n: number, z: number, c: number, v: number): number => (n << 3) | (z << 2) | (c << 1) | v;

/** Bits of n rotated by `amount` into the flags of the mask in `part`. */
const rotateIntoFlags: SimdBody = (v) => {
  const rotated = i32.wrap(i64.rotr(i64.load(v.n), i64.extendU(v.amount)));
  return setFlagBits(i32.xor(flagBits, i32.and(i32.xor(flagBits, rotated), v.part)), v.index);
};

/** N, Z and V of the low `bits` bits of n and the bit above them; C stays. */
function evaluate(bits: 8 | 16): SimdBody {
  return (v) => {
    const value = i32.load(v.n);
    const bit = (position: number): I32 => i32.and(i32.shrU(value, c32(position)), c32(1));
    const isZero = i32.eqz(i32.and(value, c32((1 << bits) - 1)));
    const flags = i32.or(i32.or(i32.shl(bit(bits - 1), c32(3)), i32.shl(isZero, c32(2))), i32.xor(bit(bits), bit(bits - 1)));
    return setFlagBits(i32.or(flags, i32.and(flagBits, c32(2))), v.index);
  };
}

/** All functions of this file by name. */
export const flagFunctions: ReadonlyMap<string, SimdBody> = new Map<string, SimdBody>([
  ['rmif', rotateIntoFlags], ['setf8', evaluate(8)], ['setf16', evaluate(16)],
  ['cfinv', flagMap((n, z, c, v) => packed(n, z, 1 - c, v))],
  ['axflag', flagMap((_n, z, c, v) => packed(0, z | v, c & (1 - v), 0))],
  ['xaflag', flagMap((_n, z, c) => packed((1 - c) & (1 - z), z & c, c | z, (1 - c) & z))],
]);
