/** GNU as on many single lines: which of them it takes, and the words they give. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const AS = 'aarch64-linux-gnu-as';
const OBJCOPY = 'aarch64-linux-gnu-objcopy';
const HEADER = '.arch armv8.6-a+sha3+sm4+crypto+fp16fml+memtag+sve\n';

/** Numbers of the lines that do not assemble. */
function refused(folder: string, lines: readonly string[]): ReadonlySet<number> {
  writeFileSync(join(folder, 'a.s'), HEADER + lines.map((line) => `${line}; 1:\n`).join(''));
  const result = spawnSync(AS, ['-o', join(folder, 'a.o'), join(folder, 'a.s')], { encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.ok(result.error === undefined, `${AS} is needed by this test (Debian package binutils-aarch64-linux-gnu)`);
  return new Set([...result.stderr.matchAll(/a\.s:(\d+): Error/g)].map((match) => Number(match[1]) - 2));
}

/** The words of those lines that assemble; `1f` in a line is the next address. */
export function assembleLines(lines: readonly string[]): ReadonlyMap<string, number> {
  const folder = mkdtempSync(join(tmpdir(), 'isa-assembler-'));
  try {
    const unique = [...new Set(lines)];
    const bad = refused(folder, unique);
    const good = unique.filter((_, index) => !bad.has(index));
    const stillBad = refused(folder, good);
    assert.deepEqual([...stillBad].map((index) => good[index]), []);
    assert.equal(spawnSync(OBJCOPY, ['-O', 'binary', '-j', '.text', join(folder, 'a.o'), join(folder, 'a.bin')]).status, 0);
    const bytes = readFileSync(join(folder, 'a.bin'));
    assert.equal(bytes.length, good.length * 4, 'a word for each line');
    return new Map(good.map((line, index) => [line, bytes.readUInt32LE(index * 4)]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
