import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Engine } from '../../runtime/engine';
import { coreFeatures } from '../../runtime/isa/cpu-features';
import { assemble, CODE, machine, registers, run, STACK, toPa, toVa } from './support';

const TABLE = CODE + 0x10_0000n;
const VECTORS = CODE + 0x8000n;
/** RAM again, guarded; and again for EL0. */
const GUARDED = 0x8000_0000n - CODE;
const AT_EL0 = 0xc000_0000n - CODE;
const AP_EL0 = 1n << 6n;
const GP = 1n << 50n;
const BLOCK = 0x701n;

/** A machine with the core that has everything, RAM mapped three times, and a program. */
function guarded(program: string): Engine {
  const engine = machine({ features: coreFeatures('max') });
  const vcpu = engine.vcpu(0);
  [BLOCK, CODE | BLOCK, CODE | BLOCK | GP, CODE | BLOCK | GP | AP_EL0].forEach((entry, index) => { engine.memory.writeU64(toPa(TABLE + BigInt(index) * 8n), entry); });
  engine.memory.write(toPa(CODE), assemble(program));
  // Any exception ends in a call of the host.
  for (let offset = 0n; offset < 0x800n; offset += 0x80n) engine.memory.write(toPa(VECTORS + offset), assemble('hvc #1'));
  vcpu.setSystemRegister('HCR_EL2', 3n << 40n);
  vcpu.setSystemRegister('MAIR_EL1', 0xffn);
  vcpu.setSystemRegister('TCR_EL1', 25n | (1n << 23n));
  vcpu.setSystemRegister('TTBR0_EL1', TABLE);
  vcpu.setSystemRegister('VBAR_EL1', VECTORS);
  vcpu.setSystemRegister('SCTLR_EL1', 0x30d0_0801n);
  [vcpu.pc, vcpu.sp] = [CODE, STACK];
  return engine;
}

const PROGRAM = `
  adr x9, f
  movz x10, #0x4000, lsl #16
  add x9, x9, x10
  mov x20, #40
1: blr x9
  mov x16, x9
  adr x30, 2f
  br x16
2: add x11, x9, #8
  blr x11
  adr x12, g
  blr x12
  subs x20, x20, #1
  b.ne 1b
  hvc #0
f: bti c
  ret
  bti jc
  add x0, x0, #1
  ret
g: add x1, x1, #1
  ret
`;

/** State after some instructions and an interrupt: everything that the guest could see of BTYPE. */
function interruptedAfter(engine: Engine, count: number, slice: number): readonly bigint[] {
  const vcpu = engine.vcpu(0);
  for (let done = 0; done < count;) {
    const { retired } = run(engine, Math.min(slice, count - done));
    assert.ok(retired > 0, 'the program goes on');
    done += retired;
    if (slice === 1) engine.flushCaches();
  }
  const before = registers(engine);
  vcpu.pstate &= ~0x3c0n;
  vcpu.irq = true;
  run(engine, 1);
  return [...before, ...['SPSR_EL1', 'ELR_EL1', 'ESR_EL1'].map((name) => vcpu.systemRegister(name))];
}

test('what an interrupt after any instruction saves does not depend on what is cached, decoded or counted', () => {
  for (let count = 1; count < 30; count++) {
    assert.deepEqual(interruptedAfter(guarded(PROGRAM), count, 1), interruptedAfter(guarded(PROGRAM), count, count), `after ${count} instructions`);
  }
});

test('both tiers take the same branches into guarded pages', () => {
  const ends = (['exact', 'fast'] as const).map((tier) => {
    const engine = guarded(PROGRAM);
    engine.setTier(tier);
    const result = run(engine, 1_000_000);
    return { result, state: registers(engine) };
  });
  assert.deepEqual(ends[0], ends[1]);
  assert.equal(ends[0]?.result.exit.reason, 'hvc');
  assert.equal(ends[0]?.state[0], 40n);
});

/** Branches at EL0 to a PACIASP in a guarded page; gives ESR of what happened, 0 if it landed. */
function landAtEl0(strict: boolean): bigint {
  const engine = guarded('br x9\n nop\n nop\n nop\n paciasp\n svc #3');
  const vcpu = engine.vcpu(0);
  vcpu.setSystemRegister('SCTLR_EL1', 0x30d0_0801n | (strict ? 1n << 35n : 1n << 36n));
  vcpu.pstate = 0n;
  vcpu.pc = CODE + AT_EL0;
  vcpu.setX(9, CODE + AT_EL0 + 16n);
  const { exit } = run(engine, 10);
  assert.equal(exit.reason, 'hvc');
  return vcpu.systemRegister('ESR_EL1');
}

test('SCTLR_EL1.BT0 decides whether a jump from a guarded page may land on PACIASP at EL0', () => {
  assert.equal(landAtEl0(false), 0x5600_0003n);
  assert.equal(landAtEl0(true), 0x3600_0003n);
});

test('a breakpoint on a landing pad stops there once, and a step over the branch lands on it', () => {
  const engine = guarded(PROGRAM);
  const pad = toVa(CODE + GUARDED + 15n * 4n);
  engine.setBreakpoints([pad]);
  const { exit } = run(engine, 1000);
  assert.equal(exit.reason, 'breakpoint');
  assert.equal(engine.vcpu(0).pc, pad);
  assert.equal(engine.vcpu(0).pstate & 0xc00n, 0n);
  assert.equal(engine.run(0, { budget: 1, tickNow: 0, resume: true }).retired, 1);
  assert.equal(engine.vcpu(0).pc, pad + 4n);
});

test('a core without branch targets ignores the mark of a page', () => {
  const engine = guarded('adr x9, f\n movz x10, #0x4000, lsl #16\n add x9, x9, x10\n blr x9\n hvc #0\nf: nop\n ret');
  const plain = machine({ features: coreFeatures('cortex-a76') });
  plain.memory.write(toPa(CODE), engine.memory.read(toPa(CODE), 0x10_1000));
  plain.vcpu(0).restore(engine.vcpu(0).save());
  assert.deepEqual([run(plain, 100).exit.reason, plain.vcpu(0).systemRegister('ESR_EL1')], ['hvc', 0n]);
  run(engine, 100);
  assert.equal(engine.vcpu(0).systemRegister('ESR_EL1'), 0x3600_0002n);
});
