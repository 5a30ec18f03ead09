import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Engine } from '../../runtime/engine';
import { assemble, CODE, load, run, STACK, toPa } from './support';

const VECTORS = 0x4000_8000n;
const EL0_CODE = 0x4000_4000n;

/** Every vector leaves with its number: HVC #0..15. */
const VECTOR_TABLE = Array.from({ length: 16 }, (_, n) => `.balign 128\n hvc #${n}`).join('\n');

function loadWithVectors(program: string): Engine {
  const engine = load(program);
  engine.memory.write(toPa(VECTORS), assemble(VECTOR_TABLE, VECTORS));
  engine.vcpu(0).setSystemRegister('VBAR_EL1', VECTORS);
  return engine;
}

interface Expected { readonly vector: number; readonly esr: bigint; readonly elr: bigint; readonly far?: bigint }

/** Runs to the vector, in both tiers, and compares the syndrome. */
function checkException(engine: Engine, expected: Expected): void {
  const start = engine.vcpu(0).save();
  for (const tier of ['exact', 'fast'] as const) {
    engine.setTier(tier);
    engine.vcpu(0).restore(start);
    const { exit } = run(engine, 10_000);
    const vcpu = engine.vcpu(0);
    assert.deepEqual(exit, { reason: 'hvc', immediate: expected.vector });
    assert.equal(vcpu.systemRegister('ESR_EL1').toString(16), expected.esr.toString(16));
    assert.equal(vcpu.systemRegister('ELR_EL1'), expected.elr);
    if (expected.far !== undefined) assert.equal(vcpu.systemRegister('FAR_EL1'), expected.far);
    assert.equal(vcpu.pstate & 0x3cfn, 0x3c5n);
  }
}

test('SVC, BRK and unallocated words take synchronous exceptions with their syndromes', () => {
  checkException(loadWithVectors('nop\n svc #0x42'), { vector: 4, esr: 0x5600_0042n, elr: CODE + 8n });
  checkException(loadWithVectors('nop\n brk #0x42'), { vector: 4, esr: 0xf200_0042n, elr: CODE + 4n });
  checkException(loadWithVectors('nop\n udf #1'), { vector: 4, esr: 0x0200_0000n, elr: CODE + 4n });
  checkException(loadWithVectors('nop\n .word 0xffffffff'), { vector: 4, esr: 0x0200_0000n, elr: CODE + 4n });
});

test('floating point traps while CPACR_EL1 forbids it', () => {
  checkException(loadWithVectors('fmov d0, x1'), { vector: 4, esr: 0x1fe0_0000n, elr: CODE });
  checkException(loadWithVectors('ldr q0, [sp]'), { vector: 4, esr: 0x1fe0_0000n, elr: CODE });
});

test('an exception at EL1 with SP_EL0 uses the first vectors and returns to them', () => {
  const engine = loadWithVectors('msr spsel, #0\n mov sp, x9\n svc #1');
  engine.vcpu(0).setX(9, 0x1230n);
  checkException(engine, { vector: 0, esr: 0x5600_0001n, elr: CODE + 12n });
  assert.equal(engine.vcpu(0).systemRegister('SPSR_EL1') & 0xfn, 4n);
  assert.equal(engine.vcpu(0).spEl0, 0x1230n);
  assert.equal(engine.vcpu(0).sp, STACK);
});

/** Enters EL0 at `EL0_CODE` by ERET. */
const TO_EL0 = `
  ldr x0, =${EL0_CODE}
  msr elr_el1, x0
  msr spsr_el1, xzr
  eret
`;

function loadEl0(program: string): Engine {
  const engine = loadWithVectors(TO_EL0);
  engine.memory.write(toPa(EL0_CODE), assemble(program, EL0_CODE));
  return engine;
}

test('EL0 exceptions use the lower-EL vectors; privileged instructions are Undefined there', () => {
  checkException(loadEl0('svc #3'), { vector: 8, esr: 0x5600_0003n, elr: EL0_CODE + 4n });
  for (const text of ['hvc #0', 'smc #0', 'eret', 'mrs x0, sctlr_el1', 'msr ttbr0_el1, x0', 'msr spsel, #1', 'mrs x0, s3_0_c12_c12_0', 'tlbi vmalle1']) {
    checkException(loadEl0(text), { vector: 8, esr: 0x0200_0000n, elr: EL0_CODE });
  }
});

test('EL0 uses that EL1 may enable trap with the operands of the instruction', () => {
  checkException(loadEl0('mrs x7, ctr_el0'), { vector: 8, esr: 0x6200_0000n | (3n << 20n) | (1n << 17n) | (3n << 14n) | (7n << 5n) | 1n, elr: EL0_CODE });
  checkException(loadEl0('msr daifset, #2'), { vector: 8, esr: 0x6200_0000n | (6n << 17n) | (3n << 14n) | (4n << 10n) | (31n << 5n) | (2n << 1n), elr: EL0_CODE });
  checkException(loadEl0('dc zva, x3'), { vector: 8, esr: 0x6200_0000n | (1n << 20n) | (1n << 17n) | (3n << 14n) | (7n << 10n) | (3n << 5n) | (4n << 1n), elr: EL0_CODE });
});

test('alignment: Device data, PC and SP', () => {
  const unaligned = loadWithVectors('ldr x0, [x1]');
  unaligned.vcpu(0).setX(1, 0x4001_0001n);
  checkException(unaligned, { vector: 4, esr: 0x9600_0021n, elr: CODE, far: 0x4001_0001n });
  const store = loadWithVectors('str x0, [x1]');
  store.vcpu(0).setX(1, 0x4001_0004n);
  checkException(store, { vector: 4, esr: 0x9600_0061n, elr: CODE, far: 0x4001_0004n });
  const branch = loadWithVectors('br x1');
  branch.vcpu(0).setX(1, CODE + 2n);
  checkException(branch, { vector: 4, esr: 0x8a00_0000n, elr: CODE + 2n, far: CODE + 2n });
  const stack = loadWithVectors('ldr x0, [sp]');
  stack.vcpu(0).sp = STACK + 8n;
  stack.vcpu(0).setSystemRegister('SCTLR_EL1', 8n);
  checkException(stack, { vector: 4, esr: 0x9a00_0000n, elr: CODE });
});

test('an illegal return keeps the mode, sets PSTATE.IL, and the next instruction takes an exception', () => {
  const engine = loadWithVectors(`adr x0, there\n msr elr_el1, x0\n mov x1, #9\n msr spsr_el1, x1\n eret\n nop\nthere: nop`);
  checkException(engine, { vector: 4, esr: 0x3a00_0000n, elr: CODE + 24n });
  assert.equal(engine.vcpu(0).systemRegister('SPSR_EL1') & (1n << 20n), 1n << 20n);
});

test('a pending interrupt is taken when DAIF is cleared, by MSR and by ERET, before the next instruction', () => {
  const clear = loadWithVectors('nop\n msr daifclr, #2\n nop');
  clear.vcpu(0).irq = true;
  assert.deepEqual(run(clear, 5000).exit, { reason: 'hvc', immediate: 5 });
  assert.equal(clear.vcpu(0).systemRegister('ELR_EL1'), CODE + 8n);
  const back = loadEl0('nop');
  back.vcpu(0).fiq = true;
  assert.deepEqual(run(back, 5000).exit, { reason: 'hvc', immediate: 10 });
  assert.equal(back.vcpu(0).systemRegister('ELR_EL1'), EL0_CODE);
  const masked = loadWithVectors('nop\n nop\n hvc #99');
  masked.vcpu(0).irq = true;
  assert.deepEqual(run(masked, 5000).exit, { reason: 'hvc', immediate: 99 });
});

test('reported exceptions end the run at the vector', () => {
  const engine = loadWithVectors('svc #5');
  engine.reportExceptions({ exceptionClasses: 1n << 0x15n, irq: false, fiq: false, serror: false });
  assert.deepEqual(run(engine, 100), { retired: 1, exit: { reason: 'exception', kind: 'synchronous', esr: 0x5600_0005n, far: 0n, elr: CODE + 4n } });
  assert.equal(engine.vcpu(0).pc, VECTORS + 0x200n);
});

test('a guest whose vectors fault still spends its budget', () => {
  for (const tier of ['exact', 'fast'] as const) {
    const engine = load('svc #0');
    engine.vcpu(0).setSystemRegister('VBAR_EL1', 0x4000_8001n & ~0x7ffn);
    engine.setTier(tier);
    assert.deepEqual(run(engine, 5000), { retired: 5000, exit: { reason: 'budget' } });
  }
});

test('an injected exception is taken at once with the given syndrome', () => {
  const engine = loadWithVectors('nop');
  engine.injectException(0, 0x9600_0050n, 0x123n);
  assert.equal(engine.vcpu(0).pc, VECTORS + 0x200n);
  assert.equal(engine.vcpu(0).systemRegister('FAR_EL1'), 0x123n);
  assert.equal(engine.vcpu(0).systemRegister('ELR_EL1'), CODE);
});

test('EL0 reads the counter and the cache type when EL1 lets it', () => {
  const engine = loadEl0('mrs x1, cntvct_el0\n mrs x2, ctr_el0\n svc #7');
  engine.vcpu(0).setSystemRegister('CNTKCTL_EL1', 2n);
  engine.vcpu(0).setSystemRegister('SCTLR_EL1', 1n << 15n);
  engine.vcpu(0).setSystemRegister('CTR_EL0', 0x8444_c004n);
  engine.vcpu(0).setSystemRegister('CNTVOFF_EL2', 1n);
  assert.deepEqual(run(engine, 100, 1000).exit, { reason: 'hvc', immediate: 8 });
  assert.deepEqual([engine.vcpu(0).x(1), engine.vcpu(0).x(2)], [1003n, 0x8444_c004n]);
});
