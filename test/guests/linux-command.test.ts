/** `gunyah run` on Debian's Linux: input from a file, and exit statuses. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { buildSync } from 'esbuild';
import { linuxRamdisk, linuxSystem } from './linux-guest';

const folder = mkdtempSync(join(tmpdir(), 'gunyah-linux-'));
const COMMAND = join(folder, 'cli.js');

before(() => {
  buildSync({ absWorkingDir: resolve(__dirname, '..', '..'), entryPoints: ['cli/main.ts'], bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'], outfile: COMMAND, logLevel: 'error' });
});
after(() => { rmSync(folder, { recursive: true, force: true }); });

/** The driver of the UART throws away what came before a program opened the console, at most 64 bytes and what the FIFO holds. */
const EMPTY_LINES = '\n'.repeat(100);

/** Reads commands from the console, as a machine that is operated over its serial line does. */
const INIT = `#!/bin/busybox sh
export PATH=/bin
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
echo READY
sh
poweroff -f
`;

/** Runs Linux with text typed at its console from the start. */
function runTyping(input: string, commandLine = ''): { readonly status: number | null; readonly out: string; readonly error: string } {
  writeFileSync(join(folder, 'ramdisk.gz'), linuxRamdisk({ init: INIT }));
  const system = linuxSystem({ commandLine });
  const vms = system.vms.map((vm) => ({ ...vm, ramdisk: 'ramdisk.gz' }));
  writeFileSync(join(folder, 'linux.gunyah.json'), JSON.stringify({ ...system, vms }));
  writeFileSync(join(folder, 'input'), input);
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, 'run', join(folder, 'linux.gunyah.json'), '--input', `linux=${join(folder, 'input')}`], { encoding: 'latin1' });
  return { status, out: stdout.replaceAll('\r', ''), error: stderr };
}

test('a file of commands is typed at the shell, and a power-off ends with status 0', () => {
  const { status, out, error } = runTyping(`${EMPTY_LINES}echo $((6 * 7)) is the answer\npoweroff -f\n`);
  assert.equal(error, '');
  assert.match(out, /\n42 is the answer\n/);
  assert.equal(status, 0);
});

test('a kernel that panics and resets ends with status 3', () => {
  const { status, out, error } = runTyping(`${EMPTY_LINES}echo c > /proc/sysrq-trigger\n`, 'panic=-1');
  assert.match(out, /Kernel panic - not syncing/);
  assert.match(error, /reset the platform/);
  assert.equal(status, 3);
});
