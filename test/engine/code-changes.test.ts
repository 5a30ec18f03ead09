import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assemble, CODE, load, run, toPa, words } from './support';

const MOV_X0_1 = 0xd2800020;
const MOV_X0_2 = 0xd2800040;

test('code that a guest writes executes, in the same page and in others, in both tiers', () => {
  for (const tier of ['exact', 'fast'] as const) {
    const engine = load(`
      mov w3, #${MOV_X0_2 & 0xffff}
      movk w3, #${MOV_X0_2 >>> 16}, lsl #16
      mov x5, #3000
      adr x1, patched
      movz x2, #0x4001, lsl #16
      mov x6, #0
   1: mov w4, #${MOV_X0_1 & 0xffff}
      movk w4, #${MOV_X0_1 >>> 16}, lsl #16
      str w4, [x1]
      bl patched
      add x6, x6, x0
      str w3, [x1]
      bl patched
      add x6, x6, x0
      ldr w7, [x1]
      str w7, [x2]
      ldr w7, [x1, #4]
      str w7, [x2, #4]
      blr x2
      add x6, x6, x0
      subs x5, x5, #1
      b.ne 1b
      hvc #1
    patched: nop
      ret`);
    engine.setTier(tier);
    assert.equal(run(engine, 1_000_000).exit.reason, 'hvc');
    assert.equal(engine.vcpu(0).x(6), 3000n * 5n, tier);
  }
});

test('an instruction may overwrite itself and the ones next to it', () => {
  const engine = load(`
    mov w3, #${MOV_X0_2 & 0xffff}
    movk w3, #${MOV_X0_2 >>> 16}, lsl #16
    adr x1, 1f
    mov x8, x1
1:  str w3, [x8], #4
    cmp x8, x1
    b.eq 1b
    nop
    hvc #1`);
  assert.equal(run(engine, 100).exit.reason, 'hvc');
  assert.equal(engine.vcpu(0).x(8), CODE + 20n);
});

test('host writes and restored pages replace decoded code', () => {
  const engine = load('mov x0, #1\n hvc #0');
  const again = (): bigint => {
    engine.vcpu(0).pc = CODE;
    run(engine, 10);
    return engine.vcpu(0).x(0);
  };
  assert.equal(again(), 1n);
  engine.memory.write(toPa(CODE), words(MOV_X0_2));
  assert.equal(again(), 2n);
  const page = engine.memory.readPage(0);
  page.set(assemble('mov x0, #9'));
  engine.memory.restorePage(0, page);
  assert.equal(again(), 9n);
});

test('more code pages than the pool holds still execute', () => {
  const engine = load(`
    movz x1, #0x4010, lsl #16
    mov w3, #0x03c0
    movk w3, #0xd65f, lsl #16
    mov x4, #3000
    mov x2, x1
1:  str w3, [x2]
    add x2, x2, #4096
    subs x4, x4, #1
    b.ne 1b
    mov x4, #3000
    mov x2, x1
2:  blr x2
    add x2, x2, #4096
    subs x4, x4, #1
    b.ne 2b
    hvc #1`);
  assert.deepEqual(run(engine, 100_000), { retired: 5 + 12_000 + 2 + 15_000 + 1, exit: { reason: 'hvc', immediate: 1 } });
});

test('data in a page of code may be written without losing the code', () => {
  const engine = load(`
    adr x1, data
    mov x2, #0
1:  ldr x3, [x1]
    add x3, x3, #1
    str x3, [x1]
    add x2, x2, #1
    cmp x2, #100
    b.ne 1b
    hvc #1
    .balign 64
data: .quad 0`);
  assert.equal(run(engine, 10_000).exit.reason, 'hvc');
  assert.equal(engine.vcpu(0).x(3), 100n);
});
