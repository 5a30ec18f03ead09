/**
 * Decoded code: blocks of micro-ops per physical page, filled one instruction at a time when it first executes, and the
 * breakpoint marks on them. Writing over code drops it in granules of 64 bytes (helpers.ts does that).
 */

import { decode } from '../isa/encodings';
import { isAvailable, type FeatureTest } from './decode-cache';
import * as layout from './layout';
import { MicroOpField, MICRO_OP_SIZE } from './layout';
import { fusionOf, instructionClass, microOpNumber, OP_DECODE, OP_FIRST, OP_PAGE_END, OP_TRAP, unfused } from './semantics';
import type { Lowered } from './semantics/lowering';
import type { TranslationCache } from './translation-cache';
import type { Views } from './views';

const INSTRUCTIONS_PER_PAGE = 1024;
const TRAP: Lowered = { op: '' };

/** The micro-op of a word at an offset in its page; what the core lacks becomes a trap. */
export function lowerWord(word: number, pageOffset: number, has: FeatureTest): Lowered {
  const decoded = decode(word);
  if (decoded === undefined || !isAvailable(decoded, has)) return TRAP;
  const { encoding, fields } = decoded;
  return instructionClass(encoding.class)?.lower(fields, { pageOffset, has }, encoding.class) ?? TRAP;
}

/** All decoded code of one engine. */
export class CodeCache {
  private readonly views: Views;
  private readonly translations: TranslationCache;
  private readonly has: FeatureTest;
  private readonly pages = new Int32Array(layout.CODE_BLOCK_COUNT);
  private blockCount = 0;
  private breakpointOffsets = new Set<number>();

  constructor(views: Views, translations: TranslationCache, has: FeatureTest) {
    this.views = views;
    this.translations = translations;
    this.has = has;
  }

  /** The block of a RAM page; a full pool drops everything first. */
  blockOf(page: number): number {
    const slot = layout.CODE_BLOCK_OF_PAGE + page * 4;
    const known = this.views.word(slot);
    if (known !== 0) return known;
    if (this.blockCount === layout.CODE_BLOCK_COUNT) this.dropAll();
    const block = layout.POOL + this.blockCount * layout.CODE_BLOCK_SIZE;
    this.views.bytes.fill(0, block, block + layout.CODE_BLOCK_SIZE);
    this.views.setHalf(block + INSTRUCTIONS_PER_PAGE * MICRO_OP_SIZE, OP_PAGE_END);
    this.pages[this.blockCount++] = page;
    this.views.setWord(slot, block);
    return block;
  }

  /** Forgets all decoded code and all translations. */
  dropAll(): void {
    for (const page of this.pages.subarray(0, this.blockCount)) {
      this.views.setWord(layout.CODE_BLOCK_OF_PAGE + page * 4, 0);
      this.views.setLong(layout.CODE_GRANULES + page * 8, 0n);
      this.views.setByte(layout.PAGE_FLAGS + page, this.views.byte(layout.PAGE_FLAGS + page) & ~layout.PAGE_CODE);
    }
    this.blockCount = 0;
    this.translations.flushAll();
  }

  /** Fills in one micro-op; called by generated code. */
  decodeAt(microOp: number): void {
    const index = Math.floor((microOp - layout.POOL) / layout.CODE_BLOCK_SIZE);
    const block = layout.POOL + index * layout.CODE_BLOCK_SIZE;
    const pageOffset = (microOp - block) / 4;
    const page = this.pages[index] ?? 0;
    const word = this.views.word(layout.RAM + page * 4096 + pageOffset);
    this.markCode(page, pageOffset);
    this.write(microOp, lowerWord(word, pageOffset, this.has));
    this.fuse(microOp - MICRO_OP_SIZE, pageOffset - 4);
    this.fuse(microOp, pageOffset);
    if (this.breakpointOffsets.has(pageOffset)) this.mark(microOp);
  }

  /** Offsets in a page at which some breakpoint stands. Marks and unmarks what is decoded already. */
  setBreakpointOffsets(offsets: Set<number>): void {
    const previous = this.breakpointOffsets;
    this.breakpointOffsets = offsets;
    for (let index = 0; index < this.blockCount; index++) {
      const block = layout.POOL + index * layout.CODE_BLOCK_SIZE;
      for (const offset of previous) this.unmark(block + offset * 4);
      for (const offset of offsets) this.mark(block + offset * 4);
    }
  }

  /** Address of the micro-op of a RAM page's offset, if the page has a block. */
  microOpAt(page: number, pageOffset: number): number | undefined {
    const block = this.views.word(layout.CODE_BLOCK_OF_PAGE + page * 4);
    return block === 0 ? undefined : block + pageOffset * 4;
  }

  /** Marks a decoded micro-op: executing it leaves generated code. */
  mark(microOp: number): void {
    const op = this.views.half(microOp);
    if (op === OP_DECODE) return;
    this.views.setHalf(microOp, op | layout.BREAKPOINT_MARK);
    this.unfuse(microOp - MICRO_OP_SIZE);
  }

  /** Fuses a micro-op with the next one, if both are decoded, unmarked and dropped together when written over. */
  private fuse(microOp: number, pageOffset: number): void {
    const isLastOfGranule = (pageOffset & 63) === 60;
    if (isLastOfGranule || pageOffset < 0) return;
    const [first, second] = [this.views.half(microOp), this.views.half(microOp + MICRO_OP_SIZE)];
    if (first < OP_FIRST || second < OP_FIRST || ((first | second) & layout.BREAKPOINT_MARK) !== 0) return;
    const fused = fusionOf(unfused(first), unfused(second));
    if (fused !== undefined) this.views.setHalf(microOp, fused);
  }

  /** The micro-op before a marked one must not run over it. What lies before a block is never a fused op's place. */
  private unfuse(microOp: number): void {
    const op = this.views.half(microOp);
    const mark = op & layout.BREAKPOINT_MARK;
    this.views.setHalf(microOp, unfused(op & ~layout.BREAKPOINT_MARK) | mark);
  }

  /** Takes the mark away; gives whether there was one. */
  unmark(microOp: number): boolean {
    const op = this.views.half(microOp);
    this.views.setHalf(microOp, op & ~layout.BREAKPOINT_MARK);
    return (op & layout.BREAKPOINT_MARK) !== 0;
  }

  private write(microOp: number, lowered: Lowered): void {
    const { views } = this;
    views.setHalf(microOp, lowered.op === '' ? OP_TRAP : microOpNumber(lowered.op));
    views.setHalf(microOp + MicroOpField.d, lowered.d ?? layout.SLOT_SINK);
    views.setHalf(microOp + MicroOpField.n, lowered.n ?? layout.SLOT_ZERO);
    views.setHalf(microOp + MicroOpField.m, lowered.m ?? layout.SLOT_ZERO);
    if (lowered.imm !== undefined) {
      views.setLong(microOp + MicroOpField.imm, lowered.imm);
    } else {
      views.setWord(microOp + MicroOpField.imm, lowered.low ?? 0);
      views.setWord(microOp + MicroOpField.high, lowered.high ?? 0);
    }
  }

  /** Decoded code takes the page's fast writes away. */
  private markCode(page: number, pageOffset: number): void {
    const { views } = this;
    const granules = layout.CODE_GRANULES + page * 8;
    views.setLong(granules, views.long(granules) | (1n << BigInt(pageOffset >> 6)));
    const flags = views.byte(layout.PAGE_FLAGS + page);
    if ((flags & layout.PAGE_CODE) !== 0) return;
    views.setByte(layout.PAGE_FLAGS + page, flags | layout.PAGE_CODE);
    this.translations.dropWrites(page);
  }
}
