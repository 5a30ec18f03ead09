/**
 * The frame of a SIMD function: it takes the addresses of three registers and a word of options, works lane by lane into a
 * result of its own (so that registers may overlap), and writes the destination at the end. A scalar is a vector of one lane.
 */

import { VECTOR_RESULT } from '../layout';
import { Flag, raise } from '../float/format';
import { label, unsignedLeb, type Code } from '../wasm/code';
import { branchIf, i32, i64, loop, set, when, type I32, type I64, type Local32, type Local64 } from '../wasm/expressions';
import type { Library } from '../wasm/library';
import type { FunctionLocals, Signature } from '../wasm/module';

/** Bytes of one lane. */
export type Size = 1 | 2 | 4 | 8;
/** All lane sizes. */
export const SIZES: readonly Size[] = [1, 2, 4, 8];

/** Type of every SIMD function: addresses of d, n and m, and options. */
export const SIMD_SIGNATURE: Signature = { parameters: ['i32', 'i32', 'i32', 'i32'] };

/** Options of a SIMD function in one word. */
export interface SimdOptions {
  /** Bytes of the result that are worked out; the rest of the register becomes zero. */
  readonly bytes: number;
  /** A shift, the byte offset of an element, or what else the function calls its amount (0..255). */
  readonly amount?: number;
  /** 8 if the second half of a register is read (widening) or written (narrowing). */
  readonly part?: number;
  /** Some functions' other constant (0..255). */
  readonly extra?: number;
}

/** Packs options. */
export function packOptions({ bytes, amount = 0, part = 0, extra = 0 }: SimdOptions): number {
  return bytes | (amount << 8) | (part << 16) | (extra << 24);
}

const c32 = i32.const;
const c64 = i64.const;
const LOADS = { 1: i64.load8U, 2: i64.load16U, 4: i64.load32U, 8: i64.load } as const;
const STORES = { 1: i64.store8, 2: i64.store16, 4: i64.store32, 8: i64.store } as const;

/** Copies 16 bytes. */
export function copyVector(to: I32, from: I32): Code {
  return [to.code, from.code, 0xfd, 0, 0, unsignedLeb(0), 0xfd, 11, 0, unsignedLeb(0)];
}

/** Sign-extends from a lane. */
export function signExtend(size: Size, value: I64): I64 {
  if (size === 8) return value;
  return size === 4 ? i64.extend32S(value) : size === 2 ? i64.extend16S(value) : i64.extend8S(value);
}

/** All ones in a lane. */
export function laneMask(size: Size): bigint {
  return (1n << BigInt(size * 8)) - 1n;
}

/** Parameters and locals of one SIMD function. */
export class Lanes {
  readonly d: Local32;
  readonly n: Local32;
  readonly m: Local32;
  readonly bytes: Local32;
  readonly index: Local32;
  readonly a: Local64;
  readonly b: Local64;
  readonly c: Local64;
  readonly r: Local64;
  readonly library: Library;
  readonly f: FunctionLocals;
  private readonly options: Local32;

  constructor(f: FunctionLocals, library: Library) {
    [this.d, this.n, this.m, this.options] = [f.parameter32(0), f.parameter32(1), f.parameter32(2), f.parameter32(3)];
    [this.bytes, this.index] = [f.local32(), f.local32()];
    [this.a, this.b, this.c, this.r] = [f.local64(), f.local64(), f.local64(), f.local64()];
    this.f = f;
    this.library = library;
  }

  /** See `SimdOptions`. */
  get amount(): I32 {
    return i32.and(i32.shrU(this.options, c32(8)), c32(0xff));
  }

  get part(): I32 {
    return i32.and(i32.shrU(this.options, c32(16)), c32(0xff));
  }

  get extra(): I32 {
    return i32.shrU(this.options, c32(24));
  }

  /** `bytes` as the options have it, whether or not `begin` ran. */
  get byteCount(): I32 {
    return i32.and(this.options, c32(0xff));
  }

  load(size: Size, address: I32, offset = 0): I64 {
    return LOADS[size](address, offset);
  }

  loadSigned(size: Size, address: I32, offset = 0): I64 {
    return signExtend(size, this.load(size, address, offset));
  }

  /** Writes the lane of the result at byte `index`. */
  put(size: Size, value: I64, index: I32 = this.index): Code {
    return STORES[size](index, value, VECTOR_RESULT);
  }

  /** Clears the result and unpacks how long it is. */
  begin(): Code {
    return [
      set(this.bytes, i32.and(this.options, c32(0xff))),
      i64.store(c32(0), c64(0n), VECTOR_RESULT), i64.store(c32(0), c64(0n), VECTOR_RESULT + 8),
    ];
  }

  /** Runs the body for byte indexes 0, step, 2 * step … below `bytes`. */
  each(step: number, body: Code): Code {
    const again = label('lane');
    return [
      set(this.index, c32(0)),
      loop(again, [body, set(this.index, i32.add(this.index, c32(step))), branchIf(i32.ltU(this.index, this.bytes), again)]),
    ];
  }

  /** Writes the whole destination. */
  finish(): Code {
    return copyVector(this.d, c32(VECTOR_RESULT));
  }

  /** Writes eight bytes into the half that `part` names; the lower half clears the upper one. */
  finishPart(): Code {
    return when(this.part, i64.store(this.d, i64.load(c32(0), VECTOR_RESULT), 8), this.finish());
  }

  /** Sets FPSR.QC. */
  saturated(): Code {
    return raise(Flag.QC);
  }

  /** Brings the number in `r`, which has room to spare, into a lane's range. */
  saturate(size: Size, signed: boolean): Code {
    const bits = BigInt(size * 8);
    const [low, high] = signed ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
    return [
      when(i64.ltS(this.r, c64(low)), [set(this.r, c64(low)), this.saturated()]),
      when(i64.gtS(this.r, c64(high)), [set(this.r, c64(high)), this.saturated()]),
    ];
  }
}

/** Builds the body of a SIMD function. */
export type SimdBody = (v: Lanes) => Code;

/** How lanes of the sources meet those of the result. */
export type Shape = 'same' | 'long' | 'wide' | 'narrow';

/** A lane operation: computes from `v.a`, `v.b` (and `v.c`, the destination's lane) what the result's lane holds; may use `v.r`. */
export interface LaneOperation {
  readonly shape?: Shape;
  readonly signed?: boolean;
  /** The destination is an operand. */
  readonly accumulates?: boolean;
  /** The second operand is one element for all lanes. */
  readonly element?: boolean;
  /** Size in bytes of the source lanes that the name of the operation tells. */
  readonly size: Size;
  /** Code before the value. */
  readonly compute: (v: Lanes, size: Size) => { readonly before?: Code; readonly value: I64 };
}

const doubled = (size: Size): Size => (size === 1 ? 2 : size === 2 ? 4 : 8);

/** The function of a lane operation. */
export function laneFunction(operation: LaneOperation): SimdBody {
  const { shape = 'same', size, signed = false } = operation;
  const resultSize = shape === 'long' || shape === 'wide' ? doubled(size) : size;
  return (v) => {
    const read = (of: Size, address: I32): I64 => (signed ? v.loadSigned(of, address) : v.load(of, address));
    const halved = i32.add(i32.shrU(v.index, c32(1)), v.part);
    const wideIndex = shape === 'narrow' ? i32.shl(v.index, c32(1)) : v.index;
    const source = (base: I32, isWide: boolean): I64 => {
      if (shape === 'narrow') return read(doubled(size), i32.add(base, wideIndex));
      if (shape === 'same') return read(size, i32.add(base, v.index));
      return isWide ? read(doubled(size), i32.add(base, v.index)) : read(size, i32.add(base, halved));
    };
    const { before = [], value } = operation.compute(v, size);
    return [
      v.begin(),
      operation.element === true ? set(v.b, read(size, i32.add(v.m, v.amount))) : [],
      v.each(resultSize, [
        set(v.a, source(v.n, shape === 'wide')),
        operation.element === true ? [] : set(v.b, source(v.m, false)),
        operation.accumulates === true ? set(v.c, read(resultSize, i32.add(v.d, v.index))) : [],
        before, v.put(resultSize, value),
      ]),
      shape === 'narrow' ? v.finishPart() : v.finish(),
    ];
  };
}
