import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { withClient, type LanguageClient } from './client';

const GUEST = `/dts-v1/;
/ { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&gic>;
  gic: interrupt-controller { compatible = "arm,gic-v3"; interrupt-controller; #interrupt-cells = <3>; #address-cells = <0>; };
  HYPERVISOR
};
`;

const HYPERVISOR = `hypervisor { compatible = "gunyah-hypervisor"; #address-cells = <2>; #size-cells = <0>;
    gunyah-resource-mgr@0 { compatible = "gunyah-resource-manager"; reg = <0 0 0 1>; interrupts = <0 3 1>, <0 4 1>; };
  };`;

/** Opens a file and gives line, code and text of each diagnostic. */
async function problems(client: LanguageClient, name: string, text: string): Promise<readonly string[]> {
  await client.open(name, text);
  await client.diagnostics(name);
  return (client.published.get(name)?.diagnostics ?? []).map(({ range, code, message }) => `${String(range.start.line)} ${String(code)}: ${message}`);
}

describe('language server: bindings and rules', () => {
  it('says nothing about the documented hypervisor node', () => withClient({}, async (client) => {
    assert.deepEqual(await problems(client, 'vm.dts', GUEST.replace('HYPERVISOR', HYPERVISOR)), []);
  }));

  it('says in words what a binding expects, at the guilty token, with a link to the binding', () => withClient({}, async (client) => {
    const [first = '', ...others] = await problems(client, 'vm.dts', GUEST.replace('HYPERVISOR', HYPERVISOR.replace('<0 0 0 1>', '<0 0>')));
    assert.deepEqual(others, []);
    assert.match(first, /^4 .*yaml: .*reg has 1 entry, but needs at least 2: .*receive/i);
    const [diagnostic] = client.published.get('vm.dts')?.diagnostics ?? [];
    assert.match(diagnostic?.codeDescription?.href ?? '', /^file:.*\.yaml$/);
    assert.equal(diagnostic?.range.start.character, GUEST.replace('HYPERVISOR', HYPERVISOR).split('\n')[4]?.indexOf('reg ='));
  }));

  it('tells of a reference that finds nothing once, not also what follows from that', () => withClient({}, async (client) => {
    const text = '/dts-v1/;\n/ {\n\tg: g { gpio-controller; #gpio-cells = <2>; };\n\ta { gpios = <&none 1 2>; };\n\tb { gpios = <&g 1>; };\n};\n';
    assert.deepEqual((await problems(client, 'a.dts', text)).map((one) => one.replace(/:.*/, '')), ['3 dts-reference-not-found', '4 gpios_property']);
  }));

  it('tells what RM will refuse, by the rules that RM obeys', () => withClient({}, async (client) => {
    const config = 'gunyah-vm-config { memory { base-address = <0 0x1001>; }; };';
    const found = (await problems(client, 'vm.dts', GUEST.replace('HYPERVISOR', config))).filter((text) => text.includes('vm-config-'));
    assert.ok(found.some((text) => text.includes('vm-config-image-name')), found.join('\n'));
  }));

  it('judges an overlay by the tree that it makes of its base', () => withClient({ 'base.dts': GUEST.replace('HYPERVISOR', HYPERVISOR.replace('gunyah-resource-mgr', 'rm: gunyah-resource-mgr')) }, async (client) => {
    const head = '/dts-v1/;\n/plugin/;\n// dts-context: base.dts\n';
    assert.deepEqual(await problems(client, 'good.dtso', `${head}&rm { reg = <0 2 0 3>; };\n`), []);
    const [first = '', ...others] = await problems(client, 'bad.dtso', `${head}&rm {\n\treg = <0 2>;\n};\n`);
    assert.deepEqual(others, []);
    assert.match(first, /^4 .*yaml: .*needs at least 2/);
    const [missing = ''] = await problems(client, 'gone.dtso', `${head}&nobody { a; };\n`);
    assert.match(missing, /^3 overlay-no-symbol/);
    const several = await problems(client, 'several.dtso', `${head}&nobody { a; };\n&rm { b = <&no_one 1>, <&nobody>; };\n&no_one { c; };\n`);
    const places = several.map((text) => `${text.split(' ', 1).join('')} ${/\bno_?(?:body|one)\b/.exec(text)?.[0] ?? text}`);
    assert.deepEqual(places.sort(), ['3 nobody', '4 no_one', '4 nobody', '5 no_one']);
  }));

  it('takes overlays that name each other for overlays without base', () => withClient({}, async (client) => {
    client.write('b.dtso', '/dts-v1/;\n/plugin/;\n// dts-context: a.dtso\n&x { a; };\n');
    const found = await problems(client, 'a.dtso', '/dts-v1/;\n/plugin/;\n// dts-context: b.dtso\n&x { a; };\n');
    assert.ok(found.length > 0);
  }));

  it('judges an overlay without base as far as that goes, with one hint', () => withClient({}, async (client) => {
    const found = await problems(client, 'alone.dtso', '/dts-v1/;\n/plugin/;\n&{/} {\n\thypervisor { compatible = "gunyah-hypervisor"; };\n};\n');
    assert.equal(found.filter((text) => text.includes('overlay-without-base')).length, 1);
    assert.ok(found.some((text) => text.startsWith('3 ') && text.includes('required')), found.join('\n'));
  }));
});
