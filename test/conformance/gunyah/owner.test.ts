/**
 * What a VM with every capability sees of Gunyah's calls: each question of the owner guest is answered as the real hypervisor answered it
 * (`owner-answers.txt`, see README.md).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildOwner, runOwner } from './run-owner';

const ANSWERS = join(__dirname, 'owner-answers.txt');

test('every question of the owner has the answer of the real hypervisor', () => {
  const lines = runOwner(buildOwner());
  const expected = readFileSync(ANSWERS, 'utf8').split('\n').filter((line) => line !== '');
  const wrong = expected.flatMap((answer, n) => (lines[n] === answer ? [] : [`line ${n + 1}\n  expected ${answer}\n  has      ${lines[n] ?? 'nothing'}`]));
  assert.equal(wrong.slice(0, 20).join('\n'), '', `${wrong.length} of ${expected.length} answers are wrong`);
  assert.equal(lines.length, expected.length, 'there are no questions without a known answer');
});
