/**
 * Programs made at random from the instruction table, the same for the same seed and number. A program is a loop over
 * records: each iteration takes special values from its record, executes the body, and writes the whole state over the
 * record, so that a difference shows in the iteration in which it arises.
 *
 * The body consists of units: an instruction under test with what it needs (an address, an index, a matching exclusive
 * load). Branches go to the start of a later unit; short loops and calls are units too. Three registers of a program are
 * its own and never written by instructions under test; which ones they are changes from program to program.
 */

import { Prng } from '../../runtime/base/prng';
import type { Encoding } from '../../runtime/isa/interface';
import { AT, CODE, DATA_BYTES, DATA_MIDDLE, EXIT, LOG, LOG_END_BIT, RECORD_BYTES, RECORD_COUNT } from './layout';
import { POOL_BYTES } from './reference';
import { programRows, type ProgramRow } from './rows';
import { STACK_DESTINATIONS, UnitMaker, type Unit } from './units';
import * as w from './words';

/** A program ready to run. */
export interface Program {
  readonly seed: number;
  readonly number: number;
  readonly code: Uint8Array;
  /** Where in the pool its log and its data begin. */
  readonly logFrom: number;
  readonly dataFrom: number;
  /** Records before this one are not used. */
  readonly firstRecord: number;
  /** It must be loaded anew to run again. */
  readonly modifiesCode: boolean;
  /** How often each row is executed for certain. */
  readonly executed: ReadonlyMap<Encoding, number>;
  /** Instructions that only save the state or set the program up; they are compared but not counted. */
  readonly overhead: number;
}

/** What programs are made of and how long they are. */
export interface ProgramOptions { readonly seed: number; readonly rows: readonly ProgramRow[]; readonly units: number; readonly iterations: number; /** SYS is DC ZVA. */ readonly zeroesBlocks?: boolean }

/** Options as continuous integration has them. */
export const defaultOptions = (seed: number): ProgramOptions => ({ seed, rows: programRows, units: 150, iterations: 32 });

const mix = (...parts: readonly number[]): number => parts.reduce((hash, part) => Math.imul(hash ^ part, 0x9e3779b1) ^ (hash >>> 15), 0x2545f491) >>> 0;

/** Rows in an order that visits each before any comes again. */
class Deck {
  private readonly options: ProgramOptions;
  private order: readonly ProgramRow[] = [];
  private epoch = -1;

  constructor(options: ProgramOptions) {
    this.options = options;
  }

  at(position: number): ProgramRow | undefined {
    const { rows, seed } = this.options;
    const epoch = Math.floor(position / rows.length);
    if (epoch !== this.epoch) {
      const prng = new Prng(mix(seed, epoch, 1));
      const order = [...rows];
      for (let i = order.length - 1; i > 0; i--) {
        const j = prng.below(i + 1);
        const [a, b] = [order[i], order[j]];
        if (a !== undefined && b !== undefined) [order[i], order[j]] = [b, a];
      }
      this.order = order;
      this.epoch = epoch;
    }
    return this.order[position - epoch * rows.length];
  }
}

/** Makes the programs of one seed. */
export class ProgramMaker {
  private readonly options: ProgramOptions;
  private readonly deck: Deck;

  constructor(options: ProgramOptions) {
    this.options = options;
    this.deck = new Deck(options);
  }

  /** A few units that write over others; gives those that are written over. */
  private addOverwrites(maker: UnitMaker, body: Unit[]): ReadonlySet<Unit> {
    const { prng } = maker;
    const overwritten = new Set<Unit>();
    for (let count = 0; count < 4; count++) {
      const at = prng.below(body.length);
      const target = body.findIndex((unit, index) => index >= at && isReplaceable(unit));
      const unit = body[target];
      const row = PLAIN_ROWS[prng.below(PLAIN_ROWS.length)];
      if (unit === undefined || row === undefined) continue;
      const made = maker.overwrite(row, unit);
      if (made === undefined) continue;
      overwritten.add(unit);
      body.splice(prng.below(body.length), 0, made);
    }
    return overwritten;
  }

  /** The program of a number. */
  make(number: number): Program {
    const { seed, units: unitCount, iterations } = this.options;
    const prng = new Prng(mix(seed, number, 2));
    const maker = new UnitMaker(prng, { hasCalls: prng.below(2) === 0, zeroesBlocks: this.options.zeroesBlocks === true });
    const subroutines = maker.hasCalls ? Array.from({ length: 3 }, () => [maker.refresh(), maker.refresh()]) : [];
    const body: Unit[] = [];
    for (let i = 0; i < unitCount; i++) {
      const row = this.deck.at(number * unitCount + i);
      if (row === undefined) continue;
      if (prng.below(7) === 0) body.push(maker.refresh());
      const unit = maker.unit(row);
      // Half of what can be called is: it comes into a subroutine instead.
      const subroutine = subroutines[prng.below(12)];
      if (subroutine !== undefined && unit.branch === undefined && unit.literalAt === undefined && subroutine.length < 20) subroutine.push(unit);
      else body.push(unit.branch === undefined && prng.below(40) === 0 ? maker.loop([unit, maker.refresh()]) : unit);
    }
    const overwritten = prng.below(12) === 0 ? this.addOverwrites(maker, body) : new Set<Unit>();
    if (maker.hasCalls) subroutines.forEach((_, index) => { body.splice(prng.below(body.length), 0, maker.call(index)); });
    const firstRecord = RECORD_COUNT - iterations;
    const poolRecords = POOL_BYTES / RECORD_BYTES;
    const stateBits = this.options.rows.some(({ kind, encoding }) => kind === 'move' || encoding.class === 'msr_immediate') ? STATE_BITS_CLEAR : [];
    const { words, overhead } = assemble(maker, body, { subroutines, firstRecord, stateBits });
    return {
      seed, number, firstRecord, modifiesCode: overwritten.size > 0, code: new Uint8Array(Uint32Array.from(words).buffer), overhead: overhead.once + overhead.each * iterations,
      logFrom: prng.below(poolRecords - RECORD_COUNT) * RECORD_BYTES, dataFrom: prng.below(poolRecords - DATA_BYTES / RECORD_BYTES) * RECORD_BYTES,
      executed: countRows(body.map((unit) => (overwritten.has(unit) ? { ...unit, rows: [] } : unit)), subroutines, iterations),
    };
  }
}

/** Rows that may stand for one another. */
const PLAIN_ROWS = programRows.filter(({ kind, encoding }) => kind === 'plain' && !STACK_DESTINATIONS.test(encoding.class));

/** True for units that are one instruction which may as well be another. */
const isReplaceable = ({ words, rows, branch, literalAt }: Unit): boolean => words.length === 1 && rows.length === 1 && branch === undefined && literalAt === undefined;

/** Rows that are executed for certain: units that no branch skips, and what they call. */
function countRows(body: readonly Unit[], subroutines: readonly (readonly Unit[])[], iterations: number): ReadonlyMap<Encoding, number> {
  const executed = new Map<Encoding, number>();
  const count = (unit: Unit): void => {
    for (const [row, times] of unit.rows) executed.set(row, (executed.get(row) ?? 0) + times * iterations);
  };
  let uncertainUntil = 0;
  body.forEach((unit, index) => {
    const { branch } = unit;
    if (index >= uncertainUntil) {
      count(unit);
      if (branch !== undefined && branch.skip === undefined) subroutines[branch.call]?.forEach(count);
    }
    if (unit.isJump === true && branch?.skip !== undefined) uncertainUntil = Math.max(uncertainUntil, index + 1 + branch.skip);
  });
  return executed;
}

/** What a program may set in PSTATE would be met by the next one. */
const STATE_BITS_CLEAR = [w.writeSystem(31, w.SYSTEM.dit), w.writeSystem(31, w.SYSTEM.ssbs)];

/** Loads the first record and the program's own registers. */
function prologue({ prng, own: { log, data, scratch } }: UnitMaker, firstRecord: number): readonly number[] {
  const words = [...w.loadAddress(log, LOG + firstRecord * RECORD_BYTES)];
  words.push(w.loadX(scratch, log, AT.nzcv), w.writeSystem(scratch, w.SYSTEM.nzcv));
  for (let n = 0; n < 32; n += 2) words.push(w.loadPairQ(n, n + 1, log, AT.v + n * 16));
  for (let n = 0; n < 31; n++) if (n !== log) words.push(w.loadX(n, log, n * 8));
  words.push(...w.loadAddress(data, DATA_MIDDLE), w.addImmediate(31, data, (prng.below(128) - 64) * 16));
  return words;
}

/** Modes and status of an iteration, and fresh values in some registers. */
function head(maker: UnitMaker): readonly number[] {
  const { log, scratch } = maker.own;
  const control = [w.loadX(scratch, log, AT.fpcr), w.writeSystem(scratch, w.SYSTEM.fpcr), w.loadX(scratch, log, AT.fpsr), w.writeSystem(scratch, w.SYSTEM.fpsr), w.loadX(scratch, log, scratch * 8)];
  return [...control, ...Array.from({ length: 8 }, () => maker.refresh().words).flat()];
}

/** Writes the state over the record and goes on to the next one, without touching flags. */
function tail({ own: { log, scratch } }: UnitMaker): readonly number[] {
  const words: number[] = [];
  for (let n = 0; n < 30; n += 2) words.push(w.storePairX(n, n + 1, log, n * 8));
  words.push(w.storeX(30, log, 240), w.addImmediate(scratch, 31, 0), w.storeX(scratch, log, AT.sp));
  for (let n = 0; n < 32; n += 2) words.push(w.storePairQ(n, n + 1, log, AT.v + n * 16));
  for (const [register, at] of [[w.SYSTEM.nzcv, AT.nzcv], [w.SYSTEM.fpcr, AT.fpcr], [w.SYSTEM.fpsr, AT.fpsr]] as const) words.push(w.readSystem(scratch, register), w.storeX(scratch, log, at));
  words.push(w.loadX(scratch, log, scratch * 8), w.addImmediate(log, log, RECORD_BYTES));
  return words;
}

/** What there is besides the body. */
interface Surroundings { readonly subroutines: readonly (readonly Unit[])[]; readonly firstRecord: number; readonly stateBits: readonly number[] }

interface Overhead { readonly once: number; readonly each: number }

/** Puts everything in order and resolves branches. */
function assemble(maker: UnitMaker, body: readonly Unit[], { subroutines, firstRecord, stateBits }: Surroundings): { readonly words: readonly number[]; readonly overhead: Overhead } {
  const words = [...stateBits, ...prologue(maker, firstRecord)];
  const loopStart = words.length;
  const once = loopStart + 1;
  words.push(...head(maker));
  const starts: number[] = [];
  for (const unit of body) {
    starts.push(words.length);
    words.push(...unit.words);
  }
  starts.push(words.length);
  const saving = tail(maker);
  words.push(...saving);
  words.push(w.testBitZero(maker.own.log, LOG_END_BIT, (loopStart - words.length) * 4));
  words.push(w.branch(EXIT - CODE - words.length * 4));
  const entries = subroutines.map((units) => {
    const entry = words.length;
    for (const unit of units) words.push(...unit.words);
    words.push(w.RETURN);
    return entry;
  });
  body.forEach((unit, index) => {
    const { branch } = unit;
    const start = starts[index] ?? 0;
    if (branch === undefined) return;
    const target = branch.target !== undefined ? starts[body.indexOf(branch.target)] ?? 0 : branch.skip === undefined ? entries[branch.call] ?? 0 : starts[Math.min(index + 1 + branch.skip, body.length)] ?? 0;
    branch.patch(words, start, (target - start - branch.at) * 4);
  });
  resolveLiterals(maker.prng, words, { body, starts });
  return { words, overhead: { once, each: saving.length + 1 } };
}

/** Literals are words of the program itself. */
function resolveLiterals(prng: Prng, words: number[], { body, starts }: { readonly body: readonly Unit[]; readonly starts: readonly number[] }): void {
  body.forEach((unit, index) => {
    if (unit.literalAt === undefined) return;
    const at = (starts[index] ?? 0) + unit.literalAt;
    const distance = prng.below(words.length - 4) - at;
    words[at] = (((words[at] ?? 0) & ~(0x7ffff << 5)) | ((distance & 0x7ffff) << 5)) >>> 0;
  });
}

