/** Loads and stores of SIMD and floating-point registers: single and pair in all addressing forms, and structures. */

import type { Fields } from '../../isa/interface';
import { SLOT_SP, SLOT_V0, STRUCTURE_BUFFER } from '../layout';
import type { Operands } from '../operands';
import { packOptions } from '../simd/lanes';
import { simdFunction } from '../simd/functions';
import { label, type Code } from '../wasm/code';
import { branchIf, i32, i64, loop, set, when, type I64, type Local64 } from '../wasm/expressions';
import { field, orStack, source, type Emit, type InstructionClass, type Lowered, type Place } from './lowering';

/** Slot of a vector register. */
export function vector(register: number): number {
  return SLOT_V0 + (register & 31) * 16;
}

type VectorSize = 1 | 2 | 4 | 8 | 16;
const VECTOR_SIZES: readonly VectorSize[] = [1, 2, 4, 8, 16];
const NOTHING = i64.const(0n);

/** The access itself; `register` names the vector register. */
function transfer(o: Operands, isLoad: boolean, sizeBytes: VectorSize, at: { readonly address: Local64; readonly register: 'd' | 'm' }): Code {
  const { address, register } = at;
  const [, low, high] = o.temporaries64;
  if (sizeBytes === 16) {
    if (!isLoad) return o.storePair(address, [o.x(register), o.xNext(register)], { sizeBytes: 8 });
    return [o.loadPair([low, high], address, { sizeBytes: 8 }), o.setX(register, low), o.setXNext(register, high)];
  }
  if (!isLoad) return o.store(address, o.x(register), { sizeBytes });
  return [o.load(low, address, { sizeBytes }), o.setX(register, low), o.setXNext(register, NOTHING)];
}

/** Tier 1 has only what is common: more code costs its other instructions registers. */
const rare = (emit: Emit): Emit => (o) => o.needsCalls(() => emit(o));

const ops = new Map<string, Emit>();
const OFFSETS: Readonly<Record<string, (o: Operands) => I64>> = {
  '': (o) => o.immediate,
  '.lsl': (o) => i64.shl(o.x('m'), o.immediate),
  '.uxtw': (o) => i64.shl(i64.extendU(o.w('m')), o.immediate),
  '.sxtw': (o) => i64.shl(i64.extendS(o.w('m')), o.immediate),
};

function defineSingle(isLoad: boolean, size: VectorSize, stack: '' | '.sp'): void {
  const name = `${isLoad ? 'ldrv' : 'strv'}${size}`;
  const begin = (o: Operands): Code => [o.checkVectors(), stack === '.sp' ? o.checkStack() : []];
  const access = (o: Operands, address: Local64): Code => transfer(o, isLoad, size, { address, register: 'd' });
  for (const [form, offset] of Object.entries(OFFSETS)) {
    const emit: Emit = (o) => {
      const [address] = o.temporaries64;
      return [begin(o), set(address, i64.add(o.x('n'), offset(o))), access(o, address)];
    };
    ops.set(`${name}${form}${stack}`, size < 4 || form.endsWith('xtw') ? rare(emit) : emit);
  }
  ops.set(`${name}.pre${stack}`, rare((o) => {
    const [address] = o.temporaries64;
    return [begin(o), set(address, i64.add(o.x('n'), o.immediate)), access(o, address), o.setX('n', address)];
  }));
  ops.set(`${name}.post${stack}`, rare((o) => {
    const [address] = o.temporaries64;
    return [begin(o), set(address, o.x('n')), access(o, address), o.setX('n', i64.add(address, o.immediate))];
  }));
}
for (const size of VECTOR_SIZES) {
  for (const isLoad of [true, false]) {
    defineSingle(isLoad, size, '');
    defineSingle(isLoad, size, '.sp');
  }
  ops.set(`ldrv${size}.literal`, rare((o) => {
    const [address] = o.temporaries64;
    return [o.checkVectors(), set(address, i64.add(o.pageAddress, o.immediate)), transfer(o, true, size, { address, register: 'd' })];
  }));
}

const signed = (value: number, width: number): number => (value << (32 - width)) >> (32 - width);
const stackSuffix = (n: number): string => (n === SLOT_SP ? '.sp' : '');

/** Size of the access: 128 bits are size 0 with the upper bit of opc set. */
function singleSize(f: Fields): number {
  return (field(f, 'opc') & 2) !== 0 ? 4 : field(f, 'size');
}

function lowerSingle(f: Fields, form: string, rest: Pick<Lowered, 'imm' | 'm'>): Lowered {
  const n = orStack(field(f, 'Rn'));
  const name = `${(field(f, 'opc') & 1) === 1 ? 'ldrv' : 'strv'}${1 << singleSize(f)}`;
  return { op: `${name}${form}${stackSuffix(n)}`, d: vector(field(f, 'Rt')), n, ...rest };
}

function lowerRegisterOffset(f: Fields): Lowered {
  const option = field(f, 'option');
  const form = option === 2 ? '.uxtw' : option === 6 ? '.sxtw' : '.lsl';
  const shift = field(f, 'S') === 1 ? singleSize(f) : 0;
  return lowerSingle(f, form, { m: source(field(f, 'Rm')), imm: BigInt(shift) });
}

const nineBits = (f: Fields): { readonly imm: bigint } => ({ imm: BigInt(signed(field(f, 'imm9'), 9)) });

/** LDR and STR of vector registers. */
export const vectorTransfers: InstructionClass = {
  keys: [
    'simd_load_literal', 'simd_load_store_unsigned_immediate', 'simd_load_store_unscaled', 'simd_load_store_post_indexed',
    'simd_load_store_pre_indexed', 'simd_load_store_register_offset',
  ],
  ops,
  lower(f, place: Place, key): Lowered {
    switch (key) {
      case 'simd_load_literal': {
        const imm = BigInt(signed(field(f, 'imm19'), 19)) * 4n + BigInt(place.pageOffset);
        return { op: `ldrv${4 << field(f, 'opc')}.literal`, d: vector(field(f, 'Rt')), imm };
      }
      case 'simd_load_store_unsigned_immediate': return lowerSingle(f, '', { imm: BigInt(field(f, 'imm12') << singleSize(f)) });
      case 'simd_load_store_unscaled': return lowerSingle(f, '', nineBits(f));
      case 'simd_load_store_post_indexed': return lowerSingle(f, '.post', nineBits(f));
      case 'simd_load_store_pre_indexed': return lowerSingle(f, '.pre', nineBits(f));
      default: return lowerRegisterOffset(f);
    }
  },
};

const pairOps = new Map<string, Emit>();
type PairForm = 'offset' | 'pre' | 'post';

function emitPair(o: Operands, isLoad: boolean, size: 4 | 8 | 16, form: PairForm): Code {
  const [address, , , base] = o.temporaries64;
  const offset = i64.extendS(o.immediateLow);
  const access = (register: 'd' | 'm'): Code => transfer(o, isLoad, size, { address, register });
  return [
    o.checkVectors(), o.checkStack(),
    set(base, form === 'post' ? o.x('n') : i64.add(o.x('n'), offset)), set(address, base), access('d'),
    set(address, i64.add(base, i64.const(BigInt(size)))), access('m'),
    form === 'offset' ? [] : o.setX('n', form === 'pre' ? base : i64.add(base, offset)),
  ];
}
for (const size of [4, 8, 16] as const) {
  for (const form of ['offset', 'pre', 'post'] as const) {
    pairOps.set(`ldpv${size}.${form}`, rare((o) => emitPair(o, true, size, form)));
    pairOps.set(`stpv${size}.${form}`, rare((o) => emitPair(o, false, size, form)));
  }
}

/** LDP, STP, LDNP and STNP of vector registers; loading one register twice is CONSTRAINED UNPREDICTABLE: Undefined here. */
export const vectorPairTransfers: InstructionClass = {
  keys: ['simd_load_store_no_allocate_pair', 'simd_load_store_pair_post_indexed', 'simd_load_store_pair_offset', 'simd_load_store_pair_pre_indexed'],
  ops: pairOps,
  lower(f, _place, key): Lowered | undefined {
    const isLoad = field(f, 'L') === 1;
    if (isLoad && field(f, 'Rt') === field(f, 'Rt2')) return undefined;
    const form: PairForm = key === 'simd_load_store_pair_post_indexed' ? 'post' : key === 'simd_load_store_pair_pre_indexed' ? 'pre' : 'offset';
    const size = 4 << field(f, 'opc');
    return {
      op: `${isLoad ? 'ldpv' : 'stpv'}${size}.${form}`, d: vector(field(f, 'Rt')), m: vector(field(f, 'Rt2')), n: orStack(field(f, 'Rn')),
      low: signed(field(f, 'imm7'), 7) * size,
    };
  },
};

/** Bytes in memory, in the upper byte of the options. */
const TOTAL_SHIFT = 24;

/** Moves `total` bytes between memory and the buffer, eight at a time and the rest one by one. */
function moveBuffer(o: Operands, isLoad: boolean): Code {
  const [address, value] = o.temporaries64;
  const [done, total] = o.temporaries32;
  const [words, bytes] = [label('words'), label('bytes')];
  const step = (size: 1 | 8): Code => {
    const buffered = size === 8 ? i64.load(done, STRUCTURE_BUFFER) : i64.load8U(done, STRUCTURE_BUFFER);
    const access = isLoad
      ? [o.load(value, address, { sizeBytes: size }), size === 8 ? i64.store(done, value, STRUCTURE_BUFFER) : i64.store8(done, value, STRUCTURE_BUFFER)]
      : [set(value, buffered), o.store(address, value, { sizeBytes: size })];
    return [access, set(address, i64.add(address, i64.const(BigInt(size)))), set(done, i32.add(done, i32.const(size)))];
  };
  return [
    set(address, o.x('n')), set(done, i32.const(0)), set(total, i32.shrU(o.immediateLow, i32.const(TOTAL_SHIFT))),
    when(i32.geU(total, i32.const(8)), loop(words, [step(8), branchIf(i32.leU(i32.add(done, i32.const(8)), total), words)])),
    when(i32.ltU(done, total), loop(bytes, [step(1), branchIf(i32.ltU(done, total), bytes)])),
  ];
}

const structureOps = new Map<string, Emit>();
for (const [form, increment] of [
  ['', undefined], ['.post', (o: Operands): I64 => o.x('m')],
  ['.next', (o: Operands): I64 => i64.extendU(i32.shrU(o.immediateLow, i32.const(TOTAL_SHIFT)))],
] as const) {
  const advance = (o: Operands): Code => (increment === undefined ? [] : o.setX('n', i64.add(o.x('n'), increment(o))));
  const buffer = i32.const(STRUCTURE_BUFFER);
  structureOps.set(`structure.load${form}`, (o) => [
    o.checkVectors(), o.needsCalls(() => [o.checkStack(), moveBuffer(o, true), o.callSimdOn(buffer), advance(o)]),
  ]);
  structureOps.set(`structure.store${form}`, (o) => [
    o.checkVectors(), o.needsCalls(() => [o.checkStack(), o.callSimdOn(buffer), moveBuffer(o, false), advance(o)]),
  ]);
}

/** Registers of LD1/ST1 (multiple structures) by opcode; other opcodes are LD4, LD3, LD2 by their upper bits. */
const PLAIN_COUNTS: Readonly<Record<number, number>> = { 0b0111: 1, 0b1010: 2, 0b0110: 3, 0b0010: 4 };
const STRUCTURE_COUNTS: Readonly<Record<number, number>> = { 0b1000: 2, 0b0100: 3, 0b0000: 4 };

/** What is moved: the SIMD function and its options. */
interface Movement { readonly name: string; readonly bytes: number; readonly amount?: number; readonly total: number }

function multiple(f: Fields, verb: string): Movement {
  const bytes = field(f, 'Q') === 1 ? 16 : 8;
  const opcode = field(f, 'opcode');
  const plain = PLAIN_COUNTS[opcode];
  const count = plain ?? STRUCTURE_COUNTS[opcode] ?? 1;
  return { name: plain === undefined ? `${verb}m.${count}.${1 << field(f, 'size')}` : `${verb}1.${count}`, bytes, total: count * bytes };
}

function single(f: Fields, verb: string): Movement {
  const opcode = field(f, 'opcode');
  const count = 1 + field(f, 'R') + (opcode & 1) * 2;
  const place = (field(f, 'Q') << 3) | (field(f, 'S') << 2) | field(f, 'size');
  const scale = opcode >> 1 === 2 && (field(f, 'size') & 1) === 1 ? 3 : opcode >> 1;
  // A lane's number stands in Q:S:size from the top; its byte offset is those bits with the low ones cleared.
  return { name: `${verb}s.${count}.${1 << scale}`, bytes: 8, amount: place & (0xf & -(1 << scale)), total: count << scale };
}

function replicate(f: Fields): Movement {
  const count = 1 + field(f, 'R') + (field(f, 'opcode') & 1) * 2;
  return { name: `loadr.${count}.${1 << field(f, 'size')}`, bytes: field(f, 'Q') === 1 ? 16 : 8, total: count << field(f, 'size') };
}

/** LD1–LD4, ST1–ST4, LD1R–LD4R. */
export const vectorStructures: InstructionClass = {
  keys: ['', '_post_indexed'].flatMap((suffix) => ['multiple', 'single'].map((kind) => `simd_load_store_${kind}${suffix}`).concat(`simd_load_replicate${suffix}`)),
  ops: structureOps,
  lower(f, _place, key): Lowered {
    const verb = field(f, 'L') === 1 ? 'load' : 'store';
    const { name, bytes, amount = 0, total } = key.includes('replicate') ? replicate(f) : key.includes('multiple') ? multiple(f, verb) : single(f, verb);
    const rm = field(f, 'Rm');
    const form = !key.endsWith('post_indexed') ? '' : rm === 31 ? '.next' : '.post';
    return {
      op: `structure.${verb}${form}`, d: vector(field(f, 'Rt')), n: orStack(field(f, 'Rn')), m: source(rm),
      low: packOptions({ bytes, amount, extra: total }), high: simdFunction(name),
    };
  },
};
