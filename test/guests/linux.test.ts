/**
 * Debian's unmodified arm64 kernels to a busybox shell, and what the shell answers: the standard and the cloud kernel, with one vCPU and with
 * several, as the primary VM of a Gunyah system and on the bare board, on several CPUs.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { debianBusybox } from '../support/debian-guests';
import { powerOn } from '../support/system';
import { LinuxConsole, PROMPT, secondaryLinuxSubject, type LinuxSetup } from './linux-guest';

const QEMU = 'qemu-aarch64';

/** Pipelines whose output depends on nothing but the programs; `$B` stands for busybox. */
const PIPELINES = [
  '$B dd if=/dev/zero bs=1k count=256 2>/dev/null | $B sha256sum',
  '$B seq 1 700 | $B sort -r | $B md5sum',
  '$B seq 1 2500 | $B gzip -1 | $B gunzip | $B wc -c',
  '$B seq 1 1000 | $B bzip2 | $B md5sum',
  'echo "scale=20; 4*a(1); e(1)" | $B bc -l',
  "$B seq 1 400 | $B awk '{ s += $1 * $1 / 7 } END { print s, 355 / 113 }'",
  '$B expr 9973 "*" 8403 + 86',
  'i=0; s=1; while [ $i -lt 300 ]; do s=$((s * 1103515245 + 12345)); i=$((i + 1)); done; echo $s',
  "echo 'the quick brown fox' | $B sed 's/[aeiou]/<&>/g' | $B tr a-z A-Z | $B rev",
  '$B seq 1 50 | $B grep -cE "[37]$|^1."',
];

/** What the same busybox answers under QEMU's user mode. */
function expectedOf(pipeline: string): string {
  const busybox = `${QEMU} ${debianBusybox()}`;
  const { stdout } = spawnSync('sh', ['-c', pipeline.replaceAll('$B', busybox)], { encoding: 'utf8' });
  return stdout.replace(/\n$/, '');
}

function checkPipelines(guest: LinuxConsole): void {
  for (const pipeline of PIPELINES) assert.equal(guest.command(pipeline.replaceAll('$B ', '')), expectedOf(pipeline), pipeline);
}

/** A shell session: what somebody would try first. */
function checkSession(guest: LinuxConsole, vcpus: number): void {
  const cpuinfo = guest.command('cat /proc/cpuinfo');
  assert.deepEqual([...cpuinfo.matchAll(/^processor\t: (\d+)$/gm)].map(([, index]) => Number(index)), Array.from({ length: vcpus }, (_, index) => index));
  assert.match(cpuinfo, /^Features\t: fp asimd evtstrm .*crc32/m);
  assert.match(guest.command('dmesg | head -n 1'), /Booting Linux on physical CPU 0x0000000000 /);
  assert.ok(Number(guest.command('dmesg | wc -l')) > 150);
  assert.equal(guest.command('dmesg | grep -E "WARNING|BUG|Oops|Call trace|rcu.*stall"'), '');
  assert.deepEqual(guest.command('ls /').split(/\s+/).filter((name) => name !== ''), ['bin', 'dev', 'etc', 'init', 'proc', 'root', 'sys', 'tmp', 'usr']);
  assert.equal(guest.command('for i in 1 2 3; do echo line $i | tr a-z A-Z; done'), 'LINE 1\nLINE 2\nLINE 3');
  assert.match(guest.command('date'), /Jan 1 00:00:0\d UTC 2024|Jan {2}1 00:00:0\d UTC 2024/);
  checkTimers(guest);
  checkPipelines(guest);
}

function checkTimers(guest: LinuxConsole): void {
  const uptimes = guest.command('cut -d" " -f1 /proc/uptime; sleep 1.5; cut -d" " -f1 /proc/uptime').split('\n').map(Number);
  const slept = (uptimes[1] ?? 0) - (uptimes[0] ?? 0);
  // The kernel gives hundredths.
  assert.ok(slept > 1.485 && slept < 1.7, `slept ${slept} s`);
  assert.match(guest.command('time -f "%e" sleep 0.25 2>&1'), /^0\.2[5-9]$/);
}

/** Boots, looks around, powers off. */
async function checkGuest(setup: LinuxSetup): Promise<void> {
  const guest = await LinuxConsole.boot(setup);
  assert.match(guest.waitFor(PROMPT), /Run \/init as init process[^]*init: reached at/);
  checkSession(guest, setup.vcpus ?? 1);
  if ((setup.vcpus ?? 1) > 1) checkAllCpusWork(guest, setup.vcpus ?? 1);
  assert.deepEqual(guest.finish('poweroff -f'), { kind: 'power', action: 'off' });
  assert.match(guest.transcript, /reboot: Power down\n$/);
}

/** Runs something on each CPU, and together. */
function checkAllCpusWork(guest: LinuxConsole, vcpus: number): void {
  assert.match(guest.command('dmesg | grep "Brought up"'), new RegExp(`Brought up 1 node, ${vcpus} CPUs`));
  const all = Array.from({ length: vcpus }, (_, index) => `${index}`);
  assert.deepEqual(guest.command(`for i in ${all.join(' ')}; do taskset -c $i sh -c 'cut -d" " -f39 /proc/self/stat'; done`).split('\n'), all);
  const sums = guest.command(`for i in ${all.join(' ')}; do taskset -c $i sh -c "seq 1 2000 | md5sum" & done; wait`).split('\n').filter((line) => line.endsWith(' -'));
  assert.deepEqual(sums, all.map(() => expectedOf('$B seq 1 2000 | $B md5sum')));
}

/** Boots on another CPU, which must be the one that Linux finds. */
async function checkCpu(setup: LinuxSetup, { part, features, end }: { readonly part: string; readonly features: RegExp; readonly end: string }): Promise<{ readonly guest: LinuxConsole; readonly action: string | undefined }> {
  const guest = await LinuxConsole.boot(setup);
  guest.waitFor(PROMPT);
  const cpuinfo = guest.command('cat /proc/cpuinfo');
  assert.match(cpuinfo, new RegExp(`CPU part\\t: ${part}`));
  assert.match(cpuinfo, features);
  checkPipelines(guest);
  const stop = guest.finish(end);
  return { guest, action: stop.kind === 'power' ? stop.action : undefined };
}

test('the standard kernel comes to a shell as the primary VM, answers what is typed and powers off', () => checkGuest({ kernel: 'standard' }));

test('the standard kernel does so on a machine without a hypervisor', () => checkGuest({ kernel: 'standard', identity: 'none' }));

test('the cloud kernel does so with four vCPUs, each of which works', () => checkGuest({ vcpus: 4 }));

test('the cloud kernel does so with four CPUs of a machine without a hypervisor', () => checkGuest({ vcpus: 4, identity: 'none' }));

test('on a Cortex-A53 Linux finds no atomic instructions; a reboot is reported as one', async () => {
  const { guest, action } = await checkCpu({ cpu: 'cortex-a53' }, { part: '0xd03', features: /^Features(?!.*atomics)/m, end: 'reboot -f' });
  assert.equal(action, 'reset');
  assert.match(guest.transcript, /reboot: Restarting system\n$/);
});

test('on a Cortex-A76 Linux uses the atomic instructions and PAN; after a panic it resets', async () => {
  const { guest, action } = await checkCpu({ cpu: 'cortex-a76', commandLine: 'panic=-1' }, { part: '0xd0b', features: /^Features.* atomics .*asimddp/m, end: 'echo c > /proc/sysrq-trigger' });
  assert.match(guest.transcript, /CPU features: detected: LSE atomic instructions/);
  assert.match(guest.transcript, /CPU features: detected: Privileged Access Never/);
  assert.match(guest.transcript, /Kernel panic - not syncing: sysrq triggered crash/);
  assert.equal(action, 'reset');
});

test('on the CPU with everything Linux finds what it announces, scalable vectors too, which the C library copies memory with; it powers off', async () => {
  const { guest, action } = await checkCpu({ cpu: 'max', vcpus: 2 }, { part: '0x', features: /^Features.* atomics .*asimddp .*sve/m, end: 'poweroff -f' });
  assert.match(guest.transcript, /SVE: maximum available vector length 16 bytes per vector/);
  assert.equal(action, 'off');
});

test('Linux also starts in a VM that the Resource Manager builds, which shows it no feature that the core lacks', async () => {
  const guest = new LinuxConsole(powerOn(await secondaryLinuxSubject({ vcpus: 2 })), 1);
  guest.waitFor(PROMPT);
  assert.match(guest.command('cat /proc/cpuinfo'), /^Features(?!.*atomics).*crc32/m);
  assert.match(guest.command('dmesg | grep "Brought up"'), /2 CPUs/);
  checkPipelines(guest);
  assert.deepEqual(guest.finish('poweroff -f'), { kind: 'idle' });
  assert.deepEqual(guest.system.vmSummaries().map(({ name, state }) => [name, state]), [['waits', 'RUNNING'], ['linux', 'EXITED']]);
});
