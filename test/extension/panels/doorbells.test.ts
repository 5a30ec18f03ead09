import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { DoorbellRow } from '../../../debug-adapter/protocol';
import { doorbellRows } from '../../../extension/panels/doorbells/model';

const BELL: DoorbellRow = { objectId: 3, label: '32', senders: ['primary'], receiver: 'sensor', flags: '0x0', enableMask: '0xffffffffffffffff', ackMask: '0x0', virq: { vm: 'sensor', virq: 34 } };

function checkBell(now: DoorbellRow, before: DoorbellRow | undefined, expected: string): void {
  const [row] = doorbellRows([now], before && [before]);
  assert.equal(row && `${row.label}: ${row.description} [${row.tone}] ${row.icon}`, expected);
}

test('a silent doorbell does not ring', () => {
  checkBell(BELL, undefined, 'primary → sensor: flags 0x0 · 32 [plain] bell');
});

test('a doorbell rings when an enabled flag is set', () => {
  checkBell({ ...BELL, flags: '0x2' }, undefined, 'primary → sensor: flags 0x2 · ringing · 32 [plain] bell-dot');
  checkBell({ ...BELL, flags: '0x2', enableMask: '0x1' }, undefined, 'primary → sensor: flags 0x2 · 32 [plain] bell');
});

test('changed flags say what they were', () => {
  checkBell({ ...BELL, flags: '0x2' }, BELL, 'primary → sensor: flags 0x2 (was 0x0) · ringing · 32 [changed] bell-dot');
});

test('a doorbell without senders is still shown, a vanished one is gone', () => {
  checkBell({ ...BELL, senders: [], label: '' }, undefined, 'nobody → sensor: flags 0x0 [plain] bell');
  assert.equal(doorbellRows([], [BELL])[0]?.tone, 'gone');
});

test('the receiver is whose interrupt is bound, though others may receive too; masks say what they are about', () => {
  const [row] = doorbellRows([{ ...BELL, receiver: 'primary, sensor' }], undefined);
  assert.equal(row?.label, 'primary → sensor');
  assert.deepEqual(row.children.map(({ label, description }) => `${label}: ${description}`), [
    'Flags: 0x0', 'Enable mask: 0xffffffffffffffff · every flag', 'Ack mask: 0x0 · no flag', 'May send: primary', 'May receive: primary, sensor', 'Receiver VIRQ: 34 (SPI 2) of sensor',
  ]);
});
