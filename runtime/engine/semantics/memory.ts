/** Loads and stores of general registers: single and pair, all addressing forms, unprivileged, ordered, literal. */

import type { Fields } from '../../isa/interface';
import { SLOT_SP } from '../layout';
import type { AccessKind, Operands } from '../operands';
import type { Code } from '../wasm/code';
import { i32, i64, set, type I64, type Local64 } from '../wasm/expressions';
import { destination, field, orStack, source, type Emit, type InstructionClass, type Lowered, type Place } from './lowering';

/** One way of moving a register: its size in memory, and for loads whether it is sign-extended and to how many bits. */
interface Transfer { readonly name: string; readonly kind: AccessKind; readonly isLoad: boolean; readonly toWord: boolean }

const LOADS: readonly Transfer[] = [
  ...([1, 2, 4, 8] as const).map((sizeBytes): Transfer => ({ name: `ldr${sizeBytes}`, kind: { sizeBytes }, isLoad: true, toWord: false })),
  ...([1, 2, 4] as const).map((sizeBytes): Transfer => ({ name: `ldrs${sizeBytes}x`, kind: { sizeBytes, signed: true }, isLoad: true, toWord: false })),
  ...([1, 2] as const).map((sizeBytes): Transfer => ({ name: `ldrs${sizeBytes}w`, kind: { sizeBytes, signed: true }, isLoad: true, toWord: true })),
];
const STORES: readonly Transfer[] = ([1, 2, 4, 8] as const).map((sizeBytes): Transfer => ({ name: `str${sizeBytes}`, kind: { sizeBytes }, isLoad: false, toWord: false }));
const TRANSFERS = [...LOADS, ...STORES];

/** Name of the transfer that `size` and `opc` select; `undefined` for a prefetch. */
export function transferName(size: number, opc: number): string | undefined {
  const sizeBytes = 1 << size;
  if (opc === 0) return `str${sizeBytes}`;
  if (opc === 1) return `ldr${sizeBytes}`;
  if (size === 3) return undefined;
  return `ldrs${sizeBytes}${opc === 2 ? 'x' : 'w'}`;
}

/** The access itself, `address` already worked out. The micro-op's `d` is Rt (as destination or as source). */
function transfer(o: Operands, t: Transfer, address: Local64, kind: AccessKind): Code {
  const value = o.temporaries64[1];
  if (!t.isLoad) return o.store(address, o.x('d'), kind);
  return [o.load(value, address, kind), t.toWord ? o.setW('d', i32.wrap(value)) : o.setX('d', value)];
}

const ops = new Map<string, Emit>();

/** The addresses of the register-offset form. */
const OFFSETS: Readonly<Record<string, (o: Operands) => I64>> = {
  lsl: (o) => i64.shl(o.x('m'), o.immediate),
  uxtw: (o) => i64.shl(i64.extendU(o.w('m')), o.immediate),
  sxtw: (o) => i64.shl(i64.extendS(o.w('m')), o.immediate),
};

function defineForms(t: Transfer, stack: '' | '.sp'): void {
  const check = (o: Operands): Code => (stack === '.sp' ? o.checkStack() : []);
  ops.set(`${t.name}${stack}`, (o) => {
    const [address] = o.temporaries64;
    return [check(o), set(address, i64.add(o.x('n'), o.immediate)), transfer(o, t, address, t.kind)];
  });
  ops.set(`${t.name}.pre${stack}`, (o) => {
    const [address] = o.temporaries64;
    return [check(o), set(address, i64.add(o.x('n'), o.immediate)), transfer(o, t, address, t.kind), o.setX('n', address)];
  });
  ops.set(`${t.name}.post${stack}`, (o) => {
    const [address] = o.temporaries64;
    return [check(o), set(address, o.x('n')), transfer(o, t, address, t.kind), o.setX('n', i64.add(address, o.immediate))];
  });
  for (const [name, offset] of Object.entries(OFFSETS)) {
    ops.set(`${t.name}.${name}${stack}`, (o) => {
      const [address] = o.temporaries64;
      return [check(o), set(address, i64.add(o.x('n'), offset(o))), transfer(o, t, address, t.kind)];
    });
  }
}
for (const t of TRANSFERS) {
  defineForms(t, '');
  defineForms(t, '.sp');
  ops.set(`${t.name}.el0`, (o) => {
    const [address] = o.temporaries64;
    return [o.checkStack(), set(address, i64.add(o.x('n'), o.immediate)), transfer(o, t, address, { ...t.kind, el0: true })];
  });
  ops.set(`${t.name}.ordered`, (o) => {
    const [address] = o.temporaries64;
    return [o.checkStack(), set(address, i64.add(o.x('n'), o.immediate)), transfer(o, t, address, { ...t.kind, aligned: true })];
  });
  ops.set(`${t.name}.literal`, (o) => {
    const [address] = o.temporaries64;
    return [set(address, i64.add(o.pageAddress, o.immediate)), transfer(o, t, address, t.kind)];
  });
}
ops.set('nop', () => []);
ops.set('nop.sp', (o) => o.checkStack());

const NOTHING: Lowered = { op: 'nop' };

/** Operands of a transfer; a prefetch does nothing. */
function lowerTransfer(f: Fields, form: string, rest: Pick<Lowered, 'imm' | 'm'>): Lowered {
  const name = transferName(field(f, 'size'), field(f, 'opc'));
  if (name === undefined) return NOTHING;
  const rt = field(f, 'Rt');
  const n = orStack(field(f, 'Rn'));
  const stack = n === SLOT_SP && form !== '.el0' && form !== '.ordered' ? '.sp' : '';
  return { op: `${name}${form}${stack}`, d: name.startsWith('ld') ? destination(rt) : source(rt), n, ...rest };
}

const signed = (value: number, width: number): bigint => BigInt((value << (32 - width)) >> (32 - width));
const nineBits = (f: Fields): { readonly imm: bigint } => ({ imm: signed(field(f, 'imm9'), 9) });

/** Pre- and post-indexed forms whose data register is the base are CONSTRAINED UNPREDICTABLE: we take them as Undefined. */
function indexed(f: Fields, form: string): Lowered | undefined {
  const rt = field(f, 'Rt');
  return rt === field(f, 'Rn') && rt !== 31 ? undefined : lowerTransfer(f, form, nineBits(f));
}

function lowerRegisterOffset(f: Fields): Lowered {
  const option = field(f, 'option');
  const form = option === 2 ? '.uxtw' : option === 6 ? '.sxtw' : '.lsl';
  const shift = field(f, 'S') === 1 ? field(f, 'size') : 0;
  return lowerTransfer(f, form, { m: source(field(f, 'Rm')), imm: BigInt(shift) });
}

function lowerLiteral(f: Fields, place: Place): Lowered {
  const opc = field(f, 'opc');
  if (opc === 3) return NOTHING;
  const imm = signed(field(f, 'imm19'), 19) * 4n + BigInt(place.pageOffset);
  const name = (['ldr4', 'ldr8', 'ldrs4x'] as const)[opc] ?? 'ldr8';
  return { op: `${name}.literal`, d: destination(field(f, 'Rt')), imm };
}

/** LDR, STR and relatives of one general register. */
export const singleTransfers: InstructionClass = {
  keys: [
    'load_literal', 'load_store_unsigned_immediate', 'load_store_unscaled', 'load_store_post_indexed', 'load_store_unprivileged',
    'load_store_pre_indexed', 'load_store_register_offset', 'load_store_ordered', 'load_acquire_rcpc', 'load_store_rcpc_unscaled',
  ],
  ops,
  lower(f, place, key) {
    switch (key) {
      case 'load_literal': return lowerLiteral(f, place);
      case 'load_store_unsigned_immediate': return lowerTransfer(f, '', { imm: BigInt(field(f, 'imm12') << field(f, 'size')) });
      case 'load_store_unscaled': return lowerTransfer(f, '', nineBits(f));
      case 'load_store_post_indexed': return indexed(f, '.post');
      case 'load_store_pre_indexed': return indexed(f, '.pre');
      case 'load_store_unprivileged': return lowerTransfer(f, '.el0', nineBits(f));
      case 'load_store_register_offset': return lowerRegisterOffset(f);
      case 'load_store_rcpc_unscaled': return lowerTransfer(f, '.ordered', nineBits(f));
      case 'load_acquire_rcpc': return lowerTransfer({ ...f, opc: 1 }, '.ordered', {});
      default: return lowerTransfer({ ...f, opc: field(f, 'L') }, '.ordered', {});
    }
  },
};

const pairOps = new Map<string, Emit>();
type PairForm = 'offset' | 'pre' | 'post';

/** Rt is the micro-op's `d`, Rt2 its `m`. */
function emitPair(o: Operands, kind: AccessKind, isLoad: boolean, form: PairForm): Code {
  const [address, low, high] = o.temporaries64;
  const offset = i64.extendS(o.immediateLow);
  const base = form === 'post' ? o.x('n') : i64.add(o.x('n'), offset);
  const access = isLoad
    ? [o.loadPair([low, high], address, kind), o.setX('d', low), o.setX('m', high)]
    : [o.storePair(address, [o.x('d'), o.x('m')], kind)];
  const writeBack = form === 'offset' ? [] : o.setX('n', form === 'pre' ? address : i64.add(address, offset));
  return [set(address, base), ...access, writeBack];
}
for (const [name, kind] of [['4', { sizeBytes: 4 }], ['8', { sizeBytes: 8 }], ['s4', { sizeBytes: 4, signed: true }]] as const) {
  for (const form of ['offset', 'pre', 'post'] as const) {
    pairOps.set(`ldp${name}.${form}`, (o) => emitPair(o, kind, true, form));
    pairOps.set(`ldp${name}.${form}.sp`, (o) => [o.checkStack(), emitPair(o, kind, true, form)]);
    if (name === 's4') continue;
    pairOps.set(`stp${name}.${form}`, (o) => emitPair(o, kind, false, form));
    pairOps.set(`stp${name}.${form}.sp`, (o) => [o.checkStack(), emitPair(o, kind, false, form)]);
  }
}

/** Write-back onto a transferred register, or loading one register twice, is CONSTRAINED UNPREDICTABLE: Undefined here. */
function pairIsUnpredictable(f: Fields, writesBack: boolean): boolean {
  const [rt, rt2, rn] = [field(f, 'Rt'), field(f, 'Rt2'), field(f, 'Rn')];
  if (field(f, 'L') === 1 && rt === rt2) return true;
  return writesBack && rn !== 31 && (rt === rn || rt2 === rn);
}

/** LDP, STP, LDPSW, LDNP, STNP. */
export const pairTransfers: InstructionClass = {
  keys: ['load_store_no_allocate_pair', 'load_store_pair_post_indexed', 'load_store_pair_offset', 'load_store_pair_pre_indexed'],
  ops: pairOps,
  lower(f, _place, key): Lowered | undefined {
    const form: PairForm = key === 'load_store_pair_post_indexed' ? 'post' : key === 'load_store_pair_pre_indexed' ? 'pre' : 'offset';
    if (pairIsUnpredictable(f, form !== 'offset')) return undefined;
    const opc = field(f, 'opc');
    const isLoad = field(f, 'L') === 1;
    const sizeBytes = opc === 2 ? 8 : 4;
    const slot = isLoad ? destination : source;
    const n = orStack(field(f, 'Rn'));
    return {
      op: `${isLoad ? 'ldp' : 'stp'}${opc === 1 ? 's' : ''}${sizeBytes}.${form}${n === SLOT_SP ? '.sp' : ''}`,
      d: slot(field(f, 'Rt')), n, m: slot(field(f, 'Rt2')), imm: signed(field(f, 'imm7'), 7) * BigInt(sizeBytes),
    };
  },
};
