// Keeps beside a bundled language server what V8 compiles of it while it opens a few trees, for `cli/compiled-program.ts`. Without it the server works as well, and opens its first
// tree a seventh later. It is of use to the same version of V8 only, so it is not part of the package, whose editors bring their own.
//
// Run by itself (`node compiled-code.mjs PROGRAM`) it is the server whose code is kept, once its client has gone.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

const SELF = fileURLToPath(import.meta.url);
const PATIENCE_MS = 30_000;

/** Lets the server at `program` open the trees in a folder, and keeps what was compiled; where that fails, a bundle without is as good. */
export async function keepCompiledCode(program, folder) {
  try {
    await openTrees(program, folder);
  } catch (problem) {
    console.warn(`No compiled code is kept: ${String(problem)}`);
  }
}

async function openTrees(program, folder) {
  rmSync(`${program}.code`, { force: true });
  const server = spawn(process.execPath, [SELF, program, 'dt', 'lsp'], { stdio: ['pipe', 'pipe', 'inherit'], timeout: PATIENCE_MS });
  const ended = new Promise((resolve) => { server.on('exit', resolve); });
  server.stdin.on('error', () => undefined);
  const send = (message) => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    server.stdin.write(`Content-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`);
  };
  const roots = readdirSync(folder).filter((name) => name.endsWith('.dts'));
  send({ id: 1, method: 'initialize', params: { processId: null, capabilities: {}, rootUri: null, workspaceFolders: [{ uri: pathToFileURL(folder).href, name: 'trees' }] } });
  send({ method: 'initialized', params: {} });
  for (const name of roots) {
    const textDocument = { uri: pathToFileURL(join(folder, name)).href };
    const position = { line: 12, character: 12 };
    send({ method: 'textDocument/didOpen', params: { textDocument: { ...textDocument, languageId: 'dts', version: 1, text: readFileSync(join(folder, name), 'utf8') } } });
    for (const method of ['documentSymbol', 'foldingRange', 'semanticTokens/full', 'hover', 'completion', 'definition']) send({ id: `${method} ${name}`, method: `textDocument/${method}`, params: { textDocument, position } });
    send({ method: 'textDocument/didChange', params: { textDocument: { ...textDocument, version: 2 }, contentChanges: [{ range: { start: position, end: position }, text: '' }] } });
  }
  let seen = '';
  server.stdout.on('data', (bytes) => {
    seen += bytes.toString('latin1');
    if (seen.split('publishDiagnostics').length <= roots.length) return;
    send({ id: 2, method: 'shutdown' });
    send({ method: 'exit' });
  });
  await ended;
}

if (process.argv[1] === SELF && process.argv[2] !== undefined) {
  const [, , program] = process.argv;
  const text = readFileSync(program);
  // As `language-server/engine.ts` sets them: V8 takes code only under the same flags.
  for (const flag of ['--interrupt-budget=1000000', '--no-parallel-scavenge', '--heap-growing-percent=70']) setFlagsFromString(flag);
  process.argv.splice(1, 1);
  const script = new Script(Module.wrap(text.toString('utf8')), { filename: program });
  const module = { exports: {} };
  process.on('exit', () => {
    const code = script.createCachedData();
    writeFileSync(`${program}.code`, Buffer.concat([createHash('sha256').update(`${process.versions.v8} ${process.platform} ${process.arch}\n`).update(text).update(code).digest(), code]));
  });
  script.runInThisContext().call(module.exports, module.exports, createRequire(program), module, program, dirname(program));
}
