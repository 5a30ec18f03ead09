/** What the server reads of the disk: nothing outside the workspace and the stated folders, whichever way a source or a file beside it tries to lead there. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, it } from 'node:test';
import { WorkspaceFiles } from '../../language-server/files';
import { withClient, type LanguageClient } from './client';

const SECRET = '/dts-v1/;\n/ {\n\tsecret: secret {\n\t\tword = "swordfish";\n\t};\n};\n';
const BINDING = '$id: http://devicetree.org/schemas/secret.yaml#\nproperties:\n  compatible: { const: "secret,device" }\nrequired: [compatible, swordfish]\nadditionalProperties: true\n';
const ROOT = '/dts-v1/;\n/ {\n\tdevice {\n\t\tcompatible = "secret,device";\n\t};\n};\n';

/** Everything that the server can be made to say about the open files. */
async function allThatIsSaid(client: LanguageClient, name: string): Promise<string> {
  const said: unknown[] = [await client.diagnostics(name), [...client.published]];
  const uri = client.uri(name);
  for (const method of ['mergedTree', 'compile', 'rmOverlay', 'memoryMap', 'decompile']) said.push(await client.request(`gunyah/dt/${method}`, { uri, form: 'applied' }).catch(String));
  for (const at of ['1:14', '2:14', '3:12']) for (const feature of ['completion', 'hover', 'definition']) said.push(await client.ask(feature, name, at));
  said.push(await client.ask('documentSymbol', name), await client.ask('codeLens', name).catch(String));
  said.push(await client.request('workspace/symbol', { query: 'secret' }).catch(String));
  const text = JSON.stringify(said);
  // What stands in a blob or a text would be seen in base 64, too.
  return text + [...text.matchAll(/"bytes":"([^"]*)"/g)].map(([, bytes = '']) => Buffer.from(bytes, 'base64').toString('latin1')).join('');
}

interface Attempt {
  /** Files by name; the workspace is `inside`. */
  readonly files: Readonly<Record<string, string>>;
  /** Symbolic links by name, each with what it leads to, both below the folder of the test. */
  readonly links?: Readonly<Record<string, string>>;
  readonly source: string;
  readonly settings?: unknown;
}

/** Checks that no word of what lies outside gets out. `{outside}` in the source stands for the folder outside. */
async function checkKept({ files, links = {}, source, settings }: Attempt): Promise<void> {
  await withClient({ 'inside/readme': '', 'outside/secret.dts': SECRET, 'outside/secret.dtsi': SECRET, 'outside/secret.yaml': BINDING, ...files }, async (client) => {
    for (const [name, target] of Object.entries(links)) {
      mkdirSync(join(client.folder, name, '..'), { recursive: true });
      symlinkSync(join(client.folder, target), join(client.folder, name));
    }
    await client.open('inside/a.dts', source.replaceAll('{outside}', join(client.folder, 'outside').split(sep).join('/')));
    assert.doesNotMatch(await allThatIsSaid(client, 'inside/a.dts'), /swordfish/, source);
  }, { folder: 'inside', settings });
}

const OVERLAY = '/dts-v1/;\n/plugin/;\n&secret {\n\tmore;\n};\n';

describe('a workspace that is not trusted', () => {
  it('includes nothing from outside: by a path with .., a whole path, a link to a file or a folder, or one of another computer', async () => {
    for (const name of ['../outside/secret.dtsi', './../outside/secret.dtsi', 'sub/../../outside/secret.dtsi', '{outside}/secret.dtsi', '/{outside}/secret.dtsi', '//{outside}/secret.dtsi', 'link.dtsi', 'folder/secret.dtsi', 'twice/secret.dtsi']) {
      for (const directive of [`#include "${name}"`, `#include <${name}>`, `/include/ "${name}"`]) {
        await checkKept({ files: { 'inside/sub/x': '' }, links: { 'inside/link.dtsi': 'outside/secret.dtsi', 'inside/folder': 'outside', 'inside/twice': 'inside/folder' }, source: `/dts-v1/;\n${directive}\n/ { };\n` });
      }
    }
  });

  it('embeds nothing from outside, nor devices and pipes', async () => {
    for (const name of ['../outside/secret.dts', '{outside}/secret.dts', 'link', '/etc/passwd', '/dev/zero', '/proc/self/environ']) {
      await checkKept({ files: {}, links: { 'inside/link': 'outside/secret.dts' }, source: `/dts-v1/;\n/ { a = /incbin/("${name}"); b = /incbin/("${name}", 0, 100); };\n` });
    }
  });

  it('finds no base of an overlay outside: by a comment, a system file or a Makefile', async () => {
    const system = (base: string): string => JSON.stringify({ vms: [{ config: base, overlays: ['a.dts'] }] });
    for (const base of ['../outside/secret.dts', '{outside}/secret.dts', 'link.dts', 'folder/secret.dts']) {
      const links = { 'inside/link.dts': 'outside/secret.dts', 'inside/folder': 'outside' };
      await checkKept({ files: {}, links, source: `// dts-context: ${base}\n${OVERLAY}` });
      await checkKept({ files: { 'inside/x.gunyah.json': system(base) }, links, source: OVERLAY });
      await checkKept({ files: { 'inside/Makefile': `x-dtbs := ${base.replace(/s$/, 'b')} a.dtbo\n` }, links, source: OVERLAY });
    }
    await checkKept({ files: { 'outside/Makefile': 'x-dtbs := secret.dtb a.dtbo\n' }, links: { 'inside/Makefile': 'outside/Makefile' }, source: OVERLAY });
  });

  it('reads bindings only of its own: not through links to files, folders, or the folder of bindings itself', async () => {
    const bindings = 'inside/Documentation/devicetree/bindings';
    for (const links of [{ [bindings]: 'outside' }, { [`${bindings}/secret.yaml`]: 'outside/secret.yaml' }, { [`${bindings}/sub`]: 'outside' }, { 'inside/Documentation': 'outside' }]) {
      await checkKept({ files: { 'outside/devicetree/bindings/secret.yaml': BINDING }, links, source: ROOT });
    }
    for (const settings of [{ bindings: ['linked'] }, { includePaths: ['linked'] }]) {
      await checkKept({ files: {}, links: { 'inside/linked': 'outside' }, source: `${ROOT.replace('/ {', '#include <secret.dtsi>\n/ {')}`, settings });
    }
  });

  it('reads what the settings state beside the workspace, in so many words', () => withClient({ 'inside/readme': '', 'outside/words.dtsi': '/ { said; };\n' }, async (client) => {
    await client.open('inside/a.dts', '/dts-v1/;\n#include <words.dtsi>\n');
    assert.deepEqual(await client.diagnostics('inside/a.dts'), []);
  }, { folder: 'inside', settings: { includePaths: ['../outside'] } }));

  it('answers requests about files outside with nothing', () => withClient({ 'inside/a.dts': '', 'outside/secret.dts': SECRET }, async (client) => {
    await client.open('inside/a.dts', '/dts-v1/;\n/ { };\n');
    const uris = [client.uri('outside/secret.dts'), `${client.uri('inside')}/../outside/secret.dts`, client.uri('inside/%2e%2e/outside/secret.dts')];
    for (const uri of uris) {
      for (const method of ['mergedTree', 'compile', 'rmOverlay', 'memoryMap', 'decompile']) assert.doesNotMatch(JSON.stringify(await client.request(`gunyah/dt/${method}`, { uri })), /swordfish/);
      assert.doesNotMatch(JSON.stringify(await client.request('gunyah/dt/compare', { left: { uri }, right: { uri: client.uri('inside/a.dts') } })), /swordfish/);
    }
  }, { folder: 'inside' }));

  it('keeps bindings that are there, and folders of bindings that cannot be read do no harm', async () => {
    const found = async (files: Readonly<Record<string, string>>, settings: unknown): Promise<readonly string[]> => {
      let codes: readonly string[] = [];
      await withClient(files, async (client) => {
        await client.open('a.dts', ROOT);
        codes = await client.diagnostics('a.dts');
      }, { settings });
      return codes;
    };
    assert.deepEqual(await found({ 'own/secret.yaml': BINDING }, { bindings: ['own'] }), ['2:1-7 secret.yaml']);
    for (const bindings of [['no'], ['file.yaml'], ['/proc/1/fd'], ['\0'], ['']]) assert.deepEqual(await found({ 'file.yaml': BINDING }, { bindings: bindings.filter((name) => name !== '') }), [], String(bindings));
  });
});

describe('the files of a workspace', () => {
  it('do not ask other computers whether they have one', () => {
    const asked: string[] = [];
    const files = new WorkspaceFiles((path) => { asked.push(path); return undefined; });
    files.allow(['/']);
    // Everything on this machine may be read, and still nothing by a name that leads to another.
    assert.equal(files.hasFolder('/usr'), true);
    for (const path of ['//usr', '//usr/../usr', '\\\\server\\share', '//./pipe/x', '\\\\?\\C:\\x', '//server/share/../../usr']) {
      assert.equal(files.hasFolder(path), false, path);
      assert.equal(files.readText(path), undefined, path);
    }
    files.allow(['//usr']);
    assert.equal(files.hasFolder('//usr'), true, 'unless the workspace itself lies there');
    assert.equal(files.hasFolder('//usr/../etc'), false);
  });
});
