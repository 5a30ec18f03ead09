/**
 * The banks of cached translations, by *context*: the values of all registers that a walk depends on. A vCPU that changes one of them gets
 * the banks of the new context, with what they still hold: a process switch forgets nothing, and vCPUs of one VM that run the same
 * process share its banks. ASID and VMID are not part of a context and need not be, since translations of different
 * tables are never in one context, and none outlives its descriptors (table-tracking.ts). What is in an entry and who fills it stands in mmu.ts.
 */

import { present } from '../base/assert';
import type { Core } from './core-module';
import * as layout from './layout';
import { systemSlot } from './system-slots';
import type { Views } from './views';

interface Context {
  readonly base: number;
  readonly key: Int32Array;
  /** Value of `STATE_TLB_GENERATION` for which the banks are valid. */
  generation: number;
  /** When it was selected last. */
  turn: number;
  /** Number of its stage-2 regime: contexts with the same have the same stage 2. */
  regime: number;
}

/** A word of a register and the bits of it that walks depend on. */
const word = (name: string, half: 0 | 1, mask = -1): readonly [slot: number, mask: number] => [systemSlot(name) + half * 4, mask];
const CONTROL = word('SCTLR_EL1', 0, 1 | (1 << 19));
const HYPERVISOR = word('HCR_EL2', 0, 1 | (1 << 2) | (1 << 12));
/** Most changing first, so that comparing ends early. TTBRs and VTTBR without ASID and VMID. */
const STAGE1 = [
  word('TTBR0_EL1', 0), word('TTBR0_EL1', 1, 0xffff), word('TTBR1_EL1', 0), word('TTBR1_EL1', 1, 0xffff),
  word('TCR_EL1', 0), word('TCR_EL1', 1), word('MAIR_EL1', 0), word('MAIR_EL1', 1), word('SCTLR_EL1', 1, 1 << 25),
] as const;
const STAGE2 = [
  word('VTTBR_EL2', 0), word('VTTBR_EL2', 1, 0xffff), word('VTCR_EL2', 0), [layout.SLOT_WATCH_SET, -1],
] as const;
const KEY_LENGTH = STAGE1.length + STAGE2.length + 2;
const TBI_MASK = 1 << 5 | 1 << 6;

/** Places of the key that say what stage 2 does. */
const STAGE2_WORDS = [...STAGE2.keys()].map((index) => STAGE1.length + index).concat(KEY_LENGTH - 1);
const REGIME_COUNT_MAX = 0x7f_ffff;

/** Owner of all banks. */
export class TranslationCache {
  private readonly views: Views;
  private readonly core: Pick<Core, 'forgetAll' | 'dropWrites' | 'tableWrite'>;
  private readonly contexts: Context[] = [];
  private readonly wanted = new Int32Array(KEY_LENGTH);
  private current: Context;
  private turn = 0;
  private regimeCount = 0;

  constructor(views: Views, core: Pick<Core, 'forgetAll' | 'dropWrites' | 'tableWrite'>) {
    this.views = views;
    this.core = core;
    this.current = this.addContext();
    this.select();
  }

  /** Makes the banks of the vCPU in place the current ones; to be called when it changes, or a register that translation depends on. */
  select(): void {
    this.readKey();
    if (!this.matches(this.current)) this.current = this.contexts.find((context) => this.matches(context)) ?? this.newContext();
    const { current } = this;
    current.turn = ++this.turn;
    this.views.setWord(layout.STATE_TLB, current.base);
    this.views.setWord(layout.STATE_STAGE2_REGIME, current.regime);
    const generation = this.views.word(layout.STATE_TLB_GENERATION);
    if (current.generation === generation) return;
    current.generation = generation;
    this.clear(current);
  }

  /** Forgets everything, for every vCPU. */
  flushAll(): void {
    this.core.forgetAll();
    this.current.generation = this.views.word(layout.STATE_TLB_GENERATION);
  }

  /** Takes the write tags of a RAM page away. */
  dropWrites(page: number): void {
    this.core.dropWrites(page);
  }

  /** The host is about to write bytes of a page that holds descriptors. */
  tableWrite(page: number, host: number, sizeBytes: number): void {
    this.core.tableWrite(page, host, sizeBytes);
    this.current.generation = this.views.word(layout.STATE_TLB_GENERATION);
  }

  /** Remembers that instructions at `page` (a VA) are in a micro-op block, as the last walk found it, for bank `bank` of the context. */
  setCode(page: bigint, bank: number, block: number): void {
    const { views } = this;
    const base = this.current.base + bank * layout.TLB_BANK_SIZE;
    const index = Number((page >> 12n) & BigInt(layout.TLB_CODE_COUNT - 1));
    const entry = base + layout.TLB_CODE_OFFSET + index * layout.TLB_CODE_SIZE;
    views.setLong(entry, page);
    views.setWord(entry + 8, block);
    views.setWord(entry + 12, views.word(layout.WALK_LEAF) | views.word(layout.WALK_GUARDED));
    views.setWord(base + layout.TLB_USED_OFFSET, 1);
  }

  private readKey(): void {
    const { wanted, views } = this;
    const read = ([slot, mask]: readonly [number, number]): number => views.word(slot) & mask;
    const control = read(CONTROL);
    const isOn = (control & 1) !== 0;
    let at = 0;
    for (const part of STAGE1) wanted[at++] = isOn ? read(part) : 0;
    // With stage 1 off, the top byte counts still.
    if (!isOn) wanted[5] = views.word(systemSlot('TCR_EL1') + 4) & TBI_MASK;
    for (const part of STAGE2) wanted[at++] = read(part);
    wanted[at++] = control;
    wanted[at] = read(HYPERVISOR);
  }

  private matches({ key }: Context): boolean {
    const { wanted } = this;
    for (let i = 0; i < KEY_LENGTH; i++) if (key[i] !== wanted[i]) return false;
    return true;
  }

  /** A context for the wanted key: a new one, or the one that was not used for longest. */
  private newContext(): Context {
    const { wanted } = this;
    const sameStage2 = this.contexts.find(({ key }) => STAGE2_WORDS.every((at) => key[at] === wanted[at]));
    const regime = sameStage2?.regime ?? this.newRegime();
    const context = this.contexts.length < layout.TLB_CONTEXT_COUNT ? this.addContext() : this.oldest();
    context.regime = regime;
    context.key.set(wanted);
    context.generation = -1;
    return context;
  }

  /** Numbers are used once, until they run out and everything is forgotten. */
  private newRegime(): number {
    if (this.regimeCount === REGIME_COUNT_MAX) {
      this.core.forgetAll();
      for (const context of this.contexts) context.key.fill(-1);
      this.regimeCount = 0;
    }
    return ++this.regimeCount;
  }

  private oldest(): Context {
    return this.contexts.reduce((oldest, context) => (context.turn < oldest.turn ? context : oldest), present(this.contexts[0], 'contexts exist'));
  }

  private addContext(): Context {
    const base = layout.TLB_BANKS + this.contexts.length * layout.TLB_CONTEXT_SIZE;
    const context: Context = { base, key: new Int32Array(KEY_LENGTH), generation: -1, turn: 0, regime: 0 };
    this.contexts.push(context);
    this.views.setWord(layout.STATE_CONTEXT_COUNT, this.contexts.length);
    for (let bank = 0; bank < layout.TLB_BANK_COUNT; bank++) this.views.setWord(base + bank * layout.TLB_BANK_SIZE + layout.TLB_USED_OFFSET, 1);
    return context;
  }

  private clear({ base }: Context): void {
    const { views } = this;
    for (let bank = base; bank < base + layout.TLB_CONTEXT_SIZE; bank += layout.TLB_BANK_SIZE) {
      if (views.word(bank + layout.TLB_USED_OFFSET) === 0) continue;
      views.bytes.fill(0xff, bank, bank + layout.TLB_USED_OFFSET);
      views.setWord(bank + layout.TLB_USED_OFFSET, 0);
    }
  }
}
