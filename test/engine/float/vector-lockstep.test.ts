import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../../runtime/base/prng';
import type { Engine } from '../../../runtime/engine';
import { encodings } from '../../../runtime/isa/encodings';
import { BASE_REGISTER, branchWord, memoryRows, memoryWord, OFFSET_REGISTER, plainWord } from '../random-programs';
import { load, RAM_BASE, registers, toPa, words } from '../support';
import { wordOf } from './vector-differential';

const DATA = RAM_BASE + 0x10_0000n;
const PROGRAM_WORDS = 1200;
/** mov x20, x23; mov sp, x23 */
const REWIND = [0xaa1703f4, 0x910002ff];

const rows = encodings.filter((row) => row.state === 'ready' && /^(fp|simd|crypto)_/.test(row.class) && row.class !== 'simd_load_literal');
/** Results in general registers must leave the bases alone. */
const writesGeneral = (word: number): boolean => (word & 31) >= 19;

function vectorWord(prng: Prng): number {
  for (;;) {
    const row = rows[prng.below(rows.length)];
    if (row === undefined) continue;
    const word = wordOf(prng, row);
    if (/^(fp_convert|fp_move|simd_copy)/.test(row.class) && writesGeneral(word)) continue;
    // Registers that post-indexing adds: small or none.
    if (row.class.endsWith('_post_indexed') && row.pattern.includes('Rm:5')) return ((word & ~(31 << 16)) | (OFFSET_REGISTER << 16)) >>> 0;
    return word;
  }
}

function randomProgram(prng: Prng): Uint8Array {
  const body = Array.from({ length: PROGRAM_WORDS / 4 }, () => {
    const kind = prng.below(10);
    if (kind < 7) return [...REWIND, vectorWord(prng), vectorWord(prng)];
    return kind < 9 ? [...REWIND, memoryWord(prng, memoryRows), vectorWord(prng)] : [...REWIND, plainWord(prng), branchWord(prng, 1 + 4 * prng.below(20))];
  }).flat();
  return words(...body, ...Array.from({ length: 96 }, () => 0xd503201f), ...REWIND, 0x14000000 | ((-(PROGRAM_WORDS + 98)) & 0x3ff_ffff));
}

function start(program: Uint8Array, seed: number): Engine {
  const engine = load(program);
  const prng = new Prng(seed);
  const vcpu = engine.vcpu(0);
  for (let n = 0; n < 31; n++) vcpu.setX(n, prng.nextU64());
  for (let n = 0; n < 32; n++) vcpu.setV(n, prng.nextU64(), prng.nextU64());
  for (const base of [BASE_REGISTER, 23]) vcpu.setX(base, DATA);
  vcpu.setX(OFFSET_REGISTER, BigInt(prng.below(8)));
  vcpu.sp = DATA;
  vcpu.setSystemRegister('HCR_EL2', 1n << 12n);
  vcpu.setSystemRegister('CPACR_EL1', 3n << 20n);
  vcpu.setSystemRegister('FPCR', BigInt(prng.below(4)) << 22n);
  engine.reportExceptions({ exceptionClasses: 0xffff_ffff_ffff_ffffn, irq: true, fiq: true, serror: true });
  return engine;
}

function state(engine: Engine): readonly bigint[] {
  const vcpu = engine.vcpu(0);
  return [...registers(engine), ...Array.from({ length: 32 }, (_, n) => vcpu.v(n)).flat(), vcpu.systemRegister('FPSR')];
}

test('both tiers and any slicing give the same vector state on random programs', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const program = randomProgram(new Prng(seed));
    const [fast, exact, sliced] = [start(program, seed), start(program, seed), start(program, seed)];
    exact.setTier('exact');
    const slices = new Prng(seed + 1000);
    for (let round = 0; round < 3; round++) {
      const budget = 3000 + slices.below(20_000);
      const results = [fast, exact].map((engine) => engine.run(0, { budget, tickNow: 0 }));
      for (let left = budget; left > 0;) {
        const { retired, exit } = sliced.run(0, { budget: Math.min(left, 1 + slices.below(3000)), tickNow: 0 });
        assert.ok(retired > 0, `seed ${seed} ${exit.reason} ESR ${sliced.vcpu(0).systemRegister('ESR_EL1').toString(16)} ELR ${sliced.vcpu(0).systemRegister('ELR_EL1').toString(16)}`);
        left -= retired;
      }
      assert.deepEqual(results[0], results[1], `seed ${seed}`);
      assert.deepEqual(results[0], { retired: budget, exit: { reason: 'budget' } }, `seed ${seed}`);
      assert.deepEqual(state(fast), state(exact), `seed ${seed}`);
      assert.deepEqual(state(fast), state(sliced), `seed ${seed}`);
      const memory = (engine: Engine): Buffer => Buffer.from(engine.memory.read(toPa(DATA - 0x2000n), 0x4000));
      assert.ok(memory(fast).equals(memory(exact)), `seed ${seed}`);
    }
  }
});
