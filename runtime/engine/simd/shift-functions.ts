/** Shifts of one lane by a signed count: left, or right if negative; rounding, saturating or neither. */

import { Flag, raise } from '../float/format';
import type { Code } from '../wasm/code';
import { giveBack, i32, i64, set, when, type I32, type I64 } from '../wasm/expressions';
import type { Definition } from '../wasm/library';
import type { FunctionLocals } from '../wasm/module';
import { signExtend, SIZES, type Lanes, type Size } from './lanes';

const c32 = i32.const;
const c64 = i64.const;

/** `s` or `u`, then `q` if it saturates, then `r` if it rounds. */
export type ShiftKind = `${'s' | 'u'}${'' | 'q'}${'' | 'r'}`;

/** A call of the shift function of a kind on the lane in `v.a`. */
export function shiftCall(v: Lanes, kind: ShiftKind, size: Size, count: I32): I64 {
  return v.library.call64(`shift.${kind}.${size}`, v.a, count);
}

/** (value extended as the kind is, count): the lane, of which only the low bits count. */
function shiftBody(size: Size, signed: boolean, flags: string) {
  return (f: FunctionLocals): Code => {
    const [value, count] = [f.parameter64(0), f.parameter32(1)];
    const right = signed ? i64.shrS : i64.shrU;
    const result = f.local64();
    const wide = i64.extendU(count);
    const rounding = [
      when(i32.gtU(count, c32(64)), giveBack(c64(0n))),
      when(i32.eq(count, c32(64)), giveBack(signed ? c64(0n) : i64.shrU(value, c64(63n)))),
      giveBack(i64.add(right(value, wide), i64.and(i64.shrU(value, i64.sub(wide, c64(1n))), c64(1n)))),
    ];
    const truncating = [
      when(i32.geU(count, c32(64)), giveBack(signed ? i64.shrS(value, c64(63n)) : c64(0n))),
      giveBack(right(value, wide)),
    ];
    const bits = BigInt(size * 8);
    const limit = signed
      ? i64.xor(i64.shrS(value, c64(63n)), c64((1n << (bits - 1n)) - 1n))
      : c64((1n << bits) - 1n);
    const fits = signed ? i64.eq(right(signExtend(size, result), wide), value) : i64.eq(right(i64.and(result, c64((1n << bits) - 1n)), wide), value);
    const saturating = [
      when(i64.eqz(value), giveBack(value)),
      when(i32.ltU(count, c32(size * 8)), [set(result, i64.shl(value, wide)), when(fits, giveBack(result))]),
      raise(Flag.QC), giveBack(limit),
    ];
    return [
      when(i32.ltS(count, c32(0)), [set(count, i32.sub(c32(0), count)), flags.includes('r') ? rounding : truncating]),
      flags.includes('q') ? saturating : when(i32.geU(count, c32(size * 8)), giveBack(c64(0n))),
      i64.shl(value, wide).code,
    ];
  };
}

/** shift.‹kind›.‹size› for every kind and size. */
export const shiftDefinitions: readonly (readonly [string, Definition])[] = SIZES.flatMap((size) =>
  ([['s', true], ['u', false]] as const).flatMap(([sign, signed]) => ['', 'q', 'r', 'qr'].map((flags): readonly [string, Definition] =>
    [`shift.${sign}${flags}.${size}`, { signature: { parameters: ['i64', 'i32'], result: 'i64' }, build: shiftBody(size, signed, flags) }])));
