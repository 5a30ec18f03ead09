import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY } from '../tidy/project';
import { referencePages } from './reference';

const FOLDER = join(REPOSITORY, 'docs', 'reference');

test('the reference pages say what the tables say', () => {
  for (const [name, expected] of referencePages()) {
    const path = join(FOLDER, name);
    if (process.env['UPDATE_EXPECT'] === '1') writeFileSync(path, expected);
    const actual = existsSync(path) ? readFileSync(path, 'utf8') : '';
    assert.equal(firstDifference(actual, expected), undefined, `docs/reference/${name} is out of date: npm run docs:reference`);
  }
});

test('no page of the reference is without a table', () => {
  assert.deepEqual(readdirSync(FOLDER).sort(), [...referencePages().keys()].sort());
});

test('every row of every table has a line in its page', () => {
  const pages = referencePages();
  const has = (name: string, text: string): boolean => pages.get(name)?.includes(text) === true;
  assert.ok(has('hypercalls.md', '## msgqueue_send') && has('hypercalls.md', '`HVC #0x601b`'));
  assert.ok(has('rm-messages.md', '| VM_START |') && has('rm-messages.md', '| VM_EXITED |'));
  assert.ok(has('system-registers.md', '| SCTLR_EL1 |') && has('instructions.md', '| ADD (immediate) |'));
  assert.ok(has('custom-requests.md', '`gunyah/messageQueues`') && has('system-file.md', '`vms[].image`') && has('exception-filters.md', '`wfi-deadlock`'));
});

/** The first line that differs, for a short message. */
function firstDifference(actual: string, expected: string): string | undefined {
  if (actual === expected) return undefined;
  const lines = actual.split('\n');
  return expected.split('\n').find((line, index) => line !== lines[index]) ?? 'the end';
}
