import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Comparison, randomPrograms } from './compare';
import { commandFor, describeDifference } from './main';
import { defaultOptions } from './programs';
import { programRows } from './rows';

const INSTRUCTIONS = 60_000_000;
const EXECUTIONS_MIN = 10_000;
const SEED = 1;

/** Runs programs until enough is compared; says what differed. */
async function checkPrograms(comparison: Comparison, instructions: number, command?: string): Promise<void> {
  const { report } = comparison;
  await comparison.run(0, () => report.instructions >= instructions || report.differences.length >= 3);
  const found = report.differences.map((difference) => describeDifference(comparison, difference, command ?? commandFor(difference.program)));
  assert.equal(found.join('\n'), '', `seed ${String(SEED)}`);
}

test('sixty million instructions of random programs, spread over every row, leave the reference and both tiers in the same state', async (context) => {
  const comparison = new Comparison(randomPrograms(defaultOptions(SEED)));
  const { report } = comparison;
  try {
    await checkPrograms(comparison, INSTRUCTIONS);
    const rare = programRows.filter(({ encoding }) => (report.executed.get(encoding) ?? 0) < EXECUTIONS_MIN);
    assert.deepEqual(rare.map(({ encoding }) => encoding.name), [], `rows executed fewer than ${String(EXECUTIONS_MIN)} times`);
    context.diagnostic(`seed ${String(SEED)}: ${String(report.instructions)} instructions, ${String(report.programs)} programs, ${String(report.executed.size)} rows`);
  } finally {
    comparison.close();
  }
});

/** Blocks of 64 bytes, as the engine has them; the reference's `max` has larger ones in user mode. */
const CPU_WITH_SAME_BLOCKS = 'cortex-a76';

test('DC ZVA among loads and stores zeroes the block that the reference zeroes', async () => {
  const rows = programRows.filter(({ encoding, kind }) => ['A64', 'FP'].includes(encoding.feature) && (kind === 'memory' || encoding.mnemonic === 'sys'));
  const weighted = [...rows, ...Array.from({ length: 40 }, () => rows.filter(({ encoding }) => encoding.mnemonic === 'sys')).flat()];
  const comparison = new Comparison(randomPrograms({ ...defaultOptions(SEED), rows: weighted, zeroesBlocks: true }), ['fast', 'exact'], CPU_WITH_SAME_BLOCKS);
  try {
    await checkPrograms(comparison, 2_000_000, 'this test');
  } finally {
    comparison.close();
  }
});

/** A core without the atomics of Armv8.1, which stands for an engine that is wrong about them. */
const CPU_WITHOUT_ATOMICS = 'cortex-a57';

test('a difference is found at once and traced to its instruction', async () => {
  const rows = programRows.filter(({ encoding, kind }) => (encoding.feature === 'A64' && ['plain', 'memory', 'direct'].includes(kind)) || encoding.mnemonic === 'ldaddal');
  const comparison = new Comparison(randomPrograms({ ...defaultOptions(SEED), rows, units: 600 }), ['exact'], CPU_WITHOUT_ATOMICS);
  try {
    await comparison.run(0, ({ programs, differences }) => programs + differences.length >= 4);
    const [difference] = comparison.report.differences;
    assert.ok(difference !== undefined, 'four programs have every row');
    assert.match(describeDifference(comparison, difference, 'this test'), /the last one [0-9a-f]+: [0-9a-f]{8} ldaddal .*\(LDADD\)/);
  } finally {
    comparison.close();
  }
});
