/**
 * Signing, authenticating and stripping of pointers, as functions of the table through which the interpreter calls what is rare. Where the
 * code stands in a pointer follows from TCR_EL1. Arm ARM (DDI 0487) pseudocode: AddPAC, Auth, Strip, CalculateTBI, CalculateBottomPACBit.
 */

import { assert } from '../../base/assert';
import type { Lanes, SimdBody } from '../simd/lanes';
import { systemSlot } from '../system-slots';
import type { Code } from '../wasm/code';
import { i32, i64, set, when, type I32, type I64, type Local32 } from '../wasm/expressions';

const c32 = i32.const;
const c64 = i64.const;
const ZERO = c32(0);

/** Keys by number: the two for instruction addresses, the two for data, the generic one. */
export const Key = { instructionA: 0, instructionB: 1, dataA: 2, dataB: 3, generic: 4 } as const;
const KEY_BYTES = 16;
const KEYS = systemSlot('APIAKeyLo_EL1');
['APIA', 'APIB', 'APDA', 'APDB', 'APGA'].forEach((name, index) => {
  assert(systemSlot(`${name}KeyLo_EL1`) === KEYS + index * KEY_BYTES && systemSlot(`${name}KeyHi_EL1`) === KEYS + index * KEY_BYTES + 8, 'keys lie side by side');
});

/** SCTLR_EL1.EnIA, EnIB, EnDA and EnDB: bit numbers, a byte for each key. */
const ENABLE_BITS = 0x0d1b_1e1f;

/** 1 if the key whose number an expression gives is enabled. */
export function keyIsEnabled(key: I32): I32 {
  const position = i32.and(i32.shrU(c32(ENABLE_BITS), i32.shl(key, c32(3))), c32(31));
  return i32.and(i32.shrU(i32.load(ZERO, systemSlot('SCTLR_EL1')), position), c32(1));
}

/** Packs what these functions take as options. */
export interface AuthenticationOptions {
  /** One of `Key`. */
  readonly key: number;
  /** The modifier is zero, not what m holds. */
  readonly isZero?: boolean;
}

/** Options of a call: the key is the amount, the modifier the part. */
export function authenticationOptions({ key, isZero = false }: AuthenticationOptions): { readonly amount: number; readonly part: number } {
  return { amount: key, part: isZero ? 1 : 0 };
}

const TBI0 = 37;
const TBID0 = 51;
const DS = 59;
const IS_UPPER = 55n;

/** Where the code of a pointer stands: bit `bottom` up to bit `top` - 1, without bit 55. */
interface Layout { readonly bottom: Local32; readonly top: Local32; readonly find: Code }

/** The layout for the pointer in `v.a`; `isData` says which kind of pointer it is. */
function layoutOf(v: Lanes, isData: I32): Layout {
  const [bottom, top, isUpper, granule, least] = [v.f.local32(), v.f.local32(), v.f.local32(), v.f.local32(), v.f.local32()];
  const tcr = i64.load(ZERO, systemSlot('TCR_EL1'));
  const field = (shift: I32, mask: number): I32 => i32.and(i32.wrap(i64.shrU(tcr, i64.extendU(shift))), c32(mask));
  const ignoresTop = i32.and(field(i32.add(c32(TBI0), isUpper), 1), i32.or(isData, i32.eqz(field(i32.add(c32(TBID0), isUpper), 1))));
  const size = i32.select(isUpper, field(c32(16), 63), field(c32(0), 63));
  // The lower half says 64 KiB by 1, the upper one by 3.
  const is64K = i32.eq(granule, i32.select(isUpper, c32(3), c32(1)));
  const most = i32.select(is64K, c32(47), c32(48));
  const find = [
    set(isUpper, i32.and(i32.wrap(i64.shrU(v.a, c64(IS_UPPER))), c32(1))),
    set(granule, i32.select(isUpper, field(c32(30), 3), field(c32(14), 3))),
    set(least, i32.select(i32.or(is64K, field(c32(DS), 1)), c32(12), c32(16))),
    set(top, i32.sub(c32(64), i32.shl(ignoresTop, c32(3)))),
    set(bottom, size),
    when(i32.gtU(bottom, most), set(bottom, most)), when(i32.ltU(bottom, least), set(bottom, least)),
    set(bottom, i32.sub(c32(64), bottom)),
  ];
  return { bottom, top, find };
}

/** Ones from bit `from` up to below bit `to`, which may be 64. */
function ones(from: I32, to: I32): I64 {
  return i64.and(i64.shl(c64(-1n), i64.extendU(from)), i64.shrU(c64(-1n), i64.extendU(i32.sub(c32(64), to))));
}

const bit = (number: bigint): bigint => 1n << number;
const modifier = (v: Lanes): I64 => i64.select(v.part, c64(0n), i64.load(v.m));
const key = (v: Lanes): I32 => i32.add(c32(KEYS), i32.shl(v.amount, c32(4)));
const code = (v: Lanes, pointer: I64): I64 => v.library.call64('qarma', pointer, modifier(v), key(v));
const isDataKey = (v: Lanes): I32 => i32.shrU(v.amount, c32(1));
/** The value with the bits of the mask all like the sign of `sign`. */
const extended = (value: I64, mask: I64, sign: I64): I64 => i64.or(i64.and(value, i64.xor(mask, c64(-1n))), i64.and(mask, i64.shrS(sign, c64(63n))));

/** Signs: what the pointer's upper bits were is part of the code, and a pointer that was not canonical gets a wrong one. */
const sign: SimdBody = (v) => {
  const { bottom, top, find } = layoutOf(v, isDataKey(v));
  const [mask, extension] = [v.f.local64(), v.f.local64()];
  const isTagged = i32.ltU(top, c32(64));
  const upper = i64.and(v.a, mask);
  const isOdd = i32.and(i64.ne(upper, c64(0n)), i64.ne(upper, mask));
  const room = i64.and(mask, c64(BigInt.asUintN(64, ~bit(IS_UPPER))));
  return [
    set(v.a, i64.load(v.n)), find, set(mask, ones(bottom, top)),
    set(extension, i64.select(isTagged, i64.shl(v.a, c64(63n - IS_UPPER)), v.a)),
    set(v.b, code(v, extended(v.a, mask, extension))),
    when(isOdd, set(v.b, i64.xor(v.b, i64.shl(c64(1n), i64.extendU(i32.sub(top, c32(2))))))),
    // Without a tag, all bits above the bottom are the code's; with one, those above 55 are kept.
    set(v.r, i64.and(v.a, i64.xor(mask, c64(-1n)))),
    i64.store(v.d, i64.or(i64.or(v.r, i64.and(v.b, room)), i64.and(i64.shrS(extension, c64(63n)), c64(bit(IS_UPPER))))),
  ];
};

/** The pointer as it was before it was signed. */
const original = (v: Lanes, mask: I64): I64 => extended(v.a, mask, i64.shl(v.a, c64(63n - IS_UPPER)));

/** Authenticates: the pointer, or one that nothing is mapped at and that tells the key. */
const authenticate: SimdBody = (v) => {
  const { bottom, top, find } = layoutOf(v, isDataKey(v));
  const mask = v.f.local64();
  const different = i64.and(i64.and(i64.xor(v.b, v.a), mask), c64(BigInt.asUintN(64, ~bit(IS_UPPER))));
  const position = i64.extendU(i32.sub(top, c32(3)));
  const errorCode = i64.extendU(i32.add(i32.and(v.amount, c32(1)), c32(1)));
  const marked = i64.or(i64.and(v.r, i64.xor(i64.shl(c64(3n), position), c64(-1n))), i64.shl(errorCode, position));
  return [
    set(v.a, i64.load(v.n)), find, set(mask, ones(bottom, top)), set(v.r, original(v, mask)), set(v.b, code(v, v.r)),
    i64.store(v.d, i64.select(i64.eqz(different), v.r, marked)),
  ];
};

const strip: SimdBody = (v) => {
  const { bottom, top, find } = layoutOf(v, isDataKey(v));
  return [set(v.a, i64.load(v.n)), find, i64.store(v.d, original(v, ones(bottom, top)))];
};

/** A key that is not enabled leaves the pointer as it is. */
const ifEnabled = (body: SimdBody): SimdBody => (v) => when(keyIsEnabled(v.amount), body(v), i64.store(v.d, i64.load(v.n)));

/** All functions of this file by name. */
export const authenticationFunctions: ReadonlyMap<string, SimdBody> = new Map<string, SimdBody>([
  ['pac', ifEnabled(sign)], ['aut', ifEnabled(authenticate)], ['xpac', strip],
  ['pacga', (v) => i64.store(v.d, i64.and(code(v, i64.load(v.n)), c64(0xffff_ffff_0000_0000n)))],
]);
