/** Units of conformance programs: an instruction of a row, and around it what makes it safe and its operands interesting. */

import type { Prng } from '../../runtime/base/prng';
import { encodings, decode } from '../../runtime/isa/encodings';
import type { Encoding, Fields } from '../../runtime/isa/interface';
import { extractFields, type CompiledEncoding } from '../../runtime/isa/pattern';
import { isUnpredictable } from '../../runtime/isa/unpredictable';
import { AT, DATA_BYTES } from './layout';
import { alignmentOf, immediateOffset, offsetScale, writesBack, type ProgramRow } from './rows';
import * as w from './words';

/** A distance to another unit that is known only when everything has its place. */
export interface PendingBranch {
  /** Index in the unit of the word that holds the distance. */
  readonly at: number;
  /** How many units lie between, or `undefined` for a call. */
  readonly skip: number | undefined;
  /** Which subroutine is called. */
  readonly call: number;
  /** The unit itself, where it is not told by its distance. */
  readonly target?: Unit;
  patch(words: number[], start: number, distance: number): void;
}

/** A sequence that is entered at its start only. */
export interface Unit {
  readonly words: readonly number[];
  /** Rows under test, and how often an execution of the unit executes them. */
  readonly rows: readonly (readonly [Encoding, number])[];
  readonly branch?: PendingBranch;
  /** True if control goes there: what lies between may be left out. */
  readonly isJump?: boolean;
  /** Index of a load of a literal. */
  readonly literalAt?: number;
}

const ATTEMPTS_MAX = 4000;
/** How far from the middle of the data accesses begin at most. */
const REACH = DATA_BYTES / 2 - 192;
/** Classes in which Rd = 31 is SP; those that set flags are not among them. */
export const STACK_DESTINATIONS = /^(add_sub_immediate|add_sub_extended_register|logical_immediate)$/;
const pacIsReady = encodings.some(({ class: key, state }) => key === 'pointer_authentication' && state === 'ready');
/** WFE and WFI wait; with pointer authentication the reference signs with keys that nobody knows. XPACLRI needs none. */
const hintIsUsable = (number: number): boolean => ![1, 2, 3, 4, 5].includes(number) && !(number >= 8 && number <= 15) && !(number >= 24 && number <= 31) && (number !== 7 || pacIsReady);
/** DC CVAC, CVAU, CIVAC and IC IVAU. DC ZVA has blocks of another size on the reference, and user mode there has no DC CVAP. */
const CACHE_OPERATIONS = [[10, 1], [11, 1], [14, 1], [5, 1]] as const;

const ZERO_BLOCK = [4, 1] as const;

/** A signed number in a range that is small, anywhere, or next to the border of a page. */
function place(prng: Prng): number {
  switch (prng.below(4)) {
    case 0: return prng.below(512) - 256;
    case 1: return (prng.below(3) - 1) * 4096 - prng.below(40);
    default: return prng.below(2 * REACH) - REACH;
  }
}

/** Makes the units of one program. */
export class UnitMaker {
  readonly prng: Prng;
  /** Registers of the program itself: record, middle of the data, counter of short loops; and one that is saved before it is used. */
  readonly own: { readonly log: number; readonly data: number; readonly counter: number; readonly scratch: number };
  readonly hasCalls: boolean;
  private readonly reserved: ReadonlySet<number>;

  private readonly zeroesBlocks: boolean;

  constructor(prng: Prng, options: { readonly hasCalls: boolean; readonly zeroesBlocks: boolean }) {
    this.prng = prng;
    const { hasCalls } = options;
    this.hasCalls = hasCalls;
    this.zeroesBlocks = options.zeroesBlocks;
    const order = Array.from({ length: 30 }, (_, n) => n);
    const draw = (): number => order.splice(prng.below(order.length), 1)[0] ?? 0;
    this.own = { log: draw(), data: draw(), counter: draw(), scratch: draw() };
    this.reserved = new Set([this.own.log, this.own.data, this.own.counter, ...(hasCalls ? [30] : [])]);
  }

  /** A register that may be written, other than the given ones. */
  private free(...taken: readonly number[]): number {
    for (;;) {
      const n = this.prng.below(31);
      if (!this.reserved.has(n) && !taken.includes(n)) return n;
    }
  }

  private isLegal(fields: Fields, key: string): boolean {
    for (const name of ['Rd', 'Rt', 'Rt2', 'Rs']) {
      const register = fields[name];
      if (register === undefined) continue;
      if (this.reserved.has(register) || (key === 'compare_and_swap_pair' && this.reserved.has(register + 1))) return false;
    }
    return true;
  }

  /** A random word of a row with some fields given; `undefined` if the row does not allow them. */
  word(row: CompiledEncoding, fixed: Fields = {}): number | undefined {
    const determined = row.mask | row.shouldBeMask;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      let word = (this.prng.nextU32() & ~determined) | row.value | row.shouldBeValue;
      for (const { name, shift, width } of row.fields) {
        const value = fixed[name];
        if (value !== undefined) word = (word & ~(((1 << width) - 1) << shift)) | (value << shift);
      }
      word = this.withEqualOperands(row, word >>> 0, fixed);
      const decoded = decode(word);
      if (decoded?.encoding === row.encoding && !isUnpredictable(decoded) && this.isLegal(decoded.fields, row.encoding.class)) return word;
    }
    return undefined;
  }

  /** Now and then the sources are one register, or the destination is a source: chance alone seldom makes operands equal. */
  private withEqualOperands(row: CompiledEncoding, word: number, fixed: Fields): number {
    const kind = this.prng.below(8);
    if (kind > 2) return word;
    const [to, from] = ([['Rm', 'Rn'], ['Rd', 'Rn'], ['Rd', 'Rm']] as const)[kind] ?? ['Rm', 'Rn'];
    const [target, source] = [row.fields.find(({ name }) => name === to), row.fields.find(({ name }) => name === from)];
    if (target?.width !== 5 || source?.width !== 5 || to in fixed || target.fixedMask !== 0) return word;
    return ((word & ~(31 << target.shift)) | (((word >>> source.shift) & 31) << target.shift)) >>> 0;
  }

  /** The unit of a row. */
  unit(row: ProgramRow): Unit {
    const made = this.tryUnit(row);
    if (made === undefined) throw new Error(`no unit found for ${row.encoding.name} ${row.encoding.pattern}`);
    return made;
  }

  private tryUnit({ row, encoding, kind }: ProgramRow): Unit | undefined {
    switch (kind) {
      case 'plain': return this.plain(row);
      case 'memory': return this.memory(row);
      case 'aligned': return this.aligned(row);
      case 'literal': return this.simple(row, (word) => ({ words: [word], rows: [[encoding, 1]], literalAt: 0 }));
      case 'direct': return this.direct(row);
      case 'indirect': return this.indirect(row);
      case 'move': return this.move(row);
      case 'system': return this.system(row);
      case 'hint': return this.hint(row);
    }
  }

  private simple(row: CompiledEncoding, make: (word: number) => Unit, fixed: Fields = {}): Unit | undefined {
    const word = this.word(row, fixed);
    return word === undefined ? undefined : make(word);
  }

  private plain(row: CompiledEncoding): Unit | undefined {
    return this.simple(row, (word) => {
      const spoilsStack = STACK_DESTINATIONS.test(row.encoding.class) && (word & 31) === 31;
      return { words: spoilsStack ? [word, ...this.observeStack()] : [word], rows: [[row.encoding, 1]] };
    });
  }

  /** Lets the value of SP be seen, and makes it an aligned address again. */
  private observeStack(): readonly number[] {
    return [w.addImmediate(this.free(), 31, 0), w.addImmediate(31, this.own.data, (this.prng.below(400) - 200) * 16)];
  }

  /** Words that put the middle of the data plus a distance into a register, now and then with a tag in the byte that is ignored. */
  private address(register: number, distance: number): readonly number[] {
    const { data } = this.own;
    const tag = this.tag(register);
    if (Math.abs(distance) < 4096) return [w.addImmediate(register, data, distance), ...tag];
    const pages = Math.floor(distance / 4096);
    return [w.addImmediate(register, data, pages, true), w.addImmediate(register, register, distance - pages * 4096), ...tag];
  }

  private tag(register: number): readonly number[] {
    return this.prng.below(12) === 0 ? [w.moveTop(register, this.prng.below(256) << 8)] : [];
  }

  /** Base register and index register around an access that may lie anywhere. */
  private memory(row: CompiledEncoding): Unit | undefined {
    const { prng } = this;
    const key = row.encoding.class;
    const base = this.free();
    const hasIndex = row.fields.some(({ name }) => name === 'Rm');
    const index = hasIndex && prng.below(8) !== 0 ? this.free(base) : 31;
    const word = this.word(row, { Rn: base, ...(hasIndex ? { Rm: index } : {}) });
    if (word === undefined) return undefined;
    const fields = extractFields(row, word);
    const indexed = index === 31 ? { words: [], offset: 0 } : this.index(key, fields, index);
    const distance = place(prng) - immediateOffset(key, fields) - indexed.offset;
    const rows: Unit['rows'] = [[row.encoding, 1]];
    // SP is a base as good as any if the distance suits it.
    const stackDistance = Math.round(distance / 16) * 16;
    if (prng.below(4) === 0 && Math.abs(stackDistance) < 4096) {
      const onStack = (word | (31 << 5)) >>> 0;
      const spoilsStack = writesBack(key);
      return { words: [w.addImmediate(31, this.own.data, stackDistance), ...indexed.words, onStack, ...(spoilsStack ? this.observeStack() : [])], rows };
    }
    return { words: [...this.address(base, distance), ...indexed.words, word], rows };
  }

  /** An index register's value, and what it adds to the base. */
  private index(key: string, fields: Fields, register: number): { readonly words: readonly number[]; readonly offset: number } {
    const { prng } = this;
    const option = fields['option'] ?? 3;
    const isWord = option === 2 || option === 6;
    const value = option === 2 || prng.below(2) === 0 ? prng.below(64) : -prng.below(64);
    const isAccess = key.includes('register_offset');
    const scale = isAccess && fields['S'] === 1 ? offsetScale(key, fields) : 0;
    const garbage = isWord ? [w.moveTop(register, prng.nextU32() & 0xffff)] : [];
    // Post-indexing adds after the access.
    return { words: [w.moveSmall(register, value), ...garbage], offset: isAccess ? value * (1 << scale) : 0 };
  }

  /** An access that must be aligned; exclusive stores get their load, compare-and-swap often the right value. */
  private aligned(row: CompiledEncoding): Unit | undefined {
    const { prng } = this;
    const { encoding } = row;
    const key = encoding.class;
    const base = this.free();
    const word = this.word(row, { Rn: base });
    if (word === undefined) return undefined;
    const fields = extractFields(row, word);
    const alignment = alignmentOf(key, fields);
    const target = Math.floor(place(prng) / alignment) * alignment;
    const isFirst = prng.below(5) !== 0;
    // An exclusive store after a load of another size may or may not succeed, so that none is left open.
    const before = isFirst ? this.beforeAligned(key, fields, { base, size: fields['size'] ?? 0 }) : key.startsWith('load_store_exclusive') ? [w.CLREX] : [];
    return { words: [...this.address(base, target - immediateOffset(key, fields)), ...before, word], rows: [[encoding, 1]] };
  }

  private beforeAligned(key: string, fields: Fields, { base, size }: { readonly base: number; readonly size: number }): readonly number[] {
    const rs = fields['Rs'] ?? 31;
    const at = base << 5;
    if (key === 'compare_and_swap') return rs === 31 || rs === base ? [] : [((0x39400000 | (size << 30) | at | rs) >>> 0)];
    if (key === 'compare_and_swap_pair') {
      if (rs === base || rs + 1 === base) return [];
      return [((fields['sz'] === 1 ? 0xa9400000 : 0x29400000) | ((rs + 1) << 10) | at | rs) >>> 0];
    }
    if (!key.startsWith('load_store_exclusive') || fields['L'] === 1) return [];
    const [first, second] = [this.free(base), this.free(base)];
    const between = this.prng.below(6) === 0 ? [((0x39000000 | at | this.free()) >>> 0)] : [];
    const load = key === 'load_store_exclusive' ? 0x085f7c00 | (size << 30) | at | first : 0x887f0000 | ((size & 1) << 30) | (second << 10) | at | first;
    return first === second ? [w.CLREX, ...between] : [load >>> 0, ...between];
  }

  /** A branch over the next few units. */
  private direct(row: CompiledEncoding): Unit | undefined {
    const field = row.fields.find(({ name }) => name.startsWith('imm'));
    if (field === undefined || (row.encoding.mnemonic === 'bl' && this.hasCalls)) return this.callBy(row);
    const mask = 2 ** field.width - 1;
    const patch: PendingBranch['patch'] = (words, start, distance) => { words[start] = ((words[start] ?? 0) | (((distance >> 2) & mask) << field.shift)) >>> 0; };
    return this.simple(row, (word) => ({ words: [word], rows: [[row.encoding, 1]], isJump: true, branch: { at: 0, skip: this.prng.below(4), call: 0, patch } }), { [field.name]: 0 });
  }

  /** BR, BLR and RET to an address in a register. */
  private indirect(row: CompiledEncoding): Unit | undefined {
    if (row.encoding.mnemonic === 'blr' && this.hasCalls) return this.callBy(row);
    const register = this.free();
    const patch: PendingBranch['patch'] = (words, start, distance) => { words[start] = w.addressOf(register, distance); };
    return this.simple(row, (word) => ({ words: [w.NOP, ...this.tag(register), word], rows: [[row.encoding, 1]], isJump: true, branch: { at: 0, skip: this.prng.below(4), call: 0, patch } }), { Rn: register });
  }

  private callBy({ encoding }: CompiledEncoding): Unit {
    const call = this.prng.below(3);
    const register = this.free();
    const isDirect = encoding.mnemonic === 'bl';
    const patch: PendingBranch['patch'] = (words, start, distance) => {
      if (isDirect) words[start] = (0x94000000 | ((distance >> 2) & 0x3ff_ffff)) >>> 0;
      else words[start] = w.addressOf(register, distance);
    };
    const words = isDirect ? [w.NOP] : [w.NOP, ...this.tag(register), (0xd63f0000 | (register << 5)) >>> 0];
    return { words, rows: [[encoding, 1]], branch: { at: 0, skip: undefined, call, patch } };
  }

  /** A call of a subroutine. */
  call(index: number): Unit {
    const patch: PendingBranch['patch'] = (words, start, distance) => { words[start] = (0x94000000 | ((distance >> 2) & 0x3ff_ffff)) >>> 0; };
    return { words: [w.NOP], rows: [], branch: { at: 0, skip: undefined, call: index, patch } };
  }

  /** Units repeated a few times. */
  loop(units: readonly Unit[]): Unit {
    const { counter } = this.own;
    const count = 2 + this.prng.below(12);
    if (units.some(({ literalAt, branch }) => literalAt !== undefined || branch !== undefined)) return units[0] ?? { words: [], rows: [] };
    const inside = units.flatMap(({ words }) => words);
    const back = -(inside.length + 1) * 4;
    const ends = [
      [w.addImmediate(counter, counter, -1), w.branchNonZero(counter, back)],
      [w.subtractSettingFlags(counter, counter, 1), w.branchNotEqual(back)],
      // Counts up from a negative number.
      [w.addImmediate(counter, counter, 1), w.testBitNonZero(counter, 63, back)],
    ] as const;
    const kind = this.prng.below(ends.length);
    const words = [w.moveSmall(counter, kind === 2 ? -count : count), ...inside, ...(ends[kind] ?? ends[0])];
    return { words, rows: units.flatMap(({ rows }) => rows.map(([row, each]): readonly [Encoding, number] => [row, each * count])) };
  }

  /** MRS and MSR of what user mode has; control values come from the record. */
  private move({ encoding }: CompiledEncoding): Unit {
    const { prng, own: { log } } = this;
    const rt = this.free();
    const rows: Unit['rows'] = [[encoding, 1]];
    const names = ['nzcv', 'fpcr', 'fpsr', 'tpidr', 'dit', 'ssbs'] as const;
    const name = names[prng.below(names.length)] ?? 'nzcv';
    const register = w.SYSTEM[name];
    if (encoding.mnemonic === 'mrs') return { words: [w.readSystem(prng.below(8) === 0 ? 31 : rt, prng.below(10) === 0 ? w.SYSTEM.tpidrro : register)], rows };
    if (name === 'fpcr' || name === 'fpsr') return { words: [w.loadX(rt, log, AT[name]), w.writeSystem(rt, register)], rows };
    return { words: [w.writeSystem(prng.below(8) === 0 ? 31 : rt, register)], rows };
  }

  private system({ encoding }: CompiledEncoding): Unit {
    const register = this.free();
    const [crm, op2] = this.zeroesBlocks ? ZERO_BLOCK : CACHE_OPERATIONS[this.prng.below(CACHE_OPERATIONS.length)] ?? [10, 1];
    const word = (0xd5080000 | (3 << 16) | (7 << 12) | (crm << 8) | (op2 << 5) | register) >>> 0;
    return { words: [...this.address(register, place(this.prng)), word], rows: [[encoding, 1]] };
  }

  private hint({ encoding }: CompiledEncoding): Unit {
    for (;;) {
      const number = this.prng.below(128);
      if (hintIsUsable(number)) return { words: [(0xd503201f | (number << 5)) >>> 0], rows: [[encoding, 1]] };
    }
  }

  /**
   * Writes another instruction over the one that a later unit consists of, or an earlier one, which the next iteration meets.
   */
  overwrite(row: ProgramRow, target: Unit): Unit | undefined {
    const word = this.word(row.row);
    if (word === undefined) return undefined;
    const address = this.free();
    const value = this.free(address);
    const patch: PendingBranch['patch'] = (words, start, distance) => { words[start] = w.addressOf(address, distance); };
    const words = [w.NOP, ...w.loadAddress(value, word), (0xb9000000 | (address << 5) | value) >>> 0, ...w.synchronize(address)];
    return { words, rows: [], branch: { at: 0, skip: 0, call: 0, target, patch } };
  }

  /** Fresh values from the record. */
  refresh(): Unit {
    const { prng, own: { log } } = this;
    if (prng.below(2) === 0) {
      const first = prng.below(32);
      return { words: [w.loadPairQ(first, (first + 1 + prng.below(31)) % 32, log, AT.v + prng.below(30) * 16)], rows: [] };
    }
    // From few places, so that registers often hold the same.
    const first = this.free();
    return { words: [w.loadPairX(first, this.free(first), log, (prng.below(3) === 0 ? prng.below(30) : prng.below(5)) * 8)], rows: [] };
  }
}
