/**
 * What the Resource Manager answers to requests of every length, with every bit and every field at its edges, at every stage of a VM's life,
 * and to requests by chance: each line of the guests in `requests/` is that of the real one's answers (`requests-answers.txt`,
 * `requests-chance-answers.txt`, see README.md).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildProbe, runProbe } from './run-probe';

async function checkRequests(programs: string, answers: string): Promise<void> {
  const { lines, end } = await runProbe(buildProbe(programs));
  assert.equal(end, 'power', 'the guest switches the machine off');
  const expected = readFileSync(join(__dirname, answers), 'utf8').split('\n').filter((line) => line !== '');
  const wrong = expected.flatMap((answer, n) => (lines[n] === answer ? [] : [`line ${n + 1}\n  expected ${answer}\n  has      ${lines[n] ?? 'nothing'}`]));
  assert.equal(wrong.slice(0, 20).join('\n'), '', `${wrong.length} of ${expected.length} answers are wrong`);
  assert.equal(lines.length, expected.length, 'there are no questions without a known answer');
}

test('requests of every length and with every field at its edges have the answers of the real Resource Manager', async () => {
  await checkRequests('requests-programs.json', 'requests-answers.txt');
});

test('requests by chance, and lists of what VMs with devices by chance have, are those of the real Resource Manager', async () => {
  await checkRequests('requests-chance-programs.json', 'requests-chance-answers.txt');
});
