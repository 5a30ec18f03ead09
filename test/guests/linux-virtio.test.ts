/** Debian's kernel with its own virtio drivers, loaded as modules: disk, two network cards on one switch, entropy, console. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { createHash } from 'node:crypto';
import { resolveSystem } from '../../debug-adapter/configuration/resolve';
import { nodeHost } from '../../debug-adapter/node-host';
import { ok } from '../../runtime/index';
import { debianKernel } from '../support/debian-guests';
import { fatImage } from '../support/fat-image';
import { powerOn } from '../support/system';
import { LinuxConsole, linuxRamdisk, linuxSystem, PROMPT } from './linux-guest';

const MODULES = ['failover', 'net_failover', 'virtio_ring', 'virtio', 'virtio_mmio', 'virtio_blk', 'virtio_net', 'virtio-rng', 'virtio_console'];
const HOST_FILES = { disk: 'disk.img', ramdisk: 'ramdisk.gz' };
const DISK = fatImage([{ name: 'HELLO.TXT', content: Buffer.from('greetings from the disk\n') }]);

const INIT = `#!/bin/busybox sh
export PATH=/bin PS1='${PROMPT}' TERM=dumb HOME=/
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
stty cols 250 < /dev/console
for m in ${MODULES.join(' ')}; do [ -e /modules/$m.ko ] && insmod /modules/$m.ko; done
exec setsid cttyhack sh
`;

function moduleFiles(): { kind: 'file'; path: string; content: Uint8Array }[] {
  const { modules } = debianKernel('cloud');
  const all = readdirSync(modules, { recursive: true, encoding: 'utf8' });
  return MODULES.flatMap((name) => {
    const found = all.find((path) => path.endsWith(`/${name}.ko`));
    return found === undefined ? [] : [{ kind: 'file' as const, path: `modules/${name}.ko`, content: readFileSync(join(modules, found)) }];
  });
}

async function boot(): Promise<LinuxConsole> {
  const ramdisk = linuxRamdisk({ init: INIT, files: [{ kind: 'directory', path: 'modules' }, ...moduleFiles()] });
  const system = linuxSystem({ kernel: 'cloud', commandLine: 'loglevel=3' });
  const host = { ...nodeHost, readFile: (path: string) => (path.endsWith(HOST_FILES.disk) ? Promise.resolve(ok(DISK)) : path.endsWith(HOST_FILES.ramdisk) ? Promise.resolve(ok(ramdisk)) : nodeHost.readFile(path)) };
  const vms = system.vms.map((vm) => ({ ...vm, ramdisk: HOST_FILES.ramdisk, disks: [HOST_FILES.disk, { path: HOST_FILES.disk, readOnly: true }], networks: ['lan', 'lan'], entropy: true, virtioConsole: true }));
  const resolved = await resolveSystem(host, { ...system, vms }, { semihosting: false, folder: '/' });
  assert.ok(resolved.ok, resolved.ok ? '' : resolved.error.map(({ message }) => message).join('\n'));
  return new LinuxConsole(powerOn({ name: 'linux', ...resolved.value }));
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('Linux with virtio devices', () => {
  let console: LinuxConsole;
  const shell = (line: string): string => {
    console.type(`${line}\n`);
    console.waitFor('\n');
    return console.waitFor(PROMPT);
  };
  before(async () => {
    console = await boot();
    console.waitFor(PROMPT);
  });

  it('finds every device, and its interrupts', () => {
    assert.equal(shell('for d in /sys/bus/virtio/devices/*; do echo $(cat $d/device); done').trim(), ['0x0002', '0x0002', '0x0001', '0x0001', '0x0004', '0x0003'].join('\n'));
    assert.match(shell('grep virtio /proc/interrupts'), /GICv3 +48 Edge +virtio0/);
  });

  it('reads a disk as it is and keeps what it writes', () => {
    assert.equal(shell('cat /sys/block/vda/size /sys/block/vdb/ro').trim(), `${DISK.length / 512}\n1`);
    assert.equal(shell('sha256sum < /dev/vda').slice(0, 64), digest(DISK));
    shell('echo hello | dd of=/dev/vda bs=512 seek=100 conv=notrunc 2>/dev/null; sync; echo 3 > /proc/sys/vm/drop_caches');
    assert.match(shell('dd if=/dev/vda bs=512 skip=100 count=1 2>/dev/null | head -1'), /^hello\n/);
    assert.match(shell('dd if=/dev/zero of=/dev/vdb bs=512 count=1'), /[Pp]ermitted|[Rr]ead-only/);
    assert.equal(shell('cat /sys/block/vda/serial').trim(), 'disk0');
  });

  it('carries packets from card to card', () => {
    shell('ip link set eth0 up; ip link set eth1 up; ip addr add 10.0.0.1/24 dev eth0; arping -c 3 -I eth0 10.0.0.2');
    assert.match(shell('cat /sys/class/net/eth0/address'), /52:54:00:12:00:00/);
    assert.ok(Number(shell('cat /sys/class/net/eth1/statistics/rx_packets')) >= 3);
  });

  it('has random bytes and a second console', () => {
    assert.match(shell('cat /sys/class/misc/hw_random/rng_current'), /virtio_rng/);
    assert.equal(shell('dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c').trim(), '64');
    assert.match(shell('echo by virtio > /dev/hvc0; sleep 1'), /by virtio/);
  });
});
