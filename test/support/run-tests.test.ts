import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const REPOSITORY = join(__dirname, '..', '..');

/** Runs the runner where no tool but a shell is installed. */
function runWithoutTools(word: string, environment: Readonly<Record<string, string>>): { readonly status: number | null; readonly text: string } {
  const folder = mkdtempSync(join(tmpdir(), 'run-tests-'));
  try {
    symlinkSync('/bin/sh', join(folder, 'sh'));
    const result = spawnSync(process.execPath, ['test/support/run-tests.mjs', word], { cwd: REPOSITORY, env: { PATH: folder, ...environment }, encoding: 'utf8' });
    return { status: result.status, text: `${result.stdout}${result.stderr}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a test file whose tool is missing is left out by name, with the line that installs the tool', () => {
  const { status, text } = runWithoutTools('devicetree/overlay', {});
  assert.match(text, /^LEFT OUT: test\/devicetree\/overlay\.test\.ts needs dtc, fdtoverlay$/m);
  assert.match(text, /sudo apt-get install device-tree-compiler$/m);
  assert.equal(status, 0);
});

test('in CI a test file that is left out is a failure', () => {
  assert.equal(runWithoutTools('devicetree/overlay', { CI: 'true' }).status, 1);
});

test('a word that matches no test file is an error', () => {
  const { status, text } = runWithoutTools('no-such-test', {});
  assert.match(text, /No test file matches no-such-test\./);
  assert.equal(status, 1);
});
