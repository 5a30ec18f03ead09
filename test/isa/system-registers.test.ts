import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coreFeatures, secondaryIdentification } from '../../runtime/isa/cpu-features';
import { announcedFeatures, limitToFeatures } from '../../runtime/isa/feature-fields';
import { cacheSizes, hardwareIdentification, pinnedIdentification, unpinnedIdentification } from '../../runtime/isa/identification-profiles';
import type { CoreProfile, IdentificationValues } from '../../runtime/isa/identification-profiles';
import { systemRegisterKey } from '../../runtime/isa/interface';
import { notYet, readyFeatures } from '../../runtime/isa/ledger';
import { systemInstructionByKey, systemInstructions, systemRegisterByKey, systemRegisterByName, systemRegisters } from '../../runtime/isa/system-registers';

const PROFILES: readonly CoreProfile[] = ['cortex-a53', 'cortex-a57', 'cortex-a76', 'max'];

function checkRegister(name: string, key: number, access: string, handling: string): void {
  const row = systemRegisterByName(name);
  assert.ok(row !== undefined, name);
  assert.equal(systemRegisterKey(row), key, name);
  assert.equal(`${row.read}/${row.write}`, access, name);
  assert.equal(row.handling, handling, name);
}

test('names and encodings are unique, and every row is found by both', () => {
  assert.equal(new Set(systemRegisters.map((row) => row.name)).size, systemRegisters.length);
  assert.equal(new Set([...systemRegisters, ...systemInstructions].map(systemRegisterKey)).size, systemRegisters.length + systemInstructions.length);
  for (const row of systemRegisters) {
    assert.equal(systemRegisterByKey(systemRegisterKey(row)), row);
    assert.equal(systemRegisterByName(row.name), row);
  }
  for (const row of systemInstructions) assert.equal(systemInstructionByKey(systemRegisterKey(row)), row);
});

test('registers stand at their architected encodings with their access levels', () => {
  checkRegister('SCTLR_EL1', 0xc080, 'EL1/EL1', 'engine');
  checkRegister('TPIDR_EL0', 0xde82, 'EL0/EL0', 'storage');
  checkRegister('TPIDRRO_EL0', 0xde83, 'EL0/EL1', 'storage');
  checkRegister('MIDR_EL1', 0xc000, 'EL1/never', 'constant');
  checkRegister('CNTVCT_EL0', 0xdf02, 'EL0/never', 'engine');
  checkRegister('ICC_SGI1R_EL1', 0xc65d, 'never/EL1', 'exit');
  checkRegister('HCR_EL2', 0xe088, 'EL2/EL2', 'engine');
  checkRegister('DBGBVR0_EL1', 0x8004, 'EL1/EL1', 'engine');
});

test('reset values lie outside no register, and fixed bits survive a write', () => {
  for (const row of [...systemRegisters, ...systemInstructions]) {
    assert.ok(row.reset >= 0n && row.reset < 1n << 64n && row.writeMask >= 0n && row.writeMask < 1n << 64n, row.name);
    assert.ok(row.description.endsWith('.'), row.name);
    if (row.write === 'never') assert.equal(row.writeMask, 0n, row.name);
  }
  const sctlr = systemRegisterByName('SCTLR_EL1');
  assert.equal(sctlr?.reset, 0x30d0_0800n);
  assert.equal((sctlr?.writeMask ?? 0n) & (1n << 29n | 1n << 28n | 1n << 22n | 1n << 20n | 1n << 11n), 0n);
});

test('an EL0 gate names a register that exists', () => {
  for (const { name, el0Enable } of [...systemRegisters, ...systemInstructions]) {
    if (el0Enable !== undefined) assert.ok(systemRegisterByName(el0Enable.register) !== undefined, name);
  }
});

test('the whole identification space below CRm 8 answers', () => {
  for (let crm = 1; crm < 8; crm++) {
    for (let op2 = 0; op2 < 8; op2++) {
      const row = systemRegisterByKey(systemRegisterKey({ op0: 3, op1: 0, crn: 0, crm, op2 }));
      assert.ok(row?.handling === 'constant' && row.state === 'ready', `${crm} ${op2}`);
    }
  }
});

test('profiles name only registers of the table that are constant', () => {
  for (const profile of PROFILES) {
    for (const values of [hardwareIdentification(profile), pinnedIdentification(profile), unpinnedIdentification(profile)]) {
      for (const [name, value] of Object.entries(values)) {
        assert.equal(systemRegisterByName(name)?.handling, 'constant', `${profile} ${name}`);
        assert.ok(value >= 0n && value < 1n << 64n);
      }
    }
    assert.equal(cacheSizes(profile).length, 3);
  }
});

/** Values of CRm 1 to 7 in the order of the encodings. */
function space(values: IdentificationValues): readonly string[] {
  return Array.from({ length: 7 }, (_, row) => Array.from({ length: 8 }, (__, op2) => {
    const name = systemRegisterByKey(systemRegisterKey({ op0: 3, op1: 0, crn: 0, crm: row + 1, op2 }))?.name ?? '';
    return (values[name] ?? 0n).toString(16);
  }).join(' '));
}

test('Gunyah shows the primary VM of a maximal core what was observed', () => {
  assert.deepEqual(space(pinnedIdentification('max')), [
    '1010131 10011001 6000009 0 10101105 40000000 1260000 2122211',
    '2101110 13112111 21232042 1112131 11142 11011121 11110 1111111',
    '10110222 13211111 43 0 1 0 0 0',
    '1101000101111112 21 0 0 110110100110021 0 0 0',
    '10305609 0 0 0 0 0 0 0',
    '1221111110212120 11011100211002 0 0 0 0 0 0',
    '32310201126 11010211122 1021011010011011 0 0 0 0 0',
  ]);
});

test('Gunyah shows an unpinned vCPU what was observed', () => {
  assert.deepEqual(space(unpinnedIdentification('max')), [
    '10131 10010000 10000 0 10201105 40000000 1260000 2122211',
    '2001110 13112110 21232042 1112131 10142 1011121 21110 10',
    '10110222 13211111 43 0 1 0 0 0',
    '1100000001001112 0 0 0 0 0 0 0',
    '10305609 0 0 0 0 0 0 0',
    '2000100010210120 1 0 0 0 0 0 0',
    'f001121 10212120 1011 0 0 0 0 0',
  ]);
});

test('a vCPU that is not pinned is shown nothing that the core lacks', () => {
  const announced = (profile: Parameters<typeof secondaryIdentification>[0]): readonly string[] => announcedFeatures(secondaryIdentification(profile));
  for (const profile of ['cortex-a53', 'cortex-a57', 'cortex-a76', 'max'] as const) {
    assert.deepEqual(announced(profile).filter((feature) => ![...coreFeatures(profile)].some((one) => one === feature)), [], profile);
  }
  assert.ok(!announced('cortex-a57').includes('PAN') && announced('cortex-a76').includes('LSE'));
});

test('limiting a profile removes what is not granted and nothing else', () => {
  const isar0 = (features: readonly string[]): bigint | undefined =>
    limitToFeatures(unpinnedIdentification('max'), (feature) => features.includes(feature))['ID_AA64ISAR0_EL1'];
  assert.equal(isar0([]), 0n);
  assert.equal(isar0(['CRC32', 'LSE']), 0x21_0000n);
  assert.equal(isar0(['AES', 'PMULL', 'SHA1', 'CRC32', 'LSE', 'RDM', 'DOTPROD', 'RNG']), 0x2000_1000_1021_0120n);
  const all = limitToFeatures(hardwareIdentification('cortex-a53'), () => true);
  assert.deepEqual(all, hardwareIdentification('cortex-a53'));
});

test('what is ready can be promised: a limited profile never announces a feature of the ledger', () => {
  const ready = readyFeatures();
  const limited = limitToFeatures(pinnedIdentification('max'), (feature) => ready.has(feature));
  if (!ready.has('SVE')) assert.equal(((limited['ID_AA64PFR0_EL1'] ?? 0n) >> 32n) & 15n, 0n);
  if (!ready.has('DOTPROD')) assert.equal(((limited['ID_AA64ISAR0_EL1'] ?? 0n) >> 44n) & 15n, 0n);
});

test('no register that guests of an offered core may use is missing', () => {
  const { systemRegisters: missing, inNoOfferedCpu } = notYet();
  assert.deepEqual(missing.filter(({ op0 }) => op0 !== 1).map(({ name }) => name), []);
  assert.ok(inNoOfferedCpu.some((row) => row.name === 'ALLINT'));
});
