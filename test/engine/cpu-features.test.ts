import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../runtime/base/prng';
import { coreFeatures } from '../../runtime/isa/cpu-features';
import { encodings } from '../../runtime/isa/encodings';
import type { CoreProfile } from '../../runtime/isa/identification-profiles';
import type { Encoding, Feature } from '../../runtime/isa/interface';
import { randomInstruction } from '../../runtime/isa/random-instruction';
import { systemInstructions, systemRegisters } from '../../runtime/isa/system-registers';
import { CODE, load, machine, run, STACK, toPa, toVa, words } from './support';

const CORES: readonly CoreProfile[] = ['cortex-a53', 'cortex-a57', 'cortex-a76', 'max'];
const UNDEFINED = 0x0200_0000n;
const VECTORS = CODE + 0x8000n;

/** What each core adds to the one before. */
const BASE: readonly Feature[] = ['A64', 'FP', 'ADVSIMD', 'CRC32', 'AES', 'PMULL', 'SHA1', 'SHA256'];
const A76: readonly Feature[] = [...BASE, 'LSE', 'RDM', 'DOTPROD', 'FP16', 'LRCPC', 'DPB', 'PAN', 'UAO', 'LOR'];
const MAX: readonly Feature[] = [
  ...A76, 'SHA512', 'SHA3', 'SM3', 'SM4', 'FHM', 'FLAGM', 'FLAGM2', 'FCMA', 'JSCVT', 'LRCPC2', 'FRINTTS', 'SB', 'SPECRES', 'BF16', 'I8MM', 'DPB2', 'DIT', 'SSBS', 'BTI', 'PAUTH', 'RNG',
  'TLBIOS', 'TLBIRANGE',
];
const EXPECTED: Readonly<Record<string, readonly Feature[]>> = { 'cortex-a53': BASE, 'cortex-a57': BASE, 'cortex-a76': A76, max: MAX };

/** True if the word, alone at EL1 with SIMD on, takes an Undefined exception. */
function isUndefined(word: number, features: ReadonlySet<Feature>): boolean {
  const engine = machine({ features });
  engine.memory.write(toPa(CODE), words(word));
  const vcpu = engine.vcpu(0);
  vcpu.setSystemRegister('CPACR_EL1', 3n << 20n);
  vcpu.setSystemRegister('VBAR_EL1', VECTORS);
  vcpu.setSystemRegister('HCR_EL2', 3n << 40n);
  for (let n = 0; n < 31; n++) vcpu.setX(n, STACK);
  [vcpu.pc, vcpu.sp] = [CODE, STACK];
  engine.reportExceptions({ exceptionClasses: 1n, irq: false, fiq: false, serror: false });
  const { exit } = run(engine, 1);
  return exit.reason === 'exception' && exit.esr === UNDEFINED && exit.elr === toVa(CODE);
}

test('each core has the features that its identification registers name', () => {
  for (const core of CORES) {
    const features = coreFeatures(core);
    for (const feature of EXPECTED[core] ?? []) assert.ok(features.has(feature), `${core} has ${feature}`);
    for (const feature of MAX) assert.equal(features.has(feature), (EXPECTED[core] ?? []).includes(feature), `${core} ${feature}`);
    for (const feature of ['MTE', 'SME', 'WFXT'] as const) assert.ok(!features.has(feature), `${core} ${feature}`);
  }
});

test('an instruction of a feature that the core lacks is Undefined, and otherwise is not', () => {
  const prng = new Prng(1);
  const optional = encodings.filter((row) => row.state === 'ready' && !['A64', 'FP', 'ADVSIMD'].includes(row.feature));
  const rows = [...new Map(optional.map((row) => [`${row.feature} ${row.class}`, row])).values()];
  for (const core of ['cortex-a57', 'cortex-a76', 'max'] as const) {
    const features = coreFeatures(core);
    for (const row of rows) {
      const word = randomInstruction(prng, row);
      assert.equal(isUndefined(word, features), !features.has(row.feature), `${core}: ${row.name} ${word.toString(16)}`);
    }
  }
});

test('a system register or operation of a feature that the core lacks is Undefined', () => {
  const rows = [...systemRegisters, ...systemInstructions].filter(({ feature, state, handling }) => feature !== undefined && state === 'ready' && handling !== 'exit');
  assert.ok(rows.length > 3);
  for (const row of rows.filter(({ read, write }) => [read, write].some((level) => level === 'EL0' || level === 'EL1'))) {
    const isRead = row.read !== 'never';
    const word = (0xd500_0000 | (isRead ? 1 << 21 : 0) | (row.op0 << 19) | (row.op1 << 16) | (row.crn << 12) | (row.crm << 8) | (row.op2 << 5) | 5) >>> 0;
    const features = new Set<Feature>(row.feature === undefined ? ['A64'] : ['A64', row.feature]);
    // Those of the scalable extensions trap while these are off.
    if (row.feature === 'SVE' || row.feature === 'SME') continue;
    assert.ok(isUndefined(word, new Set<Feature>(['A64'])), `${row.name} without its feature`);
    assert.ok(!isUndefined(word, features), `${row.name} with its feature`);
  }
});

test('the hint space does nothing on a core without the features that use it', () => {
  const engine = load('paciasp\n bti c\n autiasp\n xpaclri\n esb\n psb csync\n hint #0x77\n hvc #0', { features: coreFeatures('cortex-a53') });
  const vcpu = engine.vcpu(0);
  vcpu.setSystemRegister('SCTLR_EL1', 0xf0d0_0800n);
  vcpu.setX(30, 0x1234_5678_9abc_def0n);
  const { retired, exit } = run(engine, 100);
  assert.deepEqual([retired, exit.reason, vcpu.x(30)], [8, 'hvc', 0x1234_5678_9abc_def0n]);
});

const byFeature = (feature: Feature): Encoding | undefined => encodings.find((row) => row.feature === feature && row.state === 'ready');

test('two machines with different cores keep their decoded code apart', () => {
  const lse = byFeature('LSE');
  assert.ok(lse !== undefined);
  const word = randomInstruction(new Prng(3), lse);
  for (let round = 0; round < 2; round++) {
    assert.ok(isUndefined(word, coreFeatures('cortex-a57')));
    assert.ok(!isUndefined(word, coreFeatures('cortex-a76')));
  }
});
