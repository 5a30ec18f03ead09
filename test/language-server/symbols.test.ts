/** Names and references over the protocol: rename, links, hints, lenses, hierarchy, tokens; each checked on text and positions as an editor sees them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withClient, type LanguageClient } from './client';

const SOC = `/ {
	#address-cells = <1>;
	#size-cells = <1>;
	interrupt-parent = <&gic>;

	gic: interrupt-controller {
		compatible = "arm,gic-v3";
		interrupt-controller;
		#interrupt-cells = <3>;
	};

	soc {
		#address-cells = <1>;
		#size-cells = <1>;
		ranges = <0x0 0x8000000 0x10000>;

		uart0: serial@1000 {
			reg = <UART_BASE 0x100>;
			interrupts = <0 37 4>;
		};
	};
};
`;
const BOARD = `/dts-v1/;
#define UART_BASE 0x1000
#include "soc.dtsi"
/ {
	aliases {
		serial0 = "/soc/serial@1000";
		serial1 = &uart0;
	};
	leds {
		serial = <&uart0>, <&{/soc/serial@1000}>;
	};
};
&uart0 {
	status = "okay";
};
`;
const OVERLAY = `/dts-v1/;
/plugin/;
// dts-context: board.dts
&uart0 {
	speed = <9600>;
};
&nowhere {
	a;
};
`;
const FILES = { 'board.dts': BOARD, 'soc.dtsi': SOC, 'more.dtso': OVERLAY };

interface Edit { readonly range: { readonly start: { readonly line: number; readonly character: number }; readonly end: { readonly line: number; readonly character: number } }; readonly newText: string }

/** A text after the protocol's edits. */
function edited(text: string, edits: readonly Edit[]): string {
  const lines = text.split('\n');
  const offset = ({ line, character }: Edit['range']['start']): number => lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0) + character;
  return [...edits].sort((a, b) => offset(b.range.start) - offset(a.range.start)).reduce((result, { range, newText }) => result.slice(0, offset(range.start)) + newText + result.slice(offset(range.end)), text);
}

/** Opens the board and runs. */
function onBoard(body: (client: LanguageClient) => Promise<void>): Promise<void> {
  return withClient(FILES, async (client) => {
    await client.open('board.dts', BOARD);
    await body(client);
  }, { settings: { showPlacesCommand: 'show' } });
}

/** The files that a rename changes, after it. */
async function renamed(client: LanguageClient, at: string, newName: string): Promise<Record<string, string>> {
  const answer = await client.ask('rename', 'board.dts', at, { newName }) as { changes: Record<string, Edit[]> } | null;
  const files: Readonly<Record<string, string>> = FILES;
  return Object.fromEntries(Object.entries(answer?.changes ?? {}).map(([uri, edits]) => [client.nameOf(uri), edited(files[client.nameOf(uri)] ?? '', edits)]));
}

void describe('language server: renaming', () => {
  void it('changes a label wherever it is written, in all files', () => onBoard(async (client) => {
    assert.deepEqual(await client.ask('prepareRename', 'board.dts', '12:3'), { range: { start: { line: 12, character: 1 }, end: { line: 12, character: 6 } }, placeholder: 'uart0' });
    const files = await renamed(client, '12:3', 'console');
    assert.deepEqual(Object.keys(files).sort(), ['board.dts', 'more.dtso', 'soc.dtsi']);
    assert.equal(files['board.dts'], BOARD.replaceAll('&uart0', '&console'));
    assert.equal(files['soc.dtsi'], SOC.replace('uart0:', 'console:'));
  }));

  void it('changes a macro in its definition and its uses', () => onBoard(async (client) => {
    const files = await renamed(client, '1:10', 'SERIAL');
    assert.equal(files['board.dts'], BOARD.replace('UART_BASE', 'SERIAL'));
    assert.equal(files['soc.dtsi'], SOC.replace('UART_BASE', 'SERIAL'));
  }));

  void it('changes a node with the paths that lead to it', () => withClient(FILES, async (client) => {
    await client.open('board.dts', BOARD);
    await client.open('soc.dtsi', SOC);
    const answer = await client.ask('rename', 'soc.dtsi', '16:12', { newName: 'uart@1000' }) as { changes: Record<string, Edit[]> };
    assert.equal(edited(SOC, answer.changes[client.uri('soc.dtsi')] ?? []), SOC.replace('serial@1000', 'uart@1000'));
    assert.equal(edited(BOARD, answer.changes[client.uri('board.dts')] ?? []), BOARD.replaceAll('serial@1000', 'uart@1000'));
  }));

  void it('changes a label in definitions of macros, and in overlays and their base from wherever it is asked', async () => {
    const files = {
      'base.dts': '/dts-v1/;\n#define CONSOLE &uart0 /* not &uart0 */\n/ {\n\tuart0: uart {\n\t};\n\n\tchosen {\n\t\tconsole = <CONSOLE>;\n\t};\n};\n',
      'one.dtso': '// dts-context: base.dts\n/dts-v1/;\n/plugin/;\n\n&uart0 {\n\tstatus = "okay";\n};\n',
      'two.dtso': '// dts-context: base.dts\n/dts-v1/;\n/plugin/;\n\n&{/} {\n\tlink = <&uart0>;\n};\n',
    };
    await withClient(files, async (client) => {
      await client.open('one.dtso', files['one.dtso']);
      const { changes } = await client.ask('rename', 'one.dtso', '4:3', { newName: 'console' }) as { changes: Readonly<Record<string, readonly { readonly range: { readonly start: { readonly line: number; readonly character: number } } }[]>> };
      const found = Object.entries(changes).map(([uri, edits]) => [client.nameOf(uri), edits.map(({ range: { start } }) => `${String(start.line)}:${String(start.character)}`)]);
      assert.deepEqual(Object.fromEntries(found), { 'base.dts': ['3:1', '1:17'], 'one.dtso': ['4:1'], 'two.dtso': ['5:10'] });
    });
  });

  it('changes a node in overlays that name it without a label, from wherever it is asked', async () => {
    const head = '// dts-context: base.dts\n/dts-v1/;\n/plugin/;\n';
    const files = {
      'base.dts': '/dts-v1/;\n/ {\n\tsoc: soc {\n\t\tuart@1 {\n\t\t};\n\t};\n\tother {\n\t\tuart@1 {\n\t\t};\n\t};\n};\n',
      'by-label.dtso': `${head}&soc {\n\tuart@1 {\n\t\ta;\n\t};\n};\n`,
      'by-path.dtso': `${head}&{/} {\n\tsoc {\n\t\tuart@1 {\n\t\t\ta;\n\t\t};\n\t};\n\tother {\n\t\tuart@1 {\n\t\t\tb;\n\t\t};\n\t};\n};\n`,
      'by-fragment.dtso': `${head}/ {\n\tfragment@0 {\n\t\ttarget-path = "/soc";\n\t\t__overlay__ {\n\t\t\tuart@1 {\n\t\t\t\ta = &{/soc/uart@1};\n\t\t\t};\n\t\t\tuart@2 {\n\t\t\t};\n\t\t};\n\t};\n};\n`,
    };
    const expected = { 'base.dts': ['3:2'], 'by-label.dtso': ['4:1'], 'by-path.dtso': ['5:2'], 'by-fragment.dtso': ['7:3', '8:15'] };
    await withClient(files, async (client) => {
      for (const [name, at] of [['base.dts', '3:4'], ['by-label.dtso', '4:3'], ['by-path.dtso', '5:4'], ['by-fragment.dtso', '7:5']] as const) {
        await client.open(name, files[name]);
        const { changes } = await client.ask('rename', name, at, { newName: 'serial@1' }) as { changes: Readonly<Record<string, readonly Edit[]>> };
        const found = Object.entries(changes).map(([uri, edits]) => [client.nameOf(uri), edits.map(({ range: { start } }) => `${String(start.line)}:${String(start.character)}`)]);
        assert.deepEqual(Object.fromEntries(found), expected, name);
      }
      const own = await client.ask('rename', 'by-fragment.dtso', '10:5', { newName: 'serial@2' }) as { changes: Readonly<Record<string, readonly Edit[]>> };
      assert.deepEqual(Object.entries(own.changes).map(([uri, edits]) => [client.nameOf(uri), edits.length]), [['by-fragment.dtso', 1]]);
    });
  });

  void it('refuses names that are malformed or taken, and finds nothing in strings', () => onBoard(async (client) => {
    await assert.rejects(client.ask('rename', 'board.dts', '12:3', { newName: 'a-b' }), /letters, digits and _/);
    await assert.rejects(client.ask('rename', 'board.dts', '12:3', { newName: 'gic' }), /already/);
    assert.equal(await client.ask('prepareRename', 'board.dts', '13:13'), null);
  }));

  void it('edits references in one document together with the label, and a reference alone', () => onBoard(async (client) => {
    await client.open('one.dts', '/dts-v1/;\n/ {\n\tuart0: uart {\n\t};\n\tlink = <&uart0>;\n};\n&uart0 { };\n');
    const linked = await client.ask('linkedEditingRange', 'one.dts', '2:3') as { ranges: { start: { line: number } }[] };
    assert.deepEqual(linked.ranges.map(({ start }) => start.line), [2, 4, 6]);
    for (const at of ['6:3', '4:12', '2:10']) assert.equal(await client.ask('linkedEditingRange', 'one.dts', at), null);
  }));
});

void describe('language server: references', () => {
  void it('links includes and the base that a comment names', () => onBoard(async (client) => {
    await client.open('more.dtso', OVERLAY);
    const links = async (name: string): Promise<string[]> => (await client.ask('documentLink', name) as { target: string }[]).map(({ target }) => client.nameOf(target));
    assert.deepEqual([await links('board.dts'), await links('more.dtso')], [['soc.dtsi'], ['board.dts']]);
  }));

  void it('finds nodes of all files by letters of their names and labels', () => onBoard(async (client) => {
    const names = async (query: string): Promise<string[]> => (await client.request('workspace/symbol', { query }) as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(await names('uart0'), ['uart0: serial@1000']);
    assert.deepEqual(await names('srl'), ['uart0: serial@1000']);
    assert.ok((await names('')).includes('gic: interrupt-controller'));
  }));

  void it('says who refers to a node, and to whom it refers', () => onBoard(async (client) => {
    const [item] = await client.ask('prepareCallHierarchy', 'board.dts', '12:3') as { name: string; detail: string }[];
    assert.deepEqual([item?.name, item?.detail], ['uart0', '/soc/serial@1000']);
    const calls = await client.request('callHierarchy/incomingCalls', { item }) as { from: { detail: string }; fromRanges: { start: { line: number } }[] }[];
    assert.deepEqual(calls.map(({ from, fromRanges }) => [from.detail, fromRanges.map(({ start }) => start.line)]), [['/aliases', [6]], ['/leds', [9, 9]]]);
    const leds = calls[1]?.from;
    const out = await client.request('callHierarchy/outgoingCalls', { item: leds }) as { to: { detail: string } }[];
    assert.deepEqual(out.map(({ to }) => to.detail), ['/soc/serial@1000']);
  }));

  void it('shows above an overlay where it applies, and above labels how often they are used', () => onBoard(async (client) => {
    await client.open('more.dtso', OVERLAY);
    await client.open('soc.dtsi', SOC);
    const lenses = async (name: string): Promise<(string | undefined)[][]> => (await client.ask('codeLens', name) as { command: { title: string; command: string } }[]).map(({ command }) => [command.title, command.command]);
    assert.deepEqual(await lenses('more.dtso'), [['applies to /soc/serial@1000 of board.dts', 'show'], ['board.dts has no &nowhere', '']]);
    assert.deepEqual(await lenses('soc.dtsi'), [['1 reference', 'show'], ['3 references', 'show']]);
  }));
});

void describe('language server: values and tokens', () => {
  void it('writes out addresses, ranges and interrupts behind their values', () => onBoard(async (client) => {
    await client.open('soc.dtsi', SOC);
    const whole = { range: { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } } };
    const hints = await client.ask('inlayHint', 'soc.dtsi', undefined, whole) as { label: string; position: { line: number } }[];
    assert.deepEqual(hints.map(({ label, position }) => [position.line, label]), [
      [14, '0x0 is 0x8000000 outside, 64 KiB'], [17, '0x1000–0x10ff, 256 B, CPUs see 0x8001000'], [18, 'SPI 37 = INTID 69, level high'],
    ]);
  }));

  void it('names the capabilities of what RM writes', () => withClient({}, async (client) => {
    const text = '/dts-v1/;\n/ { #address-cells = <2>; #size-cells = <0>;\n rm@0 { compatible = "gunyah-resource-manager";\n reg = <0x0 0x5>, <0x0 0x6>; };\n};\n';
    await client.open('vm.dts', text);
    const hints = await client.ask('inlayHint', 'vm.dts', undefined, { range: { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } } }) as { label: string }[];
    assert.deepEqual(hints.map(({ label }) => label), ['capability to send 0x5; capability to receive 0x6']);
  }));

  void it('answers tokens of a range, and afterwards only what changed', () => onBoard(async (client) => {
    const full = await client.ask('semanticTokens/full', 'board.dts') as { resultId: string; data: number[] };
    const part = await client.ask('semanticTokens/range', 'board.dts', undefined, { range: { start: { line: 12, character: 0 }, end: { line: 14, character: 0 } } }) as { data: number[] };
    assert.ok(part.data.length > 0 && part.data.length < full.data.length);
    const same = await client.ask('semanticTokens/full/delta', 'board.dts', undefined, { previousResultId: full.resultId }) as { resultId: string; edits: unknown[] };
    assert.deepEqual(same.edits, []);
    await client.change('board.dts', { range: { start: { line: 13, character: 1 }, end: { line: 13, character: 1 } }, text: 'x = <1>; ' });
    const delta = await client.ask('semanticTokens/full/delta', 'board.dts', undefined, { previousResultId: same.resultId }) as { resultId: string; edits: { start: number; deleteCount: number; data: number[] }[] };
    const fresh = await client.ask('semanticTokens/full', 'board.dts') as { data: number[] };
    const [edit] = delta.edits;
    assert.ok(edit);
    assert.deepEqual([...full.data.slice(0, edit.start), ...edit.data, ...full.data.slice(edit.start + edit.deleteCount)], fresh.data);
    assert.ok('data' in (await client.ask('semanticTokens/full/delta', 'board.dts', undefined, { previousResultId: 'unknown' }) as object));
  }));

  void it('formats a statement when it is ended and a node when it is closed, and nothing else', () => withClient({}, async (client) => {
    const text = '/dts-v1/;\n/ {\n   a=<1>;\n      b =  <2>;\n};\n';
    await client.open('a.dts', text);
    const format = async (at: string, ch: string): Promise<string> => edited(text, await client.ask('onTypeFormatting', 'a.dts', at, { ch, options: { tabSize: 8, insertSpaces: false } }) as Edit[]);
    assert.equal(await format('2:9', ';'), text.replace('   a=<1>;', '\ta = <1>;'));
    assert.equal(await format('4:1', '}'), '/dts-v1/;\n/ {\n\ta = <1>;\n\tb = <2>;\n};\n');
    assert.equal(await format('2:5', ';'), text);
  }));
});
