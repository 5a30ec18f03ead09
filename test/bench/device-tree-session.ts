/**
 * One session of the language server in a process of its own, for `device-trees.ts`: opens a file of Linux's sources, edits it, asks about it, and prints the
 * processor time of each step in milliseconds as JSON. Client and server are in this process, so the client's share is counted too.
 * Arguments: the folder of the sources, the file in it, the number of edits, settings as JSON, and the file to write.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { createConnection, createMessageConnection, StreamMessageReader, StreamMessageWriter, type MessageConnection } from 'vscode-languageserver/node';
import { tuneEngine } from '../../language-server/main';
import { serve } from '../../language-server/server';

/** What a session prints. */
export interface SessionTimes {
  readonly openMs: number;
  readonly editsMs: readonly number[];
  readonly requestsMs: Readonly<Record<string, readonly number[]>>;
  readonly memoryMiB: number;
  readonly diagnosticsCount: number;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Server and client in one process. */
class Session {
  private waiting: (() => void) | undefined;
  private version = 1;
  private readonly client: MessageConnection;
  private readonly uri: string;
  private readonly text: string;
  private readonly folder: string;
  private readonly places: readonly { readonly line: number; readonly character: number }[];
  diagnosticsCount = 0;

  constructor(folder: string, file: string) {
    const [up, down] = [new PassThrough(), new PassThrough()];
    const later = (run: () => void): (() => void) => {
      this.waiting = run;
      return () => { this.waiting = undefined; };
    };
    serve(createConnection(new StreamMessageReader(up), new StreamMessageWriter(down)), { later });
    this.client = createMessageConnection(new StreamMessageReader(down), new StreamMessageWriter(up));
    this.client.onNotification('textDocument/publishDiagnostics', ({ diagnostics }: { diagnostics: unknown[] }) => { this.diagnosticsCount += diagnostics.length; });
    this.client.listen();
    this.folder = folder;
    this.uri = pathToFileURL(join(folder, file)).href;
    this.text = readFileSync(join(folder, file), 'utf8');
    this.places = [...this.text.matchAll(/<(0x)?\d+/g)].map(({ index, 0: { length } }) => {
      const before = this.text.slice(0, index + length);
      return { line: before.split('\n').length - 1, character: before.length - before.lastIndexOf('\n') - 1 };
    });
  }

  async initialize(settings: unknown): Promise<void> {
    await this.client.sendRequest('initialize', { processId: null, capabilities: {}, rootUri: null, workspaceFolders: [{ uri: pathToFileURL(this.folder).href, name: 'linux' }], initializationOptions: settings });
    await this.client.sendNotification('initialized', {});
    await this.settled();
  }

  /** Until all messages so far have been handled. */
  private async settled(): Promise<void> {
    await this.client.sendRequest('textDocument/foldingRange', { textDocument: { uri: 'file:///none' } });
  }

  private async flush(): Promise<void> {
    await this.settled();
    this.waiting?.();
    this.waiting = undefined;
    await this.settled();
  }

  private placeAt(index: number): { readonly line: number; readonly character: number } {
    return this.places[(index * 7) % this.places.length] ?? { line: 0, character: 0 };
  }

  async open(): Promise<number> {
    const begin = cpuMs();
    await this.client.sendNotification('textDocument/didOpen', { textDocument: { uri: this.uri, languageId: 'dts', version: this.version, text: this.text } });
    await this.flush();
    return cpuMs() - begin;
  }

  /** Adds a digit to a number, or takes it away again. */
  async edit(index: number): Promise<number> {
    const start = this.placeAt(index >> 1);
    const change = index % 2 === 0 ? { range: { start, end: start }, text: '1' } : { range: { start, end: { ...start, character: start.character + 1 } }, text: '' };
    const begin = cpuMs();
    await this.client.sendNotification('textDocument/didChange', { textDocument: { uri: this.uri, version: ++this.version }, contentChanges: [change] });
    await this.flush();
    return cpuMs() - begin;
  }

  async ask(feature: string, index: number): Promise<number> {
    const begin = cpuMs();
    await this.client.sendRequest(`textDocument/${feature}`, { textDocument: { uri: this.uri }, position: this.placeAt(index) }).catch(() => undefined);
    return cpuMs() - begin;
  }
}

async function measure([folder = '', file = '', edits = '0', settings = '{}', out = '']: readonly string[]): Promise<void> {
  const session = new Session(folder, file);
  await session.initialize(JSON.parse(settings));
  const openMs = await session.open();
  const { diagnosticsCount } = session;
  const editsMs: number[] = [];
  for (let index = 0; index < Number(edits); index++) editsMs.push(await session.edit(index));
  const requestsMs: Record<string, number[]> = {};
  for (const feature of ['completion', 'hover', 'definition']) {
    const times: number[] = [];
    for (let index = 0; index < Number(edits); index++) times.push(await session.ask(feature, index));
    requestsMs[feature] = times;
  }
  const times: SessionTimes = { openMs, editsMs, requestsMs, memoryMiB: process.memoryUsage().rss / (1 << 20), diagnosticsCount };
  writeFileSync(out, JSON.stringify(times));
  process.exit(0);
}

tuneEngine();
void measure(process.argv.slice(2));
