import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Engine, Exit } from '../../runtime/engine';
import { CODE, load, RAM_BASE, run, toPa, toVa, words } from './support';

const STAGE2_TABLE = 0x4080_0000n;

/** Builds a stage-2 table of one level-1 entry block and hands it to vCPU 0: IPA = PA for the first GiB of RAM, with `attributes`. */
function identityStage2(engine: Engine, attributes: bigint): void {
  engine.memory.writeU64(toPa(STAGE2_TABLE + 8n), 0x4000_0000n | attributes);
  const vcpu = engine.vcpu(0);
  // T0SZ 25 (39 bits), SL0 1 (start at level 1), PS 2 (40 bits).
  vcpu.setSystemRegister('VTCR_EL2', 25n | (1n << 6n) | (2n << 16n));
  vcpu.setSystemRegister('VTTBR_EL2', STAGE2_TABLE);
  vcpu.setSystemRegister('HCR_EL2', 1n);
}

/** Block, AF, S2AP read-write, Normal memory. */
const BLOCK_RW = 1n | (1n << 10n) | (3n << 6n) | (0xfn << 2n);
const BLOCK_RO = 1n | (1n << 10n) | (1n << 6n) | (0xfn << 2n);

function checkExit(program: string, expected: Partial<Exit>, retired: number): Engine {
  const engine = load(program);
  const result = run(engine, 1000);
  assert.deepEqual({ retired: result.retired, ...result.exit, ...expected }, { retired, ...result.exit });
  return engine;
}

test('HVC leaves after it and counts', () => {
  const engine = checkExit('mov x0, #5\n hvc #0x123', { reason: 'hvc', immediate: 0x123 }, 2);
  assert.equal(engine.vcpu(0).pc, CODE + 8n);
});

test('SMC and HLT leave at the instruction and do not count', () => {
  assert.equal(checkExit('nop\n smc #7', { reason: 'smc', immediate: 7 }, 1).vcpu(0).pc, CODE + 4n);
  assert.equal(checkExit('nop\n hlt #0xf000', { reason: 'hlt', immediate: 0xf000 }, 1).vcpu(0).pc, CODE + 4n);
});

test('WFI leaves when nothing is pending and goes on when an input is high', () => {
  const engine = load('wfi\n hvc #1');
  assert.deepEqual(run(engine, 100), { retired: 1, exit: { reason: 'wfi' } });
  engine.vcpu(0).pc = CODE;
  engine.vcpu(0).irq = true;
  assert.deepEqual(run(engine, 100), { retired: 2, exit: { reason: 'hvc', immediate: 1 } });
});

test('a load outside RAM is an MMIO exit that completeAccess finishes with the right extension', () => {
  const engine = load('mov x1, #0x9000000\n ldrsb w2, [x1, #3]\n strh w2, [x1]\n hvc #0');
  const first = run(engine, 100);
  assert.equal(first.retired, 1);
  assert.equal(first.exit.reason, 'mmio');
  assert.ok(first.exit.reason === 'mmio' && first.exit.pa === 0x9000003n && first.exit.access.sizeBytes === 1 && !first.exit.access.isWrite && first.exit.access.syndromeValid);
  engine.completeAccess(0, 0x80n);
  assert.equal(engine.vcpu(0).x(2), 0xffff_ff80n);
  const second = run(engine, 100);
  assert.ok(second.exit.reason === 'mmio' && second.exit.access.isWrite && second.exit.access.value === 0xff80n && second.exit.access.sizeBytes === 2);
  engine.completeAccess(0, 0n);
  assert.equal(run(engine, 100).exit.reason, 'hvc');
});

test('a load that is finished later is the one that left, whatever its memory holds by then', () => {
  const engine = load('mov x1, #0x9000000\n ldrh w2, [x1]\n hvc #0');
  const { exit } = run(engine, 100);
  assert.ok(exit.reason === 'mmio');
  engine.memory.write(toPa(CODE), new Uint8Array(16));
  engine.vcpu(0).setX(2, 0n);
  engine.completeAccessUncut(0, 0x1_8000n, exit.access.instruction);
  assert.deepEqual([engine.vcpu(0).x(2), engine.vcpu(0).pc], [0x1_8000n, CODE + 8n]);
});

test('a pair or write-back access to a device has no syndrome', () => {
  for (const text of ['ldp x2, x3, [x1]', 'ldr x2, [x1], #8']) {
    const result = run(load(`mov x1, #0x9000000\n ${text}`), 100);
    assert.ok(result.exit.reason === 'mmio' && !result.exit.access.syndromeValid, text);
  }
});

test('stage 2 maps, and an unmapped intermediate address is a stage-2 data abort at the instruction', () => {
  const engine = load('mov x1, #0x8000000\n movz x2, #0x4001, lsl #16\n str x1, [x2]\n ldr x3, [x2]\n str x1, [x1]');
  identityStage2(engine, BLOCK_RW);
  const { retired, exit } = run(engine, 100);
  assert.equal(retired, 4);
  assert.equal(engine.vcpu(0).x(3), 0x8000000n);
  assert.ok(exit.reason === 'stage2-data-abort' && exit.fault === 'translation' && exit.level === 1 && exit.access.ipa === 0x8000000n && exit.access.isWrite && exit.access.value === 0x8000000n);
});

test('a read-only stage-2 mapping refuses stores and lets loads through', () => {
  const engine = load('movz x2, #0x4001, lsl #16\n ldr x3, [x2]\n str x3, [x2]');
  identityStage2(engine, BLOCK_RO);
  const { retired, exit } = run(engine, 100);
  assert.equal(retired, 2);
  assert.ok(exit.reason === 'stage2-data-abort' && exit.fault === 'permission' && exit.level === 1);
});

test('fetching from an unmapped or non-executable intermediate address is a stage-2 instruction abort', () => {
  const engine = load('mov x1, #0x8000000\n br x1');
  identityStage2(engine, BLOCK_RW);
  const { retired, exit } = run(engine, 100);
  assert.equal(retired, 2);
  assert.ok(exit.reason === 'stage2-instruction-abort' && exit.fault === 'translation' && exit.va === 0x8000000n);
  identityStage2(engine, BLOCK_RW | (1n << 54n));
  engine.invalidateTlb();
  engine.vcpu(0).pc = CODE;
  const second = run(engine, 100).exit;
  assert.ok(second.reason === 'stage2-instruction-abort' && second.fault === 'permission');
});

test('a system register of the host leaves with its name, and completion writes the register', () => {
  const engine = load('mrs x4, ICC_IAR1_EL1\n msr ICC_EOIR1_EL1, x4\n hvc #0');
  const first = run(engine, 100).exit;
  assert.ok(first.reason === 'system-register' && first.name === 'ICC_IAR1_EL1' && !first.isWrite && first.rt === 4);
  engine.completeSystemRegister(0, 27n);
  const second = run(engine, 100).exit;
  assert.ok(second.reason === 'system-register' && second.name === 'ICC_EOIR1_EL1' && second.isWrite && second.value === 27n);
  engine.completeSystemRegister(0, 0n);
  assert.equal(run(engine, 100).exit.reason, 'hvc');
});

test('a breakpoint stops before the instruction, resume steps over it, and memory is not changed', () => {
  const engine = load('mov x0, #0\n1: add x0, x0, #1\n b 1b');
  engine.setBreakpoints([toVa(CODE + 4n)]);
  for (const tier of ['exact', 'fast'] as const) {
    engine.setTier(tier);
    engine.vcpu(0).pc = CODE;
    assert.deepEqual(run(engine, 100_000), { retired: 1, exit: { reason: 'breakpoint' } });
    assert.deepEqual(engine.run(0, { budget: 100_000, tickNow: 0, resume: true }), { retired: 2, exit: { reason: 'breakpoint' } });
    assert.equal(engine.vcpu(0).x(0), 1n);
  }
  engine.setBreakpoints([]);
  assert.deepEqual(run(engine, 100_000), { retired: 100_000, exit: { reason: 'budget' } });
});

test('a breakpoint stands at one address only, not at other addresses with the same page offset', () => {
  const engine = load('mov x0, #0\n add x0, x0, #1\n hvc #0');
  engine.setBreakpoints([toVa(CODE + 0x1004n)]);
  assert.deepEqual(run(engine, 100), { retired: 3, exit: { reason: 'hvc', immediate: 0 } });
});

test('a watchpoint reports after the accessing instruction retired, and host writes report at the next run', () => {
  const engine = load('movz x2, #0x4001, lsl #16\n mov x1, #7\n str x1, [x2, #8]\n ldr w3, [x2, #12]\n nop\n hvc #0');
  engine.setWatchpoints([{ id: 9, address: toPa(0x4001_000cn), sizeBytes: 1, access: 'write' }]);
  const { retired, exit } = run(engine, 100);
  assert.equal(retired, 3);
  assert.deepEqual(exit, { reason: 'watchpoint', id: 9, pc: CODE + 8n, address: 0x4001_000cn, isWrite: true });
  assert.deepEqual(run(engine, 100), { retired: 3, exit: { reason: 'hvc', immediate: 0 } });
  engine.memory.write(toPa(0x4001_000cn), words(1));
  assert.equal(run(engine, 100).exit.reason, 'watchpoint');
});

test('dirty pages are those written since the last look, by guest and host alike', () => {
  const engine = load('movz x2, #0x4001, lsl #16\n str x2, [x2]\n str x2, [x2, #8]\n hvc #0');
  const page = (address: bigint): number => engine.memory.pageIndexOf(toPa(address));
  assert.deepEqual([...engine.memory.collectDirtyPages()], [page(CODE)]);
  run(engine, 100);
  engine.memory.writeU32(toPa(0x4002_0000n), 1);
  assert.deepEqual([...engine.memory.collectDirtyPages()], [page(0x4001_0000n), page(0x4002_0000n)]);
  assert.deepEqual([...engine.memory.collectDirtyPages()], []);
  engine.vcpu(0).pc = CODE;
  run(engine, 100);
  assert.deepEqual([...engine.memory.collectDirtyPages()], [page(0x4001_0000n)]);
});

test('RAM that is not there is refused by contains', () => {
  const engine = load('nop');
  assert.ok(engine.memory.contains(toPa(RAM_BASE), 16 << 20));
  assert.ok(!engine.memory.contains(toPa(RAM_BASE), (16 << 20) + 1));
  assert.ok(!engine.memory.contains(toPa(0n), 4));
});
