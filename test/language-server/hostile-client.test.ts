/** The language server as a process of its own, with clients that keep no rule: it answers with errors, goes on, and ends when told; its memory stays bounded. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

const ROOT = resolve(__dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'gunyah-hostile-'));
const COMMAND = join(folder, 'cli.js');
const MEMORY_MAX = 1.5 * 1024 * 1024 * 1024;

before(() => { buildSync({ absWorkingDir: ROOT, entryPoints: ['cli/main.ts'], bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'], outfile: COMMAND, logLevel: 'error' }); });
after(() => { rmSync(folder, { recursive: true, force: true }); });

type Message = Readonly<Record<string, unknown>>;

/** A server with its streams, read message by message. */
class ServerProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly received: Message[] = [];
  errors = '';
  private rest = Buffer.alloc(0);
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private needed = 0;
  private readonly waiting: (() => void)[] = [];
  private nextId = 1000;
  readonly status: Promise<number | null>;

  constructor() {
    this.child = spawn(process.execPath, ['--max-old-space-size=1024', COMMAND, 'dt', 'lsp'], { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdin.on('error', () => undefined);
    this.child.stderr.on('data', (bytes: Buffer) => { this.errors += bytes.toString('utf8'); });
    this.child.stdout.on('data', (bytes: Buffer) => { this.read(bytes); });
    this.status = new Promise((done) => { this.child.on('exit', (code) => { this.wake(); done(code); }); });
  }

  private read(bytes: Buffer): void {
    this.chunks.push(bytes);
    this.size += bytes.length;
    // Answers of many megabytes come in thousands of pieces.
    if (this.size < this.needed) return;
    this.rest = Buffer.concat([this.rest, ...this.chunks.splice(0)]);
    for (;;) {
      const head = /^Content-Length: (\d+)\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(this.rest.toString('latin1', 0, 200));
      const start = head?.[0].length ?? 0;
      const end = start + Number(head?.[1]);
      this.needed = head === null ? 0 : end;
      if (head === null || this.rest.length < end) break;
      this.received.push(JSON.parse(this.rest.toString('utf8', start, end)));
      this.rest = this.rest.subarray(end);
    }
    this.size = this.rest.length;
    this.wake();
  }

  private wake(): void {
    for (const one of this.waiting.splice(0)) one();
  }

  raw(bytes: string | Uint8Array): void {
    this.child.stdin.write(bytes);
  }

  send(message: unknown): void {
    const text = JSON.stringify(message);
    this.raw(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  notify(method: string, params: unknown): void {
    this.send({ jsonrpc: '2.0', method, params });
  }

  /** The answer to a request; fails if the process ends before. */
  async request(method: string, params: unknown): Promise<Message> {
    const id = this.nextId++;
    this.send({ jsonrpc: '2.0', id, method, params });
    return this.answerTo(id);
  }

  async answerTo(id: number): Promise<Message> {
    for (;;) {
      const answer = this.received.find((message) => message['id'] === id && !('method' in message));
      if (answer !== undefined) return answer;
      assert.equal(this.child.exitCode, null, `the server ended: ${this.errors.slice(0, 2000)}`);
      await new Promise<void>((done) => { this.waiting.push(done); });
    }
  }

  async initialize(): Promise<void> {
    await this.request('initialize', { processId: null, rootUri: pathToFileURL(folder).href, capabilities: {}, workspaceFolders: [{ uri: pathToFileURL(folder).href, name: 'x' }] });
    this.notify('initialized', {});
  }

  open(name: string, text: string, version = 1): void {
    this.notify('textDocument/didOpen', { textDocument: { uri: uriOf(name), languageId: 'dts', version, text } });
  }

  /** The last diagnostics of a file once some are there. */
  async diagnostics(name: string): Promise<readonly Message[]> {
    for (;;) {
      const found = [...this.received].reverse().find((message) => message['method'] === 'textDocument/publishDiagnostics' && (message['params'] as Message)['uri'] === uriOf(name));
      if (found !== undefined) return (found['params'] as Message)['diagnostics'] as readonly Message[];
      assert.equal(this.child.exitCode, null, this.errors.slice(0, 2000));
      await new Promise<void>((done) => { this.waiting.push(done); });
    }
  }

  /** Greatest memory so far, in bytes; 0 where the system does not tell. */
  memory(): number {
    try {
      return Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${String(this.child.pid)}/status`, 'utf8'))?.[1] ?? 0) * 1024;
    } catch {
      return 0;
    }
  }
}

function uriOf(name: string): string {
  return pathToFileURL(join(folder, name)).href;
}

function file(name: string, text: string): string {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
  return name;
}

const PROBE = '/dts-v1/;\n/ {\n\tprobe: probe { };\n};\n';

/** Runs what a client does, and checks that the server is as good as new behind it: it answers, it is not large, it ends with 0 when told. */
async function withServer(body: (server: ServerProcess) => Promise<void>): Promise<void> {
  const server = new ServerProcess();
  try {
    await server.initialize();
    await body(server);
    server.open('probe.dts', PROBE);
    const { result } = await server.request('textDocument/documentSymbol', { textDocument: { uri: uriOf('probe.dts') } });
    assert.match(JSON.stringify(result), /probe/, 'the server still works');
    assert.ok(server.memory() < MEMORY_MAX, `the server took ${String(Math.round(server.memory() / 1e6))} MB`);
    await server.request('shutdown', null);
    server.notify('exit', null);
    assert.equal(await server.status, 0);
  } finally {
    server.child.kill('SIGKILL');
  }
}

const METHODS = ['hover', 'completion', 'definition', 'references', 'documentSymbol', 'foldingRange', 'selectionRange', 'formatting', 'rangeFormatting', 'onTypeFormatting', 'semanticTokens/full', 'semanticTokens/full/delta', 'semanticTokens/range', 'codeAction', 'codeLens', 'documentLink', 'inlayHint', 'rename', 'prepareRename', 'linkedEditingRange', 'prepareCallHierarchy', 'documentHighlight'];
const OWN = ['gunyah/dt/mergedTree', 'gunyah/dt/compile', 'gunyah/dt/decompile', 'gunyah/dt/rmOverlay', 'gunyah/dt/memoryMap', 'gunyah/dt/compare'];

describe('gunyah dt lsp, given what no client should send', () => {
  it('answers parameters of wrong types and places that are not there', () => withServer(async (server) => {
    server.open('a.dts', PROBE);
    const uri = uriOf('a.dts');
    const places = [{ line: -1, character: 0 }, { line: 1e9, character: 1e9 }, { line: 0.5, character: 'x' }, { line: 1e308, character: Number.MAX_SAFE_INTEGER }, null, [], 'x', {}];
    const bad: unknown[] = [null, undefined, 1, 'x', [], {}, { textDocument: null }, { textDocument: { uri: 3 } }, { textDocument: { uri: '' } }, { textDocument: { uri: 'file://%zz' } }, { textDocument: { uri: 'untitled:x' } }, { textDocument: { uri: `${uri}\0` } }, { textDocument: [] },
      ...places.map((position) => ({ textDocument: { uri }, position, range: { start: position, end: position }, positions: [position, position], newName: 3, ch: null, options: null, context: { diagnostics: 'x', only: 3 }, previousResultId: {} }))];
    const codes = new Set<unknown>();
    for (const method of METHODS) for (const params of bad) {
      const answer = await server.request(`textDocument/${method}`, params);
      assert.ok('result' in answer || 'error' in answer);
      codes.add((answer['error'] as Message | undefined)?.['code']);
    }
    for (const method of [...OWN, 'workspace/symbol', 'callHierarchy/incomingCalls', 'callHierarchy/outgoingCalls', 'no/such/method', '__proto__', 'textDocument/constructor']) {
      for (const params of [...bad.slice(0, 8), { uri: 3 }, { uri: 'file:///etc/passwd' }, { uri: '' }, { bytes: '****' }, { bytes: 'A'.repeat(100_000) }, { left: { bytes: '' }, right: { bytes: '0A3+7Q==' } }, { query: {} }, { item: 3 }, { item: { uri, range: {} } }]) await server.request(method, params);
    }
    assert.deepEqual([...codes].filter((code) => code !== undefined && code !== -32602 && code !== -32601 && code !== -32600 && code !== -32603), [], 'an answer says what kind of fault it is');
  }));

  it('survives changes that fit no document', () => withServer(async (server) => {
    server.open('c.dts', PROBE);
    const uri = uriOf('c.dts');
    const range = (start: unknown, end: unknown): unknown => ({ start, end });
    const changes: unknown[] = [
      [{ range: range({ line: 1e9, character: 1e9 }, { line: 0, character: 0 }), text: 'x' }], [{ range: range({ line: 3, character: 1 }, { line: 1, character: 9 }), text: '\u{1f600}' }], [{ range: range({ line: -1, character: -1 }, { line: 0, character: 0 }), text: 'x' }],
      [{ range: range(null, 'x'), text: 'x' }], [{ range: null, text: 'x' }], [{ text: 3 }], [{}], [null], null, 'x', {}, [], [{ range: range({ line: 0, character: 0.5 }, { line: 1, character: 2 }), text: '\ud800' }], Array.from({ length: 5000 }, () => ({ range: range({ line: 0, character: 0 }, { line: 0, character: 1 }), text: 'ab' })),
    ];
    for (const contentChanges of changes) for (const version of [2, -1, null, 'x', 1e308]) server.notify('textDocument/didChange', { textDocument: { uri, version }, contentChanges });
    for (const params of [null, 3, {}, { textDocument: null }, { textDocument: { uri: 3, text: 'x' } }, { textDocument: { uri, text: 3 } }]) for (const method of ['didOpen', 'didChange', 'didClose', 'didSave', 'willSave']) server.notify(`textDocument/${method}`, params);
    for (const params of [null, 3, {}, { settings: 3 }, { settings: { gunyah: { deviceTree: { includePaths: [3, null, '\0'], defines: { 'a b': 'c', 'X': 3 }, checks: { x: 'y' }, bindings: 'x', rmGeneration: {} } } } }, { changes: 'x' }, { event: { added: [{ uri: 3 }], removed: null } }, { event: 3 }]) {
      for (const method of ['didChangeConfiguration', 'didChangeWatchedFiles', 'didChangeWorkspaceFolders']) server.notify(`workspace/${method}`, params);
    }
    const { result } = await server.request('textDocument/foldingRange', { textDocument: { uri } });
    assert.ok(Array.isArray(result));
  }));

  it('goes on after messages that are none', () => withServer(async (server) => {
    for (const text of ['{not JSON', '', '[]', 'null', '3', '"x"', '{}', '{"jsonrpc":"1.0"}', '{"id":{},"method":3}', '{"jsonrpc":"2.0","id":null,"method":"textDocument/hover"}', '[{"jsonrpc":"2.0","method":"x"}]', '{"jsonrpc":"2.0","id":77,"result":3}', '{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":{}}}', '{"jsonrpc":"2.0","method":"$/setTrace","params":3}', `${'['.repeat(100_000)}`, `{"a":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`, '\u0000\u0001']) {
      server.raw(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    }
    server.raw('content-length: 2\r\nX-Other: y\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n{}');
    server.raw(Buffer.concat([Buffer.from('Content-Length: 6\r\n\r\n'), Buffer.from([0x22, 0xff, 0xfe, 0xc0, 0x80, 0x22])]));
    await server.request('initialize', { capabilities: {} });
  }));

  it('does not take a storm of requests, cancelled and repeated, for more than it is', () => withServer(async (server) => {
    server.open('s.dts', `/dts-v1/;\n/ {\n${Array.from({ length: 300 }, (_, index) => `\tn${index} { a = <${index}>; };\n`).join('')}};\n`);
    for (let id = 1; id <= 900; id++) {
      server.send({ jsonrpc: '2.0', id, method: `textDocument/${METHODS[id % METHODS.length] ?? ''}`, params: { textDocument: { uri: uriOf('s.dts') }, position: { line: id % 300, character: 3 }, range: { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } }, positions: [], options: { tabSize: 8 }, context: { diagnostics: [] } } });
      if (id % 3 !== 0) server.notify('$/cancelRequest', { id });
      if (id % 7 === 0) server.notify('textDocument/didChange', { textDocument: { uri: uriOf('s.dts'), version: id }, contentChanges: [{ range: { start: { line: 2, character: 0 }, end: { line: 2, character: 0 } }, text: '\t' }] });
    }
    for (let id = 1; id <= 900; id++) assert.ok(await server.answerTo(id));
  }));

  it('ends on a header that says nothing, and when its input ends, without a word of its insides', async () => {
    for (const garbage of ['Content-Length: x\r\n\r\n{}', 'Content-Length: -5\r\n\r\n{}', 'Foo: bar\r\n\r\n{}', '\r\n\r\n\r\n', 'Content-Length: 99999999999999\r\n\r\n{}', '\0\0\0']) {
      const server = new ServerProcess();
      await server.initialize();
      server.raw(garbage);
      server.child.stdin.end();
      const status = await server.status;
      assert.ok(status === 0 || status === 1, `${JSON.stringify(garbage)}: ${String(status)}`);
      assert.doesNotMatch(server.errors, /RangeError|heap|FATAL/);
    }
  });
});

describe('gunyah dt lsp, given files that no tree should have', () => {
  const many = (text: string, count = 20_000): string => text.repeat(count);
  const texts: Readonly<Record<string, string>> = {
    'nodes.dts': `/dts-v1/;\n/ {${many('n {')}${many('};')} };\n`, 'parens.dts': `/dts-v1/;\n/ { a = <${many('(')}1${many(')')}>; };\n`, 'conditions.dts': `/dts-v1/;\n${many('#if 1\n')}/ { };\n`,
    'itself.dts': `/dts-v1/;\n${many('#include "itself.dts"\n', 1000)}/ { };\n`, 'bomb.dts': `/dts-v1/;\n#define M0 1\n${Array.from({ length: 60 }, (_, index) => `#define M${index + 1} M${index} M${index}\n`).join('')}/ { a = <M60>; };\n`,
    'bytes.dts': `/dts-v1/;\n/ { a = "\0\ufffd\ud800"; };\u0001\ufeff`, 'labels.dts': `/dts-v1/;\n/ { ${many('l: ', 4000)} n { }; };\n`, 'flat.dts': `/dts-v1/;\n/ {\n${Array.from({ length: 4000 }, (_, index) => `n${index} { };\n`).join('')}};\n`,
    'loop-a.dts': '/dts-v1/;\n/plugin/;\n// dts-context: loop-b.dts\n&x { };\n', 'loop-b.dts': '/dts-v1/;\n/plugin/;\n// dts-context: loop-a.dts\n&x { };\n', 'own.dts': '// dts-context: own.dts\n/dts-v1/;\n/plugin/;\n&x { };\n',
  };

  it('opens them all, tells what is wrong, and answers about each', () => withServer(async (server) => {
    for (const [name, text] of Object.entries(texts)) {
      file(name, text);
      server.open(name, text);
      assert.ok((await server.diagnostics(name)).length < 1200, name);
      for (const method of METHODS) await server.request(`textDocument/${method}`, { textDocument: { uri: uriOf(name) }, position: { line: 1, character: 20 }, range: { start: { line: 0, character: 0 }, end: { line: 5, character: 0 } }, positions: [{ line: 1, character: 20 }], options: { tabSize: 8, insertSpaces: false }, context: { diagnostics: [] }, newName: 'fine' });
      for (const method of OWN.filter((one) => !one.endsWith('compare'))) await server.request(method, { uri: uriOf(name) });
      server.notify('textDocument/didClose', { textDocument: { uri: uriOf(name) } });
    }
  }));

  it('passes over bindings that are bombs, loops or endless patterns, and huge files', () => withServer(async (server) => {
    const bomb = `a: &a [x, x]\n${Array.from({ length: 30 }, (_, level) => `k${level}: &b${level} [*${level === 0 ? 'a' : `b${level - 1}`}, *${level === 0 ? 'a' : `b${level - 1}`}]\n`).join('')}`;
    const at = 'Documentation/devicetree/bindings';
    file(`${at}/bomb.yaml`, bomb);
    file(`${at}/deep.yaml`, many('[ ', 50_000));
    file(`${at}/loop.yaml`, '$id: http://devicetree.org/schemas/loop.yaml#\nselect: true\n$ref: "#"\nallOf: [{ $ref: "#/allOf/0" }, { $ref: loop.yaml }]\npatternProperties: { "^(a+)+$": { $ref: "#" } }\n');
    file(`${at}/fan.yaml`, `$id: http://devicetree.org/schemas/fan.yaml#\nselect: true\ndefinitions:\n${Array.from({ length: 40 }, (_, level) => `  d${level}: { allOf: [{ $ref: "#/definitions/d${level + 1}" }, { $ref: "#/definitions/d${level + 1}" }] }\n`).join('')}  d40: { required: [nothing] }\n$ref: "#/definitions/d0"\n`);
    file(`${at}/pattern.yaml`, `$id: http://devicetree.org/schemas/pattern.yaml#\nselect: true\nproperties:\n  word: { pattern: "^(a|a)*$" }\npatternProperties: { "^((x+)+)+$": { type: object } }\nadditionalProperties: false\n`);
    file(`${at}/wide.yaml`, `$id: http://devicetree.org/schemas/wide.yaml#\nproperties:\n  compatible: { const: wide }\n${Array.from({ length: 30_000 }, (_, index) => `  p${index}: true\n`).join('')}`);
    for (const name of ['huge.dtsi', 'huge.gunyah.json', 'Makefile', `${at}/huge.yaml`]) {
      file(name, '');
      truncateSync(join(folder, name), 100 * 1024 * 1024);
    }
    const start = process.hrtime.bigint();
    server.open('b.dts', `/dts-v1/;\n#include "huge.dtsi"\n/ {\n\tcompatible = "wide";\n\tword = "${many('a', 40)}!";\n\t${many('x', 40)}y { };\n\tf = /incbin/("huge.dtsi", 0xffffffff, 0xffffffffffffffff);\n};\n`);
    server.open('o.dtso', '/dts-v1/;\n/plugin/;\n&x { };\n');
    await server.diagnostics('b.dts');
    await server.diagnostics('o.dtso');
    assert.ok(Number(process.hrtime.bigint() - start) / 1e9 < 100);
    rmSync(join(folder, 'Documentation'), { recursive: true });
  }));
});
