/** What a primary VM of a maximal CPU sees of Gunyah in registers and exceptions: as observed on the real hypervisor. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildProgram, runHere } from './same-on-qemu';

async function transcript(program: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    return await runHere(buildProgram(program, folder), 'max', 'gunyah');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Values of CRm 1 to 7, op2 0 to 7. */
const IDENTIFICATION = [
  '1010131 10011001 6000009 0 10101105 40000000 1260000 2122211',
  '2101110 13112111 21232042 1112131 11142 11011121 11110 1111111',
  '10110222 13211111 43 0 1 0 0 0',
  '1101000101111112 21 0 0 110110100110021 0 0 0',
  '10305609 0 0 0 0 0 0 0',
  '1221111110212120 11011100211002 0 0 0 0 0 0',
  '32310201126 11010211122 1021011010011011 0 0 0 0 0',
];

/** LOR, error records, authentication keys, software context numbers, EL12, trace, IMPLEMENTATION DEFINED, AMU, SPE. */
const UNDEFINED = [
  'S3_0_Ca_C4_0', 'S3_0_Ca_C4_7', 'S3_0_C5_C3_0', 'S3_0_C5_C3_1', 'S3_0_C2_C1_0', 'S3_0_C2_C3_1', 'S3_0_Cd_C0_7', 'S3_3_Cd_C0_7', 'S3_5_C1_C0_0', 'S2_1_C0_C1_0',
  'S3_3_Cf_C2_0', 'S3_3_Cd_C2_0', 'S3_0_C9_C9_0', 'S3_0_C1_C2_1', 'S3_4_C1_C1_0', 'S2_0_C0_C6_4', 'S2_0_C0_C4_6', 'S3_7_Ce_C2_0',
];

test('identification registers, Undefined ones and traps read as observed under Gunyah', async () => {
  const lines = new Map((await transcript('register-reads.c')).map((line): [string, string] => [line.split(' ')[0] ?? '', line.split(' ').slice(1).join(' ')]));
  IDENTIFICATION.forEach((row, index) => {
    assert.equal(row.split(' ').map((_, op2) => lines.get(`S3_0_C0_C${index + 1}_${op2}`)).join(' '), row);
  });
  for (const name of UNDEFINED) assert.equal(lines.get(name), undefined, name);
  assert.equal(lines.get('S3_0_C0_C0_0'), 'f0510');
  assert.equal(lines.get('S3_0_C0_C0_6'), '0');
  assert.equal(lines.get('S3_0_C1_C0_0'), '30d00800');
  // Unallocated identification registers trap (FEAT_IDST); scalable extensions trap while they are off.
  assert.equal(lines.get('S3_0_C0_C0_1'), 'esr 62320001');
  assert.equal(lines.get('S3_1_C0_C1_0'), 'esr 62304003');
  assert.equal(lines.get('S3_1_C0_C0_2'), 'esr 62344001');
  assert.equal(lines.get('S3_1_C0_C0_4'), 'esr 62384001');
  assert.equal(lines.get('S3_0_C1_C2_0'), 'esr 66000000');
  assert.equal(lines.get('S3_0_C1_C2_6'), 'esr 76000000');
  assert.equal(lines.get('S3_3_C9_Cc_0'), '41013000');
});

/** Address, syndrome and FAR of each exception of a group. */
function exceptions(lines: readonly string[], title: string): readonly string[] {
  const start = lines.findIndex((line) => line.startsWith(`${title}:`));
  const count = Number.parseInt(lines[start]?.split(': ')[1] ?? '0', 16);
  return lines.slice(start + 1, start + 1 + count).map((line) => /vector=(\w+) esr=(\w+)/.exec(line)?.slice(1).join(' ') ?? line);
}

test('debug, aborts and instructions that a VM may not use behave as observed under Gunyah', async () => {
  const lines = await transcript('gunyah-traps.c');
  for (const line of ['oslsr after lock=0', 'osdlr=0', 'mdccint=0', 'actlr=0', 'dbgbvr5=1000', 'dbgwvr3=1000', 'pmcr=41013000', 'tpidr2=5', 'no exception so far: 0']) assert.ok(lines.includes(line), line);
  assert.deepEqual(exceptions(lines, 'undefined'), Array.from({ length: 9 }, () => '200 2000000'));
  assert.deepEqual(exceptions(lines, 'scalable extensions, off'), ['200 66000000', '200 66000000', '200 66000000', '200 76000000', '200 76000000']);
  assert.deepEqual(exceptions(lines, 'caches, barriers and hints'), []);
  assert.deepEqual(exceptions(lines, 'aborts'), ['200 96000010', '200 96000010', '200 96000010', '200 86000010', '200 86000010']);
});

test('a primary VM that turns scalable vectors on finds them 128 bits long', async () => {
  const lines = await transcript('vector-length.c');
  assert.deepEqual(exceptions(lines, 'without floating point'), ['200 1fe00000']);
  assert.deepEqual(lines.slice(2, 5), ['length of one=10', 'length of minus two=ffffffffffffffe0', 'exceptions: 0']);
  // Most of their arithmetic is Undefined here, which it is not on the real system.
  assert.deepEqual(exceptions(lines, 'others'), ['200 2000000']);
});
