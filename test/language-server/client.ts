/** A client in memory: drives the server over streams as an editor does, with pauses that end when the test says so. */

import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { createConnection, createMessageConnection, StreamMessageReader, StreamMessageWriter, type MessageConnection, type PublishDiagnosticsParams } from 'vscode-languageserver/node';
import { serve } from '../../language-server/server';

/** A change as the protocol sends it. */
export interface Change {
  readonly range?: { readonly start: { readonly line: number; readonly character: number }; readonly end: { readonly line: number; readonly character: number } };
  readonly text: string;
}

/** A running server with its client. */
export class LanguageClient {
  readonly connection: MessageConnection;
  readonly folder: string;
  /** The last diagnostics of each file, by name below the folder. */
  readonly published = new Map<string, PublishDiagnosticsParams>();
  private pause: (() => void) | undefined;
  private version = 1;
  private readonly close: () => void;

  /** Starts a server on a folder with these files. */
  constructor(files: Readonly<Record<string, string>> = {}) {
    this.folder = mkdtempSync(join(tmpdir(), 'gunyah-lsp-'));
    for (const [name, text] of Object.entries(files)) this.write(name, text);
    const [up, down] = [new PassThrough(), new PassThrough()];
    const server = createConnection(new StreamMessageReader(up), new StreamMessageWriter(down));
    serve(server, { later: (run) => { this.pause = run; return () => { this.pause = undefined; }; } });
    this.connection = createMessageConnection(new StreamMessageReader(down), new StreamMessageWriter(up));
    this.connection.onNotification('textDocument/publishDiagnostics', (params: PublishDiagnosticsParams) => { this.published.set(this.nameOf(params.uri), params); });
    this.connection.listen();
    this.close = () => { this.connection.dispose(); server.dispose(); rmSync(this.folder, { recursive: true, force: true }); };
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  uri(name: string): string {
    return pathToFileURL(join(this.folder, name)).href;
  }

  nameOf(uri: string): string {
    const base = `${pathToFileURL(this.folder).href}/`;
    return uri.startsWith(base) ? uri.slice(base.length) : uri;
  }

  async initialize(options: { readonly folder?: string; readonly settings?: unknown } = {}): Promise<unknown> {
    const uri = this.uri(options.folder ?? '.').replace(/\/$/, '');
    const result: unknown = await this.request('initialize', { processId: null, capabilities: {}, workspaceFolders: [{ uri, name: 'folder' }], rootUri: null, initializationOptions: options.settings });
    await this.connection.sendNotification('initialized', {});
    return result;
  }

  async request(method: string, params: unknown): Promise<unknown> {
    return this.connection.sendRequest(method, params);
  }

  async open(name: string, text: string): Promise<void> {
    await this.connection.sendNotification('textDocument/didOpen', { textDocument: { uri: this.uri(name), languageId: 'dts', version: this.version++, text } });
  }

  async change(name: string, ...contentChanges: readonly Change[]): Promise<void> {
    await this.connection.sendNotification('textDocument/didChange', { textDocument: { uri: this.uri(name), version: this.version++ }, contentChanges });
  }

  async closeFile(name: string): Promise<void> {
    await this.connection.sendNotification('textDocument/didClose', { textDocument: { uri: this.uri(name) } });
  }

  /** A request about a document; with a position if one is given as `line:character`. */
  async ask(feature: string, name: string, at?: string, extra: object = {}): Promise<unknown> {
    const [line, character] = (at ?? '0:0').split(':').map(Number);
    return this.request(`textDocument/${feature}`, { textDocument: { uri: this.uri(name) }, ...(at === undefined ? {} : { position: { line, character } }), ...extra });
  }

  /** Ends the pause after the edits so far; gives `line:character-character code` of each diagnostic of a file. */
  async diagnostics(name: string): Promise<readonly string[]> {
    // An answered request shows that all edits before it have arrived.
    await this.request('textDocument/foldingRange', { textDocument: { uri: this.uri('none') } });
    this.pause?.();
    this.pause = undefined;
    await this.request('textDocument/foldingRange', { textDocument: { uri: this.uri('none') } });
    return (this.published.get(name)?.diagnostics ?? []).map(({ range, code }) => `${String(range.start.line)}:${String(range.start.character)}-${String(range.end.character)} ${String(code)}`);
  }

  stop(): void {
    this.close();
  }
}

/** Runs `body` with a client on these files, and stops it. */
export async function withClient(files: Readonly<Record<string, string>>, body: (client: LanguageClient) => Promise<void>, options: { readonly folder?: string; readonly settings?: unknown } = {}): Promise<void> {
  const client = new LanguageClient(files);
  try {
    await client.initialize(options);
    await body(client);
  } finally {
    client.stop();
  }
}
