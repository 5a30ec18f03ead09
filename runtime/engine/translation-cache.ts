/**
 * The banks of cached translations: one pair (EL0, EL1) per vCPU. Banks of vCPUs that do not run are flushed lazily, by
 * generation. What is in an entry and who fills it stands in mmu.ts.
 */

import * as layout from './layout';
import type { Views } from './views';

/** Owner of all banks. */
export class TranslationCache {
  private readonly views: Views;
  private generation = 1;
  private readonly generations = new Uint32Array(layout.VCPU_COUNT_MAX);
  private current = 0;

  constructor(views: Views) {
    this.views = views;
  }

  /** Makes the banks of a vCPU the current ones. */
  select(vcpu: number): void {
    this.current = vcpu;
    this.views.setWord(layout.STATE_TLB, this.bank());
    this.catchUp();
  }

  /** Forgets everything, for every vCPU. */
  flushAll(): void {
    this.generation++;
    this.catchUp();
  }

  /** Forgets the current vCPU's translations. */
  flushCurrent(): void {
    const bank = this.bank();
    this.views.bytes.fill(0xff, bank, bank + 2 * layout.TLB_BANK_SIZE);
  }

  /** Remembers that instructions at `page` (a VA) are in a micro-op block, for the current vCPU at `el`. */
  setCode(page: bigint, el: number, block: number): void {
    const index = Number((page >> 12n) & BigInt(layout.TLB_CODE_COUNT - 1));
    const entry = this.bank() + el * layout.TLB_BANK_SIZE + layout.TLB_CODE_OFFSET + index * layout.TLB_CODE_SIZE;
    this.views.setLong(entry, page);
    this.views.setWord(entry + 8, block);
  }

  private bank(): number {
    return layout.TLB_BANKS + this.current * 2 * layout.TLB_BANK_SIZE;
  }

  private catchUp(): void {
    if (this.generations[this.current] === this.generation) return;
    this.generations[this.current] = this.generation;
    this.flushCurrent();
  }
}
