import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../runtime/base/prng';
import type { Engine } from '../../runtime/engine';
import { lowerWord } from '../../runtime/engine/code-cache';
import { microOps } from '../../runtime/engine/semantics';
import { alignedRows, BASE_REGISTER, branchWord, memoryRows, memoryWord, OFFSET_REGISTER, plainWord } from './random-programs';
import { CODE, load, RAM_BASE, registers, toPa, toVa, words } from './support';

const DATA = RAM_BASE + 0x10_0000n;
const PROGRAM_WORDS = 1500;
/** mov x20, x23 */
const REWIND_BASE = 0xaa1703f4;

/** A program of random instructions with forward branches and one loop around all of it. */
function randomProgram(prng: Prng): Uint8Array {
  const body = Array.from({ length: PROGRAM_WORDS / 2 }, () => {
    const kind = prng.below(20);
    if (kind < 11) return [plainWord(prng), plainWord(prng)];
    if (kind < 15) return [memoryWord(prng, memoryRows), memoryWord(prng, memoryRows)];
    // Write-back forms move the base; what must be aligned gets it back first. mov x20, x23 is also where branches land.
    return kind < 17 ? [REWIND_BASE, memoryWord(prng, alignedRows)] : [plainWord(prng), branchWord(prng, 1 + 2 * prng.below(20))];
  }).flat();
  return words(...body, ...Array.from({ length: 64 }, () => 0xd503201f), REWIND_BASE, 0x14000000 | ((-(PROGRAM_WORDS + 65)) & 0x3ff_ffff));
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
  // No exception belongs here: any would end the run.
  engine.reportExceptions({ exceptionClasses: 0xffff_ffff_ffff_ffffn, irq: true, fiq: true, serror: true });
  return engine;
}

/** Where and why a program went astray. */
function describe(engine: Engine): string {
  const register = (name: string): string => engine.vcpu(0).systemRegister(name).toString(16);
  return `ESR ${register('ESR_EL1')} ELR ${register('ELR_EL1')} FAR ${register('FAR_EL1')}`;
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
        assert.ok(retired > 0, describe(engines.sliced));
        left -= retired;
      }
      assert.deepEqual(results[0], results[1], `seed ${seed}`);
      assert.deepEqual(results[0], { retired: budget, exit: { reason: 'budget' } }, `seed ${seed} ${describe(engines.fast)}`);
      assert.deepEqual(registers(engines.fast), registers(engines.exact), `seed ${seed}`);
      assert.deepEqual(registers(engines.fast), registers(engines.sliced), `seed ${seed}`);
      const memory = (engine: Engine): Buffer => Buffer.from(engine.memory.read(toPa(DATA - 0x1000n), 0x2000));
      assert.ok(memory(engines.fast).equals(memory(engines.exact)), `seed ${seed}`);
    }
  }
});

/** Random words by the micro-op that they become. */
function wordsByOp(prng: Prng): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (let i = 0; i < 30_000; i++) {
    const kind = prng.below(8);
    const word = kind < 2 ? plainWord(prng) : kind < 4 ? memoryWord(prng, memoryRows) : kind < 6 ? branchWord(prng, 2) : commonWord(prng);
    const { op } = lowerWord(word, 0, () => true);
    const list = found.get(op) ?? [];
    if (list.length < 40) found.set(op, [...list, word]);
  }
  return found;
}

/** Words that compilers write often and chance does not: moves, plain registers, unsigned offsets, the stack. */
function commonWord(prng: Prng): number {
  const [d, n, m] = [prng.below(19), prng.below(19), prng.below(19)];
  const sf = prng.below(2) << 31;
  const offset = prng.below(8) << 10;
  const stack = prng.below(2) === 0 ? 31 : 20;
  const templates = [
    0x2a0003e0 | sf | (m << 16) | d, 0x0b000000 | sf | (m << 16) | (n << 5) | d, 0x6b000000 | sf | (m << 16) | (n << 5) | 31,
    0x4b000000 | sf | (m << 16) | (n << 5) | d, 0x71000000 | sf | (prng.below(64) << 10) | (n << 5) | 31, 0x2a000000 | sf | (m << 16) | (n << 5) | d,
    0x4a000000 | sf | (m << 16) | (n << 5) | d, 0x8b204000 | (m << 16) | (n << 5) | d, 0xf9400000 | offset | (stack << 5) | d, 0xf9000000 | offset | (stack << 5) | d,
    0xa9400000 | (prng.below(8) << 15) | (((d + 1) % 19) << 10) | (stack << 5) | d, 0xa9000000 | (prng.below(8) << 15) | (m << 10) | (stack << 5) | d,
    0x1a800000 | sf | (m << 16) | (prng.below(2) << 12) | (prng.below(2) << 10) | (n << 5) | d, 0xd503201f, 0x14000002, 0x93407c00 | (n << 5) | d,
    0x1b000000 | sf | (m << 16) | (31 << 10) | (n << 5) | d, 0x9bc07c00 | (m << 16) | (n << 5) | d, 0xd3400000 | (prng.below(64) << 10) | (prng.below(64) << 16) | (n << 5) | d,
    0x53000000 | (31 << 10) | (prng.below(32) << 16) | (n << 5) | d, 0xf8607800 | (21 << 16) | (20 << 5) | d, 0x94000002, 0x54000040 | prng.below(14),
  ];
  return (templates[prng.below(templates.length)] ?? 0xd503201f) >>> 0;
}

test('fused pairs do what their halves do, whichever tier runs them and wherever a run stops', () => {
  const prng = new Prng(77);
  const byOp = wordsByOp(prng);
  const pairs = microOps.filter(({ emitSecond }) => emitSecond !== undefined).map(({ name }) => name.split('+'));
  const covered = pairs.filter(([first = '', second = '']) => byOp.has(first) && byOp.has(second));
  assert.ok(covered.length > pairs.length * 0.8, `${covered.length} of ${pairs.length} pairs have words`);
  const pick = (name = ''): number => byOp.get(name)?.[prng.below(byOp.get(name)?.length ?? 1)] ?? 0xd503201f;
  for (let seed = 1; seed <= 6; seed++) {
    // Four words per pair; branches by two instructions land on the third or behind it.
    const body = covered.flatMap(([first, second]) => [pick(first), pick(second), 0xd503201f, 0xd503201f]);
    // The pairs' bases are put right again at the end of each round: mov x20, x23; mov sp, x24.
    const program = words(...body, 0xaa1703f4, 0x9100031f, 0x14000000 | ((-body.length - 2) & 0x3ff_ffff));
    const engines = [start(program, seed), start(program, seed)] as const;
    engines[1].setTier('exact');
    for (const engine of engines) {
      engine.vcpu(0).sp = DATA + 0x800n;
      engine.vcpu(0).setX(24, DATA + 0x800n);
      engine.setBreakpoints([]);
    }
    for (let round = 0; round < 5; round++) {
      const budget = 2500 + prng.below(9000);
      const results = engines.map((engine) => engine.run(0, { budget, tickNow: 0 }));
      assert.deepEqual(results[0], results[1], `seed ${seed}`);
      assert.deepEqual(registers(engines[0]), registers(engines[1]), `seed ${seed} round ${round}`);
assert.deepEqual(results[0], { retired: budget, exit: { reason: 'budget' } }, describe(engines[0]));
    }
  }
});

test('a breakpoint on the second half of a fused pair stops there', () => {
  const engine = load('1: mov x1, x2\n mov x3, x4\n subs x5, x5, #1\n b.ne 1b\n hvc #0');
  const round = (): string => {
    engine.vcpu(0).pc = CODE;
    engine.vcpu(0).setX(5, 3000n);
    return engine.run(0, { budget: 100_000, tickNow: 0 }).exit.reason;
  };
  assert.equal(round(), 'hvc');
  for (const offset of [4n, 12n, 0n, 8n]) {
    engine.setBreakpoints([toVa(CODE + offset)]);
    assert.equal(round(), 'breakpoint');
    assert.equal(engine.vcpu(0).pc, CODE + offset);
  }
  engine.setBreakpoints([]);
  assert.equal(round(), 'hvc');
});
