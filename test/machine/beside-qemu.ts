/**
 * Programs of `programs/` on QEMU's `virt` and on our machine without a hypervisor, with several CPUs. What they print must be the same
 * line by line; a difference is told with the lines before it, since a program's next steps depend on its last ones.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveSystem } from '../../debug-adapter/configuration/resolve';
import { nodeHost } from '../../debug-adapter/node-host';
import { ticks } from '../../runtime/index';
import { guestElfs } from '../support/guest-build';
import { powerOn, type Subject } from '../support/system';

const QEMU = 'qemu-system-aarch64';
const QEMU_TIMEOUT_MS = 120_000;
const TICKS_MAX = 4_000_000_000;
const CONTEXT_LINES = 24;

/** The ELF file of a program of `programs/`. */
export function machineElf(name: string): string {
  const elf = guestElfs('machine', [name]).get(name);
  assert.ok(elf !== undefined);
  return elf;
}

/** A program as the only one of a machine without a hypervisor, or as the primary VM. */
export async function machineSubject(name: string, vcpus: number, options: { readonly identity?: 'none' | 'gunyah'; readonly commandLine?: string } = {}): Promise<Subject> {
  const { identity = 'none', commandLine = '' } = options;
  const system = { platform: { cpus: vcpus }, identity, vms: [{ image: machineElf(name), vcpus, commandLine }] };
  const resolved = await resolveSystem(nodeHost, system, { semihosting: true, folder: '/' });
  assert.ok(resolved.ok, resolved.ok ? '' : resolved.error.map(({ message }) => message).join('\n'));
  return { name, ...resolved.value };
}

/** What a program prints on QEMU until it powers off. QEMU's clock is the host's unless `options` say otherwise. */
export function printedByQemu(name: string, cpus: number, options: readonly string[] = []): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'beside-qemu-'));
  const serial = join(folder, 'serial');
  try {
    const machine = ['-M', 'virt,gic-version=3,its=off', '-cpu', 'cortex-a57', '-smp', String(cpus), '-m', '256', '-nic', 'none', '-no-reboot', '-accel', 'tcg,thread=single'];
    const result = spawnSync(QEMU, [...machine, ...options, '-display', 'none', '-monitor', 'none', '-serial', `file:${serial}`, '-kernel', machineElf(name)], { encoding: 'utf8', timeout: QEMU_TIMEOUT_MS });
    assert.equal(result.status, 0, `QEMU ends by itself: ${result.stderr}`);
    return linesOf(readFileSync(serial));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a program prints on our machine until it powers off. */
export async function printedHere(name: string, cpus: number): Promise<readonly string[]> {
  const system = powerOn(await machineSubject(name, cpus));
  const stop = system.run({ until: ticks(TICKS_MAX) });
  const lines = linesOf(system.consoles[0]?.transcript.text() ?? new Uint8Array(0));
  assert.deepEqual(stop, { kind: 'power', action: 'off' }, lines.slice(-CONTEXT_LINES).join('\n'));
  return lines;
}

/** Runs a program on both and compares; the number of lines that agreed. */
export async function checkSame(name: string, cpus: number): Promise<number> {
  const expected = printedByQemu(name, cpus);
  const actual = await printedHere(name, cpus);
  const at = expected.findIndex((line, index) => line !== actual[index]);
  if (at >= 0) assert.fail(`${name}, line ${at + 1}:\n${expected.slice(Math.max(0, at - CONTEXT_LINES), at).join('\n')}\nQEMU: ${expected[at] ?? ''}\nhere: ${actual[at] ?? ''}`);
  assert.equal(actual.length, expected.length);
  return expected.length;
}

function linesOf(bytes: Uint8Array): readonly string[] {
  return Buffer.from(bytes).toString('latin1').replaceAll('\r', '').split('\n').filter((line) => line !== '');
}
