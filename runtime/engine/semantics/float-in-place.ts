/**
 * The commonest scalar floating-point instructions, generated in place as far as the host's arithmetic is certain to agree;
 * what is not certain calls the function that every other instruction calls.
 */

import { FORMATS, hostIsExact, isNan, isNormal, modesAreDefault, type Format } from '../float/format';
import { compareOnHost, convertOnHost, fromIntegerOnHost, isSafeResult, onHost, toIntegerOnHost, type HostOperation } from '../float/host';
import type { Operands } from '../operands';
import type { Code } from '../wasm/code';
import { i32, i64, set, when, type I32, type I64, type Local64 } from '../wasm/expressions';
import { setFlagBits } from './flags';
import type { Emit } from './lowering';

const ops = new Map<string, Emit>();
const NONE = i64.const(0n);

/** The operand as a value of the format. */
function read(o: Operands, format: Format, register: 'n' | 'm'): I64 {
  return format.bits === 64 ? o.x(register) : i64.extendU(o.w(register));
}

/** Does what is certain and goes on with the next instruction, or calls. Tier 1 leaves at once: more code costs its other instructions registers. */
function orCall(o: Operands, before: Code, isCertain: I32, certain: Code): Code {
  return [o.checkVectors(), o.needsCalls(() => [before, when(isCertain, certain), o.callSimd()])];
}

const write = (o: Operands, value: I64): Code => [o.setX('d', value), o.setXNext('d', NONE), o.next()];

for (const format of FORMATS.filter(({ bits }) => bits > 16)) {
  const size = format.bits / 8;
  const loadBoth = (o: Operands, a: Local64, b: Local64): Code => [set(a, read(o, format, 'n')), set(b, read(o, format, 'm'))];
  for (const operation of ['add', 'sub', 'mul', 'div'] as const satisfies readonly HostOperation[]) {
    ops.set(`f${operation}.${size}`, (o) => {
      const [a, b, result] = o.temporaries64;
      const areNormal = i32.and(isNormal(format, a), isNormal(format, b));
      return orCall(o, loadBoth(o, a, b), i32.and(hostIsExact, areNormal), [
        set(result, onHost(format, operation, [a, b])), when(isSafeResult(format, result), write(o, result)),
      ]);
    });
  }
  for (const name of ['fcmp', 'fcmpe']) {
    ops.set(`${name}.${size}`, (o) => {
      const [a, b] = o.temporaries64;
      const [scratch] = o.temporaries32;
      const isCertain = i32.and(modesAreDefault, i32.eqz(i32.or(isNan(format, a), isNan(format, b))));
      return orCall(o, loadBoth(o, a, b), isCertain, [setFlagBits(compareOnHost(format, a, b), scratch), o.next()]);
    });
  }
  ops.set(`fcvt.${size}.${12 - size}`, (o) => {
    const to = FORMATS.find(({ bits }) => bits === 96 - format.bits) ?? format;
    const [a, , result] = o.temporaries64;
    return orCall(o, set(a, read(o, format, 'n')), i32.and(hostIsExact, isNormal(format, a)), [
      set(result, convertOnHost(to, a)), when(isSafeResult(to, result), write(o, result)),
    ]);
  });
  for (const [suffix, integer] of [['w', (o: Operands): I64 => i64.extendS(o.w('n'))], ['x', (o: Operands): I64 => o.x('n')]] as const) {
    ops.set(`scvtf.${size}.${suffix}`, (o) => orCall(o, [], i32.and(hostIsExact, i32.const(1)), write(o, fromIntegerOnHost(format, integer(o)))));
    ops.set(`fcvtzs.${size}.${suffix}`, (o) => {
      const [a, b] = o.temporaries64;
      // A magnitude below 2^30 or 2^62 is in range whatever it is.
      const isSmall = i64.ltU(i64.shl(a, i64.const(BigInt(65 - format.bits))), i64.const(BigInt(format.bias + (suffix === 'w' ? 30 : 62)) << BigInt(format.fraction + 65 - format.bits)));
      const isCertain = i32.and(i32.and(hostIsExact, isNormal(format, a)), isSmall);
      return orCall(o, set(a, read(o, format, 'n')), isCertain, [
        set(b, toIntegerOnHost(format, a)), suffix === 'w' ? o.setW('d', i32.wrap(b)) : o.setX('d', b), o.next(),
      ]);
    });
  }
}

/** Micro-ops of this file. Each has the operands and the function number of the call that it may make. */
export const floatInPlace: ReadonlyMap<string, Emit> = ops;
