/**
 * Debian's arm64 kernel with a busybox shell, for tests: makes the initial RAM file system, powers the system on, types at the shell and reads what it
 * answers. Nothing of the kernel or of busybox is changed; `/init` mounts the usual file systems and becomes the shell.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { resolveSystem } from '../../debug-adapter/configuration/resolve';
import { nodeHost } from '../../debug-adapter/node-host';
import type { SystemConfiguration } from '../../debug-adapter/protocol/launch';
import { ok, ticks, type Stop, type System } from '../../runtime/index';
import { debianBusybox, debianKernel } from '../support/debian-guests';
import { initramfs, type ArchiveEntry } from '../support/initramfs';
import { powerOn, wordsElf, type Subject } from '../support/system';

/** What the shell prints when it waits for a command. */
export const PROMPT = 'guest:# ';
const RAMDISK_NAME = 'initramfs.cpio.gz';
const IDLE_NAME = 'idle.elf';
const SLICE_TICKS = 2_000_000;
/** Most virtual time that a test waits for a text, and most of the host's: a guest that only takes exceptions gets nowhere. */
const PATIENCE_TICKS = 60_000_000_000;
const PATIENCE_MS = 150_000;

const SHELL_INIT = `#!/bin/busybox sh
export PATH=/bin:/usr/bin PS1='${PROMPT}' TERM=dumb HOME=/
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
stty cols 250 < /dev/console
echo "init: reached at $(cut -d' ' -f1 /proc/uptime)"
exec setsid cttyhack sh
`;

/** What makes a Linux guest. */
export interface LinuxSetup {
  readonly kernel?: 'standard' | 'cloud';
  readonly identity?: SystemConfiguration['identity'];
  readonly cpu?: NonNullable<SystemConfiguration['platform']>['cpu'];
  readonly vcpus?: number;
  readonly memory?: string;
  /** Added to `console=ttyAMA0`. */
  readonly commandLine?: string;
  /** Another `/init`. */
  readonly init?: string;
  /** More files of the initial RAM file system. */
  readonly files?: readonly ArchiveEntry[];
}

/** The initial RAM file system: busybox, `/init`, and more. */
export function linuxRamdisk({ init, files }: LinuxSetup = {}): Uint8Array {
  return initramfs([
    ...['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp', 'usr', 'usr/bin'].map((path) => ({ kind: 'directory', path } as const)),
    { kind: 'character-device', path: 'dev/console', major: 5, minor: 1 },
    { kind: 'file', path: 'bin/busybox', content: readFileSync(debianBusybox()), isExecutable: true },
    { kind: 'link', path: 'bin/sh', target: 'busybox' },
    { kind: 'file', path: 'init', content: Buffer.from(init ?? SHELL_INIT), isExecutable: true },
    ...files ?? [],
  ]);
}

/** The system file's content for a Linux guest. */
export function linuxSystem(setup: LinuxSetup): SystemConfiguration {
  const vcpus = setup.vcpus ?? 1;
  return {
    ...(setup.identity === undefined ? {} : { identity: setup.identity }),
    platform: { cpus: vcpus, cpu: setup.cpu ?? 'cortex-a57' },
    vms: [{
      name: 'linux', image: debianKernel(setup.kernel ?? 'cloud').image, ramdisk: RAMDISK_NAME, vcpus,
      memory: { base: '0x40000000', size: setup.memory ?? '256M' }, commandLine: `console=ttyAMA0 ${setup.commandLine ?? ''}`.trim(),
    }],
  };
}

/** A Linux guest, read and ready to be powered on. */
export async function linuxSubject(setup: LinuxSetup): Promise<Subject> {
  return read(linuxSystem(setup), new Map([[RAMDISK_NAME, linuxRamdisk(setup)]]));
}

/** Linux as a VM that the Resource Manager builds at boot, beside a primary VM that only waits. Its console is the second. */
export async function secondaryLinuxSubject(setup: LinuxSetup): Promise<Subject> {
  const system = linuxSystem(setup);
  // WFI, and again.
  const idle = wordsElf([0xd503_207f, 0x17ff_ffff]);
  const vms = [{ name: 'waits', image: IDLE_NAME, memory: { base: '0x40000000', size: '16M' } }, ...system.vms.map((vm) => ({ ...vm, autostart: true }))];
  return read({ ...system, vms }, new Map([[RAMDISK_NAME, linuxRamdisk(setup)], [IDLE_NAME, idle]]));
}

/** Reads a system some of whose files exist only here. */
async function read(system: SystemConfiguration, files: ReadonlyMap<string, Uint8Array>): Promise<Subject> {
  const host = {
    ...nodeHost,
    readFile: (path: string) => {
      const bytes = files.get(basename(path));
      return bytes === undefined ? nodeHost.readFile(path) : Promise.resolve(ok(bytes));
    },
  };
  const resolved = await resolveSystem(host, system, { semihosting: false, folder: '/' });
  assert.ok(resolved.ok, resolved.ok ? '' : resolved.error.map(({ message }) => message).join('\n'));
  return { name: 'linux', ...resolved.value };
}

/** Somebody at the console of a Linux guest. */
export class LinuxConsole {
  readonly system: System;
  private readonly vm: number;
  private unread = '';
  private all = '';
  private end: Stop | undefined;

  /** At the console of a VM, by its place in the system file. */
  constructor(system: System, vm = 0) {
    this.system = system;
    this.vm = vm;
  }

  /** Powers on. */
  static async boot(setup: LinuxSetup): Promise<LinuxConsole> {
    return new LinuxConsole(powerOn(await linuxSubject(setup)));
  }

  /** Everything printed so far, without carriage returns. */
  get transcript(): string {
    return this.all;
  }

  /** Runs until a text has been printed; what came before it since the last call. */
  waitFor(text: string): string {
    const isOver = this.patience();
    while (!isOver()) {
      const at = this.unread.indexOf(text);
      if (at >= 0) {
        const before = this.unread.slice(0, at);
        this.unread = this.unread.slice(at + text.length);
        return before;
      }
      assert.equal(this.end, undefined, `the guest ended before it printed "${text}":\n${this.all.slice(-1500)}`);
      this.slice();
    }
    throw new Error(`the guest does not print "${text}":\n${this.all.slice(-1500)}`);
  }

  /** Types at the console. */
  type(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    assert.equal(this.system.writeConsole(this.vm, bytes), bytes.length, 'the console takes what is typed');
  }

  /** Types a command at the prompt; what it printed, without its last line feed. */
  command(line: string): string {
    this.type(`${line}\n`);
    this.waitFor('\n');
    return this.waitFor(PROMPT).replace(/\n$/, '');
  }

  /** Types a command that ends the system; how it ended. */
  finish(line: string): Stop {
    this.type(`${line}\n`);
    return this.waitForEnd();
  }

  /** Runs until the system ends. */
  waitForEnd(): Stop {
    const isOver = this.patience();
    while (this.end === undefined && !isOver()) this.slice();
    assert.ok(this.end !== undefined, `the guest does not end:\n${this.all.slice(-1500)}`);
    return this.end;
  }

  private patience(): () => boolean {
    const until = this.system.now + PATIENCE_TICKS;
    const deadline = performance.now() + PATIENCE_MS;
    return () => this.system.now >= until || performance.now() >= deadline;
  }

  private slice(): void {
    const stop = this.system.run({ until: ticks(this.system.now + SLICE_TICKS) });
    const text = Buffer.from(this.system.consoles[this.vm]?.transcript.drain() ?? []).toString('latin1').replaceAll('\r', '');
    this.unread += text;
    this.all += text;
    if (stop.kind === 'power' || stop.kind === 'exit' || stop.kind === 'idle') this.end = stop;
  }
}
