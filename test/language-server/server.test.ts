import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withClient, type LanguageClient } from './client';

const BOARD = `/dts-v1/;
#include "soc.dtsi"
/ {
	compatible = "vendor,board";
	leds {
		serial = <&uart0>;
	};
};
&uart0 {
	status = "okay";
};
`;
const SOC = `/ {
	#address-cells = <1>;
	#size-cells = <1>;
	uart0: serial@1000 {
		reg = <0x1000 0x100>;
		status = "disabled";
	};
};
`;
const FILES = { 'board.dts': BOARD, 'soc.dtsi': SOC };

/** Opens the board and gives what a hover says. */
async function checkHover(client: LanguageClient, at: string, ...parts: readonly (string | RegExp)[]): Promise<void> {
  const answer = JSON.stringify(await client.ask('hover', 'board.dts', at));
  for (const part of parts) assert.match(answer, typeof part === 'string' ? new RegExp(part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : part);
}

/** Checks where a definition leads, as `file line:character`. */
async function checkDefinition(client: LanguageClient, at: string, expected: readonly string[]): Promise<void> {
  const found = await client.ask('definition', 'board.dts', at);
  assert.ok(Array.isArray(found));
  assert.deepEqual(await client.ask('declaration', 'board.dts', at), found);
  assert.deepEqual(found.map((one: { uri: string; range: { start: { line: number; character: number } } }) => `${client.nameOf(one.uri)} ${String(one.range.start.line)}:${String(one.range.start.character)}`), expected);
}

async function checkRefused(answer: Promise<unknown>, code: number): Promise<void> {
  await assert.rejects(answer, (problem: { code?: number }) => problem.code === code);
}

void describe('language server: diagnostics', () => {
  void it('are empty for a sound tree over several files', () => withClient(FILES, async (client) => {
    await client.open('board.dts', BOARD);
    assert.deepEqual(await client.diagnostics('board.dts'), []);
    assert.ok(client.published.has('board.dts'));
  }));

  void it('follow the edits, with range, code and version', () => withClient(FILES, async (client) => {
    await client.open('board.dts', BOARD);
    await client.change('board.dts', { range: { start: { line: 5, character: 13 }, end: { line: 5, character: 18 } }, text: 'absent' });
    assert.deepEqual(await client.diagnostics('board.dts'), ['5:12-19 dts-reference-not-found']);
    assert.equal(client.published.get('board.dts')?.version, 2);
    await client.change('board.dts', { text: BOARD });
    assert.deepEqual(await client.diagnostics('board.dts'), []);
  }));

  void it('go to the file that they are about, open or not, and from there when mended', () => withClient({ ...FILES, 'soc.dtsi': SOC.replace('serial@1000', 'serial@2000') }, async (client) => {
    await client.open('board.dts', BOARD);
    await client.diagnostics('board.dts');
    assert.deepEqual(client.published.get('soc.dtsi')?.diagnostics.map(({ code }) => code), undefined);
    assert.deepEqual(await client.diagnostics('board.dts'), []);
    await client.open('soc.dtsi', SOC.replace('reg = <0x1000 0x100>', 'reg = <0x1000 0x100'));
    assert.deepEqual(await client.diagnostics('soc.dtsi'), ['4:21-22 dts-syntax']);
    await client.open('soc.dtsi', SOC);
    assert.deepEqual(await client.diagnostics('soc.dtsi'), []);
  }));

  void it('tell what dtc warns of by the name of its check, at the level that is set', async () => {
    const text = '/dts-v1/;\n/ {\n\tnode@1 { };\n};\n';
    await withClient({}, async (client) => {
      await client.open('a.dts', text);
      assert.deepEqual(await client.diagnostics('a.dts'), ['2:1-7 unit_address_vs_reg']);
    });
    await withClient({}, async (client) => {
      await client.open('a.dts', text);
      assert.deepEqual(await client.diagnostics('a.dts'), []);
    }, { settings: { checks: { unit_address_vs_reg: 'off' } } });
  });

  void it('of a file that nobody includes are those of its own syntax', () => withClient({}, async (client) => {
    await client.open('part.dtsi', '#include <absent.h>\n&label {\n\tclocks = <&gcc GCC_CLOCK 3>;\n\tMACRO(1);\n\tstatus = "okay"\n};\n');
    assert.deepEqual(await client.diagnostics('part.dtsi'), ['4:16-16 dts-missing-semicolon']);
    await client.change('part.dtsi', { text: 'reg = <1>;\nchild { a = <1; };\n' });
    assert.deepEqual(await client.diagnostics('part.dtsi'), ['1:14-15 dts-syntax']);
    await client.change('part.dtsi', { text: '/dts-v1/;\n/ { a = <&elsewhere>; b@1 { }; };\n' });
    assert.deepEqual(await client.diagnostics('part.dtsi'), []);
  }));

  void it('of an included file are judged by the root that is open', () => withClient(FILES, async (client) => {
    await client.open('soc.dtsi', SOC.replace('"disabled"', '<&nobody>'));
    assert.deepEqual(await client.diagnostics('soc.dtsi'), ['0:0-0 read-in-context'], 'the tree on disk sets another status');
    await client.open('board.dts', BOARD.replace('status = "okay";', ''));
    assert.deepEqual(await client.diagnostics('soc.dtsi'), ['5:12-19 dts-reference-not-found', '5:2-8 status_is_string', '5:2-8 dt-core.yaml']);
    await client.closeFile('board.dts');
    assert.deepEqual(await client.diagnostics('soc.dtsi'), ['0:0-0 read-in-context']);
  }));

  void it('judge an included file that is open alone in the nearest tree that includes it, which a comment overrides', () => withClient({ ...FILES, 'other/odd.dts': '/dts-v1/;\n#define LATE\n#include "../soc.dtsi"\n/ { late: late { }; };\n', 'between.dtsi': '#include "soc.dtsi"\n', 'lost.dtsi': '' }, async (client) => {
    const broken = SOC.replace('"disabled"', '"disabled", <&late>').replace('status', 'link');
    const found = async (): Promise<string[]> => (await client.diagnostics('soc.dtsi')).filter((text) => /context|reference/.test(text)).sort();
    await client.open('soc.dtsi', broken);
    assert.deepEqual(await found(), ['0:0-0 read-in-context', '5:22-27 dts-reference-not-found']);
    assert.match(JSON.stringify(client.published.get('soc.dtsi')?.diagnostics.find(({ code }) => code === 'read-in-context')), /part of board\.dts/);
    assert.equal(client.published.get('board.dts'), undefined, 'nobody asked about the tree itself');
    await client.change('soc.dtsi', { text: `// dts-context: other/odd.dts\n${broken}` });
    assert.deepEqual(await found(), ['0:0-0 read-in-context']);
    await client.open('lost.dtsi', '&uart0 { };\n');
    assert.deepEqual(await client.diagnostics('lost.dtsi'), []);
    await client.open('board.dts', BOARD);
    assert.ok(!(await client.diagnostics('soc.dtsi')).some((text) => text.includes('read-in-context')), 'an open tree is no guess');
  }));

  void it('keep to the workspace: files outside it are not read, nor through links', () => withClient({ 'inside/a.dts': '', 'outside/secret.dtsi': '/ { };' }, async (client) => {
    symlinkSync(join(client.folder, 'outside/secret.dtsi'), join(client.folder, 'inside/link.dtsi'));
    await client.open('inside/a.dts', '/dts-v1/;\n#include "../outside/secret.dtsi"\n#include "link.dtsi"\n/ { };\n');
    assert.deepEqual(await client.diagnostics('inside/a.dts'), ['1:9-33 cpp-include-not-found', '2:9-20 cpp-include-not-found']);
  }, { folder: 'inside' }));
});

void describe('language server: meaning', () => {
  void it('goes from references, labels, macros and includes to where they are defined', () => withClient(FILES, async (client) => {
    await client.open('board.dts', BOARD.replace('/ {', '#define SPEED 9600\n/ {\n\tspeed = <SPEED>;'));
    await checkDefinition(client, '7:14', ['soc.dtsi 3:1']);
    await checkDefinition(client, '10:3', ['soc.dtsi 3:1']);
    await checkDefinition(client, '1:13', ['soc.dtsi 0:0']);
    await checkDefinition(client, '4:12', ['board.dts 2:8']);
    await checkDefinition(client, '5:3', []);
  }));

  it('goes from a string that is the path of a node to the node', () => withClient({}, async (client) => {
    await client.open('a.dts', '/dts-v1/;\n/ {\n\tsoc { uart@1 { }; };\n\tchosen { stdout-path = "/soc/uart@1:115200n8"; other = "/none"; };\n};\n');
    assert.match(JSON.stringify(await client.ask('definition', 'a.dts', '3:30')), /"start":\{"line":2,"character":7\}/);
    assert.deepEqual(await client.ask('definition', 'a.dts', '3:62'), []);
  }));

  void it('finds what refers to a label in all files', () => withClient(FILES, async (client) => {
    await client.open('board.dts', BOARD);
    const uses = await client.ask('references', 'board.dts', '8:3', { context: { includeDeclaration: false } });
    const all = await client.ask('references', 'board.dts', '8:3', { context: { includeDeclaration: true } });
    assert.ok(Array.isArray(uses) && Array.isArray(all));
    assert.equal(uses.length, 2);
    assert.equal(all.length, 3);
  }));

  void it('says on hover what a node finally is and which file set it', () => withClient(FILES, async (client) => {
    await client.open('board.dts', BOARD);
    await checkHover(client, '8:3', '`/serial@1000`', '`&uart0`', 'status = \\"okay\\";  // board.dts:10', /reg = <0x0*1000 0x0*100>; {2}\/\/ soc\.dtsi:5/);
    await checkHover(client, '5:14', '`/serial@1000`');
    await checkHover(client, '9:3', '`/serial@1000`', 'status = \\"okay\\";', '5 bytes');
    assert.equal(await client.ask('hover', 'board.dts', '0:0'), null);
  }));

  void it('says on hover in an overlay what base and overlay come to, with values decoded, and goes to definitions in the base', async () => {
    const files = {
      'base.dts': '/dts-v1/;\n#define SIZE 0x100\n/ {\n\t#address-cells = <1>;\n\t#size-cells = <1>;\n\n\tsoc: soc@10000000 {\n\t\t#address-cells = <1>;\n\t\t#size-cells = <1>;\n\t\tranges = <0 0x10000000 SIZE>;\n\t};\n};\n',
      'over.dtso': '// dts-context: base.dts\n/dts-v1/;\n/plugin/;\n\n&soc {\n\tdev@20 {\n\t\treg = <0x20 0x10>;\n\t\tbus = <&soc>;\n\t};\n};\n',
    };
    await withClient(files, async (client) => {
      await client.open('over.dtso', files['over.dtso']);
      await client.open('base.dts', files['base.dts']);
      const text = async (file: string, at: string): Promise<string> => (await client.ask('hover', file, at) as { contents: { value: string } }).contents.value;
      assert.match(await text('over.dtso', '4:2'), /`\/soc@10000000` \(`&soc`\)[^]*ranges = .*base\.dts:10/);
      assert.match(await text('over.dtso', '6:3'), /`\/soc@10000000\/dev@20`[^]*over\.dtso:7[^]*0x20–0x2f, 16 B, CPUs see 0x10000020/);
      assert.match(await text('over.dtso', '7:3'), /- \/soc@10000000/);
      assert.match(await text('base.dts', '9:27'), /#define SIZE 0x100 {2}\/\/ base\.dts:2/);
      const places = await client.ask('definition', 'over.dtso', '4:2') as readonly { uri: string; range: { start: { line: number } } }[];
      assert.deepEqual(places.map(({ uri, range }) => [client.nameOf(uri), range.start.line]), [['base.dts', 6]]);
    });
  });

  void it('knows the nodes of an overlay whose base is not there', () => withClient({}, async (client) => {
    await client.open('board.dts', '/dts-v1/;\n/plugin/;\n&base { child { a = <1>; }; };\n');
    assert.deepEqual(await client.diagnostics('board.dts'), ['0:0-0 overlay-without-base']);
    await checkHover(client, '2:10', '/fragment@0/__overlay__/child');
  }));
});

void describe('language server: text of one file', () => {
  void it('outlines nodes within nodes', () => withClient({}, async (client) => {
    await client.open('soc.dtsi', SOC);
    const names = (list: unknown): unknown => (Array.isArray(list) ? list.map((one: { name: string; detail?: string; children?: unknown }) => [one.detail ?? '', one.name, ...(one.children === undefined ? [] : [names(one.children)])]) : list);
    assert.deepEqual(names(await client.ask('documentSymbol', 'soc.dtsi')), [['', '/', [['', '#address-cells'], ['', '#size-cells'], ['uart0:', 'serial@1000', [['', 'reg'], ['', 'status']]]]]]);
  }));

  void it('folds bodies, comments, includes and conditions', () => withClient({}, async (client) => {
    await client.open('a.dts', '#include "a"\n#include "b"\n/* x\n */\n/ {\n\tn {\n\t\ta;\n\t};\n#if 1\n#else\n\n#endif\n};\n');
    const found = await client.ask('foldingRange', 'a.dts');
    assert.ok(Array.isArray(found));
    assert.deepEqual(found.map((one: { startLine: number; endLine: number }) => [one.startLine, one.endLine]), [[0, 1], [2, 3], [4, 11], [5, 6], [9, 10]]);
  }));

  void it('selects from the token outwards to the file', () => withClient({}, async (client) => {
    await client.open('a.dts', '/ { n { a = <1>; }; };');
    const widths: number[] = [];
    const answer = await client.ask('selectionRange', 'a.dts', undefined, { positions: [{ line: 0, character: 13 }] });
    type Chain = { range: { start: { character: number }; end: { character: number } }; parent?: Chain };
    const collect = (chain: Chain | undefined): void => { if (chain !== undefined) { widths.push(chain.range.end.character - chain.range.start.character); collect(chain.parent); } };
    for (const chain of Array.isArray(answer) ? answer : []) collect(chain as Chain);
    assert.deepEqual(widths, [1, 8, 10, 12, 15, 17, 19, 22].filter((width) => widths.includes(width)));
    assert.equal(widths.at(-1), 22);
    assert.ok(widths.length >= 5);
  }));

  void it('formats a document and a range', () => withClient({}, async (client) => {
    await client.open('a.dts', '/dts-v1/;\n/ {\na=<1>;\nb=<2>;\n};\n');
    const options = { options: { tabSize: 4, insertSpaces: true } };
    const whole = await client.ask('formatting', 'a.dts', undefined, options);
    const part = await client.ask('rangeFormatting', 'a.dts', undefined, { ...options, range: { start: { line: 3, character: 0 }, end: { line: 3, character: 6 } } });
    assert.ok(Array.isArray(whole) && Array.isArray(part));
    assert.ok(part.length > 0 && part.length < whole.length);
    assert.ok(part.every((edit: { range: { start: { line: number } } }) => edit.range.start.line >= 2));
  }));

  void it('names what each token is', () => withClient({}, async (client) => {
    await client.open('a.dts', '/ { l: n { a = <1>; }; };');
    assert.deepEqual(await client.ask('semanticTokens/full', 'a.dts'), { resultId: '1', data: [0, 4, 2, 2, 1, 0, 3, 1, 0, 0, 0, 4, 1, 1, 0, 0, 5, 1, 6, 0] });
  }));
});

void describe('language server: bad requests', () => {
  void it('are errors of the protocol, and the server goes on', () => withClient(FILES, async (client) => {
    await client.open('board.dts', BOARD);
    await checkRefused(client.request('textDocument/hover', {}), -32602);
    await checkRefused(client.ask('hover', 'board.dts', undefined), -32602);
    await checkRefused(client.ask('hover', 'board.dts', '-1:0'), -32602);
    await checkRefused(client.ask('rangeFormatting', 'board.dts'), -32602);
    await checkRefused(client.request('gunyah/none', {}), -32601);
    await client.connection.sendNotification('textDocument/didOpen', { textDocument: { uri: 5 } });
    await client.connection.sendNotification('textDocument/didChange', { textDocument: { uri: client.uri('board.dts'), version: 9 }, contentChanges: [{ text: 7 }] });
    assert.equal(await client.ask('hover', 'board.dts', '99999:99999'), null);
    assert.deepEqual(await client.ask('definition', 'absent.dts', '0:0'), []);
    await checkHover(client, '8:3', '`/serial@1000`');
  }));
});
