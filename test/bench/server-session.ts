/**
 * A session with the language server as an editor starts it: the bundled command in a fresh process, a file opened, edited and asked about. What a
 * step costs is the processor time of that process alone, all threads included, measured from inside it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter, type MessageConnection, type PublishDiagnosticsParams } from 'vscode-languageserver/node';
import { DIAGNOSTICS_PAUSE } from '../../language-server/server';
import type { Change } from './edit-kinds';
import type { ProcessUse } from './server-probe';

/** What a session is about. */
export interface SessionPlan {
  /** The bundled command. */
  readonly commandFile: string;
  /** The workspace folder. */
  readonly folder: string;
  /** The file that is opened, relative to the folder. */
  readonly file: string;
  readonly settings?: object;
  /** Home of the server, where it keeps indexes; by default a new one. */
  readonly home?: string;
}

interface Place {
  readonly line: number;
  readonly character: number;
}

/** A file that is open. */
interface OpenFile {
  readonly uri: string;
  readonly text: string;
  version: number;
  readonly places: readonly Place[];
  /** How many places lie between those of two edits. */
  readonly stride: number;
}

/** What is waited for beyond the server's own pause, so that its timer has gone off. */
const MARGIN = 25;
const PATIENCE_MS = 60_000;
const POLL_MS = 20;

/** A running server with one file. */
export class ServerSession {
  /** Codes of the diagnostics of each file, as published last. */
  private readonly codesByUri = new Map<string, readonly string[]>();
  private readonly child: ChildProcess;
  private readonly client: MessageConnection;
  private readonly main: OpenFile;
  private readonly others = new Map<string, OpenFile>();
  private readonly scratch: string;
  private readonly plan: SessionPlan;

  private constructor(plan: SessionPlan) {
    this.plan = plan;
    this.scratch = mkdtempSync(join(tmpdir(), 'gunyah-bench-'));
    const probe = join(this.scratch, 'probe.js');
    buildSync({ entryPoints: [resolve(__dirname, 'server-probe.ts')], outfile: probe, bundle: true, platform: 'node', target: 'node20', logLevel: 'error' });
    const env = { ...process.env, HOME: plan.home ?? this.scratch };
    this.child = spawn(process.execPath, ['--require', probe, plan.commandFile, 'dt', 'lsp'], { stdio: ['pipe', 'pipe', 'inherit', 'ipc'], env });
    const { stdin, stdout } = this.child;
    if (stdin === null || stdout === null) throw new Error('The server has no streams.');
    this.client = createMessageConnection(new StreamMessageReader(stdout), new StreamMessageWriter(stdin));
    this.main = openFile(join(plan.folder, plan.file));
    this.client.onNotification('textDocument/publishDiagnostics', ({ uri, diagnostics }: PublishDiagnosticsParams) => {
      this.codesByUri.set(uri, diagnostics.map(({ code }) => String(code)));
    });
    this.client.listen();
  }

  /** Starts a server and tells it the workspace. */
  static async start(plan: SessionPlan): Promise<ServerSession> {
    const session = new ServerSession(plan);
    const workspaceFolders = [{ uri: pathToFileURL(plan.folder).href, name: 'sources' }];
    await session.client.sendRequest('initialize', { processId: null, capabilities: {}, rootUri: null, workspaceFolders, initializationOptions: plan.settings ?? {} });
    await session.client.sendNotification('initialized', {});
    await session.settled();
    return session;
  }

  /** Codes of all diagnostics that are published. */
  get codes(): readonly string[] {
    return [...this.codesByUri.values()].flat();
  }

  /** What the server has used since it started. */
  async use(): Promise<ProcessUse> {
    const answer: Promise<unknown[]> = once(this.child, 'message');
    this.child.send('use');
    const [use] = await answer;
    return use as ProcessUse;
  }

  private async costOf(step: () => Promise<void>): Promise<number> {
    const { cpuMs } = await this.use();
    await step();
    return (await this.use()).cpuMs - cpuMs;
  }

  /** Until all messages so far have been handled. */
  private async settled(): Promise<void> {
    await this.client.sendRequest('textDocument/foldingRange', { textDocument: { uri: 'file:///none' } });
  }

  /** Until the diagnostics of the last change have been made. */
  private async pause(): Promise<void> {
    await this.settled();
    await sleep(DIAGNOSTICS_PAUSE + MARGIN);
    await this.settled();
  }

  /** Opens the file and waits until `isDone`, by default once anything is published; gives the processor time in milliseconds. */
  async open(isDone: (session: this) => boolean = () => this.codesByUri.size > 0): Promise<number> {
    return this.costOf(async () => {
      await this.didOpen(this.main);
      await this.pause();
      for (let waited = 0; !isDone(this); waited += POLL_MS) {
        if (waited > PATIENCE_MS) throw new Error(`No diagnostics of ${this.plan.file} after ${String(PATIENCE_MS)} ms.`);
        await sleep(POLL_MS);
      }
      await this.settled();
    });
  }

  private async didOpen({ uri, version, text }: OpenFile): Promise<void> {
    await this.client.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'dts', version, text } });
  }

  /** Opens another file, which the first includes. What it gives edits that file, as `edit` does the first. */
  async openIncluded(file: string): Promise<(index: number) => Promise<number>> {
    const included = await this.included(file);
    return (index) => this.editFile(included, index);
  }

  /** Gives the text of a file, which is opened if it is not, and a way to make one change of it after the other, each with its diagnostics waited for. */
  async openForChanges(file: string): Promise<{ readonly text: string; readonly change: (change: Change) => Promise<number> }> {
    const opened = await this.included(file);
    let { text } = opened;
    return {
      text,
      change: (change) => {
        const range = { start: placeAt(text, change.at), end: placeAt(text, change.at + change.cut) };
        text = text.slice(0, change.at) + change.text + text.slice(change.at + change.cut);
        return this.changeFile(opened, { range, text: change.text });
      },
    };
  }

  private async included(file: string): Promise<OpenFile> {
    const known = file === this.plan.file ? this.main : this.others.get(file);
    if (known !== undefined) return known;
    const opened = openFile(join(this.plan.folder, file), 97);
    this.others.set(file, opened);
    await this.didOpen(opened);
    await this.pause();
    return opened;
  }

  private placeIn({ places, stride }: OpenFile, index: number): Place {
    return places[(index * stride) % places.length] ?? { line: 0, character: 0 };
  }

  /** Adds a digit to a number, or with an odd index takes it away again, and waits for the diagnostics. */
  async edit(index: number): Promise<number> {
    return this.editFile(this.main, index);
  }

  private async editFile(file: OpenFile, index: number): Promise<number> {
    const start = this.placeIn(file, index >> 1);
    const change = index % 2 === 0 ? { range: { start, end: start }, text: '1' } : { range: { start, end: { ...start, character: start.character + 1 } }, text: '' };
    return this.changeFile(file, change);
  }

  private async changeFile(file: OpenFile, change: { readonly range: { readonly start: Place; readonly end: Place }; readonly text: string }): Promise<number> {
    return this.costOf(async () => {
      await this.client.sendNotification('textDocument/didChange', { textDocument: { uri: file.uri, version: ++file.version }, contentChanges: [change] });
      await this.pause();
    });
  }

  /** Asks for `completion`, `hover` and the like at a number. */
  async ask(feature: string, index: number): Promise<number> {
    return this.costOf(async () => {
      await this.client.sendRequest(`textDocument/${feature}`, { textDocument: { uri: this.main.uri }, position: this.placeIn(this.main, index) });
    });
  }

  /** Ends the server. */
  async end(): Promise<void> {
    this.client.dispose();
    const ended = once(this.child, 'exit');
    this.child.kill();
    await ended;
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

function openFile(path: string, stride = 7): OpenFile {
  const text = readFileSync(path, 'utf8');
  return { uri: pathToFileURL(path).href, text, version: 1, places: placesOfNumbers(text), stride };
}

function placesOfNumbers(text: string): readonly Place[] {
  return [...text.matchAll(/<(0x)?\d+/g)].map(({ index, 0: { length } }) => placeAt(text, index + length));
}

function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length - 1, character: before.length - before.lastIndexOf('\n') - 1 };
}
