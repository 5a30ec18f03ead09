import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { newSender, NOTIFICATIONS_MAX, packetsOf, pumpSender, queueNotification, queueReply, receivePacket, RPC_PAYLOAD_MAX } from '../../runtime/resource-manager/rpc';
import type { RpcMessage, RpcReceiver } from '../../runtime/resource-manager/rpc';

const request = (payload: Uint8Array): RpcMessage => ({ kind: 'request', sequence: 0x1234, id: 0x56000024, payload });
const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i & 0xff);

function checkPackets(length: number, expected: readonly number[]): void {
  assert.deepEqual(packetsOf(request(pattern(length))).map((packet) => packet.length), expected);
}

function receiveAll(packets: readonly Uint8Array[], receiver: RpcReceiver = { partial: null }): RpcMessage[] {
  return packets.flatMap((packet) => receivePacket(receiver, packet) ?? []);
}

test('a packet begins with the documented eight bytes', () => {
  const [packet] = packetsOf({ kind: 'reply', sequence: 0x1234, id: 0x56000024, payload: Uint8Array.of(0, 0, 0, 0, 3, 0, 0, 0) });
  assert.equal(Buffer.from(packet ?? []).toString('hex'), '21023412240000560000000003000000');
});

test('continuations repeat count, sequence and id and change only the type', () => {
  const packets = packetsOf(request(pattern(500)));
  assert.deepEqual(packets.map((packet) => Buffer.from(packet.subarray(0, 8)).toString('hex')), ['2109341224000056', '2108341224000056', '2108341224000056']);
});

test('messages are cut at 232 payload bytes', () => {
  checkPackets(0, [8]);
  checkPackets(1, [9]);
  checkPackets(232, [240]);
  checkPackets(233, [240, 9]);
  checkPackets(464, [240, 240]);
  assert.equal(packetsOf(request(pattern(RPC_PAYLOAD_MAX))).length, 63);
});

test('what is cut is put together again', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (payload) => {
    assert.deepEqual(receiveAll(packetsOf(request(payload))), [request(payload)]);
  }), { numRuns: 100 });
});

test('a first packet pushes an incomplete message out', () => {
  const [first = new Uint8Array()] = packetsOf(request(pattern(300)));
  assert.deepEqual(receiveAll([first, ...packetsOf(request(pattern(4)))]), [request(pattern(4))]);
});

test('packets that break the rules are dropped and do not disturb a message in progress', () => {
  const [first = new Uint8Array(), second = new Uint8Array()] = packetsOf(request(pattern(300)));
  const change = (offset: number, value: number): Uint8Array => second.map((byte, index) => (index === offset ? value : byte));
  const bad = [new Uint8Array(), second.subarray(0, 7), change(0, 0x22), change(0, 0x31), change(1, 63 << 2), change(1, 2 << 2), change(2, 0), change(4, 0)];
  assert.deepEqual(receiveAll([second, ...bad]), []);
  assert.deepEqual(receiveAll([first, ...bad, second]), [request(pattern(300))]);
});

test('arbitrary packets never throw', () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 260 }), { maxLength: 20 }), (packets) => {
    receiveAll(packets);
    receiveAll(packets.map((packet) => { const copy = packet.slice(); copy[0] = 0x21; return copy; }));
  }), { numRuns: 300 });
});

function drain(sender: ReturnType<typeof newSender>, room: number): Uint8Array[] {
  const sent: Uint8Array[] = [];
  pumpSender(sender, (packet) => {
    if (sent.length === room) return 'full';
    sent.push(packet);
    return 'sent';
  });
  return sent;
}

test('messages leave in order and wait while the queue is full', () => {
  const sender = newSender();
  queueNotification(sender, { sequence: 0, id: 0x56100008, payload: pattern(8) });
  queueReply(sender, { sequence: 7, id: 0x56000004, payload: pattern(400) });
  assert.deepEqual(drain(sender, 2).map((packet) => packet[1]), [3, (1 << 2) | 2]);
  assert.deepEqual(drain(sender, 2).map((packet) => packet[1]), [1 << 2]);
  assert.deepEqual(drain(sender, 2), []);
});

test('a second reply drops the first that still waits', () => {
  const sender = newSender();
  queueReply(sender, { sequence: 1, id: 1, payload: pattern(4) });
  queueReply(sender, { sequence: 2, id: 2, payload: pattern(4) });
  assert.deepEqual(drain(sender, 8).map((packet) => packet[2]), [2]);
});

test('a reply that is half sent is finished before the next', () => {
  const sender = newSender();
  queueReply(sender, { sequence: 1, id: 1, payload: pattern(400) });
  drain(sender, 1);
  queueReply(sender, { sequence: 2, id: 2, payload: pattern(4) });
  assert.deepEqual(drain(sender, 8).map((packet) => packet[2]), [1, 2]);
});

test('the oldest of too many notifications is dropped', () => {
  const sender = newSender();
  for (let i = 0; i < NOTIFICATIONS_MAX + 2; i++) queueNotification(sender, { sequence: i, id: 0x56100008, payload: pattern(8) });
  const sent = drain(sender, 1000);
  assert.equal(sent.length, NOTIFICATIONS_MAX);
  assert.equal(sent[0]?.[2], 2);
});
