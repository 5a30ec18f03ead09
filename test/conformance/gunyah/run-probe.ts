/**
 * Runs the probe guest (`guest/`, or another of its kind) as primary VM of eight maximal CPUs with 1 GiB at 0x40000000, and returns what it asked and was answered.
 * The guest is compiled with the samples' own build script. Not a comparison: see `probe.test.ts`.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { resolveSystem } from '../../../debug-adapter/configuration/resolve';
import { nodeHost } from '../../../debug-adapter/node-host';
import type { SystemConfiguration } from '../../../debug-adapter/protocol/launch';
import { createSystem, ticks } from '../../../runtime/index';

const REPOSITORY = resolve(__dirname, '../../..');
const BUILD = join(REPOSITORY, 'extension', 'samples', 'two-vms', 'build.mjs');
const TICKS_MAX = 20_000_000_000;

/** What a run of the probe left behind. */
export interface ProbeRun {
  /** The lines it printed. */
  readonly lines: readonly string[];
  /** How the run ended. */
  readonly end: string;
  readonly hash: string;
}

/** Compiles the guest of a list of programs if need be; its ELF file's path. */
export function buildProbe(programs = 'programs.json'): string {
  const result = spawnSync(process.execPath, [BUILD, '--programs', join(__dirname, programs)], { cwd: REPOSITORY, encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
  return resolve(REPOSITORY, result.stdout.trim().split(': ')[1] ?? '');
}

/** Runs the probe from power-on to its end. */
export async function runProbe(elf: string): Promise<ProbeRun> {
  const configuration: SystemConfiguration = {
    platform: { cpu: 'max', cpus: 8 },
    vms: [{ name: 'probe', image: elf, memory: { base: '0x40000000', size: '1G' }, vcpus: 8, uart: true }],
  };
  const resolved = await resolveSystem(nodeHost, configuration, { semihosting: true, folder: '/' });
  assert.ok(resolved.ok, resolved.ok ? '' : resolved.error.map(({ message }) => message).join('\n'));
  const system = createSystem(resolved.value.description);
  assert.ok(system.ok, system.ok ? '' : system.error.map(({ message }) => message).join('\n'));
  const stop = system.value.run({ until: ticks(TICKS_MAX) });
  const text = Buffer.from(system.value.consoles[0]?.transcript.text() ?? new Uint8Array()).toString('latin1');
  return { lines: text.replaceAll('\r', '').split('\n').filter((line) => line !== ''), end: stop.kind, hash: system.value.stateHash() };
}
