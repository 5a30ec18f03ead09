import assert from 'node:assert/strict';
import { test } from 'node:test';

import { packetsOf } from '../../runtime/resource-manager/rpc';
import { h32, hText } from './messages/case';
import { SystemFixture } from './system-fixture';
import { vmTree } from './trees';

const GET_VMID = 0x5600_0024;
const LOOKUP_NAME = 0x5600_0013;

/** A packet with any header byte, type, count, sequence and number. */
function packet(header: { readonly version?: number; readonly type?: number; readonly count?: number; readonly sequence?: number; readonly id?: number }, payload = ''): Uint8Array {
  const { version = 0x21, type = 1, count = 0, sequence = 1, id = GET_VMID } = header;
  const bytes = Uint8Array.from(Buffer.from(`0000000000000000${payload}`, 'hex'));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, version);
  view.setUint8(1, (count << 2) | type);
  view.setUint16(2, sequence, true);
  view.setUint32(4, id, true);
  return bytes;
}

/** Sequence numbers of the replies that come when packets are sent, each after RM has come to rest. */
function repliesTo(system: SystemFixture, ...packets: readonly Uint8Array[]): readonly number[] {
  for (const one of packets) {
    assert.equal(system.sendPacket(one)[0], 0n);
    system.settle();
  }
  return system.receiveAll().filter(({ kind }) => kind === 'reply').map(({ sequence }) => sequence);
}

test('what is not a request of this version is dropped without an answer', () => {
  const system = new SystemFixture();
  const dropped = [packet({ version: 0x22 }), packet({ version: 0x11 }), packet({ type: 0 }), packet({ type: 2 }), packet({ type: 3, id: 0x5610_0008 }), packet({ count: 63 }), packet({}).subarray(0, 7)];
  for (const one of dropped) assert.deepEqual(repliesTo(system, one), []);
  assert.deepEqual(repliesTo(system, packet({ sequence: 9 })), [9]);
});

test('the longest message is 63 packets, and its answer comes when the last has arrived', () => {
  const system = new SystemFixture();
  const name = 63 * 232 - 4;
  const packets = packetsOf({ kind: 'request', sequence: 5, id: LOOKUP_NAME, payload: Uint8Array.from(Buffer.from(`${h32(name)}${hText('x'.repeat(name))}`, 'hex')) });
  assert.equal(packets.length, 63);
  assert.deepEqual(repliesTo(system, ...packets.slice(0, 62)), []);
  assert.deepEqual(repliesTo(system, ...packets.slice(62)), [5]);
});

test('a first packet within a message ends that message; a continuation that does not fit it is passed over', () => {
  const system = new SystemFixture();
  const first = packet({ count: 1, sequence: 3, id: LOOKUP_NAME }, h32(4));
  const rest = packet({ type: 0, count: 1, sequence: 3, id: LOOKUP_NAME }, hText('HLOS'));
  assert.deepEqual(repliesTo(system, first, packet({ sequence: 4 }), rest), [4]);
  const strange = [packet({ type: 0, count: 1, sequence: 2, id: LOOKUP_NAME }), packet({ type: 0, count: 2, sequence: 3, id: LOOKUP_NAME }), packet({ type: 0, count: 1, sequence: 3 })];
  assert.deepEqual(repliesTo(system, first, ...strange, rest), [3]);
});

test('an unknown request answers all ones', () => {
  const [reply] = new SystemFixture().exchange(0x5600_7777, new Uint8Array(4));
  assert.equal(Buffer.from(reply?.payload ?? []).toString('hex'), 'ffffffff');
});

test('of the replies that find no room in the queue only the last is kept', () => {
  const system = new SystemFixture();
  for (let sequence = 0; sequence < 12; sequence++) {
    assert.equal(system.sendPacket(packet({ sequence }))[0], 0n);
    system.settle();
  }
  assert.deepEqual(system.receiveAll().map(({ sequence }) => sequence), [0, 1, 2, 3, 4, 5, 6, 7, 11]);
});

test('requests that wait together are answered in the order of their arrival', () => {
  const system = new SystemFixture();
  for (let sequence = 0; sequence < 8; sequence++) assert.equal(system.sendPacket(packet({ sequence }))[0], 0n);
  assert.equal(system.sendPacket(packet({ sequence: 8 }))[0], 61n);
  system.settle();
  assert.deepEqual(system.receiveAll().map(({ sequence }) => sequence), [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('notifications wait for room, lose the oldest beyond 256, and count on', () => {
  const dts = vmTree({ vdevices: 'rpc { vdevice-type = "rm-rpc"; generate = "/hypervisor/rm-rpc"; console-dev; };' });
  const system = new SystemFixture([{ dts, autostart: true }]);
  system.receiveAll();
  system.request('CONSOLE_OPEN', { vmid: 0x80 });
  system.exchangeAs(0x80, 0x5600_0081, new Uint8Array(4));
  for (let n = 0; n < 300; n++) system.exchangeAs(0x80, 0x5600_0083, Uint8Array.of(0, 0, 1, 0, n & 0xff));
  const sequences = system.receiveAll().map(({ sequence }) => sequence);
  const first = sequences[0] ?? 0;
  assert.equal(sequences.length, 8 + 256);
  assert.deepEqual(sequences, [...Array.from({ length: 8 }, (_, n) => first + n), ...Array.from({ length: 256 }, (_, n) => first + 300 - 256 + n)]);
});

test('a channel of another size cuts its replies no larger than 240 bytes', () => {
  const bells = Array.from({ length: 12 }, (_, n) => `d${n} { vdevice-type = "doorbell"; label = <${n}>; peer-default; };`).join(' ');
  const system = new SystemFixture([{ dts: vmTree({ vdevices: bells }) }]);
  const sizes: bigint[] = [];
  system.sendPacket(packet({ id: 0x5600_0020 }, h32(0x80)));
  system.settle();
  for (let next = system.hypercall(3, 'msgqueue_receive', 1n, 0x4010_0000n, 240n); next[0] === 0n; next = system.hypercall(3, 'msgqueue_receive', 1n, 0x4010_0000n, 240n)) {
    sizes.push(next[1] ?? 0n);
    system.settle();
  }
  assert.deepEqual(sizes, [240n, 240n, BigInt(8 + 8 + 13 * 44 - 464)]);
});
