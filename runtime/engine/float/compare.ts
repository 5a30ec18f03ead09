/**
 * Comparisons, minima and maxima. Arm ARM (DDI 0487) pseudocode: FPCompare, FPCompareEQ, FPCompareGE, FPCompareGT, FPMax,
 * FPMin, FPMaxNum, FPMinNum.
 */

import type { Code } from '../wasm/code';
import { giveBack, i32, i64, set, when, type I64, type Local64 } from '../wasm/expressions';
import type { Definition, Library } from '../wasm/library';
import type { FunctionLocals } from '../wasm/module';
import { c32, c64, Flag, FORMATS, isNan, isSignalling, raise, type Format } from './format';

type Definitions = (readonly [name: string, definition: Definition])[];
const BINARY = { parameters: ['i64', 'i64'], result: 'i64' } as const;

/** NZCV of the four outcomes. */
const LESS = 8;
const EQUAL = 6;
const GREATER = 2;
const UNORDERED = 3;

/** A number that orders as the value does; both zeros give zero. */
function order(format: Format, value: I64): I64 {
  const shifted = i64.shl(value, c64(BigInt(64 - format.bits)));
  return i64.select(i64.ltS(shifted, c64(0n)), i64.sub(c64(1n << 63n), shifted), shifted);
}

const flushBoth = (format: Format, library: Library, a: Local64, b: Local64): Code =>
  [a, b].map((value) => set(value, library.call64(`flush${format.bits}`, value)));

/** (a, b): NZCV; `signals` makes quiet NaNs invalid too. */
function compareBody(format: Format, signals: 'quiet' | 'signalling') {
  return (f: FunctionLocals, library: Library): Code => {
    const [a, b] = [f.parameter64(0), f.parameter64(1)];
    const anySignalling = i32.or(isSignalling(format, a), isSignalling(format, b));
    return [
      flushBoth(format, library, a, b),
      when(i32.or(isNan(format, a), isNan(format, b)), [
        signals === 'signalling' ? raise(Flag.IOC) : when(anySignalling, raise(Flag.IOC)),
        giveBack(c32(UNORDERED)),
      ]),
      set(a, order(format, a)), set(b, order(format, b)),
      i32.select(i64.eq(a, b), c32(EQUAL), i32.select(i64.ltS(a, b), c32(LESS), c32(GREATER))).code,
    ];
  };
}

/** (a, b): all ones if the comparison holds, else zero. */
function maskBody(format: Format, relation: 'eq' | 'ge' | 'gt') {
  return (f: FunctionLocals, library: Library): Code => {
    const outcome = library.call32(`${relation === 'eq' ? 'cmp' : 'cmpe'}${format.bits}`, f.parameter64(0), f.parameter64(1));
    const result = f.local32();
    const holds = relation === 'gt' ? i32.eq(result, c32(GREATER)) : relation === 'eq' ? i32.eq(result, c32(EQUAL))
      : i32.or(i32.eq(result, c32(EQUAL)), i32.eq(result, c32(GREATER)));
    return [set(result, outcome), i64.and(i64.sub(c64(0n), i64.extendU(holds)), c64(format.signMask * 2n - 1n)).code];
  };
}

/** (a, b): the greater or lesser; +0 counts as greater than -0. */
function extremeBody(format: Format, kind: 'max' | 'min') {
  return (f: FunctionLocals, library: Library): Code => {
    const [a, b] = [f.parameter64(0), f.parameter64(1)];
    const [x, y] = [order(format, a), order(format, b)];
    const pickFirst = kind === 'max' ? i64.gtS(x, y) : i64.ltS(x, y);
    return [
      flushBoth(format, library, a, b),
      when(i32.or(isNan(format, a), isNan(format, b)), giveBack(library.call64(`nan2_${format.bits}`, a, b))),
      // Equal values differ in the sign of zero at most.
      when(i64.eq(x, y), giveBack(kind === 'max' ? i64.and(a, b) : i64.or(a, b))),
      i64.select(pickFirst, a, b).code,
    ];
  };
}

/** (a, b): the same, but a quiet NaN loses to a number. */
function numberBody(format: Format, kind: 'max' | 'min') {
  return (f: FunctionLocals, library: Library): Code => {
    const [a, b] = [f.parameter64(0), f.parameter64(1)];
    const isQuiet = (value: I64) => i32.and(isNan(format, value), i64.ne(i64.and(value, c64(format.quiet)), c64(0n)));
    const loses = c64(kind === 'max' ? format.signMask | format.infinity : format.infinity);
    return [
      when(i32.and(isQuiet(a), i32.eqz(isNan(format, b))), set(a, loses), when(i32.and(isQuiet(b), i32.eqz(isNan(format, a))), set(b, loses))),
      library.call64(`${kind}${format.bits}`, a, b).code,
    ];
  };
}

/** cmp, cmpe (NZCV), eq, ge, gt (masks), max, min, maxnm, minnm with the width as suffix. */
export const compareDefinitions: Definitions = FORMATS.flatMap((format): Definitions => [
  [`cmp${format.bits}`, { signature: { parameters: ['i64', 'i64'], result: 'i32' }, build: compareBody(format, 'quiet') }],
  [`cmpe${format.bits}`, { signature: { parameters: ['i64', 'i64'], result: 'i32' }, build: compareBody(format, 'signalling') }],
  ...(['eq', 'ge', 'gt'] as const).map((relation): Definitions[number] => [`${relation}${format.bits}`, { signature: BINARY, build: maskBody(format, relation) }]),
  ...(['max', 'min'] as const).flatMap((kind): Definitions => [
    [`${kind}${format.bits}`, { signature: BINARY, build: extremeBody(format, kind) }],
    [`${kind}nm${format.bits}`, { signature: BINARY, build: numberBody(format, kind) }],
  ]),
]);
