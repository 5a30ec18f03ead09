/** ADD, SUB and relatives: immediate, shifted register, extended register, with carry, PC-relative addresses. */

import type { Fields } from '../../isa/interface';
import type { Operands } from '../operands';
import type { Code } from '../wasm/code';
import { i32, i64, set, type I32, type I64 } from '../wasm/expressions';
import { carry, setAddFlags32, setAddFlags64, setFlags, setSubFlags32, setSubFlags64 } from './flags';
import { destination, field, orStack, sizeOf, source, type Emit, type InstructionClass, type Lowered } from './lowering';

type Kind = 'add' | 'sub' | 'adds' | 'subs';
const KINDS: readonly Kind[] = ['add', 'sub', 'adds', 'subs'];
const kindOf = (f: Fields): Kind => (['add', 'adds', 'sub', 'subs'] as const)[field(f, 'op') * 2 + field(f, 'S')] ?? 'add';

/** d = n ± operand at 64 bits. */
function emit64(o: Operands, kind: Kind, operand: I64): Code {
  const [a, b, result] = o.temporaries64;
  if (kind === 'add') return o.setX('d', i64.add(o.x('n'), operand));
  if (kind === 'sub') return o.setX('d', i64.sub(o.x('n'), operand));
  const isAdd = kind === 'adds';
  return [
    set(a, o.x('n')), set(b, operand), set(result, isAdd ? i64.add(a, b) : i64.sub(a, b)),
    isAdd ? setAddFlags64(a, b, result) : setSubFlags64(a, b, result),
    o.setX('d', result),
  ];
}

/** d = n ± operand at 32 bits. */
function emit32(o: Operands, kind: Kind, operand: I32): Code {
  const [a, b, result] = o.temporaries64;
  if (kind === 'add') return o.setW('d', i32.add(o.w('n'), operand));
  if (kind === 'sub') return o.setW('d', i32.sub(o.w('n'), operand));
  const isAdd = kind === 'adds';
  return [
    set(a, i64.extendU(o.w('n'))), set(b, i64.extendU(operand)), set(result, isAdd ? i64.add(a, b) : i64.sub(a, b)),
    isAdd ? setAddFlags32(a, b, result) : setSubFlags32(a, b, result),
    o.setW('d', i32.wrap(result)),
  ];
}

function addOp(ops: Map<string, Emit>, kind: Kind, suffix: string, operands: { readonly w: (o: Operands) => I32; readonly x: (o: Operands) => I64 }): void {
  ops.set(`${kind}32${suffix}`, (o) => emit32(o, kind, operands.w(o)));
  ops.set(`${kind}64${suffix}`, (o) => emit64(o, kind, operands.x(o)));
}

const immediateOps = new Map<string, Emit>();
for (const kind of KINDS) addOp(immediateOps, kind, 'i', { w: (o) => o.immediateLow, x: (o) => o.immediate });

/** ADD/SUB (immediate). */
export const addSubImmediate: InstructionClass = {
  keys: ['add_sub_immediate'],
  ops: immediateOps,
  lower(f) {
    const kind = kindOf(f);
    const rd = field(f, 'Rd');
    const flagSetting = kind === 'adds' || kind === 'subs';
    const imm = BigInt(field(f, 'imm12')) << (field(f, 'sh') === 1 ? 12n : 0n);
    return { op: `${kind}${sizeOf(f)}i`, d: flagSetting ? destination(rd) : orStack(rd), n: orStack(field(f, 'Rn')), imm };
  },
};

const SHIFTS = ['lsl', 'lsr', 'asr'] as const;
const shifted64 = { lsl: i64.shl, lsr: i64.shrU, asr: i64.shrS };
const shifted32 = { lsl: i32.shl, lsr: i32.shrU, asr: i32.shrS };
const registerOps = new Map<string, Emit>();
for (const kind of KINDS) {
  addOp(registerOps, kind, 'r', { w: (o) => o.w('m'), x: (o) => o.x('m') });
  for (const shift of SHIFTS) {
    addOp(registerOps, kind, shift, { w: (o) => shifted32[shift](o.w('m'), o.immediateLow), x: (o) => shifted64[shift](o.x('m'), o.immediate) });
  }
}

/** ADD/SUB (shifted register). */
export const addSubShifted: InstructionClass = {
  keys: ['add_sub_shifted_register'],
  ops: registerOps,
  lower(f): Lowered {
    const amount = field(f, 'imm6');
    const suffix = amount === 0 ? 'r' : SHIFTS[field(f, 'shift')] ?? 'lsl';
    return {
      op: `${kindOf(f)}${sizeOf(f)}${suffix}`, d: destination(field(f, 'Rd')), n: source(field(f, 'Rn')), m: source(field(f, 'Rm')), imm: BigInt(amount),
    };
  },
};

/** The extended operand: shifted up by `immediateLow`, back down with or without sign, then up by `immediateHigh`. */
function extended(o: Operands, signed: boolean): I64 {
  const up = i64.extendU(o.immediateLow);
  const top = i64.shl(o.x('m'), up);
  return i64.shl(signed ? i64.shrS(top, up) : i64.shrU(top, up), i64.extendU(o.immediateHigh));
}
const extendedOps = new Map<string, Emit>();
for (const kind of KINDS) {
  addOp(extendedOps, kind, 'extu', { w: (o) => i32.wrap(extended(o, false)), x: (o) => extended(o, false) });
  addOp(extendedOps, kind, 'exts', { w: (o) => i32.wrap(extended(o, true)), x: (o) => extended(o, true) });
}

/** ADD/SUB (extended register). */
export const addSubExtended: InstructionClass = {
  keys: ['add_sub_extended_register'],
  ops: extendedOps,
  lower(f): Lowered {
    const kind = kindOf(f);
    const option = field(f, 'option');
    const rd = field(f, 'Rd');
    const flagSetting = kind === 'adds' || kind === 'subs';
    return {
      op: `${kind}${sizeOf(f)}${option >= 4 ? 'exts' : 'extu'}`,
      d: flagSetting ? destination(rd) : orStack(rd), n: orStack(field(f, 'Rn')), m: source(field(f, 'Rm')),
      low: 64 - (8 << (option & 3)), high: field(f, 'imm3'),
    };
  },
};

/** d = n + m + carry at 64 bits; subtraction passes the complement of m. */
function withCarry64(o: Operands, isSub: boolean, setsFlags: boolean): Code {
  const [a, b, result, c] = o.temporaries64;
  const second = isSub ? i64.xor(o.x('m'), i64.const(-1n)) : o.x('m');
  const sum = i64.add(i64.add(a, b), c);
  const carryOut = i32.or(i64.ltU(result, a), i32.and(i64.eq(result, a), i32.wrap(c)));
  return [
    set(a, o.x('n')), set(b, second), set(c, i64.extendU(carry)), set(result, sum),
    setsFlags ? setFlags(result, carryOut, i64.and(i64.xor(a, result), i64.xor(b, result))) : [],
    o.setX('d', result),
  ];
}

/** The same at 32 bits; the sum of zero-extended values keeps its carry in bit 32. */
function withCarry32(o: Operands, isSub: boolean, setsFlags: boolean): Code {
  const [a, b, result] = o.temporaries64;
  const second = isSub ? i32.xor(o.w('m'), i32.const(-1)) : o.w('m');
  return [
    set(a, i64.extendU(o.w('n'))), set(b, i64.extendU(second)), set(result, i64.add(i64.add(a, b), i64.extendU(carry))),
    setsFlags ? setAddFlags32(a, b, result) : [],
    o.setW('d', i32.wrap(result)),
  ];
}

const carryOps = new Map<string, Emit>();
for (const [name, isSub, setsFlags] of [['adc', false, false], ['adcs', false, true], ['sbc', true, false], ['sbcs', true, true]] as const) {
  carryOps.set(`${name}64`, (o) => withCarry64(o, isSub, setsFlags));
  carryOps.set(`${name}32`, (o) => withCarry32(o, isSub, setsFlags));
}

/** ADC, ADCS, SBC, SBCS. */
export const addSubCarry: InstructionClass = {
  keys: ['add_sub_carry'],
  ops: carryOps,
  lower(f): Lowered {
    const name = (['adc', 'adcs', 'sbc', 'sbcs'] as const)[field(f, 'op') * 2 + field(f, 'S')] ?? 'adc';
    return { op: `${name}${sizeOf(f)}`, d: destination(field(f, 'Rd')), n: source(field(f, 'Rn')), m: source(field(f, 'Rm')) };
  },
};

/** ADR and ADRP: both are the address of the page plus a constant. */
export const pcRelative: InstructionClass = {
  keys: ['pc_relative_address'],
  ops: new Map<string, Emit>([['adr', (o) => o.setX('d', i64.add(o.pageAddress, o.immediate))]]),
  lower(f, place): Lowered {
    const imm = BigInt.asIntN(21, BigInt((field(f, 'immhi') << 2) | field(f, 'immlo')));
    const offset = field(f, 'op') === 1 ? imm << 12n : imm + BigInt(place.pageOffset);
    return { op: 'adr', d: destination(field(f, 'Rd')), imm: offset };
  },
};

