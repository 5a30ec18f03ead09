/**
 * System instructions that generated code carries out itself: hints, barriers, DAIF, reads of stored registers and of
 * the counter, PSTATE fields, DC ZVA. Everything else traps to TypeScript (system.ts of the engine).
 */

import { systemRegisterKey, type Fields } from '../../isa/interface';
import { systemRegisterByKey } from '../../isa/system-registers';
import { ExitCode, SLOT_DAIF, SLOT_DEBUG, SLOT_EL, SLOT_LINES, SLOT_MONITOR_SIZE, SLOT_SP_EL0, SLOT_SPSEL, STATE_COUNTER_SHIFT, STATE_TICK_END, ZVA_BYTES } from '../layout';
import type { Operands } from '../operands';
import { counterOf, storedRegister, systemSlot } from '../system-slots';
import type { Code } from '../wasm/code';
import { i32, i64, set, when, type I64 } from '../wasm/expressions';
import { lowerAuthenticationHint } from './authentication';
import { TARGET_HINTS } from './branch-targets';
import { flagBits, setFlagBits } from './flags';
import { destination, field, source, type Emit, type InstructionClass, type Lowered, type Place } from './lowering';

const ZERO = i32.const(0);
const WFE = 2;
const WFI = 3;
const NTWE = 1n << 18n;
const DAIF_SHIFT = 6;
const CLREX_OP2 = 2;

const atEl0 = i32.eqz(i32.load(ZERO, SLOT_EL));

/** Hints: WFI is TypeScript's; those without a name or a feature do nothing (WFE may always wake at once, but traps at EL0 without SCTLR_EL1.nTWE). */
export const hints: InstructionClass = {
  keys: ['hint'],
  ops: new Map<string, Emit>([
    ...['hint', ...Object.values(TARGET_HINTS)].map((name): readonly [string, Emit] => [name, () => []]),
    ['wfe', (o) => when(i32.and(atEl0, i64.eqz(i64.and(i64.load(ZERO, systemSlot('SCTLR_EL1')), i64.const(NTWE)))), o.trap())],
  ]),
  lower(f, place): Lowered | undefined {
    const number = field(f, 'CRm') * 8 + field(f, 'op2');
    if (number === WFI) return undefined;
    if (number === WFE) return { op: 'wfe' };
    const named = place.has('PAUTH') ? lowerAuthenticationHint(number) : undefined;
    return named ?? { op: place.has('BTI') ? TARGET_HINTS[number] ?? 'hint' : 'hint' };
  },
};

/** Barriers order nothing here; CLREX closes the monitor. */
export const barriers: InstructionClass = {
  keys: ['barrier', 'speculation_barrier'],
  ops: new Map<string, Emit>([['clrex', () => i32.store(ZERO, ZERO, SLOT_MONITOR_SIZE)], ['barrier', () => []]]),
  lower: (f): Lowered => ({ op: field(f, 'op2') === CLREX_OP2 ? 'clrex' : 'barrier' }),
};

const daif = i32.load(ZERO, SLOT_DAIF);
/** An interrupt input is high, or the guest debugs itself: fewer masks may let an exception through. */
const somethingIsDue = i32.or(i32.load(ZERO, SLOT_LINES), i32.load(ZERO, SLOT_DEBUG));

/** DAIFSet and DAIFClr at EL1; a clear with an input high leaves, so that the interrupt is taken at once. */
export const processState: InstructionClass = {
  keys: ['msr_immediate'],
  ops: new Map<string, Emit>([
    ['daifset', (o) => [when(atEl0, o.trap()), i32.store(ZERO, i32.or(daif, o.immediateLow), SLOT_DAIF)]],
    ['daifclr', (o) => [
      when(atEl0, o.trap()),
      i32.store(ZERO, i32.and(daif, i32.xor(o.immediateLow, i32.const(-1))), SLOT_DAIF),
      when(somethingIsDue, o.retireAndLeave(ExitCode.interrupts)),
    ]],
  ]),
  lower(f): Lowered | undefined {
    if (field(f, 'op1') !== 3) return undefined;
    const mask = BigInt(field(f, 'CRm') << DAIF_SHIFT);
    return field(f, 'op2') === 6 ? { op: 'daifset', imm: mask } : field(f, 'op2') === 7 ? { op: 'daifclr', imm: mask } : undefined;
  },
};

/** Ticks now: the end of this entry's budget minus what is left of it, this instruction not counted. */
function counter(o: Operands): I64 {
  const now = i64.sub(i64.load(ZERO, STATE_TICK_END), o.remainingTicks);
  return i64.shrU(now, i64.load(ZERO, STATE_COUNTER_SHIFT));
}

/** EL0 reads a counter if CNTKCTL_EL1 lets it. */
function counterCheck(o: Operands, enable: bigint): Code {
  return when(i32.and(atEl0, i64.eqz(i64.and(i64.load(ZERO, systemSlot('CNTKCTL_EL1')), i64.const(enable)))), o.trap());
}

const keyOf = (f: Fields): number => systemRegisterKey({ op0: field(f, 'op0'), op1: field(f, 'op1'), crn: field(f, 'CRn'), crm: field(f, 'CRm'), op2: field(f, 'op2') });
const readSlot = (o: Operands): Code => o.setX('d', o.x('n'));

/** Registers that are parts of PSTATE, or banked, with the micro-ops that read and write them. */
const SPECIAL: ReadonlyMap<string, string> = new Map([['SP_EL0', 'sp_el0'], ['DAIF', 'daif'], ['NZCV', 'nzcv'], ['CurrentEL', 'currentel']]);
const READ_ONLY = new Set(['currentel']);

function special(key: number): string | undefined {
  return SPECIAL.get(systemRegisterByKey(key)?.name ?? '');
}

function lowerRead(f: Fields): Lowered | undefined {
  const key = keyOf(f);
  const d = destination(field(f, 'Rt'));
  const counterName = counterOf(key);
  if (counterName !== undefined) return { op: `mrs.${counterName}`, d };
  const name = special(key);
  if (name !== undefined) return { op: `mrs.${name}`, d };
  const control = floatControl(key, () => true);
  if (control !== undefined) return { op: 'mrs.fp', d, n: control.slot };
  const stored = storedRegister(key);
  if (stored === undefined || stored.readEl > 1) return undefined;
  // Where EL0 may not use DC ZVA, it reads another value.
  if (systemRegisterByKey(key)?.name === 'DCZID_EL0') return { op: 'mrs.enabled', d, n: stored.slot, m: systemSlot('SCTLR_EL1'), imm: DZE };
  if (stored.enable !== undefined) return { op: 'mrs.enabled', d, n: stored.slot, m: stored.enable.slot, imm: stored.enable.mask };
  return { op: stored.readEl === 0 ? 'mrs.el0' : 'mrs.el1', d, n: stored.slot };
}

function lowerWrite(f: Fields, has: Place['has']): Lowered | undefined {
  const key = keyOf(f);
  const n = source(field(f, 'Rt'));
  const name = special(key);
  if (name !== undefined) return READ_ONLY.has(name) ? undefined : { op: `msr.${name}`, n };
  const control = floatControl(key, has);
  if (control !== undefined) return { op: 'msr.fp', d: control.slot, n, imm: control.mask };
  const stored = storedRegister(key);
  if (stored === undefined || stored.plainWriteMask === undefined || stored.writeEl > 1) return undefined;
  const mask = (stored.optionalBits ?? []).reduce((bits, [feature, more]) => (has(feature) ? bits | more : bits), stored.plainWriteMask);
  if (mask !== ALL_BITS) return { op: 'msr.masked', d: stored.slot, n, imm: mask };
  return { op: stored.writeEl === 0 ? 'msr.el0' : 'msr.el1', d: stored.slot, n };
}

/** FPCR and FPSR, which CPACR_EL1 guards; the mask has the bits that software can change on this core. */
function floatControl(key: number, has: Place['has']): { readonly slot: number; readonly mask: bigint } | undefined {
  const row = systemRegisterByKey(key);
  if (row?.name !== 'FPCR' && row?.name !== 'FPSR') return undefined;
  return { slot: systemSlot(row.name), mask: (row.optionalBits ?? []).reduce((bits, [feature, more]) => (has(feature) ? bits | more : bits), row.writeMask) };
}

/** SCTLR_EL1.DZE. */
const DZE = 1n << 14n;
const ALL_BITS = 0xffff_ffff_ffff_ffffn;
const DAIF_MASK = 0x3c0;
/** SP_EL0 has its slot only while it is not the selected stack pointer. */
const spEl0IsBanked = i32.and(i32.load(ZERO, SLOT_EL), i32.load(ZERO, SLOT_SPSEL));

/** MSR DAIF, then the look at the interrupt inputs. */
function writeDaif(o: Operands): Code {
  return [
    when(atEl0, o.trap()),
    i32.store(ZERO, i32.and(o.w('n'), i32.const(DAIF_MASK)), SLOT_DAIF),
    when(somethingIsDue, o.retireAndLeave(ExitCode.interrupts)),
  ];
}

function writeMasked(o: Operands): Code {
  const [mask] = o.temporaries64;
  const kept = i64.and(o.x('d'), i64.xor(mask, i64.const(-1n)));
  return [when(atEl0, o.trap()), set(mask, o.immediate), o.setX('d', i64.or(kept, i64.and(o.x('n'), mask)))];
}

/** MRS and MSR of stored registers, of what PSTATE holds, and MRS of the counters. */
export const systemMoves: InstructionClass = {
  keys: ['system_register_move'],
  ops: new Map<string, Emit>([
    ['mrs.el0', readSlot], ['mrs.el1', (o) => [when(atEl0, o.trap()), readSlot(o)]],
    ['msr.el0', readSlot], ['msr.el1', (o) => [when(atEl0, o.trap()), readSlot(o)]], ['msr.masked', writeMasked],
    ['mrs.fp', (o) => [o.checkVectors(), readSlot(o)]], ['msr.fp', (o) => [o.checkVectors(), o.setX('d', i64.and(o.x('n'), o.immediate))]],
    ['mrs.enabled', (o) => [when(i32.and(atEl0, i64.eqz(i64.and(o.x('m'), o.immediate))), o.trap()), readSlot(o)]],
    ['mrs.CNTPCT_EL0', (o) => [counterCheck(o, 1n), o.setX('d', counter(o))]],
    ['mrs.CNTVCT_EL0', (o) => [counterCheck(o, 2n), o.setX('d', i64.sub(counter(o), i64.load(ZERO, systemSlot('CNTVOFF_EL2'))))]],
    ['mrs.sp_el0', (o) => [when(i32.eqz(spEl0IsBanked), o.trap()), o.setX('d', i64.load(ZERO, SLOT_SP_EL0))]],
    ['msr.sp_el0', (o) => [when(i32.eqz(spEl0IsBanked), o.trap()), i64.store(ZERO, o.x('n'), SLOT_SP_EL0)]],
    ['mrs.daif', (o) => [when(atEl0, o.trap()), o.setW('d', daif)]], ['msr.daif', writeDaif],
    ['mrs.nzcv', (o) => o.setW('d', i32.shl(flagBits, i32.const(28)))],
    ['msr.nzcv', (o) => setFlagBits(i32.shrU(o.w('n'), i32.const(28)), o.temporaries32[0])],
    ['mrs.currentel', (o) => [when(atEl0, o.trap()), o.setW('d', i32.shl(i32.load(ZERO, SLOT_EL), i32.const(2)))]],
  ]),
  lower: (f, { has }): Lowered | undefined => (field(f, 'L') === 1 ? lowerRead(f) : lowerWrite(f, has)),
};


/** DC ZVA; at EL0 without SCTLR_EL1.DZE TypeScript makes the trap. */
export const systemInstructions: InstructionClass = {
  keys: ['system_instruction'],
  ops: new Map<string, Emit>([
    ['dc.zva', (o) => {
      const [address] = o.temporaries64;
      const [host] = o.temporaries32;
      return [
        when(i32.and(atEl0, i64.eqz(i64.and(i64.load(ZERO, systemSlot('SCTLR_EL1')), i64.const(DZE)))), o.trap()),
        set(address, i64.and(o.x('n'), i64.const(BigInt(-ZVA_BYTES)))), o.hostAddress(host, address, ZVA_BYTES, 'write'),
        // Stores, not a fill: see driverBody about calls.
        Array.from({ length: ZVA_BYTES / 8 }, (_, index) => i64.store(host, i64.const(0n), index * 8)),
      ];
    }],
  ]),
  lower(f): Lowered | undefined {
    const isZva = field(f, 'L') === 0 && keyOf({ ...f, op0: 1 }) === systemRegisterKey({ op0: 1, op1: 3, crn: 7, crm: 4, op2: 1 });
    return isZva ? { op: 'dc.zva', n: source(field(f, 'Rt')) } : undefined;
  },
};
