/**
 * The host's own floating-point arithmetic, for where it is certain to give Arm's result and flags: default modes,
 * inexactness already noted (`hostIsExact`), operands and result normal numbers.
 */

import { i32, i64, type I32, type I64 } from '../wasm/expressions';
import { c32, exponentField, type Format } from './format';

/** Opcodes of the host's operations for single and double. */
const HOST = { add: [0x92, 0xa0], sub: [0x93, 0xa1], mul: [0x94, 0xa2], div: [0x95, 0xa3], sqrt: [0x91, 0x9f] } as const;

/** An operation that the host has. */
export type HostOperation = keyof typeof HOST;

/** The host's result as bits; not for half precision. */
export function onHost(format: Format, operation: HostOperation, values: readonly I64[]): I64 {
  const [single, double] = HOST[operation];
  if (format.bits === 64) return { type: 'i64', code: [values.map((value) => [value.code, 0xbf]), double, 0xbd] };
  return i64.extendU({ type: 'i32', code: [values.map((value) => [i32.wrap(value).code, 0xbe]), single, 0xbc] });
}

/** True for a normal result with more than the least exponent, which may have been rounded up from below it. */
export function isSafeResult(format: Format, result: I64): I32 {
  return i32.ltU(i32.sub(exponentField(format, result), c32(2)), c32(format.exponentMax - 2));
}

/** NZCV of comparing two values of which neither is a NaN: less 8, equal 6, greater 2. */
export function compareOnHost(format: Format, a: I64, b: I64): I32 {
  const relation = (single: number, double: number): I32 => (format.bits === 64
    ? { type: 'i32', code: [a.code, 0xbf, b.code, 0xbf, double] }
    : { type: 'i32', code: [i32.wrap(a).code, 0xbe, i32.wrap(b).code, 0xbe, single] });
  return i32.select(relation(0x5b, 0x61), c32(6), i32.select(relation(0x5d, 0x63), c32(8), c32(2)));
}

/** Double to single, or single to double, as bits. */
export function convertOnHost(to: Format, value: I64): I64 {
  if (to.bits === 64) return { type: 'i64', code: [i32.wrap(value).code, 0xbe, 0xbb, 0xbd] };
  return i64.extendU({ type: 'i32', code: [value.code, 0xbf, 0xb6, 0xbc] });
}

/** A signed integer, rounded to nearest. */
export function fromIntegerOnHost(format: Format, value: I64): I64 {
  if (format.bits === 64) return { type: 'i64', code: [value.code, 0xb9, 0xbd] };
  return i64.extendU({ type: 'i32', code: [value.code, 0xb4, 0xbc] });
}

/** A number of magnitude below 2^63, cut at the point. */
export function toIntegerOnHost(format: Format, value: I64): I64 {
  if (format.bits === 64) return { type: 'i64', code: [value.code, 0xbf, 0xfc, 0x06] };
  return { type: 'i64', code: [i32.wrap(value).code, 0xbe, 0xfc, 0x04] };
}
