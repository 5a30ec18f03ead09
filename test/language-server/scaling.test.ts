/** What an editor asks of large documents takes time that grows with their size, and what is too large is refused in words. */
import assert from 'node:assert/strict';
import { cpuUsage } from 'node:process';
import { describe, it } from 'node:test';
import { FILE_SIZE_MAX } from '../../language-server/files';
import { withClient, type LanguageClient } from './client';

const COUNT = 2500;
/** Four times the time, and room for garbage collection and others on the machine; what grows with the square takes sixteen times as long. */
const RATIO_MAX = 10;
/** Milliseconds below which a time says nothing. */
const LEAST = 10;
const ROUNDS = 3;

const NODES = (count: number): string => `/dts-v1/;\n/ {\n${Array.from({ length: count }, (_, index) => `\tl${String(index)}: n${String(index)} { p = <&l${String((index * 7) % count)}>; reg = <${String(index)} 4>; };`).join('\n')}\n};\n`;
const LABELS = (count: number): string => `/dts-v1/;\n/ {\n${Array.from({ length: 4 * count }, (_, index) => `l${String(index)}:`).join(' ')} n { };\n};\n`;
const LINE = (count: number): string => `/dts-v1/; / { a = "${'x'.repeat(100 * count)}"; };`;

const REQUESTS: readonly (readonly [string, string | undefined, object])[] = [
  ['documentSymbol', undefined, {}], ['codeLens', undefined, {}], ['foldingRange', undefined, {}], ['semanticTokens/full', undefined, {}], ['documentLink', undefined, {}],
  ['inlayHint', undefined, { range: { start: { line: 0, character: 0 }, end: { line: 1e6, character: 0 } } }], ['formatting', undefined, { options: {} }],
  ['completion', '1:0', {}], ['completion', '9:9999999', {}], ['hover', '3:3', {}], ['references', '3:3', { context: { includeDeclaration: true } }], ['rename', '3:3', { newName: 'zz' }],
];

/** Milliseconds of processor time of a request about a document that was opened anew. */
async function timeOf(client: LanguageClient, text: string, [feature, at, extra]: (typeof REQUESTS)[number]): Promise<number> {
  await client.open('a.dts', text);
  await client.diagnostics('a.dts');
  const before = cpuUsage();
  await client.ask(feature, 'a.dts', at, extra).catch(() => undefined);
  const { user, system } = cpuUsage(before);
  await client.closeFile('a.dts');
  return (user + system) / 1000;
}

void describe('answers about large documents', () => {
  for (const [name, source] of Object.entries({ 'nodes that refer to each other': NODES, 'labels of one node': LABELS, 'characters of one string': LINE })) {
    void it(`take time that grows with the number of ${name}`, () => withClient({}, async (client) => {
      for (const request of REQUESTS) {
        let [least, most] = [Infinity, Infinity];
        for (let round = 0; round < ROUNDS && !(most < RATIO_MAX * Math.max(least, LEAST)); round++) {
          least = Math.min(least, await timeOf(client, source(COUNT), request));
          most = Math.min(most, await timeOf(client, source(4 * COUNT), request));
        }
        assert.ok(most < RATIO_MAX * Math.max(least, LEAST), `${request[0]}: ${least.toFixed(1)} ms, of four times as much: ${most.toFixed(1)} ms`);
      }
    }));
  }

  void it('say that a document is too large, and that it is read once it is not', () => withClient({}, async (client) => {
    await client.open('a.dts', `/dts-v1/;\n/ { };\n/* ${' '.repeat(FILE_SIZE_MAX)} */\n`);
    assert.deepEqual(await client.diagnostics('a.dts'), ['0:0-0 dts-too-large']);
    assert.deepEqual(await client.ask('documentSymbol', 'a.dts'), []);
    await client.change('a.dts', { text: '/dts-v1/;\n/ { a = <&none>; };\n' });
    assert.deepEqual(await client.diagnostics('a.dts'), ['1:9-14 dts-reference-not-found']);
  }));
});
