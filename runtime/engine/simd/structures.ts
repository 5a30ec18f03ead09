/**
 * SIMD functions behind LD1–LD4 and ST1–ST4: between a buffer that holds what lies in memory and consecutive registers,
 * which wrap after V31. The accesses themselves are the micro-op's.
 */

import { SLOT_V0, STRUCTURE_BUFFER } from '../layout';
import type { Code } from '../wasm/code';
import { i32, i64, set, type I32 } from '../wasm/expressions';
import { SIZES, type Lanes, type SimdBody } from './lanes';

const c32 = i32.const;
const functions = new Map<string, SimdBody>();
const COUNTS = [1, 2, 3, 4] as const;

/** Address of the register `index` after that at d. */
const register = (v: Lanes, index: number): I32 =>
  i32.add(i32.and(i32.add(i32.sub(v.d, c32(SLOT_V0)), c32(index * 16)), c32(31 * 16)), c32(SLOT_V0));
const clear = (address: I32): Code => [i64.store(address, i64.const(0n)), i64.store(address, i64.const(0n), 8)];
const COUNTED = COUNTS.map((count) => ({ count, indexes: Array.from({ length: count }, (_, index) => index) }));

for (const { count, indexes } of COUNTED) {
  // Whole registers, one after the other.
  functions.set(`load1.${count}`, (v) => [v.begin(), indexes.map((index) => [
    clear(register(v, index)),
    v.each(8, i64.store(i32.add(register(v, index), v.index), i64.load(i32.add(i32.mul(v.bytes, c32(index)), v.index), STRUCTURE_BUFFER))),
  ])]);
  functions.set(`store1.${count}`, (v) => [v.begin(), indexes.map((index) =>
    v.each(8, i64.store(i32.add(i32.mul(v.bytes, c32(index)), v.index), i64.load(i32.add(register(v, index), v.index)), STRUCTURE_BUFFER)))]);
  for (const size of SIZES) {
    const store = { 1: i64.store8, 2: i64.store16, 4: i64.store32, 8: i64.store }[size];
    const suffix = `${count}.${size}`;
    // Lanes of consecutive registers are neighbours in memory.
    functions.set(`loadm.${suffix}`, (v) => [v.begin(), indexes.map((index) => [
      clear(register(v, index)),
      v.each(size, store(i32.add(register(v, index), v.index), v.load(size, i32.mul(v.index, c32(count)), STRUCTURE_BUFFER + index * size))),
    ])]);
    functions.set(`storem.${suffix}`, (v) => [v.begin(), indexes.map((index) =>
      v.each(size, store(i32.mul(v.index, c32(count)), v.load(size, i32.add(register(v, index), v.index)), STRUCTURE_BUFFER + index * size)))]);
    functions.set(`loads.${suffix}`, (v) => [v.begin(), indexes.map((index) =>
      store(i32.add(register(v, index), v.amount), v.load(size, c32(0), STRUCTURE_BUFFER + index * size)))]);
    functions.set(`stores.${suffix}`, (v) => [v.begin(), indexes.map((index) =>
      store(c32(0), v.load(size, i32.add(register(v, index), v.amount)), STRUCTURE_BUFFER + index * size))]);
    functions.set(`loadr.${suffix}`, (v) => [v.begin(), indexes.map((index) => [
      set(v.a, v.load(size, c32(0), STRUCTURE_BUFFER + index * size)), clear(register(v, index)),
      v.each(size, store(i32.add(register(v, index), v.index), v.a)),
    ])]);
  }
}

/** All functions of this file by name. */
export const structureFunctions: ReadonlyMap<string, SimdBody> = functions;
