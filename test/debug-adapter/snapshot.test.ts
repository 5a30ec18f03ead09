/** Snapshots of whole sessions: the same state, the same future, and files that are none. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';

import { encodeSnapshot } from '../../debug-adapter/snapshot/file';
import { decodePlain, encodePlain } from '../../debug-adapter/snapshot/plain-codec';
import { STATE_VERSION, type WholeState } from '../../runtime/index';
import { debugging, guestLaunch, sampleLaunch, type Debugging } from './debugging';

function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'gunyah-snapshot-'));
  context.after(() => { rmSync(path, { recursive: true, force: true }); });
  return path;
}

/** The sample stopped in the middle of its work. */
async function stopped(context: TestContext): Promise<Debugging> {
  const session = debugging(context);
  await session.start({ launch: sampleLaunch({ consoles: 'terminal' }), functionBreakpoints: [{ name: 'hvc:msgqueue_send', condition: 'vm == "sensor"' }] });
  return session;
}

async function hashOf(session: Debugging, path: string): Promise<string> {
  return (await session.client.request('gunyah/snapshot', { action: 'save', path })).stateHash;
}

test('a snapshot restored in another session has the same state and the same future', async (context) => {
  const path = join(folder(context), 'here.snapshot');
  const first = await stopped(context);
  const saved = await first.client.request('gunyah/snapshot', { action: 'save', path });
  assert.equal(saved.sizeBytes, readFileSync(path).length);
  const second = debugging(context);
  await second.start({ launch: sampleLaunch({ consoles: 'terminal', stopOnEntry: true }) });
  const restored = await second.client.request('gunyah/snapshot', { action: 'restore', path });
  assert.deepEqual([restored.tick, restored.stateHash], [saved.tick, saved.stateHash]);
  assert.equal((await second.client.waitForStop()).reason, 'goto');
  assert.equal(await hashOf(second, `${path}.again`), saved.stateHash);
  assert.deepEqual(await second.frameTexts(2), await first.frameTexts(2));
  const before = first.client.consoleText();
  const ends: string[] = [];
  for (const session of [first, second]) {
    await session.client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'psci:SYSTEM_OFF', condition: 'vm == "primary"' }] });
    const stop = await session.continue();
    assert.equal(stop.reason, 'function breakpoint');
    ends.push(await hashOf(session, `${path}.end`));
  }
  assert.equal(ends[0], ends[1], 'the same future');
  assert.ok(before.length > 0);
  assert.equal(second.client.consoleText('sensor').endsWith(first.client.consoleText('sensor')), true, 'consoles show what was printed before, and after');
  const { start, now } = await second.client.request('gunyah/timeline', {});
  assert.deepEqual([start, now > start], [saved.tick, true], 'history begins at the snapshot');
});

test('after a restore one can step back to the snapshot and no further', async (context) => {
  const path = join(folder(context), 'here.snapshot');
  const session = await stopped(context);
  await session.client.request('gunyah/snapshot', { action: 'save', path });
  const { now } = await session.client.request('gunyah/timeline', {});
  await session.continue();
  await session.client.request('gunyah/snapshot', { action: 'restore', path });
  await session.client.waitForStop();
  assert.equal((await session.client.request('gunyah/timeline', {})).now, now);
  await session.step('stepIn', { threadId: 2, byInstruction: true });
  await session.client.request('reverseContinue', { threadId: 2 });
  await session.client.waitForStop();
  const after = await session.client.request('gunyah/timeline', {});
  assert.ok(after.now >= now && after.start === now);
});

test('the debug console saves, restores and exports too', async (context) => {
  const path = join(folder(context), 'a session');
  const session = await stopped(context);
  const command = async (text: string): Promise<string> => String((await session.send('evaluate', { expression: text, context: 'repl' }))['result']);
  assert.match(await command(`snapshot save ${path}`), /^saved to .*a session: tick \d+, state [0-9a-f]{16}$/);
  assert.match(await command(`trace export jsonl ${path}.jsonl`), /^\d+ events, \d+ bytes in /);
  assert.match(await command(`trace dump ${path}.bin`), /^\d+ bytes in /);
  assert.match(await command(`snapshot restore ${path}`), /^restored from /);
  assert.equal((await session.client.waitForStop()).reason, 'goto');
});

test('what is no snapshot, damaged, cut off or of another system is refused, and the session goes on', async (context) => {
  const path = join(folder(context), 'here.snapshot');
  const session = await stopped(context);
  await session.client.request('gunyah/snapshot', { action: 'save', path });
  const good = readFileSync(path);
  const refuse = async (bytes: Uint8Array, wanted: RegExp): Promise<void> => {
    writeFileSync(`${path}.bad`, bytes);
    await assert.rejects(session.client.request('gunyah/snapshot', { action: 'restore', path: `${path}.bad` }), wanted);
  };
  await refuse(new Uint8Array(0), /no snapshot/);
  await refuse(Buffer.from('GUNYAHSN'), /damaged or cut off/);
  await refuse(good.subarray(0, good.length / 2), /damaged or cut off/);
  const flipped = Buffer.from(good);
  flipped[good.length >> 1] = (flipped[good.length >> 1] ?? 0) ^ 1;
  await refuse(flipped, /damaged or cut off/);
  await assert.rejects(session.client.request('gunyah/snapshot', { action: 'restore', path: `${path}.none` }), /no such file/);
  await assert.rejects(session.send('gunyah/snapshot', { action: 'forget', path }), /save or restore/);
  const other = debugging(context);
  await other.start({ launch: guestLaunch('hello', { stopOnEntry: true }) });
  await assert.rejects(other.client.request('gunyah/snapshot', { action: 'restore', path }), /of another system/);
  assert.equal((await session.continue()).reason, 'function breakpoint');
});

test('a snapshot that another version of the program saved is refused with both versions and what to do, and the session goes on', async (context) => {
  const path = join(folder(context), 'here.snapshot');
  const session = await stopped(context);
  await session.client.request('gunyah/snapshot', { action: 'save', path });
  const good = decodePlain(readFileSync(path).subarray(24));
  assert.ok(good.ok && typeof good.value === 'object' && good.value !== null);
  const state: object = good.value;
  const refuse = async (changes: Readonly<Record<string, unknown>>, wanted: RegExp): Promise<void> => {
    writeFileSync(path, encodeSnapshot({ ...state, ...changes } as unknown as WholeState));
    await assert.rejects(session.client.request('gunyah/snapshot', { action: 'restore', path }), wanted);
  };
  await refuse({ version: 1 }, new RegExp(`an older version of this program saved it: its state has version 1, and this program reads version ${String(STATE_VERSION)}\\. Restore it with the version that saved it`));
  await refuse({ version: 1e6 }, /a newer version of this program saved it: its state has version 1000000/);
  await refuse({ version: 'two' }, /no state of a system/);
  await refuse({ stateHash: '0' }, /kept other things of the state\. Run the system to that point again/);
  await refuse({ saved: {} }, /kept other things of the state/);
  await refuse({ saved: undefined }, /kept other things of the state/);
  assert.equal((await session.continue()).reason, 'function breakpoint');
});

test('plain data is the same after writing and reading, and random bytes end in a sentence', () => {
  const plain = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, fc.constantFrom<unknown>(undefined, null, true, false), fc.double({ noNaN: true }), fc.bigInt(), fc.string(), fc.uint8Array().map((bytes) => Uint8Array.from(bytes)),
      fc.array(tie('value'), { maxLength: 5 }), fc.dictionary(fc.string().filter((name) => name !== '__proto__'), tie('value'), { maxKeys: 5, noNullPrototype: true })),
  })).value;
  fc.assert(fc.property(plain, (value) => { assert.deepEqual(decodePlain(encodePlain(value)), { ok: true, value }); }), { seed: 4, numRuns: 300 });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => { decodePlain(bytes); }), { seed: 5, numRuns: 3000 });
  assert.equal(decodePlain(Uint8Array.of(8, 255, 255, 255, 255)).ok, false);
});
