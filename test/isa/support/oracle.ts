/** GNU objdump and gcc as oracles of the tests. Absent tools fail in CI and are said plainly elsewhere. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const OBJDUMP = 'aarch64-linux-gnu-objdump';
const OBJCOPY = 'aarch64-linux-gnu-objcopy';
const GCC = 'aarch64-linux-gnu-gcc';

/** One line of objdump: where, what, and its text with single blanks and without comment or symbol. */
export interface OracleLine { readonly address: bigint; readonly word: number; readonly text: string }

/** True if the tool runs. In CI its absence is a failure; elsewhere the test says that it checked nothing. */
export function hasOracle(context: TestContext, tool: 'objdump' | 'gcc'): boolean {
  const command = tool === 'gcc' ? GCC : OBJDUMP;
  if (spawnSync(command, ['--version']).status === 0) return true;
  assert.notEqual(process.env['CI'], 'true', `${command} is not installed, so nothing was compared; CI must install it`);
  context.diagnostic(`${command} is not installed: NOTHING WAS COMPARED`);
  return false;
}

function inScratch<T>(use: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'isa-oracle-'));
  try {
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function parseLines(output: string): readonly OracleLine[] {
  const lines: OracleLine[] = [];
  for (const line of output.split('\n')) {
    const match = /^\s*([0-9a-f]+):\s+([0-9a-f]{8})\s+(.*)$/.exec(line);
    if (match === null) continue;
    const [, address = '', word = '', rest = ''] = match;
    const text = rest.replace(/\/\/.*$/, '').replace(/\s*<[^>]*>/, '').replace(/\s+/g, ' ').trim();
    lines.push({ address: BigInt(`0x${address}`), word: Number.parseInt(word, 16), text });
  }
  return lines;
}

/** What objdump makes of these words, placed one after another from address 0. */
export function disassembleWords(words: readonly number[]): readonly OracleLine[] {
  return inScratch((directory) => {
    const bytes = Buffer.alloc(words.length * 4);
    words.forEach((word, index) => bytes.writeUInt32LE(word, index * 4));
    const file = join(directory, 'words.bin');
    writeFileSync(file, bytes);
    return parseLines(execFileSync(OBJDUMP, ['-D', '-z', '-b', 'binary', '-m', 'aarch64', file], { encoding: 'utf8', maxBuffer: 1 << 28 }));
  });
}

/** What objdump makes of C compiled with these options. */
export function disassembleC(source: string, options: readonly string[]): readonly OracleLine[] {
  return inScratch((directory) => {
    const [input, object, code] = [join(directory, 'in.c'), join(directory, 'out.o'), join(directory, 'out.bin')];
    writeFileSync(input, source);
    execFileSync(GCC, ['-c', ...options, '-o', object, input]);
    execFileSync(OBJCOPY, ['-O', 'binary', '-j', '.text', object, code]);
    const bytes = readFileSync(code);
    return disassembleWords(Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32LE(index * 4)));
  });
}
