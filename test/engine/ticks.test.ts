import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CODE, load, registers, run, STACK } from './support';

const PROGRAM = `
  mov x0, #0
  movz x5, #0x4001, lsl #16
  adr x9, far
1: add x1, x1, x0
  eor x2, x1, x0, lsl #3
  str x2, [x5], #8
  mrs x6, cntvct_el0
  eor x7, x7, x6
  bl near
  blr x9
  add x0, x0, #1
  cmp x0, #40
  b.ne 1b
  hvc #1
near: add x8, x8, #3
  cbz x8, near
  ret
.balign 4096
  nop
far: mrs x6, cntpct_el0
  add x7, x7, x6
  ret
`;

test('stopping after any number of instructions and going on gives the same state, in both tiers', () => {
  const trace: string[] = [];
  const stepper = load(PROGRAM);
  for (let k = 0; ; k++) {
    const { exit } = run(stepper, 1, k);
    trace.push(registers(stepper).join());
    if (exit.reason === 'hvc') break;
    assert.equal(exit.reason, 'budget');
  }
  for (const tier of ['exact', 'fast'] as const) {
    const engine = load(PROGRAM);
    engine.setTier(tier);
    for (let k = 1; k <= trace.length; k += 7) {
      engine.vcpu(0).restore(load(PROGRAM).vcpu(0).save());
      const { retired } = run(engine, k, 0);
      assert.equal(retired, k);
      assert.equal(registers(engine).join(), trace[k - 1], `${tier} after ${k}`);
    }
  }
});

test('a large budget in the fast tier stops exactly, wherever it ends', () => {
  const fast = load('1: add x0, x0, #1\n add x1, x1, x0\n b 1b');
  const exact = load('1: add x0, x0, #1\n add x1, x1, x0\n b 1b');
  exact.setTier('exact');
  for (const budget of [2047, 2048, 2049, 5000, 12_345, 2_000_001, 4_100_003]) {
    for (const engine of [fast, exact]) assert.deepEqual(run(engine, budget), { retired: budget, exit: { reason: 'budget' } });
    assert.deepEqual(registers(fast), registers(exact));
  }
});

test('straight code across a page border is counted exactly', () => {
  for (const tier of ['exact', 'fast'] as const) {
    const engine = load(`${'nop\n'.repeat(1023)} nop\n mov x0, #1\n hvc #0`);
    engine.setTier(tier);
    assert.deepEqual(run(engine, 1024), { retired: 1024, exit: { reason: 'budget' } });
    assert.equal(engine.vcpu(0).pc, CODE + 4096n);
    engine.vcpu(0).pc = CODE;
    assert.deepEqual(run(engine, 100_000), { retired: 1026, exit: { reason: 'hvc', immediate: 0 } });
  }
});

test('a saved vCPU restores every register', () => {
  const engine = load(PROGRAM);
  run(engine, 100);
  const saved = engine.vcpu(0).save();
  const before = registers(engine);
  run(engine, 100);
  assert.notDeepEqual(registers(engine), before);
  engine.vcpu(0).restore(saved);
  assert.deepEqual(registers(engine), before);
  engine.vcpu(2).restore(saved);
  assert.deepEqual(registers(engine, 2), before);
  assert.equal(engine.vcpu(1).sp, 0n);
  assert.equal(STACK, before[31]);
});
