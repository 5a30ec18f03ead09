/** Multiplication, division, variable shifts, one-source operations, conditional select and compare, CRC-32. */

import type { Fields } from '../../isa/interface';
import { CRC_TABLES } from '../layout';
import type { Operands, RegisterField } from '../operands';
import { label, type Code } from '../wasm/code';
import { branchIf, choose32, choose64, i32, i64, loop, set, when, type I32, type I64 } from '../wasm/expressions';
import { conditionMask, CONDITIONS, flagBits, setAddFlags32, setAddFlags64, setFlagBits, setSubFlags32, setSubFlags64 } from './flags';
import { destination, field, sizeOf, SIZES, source, type Emit, type InstructionClass, type Lowered } from './lowering';

const threeSources = (f: Fields): Pick<Lowered, 'd' | 'n' | 'm' | 'high'> => ({
  d: destination(field(f, 'Rd')), n: source(field(f, 'Rn')), m: source(field(f, 'Rm')), high: source(field(f, 'Ra')),
});
const twoSources = (f: Fields): Pick<Lowered, 'd' | 'n' | 'm'> => ({ d: destination(field(f, 'Rd')), n: source(field(f, 'Rn')), m: source(field(f, 'Rm')) });

const long = (o: Operands, signed: boolean): I64 =>
  signed ? i64.mul(i64.extendS(o.w('n')), i64.extendS(o.w('m'))) : i64.mul(i64.extendU(o.w('n')), i64.extendU(o.w('m')));

/** MADD and MSUB, also long. */
export const multiplyAdd: InstructionClass = {
  keys: ['data_processing_3_source'],
  ops: new Map<string, Emit>([
    ['madd64', (o) => o.setX('d', i64.add(o.x('a'), i64.mul(o.x('n'), o.x('m'))))],
    ['msub64', (o) => o.setX('d', i64.sub(o.x('a'), i64.mul(o.x('n'), o.x('m'))))],
    ['madd32', (o) => o.setW('d', i32.add(o.w('a'), i32.mul(o.w('n'), o.w('m'))))],
    ['msub32', (o) => o.setW('d', i32.sub(o.w('a'), i32.mul(o.w('n'), o.w('m'))))],
    ['smaddl', (o) => o.setX('d', i64.add(o.x('a'), long(o, true)))],
    ['smsubl', (o) => o.setX('d', i64.sub(o.x('a'), long(o, true)))],
    ['umaddl', (o) => o.setX('d', i64.add(o.x('a'), long(o, false)))],
    ['umsubl', (o) => o.setX('d', i64.sub(o.x('a'), long(o, false)))],
  ]),
  lower(f): Lowered {
    const verb = field(f, 'o0') === 1 ? 'msub' : 'madd';
    const op31 = field(f, 'op31');
    if (op31 === 0) return { op: `${verb}${sizeOf(f)}`, ...threeSources(f) };
    return { op: `${op31 === 1 ? 's' : 'u'}${verb}l`, ...threeSources(f) };
  },
};

const low = (value: I64): I64 => i64.and(value, i64.const(0xffff_ffffn));
const high = (value: I64): I64 => i64.shrU(value, i64.const(32n));

/** High half of an unsigned product from four products of halves. The operands are the first two temporaries. */
function unsignedHigh(o: Operands): { readonly prepare: Code; readonly value: I64 } {
  const [a, b, middle, cross] = o.temporaries64;
  return {
    prepare: [
      set(a, o.x('n')), set(b, o.x('m')),
      set(middle, i64.add(i64.mul(high(a), low(b)), high(i64.mul(low(a), low(b))))),
      set(cross, i64.add(i64.mul(low(a), high(b)), low(middle))),
    ],
    value: i64.add(i64.add(i64.mul(high(a), high(b)), high(middle)), high(cross)),
  };
}

/** The signed result is the unsigned one minus each operand where the other is negative. */
function signedHigh(o: Operands): Code {
  const [a, b] = o.temporaries64;
  const { prepare, value } = unsignedHigh(o);
  const sign = (operand: I64): I64 => i64.shrS(operand, i64.const(63n));
  return [prepare, o.setX('d', i64.sub(i64.sub(value, i64.and(sign(a), b)), i64.and(sign(b), a)))];
}

/** SMULH and UMULH. */
export const multiplyHigh: InstructionClass = {
  keys: ['multiply_high'],
  ops: new Map<string, Emit>([
    ['umulh', (o) => [unsignedHigh(o).prepare, o.setX('d', unsignedHigh(o).value)]],
    ['smulh', signedHigh],
  ]),
  lower: (f): Lowered => ({ op: field(f, 'op31') === 6 ? 'umulh' : 'smulh', ...twoSources(f) }),
};

/** Division by zero gives zero; the most negative value by -1 gives itself. */
const signed64 = (o: Operands): I64 => choose64(i64.eqz(o.x('m')), i64.const(0n).code,
  choose64(i64.eq(o.x('m'), i64.const(-1n)), i64.sub(i64.const(0n), o.x('n')).code, i64.divS(o.x('n'), o.x('m')).code).code);
const signed32 = (o: Operands): I32 => choose32(i32.eqz(o.w('m')), i32.const(0).code,
  choose32(i32.eq(o.w('m'), i32.const(-1)), i32.sub(i32.const(0), o.w('n')).code, i32.divS(o.w('n'), o.w('m')).code).code);

const TWO_SOURCE = new Map<number, string>([[2, 'udiv'], [3, 'sdiv'], [8, 'lslv'], [9, 'lsrv'], [10, 'asrv'], [11, 'rorv']]);

/** UDIV, SDIV, LSLV, LSRV, ASRV, RORV. */
export const twoSource: InstructionClass = {
  keys: ['data_processing_2_source'],
  ops: new Map<string, Emit>([
    ['udiv64', (o) => o.setX('d', choose64(i64.eqz(o.x('m')), i64.const(0n).code, i64.divU(o.x('n'), o.x('m')).code))],
    ['udiv32', (o) => o.setW('d', choose32(i32.eqz(o.w('m')), i32.const(0).code, i32.divU(o.w('n'), o.w('m')).code))],
    ['sdiv64', (o) => o.setX('d', signed64(o))],
    ['sdiv32', (o) => o.setW('d', signed32(o))],
    ['lslv64', (o) => o.setX('d', i64.shl(o.x('n'), o.x('m')))], ['lslv32', (o) => o.setW('d', i32.shl(o.w('n'), o.w('m')))],
    ['lsrv64', (o) => o.setX('d', i64.shrU(o.x('n'), o.x('m')))], ['lsrv32', (o) => o.setW('d', i32.shrU(o.w('n'), o.w('m')))],
    ['asrv64', (o) => o.setX('d', i64.shrS(o.x('n'), o.x('m')))], ['asrv32', (o) => o.setW('d', i32.shrS(o.w('n'), o.w('m')))],
    ['rorv64', (o) => o.setX('d', i64.rotr(o.x('n'), o.x('m')))], ['rorv32', (o) => o.setW('d', i32.rotr(o.w('n'), o.w('m')))],
  ]),
  lower(f): Lowered | undefined {
    const name = TWO_SOURCE.get(field(f, 'opcode'));
    return name === undefined ? undefined : { op: `${name}${sizeOf(f)}`, ...twoSources(f) };
  },
};

/** Swaps neighbours of `width` bits under `mask`. */
function swap64(value: I64, width: bigint, mask: bigint): I64 {
  return i64.or(i64.and(i64.shrU(value, i64.const(width)), i64.const(mask)), i64.shl(i64.and(value, i64.const(mask)), i64.const(width)));
}

/** Statements that apply swaps one after the other to the first temporary. */
function swaps(o: Operands, steps: readonly (readonly [bigint, bigint])[]): Code {
  const [t] = o.temporaries64;
  return [set(t, o.x('n')), ...steps.map(([width, mask]) => set(t, swap64(t, width, mask)))];
}
const BITS = [[1n, 0x5555_5555_5555_5555n], [2n, 0x3333_3333_3333_3333n], [4n, 0x0f0f_0f0f_0f0f_0f0fn]] as const;
const BYTES = [8n, 0x00ff_00ff_00ff_00ffn] as const;
const HALVES = [16n, 0x0000_ffff_0000_ffffn] as const;
const WORDS = [32n, 0xffff_ffffn] as const;
const reversed = (steps: readonly (readonly [bigint, bigint])[], size: 32 | 64): Emit => (o) => {
  const [t] = o.temporaries64;
  return [swaps(o, steps), size === 64 ? o.setX('d', t) : o.setW('d', i32.wrap(t))];
};
const CLS64 = (o: Operands): I64 => i64.sub(i64.clz(i64.xor(o.x('n'), i64.shrS(o.x('n'), i64.const(63n)))), i64.const(1n));
const CLS32 = (o: Operands): I32 => i32.sub(i32.clz(i32.xor(o.w('n'), i32.shrS(o.w('n'), i32.const(31)))), i32.const(1));

/** RBIT, REV16, REV32, REV, CLZ, CLS; named by their opcode field. */
export const oneSource: InstructionClass = {
  keys: ['data_processing_1_source'],
  ops: new Map<string, Emit>([
    ['one0_64', reversed([...BITS, BYTES, HALVES, WORDS], 64)], ['one0_32', reversed([...BITS, BYTES, HALVES], 32)],
    ['one1_64', reversed([BYTES], 64)], ['one1_32', reversed([BYTES], 32)],
    ['one2_64', reversed([BYTES, HALVES], 64)], ['one2_32', reversed([BYTES, HALVES], 32)],
    ['one3_64', reversed([BYTES, HALVES, WORDS], 64)],
    ['one4_64', (o) => o.setX('d', i64.clz(o.x('n')))], ['one4_32', (o) => o.setW('d', i32.clz(o.w('n')))],
    ['one5_64', (o) => o.setX('d', CLS64(o))], ['one5_32', (o) => o.setW('d', CLS32(o))],
  ]),
  lower(f): Lowered {
    return { op: `one${field(f, 'opcode')}_${sizeOf(f)}`, d: destination(field(f, 'Rd')), n: source(field(f, 'Rn')) };
  },
};

const alternatives64: readonly ((value: I64) => I64)[] = [
  (v) => v, (v) => i64.add(v, i64.const(1n)), (v) => i64.xor(v, i64.const(-1n)), (v) => i64.sub(i64.const(0n), v),
];
const alternatives32: readonly ((value: I32) => I32)[] = [
  (v) => v, (v) => i32.add(v, i32.const(1)), (v) => i32.xor(v, i32.const(-1)), (v) => i32.sub(i32.const(0), v),
];
const selectOps = new Map<string, Emit>();
CONDITIONS.forEach((holds, condition) => {
  if (condition >= 15) return;
  alternatives64.forEach((change, kind) => selectOps.set(`csel${kind}_${condition}_64`, (o) => o.setX('d', i64.select(holds, o.x('n'), change(o.x('m'))))));
  alternatives32.forEach((change, kind) => selectOps.set(`csel${kind}_${condition}_32`, (o) => o.setW('d', i32.select(holds, o.w('n'), change(o.w('m'))))));
});

/** CSEL, CSINC, CSINV, CSNEG. */
export const conditionalSelect: InstructionClass = {
  keys: ['conditional_select'],
  ops: selectOps,
  lower(f): Lowered {
    const kind = field(f, 'op') * 2 + (field(f, 'op2') & 1);
    return { op: `csel${kind}_${Math.min(field(f, 'cond'), 14)}_${sizeOf(f)}`, ...twoSources(f) };
  },
};

/** Compare if the condition whose mask is `immediateLow` holds, else set the flags in `immediateHigh`; `second` is the operand. */
function compareIf(o: Operands, size: 32 | 64, isSub: boolean, second: RegisterField | 'small'): Code {
  const [a, b, result] = o.temporaries64;
  const [scratch] = o.temporaries32;
  const operand = second === 'small' ? i64.extendU(o.small) : size === 64 ? o.x(second) : i64.extendU(o.w(second));
  const flags = size === 64 ? (isSub ? setSubFlags64 : setAddFlags64) : (isSub ? setSubFlags32 : setAddFlags32);
  const condition = i32.and(i32.shrU(o.immediateLow, flagBits), i32.const(1));
  return when(condition, [
    set(a, size === 64 ? o.x('n') : i64.extendU(o.w('n'))), set(b, operand),
    set(result, isSub ? i64.sub(a, b) : i64.add(a, b)), flags(a, b, result),
  ], setFlagBits(o.immediateHigh, scratch));
}
const compareOps = new Map<string, Emit>();
for (const size of SIZES) {
  for (const [verb, isSub] of [['ccmn', false], ['ccmp', true]] as const) {
    compareOps.set(`${verb}${size}r`, (o) => compareIf(o, size, isSub, 'm'));
    compareOps.set(`${verb}${size}i`, (o) => compareIf(o, size, isSub, 'small'));
  }
}

/** CCMN and CCMP. */
export const conditionalCompare: InstructionClass = {
  keys: ['conditional_compare_register', 'conditional_compare_immediate'],
  ops: compareOps,
  lower(f, _place, key): Lowered {
    const isImmediate = key === 'conditional_compare_immediate';
    const name = `${field(f, 'op') === 1 ? 'ccmp' : 'ccmn'}${sizeOf(f)}${isImmediate ? 'i' : 'r'}`;
    const m = isImmediate ? field(f, 'imm5') : source(field(f, 'Rm'));
    return { op: name, n: source(field(f, 'Rn')), m, low: conditionMask(field(f, 'cond')), high: field(f, 'nzcv') };
  },
};

/** CRC-32 by table, a byte at a time; `immediateLow` is the number of bytes, `immediateHigh` the offset of the table. */
function checksum(o: Operands): Code {
  const [data] = o.temporaries64;
  const [crc, count] = o.temporaries32;
  const again = label('byte');
  const index = i32.and(i32.xor(crc, i32.wrap(data)), i32.const(0xff));
  return [
    set(crc, o.w('n')), set(data, o.x('m')), set(count, o.immediateLow),
    loop(again, [
      set(crc, i32.xor(i32.shrU(crc, i32.const(8)), i32.load(i32.add(o.immediateHigh, i32.shl(index, i32.const(2))), CRC_TABLES))),
      set(data, i64.shrU(data, i64.const(8n))),
      set(count, i32.sub(count, i32.const(1))),
      branchIf(count, again),
    ]),
    o.setW('d', crc),
  ];
}
const CRC_TABLE_SIZE = 1024;

/** CRC32 and CRC32C. */
export const crc32: InstructionClass = {
  keys: ['crc32'],
  ops: new Map<string, Emit>([['crc32', checksum]]),
  lower: (f): Lowered => ({ op: 'crc32', ...twoSources(f), low: 1 << field(f, 'sz'), high: field(f, 'C') * CRC_TABLE_SIZE }),
};
