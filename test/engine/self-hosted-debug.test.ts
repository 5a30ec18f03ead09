import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coreFeatures } from '../../runtime/isa/cpu-features';
import type { Engine } from '../../runtime/engine';
import { CODE, load, run, toPa, toVa } from './support';

const VECTORS = CODE + 0x800n;
const STEP_LOWER = 0x32n;
const BREAKPOINT_SAME = 0x31n;
const WATCHPOINT_SAME = 0x35n;
const PSTATE_SS = 1n << 21n;

/** A machine whose guest has vectors that spin, so that one exception is seen and nothing after it. */
function debugged(program: string): Engine {
  const engine = load(`${program}\n.balign 0x800\n.rept 32\n b .\n .balign 0x80\n.endr`);
  engine.vcpu(0).setSystemRegister('VBAR_EL1', VECTORS);
  return engine;
}

function checkException(engine: Engine, expected: { readonly ec: bigint; readonly elr: bigint }): void {
  const vcpu = engine.vcpu(0);
  assert.equal(vcpu.systemRegister('ESR_EL1') >> 26n, expected.ec);
  assert.equal(vcpu.systemRegister('ELR_EL1'), expected.elr);
}

const SET_BREAKPOINT = (label: string): string => `
  msr oslar_el1, xzr
  adr x0, ${label}
  msr dbgbvr0_el1, x0
  mov x0, #0x1e7
  msr dbgbcr0_el1, x0
  mov x0, #0xa000
  msr mdscr_el1, x0
  msr daifclr, #8`;

test('the OS lock keeps steps, breakpoints and watchpoints of the guest off', () => {
  const engine = debugged(`${SET_BREAKPOINT('target')}\n mov x1, #1\n msr oslar_el1, x1\n mov x2, #2\ntarget: mov x3, #3\n b .`);
  assert.equal(run(engine, 100).exit.reason, 'budget');
  assert.equal(engine.vcpu(0).x(3), 3n);
  assert.equal(engine.vcpu(0).systemRegister('OSLSR_EL1'), 0xan);
});

test('a breakpoint of the debugger is seen before one of the guest at the same place, in both tiers', () => {
  for (const tier of ['exact', 'fast'] as const) {
    const engine = debugged(`${SET_BREAKPOINT('target')}\n mov x2, #2\ntarget: mov x3, #3\n b .`);
    engine.setTier(tier);
    const target = CODE + 9n * 4n;
    engine.setBreakpoints([toVa(target)]);
    const stop = run(engine, 10_000);
    assert.equal(stop.exit.reason, 'breakpoint');
    assert.equal(engine.vcpu(0).pc, target);
    assert.equal(engine.vcpu(0).systemRegister('ESR_EL1'), 0n);
    engine.run(0, { budget: 1, tickNow: 0, resume: true });
    checkException(engine, { ec: BREAKPOINT_SAME, elr: target });
    assert.equal(engine.vcpu(0).x(3), 0n);
  }
});

test('breakpoints of the guest are part of a saved vCPU', () => {
  const engine = debugged(`${SET_BREAKPOINT('target')}\n mov x2, #2\ntarget: mov x3, #3\n b .`);
  run(engine, 8);
  const saved = engine.vcpu(0).save();
  engine.vcpu(0).reset();
  run(engine, 1);
  engine.vcpu(0).restore(saved);
  run(engine, 4000);
  checkException(engine, { ec: BREAKPOINT_SAME, elr: CODE + 9n * 4n });
});

test('a watched access has no effect and stops before it; others on the page go on', () => {
  const engine = debugged(`
    msr oslar_el1, xzr
    adrp x1, cell
    add x1, x1, :lo12:cell
    add x2, x1, #64
    msr dbgwvr0_el1, x1
    mov x0, #0x1ff7
    msr dbgwcr0_el1, x0
    mov x0, #0xa000
    msr mdscr_el1, x0
    msr daifclr, #8
    mov x3, #7
    str x3, [x2]
    ldr x4, [x1]
    str x3, [x1]
    b .
    .balign 64
cell: .xword 5, 0, 0, 0, 0, 0, 0, 0, 0`);
  run(engine, 100);
  const vcpu = engine.vcpu(0);
  checkException(engine, { ec: WATCHPOINT_SAME, elr: CODE + 13n * 4n });
  assert.equal(vcpu.x(4), 5n);
  assert.equal(vcpu.systemRegister('FAR_EL1'), CODE + 64n);
  assert.equal(vcpu.systemRegister('ESR_EL1') & 0x7fn, 0x62n);
  assert.equal(engine.memory.readU64(toPa(CODE + 64n)), 5n);
  assert.equal(engine.memory.readU64(toPa(CODE + 128n)), 7n);
});

test('a step of an instruction that the host completes ends after it', () => {
  const engine = debugged(`
    msr oslar_el1, xzr
    mov x0, #1
    msr mdscr_el1, x0
    adr x0, user
    msr elr_el1, x0
    mov x0, #0x200000
    msr spsr_el1, x0
    mov x1, #0x1000
    eret
user: ldr w2, [x1]
    nop`);
  assert.equal(run(engine, 9).retired, 9);
  assert.equal(engine.vcpu(0).pstate & PSTATE_SS, PSTATE_SS);
  assert.equal(run(engine, 10).exit.reason, 'mmio');
  engine.completeAccess(0, 0x77n);
  run(engine, 1);
  checkException(engine, { ec: STEP_LOWER, elr: CODE + 10n * 4n });
  assert.equal(engine.vcpu(0).x(2), 0x77n);
  assert.equal(engine.vcpu(0).systemRegister('ESR_EL1') & 0x1ff_ffffn, 0x100_0022n);
});

test('a virtual SError is taken once, with the syndrome that EL2 set', () => {
  const engine = load('msr daifclr, #4\n nop\n b .', { features: coreFeatures('max') });
  const vcpu = engine.vcpu(0);
  vcpu.setSystemRegister('VBAR_EL1', VECTORS);
  vcpu.setSystemRegister('VSESR_EL2', 0x11n);
  vcpu.serror = true;
  engine.reportExceptions({ exceptionClasses: 0n, irq: false, fiq: false, serror: true });
  const { exit } = run(engine, 10);
  assert.ok(exit.reason === 'exception' && exit.kind === 'serror' && exit.esr === 0xbe00_0011n);
  assert.deepEqual([vcpu.pc, vcpu.serror], [VECTORS + 0x380n, false]);
});

test('what the engine cannot follow leaves before it has an effect', () => {
  const big = load('mrs x0, sctlr_el1\n orr x0, x0, #0x2000000\n msr sctlr_el1, x0');
  assert.deepEqual(run(big, 10), { retired: 2, exit: { reason: 'unsupported', what: 'big-endian' } });
  assert.equal(big.vcpu(0).pc, CODE + 8n);
  const old = load('mov x0, #0x10\n msr spsr_el1, x0\n eret');
  assert.deepEqual(run(old, 10), { retired: 2, exit: { reason: 'unsupported', what: 'aarch32' } });
});

test('instructions are counted by exception level, whoever completes them', () => {
  const engine = debugged('adr x0, user\n msr elr_el1, x0\n msr spsr_el1, xzr\n mov x1, #0x1000\n eret\nuser: nop\n ldr w2, [x1]\n nop\n svc #0');
  run(engine, 100);
  engine.completeAccess(0, 0n);
  run(engine, 2);
  const vcpu = engine.vcpu(0);
  assert.deepEqual([vcpu.retiredAt(1), vcpu.retiredAt(0)], [5, 4]);
  run(engine, 10);
  assert.deepEqual([vcpu.retiredAt(1), vcpu.retiredAt(0)], [15, 4]);
});
