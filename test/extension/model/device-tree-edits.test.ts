/** What the "Add …" commands and drops write: text that RM, the bindings and the system file's schema accept, in the right place. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';

import { checkAddress, checkCount, checkName, checkSize, parseSize } from '../../../extension/model/device-tree-answers';
import { cpusNode, freeLabel, freeName, hypervisorNode, indented, twoCells, VDEVICE_KINDS, vdeviceNode, vmConfigNode } from '../../../extension/model/device-tree-nodes';
import { appendRoot, findNode, insertInto, type OutlineNode } from '../../../extension/model/device-tree-places';
import { configuredName, withConfiguredVm } from '../../../extension/model/system-file-edit';
import { readBindings, UNDOCUMENTED } from '../../../runtime/devicetree/bindings/binding-set';
import { compileDts } from '../../../runtime/devicetree/index';
import { parseVmConfig } from '../../../runtime/resource-manager/vm-config';

const FOLDER = join(__dirname, '../../../language-server/bindings');
const FILES = ['core', 'gunyah/binding', 'gunyah/vm-config'].flatMap((folder) => readdirSync(join(FOLDER, folder)).map((name) => join(FOLDER, folder, name)));
const { bindings } = readBindings(FILES.map((path) => ({ path, content: load(readFileSync(path, 'utf8')) })));

/** A whole tree with a node in its root, compiled, without a word from the compiler or the bindings. */
function tree(block: string): ReturnType<typeof compileDts>['tree'] {
  const compiled = compileDts(`/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&gic>;
    ${cpusNode()}
    gic: interrupt-controller@8000000 { compatible = "arm,gic-v3"; interrupt-controller; #interrupt-cells = <3>; reg = <0x0 0x08000000 0x0 0x10000>, <0x0 0x080a0000 0x0 0x20000>; };
    ${block} };`);
  assert.deepEqual(compiled.diagnostics, []);
  const failures = bindings.checkTree(compiled.tree.root).filter(({ schemaId }) => schemaId !== UNDOCUMENTED && schemaId.includes('gunyah'));
  assert.deepEqual(failures.map(({ node, keyword, names }) => [node.path, keyword, names]), []);
  return compiled.tree;
}

const CONFIG = { imageName: 'guest', osType: 'linux', base: 0x8000_0000n, size: 0x800_0000n, affinity: 'static', affinityMap: [0], interruptController: '/interrupt-controller@8000000' } as const;

/** An outline node that ends with the text's last brace. */
function outline(text: string, name: string, children: readonly OutlineNode[] = []): OutlineNode {
  return { name, start: text.indexOf(name), end: text.length, children };
}

describe('nodes that the commands write', () => {
  it('RM reads a new VM configuration as it was asked for', () => {
    const { config, diagnostics } = parseVmConfig(tree(vmConfigNode(CONFIG)).root, 'untrusted');
    assert.deepEqual(diagnostics, []);
    assert.deepEqual([config?.name, config?.affinity, config?.affinityMap, config?.baseAddress, config?.sizeMax], ['guest', 'static', [0], 0x8000_0000n, 0x800_0000n]);
    assert.equal(parseVmConfig(tree(vmConfigNode({ ...CONFIG, affinity: 'proxy', affinityMap: [], interruptController: '' })).root, 'untrusted').config?.affinity, 'proxy');
  });

  for (const kind of VDEVICE_KINDS) {
    it(`RM reads a new ${kind} with its label and peer`, () => {
      const config = vmConfigNode(CONFIG);
      for (const peer of ['', 'primary']) {
        const device = vdeviceNode({ kind, name: 'device', label: 7, peer, base: 0x9000_0000n });
        const read = parseVmConfig(tree(config.replace('vdevices {', `vdevices {\n${device}`)).root, 'untrusted');
        assert.deepEqual(read.diagnostics, []);
        assert.ok(JSON.stringify(read.config?.vdevices, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)).includes('"label":7'));
      }
    });
  }

  it('the hypervisor node is as Linux documents it', () => {
    const root = tree(hypervisorNode({ transmitCapability: 0x1_0000_0002n, receiveCapability: 3n, transmitSpi: 3, receiveSpi: 4 })).root;
    assert.ok(root.children.some(({ name }) => name === 'hypervisor'));
  });

  it('values are written as cells, labels are new', () => {
    assert.equal(twoCells(0x1_8000_0000n), '0x1 0x80000000');
    assert.deepEqual([freeName('bell', ['shm']), freeName('bell', ['bell', 'bell-2'])], ['bell', 'bell-3']);
    assert.equal(freeLabel('a { label = <1>; }; b { qcom,label = <0x2>; label = "text"; };'), 3);
    assert.equal(indented('a\n\nb', '\t'), '\ta\n\n\tb');
  });
});

describe('places of new nodes', () => {
  const text = '/dts-v1/;\n\n/ {\n\tvdevices {\n\t\tone {\n\t\t};\n\t};\n};\n';

  it('a node goes before the closing brace, as deep as its neighbours', () => {
    const at = text.indexOf('\t};\n};');
    const vdevices: OutlineNode = { name: 'vdevices', start: text.indexOf('vdevices'), end: at + 3, children: [] };
    const insertion = insertInto(text, vdevices, 'two {\n};');
    assert.deepEqual(insertion, { offset: at, text: '\n\t\ttwo {\n\t\t};\n' });
  });

  it('an empty node on one line opens', () => {
    assert.deepEqual(insertInto('/ { a { }; };', { name: 'a', start: 4, end: 10, children: [] }, 'b;'), { offset: 8, text: '\n\tb;\n' });
    assert.equal(insertInto('/ { a {', { name: 'a', start: 4, end: 7, children: [] }, 'b;'), undefined);
  });

  it('nodes are found at any depth, with labels and unit addresses', () => {
    const inner = outline(text, 'vdevices');
    const nodes = [outline(text, '/', [outline(text, 'cfg: gunyah-vm-config', [inner])])];
    assert.equal(findNode(nodes, ['gunyah-vm-config', 'vdevices']), inner);
    assert.equal(findNode([outline('a@0 {};', 'a@0')], ['a'])?.name, 'a@0');
    assert.equal(findNode(nodes, ['nothing']), undefined);
    assert.deepEqual(appendRoot('x', 'y;'), { offset: 1, text: '\n\n/ {\n\ty;\n};\n' });
  });
});

describe('answers', () => {
  it('a check says what is wrong, or nothing', () => {
    assert.deepEqual([checkAddress(0x1000n)('0x80000000'), checkSize('128M'), checkName('a-b'), checkCount(0, 9)('9')], ['', '', '', '']);
    assert.match(checkAddress(0x20_0000n)('0x1000'), /multiple of 0x200000/);
    assert.match(checkAddress(1n)('here'), /address/);
    for (const size of ['', '0', '1', '12Q']) assert.notEqual(checkSize(size), '');
    for (const name of ['', 'a b', 'ü', 'x'.repeat(80)]) assert.notEqual(checkName(name), '');
    assert.match(checkCount(0, 9)('10'), /0 to 9/);
    assert.equal(parseSize('2g'), 2n ** 31n);
  });
});

describe('VMs dropped into a system file', () => {
  const SYSTEM = '{\n  // the machine\n  "vms": [\n    { "name": "primary", "image": "out/primary.elf" }\n  ]\n}\n';

  it('the VM goes to the end of the list, comments stay', () => {
    const after = withConfiguredVm(SYSTEM, { name: 'sensor', config: 'sensor.dts' }) ?? '';
    assert.ok(after.includes('// the machine'));
    const { vms } = JSON.parse(after.replace(/\/\/.*/, '')) as { vms: unknown[] };
    assert.deepEqual(vms[1], { name: 'sensor', image: 'out/sensor.elf', config: 'sensor.dts', autostart: false });
  });

  it('a VM with the same tree is not added twice, the same name gets a number', () => {
    const once = withConfiguredVm(SYSTEM, { name: 'primary', config: 'a.dts' }) ?? '';
    assert.ok(once.includes('"primary-2"'));
    assert.equal(withConfiguredVm(once, { name: 'primary', config: 'a.dts' }), once);
    assert.equal(withConfiguredVm('{ "vms": 1 }', { name: 'a', config: 'a.dts' }), undefined);
    assert.ok(withConfiguredVm('{}', { name: 'a', config: 'a.dts' })?.includes('build/a.elf'));
  });

  it('only trees with a VM configuration count', () => {
    assert.equal(configuredName('/ { gunyah-vm-config { image-name = "x"; }; };'), 'x');
    assert.equal(configuredName('/ { qcom,vm-config { }; };'), '');
    assert.equal(configuredName('/ { image-name = "x"; };'), undefined);
  });
});
