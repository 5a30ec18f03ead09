/**
 * What a load or store that left the engine wanted: value, size, register. Worked out from the instruction word, since
 * generated code only knows the address.
 */

import { ipa, va } from '../base/brands';
import type { Fields } from '../isa/interface';
import { decodeOnce } from './decode-cache';
import type { GuestAccess } from './interface';
import type { ProcessorState } from './processor-state';
import { field } from './semantics/lowering';
import { transferName } from './semantics/memory';

/** A single load or store that the host can finish with one value. */
export interface SimpleAccess { readonly rt: number; readonly isLoad: boolean; readonly sizeBytes: number; readonly signed: boolean; readonly toWord: boolean }

const SIMPLE = new Set(['load_literal', 'load_store_unsigned_immediate', 'load_store_unscaled', 'load_store_unprivileged', 'load_store_register_offset', 'load_store_ordered', 'load_acquire_rcpc', 'load_store_rcpc_unscaled']);
const LITERALS = ['ldr4', 'ldr8', 'ldrs4x'] as const;

function nameOf(fields: Fields, key: string): string | undefined {
  if (key === 'load_literal') return LITERALS[field(fields, 'opc')];
  const opc = key === 'load_store_ordered' ? field(fields, 'L') : key === 'load_acquire_rcpc' ? 1 : field(fields, 'opc');
  return transferName(field(fields, 'size'), opc);
}

/** Words remembered at most; then all are forgotten. */
const WORD_COUNT_MAX = 1024;
const known = new Map<number, SimpleAccess | null>();

/** The access of a word, if it is a single one without write-back. */
export function simpleAccess(word: number): SimpleAccess | undefined {
  const found = known.get(word);
  if (found !== undefined) return found ?? undefined;
  const access = findSimpleAccess(word);
  if (known.size >= WORD_COUNT_MAX) known.clear();
  known.set(word, access ?? null);
  return access;
}

function findSimpleAccess(word: number): SimpleAccess | undefined {
  const decoded = decodeOnce(word);
  if (decoded === undefined || !SIMPLE.has(decoded.encoding.class)) return undefined;
  const name = nameOf(decoded.fields, decoded.encoding.class);
  const match = /^(ldr|str)(s?)([1248])([xw]?)$/.exec(name ?? '');
  if (match === null) return undefined;
  const [, verb, sign, size, width] = match;
  return { rt: field(decoded.fields, 'Rt'), isLoad: verb === 'ldr', sizeBytes: Number(size), signed: sign === 's', toWord: width === 'w' };
}

const READ_MODIFY_WRITE = new Set(['atomic_memory', 'compare_and_swap', 'compare_and_swap_pair']);

/** True for an instruction whose fault counts as a read's unless only the write is forbidden (Arm ARM: ISS.WnR). */
export function isReadModifyWrite(word: number): boolean {
  return READ_MODIFY_WRITE.has(decodeOnce(word)?.encoding.class ?? '');
}

/** True for a load-exclusive, which a software step names. */
export function isLoadExclusive(word: number): boolean {
  const decoded = decodeOnce(word);
  return decoded !== undefined && /exclusive/.test(decoded.encoding.class) && field(decoded.fields, 'L') === 1;
}

/** What generated code recorded about an access. */
export interface AccessRecord { readonly va: bigint; readonly ipa: bigint; readonly sizeBytes: number; readonly isWrite: boolean }

/** Describes the access that failed, from its record and the word. */
export function guestAccess(state: ProcessorState, record: AccessRecord, word: number): GuestAccess {
  const simple = simpleAccess(word);
  const { isWrite } = record;
  const sizeBytes = simple?.sizeBytes ?? record.sizeBytes;
  const register = simple === undefined || !isWrite ? 0n : state.x(simple.rt);
  return {
    va: va(record.va), ipa: ipa(record.ipa),
    sizeBytes, isWrite, value: BigInt.asUintN(sizeBytes * 8, register), register, syndromeValid: simple !== undefined, instruction: word,
  };
}

/** Writes a loaded value to its register as the instruction would. */
export function finishLoad(state: ProcessorState, access: SimpleAccess, value: bigint): void {
  const bits = access.sizeBytes * 8;
  const loaded = access.signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  state.setX(access.rt, access.toWord ? BigInt.asUintN(32, loaded) : loaded);
}

/**
 * Writes a loaded value to its register without cutting it to the access first, as Gunyah does with what its caller resumes a vCPU with: bits above
 * the access stay, and the sign is spread by subtraction.
 */
export function finishLoadUncut(state: ProcessorState, access: SimpleAccess, value: bigint): void {
  const sign = 1n << BigInt(access.sizeBytes * 8 - 1);
  const loaded = access.signed ? (value ^ sign) - sign : value;
  const isWord = access.toWord || (!access.signed && access.sizeBytes < 8);
  state.setX(access.rt, BigInt.asUintN(isWord ? 32 : 64, loaded));
}
