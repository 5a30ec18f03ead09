/**
 * Loads and stores that no single value can finish, carried out on a device: taken apart into the accesses that a bus sees, in order, and put together
 * again. For devices that belong to a VM; one that a hypervisor emulates gets only what has a syndrome. Not here: structures, pairs of compare and
 * swap, and store-exclusives, which devices refuse.
 */

import type { Fields } from '../isa/interface';
import { decodeOnce } from './decode-cache';
import type { DevicePart, TransferOutcome } from './interface';
import * as layout from './layout';
import type { ProcessorState } from './processor-state';
import { field } from './semantics/lowering';
import { transferName } from './semantics/memory';

/** An instruction at work. After the first access that is refused nothing happens any more. */
class Transfer {
  isRefused = false;
  private readonly state: ProcessorState;
  private readonly f: Fields;
  private readonly device: (part: DevicePart) => bigint | undefined;

  constructor(state: ProcessorState, f: Fields, device: (part: DevicePart) => bigint | undefined) {
    this.state = state;
    this.f = f;
    this.device = device;
  }

  field(name: string): number {
    return field(this.f, name);
  }

  load(offset: number, sizeBytes: number): bigint {
    return this.access({ offset, sizeBytes, isWrite: false, value: 0n });
  }

  store(offset: number, sizeBytes: number, value: bigint): void {
    this.access({ offset, sizeBytes, isWrite: true, value: BigInt.asUintN(8 * sizeBytes, value) });
  }

  x(name: string): bigint {
    return this.state.x(this.field(name));
  }

  setX(name: string, value: bigint): void {
    if (!this.isRefused) this.state.setX(this.field(name), value);
  }

  xNext(name: string): bigint {
    return this.state.x(this.field(name) + 1);
  }

  setXNext(name: string, value: bigint): void {
    if (!this.isRefused) this.state.setX(this.field(name) + 1, value);
  }

  /** Adds a signed offset to the base register. */
  writeBack(offset: number): void {
    if (!this.isRefused) this.state.setLong(this.baseSlot, this.base + BigInt(offset));
  }

  /** The base register. */
  get base(): bigint {
    return this.state.long(this.baseSlot);
  }

  private get baseSlot(): number {
    const n = this.field('Rn');
    return n === 31 ? layout.SLOT_SP : layout.SLOT_X0 + 8 * n;
  }

  loadVector(name: string, offset: number, sizeBytes: number): () => void {
    const slot = layout.SLOT_V0 + 16 * this.field(name);
    const low = this.load(offset, Math.min(sizeBytes, 8));
    const high = sizeBytes === 16 ? this.load(offset + 8, 8) : 0n;
    return () => {
      if (this.isRefused) return;
      this.state.setLong(slot, low);
      this.state.setLong(slot + 8, high);
    };
  }

  storeVector(name: string, offset: number, sizeBytes: number): void {
    const slot = layout.SLOT_V0 + 16 * this.field(name);
    this.store(offset, Math.min(sizeBytes, 8), this.state.long(slot));
    if (sizeBytes === 16) this.store(offset + 8, 8, this.state.long(slot + 8));
  }

  private access(part: DevicePart): bigint {
    const value = this.isRefused ? undefined : this.device(part);
    this.isRefused ||= value === undefined;
    return value ?? 0n;
  }
}

const PAGE_BITS = 12;
/** CRm of DC ZVA, alone among the instructions that come here. */
const ZVA_CRM = 4;
const signed = (value: number, width: number): number => (value << (32 - width)) >> (32 - width);

/** LDR and STR with write-back. */
function single(t: Transfer): void {
  const match = /^(ldr|str)(s?)([1248])([xw]?)$/.exec(transferName(t.field('size'), t.field('opc')) ?? '');
  const sizeBytes = Number(match?.[3]);
  if (match?.[1] === 'ldr') {
    const value = t.load(0, sizeBytes);
    const loaded = match[2] === 's' ? BigInt.asIntN(8 * sizeBytes, value) : value;
    t.setX('Rt', BigInt.asUintN(match[4] === 'w' ? 32 : 64, loaded));
  } else {
    t.store(0, sizeBytes, t.x('Rt'));
  }
  t.writeBack(signed(t.field('imm9'), 9));
}

function pair(t: Transfer, writesBack: boolean): void {
  const opc = t.field('opc');
  const sizeBytes = opc === 2 ? 8 : 4;
  if (t.field('L') === 1) {
    const extend = (value: bigint): bigint => (opc === 1 ? BigInt.asUintN(64, BigInt.asIntN(32, value)) : value);
    const [low, high] = [t.load(0, sizeBytes), t.load(sizeBytes, sizeBytes)];
    t.setX('Rt', extend(low));
    t.setX('Rt2', extend(high));
  } else {
    t.store(0, sizeBytes, t.x('Rt'));
    t.store(sizeBytes, sizeBytes, t.x('Rt2'));
  }
  if (writesBack) t.writeBack(signed(t.field('imm7'), 7) * sizeBytes);
}

function vector(t: Transfer, key: string): void {
  const sizeBytes = key === 'simd_load_literal' ? 4 << t.field('opc') : (t.field('opc') & 2) !== 0 ? 16 : 1 << t.field('size');
  const isLoad = key === 'simd_load_literal' || (t.field('opc') & 1) === 1;
  if (isLoad) t.loadVector('Rt', 0, sizeBytes)();
  else t.storeVector('Rt', 0, sizeBytes);
  if (key.endsWith('_indexed')) t.writeBack(signed(t.field('imm9'), 9));
}

function vectorPair(t: Transfer, writesBack: boolean): void {
  const sizeBytes = 4 << t.field('opc');
  if (t.field('L') === 1) {
    for (const finish of [t.loadVector('Rt', 0, sizeBytes), t.loadVector('Rt2', sizeBytes, sizeBytes)]) finish();
  } else {
    t.storeVector('Rt', 0, sizeBytes);
    t.storeVector('Rt2', sizeBytes, sizeBytes);
  }
  if (writesBack) t.writeBack(signed(t.field('imm7'), 7) * sizeBytes);
}

/** By `opc`; the last is SWP. */
const OPERATIONS: readonly ((old: bigint, operand: bigint, bits: number) => bigint)[] = [
  (old, operand) => old + operand, (old, operand) => old & ~operand, (old, operand) => old ^ operand, (old, operand) => old | operand,
  (old, operand, bits) => (BigInt.asIntN(bits, old) > BigInt.asIntN(bits, operand) ? old : operand),
  (old, operand, bits) => (BigInt.asIntN(bits, old) < BigInt.asIntN(bits, operand) ? old : operand),
  (old, operand) => (old > operand ? old : operand), (old, operand) => (old < operand ? old : operand),
  (_old, operand) => operand,
];

/** A device sees a load and then always a store. */
function atomic(t: Transfer, key: string): void {
  const sizeBytes = 1 << t.field('size');
  const bits = 8 * sizeBytes;
  const operand = BigInt.asUintN(bits, t.x('Rs'));
  const old = t.load(0, sizeBytes);
  if (key === 'compare_and_swap') {
    t.store(0, sizeBytes, old === operand ? t.x('Rt') : old);
    t.setX('Rs', old);
    return;
  }
  const operation = OPERATIONS[t.field('o3') === 1 ? OPERATIONS.length - 1 : t.field('opc')];
  t.store(0, sizeBytes, operation?.(old, operand, bits) ?? old);
  t.setX('Rt', old);
}

/** Load-exclusives; nothing of a device is monitored. */
function exclusive(t: Transfer, isPair: boolean): void {
  const sizeBytes = 1 << t.field('size');
  const low = t.load(0, sizeBytes);
  const high = isPair ? t.load(sizeBytes, sizeBytes) : 0n;
  t.setX('Rt', low);
  if (isPair) t.setX('Rt2', high);
}

function comparePair(t: Transfer): void {
  const sizeBytes = t.field('sz') === 1 ? 8 : 4;
  const [low, high] = [t.load(0, sizeBytes), t.load(sizeBytes, sizeBytes)];
  const isEqual = BigInt.asUintN(8 * sizeBytes, t.x('Rs')) === low && BigInt.asUintN(8 * sizeBytes, t.xNext('Rs')) === high;
  t.store(0, sizeBytes, isEqual ? t.x('Rt') : low);
  t.store(sizeBytes, sizeBytes, isEqual ? t.xNext('Rt') : high);
  t.setX('Rs', low);
  t.setXNext('Rs', high);
}

/** DC ZVA: bytes, from the beginning of the block. */
function zero(t: Transfer): void {
  for (let n = 0; n < layout.ZVA_BYTES; n++) t.store(n, 1, 0n);
}

const VECTORS = /^simd_(load_literal|load_store_(unsigned_immediate|unscaled|post_indexed|pre_indexed|register_offset))$/;

function transferOf(key: string, f: Fields): ((t: Transfer) => void) | undefined {
  if (key === 'load_store_post_indexed' || key === 'load_store_pre_indexed') return single;
  if (/^load_store_(no_allocate_pair|pair_)/.test(key)) return (t) => { pair(t, key.endsWith('_indexed')); };
  if (VECTORS.test(key)) return (t) => { vector(t, key); };
  if (/^simd_load_store_(no_allocate_pair|pair_)/.test(key)) return (t) => { vectorPair(t, key.endsWith('_indexed')); };
  if (key === 'compare_and_swap' || key === 'atomic_memory') return (t) => { atomic(t, key); };
  if (key === 'compare_and_swap_pair') return comparePair;
  if (key.startsWith('load_store_exclusive')) return field(f, 'L') === 1 ? (t) => { exclusive(t, key.endsWith('pair')); } : undefined;
  // Of the system instructions only DC ZVA writes; the others find the place and need no more.
  return key === 'system_instruction' ? (t) => { if (field(f, 'CRm') === ZVA_CRM) zero(t); } : undefined;
}

/**
 * Carries out the instruction `word` on a device that refused the access at `address`. Registers change only if every access is answered;
 * stores before a refused one have been made. Pairs of which only the second half is on the device are unknown here.
 */
export function transferByParts(state: ProcessorState, { word, address }: { readonly word: number; readonly address: bigint }, device: (part: DevicePart) => bigint | undefined): TransferOutcome {
  const decoded = decodeOnce(word);
  const key = decoded?.encoding.class ?? '';
  const carryOut = decoded === undefined ? undefined : transferOf(key, decoded.fields);
  if (decoded === undefined || carryOut === undefined) return 'unknown';
  const transfer = new Transfer(state, decoded.fields, device);
  if (/_pair_(post|pre|off)|no_allocate/.test(key) && BigInt.asUintN(PAGE_BITS, pairAddress(transfer, key) - address) !== 0n) return 'unknown';
  carryOut(transfer);
  return transfer.isRefused ? 'refused' : 'done';
}


function pairAddress(t: Transfer, key: string): bigint {
  const sizeBytes = key.startsWith('simd') ? 4 << t.field('opc') : t.field('opc') === 2 ? 8 : 4;
  return key.endsWith('post_indexed') ? t.base : t.base + BigInt(signed(t.field('imm7'), 7) * sizeBytes);
}
