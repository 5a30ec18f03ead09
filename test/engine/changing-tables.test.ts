/** Translation tables that change under a running guest: no cached translation is ever seen, whatever the guest forgets to invalidate. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../runtime/base/prng';
import type { Engine } from '../../runtime/engine';
import { assemble, CODE, machine, registers, toPa } from './support';

const VECTORS = 0x4000_8000n;
const ROOT = 0x4010_0000n;
const DATA = 0x4020_0000n;
/** A window of 2 MiB whose level 3 table is the fourth page of tables. */
const WINDOW = 0x8000_0000n;
const AF = 1n << 10n;
const PAGE = 3n | AF;
const BLOCK = 1n | AF;
const RO = 1n << 7n;
const DBM = 1n << 51n;
const MANAGED = (1n << 39n) | (1n << 40n);
const level2 = ROOT + 0x1000n;
const windowLevel2 = ROOT + 0x2000n;
const windowTable = ROOT + 0x3000n;
/** VA of the pages of tables: blocks map all RAM one to one. */
const entryOf = (page: number): bigint => windowTable + BigInt(page) * 8n;

/** 39 bits, RAM one to one by a block, and a window with pages; vectors that count and go on after what faulted. */
function prepare(program: string, tcr = 0n): Engine {
  const engine = machine();
  const { memory } = engine;
  memory.write(toPa(CODE), assemble(program));
  memory.write(toPa(VECTORS), assemble(
    Array.from({ length: 16 }, () => '.balign 128\n mrs x28, esr_el1\n eor x27, x28, x27, ror #7\n mrs x28, far_el1\n eor x27, x28, x27, ror #7\n mrs x28, elr_el1\n add x28, x28, #4\n msr elr_el1, x28\n eret').join('\n'), VECTORS));
  memory.writeU64(toPa(ROOT + 8n), level2 | 3n);
  memory.writeU64(toPa(ROOT + 16n), windowLevel2 | 3n);
  for (let block = 0n; block < 8n; block++) memory.writeU64(toPa(level2 + block * 8n), (0x4000_0000n + block * 0x20_0000n) | BLOCK);
  memory.writeU64(toPa(windowLevel2), windowTable | 3n);
  for (let page = 0; page < 16; page++) memory.writeU64(toPa(entryOf(page)), (DATA + BigInt(page) * 0x1000n) | PAGE);
  for (let page = 0n; page < 32n; page++) memory.writeU64(toPa(DATA + page * 0x1000n), page + 1n);
  const vcpu = engine.vcpu(0);
  vcpu.pc = CODE;
  for (const [name, value] of [['VBAR_EL1', VECTORS], ['TTBR0_EL1', ROOT], ['MAIR_EL1', 0xffn], ['TCR_EL1', 25n | (2n << 32n) | tcr], ['SCTLR_EL1', 1n]] as const) vcpu.setSystemRegister(name, value);
  return engine;
}

function check(program: string, values: Readonly<Record<number, bigint>>, expected: Readonly<Record<number, bigint>>): void {
  for (const tier of ['exact', 'fast'] as const) {
    const engine = prepare(`${program}\n hvc #1`);
    engine.setTier(tier);
    for (const [register, value] of Object.entries(values)) engine.vcpu(0).setX(Number(register), value);
    const { exit } = engine.run(0, { budget: 100_000, tickNow: 0 });
    assert.equal(exit.reason, 'hvc');
    for (const [register, value] of Object.entries(expected)) assert.equal(engine.vcpu(0).x(Number(register)), value, `x${register}, ${tier}`);
  }
}

const other = (DATA + 0x5000n) | PAGE;

test('a store over a descriptor is seen by the next access without TLBI, however it is made', () => {
  for (const store of [
    'str x2, [x1]', 'stp x2, x3, [x1]', 'swp x2, x9, [x1]', 'ldxr x9, [x1]\n stxr w8, x2, [x1]', 'strh w6, [x1, #1]', 'str w2, [x1]', 'dup v0.2d, x2\n str q0, [x1]', 'cas x3, x2, [x1]',
  ]) {
    check(`ldr x4, [x0]\n msr cpacr_el1, x7\n ${store}\n ldr x5, [x0]`, {
      0: WINDOW, 1: entryOf(0), 2: other, 3: DATA | PAGE, 6: (other >> 8n) & 0xffffn, 7: 3n << 20n,
    }, { 4: 1n, 5: 6n });
  }
});

test('a store over the descriptor of a table or a block takes all that it maps', () => {
  const secondTable = DATA + 0x10_0000n;
  const fill = 'str x3, [x2]\n';
  check(`${fill} ldr x4, [x0]\n ldr x6, [x0, #4096]\n str x2, [x1]\n ldr x5, [x0]`, { 0: WINDOW, 1: windowLevel2, 2: secondTable | 3n, 3: other }, { 4: 1n, 6: 2n });
  check('str x3, [x6]\n ldr x4, [x0]\n str x2, [x1]\n ldr x5, [x0]', { 0: WINDOW, 1: windowLevel2, 2: secondTable | 3n, 3: other, 6: secondTable }, { 4: 1n, 5: 6n });
  check('ldr x4, [x0]\n str x2, [x1]\n ldr x5, [x0]', { 0: DATA, 1: level2 + 8n, 2: 0x4000_0000n | BLOCK }, { 4: 1n });
  check('str x3, [x6]\n ldr x4, [x0]\n str x2, [x1]\n ldr x5, [x0]', { 0: DATA, 1: level2 + 8n, 2: 0x4000_0000n | BLOCK, 3: 77n, 6: 0x4000_0000n + 0x8_0000n }, { 4: 1n });
});

test('DC ZVA over descriptors takes away what they map, and a store over an invalid one adds it', () => {
  check('ldr x4, [x0]\n dc zva, x1\n mov x27, #0\n ldr x5, [x0]\n cmp x27, #0\n cset x6, ne\n str x2, [x1]\n ldr x5, [x0]', { 0: WINDOW, 1: entryOf(0), 2: other }, { 4: 1n, 6: 1n, 5: 6n });
});

test('the page that executes is looked up again when its descriptor changes', () => {
  const engine = prepare('nop');
  const { memory } = engine;
  memory.write(toPa(DATA), assemble('str x2, [x1]\n mov x5, #1\n hvc #1'));
  memory.write(toPa(DATA + 0x1000n), assemble('nop\n mov x5, #2\n hvc #2'));
  engine.vcpu(0).pc = WINDOW;
  engine.vcpu(0).setX(1, entryOf(0));
  engine.vcpu(0).setX(2, (DATA + 0x1000n) | PAGE);
  for (const tier of ['exact', 'fast'] as const) {
    engine.setTier(tier);
    engine.vcpu(0).pc = WINDOW;
    memory.writeU64(toPa(entryOf(0)), DATA | PAGE);
    assert.deepEqual(engine.run(0, { budget: 100_000, tickNow: 0 }).exit, { reason: 'hvc', immediate: 2 });
    assert.equal(engine.vcpu(0).x(5), 2n);
  }
});

test('a write by the host over a descriptor is seen, and so is a restored page', () => {
  const engine = prepare('ldr x4, [x0]\n b .-4');
  engine.vcpu(0).setX(0, WINDOW);
  const saved = engine.memory.readPage(engine.memory.pageIndexOf(toPa(windowTable)));
  const load = (): bigint => { engine.run(0, { budget: 10, tickNow: 0 }); return engine.vcpu(0).x(4); };
  assert.equal(load(), 1n);
  engine.memory.writeU64(toPa(entryOf(0)), other);
  assert.equal(load(), 6n);
  engine.memory.restorePage(engine.memory.pageIndexOf(toPa(windowTable)), saved);
  assert.equal(load(), 1n);
});

test('the hardware access flag and dirty state are written to the descriptor, and only by accesses that are permitted', () => {
  const engine = prepare('ldr x4, [x0]\n hvc #1\n str x4, [x0]\n hvc #2\n str x4, [x1]\n hvc #3\n at s1e1w, x2\n hvc #4', MANAGED);
  const { memory } = engine;
  const leaf = DATA | 3n | RO | DBM;
  memory.writeU64(toPa(entryOf(0)), leaf);
  memory.writeU64(toPa(entryOf(1)), (DATA + 0x1000n) | 3n | RO);
  memory.writeU64(toPa(entryOf(2)), (DATA + 0x2000n) | 3n | RO | DBM);
  const vcpu = engine.vcpu(0);
  [WINDOW, WINDOW + 0x1000n, WINDOW + 0x2000n].forEach((address, index) => { vcpu.setX(index, address); });
  memory.collectDirtyPages();
  engine.setWatchpoints([{ id: 5, address: toPa(entryOf(0)), sizeBytes: 8, access: 'write' }]);
  const next = (): string => { const { exit } = engine.run(0, { budget: 100, tickNow: 0 }); return exit.reason === 'watchpoint' ? `${exit.reason} ${exit.id}` : exit.reason; };
  assert.deepEqual([next(), next()], ['watchpoint 5', 'hvc']);
  assert.equal(memory.readU64(toPa(entryOf(0))), leaf | AF);
  assert.deepEqual([...memory.collectDirtyPages()], [memory.pageIndexOf(toPa(windowTable))]);
  assert.deepEqual([next(), next()], ['watchpoint 5', 'hvc']);
  assert.equal(memory.readU64(toPa(entryOf(0))), (leaf | AF) & ~RO);
  assert.equal(next(), 'hvc');
  assert.equal(memory.readU64(toPa(entryOf(1))), (DATA + 0x1000n) | 3n | RO, 'a store that is not permitted');
  assert.equal(next(), 'hvc');
  assert.equal(memory.readU64(toPa(entryOf(2))), (DATA + 0x2000n) | 3n | RO | DBM, 'AT has no effect');
  assert.equal(vcpu.systemRegister('PAR_EL1') & 1n, 0n);
});

/** Loads, stores, branches and calls among a window, its tables and the code, at random; nothing is ever invalidated. */
function scribbler(random: Prng): string {
  const lines = Array.from({ length: 160 }, (_, index) => {
    const [address, value, into] = [random.below(10), 10 + random.below(8), 20 + random.below(4)];
    const offset = random.below(64) * 8;
    switch (random.below(12)) {
      case 0: case 1: case 2: return `ldr x${into}, [x${address}, #${offset}]`;
      case 3: case 4: case 5: return `str x${value}, [x${address}, #${offset}]`;
      case 6: return `str x${into}, [x${address}, #${offset}]`;
      case 7: return `ldadd x${value}, x${into}, [x${address}]`;
      case 8: return `stp x${value}, x${into}, [x${address}, #${offset % 512}]`;
      case 9: return `stur x${value}, [x${address}, #${offset % 250 + 1}]`;
      case 10: return `add x${into}, x${into}, x${value}`;
      default: return `cbz x${into}, l${random.below(index + 1)}`;
    }
  });
  return `${lines.map((line, index) => `l${index}: ${line}`).join('\n')}\n b l0`;
}

function scribblerState(seed: number, program: string, tcr: bigint): Engine {
  const engine = prepare(program, tcr);
  const random = new Prng(seed);
  const vcpu = engine.vcpu(0);
  const addresses = [WINDOW, WINDOW + 0x1000n, WINDOW + 0x2ff0n, windowTable, windowTable + 0x40n, windowLevel2, DATA, level2, ROOT, WINDOW + 0x3000n];
  addresses.forEach((address, index) => { vcpu.setX(index, address); });
  const values = [
    (DATA + 0x3000n) | PAGE, (DATA + 0x4000n) | PAGE | RO, 0n, windowTable | PAGE, windowTable | 3n, DATA | 3n | RO | DBM, DATA | BLOCK, 0x10_0000_0000n | PAGE,
  ];
  values.forEach((_, index) => { vcpu.setX(10 + index, values[random.below(values.length)] ?? 0n); });
  return engine;
}

const TICKS = 6000;
const wholeState = (engine: Engine): unknown => [registers(engine), ['ESR_EL1', 'FAR_EL1', 'ELR_EL1', 'SPSR_EL1'].map((name) => engine.vcpu(0).systemRegister(name)), hashOf(engine)];

function hashOf(engine: Engine): number {
  let hash = 0;
  for (const byte of engine.memory.read(toPa(CODE), 0x40_0000)) hash = (Math.imul(hash, 31) + byte) | 0;
  return hash;
}

/** Device accesses are passed over. */
function go(engine: Engine, ticks: number): void {
  let retired = 0;
  while (retired < ticks) {
    const result = engine.run(0, { budget: ticks - retired, tickNow: retired });
    retired += result.retired;
    if (result.exit.reason === 'budget') continue;
    engine.injectException(0, 0x9600_0010n, 0n);
    retired++;
  }
}

test('a guest that scribbles over its tables runs the same in both tiers, in slices, and with caches lost at any time', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const program = scribbler(new Prng(seed));
    const tcr = seed % 2 === 0 ? MANAGED : 0n;
    const straight = scribblerState(seed, program, tcr);
    go(straight, TICKS);
    const expected = wholeState(straight);
    const exact = scribblerState(seed, program, tcr);
    exact.setTier('exact');
    go(exact, TICKS);
    assert.deepEqual(wholeState(exact), expected, `seed ${seed}, counting every instruction`);
    const sliced = scribblerState(seed, program, tcr);
    const random = new Prng(seed + 1000);
    for (let done = 0; done < TICKS;) {
      const slice = Math.min(1 + random.below(random.below(8) === 0 ? 2500 : 60), TICKS - done);
      go(sliced, slice);
      done += slice;
      const loss = random.below(6);
      if (loss === 0) sliced.invalidateTlb();
      else if (loss === 1) sliced.memory.collectDirtyPages();
      else if (loss === 2) sliced.flushCaches();
      else if (loss === 3) sliced.vcpu(0).restore(sliced.vcpu(0).save());
    }
    assert.deepEqual(wholeState(sliced), expected, `seed ${seed}, in slices`);
  }
});
