/** Scalar floating-point instructions: they choose a function and its options; the work is in `float/` and `simd/`. */

import type { Fields } from '../../isa/interface';
import { Rounding } from '../float/format';
import { SLOT_ZERO } from '../layout';
import { CURRENT_MODE, IntegerKind } from '../simd/float-lanes';
import { conditionMask } from './flags';
import { floatInPlace } from './float-in-place';
import { destination, field, source, type Emit, type InstructionClass, type Lowered } from './lowering';
import { vector } from './vector-memory';
import { simdCall } from './vector-moves';

const NO_OPS: ReadonlyMap<string, Emit> = new Map();

/** Uses the micro-op that tries the host's arithmetic before it makes the call, if there is one. */
function inPlace(name: string, call: Lowered): Lowered {
  return floatInPlace.has(name) ? { ...call, op: name } : call;
}

/** Bytes of a scalar by `ftype`. */
function scalarSize(f: Fields): number {
  return field(f, 'ftype') === 3 ? 2 : field(f, 'ftype') === 1 ? 8 : 4;
}
const registers = (f: Fields): { readonly d: number; readonly n: number; readonly m: number } =>
  ({ d: vector(field(f, 'Rd')), n: vector(field(f, 'Rn')), m: vector(field(f, 'Rm')) });

/** Rounding modes of FRINT by the low opcode bits. */
const INTEGRAL_MODES: Readonly<Record<number, number>> = {
  8: Rounding.nearest, 9: Rounding.up, 10: Rounding.down, 11: Rounding.zero, 12: Rounding.away, 14: CURRENT_MODE, 15: CURRENT_MODE,
};
const FRINTX = 14;
const FIRST_TO_SIZE = 16;
const ONE_SOURCE = ['fmov', 'fabs', 'fneg', 'fsqrt'] as const;

/** FRINT32 and FRINT64: bit 0 of the selector means FPCR's mode, bit 1 means 64 bits. */
export function roundToSize(slots: { readonly d: number; readonly n: number }, { lane, bytes }: { readonly lane: number; readonly bytes: number }, selector: number): Lowered {
  return simdCall(`frintn.${lane}`, slots, { bytes, amount: (selector & 1) === 1 ? CURRENT_MODE : Rounding.zero, extra: (selector & 2) === 2 ? 64 : 32 });
}

/** FMOV, FABS, FNEG, FSQRT, FRINT*. */
export const floatOneSource: InstructionClass = {
  keys: ['fp_1_source'],
  ops: NO_OPS,
  lower(f): Lowered {
    const [opcode, size] = [field(f, 'opcode'), scalarSize(f)];
    const { d, n } = registers(f);
    if (opcode >= FIRST_TO_SIZE) return roundToSize({ d, n }, { lane: size, bytes: size }, opcode);
    if (opcode >= 8) return simdCall(`frint.${size}`, { d, n }, { bytes: size, amount: INTEGRAL_MODES[opcode] ?? 0, part: opcode === FRINTX ? 1 : 0 });
    const name = ONE_SOURCE[opcode] ?? 'fmov';
    if (name === 'fmov') return { op: `fmov.from.${size}`, d, n };
    return size > 2 && name !== 'fsqrt' ? { op: `${name}.${size}`, d, n } : simdCall(`${name}.${size}`, { d, n }, { bytes: size });
  },
};

const TWO_SOURCE = ['fmul', 'fdiv', 'fadd', 'fsub', 'fmax', 'fmin', 'fmaxnm', 'fminnm', 'fnmul'] as const;

/** FADD and relatives. */
export const floatTwoSource: InstructionClass = {
  keys: ['fp_2_source'],
  ops: floatInPlace,
  lower(f): Lowered {
    const name = `${TWO_SOURCE[field(f, 'opcode')] ?? 'fadd'}.${scalarSize(f)}`;
    return inPlace(name, simdCall(name, registers(f), { bytes: scalarSize(f) }));
  },
};

const THREE_SOURCE = ['fmadd', 'fmsub', 'fnmadd', 'fnmsub'] as const;

/** FMADD and relatives. */
export const floatThreeSource: InstructionClass = {
  keys: ['fp_3_source'],
  ops: NO_OPS,
  lower(f): Lowered {
    const name = THREE_SOURCE[field(f, 'o1') * 2 + field(f, 'o0')] ?? 'fmadd';
    return simdCall(`${name}.${scalarSize(f)}`, registers(f), { bytes: scalarSize(f), extra: field(f, 'Ra') });
  },
};

/** The mask of a condition in two bytes of options. */
function conditionOptions(f: Fields): { readonly amount: number; readonly part: number } {
  const mask = conditionMask(field(f, 'cond'));
  return { amount: mask & 0xff, part: mask >> 8 };
}

/** FCMP, FCCMP, FCSEL. */
export const floatCompare: InstructionClass = {
  keys: ['fp_compare', 'fp_compare_zero', 'fp_conditional_compare', 'fp_conditional_select'],
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const size = scalarSize(f);
    const { d, n, m } = registers(f);
    if (key === 'fp_conditional_select') return simdCall(`fcsel.${size}`, { d, n, m }, { bytes: size, ...conditionOptions(f) });
    if (key === 'fp_conditional_compare') {
      return simdCall(`${field(f, 'op') === 1 ? 'fccmpe' : 'fccmp'}.${size}`, { n, m }, { bytes: size, ...conditionOptions(f), extra: field(f, 'nzcv') });
    }
    const name = (field(f, 'opc') & 2) !== 0 ? 'fcmpe' : 'fcmp';
    return inPlace(`${name}.${size}`, simdCall(`${name}.${size}`, { n, m: key === 'fp_compare' ? m : SLOT_ZERO }, { bytes: size }));
  },
};

const PRECISION_BYTES = [4, 8, 8, 2] as const;

/** FCVT. */
export const floatPrecision: InstructionClass = {
  keys: ['fp_convert_precision'],
  ops: NO_OPS,
  lower(f): Lowered {
    const { d, n } = registers(f);
    const name = `fcvt.${scalarSize(f)}.${PRECISION_BYTES[field(f, 'opc')] ?? 4}`;
    return inPlace(name, simdCall(name, { d, n }, { bytes: 8 }));
  },
};

const FROM_INTEGER = 2;
const TO_INTEGER_AWAY = 4;
const SCALE_BITS = 64;

/** FCVT* to, and SCVTF and UCVTF from, general registers, as integers or fixed point. */
export const floatInteger: InstructionClass = {
  keys: ['fp_convert_integer', 'fp_convert_fixed'],
  ops: NO_OPS,
  lower(f, _place, key): Lowered {
    const [size, opcode, rd, rn] = [scalarSize(f), field(f, 'opcode'), field(f, 'Rd'), field(f, 'Rn')];
    const part = ((opcode & 1) === 1 ? IntegerKind.unsigned : 0) | (field(f, 'sf') === 1 ? IntegerKind.long : 0);
    const extra = key === 'fp_convert_fixed' ? SCALE_BITS - field(f, 'scale') : 0;
    const suffix = `${size}.${field(f, 'sf') === 1 ? 'x' : 'w'}`;
    const isPlain = extra === 0 && (opcode & 1) === 0;
    if ((opcode & 6) === FROM_INTEGER) {
      const call = simdCall(`fromfixed.${size}`, { d: vector(rd), n: source(rn) }, { bytes: size, part, extra });
      return isPlain ? inPlace(`scvtf.${suffix}`, call) : call;
    }
    const amount = opcode >= TO_INTEGER_AWAY ? Rounding.away : field(f, 'rmode');
    const call = simdCall(`tofixed.${size}`, { d: destination(rd), n: vector(rn) }, { bytes: size, amount, part, extra });
    return isPlain && amount === Rounding.zero ? inPlace(`fcvtzs.${suffix}`, call) : call;
  },
};

/** All classes of this file. */
export const floatClasses: readonly InstructionClass[] = [
  floatOneSource, floatTwoSource, floatThreeSource, floatCompare, floatPrecision, floatInteger,
];
