/**
 * SIMD functions of the later multiplications: complex numbers (FCMLA, FCADD), products of halves added to singles (FMLAL), BFloat16
 * products, matrices and mixed dot products of bytes; and the conversions that came with them.
 */

import { FORMATS, isInfinite, isNan, isZero, negated, raise, Flag, signOf, type Format } from '../float/format';
import { LEADING } from '../float/rounding';
import { setFlagBits } from '../semantics/flags';
import { present } from '../../base/assert';
import type { Code } from '../wasm/code';
import { i32, i64, set, when, type I32, type I64, type Local32 } from '../wasm/expressions';
import { laneFunction, type Lanes, type SimdBody, type Size } from './lanes';

const c32 = i32.const;
const c64 = i64.const;
const functions = new Map<string, SimdBody>();
const sizeOf = (format: Format): Size => (format.bits === 16 ? 2 : format.bits === 32 ? 4 : 8);

/** `value` with the other sign if `condition` is 1. */
function negatedIf(format: Format, condition: I32, value: I64): I64 {
  return i64.xor(value, i64.shl(i64.extendU(condition), c64(BigInt(format.bits - 1))));
}

const rotationBit = (v: Lanes, bit: number): I32 => i32.and(i32.shrU(v.extra, c32(bit)), c32(1));

/** FCADD: `extra` is 1 for a rotation by 270 degrees, 0 for 90. */
function complexAdd(format: Format): SimdBody {
  const size = sizeOf(format);
  return (v) => {
    const at = (base: I32, part: 0 | 1): I64 => v.load(size, i32.add(base, v.index), part * size);
    const isBackward = rotationBit(v, 0);
    const sum = (a: I64, b: I64): I64 => v.library.call64(`add${format.bits}`, a, b);
    return [
      v.begin(),
      v.each(size * 2, [
        v.put(size, sum(at(v.n, 0), negatedIf(format, i32.xor(isBackward, c32(1)), at(v.m, 1)))),
        v.put(size, sum(at(v.n, 1), negatedIf(format, isBackward, at(v.m, 0))), i32.add(v.index, c32(size))),
      ]),
      v.finish(),
    ];
  };
}

/** FCMLA: `extra` is the rotation in quarter turns; by element, `amount` is the offset of the one complex number of m. */
function complexMultiply(format: Format, element: 'vector' | 'element'): SimdBody {
  const size = sizeOf(format);
  return (v) => {
    const [swapped, imaginary] = [v.f.local32(), v.f.local32()];
    const factor = v.f.local64();
    const part = (base: I32, offset: I32): I64 => v.load(size, i32.add(base, i32.add(element === 'element' && base === v.m ? v.amount : v.index, offset)));
    const fused = (addend: I64, term: I64): I64 => v.library.call64(`fma${format.bits}`, addend, factor, term);
    const shift = c32(Math.log2(size));
    const other = i32.shl(i32.xor(swapped, c32(1)), shift);
    const own = i32.shl(swapped, shift);
    return [
      v.begin(), set(swapped, rotationBit(v, 0)), set(imaginary, rotationBit(v, 1)),
      v.each(size * 2, [
        set(factor, part(v.n, own)),
        v.put(size, fused(v.load(size, i32.add(v.d, v.index)), negatedIf(format, i32.xor(swapped, imaginary), part(v.m, own)))),
        v.put(size, fused(v.load(size, i32.add(v.d, v.index), size), negatedIf(format, imaginary, part(v.m, other))), i32.add(v.index, c32(size))),
      ]),
      v.finish(),
    ];
  };
}
for (const format of FORMATS) {
  functions.set(`fcadd.${sizeOf(format)}`, complexAdd(format));
  functions.set(`fcmla.${sizeOf(format)}`, complexMultiply(format, 'vector'));
  functions.set(`fcmla.e.${sizeOf(format)}`, complexMultiply(format, 'element'));
}

const half = present(FORMATS[0], 'half precision');
const double = present(FORMATS[2], 'double precision');

/** FMLAL and FMLSL: halves of n and m from byte `part` on. */
for (const [name, isNegative] of [['fmlal', false], ['fmlsl', true]] as const) {
  for (const suffix of ['', '.e'] as const) {
    functions.set(`${name}${suffix}.2`, laneFunction({
      shape: 'long', size: 2, accumulates: true, element: suffix === '.e',
      compute: (v) => ({
        value: v.library.call64('fma32', v.c, v.library.call64('halfToSingle', isNegative ? negated(half, v.a) : v.a), v.library.call64('halfToSingle', v.b)),
      }),
    }));
  }
}

/** The single of the BFloat16 at an address. */
const brain = (v: Lanes, address: I32, offset = 0): I64 => i64.shl(v.load(2, address, offset), c64(16n));

/** BFMLAL: every other element, the odd ones if `part` is not zero. */
function brainLong(element: 'vector' | 'element'): SimdBody {
  return (v) => {
    const offset = i32.shrU(v.part, c32(2));
    const at = i32.add(v.index, offset);
    const m = element === 'element' ? i32.add(v.m, v.amount) : i32.add(v.m, at);
    const sum = v.library.call64('fma32', v.load(4, i32.add(v.d, v.index)), brain(v, i32.add(v.n, at)), brain(v, m));
    return [v.begin(), v.each(4, v.put(4, sum)), v.finish()];
  };
}

/** `v.r` and the products of the two pairs at these addresses: the pair's sum first, each step rounded to odd. */
function addPair(v: Lanes, n: I32, m: I32): Code {
  const product = (offset: number): I64 => v.library.call64('brainMul', brain(v, n, offset), brain(v, m, offset));
  return set(v.r, v.library.call64('brainAdd', v.r, v.library.call64('brainAdd', product(0), product(2))));
}

/** BFDOT. */
function brainDot(element: 'vector' | 'element'): SimdBody {
  return (v) => [
    v.begin(),
    v.each(4, [
      set(v.r, v.load(4, i32.add(v.d, v.index))),
      addPair(v, i32.add(v.n, v.index), element === 'element' ? i32.add(v.m, v.amount) : i32.add(v.m, v.index)), v.put(4, v.r),
    ]),
    v.finish(),
  ];
}
for (const element of ['vector', 'element'] as const) {
  const suffix = element === 'element' ? '.e' : '';
  functions.set(`bfmlal${suffix}.2`, brainLong(element));
  functions.set(`bfdot${suffix}.2`, brainDot(element));
}

/** Rows of n times rows of m: result word 2i + j from rows i and j of eight bytes each. */
function matrix(addRow: (v: Lanes, n: Local32, m: Local32) => Code): SimdBody {
  return (v) => {
    const [n, m] = [v.f.local32(), v.f.local32()];
    return [
      v.begin(),
      v.each(4, [
        set(n, i32.add(v.n, i32.and(v.index, c32(8)))), set(m, i32.add(v.m, i32.shl(i32.and(v.index, c32(4)), c32(1)))),
        set(v.r, v.load(4, i32.add(v.d, v.index))), addRow(v, n, m), v.put(4, v.r),
      ]),
      v.finish(),
    ];
  };
}
functions.set('bfmmla.2', matrix((v, n, m) => [addPair(v, n, m), addPair(v, i32.add(n, c32(4)), i32.add(m, c32(4)))]));

type Signs = readonly [n: boolean, m: boolean];
const byte = (v: Lanes, signed: boolean, address: I32, offset: number): I64 => (signed ? v.loadSigned(1, address, offset) : v.load(1, address, offset));

/** Adds products of so many bytes to `v.r`. */
function addBytes(v: Lanes, [signedN, signedM]: Signs, count: number, { n, m }: { readonly n: Local32; readonly m: Local32 }): Code {
  return Array.from({ length: count }, (_, lane) => set(v.r, i64.add(v.r, i64.mul(byte(v, signedN, n, lane), byte(v, signedM, m, lane)))));
}
for (const [name, signs] of [['smmla', [true, true]], ['ummla', [false, false]], ['usmmla', [false, true]]] as const) {
  functions.set(`${name}.4`, matrix((v, n, m) => addBytes(v, signs, 8, { n, m })));
}

/** USDOT and SUDOT. */
function mixedDot(signs: Signs, element: 'vector' | 'element'): SimdBody {
  return (v) => {
    const [n, m] = [v.f.local32(), v.f.local32()];
    return [
      v.begin(),
      v.each(4, [
        set(n, i32.add(v.n, v.index)), set(m, element === 'element' ? i32.add(v.m, v.amount) : i32.add(v.m, v.index)),
        set(v.r, v.load(4, i32.add(v.d, v.index))), addBytes(v, signs, 4, { n, m }), v.put(4, v.r),
      ]),
      v.finish(),
    ];
  };
}
functions.set('usdot.4', mixedDot([false, true], 'vector'));
functions.set('usdot.e.4', mixedDot([false, true], 'element'));
functions.set('sudot.e.4', mixedDot([true, false], 'element'));

/** BFCVT, and BFCVTN into the half that `part` names. */
functions.set('bfcvt', (v) => [v.begin(), v.put(2, v.library.call64('convertToBrain', v.load(4, v.n)), c32(0)), v.finish()]);
functions.set('bfcvtn', (v) => [v.begin(), v.each(2, v.put(2, v.library.call64('convertToBrain', v.load(4, i32.add(v.n, i32.shl(v.index, c32(1))))))), v.finishPart()]);

const Z = 4;
const POSITIVE_MAX = (1n << 31n) - 1n;

/** FJCVTZS: a double modulo 2^32, cut at the point; Z says that it was exact, which -0 is not. Arm ARM: FPToFixedJS. */
functions.set('fjcvtzs', (v) => {
  const [sign, exponent, isExact] = [v.f.local32(), v.f.local32(), v.f.local32()];
  const kept = i32.sub(c32(LEADING), exponent);
  const isPositiveShift = i32.geS(exponent, c32(LEADING));
  const cutOff = i64.ne(i64.shl(v.a, i64.extendU(i32.sub(c32(64), kept))), c64(0n));
  const whole = [
    when(isPositiveShift, set(v.r, i64.select(i32.geS(exponent, c32(LEADING + 64)), c64(0n), i64.shl(v.a, i64.extendU(i32.sub(c32(0), kept))))), [
      set(v.r, i64.shrU(v.a, i64.extendU(kept))), set(isExact, i32.eqz(cutOff)),
    ]),
  ];
  const limit = i64.add(c64(POSITIVE_MAX), i64.extendU(sign));
  const number = [
    set(isExact, c32(1)), set(exponent, v.library.call32('exponent64', v.a)), set(v.a, v.library.call64('significand64', v.a)),
    when(i32.ltS(exponent, c32(0)), [set(v.r, c64(0n)), set(isExact, c32(0))], whole),
    when(i32.or(i32.gtS(exponent, c32(31)), i64.gtU(v.r, limit)), [raise(Flag.IOC), set(isExact, c32(0))], when(i32.eqz(isExact), raise(Flag.IXC))),
    when(sign, set(v.r, i64.sub(c64(0n), v.r))),
  ];
  return [
    set(v.a, v.library.call64('flush64', i64.load(v.n))), set(sign, signOf(double, v.a)),
    when(i32.or(isNan(double, v.a), isInfinite(double, v.a)), raise(Flag.IOC),
      when(isZero(double, v.a), set(isExact, i32.eqz(sign)), number)),
    i64.store(v.d, i64.and(v.r, c64(0xffff_ffffn))),
    setFlagBits(i32.mul(isExact, c32(Z)), v.index),
  ];
});

/** All functions of this file by name. */
export const productFunctions: ReadonlyMap<string, SimdBody> = functions;
