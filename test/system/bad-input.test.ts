/** Systems that cannot be built: each problem has a code and says what to do; nothing is thrown. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolveSystem } from '../../debug-adapter/configuration/resolve';
import { parseSystemFile } from '../../debug-adapter/configuration/system-file';
import { nodeHost } from '../../debug-adapter/node-host';
import type { SystemConfiguration } from '../../debug-adapter/protocol/launch';
import { decodeDtb, nodeByPath } from '../../runtime/devicetree';
import { createSystem, err, ok, ticks, vmid, type Diagnostic } from '../../runtime/index';
import { wordsElf } from '../support/system';

const MIB = 1024 * 1024;
const FILES: Readonly<Record<string, Uint8Array>> = {
  'guest.elf': wordsElf([0x1400_0000]), 'firmware.bin': new Uint8Array(4096), 'huge.bin': new Uint8Array(64 * MIB + 1), 'empty.img': new Uint8Array(0), 'disk.img': new Uint8Array(512),
  'kernel.img': linuxImage(200 * MIB), 'x86.elf': foreignElf(), 'ramdisk.gz': new Uint8Array(8 * MIB), 'bad.dtb': new Uint8Array(100),
  'base.dts': new TextEncoder().encode('/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; spot: spot { a = <1>; }; };'),
  'change.dtso': new TextEncoder().encode('/dts-v1/; /plugin/; &spot { a = <2>; other = <&spot>; };'), 'again.dtso': new TextEncoder().encode('/dts-v1/; /plugin/; &spot { b; };'),
  'lost.dtso': new TextEncoder().encode('/dts-v1/; /plugin/; &nowhere { a = <2>; };'),
  'bare.dts': new TextEncoder().encode('/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; compatible = "bare"; };'),
};

/** The header of an arm64 Image that needs this much memory. */
function linuxImage(sizeBytes: number): Uint8Array {
  const image = new Uint8Array(4096);
  const view = new DataView(image.buffer);
  view.setBigUint64(16, BigInt(sizeBytes), true);
  view.setBigUint64(24, 0xan, true);
  view.setUint32(56, 0x644d_5241, true);
  return image;
}

function foreignElf(): Uint8Array {
  const elf = wordsElf([0]).slice();
  new DataView(elf.buffer).setUint16(18, 62, true);
  return elf;
}

const host = { ...nodeHost, readFile: (path: string) => { const bytes = FILES[path.slice(1)]; return Promise.resolve(bytes === undefined ? err('there is no such file') : ok(bytes)); } };

async function problems(system: SystemConfiguration): Promise<readonly Diagnostic[]> {
  const resolved = await resolveSystem(host, system, { semihosting: false, folder: '/' });
  if (!resolved.ok) return resolved.error;
  const made = createSystem(resolved.value.description);
  return made.ok ? [] : made.error;
}

/** The only problem's code, and that its message speaks of `word`. */
async function checkProblem(system: SystemConfiguration, code: string, word: RegExp): Promise<void> {
  const found = await problems(system);
  assert.deepEqual(found.map((one) => one.code), [code], JSON.stringify(found));
  assert.match(found[0]?.message ?? '', word);
}

describe('a system that cannot be built', () => {
  const memory = (size: string): { memory: { size: string } } => ({ memory: { size } });

  it('is said to have a kernel that does not fit', () => checkProblem({ vms: [{ image: 'kernel.img', ...memory('128M') }] }, 'image-outside-memory', /0x40200000\.\.0x4ca00000.*memory/));
  it('is said to have a ramdisk that does not fit', () => checkProblem({ vms: [{ image: 'guest.elf', ramdisk: 'ramdisk.gz', ...memory('4M') }] }, 'ramdisk-does-not-fit', /8388608 bytes.*more memory/));
  it('is said to have an image for another architecture', () => checkProblem({ vms: [{ image: 'x86.elf' }] }, 'elf-wrong-machine', /AArch64/));
  it('is said to have an overlay for another tree', () => checkProblem({ vms: [{ image: 'guest.elf', deviceTree: 'base.dts', overlays: ['lost.dtso'] }] }, 'overlay-no-symbol', /nowhere/));
  it('is said to have overlays for no tree', () => checkProblem({ vms: [{ image: 'guest.elf', overlays: ['change.dtso'] }] }, 'overlays-without-tree', /deviceTree/));
  it('is said to miss a disk', () => checkProblem({ vms: [{ image: 'guest.elf', disks: ['none.img'] }] }, 'disk-unreadable', /\/none\.img: there is no such file/));
  it('is said to have an empty disk', () => checkProblem({ vms: [{ image: 'guest.elf', disks: [{ path: 'empty.img' }] }] }, 'disk-empty', /empty\.img/));
  it('is said to have firmware larger than the flash', () => checkProblem({ vms: [{ firmware: 'huge.bin' }] }, 'firmware-too-large', /67108865 bytes/));
  it('is said to have variables larger than the flash', () => checkProblem({ vms: [{ firmware: 'firmware.bin', flashVariables: 'huge.bin' }] }, 'flash-variables-too-large', /67108865 bytes/));
  it('is said to have an ELF file as firmware', () => checkProblem({ vms: [{ firmware: 'guest.elf' }] }, 'firmware-not-raw', /raw image/));
  it('is said to have flash contents and no firmware', () => checkProblem({ vms: [{ image: 'guest.elf', flashVariables: 'disk.img' }] }, 'flash-without-firmware', /"firmware"/));
  it('is said to have firmware in a VM that has no flash', () => checkProblem({ vms: [{ image: 'guest.elf' }, { firmware: 'firmware.bin' }] }, 'firmware-not-primary', /list it first/));
  it('is said to have several VMs without a hypervisor', () => checkProblem({ identity: 'none', vms: [{ image: 'guest.elf', name: 'a' }, { image: 'guest.elf', name: 'b' }] }, 'plain-machine-has-one-vm', /one entry/));
  it('is said to have a malformed device tree', async () => {
    assert.notDeepEqual(await problems({ vms: [{ image: 'guest.elf', deviceTree: 'bad.dtb' }] }), []);
  });
});

describe('a device tree without memory', () => {
  it('gets the memory of its VM', async () => {
    const resolved = await resolveSystem(host, { identity: 'none', vms: [{ image: 'guest.elf', deviceTree: 'bare.dts', memory: { size: '16M' } }] }, { semihosting: false, folder: '/' });
    assert.ok(resolved.ok);
    const system = createSystem(resolved.value.description);
    assert.ok(system.ok);
    system.value.run({ until: ticks(1_000_000) });
    const tree = decodeDtb(system.value.deviceTreeOf(vmid(3)) ?? new Uint8Array(0));
    const memory = tree.ok ? nodeByPath(tree.value.tree.root, '/memory@40000000') : undefined;
    assert.deepEqual(memory?.property('reg')?.u32s, [0, 0x4000_0000, 0, 0x100_0000]);
  });
});

describe('a system file', () => {
  const parse = (vm: string): readonly Diagnostic[] => {
    const parsed = parseSystemFile(`{ "vms": [{ ${vm} }] }`, 'a.gunyah.json');
    return parsed.ok ? [] : parsed.error;
  };

  it('needs an image or firmware for each VM', () => {
    assert.deepEqual(parse('"name": "a"').map(({ message }) => message), ['"vms.0" needs the property "image".']);
    assert.deepEqual(parse('"firmware": "u-boot.bin"'), []);
  });

  it('takes disks as paths and as objects, and nothing else', () => {
    assert.deepEqual(parse('"image": "a", "disks": ["d.img", { "path": "e.img", "readOnly": true, "format": "raw" }], "networks": ["lan"], "entropy": true, "virtioConsole": true'), []);
    assert.equal(parse('"image": "a", "disks": [{ "readOnly": true }]').length, 1);
    assert.equal(parse('"image": "a", "networks": [""]').length, 1);
  });
});

describe('overlays of a system file', () => {
  it('are applied in their order to the tree that the VM gets', async () => {
    const resolved = await resolveSystem(host, { vms: [{ image: 'guest.elf', deviceTree: 'base.dts', overlays: ['change.dtso', 'again.dtso'] }] }, { semihosting: false, folder: '/' });
    assert.ok(resolved.ok);
    const decoded = decodeDtb(resolved.value.description.vms[0]?.deviceTree ?? new Uint8Array());
    assert.ok(decoded.ok);
    const spot = nodeByPath(decoded.value.tree.root, '/spot');
    assert.deepEqual(spot?.properties.map(({ name }) => name).filter((name) => name !== 'phandle').sort(), ['a', 'b', 'other']);
  });
});
