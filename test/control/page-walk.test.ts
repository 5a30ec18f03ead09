/** What is shown of page tables, against the engine's own walker, which shares no code with it: random tables of all granules in a real VM. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../runtime/base/prng';
import { ipa, pa, ticks, va, walkTables, type System, type WalkLevel } from '../../runtime/index';
import { debug, finish, guestSubject } from '../support/system';

const TABLE_PAGES = 16;
const TABLES = 0x4400_0000n;
const GRANULE_BITS = { 12: 0n, 16: 1n, 14: 2n } as const;
type Granule = keyof typeof GRANULE_BITS;
const GRANULES: readonly Granule[] = [12, 14, 16];

let system: System;

/** A guest that runs on a core; its tables become ours. */
async function powerOn(cpu: 'cortex-a57' | 'max'): Promise<void> {
  const subject = await guestSubject('hello');
  const target = debug({ ...subject, description: { ...subject.description, platform: { ...subject.description.platform, cpuModel: cpu } } });
  finish(target.runToEntry());
  target.system.run({ until: ticks(target.system.now + 1000) });
  ({ system } = target);
}

/** Random numbers with the shapes that tables need. */
class Dice {
  private readonly prng: Prng;

  constructor(seed: number) {
    this.prng = new Prng(seed);
  }

  below(count: number): number {
    return this.prng.below(count);
  }

  of<T>(list: readonly [T, ...T[]]): T {
    return list[this.below(list.length)] ?? list[0];
  }

  /** An address of a table, or of memory; now and then one that leads nowhere. */
  private output(granule: Granule): bigint {
    const kind = this.below(20);
    if (kind === 0) return BigInt(this.below(1 << 20)) << BigInt(granule + 8);
    return TABLES + (BigInt(this.below(TABLE_PAGES * 4)) << BigInt(granule));
  }

  descriptor(granule: Granule): bigint {
    const type = this.of([3n, 3n, 3n, 3n, 3n, 1n, 1n, 0n, 2n]);
    const attributes = (1n << 10n) | (BigInt(this.below(16)) << 6n & 0x3c0n) | (BigInt(this.below(8)) << 2n);
    return this.output(granule) | attributes | type;
  }

  address(): bigint {
    const low = (this.prng.nextU64() & 0xffff_ffff_ffffn) >> BigInt(this.below(36));
    return this.below(3) === 0 ? low | (0xffffn << 48n) : low;
  }
}

/** Fills tables with random descriptors and points the vCPU's registers at them; returns what was chosen, for the message of a failure. */
function setUp(dice: Dice): string {
  const granule = dice.of(GRANULES as readonly [Granule, ...Granule[]]);
  const size0 = BigInt(16 + dice.below(granule === 16 ? 30 : 24));
  const size1 = BigInt(16 + dice.below(24));
  const words = new BigUint64Array(TABLE_PAGES * (2 ** granule) / 8);
  for (let i = 0; i < words.length; i++) words[i] = dice.descriptor(granule);
  system.writePhysical(pa(physical(TABLES)), new Uint8Array(words.buffer));
  const tg1 = { 12: 2n, 14: 1n, 16: 3n }[granule];
  const off0 = dice.below(12) === 0 ? 1n << 7n : 0n;
  const tcr = size0 | (size1 << 16n) | (GRANULE_BITS[granule] << 14n) | (tg1 << 30n) | (dice.of([5n, 5n, 6n]) << 32n) | (BigInt(dice.below(2)) << 59n) | off0 | (BigInt(dice.below(4)) << 37n);
  const vcpu = system.engine.vcpu(0);
  vcpu.setSystemRegister('TCR_EL1', tcr);
  vcpu.setSystemRegister('TTBR0_EL1', TABLES + (BigInt(dice.below(4)) << BigInt(granule)));
  vcpu.setSystemRegister('TTBR1_EL1', TABLES + (BigInt(4 + dice.below(4)) << BigInt(granule)));
  vcpu.setSystemRegister('SCTLR_EL1', vcpu.systemRegister('SCTLR_EL1') | 1n);
  return `granule 2^${granule}, T0SZ ${size0}, T1SZ ${size1}, TCR ${tcr.toString(16)}`;
}

function physical(address: bigint): bigint {
  const found = system.engine.translate(0, ipa(address), 2);
  assert.ok(found.ok);
  return found.pa;
}

/** The address that a shown walk ends at, or the stage and level at which it stops. */
function endOf(levels: readonly WalkLevel[], address: bigint): { readonly pa: bigint } | { readonly stage: number; readonly level: number } | undefined {
  const last = levels.at(-1);
  if (last === undefined) return undefined;
  if (last.kind !== 'block' && last.kind !== 'page') return { stage: last.kind === 'unreadable' ? 2 : last.stage, level: last.level };
  let at = address;
  for (const level of levels.filter(({ kind }) => kind === 'block' || kind === 'page')) at = level.output - (level.output % BigInt(level.spanBytes)) + (at % BigInt(level.spanBytes));
  return { pa: at };
}

/** Random tables and addresses on a core. */
async function checkWalks(cpu: 'cortex-a57' | 'max'): Promise<void> {
  await powerOn(cpu);
  const counts = { mapped: 0, faults: 0 };
  for (let seed = 1; seed <= 120; seed++) {
    const dice = new Dice(seed);
    const what = setUp(dice);
    for (let i = 0; i < 60; i++) {
      const address = dice.address();
      const shown = endOf(walkTables(system, 0, address, 'both'), address);
      const found = system.engine.translate(0, va(address), 'both');
      const message = () => `seed ${seed}, address 0x${address.toString(16)}, ${what}: shown ${JSON.stringify(shown, (_, value: unknown) => (typeof value === 'bigint' ? value.toString(16) : value))}, engine ${JSON.stringify(found, (_, value: unknown) => (typeof value === 'bigint' ? value.toString(16) : value))}`;
      if (found.ok) {
        counts.mapped++;
        assert.ok(shown !== undefined && 'pa' in shown && shown.pa === BigInt(found.pa), message());
      } else if (found.fault === 'translation' && shown !== undefined) {
        counts.faults++;
        // An intermediate address beyond the range of stage 2 has no descriptor there.
        const isBeyond = found.stage === 2 && found.level === 0 && 'pa' in shown;
        assert.ok(isBeyond || ('stage' in shown && shown.stage === found.stage && (found.stage === 2 || shown.level === found.level)), message());
      }
    }
  }
  assert.ok(counts.mapped > 300 && counts.faults > 300, JSON.stringify(counts));
}

test('the descriptors that are shown lead where the engine goes, and end at the level at which it faults', () => checkWalks('cortex-a57'));

test('so they do on a core with all granules and 52-bit addresses', () => checkWalks('max'));
