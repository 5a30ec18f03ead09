/** Instructions that move or combine bits of vector registers and need no function of their own: they are generated in place. */

import { expandFloatImmediate, expandVectorImmediate } from '../../isa/vector-immediates';
import type { Fields } from '../../isa/interface';
import type { Operands } from '../operands';
import { packOptions } from '../simd/lanes';
import { simdFunction } from '../simd/functions';
import type { Code } from '../wasm/code';
import { i32, i64, type I32, type I64 } from '../wasm/expressions';
import { destination, field, source, type Emit, type InstructionClass, type Lowered } from './lowering';
import { vector } from './vector-memory';

const NONE = i64.const(0n);
const HIGH = 8;
const invert = (value: I64): I64 => i64.xor(value, i64.const(-1n));

/** A call of a SIMD function: how most SIMD and floating-point instructions execute. */
export const simdOps: ReadonlyMap<string, Emit> = new Map<string, Emit>([
  ['simd', (o) => [o.checkVectors(), o.needsCalls(() => o.callSimd())]],
]);

/** Lowers to a call of a SIMD function. */
export function simdCall(name: string, slots: Pick<Lowered, 'd' | 'n' | 'm'>, options: Parameters<typeof packOptions>[0]): Lowered {
  return { op: 'simd', ...slots, low: packOptions(options), high: simdFunction(name) };
}

/** Bytes of a vector by Q. */
export function vectorBytes(f: Fields): number {
  return field(f, 'Q') === 1 ? 16 : 8;
}

const immediateOps = new Map<string, Emit>();
const combine: Readonly<Record<string, (old: I64, imm: I64) => I64>> = { set: (_old, imm) => imm, or: i64.or, and: i64.and };
for (const [name, operate] of Object.entries(combine)) {
  immediateOps.set(`vi.${name}.8`, (o) => [o.checkVectors(), o.setX('d', operate(o.x('d'), o.immediate)), o.setXNext('d', NONE)]);
  immediateOps.set(`vi.${name}.16`, (o) => [
    o.checkVectors(), o.setX('d', operate(o.x('d'), o.immediate)), o.setXNext('d', operate(o.xNext('d'), o.immediate)),
  ]);
}

/** MOVI, MVNI, ORR and BIC with an immediate, FMOV with an immediate. */
export const vectorImmediates: InstructionClass = {
  keys: ['simd_modified_immediate', 'fp_immediate'],
  ops: immediateOps,
  lower(f, _place, key): Lowered {
    const d = vector(field(f, 'Rd'));
    if (key === 'fp_immediate') return { op: 'vi.set.8', d, imm: expandFloatImmediate(field(f, 'imm8'), field(f, 'ftype')) };
    const { value, operation } = expandVectorImmediate(f);
    return { op: `vi.${operation}.${vectorBytes(f)}`, d, imm: value };
  },
};

const LOGICAL: readonly (readonly [string, (n: I64, m: I64, d: I64) => I64])[] = [
  ['and', i64.and], ['bic', (n, m) => i64.and(n, invert(m))], ['orr', i64.or], ['orn', (n, m) => i64.or(n, invert(m))],
  ['eor', i64.xor], ['bsl', (n, m, d) => i64.xor(i64.and(i64.xor(n, m), d), m)],
  ['bit', (n, m, d) => i64.xor(i64.and(i64.xor(n, d), m), d)], ['bif', (n, m, d) => i64.xor(i64.and(i64.xor(n, d), invert(m)), d)],
];
const logicalOps = new Map<string, Emit>();
for (const [name, operate] of LOGICAL) {
  const low = (o: Operands): Code => o.setX('d', operate(o.x('n'), o.x('m'), o.x('d')));
  logicalOps.set(`v.${name}.8`, (o) => [o.checkVectors(), low(o), o.setXNext('d', NONE)]);
  logicalOps.set(`v.${name}.16`, (o) => [o.checkVectors(), low(o), o.setXNext('d', operate(o.xNext('n'), o.xNext('m'), o.xNext('d')))]);
}

/** AND, BIC, ORR, ORN, EOR, BSL, BIT, BIF. */
export const vectorLogical: InstructionClass = {
  keys: ['simd_three_same_logical'],
  ops: logicalOps,
  lower(f): Lowered {
    const name = LOGICAL[field(f, 'U') * 4 + field(f, 'size')]?.[0] ?? 'and';
    return { op: `v.${name}.${vectorBytes(f)}`, d: vector(field(f, 'Rd')), n: vector(field(f, 'Rn')), m: vector(field(f, 'Rm')) };
  },
};

const masked = (value: I32, size: 1 | 2): I32 => i32.and(value, i32.const(size === 1 ? 0xff : 0xffff));
const extended = (value: I32, size: 1 | 2): I32 => (size === 1 ? i32.extend8S(value) : i32.extend16S(value));
/** Between general registers and lanes; a lane's slot is its address. */
const laneEmits: readonly (readonly [string, Emit])[] = [
  ['umov1', (o) => o.setW('d', masked(o.w('n'), 1))], ['umov2', (o) => o.setW('d', masked(o.w('n'), 2))],
  ['umov4', (o) => o.setW('d', o.w('n'))], ['umov8', (o) => o.setX('d', o.x('n'))],
  ['smov1w', (o) => o.setW('d', extended(o.w('n'), 1))], ['smov2w', (o) => o.setW('d', extended(o.w('n'), 2))],
  ['smov1x', (o) => o.setX('d', i64.extendS(extended(o.w('n'), 1)))], ['smov2x', (o) => o.setX('d', i64.extendS(extended(o.w('n'), 2)))],
  ['smov4x', (o) => o.setX('d', i64.extendS(o.w('n')))],
  ['fmov.from.2', (o) => [o.setW('d', masked(o.w('n'), 2)), o.setXNext('d', NONE)]],
  ['fmov.from.4', (o) => [o.setW('d', o.w('n')), o.setXNext('d', NONE)]],
  ['fmov.from.8', (o) => [o.setX('d', o.x('n')), o.setXNext('d', NONE)]],
  ['fabs.4', (o) => [o.setW('d', i32.and(o.w('n'), i32.const(0x7fff_ffff))), o.setXNext('d', NONE)]],
  ['fabs.8', (o) => [o.setX('d', i64.and(o.x('n'), i64.const((1n << 63n) - 1n))), o.setXNext('d', NONE)]],
  ['fneg.4', (o) => [o.setW('d', i32.xor(o.w('n'), i32.const(-0x8000_0000))), o.setXNext('d', NONE)]],
  ['fneg.8', (o) => [o.setX('d', i64.xor(o.x('n'), i64.const(1n << 63n))), o.setXNext('d', NONE)]],
];
const laneOps = new Map(laneEmits.map(([name, emit]): readonly [string, Emit] => [name, (o) => [o.checkVectors(), emit(o)]]));

/** Lane size and byte offset of an imm5. */
function laneOf(imm5: number): { readonly size: 1 | 2 | 4 | 8; readonly offset: number } {
  const size = (imm5 & 1) !== 0 ? 1 : (imm5 & 2) !== 0 ? 2 : (imm5 & 4) !== 0 ? 4 : 8;
  return { size, offset: (imm5 >> 1) & (16 - size) };
}

const IMM4_SMOV = 5;
const IMM4_UMOV = 7;
const IMM4_INSERT = 3;
const IMM4_DUP_GENERAL = 1;

/** DUP, INS, UMOV, SMOV. */
export const vectorCopies: InstructionClass = {
  keys: ['simd_copy', 'simd_scalar_copy'],
  ops: laneOps,
  lower(f, _place, key): Lowered {
    const { size, offset } = laneOf(field(f, 'imm5'));
    const [rd, rn, imm4] = [field(f, 'Rd'), field(f, 'Rn'), field(f, 'imm4')];
    const lane = vector(rn) + offset;
    if (key === 'simd_scalar_copy') return simdCall(`dup.${size}`, { d: vector(rd), n: lane }, { bytes: size });
    if (field(f, 'op') === 1) {
      // The lower bits of imm4 are those that the destination's lane size leaves out.
      return insert(size, vector(rd) + offset, vector(rn) + (imm4 & (16 - size)));
    }
    switch (imm4) {
      case IMM4_SMOV: return { op: `smov${size}${field(f, 'Q') === 1 ? 'x' : 'w'}`, d: destination(rd), n: lane };
      case IMM4_UMOV: return { op: `umov${size}`, d: destination(rd), n: lane };
      case IMM4_INSERT: return insert(size, vector(rd) + offset, source(rn));
      default: return simdCall(`dup.${size}`, { d: vector(rd), n: imm4 === IMM4_DUP_GENERAL ? source(rn) : lane }, { bytes: vectorBytes(f) });
    }
  },
};

function insert(size: number, d: number, n: number): Lowered {
  return size === 8 ? { op: 'umov8', d, n } : simdCall(`ins.${size}`, { d, n }, { bytes: size });
}

/** FMOV between general and vector registers. */
export const moveGeneral: InstructionClass = {
  keys: ['fp_move_general'],
  ops: new Map<string, Emit>(),
  lower(f): Lowered {
    const [rd, rn] = [field(f, 'Rd'), field(f, 'Rn')];
    const ftype = field(f, 'ftype');
    const toGeneral = field(f, 'opcode') === 6;
    if (ftype === 2) return { op: 'umov8', d: toGeneral ? destination(rd) : vector(rd) + HIGH, n: toGeneral ? vector(rn) + HIGH : source(rn) };
    const size = ftype === 3 ? 2 : ftype === 1 ? 8 : 4;
    return toGeneral ? { op: `umov${size}`, d: destination(rd), n: vector(rn) } : { op: `fmov.from.${size}`, d: vector(rd), n: source(rn) };
  },
};
