/**
 * SIMD functions that the host does with one of its own vector operations. They have the same names, meaning and options
 * as functions lane by lane, and stand in their place.
 */

import { FORMATS, hostIsExact, type Format } from '../float/format';
import { unsignedLeb, type Code } from '../wasm/code';
import { i32, i64, when, type I32 } from '../wasm/expressions';
import type { Lanes, SimdBody } from './lanes';

const c32 = i32.const;
const PREFIX = 0xfd;
const functions = new Map<string, SimdBody>();
/** `return`. */
const RETURN: Code = [0x0f];

/** An operation by its number in the host's vector instruction set. */
const operation = (number: number): Code => [PREFIX, unsignedLeb(number)];
const load = (address: I32): Code => [address.code, PREFIX, 0, 0, 0];
const splat32 = (value: number): Code => [c32(value).code, operation(17)];
const splat64 = (value: bigint): Code => [i64.const(value).code, operation(18)];

/** Writes the destination; eight bytes clear the upper half. */
function store(v: Lanes, value: Code): Code {
  return [
    v.d.code, value, PREFIX, 11, 0, 0,
    when(i32.eq(v.byteCount, c32(8)), i64.store(v.d, i64.const(0n), 8)),
  ];
}

/** By lane size 1, 2, 4, 8; 0 where the host has none. */
const BINARY: Readonly<Record<string, readonly [number, number, number, number]>> = {
  add: [110, 142, 174, 206], sub: [113, 145, 177, 209], mul: [0, 149, 181, 0],
  cmeq: [35, 45, 55, 214], cmgt: [39, 49, 59, 217], cmge: [43, 53, 63, 219], cmhi: [40, 50, 60, 0], cmhs: [44, 54, 64, 0],
  smin: [118, 150, 182, 0], umin: [119, 151, 183, 0], smax: [120, 152, 184, 0], umax: [121, 153, 185, 0], urhadd: [123, 155, 0, 0],
};
const UNARY: Readonly<Record<string, readonly [number, number, number, number]>> = { not: [77, 0, 0, 0], abs: [96, 128, 160, 192], neg: [97, 129, 161, 193], cnt: [98, 0, 0, 0] };
const SHIFTS: Readonly<Record<string, readonly [number, number, number, number]>> = { shl: [107, 139, 171, 203], sshr: [108, 140, 172, 204], ushr: [109, 141, 173, 205] };
/** Widening the lower half; the upper one has the next number. */
const EXTENSIONS: Readonly<Record<string, readonly [number, number, number, number]>> = { sshll: [135, 167, 199, 0], ushll: [137, 169, 201, 0] };

function forSizes(table: Readonly<Record<string, readonly number[]>>, make: (number: number, size: number, name: string) => SimdBody): void {
  for (const [name, numbers] of Object.entries(table)) {
    numbers.forEach((number, index) => { if (number !== 0) functions.set(`${name}.${1 << index}`, make(number, 1 << index, name)); });
  }
}

forSizes(BINARY, (number) => (v) => store(v, [load(v.n), load(v.m), operation(number)]));
forSizes({ cmeq0: BINARY['cmeq'] ?? [], cmgt0: BINARY['cmgt'] ?? [], cmge0: BINARY['cmge'] ?? [] }, (number) => (v) => store(v, [load(v.n), splat32(0), operation(number)]));
forSizes({ cmlt0: BINARY['cmgt'] ?? [], cmle0: BINARY['cmge'] ?? [] }, (number) => (v) => store(v, [splat32(0), load(v.n), operation(number)]));
forSizes(UNARY, (number) => (v) => store(v, [load(v.n), operation(number)]));
forSizes(SHIFTS, (number, size, name) => (v) => {
  // The host counts modulo the lane's width; only right shifts may be as long as that.
  const most = c32(size * 8 - 1);
  if (name === 'shl') return store(v, [load(v.n), v.amount.code, operation(number)]);
  if (name === 'sshr') return store(v, [load(v.n), i32.select(i32.gtU(v.amount, most), most, v.amount).code, operation(number)]);
  return [
    when(i32.gtU(v.amount, most), [i64.store(v.d, i64.const(0n)), i64.store(v.d, i64.const(0n), 8), RETURN]),
    store(v, [load(v.n), v.amount.code, operation(number)]),
  ];
});
forSizes(EXTENSIONS, (number, size) => (v) => {
  const shift = SHIFTS['shl']?.[size === 1 ? 1 : size === 2 ? 2 : 3] ?? 0;
  const widened = (half: number): Code => store(v, [load(v.n), operation(number + half), v.amount.code, operation(shift)]);
  return when(v.part, widened(1), widened(0));
});

/** True if the exponent fields of all lanes lie from `least` to one below the greatest. */
function allLanes(format: Format, value: Code, least: number): I32 {
  const isDouble = format.bits === 64;
  const fields: Code = [value, isDouble ? splat64(format.infinity) : splat32(Number(format.infinity)), operation(78)];
  const lower = BigInt(least) << BigInt(format.fraction);
  const bound = (number: bigint): Code => (isDouble ? splat64(number) : splat32(Number(number)));
  const [notBelow, below, all] = isDouble ? [219, 216, 195] : [63, 57, 163];
  return { type: 'i32', code: [fields, bound(lower), operation(notBelow), fields, bound(format.infinity), operation(below), operation(78), operation(all)] };
}

const FLOAT: Readonly<Record<string, readonly [single: number, double: number]>> = { fadd: [228, 240], fsub: [229, 241], fmul: [230, 242], fdiv: [231, 243] };

/** Whole vectors of normal numbers by the host, all else lane by lane. */
export function floatOnHost(name: string, otherwise: SimdBody): SimdBody {
  const [mnemonic = '', size] = name.split('.');
  const numbers = FLOAT[mnemonic];
  const format = FORMATS.find(({ bits }) => bits === Number(size) * 8 && bits > 16);
  if (numbers === undefined || format === undefined) return otherwise;
  return (v) => {
    const result: Code = [load(v.n), load(v.m), operation(numbers[format.bits === 64 ? 1 : 0])];
    const isCertain = i32.and(i32.and(hostIsExact, i32.eq(v.byteCount, c32(16))), i32.and(allLanes(format, load(v.n), 1), allLanes(format, load(v.m), 1)));
    return [when(isCertain, when(allLanes(format, result, 2), [store(v, result), RETURN])), otherwise(v)];
  };
}

/** All functions of this file by name. */
export const wholeVectorFunctions: ReadonlyMap<string, SimdBody> = functions;
