/** The trace in other tools' formats, read by readers that share nothing with the writers. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import type { TraceRow } from '../../../debug-adapter/protocol';
import { type Debugging, debugging, sampleLaunch } from '../debugging';
import { readCapture } from './pcapng-reader';

/** The sample near its end: the sensor has answered. */
async function ran(context: TestContext): Promise<Debugging> {
  const session = debugging(context);
  await session.start({ launch: sampleLaunch(), functionBreakpoints: [{ name: 'vm:exit' }] });
  return session;
}

async function wholeTrace(session: Debugging, filter: string): Promise<readonly TraceRow[]> {
  return (await session.client.request('gunyah/trace', { from: 0, limit: 10_000, filter })).events;
}

function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'gunyah-export-'));
  context.after(() => { rmSync(path, { recursive: true, force: true }); });
  return path;
}

test('a capture has an interface for each queue, a packet for each message, and RM packets in words', async (context) => {
  const session = await ran(context);
  const answer = await session.client.request('gunyah/exportTrace', { format: 'pcapng' });
  const capture = readCapture(Buffer.from(answer.base64 ?? '', 'base64'));
  const messages = await wholeTrace(session, 'event:message -flushed');
  assert.equal(capture.application, 'Gunyah Debug');
  assert.ok(messages.length > 20);
  assert.equal(capture.packets.length, messages.length);
  for (const [index, packet] of capture.packets.entries()) {
    const message = messages[index];
    assert.equal(packet.time, BigInt(message?.tick ?? -1));
    assert.equal(Buffer.from(packet.bytes).toString('hex'), message?.['bytes']);
    assert.equal(packet.flags, message?.['action'] === 'sent' ? 2 : 1);
  }
  for (const one of capture.interfaces) assert.deepEqual([one.linkType, one.ticksPerSecond], [147, 1e9]);
  assert.ok(capture.interfaces.some(({ name }) => name.startsWith('primary to sensor')));
  assert.ok(capture.packets.some(({ comment }) => /sent by primary\/cpu0 at tick \d+: request VM_START #\d+ vmid=\d+/.test(comment)));
});

interface Entry { readonly ph: string; readonly pid: number; readonly tid: number; readonly ts?: number; readonly dur?: number; readonly name: string; readonly cat?: string; readonly id?: unknown; readonly args?: Record<string, unknown> }

test('Perfetto gets a track for each vCPU, a slice for each call, and an arrow from each sent message to where it was received', async (context) => {
  const session = await ran(context);
  const answer = await session.client.request('gunyah/exportTrace', { format: 'perfetto' });
  const { traceEvents, displayTimeUnit } = JSON.parse(answer.text ?? '') as { traceEvents: Entry[]; displayTimeUnit: string };
  assert.equal(displayTimeUnit, 'ns');
  const tracks = traceEvents.filter(({ ph, name }) => ph === 'M' && name === 'thread_name').map(({ args }) => args?.['name']);
  assert.ok(tracks.includes('primary/cpu0') && tracks.includes('sensor/cpu0'));
  const named = new Set(traceEvents.filter(({ ph }) => ph === 'M').map(({ pid, tid }) => `${pid}/${tid}`));
  for (const { ph, pid, tid, ts, dur, name } of traceEvents.filter((entry) => entry.ph !== 'M')) {
    assert.ok('XisfbeM'.includes(ph) && ph.length === 1, ph);
    assert.ok(typeof ts === 'number' && ts >= 0 && name !== '' && (pid === 255 || named.has(`${pid}/${tid}`)));
    assert.equal(ph === 'X', typeof dur === 'number' && dur > 0);
  }
  const entered = await wholeTrace(session, 'event:hypercall if phase == "enter"');
  assert.equal(traceEvents.filter(({ ph, cat }) => ph === 'X' && cat === 'hypercall').length, entered.length);
  const slices = traceEvents.filter(({ ph }) => ph === 'X');
  const [starts, ends] = ['s', 'f'].map((wanted) => traceEvents.filter(({ ph }) => ph === wanted));
  assert.ok((starts?.length ?? 0) > 10 && (ends?.length ?? 0) > 10);
  for (const end of ends ?? []) {
    const start = starts?.find(({ id }) => id === end.id);
    assert.ok(start?.ts !== undefined && end.ts !== undefined && start.ts <= end.ts, 'an arrow goes forward in time');
    const isInside = slices.some(({ pid, tid, ts = 0, dur = 0 }) => pid === end.pid && tid === end.tid && ts <= (end.ts ?? 0) && (end.ts ?? 0) <= ts + dur);
    assert.ok(isInside, 'an arrow ends at a slice');
  }
  const requests = traceEvents.filter(({ ph, cat }) => cat === 'rm' && (ph === 'b' || ph === 'e'));
  for (const one of requests.filter(({ ph }) => ph === 'e')) assert.ok(requests.some(({ ph, id, name }) => ph === 'b' && id === one.id && name === one.name));
  assert.ok(traceEvents.some(({ ph, cat }) => ph === 'i' && cat === 'virq'));
});

test('lines are those of gunyah run, a range and a filter choose events, and a file is written where it is asked for', async (context) => {
  const session = await ran(context);
  const path = join(folder(context), 'trace.jsonl');
  const written = await session.client.request('gunyah/exportTrace', { format: 'jsonl', path, filter: 'rm:*' });
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual([written.path, written.events, written.sizeBytes], [path, lines.length, readFileSync(path).length]);
  assert.ok(lines.length > 0 && lines.every(({ event }) => event === 'rm-request'));
  const some = await session.client.request('gunyah/exportTrace', { format: 'jsonl', from: 10, to: 20 });
  assert.equal(some.events, 10);
  await assert.rejects(session.client.request('gunyah/exportTrace', { format: 'jsonl', path: join(folder(context), 'no', 'such', 'folder') }), /Cannot write .*no such file/);
  await assert.rejects(session.send('gunyah/exportTrace', { format: 'doc' }), /"format" must be one of jsonl, perfetto, pcapng/);
  await assert.rejects(session.client.request('gunyah/exportTrace', { format: 'jsonl', filter: 'hvc:nothing' }), /no hypercall "nothing"/);
});
