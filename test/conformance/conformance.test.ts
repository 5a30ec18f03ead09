import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Comparison } from './compare';
import { describeDifference } from './main';
import { defaultOptions } from './programs';
import { programRows } from './rows';

const INSTRUCTIONS = 100_000_000;
const EXECUTIONS_MIN = 10_000;
const SEED = 1;

test('a hundred million instructions of random programs, spread over every row, leave the reference and both tiers in the same state', async (context) => {
  const comparison = new Comparison(defaultOptions(SEED));
  const { report } = comparison;
  try {
    await comparison.run(0, () => report.instructions >= INSTRUCTIONS || report.differences.length >= 3);
    const found = report.differences.map((difference) => describeDifference(comparison, difference));
    assert.equal(found.join('\n'), '', `seed ${String(SEED)}`);
    const rare = programRows.filter(({ encoding }) => (report.executed.get(encoding) ?? 0) < EXECUTIONS_MIN);
    assert.deepEqual(rare.map(({ encoding }) => encoding.name), [], `rows executed fewer than ${String(EXECUTIONS_MIN)} times`);
    context.diagnostic(`seed ${String(SEED)}: ${String(report.instructions)} instructions, ${String(report.programs)} programs, ${String(report.executed.size)} rows`);
  } finally {
    comparison.close();
  }
});
