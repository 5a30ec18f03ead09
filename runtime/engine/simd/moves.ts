/** SIMD functions that move whole lanes: permutations, extraction, table look-up, duplication and insertion. */

import { VECTOR_RESULT } from '../layout';
import { label, type Code } from '../wasm/code';
import { branchIf, i32, i64, loop, set, when, type I32 } from '../wasm/expressions';
import { copyVector, SIZES, type SimdBody, type Size } from './lanes';

const c32 = i32.const;
const functions = new Map<string, SimdBody>();

/** Lane `index` of n and m taken as one long vector comes from `source`, given the byte index in the result. */
function permutation(size: Size, source: (index: I32, bytes: I32) => { readonly fromM: I32; readonly offset: I32 }): SimdBody {
  return (v) => {
    const { fromM, offset } = source(v.index, v.bytes);
    return [v.begin(), v.each(size, v.put(size, v.load(size, i32.add(i32.select(fromM, v.m, v.n), offset)))), v.finish()];
  };
}

for (const size of SIZES) {
  const lane = (index: I32): I32 => i32.and(index, c32(size));
  for (const second of [0, 1]) {
    const suffix = `${second + 1}.${size}`;
    const extra = c32(second * size);
    functions.set(`uzp${suffix}`, permutation(size, (index, bytes) => {
      const at = i32.add(i32.shl(index, c32(1)), extra);
      const fromM = i32.geU(at, bytes);
      return { fromM, offset: i32.sub(at, i32.select(fromM, bytes, c32(0))) };
    }));
    functions.set(`trn${suffix}`, permutation(size, (index) => ({ fromM: lane(index), offset: i32.add(i32.and(index, c32(~size)), extra) })));
    functions.set(`zip${suffix}`, permutation(size, (index, bytes) => {
      const half = second === 1 ? i32.shrU(bytes, c32(1)) : c32(0);
      const pair = i32.and(i32.shrU(index, c32(1)), c32(-size));
      return { fromM: lane(index), offset: i32.add(pair, half) };
    }));
  }
  /** d and n are lanes. */
  const store = { 1: i64.store8, 2: i64.store16, 4: i64.store32, 8: i64.store }[size];
  functions.set(`ins.${size}`, (v) => store(v.d, v.load(size, v.n)));
  /** The lane at n in every lane. */
  functions.set(`dup.${size}`, (v) => [v.begin(), set(v.r, v.load(size, v.n)), v.each(size, v.put(size, v.r)), v.finish()]);
}

/** Bytes of n and m from byte `amount` on. */
functions.set('ext', (v) => {
  const at = i32.add(v.index, v.amount);
  const fromM = i32.geU(at, v.bytes);
  return [v.begin(), v.each(1, v.put(1, v.load(1, i32.add(i32.select(fromM, v.m, v.n), i32.sub(at, i32.select(fromM, v.bytes, c32(0))))))), v.finish()];
});

/** Bytes of up to four registers from n on, which wrap after V31; `amount` is how many bytes the table has, `extra` the number of n. */
function table(keeps: boolean): SimdBody {
  return (v) => {
    const register = i32.and(i32.add(v.extra, i32.wrap(i64.shrU(v.a, i64.const(4n)))), c32(31));
    const base = i32.sub(v.n, i32.shl(v.extra, c32(4)));
    const address = i32.add(i32.add(base, i32.shl(register, c32(4))), i32.and(i32.wrap(v.a), c32(15)));
    const isInside = i64.ltU(v.a, i64.extendU(v.amount));
    const otherwise = keeps ? set(v.r, v.load(1, i32.add(v.d, v.index))) : set(v.r, i64.const(0n));
    return [
      v.begin(),
      v.each(1, [set(v.a, v.load(1, i32.add(v.m, v.index))), when(isInside, set(v.r, v.load(1, address)), otherwise), v.put(1, v.r)]),
      v.finish(),
    ];
  };
}
functions.set('tbl', table(false));
functions.set('tbx', table(true));

/** 64 by 64 bits of polynomial product; `part` chooses the half. */
functions.set('pmull.8', (v) => {
  const again = label('bit');
  const high = v.f.local64();
  const count = v.f.local64();
  return [
    v.begin(), set(v.a, i64.load(i32.add(v.n, v.part))), set(v.b, i64.load(i32.add(v.m, v.part))),
    loop(again, [
      when(i32.wrap(i64.and(i64.shrU(v.b, count), i64.const(1n))), [
        set(v.r, i64.xor(v.r, i64.shl(v.a, count))),
        when(i32.eqz(i64.eqz(count)), set(high, i64.xor(high, i64.shrU(v.a, i64.sub(i64.const(64n), count))))),
      ]),
      set(count, i64.add(count, i64.const(1n))),
      branchIf(i64.ltU(count, i64.const(64n)), again),
    ]),
    i64.store(c32(0), v.r, VECTOR_RESULT), i64.store(c32(0), high, VECTOR_RESULT + 8), v.finish(),
  ];
});

/** Copies a register. */
functions.set('copy', (v): Code => copyVector(v.d, v.n));

/** All functions of this file by name. */
export const moveFunctions: ReadonlyMap<string, SimdBody> = functions;
