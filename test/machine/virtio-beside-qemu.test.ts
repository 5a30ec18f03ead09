/** A program that drives virtio devices through their rings says the same on QEMU's board and on ours, and runs alike however it is interrupted. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { resolveSystem } from '../../debug-adapter/configuration/resolve';
import { nodeHost } from '../../debug-adapter/node-host';
import { readSymbols } from '../../runtime/images/elf-symbols';
import { pa, parseElf, ticks, type System } from '../../runtime/index';
import { Timeline, TIMELINE_DEFAULTS } from '../../runtime/timeline/timeline';
import { powerOn, wordsElf } from '../support/system';
import { machineElf, printedByQemu } from './beside-qemu';

const PROGRAM = 'virtio-rings';
const END = 2_000_000_000;
/** QEMU's devices, in the modern form; the cards hang on one hub. */
const devices = (disk: string, console: string): string[] => [
  '-global', 'virtio-mmio.force-legacy=false', '-drive', `file=${disk},if=none,id=disk,format=raw`, '-device', 'virtio-blk-device,drive=disk', '-device', 'virtio-rng-device',
  '-chardev', `file,id=console,path=${console}`, '-device', 'virtio-serial-device', '-device', 'virtconsole,chardev=console',
  '-netdev', 'hubport,id=left,hubid=0', '-device', 'virtio-net-device,netdev=left', '-netdev', 'hubport,id=right,hubid=0', '-device', 'virtio-net-device,netdev=right',
];

const contents = Uint8Array.from({ length: 64 * 512 }, (_, n) => (n * 11 + (n >> 9)) & 0xff);

function printedBy(system: System): string[] {
  return Buffer.from(system.consoles[0]?.transcript.text() ?? []).toString('latin1').replaceAll('\r', '').split('\n').filter((line) => line !== '');
}

const folder = mkdtempSync(join(tmpdir(), 'virtio-'));
const disk = join(folder, 'disk.img');
writeFileSync(disk, contents);
after(() => { rmSync(folder, { recursive: true }); });

/** A machine without a hypervisor and with every virtio device, about to run a program. */
async function boardOf(program: string): Promise<System> {
  const vm = { image: machineElf(program), disks: [disk], entropy: true, virtioConsole: true, networks: ['wire', 'wire'] };
  const resolved = await resolveSystem(nodeHost, { identity: 'none', vms: [vm] }, { semihosting: false, folder: '/' });
  assert.ok(resolved.ok);
  return powerOn({ name: program, ...resolved.value });
}

describe('a program that drives virtio devices', () => {
  it('says the same on QEMU', async () => {
    const system = await boardOf(PROGRAM);
    assert.deepEqual(system.run({ until: ticks(END) }), { kind: 'power', action: 'off' }, printedBy(system).join('\n'));
    const lines = printedBy(system);
    assert.ok(lines.includes('out of the virtio console'));
    assert.deepEqual(new Uint8Array(readFileSync(disk)), contents, 'the image is as it was');
    const there = join(folder, 'console');
    assert.deepEqual(lines.filter((line) => line !== 'out of the virtio console'), printedByQemu(PROGRAM, 1, devices(disk, there)));
    assert.equal(readFileSync(there, 'latin1'), 'out of the virtio console\n');
  });

  it('says the same in a VM that the Resource Manager builds', async () => {
    // wfi; b .-4
    const idle = join(folder, 'idle.elf');
    writeFileSync(idle, wordsElf([0xd503_207f, 0x17ff_ffff]));
    const primary = { image: idle, name: 'first' };
    const second = { image: machineElf(PROGRAM), name: 'second', autostart: true, memory: { base: '0x41000000', size: '16M' }, disks: [disk], entropy: true, virtioConsole: true, networks: ['wire', 'wire'] };
    const resolved = await resolveSystem(nodeHost, { platform: { cpus: 2 }, vms: [primary, second] }, { semihosting: false, folder: '/' });
    assert.ok(resolved.ok);
    const system = powerOn({ name: PROGRAM, ...resolved.value });
    const isOver = (): boolean => system.vmSummaries().some(({ name, exit }) => name === 'second' && exit !== null);
    while (!isOver() && system.now < END) system.run({ until: ticks(system.now + 1_000_000) });
    const straight = await boardOf(PROGRAM);
    straight.run({ until: ticks(END) });
    assert.equal(Buffer.from(system.consoles[1]?.transcript.text() ?? []).toString('latin1'), Buffer.from(straight.consoles[0]?.transcript.text() ?? []).toString('latin1'));
  });

  it('stops at a watched buffer when a device writes it', async () => {
    const elf = parseElf(new Uint8Array(readFileSync(machineElf(PROGRAM))), PROGRAM);
    const buffer = elf.ok ? readSymbols(elf.value).find(({ name }) => name === 'data') : undefined;
    assert.ok(buffer);
    const system = await boardOf(PROGRAM);
    system.lookOutFor({ addresses: [], exceptionClasses: 0n, watchpoints: system.watchpointsOn([{ address: buffer.address, sizeBytes: 8 }], 'write') });
    // The program's own start clears the buffer first.
    const stops = [system.run({ until: ticks(END) }), system.run({ until: ticks(END) })];
    assert.deepEqual(stops.map(({ kind }) => kind), ['watchpoint', 'watchpoint']);
    assert.deepEqual(system.readPhysical(pa(buffer.address), 8), contents.subarray(0, 8), 'the first sector has arrived');
  });

  it('runs alike in slices, and again after a journey back through its writes to the disk', async () => {
    const straight = await boardOf(PROGRAM);
    straight.run({ until: ticks(END) });
    const travelled = await boardOf(PROGRAM);
    const timeline = new Timeline(travelled, TIMELINE_DEFAULTS);
    const end = straight.now;
    for (let slice = 1; slice <= 40; slice++) {
      travelled.run({ until: ticks(Math.floor((end * slice) / 40)) });
      timeline.mark();
    }
    for (const part of [0.7, 0.2, 0.5]) {
      timeline.approach(ticks(Math.floor(end * part)));
      travelled.run({ until: ticks(Math.floor(end * part)) });
    }
    travelled.run({ until: ticks(END) });
    assert.deepEqual(printedBy(travelled), printedBy(straight));
    assert.equal(travelled.stateHash(), straight.stateHash());
  });
});

describe('a program that touches every register at random', () => {
  it('harms nobody, and does so alike in slices', async () => {
    const system = await boardOf('mmio-fuzz');
    const stop = system.run({ until: ticks(END) });
    const last = printedBy(system).at(-1);
    assert.match(last ?? '', /60000 accesses, some aborted 1/, JSON.stringify(stop));
    const sliced = await boardOf('mmio-fuzz');
    while (sliced.run({ until: ticks(sliced.now + 77_777) }).kind === 'limit') { /* until its end */ }
    assert.equal(sliced.stateHash(), system.stateHash());
  });
});
