/** AND, ORR, EOR and relatives, wide moves, bitfields, EXTR. */

import type { Operands } from '../operands';
import type { Code } from '../wasm/code';
import { i32, i64, set, type I32, type I64 } from '../wasm/expressions';
import { setLogicalFlags } from './flags';
import { destination, field, orStack, sizeOf, source, type Emit, type InstructionClass, type Lowered } from './lowering';

const MASK64 = 0xffff_ffff_ffff_ffffn;

/** The value of a bitmask immediate (Arm ARM: DecodeBitMasks), at 64 bits; 32-bit users take the low half. */
export function bitmaskImmediate(n: number, imms: number, immr: number): bigint {
  const length = 31 - Math.clz32((n << 6) | (~imms & 0x3f));
  const size = 1 << length;
  const levels = size - 1;
  const ones = (1n << BigInt((imms & levels) + 1)) - 1n;
  const rotation = BigInt(immr & levels);
  const elementMask = (1n << BigInt(size)) - 1n;
  let element = ((ones >> rotation) | (ones << (BigInt(size) - rotation))) & elementMask;
  for (let width = size; width < 64; width *= 2) element |= element << BigInt(width);
  return element & MASK64;
}

const not32 = (a: I32): I32 => i32.xor(a, i32.const(-1));
const not64 = (a: I64): I64 => i64.xor(a, i64.const(-1n));

interface Operation { readonly name: string; readonly w: (a: I32, b: I32) => I32; readonly x: (a: I64, b: I64) => I64; readonly flags: boolean }

/** In the order of `opc:N`. */
const OPERATIONS: readonly Operation[] = [
  { name: 'and', w: i32.and, x: i64.and, flags: false },
  { name: 'bic', w: (a, b) => i32.and(a, not32(b)), x: (a, b) => i64.and(a, not64(b)), flags: false },
  { name: 'orr', w: i32.or, x: i64.or, flags: false },
  { name: 'orn', w: (a, b) => i32.or(a, not32(b)), x: (a, b) => i64.or(a, not64(b)), flags: false },
  { name: 'eor', w: i32.xor, x: i64.xor, flags: false },
  { name: 'eon', w: (a, b) => i32.xor(a, not32(b)), x: (a, b) => i64.xor(a, not64(b)), flags: false },
  { name: 'ands', w: i32.and, x: i64.and, flags: true },
  { name: 'bics', w: (a, b) => i32.and(a, not32(b)), x: (a, b) => i64.and(a, not64(b)), flags: true },
];

function emit64(o: Operands, operation: Operation, operand: I64): Code {
  const [result] = o.temporaries64;
  const value = operation.x(o.x('n'), operand);
  return operation.flags ? [set(result, value), setLogicalFlags(result), o.setX('d', result)] : o.setX('d', value);
}

function emit32(o: Operands, operation: Operation, operand: I32): Code {
  const [result] = o.temporaries32;
  const value = operation.w(o.w('n'), operand);
  return operation.flags ? [set(result, value), setLogicalFlags(i64.extendS(result)), o.setW('d', result)] : o.setW('d', value);
}

const SHIFTS = ['lsl', 'lsr', 'asr', 'ror'] as const;
const shifted64 = { lsl: i64.shl, lsr: i64.shrU, asr: i64.shrS, ror: i64.rotr };
const shifted32 = { lsl: i32.shl, lsr: i32.shrU, asr: i32.shrS, ror: i32.rotr };

const immediateOps = new Map<string, Emit>();
const registerOps = new Map<string, Emit>([
  ['mov64', (o) => o.setX('d', o.x('m'))],
  ['mov32', (o) => o.setW('d', o.w('m'))],
]);
for (const operation of OPERATIONS) {
  const { name } = operation;
  if (!name.endsWith('n') && !name.startsWith('bic')) {
    immediateOps.set(`${name}64i`, (o) => emit64(o, operation, o.immediate));
    immediateOps.set(`${name}32i`, (o) => emit32(o, operation, o.immediateLow));
  }
  registerOps.set(`${name}64r`, (o) => emit64(o, operation, o.x('m')));
  registerOps.set(`${name}32r`, (o) => emit32(o, operation, o.w('m')));
  for (const shift of SHIFTS) {
    registerOps.set(`${name}64${shift}`, (o) => emit64(o, operation, shifted64[shift](o.x('m'), o.immediate)));
    registerOps.set(`${name}32${shift}`, (o) => emit32(o, operation, shifted32[shift](o.w('m'), o.immediateLow)));
  }
}

/** AND, ORR, EOR, ANDS (immediate). */
export const logicalImmediate: InstructionClass = {
  keys: ['logical_immediate'],
  ops: immediateOps,
  lower(f): Lowered {
    const opc = field(f, 'opc');
    const rd = field(f, 'Rd');
    const name = (['and', 'orr', 'eor', 'ands'] as const)[opc] ?? 'and';
    const imm = bitmaskImmediate(field(f, 'N'), field(f, 'imms'), field(f, 'immr'));
    return { op: `${name}${sizeOf(f)}i`, d: opc === 3 ? destination(rd) : orStack(rd), n: source(field(f, 'Rn')), imm };
  },
};

/** The same and BIC, ORN, EON, BICS (shifted register). */
export const logicalShifted: InstructionClass = {
  keys: ['logical_shifted_register'],
  ops: registerOps,
  lower(f): Lowered {
    const name = OPERATIONS[field(f, 'opc') * 2 + field(f, 'N')]?.name ?? 'and';
    const amount = field(f, 'imm6');
    const operands = { d: destination(field(f, 'Rd')), n: source(field(f, 'Rn')), m: source(field(f, 'Rm')), imm: BigInt(amount) };
    if (name === 'orr' && amount === 0 && field(f, 'Rn') === 31) return { op: `mov${sizeOf(f)}`, ...operands };
    return { op: `${name}${sizeOf(f)}${amount === 0 ? 'r' : SHIFTS[field(f, 'shift')] ?? 'lsl'}`, ...operands };
  },
};

/** MOVZ, MOVN, MOVK. For MOVK the micro-op's `n` is d itself and `m` the bit position. */
export const moveWide: InstructionClass = {
  keys: ['move_wide'],
  ops: new Map<string, Emit>([
    ['movi', (o) => o.setX('d', o.immediate)],
    ['movk64', (o) => o.setX('d', i64.or(i64.and(o.x('n'), not64(i64.shl(i64.const(0xffffn), i64.extendU(o.small)))), o.immediate))],
    ['movk32', (o) => o.setW('d', i32.or(i32.and(o.w('n'), not32(i32.shl(i32.const(0xffff), o.small))), o.immediateLow))],
  ]),
  lower(f): Lowered {
    const opc = field(f, 'opc');
    const rd = field(f, 'Rd');
    const shift = field(f, 'hw') * 16;
    const value = BigInt(field(f, 'imm16')) << BigInt(shift);
    if (opc === 3) return { op: `movk${sizeOf(f)}`, d: destination(rd), n: source(rd), m: shift, imm: value };
    const imm = opc === 0 ? ~value : value;
    return { op: 'movi', d: destination(rd), imm: BigInt.asUintN(sizeOf(f), imm) };
  },
};

/** Left by `immediateLow`, then right by `immediateHigh`: every SBFM and UBFM is that. */
const bitfieldOps = new Map<string, Emit>([
  ['ubfm64', (o) => o.setX('d', i64.shrU(i64.shl(o.x('n'), i64.extendU(o.immediateLow)), i64.extendU(o.immediateHigh)))],
  ['sbfm64', (o) => o.setX('d', i64.shrS(i64.shl(o.x('n'), i64.extendU(o.immediateLow)), i64.extendU(o.immediateHigh)))],
  ['ubfm32', (o) => o.setW('d', i32.shrU(i32.shl(o.w('n'), o.immediateLow), o.immediateHigh))],
  ['sbfm32', (o) => o.setW('d', i32.shrS(i32.shl(o.w('n'), o.immediateLow), o.immediateHigh))],
  ['lsl64i', (o) => o.setX('d', i64.shl(o.x('n'), o.immediate))],
  ['lsr64i', (o) => o.setX('d', i64.shrU(o.x('n'), o.immediate))],
  ['lsl32i', (o) => o.setW('d', i32.shl(o.w('n'), o.immediateLow))],
  ['lsr32i', (o) => o.setW('d', i32.shrU(o.w('n'), o.immediateLow))],
  ['ubfx', (o) => o.setX('d', i64.and(i64.shrU(o.x('n'), i64.extendU(o.small)), o.immediate))],
  ['sxtw', (o) => o.setX('d', i64.extendS(o.w('n')))],
  ['bfm64', (o) => {
    const [mask] = o.temporaries64;
    return [set(mask, o.immediate), o.setX('d', i64.or(i64.and(o.x('d'), not64(mask)), i64.and(i64.rotr(o.x('n'), i64.extendU(o.small)), mask)))];
  }],
  ['bfm32', (o) => {
    const [mask] = o.temporaries32;
    return [set(mask, o.immediateLow), o.setW('d', i32.or(i32.and(o.w('d'), not32(mask)), i32.and(i32.rotr(o.w('n'), o.small), mask)))];
  }],
]);

function lowerInsert(size: 32 | 64, immr: number, imms: number): { readonly m: number; readonly imm: bigint } {
  const width = imms >= immr ? imms - immr + 1 : imms + 1;
  const position = imms >= immr ? 0 : size - immr;
  return { m: immr, imm: ((1n << BigInt(width)) - 1n) << BigInt(position) };
}

/** SBFM, BFM, UBFM. */
export const bitfield: InstructionClass = {
  keys: ['bitfield'],
  ops: bitfieldOps,
  lower(f): Lowered {
    const size = sizeOf(f);
    const immr = field(f, 'immr');
    const imms = field(f, 'imms');
    const opc = field(f, 'opc');
    const operands = { d: destination(field(f, 'Rd')), n: source(field(f, 'Rn')) };
    if (opc === 1) return { op: `bfm${size}`, ...operands, ...lowerInsert(size, immr, imms) };
    const top = size - 1;
    if (opc === 0 && size === 64 && immr === 0 && imms === 31) return { op: 'sxtw', ...operands };
    if (opc === 2 && imms === top) return { op: `lsr${size}i`, ...operands, imm: BigInt(immr) };
    if (opc === 2 && imms + 1 === immr) return { op: `lsl${size}i`, ...operands, imm: BigInt(top - imms) };
    if (opc === 2 && imms >= immr) return { op: 'ubfx', ...operands, m: immr, imm: (1n << BigInt(imms - immr + 1)) - 1n };
    const left = top - imms;
    const right = imms >= immr ? left + immr : left - (size - immr);
    return { op: `${opc === 0 ? 'sbfm' : 'ubfm'}${size}`, ...operands, low: left, high: right };
  },
};

/** EXTR; with lsb 0 the result is m. */
export const extract: InstructionClass = {
  keys: ['extract'],
  ops: new Map<string, Emit>([
    ['extr64', (o) => o.setX('d', i64.or(i64.shrU(o.x('m'), o.immediate), i64.shl(o.x('n'), i64.sub(i64.const(64n), o.immediate))))],
    ['extr32', (o) => o.setW('d', i32.or(i32.shrU(o.w('m'), o.immediateLow), i32.shl(o.w('n'), i32.sub(i32.const(32), o.immediateLow))))],
    ['extr0_64', (o) => o.setX('d', o.x('m'))],
    ['extr0_32', (o) => o.setW('d', o.w('m'))],
  ]),
  lower(f): Lowered {
    const lsb = field(f, 'imms');
    const size = sizeOf(f);
    const operands = { d: destination(field(f, 'Rd')), n: source(field(f, 'Rn')), m: source(field(f, 'Rm')), imm: BigInt(lsb) };
    return { op: lsb === 0 ? `extr0_${size}` : `extr${size}`, ...operands };
  },
};
