import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CancellationTokenSource } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { withClient, type Change, type LanguageClient } from './client';

const FRAGMENTS = [
  '/dts-v1/;\n', '/plugin/;\n', '/ {\n', '};\n', '}', ';', '{', 'node@1 {\n', 'label: ', '&label {\n', '&{/node@1}', 'reg = <1 2>;\n', 'a = <&label>, "x', '"', '/*', '*/', '//', '\n', '\r\n', '\r',
  '#include "part.dtsi"\n', '#include "fuzz.dts"\n', '#define M(a) a a\n', 'M(M(1))', '#if 1\n', '#endif\n', '/delete-node/ ', '/include/ "part.dtsi"', '<', '>', '[', 'zz]', '\u{1f600}', '\0', '\\', "'", '/bits/ 8 ', '(1 << 3)', 'x,y#z = ',
] as const;

const anyText = fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 25 }).map((parts) => parts.join(''));
const place = fc.record({ line: fc.nat(12), character: fc.nat(30) });
const edit: fc.Arbitrary<Change> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ range: fc.record({ start: place, end: place }), text: fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 3 }).map((parts) => parts.join('')) }) },
  { weight: 1, arbitrary: fc.record({ text: anyText }) },
);

/** The text after a change, by the protocol's words: lines end at CR LF, LF or CR, and what lies behind an end is the end. */
function changed(text: string, { range, text: inserted }: Change): string {
  if (range === undefined) return inserted;
  const fresh = TextDocument.create('', 'dts', 0, text);
  const [start = 0, end = 0] = [fresh.offsetAt(range.start), fresh.offsetAt(range.end)].sort((a, b) => a - b);
  return text.slice(0, start) + inserted + text.slice(end);
}

/** All that the server says about the files, at some places. */
async function stateOf(client: LanguageClient, names: readonly string[]): Promise<string> {
  const answers: unknown[] = [];
  for (const name of names) {
    await client.diagnostics(name);
    answers.push(client.published.get(name)?.diagnostics);
    for (const feature of ['documentSymbol', 'foldingRange', 'semanticTokens/full']) answers.push(await client.ask(feature, name));
    answers.push(await client.ask('formatting', name, undefined, { options: { tabSize: 8, insertSpaces: false } }));
    answers.push(await client.ask('selectionRange', name, undefined, { positions: [{ line: 1, character: 2 }, { line: 3, character: 9 }] }));
    for (const at of ['0:3', '1:1', '2:4', '4:8']) for (const feature of ['hover', 'definition', 'references']) answers.push(await client.ask(feature, name, at, { context: { includeDeclaration: true } }));
  }
  return JSON.stringify(answers).replaceAll(client.folder, '');
}

void describe('language server under random edits', () => {
  void it('says the same as after a fresh open, and no request fails', async () => {
    await fc.assert(fc.asyncProperty(anyText, anyText, fc.array(fc.tuple(fc.boolean(), edit), { maxLength: 8 }), async (root, part, edits) => {
      const names = ['fuzz.dts', 'part.dtsi'];
      const texts: string[] = [];
      let edited = '';
      await withClient({}, async (client) => {
        await client.open('fuzz.dts', root);
        await client.open('part.dtsi', part);
        texts.push(root, part);
        for (const [isRoot, change] of edits) {
          const index = isRoot ? 0 : 1;
          await client.change(names[index] ?? '', change);
          texts[index] = changed(texts[index] ?? '', change);
          if (change.text.length > 8) await client.diagnostics('fuzz.dts');
        }
        edited = await stateOf(client, names);
      });
      await withClient({}, async (client) => {
        await client.open('fuzz.dts', texts[0] ?? '');
        await client.open('part.dtsi', texts[1] ?? '');
        assert.equal(await stateOf(client, names), edited);
      });
    }), { numRuns: 60, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false });
  });

  void it('takes nodes nested a thousand deep', () => withClient({}, async (client) => {
    await client.open('deep.dts', `/dts-v1/;\n/ {${'n {'.repeat(1000)}${'};'.repeat(1001)}\n`);
    assert.ok((await client.diagnostics('deep.dts')).some((one) => one.endsWith('dts-too-deep')));
    for (const feature of ['documentSymbol', 'foldingRange', 'semanticTokens/full']) await client.ask(feature, 'deep.dts');
    await client.ask('hover', 'deep.dts', '1:900');
  }));

  void it('answers a request that was cancelled while it waited with the error for it', () => withClient({}, async (client) => {
    await client.open('a.dts', '/dts-v1/;\n/ { };\n');
    const source = new CancellationTokenSource();
    const answer = client.connection.sendRequest('textDocument/documentSymbol', { textDocument: { uri: client.uri('a.dts') } }, source.token);
    source.cancel();
    await assert.rejects(answer, (problem: { code?: number }) => problem.code === -32800);
    assert.ok(Array.isArray(await client.ask('documentSymbol', 'a.dts')));
  }));
});

/** Runs `gunyah dt lsp` on these messages, and ends it once its output is as expected. */
async function checkProcess(messages: readonly string[], expected: RegExp): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'cli/main.ts', 'dt', 'lsp'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const send = (message: string): void => { child.stdin.write(`Content-Length: ${String(Buffer.byteLength(message))}\r\n\r\n${message}`); };
  let output = '';
  const status = await new Promise((done) => {
    child.on('exit', done);
    child.stdout.on('data', (bytes: Buffer) => {
      const before = expected.test(output);
      output += bytes.toString('utf8');
      if (!before && expected.test(output)) send('{"jsonrpc":"2.0","method":"exit"}');
    });
    messages.forEach(send);
  });
  assert.match(output, expected);
  assert.equal(status, 0);
}

void describe('gunyah dt lsp', () => {
  const initialize = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":null,"rootUri":null,"capabilities":{}}}';
  const shutdown = '{"jsonrpc":"2.0","id":2,"method":"shutdown"}';

  void it('speaks the protocol on standard input and output, and ends when told', () => checkProcess([initialize, shutdown], /"hoverProvider":true[^]*"id":2,"result":null/));

  void it('survives a message that is no JSON', () => checkProcess([initialize, '{not JSON', shutdown], /"id":2,"result":null/));
});
