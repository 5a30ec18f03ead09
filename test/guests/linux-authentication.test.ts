/** Pointer authentication and branch targets under Debian's kernel, which uses both itself and offers them to programs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LinuxConsole, PROMPT } from './linux-guest';

const GCC = 'aarch64-linux-gnu-gcc';
const OPTIONS = ['-O2', '-ffreestanding', '-nostdlib', '-static', '-fno-pic', '-no-pie', '-march=armv8.5-a', '-mbranch-protection=standard', '-Wl,-z,force-bti,--build-id=none'];

function program(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'authentication-'));
  try {
    const output = join(folder, 'program');
    const result = spawnSync(GCC, [...OPTIONS, '-o', output, join(__dirname, 'linux-authentication.c')], { encoding: 'utf8' });
    assert.equal(result.status, 0, result.stderr);
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('Linux signs and authenticates pointers and checks branch targets on the CPU with everything, and kills programs that forge or jump wrongly', async () => {
  const guest = await LinuxConsole.boot({ cpu: 'max', identity: 'none', files: [{ kind: 'file', path: 'bin/authentication', content: program(), isExecutable: true }] });
  guest.waitFor(PROMPT);
  assert.match(guest.command('grep Features /proc/cpuinfo'), / paca pacg .* bti/);
  assert.match(guest.command('dmesg'), /Address authentication \(architected QARMA5 algorithm\)[^]*Branch Target Identification/);
  assert.equal(guest.command('authentication; echo $?'), 'signed\nauthentic\ncounted\n0');
  assert.match(guest.command('authentication forge; echo $?'), /^signed\nSegmentation fault[^]*\n139$/);
  assert.match(guest.command('authentication jump; echo $?'), /^signed\nauthentic\nIllegal instruction[^]*\n132$/);
  assert.equal(guest.command('dmesg | grep -E "WARNING|BUG|Oops"'), '');
});
