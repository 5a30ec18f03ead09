/** One vCPU's register file at the engine's border. */

import { assert } from '../base/assert';
import type { Vcpu } from './interface';
import * as layout from './layout';
import { ProcessorState } from './processor-state';
import { storedSystemRegisters } from './system-slots';
import type { Views } from './views';

/** Bytes of a block that hold state; the rest is never used. */
const SAVED_SIZE = layout.SLOT_SYSTEM - layout.VCPU_BLOCK + storedSystemRegisters.length * 8;

/** See `Vcpu`. */
export class EngineVcpu implements Vcpu {
  readonly index: number;
  readonly state: ProcessorState;
  /** Where the block lies while another vCPU runs. */
  readonly bank: number;
  private readonly views: Views;
  private readonly debugChanged: () => void;

  constructor(index: number, views: Views, debugChanged: () => void) {
    this.index = index;
    this.views = views;
    this.debugChanged = debugChanged;
    this.bank = layout.VCPU_BANKS + index * layout.VCPU_BLOCK_SIZE;
    this.state = new ProcessorState(views, this.bank - layout.VCPU_BLOCK);
  }

  x(n: number): bigint {
    assert(n >= 0 && n <= 30, 'register number');
    return this.state.x(n);
  }

  setX(n: number, value: bigint): void {
    assert(n >= 0 && n <= 30, 'register number');
    this.state.setX(n, value);
  }

  clearX(first: number, last: number): void {
    assert(first >= 0 && last <= 30, 'register numbers');
    this.state.clearX(first, last);
  }

  get pc(): bigint {
    return this.state.pc;
  }

  set pc(value: bigint) {
    this.state.pc = value;
  }

  get sp(): bigint {
    return this.state.long(layout.SLOT_SP);
  }

  set sp(value: bigint) {
    this.state.setLong(layout.SLOT_SP, value);
  }

  get spEl0(): bigint {
    return this.state.spEl0;
  }

  set spEl0(value: bigint) {
    this.state.spEl0 = value;
  }

  get spEl1(): bigint {
    return this.state.spEl1;
  }

  set spEl1(value: bigint) {
    this.state.spEl1 = value;
  }

  get pstate(): bigint {
    return this.state.pstate;
  }

  set pstate(value: bigint) {
    this.state.pstate = value;
  }

  get el(): number {
    return this.state.el;
  }

  v(n: number): readonly [bigint, bigint] {
    const slot = layout.SLOT_V0 + n * 16;
    return [this.state.long(slot), this.state.long(slot + 8)];
  }

  setV(n: number, low: bigint, high: bigint): void {
    const slot = layout.SLOT_V0 + n * 16;
    this.state.setLong(slot, low);
    this.state.setLong(slot + 8, high);
  }

  systemRegister(name: string): bigint {
    return this.state.named(name);
  }

  setSystemRegister(name: string, value: bigint): void {
    this.state.setNamed(name, value);
  }

  get irq(): boolean {
    return this.line(1);
  }

  set irq(level: boolean) {
    this.setLine(1, level);
  }

  get fiq(): boolean {
    return this.line(2);
  }

  set fiq(level: boolean) {
    this.setLine(2, level);
  }

  get serror(): boolean {
    return this.line(4);
  }

  set serror(level: boolean) {
    this.setLine(4, level);
  }

  takeBack(): void {
    const slot = layout.SLOT_RETIRED + this.state.el * 8;
    this.state.setCount(slot, this.state.count(slot) - 1);
    this.state.pc = BigInt.asUintN(64, this.state.pc - 4n);
  }

  save(into?: Uint8Array): Uint8Array {
    const start = layout.VCPU_BLOCK + this.state.offset;
    if (into === undefined) return this.views.bytes.slice(start, start + SAVED_SIZE);
    into.set(this.views.bytes.subarray(start, start + SAVED_SIZE));
    return into;
  }

  restore(saved: Uint8Array): void {
    assert(saved.length === SAVED_SIZE, 'saved vCPU of this version');
    this.views.bytes.set(saved, layout.VCPU_BLOCK + this.state.offset);
    this.debugChanged();
  }

  reset(): void {
    this.state.reset();
    this.debugChanged();
  }

  retiredAt(el: 0 | 1): number {
    return this.state.count(layout.SLOT_RETIRED + el * 8);
  }

  private line(mask: number): boolean {
    return (this.state.word(layout.SLOT_LINES) & mask) !== 0;
  }

  private setLine(mask: number, level: boolean): void {
    const lines = this.state.word(layout.SLOT_LINES);
    this.state.setWord(layout.SLOT_LINES, level ? lines | mask : lines & ~mask);
  }
}
