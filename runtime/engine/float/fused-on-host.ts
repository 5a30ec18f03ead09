/**
 * Fused multiply-add in double precision from the host's rounded operations, for operands of moderate size: the product as an
 * exact sum of two doubles (Dekker), the sums likewise (Knuth), and the last-but-one rounding to odd, after which rounding
 * twice is rounding once (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", IEEE TC 57(4)).
 */

import type { Code } from '../wasm/code';
import { i32, i64, set, when, type F64, type I32, type I64, type Local64, type LocalF64 } from '../wasm/expressions';
import type { FunctionLocals } from '../wasm/module';
import { c32, c64, exponentField, type Format } from './format';

/** Bits as a double. */
export const asDouble = (value: I64): F64 => ({ type: 'f64', code: [value.code, 0xbf] });
/** A double as bits. */
export const asBits = (value: F64): I64 => ({ type: 'i64', code: [value.code, 0xbd] });
const binary = (opcode: number) => (a: F64, b: F64): F64 => ({ type: 'f64', code: [a.code, b.code, opcode] });
/** The host's rounded operations. */
export const [add, subtract, multiply] = [binary(0xa0), binary(0xa1), binary(0xa2)];
/** 2^27 + 1 splits a double in halves of 26 bits. */
const SPLITTER = asDouble(c64(0x41a0_0000_0200_0000n));

/** The upper half of a double; the lower one is the rest. */
function upperHalf(into: LocalF64, value: F64): Code {
  return [set(into, multiply(SPLITTER, value)), set(into, subtract(into, subtract(into, value)))];
}

/** Rounded sum into `sum` and its exact error into `error`, which both are other locals than the operands. */
export function twoSum([sum, error]: readonly [LocalF64, LocalF64], a: F64, b: F64): Code {
  const virtual = subtract(sum, a);
  return [set(sum, add(a, b)), set(error, add(subtract(a, subtract(sum, virtual)), subtract(b, virtual)))];
}

const SMALLEST_FIELD = 1023 - 300;
const FIELD_COUNT = 600;

/** True if a value is far from the ends of the format, so that no step overflows or becomes denormal. */
export function isModerate(format: Format, value: I64): I32 {
  return i32.ltU(i32.sub(exponentField(format, value), c32(SMALLEST_FIELD)), c32(FIELD_COUNT));
}

/** Works out addend + a * b into `result`. */
export function fuseOnHost(f: FunctionLocals, result: Local64, [addendBits, aBits, bBits]: readonly [I64, I64, I64]): Code {
  const [addend, a, b, product, error] = [f.localF64(), f.localF64(), f.localF64(), f.localF64(), f.localF64()];
  const [highA, highB, lowA, lowB] = [f.localF64(), f.localF64(), f.localF64(), f.localF64()];
  const [sum, rest, head, tail, odd, lost] = [f.localF64(), f.localF64(), f.localF64(), f.localF64(), f.localF64(), f.localF64()];
  const isEven = i64.eqz(i64.and(result, c64(1n)));
  const isInexact = i64.ne(i64.shl(asBits(lost), c64(1n)), c64(0n));
  const outward = i64.select(i64.ltS(i64.xor(result, asBits(lost)), c64(0n)), c64(-1n), c64(1n));
  return [
    set(addend, asDouble(addendBits)), set(a, asDouble(aBits)), set(b, asDouble(bBits)),
    set(product, multiply(a, b)), upperHalf(highA, a), upperHalf(highB, b), set(lowA, subtract(a, highA)), set(lowB, subtract(b, highB)),
    set(error, subtract(multiply(lowA, lowB), subtract(subtract(subtract(product, multiply(highA, highB)), multiply(lowA, highB)), multiply(highA, lowB)))),
    twoSum([sum, rest], addend, error),
    twoSum([head, tail], product, sum),
    // What the head left out is added with rounding to odd.
    twoSum([odd, lost], tail, rest),
    set(result, asBits(odd)),
    when(i32.and(isEven, isInexact), set(result, i64.add(result, outward))),
    set(result, asBits(add(head, asDouble(result)))),
  ];
}
