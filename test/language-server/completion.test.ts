import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { withClient, type LanguageClient } from './client';

interface Item { readonly label: string; readonly detail?: string; readonly documentation?: { readonly value: string }; readonly textEdit: { readonly newText: string } }

/** Opens a text with `|` where the cursor is; gives the entries there. */
async function complete(client: LanguageClient, marked: string, name = 'vm.dts'): Promise<readonly Item[]> {
  const at = marked.indexOf('|');
  const before = marked.slice(0, at).split('\n');
  await client.open(name, marked.replace('|', ''));
  return await client.ask('completion', name, `${String(before.length - 1)}:${String(before.at(-1)?.length ?? 0)}`) as readonly Item[];
}

/** The labels offered at `|`. */
async function labels(client: LanguageClient, marked: string): Promise<readonly string[]> {
  return (await complete(client, marked)).map(({ label }) => label);
}

const inRoot = (body: string): string => `/dts-v1/;\n/ {\n\tuart: serial@1 { reg = <1>; };\n\t${body}\n};\n`;

describe('language server: completion', () => {
  it('offers properties of a VM configuration with what the binding says of them', () => withClient({}, async (client) => {
    const items = await complete(client, inRoot('gunyah-vm-config {\n\t\timage-|\n\t};'));
    const found = items.find(({ label }) => label === 'image-name');
    assert.ok(found !== undefined, items.map(({ label }) => label).join(' '));
    assert.equal(found.textEdit.newText, 'image-name = "";');
    assert.ok((found.documentation?.value ?? '').length > 10);
  }));

  it('offers kinds of virtual devices and other listed values', () => withClient({}, async (client) => {
    const types = await labels(client, inRoot('gunyah-vm-config { vdevices { bell { vdevice-type = "|"; }; }; };'));
    assert.ok(types.includes('doorbell') || types.includes('message-queue-pair'), types.join(' '));
    assert.deepEqual(await labels(client, inRoot('dev { status = "|"; };')), ['okay', 'disabled', 'reserved', 'fail']);
  }));

  it('offers documented compatible strings', () => withClient({}, async (client) => {
    const found = await labels(client, inRoot('hypervisor { compatible = "|"; };'));
    assert.ok(found.includes('gunyah-hypervisor'), found.join(' '));
  }));

  it('offers labels, paths, and what can be deleted', () => withClient({}, async (client) => {
    assert.deepEqual(await labels(client, inRoot('dev { link = <&|>; };')), ['uart']);
    assert.ok((await labels(client, inRoot('dev { link = &{/|}; };'))).includes('serial@1'));
    assert.ok((await labels(client, inRoot('/delete-node/ |'))).includes('serial@1'));
    const [outside] = await complete(client, `${inRoot('')}/delete-node/ |\n`);
    assert.deepEqual([outside?.label, outside?.textEdit.newText], ['&uart', '&uart;']);
  }));

  it('offers included files, of the file’s own folder and the include paths', () => withClient({ 'soc.dtsi': '', 'include/more.h': '', 'notes.txt': '' }, async (client) => {
    assert.ok((await labels(client, '#include "|"\n')).includes('soc.dtsi'));
    assert.deepEqual(await labels(client, '#include <|>\n'), ['more.h']);
  }));

  it('offers nothing in comments, and answers anywhere in any text', () => withClient({}, async (client) => {
    assert.deepEqual(await labels(client, inRoot('// st|')), []);
    await fc.assert(fc.asyncProperty(fc.nat(200), fc.constantFrom('{', '"', '<', '&', '/*', '', '}'), async (at, piece) => {
      const text = inRoot('gunyah-vm-config { image-name = "x"; memory { base-address = <1 2>; }; };');
      const cut = Math.min(at, text.length);
      assert.ok(Array.isArray(await complete(client, `${text.slice(0, cut)}${piece}|${text.slice(cut)}`)));
    }), { numRuns: 60 });
  }));

  it('says on hover what a binding says', () => withClient({}, async (client) => {
    const text = inRoot('gunyah-vm-config { image-name = "x"; };');
    await client.open('vm.dts', text);
    const line = text.split('\n').findIndex((one) => one.includes('image-name'));
    const hover = JSON.stringify(await client.ask('hover', 'vm.dts', `${String(line)}:${String(text.split('\n')[line]?.indexOf('image-name'))}`));
    assert.match(hover, /2 bytes\\n\\n\w/);
  }));
});
