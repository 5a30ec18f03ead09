import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../runtime/base/prng';
import type { Engine } from '../../runtime/engine';
import { alignedRows, BASE_REGISTER, branchWord, memoryRows, memoryWord, OFFSET_REGISTER, plainWord } from './random-programs';
import { CODE, load, RAM_BASE, registers, STACK, toPa, words } from './support';

const DATA = RAM_BASE + 0x10_0000n;
const PROGRAM_WORDS = 1500;

/** A program of random instructions with forward branches and one loop around all of it. */
function randomProgram(prng: Prng): Uint8Array {
  const body = Array.from({ length: PROGRAM_WORDS }, () => {
    const kind = prng.below(20);
    if (kind < 11) return plainWord(prng);
    if (kind < 15) return memoryWord(prng, memoryRows);
    return kind < 17 ? memoryWord(prng, alignedRows) : branchWord(prng, 2 + prng.below(40));
  });
  const rewind = [0xaa1703f4 /* mov x20, x23 */, 0x14000000 | ((-PROGRAM_WORDS - 1) & 0x3ff_ffff)];
  return words(...body, ...Array.from({ length: 64 }, () => 0xd503201f), ...rewind.slice(0, 1), 0x14000000 | ((-(PROGRAM_WORDS + 65)) & 0x3ff_ffff));
}

function start(program: Uint8Array, seed: number): Engine {
  const engine = load(program);
  const prng = new Prng(seed);
  const vcpu = engine.vcpu(0);
  for (let n = 0; n < 31; n++) vcpu.setX(n, prng.nextU64());
  vcpu.setX(BASE_REGISTER, DATA);
  vcpu.setX(23, DATA);
  vcpu.setX(OFFSET_REGISTER, BigInt(prng.below(8)));
  vcpu.setSystemRegister('HCR_EL2', 1n << 12n);
  vcpu.setSystemRegister('VBAR_EL1', STACK);
  return engine;
}

test('both tiers and any slicing give the same state on random programs', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const program = randomProgram(new Prng(seed));
    const engines = { fast: start(program, seed), exact: start(program, seed), sliced: start(program, seed) };
    engines.exact.setTier('exact');
    const slices = new Prng(seed + 1000);
    for (let round = 0; round < 4; round++) {
      const budget = 3000 + slices.below(20_000);
      const results = [engines.fast, engines.exact].map((engine) => engine.run(0, { budget, tickNow: 0 }));
      let left = budget;
      while (left > 0) {
        const { retired } = engines.sliced.run(0, { budget: Math.min(left, 1 + slices.below(700)), tickNow: 0 });
        assert.ok(retired > 0);
        left -= retired;
      }
      assert.deepEqual(results[0], results[1], `seed ${seed}`);
      assert.deepEqual(results[0], { retired: budget, exit: { reason: 'budget' } }, `seed ${seed}`);
      assert.deepEqual(registers(engines.fast), registers(engines.exact), `seed ${seed}`);
      assert.deepEqual(registers(engines.fast), registers(engines.sliced), `seed ${seed}`);
      const memory = (engine: Engine): Buffer => Buffer.from(engine.memory.read(toPa(DATA - 0x1000n), 0x2000));
      assert.ok(memory(engines.fast).equals(memory(engines.exact)), `seed ${seed}`);
    }
    assert.ok(engines.fast.vcpu(0).pc >= CODE, `seed ${seed}`);
  }
});
