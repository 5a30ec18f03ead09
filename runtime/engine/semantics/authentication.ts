/**
 * Pointer authentication (FEAT_PAuth): signing, authenticating and stripping, the branches and loads that authenticate first, and the forms in
 * the hint space. The work is in `authentication/`. A key that a hypervisor traps (HCR_EL2.API) leaves the instruction to TypeScript.
 */

import type { Fields } from '../../isa/interface';
import { authenticationOptions, Key, keyIsEnabled, type AuthenticationOptions } from '../authentication/functions';
import { SLOT_SINK, SLOT_SP, SLOT_X0 } from '../layout';
import type { Operands } from '../operands';
import { simdFunction } from '../simd/functions';
import { packOptions } from '../simd/lanes';
import { systemSlot } from '../system-slots';
import type { Code } from '../wasm/code';
import { i32, i64, set, when, type I32, type I64 } from '../wasm/expressions';
import { LANDING, landingSuffix, type Landing } from './branch-targets';
import { destination, field, orStack, source, type Emit, type InstructionClass, type Lowered } from './lowering';

const ZERO = i32.const(0);
const HCR_API_SHIFT = 41n;
const LINK = SLOT_X0 + 30 * 8;
const INSTRUCTION_SIZE = 4n;

/** What is common to all: the function, its key and modifier; `rest` goes into the first and the last byte of the options. */
type Call = AuthenticationOptions & { readonly name: 'pac' | 'aut' | 'xpac' | 'pacga'; readonly bytes?: number; readonly extra?: number };

function authenticationCall(op: string, slots: Pick<Lowered, 'd' | 'n' | 'm'>, call: Call): Lowered {
  const { name, bytes = 0, extra = 0 } = call;
  return { op, ...slots, low: packOptions({ bytes, extra, ...authenticationOptions(call) }), high: simdFunction(name) };
}

const hypervisorTraps: I32 = i32.eqz(i32.and(i32.wrap(i64.shrU(i64.load(ZERO, systemSlot('HCR_EL2')), i64.const(HCR_API_SHIFT))), i32.const(1)));
const keyOf = (o: Operands): I32 => i32.and(i32.shrU(o.immediateLow, i32.const(8)), i32.const(0xff));

/** The call, unless its key is enabled and the hypervisor wants to see its use. */
function checked(o: Operands): Code {
  return [when(i32.and(keyIsEnabled(keyOf(o)), hypervisorTraps), o.trap()), o.callSimd()];
}

/** Signs or authenticates a register in place: nothing to do while the key is not enabled, as in programs that run on cores of every kind. */
function inPlace(o: Operands): Code {
  return when(keyIsEnabled(keyOf(o)), o.needsCalls(() => checked(o)));
}

/** The authenticated value: it was written to the slot that nobody reads. */
const result = (o: Operands): I64 => o.x('d');

/** Goes to the result; with `landing` only where the target is known to allow it. */
function branch(o: Operands, landing?: Landing): Code {
  const [, , , target] = o.temporaries64;
  return [set(target, result(o)), landing === undefined ? [] : o.checkLanding(target, landing)];
}

const ops = new Map<string, Emit>([
  ['authenticate', inPlace],
  // The same as an instruction that branches may land on.
  ['authenticate.sp', inPlace],
  ['authenticate.generic', (o) => o.needsCalls(() => [when(hypervisorTraps, o.trap()), o.callSimd()])],
  ['authenticate.strip', (o) => o.needsCalls(() => o.callSimd())],
]);
for (const [suffix, landing] of [['', undefined], ...Object.entries(LANDING)] as const) {
  if (landing !== 'call') ops.set(`bra${suffix}`, (o) => o.needsCalls(() => [checked(o), branch(o, landing), o.branchTo(o.temporaries64[3])]));
  if (landing === undefined || landing === 'call') ops.set(`blra${suffix}`, (o) => o.needsCalls(() => [
    checked(o), branch(o, landing), i64.store(ZERO, i64.add(o.address, i64.const(INSTRUCTION_SIZE)), LINK), o.branchTo(o.temporaries64[3]),
  ]));
}

/** The offset of a load: ten bits in units of eight, in the first and the last byte of the options. */
function loadOffset(o: Operands): I64 {
  const bits = i32.or(i32.and(o.immediateLow, i32.const(0xff)), i32.shl(i32.shrU(o.immediateLow, i32.const(24)), i32.const(8)));
  return i64.extendS(i32.shrS(i32.shl(bits, i32.const(22)), i32.const(19)));
}
for (const [name, writesBack] of [['ldra', false], ['ldra.pre', true]] as const) {
  ops.set(name, (o) => o.needsCalls(() => {
    const [address, value] = o.temporaries64;
    return [
      o.checkStack(), checked(o), set(address, i64.add(result(o), loadOffset(o))), o.load(value, address, { sizeBytes: 8 }),
      o.setX('m', value), writesBack ? o.setX('n', address) : [],
    ];
  }));
}

const KEYS = [Key.instructionA, Key.instructionB, Key.dataA, Key.dataB];
const AUTHENTICATES = 4;
const ZERO_MODIFIER = 8;
const STRIPS = 16;

/** PACIA … XPACD, PACGA. */
function lowerPointer(f: Fields, key: string): Lowered {
  const [d, n] = [destination(field(f, 'Rd')), orStack(field(f, 'Rn'))];
  if (key === 'pointer_authentication_generic') {
    return authenticationCall('authenticate.generic', { d, n: source(field(f, 'Rn')), m: orStack(field(f, 'Rm')) }, { name: 'pacga', key: Key.generic });
  }
  const opcode = field(f, 'opcode');
  const own = source(field(f, 'Rd'));
  if (opcode >= STRIPS) return authenticationCall('authenticate.strip', { d, n: own }, { name: 'xpac', key: opcode === STRIPS ? Key.instructionA : Key.dataA });
  return authenticationCall('authenticate', { d, n: own, m: n },
    { name: (opcode & AUTHENTICATES) === 0 ? 'pac' : 'aut', key: KEYS[opcode & 3] ?? Key.instructionA, isZero: (opcode & ZERO_MODIFIER) !== 0 });
}

/** BRAA, BLRAA, RETAA and relatives; ERETAA is TypeScript's. */
function lowerBranch(f: Fields, suffix: string): Lowered | undefined {
  const [opc, key] = [field(f, 'opc'), field(f, 'M')];
  const slots = { d: SLOT_SINK, n: source(field(f, 'Rn')), m: orStack(field(f, 'Rm')) };
  switch (opc) {
    case 4: return undefined;
    case 2: return authenticationCall('bra', { ...slots, n: LINK, m: SLOT_SP }, { name: 'aut', key });
    default: return authenticationCall(`${(opc & 1) === 1 ? 'blra' : 'bra'}${suffix}`, slots, { name: 'aut', key, isZero: opc < 8 });
  }
}

function lowerLoad(f: Fields): Lowered | undefined {
  const [rt, rn, writesBack] = [field(f, 'Rt'), field(f, 'Rn'), field(f, 'W') === 1];
  if (writesBack && rt === rn && rn !== 31) return undefined;
  return authenticationCall(writesBack ? 'ldra.pre' : 'ldra', { d: SLOT_SINK, n: orStack(rn), m: destination(rt) },
    { name: 'aut', key: Key.dataA + field(f, 'M'), isZero: true, bytes: field(f, 'imm9') & 0xff, extra: (field(f, 'S') << 1) | (field(f, 'imm9') >> 8) });
}

/** All pointer authentication outside the hint space. */
export const authentication: InstructionClass = {
  keys: ['pointer_authentication', 'pointer_authentication_generic', 'branch_register_authenticated', 'load_authenticated'],
  ops,
  lower(f, place, key): Lowered | undefined {
    if (key === 'load_authenticated') return lowerLoad(f);
    return key === 'branch_register_authenticated' ? lowerBranch(f, place.has('BTI') ? landingSuffix(field(f, 'opc'), field(f, 'Rn')) : '') : lowerPointer(f, key);
  },
};

const X16 = SLOT_X0 + 16 * 8;
const X17 = SLOT_X0 + 17 * 8;
const XPACLRI = 7;
const FIRST_LINK = 24;
const LAST_LINK = 31;
const FIRST_1716 = 8;
const LAST_1716 = 14;

/** A hint that authenticates, by its number (CRm:op2); `undefined` if it is none of those. */
export function lowerAuthenticationHint(number: number): Lowered | undefined {
  if (number === XPACLRI) return authenticationCall('authenticate.strip', { d: LINK, n: LINK }, { name: 'xpac', key: Key.instructionA });
  const shared = { name: (number & 4) === 0 ? 'pac' : 'aut', key: (number >> 1) & 1 } as const;
  if (number >= FIRST_1716 && number <= LAST_1716 && (number & 1) === 0) return authenticationCall('authenticate', { d: X17, n: X17, m: X16 }, shared);
  if (number < FIRST_LINK || number > LAST_LINK) return undefined;
  const isZero = (number & 1) === 0;
  const isLanding = !isZero && shared.name === 'pac';
  return authenticationCall(isLanding ? 'authenticate.sp' : 'authenticate', { d: LINK, n: LINK, m: SLOT_SP }, { ...shared, isZero });
}
