/** Scalable vectors where random programs do not come: when they trap, what a load leaves alone, and that their state is the vCPU's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Engine } from '../../runtime/engine';
import { CODE, load, RAM_BASE, run, toPa, words } from './support';

const TIERS = ['exact', 'fast'] as const;
const RDVL = 0x04bf_5020;
/** LD1B {z1.b}, p0/z, [x0]; WRFFR p0.b; ADD z0.s, z0.s, z0.s, which does not execute; a word that no extension has. */
const LD1B = 0xa400_a001;
const WRFFR = 0x2528_9000;
const NOT_EXECUTED = 0x04a0_0000;
const UNALLOCATED = 0x04bf_f000;
const READ_ZCR = 0xd538_1200;

const SCALABLE = 0x6600_0000n;
const FLOATING_POINT = 0x1fe0_0000n;
const UNDEFINED = 0x0200_0000n;
const both = 3n << 20n | 3n << 16n;

/** ESR of the exception that a word takes, or `undefined` if it executes. */
function syndromeOf(word: number, { cpacr, el = 1, cptr = 0n }: { readonly cpacr: bigint; readonly el?: 0 | 1; readonly cptr?: bigint }): readonly (bigint | undefined)[] {
  return TIERS.map((tier) => {
    const engine = load(words(word, 0x1400_0000));
    engine.setTier(tier);
    engine.reportExceptions({ exceptionClasses: 0xffff_ffff_ffff_ffffn, irq: false, fiq: false, serror: false });
    const vcpu = engine.vcpu(0);
    vcpu.setSystemRegister('CPACR_EL1', cpacr);
    vcpu.setSystemRegister('CPTR_EL2', cptr);
    if (el === 0) vcpu.pstate = 0n;
    vcpu.setX(0, CODE);
    const { exit } = run(engine, 4000);
    return exit.reason === 'exception' ? exit.esr : undefined;
  });
}

function checkSyndrome(word: number, setup: Parameters<typeof syndromeOf>[1], expected: bigint | undefined): void {
  assert.deepEqual(syndromeOf(word, setup), [expected, expected], `${word.toString(16)} with CPACR ${setup.cpacr.toString(16)} at EL${String(setup.el ?? 1)}`);
}

test('CPACR_EL1 turns scalable vectors off by ZEN, then by FPEN, for EL0 alone or for both levels', () => {
  for (const word of [RDVL, LD1B, WRFFR, NOT_EXECUTED]) {
    const enabled = word === NOT_EXECUTED ? UNDEFINED : undefined;
    for (const el of [0, 1] as const) {
      checkSyndrome(word, { cpacr: 0n, el }, SCALABLE);
      checkSyndrome(word, { cpacr: 3n << 20n, el }, SCALABLE);
      checkSyndrome(word, { cpacr: 3n << 20n | 2n << 16n, el }, SCALABLE);
      checkSyndrome(word, { cpacr: 3n << 16n, el }, FLOATING_POINT);
      checkSyndrome(word, { cpacr: both, el }, enabled);
    }
    checkSyndrome(word, { cpacr: 3n << 20n | 1n << 16n }, enabled);
    checkSyndrome(word, { cpacr: 3n << 20n | 1n << 16n, el: 0 }, SCALABLE);
    checkSyndrome(word, { cpacr: 1n << 20n | 3n << 16n, el: 0 }, FLOATING_POINT);
  }
  checkSyndrome(UNALLOCATED, { cpacr: both }, UNDEFINED);
  checkSyndrome(READ_ZCR, { cpacr: 3n << 20n }, SCALABLE);
  checkSyndrome(READ_ZCR, { cpacr: both }, undefined);
});

test('what CPACR_EL1 lets through CPTR_EL2 can still take away: it is Undefined then', () => {
  for (const word of [RDVL, LD1B, WRFFR, NOT_EXECUTED, READ_ZCR]) {
    checkSyndrome(word, { cpacr: 0n, cptr: 0x100n }, SCALABLE);
    checkSyndrome(word, { cpacr: both, cptr: 0x100n }, UNDEFINED);
  }
});

/** An engine with scalable vectors on. */
function loaded(program: string): Engine {
  const engine = load(`.arch_extension sve\n${program}`);
  engine.vcpu(0).setSystemRegister('CPACR_EL1', both);
  return engine;
}

const RAM_END = RAM_BASE + (16n << 20n);
const BYTES = new Uint8Array([1, 2, 3, 4]);

test('elements that are not active are not accessed; a load that cannot be finished changes no register', () => {
  for (const tier of TIERS) {
    for (const [active, value] of [[4n, 0x0403_0201n], [5n, 0x55n]] as const) {
      const engine = loaded('whilelo p1.b, xzr, x1\n ld1b {z1.b}, p1/z, [x0]\n hvc #0');
      engine.setTier(tier);
      engine.memory.write(toPa(RAM_END - 4n), BYTES);
      const vcpu = engine.vcpu(0);
      vcpu.setV(1, 0x55n, 0x66n);
      vcpu.setX(0, RAM_END - 4n);
      vcpu.setX(1, active);
      const { exit } = run(engine, 100);
      assert.deepEqual(vcpu.v(1), active === 4n ? [value, 0n] : [value, 0x66n]);
      if (active === 4n) assert.equal(exit.reason, 'hvc');
      else assert.ok(exit.reason === 'mmio' && exit.access.va === RAM_END && exit.access.sizeBytes === 1 && !exit.access.syndromeValid, JSON.stringify(exit.reason));
    }
  }
});

test('a load widens and sign-extends; a store writes the low parts of active elements', () => {
  const engine = loaded('ptrue p2.s, vl3\n ld1sb {z2.s}, p2/z, [x0, x1]\n st1h {z2.s}, p2, [x0, #1, mul vl]\n hvc #0');
  const data = CODE + 0x1000n;
  engine.memory.write(toPa(data), new Uint8Array([0, 0x80, 0x7f, 0xff, 9, 9, 9, 9, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee]));
  const vcpu = engine.vcpu(0);
  vcpu.setX(0, data);
  vcpu.setX(1, 1n);
  assert.equal(run(engine, 100).exit.reason, 'hvc');
  assert.deepEqual(vcpu.v(2), [0x7f_ffff_ff80n, 0xffff_ffffn]);
  assert.deepEqual([...engine.memory.read(toPa(data + 8n), 8)], [0x80, 0xff, 0x7f, 0, 0xff, 0xff, 0xee, 0xee]);
});

test('predicates and FFR are saved with the vCPU, and each vCPU has its own', () => {
  const engine = loaded('ptrue p3.h\n wrffr p3.b\n hvc #0\n pfalse p3.b\n rdffr p4.b\n str p3, [x0]\n str p4, [x0, #1, mul vl]\n hvc #1');
  const vcpu = engine.vcpu(0);
  const data = CODE + 0x1000n;
  vcpu.setX(0, data);
  assert.equal(run(engine, 100).exit.reason, 'hvc');
  const saved = vcpu.save();
  const other = engine.vcpu(1);
  other.restore(saved);
  other.setX(0, data + 8n);
  vcpu.reset();
  vcpu.restore(saved);
  for (const index of [0, 1]) assert.equal(engine.run(index, { budget: 100, tickNow: 0 }).exit.reason, 'hvc');
  for (const address of [data, data + 8n]) assert.deepEqual([...engine.memory.read(toPa(address), 4)], [0, 0, 0x55, 0x55]);
});

test('the length register keeps four bits and changes no length', () => {
  const engine = loaded('mov x1, #-1\n msr s3_0_c1_c2_0, x1\n mrs x2, s3_0_c1_c2_0\n cntb x3\n msr s3_0_c1_c2_0, xzr\n cntb x4\n hvc #0');
  assert.equal(run(engine, 100).exit.reason, 'hvc');
  assert.deepEqual([2, 3, 4].map((n) => engine.vcpu(0).x(n)), [15n, 16n, 16n]);
});
