import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { RM_REQUESTS } from '../../runtime/resource-manager';
import { encodePayload } from '../../runtime/resource-manager/message-codec';
import type { Field } from '../../runtime/resource-manager/message-fields';
import { packetsOf } from '../../runtime/resource-manager/rpc';
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
