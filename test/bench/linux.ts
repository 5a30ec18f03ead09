/**
 * Speed with an operating system: processor time of Debian's Linux from power-on to its shell and power-off, and through a session of busybox
 * programs, on our machine and on QEMU with exact instruction counting. Same kernel, same initial RAM file system, alternating in one run;
 * whole processes, start-up included.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { linuxRamdisk, linuxSystem } from '../guests/linux-guest';
import { debianKernel } from '../support/debian-guests';
import { measureCpuTime } from './cpu-time';
import type { Figure, Unmeasured } from './figure';

const MEMORY_MIB = 256;
const RIVAL = 'qemu-system-aarch64 -icount shift=0';
const TIMEOUT_MS = 300_000;
/** Our processor time may be this many times QEMU's. */
const TIMES_MAX = 7;
const BUSYBOX = '/bin/busybox';

interface Workload { readonly name: string; readonly vcpus: number; readonly commands: string }

const SESSION = 'dd if=/bin/busybox bs=64k count=8 2>/dev/null | gzip -1 | gunzip | md5sum; seq 1 2000 | sort -r | sha256sum; for i in 1 2 3 4 5 6 7 8; do ls -lR /proc/self /bin | wc -l; done >/dev/null';

const WORKLOADS: readonly Workload[] = [
  { name: 'linux/boot', vcpus: 1, commands: '' },
  { name: 'linux/boot-4-vcpus', vcpus: 4, commands: '' },
  { name: 'linux/session', vcpus: 1, commands: SESSION },
];

/** Mounts what programs want, has the shell do the work, and switches off. */
function initOf({ commands }: Workload): string {
  return `#!${BUSYBOX} sh\nexport PATH=/bin\n${BUSYBOX} mount -t proc proc /proc\n${BUSYBOX} --install -s /bin\nsh -c 'echo shell reached'\n${commands}\npoweroff -f\n`;
}

/** Measures each workload `rounds` times on both machines; the best of all rounds counts, as noise only ever adds. */
export function measureLinux(commandFile: string, rounds: number): (Figure | Unmeasured)[] {
  if (spawnSync('qemu-system-aarch64', ['--version']).status !== 0) {
    return [{ name: 'linux', reason: 'qemu-system-aarch64 is not installed (Debian: apt-get install qemu-system-arm)' }];
  }
  const folder = mkdtempSync(join(tmpdir(), 'gunyah-bench-'));
  try {
    return WORKLOADS.map((workload) => measureWorkload(workload, { folder, commandFile, rounds }));
  } catch (error) {
    return [{ name: 'linux', reason: error instanceof Error ? error.message : String(error) }];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function measureWorkload(workload: Workload, { folder, commandFile, rounds }: { readonly folder: string; readonly commandFile: string; readonly rounds: number }): Figure {
  const ramdisk = join(folder, 'ramdisk.gz');
  const systemFile = join(folder, 'linux.gunyah.json');
  const system = linuxSystem({ vcpus: workload.vcpus, memory: `${MEMORY_MIB}M` });
  writeFileSync(ramdisk, linuxRamdisk({ init: initOf(workload) }));
  writeFileSync(systemFile, JSON.stringify({ ...system, vms: system.vms.map((vm) => ({ ...vm, ramdisk })) }));
  const qemu = [
    'qemu-system-aarch64', '-M', 'virt,gic-version=3', '-cpu', 'cortex-a57', '-m', String(MEMORY_MIB), '-smp', String(workload.vcpus), '-nographic', '-no-reboot', '-nic', 'none',
    '-icount', 'shift=0', '-kernel', debianKernel('cloud').image, '-initrd', ramdisk, '-append', 'console=ttyAMA0',
  ];
  let [ours, theirs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < rounds; round++) {
    ours = Math.min(ours, secondsOf(workload, [process.execPath, commandFile, 'run', systemFile]));
    theirs = Math.min(theirs, secondsOf(workload, qemu));
  }
  return { name: workload.name, value: ours, unit: 's CPU', against: theirs, rival: `${RIVAL}, wanted ${(1 / TIMES_MAX).toFixed(3)}`, ratio: theirs / ours };
}

function secondsOf({ name }: Workload, command: readonly string[]): number {
  const run = measureCpuTime(command, TIMEOUT_MS);
  if (run.status !== 0 || !run.output.includes('shell reached') || !run.output.includes('Power down')) {
    throw new Error(`${name} with ${command[0] ?? ''} did not end well (status ${String(run.status)}):\n${run.output.slice(-1000)}`);
  }
  return run.seconds;
}
