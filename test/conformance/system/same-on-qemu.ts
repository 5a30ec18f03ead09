/**
 * Bare-metal programs that run on `qemu-system-aarch64` and on our machine, and must say the same on both.
 *
 * A program is a C or assembly file in `programs/`, linked with `library/` (see `library/probe.h`). It starts at EL1, provokes what it is
 * about, prints on the PL011 and ends. The transcripts are compared line by line; where QEMU departs from the architecture, the line
 * is named with the reason and with what is right. Needs `aarch64-linux-gnu-gcc` and `qemu-system-aarch64`.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveSystem } from '../../../debug-adapter/configuration/resolve';
import { nodeHost } from '../../../debug-adapter/node-host';
import type { SystemConfiguration } from '../../../debug-adapter/protocol/launch';
import { createSystem, ticks } from '../../../runtime/index';

const LIBRARY = ['vectors.S', 'probe.c', 'tables.c'].map((name) => join(__dirname, 'library', name));
const COMPILER = 'aarch64-linux-gnu-gcc';
const QEMU = 'qemu-system-aarch64';
const OPTIONS = ['-O1', '-g0', '-ffreestanding', '-nostdlib', '-static', '-fno-pic', '-no-pie', '-mgeneral-regs-only', '-mstrict-align', '-march=armv8-a', '-Wall', '-Werror', '-Wl,--build-id=none'];
const QEMU_TIMEOUT_MS = 60_000;
const TICKS_MAX = 2_000_000_000;

/** Ours has no scalable extensions where no hypervisor shows them. */
const QEMU_CPUS: Partial<Readonly<Record<Cpu, string>>> = { max: 'max,sve=off,sme=off' };

/** CPU models that both machines have. */
export type Cpu = 'cortex-a53' | 'cortex-a57' | 'cortex-a76' | 'max';

/** Where QEMU is wrong, or where the machines may differ: what in a line of QEMU's becomes what, to be what ours says, and why. */
export interface NamedException { readonly qemu: RegExp; readonly ours: string | ((part: string) => string); readonly reason: string }

/** Compiles a program of `programs/`; the ELF file's path. */
export function buildProgram(program: string, folder: string): string {
  const elf = join(folder, `${program.replace(/\W/g, '-')}.elf`);
  const script = join(__dirname, 'library', 'link.ld');
  const result = spawnSync(COMPILER, [...OPTIONS, '-T', script, '-o', elf, join(__dirname, 'programs', program), ...LIBRARY], { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
  return elf;
}

/** What the program says on QEMU's virt machine without virtualization. */
export function runOnQemu(elf: string, cpu: Cpu): readonly string[] {
  const result = spawnSync(QEMU, ['-M', 'virt,gic-version=3', '-cpu', QEMU_CPUS[cpu] ?? cpu, '-m', '128', '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-net', 'none', '-kernel', elf], { encoding: 'utf8', timeout: QEMU_TIMEOUT_MS });
  assert.equal(result.status, 0, `QEMU: ${result.stderr} ${result.stdout.slice(-2000)}`);
  return lines(result.stdout);
}

/** What the program says on our machine, with no hypervisor to be seen unless an identity is given. */
export async function runHere(elf: string, cpu: Cpu, identity: NonNullable<SystemConfiguration['identity']> = 'none'): Promise<readonly string[]> {
  const configuration: SystemConfiguration = { platform: { cpu }, identity, vms: [{ image: elf }] };
  const resolved = await resolveSystem(nodeHost, configuration, { semihosting: true, folder: '/' });
  assert.ok(resolved.ok, 'the program is readable');
  const system = createSystem(resolved.value.description);
  assert.ok(system.ok, 'the system can be made');
  const stop = system.value.run({ until: ticks(TICKS_MAX) });
  const text = new TextDecoder().decode(system.value.consoles[0]?.transcript.text());
  assert.equal(stop.kind, 'power', `${JSON.stringify(stop, (_, value: unknown) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value))}\n${text.slice(-2000)}`);
  return lines(text);
}

const lines = (text: string): readonly string[] => text.replaceAll('\r', '').split('\n').filter((line) => line !== '');

/** Builds a program, runs it on both machines, and compares; `drop` leaves lines out. */
export async function checkSameOnQemu(program: string, cpu: Cpu, exceptions: readonly NamedException[] = [], drop: (line: string) => boolean = () => false): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    const elf = buildProgram(program, folder);
    const expected = runOnQemu(elf, cpu).filter((line) => !drop(line)).map((line) => exceptions.reduce((text, { qemu, ours }) => (typeof ours === 'string' ? text.replace(qemu, ours) : text.replace(qemu, ours)), line));
    const actual = (await runHere(elf, cpu)).filter((line) => !drop(line));
    assert.equal(expected.at(-1), 'end', 'the program ends on QEMU');
    assert.equal(actual.join('\n'), expected.join('\n'), `${program} on ${cpu}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
