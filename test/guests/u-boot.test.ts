/**
 * Debian's U-Boot for QEMU's arm64 board, unmodified, from flash: to its prompt, where commands typed at the console answer. It finds the flash, keeps its
 * environment there, reads files from a virtio disk, and starts Debian's kernel from it.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { resolveSystem } from '../../debug-adapter/configuration/resolve';
import { nodeHost } from '../../debug-adapter/node-host';
import type { SystemConfiguration, VmConfiguration } from '../../debug-adapter/protocol/launch';
import { ok } from '../../runtime/index';
import { debianKernel, debianPackage } from '../support/debian-guests';
import { fatImage } from '../support/fat-image';
import { powerOn } from '../support/system';
import { LinuxConsole } from './linux-guest';

const PROMPT = '=> ';
const FILE = 'contents.img';

const firmware = (): string => join(debianPackage('u-boot-qemu'), 'usr', 'lib', 'u-boot', 'qemu_arm64', 'u-boot.bin');

/** U-Boot's console, with a key pressed so that it does not start anything by itself. `vm` may name `FILE`, which then holds these bytes. */
async function boot(identity: 'none' | 'gunyah', vm: Partial<VmConfiguration> = {}, file: Uint8Array = new Uint8Array(0)): Promise<LinuxConsole> {
  const host = { ...nodeHost, readFile: (path: string) => (path.endsWith(FILE) ? Promise.resolve(ok(file)) : nodeHost.readFile(path)) };
  const system: SystemConfiguration = { identity, vms: [{ name: 'board', firmware: firmware(), memory: { size: '256M' }, ...vm }] };
  const resolved = await resolveSystem(host, system, { semihosting: false, folder: '/' });
  assert.ok(resolved.ok, resolved.ok ? '' : resolved.error.map(({ message }) => message).join('\n'));
  const console = new LinuxConsole(powerOn({ name: 'u-boot', ...resolved.value }));
  console.waitFor('Hit any key to stop autoboot');
  console.type(' ');
  console.waitFor(PROMPT);
  return console;
}

/** What a command prints. */
function command(console: LinuxConsole, text: string): string {
  console.type(`${text}\n`);
  console.waitFor('\n');
  return console.waitFor(PROMPT);
}

for (const identity of ['none', 'gunyah'] as const) {
  describe(`U-Boot, identity ${identity}`, () => {
    let console: LinuxConsole;
    before(async () => { console = await boot(identity); });

    it('comes to its prompt and finds RAM and flash', () => {
      assert.match(console.transcript, /U-Boot 20\d\d/);
      assert.match(console.transcript, /DRAM: {2}256 MiB/);
      assert.match(console.transcript, /Flash: 64 MiB/);
    });

    it('answers commands typed at the console', () => {
      assert.match(command(console, 'version'), /^U-Boot 20\d\d.*\n/);
      assert.match(command(console, 'bdinfo'), /-> start {4}= 0x0000000040000000\n-> size {5}= 0x0000000010000000/);
      assert.match(command(console, 'md.l 40000000 1'), /40000000: edfe0dd0 /);
      assert.match(command(console, 'printenv arch'), /arch=arm/);
      assert.match(command(console, 'fdt addr $fdtcontroladdr; fdt print /flash@0 compatible'), /compatible = "cfi-flash"/);
    });
  });
}

describe('U-Boot on flash', () => {
  it('identifies the chips, and finds the environment that it saved when the contents of the second bank come back', async () => {
    const console = await boot('none');
    assert.match(command(console, 'flinfo 2'), /Intel Extended command set, Manufacturer ID: 0x89, Device ID: 0x0018/);
    assert.match(command(console, 'setenv greeting hello; saveenv'), /Erasing Flash[^]*done[^]*Writing to Flash\.\.\. done[^]*OK/);
    const variables = console.system.readIntermediate(console.system.vcpuIndexes()[0] ?? 0, 0x0400_0000n, 0x4_0000);
    const again = await boot('none', { flashVariables: FILE }, variables);
    assert.match(again.transcript, /Loading Environment from Flash\.\.\. OK/);
    assert.match(command(again, 'printenv greeting'), /greeting=hello/);
  });
});

describe('U-Boot with a disk', () => {
  it('lists and loads its files, and starts the kernel on it', async () => {
    const kernel = readFileSync(debianKernel('cloud').image);
    const console = await boot('none', { disks: [FILE] }, fatImage([{ name: 'HELLO.TXT', content: Buffer.from('greetings from the disk\n') }, { name: 'IMAGE', content: kernel }]));
    command(console, 'virtio scan');
    assert.match(command(console, 'virtio info'), /VirtIO Block Device/);
    assert.match(command(console, 'ls virtio 0'), new RegExp(`${kernel.length} {3}image`, 'i'));
    assert.match(command(console, 'load virtio 0 42000000 hello.txt; md.b 42000000 9'), /greetings/);
    assert.match(command(console, 'load virtio 0 42000000 image'), new RegExp(`${kernel.length} bytes read`));
    command(console, 'setenv bootargs earlycon=pl011,0x9000000');
    console.type('booti 42000000 - $fdtcontroladdr\n');
    console.waitFor('Starting kernel');
    assert.match(console.waitFor('Kernel command line:'), /Linux version 6\./);
  });
});
