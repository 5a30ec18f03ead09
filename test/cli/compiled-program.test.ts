import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Script } from 'node:vm';

import { ENGINE, runProgram } from '../../cli/compiled-program';

const PROGRAM = 'const { writeFileSync } = require("node:fs"); function say() { writeFileSync(__filename + ".ran", __dirname); } say(); module.exports = say;\n';

/** Runs a program beside which there is code (made of itself unless `change` says otherwise), and says what became of that; the program must have run. */
function checkRun(wanted: ReturnType<typeof runProgram>, change: (code: Buffer) => Buffer | undefined): void {
  const folder = mkdtempSync(join(tmpdir(), 'gunyah-program-'));
  const path = join(folder, 'program.js');
  try {
    writeFileSync(path, PROGRAM);
    const code = change(new Script(Module.wrap(PROGRAM), { filename: 'elsewhere.js' }).createCachedData());
    if (code !== undefined) writeFileSync(`${path}.code`, code);
    assert.equal(runProgram(path, () => undefined), wanted);
    assert.equal(readFileSync(`${path}.ran`, 'utf8'), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function hashed(code: Buffer, program = PROGRAM): Buffer {
  return Buffer.concat([createHash('sha256').update(ENGINE).update(program).update(code).digest(), code]);
}

/** With one byte changed. */
function damaged(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}

test('a program runs with the code that was kept of it', () => { checkRun('used', (code) => hashed(code)); });

test('a program without kept code runs', () => { checkRun('none', () => undefined); });

test('code of another program, or damaged code, is left alone', () => {
  checkRun('none', (code) => hashed(code, `${PROGRAM} `));
  checkRun('none', (code) => damaged(hashed(code), 100));
  checkRun('none', () => Buffer.alloc(3));
});

test('code of another version of V8 is refused, and the program runs', () => { checkRun('refused', (code) => hashed(damaged(code, 4))); });

test('the server whose code is kept has the flags of the one that uses it', () => {
  const root = resolve(__dirname, '..', '..');
  const flagsIn = (file: string): readonly string[] => [...readFileSync(join(root, file), 'utf8').matchAll(/'(--[a-z-]+(=\d+)?)'/g)].map(([, flag]) => flag ?? '');
  assert.ok(existsSync(join(root, 'compiled-code.mjs')));
  assert.deepEqual(flagsIn('compiled-code.mjs'), flagsIn('language-server/engine.ts'));
});
