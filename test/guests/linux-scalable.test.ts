/** Scalable vectors under Debian's kernel, which Gunyah shows to the primary VM: their state is each process's own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LinuxConsole, PROMPT } from './linux-guest';

const GCC = 'aarch64-linux-gnu-gcc';
const OPTIONS = ['-O2', '-ffreestanding', '-nostdlib', '-static', '-fno-pic', '-no-pie', '-fno-tree-vectorize', '-march=armv8.2-a+sve', '-mgeneral-regs-only', '-Wl,--build-id=none'];

function program(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'scalable-'));
  try {
    const output = join(folder, 'program');
    const result = spawnSync(GCC, [...OPTIONS, '-o', output, join(__dirname, 'linux-scalable.c')], { encoding: 'utf8' });
    assert.equal(result.status, 0, result.stderr);
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('Linux keeps the vectors, predicates and FFR of each process; it kills one that computes with vectors, which does not execute here', async () => {
  const guest = await LinuxConsole.boot({ cpu: 'max', files: [{ kind: 'file', path: 'bin/scalable', content: program(), isExecutable: true }] });
  guest.waitFor(PROMPT);
  assert.match(guest.command('cat /proc/sys/abi/sve_default_vector_length'), /^16$/);
  assert.equal(guest.command('scalable; echo $?'), 'kept\nkept\n0');
  assert.match(guest.command('scalable compute; echo $?'), /^Illegal instruction[^]*\n132$/);
  assert.equal(guest.command('dmesg | grep -E "WARNING|BUG|Oops"'), '');
});

test('Linux leaves scalable vectors alone if it is told to', async () => {
  const guest = await LinuxConsole.boot({ cpu: 'max', commandLine: 'arm64.nosve' });
  guest.waitFor(PROMPT);
  assert.doesNotMatch(guest.command('grep Features /proc/cpuinfo'), /sve/);
});
