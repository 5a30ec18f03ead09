import assert from 'node:assert/strict';
import { test } from 'node:test';

import { access, AT_GUEST_BASE, configure, DTB_OFFSET, GUEST_BASE, IMAGE, IMAGE_SIZE, lent, start } from './made-vm';
import { SystemFixture } from './system-fixture';
import { RPC, vmTree } from './trees';

const VM = 0x80;
const TREE = vmTree({ memory: AT_GUEST_BASE, vdevices: RPC });

/** The state that RM reports. */
function stateOf(system: SystemFixture, vmid = VM): number | undefined {
  return system.request('VM_GET_STATE', { vmid }).values?.vmState;
}

for (const profile of ['open-2023-12', 'linux'] as const) test(`a VM goes through all its states and starts again under the same VMID; ${profile === 'linux' ? 'its owner hears of each life' : 'of later lives nobody hears, as with the real RM'}`, () => {
  const system = new SystemFixture([], { rm: { profile, drivers: 'current' } });
  const { vmid, handle } = configure(system, TREE);
  for (let life = 0; life < 3; life++) {
    assert.equal(stateOf(system), 1);
    system.request('VM_INIT', { vmid });
    assert.equal(stateOf(system), 2);
    system.request('VM_START', { vmid });
    assert.equal(stateOf(system), 3);
    system.request('VM_STOP', { vmid, flags: 1, reason: 0 });
    assert.equal(stateOf(system), 9);
    assert.deepEqual(system.request('VM_RESET', { vmid }).log.filter((line) => line.startsWith('VM_STATUS')), life > 0 && profile === 'open-2023-12' ? [] : ['VM_STATUS vmid=128 vmState=10 osState=0 appStatus=0', 'VM_STATUS vmid=128 vmState=11 osState=0 appStatus=0']);
    assert.equal(stateOf(system), 11);
    // The owner sees its memory, and the device tree as RM left it, so it writes its own again.
    system.request('MEM_RECLAIM', { handle: handle + life, flags: 1 });
    const blob = new SystemFixture();
    configure(blob, TREE);
    system.engine.memory.write((IMAGE + DTB_OFFSET) as never, blob.engine.memory.read((IMAGE + DTB_OFFSET) as never, 0x4000));
    const next = system.request('MEM_LEND', lent(vmid, [{ address: IMAGE, size: IMAGE_SIZE }])).values?.handle ?? -1;
    system.request('VM_CONFIG_IMAGE', { vmid, auth: 0, handle: next, imageOffset: 0n, imageSize: 0n, dtbOffset: DTB_OFFSET, dtbSize: 0x1_0000n });
  }
});

test('a VM is asked to shut down, and one that may not be shut down ends only by itself', () => {
  const system = new SystemFixture();
  const { vmid } = start(system, TREE);
  system.request('VM_STOP', { vmid, flags: 0, reason: 0x55 });
  assert.deepEqual(system.secondaryReceive(vmid).map(({ id, payload }) => `${id.toString(16)} ${Buffer.from(payload).toString('hex')}`), ['56100002 55000000']);
  assert.equal(stateOf(system), 3);
  const other = new SystemFixture([{ dts: TREE.replace('image-name', 'vm-attrs = "no-shutdown"; image-name'), autostart: true }]);
  other.receiveAll();
  for (const flags of [0, 1]) other.request('VM_STOP', { vmid: VM, flags, reason: 0 }, 0x14);
  other.exchangeAs(VM, 0x5600_0085, new Uint8Array(4));
  assert.equal(stateOf(other), 9);
});

test('a VM of the system file gets the memory that was shared with it before its start', () => {
  const shm = 'shm { vdevice-type = "shm"; generate = "/hypervisor/shm"; label = <0x15>; peer-default; memory { #address-cells = <2>; label = <0x15>; base = <0 0xa0000000>; }; };';
  const system = new SystemFixture([{ dts: vmTree({ vdevices: shm }) }]);
  const share = { ...lent(VM, [{ address: IMAGE, size: 0x1000n }], 0x15), acl: [{ vmid: 3, rights: 6 }, { vmid: VM, rights: 6 }] };
  system.request('MEM_SHARE', share);
  system.request('MEM_SHARE', { ...share, label: 0x99, sgl: [{ address: IMAGE + 0x1000n, size: 0x1000n }] });
  system.request('VM_START', { vmid: VM });
  assert.deepEqual([access(system, VM, 0xa000_0000n), access(system, VM, 0x4000_1000n)], ['rw-', 'rw-']);
  const { root } = system.readTree(system.translate(VM, GUEST_BASE + 0x10_0000n));
  assert.equal(root.at('/hypervisor/shm')?.u32('buffer'), root.at('/reserved-memory/buffer@a0000000')?.u32('phandle'));
  const without = new SystemFixture([{ dts: vmTree({ vdevices: shm }), autostart: true }]);
  assert.equal(stateOf(without), 3);
});

test('a shared buffer that nothing refers to has a phandle, before its label', () => {
  const system = new SystemFixture([{ dts: vmTree({ vdevices: RPC }) }]);
  system.request('MEM_SHARE', { ...lent(VM, [{ address: IMAGE, size: 0x1000n }], 0x99), acl: [{ vmid: 3, rights: 6 }, { vmid: VM, rights: 6 }] });
  system.request('VM_START', { vmid: VM });
  const buffer = system.readTree(system.translate(VM, GUEST_BASE + 0x10_0000n)).root.at('/reserved-memory')?.children[0];
  assert.deepEqual(buffer?.properties.map(({ name }) => name), ['qcom,label', 'phandle', 'qcom,rm-mem-handle', 'peers', 'no-map', 'qcom,shared-memory', 'reg']);
});

test('vdevices are numbered over all VMs, and a pair with the owner by default does not name it', () => {
  const pair = (label: number): string => `pair${label} { vdevice-type = "message-queue-pair"; generate = "/hypervisor/pair${label}"; label = <${label}>; peer-default; };`;
  const named = 'named { vdevice-type = "message-queue-pair"; generate = "/hypervisor/named"; label = <9>; peer = "vm-name:nobody"; };';
  const system = new SystemFixture([{ dts: vmTree({ vdevices: `${RPC} ${pair(1)} ${pair(2)}` }), autostart: true }, { dts: vmTree({ vdevices: `${RPC} ${named} ${pair(3)}` }), autostart: true }]);
  const pairs = [VM, VM + 1].flatMap((vmid) => (system.readTree(system.translate(vmid, GUEST_BASE + 0x10_0000n)).root.at('/hypervisor')?.children ?? []).filter((node) => node.has('qcom,is-full-duplex') && node.u32('label') !== undefined));
  const numbers = pairs.map((node) => [node.u32('label'), node.u32('qcom,vdevice-handle'), node.string('peer'), node.has('qcom,peer-vmid')]);
  assert.deepEqual(numbers.sort(), [[1, 0, undefined, false], [2, 1, undefined, false], [3, 3, undefined, false], [9, 2, 'vm-name:nobody', false]]);
});

test('RM chooses no address that a VM has reserved, and the VM may use it by itself', () => {
  const system = new SystemFixture([{ dts: vmTree({ vdevices: RPC }), autostart: true }]);
  const reserve = (base: bigint): string => {
    const payload = new Uint8Array(32);
    const view = new DataView(payload.buffer);
    view.setUint32(4, 4, true);
    view.setUint16(12, 1, true);
    view.setBigUint64(16, base, true);
    view.setBigUint64(24, 0x10_0000n, true);
    return system.exchangeAs(VM, 0x5600_00b0, payload).map((message) => Buffer.from(message.payload).toString('hex')).join();
  };
  assert.deepEqual([reserve(0x4000_1000n), reserve(0x4008_1000n)], ['00000000', '03000000']);
  const share = (n: bigint): void => { system.request('MEM_SHARE', { ...lent(VM, [{ address: IMAGE + n * 0x1000n, size: 0x1000n }]), acl: [{ vmid: 3, rights: 6 }, { vmid: VM, rights: 6 }] }); };
  share(0n);
  share(1n);
  const accept = (handle: number, range: string): string => system.exchangeAs(VM, 0x5100_0011, Uint8Array.from(Buffer.from(`${handle.toString(16).padStart(2, '0')}00000000028000${'00'.repeat(8)}${range}00000000`, 'hex'))).map((message) => Buffer.from(message.payload).toString('hex')).join();
  assert.equal(accept(0, '00000000'), '0000000001000000001010400000000000100000' + '00000000');
  assert.equal(accept(1, '01000000' + '0010004000000000' + '0010000000000000'), '00000000');
  assert.deepEqual([access(system, VM, 0x4010_1000n), access(system, VM, 0x4000_1000n)], ['rw-', 'rw-']);
});
