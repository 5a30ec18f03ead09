import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';

import { DapClient, DapError } from './dap-client';

/** A client whose adapter is this test: `say` sends raw bytes, `heard` is what the client wrote. */
function checkPair(): { client: DapClient; say: (message: object) => string; raw: (bytes: Buffer) => void; heard: () => string; end: () => void } {
  const toAdapter = new PassThrough();
  const fromAdapter = new PassThrough();
  let text = '';
  toAdapter.on('data', (chunk: Buffer) => { text += chunk.toString('utf8'); });
  const frame = (message: object): string => {
    const json = JSON.stringify(message);
    return `Content-Length: ${String(Buffer.byteLength(json))}\r\n\r\n${json}`;
  };
  const raw = (bytes: Buffer): void => { fromAdapter.write(bytes); };
  return {
    client: new DapClient(toAdapter, fromAdapter), raw, heard: () => text,
    say: (message) => { raw(Buffer.from(frame(message))); return frame(message); },
    end: () => { fromAdapter.destroy(); },
  };
}

test('a request is framed with its length in bytes and resolves with the body of its own answer', async () => {
  const { client, say, heard } = checkPair();
  const first = client.request('evaluate', { expression: 'größe' });
  const second = client.request('threads', {});
  say({ seq: 1, type: 'response', request_seq: 2, success: true, command: 'threads', body: { threads: [{ id: 1, name: 'primary/cpu0' }] } });
  say({ seq: 2, type: 'response', request_seq: 1, success: true, command: 'evaluate', body: { result: '7', variablesReference: 0 } });
  assert.deepEqual((await second).threads, [{ id: 1, name: 'primary/cpu0' }]);
  assert.equal((await first).result, '7');
  const json = '{"seq":1,"type":"request","command":"evaluate","arguments":{"expression":"größe"}}';
  assert.ok(heard().startsWith(`Content-Length: ${String(Buffer.byteLength(json))}\r\n\r\n${json}`));
});

test('a message may arrive byte by byte or with others in one piece', async () => {
  const { client, say, raw } = checkPair();
  const framed = Buffer.from(say({ seq: 1, type: 'event', event: 'initialized' }) + say({ seq: 2, type: 'event', event: 'output', body: { output: 'ü' } }));
  for (const byte of framed) raw(Buffer.from([byte]));
  await client.waitForEvent('output');
  assert.equal((await client.waitForEvent('output')).body['output'], 'ü');
  assert.equal(client.log.length, 4);
});

test('an event that came early is kept until somebody waits for it', async () => {
  const { client, say } = checkPair();
  say({ seq: 1, type: 'event', event: 'stopped', body: { reason: 'breakpoint', threadId: 1 } });
  say({ seq: 2, type: 'event', event: 'stopped', body: { reason: 'step', threadId: 1 } });
  assert.equal((await client.waitForStop()).reason, 'breakpoint');
  assert.equal((await client.waitForStop()).reason, 'step');
});

test('a refused request rejects with the words of the adapter', async () => {
  const { client, say } = checkPair();
  const refused = client.request('stepBack', { threadId: 1 });
  say({ seq: 1, type: 'response', request_seq: 1, success: false, command: 'stepBack', message: 'x', body: { error: { id: 1, format: 'No history before tick {tick}.', variables: { tick: '0' } } } });
  await assert.rejects(refused, (error: unknown) => error instanceof DapError && error.message === 'stepBack: No history before tick 0.');
});

test('everything that waits fails when the adapter goes away', async () => {
  const { client, end } = checkPair();
  const request = client.request('threads', {});
  const event = client.waitForEvent('stopped');
  end();
  await assert.rejects(request, /closed the connection/);
  await assert.rejects(event, /closed the connection/);
  await assert.rejects(client.request('threads', {}), /closed the connection/);
});

test('a time-out names what was waited for', async () => {
  const { client } = checkPair();
  await assert.rejects(client.waitForEvent('stopped', () => true, 10), /no event "stopped"/);
  await assert.rejects(client.request('pause', { threadId: 1 }, 10), /no answer to pause/);
});
