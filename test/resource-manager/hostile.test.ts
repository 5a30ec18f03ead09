import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { RM_REQUESTS } from '../../runtime/resource-manager';
import { encodePayload } from '../../runtime/resource-manager/message-codec';
import type { RmArguments } from '../../runtime/resource-manager/message-table';
import type { Field } from '../../runtime/resource-manager/message-fields';
import { packetsOf } from '../../runtime/resource-manager/rpc';
import { allocate, AT_GUEST_BASE, DTB_OFFSET, IMAGE, IMAGE_SIZE, lent, start } from './made-vm';
import { SystemFixture } from './system-fixture';
import { SENSOR_DTS, vmTree } from './trees';

const IDS = Object.values(RM_REQUESTS).map((row) => row.id);

/** RM still serves, and the hypervisor's state is sound. */
function checkAlive(system: SystemFixture): void {
  system.receiveAll();
  assert.deepEqual(system.request('VM_GET_VMID', {}).values, { vmid: 3 });
  system.hypervisor.checkInvariants();
}

/** Values that are often close to something valid. */
const word = fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 7, 0x80, 0x81, 0xff, 0xffff), fc.nat(0xffff));

function valueFor(field: Field, draw: () => number): unknown {
  switch (field.type) {
    case 'u8': return draw() & 0xff;
    case 'u16': return draw() & 0xffff;
    case 'u32': return draw();
    case 'u64': return (draw() & 1) === 0 ? 0x4040_0000n + BigInt(draw() & 0xff) * 0x1000n : BigInt(draw());
    case 'guid': return new Uint8Array(16);
    case 'text': return 'sensor';
    case 'blob': case 'bytes': return new Uint8Array(draw() & 15);
    case 'words': return [draw()];
    case 'list': return Array.from({ length: Math.min(field.limit, draw() & 3) }, () => record(field.of, draw));
    case 'reserved': return undefined;
  }
}

function record(fields: readonly Field[], draw: () => number): Record<string, unknown> {
  return Object.fromEntries(fields.flatMap((field) => (field.type === 'reserved' ? [] : [
    [field.name, valueFor(field, draw)], ...(field.type === 'list' && field.second !== undefined ? [[field.second, 0]] : []),
  ])));
}

test('arbitrary packets do not disturb RM', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS }]);
  fc.assert(fc.property(fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 240 }), fc.constantFrom(...IDS), fc.nat(3)), { maxLength: 8 }), (packets) => {
    for (const [bytes, id, mode] of packets) {
      if (bytes.length >= 8 && mode > 0) new DataView(bytes.buffer).setUint32(4, id, true);
      if (bytes.length >= 8 && mode > 1) bytes.set([0x21, mode === 2 ? 1 : 1 | (bytes.length << 2)], 0);
      system.sendPacket(bytes);
      system.settle();
    }
    checkAlive(system);
  }), { numRuns: 150 });
});

test('arbitrary well-formed requests in any order never stop RM or break the hypervisor', () => {
  const rows = Object.values(RM_REQUESTS);
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(rows.length - 1), fc.array(word, { minLength: 24, maxLength: 24 })), { maxLength: 40 }), (requests) => {
    const system = new SystemFixture([{ dts: SENSOR_DTS }]);
    for (const [index, words] of requests) {
      const row = rows[index];
      assert.ok(row);
      let at = 0;
      const payload = encodePayload<readonly Field[]>(row.request, record(row.request, () => words[at++ % words.length] ?? 0) as never);
      system.send({ kind: 'request', sequence: 1, id: row.id, payload });
      system.receiveAll();
    }
    checkAlive(system);
  }), { numRuns: 40 });
});

test('a VM that sends without receiving loses replies but not RM', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS }]);
  const [packet = new Uint8Array()] = packetsOf({ kind: 'request', sequence: 1, id: 0x5600_0024, payload: new Uint8Array() });
  for (let n = 0; n < 50; n++) {
    system.sendPacket(packet);
    system.settle();
  }
  assert.equal(system.receiveAll().length, 9);
  checkAlive(system);
});

test('notifications wait while the queue is full and arrive in order', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS }]);
  const send = (id: number, payload: readonly number[]): void => {
    system.sendPacket(packetsOf({ kind: 'request', sequence: 1, id, payload: Uint8Array.from(payload) })[0] ?? new Uint8Array());
    system.settle();
  };
  for (let life = 0; life < 3; life++) {
    send(RM_REQUESTS.VM_START.id, [0x80, 0, 0, 0]);
    send(RM_REQUESTS.VM_STOP.id, [0x80, 0, 1, 0, 0, 0, 0, 0]);
    send(RM_REQUESTS.VM_RESET.id, [0x80, 0, 0, 0]);
    send(RM_REQUESTS.VM_INIT.id, [0x80, 0, 0, 0]);
  }
  const states = system.receiveAll().filter((message) => message.id === 0x5610_0008).map((message) => message.payload[4]);
  assert.deepEqual(states, [3, 9, 10, 11, 1, 2, 3, 9, 10, 11, 1, 2, 3, 9, 10, 11, 1, 2]);
});

test('a tree with absurd cell counts costs neither time nor memory', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS.replace('#address-cells = <2>; #size-cells = <2>; interrupt', '#address-cells = <0x1000002>; #size-cells = <0xffffffff>; interrupt') }]);
  system.exchange(RM_REQUESTS.VM_START.id, Uint8Array.of(0x80, 0, 0, 0));
  checkAlive(system);
});

test('trees that are cut or changed anywhere make VM_INIT fail or work, never stop RM', () => {
  fc.assert(fc.property(fc.nat(), fc.nat(255), (at, value) => {
    const system = new SystemFixture([{ dts: SENSOR_DTS }], { damage: (blob) => { blob[at % blob.length] = value; } });
    if (system.rm.inspect().vms[1]?.state === 'READY') system.exchange(RM_REQUESTS.VM_START.id, Uint8Array.of(0x80, 0, 0, 0));
    checkAlive(system);
  }), { numRuns: 60 });
});

test('queues of absurd size and more vdevices than there are interrupts fail with NORESOURCE, and reset cleans up', () => {
  const bells = Array.from({ length: 80 }, (_, n) => `d${n} { vdevice-type = "doorbell"; peer-default; };`).join(' ');
  for (const vdevices of ['q { vdevice-type = "message-queue"; is-sender; peer-default; message-size = <0x400>; };', 'q { vdevice-type = "message-queue-pair"; peer-default; queue-depth = <0>; };', bells]) {
    const system = new SystemFixture([{ dts: vmTree({ vdevices }) }]);
    assert.equal(system.rm.inspect().vms[1]?.state, 'INIT_FAILED');
    for (let round = 0; round < 3; round++) {
      system.request('VM_RESET', { vmid: 0x80 });
      system.request('VM_INIT', { vmid: 0x80 }, 2);
    }
    system.request('VM_RESET', { vmid: 0x80 });
    for (const cap of [3n, 4n, 20n]) assert.equal(system.hypercall(3, 'doorbell_send', cap, 1n)[0], 50n);
    checkAlive(system);
  }
});

/** A VM whose VM_CONFIG_IMAGE fails, and what it fails with. */
const WRONG_IMAGES: readonly (readonly [what: string, change: Partial<RmArguments<'VM_CONFIG_IMAGE'>>, error: number])[] = [
  ['no such parcel', { handle: 0x77 }, 0xa],
  ['an image outside of the parcel', { imageOffset: 0x20_0000n, imageSize: 0x1000n }, 6],
  ['a device tree outside of the parcel', { dtbOffset: 0x1f_f000n, dtbSize: 0x2000n }, 6],
  ['a range that wraps', { dtbOffset: 0xffff_ffff_ffff_f000n, dtbSize: 0x2000n }, 6],
  ['an unknown kind of authentication', { auth: 3 }, 6],
];

function checkWouldDie(system: SystemFixture, kill: () => void): void {
  const before = reportsOf(system);
  kill();
  assert.equal(reportsOf(system), before + 1);
  checkAlive(system);
}

const reportsOf = (system: SystemFixture): number => system.trace.filter((event) => event.event === 'report' && event.code === 'rm-would-die').length;

for (const [what, change, error] of WRONG_IMAGES) {
  test(`VM_RESET after VM_CONFIG_IMAGE has failed for ${what} answers VM_STATE and is reported, again and again`, () => {
    const system = new SystemFixture();
    const vmid = allocate(system);
    const { handle = -1 } = system.request('MEM_LEND', lent(vmid, [{ address: IMAGE, size: IMAGE_SIZE }])).values ?? {};
    system.request('VM_CONFIG_IMAGE', { vmid, auth: 0, handle, imageOffset: 0n, imageSize: 0n, dtbOffset: DTB_OFFSET, dtbSize: 0x1_0000n, ...change }, error);
    for (let n = 0; n < 3; n++) checkWouldDie(system, () => { system.request('VM_RESET', { vmid }, 0x14); });
    assert.equal(system.rm.inspect().vms.find((vm) => vm.vmid === vmid)?.state, 'INIT_FAILED');
    system.request('MEM_RECLAIM', { handle, flags: 0 });
  });
}

test('VM_RESET after a failed VM_CONFIG_IMAGE works as Linux expects in its profile, and is reported all the same', () => {
  const system = new SystemFixture([], { rm: { profile: 'linux', drivers: 'current' } });
  const vmid = allocate(system);
  system.request('VM_CONFIG_IMAGE', { vmid, auth: 0, handle: 0x77, imageOffset: 0n, imageSize: 0n, dtbOffset: 0n, dtbSize: 0n }, 0xa);
  checkWouldDie(system, () => { system.request('VM_RESET', { vmid }); });
  assert.equal(system.rm.inspect().vms.find((vm) => vm.vmid === vmid)?.state, 'RESET');
  system.request('VM_DEALLOCATE', { vmid });
});

test('VM_RESET before VM_CONFIG_IMAGE answers VM_STATE in every state that has nothing to reset, and is reported', () => {
  const system = new SystemFixture();
  const fresh = allocate(system);
  checkWouldDie(system, () => { system.request('VM_RESET', { vmid: fresh }, 0x14); });
  const made = start(system, vmTree({ memory: AT_GUEST_BASE }));
  system.request('VM_RESET', { vmid: made.vmid }, 0x14);
  assert.equal(reportsOf(system), 1, 'a running VM is only in the wrong state');
  system.request('VM_STOP', { vmid: made.vmid, flags: 1, reason: 0 });
  system.request('VM_RESET', { vmid: made.vmid });
  system.request('VM_CONFIG_IMAGE', { vmid: made.vmid, auth: 0, handle: 0x77, imageOffset: 0n, imageSize: 0n, dtbOffset: 0n, dtbSize: 0n }, 0xa);
  checkWouldDie(system, () => { system.request('VM_RESET', { vmid: made.vmid }, 0x14); });
});

test('VM_DEALLOCATE of every VMID that nobody has answers VMID_INVALID and is reported', () => {
  const system = new SystemFixture();
  for (const vmid of [4, 0x20, 0x40, 0x80, 0xbe, 0xbf, 0x100, 0xffff]) checkWouldDie(system, () => { system.request('VM_DEALLOCATE', { vmid }, 0xd); });
  const vmid = allocate(system);
  system.request('VM_DEALLOCATE', { vmid });
  checkWouldDie(system, () => { system.request('VM_DEALLOCATE', { vmid }, 0xd); });
});

test('the first handle, 0, is a valid one, and a reset VM has no image although its handle reads 0', () => {
  const system = new SystemFixture();
  const made = start(system, vmTree({ memory: AT_GUEST_BASE }));
  system.request('VM_STOP', { vmid: made.vmid, flags: 1, reason: 0 });
  system.request('VM_RESET', { vmid: made.vmid });
  system.request('VM_INIT', { vmid: made.vmid }, 0x14);
  checkAlive(system);
  system.request('MEM_RECLAIM', { handle: made.handle, flags: 0 });
  system.request('VM_DEALLOCATE', { vmid: made.vmid });
});
