/**
 * What a guest sees of Gunyah: every question of the probe guest is answered as the real hypervisor and Resource Manager answered it
 * (`answers.txt`, see README.md).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildProbe, runProbe, type ProbeRun } from './run-probe';

const ANSWERS = join(__dirname, 'answers.txt');
const QUESTIONS_MIN = 1500;

let once: Promise<ProbeRun> | undefined;

/** One run serves all tests of this file. */
function theRun(): Promise<ProbeRun> {
  once ??= runProbe(buildProbe());
  return once;
}

/** Lines by question; a question that is asked again has its number behind it. */
function byQuestion(lines: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const asked = new Map<string, number>();
  for (const line of lines) {
    const at = line.indexOf(' =');
    const question = at < 0 ? line : line.slice(0, at);
    const count = (asked.get(question) ?? 0) + 1;
    asked.set(question, count);
    found.set(count === 1 ? question : `${question} (${count})`, at < 0 ? '' : line.slice(at + 2).trim());
  }
  return found;
}

test('every question of the probe has the answer of the real hypervisor and Resource Manager', async () => {
  const { lines, end } = await theRun();
  assert.equal(end, 'power', 'the probe switches the machine off');
  const answers = byQuestion(lines);
  const expected = byQuestion(readFileSync(ANSWERS, 'utf8').split('\n').filter((line) => line !== ''));
  const wrong = [...expected].filter(([question, answer]) => answers.get(question) !== answer).map(([question, answer]) => `${question}\n  expected ${answer}\n  has      ${answers.get(question) ?? 'nothing'}`);
  assert.equal(wrong.join('\n'), '', `${wrong.length} of ${expected.size} answers are wrong`);
  assert.deepEqual([...answers.keys()].filter((question) => !expected.has(question)), [], 'questions without a known answer');
  assert.ok(expected.size >= QUESTIONS_MIN, `${expected.size} questions`);
});

test('a second run of the probe ends in the same state', async () => {
  const first = await theRun();
  const second = await runProbe(buildProbe());
  assert.deepEqual([second.hash, second.lines.length], [first.hash, first.lines.length]);
});
