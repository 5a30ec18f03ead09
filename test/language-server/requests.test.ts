import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { compileDts } from '../../runtime/devicetree';
import type { CompiledTree, MemoryMap, MergedTree, PrintedTree, RmOverlay, TreeComparison } from '../../language-server/protocol';
import { LanguageClient, withClient } from './client';

const BOARD = {
  'soc.dtsi': `/ { #address-cells = <1>; #size-cells = <1>;
  soc { compatible = "simple-bus"; #address-cells = <1>; #size-cells = <1>; ranges = <0 0x1000 0x1000>;
    uart: serial@100 { reg = <0x100 0x100>; status = "disabled"; };
    timer: timer@200 { reg = <0x200 0x100>; };
    clash: clash@280 { reg = <0x280 0x10>; };
  };
};
`,
  'board.dts': '/dts-v1/;\n#include "soc.dtsi"\n/ { memory@80000000 { device_type = "memory"; reg = <0x80000000 0x1000>; }; chosen { stdout-path = &uart; link = <&uart>; }; };\n&uart { status = "okay"; };\n',
  'more.dtso': '/dts-v1/;\n/plugin/;\n// dts-context: board.dts\n&uart { speed = <9600>; };\n',
};

const VM = `/dts-v1/;
/ { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&gic>;
  gunyah-vm-config {
    image-name = "vm"; os-type = "linux";
    memory { #address-cells = <2>; #size-cells = <2>; base-address = <0 0x80000000>; };
    vcpus { affinity = "proxy"; };
    vdevices {
      bell { vdevice-type = "doorbell"; label = <7>; peer-default; };
      rm-rpc { vdevice-type = "rm-rpc"; generate = "/hypervisor/qcom,resource-mgr"; };
    };
  };
  cpus { #address-cells = <1>; #size-cells = <0>; cpu@0 { device_type = "cpu"; reg = <0>; }; };
  gic: interrupt-controller { compatible = "arm,gic-v3"; interrupt-controller; #interrupt-cells = <3>; };
};
`;

async function opened<T>(client: LanguageClient, [name, text]: readonly [string, string], method: string, extra: object = {}): Promise<T> {
  await client.open(name, text);
  return await client.request(`gunyah/dt/${method}`, { uri: client.uri(name), ...extra }) as T;
}

function fileBytes(text: string, files: Readonly<Record<string, string>>): Uint8Array {
  return compileDts(text, { file: 'board.dts', files: { readText: (path) => files[path] } }).bytes;
}

describe('requests about whole trees', () => {
  it('prints a merged tree that compiles to the same blob, each line with its origin', async () => {
    await withClient(BOARD, async (client) => {
      const merged = await opened<MergedTree>(client, ['board.dts', BOARD['board.dts']], 'mergedTree');
      assert.deepEqual(compileDts(merged.text).bytes, fileBytes(BOARD['board.dts'], BOARD));
      const lines = merged.text.trimEnd().split('\n');
      assert.equal(merged.origins.length, lines.length);
      const [file, line, character] = merged.origins[lines.findIndex((text) => text.includes('status = "okay"'))] ?? [];
      assert.deepEqual([client.nameOf(merged.files[file ?? -1] ?? ''), line, character], ['board.dts', 3, 8]);
    });
  });

  it('merges an overlay into the base that its comment names', async () => {
    await withClient(BOARD, async (client) => {
      const merged = await opened<MergedTree>(client, ['more.dtso', BOARD['more.dtso']], 'mergedTree', { form: 'applied' });
      assert.equal(client.nameOf(merged.base ?? ''), 'board.dts');
      assert.match(merged.text, /serial@100 \{\n\s*speed = <0x2580>;/);
      const own = await client.request('gunyah/dt/mergedTree', { uri: client.uri('more.dtso') }) as MergedTree;
      assert.deepEqual(compileDts(own.text).bytes, compileDts(BOARD['more.dtso']).bytes);
    });
  });

  it('compiles, and decompiles what it compiled', async () => {
    await withClient(BOARD, async (client) => {
      const compiled = await opened<CompiledTree>(client, ['board.dts', BOARD['board.dts']], 'compile');
      assert.equal(compiled.name, 'board.dtb');
      assert.deepEqual(new Uint8Array(Buffer.from(compiled.bytes ?? '', 'base64')), fileBytes(BOARD['board.dts'], BOARD));
      const source = await client.request('gunyah/dt/decompile', { bytes: compiled.bytes }) as PrintedTree;
      assert.deepEqual(compileDts(source.text).bytes, fileBytes(BOARD['board.dts'], BOARD));
      await client.change('board.dts', { text: '/dts-v1/; / { x = <&nowhere>; };' });
      const broken = await client.request('gunyah/dt/compile', { uri: client.uri('board.dts') }) as CompiledTree;
      assert.equal(broken.bytes, null);
      assert.deepEqual(broken.problems.flatMap(({ diagnostics }) => diagnostics.map(({ code }) => code)), ['dts-reference-not-found']);
    });
  });

  it('refuses parameters that name no tree, and answers null for what cannot be read', async () => {
    await withClient(BOARD, async (client) => {
      assert.equal(await client.request('gunyah/dt/compile', { uri: 'file:///etc/passwd' }), null);
      assert.equal(await client.request('gunyah/dt/decompile', { uri: 'file:///etc/passwd' }), null);
      await assert.rejects(client.request('gunyah/dt/compare', { left: {}, right: 3 }), /need a tree/);
      const nothing = await client.request('gunyah/dt/decompile', { bytes: 'AAAA' }) as PrintedTree;
      assert.deepEqual(nothing.problems.flatMap(({ diagnostics }) => diagnostics.map(({ code }) => code)), ['dtb-not-dtb']);
    });
  });

  it('shows what RM will generate, and where each node was asked for', async () => {
    await withClient({}, async (client) => {
      const overlay = await opened<RmOverlay>(client, ['vm.dts', VM], 'rmOverlay');
      assert.deepEqual(overlay.reports, []);
      assert.match(overlay.text, /qcom,resource-mgr@3 \{\n\s*compatible = "gunyah-resource-manager"/);
      const lines = overlay.text.split('\n');
      const bell = overlay.origins[lines.findIndex((text) => text.includes('qcom,doorbell@'))];
      assert.equal(bell?.[1], VM.split('\n').findIndex((text) => text.includes('bell {')));
      assert.ok(overlay.assumptions.some((text) => text.includes('placeholders')));
    });
  });

  it('shows RM an overlay as it lands in its base', async () => {
    const late = '/dts-v1/;\n/plugin/;\n// dts-context: vm.dts\n&{/gunyah-vm-config/vdevices} {\n\tlate { vdevice-type = "doorbell-source"; label = <9>; peer-default; };\n};\n&{/gunyah-vm-config} { image-name = "late"; };\n';
    await withClient({ 'vm.dts': VM }, async (client) => {
      const overlay = await opened<RmOverlay>(client, ['late.dtso', late], 'rmOverlay');
      assert.deepEqual([overlay.reports, client.nameOf(overlay.base ?? '')], [[], 'vm.dts']);
      assert.match(overlay.text, /qcom,image-name = "late"/);
      assert.match(overlay.text, /qcom,doorbell-source@[^]*qcom,label = <0x9>/);
      const line = overlay.origins[overlay.text.split('\n').findIndex((text) => text.includes('qcom,doorbell-source@'))];
      assert.deepEqual([client.nameOf(overlay.files[line?.[0] ?? -1] ?? ''), line?.[1]], ['late.dtso', 4]);
      assert.match(overlay.assumptions[0] ?? '', /^RM is shown vm\.dts with the overlay applied/);
      await client.change('late.dtso', { text: late.replace('&{/gunyah-vm-config/vdevices}', '&nowhere') });
      const lost = await client.request('gunyah/dt/rmOverlay', { uri: client.uri('late.dtso') }) as RmOverlay;
      assert.match(lost.assumptions[0] ?? '', /^The overlay cannot be applied to vm\.dts/);
    });
  });

  it('says why RM will refuse a VM', async () => {
    await withClient({}, async (client) => {
      const overlay = await opened<RmOverlay>(client, ['vm.dts', VM.replace('image-name = "vm";', '')], 'rmOverlay');
      assert.equal(overlay.text, '');
      assert.deepEqual(overlay.reports.map(({ code }) => code), ['vm-config-image-name']);
    });
  });

  it('finds the base of an overlay in the system file that lists it', async () => {
    const overlay = '/dts-v1/;\n/plugin/;\n&uart { speed = <9600>; };\n';
    const system = '{ "vms": [{ "image": "a.elf", "config": "other.dts" }, { "image": "b.elf", "deviceTree": "board.dts", "overlays": ["trees/late.dtso"] }] } // ours\n';
    await withClient({ ...BOARD, 'machine.gunyah.json': system, 'trees/late.dtso': overlay }, async (client) => {
      const merged = await opened<MergedTree>(client, ['trees/late.dtso', overlay], 'mergedTree', { form: 'applied' });
      assert.equal(merged.base, client.uri('board.dts'));
      assert.match(merged.text, /speed = <0x2580>/);
    });
  });

  it('finds the base of an overlay beside it, if what it refers to is there', async () => {
    const base = '/dts-v1/;\n/ {\n\tuart0: uart {\n\t};\n};\n';
    const overlay = (label: string): string => `/dts-v1/;\n/plugin/;\n\n&${label} {\n\tstatus = "okay";\n};\n`;
    const hints = async (client: LanguageClient, name: string, text: string): Promise<readonly string[]> => {
      await client.open(name, text);
      return await client.diagnostics(name);
    };
    await withClient({ 'board.dts': base, 'other.dts': base }, async (client) => {
      assert.deepEqual(await hints(client, 'board-camera.dtso', overlay('uart0')), []);
      assert.deepEqual(await hints(client, 'camera.dtso', overlay('uart0')), ['0:0-0 overlay-without-base'], 'two trees are there, and neither is named alike');
    });
    await withClient({ 'board.dts': base }, async (client) => {
      assert.deepEqual(await hints(client, 'camera.dtso', overlay('uart0')), []);
      assert.deepEqual(await hints(client, 'radio.dtso', overlay('uart9')), ['0:0-0 overlay-without-base'], 'the only tree has no such label');
      const two = overlay('uart0') + overlay('uart9').slice(overlay('uart9').indexOf('&'));
      assert.deepEqual(await hints(client, 'board-radio.dtso', two), ['6:0-6 overlay-no-symbol'], 'the names belong together, so the label is wrong');
    });
  });

  it('finds the base of an overlay in the settings', () => withClient({ 'trees/one.dts': '/dts-v1/;\n/ {\n\tuart0: uart {\n\t};\n};\n', 'trees/two.dts': '/dts-v1/;\n/ { };\n' }, async (client) => {
    await client.open('over.dtso', '/dts-v1/;\n/plugin/;\n\n&uart9 {\n\tstatus = "okay";\n};\n');
    assert.deepEqual(await client.diagnostics('over.dtso'), ['3:0-6 overlay-no-symbol']);
  }, { settings: { bases: { 'over.dtso': 'trees/one.dts' } } }));

  it('finds the base of an overlay in the Makefile that builds both together', async () => {
    const overlay = '/dts-v1/;\n/plugin/;\n&uart { speed = <9600>; };\n';
    const makefile = 'dtb-$(CONFIG_BOARD) += board.dtb\n\nboard-fast-dtbs := board.dtb \\\n\tmore.dtbo fast.dtbo\ndtb-$(CONFIG_BOARD) += board-fast.dtb\n';
    await withClient({ ...BOARD, 'second.dts': '/dts-v1/;\n/ { };\n', 'Makefile': makefile, 'fast.dtso': overlay }, async (client) => {
      const merged = await opened<MergedTree>(client, ['fast.dtso', overlay], 'mergedTree', { form: 'applied' });
      assert.equal(merged.base, client.uri('board.dts'));
      const other = await opened<MergedTree>(client, ['slow.dtso', overlay], 'mergedTree', { form: 'applied' });
      assert.equal(other.base, null);
    });
  });

  it('maps memory through ranges and finds what overlaps', async () => {
    await withClient(BOARD, async (client) => {
      const map = await opened<MemoryMap>(client, ['board.dts', BOARD['board.dts']], 'memoryMap');
      assert.deepEqual(map.ranges.map(({ path, kind, base, last }) => [path, kind, base, last]), [
        ['/soc/serial@100', 'device', '0x1100', '0x11ff'], ['/soc/timer@200', 'device', '0x1200', '0x12ff'], ['/soc/clash@280', 'device', '0x1280', '0x128f'],
        ['/memory@80000000', 'memory', '0x80000000', '0x80000fff'],
      ]);
      assert.deepEqual(map.overlaps, [{ first: 1, second: 2, base: '0x1280', size: '0x10' }]);
    });
  });

  it('maps the memory that a VM configuration asks for', async () => {
    await withClient({}, async (client) => {
      const memory = 'memory { base-address = <0x0 0x80000000>; size-max = <0x8000000>; };';
      const map = await opened<MemoryMap>(client, ['vm.dts', `/dts-v1/; / { gunyah-vm-config { #address-cells = <2>; #size-cells = <2>; image-name = "vm"; ${memory} }; };`], 'memoryMap');
      assert.deepEqual(map.ranges.map(({ path, kind, base, last }) => [path, kind, base, last]), [['/gunyah-vm-config/memory', 'memory', '0x80000000', '0x87ffffff']]);
    });
  });

  it('compares trees by meaning: order, labels and phandle numbers do not count', async () => {
    await withClient(BOARD, async (client) => {
      const left = '/dts-v1/; / { a { use = <&c 1>; }; b { phandle = <5>; }; c: c { }; gone { }; };';
      const right = '/dts-v1/; / { d: c { phandle = <9>; }; b { phandle = <5>; new; }; a { use = <&d 2>; }; };';
      await client.open('left.dts', left);
      await client.open('right.dts', right);
      const compare = async (a: string, b: string) => await client.request('gunyah/dt/compare', { left: { uri: client.uri(a) }, right: { uri: client.uri(b) } }) as TreeComparison;
      const { differences } = await compare('left.dts', 'right.dts');
      assert.deepEqual(differences.map(({ kind, path, property }) => [kind, path, property]), [['changed', '/a', 'use'], ['added', '/b', 'new'], ['removed', '/gone', null]]);
      await client.change('right.dts', { text: right.replace('&d 2', '&d 1').replace(' new;', ' ').replace('a {', 'gone { }; a {') });
      assert.deepEqual((await compare('left.dts', 'right.dts')).differences, []);
    });
  });
});
