/** The adapter without Node: bundled for the browser and run in a context that has only what a Web Worker has. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

import { build } from 'esbuild';

import type { Host } from '../../debug-adapter/host';
import type { serveMessagePort } from '../../debug-adapter/message-port';
import { guestElf } from '../support/guest-build';

const ENTRY = resolve(__dirname, '..', '..', 'debug-adapter', 'message-port.ts');

/** Bundles the entry as a script that leaves its exports in `adapter`. Fails if anything of Node is asked for. */
async function bundle(): Promise<string> {
  const result = await build({ entryPoints: [ENTRY], bundle: true, write: false, platform: 'browser', format: 'iife', globalName: 'adapter', target: 'es2022', mainFields: ['module', 'main'], logLevel: 'silent' });
  return result.outputFiles[0]?.text ?? '';
}

/** Files in memory and the timers of the platform: all that a worker would bring. */
function memoryHost(files: ReadonlyMap<string, Uint8Array>): Host {
  return {
    readFile: (path) => { const bytes = files.get(path); return Promise.resolve(bytes === undefined ? { ok: false, error: 'there is no such file' } : { ok: true, value: bytes }); },
    exists: (path) => Promise.resolve(files.has(path)),
    writeFile: () => Promise.resolve({ ok: true, value: undefined }),
    appendFile: () => Promise.resolve({ ok: true, value: undefined }),
    resolvePath: (base, path) => (path.startsWith('/') ? path : `${base}/${path}`),
    folderOf: (path) => path.slice(0, Math.max(1, path.lastIndexOf('/'))),
    now: () => performance.now(),
    defer: (callback, milliseconds = 0) => { setTimeout(callback, milliseconds); },
  };
}

interface Message { readonly type: string; readonly event?: string; readonly command?: string; readonly success?: boolean; readonly body?: { readonly stackFrames?: readonly { readonly name: string }[]; readonly text?: string } }

/** The other end of the port: sends requests, waits for messages. */
class PortClient {
  readonly seen: Message[] = [];
  private sequence = 1;
  private readonly port: MessagePort;
  private waiting: (() => void) | undefined;

  constructor(port: MessagePort) {
    this.port = port;
    port.on('message', (message: Message) => { this.seen.push(message); this.waiting?.(); });
  }

  async request(command: string, args: object): Promise<Message> {
    this.port.postMessage({ seq: this.sequence++, type: 'request', command, arguments: args });
    return await this.until((message) => message.type === 'response' && message.command === command);
  }

  async until(isWanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.seen.find(isWanted);
      if (found !== undefined) return found;
      await new Promise<void>((done) => { this.waiting = done; });
    }
  }
}

test('the adapter bundles for the browser without Node and debugs a guest over a message port', async () => {
  const script = await bundle();
  assert.doesNotMatch(script, /require\(["']node:|process\.(?:env|argv|platform)/);
  const sandbox = createContext({ TextDecoder, TextEncoder, structuredClone });
  runInContext(script, sandbox);
  const adapter = runInContext('adapter', sandbox) as { serveMessagePort: typeof serveMessagePort };
  const files = new Map([['/guest/nested-structs-o0.elf', new Uint8Array(readFileSync(guestElf('nested-structs-o0')))]]);
  const { port1, port2 } = new MessageChannel();
  const server = { postMessage: (message: unknown) => { port1.postMessage(message); }, onmessage: null };
  const port: Parameters<typeof serveMessagePort>[0] = server;
  port1.on('message', (data: unknown) => { port.onmessage?.({ data }); });
  try {
    const client = new PortClient(port2);
    adapter.serveMessagePort(port, memoryHost(files), () => undefined);
    await client.request('initialize', { adapterID: 'gunyah', clientID: 'vscode' });
    assert.equal((await client.request('launch', { program: '/guest/nested-structs-o0.elf' })).success, true);
    await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'factorial' }] });
    await client.request('configurationDone', {});
    await client.until(({ event }) => event === 'stopped');
    const { body } = await client.request('stackTrace', { threadId: 1 });
    assert.deepEqual(body?.stackFrames?.slice(0, 2).map(({ name }) => name), ['factorial', 'guest_main']);
    await client.request('setFunctionBreakpoints', { breakpoints: [] });
    await client.request('disconnect', {});
  } finally {
    port1.close();
    port2.close();
  }
});
