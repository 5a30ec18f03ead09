import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ConsoleText, noteLine, typedText } from '../../../extension/model/console-text';
import { EVENT_NAMES } from '../../../debug-adapter/event-names';
import { EVENT_GROUPS, EVENT_KIND_WORDS, HYPERCALL_NAMES, PSCI_FUNCTION_NAMES, RM_NOTIFICATION_NAMES, RM_REQUEST_NAMES, SERVICE_NAMES } from '../../../extension/model/event-names';
import { formatCount, formatSize, formatTime, hexDump, plural, rangeEnd } from '../../../extension/model/format';
import { changeByAdapter, changeByRequest } from '../../../extension/model/messages';
import { PositionHistory } from '../../../extension/model/position-history';
import { sendCondition } from '../../../extension/model/send-condition';
import { parseTime } from '../../../extension/model/time-text';
import { timelineText } from '../../../extension/model/timeline-text';
import { EVENT_KINDS } from '../../../runtime/index';
import { HYPERCALLS } from '../../../runtime/hypervisor/hypercall-table';
import { RM_NOTIFICATIONS, RM_REQUESTS } from '../../../runtime/resource-manager/message-table';

test('sizes, counts, times and ranges read as people write them', () => {
  assert.deepEqual([0, 1, 1024, 1536, 134217728].map(formatSize), ['0 bytes', '1 byte', '1 KiB', '1.5 KiB', '128 MiB']);
  assert.deepEqual([0, 999, 1000, 1234567].map(formatCount), ['0', '999', '1,000', '1,234,567']);
  assert.deepEqual([0, 999, 1500, 12_345_000, 2_000_000_000, -1500].map(formatTime), ['0 ns', '999 ns', '1.5 µs', '12.345 ms', '2 s', '-1.5 µs']);
  assert.equal(rangeEnd('0x40000000', 0x08000000), '0x47ffffff');
  assert.deepEqual([plural(1, 'capability'), plural(2, 'capability'), plural(1000, 'byte')], ['1 capability', '2 capabilities', '1,000 bytes']);
});

test('a hex dump shows offsets or addresses, bytes, text, and bytes that cannot be read', () => {
  assert.equal(hexDump([0x41, undefined, 0x00]), `0000  ${'41 ?? 00'.padEnd(47)}  A..`);
  assert.match(hexDump([1], 0x41000000n), /^41000000 {2}01/);
  assert.match(hexDump([1], 0xffff_0000_0000_0000n), /^ffff000000000000 {2}01/);
  assert.equal(hexDump([]), '');
});

function checkConsole(pieces: readonly string[], expected: string): void {
  const text = new ConsoleText();
  assert.equal(pieces.map((piece) => text.convert(piece)).join(''), expected);
}

test('a console line feed begins a new line, however the output is cut', () => {
  checkConsole(['a\nb\r\nc'], 'a\r\nb\r\nc');
  checkConsole(['a\r', '\nb'], 'a\r\nb');
  checkConsole(['a\r', '\n', '\nb'], 'a\r\n\r\nb');
  checkConsole(['progress 1\rprogress 2'], 'progress 1\rprogress 2');
  checkConsole(['', 'a', ''], 'a');
});

test('Enter reaches the guest as carriage return, pasted lines too', () => {
  assert.equal(typedText('\r'), '\r');
  assert.equal(typedText('one\ntwo\r\n'), 'one\rtwo\r');
  assert.match(noteLine('ended'), /── ended ──/);
});

const EXTENT = { start: 1_000, end: 20_000_000, now: 5_000_000 };

function checkTime(text: string, expected: number | RegExp): void {
  const answer = parseTime(text, EXTENT);
  if (typeof expected === 'number') assert.deepEqual(answer, { tick: expected });
  else assert.match('problem' in answer ? answer.problem : 'no problem', expected);
}

test('times may be absolute, relative, a share of history, or words', () => {
  checkTime('12.5ms', 12_500_000);
  checkTime(' 12_500_000 ', 12_500_000);
  checkTime('12,500,000', 12_500_000);
  checkTime('+100us', 5_100_000);
  checkTime('- 1 ms', 4_000_000);
  checkTime('100%', 20_000_000);
  checkTime('start', 1_000);
  checkTime('End', 20_000_000);
});

test('a time that cannot be read or lies outside of history is explained', () => {
  checkTime('', /Write a time/);
  checkTime('soon', /Write a time/);
  checkTime('1e9', /Write a time/);
  checkTime('0', /begins at 1 µs/);
  checkTime('1s', /ends at 20 ms/);
});

test('the clock shows when the system stands in the past', () => {
  const timeline = { start: 0, end: 2_000_000, now: 1_000_000, checkpoints: [], marks: [], replaying: false };
  assert.equal(timelineText(timeline, false), '$(history) 1 ms, 1 ms back');
  assert.equal(timelineText({ ...timeline, now: 2_000_000 }, false), '$(watch) 2 ms');
  assert.equal(timelineText(timeline, true), '$(sync~spin) 1 ms');
});

test('a view compares with the previous stop, also after refreshes at the same position', () => {
  const history = new PositionHistory<string>();
  assert.equal(history.whileRunning, undefined);
  assert.equal(history.stoppedAt(10, 'a'), undefined);
  assert.equal(history.whileRunning, 'a');
  assert.equal(history.stoppedAt(20, 'b'), 'a');
  assert.equal(history.stoppedAt(20, 'b after an edit'), 'a');
  assert.equal(history.stoppedAt(10, 'a again'), 'b after an edit');
  history.clear();
  assert.equal(history.stoppedAt(30, 'c'), undefined);
});

test('messages that start and stop execution are recognised', () => {
  assert.deepEqual(changeByRequest({ type: 'request', command: 'next' }), { kind: 'running' });
  assert.equal(changeByRequest({ type: 'request', command: 'threads' }), undefined);
  assert.deepEqual(changeByAdapter({ type: 'event', event: 'stopped', body: { threadId: 2 } }), { kind: 'stopped', threadId: 2 });
  assert.deepEqual(changeByAdapter({ type: 'event', event: 'terminated' }), { kind: 'ended' });
  assert.deepEqual(changeByAdapter({ type: 'response', command: 'stepBack', success: false }), { kind: 'stopped', threadId: undefined });
  assert.equal(changeByAdapter({ type: 'response', command: 'next', success: true }), undefined);
  for (const foreign of [undefined, null, 7, 'stopped', [], {}]) {
    assert.equal(changeByRequest(foreign), undefined);
    assert.equal(changeByAdapter(foreign), undefined);
  }
});

test('a breakpoint on one queue names every capability that may send to it, and no other', () => {
  const sender = { vm: 'primary', capId: '0x12', rights: ['MSGQUEUE_SEND'] };
  assert.equal(sendCondition([sender, { vm: 'sensor', capId: '0x21', rights: ['MSGQUEUE_RECEIVE'] }]), 'vm == "primary" && msgqueue == 0x12');
  assert.equal(sendCondition([sender, { ...sender, vm: 'b' }]), '(vm == "primary" && msgqueue == 0x12) || (vm == "b" && msgqueue == 0x12)');
  assert.equal(sendCondition([]), undefined);
});

test('the events offered for breakpoints are those of the hypervisor\'s and the Resource Manager\'s tables', () => {
  assert.deepEqual(HYPERCALL_NAMES, Object.keys(HYPERCALLS).sort());
  assert.deepEqual([PSCI_FUNCTION_NAMES, SERVICE_NAMES], [[...EVENT_NAMES.psci].sort(), [...EVENT_NAMES.smccc].sort()]);
  assert.deepEqual(Object.keys(EVENT_KIND_WORDS), [...EVENT_KINDS]);
  assert.deepEqual(RM_REQUEST_NAMES, Object.keys(RM_REQUESTS).sort());
  assert.deepEqual(RM_NOTIFICATION_NAMES, Object.keys(RM_NOTIFICATIONS).sort());
  const names = EVENT_GROUPS.flatMap(({ choices }) => choices.map(({ name }) => name));
  assert.equal(new Set(names).size, names.length);
});
