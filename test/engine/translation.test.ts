import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Engine, EngineOptions } from '../../runtime/engine';
import { coreFeatures } from '../../runtime/isa/cpu-features';
import { assemble, CODE, load, run, toIpa, toPa, toVa } from './support';

const TABLES = 0x4010_0000n;
const VECTORS = 0x4000_8000n;
const VALID_AF = 1n | (1n << 10n);
const PAGE = 3n | (1n << 10n);
const RO = 1n << 7n;
const USER = 1n << 6n;
const PXN = 1n << 53n;
const UXN = 1n << 54n;

/** Builds 4-level tables for 48-bit addresses, one page at a time. */
class Tables {
  private next = TABLES + 0x1000n;
  constructor(private readonly engine: Engine, readonly root = TABLES) {}

  map(address: bigint, entry: bigint): void {
    let table = this.root;
    for (const shift of [39n, 30n, 21n]) table = this.descend(table + (((address >> shift) & 511n) << 3n));
    this.engine.memory.writeU64(toPa(table + (((address >> 12n) & 511n) << 3n)), entry);
  }

  private descend(slot: bigint): bigint {
    const entry = this.engine.memory.readU64(toPa(slot));
    if (entry !== 0n) return entry & 0xffff_ffff_f000n;
    const table = this.next;
    this.next += 0x1000n;
    this.engine.memory.writeU64(toPa(slot), table | 3n);
    return table;
  }
}

/** The core that exists in QEMU only. */
const QEMU: Partial<EngineOptions> = { features: coreFeatures('max') };
const HIGH = 0xffff_0000_0000_0000n;

/** Stage 1 on, 48 bits on both sides, both from the same root; Normal memory is attribute 0, Device attribute 1. */
function withStage1(program: string, extra: (tables: Tables) => void, options: Partial<EngineOptions> = {}): Engine {
  const engine = load(program, options);
  const tables = new Tables(engine);
  tables.map(CODE, CODE | PAGE);
  tables.map(VECTORS, VECTORS | PAGE);
  engine.memory.write(toPa(VECTORS), assemble(Array.from({ length: 16 }, (_, n) => `.balign 128\n hvc #${n}`).join('\n'), VECTORS));
  extra(tables);
  const vcpu = engine.vcpu(0);
  vcpu.setSystemRegister('VBAR_EL1', VECTORS);
  vcpu.setSystemRegister('TTBR0_EL1', TABLES);
  vcpu.setSystemRegister('TTBR1_EL1', TABLES);
  vcpu.setSystemRegister('MAIR_EL1', 0x00ffn);
  vcpu.setSystemRegister('TCR_EL1', 16n | (16n << 16n) | (2n << 30n) | (2n << 32n));
  vcpu.setSystemRegister('SCTLR_EL1', 1n);
  return engine;
}

function checkFault(program: string, x1: bigint, expected: { readonly esr: bigint; readonly map?: (tables: Tables) => void; readonly options?: Partial<EngineOptions> }): void {
  const engine = withStage1(program, expected.map ?? (() => undefined), expected.options);
  engine.vcpu(0).setX(1, x1);
  assert.equal(run(engine, 100).exit.reason, 'hvc', program);
  assert.equal(engine.vcpu(0).systemRegister('ESR_EL1').toString(16), expected.esr.toString(16));
  assert.equal(engine.vcpu(0).systemRegister('FAR_EL1'), x1);
}

test('stage 1 maps both halves of the address space, at any page', () => {
  const engine = withStage1('ldr x2, [x1]\n str x2, [x3, #8]\n hvc #77', (tables) => {
    tables.map(0x7fff_1234_5000n, 0x4002_0000n | PAGE);
    tables.map(HIGH | 0x1234_6000n, 0x4002_1000n | PAGE);
  });
  engine.memory.writeU64(toPa(0x4002_0ff8n), 0xabcdn);
  engine.vcpu(0).setX(1, 0x7fff_1234_5ff8n);
  engine.vcpu(0).setX(3, HIGH | 0x1234_6000n);
  assert.deepEqual(run(engine, 100).exit, { reason: 'hvc', immediate: 77 });
  assert.equal(engine.memory.readU64(toPa(0x4002_1008n)), 0xabcdn);
  const walked = engine.translate(0, toVa(0x7fff_1234_5123n), 'both');
  assert.ok(walked.ok && walked.pa === 0x4002_0123n && walked.writable);
});

test('stage-1 data faults have the level and kind of the walk', () => {
  checkFault('ldr x2, [x1]', 0x8000_0000_0000n, { esr: 0x9600_0004n });
  checkFault('ldr x2, [x1]', 0x0001_0000_0000_0000n, { esr: 0x9600_0004n });
  checkFault('str x2, [x1]', 0x4000_1000n, { esr: 0x9600_0047n });
  checkFault('str x2, [x1]', 0x4020_0000n, { esr: 0x9600_0046n });
  checkFault('str x2, [x1]', 0x4002_0000n, { esr: 0x9600_004fn, map: (t) => { t.map(0x4002_0000n, 0x4002_0000n | PAGE | RO); } });
  checkFault('ldr x2, [x1]', 0x4002_0000n, { esr: 0x9600_000bn, map: (t) => { t.map(0x4002_0000n, 0x4002_0000n | 3n); } });
});

test('execution needs permission, and pages writable from EL0 are not executable at EL1', () => {
  checkFault('br x1', 0x4002_0000n, { esr: 0x8600_000fn, map: (t) => { t.map(0x4002_0000n, 0x4002_0000n | PAGE | PXN); } });
  checkFault('br x1', 0x4002_0000n, { esr: 0x8600_000fn, map: (t) => { t.map(0x4002_0000n, 0x4002_0000n | PAGE | USER); } });
  checkFault('br x1', 0x4002_0000n, { esr: 0x8600_0007n });
});

test('EL0 sees only its pages', () => {
  const program = 'msr elr_el1, x1\n msr spsr_el1, xzr\n eret';
  const engine = withStage1(program, (tables) => {
    tables.map(0x10_0000n, 0x4002_0000n | PAGE | USER | PXN);
    tables.map(0x10_1000n, 0x4002_1000n | PAGE | UXN | PXN);
  });
  engine.memory.write(toPa(0x4002_0000n), assemble('ldr x5, [x6]\n svc #0'));
  engine.vcpu(0).setX(1, 0x10_0000n);
  engine.vcpu(0).setX(6, 0x10_1000n);
  run(engine, 100);
  assert.equal(engine.vcpu(0).systemRegister('ESR_EL1').toString(16), 0x9200_000fn.toString(16));
  assert.ok(engine.translate(0, toVa(0x10_1000n), 'both', 1).ok);
  const user = engine.translate(0, toVa(0x10_1000n), 'both', 0);
  assert.ok(user.ok && !user.readable && !user.executable);
});

test('a changed page table entry is seen after TLBI, and TTBR0 switches at once', () => {
  const engine = withStage1('ldr x2, [x1]\n str x4, [x3]\n tlbi vmalle1\n ldr x5, [x1]\n hvc #9', (tables) => {
    tables.map(0x10_0000n, 0x4002_0000n | PAGE);
    // The leaf table of 0x10_0000 itself, mapped so that the guest can change it.
    tables.map(0x20_0000n, 0x4010_0000n | PAGE);
  });
  engine.memory.writeU64(toPa(0x4002_0000n), 1n);
  engine.memory.writeU64(toPa(0x4003_0000n), 2n);
  const leaf = findEntry(engine, 0x10_0000n);
  const vcpu = engine.vcpu(0);
  vcpu.setX(1, 0x10_0000n);
  vcpu.setX(3, mapAlias(engine, leaf));
  vcpu.setX(4, 0x4003_0000n | PAGE);
  assert.deepEqual(run(engine, 100).exit, { reason: 'hvc', immediate: 9 });
  assert.deepEqual([vcpu.x(2), vcpu.x(5)], [1n, 2n]);
});

function findEntry(engine: Engine, address: bigint): bigint {
  let table = TABLES;
  for (const shift of [39n, 30n, 21n]) table = engine.memory.readU64(toPa(table + (((address >> shift) & 511n) << 3n))) & 0xffff_ffff_f000n;
  return table + (((address >> 12n) & 511n) << 3n);
}

/** Maps the page of a table entry at 0x20_0000 and gives the entry's address there. */
function mapAlias(engine: Engine, entry: bigint): bigint {
  engine.memory.writeU64(toPa(findEntry(engine, 0x20_0000n)), (entry & ~0xfffn) | PAGE);
  return 0x20_0000n + (entry & 0xfffn);
}

test('unaligned accesses cross pages that are not neighbours in memory, and fault before anything is written', () => {
  const map = (tables: Tables): void => {
    tables.map(0x10_0000n, 0x4003_0000n | PAGE);
    tables.map(0x10_1000n, 0x4002_0000n | PAGE);
  };
  const engine = withStage1('str x2, [x1]\n ldr x3, [x1]\n stp x2, x3, [x4]\n ldp x5, x6, [x4]\n hvc #9', map);
  const vcpu = engine.vcpu(0);
  vcpu.setX(1, 0x10_0ffdn);
  vcpu.setX(2, 0x1122_3344_5566_7788n);
  vcpu.setX(4, 0x10_0ff8n);
  assert.deepEqual(run(engine, 100).exit, { reason: 'hvc', immediate: 9 });
  assert.equal(vcpu.x(3), 0x1122_3344_5566_7788n);
  assert.deepEqual([vcpu.x(5), vcpu.x(6)], [0x1122_3344_5566_7788n, 0x1122_3344_5566_7788n]);
  const last = withStage1('str x2, [x1]', (tables) => { tables.map(0x10_0000n, 0x4003_0000n | PAGE); });
  last.vcpu(0).setX(1, 0x10_0ffcn);
  last.vcpu(0).setX(2, 0xffff_ffff_ffff_ffffn);
  run(last, 100);
  assert.equal(last.vcpu(0).systemRegister('FAR_EL1'), 0x10_1000n);
  assert.equal(last.memory.readU32(toPa(0x4003_0ffcn)), 0);
});

test('unaligned Device accesses fault, Normal ones do not', () => {
  checkFault('ldr x2, [x1]', 0x4002_0001n, { esr: 0x9600_0021n, map: (t) => { t.map(0x4002_0000n, 0x4002_0000n | PAGE | (1n << 2n)); } });
});

test('the walk of stage 1 goes through stage 2, and its faults are told apart', () => {
  const engine = withStage1('ldr x2, [x1]', (tables) => { tables.map(0x10_0000n, 0x4002_0000n | PAGE); });
  const vcpu = engine.vcpu(0);
  const stage2 = 0x4080_0000n;
  engine.memory.writeU64(toPa(stage2 + 8n), (stage2 + 0x1000n) | 3n);
  // Everything but the 2 MiB that hold the data.
  engine.memory.writeU64(toPa(stage2 + 0x1000n), 0x4000_0000n | VALID_AF | (3n << 6n) | (15n << 2n));
  vcpu.setSystemRegister('VTCR_EL2', 25n | (1n << 6n) | (2n << 16n));
  vcpu.setSystemRegister('VTTBR_EL2', stage2);
  vcpu.setSystemRegister('HCR_EL2', 1n);
  vcpu.setX(1, 0x10_0000n);
  assert.deepEqual(run(engine, 1), { retired: 1, exit: { reason: 'budget' } });
  vcpu.setSystemRegister('TTBR0_EL1', 0x4040_0000n);
  const { exit } = run(engine, 100);
  assert.ok(exit.reason === 'stage2-instruction-abort' && exit.ipa >> 12n === 0x40400n);
  assert.ok(!engine.translate(0, toIpa(0x4040_0000n), 2).ok);
});

test('LDTR and STTR use the permissions of EL0', () => {
  checkFault('ldtr x2, [x1]', 0x4002_0000n, { esr: 0x9600_000fn, map: (t) => { t.map(0x4002_0000n, 0x4002_0000n | PAGE); } });
  const engine = withStage1('mov x2, #5\n sttr x2, [x1]\n ldtr x3, [x1]\n hvc #9', (t) => { t.map(0x10_0000n, 0x4002_0000n | PAGE | USER); });
  engine.vcpu(0).setX(1, 0x10_0000n);
  assert.deepEqual(run(engine, 10).exit, { reason: 'hvc', immediate: 9 });
  assert.equal(engine.vcpu(0).x(3), 5n);
});

test('an atomic counts as a read unless only its write is forbidden', () => {
  checkFault('ldadd x2, x3, [x1]', 0x4002_0000n, { esr: 0x9600_0007n });
  checkFault('ldadd x2, x3, [x1]', 0x4002_0000n, { esr: 0x9600_004fn, map: (t) => { t.map(0x4002_0000n, 0x4002_0000n | PAGE | RO); } });
  checkFault('ldadd x2, x3, [x1]', 0x4002_0000n, { esr: 0x9600_0047n, options: QEMU });
});

test('a store-exclusive looks at memory only if the monitor watches its address', () => {
  const stores = ['stxrb w4, w3, [x1]', 'stxrh w4, w3, [x1]', 'stlxr w4, w3, [x1]', 'stxr w4, x3, [x1]', 'stxp w4, w2, w3, [x1]', 'stlxp w4, x2, x3, [x1]'];
  for (const address of [0x4002_0001n, 0x0001_0000_0000_0000n, 0x10_0000n]) {
    for (const store of stores) {
      for (const before of ['nop', 'ldxr x2, [x6]', 'ldxr x2, [x6]\n clrex']) {
        const engine = withStage1(`${before}\n ${store}\n hvc #9`, (t) => { t.map(0x10_0000n, 0x4002_0000n | PAGE | RO); t.map(0x20_0000n, 0x4002_0000n | PAGE); });
        engine.vcpu(0).setX(1, address);
        engine.vcpu(0).setX(6, 0x20_0000n);
        assert.deepEqual(run(engine, 10).exit, { reason: 'hvc', immediate: 9 }, `${before}, ${store}`);
        assert.equal(engine.vcpu(0).x(4), 1n);
      }
    }
  }
  const readOnly = (t: Tables): void => { t.map(0x4002_0000n, 0x4002_0000n | PAGE | RO); };
  checkFault('ldxr x2, [x1]\n stxr w4, x3, [x1]', 0x4002_0000n, { esr: 0x9600_004fn, map: readOnly });
  checkFault('ldxp x2, x5, [x1]\n stxp w4, x3, x5, [x1]', 0x4002_0000n, { esr: 0x9600_004fn, map: readOnly });
  checkFault('stxr w4, x3, [x1]\n ldxr x2, [x1]', 0x4004_0000n, { esr: 0x9600_0007n });
});

test('a tag in the top byte does not open the monitor where it is ignored', () => {
  const engine = withStage1('ldxr x2, [x1]\n stxr w4, x3, [x6]\n hvc #9', (t) => { t.map(0x10_0000n, 0x4002_0000n | PAGE); });
  engine.vcpu(0).setSystemRegister('TCR_EL1', engine.vcpu(0).systemRegister('TCR_EL1') | (1n << 37n));
  engine.vcpu(0).setX(1, 0x10_0000n);
  engine.vcpu(0).setX(6, 0x5500_0000_0010_0000n);
  engine.vcpu(0).setX(4, 7n);
  assert.deepEqual(run(engine, 10).exit, { reason: 'hvc', immediate: 9 });
  assert.equal(engine.vcpu(0).x(4), 0n);
});

test('a DC ZVA that fails has the address that was given in FAR_EL1', () => {
  for (const offset of [0n, 0x24n, 0x3fn]) {
    checkFault('dc zva, x1', 0x4004_0000n + offset, { esr: 0x9600_0047n });
    checkFault('dc zva, x1', 0x4002_0000n + offset, { esr: 0x9600_004fn, map: (t) => { t.map(0x4002_0000n, 0x4002_0000n | PAGE | RO); } });
  }
});

test('the core of QEMU looks neither at the type of memory nor at what is maintained, but reads before it cleans to persistence', () => {
  const device = (t: Tables): void => { t.map(0x4002_0000n, 0x4002_0000n | PAGE | (1n << 2n)); };
  const maintenance = 'dc cvac, x7\n dc cvau, x7\n dc civac, x7\n dc ivac, x7\n ic ivau, x7\n';
  const engine = withStage1(`ldur x2, [x1, #3]\n stur x2, [x1, #3]\n dc zva, x1\n dc cvap, x1\n ${maintenance} hvc #9`, device, QEMU);
  engine.vcpu(0).setX(1, 0x4002_0000n);
  engine.vcpu(0).setX(7, 0x4008_0000n);
  assert.deepEqual(run(engine, 20).exit, { reason: 'hvc', immediate: 9 });
  checkFault('dc cvap, x1', 0x4008_0008n, { esr: 0x9600_0007n, options: QEMU });
  checkFault('dc cvadp, x1', 0x0001_0000_0000_0000n, { esr: 0x9600_0004n, options: QEMU });
});

test('PAN keeps EL1 off pages of EL0, set by hand or by exception entry, and goes away with ERET', () => {
  const user = (t: Tables): void => { t.map(0x4002_0000n, 0x4002_0000n | PAGE | USER); };
  const engine = withStage1('ldr x2, [x1]\n hvc #9', user);
  engine.vcpu(0).setX(1, 0x4002_0000n);
  assert.deepEqual(run(engine, 10).exit, { reason: 'hvc', immediate: 9 });
  engine.vcpu(0).pc = CODE;
  engine.vcpu(0).pstate |= 1n << 22n;
  assert.deepEqual(run(engine, 10).exit, { reason: 'hvc', immediate: 4 });
  const entered = withStage1('svc #0', () => undefined);
  entered.vcpu(0).setSystemRegister('ID_AA64MMFR1_EL1', 1n << 20n);
  run(entered, 2);
  assert.equal(entered.vcpu(0).pstate & (1n << 22n), 1n << 22n);
  assert.equal(entered.vcpu(0).systemRegister('SPSR_EL1') & (1n << 22n), 0n);
});

test('AT gives the intermediate address or the fault in PAR_EL1', () => {
  const engine = withStage1('at s1e1r, x1\n mrs x2, par_el1\n at s1e0r, x1\n mrs x3, par_el1\n at s1e1w, x4\n mrs x5, par_el1\n hvc #9', (t) => {
    t.map(0x10_0000n, 0x4002_0000n | PAGE);
  });
  engine.vcpu(0).setX(1, 0x10_0123n);
  engine.vcpu(0).setX(4, 0x20_0000n);
  assert.deepEqual(run(engine, 10).exit, { reason: 'hvc', immediate: 9 });
  assert.equal(engine.vcpu(0).x(2), (0xffn << 56n) | 0x4002_0000n | (1n << 11n) | (1n << 9n));
  assert.equal(engine.vcpu(0).x(3), (1n << 11n) | (0x0fn << 1n) | 1n);
  assert.equal(engine.vcpu(0).x(5), (1n << 11n) | (0x06n << 1n) | 1n);
});

test('DC ZVA clears the 64 bytes around its address and nothing else', () => {
  const engine = withStage1('dc zva, x1\n dc cvau, x1\n ic ivau, x1\n isb\n hvc #9', (t) => { t.map(0x10_0000n, 0x4002_0000n | PAGE); });
  engine.memory.fill(toPa(0x4002_0000n), 4096, 0xff);
  engine.vcpu(0).setX(1, 0x10_0077n);
  assert.deepEqual(run(engine, 10), { retired: 5, exit: { reason: 'hvc', immediate: 9 } });
  const bytes = engine.memory.read(toPa(0x4002_0000n), 256);
  assert.deepEqual([bytes.indexOf(0), bytes.lastIndexOf(0)], [64, 127]);
});

test('DC ZVA of Device memory is an alignment fault, cached or not', () => {
  const device = (t: Tables): void => { t.map(0x4002_0000n, 0x4002_0000n | PAGE | (1n << 2n)); };
  checkFault('dc zva, x1', 0x4002_0000n, { esr: 0x9600_0061n, map: device });
  checkFault('ldr x2, [x1]\n str x2, [x1]\n str x2, [x1]\n dc zva, x1', 0x4002_0000n, { esr: 0x9600_0061n, map: device });
});

test('cache maintenance by address needs a translation, DC IVAC one that may be written, EL0 one that it may read', () => {
  for (const instruction of ['dc cvac', 'dc civac', 'dc cvau', 'ic ivau', 'dc ivac']) checkFault(`${instruction}, x1`, 0x4000_1000n, { esr: 0x9600_0147n });
  const readOnly = (t: Tables): void => { t.map(0x4002_0000n, 0x4002_0000n | PAGE | RO); };
  checkFault('dc cvac, x1\n dc ivac, x1', 0x4002_0000n, { esr: 0x9600_014fn, map: readOnly });
  const engine = withStage1('msr elr_el1, x2\n msr spsr_el1, xzr\n eret', (t) => {
    t.map(0x20_0000n, 0x4002_0000n | PAGE | USER | PXN | RO);
    t.map(0x30_0000n, 0x4002_1000n | PAGE);
  });
  const vcpu = engine.vcpu(0);
  engine.memory.write(toPa(0x4002_0000n), assemble('dc cvac, x2\n ic ivau, x1'));
  vcpu.setSystemRegister('SCTLR_EL1', vcpu.systemRegister('SCTLR_EL1') | (1n << 26n));
  vcpu.setX(1, 0x30_0000n);
  vcpu.setX(2, 0x20_0000n);
  run(engine, 100);
  assert.equal(vcpu.systemRegister('ESR_EL1').toString(16), 0x9200_014fn.toString(16));
  assert.equal(vcpu.systemRegister('FAR_EL1'), 0x30_0000n);
});
