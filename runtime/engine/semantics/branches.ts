/**
 * Branches. A target inside the same page is a distance in micro-ops ("near"); any other is an address relative to the
 * page ("far"), so that one micro-op serves every mapping of its page.
 */

import type { Fields } from '../../isa/interface';
import { SLOT_X0 } from '../layout';
import type { Operands } from '../operands';
import type { Code } from '../wasm/code';
import { i32, i64, set, when, type I32 } from '../wasm/expressions';
import { LANDING, landingSuffix } from './branch-targets';
import { CONDITIONS } from './flags';
import { destination, field, sizeOf, SIZES, source, type Emit, type InstructionClass, type Lowered, type Place } from './lowering';

const LINK = SLOT_X0 + 30 * 8;
const INSTRUCTION_SIZE = 4n;
const PAGE = 4096;

const far = (o: Operands): Code => o.branchTo(i64.add(o.pageAddress, o.immediate));
const near = (o: Operands): Code => o.branchNear();

/** Both forms of a conditional branch. */
function conditional(ops: Map<string, Emit>, name: string, condition: (o: Operands) => I32): void {
  ops.set(`${name}.near`, (o) => when(condition(o), near(o)));
  ops.set(`${name}.far`, (o) => when(condition(o), far(o)));
}

/** Form and immediate for a branch by `distance` bytes. */
function reach(name: string, place: Place, distance: number): Pick<Lowered, 'op' | 'imm'> {
  const target = place.pageOffset + distance;
  const isNear = target >= 0 && target < PAGE;
  return isNear ? { op: `${name}.near`, imm: BigInt(distance * 4) } : { op: `${name}.far`, imm: BigInt(target) };
}

const signed = (f: Fields, name: string, width: number): number => (field(f, name) << (32 - width)) >> (32 - width);
const setLink = (o: Operands): Code => o.setX('d', i64.add(o.address, i64.const(INSTRUCTION_SIZE)));

/** B and BL. */
export const branchImmediate: InstructionClass = {
  keys: ['branch_immediate'],
  ops: new Map<string, Emit>([
    ['b.near', near], ['b.far', far],
    ['bl.near', (o) => [setLink(o), near(o)]], ['bl.far', (o) => [setLink(o), far(o)]],
  ]),
  lower: (f, place): Lowered => ({ d: LINK, ...reach(field(f, 'op') === 1 ? 'bl' : 'b', place, signed(f, 'imm26', 26) * 4) }),
};

const conditionOps = new Map<string, Emit>();
CONDITIONS.forEach((holds, condition) => {
  if (condition < 15) conditional(conditionOps, `b.${condition}`, () => holds);
});

/** B.cond. */
export const branchConditional: InstructionClass = {
  keys: ['branch_conditional'],
  ops: conditionOps,
  lower: (f, place): Lowered => reach(`b.${Math.min(field(f, 'cond'), 14)}`, place, signed(f, 'imm19', 19) * 4),
};

const compareOps = new Map<string, Emit>();
for (const size of SIZES) {
  const isZero = (o: Operands): I32 => (size === 64 ? i64.eqz(o.x('n')) : i32.eqz(o.w('n')));
  conditional(compareOps, `cbz${size}`, isZero);
  conditional(compareOps, `cbnz${size}`, (o) => (size === 64 ? i32.eqz(isZero(o)) : o.w('n')));
}

/** CBZ and CBNZ. */
export const compareAndBranch: InstructionClass = {
  keys: ['compare_and_branch'],
  ops: compareOps,
  lower: (f, place): Lowered => ({
    n: source(field(f, 'Rt')), ...reach(`${field(f, 'op') === 1 ? 'cbnz' : 'cbz'}${sizeOf(f)}`, place, signed(f, 'imm19', 19) * 4),
  }),
};

const testOps = new Map<string, Emit>();
const testedBit = (o: Operands): I32 => i32.and(i32.wrap(i64.shrU(o.x('n'), i64.extendU(o.small))), i32.const(1));
conditional(testOps, 'tbz', (o) => i32.eqz(testedBit(o)));
conditional(testOps, 'tbnz', testedBit);

/** TBZ and TBNZ; `m` is the bit number. */
export const testAndBranch: InstructionClass = {
  keys: ['test_and_branch'],
  ops: testOps,
  lower: (f, place): Lowered => ({
    n: source(field(f, 'Rt')), m: field(f, 'b5') * 32 + field(f, 'b40'),
    ...reach(field(f, 'op') === 1 ? 'tbnz' : 'tbz', place, signed(f, 'imm14', 14) * 4),
  }),
};

const registerOps = new Map<string, Emit>([['br', (o) => o.branchTo(o.x('n'))]]);
for (const [suffix, landing] of [['', undefined], ...Object.entries(LANDING)] as const) {
  const checked = (o: Operands, setsLink: Code): Code => {
    const [, , , target] = o.temporaries64;
    return [set(target, o.x('n')), landing === undefined ? [] : o.checkLanding(target, landing), setsLink, o.branchTo(target)];
  };
  if (landing === undefined || landing === 'call') registerOps.set(`blr${suffix}`, (o) => checked(o, setLink(o)));
  else registerOps.set(`br${suffix}`, (o) => checked(o, []));
}
const RETURN = 2;

/** BR, BLR, RET. */
export const branchRegister: InstructionClass = {
  keys: ['branch_register'],
  ops: registerOps,
  lower(f, place): Lowered {
    const [opc, rn] = [field(f, 'opc'), field(f, 'Rn')];
    const suffix = opc !== RETURN && place.has('BTI') ? landingSuffix(opc, rn) : '';
    return { op: `${opc === 1 ? 'blr' : 'br'}${suffix}`, d: destination(30), n: source(rn) };
  },
};
