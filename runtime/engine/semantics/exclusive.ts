/**
 * Exclusives, compare-and-swap and the atomic memory operations. With one thread every access is atomic already; the
 * monitor remembers the address and the value of the load, and a store-exclusive of whatever size succeeds if memory still
 * holds that value, zeros above what was loaded.
 */

import type { Fields } from '../../isa/interface';
import { SLOT_MONITOR_ADDRESS, SLOT_MONITOR_HIGH, SLOT_MONITOR_LOW, SLOT_MONITOR_SIZE, SLOT_MONITOR_VA, STATE_DEVICE_RULES } from '../layout';
import type { Operands } from '../operands';
import type { Code } from '../wasm/code';
import { i32, i64, set, when, type I32, type I64, type Local32, type Local64 } from '../wasm/expressions';
import { destination, field, orStack, source, type Emit, type InstructionClass, type Lowered } from './lowering';

const ZERO = i32.const(0);
type SizeBytes = 1 | 2 | 4 | 8;
const ALL_SIZES: readonly SizeBytes[] = [1, 2, 4, 8];
const loads = { 1: i64.load8U, 2: i64.load16U, 4: i64.load32U, 8: i64.load };
const stores = { 1: i64.store8, 2: i64.store16, 4: i64.store32, 8: i64.store };
const loadHost = (size: SizeBytes, host: I32, offset = 0): I64 => loads[size](host, offset);
const storeHost = (size: SizeBytes, host: I32, value: I64, offset = 0): Code => stores[size](host, value, offset);

/** `value` cut to the size of the access. */
function truncate(size: SizeBytes, value: I64): I64 {
  return size === 8 ? value : i64.and(value, i64.const((1n << BigInt(size * 8)) - 1n));
}

function prepare(o: Operands, sizeBytes: number, access: 'read' | 'write'): Code {
  const [address] = o.temporaries64;
  return [o.checkStack(), set(address, o.x('n')), o.hostAddress(o.temporaries32[0], address, sizeBytes, access)];
}

function openMonitor(host: Local32, address: Local64, sizeBytes: number): Code {
  return [i32.store(ZERO, i32.const(sizeBytes), SLOT_MONITOR_SIZE), i32.store(ZERO, host, SLOT_MONITOR_ADDRESS), i64.store(ZERO, address, SLOT_MONITOR_VA)];
}

/** Whether the monitor watches this address, the top byte apart: if not, the store fails without a look at memory, and so without a fault. */
function isMonitored(address: Local64): I32 {
  const differs = i64.shl(i64.xor(address, i64.load(ZERO, SLOT_MONITOR_VA)), i64.const(8n));
  return i32.and(i64.eqz(differs), i32.eqz(i32.eqz(i32.load(ZERO, SLOT_MONITOR_SIZE))));
}

/** A store-exclusive; `body` stores and sets `status` to zero if memory is as the load saw it. */
function storeExclusive(o: Operands, sizeBytes: number, body: Code): Code {
  const [host, status] = o.temporaries32;
  const [address] = o.temporaries64;
  return [
    o.checkStack(), set(address, o.x('n')), set(status, i32.const(1)),
    when(isMonitored(address), [o.hostAddress(host, address, sizeBytes, 'write'), when(i32.eq(i32.load(ZERO, SLOT_MONITOR_ADDRESS), host), body)]),
    closeMonitor, o.setW('a', status),
  ];
}

/** Stores `value` if memory is the low part of a larger value that the load saw: QEMU's core `max` does so, and yet says that it did not. */
function storeIfLowPart(size: SizeBytes, host: Local32, value: I64): Code {
  const isLowPart = i64.eq(loadHost(size, host), truncate(size, i64.load(ZERO, SLOT_MONITOR_LOW)));
  return when(i32.eqz(i32.load(ZERO, STATE_DEVICE_RULES)), when(isLowPart, storeHost(size, host, value)));
}

const closeMonitor: Code = i32.store(ZERO, ZERO, SLOT_MONITOR_SIZE);

const ops = new Map<string, Emit>();
for (const size of ALL_SIZES) {
  ops.set(`ldxr${size}`, (o) => {
    const [host] = o.temporaries32;
    const [address, value] = o.temporaries64;
    return [prepare(o, size, 'read'), set(value, loadHost(size, host)), openMonitor(host, address, size), i64.store(ZERO, value, SLOT_MONITOR_LOW), o.setX('d', value)];
  });
  // The status register is the micro-op's `a`.
  ops.set(`stxr${size}`, (o) => {
    const [host, status] = o.temporaries32;
    const unchanged = i64.eq(loadHost(size, host), i64.load(ZERO, SLOT_MONITOR_LOW));
    const failed = size === 8 ? undefined : storeIfLowPart(size, host, o.x('d'));
    return storeExclusive(o, size, when(unchanged, [storeHost(size, host, o.x('d')), set(status, ZERO)], failed));
  });
  ops.set(`cas${size}`, (o) => {
    const [host] = o.temporaries32;
    const old = o.temporaries64[1];
    return [
      prepare(o, size, 'write'), set(old, loadHost(size, host)),
      when(i64.eq(old, truncate(size, o.x('m'))), storeHost(size, host, o.x('d'))), o.setX('a', old),
    ];
  });
}

/** A pair of words is one doubleword to the monitor. Rt is `d`, Rt2 is `m`, the status is `a`. */
ops.set('ldxp4', (o) => {
  const [host] = o.temporaries32;
  const [address, value] = o.temporaries64;
  return [
    prepare(o, 8, 'read'), set(value, i64.load(host)), openMonitor(host, address, 8), i64.store(ZERO, value, SLOT_MONITOR_LOW),
    o.setX('d', truncate(4, value)), o.setX('m', i64.shrU(value, i64.const(32n))),
  ];
});
ops.set('stxp4', (o) => {
  const [host, status] = o.temporaries32;
  const unchanged = i64.eq(i64.load(host), i64.load(ZERO, SLOT_MONITOR_LOW));
  return storeExclusive(o, 8, when(unchanged, [storeHost(4, host, o.x('d')), storeHost(4, host, o.x('m'), 4), set(status, ZERO)]));
});
/** Only these look at the upper half, which every other load leaves as it was. */
ops.set('ldxp8', (o) => {
  const [host] = o.temporaries32;
  const [address, low, high] = o.temporaries64;
  return [
    prepare(o, 16, 'read'), set(low, i64.load(host)), set(high, i64.load(host, 8)), openMonitor(host, address, 16),
    i64.store(ZERO, low, SLOT_MONITOR_LOW), i64.store(ZERO, high, SLOT_MONITOR_HIGH), o.setX('d', low), o.setX('m', high),
  ];
});
ops.set('stxp8', (o) => {
  const [host, status] = o.temporaries32;
  const unchanged = i32.and(i64.eq(i64.load(host), i64.load(ZERO, SLOT_MONITOR_LOW)), i64.eq(i64.load(host, 8), i64.load(ZERO, SLOT_MONITOR_HIGH)));
  return storeExclusive(o, 16, when(unchanged, [storeHost(8, host, o.x('d')), storeHost(8, host, o.x('m'), 8), set(status, ZERO)]));
});

/** CASP: `m` and `d` name the first register of each pair, the second has the next slot; `a` is where Rs+1 is written. */
for (const size of [4, 8] as const) {
  ops.set(`casp${size}`, (o) => {
    const [host] = o.temporaries32;
    const [, low, high] = o.temporaries64;
    const equal = i32.and(i64.eq(low, truncate(size, o.x('m'))), i64.eq(high, truncate(size, o.xNext('m'))));
    return [
      prepare(o, size * 2, 'write'), set(low, loadHost(size, host)), set(high, loadHost(size, host, size)),
      when(equal, [storeHost(size, host, o.x('d')), storeHost(size, host, o.xNext('d'), size)]),
      o.setX('m', low), o.setX('a', high),
    ];
  });
}

/** Exclusives; a pair's size in bytes is that of one half. */
export const exclusives: InstructionClass = {
  keys: ['load_store_exclusive', 'load_store_exclusive_pair'],
  ops,
  lower(f, _place, key): Lowered | undefined {
    const isPair = key === 'load_store_exclusive_pair';
    const isLoad = field(f, 'L') === 1;
    const [rt, rt2, rn, rs] = [field(f, 'Rt'), field(f, 'Rt2'), field(f, 'Rn'), field(f, 'Rs')];
    if (isPair && isLoad && rt === rt2) return undefined;
    if (!isLoad && (rs === rt || (isPair && rs === rt2) || (rs === rn && rn !== 31))) return undefined;
    const slot = isLoad ? destination : source;
    return {
      op: `${isLoad ? 'ldx' : 'stx'}${isPair ? 'p' : 'r'}${1 << field(f, 'size')}`,
      d: slot(rt), n: orStack(rn), high: destination(rs), ...(isPair ? { m: slot(rt2) } : {}),
    };
  },
};

/** CAS and CASP. */
export const compareAndSwap: InstructionClass = {
  keys: ['compare_and_swap', 'compare_and_swap_pair'],
  ops: new Map<string, Emit>(),
  lower(f, _place, key): Lowered {
    const n = orStack(field(f, 'Rn'));
    const rs = field(f, 'Rs');
    if (key === 'compare_and_swap') return { op: `cas${1 << field(f, 'size')}`, d: source(field(f, 'Rt')), n, m: source(rs), high: destination(rs) };
    return { op: `casp${field(f, 'sz') === 1 ? 8 : 4}`, d: source(field(f, 'Rt')), n, m: source(rs), high: destination(rs + 1) };
  },
};

type Operation = (old: I64, operand: I64, size: SizeBytes) => I64;

/** Sign-extends from the size of the access. */
function signExtend(size: SizeBytes, value: I64): I64 {
  if (size === 8) return value;
  return size === 4 ? i64.extend32S(value) : size === 2 ? i64.extend16S(value) : i64.extend8S(value);
}
const pick = (compare: (a: I64, b: I64) => I32, signed: boolean): Operation => (old, operand, size) => {
  const view = signed ? signExtend : truncate;
  return i64.select(compare(view(size, old), view(size, operand)), old, operand);
};

/** In the order of `opc`, then SWP. */
const OPERATIONS: readonly (readonly [string, Operation])[] = [
  ['ldadd', i64.add], ['ldclr', (old, operand) => i64.and(old, i64.xor(operand, i64.const(-1n)))], ['ldeor', i64.xor], ['ldset', i64.or],
  ['ldsmax', pick(i64.gtS, true)], ['ldsmin', pick(i64.ltS, true)], ['ldumax', pick(i64.gtU, false)], ['ldumin', pick(i64.ltU, false)],
  ['swp', (_old, operand) => operand],
];
const atomicOps = new Map<string, Emit>();
for (const [name, operation] of OPERATIONS) {
  for (const size of ALL_SIZES) {
    atomicOps.set(`${name}${size}`, (o) => {
      const [host] = o.temporaries32;
      const [, old, operand] = o.temporaries64;
      return [
        prepare(o, size, 'write'), set(old, loadHost(size, host)), set(operand, o.x('m')),
        storeHost(size, host, operation(old, operand, size)), o.setX('d', old),
      ];
    });
  }
}

/** LDADD and relatives, SWP. */
export const atomics: InstructionClass = {
  keys: ['atomic_memory'],
  ops: atomicOps,
  lower(f: Fields): Lowered {
    const name = OPERATIONS[field(f, 'o3') === 1 ? 8 : field(f, 'opc')]?.[0] ?? 'ldadd';
    return { op: `${name}${1 << field(f, 'size')}`, d: destination(field(f, 'Rt')), n: orStack(field(f, 'Rn')), m: source(field(f, 'Rs')) };
  },
};
