/** The register block of one vCPU as TypeScript reads and writes it; `base` is where the block lies at the moment. */

import { assert } from '../base/assert';
import { systemRegisterByName } from '../isa/system-registers';
import * as layout from './layout';
import { isStoredSystemRegister, storedSystemRegisters, systemSlot } from './system-slots';
import type { Views } from './views';

/** TCO, DIT, UAO, PAN, SS, IL; SSBS, BTYPE. */
const PSTATE_REST = 0x03f0_1c00n;
const PSTATE_IL = 1 << 20;
const PSTATE_PAN = 1 << 22;
const PSTATE_BTYPE_SHIFT = 10;

/** Architectural state of one vCPU. */
export class ProcessorState {
  private readonly views: Views;
  /** Offset of the block from where generated code expects the current one. */
  offset: number;

  constructor(views: Views, offset: number) {
    this.views = views;
    this.offset = offset;
  }

  long(slot: number): bigint {
    return this.views.long(slot + this.offset);
  }

  setLong(slot: number, value: bigint): void {
    this.views.setLong(slot + this.offset, BigInt.asUintN(64, value));
  }

  word(slot: number): number {
    return this.views.word(slot + this.offset);
  }

  setWord(slot: number, value: number): void {
    this.views.setWord(slot + this.offset, value);
  }

  /** A count of events. */
  count(slot: number): number {
    return this.views.double(slot + this.offset);
  }

  setCount(slot: number, value: number): void {
    this.views.setDouble(slot + this.offset, value);
  }

  /** Xn, where 31 reads as zero. */
  x(n: number): bigint {
    return this.long(layout.SLOT_X0 + n * 8);
  }

  /** Sets Xn; 31 is ignored. */
  setX(n: number, value: bigint): void {
    if (n !== 31) this.setLong(layout.SLOT_X0 + n * 8, value);
  }

  /** Zero into Xfirst to Xlast. */
  clearX(first: number, last: number): void {
    const base = layout.SLOT_X0 + this.offset;
    this.views.bytes.fill(0, base + first * 8, base + (last + 1) * 8);
  }

  get pc(): bigint {
    return this.long(layout.SLOT_PC);
  }

  set pc(value: bigint) {
    this.setLong(layout.SLOT_PC, value);
  }

  get el(): number {
    return this.word(layout.SLOT_EL);
  }

  get usesSpEl0(): boolean {
    return this.el === 0 || this.word(layout.SLOT_SPSEL) === 0;
  }

  get spEl0(): bigint {
    return this.long(this.usesSpEl0 ? layout.SLOT_SP : layout.SLOT_SP_EL0);
  }

  set spEl0(value: bigint) {
    this.setLong(this.usesSpEl0 ? layout.SLOT_SP : layout.SLOT_SP_EL0, value);
  }

  get spEl1(): bigint {
    return this.long(this.usesSpEl0 ? layout.SLOT_SP_EL1 : layout.SLOT_SP);
  }

  set spEl1(value: bigint) {
    this.setLong(this.usesSpEl0 ? layout.SLOT_SP_EL1 : layout.SLOT_SP, value);
  }

  /** Changes EL and SPSel together and brings the right stack pointer in. */
  setMode(el: number, spSel: number): void {
    this.setLong(this.usesSpEl0 ? layout.SLOT_SP_EL0 : layout.SLOT_SP_EL1, this.long(layout.SLOT_SP));
    this.setWord(layout.SLOT_EL, el);
    this.setWord(layout.SLOT_SPSEL, spSel);
    this.setLong(layout.SLOT_SP, this.long(this.usesSpEl0 ? layout.SLOT_SP_EL0 : layout.SLOT_SP_EL1));
  }

  /** NZCV in bits 31:28. */
  get nzcv(): bigint {
    const n = this.long(layout.SLOT_N) >> 63n;
    const z = this.long(layout.SLOT_Z) === 0n ? 1n : 0n;
    const c = this.word(layout.SLOT_C) === 0 ? 0n : 1n;
    const v = this.long(layout.SLOT_V) >> 63n;
    return (n << 31n) | (z << 30n) | (c << 29n) | (v << 28n);
  }

  set nzcv(value: bigint) {
    const bit = (position: bigint): bigint => (value >> position) & 1n;
    this.setLong(layout.SLOT_N, bit(31n) << 63n);
    this.setLong(layout.SLOT_Z, bit(30n) ^ 1n);
    this.setWord(layout.SLOT_C, Number(bit(29n)));
    this.setLong(layout.SLOT_V, bit(28n) << 63n);
  }

  /** DAIF in bits 9:6. */
  get daif(): number {
    return this.word(layout.SLOT_DAIF);
  }

  set daif(value: number) {
    this.setWord(layout.SLOT_DAIF, value & 0x3c0);
  }

  /** PSTATE in SPSR layout. */
  get pstate(): bigint {
    const mode = this.el === 0 ? 0 : (this.el << 2) | this.word(layout.SLOT_SPSEL);
    return this.nzcv | BigInt.asUintN(32, BigInt(this.word(layout.SLOT_PSTATE_REST))) | BigInt(this.daif | mode);
  }

  set pstate(value: bigint) {
    this.nzcv = value;
    this.setWord(layout.SLOT_PSTATE_REST, Number(value & PSTATE_REST));
    this.daif = Number(value & 0x3c0n);
    const mode = Number(value & 0xfn);
    this.setMode(mode >> 2, mode >> 2 === 0 ? 0 : mode & 1);
  }

  /** PSTATE.IL: every instruction takes an Illegal Execution state exception. */
  get isIllegal(): boolean {
    return (this.word(layout.SLOT_PSTATE_REST) & PSTATE_IL) !== 0;
  }

  set isIllegal(value: boolean) {
    const rest = this.word(layout.SLOT_PSTATE_REST);
    this.setWord(layout.SLOT_PSTATE_REST, value ? rest | PSTATE_IL : rest & ~PSTATE_IL);
  }

  /** PSTATE.BTYPE: how the branch to this instruction came. */
  get btype(): number {
    return (this.word(layout.SLOT_PSTATE_REST) >>> PSTATE_BTYPE_SHIFT) & 3;
  }

  set btype(value: number) {
    this.setWord(layout.SLOT_PSTATE_REST, (this.word(layout.SLOT_PSTATE_REST) & ~(3 << PSTATE_BTYPE_SHIFT)) | (value << PSTATE_BTYPE_SHIFT));
  }

  /** PSTATE.PAN. Cached translations of EL1 depend on it. */
  get isPan(): boolean {
    return (this.word(layout.SLOT_PSTATE_REST) & PSTATE_PAN) !== 0;
  }

  set isPan(value: boolean) {
    const rest = this.word(layout.SLOT_PSTATE_REST);
    this.setWord(layout.SLOT_PSTATE_REST, value ? rest | PSTATE_PAN : rest & ~PSTATE_PAN);
  }

  /** A stored system register. */
  system(name: string): bigint {
    return this.long(systemSlot(name));
  }

  setSystem(name: string, value: bigint): void {
    this.setLong(systemSlot(name), value);
  }

  closeMonitor(): void {
    this.setWord(layout.SLOT_MONITOR_SIZE, 0);
  }

  /** Architectural reset. */
  reset(): void {
    const start = layout.VCPU_BLOCK + this.offset;
    this.views.bytes.fill(0, start, start + layout.VCPU_BLOCK_SIZE);
    for (const { name, reset } of storedSystemRegisters) this.setSystem(name, reset);
    this.setLong(layout.SLOT_Z, 1n);
    this.setWord(layout.SLOT_EL, 1);
    this.setWord(layout.SLOT_SPSEL, 1);
    this.daif = 0x3c0;
  }

  /** A register by name as a debugger reads it: the computed ones too. */
  named(name: string): bigint {
    switch (name) {
      case 'SP_EL0': return this.spEl0;
      case 'SP_EL1': return this.spEl1;
      case 'NZCV': return this.nzcv;
      case 'DAIF': return BigInt(this.daif);
      case 'CurrentEL': return BigInt(this.el << 2);
      case 'SPSel': return BigInt(this.word(layout.SLOT_SPSEL));
      default: assert(isStoredSystemRegister(name), `${name} is stored by the engine`); return this.system(name);
    }
  }

  /** Sets a register by name; write masks do not bind the host. */
  setNamed(name: string, value: bigint): void {
    switch (name) {
      case 'SP_EL0': this.spEl0 = value; return;
      case 'SP_EL1': this.spEl1 = value; return;
      case 'NZCV': this.nzcv = value; return;
      case 'DAIF': this.daif = Number(value & 0x3c0n); return;
      case 'SPSel': this.setMode(this.el, this.el === 0 ? 0 : Number(value & 1n)); return;
      default: assert(systemRegisterByName(name) !== undefined && isStoredSystemRegister(name), `${name} is stored by the engine`); this.setSystem(name, value);
    }
  }
}
