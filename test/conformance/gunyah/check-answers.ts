/** Compares every line of a guest's transcript with the real one's. Not for guests whose lines come in no definite order: see `probe.test.ts`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildProbe, runProbe } from './run-probe';

/** Runs the guest of a list of programs to its end; its lines are those of the file of answers. */
export async function checkAnswers(programs: string, answers: string): Promise<void> {
  const { lines, end } = await runProbe(buildProbe(programs));
  assert.equal(end, 'power', 'the guest switches the machine off');
  const expected = readFileSync(join(__dirname, answers), 'utf8').split('\n').filter((line) => line !== '');
  const wrong = expected.flatMap((answer, n) => (lines[n] === answer ? [] : [`line ${n + 1}\n  expected ${answer}\n  has      ${lines[n] ?? 'nothing'}`]));
  assert.equal(wrong.slice(0, 20).join('\n'), '', `${wrong.length} of ${expected.length} answers are wrong`);
  assert.equal(lines.length, expected.length, 'there are no questions without a known answer');
}
