import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../runtime/base/prng';
import type { Engine } from '../../runtime/engine';
import { encodings } from '../../runtime/isa/encodings';
import { randomInstruction } from '../../runtime/isa/random-instruction';
import { CODE, load, RAM_BASE, toPa, words } from './support';

const ROUNDS = 24;
const BUDGET = 2500;

/** Words of every row, system instructions included, and words that mean nothing. */
function hostileProgram(prng: Prng): Uint8Array {
  return words(...Array.from({ length: 600 }, () => {
    const encoding = encodings[prng.below(encodings.length)];
    return prng.below(8) === 0 || encoding === undefined ? prng.nextU32() : randomInstruction(prng, encoding);
  }));
}

/** An address that may be anything: RAM, its last bytes, unmapped, huge. */
function hostileAddress(prng: Prng): bigint {
  switch (prng.below(4)) {
    case 0: return RAM_BASE + BigInt(prng.below(16 << 20));
    case 1: return RAM_BASE + BigInt(16 << 20) - BigInt(prng.below(64));
    case 2: return BigInt(prng.nextU32());
    default: return prng.nextU64();
  }
}

function hostileMachine(prng: Prng): Engine {
  const engine = load(hostileProgram(prng));
  const vcpu = engine.vcpu(0);
  for (let n = 0; n < 31; n++) vcpu.setX(n, hostileAddress(prng));
  vcpu.sp = hostileAddress(prng);
  for (const name of ['TTBR0_EL1', 'TTBR1_EL1', 'VTTBR_EL2', 'TCR_EL1', 'VTCR_EL2', 'MAIR_EL1']) vcpu.setSystemRegister(name, hostileAddress(prng));
  vcpu.setSystemRegister('VBAR_EL1', CODE + BigInt(prng.below(2)) * 2048n);
  vcpu.setSystemRegister('CPACR_EL1', BigInt(prng.below(4)) << 20n);
  if (prng.below(3) === 0) vcpu.setSystemRegister('HCR_EL2', 1n << 12n);
  // Page tables that are partly sensible: descriptors that point back into the tables.
  for (let i = 0; i < 512; i++) engine.memory.writeU64(toPa(RAM_BASE + 0x8000n + BigInt(i * 8)), (RAM_BASE + 0x8000n) | BigInt(prng.below(2048)));
  if (prng.below(3) === 0) {
    vcpu.setSystemRegister('TTBR0_EL1', RAM_BASE + 0x8000n);
    vcpu.setSystemRegister('TTBR1_EL1', RAM_BASE + 0x8000n + BigInt(prng.below(4096)));
    if (prng.below(2) === 0) vcpu.setSystemRegister('SCTLR_EL1', 1n);
  }
  return engine;
}

/** Goes on after an exit as a careless host would. */
function goOn(engine: Engine, prng: Prng, reason: string): void {
  const vcpu = engine.vcpu(0);
  switch (prng.below(4)) {
    case 0: engine.injectException(0, BigInt(prng.nextU32()), prng.nextU64()); return;
    case 1: if (reason === 'system-register') engine.completeSystemRegister(0, prng.nextU64()); else engine.skipInstruction(0); return;
    case 2: vcpu.pc = CODE + BigInt(prng.below(600) * 4); return;
    default: engine.skipInstruction(0);
  }
}

function runHostile(seed: number, tier: 'exact' | 'fast'): string {
  const prng = new Prng(seed);
  const engine = hostileMachine(prng);
  engine.setTier(tier);
  const trace: string[] = [];
  for (let left = BUDGET; left > 0;) {
    const { retired, exit } = engine.run(0, { budget: left, tickNow: BUDGET - left });
    assert.ok(retired >= 0 && retired <= left, `seed ${seed}: retired ${retired} of ${left}`);
    trace.push(`${retired} ${exit.reason} ${engine.vcpu(0).pc.toString(16)}`);
    left -= Math.max(1, retired);
    if (exit.reason !== 'budget') goOn(engine, prng, exit.reason);
  }
  const vcpu = engine.vcpu(0);
  return `${trace.join('\n')}\n${Array.from({ length: 31 }, (_, n) => vcpu.x(n).toString(16)).join()} ${vcpu.pstate.toString(16)}`;
}

test('whatever a guest executes, every run ends within its budget, the host is unharmed, and both tiers agree', () => {
  for (let seed = 1; seed <= ROUNDS; seed++) assert.equal(runHostile(seed, 'fast'), runHostile(seed, 'exact'), `seed ${seed}`);
});
