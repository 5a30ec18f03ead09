/** Paths of nodes in strings and references: what is offered step by step, where they lead, who else is meant, renaming through them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withClient, type LanguageClient } from './client';

const BOARD = `/dts-v1/;
/ {
	aliases {
		serial0 = "/soc/uart@1000";
		bus0 = &soc;
	};
	chosen {
		stdout-path = "serial0:115200n8";
		stdin-path = "/soc/uart@1000:115200";
		link = &{/soc/uart@1000}, &{soc/uart@1000};
	};
	soc: soc {
		uart@1000 {
			compatible = "gunyah-hypervisor";
		};
		uart@2000 {
			bell {
			};
		};
	};
};
`;
const OVERLAY = `// dts-context: board.dts
/dts-v1/;
/plugin/;
/ {
	fragment@0 {
		target-path = "/soc/uart@2000";
		__overlay__ {
			a;
		};
	};
};
`;

interface Item { readonly label: string; readonly detail?: string; readonly documentation?: { readonly value: string }; readonly commitCharacters?: readonly string[]; readonly textEdit: { readonly newText: string } }
interface Place { readonly uri: string; readonly range: { readonly start: { readonly line: number; readonly character: number }; readonly end: { readonly line: number; readonly character: number } } }

async function offered(client: LanguageClient, name: string, text: string): Promise<readonly Item[]> {
  const before = text.slice(0, text.indexOf('|')).split('\n');
  await client.open(name, text.replace('|', ''));
  return await client.ask('completion', name, `${String(before.length - 1)}:${String(before.at(-1)?.length ?? 0)}`) as readonly Item[];
}

/** `file line:column-end`, sorted. */
function placesOf(client: LanguageClient, found: readonly Place[]): readonly string[] {
  return found.map(({ uri, range: { start, end } }) => `${client.nameOf(uri)} ${String(start.line)}:${String(start.character)}-${String(end.character)}`).sort();
}

/** The position behind a piece of the board, `back` characters before its end. */
function behind(piece: string, back = 2, text = BOARD): string {
  const before = text.slice(0, text.indexOf(piece) + piece.length - back).split('\n');
  return `${String(before.length - 1)}:${String(before.at(-1)?.length ?? 0)}`;
}

describe('language server: paths in strings', () => {
  it('are offered step by step, with what the nodes are', () => withClient({}, async (client) => {
    const at = async (value: string): Promise<readonly Item[]> => offered(client, 'b.dts', BOARD.replace('"/soc/uart@1000"', value));
    assert.deepEqual((await at('"|"')).map(({ textEdit }) => textEdit.newText), ['/aliases', '/chosen', '/soc']);
    assert.deepEqual((await at('"/|"')).map(({ label, commitCharacters }) => [label, commitCharacters]), [['aliases', undefined], ['chosen', undefined], ['soc', ['/']]]);
    const below = await at('"/soc/ua|"');
    assert.deepEqual(below.map(({ label }) => label), ['uart@1000', 'uart@2000']);
    assert.match(below[0]?.documentation?.value ?? '', /gunyah-hypervisor/);
    assert.deepEqual((await at('"/soc/uart@2000/|"')).map(({ detail }) => detail), ['/soc/uart@2000/bell']);
    assert.deepEqual(await at('"/nowhere/|"'), []);
    assert.deepEqual(await at('"/soc/uart@1000:11|"'), []);
  }));

  it('are offered in references, from the root and from a label', () => withClient({}, async (client) => {
    const at = async (value: string): Promise<readonly string[]> => (await offered(client, 'b.dts', BOARD.replace('&{/soc/uart@1000}', value))).map(({ textEdit }) => textEdit.newText);
    assert.deepEqual(await at('&{|}'), ['/aliases', '/chosen', '/soc']);
    assert.deepEqual(await at('&{/soc/|}'), ['uart@1000', 'uart@2000']);
    assert.deepEqual(await at('&{soc/|}'), ['uart@1000', 'uart@2000']);
    // The closing brace may not be typed yet.
    assert.deepEqual(await at('&{/soc/|'), ['uart@1000', 'uart@2000']);
  }));

  it('are offered for a console beside the aliases, and nowhere else without a slash', () => withClient({}, async (client) => {
    const labels = async (text: string): Promise<readonly string[]> => (await offered(client, 'b.dts', text)).map(({ label }) => label);
    assert.deepEqual(await labels(BOARD.replace('serial0:115200n8', '|')), ['serial0', 'bus0', 'aliases', 'chosen', 'soc']);
    assert.deepEqual(await labels(BOARD.replace('serial0:115200n8', 'ser|')), ['serial0', 'bus0']);
    assert.deepEqual(await labels(BOARD.replace('stdin-path = "/soc/uart@1000:115200"', 'bootargs = "|"')), []);
    assert.deepEqual(await labels(BOARD.replace('stdin-path = "/soc/uart@1000:115200"', 'any = "/|"')), ['aliases', 'chosen', 'soc']);
  }));

  it('of an overlay are those of its base', () => withClient({ 'board.dts': BOARD }, async (client) => {
    assert.deepEqual((await offered(client, 'o.dtso', OVERLAY.replace('/soc/uart@2000', '/soc/|'))).map(({ label }) => label), ['uart@1000', 'uart@2000']);
    assert.deepEqual((await offered(client, 'o.dtso', OVERLAY.replace('/soc/uart@2000', '|'))).map(({ textEdit }) => textEdit.newText), ['/aliases', '/chosen', '/soc']);
  }));

  it('lead to the node of the name that is pointed at, aliases too', () => withClient({ 'board.dts': BOARD, 'o.dtso': OVERLAY }, async (client) => {
    await client.open('board.dts', BOARD);
    await client.open('o.dtso', OVERLAY);
    const to = async (name: string, at: string): Promise<readonly string[]> => placesOf(client, await client.ask('definition', name, at) as readonly Place[]);
    const [uart, soc] = [['board.dts 12:2-11'], ['board.dts 11:6-9']];
    assert.deepEqual(await to('board.dts', behind('"/soc/uart@1000"')), uart);
    assert.deepEqual(await to('board.dts', behind('"/soc', 1)), soc);
    assert.deepEqual(await to('board.dts', behind('&{/soc/uart@1000}')), uart);
    assert.deepEqual(await to('board.dts', behind('&{/soc', 1)), soc);
    assert.deepEqual(await to('board.dts', behind('&{soc/uart@1000}')), uart);
    assert.deepEqual(await to('board.dts', behind('"serial0', 1)), uart);
    assert.deepEqual(await to('board.dts', behind('"serial0:1152', 1)), []);
    assert.deepEqual(await to('o.dtso', behind('"/soc/uart@2000', 1, OVERLAY)), ['board.dts 15:2-11']);
    const hover = await client.ask('hover', 'o.dtso', behind('"/soc/uart@2000', 1, OVERLAY)) as { contents: { value: string }; range: Place['range'] };
    assert.match(hover.contents.value, /^`\/soc\/uart@2000`[^]*a;/);
    assert.deepEqual([hover.range.start.character, hover.range.end.character], [17, 31]);
    assert.match((await client.ask('hover', 'board.dts', behind('"serial0', 1)) as { contents: { value: string } }).contents.value, /^`\/soc\/uart@1000`/);
  }));

  it('count as references to the node, whichever way it is named', () => withClient({ 'board.dts': BOARD, 'o.dtso': OVERLAY }, async (client) => {
    await client.open('board.dts', BOARD);
    const uses = async (at: string): Promise<readonly string[]> => placesOf(client, await client.ask('references', 'board.dts', at, { context: { includeDeclaration: false } }) as readonly Place[]);
    const uart = ['board.dts 3:18-27', 'board.dts 8:21-30', 'board.dts 9:16-25', 'board.dts 9:34-43'];
    for (const at of [behind('"/soc/uart@1000"'), behind('\t\tuart@1000'), behind('&{soc/uart@1000}'), behind('"serial0', 1)]) assert.deepEqual(await uses(at), uart, at);
    assert.deepEqual(await uses(behind('\tsoc:', 1)), ['board.dts 4:10-13', 'board.dts 9:30-33']);
    assert.deepEqual(await uses(behind('\t\tuart@2000')), ['o.dtso 5:22-31']);
  }));

  it('rename the node, and are renamed with it', () => withClient({ 'board.dts': BOARD, 'o.dtso': OVERLAY }, async (client) => {
    await client.open('board.dts', BOARD);
    await client.open('o.dtso', OVERLAY);
    const renamed = async (name: string, at: string): Promise<readonly string[]> => {
      const { changes } = await client.ask('rename', name, at, { newName: 'serial@9' }) as { changes: Readonly<Record<string, readonly Omit<Place, 'uri'>[]>> };
      return placesOf(client, Object.entries(changes).flatMap(([uri, edits]) => edits.map(({ range }) => ({ uri, range }))));
    };
    const uart = ['board.dts 12:2-11', 'board.dts 3:18-27', 'board.dts 8:21-30', 'board.dts 9:16-25', 'board.dts 9:34-43'];
    for (const at of [behind('"/soc/uart@1000"'), behind('\t\tuart@1000'), behind('&{soc/uart@1000}')]) assert.deepEqual(await renamed('board.dts', at), uart, at);
    assert.deepEqual(await renamed('o.dtso', behind('"/soc/uart@2000', 1, OVERLAY)), ['board.dts 15:2-11', 'o.dtso 5:22-31']);
    assert.deepEqual(await client.ask('prepareRename', 'board.dts', behind('"/soc', 1)), { range: { start: { line: 3, character: 14 }, end: { line: 3, character: 17 } }, placeholder: 'soc' });
  }));
});
