import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { guestElf, guestNames, sampleElf } from './guest-build';

const QEMU = 'qemu-system-aarch64';
const hasQemu = spawnSync(QEMU, ['--version']).status === 0;

/** Runs a fixture on QEMU's virt board and returns its console; undefined where there is no QEMU to compare with. */
function runOnQemu(name: string): string | undefined {
  if (!hasQemu) return undefined;
  // Time by instructions, not by the host's clock: a busy host must not make a guest miss its timer.
  const board = ['-M', 'virt,gic-version=3', '-cpu', 'cortex-a57', '-m', '256', '-nographic', '-no-reboot', '-nic', 'none', '-icount', 'shift=0,sleep=off'];
  const result = spawnSync(QEMU, [...board, '-kernel', guestElf(name)], { encoding: 'utf8', timeout: 30_000, input: '' });
  return result.stdout.replaceAll('\r\n', '\n');
}

function checkConsole(name: string, expected: readonly (string | RegExp)[]): void {
  const console = runOnQemu(name);
  if (console === undefined) return;
  for (const part of expected) {
    if (typeof part === 'string') assert.ok(console.includes(part), `${name} should print "${part}":\n${console}`);
    else assert.match(console, part);
  }
}

test('every fixture guest compiles to an AArch64 executable with relative paths in its debug information', () => {
  for (const name of guestNames('fixtures')) {
    const bytes = readFileSync(guestElf(name));
    assert.equal(bytes.subarray(1, 4).toString('latin1'), 'ELF', name);
    assert.equal(bytes.readUInt16LE(18), 183, `${name} is for AArch64`);
    assert.ok(bytes.includes(`test/fixtures/guests/${name.replace(/-o[02]$/, '')}.c\0`), `${name} names its source relative to the repository`);
    assert.ok(!bytes.includes(process.cwd()), `${name} does not name the folder it was built in`);
  }
});

test('the sample programs load where the system file and the device tree expect them', () => {
  assert.equal(readFileSync(sampleElf('primary')).readBigUInt64LE(24), 0x41000000n);
  assert.equal(readFileSync(sampleElf('sensor')).readBigUInt64LE(24), 0x80080000n);
});

test('the SDK starts up, finds its board in the device tree and prints', () => {
  checkConsole('hello', ['hello from EL1', 'device tree: found']);
  checkConsole('sdk-self-test', [/all \d+ checks pass/, '[  -42] [42   ] [-0042] [beef] [text] [abc] [!] [%]']);
});

test('the SDK takes timer interrupts, software-generated interrupts and exceptions', () => {
  checkConsole('timer-irq', ['10 ticks, time plausible', 'slept long enough', '1 SGI, timer interrupt taken 11 times']);
  checkConsole('exception-zoo', ['BRK                    EC 0x3c (BRK) ISS 0x123', 'fetch from nowhere     EC 0x21', /(9|10) of 10 kinds taken/]);
  checkConsole('jump-to-zero', ['Unhandled exception: synchronous, vector 4', 'ELR 0x0000000000000000', 'called from 0x']);
});

test('the generated-code and debugger guests compute what they should', () => {
  checkConsole('self-modifying', ['499500 (expected 499500)', '901 (expected 901)']);
  for (const name of ['nested-structs', 'nested-structs-o0', 'nested-structs-o2']) {
    checkConsole(name, ['10! = 3628800', 'inlined 57', 'shadows 1010', 'nine 285', 'stops 7, vla 4']);
  }
});

test('a guest without a Resource Manager says so and resets', () => {
  checkConsole('queue-overflow', ['Panic: there is no Resource Manager in the device tree']);
});
