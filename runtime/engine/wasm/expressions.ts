/**
 * Typed expressions and statements of WebAssembly over code trees.
 *
 * `I32` and `I64` carry one value each; a plain `Code` is a statement. Only the operators that the engine uses exist.
 */

import { label, signedLeb, signedLeb32, unsignedLeb, type Code, type Label } from './code';

/** An expression that leaves one i32. */
export interface I32 { readonly type: 'i32'; readonly code: Code }
/** An expression that leaves one i64. */
export interface I64 { readonly type: 'i64'; readonly code: Code }
/** A local variable of type i32. */
export interface Local32 extends I32 { readonly index: number }
/** A local variable of type i64. */
export interface Local64 extends I64 { readonly index: number }

/** An expression that leaves one f64. */
export interface F64 { readonly type: 'f64'; readonly code: Code }
/** A local variable of type f64. */
export interface LocalF64 extends F64 { readonly index: number }

const w = (code: Code): I32 => ({ type: 'i32', code });
const x = (code: Code): I64 => ({ type: 'i64', code });
const memory = (opcode: number, alignment: number, offset: number): Code => [opcode, alignment, unsignedLeb(offset)];

type Binary32 = (a: I32, b: I32) => I32;
type Binary64 = (a: I64, b: I64) => I64;
type Compare64 = (a: I64, b: I64) => I32;
const binary32 = (opcode: number): Binary32 => (a, b) => w([a.code, b.code, opcode]);
const binary64 = (opcode: number): Binary64 => (a, b) => x([a.code, b.code, opcode]);
const compare64 = (opcode: number): Compare64 => (a, b) => w([a.code, b.code, opcode]);
const load32 = (opcode: number, alignment: number) => (address: I32, offset = 0): I32 => w([address.code, memory(opcode, alignment, offset)]);
const load64 = (opcode: number, alignment: number) => (address: I32, offset = 0): I64 => x([address.code, memory(opcode, alignment, offset)]);
const store32 = (opcode: number, alignment: number) => (address: I32, value: I32, offset = 0): Code => [address.code, value.code, memory(opcode, alignment, offset)];
const store64 = (opcode: number, alignment: number) => (address: I32, value: I64, offset = 0): Code => [address.code, value.code, memory(opcode, alignment, offset)];

/** Operators on i32. Loads and stores are unaligned-safe; `offset` is a constant displacement. */
export const i32 = {
  const: (value: number): I32 => w([0x41, signedLeb32(value)]),
  load: load32(0x28, 0), load8S: load32(0x2c, 0), load8U: load32(0x2d, 0), load16S: load32(0x2e, 0), load16U: load32(0x2f, 0),
  store: store32(0x36, 0), store8: store32(0x3a, 0), store16: store32(0x3b, 0),
  eqz: (a: I32): I32 => w([a.code, 0x45]), eq: binary32(0x46), ne: binary32(0x47), ltS: binary32(0x48), ltU: binary32(0x49),
  gtS: binary32(0x4a), gtU: binary32(0x4b), leS: binary32(0x4c), leU: binary32(0x4d), geS: binary32(0x4e), geU: binary32(0x4f),
  clz: (a: I32): I32 => w([a.code, 0x67]),
  add: binary32(0x6a), sub: binary32(0x6b), mul: binary32(0x6c), divS: binary32(0x6d), divU: binary32(0x6e),
  and: binary32(0x71), or: binary32(0x72), xor: binary32(0x73), shl: binary32(0x74), shrS: binary32(0x75), shrU: binary32(0x76), rotr: binary32(0x78),
  wrap: (a: I64): I32 => w([a.code, 0xa7]),
  extend8S: (a: I32): I32 => w([a.code, 0xc0]), extend16S: (a: I32): I32 => w([a.code, 0xc1]),
  select: (condition: I32, yes: I32, no: I32): I32 => w([yes.code, no.code, condition.code, 0x1b]),
};

/** Operators on i64; comparisons give i32. */
export const i64 = {
  const: (value: bigint): I64 => x([0x42, signedLeb(value)]),
  load: load64(0x29, 0), load8U: load64(0x31, 0), load16U: load64(0x33, 0), load32S: load64(0x34, 0), load32U: load64(0x35, 0),
  store: store64(0x37, 0), store8: store64(0x3c, 0), store16: store64(0x3d, 0), store32: store64(0x3e, 0),
  eqz: (a: I64): I32 => w([a.code, 0x50]), eq: compare64(0x51), ne: compare64(0x52), ltS: compare64(0x53), ltU: compare64(0x54),
  gtS: compare64(0x55), gtU: compare64(0x56), leS: compare64(0x57), leU: compare64(0x58), geS: compare64(0x59), geU: compare64(0x5a),
  clz: (a: I64): I64 => x([a.code, 0x79]),
  add: binary64(0x7c), sub: binary64(0x7d), mul: binary64(0x7e), divS: binary64(0x7f), divU: binary64(0x80),
  and: binary64(0x83), or: binary64(0x84), xor: binary64(0x85), shl: binary64(0x86), shrS: binary64(0x87), shrU: binary64(0x88), rotr: binary64(0x8a),
  extendS: (a: I32): I64 => x([a.code, 0xac]), extendU: (a: I32): I64 => x([a.code, 0xad]),
  extend8S: (a: I64): I64 => x([a.code, 0xc2]), extend16S: (a: I64): I64 => x([a.code, 0xc3]), extend32S: (a: I64): I64 => x([a.code, 0xc4]),
  select: (condition: I32, yes: I64, no: I64): I64 => x([yes.code, no.code, condition.code, 0x1b]),
};

/** Assigns a local. */
export function set(local: Local32, value: I32): Code;
export function set(local: Local64, value: I64): Code;
export function set(local: LocalF64, value: F64): Code;
export function set(local: Local32 | Local64 | LocalF64, value: I32 | I64 | F64): Code {
  return [value.code, 0x21, unsignedLeb(local.index)];
}

/** Assigns a local and leaves the value. */
export function tee64(local: Local64, value: I64): I64 {
  return x([value.code, 0x22, unsignedLeb(local.index)]);
}

/** Assigns a local and leaves the value. */
export function tee32(local: Local32, value: I32): I32 {
  return w([value.code, 0x22, unsignedLeb(local.index)]);
}

const VOID = 0x40;

/** `if (condition) { yes } else { no }`. */
export function when(condition: I32, yes: Code, no?: Code): Code {
  const body: Code = no === undefined ? yes : [yes, 0x05, no];
  return [condition.code, { kind: 'scope', head: [0x04, VOID], label: label('if'), body }];
}

/** A conditional value whose arms may hold statements before the value. */
export function choose64(condition: I32, yes: Code, no: Code): I64 {
  return x([condition.code, { kind: 'scope', head: [0x04, 0x7e], label: label('if'), body: [yes, 0x05, no] }]);
}

/** A conditional value whose arms may hold statements before the value. */
export function choose32(condition: I32, yes: Code, no: Code): I32 {
  return w([condition.code, { kind: 'scope', head: [0x04, 0x7f], label: label('if'), body: [yes, 0x05, no] }]);
}

/** A block: branching to `target` leaves it at its end. */
export function block(target: Label, body: Code): Code {
  return { kind: 'scope', head: [0x02, VOID], label: target, body };
}

/** A loop: branching to `target` goes to its start. */
export function loop(target: Label, body: Code): Code {
  return { kind: 'scope', head: [0x03, VOID], label: target, body };
}

/** Unconditional branch. */
export function branch(target: Label): Code {
  return [0x0c, { kind: 'depth', label: target }];
}

/** Branch if `condition` is not zero. */
export function branchIf(condition: I32, target: Label): Code {
  return [condition.code, 0x0d, { kind: 'depth', label: target }];
}

/** Dense switch: branches to `targets[index]`, or to `otherwise`. */
export function branchTable(index: I32, targets: readonly Label[], otherwise: Label): Code {
  const depths = targets.map((target): Code => ({ kind: 'depth', label: target }));
  return [index.code, 0x0e, unsignedLeb(targets.length), depths, { kind: 'depth', label: otherwise }];
}

/** Leaves the function with a value. */
export function giveBack(value: I32 | I64): Code {
  return [value.code, 0x0f];
}

/** Marks a point that control never reaches. */
export const UNREACHABLE: Code = [0x00];

/** A call whose result is an i32. */
export function call32(index: number, ...values: readonly (I32 | I64)[]): I32 {
  return w([values.map((value) => value.code), 0x10, unsignedLeb(index)]);
}

/** A call whose result is an i64. */
export function call64(index: number, ...values: readonly (I32 | I64)[]): I64 {
  return x([values.map((value) => value.code), 0x10, unsignedLeb(index)]);
}

/** A call without result of the function at a place in the table; `typeIndex` is that of a function of its type. */
export function callIndirect(typeIndex: number, place: I32, ...values: readonly (I32 | I64)[]): Code {
  return [values.map((value) => value.code), place.code, 0x11, unsignedLeb(typeIndex), 0x00];
}

/** A call without result. */
export function callVoid(index: number, ...values: readonly (I32 | I64)[]): Code {
  return [values.map((value) => value.code), 0x10, unsignedLeb(index)];
}

/** Sets `size` bytes from `address` to `byte`. */
export function memoryFill(address: I32, byte: I32, size: I32): Code {
  return [address.code, byte.code, size.code, 0xfc, 0x0b, 0x00];
}
