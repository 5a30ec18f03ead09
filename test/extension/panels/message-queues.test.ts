import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { QueuedMessage, QueueRow } from '../../../debug-adapter/protocol';
import type { Row } from '../../../extension/model/row';
import { messageQueueRows } from '../../../extension/panels/message-queues/model';

const FIRST: QueuedMessage = { tick: 12_345_000, size: 8, bytes: '0001020341424344', decoded: null };
const SECOND: QueuedMessage = { tick: 12_400_000, size: 4, bytes: 'deadbeef', decoded: 'RM request VM_START vmid 45' };
const QUEUE: QueueRow = {
  objectId: 7, label: 'requests', from: 'primary', to: 'sensor', depth: 4, queued: 1, maxMessageSize: 128, notEmptyThreshold: 1, notFullThreshold: 3,
  messages: [FIRST], txVirq: null, rxVirq: { vm: 'sensor', virq: 33 }, sentCount: 5, receivedCount: 4,
};

function checkQueue(now: QueueRow, before: QueueRow | undefined, expected: string): Row {
  const [row] = messageQueueRows([now], before && [before]);
  assert.ok(row);
  assert.equal(`${row.label}: ${row.description} [${row.tone}]`, expected);
  return row;
}

test('a queue shows its ends, its fill, its thresholds and its interrupts', () => {
  const row = checkQueue(QUEUE, undefined, 'primary → sensor: 1/4 queued · requests [plain]');
  assert.deepEqual(row.children.map(({ label, description }) => `${label}: ${description}`), [
    '1: 8 bytes: 00 01 02 03 41 42 43 44',
    'Thresholds: not empty at 1, not full at 3',
    'Largest message: 128 bytes',
    'Sender VIRQ: not bound',
    'Receiver VIRQ: 33 (SPI 1) of sensor',
    'Since the start: 5 sent, 4 received',
  ]);
});

test('what was sent and received since the last stop is said, and only the new message is new', () => {
  const row = checkQueue({ ...QUEUE, queued: 2, sentCount: 6, messages: [FIRST, SECOND] }, QUEUE, 'primary → sensor: 2/4 queued · +1 sent · requests [changed]');
  assert.deepEqual(row.children.slice(0, 2).map(({ tone, description }) => `${tone} ${description}`), [
    'plain 00 01 02 03 41 42 43 44',
    'new RM request VM_START vmid 45 · de ad be ef',
  ]);
});

test('travelling back counts backwards', () => {
  checkQueue({ ...QUEUE, sentCount: 3, receivedCount: 2 }, QUEUE, 'primary → sensor: 1/4 queued · −2 sent · −2 received · requests [changed]');
});

test('a full queue says so, an empty one shows none waiting', () => {
  checkQueue({ ...QUEUE, queued: 4 }, undefined, 'primary → sensor: 4/4 queued (full) · requests [plain]');
  checkQueue({ ...QUEUE, queued: 0, messages: [] }, undefined, 'primary → sensor: 0/4 queued · requests [plain]');
});

test('a message has the time it was sent and a hex dump in its tooltip, and long ones are cut in the row', () => {
  const long: QueuedMessage = { tick: 1_000_000, size: 20, bytes: '41'.repeat(20), decoded: null };
  const row = checkQueue({ ...QUEUE, messages: [long] }, undefined, 'primary → sensor: 1/4 queued · requests [plain]').children[0];
  assert.match(row?.description ?? '', /(41 ){16}…$/);
  assert.match(row?.tooltip ?? '', /Sent at 1 ms/);
  assert.match(row?.tooltip ?? '', /0010 {2}41 41 41 41 +AAAA/);
  assert.deepEqual(row?.subject, { kind: 'message', tick: 1_000_000, bytes: long.bytes });
});

test('queues between guests stand before those of the Resource Manager', () => {
  const rm: QueueRow = { ...QUEUE, objectId: 1, to: 'resource-manager' };
  assert.deepEqual(messageQueueRows([rm, QUEUE], undefined).map(({ label }) => label), ['primary → sensor', 'primary → resource-manager']);
});

test('two equal messages in one queue are two rows', () => {
  const row = checkQueue({ ...QUEUE, queued: 2, messages: [FIRST, FIRST] }, undefined, 'primary → sensor: 2/4 queued · requests [plain]');
  assert.equal(new Set(row.children.map(({ id }) => id)).size, row.children.length);
});
