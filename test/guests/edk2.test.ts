/**
 * Debian's EDK2 for QEMU's arm64 board, unmodified, from flash: to its shell, which reads a virtio disk and keeps variables in flash; and, with a kernel
 * and a ramdisk behind the configuration device, into Linux.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { resolveSystem } from '../../debug-adapter/configuration/resolve';
import { nodeHost } from '../../debug-adapter/node-host';
import type { VmConfiguration } from '../../debug-adapter/protocol/launch';
import { ok } from '../../runtime/index';
import { debianKernel, debianPackage } from '../support/debian-guests';
import { fatImage } from '../support/fat-image';
import { powerOn } from '../support/system';
import { LinuxConsole, linuxRamdisk, PROMPT } from './linux-guest';

const SHELL = 'Shell> ';
const FILES: Readonly<Record<string, () => Uint8Array>> = {
  'disk.img': () => fatImage([{ name: 'HELLO.TXT', content: Buffer.from('greetings from the disk\r\n') }]),
  'ramdisk.gz': () => linuxRamdisk(),
};

async function boot(vm: Partial<VmConfiguration>): Promise<LinuxConsole> {
  const firmware = join(debianPackage('qemu-efi-aarch64'), 'usr', 'share', 'qemu-efi-aarch64', 'QEMU_EFI.fd');
  const host = { ...nodeHost, readFile: (path: string) => { const file = FILES[path.slice(1)]; return file === undefined ? nodeHost.readFile(path) : Promise.resolve(ok(file())); } };
  const resolved = await resolveSystem(host, { identity: 'none', vms: [{ name: 'board', firmware, memory: { size: '384M' }, ...vm }] }, { semihosting: false, folder: '/' });
  assert.ok(resolved.ok, resolved.ok ? '' : resolved.error.map(({ message }) => message).join('\n'));
  return new LinuxConsole(powerOn({ name: 'edk2', ...resolved.value }));
}

/** What a command of the shell prints, without the colours. */
function command(console: LinuxConsole, text: string): string {
  console.type(`${text}\r`);
  return stripVTControlCharacters(console.waitFor(SHELL));
}

describe('EDK2', () => {
  it('comes to its shell, reads files of a disk, and keeps variables', async () => {
    const console = await boot({ disks: ['disk.img'] });
    console.waitFor('Press ');
    console.type('\u001b');
    console.waitFor(SHELL);
    assert.match(command(console, 'ver'), /UEFI Interactive Shell v2/);
    assert.match(command(console, 'type fs0:\\hello.txt'), /greetings from the disk/);
    command(console, 'setvar Greeting -guid 12345678-1234-1234-1234-123456789abc -bs -rt -nv =L"hello"');
    assert.match(command(console, 'setvar Greeting -guid 12345678-1234-1234-1234-123456789abc'), /68 00 65 00 6C 00 6C 00 6F 00/);
  });

  it('starts the kernel and the ramdisk that the configuration device holds', async () => {
    const console = await boot({ image: debianKernel('cloud').image, ramdisk: 'ramdisk.gz', commandLine: 'console=ttyAMA0 quiet' });
    console.waitFor(PROMPT);
    console.type('cat /proc/cmdline; ls /sys/firmware/efi\n');
    const answer = console.waitFor(PROMPT);
    assert.match(answer, /console=ttyAMA0 quiet/);
    assert.match(answer, /runtime|fw_vendor|systab/);
  });
});
